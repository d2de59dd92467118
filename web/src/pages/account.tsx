// Who is logged in, and the second factor of that account.
import { useSignal } from "@preact/signals";
import { EndFactor, SetUpFactor } from "../components/factor";
import { Facts } from "../components/fields";
import { Status } from "../components/status";
import { t } from "../i18n";
import { local } from "../local";
import { roleText } from "./people";

export function AccountPage() {
    const open = useSignal<"" | "set" | "end">("");
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
                    ]}
                />
                <p class="muted">{t("After a change of the second factor you log in anew, here and wherever else you are logged in.")}</p>
                <div class="row-actions">
                    <button type="button" class={has ? "danger" : "primary"} onClick={() => (open.value = has ? "end" : "set")}>
                        {has ? t("End the second factor") : t("Set up a second factor")}
                    </button>
                </div>
            </section>
            {open.value === "end" && has && <EndFactor onClose={close} />}
            {open.value === "set" && !has && <SetUpFactor onClose={close} />}
        </div>
    );
}
