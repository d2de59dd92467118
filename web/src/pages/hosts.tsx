// The machines: a list of any length, narrowed by what stands in the address, kept current by the server's events.
import { useComputed } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { apiPath, download } from "../api";
import { Icon } from "../components/icons";
import { A } from "../components/link";
import { useCommands } from "../components/palette";
import { Status, toneOf } from "../components/status";
import { say, sayError } from "../components/toasts";
import { onEvents } from "../events";
import { dateTime } from "../format";
import { t, tn } from "../i18n";
import { useShortcuts } from "../keyboard";
import { may } from "../local";
import { navigate, place, setQuery } from "../router";
import { ColumnsButton } from "../table/chooser";
import { Columns, type Column } from "../table/columns";
import { useLive } from "../table/live";
import { Rows } from "../table/rows";
import { Selection } from "../table/selection";
import { Table } from "../table/table";
import { ActionBar, order, ordered } from "./hosts_actions";
import { describe, DescribeDialog, orderDescription } from "./hosts_describe";
import { FilterBar, Views } from "./hosts_filters";
import { fields } from "./hosts_fields";
import { KINDS } from "./hosts_kinds";
import { allUuids, chosenColumns, COUNT_COLUMNS, fieldsOf, FILTERS, hostPath, loadHosts, params, pathsOf, SEEN_COLUMN, statusText, TEXT_COLUMNS, type Host } from "./hosts_model";
import { Units, unitsShown } from "./hosts_units";

const COLUMNS: readonly Column<Host>[] = [
    {
        id: "status",
        title: "State",
        width: 146,
        sort: "status",
        text: (h) => statusText(h.status),
        cell: (h) => <Status tone={toneOf(h.status)} text={statusText(h.status)} />,
    },
    {
        id: "reachable",
        title: "Connected",
        width: 100,
        sort: "reachable",
        text: (h) => (h.reachable ? t("connected") : t("away")),
        cell: (h) => <span class={h.reachable ? "here" : "muted"}>{h.reachable ? t("connected") : t("away")}</span>,
    },
    {
        id: "name",
        title: "Name",
        width: 170,
        grows: 320,
        sort: "name",
        needs: ["name", "fqdn"],
        text: (h) => h.name,
        cell: (h) => (
            <A to={hostPath(h.uuid)} tabIndex={-1} title={h.fqdn}>
                {h.name || h.fqdn || h.uuid}
            </A>
        ),
    },
    ...COUNT_COLUMNS,
    ...TEXT_COLUMNS.slice(0, 3),
    { ...SEEN_COLUMN, cell: (h) => <span title={dateTime(h.last_seen)}>{SEEN_COLUMN.text(h)}</span> },
    ...TEXT_COLUMNS.slice(3),
];

const OF_UNITS = ["update", "upgrade"]; // what a unit's menu has at hand

function Tools({ columns, asked, paths }: { columns: Columns<Host>; asked: Record<string, string>; paths: string }) {
    const csv = () => void download(apiPath(["hosts"], { ...asked, sort: columns.sort, columns: paths, format: "csv" }), "hosts.csv").catch(sayError);
    useCommands(() => [{ id: "csv", title: t("Save as CSV"), run: csv }]);
    return (
        <>
            <button type="button" aria-pressed={unitsShown.value} title={t("The directory's tree, beside the list")} onClick={() => (unitsShown.value = !unitsShown.value)}>
                <Icon name="assign" />
                <span>{t("Units")}</span>
            </button>
            <ColumnsButton columns={columns} isNamed />
            <button type="button" onClick={csv} title={t("All that match, as a table")}>
                <Icon name="download" />
                <span>CSV</span>
            </button>
        </>
    );
}

/** Anew where other fields of the inventory are columns. */
export function HostsPage() {
    return <HostsList key={fields.value.join()} />;
}

function HostsList() {
    const search = useRef<HTMLInputElement>(null);
    const columns = useMemo(() => new Columns<Host>("hosts", [...COLUMNS, ...chosenColumns()], "name"), []);
    const selection = useMemo(() => new Selection(), []);
    const asked = useComputed(() => params(place.value.query));
    const key = useComputed(() => JSON.stringify(params(place.value.query)));
    const wanted = useComputed(() => fieldsOf(columns.shown.value));
    const paths = useComputed(() => pathsOf(columns.shown.value));
    const load = () => loadHosts(params(place.value.query), columns.sort, wanted.value, paths.value);
    const rows = useMemo(() => new Rows<Host>(load(), (h) => h.uuid), []);
    const first = useRef(true);
    const ask = () => rows.ask(load());
    useLayoutEffect(() => {
        if (selection.all) selection.clear(); // "all that match" were others; what is chosen from now on is not
    }, [key.value]);
    useEffect(() => {
        if (first.current) first.current = false;
        else ask();
    }, [key.value, wanted.value, paths.value]);
    useLive(rows, (event) => event.kind === "host");
    useEffect(() => onEvents((event) => void (event?.what === "forgotten" && event.uuid && !selection.all && selection.set([event.uuid], false))), []); // what is gone is not selected
    useShortcuts(() => [{ keys: "/", what: "Search machines", run: () => search.current?.focus() }]);
    const total = rows.total.value;
    void selection.version.value;
    const uuids = () => selection.keys(() => allUuids(asked.value));
    /** All that match: those of the unit that is chosen. */
    const orders = [
        { title: t("Select its machines"), about: t("All that match, for any action."), run: () => selection.selectAll() },
        ...KINDS.filter((k) => OF_UNITS.includes(k.kind)).map((k) => ({ title: t(k.title), about: t(k.about), run: () => (selection.selectAll(), order(k, uuids, total ?? 0)) })),
    ];
    const edit = {
        column: "description",
        label: (h: Host) => t("Description of {name}: Enter shows what is signed, Escape leaves it", { name: h.name || h.uuid }),
        done: (h: Host, text: string) => orderDescription([h.uuid], text, (_, count) => say(tn(count, "Ordered for {n} machine.", "Ordered for {n} machines."))),
        elsewhere: (h: Host) => {
            const several = selection.count(total ?? 0) > 1 && selection.has(h.uuid);
            describe({ uuids: several ? uuids : () => Promise.resolve([h.uuid]), count: several ? selection.count(total ?? 0) : 1, onDone: ordered });
        },
    };
    return (
        <div class="page page-table">
            <div class="page-head">
                <h1>{t("Machines")}</h1>
                <span class="muted" role="status">
                    {total === undefined ? "" : tn(total, "{n} machine", "{n} machines")}
                </span>
                <span class="space" />
                <Views columns={columns} />
                <Tools columns={columns} asked={asked.value} paths={paths.value} />
            </div>
            <FilterBar searchRef={search} />
            {total !== undefined && selection.count(total) > 0 && <ActionBar selection={selection} count={selection.count(total)} total={total} uuids={uuids} asked={asked.value} />}
            <div class="with-units">
                {unitsShown.value && <Units asked={asked.value} orders={orders} />}
                <Table
                    label={t("Machines")}
                    rows={rows}
                    columns={columns}
                    onSort={ask}
                    selection={selection}
                    onOpen={(h) => navigate(hostPath(h.uuid))}
                    {...(may("order-care") && { edit })}
                    empty={
                        key.value === "{}" ? (
                            <>
                                <p>{t("No machine has registered yet.")}</p>
                                <A to="/kit">{t("Enrolment kit")}</A>
                            </>
                        ) : (
                            <>
                                <p>{t("No machine matches.")}</p>
                                <button type="button" onClick={() => setQuery(Object.fromEntries(FILTERS.map((name) => [name, ""])))}>
                                    {t("Take all filters away")}
                                </button>
                            </>
                        )
                    }
                />
            </div>
            <DescribeDialog />
        </div>
    );
}
