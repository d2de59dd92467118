// Enrolment kits: one file with which new machines register. The program composes it; the page saves it.
import { useSignal } from "@preact/signals";
import { saveFile } from "../api";
import { Choice, Field } from "../components/fields";
import { review } from "../components/review";
import { say, sayError } from "../components/toasts";
import { number } from "../format";
import { t, tn } from "../i18n";
import { forget, stage } from "./repository_upload";

const PERIODS = [3600, 86_400, 259_200, 604_800];
const USES_MAX = 10_000;

async function base64(file: File): Promise<string> {
    const url = await new Promise<string>((resolve, reject) => {
        const reader = new FileReader();
        reader.onload = () => resolve(String(reader.result));
        reader.onerror = () => reject(reader.error ?? new Error(file.name));
        reader.readAsDataURL(file);
    });
    return url.slice(url.indexOf(",") + 1);
}

export function KitPage() {
    const uses = useSignal("1");
    const seconds = useSignal(String(PERIODS[1]));
    const count = Number(uses.value);
    const isGood = Number.isInteger(count) && count >= 1 && count <= USES_MAX;
    const agent = useSignal<File | undefined>(undefined);
    const make = async () => {
        const file = agent.value;
        try {
            const staged = file ? await stage(file) : undefined;
            const packed = file ? await base64(file) : "";
            review({ what: "kit", uses: count, seconds: Number(seconds.value), ...(staged ? { agent: { id: staged.id, name: staged.name } } : {}) }, (answer) => {
                const name = staged ? "wapt-kit.sh" : "wapt.kit";
                const parts = staged ? [String(answer.script), packed, String(answer.script_end)] : [String(answer.kit)];
                saveFile(new Blob(parts, { type: "application/octet-stream" }), name);
                if (staged) forget([staged]);
                say(t("Saved as {name}. Whoever has the file can register machines with it.", { name }));
            });
        } catch (e) {
            sayError(e);
        }
    };
    return (
        <div class="page">
            <div class="page-head">
                <h1>{t("Enrolment kit")}</h1>
            </div>
            <section class="panel panel-above">
                <p>{t("One file with which new machines register: this server and its certificate, whom they trust, the root of the repository where one is known here, and a token that lets them in.")}</p>
                <form
                    onSubmit={(e) => {
                        e.preventDefault();
                        if (isGood) void make();
                    }}
                >
                    <Field label={t("For how many machines")} type="number" value={uses.value} onInput={(v) => (uses.value = v)} hint={t("From 1 to {n}.", { n: number(USES_MAX) })} />
                    <Choice
                        label={t("Good for")}
                        value={seconds.value}
                        options={PERIODS.map((s) => [String(s), s < 86_400 ? tn(s / 3600, "{n} hour", "{n} hours") : tn(s / 86_400, "{n} day", "{n} days")] as const)}
                        onChange={(v) => (seconds.value = v)}
                    />
                    <div class="field">
                        <label for="kit-agent">{t("The agent's Debian package, to be in it")}</label>
                        <input id="kit-agent" type="file" accept=".deb" onChange={(e) => (agent.value = e.currentTarget.files?.[0])} />
                    </div>
                    <button type="submit" class="primary" disabled={!isGood}>
                        {t("Review")}
                    </button>
                </form>
            </section>
            <section class="panel">
                <h2>{t("On each machine")}</h2>
                <p>{agent.value ? t("As root; it installs the agent that is in it, and nothing else:") : t("With the agent's package installed, as root:")}</p>
                <pre class="log" tabIndex={0}>
                    {agent.value ? "sh wapt-kit.sh" : "wapt-get enrol wapt.kit"}
                </pre>
            </section>
        </div>
    );
}
