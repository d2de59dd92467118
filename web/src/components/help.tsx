// "?": every shortcut that works here.
import { signal } from "@preact/signals";
import { t, type Text } from "../i18n";
import { shortcuts, singleKeys } from "../keyboard";
import { Dialog } from "./dialog";
import { Check } from "./fields";

export const helpOpen = signal(false);

type Rows = readonly (readonly [keys: string, what: Text])[];

const TABLE: Rows = [
    ["↑ ↓", "From row to row"],
    ["PageUp PageDown", "A screen up or down"],
    ["Home End", "To the first or last row"],
    ["Space", "Select the row, or not"],
    ["Shift+↑ Shift+↓", "Select up to there"],
    ["Ctrl+A", "Select all that match"],
    ["Ctrl+C", "Copy the selected rows"],
    ["Enter", "Open the row"],
    ["Esc", "Select nothing"],
    ["F2", "Change the description, among the machines"],
];

const NAMES: readonly Text[] = ["PageUp", "PageDown", "Home", "End", "Space", "Shift", "Enter", "Esc"];

/** As it stands on the reader's keyboard. */
function keyText(key: string): string {
    return key.split("+").map((one) => (NAMES.includes(one as Text) ? t(one as Text) : one)).join("+");
}

function Keys({ keys }: { keys: string }) {
    return (
        <>
            {keys.split(" ").map((key) => (
                <kbd key={key}>{keyText(key)}</kbd>
            ))}
        </>
    );
}

/** title, keys: of the second column; those of a table when nothing is said. */
export function Help({ title = "In a table", keys = TABLE }: { title?: Text; keys?: Rows }) {
    if (!helpOpen.value) return null;
    const rows = shortcuts.value.map((one) => [one.keys, one.what] as const);
    const list = (head: string, all: Rows) => (
        <section>
            <h3>{head}</h3>
            <dl class="keys">
                {all.map(([pressed, what]) => (
                    <div key={pressed}>
                        <dt>
                            <Keys keys={pressed} />
                        </dt>
                        <dd>{t(what)}</dd>
                    </div>
                ))}
            </dl>
        </section>
    );
    return (
        <Dialog title={t("Keyboard")} onClose={() => (helpOpen.value = false)} wide>
            <div class="two">
                {list(t("Everywhere"), rows)}
                {list(t(title), keys)}
            </div>
            <Check label={t("Keys without Ctrl are shortcuts")} hint={t("Off, what is dictated or hit by mistake does nothing.")} checked={singleKeys.value} onChange={(on) => (singleKeys.value = on)} />
        </Dialog>
    );
}
