// The organisational units beside the list of machines.
import { axe, check, same, until } from "./lib.mjs";
import { open } from "./open.mjs";

const tree = (page) => page.getByRole("tree", { name: "Organisational units" });
const item = (page, name) => tree(page).getByRole("treeitem", { name });
const rows = (page) => page.getByRole("grid", { name: "Machines" }).getAttribute("aria-rowcount");
const shows = (page, n) => until(async () => Number(await rows(page)) === n + 1, `${n} machines are listed`);
const MACHINES = "OU=Machines,DC=example,DC=org";

function places(mock) {
    const counted = new Map();
    for (const h of mock.hosts) counted.set(h.unit, (counted.get(h.unit) ?? 0) + 1);
    return counted;
}

export async function aUnitHasItsMachinesAndThoseBelow(given) {
    await open(
        given,
        async ({ page, mock }) => {
            await page.getByRole("button", { name: "Units" }).click();
            await item(page, `Machines ${mock.hosts.length}`).waitFor();
            await item(page, `example.org ${mock.hosts.length}`).waitFor();
            const [unit, n] = [...places(mock)].find(([dn]) => dn !== MACHINES);
            const name = unit.slice(3, unit.indexOf(","));
            await item(page, `${name} ${n}`).click();
            await shows(page, n);
            same(new URL(page.url()).searchParams.get("unit"), unit, "what the address has");
            same(await item(page, `${name} ${n}`).getAttribute("aria-selected"), "true", "the unit is chosen");
            await item(page, /^.?Machines/).click();
            await shows(page, mock.hosts.length);
            await page.getByLabel("With the units below").uncheck();
            await shows(page, mock.hosts.filter((h) => h.unit === MACHINES).length);
            await page.getByLabel("With the units below").check();
            await shows(page, mock.hosts.length);
            same(await axe(page), [], "what axe finds");
            await page.reload(); // it is kept, and so is what was chosen
            await item(page, /^.?Machines/).waitFor();
            await item(page, /^.?Machines/).click();
            await until(async () => !page.url().includes("unit="), "none is chosen any more");
        },
        { before: (mock) => mock.hosts.slice(0, 7).forEach((h) => (h.unit = MACHINES)) },
    );
}

export async function byKeysAndBySearch(given) {
    await open(given, async ({ page, mock }) => {
        await page.getByRole("button", { name: "Units" }).click();
        await item(page, /Machines/).waitFor();
        await tree(page).focus();
        await page.keyboard.press("Home");
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("ArrowLeft");
        const all = places(mock).size;
        same(await tree(page).getByRole("treeitem").count(), 2, "what is shown when a branch is closed");
        await page.keyboard.press("ArrowRight");
        same(await tree(page).getByRole("treeitem").count(), 2 + all, "and open");
        await page.keyboard.press("End");
        await page.keyboard.press("Enter");
        await until(async () => page.url().includes("unit=OU"), "the last is chosen");
        const last = new URL(page.url()).searchParams.get("unit");
        const name = last.slice(3, last.indexOf(","));
        await page.getByRole("searchbox", { name: "Search units" }).fill(name.toLowerCase());
        await until(async () => (await tree(page).getByRole("treeitem").count()) === 3, "it, and what leads to it");
    });
}

export async function ordersAreForAllOfAUnit(given) {
    await open(given, async ({ page, mock }) => {
        await page.getByRole("button", { name: "Units" }).click();
        const [unit, n] = [...places(mock)][0];
        await item(page, `${unit.slice(3, unit.indexOf(","))} ${n}`).click();
        await shows(page, n);
        await page.getByRole("button", { name: "This unit" }).click();
        await page.getByRole("menuitem", { name: "Upgrade" }).click();
        const dialog = page.getByRole("dialog", { name: "Upgrade" });
        await dialog.getByText(`${n} machine`).first().waitFor();
        await page.keyboard.press("Escape");
        await page.getByText(`${n} machines selected`).waitFor();
        await page.getByRole("button", { name: "This unit" }).click();
        await page.getByRole("menuitem", { name: "Its package" }).click();
        await page.getByRole("dialog").waitFor();
        same(await page.getByRole("dialog").getByLabel("Name", { exact: true }).inputValue(), unit, "the unit whose package it is");
        same(await page.getByRole("dialog").getByLabel("Kind").inputValue(), "unit", "what kind");
    });
}

/** Where a machine is, it says itself. */
export async function whatAMachineSaysIsText(given) {
    const LIES = ["OU=<img src=x onerror='window.hit=1'>,DC=x", "OU=a\\,b,DC=x", ",,,,", "=", `${"OU=d,".repeat(50)}DC=x`, "javascript:window.hit=2", "\u202eOU=gnp,DC=x"];
    await open(
        given,
        async ({ page }) => {
            await page.getByRole("button", { name: "Units" }).click();
            await item(page, /<img/).click();
            await page.getByRole("searchbox", { name: "Search units" }).fill("a,b");
            await item(page, /a,b/).waitFor();
            same(await page.evaluate(() => window.hit), undefined, "something ran");
            same(await page.locator("img:not([src='/icon.svg']), iframe, [onerror]").count(), 0, "elements made of texts");
            check((await tree(page).getByRole("treeitem").count()) > 0, "the tree stands");
        },
        { before: (mock) => LIES.forEach((lie, i) => (mock.hosts[i].unit = lie)) },
    );
}
