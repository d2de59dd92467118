// Logging in from the pages, at a real provider of OpenID Connect and by a certificate. One story, in the order of the names.
import { begin, check, same } from "./lib.mjs";

export const isOneStory = true; // after a failure the rest is not reached
let open; // the tab of the story

const dialog = (page) => page.getByRole("dialog", { name: "Log in" });

/** The tab in which the provider asks who somebody is. */
async function atProvider() {
    const { page, context } = open;
    await dialog(page).waitFor();
    await dialog(page).getByRole("combobox", { name: "By" }).selectOption("oidc");
    const [there] = await Promise.all([context.waitForEvent("page"), dialog(page).getByRole("button", { name: "Go to the provider" }).click()]);
    await dialog(page).getByText("in the tab that has opened").waitFor();
    await there.getByRole("link", { name: /Cancel/ }).waitFor(); // it has come to its question, and stays: nothing else leads the tab on
    same(await there.evaluate(() => window.opener), null, "the provider's tab knows ours");
    return there;
}

async function logOut() {
    const { page } = open;
    await page.getByRole("button", { name: open.user }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await dialog(page).waitFor();
}

export async function a1_atTheProvider({ browser, link }) {
    open = { user: "anna", ...(await begin(browser, link, { ignoreHTTPSErrors: true })) };
    const { page, base } = open;
    const there = await atProvider();
    await there.getByPlaceholder("Enter any login").fill("anna");
    await there.getByPlaceholder("and password").fill("any");
    await there.getByRole("button").first().click();
    await there.getByRole("button", { name: "Continue" }).click();
    await there.getByText("Done: this page can be closed.").waitFor();
    const code = new URL(there.url()).searchParams.get("code");
    check(code && !there.url().startsWith(base), "the code came to a port of its own");
    await dialog(page).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "anna" }).waitFor();
    const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie, location.href, document.body.innerText]));
    check(!kept.includes(code), "the page has the code");
    await there.close();
}

export async function a2_whoSaysNoThere() {
    await logOut();
    const there = await atProvider();
    await there.getByRole("link", { name: /Cancel/ }).click();
    await there.getByText("Done: this page can be closed.").waitFor();
    await dialog(open.page).getByRole("alert").filter({ hasText: "the provider refuses: access_denied" }).waitFor();
    await there.close();
}

export async function a3_anotherWayMeanwhile() {
    const { page } = open;
    const there = await atProvider();
    await dialog(page).getByRole("combobox", { name: "By" }).selectOption("password");
    await dialog(page).getByText("in the tab that has opened").waitFor({ state: "detached" });
    check(await dialog(page).getByRole("button", { name: "Log in" }).isEnabled(), "the password is taken");
    await there.close();
}

export async function a4_byACertificate({ keyPassword }) {
    const { page } = open;
    await dialog(page).getByRole("combobox", { name: "By" }).selectOption("certificate");
    await dialog(page).getByLabel("Password of the key").fill("not the password");
    await page.keyboard.press("Enter");
    await dialog(page).getByRole("alert").filter({ hasText: /./ }).waitFor();
    await dialog(page).getByLabel("Password of the key").fill(keyPassword);
    await page.keyboard.press("Enter");
    await dialog(page).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "admin" }).waitFor();
    open.user = "admin";
    await page.reload();
    await page.getByRole("button", { name: "admin" }).waitFor();
    same(open.trouble, [], "trouble in the page");
}
