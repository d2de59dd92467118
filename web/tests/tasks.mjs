// What a machine does, in its page: live while somebody looks, as of when it is away, and text whatever it says.
import { axe, check, same, until } from "./lib.mjs";
import { machine, task } from "./mock.mjs";
import { open } from "./open.mjs";

const HERE = machine(4).uuid;
const at = (uuid) => `/hosts/${uuid}?tab=tasks`;
const rows = (page) => page.getByRole("grid", { name: "Tasks" }).locator(".t-body .t-row");
const asked = (mock, uuid, query) => mock.asked.filter((one) => one === `GET /api/v1/hosts/${uuid}/queue${query}`).length;

export async function whatRunsWhatWaitsAndWhatIsDone(given) {
    await open(
        given,
        async ({ mock, page }) => {
            await rows(page).nth(4).waitFor();
            const texts = await rows(page).allInnerTexts();
            const has = (i, ...words) => words.forEach((word) => check(texts[i].includes(word), `row ${i} says ${word}: ${texts[i]}`));
            has(0, "running", "Upgrade", "37 %", "its own schedule");
            has(1, "waits", "Update", "alice, a user there");
            has(2, "waits", "tis-firefox(=140.0-2): waits for firefox", "an order of Anna Deployer");
            has(3, "failed", "exit status 1603", "root there");
            has(4, "done", "12 done");
            await page.getByText("3 more on the machine").waitFor();
            same(asked(mock, HERE, "?watch=1"), 1, "the machine was asked once");
            await page.getByLabel("Show").selectOption({ label: "Errors" });
            await until(async () => (await rows(page).count()) === 1, "what failed alone");
            await page.getByLabel("Show").selectOption({ label: "Pending" });
            await until(async () => (await rows(page).count()) === 3, "what is not done");
            same(await axe(page), [], "what axe finds");
        },
        { at: at(HERE) },
    );
}

export async function itIsReadAgainWhenTheMachineTells(given) {
    await open(
        given,
        async ({ mock, page }) => {
            await rows(page).first().getByText("37 %").waitFor();
            await until(() => mock.streams.size === 1, "the events are followed");
            const before = mock.asked.length;
            mock.tasks = [task(41, "running", { progress: 38 })];
            mock.event({ kind: "queue", what: "told", uuid: machine(8).uuid }); // another one's
            mock.event({ kind: "queue", what: "told", uuid: HERE });
            await rows(page).first().getByText("38 %").waitFor();
            mock.tasks = [task(41, "done")];
            mock.event({ kind: "queue", what: "told", uuid: HERE });
            await rows(page).first().locator(".status-ok").waitFor();
            same(mock.asked.slice(before).filter((one) => !one.endsWith("/queue")), [], "nothing else of the machine is read for it");
            same(await rows(page).count(), 1, "tasks");
        },
        { at: at(HERE) },
    );
}

/** The machine has told more while it was asked: what it said then comes late. */
export async function whatIsOlderIsNotShown(given) {
    let old;
    await open(
        given,
        async ({ mock, page }) => {
            await until(() => old, "it is asked");
            await until(() => mock.streams.size === 1, "the events are followed");
            mock.tasks = [task(41, "running", { progress: 38 })];
            mock.event({ kind: "queue", what: "told", uuid: HERE });
            await rows(page).first().getByText("38 %").waitFor();
            const late = page.waitForResponse((r) => r.url().endsWith("/queue?watch=1"));
            old();
            await (await late).finished();
            await page.evaluate(() => new Promise(requestAnimationFrame));
            same(await rows(page).first().getByText("38 %").count(), 1, "what is newer");
        },
        {
            at: at(HERE),
            before: (mock) => {
                mock.tasks = [task(41, "running", { progress: 37 })];
                mock.fault = async (q, url) => {
                    if (!url.search.includes("watch=1")) return undefined;
                    const then = mock.call(q, url, {});
                    await new Promise((resolve) => (old = resolve));
                    return then;
                };
            },
        },
    );
}

export async function oneIsOpenedAndCancelledBySigning(given) {
    await open(
        given,
        async ({ mock, page }) => {
            await rows(page).nth(3).dblclick();
            const dialog = page.getByRole("dialog");
            await dialog.getByText("error 1603: another installation is going on").waitFor();
            same(await dialog.getByRole("button", { name: "Cancel the task" }).count(), 0, "ways to cancel what is over");
            await page.keyboard.press("Escape");
            await dialog.waitFor({ state: "detached" });
            await rows(page).nth(1).dblclick();
            await dialog.getByText("alice, a user there").waitFor();
            await dialog.getByRole("button", { name: "Cancel the task" }).click();
            await until(() => mock.prepared.size === 1, "it is reviewed");
            const [what] = [...mock.prepared.values()];
            same([what.what, what.id, what.hosts], ["cancel", (43).toString(16).padStart(32, "0"), [HERE]], "what is to be signed");
        },
        { at: at(HERE) },
    );
}

export async function ofAMachineThatIsAwayItIsAsOfWhen(given) {
    await open(
        given,
        async ({ page }) => {
            await page.getByText("The machine is away: as of").waitFor();
            await rows(page).nth(4).waitFor();
        },
        { at: at(machine(3).uuid) },
    );
}

export async function whateverItSaysIsText(given) {
    const odd = "<img src=x onerror=\"document.title='taken'\">";
    await open(
        given,
        async ({ page }) => {
            await rows(page).first().getByText(odd).first().waitFor();
            await rows(page).first().dblclick();
            await page.getByRole("dialog").locator(".log").getByText(odd).waitFor();
            same(await page.locator("main img, dialog img").count(), 0, "pictures of the machine's");
            check((await page.title()) !== "taken", "nothing of it ran");
        },
        { at: at(HERE), before: (mock) => (mock.tasks = [task(1, "done", { kind: odd, code: "failed", message: odd, created_by: `uid 1 (${odd})`, packages: [odd], log: odd, finished: 253402300799 })]) },
    );
}
