/* Random bytes: never the same twice, in every form they are given in. */
#include "support.h"

#include "os/rand.h"

static void test_nothing_comes_twice(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    char one[65], other[65];
    WA_UNUSED(state);
    assert_ok(wa_rand_hex(one, 32, &err));
    assert_ok(wa_rand_hex(other, 32, &err));
    assert_int_equal(strspn(one, "0123456789abcdef"), 64);
    assert_string_not_equal(one, other);
    assert_ok(wa_rand_uuid(one, &err));
    assert_ok(wa_rand_uuid(other, &err));
    assert_int_equal(strlen(one), 36);
    assert_int_equal(one[14], '4');
    assert_non_null(strchr("89ab", one[19]));
    assert_string_not_equal(one, other);
}

/* Who knows the seed can choose keys that all land in one place. */
static void test_maps_for_foreign_keys_have_seeds_of_their_own(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_map one, other, fixed;
    WA_UNUSED(state);
    assert_ok(wa_rand_map(&one, &err));
    assert_ok(wa_rand_map(&other, &err));
    wa_map_init(&fixed, 0);
    assert_ok(wa_map_put(&one, WA_SV("key"), &one, NULL, &err));
    assert_ok(wa_map_put(&other, WA_SV("key"), &one, NULL, &err));
    assert_ok(wa_map_put(&fixed, WA_SV("key"), &one, NULL, &err));
    assert_true(one.items[0].hash != other.items[0].hash);
    assert_true(one.items[0].hash != fixed.items[0].hash);
    wa_map_fini(&one);
    wa_map_fini(&other);
    wa_map_fini(&fixed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_comes_twice),
        cmocka_unit_test(test_maps_for_foreign_keys_have_seeds_of_their_own),
    };
    return cmocka_run_group_tests_name("os/rand", tests, NULL, NULL);
}
