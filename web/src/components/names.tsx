// A field of several names with blanks between. Of the one that is being typed what is known is offered; what is not known can be typed all the same.
import { useSignal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import { apiPath, call } from "../api";
import { t } from "../i18n";
import { Field } from "./fields";

const WAIT_MS = 150; // after a keystroke
const OFFERED = 20;

interface Props {
    label: string;
    value: string;
    onInput: (value: string) => void;
    hint?: string;
    autofocus?: boolean;
}

/** known: all that can be offered. */
export function NamesField({ known, ...field }: Props & { known: readonly string[] }) {
    const id = useId();
    const [, before = "", word = ""] = /^(.*?)([^\s,]*)$/s.exec(field.value) ?? [];
    const lower = word.toLowerCase();
    const offered = known.filter((name) => name !== word && name.toLowerCase().includes(lower)).slice(0, OFFERED);
    return (
        <>
            <Field {...field} list={id} />
            <datalist id={id}>
                {offered.map((name) => (
                    <option key={name} value={before + name} />
                ))}
            </datalist>
        </>
    );
}

/** The same of the repository's packages, as the server finds them. */
export function PackagesField(field: Omit<Props, "label"> & { label?: string }) {
    const known = useSignal<readonly string[]>([]);
    const word = /[^\s,]*$/.exec(field.value)?.[0] ?? "";
    useEffect(() => {
        const stop = new AbortController();
        const ask = () =>
            call<{ packages: { package: string }[] }>("GET", apiPath(["packages"], { search: word, newest: 1, limit: OFFERED, sort: "package" }), undefined, stop.signal).then(
                (found) => (known.value = [...new Set(found.packages.map((p) => p.package))]),
                () => undefined, // it can be typed all the same
            );
        const timer = setTimeout(() => void ask(), word ? WAIT_MS : 0);
        return () => {
            clearTimeout(timer);
            stop.abort();
        };
    }, [word]);
    return <NamesField {...field} label={field.label ?? t("Packages")} known={known.value} />;
}

/** Values of the machines that the server counts, "group" say; none while they have not come. */
export function useFacets(by: string): readonly string[] {
    const found = useSignal<readonly string[]>([]);
    useEffect(() => {
        const stop = new AbortController();
        call<{ facets: { value: string }[] }>("GET", apiPath(["host-facets"], { by }), undefined, stop.signal).then(
            (all) => (found.value = all.facets.map((f) => f.value).filter(Boolean)),
            () => undefined,
        );
        return () => stop.abort();
    }, [by]);
    return found.value;
}
