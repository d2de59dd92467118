// What the agent says: the catalogue that this person sees, the tasks, how far they are; and what can be asked of it. The agent decides.
import { computed, effect, signal } from "@preact/signals";
import { ApiError, call, errorText, isAbort, link, newest } from "../api";
import { say, sayError } from "../components/toasts";
import { language, pair, programLanguage, t, type Text } from "../i18n";
import { pref } from "../prefs";
import { place, setQuery } from "../router";
import { followStream } from "../stream";

export interface Package {
    package: string;
    version: string;
    name: string;
    description: string;
    description_fr: string;
    categories: string;
    editor: string;
    licence: string;
    homepage: string;
    depends: string;
    conflicts: string;
    signer: string;
    signature_date: string;
    size: string;
    icon: string;
    installed: string; // the version; "": it is not
    install_status: string;
    upgradable: boolean;
    may_install: boolean;
    may_remove: boolean;
}

interface Catalogue {
    total: number;
    counts: { all: number; installed: number; not_installed: number; upgradable: number };
    categories: { name: string; count: number }[];
    packages: Package[];
}

export interface Task {
    id: number;
    kind: string;
    state: "queued" | "running" | "done";
    code: string;
    message: string;
    packages: string[];
    progress: number;
}

export interface State {
    version: string;
    language: string;
    user: string;
    logo: string; // base64 of a PNG; "": none
}

export type Filter = "" | "installed" | "not-installed" | "upgradable";

export const state = signal<State | undefined>(undefined);
export const catalogue = signal<Catalogue | undefined>(undefined);
export const catalogueError = signal("");
export const tasks = signal<readonly Task[]>([]);
/** The service is not there, or was stopped. */
export const agentAway = signal(false);
export const agentStopped = signal(false);
export const sort = pref<"name" | "date">("sort", "name");

export const filter = computed(() => (place.value.query.get("list") ?? "") as Filter);
export const category = computed(() => place.value.query.get("category") ?? "");
export const search = computed(() => place.value.query.get("search") ?? "");

export function titleOf(p: Package): string {
    return p.name || p.package;
}

export function describe(p: Package): string {
    return (language.value === "fr" && p.description_fr) || p.description;
}

// --- the catalogue ---

const PAGE = 48;
const PAGE_MAX = 480; // the agent gives 500 at once
const TYPING_MS = 150; // each answer costs the agent a look at all that is offered
let asked: AbortController | undefined;
const shown = signal(PAGE); // how many are wanted

/** Reads it anew: as many as are shown. */
export async function refresh(): Promise<void> {
    asked?.abort();
    const mine = new AbortController();
    asked = mine;
    const what = { filter: filter.value, category: category.value, search: search.value, sort: sort.value };
    try {
        const all = await call<Catalogue>("POST", "/local/catalogue", { ...what, page: 0, page_size: Math.min(shown.value, PAGE_MAX) }, mine.signal);
        for (let page = 1; page * PAGE_MAX < shown.value && page * PAGE_MAX < all.total; page++)
            all.packages.push(...(await call<Catalogue>("POST", "/local/catalogue", { ...what, page, page_size: PAGE_MAX }, mine.signal)).packages);
        if (asked !== mine) return;
        catalogue.value = all;
        catalogueError.value = "";
    } catch (e) {
        if (!isAbort(e) && asked === mine) catalogueError.value = errorText(e);
    }
}

export function showMore(): void {
    shown.value += shown.value < PAGE_MAX ? Math.min(shown.value, PAGE_MAX - shown.value) : PAGE_MAX;
    void refresh();
}

/** Another question begins with the first page. */
export function look(changes: { list?: Filter; category?: string; search?: string }): void {
    shown.value = PAGE;
    setQuery(changes);
}

// --- tasks ---

const ENDED: Record<string, Text> = { install: "{name} is installed.", remove: "{name} is removed.", upgrade: "All is up to date.", update: "The catalogue is up to date." };
/** What this page has asked for, until it is done: what it is called. */
const mine = new Map<number, { op: string; name: string }>();

export const active = computed(() => tasks.value.filter((one) => one.state !== "done").toReversed());

/** The task that is about this package, or about all. */
export function taskOf(p: Package): Task | undefined {
    return active.value.find((one) => one.packages.includes(p.package) || (one.kind === "upgrade" && one.packages.length === 0 && p.upgradable));
}

export function nameOf(task: Task): string {
    const known = mine.get(task.id)?.name;
    if (known) return known;
    return task.packages.map((name) => catalogue.value?.packages.find((p) => p.package === name)?.name || name).join(", ");
}

function tellEnd(task: Task) {
    const asked = mine.get(task.id);
    if (!asked) return;
    mine.delete(task.id);
    if (task.code === "ok") say(t(ENDED[asked.op] ?? "Done.", { name: asked.name }));
    else if (task.code === "cancelled") say(t("{name}: cancelled.", { name: asked.name }));
    else sayError(new Error(pair(asked.name, task.message || t("it failed. An administrator of this machine can see why."))));
}

const takeTasks = newest((all: readonly Task[]) => {
    tasks.value = all;
    for (const task of all) if (task.state === "done") tellEnd(task);
});

async function refreshTasks(): Promise<void> {
    try {
        await takeTasks(call<Task[]>("POST", "/local/tasks", {}));
    } catch (e) {
        sayError(e);
    }
}

// --- asking for something ---

export interface Wish {
    op: "install" | "remove" | "upgrade" | "update";
    packages?: readonly string[];
    name: string; // as a person reads it
}

/** The agent asks for the password before it does this; why: what it says to the last one. */
export const passwordFor = signal<{ wish: Wish; why: string } | undefined>(undefined);

/** Throws what the agent says, but that a password is needed. */
async function send(wish: Wish, password: string): Promise<void> {
    const body = { op: wish.op, ...(wish.packages ? { packages: wish.packages } : {}), ...(password ? { password } : {}) };
    const { task } = await call<{ task: number }>("POST", "/local/do", body);
    mine.set(task, { op: wish.op, name: wish.name });
    await refreshTasks();
}

export async function wishFor(wish: Wish, password = ""): Promise<void> {
    try {
        await send(wish, password);
        passwordFor.value = undefined;
    } catch (e) {
        if (e instanceof ApiError && e.code === "password") passwordFor.value = { wish, why: password ? e.message : "" };
        else if (password && passwordFor.value) passwordFor.value = { wish, why: errorText(e) };
        else sayError(e);
    }
}

export function cancel(task: Task): void {
    call("POST", "/local/do", { op: "cancel", task: task.id }).then(refreshTasks, sayError);
}

/** The password is asked for again before the next change. */
export function lock(): void {
    call("POST", "/local/do", { op: "lock" }).then(() => say(t("Your password will be asked for again.")), sayError);
}

// --- what happens ---

interface AgentEvent {
    event: string;
    state?: string;
    id?: number;
    percent?: number;
}

function hear(e: AgentEvent) {
    if (e.event === "agent") {
        agentAway.value = e.state !== "there";
        if (!agentAway.value) void Promise.all([refresh(), refreshTasks()]);
    } else if (e.event === "service") agentStopped.value = e.state === "stopped";
    else if (e.event === "progress") tasks.value = tasks.value.map((one) => (one.id === e.id && e.percent !== undefined ? { ...one, progress: e.percent } : one));
    else if (e.event === "task") {
        void refreshTasks();
        if (e.state === "done") void refresh();
    } else if (e.event === "missed") void Promise.all([refresh(), refreshTasks()]);
}

function take(message: string) {
    if (!message.startsWith("data: ")) return;
    try {
        hear(JSON.parse(message.slice("data: ".length)) as AgentEvent);
    } catch {
        void refreshTasks();
    }
}

export async function refreshState(): Promise<void> {
    try {
        state.value = await call<State>("GET", "/local/state");
        programLanguage.value = state.value.language;
    } catch {
        // link says what is wrong
    }
}

/** From now on; what is shown follows the address and the order. */
export function follow(): void {
    let timer: number | undefined;
    effect(() => {
        void [filter.value, category.value, search.value, sort.value];
        clearTimeout(timer);
        timer = window.setTimeout(() => void refresh(), catalogue.peek() ? TYPING_MS : 0);
    });
    effect(() => {
        if (link.value === "ended") return undefined;
        const stop = new AbortController();
        void followStream(() => "/local/events", take, refreshState, stop.signal);
        return () => stop.abort();
    });
}
