/* Wrong credentials are counted, whoever invents what names. */
#include "testlib.h"

#include "server/throttle.h"

static void test_address(void **state)
{
    static struct wa_throttle t;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    t = (struct wa_throttle){.seed = 1};
    for (unsigned i = 0; i < WA_THROTTLE_ADDRESS; i++)
        WA_ASSERT_OK(wa_throttle_begin(&t, "a", NULL, 100 + i, &err));
    WA_ASSERT_CODE(wa_throttle_begin(&t, "a", NULL, 110, &err), WA_E_BUSY);
    WA_ASSERT_OK(wa_throttle_begin(&t, "b", NULL, 110, &err));
    /* Asking while it must wait does not make it longer. */
    WA_ASSERT_CODE(wa_throttle_begin(&t, "a", NULL, 163, &err), WA_E_BUSY);
    WA_ASSERT_OK(wa_throttle_begin(&t, "a", NULL, 164, &err));
}

/* Each has all of its tries, whoever else was wrong meanwhile. */
static void test_nobody_pays_for_others(void **state)
{
    static struct wa_throttle t;
    struct wa_err err = WA_ERR_INIT;
    char name[32];
    WA_UNUSED(state);
    t = (struct wa_throttle){.seed = 6};
    for (unsigned tries = 0; tries <= WA_THROTTLE_ADDRESS; tries++)
        for (unsigned i = 0; i < 200; i++) {
            (void)snprintf(name, sizeof name, "a%u", i);
            WA_ASSERT_CODE(wa_throttle_begin(&t, name, NULL, 100, &err),
                           tries < WA_THROTTLE_ADDRESS ? WA_OK : WA_E_BUSY);
            wa_err_clear(&err);
        }
}

/* All at once: some share, and wait for one another; nobody has more tries than are his. */
static void test_more_than_there_are_counters(void **state)
{
    static struct wa_throttle t;
    struct wa_err err = WA_ERR_INIT;
    char name[32];
    unsigned let_in = 0;
    WA_UNUSED(state);
    t = (struct wa_throttle){.seed = 7};
    for (unsigned tries = 0; tries < 2 * WA_THROTTLE_ADDRESS; tries++)
        for (unsigned i = 0; i < 10000; i++) {
            (void)snprintf(name, sizeof name, "a%u", i);
            let_in += wa_throttle_begin(&t, name, NULL, 100, &err) == WA_OK;
            wa_err_clear(&err);
        }
    assert_in_range(let_in, 1, WA_COUNT(t.addresses) * WA_THROTTLE_ADDRESS);
}

static void test_at_the_same_time(void **state)
{
    static struct wa_throttle t;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    t = (struct wa_throttle){.seed = 2};
    for (unsigned i = 0; i < WA_THROTTLE_ADDRESS; i++)
        WA_ASSERT_OK(wa_throttle_begin(&t, "a", "u", 100, &err));
    WA_ASSERT_CODE(wa_throttle_begin(&t, "a", "u", 100, &err), WA_E_BUSY);
    wa_throttle_good(&t, "a", "u"); /* one of them was right */
    WA_ASSERT_OK(wa_throttle_begin(&t, "a", "u", 100, &err));
    WA_ASSERT_CODE(wa_throttle_begin(&t, "a", "u", 100, &err), WA_E_BUSY);
}

static void test_invented_names(void **state)
{
    static struct wa_throttle t;
    struct wa_err err = WA_ERR_INIT;
    char name[32];
    unsigned let_in = 0;
    WA_UNUSED(state);
    t = (struct wa_throttle){.seed = 3};
    for (unsigned i = 0; i < WA_THROTTLE_ADDRESS; i++)
        WA_ASSERT_OK(wa_throttle_begin(&t, "attacker", "admin", 100, &err));
    for (unsigned i = 0; i < 100000; i++) {
        (void)snprintf(name, sizeof name, "u%u", i);
        let_in += wa_throttle_begin(&t, "attacker", name, 101, &err) == WA_OK;
        wa_err_clear(&err);
    }
    assert_int_equal(let_in, 0);
}

static void test_known_place(void **state)
{
    static struct wa_throttle t;
    struct wa_err err = WA_ERR_INIT;
    char from[32];
    WA_UNUSED(state);
    t = (struct wa_throttle){.seed = 4};
    wa_throttle_good(&t, "office", "admin");
    for (unsigned i = 0; i < WA_THROTTLE_ACCOUNT; i++) {
        (void)snprintf(from, sizeof from, "bot%u", i);
        WA_ASSERT_OK(wa_throttle_begin(&t, from, "admin", 100, &err));
    }
    WA_ASSERT_CODE(wa_throttle_begin(&t, "cafe", "admin", 100, &err), WA_E_BUSY);
    WA_ASSERT_OK(wa_throttle_begin(&t, "office", "admin", 100, &err));
}

/* The clock was years ahead, and was set right: who was made to wait then does not wait for years.
 */
static void test_clock_set_back(void **state)
{
    static struct wa_throttle t;
    struct wa_err err = WA_ERR_INIT;
    const int64_t ahead = 4000000000, now = 1000000000;
    WA_UNUSED(state);
    t = (struct wa_throttle){.seed = 5};
    for (unsigned i = 0; i < WA_THROTTLE_ADDRESS; i++)
        WA_ASSERT_OK(wa_throttle_begin(&t, "a", "u", ahead, &err));
    WA_ASSERT_CODE(wa_throttle_begin(&t, "a", "u", ahead, &err), WA_E_BUSY);
    for (unsigned i = 0; i < WA_THROTTLE_ADDRESS; i++)
        WA_ASSERT_OK(wa_throttle_begin(&t, "a", "u", now, &err));
    WA_ASSERT_CODE(wa_throttle_begin(&t, "a", "u", now, &err), WA_E_BUSY); /* and it is counted */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_address),
                                       cmocka_unit_test(test_nobody_pays_for_others),
                                       cmocka_unit_test(test_more_than_there_are_counters),
                                       cmocka_unit_test(test_at_the_same_time),
                                       cmocka_unit_test(test_invented_names),
                                       cmocka_unit_test(test_known_place),
                                       cmocka_unit_test(test_clock_set_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
