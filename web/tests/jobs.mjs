// What an administrator does on an ordinary day, as a newcomer does it: each with so few steps that they stand here one below the other.
import { axe, check, same, until } from "./lib.mjs";
import { machine } from "./mock.mjs";
import { open } from "./open.mjs";

const rows = (page) => page.locator(".t-body .t-row");
const loaded = (page) => rows(page).locator("a").first().waitFor();
const dialog = (page) => page.getByRole("dialog");

export async function aMachineIsFoundByItsSerialNumber(given) {
    await open(given, async ({ page }) => {
        const wanted = machine(17);
        await page.keyboard.press("Control+k");
        await page.keyboard.type(wanted.serial);
        await page.getByRole("option").filter({ hasText: wanted.serial }).getByText(wanted.name).waitFor(); // one sees why it is among them
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: wanted.name }).waitFor();
        await page.locator(".facts").getByText(wanted.serial).waitFor();
    });
}

export async function whyAPackageFailedIsOneStepFromItsMachine(given) {
    const { uuid } = machine(23);
    await open(
        given,
        async ({ page }) => {
            await page.getByRole("link", { name: "tis-software-3 1.3-0" }).click();
            await dialog(page).getByText("exit status 1603").waitFor();
            same(await axe(page), [], "axe of the log");
            await page.reload(); // it stands in the address, so it can be sent to somebody
            await dialog(page).getByText("exit status 1603").waitFor();
            await page.keyboard.press("Escape");
            await dialog(page).waitFor({ state: "detached" });
            await page.getByRole("grid", { name: "Packages" }).getByRole("button", { name: "tis-software-3" }).click();
            await dialog(page).getByText("exit status 1603").waitFor();
            await page.goBack();
            await page.getByRole("heading", { name: "State" }).waitFor();
            same(await dialog(page).count(), 0, "dialogs on the page before");
        },
        { at: `/hosts/${uuid}` },
    );
}

export async function aPackageIsInstalledOnManyMachinesChosenByFilters(given) {
    await open(given, async ({ mock, page }) => {
        await page.getByRole("link", { name: "Machines", exact: true }).click();
        await loaded(page);
        await page.getByRole("searchbox", { name: "Search machines" }).fill("lyon");
        await page.getByRole("combobox", { name: "State" }).selectOption("OK");
        await page.locator(".page-head").getByText(/^\d\d machines$/).waitFor();
        await page.getByRole("button", { name: "Select all that match" }).click();
        await page.getByRole("button", { name: "Install", exact: true }).click();
        const field = dialog(page).getByRole("combobox", { name: "Packages" });
        await field.pressSequentially("fire");
        await dialog(page).locator("datalist option[value='tis-firefox']").waitFor({ state: "attached" }); // names need not be known by heart
        await field.fill("tis-7zip fire");
        await dialog(page).locator("datalist option[value='tis-7zip tis-firefox']").waitFor({ state: "attached" });
        await field.fill("tis-firefox");
        await dialog(page).getByRole("button", { name: "Review" }).click();
        await dialog(page).getByText("machines concerned").waitFor();
        // Going back leaves it, and nothing stays prepared that a later click could sign.
        await page.goBack();
        await dialog(page).waitFor({ state: "detached" });
        await until(() => mock.asked.some((a) => a.startsWith("DELETE /local/prepare/")), "what was prepared is dropped");
        check(!mock.asked.some((a) => a.startsWith("POST /local/commit")), "something was signed");
    }, { at: "/start" });
}

export async function whoHasAnOldVersionIsAList(given) {
    await open(
        given,
        async ({ mock, page }) => {
            await page.getByRole("link", { name: /have an older version/ }).click();
            await loaded(page);
            check(page.url().includes("package_version=%3C1.0-1"), page.url());
            check(mock.asked.some((a) => a.startsWith("GET /api/v1/hosts?") && a.includes("package_version=%3C1.0-1")), "the server is asked for it");
            await page.getByRole("button", { name: /^Version of the package/ }).waitFor(); // and it can be taken away
        },
        { at: "/package?name=tis-firefox" },
    );
}

export async function theFailuresOfARolloutAreOneStepFromIt(given) {
    await open(
        given,
        async ({ mock, page }) => {
            await page.locator(".facts").getByText("tis-firefox(=140.0-1)").waitFor(); // what it brings
            const stop = page.getByRole("button", { name: "Stop" });
            same(await stop.getAttribute("class"), "danger", "what can't be taken back looks so");
            await page.getByRole("link", { name: "failed: 4" }).click();
            await page.getByRole("grid", { name: "Results" }).waitFor();
            await until(() => mock.asked.some((a) => a.startsWith("GET /api/v1/actions?") && a.includes("state=failed")), "the failures alone are asked for");
        },
        { at: `/rollouts/${"a".repeat(32)}` },
    );
}

export async function aRolloutIsPaused(given) {
    await open(
        given,
        async ({ mock, page }) => {
            await page.getByRole("button", { name: "Pause" }).click();
            await dialog(page).getByText("Nothing more is sent").waitFor();
            await page.keyboard.press("Enter");
            await until(() => mock.asked.some((a) => a.startsWith("POST /api/v1/rollouts/") && a.endsWith("/pause")), "it is paused");
        },
        { at: `/rollouts/${"b".repeat(32)}` },
    );
}

export async function whereALostMachineMayBeIsSaid(given) {
    const lost = machine(23);
    await open(
        given,
        async ({ page, base }) => {
            const why = page.locator(".panel").filter({ has: page.getByRole("heading", { name: "Why it is away" }) });
            await why.getByText(lost.ips).waitFor();
            await why.getByText("wapt-get check").waitFor();
            await why.getByRole("link", { name: "75 of Toulouse are away" }).click(); // so it is the site
            await loaded(page);
            check(page.url().endsWith("/hosts?site=Toulouse&reachable=0"), page.url());
            await page.goto(`${base}/hosts/${machine(0).uuid}`);
            await page.getByRole("heading", { name: "State" }).waitFor();
            same(await page.getByRole("heading", { name: "Why it is away" }).count(), 0, "of one that is here");
        },
        { at: `/hosts/${lost.uuid}` },
    );
}

export async function aColleagueSeesOneSiteFromTheFirst(given) {
    await open(
        given,
        async ({ mock, page }) => {
            let given;
            mock.fault = (q, url, body) => void (url.pathname === "/local/prepare" && (given = body));
            await page.getByRole("button", { name: "New person" }).click();
            await dialog(page).getByLabel("Name", { exact: true }).fill("zoe");
            await dialog(page).getByLabel("First password").fill("a long enough password");
            await dialog(page).getByRole("combobox", { name: "Sees" }).selectOption("some");
            check(await dialog(page).getByRole("button", { name: "Review" }).isDisabled(), "a perimeter of nothing");
            await dialog(page).getByRole("combobox", { name: "Add a group" }).selectOption("grp-lyon"); // nobody knows them by heart
            await dialog(page).getByRole("combobox", { name: "Add a unit" }).selectOption("OU=Lyon_OU=Machines_DC=example_DC=org");
            same(await dialog(page).getByLabel("Groups, one a line").inputValue(), "grp-lyon", "the group");
            same(await axe(page), [], "axe of a new person");
            await dialog(page).getByRole("button", { name: "Review" }).click();
            await dialog(page).getByText("you will be asked outside of it").waitFor();
            same(given.give.perimeter, { groups: ["grp-lyon"], profiles: [], units: ["OU=Lyon_OU=Machines_DC=example_DC=org"] }, "what the server is told");
        },
        { at: "/people" },
    );
}

export async function theFirstStartSaysWhatToDo(given) {
    const nothing = { hosts: 0, reachable: 0, unseen_30_days: 0, errors: 0, to_upgrade: 0, audit_errors: 0, audit_warnings: 0, certificates_ending: 0, actions_failed_today: 0, rollouts_running: 0, uploads_refused: 0, webhooks_off: 0, server_certificate_until: 0, authority_until: 0, journal_missing: 0, backup_at: Date.now() / 1000, disk_free_percent: 70, clock_off_s: 0 };
    const empty = { "/api/v1/overview": nothing, "/api/v1/rollouts": { rollouts: [], total: 0 }, "/api/v1/packages": { packages: [], total: 0 }, "/local/certificates": { folder: "/home/anna/private", trusted_folder: "/home/anna/ssl", problem: null, keys: [], others: [], pending: [] } };
    await open(
        given,
        async ({ page, base }) => {
            await page.getByRole("link", { name: "Make a key, with which you sign." }).click();
            await page.getByText("There is no key here yet: make one.").waitFor();
            await page.getByRole("button", { name: "New key" }).waitFor();
            await page.goBack();
            await page.getByRole("link", { name: "Make an enrolment kit, and register the first one." }).click();
            await page.getByText("wapt-get enrol").waitFor();
            for (const [at, says] of [["/hosts", "No machine has registered yet."], ["/orders", "Select machines and choose an action"], ["/repository", "There is no package yet"], ["/assignments", "There are no groups yet."], ["/rollouts", "There is no roll-out yet."]]) {
                await page.goto(base + at);
                await page.locator(".t-empty").getByText(says).waitFor();
            }
        },
        {
            count: 0,
            at: "/start",
            before: (mock) => {
                mock.keys = [];
                mock.fault = (q, url) => empty[url.pathname] && { json: empty[url.pathname] };
            },
        },
    );
}

export async function aMachineIsPutIntoAnotherGroup(given) {
    const one = machine(23);
    await open(
        given,
        async ({ mock, page }) => {
            let given;
            mock.fault = (q, url, body) => void (url.pathname === "/local/prepare" && (given = body));
            await page.getByRole("button", { name: "Assign", exact: true }).click();
            await dialog(page).getByText("Assigned now: grp-toulouse").waitFor(); // what there is to be taken away
            await dialog(page).getByLabel("Assign", { exact: true }).fill("grp-lyon");
            await dialog(page).locator("datalist option[value='grp-toulouse']").waitFor({ state: "attached" });
            await dialog(page).getByLabel("Assign no more").fill("grp-toulouse");
            await dialog(page).getByRole("button", { name: "Review" }).click();
            await dialog(page).getByText("machine concerned").waitFor();
            same([given.add, given.remove, given.hosts], [["grp-lyon"], ["grp-toulouse"], [one.uuid]], "what is asked for");
        },
        { at: `/hosts/${one.uuid}` },
    );
}
