// One machine, as it describes itself, by section. Everything here is what it says: any member may be missing, or of another kind.
import { apiPath, call } from "../api";
import { plain } from "../format";
import type { Host } from "./hosts_model";

export type Json = unknown;
export type Members = Record<string, Json>;

/** One that is there, or that an upgrade would bring. */
export interface HostPackage {
    package: string;
    version: string; // "": it is not there
    /** OK, ERROR; where an upgrade would change it MISSING, TO-UPGRADE, or TO-CHANGE: again, or away. */
    status: string;
    due: string; // the version that an upgrade would bring; "": none
    installedAt: number;
    isExplicit: boolean;
    output: string;
    audit: string;
    auditedAt: number;
    auditOutput: string;
    nextAudit: number;
    signer: string;
    description: string;
    repo: string;
}

export interface InstalledSoftware {
    key: string;
    name: string;
    version: string;
    publisher: string;
    date: string;
    id: string; // the key by which it is known there
    place: string;
    removal: string; // the command
    isSystem: boolean;
}

export interface HistoryEvent {
    seq: number;
    at: number;
    event: string;
    package: string;
    version: string;
    was: string;
    status: string;
}

export function members(v: Json): Members {
    return typeof v === "object" && v !== null && !Array.isArray(v) ? (v as Members) : {};
}

export function list(v: Json): readonly Json[] {
    return Array.isArray(v) ? (v as Json[]) : [];
}

function seconds(v: Json): number {
    return typeof v === "number" && Number.isFinite(v) ? v : 0;
}

/** "tis-a(=1.2-3)": by name, the version. */
function dueOf(sections: Members): Map<string, string> {
    const texts = list(members(sections.last_update_status).upgrades).map(plain);
    return new Map(texts.map((text) => [text.split("(")[0]?.trim() ?? "", /\(\s*=?\s*([^)]*)\)/.exec(text)?.[1]?.trim() ?? ""]));
}

const NOT_THERE = { version: "", status: "MISSING", installedAt: 0, isExplicit: false, output: "", audit: "", auditedAt: 0, auditOutput: "", nextAudit: 0, signer: "", description: "", repo: "" };

/** What is there, then what is missing. */
export function packagesOf(sections: Members): HostPackage[] {
    const due = dueOf(sections);
    const there = list(sections.installed_packages).map((one) => {
        const p = members(one);
        const name = plain(p.package);
        const version = plain(p.version);
        const wanted = due.get(name);
        const status = plain(p.install_status);
        due.delete(name);
        return {
            package: name,
            version,
            status: wanted === undefined || status === "ERROR" ? status : wanted === version ? "TO-CHANGE" : "TO-UPGRADE",
            due: wanted ?? "",
            installedAt: seconds(p.install_date),
            isExplicit: p.explicit === true,
            output: plain(p.install_output),
            audit: plain(p.last_audit_status),
            auditedAt: seconds(p.last_audit_on),
            auditOutput: plain(p.last_audit_output),
            nextAudit: seconds(p.next_audit_on),
            signer: plain(p.signer),
            description: plain(p.description),
            repo: plain(p.repo),
        };
    });
    return [...there, ...[...due].map(([name, version]) => ({ ...NOT_THERE, package: name, due: version }))];
}

export function softwareOf(sections: Members): InstalledSoftware[] {
    return list(sections.installed_softwares).map((one, i) => {
        const s = members(one);
        return {
            key: `${i} ${plain(s.key)}`,
            name: plain(s.name),
            version: plain(s.version),
            publisher: plain(s.publisher),
            date: plain(s.install_date),
            id: plain(s.key),
            place: plain(s.install_location),
            removal: plain(s.uninstall_string),
            isSystem: s.system_component === 1 || s.system_component === true,
        };
    });
}

const SAYING_SO = 1000; // machines that say this identifier somewhere, too

/** Its row of the list: what the server itself knows of it. */
export async function hostRow(uuid: string, stop?: AbortSignal): Promise<Host | undefined> {
    const found = await call<{ hosts: Host[] }>("GET", apiPath(["hosts"], { search: uuid, limit: SAYING_SO }), undefined, stop);
    return found.hosts.find((h) => h.uuid === uuid);
}

export function hostSections(uuid: string, stop?: AbortSignal): Promise<Members> {
    return call<Members>("GET", apiPath(["hosts", uuid]), undefined, stop);
}

const HISTORY_PAGE = 1000;

/** What became of its packages, the newest first; the server keeps a bounded number for each machine. */
export async function hostHistory(uuid: string, stop: AbortSignal): Promise<HistoryEvent[]> {
    const found: HistoryEvent[] = [];
    let after: string | undefined;
    do {
        const page = await call<{ events: HistoryEvent[]; next?: string }>("GET", apiPath(["hosts", uuid, "history"], { after, limit: HISTORY_PAGE }), undefined, stop);
        found.push(...page.events);
        after = page.next;
    } while (after);
    return found;
}
