// What 100,000 machines cost in the browser: from asking to what a person sees. Prints a row for each; the limit is the same part of the list
// asked for by a bare request of the page.
import { tab, until } from "./lib.mjs";

const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
const ROW = 34; // px

function print(name, value, unit, limit, budget, limitIs) {
    console.log(JSON.stringify({ row: { name, value, unit, limit, budget, limitIs } }));
}

/** ms, in the page: from doing it until what is awaited is drawn. */
function timed(page, act, isThere, ...args) {
    return page.evaluate(
        ([actText, thereText, given]) =>
            new Promise((resolve) => {
                const there = new Function("given", `return (${thereText})(given)`);
                const began = performance.now();
                new Function("given", `(${actText})(given)`)(given);
                const look = () => (there(given) ? resolve(performance.now() - began) : requestAnimationFrame(look));
                requestAnimationFrame(look);
            }),
        [act.toString(), isThere.toString(), args],
    );
}

/** An order for all of them: from asking for its review until it is drawn, then until the last is at the server. */
async function order(page, keyPassword) {
    const bare = await page.evaluate(async () => {
        const began = performance.now();
        for (let after = ""; after !== undefined; ) {
            const a = await fetch(`/api/v1/hosts?sort=uuid&fields=uuid,name&limit=10000${after && `&after=${encodeURIComponent(after)}`}`, { headers: { Authorization: `Bearer ${sessionStorage.getItem("wapt.token")}` } });
            after = (await a.json()).next;
        }
        return performance.now() - began;
    });
    await page.getByRole("grid").focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: /^Select all that match \(/ }).click();
    const reviews = [];
    for (let i = 0; i < 4; i++) {
        await page.getByRole("button", { name: "More", exact: true }).click();
        await page.getByRole("menuitem", { name: "Send the inventory" }).click();
        const button = page.getByRole("button", { name: "Review" });
        await button.waitFor();
        reviews.push(
            await timed(
                page,
                () => document.querySelector("dialog .dialog-foot .primary").click(),
                () => document.querySelector("dialog .review-hosts .t-row a, dialog .review-hosts .t-row"),
            ),
        );
        if (i < 3) await page.keyboard.press("Escape");
    }
    print("console's review of an order for 100,000 machines, from asking to reading it", median(reviews), "ms", bare, 5000, "bare requests for the names of all");
    await page.getByLabel("Password of the key").fill(keyPassword);
    await page.keyboard.press("Enter");
    await page.getByLabel("Password of the key").waitFor({ state: "detached" });
    await page.locator("dialog .review-hosts .t-row").first().waitFor();
    const sign = page.getByRole("button", { name: "Sign and send" });
    await sign.waitFor();
    await until(() => sign.isEnabled(), "it can be signed");
    const began = Date.now();
    await sign.click();
    await page.getByRole("heading", { name: "Order: Send the inventory" }).waitFor({ timeout: 300_000 });
    print("console's order for 100,000 machines, signed and sent to the last", Date.now() - began, "ms", null, null);
}

export async function oneHundredThousandMachines({ browser, link, password, keyPassword }) {
    const base = new URL(link).origin;
    const { page, context } = await tab(browser, base, { bypassCSP: true }); // the clock is a script of ours
    await page.goto(link.replace("/#", "/hosts#"));
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    const rows = page.locator(".t-body .t-row a");
    await rows.first().waitFor();
    await until(async () => (await page.getByRole("grid").getAttribute("aria-rowcount")) === "100001", "all machines are counted");

    const bare = median(
        await page.evaluate(async () => {
            const all = [];
            for (let i = 0; i < 15; i++) {
                const began = performance.now();
                const a = await fetch(`/api/v1/hosts?sort=name&offset=${i * 5000}&limit=100`, { headers: { Authorization: `Bearer ${sessionStorage.getItem("wapt.token")}` } });
                await a.json();
                all.push(performance.now() - began);
            }
            return all;
        }),
    );

    const paints = [];
    for (let i = 0; i < 5; i++) {
        await page.addInitScript(() => {
            const look = () => (document.querySelector(".t-body .t-row a") ? (globalThis.drawnAt = performance.now()) : requestAnimationFrame(look));
            requestAnimationFrame(look);
        });
        await page.reload();
        await page.waitForFunction(() => globalThis.drawnAt);
        paints.push(await page.evaluate(() => globalThis.drawnAt));
    }
    print("console's list of 100,000 machines, from opening to the first rows", median(paints), "ms", bare, 1000);

    const jumps = [];
    for (let i = 0; i < 20; i++) {
        const to = ((i * 7919 + 13) % 99_000) + 500;
        jumps.push(
            await timed(
                page,
                ([y]) => document.querySelector(".table").scrollTo(0, y),
                ([, index]) => document.querySelector(`.t-row[data-index="${index}"] a`),
                to * ROW,
                to + 3,
            ),
        );
    }
    print("console's list of 100,000 machines, scrolled to any place", median(jumps), "ms", bare, 200);

    const type = ([text]) => {
        const input = document.querySelector(".search input");
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, text);
        input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const shows = ([, text]) => document.querySelector(".t-row[data-index='0'] a")?.textContent.includes(text);
    const searches = [];
    for (const text of ["pc-123", "pc-77", "pc-0042", "pc-9", "pc-55555"]) searches.push(await timed(page, type, shows, text, text));
    print("console's list of 100,000 machines, a search typed", median(searches), "ms", bare, 300);

    await timed(page, type, () => document.querySelector(".table").getAttribute("aria-rowcount") === "100001", "");
    const choose = ([value]) => {
        const select = [...document.querySelectorAll(".bar select")].find((one) => [...one.options].some((o) => o.value === "ERROR"));
        select.value = value;
        select.dispatchEvent(new Event("change", { bubbles: true }));
    };
    const counted = ([, count]) => document.querySelector(".table").getAttribute("aria-rowcount") === count;
    const filters = [];
    for (let i = 0; i < 5; i++) {
        filters.push(await timed(page, choose, counted, "ERROR", "2001"));
        filters.push(await timed(page, choose, counted, "", "100001"));
    }
    print("console's list of 100,000 machines, filtered", median(filters), "ms", bare, 200);

    const { heap, nodes } = await page.evaluate(() => ({ heap: performance.memory?.usedJSHeapSize ?? 0, nodes: document.querySelectorAll("*").length }));
    print("console's list of 100,000 machines, the page's memory", heap, "bytes", null, null);
    print("console's list of 100,000 machines, elements in the page", nodes, "", null, 1500);
    await timed(page, type, () => document.querySelector(".table").getAttribute("aria-rowcount") === "100001", "");
    await order(page, keyPassword);
    await context.close();
}
