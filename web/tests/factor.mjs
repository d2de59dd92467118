// A person's second factor, in the real console against a real server. One story, in the order of the names.
import jsqr from "jsqr";
import { begin, check, more, look as lookAt, same, until } from "./lib.mjs";

export const isOneStory = true;
let open, secret, recovery;
const dialog = () => open.page.getByRole("dialog");

const look = (name, folder) => lookAt(open.page, `real-${name}`, folder);

/** Types the code of the last half minute, or of so many from now, until it is taken: the clock may go on meanwhile. */
async function typeCode(ask, ahead, done) {
    const wrong = dialog().locator("p.error");
    for (let tries = 0; tries < 3; tries++) {
        await dialog().getByLabel("Six digits").fill(await ask("totp", secret, ahead));
        await open.page.keyboard.press("Enter");
        await done.or(wrong).first().waitFor();
        if (await done.count()) return;
    }
    check(false, `a code is refused: ${await wrong.innerText()}`);
}

/** code: gives it once it is asked for, since its time passes. */
async function logIn(user, password, code) {
    const { page } = open;
    await page.getByRole("dialog", { name: "Log in" }).waitFor();
    await page.getByLabel("User").fill(user);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    const asked = page.getByLabel("Code of the second factor");
    const login = page.getByRole("dialog", { name: "Log in" });
    await until(async () => (await asked.count()) > 0 || (await login.count()) === 0, "the password is taken"); // else the next page ends the login
    if (!code) return;
    await asked.fill(await code());
    await dialog().getByRole("button", { name: "Log in" }).click();
    await dialog().waitFor({ state: "detached" });
}

async function logOut(user) {
    await open.page.getByRole("button", { name: user, exact: true }).click();
    await open.page.getByRole("menuitem", { name: "Log out" }).click();
    await open.page.getByRole("dialog", { name: "Log in" }).waitFor();
}

/** What a camera would read of the picture, drawn as it is shown: modules of four pixels. */
async function readQr() {
    const { size, path: d } = await open.page.locator("svg.qr").evaluate((svg) => ({ size: svg.viewBox.baseVal.width, path: svg.querySelector("path").getAttribute("d") }));
    const side = size * 4;
    const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
    for (const [, x, y] of d.matchAll(/M(\d+) (\d+)h1v1h-1z/g))
        for (let i = 0; i < 16; i++) pixels.fill(0, ((Number(y) * 4 + (i >> 2)) * side + Number(x) * 4 + (i & 3)) * 4, ((Number(y) * 4 + (i >> 2)) * side + Number(x) * 4 + (i & 3)) * 4 + 3);
    return (jsqr.default ?? jsqr)(pixels, side, side)?.data ?? "";
}

async function setUp(ask, password) {
    await dialog().getByLabel("Your password").fill(password);
    await dialog().getByRole("button", { name: "Go on" }).click();
    await dialog().getByRole("img", { name: "QR code of the secret" }).waitFor();
    secret = new URL(await readQr()).searchParams.get("secret");
    await dialog().getByText(secret.match(/.{1,4}/g).join(" ")).waitFor();
    await typeCode(ask, -1, open.page.getByRole("dialog", { name: "Recovery codes" }));
}

export async function f1_whoMustSetsItUpFirst({ browser, link, password, ask, folder }) {
    open = await begin(browser, link);
    const { page } = open;
    await logIn("paula", password);
    await page.getByRole("dialog", { name: "A second factor" }).waitFor();
    await dialog().getByText("The server wants a second factor of you").waitFor();
    same(await page.locator("main .page").count(), 0, "pages behind it");
    await look("factor-password", folder);
    await dialog().getByLabel("Your password").fill("not the password");
    await page.keyboard.press("Enter");
    await dialog().locator("p.error").waitFor();
    await dialog().getByLabel("Your password").fill(password);
    await page.keyboard.press("Enter");
    await dialog().getByRole("img", { name: "QR code of the secret" }).waitFor();
    await look("factor-qr", folder);
    const uri = new URL(await readQr());
    check(uri.protocol === "otpauth:" && uri.pathname.endsWith("paula"), String(uri));
    secret = uri.searchParams.get("secret");
    await dialog().getByText(secret.match(/.{1,4}/g).join(" ")).waitFor();
    await dialog().getByLabel("Six digits").fill("000000");
    await page.keyboard.press("Enter");
    await dialog().getByText("the code is wrong").waitFor();
    await typeCode(ask, -1, page.getByRole("dialog", { name: "Recovery codes" }));
    recovery = await dialog().locator(".codes code").allTextContents();
    same(recovery.length, 10, "recovery codes");
    await look("factor-recovery", folder);
    await dialog().getByRole("button", { name: "I have kept them" }).click();
}

export async function f2_thenOneLogsInWithIt({ password, ask, folder }) {
    const { page, base } = open;
    await logIn("paula", password, () => ask("totp", secret, 0));
    await page.goto(`${base}/account`);
    await page.locator(".facts").getByText("set up").waitFor();
    await look("account", folder);
    await logOut("paula");
    await logIn("paula", password, () => recovery[0]); // the device is lost
    await page.locator(".facts").getByText("set up").waitFor();
    await logOut("paula");
    await logIn("paula", password);
    await page.getByLabel("Code of the second factor").fill(recovery[0]);
    await dialog().getByRole("button", { name: "Log in" }).click();
    await dialog().locator("p.error").waitFor(); // each is good once
}

export async function f3_anAdministratorSeesAndDropsIt({ password, ask }) {
    const { page, base } = open;
    await page.goto(`${base}/people`);
    await logIn("admin", password);
    const row = page.getByRole("grid", { name: "People" }).getByRole("row", { name: /paula/ });
    await row.getByText("set up").waitFor();
    await page.goto(`${base}/people?name=paula`);
    await more(page, "Drop the second factor");
    await dialog().getByRole("button", { name: "Review" }).click();
    await dialog().getByText("you will be asked outside of it").waitFor();
    await dialog().getByRole("button", { name: "Confirm" }).click();
    await dialog().getByText("Confirm in the terminal").waitFor();
    await page.locator(".facts").getByText("set up").waitFor(); // not before a person says yes
    check((await ask("confirm")).includes("paula"), "the terminal says whose");
    await page.locator(".facts").getByText("required, missing").waitFor();
}

export async function f4_aLoginCertificateIsRegisteredByAGesture({ ask, deployer, developer, fingerprint, folder }) {
    const { page } = open;
    const register = async (pem) => {
        await more(page, "Login certificate");
        await dialog().getByLabel("or its file").setInputFiles({ name: "paula.crt", mimeType: "application/x-pem-file", buffer: Buffer.from(pem) });
        await dialog().getByRole("button", { name: "Review" }).click();
    };
    await register(developer);
    await dialog().getByRole("alert").getByText("it takes one for TLS clients").waitFor();
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
    await register(deployer);
    await dialog().getByText(fingerprint).waitFor();
    await look("login-certificate", folder);
    await dialog().getByRole("button", { name: "Confirm" }).click();
    await dialog().getByText("Confirm in the terminal").waitFor();
    const said = await ask("confirm");
    check(said.includes("paula") && said.includes(fingerprint), said);
    const shown = page.locator(".facts").getByTitle(fingerprint);
    await shown.waitFor();
    await page.getByRole("button", { name: `Remove ${fingerprint.slice(0, 16)}` }).click();
    await dialog().getByRole("button", { name: "Remove" }).click();
    await shown.waitFor({ state: "detached" });
}

export async function f5_oneRegistersAnOwnCertificate({ password, ask, fingerprint, keyPassword, folder }) {
    const { page, base } = open;
    await logOut("admin");
    await page.goto(`${base}/account`);
    await logIn("otto", password); // who looks after nobody
    const add = async (typed) => {
        await page.getByRole("button", { name: "Log in by one of your keys" }).click();
        await dialog().getByLabel("Your password").fill(typed);
        await dialog().getByRole("button", { name: "Review" }).click();
        await dialog().getByText(fingerprint).waitFor();
    };
    await add(password);
    await dialog().getByLabel("Password of the key").fill(keyPassword); // of the key: it is shown by TLS
    await page.keyboard.press("Enter");
    await dialog().getByText("you will be asked outside of this page").waitFor();
    await look("own-certificate", folder);
    await dialog().getByRole("button", { name: "Confirm" }).click();
    await dialog().getByText("Confirm in the terminal").waitFor();
    const said = await ask("confirm");
    check(said.includes("you log in") && said.includes(fingerprint), said);
    const shown = page.locator(".facts").getByTitle(fingerprint);
    await shown.waitFor();
    await page.getByRole("button", { name: `Remove ${fingerprint.slice(0, 16)}` }).click();
    await dialog().getByRole("button", { name: "Remove" }).click();
    await shown.waitFor({ state: "detached" });
    await add("not the password");
    await dialog().getByRole("button", { name: "Confirm" }).click();
    await ask("confirm");
    await dialog().getByRole("alert").getByText("the password is another").waitFor();
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
    same(await shown.count(), 0, "a certificate without the password");
    await logOut("otto");
    await logIn("admin", password);
}

export async function f5b_thePasswordIsChangedAndSessionsAreEnded({ password, ask, folder }) {
    const { page, base } = open;
    const fresh = `${password} anew`;
    await logOut("admin");
    await page.goto(`${base}/account`);
    await logIn("otto", password);
    const sessions = page.getByRole("grid", { name: "Where you are logged in" });
    await sessions.getByRole("row", { name: /this page/ }).waitFor();
    const elsewhere = await ask("elsewhere", password);
    await page.reload();
    const other = sessions.getByRole("row").filter({ hasText: "password" }).filter({ hasNotText: "this page" });
    await other.waitFor();
    await look("sessions", folder);
    await other.getByRole("button", { name: "End it" }).click();
    await dialog().getByRole("button", { name: "End it" }).click();
    await other.waitFor({ state: "detached" });
    same(await ask("lives", elsewhere), false, "the session that was ended");
    const third = await ask("elsewhere", password);
    const change = async (old) => {
        await page.getByRole("button", { name: "Change your password" }).click();
        await dialog().getByLabel("Present password").fill(old);
        await dialog().getByLabel("New password").fill(fresh);
        await dialog().getByLabel("Password again").fill(password);
        await dialog().getByText("The two passwords differ.").waitFor();
        await dialog().getByLabel("Password again").fill(fresh);
        await look("own-password", folder);
        await dialog().getByRole("button", { name: "Review" }).click();
        await dialog().getByText("Another password of your own at the server").waitFor();
        check(!(await dialog().innerText()).includes(fresh), "the review shows the password");
        await dialog().getByRole("button", { name: "Confirm" }).click();
        await dialog().getByText("Confirm in the terminal").waitFor();
        const said = await ask("confirm");
        check(!said.includes(fresh) && !said.includes(old), said);
    };
    await change("not the password");
    await dialog().getByRole("alert").getByText("the present password is another").waitFor();
    await page.keyboard.press("Escape");
    await dialog().waitFor({ state: "detached" });
    same(await ask("lives", third), true, "a session before the change");
    await change(password);
    await dialog().waitFor({ state: "detached" });
    same(await ask("lives", third), false, "a session after the change");
    await logOut("otto");
    await logIn("otto", fresh);
    await sessions.getByRole("row", { name: /this page/ }).waitFor();
    await logOut("otto");
    await logIn("admin", password);
}

export async function f6_onesOwnIsEndedByACode({ password, ask }) {
    const { page, base } = open;
    await page.goto(`${base}/account`);
    await page.getByRole("button", { name: "Set up a second factor" }).click();
    await setUp(ask, password);
    await dialog().getByRole("button", { name: "I have kept them" }).click();
    await logIn("admin", password, () => ask("totp", secret, 0));
    await page.getByRole("button", { name: "End the second factor" }).click();
    await dialog().getByLabel("Six digits").fill("000000");
    await page.keyboard.press("Enter");
    await dialog().locator("p.error").waitFor();
    await typeCode(ask, 1, page.getByRole("dialog", { name: "Log in" }));
    await logIn("admin", password);
    await page.getByRole("button", { name: "Set up a second factor" }).waitFor();
    same(open.trouble, [], "trouble in the page");
    await open.context.close();
}
