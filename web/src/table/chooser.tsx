// The columns' dialog: which are shown, in which order, how wide; and the button that opens it.
import { useSignal } from "@preact/signals";
import { Dialog } from "../components/dialog";
import { Icon } from "../components/icons";
import { useCommands } from "../components/palette";
import { t } from "../i18n";
import { heading, WIDTH_MAX, WIDTH_MIN, type Columns } from "./columns";

function ColumnChooser<R>({ columns, onClose }: { columns: Columns<R>; onClose: () => void }) {
    const ordered = columns.ordered.value;
    const footer = (
        <>
            <button type="button" onClick={() => columns.reset()}>
                {t("As at first")}
            </button>
            <button type="button" class="primary" onClick={onClose} data-autofocus>
                {t("Close")}
            </button>
        </>
    );
    return (
        <Dialog title={t("Columns")} onClose={onClose} footer={footer}>
            <ul class="chooser">
                {ordered.map((column, i) => {
                    const title = heading(column);
                    const before = ordered[i - 1];
                    const after = ordered[i + 1];
                    return (
                        <li key={column.id}>
                            <label>
                                <input type="checkbox" checked={!columns.isHidden(column)} onChange={(e) => columns.show(column, e.currentTarget.checked)} />
                                <span>{title}</span>
                            </label>
                            <input
                                type="number"
                                min={WIDTH_MIN}
                                max={WIDTH_MAX}
                                step={10}
                                aria-label={t("Width of {column}", { column: title })}
                                value={columns.width(column)}
                                onChange={(e) => columns.resize(column, Number(e.currentTarget.value) || undefined)}
                            />
                            <button type="button" class="plain" disabled={!before} aria-label={t("{column} further to the front", { column: title })} onClick={() => before && columns.move(column.id, before.id)}>
                                <Icon name="up" />
                            </button>
                            <button type="button" class="plain" disabled={!after} aria-label={t("{column} further to the end", { column: title })} onClick={() => after && columns.move(column.id, after.id)}>
                                <Icon name="down" />
                            </button>
                            {column.remove && (
                                <button type="button" class="plain" aria-label={t("Take {column} away", { column: title })} onClick={column.remove}>
                                    <Icon name="trash" />
                                </button>
                            )}
                        </li>
                    );
                })}
            </ul>
        </Dialog>
    );
}

/** isNamed: it has room for its name. */
export function ColumnsButton<R>({ columns, isNamed }: { columns: Columns<R>; isNamed?: boolean }) {
    const isOpen = useSignal(false);
    const open = () => void (isOpen.value = true);
    useCommands(() => [{ id: `columns-${columns.name}`, title: t("Columns"), run: open }]);
    return (
        <>
            <button type="button" class={isNamed ? "" : "plain"} aria-label={t("Columns")} title={t("Columns")} onClick={open}>
                <Icon name="columns" />
                {isNamed && <span>{t("Columns")}</span>}
            </button>
            {isOpen.value && <ColumnChooser columns={columns} onClose={() => (isOpen.value = false)} />}
        </>
    );
}
