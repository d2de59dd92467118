// Where the page is: a path and its query, by the History API.
import { signal } from "@preact/signals";

export interface Place {
    path: string;
    query: URLSearchParams;
}

function here(): Place {
    return { path: location.pathname, query: new URLSearchParams(location.search) };
}

export const place = signal<Place>(here());

addEventListener("popstate", () => {
    place.value = here();
});

/** What the page that is shown is about; "": what its row of pages.ts says. */
export const subject = signal("");

/** to: a path of ours, perhaps with a query. replace: without a step back to where we are. */
export function navigate(to: string, replace = false): void {
    if (to === location.pathname + location.search) return;
    if (replace) history.replaceState(null, "", to);
    else history.pushState(null, "", to);
    place.value = here();
}

/** Changes parameters of the query where we are; "" takes one away. */
export function setQuery(changes: Record<string, string>, replace = true): void {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
        if (value === "") query.delete(name);
        else query.set(name, value);
    }
    const text = query.toString();
    navigate(location.pathname + (text ? `?${text}` : ""), replace);
}

/** "/hosts/:uuid" against a path: what stands for each name, or undefined. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
    const wanted = pattern.split("/");
    const parts = path.split("/");
    const found: Record<string, string> = {};
    if (wanted.length !== parts.length) return undefined;
    for (const [i, want] of wanted.entries()) {
        const part = parts[i] ?? "";
        if (want.startsWith(":")) {
            try {
                found[want.slice(1)] = decodeURIComponent(part);
            } catch {
                return undefined;
            }
        } else if (want !== part) return undefined;
    }
    return found;
}
