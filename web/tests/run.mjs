// Runs what a file of scenarios exports, one after the other in one browser, and prints a line of JSON for each: {"name", "ms", "error"?}.
//   node --preserve-symlinks --preserve-symlinks-main tests/run.mjs FILE GIVEN [NAME...]    GIVEN: JSON, handed to each; NAME: only these
import { Failed, launch } from "./lib.mjs";

const [file, given, ...only] = process.argv.slice(2);
const scenarios = await import(`./${file}`);
const browser = await launch();
for (const [name, scenario] of Object.entries(scenarios)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const began = Date.now();
    let error;
    try {
        await scenario({ browser, ...JSON.parse(given) });
    } catch (e) {
        error = e instanceof Failed ? e.message : String(e.stack);
    }
    console.log(JSON.stringify({ name, ms: Date.now() - began, error }));
}
await browser.close();
