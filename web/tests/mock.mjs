// A local program that is not there: speaks the contract of docs/console.md with machines that it makes up, and fails when it is told to.
// For faults that a real one can't be made to have, and for developing pages; what the console really does is tests/web's to show.
//   node mock.mjs DIST [MACHINES [PORT]]   prints the address
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import path from "node:path";

const PROOF = "0".repeat(64); // that the answer is the program's
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain" };
export const CSP =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const now = () => Math.floor(Date.now() / 1000);

const PLAN = { rings: [{ machines: ["1", "2"] }, { members_of: ["grp-lyon"], percent: 10 }, { percent: 100 }], promote: "auto", success_percent: 95, min_count: 5, min_time_s: 86_400, error_percent: 10, error_count: 3, windows: "mon-fri 19:00-06:00" };
const rollout = (id, name, state, reason, more) => ({ id, name, action: "install", state, reason, owner: "admin", signer: "Deployer", ring: 1, open: true, not_before: now() - 86_400, not_after: now() + 86_400 * 6, created: now() - 86_400, updated: now() - 600, ...more });
const ROLLOUTS = () => [
    rollout("a".repeat(32), "Firefox 140", "halted", "4 of 31 machines failed", { order: { rollout: { signed: JSON.stringify({ action: "install", packages: ["tis-firefox(=140.0-1)"] }) } }, plan: PLAN, counts: [{ ring: 0, states: { done: 2 } }, { ring: 1, states: { done: 25, failed: 4, queued: 12 } }] }),
    rollout("b".repeat(32), "LibreOffice 26.2", "running", "", { ring: 0, plan: PLAN, counts: [{ ring: 0, states: { done: 1, running: 1, postponed: 2 } }] }),
    rollout("c".repeat(32), "7-Zip", "ended", "", { ring: 2, plan: PLAN, counts: [] }),
];
const person = (name, role, more) => ({ name, role, origin: "local", disabled: false, limited: false, second_factor: true, needs_second_factor: true, last_login: now() - 3600, perimeter: null, ...more });
const PEOPLE = () => [person("admin", "superadmin"), person("anna", "deployer", { limited: true, perimeter: { groups: ["grp-lyon"], profiles: [], units: ["OU=paris_DC=example_DC=org"] } }), person("ben", "helpdesk", { origin: "directory", second_factor: false, last_login: 0 }), person("carl", "readonly", { disabled: true })];
const REPORTS = () => [
    { name: "machines by system", about: "How many machines run what", query: "SELECT os, count(*) AS machines FROM hosts GROUP BY os", author: "admin", changed_at: now() - 86_400 },
    { name: "seen by day", about: "Machines and errors, day by day", query: "SELECT date(at, 'unixepoch') AS day, count(*) AS events FROM history GROUP BY 1", author: "anna", changed_at: now() - 7200 },
];
function reportRows(name) {
    if (name === "seen by day") return { columns: ["day", "events", "failures"], rows: Array.from({ length: 30 }, (_, i) => [`2026-10-${String(i + 1).padStart(2, "0")}`, 100 + ((i * 37) % 50), (i * 7) % 13]), is_cut: false };
    return { columns: ["os", "machines"], rows: SYSTEMS.map((os, i) => [os, 120 - 25 * i]), is_cut: false };
}
const hook = (id, url, more) => ({ id, url, kinds: "", created: now() - 86_400 * 40, by: "admin", disabled: false, failed_since: 0, last_at: now() - 90, last_result: "status 200", missed: 0, waiting: 0, ...more });
const HOOKS = () => [hook("1", "https://chat.example.org/hooks/wapt", { kinds: "action,rollout" }), hook("2", "https://siem.example.org/ingest/v2/wapt", { failed_since: now() - 5000, last_result: "connection refused", waiting: 240 }), hook("3", "https://old.example.org/", { disabled: true, failed_since: now() - 86_400 * 9, last_result: "status 404", missed: 8120 })];
const ENTRIES = 420;
const entry = (seq) => ({ seq, at: now() - (ENTRIES - seq) * 700, digest: seq.toString(16).padStart(64, "0"), entry: JSON.stringify({ act: ["login", "action.ordered", "package.published", "host.registered"][seq % 4], user: seq % 3 ? "admin" : "anna", peer: "192.0.2.7", count: seq % 9 }) });

const certificate = (name, more) => ({ name, subject: `CN=${name},O=Example`, issuer: "CN=Authority,O=Example", self_issued: false, fingerprint: Buffer.from(name.padEnd(32, ".")).toString("hex"), kind: "RSA 3072", not_before: now() - 86_400 * 300, not_after: now() + 86_400 * 700, is_authority: false, can_sign_code: true, problem: null, pem: `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`, ...more });
const AUTHORITY = certificate("Authority", { id: "k2", is_authority: true, can_sign_code: false, self_issued: true, trusted: true, source: "pem" });
const OWN = [certificate("Deployer", { id: "k1", can_sign_code: false, trusted: false, source: "pem", not_after: now() + 86_400 * 20, problem: "soon" }), AUTHORITY];
const signerOf = (c, more) => ({ name: c.name, fingerprint: c.fingerprint, not_after: c.not_after, code: c.can_sign_code, publish: false, sections: ["*"], prefixes: ["acme-"], actions: ["update", "upgrade"], groups: ["grp-lyon", "grp-nantes"], units: [], change: null, ...more });
export const ROOT = () => ({
    problem: null,
    is_none: false,
    root: { repository: "ab".repeat(16), version: 7, issued: now() - 86_400 * 60, expires: now() + 86_400 * 305, threshold: 2, published_days: 30, timestamp_hours: 24, timestamp_keys: 1, timestamp_key_ids: [certificate("this server").fingerprint], administrators: ["Alice", "Bob", "Carol"].map((n) => ({ name: n, fingerprint: certificate(n).fingerprint, not_after: now() + 86_400 * 400, signed: n !== "Carol", change: null })), signers: [signerOf(certificate("Alice"), { publish: true, prefixes: ["*"], groups: ["*"] }), signerOf(OWN[0]), signerOf(certificate("Developer"))] },
    list: { version: 41, issued: now() - 3600, expires: now() + 86_400 * 6, packages: 112, revoked: [certificate("Mallory").fingerprint] },
    list_problem: null,
});
const HIT = { packages: ["tis-firefox", "tis-7zip"].map((name) => ({ package: name, version: "1.0-1", maturity: "PROD", signer: "Developer", file: `${name}.wapt` })), hosts: [{ uuid: "1", name: "pc-lyon-00001" }], unread: 0 };

/** Keys, the root, and what a revocation would hit. */
function keysOf(at) {
    if (at === "GET /local/certificates") return { json: { folder: "/home/anna/.config/wapt/private", trusted_folder: "/home/anna/.config/wapt/ssl", problem: null, keys: OWN, others: [certificate("Developer"), certificate("Old", { not_after: now() - 86_400, problem: "expired" })], pending: ["Laptop of Anna"] } };
    if (at === "GET /local/root") return { json: ROOT() };
    if (at === "POST /local/revocation") return { json: HIT };
    if (at === "POST /local/keys/new") return { json: { file: "/home/anna/.config/wapt/private/x.pem", fingerprint: "cd".repeat(32), request: null } };
    return undefined;
}

const PACKAGES = () => [["tis-firefox", "base", "tis-base(>=2)"], ["tis-7zip", "base", ""], ["grp-lyon", "group", "tis-firefox"], ["rules", "selfservice", ""]].map(([name, section, depends]) => ({ package: name, version: "1.0-1", architecture: "all", section, maturity: "PROD", locale: "", target_os: "all", name, description: `about ${name}`, depends, conflicts: "", signer: "Developer", signer_fingerprint: "ab".repeat(32), signature_date: section === "base" ? "20260101T000000" : "2026-03-02T10:00:00Z", file: `${name}_1.0-1.wapt`, size: 12_345, is_newest: true }));

const OFFERS = [["tis-firefox", "140.0-1", "x64", "1.0-1"], ["tis-firefox", "140.0-1", "x86", null], ["tis-gimp", "3.0-2", "x64", null], ["tis-<b>vlc</b>", "3.0-9", "all", null]].map(([name, version, architecture, here]) => ({ package: name, version, architecture, maturity: "PROD", description: `about ${name}`, signer: "Store", here }));
const ESTATE = () => [...PACKAGES(), { package: "tis-old", version: "0.9-3" }].flatMap(({ package: name, version }, i) => [
    { package: name, version, status: "OK", machines: 310 - 41 * i },
    ...(i % 2 ? [{ package: name, version, status: "MISSING", machines: 1 + i }] : [{ package: name, version: "0.8-1", status: "TO-UPGRADE", machines: 57 }, { package: name, version, status: "ERROR", machines: 2 }]),
]);

const known = (one) => one && { json: one };

/** What the pages beside the machines ask for. */
function manage(what, id, more, p) {
    if (what === "overview") return { json: { hosts: 300, reachable: 225, unseen_30_days: 12, errors: 14, to_upgrade: 57, audit_errors: 3, audit_warnings: 1, actions_failed_today: 4, rollouts_running: 1, uploads_refused: 1, webhooks_off: 0, server_certificate_until: now() + 86_400 * 20, certificates_ending: 0, authority_until: now() + 86_400 * 3000, journal_missing: 0, backup_at: now() - 86_400 * 9, disk_free_percent: 12, clock_off_s: 95 } };
    if (what === "estate") return { json: { estate: ESTATE() } };
    if (what === "packages") return { json: { packages: PACKAGES(), total: PACKAGES().length } };
    if (what === "repository") return { json: { key: "-----BEGIN PUBLIC KEY-----\n", sha256: certificate("this server").fingerprint } };
    if (what === "signers") return { json: { signers: [certificate("Developer"), AUTHORITY].map((c) => ({ name: c.name, fingerprint: c.fingerprint })) } };
    if (what === "rollouts" && !id) return { json: { rollouts: ROLLOUTS(), total: 3 } };
    if (what === "rollouts" && more) return { json: { ...ROLLOUTS().find((r) => r.id === id), state: "paused" } };
    if (what === "rollouts") return known(ROLLOUTS().find((r) => r.id === id));
    if (what === "account" && id === "second-factor" && more === "confirm") return { json: { recovery_codes: Array.from({ length: 10 }, (_, i) => `A${i}BC-2DEF-GH${(i + 2) % 7 + 2}J-KLMN`) } };
    if (what === "account" && id === "second-factor") return { json: { secret: "JBSWY3DPEHPK3PXP", uri: "otpauth://totp/waptserver:admin?secret=JBSWY3DPEHPK3PXP&issuer=waptserver" } };
    if (what === "account" && id === "sessions") return { json: { sessions: [{ id: "1", method: "password", peer: "192.0.2.7", created: now() - 3600, used: now(), expires: now() + 7200, this: true }, { id: "2", method: "kerberos", peer: "192.0.2.9", created: now() - 80_000, used: now() - 4000, expires: now() + 3600, this: false }] } };
    if (what === "account" && id === "certificates") return { json: { certificates: [] } };
    if (what === "account") return { json: { tokens: [{ id: "1", name: "nightly report", rights: "view,report", limited: true, created: now(), expires: now() + 86_400 * 30, used: now() - 60 }, { id: "2", name: "build server", rights: "upload,upload-code", limited: false, created: now(), expires: now() + 86_400 * 200, used: 0 }] } };
    if (what === "webhooks") return { json: { webhooks: HOOKS() } };
    if (what === "users" && !id) return { json: { users: PEOPLE() } };
    if (what === "users" && more === "tokens") return { json: { tokens: [{ id: "1", name: "inventory", rights: "view,metrics", limited: false, created: now(), expires: now() + 86_400 * 30, used: now() - 60 }] } };
    if (what === "users") return known(PEOPLE().find((one) => one.name === id));
    if (what === "reports" && !id) return { json: { reports: REPORTS() } };
    if (what === "reports") return { json: reportRows(decodeURIComponent(id)) };
    if (what === "journal" && id === "head") return { json: { node: "one", seq: ENTRIES, digest: "ef".repeat(32), trimmed: 0, chains: [{ node: "one", seq: ENTRIES, digest: "ef".repeat(32) }] } };
    if (what === "journal") return { json: { node: "one", entries: Array.from({ length: Number(p.get("limit")) }, (_, i) => entry(Number(p.get("after")) + i + 1)) } };
    return undefined;
}

const SYSTEMS = ["Windows 10 Pro 22H2", "Windows 11 Enterprise 23H2", "Debian GNU/Linux 12 (bookworm)", "Ubuntu 24.04.1 LTS"];
const MODELS = ["Latitude 5440", "OptiPlex 7010", "ThinkPad T14 Gen 4", "EliteBook 840 G9", "ProDesk 400 G7"];
const MAKERS = ["Dell Inc.", "Dell Inc.", "LENOVO", "HP", "HP"];
const PLACES = ["Lyon", "Nantes", "Paris", "Toulouse"];
const USERS = ["adurand", "blefevre", "cmoreau", "dsimon", "elaurent", "fmichel"];

/** What a machine says that it does. */
export const task = (id, state, more) => ({ id, kind: "upgrade", state, code: state === "done" ? "ok" : "", message: "", created_by: "scheduler", created: now() - 400, not_before: 0, started: state === "queued" ? 0 : now() - 300, finished: state === "done" ? now() - 60 : 0, progress: state === "done" ? 100 : 0, priority: 100, packages: [], waits_for: [], cancel: id.toString(16).padStart(32, "0"), log: "", ...more });
const TASKS = () => [
    task(41, "running", { progress: 37 }),
    task(43, "queued", { kind: "update", created_by: "uid 1000 (alice)", priority: 10 }),
    task(42, "queued", { kind: "install", created_by: `order of ${"ab".repeat(32)} (Anna Deployer)`, packages: ["tis-firefox(=140.0-2)"], waits_for: ["firefox"] }),
    task(40, "done", { kind: "install", code: "failed", created_by: "uid 0 (root)", message: "tis-printers: exit status 1603", log: "Installing the printers\nerror 1603: another installation is going on\n" }),
    task(39, "done", { kind: "audit", message: "12 done" }),
];

/** The i-th machine, always the same. */
export function machine(i) {
    const hex = (i * 2654435761 % 2 ** 32).toString(16).padStart(8, "0");
    const place = PLACES[i % 4];
    return {
        uuid: `${hex}-0000-4000-8000-${i.toString(16).padStart(12, "0")}`,
        name: `pc-${place.toLowerCase()}-${String(i).padStart(5, "0")}`,
        fqdn: `pc-${place.toLowerCase()}-${String(i).padStart(5, "0")}.example.org`,
        os: SYSTEMS[i % 7 % 4],
        status: i % 23 === 0 ? "ERROR" : i % 5 === 0 ? "TO-UPGRADE" : "OK",
        audit: "OK",
        description: i % 3 === 0 ? `Accueil, bureau ${i % 400}` : "",
        ips: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
        users: USERS[i % 6],
        manufacturer: MAKERS[i % 5],
        model: MODELS[i % 5],
        serial: `SN${hex.toUpperCase()}`,
        agent: "0.1.0",
        domain: "example.org",
        site: place,
        unit: `OU=${place},OU=Machines,DC=example,DC=org`,
        groups: [`grp-${place.toLowerCase()}`, ...(i % 3 === 0 ? ["grp-accueil"] : [])],
        errors: i % 23 === 0 ? 1 + (i % 3) : 0,
        upgrades: i % 5 === 0 ? 1 + (i % 7) : 0,
        windows: i % 3 === 0 ? "mon-fri 19:00-06:00" : "",
        window_begin: i % 3 === 0 ? now() + (i % 2 ? -3600 : 7200) : 0,
        window_end: i % 3 === 0 ? now() + 36_000 : 9223372036854775807,
        frozen_until: 0,
        waits_for: i % 15 === 0 ? "window" : "",
        held: i % 6 === 0 ? ["tis-firefox"] : [],
        orderers: i % 4 === 0 ? ["ab".repeat(32), "cd".repeat(32)] : ["cd".repeat(32)],
        root_version: i % 8 === 0 ? 1 : 2,
        macs: `02:00:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}:${hex.slice(6, 8)}`,
        last_user: USERS[(i + 1) % 6],
        dn: `CN=PC-${i},OU=${place},OU=Machines,DC=example,DC=org`,
        repositories: "https://wapt.example.org/wapt",
        registration: ["token", "administrator", "ticket", "key"][i % 4],
        reachable: i % 4 !== 3,
        last_seen: now() - (i % 4 !== 3 ? i % 60 : (i % 90) * 86_400),
        registered_at: now() - 86_400 * (i % 900),
    };
}

function details(h) {
    return {
        host_info: { computer_fqdn: h.fqdn, computer_name: h.name, system_manufacturer: h.manufacturer, system_productname: h.model, os_name: h.os, connected_ips: [h.ips], current_user: [h.users], description: h.description },
        host_capabilities: { uuid: h.uuid, os: "windows", os_version: "10.0.19045", architecture: "x64", wapt_version: h.agent, dn: h.unit, site: h.site },
        installed_packages: Array.from({ length: 24 }, (_, k) => ({
            package: `tis-software-${k}`, version: `1.${k}-0`, install_status: k === 3 ? "ERROR" : "OK", install_date: now() - k * 86_400, install_output: k === 3 ? "EFatalError: exit status 1603\nMSI log: ..." : "ok\n", last_audit_status: "OK", signer: "Developer",
        })),
        installed_softwares: Array.from({ length: 120 }, (_, k) => ({ key: `{${k}}`, name: `Software ${k}`, version: `${k}.0.1`, publisher: "Example Corp.", install_date: "2026-01-02", install_location: `C:\\Program Files\\Software ${k}`, uninstall_string: `msiexec /x{${k}}`, system_component: k % 3 === 0 ? 1 : 0 })),
        policy: {
            windows: h.windows ? [{ by: h.groups[0], text: h.windows }, { by: "", text: "sat 00:00-24:00" }] : [], freezes: h.windows ? [{ by: "", text: "2026-12-20 until 2027-01-03" }] : [],
            holds: h.held.map((what) => ({ what, until: "2026-12-31", by: h.groups[0] })), window_begin: h.window_begin, window_end: h.window_end, frozen_until: 0, utc_offset: 3600,
            next_upgrade: now() - 600, waits_for: h.waits_for, trust: "root", root_version: h.root_version, orderers: h.orderers,
        },
        last_update_status: { upgrades: [...Array.from({ length: h.upgrades }, (_, k) => `tis-new-${k}(=2)`), ...(h.upgrades > 0 ? ["tis-software-1(=2.0-0)", "tis-software-2(=1.2-0)"] : [])] },
        dmi: { System_Information: { Manufacturer: h.manufacturer, Product_Name: h.model, Serial_Number: h.serial }, BIOS_Information: { Vendor: "Phoenix", Version: "1.2.3" } },
    };
}

export class Mock {
    constructor(dist, count = 200) {
        this.dist = dist;
        this.hosts = Array.from({ length: count }, (_, i) => machine(i));
        this.token = "";
        this.tickets = new Set(["first"]);
        this.prefs = {};
        this.server = { url: "https://wapt.example.org", state: "connected", user: "admin", roles: ["superadmin"], rights: "view,order-care,order-software,report,people", message: "", ways: { password: true, oidc: false, certificate: false, kerberos: false } };
        this.keys = [{ id: "k1", name: "Deployer", subject: "CN=Deployer,O=Example", fingerprint: "ab".repeat(32), issuers: [], source: "pem", unlocked_until: 0, can_sign_code: false, can_log_in: true, not_after: now() + 86_400 * 300 },
            { id: "k2", name: "Authority", subject: "CN=Authority,O=Example", fingerprint: AUTHORITY.fingerprint, issuers: [], source: "pem", unlocked_until: 0, can_sign_code: false, can_log_in: false, not_after: AUTHORITY.not_after }];
        this.publishes = false; // whether the root of the repository is known
        this.repositories = []; // that packages may be imported from
        this.isSilent = false; // whether the person at the terminal says nothing yet
        this.prepared = new Map();
        this.batches = new Map();
        this.streams = new Set();
        this.asked = []; // "GET /path" of each call
        /** (request, url, body) -> { status, json } to answer so, or undefined; a promise of it comes late. */
        this.fault = () => undefined;
        this.http = createServer((q, a) => void this.answer(q, a));
    }

    listen(port = 0) {
        return new Promise((resolve) => this.http.listen(port, "127.0.0.1", () => resolve(`http://127.0.0.1:${this.http.address().port}`)));
    }

    close() {
        this.http.closeAllConnections();
        return new Promise((resolve) => this.http.close(resolve));
    }

    event(e) {
        this.last = (this.last ?? 1000) + 1;
        for (const s of this.streams) s.write(`id: ${this.last}\nevent: ${e.kind}\ndata: ${JSON.stringify({ id: this.last, at: now(), ...e })}\n\n`);
    }

    async answer(q, a) {
        const url = new URL(q.url, "http://127.0.0.1");
        const chunks = [];
        for await (const c of q) chunks.push(c);
        const text = Buffer.concat(chunks).toString();
        if (!url.pathname.startsWith("/local/") && !url.pathname.startsWith("/api/")) return this.file(url.pathname, a);
        const isGreeting = q.method === "GET" && url.pathname === "/local/session";
        if (!isGreeting) this.asked.push(`${q.method} ${url.pathname}${url.search}`);
        let out;
        try {
            const body = text ? JSON.parse(text) : {};
            out = (await this.fault(q, url, body)) ?? this.call(q, url, body, a);
        } catch (e) {
            out = { status: 500, json: { error: { code: "internal", message: String(e.stack) } } };
        }
        if (out === "streams") return undefined;
        if (out === "drops") return q.socket.destroy();
        a.writeHead(out.status ?? 200, { "Content-Type": "application/json", "Cache-Control": "no-store", ...(this.isKnown(q) ? { "Wapt-Proof": PROOF } : out.proof ? { "Wapt-Proof": out.proof } : {}) });
        return a.end(JSON.stringify(out.json));
    }

    file(pathname, a) {
        const name = path.extname(pathname) ? pathname.slice(1) : "index.html";
        try {
            const bytes = readFileSync(path.join(this.dist, path.basename(name)));
            a.writeHead(200, { "Content-Type": TYPES[path.extname(name)] ?? "text/plain", "Content-Security-Policy": CSP });
            a.end(bytes);
        } catch {
            a.writeHead(404);
            a.end();
        }
    }

    isKnown(q) {
        return this.token !== "" && q.headers.authorization === `Bearer ${this.token}`;
    }

    call(q, url, body, a) {
        const at = `${q.method} ${url.pathname}`;
        const fail = (status, code, message) => ({ status, json: { error: { code, message } } });
        if (at === "POST /local/session") {
            if (!this.tickets.delete(body.ticket)) return fail(401, "auth", "the ticket is void");
            this.token = "t" + Math.random();
            return { proof: "first", json: { token: this.token, proof: PROOF } };
        }
        if (!this.isKnown(q)) return fail(401, "auth", "no session");
        if (at === "GET /local/session") return { json: {} };
        if (at === "GET /local/state") return { json: { version: "0.1.0", language: "en", server: this.server, keys: this.keys, confirm: { method: "terminal", above_hosts: 10 }, publishes: this.publishes, repositories: this.repositories, idle_s: 1800 } };
        if (at === "GET /local/prefs") return { json: this.prefs };
        if (at === "PUT /local/prefs") return (this.prefs = body), { json: {} };
        if (at === "POST /local/journal") return { json: { node: "one", after: body.after === undefined ? 0 : ENTRIES, digest: "ef".repeat(32), total: ENTRIES, done: body.after !== undefined } };
        if (at === "POST /local/oidc") return { json: { url: "https://id.example.org/auth?state=x" } };
        if (at === "GET /local/oidc") return { status: 202, json: { state: "browser" } };
        if (at === "POST /local/login") {
            if (body.way === "kerberos") return fail(401, "login", "you have no Kerberos ticket that could be used");
            if (body.password !== "secret") return fail(401, "login", "the password is not right");
            this.server.state = "connected";
            return { json: {} };
        }
        if (at === "POST /local/logout") return (this.server.state = "login"), { json: {} };
        if (at === "GET /local/pin") return { json: { server: this.server.url, subject: "CN=wapt.example.org", issuer: "CN=wapt.example.org", not_before: now() - 86_400, not_after: now() + 86_400 * 800, sha256: "cd".repeat(32), grouped: "cdcd ".repeat(16).trim(), trusted: false, reason: "self-signed certificate", changed: false } };
        if (at === "POST /local/pin") return (this.server.state = "login"), { json: {} };
        if (at === "POST /local/keys/unlock") {
            if (body.password !== "secret") return fail(400, "invalid", "the password does not open the key");
            this.keys[0].unlocked_until = now() + body.seconds;
            return { json: {} };
        }
        if (at === "POST /local/keys/lock") return (this.keys[0].unlocked_until = 0), { json: {} };
        const about = keysOf(at);
        if (about) return about;
        if (at === "POST /local/prepare") return this.prepare(body);
        if (at === "POST /local/commit") return this.commit(body);
        if (at.startsWith("DELETE /local/prepare/")) return { json: {} };
        if (!url.pathname.startsWith("/api/v1/")) return fail(404, "not_found", "there is no such call");
        if (this.server.state === "login") return fail(401, "login", "nobody is logged in");
        if (this.server.state !== "connected") return fail(503, "unreachable", "the server can't be reached");
        return this.api(q, url, a) ?? fail(404, "not_found", `there is no ${at}`);
    }

    prepare(body) {
        if (body.what === "grant") return this.grant(body);
        if (body.only_shown) return { json: { id: "1".repeat(32), title: "rules", lines: [], hosts: [], count: 0, needs: "none", expires_at: now() + 300, details: { packages: [], changed: 0, rules: [{ "all staff": { "tis-firefox": null, "tis-7zip": null }, "<i>team</i>": {} }] } } };
        if (body.what === "offers") return { json: { id: "0".repeat(32), title: "offers", lines: [], hosts: [], count: 0, needs: "none", expires_at: now() + 300, details: { packages: OFFERS, left_out: 0 } } };
        const hosts = (body.hosts ?? []).map((uuid) => ({ uuid, name: this.hosts.find((h) => h.uuid === uuid)?.name ?? uuid }));
        const id = Math.random().toString(16).slice(2).padEnd(32, "0");
        this.prepared.set(id, body);
        const lines = [{ label: "Action", value: body.kind ?? body.what }, { label: "Packages", value: (body.packages ?? []).join(" ") }, { label: "Not after", value: new Date((now() + (body.valid_s ?? 0)) * 1000).toISOString() }];
        const needs = this.keys[0].unlocked_until < now() ? "unlock" : hosts.length > 10 ? "gesture" : "none";
        return { json: { id, title: `${body.kind ?? body.what}: ${hosts.length}`, lines, hosts, count: hosts.length, needs, expires_at: now() + 300 } };
    }

    grant(body) {
        const id = Math.random().toString(16).slice(2).padEnd(32, "0");
        this.prepared.set(id, { hosts: [], ...body });
        const lines = [{ label: "Server", value: this.server.url }, ...Object.entries(body.give ?? {}).map(([label, value]) => ({ label, value: String(value) }))];
        return { json: { id, title: body.do, lines, hosts: [], count: 0, signs: false, needs: "gesture", expires_at: now() + 300 } };
    }

    commit({ id }) {
        const body = this.prepared.get(id);
        if (!body) return { status: 404, json: { error: { code: "not_found", message: "nothing is prepared" } } };
        if (body.hosts?.length > 10 && (!body.confirmed || this.isSilent)) return (body.confirmed = true), { status: 202, json: {} };
        const batch = id.slice(0, 32);
        this.batches.set(batch, (body.hosts ?? []).map((uuid, k) => ({ batch, packages: body.packages ?? [], id: batch.slice(0, 24) + String(k).padStart(8, "0"), uuid, name: this.hosts.find((h) => h.uuid === uuid)?.name, state: ["done", "queued", "failed"][k % 3], code: "", message: k % 3 === 2 ? "exit status 1603" : "", kind: body.kind, not_after: now() + 3600, updated: now(), created: now() })));
        return { json: { state: "done", batch, machines: this.batches.get(batch).length, count: this.batches.get(batch).length } };
    }

    api(q, url, a) {
        const [what, id, more] = url.pathname.slice(8).split("/");
        const p = url.searchParams;
        if (what === "events") {
            a.writeHead(200, { "Content-Type": "text/event-stream", "Wapt-Proof": PROOF });
            a.write(": hello\n\n");
            this.streams.add(a);
            a.on("close", () => this.streams.delete(a));
            return "streams";
        }
        if (what === "hosts" && !id) return { json: this.list(p) };
        if (what === "hosts" && more === "history") return { json: { events: [] } };
        if (what === "hosts" && more === "queue") {
            const h = this.hosts.find((one) => one.uuid === id);
            return h && { json: { now: now(), reachable: h.reachable, at: h.reachable ? now() : now() - 86_400, queue: { stopped: false, left_out: 3, tasks: this.tasks ?? TASKS() } } };
        }
        if (what === "hosts") {
            const h = this.hosts.find((one) => one.uuid === id);
            return h && { json: details(h) };
        }
        if (what === "host-facets" && p.get("by") === "unit") {
            const counted = new Map();
            p.set("limit", this.hosts.length);
            for (const h of this.list(p).hosts) counted.set(h.unit, (counted.get(h.unit) ?? 0) + 1);
            return { json: { facets: [...counted].map(([value, count]) => ({ by: "unit", value, count })) } };
        }
        if (what === "host-facets") return { json: { facets: (p.get("by") ?? "").split(",").flatMap((by) => this.facets(by)) } };
        if (what === "batches") {
            const all = [...this.batches].map(([batch, orders]) => {
                const counts = {};
                for (const o of orders) counts[o.state] = (counts[o.state] ?? 0) + 1;
                return { batch, kind: orders[0].kind, what: (orders[0].packages ?? []).join(" "), user: "admin", signer: "ab".repeat(32), created: now(), machines: orders.length, counts };
            });
            return { json: { batches: all.reverse() } };
        }
        if (what === "actions") {
            const all = p.get("host") ? [...this.batches.values()].flat().filter((o) => o.uuid === p.get("host")) : (this.batches.get(p.get("batch")) ?? []);
            const counts = {};
            for (const o of all) counts[o.state] = (counts[o.state] ?? 0) + 1;
            const meant = all.filter((o) => !p.get("state") || o.state === p.get("state"));
            const from = Number(p.get("after") ?? 0);
            const to = from + Number(p.get("limit") ?? 10_000);
            return { json: { counts, actions: meant.slice(from, to), ...(to < meant.length ? { next: String(to) } : {}) } };
        }
        return manage(what, id, more, p);
    }

    /** The values of this that machines have, and how many each. */
    facets(by) {
        const counted = new Map();
        for (const h of this.hosts) for (const value of [h[by === "group" ? "groups" : by] ?? []].flat()) counted.set(value, (counted.get(value) ?? 0) + 1);
        return [...counted].map(([value, count]) => ({ by, value, count }));
    }

    list(p) {
        const words = (p.get("search") ?? "").toLowerCase().split(" ").filter(Boolean);
        let found = this.hosts.filter((h) => {
            const text = words.length > 0 ? `${h.name} ${h.fqdn} ${h.description} ${h.users} ${h.model} ${h.serial} ${h.ips} ${h.uuid}`.toLowerCase() : "";
            const not = (p.get("not") ?? "").split(",");
            return (
                words.every((w) => text.includes(w)) !== not.includes("search") &&
                ["status", "os", "site", "model", "domain"].every((k) => !p.get(k) || (h[k] === p.get(k)) !== not.includes(k)) &&
                (!p.get("unit") || (`=${h.unit}` === p.get("unit") || `,${h.unit}`.endsWith(`,${p.get("unit")}`)) !== not.includes("unit")) &&
                (!p.get("held") || h.held.includes(p.get("held")) !== not.includes("held")) &&
                (!p.get("orderer") || h.orderers.includes(p.get("orderer"))) &&
                (!p.get("no_orderer") || !h.orderers.includes(p.get("no_orderer"))) &&
                (p.get("errors") !== ">0" || h.errors > 0) &&
                (!p.get("package_version")?.startsWith("<") || h.status === "TO-UPGRADE") &&
                (!p.get("waits_for") || h.waits_for === p.get("waits_for")) &&
                (!p.get("reachable") || h.reachable === (p.get("reachable") === "1"))
            );
        });
        const sort = p.get("sort") ?? "name";
        const key = sort.replace("-", "");
        found = found.sort((a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0) * (sort.startsWith("-") ? -1 : 1));
        const from = Number(p.get("offset") ?? 0);
        return { total: found.length, hosts: found.slice(from, from + Number(p.get("limit") ?? 1000)) };
    }
}

if (process.argv[1]?.endsWith("mock.mjs")) {
    const mock = new Mock(process.argv[2], Number(process.argv[3] ?? 1000));
    console.log(`${await mock.listen(Number(process.argv[4] ?? 0))}/#answer=first&ticket=first`);
}
