// The table's header: sorted by a click, resized at its edge, moved by dragging; all of it by keys in the columns' dialog, too.
import { useRef } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "../components/icons";
import { heading, type Column, type Columns } from "./columns";

function ariaSort<R>(columns: Columns<R>, column: Column<R>): "ascending" | "descending" | "none" | undefined {
    if (!column.sort) return undefined;
    return columns.sort === column.sort ? "ascending" : columns.sort === `-${column.sort}` ? "descending" : "none";
}

function Edge<R>({ columns, column }: { columns: Columns<R>; column: Column<R> }) {
    const start = useRef<{ x: number; width: number } | undefined>(undefined);
    return (
        <span
            class="edge"
            aria-hidden="true"
            onPointerDown={(e) => {
                e.preventDefault();
                e.stopPropagation();
                e.currentTarget.setPointerCapture(e.pointerId);
                start.current = { x: e.clientX, width: e.currentTarget.parentElement?.offsetWidth ?? columns.width(column) };
            }}
            onPointerMove={(e) => {
                if (start.current) columns.resize(column, start.current.width + e.clientX - start.current.x);
            }}
            onPointerUp={() => {
                start.current = undefined;
            }}
            onClick={(e) => e.stopPropagation()}
        />
    );
}

interface Props<R> {
    columns: Columns<R>;
    onSort: () => void;
    /** undefined: nothing can be selected. */
    check?: { state: "all" | "some" | "none"; toggle: () => void } | undefined;
}

export function Header<R>({ columns, onSort, check }: Props<R>) {
    const drag = useRef("");
    return (
        <div class="t-head" role="rowgroup">
            <div class="t-row" role="row" aria-rowindex={1}>
                {check && (
                    <div class="t-cell t-check" role="columnheader" aria-colindex={1}>
                        <button type="button" class={`box box-${check.state}`} tabIndex={-1} aria-label={t("Select all that match")} onClick={check.toggle} />
                    </div>
                )}
                {columns.shown.value.map((column, i) => {
                    const sorted = ariaSort(columns, column);
                    const sort = () => {
                        columns.sortBy(column);
                        onSort();
                    };
                    return (
                        <div
                            key={column.id}
                            class={`t-cell ${column.align === "end" ? "t-end" : ""}`}
                            role="columnheader"
                            aria-colindex={i + (check ? 2 : 1)}
                            aria-sort={sorted}
                            draggable
                            onDragStart={() => {
                                drag.current = column.id;
                            }}
                            onDragOver={(e) => e.preventDefault()}
                            onDrop={(e) => {
                                e.preventDefault();
                                columns.move(drag.current, column.id);
                            }}
                        >
                            {column.sort ? (
                                <button type="button" class="t-sort" onClick={sort}>
                                    <span title={heading(column)}>{heading(column)}</span>
                                    {(sorted === "ascending" || sorted === "descending") && <Icon name={sorted === "ascending" ? "up" : "down"} />}
                                </button>
                            ) : (
                                <span class="t-title" title={heading(column)}>{heading(column)}</span>
                            )}
                            <Edge columns={columns} column={column} />
                        </div>
                    );
                })}
            </div>
        </div>
    );
}
