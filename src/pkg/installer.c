/* installer.c - what tools print of an installer, as facts.
 *
 * One table says which line of which tool is which fact. It starts no tool and opens no file. All
 * it is given is hostile; whatever comes, a struct wa_installer holds only facts as installer.h
 * promises, since wa_installer_set() is the only writer.
 */
#include "pkg/installer.h"

#include "base/utf8.h"

#include <string.h>

#define HEAD_BYTES 32u        /* that tell a kind */
#define IMAGE_TAIL_BYTES 512u /* of a disk image: what it is, at its end */

static const char *const kind_names[] = {"none", "folder", "msi",  "exe", "msu",
                                         "deb",  "rpm",    "msix", "pkg", "dmg"};
static const char *const maker_names[] = {"",
                                          "Inno Setup",
                                          "NSIS",
                                          "WiX Burn",
                                          "InstallShield",
                                          "IExpress",
                                          "Mozilla's installer",
                                          "Advanced Installer"};

const char *wa_installer_kind_name(enum wa_installer_kind k)
{
    return kind_names[k];
}

bool wa_installer_kind_find(struct wa_sv name, enum wa_installer_kind *ret)
{
    for (size_t i = 0; i < WA_COUNT(kind_names); i++)
        if (wa_sv_eqs(name, kind_names[i])) {
            *ret = (enum wa_installer_kind)i;
            return true;
        }
    return false;
}

const char *wa_installer_maker_name(enum wa_installer_maker m)
{
    return maker_names[m];
}

static const struct {
    struct wa_sv magic;
    enum wa_installer_kind kind;
} magics[] = {
    {WA_SV_INIT("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), WA_INSTALLER_MSI},
    {WA_SV_INIT("MZ"), WA_INSTALLER_EXE},
    {WA_SV_INIT("MSCF"), WA_INSTALLER_MSU},
    {WA_SV_INIT("!<arch>\ndebian-binary"), WA_INSTALLER_DEB},
    {WA_SV_INIT("\xED\xAB\xEE\xDB"), WA_INSTALLER_RPM},
    {WA_SV_INIT("PK\x03\x04"), WA_INSTALLER_MSIX},
    {WA_SV_INIT("xar!"), WA_INSTALLER_PKG},
};

enum wa_code wa_installer_kind_of(struct wa_source *file, enum wa_installer_kind *ret,
                                  struct wa_err *err)
{
    char head[HEAD_BYTES], tail[4] = "";
    size_t n = file->size < sizeof head ? (size_t)file->size : sizeof head;
    if (file->read_at(file, 0, head, n, err) != WA_OK ||
        (file->size >= IMAGE_TAIL_BYTES &&
         file->read_at(file, file->size - IMAGE_TAIL_BYTES, tail, sizeof tail, err) != WA_OK))
        return err->code;
    for (size_t i = 0; i < WA_COUNT(magics); i++) {
        if (wa_sv_eq(wa_sv_sub(wa_sv_n(head, n), 0, magics[i].magic.n), magics[i].magic)) {
            *ret = magics[i].kind;
            return WA_OK;
        }
    }
    /* The begin of an image is the disk's own. */
    if (memcmp(tail, "koly", sizeof tail) == 0) {
        *ret = WA_INSTALLER_DMG;
        return WA_OK;
    }
    return wa_fail(err, WA_E_INVALID,
                   "this is none of the installers that are understood (.msi, .exe, .msu, .msix, "
                   ".appx, .deb, .rpm, .pkg, .dmg): unpack it, and give the folder");
}

bool wa_installer_is_named(const char *file)
{
    static const char *const ends[] = {".msi",        ".exe",  ".msu",  ".deb",
                                       ".rpm",        ".msix", ".appx", ".msixbundle",
                                       ".appxbundle", ".pkg",  ".dmg"};
    for (size_t i = 0; i < WA_COUNT(ends); i++)
        if (wa_sv_ends(wa_sv(file), ends[i]))
            return true;
    return false;
}

void wa_installer_set(struct wa_installer *inst, enum wa_fact f, struct wa_sv bytes)
{
    char *out = inst->fact[f], one[4];
    size_t n = 0;
    bool blank = false;
    uint32_t cp;
    for (size_t at = 0; wa_utf8_step(bytes, &at, &cp);) {
        if (cp >= WA_UTF8_BAD)
            cp = '?';
        if (cp <= ' ' || cp == 0xA0) {
            blank = n > 0;
            continue;
        }
        if (cp == 0x7F || !wa_utf8_is_shown(cp))
            continue;
        size_t width = wa_utf8_encode(cp, one);
        if (n + width + blank > WA_FACT_BYTES_MAX)
            break;
        if (blank)
            out[n++] = ' ';
        blank = false;
        memcpy(out + n, one, width);
        n += width;
    }
    out[n] = '\0';
}

#define IN(kind) (1u << WA_INSTALLER_##kind)
static const struct {
    const char *key;
    unsigned kinds;
    enum wa_fact fact;
} lines[] = {
    {"ProductName", IN(MSI) | IN(EXE), WA_FACT_NAME},
    {"FileDescription", IN(EXE), WA_FACT_DESCRIPTION},
    {"ProductVersion", IN(MSI) | IN(EXE), WA_FACT_VERSION},
    {"FileVersion", IN(EXE), WA_FACT_VERSION},
    {"Manufacturer", IN(MSI), WA_FACT_VENDOR},
    {"CompanyName", IN(EXE), WA_FACT_VENDOR},
    {"ARPCOMMENTS", IN(MSI), WA_FACT_DESCRIPTION},
    {"ARPURLINFOABOUT", IN(MSI), WA_FACT_HOMEPAGE},
    {"ProductCode", IN(MSI), WA_FACT_KEY},
    {"Template", IN(MSI), WA_FACT_ARCH},
    {"Machine", IN(EXE), WA_FACT_ARCH},
    {"Key", IN(EXE), WA_FACT_KEY},
    {"Evidence", IN(EXE), WA_FACT_EVIDENCE},
    {"Package", IN(DEB) | IN(RPM), WA_FACT_NAME},
    {"Name", IN(MSIX) | IN(PKG), WA_FACT_NAME},
    {"Identity", IN(MSIX) | IN(PKG), WA_FACT_KEY},
    {"Publisher", IN(MSIX), WA_FACT_VENDOR},
    {"Version", IN(DEB) | IN(RPM) | IN(MSIX) | IN(PKG), WA_FACT_VERSION},
    {"Architecture", IN(DEB) | IN(RPM) | IN(MSIX), WA_FACT_ARCH},
    {"Maintainer", IN(DEB), WA_FACT_VENDOR},
    {"Vendor", IN(RPM), WA_FACT_VENDOR},
    {"Description", IN(DEB) | IN(RPM) | IN(MSIX), WA_FACT_DESCRIPTION},
    {"Homepage", IN(DEB) | IN(RPM), WA_FACT_HOMEPAGE},
    {"License", IN(RPM), WA_FACT_LICENCE},
};

static const struct {
    const char *word;
    enum wa_installer_maker maker;
} makers[] = {{"inno", WA_MAKER_INNO},         {"nsis", WA_MAKER_NSIS},
              {"burn", WA_MAKER_BURN},         {"installshield", WA_MAKER_INSTALLSHIELD},
              {"iexpress", WA_MAKER_IEXPRESS}, {"mozilla", WA_MAKER_MOZILLA},
              {"advanced", WA_MAKER_ADVANCED}};

static void read_line(struct wa_installer *inst, struct wa_sv key, struct wa_sv value)
{
    /* rpm's word for an attribute that is not there. */
    if (value.n == 0 || wa_sv_eqs(value, "(none)"))
        return;
    for (size_t i = 0; i < WA_COUNT(makers); i++)
        if (inst->kind == WA_INSTALLER_EXE && wa_sv_eqs(key, "Maker") &&
            wa_sv_eqs(value, makers[i].word))
            inst->maker = makers[i].maker;
    for (size_t i = 0; i < WA_COUNT(lines); i++)
        if ((lines[i].kinds >> inst->kind & 1) != 0 && wa_sv_eqs(key, lines[i].key) &&
            inst->fact[lines[i].fact][0] == '\0')
            wa_installer_set(inst, lines[i].fact, value);
}

void wa_installer_say(struct wa_buf *out, const char *key, struct wa_sv value)
{
    wa_buf_addf(out, "%s\t", key);
    for (size_t i = 0; i < value.n; i++)
        wa_buf_addc(out, value.p[i] == '\n' || value.p[i] == '\r' ? ' ' : value.p[i]);
    wa_buf_addc(out, '\n');
}

void wa_installer_read(struct wa_installer *inst, struct wa_sv text)
{
    struct wa_sv line;
    while (wa_sv_split(&text, '\n', &line)) {
        size_t tab, colon;
        bool has_tab = wa_sv_chr(line, '\t', &tab), has_colon = wa_sv_chr(line, ':', &colon);
        if (line.n == 0 || line.p[0] == ' ' || (!has_tab && !has_colon))
            continue;
        size_t at = has_tab && (!has_colon || tab < colon) ? tab : colon;
        read_line(inst, wa_sv_sub(line, 0, at), wa_sv_trim(wa_sv_sub(line, at + 1, line.n)));
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Where a version like 1.2 begins in a name; its length. */
static bool find_version(struct wa_sv s, size_t *ret_at, size_t *ret_n)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]) || (i > 0 && (is_digit(s.p[i - 1]) || s.p[i - 1] == '.')))
            continue;
        size_t n = 0, dots = 0;
        while (i + n < s.n && (is_digit(s.p[i + n]) || (s.p[i + n] == '.' && i + n + 1 < s.n &&
                                                        is_digit(s.p[i + n + 1])))) {
            dots += s.p[i + n] == '.';
            n++;
        }
        if (dots > 0) {
            *ret_at = i;
            *ret_n = n;
            return true;
        }
    }
    return false;
}

void wa_installer_guess(struct wa_installer *inst)
{
    struct wa_sv name = wa_sv(inst->file);
    size_t at = 0, n = 0, dot = name.n;
    while (dot > 0 && name.p[dot - 1] != '.')
        dot--;
    if (inst->kind != WA_INSTALLER_DIR && dot > 1)
        name = wa_sv_sub(name, 0, dot - 1);
    bool has_version = find_version(name, &at, &n);
    if (has_version && inst->fact[WA_FACT_VERSION][0] == '\0')
        wa_installer_set(inst, WA_FACT_VERSION, wa_sv_sub(name, at, n));
    if (inst->fact[WA_FACT_NAME][0] != '\0')
        return;
    struct wa_sv head = wa_sv_sub(name, 0, has_version && at > 0 ? at : name.n);
    while (head.n > 1 &&
           (strchr(" -_.", head.p[head.n - 1]) != NULL ||
            ((head.p[head.n - 1] | 0x20) == 'v' && strchr(" -_.", head.p[head.n - 2]))))
        head.n--;
    wa_installer_set(inst, WA_FACT_NAME, head);
}
