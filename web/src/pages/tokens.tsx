// One's own API tokens: for programs, with part of one's rights. A token outlives this page, so it is confirmed outside of it.
import { useSignal } from "@preact/signals";
import { apiPath, call } from "../api";
import { Change, Once } from "../components/change";
import { Check, Field } from "../components/fields";
import { useRead } from "../components/read";
import { ago, dateTime, words } from "../format";
import { t, tn, type Text } from "../i18n";
import { may } from "../local";
import type { Column } from "../table/columns";
import { LocalTable } from "../table/local";

export interface Token {
    id: string;
    name: string;
    rights: string;
    limited: boolean;
    expires: number;
    used: number;
}

export const TOKEN_COLUMNS: readonly Column<Token>[] = [
    { id: "name", title: "Name", width: 200, grows: 380, sort: "name", text: (k) => k.name },
    { id: "rights", title: "Rights", width: 300, grows: 640, text: (k) => k.rights.replaceAll(",", ", ") },
    { id: "limited", title: "Perimeter", width: 180, grows: 240, text: (k) => (k.limited ? t("some machines") : t("as its person's")) },
    { id: "expires", title: "Ends", width: 180, sort: "expires", text: (k) => dateTime(k.expires) },
    { id: "used", title: "Last used", width: 150, sort: "used", text: (k) => ago(k.used) },
    { id: "revoke", title: "Revoke", width: 110, text: () => "", opens: () => t("Revoke"), isDanger: true },
];
export const TOKEN_VALUES = { expires: (k: Token) => k.expires, used: (k: Token) => k.used };

const RIGHTS: readonly (readonly [right: string, about: Text])[] = [
    ["view", "see machines, orders and packages"],
    ["order-care", "order upgrades, audits, reports and restarts"],
    ["order-software", "order installations and removals"],
    ["upload", "publish packages without code"],
    ["upload-code", "publish packages with code"],
    ["delete-packages", "delete packages"],
    ["publish", "publish the signed documents of the repository"],
    ["enrol", "let machines in, and forget them"],
    ["report", "write reports"],
    ["metrics", "read metrics"],
    ["people", "look after people, webhooks and the journal"],
];
/** What somebody may who has this right. */
export function rightText(right: string): string {
    const known = RIGHTS.find(([name]) => name === right);
    return known ? t(known[1]) : right;
}

const DAYS_MAX = 366;

function NewToken({ onDone }: { onDone: (secret?: string) => void }) {
    const name = useSignal("");
    const days = useSignal("90");
    const rights = useSignal<readonly string[]>(["view"]);
    const groups = useSignal("");
    const count = Number(days.value);
    const isReady = name.value.trim() !== "" && rights.value.length > 0 && Number.isInteger(count) && count >= 1 && count <= DAYS_MAX;
    const listed = words(groups.value);
    const give = () => ({
        name: name.value.trim(),
        rights: rights.value,
        days: count,
        ...(listed.length > 0 ? { perimeter: { groups: listed, profiles: [], units: [] } } : {}),
    });
    return (
        <Change title={t("New token")} isReady={isReady} grant={() => ({ do: "token", give: give() })} onDone={(is, answer) => onDone(is ? String(answer.token) : undefined)}>
            <Field label={t("Name")} value={name.value} onInput={(v) => (name.value = v)} hint={t("What it is for.")} autofocus />
            <Field label={t("Good for how many days")} type="number" value={days.value} onInput={(v) => (days.value = v)} />
            <fieldset class="rights">
                <legend>{t("It may")}</legend>
                {RIGHTS.filter(([right]) => may(right)).map(([right, about]) => (
                    <Check key={right} label={t(about)} checked={rights.value.includes(right)} onChange={(on) => (rights.value = on ? [...rights.value, right] : rights.value.filter((r) => r !== right))} />
                ))}
            </fieldset>
            <Field label={t("Only for machines of these groups")} value={groups.value} onInput={(v) => (groups.value = v)} hint={t("Names with blanks between; none: as yours.")} />
        </Change>
    );
}

export function TokensPage() {
    const version = useSignal(0);
    const isNew = useSignal(false);
    const made = useSignal("");
    const revoked = useSignal<Token | undefined>(undefined);
    const found = useRead<{ tokens: Token[] }>(apiPath(["account", "tokens"]), version.value);
    const all = found?.tokens;
    const wasMade = (secret?: string) => {
        isNew.value = false;
        if (!secret) return;
        made.value = secret;
        version.value++;
    };
    const wasRevoked = (is: boolean) => {
        revoked.value = undefined;
        if (is) version.value++;
    };
    return (
        <div class="page page-table">
            <div class="page-head">
                <h1>{t("API tokens")}</h1>
                <span class="muted">{all && tn(all.length, "{n} token", "{n} tokens")}</span>
                <span class="space" />
                <button type="button" class="primary" onClick={() => (isNew.value = true)}>
                    {t("New token")}
                </button>
            </div>
            <p class="muted">{t("With a token a program does what you may, as far as you let it. It ends by its date, when it is revoked, or with your account.")}</p>
            <LocalTable name="own-tokens" label={t("API tokens")} all={all} columns={TOKEN_COLUMNS} rowKey={(k) => k.id} values={TOKEN_VALUES} firstSort="name" onOpen={(k) => (revoked.value = k)} empty={t("No token.")} />
            {isNew.value && <NewToken onDone={wasMade} />}
            {made.value && <Once title={t("The token")} secret={made.value} about={t("It is shown now, and never again.")} onClose={() => (made.value = "")} />}
            {revoked.value && (
                <Change title={t("Revoke {what}?", { what: revoked.value.name })} button={t("Revoke")} danger work={() => call("DELETE", apiPath(["account", "tokens", revoked.value?.id ?? ""]))} onDone={wasRevoked}>
                    <p>{t("Programs that use it are refused from now on.")}</p>
                </Change>
            )}
        </div>
    );
}
