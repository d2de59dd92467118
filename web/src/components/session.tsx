// What stands before the page when it can't work: the console has ended, the server wants a log-in, its certificate is not known.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call, errorText, link, send, serverGone } from "../api";
import { day } from "../format";
import { t } from "../i18n";
import { asksOutside, local, refreshState } from "../local";
import { FormDialog } from "./dialog";
import { MustSetUp } from "./factor";
import { Facts } from "./fields";
import { Login } from "./login";

/** Over everything: nothing works any more. */
export function Ended() {
    return (
        <main class="alone">
            <img src="/icon.svg" alt="" width="48" height="48" />
            <h1>{t("Open the console again")}</h1>
            <p>{t("This page's session is over: the console was closed, or was idle for too long.")}</p>
            <p>
                <code>waptconsole</code>
            </p>
        </main>
    );
}

interface Shown {
    server: string;
    subject: string;
    issuer: string;
    not_before: number;
    not_after: number;
    sha256: string;
    grouped: string;
    reason: string;
    changed: boolean;
    was?: string;
}

const AGAIN_MS = 1000;

/** The server's certificate: the fingerprint is what a person compares, and confirms outside of the page. */
function Pin() {
    const shown = useSignal<Shown | undefined>(undefined);
    const problem = useSignal("");
    useEffect(() => {
        call<Shown>("GET", "/local/pin").then(
            (s) => (shown.value = s),
            (e) => (problem.value = errorText(e)),
        );
    }, []);
    const s = shown.value;
    const accept = async () => {
        while ((await send("POST", "/local/pin", { sha256: s?.sha256 ?? "" })).status === 202) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        await refreshState();
    };
    return (
        <FormDialog title={t("Is this the server?")} onSubmit={accept} wide button={t("The fingerprint is the same: trust it")} disabled={!s || s.changed} waiting={waitingFor()}>
            <p>{t("The certificate of {url} is not known here. Compare its fingerprint with what \"waptserver setup\" showed on the server.", { url: local.value?.server.url ?? "" })}</p>
            {s && (
                <Facts
                    rows={[
                        [t("Fingerprint (SHA-256)"), <code key="f">{s.grouped || s.sha256}</code>],
                        [t("Subject"), s.subject],
                        [t("Issuer"), s.issuer],
                        [t("Valid"), `${day(s.not_before)} - ${day(s.not_after)}`],
                        [t("Why it is not trusted"), s.reason],
                    ]}
                />
            )}
            {s?.changed && (
                <p class="error" role="alert">
                    {t("Another certificate was trusted before: {was}. If the server has not been set up anew, somebody stands between.", { was: s.was ?? "" })}
                </p>
            )}
            {problem.value && (
                <p class="error" role="alert">
                    {problem.value}
                </p>
            )}
        </FormDialog>
    );
}

/** What a person has to do outside of the page, where no page can do it for them. */
export function waitingFor(): string {
    return asksOutside.value ? t("Confirm in the window that has opened beside the browser.") : t("Confirm in the terminal where the console was started.");
}

export function SessionDialogs() {
    const state = local.value?.server.state;
    if (link.value !== "open") return null;
    if (state === "login") return <Login />;
    if (state === "pin") return <Pin />;
    if (state === "connected") return <MustSetUp />;
    return null;
}

/** What was kept here of the server's journal is not there any more, or could not be looked at. */
export function JournalWarning() {
    const server = local.value?.server;
    if (server?.state !== "connected" || !server.journal) return null;
    return (
        <p class="banner" role="alert">
            {server.journal}
        </p>
    );
}

/** One line above the page, while something is away. */
export function AwayBanner() {
    if (link.value === "away")
        return (
            <p class="banner" role="status">
                {t("The console does not answer: perhaps it was closed. Trying again.")}
            </p>
        );
    const server = local.value?.server;
    if (server?.state === "pin") return null; // it is there, and its dialog says what is wrong
    const why = server?.state === "unreachable" ? server.message : serverGone.value;
    if (server?.state === "unreachable" || why)
        return (
            <p class="banner" role="status">
                {t("The server can't be reached; trying again.")} {why && <span>({why})</span>}
            </p>
        );
    return null;
}
