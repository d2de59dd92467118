/* What machines' own packages assign and exclude, changed: by name, and nothing that nobody asked
 * for. */
#include "torture.h"

#include "console/assign.h"

static const struct {
    const char *depends, *conflicts; /* of now */
    struct wa_assign_wish wish;
    enum wa_code code;
    const char *expected; /* depends|conflicts, then each row */
    const char *held, *windows;
} cases[] = {
    {"", "", {.add = "a,b(>=2)"}, WA_OK, "a,b(>=2)| +a +b(>=2)", "", ""},
    {"a,b", "", {.add = "a"}, WA_OK, "a,b|", "", ""},
    {"a, b(=1) ,c",
     "",
     {.add = "b(>=2)", .remove = "c"},
     WA_OK,
     "a,b(>=2)| -b(=1)+b(>=2) -c",
     "",
     ""},
    {"a(=1),a(=2),b", "", {.remove = "a,z"}, WA_OK, "b| -a(=1) -a(=2)", "", ""},
    {"a", "x", {.add_conflicts = "y,y", .remove_conflicts = "x"}, WA_OK, "a|y !-x !+y", "", ""},
    {"no requirement(,a",
     "",
     {.add = "b", .remove = "a"},
     WA_OK,
     "no requirement(,b| -a +b",
     "",
     ""},
    {"", "a", {.add = "a"}, WA_E_CONFLICT, "", "", ""},
    {"a", "", {.add_conflicts = "a"}, WA_E_CONFLICT, "", "", ""},
    {"", "a", {.add = "a", .remove_conflicts = "a"}, WA_OK, "a| +a !-a", "", ""}, /* it moves */
    {"", "a(<2)", {.add = "a(>=2)"}, WA_OK, "a(>=2)|a(<2) +a(>=2)", "", ""},
    {"b", "b", {.add = "a"}, WA_OK, "b,a|b +a", "", ""}, /* was so before */
    {"",
     "",
     {.hold = "a(>=2) until 2026-12-31,c", .unhold = "b"},
     WA_OK,
     "| h-a+a(>=2) until 2026-12-31 h-b(>=1) until 2027-01-01 h+c h=a(>=2) until "
     "2026-12-31,keep(<3),c",
     "a,b(>=1) until 2027-01-01,keep(<3)",
     ""},
    {"a", "", {.hold = "a"}, WA_OK, "a| h+a h=a", "", ""}, /* what is assigned may be held */
    {"",
     "",
     {.windows = "mon 01:00-02:00", .freezes = "2026-12-24"},
     WA_OK,
     "| w-sun 01:00-02:00+mon 01:00-02:00 f+2026-12-24 h=",
     "",
     "sun 01:00-02:00"},
    {"", "", {.windows = ""}, WA_OK, "| w-sun 01:00-02:00 h=", "", "sun 01:00-02:00"},
    {"", "", {.windows = "sun 01:00-02:00", .freezes = ""}, WA_OK, "|", "", "sun 01:00-02:00"},
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
        wa_control_set(&c, WA_A_PACKAGES_HELD, wa_sv(cases[i].held), err) != WA_OK ||
        wa_control_set(&c, WA_A_MAINTENANCE_WINDOWS, wa_sv(cases[i].windows), err) != WA_OK ||
        wa_assign_apply(&c, &cases[i].wish, &d, err) != WA_OK)
        return err->code;
    bool has_own = false;
    wa_buf_addf(out, "%s|%s", d.lists[WA_ASSIGN_DEPENDS], d.lists[WA_ASSIGN_CONFLICTS]);
    for (size_t k = 0; k < d.n; k++) {
        static const char *const signs[WA_ASSIGN_LISTS] = {"", "!", "h", "w", "f"};
        has_own = has_own || d.items[k].list > WA_ASSIGN_CONFLICTS;
        wa_buf_addf(out, " %s", signs[d.items[k].list]);
        if (d.items[k].before != NULL)
            wa_buf_addf(out, "-%s", d.items[k].before);
        if (d.items[k].after != NULL)
            wa_buf_addf(out, "+%s", d.items[k].after);
    }
    if (has_own)
        wa_buf_addf(out, " h=%s", d.lists[WA_ASSIGN_HELD]);
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
    static const struct {
        struct wa_assign_wish wish;
        enum wa_code code;
    } wrong[] = {
        {{.add = "a", .remove = "a"}, WA_E_USAGE},
        {{.add_conflicts = "b(=1),a(>=2)", .remove_conflicts = "a"}, WA_E_USAGE},
        {{.add = "a("}, WA_E_USAGE},
        {{.add = "a until 2026-12-31"}, WA_E_USAGE},
        {{.remove = "a(=1)"}, WA_E_USAGE},
        {{.remove_conflicts = "a(>=)"}, WA_E_USAGE},
        {{.hold = "a until 2026-12-31", .unhold = "a"}, WA_E_USAGE},
        {{.hold = "a until soon"}, WA_E_INVALID},
        {{.hold = "a until "}, WA_E_INVALID},
        {{.windows = "mon 25:00-26:00"}, WA_E_INVALID},
        {{.freezes = "mon"}, WA_E_INVALID},
    };
    static const struct wa_assign_wish right = {.add = "a,b(=1)",
                                                .remove = "c",
                                                .add_conflicts = "c",
                                                .remove_conflicts = "a",
                                                .hold = "a(>=2) until 2026-12-31",
                                                .windows = "mon-fri 19:00-06:00"};
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_assign_check(&right, &err));
    for (size_t i = 0; i < WA_COUNT(wrong); i++) {
        WA_ASSERT_CODE(wa_assign_check(&wrong[i].wish, &err), wrong[i].code);
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
