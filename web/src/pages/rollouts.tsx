// Roll-outs: how far each has come, ring by ring, and against which thresholds; paused, resumed, promoted, stopped.
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { apiPath, call } from "../api";
import { FormDialog } from "../components/dialog";
import { Facts } from "../components/fields";
import { Gone } from "../components/gone";
import { Icon } from "../components/icons";
import { A } from "../components/link";
import { Status, type Tone } from "../components/status";
import { useOne } from "../components/read";
import { useSubject } from "../components/subject";
import { say } from "../components/toasts";
import { useEvents } from "../events";
import { ago, dateTime, number } from "../format";
import { pair, t, tn, type Text } from "../i18n";
import { may } from "../local";
import type { PageProps } from "../pages";
import { navigate } from "../router";
import { ColumnsButton } from "../table/chooser";
import { Columns, type Column } from "../table/columns";
import { useLive } from "../table/live";
import { Rows, type Load } from "../table/rows";
import { Table } from "../table/table";
import { kindText } from "./hosts_kinds";
import { orderState } from "./orders";
import { NewRollout } from "./rollouts_new";
import { ringsOf, ringTotals, signedOf, type Ring, type Rollout } from "./rollouts_model";

const STATES: Record<string, readonly [Text, Tone]> = {
    running: ["running", "busy"],
    paused: ["paused", "warn"],
    halted: ["halted", "bad"],
    stopped: ["stopped", "none"],
    ended: ["ended", "ok"],
};

function stateText(state: string): string {
    const known = STATES[state];
    return known ? t(known[0]) : state;
}

function State({ of }: { of: Rollout }) {
    return <Status tone={STATES[of.state]?.[1] ?? "none"} text={stateText(of.state)} />;
}

/** What became of it on each machine; state: on those where it is so. */
const resultsPath = (id: string, state = "") => `/orders?batch=${encodeURIComponent(id)}${state ? `&state=${encodeURIComponent(state)}` : ""}`;
const rolloutPath = (id: string) => `/rollouts/${encodeURIComponent(id)}`;

/** Of each ring the machines that are through, or have failed, and all. */
function totals(r: Rollout): [ring: ReturnType<typeof ringTotals>[number], text: string][] {
    return ringTotals(r).map((ring) => [ring, over(ring)]);
}

/** "3 of 5", and how many of the others wait for what is in use. */
function over(ring: ReturnType<typeof ringTotals>[number]): string {
    const text = t("{over} of {total}", { over: number(ring.good + ring.bad), total: number(ring.total) });
    return ring.waits > 0 ? `${text} (${pair(orderState("postponed"), number(ring.waits))})` : text;
}

/** The rings as a row of bars, each as wide as it has machines. */
function RingBars({ of }: { of: Rollout }) {
    return (
        <span class="ring-row">
            {totals(of).map(([ring, text], i) => (
                <span key={i} class="progress" style={{ flexGrow: Math.max(ring.total, 1) }} role="img" aria-label={pair(tn(i + 1, "Ring {n}", "Ring {n}"), text)} title={text}>
                    <span class="part part-ok" style={{ flexGrow: ring.good }} />
                    <span class="part part-bad" style={{ flexGrow: ring.bad }} />
                    <span class="part part-warn" style={{ flexGrow: ring.waits }} />
                    <span class="part part-busy" style={{ flexGrow: Math.max(ring.total - ring.good - ring.bad - ring.waits, 0) }} />
                </span>
            ))}
        </span>
    );
}

const LIST: readonly Column<Rollout>[] = [
    { id: "name", title: "Name", width: 260, grows: 420, text: (r) => r.name, cell: (r) => <A to={rolloutPath(r.id)} tabIndex={-1}>{r.name || r.id}</A> },
    { id: "state", title: "State", width: 190, text: (r) => stateText(r.state), cell: (r) => <State of={r} /> },
    { id: "action", title: "Order", width: 120, text: (r) => kindText(r.action) },
    { id: "ring", title: "Ring", width: 80, text: (r) => number(r.ring + 1), align: "end" },
    { id: "counts", title: "Progress", width: 260, grows: 520, text: (r) => totals(r).map(([, text]) => text).join(", "), cell: (r) => <RingBars of={r} /> },
    { id: "reason", title: "Why", width: 320, grows: 620, text: (r) => r.reason },
    { id: "owner", title: "By", width: 130, grows: 240, text: (r) => r.owner },
    { id: "updated", title: "Changed", width: 130, text: (r) => ago(r.updated), cell: (r) => <span title={dateTime(r.updated)}>{ago(r.updated)}</span> },
    { id: "not_after", title: "Ends", width: 180, text: (r) => dateTime(r.not_after) },
];

export function RolloutsPage() {
    const isNew = useSignal(false);
    const load: Load<Rollout> = async (offset, limit, stop) => {
        const found = await call<{ rollouts: Rollout[]; total?: number }>("GET", apiPath(["rollouts"], { offset, limit }), undefined, stop);
        return { total: found.total ?? offset + found.rollouts.length, rows: found.rollouts };
    };
    const columns = useMemo(() => new Columns<Rollout>("rollouts", LIST), []);
    const rows = useMemo(() => new Rows<Rollout>(load, (r) => r.id), []);
    useLive(rows, (event) => event.kind === "rollout");
    return (
        <div class="page page-table">
            <div class="page-head">
                <h1>{t("Roll-outs")}</h1>
                <span class="space" />
                <ColumnsButton columns={columns} />
                {may("order-care") && (
                    <button type="button" class="primary" onClick={() => (isNew.value = true)}>
                        {t("New roll-out")}
                    </button>
                )}
            </div>
            <Table
                label={t("Roll-outs")}
                rows={rows}
                columns={columns}
                onSort={() => undefined}
                onOpen={(r) => navigate(rolloutPath(r.id))}
                empty={t("There is no roll-out yet.")}
            />
            {isNew.value && <NewRollout onClose={() => (isNew.value = false)} onDone={(id) => navigate(rolloutPath(id))} />}
        </div>
    );
}

// --- one of them ---

function Bar({ id, ring, isOpen }: { id: string; ring: Ring; isOpen: boolean }) {
    const ended = ring.good + ring.bad;
    return (
        <div class={`ring ${isOpen ? "" : "ring-closed"}`}>
            <div class="ring-head">
                <strong>{tn(ring.index + 1, "Ring {n}", "Ring {n}")}</strong>
                <span class="muted">{ring.whom}</span>
                <span class="space" />
                <span>{ring.total > 0 ? over(ring) : isOpen ? t("no machine yet") : t("not open yet")}</span>
            </div>
            <div class="progress" role="progressbar" aria-label={t("Machines that are done, one way or another")} aria-valuemin={0} aria-valuemax={Math.max(ring.total, 1)} aria-valuenow={ended}>
                <span class="part part-ok" style={{ flexGrow: ring.good }} />
                <span class="part part-bad" style={{ flexGrow: ring.bad }} />
                <span class="part part-warn" style={{ flexGrow: ring.waits }} />
                <span class="part part-busy" style={{ flexGrow: ring.total > 0 ? ring.total - ended - ring.waits : 1 }} />
            </div>
            <div class="ring-states">
                {ring.states.map(([state, n]) => (
                    <A key={state} to={resultsPath(id, state)}>
                        {pair(orderState(state), number(n))}
                    </A>
                ))}
            </div>
        </div>
    );
}

function span(s: number): string {
    if (s % 86_400 === 0 && s > 0) return tn(s / 86_400, "{n} day", "{n} days");
    return s % 3600 === 0 && s > 0 ? tn(s / 3600, "{n} hour", "{n} hours") : tn(Math.round(s / 60), "{n} minute", "{n} minutes");
}

function thresholds(r: Rollout): readonly (readonly [string, string])[] {
    const p = r.plan ?? {};
    const promoted = p.promote === "hand"
        ? t("by hand")
        : t("when {percent} % of at least {count} machines went well, after {time} at the earliest", { percent: p.success_percent ?? 95, count: p.min_count ?? 1, time: span(p.min_time_s ?? 0) });
    const halts = t("after {count} failures that are {percent} % of what has ended", { count: p.error_count ?? 1, percent: p.error_percent ?? 10 });
    return [
        [t("The next ring opens"), promoted],
        [t("It halts"), halts],
        [t("Only at these hours"), p.windows || t("at any time")],
    ];
}

interface Step {
    call: "promote" | "pause" | "resume" | "stop";
    title: Text;
    about: Text;
    states: readonly string[];
}
const STEPS: readonly Step[] = [
    { call: "promote", title: "Open the next ring", about: "The next machines are told, whatever became of the ones before.", states: ["running"] },
    { call: "pause", title: "Pause", about: "Nothing more is sent. What machines have already, they carry out.", states: ["running"] },
    { call: "resume", title: "Resume", about: "It goes on; what failed before counts no more.", states: ["paused", "halted"] },
    { call: "stop", title: "Stop", about: "It ends for good; what was not sent is cancelled. Machines that have the order carry it out.", states: ["running", "paused", "halted"] },
];

function StepDialog({ step, of, onDone }: { step: Step; of: Rollout; onDone: (changed?: Rollout) => void }) {
    const submit = async () => {
        onDone(await call<Rollout>("POST", apiPath(["rollouts", of.id, step.call]), {}));
        say(t("{what}: done.", { what: t(step.title) }));
    };
    return (
        <FormDialog title={pair(t(step.title), of.name)} onClose={() => onDone()} onSubmit={submit} button={t(step.title)} danger={step.call === "stop"} focusButton={step.call !== "stop"}>
            <p>{t(step.about)}</p>
        </FormDialog>
    );
}

function useRollout(id: string) {
    const version = useSignal(0);
    const rollout = useOne<Rollout>(apiPath(["rollouts", id]), version.value);
    useEvents((event) => event.kind === "rollout" && (event.name === id || event.what === "many"), () => version.value++);
    return { rollout, read: () => version.value++ };
}

export function RolloutPage({ args }: PageProps) {
    const id = args.id ?? "";
    const { rollout: r, read } = useRollout(id);
    const step = useSignal<Step | undefined>(undefined);
    useSubject(r && r !== "gone" ? r.name : "");
    if (!r) return <div class="page" aria-busy="true" />;
    if (r === "gone") return <Gone title={t("There is no such roll-out")} to="/rollouts" back={t("Roll-outs")} />;
    const signed = signedOf(r);
    const done = (changed?: Rollout) => {
        step.value = undefined;
        if (changed) read();
    };
    return (
        <div class="page">
            <div class="page-head">
                <A to="/rollouts" class="back" title={t("Roll-outs")}>
                    <Icon name="left" />
                </A>
                <h1>{r.name || r.id}</h1>
                <State of={r} />
                <span class="muted">{r.reason}</span>
                <span class="space" />
                {may("order-care") &&
                    STEPS.filter((s) => s.states.includes(r.state)).map((s) => (
                        <button key={s.call} type="button" class={s.call === "stop" ? "danger" : ""} title={t(s.about)} onClick={() => (step.value = s)}>
                            {t(s.title)}
                        </button>
                    ))}
            </div>
            <section class="panel" aria-label={t("Rings")}>
                {ringsOf(r).map((ring) => (
                    <Bar key={ring.index} id={r.id} ring={ring} isOpen={r.open && ring.index <= r.ring} />
                ))}
            </section>
            <section class="panel">
                <h2>{t("What was signed, and the plan")}</h2>
                <Facts
                    rows={[
                        [t("Order"), kindText(r.action)],
                        ...(signed.packages ? [[t("Packages"), signed.packages] as const] : []),
                        ...(signed.spares ? [[t("Left out"), t("what is in use; each machine comes back to it")] as const] : []),
                        ...thresholds(r),
                        [t("Signer"), r.signer],
                        [t("By"), r.owner],
                        [t("Begins"), dateTime(r.not_before)],
                        [t("Ends"), dateTime(r.not_after)],
                        [t("Identifier"), <code key="id">{r.id}</code>],
                        [t("Results"), <A key="b" to={resultsPath(r.id)}>{t("each machine's")}</A>],
                    ]}
                />
            </section>
            {step.value && <StepDialog step={step.value} of={r} onDone={done} />}
        </div>
    );
}
