// A list that is paged by places ("next", "after") for a table that asks by numbers of rows: the places that were passed are remembered.
import type { Answer, Load } from "./rows";

const SKIP_MAX = 10_000; // rows that are passed over at once: the server's cap

export function byPlaces<R>(ask: (limit: number, after: string | undefined, stop: AbortSignal) => Promise<Answer<R> & { next?: string | undefined }>): Load<R> {
    const places = new Map<number, string | undefined>([[0, undefined]]);
    return async (offset, limit, stop) => {
        let at = Math.max(...[...places.keys()].filter((place) => place <= offset));
        while (at < offset) {
            const skip = Math.min(offset - at, SKIP_MAX);
            const passed = await ask(skip, places.get(at), stop);
            if (!passed.next) return { total: passed.total, rows: [] };
            at += skip;
            places.set(at, passed.next);
        }
        const page = await ask(limit, places.get(offset), stop);
        if (page.next) places.set(offset + limit, page.next);
        return page;
    };
}
