// Reports: saved queries, run on the server over views of what it knows; their rows as a table, a chart, or CSV.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { apiPath, call, download } from "../api";
import { FormDialog } from "../components/dialog";
import { Field } from "../components/fields";
import { Icon } from "../components/icons";
import { A } from "../components/link";
import { useRead } from "../components/read";
import { say, sayError } from "../components/toasts";
import { dateTime, number, plain } from "../format";
import { t, tn, type Text } from "../i18n";
import { may } from "../local";
import { navigate, place } from "../router";
import { WIDTH_MAX, type Column } from "../table/columns";
import { LocalTable } from "../table/local";
import { Chart, isChart } from "./reports_chart";

interface Report {
    name: string;
    about: string;
    query: string;
    author: string;
    changed_at: number;
}
export interface Result {
    columns: readonly string[];
    rows: readonly (readonly unknown[])[];
    is_cut?: boolean;
}

const ROWS_MAX = 100_000;
const path = (name: string) => `/reports?name=${encodeURIComponent(name)}`;

const LIST: readonly Column<Report>[] = [
    { id: "name", title: "Name", width: 260, grows: 420, sort: "name", text: (r) => r.name, cell: (r) => <A to={path(r.name)} tabIndex={-1}>{r.name}</A> },
    { id: "about", title: "About", width: 460, grows: 800, sort: "about", text: (r) => r.about },
    { id: "author", title: "By", width: 140, grows: 260, sort: "author", text: (r) => r.author },
    { id: "changed", title: "Changed", width: 190, sort: "changed", text: (r) => dateTime(r.changed_at) },
];

/** px for what stands in a column, by its longest text. */
function needOf(result: Result, i: number): number {
    const longest = result.rows.slice(0, 200).reduce((n, row) => Math.max(n, plain(row[i]).length), (result.columns[i] ?? "").length + 2);
    return Math.max(Math.round(longest * 8) + 32, 90);
}

function Rows({ result }: { result: Result }) {
    const columns = result.columns.map((name, i): Column<readonly unknown[]> => ({ id: `${i}`, title: "Column" as Text, heading: name, width: Math.min(needOf(result, i), 420), grows: Math.min(needOf(result, i), WIDTH_MAX), sort: `${i}`, text: (row) => plain(row[i]), ...(typeof result.rows[0]?.[i] === "number" ? { align: "end" as const } : {}) }));
    const values = Object.fromEntries(result.columns.flatMap((_, i) => (typeof result.rows[0]?.[i] === "number" ? [[`${i}`, (row: readonly unknown[]) => Number(row[i])]] : [])));
    const keys = useMemo(() => new Map(result.rows.map((row, i) => [row, String(i)])), [result]);
    return (
        <>
            {result.is_cut && <p class="banner-text">{t("There is more: these are the first {n} rows.", { n: number(result.rows.length) })}</p>}
            {isChart(result) && <Chart result={result} />}
            <LocalTable name={`report.${result.columns.join("|")}`} label={t("Rows")} all={result.rows} columns={columns} rowKey={(row) => keys.get(row) ?? ""} values={values} empty={t("No row.")} />
        </>
    );
}

function Editor({ of, onDone }: { of: Report; onDone: (saved?: string) => void }) {
    const name = useSignal(of.name);
    const about = useSignal(of.about);
    const query = useSignal(of.query);
    const result = useSignal<Result | undefined>(undefined);
    const isBusy = useSignal(false);
    const attempt = async () => {
        isBusy.value = true;
        try {
            result.value = await call<Result>("POST", apiPath(["report-rows"], { limit: 100 }), { query: query.value });
        } catch (e) {
            sayError(e);
        }
        isBusy.value = false;
    };
    const save = async () => {
        await call("PUT", apiPath(["reports", name.value]), { about: about.value, query: query.value });
        say(t("{what}: saved.", { what: name.value }));
        onDone(name.value);
    };
    const tryIt = (
        <button type="button" disabled={isBusy.value || !query.value.trim()} onClick={() => void attempt()}>
            {t("Try it")}
        </button>
    );
    return (
        <FormDialog title={of.name ? t("Change {what}", { what: of.name }) : t("New report")} onClose={() => onDone()} onSubmit={save} button={t("Save")} disabled={!query.value.trim() || !name.value.trim()} beside={tryIt} wide>
            <Field label={t("Name")} value={name.value} onInput={(v) => (name.value = v)} autofocus={!of.name} />
            <Field label={t("About")} value={about.value} onInput={(v) => (about.value = v)} />
            <div class="field">
                <label for="report-query">{t("Query")}</label>
                <textarea id="report-query" class="query" rows={9} spellcheck={false} value={query.value} onInput={(e) => (query.value = e.currentTarget.value)} />
                <small class="muted">{t("One SELECT over the views hosts, packages, software, audits, history and actions.")}</small>
            </div>
            {result.value && (
                <div class="review-hosts">
                    <Rows key={result.value.columns.join()} result={result.value} />
                </div>
            )}
        </FormDialog>
    );
}

function ReportView({ of, onEdit, onDelete }: { of: Report; onEdit: () => void; onDelete: () => void }) {
    const result = useSignal<Result | undefined>(undefined);
    const version = useSignal(0);
    useEffect(() => {
        const stop = new AbortController();
        result.value = undefined;
        call<Result>("GET", apiPath(["reports", of.name, "rows"], { limit: ROWS_MAX }), undefined, stop.signal).then(
            (found) => (result.value = found),
            sayError,
        );
        return () => stop.abort();
    }, [of.name, of.query, version.value]);
    return (
        <div class="page page-table">
            <div class="page-head">
                <A to="/reports" class="back" title={t("Reports")}>
                    <Icon name="left" />
                </A>
                <h1>{of.name}</h1>
                <span class="muted">{of.about}</span>
                <span class="space" />
                <button type="button" onClick={() => version.value++}>
                    {t("Run again")}
                </button>
                {may("report") && (
                    <button type="button" onClick={onEdit}>
                        {t("Change")}
                    </button>
                )}
                <button type="button" onClick={() => void download(apiPath(["reports", of.name, "rows"], { format: "csv", limit: ROWS_MAX }), `${of.name}.csv`).catch(sayError)}>
                    <Icon name="download" />
                    <span>CSV</span>
                </button>
                {may("report") && (
                    <button type="button" class="danger" onClick={onDelete}>
                        {t("Delete")}
                    </button>
                )}
            </div>
            {result.value ? <Rows result={result.value} /> : <p role="status">{t("The report runs.")}</p>}
        </div>
    );
}

function Delete({ name, onDone }: { name: string; onDone: (isGone: boolean) => void }) {
    const submit = () => call("DELETE", apiPath(["reports", name])).then(() => onDone(true));
    return (
        <FormDialog title={t("Delete {what}?", { what: name })} onClose={() => onDone(false)} onSubmit={submit} button={t("Delete")} danger>
            <p>{t("It is deleted for everybody.")}</p>
        </FormDialog>
    );
}

const NEW: Report = { name: "", about: "", query: "SELECT os, count(*) AS machines FROM hosts GROUP BY os ORDER BY machines DESC", author: "", changed_at: 0 };

export function ReportsPage() {
    const version = useSignal(0);
    const edited = useSignal<Report | undefined>(undefined);
    const deleted = useSignal("");
    const all = useRead<{ reports: Report[] }>(apiPath(["reports"]), version.value)?.reports;
    const wanted = place.value.query.get("name");
    const open = all?.find((r) => r.name === wanted);
    const done = (saved?: string) => {
        edited.value = undefined;
        if (!saved) return;
        version.value++;
        navigate(path(saved));
    };
    const gone = (is: boolean) => {
        deleted.value = "";
        if (!is) return;
        version.value++;
        navigate("/reports");
    };
    if (wanted && !all) return <div class="page" aria-busy="true" />;
    return (
        <>
            {open ? (
                <ReportView key={open.name} of={open} onEdit={() => (edited.value = open)} onDelete={() => (deleted.value = open.name)} />
            ) : (
                <div class="page page-table">
                    <div class="page-head">
                        <h1>{t("Reports")}</h1>
                        <span class="muted">{all ? tn(all.length, "{n} report", "{n} reports") : ""}</span>
                        <span class="space" />
                        <button type="button" onClick={() => void download(apiPath(["reports"]), "reports.json").catch(sayError)}>
                            <Icon name="download" />
                            <span>JSON</span>
                        </button>
                        {may("report") && (
                            <button type="button" class="primary" onClick={() => (edited.value = NEW)}>
                                {t("New report")}
                            </button>
                        )}
                    </div>
                    <LocalTable name="reports" label={t("Reports")} all={all} columns={LIST} rowKey={(r) => r.name} values={{ changed: (r) => r.changed_at }} firstSort="name" onOpen={(r) => navigate(path(r.name))} empty={t("There is no report yet.")} />
                </div>
            )}
            {edited.value && <Editor key={edited.value.name} of={edited.value} onDone={done} />}
            {deleted.value && <Delete name={deleted.value} onDone={gone} />}
        </>
    );
}
