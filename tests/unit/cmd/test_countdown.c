/* The countdown of waptexit, with a clock and keys that are given. */
#include "testlib.h"

#include "cmd/exit_countdown.h"

static void test_by_itself(void **state)
{
    struct wa_countdown c;
    WA_UNUSED(state);
    wa_countdown_start(&c, 1000, 10000, UINT64_MAX, true);
    assert_int_equal(wa_countdown_left_s(&c, 1000), 10);
    assert_int_equal(wa_countdown_left_s(&c, 1001), 10); /* the begun one too */
    assert_int_equal(wa_countdown_left_s(&c, 10000), 1);
    assert_int_equal(wa_countdown_turn(&c, 10999), WA_CHOICE_NONE);
    assert_int_equal(wa_countdown_left_s(&c, 10999), 1);
    assert_int_equal(wa_countdown_turn(&c, 11000), WA_CHOICE_UPGRADE);
    assert_int_equal(wa_countdown_left_s(&c, 11000), 0);
    wa_countdown_start(&c, 1000, 0, UINT64_MAX, true); /* no countdown */
    assert_int_equal(wa_countdown_turn(&c, 1000), WA_CHOICE_UPGRADE);
    wa_countdown_start(&c, UINT64_MAX - 5, 10000, UINT64_MAX, true); /* does not wrap */
    assert_int_equal(wa_countdown_turn(&c, UINT64_MAX - 1), WA_CHOICE_NONE);
}

static void test_keys(void **state)
{
    static const struct {
        const char *keys;
        enum wa_choice allowed, forbidden;
    } cases[] = {
        {"uU\r\n", WA_CHOICE_UPGRADE, WA_CHOICE_UPGRADE},
        {"nN\x03", WA_CHOICE_NOT_NOW, WA_CHOICE_NONE},
        {"sS dDxq1\x1b[A\x7f", WA_CHOICE_NONE, WA_CHOICE_NONE},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        for (const char *k = cases[i].keys; *k != '\0'; k++) {
            struct wa_countdown c;
            wa_countdown_start(&c, 0, 10000, UINT64_MAX, true);
            assert_int_equal(wa_countdown_key(&c, 1, *k), cases[i].allowed);
            wa_countdown_start(&c, 0, 10000, UINT64_MAX, false);
            assert_int_equal(wa_countdown_key(&c, 1, *k), cases[i].forbidden);
        }
}

static void test_stopped(void **state)
{
    struct wa_countdown c;
    WA_UNUSED(state);
    wa_countdown_start(&c, 0, 10000, UINT64_MAX, true);
    assert_int_equal(wa_countdown_key(&c, 5000, 's'), WA_CHOICE_NONE);
    assert_true(c.is_stopped);
    assert_int_equal(wa_countdown_turn(&c, UINT64_MAX - 1), WA_CHOICE_NONE);
    assert_int_equal(wa_countdown_left_s(&c, 20000), 0); /* not counted */
    assert_int_equal(wa_countdown_key(&c, 20000, 'u'), WA_CHOICE_UPGRADE);
    /* Where a shutdown waits it goes on, and can't be stopped for ever by stopping it again. */
    wa_countdown_start(&c, 0, 10000, 300000, true);
    assert_int_equal(wa_countdown_key(&c, 5000, ' '), WA_CHOICE_NONE);
    assert_int_equal(wa_countdown_key(&c, 200000, 's'), WA_CHOICE_NONE);
    assert_int_equal(wa_countdown_turn(&c, 304999), WA_CHOICE_NONE);
    assert_int_equal(wa_countdown_turn(&c, 305000), WA_CHOICE_UPGRADE);
}

static void test_details(void **state)
{
    struct wa_countdown c;
    WA_UNUSED(state);
    wa_countdown_start(&c, 0, 10000, UINT64_MAX, true);
    assert_false(c.shows_all);
    (void)wa_countdown_key(&c, 1, 'd');
    assert_true(c.shows_all);
    (void)wa_countdown_key(&c, 2, 'D');
    assert_false(c.shows_all);
    assert_int_equal(wa_countdown_turn(&c, 9999), WA_CHOICE_NONE); /* the time is as it was */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_itself),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_details),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
