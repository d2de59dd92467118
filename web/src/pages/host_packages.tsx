// A machine's packages with their logs, its software, and what became of its packages.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Dialog } from "../components/dialog";
import { Check, Choice, Facts } from "../components/fields";
import { Status, toneOf } from "../components/status";
import { sayError } from "../components/toasts";
import { ago, dateTime } from "../format";
import { t, tn, type Text } from "../i18n";
import { epoch } from "../local";
import { pref } from "../prefs";
import { navigate, place, setQuery } from "../router";
import type { Column } from "../table/columns";
import { LocalTable } from "../table/local";
import { Selection } from "../table/selection";
import { hostHistory, type HistoryEvent, type HostPackage, type InstalledSoftware } from "./host_model";
import { order } from "./hosts_actions";
import { KINDS } from "./hosts_kinds";
import { stateText, stateTone, statusText } from "./hosts_model";

const PACKAGES: readonly Column<HostPackage>[] = [
    { id: "status", title: "State", width: 150, sort: "status", text: (p) => stateText(p.status), cell: (p) => <Status tone={stateTone(p.status)} text={stateText(p.status)} /> },
    { id: "package", title: "Package", width: 240, grows: 380, sort: "package", text: (p) => p.package, opens: (p) => p.package },
    { id: "version", title: "Version", width: 120, grows: 200, sort: "version", text: (p) => p.version },
    { id: "due", title: "To come", width: 120, grows: 200, sort: "due", text: (p) => p.due },
    { id: "installed", title: "Installed", width: 190, sort: "installed", text: (p) => (p.version ? dateTime(p.installedAt) : "") },
    { id: "audit", title: "Audit", width: 120, sort: "audit", text: (p) => p.audit, cell: (p) => (p.audit ? <Status tone={toneOf(p.audit)} text={auditText(p.audit)} /> : "") },
    { id: "description", title: "Description", width: 320, grows: 640, sort: "description", text: (p) => p.description },
    { id: "explicit", title: "Asked for", width: 100, text: (p) => (p.isExplicit ? t("yes") : ""), isHidden: true },
    { id: "signer", title: "Signer", width: 160, grows: 260, sort: "signer", text: (p) => p.signer, isHidden: true },
    { id: "repo", title: "Repository", width: 140, grows: 240, text: (p) => p.repo, isHidden: true },
];

function auditText(audit: string): string {
    return audit === "OK" ? t("good") : statusText(audit);
}

function Logs({ of, onClose }: { of: HostPackage; onClose: () => void }) {
    const log = (title: Text, text: string) =>
        text && (
            <>
                <h3>{t(title)}</h3>
                <pre class="log" tabIndex={0}>
                    {text}
                </pre>
            </>
        );
    const logs = (
        <>
            {log("What the installation said", of.output)}
            {log("What the audit said", of.auditOutput)}
        </>
    );
    const isWrong = of.status === "ERROR"; // then one comes for what it said
    return (
        <Dialog title={`${of.package} ${of.version}`} onClose={onClose} wide>
            <Facts rows={[[t("State"), <Status key="s" tone={stateTone(of.status)} text={stateText(of.status)} />]]} />
            {isWrong && logs}
            <Facts
                rows={[
                    [t("Description"), of.description],
                    [t("To come"), of.due],
                    [t("Installed"), of.version ? dateTime(of.installedAt) : ""],
                    [t("Asked for"), of.version ? (of.isExplicit ? t("yes") : t("as a dependency")) : ""],
                    [t("Signer"), of.signer],
                    [t("Repository"), of.repo],
                    [t("Audit"), of.audit && [auditText(of.audit), ...(of.auditedAt > 0 ? [dateTime(of.auditedAt)] : [])].join(", ")],
                    [t("Next audit"), of.nextAudit ? dateTime(of.nextAudit) : ""],
                ]}
            />
            {!isWrong && logs}
        </Dialog>
    );
}

const SHOWN: readonly (readonly [id: string, title: Text, takes: (p: HostPackage) => boolean])[] = [
    ["", "All", () => true],
    ["error", "In error", (p) => p.status === "ERROR"],
    ["upgrade", "To upgrade", (p) => p.due !== "" && p.version !== ""],
    ["missing", "Missing", (p) => p.version === ""],
    ["there", "Installed", (p) => p.version !== ""],
];

export function Packages({ uuid, all }: { uuid: string; all: readonly HostPackage[] }) {
    const open = all.find((p) => p.package === place.value.query.get("log"));
    const only = useSignal("");
    const selection = useMemo(() => new Selection(), []);
    void selection.version.value;
    const shown = useMemo(() => all.filter(SHOWN.find(([id]) => id === only.value)?.[2] ?? (() => true)), [all, only.value]);
    const names = shown.filter((p) => selection.has(p.package)).map((p) => p.package);
    const tools =
        names.length > 0 ? (
            <>
                <strong>{tn(names.length, "{n} package selected", "{n} packages selected")}</strong>
                {KINDS.filter((k) => k.packages !== "none").map((k) => (
                    <button key={k.kind} type="button" title={t(k.about)} onClick={() => order(k, () => Promise.resolve([uuid]), 1, names.join(" "))}>
                        {t(k.title)}
                    </button>
                ))}
            </>
        ) : (
            <Choice inline label={t("Show")} value={only.value} options={SHOWN.map(([id, title]) => [id, t(title)] as const)} onChange={(id) => (only.value = id)} />
        );
    return (
        <>
            <LocalTable
                name="host.packages"
                label={t("Packages")}
                all={shown}
                columns={PACKAGES}
                rowKey={(p) => p.package}
                values={{ installed: (p) => p.installedAt }}
                firstSort="package"
                selection={selection}
                onOpen={(p) => setQuery({ log: p.package })}
                tools={tools}
            />
            {open && <Logs of={open} onClose={() => setQuery({ log: "" })} />}
        </>
    );
}

const SOFTWARE: readonly Column<InstalledSoftware>[] = [
    { id: "name", title: "Name", width: 340, grows: 560, sort: "name", text: (s) => s.name, opens: (s) => s.name },
    { id: "version", title: "Version", width: 160, grows: 200, sort: "version", text: (s) => s.version },
    { id: "publisher", title: "Publisher", width: 240, grows: 380, sort: "publisher", text: (s) => s.publisher },
    { id: "date", title: "Installed", width: 160, grows: 200, sort: "date", text: (s) => s.date },
    { id: "id", title: "Key", width: 200, grows: 380, sort: "id", text: (s) => s.id, isHidden: true },
    { id: "place", title: "Folder", width: 240, grows: 480, sort: "place", text: (s) => s.place, isHidden: true },
    { id: "removal", title: "Removed by", width: 240, grows: 480, text: (s) => s.removal, isHidden: true },
];
const hidesSystem = pref("software.hides.system", false);

export function Software({ all }: { all: readonly InstalledSoftware[] }) {
    const hides = hidesSystem.value;
    const shown = useMemo(() => (hides ? all.filter((s) => !s.isSystem) : all), [all, hides]);
    const tools = all.some((s) => s.isSystem) && <Check label={t("Hide components of the system")} checked={hides} onChange={(on) => (hidesSystem.value = on)} />;
    return <LocalTable name="host.software" label={t("Software")} all={shown} columns={SOFTWARE} rowKey={(s) => s.key} firstSort="name" onOpen={(s) => navigate(`/hosts?software=${encodeURIComponent(s.name)}`)} tools={tools} />;
}

const EVENTS: Record<string, Text> = { installed: "installed", upgraded: "upgraded", repaired: "repaired", failed: "failed", removed: "removed", audited: "audited" };

function eventText(event: string): string {
    const known = EVENTS[event];
    return known ? t(known) : event;
}

const HISTORY: readonly Column<HistoryEvent>[] = [
    { id: "at", title: "When", width: 190, sort: "at", text: (e) => dateTime(e.at), cell: (e) => <span title={dateTime(e.at)}>{`${dateTime(e.at)} (${ago(e.at)})`}</span> },
    { id: "event", title: "What happened", width: 150, sort: "event", text: (e) => eventText(e.event), cell: (e) => <Status tone={e.event === "failed" ? "bad" : e.event === "audited" ? toneOf(e.status) : "ok"} text={eventText(e.event)} /> },
    { id: "package", title: "Package", width: 260, grows: 380, sort: "package", text: (e) => e.package },
    { id: "version", title: "Version", width: 130, grows: 200, text: (e) => e.version },
    { id: "was", title: "Before", width: 130, grows: 200, text: (e) => e.was },
    { id: "status", title: "State", width: 120, text: (e) => statusText(e.status) },
];

export function History({ uuid, version }: { uuid: string; version: number }) {
    const events = useSignal<readonly HistoryEvent[] | undefined>(undefined);
    useEffect(() => {
        const stop = new AbortController();
        hostHistory(uuid, stop.signal).then((found) => (events.value = found), sayError);
        return () => stop.abort();
    }, [uuid, version, epoch.value]);
    return <LocalTable name="host.history" label={t("History")} all={events.value} columns={HISTORY} rowKey={(e) => String(e.seq)} values={{ at: (e) => e.at }} firstSort="-at" empty={t("Nothing has happened to its packages yet.")} />;
}
