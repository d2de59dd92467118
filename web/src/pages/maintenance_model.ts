// Maintenance windows and freezes as one edits them, and as machines read them: "mon-fri 22:00-05:00, 2026-12-24 18:00-23:00",
// "2026-12-20 until 2027-01-03". What is sent is read again by the program, as an agent would; here it is only put together.

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

export interface WindowRow {
    /** By the number of the day, Monday first; none: the date. */
    days: readonly boolean[];
    date: string;
    from: string; // "22:00"
    to: string;
}
export interface FreezeRow {
    first: string; // "2026-12-20"
    last: string;
}

export const NEW_WINDOW: WindowRow = { days: [true, true, true, true, true, false, false], date: "", from: "22:00", to: "05:00" };

/** Days that follow each other are one: "mon-wed". */
function ranges(days: readonly boolean[]): string[] {
    if (days.every(Boolean)) return [""];
    const found: string[] = [];
    for (let i = 0; i < days.length; i++) {
        if (!days[i]) continue;
        let last = i;
        while (days[last + 1]) last++;
        found.push(last > i ? `${DAYS[i] ?? ""}-${DAYS[last] ?? ""}` : (DAYS[i] ?? ""));
        i = last;
    }
    return found;
}

export function windowsText(rows: readonly WindowRow[]): string {
    // a day ends at 24:00: 00:00 as an end would be of the next one, which is the same
    const time = (r: WindowRow) => `${r.from}-${r.to}`;
    return rows.flatMap((r) => (r.days.some(Boolean) ? ranges(r.days).map((days) => `${days} ${time(r)}`.trim()) : r.date ? [`${r.date} ${time(r)}`] : [])).join(", ");
}

export function freezesText(rows: readonly FreezeRow[]): string {
    return rows
        .filter((r) => r.first)
        .map((r) => (r.last && r.last !== r.first ? `${r.first} until ${r.last}` : r.first))
        .join(", ");
}

function daysFrom(text: string): boolean[] | undefined {
    const [from = "", to = from] = text.toLowerCase().split("-");
    const first = DAYS.findIndex((d) => d === from);
    const last = DAYS.findIndex((d) => d === to);
    if (first < 0 || last < 0) return undefined;
    return DAYS.map((_, i) => (first <= last ? i >= first && i <= last : i >= first || i <= last));
}

/** undefined: there is something that is edited as text only. */
export function windowRows(text: string): WindowRow[] | undefined {
    const rows: WindowRow[] = [];
    for (const item of text.split(",").map((one) => one.trim()).filter(Boolean)) {
        const [, when = "", from = "", to = ""] = /^(?:(\S+)\s+)?(\d\d:\d\d)-(\d\d:\d\d)$/.exec(item) ?? [];
        if (!from) return undefined;
        const isDate = /^\d{4}-\d\d-\d\d$/.test(when);
        const days = when === "" ? DAYS.map(() => true) : isDate ? DAYS.map(() => false) : daysFrom(when);
        if (!days) return undefined;
        rows.push({ days, date: isDate ? when : "", from, to: to === "24:00" ? "00:00" : to });
    }
    return rows;
}

export function freezeRows(text: string): FreezeRow[] | undefined {
    const rows: FreezeRow[] = [];
    for (const item of text.split(",").map((one) => one.trim()).filter(Boolean)) {
        const [, first = "", last = ""] = /^(\d{4}-\d\d-\d\d)(?: until (\d{4}-\d\d-\d\d))?$/.exec(item) ?? [];
        if (!first) return undefined;
        rows.push({ first, last: last || first });
    }
    return rows;
}
