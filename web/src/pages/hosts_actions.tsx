// Actions on the machines that are selected: what is asked for here is composed by the local program, reviewed, and only then signed.
import { useSignal } from "@preact/signals";
import { askedFor, FormDialog, whileAsked } from "../components/dialog";
import { Area, Check, Choice } from "../components/fields";
import { Menu } from "../components/menu";
import { PackagesField } from "../components/names";
import { useCommands } from "../components/palette";
import { review } from "../components/review";
import { say, sayError } from "../components/toasts";
import { number, words } from "../format";
import { t, tn, type Text } from "../i18n";
import { may } from "../local";
import { navigate } from "../router";
import type { Selection } from "../table/selection";
import { assign, AssignDialog } from "./assignments";
import { describe } from "./hosts_describe";
import { PackagesDialog, showPackages } from "./hosts_estate";
import { FORGET_MAX, ForgetDialog, forgetHosts } from "./hosts_forget";
import { KINDS, type Kind } from "./hosts_kinds";
import { maintain, MaintenanceDialog } from "./maintenance";
import { rollOut, RolloutDialog } from "./rollouts_new";

const BUTTONS = 3; // the other kinds are in the menu
/** What else is done with machines, by dialogs of their own. */
const OTHERS: readonly { title: Text; about: Text; group: number; run: (uuids: Wanted["uuids"], count: number, asked: Asked) => void }[] = [
    { title: "Packages", about: "What these machines have or should have, counted; and orders for it.", group: 0, run: (uuids, count, asked) => showPackages({ uuids, count, asked, order }) },
    { title: "Maintenance and holds", about: "When these machines change by themselves, and which packages stay as they are.", group: 0, run: maintain },
    { title: "Roll out", about: "Orders something in rings: to a few of these machines first, to the others when that went well.", group: 0, run: (uuids, count) => (count > ROLLOUT_MAX ? tooMany(ROLLOUT_MAX) : rollOut(uuids, count)) },
    { title: "Change the description", about: "What the machine is called for people; its system keeps it.", group: 0, run: (uuids, count) => describe({ uuids, count, onDone: ordered }) },
    { title: "Wake", about: "The server and machines of their own networks wake those of these that are off.", group: 2, run: (uuids, count) => (count > WAKE_MAX ? tooMany(WAKE_MAX) : wake(uuids)) },
];

/** The filter that means all of them, where they are all of one. */
type Asked = Record<string, string> | undefined;

function tooMany(max: number): void {
    say(t("At most {n} machines at once: select fewer, or choose a group.", { n: number(max) }));
}

/** The program looks for who can wake whom, and shows it. */
function wake(uuids: Wanted["uuids"]): void {
    const ask = async () => review({ what: "wake", hosts: await uuids() }, woken);
    void ask().catch(sayError);
}

/** Who did it: the server at once, the others as their orders go on. */
function woken(answer: Record<string, unknown>): void {
    const own = Number(answer.server);
    if (own > 0) say(tn(own, "The server itself has woken {n} machine.", "The server itself has woken {n} machines."));
    if (Number(answer.count) > 0) ordered(answer, Number(answer.machines));
}

/** What was ordered is followed where its results are shown. */
export function ordered(answer: Record<string, unknown>, count: number): void {
    say(tn(count, "Ordered for {n} machine.", "Ordered for {n} machines."));
    if (typeof answer.batch !== "string") return;
    navigate(`/orders?batch=${encodeURIComponent(answer.batch)}`);
}
const HOSTS_MAX = 100_000; // of one order
const WAKE_MAX = 640; // cards of ten networks
const ROLLOUT_MAX = 1000; // that a roll-out names one by one
const MEANS_FORCE = ["upgrade", "install", "remove", "forget", "audit"];
const PERIODS = [3600, 43_200, 86_400, 604_800];

interface Wanted {
    kind: Kind;
    uuids: () => Promise<readonly string[]>;
    count: number;
    packages: string;
}
const wanted = askedFor<Wanted>();

/** Opens the dialog of this action. */
export function order(kind: Kind, uuids: Wanted["uuids"], count: number, packages = ""): void {
    wanted.value = { kind, uuids, count, packages };
}

function period(s: number): string {
    return s < 86_400 ? tn(s / 3600, "{n} hour", "{n} hours") : tn(s / 86_400, "{n} day", "{n} days");
}

function OrderForm({ kind, uuids, count, packages: first }: Wanted) {
    const packages = useSignal(first);
    const text = useSignal("");
    const valid = useSignal(String(PERIODS[0]));
    const isForced = useSignal(false);
    const spares = useSignal(false); // what is in use
    const close = () => {
        wanted.value = undefined;
    };
    const names = words(packages.value);
    const submit = async () => {
        const hosts = await whileAsked(wanted, uuids());
        if (hosts.length > HOSTS_MAX) throw new Error(t("At most {n} machines at once: select fewer, or choose a group.", { n: number(HOSTS_MAX) }));
        close();
        review({ what: "actions", kind: kind.kind, hosts, packages: names, force: isForced.value, only_if_not_running: spares.value, valid_s: Number(valid.value), ...(kind.text && { text: text.value.trim() }) }, (answer) => {
            ordered(answer, hosts.length);
        });
    };
    return (
        <FormDialog title={t(kind.title)} onClose={close} onSubmit={submit} button={t("Review")} disabled={(kind.packages === "some" && names.length === 0) || (kind.text && text.value.trim() === "")} focusButton={!kind.text}>
            <p>{t(kind.about)}</p>
            <p class="muted">{tn(count, "{n} machine", "{n} machines")}</p>
            {kind.packages !== "none" && <PackagesField value={packages.value} onInput={(v) => (packages.value = v)} autofocus hint={t("Names, with blanks between; a version as in tis-firefox(=115.1-0).")} />}
            {kind.text && <Area label={t("Text")} autofocus value={text.value} onInput={(v) => (text.value = v)} hint={t("Plain text, at most 1000 bytes; it is shown as it stands.")} />}
            <Choice label={t("To be carried out within")} value={valid.value} options={PERIODS.map((s) => [String(s), period(s)] as const)} onChange={(v) => (valid.value = v)} />
            {kind.spares && <Check label={t("Leave out what is in use")} hint={t("Packages one of whose programs runs on a machine wait there, and are told.")} checked={spares.value} onChange={(on) => (spares.value = on)} />}
            {MEANS_FORCE.includes(kind.kind) && <Check label={t("Force")} hint={t("Again though it is done, or in spite of a failing script.")} checked={isForced.value} onChange={(on) => (isForced.value = on)} />}
        </FormDialog>
    );
}

function OrderDialog() {
    return wanted.value ? <OrderForm key={wanted.value.kind.kind} {...wanted.value} /> : null;
}

export function ActionButtons({ uuids, count, asked }: { uuids: Wanted["uuids"]; count: number; asked?: Asked }) {
    useCommands(() => KINDS.map((k) => ({ id: `order-${k.kind}`, title: tn(count, "{what}: {n} machine", "{what}: {n} machines", { what: t(k.title) }), run: () => order(k, uuids, count) })));
    const more = [
        ...OTHERS.map((o) => ({ title: t(o.title), about: t(o.about), group: o.group, run: () => o.run(uuids, count, asked) })),
        ...(may("enrol") ? [{ title: t(count === 1 ? "Forget the machine" : "Forget the machines"), about: t("The server forgets what is gone; it may register again."), group: 2, isDanger: true, run: () => (count > FORGET_MAX ? tooMany(FORGET_MAX) : forgetHosts(uuids, count)) }] : []),
        ...KINDS.slice(BUTTONS).map((k) => ({ title: t(k.title), about: t(k.about), group: k.group, isDanger: k.isDanger === true, run: () => order(k, uuids, count) })),
    ].sort((a, b) => a.group - b.group);
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
            <Menu label={t("More")} items={more} />
            <OrderDialog />
            <PackagesDialog />
            <AssignDialog />
            <MaintenanceDialog />
            <RolloutDialog />
            <ForgetDialog />
        </>
    );
}

export function ActionBar({ selection, count, total, uuids, asked }: { selection: Selection; count: number; total: number; uuids: Wanted["uuids"]; asked: Asked }) {
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
            <ActionButtons uuids={uuids} count={count} asked={selection.all && count === total ? asked : undefined} />
        </div>
    );
}
