// The repository and what machines are assigned, in the real console against a real server and a real machine. One story, in the order of
// the names.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { begin, check, hold, look as lookAt, same, selectFirst, signed as signs, unlock } from "./lib.mjs";

let open;
const signed = (ask) => signs(open.page, ask);
const grid = (page, name) => page.getByRole("grid", { name, exact: true });

const look = (name, folder) => lookAt(open.page, name, folder);

export async function b1_theRepositoryIsShown({ browser, link, password, folder, tool }) {
    open = await begin(browser, link, { password });
    const { page } = open;
    await page.getByRole("link", { name: "Repository" }).first().click();
    await grid(page, "Packages").getByRole("link", { name: tool }).waitFor();
    await grid(page, "Packages").getByText("Developer").first().waitFor();
    await look("repository", folder);
    await page.getByRole("searchbox").fill("no such package");
    await page.getByText("Nothing matches").waitFor();
    await page.getByRole("searchbox").fill(tool);
    await grid(page, "Packages").getByRole("link", { name: tool }).click();
    await page.getByRole("heading", { name: tool }).waitFor();
    await page.getByText("0 machines have it").waitFor();
    await page.locator(".facts").getByRole("link", { name: "web-needing" }).waitFor();
    await look("package", folder);
}

export async function b2_removalWarns({ ask, folder, tool, keyPassword }) {
    const { page } = open;
    await selectFirst(grid(page, "Versions"));
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
    await unlock(page, keyPassword, "Developer");
    await signed(ask);
    check((await ask("packages"))[`${tool} 1.0-1 PREPROD`] === "Developer", "it is promoted");
}


export async function b3_importsOnlyFromWhatIsConfigured({ ask, folder }) {
    const { page } = open;
    await page.getByRole("link", { name: "Repository" }).first().click();
    await page.getByRole("button", { name: "Import packages" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("From", { exact: true }).selectOption("away");
    await dialog.getByLabel("Packages").fill("tis-tool");
    await dialog.getByLabel("Prefix here").fill("acme");
    await look("import", folder);
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.locator("p[role=alert]").waitFor(); // nobody serves it; what is said of before may stand there, too
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    // From one that is there: with what it needs, under another prefix, signed by the person at the terminal.
    await page.getByRole("button", { name: "Import packages" }).click();
    await dialog.getByLabel("From", { exact: true }).selectOption("store");
    await dialog.getByLabel("Packages").fill("tis-tool");
    await dialog.getByLabel("Prefix here").fill("acme");
    await dialog.getByLabel("Maturity here").selectOption("DEV");
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByText("tis-lib, signed by Stranger").waitFor();
    const text = await signed(ask);
    check(text.includes("acme-tool") && text.includes("acme-lib"), `the terminal says ${text}`);
    const there = await ask("packages");
    same([there["acme-tool 1.0-1 DEV"], there["acme-lib 1.0-1 DEV"]], ["Developer", "Developer"], "imported");
    // Signed anew, several at once.
    await page.getByRole("searchbox").fill("acme-");
    await page.getByText("2 rows", { exact: true }).waitFor();
    await grid(page, "Packages").focus();
    await page.keyboard.press("Control+a");
    await page.getByText("2 packages selected").waitFor();
    await page.getByRole("button", { name: "Sign anew" }).click();
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByText("acme-tool, signed by Developer").waitFor();
    await signed(ask);
    // Under another prefix, with what they need.
    await page.getByRole("searchbox").fill("acme-tool");
    await page.getByText("1 row", { exact: true }).waitFor();
    await grid(page, "Packages").focus();
    await page.keyboard.press("Control+a");
    await page.getByText("1 package selected").waitFor();
    await page.getByRole("button", { name: "Sign anew" }).click();
    await dialog.getByLabel("Another prefix").fill("own");
    await look("resign", folder);
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByText("own-lib 1.0-1").waitFor();
    await signed(ask);
    const renamed = await ask("packages");
    same([renamed["own-tool 1.0-1 DEV"], renamed["own-lib 1.0-1 DEV"]], ["Developer", "Developer"], "renamed");
    await page.getByRole("searchbox").fill("");
}

export async function b3b_packagesAreDropped({ ask, folder, files }) {
    const { page } = open;
    const dialog = page.getByRole("dialog");
    const drop = await hold(page, files);
    await look("drop", folder);
    await drop();
    await dialog.getByLabel("Publish them").selectOption("anew");
    await dialog.getByLabel("Whose signatures count on them").selectOption("store");
    await look("drop-files", folder);
    await dialog.getByLabel("Publish them").selectOption("as");
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByText("web-dropped, signed by Developer").waitFor();
    await dialog.getByText("web-foreign_1.0-1.wapt: ").waitFor(); // refused, with the reason
    await look("drop-review", folder);
    await signed(ask);
    const there = await ask("packages");
    check(there["web-dropped 1.0-1 "] === "Developer" && there["web-foreign 1.0-1 "] === undefined, `there is ${JSON.stringify(there)}`);
    await grid(page, "Packages").getByRole("link", { name: "web-dropped" }).waitFor();
    // Chosen with the system's dialog, under the certificates of the store.
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Add packages" }).click()]);
    await chooser.setFiles(files[1]);
    await dialog.getByLabel("Publish them").selectOption("anew");
    await dialog.getByLabel("Whose signatures count on them").selectOption("store");
    await dialog.getByLabel("Prefix here").fill("own");
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByText("web-foreign, signed by Stranger").waitFor();
    await signed(ask);
    check((await ask("packages"))["own-foreign 1.0-1 "] === "Developer", "it is signed anew");
}

export async function b4_aKitIsShownBeforeItIsMade({ ask, folder }) {
    const { page } = open;
    await page.getByRole("link", { name: "Enrolment kit" }).click();
    await page.getByLabel("For how many machines").fill("3");
    await look("kit", folder);
    await page.getByRole("button", { name: "Review" }).click();
    await page.getByRole("dialog").getByText("Trusted for packages").waitFor();
    await look("kit-review", folder);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    // With the agent in it: its digest is confirmed at the terminal, and what is saved installs that very package.
    const deb = Buffer.concat([Buffer.from("!<arch>\ndebian-binary   "), Buffer.alloc(100_000, 7)]);
    await page.getByLabel("The agent's Debian package, to be in it").setInputFiles({ name: "wapt-agent.deb", mimeType: "application/octet-stream", buffer: deb });
    await look("kit-agent", folder);
    await page.getByRole("button", { name: "Review" }).click();
    await page.getByRole("dialog").getByText("wapt-agent.deb, SHA-256").waitFor();
    const saved = page.waitForEvent("download");
    const text = await signed(ask);
    const digest = createHash("sha256").update(deb).digest("hex");
    check(text.includes(digest), `the terminal says ${text}`);
    const script = readFileSync(await (await saved).path(), "utf8");
    const inside = script.slice(script.indexOf("\n#agent\n") + 8, script.lastIndexOf("\n#end\n"));
    check(script.includes(`agent=${digest}\n`) && Buffer.from(inside, "base64").equals(deb), "the agent is in it");
}

export async function b4b_aGroupsWindowReachesTheMachineAndIsShown({ ask, folder, name }) {
    const { page } = open;
    const dialog = page.getByRole("dialog");
    const day = new Date(Date.now() + 3 * 86_400_000).toLocaleDateString("sv"); // 2026-12-31, as the machine's calendar has it: the same clock
    await page.getByRole("link", { name: "Assignments" }).click();
    await grid(page, "Assignments").getByRole("link", { name: "web-group" }).waitFor();
    await selectFirst(grid(page, "Assignments"));
    await page.getByRole("button", { name: "Maintenance and holds" }).click();
    await dialog.getByText("web-group 1.0-1").waitFor();
    await dialog.getByLabel("Maintenance windows").selectOption("these:");
    const first = page.getByRole("group", { name: "Window 1" });
    for (const one of ["Mon", "Tue", "Wed", "Thu", "Fri"]) await first.getByLabel(one).uncheck();
    await first.getByLabel("Date").fill(day);
    await first.getByLabel("from").fill("02:00");
    await first.getByLabel("to", { exact: true }).fill("04:00");
    await dialog.getByLabel("Hold packages").fill("web-held");
    await look("group-windows", folder);
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByText(`maintenance windows: + ${day} 02:00-04:00`).waitFor();
    await dialog.getByText("held: + web-held").waitFor();
    await signed(ask);
    await grid(page, "Assignments").getByText(`${day} 02:00-04:00`).waitFor();
    await ask("joins", "web-group");
    await page.getByRole("link", { name: "Machines", exact: true }).click();
    const machines = grid(page, "Machines");
    await machines.getByRole("link", { name }).waitFor();
    await page.getByRole("button", { name: "Columns" }).click();
    for (const column of ["Next window", "Maintenance windows", "Holds"]) await page.getByRole("checkbox", { name: column, exact: true }).check();
    await page.keyboard.press("Escape");
    await machines.getByText(`${day} 02:00-04:00`).waitFor();
    await machines.getByText("web-held").waitFor();
    await machines.getByText(/^in \d (days|hours)$/).waitFor();
    await look("machines-window", folder);
    await page.getByRole("button", { name: "Columns" }).click();
    for (const column of ["Next window", "Maintenance windows", "Holds"]) await page.getByRole("checkbox", { name: column, exact: true }).uncheck();
    await page.keyboard.press("Escape");
    await machines.getByRole("link", { name }).click();
    const panel = page.locator(".panel", { has: page.getByRole("heading", { name: "Maintenance" }) });
    await panel.getByText(`${day} 02:00-04:00`).waitFor();
    await panel.getByText("(web-group)").waitFor();
    await panel.getByText("without end, by web-group").waitFor();
    await panel.getByText(/, 02:00\s?–\s?04:00$/).waitFor();
    await look("machine-window", folder);
}

export async function b5_assignmentsArePlannedShownAndSigned({ ask, folder, name, tool }) {
    const { page } = open;
    await page.getByRole("link", { name: "Machines", exact: true }).first().click();
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
    await look("assign-review", folder);
    await page.getByRole("button", { name: "Sign and send" }).click();
    await dialog.waitFor({ state: "detached" });
    const own = await ask("own");
    check(own.depends.split(",").includes("web-plain") && own.conflicts.split(",").includes("web-rival"), `the machine's package says ${JSON.stringify(own)}`);
    await page.getByRole("link", { name: "Assignments" }).click();
    await grid(page, "Assignments").getByRole("link", { name: "web-group" }).waitFor();
    await look("assignments", folder);
    // Its removal, of all versions, names the machines whose own packages need it.
    await grid(page, "Assignments").getByRole("link", { name: "web-group" }).click();
    await page.getByRole("heading", { name: "web-group" }).waitFor();
    await page.getByText("2 rows", { exact: true }).waitFor();
    await grid(page, "Versions").focus();
    await page.keyboard.press("Control+a");
    await page.getByText("2 packages selected").waitFor();
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await dialog.locator("[data-test=own]").getByText(`1 machine needs web-group: ${name}`).waitFor();
    await look("group-remove", folder);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("link", { name: "Assignments" }).click();
    await grid(page, "Assignments").getByRole("link", { name: "web-group" }).waitFor();
    // A new group, then both changed at once.
    await page.getByRole("button", { name: "New group or rules" }).click();
    await dialog.getByLabel("Name", { exact: true }).fill("web-office");
    await dialog.getByLabel("Assign", { exact: true }).fill("web-dropped web-nowhere");
    await look("group-new", folder);
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByText("assigned: + web-dropped").waitFor();
    await dialog.getByText("'web-nowhere' is not in the repository; needed by: web-office").waitFor();
    await look("group-review", folder);
    await signed(ask);
    await grid(page, "Assignments").getByRole("link", { name: "web-office" }).waitFor();
    await grid(page, "Assignments").focus();
    await page.keyboard.press("Control+a");
    await page.getByText("2 selected", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Change", exact: true }).click();
    await dialog.getByLabel("Assign no more").fill("web-nowhere");
    await dialog.getByLabel("Exclude", { exact: true }).fill("web-rival");
    await look("group-change", folder);
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByText("excluded: + web-rival").first().waitFor();
    await signed(ask);
    const there = await ask("packages");
    check(there["web-office 1-2 "] === "Developer" && there["web-group 1.0-3 "] === "Developer", `there is ${JSON.stringify(there)}`);
    // Rules of self-service.
    await page.getByRole("button", { name: "New group or rules" }).click();
    await dialog.getByLabel("Kind").selectOption("selfservice");
    await dialog.getByLabel("Name", { exact: true }).fill("web-shop");
    await dialog.getByLabel("Offer").fill("team: web-plain web-dropped; the boss: web-tool");
    await look("rules-new", folder);
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByText("the boss: + web-tool").waitFor();
    await signed(ask);
    await grid(page, "Assignments").getByRole("link", { name: "web-shop" }).waitFor();
    // The same in French.
    await page.getByLabel("Language").selectOption("fr");
    await page.getByRole("button", { name: "Nouveau groupe ou règles" }).click();
    await dialog.getByLabel("Genre").selectOption("selfservice");
    await look("rules-fr", folder);
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Dépôt" }).click();
    await page.getByRole("button", { name: "Ajouter des paquets" }).waitFor();
    await look("repository-fr", folder);
    same(open.trouble, [], "trouble in the page");
    await open.context.close();
}
