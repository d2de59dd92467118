// Who uses the server: roles, perimeters, second factors, sessions and tokens.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { apiPath, call } from "../api";
import { LoginCertificates } from "../components/certificates";
import { Change, type Grant } from "../components/change";
import { Choice, Facts, Field } from "../components/fields";
import { Gone } from "../components/gone";
import { Icon } from "../components/icons";
import { A } from "../components/link";
import { Menu } from "../components/menu";
import { useOne, useRead } from "../components/read";
import { Status } from "../components/status";
import { useSubject } from "../components/subject";
import { say, sayError } from "../components/toasts";
import { useEvents } from "../events";
import { ago, dateTime } from "../format";
import { pair, t, tn, type Text } from "../i18n";
import { local } from "../local";
import { navigate, place } from "../router";
import type { Column } from "../table/columns";
import { LocalTable } from "../table/local";
import { readKeys } from "./keys_model";
import { isMeant, PerimeterFields, type Perimeter } from "./people_perimeter";
import { PickCertificate, type Who } from "./keys_root_draft";
import { TOKEN_COLUMNS, TOKEN_VALUES, type Token } from "./tokens";

interface Person {
    name: string;
    role: string;
    origin: string;
    disabled: boolean;
    limited: boolean;
    second_factor: boolean;
    needs_second_factor: boolean;
    last_login: number;
    perimeter?: Perimeter | null;
    certificates?: readonly string[];
}

const ROLES: readonly (readonly [role: string, title: Text, may: Text])[] = [
    ["superadmin", "superadmin", "everything"],
    ["developer", "developer", "publish packages with code, and what follows"],
    ["deployer", "deployer", "publish packages without code, delete packages, order installations, let machines in"],
    ["helpdesk", "help desk", "order upgrades, audits, reports and restarts"],
    ["readonly", "read only", "see machines, orders and packages"],
];

export function roleText(role: string): string {
    const known = ROLES.find(([name]) => name === role);
    return known ? t(known[1]) : role;
}

function originText(origin: string): string {
    const known: Record<string, Text> = { local: "kept here", directory: "from the directory", oidc: "from the identity provider" };
    const text = known[origin];
    return text ? t(text) : origin;
}

const personPath = (name: string) => `/people?name=${encodeURIComponent(name)}`;

const LIST: readonly Column<Person>[] = [
    { id: "name", title: "Name", width: 190, grows: 320, sort: "name", text: (p) => p.name, cell: (p) => <A to={personPath(p.name)} tabIndex={-1}>{p.name}</A> },
    { id: "role", title: "Role", width: 140, grows: 220, sort: "role", text: (p) => roleText(p.role) },
    { id: "state", title: "State", width: 130, sort: "state", text: (p) => (p.disabled ? t("disabled") : t("active")), cell: (p) => <Status tone={p.disabled ? "bad" : "ok"} text={p.disabled ? t("disabled") : t("active")} /> },
    { id: "limited", title: "Perimeter", width: 180, grows: 240, sort: "limited", text: (p) => (p.limited ? t("some machines") : t("all machines")) },
    { id: "factor", title: "Second factor", width: 150, grows: 220, sort: "factor", text: (p) => (p.second_factor ? t("set up") : p.needs_second_factor ? t("required, missing") : t("none")) },
    { id: "origin", title: "Origin", width: 180, grows: 260, sort: "origin", text: (p) => originText(p.origin) },
    { id: "last", title: "Last login", width: 150, sort: "last", text: (p) => ago(p.last_login), cell: (p) => <span title={dateTime(p.last_login)}>{ago(p.last_login)}</span> },
];

// --- what can be changed: each a dialog of its own ---

const roleOptions = () => ROLES.map(([name, title, about]) => [name, pair(t(title), t(about))] as const);
export const PASSWORD_MIN = 10;

function NewPerson({ onDone }: { onDone: (name?: string) => void }) {
    const name = useSignal("");
    const role = useSignal("readonly");
    const password = useSignal("");
    const perimeter = useSignal<Perimeter | null>(null);
    const isReady = name.value.trim() !== "" && password.value.length >= PASSWORD_MIN && isMeant(perimeter.value);
    return (
        <Change
            title={t("New person")}
            isReady={isReady}
            grant={() => ({ do: "user-add", give: { name: name.value.trim(), role: role.value, password: password.value, ...(perimeter.value && { perimeter: perimeter.value }) } })}
            onDone={(is) => onDone(is ? name.value.trim() : undefined)}
        >
            <Field label={t("Name")} value={name.value} onInput={(v) => (name.value = v)} autofocus />
            <Choice label={t("Role")} value={role.value} options={roleOptions()} onChange={(v) => (role.value = v)} />
            <Field label={t("First password")} type="password" autoComplete="new-password" value={password.value} onInput={(v) => (password.value = v)} hint={t("Ten characters at least.")} />
            <PerimeterFields value={perimeter.value} onChange={(p) => (perimeter.value = p)} />
        </Change>
    );
}

function PerimeterDialog({ of, onDone }: { of: Person; onDone: (is: boolean) => void }) {
    const perimeter = useSignal<Perimeter | null>(of.limited ? (of.perimeter ?? {}) : null);
    return (
        <Change title={t("Perimeter of {who}", { who: of.name })} isReady={isMeant(perimeter.value)} grant={() => ({ do: "user-change", user: of.name, give: { perimeter: perimeter.value } })} onDone={onDone}>
            <PerimeterFields value={perimeter.value} onChange={(p) => (perimeter.value = p)} />
        </Change>
    );
}

function RoleDialog({ of, onDone }: { of: Person; onDone: (is: boolean) => void }) {
    const role = useSignal(of.role);
    return (
        <Change title={t("Role of {who}", { who: of.name })} grant={() => ({ do: "user-change", user: of.name, give: { role: role.value } })} onDone={onDone}>
            <Choice label={t("Role")} value={role.value} options={roleOptions()} onChange={(v) => (role.value = v)} />
        </Change>
    );
}

function PasswordDialog({ of, onDone }: { of: Person; onDone: (is: boolean) => void }) {
    const password = useSignal("");
    return (
        <Change
            title={t("Another password for {who}", { who: of.name })}
            isReady={password.value.length >= PASSWORD_MIN}
            grant={() => ({ do: "user-password", user: of.name, give: { password: password.value } })}
            onDone={onDone}
        >
            <Field label={t("Password")} type="password" autoComplete="new-password" value={password.value} onInput={(v) => (password.value = v)} hint={t("Ten characters at least.")} autofocus />
            <p>{t("Open sessions end.")}</p>
        </Change>
    );
}

/** A certificate by which a person logs in: of those that are known here, or from a file. */
function CertificateDialog({ of, onDone }: { of: Person; onDone: (is: boolean) => void }) {
    const who = useSignal<Who>({ certificate: "", name: "" });
    useEffect(() => void readKeys().catch(sayError), []);
    return (
        <Change
            title={t("{who} logs in by a certificate", { who: of.name })}
            isReady={who.value.certificate !== ""}
            grant={() => ({ do: "user-certificate", user: of.name, give: { certificate: who.value.certificate } })}
            onDone={onDone}
        >
            <p>{t("Whoever has its key is this person at the server, without a password and a second factor. It counts where the server takes certificates (certificate_login).")}</p>
            <PickCertificate value={who.value} onChange={(w) => (who.value = w)} />
        </Change>
    );
}

interface Act {
    id: string;
    title: Text;
    about: Text;
    when: (p: Person) => boolean;
    work?: (p: Person) => Promise<unknown>;
    grant?: (p: Person) => Grant;
    takes?: boolean; // something away
}
const ACTS: readonly Act[] = [
    { id: "enable", title: "Enable", about: "This person can log in again.", when: (p) => p.disabled, grant: (p) => ({ do: "user-change", user: p.name, give: { disabled: false } }) },
    { id: "need", title: "Require a second factor", about: "The next login is good for nothing but setting it up.", when: (p) => !p.needs_second_factor, grant: (p) => ({ do: "user-change", user: p.name, give: { needs_second_factor: true } }) },
    { id: "disable", title: "Disable", about: "Sessions and tokens end at once; nothing is deleted.", when: (p) => !p.disabled, grant: (p) => ({ do: "user-change", user: p.name, give: { disabled: true } }), takes: true },
    { id: "logout", title: "End the sessions", about: "Every page and program of this person has to log in again; tokens stay.", when: () => true, work: (p) => call("DELETE", apiPath(["users", p.name, "sessions"])), takes: true },
    { id: "drop", title: "Drop the second factor", about: "For somebody who has lost it. Make sure that it is this person who asks.", when: (p) => p.second_factor, grant: (p) => ({ do: "user-drop-factor", user: p.name }), takes: true },
    { id: "remove", title: "Remove", about: "Account, sessions and tokens are gone. The journal keeps what was done.", when: () => true, work: (p) => call("DELETE", apiPath(["users", p.name])), takes: true },
];

function Tokens({ of }: { of: Person }) {
    const version = useSignal(0);
    const revoked = useSignal<Token | undefined>(undefined);
    const found = useRead<{ tokens: Token[] }>(apiPath(["users", of.name, "tokens"]), version.value);
    const done = (is: boolean) => {
        revoked.value = undefined;
        if (is) version.value++;
    };
    return (
        <>
            <LocalTable name="tokens" label={t("API tokens")} all={found?.tokens} columns={TOKEN_COLUMNS} rowKey={(k) => k.id} values={TOKEN_VALUES} firstSort="name" onOpen={(k) => (revoked.value = k)} empty={t("No token.")} />
            {revoked.value && (
                <Change title={t("Revoke {what}?", { what: revoked.value.name })} button={t("Revoke")} danger work={() => call("DELETE", apiPath(["users", of.name, "tokens", revoked.value?.id ?? ""]))} onDone={done}>
                    <p>{t("Programs that use it are refused from now on.")}</p>
                </Change>
            )}
        </>
    );
}

function perimeterText(p: Person): string {
    const parts = [...(p.perimeter?.groups ?? []), ...(p.perimeter?.profiles ?? []), ...(p.perimeter?.units ?? [])];
    return p.limited ? parts.join(", ") : t("all machines");
}

function PersonView({ name, version, changed }: { name: string; version: number; changed: () => void }) {
    const p = useOne<Person>(apiPath(["users", name]), version);
    useSubject(name);
    const open = useSignal<"" | "role" | "perimeter" | "password" | "certificate" | Act>("");
    if (!p) return <div class="page" aria-busy="true" />;
    if (p === "gone") return <Gone title={t("There is no such person")} to="/people" back={t("People")} />;
    const done = (is: boolean) => {
        const act = open.value;
        open.value = "";
        if (!is) return;
        say(t("{what}: saved.", { what: p.name }));
        changed();
        if (typeof act === "object" && act.id === "remove") navigate("/people");
    };
    const isLocal = p.origin === "local";
    const act = typeof open.value === "object" ? open.value : undefined;
    return (
        <div class="page page-table">
            <div class="page-head">
                <A to="/people" class="back" title={t("People")}>
                    <Icon name="left" />
                </A>
                <h1>{p.name}</h1>
                <Status tone={p.disabled ? "bad" : "ok"} text={p.disabled ? t("disabled") : t("active")} />
                <span class="space" />
                {isLocal && (
                    <>
                        <button type="button" onClick={() => (open.value = "role")}>{t("Role")}</button>
                        <button type="button" onClick={() => (open.value = "perimeter")}>{t("Perimeter")}</button>
                        <button type="button" onClick={() => (open.value = "password")}>{t("Password")}</button>
                    </>
                )}
                <Menu
                    label={t("More")}
                    items={[
                        { title: t("Login certificate"), group: 0, run: () => (open.value = "certificate") },
                        ...ACTS.filter((a) => a.when(p) && !(a.id === "remove" && p.name === local.value?.server.user)).map((a) => ({ title: t(a.title), about: t(a.about), group: a.takes ? 1 : 0, isDanger: a.takes === true, run: () => (open.value = a) })),
                    ]}
                />
            </div>
            <section class="panel">
                <Facts
                    rows={[
                        [t("Role"), roleText(p.role)],
                        [t("Perimeter"), perimeterText(p)],
                        [t("Origin"), originText(p.origin)],
                        [t("Second factor"), p.second_factor ? t("set up") : p.needs_second_factor ? t("required, missing") : t("none")],
                        ...(p.certificates?.length ? [[t("Login certificates"), <LoginCertificates key="c" all={p.certificates} path={["users", p.name, "certificates"]} onDone={changed} />] as const] : []),
                        [t("Last login"), `${dateTime(p.last_login)} (${ago(p.last_login)})`],
                    ]}
                />
            </section>
            <h2>{t("API tokens")}</h2>
            <Tokens of={p} />
            {open.value === "role" && <RoleDialog of={p} onDone={done} />}
            {open.value === "perimeter" && <PerimeterDialog of={p} onDone={done} />}
            {open.value === "certificate" && <CertificateDialog of={p} onDone={done} />}
            {open.value === "password" && <PasswordDialog of={p} onDone={done} />}
            {act && (
                <Change
                    title={pair(t(act.title), p.name)}
                    danger={act.work !== undefined}
                    {...(act.work ? { button: t(act.title), work: () => act.work?.(p) ?? Promise.resolve() } : {})}
                    {...(act.grant ? { grant: () => act.grant?.(p) ?? { do: "" } } : {})}
                    onDone={done}
                >
                    <p>{t(act.about)}</p>
                </Change>
            )}
        </div>
    );
}

export function PeoplePage() {
    const version = useSignal(0);
    const isNew = useSignal(false);
    const wanted = place.value.query.get("name");
    const found = useRead<{ users: Person[] }>(apiPath(["users"]), version.value);
    useEvents((event) => event.kind === "person", () => version.value++);
    if (wanted) return <PersonView key={wanted} name={wanted} version={version.value} changed={() => version.value++} />;
    const all = found?.users;
    const made = (name?: string) => {
        isNew.value = false;
        if (!name) return;
        version.value++;
        navigate(personPath(name));
    };
    return (
        <div class="page page-table">
            <div class="page-head">
                <h1>{t("People")}</h1>
                <span class="muted">{all && tn(all.length, "{n} person", "{n} persons")}</span>
                <span class="space" />
                <button type="button" class="primary" onClick={() => (isNew.value = true)}>
                    {t("New person")}
                </button>
            </div>
            <LocalTable name="people" label={t("People")} all={all} columns={LIST} rowKey={(p) => p.name} values={{ last: (p) => p.last_login, limited: (p) => Number(p.limited) }} firstSort="name" onOpen={(p) => navigate(personPath(p.name))} />
            {isNew.value && <NewPerson onDone={made} />}
        </div>
    );
}
