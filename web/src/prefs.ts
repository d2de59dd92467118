// What a person has chosen: columns, views, theme, language. The program's port changes with each start, and with it the browser's
// storage: the program keeps it (/local/prefs); the browser's copy is for a program that has no such call.
import { effect, signal, type Signal } from "@preact/signals";
import { call } from "./api";

type Json = unknown;
const KEY = "wapt.prefs";
const UNSAVED = "wapt.prefs.unsaved"; // the program has not heard of the last choice
const WAIT_MS = 500;

let kept: Record<string, Json> = {};
const given = new Map<string, { value: Signal<Json>; fallback: Json }>();
let timer: number | undefined;
let isLoading = false;

try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, Json>;
} catch {
    kept = {};
}

function save() {
    try {
        localStorage.setItem(KEY, JSON.stringify(kept));
        localStorage.setItem(UNSAVED, "1");
    } catch {
        // a browser that keeps nothing
    }
    clearTimeout(timer);
    timer = window.setTimeout(() => void tell(), WAIT_MS);
}

async function tell(): Promise<void> {
    const told = kept;
    try {
        await call("PUT", "/local/prefs", told);
        if (told === kept) localStorage.removeItem(UNSAVED);
    } catch {
        // it is told with the next choice, or when the page is opened again
    }
}

/** A value that lasts. The same signal for the same name; fallback must be of the type that is kept. */
export function pref<T>(name: string, fallback: T): Signal<T> {
    const known = given.get(name);
    if (known) return known.value as Signal<T>;
    const value = signal<T>((kept[name] as T | undefined) ?? fallback);
    given.set(name, { value: value as Signal<Json>, fallback });
    let isFirst = true;
    effect(() => {
        const now = value.value;
        if (isFirst) isFirst = false;
        else if (!isLoading && kept[name] !== now) {
            kept = { ...kept, [name]: now };
            save();
        }
    });
    return value;
}

function showKept(): void {
    isLoading = true;
    for (const [name, { value, fallback }] of given) value.value = kept[name] ?? fallback;
    isLoading = false;
}

// Another tab has told the program what was chosen there: this one would tell it the old again.
addEventListener("storage", (e) => {
    if (e.key !== KEY || !e.newValue) return;
    kept = JSON.parse(e.newValue) as Record<string, Json>;
    showKept();
});

/** Once, after the program has let the page in. */
export async function loadPrefs(): Promise<void> {
    try {
        const theirs = await call<Record<string, Json>>("GET", "/local/prefs");
        if (localStorage.getItem(UNSAVED)) {
            kept = { ...theirs, ...kept }; // the page was left before they heard of it
            save();
        } else kept = { ...kept, ...theirs };
    } catch {
        return;
    }
    showKept();
}
