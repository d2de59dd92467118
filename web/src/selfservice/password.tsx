// The agent wants to know that it is really its person: the password of the account, which goes to the agent and is kept nowhere.
import { useSignal } from "@preact/signals";
import { Dialog } from "../components/dialog";
import { Field } from "../components/fields";
import { t } from "../i18n";
import { passwordFor, state, wishFor } from "./model";

export function Password() {
    return passwordFor.value ? <Question key={passwordFor.value.wish} /> : null;
}

function Question() {
    const password = useSignal("");
    const isBusy = useSignal(false);
    const asked = passwordFor.value;
    if (!asked) return null;
    const submit = async () => {
        isBusy.value = true;
        const given = password.value;
        password.value = "";
        await wishFor(asked.wish, given);
        isBusy.value = false;
    };
    return (
        <Dialog
            title={asked.wish.op === "remove" ? t("Remove {name}", { name: asked.wish.name }) : t("Install {name}", { name: asked.wish.name })}
            onClose={() => (passwordFor.value = undefined)}
            onSubmit={() => void submit()}
            footer={
                <button type="submit" class="primary" disabled={isBusy.value || password.value === ""}>
                    {asked.wish.op === "remove" ? t("Remove") : t("Install")}
                </button>
            }
        >
            <p>{t("Type the password of your account. It is asked for again after some minutes.")}</p>
            <Field label={t("Password of {user}", { user: state.value?.user ?? "" })} type="password" value={password.value} onInput={(v) => (password.value = v)} autofocus autoComplete="current-password" />
            {isBusy.value && (
                <p class="waiting" role="status">
                    {t("Asking the service")}
                </p>
            )}
            {asked.why && !isBusy.value && (
                <p class="error" role="alert">
                    {asked.why}
                </p>
            )}
        </Dialog>
    );
}
