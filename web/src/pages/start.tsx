// What needs attention, in one look: each number is a list, one step away.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { apiPath, call, isAbort } from "../api";
import { A } from "../components/link";
import { Status, type Tone } from "../components/status";
import { sayError } from "../components/toasts";
import { onEvents } from "../events";
import { day, number } from "../format";
import { t, tn } from "../i18n";
import { epoch, local } from "../local";
import type { Rollout } from "./rollouts_model";

const DAY_S = 86_400;
const UNSEEN_DAYS = 30;
const EXPIRES_DAYS = 60;
const REFRESH_MS = 5000;

interface Counts {
    all: number;
    connected: number;
    errors: number;
    upgrades: number;
    unseen: number;
    audits: number;
    rollouts: readonly Rollout[];
}

async function countHosts(filter: Record<string, string>, stop: AbortSignal): Promise<number> {
    return (await call<{ total: number }>("GET", apiPath(["hosts"], { ...filter, limit: 1 }), undefined, stop)).total;
}

async function count(stop: AbortSignal): Promise<Counts> {
    const before = String(Math.floor(Date.now() / 1000) - UNSEEN_DAYS * DAY_S);
    const [all, connected, errors, upgrades, unseen, audits, rollouts] = await Promise.all([
        countHosts({}, stop),
        countHosts({ reachable: "1" }, stop),
        countHosts({ status: "ERROR" }, stop),
        countHosts({ status: "TO-UPGRADE" }, stop),
        countHosts({ seen_before: before }, stop),
        countHosts({ audit: "ERROR,WARNING" }, stop),
        call<{ rollouts: Rollout[] }>("GET", apiPath(["rollouts"], { limit: 50 }), undefined, stop),
    ]);
    return { all, connected, errors, upgrades, unseen, audits, rollouts: rollouts.rollouts };
}

function useCounts(): Counts | undefined {
    const counts = useSignal<Counts | undefined>(undefined);
    const version = useSignal(0);
    useEffect(() => {
        const stop = new AbortController();
        count(stop.signal).then((found) => (counts.value = found), (e) => !isAbort(e) && sayError(e));
        return () => stop.abort();
    }, [version.value, epoch.value]);
    useEffect(() => {
        let timer: number | undefined;
        const forget = onEvents(() => {
            timer ??= window.setTimeout(() => ((timer = undefined), version.value++), REFRESH_MS);
        });
        return () => (clearTimeout(timer), forget());
    }, []);
    return counts.value;
}

function Tile({ n, title, to, tone }: { n: number; title: string; to: string; tone: Tone }) {
    return (
        <A to={to} class={`tile ${n > 0 ? `tile-${tone}` : ""}`}>
            <strong>{number(n)}</strong>
            <span>{title}</span>
        </A>
    );
}

interface Todo {
    tone: Tone;
    sign: string;
    what: ComponentChildren;
    step: ComponentChildren;
}

function todos(c: Counts): Todo[] {
    const found: Todo[] = [];
    const one = (n: number, tone: Tone, sign: string, what: string, step: ComponentChildren) => n > 0 && found.push({ tone, sign, what, step });
    one(c.errors, "bad", t("Error"), tn(c.errors, "{n} machine has a package in error.", "{n} machines have a package in error."), <A to="/hosts?status=ERROR">{t("See them; a machine's page has the log.")}</A>);
    for (const r of c.rollouts.filter((x) => x.state === "halted"))
        found.push({ tone: "bad", sign: t("halted"), what: `${r.name}: ${r.reason}`, step: <A to={`/rollouts/${encodeURIComponent(r.id)}`}>{t("Look at the failures, then resume or stop it.")}</A> });
    one(c.audits, "warn", t("Audit"), tn(c.audits, "{n} machine has an audit that is not good.", "{n} machines have an audit that is not good."), <A to="/hosts?audit=ERROR,WARNING">{t("See them.")}</A>);
    one(c.upgrades, "warn", t("To upgrade"), tn(c.upgrades, "{n} machine is behind.", "{n} machines are behind."), <A to="/hosts?status=TO-UPGRADE">{t("Select them and choose Upgrade.")}</A>);
    one(c.unseen, "warn", t("away"), tn(c.unseen, "{n} machine was not seen for 30 days.", "{n} machines were not seen for 30 days."), <A to={`/hosts?unseen=${UNSEEN_DAYS}`}>{t("See them; what is gone can be removed.")}</A>);
    for (const k of local.value?.keys ?? [])
        if (k.not_after < Date.now() / 1000 + EXPIRES_DAYS * DAY_S)
            found.push({ tone: "warn", sign: t("Key"), what: t("The certificate {name} ends on {day}.", { name: k.name, day: day(k.not_after) }), step: t("Make the next one now, so that machines know it in time.") });
    return found;
}

export function StartPage() {
    const c = useCounts();
    if (!c) return <div class="page" aria-busy="true" />;
    const all = todos(c);
    const running = c.rollouts.filter((r) => r.state === "running");
    return (
        <div class="page">
            <div class="page-head">
                <h1>{t("At one look")}</h1>
            </div>
            <div class="tiles">
                <Tile n={c.all} title={t("Machines")} to="/hosts" tone="none" />
                <Tile n={c.connected} title={t("connected")} to="/hosts?reachable=1" tone="ok" />
                <Tile n={c.errors} title={t("in error")} to="/hosts?status=ERROR" tone="bad" />
                <Tile n={c.upgrades} title={t("to upgrade")} to="/hosts?status=TO-UPGRADE" tone="warn" />
                <Tile n={c.unseen} title={t("not seen for 30 days")} to={`/hosts?unseen=${UNSEEN_DAYS}`} tone="warn" />
                <Tile n={running.length} title={t("roll-outs under way")} to="/rollouts" tone="none" />
            </div>
            <section class="panel">
                <h2>{t("What needs attention")}</h2>
                {all.length === 0 && <p>{c.all === 0 ? t("No machine has registered yet: make an enrolment token, and register the first one.") : t("Nothing: all machines are up to date and were seen lately.")}</p>}
                <ul class="todos">
                    {all.map((one, i) => (
                        <li key={i}>
                            <Status tone={one.tone} text={one.sign} />
                            <span class="said">{one.what}</span>
                            <span class="todo-step">{one.step}</span>
                        </li>
                    ))}
                </ul>
            </section>
        </div>
    );
}
