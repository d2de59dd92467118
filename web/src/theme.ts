// Light, dark, or as the system says; and the language.
import { computed, effect, signal } from "@preact/signals";
import { isLanguageKnown, language, programLanguage, type Language } from "./i18n";
import { pref } from "./prefs";

export type Theme = "system" | "light" | "dark";
export const theme = pref<Theme>("theme", "system");
export const chosenLanguage = pref<Language | "">("language", "");

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isSystemDark = signal(systemDark.matches);
systemDark.addEventListener("change", (e) => (isSystemDark.value = e.matches));
export const isDark = computed(() => (theme.value === "system" ? isSystemDark.value : theme.value === "dark"));

export function followChoices(): void {
    effect(() => {
        document.documentElement.dataset.theme = isDark.value ? "dark" : "light";
    });
    effect(() => {
        const known = chosenLanguage.value || programLanguage.value;
        isLanguageKnown.value = known !== "";
        language.value = (known || navigator.language).startsWith("fr") ? "fr" : "en";
        document.documentElement.lang = language.value;
    });
}
