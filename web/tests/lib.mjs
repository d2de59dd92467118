// What the browser's tests share: the browser, pages that tell what went wrong in them, and waiting for what must come true.
import { readFileSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";

const SLOW = Number(process.env.WAPT_TEST_SLOW ?? 1);
const SEED = Number(process.env.WAPT_TEST_SEED ?? Date.now() % 1_000_000);
const LATE_MS = 200;
/** How to have the same delays again. */
export const slowedBy = SLOW > 1 ? `\nslowed by WAPT_TEST_SLOW=${SLOW} WAPT_TEST_SEED=${SEED}` : "";
export const PATIENCE_MS = 40_000 * SLOW;
const AXE = readFileSync(path.join("node_modules", "axe-core", "axe.min.js"), "utf8");

export class Failed extends Error {}

export function check(isTrue, what) {
    if (!isTrue) throw new Failed(what);
}

export function same(found, wanted, what) {
    check(JSON.stringify(found) === JSON.stringify(wanted), `${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}

export async function until(isTrue, what) {
    const end = Date.now() + PATIENCE_MS;
    while (Date.now() < end) {
        if (await isTrue()) return;
        await new Promise((resolve) => setTimeout(resolve, 30));
    }
    throw new Failed(`never came true: ${what}`);
}

/** here: where the program is; names of others lead to no other place than that. */
export function launch(here = "127.0.0.1") {
    const isRoot = process.getuid() === 0;
    return chromium.launch({
        executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
        args: [`--host-resolver-rules=MAP evil.example ${here}, MAP * ~NOTFOUND, EXCLUDE 127.*`, "--disable-gpu", ...(isRoot ? ["--no-sandbox"] : [])],
    });
}

/** Numbers from 0 to 1, the same ones of the same seed; in a page, too. */
function chances(seed) {
    return () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** Runs in a page: what it puts off comes later. */
function putOff(chance, longestMs) {
    const { setTimeout: soon, requestAnimationFrame: frame } = window;
    window.setTimeout = (run, ms = 0, ...more) => soon(run, ms + chance() * longestMs, ...more);
    window.requestAnimationFrame = (run) => frame(() => soon(() => run(performance.now()), chance() * longestMs));
}

/** Each tab's own work takes SLOW times as long; what it puts off, and whatever it asks for, comes late, each by another time: what a test does not
 *  wait for has then not come yet, or not in that order. */
async function slowDown(context) {
    const chance = chances(SEED);
    context.on("page", async (page) => {
        const session = await context.newCDPSession(page).catch(() => undefined); // it is no more
        await session?.send("Emulation.setCPUThrottlingRate", { rate: SLOW }).catch(() => undefined);
    });
    await context.addInitScript(`(${putOff})((${chances})(${SEED}), ${SLOW * LATE_MS})`);
    await context.route("**/*", async (route) => {
        await new Promise((resolve) => setTimeout(resolve, chance() * SLOW * LATE_MS));
        await route.continue().catch(() => undefined); // asked no more
    });
}

/** A tab of its own. trouble: errors, refusals by the policy, and requests to any other host: there must be none. */
export async function tab(browser, base, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: "en-GB", colorScheme: "light", reducedMotion: "reduce", ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    if (SLOW > 1) await slowDown(context);
    const page = await context.newPage();
    const trouble = [];
    page.on("pageerror", (e) => trouble.push(`error: ${e.stack}`));
    page.on("console", (m) => {
        if (m.type() === "error" && !/Failed to load resource/.test(m.text())) trouble.push(`console: ${m.text()}`);
    });
    page.on("request", (q) => {
        if (!q.url().startsWith(`${base}/`) && !/^(data|blob):/.test(q.url())) trouble.push(`asked ${q.url()}`);
    });
    page.lost = []; // told when a scenario fails (run.mjs)
    page.on("requestfailed", (q) => page.lost.push(`${q.method()} ${q.url()}: ${q.failure()?.errorText}`));
    return { context, page, trouble };
}

/** Opens what the program has shown, and waits until the page has taken the ticket: whoever leaves it before has none. */
export async function enter(page, link) {
    await page.goto(link);
    await page.locator("#main > *, main.alone, dialog[open]").first().waitFor();
}

/** By a password, as far as the page behind. */
export async function logIn(page, password) {
    const dialog = page.getByRole("dialog", { name: "Log in" });
    await dialog.waitFor();
    await dialog.getByLabel("Password", { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" }); // else the next page ends the login
}

/** A story's tab: opened on what the program has shown, at a page of it; with a password, logged in. */
export async function begin(browser, link, { at = "/", password, ...options } = {}) {
    const base = new URL(link).origin;
    const opened = { base, ...(await tab(browser, base, options)) };
    await enter(opened.page, link.replace("/#", `${at}#`));
    if (password !== undefined) await logIn(opened.page, password);
    return opened;
}

/** Files are held over the page; what lets them go. */
export async function hold(page, files) {
    const given = files.map((f) => ({ name: path.basename(f), data: readFileSync(f).toString("base64") }));
    const dataTransfer = await page.evaluateHandle((all) => {
        const transfer = new DataTransfer();
        for (const f of all) transfer.items.add(new File([Uint8Array.from(atob(f.data), (c) => c.charCodeAt(0))], f.name));
        return transfer;
    }, given);
    await page.locator(".page").dispatchEvent("dragover", { dataTransfer });
    await page.getByText("Drop packages here").waitFor();
    return () => page.locator(".page").dispatchEvent("drop", { dataTransfer });
}

/** The row of a table that the keys begin with, selected as soon as it is there. */
export async function selectFirst(table) {
    await table.locator(".t-body .t-row:not(:has(.t-waiting))").first().waitFor();
    await table.press("Home");
    await table.press("Space");
}

/** Chooses from the page's menu of what is done seldom. */
export async function more(page, what) {
    await page.locator("#main").getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: what }).click();
}

/** Unlocks what the review has prepared, and waits until a person will be asked; a key that is open stays so. */
export async function unlock(page, password, key) {
    const dialog = page.getByRole("dialog");
    const secret = dialog.getByLabel("Password of the key");
    const isAsked = dialog.getByText("you will be asked outside of this page");
    await secret.or(isAsked).first().waitFor();
    if (await isAsked.count()) return;
    const which = dialog.getByLabel("Key", { exact: true });
    if (key && (await which.count())) await which.selectOption({ label: key });
    await dialog.getByLabel("Unlocked for").selectOption({ label: "8 hours" }); // a slow machine is not through in a quarter of one
    await secret.fill(password);
    await page.keyboard.press("Enter");
    await secret.waitFor({ state: "detached" });
    await isAsked.waitFor();
}

/** Signs what the review shows, with a yes at the terminal; what was to be read there. */
export async function signed(page, ask) {
    const dialog = page.getByRole("dialog");
    await dialog.getByText("To sign this, you will be asked outside of this page.").waitFor();
    await page.getByRole("button", { name: "Sign and send" }).click();
    const text = await ask("yes");
    await dialog.first().waitFor({ state: "detached" });
    return text;
}

/** Kept as a picture in light and dark, and found accessible. */
export async function look(page, name, folder, options = {}) {
    for (const theme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme: theme });
        await page.screenshot({ path: path.join(folder, `${name}-${theme}.png`), ...options });
        same(await axe(page, theme === "dark"), [], `axe in ${name}, ${theme}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
}

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** All that axe finds against WCAG 2.2 AA; of colours only: what else there is was looked at in another theme. */
export async function axe(page, ofColours = false) {
    await page.evaluate(AXE); // as the debugger's code: the page's policy has no say in it
    const options = { runOnly: ofColours ? ["color-contrast"] : RULES, resultTypes: ["violations"] };
    const { violations } = await page.evaluate((o) => globalThis.axe.run(document, o), options);
    return violations.map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} ${n.any[0]?.message ?? n.all[0]?.message ?? n.none[0]?.message ?? ""}`).join("; ")}`);
}
