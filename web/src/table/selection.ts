// Which rows are selected: some by their keys, or all that match but some.
import { signal } from "@preact/signals";

export class Selection {
    /** Counts changes: whoever shows the selection reads it. */
    readonly version = signal(0);
    private isAll = false;
    private some = new Set<string>(); // selected; where isAll: not selected
    private queue: Promise<unknown> = Promise.resolve();
    private waiting = 0; // changes
    private round = 0; // what was asked for in one before has no effect any more

    get all(): boolean {
        return this.isAll;
    }

    has(key: string): boolean {
        return this.some.has(key) !== this.isAll;
    }

    count(total: number): number {
        return this.isAll ? Math.max(total - this.some.size, 0) : this.some.size;
    }

    /** Those that are selected one by one. */
    named(): string[] {
        return this.isAll ? [] : [...this.some];
    }

    toggle(key: string): void {
        if (!this.some.delete(key)) this.some.add(key);
        this.version.value++;
    }

    set(keys: readonly string[], on: boolean): void {
        for (const key of keys) {
            if (on === this.isAll) this.some.delete(key);
            else this.some.add(key);
        }
        this.version.value++;
    }

    only(keys: readonly string[]): void {
        this.isAll = false;
        this.some = new Set(keys);
        this.version.value++;
    }

    /** Keys that must be read first: changes come one after the other, as they were asked for. */
    async later(read: Promise<readonly string[]>, change: (keys: readonly string[]) => unknown): Promise<void> {
        const { round } = this;
        const turn = Promise.allSettled([read, this.queue]);
        this.queue = turn;
        this.waiting++;
        await turn;
        this.waiting--;
        const keys = await read;
        if (round === this.round) change(keys);
    }

    selectAll(): void {
        this.round++;
        this.isAll = true;
        this.some = new Set();
        this.version.value++;
    }

    /** Whether there was anything, or about to be. */
    clear(): boolean {
        if (!this.isAll && this.some.size === 0 && this.waiting === 0) return false;
        this.round++;
        this.isAll = false;
        this.some = new Set();
        this.version.value++;
        return true;
    }

    /** The keys. everything: gives all that match, where "all" was chosen. */
    async keys(everything: () => Promise<readonly string[]>): Promise<string[]> {
        if (!this.isAll) return [...this.some];
        return (await everything()).filter((key) => !this.some.has(key));
    }
}
