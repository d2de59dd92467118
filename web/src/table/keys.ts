// Keys in a table: where the active row goes, and what becomes of the selection.
import { say, sayError } from "../components/toasts";
import { tn } from "../i18n";
import type { Columns } from "./columns";
import type { Rows } from "./rows";
import type { Selection } from "./selection";

const RANGE_MAX = 20_000; // rows that one shift selects; for more there is "all that match"
const COPY_MAX = 10_000;

/** Where a key leads from row `at`; undefined: it does not move. */
export function moved(key: string, at: number, total: number, page: number): number | undefined {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: total - 1 }[key];
    return to === undefined || total === 0 ? undefined : Math.min(Math.max(to, 0), total - 1);
}

/** From a search down into the table that it is of. */
export function downToTable(e: KeyboardEvent): void {
    if (e.key !== "ArrowDown" || !(e.target instanceof Element)) return;
    e.preventDefault();
    e.target.closest("dialog, main")?.querySelector<HTMLElement>("[role=grid]")?.focus();
}

/** Selects what lies between the two rows, and nothing else. */
export async function selectRange<R>(rows: Rows<R>, selection: Selection, a: number, b: number): Promise<void> {
    const first = Math.min(a, b);
    const last = Math.min(Math.max(a, b), first + RANGE_MAX - 1);
    try {
        selection.only(await rows.keys(first, last));
    } catch (e) {
        sayError(e);
    }
}

/** The selected rows that are here, or the active one, as lines with tabs: what spreadsheets take. */
export async function copyRows<R>(rows: Rows<R>, columns: Columns<R>, selection: Selection | undefined, active: number): Promise<void> {
    const total = rows.total.value ?? 0;
    const lines: string[] = [];
    const clean = (text: string) => text.replace(/[\t\r\n]+/g, " ");
    for (let i = 0; i < total && lines.length < COPY_MAX; i++) {
        const row = rows.row(i);
        if (row === undefined) continue;
        if (selection && selection.count(total) > 0 ? !selection.has(rows.key(row)) : i !== active) continue;
        lines.push(columns.shown.value.map((c) => clean(c.text(row))).join("\t"));
    }
    if (lines.length === 0) return;
    try {
        await navigator.clipboard.writeText(lines.join("\n"));
        say(tn(lines.length, "{n} row copied", "{n} rows copied"));
    } catch (e) {
        sayError(e);
    }
}
