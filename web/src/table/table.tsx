// A table of any length: only the rows on the screen are in the document. Keyboard and roles by the ARIA grid pattern; the focus stays on
// the table, the active row is named by aria-activedescendant.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { sayError } from "../components/toasts";
import { t } from "../i18n";
import type { Column, Columns } from "./columns";
import { CellEditor } from "./edit";
import { Header } from "./header";
import { copyRows, moved, selectRange } from "./keys";
import type { Rows } from "./rows";
import type { Selection } from "./selection";

const ROW = 34; // px, as in table.css
const HEAD = 36;
const SPARE = 6; // rows above and below the screen
const CHECK_WIDTH = 38;
const STEP_X = 60;

interface Props<R> {
    label: string;
    rows: Rows<R>;
    columns: Columns<R>;
    /** Another order is wanted: columns.sort says which. */
    onSort: () => void;
    selection?: Selection;
    onOpen?: (row: R) => void;
    empty?: ComponentChildren;
    rowClass?: (row: R) => string;
    edit?: Edit<R>;
}

/** What can be changed in its cell: by F2, or a double click on it. */
interface Edit<R> {
    column: string;
    label: (row: R) => string;
    /** A text that differs from what was there. */
    done: (row: R, text: string) => void;
    /** Where several are selected, this one among them, or the column is not shown. */
    elsewhere: (row: R) => void;
}

interface RowProps<R> {
    id: string;
    index: number;
    row: R | undefined;
    shown: readonly Column<R>[];
    isActive: boolean;
    isSelected: boolean | undefined;
    extra: string;
    /** In place of what stands in this column. */
    editor: { column: string; cell: ComponentChildren } | undefined;
}

/** What stands in a cell. */
function inCell<R>(column: Column<R>, row: R): ComponentChildren {
    if (column.cell) return column.cell(row);
    const opens = column.opens?.(row);
    if (!opens) return column.text(row);
    return (
        <button type="button" class={column.isDanger ? "link danger" : "link"} tabIndex={-1} data-opens="">
            {opens}
        </button>
    );
}

function Line<R>({ id, index, row, shown, isActive, isSelected, extra, editor }: RowProps<R>) {
    const hasCheck = isSelected !== undefined;
    return (
        <div
            class={`t-row ${isActive ? "t-active" : ""} ${isSelected ? "t-selected" : ""} ${extra}`}
            id={id}
            role="row"
            aria-rowindex={index + 2}
            aria-selected={isSelected}
            data-index={index}
            style={{ transform: `translateY(${index * ROW}px)` }}
        >
            {hasCheck && (
                <div class="t-cell t-check" role="gridcell" aria-colindex={1} data-check="">
                    <span class={`box box-${isSelected ? "all" : "none"}`} aria-hidden="true" />
                </div>
            )}
            {shown.map((column, i) => (
                <div
                    key={column.id}
                    class={`t-cell ${column.align === "end" ? "t-end" : ""}`}
                    role="gridcell"
                    aria-colindex={i + (hasCheck ? 2 : 1)}
                    title={row === undefined || column.cell || column.id === editor?.column ? undefined : column.text(row)}
                >
                    {row === undefined ? <span class="t-waiting" /> : column.id === editor?.column ? editor.cell : inCell(column, row)}
                </div>
            ))}
        </div>
    );
}

export function Table<R>({ label, rows, columns, onSort, selection, onOpen, empty, rowClass, edit }: Props<R>) {
    const id = useId();
    const box = useRef<HTMLDivElement>(null);
    const top = useSignal(0);
    const height = useSignal(600);
    const active = useSignal(0);
    const chosen = useRef<{ key?: string } | undefined>(undefined); // the row that somebody made the active one
    const anchor = useRef(0);
    const edited = useSignal<string | undefined>(undefined); // the key of the row, which is the active one
    const total = rows.total.value ?? 0;
    void rows.version.value;
    void selection?.version.value;
    const shown = columns.shown.value;

    const visible = Math.max(Math.floor((height.value - HEAD) / ROW), 1);
    const first = Math.max(Math.floor(top.value / ROW) - SPARE, 0);
    const last = Math.min(first + visible + 2 * SPARE, Math.max(total - 1, 0));
    const at = Math.min(active.value, Math.max(total - 1, 0));

    const keyAt = (index: number) => {
        const row = rows.row(index);
        return row && rows.key(row);
    };
    const choose = (index: number) => {
        active.value = index;
        chosen.current = { key: keyAt(index) };
    };
    useLayoutEffect(() => {
        // What is active is a row, not a place: others come and go above it.
        const mine = chosen.current;
        if (!mine) return;
        mine.key ??= keyAt(at); // it had not come yet
        const now = mine.key === undefined || mine.key === keyAt(at) ? undefined : rows.indexOf(mine.key);
        if (now === undefined) return;
        if (anchor.current === at) anchor.current = now;
        active.value = now;
    }, [rows, rows.version.value]);
    useEffect(() => rows.want(first, Math.max(last, first + visible)), [rows, first, last]);
    useEffect(() => () => rows.stop(), [rows]);
    useEffect(() => rows.hold(edited.value !== undefined), [rows, edited.value]);
    useLayoutEffect(() => {
        const element = box.current;
        if (!element) return undefined;
        const watch = new ResizeObserver(() => {
            height.value = element.clientHeight;
        });
        watch.observe(element);
        return () => watch.disconnect();
    }, []);
    useLayoutEffect(() => {
        // The style sheet shares out the room that is left over, in proportion to what each column has use for, and no more than that (--share:
        // which part of it, as a length). Nothing is measured, so nothing moves when rows come or the window changes.
        const check = selection ? CHECK_WIDTH : 0;
        const least = shown.reduce((sum, c) => sum + columns.width(c), check);
        const wish = shown.reduce((sum, c) => sum + columns.wish(c), 0);
        const tracks = shown.map((c) => `calc(${columns.width(c)}px + ${columns.wish(c)} * var(--share))`);
        const { style } = box.current ?? {};
        style?.setProperty("--least", `${least}px`);
        style?.setProperty("--share", `clamp(0px, (100% - ${least}px) / ${Math.max(wish, 1)}, 1px)`);
        style?.setProperty("--columns", `${check ? `${check}px ` : ""}${tracks.join(" ")} 1fr`);
    });

    const show = (index: number) => {
        const element = box.current;
        choose(index);
        if (!element) return;
        const y = index * ROW;
        if (y < element.scrollTop) element.scrollTop = y;
        else if (y + ROW + HEAD > element.scrollTop + element.clientHeight) element.scrollTop = y + ROW + HEAD - element.clientHeight;
    };
    const toggle = (index: number) => {
        anchor.current = index;
        selection?.later(rows.keys(index, index), ([key]) => key !== undefined && selection.toggle(key)).catch(sayError); // of one that has not come yet, too
    };
    const begin = (row: R | undefined) => {
        if (row === undefined || !edit) return;
        const isOfSeveral = selection !== undefined && selection.count(total) > 1 && selection.has(rows.key(row));
        if (isOfSeveral || !columns.shown.value.some((c) => c.id === edit.column)) edit.elsewhere(row);
        else edited.value = rows.key(row);
    };
    const editorOf = (row: R | undefined) => {
        const column = columns.all.find((c) => c.id === edit?.column);
        if (row === undefined || !edit || !column || rows.key(row) !== edited.value) return undefined;
        const done = (text: string | undefined) => {
            edited.value = undefined;
            if (document.activeElement?.closest(".t-edit")) box.current?.focus();
            if (text !== undefined) edit.done(row, text);
        };
        return { column: column.id, cell: <CellEditor label={edit.label(row)} text={column.text(row)} onDone={done} /> };
    };
    const keyDown = (e: KeyboardEvent) => {
        const element = box.current;
        if (!element || e.target !== element || e.altKey) return;
        const ctrl = e.ctrlKey || e.metaKey;
        const to = moved(e.key, at, total, visible);
        const row = rows.row(at);
        if (to !== undefined) {
            show(to);
            if (e.shiftKey && selection) selectRange(rows, selection, anchor.current, to).catch(sayError);
            else anchor.current = to;
        } else if (e.key === " ") {
            choose(at);
            toggle(at);
        } else if (e.key === "Enter" && row !== undefined && onOpen) onOpen(row);
        else if (e.key === "F2" && edit) {
            choose(at);
            begin(row);
        } else if (ctrl && e.key === "a" && selection) selection.selectAll();
        else if (ctrl && e.key === "c") void copyRows(rows, columns, selection, at);
        else if (e.key === "Escape" && selection?.clear()) anchor.current = at;
        else if (e.key === "ArrowRight" || e.key === "ArrowLeft") element.scrollBy({ left: e.key === "ArrowRight" ? STEP_X : -STEP_X });
        else return;
        e.preventDefault();
    };
    const indexOf = (e: Event): number | undefined => {
        const line = e.target instanceof Element ? e.target.closest<HTMLElement>(".t-body .t-row") : null;
        return line ? Number(line.dataset.index) : undefined;
    };
    const click = (e: MouseEvent) => {
        const index = indexOf(e);
        const row = index === undefined ? undefined : rows.row(index);
        if (row !== undefined && onOpen && e.target instanceof Element && e.target.closest("[data-opens]")) return onOpen(row);
        if (index === undefined || (e.target instanceof Element && e.target.closest("a, button, input"))) return;
        const isCheck = e.target instanceof Element && e.target.closest("[data-check]") !== null;
        choose(index);
        if (e.shiftKey && selection) selectRange(rows, selection, anchor.current, index).catch(sayError);
        else if (isCheck || e.ctrlKey || e.metaKey) toggle(index);
        else anchor.current = index;
    };
    const open = (e: MouseEvent) => {
        const row = rows.row(indexOf(e) ?? -1);
        const cell = e.target instanceof Element ? e.target.closest("[role=gridcell]") : null;
        const column = shown[Number(cell?.getAttribute("aria-colindex")) - (selection ? 2 : 1)];
        if (e.target instanceof HTMLInputElement || (e.target instanceof Element && e.target.closest("[data-opens]"))) return; // the click has opened it
        if (edit && column?.id === edit.column) begin(row);
        else if (row !== undefined && onOpen) onOpen(row);
    };

    const indexes: number[] = [];
    if (total > 0) {
        for (let i = first; i <= last; i++) indexes.push(i);
        if (at < first || at > last) indexes.push(at); // aria-activedescendant must name something
    }
    const count = selection?.count(total) ?? 0;
    const check = selection && {
        state: count === 0 ? ("none" as const) : count === total ? ("all" as const) : ("some" as const),
        toggle: () => (count === total ? selection.clear() : selection.selectAll()),
    };
    return (
        <div class="table-box">
        <div
            ref={box}
            class="table"
            role="grid"
            tabIndex={0}
            aria-label={label}
            aria-rowcount={rows.total.value === undefined ? -1 : total + 1}
            aria-colcount={shown.length + (selection ? 1 : 0)}
            aria-multiselectable={selection ? true : undefined}
            aria-activedescendant={total > 0 ? `${id}-${at}` : undefined}
            aria-busy={rows.isLoading.value}
            onScroll={(e) => {
                top.value = e.currentTarget.scrollTop;
            }}
            onKeyDown={keyDown}
            onClick={click}
            onDblClick={open}
        >
            <Header columns={columns} onSort={onSort} check={check} />
            <div class="t-body" role="rowgroup" style={{ height: `${total * ROW}px` }}>
                {indexes.map((i) => {
                    const row = rows.row(i);
                    return (
                        <Line
                            key={i}
                            id={`${id}-${i}`}
                            index={i}
                            row={row}
                            shown={shown}
                            isActive={i === at}
                            isSelected={selection && row !== undefined ? selection.has(rows.key(row)) : selection ? selection.all : undefined}
                            extra={row !== undefined && rowClass ? rowClass(row) : ""}
                            editor={i === at ? editorOf(row) : undefined}
                        />
                    );
                })}
            </div>
        </div>
        {rows.total.value === 0 && <div class="t-empty">{empty ?? t("Nothing here.")}</div>}
        </div>
    );
}
