// What the server says at one path, for a page that shows it.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call } from "../api";
import { epoch } from "../local";
import { sayError } from "./toasts";

/** Read again when version changes, and when the server is back. undefined: not yet. */
export function useRead<T>(path: string, version: number): T | undefined {
    const found = useSignal<T | undefined>(undefined);
    useEffect(() => {
        const stop = new AbortController();
        call<T>("GET", path, undefined, stop.signal).then((all) => (found.value = all), sayError);
        return () => stop.abort();
    }, [path, version, epoch.value]);
    return found.value;
}
