// Every screen, one after the other, in light and dark: for axe, and as pictures that people look at.
import path from "node:path";
import { machine } from "./mock.mjs";

const USUAL = { width: 1366, height: 768 };
const LARGE = { width: 2560, height: 1440 };
const HOST = `/hosts/${machine(23).uuid}`;

/** name, and how one comes there; each begins where the page is, and leaves no dialog behind for the next. */
const SCREENS = {
    start: ({ to }) => to("/start", ".tile"),
    rollouts: ({ to }) => to("/rollouts"),
    rollout: ({ to }) => to("/rollouts/" + "a".repeat(32), ".ring"),
    async "rollout-new"({ to, page }) {
        await to("/rollouts");
        await page.locator(".page-head .primary").click();
        await page.locator("dialog .form-two").waitFor();
    },
    reports: ({ to }) => to("/reports"),
    "report-bars": ({ to }) => to("/reports?name=machines+by+system", ".bars"),
    "report-time": ({ to }) => to("/reports?name=seen+by+day", ".plot canvas"),
    async "report-edit"({ page }) {
        await page.locator(".page-head > button").nth(1).click();
        await page.locator("dialog textarea").waitFor();
    },
    people: ({ to }) => to("/people"),
    person: ({ to }) => to("/people?name=anna", ".facts"),
    async "person-new"({ to, page }) {
        await to("/people");
        await page.locator(".page-head .primary").click();
        await page.locator("dialog select").nth(1).selectOption("some");
        await page.locator("dialog textarea").first().waitFor();
    },
    async "person-more"({ to, page }) {
        await to("/people?name=anna", ".facts");
        await page.locator("#main .menu > button").click();
    },
    async perimeter({ to, page }) {
        await to("/people?name=anna", ".facts");
        await page.locator(".page-head > button").nth(1).click();
        await page.locator("dialog textarea").first().waitFor();
    },
    "own-keys": ({ to }) => to("/keys", ".t-body .t-row"),
    async "new-key"({ page }) {
        await page.locator(".page-head .primary").click();
        await page.locator("dialog .form-two").waitFor();
    },
    async "sign-request"({ to, page }) {
        await to("/keys", ".t-body .t-row");
        await page.locator(".page-head > button").nth(-2).click();
        await page.locator("dialog textarea").waitFor();
    },
    async "key-password"({ page }) {
        await page.locator(".page-head > button").first().click();
        await page.locator("dialog input[type=password]").first().waitFor();
    },
    "trusted-certificates": ({ to }) => to("/keys?tab=others", ".t-body .t-row"),
    root: ({ to }) => to("/keys?tab=root", ".facts"),
    async "root-draft"({ page }) {
        await page.locator(".tab-panel .primary").click();
        await page.locator("[data-test=draft]").waitFor();
    },
    async "root-signer"({ page }) {
        await page.locator("[data-test=draft] .row-actions button").first().click();
        await page.locator("dialog .form-two").waitFor();
    },
    async "root-none"({ to, mock }) {
        mock.fault = (q, url) => (url.pathname === "/local/root" ? { json: { problem: null, is_none: true } } : undefined);
        await to("/keys?tab=root", ".tab-panel .primary");
    },
    async "root-first"({ page, mock }) {
        await page.locator(".tab-panel .primary").click();
        await page.locator("[data-test=draft] code").first().waitFor();
        mock.fault = () => undefined;
    },
    account: ({ to }) => to("/account", ".t-body .t-row"),
    async "factor-qr"({ page }) {
        await page.locator(".panel .primary").click();
        await page.locator("dialog input").fill("secret");
        await page.locator("dialog .primary").click();
        await page.locator(".qr").waitFor();
    },
    async "factor-codes"({ page }) {
        await page.locator("dialog input").fill("123456");
        await page.locator("dialog .primary").click();
        await page.locator(".codes li").first().waitFor();
    },
    revoked: ({ to }) => to("/keys?tab=revoked", ".plain-list li"),
    async revoke({ page }) {
        await page.locator(".tab-panel .danger").first().click();
        await page.locator("dialog .dialog-foot .primary").click();
        await page.locator("dialog .host-names").first().waitFor();
    },
    tokens: ({ to }) => to("/tokens", ".t-body .t-row"),
    async "token-new"({ page }) {
        await page.locator(".page-head .primary").click();
        await page.locator("dialog .rights").waitFor();
    },
    async "token-review"({ page }) {
        await page.locator("dialog input").first().fill("nightly");
        await page.locator("dialog .primary").click();
        await page.locator("dialog .said").first().waitFor();
    },
    async webhooks({ to, page }) {
        await page.keyboard.press("Escape");
        await to("/webhooks", ".t-body .t-row");
    },
    async webhook({ page }) {
        await page.locator(".t-body .t-row").nth(1).dblclick();
        await page.locator("dialog .facts").waitFor();
    },
    async journal({ to, page }) {
        await page.keyboard.press("Escape");
        await to("/journal", ".t-body .t-row");
    },
    async "journal-verified"({ page }) {
        await page.locator(".page-head > button").last().click();
        await page.locator("dialog .status-ok").waitFor();
    },
    repository: ({ to }) => to("/repository"),
    package: ({ to }) => to("/package?name=tis-firefox"),
    assignments: ({ to }) => to("/assignments"),
    async "group-new"({ page }) {
        await page.locator(".page-head .primary").click();
        await page.locator("dialog select").waitFor();
    },
    async kit({ to, page }) {
        await page.keyboard.press("Escape");
        await to("/kit", "form");
    },
    machines: ({ to }) => to("/hosts"),
    "machines-filtered": ({ to }) => to("/hosts?search=lyon&status=OK&model=OptiPlex+7010"),
    "machines-none": ({ to }) => to("/hosts?search=nothing-like-it", ".t-empty"),
    async units({ to, page }) {
        await to("/hosts");
        await page.locator(".page-head > button[aria-pressed]").click();
        await page.locator(".unit").nth(2).click();
        await page.locator(".units-chosen .menu > button").click();
    },
    async filters({ to, page }) {
        await page.keyboard.press("Escape");
        await page.locator(".page-head > button[aria-pressed]").click();
        await to("/hosts");
        await page.locator(".bar > button").first().click();
        await page.locator("dialog .three").waitFor();
    },
    async columns({ to, page }) {
        await to("/hosts");
        await page.locator(".page-head > button").nth(-2).click();
        await page.locator("dialog .chooser").waitFor();
    },
    async selected({ to, page }) {
        await to("/hosts");
        await select(page, 14);
    },
    async estate({ page }) {
        await page.locator("#main .menu > button").click();
        await page.locator(".menu-list button", { hasText: /^(Packages|Paquets)/ }).click();
        await page.locator("dialog .estate .t-body .t-row").first().waitFor();
        await page.locator("dialog .estate select").first().locator("option").nth(2).waitFor({ state: "attached" }); // its sections
    },
    async "actions-more"({ page }) {
        await page.keyboard.press("Escape");
        await page.locator("#main .menu > button").click();
    },
    async order({ page }) {
        await page.keyboard.press("Escape");
        await page.locator(".bar-actions > button").nth(4).click();
        await page.locator("dialog input").first().fill("tis-firefox");
    },
    async "review-locked"({ page, mock }) {
        mock.keys[0].unlocked_until = 0;
        await page.locator("dialog .dialog-foot .primary").click();
        await page.locator(".unlock").waitFor();
    },
    async review({ page }) {
        await page.locator(".unlock input").fill("secret");
        await page.locator(".unlock .primary").click();
        await page.locator(".unlock").waitFor({ state: "detached" });
    },
    async results({ page }) {
        await page.locator(".dialog-foot .primary").click();
        await page.locator("[role=progressbar]").waitFor();
        await page.locator(".t-body .t-row a").first().waitFor();
    },
    orders: ({ to }) => to("/orders"),
    "machine-maintenance": ({ to }) => to(`/hosts/${machine(30).uuid}`, ".panel"),
    async maintenance({ page }) {
        await page.locator("#main .menu > button").click();
        await page.locator(".menu-list button", { hasText: /Maintenance and holds|Maintenance et retenues/ }).click();
        for (const which of [1, 2]) await page.locator("dialog select").nth(which).selectOption("set");
        await page.locator("dialog .rows-one").nth(1).waitFor();
    },
    async "rollout-of-these"({ to, page }) {
        await to("/hosts");
        await select(page, 3);
        await page.locator("#main .menu > button").click();
        await page.locator(".menu-list button", { hasText: /^(Roll out|Déployer)$/ }).click();
        await page.locator("dialog .form-two").waitFor();
    },
    machine: ({ to }) => to(HOST, ".panel"),
    "machine-packages": ({ to }) => to(`${HOST}?tab=packages`, ".t-body .t-row"),
    async "machine-log"({ page }) {
        await page.locator(".t-body .t-row").nth(3).dblclick();
        await page.locator(".log").first().waitFor();
    },
    async "machine-hardware"({ to, page }) {
        await to(`${HOST}?tab=hardware`, ".tree");
        await page.locator(".tree > summary").first().click();
    },
    "machine-software": ({ to }) => to(`${HOST}?tab=software`, ".t-body .t-row"),
    "machine-history": ({ to }) => to(`${HOST}?tab=history`, ".t-empty"),
    "machine-all": ({ to }) => to(`${HOST}?tab=all`, ".tree"),
    async "machine-forget"({ page, mock, to }) {
        mock.server.rights += ",enrol";
        await to(HOST, ".panel");
        await page.locator("#main .menu > button").click();
        await page.locator("#main [role=menuitem].danger").first().click();
        await page.locator("dialog .danger").waitFor();
    },
    "machine-orders": ({ to }) => to("/hosts/" + machine(4).uuid + "?tab=orders", ".t-body .t-row"),
    "machine-tasks": ({ to }) => to("/hosts/" + machine(4).uuid + "?tab=tasks", ".t-body .t-row"),
    async "machine-task"({ page }) {
        await page.locator(".t-body .t-row").nth(3).dblclick();
        await page.locator("dialog .log").waitFor();
    },
    "machine-tasks-away": ({ to }) => to("/hosts/" + machine(3).uuid + "?tab=tasks", ".t-body .t-row"),
    "machine-unknown": ({ to }) => to("/hosts/none", ".error"),
    async palette({ page }) {
        await page.keyboard.press("Control+k");
        await page.locator(".palette input").fill("pc-l");
        await page.locator(".palette li").nth(3).waitFor();
    },
    async keyboard({ page }) {
        await page.locator("dialog").waitFor({ state: "detached" });
        await page.keyboard.press("?");
        await page.locator("dialog .two").waitFor();
    },
    async keys({ page }) {
        await page.locator(".head button").nth(1).click();
        await page.locator("dialog .unlock").waitFor();
    },
    async login({ to, mock }) {
        mock.server.state = "login";
        await to("/orders", "dialog input[type=password]");
    },
    async "login-provider"({ to, mock, page }) {
        mock.server.ways = { password: true, kerberos: true, oidc: true, certificate: true };
        await to("/start", "dialog select");
        await page.locator("dialog select").selectOption("oidc");
        await page.evaluate(() => (window.open = () => null)); // there is no such host here
        await page.locator("dialog .primary").click();
        await page.locator("dialog .waiting").waitFor();
    },
    async "login-certificate"({ to, mock, page }) {
        mock.keys[0].unlocked_until = 0;
        await to("/start", "dialog select");
        await page.locator("dialog select").first().selectOption("certificate");
        await page.locator("dialog input[type=password]").waitFor();
    },
    async "login-kerberos"({ page }) {
        await page.locator("dialog select").first().selectOption("kerberos");
        await page.locator("dialog .primary").click();
        await page.locator("dialog .error").waitFor();
    },
    async pin({ to, mock }) {
        mock.server.state = "pin";
        await to("/orders", "dialog code");
    },
    async away({ to, mock }) {
        Object.assign(mock.server, { state: "unreachable", message: "connection refused" });
        await to("/orders", ".banner");
    },
    async ended({ to, mock }) {
        mock.token = "another";
        await to("/hosts", ".alone");
    },
};

async function select(page, count) {
    await page.locator(".table").first().focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("Space");
    for (let i = 1; i < count; i++) await page.keyboard.press("Shift+ArrowDown");
    await page.locator(".bar-actions").waitFor();
}

/** Keeps a picture of each screen in folder, of a large screen in half of the cases, too, and calls use(name, page) there. */
export async function atScreens({ browser, dist, open, language, theme, folder }, use) {
    await open({ browser, dist }, async ({ mock, page, base }) => {
        const to = async (where, wait = ".t-body .t-row a") => {
            await page.goto(base + where);
            await page.locator(wait).first().waitFor();
        };
        await page.locator(".t-body .t-row a").first().waitFor();
        for (const [name, go] of Object.entries(SCREENS)) {
            await closeAll(page);
            await go({ mock, page, base, to });
            const keep = (more) => page.screenshot({ path: path.join(folder, `${name}-${theme}-${language}${more}.png`), animations: "disabled" });
            await keep("");
            if ((theme === "light") === (language === "en")) {
                await page.setViewportSize(LARGE);
                await keep("-large");
                await page.setViewportSize(USUAL);
            }
            await use(name, page);
        }
    }, { colorScheme: theme, before: (mock) => (mock.prefs = { language }) });
}

async function closeAll(page) {
    // a review goes on from the order's dialog: only what stands alone is closed
    if (await page.locator("dialog.palette, dialog:has(.chooser), dialog:has(.two), dialog:has(.log), dialog:has(textarea), dialog:has(.form-two), dialog:has(.danger), dialog:has(.estate), dialog:has(.host-names)").count()) await page.keyboard.press("Escape");
}
