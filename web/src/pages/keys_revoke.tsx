// Certificates that count no more: which there are, what a revocation hits, and what comes first.
import { useSignal } from "@preact/signals";
import { apiPath, call } from "../api";
import { FormDialog } from "../components/dialog";
import { Choice, Field } from "../components/fields";
import { review } from "../components/review";
import { say, sayError } from "../components/toasts";
import { t, tn } from "../i18n";
import { keyOf, mayPublish, nameOf, rootState, short } from "./keys_model";

interface Hit {
    of: string; // the certificate
    packages: readonly { package: string; version: string; maturity: string; signer: string }[];
    hosts: readonly { uuid: string; name: string }[];
    unread: number;
}
const SHOWN = 12;

function Names({ names }: { names: readonly string[] }) {
    return (
        <ul class="host-names">
            {names.slice(0, SHOWN).map((n) => (
                <li key={n}>{n}</li>
            ))}
            {names.length > SHOWN && <li class="muted">{tn(names.length - SHOWN, "and {n} more", "and {n} more")}</li>}
        </ul>
    );
}

function Effects({ hit, look }: { hit: Hit; look: () => void }) {
    const resignPackages = () => review({ what: "resign", packages: hit.packages.map((p) => `${p.package}(=${p.version})`) }, look);
    const resignHosts = () => review({ what: "host-packages", hosts: hit.hosts.map((h) => h.uuid), resign: true }, look);
    return (
        <>
            <h3>{tn(hit.packages.length, "{n} package of the repository is signed so", "{n} packages of the repository are signed so")}</h3>
            {hit.packages.length > 0 && (
                <>
                    <p>{t("No machine would take a list with them: sign them anew, with another key, or remove them first.")}</p>
                    <Names names={hit.packages.map((p) => `${p.package} ${p.version}`)} />
                    <button type="button" onClick={resignPackages}>
                        {t("Sign them anew")}
                    </button>
                </>
            )}
            <h3>{tn(hit.hosts.length, "{n} machine's own package is signed so", "{n} machines' own packages are signed so")}</h3>
            {hit.hosts.length > 0 && (
                <>
                    <p>{t("What it assigned stays, and nothing new comes to these machines until it is signed anew.")}</p>
                    <Names names={hit.hosts.map((h) => h.name)} />
                    <button type="button" onClick={resignHosts}>
                        {t("Sign the machines' packages anew")}
                    </button>
                </>
            )}
            {hit.unread > 0 && <p class="muted">{tn(hit.unread, "The package of {n} machine could not be judged.", "The packages of {n} machines could not be judged.")}</p>}
        </>
    );
}

function RevokeDialog({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
    const revoked = rootState.value?.list?.revoked ?? [];
    const signers = (rootState.value?.root?.signers ?? []).filter((s) => !revoked.includes(s.fingerprint));
    const chosen = useSignal(signers[0]?.fingerprint ?? "");
    const other = useSignal("");
    const hit = useSignal<Hit | undefined>(undefined);
    const fingerprint = (chosen.value || other.value.trim().toLowerCase().replaceAll(":", "")).trim();
    const isGood = /^[0-9a-f]{64}$/.test(fingerprint);
    const look = async () => {
        hit.value = undefined;
        hit.value = { ...(await call<Omit<Hit, "of">>("POST", "/local/revocation", { fingerprints: [fingerprint] })), of: fingerprint };
    };
    const seen = hit.value?.of === fingerprint ? hit.value : undefined; // of another one says nothing of this
    const revoke = () => {
        onClose();
        review({ what: "publish", revoke: [fingerprint], ...keyOf((f) => mayPublish(f) && f !== fingerprint) }, () => {
            say(t("Revoked. Machines learn it with their next update."));
            onDone();
        });
    };
    const canRevoke = seen?.packages.length === 0;
    return (
        <FormDialog
            title={t("Revoke a certificate")}
            onClose={onClose}
            onSubmit={canRevoke ? revoke : look}
            button={canRevoke ? t("Revoke") : t("What does it hit?")}
            disabled={!isGood}
            danger={canRevoke}
            waiting={t("Looking through the repository and the machines' packages.")}
            wide
        >
            <p class="muted">{t("Nothing that it signed counts any more, nor what others signed for whom it vouches: packages, orders, kept scripts. It can't be taken back.")}</p>
            <Choice
                label={t("Certificate")}
                value={chosen.value}
                options={[...signers.map((s) => [s.fingerprint, `${s.name} (${short(s.fingerprint)})`] as const), ["", t("another, by its fingerprint")]]}
                onChange={(v) => (chosen.value = v)}
            />
            {chosen.value === "" && <Field label={t("Fingerprint (SHA-256)")} value={other.value} onInput={(v) => (other.value = v)} />}
            {seen && <Effects hit={seen} look={() => void look().catch(sayError)} />}
        </FormDialog>
    );
}

function MachineDialog({ onClose }: { onClose: () => void }) {
    const uuid = useSignal("");
    const submit = () => {
        const id = uuid.value.trim();
        return call("DELETE", apiPath(["hosts", id, "certificate"])).then(() => {
            say(t("Revoked. The machine gets another one, for another key."));
            onClose();
        });
    };
    return (
        <FormDialog title={t("Revoke a machine's certificate")} onClose={onClose} onSubmit={submit} button={t("Revoke")} disabled={!uuid.value.trim()} danger>
            <p>{t("Whoever has that certificate is let in by it no more. The machine itself gets another one by its own key; to shut it out, forget it.")}</p>
            <Field label={t("Identifier of the machine")} value={uuid.value} onInput={(v) => (uuid.value = v)} autofocus />
        </FormDialog>
    );
}

export function RevokedTab({ onDone }: { onDone: () => void }) {
    const open = useSignal<"signer" | "machine" | undefined>(undefined);
    const state = rootState.value;
    const revoked = state?.list?.revoked ?? [];
    return (
        <>
            <div class="bar">
                <button type="button" class="danger" disabled={!state?.root} onClick={() => (open.value = "signer")}>
                    {t("Revoke a certificate")}
                </button>
                <button type="button" class="danger" onClick={() => (open.value = "machine")}>
                    {t("Revoke a machine's certificate")}
                </button>
            </div>
            <section class="panel">
                <h2>{t("Signers")}</h2>
                {!state?.root && <p>{state?.problem ?? t("Loading")}</p>}
                {state?.root && revoked.length === 0 && <p class="muted">{t("None is revoked.")}</p>}
                <ul class="plain-list">
                    {revoked.map((fingerprint) => (
                        <li key={fingerprint}>
                            <span>
                                <strong>{nameOf(fingerprint)}</strong> <code>{fingerprint}</code>
                            </span>
                        </li>
                    ))}
                </ul>
            </section>
            {open.value === "signer" && <RevokeDialog onClose={() => (open.value = undefined)} onDone={onDone} />}
            {open.value === "machine" && <MachineDialog onClose={() => (open.value = undefined)} />}
        </>
    );
}
