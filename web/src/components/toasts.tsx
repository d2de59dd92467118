// Short messages at the edge: said politely, errors at once. An error stays until it is closed.
import { signal } from "@preact/signals";
import { ApiError, errorText, isAbort } from "../api";
import { t } from "../i18n";
import { Icon } from "./icons";

interface Toast {
    id: number;
    text: string;
    isError: boolean;
}

const STAYS_MS = 6000;
const toasts = signal<readonly Toast[]>([]);
let last = 0;

function close(id: number) {
    toasts.value = toasts.value.filter((one) => one.id !== id);
}

function show(text: string, isError: boolean) {
    if (toasts.value.some((one) => one.text === text)) return;
    const id = ++last;
    toasts.value = [...toasts.value.slice(-4), { id, text, isError }];
    if (!isError) setTimeout(() => close(id), STAYS_MS);
}

export function say(text: string): void {
    show(text, false);
}

/** What was thrown, unless nobody waits for it any more, or the page as a whole shows it already: no session, program or server away. */
export function sayError(e: unknown): void {
    const isShown = e instanceof ApiError && (e.code === "away" || e.code === "unreachable" || e.status === 401);
    if (!isAbort(e) && !isShown) show(errorText(e), true);
}

function List({ isError }: { isError: boolean }) {
    return (
        <div role={isError ? "alert" : "status"}>
            {toasts.value
                .filter((one) => one.isError === isError)
                .map((one) => (
                    <div key={one.id} class={`toast ${isError ? "toast-error" : ""}`}>
                        <span>{one.text}</span>
                        <button type="button" class="plain" aria-label={t("Close")} onClick={() => close(one.id)}>
                            <Icon name="close" />
                        </button>
                    </div>
                ))}
        </div>
    );
}

/** Dialogs that are open, the last one on top: what stands outside of it can neither be read out nor closed. */
export const dialogs = signal<readonly string[]>([]);

/** within: the dialog in which they stand; none: the page. They are shown where one can reach them. */
export function Toasts({ within }: { within?: string }) {
    if (dialogs.value.at(-1) !== within) return null;
    return (
        <div class="toasts">
            <List isError={false} />
            <List isError={true} />
        </div>
    );
}
