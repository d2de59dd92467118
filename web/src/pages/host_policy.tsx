// When a machine changes by itself, what it holds and why, and whose orders it takes: as it says.
import { Facts } from "../components/fields";
import { ago, dateTime, plain } from "../format";
import { t, tn } from "../i18n";
import { list, members, type Json, type Members } from "./host_model";
import { signerName, waitsText, windowLong } from "./hosts_policy";

function seconds(v: Json): number {
    return typeof v === "number" && Number.isFinite(v) ? v : 0;
}

/** Who says so: a package of the machine, or its configuration. */
function by(v: Json): string {
    return plain(v) || t("its configuration");
}

function Texts({ all }: { all: Json }) {
    return (
        <>
            {list(all).map((one, i) => {
                const { text, by: who } = members(one);
                return (
                    <div key={i}>
                        {plain(text)} <span class="muted">({by(who)})</span>
                    </div>
                );
            })}
        </>
    );
}

function Holds({ all }: { all: readonly Json[] }) {
    return (
        <ul class="names">
            {all.map((one, i) => {
                const h = members(one);
                const until = plain(h.until);
                return (
                    <li key={i}>
                        {plain(h.what)} <span class="muted">{until ? t("until {day}, by {name}", { day: until, name: by(h.by) }) : t("without end, by {name}", { name: by(h.by) })}</span>
                    </li>
                );
            })}
        </ul>
    );
}

/** A time that has passed is none at which something will happen. */
function dueText(at: number): string {
    return at * 1000 > Date.now() ? `${dateTime(at)} (${ago(at)})` : t("as soon as it can, since {time}", { time: dateTime(at) });
}

/** row: the server's own view, in which time has gone on. */
export function Maintenance({ sections, row }: { sections: Members; row: Members | undefined }) {
    const policy = members(sections.policy);
    const holds = list(policy.holds);
    const upgrades = list(members(sections.last_update_status).upgrades);
    const waits = plain(policy.waits_for);
    const due = seconds(policy.next_upgrade);
    const schedule = row ?? policy;
    const window = windowLong({ window_begin: seconds(schedule.window_begin), window_end: seconds(schedule.window_end), frozen_until: seconds(schedule.frozen_until) });
    if (sections.policy === undefined) return <p class="muted">{t("It has not said: its agent is older.")}</p>;
    return (
        <>
            <Facts
                rows={[
                    [t("Next window"), window || t("never again")],
                    [t("Maintenance windows"), list(policy.windows).length > 0 ? <Texts key="w" all={policy.windows} /> : t("at any time")],
                    [t("Freezes"), list(policy.freezes).length > 0 ? <Texts key="f" all={policy.freezes} /> : ""],
                    [t("Upgrades itself"), due > 0 ? dueText(due) : t("not by itself")],
                    [t("Waits for"), waits ? waitsText(waits) : ""],
                ]}
            />
            {waits && upgrades.length > 0 && <p class="muted">{tn(upgrades.length, "{n} package waits for that.", "{n} packages wait for that.")}</p>}
            {holds.length > 0 && (
                <>
                    <h3>{tn(holds.length, "{n} package is held", "{n} packages are held")}</h3>
                    <Holds all={holds} />
                </>
            )}
        </>
    );
}

/** Whose orders it takes. */
export function orderers(sections: Members): string {
    return list(members(sections.policy).orderers).map(plain).map(signerName).join(", ");
}

export function rootText(sections: Members): string {
    const policy = members(sections.policy);
    if (sections.policy === undefined) return "";
    return policy.trust === "root" ? t("version {n}", { n: plain(policy.root_version) }) : t("none: its own certificates count");
}
