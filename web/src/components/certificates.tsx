// The certificates by which somebody logs in, each with a way to remove it.
import { useSignal } from "@preact/signals";
import { apiPath, call } from "../api";
import { t } from "../i18n";
import { Change } from "./change";
import { Icon } from "./icons";

const short = (sha256: string) => sha256.slice(0, 16);

/** path: of the list at the server, below which each has its place. */
export function LoginCertificates({ all, path, onDone }: { all: readonly string[]; path: readonly string[]; onDone: () => void }) {
    const gone = useSignal<string | undefined>(undefined);
    const done = (is: boolean) => {
        gone.value = undefined;
        if (is) onDone();
    };
    return (
        <>
            {all.map((sha256) => (
                <span key={sha256} class="row-actions">
                    <code title={sha256}>{short(sha256)}</code>
                    <button type="button" aria-label={t("Remove {name}", { name: short(sha256) })} onClick={() => (gone.value = sha256)}>
                        <Icon name="trash" />
                    </button>
                </span>
            ))}
            {gone.value && (
                <Change title={t("Remove {name}?", { name: short(gone.value) })} button={t("Remove")} danger work={() => call("DELETE", apiPath([...path, gone.value ?? ""]))} onDone={done}>
                    <p>{t("Nobody logs in by it any more; its sessions end.")}</p>
                </Change>
            )}
        </>
    );
}
