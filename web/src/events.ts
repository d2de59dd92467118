// The server's live events: one stream for the page, read by fetch (EventSource could not send the token), taken up where it broke off.
import { effect } from "@preact/signals";
import { isAbort, send } from "./api";
import { isConnected, refreshState } from "./local";

export interface ServerEvent {
    id: number;
    at: number;
    kind: "host" | "action" | "package" | "rollout" | "person";
    what: string; // "many": read the list again
    uuid?: string;
    name?: string;
    state?: string;
}
/** undefined: something was missed, read the lists again. */
type Listener = (event: ServerEvent | undefined) => void;

const listeners = new Set<Listener>();
const FIRST_MS = 500;
const LONGEST_MS = 15_000;
let last = "";

export function onEvents(listener: Listener): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

function tell(event: ServerEvent | undefined) {
    for (const listener of listeners) listener(event);
}

/** One message of the stream: lines of "name: value". */
function take(message: string) {
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

async function read(stop: AbortSignal): Promise<void> {
    const answer = await send("GET", `/api/v1/events${last ? `?after=${encodeURIComponent(last)}` : ""}`, undefined, stop);
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    while (reader) {
        const { done, value } = await reader.read();
        if (done) return;
        const parts = (rest + value.replaceAll("\r", "")).split("\n\n");
        rest = parts.pop() ?? "";
        parts.forEach(take);
    }
}

async function follow(stop: AbortSignal): Promise<void> {
    let wait = FIRST_MS;
    while (!stop.aborted) {
        const began = Date.now();
        try {
            await read(stop);
        } catch (e) {
            if (isAbort(e)) return;
        }
        if (stop.aborted) return;
        if (Date.now() - began > LONGEST_MS) wait = FIRST_MS;
        await new Promise((resolve) => setTimeout(resolve, wait));
        wait = Math.min(wait * 2, LONGEST_MS);
        await refreshState();
    }
}

/** From now on, whenever the server is there. */
export function followEvents(): void {
    effect(() => {
        if (!isConnected.value) return undefined;
        const stop = new AbortController();
        void follow(stop.signal);
        return () => stop.abort();
    });
}
