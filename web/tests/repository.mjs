// The repository and what machines are assigned, in the real console against a real server and a real machine. One story, in the order of
// the names.
import path from "node:path";
import { axe, check, same, tab } from "./lib.mjs";

let open;
const grid = (page, name) => page.getByRole("grid", { name, exact: true });

async function look(name, folder) {
    const { page } = open;
    for (const theme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme: theme });
        await page.screenshot({ path: path.join(folder, `${name}-${theme}.png`) });
        same(await axe(page, theme === "dark"), [], `axe in ${name}, ${theme}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
}

export async function b1_theRepositoryIsShown({ browser, link, password, folder, tool }) {
    const base = new URL(link).origin;
    open = { base, ...(await tab(browser, base)) };
    const { page } = open;
    await page.goto(link);
    await page.getByRole("dialog", { name: "Log in" }).waitFor();
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Repository" }).click();
    await grid(page, "Packages").getByRole("link", { name: tool }).waitFor();
    await grid(page, "Packages").getByText("Developer").first().waitFor();
    await look("repository", folder);
    await page.getByRole("searchbox").fill("no such package");
    await page.getByText("No package matches.").waitFor();
    await page.getByRole("searchbox").fill(tool);
    await grid(page, "Packages").getByRole("link", { name: tool }).click();
    await page.getByRole("heading", { name: tool }).waitFor();
    await page.getByText("0 machines have it").waitFor();
    await page.locator(".facts").getByRole("link", { name: "web-needing" }).waitFor();
    await look("package", folder);
}

export async function b2_removalWarns({ folder, tool }) {
    const { page } = open;
    await grid(page, "Versions").focus();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(`web-needing needs ${tool}`).waitFor();
    await dialog.getByText("0 machines have it").waitFor();
    await look("package-remove", folder);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Promote", exact: true }).click();
    await dialog.getByLabel("From DEV to").selectOption("PREPROD");
    await look("package-promote", folder);
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByText("signed by Developer").waitFor();
    await look("package-review", folder);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
}

export async function b3_importsOnlyFromWhatIsConfigured({ folder }) {
    const { page } = open;
    await page.getByRole("link", { name: "Repository" }).click();
    await page.getByRole("button", { name: "Import packages" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Packages").fill("tis-tool");
    await dialog.getByLabel("Prefix here").fill("acme");
    await look("import", folder);
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByRole("alert").waitFor(); // nobody serves it
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
}

export async function b4_aKitIsShownBeforeItIsMade({ folder }) {
    const { page } = open;
    await page.getByRole("link", { name: "Enrolment kit" }).click();
    await page.getByLabel("For how many machines").fill("3");
    await look("kit", folder);
    await page.getByRole("button", { name: "Review" }).click();
    await page.getByRole("dialog").getByText("Trusted for packages").waitFor();
    await look("kit-review", folder);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
}

export async function b5_assignmentsArePlannedShownAndSigned({ ask, folder, name, tool, keyPassword }) {
    const { page } = open;
    await page.getByRole("link", { name: "Machines", exact: true }).click();
    await grid(page, "Machines").getByRole("link", { name }).click();
    await page.getByRole("button", { name: "Assign", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Assign", { exact: true }).fill(`${tool} web-none`);
    await look("assign", folder);
    await dialog.getByRole("button", { name: "Show the plan" }).click();
    await dialog.getByText("Not possible as wished").waitFor();
    await look("assign-plan", folder);
    await page.keyboard.press("Escape");
    await dialog.getByLabel("Assign", { exact: true }).fill("web-plain");
    await dialog.getByRole("button", { name: "Show the plan" }).click();
    await dialog.locator("[data-test=plan]").getByText("web-plain").first().waitFor();
    await page.keyboard.press("Escape");
    await dialog.getByLabel("Exclude", { exact: true }).fill("web-rival");
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByText("assigned: + web-plain").waitFor();
    await dialog.getByText("excluded: + web-rival").waitFor();
    await dialog.getByLabel("Password of the key").fill(keyPassword);
    await page.keyboard.press("Enter");
    await dialog.getByLabel("Password of the key").waitFor({ state: "detached" });
    await look("assign-review", folder);
    await page.getByRole("button", { name: "Sign and send" }).click();
    await dialog.waitFor({ state: "detached" });
    const own = await ask("own");
    check(own.depends.split(",").includes("web-plain") && own.conflicts.split(",").includes("web-rival"), `the machine's package says ${JSON.stringify(own)}`);
    await page.getByRole("link", { name: "Assignments" }).click();
    await grid(page, "Assignments").getByRole("link", { name: "web-group" }).waitFor();
    await look("assignments", folder);
    same(open.trouble, [], "trouble in the page");
    await open.context.close();
}
