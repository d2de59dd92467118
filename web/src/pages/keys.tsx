// Keys and certificates, the root of the repository, and what counts no more. The program makes keys and keeps them; a page sees certificates alone.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Icon } from "../components/icons";
import { review } from "../components/review";
import { Status, type Tone } from "../components/status";
import { Tabs } from "../components/tabs";
import { say, sayError } from "../components/toasts";
import { day } from "../format";
import { t, tn } from "../i18n";
import { epoch, refreshState } from "../local";
import type { Column } from "../table/columns";
import { LocalTable } from "../table/local";
import { NewKey, SignRequest } from "./keys_new";
import { authorities, certificates, may, nextStep, placeInRoot, readKeys, rootState, short, taken, type Certificate } from "./keys_model";
import { ChangePassword } from "./keys_password";
import { RevokedTab } from "./keys_revoke";
import { RootTab } from "./keys_root";

const SOON: Record<"soon" | "expired" | "good", Tone> = { soon: "warn", expired: "bad", good: "ok" };
const yes = (is: boolean) => (is ? t("yes") : t("no"));

/** "CN=Authority,O=Example": the first name, which a column has room for. */
const nameIn = (subject: string) => /^CN=([^,]+)/.exec(subject)?.[1] ?? subject;

const COMMON: readonly Column<Certificate>[] = [
    { id: "name", title: "Name", width: 120, grows: 300, sort: "name", text: (c) => c.name, cell: (c) => <span title={c.subject}>{c.name}</span> },
    { id: "until", title: "Valid until", width: 150, sort: "until", text: (c) => day(c.not_after), cell: (c) => <Status tone={SOON[c.problem ?? "good"]} text={day(c.not_after)} /> },
    { id: "may", title: "May", width: 200, grows: 380, sort: "may", text: may },
    { id: "root", title: "In the root", width: 116, grows: 240, sort: "root", text: (c) => placeInRoot(c.fingerprint) },
    { id: "taken", title: "Server takes it", width: 142, sort: "taken", text: (c) => yes(taken.value.has(c.fingerprint)) },
    { id: "issuer", title: "Issued by", width: 110, grows: 420, sort: "issuer", text: (c) => (c.self_issued ? t("itself") : c.issuer), cell: (c) => <span title={c.issuer}>{c.self_issued ? t("itself") : nameIn(c.issuer)}</span> },
    { id: "kind", title: "Key", width: 96, grows: 120, sort: "kind", text: (c) => c.kind, isHidden: true },
    { id: "fingerprint", title: "Fingerprint", width: 146, text: (c) => c.fingerprint, cell: (c) => <code title={c.fingerprint}>{short(c.fingerprint)}</code> },
];
const OWN: readonly Column<Certificate>[] = [
    ...COMMON.slice(0, 4),
    { id: "trusted", title: "Trusted here", width: 126, sort: "trusted", text: (c) => yes(c.trusted === true) },
    { id: "source", title: "Kept", width: 122, grows: 180, sort: "source", text: (c) => (c.source === "pkcs11" ? t("on a token") : t("in a file")) },
    ...COMMON.slice(4).map((column) => (column.id === "issuer" ? { ...column, isHidden: true } : column)),
];

/** A request that one's own new key waits with: issued by an authority that is here, too. */
function Pending({ names, onDone }: { names: readonly string[]; onDone: () => void }) {
    const [first] = authorities();
    const issue = (own: string) =>
        review({ what: "certificate", own, days: 730, code_signing: true, key: first?.id }, (answer) => {
            say(t("Issued: {fingerprint}", { fingerprint: String(answer.fingerprint) }));
            onDone();
        }, { button: "Sign" });
    return (
        <section class="panel panel-above">
            <h2>{tn(names.length, "{n} key waits for its certificate", "{n} keys wait for their certificates")}</h2>
            <ul class="plain-list">
                {names.map((name) => (
                    <li key={name}>
                        <span>{name}</span>
                        {first && (
                            <button type="button" onClick={() => issue(name)}>
                                {t("Issue by {name}", { name: first.name })}
                            </button>
                        )}
                    </li>
                ))}
            </ul>
            {!first && <p class="muted">{t("Give NAME.csr from the folder of your keys to whoever has the authority, and put what comes back beside it, as NAME.crt.")}</p>}
        </section>
    );
}

function OwnKeys({ onDone }: { onDone: () => void }) {
    const all = certificates.value;
    if (!all) return <p role="status">{t("Loading")}</p>;
    const ending = all.keys.filter((c) => c.problem);
    return (
        <>
            {all.problem && (
                <p class="error" role="alert">
                    {all.problem}
                </p>
            )}
            {ending.length > 0 && (
                <section class="panel panel-above">
                    <h2>{t("To do")}</h2>
                    {ending.map((c) => (
                        <p key={c.fingerprint}>
                            <Status tone={SOON[c.problem ?? "good"]} text={c.problem === "expired" ? t("expired") : t("ends soon")} /> {nextStep(c)}
                        </p>
                    ))}
                </section>
            )}
            {all.pending.length > 0 && <Pending names={all.pending} onDone={onDone} />}
            <LocalTable name="keys" label={t("Keys")} all={all.keys} columns={OWN} rowKey={(c) => c.fingerprint} values={{ until: (c) => c.not_after }} firstSort="name" empty={t("There is no key here yet: make one.")} />
            <p class="muted">{all.folder ? t("Kept in {folder}.", { folder: all.folder }) : ""}</p>
        </>
    );
}

function Others() {
    const all = certificates.value;
    return (
        <>
            <LocalTable name="certificates" label={t("Trusted certificates")} all={all?.others} columns={COMMON} rowKey={(c) => c.fingerprint} values={{ until: (c) => c.not_after }} firstSort="name" empty={t("No other certificate is trusted here.")} />
            <p class="muted">{all?.trusted_folder ? t("Whose packages count here: {folder}.", { folder: all.trusted_folder }) : t("No folder of trusted certificates is configured: public_certs_dir in waptconsole.ini.")}</p>
        </>
    );
}

export function KeysPage() {
    const open = useSignal<"new" | "sign" | "password" | undefined>(undefined);
    const read = () => void readKeys().catch(sayError);
    useEffect(read, [epoch.value]);
    const done = () => {
        open.value = undefined;
        void refreshState();
        read();
    };
    const revoked = rootState.value?.list?.revoked.length;
    const files = certificates.value?.keys.filter((k) => k.source === "pem") ?? [];
    return (
        <div class="page page-table">
            <div class="page-head">
                <h1>{t("Keys")}</h1>
                <span class="space" />
                <button type="button" onClick={() => (open.value = "password")} disabled={files.length === 0}>
                    {t("Change a password")}
                </button>
                <button type="button" onClick={() => (open.value = "sign")} disabled={authorities().length === 0}>
                    <Icon name="journal" />
                    {t("Sign a request")}
                </button>
                <button type="button" class="primary" onClick={() => (open.value = "new")}>
                    <Icon name="key" />
                    {t("New key")}
                </button>
            </div>
            <Tabs
                label={t("Keys")}
                tabs={[
                    { id: "own", title: t("Own keys"), count: certificates.value?.keys.length, body: () => <OwnKeys onDone={done} /> },
                    { id: "others", title: t("Trusted certificates"), count: certificates.value?.others.length, body: () => <Others /> },
                    { id: "root", title: t("Root"), body: () => <RootTab onDone={done} /> },
                    { id: "revoked", title: t("Revoked"), count: revoked, body: () => <RevokedTab onDone={done} /> },
                ]}
            />
            {open.value === "new" && <NewKey onClose={() => (open.value = undefined)} onDone={done} />}
            {open.value === "password" && <ChangePassword keys={files} onClose={() => (open.value = undefined)} />}
            {open.value === "sign" && <SignRequest onClose={() => (open.value = undefined)} onDone={done} />}
        </div>
    );
}
