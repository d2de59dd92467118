// The frame of the self-service: what is looked for at the side, the packages, and what is under way at the foot.
import { useEffect, useRef } from "preact/hooks";
import { link } from "../api";
import { Choice } from "../components/fields";
import { Help, helpOpen } from "../components/help";
import { Icon } from "../components/icons";
import { Looks } from "../components/looks";
import { Toasts } from "../components/toasts";
import { language, t, tn, type Text } from "../i18n";
import { useShortcuts } from "../keyboard";
import { Details } from "./details";
import { active, agentAway, agentStopped, catalogue, catalogueError, category, filter, lock, look, search, showMore, sort, state, wishFor, type Filter } from "./model";
import { Password } from "./password";
import { TaskBar } from "./taskbar";
import { Tile } from "./tile";

const FILTERS: readonly (readonly [Filter, Text, keyof NonNullable<typeof catalogue.value>["counts"]])[] = [
    ["", "All software", "all"],
    ["installed", "Installed", "installed"],
    ["not-installed", "Not installed", "not_installed"],
    ["upgradable", "To upgrade", "upgradable"],
];
/** WAPT's own categories; an organisation's own ones are shown as they are written. */
const CATEGORIES: Record<string, Text> = {
    internet: "Internet",
    utilities: "Utilities",
    messaging: "Messaging",
    security: "Security",
    "system and network": "System and network",
    storage: "Storage",
    media: "Media",
    development: "Development",
    office: "Office",
    education: "Education",
};

const KEYS: readonly (readonly [string, Text])[] = [
    ["← → ↑ ↓", "From name to name"],
    ["Home End", "To the first or last name"],
    ["Enter", "More about it"],
];

function categoryName(name: string): string {
    const known = CATEGORIES[name.toLowerCase()];
    return known ? t(known) : name;
}

function Pick({ text, count, isChosen, choose }: { text: string; count: number | undefined; isChosen: boolean; choose: () => void }) {
    return (
        <li>
            <button type="button" class="pick" aria-pressed={isChosen} onClick={choose}>
                <span>{text}</span>
                <span class="count">{count ?? ""}</span>
            </button>
        </li>
    );
}

function Side() {
    const counts = catalogue.value?.counts;
    const categories = [...(catalogue.value?.categories ?? [])].sort((a, b) => categoryName(a.name).localeCompare(categoryName(b.name), language.value));
    return (
        <nav class="side" aria-label={t("What to show")}>
            {state.value?.logo ? (
                <img class="logo" src={`data:image/png;base64,${state.value.logo}`} alt="" />
            ) : (
                <div class="brand">
                    <img src="/icon.svg" alt="" width="26" height="26" />
                    <span>WAPT</span>
                </div>
            )}
            <ul>
                {FILTERS.map(([id, text, count]) => (
                    <Pick key={id} text={t(text)} count={counts?.[count]} isChosen={filter.value === id} choose={() => look({ list: id })} />
                ))}
            </ul>
            {categories.length > 0 && (
                <>
                    <h3>{t("Categories")}</h3>
                    <ul>
                        <Pick text={t("All categories")} count={undefined} isChosen={category.value === ""} choose={() => look({ category: "" })} />
                        {categories.map(({ name, count }) => (
                            <Pick key={name} text={categoryName(name)} count={count} isChosen={category.value === name} choose={() => look({ category: name })} />
                        ))}
                    </ul>
                </>
            )}
            <Looks />
        </nav>
    );
}

function Head() {
    const box = useRef<HTMLInputElement>(null);
    const upgradable = catalogue.value?.counts.upgradable ?? 0;
    const isAt = (kind: string) => active.value.some((one) => one.kind === kind);
    useShortcuts(() => [
        { keys: "/", what: "Search software", run: () => box.current?.focus() },
        { keys: "?", what: "Keyboard shortcuts", run: () => void (helpOpen.value = true) },
    ]);
    return (
        <header class="head">
            <div class="search" role="search">
                <Icon name="search" />
                <input ref={box} type="search" aria-label={t("Search software")} placeholder={t("Search software")} value={search.value} spellcheck={false} onInput={(e) => look({ search: e.currentTarget.value })} />
            </div>
            <Choice
                inline
                label={t("Sort by")}
                value={sort.value}
                options={[
                    ["name", t("name")],
                    ["date", t("date, the latest first")],
                ]}
                onChange={(v) => (sort.value = v === "date" ? "date" : "name")}
            />
            <span class="space" />
            <button type="button" disabled={isAt("update")} onClick={() => void wishFor({ op: "update", name: t("Update the catalogue") })}>
                <Icon name="refresh" />
                {t("Update the catalogue")}
            </button>
            {upgradable > 0 && (
                <button type="button" class="primary" disabled={isAt("upgrade")} onClick={() => void wishFor({ op: "upgrade", name: t("Upgrade all") })}>
                    {t("Upgrade all")} ({upgradable})
                </button>
            )}
            <button type="button" class="plain" title={t("Forget my password")} aria-label={t("Forget my password")} onClick={lock}>
                <Icon name="key" />
            </button>
            <button type="button" class="plain" title={`${t("Keyboard shortcuts")} (?)`} aria-label={t("Keyboard shortcuts")} onClick={() => (helpOpen.value = true)}>
                <Icon name="help" />
            </button>
        </header>
    );
}

function Banner() {
    const text =
        link.value === "away" ? t("This program does not answer: perhaps it was ended. Trying again.")
        : agentAway.value ? t("The service of this machine does not answer. Trying again.")
        : agentStopped.value ? t("The service was stopped for a while: what you ask for waits.")
        : catalogueError.value;
    if (!text) return null;
    return (
        <p class="banner" role="status">
            {text}
        </p>
    );
}

/** Arrows go from name to name, as the tiles lie. */
function moveByKey(e: KeyboardEvent) {
    const names = [...document.querySelectorAll<HTMLElement>(".tile-name")];
    const at = names.findIndex((one) => one === e.target);
    const first = names[0]?.closest("li")?.offsetTop;
    if (at < 0 || first === undefined) return;
    const columns = names.filter((one) => one.closest("li")?.offsetTop === first).length;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + columns, ArrowUp: at - columns, Home: 0, End: names.length - 1 }[e.key];
    if (to === undefined || !names[to]) return;
    e.preventDefault();
    names[to].focus();
}

function Empty() {
    const isAll = filter.value === "" && category.value === "" && search.value === "";
    return (
        <div class="empty">
            <h2>{isAll ? t("There is nothing for you to install here") : t("Nothing matches")}</h2>
            <p class="muted">{isAll ? t("Your organisation has offered no software to your account on this machine. Ask your administrator.") : t("Try other words, or another category.")}</p>
        </div>
    );
}

function Packages() {
    const all = catalogue.value;
    if (!all) return <p class="muted page" role="status">{t("Reading the catalogue")}</p>;
    return (
        <div class="page" aria-busy={false}>
            <h1 class="results">
                <span role="status">{tn(all.total, "{n} package", "{n} packages")}</span>
            </h1>
            {all.packages.length === 0 ? (
                <Empty />
            ) : (
                <ul class="tiles" onKeyDown={moveByKey}>
                    {all.packages.map((p) => (
                        <Tile key={p.package} p={p} />
                    ))}
                </ul>
            )}
            {all.packages.length < all.total && (
                <button type="button" class="more" onClick={showMore}>
                    {t("Show more")}
                </button>
            )}
        </div>
    );
}

function Ended() {
    return (
        <main class="alone">
            <img src="/icon.svg" alt="" width="48" height="48" />
            <h1>{t("Open the self-service again")}</h1>
            <p>{t("This page's session is over: the program was ended, or nobody looked for too long.")}</p>
            <p>
                <code>waptselfservice</code>
            </p>
        </main>
    );
}

export function App() {
    useEffect(() => {
        document.title = `${t("Software for this machine")} - WAPT`;
    }, [language.value]);
    if (link.value === "ended") return <Ended />;
    return (
        <>
            <a class="skip" href="#main">
                {t("To the content")}
            </a>
            <Side />
            <div class="right">
                <Head />
                <Banner />
                <main id="main" tabIndex={-1}>
                    <Packages />
                </main>
                <TaskBar />
            </div>
            <Details />
            <Password />
            <Help title="Among the packages" keys={KEYS} />
            <Toasts />
        </>
    );
}
