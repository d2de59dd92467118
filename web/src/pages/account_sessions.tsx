// Where one is logged in: each session with where it came from, and a way to end it.
import { useSignal } from "@preact/signals";
import { apiPath, call } from "../api";
import { Change } from "../components/change";
import { useRead } from "../components/read";
import { ago, dateTime } from "../format";
import { t, type Text } from "../i18n";
import type { Column } from "../table/columns";
import { LocalTable } from "../table/local";

interface Session {
    id: string;
    method: string;
    peer: string;
    created: number;
    used: number;
    expires: number;
    this: boolean;
}

const METHODS: Readonly<Record<string, Text>> = {
    password: "password",
    directory: "password of the directory",
    kerberos: "Kerberos ticket",
    certificate: "certificate",
};
const methodText = (s: Session) => {
    const known = METHODS[s.method];
    return known ? t(known) : s.method === "oidc" ? "OpenID Connect" : s.method;
};

const COLUMNS: readonly Column<Session>[] = [
    { id: "peer", title: "From", width: 220, grows: 420, sort: "peer", text: (s) => (s.this ? t("{where} (this page)", { where: s.peer }) : s.peer) },
    { id: "method", title: "Logged in by", width: 200, grows: 300, sort: "method", text: methodText },
    { id: "created", title: "Begun", width: 180, sort: "created", text: (s) => dateTime(s.created) },
    { id: "used", title: "Last used", width: 150, sort: "used", text: (s) => ago(s.used) },
    { id: "expires", title: "Ends", width: 180, sort: "expires", text: (s) => dateTime(s.expires) },
    { id: "end", title: "End it", width: 126, text: () => "", opens: (s) => (s.this ? "" : t("End it")), isDanger: true },
];
const VALUES = { created: (s: Session) => s.created, used: (s: Session) => s.used, expires: (s: Session) => s.expires };

export function Sessions({ version }: { version: number }) {
    const ended = useSignal(0);
    const ending = useSignal<Session | undefined>(undefined);
    const found = useRead<{ sessions: Session[] }>(apiPath(["account", "sessions"]), version + ended.value);
    const wasEnded = (is: boolean) => {
        ending.value = undefined;
        if (is) ended.value++;
    };
    const of = ending.value;
    return (
        <>
            <h2>{t("Where you are logged in")}</h2>
            <LocalTable
                name="own-sessions"
                label={t("Where you are logged in")}
                all={found?.sessions}
                columns={COLUMNS}
                rowKey={(s) => s.id}
                values={VALUES}
                firstSort="-used"
                onOpen={(s) => !s.this && (ending.value = s)}
                tools={<span class="muted">{t("This page's own ends by logging out.")}</span>}
                empty={t("No session.")}
            />
            {of && (
                <Change title={t("End the session from {where}?", { where: of.peer })} button={t("End it")} danger work={() => call("DELETE", apiPath(["account", "sessions", of.id]))} onDone={wasEnded}>
                    <p>{t("Whoever works by it has to log in again.")}</p>
                </Change>
            )}
        </>
    );
}
