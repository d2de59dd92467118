// Who is logged in, the second factor of that account, and the certificates by which one logs in oneself.
import { useSignal } from "@preact/signals";
import { apiPath } from "../api";
import { LoginCertificates } from "../components/certificates";
import { FormDialog } from "../components/dialog";
import { EndFactor, SetUpFactor } from "../components/factor";
import { Choice, Facts, Field } from "../components/fields";
import { useRead } from "../components/read";
import { review } from "../components/review";
import { Status } from "../components/status";
import { t } from "../i18n";
import { local } from "../local";
import { roleText } from "./people";

/** The program shows the certificate to the server, and signs nothing; the server wants the password, and a code where there is one. */
function AddCertificate({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
    const keys = (local.value?.keys ?? []).filter((k) => k.can_log_in);
    const key = useSignal(keys[0]?.id ?? "");
    const password = useSignal("");
    const code = useSignal("");
    const takesCode = local.value?.server.second_factor === true;
    const submit = async () => {
        const asked = { what: "own-certificate", key: key.value, password: password.value, ...(takesCode ? { code: code.value.trim() } : {}) };
        onClose();
        review(asked, onDone, { button: "Confirm" });
    };
    return (
        <FormDialog title={t("Log in by one of your keys")} onClose={onClose} onSubmit={submit} button={t("Review")} disabled={key.value === "" || password.value === "" || (takesCode && code.value.trim() === "")}>
            <p>{t("Whoever has the key is you at the server from then on, without a password and a second factor.")}</p>
            {keys.length === 0 && <p>{t("There is no key here by which one could log in.")}</p>}
            {keys.length > 0 && <Choice label={t("Certificate")} value={key.value} options={keys.map((k) => [k.id, k.subject] as const)} onChange={(v) => (key.value = v)} />}
            <Field label={t("Your password")} type="password" autoComplete="current-password" value={password.value} onInput={(v) => (password.value = v)} autofocus />
            {takesCode && <Field label={t("Code of the second factor")} value={code.value} onInput={(v) => (code.value = v)} autoComplete="one-time-code" />}
        </FormDialog>
    );
}

export function AccountPage() {
    const open = useSignal<"" | "set" | "end" | "certificate">("");
    const version = useSignal(0);
    const found = useRead<{ certificates: { sha256: string }[] }>(apiPath(["account", "certificates"]), version.value);
    const changed = () => version.value++;
    const certificates = (found?.certificates ?? []).map((c) => c.sha256);
    const server = local.value?.server;
    if (server?.state !== "connected") return <div class="page" aria-busy="true" />;
    const has = server.second_factor === true;
    const close = () => (open.value = "");
    return (
        <div class="page">
            <div class="page-head">
                <h1>{t("Your account")}</h1>
            </div>
            <section class="panel panel-above">
                <Facts
                    rows={[
                        [t("Name"), server.user],
                        [t("Role"), server.roles.map(roleText).join(", ")],
                        [t("Rights"), (server.rights ?? "").split(",").join(", ")],
                        [t("Second factor"), <Status key="f" tone={has ? "ok" : "none"} text={has ? t("set up") : t("none")} />],
                        ...(certificates.length > 0 ? [[t("Login certificates"), <LoginCertificates key="c" all={certificates} path={["account", "certificates"]} onDone={changed} />] as const] : []),
                    ]}
                />
                <p class="muted">{t("After a change of the second factor you log in anew, here and wherever else you are logged in.")}</p>
                <div class="row-actions">
                    <button type="button" class={has ? "danger" : "primary"} onClick={() => (open.value = has ? "end" : "set")}>
                        {has ? t("End the second factor") : t("Set up a second factor")}
                    </button>
                    <button type="button" onClick={() => (open.value = "certificate")}>
                        {t("Log in by one of your keys")}
                    </button>
                </div>
            </section>
            {open.value === "certificate" && <AddCertificate onClose={close} onDone={changed} />}
            {open.value === "end" && has && <EndFactor onClose={close} />}
            {open.value === "set" && !has && <SetUpFactor onClose={close} />}
        </div>
    );
}
