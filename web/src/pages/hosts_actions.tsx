// Actions on the machines that are selected: what is asked for here is composed by the local program, reviewed, and only then signed.
import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Dialog } from "../components/dialog";
import { Check, Choice, Field } from "../components/fields";
import { Menu } from "../components/menu";
import { useCommands } from "../components/palette";
import { review } from "../components/review";
import { say, sayError } from "../components/toasts";
import { number } from "../format";
import { t, tn, type Text } from "../i18n";
import { navigate } from "../router";
import type { Selection } from "../table/selection";
import { assign, AssignDialog } from "./assignments";
import { rememberOrder } from "./orders";

export interface Kind {
    kind: string;
    title: Text;
    about: Text;
    packages: "none" | "some" | "any";
}

export const KINDS: readonly Kind[] = [
    { kind: "upgrade", title: "Upgrade", about: "Installs what is missing, brings what is old up to date.", packages: "none" },
    { kind: "install", title: "Install", about: "Installs these packages and what they depend on.", packages: "some" },
    { kind: "remove", title: "Remove", about: "Removes these packages and what depends on them.", packages: "some" },
    { kind: "update", title: "Update", about: "Reads the lists of packages again.", packages: "none" },
    { kind: "audit", title: "Run audits", about: "Runs the audits of all packages, or of these.", packages: "any" },
    { kind: "update-status", title: "Report", about: "Sends the inventory anew.", packages: "none" },
    { kind: "forget", title: "Forget", about: "Forgets these packages; what they installed stays.", packages: "some" },
    { kind: "reboot", title: "Restart", about: "Restarts the machines, where their own configuration allows it.", packages: "none" },
    { kind: "shutdown", title: "Switch off", about: "Switches the machines off, where their own configuration allows it.", packages: "none" },
];
const BUTTONS = 3; // the other kinds are in the menu
const HOSTS_MAX = 10_000; // what the server takes at once
const PERIODS = [3600, 43_200, 86_400, 604_800];

interface Wanted {
    kind: Kind;
    uuids: () => Promise<readonly string[]>;
    count: number;
    packages: string;
}
const wanted = signal<Wanted | undefined>(undefined);

/** Opens the dialog of this action. */
export function order(kind: Kind, uuids: Wanted["uuids"], count: number, packages = ""): void {
    wanted.value = { kind, uuids, count, packages };
}

function period(s: number): string {
    return s < 86_400 ? tn(s / 3600, "{n} hour", "{n} hours") : tn(s / 86_400, "{n} day", "{n} days");
}

function OrderForm({ kind, uuids, count, packages: first }: Wanted) {
    const packages = useSignal(first);
    const valid = useSignal(String(PERIODS[0]));
    const isForced = useSignal(false);
    const isBusy = useSignal(false);
    const close = () => {
        wanted.value = undefined;
    };
    const names = packages.value.split(/[\s,]+/).filter(Boolean);
    const submit = async () => {
        isBusy.value = true;
        try {
            const hosts = await uuids();
            if (hosts.length > HOSTS_MAX) throw new Error(t("At most {n} machines at once: select fewer, or make a roll-out.", { n: number(HOSTS_MAX) }));
            close();
            review({ what: "actions", kind: kind.kind, hosts, packages: names, force: isForced.value, valid_s: Number(valid.value) }, (answer) => {
                const [batch] = Array.isArray(answer.batches) ? answer.batches.map(String) : [];
                say(tn(hosts.length, "Ordered for {n} machine.", "Ordered for {n} machines."));
                if (batch === undefined) return;
                rememberOrder({ batch, kind: kind.kind, packages: names, count: hosts.length, at: Math.floor(Date.now() / 1000) });
                navigate(`/orders?batch=${encodeURIComponent(batch)}`);
            });
        } catch (e) {
            sayError(e);
        }
        isBusy.value = false;
    };
    return (
        <Dialog
            title={t(kind.title)}
            onClose={close}
            onSubmit={() => void submit()}
            footer={
                <>
                    <button type="button" onClick={close}>
                        {t("Cancel")}
                    </button>
                    <button type="submit" class="primary" data-autofocus disabled={isBusy.value || (kind.packages === "some" && names.length === 0)}>
                        {t("Review")}
                    </button>
                </>
            }
        >
            <p>{t(kind.about)}</p>
            <p class="muted">{tn(count, "{n} machine", "{n} machines")}</p>
            {kind.packages !== "none" && <Field label={t("Packages")} value={packages.value} onInput={(v) => (packages.value = v)} autofocus hint={t("Names, with blanks between; a version as in tis-firefox(=115.1-0).")} />}
            <Choice label={t("To be carried out within")} value={valid.value} options={PERIODS.map((s) => [String(s), period(s)] as const)} onChange={(v) => (valid.value = v)} />
            <Check label={t("Force")} hint={t("Again though it is done, or in spite of a failing script.")} checked={isForced.value} onChange={(on) => (isForced.value = on)} />
        </Dialog>
    );
}

export function OrderDialog() {
    return wanted.value ? <OrderForm key={wanted.value.kind.kind} {...wanted.value} /> : null;
}

export function ActionButtons({ uuids, count }: { uuids: Wanted["uuids"]; count: number }) {
    useCommands(() => KINDS.map((k) => ({ id: `order-${k.kind}`, title: tn(count, "{what}: {n} machine", "{what}: {n} machines", { what: t(k.title) }), run: () => order(k, uuids, count) })), [count]);
    useEffect(
        () => () => {
            wanted.value = undefined;
        },
        [],
    );
    return (
        <>
            {KINDS.slice(0, BUTTONS).map((k) => (
                <button key={k.kind} type="button" title={t(k.about)} onClick={() => order(k, uuids, count)}>
                    {t(k.title)}
                </button>
            ))}
            <button type="button" title={t("Changes what these machines are assigned and must not have.")} onClick={() => assign(uuids, count)}>
                {t("Assign")}
            </button>
            <Menu label={t("More")} items={KINDS.slice(BUTTONS).map((k) => ({ title: t(k.title), about: t(k.about), run: () => order(k, uuids, count) }))} />
            <OrderDialog />
            <AssignDialog />
        </>
    );
}

export function ActionBar({ selection, count, total, uuids }: { selection: Selection; count: number; total: number; uuids: Wanted["uuids"] }) {
    return (
        <div class="bar bar-actions" role="toolbar" aria-label={t("Actions")}>
            <strong role="status">{tn(count, "{n} machine selected", "{n} machines selected")}</strong>
            {count < total && (
                <button type="button" class="link" onClick={() => selection.selectAll()}>
                    {tn(total, "Select all that match ({n})", "Select all that match ({n})")}
                </button>
            )}
            <button type="button" class="link" onClick={() => selection.clear()}>
                {t("Select nothing")}
            </button>
            <span class="space" />
            <ActionButtons uuids={uuids} count={count} />
        </div>
    );
}
