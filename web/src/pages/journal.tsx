// The journal: what was done on the server, by whom, newest first; and the digests that anybody can keep to tell later whether it was changed.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { apiPath, call, errorText, isAbort } from "../api";
import { Dialog } from "../components/dialog";
import { Choice, Facts } from "../components/fields";
import { useRead } from "../components/read";
import { Status } from "../components/status";
import { ago, dateTime, number, plain } from "../format";
import { t } from "../i18n";
import { ColumnsButton } from "../table/chooser";
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
    { id: "act", title: "What happened", width: 210, grows: 300, text: (r) => plain(members(r).act), opens: (r) => plain(members(r).act) },
    { id: "user", title: "By", width: 140, grows: 240, text: (r) => plain(members(r).user) },
    { id: "peer", title: "From address", width: 160, grows: 260, text: (r) => plain(members(r).peer) },
    { id: "about", title: "About", width: 460, grows: 900, text: about },
    { id: "digest", title: "Digest", width: 200, grows: 520, text: (r) => r.digest, isHidden: true },
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

interface Walk {
    node: string;
    after: number;
    digest: string;
    total: number;
    done: boolean;
}

/** Every entry, its digest computed by the program, and what it kept of the journal when it last saw it. */
function Verify({ node, onClose }: { node: string; onClose: () => void }) {
    const at = useSignal<Walk | undefined>(undefined);
    const broken = useSignal("");
    useEffect(() => {
        const stop = new AbortController();
        const walk = async () => {
            let w = await call<Walk>("POST", "/local/journal", { node }, stop.signal);
            at.value = w;
            while (!w.done) {
                w = await call<Walk>("POST", "/local/journal", { node: w.node, after: w.after, digest: w.digest }, stop.signal);
                at.value = w;
            }
        };
        walk().catch((e) => !isAbort(e) && (broken.value = errorText(e)));
        return () => stop.abort();
    }, []);
    const w = at.value;
    return (
        <Dialog title={t("Verify the journal")} onClose={onClose} onSubmit={onClose} footer={<button type="submit">{t("Close")}</button>}>
            {w && !w.done && !broken.value && (
                <p role="status">
                    <progress max={Math.max(w.total, 1)} value={w.after} aria-label={t("Entries looked at")} /> {t("{n} of {all} entries", { n: number(w.after), all: number(w.total) })}
                </p>
            )}
            {w?.done && (
                <p role="status">
                    <Status tone="ok" text={t("Whole")} /> {t("All {n} entries fit to each other, and to what was seen here before. The newest one is kept for the next time.", { n: number(w.total) })}
                </p>
            )}
            {broken.value && (
                <>
                    <p class="error" role="alert">
                        {broken.value}
                    </p>
                    <p>{t("\"waptserver journal verify\" on the server says more. What machines run does not hang on the journal: it is what was done that may be hidden.")}</p>
                </>
            )}
        </Dialog>
    );
}

function Chain({ head, columns }: { head: Head; columns: Columns<Row> }) {
    const open = useSignal<Row | undefined>(undefined);
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
    const node = useSignal("");
    const again = useSignal(0);
    const isVerifying = useSignal(false);
    const h = useRead<Head>(apiPath(["journal", "head"], { node: node.value }), again.value);
    const chains = h?.chains ?? [];
    const columns = useMemo(() => new Columns<Row>("journal", COLUMNS), []);
    return (
        <div class="page page-table">
            <div class="page-head">
                <h1>{t("Journal")}</h1>
                {h && <span class="muted">{t("{n} entries, the newest one {digest}", { n: number(h.seq), digest: h.digest.slice(0, 16) })}</span>}
                <span class="space" />
                {chains.length > 1 && <Choice label={t("Server")} value={h?.node ?? ""} options={chains.map((c) => [c.node, c.node] as const)} onChange={(value) => (node.value = value)} inline />}
                <ColumnsButton columns={columns} />
                <button type="button" onClick={() => again.value++}>
                    {t("Read again")}
                </button>
                <button type="button" disabled={!h} onClick={() => (isVerifying.value = true)}>
                    {t("Verify")}
                </button>
            </div>
            <p class="muted">{t("Each entry holds the digest of the one before. The newest is kept here by each command of waptconsole and each verification: what was removed or changed since shows.")}</p>
            {h && <Chain key={h.node} head={h} columns={columns} />}
            {h && isVerifying.value && <Verify node={h.node} onClose={() => (isVerifying.value = false)} />}
        </div>
    );
}
