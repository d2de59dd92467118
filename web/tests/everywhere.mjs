// What holds of every page: whatever a machine, a package, a certificate or a person's word says is shown as text; and the front page tells
// each thing that needs attention, with a next step that leads there.
import { Failed, same, selectFirst, until } from "./lib.mjs";
import { ROOT } from "./mock.mjs";
import { open } from "./open.mjs";

const rows = (page) => page.locator(".t-body .t-row");
const loaded = (page) => rows(page).locator("a").first().waitFor();
const now = () => Math.floor(Date.now() / 1000);

const PAYLOADS = ["<img src=x onerror='window.hit=1'>", "\"><script>window.hit=2</script>", "</pre></textarea><svg onload=window.hit=3>", "javascript:window.hit=4", "{{7*7}}${window.hit=5}", "\u202egnp.exe\u0000\u001b[31m\u200b\u00ad", "=HYPERLINK(\"http://evil.example\")"];

/** Every text of the value is hostile; numbers and signs stay. */
function spoil(value, state = { at: 0 }) {
    if (typeof value === "string") return `${PAYLOADS[state.at++ % PAYLOADS.length]}${state.at}`;
    if (Array.isArray(value)) return value.map((v) => spoil(v, state));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).flatMap(([k, v]) => (typeof v === "object" && v ? [[k, spoil(v, state)], [`${k}<b>`, "<i>x</i>"]] : [[k, spoil(v, state)]])));
    return value;
}

/** Texts, and what is told of elements, in which something is that nobody would see, or that turns the rest. */
function disguised() {
    const found = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) found.push(texts.currentNode.data);
    for (const e of document.querySelectorAll("[title], [aria-label]")) found.push(e.title, e.getAttribute("aria-label") ?? "");
    return found.filter((text) => /[\0\x1b\u202e\u200b\xad]/.test(text));
}

/** Nothing ran, no element was made of what somebody else said, and all of it is to be seen. */
async function clean(page, where) {
    same(await page.evaluate(() => window.hit), undefined, `${where}: something ran`);
    same(await page.evaluate(disguised), [], `${where}: what nobody sees`);
    same(await page.locator("img:not([src='/icon.svg']), script:not([src='/app.js']), iframe, object, svg[onload], b, i, [onerror]").count(), 0, `${where}: elements made of texts`);
    same(await page.locator("a:not([href^='/']):not([href='#main']), a[href^='//']").count(), 0, `${where}: links to elsewhere`);
}

export async function whatMachinesSayIsNeverMarkup(given) {
    await open(
        given,
        async ({ page, base }) => {
            await loaded(page);
            await page.getByText(PAYLOADS[0]).first().waitFor();
            await clean(page, "the list");
            await rows(page).first().locator("a").click();
            await page.getByRole("tab", { name: "Packages" }).waitFor();
            for (const name of ["Overview", "Packages", "Software", "Hardware", "Orders", "History", "All it says"]) {
                await page.getByRole("tab", { name }).click();
                for (let k = 0; k < 3; k++) await page.locator("details:not([open]) > summary").evaluateAll((all) => all.forEach((s) => s.click()));
                if (name !== "Orders") await page.getByText("window.hit").first().waitFor();
                await clean(page, name);
                if (name !== "Packages") continue;
                await rows(page).first().dblclick();
                await page.getByText("What the installation said").waitFor();
                await clean(page, "the log");
                await page.keyboard.press("Escape");
            }
            await page.goto(`${base}/hosts`);
            await loaded(page);
            await selectFirst(page.getByRole("grid"));
            await page.getByRole("button", { name: "Upgrade", exact: true }).click();
            await page.getByRole("button", { name: "Review" }).click();
            await page.getByText("machine concerned").waitFor();
            await clean(page, "the review");
        },
        {
            before: (mock) => {
                mock.hosts = mock.hosts.slice(0, 3).map((h) => ({ ...spoil(h), uuid: h.uuid }));
                const call = mock.api.bind(mock);
                mock.api = (q, url, a) => {
                    const out = call(q, url, a);
                    const isHost = /^\/api\/v1\/hosts\/[^/]+$/.test(url.pathname);
                    const isHistory = url.pathname.endsWith("/history");
                    if (isHistory) return { json: { events: [{ seq: 1, at: 1, ...spoil({ event: "x", package: "x", version: "x", was: "x", status: "x" }) }] } };
                    return isHost ? { json: spoil(out.json) } : out;
                };
            },
        },
    );
}

/** Answers to everything but to what the page itself chose, each text of them hostile; what a page tells apart stays. */
function spoilAnswers(mock) {
    mock.hosts = mock.hosts.slice(0, 3).map((h) => ({ ...spoil(h), uuid: h.uuid }));
    Object.assign(mock.server, { user: PAYLOADS[0], message: PAYLOADS[1] });
    for (const k of mock.keys) Object.assign(k, { name: PAYLOADS[1], subject: PAYLOADS[2] });
    const call = mock.call.bind(mock);
    mock.call = (q, url, body, a) => {
        const out = call(q, url, body, a);
        const at = url.pathname;
        if (out === "streams" || out.status >= 400 || ["/local/session", "/local/state", "/local/prefs", "/local/commit", "/api/v1/hosts"].includes(at)) return out;
        if (at === "/api/v1/journal") return { json: { entries: out.json.entries.map((e) => ({ ...e, entry: JSON.stringify(spoil(JSON.parse(e.entry))) })) } };
        const json = spoil(out.json);
        if (at === "/local/prepare") Object.assign(json, { id: out.json.id, needs: out.json.needs });
        if (at === "/api/v1/packages") json.packages.forEach((one, i) => (one.section = out.json.packages[i].section));
        if (at === "/api/v1/rollouts") json.rollouts.forEach((r, i) => (r.state = out.json.rollouts[i].state));
        return { ...out, json };
    };
}

export async function whatAnybodySaysIsNeverMarkupOnAnyPage(given) {
    const first = encodeURIComponent(`${PAYLOADS[0]}1`); // as spoil() names the first package, or report
    const places = ["/start", "/orders", "/repository", `/package?name=${first}`, "/assignments", "/rollouts", `/rollouts/${"a".repeat(32)}`, "/reports", `/reports?name=${first}`,
        "/people", "/people?name=anna", "/journal", "/keys", "/keys?tab=others", "/keys?tab=root", "/keys?tab=revoked", "/tokens", "/webhooks"];
    await open(
        given,
        async ({ mock, page, base }) => {
            await loaded(page);
            mock.batches.set("f".repeat(32), [{ batch: "f".repeat(32), packages: ["x"], id: "1", uuid: mock.hosts[0].uuid, name: "x", state: "failed", code: "x", message: "x", kind: "x", not_after: now(), updated: now(), created: now() }]);
            const goTo = async (place) => {
                await page.goto(base + place);
                await page.locator("main").getByText(/window\.hit/).first().waitFor().catch(() => {
                    throw new Failed(`${place}: nothing of what is hostile is shown`);
                });
            };
            for (const place of places) {
                await goTo(place);
                for (const row of [0, 1]) {
                    await clean(page, place);
                    const found = page.locator("main .t-body .t-row").nth(row);
                    if (!(await found.count())) break;
                    await found.dblclick({ position: { x: 3, y: 3 } }); // a page or a dialog with all of it
                    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
                    await clean(page, `${place}, row ${row}`);
                    await page.keyboard.press("Escape");
                    await goTo(place);
                }
            }
            await page.keyboard.press("Control+k");
            await page.getByRole("combobox", { name: "Go to, or do" }).fill("window");
            await page.getByRole("option").getByText(/window\.hit/).first().waitFor();
            await clean(page, "the palette");
            await page.keyboard.press("Escape");
            // What the server says of a failure, and of itself.
            mock.fault = (q, url) => (url.pathname === "/api/v1/reports" ? { status: 400, json: { error: { code: "invalid", message: PAYLOADS[2] } } } : undefined);
            await page.goto(`${base}/reports`);
            await page.locator(".toast-error").getByText(/window\.hit/).waitFor();
            await clean(page, "an error");
            mock.fault = () => undefined;
            mock.server.state = "unreachable";
            await page.goto(`${base}/orders`);
            await page.locator(".banner").getByText(/window\.hit/).waitFor();
            await clean(page, "the server's absence");
        },
        { before: spoilAnswers },
    );
}

const QUIET = { hosts: 300, reachable: 300, unseen_30_days: 0, errors: 0, to_upgrade: 0, audit_errors: 0, audit_warnings: 0, certificates_ending: 0, actions_failed_today: 0, rollouts_halted: 0, rollouts_running: 0, uploads_refused: 0, webhooks_off: 0, server_certificate_until: now() + 86_400 * 900, authority_until: 0, journal_missing: 0, backup_at: now() - 60, disk_free_percent: 70, clock_off_s: 0 };
const rooted = (root, list) => ({ ...ROOT(), root: { ...ROOT().root, ...root }, list: { ...ROOT().list, ...list } });
const HALTED = { id: "a".repeat(32), name: "Firefox 140", state: "halted", reason: "4 of 31 machines failed" };
const END = now() + 86_400 * 3;

/** What is wrong, what the page says of it, and where its next step leads ("": it says what to do elsewhere), with what is asked of the server there. */
const ATTENTION = [
    [{ errors: 1 }, "1 machine has a package in error.", "/hosts?status=ERROR", "status=ERROR"],
    [{ errors: 14 }, "14 machines have a package in error.", "/hosts?status=ERROR", "status=ERROR"],
    [{ actions_failed_today: 2 }, "2 orders failed or were refused in the last day.", "/orders", "GET /api/v1/batches"],
    [{ halted: [HALTED] }, "Firefox 140: 4 of 31 machines failed", `/rollouts/${HALTED.id}`, `GET /api/v1/rollouts/${HALTED.id}`],
    [{ journal_missing: 3 }, "3 acts could not be noted in the journal.", "", "Look at the server's log"],
    [{ disk_free_percent: 19 }, "19 percent of a disk of the server are free.", "", "Make room"],
    [{ backup_at: 0 }, "No backup of the server was made yet.", "", "waptserver backup"],
    [{ backup_at: now() - 86_400 * 8 }, "The last backup of the server was made on", "", "waptserver backup"],
    [{ clock_off_s: -95 }, "The clocks of the servers differ by 95 seconds.", "", "time servers"],
    [{ audit_errors: 1, audit_warnings: 2 }, "3 machines have an audit that is not good.", "/hosts?audit=ERROR,WARNING", "audit=ERROR%2CWARNING"],
    [{ to_upgrade: 57 }, "57 machines are behind.", "/hosts?status=TO-UPGRADE", "status=TO-UPGRADE"],
    [{ unseen_30_days: 12 }, "12 machines were not seen for 30 days.", "/hosts?unseen=30", "seen_before="],
    [{ certificates_ending: 1 }, "1 machine's certificate ends within a week.", "/hosts?unseen=7", "seen_before="],
    [{ uploads_refused: 1 }, "1 upload was refused in the last week.", "", "Who uploaded was told why"],
    [{ webhooks_off: 1 }, "1 webhook is switched off", "/webhooks", "GET /api/v1/webhooks"],
    [{ key: END }, "The certificate Deployer ends on", "/keys", "GET /local/certificates"],
    [{ server_certificate_until: END }, "The server's certificate ends on", "", "Renew it"],
    [{ authority_until: END }, "The authority of the machines' certificates ends on", "", "Plan its successor"],
    [{ root: rooted({}, { expires: END }) }, "The list of the repository ends on", "/repository", "GET /api/v1/packages"],
    [{ root: rooted({ expires: END }, { expires: now() + 86_400 * 20 }) }, "The root of the repository ends on", "/keys?tab=root", "GET /local/root"],
    [{ root: { ...rooted({}), list: null, list_problem: "it has expired" } }, "Machines take no list of the repository: it has expired", "/repository", "GET /api/v1/packages"],
    [{ root: { problem: "it goes back" } }, "The root of the repository is not as it should be: it goes back", "/keys?tab=root", "GET /local/root"],
];

export async function theFrontPageTellsEachThingAndLeadsThere(given) {
    let wrong = {};
    const answers = {
        "/api/v1/overview": () => ({ ...QUIET, ...wrong }),
        "/api/v1/rollouts": () => ({ rollouts: wrong.halted ?? [], total: 0 }),
        "/local/root": () => wrong.root ?? rooted({ expires: now() + 86_400 * 300 }, { expires: now() + 86_400 * 20 }),
    };
    const before = (mock) => {
        mock.publishes = true;
        mock.server.rights += ",people";
        mock.fault = (q, url) => (url.pathname in answers ? { json: answers[url.pathname]() } : undefined);
    };
    await open(
        given,
        async ({ mock, page, base }) => {
            const todos = page.locator(".todos li");
            await page.getByText("Nothing: all machines are up to date").waitFor();
            same(await todos.count(), 0, "things that need attention");
            for (const [what, text, to, then] of ATTENTION) {
                wrong = what;
                mock.keys[0].not_after = what.key ?? now() + 86_400 * 300;
                await page.goto(`${base}/start`);
                const todo = todos.filter({ hasText: text });
                await todo.waitFor();
                same(await todos.count(), 1, `things told for ${JSON.stringify(what)}`);
                if (!to) {
                    await todo.getByText(then).waitFor();
                    continue;
                }
                same(await todo.getByRole("link").getAttribute("href"), to, `the next step of ${text}`);
                mock.asked.length = 0;
                wrong = {};
                await todo.getByRole("link").click();
                await until(() => Promise.resolve(mock.asked.some((a) => a.includes(then))), `${to} asks for ${then}`);
            }
            wrong = { hosts: 0, reachable: 0 };
            await page.goto(`${base}/start`);
            await page.getByText("No machine has registered yet.").waitFor();
            await page.getByRole("link", { name: "Make an enrolment kit" }).click();
            await page.getByRole("heading", { name: "Enrolment kit" }).waitFor();
        },
        { before, at: "/start" },
    );
}

export async function whatIsSaidIsReachedInADialogToo(given) {
    await open(
        given,
        async ({ mock, page }) => {
            await page.getByRole("button", { name: "New report" }).click();
            const dialog = page.getByRole("dialog");
            await dialog.getByLabel("Query").fill("SELECT x");
            mock.fault = (q, url) => (url.pathname === "/api/v1/report-rows" ? { status: 400, json: { error: { code: "invalid", message: "there is no x" } } } : undefined);
            await dialog.getByRole("button", { name: "Try it" }).click();
            const said = dialog.getByRole("alert").filter({ hasText: "there is no x" }); // outside of the dialog nobody would hear of it
            await said.waitFor();
            await said.getByRole("button", { name: "Close" }).click();
            await said.waitFor({ state: "detached" });
            await dialog.getByRole("button", { name: "Try it" }).click();
            await said.waitFor();
            await page.keyboard.press("Escape");
            await dialog.waitFor({ state: "detached" });
            await page.getByRole("alert").getByText("there is no x").waitFor(); // and stays when it is closed
        },
        { at: "/reports" },
    );
}
