/* What is said together is durable together, and answered after that; and machines that say that
 * nothing has changed. */
#include "bench.h"

#include "os/clock.h"

struct place {
    struct bench b;
    struct machine m, other;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    bench_new(&p->b);
    bench_token(&p->b, "t", wa_clock_now() + 3600, 9);
    machine_new(&p->m, "machine");
    machine_new(&p->other, "other");
    assert_int_equal(machine_register(&p->b, &p->m, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(machine_register(&p->b, &p->other, WA_CRED_TOKEN, "t"), 200);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    machine_free(&p->m);
    machine_free(&p->other);
    bench_free(&p->b);
    free(p);
    return 0;
}

/* A report that the front has passed on and that nobody has answered. */
static uint32_t report(struct place *p, struct machine *m, const char *status)
{
    static uint32_t id = 70000;
    char text[512];
    struct wa_buf body, request;
    (void)snprintf(text, sizeof text,
                   "{\"purpose\":\"wapt-status\",\"uuid\":\"%s\",\"seq\":%lld,\"time\":%lld,"
                   "\"host_status\":\"%s\"}",
                   m->uuid, (long long)++m->seq, (long long)wa_clock_now(), status);
    machine_seal(m, wa_sv(text), &body);
    wa_buf_init(&request, 1u << 20);
    wa_buf_adds(&request, "{\"method\":\"POST\",\"path\":\"/agent/v1/report\",\"query\":\"\","
                          "\"bearer\":\"\",\"peer\":\"10.0.0.1\"}\n");
    wa_buf_addsv(&request, wa_buf_sv(&body));
    bench_send(&p->b, WA_S_REQUEST, ++id, wa_buf_sv(&request));
    wa_buf_fini(&request);
    wa_buf_fini(&body);
    return id;
}

static bool is_answered(struct place *p, uint32_t id, int expected)
{
    int status = 0;
    if (!bench_serve(&p->b, id, &status, NULL))
        return false;
    assert_int_equal(status, expected);
    return true;
}

static const char *shown(const struct place *p, const char *uuid)
{
    return wa_fleet_get(p->b.store->fleet, wa_sv(uuid))->status;
}

static void answers_wait_for_the_commit(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_store_group_start(p->b.store, &err));
    uint32_t first = report(p, &p->m, "OK"), second = report(p, &p->other, "ERROR");
    assert_false(is_answered(p, first, 0));
    WA_ASSERT_OK(wa_store_flush(p->b.store, &err));
    int status = 0; /* both come at once */
    assert_true(bench_serve(&p->b, second, &status, NULL));
    assert_int_equal(status, 200);
    BENCH_IS(&p->b, "SELECT status FROM hosts WHERE uuid = 'machine'", "OK");
    /* One that fails takes the others with it as little as it would alone. */
    p->m.seq--;
    first = report(p, &p->m, "REPLAYED");
    second = report(p, &p->other, "OK");
    WA_ASSERT_OK(wa_store_flush(p->b.store, &err));
    assert_true(bench_serve(&p->b, second, &status, NULL));
    assert_int_equal(status, 200);
    BENCH_IS(&p->b, "SELECT status FROM hosts WHERE uuid = 'machine'", "OK");
    BENCH_IS(&p->b, "SELECT status FROM hosts WHERE uuid = 'other'", "OK");
    /* The loop's clock does it, too. */
    first = report(p, &p->m, "ERROR");
    for (int i = 0; i < 1000 && p->b.store->is_gathering; i++)
        WA_ASSERT_OK(wa_loop_turn(p->b.store->loop, 10, &err));
    assert_true(is_answered(p, first, 200));
}

static void a_commit_that_fails(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 200);
    WA_ASSERT_OK(wa_store_group_start(p->b.store, &err));
    uint32_t id = report(p, &p->m, "ERROR");
    bench_exec(&p->b, "ROLLBACK"); /* as a full disk does */
    WA_ASSERT_CODE(wa_store_flush(p->b.store, &err), WA_E_UNREACHABLE);
    assert_true(is_answered(p, id, 503));
    assert_string_equal(shown(p, "machine"), "ERROR"); /* for a moment */
    WA_ASSERT_OK(wa_store_refresh(p->b.store, &err));
    assert_string_equal(shown(p, "machine"), "OK");
    BENCH_IS(&p->b, "SELECT status FROM hosts WHERE uuid = 'machine'", "OK");
}

static void say_same(struct place *p, uint32_t conn, const char *sum)
{
    int status = 0;
    p->b.known_to = 0;
    bench_send(&p->b, WA_S_SAME, conn, wa_sv(sum));
    (void)bench_serve(&p->b, 0, &status, NULL);
}

static void nothing_has_changed(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_section_digests have;
    char sum[65], seen[32];
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 200);
    WA_ASSERT_OK(wa_store_known(p->b.store->db, WA_SV("machine"), &have, &err));
    WA_ASSERT_OK(wa_section_digests_sum(&have, sum, &err));
    say_same(p, 7, sum); /* nobody greeted there */
    assert_int_equal(p->b.known_to, 0);
    assert_int_equal(machine_greet(&p->b, &p->m, 7), 200);
    for (int i = 0; i < 3; i++) {
        say_same(p, 7, sum);
        assert_int_equal(p->b.known_to, 7);
        assert_true(p->b.is_known);
    }
    say_same(p, 7, "another");
    assert_false(p->b.is_known);
    say_same(p, 7, sum);
    assert_true(p->b.is_known);
    assert_int_equal(machine_status(&p->b, &p->m, "ERROR"), 200);
    say_same(p, 7, sum);
    assert_false(p->b.is_known); /* it is another state by now */
    /* When it said so is written, later and in bulk. */
    bench_exec(&p->b, "UPDATE presence SET last_seen = 1 WHERE uuid = 'machine'");
    wa_store_write_seen(p->b.store, wa_clock_now());
    bench_query(&p->b, "SELECT last_seen FROM presence WHERE uuid = 'machine'", seen, sizeof seen);
    assert_true(strlen(seen) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_wait_for_the_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_commit_that_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_has_changed, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
