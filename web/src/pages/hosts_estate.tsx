// The packages that the machines that are selected have or should have, counted by the server; and orders for some of them, to those machines
// alone that have them so.
import { signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { apiPath, call, isAbort } from "../api";
import { askedFor, Dialog, whileAsked } from "../components/dialog";
import { Choice } from "../components/fields";
import { Status } from "../components/status";
import { sayError } from "../components/toasts";
import { number } from "../format";
import { t, tn } from "../i18n";
import type { Column } from "../table/columns";
import { LocalTable } from "../table/local";
import { Selection } from "../table/selection";
import { SECTIONS } from "./assignments_policy";
import { KINDS, type Kind } from "./hosts_kinds";
import { allUuids, stateText, stateTone } from "./hosts_model";
import { loadPackages } from "./repository_model";

/** As the server counts them. Names, versions and states are what machines say. */
interface Counted {
    package: string;
    version: string;
    status: string;
    machines: number;
}
interface Wanted {
    uuids: () => Promise<readonly string[]>;
    count: number;
    /** The filter that means them; without it they are named. */
    asked: Record<string, string> | undefined;
    /** Opens the order's dialog. */
    order: (kind: Kind, uuids: Wanted["uuids"], count: number, packages: string) => void;
}

const PAGE = 5000; // the server's cap
const NAMED_MAX = 40_000; // machines, of one question
const ROWS_MAX = 50; // that one order is made of
const wanted = askedFor<Wanted>();

/** Opens it for these machines. */
export function showPackages(of: Wanted): void {
    wanted.value = of;
}

/** Of each package that the repository has: what machines say tells of none. */
const sections = signal<ReadonlyMap<string, string> | undefined>(undefined);

function sectionOf(r: Counted): string {
    return sections.value?.get(r.package) ?? "";
}

function sectionText(section: string): string {
    const known = SECTIONS[section];
    if (known) return t(known);
    return section || (sections.value ? t("not in the repository") : "");
}

const rowKey = (r: Counted) => `${r.package}\n${r.version}\n${r.status}`;
const COLUMNS: readonly Column<Counted>[] = [
    { id: "package", title: "Package", width: 250, grows: 420, sort: "package", text: (r) => r.package },
    { id: "version", title: "Version", width: 150, grows: 240, sort: "version", text: (r) => r.version },
    { id: "section", title: "Section", width: 170, grows: 240, sort: "section", text: (r) => sectionText(sectionOf(r)) },
    { id: "status", title: "State", width: 150, sort: "status", text: (r) => stateText(r.status), cell: (r) => <Status tone={stateTone(r.status)} text={stateText(r.status)} /> },
    { id: "machines", title: "Machines", width: 92, sort: "machines", align: "end", text: (r) => number(r.machines) },
];

async function load({ asked, uuids }: Wanted, stop: AbortSignal): Promise<Counted[]> {
    const found: Counted[] = [];
    const hosts = asked ? [] : await uuids();
    if (hosts.length > NAMED_MAX) throw new Error(t("At most {n} machines at once: select fewer, or choose a group.", { n: number(NAMED_MAX) }));
    let after: string | undefined;
    do {
        const path = apiPath(["estate"], { ...asked, limit: PAGE, after });
        const page: { estate: Counted[]; next?: string } = asked ? await call("GET", path, undefined, stop) : await call("POST", path, { hosts }, stop);
        found.push(...page.estate);
        after = page.next;
    } while (after);
    return found;
}

/** Whether its machines are found again by what it says: a name that is a pattern would find others. */
function isPlain(r: Counted): boolean {
    return /^[A-Za-z0-9][\w.+-]*$/.test(r.package) && /^\d[\w.+~-]*$/.test(r.version);
}

/** The machines of these rows among those that were selected. All packages must be on the same ones: an order is one for all of them. */
async function concerned(rows: readonly Counted[], among: ReadonlySet<string>): Promise<string[]> {
    const of = new Map<string, Set<string>>();
    for (const r of rows) {
        const found = of.get(r.package) ?? new Set();
        for (const uuid of await allUuids({ package: r.package, package_version: `=${r.version}`, package_status: r.status })) if (among.has(uuid)) found.add(uuid);
        of.set(r.package, found);
    }
    const [first = new Set<string>(), ...others] = of.values();
    if (others.some((o) => o.size !== first.size || [...o].some((uuid) => !first.has(uuid)))) throw new Error(t("These packages are not on the same machines: choose one of them."));
    if (first.size === 0) throw new Error(t("No machine has them so any more."));
    return [...first];
}

function Packages(of: Wanted) {
    const rows = useSignal<readonly Counted[] | undefined>(undefined);
    const state = useSignal("");
    const section = useSignal<string | undefined>(undefined);
    const isBusy = useSignal(false);
    const selection = useMemo(() => new Selection(), []);
    void selection.version.value;
    const close = () => {
        wanted.value = undefined;
    };
    useEffect(() => {
        const stop = new AbortController();
        load(of, stop.signal).then((found) => (rows.value = found), (e) => !isAbort(e) && (sayError(e), close()));
        loadPackages(stop.signal).then((all) => (sections.value = new Map(all.map((p) => [p.package, p.section]))), sayError);
        return () => stop.abort();
    }, []);
    const shown = useMemo(
        () => (rows.value ?? []).filter((r) => (!state.value || r.status === state.value) && (section.value === undefined || sectionOf(r) === section.value)),
        [rows.value, state.value, section.value, sections.value],
    );
    const chosen = shown.filter((r) => selection.has(rowKey(r)));
    const names = [...new Set(chosen.map((r) => r.package))];
    const start = async (kind: Kind) => {
        isBusy.value = true;
        try {
            const found = await whileAsked(wanted, of.uuids().then((among) => concerned(chosen, new Set(among))));
            close();
            of.order(kind, () => Promise.resolve(found), found.length, names.join(" "));
        } catch (e) {
            sayError(e);
        }
        isBusy.value = false;
    };
    const states = [...new Set((rows.value ?? []).map((r) => r.status))].sort();
    const found = sections.value ? [...new Set((rows.value ?? []).map(sectionOf))].sort() : [];
    const tools = (
        <>
            <Choice
                label={t("Section")}
                value={section.value === undefined ? "" : `=${section.value}`}
                options={[["", t("any")] as const, ...found.map((s) => [`=${s}`, sectionText(s)] as const)]}
                onChange={(s) => (section.value = s === "" ? undefined : s.slice(1))}
                inline
            />
            <Choice label={t("State")} value={state.value} options={[["", t("any")] as const, ...states.map((s) => [s, stateText(s)] as const)]} onChange={(s) => (state.value = s)} inline />
            {chosen.length > 0 && <strong>{tn(names.length, "{n} package selected", "{n} packages selected")}</strong>}
            {chosen.length > 0 &&
                KINDS.filter((k) => k.packages !== "none").map((k) => (
                    <button key={k.kind} type="button" title={t(k.about)} disabled={isBusy.value || chosen.length > ROWS_MAX || !chosen.every(isPlain)} onClick={() => void start(k)}>
                        {t(k.title)}
                    </button>
                ))}
        </>
    );
    return (
        <Dialog title={tn(of.count, "Packages of {n} machine", "Packages of {n} machines")} onClose={close} wide>
            {rows.value ? (
                <div class="estate">
                    <LocalTable name="estate" label={t("Packages")} all={shown} columns={COLUMNS} rowKey={rowKey} values={{ machines: (r) => r.machines }} firstSort="package" selection={selection} tools={tools} empty={t("No package.")} />
                </div>
            ) : (
                <p role="status">{t("The server counts.")}</p>
            )}
        </Dialog>
    );
}

export function PackagesDialog() {
    return wanted.value ? <Packages {...wanted.value} /> : null;
}
