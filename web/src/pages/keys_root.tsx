// The root of the repository: shown decoded, changed as a proposal that goes from one administrator to the next, and published. The program composes
// what is signed, and shows it against the root in force.
import { useSignal } from "@preact/signals";
import { call } from "../api";
import { Dialog } from "../components/dialog";
import { Check, Choice, Facts, Field } from "../components/fields";
import { Icon } from "../components/icons";
import { review } from "../components/review";
import { Status } from "../components/status";
import { say, sayError } from "../components/toasts";
import { dateTime, day, number } from "../format";
import { t, tn, type Text } from "../i18n";
import { certificates, isAdministrator, keyOf, LISTS, rootState, save, short, type List, type Rights, type Root } from "./keys_model";

const HINTS: Record<List, Text> = {
    sections: "sections of packages it may sign; * is every one",
    prefixes: "beginnings of package names it may sign",
    actions: "what it may order: update, upgrade, install...",
    groups: "machines it may order for: of these groups,",
    units: "or of these organisational units",
};
const TITLES: Record<List, Text> = { sections: "Sections", prefixes: "Prefixes", actions: "Orders", groups: "Groups", units: "Units" };
const words = (text: string) => text.split(/[\n,]+/).map((w) => w.trim()).filter(Boolean);
const listText = (list: readonly string[]) => (list.length > 0 ? list.join(", ") : t("none"));

/** A certificate of the draft: fingerprint of one that the root has, or PEM of one that is new. */
interface Who {
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
}

function draftOf(root: Root): Draft {
    return {
        threshold: root.threshold,
        days: 365,
        published_days: root.published_days,
        timestamp_hours: root.timestamp_hours,
        administrators: root.administrators.map((a) => ({ certificate: a.fingerprint, name: a.name })),
        signers: root.signers.map(({ name, fingerprint, sections, prefixes, actions, groups, units, code, publish }) => ({ name, certificate: fingerprint, sections, prefixes, actions, groups, units, code, publish })),
    };
}

function wishOf(draft: Draft): object {
    return { ...draft, administrators: draft.administrators.map((a) => a.certificate), signers: draft.signers.map(({ name: _, ...rest }) => rest) };
}

interface Signed {
    document?: string;
    version?: number;
    missing?: string | null;
}

async function publish(document: string, onDone: () => void): Promise<void> {
    const made = await call<{ version: number }>("PUT", "/local/root", { document });
    say(t("Root version {n} is in force.", { n: made.version }));
    onDone();
}

/** Signed once more: sent when all have, else given to the next. */
function wasSigned(answer: Signed, onDone: () => void): void {
    const document = String(answer.document);
    if (answer.missing === null) {
        publish(document, onDone).catch(sayError);
        return;
    }
    save(document, `root-${answer.version}.json`, "application/json");
    say(t("Signed, and saved as root-{n}.json: {missing}. Give the file to the next administrator.", { n: String(answer.version), missing: answer.missing ?? "" }));
}

function signFile(document: string, onDone: () => void): void {
    review({ what: "root", document, ...keyOf(isAdministrator) }, (answer) => wasSigned(answer, onDone), { button: "Sign" });
}

// --- the draft ---

function chooseFrom(): readonly (readonly [string, string])[] {
    const all = [...(certificates.value?.keys ?? []), ...(certificates.value?.others ?? [])];
    return all.map((c) => [c.pem, `${c.name} (${short(c.fingerprint)})`] as const);
}

function PickCertificate({ value, onChange }: { value: Who; onChange: (who: Who) => void }) {
    const options = chooseFrom();
    const take = (pem: string) => onChange({ certificate: pem, name: options.find(([p]) => p === pem)?.[1] ?? t("from a file") });
    return (
        <>
            <Choice label={t("Certificate")} value={options.some(([p]) => p === value.certificate) ? value.certificate : ""} options={[["", value.name || t("choose...")], ...options]} onChange={(v) => v && take(v)} />
            <label class="field">
                <span>{t("or its file")}</span>
                <input type="file" accept=".crt,.pem,.cer" onChange={(e) => void e.currentTarget.files?.[0]?.text().then((text) => onChange({ certificate: text, name: t("from a file") }))} />
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
    const footer = (
        <>
            <button type="button" onClick={onClose}>
                {t("Cancel")}
            </button>
            <button type="submit" class="primary" disabled={!who.value.certificate}>
                {t("Keep")}
            </button>
        </>
    );
    return (
        <Dialog title={of ? t("Rights of {name}", { name: of.name }) : t("New signer")} onClose={onClose} onSubmit={submit} footer={footer} wide>
            {!of && <PickCertificate value={who.value} onChange={(w) => (who.value = w)} />}
            <div class="form-two">
                {LISTS.map((l) => (
                    <Field key={l} label={t(TITLES[l])} value={lists.value[l]} onInput={(v) => (lists.value = { ...lists.value, [l]: v })} hint={t(HINTS[l])} />
                ))}
            </div>
            <Check label={t("Sign packages with code")} checked={code.value} onChange={(on) => (code.value = on)} />
            <Check label={t("Publish the list")} checked={publishes.value} onChange={(on) => (publishes.value = on)} />
        </Dialog>
    );
}

function AdministratorDialog({ onClose, onDone }: { onClose: () => void; onDone: (who: Who) => void }) {
    const who = useSignal<Who>({ certificate: "", name: "" });
    const footer = (
        <>
            <button type="button" onClick={onClose}>
                {t("Cancel")}
            </button>
            <button type="submit" class="primary" disabled={!who.value.certificate}>
                {t("Keep")}
            </button>
        </>
    );
    return (
        <Dialog title={t("New administrator")} onClose={onClose} onSubmit={() => who.value.certificate && onDone(who.value)} footer={footer}>
            <PickCertificate value={who.value} onChange={(w) => (who.value = w)} />
        </Dialog>
    );
}

function rightsText(s: Rights): string {
    const flags = [s.publish ? t("publishes") : "", s.code ? t("signs code") : ""].filter(Boolean);
    return [...flags, ...LISTS.map((l) => `${t(TITLES[l])}: ${listText(s[l])}`)].join(" · ");
}

function DraftEditor({ root, onClose, onDone }: { root: Root; onClose: () => void; onDone: () => void }) {
    const draft = useSignal<Draft>(draftOf(root));
    const open = useSignal<"administrator" | "signer" | DraftSigner | undefined>(undefined);
    const d = draft.value;
    const set = (change: Partial<Draft>) => (draft.value = { ...draft.value, ...change });
    const numberField = (label: Text, key: "threshold" | "days" | "published_days" | "timestamp_hours") => <Field label={t(label)} type="number" value={String(d[key])} onInput={(v) => set({ [key]: Math.trunc(Number(v)) })} />;
    const keep = (s: DraftSigner) => {
        const others = d.signers.filter((o) => o.certificate !== s.certificate);
        set({ signers: others.length === d.signers.length ? [...d.signers, s] : d.signers.map((o) => (o.certificate === s.certificate ? s : o)) });
        open.value = undefined;
    };
    const isGood = d.administrators.length > 0 && d.threshold >= 1 && d.threshold <= d.administrators.length && d.days >= 1;
    const submit = () =>
        review({ what: "root", wish: wishOf(d), ...keyOf(isAdministrator) }, (answer) => {
            wasSigned(answer, onDone);
            onClose();
        }, { button: "Sign" });
    return (
        <>
            <section class="panel" data-test="draft">
                <h2>{t("Proposal of version {n}", { n: root.version + 1 })}</h2>
                <p class="muted">{t("Nothing is in force before enough administrators of this root and of the new one have signed. You see all changes before you sign.")}</p>
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

// --- what is in force ---

function Shown({ root }: { root: Root }) {
    const list = rootState.value?.list;
    return (
        <div class="panels">
            <section class="panel">
                <h2>{t("In force: version {n}", { n: root.version })}</h2>
                <Facts
                    rows={[
                        [t("Expires"), `${day(root.expires)}`],
                        [t("Signatures needed"), t("{n} of {of}", { n: root.threshold, of: root.administrators.length })],
                        [t("Administrators"), root.administrators.map((a) => a.name).join(", ")],
                        [t("Timestamp keys"), number(root.timestamp_keys)],
                        [t("Published list"), list ? t("version {n}, good until {day}", { n: list.version, day: dateTime(list.expires) }) : (rootState.value?.list_problem ?? t("none"))],
                        [t("Repository"), <code key="r">{root.repository}</code>],
                    ]}
                />
            </section>
            {root.signers.map((s) => (
                <section class="panel" key={s.fingerprint}>
                    <h2>
                        {s.name} <Status tone={s.publish ? "ok" : "none"} text={s.publish ? t("publishes") : t("signer")} />
                    </h2>
                    <Facts
                        rows={[
                            [t("Fingerprint"), <code key="f" title={s.fingerprint}>{short(s.fingerprint)}</code>],
                            [t("Valid until"), day(s.not_after)],
                            [t("Signs code"), s.code ? t("yes") : t("no")],
                            ...LISTS.map((l) => [t(TITLES[l]), listText(s[l])] as const),
                        ]}
                    />
                </section>
            ))}
        </div>
    );
}

function FileButton({ label, onText }: { label: Text; onText: (text: string) => void }) {
    return (
        <label class="button">
            {t(label)}
            <input
                type="file"
                class="file-hidden"
                accept=".json"
                onChange={(e) => {
                    const input = e.currentTarget;
                    void input.files?.[0]?.text().then((text) => {
                        input.value = "";
                        onText(text);
                    });
                }}
            />
        </label>
    );
}

export function RootTab({ onDone }: { onDone: () => void }) {
    const isEditing = useSignal(false);
    const state = rootState.value;
    if (!state) return <p role="status">{t("Loading")}</p>;
    const { root } = state;
    if (!root)
        return (
            <section class="panel">
                <p role="alert">{state.problem}</p>
                <p>{t("A first root is made where the keys are, and given to each administrator by hand:")}</p>
                <pre class="log" tabIndex={0}>
                    {"wapt-repo root init DIR --administrator FILE --threshold 2 --timestamp-key FILE\nwaptconsole root know root.json"}
                </pre>
            </section>
        );
    if (isEditing.value) return <DraftEditor root={root} onClose={() => (isEditing.value = false)} onDone={onDone} />;
    return (
        <>
            <div class="bar">
                <button type="button" class="primary" onClick={() => (isEditing.value = true)}>
                    {t("Propose a change")}
                </button>
                <FileButton label="Sign a proposal" onText={(text) => signFile(text, onDone)} />
                <FileButton label="Publish a signed root" onText={(text) => void publish(text, onDone).catch(sayError)} />
                <span class="muted">{tn(root.signers.length, "{n} signer", "{n} signers")}</span>
            </div>
            <Shown root={root} />
        </>
    );
}

