// Another password for a key. With a pinentry both are typed beside the browser; else they come by here once, to the program alone.
import { useSignal } from "@preact/signals";
import { call } from "../api";
import { FormDialog } from "../components/dialog";
import { Choice, Field } from "../components/fields";
import { say } from "../components/toasts";
import { t } from "../i18n";
import { asksOutside, refreshState } from "../local";
import { PASSWORD_MIN, type Certificate } from "./keys_model";

export function ChangePassword({ keys, onClose }: { keys: readonly Certificate[]; onClose: () => void }) {
    const id = useSignal(keys[0]?.id ?? "");
    const old = useSignal("");
    const password = useSignal("");
    const again = useSignal("");
    const isReady = asksOutside.value || (password.value.length >= PASSWORD_MIN && password.value === again.value);
    const submit = async () => {
        const typed = asksOutside.value ? {} : { old: old.value, password: password.value };
        try {
            await call("POST", "/local/keys/password", { id: id.value, ...typed });
        } catch (e) {
            old.value = "";
            if (asksOutside.value) void refreshState(); // one that does not work is asked no more
            throw e;
        }
        say(t("The key has its new password. Copies of its file keep the old one."));
        onClose();
    };
    return (
        <FormDialog title={t("Change the password of a key")} onClose={onClose} onSubmit={submit} button={t("Change")} disabled={!isReady} waiting={asksOutside.value ? t("Type it in the window that has opened beside the browser.") : t("The key is being encrypted.")} focusButton={asksOutside.value}>
            {keys.length > 1 && <Choice label={t("Key")} value={id.value} options={keys.map((k) => [k.id ?? "", k.name] as const)} onChange={(v) => (id.value = v)} />}
            <p class="muted">{t("Who has a copy of its file and knows the old password can sign with that one still. If somebody may, make a new key and revoke this one.")}</p>
            {!asksOutside.value && (
                <>
                    <Field label={t("Old password")} type="password" autoComplete="off" value={old.value} onInput={(v) => (old.value = v)} autofocus />
                    <Field label={t("New password")} type="password" autoComplete="new-password" value={password.value} onInput={(v) => (password.value = v)} hint={t("Eight characters at least; nobody can find it again.")} />
                    <Field label={t("New password again")} type="password" autoComplete="new-password" value={again.value} onInput={(v) => (again.value = v)} />
                    {again.value !== "" && password.value !== again.value && <p class="error">{t("The two passwords differ.")}</p>}
                </>
            )}
        </FormDialog>
    );
}
