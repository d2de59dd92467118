// Anything that JSON can say, as a tree that opens and closes: the browser's own <details>, so keys work.
import type { ComponentChildren } from "preact";
import { number, plain } from "../format";
import { t, tn } from "../i18n";

const CHILDREN_MAX = 500; // of one branch: a hostile machine must not fill the page

function title(name: string): string {
    return name.replaceAll("_", " ");
}

function entries(value: object): [string, unknown][] {
    return Array.isArray(value) ? value.map((v, i) => [String(i + 1), v as unknown]) : Object.entries(value);
}

function isBranch(value: unknown): value is object {
    return typeof value === "object" && value !== null;
}

function isLeafList(value: object): boolean {
    return Array.isArray(value) && value.every((v) => !isBranch(v));
}

/** What stands beside a leaf, by the names that lead there; places in lists are none. */
export type Beside = (names: readonly string[], title: string) => ComponentChildren;

function Branch({ name, value, depth, isOpen, names, beside }: { name: string; value: object; depth: number; isOpen: boolean; names: readonly string[]; beside: Beside | undefined }) {
    const all = entries(value);
    const shown = all.slice(0, CHILDREN_MAX);
    return (
        <details class="tree" open={isOpen}>
            <summary>
                {title(name)} <span class="muted">{number(all.length)}</span>
            </summary>
            <div class="tree-body">
                {shown.map(([key, v], i) => (
                    <Node key={i} name={key} value={v} depth={depth + 1} names={Array.isArray(value) ? names : [...names, key]} beside={beside} />
                ))}
                {all.length > shown.length && <p class="muted">{tn(all.length - shown.length, "and {n} more", "and {n} more")}</p>}
            </div>
        </details>
    );
}

const DEPTH_MAX = 12;

function Node({ name, value, depth, names, beside }: { name: string; value: unknown; depth: number; names: readonly string[]; beside: Beside | undefined }): ComponentChildren {
    if (!isBranch(value) || depth > DEPTH_MAX || isLeafList(value)) {
        const text = Array.isArray(value) && depth <= DEPTH_MAX ? value.map(plain).join(", ") : plain(value);
        return (
            <div class="leaf">
                <span class="muted">{title(name)}</span>
                <span class="said">{text || "-"}</span>
                {beside?.(names, title(name))}
            </div>
        );
    }
    return <Branch name={name} value={value} depth={depth} isOpen={false} names={names} beside={beside} />;
}

/** The members of value, each a branch or a leaf; words: only branches and leaves that have one of them. */
export function Tree({ value, search, beside }: { value: object; search: string; beside?: Beside }) {
    const word = search.trim().toLowerCase();
    const found = entries(value).filter(([name, v]) => word === "" || `${title(name)} ${plain(v)}`.toLowerCase().includes(word));
    return (
        <div class="trees">
            {found.map(([name, v]) => (isBranch(v) ? <Branch key={name + String(word !== "")} name={name} value={v} depth={1} isOpen={word !== ""} names={[name]} beside={beside} /> : <Node key={name} name={name} value={v} depth={1} names={[name]} beside={beside} />))}
            {found.length === 0 && <p class="muted">{t("Nothing here.")}</p>}
        </div>
    );
}
