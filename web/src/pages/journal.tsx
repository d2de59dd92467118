// The journal: what was done on the server, by whom, newest first; and the digests that anybody can keep to tell later whether it was changed.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { apiPath, call, isAbort } from "../api";
import { Dialog } from "../components/dialog";
import { Choice, Facts } from "../components/fields";
import { sayError } from "../components/toasts";
import { ago, dateTime, number, plain } from "../format";
import { t } from "../i18n";
import { epoch } from "../local";
import { Columns, type Column } from "../table/columns";
import { Rows, type Load } from "../table/rows";
import { Table } from "../table/table";

interface Row {
    seq: number;
    at: number;
    digest: string;
    entry: string; // JSON, as it was written and is a link of the chain
}
interface Head {
    node: string;
    seq: number;
    digest: string;
    trimmed?: number;
    chains?: readonly { node: string; seq: number; digest: string }[];
}

function members(row: Row): Record<string, unknown> {
    try {
        const read: unknown = JSON.parse(row.entry);
        return typeof read === "object" && read !== null ? (read as Record<string, unknown>) : {};
    } catch {
        return {};
    }
}

const TOLD = ["act", "user", "peer", "prev", "at", "seq", "node"];

function about(row: Row): string {
    return Object.entries(members(row))
        .filter(([name]) => !TOLD.includes(name))
        .map(([name, value]) => `${name}=${plain(value)}`)
        .join("  ");
}

const COLUMNS: readonly Column<Row>[] = [
    { id: "seq", title: "Entry", width: 80, text: (r) => number(r.seq), align: "end" },
    { id: "at", title: "When", width: 190, text: (r) => dateTime(r.at), cell: (r) => <span title={ago(r.at)}>{dateTime(r.at)}</span> },
    { id: "act", title: "What happened", width: 210, text: (r) => plain(members(r).act) },
    { id: "user", title: "By", width: 140, text: (r) => plain(members(r).user) },
    { id: "peer", title: "From address", width: 140, text: (r) => plain(members(r).peer) },
    { id: "about", title: "About", width: 460, text: about },
    { id: "digest", title: "Digest", width: 200, text: (r) => r.digest, isHidden: true },
];

/** Rows by their distance from the newest one: the server pages the other way. */
function loadJournal(head: Head): Load<Row> {
    const first = head.trimmed ?? 0;
    return async (offset, limit, stop) => {
        const total = head.seq - first;
        const last = head.seq - offset;
        const after = Math.max(last - limit, first);
        if (last <= after) return { total, rows: [] };
        const found = await call<{ entries: Row[] }>("GET", apiPath(["journal"], { node: head.node, after, limit: last - after }), undefined, stop);
        return { total, rows: found.entries.reverse() };
    };
}

function Entry({ row, onClose }: { row: Row; onClose: () => void }) {
    const rows = Object.entries(members(row)).map(([name, value]) => [name, <span key={name} class="said">{plain(value)}</span>] as const);
    return (
        <Dialog title={t("Entry {n}", { n: number(row.seq) })} onClose={onClose} wide>
            <Facts rows={[[t("When"), dateTime(row.at)], ...rows, [t("Digest"), <code key="d">{row.digest}</code>]]} />
        </Dialog>
    );
}

function Chain({ head }: { head: Head }) {
    const open = useSignal<Row | undefined>(undefined);
    const columns = useMemo(() => new Columns<Row>("journal", COLUMNS), []);
    const rows = useMemo(() => new Rows<Row>(loadJournal(head), (r) => String(r.seq)), []);
    useEffect(() => rows.ask(loadJournal(head)), [head.seq, head.node]);
    return (
        <>
            <Table label={t("Journal")} rows={rows} columns={columns} onSort={() => undefined} onOpen={(r) => (open.value = r)} />
            {open.value && <Entry row={open.value} onClose={() => (open.value = undefined)} />}
        </>
    );
}

export function JournalPage() {
    const head = useSignal<Head | undefined>(undefined);
    const node = useSignal("");
    const again = useSignal(0);
    useEffect(() => {
        const stop = new AbortController();
        call<Head>("GET", apiPath(["journal", "head"], { node: node.value }), undefined, stop.signal).then(
            (found) => (head.value = found),
            (e) => !isAbort(e) && sayError(e),
        );
        return () => stop.abort();
    }, [node.value, again.value, epoch.value]);
    const h = head.value;
    const chains = h?.chains ?? [];
    return (
        <div class="page page-table">
            <div class="page-head">
                <h1>{t("Journal")}</h1>
                {h && <span class="muted">{t("{n} entries, the newest one {digest}", { n: number(h.seq), digest: h.digest.slice(0, 16) })}</span>}
                <span class="space" />
                {chains.length > 1 && <Choice label={t("Server")} value={h?.node ?? ""} options={chains.map((c) => [c.node, c.node] as const)} onChange={(value) => (node.value = value)} inline />}
                <button type="button" onClick={() => again.value++}>
                    {t("Read again")}
                </button>
            </div>
            <p class="muted">{t("Each entry holds the digest of the one before. \"waptconsole journal\" keeps the newest digest here and finds what was removed or changed since; \"waptserver journal verify\" looks at every entry.")}</p>
            {h && <Chain key={h.node} head={h} />}
        </div>
    );
}
