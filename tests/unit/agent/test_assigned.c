/* The names of a machine's own packages, from what its organisation says of it (formats.md 2.7). */
#include "testlib.h"
#include "torture.h"

#include "agent/place.h"

static void names(const char *uuid, const char *profiles, const char *groups, const char *dn,
                  const char *expected)
{
    struct wa_arena WA_AUTO_ARENA arena;
    struct wa_buf WA_AUTO_BUF got;
    struct wa_assigned a;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_place place = {.dn = dn, .site = "", .groups = groups};
    wa_arena_init(&arena, WA_SCENE_BYTES_MAX);
    wa_buf_init(&got, 4096);
    WA_ASSERT_OK(wa_assigned_names(uuid, profiles, &place, &arena, &a, &err));
    for (size_t i = 0; i < a.n; i++)
        wa_buf_addf(&got, "%s%s", i > 0 ? " " : "", a.names[i]);
    assert_string_equal(wa_buf_str(&got), expected);
}

static void test_names(void **state)
{
    WA_UNUSED(state);
    names("", "", "", "", "");
    names("UUID-1", "", "", "", "UUID-1");
    names("U", "Sales Team, lab,Sales Team", "Domain Computers,lab", "",
          "U Sales~Team lab Domain~Computers");
    names("U", "", "", "CN=PC,OU=a,OU=b,DC=x,DC=y",
          "U OU=a_OU=b_DC=x_DC=y OU=b_DC=x_DC=y DC=x_DC=y");
    names("U", "", "", "cn=PC,ou=a b,dc=x,dc=y,dc=z", "U ou=a~b_dc=x_dc=y_dc=z dc=x_dc=y_dc=z");
    /* No domain; spaces between parts; an escaped comma ends no part; nonsense. */
    names("U", "", "", "CN=PC,OU=a", "U OU=a");
    names("U", "", "", "CN=P\\,C, OU=a ,O=b", "U OU=a~_O=b O=b");
    names("U", "", "", "CN=PC", "U");
    names("U", "/()", "", ",,,\\", "U __ _");
}

static void test_limit(void **state)
{
    static char csv[16 * (WA_ASSIGNED_MAX + 2)];
    struct wa_arena WA_AUTO_ARENA arena;
    struct wa_assigned a;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_place place = {.dn = "", .site = "", .groups = csv};
    size_t n = 0;
    WA_UNUSED(state);
    wa_arena_init(&arena, WA_SCENE_BYTES_MAX);
    for (unsigned i = 0; i < WA_ASSIGNED_MAX; i++)
        n += (size_t)snprintf(csv + n, sizeof csv - n, "g%u,", i);
    WA_ASSERT_OK(wa_assigned_names("", "", &place, &arena, &a, &err));
    assert_int_equal(a.n, WA_ASSIGNED_MAX);
    WA_ASSERT_CODE(wa_assigned_names("", "more", &place, &arena, &a, &err), WA_E_LIMIT);
}

static enum wa_code starve(void *arg, struct wa_err *err)
{
    struct wa_arena WA_AUTO_ARENA arena;
    struct wa_assigned a;
    const struct wa_place place = {.dn = "CN=PC,OU=a,DC=x,DC=y", .site = "", .groups = "g,h"};
    WA_UNUSED(arg);
    wa_arena_init(&arena, WA_SCENE_BYTES_MAX);
    enum wa_code code = wa_assigned_names("U", "p", &place, &arena, &a, err);
    if (code == WA_OK)
        assert_int_equal(a.n, 6);
    return code;
}

static void test_torture(void **state)
{
    WA_UNUSED(state);
    (void)wa_torture(starve, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
