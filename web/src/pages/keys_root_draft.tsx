// A draft of the repository's root: of the first one, or of the one that follows. The program composes what is signed from it.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { apiPath, call } from "../api";
import { FormDialog } from "../components/dialog";
import { Check, Choice, Field } from "../components/fields";
import { Icon } from "../components/icons";
import { review } from "../components/review";
import { sayError } from "../components/toasts";
import { pair, t, type Text } from "../i18n";
import { local } from "../local";
import { certificates, isAdministrator, keyOf, LISTS, short, type Certificate, type List, type Rights, type Root } from "./keys_model";

const HINTS: Record<List, Text> = {
    sections: "sections of packages it may sign; * is every one",
    prefixes: "beginnings of package names it may sign",
    actions: "what it may order: update, upgrade, install...",
    groups: "machines it may order for: of these groups,",
    units: "or of these organisational units",
};
export const TITLES: Record<List, Text> = { sections: "Sections", prefixes: "Prefixes", actions: "Orders", groups: "Groups", units: "Units" };
export const listText = (list: readonly string[]) => (list.length > 0 ? list.join(", ") : t("none"));
const words = (text: string) => text.split(/[\n,]+/).map((w) => w.trim()).filter(Boolean);

/** A certificate of the draft: fingerprint of one that the root has, or PEM of one that is new. */
export interface Who {
    certificate: string;
    name: string;
}
type DraftSigner = Who & Rights;
interface Draft {
    threshold: number;
    days: number;
    published_days: number;
    timestamp_hours: number;
    administrators: readonly Who[];
    signers: readonly DraftSigner[];
    timestamp_keys: readonly Who[];
}

const ALL = ["*"];
const fullRights = (c: Certificate, publish: boolean): DraftSigner => ({ certificate: c.pem, name: c.name, sections: ALL, prefixes: ALL, actions: ALL, groups: ALL, units: [], code: c.can_sign_code || c.is_authority, publish });

/** The first root: one's own key, those whose packages count here today, and the server's timestamp. */
function firstDraft(): Draft {
    const all = certificates.value;
    const key = local.value?.keys[0];
    const own = all?.keys.find((c) => c.fingerprint === key?.fingerprint);
    const others = [...(all?.keys ?? []).filter((c) => c.trusted), ...(all?.others ?? [])].filter((c) => c !== own && c.problem !== "expired");
    return {
        threshold: 1,
        days: 365,
        published_days: 30,
        timestamp_hours: 24,
        administrators: own ? [{ certificate: own.pem, name: own.name }] : [],
        signers: [...(own ? [fullRights(own, true)] : []), ...others.map((c) => fullRights(c, false))],
        timestamp_keys: [],
    };
}

function draftOf(root: Root): Draft {
    return {
        threshold: root.threshold,
        days: 365,
        published_days: root.published_days,
        timestamp_hours: root.timestamp_hours,
        administrators: root.administrators.map((a) => ({ certificate: a.fingerprint, name: a.name })),
        signers: root.signers.map(({ name, fingerprint, sections, prefixes, actions, groups, units, code, publish }) => ({ name, certificate: fingerprint, sections, prefixes, actions, groups, units, code, publish })),
        timestamp_keys: root.timestamp_key_ids.map((id) => ({ certificate: id, name: short(id) })),
    };
}

function wishOf(draft: Draft): object {
    return { ...draft, administrators: draft.administrators.map((a) => a.certificate), signers: draft.signers.map(({ name: _, ...rest }) => rest), timestamp_keys: draft.timestamp_keys.map((k) => k.certificate) };
}

/** Whether the certificate of that fingerprint is one of the draft's. */
function isOf(people: readonly Who[], fingerprint: string): boolean {
    const pem = certificates.value?.keys.find((c) => c.fingerprint === fingerprint)?.pem;
    return people.some((a) => a.certificate === fingerprint || a.certificate === pem);
}

// --- its parts ---

function chooseFrom(): readonly (readonly [string, string])[] {
    const all = [...(certificates.value?.keys ?? []), ...(certificates.value?.others ?? [])];
    return all.map((c) => [c.pem, `${c.name} (${short(c.fingerprint)})`] as const);
}

function readFile(input: HTMLInputElement, use: (text: string, name: string) => void): void {
    const file = input.files?.[0];
    if (file) file.text().then((text) => use(text, file.name), sayError);
}

export function PickCertificate({ value, onChange }: { value: Who; onChange: (who: Who) => void }) {
    const options = chooseFrom();
    const take = (pem: string) => onChange({ certificate: pem, name: options.find(([p]) => p === pem)?.[1] ?? "" });
    return (
        <>
            <Choice label={t("Certificate")} value={options.some(([p]) => p === value.certificate) ? value.certificate : ""} options={[["", value.name || t("choose...")], ...options]} onChange={(v) => v && take(v)} />
            <label class="field">
                <span>{t("or its file")}</span>
                <input type="file" accept=".crt,.pem,.cer" onChange={(e) => readFile(e.currentTarget, (certificate, name) => onChange({ certificate, name }))} />
            </label>
        </>
    );
}

const NO_RIGHTS: Rights = { sections: [], prefixes: [], actions: [], groups: [], units: [], code: false, publish: false };

function SignerDialog({ of, onClose, onDone }: { of: DraftSigner | undefined; onClose: () => void; onDone: (s: DraftSigner) => void }) {
    const who = useSignal<Who>(of ?? { certificate: "", name: "" });
    const rights = of ?? NO_RIGHTS;
    const lists = useSignal(Object.fromEntries(LISTS.map((l) => [l, rights[l].join(", ")])) as Record<List, string>);
    const code = useSignal(rights.code);
    const publishes = useSignal(rights.publish);
    const submit = () => {
        if (!who.value.certificate) return;
        const read = Object.fromEntries(LISTS.map((l) => [l, words(lists.value[l])])) as Record<List, string[]>;
        onDone({ ...who.value, ...read, code: code.value, publish: publishes.value });
    };
    return (
        <FormDialog title={of ? t("Rights of {name}", { name: of.name }) : t("New signer")} onClose={onClose} onSubmit={submit} button={t("Keep")} disabled={!who.value.certificate} wide>
            {!of && <PickCertificate value={who.value} onChange={(w) => (who.value = w)} />}
            <div class="form-two">
                {LISTS.map((l) => (
                    <Field key={l} label={t(TITLES[l])} value={lists.value[l]} onInput={(v) => (lists.value = { ...lists.value, [l]: v })} hint={t(HINTS[l])} />
                ))}
            </div>
            <Check label={t("Sign packages with code")} checked={code.value} onChange={(on) => (code.value = on)} />
            <Check label={t("Publish the list")} checked={publishes.value} onChange={(on) => (publishes.value = on)} />
        </FormDialog>
    );
}

function AdministratorDialog({ onClose, onDone }: { onClose: () => void; onDone: (who: Who) => void }) {
    const who = useSignal<Who>({ certificate: "", name: "" });
    return (
        <FormDialog title={t("New administrator")} onClose={onClose} onSubmit={() => who.value.certificate && onDone(who.value)} button={t("Keep")} disabled={!who.value.certificate}>
            <PickCertificate value={who.value} onChange={(w) => (who.value = w)} />
        </FormDialog>
    );
}

interface ServerKey {
    key: string; // PEM
    sha256: string;
}

/** By which keys the time is stamped: the server's own, or one of a file. */
function TimestampKeys({ keys, onChange }: { keys: readonly Who[]; onChange: (keys: readonly Who[]) => void }) {
    const server = useSignal<ServerKey | undefined>(undefined);
    const isServers = (k: Who) => k.certificate === server.value?.sha256 || k.certificate === server.value?.key;
    const now = useRef(keys);
    now.current = keys; // what was added while the server's was read is there, too
    const add = (certificate: string, name: string) => onChange([...now.current, { certificate, name }]);
    useEffect(() => {
        call<ServerKey>("GET", apiPath(["repository", "timestamp-key"])).then((found) => {
            server.value = found;
            if (now.current.length === 0) add(found.key, short(found.sha256));
        }, sayError);
    }, []);
    const known = server.value;
    return (
        <>
            <h3>{t("Timestamp keys")}</h3>
            <p class="muted">{t("By such a key the server says every day which list is the newest. It can do nothing else.")}</p>
            <ul class="plain-list">
                {keys.map((k) => (
                    <li key={k.certificate}>
                        <span>
                            <code>{k.name}</code> {isServers(k) && <small class="muted">{t("of this server")}</small>}
                        </span>
                        <button type="button" aria-label={t("Remove {name}", { name: k.name })} onClick={() => onChange(keys.filter((o) => o !== k))}>
                            <Icon name="trash" />
                        </button>
                    </li>
                ))}
            </ul>
            {known && !keys.some(isServers) && (
                <p class="error">
                    {t("This server's key is not among them: machines would take no list that it stamps.")}{" "}
                    <button type="button" onClick={() => add(known.key, short(known.sha256))}>
                        {t("Add this server's")}
                    </button>
                </p>
            )}
            <label class="field">
                <span>{t("Another public key, from its file")}</span>
                <input type="file" accept=".pub,.pem" onChange={(e) => readFile(e.currentTarget, add)} />
            </label>
        </>
    );
}

function rightsText(s: Rights): string {
    const flags = [s.publish ? t("publishes") : "", s.code ? t("signs code") : ""].filter(Boolean);
    return [...flags, ...LISTS.map((l) => pair(t(TITLES[l]), listText(s[l])))].join(" · ");
}

/** root: the one in force; none: the first is made. onSigned: what the program gives back of it. */
export function DraftEditor({ root, onClose, onSigned }: { root: Root | undefined; onClose: () => void; onSigned: (answer: Record<string, unknown>) => void }) {
    const draft = useSignal<Draft>(root ? draftOf(root) : firstDraft());
    const open = useSignal<"administrator" | "signer" | DraftSigner | undefined>(undefined);
    const d = draft.value;
    const set = (change: Partial<Draft>) => (draft.value = { ...draft.value, ...change });
    const numberField = (label: Text, key: "threshold" | "days" | "published_days" | "timestamp_hours") => <Field label={t(label)} type="number" value={String(d[key])} onInput={(v) => set({ [key]: Math.trunc(Number(v)) })} />;
    const keep = (s: DraftSigner) => {
        const others = d.signers.filter((o) => o.certificate !== s.certificate);
        set({ signers: others.length === d.signers.length ? [...d.signers, s] : d.signers.map((o) => (o.certificate === s.certificate ? s : o)) });
        open.value = undefined;
    };
    const isGood = d.administrators.length > 0 && d.threshold >= 1 && d.threshold <= d.administrators.length && d.days >= 1 && d.timestamp_keys.length > 0;
    const submit = () =>
        review({ what: "root", wish: wishOf(d), ...keyOf((f) => isOf(d.administrators, f) || isAdministrator(f)) }, (answer) => {
            onSigned(answer);
            onClose();
        }, { button: "Sign" });
    return (
        <>
            <section class="panel" data-test="draft">
                <h2>{root ? t("Proposal of version {n}", { n: root.version + 1 }) : t("The first root")}</h2>
                {!root && <p>{t("In it are your key and those whose packages count here today. Better two administrators or more, and fewer signatures than they are: then one lost key is no end, and one stolen key no beginning.")}</p>}
                <p class="muted">{root ? t("Nothing is in force before enough administrators of this root and of the new one have signed. You see all changes before you sign.") : t("Nothing is in force before enough of its administrators have signed. Whoever has it obeys it alone, and there is no way back.")}</p>
                <div class="form-two">
                    {numberField("Signatures needed", "threshold")}
                    {numberField("Good for so many days", "days")}
                    {numberField("Days of a published list", "published_days")}
                    {numberField("Hours of a timestamp", "timestamp_hours")}
                </div>
                {d.threshold > d.administrators.length && <p class="error">{t("There are fewer administrators than signatures needed.")}</p>}
                <h3>{t("Administrators")}</h3>
                <ul class="plain-list">
                    {d.administrators.map((a) => (
                        <li key={a.certificate}>
                            <span>{a.name}</span>
                            <button type="button" aria-label={t("Remove {name}", { name: a.name })} onClick={() => set({ administrators: d.administrators.filter((o) => o !== a) })}>
                                <Icon name="trash" />
                            </button>
                        </li>
                    ))}
                </ul>
                <button type="button" onClick={() => (open.value = "administrator")}>
                    {t("Add an administrator")}
                </button>
                <h3>{t("Signers")}</h3>
                <ul class="plain-list">
                    {d.signers.map((s) => (
                        <li key={s.certificate}>
                            <span>
                                <strong>{s.name}</strong> <small class="muted">{rightsText(s)}</small>
                            </span>
                            <span class="row-actions">
                                <button type="button" onClick={() => (open.value = s)}>
                                    {t("Rights")}
                                </button>
                                <button type="button" aria-label={t("Remove {name}", { name: s.name })} onClick={() => set({ signers: d.signers.filter((o) => o !== s) })}>
                                    <Icon name="trash" />
                                </button>
                            </span>
                        </li>
                    ))}
                </ul>
                <button type="button" onClick={() => (open.value = "signer")}>
                    {t("Add a signer")}
                </button>
                <TimestampKeys keys={d.timestamp_keys} onChange={(timestamp_keys) => set({ timestamp_keys })} />
                <div class="row-actions row-end">
                    <button type="button" onClick={onClose}>
                        {t("Cancel")}
                    </button>
                    <button type="button" class="primary" disabled={!isGood} onClick={submit}>
                        {t("Review")}
                    </button>
                </div>
            </section>
            {open.value === "administrator" && (
                <AdministratorDialog
                    onClose={() => (open.value = undefined)}
                    onDone={(who) => {
                        set({ administrators: [...d.administrators, who] });
                        open.value = undefined;
                    }}
                />
            )}
            {open.value && open.value !== "administrator" && <SignerDialog of={open.value === "signer" ? undefined : open.value} onClose={() => (open.value = undefined)} onDone={keep} />}
        </>
    );
}
