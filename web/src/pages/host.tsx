// One machine: at one look, its packages and their logs, hardware, software, history; and what it can be told to do.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, errorText, isAbort } from "../api";
import { Icon } from "../components/icons";
import { A } from "../components/link";
import { Status, toneOf } from "../components/status";
import { Tabs } from "../components/tabs";
import { say, sayError } from "../components/toasts";
import { useSubject } from "../components/subject";
import { Tree } from "../components/tree";
import { useEvents } from "../events";
import { ago, number } from "../format";
import { t } from "../i18n";
import { epoch } from "../local";
import type { PageProps } from "../pages";
import { hostRow, hostSections, members, packagesOf, softwareOf, type Members } from "./host_model";
import { Overview } from "./host_overview";
import { History, Packages, Software } from "./host_packages";
import { HostTasks } from "./host_tasks";
import { ActionButtons } from "./hosts_actions";
import { DescribeDialog } from "./hosts_describe";
import { OrdersOfHost } from "./orders";
import { FIELDS_MAX, fieldPath, isField, setField } from "./hosts_fields";
import { statusText, type Host } from "./hosts_model";

/** What is known of the machine, read again when something happens to it. */
function useHost(uuid: string) {
    const row = useSignal<Host | undefined>(undefined);
    const sections = useSignal<Members | undefined>(undefined);
    const error = useSignal("");
    const version = useSignal(0);
    useEffect(() => {
        const stop = new AbortController();
        Promise.all([hostSections(uuid, stop.signal), hostRow(uuid, stop.signal)]).then(
            ([all, one]) => {
                sections.value = all;
                row.value = one;
                error.value = "";
            },
            (e) => {
                if (isAbort(e)) return;
                if (sections.value === undefined && e instanceof ApiError && e.status === 404) error.value = errorText(e);
                else sayError(e);
            },
        );
        return () => stop.abort();
    }, [uuid, version.value, epoch.value]);
    useEvents((event) => event.kind !== "queue" && (event.uuid === uuid || event.what === "many"), () => version.value++);
    return { row, sections, error, version };
}

/** A field as a column of the list of machines, or no longer. */
function AsColumn({ path, title }: { path: string; title: string }) {
    const on = isField(path);
    const change = () => {
        if (!setField(path, !on)) say(t("At most {n} fields of the inventory are columns at once.", { n: number(FIELDS_MAX) }));
    };
    const label = t("{field} as a column of the list of machines", { field: title });
    return (
        <button type="button" class="plain as-column" aria-pressed={on} aria-label={label} title={label} onClick={change}>
            <Icon name="columns" />
        </button>
    );
}

/** section: of which a member of value is, where value has the members of several. */
function Inventory({ value, section }: { value: object; section?: (name: string) => string | undefined }) {
    const search = useSignal("");
    const beside = (names: readonly string[], title: string) => {
        const of = section?.(names[0] ?? "");
        const path = fieldPath(of ? [of, ...names] : names);
        return path && <AsColumn path={path} title={title} />;
    };
    return (
        <>
            <div class="bar">
                <div class="search">
                    <Icon name="search" />
                    <input type="search" aria-label={t("Search in the tree")} placeholder={t("Search in the tree")} spellcheck={false} value={search.value} onInput={(e) => (search.value = e.currentTarget.value)} />
                </div>
            </div>
            <div class="panel">
                <Tree value={value} search={search.value} beside={beside} />
            </div>
        </>
    );
}

export function HostPage({ args }: PageProps) {
    const uuid = args.uuid ?? "";
    const { row, sections, error, version } = useHost(uuid);
    const host = row.value;
    const all = sections.value;
    const info = members(all?.host_info);
    const name = host?.name || host?.fqdn || (typeof info.computer_name === "string" && info.computer_name) || uuid;
    useSubject(name);
    if (error.value)
        return (
            <div class="page">
                <h1>{t("There is no such machine")}</h1>
                <p class="error">{error.value}</p>
                <A to="/hosts">{t("Machines")}</A>
            </div>
        );
    const packages = all ? packagesOf(all) : [];
    const software = all ? softwareOf(all) : [];
    return (
        <div class="page page-table">
            <div class="page-head">
                <A to="/hosts" class="back" title={t("Machines")}>
                    <Icon name="left" />
                </A>
                <h1>{name}</h1>
                {host && <Status tone={toneOf(host.status)} text={statusText(host.status)} />}
                {host && <span class={host.reachable ? "here" : "muted"}>{host.reachable ? t("connected") : `${t("away")}, ${t("seen")} ${ago(host.last_seen)}`}</span>}
                <span class="space" />
                <ActionButtons uuids={() => Promise.resolve([uuid])} count={1} />
            </div>
            {all ? (
                <Tabs
                    label={name}
                    tabs={[
                        { id: "overview", title: t("Overview"), body: () => <Overview sections={all} row={host} uuid={uuid} /> },
                        { id: "packages", title: t("Packages"), count: packages.length, body: () => <Packages uuid={uuid} all={packages} /> },
                        { id: "software", title: t("Software"), count: software.length, body: () => <Software all={software} /> },
                        { id: "hardware", title: t("Hardware"), body: () => <Inventory value={{ ...members(all.dmi), ...members(all.wmi), ...members(all.host_metrics) }} section={(name) => ["host_metrics", "wmi", "dmi"].find((one) => name in members(all[one]))} /> },
                        { id: "tasks", title: t("Tasks"), body: () => <HostTasks uuid={uuid} /> },
                        { id: "orders", title: t("Orders"), body: () => <OrdersOfHost uuid={uuid} /> },
                        { id: "history", title: t("History"), body: () => <History uuid={uuid} version={version.value} /> },
                        { id: "all", title: t("All it says"), body: () => <Inventory value={all} /> },
                    ]}
                />
            ) : (
                <p class="muted" role="status">
                    {t("Reading")}
                </p>
            )}
            <DescribeDialog />
        </div>
    );
}
