// Pages that nobody looks at read nothing anew: what has changed meanwhile they read when somebody does.

/** Now, or as soon as the page is looked at; what it gives calls that off. */
export function onceSeen(run: () => void): () => void {
    if (!document.hidden) {
        run();
        return () => undefined;
    }
    const stop = new AbortController();
    const changed = () => {
        if (document.hidden) return;
        stop.abort();
        run();
    };
    document.addEventListener("visibilitychange", changed, { signal: stop.signal });
    return () => stop.abort();
}
