// The program has ended, and another user of the machine has its port: he answers like it, and waits for what a person types into the pages that are open still.
import { begin, same, tab, until } from "./lib.mjs";

const AWAY = "The console does not answer";

/** What is more than a question, or has the secret in it. */
function told(heard, secret) {
    return heard.filter((one) => one.includes(secret) || !one.startsWith("GET "));
}

/** A dialog that asks for a secret stands open while the program goes; what was typed is sent off then. */
export async function whoTakesThePortGetsNoPassword({ browser, link, ask, secret }) {
    const { context, page } = await begin(browser, link);
    const dialog = page.getByRole("dialog", { name: "Log in" });
    await dialog.getByLabel("User").fill("admin");
    await dialog.getByLabel("Password", { exact: true }).fill(secret);
    await ask("takeOver", link);
    await page.keyboard.press("Enter");
    await until(async () => (await ask("heard", link)).length > 0, "he is asked");
    same(told(await ask("heard", link), secret), [], "what he was told");
    await page.getByText(AWAY).waitFor();
    // Nor does it believe him that all is well and somebody is logged in.
    const answered = page.waitForResponse((r) => r.url().endsWith("/local/state"));
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await (await answered).finished();
    await page.getByText(AWAY).waitFor();
    same(await page.getByText("impostor").count(), 0, "what he says");
    same(told(await ask("heard", link), secret), [], "what he was told later");
    await context.close();
}

/** He has it before the page, which is the program's own, has told its ticket: that buys him nothing, and the page believes him nothing. */
export async function whoTakesThePortFirstIsNotBelieved({ browser, again, ask }) {
    const { context, page } = await tab(browser, new URL(again).origin);
    await page.route("**/local/session", async (route) => {
        await ask("takeOver", again);
        await route.continue();
    });
    await page.goto(again);
    await page.getByRole("heading", { name: "Open the console again" }).waitFor();
    const heard = await ask("heard", again);
    same(heard.filter((one) => !one.startsWith("GET /icon")).map((one) => one.split(" {")[0]), ["POST /local/session"], "what he was asked");
    same(heard.filter((one) => one.includes(new URLSearchParams(new URL(again).hash.slice(1)).get("answer"))), [], "the half that is not told");
    same(await page.evaluate(() => sessionStorage.length), 0, "what the page has kept");
    await context.close();
}
