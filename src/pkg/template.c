/* template.c - the control of a new package: names, versions, architectures as WAPT has them.
 *
 * It decides; whether the package is right is for the build and the verification to say. Every
 * value comes from a wa_fact, which is one line, or from a person.
 */
#include "pkg/template.h"

#include "base/utf8.h"
#include "codec/csv.h"

#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Words that say which build it is, not which software: a version, an architecture. */
static bool is_build_word(struct wa_sv w)
{
    static const char *const words[] = {"x64",    "x86",    "x86_64",  "amd64", "win32",    "win64",
                                        "32-bit", "64-bit", "version", "setup", "installer"};
    for (size_t i = 0; i < WA_COUNT(words); i++)
        if (wa_sv_ieqs(w, words[i]))
            return true;
    size_t at = w.n > 1 && lower(w.p[0]) == 'v' ? 1 : 0, dot = 0;
    return w.n > at && is_digit(w.p[at]) && wa_sv_chr(w, '.', &dot);
}

/* Letters and digits; whatever else stands between them is one dash. */
static void add_word(struct wa_buf *out, struct wa_sv w)
{
    bool dash = out->n > 0;
    for (size_t i = 0; i < w.n; i++) {
        char c = lower(w.p[i]);
        if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '+') {
            dash = out->n > 0;
            continue;
        }
        if (dash && out->p[out->n - 1] != '-')
            wa_buf_addc(out, '-');
        dash = false;
        wa_buf_adds(out, c == '+' ? "p" : (const char[]){c, '\0'}); /* Notepad++ is notepadpp */
    }
}

void wa_template_name(const char *prefix, struct wa_sv product, struct wa_buf *out)
{
    struct wa_sv word;
    size_t bracket, before;
    if (prefix[0] != '\0' && !(wa_sv_starts(product, prefix) && strlen(prefix) < product.n &&
                               product.p[strlen(prefix)] == '-'))
        wa_buf_addf(out, "%s-", prefix);
    before = out->n;
    if (wa_sv_chr(product, '(', &bracket) && bracket > 0)
        product = wa_sv_sub(product, 0, bracket);
    struct wa_sv rest = product;
    while (wa_sv_split(&rest, ' ', &word))
        if (!is_build_word(word))
            add_word(out, word);
    if (out->n == before)
        add_word(out, product);
    if (out->n == before)
        wa_buf_adds(out, "package");
}

void wa_template_version(struct wa_sv text, char out[WA_VERSION_TEXT_MAX])
{
    size_t n = 0, at = 0, colon;
    unsigned parts = 0;
    uint64_t epoch;
    if (wa_sv_chr(text, ':', &colon) && wa_sv_u64(wa_sv_sub(text, 0, colon), &epoch))
        text = wa_sv_sub(text, colon + 1, text.n);
    while (at < text.n && !is_digit(text.p[at]))
        at++;
    while (parts < 4 && at < text.n && is_digit(text.p[at])) {
        size_t digits = 0;
        while (at + digits < text.n && is_digit(text.p[at + digits]))
            digits++;
        if (digits > 9) /* no number that everybody can hold */
            break;
        if (parts > 0)
            out[n++] = '.';
        memcpy(out + n, text.p + at, digits);
        n += digits;
        at += digits;
        parts++;
        if (at >= text.n || text.p[at] != '.')
            break;
        at++;
    }
    if (parts == 0)
        out[n++] = '0';
    memcpy(out + n, "-1", 3);
}

enum wa_code wa_template_check_name(const char *name, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf valid;
    wa_buf_init(&valid, 4u * WA_NAME_MAX);
    wa_package_name_from(wa_sv(name), &valid);
    if (wa_buf_check(&valid, err) != WA_OK)
        return err->code;
    if (name[0] == '\0' || name[0] == '.' || name[0] == '-' || strlen(name) > WA_NAME_MAX ||
        !wa_sv_eqs(wa_buf_sv(&valid), name))
        return wa_fail(err, WA_E_INVALID,
                       "'%s' can't be the name of a package: letters, digits and - _ = ~ . only, "
                       "starting with a letter or digit",
                       name);
    return WA_OK;
}

/* What a machine must be; a program of 32 bits runs on all. */
static const char *architecture_of(const struct wa_installer *inst)
{
    static const struct {
        const char *theirs, *ours;
    } names[] = {{"x64", "x64"},     {"Intel64", "x64"}, {"Arm64", "x64"},
                 {"amd64", "x64"},   {"x86_64", "x64"},  {"arm64", "x64"},
                 {"aarch64", "x64"}, {"i386", "x86"},    {"i686", "x86"}};
    const char *theirs = inst->fact[WA_FACT_ARCH];
    size_t n = strcspn(theirs, ";,");
    for (size_t i = 0; i < WA_COUNT(names); i++)
        if (wa_sv_eqs(wa_sv_n(theirs, n), names[i].theirs))
            return names[i].ours;
    return "all";
}

static const char *target_of(const struct wa_installer *inst)
{
    switch (inst->kind) {
    case WA_INSTALLER_MSI:
    case WA_INSTALLER_EXE:
    case WA_INSTALLER_MSU:
    case WA_INSTALLER_MSIX:
        return "windows";
    case WA_INSTALLER_PKG:
    case WA_INSTALLER_DMG:
        return "darwin";
    case WA_INSTALLER_DEB:
    case WA_INSTALLER_RPM:
        return "linux";
    case WA_INSTALLER_DIR:
        return inst->is_windows ? "windows" : "linux";
    case WA_INSTALLER_NONE:
    case WA_INSTALLER_KINDS:
        break;
    }
    return "all";
}

/* An address that a browser would open, and nothing else. */
static const char *homepage_of(const struct wa_installer *inst)
{
    struct wa_sv url = wa_sv(inst->fact[WA_FACT_HOMEPAGE]);
    return wa_sv_starts(url, "https://") || wa_sv_starts(url, "http://") ? url.p : "";
}

struct value {
    enum wa_attr attr;
    const char *text;
};

static enum wa_code set_all(struct wa_control *c, const struct value *values, size_t n,
                            struct wa_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (values[i].text != NULL &&
            wa_control_set(c, values[i].attr, wa_sv(values[i].text), err) != WA_OK)
            return err->code;
    return WA_OK;
}

/* What a package manager takes for a name, and never for an option. */
static enum wa_code check_system_name(const struct wa_installer *inst, struct wa_err *err)
{
    const char *name = inst->fact[WA_FACT_NAME];
    if (inst->kind != WA_INSTALLER_DEB && inst->kind != WA_INSTALLER_RPM)
        return WA_OK;
    for (const char *p = name; *p != '\0'; p++)
        if (!is_digit(*p) && !(lower(*p) >= 'a' && lower(*p) <= 'z') &&
            (p == name || strchr("+-._~^", *p) == NULL))
            return wa_fail(err, WA_E_INVALID, "'%s' tells a name that no package has: '%s'",
                           inst->file, name);
    return name[0] != '\0' ? WA_OK
                           : wa_fail(err, WA_E_INVALID, "'%s' does not tell its name", inst->file);
}

enum wa_code wa_template_control(const struct wa_installer *inst,
                                 const struct wa_template_options *o, struct wa_control *ret,
                                 struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf name;
    char version[WA_VERSION_TEXT_MAX];
    wa_buf_init(&name, 4u * WA_NAME_MAX);
    if (check_system_name(inst, err) != WA_OK)
        return err->code;
    if (o->package != NULL)
        wa_buf_adds(&name, o->package);
    else
        wa_template_name(o->prefix, wa_sv(inst->fact[WA_FACT_NAME]), &name);
    if (wa_buf_check(&name, err) != WA_OK ||
        wa_template_check_name(wa_buf_str(&name), err) != WA_OK)
        return err->code;
    wa_template_version(
        wa_sv(inst->kind == WA_INSTALLER_NONE ? "1.0" : inst->fact[WA_FACT_VERSION]), version);
    const char *shown = inst->fact[WA_FACT_NAME][0] != '\0' ? inst->fact[WA_FACT_NAME] : name.p;
    const char *description = inst->fact[WA_FACT_DESCRIPTION];
    const struct value values[] = {
        {WA_A_PACKAGE, wa_buf_str(&name)},
        {WA_A_VERSION, version},
        {WA_A_ARCHITECTURE, architecture_of(inst)},
        {WA_A_SECTION, "base"},
        {WA_A_PRIORITY, "optional"},
        {WA_A_NAME, shown},
        {WA_A_MAINTAINER, o->maintainer},
        {WA_A_DESCRIPTION, description[0] != '\0' ? description : shown},
        {WA_A_MATURITY, o->maturity},
        {WA_A_TARGET_OS, target_of(inst)},
        {WA_A_EDITOR, inst->fact[WA_FACT_VENDOR]},
        {WA_A_LICENCE, inst->fact[WA_FACT_LICENCE]},
        {WA_A_HOMEPAGE, homepage_of(inst)},
    };
    return set_all(ret, values, WA_COUNT(values), err);
}

static enum wa_code meta_name(const char *section, const char *name, struct wa_buf *out,
                              struct wa_err *err)
{
    /* Units and profiles are named by the directory, in whatever letters; the rule makes a name. */
    if (strcmp(section, "unit") == 0 || strcmp(section, "profile") == 0)
        wa_package_name_from(wa_sv(name), out);
    else
        wa_buf_adds(out, name);
    if (wa_buf_check(out, err) != WA_OK)
        return err->code;
    return wa_template_check_name(wa_buf_str(out), err);
}

enum wa_code wa_template_meta(const char *section, const char *name, const char *depends,
                              const struct wa_template_options *o, struct wa_control *ret,
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf package;
    WA_AUTO_BUF struct wa_buf list;
    struct wa_sv rest = wa_sv(depends), item;
    wa_buf_init(&package, 4u * WA_NAME_MAX);
    wa_buf_init(&list, WA_CONTROL_BYTES_MAX);
    if (meta_name(section, name, &package, err) != WA_OK)
        return err->code;
    while (wa_csv_next(&rest, &item))
        wa_buf_addf(&list, "%s%.*s", list.n > 0 ? "," : "", WA_SV_ARG(item));
    if (wa_buf_check(&list, err) != WA_OK)
        return err->code;
    bool is_host = strcmp(section, "host") == 0;
    const struct value values[] = {
        {WA_A_PACKAGE, wa_buf_str(&package)},
        {WA_A_VERSION, "1-1"},
        {WA_A_ARCHITECTURE, "all"},
        {WA_A_SECTION, section},
        {WA_A_PRIORITY, is_host ? "standard" : "optional"},
        {WA_A_NAME, name},
        {WA_A_MAINTAINER, o->maintainer},
        {WA_A_DESCRIPTION, name},
        {WA_A_DEPENDS, wa_buf_str(&list)},
        {WA_A_MATURITY, o->maturity},
        {WA_A_TARGET_OS, "all"},
    };
    return set_all(ret, values, WA_COUNT(values), err);
}
