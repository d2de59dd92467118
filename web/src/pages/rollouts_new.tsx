// A new roll-out: what, for the members of which groups or for which machines, in which rings. The local program composes and shows the statement that is signed.
import { useSignal } from "@preact/signals";
import { askedFor, FormDialog, whileAsked } from "../components/dialog";
import { Check, Choice, Field } from "../components/fields";
import { NamesField, PackagesField, useFacets } from "../components/names";
import { review } from "../components/review";
import { words } from "../format";
import { t, tn, type Text } from "../i18n";
import { navigate } from "../router";
import { KINDS } from "./hosts_kinds";

const DAYS = [1, 7, 14, 30];
const FORBIDDEN = ["forget", "message"]; // of what a dialog offers

/** "10, 50": rings of these percentages, and the last one of all. */
function ringsFrom(first: string, percents: string): object[] {
    const rings: object[] = words(first).length > 0 ? [{ name: words(first).join(" "), members_of: words(first) }] : [];
    const numbers = words(percents.replaceAll("%", "")).map(Number).filter((n) => n >= 1 && n < 100);
    for (const percent of [...new Set(numbers)].sort((a, b) => a - b)) rings.push({ name: `${percent}%`, percent });
    return [...rings, { name: "100%", percent: 100 }];
}

/** The machines of a roll-out that is for these alone. */
interface Machines {
    uuids: () => Promise<readonly string[]>;
    count: number;
}
const wanted = askedFor<Machines>();

/** Opens a new roll-out to these machines. */
export function rollOut(uuids: Machines["uuids"], count: number): void {
    wanted.value = { uuids, count };
}

export function RolloutDialog() {
    const close = () => (wanted.value = undefined);
    return wanted.value ? <NewRollout machines={wanted.value} onClose={close} onDone={(id) => navigate(`/rollouts/${encodeURIComponent(id)}`)} /> : null;
}

export function NewRollout({ machines, onClose, onDone }: { machines?: Machines; onClose: () => void; onDone: (id: string) => void }) {
    const kind = useSignal("install");
    const name = useSignal("");
    const packages = useSignal("");
    const members = useSignal("");
    const first = useSignal("");
    const percents = useSignal("5, 25");
    const success = useSignal("95");
    const least = useSignal("5");
    const hours = useSignal("24");
    const errors = useSignal("3");
    const windows = useSignal("");
    const days = useSignal("14");
    const byHand = useSignal(false);
    const spares = useSignal(false); // what is in use
    const groups = useFacets("group");
    const known = KINDS.find((k) => k.kind === kind.value);
    const takes = known?.packages ?? "none";
    const names = takes === "none" ? [] : words(packages.value);
    const isReady = (machines !== undefined || words(members.value).length > 0) && (takes !== "some" || names.length > 0);
    const submit = async () => {
        const whom = machines ? { hosts: await whileAsked(wanted, machines.uuids()) } : { members_of: words(members.value) };
        onClose();
        const plan = {
            rings: ringsFrom(first.value, percents.value),
            promote: byHand.value ? "hand" : "auto",
            success_percent: Number(success.value) || 95,
            min_count: Number(least.value) || 1,
            min_time_s: Math.round((Number(hours.value) || 0) * 3600),
            error_count: Number(errors.value) || 1,
            windows: windows.value.trim(),
        };
        const what = { what: "rollout", kind: kind.value, name: name.value.trim() || [kind.value, ...names].join(" "), packages: names, only_if_not_running: spares.value && known?.spares === true, ...whom, plan, valid_s: Number(days.value) * 86_400 };
        review(what, (answer) => onDone(String(answer.id ?? "")));
    };
    const number = (label: Text, value: { value: string }) => <Field label={t(label)} type="number" value={value.value} onInput={(v) => (value.value = v)} />;
    return (
        <FormDialog title={t("New roll-out")} onClose={onClose} onSubmit={submit} button={t("Review")} disabled={!isReady} wide>
            <div class="form-two">
                <Choice label={t("Order")} value={kind.value} options={KINDS.filter((k) => !FORBIDDEN.includes(k.kind)).map((k) => [k.kind, t(k.title)] as const)} onChange={(v) => (kind.value = v)} />
                {takes !== "none" ? <PackagesField value={packages.value} onInput={(v) => (packages.value = v)} autofocus hint={t("Names, with blanks between; a version as in tis-firefox(=115.1-0).")} /> : <span />}
                {machines ? (
                    <div class="field">
                        <span>{t("For")}</span>
                        <strong>{tn(machines.count, "{n} machine", "{n} machines")}</strong>
                    </div>
                ) : (
                    <NamesField label={t("For the members of")} value={members.value} onInput={(v) => (members.value = v)} known={groups} hint={t("groups, units or profiles of the machines' signed packages")} />
                )}
                <Field label={t("Name")} value={name.value} onInput={(v) => (name.value = v)} hint={t("for people; left empty, it is what is ordered")} />
                <NamesField label={t("First to")} value={first.value} onInput={(v) => (first.value = v)} known={groups} hint={t("groups that go ahead; may be empty")} />
                <Field label={t("Then to percent of all")} value={percents.value} onInput={(v) => (percents.value = v)} hint={t("like 5, 25; the rest comes last")} />
                {number("Percent that must go well", success)}
                {number("Of at least so many machines", least)}
                {number("Hours a ring is open at least", hours)}
                {number("It halts after so many failures", errors)}
                <Field label={t("Only at these hours")} value={windows.value} onInput={(v) => (windows.value = v)} hint={t("like mon-fri 19:00-06:00; empty: at any time")} />
                <Choice label={t("It ends after")} value={days.value} options={DAYS.map((d) => [String(d), tn(d, "{n} day", "{n} days")] as const)} onChange={(v) => (days.value = v)} />
            </div>
            {known?.spares && <Check label={t("Leave out what is in use")} hint={t("Packages one of whose programs runs on a machine wait there until it ends; the machine is neither done nor failed.")} checked={spares.value} onChange={(on) => (spares.value = on)} />}
            <Check label={t("Each ring is opened by hand")} checked={byHand.value} onChange={(on) => (byHand.value = on)} />
        </FormDialog>
    );
}
