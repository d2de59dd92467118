// Ctrl+K: goes to a page or a machine, or does what the page offers; found by any part of its words.
import { signal, useSignal } from "@preact/signals";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { apiPath, call } from "../api";
import { t } from "../i18n";
import { isConnected, may } from "../local";
import { pages } from "../pages";
import { navigate } from "../router";

export interface Command {
    id: string;
    title: string;
    hint?: string;
    run: () => void;
}

/** Whether it is shown. */
export const paletteOpen = signal(false);
const offered = signal<readonly (() => readonly Command[])[]>([]);
const WAIT_MS = 120;
const HOSTS = 8;

/** What a page offers for as long as it is shown: as it is then, not as it was when the page came. */
export function useCommands(make: () => readonly Command[]): void {
    const now = useRef(make);
    now.current = make;
    useEffect(() => {
        const mine = () => now.current();
        offered.value = [...offered.value, mine];
        return () => {
            offered.value = offered.value.filter((one) => one !== mine);
        };
    }, []);
}

/** As far as the palette shows it. */
interface Found {
    uuid: string;
    name: string;
    fqdn: string;
    serial?: string;
    users?: string;
    ips?: string;
    description?: string;
    model?: string;
}

/** What stands for the machine's having been found, where that is not its name. */
function foundBy(h: Found, search: string): string {
    const words = search.toLowerCase().split(/\s+/);
    const has = (text: string | undefined) => text !== undefined && words.some((word) => text.toLowerCase().includes(word));
    return has(h.name) || has(h.fqdn) ? "" : ([h.serial, h.users, h.ips, h.description, h.model].find(has) ?? "");
}

function fits(command: Command, words: readonly string[]): boolean {
    const text = command.title.toLowerCase();
    return words.every((word) => text.includes(word));
}

function Palette({ more }: { more: readonly Command[] }) {
    const id = useId();
    const text = useSignal("");
    const at = useSignal(0);
    const hosts = useSignal<readonly Command[]>([]);
    const isEntered = useRef(false); // before anything was found
    const ref = useRef<HTMLDialogElement>(null);
    useLayoutEffect(() => {
        const before = document.activeElement;
        const dialog = ref.current;
        dialog?.showModal(); // before the next key, which is typed here
        return () => {
            dialog?.close();
            if (before instanceof HTMLElement) before.focus();
        };
    }, []);
    const close = () => {
        paletteOpen.value = false;
    };
    const search = text.value.trim();
    useLayoutEffect(() => {
        hosts.value = [];
        if (search.length < 2 || !isConnected.value) return undefined;
        const stop = new AbortController();
        const timer = setTimeout(() => {
            call<{ hosts: Found[] }>("GET", apiPath(["hosts"], { search, limit: HOSTS }), undefined, stop.signal).then(
                (found) => {
                    hosts.value = found.hosts.map((h) => ({ id: h.uuid, title: h.name || h.fqdn || h.uuid, hint: foundBy(h, search) || t("Machine"), run: () => navigate(`/hosts/${encodeURIComponent(h.uuid)}`) }));
                    if (isEntered.current) run(hosts.value[0]);
                },
                () => undefined,
            );
        }, WAIT_MS);
        return () => {
            clearTimeout(timer);
            stop.abort();
        };
    }, [search]);
    const words = search.toLowerCase().split(/\s+/);
    const places: Command[] = pages.filter((p) => p.nav && (!p.nav.right || may(p.nav.right))).map((p) => ({ id: p.path, title: t(p.title), hint: t("Page"), run: () => navigate(p.path) }));
    const found = [...[...offered.value.flatMap((make) => make()), ...places, ...more].filter((c) => fits(c, words)), ...hosts.value];
    const chosen = Math.min(at.value, Math.max(found.length - 1, 0));
    const run = (command: Command | undefined) => {
        if (!command) return;
        close();
        setTimeout(command.run); // after the focus has gone back
    };
    const key = (e: KeyboardEvent) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
        if (step !== undefined) at.value = (chosen + step + found.length) % Math.max(found.length, 1);
        else if (e.key === "Enter" && found.length > 0) run(found[chosen]);
        else if (e.key === "Enter") isEntered.current = true;
        else return;
        e.preventDefault();
    };
    useEffect(() => document.getElementById(`${id}-${chosen}`)?.scrollIntoView({ block: "nearest" }), [chosen]);
    return (
        <dialog
            ref={ref}
            class="palette"
            aria-label={t("Go to, or do")}
            onCancel={(e) => {
                e.preventDefault();
                close();
            }}
            onClose={() => ref.current && close()}
            onClick={(e) => e.target === ref.current && close()}
        >
            <input
                type="text"
                role="combobox"
                aria-expanded="true"
                aria-controls={`${id}-list`}
                aria-activedescendant={found.length > 0 ? `${id}-${chosen}` : undefined}
                aria-label={t("Go to, or do")}
                placeholder={t("A page, a machine, something to do")}
                spellcheck={false}
                value={text.value}
                onInput={(e) => {
                    text.value = e.currentTarget.value;
                    at.value = 0;
                    isEntered.current = false;
                }}
                onKeyDown={key}
            />
            <ul id={`${id}-list`} role="listbox" aria-label={t("Found")}>
                {found.map((command, i) => (
                    <li key={command.id} id={`${id}-${i}`} role="option" aria-selected={i === chosen} onClick={() => run(command)}>
                        <span>{command.title}</span>
                        {command.hint && <span class="muted">{command.hint}</span>}
                    </li>
                ))}
            </ul>
        </dialog>
    );
}

export function PaletteHost({ more }: { more: readonly Command[] }) {
    return paletteOpen.value ? <Palette more={more} /> : null;
}
