// Files that are dropped into the repository's page: they go to the local program, which verifies them, shows what they are, and sends them. The
// page reads nothing of them.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { call, isAbort, send } from "../api";
import { askedFor, FormDialog } from "../components/dialog";
import { Choice, Field } from "../components/fields";
import { Icon } from "../components/icons";
import { review } from "../components/review";
import { sayError } from "../components/toasts";
import { bytes } from "../format";
import { t, type Text } from "../i18n";
import { local } from "../local";
import { MATURITIES, told } from "./repository_changes";

export interface Staged {
    id: string;
    name: string;
    size: number;
}
interface Wanted {
    files: readonly File[];
    onDone: () => void;
}
const wanted = askedFor<Wanted>();
const MOST = 64; // files at once, as the program takes them

/** A file goes to the program, which keeps it for a while. */
export async function stage(file: File, stop?: AbortSignal): Promise<Staged> {
    const answer = await send("PUT", "/local/files", file.slice(0, file.size, "application/octet-stream"), stop);
    const made = (await answer.json()) as { id: string; size: number };
    return { id: made.id, size: made.size, name: file.name };
}

/** Takes files into the program, then asks what is to be done with them. */
export function upload(files: readonly File[], onDone: () => void): void {
    if (files.length > 0) wanted.value = { files: files.slice(0, MOST), onDone };
}

/** The program need not keep them any longer. */
export function forget(staged: readonly Staged[]): void {
    for (const s of staged) void call("DELETE", `/local/files/${encodeURIComponent(s.id)}`).catch(() => undefined);
}

/** A mistake that lint has found. */
export interface Finding {
    level: string;
    rule: string;
    file: string;
    line: number;
    field: string;
    text: string;
}
interface Details {
    packages?: readonly { package: string; version: string; setup?: string; findings?: readonly Finding[] }[];
}

const LEVELS: Record<string, Text> = { error: "error", warning: "warning", note: "note" };

/** What lint says, each with its place. */
export function Findings({ findings, empty }: { findings: readonly Finding[]; empty: string }) {
    if (findings.length === 0) return <p class="muted">{empty}</p>;
    return (
        <ul class="plain-list findings">
            {findings.map((f) => (
                <li key={`${f.file} ${f.line} ${f.rule} ${f.text}`} data-level={f.level}>
                    <strong>{t(LEVELS[f.level] ?? "note")}</strong> {`${f.file}${f.line > 0 ? `:${f.line}` : ""}: ${f.text} [${f.rule}]`}
                </li>
            ))}
        </ul>
    );
}

/** What machines would run. */
function Setups({ details }: { details: Details }) {
    return (
        <>
            {(details.packages ?? []).map((p) =>
                p.setup === undefined ? null : (
                    <details key={`${p.package} ${p.version}`}>
                        <summary>{t("setup.py of {name}", { name: `${p.package} ${p.version}` })}</summary>
                        <Findings findings={p.findings ?? []} empty={t("Lint finds nothing wrong.")} />
                        <pre class="log" tabIndex={0}>
                            {p.setup}
                        </pre>
                    </details>
                ),
            )}
        </>
    );
}

function Upload({ files, onDone }: Wanted) {
    const staged = useSignal<readonly Staged[]>([]);
    const isThere = useSignal(false);
    const how = useSignal("as");
    const prefix = useSignal("");
    const maturity = useSignal("");
    const from = useSignal("");
    const sources = local.value?.repositories ?? [];
    const close = () => (wanted.value = undefined);
    useEffect(() => {
        const stop = new AbortController();
        const take = async () => {
            for (const file of files) staged.value = [...staged.value, await stage(file, stop.signal)];
            isThere.value = true;
        };
        take().catch((e: unknown) => {
            if (isAbort(e)) return;
            sayError(e);
            forget(staged.value);
            close();
        });
        return () => stop.abort();
    }, []);
    const cancel = () => {
        forget(staged.value);
        close();
    };
    const submit = () => {
        const mine = staged.value;
        const wish = how.value === "as" ? {} : { resign: true, prefix: prefix.value, maturity: maturity.value, from: from.value };
        close();
        review(
            { what: "upload", files: mine.map((s) => ({ id: s.id, name: s.name })), ...wish },
            (answer) => {
                forget(mine);
                told(answer, onDone);
            },
            { more: (details) => <Setups details={details as Details} /> },
        );
    };
    return (
        <FormDialog title={t("Add packages")} onClose={cancel} onSubmit={submit} button={t("Review")} disabled={!isThere.value}>
            <p>{t("Each file is verified before anything else: who signed it, and that it is whole. Nothing of it is unpacked or run here.")}</p>
            <ul class="plain-list">
                {files.map((f, i) => (
                    <li key={i}>{`${f.name}, ${bytes(f.size)}`}</li>
                ))}
            </ul>
            {!isThere.value && <p role="status">{t("{n} of {all}", { n: staged.value.length, all: files.length })}</p>}
            <Choice
                label={t("Publish them")}
                value={how.value}
                options={[
                    ["as", t("as they are signed")],
                    ["anew", t("signed anew by you")],
                ]}
                onChange={(v) => (how.value = v)}
            />
            {how.value === "anew" && (
                <>
                    <Choice
                        label={t("Whose signatures count on them")}
                        value={from.value}
                        options={[["", t("those that count here")] as const, ...sources.map((s) => [s, s] as const)]}
                        onChange={(v) => (from.value = v)}
                    />
                    <Field label={t("Prefix here")} value={prefix.value} onInput={(v) => (prefix.value = v)} hint={t("Names begin so here, up to the first -, and so do the names that they need; empty: as there.")} />
                    <Choice
                        label={t("Maturity here")}
                        value={maturity.value}
                        options={[["", t("as there")] as const, ...MATURITIES.map((m) => [m, m] as const)]}
                        onChange={(v) => (maturity.value = v)}
                    />
                </>
            )}
        </FormDialog>
    );
}

export function UploadDialog() {
    const w = wanted.value;
    return w ? <Upload key={w.files.map((f) => f.name).join("/")} {...w} /> : null;
}

/** A button that opens the system's choice of files. */
export function AddFiles({ onFiles }: { onFiles: (files: readonly File[]) => void }) {
    const input = useRef<HTMLInputElement>(null);
    return (
        <>
            <button type="button" class="primary" onClick={() => input.current?.click()}>
                <Icon name="up" />
                <span>{t("Add packages")}</span>
            </button>
            <input
                ref={input}
                type="file"
                multiple
                hidden
                onChange={(e) => {
                    onFiles([...(e.currentTarget.files ?? [])]);
                    e.currentTarget.value = "";
                }}
            />
        </>
    );
}

/** What an element needs so that files can be dropped on it: on the one inside of another on that one alone. */
export function dropping(isOver: { value: boolean }, onDrop: (data: DataTransfer) => void) {
    return {
        onDragOver: (e: DragEvent) => {
            if (!e.dataTransfer?.types.includes("Files")) return;
            e.preventDefault();
            e.stopPropagation();
            isOver.value = true;
        },
        onDragLeave: () => (isOver.value = false),
        onDrop: (e: DragEvent) => {
            if (!e.dataTransfer?.types.includes("Files")) return;
            e.preventDefault();
            e.stopPropagation();
            isOver.value = false;
            onDrop(e.dataTransfer);
        },
    };
}

export function DropHint({ isOver }: { isOver: boolean }) {
    return isOver ? <div class="drop-here">{t("Drop packages here: they are looked at first. Of an installer or a folder a package can be made.")}</div> : null;
}

