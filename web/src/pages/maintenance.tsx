// When machines change by themselves, when they may not be changed, and which packages stay as they are: said by their own packages or by a
// group's, signed as everything else. The program reads what is put together here as a machine would, and shows what changes.
import { useSignal, type Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { askedFor, FormDialog, whileAsked } from "../components/dialog";
import { Choice, Field } from "../components/fields";
import { sayFailed } from "../components/failures";
import { Icon } from "../components/icons";
import { NamesField, PackagesField, useFacets } from "../components/names";
import { review } from "../components/review";
import { say, sayError } from "../components/toasts";
import { plain, words } from "../format";
import { t, tn, type Text } from "../i18n";
import { hostSections, list, members } from "./host_model";
import { freezeRows, freezesText, NEW_WINDOW, windowRows, windowsText, type FreezeRow, type WindowRow } from "./maintenance_model";
import type { Package } from "./repository_model";

interface Wanted {
    uuids: () => Promise<readonly string[]>;
    count: number;
    groups?: readonly Package[]; // theirs, and nobody else's
    onDone?: () => void;
}
const wanted = askedFor<Wanted>();

/** Opens the windows and holds of these machines. */
export function maintain(uuids: Wanted["uuids"], count: number): void {
    wanted.value = { uuids, count };
}

/** The same of these groups, units or profiles. */
export function maintainGroups(groups: readonly Package[], onDone: () => void): void {
    wanted.value = { uuids: () => Promise.resolve([]), count: 0, groups, onDone };
}

const DAY_NAMES: readonly Text[] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const changed = <R,>(rows: readonly R[], at: number, part: Partial<R>): R[] => rows.map((r, i) => (i === at ? { ...r, ...part } : r));

function Rows<R>({ rows, label, draw, fresh }: { rows: Signal<readonly R[]>; label: Text; draw: (row: R, set: (part: Partial<R>) => void) => ComponentChildren; fresh: () => R }) {
    return (
        <div class="rows">
            {rows.value.map((row, i) => (
                <div class="rows-one" role="group" aria-label={`${t(label)} ${i + 1}`} key={i}>
                    {draw(row, (part) => (rows.value = changed(rows.value, i, part)))}
                    <button type="button" class="plain" aria-label={t("Take away")} title={t("Take away")} onClick={() => (rows.value = rows.value.filter((_, k) => k !== i))}>
                        <Icon name="trash" />
                    </button>
                </div>
            ))}
            <button type="button" onClick={() => (rows.value = [...rows.value, fresh()])}>
                {t("Add")}
            </button>
        </div>
    );
}

function WindowEditor({ rows }: { rows: Signal<readonly WindowRow[]> }) {
    return (
        <>
            <Rows
                rows={rows}
                label="Window"
                fresh={() => NEW_WINDOW}
                draw={(r, set) => (
                    <>
                        <div class="days">
                            {DAY_NAMES.map((name, day) => (
                                <label key={name}>
                                    <input type="checkbox" checked={r.days[day] ?? false} onChange={(e) => set({ days: r.days.map((on, k) => (k === day ? e.currentTarget.checked : on)) })} />
                                    <span>{t(name)}</span>
                                </label>
                            ))}
                        </div>
                        {!r.days.some(Boolean) && <Field label={t("Date")} type="date" value={r.date} onInput={(v) => set({ date: v })} />}
                        <Field label={t("from")} type="time" value={r.from} onInput={(v) => set({ from: v })} />
                        <Field label={t("to")} type="time" value={r.to} onInput={(v) => set({ to: v })} />
                    </>
                )}
            />
            <p class="muted">{t("In the local time of each machine; an end before the begin is of the next day.")}</p>
            <p>
                <code>{windowsText(rows.value)}</code>
            </p>
        </>
    );
}

function FreezeEditor({ rows }: { rows: Signal<readonly FreezeRow[]> }) {
    return (
        <Rows
            rows={rows}
            label="Freeze"
            fresh={() => ({ first: "", last: "" })}
            draw={(r, set) => (
                <>
                    <Field label={t("First day")} type="date" value={r.first} onInput={(v) => set({ first: v })} />
                    <Field label={t("Last day")} type="date" value={r.last} onInput={(v) => set({ last: v })} />
                </>
            )}
        />
    );
}

/** What the machine's own package says now: where the editor begins. */
async function ownTexts(uuid: string, stop: AbortSignal): Promise<{ windows: string; freezes: string }> {
    const policy = members((await hostSections(uuid, stop)).policy);
    const own = (key: string) =>
        list(policy[key])
            .map(members)
            .filter((one) => one.by === uuid)
            .map((one) => plain(one.text))
            .join(", ");
    return { windows: own("windows"), freezes: own("freezes") };
}

/** What is to be made of a list of times: "": it stays as it is. */
type Way = "" | "set" | "none";

function MaintenanceForm({ uuids, count, groups: chosen, onDone }: Wanted) {
    const group = useSignal("");
    const isGroup = useSignal(chosen !== undefined);
    const groups = useFacets("group");
    const windowWay = useSignal<Way>("");
    const freezeWay = useSignal<Way>("");
    const windows = useSignal<readonly WindowRow[]>([NEW_WINDOW]);
    const freezes = useSignal<readonly FreezeRow[]>([{ first: "", last: "" }]);
    const hold = useSignal("");
    const until = useSignal("");
    const unhold = useSignal("");
    const close = () => (wanted.value = undefined);
    const names = () => chosen?.map((p) => p.package) ?? words(group.value);
    const begin = (own: { windows: string; freezes: string }) => {
        windows.value = (own.windows && windowRows(own.windows)) || windows.value;
        freezes.value = (own.freezes && freezeRows(own.freezes)) || freezes.value;
    };
    useEffect(() => {
        const stop = new AbortController();
        if (chosen) {
            if (chosen.length === 1) begin({ windows: chosen[0]?.maintenance_windows ?? "", freezes: chosen[0]?.freeze_periods ?? "" });
            return;
        }
        if (count === 1)
            uuids()
                .then(([uuid = ""]) => ownTexts(uuid, stop.signal))
                .then(begin)
                .catch(sayError);
        return () => stop.abort();
    }, []);
    const times = () => ({
        ...(windowWay.value === "set" ? { windows: windowsText(windows.value) } : windowWay.value === "none" ? { windows: "" } : {}),
        ...(freezeWay.value === "set" ? { freezes: freezesText(freezes.value) } : freezeWay.value === "none" ? { freezes: "" } : {}),
    });
    const isEmpty = !windowWay.value && !freezeWay.value && words(hold.value).length + words(unhold.value).length === 0;
    const isWrong = (windowWay.value === "set" && !windowsText(windows.value)) || (freezeWay.value === "set" && !freezesText(freezes.value)) || (isGroup.value && names().length === 0);
    const submit = async () => {
        const held = words(hold.value).map((name) => (until.value ? `${name} until ${until.value}` : name));
        const whom = isGroup.value ? { what: "policy", names: names() } : { what: "host-packages", hosts: await whileAsked(wanted, uuids()) };
        close();
        review({ ...whom, hold: held, unhold: words(unhold.value), ...times() }, (answer) => {
            sayFailed(list(answer.hosts ?? answer.packages) as { name: string; code: string; error: string | null }[]);
            onDone?.();
            if (isGroup.value) say(tn(names().length, "The group is signed and published.", "The groups are signed and published."));
            else say(tn(Number(answer.changed), "{n} machine has other windows or holds.", "{n} machines have other windows or holds."));
        });
    };
    const ways = (set: Text): [string, string][] => [
        ["", t("as they are")],
        ["set", t(set)],
        ["none", t("none here")],
    ];
    return (
        <FormDialog title={t("Maintenance and holds")} onClose={close} onSubmit={submit} button={t("Review")} disabled={isEmpty || isWrong} wide>
            {chosen ? (
                <ul class="host-names">
                    {chosen.map((p) => (
                        <li key={p.file}>{`${p.package} ${p.version}`}</li>
                    ))}
                </ul>
            ) : (
                <Choice
                    label={t("Said by")}
                    value={isGroup.value ? "group" : ""}
                    options={[
                        ["", tn(count, "the own package of {n} machine", "the own packages of {n} machines")],
                        ["group", t("the package of a group, for all its members")],
                    ]}
                    onChange={(v) => (isGroup.value = v === "group")}
                />
            )}
            {isGroup.value && !chosen && <NamesField label={t("Group")} value={group.value} known={groups} onInput={(v) => (group.value = v)} />}
            <Choice label={t("Maintenance windows")} value={windowWay.value} options={ways("these:")} onChange={(v) => (windowWay.value = v as Way)} />
            {windowWay.value === "set" && <WindowEditor rows={windows} />}
            <Choice label={t("Freezes: nothing is upgraded")} value={freezeWay.value} options={ways("these:")} onChange={(v) => (freezeWay.value = v as Way)} />
            {freezeWay.value === "set" && <FreezeEditor rows={freezes} />}
            <div class="form-two">
                <PackagesField label={t("Hold packages")} value={hold.value} onInput={(v) => (hold.value = v)} hint={t("They stay as they are; tis-a(>=2) holds these versions off.")} />
                <Field label={t("Until, that day too")} type="date" value={until.value} onInput={(v) => (until.value = v)} hint={t("empty: until somebody lets them go")} />
                <PackagesField label={t("Hold no more")} value={unhold.value} onInput={(v) => (unhold.value = v)} />
            </div>
        </FormDialog>
    );
}

export function MaintenanceDialog() {
    return wanted.value ? <MaintenanceForm {...wanted.value} /> : null;
}
