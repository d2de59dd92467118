// What one machine does, what waits there and what it did lately, as it tells while somebody looks here. All of it is what the machine says.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { apiPath, call, newest } from "../api";
import { Dialog } from "../components/dialog";
import { Choice, Facts } from "../components/fields";
import { review } from "../components/review";
import { Status, toneOf } from "../components/status";
import { say, sayError } from "../components/toasts";
import { useEvents } from "../events";
import { ago, dateTime, number } from "../format";
import { t, tn, type Text } from "../i18n";
import { epoch } from "../local";
import { onceSeen } from "../seen";
import type { Column } from "../table/columns";
import { LocalTable } from "../table/local";
import { kindText } from "./hosts_kinds";

interface Task {
    id: number;
    kind: string;
    state: "running" | "queued" | "done";
    code: string;
    message: string;
    created_by: string;
    created: number;
    not_before: number;
    started: number;
    finished: number;
    progress: number;
    priority: number;
    packages: string[];
    waits_for: string[];
    cancel: string; // by which a signed cancel names it; "": by nothing
    log: string;
}
interface Told {
    now: number;
    reachable: boolean;
    at: number; // 0: it never told
    queue: { stopped: boolean; left_out: number; tasks: Task[] } | null;
}

const LOOK_MS = 25_000; // the machine tells for a minute after it was asked
const ANSWER_S = 90; // one that is there has told within these, as long as somebody looks

/** Read again when the machine has told something; asked again for as long as the page is looked at. */
function useTold(uuid: string) {
    const told = useSignal<Told | undefined>(undefined);
    const take = useMemo(() => newest((found: Told) => (told.value = found)), []);
    const read = (watch: boolean, stop?: AbortSignal) => take(call<Told>("GET", apiPath(["hosts", uuid, "queue"], { watch: watch ? 1 : undefined }), undefined, stop)).catch(sayError);
    useEffect(() => {
        const stop = new AbortController();
        let callOff = () => undefined as void;
        const look = () => {
            callOff();
            callOff = onceSeen(() => void read(true, stop.signal));
        };
        look();
        const timer = setInterval(look, LOOK_MS);
        return () => {
            clearInterval(timer);
            callOff();
            stop.abort();
        };
    }, [uuid, epoch.value]);
    useEvents((event) => event.kind === "queue" && (event.uuid === uuid || event.what === "many"), () => void read(false));
    useEvents((event) => event.kind === "host" && event.uuid === uuid && (event.what === "connected" || event.what === "disconnected"), () => void read(true));
    return told.value;
}

const STATES: Record<string, Text> = { running: "running", queued: "waits", ok: "done", cancelled: "cancelled" };

function state(task: Task): string {
    return task.state === "done" ? task.code : task.state;
}

function stateText(task: Task): string {
    const known = STATES[state(task)];
    if (known) return t(known);
    return task.state !== "done" ? task.state : task.code === "failed" ? t("failed") : `${t("failed")} (${task.code})`;
}

function tone(task: Task) {
    return toneOf(task.state !== "done" ? task.state : task.code === "ok" ? "done" : task.code === "cancelled" ? "cancelled" : "failed");
}

/** "uid 1000 (alice)": alice; "order of <fingerprint> (Anna)": ordered by Anna. */
function by(task: Task): string {
    const said = task.created_by;
    if (said === "scheduler") return t("its own schedule");
    const user = /^uid (\d+) \((.*)\)$/s.exec(said);
    if (user) return user[1] === "0" ? t("root there") : t("{name}, a user there", { name: user[2] || user[1] || "" });
    const order = /^(order|roll-out) of \S+ \((.*)\)$/s.exec(said);
    return order ? t(order[1] === "order" ? "an order of {name}" : "a roll-out of {name}", { name: order[2] ?? "" }) : said;
}

function since(task: Task): number {
    return task.state === "done" ? task.finished : task.state === "running" ? task.started : task.created;
}

/** What it is about, what it waits for, why it ended so. */
function about(task: Task): string {
    const waits = task.state !== "queued" ? "" : task.waits_for.length > 0 ? t("waits for {program}", { program: task.waits_for.join(", ") }) : task.not_before > 0 ? t("not before {time}", { time: dateTime(task.not_before) }) : "";
    return [task.packages.join(", "), task.message, waits].filter(Boolean).join(": ");
}

const COLUMNS: readonly Column<Task>[] = [
    { id: "state", title: "State", width: 170, text: stateText, cell: (task) => <Status tone={tone(task)} text={stateText(task)} /> },
    { id: "kind", title: "Task", width: 150, text: (task) => kindText(task.kind), opens: (task) => kindText(task.kind) },
    { id: "progress", title: "Progress", width: 100, text: (task) => (task.state === "running" ? `${number(task.progress)} %` : ""), align: "end" },
    { id: "about", title: "What it says", width: 320, grows: 640, text: about },
    { id: "by", title: "By", width: 200, grows: 320, text: by },
    { id: "since", title: "Since", width: 190, text: (task) => dateTime(since(task)), cell: (task) => <span title={ago(since(task))}>{dateTime(since(task))}</span> },
    { id: "priority", title: "Priority", width: 90, text: (task) => number(task.priority), align: "end", isHidden: true },
    { id: "id", title: "Number", width: 90, text: (task) => String(task.id), align: "end", isHidden: true },
];

const SHOWN: readonly (readonly [id: string, title: Text, takes: (task: Task) => boolean])[] = [
    ["", "All", () => true],
    ["pending", "Pending", (task) => task.state !== "done"],
    ["done", "Done", (task) => task.state === "done" && task.code === "ok"],
    ["errors", "Errors", (task) => task.state === "done" && task.code !== "ok"],
];

function Details({ uuid, task, onClose }: { uuid: string; task: Task; onClose: () => void }) {
    const cancel = () => {
        onClose();
        review({ what: "cancel", id: task.cancel, hosts: [uuid] }, () => say(t("The cancel is on its way.")));
    };
    return (
        <Dialog title={kindText(task.kind)} onClose={onClose} wide>
            <Facts
                rows={[
                    [t("State"), <Status key="s" tone={tone(task)} text={task.state === "running" ? `${stateText(task)}, ${number(task.progress)} %` : stateText(task)} />],
                    [t("By"), by(task)],
                    [t("What it says"), about(task)],
                    [t("Asked for"), dateTime(task.created)],
                    [t("Begun"), task.started ? dateTime(task.started) : ""],
                    [t("Ended"), task.finished ? dateTime(task.finished) : ""],
                    [t("Number"), `${task.id}`],
                    [t("Priority"), number(task.priority)],
                ]}
            />
            {task.log && (
                <>
                    <h3>{t("The end of what it told")}</h3>
                    <pre class="log" tabIndex={0}>
                        {task.log}
                    </pre>
                </>
            )}
            {task.state !== "done" && task.cancel && (
                <p class="end">
                    <button type="button" class="danger" onClick={cancel}>
                        {t("Cancel the task")}
                    </button>
                </p>
            )}
        </Dialog>
    );
}

/** Whether it is as it is now, or as of when. */
function AsOf({ told }: { told: Told }) {
    if (!told.reachable) return <span class="muted">{told.at ? t("The machine is away: as of {time}.", { time: dateTime(told.at) }) : t("The machine is away, and has never told it.")}</span>;
    if (told.at === 0 || told.now - told.at > ANSWER_S) return <span class="muted">{told.at ? t("The machine is asked. As of {time}:", { time: dateTime(told.at) }) : t("The machine is asked.")}</span>;
    return <span class="muted">{told.queue?.stopped ? t("A user has stopped the service there for a while: nothing begins.") : t("As it is now.")}</span>;
}

export function HostTasks({ uuid }: { uuid: string }) {
    const told = useTold(uuid);
    const open = useSignal<number | undefined>(undefined);
    const only = useSignal("");
    const all = told?.queue?.tasks ?? (told && []);
    const shown = useMemo(() => all?.filter(SHOWN.find(([id]) => id === only.value)?.[2] ?? (() => true)), [told, only.value]);
    const opened = all?.find((task) => task.id === open.value);
    const leftOut = told?.queue?.left_out ?? 0;
    const tools = told && (
        <>
            <AsOf told={told} />
            {leftOut > 0 && <span class="muted">{tn(leftOut, "{n} more on the machine", "{n} more on the machine")}</span>}
            <Choice inline label={t("Show")} value={only.value} options={SHOWN.map(([id, title]) => [id, t(title)] as const)} onChange={(id) => (only.value = id)} />
        </>
    );
    return (
        <>
            <LocalTable name="host.tasks" label={t("Tasks")} all={shown} columns={COLUMNS} rowKey={(task) => String(task.id)} onOpen={(task) => (open.value = task.id)} tools={tools} empty={t("It does nothing, and nothing waits.")} />
            {opened && <Details uuid={uuid} task={opened} onClose={() => (open.value = undefined)} />}
        </>
    );
}
