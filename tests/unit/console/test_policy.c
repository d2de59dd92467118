/* Groups and rules: what would never work is found in words, whatever else the repository has;
 * rules change by group and package, and nothing that nobody asked for. */
#include "torture.h"

#include "console/policy.h"

/* --- what is wrong with one --- */

static const struct {
    const char *package, *version, *depends, *conflicts;
} repository[] = {
    {"a", "1.0-1", "b(>=2)", ""},
    {"a", "2.0-1", "b", "rival"},
    {"b", "2.0-1", "", ""},
    {"rival", "1.0-1", "", ""},
    {"loop", "1.0-1", "grp", ""},
    {"deep", "1.0-1", "loop", ""},
    {"torn", "1.0-1", "not one(", ""},
    {"other", "1.0-1", "", "b(<2)"},
};
#define REPOSITORY WA_COUNT(repository)

static const struct {
    const char *depends, *conflicts, *rules, *expected; /* ! before what is an error */
} cases[] = {
    {"a,b", "", "", ""},
    {"b,other", "", "", ""}, /* it excludes another version */
    {"a(>=3)", "", "",
     "no version in the repository meets 'a(>=3)', the newest is 2.0-1; needed by: grp\n"},
    {"none", "", "", "'none' is not in the repository; needed by: grp\n"},
    {"torn", "", "", "'not one(' is not in the repository; needed by: grp > torn\n"},
    {"a,rival", "", "", "!'a' excludes 'rival', which is needed too: grp > rival; grp > a\n"},
    {"a", "b", "", "!'grp' excludes 'b', which is needed too: grp > a > b\n"},
    {"deep", "", "", "!it needs itself: grp > deep > loop > grp\n"},
    {"", "", "{\"team\":{\"a\":null,\"none\":null}}",
     "'none' is not in the repository; offered to 'team'\n"},
};

static enum wa_code entry(struct wa_control *c, const char *package, const char *version,
                          const char *depends, const char *conflicts, struct wa_err *err)
{
    wa_control_init(c);
    if (wa_control_set(c, WA_A_PACKAGE, wa_sv(package), err) != WA_OK ||
        wa_control_set(c, WA_A_VERSION, wa_sv(version), err) != WA_OK ||
        wa_control_set(c, WA_A_DEPENDS, wa_sv(depends), err) != WA_OK)
        return err->code;
    return wa_control_set(c, WA_A_CONFLICTS, wa_sv(conflicts), err);
}

static enum wa_code judge(size_t i, struct wa_buf *out, struct wa_err *err)
{
    struct wa_control all[REPOSITORY + 1];
    const struct wa_control *list[REPOSITORY + 1];
    struct wa_policy_problems problems = {.items = NULL};
    enum wa_code code = WA_OK;
    size_t n = 0;
    for (; n < REPOSITORY && code == WA_OK; n++)
        code = entry(&all[n], repository[n].package, repository[n].version, repository[n].depends,
                     repository[n].conflicts, err);
    if (code == WA_OK)
        code = entry(&all[n++], "grp", "1-1", cases[i].depends, cases[i].conflicts, err);
    for (size_t k = 0; k < n; k++)
        list[k] = &all[k];
    if (code == WA_OK)
        code = wa_policy_check(list, n, &all[n - 1], wa_sv(cases[i].rules), &problems, err);
    for (size_t k = 0; k < problems.n; k++)
        wa_buf_addf(out, "%s%s\n", problems.items[k].is_error ? "!" : "", problems.items[k].text);
    wa_policy_problems_fini(&problems);
    for (size_t k = 0; k < n; k++)
        wa_control_fini(&all[k]);
    return code == WA_OK ? wa_buf_check(out, err) : code;
}

static void tells_what_would_never_work(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf out;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&out, 8192);
        WA_ASSERT_OK(judge(i, &out, &err));
        assert_string_equal(wa_buf_str(&out), cases[i].expected);
    }
}

/* --- rules --- */

static const struct {
    const char *now, *add, *remove, *then, *changes;
    enum wa_code code;
} rules[] = {
    {"", "{\"team\":[\"a\",\"b\"]}", "", "{\"team\":{\"a\":null,\"b\":null}}", "+team:a +team:b ",
     WA_OK},
    {"{\"team\":[\"a\",\"b\"],\"staff\":[\"a\"]}", "", "{\"TEAM\":[\"a\"]}",
     "{\"team\":{\"b\":null},\"staff\":{\"a\":null}}", "-team:a ", WA_OK},
    {"{\"team\":[\"a\",\"b\"],\"staff\":[\"a\"]}", "{\"Staff\":[\"c\"]}", "{\"team\":[]}",
     "{\"staff\":{\"a\":null,\"c\":null}}", "-team:a -team:b +staff:c ", WA_OK},
    {"{\"team\":[\"a\"]}", "{\"team\":[\"a\"]}", "{\"other\":[]}", "{\"team\":{\"a\":null}}", "",
     WA_OK},
    {"{\"team\":{\"a\":1}}", "", "", "", "", WA_E_INVALID},
    {"", "{\"team\":[\"a*\"]}", "", "", "", WA_E_INVALID},
    {"", "", "[]", "", "", WA_E_INVALID},
};

static enum wa_code apply(size_t i, struct wa_buf *out, struct wa_err *err)
{
    struct wa_policy_rules r;
    wa_policy_rules_init(&r);
    enum wa_code code = wa_policy_rules_apply(wa_sv(rules[i].now), wa_sv(rules[i].add),
                                              wa_sv(rules[i].remove), &r, err);
    if (code == WA_OK) {
        wa_buf_addsv(out, wa_buf_sv(&r.text));
        wa_buf_addc(out, '|');
    }
    for (size_t k = 0; code == WA_OK && k < r.n; k++)
        wa_buf_addf(out, "%s%s:%s ", r.items[k].comes ? "+" : "-", r.items[k].group,
                    r.items[k].package);
    wa_policy_rules_fini(&r);
    return code == WA_OK ? wa_buf_check(out, err) : code;
}

static void changes_rules_that_are_named(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rules); i++) {
        WA_AUTO_BUF struct wa_buf out;
        WA_AUTO_BUF struct wa_buf expected;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&out, 8192);
        wa_buf_init(&expected, 8192);
        assert_int_equal(apply(i, &out, &err), rules[i].code);
        if (rules[i].code == WA_OK)
            wa_buf_addf(&expected, "%s|%s", rules[i].then, rules[i].changes);
        assert_string_equal(wa_buf_str(&out), wa_buf_str(&expected));
    }
}

/* --- memory --- */

static enum wa_code all_of_it(void *arg, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    WA_UNUSED(arg);
    wa_buf_init(&out, 8192);
    return judge(5, &out, err) == WA_OK ? apply(2, &out, err) : err->code;
}

static void survives_without_memory(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(all_of_it, NULL) > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_would_never_work),
        cmocka_unit_test(changes_rules_that_are_named),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
