// A roll-out as the server shows it, and its rings as one looks at them.
import { number, plain } from "../format";
import { t, tn } from "../i18n";
import { list, members, type Members } from "./host_model";

interface PlannedRing {
    machines?: readonly string[];
    members_of?: readonly string[];
    percent?: number;
}

export interface Rollout {
    id: string;
    name: string;
    action: string;
    state: string;
    reason: string;
    owner: string;
    signer: string;
    ring: number; // the last one that is open, from 0
    open: boolean;
    not_before: number;
    not_after: number;
    created: number;
    updated: number;
    plan?: {
        rings?: readonly PlannedRing[];
        promote?: string;
        success_percent?: number;
        min_count?: number;
        min_time_s?: number;
        error_percent?: number;
        error_count?: number;
        windows?: string;
    };
    order?: { rollout?: { signed?: string } };
    counts?: readonly { ring: number; states: Record<string, number> }[];
}

export interface Ring {
    index: number;
    whom: string;
    total: number;
    good: number;
    bad: number;
    waits: number; // for what is in use there
    states: readonly (readonly [state: string, n: number])[];
}

const BAD = ["failed", "refused"];

function whom(ring: PlannedRing): string {
    const parts: string[] = [];
    if (ring.machines?.length) parts.push(tn(ring.machines.length, "{n} machine", "{n} machines"));
    if (ring.members_of?.length) parts.push(ring.members_of.join(", "));
    if (ring.percent !== undefined && ring.percent < 100) parts.push(t("{n} percent of all", { n: number(ring.percent) }));
    return parts.join(" · ") || t("all the others");
}

interface Totals {
    total: number;
    good: number;
    bad: number;
    waits: number;
}

/** Of what was signed, for people: the machines read it themselves. */
export function signedOf(r: Rollout): { packages: string; spares: boolean } {
    let signed: Members = {};
    try {
        signed = members(JSON.parse(r.order?.rollout?.signed ?? "{}"));
    } catch {
        // nothing is said of it
    }
    return { packages: list(signed.packages).map(plain).join(", "), spares: signed.only_if_not_running === true };
}

function totalsOf(counts: Record<string, number>): Totals {
    const sum = (wanted: (state: string) => boolean) => Object.entries(counts).reduce((n, [state, k]) => n + (wanted(state) ? k : 0), 0);
    return { total: sum(() => true), good: sum((s) => s === "done"), bad: sum((s) => BAD.includes(s)), waits: sum((s) => s === "postponed") };
}

/** Of each ring that has machines, in their order: what a list has of it. */
export function ringTotals(r: Rollout): Totals[] {
    return [...(r.counts ?? [])].sort((a, b) => a.ring - b.ring).map((c) => totalsOf(c.states));
}

export function ringsOf(r: Rollout): Ring[] {
    return (r.plan?.rings ?? []).map((planned, index) => {
        const states = r.counts?.find((c) => c.ring === index)?.states ?? {};
        return { index, whom: whom(planned), states: Object.entries(states), ...totalsOf(states) };
    });
}
