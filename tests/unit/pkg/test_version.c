/* The syntax of versions. The comparisons against WAPT's answers: tests/vectors_check. */
#include "support.h"

#include "pkg/version.h"

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
        cmocka_unit_test(knows_the_syntax),
        cmocka_unit_test(increments_the_last_number),
        cmocka_unit_test(takes_what_is_absurd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
