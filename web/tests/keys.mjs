// Keys, certificates, the root and a revocation in the real console, with a person at its terminal. One story, in the order of the names.
import { readFileSync } from "node:fs";
import { begin, check, look as lookAt, same, unlock } from "./lib.mjs";

export const isOneStory = true;
let open;
const grid = (page, name) => page.getByRole("grid", { name, exact: true });

const look = (name, folder) => lookAt(open.page, `real-${name}`, folder);

/** Unlocks in the review, signs, and has the person say yes; what was saved by the page. */
async function sign(ask, button, password) {
    const { page } = open;
    const dialog = page.getByRole("dialog");
    await unlock(page, password);
    const saved = page.waitForEvent("download");
    await dialog.getByRole("button", { name: button, exact: true }).click();
    const said = await ask("yes");
    await dialog.waitFor({ state: "detached" });
    return { said, text: readFileSync(await (await saved).path(), "utf8") };
}

export async function k1_aKeyIsMade({ browser, link, folder }) {
    open = await begin(browser, link);
    const { page } = open;
    await page.getByRole("link", { name: "Keys", exact: true }).click();
    await grid(page, "Keys").getByText("Alice").first().waitFor();
    await page.getByRole("button", { name: "New key" }).click();
    const dialog = page.getByRole("dialog");
    const make = dialog.getByRole("button", { name: "Make the key" });
    await dialog.getByLabel("Name", { exact: true }).fill("Dora of the pages");
    await dialog.getByLabel("Key", { exact: true }).selectOption("p-256");
    await dialog.getByText("read only packages that are signed with RSA").waitFor();
    await dialog.getByLabel("Password", { exact: true }).fill("a long enough one");
    await dialog.getByLabel("Password again").fill("another one");
    await dialog.getByText("The two passwords differ.").waitFor();
    check(await make.isDisabled(), "passwords that differ make no key");
    await dialog.getByLabel("Password again").fill("a long enough one");
    await make.click();
    await dialog.waitFor({ state: "detached" });
    await grid(page, "Keys").getByText("Dora of the pages").waitFor();
    await look("keys", folder);
}

export async function k1b_itGetsAnotherPassword({ folder }) {
    const { page } = open;
    await page.getByRole("button", { name: "Change a password" }).click();
    const dialog = page.getByRole("dialog");
    const change = dialog.getByRole("button", { name: "Change", exact: true });
    await dialog.getByLabel("Key", { exact: true }).selectOption({ label: "Dora of the pages" });
    await dialog.getByLabel("Old password").fill("not that one");
    await dialog.getByLabel("New password", { exact: true }).fill("seven77");
    await dialog.getByLabel("New password again").fill("seven77");
    check(await change.isDisabled(), "a short password is none");
    await dialog.getByLabel("New password", { exact: true }).fill("another long one");
    await dialog.getByText("The two passwords differ.").waitFor();
    await dialog.getByLabel("New password again").fill("another long one");
    await look("keys-password", folder);
    await change.click();
    await dialog.getByRole("alert").getByText("the password of the key is wrong").waitFor();
    await dialog.getByLabel("Old password").fill("a long enough one");
    await change.click();
    await dialog.waitFor({ state: "detached" });
    await page.getByText("The key has its new password.").waitFor();
}

export async function k2_aRequestIsSignedByAGesture({ ask, request, keyPassword, folder }) {
    const { page } = open;
    await page.getByRole("button", { name: "Sign a request" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Request (PEM)").fill(request);
    await dialog.getByLabel("Log in at a server").check();
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByText("CA, Code Signing").waitFor();
    const { said, text } = await sign(ask, "Sign", keyPassword);
    check(said.includes("It may: log in at a server (TLS client)"), said);
    check(text.startsWith("-----BEGIN CERTIFICATE-----"), text);
}

export async function k3_aRootIsProposedAndSigned({ ask, keyPassword, carol, folder }) {
    const { page } = open;
    await page.getByRole("tab", { name: "Root" }).click();
    await page.getByText("In force: version 1").waitFor();
    await page.getByRole("button", { name: "Propose a change" }).click();
    await page.getByLabel("Signatures needed").fill("3");
    await page.getByText("There are fewer administrators than signatures needed.").waitFor();
    await page.getByLabel("Signatures needed").fill("2");
    await page.getByRole("button", { name: "Add an administrator" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("or its file").setInputFiles({ name: "Carol.crt", mimeType: "application/x-pem-file", buffer: Buffer.from(carol) });
    await dialog.getByRole("button", { name: "Keep" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.locator("[data-test=draft] li", { hasText: "Deployer" }).getByRole("button", { name: "Rights" }).click();
    await dialog.getByLabel("Groups").fill("grp-lyon");
    await dialog.getByRole("button", { name: "Keep" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Review" }).click();
    await dialog.getByText("has not signed  [new]").or(dialog.getByText("has not signed [new]")).first().waitFor();
    await dialog.getByText(/grp-lyon +\[changed\]/).waitFor();
    await look("root-review", folder);
    const { said, text } = await sign(ask, "Sign", keyPassword);
    check(said.includes("Carol") && said.includes("grp-lyon"), said);
    check(await ask("signAndPublish", text), "the second administrator signs it, and it is published");
    await page.reload();
    await page.getByText("In force: version 2").waitFor();
    await page.getByRole("heading", { name: "Deployer" }).waitFor();
    await page.getByText("Alice, Bob, Carol").waitFor();
}

export async function k4_aRevocationShowsWhatItHits({ ask, folder, tool }) {
    const { page } = open;
    await page.getByRole("tab", { name: "Revoked" }).click();
    await page.getByText("None is revoked.").waitFor();
    await page.getByRole("button", { name: "Revoke a certificate", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Certificate").selectOption("");
    await dialog.getByLabel("Fingerprint (SHA-256)").fill(await ask("developer"));
    await dialog.getByRole("button", { name: "What does it hit?" }).click();
    await dialog.getByText(`${tool} 1`).waitFor();
    await dialog.getByText("0 machines' own packages are signed so").waitFor();
    await look("revoke", folder);
    check((await dialog.getByRole("button", { name: "Revoke", exact: true }).count()) === 0, "packages first");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Revoke a certificate", exact: true }).click();
    await dialog.getByLabel("Certificate").selectOption({ label: await ask("deployerLabel") });
    await dialog.getByRole("button", { name: "What does it hit?" }).click();
    await dialog.getByRole("button", { name: "Revoke", exact: true }).click();
    await dialog.getByText("Counts no more").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    same(open.trouble, [], "trouble in the page");
    await open.context.close();
}
