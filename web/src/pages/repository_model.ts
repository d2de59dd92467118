// The server's packages: all of them, read page by page, and what follows from the list alone.
import { apiPath, call, send } from "../api";

export interface Package {
    package: string;
    version: string;
    architecture: string;
    section: string;
    maturity: string;
    locale: string;
    target_os: string;
    name: string;
    description: string;
    depends: string;
    conflicts: string;
    packages_held?: string;
    maintenance_windows?: string;
    freeze_periods?: string;
    signer: string;
    signer_fingerprint: string;
    signature_date: string;
    file: string;
    size: number;
    is_newest: boolean;
    package_uuid?: string;
}

const PAGE = 2000; // at most what the server gives at once
const OWN_SHOWN = 8; // machines by name
export const POLICY = ["group", "unit", "profile", "host", "selfservice"];

export async function loadPackages(stop?: AbortSignal): Promise<Package[]> {
    const all: Package[] = [];
    for (;;) {
        const answer = await call<{ packages: Package[] }>("GET", apiPath(["packages"], { limit: PAGE, offset: all.length, sort: "package" }), undefined, stop);
        all.push(...answer.packages);
        if (answer.packages.length < PAGE) return all;
    }
}

/** Its icon, as a data: address; "": it has none. */
export async function loadIcon(p: Package, stop: AbortSignal): Promise<string> {
    if (!p.package_uuid) return "";
    try {
        const icon = await (await send("GET", `/local/icons/${encodeURIComponent(p.package_uuid)}.png`, undefined, stop)).blob();
        return await new Promise((resolve, reject) => {
            const reader = new FileReader();
            reader.onload = () => resolve(String(reader.result));
            reader.onerror = reject;
            reader.readAsDataURL(icon);
        });
    } catch {
        return "";
    }
}

export function packagePath(name: string): string {
    return `/package?name=${encodeURIComponent(name)}`;
}

/** "a(>=2), b" as names. */
function namesOf(list: string): string[] {
    return list
        .split(",")
        .map((item) => item.replace(/\(.*$/, "").trim())
        .filter(Boolean);
}

/** Who names it among what it needs. */
export function dependants(all: readonly Package[], name: string): Package[] {
    return all.filter((p) => namesOf(p.depends).includes(name));
}

/** The names of which nothing stays if these files go. */
export function goneWith(all: readonly Package[], files: ReadonlySet<string>): Set<string> {
    const stays = new Set(all.filter((p) => !files.has(p.file)).map((p) => p.package));
    return new Set(all.filter((p) => files.has(p.file) && !stays.has(p.package)).map((p) => p.package));
}

/** Who would lack something if these files went: nothing else of that name stays. */
export function breaks(all: readonly Package[], files: ReadonlySet<string>): { needed: string; by: string }[] {
    const gone = goneWith(all, files);
    const found = new Map<string, { needed: string; by: string }>();
    for (const p of all) {
        if (files.has(p.file)) continue;
        for (const name of namesOf(p.depends)) if (gone.has(name)) found.set(`${name} ${p.package}`, { needed: name, by: p.package });
    }
    return [...found.values()];
}

/** How many machines have it, as they say; range: "=1.2-3", "<1.2-3". */
export async function countHosts(name: string, range = "", stop?: AbortSignal): Promise<number> {
    const answer = await call<{ total: number }>("GET", apiPath(["hosts"], { limit: 1, package: name, package_version: range }), undefined, stop);
    return answer.total;
}

export interface Own {
    needed: string;
    total: number;
    names: readonly string[]; // the first of them
}

/** The machines whose own packages need it, as the server verified these at their upload. */
export async function ownNeeds(needed: string): Promise<Own> {
    const answer = await call<{ total: number; hosts: readonly { name: string }[] }>("GET", apiPath(["hosts"], { limit: OWN_SHOWN, group: needed, sort: "name" }));
    return { needed, total: answer.total, names: answer.hosts.map((h) => h.name) };
}

/** s since 1970, of "2026-01-01T00:00:00Z" and of what WAPT wrote: "20260101T000000"; 0: of neither. */
export function signedAt(p: Package): number {
    return Date.parse(p.signature_date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)/, "$1-$2-$3T$4:$5:")) / 1000 || 0;
}

export function maturityText(p: Package): string {
    return p.maturity || "PROD";
}
