/* What machines' own packages assign and exclude, changed: by name, and nothing that nobody asked
 * for. */
#include "torture.h"

#include "console/assign.h"

static const struct {
    const char *depends, *conflicts; /* of now */
    struct wa_assign_wish wish;
    enum wa_code code;
    const char *expected; /* depends|conflicts, then each row */
} cases[] = {
    {"", "", {"a,b(>=2)", NULL, NULL, NULL}, WA_OK, "a,b(>=2)| +a +b(>=2)"},
    {"a,b", "", {"a", NULL, NULL, NULL}, WA_OK, "a,b|"},
    {"a, b(=1) ,c", "", {"b(>=2)", "c", NULL, NULL}, WA_OK, "a,b(>=2)| -b(=1)+b(>=2) -c"},
    {"a(=1),a(=2),b", "", {NULL, "a,z", NULL, NULL}, WA_OK, "b| -a(=1) -a(=2)"},
    {"a", "x", {NULL, NULL, "y,y", "x"}, WA_OK, "a|y !-x !+y"},
    {"no requirement(,a", "", {"b", "a", NULL, NULL}, WA_OK, "no requirement(,b| -a +b"},
    {"", "a", {"a", NULL, NULL, NULL}, WA_E_CONFLICT, ""},
    {"a", "", {NULL, NULL, "a", NULL}, WA_E_CONFLICT, ""},
    {"", "a", {"a", NULL, NULL, "a"}, WA_OK, "a| +a !-a"}, /* it moves */
    {"", "a(<2)", {"a(>=2)", NULL, NULL, NULL}, WA_OK, "a(>=2)|a(<2) +a(>=2)"},
    {"b", "b", {"a", NULL, NULL, NULL}, WA_OK, "b,a|b +a"}, /* was so before */
};

static enum wa_code apply(size_t i, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_ASSIGN_DIFF struct wa_assign_diff d;
    wa_control_init(&c);
    wa_assign_diff_init(&d);
    if (wa_assign_new_host("machine", &c, err) != WA_OK ||
        wa_control_set(&c, WA_A_DEPENDS, wa_sv(cases[i].depends), err) != WA_OK ||
        wa_control_set(&c, WA_A_CONFLICTS, wa_sv(cases[i].conflicts), err) != WA_OK ||
        wa_assign_apply(&c, &cases[i].wish, &d, err) != WA_OK)
        return err->code;
    wa_buf_addf(out, "%s|%s", d.depends, d.conflicts);
    for (size_t k = 0; k < d.n; k++) {
        wa_buf_addf(out, " %s", d.items[k].is_conflict ? "!" : "");
        if (d.items[k].before != NULL)
            wa_buf_addf(out, "-%s", d.items[k].before);
        if (d.items[k].after != NULL)
            wa_buf_addf(out, "+%s", d.items[k].after);
    }
    return wa_buf_check(out, err);
}

static void changes_what_is_named(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf out;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&out, 4096);
        assert_int_equal(apply(i, &out, &err), cases[i].code);
        assert_string_equal(wa_buf_str(&out), cases[i].expected);
    }
}

static void refuses_what_makes_no_sense(void **state)
{
    static const struct wa_assign_wish wrong[] = {
        {"a", "a", NULL, NULL},      {NULL, NULL, "b(=1),a(>=2)", "a"}, {"a(", NULL, NULL, NULL},
        {NULL, "a(=1)", NULL, NULL}, {NULL, NULL, NULL, "a(>=)"},
    };
    static const struct wa_assign_wish right = {"a,b(=1)", "c", "c", "a"};
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_assign_check(&right, &err));
    for (size_t i = 0; i < WA_COUNT(wrong); i++) {
        WA_ASSERT_CODE(wa_assign_check(&wrong[i], &err), WA_E_USAGE);
        wa_err_clear(&err);
    }
}

static enum wa_code change_both(void *arg, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    WA_UNUSED(arg);
    wa_buf_init(&out, 4096);
    return apply(8, &out, err);
}

static void survives_without_memory(void **state)
{
    WA_UNUSED(state);
    (void)wa_torture(change_both, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_what_is_named),
        cmocka_unit_test(refuses_what_makes_no_sense),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
