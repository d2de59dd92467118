// A modal dialog: the browser's own <dialog>, which keeps the focus inside and the rest of the page inert.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "./icons";

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
        return () => {
            dialog?.close();
            if (before instanceof HTMLElement) before.focus();
        };
    }, []);
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
        </dialog>
    );
}
