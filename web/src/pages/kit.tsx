// Enrolment kits: one file with which new machines register. The program composes it; the page saves it.
import { useSignal } from "@preact/signals";
import { Choice, Field } from "../components/fields";
import { review } from "../components/review";
import { say } from "../components/toasts";
import { t, tn } from "../i18n";

const PERIODS = [3600, 86_400, 259_200, 604_800];

function save(text: string, name: string): void {
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const a = document.createElement("a");
    a.href = url;
    a.download = name;
    a.click();
    URL.revokeObjectURL(url);
}

export function KitPage() {
    const uses = useSignal("1");
    const seconds = useSignal(String(PERIODS[1]));
    const count = Number(uses.value);
    const isGood = Number.isInteger(count) && count >= 1 && count <= 10_000;
    const make = () =>
        review({ what: "kit", uses: count, seconds: Number(seconds.value) }, (answer) => {
            save(String(answer.kit), "wapt.kit");
            say(t("Saved as wapt.kit. Whoever has the file can register machines with it."));
        });
    return (
        <div class="page">
            <div class="page-head">
                <h1>{t("Enrolment kit")}</h1>
            </div>
            <section class="panel panel-above">
                <p>{t("One file with which new machines register: this server and its certificate, whom they trust, and a token that lets them in.")}</p>
                <form
                    onSubmit={(e) => {
                        e.preventDefault();
                        if (isGood) make();
                    }}
                >
                    <Field label={t("For how many machines")} type="number" value={uses.value} onInput={(v) => (uses.value = v)} />
                    <Choice
                        label={t("Good for")}
                        value={seconds.value}
                        options={PERIODS.map((s) => [String(s), s < 86_400 ? tn(s / 3600, "{n} hour", "{n} hours") : tn(s / 86_400, "{n} day", "{n} days")] as const)}
                        onChange={(v) => (seconds.value = v)}
                    />
                    <button type="submit" class="primary" disabled={!isGood}>
                        {t("Review")}
                    </button>
                </form>
            </section>
            <section class="panel">
                <h2>{t("On each machine")}</h2>
                <p>{t("With the agent's package installed, as root:")}</p>
                <pre class="log" tabIndex={0}>
                    wapt-get enrol wapt.kit
                </pre>
            </section>
        </div>
    );
}
