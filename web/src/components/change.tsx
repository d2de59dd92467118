// A small dialog that changes one thing at the server: by itself, or - what gives somebody something - by a review that asks outside of the page.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { t } from "../i18n";
import { Dialog, FormDialog } from "./dialog";
import { review } from "./review";
import { sayError } from "./toasts";

/** What kind_grant.c takes: what is to be done, for whom, and what the server is told. */
export interface Grant {
    do: string;
    user?: string;
    give?: unknown;
}
type Answer = Record<string, unknown>;

interface Props {
    title: string;
    children?: ComponentChildren;
    button?: string;
    isReady?: boolean;
    /** It takes something away. */
    danger?: boolean;
    /** Done at once. */
    work?: () => Promise<unknown>;
    /** Reviewed; then onDone is told once more, that it is done. */
    grant?: () => Grant;
    onDone: (isChanged: boolean, answer: Answer) => void;
}

export function Change({ title, children, button, isReady = true, danger, work, grant, onDone }: Props) {
    const submit = async () => {
        if (!grant) {
            await work?.();
            return onDone(true, {});
        }
        const asked = grant();
        onDone(false, {});
        review({ what: "grant", ...asked }, (answer) => onDone(true, answer));
    };
    return (
        <FormDialog title={title} onClose={() => onDone(false, {})} onSubmit={submit} button={button ?? t("Review")} disabled={!isReady} danger={danger ?? false}>
            {children}
        </FormDialog>
    );
}

/** A secret that is shown this once. */
export function Once({ title, secret, about, onClose }: { title: string; secret: string; about: string; onClose: () => void }) {
    const isCopied = useSignal(false);
    const copy = () => void navigator.clipboard.writeText(secret).then(() => (isCopied.value = true), sayError);
    return (
        <Dialog
            title={title}
            onClose={onClose}
            onSubmit={onClose}
            footer={
                <>
                    <button type="button" onClick={copy}>
                        {isCopied.value ? t("Copied") : t("Copy")}
                    </button>
                    <button type="submit" class="primary">
                        {t("I have kept it")}
                    </button>
                </>
            }
        >
            <p>{about}</p>
            <p>
                <code class="said">{secret}</code>
            </p>
        </Dialog>
    );
}
