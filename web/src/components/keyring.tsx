// The keys that sign: which there are, unlocked for how long.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call, errorText } from "../api";
import { day } from "../format";
import { t, tn } from "../i18n";
import { asksOutside, local, refreshState, type Key } from "../local";
import { Dialog } from "./dialog";
import { Choice, Field } from "./fields";
import { Icon } from "./icons";
import { sayError } from "./toasts";

const PERIODS = [300, 900, 3600, 28_800];
const TICK_MS = 15_000;

export function isUnlocked(key: Key): boolean {
    return key.unlocked_until * 1000 > Date.now();
}

function left(key: Key): string {
    const minutes = Math.max(Math.ceil((key.unlocked_until - Date.now() / 1000) / 60), 1);
    return tn(minutes, "{n} minute left", "{n} minutes left");
}

/** Fields that unlock one key; done when it is. */
export function Unlock({ keys, onDone }: { keys: readonly Key[]; onDone?: () => void }) {
    const id = useSignal(keys[0]?.id ?? "");
    const password = useSignal("");
    const seconds = useSignal(String(PERIODS[1]));
    const error = useSignal("");
    const isAsking = useSignal(false);
    const chosen = keys.find((k) => k.id === id.value) ?? keys[0];
    const unlock = async () => {
        if (isAsking.value || (!asksOutside.value && chosen?.source === "pkcs11" && !password.value)) return;
        error.value = "";
        isAsking.value = true;
        const secret = asksOutside.value ? {} : { password: password.value };
        try {
            await call("POST", "/local/keys/unlock", { id: chosen?.id, ...secret, seconds: Number(seconds.value) });
            password.value = "";
            await refreshState();
            onDone?.();
        } catch (e) {
            error.value = errorText(e);
            password.value = ""; // the same once more would be one more wrong PIN
            if (asksOutside.value) void refreshState(); // one that does not work is asked no more
        }
        isAsking.value = false;
    };
    if (!chosen) return <p>{t("There is no key here. Make one in the page \"Keys\", or name yours in the console's configuration.")}</p>;
    return (
        <fieldset
            class="unlock"
            onKeyDown={(e) => {
                if (e.key !== "Enter" || !(e.target instanceof HTMLInputElement)) return;
                e.preventDefault();
                void unlock();
            }}
        >
            <legend>{t("Unlock a key")}</legend>
            {keys.length > 1 && <Choice label={t("Key")} value={chosen.id} options={keys.map((k) => [k.id, k.name] as const)} onChange={(v) => (id.value = v)} />}
            <p class="muted">
                {chosen.subject} <code>{chosen.fingerprint.slice(0, 16)}</code> {t("until {day}", { day: day(chosen.not_after) })}
            </p>
            {!asksOutside.value && <Field label={chosen.source === "pkcs11" ? t("PIN of the token") : t("Password of the key")} type="password" value={password.value} onInput={(v) => (password.value = v)} autofocus />}
            <Choice
                label={t("Unlocked for")}
                value={seconds.value}
                options={PERIODS.map((s) => [String(s), s < 3600 ? tn(s / 60, "{n} minute", "{n} minutes") : tn(s / 3600, "{n} hour", "{n} hours")] as const)}
                onChange={(v) => (seconds.value = v)}
            />
            {isAsking.value && asksOutside.value && <p class="waiting" role="status">{t("Type it in the window that has opened beside the browser.")}</p>}
            {error.value && (
                <p class="error" role="alert">
                    {error.value}
                </p>
            )}
            <button type="button" class="primary" disabled={isAsking.value} onClick={() => void unlock()}>
                {t("Unlock")}
            </button>
        </fieldset>
    );
}

function KeysDialog({ onClose }: { onClose: () => void }) {
    const keys = local.value?.keys ?? [];
    const lock = (id: string) => void call("POST", "/local/keys/lock", { id }).then(refreshState, sayError);
    const locked = keys.filter((k) => !isUnlocked(k));
    return (
        <Dialog title={t("Keys that sign")} onClose={onClose}>
            <ul class="plain-list">
                {keys.filter(isUnlocked).map((k) => (
                    <li key={k.id}>
                        <span>
                            <strong>{k.name}</strong> <span class="muted">{left(k)}</span>
                        </span>
                        <button type="button" onClick={() => lock(k.id)}>
                            {t("Lock")}
                        </button>
                    </li>
                ))}
            </ul>
            {(locked.length > 0 || keys.length === 0) && <Unlock keys={locked} onDone={onClose} />}
        </Dialog>
    );
}

/** The button in the page's head; the time left is counted here. */
export function KeyStatus() {
    const isOpen = useSignal(false);
    const tick = useSignal(0);
    useEffect(() => {
        const timer = setInterval(() => tick.value++, TICK_MS);
        return () => clearInterval(timer);
    }, []);
    void tick.value;
    const open = (local.value?.keys ?? []).filter(isUnlocked);
    const [first] = open;
    return (
        <>
            <button type="button" class={first ? "key-open" : ""} onClick={() => (isOpen.value = true)}>
                <Icon name="key" />
                <span>{first ? `${first.name}, ${left(first)}` : t("Keys locked")}</span>
            </button>
            {isOpen.value && <KeysDialog onClose={() => (isOpen.value = false)} />}
        </>
    );
}
