// The program has ended, and another user of the machine has its port: he answers like it, and waits for what a person types into the pages that are open still.
import { begin, same, until } from "./lib.mjs";

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
    await ask("takeOver");
    await page.keyboard.press("Enter");
    await until(async () => (await ask("heard")).length > 0, "he is asked");
    same(told(await ask("heard"), secret), [], "what he was told");
    await page.getByText(AWAY).waitFor();
    // Nor does it believe him that all is well and somebody is logged in.
    const answered = page.waitForResponse((r) => r.url().endsWith("/local/state"));
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await (await answered).finished();
    await page.getByText(AWAY).waitFor();
    same(await page.getByText("impostor").count(), 0, "what he says");
    same(told(await ask("heard"), secret), [], "what he was told later");
    await context.close();
}
