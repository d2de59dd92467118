/* What is said together is durable together, and answered after that; and machines that say that
 * nothing has changed. */
#include "bench.h"

#include "os/clock.h"
#include "server/store_check.h"

/* What the machine of this name says, signed by m. */
static void seal(const char *uuid, const struct machine *m, int64_t seq, const char *status,
                 struct wa_buf *body)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"purpose\":\"wapt-status\",\"uuid\":\"%s\",\"seq\":%lld,\"time\":%lld,"
                   "\"host_status\":\"%s\"}",
                   uuid, (long long)seq, (long long)wa_clock_now(), status);
    machine_seal(m, wa_sv(text), body);
}

/* A report that the front has passed on and that nobody has answered. */
static uint32_t pass(struct pair *p, const struct wa_buf *body)
{
    static uint32_t id = 70000;
    struct wa_buf request;
    wa_buf_init(&request, 1u << 20);
    wa_buf_adds(&request, "{\"method\":\"POST\",\"path\":\"/agent/v1/report\",\"query\":\"\","
                          "\"bearer\":\"\",\"peer\":\"10.0.0.1\"}\n");
    wa_buf_addsv(&request, wa_buf_sv(body));
    bench_send(&p->b, WA_S_REQUEST, ++id, wa_buf_sv(&request));
    wa_buf_fini(&request);
    return id;
}

static uint32_t report(struct pair *p, struct machine *m, const char *status)
{
    struct wa_buf body;
    seal(m->uuid, m, ++m->seq, status, &body);
    uint32_t id = pass(p, &body);
    wa_buf_fini(&body);
    return id;
}

static bool is_answered(struct pair *p, uint32_t id, int expected)
{
    int status = 0;
    if (!bench_serve(&p->b, id, &status, NULL))
        return false;
    assert_int_equal(status, expected);
    return true;
}

static const char *shown(const struct pair *p, const char *uuid)
{
    return wa_fleet_get(p->b.store->fleet, wa_sv(uuid))->status;
}

static void answers_wait_for_the_commit(void **state)
{
    struct pair *p = *state;
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
    struct pair *p = *state;
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

/* What came of what was passed on from first on; each is answered once. */
static void answers(struct pair *p, uint32_t first, size_t n, int *statuses)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_chan_msg msg;
    size_t left = n;
    memset(statuses, 0, n * sizeof *statuses);
    for (int turns = 0; left > 0 && turns < 10000; turns++) {
        WA_ASSERT_OK(wa_loop_turn(p->b.store->loop, 10, &err));
        while (wa_chan_recv(p->b.front, 0, &msg, &err) == WA_OK) {
            size_t i = msg.id - first;
            assert_true(i < n && statuses[i] == 0);
            assert_int_equal(sscanf(msg.payload.p, "{\"status\":%d", &statuses[i]), 1);
            left--;
        }
        wa_err_clear(&err);
    }
    assert_int_equal(left, 0);
}

/* The same report a hundred times at once: threads find each good, and one is taken. */
static void replays_at_once(void **state)
{
    enum { N = 100 };
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    int statuses[N];
    struct wa_buf body;
    WA_ASSERT_OK(wa_store_checks_start(p->b.store, &err));
    for (int with_group = 0; with_group < 2; with_group++) {
        size_t taken = 0;
        if (with_group)
            WA_ASSERT_OK(wa_store_group_start(p->b.store, &err));
        seal("machine", &p->m, ++p->m.seq, "OK", &body);
        uint32_t first = pass(p, &body);
        for (size_t i = 1; i < N; i++)
            (void)pass(p, &body);
        answers(p, first, N, statuses);
        for (size_t i = 0; i < N; i++) {
            taken += statuses[i] == 200;
            assert_true(statuses[i] == 200 || statuses[i] == 409);
        }
        assert_int_equal(taken, 1);
        wa_buf_fini(&body);
    }
}

/* Each in the other's name, among honest ones; and one whose certificate becomes another's while
 * its report is on its way. */
static void nobody_speaks_for_another(void **state)
{
    enum { N = 60 };
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    int statuses[N];
    uint32_t first = 0;
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 200);
    assert_int_equal(machine_status(&p->b, &p->other, "OK"), 200); /* both are remembered */
    WA_ASSERT_OK(wa_store_checks_start(p->b.store, &err));
    for (size_t i = 0; i < N; i++) {
        struct wa_buf body;
        bool is_honest = i % 3 == 0;
        seal("machine", is_honest ? &p->m : &p->other, p->m.seq + 1 + (int64_t)i,
             is_honest ? "OK" : "FORGED", &body);
        uint32_t id = pass(p, &body);
        first = i == 0 ? id : first;
        wa_buf_fini(&body);
    }
    answers(p, first, N, statuses);
    for (size_t i = 0; i < N; i++)
        assert_true(i % 3 == 0 ? statuses[i] == 200 || statuses[i] == 409 : statuses[i] == 401);
    BENCH_IS(&p->b, "SELECT status FROM hosts WHERE uuid = 'machine'", "OK");
    BENCH_IS(&p->b, "SELECT count(*) FROM presence WHERE uuid = 'machine' AND last_seq > 2", "1");
    p->m.seq += N;
    uint32_t id = report(p, &p->m, "TOO LATE"); /* read by a thread in the loop's next turn */
    bench_exec(&p->b, "UPDATE hosts SET certificate = (SELECT certificate FROM hosts WHERE uuid = "
                      "'other') WHERE uuid = 'machine'");
    answers(p, id, 1, statuses);
    assert_int_equal(statuses[0], 401);
    BENCH_IS(&p->b, "SELECT status FROM hosts WHERE uuid = 'machine'", "OK");
}

/* What is large is read by a thread of its own, one after the other, and small ones besides. */
static void large_ones_in_line(void **state)
{
    enum { N = 30 };
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    int statuses[N];
    uint32_t first = 0;
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 200);
    WA_ASSERT_OK(wa_store_checks_start(p->b.store, &err));
    for (size_t i = 0; i < N; i++) {
        WA_AUTO_BUF struct wa_buf text;
        struct wa_buf body;
        struct machine *m = i % 3 == 2 ? &p->other : &p->m;
        wa_buf_init(&text, 1u << 20);
        wa_buf_addf(&text,
                    "{\"purpose\":\"wapt-status\",\"uuid\":\"%s\",\"seq\":%lld,\"time\":%lld,"
                    "\"host_status\":\"%zu\",\"installed_softwares\":[",
                    m->uuid, (long long)++m->seq, (long long)wa_clock_now(), i);
        for (unsigned k = 0; m == &p->m && k < 5000; k++)
            wa_buf_addf(&text, "%s{\"name\":\"some software\"}", k > 0 ? "," : "");
        wa_buf_adds(&text, "]}");
        machine_seal(m, wa_buf_sv(&text), &body);
        uint32_t id = pass(p, &body);
        first = i == 0 ? id : first;
        wa_buf_fini(&body);
    }
    answers(p, first, N, statuses);
    for (size_t i = 0; i < N; i++) /* small ones may pass one another */
        assert_true(statuses[i] == 200 || (i % 3 == 2 && statuses[i] == 409));
    BENCH_IS(&p->b, "SELECT status FROM hosts WHERE uuid = 'machine'", "28");
    BENCH_IS(&p->b, "SELECT status FROM hosts WHERE uuid = 'other'", "29");
}

/* Who ends the store waits for its threads: what they read is judged, and answered. */
static void an_end_in_between(void **state)
{
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    int status = 0;
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 200);
    WA_ASSERT_OK(wa_store_checks_start(p->b.store, &err));
    uint32_t id = report(p, &p->m, "ERROR");
    for (int i = 0; i < 3; i++)
        WA_ASSERT_OK(wa_loop_turn(p->b.store->loop, 10, &err));
    uint32_t waits = report(p, &p->m, "NEVER READ");
    wa_store_checks_end(p->b.store);
    assert_true(bench_serve(&p->b, id, &status, NULL));
    assert_int_equal(status, 200);
    assert_false(bench_serve(&p->b, waits, &status, NULL));
    BENCH_IS(&p->b, "SELECT status FROM hosts WHERE uuid = 'machine'", "ERROR");
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 200); /* as before it had threads */
}

static void say_same(struct pair *p, uint32_t conn, const char *sum)
{
    int status = 0;
    p->b.known_to = 0;
    bench_send(&p->b, WA_S_SAME, conn, wa_sv(sum));
    (void)bench_serve(&p->b, 0, &status, NULL);
}

static void sum_of(const struct pair *p, char sum[65])
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_section_digests have;
    WA_ASSERT_OK(wa_store_known(p->b.store->db, WA_SV("machine"), &have, &err));
    WA_ASSERT_OK(wa_section_digests_sum(&have, sum, &err));
}

static void nothing_has_changed(void **state)
{
    struct pair *p = *state;
    char sum[65], seen[32];
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 200);
    sum_of(p, sum);
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

/* A front answers for a state until it is told that it is another one: before the machine is. */
static void what_a_front_may_answer_itself(void **state)
{
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    int status = 0;
    char sum[65];
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 200);
    sum_of(p, sum);
    assert_int_equal(machine_greet(&p->b, &p->m, 7), 200);
    say_same(p, 7, sum);
    assert_true(p->b.is_known && p->b.may_remember);
    /* What was said on one connection says nothing on the machine's next. */
    assert_int_equal(machine_greet(&p->b, &p->m, 9), 200);
    assert_int_equal(p->b.closed_last, 7);
    say_same(p, 7, sum);
    assert_int_equal(p->b.known_to, 0);
    say_same(p, 9, sum);
    assert_true(p->b.is_known && p->b.may_remember);
    assert_int_equal(p->b.changed, 0);
    /* Registering anew with the same key says what the machine is. */
    assert_int_equal(machine_register(&p->b, &p->m, WA_CRED_KEY, ""), 200);
    assert_int_equal(p->b.changed, 1);
    p->b.changed = 0;
    sum_of(p, sum);
    say_same(p, 9, sum);
    assert_true(p->b.is_known && p->b.may_remember);
    WA_ASSERT_OK(wa_store_group_start(p->b.store, &err));
    /* What is reported, and not committed yet: told at once, the report's answer still waits. */
    uint32_t id = report(p, &p->m, "ERROR");
    assert_false(bench_serve(&p->b, id, &status, NULL));
    assert_int_equal(p->b.changed, 1);
    sum_of(p, sum);
    say_same(p, 9, sum);
    assert_int_equal(p->b.known_to, 0); /* nor is the new state told to be known before that */
    WA_ASSERT_OK(wa_store_flush(p->b.store, &err));
    assert_true(is_answered(p, id, 200));
    assert_int_equal(p->b.known_to, 9);
    assert_true(p->b.is_known && !p->b.may_remember);
    say_same(p, 9, sum);
    assert_true(p->b.is_known && p->b.may_remember);
    /* A front can say of its own connections that they have spoken, and of nothing else. */
    int64_t before = wa_fleet_get(p->b.store->fleet, WA_SV("other"))->last_seen;
    const uint32_t seen[] = {9, 8, 4000000000u};
    bench_exec(&p->b, "UPDATE presence SET last_seen = 1");
    bench_send(&p->b, WA_S_SEEN, 0, wa_sv_n((const char *)seen, sizeof seen - 1));
    (void)bench_serve(&p->b, 0, &status, NULL);
    wa_store_write_seen(p->b.store, wa_clock_now() + 3600);
    BENCH_IS(&p->b, "SELECT uuid FROM presence WHERE last_seen > 1", "machine");
    BENCH_IS(&p->b, "SELECT count(*) FROM presence WHERE last_seen > 1", "1");
    assert_int_equal(wa_fleet_get(p->b.store->fleet, WA_SV("other"))->last_seen, before);
}

/* The new state was to be known by a commit that failed. */
static void a_state_that_was_not_kept(void **state)
{
    struct pair *p = *state;
    struct wa_err err = WA_ERR_INIT;
    int status = 0;
    char old[65], sum[65];
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 200);
    sum_of(p, old);
    assert_int_equal(machine_greet(&p->b, &p->m, 7), 200);
    say_same(p, 7, old);
    WA_ASSERT_OK(wa_store_group_start(p->b.store, &err));
    uint32_t id = report(p, &p->m, "ERROR");
    (void)bench_serve(&p->b, id, &status, NULL);
    sum_of(p, sum);
    say_same(p, 7, sum);
    bench_exec(&p->b, "ROLLBACK"); /* as a full disk does */
    WA_ASSERT_CODE(wa_store_flush(p->b.store, &err), WA_E_UNREACHABLE);
    assert_true(is_answered(p, id, 503));
    assert_int_equal(p->b.known_to, 7);
    assert_false(p->b.is_known);
    say_same(p, 7, sum);
    assert_false(p->b.is_known);
    say_same(p, 7, old);
    assert_true(p->b.is_known && p->b.may_remember);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_wait_for_the_commit, pair_setup, pair_teardown),
        cmocka_unit_test_setup_teardown(a_commit_that_fails, pair_setup, pair_teardown),
        cmocka_unit_test_setup_teardown(replays_at_once, pair_setup, pair_teardown),
        cmocka_unit_test_setup_teardown(nobody_speaks_for_another, pair_setup, pair_teardown),
        cmocka_unit_test_setup_teardown(large_ones_in_line, pair_setup, pair_teardown),
        cmocka_unit_test_setup_teardown(an_end_in_between, pair_setup, pair_teardown),
        cmocka_unit_test_setup_teardown(nothing_has_changed, pair_setup, pair_teardown),
        cmocka_unit_test_setup_teardown(what_a_front_may_answer_itself, pair_setup, pair_teardown),
        cmocka_unit_test_setup_teardown(a_state_that_was_not_kept, pair_setup, pair_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
