// The root of the repository: shown decoded, begun and changed as a proposal that goes from one administrator to the next, and published. The program composes
// what is signed, and shows it against the root in force.
import { useSignal } from "@preact/signals";
import { call } from "../api";
import { Facts } from "../components/fields";
import { review } from "../components/review";
import { Status } from "../components/status";
import { say, sayError } from "../components/toasts";
import { dateTime, day } from "../format";
import { t, tn, type Text } from "../i18n";
import { certificates, isAdministrator, keyOf, LISTS, mayPublish, readKeys, rootState, save, short, type Root } from "./keys_model";
import { DraftEditor, listText, TITLES } from "./keys_root_draft";
import { publish as publishList } from "./repository_changes";

interface Signed {
    document?: string;
    version?: number;
    missing?: string | null;
    in_force?: boolean; // the first one, and all have signed: it was sent, and is known here
}

async function publish(document: string, onDone: () => void): Promise<void> {
    const made = await call<{ version: number }>("PUT", "/local/root", { document });
    say(t("Root version {n} is in force.", { n: made.version }));
    onDone();
}

/** Signed once more: sent when all have, else given to the next. */
function wasSigned(answer: Signed, onDone: () => void): void {
    const document = String(answer.document);
    if (answer.in_force) {
        save(document, "root.json", "application/json");
        say(t("The root is in force, and saved as root.json: give it to the other administrators. Next comes the list of what is published."));
        readKeys().then(() => {
            const { key } = keyOf(mayPublish);
            if (key) publishList(onDone, { key });
        }, sayError);
        onDone();
        return;
    }
    if (answer.missing === null) {
        publish(document, onDone).catch(sayError);
        return;
    }
    save(document, `root-${answer.version}.json`, "application/json");
    say(t("Signed, and saved as root-{n}.json: {missing}. Give the file to the next administrator.", { n: String(answer.version), missing: answer.missing ?? "" }));
}

/** Whether that certificate is an administrator's of a first root that somebody proposes. */
function isProposed(document: string, fingerprint: string): boolean {
    const pem = certificates.value?.keys.find((c) => c.fingerprint === fingerprint)?.pem;
    try {
        const text = JSON.parse((JSON.parse(document) as { signed: string }).signed) as { administrators: string[] };
        return text.administrators.some((a) => a.trim() === pem?.trim());
    } catch {
        return false; // the program says what is wrong with it
    }
}

function signFile(document: string, onDone: () => void): void {
    review({ what: "root", document, ...keyOf((f) => isAdministrator(f) || isProposed(document, f)) }, (answer) => wasSigned(answer, onDone), { button: "Sign" });
}

/** Takes over a root that others have signed; the server gets it where it has none. */
function knowFile(document: string, onDone: () => void): void {
    review({ what: "known-root", document }, (answer) => {
        say(t("Root version {n} is known here from now on.", { n: String(answer.version) }));
        onDone();
    });
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
                        [t("Timestamp keys"), root.timestamp_key_ids.map(short).join(", ")],
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
    if (isEditing.value) return <DraftEditor root={root} onClose={() => (isEditing.value = false)} onSigned={(answer) => wasSigned(answer, onDone)} />;
    if (!root)
        return (
            <section class="panel">
                <h2>{state.is_none ? t("There is no root yet") : t("The root is not known here")}</h2>
                {state.problem && <p role="alert">{state.problem}</p>}
                <p>
                    {state.is_none
                        ? t("The root says who may sign packages and orders, and who publishes the repository's list, so that even whoever owns the server can slip in nothing, leave nothing out, and freeze nothing. Until there is one, each machine goes by its own configuration.")
                        : t("Have one of its administrators give you root.json by a way that you trust: the server is believed in none.")}
                </p>
                <div class="bar">
                    {state.is_none && (
                        <button type="button" class="primary" disabled={!certificates.value} onClick={() => (isEditing.value = true)}>
                            {t("Make the first root")}
                        </button>
                    )}
                    {state.is_none && <FileButton label="Sign a proposal" onText={(text) => signFile(text, onDone)} />}
                    <FileButton label="Take over a signed root" onText={(text) => knowFile(text, onDone)} />
                </div>
            </section>
        );
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

