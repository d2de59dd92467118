/* The repository's timestamp through the store: looked for, stamped, put; again when something
 * changed meanwhile; and what fails is tried again.
 */
#include "bench.h"

#define H32 "0123456789abcdef0123456789abcdef"
#define H64 H32 H32
#define TO_STAMP                                                                                   \
    "{\"code\":\"ok\",\"message\":\"\",\"file\":\"\",\"text\":\"{\\\"repository\\\":\\\"" H32      \
    "\\\",\\\"version\\\":3,\\\"length\\\":5,\\\"sha256\\\":\\\"" H64 "\\\",\\\"hours\\\":24}\"}"
#define NOTHING "{\"code\":\"ok\",\"message\":\"\",\"file\":\"\",\"text\":\"\"}"
#define REFUSED "{\"code\":\"refused\",\"message\":\"no\",\"file\":\"\",\"text\":\"\"}"

/* Serves one round as scan would: answers the question, then the stamp. */
static void serve(struct bench *b, const char *answer)
{
    int status = 0;
    b->scan_answer = answer;
    b->scan_asked[0] = '\0';
    assert_false(bench_serve(b, 9999, &status, NULL));
}

static void test_nothing_to_stamp(void **state)
{
    struct bench *b = *state;
    wa_store_stamp(b->store, false);
    assert_true(b->store->is_stamping);
    serve(b, NOTHING);
    assert_non_null(strstr(b->scan_asked, "\"op\":\"to-stamp\""));
    assert_false(b->store->is_stamping);
    /* looked at a moment ago: only somebody who knows of a change looks again */
    wa_store_stamp(b->store, false);
    assert_false(b->store->is_stamping);
    wa_store_stamp(b->store, true);
    assert_true(b->store->is_stamping);
    serve(b, NOTHING);
    assert_false(b->store->is_stamping);
}

static void test_stamped(void **state)
{
    struct bench *b = *state;
    wa_store_stamp(b->store, true);
    /* the question is answered with what is to be stamped, and so is the stamp itself: one round */
    serve(b, TO_STAMP);
    assert_non_null(strstr(b->scan_asked, "\"op\":\"stamp\""));
    assert_non_null(strstr(b->scan_asked, "wapt-repo-timestamp"));
    assert_non_null(strstr(b->scan_asked, H64));
    assert_false(b->store->is_stamping);
}

/* What changes while a round is under way may be what the round did not see. */
static void test_changed_meanwhile(void **state)
{
    struct bench *b = *state;
    wa_store_stamp(b->store, true);
    wa_store_stamp(b->store, true);
    wa_store_stamp(b->store, false); /* the clock takes nothing away */
    assert_true(b->store->stamp_again);
    b->store->stamped_ms = 1; /* another round sets it anew */
    serve(b, TO_STAMP);
    assert_true(b->store->stamped_ms > 1);
    assert_false(b->store->is_stamping || b->store->stamp_again);
    wa_store_stamp(b->store, true);
    assert_false(b->store->stamp_again);
    serve(b, NOTHING);
}

static void test_failures_end_the_round(void **state)
{
    static const char *const answers[] = {
        REFUSED, "", "{", "[]",
        "{\"code\":\"ok\",\"message\":\"\",\"file\":\"\",\"text\":\"\",\"text\":\"x\"}"};
    struct bench *b = *state;
    for (size_t i = 0; i < WA_COUNT(answers); i++) {
        wa_store_stamp(b->store, true);
        wa_store_stamp(b->store, true);
        serve(b, answers[i]);
        assert_false(b->store->is_stamping || b->store->stamp_again);
    }
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    bench_new(b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    bench_free(*state);
    free(*state);
    return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_nothing_to_stamp), TEST(test_stamped),
                                       TEST(test_changed_meanwhile),
                                       TEST(test_failures_end_the_round)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
