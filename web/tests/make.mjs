// A package made in the page: of installers, a folder, a file that is damaged; with the process that reads them killed. In the real console
// against a real server and a real machine. One story, in the order of the names.
import { begin, check, hold, look as lookAt, same, signed as signs, unlock, until } from "./lib.mjs";

let open;

const look = (name, folder) => lookAt(open.page, name, folder);

const wizard = () => open.page.getByRole("dialog", { name: "Make a package" });
const reviewOf = (name) => open.page.getByRole("dialog", { name: `make ${name}` });

/** A picture is there before it is read. */
const isWide = (picture, side, what) => until(async () => (await picture.evaluate((i) => i.naturalWidth)) === side, what);

/** Dropped on the page itself. */
const drop = async (file) => (await hold(open.page, [file]))();

/** Chosen in the wizard with the system's dialog. */
async function choose(button, file) {
    const { page } = open;
    await page.getByRole("button", { name: "Make a package" }).click();
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), wizard().getByRole("button", { name: button }).click()]);
    await chooser.setFiles(file);
}

async function isReady() {
    await wizard().getByText("Being checked").waitFor({ state: "detached" });
    await wizard().getByRole("button", { name: "Review" }).and(open.page.locator(":enabled")).waitFor();
}

async function signed(ask, name) {
    await reviewOf(name).waitFor();
    return signs(open.page, ask);
}

export async function m1_anInstallerIsDroppedReadAndEdited({ browser, link, password, keyPassword, folder, files, ask }) {
    open = await begin(browser, link, { password });
    const { page } = open;
    await page.getByRole("link", { name: "Repository" }).first().click();
    await page.getByRole("button", { name: "Make a package" }).click();
    await look("make-choose", folder);
    await page.keyboard.press("Escape");
    await drop(files.msi);
    await isReady();
    same(await wizard().getByLabel("Name of the package").inputValue(), "acme-acme-notes", "the name");
    same(await wizard().getByLabel("Version").inputValue(), "1.2.3-1", "the version");
    same(await wizard().getByLabel("Key under which Windows lists it").inputValue(), "{CD431D12-07D2-4A54-B13E-728092D0E076}", "the key");
    same(await wizard().getByLabel("Maturity").inputValue(), "DEV", "the maturity of the configuration");
    await look("make-msi", folder);
    // Judged while she types, by the program's rules.
    await wizard().getByLabel("Version").fill("one");
    await wizard().getByText("version 'one' is not like 1.2.3-4").waitFor();
    check(await wizard().getByRole("button", { name: "Review" }).isDisabled(), "what can't be built is not signed");
    await wizard().getByLabel("Name of the package").fill("acme notes");
    await wizard().getByText("'acme notes' can't be the name of a package").waitFor();
    await look("make-wrong", folder);
    await wizard().getByLabel("Version").fill("1.2.3-7");
    await wizard().getByLabel("Name of the package").fill("acme-notes");
    await wizard().getByLabel("Description").fill("Notes, for everybody");
    await isReady();
    await wizard().getByLabel("setup.py").fill("def install():\n    input('which?')\n");
    await wizard().getByText("[asks]").waitFor();
    await wizard().getByRole("button", { name: "Make it anew from the fields" }).click();
    await wizard().getByText("[asks]").waitFor({ state: "detached" });
    await isReady();
    await wizard().getByRole("button", { name: "Review" }).click();
    await reviewOf("acme-notes 1.2.3-7").getByText("Notes, for everybody", { exact: true }).waitFor();
    await look("make-review", folder);
    // No, then yes: the fields are still there.
    await page.keyboard.press("Escape");
    await reviewOf("acme-notes").waitFor({ state: "detached" });
    same(await wizard().getByLabel("Description").inputValue(), "Notes, for everybody", "nothing is lost");
    await wizard().getByRole("button", { name: "Review" }).click();
    await unlock(page, keyPassword, "Developer");
    const text = await signed(ask, "acme-notes 1.2.3-7");
    check(text.includes("make acme-notes 1.2.3-7") && text.includes("notes.msi, "), `the terminal says ${text}`);
    check((await ask("packages"))["acme-notes 1.2.3-7 DEV"] === "Developer", "it is in the repository");
    await page.getByRole("grid", { name: "Packages" }).getByRole("link", { name: "acme-notes" }).waitFor();
    const made = await ask("verify", "acme-notes");
    check(made.good && made.setup.includes("install_msi_if_needed("), JSON.stringify(made));
}

export async function m2_silentOptionsOfAnExe({ ask, files }) {
    await choose("Choose an installer", files.exe);
    await isReady();
    await wizard().getByText("NSIS, recognised by").waitFor();
    const silent = wizard().getByLabel("Options with which it asks nothing");
    same(await silent.inputValue(), "/S", "what its maker takes");
    await silent.fill("/S /NORESTART");
    await isReady();
    check((await wizard().getByLabel("setup.py").inputValue()).includes("SILENT = '/S /NORESTART'"), "they are in setup.py");
    await wizard().getByRole("button", { name: "Review" }).click();
    await signed(ask, "acme-acme-paint");
    check((await ask("verify", "acme-acme-paint")).setup.includes("SILENT = '/S /NORESTART'"), "they are in the package");
}

export async function m3_aDamagedInstallerIsNamed({ folder, files }) {
    const { page } = open;
    await drop(files.cut);
    await wizard().getByRole("alert").getByText("'cut.msi': the file is damaged").waitFor();
    await look("make-damaged", folder);
    await page.keyboard.press("Escape");
    await wizard().waitFor({ state: "detached" });
}

export async function m4_theProcessThatReadsMayDie({ ask, files }) {
    const { page } = open;
    await ask("reader", "stop");
    await drop(files.deb);
    await wizard().getByText("It is being read.").waitFor();
    await ask("reader", "kill");
    // Whoever takes its place is asked what it had not begun with.
    await isReady();
    same(await wizard().getByLabel("Name of the package").inputValue(), "acme-tool", "the next one reads it");
    await page.keyboard.press("Escape");
    await wizard().waitFor({ state: "detached" });
}

export async function m4b_anAppHasAPictureThatCanBeAnother({ ask, folder, files }) {
    const { page } = open;
    await drop(files.msix);
    await isReady();
    const picture = wizard().getByRole("img", { name: "Icon of the package" });
    same([await wizard().getByLabel("Name of the package").inputValue(), await wizard().getByLabel("Identity of the app").inputValue()], ["acme-acme-draw", "Acme.Draw"], "what the app says");
    await isWide(picture, 16, "the app's own picture");
    await look("make-msix", folder);
    await page.setViewportSize({ width: 2560, height: 1440 });
    await look("make-msix-2560", folder);
    await page.setViewportSize({ width: 1366, height: 768 });
    const given = async (file) => {
        const [chooser] = await Promise.all([page.waitForEvent("filechooser"), wizard().getByRole("button", { name: "Choose a picture" }).click()]);
        await chooser.setFiles(file);
    };
    await given(files.cut);
    await wizard().getByRole("alert").getByText("this is no PNG of at most").waitFor();
    await isWide(picture, 16, "what was there stays");
    await look("make-no-picture", folder);
    await given(files.png);
    await isWide(picture, 64, "another one");
    same((await wizard().getByRole("alert").allTextContents()).filter(Boolean), [], "nothing is wrong any more");
    await wizard().getByRole("button", { name: "No picture" }).click();
    await picture.waitFor({ state: "detached" });
    await given(files.png);
    await picture.waitFor();
    // Typing changes nothing of it.
    await wizard().getByLabel("Description").fill("Draws");
    await isReady();
    await isWide(picture, 64, "the one that was chosen");
    await wizard().getByRole("button", { name: "Review" }).click();
    const shown = reviewOf("acme-acme-draw").getByRole("img", { name: "Icon of the package" });
    await isWide(shown, 64, "it is seen before it is signed");
    await look("make-review-msix", folder);
    const text = await signed(ask, "acme-acme-draw");
    check(/Icon: \d+ bytes, SHA-256 [0-9a-f]{64}/.test(text), `the terminal says ${text}`);
    const made = await ask("verify", "acme-acme-draw");
    await page.getByRole("grid", { name: "Packages" }).getByRole("link", { name: "acme-acme-draw" }).click();
    await page.getByRole("heading", { name: "acme-acme-draw" }).waitFor();
    await isWide(page.getByRole("img", { name: "Icon of the package" }), 64, "the repository shows it");
    await look("package-icon", folder);
    await page.goBack();
    check(made.good && made.icon === 64 && made.setup.includes("Add-AppxProvisionedPackage"), JSON.stringify(made));
}

// The program was started in English: its errors, what it judges and refuses, and what the server says follow the page.
export async function m4c_theProgramSpeaksAsThePage({ ask, files }) {
    const { page } = open;
    const inFrench = {
        choose: "fr",
        make: "Faire un paquet",
        review: "faire le paquet acme-tool",
        installer: "Choisir un installateur",
        damaged: "'cut.msi' : le fichier est abîmé",
        version: "'one' n'est pas comme 1.2.3-4",
        asks: "input() attend une réponse",
        name: "Nom du paquet",
        sign: "Signer et envoyer",
        refused: "la personne interrogée a dit non",
    };
    const inEnglish = {
        choose: "en",
        make: "Make a package",
        review: "make acme-tool",
        installer: "Choose an installer",
        damaged: "'cut.msi': the file is damaged",
        version: "version 'one' is not like 1.2.3-4",
        asks: "input() waits for an answer",
        name: "Name of the package",
        sign: "Sign and send",
        refused: "the person who was asked said no",
    };
    for (const says of [inFrench, inEnglish]) {
        await page.getByLabel(/^(Language|Langue)$/).selectOption(says.choose);
        const dialog = page.getByRole("dialog", { name: says.make });
        const choose = async (file) => {
            await page.getByRole("button", { name: says.make }).click();
            const [chooser] = await Promise.all([page.waitForEvent("filechooser"), dialog.getByRole("button", { name: says.installer }).click()]);
            await chooser.setFiles(file);
        };
        await choose(files.cut);
        await dialog.getByRole("alert").getByText(says.damaged).waitFor();
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
        await choose(files.deb);
        await dialog.getByLabel(says.name).waitFor();
        const version = await dialog.getByLabel("Version").inputValue();
        await dialog.getByLabel("Version").fill("one");
        await dialog.getByText(says.version).waitFor();
        await dialog.getByLabel("Version").fill(version);
        await dialog.getByLabel("setup.py").fill("def install():\n    input('which?')\n");
        await dialog.getByText(says.asks).waitFor();
        await dialog.locator("button[type=submit]:enabled").click();
        const review = page.getByRole("dialog", { name: says.review });
        await review.getByRole("button", { name: says.sign }).click();
        await ask("no");
        await review.getByText(says.refused).waitFor();
        await page.keyboard.press("Escape");
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").first().waitFor({ state: "detached" });
    }
}

export async function m5_aFolderIsMadePublishedAndInstalled({ ask, folder, files, target }) {
    const { page } = open;
    await page.getByLabel("Language").selectOption("fr");
    const dialog = page.getByRole("dialog", { name: "Faire un paquet" });
    await page.getByRole("button", { name: "Faire un paquet" }).click();
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), dialog.getByRole("button", { name: "Choisir un dossier" }).click()]);
    await chooser.setFiles(files.folder);
    await dialog.getByLabel("Nom du paquet").waitFor();
    await dialog.getByLabel("Version").fill("2.0-1");
    await dialog.getByText("Vérification en cours").waitFor({ state: "detached" });
    const setup = await dialog.getByLabel("setup.py").inputValue();
    await dialog.getByLabel("setup.py").fill(setup.replace("TARGET = makepath('/opt', FOLDER)", `TARGET = '${target}'`));
    await dialog.getByText("Vérification en cours").waitFor({ state: "detached" });
    await dialog.getByLabel("Maturité").selectOption("PROD");
    await dialog.getByText("Vérification en cours").waitFor({ state: "detached" });
    await look("make-fr", folder);
    await dialog.locator("button[type=submit]:enabled").click();
    await page.getByRole("dialog", { name: "faire le paquet acme-portable 2.0-1" }).getByText("portable/data.txt, ").waitFor();
    await look("make-review-fr", folder);
    await page.getByRole("dialog", { name: "faire le paquet acme-portable 2.0-1" }).locator("button[type=submit]:enabled").click();
    await ask("yes");
    await page.getByRole("dialog").first().waitFor({ state: "detached" });
    same(await ask("install", "acme-portable"), "data\n", "the machine has it");
    same(open.trouble.filter((t) => !t.includes("400") && !t.includes("500")), [], "trouble in the page");
    await open.context.close();
}
