// Thousands of machines at once: chosen by a filter, shown before anything is signed, one signature, and what becomes of it live. Some of
// them are connected, the others off.
import path from "node:path";
import { axe, begin, check, same, selectFirst, unlock } from "./lib.mjs";

const grid = (page, name) => page.getByRole("grid", { name, exact: true });
const counts = (page, name, n) => page.locator(`[role=grid][aria-label="${name}"][aria-rowcount="${n + 1}"]`).waitFor(); // with the header
let open;

export const isOneStory = true;

export async function d1_aFilterChoosesThousands({ browser, link, password, total }) {
    open = await begin(browser, link, { at: "/hosts", password });
    const { page } = open;
    await grid(page, "Machines").locator(".t-body .t-row a").first().waitFor();
    await counts(page, "Machines", total);
    const asked = page.waitForResponse((r) => r.url().includes("search=pc-"));
    await page.getByRole("searchbox", { name: "Search machines" }).fill("pc-");
    await asked;
    await page.locator("[role=grid][aria-label=Machines][aria-busy=false]").waitFor();
    await selectFirst(grid(page, "Machines"));
    await page.getByRole("button", { name: /^Select all that match \(/ }).click();
    await page.getByText(`${total.toLocaleString("en")} machines selected`).waitFor();
    await selectFirst(grid(page, "Machines")); // all but one: it is off
    open.count = total - 1;
    await page.getByText(`${open.count.toLocaleString("en")} machines selected`).waitFor();
}

export async function d2_whoIsConcernedIsShownAndSignedOnce({ ask, folder, keyPassword, connected }) {
    const { page, count } = open;
    const dialog = page.getByRole("dialog");
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: "Send the inventory" }).click();
    await page.getByRole("button", { name: "Review" }).click();
    await dialog.getByText(`${count.toLocaleString("en")} machines concerned`).waitFor();
    await counts(page, "Machines concerned", count);
    check((await dialog.locator("*").count()) < 1500, "each machine is an element of the page");
    await page.screenshot({ path: path.join(folder, "crowd-review.png") });
    same(await axe(page), [], "axe in the review");
    await unlock(page, keyPassword);
    same(await ask("orders"), 0, "orders that came before anybody said yes");
    await page.getByRole("button", { name: "Sign and send" }).click();
    const text = await ask("yes");
    check(text.includes(String(count)), `the terminal says ${text}`);
    await page.getByRole("heading", { name: "Order: Send the inventory" }).waitFor();
    await page.getByText(`has arrived: ${connected}`).waitFor(); // by events: those that are simulated take it, and do no more
    await page.getByText(`waits for the machine: ${(count - connected).toLocaleString("en")}`).waitFor();
    same(await ask("orders"), connected, "machines that have it");
    await counts(page, "Results", count);
    await page.getByRole("link", { name: "Orders" }).first().click();
    await grid(page, "Orders").getByText(count.toLocaleString("en"), { exact: true }).waitFor();
    same(await grid(page, "Orders").locator(".t-body .t-row").count(), 1, "orders in the list");
    same(open.trouble, [], "trouble in the page");
    await open.context.close();
}
