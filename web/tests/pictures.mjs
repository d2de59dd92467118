// Every screen, kept as a picture in each language and both themes, and found accessible in both.
import { axe, check, same } from "./lib.mjs";
import { open } from "./open.mjs";
import { atScreens } from "./screens.mjs";

async function keep(given, language, theme) {
    const found = [];
    let count = 0;
    await atScreens({ ...given, open, language, theme }, async (name, page) => {
        count++;
        if (language === "en") for (const violation of await axe(page, theme === "dark")) found.push(`${name}: ${violation}`);
    });
    same(found, [], "against WCAG AA");
    check(count > 70, `${count} screens`);
}

export const inEnglishLight = (given) => keep(given, "en", "light");
export const inEnglishDark = (given) => keep(given, "en", "dark");
export const inFrenchLight = (given) => keep(given, "fr", "light");
export const inFrenchDark = (given) => keep(given, "fr", "dark");
