// A key on a token, in the real console: listed, asked for its PIN, never tried more often than a person typed, and gone while it signs.
// One story, in the order of the names.
import path from "node:path";
import { axe, begin, check, same, selectFirst, until } from "./lib.mjs";

export const isOneStory = true;
let open, tries = 0;
const dialog = () => open.page.getByRole("dialog");
const pin = () => dialog().getByLabel("PIN of the token");
const signing = () => dialog().getByRole("button", { name: "Sign and send" });

/** An order for the machine, as far as its review. */
async function order() {
    const { page, base } = open;
    await page.goto(`${base}/hosts`);
    await page.getByRole("grid", { name: "Machines" }).getByText("connected").first().waitFor();
    await selectFirst(page.getByRole("grid", { name: "Machines" }));
    await page.getByRole("button", { name: "Upgrade", exact: true }).click();
    const review = dialog().getByRole("button", { name: "Review" });
    await review.or(signing()).first().waitFor();
    if (await review.count()) await review.click();
    await signing().waitFor();
    await dialog().getByText("1 machine concerned").waitFor(); // it is prepared: whether a PIN is asked for is known
}

/** Types a PIN; what the token heard of it. */
async function type(ask, text) {
    await pin().fill(text);
    await open.page.keyboard.press("Enter");
    await open.page.keyboard.press("Enter"); // a person who is impatient
    await until(async () => (await ask("tries")) > tries, "the token is asked");
    tries++;
}

async function signed() {
    await signing().click();
    await open.page.getByRole("grid", { name: "Results" }).waitFor();
}

export async function t1_itIsListed({ browser, link, password }) {
    open = await begin(browser, link, { at: "/keys", password });
    const row = open.page.getByRole("grid", { name: "Keys" }).getByRole("row", { name: /Deployer/ });
    await row.getByText("on a token").waitFor();
}

export async function t2_aWrongPinIsOneTry({ ask, folder, pin: right }) {
    await order();
    await pin().waitFor();
    await type(ask, "0000");
    const alert = dialog().getByRole("alert");
    await alert.getByText("wrong PIN for the token 'Card'; it locks itself after a few of them").waitFor();
    same(await pin().inputValue(), "", "what was wrong is not there to be sent again");
    await pin().focus();
    await open.page.keyboard.press("Enter"); // nothing was typed: nothing is tried
    await open.page.screenshot({ path: path.join(folder, "real-token-wrong-light.png") });
    same(await axe(open.page), [], "axe");
    await type(ask, right);
    await pin().waitFor({ state: "detached" });
    same(await ask("tries"), 2, "tries of the token: as often as a person typed");
    await signed();
    check(!(await ask("told", right)), "the PIN stands in the log");
}

export async function t3_itIsGoneWhileItSigns({ ask, folder, pin: right }) {
    await order();
    same(await pin().count(), 0, "PINs that are asked for: it is unlocked");
    await ask("pull");
    await signing().click();
    await dialog().getByRole("alert").getByText("the token cannot sign").waitFor();
    await open.page.screenshot({ path: path.join(folder, "real-token-gone-light.png") });
    await open.page.getByText("Keys locked").waitFor();
    await dialog().getByRole("button", { name: "Prepare again" }).click();
    await pin().fill(right);
    await open.page.keyboard.press("Enter");
    await dialog().getByRole("alert").getByText(/no token is the one of the URI|has been removed|gives no list/).waitFor();
    same(await ask("tries"), tries, "nothing is tried of a token that is not there");
}

export async function t4_itIsBackAndAsksAnew({ ask, pin: right }) {
    await ask("plug");
    await type(ask, right);
    await pin().waitFor({ state: "detached" });
    await signed();
    same(await ask("tries"), 3, "tries of the token");
    same(open.trouble, [], "trouble in the page");
    await open.context.close();
}
