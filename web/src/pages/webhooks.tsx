// Where events go besides: to whom, whether they arrive. What is sent there goes on when this page is closed, so a new one is confirmed outside of it.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { apiPath, call } from "../api";
import { Change, Once } from "../components/change";
import { Dialog } from "../components/dialog";
import { Check, Facts, Field } from "../components/fields";
import { useRead } from "../components/read";
import { Status, type Tone } from "../components/status";
import { say, sayError } from "../components/toasts";
import { ago, dateTime, number } from "../format";
import { t, tn, type Text } from "../i18n";
import type { Column } from "../table/columns";
import { LocalTable } from "../table/local";

interface Hook {
    id: string;
    url: string;
    kinds: string;
    created: number;
    by: string;
    disabled: boolean;
    failed_since: number;
    last_at: number;
    last_result: string;
    missed: number;
    waiting: number;
}

const AGAIN_MS = 3000;

const KINDS: readonly (readonly [kind: string, about: Text])[] = [
    ["host", "machines: registered, connected, reported, left"],
    ["action", "orders and what becomes of them"],
    ["package", "packages: published, deleted"],
    ["rollout", "roll-outs"],
    ["person", "people, tokens and sessions"],
    ["journal", "the journal's newest digest"],
];

function stateOf(h: Hook): [Tone, string] {
    if (h.disabled) return ["bad", t("switched off")];
    if (h.failed_since > 0) return ["warn", t("failing ({when})", { when: ago(h.failed_since) })];
    return h.last_at > 0 ? ["ok", t("arrives")] : ["none", t("nothing sent yet")];
}

const COLUMNS: readonly Column<Hook>[] = [
    { id: "url", title: "Address", width: 340, grows: 620, sort: "url", text: (h) => h.url, opens: (h) => h.url },
    { id: "kinds", title: "Events", width: 170, grows: 360, text: (h) => (h.kinds ? h.kinds.replaceAll(",", ", ") : t("all")) },
    { id: "state", title: "State", width: 210, sort: "state", text: (h) => stateOf(h)[1], cell: (h) => <Status tone={stateOf(h)[0]} text={stateOf(h)[1]} /> },
    { id: "result", title: "Last result", width: 210, grows: 460, text: (h) => h.last_result },
    { id: "waiting", title: "Waiting", width: 104, text: (h) => number(h.waiting), align: "end" },
    { id: "missed", title: "Missed", width: 90, text: (h) => number(h.missed), align: "end" },
];

function NewHook({ onDone }: { onDone: (secret?: string) => void }) {
    const url = useSignal("https://");
    const kinds = useSignal<readonly string[]>([]);
    return (
        <Change
            title={t("New webhook")}
            isReady={/^https?:\/\/./.test(url.value)}
            grant={() => ({ do: "webhook", give: { url: url.value.trim(), ...(kinds.value.length > 0 ? { kinds: kinds.value.join(",") } : {}) } })}
            onDone={(is, answer) => onDone(is ? String(answer.secret) : undefined)}
        >
            <Field label={t("Address")} value={url.value} onInput={(v) => (url.value = v)} autofocus />
            <fieldset class="rights">
                <legend>{t("Events; none chosen: all")}</legend>
                {KINDS.map(([kind, about]) => (
                    <Check key={kind} label={t(about)} checked={kinds.value.includes(kind)} onChange={(on) => (kinds.value = on ? [...kinds.value, kind] : kinds.value.filter((k) => k !== kind))} />
                ))}
            </fieldset>
        </Change>
    );
}

function HookView({ of, onClose }: { of: Hook; onClose: (isChanged: boolean) => void }) {
    const isRemoving = useSignal(false);
    const test = () =>
        call("POST", apiPath(["webhooks", of.id, "test"])).then(() => {
            say(t("A test is on its way."));
            onClose(true);
        }, sayError);
    if (isRemoving.value)
        return (
            <Change title={t("Remove {what}?", { what: of.url })} button={t("Remove")} danger work={() => call("DELETE", apiPath(["webhooks", of.id]))} onDone={onClose}>
                <p>{t("Nothing is sent there any more; what waits is dropped.")}</p>
            </Change>
        );
    return (
        <Dialog
            title={t("Webhook")}
            onClose={() => onClose(false)}
            onSubmit={() => void test()}
            wide
            footer={
                <>
                    <button type="button" class="danger" onClick={() => (isRemoving.value = true)}>
                        {t("Remove")}
                    </button>
                    <button type="submit" class="primary">
                        {t("Send a test")}
                    </button>
                </>
            }
        >
            <Facts
                rows={[
                    [t("Address"), <span key="u" class="said">{of.url}</span>],
                    [t("Events"), of.kinds ? of.kinds.replaceAll(",", ", ") : t("all")],
                    [t("State"), stateOf(of)[1]],
                    [t("Last result"), of.last_at > 0 ? `${of.last_result} (${dateTime(of.last_at)})` : ""],
                    [t("Waiting"), number(of.waiting)],
                    [t("Missed"), number(of.missed)],
                    [t("Made"), `${dateTime(of.created)}, ${of.by}`],
                ]}
            />
            <p class="muted">{t("One that was switched off after failing for long is on again with a test that arrives.")}</p>
        </Dialog>
    );
}

export function WebhooksPage() {
    const version = useSignal(0);
    const isNew = useSignal(false);
    const secret = useSignal("");
    const chosen = useSignal("");
    const found = useRead<{ webhooks: Hook[] }>(apiPath(["webhooks"]), version.value);
    useEffect(() => {
        const timer = setInterval(() => document.hidden || version.value++, AGAIN_MS); // no event tells of deliveries
        return () => clearInterval(timer);
    }, []);
    const all = found?.webhooks;
    const open = all?.find((h) => h.id === chosen.value);
    const wasMade = (made?: string) => {
        isNew.value = false;
        if (!made) return;
        secret.value = made;
        version.value++;
    };
    return (
        <div class="page page-table">
            <div class="page-head">
                <h1>{t("Webhooks")}</h1>
                <span class="muted">{all && tn(all.length, "{n} place", "{n} places")}</span>
                <span class="space" />
                <button type="button" class="primary" onClick={() => (isNew.value = true)}>
                    {t("New webhook")}
                </button>
            </div>
            <p class="muted">{t("What happens on the server is sent there too, as signed JSON, in order, until it arrives.")}</p>
            <LocalTable name="webhooks" label={t("Webhooks")} all={all} columns={COLUMNS} rowKey={(h) => h.id} firstSort="url" onOpen={(h) => (chosen.value = h.id)} empty={t("Events go nowhere else.")} />
            {isNew.value && <NewHook onDone={wasMade} />}
            {secret.value && <Once title={t("The webhook's secret")} secret={secret.value} about={t("It signs what is sent. It is shown now, and never again.")} onClose={() => (secret.value = "")} />}
            {open && <HookView of={open} onClose={(is) => ((chosen.value = ""), is && version.value++)} />}
        </div>
    );
}
