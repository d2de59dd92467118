// What did not go as it was asked for, when much was asked for at once: a few are said at the edge, more of them are a table.
import { t, tn } from "../i18n";
import type { Column } from "../table/columns";
import { LocalTable } from "../table/local";
import { askedFor, Dialog } from "./dialog";
import { sayError } from "./toasts";

interface Failure {
    name: string;
    why: string;
}

const FEW = 3;
const shown = askedFor<readonly Failure[]>();
const COLUMNS: readonly Column<Failure>[] = [
    { id: "name", title: "Name", width: 220, grows: 360, sort: "name", text: (f) => f.name },
    { id: "why", title: "Why", width: 420, grows: 800, sort: "why", text: (f) => f.why },
];

export function sayFailures(all: readonly Failure[]): void {
    if (all.length > FEW) shown.value = all;
    else for (const { name, why } of all) sayError(new Error(`${name}: ${why}`));
}

/** The same of results as the program gives them. */
export function sayFailed(all: readonly { name: string; code: string; error: string | null }[]): void {
    sayFailures(all.filter((one) => one.code !== "ok").map(({ name, code, error }) => ({ name, why: error ?? code })));
}

export function FailuresDialog() {
    const all = shown.value;
    if (!all) return null;
    const close = () => (shown.value = undefined);
    return (
        <Dialog title={tn(all.length, "{n} failed", "{n} failed")} onClose={close} onSubmit={close} footer={<button type="submit">{t("Close")}</button>} wide>
            <div class="estate">
                <LocalTable name="failures" label={t("What failed, and why")} all={all} columns={COLUMNS} rowKey={(f) => f.name} firstSort="name" />
            </div>
        </Dialog>
    );
}
