/* template_setup.c - the setup.py of a new package, and what a person must check in it.
 *
 * The script's own words are constants of this file. What came from an installer or a file's name
 * goes only through wa_template_python(), into a literal on a line of its own, or through GUID and
 * package name checks; it never becomes a comment or code.
 */
#include "pkg/template.h"

#include "base/text.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

void wa_template_python(struct wa_buf *out, struct wa_sv text)
{
    size_t at = 0;
    wa_buf_addc(out, '\'');
    while (at < text.n) {
        uint32_t cp = 0;
        size_t before = at;
        if (!wa_utf8_next(text, &at, &cp))
            break;
        if (cp == '\'' || cp == '\\')
            wa_buf_addf(out, "\\%c", (int)cp);
        else if (cp < ' ' || cp == 0x7F)
            wa_buf_addf(out, "\\x%02x", cp);
        else if (!wa_utf8_is_shown(cp))
            wa_buf_addf(out, "\\U%08x", cp);
        else
            wa_buf_add(out, text.p + before, at - before);
    }
    wa_buf_addc(out, '\'');
}

static void assign(struct wa_buf *out, const char *name, const char *value, const char *remark)
{
    wa_buf_addf(out, "%s = ", name);
    wa_template_python(out, wa_sv(value));
    wa_buf_addf(out, "%s\n", remark);
}

/* uninstallkey = ['...'] */
static void add_key(struct wa_buf *out, const char *key, const char *remark)
{
    wa_buf_adds(out, "uninstallkey = [");
    if (key[0] != '\0')
        wa_template_python(out, wa_sv(key));
    wa_buf_addf(out, "]%s\n\n", remark);
}

/* How each maker's installers are told to ask nothing; the evidence is in the notes. */
static const char *const silent[WA_MAKERS] = {
    [WA_MAKER_UNKNOWN] = "",
    [WA_MAKER_INNO] = "/VERYSILENT /SUPPRESSMSGBOXES /NORESTART",
    [WA_MAKER_NSIS] = "/S",
    [WA_MAKER_BURN] = "/quiet /norestart",
    [WA_MAKER_INSTALLSHIELD] = "/s /v\"/qn /norestart\"",
    [WA_MAKER_IEXPRESS] = "/Q",
    [WA_MAKER_MOZILLA] = "-ms",
    [WA_MAKER_ADVANCED] = "/exenoui /qn /norestart",
};

const char *wa_template_silent(const struct wa_installer *inst)
{
    return inst->fact[WA_FACT_SILENT][0] != '\0' ? inst->fact[WA_FACT_SILENT] : silent[inst->maker];
}

static void add_msi(struct wa_buf *out, const struct wa_installer *inst)
{
    add_key(out, inst->fact[WA_FACT_KEY],
            "  # the product code: mostly another one in each version");
    assign(out, "MSI", inst->file, "");
    wa_buf_addf(
        out,
        "\n\ndef install():\n    install_msi_if_needed(makepath(basedir, MSI)%s, timeout=1800)\n",
        inst->fact[WA_FACT_KEY][0] == '\0' ? "" : ", key=uninstallkey[0]");
}

static void add_exe(struct wa_buf *out, const struct wa_installer *inst)
{
    const char *key = inst->fact[WA_FACT_KEY];
    add_key(out, key,
            key[0] == '\0' ? "  # under which Windows lists the software: not known yet"
                           : "  # under which Windows lists the software");
    assign(out, "EXE", inst->file, "");
    assign(out, "SILENT", wa_template_silent(inst), "  # options with which it asks nothing");
    wa_buf_adds(
        out,
        "\n\ndef install():\n"
        "    if not SILENT or not uninstallkey:\n"
        "        error('SILENT and uninstallkey of %s must be found out first' % EXE)\n"
        "    install_exe_if_needed(makepath(basedir, EXE), silentflags=SILENT, "
        "key=uninstallkey[0],\n"
        "                          min_version=control.get_software_version(), timeout=1800)\n");
}

static void add_msu(struct wa_buf *out, const struct wa_installer *inst)
{
    add_key(out, "", "");
    assign(out, "MSU", inst->file, "");
    wa_buf_adds(out, "\n\ndef install():\n"
                     "    # 2359302: it is installed already\n"
                     "    run(['wusa.exe', makepath(basedir, MSU), '/quiet', '/norestart'], "
                     "timeout=3600,\n"
                     "        accept_returncodes=[0, 3010, 2359302])\n");
}

/* What the file says is handed to PowerShell as values of the environment, so that nothing of it
 * can be code. */
static void add_msix(struct wa_buf *out, const struct wa_installer *inst)
{
    add_key(out, "", "");
    assign(out, "APPX", inst->file, "");
    assign(out, "APP", inst->fact[WA_FACT_KEY], "  # the identity under which Windows lists it");
    wa_buf_adds(
        out,
        "\n\ndef powershell(command):\n"
        "    if not APP:\n"
        "        error('APP, the identity of %s, must be found out first' % APPX)\n"
        "    os.environ['APP'] = APP\n"
        "    return run_powershell(\"$ErrorActionPreference = 'Stop'; \" + command, 'text', "
        "timeout=1800)\n"
        "\n\ndef install():\n"
        "    # For everybody: who is logged in has it after the next login.\n"
        "    os.environ['APPX'] = makepath(basedir, APPX)\n"
        "    print(powershell('Add-AppxProvisionedPackage -Online -SkipLicense -PackagePath "
        "$env:APPX'))\n"
        "\n\ndef audit():\n"
        "    version = powershell('(Get-AppxProvisionedPackage -Online | Where-Object DisplayName "
        "-eq $env:APP).Version').strip()\n"
        "    if not version:\n"
        "        print('%s is not installed any more' % APP)\n"
        "        return 'ERROR'\n"
        "    print('%s %s is installed' % (APP, version))\n"
        "    return 'OK'\n"
        "\n\ndef uninstall():\n"
        "    print(powershell('Get-AppxProvisionedPackage -Online | Where-Object DisplayName -eq "
        "$env:APP | '\n"
        "                     'Remove-AppxProvisionedPackage -Online -AllUsers; '\n"
        "                     'Get-AppxPackage -AllUsers | Where-Object Name -eq $env:APP | "
        "Remove-AppxPackage -AllUsers'))\n");
}

static void add_pkg(struct wa_buf *out, const struct wa_installer *inst)
{
    add_key(out, "", "");
    assign(out, "PKG", inst->file, "");
    assign(out, "NAME", inst->fact[WA_FACT_KEY], "  # as pkgutil --pkgs lists it");
    wa_buf_adds(out, "\n\ndef install():\n"
                     "    if not NAME:\n"
                     "        error('NAME of %s must be found out first' % PKG)\n"
                     "    install_pkg(makepath(basedir, PKG))\n"
                     "\n\ndef audit():\n"
                     "    if NAME not in get_installed_pkgs():\n"
                     "        print('%s is not installed any more' % NAME)\n"
                     "        return 'ERROR'\n"
                     "    return 'OK'\n"
                     "\n\ndef uninstall():\n"
                     "    uninstall_pkg(NAME)\n");
}

static void add_dmg(struct wa_buf *out, const struct wa_installer *inst)
{
    add_key(out, "", "");
    assign(out, "DMG", inst->file, "");
    wa_buf_adds(out, "APP = ''  # the app in it, as its folder in /Applications is called\n"
                     "\n\ndef install():\n"
                     "    if not APP:\n"
                     "        error('APP, the name of the app in %s, must be found out first' % "
                     "DMG)\n"
                     "    install_dmg(makepath(basedir, DMG))\n"
                     "\n\ndef audit():\n"
                     "    if not isdir(makepath('/Applications', APP)):\n"
                     "        print('%s is not installed any more' % APP)\n"
                     "        return 'ERROR'\n"
                     "    return 'OK'\n"
                     "\n\ndef uninstall():\n"
                     "    uninstall_app(APP)\n");
}

static const char linux_audit[] =
    "\n\ndef audit():\n"
    "    for software in installed_softwares():\n"
    "        if software['name'] == NAME:\n"
    "            print('%s %s is installed' % (NAME, software['version']))\n"
    "            return 'OK'\n"
    "    print('%s is not installed any more' % NAME)\n"
    "    return 'ERROR'\n";

static void add_linux(struct wa_buf *out, const struct wa_installer *inst)
{
    bool is_deb = inst->kind == WA_INSTALLER_DEB;
    add_key(out, "", "");
    assign(out, "FILE", inst->file, "");
    assign(out, "NAME", inst->fact[WA_FACT_NAME], "");
    wa_buf_addf(out, "\n\ndef install():\n    print(%s(makepath(basedir, FILE)))\n",
                is_deb ? "install_deb" : "install_rpm");
    wa_buf_adds(out, linux_audit);
    wa_buf_addf(out, "\n\ndef uninstall():\n    print(%s(NAME))\n",
                is_deb ? "purge_deb" : "uninstall_yum");
}

static void add_dir(struct wa_buf *out, const struct wa_installer *inst)
{
    add_key(out, "", "");
    assign(out, "FOLDER", inst->file, "");
    if (inst->is_windows)
        wa_buf_adds(out, "TARGET = makepath(os.environ.get('ProgramW6432', r'C:\\Program Files'), "
                         "FOLDER)\n");
    else
        wa_buf_adds(out, "TARGET = makepath('/opt', FOLDER)\n");
    wa_buf_adds(out, "\n\ndef install():\n"
                     "    killalltasks(ensure_list(control.impacted_process))\n"
                     "    if isdir(TARGET):\n"
                     "        remove_tree(TARGET)\n"
                     "    copytree2(makepath(basedir, FOLDER), TARGET)\n"
                     "\n\ndef audit():\n"
                     "    if not isdir(TARGET):\n"
                     "        print('%s is missing' % TARGET)\n"
                     "        return 'ERROR'\n"
                     "    return 'OK'\n"
                     "\n\ndef uninstall():\n"
                     "    killalltasks(ensure_list(control.impacted_process))\n"
                     "    if isdir(TARGET):\n"
                     "        remove_tree(TARGET)\n");
}

static void add_none(struct wa_buf *out)
{
    add_key(out, "", "");
    wa_buf_adds(out, "\ndef install():\n"
                     "    print('%s has nothing to do yet' % control.package)\n"
                     "\n\ndef uninstall():\n"
                     "    pass\n");
}

/* For all but the packages without an installer: the constant that names the file. */
static void add_update(struct wa_buf *out)
{
    wa_buf_adds(out,
                "\n\n# For 'wapt-get update-package-sources'. True: the sources have changed.\n"
                "def update_package():\n"
                "    newest = control.get_software_version()  # find it out: wgets(), Version()\n"
                "    if Version(newest) <= Version(control.get_software_version()):\n"
                "        print('%s %s is the newest known' % (control.package, newest))\n"
                "        return False\n"
                "    # wget() the new file, and change the name above if it is another one\n"
                "    control.set_software_version(newest)\n"
                "    control.save_control_to_wapt()\n"
                "    return True\n");
}

enum wa_code wa_template_setup(const struct wa_installer *inst, struct wa_buf *out,
                               struct wa_err *err)
{
    wa_buf_adds(out, "# -*- coding: utf-8 -*-\nfrom setuphelpers import *\n\n");
    switch (inst->kind) {
    case WA_INSTALLER_NONE:
    case WA_INSTALLER_KINDS:
        add_none(out);
        break;
    case WA_INSTALLER_DIR:
        add_dir(out, inst);
        break;
    case WA_INSTALLER_MSI:
        add_msi(out, inst);
        break;
    case WA_INSTALLER_EXE:
        add_exe(out, inst);
        break;
    case WA_INSTALLER_MSU:
        add_msu(out, inst);
        break;
    case WA_INSTALLER_DEB:
    case WA_INSTALLER_RPM:
        add_linux(out, inst);
        break;
    case WA_INSTALLER_MSIX:
        add_msix(out, inst);
        break;
    case WA_INSTALLER_PKG:
        add_pkg(out, inst);
        break;
    case WA_INSTALLER_DMG:
        add_dmg(out, inst);
        break;
    }
    add_update(out);
    return wa_buf_check(out, err);
}

/* In the person's language where they are shown, in English where programs read them. */
#define SAY(text) (is_shown ? wa_text(text) : (text))

/* Where the probe (wapt_probe.py) says that it saw the maker, as its reader would say it. */
static const char *evidence_of(const struct wa_installer *inst, bool is_shown)
{
    static const char *const known[] = {
        WA_TEXT("its section .wixburn"),
        WA_TEXT("its manifest"),
        WA_TEXT("the data behind the program"),
        WA_TEXT("its version resource"),
    };
    const char *told = inst->fact[WA_FACT_EVIDENCE];
    for (size_t i = 0; is_shown && i < WA_COUNT(known); i++)
        if (strcmp(told, known[i]) == 0)
            return wa_text(known[i]);
    return told;
}

static void check_exe(const struct wa_installer *inst, bool is_shown, wa_template_check_fn fn,
                      void *user)
{
    char text[512];
    if (inst->maker == WA_MAKER_UNKNOWN) {
        fn(user,
           SAY("SILENT: who made this installer is not recognised; its options are told by its "
               "documentation, or by running it with /?"));
    } else {
        (void)snprintf(text, sizeof text, SAY("SILENT: %s, recognised by %s: '%s'"),
                       wa_installer_maker_name(inst->maker), evidence_of(inst, is_shown),
                       silent[inst->maker]);
        fn(user, text);
    }
    fn(user, inst->fact[WA_FACT_KEY][0] == '\0'
                 ? SAY("uninstallkey: install it on a test machine and look in "
                       "HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall")
             : inst->maker == WA_MAKER_BURN
                 ? SAY("uninstallkey: the bundle's identifier, as the installer holds it")
                 : SAY("uninstallkey: a guess, from the product's name and what this maker does"));
}

void wa_template_checks(const struct wa_installer *inst, const struct wa_control *c, bool is_shown,
                        wa_template_check_fn fn, void *user)
{
    if (inst->kind == WA_INSTALLER_EXE)
        check_exe(inst, is_shown, fn, user);
    if (inst->kind == WA_INSTALLER_MSI)
        fn(user, inst->fact[WA_FACT_KEY][0] == '\0'
                     ? SAY("uninstallkey: the file tells no product code")
                     : SAY("uninstallkey: the product code, as the file tells it"));
    if (inst->kind == WA_INSTALLER_PKG && inst->fact[WA_FACT_KEY][0] == '\0')
        fn(user, SAY("NAME: not told by the file; pkgutil --pkgs lists it where it is installed"));
    if (inst->kind == WA_INSTALLER_DMG)
        fn(user, SAY("APP: what the image installs, as it is called in /Applications"));
    if (inst->kind == WA_INSTALLER_DIR)
        fn(user,
           SAY("TARGET: where the folder is copied; impacted_process: what must be ended first"));
    if (strcmp(wa_control_get(c, WA_A_VERSION), "0-1") == 0)
        fn(user, SAY("version: not told by the file"));
    if (inst->kind != WA_INSTALLER_NONE && wa_control_get(c, WA_A_LICENCE)[0] == '\0')
        fn(user, SAY("licence: not told by the file; may it be given to every machine?"));
    if (wa_control_get(c, WA_A_MATURITY)[0] == '\0')
        fn(user, SAY("maturity: none, which counts as PROD; DEV until it is tested"));
    if (inst->kind == WA_INSTALLER_NONE)
        fn(user, SAY("install() does nothing yet"));
}
