// How the pages look: colours and language, at the foot of the side.
import { language, t } from "../i18n";
import { chosenLanguage, theme, type Theme } from "../theme";
import { Choice } from "./fields";

export function Looks() {
    return (
        <div class="side-end">
            <Choice
                label={t("Colours")}
                value={theme.value}
                options={[
                    ["system", t("Automatic")],
                    ["light", t("Light")],
                    ["dark", t("Dark")],
                ]}
                onChange={(v) => (theme.value = v as Theme)}
            />
            <Choice
                label={t("Language")}
                value={language.value}
                options={[
                    ["en", "English"],
                    ["fr", "Français"],
                ]}
                onChange={(v) => (chosenLanguage.value = v === "fr" ? "fr" : "en")}
            />
        </div>
    );
}
