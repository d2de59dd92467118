// Tables themselves: how they share the room there is, and what is edited in them.
import { check, same, until } from "./lib.mjs";
import { open } from "./open.mjs";

const LARGE = { width: 2560, height: 1440 };
const head = (page) => page.getByRole("grid", { name: "Machines" }).locator(".t-head [role=columnheader]");
const loaded = (page) => page.locator(".t-body .t-row a").first().waitFor();

/** px of each column by its title. */
async function widths(page) {
    return Object.fromEntries(await head(page).evaluateAll((all) => all.slice(1).map((c) => [c.textContent, Math.round(c.getBoundingClientRect().width)])));
}

/** Each cell of this row stands below its column's title. */
async function isAligned(page, row) {
    const left = (all) => all.map((c) => Math.round(c.getBoundingClientRect().left));
    same(await page.locator(`.t-body .t-row[data-index="${row}"] .t-cell`).evaluateAll(left), await head(page).evaluateAll(left), `where the cells of row ${row} begin`);
}

export async function textsShareTheRoomOfALargeScreenAndNothingJumps(given) {
    await open(
        given,
        async ({ mock, page, base }) => {
            let go;
            const held = new Promise((resolve) => (go = resolve));
            mock.fault = async (q, url) => (url.pathname === "/api/v1/hosts" ? void (await held) : undefined);
            await page.goto(`${base}/hosts`);
            await head(page).first().waitFor();
            const before = await widths(page);
            go();
            await loaded(page);
            same(await widths(page), before, "columns when rows have come");
            check(before.Description > 300 && before.Groups > 300 && before.Name > 250, `texts have their share: ${JSON.stringify(before)}`);
            same([before.State, before.Errors, before["Last seen"]], [146, 76, 110], "numbers, dates and states have what they need");
            await isAligned(page, 0);
            await page.getByRole("grid", { name: "Machines" }).focus();
            await page.keyboard.press("End");
            await page.locator(".t-row[data-index='299'] a").waitFor();
            same(await widths(page), before, "columns at the end of the list");
            await isAligned(page, 299);
            check(await page.locator(".table").evaluate((e) => e.scrollWidth === e.clientWidth), "one has to scroll to the side");
            // A width that somebody has set stays, and goes when it is emptied.
            await page.getByRole("button", { name: "Columns" }).click();
            const width = page.getByLabel("Width of Description");
            await width.fill("200");
            await width.press("Tab");
            await until(async () => (await widths(page)).Description === 200, "it is as wide as it was told");
            await page.keyboard.press("Escape");
            await page.reload();
            await loaded(page);
            same((await widths(page)).Description, 200, "and stays so");
            await page.setViewportSize({ width: 1366, height: 768 });
            same((await widths(page)).Description, 200, "whatever the room");
            same((await widths(page)).Name, 170, "what shares has as much as it needs at least");
            await isAligned(page, 0);
            await page.getByRole("button", { name: "Columns" }).click();
            await width.fill("");
            await width.press("Tab");
            await page.keyboard.press("Escape");
            await page.setViewportSize(LARGE);
            await until(async () => (await widths(page)).Description === before.Description, "it shares again");
            await until(() => Promise.resolve(Object.keys(mock.prefs["table.hosts"]?.widths ?? {}).length === 0), "no width is kept");
        },
        { viewport: LARGE },
    );
}
