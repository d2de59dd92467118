// Organisational units as a tree, from their names alone: "OU=paris,OU=all,DC=example,DC=org".

export interface Unit {
    dn: string; // as it is asked for
    label: string;
    own: number; // machines in it
    all: number; // and below
    under: Unit[];
}

/** The parts of a name; a comma after a backslash is none between two. */
function partsOf(dn: string): string[] {
    const parts: string[] = [];
    let part = "";
    for (let i = 0; i < dn.length; i++) {
        if (dn[i] === ",") {
            parts.push(part);
            part = "";
        } else part += dn[i] === "\\" && i + 1 < dn.length ? `\\${dn[++i]}` : dn[i];
    }
    parts.push(part);
    return parts;
}

function isDomain(part: string): boolean {
    return /^dc=/i.test(part);
}

function labelOf(parts: readonly string[]): string {
    return parts.map((p) => p.slice(p.indexOf("=") + 1).replace(/\\(.)/g, "$1")).join(".");
}

function sum(unit: Unit): number {
    unit.under.sort((a, b) => a.label.localeCompare(b.label));
    unit.all = unit.own + unit.under.reduce((n, one) => n + sum(one), 0);
    return unit.all;
}

/** What the server counted, as a tree; a domain's parts are one. Units in which no machine is are those that lead to others. */
export function treeOf(counted: readonly { value: string; count: number }[]): Unit[] {
    const known = new Map<string, Unit>();
    const roots: Unit[] = [];
    const find = (parts: readonly string[]): Unit => {
        const dn = parts.join(",");
        const there = known.get(dn.toLowerCase());
        if (there) return there;
        const isRoot = parts.length === 1 || parts.every(isDomain);
        const unit: Unit = { dn, label: labelOf(isRoot ? parts : parts.slice(0, 1)), own: 0, all: 0, under: [] };
        known.set(dn.toLowerCase(), unit);
        (isRoot ? roots : find(parts.slice(1)).under).push(unit);
        return unit;
    };
    for (const { value, count } of counted) if (value) find(partsOf(value)).own += count;
    roots.forEach(sum);
    return roots.sort((a, b) => a.label.localeCompare(b.label));
}

/** Those with the text in their name, and what leads to them; of one that has it, all below. */
export function withText(units: readonly Unit[], text: string): Unit[] {
    const found: Unit[] = [];
    for (const unit of units) {
        if (unit.label.toLowerCase().includes(text)) found.push(unit);
        else {
            const under = withText(unit.under, text);
            if (under.length > 0) found.push({ ...unit, under });
        }
    }
    return found;
}

/** The name that the unit's package has (src/pkg/control.c). */
export function packageOf(dn: string): string {
    return [...dn]
        .map((c) => (c === "," ? "_" : c === " " ? "~" : /[\p{L}\p{N}\-_=.~]/u.test(c) ? c : ""))
        .join("");
}
