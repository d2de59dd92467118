// Assignments: groups, units, profiles and self-service rules; and what machines' own packages assign and exclude, changed for many at once
// with the changes of each shown first, and a plan for one.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { call, errorText } from "../api";
import { askedFor, Dialog, FormDialog, whileAsked } from "../components/dialog";
import { sayFailed } from "../components/failures";
import { A } from "../components/link";
import { NamesField, PackagesField } from "../components/names";
import { useCommands } from "../components/palette";
import { review } from "../components/review";
import { Status, type Tone } from "../components/status";
import { say, sayError } from "../components/toasts";
import { words } from "../format";
import { pair, t, tn, type Text } from "../i18n";
import { navigate } from "../router";
import type { Column } from "../table/columns";
import { LocalTable } from "../table/local";
import { Selection } from "../table/selection";
import { maintainGroups, MaintenanceDialog } from "./maintenance";
import { PACKAGE_COLUMNS, PACKAGE_VALUES, usePackages } from "./repository";
import { hostRow } from "./host_model";
import { editPolicy, PolicyDialog, SECTIONS } from "./assignments_policy";
import { ChangeDialog, open } from "./repository_changes";
import { packagePath, POLICY, type Package } from "./repository_model";

interface Wanted {
    uuids: () => Promise<readonly string[]>;
    count: number;
}
const wanted = askedFor<Wanted>();

/** Opens the change of what these machines are assigned. */
export function assign(uuids: Wanted["uuids"], count: number): void {
    wanted.value = { uuids, count };
}


interface Plan {
    steps: readonly { action: string; package: string; version: string | null; installed: string | null; why: string }[];
    problems: readonly { package: string; text: string; reasons: readonly { depth: number; text: string }[] }[];
}
const ACTIONS: Record<string, readonly [Text, Tone]> = { install: ["to install", "ok"], upgrade: ["to upgrade", "ok"], remove: ["to remove", "warn"], keep: ["to keep", "none"] };

function PlanView({ request, onClose }: { request: Record<string, unknown>; onClose: () => void }) {
    const plan = useSignal<Plan | undefined>(undefined);
    const error = useSignal("");
    useEffect(() => {
        call<{ id: string; details: Plan }>("POST", "/local/prepare", { ...request, what: "plan" }).then(
            (made) => {
                plan.value = made.details;
                void call("DELETE", `/local/prepare/${encodeURIComponent(made.id)}`).catch(() => undefined); // only looked at
            },
            (e) => (error.value = errorText(e)),
        );
    }, []);
    const p = plan.value;
    return (
        <Dialog title={t("What an upgrade would do")} onClose={onClose} wide>
            {error.value && <p class="error">{error.value}</p>}
            {!p && !error.value && <p class="muted">{t("Being found out...")}</p>}
            {p && p.steps.length === 0 && <p>{t("Nothing would be done.")}</p>}
            {p && (
                <ul class="plain-list" data-test="plan">
                    {p.steps.map((s) => {
                        const known = ACTIONS[s.action];
                        return (
                            <li key={`${s.action} ${s.package}`}>
                                {known && <Status tone={known[1]} text={t(known[0])} />} <strong>{`${s.package} ${s.version ?? s.installed ?? ""}`}</strong> <span class="muted">{s.why}</span>
                            </li>
                        );
                    })}
                </ul>
            )}
            {p && p.problems.length > 0 && (
                <>
                    <h3>{t("Not possible as wished")}</h3>
                    {p.problems.map((x, i) => (
                        <pre class="log" key={i}>
                            {[x.text, ...x.reasons.map((r) => " ".repeat(2 * r.depth) + r.text)].join("\n")}
                        </pre>
                    ))}
                </>
            )}
        </Dialog>
    );
}

function AssignForm({ uuids, count }: Wanted) {
    const add = useSignal("");
    const remove = useSignal("");
    const exclude = useSignal("");
    const allow = useSignal("");
    const planned = useSignal<Record<string, unknown> | undefined>(undefined);
    const now = useSignal<readonly string[] | undefined>(undefined); // of one machine: of many, who knows
    useEffect(() => {
        const stop = new AbortController();
        if (count === 1)
            uuids()
                .then(([uuid = ""]) => hostRow(uuid, stop.signal))
                .then((found) => (now.value = found?.groups ?? []), () => undefined);
        return () => stop.abort();
    }, []);
    const close = () => (wanted.value = undefined);
    const request = async () => ({
        what: "host-packages",
        hosts: await uuids(),
        add: words(add.value),
        remove: words(remove.value),
        add_conflicts: words(exclude.value),
        remove_conflicts: words(allow.value),
    });
    const isEmpty = ![add, remove, exclude, allow].some((s) => words(s.value).length > 0);
    const submit = async () => {
        const what = await whileAsked(wanted, request());
        close();
        review(what, (answer) => {
            sayFailed(answer.hosts as { name: string; code: string; error: string | null }[]);
            say(tn(Number(answer.changed), "{n} machine is assigned something else.", "{n} machines are assigned something else."));
        });
    };
    const plan = () => void request().then((what) => (planned.value = what), sayError);
    if (planned.value) return <PlanView request={planned.value} onClose={() => (planned.value = undefined)} />;
    return (
        <FormDialog
            title={t("Change what is assigned")}
            onClose={close}
            onSubmit={submit}
            button={t("Review")}
            disabled={isEmpty}
            aside={
                count === 1 && (
                    <button type="button" onClick={plan}>
                        {t("Show the plan")}
                    </button>
                )
            }
        >
            <p class="muted">{now.value ? pair(t("Assigned now"), now.value.join(", ") || t("(nothing)")) : tn(count, "{n} machine", "{n} machines")}</p>
            <PackagesField label={t("Assign")} value={add.value} onInput={(v) => (add.value = v)} autofocus hint={t("Packages and groups, with blanks between; also as tis-firefox(>=115).")} />
            {now.value ? <NamesField label={t("Assign no more")} value={remove.value} known={now.value} onInput={(v) => (remove.value = v)} /> : <PackagesField label={t("Assign no more")} value={remove.value} onInput={(v) => (remove.value = v)} />}
            <PackagesField label={t("Exclude")} value={exclude.value} onInput={(v) => (exclude.value = v)} hint={t("What these machines must not have.")} />
            <PackagesField label={t("Exclude no more")} value={allow.value} onInput={(v) => (allow.value = v)} />
        </FormDialog>
    );
}

export function AssignDialog() {
    return wanted.value ? <AssignForm {...wanted.value} /> : null;
}

const COLUMNS: readonly Column<Package>[] = [
    { id: "package", title: "Name", width: 220, grows: 360, sort: "package", text: (p) => p.package, cell: (p) => <A to={packagePath(p.package)} tabIndex={-1}>{p.package}</A> },
    { id: "kind", title: "Kind", width: 140, grows: 200, sort: "kind", text: (p) => (SECTIONS[p.section] ? t(SECTIONS[p.section] as Text) : p.section) },
    { id: "needs", title: "Assigns", width: 300, grows: 640, text: (p) => p.depends },
    { id: "excludes", title: "Excludes", width: 150, grows: 400, text: (p) => p.conflicts },
    { id: "windows", title: "Maintenance windows", width: 206, grows: 320, text: (p) => p.maintenance_windows ?? "" },
    { id: "freezes", title: "Freezes", width: 190, grows: 320, text: (p) => p.freeze_periods ?? "", isHidden: true },
    { id: "held", title: "Holds", width: 170, grows: 320, text: (p) => p.packages_held ?? "" },
    ...PACKAGE_COLUMNS.filter((c) => ["version", "maturity", "signer", "signed"].includes(c.id)),
];

function Tools({ selection, rules, all, again }: { selection: Selection; rules: readonly Package[]; all: readonly Package[]; again: () => void }) {
    void selection.version.value;
    const chosen = rules.filter((p) => selection.has(p.file));
    const done = () => {
        selection.clear();
        again();
    };
    if (chosen.length === 0) return <span class="muted">{t("Select some to change or remove them.")}</span>;
    return (
        <>
            <strong>{tn(chosen.length, "{n} selected", "{n} selected")}</strong>
            <button type="button" onClick={() => editPolicy(chosen, done)}>
                {t("Change")}
            </button>
            {chosen.every((p) => p.section !== "selfservice") && (
                <button type="button" onClick={() => maintainGroups(chosen, done)}>
                    {t("Maintenance and holds")}
                </button>
            )}
            <button type="button" class="danger" onClick={() => (open.value = { what: "delete", packages: chosen, all, onDone: done })}>
                {t("Remove")}
            </button>
        </>
    );
}

export function AssignmentsPage() {
    const { all, again } = usePackages();
    const selection = useMemo(() => new Selection(), []);
    useCommands(() => [{ id: "policy", title: t("New group or rules"), run: () => editPolicy([], again) }]);
    const rules = all?.filter((p) => p.is_newest && POLICY.includes(p.section));
    return (
        <div class="page page-table">
            <div class="page-head">
                <h1>{t("Assignments")}</h1>
                <span class="space" />
                <button type="button" onClick={() => navigate("/hosts")}>
                    {t("Choose machines")}
                </button>
                <button type="button" class="primary" onClick={() => editPolicy([], again)}>
                    {t("New group or rules")}
                </button>
            </div>
            <p class="muted">{t("Groups, units, profiles and rules of self-service. What single machines are assigned is changed on the machines: select them, then Assign.")}</p>
            <LocalTable
                name="assignments"
                label={t("Assignments")}
                all={rules}
                columns={COLUMNS}
                rowKey={(p) => p.file}
                values={PACKAGE_VALUES}
                firstSort="package"
                selection={selection}
                tools={<Tools selection={selection} rules={rules ?? []} all={all ?? []} again={again} />}
                onOpen={(p) => navigate(packagePath(p.package))}
                empty={t("There are no groups yet.")}
            />
            <PolicyDialog />
            <MaintenanceDialog />
            <ChangeDialog />
        </div>
    );
}
