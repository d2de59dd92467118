// A table of rows that are all here: searched and sorted by the page.
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { Icon } from "../components/icons";
import { language, t, tn } from "../i18n";
import { useShortcuts } from "../keyboard";
import { ColumnsButton } from "./chooser";
import { Columns, type Column } from "./columns";
import { downToTable } from "./keys";
import { loadFrom, Rows, type Load } from "./rows";
import type { Selection } from "./selection";
import { Table } from "./table";

interface Props<R> {
    /** Under which the choice of columns is kept. */
    name: string;
    label: string;
    /** undefined: not here yet. */
    all: readonly R[] | undefined;
    columns: readonly Column<R>[];
    rowKey: (row: R) => string;
    /** What a column is sorted by, where that is not its text. */
    values?: Record<string, (row: R) => number>;
    firstSort?: string;
    selection?: Selection;
    onOpen?: (row: R) => void;
    tools?: ComponentChildren;
    /** What is said where there is none at all. */
    empty?: string;
}

function comparison<R>(columns: Columns<R>, values: Props<R>["values"]): ((a: R, b: R) => number) | undefined {
    const column = columns.all.find((c) => c.sort === columns.sort.replace(/^-/, ""));
    if (!column) return undefined;
    const way = columns.sort.startsWith("-") ? -1 : 1;
    const value = values?.[column.id];
    if (value) return (a, b) => way * (value(a) - value(b));
    const order = new Intl.Collator(language.value, { numeric: true });
    return (a, b) => way * order.compare(column.text(a), column.text(b));
}

/** Of rows that have not come none is read, and nothing is said of them. */
function loadFound<R>(found: readonly R[] | undefined, compare?: (a: R, b: R) => number): Load<R> {
    return found ? loadFrom(found, compare) : () => new Promise(() => undefined);
}

export function LocalTable<R>({ name, label, all, columns, rowKey, values, firstSort, selection, onOpen, tools, empty }: Props<R>) {
    const box = useRef<HTMLInputElement>(null);
    const search = useSignal("");
    useShortcuts(() => [{ keys: "/", what: "Search in the table", run: () => box.current?.focus() }]);
    const model = useMemo(() => {
        const made = new Columns<R>(name, columns, firstSort);
        return { columns: made, rows: new Rows<R>(loadFound(all, comparison(made, values)), rowKey) };
    }, []);
    const found = useMemo(() => {
        const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
        return words.length === 0 ? all : all?.filter((row) => {
            const text = columns.map((c) => c.text(row)).join(" ").toLowerCase();
            return words.every((word) => text.includes(word));
        });
    }, [all, search.value]);
    const shown = useRef(found);
    shown.current = found;
    const ask = () => model.rows.ask(loadFound(found, comparison(model.columns, values)));
    useLayoutEffect(ask, [found]); // before the next key: it means what the search left
    // "All" are those that are shown, by their names: nothing that comes, or that a search hid, is among them.
    useEffect(
        () =>
            selection?.version.subscribe(() => {
                if (selection.all) selection.only((shown.current ?? []).map(rowKey).filter((key) => selection.has(key)));
            }),
        [],
    );
    const total = model.rows.total.value ?? all?.length;
    return (
        <>
            <div class="bar">
                <div class="search">
                    <Icon name="search" />
                    <input ref={box} type="search" aria-label={t("Search in the table")} placeholder={t("Search in the table")} spellcheck={false} value={search.value} onInput={(e) => (search.value = e.currentTarget.value)} onKeyDown={downToTable} />
                </div>
                <span class="muted" role="status">
                    {total === undefined ? t("Reading") : tn(total, "{n} row", "{n} rows")}
                </span>
                <span class="space" />
                {tools}
                <ColumnsButton columns={model.columns} />
            </div>
            <Table label={label} rows={model.rows} columns={model.columns} onSort={ask} {...(selection ? { selection } : {})} {...(onOpen ? { onOpen } : {})} empty={all?.length === 0 ? empty : t("Nothing matches")} />
        </>
    );
}
