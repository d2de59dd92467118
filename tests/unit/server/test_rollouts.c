/* Roll-outs through the store: from the signed statement to the machines' results, ring by ring. */
#include "bench.h"

#include "os/clock.h"
#include "os/rand.h"
#include "proto/rollout.h"

#define MACHINES 4u

struct place {
    struct bench b;
    struct machine m[MACHINES]; /* "m0"...; m0 to m2 are in grp-a */
    struct person p;
    char token[65];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    bench_new(&p->b);
    bench_token(&p->b, "t", wa_clock_now() + 3600, 9);
    for (unsigned i = 0; i < MACHINES; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "m%u", i);
        machine_new(&p->m[i], name);
        assert_int_equal(machine_register(&p->b, &p->m[i], WA_CRED_TOKEN, "t"), 200);
    }
    bench_exec(&p->b, "INSERT INTO memberships (uuid, names) VALUES ('m0', 'grp-a'), ('m1', "
                      "'grp-b,grp-a'), ('m3', 'grp-b')");
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, p->token), 200);
    person_new(&p->b, &p->p, true);
    if (!p->b.store->node.is_alone) { /* PostgreSQL: the only one leads, after a turn */
        struct wa_err err = WA_ERR_INIT;
        assert_int_equal(wa_node_turn(p->b.store, &err), WA_OK);
        assert_true(wa_node_leads(p->b.store));
    }
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    person_free(&p->p);
    for (unsigned i = 0; i < MACHINES; i++)
        machine_free(&p->m[i]);
    bench_free(&p->b);
    free(p);
    return 0;
}

#define RINGS                                                                                      \
    "\"rings\":[{\"name\":\"pilot\",\"machines\":[\"m0\"]},{\"name\":\"all\",\"percent\":100}]"
#define PLAN "{" RINGS ",\"success_percent\":100,\"error_percent\":50}"
#define BY_HAND "{" RINGS ",\"promote\":\"hand\"}"

/* The status of a roll-out to grp-a; id: of the statement. */
static int create(struct place *p, const struct person *by, const char *plan, int64_t for_s,
                  const char *supersedes, char id[33])
{
    static const char *const packages[] = {"tis-x"};
    static const char *const groups[] = {"grp-a"};
    const struct wa_rollout_lists lists = {
        .packages = packages, .package_count = 1, .members_of = groups, .member_count = 1};
    struct wa_err err = WA_ERR_INIT;
    struct wa_buf text, body;
    int64_t now = wa_clock_now();
    struct wa_rollout r = {.kind = WA_ACT_INSTALL,
                           .issued_at = now - 1000,
                           .not_before = now - 1000,
                           .not_after = now + for_s};
    wa_buf_init(&text, 1u << 20);
    wa_buf_init(&body, 1u << 20);
    assert_int_equal(wa_rand_hex(r.id, 16, &err), WA_OK);
    (void)snprintf(r.supersedes, sizeof r.supersedes, "%s", supersedes);
    memcpy(id, r.id, 33);
    assert_int_equal(
        wa_rollout_write(&r, &lists, wa_cert_fingerprint(by->chain.items[0]), &text, &err), WA_OK);
    wa_buf_adds(&body, "{\"name\":\"n\",\"order\":");
    assert_int_equal(wa_rollout_order_write(wa_buf_sv(&text), by->key, &by->chain, &body, &err),
                     WA_OK);
    wa_buf_addf(&body, ",\"plan\":%s}", plan);
    int status = bench_ask(&p->b, "POST", "/api/v1/rollouts", "", p->token, wa_buf_sv(&body), NULL);
    wa_buf_fini(&text);
    wa_buf_fini(&body);
    return status;
}

static int ask(struct place *p, const char *method, const char *id, const char *verb)
{
    char path[128];
    (void)snprintf(path, sizeof path, "/api/v1/rollouts/%s%s", id, verb);
    return bench_ask(&p->b, method, path, "", p->token, WA_SV(""), NULL);
}

static void serve(struct place *p)
{
    int status;
    assert_false(bench_serve(&p->b, UINT32_MAX, &status, NULL));
}

static void turn(struct place *p)
{
    p->b.store->rollouts_next_ms = 0;
    wa_store_rollouts(p->b.store);
    serve(p);
}

static void ack(struct place *p, uint32_t conn, const char *id)
{
    char text[128];
    (void)snprintf(text, sizeof text, "{\"conn\":%u,\"id\":\"%s\"}", conn, id);
    bench_send(&p->b, WA_S_ACK, 0, wa_sv(text));
}

static void gone(struct place *p, uint32_t conn)
{
    char text[64];
    (void)snprintf(text, sizeof text, "{\"conn\":%u}", conn);
    bench_send(&p->b, WA_S_GONE, 0, wa_sv(text));
}

#define ROLLOUT(p, expected)                                                                       \
    BENCH_IS(&(p)->b, "SELECT state || ' ' || ring FROM rollouts ORDER BY created, id", expected)
#define HOST(p, uuid, expected)                                                                    \
    BENCH_IS(&(p)->b, "SELECT state FROM actions WHERE uuid = '" uuid "'", expected)

/* What was told of roll-outs since. */
static void check_told(struct place *p, uint64_t *since, const char *expected)
{
    char text[256] = "";
    size_t n = 0;
    const struct wa_event *v;
    while ((v = wa_events_next(p->b.store->events, *since)) != NULL) {
        *since = v->id;
        if (v->kind == WA_EVENT_ROLLOUT)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s %s;", v->what, v->state);
    }
    assert_string_equal(text, expected);
}

static void test_ring_by_ring(void **state)
{
    struct place *p = *state;
    char id[33];
    for (unsigned i = 0; i < MACHINES; i++)
        assert_int_equal(machine_greet(&p->b, &p->m[i], 10 + i), 200);
    assert_int_equal(create(p, &p->p, PLAN, 3600, "", id), 200);
    serve(p);
    assert_int_equal(p->b.orders, 1);
    assert_int_equal(p->b.order_to, 10);
    assert_non_null(strstr(wa_buf_str(&p->b.order), "wapt-rollout"));
    HOST(p, "m1", "waiting");
    HOST(p, "m2", ""); /* in no group */
    HOST(p, "m3", ""); /* in another */
    ROLLOUT(p, "running 0");
    turn(p);
    assert_int_equal(p->b.orders, 1); /* nothing is sent twice */
    ack(p, 10, id);
    HOST(p, "m0", "delivered");
    assert_int_equal(machine_result(&p->b, &p->m[0], id, "done", "ok", ""), 200);
    turn(p);
    ROLLOUT(p, "running 1");
    assert_int_equal(p->b.orders, 2);
    assert_int_equal(p->b.order_to, 11);
    /* Who joins later comes in. */
    bench_exec(&p->b, "INSERT INTO memberships (uuid, names) VALUES ('m2', 'grp-a')");
    turn(p);
    assert_int_equal(p->b.orders, 3);
    assert_int_equal(p->b.order_to, 12);
    assert_int_equal(machine_result(&p->b, &p->m[2], id, "done", "ok", ""), 200);
    HOST(p, "m2", "done");
    ROLLOUT(p, "running 1"); /* the last ring: open until its end */
    uint64_t since = wa_events_last(p->b.store->events);
    turn(p);
    check_told(p, &since, "progress running;");
    turn(p);
    check_told(p, &since, ""); /* nobody is further than before */
    struct wa_buf out;
    wa_buf_init(&out, 1u << 20);
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/rollouts", "", p->token, WA_SV(""), &out),
                     200);
    assert_non_null(strstr(wa_buf_str(&out), "\"counts\":[{\"ring\":0,\"states\":{\"done\":1"));
    wa_buf_fini(&out);
}

static void test_halts_by_itself_and_goes_on(void **state)
{
    struct place *p = *state;
    char id[33];
    assert_int_equal(machine_greet(&p->b, &p->m[0], 10), 200);
    assert_int_equal(create(p, &p->p, PLAN, 3600, "", id), 200);
    serve(p);
    ack(p, 10, id);
    assert_int_equal(machine_result(&p->b, &p->m[0], id, "failed", "failed", "no"), 200);
    turn(p);
    ROLLOUT(p, "halted 0");
    BENCH_IS(&p->b, "SELECT reason FROM rollouts", "1 machines failed");
    assert_int_equal(machine_greet(&p->b, &p->m[1], 11), 200);
    assert_int_equal(ask(p, "POST", id, "/promote"), 409);
    assert_int_equal(ask(p, "POST", id, "/pause"), 409);
    turn(p);
    assert_int_equal(p->b.orders, 1);
    assert_int_equal(ask(p, "POST", id, "/resume"), 200); /* what failed is known */
    turn(p);
    ROLLOUT(p, "running 0"); /* its ring has no success */
    assert_int_equal(ask(p, "POST", id, "/promote"), 200);
    serve(p);
    ROLLOUT(p, "running 1");
    assert_int_equal(p->b.orders, 2);
    assert_int_equal(ask(p, "POST", id, "/promote"), 409);
    assert_int_equal(machine_result(&p->b, &p->m[1], id, "refused", "refused", "no"), 200);
    turn(p);
    ROLLOUT(p, "halted 1");
}

/* A machine where it is in use is neither a success nor a failure. */
static void test_waits_for_what_is_in_use(void **state)
{
    struct place *p = *state;
    char id[33];
    assert_int_equal(machine_greet(&p->b, &p->m[0], 10), 200);
    assert_int_equal(create(p, &p->p, PLAN, 3600, "", id), 200);
    serve(p);
    ack(p, 10, id);
    turn(p);
    uint64_t since = wa_events_last(p->b.store->events);
    assert_int_equal(machine_result(&p->b, &p->m[0], id, "postponed", "busy", "1 put off"), 200);
    turn(p);
    check_told(p, &since, "progress running;");
    HOST(p, "m0", "postponed");
    ROLLOUT(p, "running 0"); /* its ring has neither */
    gone(p, 10);
    assert_int_equal(machine_greet(&p->b, &p->m[0], 20), 200);
    turn(p);
    assert_int_equal(p->b.orders, 1); /* it has the order */
    assert_int_equal(machine_result(&p->b, &p->m[0], id, "done", "ok", "1 done"), 200);
    turn(p);
    ROLLOUT(p, "running 1");
}

/* What was refused, forgiven, and then done after all excuses no other failure. */
static void test_refused_and_then_done(void **state)
{
    struct place *p = *state;
    char id[33];
    assert_int_equal(machine_greet(&p->b, &p->m[0], 10), 200);
    assert_int_equal(machine_greet(&p->b, &p->m[1], 11), 200);
    assert_int_equal(create(p, &p->p, PLAN, 3600, "", id), 200);
    serve(p);
    assert_int_equal(machine_result(&p->b, &p->m[0], id, "refused", "refused", "clock"), 200);
    turn(p);
    ROLLOUT(p, "halted 0");
    assert_int_equal(ask(p, "POST", id, "/resume"), 200);
    BENCH_IS(&p->b, "SELECT forgiven FROM rollouts", "1");
    assert_int_equal(machine_result(&p->b, &p->m[0], id, "done", "ok", ""), 200);
    turn(p);
    HOST(p, "m0", "done");
    ROLLOUT(p, "running 1");
    BENCH_IS(&p->b, "SELECT forgiven FROM rollouts", "0");
    assert_int_equal(machine_result(&p->b, &p->m[1], id, "failed", "failed", "no"), 200);
    turn(p);
    ROLLOUT(p, "halted 1");
}

static void test_paused_and_stopped(void **state)
{
    struct place *p = *state;
    char id[33], next[33];
    assert_int_equal(create(p, &p->p, BY_HAND, 3600, "", id), 200);
    HOST(p, "m0", "queued");
    assert_int_equal(ask(p, "POST", id, "/pause"), 200);
    assert_int_equal(machine_greet(&p->b, &p->m[0], 10), 200);
    turn(p);
    assert_int_equal(p->b.orders, 0); /* released, and held back */
    assert_int_equal(ask(p, "POST", id, "/resume"), 200);
    serve(p);
    assert_int_equal(p->b.orders, 1);
    HOST(p, "m0", "sent");
    assert_int_equal(ask(p, "POST", id, "/pause"), 200);
    gone(p, 10); /* never acknowledged */
    assert_int_equal(machine_greet(&p->b, &p->m[0], 20), 200);
    assert_int_equal(p->b.orders, 1);
    assert_int_equal(ask(p, "POST", id, "/resume"), 200);
    serve(p);
    assert_int_equal(p->b.orders, 2); /* the machine carries it out once, whatever came */
    ack(p, 20, id);
    assert_int_equal(machine_result(&p->b, &p->m[0], id, "done", "ok", ""), 200);
    turn(p);
    ROLLOUT(p, "running 0"); /* by hand */
    assert_int_equal(ask(p, "POST", id, "/stop"), 200);
    HOST(p, "m0", "done");
    HOST(p, "m1", "cancelled");
    assert_int_equal(ask(p, "POST", id, "/stop"), 409);
    assert_int_equal(ask(p, "POST", id, "/resume"), 409);
    turn(p);
    ROLLOUT(p, "stopped 0");
    assert_int_equal(create(p, &p->p, PLAN, 3600, "", id), 200);
    assert_int_equal(create(p, &p->p, PLAN, 3600, id, next), 200);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM rollouts WHERE state = 'running'", "1");
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM rollouts WHERE reason = 'superseded'", "1");
}

/* A signed cancel names the statement: what was not sent is dropped, and the machine is told. */
static void test_cancelled(void **state)
{
    struct place *p = *state;
    struct wa_buf body;
    char id[33], cancel[2][33];
    static const char *const uuids[] = {"m0", "m1"};
    assert_int_equal(machine_greet(&p->b, &p->m[0], 10), 200);
    assert_int_equal(create(p, &p->p, BY_HAND, 3600, "", id), 200);
    serve(p);
    ack(p, 10, id);
    const char *named = id;
    person_signs(&p->p, WA_ACT_CANCEL, uuids, 2, &named, cancel, &body);
    assert_int_equal(
        bench_ask(&p->b, "POST", "/api/v1/actions", "", p->token, wa_buf_sv(&body), NULL), 200);
    wa_buf_fini(&body);
    BENCH_IS(&p->b, "SELECT state FROM actions WHERE uuid = 'm0' AND kind = 'install'",
             "delivered");
    BENCH_IS(&p->b, "SELECT state FROM actions WHERE uuid = 'm1' AND kind = 'install'",
             "cancelled");
    BENCH_IS(&p->b, "SELECT state FROM actions WHERE uuid = 'm1' AND kind = 'cancel'", "queued");
    assert_int_equal(p->b.orders, 2);
    assert_int_equal(machine_result(&p->b, &p->m[0], id, "cancelled", "cancelled", ""), 200);
    BENCH_IS(&p->b, "SELECT state FROM actions WHERE uuid = 'm0' AND kind = 'install'",
             "cancelled");
}

/* Between its times and within its windows alone. */
static void test_times(void **state)
{
    struct place *p = *state;
    char id[33];
    assert_int_equal(machine_greet(&p->b, &p->m[0], 10), 200);
    assert_int_equal(
        create(p, &p->p, "{" RINGS ",\"windows\":\"1999-12-31 10:00-11:00\"}", 3600, "", id), 200);
    turn(p);
    assert_int_equal(p->b.orders, 0);
    HOST(p, "m0", "queued");
    bench_exec(&p->b, "UPDATE rollouts SET plan = '" BY_HAND "'"); /* its window opens */
    turn(p);
    assert_int_equal(p->b.orders, 1);
    bench_exec(&p->b, "UPDATE rollouts SET not_after = 1");
    turn(p);
    ROLLOUT(p, "ended 0");
    assert_int_equal(ask(p, "POST", id, "/resume"), 409);
}

/* A ring that waits for its time is not open: what it must be open for begins with that. */
static void test_time_of_a_ring(void **state)
{
    struct place *p = *state;
    char id[33];
    assert_int_equal(machine_greet(&p->b, &p->m[0], 10), 200);
    assert_int_equal(create(p, &p->p, "{" RINGS ",\"min_time_s\":2000}", 3600, "", id), 200);
    serve(p);
    ack(p, 10, id);
    assert_int_equal(machine_result(&p->b, &p->m[0], id, "done", "ok", ""), 200);
    bench_exec(&p->b, "UPDATE rollouts SET ring_since = ring_since - 100000"); /* made long ago, */
    turn(p);
    ROLLOUT(p, "running 0"); /* for 1,000 s ago */
    bench_exec(&p->b, "UPDATE rollouts SET not_before = not_before - 100000");
    turn(p);
    ROLLOUT(p, "running 1");
}

static void test_what_is_not_taken(void **state)
{
    struct place *p = *state;
    struct person other;
    char id[33];
    person_new(&p->b, &other, false);
    assert_int_equal(create(p, &other, PLAN, 3600, "", id), 403); /* not trusted */
    person_free(&other);
    assert_int_equal(create(p, &p->p, PLAN, -10, "", id), 400); /* expired */
    assert_int_equal(create(p, &p->p, "{\"rings\":[]}", 3600, "", id), 400);
    assert_int_equal(create(p, &p->p, PLAN, 3600, "00000000000000000000000000000000", id), 404);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM rollouts", "0");
    assert_int_equal(ask(p, "GET", "00000000000000000000000000000000", ""), 404);
    assert_int_equal(ask(p, "GET", "x", ""), 404);
    bench_exec(&p->b, "UPDATE users SET role = 'helpdesk'");
    assert_int_equal(create(p, &p->p, PLAN, 3600, "", id), 403);
    bench_exec(&p->b, "UPDATE users SET role = 'superadmin'");
    assert_int_equal(create(p, &p->p, PLAN, 3600, "", id), 200);
    assert_int_equal(ask(p, "GET", id, ""), 200);
    bench_exec(&p->b, "UPDATE users SET role = 'helpdesk'");
    assert_int_equal(ask(p, "POST", id, "/stop"), 403);
    assert_int_equal(ask(p, "GET", id, ""), 200);
}

static void ask_by_token(struct place *p, const char *group, const char *id, int status)
{
    char body[256], path[128], token[128];
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 1u << 20);
    (void)snprintf(body, sizeof body,
                   "{\"name\":\"t\",\"days\":1,\"rights\":[\"view\"],\"perimeter\":{\"groups\":["
                   "\"%s\"]}}",
                   group);
    assert_int_equal(
        bench_ask(&p->b, "POST", "/api/v1/account/tokens", "", p->token, wa_sv(body), &out), 200);
    const char *at = strstr(wa_buf_str(&out), "\"token\":\"");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\"token\":\"%127[^\"]\"", token), 1);
    (void)snprintf(path, sizeof path, "/api/v1/rollouts/%s", id);
    assert_int_equal(bench_ask(&p->b, "GET", path, "", token, WA_SV(""), NULL), status);
}

/* Outside a person's perimeter there is none. */
static void test_perimeter(void **state)
{
    struct place *p = *state;
    struct wa_buf out;
    char id[33];
    wa_buf_init(&out, 1u << 20);
    assert_int_equal(create(p, &p->p, PLAN, 3600, "", id), 200);
    bench_exec(&p->b, "UPDATE users SET role = 'deployer', perimeter = '{\"groups\":[\"grp-b\"]}'");
    assert_int_equal(create(p, &p->p, PLAN, 3600, "", id), 403);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM rollouts", "1");
    bench_query(&p->b, "SELECT id FROM rollouts", id, sizeof id);
    assert_int_equal(ask(p, "GET", id, ""), 404);
    assert_int_equal(ask(p, "POST", id, "/stop"), 404);
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/rollouts", "", p->token, WA_SV(""), &out),
                     200);
    assert_string_equal(wa_buf_str(&out), "{\"total\":0,\"rollouts\":[]}");
    bench_exec(&p->b, "UPDATE users SET perimeter = '{\"groups\":[\"grp-a\",\"grp-b\"]}'");
    /* Of a token's perimeter and its person's: what is in both. */
    ask_by_token(p, "grp-b", id, 404);
    ask_by_token(p, "grp-a", id, 200);
    /* A list of many reads no certificate of any. */
    bench_exec(&p->b, "UPDATE rollouts SET orders = replace(orders, 'CERTIFICATE', 'NOTHING')");
    wa_buf_clear(&out);
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/rollouts", "", p->token, WA_SV(""), &out),
                     200);
    assert_non_null(strstr(wa_buf_str(&out), id));
    assert_int_equal(ask(p, "POST", id, "/stop"), 200);
    wa_buf_fini(&out);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ring_by_ring),
        TEST(test_halts_by_itself_and_goes_on),
        TEST(test_waits_for_what_is_in_use),
        TEST(test_refused_and_then_done),
        TEST(test_paused_and_stopped),
        TEST(test_cancelled),
        TEST(test_times),
        TEST(test_time_of_a_ring),
        TEST(test_what_is_not_taken),
        TEST(test_perimeter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
