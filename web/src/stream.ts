// A stream of messages, read by fetch: EventSource could not send the token.
import { isAbort, send } from "./api";

const FIRST_MS = 500;
const LONGEST_MS = 15_000;
const MESSAGE_MAX = 1 << 20; // signs of one message

async function read(path: string, take: (message: string) => void, stop: AbortSignal): Promise<void> {
    const answer = await send("GET", path, undefined, stop);
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    while (reader) {
        const { done, value } = await reader.read();
        if (done) return;
        const parts = (rest + value.replaceAll("\r", "")).split("\n\n");
        rest = parts.pop() ?? "";
        parts.forEach(take);
        if (rest.length > MESSAGE_MAX) return void reader.cancel();
    }
}

/** Until it is stopped: whenever the stream ends, after a while, and broken(), it is asked for again. take: one message, lines of "name: value". */
export async function followStream(path: () => string, take: (message: string) => void, broken: () => Promise<void>, stop: AbortSignal): Promise<void> {
    let wait = FIRST_MS;
    while (!stop.aborted) {
        const began = Date.now();
        try {
            await read(path(), take, stop);
        } catch (e) {
            if (isAbort(e)) return;
        }
        if (stop.aborted) return;
        if (Date.now() - began > LONGEST_MS) wait = FIRST_MS;
        await new Promise((resolve) => setTimeout(resolve, wait));
        if (stop.aborted) return;
        wait = Math.min(wait * 2, LONGEST_MS);
        await broken();
    }
}
