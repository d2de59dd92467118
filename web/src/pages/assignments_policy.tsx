// Groups, units, profiles and rules of self-service: made, and changed for several at once. The program finds what would never work before it is
// signed, and shows the difference.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { call, errorText, isAbort } from "../api";
import { askedFor, FormDialog } from "../components/dialog";
import { Choice, Facts, Field } from "../components/fields";
import { PackagesField } from "../components/names";
import { review } from "../components/review";
import { words } from "../format";
import { t, tn, type Text } from "../i18n";
import { members, type Members } from "./host_model";
import { told } from "./repository_changes";
import type { Package } from "./repository_model";

export const SECTIONS: Record<string, Text> = { group: "group", unit: "organisational unit", profile: "profile", selfservice: "self-service" };

interface Wanted {
    packages: readonly Package[]; // none: a new one
    section?: string; // of that
    name?: string;
    onDone: () => void;
}
const wanted = askedFor<Wanted>();

/** Makes a new one, of which this is known. */
export function newPolicy(section: string, name: string): void {
    wanted.value = { packages: [], section, name, onDone: () => undefined };
}

/** Opens the change of these, or makes a new one. */
export function editPolicy(packages: readonly Package[], onDone: () => void): void {
    wanted.value = { packages, onDone };
}


/** "team: tis-firefox tis-vlc; staff: tis-vlc" by group; a group's name may have blanks. */
function rulesOf(text: string): Record<string, string[]> {
    const rules: Record<string, string[]> = {};
    for (const one of text.split(/[;\n]/)) {
        const at = one.indexOf(":");
        const group = (at < 0 ? one : one.slice(0, at)).trim();
        if (group) rules[group] = [...(rules[group] ?? []), ...(at < 0 ? [] : words(one.slice(at + 1)))];
    }
    return rules;
}

/** What each group is offered now: the program reads and verifies the package. */
function Rules({ name }: { name: string }) {
    const rules = useSignal<Members | undefined>(undefined);
    const error = useSignal("");
    useEffect(() => {
        const stop = new AbortController();
        call<{ id: string; details: { rules: readonly unknown[] } }>("POST", "/local/prepare", { what: "policy", names: [name], only_shown: true }, stop.signal).then(
            (made) => {
                rules.value = members(made.details.rules[0]);
                void call("DELETE", `/local/prepare/${encodeURIComponent(made.id)}`).catch(() => undefined);
            },
            (e: unknown) => !isAbort(e) && (error.value = errorText(e)),
        );
        return () => stop.abort();
    }, []);
    if (error.value) return <p class="error">{error.value}</p>;
    const all = Object.entries(rules.value ?? {});
    return (
        <>
            <h3>{t("Offered now")}</h3>
            {!rules.value && <p role="status">{t("It is being read.")}</p>}
            {rules.value && all.length === 0 && <p class="muted">{t("(nothing)")}</p>}
            {all.length > 0 && <Facts rows={all.map(([group, packages]) => [group, Object.keys(members(packages)).join(", ")] as const)} />}
        </>
    );
}

function PolicyForm({ packages, onDone, section: given = "group", name: known = "" }: Wanted) {
    const isNew = packages.length === 0;
    const section = useSignal(packages[0]?.section ?? given);
    const name = useSignal(known);
    const description = useSignal("");
    const add = useSignal("");
    const remove = useSignal("");
    const exclude = useSignal("");
    const allow = useSignal("");
    const offer = useSignal("");
    const withdraw = useSignal("");
    const close = () => (wanted.value = undefined);
    const hasRules = section.value === "selfservice" && packages.every((p) => p.section === "selfservice");
    const submit = () => {
        close();
        review(
            {
                what: "policy",
                names: isNew ? [name.value.trim()] : packages.map((p) => p.package),
                ...(isNew ? { section: section.value } : {}),
                ...(description.value.trim() ? { description: description.value.trim() } : {}),
                add: words(add.value),
                remove: words(remove.value),
                add_conflicts: words(exclude.value),
                remove_conflicts: words(allow.value),
                add_rules: hasRules ? rulesOf(offer.value) : {},
                remove_rules: hasRules ? rulesOf(withdraw.value) : {},
            },
            (answer) => told(answer, onDone),
        );
    };
    const isEmpty = isNew ? !name.value.trim() : ![description, add, remove, exclude, allow, offer, withdraw].some((s) => s.value.trim());
    return (
        <FormDialog title={isNew ? t("New group or rules") : t("Change groups and rules")} onClose={close} onSubmit={submit} button={t("Review")} disabled={isEmpty}>
            {isNew ? (
                <>
                    <Choice
                        label={t("Kind")}
                        value={section.value}
                        options={Object.entries(SECTIONS).map(([id, text]) => [id, t(text)] as const)}
                        onChange={(v) => (section.value = v)}
                    />
                    <Field label={t("Name")} value={name.value} onInput={(v) => (name.value = v)} autofocus {...(section.value === "unit" || section.value === "profile" ? { hint: t("As the directory calls it.") } : {})} />
                </>
            ) : (
                <>
                    <p class="muted">{tn(packages.length, "{n} package, which gets the next version", "{n} packages, each of which gets the next version")}</p>
                    <ul class="host-names">
                        {packages.map((p) => (
                            <li key={p.file}>{`${p.package} ${p.version}`}</li>
                        ))}
                    </ul>
                    {hasRules && packages[0] && packages.length === 1 && <Rules name={packages[0].package} />}
                </>
            )}
            <Field label={t("Description")} value={description.value} onInput={(v) => (description.value = v)} />
            <PackagesField label={t("Assign")} value={add.value} onInput={(v) => (add.value = v)} autofocus={!isNew} hint={t("Packages and groups, with blanks between; also as tis-firefox(>=115).")} />
            {!isNew && <PackagesField label={t("Assign no more")} value={remove.value} onInput={(v) => (remove.value = v)} />}
            <PackagesField label={t("Exclude")} value={exclude.value} onInput={(v) => (exclude.value = v)} hint={t("What machines with it must not have.")} />
            {!isNew && <PackagesField label={t("Exclude no more")} value={allow.value} onInput={(v) => (allow.value = v)} />}
            {hasRules && (
                <>
                    <Field label={t("Offer")} value={offer.value} onInput={(v) => (offer.value = v)} hint={t("Group of persons, colon, packages; several with a semicolon between: team: tis-firefox tis-vlc; staff: tis-vlc")} />
                    {!isNew && <Field label={t("Offer no more")} value={withdraw.value} onInput={(v) => (withdraw.value = v)} hint={t("A group without packages goes whole.")} />}
                </>
            )}
        </FormDialog>
    );
}

export function PolicyDialog() {
    const w = wanted.value;
    return w ? <PolicyForm {...w} /> : null;
}
