// The self-service's pages, as dave of the group Team sees them, with a real agent. The scenarios are one story, in the order of their names.
import path from "node:path";
import { axe, check, same, tab, until } from "./lib.mjs";

export const isOneStory = true; // after a failure the rest is not reached
let open; // the tab of the story

const tile = (page, name) => page.locator(`li[data-package="${name}"]`);
const toast = (page) => page.locator(".toast");

async function picture(page, folder, name) {
    await page.screenshot({ path: path.join(folder, `selfservice-${name}.png`) });
}

export async function a1_seesWhatIsOffered({ browser, link, hostile, folder }) {
    const base = new URL(link).origin;
    open = { base, ...(await tab(browser, base)) };
    const { page } = open;
    await page.goto(link);
    await tile(page, "writer").waitFor();
    check(!page.url().includes("ticket"), "the ticket stands in the address");
    await until(async () => (await tile(page, "writer").locator("img").count()) === 1, "the icon has come");
    check((await tile(page, "browser").locator(".letter").textContent()) === "B", "without an icon there is a letter");
    // What is white, or black, and transparent around is seen all the same.
    await until(async () => (await tile(page, "white").locator("img.plate-dark").count()) === 1, "a dark plate behind the white icon");
    await until(async () => (await tile(page, "black").locator("img.plate-light").count()) === 1, "a light plate behind the black icon");
    same(await tile(page, "writer").locator("img.plate-dark, img.plate-light").count(), 0, "plates behind what fills its square");
    await tile(page, "hostile").getByText(hostile).waitFor();
    await picture(page, folder, "catalogue");
    same(await axe(page), [], "axe");
    check((await page.evaluate(() => globalThis.hit)) === undefined, "a package's text ran");
}

export async function a2_findsIt() {
    const { page } = open;
    await page.getByRole("searchbox", { name: "Search software" }).fill("archives packer");
    await until(async () => (await page.locator("li.tile").count()) === 1, "one matches");
    await tile(page, "packer").waitFor();
    await page.getByRole("searchbox", { name: "Search software" }).fill("nothing like it");
    await page.getByRole("heading", { name: "Nothing matches" }).waitFor();
    await page.getByRole("searchbox", { name: "Search software" }).fill("");
    await page.getByRole("button", { name: /^Internet/ }).click();
    await until(async () => (await page.locator("li.tile").count()) === 2, "two are of the category");
    await page.reload(); // the view stands in the address
    await until(async () => (await page.locator("li.tile").count()) === 2, "two are of the category");
    await page.getByRole("button", { name: "All categories" }).click();
    await page.getByRole("button", { name: /^Installed/ }).click();
    await until(async () => (await page.locator("li.tile").count()) === 1, "one is installed");
    await tile(page, "keeper").waitFor();
    await page.getByRole("button", { name: /^All software/ }).click();
    await page.getByLabel("Sort by").selectOption("date");
    await until(async () => (await page.locator("li.tile").first().getAttribute("data-package")) === "fleeting", "the latest comes first");
    await page.getByLabel("Sort by").selectOption("name");
    await until(async () => (await page.locator("li.tile").first().getAttribute("data-package")) === "hostile", "by name again");
}

export async function a3_readsMoreByKeyboard({ folder, hostile }) {
    const { page } = open;
    await page.keyboard.press("/");
    check(await page.getByRole("searchbox").evaluate((box) => box === document.activeElement), "'/' leads to the search");
    await tile(page, "browser").locator(".tile-name").focus();
    await page.keyboard.press("ArrowRight");
    check(await tile(page, "builder").locator(".tile-name").evaluate((name) => name === document.activeElement), "an arrow leads to the next");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Builder" });
    await dialog.getByText("https://builder.example").waitFor();
    check((await dialog.getByRole("link").count()) === 0, "a home page is no link");
    await picture(page, folder, "details");
    same(await axe(page), [], "axe of the details");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await tile(page, "hostile").locator(".tile-name").click();
    await page.getByRole("dialog").getByText("javascript:window.hit=3").waitFor();
    await page.getByRole("dialog").getByText(hostile).first().waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    check((await page.evaluate(() => globalThis.hit)) === undefined, "a package's text ran");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).getByText("From name to name").waitFor();
    await picture(page, folder, "help");
    await page.keyboard.press("Escape");
}

export async function a4_installsWithThePassword({ ask, password, folder }) {
    const { page } = open;
    await page.getByRole("button", { name: "Install Slow" }).click();
    const dialog = page.getByRole("dialog", { name: "Install Slow" });
    await dialog.getByLabel("Password of dave").fill("not this one");
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").getByText("wrong").waitFor();
    await picture(page, folder, "password");
    same(await axe(page), [], "axe of the password");
    check((await ask("installed", "slow")) === "", "it is installed without the password");
    await dialog.getByLabel("Password of dave").fill(password);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await tile(page, "slow").locator("progress").waitFor();
    await page.locator(".taskbar").getByText("Installing Slow").waitFor();
    await page.getByRole("button", { name: "Install Mover" }).click(); // no password now; it waits
    await tile(page, "mover").getByText("waiting for its turn").waitFor();
    await page.getByText("1 more waits").waitFor();
    await picture(page, folder, "at-work");
    same(await axe(page), [], "axe while it works");
    await page.getByRole("button", { name: "Install Player" }).click();
    await page.getByText("2 more wait").click();
    await page.getByRole("button", { name: "Cancel: Installing Player" }).click();
    await toast(page).getByText("Player: cancelled.").waitFor();
    await Promise.all([toast(page).getByText("Slow is installed.").waitFor(), ask("go")]); // it is told for some seconds
    await tile(page, "slow").locator(".status-ok").waitFor();
    await tile(page, "mover").locator(".status-ok").waitFor();
    check((await ask("installed", "slow")) === "1-1" && (await ask("installed", "mover")) === "1-1", "not installed in truth");
    check((await ask("installed", "player")) === "", "what was cancelled is installed");
    await page.locator(".taskbar").waitFor({ state: "detached" });
}

export async function a5_upgrades({ ask, folder }) {
    const { page } = open;
    await ask("newer");
    await page.getByRole("button", { name: "Update the catalogue" }).click();
    await page.getByRole("button", { name: "Upgrade all (1)" }).waitFor();
    await tile(page, "keeper").getByText("1-1 is installed").waitFor();
    await picture(page, folder, "to-upgrade");
    await page.getByRole("button", { name: "Upgrade Keeper" }).click();
    await toast(page).getByText("Keeper is installed.").waitFor();
    check((await ask("installed", "keeper")) === "2-1", "not upgraded in truth");
    await page.getByRole("button", { name: /^Upgrade all/ }).waitFor({ state: "detached" });
}

export async function a6_removes({ ask }) {
    const { page } = open;
    await page.getByRole("button", { name: "Remove Mover" }).click();
    await toast(page).getByText("Mover is removed.").waitFor();
    await page.getByRole("button", { name: "Install Mover" }).waitFor();
    check((await ask("installed", "mover")) === "", "not removed in truth");
}

export async function a7_isToldWhyNot({ ask, folder }) {
    const { page } = open;
    await page.getByRole("button", { name: "Install Fails" }).click();
    await page.locator(".toast-error").getByText("An administrator of this machine can see why").waitFor();
    check(!(await page.locator("body").textContent()).includes("7-7-7"), "a script's words are shown");
    await page.locator(".toast-error").getByRole("button", { name: "Close" }).click();
    const proof = await page.evaluate(() => sessionStorage.getItem("wapt.proof")); // else it would be nobody's answer
    const old = { status: 503, contentType: "application/json", headers: { "Wapt-Proof": proof }, body: '{"error":{"code":"busy","message":"not now"}}' };
    await page.route("**/local/catalogue", (route) => route.fulfill(old)); // the page goes on to show what it was offered
    await ask("withdraw");
    await page.getByText("not now").waitFor();
    await page.getByRole("button", { name: "Install Fleeting" }).click();
    await page.locator(".toast-error").getByText("no rule lets you install 'fleeting'").waitFor();
    await picture(page, folder, "refused");
    check((await ask("installed", "fleeting")) === "", "installed without a right");
    await page.unroute("**/local/catalogue");
    await page.locator(".toast-error").getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Update the catalogue" }).click();
    await tile(page, "fleeting").waitFor({ state: "detached" });
}

export async function a8_waitsForTheService({ ask }) {
    const { page } = open;
    await ask("away");
    await page.getByText("The service of this machine does not answer").waitFor();
    await ask("back");
    await page.getByText("The service of this machine does not answer").waitFor({ state: "detached" });
    await tile(page, "writer").waitFor();
}

export async function a9_looksWell({ browser, ask, folder }) {
    same(open.trouble, [], "trouble in the page");
    await open.context.close(); // else each further page counts as one more of the same
    for (const [theme, locale] of [["dark", "fr-FR"], ["light", "fr-FR"]]) {
        const link = await ask("link");
        const { context, page, trouble } = await tab(browser, new URL(link).origin, { colorScheme: theme, locale });
        await page.goto(link);
        await tile(page, "writer").waitFor();
        await page.getByLabel(/^(Language|Langue)$/).selectOption("fr");
        await page.getByRole("button", { name: "Installer Browser" }).waitFor();
        await picture(page, folder, `fr-${theme}`);
        same(await axe(page, theme === "light"), [], `axe in ${theme}`);
        await page.getByRole("button", { name: "Browser", exact: true }).click();
        await page.getByRole("dialog", { name: "Browser" }).waitFor();
        same(await axe(page, true), [], `axe of the details in ${theme}`);
        await page.keyboard.press("Escape");
        same(trouble, [], "trouble in the page");
        await context.close();
    }
}

export async function b1_opensOnAView({ browser, ask }) {
    const link = await ask("link", "--list-install", "-s", "slow");
    const { context, page, trouble } = await tab(browser, new URL(link).origin);
    await page.goto(link);
    await until(async () => (await page.locator("li.tile").count()) === 1, "one is shown");
    await tile(page, "slow").waitFor();
    check(page.url().endsWith("/?list=installed&search=slow"), page.url());
    check((await page.getByRole("searchbox").inputValue()) === "slow", "the search is in its field");
    same(trouble, [], "trouble in the page");
    await context.close();
}
