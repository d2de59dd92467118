// The first root of a repository, in the real console, with a person at its terminal. One story, in the order of the names.
import { readFileSync } from "node:fs";
import { begin, check, look as lookAt, same, signed, unlock } from "./lib.mjs";

export const isOneStory = true;
let open, half;

const look = (name, folder) => lookAt(open.page, `real-${name}`, folder, { fullPage: true });

export async function r1_theFrontPageLeadsThere({ browser, link, folder }) {
    open = await begin(browser, link);
    const { page } = open;
    await page.getByText("There is no root document yet").waitFor();
    await look("no-root-start", folder);
    await page.getByRole("link", { name: "Make the first root." }).click();
    await page.getByRole("heading", { name: "There is no root yet" }).waitFor();
    await look("no-root", folder);
}

export async function r2_itIsMadeAndSignedByAGesture({ ask, keyPassword, bob, folder }) {
    const { page } = open;
    await page.getByRole("button", { name: "Make the first root" }).click();
    const draft = page.locator("[data-test=draft]");
    await draft.locator("li", { hasText: "Alice" }).first().waitFor();
    await draft.locator("li", { hasText: "Authority" }).waitFor();
    const review = page.getByRole("button", { name: "Review" });
    await draft.getByText("of this server").waitFor();
    await draft.locator("li", { hasText: "of this server" }).getByRole("button").click();
    await draft.getByText("This server's key is not among them").waitFor();
    check(await review.isDisabled(), "a root without a timestamp key");
    await draft.getByRole("button", { name: "Add this server's" }).click();
    await page.getByRole("button", { name: "Add an administrator" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("or its file").setInputFiles({ name: "Bob.crt", mimeType: "application/x-pem-file", buffer: Buffer.from(bob) });
    await dialog.getByRole("button", { name: "Keep" }).click();
    await dialog.waitFor({ state: "detached" });
    await draft.getByText("Bob.crt").waitFor();
    await page.getByLabel("Signatures needed").fill("2");
    await look("first-root", folder);
    await review.click();
    await dialog.getByText("no root: whoever has this one obeys it alone").waitFor();
    await unlock(page, keyPassword);
    await look("first-root-review", folder);
    const saved = page.waitForEvent("download");
    await dialog.getByRole("button", { name: "Sign", exact: true }).click();
    const said = await ask("yes");
    check(said.includes("Bob") && said.includes("Timestamp key"), said);
    half = readFileSync(await (await saved).path(), "utf8");
    await dialog.waitFor({ state: "detached" });
    check(!(await ask("served")), "one signature of two put it into force");
}

export async function r3_theSecondSignatureAndItIsTakenOver({ ask, folder }) {
    const { page } = open;
    const buffer = Buffer.from(await ask("bobSigns", half));
    await page.getByRole("heading", { name: "There is no root yet" }).waitFor();
    await page.getByLabel("Take over a signed root").setInputFiles({ name: "root.json", mimeType: "application/json", buffer });
    const dialog = page.getByRole("dialog");
    await dialog.getByText("has signed").first().waitFor();
    await dialog.getByText("you will be asked outside of it").waitFor();
    await look("root-taken-over", folder);
    await dialog.getByRole("button", { name: "Confirm" }).click();
    check((await ask("yes")).includes("Alice"), "the terminal shows whose it is");
    await page.getByText("In force: version 1").waitFor();
    check(await ask("served"), "the server has it");
}

export async function r4_theListIsPublishedAndNothingIsLeftToDo({ ask }) {
    const { page, base } = open;
    await page.goto(`${base}/repository`);
    await page.getByRole("button", { name: "Publish the list" }).click();
    await signed(page, ask);
    check(await ask("published"), "the list is there");
    await page.goto(`${base}/start`);
    await page.getByRole("heading", { name: "What needs attention" }).waitFor();
    await page.locator(".tile").first().waitFor();
    await page.getByText("There is no root document yet").waitFor({ state: "detached" });
    same(open.trouble, [], "trouble in the page");
    await open.context.close();
}
