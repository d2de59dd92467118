/* Addresses that are preferred for a while. */
#include "server/guests.h"

#include "torture.h"

static void the_newest_are_kept(void **state)
{
    struct wa_guests g = {.items = {{.until_s = 0}}};
    char peer[64];
    WA_UNUSED(state);
    assert_false(wa_guests_has(&g, "", 0)); /* an empty place is nobody's */
    assert_false(wa_guests_has(&g, "10.0.0.1", 0));
    wa_guests_add(&g, WA_SV("10.0.0.1"), 100);
    assert_true(wa_guests_has(&g, "10.0.0.1", 99));
    assert_false(wa_guests_has(&g, "10.0.0.1", 100));
    assert_false(wa_guests_has(&g, "10.0.0.10", 50));
    for (int i = 0; i < (int)WA_COUNT(g.items); i++) {
        (void)snprintf(peer, sizeof peer, "10.1.0.%d", i);
        wa_guests_add(&g, wa_sv(peer), 200 + i);
    }
    assert_false(wa_guests_has(&g, "10.0.0.1", 50)); /* the oldest has gone */
    assert_true(wa_guests_has(&g, "10.1.0.0", 150));
    wa_guests_add(&g, WA_SV("10.1.0.0"), 500); /* once, however often it is named */
    assert_true(wa_guests_has(&g, "10.1.0.0", 499) && wa_guests_has(&g, "10.1.0.1", 200));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_newest_are_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
