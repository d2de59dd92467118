// The server's live events: one stream for the page, taken up where it broke off.
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { isConnected, refreshState } from "./local";
import { onceSeen } from "./seen";
import { followStream } from "./stream";

export interface ServerEvent {
    id: number;
    at: number;
    kind: "host" | "action" | "package" | "rollout" | "person" | "queue";
    what: string; // "many": read the list again
    uuid?: string;
    name?: string;
    state?: string;
}
/** undefined: something was missed, read the lists again. */
type Listener = (event: ServerEvent | undefined) => void;

const listeners = new Set<Listener>();
let last = "";
let hasBegun = false;
let isUnsure = false; // a stream that follows on one which told nothing: from where on, nobody knows

export function onEvents(listener: Listener): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

const SOON_MS = 600;

/** For as long as the component is shown: runs soon after what is meant has happened, once for all of it that came meanwhile. waitMs: how soon. */
export function useEvents(isMeant: (event: ServerEvent) => boolean, run: () => void, waitMs = () => SOON_MS): void {
    const now = useRef({ isMeant, run, waitMs });
    now.current = { isMeant, run, waitMs };
    useEffect(() => {
        let timer: number | undefined;
        let callOff = () => undefined as void;
        const soon = () => {
            timer = undefined;
            callOff();
            callOff = onceSeen(() => now.current.run());
        };
        const forget = onEvents((event) => {
            if (event === undefined || now.current.isMeant(event)) timer ??= window.setTimeout(soon, now.current.waitMs());
        });
        return () => {
            forget();
            clearTimeout(timer);
            callOff();
        };
    }, []);
}

function tell(event: ServerEvent | undefined) {
    for (const listener of listeners) listener(event);
}

/** One message of the stream: lines of "name: value". */
function take(message: string) {
    if (isUnsure) tell(undefined);
    isUnsure = false;
    let name = "";
    let data = "";
    for (const line of message.split("\n")) {
        const colon = line.indexOf(":");
        const value = line.slice(colon + 1).trimStart();
        if (line.startsWith("id:")) last = value;
        else if (line.startsWith("event:")) name = value;
        else if (line.startsWith("data:")) data += value;
    }
    if (name === "reload") tell(undefined);
    else if (name === "end") void refreshState();
    else if (data) {
        try {
            tell(JSON.parse(data) as ServerEvent);
        } catch {
            tell(undefined);
        }
    }
}

/** From now on, whenever the server is there. */
export function followEvents(): void {
    effect(() => {
        if (!isConnected.value) return undefined;
        const stop = new AbortController();
        const path = () => {
            isUnsure = hasBegun && !last;
            hasBegun = true;
            return `/api/v1/events${last ? `?after=${encodeURIComponent(last)}` : ""}`;
        };
        void followStream(path, take, refreshState, stop.signal);
        return () => stop.abort();
    });
}
