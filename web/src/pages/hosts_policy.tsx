// What machines go by, as persons read it: when they change by themselves, what they hold, whose orders they take; and the filters of it.
import { useId } from "preact/hooks";
import { Choice, Field } from "../components/fields";
import { ago, dateTime, span } from "../format";
import { pair, t, type Text } from "../i18n";
import { local, type Key } from "../local";
import { place, setQuery } from "../router";
import type { Host } from "./hosts_model";

/** Beyond every date: "at any time", or a freeze without an end. Numbers of the server that large are not exact here. */
const FOREVER = 9e15;

type Choices = readonly (readonly [value: string, text: Text])[];
const COUNTS: Choices = [
    [">0", "some"],
    ["0", "none"],
];
const WINDOWS: Choices = [
    ["now", "open now"],
    ["day", "opens within a day"],
    ["later", "opens later"],
    ["any", "at any time"],
    ["frozen", "frozen"],
    ["none", "never again, or not said"],
];
const WAITS: Choices = [
    ["window", "a maintenance window"],
    ["freeze", "the end of a freeze"],
    ["power", "mains power"],
    ["unreadable", "windows that can be read"],
];
const ROOTS: Choices = [
    ["newest", "the newest accepted"],
    ["older", "an older one accepted"],
    ["none", "none accepted"],
];
/** Filters of a few fixed values. */
export const CHOICES: readonly (readonly [name: string, title: Text, choices: Choices])[] = [
    ["errors", "Packages in error", COUNTS],
    ["upgrades", "Packages to upgrade", COUNTS],
    ["window", "Maintenance window", WINDOWS],
    ["waits_for", "Waits for", WAITS],
    ["root", "Root of the repository", ROOTS],
];
/** All filters of this file: parameters of the server by the same name. */
export const POLICY_FILTERS: readonly string[] = [...CHOICES.map(([name]) => name), "held", "orderer", "no_orderer"];

export function waitsText(what: string): string {
    const text = WAITS.find(([value]) => value === what)?.[1];
    return text ? t(text) : what;
}

/** The certificates by which machines may take orders of this key: its own, and those that stand for it. */
function certificatesOf(key: Key): string {
    return [key.fingerprint, ...(key.issuers ?? [])].join(",");
}

/** Whose key that is (one certificate, or all of it), where this console has it. */
export function signerName(certificates: string): string {
    const [first = ""] = certificates.split(",");
    return local.value?.keys.find((k) => k.fingerprint === first)?.name ?? `${first.slice(0, 16)}…`;
}

/** What a filter that is set says; undefined: it is none of these. */
export function policyChip(name: string, value: string): string | undefined {
    const choice = CHOICES.find(([n]) => n === name);
    const text = choice?.[2].find(([v]) => v === value)?.[1];
    if (choice) return pair(t(choice[1]), text ? t(text) : value);
    if (name === "held") return pair(t("Holds"), value);
    if (name === "orderer") return t("Takes orders of {name}", { name: signerName(value) });
    return name === "no_orderer" ? t("Takes no orders of {name}", { name: signerName(value) }) : undefined;
}

export function frozenText(h: Partial<Host>, now = Date.now() / 1000): string {
    const { frozen_until: frozen = 0 } = h;
    return frozen <= now ? "" : frozen > FOREVER ? t("without end") : dateTime(frozen);
}

/** "in 3 hours", "open until ...", "at any time" */
export function windowText(h: Partial<Host>, now = Date.now() / 1000): string {
    const { window_begin: begin = 0, window_end: end = 0, frozen_until: frozen = 0 } = h;
    if (frozen > now) return frozen > FOREVER ? t("frozen") : t("frozen until {time}", { time: dateTime(frozen) });
    if (end > FOREVER) return t("at any time");
    if (end <= now) return "";
    return begin <= now ? t("open until {time}", { time: dateTime(end) }) : ago(begin, now);
}

/** The same with the date of what is to come. */
export function windowLong(h: Partial<Host>, now = Date.now() / 1000): string {
    const { window_begin: begin = 0, window_end: end = 0 } = h;
    return end > now && end < FOREVER && begin > now ? span(begin, end) : windowText(h, now);
}

const any = (choices: Choices) => [["", t("any")], ...choices.map(([value, text]) => [value, t(text)])] as [string, string][];

function Orderers({ query }: { query: URLSearchParams }) {
    const keys = local.value?.keys ?? [];
    const value = query.get("orderer") ? `+${query.get("orderer") ?? ""}` : query.get("no_orderer") ? `-${query.get("no_orderer") ?? ""}` : "";
    const options = keys.flatMap((k) => [
        [`+${certificatesOf(k)}`, t("takes those of {name}", { name: k.name })],
        [`-${certificatesOf(k)}`, t("takes none of {name}", { name: k.name })],
    ]) as [string, string][];
    return (
        <Choice
            label={t("Orders")}
            value={value}
            options={[["", t("any")], ...options]}
            onChange={(v) => setQuery({ orderer: v.startsWith("+") ? v.slice(1) : "", no_orderer: v.startsWith("-") ? v.slice(1) : "" })}
        />
    );
}

/** A part of the filters' dialog. */
export function PolicyFilters({ held }: { held: readonly { value: string; label: string }[] }) {
    const id = useId();
    const { query } = place.value;
    return (
        <section>
            <h3>{t("What machines go by")}</h3>
            {CHOICES.map(([name, title, choices]) => (
                <Choice key={name} label={t(title)} value={query.get(name) ?? ""} options={any(choices)} onChange={(v) => setQuery({ [name]: v })} />
            ))}
            <Field label={t("Holds")} hint={t("a package, or a pattern with * and ?")} value={query.get("held") ?? ""} list={id} onInput={(v) => setQuery({ held: v })} />
            <datalist id={id}>
                {held.map((one) => (
                    <option key={one.value} value={one.value} label={one.label} />
                ))}
            </datalist>
            <Orderers query={query} />
        </section>
    );
}
