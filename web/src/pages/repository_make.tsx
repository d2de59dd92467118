// "Make a package": of an installer, a folder or nothing. The program reads what is dropped, says what the package would be like, and judges
// each change as lint would; this page knows no rule and reads no file. What is signed is composed and shown by the review.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { call, errorText, isAbort } from "../api";
import { askedFor, Dialog, FormDialog } from "../components/dialog";
import { Choice, Field } from "../components/fields";
import { Icon } from "../components/icons";
import { Picture } from "../components/picture";
import { review } from "../components/review";
import { sayError } from "../components/toasts";
import { t, type Text } from "../i18n";
import { MATURITIES, sizeText, told } from "./repository_changes";
import { dropping, Findings, forget, stage, type Finding, type Staged } from "./repository_upload";

/** What is to be packed, each with its name in the package. */
export interface Source {
    file: File;
    name: string;
}
type Made = Record<string, string>;
interface Said {
    made: Made;
    file: string;
    made_by: string | null;
    icon: string | null; // PNG, in base64
    control: string;
    setup: string;
    checks: readonly string[];
    findings: readonly Finding[];
}
interface Wanted {
    sources: readonly Source[] | undefined; // undefined: the person chooses
    onDone: () => void;
}
const wanted = askedFor<Wanted>();
/** Of which program what identity is, and the field's name. */
const KEYS: Readonly<Record<string, Text>> = { exe: "Key under which Windows lists it", msi: "Key under which Windows lists it", msix: "Identity of the app", pkg: "Identifier of the package" };
const PAUSE_MS = 250; // after a keystroke, before the program is asked
const MOST = 1000; // files of a folder, as the program takes them

/** Opens the wizard; without sources it asks for them. */
export function make(sources: readonly Source[] | undefined, onDone: () => void): void {
    wanted.value = { sources, onDone };
}

/** Files as they were chosen: of a folder with their paths in it. */
export function chosen(files: Iterable<File>): Source[] {
    return [...files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
}

async function walk(entry: FileSystemEntry, found: Source[]): Promise<void> {
    if (found.length > MOST) return;
    if (entry.isFile) {
        const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
        found.push({ file, name: entry.fullPath.replace(/^\//, "") });
        return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
        const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
        if (some.length === 0) return;
        for (const one of some) await walk(one, found);
    }
}

/** What was dropped, folders with all that is in them. */
export async function droppedSources(data: DataTransfer): Promise<Source[]> {
    const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((e): e is FileSystemEntry => e !== null);
    if (entries.length === 0) return chosen(data.files); // as scripts drop them
    const found: Source[] = [];
    for (const entry of entries) await walk(entry, found);
    return found;
}

// --- choosing ---

function Choose({ onSources, onClose }: { onSources: (sources: readonly Source[]) => void; onClose: () => void }) {
    const file = useRef<HTMLInputElement>(null);
    const folder = useRef<HTMLInputElement>(null);
    const isOver = useSignal(false);
    useEffect(() => folder.current?.setAttribute("webkitdirectory", ""), []);
    const take = (input: HTMLInputElement) => {
        const sources = chosen(input.files ?? []);
        input.value = "";
        if (sources.length > 0) onSources(sources);
    };
    return (
        <Dialog
            title={t("Make a package")}
            onClose={onClose}
            footer={
                <button type="button" onClick={onClose}>
                    {t("Cancel")}
                </button>
            }
        >
            <div class={isOver.value ? "drop-box drop-box-over" : "drop-box"} {...dropping(isOver, (data) => void droppedSources(data).then((s) => s.length > 0 && onSources(s), sayError))}>
                <Icon name="box" />
                <p>{t("Drop an installer here (.msi, .exe, .msu, .msix, .appx, .deb, .rpm, .pkg, .dmg), or a folder with a program that needs none.")}</p>
            </div>
            <div class="bar">
                <button type="button" data-autofocus onClick={() => file.current?.click()}>
                    {t("Choose an installer")}
                </button>
                <button type="button" onClick={() => folder.current?.click()}>
                    {t("Choose a folder")}
                </button>
                <button type="button" class="plain" onClick={() => onSources([])}>
                    {t("Start without files")}
                </button>
            </div>
            <p class="muted">{t("What it says of itself is read by a process that can do nothing else. Nothing of it is run here.")}</p>
            <input ref={file} type="file" hidden aria-label={t("Choose an installer")} onChange={(e) => take(e.currentTarget)} />
            <input ref={folder} type="file" multiple hidden aria-label={t("Choose a folder")} onChange={(e) => take(e.currentTarget)} />
        </Dialog>
    );
}

// --- what it is to be ---

interface Row {
    name: string;
    title: Text;
    of?: readonly string[]; // kinds of installers; all
}
const ROWS: readonly Row[] = [
    { name: "package", title: "Name of the package" },
    { name: "version", title: "Version" },
    { name: "name", title: "Name shown to people" },
    { name: "description", title: "Description" },
    { name: "silent", title: "Options with which it asks nothing", of: ["exe"] },
    { name: "uninstallkey", title: "Key under which Windows lists it", of: Object.keys(KEYS) },
    { name: "depends", title: "Needs" },
    { name: "conflicts", title: "Excludes" },
    { name: "impacted_process", title: "Programs to be closed first" },
    { name: "locale", title: "Languages" },
    { name: "editor", title: "Publisher" },
    { name: "licence", title: "Licence" },
    { name: "homepage", title: "Web page" },
];
const CHOICES: readonly { name: string; title: Text; options: readonly string[] }[] = [
    { name: "architecture", title: "Architecture", options: ["all", "x64", "x86"] },
    { name: "maturity", title: "Maturity", options: MATURITIES },
    { name: "section", title: "Section", options: ["base", "restricted"] },
    { name: "target_os", title: "System", options: ["windows", "linux", "darwin", "all"] },
];

/** What is wrong with one field, below it. */
function Problem({ findings, name }: { findings: readonly Finding[]; name: string }) {
    const mine = findings.filter((f) => f.field === name && f.level !== "note");
    return (
        <>
            {mine.map((f) => (
                <p key={f.rule} class={f.level === "error" ? "field-problem error" : "field-problem"} data-level={f.level}>
                    {f.text}
                </p>
            ))}
        </>
    );
}

function Form({ made, findings, onChange }: { made: Made; findings: readonly Finding[]; onChange: (name: string, value: string) => void }) {
    const kind = made.kind ?? "";
    const options = (c: (typeof CHOICES)[number]) => {
        const value = made[c.name] ?? "";
        const all = c.options.includes(value) || value === "" ? c.options : [value, ...c.options];
        return [...(c.name === "maturity" ? [["", t("none: counts as PROD")] as const] : []), ...all.map((o) => [o, o] as const)];
    };
    return (
        <div>
            {ROWS.slice(0, 2).map((r, i) => (
                <div key={r.name}>
                    <Field autofocus={i === 0} label={t(r.title)} value={made[r.name] ?? ""} onInput={(v) => onChange(r.name, v)} />
                    <Problem findings={findings} name={r.name} />
                </div>
            ))}
            <div class="two">
                {CHOICES.map((c) => (
                    <div key={c.name}>
                        <Choice label={t(c.title)} value={made[c.name] ?? ""} options={options(c)} onChange={(v) => onChange(c.name, v)} />
                        <Problem findings={findings} name={c.name} />
                    </div>
                ))}
            </div>
            {ROWS.slice(2)
                .filter((r) => !r.of || r.of.includes(kind))
                .map((r) => (
                    <div key={r.name}>
                        <Field label={t((r.name === "uninstallkey" && KEYS[kind]) || r.title)} value={made[r.name] ?? ""} onInput={(v) => onChange(r.name, v)} />
                        <Problem findings={findings} name={r.name} />
                    </div>
                ))}
        </div>
    );
}

/** By which users find it: the installer's own, one that is chosen or dropped, or none. */
function PictureBox({ png, problem, onFile, onNone }: { png: string | null; problem: string; onFile: (file: File) => void; onNone: () => void }) {
    const input = useRef<HTMLInputElement>(null);
    const isOver = useSignal(false);
    const take = (files: FileList | null | undefined) => {
        const file = files?.[0];
        if (file) onFile(file);
    };
    return (
        <div class={isOver.value ? "picture-box drop-box-over" : "picture-box"} {...dropping(isOver, (data) => take(data.files))}>
            {png ? <Picture src={`data:image/png;base64,${png}`} alt={t("Icon of the package")} /> : <Icon name="box" />}
            {problem ? (
                <span class="error" role="alert">
                    {problem}
                </span>
            ) : (
                <span class="muted">{png ? t("By this picture users find it.") : t("No picture: drop a PNG here, by which users find it.")}</span>
            )}
            <span class="space" />
            <button type="button" onClick={() => input.current?.click()}>
                {t("Choose a picture")}
            </button>
            {png && (
                <button type="button" class="plain" onClick={onNone}>
                    {t("No picture")}
                </button>
            )}
            <input
                ref={input}
                type="file"
                accept="image/png,.png"
                hidden
                aria-label={t("Choose a picture")}
                onChange={(e) => {
                    take(e.currentTarget.files);
                    e.currentTarget.value = "";
                }}
            />
        </div>
    );
}

/** The two texts that follow; setup.py can be written by hand, and then is the person's. */
function Texts({ said, setup, onSetup }: { said: Said; setup: string | undefined; onSetup: (text: string | undefined) => void }) {
    return (
        <div>
            <div class="field">
                <label for="make-setup">setup.py</label>
                <textarea id="make-setup" class="query make-setup" rows={18} spellcheck={false} value={setup ?? said.setup} onInput={(e) => onSetup(e.currentTarget.value)} />
            </div>
            {setup !== undefined && (
                <p>
                    {t("You have changed it: the fields beside do not change it any more.")}{" "}
                    <button type="button" class="plain" onClick={() => onSetup(undefined)}>
                        {t("Make it anew from the fields")}
                    </button>
                </p>
            )}
            <Findings findings={said.findings.filter((f) => f.file === "setup.py" || !f.field)} empty={t("Lint finds nothing wrong.")} />
            <details>
                <summary>WAPT/control</summary>
                <pre class="log" tabIndex={0}>
                    {said.control}
                </pre>
            </details>
        </div>
    );
}

function Edit({ sources, onDone, onClose }: { sources: readonly Source[]; onDone: () => void; onClose: () => void }) {
    const staged = useSignal<readonly Staged[]>([]);
    const said = useSignal<Said | undefined>(undefined);
    const made = useSignal<Made>({});
    const setup = useSignal<string | undefined>(undefined);
    const picture = useSignal<Staged | "none" | undefined>(undefined); // undefined: the installer's own
    const error = useSignal("");
    const wrong = useSignal(""); // with the picture
    const isAsking = useSignal(true);
    const now = useMemo(() => ({ stop: new AbortController(), timer: 0, isOver: false }), []);
    const files = () => staged.value.map((s) => ({ id: s.id, name: s.name }));
    const icon = () => (picture.value === undefined ? {} : { icon: picture.value === "none" ? "" : picture.value.id });
    const drop = () => typeof picture.value === "object" && forget([picture.value]);
    const ask = async (body: object) => {
        now.stop.abort();
        now.stop = new AbortController();
        const mine = now.stop;
        isAsking.value = true;
        try {
            const answer = await call<Said>("POST", "/local/make", { files: files(), ...icon(), ...body }, mine.signal);
            error.value = "";
            if (!said.value) made.value = answer.made;
            said.value = said.value ? { ...answer, checks: said.value.checks, made_by: said.value.made_by } : answer;
        } catch (e) {
            if (isAbort(e)) return;
            error.value = errorText(e);
        }
        if (mine === now.stop) isAsking.value = false;
    };
    const read = () => void ask({});
    useEffect(() => {
        const stop = new AbortController();
        const take = async () => {
            if (sources.length > MOST) throw new Error(t("A folder of more than {n} files is too much: pack it into an archive first.", { n: MOST }));
            for (const s of sources) staged.value = [...staged.value, { ...(await stage(s.file, stop.signal)), name: s.name }];
            await ask({});
        };
        take().catch((e: unknown) => {
            if (isAbort(e)) return;
            error.value = errorText(e);
            isAsking.value = false;
        });
        return () => {
            stop.abort();
            now.stop.abort();
            clearTimeout(now.timer);
            if (!now.isOver) {
                forget(staged.value);
                drop();
            }
        };
    }, []);
    const judge = () => ask({ made: made.value, ...(setup.value === undefined ? {} : { setup: setup.value }) });
    const later = () => {
        isAsking.value = true;
        clearTimeout(now.timer);
        now.timer = window.setTimeout(() => void judge(), PAUSE_MS);
    };
    /** What can't be an icon is said, and the one before stays. */
    const show = async (file: File | undefined) => {
        let next: Staged | undefined;
        wrong.value = "";
        try {
            if (file) {
                next = await stage(file);
                await call("POST", "/local/make", { files: [], icon: next.id });
            }
        } catch (e) {
            wrong.value = errorText(e);
            if (next) forget([next]);
            return;
        }
        drop();
        picture.value = next ?? "none";
        await judge();
    };
    const submit = () => {
        if (!said.value) return;
        const kept = [...staged.value, ...(typeof picture.value === "object" ? [picture.value] : [])];
        const wish = { what: "make", files: files(), ...icon(), made: made.value, setup: setup.value ?? said.value.setup };
        // It stays below the review: whoever says no there has lost nothing.
        review(
            wish,
            (answer) => {
                now.isOver = true;
                onClose();
                forget(kept);
                told(answer, onDone);
            },
            { more: (details) => <MadeOf details={details as Composed} /> },
        );
    };
    const hasErrors = (said.value?.findings ?? []).some((f) => f.level === "error");
    const s = said.value;
    const total = sources.reduce((n, one) => n + one.file.size, 0);
    const what = s?.file ? `${s.file}, ${sizeText(total)}${s.made_by ? `, ${s.made_by}` : ""}` : t("Without files");
    return (
        <FormDialog
            title={t("Make a package")}
            onClose={onClose}
            onSubmit={submit}
            button={t("Review")}
            disabled={!s || isAsking.value || hasErrors || error.value !== ""}
            wide
            aside={
                <>
                    {s && (
                        <span class="muted" role="status">
                            {isAsking.value ? t("Being checked") : hasErrors ? t("Something must be corrected first.") : ""}
                        </span>
                    )}
                    <span class="space" />
                </>
            }
            beside={
                !s && error.value && staged.value.length === sources.length ? (
                    <button type="button" onClick={read}>
                        {t("Read it again")}
                    </button>
                ) : null
            }
        >
            {!s && !error.value && <p role="status">{staged.value.length < sources.length ? t("{n} of {all}", { n: staged.value.length, all: sources.length }) : t("It is being read.")}</p>}
            {s && (
                <>
                    <p class="muted">{what}</p>
                    {s.checks.length > 0 && (
                        <ul class="plain-list checks">
                            {s.checks.map((c) => (
                                <li key={c}>{c}</li>
                            ))}
                        </ul>
                    )}
                    <PictureBox png={s.icon} problem={wrong.value} onFile={(file) => void show(file)} onNone={() => void show(undefined)} />
                    <div class="two make">
                        <Form
                            made={made.value}
                            findings={s.findings}
                            onChange={(name, value) => {
                                made.value = { ...made.value, [name]: value };
                                later();
                            }}
                        />
                        <Texts
                            said={s}
                            setup={setup.value}
                            onSetup={(text) => {
                                setup.value = text;
                                later();
                            }}
                        />
                    </div>
                </>
            )}
            {error.value && (
                <p class="error" role="alert">
                    {error.value}
                </p>
            )}
        </FormDialog>
    );
}

interface Composed {
    control?: string;
    setup?: string;
    icon?: string | null;
}

/** What will be in it, read back. */
function MadeOf({ details }: { details: Composed }) {
    return (
        <>
            {details.icon && <Picture src={`data:image/png;base64,${details.icon}`} alt={t("Icon of the package")} />}
            <details open>
                <summary>setup.py</summary>
                <pre class="log" tabIndex={0}>
                    {details.setup}
                </pre>
            </details>
            <details>
                <summary>WAPT/control</summary>
                <pre class="log" tabIndex={0}>
                    {details.control}
                </pre>
            </details>
        </>
    );
}

export function MakeDialog() {
    const w = wanted.value;
    const close = () => (wanted.value = undefined);
    if (!w) return null;
    if (!w.sources) return <Choose onSources={(sources) => (wanted.value = { ...w, sources })} onClose={close} />;
    return <Edit key={w.sources.map((s) => s.name).join("/")} sources={w.sources} onDone={w.onDone} onClose={close} />;
}
