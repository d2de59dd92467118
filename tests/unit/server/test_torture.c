/* Memory runs out in the store at each allocation in turn: an answer that says so or none, never
 * half a registration, never a block left behind. */
#include "bench.h"

#include "os/clock.h"

static enum wa_code outcome(int status, struct wa_err *err)
{
    return status == 200 ? WA_OK : wa_nomem(err);
}

static enum wa_code registers(void *arg, struct wa_err *err)
{
    struct bench b;
    const struct machine *m = arg;
    struct machine copy = machine_again(m);
    wa_torture_pause();
    bench_new(&b);
    bench_token(&b, "t", wa_clock_now() + 3600, 2);
    b.is_tortured = true;
    int status = machine_register(&b, &copy, WA_CRED_TOKEN, "t");
    b.is_tortured = false;
    char hosts[16], uses[16], sections[16];
    bench_query(&b, "SELECT count(*) FROM hosts", hosts, sizeof hosts);
    bench_query(&b, "SELECT uses FROM tokens", uses, sizeof uses);
    bench_query(&b, "SELECT count(*) FROM sections", sections, sizeof sections);
    assert_string_equal(hosts, sections);
    assert_string_equal(uses, hosts[0] == '1' ? "1" : "2");
    assert_true(status != 200 || hosts[0] == '1');
    wa_buf_fini(&copy.answer);
    bench_free(&b);
    wa_torture_resume();
    return outcome(status, err);
}

static enum wa_code reports(void *arg, struct wa_err *err)
{
    struct bench b;
    const struct machine *m = arg;
    struct machine copy = machine_again(m);
    wa_torture_pause();
    bench_new(&b);
    bench_token(&b, "t", wa_clock_now() + 3600, 2);
    assert_int_equal(machine_register(&b, &copy, WA_CRED_TOKEN, "t"), 200);
    b.is_tortured = true;
    int status = machine_status(&b, &copy, "OK");
    b.is_tortured = false;
    char seq[16], text[16];
    bench_query(&b, "SELECT last_seq FROM presence", seq, sizeof seq);
    bench_query(&b, "SELECT status FROM hosts", text, sizeof text);
    assert_string_equal(text, seq[0] == '2' ? "OK" : "");
    assert_true(status != 200 || seq[0] == '2');
    wa_buf_fini(&copy.answer);
    bench_free(&b);
    wa_torture_resume();
    return outcome(status, err);
}

static enum wa_code logs_in(void *arg, struct wa_err *err)
{
    struct bench b;
    char token[65];
    WA_UNUSED(arg);
    wa_torture_pause();
    bench_new(&b);
    b.is_tortured = true;
    int status = bench_login(&b, "10.0.0.1", "admin", BENCH_PASSWORD, token);
    b.is_tortured = false;
    bench_free(&b);
    wa_torture_resume();
    return outcome(status, err);
}

/* Whatever fails on the way, the order is there and reaches the machine in the end, or was refused
 * whole. */
static enum wa_code orders(void *arg, struct wa_err *err)
{
    struct bench b;
    struct machine copy = machine_again(arg);
    const char *uuid = copy.uuid;
    char token[65], ids[1][33], state[32];
    struct wa_buf body;
    struct person p;
    wa_torture_pause();
    bench_new(&b);
    bench_token(&b, "t", wa_clock_now() + 3600, 2);
    assert_int_equal(machine_register(&b, &copy, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(bench_login(&b, "10.0.0.1", "admin", BENCH_PASSWORD, token), 200);
    assert_int_equal(machine_greet(&b, &copy, 5), 200);
    person_new(&b, &p, true);
    person_order(&p, &uuid, 1, ids, &body);
    b.is_tortured = true;
    int status = bench_ask(&b, "POST", "/api/v1/actions", "", token, wa_buf_sv(&body), NULL);
    b.is_tortured = false;
    bench_query(&b, "SELECT state FROM actions", state, sizeof state);
    assert_true(status != 200 || state[0] != '\0');
    if (strcmp(state, "queued") == 0 || b.store->owes_requeue ||
        b.store->owes_dispatch) { /* the clock, with memory */
        wa_store_dispatch_due(b.store);
        assert_false(bench_serve(&b, UINT32_MAX, &status, NULL));
        status = 503;
        bench_query(&b, "SELECT state FROM actions", state, sizeof state);
    }
    if (state[0] != 0 && (strcmp(state, "sent") != 0 || b.orders == 0))
        fail_msg("state %s orders %zu status %d owes %d", state, b.orders, status,
                 b.store->owes_requeue);
    wa_buf_fini(&body);
    person_free(&p);
    wa_buf_fini(&copy.answer);
    bench_free(&b);
    wa_torture_resume();
    return outcome(status, err);
}

/* An upload is announced and finished: it is published, or can be asked for again. */
static enum wa_code uploads(void *arg, struct wa_err *err)
{
    struct bench b;
    char token[65], state[32];
    WA_UNUSED(arg);
    wa_torture_pause();
    bench_new(&b);
    assert_int_equal(bench_login(&b, "10.0.0.1", "admin", BENCH_PASSWORD, token), 200);
    b.is_tortured = true;
    int status = bench_publish(&b, token, NULL, NULL);
    b.is_tortured = false;
    bench_query(&b, "SELECT state FROM uploads", state, sizeof state);
    /* That it was published may not have been noted: then finishing again tells it. */
    assert_true(status != 200 || strcmp(state, "published") == 0 || strcmp(state, "open") == 0);
    assert_null(b.store->scannings);
    b.store->unnoted =
        0; /* the repository has it, and there was no memory for the entry: is told */
    bench_free(&b);
    wa_torture_resume();
    return outcome(status, err);
}

static void test_upload(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(uploads, NULL) > 20);
}

static void test_register(void **state)
{
    struct machine m;
    WA_UNUSED(state);
    machine_new(&m, "machine");
    assert_true(wa_torture(registers, &m) > 20);
    machine_free(&m);
}

static void test_report(void **state)
{
    struct machine m;
    WA_UNUSED(state);
    machine_new(&m, "machine");
    assert_true(wa_torture(reports, &m) > 20);
    machine_free(&m);
}

static void test_login(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(logs_in, NULL) > 10);
}

static void test_orders(void **state)
{
    struct machine m;
    WA_UNUSED(state);
    machine_new(&m, "machine");
    assert_true(wa_torture(orders, &m) > 50);
    machine_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_register), cmocka_unit_test(test_report),
        cmocka_unit_test(test_login), cmocka_unit_test(test_orders), cmocka_unit_test(test_upload)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
