// Prepare, review, commit: what the program composed is shown decoded, as it will be signed; then a person says yes, above a number of
// machines outside of the page, too. The page composes nothing that is signed.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo } from "preact/hooks";
import { call, errorText, send } from "../api";
import { t, tn, type Text } from "../i18n";
import { local, refreshState } from "../local";
import { Columns } from "../table/columns";
import { loadFrom, Rows } from "../table/rows";
import { Table } from "../table/table";
import { askedFor, Dialog } from "./dialog";
import { Facts } from "./fields";
import { isUnlocked, Unlock } from "./keyring";
import { waitingFor } from "./session";

export interface Prepared {
    id: string;
    title: string;
    lines: readonly { label: string; value: string }[];
    hosts: readonly { uuid: string; name: string }[];
    count: number;
    signs?: boolean; // false: what is done takes no key
    needs: "none" | "unlock" | "gesture";
    expires_at: number;
    details?: unknown;
}

interface Asked {
    what: object & { key?: string };
    /** With what the program answered when it was signed and sent. */
    onDone: (answer: Record<string, unknown>) => void;
    button?: Text;
    /** Shows more of what the program composed, below its lines. */
    more?: ((details: unknown) => ComponentChildren) | undefined;
}

/** How far it is, as the program tells it while it sends. */
interface Sending {
    state: string;
    done?: number;
    total?: number;
    step?: number;
    steps?: number;
}

const asked = askedFor<Asked>();
const AGAIN_MS = 1000;
const LOOK_MS = 500; // the second half of a double click signs nothing
const HOSTS_SHOWN = 8; // by name; more of them as a table

/** Opens the review of what: {"what": "actions", ...}, as POST /local/prepare takes it. button: where nothing is sent. */
export function review(what: object, onDone: Asked["onDone"], looks: Pick<Asked, "button" | "more"> = {}): void {
    asked.value = { what, onDone, ...looks };
}

function Hosts({ hosts }: { hosts: Prepared["hosts"] }) {
    const model = useMemo(() => {
        type Host = Prepared["hosts"][number];
        const columns = new Columns<Host>("review", [
            { id: "name", title: "Name", width: 240, grows: 480, text: (h) => h.name },
            { id: "uuid", title: "Identifier", width: 330, grows: 340, text: (h) => h.uuid, cell: (h) => <code>{h.uuid}</code> },
        ]);
        return { columns, rows: new Rows<Host>(loadFrom(hosts), (h) => h.uuid) };
    }, [hosts]);
    if (hosts.length <= HOSTS_SHOWN)
        return (
            <ul class="host-names">
                {hosts.map((h) => (
                    <li key={h.uuid} title={h.uuid}>
                        {h.name}
                    </li>
                ))}
            </ul>
        );
    return (
        <div class="review-hosts">
            <Table label={t("Machines concerned")} rows={model.rows} columns={model.columns} onSort={() => undefined} />
        </div>
    );
}

/** Nothing comes of it. */
function drop(prepared: Prepared | undefined): void {
    if (prepared) void call("DELETE", `/local/prepare/${encodeURIComponent(prepared.id)}`).catch(() => undefined);
}

/** Asks again while a person's gesture is awaited, and while it is sent. */
async function commit(id: string, isGone: () => boolean, told: (how: Sending) => void): Promise<Record<string, unknown> | undefined> {
    while (!isGone()) {
        const answer = await send("POST", "/local/commit", { id });
        const said = (await answer.json()) as Record<string, unknown>;
        if (answer.status !== 202) return said;
        told(said as unknown as Sending);
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    return undefined;
}

function Progress({ sending }: { sending: Sending }) {
    const { done = 0, total = 0, step = 0, steps = 0 } = sending;
    if (total === 0) return null;
    return (
        <p>
            {steps > 1 && <span>{t("{n} of {all}", { n: step, all: steps })} </span>}
            <progress value={done} max={total} aria-label={t("Sent")} />
        </p>
    );
}

function Review({ what, onDone, more, button = "Sign and send" }: Asked) {
    const prepared = useSignal<Prepared | undefined>(undefined);
    const error = useSignal("");
    const isBusy = useSignal(false);
    const hasFailed = useSignal(false);
    const isReady = useSignal(false);
    const sending = useSignal<Sending | undefined>(undefined);
    const now = useMemo(() => ({ isGone: false, isDone: false }), []);
    const close = () => {
        asked.value = undefined;
    };
    const prepare = async () => {
        error.value = "";
        hasFailed.value = false;
        isReady.value = false;
        prepared.value = undefined;
        try {
            const made = await call<Prepared>("POST", "/local/prepare", what);
            if (now.isGone) return drop(made);
            prepared.value = made;
            setTimeout(() => (isReady.value = true), LOOK_MS);
        } catch (e) {
            error.value = errorText(e);
        }
    };
    useLayoutEffect(() => {
        void prepare();
        return () => {
            now.isGone = true; // by "Cancel", or by going back
            if (!now.isDone) drop(prepared.value);
        };
    }, []);
    const sign = async () => {
        const p = prepared.value;
        if (!p || !isReady.value || isBusy.value) return;
        isBusy.value = true;
        error.value = "";
        try {
            const answer = await commit(p.id, () => now.isGone, (how) => (sending.value = how.state === "sending" ? how : undefined));
            if (answer) {
                now.isDone = true;
                if (!now.isGone) close();
                onDone(answer);
            }
        } catch (e) {
            error.value = errorText(e);
            hasFailed.value = true; // what was refused once stays so
            void refreshState(); // a token that could not sign is locked
        }
        isBusy.value = false;
    };
    const p = prepared.value;
    const keys = (local.value?.keys ?? []).filter((k) => !what.key || k.id === what.key);
    const mustUnlock = p?.needs === "unlock" && !keys.some(isUnlocked);
    const isOver = hasFailed.value || (p !== undefined && p.expires_at * 1000 < Date.now());
    const footer = (
        <>
            <button type="button" onClick={close}>
                {t("Cancel")}
            </button>
            {isOver ? (
                <button key="again" type="button" class="primary" onClick={() => void prepare()}>
                    {t("Prepare again")}
                </button>
            ) : (
                <button key="sign" type="submit" class="primary" disabled={!p || !isReady.value || mustUnlock || isBusy.value}>
                    {p?.signs === false ? t("Confirm") : t(button)}
                </button>
            )}
        </>
    );
    return (
        <Dialog title={p?.title ?? t("Preparing")} onClose={close} onSubmit={() => void sign()} footer={footer} wide>
            {!p && !error.value && <p role="status">{t("Preparing")}</p>}
            {p && (
                <>
                    <p class="muted">{p.signs === false ? t("This is what the server will be told, read back from the very bytes:") : t("This is what will be signed, read back from the very bytes:")}</p>
                    <Facts rows={p.lines.map((line) => [line.label, <span key={line.label} class="said">{line.value}</span>] as const)} />
                    {mustUnlock && <Unlock keys={keys} onDone={() => void prepare()} />}
                    {p.count > 0 && <h3>{tn(p.count, "{n} machine concerned", "{n} machines concerned")}</h3>}
                    {p.hosts.length > 0 && <Hosts hosts={p.hosts} />}
                    {more && p.details !== undefined && more(p.details)}
                    {p.needs === "gesture" && !isBusy.value && <p>{p.signs === false ? t("This lasts longer than the page: you will be asked outside of it.") : t("To sign this, you will be asked outside of this page.")}</p>}
                    {isBusy.value && (
                        <p class="waiting" role="status">
                            {p.needs === "gesture" && !sending.value ? waitingFor() : p.signs === false ? t("Sending.") : t("Signing and sending.")}
                        </p>
                    )}
                    {isBusy.value && sending.value && <Progress sending={sending.value} />}
                </>
            )}
            {error.value && (
                <p class="error" role="alert">
                    {error.value}
                </p>
            )}
        </Dialog>
    );
}

export function ReviewDialog() {
    return asked.value ? <Review key={JSON.stringify(asked.value.what)} {...asked.value} /> : null;
}
