// Columns of a table: which are shown, in which order, how wide; what a person has chosen is kept.
import { computed, type ReadonlySignal, type Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { t, type Text } from "../i18n";
import { pref } from "../prefs";

export interface Column<R> {
    id: string;
    title: Text;
    /** In place of the title, where only the server knows it. */
    heading?: string;
    width: number; // px; what it begins with where there is no more
    /** px that it has use for, where there is room left over. None: a number, a date or a state has what it needs. */
    grows?: number;
    /** What the column is as text: copied, and shown unless there is a cell. */
    text: (row: R) => string;
    cell?: (row: R) => ComponentChildren;
    /** A button that opens the row says this; "": there is none. */
    opens?: (row: R) => string;
    /** What opens so takes something away. */
    isDanger?: boolean;
    /** The list's name of this order; without it the column is not sorted by. */
    sort?: string;
    isHidden?: boolean; // until it is chosen
    /** Members of the row that it shows, where that is not the one of its name. */
    needs?: readonly string[];
    align?: "end";
    /** Of a field that is asked for by its path. */
    path?: string;
    /** Of one that somebody has added: takes it away again. */
    remove?: () => void;
}

export function heading<R>(column: Column<R>): string {
    return column.heading ?? t(column.title);
}

export interface Layout {
    order?: readonly string[];
    hidden?: readonly string[];
    widths?: Readonly<Record<string, number>>;
    sort?: string; // "name", "-name"
}

export const WIDTH_MIN = 48;
export const WIDTH_MAX = 800;

export class Columns<R> {
    readonly layout: Signal<Layout>;
    /** All of them, in the chosen order. */
    readonly ordered: ReadonlySignal<readonly Column<R>[]>;
    readonly shown: ReadonlySignal<readonly Column<R>[]>;

    constructor(
        readonly name: string,
        readonly all: readonly Column<R>[],
        readonly firstSort = "",
    ) {
        this.layout = pref<Layout>(`table.${name}`, {});
        this.ordered = computed(() => {
            const order = this.layout.value.order ?? [];
            const place = (c: Column<R>) => (order.includes(c.id) ? order.indexOf(c.id) : order.length + all.indexOf(c));
            return [...all].sort((a, b) => place(a) - place(b));
        });
        this.shown = computed(() => {
            const some = this.ordered.value.filter((c) => !this.isHidden(c));
            return some.length > 0 ? some : this.ordered.value.slice(0, 1);
        });
    }

    get sort(): string {
        return this.layout.value.sort ?? this.firstSort;
    }

    isHidden(column: Column<R>): boolean {
        return this.layout.value.hidden?.includes(column.id) ?? column.isHidden ?? false;
    }

    width(column: Column<R>): number {
        return this.layout.value.widths?.[column.id] ?? column.width;
    }

    /** px that it would have besides; one whose width was chosen keeps it. */
    wish(column: Column<R>): number {
        return this.layout.value.widths?.[column.id] === undefined ? Math.max((column.grows ?? 0) - column.width, 0) : 0;
    }

    show(column: Column<R>, on: boolean): void {
        const hidden = this.all.filter((c) => (c === column ? !on : this.isHidden(c))).map((c) => c.id);
        this.change({ hidden });
    }

    /** undefined: no longer one that was chosen. */
    resize(column: Column<R>, width: number | undefined): void {
        const { [column.id]: _, ...others } = this.layout.value.widths ?? {};
        this.change({ widths: width === undefined ? others : { ...others, [column.id]: Math.round(Math.min(Math.max(width, WIDTH_MIN), WIDTH_MAX)) } });
    }

    /** Puts the column where the other one stands. */
    move(id: string, to: string): void {
        const order = this.ordered.value.map((c) => c.id);
        const from = order.indexOf(id);
        const at = order.indexOf(to);
        if (from < 0 || at < 0) return;
        order.splice(from, 1);
        order.splice(at, 0, id);
        this.change({ order });
    }

    /** The next of: upwards, downwards. */
    sortBy(column: Column<R>): void {
        if (!column.sort) return;
        this.change({ sort: this.sort === column.sort ? `-${column.sort}` : column.sort });
    }

    reset(): void {
        this.layout.value = {};
    }

    private change(layout: Partial<Layout>): void {
        this.layout.value = { ...this.layout.value, ...layout };
    }
}
