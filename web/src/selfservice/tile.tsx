// One package: what it is, how it stands, and what its person may do with it.
import { t } from "../i18n";
import { Picture } from "../components/picture";
import { Status } from "../components/status";
import { detailsOf } from "./details";
import { describe, taskOf, titleOf, wishFor, type Package, type Task } from "./model";
import { pictureOf } from "./pictures";

export function PackagePicture({ p }: { p: Package }) {
    const picture = pictureOf(p);
    if (picture) return <Picture src={picture} alt="" />;
    return (
        <span class="picture letter" aria-hidden="true">
            {[...titleOf(p)][0]?.toUpperCase()}
        </span>
    );
}

export function Standing({ p }: { p: Package }) {
    if (p.upgradable) return <Status tone="warn" text={t("{version} is installed", { version: p.installed })} />;
    if (p.installed && p.install_status !== "OK") return <Status tone="bad" text={t("not installed properly")} />;
    if (p.installed) return <Status tone="ok" text={t("installed")} />;
    return null;
}

export function Actions({ p }: { p: Package }) {
    const isBusy = taskOf(p) !== undefined;
    const name = titleOf(p);
    const again = p.installed !== "" && p.install_status !== "OK";
    return (
        <div class="tile-actions">
            {p.may_install && (p.installed === "" || p.upgradable || again) && (
                <button
                    type="button"
                    class="primary"
                    disabled={isBusy}
                    aria-label={p.upgradable ? t("Upgrade {name}", { name }) : t("Install {name}", { name })}
                    onClick={() => void wishFor({ op: "install", packages: [p.package], name })}
                >
                    {p.upgradable ? t("Upgrade") : t("Install")}
                </button>
            )}
            {p.may_remove && (
                <button type="button" disabled={isBusy} aria-label={t("Remove {name}", { name })} onClick={() => void wishFor({ op: "remove", packages: [p.package], name })}>
                    {t("Remove")}
                </button>
            )}
        </div>
    );
}

/** How far a task is, in words and as a bar; while nothing is known of it, the bar only moves. */
export function Progress({ task, label }: { task: Task; label: string }) {
    const isKnown = task.state === "running" && task.progress > 0;
    return <progress aria-label={label} max={100} {...(isKnown ? { value: task.progress } : {})} />;
}

export function Tile({ p }: { p: Package }) {
    const task = taskOf(p);
    const name = titleOf(p);
    return (
        <li class="tile" data-package={p.package}>
            <div class="tile-head">
                <PackagePicture p={p} />
                <div>
                    <h2>
                        <button type="button" class="link tile-name" aria-haspopup="dialog" onClick={() => (detailsOf.value = p.package)}>
                            {name}
                        </button>
                    </h2>
                    <span class="muted">{p.version}</span>
                </div>
            </div>
            <p class="tile-text">{describe(p)}</p>
            <div class="tile-foot">
                {task ? (
                    <div class="tile-task">
                        <span class="muted">{task.state === "queued" ? t("waiting for its turn") : t("{n} %", { n: task.progress })}</span>
                        <Progress task={task} label={name} />
                    </div>
                ) : (
                    <>
                        <Standing p={p} />
                        <Actions p={p} />
                    </>
                )}
            </div>
        </li>
    );
}
