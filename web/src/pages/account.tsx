// Who is logged in: the account's password, second factor and certificates, and where else it is logged in.
import { useSignal } from "@preact/signals";
import { apiPath } from "../api";
import { LoginCertificates } from "../components/certificates";
import { Change } from "../components/change";
import { FormDialog } from "../components/dialog";
import { EndFactor, SetUpFactor } from "../components/factor";
import { Choice, Facts, Field } from "../components/fields";
import { useRead } from "../components/read";
import { review } from "../components/review";
import { Status } from "../components/status";
import { t } from "../i18n";
import { local } from "../local";
import { Sessions } from "./account_sessions";
import { PASSWORD_MIN, roleText } from "./people";
import { rightText } from "./tokens";

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

function PasswordDialog({ onDone }: { onDone: (is: boolean) => void }) {
    const old = useSignal("");
    const next = useSignal("");
    const again = useSignal("");
    const isReady = old.value !== "" && next.value.length >= PASSWORD_MIN && next.value === again.value;
    return (
        <Change title={t("Change your password")} isReady={isReady} grant={() => ({ do: "own-password", give: { old: old.value, new: next.value } })} onDone={onDone}>
            <Field label={t("Present password")} type="password" autoComplete="current-password" value={old.value} onInput={(v) => (old.value = v)} autofocus />
            <Field label={t("New password")} type="password" autoComplete="new-password" value={next.value} onInput={(v) => (next.value = v)} hint={t("Ten characters at least.")} />
            <Field label={t("Password again")} type="password" autoComplete="new-password" value={again.value} onInput={(v) => (again.value = v)} />
            <p>{t("Everywhere else you are logged out.")}</p>
            {again.value !== "" && next.value !== again.value && <p class="error">{t("The two passwords differ.")}</p>}
        </Change>
    );
}

export function AccountPage() {
    const open = useSignal<"" | "set" | "end" | "certificate" | "password">("");
    const version = useSignal(0);
    const found = useRead<{ certificates: { sha256: string }[] }>(apiPath(["account", "certificates"]), version.value);
    const changed = () => version.value++;
    const certificates = (found?.certificates ?? []).map((c) => c.sha256);
    const server = local.value?.server;
    if (server?.state !== "connected") return <div class="page" aria-busy="true" />;
    const has = server.second_factor === true;
    const close = () => (open.value = "");
    const done = (is: boolean) => {
        close();
        if (is) changed();
    };
    return (
        <div class="page page-table">
            <div class="page-head">
                <h1>{t("Your account")}</h1>
            </div>
            <section class="panel panel-above">
                <Facts
                    rows={[
                        [t("Name"), server.user],
                        [t("Role"), server.roles.map(roleText).join(", ")],
                        [t("Rights"), <span key="r" class="said">{(server.rights ?? "").split(",").map(rightText).join("\n")}</span>],
                        [t("Second factor"), <Status key="f" tone={has ? "ok" : "none"} text={has ? t("set up") : t("none")} />],
                        ...(certificates.length > 0 ? [[t("Login certificates"), <LoginCertificates key="c" all={certificates} path={["account", "certificates"]} onDone={changed} />] as const] : []),
                    ]}
                />
                <p class="muted">{t("After a change of the second factor you log in anew, here and wherever else you are logged in.")}</p>
                <div class="row-actions">
                    <button type="button" class={has ? "danger" : "primary"} onClick={() => (open.value = has ? "end" : "set")}>
                        {has ? t("End the second factor") : t("Set up a second factor")}
                    </button>
                    <button type="button" onClick={() => (open.value = "password")}>
                        {t("Change your password")}
                    </button>
                    <button type="button" onClick={() => (open.value = "certificate")}>
                        {t("Log in by one of your keys")}
                    </button>
                </div>
            </section>
            <Sessions version={version.value} />
            {open.value === "password" && <PasswordDialog onDone={done} />}
            {open.value === "certificate" && <AddCertificate onClose={close} onDone={changed} />}
            {open.value === "end" && has && <EndFactor onClose={close} />}
            {open.value === "set" && !has && <SetUpFactor onClose={close} />}
        </div>
    );
}
