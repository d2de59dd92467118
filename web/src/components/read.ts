// What the server says at one path, for a page that shows it.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, call } from "../api";
import { epoch } from "../local";
import { sayError } from "./toasts";

function useAnswer<T>(path: string, version: number, take: (found: T) => void, failed: (e: unknown) => void): void {
    useEffect(() => {
        const stop = new AbortController();
        call<T>("GET", path, undefined, stop.signal).then(take, failed);
        return () => stop.abort();
    }, [path, version, epoch.value]);
}

/** Read again when version changes, and when the server is back. undefined: not yet. */
export function useRead<T>(path: string, version: number): T | undefined {
    const found = useSignal<T | undefined>(undefined);
    useAnswer<T>(path, version, (all) => (found.value = all), sayError);
    return found.value;
}

/** The same of something that may not be there, or no more: "gone". */
export function useOne<T>(path: string, version: number): T | "gone" | undefined {
    const found = useSignal<T | "gone" | undefined>(undefined);
    useAnswer<T>(path, version, (one) => (found.value = one), (e) => (e instanceof ApiError && e.status === 404 ? (found.value = "gone") : sayError(e)));
    return found.value;
}
