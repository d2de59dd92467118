// Another site, in the browser in which the console is open with a key that is unlocked: whatever it tries it learns nothing and does nothing.
// evil.example leads to the address of the console (lib.mjs): at a port of its own it is another site, at the console's it is one whose name was rebound.
import { begin, check, same, until } from "./lib.mjs";

/** All that a page can do with an address of somebody else's; what came of each. Runs in that page. */
async function attempts(console_, forged) {
    const end = (of, good, bad, ms = 100_000) => new Promise((done) => {
        of[good] = () => done("open");
        of[bad] = () => done("refused");
        setTimeout(() => done("nothing"), ms);
    });
    const element = async (name, members) => {
        const e = Object.assign(document.createElement(name), members);
        const told = end(e, "onload", "onerror");
        document.body.append(e);
        return told;
    };
    const read = async (path, options) => {
        try {
            const a = await fetch(console_ + path, options);
            return a.type === "opaque" ? "opaque" : `${a.status} ${await a.text()}`;
        } catch {
            return "refused";
        }
    };
    const told = {
        fetched: await read("/local/state"),
        withCredentials: await read("/local/state", { credentials: "include" }),
        withAHeader: await read("/local/state", { headers: { Authorization: "Bearer " + "0".repeat(64) } }),
        json: await read("/local/keys/lock", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" }),
        script: await element("script", { src: `${console_}/app.js` }),
        image: await element("img", { src: `${console_}/icon.svg` }),
        style: await element("link", { rel: "stylesheet", href: `${console_}/app.css` }),
        events: await end(new EventSource(`${console_}/api/v1/events`), "onopen", "onerror"),
        socket: await end(new WebSocket(console_.replace("http", "ws") + "/api/v1/events"), "onopen", "onerror"),
    };
    // What a browser sends though its answer may not be read.
    for (const path of forged) {
        await read(path, { method: "POST", mode: "no-cors", body: "{}" });
        await read(path, { method: "POST", mode: "no-cors", headers: { "Content-Type": "text/plain" }, body: "{}" });
        navigator.sendBeacon(console_ + path, "{}");
        const frame = Object.assign(document.createElement("iframe"), { name: "f" });
        const form = Object.assign(document.createElement("form"), { action: console_ + path, method: "POST", target: "f", enctype: "text/plain" });
        document.body.append(frame, form);
        const loaded = end(frame, "onload", "onerror", 1000); // it was sent by then; whether it shows anything does not matter
        form.submit();
        await loaded;
    }
    return told;
}

async function unlocked(page) {
    return page.evaluate(async () => {
        const a = await fetch("/local/state", { headers: { Authorization: `Bearer ${sessionStorage.getItem("wapt.token")}` } });
        return (await a.json()).keys.some((k) => k.unlocked_until > 0);
    });
}

export async function anotherSiteLearnsNothingAndDoesNothing({ browser, link, evil, password, keyPassword }) {
    const base = new URL(link).origin;
    const { context, page } = await begin(browser, link, { password });
    const open = await page.evaluate(async (secret) => {
        const headers = { Authorization: `Bearer ${sessionStorage.getItem("wapt.token")}`, "Content-Type": "application/json" };
        const { keys } = await (await fetch("/local/state", { headers })).json();
        return (await fetch("/local/keys/unlock", { method: "POST", headers, body: JSON.stringify({ id: keys[0].id, password: secret, seconds: 600 }) })).status;
    }, keyPassword);
    same(open, 200, "the key's unlocking");
    const forged = ["/local/keys/lock", "/local/logout", "/local/session", "/local/commit"];
    const refused = { fetched: "refused", withCredentials: "refused", withAHeader: "refused", json: "refused", script: "refused", image: "refused", style: "refused", events: "refused", socket: "refused" };
    for (const site of [evil, evil.replace("evil.example", new URL(base).hostname)]) { // another site, and one that differs by its port alone
        const other = await context.newPage();
        await other.goto(site);
        const own = await other.evaluate(`(${attempts})(location.origin, [])`); // what would be told if it got through
        check(own.fetched.startsWith("200") && own.script === "open", `of itself it gets ${JSON.stringify(own)}`);
        same(await other.evaluate(`(${attempts})(${JSON.stringify(base)}, ${JSON.stringify(forged)})`), refused, `what ${site} gets`);
        // In a frame there is none of it; in a window of its own it is out of reach, and knows no session.
        await other.evaluate((to) => document.body.append(Object.assign(document.createElement("iframe"), { src: to, id: "frame" })), base);
        const frame = await (await other.locator("#frame").elementHandle()).contentFrame();
        await until(async () => (await frame.evaluate(() => location.href).catch(String)).startsWith("chrome-error:"), "the frame is refused");
        const [popup] = await Promise.all([context.waitForEvent("page"), other.evaluate((to) => void (window.popup = window.open(to)), base)]);
        await popup.getByRole("heading", { name: "Open the console again" }).waitFor();
        check(await other.evaluate(() => {
            try {
                return window.popup.closed || !window.popup.document;
            } catch {
                return true;
            }
        }), "a window that it opened is within its reach");
        check(await unlocked(page), "the key was locked, or the session is gone");
        await other.close();
        await popup.close();
    }
    // A name that leads here: the port is right, the origin would be its own.
    const rebound = await context.newPage();
    const at = `http://evil.example:${new URL(base).port}`;
    const answer = await rebound.goto(`${at}/`);
    same(answer.status(), 403, "the page by another name");
    for (const path of ["/local/state", "/api/v1/hosts", "/app.js"]) same(await rebound.evaluate(async (p) => (await fetch(p)).status, path), 403, path);
    for (const path of forged) same(await rebound.evaluate(async (p) => (await fetch(p, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" })).status, path), 403, path);
    check(await unlocked(page), "the key was locked, or the session is gone");
    // The page itself can.
    await page.evaluate(() => fetch("/local/keys/lock", { method: "POST", headers: { Authorization: `Bearer ${sessionStorage.getItem("wapt.token")}`, "Content-Type": "application/json" }, body: "{}" }));
    check(!(await unlocked(page)), "the key is unlocked");
    await context.close();
}
