// Keys in a table: where the active row goes, and what becomes of the selection.
import { say, sayError } from "../components/toasts";
import { tn } from "../i18n";
import type { Columns } from "./columns";
import type { Rows } from "./rows";
import type { Selection } from "./selection";

const RANGE_MAX = 20_000; // rows that one shift selects; for more there is "all that match"
const COPY_MAX = 10_000;
const COPY_STEP = 5000; // rows that are read at once

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
export function selectRange<R>(rows: Rows<R>, selection: Selection, a: number, b: number): Promise<void> {
    const first = Math.min(a, b);
    const last = Math.min(Math.max(a, b), first + RANGE_MAX - 1);
    return selection.later(rows.keys(first, last), (keys) => selection.only(keys));
}

/** The selected rows, also those that nobody has looked at, or the active one; at most COPY_MAX. */
async function chosen<R>(rows: Rows<R>, selection: Selection | undefined, active: number): Promise<R[]> {
    const total = rows.total.value ?? 0;
    const count = Math.min(selection?.count(total) ?? 0, COPY_MAX);
    const one = rows.row(active);
    if (!selection || count === 0) return one === undefined ? [] : [one];
    const isMeant = (row: R) => selection.has(rows.key(row));
    const here = rows.here().filter(isMeant);
    if (here.length >= count) return here.slice(0, count);
    const found: R[] = [];
    for (let first = 0; first < total && found.length < count; first += COPY_STEP) found.push(...(await rows.read(first, COPY_STEP)).filter(isMeant));
    return found.slice(0, count);
}

/** As lines with tabs: what spreadsheets take. */
export async function copyRows<R>(rows: Rows<R>, columns: Columns<R>, selection: Selection | undefined, active: number): Promise<void> {
    const clean = (text: string) => text.replace(/[\t\r\n]+/g, " ");
    const line = (row: R) => columns.shown.value.map((c) => clean(c.text(row))).join("\t");
    try {
        const lines = (await chosen(rows, selection, active)).map(line);
        if (lines.length === 0) return;
        await navigator.clipboard.writeText(lines.join("\n"));
        say(tn(lines.length, "{n} row copied", "{n} rows copied"));
    } catch (e) {
        sayError(e);
    }
}
