// A modal dialog: the browser's own <dialog>, which keeps the focus inside and the rest of the page inert.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "./icons";
import { dialogs, Toasts } from "./toasts";

interface Props {
    title: string;
    children: ComponentChildren;
    /** Escape, and the cross; without it the dialog can't be left. */
    onClose?: () => void;
    wide?: boolean;
    footer?: ComponentChildren;
    onSubmit?: () => void;
}

export function Dialog({ title, children, onClose, wide, footer, onSubmit }: Props) {
    const ref = useRef<HTMLDialogElement>(null);
    const id = useId();
    useEffect(() => {
        const before = document.activeElement;
        const dialog = ref.current;
        if (dialog && !dialog.open) dialog.showModal();
        dialog?.querySelector<HTMLElement>("[data-autofocus]")?.focus();
        dialogs.value = [...dialogs.value, id];
        return () => {
            dialogs.value = dialogs.value.filter((one) => one !== id);
            dialog?.close();
            if (before instanceof HTMLElement) before.focus();
        };
    }, []);
    // What scrolls and has nothing in it to go to can be scrolled by the keys all the same.
    useEffect(() => {
        const body = ref.current?.querySelector(".dialog-body");
        if (body && body.scrollHeight > body.clientHeight) body.setAttribute("tabindex", "0");
        else body?.removeAttribute("tabindex");
    });
    const cancel = (e: Event) => {
        e.preventDefault();
        onClose?.();
    };
    const submit = (e: Event) => {
        e.preventDefault();
        onSubmit?.();
    };
    return (
        <dialog ref={ref} class={wide ? "dialog dialog-wide" : "dialog"} aria-labelledby={id} onCancel={cancel}>
            <form onSubmit={submit} autoComplete="off">
                <div class="dialog-head">
                    <h2 id={id}>{title}</h2>
                    {onClose && (
                        <button type="button" class="plain" aria-label={t("Close")} onClick={onClose}>
                            <Icon name="close" />
                        </button>
                    )}
                </div>
                <div class="dialog-body">{children}</div>
                {footer && <div class="dialog-foot">{footer}</div>}
            </form>
            <Toasts within={id} />
        </dialog>
    );
}

interface FormProps extends Props {
    onClose: () => void;
    onSubmit: () => void;
    /** What the button says that goes on. */
    button: string;
    disabled?: boolean;
    /** It takes something away: its button is red, and Enter cancels. */
    danger?: boolean;
    /** There is no field to begin with: Enter goes on. */
    focusButton?: boolean;
}

/** A dialog that asks for something: "Cancel", and the button that goes on. */
export function FormDialog({ button, disabled, danger, focusButton, children, ...more }: FormProps) {
    const footer = (
        <>
            <button type="button" onClick={more.onClose} data-autofocus={danger || undefined}>
                {t("Cancel")}
            </button>
            <button type="submit" class={danger ? "danger" : "primary"} disabled={disabled} data-autofocus={focusButton || undefined}>
                {button}
            </button>
        </>
    );
    return (
        <Dialog {...more} footer={footer}>
            {children}
        </Dialog>
    );
}
