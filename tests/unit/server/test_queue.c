/* A machine's own queue: asked for while somebody looks, taken with distrust, shown to those who
 * may see the machine. */
#include "bench.h"

#include "os/clock.h"
#include "server/api.h"
#include "server/store_people.h"

#define QUEUE "/api/v1/hosts/machine/queue"
#define TASK(id, by)                                                                               \
    "{\"id\":" id ",\"kind\":\"upgrade\",\"state\":\"running\",\"code\":\"\",\"message\":\"\","    \
    "\"created_by\":\"" by "\",\"created\":10,\"not_before\":0,\"started\":11,\"finished\":0,"     \
    "\"progress\":5,\"packages\":[],\"waits_for\":[],\"priority\":100,\"cancel\":\"\","            \
    "\"log\":\"\"}"
#define TOLD(tasks) "{\"type\":\"queue\",\"stopped\":false,\"left_out\":0,\"tasks\":[" tasks "]}"

struct place {
    struct bench b;
    struct machine m;
    char admin[65], limited[65];
    struct wa_buf out;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct wa_err err = WA_ERR_INIT;
    bench_new(&p->b);
    wa_buf_init(&p->out, 1u << 20);
    bench_token(&p->b, "t", wa_clock_now() + 3600, 9);
    machine_new(&p->m, "machine");
    assert_int_equal(machine_register(&p->b, &p->m, WA_CRED_TOKEN, "t"), 200);
    WA_ASSERT_OK(wa_store_set_user(p->b.store->db, "limited", "H", "superadmin", &err));
    WA_ASSERT_OK(
        wa_store_set_perimeter(p->b.store->db, "limited", "{\"groups\":[\"sales\"]}", &err));
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, p->admin), 200);
    assert_int_equal(bench_login(&p->b, "10.0.0.1", "limited", BENCH_PASSWORD, p->limited), 200);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    wa_buf_fini(&p->out);
    machine_free(&p->m);
    bench_free(&p->b);
    free(p);
    return 0;
}

static int look(struct place *p, const char *query, const char *token)
{
    return bench_ask(&p->b, "GET", QUEUE, query, token, WA_SV(""), &p->out);
}

/* As an administrator sees it. */
static const char *shown(struct place *p)
{
    assert_int_equal(look(p, "", p->admin), 200);
    return wa_buf_str(&p->out);
}

static void tell(struct place *p, uint32_t conn, const char *text)
{
    int status;
    bench_send(&p->b, WA_S_QUEUE, conn, wa_sv(text));
    (void)bench_serve(&p->b, UINT32_MAX, &status, NULL);
}

static void test_it_is_asked_for_while_somebody_looks(void **state)
{
    struct place *p = *state;
    assert_non_null(strstr(shown(p), "\"reachable\":false,\"at\":0,\"queue\":null"));
    assert_int_equal(look(p, "watch=1", p->admin), 200); /* it is not here */
    assert_int_equal(p->b.watched, 0);
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    (void)shown(p); /* who reads is nobody who looks */
    assert_int_equal(look(p, "watch=0", p->admin), 200);
    assert_int_equal(p->b.watched, 0);
    assert_int_equal(look(p, "watch=2", p->admin), 400);
    assert_int_equal(look(p, "watch=1", p->admin), 200);
    assert_int_equal(p->b.watched, 1);
    assert_int_equal(p->b.watched_last, 5);
    for (int i = 0; i < 20; i++) /* however many look */
        assert_int_equal(look(p, "watch=1", p->admin), 200);
    assert_int_equal(p->b.watched, 1);
    p->b.store->asks[0].at_ms -= 5000;
    assert_int_equal(look(p, "watch=1", p->admin), 200);
    assert_int_equal(p->b.watched, 2);
    tell(p, 5, TOLD(TASK("1", "scheduler")));
    assert_non_null(strstr(shown(p), "\"reachable\":true"));
    assert_non_null(strstr(shown(p), "\"created_by\":\"scheduler\""));
    assert_null(strstr(shown(p), "\"at\":0"));
    tell(p, 5, TOLD(TASK("2", "uid 1000 (alice)")));
    assert_null(strstr(shown(p), "scheduler"));
    assert_non_null(strstr(shown(p), "uid 1000 (alice)"));
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM queues", "1");
}

/* What it told last stays, and says when that was. */
static void test_a_machine_that_goes_away(void **state)
{
    struct place *p = *state;
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    tell(p, 5, TOLD(TASK("1", "scheduler")));
    bench_exec(&p->b, "UPDATE queues SET at = 77");
    bench_send(&p->b, WA_S_GONE, 0, WA_SV("{\"conn\":5}"));
    assert_non_null(strstr(shown(p), "\"reachable\":false,\"at\":77"));
    tell(p, 5, TOLD(TASK("9", "nobody"))); /* the connection is nobody's any more */
    assert_null(strstr(shown(p), "nobody"));
    assert_int_equal(
        bench_ask(&p->b, "DELETE", "/api/v1/hosts/machine", "", p->admin, WA_SV(""), NULL), 200);
    assert_int_equal(look(p, "", p->admin), 404);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM queues", "0");
}

static void test_what_is_odd_changes_nothing(void **state)
{
    static const char *const odd[] = {
        "",
        "{",
        "[]",
        "{\"type\":\"ack\",\"id\":\"0123456789abcdef0123456789abcdef\"}",
        TOLD("{}"),
        TOLD(TASK("-1", "x")),
        TOLD(TASK("1", "x") "," TASK("\"2\"", "x")),
        "{\"type\":\"queue\",\"stopped\":false,\"left_out\":0,\"tasks\":{}}",
        "{\"type\":\"queue\",\"tasks\":[]}",
    };
    struct place *p = *state;
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    tell(p, 5, TOLD(TASK("1", "<script>\\\"&\\u0000\\u202e")));
    assert_non_null(strstr(shown(p), "<script>\\\"&\\u0000"));
    for (size_t i = 0; i < WA_COUNT(odd); i++) {
        tell(p, 5, odd[i]);
        assert_non_null(strstr(shown(p), "<script>"));
    }
    tell(p, 6, TOLD(TASK("2", "of no connection")));
    assert_non_null(strstr(shown(p), "<script>"));
}

static void test_who_may_see_it(void **state)
{
    struct place *p = *state;
    uint32_t stream;
    int status = 0;
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    assert_int_equal(look(p, "watch=1", p->limited), 404);
    assert_int_equal(look(p, "watch=1", ""), 401);
    assert_int_equal(p->b.watched, 0); /* nor has anybody the machine asked */
    assert_int_equal(
        bench_ask(&p->b, "GET", "/api/v1/events", "kinds=queue", p->limited, WA_SV(""), NULL), 200);
    stream = p->b.stream_id;
    wa_buf_clear(&p->b.stream);
    tell(p, 5, TOLD(TASK("1", "scheduler")));
    wa_store_tell_watchers(p->b.store);
    (void)bench_serve(&p->b, stream, &status, NULL);
    assert_null(strstr(wa_buf_str(&p->b.stream), "machine"));
    assert_int_equal(
        bench_ask(&p->b, "GET", "/api/v1/events", "kinds=queue", p->admin, WA_SV(""), NULL), 200);
    tell(p, 5, TOLD(TASK("1", "scheduler")));
    wa_store_tell_watchers(p->b.store);
    (void)bench_serve(&p->b, p->b.stream_id, &status, NULL);
    assert_non_null(strstr(wa_buf_str(&p->b.stream),
                           "\"kind\":\"queue\",\"what\":\"told\",\"uuid\":\"machine\""));
}

/* Somebody who looks at a machine floods no other system. */
static void test_it_is_not_for_webhooks(void **state)
{
    struct place *p = *state;
    static const char *const kinds[] = {"queue", "host,queue"};
    char body[128];
    assert_int_equal(machine_greet(&p->b, &p->m, 5), 200);
    for (size_t i = 0; i < WA_COUNT(kinds); i++) {
        (void)snprintf(body, sizeof body,
                       "{\"url\":\"https://hook.example.org/\",\"kinds\":\"%s\"}", kinds[i]);
        assert_int_equal(
            bench_ask(&p->b, "POST", "/api/v1/webhooks", "", p->admin, wa_sv(body), NULL), 400);
    }
    assert_int_equal(bench_ask(&p->b, "POST", "/api/v1/webhooks", "", p->admin,
                               WA_SV("{\"url\":\"https://hook.example.org/\"}"), NULL),
                     200);
    wa_store_hooks(p->b.store);
    tell(p, 5, TOLD(TASK("1", "scheduler")));
    wa_store_hooks(p->b.store);
    assert_null(strstr(wa_buf_str(&p->b.hook_asked), "\"kind\":\"queue\""));
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM webhook_queue WHERE event LIKE '%\"kind\":\"queue\"%'",
             "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_is_asked_for_while_somebody_looks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_machine_that_goes_away, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_odd_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_may_see_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_is_not_for_webhooks, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
