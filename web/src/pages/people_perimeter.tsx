// Which machines a person sees: all, or those of some groups, profiles and units. What the server knows of is offered.
import { useSignal } from "@preact/signals";
import { Area, Choice } from "../components/fields";
import { useFacets } from "../components/names";
import { t, type Text } from "../i18n";
import { packageOf } from "./hosts_units_model";

export interface Perimeter {
    groups?: readonly string[];
    profiles?: readonly string[];
    units?: readonly string[];
}

/** Whether it says something: null, all machines, or at least one name. */
export function isMeant(p: Perimeter | null): boolean {
    return p === null || [p.groups, p.profiles, p.units].some((names) => (names ?? []).length > 0);
}

/** A name may have blanks and commas: each stands on a line of its own. */
const linesOf = (text: string) => text.split("\n").map((line) => line.trim()).filter(Boolean);

function Lines({ label, add, names, known, onChange }: { label: Text; add: Text; names: readonly string[]; known: readonly string[]; onChange: (names: string[]) => void }) {
    const typed = useSignal(names.join("\n"));
    const put = (text: string) => {
        typed.value = text;
        onChange(linesOf(text));
    };
    const others = known.filter((name) => !names.includes(name));
    return (
        <>
            <Area label={t(label)} value={typed.value} rows={2} spellcheck={false} onInput={put} />
            {others.length > 0 && <Choice label={t(add)} inline value="" options={[["", t("choose...")], ...others.map((name) => [name, name] as const)]} onChange={(name) => name && put([...linesOf(typed.value), name].join("\n"))} />}
        </>
    );
}

export function PerimeterFields({ value, onChange }: { value: Perimeter | null; onChange: (p: Perimeter | null) => void }) {
    const groups = useFacets("group");
    const units = useFacets("unit");
    const p = value ?? {};
    const change = (part: Perimeter) => onChange({ groups: [], profiles: [], units: [], ...p, ...part });
    return (
        <>
            <Choice label={t("Sees")} value={value ? "some" : "all"} options={[["all", t("all machines")], ["some", t("the machines of these groups, profiles and units")]]} onChange={(v) => (v === "all" ? onChange(null) : change({}))} />
            {value && (
                <>
                    <Lines label="Groups, one a line" add="Add a group" names={p.groups ?? []} known={groups} onChange={(names) => change({ groups: names })} />
                    <Lines label="Organisational units, one a line" add="Add a unit" names={p.units ?? []} known={units.map(packageOf)} onChange={(names) => change({ units: names })} />
                    <Lines label="Profiles, one a line" add="Add a group" names={p.profiles ?? []} known={[]} onChange={(names) => change({ profiles: names })} />
                    <p class="muted">{t("A machine is in what its own signed package names: one that has none is seen by nobody with a perimeter.")}</p>
                </>
            )}
        </>
    );
}
