// A modal dialog: the browser's own <dialog>, which keeps the focus inside and the rest of the page inert.
import type { ComponentChildren } from "preact";
import { signal, useSignal, type Signal } from "@preact/signals";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { errorText } from "../api";
import { t } from "../i18n";
import { Icon } from "./icons";
import { dialogs, Toasts } from "./toasts";

/** What a dialog is opened for, by whoever asks; undefined: it is not open. Whoever goes back leaves it, too. */
export function askedFor<T>(): Signal<T | undefined> {
    const asked = signal<T | undefined>(undefined);
    addEventListener("popstate", () => (asked.value = undefined));
    return asked;
}

/** What work gives, unless its dialog was closed meanwhile: then nothing comes of it any more. */
export async function whileAsked<T, R>(asked: Signal<T | undefined>, work: Promise<R>): Promise<R> {
    const now = asked.value;
    const found = await work;
    if (asked.value !== now) throw new DOMException("the dialog was closed", "AbortError");
    return found;
}

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
    useLayoutEffect(() => {
        const before = document.activeElement; // and the next key is the dialog's
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
        if (e.target !== e.currentTarget) return; // a choice of files within was cancelled
        e.preventDefault();
        onClose?.();
    };
    // One Escape after the other has the browser close it, whatever cancel() says: what is still there comes back, and is left by what it says itself.
    const closed = () => {
        if (!ref.current) return;
        ref.current.showModal();
        onClose?.();
    };
    const submit = (e: Event) => {
        if (e.target !== e.currentTarget) return; // of a dialog that was opened from this one
        e.preventDefault();
        onSubmit?.();
    };
    return (
        <dialog ref={ref} class={wide ? "dialog dialog-wide" : "dialog"} aria-labelledby={id} onCancel={cancel} onClose={closed}>
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

interface FormProps extends Omit<Props, "footer" | "onSubmit"> {
    /** Once at a time; what it throws is shown. */
    onSubmit: () => unknown;
    /** What the button says that goes on. */
    button: string;
    disabled?: boolean;
    /** It takes something away: its button is red, and Enter cancels. */
    danger?: boolean;
    /** There is no field to begin with: Enter goes on. */
    focusButton?: boolean;
    /** What is said while it is being done. */
    waiting?: string;
    /** Before "Cancel". */
    aside?: ComponentChildren;
    /** After it. */
    beside?: ComponentChildren;
}

const bringUp = (element: HTMLElement | null) => element?.scrollIntoView({ block: "nearest" });

/** A dialog that asks for something: "Cancel", if it can be left, and the button that goes on. */
export function FormDialog({ button, disabled, danger, focusButton, waiting, aside, beside, onSubmit, children, ...more }: FormProps) {
    const isBusy = useSignal(false);
    const error = useSignal("");
    const submit = async () => {
        if (disabled || isBusy.value) return;
        isBusy.value = true;
        error.value = "";
        try {
            await onSubmit();
        } catch (e) {
            error.value = errorText(e);
        }
        isBusy.value = false;
    };
    const footer = (
        <>
            {aside}
            {more.onClose && (
                <button type="button" onClick={more.onClose} data-autofocus={danger || undefined}>
                    {t("Cancel")}
                </button>
            )}
            {beside}
            <button key={button} type="submit" class={danger ? "danger" : "primary"} disabled={disabled || isBusy.value} data-autofocus={focusButton || undefined}>
                {button}
            </button>
        </>
    );
    return (
        <Dialog {...more} onSubmit={() => void submit()} footer={footer}>
            {children}
            {waiting && isBusy.value && (
                <p class="waiting" role="status">
                    {waiting}
                </p>
            )}
            {error.value && (
                <p class="error" role="alert" ref={bringUp}>
                    {error.value}
                </p>
            )}
        </Dialog>
    );
}
