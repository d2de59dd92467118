// Fields of the inventory as columns of the list of machines: chosen in a machine's tree, kept, and asked for by their paths.
import { computed } from "@preact/signals";
import { plain } from "../format";
import { pref } from "../prefs";

/** Of which the server tells fields: not the long lists of software and packages. */
const SECTIONS = ["host_info", "host_metrics", "host_status", "host_capabilities", "dmi", "wapt_status", "policy"];
export const FIELDS_MAX = 16; // the server's, of one question
const PATH_MAX = 255; // bytes

const kept = pref<readonly string[]>("hosts.fields", []);
/** The paths that were chosen. */
export const fields = computed(() => (Array.isArray(kept.value) ? kept.value.filter((path) => typeof path === "string").slice(0, FIELDS_MAX) : []));

/** The path of what stands under these names, the section first; undefined where the server tells of none. */
export function fieldPath(names: readonly string[]): string | undefined {
    const path = names.map((name) => encodeURIComponent(name).replaceAll(".", "%2E")).join(".");
    const isGood = names.length > 1 && SECTIONS.includes(names[0] ?? "") && names.every(Boolean) && path.length <= PATH_MAX;
    return isGood ? path : undefined;
}

/** "BIOS Information / Vendor" */
export function fieldTitle(path: string): string {
    return path
        .split(".")
        .slice(1)
        .map((name) => plain(decodeURIComponent(name)).replaceAll("_", " "))
        .join(" / ");
}

export function isField(path: string): boolean {
    return fields.value.includes(path);
}

/** False: there are as many as there may be. */
export function setField(path: string, on: boolean): boolean {
    const others = fields.value.filter((one) => one !== path);
    if (on && others.length >= FIELDS_MAX) return false;
    kept.value = on ? [...others, path] : others;
    return true;
}
