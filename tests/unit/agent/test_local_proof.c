/* What is remembered of passwords: where a proven one holds, and how long wrong ones make one wait.
 */
#include "testlib.h"

#include "agent/local_proof.h"
#include "os/proc.h"

#define ALICE 1001u
#define BOB 1002u

/* The session of this very test, which is there. */
static struct wa_session here(void)
{
    const struct wa_peer self = {.uid = wa_proc_own_uid(), .pid = wa_proc_own_pid()};
    struct wa_session s;
    assert_true(wa_local_session(&self, &s));
    return s;
}

static void test_a_grace_is_of_one_user_in_one_session(void **state)
{
    struct wa_proofs p = {.graces = {{.until_ms = 0}}};
    const struct wa_session mine = here();
    const struct wa_session other = {mine.id + 1, mine.started},
                            again = {mine.id, mine.started + 1};
    WA_UNUSED(state);
    assert_false(wa_proofs_hold(&p, ALICE, &mine, 5));
    wa_proofs_give(&p, ALICE, &mine, 10, 100);
    assert_true(wa_proofs_hold(&p, ALICE, &mine, 99));
    assert_false(wa_proofs_hold(&p, ALICE, &mine, 100));
    assert_false(wa_proofs_hold(&p, BOB, &mine, 50));
    assert_false(wa_proofs_hold(&p, ALICE, &other, 50));
    assert_false(wa_proofs_hold(&p, ALICE, &again, 50)); /* the number is another session's now */
    wa_proofs_give(&p, ALICE, &mine, 150, 200);
    assert_true(wa_proofs_hold(&p, ALICE, &mine, 160));
    wa_proofs_drop(&p, ALICE);
    assert_false(wa_proofs_hold(&p, ALICE, &mine, 160));
    wa_proofs_give(&p, ALICE, &mine, 300, 300); /* auth_grace = 0 */
    wa_proofs_give(&p, ALICE, NULL, 300, 400);
    assert_false(wa_proofs_hold(&p, ALICE, &mine, 300));
}

static void test_a_session_that_has_ended_has_none(void **state)
{
    struct wa_proofs p = {.graces = {{.until_ms = 0}}};
    const struct wa_session gone = {INT32_MAX, 1};
    WA_UNUSED(state);
    wa_proofs_give(&p, ALICE, &gone, 10, 100);
    assert_false(wa_proofs_hold(&p, ALICE, &gone, 20));
}

static void test_wrong_ones_wait_ever_longer(void **state)
{
    struct wa_proofs p = {.graces = {{.until_ms = 0}}};
    const struct wa_session mine = here();
    uint64_t now = 1000, last = 0;
    WA_UNUSED(state);
    wa_proofs_give(&p, ALICE, &mine, now, now + 100000);
    for (unsigned i = 1; i < WA_LOCAL_TRIES_MAX; i++) {
        wa_proofs_failed(&p, ALICE, now);
        assert_int_equal(wa_proofs_wait_ms(&p, ALICE, now), 0);
    }
    assert_false(wa_proofs_hold(&p, ALICE, &mine, now)); /* somebody guesses */
    for (unsigned i = 0; i < 40; i++) {
        wa_proofs_failed(&p, ALICE, now);
        uint64_t wait = wa_proofs_wait_ms(&p, ALICE, now);
        assert_true(wait > last || wait == WA_LOCAL_DELAY_MAX_MS);
        assert_int_equal(wa_proofs_wait_ms(&p, BOB, now), 0);
        last = wait;
        now += wait;
        assert_int_equal(wa_proofs_wait_ms(&p, ALICE, now), 0);
    }
    wa_proofs_give(&p, ALICE, &mine, now, now + 1); /* the right one: all is forgotten */
    wa_proofs_failed(&p, ALICE, now);
    assert_int_equal(wa_proofs_wait_ms(&p, ALICE, now), 0);
    now += 2 * WA_LOCAL_DELAY_MAX_MS;
    for (unsigned i = 1; i < WA_LOCAL_TRIES_MAX; i++) /* as it is after a while */
        wa_proofs_failed(&p, ALICE, now);
    assert_int_equal(wa_proofs_wait_ms(&p, ALICE, now), 0);
}

/* More users than places: what is oldest goes, nothing else breaks. */
static void test_many_users(void **state)
{
    struct wa_proofs p = {.graces = {{.until_ms = 0}}};
    const struct wa_session mine = here();
    WA_UNUSED(state);
    for (uint32_t uid = 1; uid <= 4 * WA_LOCAL_GRACES; uid++) {
        wa_proofs_give(&p, uid, &mine, uid, 1000000 + uid);
        for (unsigned i = 0; i <= WA_LOCAL_TRIES_MAX; i++)
            wa_proofs_failed(&p, 100000 + uid, uid);
    }
    assert_true(wa_proofs_hold(&p, 4 * WA_LOCAL_GRACES, &mine, 500000));
    assert_false(wa_proofs_hold(&p, 1, &mine, 500000));
    assert_true(wa_proofs_wait_ms(&p, 100000 + 4 * WA_LOCAL_GRACES, 4 * WA_LOCAL_GRACES) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_grace_is_of_one_user_in_one_session),
        cmocka_unit_test(test_a_session_that_has_ended_has_none),
        cmocka_unit_test(test_wrong_ones_wait_ever_longer),
        cmocka_unit_test(test_many_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
