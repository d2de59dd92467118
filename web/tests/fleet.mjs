// What administrators do with the list of machines, against a real server and a real agent. One story, in the order of the names.
import { axe, begin, check, look, same, selectFirst, until } from "./lib.mjs";

export const isOneStory = true;
const grid = (page) => page.getByRole("grid", { name: "Machines" });
let open;

async function sign(page, keyPassword) {
    const dialog = page.getByRole("dialog");
    await dialog.getByText("1 machine concerned").waitFor();
    const password = dialog.getByLabel("Password of the key"); // stands beside the machines, where it is asked for
    if (await password.count()) {
        await password.fill(keyPassword);
        await page.keyboard.press("Enter");
    }
    await page.getByRole("button", { name: "Sign and send" }).click();
}

export async function f1_aFieldOfItsInventoryIsAColumn({ browser, link, password, uuid, name, kernel }) {
    open = await begin(browser, link, { at: `/hosts/${encodeURIComponent(uuid)}?tab=all`, password });
    const { page } = open;
    await page.getByLabel("Search in the tree").fill("kernel");
    const add = page.getByRole("button", { name: "kernel version as a column of the list of machines" });
    await add.click();
    await until(async () => (await add.getAttribute("aria-pressed")) === "true", "it is one");
    same(await axe(page), [], "what axe finds");
    await page.getByRole("link", { name: "Machines" }).first().click();
    await grid(page).getByRole("columnheader", { name: "kernel version" }).waitFor();
    await grid(page).getByRole("row").filter({ hasText: name }).getByText(kernel, { exact: true }).waitFor();
    await page.reload();
    await grid(page).getByText(kernel, { exact: true }).waitFor();
    const csv = page.waitForEvent("download");
    await page.getByRole("button", { name: "CSV" }).click();
    const text = await (await csv).createReadStream().then(async (s) => (await s.toArray()).join(""));
    check(text.includes('"host_info.kernel_version"\r\n') && text.includes(`"${kernel}"\r\n`), "the table has it too");
}

export async function f2_itGoesAgain({ kernel }) {
    const { page } = open;
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Take kernel version away" }).click();
    await grid(page).getByText(kernel, { exact: true }).waitFor({ state: "detached" });
    same(await grid(page).getByRole("columnheader", { name: "kernel version" }).count(), 0, "its column");
    await page.keyboard.press("Escape");
}

export async function f3_anUpgradeLeavesOutWhatIsInUse({ ask, name, keyPassword }) {
    const { page } = open;
    const program = await ask("edit");
    await grid(page).getByRole("link", { name }).waitFor();
    await selectFirst(grid(page));
    await page.getByRole("button", { name: "Upgrade", exact: true }).click();
    await page.getByLabel("Leave out what is in use").check();
    await page.getByRole("button", { name: "Review" }).click();
    await page.getByRole("dialog").getByText("packages whose programs run").waitFor();
    await sign(page, keyPassword);
    const results = page.getByRole("grid", { name: "Results" });
    await results.locator(".status-ok").waitFor();
    await results.getByText("1 done, 1 put off").waitFor();
    await results.getByText(`f3a-editor 2: waits for ${program}`).waitFor();
}

export async function f3b_aRolloutWaitsForWhatIsInUse({ ask, name, keyPassword, folder }) {
    const { page, base } = open;
    await page.goto(`${base}/hosts`);
    await grid(page).getByRole("link", { name }).waitFor();
    await selectFirst(grid(page));
    await page.getByRole("toolbar", { name: "Actions" }).getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Roll out" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Order", { exact: true }).selectOption("audit");
    same(await dialog.getByLabel("Leave out what is in use").count(), 0, "what audits can leave out");
    await dialog.getByLabel("Order", { exact: true }).selectOption("install");
    await dialog.getByLabel("Packages", { exact: true }).fill("f3a-editor f3a-other");
    await dialog.getByLabel("Then to percent of all").fill("");
    await dialog.getByLabel("Leave out what is in use").check();
    await page.getByRole("button", { name: "Review" }).click();
    await dialog.getByText("packages whose programs run; each machine comes back to them").waitFor();
    await sign(page, keyPassword);
    await page.locator(".ring-states").getByText("waits: in use").waitFor();
    await page.getByText("0 of 1 (waits: in use: 1)").waitFor();
    await page.getByText("what is in use; each machine comes back to it").waitFor();
    await look(page, "rollout-in-use", folder);
    check(await ask("quit"), "the program ends");
    await page.getByText("1 of 1").waitFor();
    same(await page.getByText("waits: in use").count(), 0, "machines that wait");
}

export async function f4_aMachineIsDescribed({ uuid, name, keyPassword }) {
    const { page, base } = open;
    await page.goto(`${base}/hosts/${encodeURIComponent(uuid)}`);
    await page.getByRole("button", { name: "Change the description" }).click();
    await page.getByLabel("Description", { exact: true }).fill("Front desk <b>");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByText("Front desk <b>", { exact: true }).waitFor();
    await sign(page, keyPassword);
    await page.getByRole("grid", { name: "Results" }).locator(".status-ok").waitFor();
    await page.getByRole("link", { name: "Machines" }).first().click();
    await grid(page).getByRole("row").filter({ hasText: name }).getByText("Front desk <b>", { exact: true }).waitFor();
}

export async function f5_andAgainInTheList({ name, keyPassword }) {
    const { page } = open;
    await grid(page).focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("F2");
    const editor = page.getByRole("textbox", { name: `Description of ${name}` });
    same(await editor.inputValue(), "Front desk <b>", "what it begins with");
    await editor.fill("Store room");
    await page.keyboard.press("Enter");
    await sign(page, keyPassword);
    await grid(page).getByRole("row").filter({ hasText: name }).getByText("Store room", { exact: true }).waitFor(); // the machine has said so
    same(open.trouble, [], "trouble in the page");
    await open.context.close();
}
