// Rows of a list that the server pages: those that are looked at are fetched, the others are only counted. What is on the screen stays
// there until its successor has come, so that neither a search nor an event makes the table blink.
import { signal } from "@preact/signals";
import { isAbort } from "../api";
import { sayError } from "../components/toasts";
import { onceSeen } from "../seen";

export interface Answer<R> {
    total: number;
    rows: readonly R[];
}
export type Load<R> = (offset: number, limit: number, stop: AbortSignal) => Promise<Answer<R>>;

export const PAGE = 100;
const PAGES_KEPT = 60;
const RANGE_PAGE = 5000; // rows at once, when many are wanted
const REFRESH_MS = 700; // at most so often, however many events come
const REST_FACTOR = 4; // and not before so many times of what the last answer took

export class Rows<R> {
    /** Counts changes: whoever draws rows reads it. */
    readonly version = signal(0);
    readonly total = signal<number | undefined>(undefined);
    readonly isLoading = signal(false);
    private pages = new Map<number, readonly R[]>();
    private fresh = new Set<number>(); // pages of this generation
    private coming = new Map<number, AbortController>();
    private generation = 0;
    private isNewQuestion = true;
    private seen: [first: number, last: number] = [0, 0];
    private timer: number | undefined;
    private callOff = () => undefined as void; // what waits until somebody looks
    private tookMs = 0;
    private isHeld = false;
    private isDue = false; // what was held up

    constructor(
        private load: Load<R>,
        readonly key: (row: R) => string,
    ) {}

    row(index: number): R | undefined {
        return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
    }

    /** Where the row is now, if it is among those that have come. */
    indexOf(key: string): number | undefined {
        for (const [page, rows] of [...this.pages].reverse()) { // the newest answer counts
            const at = rows.findIndex((row) => this.key(row) === key);
            if (at >= 0) return page * PAGE + at;
        }
        return undefined;
    }

    /** Those that have come, in their order. */
    here(): R[] {
        return [...this.pages].sort(([a], [b]) => a - b).flatMap(([, rows]) => rows);
    }

    /** Another question: other rows, from the beginning. */
    ask(load: Load<R>): void {
        this.load = load;
        this.isNewQuestion = true;
        this.again();
    }

    /** The same question; soon, and not too often. */
    refresh(): void {
        this.timer ??= window.setTimeout(() => {
            this.timer = undefined;
            this.callOff();
            this.callOff = onceSeen(() => (this.isHeld ? (this.isDue = true) : this.again()));
        }, Math.max(REFRESH_MS, REST_FACTOR * this.tookMs));
    }

    stop(): void {
        clearTimeout(this.timer);
        this.timer = undefined;
        this.callOff();
        for (const one of this.coming.values()) one.abort();
        this.coming.clear();
    }

    /** These rows are on the screen, both ends included. */
    want(first: number, last: number): void {
        this.seen = [first, last];
        const pages = this.pagesSeen();
        for (const [page, stop] of this.coming) {
            if (pages.includes(page)) continue;
            stop.abort();
            this.coming.delete(page);
        }
        for (const page of pages) if (!this.fresh.has(page) && !this.coming.has(page)) void this.fetch(page);
    }

    /** The keys of rows first to last, fetched where they are not there. */
    async keys(first: number, last: number): Promise<string[]> {
        const found: string[] = [];
        let all = true;
        for (let i = first; i <= last && all; i++) {
            const row = this.row(i);
            if (row === undefined) all = false;
            else found.push(this.key(row));
        }
        return all ? found : (await this.read(first, last - first + 1)).map(this.key);
    }

    /** So many rows from the first on, also of those that nobody looks at. */
    async read(first: number, count: number): Promise<R[]> {
        const found: R[] = [];
        while (count > 0) {
            const { rows } = await this.load(first, Math.min(count, RANGE_PAGE), new AbortController().signal);
            if (rows.length === 0) break;
            found.push(...rows);
            first += rows.length;
            count -= rows.length;
        }
        return found;
    }

    /** For as long as somebody types in one of them they stay as they are. */
    hold(isHeld: boolean): void {
        this.isHeld = isHeld;
        if (isHeld || !this.isDue) return;
        this.isDue = false;
        this.refresh();
    }

    private pagesSeen(): number[] {
        const [first, last] = this.seen;
        const pages: number[] = [];
        for (let p = Math.floor(Math.max(first, 0) / PAGE); p <= Math.floor(last / PAGE); p++) pages.push(p);
        return pages;
    }

    private again(): void {
        this.stop();
        this.generation++;
        this.fresh.clear();
        if (this.isNewQuestion) this.seen = [0, Math.max(this.seen[1] - this.seen[0], 0)];
        this.want(...this.seen);
    }

    private async fetch(page: number): Promise<void> {
        const stop = new AbortController();
        const { generation } = this;
        this.coming.set(page, stop);
        this.isLoading.value = true;
        const began = performance.now();
        try {
            const answer = await this.load(page * PAGE, PAGE, stop.signal);
            this.tookMs = performance.now() - began;
            if (generation === this.generation) this.take(page, answer);
        } catch (e) {
            if (!isAbort(e)) sayError(e);
        } finally {
            if (this.coming.get(page) === stop) this.coming.delete(page);
            this.isLoading.value = this.coming.size > 0;
        }
    }

    private take(page: number, answer: Answer<R>): void {
        if (this.isNewQuestion) this.pages.clear();
        this.isNewQuestion = false;
        this.pages.delete(page); // the newest stands last
        this.pages.set(page, answer.rows);
        this.fresh.add(page);
        for (const old of this.pages.keys()) {
            if (this.pages.size <= PAGES_KEPT) break;
            this.pages.delete(old);
            this.fresh.delete(old);
        }
        this.total.value = answer.total;
        this.version.value++;
    }
}

/** Rows that are all here: sorted by what compare says, or as they come. */
export function loadFrom<R>(all: readonly R[], compare?: (a: R, b: R) => number): Load<R> {
    const sorted = compare ? [...all].sort(compare) : all;
    return (offset, limit) => Promise.resolve({ total: sorted.length, rows: sorted.slice(offset, offset + limit) });
}
