// What became of orders: how many machines are in which state, and a result per machine, live.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { apiPath, call, download } from "../api";
import { Icon } from "../components/icons";
import { A } from "../components/link";
import { review } from "../components/review";
import { Status, toneOf, type Tone } from "../components/status";
import { say, sayError } from "../components/toasts";
import { onEvents } from "../events";
import { ago, dateTime, number, plain } from "../format";
import { t, tn, type Text } from "../i18n";
import { epoch } from "../local";
import { pref } from "../prefs";
import { navigate, place, setQuery } from "../router";
import { Columns, type Column } from "../table/columns";
import { byPlaces } from "../table/cursor";
import { loadFrom, Rows } from "../table/rows";
import { Table } from "../table/table";
import { list, members } from "./host_model";
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
}
interface Batch {
    counts: Record<string, number>;
    actions: Order[];
    next?: string;
}

export interface Remembered {
    batch: string;
    kind: string;
    packages: readonly string[];
    count: number;
    at: number; // s since 1970
}
const KEPT = 100;
const remembered = pref<readonly Remembered[]>("orders", []);

export function rememberOrder(one: Remembered): void {
    remembered.value = [one, ...remembered.value].slice(0, KEPT);
}

const STATES: Record<string, Text> = {
    waiting: "waiting",
    queued: "waits for the machine",
    sent: "sent",
    delivered: "has arrived",
    running: "running",
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

/** "tis-a 1.0 done, tis-b 2.0 failed", as the machine says it. */
function outcome(o: Order): string {
    return list(o.packages)
        .map((one) => (typeof one === "string" ? one : Object.values(members(one)).filter((v) => typeof v === "string" || typeof v === "number").map(plain).join(" ")))
        .join(", ");
}

const COLUMNS: readonly Column<Order>[] = [
    { id: "name", title: "Name", width: 200, text: (o) => o.name || o.uuid, cell: (o) => <A to={hostPath(o.uuid)} tabIndex={-1}>{o.name || o.uuid}</A> },
    { id: "state", title: "State", width: 200, text: (o) => orderState(o.state), cell: (o) => <Status tone={toneOf(o.state)} text={orderState(o.state)} /> },
    { id: "message", title: "Result", width: 300, text: (o) => o.message || o.code },
    { id: "packages", title: "Packages", width: 260, text: outcome },
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
    { id: "kind", title: "Order", width: 120, text: (o) => o.kind, cell: (o) => <A to={`/orders?batch=${encodeURIComponent(o.batch)}`} tabIndex={-1}>{o.kind}</A> },
    { id: "packages", title: "Packages", width: 260, text: outcome },
    { id: "state", title: "State", width: 200, text: (o) => orderState(o.state), cell: (o) => <Status tone={toneOf(o.state)} text={orderState(o.state)} /> },
    { id: "message", title: "Result", width: 360, text: (o) => o.message || o.code },
];

/** All that one machine was told to do: what runs, what waits, what is over. */
export function OrdersOfHost({ uuid }: { uuid: string }) {
    const load = byPlaces<Order>(async (limit, after, stop) => {
        const found = await call<Batch>("GET", apiPath(["actions"], { host: uuid, after, limit }), undefined, stop);
        return { total: Object.values(found.counts).reduce((a, b) => a + b, 0), rows: found.actions, next: found.next };
    });
    const columns = useMemo(() => new Columns<Order>("host.orders", OF_HOST), []);
    const rows = useMemo(() => new Rows<Order>(load, (o) => o.id), []);
    useEffect(() => onEvents((event) => (event === undefined || (event.kind === "action" && (!event.uuid || event.uuid === uuid))) && rows.refresh()), [rows]);
    useEffect(() => {
        if (epoch.value > 0) rows.refresh();
    }, [epoch.value]);
    return <Table label={t("Orders")} rows={rows} columns={columns} onSort={() => undefined} onOpen={(o) => navigate(`/orders?batch=${encodeURIComponent(o.batch)}`)} empty={t("It was told nothing yet.")} />;
}

function BatchView({ batch }: { batch: string }) {
    const counts = useSignal<Record<string, number>>({});
    const state = place.value.query.get("state") ?? "";
    const load = byPlaces<Order>(async (limit, after, stop) => {
        const found = await call<Batch>("GET", apiPath(["actions"], { batch, state, after, limit }), undefined, stop);
        counts.value = found.counts;
        const all = Object.values(found.counts).reduce((a, b) => a + b, 0);
        return { total: state ? (found.counts[state] ?? 0) : all, rows: found.actions, next: found.next };
    });
    const columns = useMemo(() => new Columns<Order>("batch", COLUMNS), []);
    const rows = useMemo(() => new Rows<Order>(load, (o) => o.id), []);
    useEffect(() => rows.ask(load), [state, epoch.value]);
    useEffect(() => onEvents((event) => (event === undefined || event.kind === "action") && rows.refresh()), [rows]);
    const known = remembered.value.find((one) => one.batch === batch);
    const open = Object.entries(counts.value).some(([s, n]) => n > 0 && !OVER.includes(s));
    const cancel = () => review({ what: "cancel", batch }, () => (say(t("The cancel is on its way.")), rows.refresh()));
    return (
        <div class="page page-table">
            <div class="page-head">
                <A to="/orders" class="back" title={t("Orders")}>
                    <Icon name="left" />
                </A>
                <h1>{known ? [known.kind, ...known.packages].join(" ") : t("Order")}</h1>
                <span class="muted">{known ? dateTime(known.at) : batch}</span>
                <span class="space" />
                {open && (
                    <button type="button" onClick={cancel}>
                        {t("Cancel the order")}
                    </button>
                )}
                <button type="button" onClick={() => void download(apiPath(["actions"], { batch, format: "csv" }), `order-${batch}.csv`).catch(sayError)}>
                    <Icon name="download" />
                    <span>CSV</span>
                </button>
            </div>
            <Bar counts={counts.value} />
            <div class="bar">
                {Object.entries(counts.value).map(([s, n]) => (
                    <button key={s} type="button" class="chip" aria-pressed={state === s} onClick={() => setQuery({ state: state === s ? "" : s })}>
                        <Status tone={toneOf(s)} text={`${orderState(s)}: ${number(n)}`} />
                    </button>
                ))}
            </div>
            <Table label={t("Results")} rows={rows} columns={columns} onSort={() => undefined} onOpen={(o) => navigate(hostPath(o.uuid))} />
        </div>
    );
}

const LIST: readonly Column<Remembered>[] = [
    { id: "at", title: "Ordered", width: 180, text: (o) => dateTime(o.at) },
    { id: "kind", title: "Order", width: 140, text: (o) => o.kind, cell: (o) => <A to={`/orders?batch=${o.batch}`} tabIndex={-1}>{o.kind}</A> },
    { id: "packages", title: "Packages", width: 360, text: (o) => o.packages.join(" ") },
    { id: "count", title: "Machines", width: 110, text: (o) => number(o.count), align: "end" },
];

function OrderList() {
    const columns = useMemo(() => new Columns<Remembered>("orders", LIST), []);
    const rows = useMemo(() => new Rows<Remembered>(loadFrom(remembered.value), (o) => o.batch), []);
    useEffect(() => rows.ask(loadFrom(remembered.value)), [remembered.value]);
    return (
        <div class="page page-table">
            <div class="page-head">
                <h1>{t("Orders")}</h1>
                <span class="muted">{tn(remembered.value.length, "{n} order given here", "{n} orders given here")}</span>
            </div>
            <Table label={t("Orders")} rows={rows} columns={columns} onSort={() => undefined} onOpen={(o) => navigate(`/orders?batch=${o.batch}`)} empty={t("Select machines and choose an action: what becomes of it is shown here.")} />
        </div>
    );
}

export function OrdersPage() {
    const batch = place.value.query.get("batch");
    return batch ? <BatchView key={batch} batch={batch} /> : <OrderList />;
}
