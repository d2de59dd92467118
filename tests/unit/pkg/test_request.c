/* Requirements as people write them. WAPT's answers: tests/vectors_check. */
#include "support.h"

#include "pkg/request.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_requirements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
