// Icons of packages: from the agent, a few at a time; what it is still fetching is asked for again. They are pictures and nothing else.
import { effect, signal } from "@preact/signals";
import { call } from "../api";
import { catalogue, type Package } from "./model";

interface Answer {
    icons: { package: string; state: "known" | "none" | "coming" | "later"; png: string }[];
}

const AT_ONCE = 24;
const AGAIN_MS = 1000;
const TRIES = 12;

/** By what the catalogue calls the icon: a data: address; "": there is none. */
const known = signal<ReadonlyMap<string, string>>(new Map());
const tries = new Map<string, number>();
let isAsking = false;

export function pictureOf(p: Package): string {
    return known.value.get(p.icon) ?? "";
}

function wanted(): Package[] {
    return (catalogue.value?.packages ?? []).filter((p) => p.icon && !known.value.has(p.icon) && (tries.get(p.icon) ?? 0) < TRIES);
}

async function askFor(some: readonly Package[]): Promise<boolean> {
    const { icons } = await call<Answer>("POST", "/local/icons", { packages: some.map((p) => p.package) });
    const now = new Map(known.value);
    let isAll = true;
    for (const { package: name, state, png } of icons) {
        const icon = some.find((p) => p.package === name)?.icon ?? "";
        if (state === "known") now.set(icon, `data:image/png;base64,${png}`);
        else if (state === "none") now.set(icon, "");
        else isAll = false;
        if (state === "coming") tries.set(icon, (tries.get(icon) ?? 0) + 1);
    }
    known.value = now;
    return isAll;
}

async function askForAll(): Promise<void> {
    isAsking = true;
    try {
        for (let some = wanted().slice(0, AT_ONCE); some.length > 0; some = wanted().slice(0, AT_ONCE))
            if (!(await askFor(some))) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    } catch {
        // without pictures, until the catalogue is read again
    }
    isAsking = false;
}

export function followPictures(): void {
    effect(() => {
        if (catalogue.value && !isAsking) void askForAll();
    });
}
