// A state as colour, sign and word: never by colour alone.
export type Tone = "ok" | "warn" | "bad" | "busy" | "none";

const SIGNS: Record<Tone, string> = { ok: "✓", warn: "!", bad: "✕", busy: "…", none: "–" };
const TONES: Record<string, Tone> = {
    OK: "ok",
    done: "ok",
    installed: "ok",
    "TO-UPGRADE": "warn",
    "NEED-UPGRADE": "warn",
    WARNING: "warn",
    expired: "warn",
    postponed: "warn",
    cancelled: "warn",
    ERROR: "bad",
    failed: "bad",
    refused: "bad",
    RETRY: "busy",
    RUNNING: "busy",
    sent: "busy",
    delivered: "busy",
    queued: "busy",
    waiting: "busy",
    running: "busy",
};

export function toneOf(state: string): Tone {
    return TONES[state] ?? "none";
}

export function Status({ tone, text }: { tone: Tone; text: string }) {
    return (
        <span class={`status status-${tone}`}>
            <span aria-hidden="true">{SIGNS[tone]}</span>
            {text}
        </span>
    );
}
