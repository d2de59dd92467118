// The state of the local program: the server behind it, who is logged in, which keys there are.
import { computed, signal } from "@preact/signals";
import { apiPath, call, link, onServer401, serverGone } from "./api";
import { language, programLanguage } from "./i18n";

export interface Key {
    id: string;
    name: string;
    subject: string;
    fingerprint: string;
    issuers?: string[]; // fingerprints: machines may trust one of them for this key
    source: "pem" | "pkcs11";
    unlocked_until: number; // s since 1970; 0: locked
    can_sign_code: boolean;
    can_log_in: boolean; // by TLS
    not_after: number;
}

/** How one can log in at the server. */
export interface Ways {
    password: boolean;
    kerberos: boolean;
    oidc: boolean;
    certificate: boolean;
}

export interface LocalState {
    version: string;
    language: string;
    server: { url: string; state: "connected" | "login" | "pin" | "unreachable"; user: string; roles: string[]; rights?: string; second_factor?: boolean; lacks_second_factor?: boolean; journal?: string | null; login?: "kerberos" | null; message: string; ways?: Ways };
    keys: Key[];
    confirm: { method: "pinentry" | "terminal" | "none"; above_hosts: number };
    repositories?: string[]; // that packages may be imported from
    publishes?: boolean; // the root of the repository is known: its list is signed here
    idle_s: number;
}

export const local = signal<LocalState | undefined>(undefined);
export const isConnected = computed(() => link.value === "open" && local.value?.server.state === "connected" && serverGone.value === "");
/** Whether the person may: a name of the server's list of rights. For what is offered only; the server judges. */
export function may(right: string): boolean {
    return (local.value?.server.rights ?? "").split(",").includes(right);
}
/** Whether passwords of keys and confirmations are asked for in a window of the desktop's. */
export const asksOutside = computed(() => local.value?.confirm.method === "pinentry");
/** Counts how often the server came back: who shows something of it reads it again. */
export const epoch = signal(0);

const AGAIN_MS = 3000;
let timer: number | undefined;
let asking: Promise<void> | undefined;

async function ask(first?: Promise<void>): Promise<void> {
    const was = isConnected.value;
    try {
        const [state] = await Promise.all([call<LocalState>("GET", "/local/state"), first]);
        local.value = state;
        programLanguage.value = state.language;
    } catch {
        // link says what is wrong
    }
    if (serverGone.value && local.value?.server.state === "connected") await call("GET", apiPath(["hosts"], { limit: 1 })).catch(() => undefined);
    clearTimeout(timer);
    if (link.value === "away" || local.value?.server.state === "unreachable" || serverGone.value) timer = window.setTimeout(() => void refreshState(), AGAIN_MS);
    if (!was && isConnected.value) epoch.value++;
}

function begin(first?: Promise<void>): Promise<void> {
    asking ??= ask(first).finally(() => {
        asking = undefined;
    });
    return asking;
}

/** Reads the state anew; one question at a time. */
export function refreshState(): Promise<void> {
    return begin();
}

/** The same, not shown before something else is done. */
export function refreshStateAfter(first: Promise<void>): Promise<void> {
    return begin(first);
}

onServer401(() => void refreshState());
function askSoon() {
    clearTimeout(timer);
    timer = window.setTimeout(() => void refreshState(), AGAIN_MS);
}
link.subscribe((now) => {
    if (now === "away") askSoon();
});
serverGone.subscribe((why) => {
    if (why) askSoon();
});
language.subscribe(() => {
    if (local.value?.server.message) void refreshState(); // it is in the language of before
});
document.addEventListener("visibilitychange", () => {
    if (!document.hidden && link.value !== "ended" && link.value !== "starting") void refreshState();
});
