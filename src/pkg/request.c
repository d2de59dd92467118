/* request.c - requirements, host filter, preference (formats.md 2.3-2.6). */
#include "pkg/request.h"
#include "base/text.h"

#include "codec/csv.h"
#include "pkg/version.h"

/* --- requirement texts --- */

static enum wa_code fail_syntax(struct wa_sv text, struct wa_err *err)
{
    return wa_fail(err, WA_E_INVALID, "'%.*s' is not a requirement: write name or name(>=1.2-3)",
                   WA_SV_ARG(text));
}

static bool is_op(struct wa_sv op)
{
    static const char *const ops[] = {"=", "==", "<", ">", "<=", ">="};
    for (size_t i = 0; i < WA_COUNT(ops); i++)
        if (wa_sv_eqs(op, ops[i]))
            return true;
    return false;
}

/* Not the syntax of versions, only what can stand for one: no blank, parenthesis or operator in it.
 */
static bool is_version_text(struct wa_sv v)
{
    for (size_t i = 0; i < v.n; i++)
        if ((unsigned char)v.p[i] <= 0x20 || strchr("()<=>\x7f", v.p[i]) != NULL)
            return false;
    return v.n > 0 && v.n <= WA_NAME_MAX;
}

enum wa_code wa_request_parse(struct wa_sv text, struct wa_request *ret, struct wa_err *err)
{
    struct wa_request r = {"", "", ""};
    size_t open = text.n, n = 0;
    bool has_condition = wa_sv_chr(text, '(', &open);
    struct wa_sv name = wa_sv_trim(wa_sv_sub(text, 0, open));
    if (name.n == 0 || name.n > WA_NAME_MAX || memchr(name.p, ')', name.n) != NULL ||
        memchr(name.p, 0, name.n) != NULL)
        return fail_syntax(text, err);
    memcpy(r.package, name.p, name.n);
    if (has_condition) {
        struct wa_sv tail = wa_sv_trim(wa_sv_sub(text, open + 1, text.n));
        if (!wa_sv_ends(tail, ")"))
            return fail_syntax(text, err);
        struct wa_sv inside = wa_sv_trim(wa_sv_sub(tail, 0, tail.n - 1));
        while (n < inside.n && memchr("<=>", inside.p[n], 3) != NULL)
            n++;
        struct wa_sv op = wa_sv_sub(inside, 0, n),
                     version = wa_sv_trim(wa_sv_sub(inside, n, inside.n));
        if (!is_op(op) || !is_version_text(version))
            return fail_syntax(text, err);
        memcpy(r.op, op.p, op.n);
        memcpy(r.version, version.p, version.n);
    }
    *ret = r;
    return WA_OK;
}

/* A version without its packaging part. */
static struct wa_sv software(struct wa_sv v)
{
    size_t dash = v.n;
    (void)wa_sv_chr(v, '-', &dash);
    return wa_sv_n(v.p, dash);
}

static bool holds(const char *op, int c)
{
    if (op[0] == '=')
        return c == 0;
    if (op[0] == '<')
        return c < 0 || (op[1] == '=' && c == 0);
    return c > 0 || (op[1] == '=' && c == 0);
}

bool wa_request_matches(const struct wa_request *r, const struct wa_control *c)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv want = wa_sv(r->version), have = wa_sv(wa_control_get(c, WA_A_VERSION));
    size_t at;
    int order = 0;
    if (strcmp(r->package, wa_control_get(c, WA_A_PACKAGE)) != 0)
        return false;
    if (r->op[0] == '\0')
        return true;
    /* A request without packaging part speaks of the software's version alone. */
    bool whole = wa_sv_chr(want, '-', &at);
    if (wa_pkgversion_cmp(whole ? have : software(have), want, &order, &err) != WA_OK)
        return false;
    return holds(r->op, order);
}

bool wa_request_matches_typed(const struct wa_request *r, const struct wa_control *c)
{
    if (strcmp(r->package, wa_control_get(c, WA_A_PACKAGE)) != 0)
        return false;
    return r->op[0] == '\0' || holds(r->op, wa_entry_cmp_version(c, wa_sv(r->version)));
}

void wa_entry_requirement(const struct wa_control *c, struct wa_buf *out)
{
    wa_buf_addf(out, "%s(=%s)", wa_control_get(c, WA_A_PACKAGE), wa_control_get(c, WA_A_VERSION));
}

/* --- host filter --- */

static bool any_pattern(const char *patterns, const char *name)
{
    struct wa_sv rest = wa_sv(patterns), item;
    while (wa_csv_next(&rest, &item))
        if (wa_fnmatch(item, wa_sv(name)))
            return true;
    return false;
}

static bool is_empty(const char *csv)
{
    struct wa_sv rest = wa_sv(csv), item;
    return !wa_csv_next(&rest, &item);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Equal once the machine's own word is in lower case, as platforms are named "Windows" there. */
static bool is_platform(struct wa_sv item, struct wa_sv host)
{
    if (item.n != host.n)
        return false;
    for (size_t i = 0; i < item.n; i++)
        if (item.p[i] != lower(host.p[i]))
            return false;
    return true;
}

/* One of a package's items (split as WAPT does, without trimming) is one of the machine's. */
static bool platforms_meet(const char *package_items, const char *host_items)
{
    struct wa_sv rest = wa_sv(package_items), item;
    while (wa_sv_split(&rest, ',', &item)) {
        struct wa_sv hosts = wa_sv(host_items), host;
        while (wa_csv_next(&hosts, &host))
            if (is_platform(item, host))
                return true;
    }
    return false;
}

static bool is_any(const char *v)
{
    return v[0] == '\0' || strcmp(v, "all") == 0;
}

static bool os_matches(const struct wa_host_caps *h, const char *target)
{
    if (is_any(target))
        return true;
    return h->os == NULL || is_empty(h->os) || wa_csv_has(wa_sv(h->os), WA_SV("all")) ||
           platforms_meet(target, h->os); /* "linux,all" is none of windows, there too */
}

/* More than one architecture when a machine runs both. */
static bool architecture_matches(const struct wa_host_caps *h, const char *arch)
{
    if (h->architecture == NULL || is_empty(h->architecture) || is_any(arch))
        return true;
    return wa_csv_has(wa_sv(h->architecture), WA_SV("all")) ||
           wa_csv_has(wa_sv(h->architecture), wa_sv(arch));
}

static bool os_version_matches(const struct wa_host_caps *h, const struct wa_control *c)
{
    const char *low = wa_control_get(c, WA_A_MIN_OS_VERSION),
               *high = wa_control_get(c, WA_A_MAX_OS_VERSION);
    if (h->os_version == NULL || h->os_version[0] == '\0')
        return true;
    if (high[0] != '\0' && wa_version_cmp(wa_sv(h->os_version), wa_sv(high), 0) > 0)
        return false;
    return low[0] == '\0' || wa_version_cmp(wa_sv(low), wa_sv(h->os_version), 0) <= 0;
}

static bool locale_matches(const struct wa_host_caps *h, const char *locale)
{
    struct wa_sv rest = wa_sv(locale), item;
    if (h->locales == NULL || is_empty(h->locales) || wa_csv_has(wa_sv(h->locales), WA_SV("all")) ||
        is_any(locale))
        return true;
    while (wa_csv_next(&rest, &item))
        if (wa_csv_has(wa_sv(h->locales), item))
            return true;
    return false;
}

static bool maturity_matches(const struct wa_host_caps *h, const char *maturity)
{
    if (h->maturities == NULL || is_empty(h->maturities) ||
        wa_csv_has(wa_sv(h->maturities), WA_SV("all")))
        return true;
    return wa_csv_has(wa_sv(h->maturities), maturity[0] == '\0' ? WA_SV("PROD") : wa_sv(maturity));
}

static const char *why_not(const struct wa_host_caps *h, const struct wa_control *c)
{
    const char *from = wa_control_get(c, WA_A_VALID_FROM),
               *until = wa_control_get(c, WA_A_VALID_UNTIL);
    const char *name = wa_control_get(c, WA_A_PACKAGE),
               *agent = wa_control_get(c, WA_A_MIN_WAPT_VERSION);
    const char *arch = wa_control_get(c, WA_A_ARCHITECTURE);
    if (h->now[0] != '\0' && from[0] != '\0' && strcmp(from, h->now) > 0)
        return wa_text("not valid yet");
    if (h->now[0] != '\0' && until[0] != '\0' && strcmp(h->now, until) >= 0)
        return wa_text("no longer valid");
    if (h->blacklist != NULL && any_pattern(h->blacklist, name))
        return wa_text("on this machine's blacklist");
    if (h->whitelist != NULL && !is_empty(h->whitelist) && !any_pattern(h->whitelist, name))
        return wa_text("not on this machine's whitelist");
    if (agent[0] != '\0' && h->wapt_version != NULL &&
        wa_version_cmp(wa_sv(agent), wa_sv(h->wapt_version), 0) > 0)
        return wa_text("needs a newer agent");
    if (!os_matches(h, wa_control_get(c, WA_A_TARGET_OS)))
        return wa_text("for another operating system");
    if (!os_version_matches(h, c))
        return wa_text("for another version of the operating system");
    if (!architecture_matches(h, arch))
        return wa_text("for another architecture");
    if (!locale_matches(h, wa_control_get(c, WA_A_LOCALE)))
        return wa_text("for another language");
    if (!maturity_matches(h, wa_control_get(c, WA_A_MATURITY)))
        return wa_text("of a maturity that this machine does not take");
    return NULL;
}

bool wa_host_accepts(const struct wa_host_caps *host, const struct wa_control *c,
                     const char **ret_why)
{
    const char *why = why_not(host, c);
    if (why != NULL && ret_why != NULL)
        *ret_why = why;
    return why == NULL;
}

/* --- preference --- */

/* formats.md 2.6: -1000 for '' and 'all', minus the place in the list, -10000 when not in it. */
static int rank(const char *value, const char *list)
{
    struct wa_sv rest = wa_sv(list), item;
    int place = 0;
    if (is_any(value))
        return -1000;
    for (; wa_csv_next(&rest, &item); place++)
        if (wa_sv_eqs(item, value))
            return -place;
    return -10000;
}

static int cmp_ranked(const struct wa_control *a, const struct wa_control *b, enum wa_attr attr,
                      const char *list)
{
    const char *va = wa_control_get(a, attr), *vb = wa_control_get(b, attr);
    if (list == NULL || is_empty(list)) {
        /* Without a list the raw texts are compared; a number sorts before any text there. */
        bool any_a = is_any(va), any_b = is_any(vb);
        return any_a || any_b ? (int)any_b - (int)any_a : strcmp(va, vb);
    }
    int ra = rank(va, list), rb = rank(vb, list);
    return (ra > rb) - (ra < rb);
}

int wa_candidate_cmp(const struct wa_host_caps *host, const struct wa_control *a,
                     const struct wa_control *b)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv va = wa_sv(wa_control_get(a, WA_A_VERSION)),
                 vb = wa_sv(wa_control_get(b, WA_A_VERSION));
    int c = strcmp(wa_control_get(a, WA_A_PACKAGE), wa_control_get(b, WA_A_PACKAGE));
    if (c == 0 && wa_pkgversion_cmp(va, vb, &c, &err) != WA_OK)
        c = wa_sv_cmp(va, vb);
    if (c == 0)
        c = cmp_ranked(a, b, WA_A_ARCHITECTURE, host->architecture);
    if (c == 0)
        c = cmp_ranked(a, b, WA_A_LOCALE, host->locales);
    return c != 0 ? c : cmp_ranked(a, b, WA_A_MATURITY, host->maturities);
}
