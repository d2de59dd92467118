/* Orders through the store: from the console's signature to the machine's acknowledgement, and what
 * goes wrong between. */
#include "bench.h"

#include "os/clock.h"

struct place {
    struct bench b;
    struct machine m, other;
    struct person p;
    char token[65];
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
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, p->token), 200);
    person_new(&p->b, &p->p, true);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    person_free(&p->p);
    machine_free(&p->m);
    machine_free(&p->other);
    bench_free(&p->b);
    free(p);
    return 0;
}

static int post(struct place *p, const struct wa_buf *body)
{
    return bench_ask(&p->b, "POST", "/api/v1/actions", "", p->token, wa_buf_sv(body), NULL);
}

/* An update for the machine; the status. */
static int order(struct place *p, const char *uuid, char id[1][33])
{
    struct wa_buf body;
    person_order(&p->p, &uuid, 1, id, &body);
    int status = post(p, &body);
    wa_buf_fini(&body);
    return status;
}

static void ack(struct place *p, uint32_t conn, const char *id)
{
    char text[128];
    (void)snprintf(text, sizeof text, "{\"conn\":%u,\"id\":\"%s\"}", conn, id);
    bench_send(&p->b, WA_S_ACK, 0, wa_sv(text));
}

static void begun(struct place *p, uint32_t conn, const char *id)
{
    char text[128];
    (void)snprintf(text, sizeof text, "{\"conn\":%u,\"id\":\"%s\",\"begun\":true}", conn, id);
    bench_send(&p->b, WA_S_ACK, 0, wa_sv(text));
}

static void gone(struct place *p, uint32_t conn)
{
    char text[64];
    (void)snprintf(text, sizeof text, "{\"conn\":%u}", conn);
    bench_send(&p->b, WA_S_GONE, 0, wa_sv(text));
}

static void serve(struct place *p)
{
    int status;
    assert_false(bench_serve(&p->b, UINT32_MAX, &status, NULL));
}

#define STATE(p, expected) BENCH_IS(&(p)->b, "SELECT state FROM actions", expected)

static void test_to_a_connected_machine(void **state)
{
    struct place *p = *state;
    char id[1][33];
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    assert_int_equal(order(p, "machine", id), 200);
    assert_int_equal(p->b.orders, 1);
    assert_int_equal(p->b.order_to, 5);
    assert_non_null(strstr(wa_buf_str(&p->b.order), "wapt-relay"));
    STATE(p, "sent");
    ack(p, 6, id[0]); /* not that connection's */
    STATE(p, "sent");
    ack(p, 5, "00000000000000000000000000000000");
    STATE(p, "sent");
    ack(p, 5, id[0]);
    STATE(p, "delivered");
    gone(p, 5); /* what is acknowledged is not sent again */
    STATE(p, "delivered");
    assert_int_equal(machine_result(&p->b, &p->m, id[0], "done", "ok", ""), 200);
    STATE(p, "done");
}

/* The orders of the body, as more of that batch. */
static int post_more(struct place *p, const char *token, const struct wa_buf *body,
                     const char *batch, struct wa_buf *out)
{
    WA_AUTO_BUF struct wa_buf both;
    wa_buf_init(&both, 4u << 20);
    wa_buf_addsv(&both, wa_sv_sub(wa_buf_sv(body), 0, body->n - 1));
    wa_buf_addf(&both, ",\"batch\":\"%s\"}", batch);
    return bench_ask(&p->b, "POST", "/api/v1/actions", "", token, wa_buf_sv(&both), out);
}

/* Too many for one call: one batch all the same, of one person, one kind and one signer. */
static void test_a_batch_in_parts(void **state)
{
    static const char *const uuids[] = {"machine", "other"};
    struct place *p = *state;
    struct person stranger;
    struct wa_buf body[2], out;
    char ids[2][33], batch[33] = "", expected[512];
    wa_buf_init(&out, 1u << 20);
    for (size_t i = 0; i < 2; i++)
        person_order(&p->p, &uuids[i], 1, &ids[i], &body[i]);
    assert_int_equal(
        bench_ask(&p->b, "POST", "/api/v1/actions", "", p->token, wa_buf_sv(&body[0]), &out), 200);
    memcpy(batch, strstr(wa_buf_str(&out), "\"batch\":\"") + 9, 32);
    assert_int_equal(post_more(p, p->token, &body[1], "not one", NULL), 400);
    assert_int_equal(post_more(p, p->token, &body[1], "00000000000000000000000000000000", NULL),
                     404);
    bench_exec(&p->b, "UPDATE batches SET created = created - 3700"); /* it is over */
    assert_int_equal(post_more(p, p->token, &body[1], batch, NULL), 409);
    bench_exec(&p->b, "UPDATE batches SET created = created + 3700, \"user\" = 'somebody'");
    assert_int_equal(post_more(p, p->token, &body[1], batch, NULL), 409);
    bench_exec(&p->b, "UPDATE batches SET \"user\" = 'admin', orders = 100000");
    assert_int_equal(post_more(p, p->token, &body[1], batch, NULL), 413);
    bench_exec(&p->b, "UPDATE batches SET orders = 1, kind = 'reboot'");
    assert_int_equal(post_more(p, p->token, &body[1], batch, NULL), 409);
    bench_exec(&p->b, "UPDATE batches SET kind = 'update'");
    BENCH_IS(&p->b, "SELECT count(*) FROM actions", "1"); /* whatever was refused left nothing */
    assert_int_equal(post_more(p, p->token, &body[1], batch, NULL), 200);
    BENCH_IS(&p->b, "SELECT count(*) FROM actions", "2");
    BENCH_IS(&p->b, "SELECT orders FROM batches", "2");
    wa_buf_fini(&body[1]);
    person_new(&p->b, &stranger, true);
    person_order(&stranger, &uuids[1], 1, &ids[1], &body[1]); /* another signer's */
    assert_int_equal(post_more(p, p->token, &body[1], batch, NULL), 409);
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    ack(p, 5, ids[0]);
    assert_int_equal(machine_result(&p->b, &p->m, ids[0], "done", "ok", ""), 200);
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/batches", "", p->token, WA_SV(""), &out),
                     200);
    (void)snprintf(expected, sizeof expected,
                   "{\"batches\":[{\"batch\":\"%s\",\"kind\":\"update\",\"what\":\"\",\"user\":"
                   "\"admin\",\"signer\":\"",
                   batch);
    assert_true(wa_sv_starts(wa_buf_sv(&out), expected));
    assert_non_null(
        strstr(wa_buf_str(&out), "\"counts\":{\"done\":1,\"queued\":1},\"machines\":2}]}"));
    person_free(&stranger);
    for (size_t i = 0; i < 2; i++)
        wa_buf_fini(&body[i]);
    wa_buf_fini(&out);
}

static void test_waits_for_the_machine(void **state)
{
    struct place *p = *state;
    char id[1][33];
    assert_int_equal(order(p, "machine", id), 200);
    STATE(p, "queued");
    wa_store_dispatch_due(p->b.store);
    serve(p);
    assert_int_equal(p->b.orders, 0);
    assert_int_equal(machine_greet(&p->b, &p->other, 4), 200);
    assert_int_equal(p->b.orders, 0);
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    assert_int_equal(p->b.orders, 1);
    STATE(p, "sent");
    gone(p, 5); /* never acknowledged */
    STATE(p, "queued");
    assert_false(bench_is_here(&p->b, "machine"));
    assert_int_equal(machine_greet(&p->b, &p->m, 6), 200);
    assert_int_equal(p->b.orders, 2);
    assert_int_equal(p->b.order_to, 6);
    ack(p, 6, id[0]);
    STATE(p, "delivered");
}

/* A cancel of what the machine has not got yet: dropped at once, and the machine is told first. */
static void test_cancelled_before_it_was_sent(void **state)
{
    struct place *p = *state;
    struct wa_buf body;
    char id[1][33], cancel[1][33];
    assert_int_equal(order(p, "machine", id), 200);
    const char *uuid = "machine", *named = id[0];
    person_signs(&p->p, WA_ACT_CANCEL, &uuid, 1, &named, cancel, &body);
    assert_int_equal(post(p, &body), 200);
    wa_buf_fini(&body);
    BENCH_IS(&p->b, "SELECT state FROM actions WHERE kind = 'update'", "cancelled");
    BENCH_IS(&p->b, "SELECT state FROM actions WHERE kind = 'cancel'", "queued");
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    assert_int_equal(p->b.orders, 1);
    assert_non_null(strstr(wa_buf_str(&p->b.order), id[0]));
    ack(p, 5, cancel[0]);
    assert_int_equal(machine_result(&p->b, &p->m, cancel[0], "done", "ok", ""), 200);
    BENCH_IS(&p->b, "SELECT state FROM actions WHERE kind = 'update'", "cancelled");
}

/* What is out stays as the machine says: it tells whether it was cancelled there. */
static void test_cancelled_after_it_was_sent(void **state)
{
    struct place *p = *state;
    struct wa_buf body, out;
    char id[1][33], cancel[1][33];
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    assert_int_equal(order(p, "machine", id), 200);
    ack(p, 5, id[0]);
    begun(p, 5, id[0]);
    STATE(p, "running");
    begun(p, 5, id[0]);
    STATE(p, "running");
    const char *uuid = "machine", *named = id[0];
    person_signs(&p->p, WA_ACT_CANCEL, &uuid, 1, &named, cancel, &body);
    assert_int_equal(post(p, &body), 200);
    wa_buf_fini(&body);
    assert_int_equal(p->b.orders, 2);
    BENCH_IS(&p->b, "SELECT state FROM actions WHERE kind = 'update'", "running");
    assert_int_equal(machine_result(&p->b, &p->m, id[0], "cancelled", "cancelled", ""), 200);
    wa_buf_init(&out, 1u << 20);
    char query[64];
    (void)snprintf(query, sizeof query, "id=%s&limit=0", id[0]);
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/actions", query, p->token, WA_SV(""), &out),
                     200);
    assert_string_equal(wa_buf_str(&out),
                        "{\"counts\":{\"cancelled\":1},\"total\":1,\"actions\":[]}");
    wa_buf_fini(&out);
}

/* The newest connection counts: what an older one does afterwards changes nothing. */
static void test_second_connection(void **state)
{
    struct place *p = *state;
    char id[1][33];
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    assert_int_equal(machine_greet(&p->b, &p->m, 6), 200);
    assert_int_equal(p->b.closed, 1);
    assert_int_equal(p->b.closed_last, 5);
    gone(p, 5);
    assert_true(bench_is_here(&p->b, "machine"));
    assert_int_equal(order(p, "machine", id), 200);
    assert_int_equal(p->b.order_to, 6);
}

/* Who leaves while the database takes nothing: what was sent to it waits again at the next turn. */
static void test_a_leave_is_made_good(void **state)
{
    struct place *p = *state;
    char id[1][33];
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    assert_int_equal(order(p, "machine", id), 200);
    STATE(p, "sent");
    bench_forbid(&p->b, true);
    gone(p, 5);
    assert_false(bench_is_here(&p->b, "machine"));
    STATE(p, "sent");
    assert_int_equal(machine_greet(&p->b, &p->m, 6), 200);
    assert_int_equal(p->b.orders, 1);
    bench_forbid(&p->b, false);
    wa_store_dispatch_due(p->b.store);
    serve(p);
    assert_int_equal(p->b.orders, 2);
    assert_int_equal(p->b.order_to, 6);
    STATE(p, "sent");
}

/* An order for later goes out when its time has come, to a machine that was there all along. */
static void test_comes_due(void **state)
{
    struct place *p = *state;
    char id[1][33];
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    wa_store_dispatch_due(p->b.store);
    assert_int_equal(order(p, "machine", id), 200);
    bench_exec(&p->b, "UPDATE actions SET state = 'queued', not_before = 9000000000, not_after = "
                      "9000000001");
    p->b.orders = 0;
    wa_store_dispatch_due(p->b.store);
    serve(p);
    assert_int_equal(p->b.orders, 0);
    p->b.store->due_until = 1000; /* some turns later */
    bench_exec(&p->b, "UPDATE actions SET not_before = 2000");
    wa_store_dispatch_due(p->b.store);
    serve(p);
    assert_int_equal(p->b.orders, 1);
    STATE(p, "sent");
}

/* A signer that fails loses nothing. */
static void test_signer_fails(void **state)
{
    static const char *const answers[] = {"",
                                          "[]",
                                          "{}",
                                          "nonsense",
                                          WA_RELAY_BEGINS "\n",
                                          WA_RELAY_BEGINS "}\n" WA_RELAY_BEGINS "}\n",
                                          WA_RELAY_BEGINS "}\nnonsense\n",
                                          "\n" WA_RELAY_BEGINS "}\n"};
    struct place *p = *state;
    char id[1][33];
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    p->b.signer_answer = answers[0];
    assert_int_equal(order(p, "machine", id), 200);
    STATE(p, "queued");
    for (size_t i = 1; i < WA_COUNT(answers); i++) {
        p->b.signer_answer = answers[i];
        wa_store_dispatch_due(p->b.store);
        serve(p);
        STATE(p, "queued");
    }
    p->b.signer_answer = NULL;
    wa_store_dispatch_due(p->b.store);
    serve(p);
    assert_int_equal(p->b.orders, 1);
    STATE(p, "sent");
}

/* One row that can't be read any more does not hold up the others, nor do those of machines that
 * are off. */
static void test_broken_row(void **state)
{
    struct place *p = *state;
    char id[1][33];
    assert_int_equal(order(p, "machine", id), 200);
    bench_exec(&p->b, "UPDATE actions SET orders = 'broken', id = 'broken'");
    bench_exec(&p->b,
               "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
               "INSERT INTO actions (id, batch, uuid, kind, orders, not_before, not_after, signer, "
               "state, created, updated) SELECT 'off' || i, '', 'other', 'update', '{}', 0, "
               "9999999999, '', 'queued', 0, 0 FROM n");
    assert_int_equal(order(p, "machine", id), 200);
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    BENCH_IS(&p->b, "SELECT state FROM actions WHERE id = 'broken'", "failed");
    BENCH_IS(&p->b, "SELECT count(*) FROM actions WHERE state = 'sent'", "1");
    BENCH_IS(&p->b, "SELECT count(*) FROM actions WHERE state = 'queued'", "3000");
    assert_int_equal(p->b.orders, 1);
}

static void test_times(void **state)
{
    struct place *p = *state;
    char id[1][33];
    struct wa_buf out;
    char path[64];
    assert_int_equal(order(p, "machine", id), 200);
    bench_exec(&p->b, "UPDATE actions SET not_before = 9000000000, not_after = 9000000001");
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    STATE(p, "queued");
    bench_exec(&p->b, "UPDATE actions SET not_before = 0, not_after = 1, batch = 'b'");
    wa_store_dispatch_due(p->b.store);
    serve(p);
    STATE(p, "queued");
    assert_int_equal(p->b.orders, 0);
    wa_buf_init(&out, 1u << 20);
    (void)snprintf(path, sizeof path, "batch=b");
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/actions", path, p->token, WA_SV(""), &out),
                     200);
    assert_non_null(strstr(wa_buf_str(&out), "\"state\":\"expired\""));
    wa_buf_fini(&out);
}

/* All or nothing, and only from those whose orders are passed on. */
static void test_what_is_not_taken(void **state)
{
    static const char *const two[] = {"machine", "unknown"};
    static const char *const one[] = {"machine"};
    struct place *p = *state;
    char ids[2][33];
    struct person stranger;
    struct wa_buf body;
    person_order(&p->p, two, 2, ids, &body);
    assert_int_equal(post(p, &body), 404);
    wa_buf_fini(&body);
    person_new(&p->b, &stranger, false);
    person_order(&stranger, one, 1, ids, &body);
    assert_int_equal(post(p, &body), 403);
    wa_buf_fini(&body);
    person_free(&stranger);
    person_order(&p->p, one, 1, ids, &body);
    char *at = strstr(body.p, "\\\"update\\\"");
    assert_non_null(at);
    memcpy(at, "\\\"forget\\\"", 10);
    int status = post(p, &body);
    assert_true(status == 400 || status == 403);
    wa_buf_fini(&body);
    BENCH_IS(&p->b, "SELECT count(*) FROM actions", "0");
    /* The same identifier twice. */
    person_order(&p->p, one, 1, ids, &body);
    assert_int_equal(post(p, &body), 200);
    assert_int_equal(post(p, &body), 409);
    wa_buf_fini(&body);
    BENCH_IS(&p->b, "SELECT count(*) FROM actions", "1");
}

static void test_greeting(void **state)
{
    struct place *p = *state;
    struct machine stranger;
    machine_new(&stranger, "machine");
    assert_int_equal(machine_greet(&p->b, &stranger, 5), 401);
    machine_free(&stranger);
    machine_new(&stranger, "never-registered");
    assert_int_equal(machine_greet(&p->b, &stranger, 5), 401);
    machine_free(&stranger);
    p->m.seq--; /* a copy of the machine, made before it reported last */
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 409);
    p->m.seq++;
    assert_false(bench_is_here(&p->b, "machine"));
    assert_false(bench_is_here(&p->b, "never-registered"));
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    assert_true(bench_is_here(&p->b, "machine"));
}

/* After a restart nobody is connected, and what was under way waits. */
static void test_requeue_all(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    char id[1][33];
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    assert_int_equal(order(p, "machine", id), 200);
    STATE(p, "sent");
    WA_ASSERT_OK(wa_store_requeue(p->b.store, "", &err));
    STATE(p, "queued");
}

/* Orders do not pile up: what is over has no text any more, what is long over is gone, with its
 * batch; what may still be carried out stays. */
static void test_what_is_over_goes(void **state)
{
    struct place *p = *state;
    char id[1][33], text[512];
    int64_t now = wa_clock_now(), year = 366 * 86400;
    p->b.store->node.is_leading = true;
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    assert_int_equal(order(p, "machine", id), 200);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM actions WHERE orders <> ''", "1");
    assert_int_equal(machine_result(&p->b, &p->m, id[0], "done", "ok", ""), 200);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM actions WHERE orders <> ''", "0");
    assert_int_equal(order(p, "other", id), 200);
    for (int i = 0; i < 4100; i++) { /* more than one turn takes */
        (void)snprintf(text, sizeof text,
                       "INSERT INTO actions (id, batch, uuid, kind, orders, not_before, not_after, "
                       "signer, state, created, updated) VALUES ('old%d', 'old', 'other', "
                       "'update', '{}', 1, 2, 'S', 'queued', 1, 1)",
                       i);
        bench_exec(&p->b, text);
    }
    bench_exec(&p->b,
               "INSERT INTO batches (id, \"user\", kind, what, signer, orders, created) VALUES "
               "('old', '', 'update', '', 'S', 4100, 1)");
    for (int turns = 0; turns < 3; turns++)
        wa_store_clean(p->b.store, now);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM actions", "2");
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM batches", "2");
    wa_store_clean(p->b.store, now + 30 * 86400);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM actions", "2"); /* their time is not over for long */
    wa_store_clean(p->b.store, now + year);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM actions", "0");
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM batches", "0");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_to_a_connected_machine),
        TEST(test_a_batch_in_parts),
        TEST(test_waits_for_the_machine),
        TEST(test_cancelled_before_it_was_sent),
        TEST(test_cancelled_after_it_was_sent),
        TEST(test_second_connection),
        TEST(test_a_leave_is_made_good),
        TEST(test_comes_due),
        TEST(test_signer_fails),
        TEST(test_broken_row),
        TEST(test_times),
        TEST(test_what_is_not_taken),
        TEST(test_greeting),
        TEST(test_requeue_all),
        TEST(test_what_is_over_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
