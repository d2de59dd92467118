// Logging in at the server, by whichever way it offers. What proves who somebody is - ticket, key, the provider's code - stays with the program.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call, errorText, send } from "../api";
import { t } from "../i18n";
import { asksOutside, local, refreshState, type Key, type Ways } from "../local";
import { pref } from "../prefs";
import { Dialog } from "./dialog";
import { hasLoggedOut } from "./factor";
import { Choice, Field } from "./fields";
import { isUnlocked } from "./keyring";

type Way = keyof Ways;
const AGAIN_MS = 1000;
const UNLOCKED_S = 900; // as the key's own dialog proposes
const lastWay = pref<Way>("login", "password");

function titleOf(way: Way): string {
    switch (way) {
        case "password":
            return t("Password");
        case "kerberos":
            return t("Kerberos ticket");
        case "oidc":
            return t("The organisation's provider");
        case "certificate":
            return t("Certificate");
    }
}

/** Where the person's browser goes: an address that the program has checked, and that opens in a tab which knows nothing of this one. */
function open(url: string): void {
    window.open(url, "_blank", "noopener,noreferrer");
}

export function Login() {
    const state = local.value?.server;
    const user = useSignal(state?.user ?? "");
    const password = useSignal("");
    const code = useSignal("");
    const wantsCode = useSignal(false);
    const keyId = useSignal("");
    const provider = useSignal(""); // the address there, once it is known
    const error = useSignal("");
    const isBusy = useSignal(false);
    const turn = useSignal(0); // what began before does not count
    useEffect(() => () => void turn.value++, []);
    const isByTicket = state?.login === "kerberos" && state.ways?.kerberos === true && !hasLoggedOut.value;
    useEffect(() => {
        if (!isByTicket) return;
        lastWay.value = "kerberos";
        void submit("kerberos");
    }, [isByTicket]);

    const ways = (Object.entries(state?.ways ?? { password: true }) as [Way, boolean][]).filter(([, is]) => is).map(([way]) => way);
    const way = ways.includes(lastWay.value) ? lastWay.value : "password";
    const keys = (local.value?.keys ?? []).filter((k) => k.can_log_in);
    const key = keys.find((k) => k.id === keyId.value) ?? keys[0];

    const choose = (next: Way) => {
        turn.value++;
        lastWay.value = next;
        error.value = provider.value = password.value = code.value = "";
        wantsCode.value = isBusy.value = false;
    };
    /** Whether that is all; else a code is to be typed. */
    const byCode = async (body: Record<string, string>) => {
        const said = await call<{ needs?: string }>("POST", "/local/login", { ...body, ...(code.value ? { code: code.value } : {}) });
        const isAll = said.needs !== "code";
        if (isAll) password.value = "";
        else wantsCode.value = true;
        return isAll;
    };
    const byCertificate = async (k: Key | undefined) => {
        if (!k) throw new Error(t("There is no certificate here that could log in."));
        if (!isUnlocked(k)) await call("POST", "/local/keys/unlock", { id: k.id, seconds: UNLOCKED_S, ...(asksOutside.value ? {} : { password: password.value }) });
        password.value = "";
        await call("POST", "/local/login", { way, key: k.id });
    };
    const atProvider = async () => {
        const mine = turn.value;
        const { url } = await call<{ url: string }>("POST", "/local/oidc", {});
        if (mine !== turn.value) return;
        provider.value = url;
        open(url);
        while ((await send("GET", "/local/oidc")).status === 202 && mine === turn.value) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    };
    const submit = async (by: Way = way) => {
        const mine = turn.value;
        isBusy.value = true;
        error.value = "";
        try {
            let isAll = true;
            if (by === "password") isAll = await byCode({ user: user.value, password: password.value });
            else if (by === "kerberos") isAll = await byCode({ way: by });
            else if (by === "certificate") await byCertificate(key);
            else await atProvider();
            if (isAll) await refreshState();
        } catch (e) {
            if (mine === turn.value) error.value = errorText(e);
        }
        if (mine !== turn.value) return;
        isBusy.value = false;
        provider.value = "";
    };
    return (
        <Dialog
            title={t("Log in")}
            onSubmit={() => void submit()}
            footer={
                <button type="submit" class="primary" disabled={isBusy.value}>
                    {way === "oidc" ? t("Go to the provider") : t("Log in")}
                </button>
            }
        >
            <p class="muted">{state?.url}</p>
            {state?.message && <p>{state.message}</p>}
            {ways.length > 1 && <Choice label={t("By")} value={way} options={ways.map((w) => [w, titleOf(w)] as const)} onChange={(v) => choose(v as Way)} />}
            {way === "password" && (
                <>
                    <Field label={t("User")} value={user.value} onInput={(v) => (user.value = v)} autofocus={!user.value} autoComplete="username" />
                    <Field label={t("Password")} type="password" value={password.value} onInput={(v) => (password.value = v)} autofocus={!!user.value} autoComplete="current-password" />
                </>
            )}
            {way === "kerberos" && <p>{t("The ticket of your login at this workstation says who you are; there is no password to type.")}</p>}
            {way === "oidc" && !provider.value && <p>{t("You say who you are at your organisation's provider, in another tab; then this page goes on.")}</p>}
            {way === "oidc" && provider.value && (
                <p class="waiting" role="status">
                    {t("Log in at {host}, in the tab that has opened.", { host: new URL(provider.value).host })}{" "}
                    <button type="button" class="link" onClick={() => open(provider.value)}>
                        {t("Open it again")}
                    </button>
                </p>
            )}
            {way === "certificate" && (
                <>
                    {keys.length === 0 && <p>{t("There is no certificate here that could log in.")}</p>}
                    {keys.length > 0 && <Choice label={t("Certificate")} value={key?.id ?? ""} options={keys.map((k) => [k.id, k.subject] as const)} onChange={(v) => (keyId.value = v)} />}
                    {key && !isUnlocked(key) && asksOutside.value && isBusy.value && <p class="waiting" role="status">{t("Type it in the window that has opened beside the browser.")}</p>}
                    {key && !isUnlocked(key) && !asksOutside.value && (
                        <Field
                            label={key.source === "pkcs11" ? t("PIN of the token") : t("Password of the key")}
                            type="password"
                            value={password.value}
                            onInput={(v) => (password.value = v)}
                            autofocus
                            hint={t("The key is unlocked for 15 minutes, for signing too.")}
                        />
                    )}
                </>
            )}
            {(way === "password" || way === "kerberos") &&
                (wantsCode.value ? (
                    <Field label={t("Code of the second factor")} value={code.value} onInput={(v) => (code.value = v)} autofocus autoComplete="one-time-code" />
                ) : (
                    <button type="button" class="link" onClick={() => (wantsCode.value = true)}>
                        {t("I have a code of a second factor")}
                    </button>
                ))}
            {error.value && (
                <p class="error" role="alert">
                    {error.value}
                </p>
            )}
        </Dialog>
    );
}
