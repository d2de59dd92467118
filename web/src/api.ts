// Calls to the local program, and through it to the server. The page holds two secrets, in sessionStorage so that a reload works: the session's
// token, no cookie, nothing that another site's page could send; and the program's proof, which comes with each of its answers. When the program
// has ended, its port may be another user's: what he answers is none, and he gets nothing that somebody types.
import { signal } from "@preact/signals";
import { isLanguageKnown, language, t } from "./i18n";

const TOKEN = "wapt.token";
const PROOF = "wapt.proof";
const SESSION = "/local/session";

/** ended: the program no longer knows us, and must be opened again. away: it does not answer. */
export const link = signal<"starting" | "open" | "away" | "ended">("starting");

/** Why the server can't be reached through the program, since a call of its API failed so; "": it can. */
export const serverGone = signal("");

/** What went wrong, as the program or the server says it. */
export class ApiError extends Error {
    constructor(
        readonly status: number,
        readonly code: string,
        message: string,
    ) {
        super(message);
    }
}

let token = sessionStorage.getItem(TOKEN) ?? "";
let proof = sessionStorage.getItem(PROOF) ?? "";

/** The text of anything that was thrown. */
export function errorText(e: unknown): string {
    return e instanceof Error ? e.message : String(e);
}

export function isAbort(e: unknown): boolean {
    return e instanceof DOMException && e.name === "AbortError";
}

async function failure(answer: Response): Promise<ApiError> {
    try {
        const said = (await answer.json()) as { error?: { code?: unknown; message?: unknown } };
        return new ApiError(answer.status, String(said.error?.code ?? "failed"), String(said.error?.message ?? answer.statusText));
    } catch {
        return new ApiError(answer.status, "failed", `${answer.status} ${answer.statusText}`);
    }
}

/** One request with the token, and the program's own answer, in the page's language once that is known. */
async function ask(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    let answer: Response;
    const isBytes = body instanceof Blob;
    try {
        answer = await fetch(path, {
            method,
            cache: "no-store",
            credentials: "omit",
            redirect: "error",
            headers: { Authorization: `Bearer ${token}`, "Accept-Language": isLanguageKnown.value ? language.value : "*", ...(body === undefined || isBytes ? {} : { "Content-Type": "application/json" }) },
            ...(body === undefined ? {} : { body: isBytes ? body : JSON.stringify(body) }),
            ...(signal ? { signal } : {}),
        });
    } catch (e) {
        if (!isAbort(e) && link.value === "open") link.value = "away";
        throw isAbort(e) ? e : new ApiError(0, "away", errorText(e));
    }
    if (answer.headers.get("Wapt-Proof") !== proof) {
        if (answer.status === 401 && link.value !== "starting") forgetSession(); // the token is void: nobody is told more than that
        else if (link.value === "open") link.value = "away";
        throw new ApiError(answer.status, "away", t("Something else answers in place of the console."));
    }
    if (link.value === "away") link.value = "open";
    return answer;
}

/** One request with the token. Throws ApiError unless the status is 2xx; away and ended are noted in link. */
export async function send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    // What is told may be a password: only to who has just proved that it is the program.
    if (method !== "GET" && link.value !== "starting") await settle(await ask("GET", SESSION, undefined, signal), SESSION);
    return settle(await ask(method, path, body, signal), path);
}

/** Of the program's own answer. */
async function settle(answer: Response, path: string): Promise<Response> {
    const isServers = path.startsWith("/api/");
    if (answer.ok) {
        if (isServers) serverGone.value = "";
        return answer;
    }
    const failed = await failure(answer);
    if (isServers && (failed.code === "unreachable" || failed.code === "timeout")) serverGone.value = failed.message;
    if (failed.code === "login") serverSaid401();
    throw failed;
}

function forgetSession(): void {
    sessionStorage.removeItem(TOKEN);
    sessionStorage.removeItem(PROOF);
    token = proof = "";
    link.value = "ended";
}

let serverSaid401: () => void = () => undefined;
/** What is to be done when the server's session is over. */
export function onServer401(what: () => void): void {
    serverSaid401 = what;
}

export async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const answer = await send(method, path, body, signal);
    return (answer.status === 204 ? {} : await answer.json()) as T;
}

/** Of several calls at a time: what an answer says is not taken when that of a later call has come before it. */
export function newest<T>(take: (answer: T) => void): (call: Promise<T>) => Promise<void> {
    let last = 0;
    let taken = 0;
    return async (call) => {
        const mine = ++last;
        const answer = await call;
        if (mine < taken) return;
        taken = mine;
        take(answer);
    };
}

/** "/api/v1/" and the path's parts, each escaped, with those parameters that are not empty. */
export function apiPath(parts: readonly string[], params: Record<string, string | number | undefined> = {}): string {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(params)) if (value !== undefined && value !== "") query.set(name, String(value));
    const text = query.toString();
    return `/api/v1/${parts.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/** Has the browser save it. */
export function saveFile(bytes: Blob, name: string): void {
    const url = URL.createObjectURL(bytes);
    const a = document.createElement("a");
    a.href = url;
    a.download = name;
    a.click();
    URL.revokeObjectURL(url);
}

/** The rest of a list as CSV, saved as a file. */
export async function download(path: string, name: string): Promise<void> {
    saveFile(await (await send("GET", path)).blob(), name);
}

function takeTicket(): { ticket: string; answer: string } {
    const given = new URLSearchParams(location.hash.slice(1));
    if (location.hash) history.replaceState(null, "", location.pathname + location.search);
    return { ticket: given.get("ticket") ?? "", answer: given.get("answer") ?? "" };
}

/** The ticket of the address, which works once, becomes the token; by the answer of the address the program proves that it gave both. */
export async function openSession(): Promise<void> {
    const { ticket, answer } = takeTicket();
    if (ticket && answer) {
        const kept = proof;
        try {
            proof = answer;
            const made = await call<{ token: string; proof: string }>("POST", SESSION, { ticket });
            ({ token, proof } = made);
            sessionStorage.setItem(TOKEN, token);
            sessionStorage.setItem(PROOF, proof);
        } catch {
            proof = kept;
        }
    }
    if (!token) link.value = "ended";
    else if (link.value === "starting") link.value = "open";
}
