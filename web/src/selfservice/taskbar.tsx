// At the foot of the page: what runs, how far it is, what waits behind it.
import { pair, t, tn, type Text } from "../i18n";
import { active, cancel, nameOf, type Task } from "./model";
import { Progress } from "./tile";

const KINDS: Record<string, Text> = {
    install: "Installing {name}",
    remove: "Removing {name}",
    upgrade: "Upgrading",
    "download-upgrade": "Downloading upgrades",
    update: "Updating the catalogue",
};

function titleOfTask(task: Task): string {
    const kind = KINDS[task.kind];
    return kind ? t(kind, { name: nameOf(task) }) : t("At work for the administrator");
}

export function TaskBar() {
    const [first, ...others] = active.value;
    if (!first) return null;
    const title = titleOfTask(first);
    return (
        <footer class="taskbar" aria-label={t("Tasks")}>
            <span role="status">{title}</span>
            <Progress task={first} label={title} />
            <span class="muted">{first.state === "queued" ? t("waiting for its turn") : t("{n} %", { n: first.progress })}</span>
            <button type="button" aria-label={pair(t("Cancel"), title)} onClick={() => cancel(first)}>
                {t("Cancel")}
            </button>
            {others.length > 0 && (
                <details class="others">
                    <summary>{tn(others.length, "{n} more waits", "{n} more wait")}</summary>
                    <ul>
                        {others.map((task) => (
                            <li key={task.id}>
                                <span>{titleOfTask(task)}</span>
                                <button type="button" aria-label={pair(t("Cancel"), titleOfTask(task))} onClick={() => cancel(task)}>
                                    {t("Cancel")}
                                </button>
                            </li>
                        ))}
                    </ul>
                </details>
            )}
        </footer>
    );
}
