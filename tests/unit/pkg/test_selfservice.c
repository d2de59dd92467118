/* Rules of self-service packages: what counts as one, and how several add up. */
#include "support.h"

#include "pkg/selfservice.h"

static void test_rules_add_up(void **state)
{
    WA_AUTO_SELF_RULES struct wa_self_rules r;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    struct wa_jw w;
    const bool team[WA_SELF_GROUPS_MAX] = {true, false}, staff[WA_SELF_GROUPS_MAX] = {false, true},
               nobody[WA_SELF_GROUPS_MAX] = {false};
    WA_UNUSED(state);
    wa_buf_init(&text, 4096);
    check_ok(wa_self_rules_init(&r, &err), &err, "init");
    assert_false(wa_self_rules_allow(&r, team, WA_SV("tis-a")));
    check_ok(wa_self_rules_add(&r, WA_SV("{\"team\": {\"tis-a\": null}}"), &err), &err, "one");
    check_ok(
        wa_self_rules_add(&r, WA_SV("{\"TEAM\": [\"tis-b\"], \"staff\": {\"tis-a\": null}}"), &err),
        &err, "another");
    check_ok(wa_self_rules_add(&r, WA_SV("{}"), &err), &err, "none");
    assert_int_equal(r.group_count, 2);
    assert_true(wa_self_rules_allow(&r, team, WA_SV("tis-a")));
    assert_true(wa_self_rules_allow(&r, team, WA_SV("tis-b")));
    assert_true(wa_self_rules_allow(&r, staff, WA_SV("tis-a")));
    assert_false(wa_self_rules_allow(&r, staff, WA_SV("tis-b")));
    assert_false(wa_self_rules_allow(&r, nobody, WA_SV("tis-a")));
    assert_false(wa_self_rules_allow(&r, team, WA_SV("TIS-A")));
    assert_false(wa_self_rules_allow(&r, team, WA_SV("tis-a(=1)")));
    wa_jw_init(&w, &text);
    wa_self_rules_write(&r, &w);
    assert_string_equal(wa_buf_str(&text),
                        "{\"team\":{\"tis-a\":null,\"tis-b\":null},\"staff\":{\"tis-a\":null}}");
}

static void test_what_is_none_changes_nothing(void **state)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "null",
                                      "{\"team\": null}",
                                      "{\"team\": \"tis-a\"}",
                                      "{\"team\": {\"tis-a\": true}}",
                                      "{\"team\": {\"tis-a\": {\"until\": \"2026-01-01\"}}}",
                                      "{\"team\": [\"tis-a\", 1]}",
                                      "{\"team\": {\"\": null}}",
                                      "{\"team\": {\"tis-a(=1)\": null}}",
                                      "{\"team\": [\"tis-*\"]}",
                                      "{\"team\": [\"../x\"]}",
                                      "{\"\": [\"tis-a\"]}",
                                      "{\" team\": [\"tis-a\"]}",
                                      "{\"te\\u0000am\": [\"tis-a\"]}",
                                      "{\"ok\": [\"tis-x\"], \"team\": 1}",
                                      "{\"team\": [], \"team\": []}",
                                      "{\"team\": []} x"};
    WA_AUTO_SELF_RULES struct wa_self_rules r;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    check_ok(wa_self_rules_init(&r, &err), &err, "init");
    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        struct wa_err why = WA_ERR_INIT;
        if (wa_self_rules_add(&r, wa_sv(bad[i]), &why) != WA_E_INVALID)
            fail_msg("'%s' is taken: %s", bad[i], why.text);
        assert_int_equal(r.group_count, 0);
        assert_int_equal(r.packages.n, 0);
    }
}

static void test_limits(void **state)
{
    WA_AUTO_SELF_RULES struct wa_self_rules r;
    struct wa_err err = WA_ERR_INIT;
    char text[64];
    WA_UNUSED(state);
    check_ok(wa_self_rules_init(&r, &err), &err, "init");
    for (unsigned i = 0; i < WA_SELF_GROUPS_MAX; i++) {
        (void)snprintf(text, sizeof text, "{\"g%u\": [\"p%u\"]}", i, i);
        check_ok(wa_self_rules_add(&r, wa_sv(text), &err), &err, text);
    }
    assert_int_equal(wa_self_rules_add(&r, WA_SV("{\"more\": [\"p\"]}"), &err), WA_E_LIMIT);
    assert_int_equal(r.group_count, WA_SELF_GROUPS_MAX);
}

static void test_what_is_offered(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_self_is_offered("base"));
    assert_true(wa_self_is_offered("group"));
    assert_false(wa_self_is_offered("restricted"));
    assert_false(wa_self_is_offered("host"));
    assert_false(wa_self_is_offered("selfservice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_add_up),
        cmocka_unit_test(test_what_is_none_changes_nothing),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_what_is_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
