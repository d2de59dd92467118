/* control.c - the attributes of a package in memory: names, defaults, file names. Its text is
 * control_text.c's, the order of packages control_order.c's. */
#include "pkg/control.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "codec/csv.h"
#include "crypto/digest.h"
#include "pkg/unicode.h"

static const struct wa_sv names[WA_ATTR_COUNT] = {
    WA_SV_INIT("package"),
    WA_SV_INIT("version"),
    WA_SV_INIT("architecture"),
    WA_SV_INIT("section"),
    WA_SV_INIT("priority"),
    WA_SV_INIT("name"),
    WA_SV_INIT("categories"),
    WA_SV_INIT("maintainer"),
    WA_SV_INIT("description"),
    WA_SV_INIT("depends"),
    WA_SV_INIT("conflicts"),
    WA_SV_INIT("maturity"),
    WA_SV_INIT("locale"),
    WA_SV_INIT("target_os"),
    WA_SV_INIT("min_os_version"),
    WA_SV_INIT("max_os_version"),
    WA_SV_INIT("min_wapt_version"),
    WA_SV_INIT("sources"),
    WA_SV_INIT("installed_size"),
    WA_SV_INIT("impacted_process"),
    WA_SV_INIT("description_fr"),
    WA_SV_INIT("description_pl"),
    WA_SV_INIT("description_de"),
    WA_SV_INIT("description_es"),
    WA_SV_INIT("description_pt"),
    WA_SV_INIT("description_it"),
    WA_SV_INIT("description_nl"),
    WA_SV_INIT("description_ru"),
    WA_SV_INIT("audit_schedule"),
    WA_SV_INIT("editor"),
    WA_SV_INIT("keywords"),
    WA_SV_INIT("licence"),
    WA_SV_INIT("homepage"),
    WA_SV_INIT("package_uuid"),
    WA_SV_INIT("valid_from"),
    WA_SV_INIT("valid_until"),
    WA_SV_INIT("forced_install_on"),
    WA_SV_INIT("changelog"),
    WA_SV_INIT("maintenance_windows"),
    WA_SV_INIT("packages_held"),
    WA_SV_INIT("freeze_periods"),
    WA_SV_INIT("signer"),
    WA_SV_INIT("signer_fingerprint"),
    WA_SV_INIT("signature"),
    WA_SV_INIT("signature_date"),
    WA_SV_INIT("signed_attributes"),
    WA_SV_INIT("filename"),
    WA_SV_INIT("size"),
    WA_SV_INIT("md5sum"),
};

struct wa_sv wa_attr_sv(enum wa_attr a)
{
    return a < WA_ATTR_COUNT ? names[a] : WA_SV("");
}

const char *wa_attr_name(enum wa_attr a)
{
    return wa_attr_sv(a).p;
}

bool wa_attr_is_ours(enum wa_attr a)
{
    return a == WA_A_MAINTENANCE_WINDOWS || a == WA_A_PACKAGES_HELD || a == WA_A_FREEZE_PERIODS;
}

bool wa_attr_find(struct wa_sv name, enum wa_attr *ret)
{
    for (size_t i = 0; i < WA_ATTR_COUNT; i++) {
        if (!wa_sv_eq(name, names[i]))
            continue;
        *ret = (enum wa_attr)i;
        return true;
    }
    return false;
}

void wa_control_init(struct wa_control *c)
{
    *c = (struct wa_control){{NULL}, NULL, 0};
}

static bool is_in_block(const struct wa_control *c, const char *p)
{
    return c->block != NULL && p >= c->block && p < c->block + c->block_size;
}

void wa_control_unset(struct wa_control *c, enum wa_attr a)
{
    if (!is_in_block(c, c->v[a]))
        wa_free(c->v[a]);
    c->v[a] = NULL;
}

void wa_control_fini(struct wa_control *c)
{
    for (size_t i = 0; i < WA_ATTR_COUNT; i++)
        if (c->v[i] != NULL)
            wa_control_unset(c, (enum wa_attr)i);
    wa_free(c->block);
    wa_control_init(c);
}

const char *wa_control_get(const struct wa_control *c, enum wa_attr a)
{
    if (c->v[a] != NULL)
        return c->v[a];
    if (a == WA_A_VERSION)
        return "0";
    if (a == WA_A_ARCHITECTURE)
        return "all";
    if (a == WA_A_SECTION)
        return "base";
    return a == WA_A_PRIORITY ? "optional" : "";
}

enum wa_code wa_control_set(struct wa_control *c, enum wa_attr a, struct wa_sv value,
                            struct wa_err *err)
{
    char *copy = NULL;
    if (wa_sv_dup(value, &copy, err) != WA_OK)
        return wa_wrap(err, "attribute '%s'", wa_attr_name(a));
    wa_control_unset(c, a);
    c->v[a] = copy;
    return WA_OK;
}

enum wa_code wa_control_copy(const struct wa_control *from, struct wa_control *to,
                             struct wa_err *err)
{
    size_t size = 0;
    wa_control_init(to);
    for (size_t i = 0; i < WA_ATTR_COUNT; i++)
        size += from->v[i] == NULL ? 0 : strlen(from->v[i]) + 1;
    char *block = size == 0 ? NULL : wa_calloc(size, 1);
    if (size > 0 && block == NULL)
        return wa_nomem(err);
    to->block = block;
    to->block_size = size;
    for (size_t i = 0; i < WA_ATTR_COUNT; i++) {
        if (from->v[i] == NULL)
            continue;
        size_t n = strlen(from->v[i]) + 1;
        to->v[i] = memcpy(block, from->v[i], n);
        block += n;
    }
    return WA_OK;
}

uint64_t wa_control_block_set(const struct wa_control *c)
{
    const char *last = NULL;
    uint64_t set = 0;
    for (size_t i = 0; i < WA_ATTR_COUNT; i++) {
        const char *v = c->v[i];
        if (v == NULL)
            continue;
        if (!is_in_block(c, v) || (last == NULL ? v != c->block : v <= last || v[-1] != '\0'))
            return 0;
        set |= (uint64_t)1 << i;
        last = v;
    }
    return set;
}

enum wa_code wa_control_from_block(uint64_t set, struct wa_sv block, struct wa_control *ret,
                                   struct wa_err *err)
{
    struct wa_control c;
    uint64_t found = 0;
    wa_control_init(&c);
    if (block.n == 0 || block.p[block.n - 1] != '\0')
        return wa_fail(err, WA_E_INVALID, "attributes without an end");
    char *at = c.block = wa_strndup(block.p, block.n);
    if (at == NULL)
        return wa_nomem(err);
    c.block_size = block.n;
    for (size_t i = 0; i < WA_ATTR_COUNT && at < c.block + block.n; i++) {
        if ((set >> i & 1) == 0)
            continue;
        found |= (uint64_t)1 << i;
        c.v[i] = at;
        at += strlen(at) + 1;
    }
    if (found != set || at != c.block + block.n) {
        wa_control_fini(&c);
        return wa_fail(err, WA_E_INVALID, "not as many attributes as are set");
    }
    *ret = c;
    return WA_OK;
}

const char *wa_control_default_signed(void)
{
    return "package,version,architecture,section,priority,name,categories,maintainer,description,"
           "depends,conflicts,maturity,locale,"
           "target_os,min_os_version,max_os_version,min_wapt_version,sources,installed_size,"
           "impacted_process,description_fr,"
           "description_pl,description_de,description_es,description_pt,description_it,description_"
           "nl,description_ru,audit_schedule,"
           "editor,keywords,licence,homepage,package_uuid,valid_from,valid_until,forced_install_on,"
           "changelog,signer,"
           "signer_fingerprint,signature_date,signed_attributes";
}

/* --- names of files --- */

void wa_sanitize_filename(struct wa_sv text, struct wa_buf *out)
{
    WA_AUTO_BUF struct wa_buf plain;
    wa_buf_init(&plain, out->max);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '.' && i + 1 < text.n && text.p[i + 1] == '.') {
            wa_buf_addc(&plain, '_');
            i++;
        } else if (strchr("@|():%/,\\[]<>*?;`\n", text.p[i]) == NULL) {
            wa_buf_addc(&plain, text.p[i]);
        }
    }
    if (plain.failed != WA_OK)
        out->failed = plain.failed;
    wa_buf_addsv(out, wa_unicode_strip(wa_buf_sv(&plain)));
}

void wa_package_name_from(struct wa_sv text, struct wa_buf *out)
{
    size_t at = 0, from = 0;
    uint32_t cp;
    for (; wa_utf8_next(text, &at, &cp); from = at) {
        if (cp == ',')
            wa_buf_addc(out, '_');
        else if (cp == ' ')
            wa_buf_addc(out, '~');
        else if (wa_unicode_isalnum(cp) || (cp < 0x80 && strchr("-_=~.", (int)cp) != NULL))
            wa_buf_add(out, text.p + from, at - from);
    }
}

/* Whether a package's name can stand in a file name. */
static bool is_file_safe(struct wa_sv name)
{
    size_t at = 0;
    uint32_t cp;
    while (wa_utf8_next(name, &at, &cp))
        if (!wa_unicode_isalnum(cp) && (cp >= 0x80 || strchr("-_~.", (int)cp) == NULL))
            return false;
    return at == name.n && name.n > 0;
}

static void add_part(struct wa_buf *out, struct wa_sv part, bool keep_all)
{
    if (part.n == 0 || (wa_sv_eqs(part, "all") && !keep_all))
        return;
    wa_buf_addc(out, '_');
    wa_buf_addsv(out, part);
}

/* csv(locale) joined by '-'; a package for upgrading the agent keeps the text as it is. */
static void add_locale(const char *locale, bool raw, struct wa_buf *out)
{
    WA_AUTO_BUF struct wa_buf joined;
    struct wa_sv rest = wa_sv(locale), item;
    wa_buf_init(&joined, WA_NAME_MAX);
    while (!raw && wa_csv_next(&rest, &item)) {
        if (joined.n > 0)
            wa_buf_addc(&joined, '-');
        wa_buf_addsv(&joined, item);
    }
    if (joined.failed != WA_OK)
        out->failed = joined.failed;
    add_part(out, raw ? wa_sv(locale) : wa_buf_sv(&joined), raw);
}

/* Python's unicode lower() of the name ends so; only ASCII matters for the comparison. */
static bool is_waptupgrade(struct wa_sv name)
{
    static const char suffix[] = "-waptupgrade";
    size_t n = sizeof suffix - 1;
    return name.n >= n && wa_sv_ieqs(wa_sv_sub(name, name.n - n, n), suffix);
}

enum wa_code wa_control_filename(const struct wa_control *c, const char *md5, char *out,
                                 struct wa_err *err)
{
    char digest[WA_DIGEST_HEX_MAX];
    const char *package = wa_control_get(c, WA_A_PACKAGE);
    struct wa_mem_source source;
    WA_AUTO_BUF struct wa_buf name;
    WA_AUTO_BUF struct wa_buf clean;
    wa_buf_init(&name, 2 * WA_NAME_MAX);
    wa_buf_init(&clean, 2 * WA_NAME_MAX);
    const char *section = wa_control_get(c, WA_A_SECTION);
    bool is_host = strcmp(section, "host") == 0;
    bool may_lack = is_host || strcmp(section, "group") == 0 || strcmp(section, "unit") == 0;
    if (package[0] == '\0')
        return wa_fail(err, WA_E_INVALID, "a package without a name");
    if (!may_lack && (wa_control_get(c, WA_A_VERSION)[0] == '\0' ||
                      wa_control_get(c, WA_A_ARCHITECTURE)[0] == '\0'))
        return wa_fail(err, WA_E_INVALID, "package '%s' has no version or no architecture",
                       package);
    if (!is_file_safe(wa_sv(package))) {
        wa_mem_source_init(&source, package, strlen(package));
        if (wa_digest_source(WA_MD5, &source.base, digest, err) != WA_OK)
            return err->code;
        package = digest;
    }
    bool upgrade = is_waptupgrade(wa_sv(package));
    wa_buf_adds(&name, package);
    if (!is_host) {
        wa_buf_addc(&name, '_');
        wa_buf_adds(&name, wa_control_get(c, WA_A_VERSION));
        add_part(&name, wa_sv(wa_control_get(c, WA_A_ARCHITECTURE)), upgrade);
        add_part(&name, wa_sv(wa_control_get(c, WA_A_MATURITY)), upgrade);
        add_locale(wa_control_get(c, WA_A_LOCALE), upgrade, &name);
        add_part(&name, wa_sv(md5), true);
    }
    wa_buf_adds(&name, ".wapt");
    wa_sanitize_filename(wa_buf_sv(&name), &clean);
    if (name.failed != WA_OK)
        clean.failed = name.failed;
    if (wa_buf_check(&clean, err) != WA_OK)
        return wa_wrap(err, "file name of package '%s'", wa_control_get(c, WA_A_PACKAGE));
    memcpy(out, wa_buf_str(&clean), clean.n + 1);
    return WA_OK;
}

/* One part of a directory's name: its commas become '-'. */
static void add_edit_part(struct wa_buf *out, const char *value)
{
    if (value[0] == '\0' || strcmp(value, "all") == 0)
        return;
    if (out->n > 0)
        wa_buf_addc(out, '_');
    for (; *value != '\0'; value++)
        wa_buf_addc(out, *value == ',' ? '-' : *value);
}

void wa_control_edit_name(const struct wa_control *c, struct wa_buf *out)
{
    static const enum wa_attr parts[] = {WA_A_ARCHITECTURE, WA_A_MATURITY, WA_A_LOCALE};
    WA_AUTO_BUF struct wa_buf name;
    wa_buf_init(&name, out->max);
    if (strcmp(wa_control_get(c, WA_A_PACKAGE), "all") != 0)
        wa_buf_adds(&name, wa_control_get(c, WA_A_PACKAGE));
    for (size_t i = 0; i < WA_COUNT(parts); i++)
        add_edit_part(&name, wa_control_get(c, parts[i]));
    wa_buf_adds(&name, "-wapt");
    if (name.failed != WA_OK)
        out->failed = name.failed;
    wa_buf_addsv(out, wa_buf_sv(&name));
}

bool wa_package_uuid_is(struct wa_sv s)
{
    if (s.n != 36)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = s.p[i];
        if (is_dash ? c != '-'
                    : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}
