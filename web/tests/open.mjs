// A tab that has opened a local program which is not there (mock.mjs): for all scenarios that need no real one.
import { enter, same, tab } from "./lib.mjs";
import { Mock } from "./mock.mjs";

let end; // of what is open; after a failure it stays, so that what it shows can be told (run.mjs)

/** A program with machines, and a tab that has opened it. */
export async function open({ browser, dist }, use, { count = 300, before = () => undefined, at = "/hosts", ...options } = {}) {
    await end?.();
    const mock = new Mock(dist, count);
    before(mock);
    const base = await mock.listen();
    const { context, page, trouble } = await tab(browser, base, options);
    end = async () => {
        end = undefined;
        await context.close();
        await mock.close();
    };
    await enter(page, `${base}${at}#answer=first&ticket=first`);
    await use({ mock, page, base, trouble });
    same(trouble, [], "trouble in the page");
    await end();
}
