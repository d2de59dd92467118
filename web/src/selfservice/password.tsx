// The agent wants to know that it is really its person: the password of the account, which goes to the agent and is kept nowhere.
import { useSignal } from "@preact/signals";
import { FormDialog } from "../components/dialog";
import { Field } from "../components/fields";
import { t } from "../i18n";
import { passwordFor, state, wishFor } from "./model";

export function Password() {
    return passwordFor.value ? <Question key={passwordFor.value.wish} /> : null;
}

function Question() {
    const password = useSignal("");
    const asked = passwordFor.value;
    if (!asked) return null;
    const isRemoval = asked.wish.op === "remove";
    const submit = async () => {
        const given = password.value;
        password.value = "";
        passwordFor.value = { ...asked, why: "" };
        await wishFor(asked.wish, given);
    };
    return (
        <FormDialog
            title={isRemoval ? t("Remove {name}", { name: asked.wish.name }) : t("Install {name}", { name: asked.wish.name })}
            onClose={() => (passwordFor.value = undefined)}
            onSubmit={submit}
            button={isRemoval ? t("Remove") : t("Install")}
            disabled={password.value === ""}
            waiting={t("Asking the service")}
        >
            <p>{t("Type the password of your account. It is asked for again after some minutes.")}</p>
            <Field label={t("Password of {user}", { user: state.value?.user ?? "" })} type="password" value={password.value} onInput={(v) => (password.value = v)} autofocus autoComplete="current-password" />
            {asked.why && (
                <p class="error" role="alert">
                    {asked.why}
                </p>
            )}
        </FormDialog>
    );
}
