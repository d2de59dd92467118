// What is done with packages of the repository: promotion, a new signature, import, removal. Whatever is signed the local program composes;
// where packages may be imported from its configuration says.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { apiPath, call, errorText, isAbort } from "../api";
import { askedFor, Dialog, FormDialog } from "../components/dialog";
import { Check, Choice, Field } from "../components/fields";
import { sayFailures } from "../components/failures";
import { review } from "../components/review";
import { say, sayError } from "../components/toasts";
import { bytes, words } from "../format";
import { t, tn } from "../i18n";
import { local } from "../local";
import { navigate } from "../router";
import type { Column } from "../table/columns";
import { LocalTable } from "../table/local";
import { Selection } from "../table/selection";
import { breaks, countHosts, goneWith, maturityText, ownNeeds, type Own, type Package } from "./repository_model";

export const MATURITIES = ["DEV", "PREPROD", "PROD"];

interface Result {
    packages?: readonly { becomes?: string; package?: string; code: string; error: string | null }[];
    published?: { state: "none" | "done" | "waiting"; version: number; error: string | null };
}

/** Shows the list of what is published, against the last one, to be signed. */
export function publish(onDone: () => void, key: { key?: string } = {}): void {
    review({ what: "publish", ...key }, (answer) => {
        say(t("List {n} is published.", { n: Number(answer.version) }));
        onDone();
    });
}

/** Tells what became of each, and reads the list again. */
export function told(answer: unknown, onDone: () => void): void {
    const { packages = [], published } = answer as Result;
    const failed = packages.filter((p) => p.code !== "ok");
    sayFailures(failed.map((p) => ({ name: p.becomes ?? p.package ?? "", why: p.error ?? p.code })));
    if (published?.state === "done") say(t("List {n} is published.", { n: published.version }));
    if (published?.state === "waiting") {
        sayError(new Error(published.error ?? ""));
        publish(onDone);
    }
    if (packages.length > failed.length) say(tn(packages.length - failed.length, "{n} package signed and published.", "{n} packages signed and published."));
    onDone();
}

function exactly(packages: readonly Package[]): string[] {
    return packages.map((p) => `${p.package}(=${p.version})`);
}

type Open = "promote" | "delete" | "import" | "resign";
export const open = askedFor<{ what: Open; packages: readonly Package[]; all: readonly Package[]; onDone: () => void }>();
const close = () => (open.value = undefined);

function Resign({ packages, onDone }: { packages: readonly Package[]; onDone: () => void }) {
    const prefix = useSignal("");
    const maturity = useSignal("");
    const depends = useSignal(true);
    const submit = () => {
        close();
        review({ what: "resign", packages: exactly(packages), prefix: prefix.value.trim(), maturity: maturity.value, no_depends: !depends.value }, (answer) => told(answer, onDone));
    };
    return (
        <FormDialog title={t("Sign anew")} onClose={close} onSubmit={submit} button={t("Review")} focusButton>
            <p>{t("Verified, then signed by you. With another name or maturity they come beside the ones that are there.")}</p>
            <ul class="host-names">
                {packages.map((p) => (
                    <li key={p.file}>{`${p.package} ${p.version}`}</li>
                ))}
            </ul>
            <Field label={t("Another prefix")} value={prefix.value} onInput={(v) => (prefix.value = v)} hint={t("Names begin so then, up to the first -, and so do the names that they need; empty: as they are.")} />
            {prefix.value.trim() !== "" && <Check label={t("Also what they need")} checked={depends.value} onChange={(on) => (depends.value = on)} />}
            <Choice label={t("Maturity")} value={maturity.value} options={[["", t("as it is")] as const, ...MATURITIES.map((m) => [m, m] as const)]} onChange={(v) => (maturity.value = v)} />
        </FormDialog>
    );
}

function Promote({ packages, onDone }: { packages: readonly Package[]; onDone: () => void }) {
    const from = maturityText(packages[0] as Package);
    const to = useSignal(MATURITIES[Math.min(MATURITIES.indexOf(from) + 1, MATURITIES.length - 1)] ?? "PROD");
    const removesOld = useSignal(false);
    const others = packages.filter((p) => maturityText(p) !== from);
    const submit = () => {
        close();
        review({ what: "promote", packages: exactly(packages), from_maturity: from, maturity: to.value, remove_old: removesOld.value }, (answer) => told(answer, onDone));
    };
    return (
        <FormDialog title={t("Promote")} onClose={close} onSubmit={submit} button={t("Review")} disabled={others.length > 0 || to.value === from}>
            <p>{t("Verified, given another maturity, signed anew by you and published.")}</p>
            <ul class="host-names">
                {packages.map((p) => (
                    <li key={p.file}>{`${p.package} ${p.version}`}</li>
                ))}
            </ul>
            {others.length > 0 && <p class="error">{t("They are of several maturities: choose those of one.")}</p>}
            <Choice label={t("From {from} to", { from })} value={to.value} options={MATURITIES.map((m) => [m, m] as const)} onChange={(v) => (to.value = v)} />
            <Check label={t("Then remove the old one")} checked={removesOld.value} onChange={(on) => (removesOld.value = on)} />
        </FormDialog>
    );
}

function Delete({ packages, all, onDone }: { packages: readonly Package[]; all: readonly Package[]; onDone: () => void }) {
    const counts = useSignal<ReadonlyMap<string, number>>(new Map());
    const owns = useSignal<readonly Own[]>([]);
    const files = new Set(packages.map((p) => p.file));
    const lacking = breaks(all, files);
    useEffect(() => {
        for (const p of packages.slice(0, 20)) countHosts(p.package, `=${p.version}`).then((n) => (counts.value = new Map([...counts.value, [p.file, n]])), sayError);
        for (const name of [...goneWith(all, files)].slice(0, 20)) ownNeeds(name).then((own) => own.total > 0 && (owns.value = [...owns.value, own]), sayError);
    }, []);
    const submit = async () => {
        const failed: { name: string; why: string }[] = [];
        for (const p of packages) await call("DELETE", apiPath(["packages", p.file])).catch((e: unknown) => failed.push({ name: p.file, why: errorText(e) }));
        const gone = packages.length - failed.length;
        close();
        sayFailures(failed);
        if (gone === 0) return;
        say(tn(gone, "{n} package removed.", "{n} packages removed."));
        if (local.value?.publishes) publish(onDone);
        onDone();
    };
    return (
        <FormDialog title={t("Remove from the repository")} onClose={close} onSubmit={submit} button={t("Remove")} danger>
            <p>{t("Machines that have them keep them.")}</p>
            <ul class="plain-list">
                {packages.map((p) => {
                    const n = counts.value.get(p.file);
                    return <li key={p.file}>{`${p.file}${n === undefined ? "" : `: ${tn(n, "{n} machine has it", "{n} machines have it")}`}`}</li>;
                })}
            </ul>
            {owns.value.length > 0 && (
                <>
                    <p class="error">{t("Machines are assigned it by their own packages, and could not be brought up to date any more:")}</p>
                    <ul class="plain-list" data-test="own">
                        {owns.value.map((o) => (
                            <li key={o.needed}>
                                {tn(o.total, "{n} machine needs {needed}", "{n} machines need {needed}", { needed: o.needed })}
                                {`: ${o.names.join(", ")}${o.total > o.names.length ? ", ..." : ""} `}
                                <button
                                    type="button"
                                    class="plain"
                                    onClick={() => {
                                        close();
                                        navigate(`/hosts?group=${encodeURIComponent(o.needed)}`);
                                    }}
                                >
                                    {t("Show them")}
                                </button>
                            </li>
                        ))}
                    </ul>
                </>
            )}
            {lacking.length > 0 && (
                <>
                    <p class="error">{t("These could not be installed any more:")}</p>
                    <ul class="plain-list">
                        {lacking.map((l) => (
                            <li key={`${l.by} ${l.needed}`}>{t("{by} needs {needed}", l)}</li>
                        ))}
                    </ul>
                </>
            )}
        </FormDialog>
    );
}

/** What another repository has; versions and texts are its own words. */
interface Offer {
    package: string;
    version: string;
    architecture: string;
    maturity: string;
    description: string;
    signer: string;
    here: string | null; // the version here
}
interface Offers {
    packages: readonly Offer[];
    left_out: number;
}

const offerKey = (o: Offer) => `${o.package}(=${o.version})\n${o.architecture}\n${o.maturity}`;
const OFFERS: readonly Column<Offer>[] = [
    { id: "package", title: "Package", width: 220, grows: 360, sort: "package", text: (o) => o.package },
    { id: "version", title: "Version", width: 120, grows: 180, sort: "version", text: (o) => o.version },
    { id: "here", title: "Here", width: 120, grows: 180, sort: "here", text: (o) => o.here ?? "" },
    { id: "maturity", title: "Maturity", width: 100, sort: "maturity", text: (o) => o.maturity },
    { id: "architecture", title: "Architecture", width: 116, sort: "architecture", text: (o) => o.architecture },
    { id: "description", title: "Description", width: 240, grows: 640, sort: "description", text: (o) => o.description },
    { id: "signer", title: "Signer", width: 140, grows: 260, sort: "signer", text: (o) => o.signer, isHidden: true },
];

/** All that is there, or newer there: the program reads and judges it, and keeps nothing. */
async function offersOf(asked: object, stop: AbortSignal): Promise<Offers> {
    const made = await call<{ id: string; details: Offers }>("POST", "/local/prepare", { what: "offers", ...asked }, stop);
    void call("DELETE", `/local/prepare/${encodeURIComponent(made.id)}`).catch(() => undefined);
    return made.details;
}

function Choose({ asked, selection }: { asked: object; selection: Selection }) {
    const offers = useSignal<Offers | undefined>(undefined);
    const error = useSignal("");
    useEffect(() => {
        const stop = new AbortController();
        offersOf(asked, stop.signal).then((found) => (offers.value = found), (e) => !isAbort(e) && (error.value = errorText(e)));
        return () => stop.abort();
    }, []);
    if (error.value)
        return (
            <p class="error" role="alert">
                {error.value}
            </p>
        );
    if (!offers.value) return <p role="status">{t("It is being read.")}</p>;
    return (
        <div class="estate">
            <LocalTable name="offers" label={t("What is there")} all={offers.value.packages} columns={OFFERS} rowKey={offerKey} firstSort="package" selection={selection} empty={t("Nothing that is not here already.")} />
            {offers.value.left_out > 0 && <p class="muted">{tn(offers.value.left_out, "and {n} more", "and {n} more")}</p>}
        </div>
    );
}

function Import({ onDone }: { onDone: () => void }) {
    const sources = local.value?.repositories ?? [];
    const from = useSignal(sources[0] ?? "");
    const names = useSignal("");
    const prefix = useSignal("");
    const maturity = useSignal("");
    const architecture = useSignal("");
    const isNewer = useSignal(true);
    const depends = useSignal(true);
    const isChoosing = useSignal(false);
    const selection = useMemo(() => new Selection(), []);
    void selection.version.value;
    const chosen = selection.named().map((key) => key.split("\n")[0] ?? "");
    const packages = [...new Set([...words(names.value), ...chosen])];
    const asked = { from: from.value, prefix: prefix.value, architecture: architecture.value, newer: isNewer.value };
    const submit = () => {
        close();
        review({ what: "import", ...asked, packages, maturity: maturity.value, no_depends: !depends.value }, (answer) => told(answer, onDone));
    };
    /** What was chosen was chosen from another list. */
    const change = (set: () => void) => {
        set();
        selection.clear();
        isChoosing.value = false;
    };
    if (sources.length === 0)
        return (
            <Dialog title={t("Import packages")} onClose={close}>
                <p>{t("No other repository is configured. In waptconsole.ini, a section with repo_url and public_certs_dir is one:")}</p>
                <pre class="log">{"[store]\nrepo_url = ...\npublic_certs_dir = ..."}</pre>
            </Dialog>
        );
    return (
        <FormDialog title={t("Import packages")} onClose={close} onSubmit={submit} button={t("Review")} disabled={packages.length === 0} wide>
            <p>{t("Only what the certificates of that repository stand for comes in. Nothing of it is unpacked or run here; you sign it anew.")}</p>
            <div class="form-two">
                <Choice label={t("From")} value={from.value} options={sources.map((s) => [s, s] as const)} onChange={(v) => change(() => (from.value = v))} />
                <Choice
                    label={t("Architecture")}
                    value={architecture.value}
                    options={[
                        ["", t("any")],
                        ["x64", "x64"],
                        ["x86", "x86"],
                    ]}
                    onChange={(v) => change(() => (architecture.value = v))}
                />
                <Field label={t("Prefix here")} value={prefix.value} onInput={(v) => change(() => (prefix.value = v))} hint={t("Names begin so here, up to the first -; empty: as there.")} />
                <Choice label={t("Maturity here")} value={maturity.value} options={[["", t("as there")] as const, ...MATURITIES.map((m) => [m, m] as const)]} onChange={(v) => (maturity.value = v)} />
            </div>
            <Check label={t("Only what is newer than here")} checked={isNewer.value} onChange={(on) => change(() => (isNewer.value = on))} />
            <Check label={t("Also what they need")} checked={depends.value} onChange={(on) => (depends.value = on)} />
            <Field label={t("Packages")} value={names.value} onInput={(v) => (names.value = v)} autofocus hint={t("Names, with blanks between; a version as in tis-firefox(=115.1-0).")} />
            {isChoosing.value ? (
                <Choose asked={asked} selection={selection} />
            ) : (
                <button type="button" onClick={() => (isChoosing.value = true)}>
                    {t("Show what is there")}
                </button>
            )}
            {chosen.length > 0 && <p class="muted">{tn(chosen.length, "{n} package selected", "{n} packages selected")}</p>}
        </FormDialog>
    );
}

export function ChangeDialog() {
    const o = open.value;
    if (!o) return null;
    if (o.what === "resign") return <Resign packages={o.packages} onDone={o.onDone} />;
    if (o.what === "promote") return <Promote packages={o.packages} onDone={o.onDone} />;
    if (o.what === "delete") return <Delete packages={o.packages} all={o.all} onDone={o.onDone} />;
    return <Import onDone={o.onDone} />;
}

export { bytes as sizeText };
