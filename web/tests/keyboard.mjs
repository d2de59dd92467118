// Work that is done by the keyboard alone: nothing here is clicked, and nothing is given the focus but by keys.
import { check, Failed, same, until } from "./lib.mjs";
import { open } from "./open.mjs";

const TABS_MAX = 14; // steps to what one looks for; more would be a walk
const KEY_OPEN = (mock) => (mock.keys[0].unlocked_until = 4_000_000_000);
const wish = (mock) => [...mock.prepared.values()].at(-1);
const dialog = (page, name) => page.getByRole("dialog", { name });
const isHere = (locator) => locator.evaluate((e) => e === document.activeElement);
const heading = (page, name) => page.getByRole("heading", { name, exact: true }).first().waitFor();

/** Two keys, one right after the other: another page, and the focus in it. */
async function go(page, keys, name) {
    await Promise.all(keys.split(" ").map((key) => page.keyboard.press(key))); // a page that is busy does not come between them
    await heading(page, name);
    await until(() => page.evaluate(() => document.getElementById("main").contains(document.activeElement)), `the keys are at ${name}`);
}

/** Tab, until this has the focus. */
async function tabTo(page, locator, key = "Tab") {
    await locator.waitFor();
    for (let i = 0; i < TABS_MAX; i++) {
        if (await isHere(locator)) return;
        await page.keyboard.press(key);
    }
    check(await isHere(locator), `${TABS_MAX} times ${key} do not lead to ${locator}`);
}

/** Searches the table of the page, and goes down into it. */
async function searchAndEnter(page, text, found) {
    await page.keyboard.press("/");
    const search = page.locator("main input[type=search]");
    await until(() => isHere(search), "one types in the search").catch(async (e) => {
        throw new Failed(`${e.message}, but in ${await page.evaluate(() => document.activeElement.outerHTML.slice(0, 200))}; dialogs: ${await page.locator("dialog").count()}`);
    });
    await page.keyboard.type(text);
    await page.locator(".t-body .t-row").filter({ hasText: found }).first().waitFor();
    await page.keyboard.press("ArrowDown");
}

/** By words, in the palette. */
async function command(page, text, name = text) {
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Go to, or do" }).waitFor();
    await page.keyboard.type(text);
    await page.getByRole("option", { name, selected: true }).waitFor();
    await page.keyboard.press("Enter");
}

async function sign(page) {
    const button = page.getByRole("button", { name: "Sign and send" });
    await until(async () => (await button.count()) === 1 && (await button.isEnabled()), "it can be signed");
    await tabTo(page, button);
    await page.keyboard.press("Enter");
}

export async function aMachineIsFoundAndItsErrorsRead(given) {
    await open(
        given,
        async ({ page }) => {
            await go(page, "g h", "Machines");
            await searchAndEnter(page, "pc-lyon-00000", "pc-lyon-00000");
            await page.getByText("1 machine", { exact: true }).waitFor();
            await page.keyboard.press("Enter");
            await heading(page, "pc-lyon-00000");
            await page.getByRole("heading", { name: "1 package in error" }).waitFor();
            await tabTo(page, page.getByRole("tab", { name: "Overview" }));
            await page.keyboard.press("ArrowRight");
            await searchAndEnter(page, "error", "tis-software-3");
            await page.getByText("1 row", { exact: true }).waitFor();
            await page.keyboard.press("Enter");
            await dialog(page, "tis-software-3 1.3-0").getByText("exit status 1603").waitFor();
            await page.keyboard.press("Escape");
        },
        { at: "/start" },
    );
}

export async function aPackageIsInstalledOnThreeThatAreSelected(given) {
    await open(
        given,
        async ({ mock, page }) => {
            KEY_OPEN(mock);
            await go(page, "g h", "Machines");
            await searchAndEnter(page, "nantes", "pc-nantes");
            await page.getByText("75 machines", { exact: true }).waitFor();
            for (const key of ["Home", "Space", "ArrowDown", "Space", "ArrowDown", "ArrowDown", "Space"]) await page.keyboard.press(key);
            await page.getByText("3 machines selected").waitFor();
            await command(page, "Install:", "Install: 3 machines");
            await page.getByLabel("Packages", { exact: true }).waitFor();
            await page.keyboard.type("tis-firefox");
            await page.keyboard.press("Enter");
            await page.getByText("3 machines concerned").waitFor();
            same([wish(mock).kind, wish(mock).packages], ["install", ["tis-firefox"]], "what is to be signed");
            await sign(page);
            await heading(page, "Order: Install");
        },
        { at: "/start" },
    );
}

export async function aGroupIsMade(given) {
    await open(
        given,
        async ({ mock, page }) => {
            KEY_OPEN(mock);
            await go(page, "g a", "Assignments");
            await command(page, "New group", "New group or rules");
            await dialog(page, "New group or rules").getByLabel("Name").waitFor();
            await page.keyboard.type("grp-new");
            await tabTo(page, page.getByLabel("Assign", { exact: true }));
            await page.keyboard.type("tis-7zip");
            await page.keyboard.press("Enter");
            await sign(page);
            await until(() => Promise.resolve(wish(mock)?.names?.[0] === "grp-new" && wish(mock).add[0] === "tis-7zip"), "the group is what was typed");
        },
        { at: "/start" },
    );
}

export async function packagesAreImportedAndPromoted(given) {
    await open(
        given,
        async ({ mock, page }) => {
            KEY_OPEN(mock);
            await go(page, "g p", "Repository");
            await tabTo(page, page.getByRole("button", { name: "Import packages" }));
            await page.keyboard.press("Enter");
            await dialog(page, "Import packages").getByLabel("Packages", { exact: true }).waitFor();
            await page.keyboard.type("tis-vlc");
            await page.keyboard.press("Enter");
            await sign(page);
            await until(() => Promise.resolve(wish(mock)?.what === "import" && wish(mock).packages[0] === "tis-vlc"), "what is imported");
            await dialog(page, /./).waitFor({ state: "detached" });
            await searchAndEnter(page, "firefox", "tis-firefox");
            await page.getByText("2 rows", { exact: true }).waitFor();
            await page.keyboard.press("End");
            await page.keyboard.press("Space");
            await page.getByText("1 package selected").waitFor();
            await command(page, "Promote", "Promote: 1 package");
            await dialog(page, "Promote").getByLabel("From PROD to").waitFor();
            await tabTo(page, page.getByLabel("From PROD to"));
            await page.keyboard.press("ArrowUp");
            await tabTo(page, dialog(page, "Promote").getByRole("button", { name: "Review" }));
            await page.keyboard.press("Enter");
            await sign(page);
            await until(() => Promise.resolve(wish(mock)?.what === "promote" && wish(mock).maturity === "PREPROD"), "what is promoted");
        },
        { at: "/start", before: (mock) => (mock.repositories = ["store"]) },
    );
}

export async function aRolloutIsPaused(given) {
    await open(
        given,
        async ({ mock, page }) => {
            await go(page, "g r", "Roll-outs");
            await page.locator(".t-body .t-row").filter({ hasText: "LibreOffice" }).waitFor();
            await tabTo(page, page.getByRole("grid", { name: "Roll-outs" }));
            await page.keyboard.press("ArrowDown");
            await page.keyboard.press("Enter");
            await heading(page, "LibreOffice 26.2");
            await tabTo(page, page.getByRole("button", { name: "Pause" }));
            await page.keyboard.press("Enter");
            await dialog(page, /^Pause/).waitFor();
            await page.keyboard.press("Enter");
            await until(() => Promise.resolve(mock.asked.includes(`POST /api/v1/rollouts/${"b".repeat(32)}/pause`)), "it is paused");
        },
        { at: "/start" },
    );
}

export async function aCertificateIsRevoked(given) {
    await open(
        given,
        async ({ mock, page }) => {
            KEY_OPEN(mock);
            await go(page, "g e", "Keys");
            await tabTo(page, page.getByRole("tab", { name: /^Own keys/ }));
            await page.keyboard.press("End");
            await page.getByRole("tab", { name: /^Revoked/, selected: true }).waitFor();
            await tabTo(page, page.getByRole("button", { name: "Revoke a certificate" }));
            await page.keyboard.press("Enter");
            await tabTo(page, dialog(page, "Revoke a certificate").getByRole("button", { name: "What does it hit?" }));
            await page.keyboard.press("Enter");
            const revoke = dialog(page, "Revoke a certificate").getByRole("button", { name: "Revoke", exact: true });
            await tabTo(page, revoke);
            await page.keyboard.press("Enter");
            await sign(page);
            await until(() => Promise.resolve(wish(mock)?.what === "publish" && wish(mock).revoke?.length === 1), "what is signed");
        },
        { at: "/start", before: (mock) => (mock.fault = (q, url) => (url.pathname === "/local/revocation" ? { json: { packages: [], hosts: [], unread: 0 } } : undefined)) },
    );
}

export async function aKitIsMadeAndAReportRun(given) {
    await open(
        given,
        async ({ mock, page }) => {
            KEY_OPEN(mock);
            await go(page, "g k", "Enrolment kit");
            await tabTo(page, page.getByLabel("For how many machines"));
            await page.keyboard.press("Control+a");
            await page.keyboard.type("25");
            await page.keyboard.press("Enter");
            await dialog(page, "kit: 0").waitFor();
            same(wish(mock).uses, 25, "for how many");
            await page.keyboard.press("Escape");
            await command(page, "Reports"); // from a field, where letters are what one types
            await heading(page, "Reports");
            await searchAndEnter(page, "seen", "seen by day");
            await page.getByText("1 row", { exact: true }).waitFor();
            await page.keyboard.press("Enter");
            await heading(page, "seen by day");
            await page.locator("figure", { hasText: "events, failures, by day" }).waitFor();
        },
        { at: "/start" },
    );
}

export async function keysWithoutCtrlCanBeSwitchedOff(given) {
    await open(given, async ({ mock, page, base }) => {
        await page.locator(".t-body .t-row a").first().waitFor();
        await page.keyboard.press("?");
        const check = page.getByLabel("Keys without Ctrl are shortcuts");
        await tabTo(page, check);
        await page.keyboard.press("Space");
        await page.keyboard.press("Escape");
        await until(() => Promise.resolve(mock.prefs["keys.single"] === false), "it is kept");
        await page.keyboard.press("g");
        await page.keyboard.press("o");
        await page.keyboard.press("?");
        await page.keyboard.press("Control+k");
        await page.getByRole("combobox", { name: "Go to, or do" }).waitFor();
        same([page.url(), await page.getByRole("dialog").count()], [`${base}/hosts`, 1], "what the other keys did");
    });
}

/** After some presses of Escape a browser closes a dialog whatever the page says. */
export async function whatCantBeLeftStaysWhateverIsPressed(given) {
    await open(
        given,
        async ({ page }) => {
            await dialog(page, "Log in").waitFor();
            for (let i = 0; i < 4; i++) await page.keyboard.press("Escape");
            await dialog(page, "Log in").waitFor();
            await tabTo(page, page.getByLabel("Password", { exact: true }));
            await page.keyboard.type("secret");
            await page.keyboard.press("Enter");
            await dialog(page, "Log in").waitFor({ state: "detached" });
            await page.locator(".t-body .t-row a").first().waitFor();
        },
        { before: (mock) => (mock.server.state = "login") },
    );
}
