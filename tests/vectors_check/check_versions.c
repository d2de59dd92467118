/* check_versions.c - comparison of versions, requirements, the filter of a machine and the order of
 * preference, against WAPT's own answers. */
#include "check.h"

#include <stdio.h>

#include "base/mem.h"
#include "pkg/request.h"
#include "pkg/version.h"

static int sign_of(int c)
{
    return (c > 0) - (c < 0);
}

static bool is_ascii(struct wa_sv s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

static enum outcome same_sign(struct check *k, const struct wa_json *want, int got,
                              const char *which)
{
    int64_t n = 0;
    if (!wa_json_i64(want, &n))
        return fails(k, "%s: the case has no answer", which);
    return n == sign_of(got) ? AGREES
                             : fails(k, "%s: got %d, wanted %d", which, sign_of(got), (int)n);
}

static enum outcome compare_entries(struct check *k, const struct wa_json *one)
{
    WA_AUTO_CONTROL struct wa_control x;
    WA_AUTO_CONTROL struct wa_control y;
    wa_control_init(&x);
    wa_control_init(&y);
    set_attribute(&x, WA_A_PACKAGE, WA_SV("p"));
    set_attribute(&y, WA_A_PACKAGE, WA_SV("p"));
    set_attribute(&x, WA_A_VERSION, text_at(one, "a"));
    set_attribute(&y, WA_A_VERSION, text_at(one, "b"));
    const struct wa_json *want = wa_json_get(one, "entry_vs_entry"),
                         *with_text = wa_json_get(one, "entry_vs_str");
    enum outcome o = same_sign(k, want, wa_entry_cmp(&x, &y), "entries");
    if (o == AGREES)
        o = same_sign(k, want, -wa_entry_cmp(&y, &x), "entries, turned");
    if (o != AGREES || with_text == NULL)
        return o;
    return same_sign(k, with_text, wa_entry_cmp_version(&x, text_at(one, "b")), "entry and text");
}

static enum outcome compare_versions(struct check *k, const struct wa_json *one)
{
    const struct wa_json *strict = wa_json_get(one, "PackageVersion");
    struct wa_sv a = text_at(one, "a"), b = text_at(one, "b");
    struct wa_err err = WA_ERR_INIT;
    int got = 0;
    enum wa_code code = wa_pkgversion_cmp(a, b, &got, &err);
    if (wa_json_is(strict, WA_JSON_STRING)) { /* an exception there */
        if (code != WA_E_INVALID)
            return fails(k, "as versions of packages: should be refused");
    } else if (code != WA_OK) {
        return fails(k, "as versions of packages: %s", err.text);
    } else if (same_sign(k, strict, got, "as versions of packages") != AGREES) {
        return FAILS;
    }
    enum outcome o =
        same_sign(k, wa_json_get(one, "Version"), wa_version_cmp(a, b, 0), "as versions");
    return o == AGREES ? compare_entries(k, one) : o;
}

enum outcome check_vercmp(struct check *k, const struct wa_json *one)
{
    struct wa_sv a = text_at(one, "a"), b = text_at(one, "b");
    enum outcome o = compare_versions(k, one);
    if (o == AGREES || (is_ascii(a) && is_ascii(b)))
        return o;
    return differs(k, "unicode-digits", "'%.*s' and '%.*s'", WA_SV_ARG(a), WA_SV_ARG(b));
}

/* "OP VERSION" between the parentheses, as both grammars have it. */
static bool is_plain_condition(struct wa_sv inner)
{
    static const char *const operators[] = {"=", "==", "<", "<=", ">", ">="};
    size_t n = 0;
    bool is_known = false;
    while (n < inner.n && strchr("<>=!~", inner.p[n]) != NULL)
        n++;
    for (size_t i = 0; i < WA_COUNT(operators); i++)
        is_known = is_known || wa_sv_eqs(wa_sv_sub(inner, 0, n), operators[i]);
    struct wa_sv version = wa_sv_trim(wa_sv_sub(inner, n, inner.n));
    for (size_t i = 0; i < version.n; i++)
        is_known = is_known && strchr("<>=!~,( )", version.p[i]) == NULL;
    return is_known && version.n > 0;
}

/* Whether the two grammars read it as one: judged by its form, not by what our reader makes of it.
 * Blanks around a name are trimmed here (WAPT keeps one before '(' and finds nothing), and what
 * WAPT cuts off or takes for "any version" is refused. */
static bool is_other_grammar(struct wa_sv cond)
{
    size_t open = cond.n, close = cond.n;
    bool has_condition = wa_sv_chr(cond, '(', &open);
    struct wa_sv name = wa_sv_sub(cond, 0, open);
    if (name.n == 0 || wa_sv_trim(name).n != name.n)
        return true;
    if (!has_condition)
        return false;
    return !wa_sv_chr(cond, ')', &close) || close + 1 != cond.n ||
           !is_plain_condition(wa_sv_trim(wa_sv_sub(cond, open + 1, close - open - 1)));
}

enum outcome check_match(struct check *k, const struct wa_json *one)
{
    struct wa_sv cond = text_at(one, "cond");
    WA_AUTO_CONTROL struct wa_control c;
    struct wa_err err = WA_ERR_INIT;
    struct wa_request r;
    wa_control_init(&c);
    set_attribute(&c, WA_A_PACKAGE, text_at(one, "name"));
    set_attribute(&c, WA_A_VERSION, text_at(one, "version"));
    const struct wa_json *typed = wa_json_get(one, "entry_match");
    bool is_parsed = wa_request_parse(cond, &r, &err) == WA_OK;
    bool got = is_parsed && wa_request_matches(&r, &c);
    bool is_same = got == wa_json_bool(wa_json_get(one, "request")); /* an exception: no match */
    if (is_same && typed != NULL && is_parsed) {
        got = wa_request_matches_typed(&r, &c);
        is_same = got == wa_json_bool(typed);
    }
    if (is_same)
        return AGREES;
    if (is_other_grammar(cond))
        return differs(k, "requirement-grammar", "'%.*s': %s", WA_SV_ARG(cond),
                       is_parsed ? "blanks around the name don't count" : err.text);
    return fails(k, "'%.*s' and '%.*s %.*s': got %d", WA_SV_ARG(cond),
                 WA_SV_ARG(text_at(one, "name")), WA_SV_ARG(text_at(one, "version")), got);
}

static enum outcome accepts(struct check *k, const struct wa_host_caps *h,
                            const struct wa_control *c, const struct wa_json *one)
{
    const char *why = "accepted";
    bool got = wa_host_accepts(h, c, &why);
    return got == wa_json_bool(wa_json_get(one, "match")) ? AGREES
                                                          : fails(k, "got %d: %s", got, why);
}

/* A request names the oldest and the newest system it is for, a machine has one: so the two ends
 * are judged one after the other. */
enum outcome check_request_filters(struct check *k, const struct wa_json *one)
{
    static const struct {
        const char *of_request;
        enum wa_attr other_end;
    } ends[] = {{"min_os_version", WA_A_MIN_OS_VERSION}, {"max_os_version", WA_A_MAX_OS_VERSION}};
    const struct wa_json *r = wa_json_get(one, "request");
    const char *why = "accepted";
    bool got = true;
    for (size_t i = 0; i < WA_COUNT(ends); i++) {
        WA_AUTO_CONTROL struct wa_control c;
        wa_control_init(&c);
        set_attributes(&c, wa_json_get(one, "entry"));
        wa_control_unset(&c, ends[i].other_end);
        const struct wa_host_caps h = {
            .os = csv_of(k, wa_json_get(r, "target_os")),
            .os_version = csv_of(k, wa_json_get(r, ends[i].of_request)),
            .architecture = csv_of(k, wa_json_get(r, "architectures")),
            .locales = csv_of(k, wa_json_get(r, "locales")),
            .maturities = csv_of(k, wa_json_get(r, "maturities")),
            .now = "2026-12-01T12:00:00",
        };
        got = wa_host_accepts(&h, &c, &why) && got;
    }
    return got == wa_json_bool(wa_json_get(one, "match")) ? AGREES
                                                          : fails(k, "got %d: %s", got, why);
}

enum outcome check_host_capabilities(struct check *k, const struct wa_json *one)
{
    const struct wa_json *r = wa_json_get(one, "capabilities");
    const char *now = csv_of(k, wa_json_get(one, "for_datetime"));
    WA_AUTO_CONTROL struct wa_control c;
    wa_control_init(&c);
    set_attributes(&c, wa_json_get(one, "entry"));
    set_attribute(&c, WA_A_PACKAGE, text_at(one, "package"));
    struct wa_host_caps h = {
        .os = csv_of(k, wa_json_get(r, "os")),
        .os_version = csv_of(k, wa_json_get(r, "os_version")),
        .architecture = csv_of(k, wa_json_get(r, "architecture")),
        .wapt_version = csv_of(k, wa_json_get(r, "wapt_version")),
        .locales = csv_of(k, wa_json_get(r, "packages_locales")),
        .maturities = csv_of(k, wa_json_get(r, "packages_maturities")),
        .blacklist = csv_of(k, wa_json_get(r, "packages_blacklist")),
        .whitelist = csv_of(k, wa_json_get(r, "packages_whitelist")),
    };
    if (h.locales == NULL)
        h.locales = "none"; /* there a machine without languages takes what is for any */
    (void)snprintf(h.now, sizeof h.now, "%s", now == NULL ? "" : now);
    return accepts(k, &h, &c, one);
}

/* --- order --- */

struct sorted {
    struct wa_control *items;
    size_t *order;
    size_t n, all;
};

static bool load_entries(const struct wa_json *list, struct sorted *s)
{
    s->n = s->all = wa_json_count(list);
    s->items = wa_calloc(s->n, sizeof *s->items);
    s->order = wa_calloc(s->n, sizeof *s->order);
    for (size_t i = 0; s->items != NULL && s->order != NULL && i < s->n; i++) {
        wa_control_init(&s->items[i]);
        set_attributes(&s->items[i], wa_json_at(list, i));
        s->order[i] = i;
    }
    return s->items != NULL && s->order != NULL;
}

static void drop_entries(struct sorted *s)
{
    for (size_t i = 0; s->items != NULL && i < s->all; i++)
        wa_control_fini(&s->items[i]);
    wa_free(s->items);
    wa_free(s->order);
}

/* Stable, as Python's sort is. */
static void insertion_sort(struct sorted *s, const struct wa_host_caps *host)
{
    for (size_t i = 1; i < s->n; i++) {
        size_t moved = s->order[i], at = i;
        for (; at > 0; at--) {
            const struct wa_control *a = &s->items[s->order[at - 1]], *b = &s->items[moved];
            int c = host == NULL ? wa_entry_cmp(a, b) : wa_candidate_cmp(host, a, b);
            if (c <= 0)
                break;
            s->order[at] = s->order[at - 1];
        }
        s->order[at] = moved;
    }
}

static enum outcome same_order(struct check *k, const struct sorted *s, const struct wa_json *want,
                               const char *what)
{
    if (s->n != wa_json_count(want))
        return fails(k, "%s: %zu, wanted %zu", what, s->n, wa_json_count(want));
    for (size_t i = 0; i < s->n; i++) {
        int64_t id = -1;
        if (!wa_json_i64(wa_json_at(want, i), &id) || id != (int64_t)s->order[i])
            return fails(k, "%s: place %zu has entry %zu, wanted %d", what, i, s->order[i],
                         (int)id);
    }
    return AGREES;
}

/* Who answers a request, best last. */
static enum outcome check_request(struct check *k, const struct wa_json *entries,
                                  const struct wa_json *one)
{
    const struct wa_json *r = wa_json_get(one, "request");
    struct wa_request request;
    struct wa_err err = WA_ERR_INIT;
    struct sorted s;
    const struct wa_host_caps h = {
        .architecture = csv_of(k, wa_json_get(r, "architectures")),
        .locales = csv_of(k, wa_json_get(r, "locales")),
        .maturities = csv_of(k, wa_json_get(r, "maturities")),
        .now = "2026-12-01T12:00:00",
    };
    enum outcome o =
        must(k, wa_request_parse(text_at(r, "request"), &request, &err), &err, "request");
    if (o != AGREES || !load_entries(entries, &s))
        return FAILS;
    s.n = 0;
    for (size_t i = 0; i < s.all; i++)
        if (wa_request_matches(&request, &s.items[i]) && wa_host_accepts(&h, &s.items[i], NULL))
            s.order[s.n++] = i;
    insertion_sort(&s, &h);
    o = same_order(k, &s, wa_json_get(one, "matching"), "candidates");
    drop_entries(&s);
    return o;
}

static int cmp_kinds(const struct wa_control *a, const struct wa_control *b)
{
    static const enum wa_attr keys[] = {WA_A_PACKAGE, WA_A_ARCHITECTURE, WA_A_LOCALE,
                                        WA_A_MATURITY};
    int c = 0;
    for (size_t i = 0; c == 0 && i < WA_COUNT(keys); i++)
        c = strcmp(wa_control_get(a, keys[i]), wa_control_get(b, keys[i]));
    return c;
}

/* The newest of each kind by comparison B, the first of equal ones, as WAPT's lists show them. */
static enum outcome check_newest(struct check *k, const struct wa_json *entries,
                                 const struct wa_json *want)
{
    static const struct wa_host_caps nobody = {.now = ""};
    struct sorted s;
    if (!load_entries(entries, &s))
        return FAILS;
    s.n = 0;
    for (size_t i = 0; i < s.all; i++) {
        const struct wa_control *c = &s.items[i];
        size_t at = s.n;
        while (at > 0 && cmp_kinds(&s.items[s.order[at - 1]], c) > 0)
            at--;
        if (at > 0 && cmp_kinds(&s.items[s.order[at - 1]], c) == 0) {
            if (wa_candidate_cmp(&nobody, &s.items[s.order[at - 1]], c) < 0)
                s.order[at - 1] = i;
            continue;
        }
        memmove(s.order + at + 1, s.order + at, (s.n - at) * sizeof *s.order);
        s.order[at] = i;
        s.n++;
    }
    enum outcome o = same_order(k, &s, want, "newest only");
    drop_entries(&s);
    return o;
}

enum outcome check_sorting(struct check *k, const struct wa_json *one)
{
    const struct wa_json *entries = wa_json_get(one, "entries"),
                         *requests = wa_json_get(one, "requests"),
                         *newest = wa_json_get(one, "newest_only");
    struct sorted s;
    if (!load_entries(entries, &s))
        return FAILS;
    insertion_sort(&s, NULL);
    enum outcome o = same_order(k, &s, wa_json_get(one, "sorted"), "entries");
    drop_entries(&s);
    for (size_t i = 0; o == AGREES && i < wa_json_count(requests); i++)
        o = check_request(k, entries, wa_json_at(requests, i));
    return o == AGREES && newest != NULL ? check_newest(k, entries, newest) : o;
}
