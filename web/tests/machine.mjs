// A machine's certificate is revoked, and the machine shut out, in the real console with a real agent. One story, in the order of the names.
import { begin, check, more, same } from "./lib.mjs";

export const isOneStory = true;
let open;

export async function m1_itsCertificateIsRevoked({ browser, link, password, uuid, ask }) {
    open = await begin(browser, link, { at: "/keys?tab=revoked", password });
    const { page } = open;
    await page.getByRole("button", { name: "Revoke a machine's certificate" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("to shut it out, forget it").waitFor();
    await dialog.getByLabel("Identifier of the machine").fill(uuid);
    await dialog.getByRole("button", { name: "Revoke", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    check(await ask("refused", "first.pem"), "whoever has that certificate is refused");
    check(await ask("another"), "the machine is let in by another one");
}

export async function m2_itIsShutOut({ uuid, ask }) {
    const { page, base } = open;
    await page.goto(`${base}/hosts/${encodeURIComponent(uuid)}`);
    await more(page, "Forget the machine");
    await page.getByRole("dialog").getByRole("button", { name: "Forget", exact: true }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    check(await ask("refused", "second.pem"), "what it has is refused");
    check(!(await ask("registers", false)), "its own key lets nobody in who is forgotten");
    check(!(await ask("usedToken")), "nor does the token that was used");
    await page.goto(`${base}/hosts`);
    await page.getByText("0 machines").waitFor();
}

export async function m3_aNewTokenLetsItIn({ ask }) {
    const { page } = open;
    check(await ask("registers", true), "a new token");
    check(await ask("back"), "it is there, once");
    await page.getByRole("grid", { name: "Machines" }).getByText("connected").first().waitFor();
    same(open.trouble, [], "trouble in the page");
    await open.context.close();
}
