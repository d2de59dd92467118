// The pages of the real console, against a real server and real machines. The scenarios are one story, in the order of their names.
import { begin, check, logIn, more, same, selectFirst, unlock, until } from "./lib.mjs";

const grid = (page) => page.getByRole("grid", { name: "Machines" });
export const isOneStory = true; // after a failure the rest is not reached
let open; // the tab of the story

export async function a1_logsInAndSeesTheMachine({ browser, link, password, name }) {
    open = await begin(browser, link, { at: "/hosts" });
    const { page } = open;
    await page.getByRole("dialog", { name: "Log in" }).waitFor();
    await page.getByLabel("Password", { exact: true }).fill("not the password");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByRole("alert").filter({ hasText: /./ }).waitFor();
    await logIn(page, password);
    await grid(page).getByRole("link", { name }).waitFor();
    await grid(page).getByText("connected").first().waitFor();
    check(!page.url().includes("ticket"), "the ticket stands in the address");
    await page.reload();
    await grid(page).getByRole("link", { name }).waitFor();
}

export async function a2_findsItByWhatItIs({ name }) {
    const { page } = open;
    await page.getByRole("searchbox", { name: "Search machines" }).fill(name.slice(0, 6));
    await until(() => Promise.resolve(page.url().includes("search=")), "the search stands in the address");
    await grid(page).getByRole("link", { name }).waitFor();
    await page.getByRole("searchbox", { name: "Search machines" }).fill("no such machine");
    await page.getByText("No machine matches.").waitFor();
    await page.getByRole("searchbox", { name: "Search machines" }).fill("");
    await page.getByRole("button", { name: "More filters" }).click();
    const systems = () => page.locator("datalist option").evaluateAll((all) => all.map((o) => o.value));
    await until(async () => (await systems()).length > 0, "the server offers values");
    await page.getByLabel("Software", { exact: true }).fill("no such software at all");
    await page.keyboard.press("Escape");
    await page.getByText("No machine matches.").waitFor();
    await page.getByRole("button", { name: "Software: no such software at all" }).click();
    await grid(page).getByRole("link", { name }).waitFor();
}

export async function a3_installsAPackageByAnOrderThatWasReviewed({ ask, name, packageName, keyPassword }) {
    const { page } = open;
    await selectFirst(grid(page));
    await page.getByRole("button", { name: "Install", exact: true }).click();
    await page.getByLabel("Packages", { exact: true }).fill(packageName);
    await page.getByRole("button", { name: "Review" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("1 machine concerned").waitFor();
    await dialog.getByText(packageName, { exact: true }).waitFor();
    await dialog.getByText(name).first().waitFor();
    await unlock(page, keyPassword);
    await page.getByRole("button", { name: "Sign and send" }).click();
    await dialog.getByText("Confirm in the terminal").waitFor();
    check(await ask("marker") === false, "it was installed before a person said yes");
    await ask("confirm");
    await page.getByRole("heading", { name: "Order: Install" }).waitFor();
    await page.getByRole("grid", { name: "Results" }).locator(".status-ok").waitFor();
    check(await ask("marker") === true, "the package's script has not run");
}

export async function a4_seesWhatBecameOfIt({ name, packageName }) {
    const { page } = open;
    await page.getByRole("grid", { name: "Results" }).getByRole("link", { name }).click();
    await page.getByRole("heading", { name }).waitFor();
    await page.getByRole("tab", { name: /Packages/ }).click();
    await page.getByRole("grid", { name: "Packages" }).getByText(packageName).waitFor();
    await page.getByRole("tab", { name: "History" }).click();
    await page.getByRole("grid", { name: "History" }).getByText(packageName).first().waitFor();
    await page.getByRole("tab", { name: "Orders" }).click();
    await page.getByRole("grid", { name: "Orders" }).getByText(packageName).first().waitFor();
    await page.getByRole("tab", { name: "Hardware" }).click();
    await page.locator("details.tree").first().waitFor();
}

export async function a4b_seesThePackagesOfWhatIsSelected({ name, packageName }) {
    const { page } = open;
    await page.getByRole("link", { name: "Machines" }).first().click();
    await grid(page).getByRole("link", { name }).waitFor();
    await grid(page).focus();
    await page.keyboard.press("Control+a");
    await page.getByText("1 machine selected").waitFor();
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: /^Packages/ }).click();
    const dialog = page.getByRole("dialog");
    const row = dialog.getByRole("row").filter({ hasText: packageName });
    await row.filter({ hasText: "installed" }).waitFor();
    await dialog.getByLabel("State", { exact: true }).selectOption("OK");
    await dialog.getByRole("searchbox").fill(packageName);
    await dialog.getByText("1 row", { exact: true }).waitFor();
    await selectFirst(dialog.getByRole("grid"));
    await dialog.getByRole("button", { name: "Run audits" }).click();
    await page.getByRole("dialog", { name: "Run audits" }).waitFor();
    same(await page.getByLabel("Packages", { exact: true }).inputValue(), packageName, "the package of the order");
    await page.getByRole("button", { name: "Review" }).click();
    await page.getByRole("dialog").getByText("1 machine concerned").waitFor();
    await page.getByRole("dialog").getByText(name).first().waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Select nothing" }).click();
}

export async function a4c_sendsAMessageThatIsReviewedAsItStands({ ask, keyPassword }) {
    const { page } = open;
    const text = "<b>Please</b> save & log out";
    await grid(page).focus();
    await page.keyboard.press("Control+a");
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: /^Send a message/ }).click();
    const dialog = page.getByRole("dialog");
    same(await dialog.getByRole("button", { name: "Review" }).isDisabled(), true, "an empty message is sent");
    await dialog.getByLabel("Text", { exact: true }).fill("\u202e");
    await dialog.getByRole("button", { name: "Review" }).click();
    await page.getByText("belongs to no character that can be seen").first().waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: /^Send a message/ }).click();
    await dialog.getByLabel("Text", { exact: true }).fill(text);
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByText(text, { exact: true }).waitFor();
    await unlock(page, keyPassword);
    await page.getByRole("button", { name: "Sign and send" }).click();
    await dialog.getByText("Confirm in the terminal").waitFor();
    const shown = await ask("confirm");
    check(shown.includes(text), `the terminal shows ${shown}`);
    await page.getByRole("heading", { name: "Order: Send a message" }).waitFor();
    await page.getByRole("grid", { name: "Results" }).locator(".status-ok").waitFor();
}

export async function a5_seesAMachineComeThatLies({ ask, hostile }) {
    const { page, base } = open;
    await page.getByRole("link", { name: "Machines" }).first().click();
    await grid(page).waitFor();
    const uuid = await ask("hostile");
    await grid(page).getByText(hostile).first().waitFor(); // by an event, nobody reads the list again
    const clean = async () => {
        same(await page.evaluate(() => window.hit), undefined, "something ran");
        same(await page.locator("img:not([src='/icon.svg']), script:not([src='/app.js']), iframe, b, i, [onerror]").count(), 0, "elements made of texts");
    };
    await clean();
    await page.goto(`${base}/hosts/${uuid}`);
    for (const name of ["Overview", /Packages/, /Software/, "Hardware", "All it says"]) {
        await page.getByRole("tab", { name }).click();
        await page.locator("details:not([open]) > summary").evaluateAll((all) => all.forEach((s) => s.click()));
        await page.getByText("window.hit").first().waitFor();
        await clean();
    }
}

/** What gives somebody something: reviewed, then confirmed by a person in the terminal. */
async function confirmed(ask) {
    const dialog = open.page.getByRole("dialog");
    await dialog.getByText("you will be asked outside of it").waitFor();
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await dialog.getByText("Confirm in the terminal").waitFor();
    return ask("confirm");
}

export async function a6_looksAfterPeopleReportsAndTheJournal({ ask }) {
    const { page, base } = open;
    await page.goto(`${base}/start`);
    await page.getByRole("heading", { name: "What needs attention" }).waitFor();
    await page.locator(".tile").first().click();
    await grid(page).waitFor();

    await page.getByRole("link", { name: "People" }).click();
    await page.getByRole("button", { name: "New person" }).click();
    await page.getByLabel("Name", { exact: true }).fill("web-anna");
    await page.getByRole("combobox", { name: "Role" }).selectOption("helpdesk");
    await page.getByLabel("First password").fill("a long enough password");
    await page.getByRole("button", { name: "Review" }).click();
    const shown = await confirmed(ask);
    check(shown.includes("web-anna") && shown.includes("helpdesk") && !shown.includes("a long enough password"), `the terminal shows ${shown}`);
    await page.getByRole("heading", { name: "web-anna" }).waitFor();
    await page.getByRole("button", { name: "Perimeter" }).click();
    await page.getByRole("combobox", { name: "Sees" }).selectOption("some");
    await page.getByLabel("Groups, one a line").fill("grp-web");
    await page.getByRole("button", { name: "Review" }).click();
    await confirmed(ask);
    await page.locator(".facts").getByText("grp-web").waitFor();
    await more(page, "Disable");
    await page.getByRole("dialog").getByRole("button", { name: "Review" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Confirm" }).click(); // takes something: nobody is asked
    await page.locator(".page-head").getByText("disabled").waitFor();
    await more(page, "Remove");
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByRole("grid", { name: "People" }).getByText("web-anna").waitFor({ state: "detached" });

    await page.getByRole("link", { name: "Reports" }).click();
    await page.getByRole("button", { name: "New report" }).click();
    await page.getByLabel("Name", { exact: true }).fill("web machines");
    await page.getByLabel("Query").fill("SELECT DROP");
    await page.getByRole("button", { name: "Try it" }).click();
    await page.locator(".toast-error").waitFor();
    await page.getByLabel("Query").fill("SELECT name, status FROM hosts");
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByRole("dialog").getByRole("grid", { name: "Rows" }).getByText("status").waitFor();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "web machines" }).waitFor();
    await page.getByRole("grid", { name: "Rows" }).locator(".t-body .t-row").first().waitFor();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "New report" }).waitFor();

    await page.getByRole("link", { name: "Journal" }).click();
    const journal = page.getByRole("grid", { name: "Journal" });
    await journal.getByText("web machines").first().waitFor();
    await journal.getByText("web-anna").first().waitFor();
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByRole("dialog").getByText("entries fit to each other").waitFor();
    await page.getByRole("dialog").locator("[type=submit]").click();
    await page.getByRole("link", { name: "Roll-outs" }).click();
    await page.getByText("There is no roll-out yet.").waitFor();
    await page.getByRole("button", { name: "New roll-out" }).click();
    await page.getByLabel("Packages", { exact: true }).fill("web-nothing");
    await page.getByLabel("For the members of").fill("grp-web");
    await page.getByRole("button", { name: "Review" }).click();
    await page.getByRole("dialog").getByText("grp-web", { exact: true }).waitFor();
    await page.getByRole("dialog").getByText("you will be asked outside of this page").waitFor(); // nobody knows how many will be in it
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
}

export async function a6_makesATokenAndAWebhook({ ask }) {
    const { page, base } = open;
    await page.getByRole("link", { name: "API tokens" }).click();
    await page.getByRole("button", { name: "New token" }).click();
    await page.getByLabel("Name", { exact: true }).fill("web-token");
    await page.getByRole("button", { name: "Review" }).click();
    const shown = await confirmed(ask);
    check(shown.includes("web-token") && shown.includes("view"), `the terminal shows ${shown}`);
    const token = await page.getByRole("dialog", { name: "The token" }).locator("code").innerText();
    check((await ask("token", token)) === 200, "the token is none");
    await page.getByRole("button", { name: "I have kept it" }).click();
    check(!(await page.content()).includes(token), "the token is still shown");
    const list = page.getByRole("grid", { name: "API tokens" });
    await list.getByRole("row", { name: /web-token/ }).getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await list.getByText("web-token").waitFor({ state: "detached" });
    check((await ask("token", token)) === 401, "a revoked token");
    // A page that goes round the review gets nothing, whatever it sends.
    const tries = [["users", { name: "web-evil", role: "superadmin", password: "a long enough password" }], ["users/admin", { role: "readonly" }], ["users/admin/password", { password: "a long enough password" }], ["account/tokens", { name: "web-evil", rights: ["view"], days: 1 }], ["webhooks", { url: "https://127.0.0.1/" }]];
    const answers = await page.evaluate((all) => Promise.all(all.map(([path, body]) => fetch(`/api/v1/${path}`, { method: "POST", headers: { Authorization: `Bearer ${sessionStorage.getItem("wapt.token")}`, "Content-Type": "application/json" }, body: JSON.stringify(body) }).then((a) => a.status))), tries);
    same(answers, tries.map(() => 404), "what a page may send by itself");

    await page.goto(`${base}/webhooks`);
    await page.getByRole("button", { name: "New webhook" }).click();
    await page.getByLabel("Address").fill(await ask("hook"));
    await page.getByLabel("roll-outs").check();
    await page.getByRole("button", { name: "Review" }).click();
    await confirmed(ask);
    await page.getByRole("dialog", { name: "The webhook's secret" }).locator("code").waitFor();
    await page.getByRole("button", { name: "I have kept it" }).click();
    const hooks = page.getByRole("grid", { name: "Webhooks" });
    await hooks.getByText("nothing sent yet").waitFor();
    await hooks.getByText("rollout").dblclick();
    await page.getByRole("button", { name: "Send a test" }).click();
    await hooks.getByText("arrives").waitFor();
    check(await ask("hooked"), "the test has not arrived");
    await hooks.getByText("rollout").dblclick();
    await page.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await hooks.getByText("rollout").waitFor({ state: "detached" });
}

export async function a6_outlivesTheServersAbsence({ ask, name }) {
    const { page, base } = open;
    await page.goto(`${base}/hosts`);
    await grid(page).getByRole("link", { name }).waitFor();
    await ask("stop");
    await page.getByText("The server can't be reached").waitFor();
    await grid(page).getByRole("link", { name }).waitFor();
    await ask("start");
    await page.getByText("The server can't be reached").waitFor({ state: "detached" });
    await grid(page).getByText("connected").first().waitFor();
    // One that is there and stands still is told of as well, and what was asked then is asked again.
    await ask("freeze");
    await page.getByRole("searchbox", { name: "Search machines" }).fill(name.slice(0, 6));
    await page.getByText("The server can't be reached").waitFor();
    await ask("thaw");
    await page.getByText("The server can't be reached").waitFor({ state: "detached" });
    await grid(page).getByRole("link", { name }).first().waitFor();
    await page.getByRole("searchbox", { name: "Search machines" }).fill("");
}

export async function a7_logsOutAndInAgain({ password, name }) {
    const { page } = open;
    await page.getByRole("button", { name: "admin" }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await logIn(page, password);
    await grid(page).getByRole("link", { name }).waitFor();
}

export async function a8_keepsWhatWasChosenOverANewStart({ ask, browser }) {
    const { page } = open;
    await page.getByRole("combobox", { name: "Colours" }).selectOption("dark");
    await until(() => ask("kept", "dark"), "the program has kept it");
    const link = await ask("again");
    await page.getByText("The console does not answer").waitFor();
    same(open.trouble, [], "trouble in the page");
    await open.context.close();
    open = await begin(browser, link, { at: "/hosts" });
    await until(() => open.page.evaluate(() => document.documentElement.dataset.theme === "dark"), "the colours are as they were");
}

export async function b1_seesARolloutStopItself({ ask, password, keyPassword }) {
    const { page, base } = open;
    await logIn(page, password);
    await grid(page).waitFor();
    await ask("second"); // one more machine; both are in grp-story, and the first in grp-pilot as well
    await page.goto(`${base}/rollouts`);
    await page.getByRole("button", { name: "New roll-out" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Packages", { exact: true }).fill("tis-broken");
    await dialog.getByLabel("For the members of").fill("grp-story");
    await dialog.getByLabel("First to").fill("grp-pilot");
    await dialog.getByLabel("Then to percent of all").fill("");
    await dialog.getByLabel("It halts after so many failures").fill("1");
    await dialog.getByRole("button", { name: "Review" }).click();
    await dialog.getByText("grp-story", { exact: true }).waitFor();
    await unlock(page, keyPassword);
    await dialog.getByRole("button", { name: "Sign and send" }).click();
    await dialog.getByText("Confirm in the terminal").waitFor();
    check((await ask("confirm")).includes("tis-broken"), "what is confirmed does not stand in the terminal");
    await page.getByRole("heading", { name: "install tis-broken" }).waitFor();
    await page.locator(".page-head").getByText("halted").waitFor(); // by an event
    await page.locator(".ring", { hasText: "Ring 1" }).getByText("failed: 1").waitFor();
    await page.locator(".ring", { hasText: "Ring 2" }).getByText("waiting: 1").waitFor();
    same(await ask("broken"), 1, "machines that ran it");
    await page.getByRole("button", { name: "Stop" }).click();
    await dialog.getByRole("button", { name: "Stop" }).click();
    await page.locator(".page-head").getByText("stopped").waitFor();
    same(await ask("broken"), 1, "machines that ran it");
}

export async function b1b_theFrontPageTellsOfIt({ name }) {
    const { page, base } = open;
    await page.goto(`${base}/start`);
    const todo = (text) => page.locator(".todos li").filter({ hasText: text });
    await todo("No backup of the server was made yet.").waitFor();
    await todo("failed or was refused in the last day.").getByRole("link").waitFor();
    await todo("has a package in error.").getByRole("link").click(); // and the server finds just that one
    await grid(page).getByText("Error").first().waitFor();
    await until(async () => (await grid(page).locator(".t-body .t-row").count()) === 1, "one machine is in error");
    await grid(page).getByRole("link", { name }).first().click();
    await page.getByRole("tab", { name: /Packages/ }).click();
    await page.getByRole("grid", { name: "Packages" }).getByText("tis-broken").waitFor();
}

export async function b2_goesOnWhereItWasWhenTheSessionHasExpired({ ask, password, name }) {
    const { page, base } = open;
    await page.goto(`${base}/hosts`);
    await grid(page).getByRole("link", { name }).first().waitFor();
    await page.getByRole("searchbox", { name: "Search machines" }).fill(name.slice(0, 6));
    await until(() => Promise.resolve(page.url().includes("search=")), "the search stands in the address");
    const { server } = await ask("expire");
    check(server > 0, "there was no session at the server");
    await page.getByRole("combobox", { name: "State" }).selectOption("OK");
    await logIn(page, password);
    check(page.url().includes("search=") && page.url().includes("status=OK"), "the filters are gone");
    await page.getByRole("combobox", { name: "State" }).selectOption("");
    await grid(page).getByRole("link", { name }).first().waitFor();
    same(open.trouble, [], "trouble in the page");
    await open.context.close();
}
