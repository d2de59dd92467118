// What narrows the list of machines: a search that answers while one types, the usual filters, all others in a dialog, and saved views.
import { useSignal } from "@preact/signals";
import { Fragment, type RefObject } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { apiPath, call } from "../api";
import { Dialog, FormDialog } from "../components/dialog";
import { Choice, Field } from "../components/fields";
import { Icon } from "../components/icons";
import { number } from "../format";
import { pair, t, type Text } from "../i18n";
import { pref } from "../prefs";
import { navigate, place, setQuery } from "../router";
import type { Columns, Layout } from "../table/columns";
import { downToTable } from "../table/keys";
import { FACETS, filterOf, FILTERS, INVENTORY, isTurnable, SCOPES, scopeOf, statusText, turnedOf, typedOf, type Host } from "./hosts_model";
import { CHOICES, policyChip, PolicyFilters, POLICY_FILTERS } from "./hosts_policy";

const TYPING_MS = 90;
const INVENTORY_MS = 300; // that question goes through millions of rows

interface View {
    name: string;
    query: string;
    layout: Layout;
}
const views = pref<readonly View[]>("views.hosts", []);

/** Facets that a machine's choice offers: "value (count)". */
type Facet = { by: string; value: string; count: number };

function FacetField({ name, title, facets, value, onInput }: { name: string; title: Text; facets: readonly Facet[]; value: string; onInput: (value: string) => void }) {
    const id = useId();
    return (
        <>
            <Field label={t(title)} value={value} list={id} onInput={onInput} />
            <datalist id={id}>
                {facets
                    .filter((f) => f.by === name && f.value !== "")
                    .map((f) => (
                        <option key={f.value} value={f.value} label={`${f.value} (${number(f.count)})`} />
                    ))}
            </datalist>
        </>
    );
}

function MoreFilters({ onClose }: { onClose: () => void }) {
    const facets = useSignal<readonly Facet[]>([]);
    useEffect(() => {
        const stop = new AbortController();
        const by = [...FACETS.map(([name]) => name), "held"].join(",");
        call<{ facets: Facet[] }>("GET", apiPath(["host-facets"], { by }), undefined, stop.signal).then(
            (found) => (facets.value = found.facets),
            () => undefined, // it can be typed all the same
        );
        return () => stop.abort();
    }, []);
    const { query } = place.value;
    const typed = useSignal<Readonly<Record<string, string>>>({}); // asked for when one pauses, or is done
    const valueOf = (name: string) => typed.value[name] ?? query.get(name) ?? "";
    const type = (name: string) => (value: string) => (typed.value = { ...typed.value, [name]: value });
    useEffect(() => {
        const timer = setTimeout(() => setQuery(typed.value), INVENTORY_MS);
        return () => clearTimeout(timer);
    }, [typed.value]);
    const close = () => {
        setQuery(typed.value);
        onClose();
    };
    const takeAllAway = () => {
        typed.value = {};
        setQuery(Object.fromEntries(FILTERS.map((name) => [name, ""])));
    };
    const footer = (
        <>
            <button type="button" onClick={takeAllAway}>
                {t("Take all away")}
            </button>
            <button type="submit" class="primary">
                {t("Close")}
            </button>
        </>
    );
    return (
        <Dialog title={t("Filters")} onClose={close} onSubmit={close} footer={footer} wide>
            <div class="two three">
                <section>
                    <h3>{t("What machines are")}</h3>
                    {FACETS.map(([name, title]) => (
                        <FacetField key={name} name={name} title={title} facets={facets.value} value={valueOf(name)} onInput={type(name)} />
                    ))}
                </section>
                <section>
                    <h3>{t("What machines have")}</h3>
                    {INVENTORY.map(([name, title, hint]) => (
                        <Field key={name} label={t(title)} hint={t(hint)} value={valueOf(name)} onInput={type(name)} />
                    ))}
                </section>
                <PolicyFilters held={facets.value.filter((f) => f.by === "held").map((f) => ({ value: f.value, label: `${f.value} (${number(f.count)})` }))} />
            </div>
        </Dialog>
    );
}

export function Views({ columns }: { columns: Columns<Host> }) {
    const isNaming = useSignal(false);
    const name = useSignal("");
    const query = place.value.query.toString();
    const layout = JSON.stringify(columns.layout.value);
    const fitting = views.value.filter((v) => v.query === query);
    const current = fitting.find((v) => JSON.stringify(v.layout) === layout) ?? fitting[0]; // of several with these filters the one with these columns
    const go = (wanted: string) => {
        const view = views.value.find((v) => v.name === wanted);
        if (view) columns.layout.value = view.layout;
        navigate(`/hosts${view?.query ? `?${view.query}` : ""}`);
    };
    const save = () => {
        const title = name.value.trim();
        views.value = [...views.value.filter((v) => v.name !== title), { name: title, query, layout: columns.layout.value }];
        isNaming.value = false;
    };
    return (
        <>
            <Choice inline label={t("View")} value={current?.name ?? ""} options={[["", t("All machines")], ...views.value.map((v) => [v.name, v.name] as const)]} onChange={go} />
            <button type="button" class="plain" aria-label={t("Save this view")} title={t("Save this view")} onClick={() => ((name.value = current?.name ?? ""), (isNaming.value = true))}>
                <Icon name="save" />
            </button>
            {current && (
                <button type="button" class="plain" aria-label={t("Delete this view")} title={t("Delete this view")} onClick={() => (views.value = views.value.filter((v) => v !== current))}>
                    <Icon name="trash" />
                </button>
            )}
            {isNaming.value && (
                <FormDialog title={t("Save this view")} onClose={() => (isNaming.value = false)} onSubmit={save} button={t("Save")} disabled={!name.value.trim()}>
                    <Field label={t("Name")} value={name.value} onInput={(v) => (name.value = v)} autofocus hint={t("Filters, columns and order are kept.")} />
                </FormDialog>
            )}
        </>
    );
}

function Search({ inputRef }: { inputRef: RefObject<HTMLInputElement | null> }) {
    const { query } = place.value;
    const scope = scopeOf(query);
    const inPlace = typedOf(scope, query.get(scope) ?? "");
    const typed = useSignal(inPlace);
    useLayoutEffect(() => {
        if (document.activeElement !== inputRef.current) typed.value = inPlace;
    }, [inPlace]);
    const last = useRef(0);
    useLayoutEffect(() => {
        const text = typed.value.trim();
        if (text === inPlace) return undefined; // a filter stays as it was written until one types
        // a key alone is answered at once; while one types on, when a pause comes
        const wait = scope !== "search" ? INVENTORY_MS : performance.now() - last.current > TYPING_MS ? 0 : TYPING_MS;
        last.current = performance.now();
        const timer = setTimeout(() => setQuery({ [scope]: filterOf(scope, text) }), wait);
        return () => clearTimeout(timer);
    }, [typed.value, scope]);
    const turned = turnedOf(query).filter((name) => name !== scope);
    const move = (to: string) => setQuery({ in: to === "search" ? "" : to, [scope]: "", [to]: filterOf(to, typed.value.trim()), not: turned.join(",") });
    const hint = SCOPES.find(([name]) => name === scope)?.[2] ?? "Name, user, serial number...";
    return (
        <>
            <div class="search">
                <Icon name="search" />
                <input ref={inputRef} type="search" aria-label={t("Search machines")} placeholder={t(hint)} spellcheck={false} value={typed.value} onInput={(e) => (typed.value = e.currentTarget.value)} onKeyDown={downToTable} />
            </div>
            <Choice inline bare label={t("Search in")} value={scope} options={SCOPES.map(([name, title]) => [name, t(title)] as const)} onChange={move} />
            <Turn name={scope} />
        </>
    );
}

function chipText(name: string, value: string): string {
    const title = [...FACETS, ...INVENTORY].find(([n]) => n === name)?.[1];
    const policy = policyChip(name, value);
    if (policy) return policy;
    return title ? pair(t(title), value) : value;
}

const OTHER_TITLES: readonly (readonly [name: string, title: Text])[] = [
    ["search", "Search machines"],
    ["status", "State"],
    ["held", "Holds"],
    ["orderer", "Orders"],
];

/** Beside a filter that is set: all machines but those. */
function Turn({ name }: { name: string }) {
    const { query } = place.value;
    const title = [...FACETS, ...INVENTORY, ...CHOICES, ...OTHER_TITLES].find(([n]) => n === name)?.[1];
    if (!title || !query.get(name) || !isTurnable(name)) return null;
    const turned = turnedOf(query);
    const isOn = turned.includes(name);
    const label = t("not: {filter}", { filter: t(title) });
    const turn = () => setQuery({ not: (isOn ? turned.filter((n) => n !== name) : [...turned, name]).join(",") });
    return (
        <button type="button" class="chip" aria-pressed={isOn} aria-label={label} title={t("All but these")} onClick={turn}>
            {t("not")}
        </button>
    );
}

function takeAway(name: string): void {
    const turned = turnedOf(place.value.query).filter((n) => n !== name);
    setQuery({ [name]: "", not: turned.join(",") });
}

export function FilterBar({ searchRef }: { searchRef: RefObject<HTMLInputElement | null> }) {
    const isOpen = useSignal(false);
    const { query } = place.value;
    const chips = [...[...FACETS, ...INVENTORY].map(([name]) => name), ...POLICY_FILTERS].map((name) => [name, query.get(name) ?? ""] as const).filter(([name, value]) => value && name !== scopeOf(query));
    return (
        <div class="bar bar-filters">
            <Search inputRef={searchRef} />
            <Choice
                inline
                label={t("State")}
                value={query.get("status") ?? ""}
                options={[["", t("any")], ...["OK", "TO-UPGRADE", "ERROR"].map((s) => [s, statusText(s)] as const)]}
                onChange={(v) => setQuery({ status: v })}
            />
            <Turn name="status" />
            <Choice
                inline
                label={t("Connected")}
                value={query.get("reachable") ?? ""}
                options={[
                    ["", t("any")],
                    ["1", t("connected")],
                    ["0", t("away")],
                ]}
                onChange={(v) => setQuery({ reachable: v })}
            />
            <Choice
                inline
                label={t("Not seen for")}
                value={query.get("unseen") ?? ""}
                options={[
                    ["", t("any time")],
                    ["1", t("a day")],
                    ["7", t("a week")],
                    ["30", t("30 days")],
                ]}
                onChange={(v) => setQuery({ unseen: v })}
            />
            <button type="button" onClick={() => (isOpen.value = true)}>
                <Icon name="filter" />
                <span>{t("More filters")}</span>
            </button>
            {chips.map(([name, value]) => (
                <Fragment key={name}>
                    <Turn name={name} />
                    <button type="button" class="chip" title={t("Take this filter away")} onClick={() => takeAway(name)}>
                        <span>{chipText(name, value)}</span>
                        <Icon name="close" />
                    </button>
                </Fragment>
            ))}
            {isOpen.value && <MoreFilters onClose={() => (isOpen.value = false)} />}
        </div>
    );
}
