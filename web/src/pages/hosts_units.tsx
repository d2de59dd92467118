// The organisational units beside the list of machines: a tree with how many machines are where, as the server counts those that somebody sees.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { apiPath, call } from "../api";
import { Check } from "../components/fields";
import { Menu } from "../components/menu";
import { sayError } from "../components/toasts";
import { useEvents } from "../events";
import { number } from "../format";
import { t, tn } from "../i18n";
import { epoch } from "../local";
import { pref } from "../prefs";
import { setQuery } from "../router";
import { editPolicy, newPolicy, PolicyDialog } from "./assignments_policy";
import { packageOf, treeOf, withText, type Unit } from "./hosts_units_model";
import { loadPackages } from "./repository_model";

const UNITS_MAX = 10_000; // the server's cap
const SHOWN_MAX = 1000; // of one tree: so many elements
const WAIT_MS = 1000; // after an event

export const unitsShown = pref("hosts.units", false);

/** "=OU=a": in it alone. */
const dnOf = (wanted: string) => wanted.replace(/^=/, "");

/** What the tree shows, from top to bottom: branches that are open, with how deep each is. */
function rowsOf(units: readonly Unit[], isOpen: (unit: Unit, depth: number) => boolean, depth = 1): { unit: Unit; depth: number; open: boolean }[] {
    return units.flatMap((unit) => {
        const open = unit.under.length > 0 && isOpen(unit, depth);
        return [{ unit, depth, open }, ...(open ? rowsOf(unit.under, isOpen, depth + 1) : [])];
    });
}

async function editUnit(dn: string): Promise<void> {
    const name = packageOf(dn);
    const there = (await loadPackages()).find((p) => p.package === name && p.is_newest);
    if (there) editPolicy([there], () => undefined);
    else newPolicy("unit", dn);
}

/** asked: all filters of the list; onOrder: something for all machines of the unit that is chosen. */
export function Units({ asked, orders }: { asked: Record<string, string>; orders: readonly { title: string; about: string; run: () => void }[] }) {
    const units = useSignal<readonly Unit[]>([]);
    const search = useSignal("");
    const turned = useSignal<ReadonlySet<string>>(new Set()); // other than at first
    const focused = useSignal("");
    const { unit: wanted = "", ...others } = asked;
    const question = JSON.stringify(others);
    const chosen = dnOf(wanted);
    const version = useSignal(0);
    useEffect(() => {
        const stop = new AbortController();
        const not = others.not?.split(",").filter((n) => n !== "unit").join(",");
        call<{ facets: { value: string; count: number }[] }>("GET", apiPath(["host-facets"], { ...others, not, by: "unit", limit: UNITS_MAX }), undefined, stop.signal).then(
            (found) => (units.value = treeOf(found.facets)),
            sayError,
        );
        return () => stop.abort();
    }, [question, version.value, epoch.value]);
    useEvents((event) => event.kind === "host", () => version.value++, () => WAIT_MS);
    const text = search.value.trim().toLowerCase();
    const rows = useMemo(() => {
        const found = text ? withText(units.value, text) : units.value;
        return rowsOf(found, (unit, depth) => (depth < 3 || text !== "") !== turned.value.has(unit.dn));
    }, [units.value, text, turned.value]);
    const shown = rows.slice(0, SHOWN_MAX);
    const at = Math.max(shown.findIndex((r) => r.unit.dn === (focused.value || chosen)), 0);
    const choose = (dn: string) => setQuery({ unit: dn === chosen ? "" : (wanted.startsWith("=") ? "=" : "") + dn });
    const turn = (dn: string) => {
        const next = new Set(turned.value);
        if (!next.delete(dn)) next.add(dn);
        turned.value = next;
    };
    const key = (e: KeyboardEvent) => {
        const row = shown[at];
        const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1 }[e.key];
        if (!row) return;
        if (to !== undefined) focused.value = shown[Math.min(Math.max(to, 0), shown.length - 1)]?.unit.dn ?? "";
        else if (e.key === "Enter" || e.key === " ") choose(row.unit.dn);
        else if ((e.key === "ArrowRight" && !row.open && row.unit.under.length > 0) || (e.key === "ArrowLeft" && row.open)) turn(row.unit.dn);
        else return;
        e.preventDefault();
        e.stopPropagation();
    };
    return (
        <aside class="units" aria-label={t("Organisational units")}>
            <input type="search" aria-label={t("Search units")} placeholder={t("Search units")} spellcheck={false} value={search.value} onInput={(e) => (search.value = e.currentTarget.value)} />
            {chosen && (
                <div class="units-chosen">
                    <Check label={t("With the units below")} checked={!wanted.startsWith("=")} onChange={(on) => setQuery({ unit: (on ? "" : "=") + chosen })} />
                    <Menu label={t("This unit")} items={[...orders, { title: t("Its package"), about: t("What machines of this unit are assigned, below it too."), run: () => void editUnit(chosen).catch(sayError) }]} />
                </div>
            )}
            <div class="units-tree" role="tree" aria-label={t("Organisational units")} tabIndex={0} aria-activedescendant={shown[at] ? `unit-${at}` : undefined} onKeyDown={key}>
                {shown.map(({ unit, depth, open }, i) => (
                    <div
                        key={unit.dn}
                        id={`unit-${i}`}
                        class={i === at ? "unit unit-at" : "unit"}
                        role="treeitem"
                        aria-level={depth}
                        aria-selected={unit.dn.toLowerCase() === chosen.toLowerCase()}
                        {...(unit.under.length > 0 && { "aria-expanded": open })}
                        title={unit.dn}
                        style={{ paddingInlineStart: `${4 + 14 * Math.min(depth - 1, 12)}px` }}
                        onClick={() => ((focused.value = unit.dn), choose(unit.dn))}
                    >
                        <span class="unit-turn" aria-hidden="true" onClick={(e) => (e.stopPropagation(), turn(unit.dn))}>
                            {unit.under.length > 0 ? (open ? "▾" : "▸") : ""}
                        </span>
                        <span class="unit-name">{unit.label}</span>
                        <span class="muted">{number(unit.all)}</span>
                    </div>
                ))}
            </div>
            {rows.length === 0 && <p class="muted">{t("No machine says that it is in a unit.")}</p>}
            {rows.length > shown.length && <p class="muted">{tn(rows.length - shown.length, "and {n} more", "and {n} more")}</p>}
            <PolicyDialog />
        </aside>
    );
}
