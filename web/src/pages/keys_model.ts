// Certificates and the root of the repository, as the local program tells them.
import { signal } from "@preact/signals";
import { apiPath, call, errorText, saveFile } from "../api";
import { isUnlocked } from "../components/keyring";
import { day } from "../format";
import { t, type Text } from "../i18n";
import { local } from "../local";

export const PASSWORD_MIN = 8; // of a key, as the program has it

export interface Certificate {
    id?: string; // of a key that is here
    name: string;
    subject: string;
    issuer: string;
    self_issued: boolean;
    fingerprint: string;
    kind: string;
    not_after: number;
    is_authority: boolean;
    can_sign_code: boolean;
    trusted?: boolean;
    source?: "pem" | "pkcs11";
    problem: "soon" | "expired" | null;
    pem: string;
}
export interface Certificates {
    folder: string | null;
    trusted_folder: string | null;
    problem: string | null;
    keys: readonly Certificate[];
    others: readonly Certificate[];
    pending: readonly string[]; // names of keys that wait for a certificate
}

export type Change = "same" | "new" | "changed" | "removed" | null;
export interface Administrator {
    name: string;
    fingerprint: string;
    not_after: number;
    signed: boolean;
    change: Change;
}
export const LISTS = ["sections", "prefixes", "actions", "groups", "units"] as const;
export type List = (typeof LISTS)[number];
export type Rights = Record<List, readonly string[]> & { code: boolean; publish: boolean };
export type Signer = Rights & { name: string; fingerprint: string; not_after: number; change: Change };
export interface Root {
    repository: string;
    version: number;
    issued: number;
    expires: number;
    threshold: number;
    published_days: number;
    timestamp_hours: number;
    timestamp_keys: number;
    timestamp_key_ids: readonly string[];
    administrators: readonly Administrator[];
    signers: readonly Signer[];
}
export interface RootState {
    problem: string | null;
    is_none?: boolean; // there is none yet, as the server says
    root?: Root;
    list?: { version: number; expires: number; packages: number; revoked: readonly string[] } | null;
    list_problem?: string | null;
}

export const certificates = signal<Certificates | undefined>(undefined);
export const rootState = signal<RootState | undefined>(undefined);
/** Fingerprints of those whose packages and orders the server takes. */
export const taken = signal<ReadonlySet<string>>(new Set());

/** Reads all anew; what can't be read is told in its place. */
export async function readKeys(): Promise<void> {
    const root = call<RootState>("GET", "/local/root").then((r) => (rootState.value = r), (e) => (rootState.value = { problem: errorText(e) }));
    const signers = call<{ signers: { fingerprint: string }[] }>("GET", apiPath(["signers"])).then((r) => (taken.value = new Set(r.signers.map((s) => s.fingerprint))), () => undefined);
    certificates.value = await call<Certificates>("GET", "/local/certificates");
    await Promise.all([root, signers]);
}

export const short = (fingerprint: string) => fingerprint.slice(0, 16);

/** What a certificate of this fingerprint is in the root: administrator, signer, or nothing. */
export function placeInRoot(fingerprint: string): string {
    const root = rootState.value?.root;
    const places: Text[] = [];
    if (root?.administrators.some((a) => a.fingerprint === fingerprint)) places.push("administrator");
    if (root?.signers.some((s) => s.fingerprint === fingerprint)) places.push("signer");
    return places.map((p) => t(p)).join(", ");
}

export function may(c: Certificate): string {
    const rights: Text[] = [];
    if (c.is_authority) rights.push("issue certificates");
    if (c.can_sign_code) rights.push("sign code");
    return rights.length > 0 ? rights.map((r) => t(r)).join(", ") : t("sign orders and plain packages");
}

/** What is to be done about a certificate that ends, or has. */
export function nextStep(c: Certificate): string {
    if (c.is_authority) return t("{name} ends on {day}. Make its successor now and give it to the machines while both count.", { name: c.name, day: day(c.not_after) });
    return t("{name} ends on {day}. Make the next one, have the root name it, and sign anew what this one signed.", { name: c.name, day: day(c.not_after) });
}

export function nameOf(fingerprint: string): string {
    const root = rootState.value?.root;
    const all = [...(certificates.value?.keys ?? []), ...(certificates.value?.others ?? []), ...(root?.signers ?? []), ...(root?.administrators ?? [])];
    return all.find((c) => c.fingerprint === fingerprint)?.name ?? t("unknown");
}

/** The person's keys that may issue certificates. */
export function authorities(): readonly Certificate[] {
    return (certificates.value?.keys ?? []).filter((c) => c.is_authority && local.value?.keys.some((k) => k.id === c.id));
}

/** Which of the person's keys fits, as a member of what is to be signed: one that is unlocked already, else the first. */
export function keyOf(fits: (fingerprint: string) => boolean): { key?: string } {
    const fitting = (local.value?.keys ?? []).filter((k) => fits(k.fingerprint));
    const [first] = [...fitting.filter(isUnlocked), ...fitting];
    return first ? { key: first.id } : {};
}

export const isAdministrator = (fingerprint: string) => rootState.value?.root?.administrators.some((a) => a.fingerprint === fingerprint) === true;
export const mayPublish = (fingerprint: string) => rootState.value?.root?.signers.some((s) => s.fingerprint === fingerprint && s.publish) === true;

export function save(text: string, name: string, type: string): void {
    saveFile(new Blob([text], { type }), name);
}
