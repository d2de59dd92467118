// Texts: English stands in the code, French in fr.ts. tsc refuses a text that has no French.
import { computed, signal } from "@preact/signals";
import { fr } from "./fr";

export type Text = keyof typeof fr;
export type Language = "en" | "fr";
export type Values = Record<string, string | number>;

/** Signs of French stand with the word before them, or after: no line begins or ends with one. Apostrophes are curved. */
const french = Object.fromEntries(Object.entries(fr).map(([text, found]) => [text, found.replace(/ (?=[;:?!»%])|(?<=«) /g, "\u00a0").replaceAll("'", "’")])) as Record<Text, string>;

export const language = signal<Language>("en");
/** As the program that serves the page was started in; "": not known yet. */
export const programLanguage = signal("");
/** By a choice or by the program; else language is the browser's, until the program has said its own. */
export const isLanguageKnown = signal(false);
const plurals = computed(() => new Intl.PluralRules(language.value));

function fill(text: string, values: Values): string {
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** The text in the reader's language; {name} is replaced by values.name. */
export function t(text: Text, values?: Values): string {
    const found: string = language.value === "fr" ? french[text] : text;
    return values ? fill(found, values) : found;
}

/** "name: value", as the language writes it. */
export function pair(name: string, value: string | number): string {
    return t("{name}: {value}", { name, value });
}

/** A number of things: {n} is the number, written as the language does. */
export function tn(n: number, one: Text, many: Text, values?: Values): string {
    return t(plurals.value.select(n) === "one" ? one : many, { ...values, n: n.toLocaleString(language.value) });
}
