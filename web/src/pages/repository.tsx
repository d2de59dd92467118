// The repository: every package with its versions, maturity and signer; one of them with who has it and who needs it.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Icon } from "../components/icons";
import { A } from "../components/link";
import { Facts } from "../components/fields";
import { useCommands } from "../components/palette";
import { Picture } from "../components/picture";
import { useSubject } from "../components/subject";
import { sayError } from "../components/toasts";
import { useEvents } from "../events";
import { bytes, dateTime } from "../format";
import { t, tn } from "../i18n";
import { epoch, local } from "../local";
import { navigate, place } from "../router";
import type { Column } from "../table/columns";
import { LocalTable } from "../table/local";
import { Selection } from "../table/selection";
import { ChangeDialog, open, publish } from "./repository_changes";
import { countHosts, dependants, loadIcon, loadPackages, maturityText, packagePath, signedAt, type Package } from "./repository_model";
import { droppedSources, make, MakeDialog } from "./repository_make";
import { AddFiles, DropHint, dropping, upload, UploadDialog } from "./repository_upload";

export const PACKAGE_COLUMNS: readonly Column<Package>[] = [
    { id: "package", title: "Package", width: 170, grows: 360, sort: "package", text: (p) => p.package, cell: (p) => <A to={packagePath(p.package)} tabIndex={-1}>{p.package}</A> },
    { id: "version", title: "Version", width: 100, grows: 180, sort: "version", text: (p) => p.version },
    { id: "description", title: "Description", width: 160, grows: 640, sort: "description", text: (p) => p.description },
    { id: "maturity", title: "Maturity", width: 90, sort: "maturity", text: maturityText },
    { id: "section", title: "Section", width: 96, sort: "section", text: (p) => p.section },
    { id: "architecture", title: "Architecture", width: 112, sort: "architecture", text: (p) => p.architecture },
    { id: "signer", title: "Signer", width: 110, grows: 260, sort: "signer", text: (p) => p.signer, cell: (p) => <span title={p.signer_fingerprint}>{p.signer}</span> },
    { id: "size", title: "Size", width: 90, sort: "size", align: "end", text: (p) => bytes(p.size) },
    { id: "signed", title: "Signed", width: 164, sort: "signed", text: (p) => (signedAt(p) > 0 ? dateTime(signedAt(p)) : p.signature_date) },
    { id: "depends", title: "Needs", width: 240, grows: 480, text: (p) => p.depends, isHidden: true },
    { id: "conflicts", title: "Excludes", width: 200, grows: 400, text: (p) => p.conflicts, isHidden: true },
    { id: "target_os", title: "System", width: 100, text: (p) => p.target_os, isHidden: true },
    { id: "locale", title: "Languages", width: 100, text: (p) => p.locale, isHidden: true },
    { id: "file", title: "File", width: 300, grows: 460, text: (p) => p.file, isHidden: true },
];

/** By what these columns are sorted, where that is not their text. */
export const PACKAGE_VALUES = { size: (p: Package) => p.size, signed: signedAt };

/** All packages, read again when the server tells of a change. undefined: not here yet. */
export function usePackages(): { all: readonly Package[] | undefined; again: () => void } {
    const all = useSignal<readonly Package[] | undefined>(undefined);
    const version = useSignal(0);
    const again = () => void version.value++;
    useEffect(() => {
        const stop = new AbortController();
        loadPackages(stop.signal).then((found) => (all.value = found), sayError);
        return () => stop.abort();
    }, [version.value, epoch.value]);
    useEvents((event) => event.kind === "package", again);
    return { all: all.value, again };
}

const ACTS = [["promote", "Promote"], ["resign", "Sign anew"], ["delete", "Remove"]] as const;

function Tools({ selection, all, again }: { selection: Selection; all: readonly Package[]; again: () => void }) {
    void selection.version.value;
    const chosen = all.filter((p) => selection.has(p.file));
    const done = () => {
        selection.clear();
        again();
    };
    const acts = ACTS.map(([what, title]) => ({ what, title: t(title), run: () => void (open.value = { what, packages: chosen, all, onDone: done }) }));
    useCommands(() => (chosen.length === 0 ? [] : acts.map((a) => ({ id: a.what, title: tn(chosen.length, "{what}: {n} package", "{what}: {n} packages", { what: a.title }), run: a.run }))));
    if (chosen.length === 0) return <span class="muted">{t("Select packages to promote, sign anew or remove them.")}</span>;
    return (
        <>
            <strong>{tn(chosen.length, "{n} package selected", "{n} packages selected")}</strong>
            {acts.map((a) => (
                <button key={a.what} type="button" class={a.what === "delete" ? "danger" : ""} onClick={a.run}>
                    {a.title}
                </button>
            ))}
        </>
    );
}

export function RepositoryPage() {
    const selection = useMemo(() => new Selection(), []);
    const { all, again } = usePackages();
    const isOver = useSignal(false);
    const start = () => (open.value = { what: "import", packages: [], all: all ?? [], onDone: again });
    const add = (files: readonly File[]) => upload(files, again);
    const wizard = () => make(undefined, again);
    /** Packages are added; of anything else one is made. */
    const drop = (data: DataTransfer) => {
        const files = [...data.files];
        if (files.length > 0 && files.every((f) => f.name.endsWith(".wapt"))) add(files);
        else void droppedSources(data).then((sources) => sources.length > 0 && make(sources, again), sayError);
    };
    useCommands(() => [
        { id: "import", title: t("Import packages"), run: start },
        { id: "make", title: t("Make a package"), run: wizard },
    ]);
    return (
        <div class="page page-table" {...dropping(isOver, drop)}>
            <DropHint isOver={isOver.value} />
            <div class="page-head">
                <h1>{t("Repository")}</h1>
                <span class="muted" role="status">
                    {all === undefined ? "" : tn(all.length, "{n} package", "{n} packages")}
                </span>
                <span class="space" />
                <button type="button" onClick={start}>
                    <Icon name="download" />
                    <span>{t("Import packages")}</span>
                </button>
                {local.value?.publishes && (
                    <button type="button" onClick={() => publish(again)}>
                        {t("Publish the list")}
                    </button>
                )}
                <button type="button" onClick={wizard}>
                    <Icon name="box" />
                    <span>{t("Make a package")}</span>
                </button>
                <AddFiles onFiles={add} />
            </div>
            <LocalTable
                name="repository"
                label={t("Packages")}
                all={all}
                columns={PACKAGE_COLUMNS}
                rowKey={(p) => p.file}
                values={PACKAGE_VALUES}
                firstSort="package"
                selection={selection}
                onOpen={(p) => navigate(packagePath(p.package))}
                tools={<Tools selection={selection} all={all ?? []} again={again} />}
                empty={t("There is no package yet: add some, import them or make one.")}
            />
            <ChangeDialog />
            <UploadDialog />
            <MakeDialog />
        </div>
    );
}

/** How many have it, and how many of them an older version than the repository's newest: each a list. */
function Machines({ name, newest }: { name: string; newest: string }) {
    const all = useSignal<number | undefined>(undefined);
    const older = useSignal(0);
    const range = newest && `<${newest}`;
    useEffect(() => {
        const stop = new AbortController();
        older.value = 0;
        if (name) countHosts(name, "", stop.signal).then((n) => (all.value = n), sayError);
        if (name && range) countHosts(name, range, stop.signal).then((n) => (older.value = n), sayError);
        return () => stop.abort();
    }, [name, range, epoch.value]);
    if (all.value === undefined) return null;
    const list = `/hosts?package=${encodeURIComponent(name)}`;
    return (
        <span class="linked">
            <A to={list}>{tn(all.value, "{n} machine has it", "{n} machines have it")}</A>
            {older.value > 0 && <A to={`${list}&package_version=${encodeURIComponent(range)}`}>{tn(older.value, "{n} has an older version", "{n} have an older version")}</A>}
            <A to={`${list}&not=package`}>{t("machines without it")}</A>
        </span>
    );
}

export function PackagePage() {
    const name = place.value.query.get("name") ?? "";
    const { all, again } = usePackages();
    const selection = useMemo(() => new Selection(), []);
    const mine = all?.filter((p) => p.package === name);
    const newest = mine?.find((p) => p.is_newest) ?? mine?.[0];
    const icon = useSignal("");
    useEffect(() => {
        const stop = new AbortController();
        icon.value = "";
        if (newest) void loadIcon(newest, stop.signal).then((found) => !stop.signal.aborted && (icon.value = found));
        return () => stop.abort();
    }, [newest?.file]);
    useSubject(name);
    const needing = dependants(all ?? [], name);
    const names = (list: readonly string[]) => (
        <span class="linked">
            {list.map((one) => (
                <A key={one} to={packagePath(one.replace(/\(.*$/, ""))}>
                    {one}
                </A>
            ))}
        </span>
    );
    const listed = (text: string | undefined) => {
        const items = (text ?? "").split(",").map((s) => s.trim()).filter(Boolean);
        return items.length === 0 ? "" : names(items);
    };
    return (
        <div class="page page-table">
            <div class="page-head">
                <A to="/repository" class="back" title={t("Repository")}>
                    <Icon name="left" />
                </A>
                {icon.value && <Picture src={icon.value} alt={t("Icon of the package")} size={32} />}
                <h1>{name}</h1>
                <span class="muted">{newest?.description}</span>
            </div>
            {mine?.length === 0 && <p>{t("The repository has no such package.")}</p>}
            <section class="panel panel-above">
                <Facts
                    rows={[
                        [t("Needs"), listed(newest?.depends)],
                        [t("Excludes"), listed(newest?.conflicts)],
                        [t("Needed by"), needing.length === 0 ? "" : names([...new Set(needing.map((p) => p.package))])],
                        [t("Machines"), <Machines key="m" name={name} newest={newest?.version ?? ""} />],
                    ]}
                />
            </section>
            <LocalTable
                name="package.versions"
                label={t("Versions")}
                all={mine}
                columns={PACKAGE_COLUMNS}
                rowKey={(p) => p.file}
                values={PACKAGE_VALUES}
                firstSort="-version"
                selection={selection}
                tools={<Tools selection={selection} all={all ?? []} again={again} />}
            />
            <ChangeDialog />
        </div>
    );
}
