// Shortcuts: one table for the whole page, so that the help on "?" shows all that there are.
import { signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import type { Text } from "./i18n";
import { pref } from "./prefs";

export interface Shortcut {
    keys: string; // "Ctrl+K", "/", "g h": one after the other
    what: Text;
    run: () => void;
}

/** Whether keys without Ctrl are shortcuts: who speaks to the computer, or hits keys by mistake, can have that off. */
export const singleKeys = pref("keys.single", true);
export const shortcuts = signal<readonly Shortcut[]>([]);
const SECOND_KEY_MS = 3000;
let first = "";
let firstAt = 0;

/** Until the function that it returns is called. */
function addShortcuts(added: readonly Shortcut[]): () => void {
    shortcuts.value = [...shortcuts.value, ...added];
    return () => {
        shortcuts.value = shortcuts.value.filter((one) => !added.includes(one));
    };
}

/** For as long as the component is shown; before the next key. */
export function useShortcuts(make: () => readonly Shortcut[]): void {
    useLayoutEffect(() => addShortcuts(make()), []);
}

function isTyping(target: EventTarget | null): boolean {
    return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function pressed(e: KeyboardEvent): string {
    const key = e.key.length === 1 ? (e.ctrlKey || e.metaKey ? e.key.toUpperCase() : e.key) : e.key;
    return (e.ctrlKey || e.metaKey ? "Ctrl+" : "") + (e.altKey ? "Alt+" : "") + key;
}

document.addEventListener("keydown", (e) => {
    if (e.defaultPrevented || e.isComposing) return;
    const key = pressed(e);
    const isPlain = !key.startsWith("Ctrl+");
    if ((isPlain && (isTyping(e.target) || !singleKeys.value)) || document.querySelector("dialog[open]")) return;
    const both = e.timeStamp - firstAt < SECOND_KEY_MS ? `${first} ${key}` : key;
    const found = shortcuts.value.findLast((one) => one.keys === both) ?? shortcuts.value.findLast((one) => one.keys === key);
    first = isPlain ? key : "";
    firstAt = e.timeStamp; // when it was pressed: a slow page hears of it later
    if (!found) return;
    e.preventDefault();
    first = "";
    found.run();
});
