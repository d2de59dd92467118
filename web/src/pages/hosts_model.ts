// The list of machines: what a row has, the columns, and how the address becomes a question to the server.
import { apiPath, call } from "../api";
import type { Tone } from "../components/status";
import { ago, dateTime, number } from "../format";
import { language, t, type Text } from "../i18n";
import type { Column } from "../table/columns";
import type { Load } from "../table/rows";
import { fields, FIELDS_MAX, fieldTitle, setField } from "./hosts_fields";
import { POLICY_FILTERS, signerName, frozenText, waitsText, windowText } from "./hosts_policy";

/** As the server lists a machine. All texts are what the machine says of itself. */
export interface Host {
    uuid: string;
    name: string;
    fqdn: string;
    os: string;
    status: string;
    audit?: string;
    description?: string;
    ips?: string;
    users?: string;
    manufacturer?: string;
    model?: string;
    serial?: string;
    agent?: string;
    domain?: string;
    site?: string;
    unit?: string;
    groups?: readonly string[];
    errors?: number;
    upgrades?: number;
    windows?: string;
    window_begin?: number;
    window_end?: number;
    frozen_until?: number;
    waits_for?: string;
    held?: readonly string[];
    orderers?: readonly string[];
    root_version?: number;
    macs?: string;
    last_user?: string;
    dn?: string;
    repositories?: string;
    registration?: string;
    values?: readonly string[]; // of the paths that were asked for
    fields?: Readonly<Record<string, string>>; // the same by its path
    reachable: boolean;
    last_seen: number;
    registered_at: number;
}

export function hostPath(uuid: string): string {
    return `/hosts/${encodeURIComponent(uuid)}`;
}

/** Filters by an exact text that the server counts (host-facets), in the order of the dialog. */
export const FACETS: readonly (readonly [name: string, title: Text])[] = [
    ["group", "Group"],
    ["unit", "Organisational unit"],
    ["os", "System"],
    ["site", "Site"],
    ["domain", "Domain"],
    ["manufacturer", "Manufacturer"],
    ["model", "Model"],
    ["agent", "Agent"],
    ["audit", "Audit"],
];
/** Filters by what the inventory has. */
export const INVENTORY: readonly (readonly [name: string, title: Text, hint: Text])[] = [
    ["software", "Software", "a part of its name, or a pattern with * and ?"],
    ["software_version", "Version of the software", "like >=115,<116"],
    ["package", "Package", "its name, or a pattern with * and ?"],
    ["package_version", "Version of the package", "like <1.2-3"],
    ["package_status", "State of the package", "like ERROR"],
    ["hardware", "Hardware", "a part of what it says, or field:part"],
];
/** Filters that may be meant the other way round: "not" in the address has their names. Those of when and whether a machine is here have their own opposites. */
const TURNABLE = ["search", "status", ...POLICY_FILTERS.filter((name) => name !== "no_orderer"), ...FACETS.map(([name]) => name), "software", "package", "hardware"];
/** In what is searched while one types: each is a filter; "in" in the address says which. */
export const SCOPES: readonly (readonly [name: string, title: Text, hint: Text])[] = [
    ["search", "Machines", "Name, user, serial number..."],
    ["hardware", "Hardware", "a part of what it says, or field:part"],
    ["software", "Software", "a part of its name, or a pattern with * and ?"],
    ["package", "Packages", "a part of its name, or a pattern with * and ?"],
];
const PLAIN = ["status", "reachable", ...POLICY_FILTERS, ...FACETS.map(([name]) => name), ...INVENTORY.map(([name]) => name)];
/** All that narrows the list; each a parameter of the address. */
export const FILTERS = ["search", "unseen", "not", "in", ...PLAIN];
const DAY_S = 86_400;

export function isTurnable(name: string): boolean {
    return TURNABLE.includes(name);
}

export function scopeOf(query: URLSearchParams): string {
    const wanted = query.get("in");
    return SCOPES.find(([name]) => name === wanted)?.[0] ?? "search";
}

/** What was typed as the filter has it: a package's filter is a whole name or a pattern. */
export function filterOf(scope: string, typed: string): string {
    return scope !== "package" || typed === "" || /[*?]/.test(typed) ? typed : `*${typed}*`;
}

/** And the other way. */
export function typedOf(scope: string, filter: string): string {
    return scope === "package" ? (/^\*([^*?]+)\*$/.exec(filter)?.[1] ?? filter) : filter;
}

/** The filters that are set and meant the other way round. */
export function turnedOf(query: URLSearchParams): readonly string[] {
    const names = (query.get("not") ?? "").split(",");
    return TURNABLE.filter((name) => names.includes(name) && query.get(name));
}

/** The same as the server wants it. "unseen" are days. */
export function params(query: URLSearchParams): Record<string, string> {
    const found: Record<string, string> = {};
    for (const name of ["search", ...PLAIN]) {
        const value = query.get(name);
        if (value) found[name] = value;
    }
    const turned = turnedOf(query);
    if (turned.length > 0) found.not = turned.join(",");
    const days = Number(query.get("unseen"));
    if (days > 0) found.seen_before = String(Math.floor(Date.now() / 1000 - days * DAY_S));
    return found;
}

/** Members of a row that these columns show. */
export function fieldsOf(columns: readonly Column<Host>[]): string {
    return [...new Set(columns.flatMap((c) => c.needs ?? [c.id]))].sort().join(",");
}

/** Paths of the inventory that these columns show. */
export function pathsOf(columns: readonly Column<Host>[]): string {
    return [...new Set(columns.flatMap((c) => c.path ?? []))].slice(0, FIELDS_MAX).join(",");
}

/** fields: the members that are wanted; "": all. paths: of the inventory, besides. */
export function loadHosts(asked: Record<string, string>, sort: string, fields: string, paths = ""): Load<Host> {
    const names = paths ? paths.split(",") : [];
    return async (offset, limit, stop) => {
        const path = apiPath(["hosts"], { ...asked, sort, fields, columns: paths, offset, limit });
        const { total, hosts } = await call<{ total: number; hosts: Host[] }>("GET", path, undefined, stop);
        return { total, rows: names.length === 0 ? hosts : hosts.map((h) => ({ ...h, fields: Object.fromEntries(names.map((name, i) => [name, h.values?.[i] ?? ""])) })) };
    };
}

const PAGE = 10_000; // the server's cap

/** The identifiers of all that match, page by page. */
export async function allUuids(asked: Record<string, string>): Promise<string[]> {
    const found: string[] = [];
    let after: string | undefined;
    do {
        const path = apiPath(["hosts"], { ...asked, sort: "uuid", fields: "uuid", limit: PAGE, after });
        const page = await call<{ hosts: Host[]; next?: string }>("GET", path);
        for (const h of page.hosts) found.push(h.uuid);
        after = page.next;
    } while (after);
    return found;
}

export function statusText(status: string): string {
    const known: Record<string, Text> = { OK: "Up to date", "TO-UPGRADE": "To upgrade", ERROR: "Error", WARNING: "Warning" };
    const text = known[status];
    return text ? t(text) : status;
}

/** Of a package on a machine. */
const STATES: Readonly<Record<string, readonly [title: Text, tone: Tone]>> = {
    OK: ["installed", "ok"],
    ERROR: ["Error", "bad"],
    MISSING: ["missing", "warn"],
    "TO-UPGRADE": ["To upgrade", "warn"],
    "TO-CHANGE": ["again, or away", "warn"],
};

export function stateText(state: string): string {
    const text = STATES[state] ? t(STATES[state][0]) : state;
    return text.charAt(0).toLocaleUpperCase(language.value) + text.slice(1);
}

export function stateTone(state: string): Tone {
    return STATES[state]?.[1] ?? "none";
}

function registrationText(by: string): string {
    const known: Record<string, Text> = { token: "a token", administrator: "an administrator", ticket: "a Kerberos ticket", key: "its key" };
    const text = known[by];
    return text ? t(text) : by;
}

function count(n: number | undefined): string {
    return n ? number(n) : "";
}

function column(id: keyof Host & string, title: Text, width: number, more: Partial<Column<Host>> = {}): Column<Host> {
    return { id, title, width, text: (h) => String(h[id] ?? ""), sort: id, ...more };
}

/** By which the list can't be sorted. */
function fieldColumn(path: string, more: Partial<Column<Host>>): Column<Host> {
    return { id: `field:${path}`, title: "Field of the inventory", width: 150, grows: 420, path, needs: [], text: (h) => h.fields?.[path] ?? "", ...more };
}

/** Those that were chosen in a machine's tree. */
export function chosenColumns(): Column<Host>[] {
    return fields.value.map((path) => fieldColumn(path, { heading: fieldTitle(path), remove: () => setField(path, false) }));
}

/** The columns without those that draw something (hosts.tsx). */
export const TEXT_COLUMNS: readonly Column<Host>[] = [
    column("description", "Description", 150, { grows: 420 }),
    column("os", "System", 190, { grows: 340 }),
    column("model", "Model", 150, { grows: 260 }),
    column("users", "User", 110, { grows: 220 }),
    column("ips", "Address", 125, { grows: 240 }),
    { id: "groups", title: "Groups", width: 160, grows: 420, text: (h) => (h.groups ?? []).join(", ") },
    column("window_begin", "Next window", 170, { isHidden: true, needs: ["window_begin", "window_end", "frozen_until"], text: windowText }),
    column("windows", "Maintenance windows", 190, { grows: 320, isHidden: true }),
    column("frozen_until", "Frozen until", 170, { isHidden: true, text: frozenText }),
    column("waits_for", "Waits for", 150, { grows: 240, isHidden: true, text: (h) => waitsText(h.waits_for ?? "") }),
    { id: "held", title: "Holds", width: 170, grows: 400, isHidden: true, text: (h) => (h.held ?? []).join(", ") },
    { id: "orderers", title: "Takes orders of", width: 170, grows: 360, isHidden: true, text: (h) => (h.orderers ?? []).map(signerName).join(", ") },
    column("root_version", "Root", 70, { isHidden: true, align: "end", text: (h) => count(h.root_version) }),
    column("unit", "Organisational unit", 200, { grows: 460, isHidden: true }),
    column("site", "Site", 120, { grows: 220, isHidden: true }),
    column("domain", "Domain", 140, { grows: 240, isHidden: true }),
    fieldColumn("host_info.domain_controller_address", { title: "Domain controller", isHidden: true }),
    column("manufacturer", "Manufacturer", 140, { grows: 220, isHidden: true }),
    column("serial", "Serial number", 140, { grows: 220, isHidden: true }),
    column("agent", "Agent", 100, { grows: 160, isHidden: true }),
    column("fqdn", "Full name", 220, { grows: 340, isHidden: true }),
    column("macs", "Network cards", 170, { grows: 300, isHidden: true }),
    column("last_user", "Last logged in", 130, { grows: 240, isHidden: true }),
    column("dn", "Name in the directory", 260, { grows: 520, isHidden: true }),
    column("repositories", "Repositories", 220, { grows: 420, isHidden: true }),
    column("registration", "Registered by", 130, { grows: 200, isHidden: true, text: (h) => registrationText(h.registration ?? "") }),
    column("uuid", "Identifier", 290, { grows: 310, isHidden: true }),
    column("registered_at", "Registered", 140, { isHidden: true, text: (h) => dateTime(h.registered_at) }),
];

/** How many packages failed, and how many an upgrade would change. */
export const COUNT_COLUMNS: readonly Column<Host>[] = [
    column("errors", "Errors", 76, { align: "end", text: (h) => count(h.errors) }),
    column("upgrades", "To upgrade", 138, { align: "end", text: (h) => count(h.upgrades) }),
];

export const SEEN_COLUMN: Column<Host> = {
    id: "last_seen",
    title: "Last seen",
    width: 110,
    sort: "last_seen",
    text: (h) => ago(h.last_seen),
};
