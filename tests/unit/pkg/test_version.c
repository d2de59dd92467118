/* The three comparisons against what WAPT itself said of 1,821 pairs, and the syntax of versions.
 */
#include "support.h"

#include "pkg/version.h"

static void entry(struct wa_control *c, struct wa_sv version)
{
    struct wa_err err = WA_ERR_INIT;
    wa_control_init(c);
    check_ok(wa_control_set(c, WA_A_PACKAGE, WA_SV("p"), &err), &err, "set");
    check_ok(wa_control_set(c, WA_A_VERSION, version, &err), &err, "set");
}

/* Characters beyond ASCII are digits or letters to Python as Unicode says; to us they are letters.
 */
static bool is_ascii(struct wa_sv s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

static void check_int(const struct wa_json *want, int got, const char *which, struct wa_sv a,
                      struct wa_sv b)
{
    int64_t n = 0;
    if (!is_ascii(a) || !is_ascii(b))
        return; /* here it only must not harm */
    assert_true(wa_json_i64(want, &n));
    if (n != sign_of(got))
        fail_msg("%s of '%.*s' and '%.*s': got %d, wanted %d", which, WA_SV_ARG(a), WA_SV_ARG(b),
                 sign_of(got), (int)n);
}

static void compare(const char *file)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = read_cases(file, &arena);
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *c = wa_json_at(list, i);
        const struct wa_json *b_want = wa_json_get(c, "PackageVersion");
        struct wa_sv a = text_at(c, "a"), b = text_at(c, "b");
        struct wa_err err = WA_ERR_INIT;
        struct wa_control x, y;
        int got = 0;
        check_int(wa_json_get(c, "Version"), wa_version_cmp(a, b, 0), "A", a, b);
        enum wa_code code = wa_pkgversion_cmp(a, b, &got, &err);
        if (wa_json_is(b_want, WA_JSON_STRING)) { /* an exception there */
            if (is_ascii(a) && is_ascii(b) && code != WA_E_INVALID)
                fail_msg("B of '%.*s' and '%.*s' should be refused", WA_SV_ARG(a), WA_SV_ARG(b));
        } else {
            check_ok(code, &err, "B");
            check_int(b_want, got, "B", a, b);
        }
        entry(&x, a);
        entry(&y, b);
        check_int(wa_json_get(c, "entry_vs_entry"), wa_entry_cmp(&x, &y), "C", a, b);
        check_int(wa_json_get(c, "entry_vs_entry"), -wa_entry_cmp(&y, &x), "C turned", a, b);
        wa_control_fini(&x);
        wa_control_fini(&y);
    }
}

static void compares_as_wapt_does(void **state)
{
    (void)state;
    compare("pkg/vercmp.json");
    compare("made/vercmp.json");
}

static void knows_the_syntax(void **state)
{
    static const char *const good[] = {"1",       "1.2",         "1.2.3",  "1.2.3.4",
                                       "0",       "1.2-3",       "1-a",    "1.2.3.4-5",
                                       "1-1.2.a", "01.002-0003", "1.0-rc1"};
    static const char *const bad[] = {"",     "v1",   "1.",  "1..2",    "1.2.3.4.5",
                                      "1.2-", "1-a.", "1 ",  "1.2-3-4", "1.2-_",
                                      "1,2",  "-1",   "1.a", "1\n",     "1.2-\xc3\xa9"};
    (void)state;
    for (size_t i = 0; i < WA_COUNT(good); i++)
        if (!wa_pkgversion_is_valid(wa_sv(good[i])))
            fail_msg("'%s' should be valid", good[i]);
    for (size_t i = 0; i < WA_COUNT(bad); i++)
        if (wa_pkgversion_is_valid(wa_sv(bad[i])))
            fail_msg("'%s' should not be valid", bad[i]);
}

static void increments_the_last_number(void **state)
{
    static const char *const cases[][2] = {
        {"1", "2"},
        {"1.2", "1.3"},
        {"1.2.3", "1.2.4"},
        {"1.2-3", "1.2-4"},
        {"1.2.3.4", "1.2.3.5"},
        {"1.2-a", "1.3-a"},
        {"1-9", "1-10"},
        {"1.0-1.2", "1.1-1.2"},
        {"9", "10"},
        {"", NULL},
        {"1.99999999999999999999-a", NULL},
        {"x", NULL},
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        char out[WA_NAME_MAX + 1] = "untouched";
        struct wa_err err = WA_ERR_INIT;
        enum wa_code code = wa_pkgversion_increment(wa_sv(cases[i][0]), out, &err);
        if (cases[i][1] == NULL) {
            assert_int_not_equal(code, WA_OK);
            assert_string_equal(out, "untouched");
            continue;
        }
        check_ok(code, &err, cases[i][0]);
        assert_string_equal(out, cases[i][1]);
    }
}

static void takes_what_is_absurd(void **state)
{
    char digits[9000], out[WA_NAME_MAX + 1];
    struct wa_err err = WA_ERR_INIT;
    int got = 0;
    (void)state;
    memset(digits, '9', sizeof digits);
    struct wa_sv longest = wa_sv_n(digits, sizeof digits);
    assert_int_equal(wa_version_cmp(longest, longest, 4), 0);
    assert_true(wa_version_cmp(wa_sv_sub(longest, 0, 8000), longest, 0) < 0);
    assert_int_equal(wa_pkgversion_cmp(longest, WA_SV("1-2"), &got, &err), WA_OK);
    assert_true(got > 0);
    assert_int_not_equal(wa_pkgversion_increment(longest, out, &err), WA_OK);
    assert_int_equal(wa_version_cmp(wa_sv(NULL), wa_sv(NULL), 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_as_wapt_does),
        cmocka_unit_test(knows_the_syntax),
        cmocka_unit_test(increments_the_last_number),
        cmocka_unit_test(takes_what_is_absurd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
