// The pages against a local program that is not there (mock.mjs): what goes wrong in ways that a real one can't be made to.
import { axe, check, more, same, selectFirst, until } from "./lib.mjs";
import { open } from "./open.mjs";

const rows = (page) => page.locator(".t-body .t-row");
const names = (page) => page.locator(".t-body .t-row a").allInnerTexts();
const loaded = (page) => rows(page).locator("a").first().waitFor();

export async function theTicketIsTakenOnceAndLeavesTheAddress(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        check(!page.url().includes("ticket"), "the ticket stands in the address");
        check(!(await page.evaluate(() => document.cookie)), "there is a cookie");
        await page.reload();
        await loaded(page);
        same(mock.asked.filter((a) => a.startsWith("POST /local/session")).length, 1, "sessions opened");
    });
}

export async function aVoidTicketSaysOpenItAgain(given) {
    await open(given, async ({ page }) => page.getByRole("heading", { name: "Open the console again" }).waitFor(), { before: (mock) => mock.tickets.clear() });
}

export async function anEndedSessionSaysOpenItAgain(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        mock.token = "another";
        // Whichever asks first is told: this search, or a request of the page's own, which then takes the field away.
        void page.getByRole("searchbox").fill("pc-lyon").catch(() => undefined);
        await page.getByRole("heading", { name: "Open the console again" }).waitFor();
        check(!(await page.evaluate(() => sessionStorage.length)), "the token is kept");
    });
}

export async function theServersSessionEndsAndThePageGoesOnWhereItWas(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        await page.getByRole("searchbox").fill("pc-lyon-0001");
        const found = async () => (await names(page)).length > 0 && (await names(page)).every((n) => n.includes("pc-lyon-0001"));
        await until(found, "the search shows");
        mock.server.state = "login";
        await page.getByRole("combobox", { name: "State" }).selectOption("OK");
        await page.getByRole("dialog", { name: "Log in" }).waitFor();
        await page.getByLabel("Password", { exact: true }).fill("wrong");
        await page.keyboard.press("Enter");
        await page.getByRole("alert").filter({ hasText: "not right" }).waitFor();
        await page.getByLabel("Password", { exact: true }).fill("secret");
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").waitFor({ state: "detached" });
        check(page.url().includes("search=pc-lyon-0001") && page.url().includes("status=OK"), "the filters are gone");
        await until(found, "the list is back");
    });
}

export async function theServerGoesAwayAndComesBack(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        mock.server.state = "unreachable";
        mock.server.message = "connection refused";
        for (const s of mock.streams) s.destroy();
        await page.getByText("The server can't be reached").waitFor();
        check((await names(page)).length > 0, "what was on the screen is gone");
        mock.hosts[0].name = "aaa-new";
        mock.server.state = "connected";
        await page.getByText("The server can't be reached").waitFor({ state: "detached" });
        await page.getByRole("link", { name: "aaa-new" }).waitFor();
    });
}

export async function theServerGoesAwayWhileTheProgramDoesNotKnow(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        const gone = { status: 503, json: { error: { code: "unreachable", message: "connection refused" } } };
        mock.fault = (q, url) => (url.pathname.startsWith("/api/") ? gone : undefined);
        for (const s of mock.streams) s.destroy();
        await page.getByText("The server can't be reached").waitFor();
        check((await names(page)).length > 0, "what was on the screen is gone");
        mock.fault = () => undefined;
        await page.getByText("The server can't be reached").waitFor({ state: "detached" });
        await until(() => mock.streams.size > 0, "the events are followed again");
    });
}

export async function theProgramGoesAwayAndComesBack(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        mock.fault = () => "drops";
        for (const s of mock.streams) s.destroy();
        await page.getByText("The console does not answer").waitFor();
        mock.fault = () => undefined;
        await page.getByText("The console does not answer").waitFor({ state: "detached" });
        await until(() => mock.streams.size > 0, "the events are followed again");
    });
}

export async function aMessageThatDoesNotEndIsNotCollected(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        await until(() => mock.streams.size === 1, "the events are followed");
        const [endless] = mock.streams;
        endless.write(`data: ${"x".repeat(2 << 20)}`);
        await until(() => endless.destroyed && mock.streams.size === 1, "the events are followed anew");
        mock.hosts[4].name = "pc-lyon-00000-c";
        mock.event({ kind: "host", what: "changed", uuid: mock.hosts[4].uuid });
        await until(async () => (await names(page)).includes("pc-lyon-00000-c"), "the list follows");
    });
}

export async function eventsChangeTheListAndAreTakenUpAgain(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        await until(() => mock.streams.size === 1, "the events are followed");
        mock.hosts[4].name = "pc-lyon-00000-b";
        mock.event({ kind: "host", what: "inventory", uuid: mock.hosts[4].uuid });
        await page.getByRole("link", { name: "pc-lyon-00000-b" }).waitFor();
        for (const s of mock.streams) s.destroy();
        await until(() => mock.asked.some((a) => a.startsWith("GET /api/v1/events?after=1001")), "it goes on behind the last event");
    });
}

export async function whatNobodyWasToldIsReadAgain(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        await until(() => mock.streams.size === 1, "the events are followed");
        mock.hosts[4].name = "pc-lyon-00000-b";
        for (const s of mock.streams) s.destroy(); // before it has told anything that one could go on behind
        await page.getByRole("link", { name: "pc-lyon-00000-b" }).waitFor();
    });
}

export async function aListThatNobodyLooksAtCatchesUp(given) {
    await open(given, async ({ mock, page }) => {
        await page.addInitScript(() => {
            const real = window.setTimeout;
            // how often the page has waited for more events to come
            window.setTimeout = (run, ms, ...more) => real(() => (run(...more), (window.waited += Number(ms >= 700))), ms);
        });
        await page.reload();
        await loaded(page);
        await until(() => mock.streams.size === 1, "the events are followed");
        const look = (is) =>
            page.evaluate((isHidden) => {
                Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
                document.dispatchEvent(new Event("visibilitychange"));
            }, !is);
        await look(false);
        mock.hosts[4].name = "pc-lyon-00000-b";
        await page.evaluate(() => (window.waited = 0));
        mock.event({ kind: "host", what: "inventory", uuid: mock.hosts[4].uuid });
        await until(() => page.evaluate(() => window.waited > 0), "it has waited for more of them");
        await look(true);
        await page.getByRole("link", { name: "pc-lyon-00000-b" }).waitFor();
    });
}

export async function nothingIsSaidOfRowsThatHaveNotCome(given) {
    await open(
        given,
        async ({ mock, page, base }) => {
            let go;
            const held = new Promise((resolve) => (go = resolve));
            const places = { "/people": "users", "/reports": "reports", "/tokens": "account/tokens", "/webhooks": "webhooks", "/assignments": "packages", "/repository": "packages", "/orders": "batches" };
            mock.fault = async (q, url) => (Object.values(places).some((what) => url.pathname === `/api/v1/${what}`) ? void (await held) : undefined);
            for (const place of Object.keys(places)) {
                await page.goto(base + place);
                await page.getByRole("status").getByText("Reading").waitFor();
                same(await page.locator(".t-empty").count(), 0, `${place}: what is said of nothing`);
            }
            go();
            await page.locator(".t-empty").waitFor(); // there are no orders
        },
        { at: "/start" },
    );
}

export async function whoeverGoesBackLeavesTheDialog(given) {
    await open(
        given,
        async ({ page }) => {
            await page.getByRole("link", { name: "Assignments" }).click();
            await page.getByRole("button", { name: "New group or rules" }).click();
            await page.getByRole("dialog").waitFor();
            await page.goBack();
            await page.getByRole("heading", { name: "At a glance" }).waitFor();
            same(await page.getByRole("dialog").count(), 0, "dialogs on the page before");
            await page.goForward();
            await page.getByRole("grid", { name: "Assignments" }).waitFor();
            same(await page.getByRole("dialog").count(), 0, "dialogs that open by themselves");
            await page.getByRole("link", { name: "Repository" }).click();
            await page.getByRole("button", { name: "Make a package" }).click();
            await page.getByRole("dialog").waitFor();
            await page.goBack();
            await page.getByRole("grid", { name: "Assignments" }).waitFor();
            await page.goForward();
            await page.getByRole("grid", { name: "Packages" }).waitFor();
            same(await page.getByRole("dialog").count(), 0, "wizards that open by themselves");
        },
        { at: "/start" },
    );
}

export async function nothingComesOfADialogThatWasClosed(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        let go;
        const held = new Promise((resolve) => (go = resolve));
        const isNames = (url) => url.searchParams.get("sort") === "uuid";
        mock.fault = async (q, url) => (isNames(url) ? void (await held) : undefined);
        await page.getByRole("grid", { name: "Machines" }).focus();
        await page.keyboard.press("Control+a");
        await page.getByText("300 machines selected").waitFor();
        await page.getByRole("button", { name: "Upgrade", exact: true }).click();
        const answered = page.waitForResponse((r) => r.url().includes("sort=uuid"));
        await page.getByRole("button", { name: "Review" }).click();
        await until(() => Promise.resolve(mock.asked.some((a) => a.includes("sort=uuid"))), "all are asked for");
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
        go();
        await (await answered).finished();
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
        same([await page.getByRole("dialog").count(), mock.prepared.size], [0, 0], "dialogs, and what was asked of the program");
    });
}

export async function thePaletteOffersWhatHoldsNow(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        await page.getByRole("combobox", { name: "State" }).selectOption("ERROR");
        await until(() => Promise.resolve(mock.asked.some((a) => a.includes("status=ERROR"))), "the filter is asked for");
        await page.keyboard.press("Control+k");
        await page.getByRole("combobox", { name: "Go to, or do" }).fill("CSV");
        await page.getByRole("option", { name: "Save as CSV" }).click();
        await until(() => Promise.resolve(mock.asked.some((a) => a.includes("format=csv"))), "the table is saved");
        check(mock.asked.find((a) => a.includes("format=csv")).includes("status=ERROR"), "the table is of other machines than the list");
    });
}

export async function oneTabDoesNotUndoWhatAnotherHasChosen(given) {
    await open(given, async ({ mock, page, base }) => {
        await loaded(page);
        mock.tickets.add("second");
        const first = mock.token;
        const call = mock.call.bind(mock);
        mock.call = (q, ...more) => {
            if (q.headers.authorization === `Bearer ${first}`) q.headers.authorization = `Bearer ${mock.token}`; // the program knows both tabs
            return call(q, ...more);
        };
        const other = await page.context().newPage();
        await other.goto(`${base}/hosts#answer=first&ticket=second`);
        await other.locator(".t-body .t-row a").first().waitFor();
        await page.getByRole("combobox", { name: "Colours" }).selectOption("dark");
        await until(() => Promise.resolve(mock.prefs.theme === "dark"), "the program keeps it");
        await until(() => other.evaluate(() => document.documentElement.dataset.theme === "dark"), "the other tab is dark, too");
        await other.getByRole("combobox", { name: "Language" }).selectOption("fr");
        await until(() => Promise.resolve(mock.prefs.language === "fr"), "the program keeps that, too");
        same(mock.prefs.theme, "dark", "what the first tab has chosen");
    });
}

export async function oneSelectsThousandsByKeysAndAllThatMatch(given) {
    await open(
        given,
        async ({ mock, page }) => {
            await loaded(page);
            const grid = page.getByRole("grid", { name: "Machines" });
            same(await grid.getAttribute("aria-rowcount"), "5001", "rows, with the header");
            await grid.focus();
            const active = () => grid.evaluate((g) => document.getElementById(g.getAttribute("aria-activedescendant"))?.getAttribute("aria-rowindex"));
            await page.keyboard.press("End");
            await until(async () => (await active()) === "5001", "the last row is active");
            await until(async () => (await names(page)).length > 10, "its rows have come");
            await page.keyboard.press("Home");
            for (let i = 0; i < 2; i++) await page.keyboard.press("PageDown");
            await selectFirst(grid);
            await page.keyboard.press("Shift+End");
            await page.getByText("5,000 machines selected").waitFor();
            await page.keyboard.press("Escape");
            await page.getByRole("toolbar", { name: "Actions" }).waitFor({ state: "detached" });
            await page.getByRole("searchbox").fill("lyon");
            await page.getByText("1,250 machines", { exact: true }).waitFor();
            await grid.focus();
            await page.keyboard.press("Control+a");
            await page.getByText("1,250 machines selected").waitFor();
            await page.keyboard.press("Space"); // but the first
            await page.getByText("1,249 machines selected").waitFor();
            mock.keys[0].unlocked_until = 4_000_000_000;
            await page.getByRole("button", { name: "Upgrade", exact: true }).click();
            await page.getByRole("button", { name: "Review" }).click();
            await page.getByText("1,249 machines concerned").waitFor();
            mock.isSilent = true;
            await page.getByRole("button", { name: "Sign and send" }).click();
            await page.getByText("Confirm in the terminal").waitFor();
            mock.isSilent = false;
            await page.getByRole("progressbar").waitFor();
            const [[, sent]] = [...mock.batches];
            same([sent.length, new Set(sent.map((o) => o.uuid)).size], [1249, 1249], "machines that were ordered");
            check(sent.every((o) => o.name.includes("lyon")), "others were ordered too");
        },
        { count: 5000 },
    );
}

export async function packagesOfWhatIsSelectedAreCountedAndOrderedForThoseAlone(given) {
    const estate = [
        { package: "tis-a", version: "1.0-1", status: "OK", machines: 3 },
        { package: "tis-a", version: "2.0-1", status: "TO-UPGRADE", machines: 2 },
        { package: "tis-b", version: "1", status: "MISSING", machines: 1 },
        { package: "tis-*", version: "1", status: "<b>ERROR", machines: 1 },
    ];
    await open(given, async ({ mock, page }) => {
        const on = { "tis-a": mock.hosts.slice(0, 2), "tis-b": mock.hosts.slice(0, 1) };
        const asked = [];
        mock.fault = (q, url, body) => {
            const name = url.searchParams.get("package");
            if (url.pathname === "/api/v1/estate") {
                asked.push([q.method, (body.hosts ?? []).length, url.searchParams.get("search")]);
                const next = url.searchParams.get("after") ? 2 : 0;
                return { json: { estate: estate.slice(next, next + 2), ...(next ? {} : { next: "x" }) } };
            }
            if (url.pathname === "/api/v1/packages") return { json: { packages: [{ package: "tis-a", section: "base" }, { package: "tis-b", section: "group" }] } };
            return url.pathname === "/api/v1/hosts" && name ? { json: { hosts: on[name], total: on[name].length } } : undefined;
        };
        await loaded(page);
        const dialog = page.getByRole("dialog");
        const show = async () => {
            await page.getByRole("button", { name: "More", exact: true }).click();
            await page.getByRole("menuitem", { name: /^Packages/ }).click();
            await dialog.getByRole("row").filter({ hasText: "tis-b" }).waitFor();
        };
        const choose = async (...texts) => {
            for (const text of texts) await dialog.getByRole("row").filter({ hasText: text }).locator("[data-check]").click();
        };
        const select = async () => {
            await page.getByRole("grid", { name: "Machines" }).focus();
            await page.keyboard.press("Control+a");
            await page.getByText("300 machines selected").waitFor();
        };
        const searched = page.waitForResponse((r) => r.url().includes("search=pc-"));
        await page.getByRole("searchbox", { name: "Search machines" }).fill("pc-");
        await searched;
        await page.locator("[role=grid][aria-label=Machines][aria-busy=false]").waitFor();
        await select();
        await show();
        same(asked, [["GET", 0, "pc-"], ["GET", 0, "pc-"]], "all that match are meant by their filter");
        same(await dialog.locator("b").count(), 0, "markup of a machine's text");
        same(await axe(page), [], "against WCAG AA");
        const section = dialog.getByLabel("Section", { exact: true });
        await section.selectOption("group");
        await dialog.getByText("1 row", { exact: true }).waitFor();
        await dialog.getByRole("row").filter({ hasText: "tis-b" }).waitFor();
        await section.selectOption("not in the repository");
        await dialog.getByRole("row").filter({ hasText: "tis-*" }).waitFor();
        await dialog.getByText("1 row", { exact: true }).waitFor();
        await section.selectOption("any");
        await dialog.getByText("4 rows", { exact: true }).waitFor();
        await choose("tis-*");
        check(await dialog.getByRole("button", { name: "Install", exact: true }).isDisabled(), "a name that would mean others is ordered");
        await choose("tis-*", "To upgrade", "tis-b");
        await page.screenshot({ path: `${given.folder}/estate.png` });
        await dialog.getByRole("button", { name: "Install", exact: true }).click();
        await dialog.getByText("not on the same machines").waitFor();
        await choose("tis-b");
        await dialog.getByRole("button", { name: "Install", exact: true }).click();
        await page.getByRole("dialog", { name: "Install" }).getByText("2 machines").waitFor();
        same(await page.getByLabel("Packages", { exact: true }).inputValue(), "tis-a", "what is ordered");
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
        await selectFirst(page.getByRole("grid", { name: "Machines" })); // all but the first, which has it
        await page.getByText("299 machines selected").waitFor();
        await show();
        same(asked.slice(2), [["POST", 299, null], ["POST", 299, null]], "others are named");
        await choose("To upgrade");
        await dialog.getByRole("button", { name: "Install", exact: true }).click();
        await page.getByRole("dialog", { name: "Install" }).getByText("1 machine", { exact: true }).waitFor();
    });
}

export async function aMachineShowsWhatIsToComeAndHidesTheSystems(given) {
    await open(given, async ({ mock, page, base }) => {
        await loaded(page);
        const host = mock.hosts.find((h) => h.upgrades > 0);
        await page.goto(`${base}/hosts/${host.uuid}?tab=packages`);
        const grid = page.getByRole("grid", { name: "Packages" });
        const row = (name) => grid.getByRole("row").filter({ has: page.getByText(name, { exact: true }) });
        await row("tis-software-1").getByText("To upgrade").waitFor();
        await row("tis-software-1").getByText("2.0-0").waitFor();
        await row("tis-software-2").getByText("Again, or away").waitFor();
        await row("tis-software-3").getByText("Error").waitFor();
        const show = page.getByLabel("Show", { exact: true });
        const counted = (n) => page.getByText(`${n} rows`, { exact: true }).waitFor();
        await counted(24 + host.upgrades);
        for (const [what, n] of [["To upgrade", 2], ["Installed", 24]]) {
            await show.selectOption({ label: what });
            await counted(n);
        }
        await show.selectOption({ label: "In error" });
        await page.getByText("1 row", { exact: true }).waitFor();
        await show.selectOption({ label: "Missing" });
        await row("tis-new-0").getByText("Missing").waitFor();
        same(await row("tis-software-1").count(), 0, "what is there among what is missing");
        await axe(page);
        await page.goto(`${base}/hosts/${host.uuid}?tab=software`);
        await counted(120);
        await page.getByLabel("Hide components of the system").check();
        await counted(80);
        await page.reload();
        await counted(80); // kept
    });
}

export async function machinesAreFoundByWhatTheyGoBy(given) {
    await open(given, async ({ mock, page, base }) => {
        await loaded(page);
        const asked = (what) => until(() => mock.asked.some((a) => a.startsWith("GET /api/v1/hosts?") && a.includes(what)), `the server is asked for ${what}`);
        check(!mock.asked.some((a) => a.includes("/hosts?") && a.includes("serial")), "a column that is not shown is asked for");
        await page.getByRole("button", { name: "More filters" }).click();
        await page.getByLabel("Packages in error").selectOption("some");
        await asked("errors=%3E0");
        await page.getByLabel("Waits for").selectOption("a maintenance window");
        await asked("waits_for=window");
        await page.getByLabel("Holds").fill("tis-firefox");
        await asked("held=tis-firefox");
        await page.getByLabel("Orders").selectOption("takes none of Deployer");
        await asked(`no_orderer=${"ab".repeat(32)}`);
        await page.keyboard.press("Escape");
        for (const chip of ["Packages in error: some", "Waits for: a maintenance window", "Holds: tis-firefox", "Takes no orders of Deployer"])
            await page.getByRole("button", { name: chip }).click();
        await until(() => Promise.resolve(!page.url().includes("=")), "the filters are taken away");
        await page.locator(".t-sort", { hasText: "Errors" }).click();
        await asked("sort=errors");
        await page.getByRole("button", { name: "Columns" }).click();
        await page.getByRole("checkbox", { name: "Next window" }).check();
        await asked("window_begin");
        await page.getByRole("checkbox", { name: "Network cards" }).check();
        await asked("macs");
        await page.getByRole("checkbox", { name: "Registered by" }).check();
        await page.getByText("an administrator").first().waitFor();
        await page.keyboard.press("Escape");
        await page.goto(`${base}/hosts/${mock.hosts[30].uuid}`);
        const panel = page.locator(".panel", { has: page.getByRole("heading", { name: "Maintenance" }) });
        await panel.getByText("5 packages wait for that.").waitFor();
        await panel.getByText("until 2026-12-31, by grp-paris").waitFor();
        await panel.getByText("mon-fri 19:00-06:00").waitFor();
    });
}

export async function theSearchIsOfMachinesHardwareSoftwareOrPackages(given) {
    await open(given, async ({ mock, page, base }) => {
        await loaded(page);
        const box = page.getByRole("searchbox", { name: "Search machines" });
        const scope = page.getByLabel("Search in");
        const asked = (what) => until(() => mock.asked.some((a) => a.startsWith("GET /api/v1/hosts?") && a.includes(what)), `the server is asked for ${what}`);
        const has = (name, value) => until(() => Promise.resolve(new URL(page.url()).searchParams.get(name) === value), `${name} in the address is ${value}`);
        await box.fill("fire");
        await asked("search=fire");
        await scope.selectOption("Software");
        await asked("software=fire");
        await has("search", null);
        await scope.selectOption("Packages");
        await asked("package=*fire*");
        await box.fill("tis-*");
        await has("package", "tis-*");
        await scope.selectOption("Hardware");
        await box.fill("model:lat");
        await has("hardware", "model:lat");
        await page.getByRole("button", { name: "not: Hardware" }).click();
        await asked("not=hardware");
        await scope.selectOption("Machines");
        await has("search", "model:lat");
        check(!page.url().includes("not=") && !page.url().includes("in="), `what was of the other scope stays: ${page.url()}`);
        await page.goto(`${base}/hosts?in=package&package=tis-exact`); // as it is written, until one types
        await loaded(page);
        check((await box.inputValue()) === "tis-exact", "the filter is not in the box");
        await has("package", "tis-exact");
    });
}

export async function filtersAreMeantTheOtherWayRound(given) {
    await open(
        given,
        async ({ mock, page, base }) => {
            await loaded(page);
            const shown = (text) => page.getByRole("status").getByText(text).waitFor();
            await page.getByLabel("State", { exact: true }).selectOption("Error"); // 14 of 300
            await shown("14 machines");
            await page.getByRole("button", { name: "not: State" }).click();
            await shown("286 machines");
            await page.getByRole("searchbox").fill("lyon"); // a quarter
            await page.getByRole("button", { name: "not: Search machines" }).click();
            await until(() => Promise.resolve(new URL(page.url()).searchParams.get("not") === "status,search"), "it stands in the address");
            const left = mock.hosts.filter((h) => h.status !== "ERROR" && !h.name.includes("lyon")).length;
            await shown(`${left} machines`);
            await page.getByRole("button", { name: "Save this view" }).click();
            await page.getByRole("dialog").getByLabel("Name").fill("the rest");
            await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
            await page.getByLabel("View", { exact: true }).selectOption("All machines");
            await shown("300 machines");
            await page.getByLabel("View", { exact: true }).selectOption("the rest");
            await shown(`${left} machines`);
            await page.goto(`${base}/hosts?not=site,held,reachable&site=Lyon&reachable=1`); // what is not set, or has no inverse, is not asked
            await shown(`${mock.hosts.filter((h) => h.site !== "Lyon" && h.reachable).length} machines`);
            await page.getByRole("button", { name: "Site: Lyon" }).click();
            await until(() => Promise.resolve(!page.url().includes("not=")), "the inverse goes with its filter");
        },
        { count: 300 },
    );
}

export async function windowsHoldsRolloutsAndWakesOfTheMachinesThatAreSelected(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        mock.keys[0].unlocked_until = 4_000_000_000;
        const wish = () => [...mock.prepared.values()].at(-1);
        const choose = async (what) => {
            await page.getByRole("button", { name: "More", exact: true }).click();
            await page.getByRole("menuitem", { name: what }).click();
        };
        const select = async () => {
            await selectFirst(page.getByRole("grid", { name: "Machines" }));
            await page.keyboard.press("Shift+ArrowDown");
            await page.getByText("2 machines selected").waitFor();
        };
        await select();
        await choose("Maintenance and holds");
        check(await page.getByRole("button", { name: "Review" }).isDisabled(), "nothing changes, and it goes on");
        await page.getByLabel("Maintenance windows").selectOption("these:");
        const first = page.getByRole("group", { name: "Window 1" });
        await first.getByLabel("Tue").uncheck();
        await first.getByLabel("to", { exact: true }).fill("06:30");
        await page.getByText("mon 22:00-06:30, wed-fri 22:00-06:30").waitFor();
        await page.getByRole("button", { name: "Add", exact: true }).click();
        const second = page.getByRole("group", { name: "Window 2" });
        for (const day of ["Mon", "Tue", "Wed", "Thu", "Fri"]) await second.getByLabel(day).uncheck();
        await second.getByLabel("Date").fill("2026-12-24");
        await page.getByLabel("Freezes: nothing is upgraded").selectOption("none here");
        await page.getByLabel("Hold packages").fill("tis-a tis-b(>=2)");
        await page.getByLabel("Until, that day too").fill("2026-12-31");
        await page.getByLabel("Hold no more").fill("tis-c");
        await page.getByRole("button", { name: "Review" }).click();
        await page.getByText("2 machines concerned").waitFor();
        const { hosts, ...asked } = wish();
        same([asked, hosts.length], [{ what: "host-packages", hold: ["tis-a until 2026-12-31", "tis-b(>=2) until 2026-12-31"], unhold: ["tis-c"], windows: "mon 22:00-06:30, wed-fri 22:00-06:30, 2026-12-24 22:00-05:00", freezes: "" }, 2], "what is to be signed");
        await page.keyboard.press("Escape");
        await choose("Maintenance and holds");
        await page.getByLabel("Said by").selectOption("the package of a group, for all its members");
        await page.getByLabel("Group", { exact: true }).fill("grp-lyon");
        await page.getByLabel("Hold packages").fill("tis-a");
        await page.getByRole("button", { name: "Review" }).click();
        await page.getByRole("dialog", { name: "policy: 0" }).waitFor();
        same(wish(), { what: "policy", names: ["grp-lyon"], hold: ["tis-a"], unhold: [] }, "what the group will say");
        await page.keyboard.press("Escape");
        await choose("Roll out");
        await page.getByRole("dialog").getByText("2 machines").waitFor();
        await page.getByLabel("Packages", { exact: true }).fill("tis-firefox");
        await page.getByRole("button", { name: "Review" }).click();
        await page.getByText("2 machines concerned").waitFor();
        same([wish().what, wish().hosts.length, wish().members_of], ["rollout", 2, undefined], "whom it is for");
        await page.keyboard.press("Escape");
        await choose("Wake");
        await page.getByRole("button", { name: "Sign and send" }).click();
        await page.getByRole("progressbar").waitFor();
        same(wish().what, "wake", "what was signed");
        await page.getByRole("link", { name: "Orders" }).first().click();
        await page.getByRole("grid", { name: "Orders" }).getByText("admin").waitFor();
    });
}

export async function columnsFiltersAndViewsAreKept(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        const head = () => page.locator(".t-head [role=columnheader]").allInnerTexts();
        await page.getByRole("button", { name: "Columns" }).click();
        await page.getByRole("checkbox", { name: "Serial number" }).check();
        await page.getByRole("button", { name: "Serial number further to the front" }).click();
        await page.keyboard.press("Escape");
        await until(async () => (await head()).includes("Serial number"), "the column is there");
        await page.locator(".t-sort", { hasText: "Last seen" }).click();
        await until(() => mock.asked.some((a) => a.includes("sort=last_seen")), "the server sorts");
        await page.getByRole("combobox", { name: "State" }).selectOption("ERROR");
        await page.getByRole("button", { name: "Save this view" }).click();
        await page.getByLabel("Name", { exact: true }).fill("Broken");
        await page.keyboard.press("Enter");
        await until(() => mock.prefs["views.hosts"]?.[0]?.name === "Broken", "the program keeps the view");
        await page.evaluate(() => localStorage.clear()); // another port: nothing of the browser's is left
        await page.goto("about:blank");
        await page.goBack();
        await loaded(page);
        await until(async () => (await head()).includes("Serial number"), "the columns are as they were");
        await page.getByRole("combobox", { name: "View" }).selectOption("All machines");
        await page.getByRole("combobox", { name: "View" }).selectOption("Broken");
        await until(() => Promise.resolve(page.url().includes("status=ERROR")), "the view's filters are there");
        await page.locator("[aria-sort=ascending]", { hasText: "Last seen" }).waitFor();
    });
}

export async function aChoiceOutlivesAReloadAtOnce(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        const isDark = () => page.evaluate(() => document.documentElement.dataset.theme === "dark");
        let isOpenedAnew = false;
        mock.fault = (q, url) => {
            if (url.pathname !== "/local/prefs") return undefined;
            isOpenedAnew ||= q.method === "GET";
            return isOpenedAnew ? undefined : "drops"; // left before the program has heard of it
        };
        await page.getByRole("combobox", { name: "Colours" }).selectOption("dark");
        await until(isDark, "it is dark");
        await page.reload();
        await loaded(page);
        await until(isDark, "it stays dark");
        await until(() => mock.prefs.theme === "dark", "the program keeps it");
    }, { before: (mock) => (mock.prefs = { theme: "light" }) });
}

export async function everythingIsReachedByKeys(given) {
    await open(given, async ({ page }) => {
        await loaded(page);
        await page.keyboard.press("Control+k");
        await page.getByRole("combobox", { name: "Go to, or do" }).fill("pc-nantes-00001");
        await page.getByRole("option", { name: "pc-nantes-00001" }).waitFor();
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: "pc-nantes-00001" }).waitFor();
        await page.getByRole("tab", { name: "Overview" }).focus();
        await page.keyboard.press("ArrowRight");
        await page.getByRole("tab", { name: "Packages", selected: true }).waitFor();
        await Promise.all([page.keyboard.press("g"), page.keyboard.press("o")]); // one right after the other
        await page.getByRole("heading", { name: "Orders" }).waitFor();
        await page.keyboard.press("?");
        await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
        await Promise.all([page.keyboard.press("g"), page.keyboard.press("h")]);
        await page.getByRole("heading", { name: "Machines" }).waitFor();
        await loaded(page);
        await page.keyboard.press("/");
        await until(() => page.getByRole("searchbox").evaluate((e) => e === document.activeElement), "the search is where one types");
        await page.goBack();
        await page.getByRole("heading", { name: "Orders" }).waitFor();
    });
}

export async function noKeyIsLostWhileThePageWaits(given) {
    await open(
        given,
        async ({ mock, page, base }) => {
            await loaded(page);
            let go;
            /** Answers to these come when go() is called. */
            const hold = (isMeant) => {
                const held = new Promise((resolve) => (go = resolve));
                mock.fault = async (q, url) => (isMeant(url) ? void (await held) : undefined);
            };
            const grid = page.getByRole("grid", { name: "Machines" });
            hold((url) => url.pathname === "/api/v1/hosts");
            await grid.press("End");
            await grid.press("Space"); // the row is named, and has not come
            go();
            await page.getByText("1 machine selected").waitFor();
            await page.locator(".t-selected[data-index='4999'] a").waitFor();
            hold((url) => url.searchParams.get("search") === "pc-nantes-00001");
            await page.keyboard.press("Control+k");
            await page.getByRole("combobox", { name: "Go to, or do" }).fill("pc-nantes-00001");
            await page.keyboard.press("Enter"); // nothing is found yet
            go();
            await page.getByRole("heading", { name: "pc-nantes-00001" }).waitFor();
            // "All" is what the search has left, be it of the moment before.
            await page.goto(`${base}/repository`);
            await loaded(page);
            await page.evaluate(async () => {
                const box = document.querySelector("input[type=search]");
                box.value = "tis-7zip";
                box.dispatchEvent(new Event("input", { bubbles: true }));
                for (let i = 0; i < 20; i++) await undefined; // no task of the page's comes between
                document.querySelector("[role=grid]").dispatchEvent(new KeyboardEvent("keydown", { key: "a", ctrlKey: true, bubbles: true }));
            });
            await page.getByText("1 package selected").waitFor();
            // A code of the second factor is taken as soon as it is asked for.
            mock.server.state = "login";
            await page.reload();
            const dialog = page.getByRole("dialog", { name: "Log in" });
            await dialog.getByLabel("Password", { exact: true }).fill("secret");
            const held = new Promise((resolve) => (go = resolve));
            mock.fault = async (q, url, body) => {
                if (url.pathname === "/local/state") return void (await held);
                return url.pathname === "/local/login" && !body.code ? { json: { needs: "code" } } : undefined;
            };
            await page.keyboard.press("Enter");
            const code = dialog.getByLabel("Code of the second factor");
            await code.waitFor();
            check(await code.evaluate((e) => e === document.activeElement), "one types where it is asked for");
            await page.keyboard.type("123456");
            await page.keyboard.press("Enter");
            await until(() => Promise.resolve(mock.server.state === "connected"), "the code has come");
            go();
            await dialog.waitFor({ state: "detached" });
        },
        { count: 5000 },
    );
}

export async function theNextKeyFindsTheFocusWhereItBelongs(given) {
    await open(given, async ({ page }) => {
        await loaded(page);
        const found = await page.evaluate(async () => {
            /** What has the focus afterwards, before any other task of the page's. */
            const after = async (act) => {
                act();
                for (let i = 0; i < 20; i++) await undefined;
                return document.activeElement.ariaLabel ?? document.activeElement.textContent;
            };
            const key = (name, ctrlKey = false) => after(() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: name, ctrlKey, bubbles: true })));
            const button = (name) => [...document.querySelectorAll("button")].find((b) => (b.ariaLabel ?? b.textContent) === name);
            const columns = button("Columns");
            columns.focus();
            return [await key("k", true), await after(() => document.querySelector("dialog").dispatchEvent(new Event("cancel"))), await after(() => columns.click()) !== "Columns", await after(() => button("Close").click()), await key("g") && await key("o") && document.activeElement.id, await key("g") && await key("h") && await key("/")];
        });
        same(found, ["Go to, or do", "Columns", true, "Columns", "main", "Search machines"], "what had the focus");
    });
}

export async function aFailedGestureCanBePreparedAgain(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        mock.keys[0].unlocked_until = 4_000_000_000;
        await selectFirst(page.getByRole("grid"));
        await page.getByRole("button", { name: "Upgrade", exact: true }).click();
        await page.getByRole("button", { name: "Review" }).click();
        mock.fault = (q, url) => (url.pathname === "/local/commit" ? { status: 409, json: { error: { code: "cancelled", message: "nobody said yes" } } } : undefined);
        await page.getByRole("button", { name: "Sign and send" }).click();
        await page.getByRole("dialog").getByText("nobody said yes").waitFor();
        mock.fault = () => undefined;
        await page.getByRole("button", { name: "Prepare again" }).click();
        await page.getByRole("button", { name: "Sign and send" }).click();
        await page.getByRole("progressbar").waitFor();
    });
}

export async function aRewrittenJournalIsSaidOnEveryPage(given) {
    const journal = "WARNING: the journal of 'https://wapt.example.org' was rewritten or cut: <b>entry 7</b>";
    await open(given, async ({ page, base }) => {
        for (const where of ["/hosts", "/orders"]) {
            await page.goto(base + where);
            await page.getByRole("alert").getByText(journal).waitFor();
        }
        same(await axe(page), [], "against WCAG AA");
    }, { before: (mock) => (mock.server.journal = journal) });
}

export async function aTicketLogsInUnasked(given) {
    const before = (mock) => Object.assign(mock.server, { state: "login", login: "kerberos", ways: { password: true, kerberos: true, oidc: false, certificate: false } });
    const tries = (mock) => mock.asked.filter((a) => a === "POST /local/login").length;
    await open(given, async ({ mock, page, base }) => {
        const dialog = page.getByRole("dialog", { name: "Log in" });
        await dialog.getByText("you have no Kerberos ticket").waitFor(); // told, and tried once
        same(tries(mock), 1, "logins");
        mock.fault = (q, url) => (url.pathname === "/local/login" ? ((mock.server.state = "connected"), { json: {} }) : undefined);
        await page.goto(`${base}/hosts`);
        await loaded(page);
        await dialog.waitFor({ state: "detached" });
        same(tries(mock), 2, "logins");
        await page.getByRole("button", { name: mock.server.user, exact: true }).click();
        await page.getByRole("menuitem", { name: "Log out" }).click();
        await dialog.waitFor();
        await dialog.getByRole("combobox", { name: "By" }).selectOption("password"); // whoever has left is asked
        same(tries(mock), 2, "logins");
    }, { before });
}

export async function whoChoosesNoFileLosesNothing(given) {
    await open(given, async ({ page }) => {
        await page.getByRole("button", { name: "Sign a request" }).click();
        const dialog = page.getByRole("dialog", { name: "Sign a request" });
        await dialog.locator("textarea").fill("half of it");
        await dialog.locator("input[type=file]").dispatchEvent("cancel", { bubbles: true }); // as the browser tells that its choice of files was closed
        same(await dialog.locator("textarea").inputValue(), "half of it", "what was typed");
    }, { at: "/keys" });
}

export async function whatOneCertificateHitsIsNotSaidOfAnother(given) {
    await open(given, async ({ mock, page }) => {
        let go = () => undefined;
        const gate = new Promise((resolve) => (go = resolve));
        mock.fault = async (q, url) => {
            if (url.pathname !== "/local/revocation") return undefined;
            await gate;
            return { json: { packages: [], hosts: [], unread: 0 } };
        };
        await page.getByRole("button", { name: "Revoke a certificate" }).click();
        const dialog = page.getByRole("dialog", { name: "Revoke a certificate" });
        const look = dialog.getByRole("button", { name: "What does it hit?" });
        await look.click();
        await until(() => Promise.resolve(mock.asked.includes("POST /local/revocation")), "it is asked");
        const certificate = dialog.getByRole("combobox", { name: "Certificate" });
        const [first] = await certificate.locator("option").evaluateAll((all) => all.map((o) => o.value));
        await certificate.selectOption({ index: 1 });
        go();
        await until(() => look.isEnabled(), "it can be asked about the other one"); // the answer has come
        same(await dialog.getByRole("button", { name: "Revoke", exact: true }).count(), 0, "buttons that revoke what nobody has looked at");
        await certificate.selectOption(first);
        await dialog.getByRole("button", { name: "Revoke", exact: true }).waitFor();
    }, { at: "/keys?tab=revoked" });
}

export async function whatIsNotThereIsSaidSo(given) {
    await open(given, async ({ page, base }) => {
        for (const [where, title, back] of [[`/rollouts/${"f".repeat(32)}`, "There is no such roll-out", "/rollouts"], ["/people?name=nobody", "There is no such person", "/people"], ["/nowhere", "There is no such page", "/start"]]) {
            await page.goto(base + where);
            await page.getByRole("heading", { name: title }).waitFor();
            same(await page.locator("#main a").getAttribute("href"), back, `the way on from ${where}`);
        }
    });
}

export async function machinesThatAreGoneAreForgotten(given) {
    await open(given, async ({ mock, page }) => {
        await loaded(page);
        mock.fault = (q, url) => {
            const uuid = q.method === "DELETE" && url.pathname.split("/")[4];
            if (!uuid) return undefined;
            const at = mock.hosts.findIndex((h) => h.uuid === uuid);
            if (mock.hosts[at].name === "pc-lyon-00000") return { status: 409, json: { error: { code: "conflict", message: "it is <b>busy</b>" } } };
            mock.hosts.splice(at, 1);
            mock.event({ kind: "host", what: "forgotten", uuid });
            return { json: {} };
        };
        await selectFirst(page.getByRole("grid"));
        for (let i = 0; i < 3; i++) await page.keyboard.press("Shift+ArrowDown");
        await page.getByText("4 machines selected").waitFor();
        await more(page, "Forget the machines");
        await page.getByRole("dialog", { name: "Forget 4 machines?" }).getByRole("button", { name: "Forget", exact: true }).click();
        await page.getByText("3 machines were forgotten.").waitFor();
        await page.getByText("it is <b>busy</b>").waitFor();
        await page.getByText("297 machines", { exact: true }).waitFor();
        await page.getByText("1 machine selected").waitFor(); // what is gone is not selected
    }, { before: (mock) => (mock.server.rights += ",enrol") });
}

export async function manyFailuresAreATable(given) {
    await open(given, async ({ mock, page }) => {
        mock.keys[0].unlocked_until = 4_000_000_000;
        await loaded(page);
        await selectFirst(page.getByRole("grid"));
        for (let i = 0; i < 5; i++) await page.keyboard.press("Shift+ArrowDown");
        await page.getByRole("button", { name: "Assign", exact: true }).click();
        await page.getByRole("dialog").getByLabel("Assign", { exact: true }).fill("tis-7zip");
        await page.getByRole("button", { name: "Review" }).click();
        mock.fault = (q, url) => (url.pathname === "/local/commit" ? { json: { state: "done", changed: 1, hosts: mock.hosts.slice(0, 6).map((h, i) => ({ name: h.name, uuid: h.uuid, code: i ? "conflict" : "ok", error: i ? `somebody <i>else</i> ${i}` : null })) } } : undefined);
        await page.getByRole("button", { name: "Sign and send" }).click();
        const dialog = page.getByRole("dialog", { name: "5 failed" });
        await dialog.getByText("somebody <i>else</i> 5").waitFor();
        await dialog.getByText("5 rows").waitFor();
        same(await axe(page), [], "against WCAG AA");
        await dialog.locator(".dialog-foot button").click();
        await dialog.waitFor({ state: "detached" });
    });
}

export async function whatAnotherRepositoryHasIsChosenFrom(given) {
    await open(given, async ({ mock, page }) => {
        mock.keys[0].unlocked_until = 4_000_000_000;
        await page.getByRole("button", { name: "Import packages" }).click();
        const dialog = page.getByRole("dialog", { name: "Import packages" });
        await dialog.getByRole("button", { name: "Show what is there" }).click();
        const there = dialog.getByRole("grid", { name: "What is there" });
        await there.getByText("tis-<b>vlc</b>", { exact: true }).waitFor();
        same(await axe(page), [], "against WCAG AA");
        await page.screenshot({ path: `${given.folder}/offers.png` });
        await dialog.getByLabel("Packages", { exact: true }).fill("tis-7zip");
        for (const name of ["x86", "tis-gimp"]) await there.locator(".t-row", { hasText: name }).locator("[data-check]").click();
        await dialog.getByText("2 packages selected").waitFor();
        await dialog.getByRole("button", { name: "Review" }).click();
        await page.getByRole("button", { name: "Sign and send" }).waitFor();
        const { what, from, packages } = [...mock.prepared.values()].at(-1);
        same([what, from, packages], ["import", "store", ["tis-7zip", "tis-firefox(=140.0-1)", "tis-gimp(=3.0-2)"]], "what is to come");
    }, { at: "/repository", before: (mock) => (mock.repositories = ["store", "other"]) });
}

export async function rulesAreSeenWhereTheyAreChanged(given) {
    await open(given, async ({ mock, page }) => {
        const row = page.locator(".t-body .t-row", { hasText: "rules" });
        await row.locator("[data-check]").click();
        await page.getByRole("button", { name: "Change", exact: true }).click();
        const dialog = page.getByRole("dialog", { name: "Change groups and rules" });
        await dialog.getByText("tis-firefox, tis-7zip").waitFor();
        await dialog.getByText("<i>team</i>").waitFor();
        same(await axe(page), [], "against WCAG AA");
        await until(() => Promise.resolve(mock.asked.includes(`DELETE /local/prepare/${"1".repeat(32)}`)), "nothing comes of the look");
    }, { at: "/assignments" });
}
