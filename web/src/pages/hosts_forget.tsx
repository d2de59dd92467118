// Machines that are gone: the server forgets them, one after the other.
import { useSignal } from "@preact/signals";
import { apiPath, call, errorText } from "../api";
import { askedFor, FormDialog, whileAsked } from "../components/dialog";
import { sayFailures } from "../components/failures";
import { say } from "../components/toasts";
import { number } from "../format";
import { t, tn } from "../i18n";
import { navigate, place } from "../router";
import { hostPath } from "./hosts_model";

interface Wanted {
    uuids: () => Promise<readonly string[]>;
    count: number;
}
const wanted = askedFor<Wanted>();
export const FORGET_MAX = 1000; // at once

/** Opens the dialog. */
export function forgetHosts(uuids: Wanted["uuids"], count: number): void {
    wanted.value = { uuids, count };
}

function ForgetForm({ uuids, count }: Wanted) {
    const done = useSignal(0);
    const close = () => (wanted.value = undefined);
    const submit = async () => {
        const mine = wanted.value;
        const all = await whileAsked(wanted, uuids());
        const failed: { name: string; why: string }[] = [];
        for (const uuid of all) {
            if (wanted.value !== mine) break; // it was closed: the others stay
            await call("DELETE", apiPath(["hosts", uuid])).catch((e: unknown) => failed.push({ name: uuid, why: errorText(e) }));
            done.value++;
        }
        if (wanted.value === mine) close();
        const gone = done.value - failed.length;
        if (gone > 0) say(tn(gone, "{n} machine was forgotten.", "{n} machines were forgotten."));
        sayFailures(failed);
        if (gone > 0 && all.some((uuid) => place.value.path === hostPath(uuid))) navigate("/hosts");
    };
    return (
        <FormDialog title={tn(count, "Forget {n} machine?", "Forget {n} machines?")} onClose={close} onSubmit={submit} button={t("Forget")} waiting={t("{n} of {all}", { n: number(done.value), all: number(count) })} danger>
            <p>{t("The server forgets the inventory and revokes the certificate of each: it must register again. Nothing changes on the machine.")}</p>
        </FormDialog>
    );
}

export function ForgetDialog() {
    return wanted.value ? <ForgetForm {...wanted.value} /> : null;
}
