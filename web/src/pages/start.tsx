// What needs attention, in one look: each number is a list, one step away.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { apiPath, call } from "../api";
import { A } from "../components/link";
import { Status, type Tone } from "../components/status";
import { sayError } from "../components/toasts";
import { useEvents } from "../events";
import { day, number } from "../format";
import { pair, t, tn } from "../i18n";
import { epoch, local, may } from "../local";
import type { RootState } from "./keys_model";
import type { Rollout } from "./rollouts_model";

const DAY_S = 86_400;
const UNSEEN = "/hosts?unseen=30"; // days, as the overview counts
const EXPIRES_DAYS = 60;
const LIST_DAYS = 7; // it is signed for 30 at most
const DISK_PERCENT = 20;
const BACKUP_DAYS = 7;
const CLOCK_S = 30;
const REFRESH_MS = 5000;

/** As GET /api/v1/overview counts; times are s since 1970. */
interface Overview {
    hosts: number;
    reachable: number;
    unseen_30_days: number;
    errors: number;
    to_upgrade: number;
    audit_errors: number;
    audit_warnings: number;
    certificates_ending: number;
    actions_failed_today: number;
    rollouts_running: number;
    uploads_refused: number;
    webhooks_off: number;
    server_certificate_until: number;
    authority_until: number;
    journal_missing: number;
    backup_at: number;
    disk_free_percent: number;
    clock_off_s: number;
}
interface Counts extends Overview {
    halted: readonly Rollout[];
}

async function count(stop: AbortSignal): Promise<Counts> {
    const [overview, { rollouts }] = await Promise.all([
        call<Overview>("GET", apiPath(["overview"]), undefined, stop),
        call<{ rollouts: Rollout[] }>("GET", apiPath(["rollouts"], { limit: 100 }), undefined, stop),
    ]);
    return { ...overview, halted: rollouts.filter((r) => r.state === "halted") };
}

/** The root and the list, which change seldom: once for each time that the page is opened, or the server came back. */
function useRoot(): RootState | undefined {
    const root = useSignal<RootState | undefined>(undefined);
    const isAsked = local.value?.publishes === true || may("publish");
    useEffect(() => {
        if (!isAsked) return undefined;
        const stop = new AbortController();
        call<RootState>("GET", "/local/root", undefined, stop.signal).then((found) => (root.value = found), sayError);
        return () => stop.abort();
    }, [isAsked, epoch.value]);
    return root.value;
}

function useCounts(): Counts | undefined {
    const counts = useSignal<Counts | undefined>(undefined);
    const version = useSignal(0);
    useEffect(() => {
        const stop = new AbortController();
        count(stop.signal).then((found) => (counts.value = found), sayError);
        return () => stop.abort();
    }, [version.value, epoch.value]);
    useEvents((event) => event.kind !== "queue", () => version.value++, () => REFRESH_MS);
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

/** What is signed for a time: machines take nothing new of a repository whose list or root is over. */
function ofRoot(r: RootState, soon: (until: number, days: number) => boolean): Todo[] {
    const found: Todo[] = [];
    const add = (tone: Tone, what: string, to: string, step: string) => found.push({ tone, sign: t("Repository"), what, step: <A to={to}>{step}</A> });
    const again = t("Publish the list in Repository: it is signed anew.");
    if (r.is_none) add("warn", t("There is no root document yet: whoever owns the server has a say in what machines take."), "/keys?tab=root", t("Make the first root."));
    else if (!local.value?.publishes) add("warn", t("The repository's root is not known here, so nothing that you change in it is published."), "/keys?tab=root", t("Take it over from a file of its administrators."));
    else if (r.problem) add("bad", t("The root of the repository is not as it should be: {why}", { why: r.problem }), "/keys?tab=root", t("Look at the root."));
    if (r.list_problem) add("bad", t("Machines take no list of the repository: {why}", { why: r.list_problem }), "/repository", again);
    if (r.list && soon(r.list.expires, LIST_DAYS)) add("warn", t("The list of the repository ends on {day}: machines take nothing new after it.", { day: day(r.list.expires) }), "/repository", again);
    if (r.root && soon(r.root.expires, EXPIRES_DAYS)) add("warn", t("The root of the repository ends on {day}.", { day: day(r.root.expires) }), "/keys?tab=root", t("Propose the next one, and have it signed in time."));
    return found;
}

function todos(c: Counts, root: RootState | undefined): Todo[] {
    const found: Todo[] = [];
    const now = Date.now() / 1000;
    const soon = (until: number, days: number) => until > 0 && until < now + days * DAY_S;
    const one = (n: number, tone: Tone, sign: string, what: string, step: ComponentChildren) => n > 0 && found.push({ tone, sign, what, step });
    const ends = (until: number, sign: string, what: string, step: ComponentChildren) => soon(until, EXPIRES_DAYS) && found.push({ tone: "warn", sign, what, step });
    one(c.errors, "bad", t("Error"), tn(c.errors, "{n} machine has a package in error.", "{n} machines have a package in error."), <A to="/hosts?status=ERROR">{t("See them; a machine's page has the log.")}</A>);
    one(c.actions_failed_today, "bad", t("Orders"), tn(c.actions_failed_today, "{n} order failed or was refused in the last day.", "{n} orders failed or were refused in the last day."), <A to="/orders">{t("See why, for each machine.")}</A>);
    for (const r of c.halted) found.push({ tone: "bad", sign: t("Roll-out"), what: pair(r.name, r.reason), step: <A to={`/rollouts/${encodeURIComponent(r.id)}`}>{t("Look at the failures, then resume or stop it.")}</A> });
    one(c.journal_missing, "bad", t("Journal"), tn(c.journal_missing, "{n} act could not be noted in the journal.", "{n} acts could not be noted in the journal."), t("Look at the server's log: is its disk full?"));
    if (root) found.push(...ofRoot(root, soon));
    if (c.disk_free_percent < DISK_PERCENT) found.push({ tone: "warn", sign: t("Server"), what: t("{n} percent of a disk of the server are free.", { n: number(c.disk_free_percent) }), step: t("Make room, or move the repository.") });
    if (c.backup_at < now - BACKUP_DAYS * DAY_S) found.push({ tone: "warn", sign: t("Backup"), what: c.backup_at === 0 ? t("No backup of the server was made yet.") : t("The last backup of the server was made on {day}.", { day: day(c.backup_at) }), step: t("Have \"waptserver backup\" run each night.") });
    if (Math.abs(c.clock_off_s) > CLOCK_S) found.push({ tone: "warn", sign: t("Server"), what: t("The clocks of the servers differ by {n} seconds.", { n: Math.abs(c.clock_off_s) }), step: t("Have all of them ask the same time servers.") });
    const audits = c.audit_errors + c.audit_warnings;
    one(audits, "warn", t("Audit"), tn(audits, "{n} machine has an audit that is not good.", "{n} machines have an audit that is not good."), <A to="/hosts?audit=ERROR,WARNING">{t("See them.")}</A>);
    one(c.to_upgrade, "warn", t("To upgrade"), tn(c.to_upgrade, "{n} machine is behind.", "{n} machines are behind."), <A to="/hosts?status=TO-UPGRADE">{t("Select them and choose Upgrade.")}</A>);
    one(c.unseen_30_days, "warn", t("Not seen"), tn(c.unseen_30_days, "{n} machine was not seen for 30 days.", "{n} machines were not seen for 30 days."), <A to={UNSEEN}>{t("See them; what is gone can be removed.")}</A>);
    one(c.certificates_ending, "warn", t("Machines"), tn(c.certificates_ending, "{n} machine's certificate ends within a week.", "{n} machines' certificates end within a week."), <A to="/hosts?unseen=7">{t("They renew them by themselves: see who was away, and bring them back.")}</A>);
    one(c.uploads_refused, "warn", t("Repository"), tn(c.uploads_refused, "{n} upload was refused in the last week.", "{n} uploads were refused in the last week."), t("Who uploaded was told why; the server's log has it, too."));
    one(c.webhooks_off, "warn", t("Webhooks"), tn(c.webhooks_off, "{n} webhook is switched off: its address did not answer for days.", "{n} webhooks are switched off: their addresses did not answer for days."), may("people") ? <A to="/webhooks">{t("See which.")}</A> : t("Whoever administers the server can see which."));
    for (const k of local.value?.keys ?? []) ends(k.not_after, t("Key"), t("The certificate {name} ends on {day}.", { name: k.name, day: day(k.not_after) }), <A to="/keys">{t("Make the next one now, so that machines know it in time.")}</A>);
    ends(c.server_certificate_until, t("Server"), t("The server's certificate ends on {day}.", { day: day(c.server_certificate_until) }), t("Renew it; pinned machines need the new one beforehand."));
    ends(c.authority_until, t("Server"), t("The authority of the machines' certificates ends on {day}.", { day: day(c.authority_until) }), t("Plan its successor: every machine registers anew with it."));
    return found;
}

/** While no machine is here. */
function FirstSteps() {
    return (
        <>
            <p>{t("No machine has registered yet.")}</p>
            <ol class="steps">
                {local.value?.keys.length === 0 && (
                    <li>
                        <A to="/keys">{t("Make a key, with which you sign.")}</A>
                    </li>
                )}
                <li>
                    <A to="/kit">{t("Make an enrolment kit, and register the first one.")}</A>
                </li>
                <li>
                    <A to="/repository">{t("Add packages to the repository, or make them.")}</A>
                </li>
            </ol>
        </>
    );
}

export function StartPage() {
    const c = useCounts();
    const root = useRoot();
    if (!c) return <div class="page" aria-busy="true" />;
    const all = todos(c, root);
    return (
        <div class="page">
            <div class="page-head">
                <h1>{t("At a glance")}</h1>
            </div>
            <div class="tiles">
                <Tile n={c.hosts} title={tn(c.hosts, "machine", "machines")} to="/hosts" tone="none" />
                <Tile n={c.reachable} title={tn(c.reachable, "machine connected now", "machines connected now")} to="/hosts?reachable=1" tone="ok" />
                <Tile n={c.errors} title={tn(c.errors, "machine in error", "machines in error")} to="/hosts?status=ERROR" tone="bad" />
                <Tile n={c.to_upgrade} title={tn(c.to_upgrade, "machine to upgrade", "machines to upgrade")} to="/hosts?status=TO-UPGRADE" tone="warn" />
                <Tile n={c.unseen_30_days} title={tn(c.unseen_30_days, "machine not seen for 30 days", "machines not seen for 30 days")} to={UNSEEN} tone="warn" />
                <Tile n={c.rollouts_running} title={tn(c.rollouts_running, "roll-out under way", "roll-outs under way")} to="/rollouts" tone="none" />
            </div>
            <section class="panel">
                <h2>{t("What needs attention")}</h2>
                {c.hosts === 0 && <FirstSteps />}
                {c.hosts > 0 && all.length === 0 && <p>{t("Nothing: all machines are up to date and were seen lately.")}</p>}
                <ul class="todos">
                    {all.map((todo, i) => (
                        <li key={i}>
                            <Status tone={todo.tone} text={todo.sign} />
                            <span class="said">{todo.what}</span>
                            <span class="todo-step">{todo.step}</span>
                        </li>
                    ))}
                </ul>
            </section>
        </div>
    );
}
