// A person's own second factor: set up in three steps - who it is, its code, what to keep -, and ended. Afterwards one logs in anew, which shows that it works.
import { signal, useSignal } from "@preact/signals";
import { apiPath, call } from "../api";
import { t } from "../i18n";
import { local, refreshState } from "../local";
import { Dialog, FormDialog } from "./dialog";
import { Field } from "./fields";
import { Qr } from "./qr";
import { sayError } from "./toasts";

interface Offer {
    secret: string; // base32
    uri: string; // otpauth://
}

/** Whoever has logged out is not logged in again by a ticket, unasked. */
export const hasLoggedOut = signal(false);

export function logOut(): void {
    hasLoggedOut.value = true;
    call("POST", "/local/logout", {}).then(refreshState, sayError);
}

const inFours = (text: string) => text.match(/.{1,4}/g)?.join(" ") ?? text;

/** Ten codes, each good once in place of the device's: shown this once. */
function Recovery({ codes }: { codes: readonly string[] }) {
    const isCopied = useSignal(false);
    const copy = () => void navigator.clipboard.writeText(codes.join("\n")).then(() => (isCopied.value = true), sayError);
    const footer = (
        <>
            <button type="button" onClick={copy}>
                {isCopied.value ? t("Copied") : t("Copy")}
            </button>
            <button type="submit" class="primary">
                {t("I have kept them")}
            </button>
        </>
    );
    return (
        <Dialog title={t("Recovery codes")} onSubmit={logOut} footer={footer}>
            <p>{t("The second factor counts from now on. Each of these codes is good once in its place, should you lose the device; they are shown this once. Then log in anew.")}</p>
            <ul class="codes">
                {codes.map((code) => (
                    <li key={code}>
                        <code>{code}</code>
                    </li>
                ))}
            </ul>
        </Dialog>
    );
}

/** onClose: absent where nothing else can be done before; then one can only log out. */
export function SetUpFactor({ onClose }: { onClose?: () => void }) {
    const password = useSignal("");
    const code = useSignal("");
    const offer = useSignal<Offer | undefined>(undefined);
    const codes = useSignal<readonly string[] | undefined>(undefined);
    const next = async () => {
        const typed = code.value.trim();
        code.value = "";
        if (!offer.value) offer.value = await call<Offer>("POST", apiPath(["account", "second-factor"]), { password: password.value });
        else codes.value = (await call<{ recovery_codes: string[] }>("POST", apiPath(["account", "second-factor", "confirm"]), { code: typed })).recovery_codes;
        password.value = "";
    };
    if (codes.value) return <Recovery codes={codes.value} />;
    const shown = offer.value;
    return (
        <FormDialog title={t("A second factor")} onClose={onClose ?? logOut} onSubmit={next} button={t("Go on")} disabled={shown ? code.value.trim().length !== 6 : password.value === ""}>
            {!shown && (
                <>
                    {!onClose && <p>{t("The server wants a second factor of you: set it up, then log in again. Cancel logs you out.")}</p>}
                    <p>{t("Six digits of an authenticator, on your telephone say, besides your password.")}</p>
                    <Field key="password" label={t("Your password")} type="password" autoComplete="current-password" value={password.value} onInput={(v) => (password.value = v)} autofocus />
                </>
            )}
            {shown && (
                <>
                    <p>{t("Have the authenticator read this, or type the secret into it. Then type the six digits that it shows.")}</p>
                    <Qr text={shown.uri} label={t("QR code of the secret")} />
                    <p>
                        <code class="said">{inFours(shown.secret)}</code>
                    </p>
                    <Field key="code" label={t("Six digits")} autoComplete="one-time-code" value={code.value} onInput={(v) => (code.value = v)} autofocus />
                </>
            )}
        </FormDialog>
    );
}

export function EndFactor({ onClose }: { onClose: () => void }) {
    const code = useSignal("");
    const end = () => call("POST", apiPath(["account", "second-factor", "off"]), { code: code.value.trim() }).then(logOut);
    return (
        <FormDialog title={t("End the second factor")} onClose={onClose} onSubmit={end} button={t("End it")} disabled={code.value.trim() === ""} danger>
            <p>{t("From then on your password alone lets you in. Its last code says that it is you.")}</p>
            <Field label={t("Six digits")} autoComplete="one-time-code" value={code.value} onInput={(v) => (code.value = v)} />
        </FormDialog>
    );
}

/** Before all else: a session that is good for nothing but setting one up. */
export function MustSetUp() {
    return local.value?.server.lacks_second_factor ? <SetUpFactor /> : null;
}
