/* Two servers over one database: who leads, where machines are, where orders go out, what becomes
 * of both when one of the two dies. */
#include "bench.h"

#include "os/clock.h"
#include "os/loop.h"

struct place {
    struct bench a, b;
    struct machine m;
    struct person p;
    char token[65];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    bench_new(&p->a);
    bench_new_beside(&p->b, &p->a, "second");
    bench_token(&p->a, "t", wa_clock_now() + 3600, 9);
    machine_new(&p->m, "machine");
    assert_int_equal(machine_register(&p->a, &p->m, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(bench_login(&p->a, "10.0.0.9", "admin", BENCH_PASSWORD, p->token), 200);
    person_new(&p->a, &p->p, true);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    person_free(&p->p);
    machine_free(&p->m);
    bench_free(&p->b);
    bench_free(&p->a);
    free(p);
    return 0;
}

static void turn(struct bench *b)
{
    struct wa_err err = WA_ERR_INIT;
    int status;
    WA_ASSERT_OK(wa_node_turn(b->store, &err));
    wa_store_dispatch_due(b->store);
    assert_false(bench_serve(b, UINT32_MAX, &status, NULL));
}

/* The other's clock is what it says of it, when its beat moves. */
static void clocks_are_compared(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    turn(&p->b);
    turn(&p->a);
    turn(&p->b);
    turn(&p->a);
    assert_in_range(wa_node_clock_off(p->a.store) + 5, 0, 10);
    WA_ASSERT_OK(wa_db_exec(
        p->b.store->db,
        "UPDATE nodes SET beat = beat + 1, clock = clock - 300 WHERE name = 'second'", &err));
    turn(&p->a);
    assert_in_range(wa_node_clock_off(p->a.store) + 310, 0, 20);
    assert_in_range(wa_node_clock_off(p->b.store) + 5, 0, 10);
    turn(&p->b);
    turn(&p->a);
    assert_in_range(wa_node_clock_off(p->a.store) + 5, 0, 10);
}

/* As if the other had not moved for long. */
static void wait_for(struct bench *b)
{
    for (size_t i = 0; i < b->store->node.peers.n; i++)
        b->store->node.peers.items[i].moved_ms = 1;
    b->store->node.lease_ms = 0;
}

static void order(struct place *p, char id[1][33])
{
    const char *uuid = p->m.uuid;
    struct wa_buf body;
    person_order(&p->p, &uuid, 1, id, &body);
    assert_int_equal(
        bench_ask(&p->a, "POST", "/api/v1/actions", "", p->token, wa_buf_sv(&body), NULL), 200);
    wa_buf_fini(&body);
}

static void ack(struct bench *b, uint32_t conn, const char *id)
{
    char text[128];
    (void)snprintf(text, sizeof text, "{\"conn\":%u,\"id\":\"%s\"}", conn, id);
    bench_send(b, WA_S_ACK, 0, wa_sv(text));
}

#define STATE(p, expected) BENCH_IS(&(p)->a, "SELECT state FROM actions", expected)

static void one_leads(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    turn(&p->a);
    turn(&p->b);
    turn(&p->a);
    turn(&p->b);
    assert_true(wa_node_leads(p->a.store));
    assert_false(wa_node_leads(p->b.store));
    WA_ASSERT_OK(wa_node_check_lead(p->a.store, &err));
    assert_int_equal(wa_node_check_lead(p->b.store, &err), WA_E_CONFLICT);
    wa_err_clear(&err);
    /* Its heart stops, or seems to. */
    wait_for(&p->b);
    turn(&p->b);
    assert_true(wa_node_leads(p->b.store));
    BENCH_IS(&p->a, "SELECT name FROM nodes", "second");
    /* It was alive: what it did in this belief is refused, and it comes back. */
    assert_true(wa_node_leads(p->a.store));
    assert_int_equal(wa_node_check_lead(p->a.store, &err), WA_E_CONFLICT);
    turn(&p->a);
    assert_false(wa_node_leads(p->a.store));
    assert_false(p->a.store->node.must_end);
    BENCH_IS(&p->a, "SELECT count(*) FROM nodes", "2");
}

/* A heartbeat that goes on while it is being judged counts. */
static void nobody_is_buried_alive(void **state)
{
    struct place *p = *state;
    turn(&p->a);
    turn(&p->b);
    turn(&p->a);
    wait_for(&p->b);
    turn(&p->a); /* its heart beats after all */
    p->b.store->node.lease_ms = 15000;
    turn(&p->b);
    assert_false(wa_node_leads(p->b.store));
    BENCH_IS(&p->a, "SELECT count(*) FROM nodes", "2");
}

static void leaving_needs_no_waiting(void **state)
{
    struct place *p = *state;
    turn(&p->a);
    turn(&p->b);
    assert_int_equal(machine_greet(&p->a, &p->m, 5), 200);
    turn(&p->a);
    turn(&p->b);
    assert_true(bench_is_here(&p->b, "machine"));
    wa_node_leave(p->a.store);
    turn(&p->b);
    assert_true(wa_node_leads(p->b.store));
    assert_false(bench_is_here(&p->b, "machine"));
}

static void the_fleet_is_one(void **state)
{
    struct place *p = *state;
    turn(&p->b);
    assert_non_null(wa_fleet_get(p->b.store->fleet, WA_SV("machine")));
    assert_int_equal(machine_status(&p->a, &p->m, "ERROR"), 200);
    assert_string_equal(wa_fleet_get(p->b.store->fleet, WA_SV("machine"))->status, "");
    turn(&p->b);
    assert_string_equal(wa_fleet_get(p->b.store->fleet, WA_SV("machine"))->status, "ERROR");
    assert_int_equal(machine_greet(&p->b, &p->m, 7), 200);
    turn(&p->b);
    assert_false(bench_is_here(&p->a, "machine"));
    turn(&p->a);
    assert_true(bench_is_here(&p->a, "machine"));
    assert_true(bench_is_here(&p->b, "machine"));
    assert_int_equal(
        bench_ask(&p->a, "DELETE", "/api/v1/hosts/machine", "", p->token, WA_SV(""), NULL), 200);
    turn(&p->b);
    assert_null(wa_fleet_get(p->b.store->fleet, WA_SV("machine")));
    assert_int_equal(p->b.closed_last, 7);
}

/* What one revokes the other's fronts learn with the next change that it takes in. */
static void a_revocation_is_known_to_all(void **state)
{
    struct place *p = *state;
    bench_exec(&p->a,
               "INSERT INTO certificates (serial, uuid, key, certificate, issued, not_after) "
               "VALUES ('0a0b', 'machine', 'k', 'c', 1, 9000000000)");
    turn(&p->a);
    turn(&p->b);
    assert_int_equal(p->b.revoked.n, 0);
    assert_int_equal(bench_ask(&p->a, "DELETE", "/api/v1/hosts/machine/certificate", "", p->token,
                               WA_SV(""), NULL),
                     200);
    turn(&p->b);
    assert_string_equal(wa_buf_str(&p->b.revoked), "0a0b\n");
}

static void an_order_goes_out_where_the_machine_is(void **state)
{
    struct place *p = *state;
    char id[1][33];
    turn(&p->a);
    turn(&p->b);
    assert_int_equal(machine_greet(&p->b, &p->m, 7), 200);
    order(p, id);
    STATE(p, "queued");
    turn(&p->b);
    STATE(p, "sent");
    assert_int_equal(p->a.orders, 0);
    assert_int_equal(p->b.orders, 1);
    turn(&p->a);
    assert_int_equal(p->a.orders, 0);
    ack(&p->b, 7, id[0]);
    STATE(p, "delivered");
    /* The result comes by whichever server. */
    assert_int_equal(machine_result(&p->a, &p->m, id[0], "done", "ok", ""), 200);
    STATE(p, "done");
}

/* Sent and not acknowledged when its server died: it goes out again, from the other. */
static void an_order_outlives_its_server(void **state)
{
    struct place *p = *state;
    char id[1][33];
    turn(&p->a);
    turn(&p->b);
    turn(&p->a);
    assert_int_equal(machine_greet(&p->b, &p->m, 7), 200);
    order(p, id);
    turn(&p->b);
    turn(&p->a);
    STATE(p, "sent");
    assert_true(bench_is_here(&p->a, "machine"));
    wait_for(&p->a);
    turn(&p->a);
    STATE(p, "queued");
    assert_false(bench_is_here(&p->a, "machine"));
    assert_int_equal(machine_greet(&p->a, &p->m, 9), 200);
    STATE(p, "sent");
    assert_int_equal(p->a.orders, 1);
    ack(&p->a, 9, id[0]);
    /* The dead one was only slow: what it believed to have is taken from it. */
    turn(&p->a);
    turn(&p->b);
    turn(&p->b);
    assert_int_equal(p->b.closed_last, 7);
    STATE(p, "delivered");
    assert_true(bench_is_here(&p->b, "machine"));
    turn(&p->a);
    assert_int_equal(p->a.closed, 0);
    assert_int_equal(p->b.orders, 1);
}

/* The machine changes servers before the one it left has noticed. */
static void a_machine_moves(void **state)
{
    struct place *p = *state;
    char id[1][33];
    assert_int_equal(machine_greet(&p->a, &p->m, 5), 200);
    turn(&p->a);
    turn(&p->b);
    order(p, id);
    STATE(p, "sent"); /* into the void */
    assert_int_equal(machine_greet(&p->b, &p->m, 7), 200);
    turn(&p->b);
    STATE(p, "sent");
    assert_int_equal(p->b.orders, 1);
    assert_int_equal(p->a.closed, 0);
    turn(&p->a);
    assert_int_equal(p->a.closed_last, 5);
    STATE(p, "sent"); /* which is the other's */
    assert_true(bench_is_here(&p->a, "machine"));
    ack(&p->b, 7, id[0]);
    STATE(p, "delivered");
}

static void a_name_is_of_one(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct bench third;
    turn(&p->b);
    bench_new_beside(&third, &p->a, "second");
    assert_int_equal(wa_node_turn(p->b.store, &err), WA_E_CONFLICT);
    assert_non_null(strstr(err.text, "node = NAME"));
    assert_true(p->b.store->node.must_end);
    /* It takes nothing with it. */
    wa_node_leave(p->b.store);
    BENCH_IS(&p->a, "SELECT count(*) FROM nodes WHERE name = 'second'", "1");
    bench_free(&third);
}

static void too_long_away(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    turn(&p->b);
    for (int i = 0; i < 3; i++)
        assert_int_equal(machine_status(&p->a, &p->m, "OK"), 200);
    bench_exec(&p->a, "DELETE FROM changes WHERE seq < (SELECT MAX(seq) FROM changes)");
    assert_int_equal(wa_node_take_in(p->b.store, &err), WA_E_CONFLICT);
    assert_true(p->b.store->node.must_end);
}

/* PostgreSQL tells at once; SQLite has nobody to tell, and the clock finds it. */
static void a_change_wakes(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_fleet_host *h = NULL;
    turn(&p->b);
    WA_ASSERT_OK(wa_node_listen(p->b.store, &err));
    assert_int_equal(machine_status(&p->a, &p->m, "ERROR"), 200);
    if (wa_db_wake_fd(p->b.store->db) < 0)
        turn(&p->b);
    for (int i = 0; i < 100 && (h == NULL || strcmp(h->status, "ERROR") != 0); i++) {
        WA_ASSERT_OK(wa_loop_turn(p->b.store->loop, i == 0 ? 0 : 100, &err));
        h = wa_fleet_get(p->b.store->fleet, WA_SV("machine"));
    }
    assert_string_equal(h->status, "ERROR");
}

/* The next event of the server's ring; *at goes on to it. */
static const struct wa_event *next_event(const struct bench *b, uint64_t *at)
{
    const struct wa_event *v = wa_events_next(b->store->events, *at);
    assert_non_null(v);
    *at = v->id;
    return v;
}

/* Who watches at one server hears of what happens at the other, which alone tells webhooks. */
static void the_other_is_heard_of(void **state)
{
    struct place *p = *state;
    char id[1][33];
    turn(&p->b);
    uint64_t at = wa_events_last(p->b.store->events);
    assert_int_equal(machine_status(&p->a, &p->m, "ERROR"), 200);
    turn(&p->b);
    const struct wa_event *v = next_event(&p->b, &at);
    assert_string_equal(v->what, "status");
    assert_string_equal(v->uuid, "machine");
    assert_string_equal(v->state, "ERROR");
    assert_true(v->is_foreign);
    order(p, id);
    turn(&p->b);
    assert_string_equal(next_event(&p->b, &at)->what, "ordered");
    assert_int_equal(machine_result(&p->a, &p->m, id[0], "done", "ok", ""), 200);
    turn(&p->b);
    assert_string_equal(next_event(&p->b, &at)->what, "inventory");
    v = next_event(&p->b, &at);
    assert_string_equal(v->state, "done");
    assert_string_equal(v->name, id[0]);
    assert_int_equal(
        bench_ask(&p->a, "DELETE", "/api/v1/hosts/machine", "", p->token, WA_SV(""), NULL), 200);
    turn(&p->b);
    assert_string_equal(next_event(&p->b, &at)->what, "forgotten");
    assert_null(wa_events_next(p->b.store->events, at));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

/* Somebody looks here at a machine that is connected there. */
static void a_queue_is_told_to_all(void **state)
{
    struct place *p = *state;
    WA_AUTO_BUF struct wa_buf out;
    int status;
    wa_buf_init(&out, 1u << 20);
    turn(&p->b);
    assert_int_equal(machine_greet(&p->b, &p->m, 7), 200);
    turn(&p->b);
    turn(&p->a);
    assert_int_equal(bench_ask(&p->a, "GET", "/api/v1/hosts/machine/queue", "watch=1", p->token,
                               WA_SV(""), &out),
                     200);
    assert_int_equal(p->a.watched, 0);
    turn(&p->b);
    assert_int_equal(p->b.watched, 1);
    assert_int_equal(p->b.watched_last, 7);
    bench_send(&p->b, WA_S_QUEUE, 7,
               WA_SV("{\"type\":\"queue\",\"stopped\":true,\"left_out\":8,\"tasks\":[]}"));
    (void)bench_serve(&p->b, UINT32_MAX, &status, NULL);
    uint64_t before = wa_events_last(p->a.store->events);
    turn(&p->a);
    assert_string_equal(wa_events_next(p->a.store->events, before)->what, "told");
    assert_int_equal(
        bench_ask(&p->a, "GET", "/api/v1/hosts/machine/queue", "", p->token, WA_SV(""), &out), 200);
    assert_non_null(strstr(wa_buf_str(&out), "\"left_out\":8"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(one_leads),
                                       TEST(clocks_are_compared),
                                       TEST(nobody_is_buried_alive),
                                       TEST(leaving_needs_no_waiting),
                                       TEST(the_fleet_is_one),
                                       TEST(a_revocation_is_known_to_all),
                                       TEST(an_order_goes_out_where_the_machine_is),
                                       TEST(an_order_outlives_its_server),
                                       TEST(a_machine_moves),
                                       TEST(a_name_is_of_one),
                                       TEST(too_long_away),
                                       TEST(a_change_wakes),
                                       TEST(a_queue_is_told_to_all),
                                       TEST(the_other_is_heard_of)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
