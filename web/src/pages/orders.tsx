// What became of orders: how many machines are in which state, and a result per machine, live.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { apiPath, call, download } from "../api";
import { Icon } from "../components/icons";
import { A } from "../components/link";
import { review } from "../components/review";
import { Status, toneOf, type Tone } from "../components/status";
import { say, sayError } from "../components/toasts";
import { useEvents } from "../events";
import { ago, dateTime, number, plain } from "../format";
import { pair, t, type Text } from "../i18n";
import { epoch } from "../local";
import { navigate, place, setQuery } from "../router";
import { ColumnsButton } from "../table/chooser";
import { Columns, type Column } from "../table/columns";
import { byPlaces } from "../table/cursor";
import { useLive } from "../table/live";
import { LocalTable } from "../table/local";
import { Rows } from "../table/rows";
import { Table } from "../table/table";
import { list, members } from "./host_model";
import { kindText } from "./hosts_kinds";
import { hostPath } from "./hosts_model";

interface Order {
    id: string;
    batch: string;
    packages: readonly unknown[]; // what the machine says became of each
    uuid: string;
    name: string;
    state: string;
    code: string;
    message: string;
    kind: string;
    not_after: number;
    updated: number;
    created: number;
}
interface Batch {
    counts: Record<string, number>;
    actions: Order[];
    next?: string;
}
/** What was ordered together, as the server lists it. */
interface Summary {
    batch: string;
    kind: string;
    what: string; // packages
    user: string;
    created: number;
    machines: number;
    counts: Record<string, number>;
}

const STATES: Record<string, Text> = {
    waiting: "waiting",
    queued: "waits for the machine",
    sent: "sent",
    delivered: "has arrived",
    running: "running",
    postponed: "waits: in use",
    done: "done",
    failed: "failed",
    refused: "refused",
    cancelled: "cancelled",
    expired: "too late",
};
const OVER = ["done", "failed", "refused", "cancelled", "expired"];

export function orderState(state: string): string {
    const known = STATES[state];
    return known ? t(known) : state;
}

/** "tis-a 1.0 OK", as the machine says it; "tis-b 2.0: waits for firefox", which runs there. */
function ofPackage(one: unknown): string {
    if (typeof one === "string") return one;
    const { program, ...p } = members(one);
    if (typeof program === "string") return t("{package} {version}: waits for {program}", { package: plain(p.package), version: plain(p.version), program });
    return Object.values(p).filter((v) => typeof v === "string" || typeof v === "number").map(plain).join(" ");
}

function outcome(o: Order): string {
    return list(o.packages).map(ofPackage).join(", ");
}

const COLUMNS: readonly Column<Order>[] = [
    { id: "name", title: "Name", width: 200, grows: 320, text: (o) => o.name || o.uuid, cell: (o) => <A to={hostPath(o.uuid)} tabIndex={-1}>{o.name || o.uuid}</A> },
    { id: "state", title: "State", width: 200, text: (o) => orderState(o.state), cell: (o) => <Status tone={toneOf(o.state)} text={orderState(o.state)} /> },
    { id: "message", title: "Result", width: 300, grows: 700, text: (o) => o.message || o.code },
    { id: "packages", title: "Packages", width: 260, grows: 560, text: outcome },
    { id: "updated", title: "Changed", width: 120, text: (o) => ago(o.updated), cell: (o) => <span title={dateTime(o.updated)}>{ago(o.updated)}</span> },
    { id: "uuid", title: "Identifier", width: 290, text: (o) => o.uuid, isHidden: true },
];

function Bar({ counts }: { counts: Record<string, number> }) {
    const total = Object.values(counts).reduce((a, b) => a + b, 0);
    const byTone = new Map<Tone, number>();
    for (const [state, n] of Object.entries(counts)) byTone.set(toneOf(state), (byTone.get(toneOf(state)) ?? 0) + n);
    const over = OVER.reduce((n, state) => n + (counts[state] ?? 0), 0);
    return (
        <div class="progress-line">
            <div class="progress" role="progressbar" aria-label={t("Machines that are done, one way or another")} aria-valuemin={0} aria-valuemax={total} aria-valuenow={over}>
                {(["ok", "warn", "bad", "busy"] as const).map((tone) => (
                    <span key={tone} class={`part part-${tone}`} style={{ flexGrow: byTone.get(tone) ?? 0 }} />
                ))}
            </div>
        </div>
    );
}

const OF_HOST: readonly Column<Order>[] = [
    { id: "updated", title: "Changed", width: 190, text: (o) => dateTime(o.updated), cell: (o) => <span title={ago(o.updated)}>{dateTime(o.updated)}</span> },
    { id: "kind", sort: "kind", title: "Order", width: 120, text: (o) => kindText(o.kind), cell: (o) => <A to={`/orders?batch=${encodeURIComponent(o.batch)}`} tabIndex={-1}>{kindText(o.kind)}</A> },
    { id: "packages", title: "Packages", width: 260, grows: 560, text: outcome },
    { id: "state", title: "State", width: 200, text: (o) => orderState(o.state), cell: (o) => <Status tone={toneOf(o.state)} text={orderState(o.state)} /> },
    { id: "message", title: "Result", width: 360, grows: 700, text: (o) => o.message || o.code },
];

/** All that one machine was told to do: what runs, what waits, what is over. */
export function OrdersOfHost({ uuid }: { uuid: string }) {
    const load = byPlaces<Order>(async (limit, after, stop) => {
        const found = await call<Batch>("GET", apiPath(["actions"], { host: uuid, after, limit }), undefined, stop);
        return { total: Object.values(found.counts).reduce((a, b) => a + b, 0), rows: found.actions, next: found.next };
    });
    const columns = useMemo(() => new Columns<Order>("host.orders", OF_HOST), []);
    const rows = useMemo(() => new Rows<Order>(load, (o) => o.id), []);
    useLive(rows, (event) => event.kind === "action" && (!event.uuid || event.uuid === uuid));
    return (
        <>
            <div class="bar">
                <span class="space" />
                <ColumnsButton columns={columns} />
            </div>
            <Table label={t("Orders")} rows={rows} columns={columns} onSort={() => undefined} onOpen={(o) => navigate(`/orders?batch=${encodeURIComponent(o.batch)}`)} empty={t("It was told nothing yet.")} />
        </>
    );
}

function BatchView({ batch }: { batch: string }) {
    const counts = useSignal<Record<string, number>>({});
    const first = useSignal<Order | undefined>(undefined);
    const state = place.value.query.get("state") ?? "";
    const load = byPlaces<Order>(async (limit, after, stop) => {
        const found = await call<Batch>("GET", apiPath(["actions"], { batch, state, after, limit }), undefined, stop);
        counts.value = found.counts;
        first.value ??= found.actions[0];
        const all = Object.values(found.counts).reduce((a, b) => a + b, 0);
        return { total: state ? (found.counts[state] ?? 0) : all, rows: found.actions, next: found.next };
    });
    const columns = useMemo(() => new Columns<Order>("batch", COLUMNS), []);
    const rows = useMemo(() => new Rows<Order>(load, (o) => o.id), []);
    useEffect(() => rows.ask(load), [state]);
    useLive(rows, (event) => event.kind === "action");
    const open = Object.entries(counts.value).some(([s, n]) => n > 0 && !OVER.includes(s));
    const cancel = () => review({ what: "cancel", batch }, () => (say(t("The cancel is on its way.")), rows.refresh()));
    return (
        <div class="page page-table">
            <div class="page-head">
                <A to="/orders" class="back" title={t("Orders")}>
                    <Icon name="left" />
                </A>
                <h1>{first.value ? pair(t("Order"), kindText(first.value.kind)) : t("Order")}</h1>
                <span class="muted">{first.value ? dateTime(first.value.created) : batch}</span>
                <span class="space" />
                {open && (
                    <button type="button" class="danger" onClick={cancel}>
                        {t("Cancel the order")}
                    </button>
                )}
                <ColumnsButton columns={columns} />
                <button type="button" onClick={() => void download(apiPath(["actions"], { batch, format: "csv" }), `order-${batch}.csv`).catch(sayError)}>
                    <Icon name="download" />
                    <span>CSV</span>
                </button>
            </div>
            <Bar counts={counts.value} />
            <div class="bar">
                {Object.entries(counts.value).map(([s, n]) => (
                    <button key={s} type="button" class="chip" aria-pressed={state === s} onClick={() => setQuery({ state: state === s ? "" : s })}>
                        <Status tone={toneOf(s)} text={pair(orderState(s), number(n))} />
                    </button>
                ))}
            </div>
            <Table label={t("Results")} rows={rows} columns={columns} onSort={() => undefined} onOpen={(o) => navigate(hostPath(o.uuid))} />
        </div>
    );
}

const sum = (counts: Record<string, number>, states: readonly string[]) => states.reduce((n, state) => n + (counts[state] ?? 0), 0);

const LIST: readonly Column<Summary>[] = [
    { id: "created", sort: "created", title: "Ordered", width: 170, text: (o) => dateTime(o.created), cell: (o) => <span title={ago(o.created)}>{dateTime(o.created)}</span> },
    { id: "kind", sort: "kind", title: "Order", width: 120, text: (o) => kindText(o.kind), cell: (o) => <A to={`/orders?batch=${encodeURIComponent(o.batch)}`} tabIndex={-1}>{kindText(o.kind)}</A> },
    { id: "what", sort: "what", title: "Subject", width: 210, grows: 560, text: (o) => o.what },
    { id: "user", sort: "user", title: "By", width: 120, grows: 240, text: (o) => o.user },
    { id: "machines", sort: "machines", title: "Machines", width: 96, text: (o) => number(o.machines), align: "end" },
    { id: "done", sort: "done", title: "Done", width: 90, text: (o) => number(sum(o.counts, ["done"])), align: "end" },
    { id: "bad", sort: "bad", title: "Failed", width: 90, text: (o) => number(sum(o.counts, ["failed", "refused"])), align: "end" },
    { id: "counts", title: "Progress", width: 180, grows: 420, text: (o) => Object.entries(o.counts).map(([s, n]) => pair(orderState(s), number(n))).join(", "), cell: (o) => <Bar counts={o.counts} /> },
];

const BATCHES = 100; // of one page
const SOON_MS = 700;
const REST_FACTOR = 4; // counting very many takes a while: so many times of that pass before it is done again

/** What was ordered lately, as it goes on: the first page is read again with each event, older ones when they are asked for. */
function useBatches() {
    const all = useSignal<readonly Summary[] | undefined>(undefined);
    const next = useSignal<string | undefined>(undefined);
    const took = useRef(0); // ms
    const read = async (after?: string) => {
        const began = performance.now();
        const found = await call<{ batches: Summary[]; next?: string }>("GET", apiPath(["batches"], { after, limit: BATCHES }));
        took.current = performance.now() - began;
        const fresh = new Set(found.batches.map((b) => b.batch));
        const kept = (all.value ?? []).filter((b) => !fresh.has(b.batch));
        if (after || kept.length === 0) next.value = found.next;
        all.value = after ? [...kept, ...found.batches] : [...found.batches, ...kept];
    };
    useEffect(() => void read().catch(sayError), [epoch.value]);
    useEvents((event) => event.kind === "action", () => void read().catch(sayError), () => Math.max(SOON_MS, REST_FACTOR * took.current));
    return { all, next, more: () => void read(next.value).catch(sayError) };
}

function OrderList() {
    const { all, next, more } = useBatches();
    return (
        <div class="page page-table">
            <div class="page-head">
                <h1>{t("Orders")}</h1>
                <span class="space" />
                {next.value && (
                    <button type="button" onClick={more}>
                        {t("Older ones")}
                    </button>
                )}
            </div>
            <LocalTable
                name="batches"
                label={t("Orders")}
                all={all.value}
                columns={LIST}
                rowKey={(o) => o.batch}
                firstSort="-created"
                values={{ created: (o) => o.created, machines: (o) => o.machines, done: (o) => sum(o.counts, ["done"]), bad: (o) => sum(o.counts, ["failed", "refused"]) }}
                onOpen={(o) => navigate(`/orders?batch=${encodeURIComponent(o.batch)}`)}
                empty={t("Select machines and choose an action: what becomes of it is shown here.")}
            />
        </div>
    );
}

export function OrdersPage() {
    const batch = place.value.query.get("batch");
    return batch ? <BatchView key={batch} batch={batch} /> : <OrderList />;
}
