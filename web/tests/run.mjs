// Runs what a file of scenarios exports, one after the other in one browser, and prints a line of JSON for each: {"name", "ms", "error"?}.
// A scenario may ask whoever started this for something outside the browser: {"ask", "with"}, answered by a line of JSON.
//   node --preserve-symlinks --preserve-symlinks-main tests/run.mjs FILE GIVEN [NAME...]    GIVEN: JSON, handed to each; NAME: only these
import { createInterface } from "node:readline";
import { Failed, launch } from "./lib.mjs";

const [file, given, ...only] = process.argv.slice(2);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function ask(what, ...args) {
    console.log(JSON.stringify({ ask: what, with: args }));
    return JSON.parse((await answers.next()).value);
}

const scenarios = await import(`./${file}`);
const browser = await launch();
for (const [name, scenario] of Object.entries(scenarios)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const began = Date.now();
    let error;
    try {
        await scenario({ browser, ask, ...JSON.parse(given) });
    } catch (e) {
        error = e instanceof Failed ? e.message : String(e.stack);
    }
    console.log(JSON.stringify({ name, ms: Date.now() - began, error }));
}
await browser.close();
process.exit();
