// Times, sizes and numbers as persons read them.
import { computed } from "@preact/signals";
import { language, t } from "./i18n";

/** The language that was chosen, as the browser's country writes dates in it. */
const locale = computed(() => navigator.languages.find((one) => one.split("-")[0] === language.value) ?? language.value);
const dates = computed(() => new Intl.DateTimeFormat(locale.value, { dateStyle: "medium", timeStyle: "short" }));
const days = computed(() => new Intl.DateTimeFormat(locale.value, { dateStyle: "medium" }));
const relative = computed(() => new Intl.RelativeTimeFormat(language.value, { numeric: "auto", style: "short" }));

/** s since 1970, as date and time; 0: never. */
export function dateTime(s: number): string {
    return s > 0 ? dates.value.format(s * 1000) : t("never");
}

/** From one time to another, of the same day with the day once. */
export function span(from: number, to: number): string {
    return dates.value.formatRange(from * 1000, to * 1000);
}

export function day(s: number): string {
    return s > 0 ? days.value.format(s * 1000) : t("never");
}

/** Below an axis that is so many seconds long. */
export function timesOfAxis(lengthS: number): (s: number) => string {
    const day = 86_400;
    const shown: Intl.DateTimeFormatOptions = lengthS > 1000 * day ? { month: "short", year: "numeric" } : lengthS > 2 * day ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
    const format = new Intl.DateTimeFormat(locale.value, shown);
    return (s) => format.format(s * 1000);
}

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
    ["year", 31_536_000],
    ["month", 2_592_000],
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
];

/** "5 min ago", "in 2 days" */
export function ago(s: number, now = Date.now() / 1000): string {
    if (s <= 0) return t("never");
    const gone = s - now;
    for (const [unit, length] of STEPS) if (Math.abs(gone) >= length) return relative.value.format(Math.trunc(gone / length), unit);
    return t("now");
}

export function number(n: number): string {
    return n.toLocaleString(language.value);
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** "12 MB", "12 Mo" */
export function bytes(n: number): string {
    let i = 0;
    while (n >= 1000 && i < UNITS.length - 1) {
        n /= 1000;
        i++;
    }
    return n.toLocaleString(language.value, { style: "unit", unit: UNITS[i] ?? "byte", unitDisplay: i === 0 ? "long" : "short", maximumFractionDigits: n < 10 && i > 0 ? 1 : 0 });
}

/** What is typed with blanks or commas between. */
export function words(text: string): string[] {
    return text.split(/[\s,]+/).filter(Boolean);
}

/** Text of anything that a machine may have said: never an object's name, never markup. */
export function plain(v: unknown): string {
    if (v === null || v === undefined) return "";
    if (typeof v === "string") return v;
    return typeof v === "object" ? JSON.stringify(v) : String(v as number | boolean);
}
