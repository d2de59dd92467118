/* Requirements, the filter of a machine and the order of preference, against WAPT's own answers. */
#include "support.h"

#include "pkg/request.h"

/* Where our grammar differs on purpose: blanks around the name are trimmed (WAPT keeps one before
 * '(' and then finds nothing), and what WAPT cuts off or takes for "any version" is refused. */
static bool is_different_by_intent(struct wa_sv cond)
{
    static const char *const refused[] = {
        "tis-a()", "tis-a(>1.2)(<2)", "tis-a(!=1.2)", "tis-a(~1.2)", "tis-a(=)", "tis-a(>1.2,<2)",
        ""};
    size_t open = cond.n;
    (void)wa_sv_chr(cond, '(', &open);
    struct wa_sv name = wa_sv_sub(cond, 0, open);
    for (size_t i = 0; i < WA_COUNT(refused); i++)
        if (wa_sv_eqs(cond, refused[i]))
            return true;
    return wa_sv_trim(name).n != name.n;
}

static void matches_as_wapt_does(void **state)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = read_cases("pkg/match.json", &arena);
    size_t agreed = 0;
    (void)state;
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *one = wa_json_at(list, i);
        const struct wa_json *want = wa_json_get(one, "request");
        struct wa_sv cond = text_at(one, "cond");
        WA_AUTO_CONTROL struct wa_control c;
        struct wa_err err = WA_ERR_INIT;
        struct wa_request r;
        wa_control_init(&c);
        check_ok(wa_control_set(&c, WA_A_PACKAGE, text_at(one, "name"), &err), &err, "set");
        check_ok(wa_control_set(&c, WA_A_VERSION, text_at(one, "version"), &err), &err, "set");
        bool got = wa_request_parse(cond, &r, &err) == WA_OK && wa_request_matches(&r, &c);
        if (is_different_by_intent(cond))
            continue;
        /* An exception there is no match here. */
        if (got != wa_json_bool(want))
            fail_msg("'%.*s' and '%.*s %.*s': got %d", WA_SV_ARG(cond),
                     WA_SV_ARG(text_at(one, "name")), WA_SV_ARG(text_at(one, "version")), got);
        agreed++;
    }
    assert_true(agreed > 900);
}

static void reads_requirements(void **state)
{
    static const struct {
        const char *text, *package, *op, *version;
    } good[] = {
        {"tis-a", "tis-a", "", ""},
        {" tis-a ", "tis-a", "", ""},
        {"tis-a(>=1.2)", "tis-a", ">=", "1.2"},
        {"tis-a (>= 1.2-3 )", "tis-a", ">=", "1.2-3"},
        {"OU=a_DC=b(=1)", "OU=a_DC=b", "=", "1"},
        {"a(==1)", "a", "==", "1"},
    };
    static const char *const bad[] = {
        "",         "()",     "(=1)",    "a()",    "a(1)",   "a(=)",   "a(~1)",   "a(>=1",    "a)",
        "a(=1)(x)", "a(=1)x", "a(=1 2)", "a(=>1)", "a(<>1)", "a(=1))", "a(= <2)", "a(=1\v)x)"};
    (void)state;
    for (size_t i = 0; i < WA_COUNT(good); i++) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        check_ok(wa_request_parse(wa_sv(good[i].text), &r, &err), &err, good[i].text);
        assert_string_equal(r.package, good[i].package);
        assert_string_equal(r.op, good[i].op);
        assert_string_equal(r.version, good[i].version);
    }
    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(wa_sv(bad[i]), &r, &err) != WA_E_INVALID)
            fail_msg("'%s' should be refused", bad[i]);
    }
}

/* --- the filter of a machine --- */

static void filters_as_requests_do(void **state)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = read_cases("pkg/request_filters.json", &arena);
    (void)state;
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *one = wa_json_at(list, i), *r = wa_json_get(one, "request");
        WA_AUTO_CONTROL struct wa_control c;
        wa_control_init(&c);
        set_attributes(&c, wa_json_get(one, "entry"));
        struct wa_host_caps h = {
            .os = csv_of(wa_json_get(r, "target_os"), &arena),
            .os_version = csv_of(wa_json_get(r, "min_os_version"), &arena),
            .architecture = csv_of(wa_json_get(r, "architectures"), &arena),
            .locales = csv_of(wa_json_get(r, "locales"), &arena),
            .maturities = csv_of(wa_json_get(r, "maturities"), &arena),
            .now = "2026-12-01T12:00:00",
        };
        const char *why = "accepted";
        if (wa_host_accepts(&h, &c, &why) != wa_json_bool(wa_json_get(one, "match")))
            fail_msg("case %zu: %s", i, why);
    }
}

static void filters_as_hosts_do(void **state)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = read_cases("pkg/host_capabilities.json", &arena);
    (void)state;
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *one = wa_json_at(list, i), *r = wa_json_get(one, "capabilities");
        WA_AUTO_CONTROL struct wa_control c;
        struct wa_err err = WA_ERR_INIT;
        const char *now = csv_of(wa_json_get(one, "for_datetime"), &arena);
        wa_control_init(&c);
        set_attributes(&c, wa_json_get(one, "entry"));
        check_ok(wa_control_set(&c, WA_A_PACKAGE, text_at(one, "package"), &err), &err, "set");
        struct wa_host_caps h = {
            .os = csv_of(wa_json_get(r, "os"), &arena),
            .os_version = csv_of(wa_json_get(r, "os_version"), &arena),
            .architecture = csv_of(wa_json_get(r, "architecture"), &arena),
            .wapt_version = csv_of(wa_json_get(r, "wapt_version"), &arena),
            .locales = csv_of(wa_json_get(r, "packages_locales"), &arena),
            .maturities = csv_of(wa_json_get(r, "packages_maturities"), &arena),
            .blacklist = csv_of(wa_json_get(r, "packages_blacklist"), &arena),
            .whitelist = csv_of(wa_json_get(r, "packages_whitelist"), &arena),
        };
        if (h.locales == NULL)
            h.locales = "none"; /* there a machine without languages takes what is for any */
        (void)snprintf(h.now, sizeof h.now, "%s", now == NULL ? "" : now);
        const char *why = "accepted";
        if (wa_host_accepts(&h, &c, &why) != wa_json_bool(wa_json_get(one, "match")))
            fail_msg("case %zu: %s", i, why);
    }
}

/* --- order --- */

struct sorted {
    struct wa_control *items;
    size_t *order;
    size_t n;
};

static void load_entries(const struct wa_json *list, struct sorted *s)
{
    s->n = wa_json_count(list);
    s->items = wa_calloc(s->n, sizeof *s->items);
    s->order = wa_calloc(s->n, sizeof *s->order);
    assert_true(s->items != NULL && s->order != NULL);
    for (size_t i = 0; i < s->n; i++) {
        wa_control_init(&s->items[i]);
        set_attributes(&s->items[i], wa_json_at(list, i));
        s->order[i] = i;
    }
}

static void drop_entries(struct sorted *s)
{
    for (size_t i = 0; i < s->n; i++)
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

static void check_order(const struct sorted *s, const struct wa_json *want, const char *what)
{
    assert_int_equal(s->n, wa_json_count(want));
    for (size_t i = 0; i < s->n; i++) {
        int64_t id = -1;
        assert_true(wa_json_i64(wa_json_at(want, i), &id));
        if (id != (int64_t)s->order[i])
            fail_msg("%s: place %zu has entry %zu, wanted %d", what, i, s->order[i], (int)id);
    }
}

static void check_request_order(const struct wa_json *entries, const struct wa_json *one,
                                struct wa_arena *arena)
{
    const struct wa_json *r = wa_json_get(one, "request");
    struct wa_request request;
    struct wa_err err = WA_ERR_INIT;
    struct sorted all, s;
    struct wa_host_caps h = {
        .architecture = csv_of(wa_json_get(r, "architectures"), arena),
        .locales = csv_of(wa_json_get(r, "locales"), arena),
        .maturities = csv_of(wa_json_get(r, "maturities"), arena),
        .now = "2026-12-01T12:00:00",
    };
    load_entries(entries, &all);
    check_ok(wa_request_parse(text_at(r, "request"), &request, &err), &err, "request");
    s = all;
    s.n = 0;
    for (size_t i = 0; i < all.n; i++)
        if (wa_request_matches(&request, &all.items[i]) && wa_host_accepts(&h, &all.items[i], NULL))
            s.order[s.n++] = i;
    insertion_sort(&s, &h);
    check_order(&s, wa_json_get(one, "matching"), "candidates");
    drop_entries(&all);
}

static void sorts_as_wapt_does(void **state)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = read_cases("pkg/sorting.json", &arena);
    (void)state;
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *one = wa_json_at(list, i);
        const struct wa_json *requests = wa_json_get(one, "requests");
        struct sorted s;
        load_entries(wa_json_get(one, "entries"), &s);
        insertion_sort(&s, NULL);
        check_order(&s, wa_json_get(one, "sorted"), "entries");
        drop_entries(&s);
        for (size_t r = 0; r < wa_json_count(requests); r++)
            check_request_order(wa_json_get(one, "entries"), wa_json_at(requests, r), &arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_as_wapt_does),   cmocka_unit_test(reads_requirements),
        cmocka_unit_test(filters_as_requests_do), cmocka_unit_test(filters_as_hosts_do),
        cmocka_unit_test(sorts_as_wapt_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
