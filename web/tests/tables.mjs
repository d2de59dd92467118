// Tables themselves: how they share the room there is, and what is edited in them.
import { axe, check, same, until } from "./lib.mjs";
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
            await until(async () => (await widths(page)).Name === 170, "what shares has as much as it needs at least");
            same((await widths(page)).Description, 200, "whatever the room");
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

const grid = (page) => page.getByRole("grid", { name: "Machines" });
const cell = (page, row, title) => page.locator(`.t-body .t-row[data-index="${row}"] [role=gridcell][title="${title}"]`);
const isFocused = (locator) => locator.evaluate((e) => e === document.activeElement);

export async function aDescriptionIsChangedInItsCell(given) {
    await open(given, async ({ mock, page }) => {
        mock.keys[0].unlocked_until = 4_000_000_000;
        const wish = () => [...mock.prepared.values()].at(-1);
        const editor = page.getByRole("textbox", { name: "Description of pc-lyon-00000" });
        const dialog = page.getByRole("dialog");
        await loaded(page);
        await until(() => mock.streams.size === 1, "the events are followed");
        await grid(page).focus();
        await page.keyboard.press("F2");
        same(await editor.inputValue(), "Accueil, bureau 0", "what it begins with");
        check(await isFocused(editor), "one types there");
        same(await axe(page), [], "against WCAG AA");
        await page.screenshot({ path: `${given.folder}/describe.png` });
        await page.keyboard.type("elsewhere");
        await page.keyboard.press("Escape");
        await editor.waitFor({ state: "detached" });
        check(await isFocused(grid(page)), "the table has the focus again");
        await page.keyboard.press("F2");
        await page.keyboard.press("Enter"); // nothing has changed
        await editor.waitFor({ state: "detached" });
        same([mock.prepared.size, await dialog.count()], [0, 0], "what was asked for that has not changed");
        // A machine that says something meanwhile takes nothing away.
        await page.keyboard.press("F2");
        mock.hosts.find((h) => h.name === "pc-lyon-00000").users = "somebody";
        mock.event({ kind: "host", what: "inventory", uuid: mock.hosts[0].uuid });
        await page.keyboard.type("Front desk <b>");
        same([await editor.inputValue(), await isFocused(editor)], ["Front desk <b>", true], "what was typed");
        await page.keyboard.press("Enter");
        await dialog.getByText("1 machine concerned").waitFor();
        same([wish().what, wish().kind, wish().hosts, wish().text], ["actions", "describe", [mock.hosts[0].uuid], "Front desk <b>"], "what is to be signed");
        await dialog.getByRole("button", { name: "Sign and send" }).click();
        await dialog.waitFor({ state: "detached" });
        await page.getByText("Ordered for 1 machine.").waitFor();
        await cell(page, 0, "somebody").waitFor();
        check(page.url().endsWith("/hosts") && (await isFocused(grid(page))), "one goes on in the list");
        // A double click on the cell, and a click elsewhere takes the text.
        await cell(page, 3, "Accueil, bureau 12").dblclick();
        const other = page.getByRole("textbox", { name: "Description of pc-lyon-00012" });
        await other.fill("");
        await page.getByRole("heading", { name: "Machines" }).click();
        await dialog.getByText("1 machine concerned").waitFor();
        same([wish().hosts.length, wish().text], [1, ""], "none is a description, too");
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
        // Several, and where the column is not there, in a dialog.
        await grid(page).focus();
        await page.keyboard.press("Home");
        await page.keyboard.press("Space");
        await page.keyboard.press("Shift+ArrowDown");
        await page.getByText("2 machines selected").waitFor();
        await page.keyboard.press("F2");
        await dialog.getByText("2 machines", { exact: true }).waitFor();
        await dialog.getByLabel("Description").fill("Room 7");
        await page.keyboard.press("Enter");
        await dialog.getByText("2 machines concerned").waitFor();
        same([wish().hosts.length, wish().text], [2, "Room 7"], "what is to be signed for both");
        await page.keyboard.press("Escape");
        await page.keyboard.press("Escape");
        await page.getByRole("button", { name: "Columns" }).click();
        await page.getByRole("checkbox", { name: "Description" }).uncheck();
        await page.keyboard.press("Escape");
        await page.getByRole("checkbox", { name: "Description" }).waitFor({ state: "detached" });
        await page.getByRole("columnheader", { name: "Description" }).waitFor({ state: "detached" });
        // The rows are asked for without it: one that has not come back yet has nothing to change.
        const changing = page.getByRole("dialog", { name: "Change the description" });
        await until(async () => {
            await grid(page).focus();
            await page.keyboard.press("F2");
            return changing.waitFor({ timeout: 1000 }).then(
                () => true,
                () => false,
            );
        }, "the dialog comes");
    });
}

export async function whoMayNotOrderEditsNothing(given) {
    await open(
        given,
        async ({ page }) => {
            await loaded(page);
            await grid(page).focus();
            await page.keyboard.press("F2");
            await cell(page, 0, "Accueil, bureau 0").dblclick();
            await page.getByRole("heading", { name: "pc-lyon-00000" }).waitFor(); // it is opened
        },
        { before: (mock) => (mock.server.rights = "view") },
    );
}

export async function whatOneTypesStaysWhenMachinesComeBeforeIt(given) {
    await open(given, async ({ mock, page }) => {
        mock.keys[0].unlocked_until = 4_000_000_000;
        const editor = page.getByRole("textbox", { name: "Description of pc-lyon-00000" });
        await loaded(page);
        await grid(page).focus();
        await page.keyboard.press("F2");
        mock.hosts.push({ ...mock.hosts[0], uuid: "another", name: "a-first" });
        mock.event({ kind: "host", what: "registered", uuid: "another" });
        await page.keyboard.type("Front desk, left", { delay: 90 }); // longer than the list waits after an event
        same(await editor.inputValue(), "Front desk, left", "what was typed");
        await page.keyboard.press("Escape");
        await page.locator('.t-body .t-row[data-index="0"]').getByText("a-first").waitFor();
        same(mock.prepared.size, 0, "orders");
    });
}

export async function allThatIsSelectedIsCopied(given) {
    await open(given, async ({ page }) => {
        await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
        await loaded(page);
        await grid(page).focus();
        for (const [keys, count] of [["Control+a", 300], ["Escape", 1]]) {
            await page.keyboard.press(keys);
            await page.keyboard.press("Control+c");
            await page.getByText(count === 1 ? "1 row copied" : `${count} rows copied`).waitFor();
            const lines = (await page.evaluate(() => navigator.clipboard.readText())).split("\n");
            same([lines.length, lines[0].includes("pc-lyon-00000")], [count, true], "lines");
        }
    });
}

export async function everyTableHasItsColumns(given) {
    await open(given, async ({ mock, page, base }) => {
        const choose = async (column, isOn) => {
            await page.getByRole("button", { name: "Columns", exact: true }).last().click();
            await page.getByRole("dialog", { name: "Columns" }).getByRole("checkbox", { name: column }).setChecked(isOn);
            await page.getByRole("dialog", { name: "Columns" }).getByLabel(`Width of ${column}`).press("Enter"); // changes nothing else
            await page.keyboard.press("Escape");
            await page.getByRole("dialog", { name: "Columns" }).waitFor({ state: "detached" });
        };
        for (const [where, column] of [["/repository", "File"], ["/journal", "Digest"], [`/hosts/${mock.hosts[0].uuid}?tab=packages`, "Signer"], ["/rollouts", "By"]]) {
            await page.goto(base + where);
            await page.locator(".t-body .t-row:not(:has(.t-waiting))").first().waitFor();
            const head = page.getByRole("columnheader", { name: column, exact: true });
            const isOn = (await head.count()) === 0;
            await choose(column, isOn);
            await until(async () => ((await head.count()) === 1) === isOn, `${column} in ${where}`);
        }
        // In a dialog too, which stays open.
        await page.goto(`${base}/hosts`);
        await loaded(page);
        await grid(page).focus();
        await page.keyboard.press("Space");
        await page.locator("#main").getByRole("button", { name: "More", exact: true }).click();
        await page.getByRole("menuitem", { name: "Packages", exact: true }).click();
        const head = page.getByRole("dialog", { name: "Packages of 1 machine" }).getByRole("columnheader", { name: "Section" });
        await head.waitFor();
        await choose("Section", false);
        await head.waitFor({ state: "detached" });
        await page.getByRole("dialog", { name: "Packages of 1 machine" }).getByRole("columnheader", { name: "Version" }).waitFor();
    });
}

export async function theActiveRowIsAMachineNotAPlace(given) {
    await open(given, async ({ mock, page }) => {
        const active = page.locator(".t-body .t-active");
        const comesFirst = async (name) => {
            mock.hosts.push({ ...mock.hosts[0], uuid: name, name });
            mock.event({ kind: "host", what: "registered", uuid: name });
            await page.locator('.t-body .t-row[data-index="0"]').getByText(name).waitFor();
        };
        await loaded(page);
        await until(() => mock.streams.size === 1, "the events are followed");
        await grid(page).focus();
        await comesFirst("a-second");
        await active.getByText("a-second").waitFor(); // nobody has chosen another one
        await page.keyboard.press("ArrowDown");
        await active.getByText("pc-lyon-00000").waitFor();
        await comesFirst("a-first");
        await active.getByText("pc-lyon-00000").waitFor();
        same(await active.getAttribute("data-index"), "2", "where it is now");
        same(await grid(page).getAttribute("aria-activedescendant"), await active.getAttribute("id"), "the row that is read aloud");
        await page.keyboard.press("Space");
        await page.getByText("1 machine selected").waitFor();
        check((await active.getAttribute("aria-selected")) === "true", "it is the one that is selected");
        await page.keyboard.press("Shift+ArrowUp");
        await page.getByText("2 machines selected").waitFor();
    });
}

export async function gesturesCountInTheirOrderThoughRowsComeLate(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        let go;
        let isAsked = false;
        mock.fault = (request, url) => {
            if (url.pathname !== "/api/v1/hosts" || Number(url.searchParams.get("limit")) === 100) return undefined;
            isAsked = true;
            return new Promise((resolve) => (go = () => resolve(undefined)));
        };
        const range = async () => {
            isAsked = false;
            await grid(page).focus();
            await page.keyboard.press("Home");
            await page.keyboard.press("Shift+End");
            await until(() => isAsked, "the rows between are read");
        };
        await range();
        await page.keyboard.press("Escape"); // takes back what is not there yet, too
        await page.keyboard.press("Home");
        await page.keyboard.press("Space");
        go();
        await page.getByText("1 machine selected").waitFor();
        await page.keyboard.press("Escape");
        await range();
        await page.keyboard.press("Home");
        await page.keyboard.press("Space"); // all but the first
        go();
        await page.getByText(`${mock.hosts.length - 1} machines selected`).waitFor();
    });
}
