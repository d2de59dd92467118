// The frame: navigation, head, the page of the address, and what may lie above it.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { link } from "./api";
import { logOut } from "./components/factor";
import { FailuresDialog } from "./components/failures";
import { Gone } from "./components/gone";
import { Help, helpOpen } from "./components/help";
import { Icon } from "./components/icons";
import { KeyStatus } from "./components/keyring";
import { A } from "./components/link";
import { Looks } from "./components/looks";
import { Menu } from "./components/menu";
import { PaletteHost, paletteOpen, type Command } from "./components/palette";
import { ReviewDialog } from "./components/review";
import { AwayBanner, Ended, JournalWarning, SessionDialogs } from "./components/session";
import { Toasts } from "./components/toasts";
import { language, t } from "./i18n";
import { useShortcuts } from "./keyboard";
import { local, may } from "./local";
import { FIRST_PAGE, pages } from "./pages";
import { match, navigate, place, subject } from "./router";
import { chosenLanguage, theme, type Theme } from "./theme";

function commands(): Command[] {
    const themes: readonly [Theme, string][] = [
        ["light", t("Light colours")],
        ["dark", t("Dark colours")],
        ["system", t("Colours of the system")],
    ];
    return [
        ...themes.map(([id, title]) => ({ id: `theme-${id}`, title, run: () => void (theme.value = id) })),
        { id: "lang-en", title: "English", run: () => void (chosenLanguage.value = "en") },
        { id: "lang-fr", title: "Français", run: () => void (chosenLanguage.value = "fr") },
        { id: "help", title: t("Keyboard shortcuts"), run: () => void (helpOpen.value = true) },
        { id: "logout", title: t("Log out"), run: logOut },
    ];
}

function Navigation({ path }: { path: string }) {
    const open = pages.find((p) => p.path === path)?.within ?? path;
    return (
        <nav class="side" aria-label={t("Pages")}>
            <div class="brand">
                <img src="/icon.svg" alt="" width="26" height="26" />
                <span>WAPT</span>
            </div>
            <ul>
                {pages.map(
                    (p) =>
                        p.nav &&
                        (!p.nav.right || may(p.nav.right)) && (
                            <li key={p.path}>
                                <A to={p.path} current={open === p.path || open.startsWith(`${p.path}/`)} title={`${t(p.title)} (${p.nav.keys})`}>
                                    <Icon name={p.nav.icon} />
                                    <span>{t(p.title)}</span>
                                </A>
                            </li>
                        ),
                )}
            </ul>
            <Looks />
        </nav>
    );
}

function Head() {
    const server = local.value?.server;
    return (
        <header class="head">
            <button type="button" class="find" onClick={() => (paletteOpen.value = true)}>
                <Icon name="search" />
                <span>{t("Go to, or do")}</span>
                <kbd>Ctrl+K</kbd>
            </button>
            <span class="head-server" title={server?.url}>
                {server?.url.replace(/^https:\/\//, "")}
            </span>
            <KeyStatus />
            {server?.state === "connected" && (
                <Menu
                    label={server.user}
                    items={[
                        { title: t("Your account"), run: () => navigate("/account") },
                        { title: t("Log out"), run: logOut },
                    ]}
                />
            )}
            <button type="button" class="plain" aria-label={t("Keyboard shortcuts")} title={`${t("Keyboard shortcuts")} (?)`} onClick={() => (helpOpen.value = true)}>
                <Icon name="help" />
            </button>
        </header>
    );
}

function useShortcutsOfAll() {
    useShortcuts(() => [
        { keys: "Ctrl+K", what: "Go to, or do", run: () => void (paletteOpen.value = true) },
        { keys: "?", what: "Keyboard shortcuts", run: () => void (helpOpen.value = true) },
        ...pages.flatMap((p) => (p.nav ? [{ keys: p.nav.keys, what: p.title, run: () => navigate(p.path) }] : [])),
    ]);
}

function Content({ path }: { path: string }) {
    for (const row of pages) {
        const args = match(row.path, path);
        if (!args) continue;
        const Shown = row.page;
        return <Shown key={path} args={args} />;
    }
    return <Gone title={t("There is no such page")} to={FIRST_PAGE} back={t("At a glance")} />;
}

/** Whoever goes to another page is there with the keys, too; and where what had the focus has gone. */
function useFocus(path: string) {
    const last = useRef("/");
    useLayoutEffect(() => {
        const main = document.getElementById("main");
        const now = document.activeElement;
        const isLost = now === document.body || (last.current !== path && !main?.contains(now));
        if (last.current !== "/" && isLost) main?.focus();
        last.current = path;
    }, [place.value]);
}

export function App() {
    useShortcutsOfAll();
    const { path } = place.value;
    useFocus(path);
    useEffect(() => {
        if (path === "/" || path === "/index.html") navigate(FIRST_PAGE, true);
        const row = pages.find((p) => match(p.path, path));
        document.title = row ? `${subject.value || t(row.title)} - WAPT` : "WAPT";
    }, [path, subject.value, language.value]);
    if (link.value === "ended") return <Ended />;
    return (
        <>
            <a class="skip" href="#main">
                {t("To the content")}
            </a>
            <Navigation path={path} />
            <div class="right">
                <Head />
                <AwayBanner />
                <JournalWarning />
                <main id="main" tabIndex={-1}>
                    {local.value && !local.value.server.lacks_second_factor && <Content path={path} />}
                </main>
            </div>
            <SessionDialogs />
            <ReviewDialog />
            <FailuresDialog />
            <PaletteHost more={commands()} />
            <Help />
            <Toasts />
        </>
    );
}
