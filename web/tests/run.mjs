// Runs what a file of scenarios exports, one after the other in one browser, and prints a line of JSON for each: {"name", "ms", "error"?}.
// A scenario may ask whoever started this for something outside the browser: {"ask", "with"}, answered by a line of JSON.
//   node --preserve-symlinks --preserve-symlinks-main tests/run.mjs FILE GIVEN [NAME...]    GIVEN: JSON, handed to each; NAME: only these
import path from "node:path";
import { createInterface } from "node:readline";
import { Failed, launch, slowedBy } from "./lib.mjs";

const [file, given, ...only] = process.argv.slice(2);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function ask(what, ...args) {
    console.log(JSON.stringify({ ask: what, with: args }));
    return JSON.parse((await answers.next()).value);
}

const scenarios = await import(`./${file}`);
const { link } = JSON.parse(given);
const browser = await launch(link ? new URL(link).hostname : undefined);
let stopped = "";
for (const [name, scenario] of Object.entries(scenarios)) {
    if (typeof scenario !== "function" || (only.length > 0 && !only.includes(name))) continue;
    const began = Date.now();
    let error = stopped;
    try {
        if (!stopped) await scenario({ browser, ask, ...JSON.parse(given) });
    } catch (e) {
        error = (e instanceof Failed ? e.message : String(e.stack)) + slowedBy;
        for (const page of browser.contexts().flatMap((c) => c.pages().slice(0, 1))) {
            error += (page.lost ?? []).slice(-5).map((l) => `\nno answer: ${l}`).join("");
            error += `\nshown: ${(await page.locator("body").ariaSnapshot().catch(String)).slice(0, 3000)}`;
            await page.screenshot({ path: path.join(JSON.parse(given).folder, `failed-${name}.png`) });
        }
        if (scenarios.isOneStory) stopped = `not reached: ${name} failed`;
    }
    console.log(JSON.stringify({ name, ms: Date.now() - began, ...(error ? { error } : {}) }));
}
await browser.close();
process.exit();
