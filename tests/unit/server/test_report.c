/* F1D in the store: a machine writes its own row, its own fields, once. */
#include "bench.h"

#include "os/clock.h"

/* A statement of any text, by m's key. */
static int say(struct pair *p, const struct machine *m, const char *text)
{
    struct wa_buf body;
    machine_seal(m, wa_sv(text), &body);
    int status = bench_ask(&p->b, "POST", "/agent/v1/report", "", "", wa_buf_sv(&body), NULL);
    wa_buf_fini(&body);
    return status;
}

static int say_status(struct pair *p, const struct machine *m, const char *uuid, int64_t seq,
                      int64_t time, const char *more)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"purpose\":\"wapt-status\",\"uuid\":\"%s\",\"seq\":%lld,\"time\":%lld%s}",
                   uuid, (long long)seq, (long long)time, more);
    return say(p, m, text);
}

static void test_own_row(void **state)
{
    struct pair *p = *state;
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 200);
    BENCH_IS(&p->b, "SELECT status FROM hosts WHERE uuid = 'machine'", "OK");
    BENCH_IS(&p->b, "SELECT status FROM hosts WHERE uuid = 'other'", "");
    /* Another's row, with one's own key or with the other's statement altered. */
    assert_int_equal(say_status(p, &p->m, "other", 100, wa_clock_now(), ",\"host_status\":\"X\""),
                     401);
    assert_int_equal(say_status(p, &p->m, "unknown", 100, wa_clock_now(), ""), 401);
    BENCH_IS(&p->b, "SELECT status FROM hosts WHERE uuid = 'other'", "");
}

static void test_sequence(void **state)
{
    static const struct {
        int64_t seq;
        int status;
    } steps[] = {{10, 200}, {10, 409}, {9, 409},    {-1, 400},
                 {0, 400},  {11, 200}, {1000, 200}, {999, 409}};
    struct pair *p = *state;
    for (size_t i = 0; i < WA_COUNT(steps); i++) {
        int got = say_status(p, &p->m, "machine", steps[i].seq, wa_clock_now(), "");
        if (got != steps[i].status && !(steps[i].status == 400 && got == 409))
            fail_msg("step %zu: %d", i, got);
    }
}

static void test_time(void **state)
{
    static const struct {
        int64_t off;
        int status;
    } cases[] = {{0, 200},      {WA_REPORT_SKEW_S - 5, 200},  {5 - WA_REPORT_SKEW_S, 200},
                 {86400, 409},  {WA_REPORT_SKEW_S + 60, 409}, {-WA_REPORT_SKEW_S - 60, 409},
                 {-86400, 409}, {INT64_MAX / 2, 409}};
    struct pair *p = *state;
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        assert_int_equal(
            say_status(p, &p->m, "machine", 100 + (int64_t)i, wa_clock_now() + cases[i].off, ""),
            cases[i].status);
}

/* Times that no clock shows: the distance to now is no number of ours. */
static void test_times_without_end(void **state)
{
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 0, INT64_MAX - 1, INT64_MAX};
    struct pair *p = *state;
    for (size_t i = 0; i < WA_COUNT(times); i++)
        assert_int_equal(say_status(p, &p->m, "machine", 100 + (int64_t)i, times[i], ""), 409);
    BENCH_IS(&p->b, "SELECT last_seq FROM presence WHERE uuid = 'machine'", "1");
}

/* What the server decides about a machine is not the machine's to say. */
static void test_own_fields(void **state)
{
    static const char *const more[] = {",\"certificate\":\"x\"",
                                       ",\"registered_by\":\"me\"",
                                       ",\"reachable\":true",
                                       ",\"last_seq\":1",
                                       ",\"is_admin\":true",
                                       ",\"host_status\":\"A\",\"host_status\":\"B\"",
                                       ",\"\":1"};
    struct pair *p = *state;
    for (size_t i = 0; i < WA_COUNT(more); i++)
        assert_int_equal(say_status(p, &p->m, "machine", 100 + (int64_t)i, wa_clock_now(), more[i]),
                         400);
    BENCH_IS(&p->b, "SELECT last_seq FROM presence WHERE uuid = 'machine'", "1");
}

static void test_purpose(void **state)
{
    static const char *const purposes[] = {"wapt-hello", "wapt-register", "wapt-action", "", "x"};
    struct pair *p = *state;
    for (size_t i = 0; i < WA_COUNT(purposes); i++) {
        char text[256];
        (void)snprintf(text, sizeof text,
                       "{\"purpose\":\"%s\",\"uuid\":\"machine\",\"seq\":50,\"time\":%lld}",
                       purposes[i], (long long)wa_clock_now());
        assert_int_equal(say(p, &p->m, text), 403);
    }
}

static void test_wrong_key(void **state)
{
    struct pair *p = *state;
    assert_int_equal(say_status(p, &p->other, "machine", 100, wa_clock_now(), ""), 401);
    BENCH_IS(&p->b, "SELECT last_seq FROM presence WHERE uuid = 'machine'", "1");
}

static const char *const action_id = "0123456789abcdef0123456789abcdef";

static void add_action(struct pair *p, const char *uuid, const char *state)
{
    struct wa_err err = WA_ERR_INIT;
    bench_exec(&p->b, "DELETE FROM actions");
    WA_ASSERT_OK(wa_store_add_action(p->b.store->db, action_id, "batch", uuid, "update",
                                     WA_SV("{}"), 0, INT64_MAX, "signer", 1, &err));
    struct wa_stmt *s;
    WA_ASSERT_OK(wa_db_prepare(p->b.store->db, "UPDATE actions SET state = ?", &s, &err));
    wa_bind_s(s, 0, state);
    WA_ASSERT_OK(wa_run(s, &err));
}

static void test_results(void **state)
{
    static const struct {
        const char *from, *said, *becomes;
    } cases[] = {{"delivered", "running", "running"},
                 {"delivered", "done", "done"},
                 {"running", "failed", "failed"},
                 {"sent", "refused", "refused"},
                 {"delivered", "cancelled", "cancelled"},
                 {"done", "failed", "done"},
                 {"done", "refused", "done"},
                 {"refused", "done", "done"},
                 {"failed", "running", "failed"},
                 {"cancelled", "done", "cancelled"}};
    struct pair *p = *state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        add_action(p, "machine", cases[i].from);
        assert_int_equal(machine_result(&p->b, &p->m, action_id, cases[i].said, "ok", "text"), 200);
        BENCH_IS(&p->b, "SELECT state FROM actions", cases[i].becomes);
    }
    add_action(p, "machine", "sent");
    assert_int_equal(machine_result(&p->b, &p->m, action_id, "refused", "refused", "because"), 200);
    BENCH_IS(&p->b, "SELECT code || ':' || message FROM actions", "refused:because");
}

/* A roll-out's that waits for what is in use: told anew when something has changed, noted once. */
static void test_postponed(void **state)
{
    struct pair *p = *state;
    add_action(p, "machine", "delivered");
    assert_int_equal(machine_result(&p->b, &p->m, action_id, "postponed", "busy", "2 put off"),
                     200);
    BENCH_IS(&p->b, "SELECT state || ':' || code || ':' || message FROM actions",
             "postponed:busy:2 put off");
    assert_int_equal(machine_result(&p->b, &p->m, action_id, "postponed", "busy", "1 put off"),
                     200);
    BENCH_IS(&p->b, "SELECT state || ':' || message FROM actions", "postponed:1 put off");
    assert_int_equal(machine_result(&p->b, &p->m, action_id, "refused", "refused", "replay"), 200);
    assert_int_equal(machine_result(&p->b, &p->m, action_id, "running", "ok", ""), 200);
    BENCH_IS(&p->b, "SELECT state || ':' || message FROM actions", "postponed:1 put off");
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM journal WHERE entry LIKE '%action.result%'", "1");
    assert_int_equal(machine_result(&p->b, &p->m, action_id, "done", "ok", "2 done"), 200);
    assert_int_equal(machine_result(&p->b, &p->m, action_id, "postponed", "busy", "late"), 200);
    BENCH_IS(&p->b, "SELECT state || ':' || message FROM actions", "done:2 done");
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM journal WHERE entry LIKE '%action.result%'", "2");
}

/* A copy was refused, another one was good: the machine's later word counts, and both are told. */
static void test_done_after_refused(void **state)
{
    struct pair *p = *state;
    add_action(p, "machine", "sent");
    assert_int_equal(machine_result(&p->b, &p->m, action_id, "refused", "refused", "clock"), 200);
    assert_int_equal(machine_result(&p->b, &p->m, action_id, "running", "ok", ""), 200);
    BENCH_IS(&p->b, "SELECT state FROM actions", "refused");
    assert_int_equal(machine_result(&p->b, &p->m, action_id, "done", "ok", "1 done"), 200);
    BENCH_IS(&p->b, "SELECT state || ':' || code || ':' || message FROM actions", "done:ok:1 done");
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(machine_result(&p->b, &p->m, action_id, "refused", "refused", ""), 200);
    BENCH_IS(&p->b, "SELECT state || ':' || code || ':' || message FROM actions", "done:ok:1 done");
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM journal WHERE entry LIKE '%action.result%'", "2");
    /* What only the server decides is no machine's to say. */
    add_action(p, "machine", "sent");
    assert_int_not_equal(machine_result(&p->b, &p->m, action_id, "queued", "ok", ""), 200);
    BENCH_IS(&p->b, "SELECT state FROM actions", "sent");
}

static void test_result_of_another_machine(void **state)
{
    struct pair *p = *state;
    add_action(p, "other", "delivered");
    assert_int_equal(machine_result(&p->b, &p->m, action_id, "done", "ok", ""), 200);
    BENCH_IS(&p->b, "SELECT state FROM actions", "delivered");
    assert_int_equal(machine_result(&p->b, &p->other, action_id, "done", "ok", ""), 200);
    BENCH_IS(&p->b, "SELECT state FROM actions", "done");
}

static int say_leave(struct pair *p, const char *uuid, int64_t seq, int64_t time, const char *more)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"purpose\":\"wapt-leave\",\"uuid\":\"%s\",\"seq\":%lld,\"time\":%lld%s}",
                   uuid, (long long)seq, (long long)time, more);
    return say(p, &p->m, text);
}

/* A machine takes away its own row, once, and no other. */
static void test_leave(void **state)
{
    struct pair *p = *state;
    int64_t now = wa_clock_now();
    assert_int_not_equal(say_leave(p, "other", 50, now, ""), 200); /* with one's own key */
    assert_int_not_equal(say_leave(p, "nobody", 50, now, ""), 200);
    assert_int_not_equal(say_leave(p, "machine", 1, now, ""), 200); /* said before */
    assert_int_not_equal(say_leave(p, "machine", 50, now - 2 * WA_REPORT_SKEW_S, ""), 200);
    assert_int_not_equal(say_leave(p, "machine", 50, now, ",\"status_hashes\":{}"), 200);
    BENCH_IS(&p->b, "SELECT count(*) FROM hosts", "2");
    assert_int_equal(say_leave(p, "machine", 50, now, ""), 200);
    assert_int_equal(say_leave(p, "machine", 51, now, ""), 401);
    BENCH_IS(&p->b, "SELECT min(uuid) || max(uuid) FROM hosts", "otherother");
    BENCH_IS(&p->b, "SELECT count(*) FROM journal WHERE entry LIKE '%host.left%machine%'", "1");
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 401);
    assert_int_equal(machine_register(&p->b, &p->m, WA_CRED_TOKEN, "t"), 200);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, pair_setup, pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_own_row),
        TEST(test_sequence),
        TEST(test_time),
        TEST(test_times_without_end),
        TEST(test_own_fields),
        TEST(test_purpose),
        TEST(test_wrong_key),
        TEST(test_results),
        TEST(test_postponed),
        TEST(test_done_after_refused),
        TEST(test_result_of_another_machine),
        TEST(test_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
