/* Webhooks: made, queued, signed, sent, tried again, given up. */
#include "bench.h"

#include "codec/hex.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "server/hooks.h"

struct place {
    struct bench b;
    char token[65], id[WA_HOOK_ID], secret[WA_HOOK_SECRET];
    struct wa_buf out;
};

static int ask(struct place *p, const char *method, const char *path, const char *body)
{
    return bench_ask(&p->b, method, path, "", p->token, wa_sv(body), &p->out);
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    bench_new(&p->b);
    p->b.store->node.is_alone = p->b.store->node.is_leading = true;
    wa_buf_init(&p->out, 1u << 20);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, p->token), 200);
    assert_int_equal(ask(p, "POST", "/api/v1/webhooks",
                         "{\"url\":\"https://hook.example.org/x?y=1\",\"kinds\":\"host,package\"}"),
                     200);
    assert_int_equal(sscanf(wa_buf_str(&p->out),
                            "{\"id\":\"%16[0-9a-f]\",\"secret\":\"%64[0-9a-f]\"}", p->id,
                            p->secret),
                     2);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    wa_buf_fini(&p->out);
    bench_free(&p->b);
    free(p);
    return 0;
}

static void happen(struct place *p, enum wa_event_kind kind, const char *name)
{
    wa_store_event(p->b.store, kind, "changed", WA_SV("u"), wa_sv(name), WA_SV(""));
}

/* Once around the clock. */
static void turn(struct place *p)
{
    int status = 0;
    wa_store_hooks(p->b.store);
    (void)bench_serve(&p->b, 0, &status, NULL);
}

static void test_where(void **state)
{
    static const char *const cases[][2] = {
        {"https://example.org", "https://example.org"},
        {"https://example.org/", "https://example.org/"},
        {"https://example.org:8443/T0/B0/secret", "https://example.org:8443/..."},
        {"https://example.org?key=secret", "https://example.org/..."},
        {"http://[::1]:80/x://y", "http://[::1]:80/..."},
        {"https:///", "https:///"},
        {"secret", "secret"}, /* no address: none is kept */
        {"://", "://"},
        {"", ""}};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        char out[WA_HOOK_WHERE];
        wa_hook_where(wa_sv(cases[i][0]), out);
        assert_string_equal(out, cases[i][1]);
    }
}

/* The signature of the last request is right, and over what it says. */
static void check_signature(struct place *p)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv body = wa_buf_sv(&p->b.hook_asked), head = {NULL, 0};
    uint8_t mac[WA_SHA256_SIZE];
    char hex[2 * WA_SHA256_SIZE + 1];
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&text, 1u << 20);
    assert_true(wa_sv_split(&body, '\n', &head));
    WA_ASSERT_OK(wa_json_parse(head, 0, &arena, &j, &err));
    wa_buf_addf(&text, "%.*s.%.*s.", WA_SV_ARG(wa_json_sv(wa_json_get(j, "id"))),
                WA_SV_ARG(wa_json_sv(wa_json_get(j, "time"))));
    wa_buf_addsv(&text, body);
    WA_ASSERT_OK(wa_hmac_sha256(wa_sv(p->secret), wa_buf_sv(&text), mac, &err));
    wa_hex_encode(mac, sizeof mac, hex);
    WA_ASSERT_SV(wa_json_sv(wa_json_get(j, "signature")), hex);
    assert_null(strstr(wa_buf_str(&p->b.hook_asked), p->secret));
}

static void test_sent(void **state)
{
    struct place *p = *state;
    turn(p);
    assert_int_equal(p->b.hooked, 0);
    happen(p, WA_EVENT_HOST, "one");
    happen(p, WA_EVENT_ACTION, "not wanted");
    happen(p, WA_EVENT_PACKAGE, "two");
    turn(p);
    assert_int_equal(p->b.hooked, 1);
    const char *text = wa_buf_str(&p->b.hook_asked);
    assert_non_null(strstr(text, "\"name\":\"one\""));
    assert_true(strstr(text, "\"name\":\"one\"") < strstr(text, "\"name\":\"two\""));
    assert_null(strstr(text, "not wanted"));
    check_signature(p);
    turn(p);
    assert_int_equal(p->b.hooked, 1);
    assert_int_equal(ask(p, "GET", "/api/v1/webhooks", ""), 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "\"last_result\":\"status 204\""));
    assert_null(strstr(wa_buf_str(&p->out), p->secret));
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM webhook_queue", "0");
    /* Where it goes is kept for ever; what is behind that may be the receiver's secret. */
    BENCH_IS(&p->b,
             "SELECT COUNT(*) FROM journal WHERE entry LIKE '%webhook.added%' AND entry LIKE "
             "'%\"https://hook.example.org/...\"%'",
             "1");
}

/* Several at the same time, of one host a few, of one webhook one. */
static void test_at_once(void **state)
{
    static const char *const urls[] = {"https://a.example.org/1", "https://a.example.org/2",
                                       "https://a.example.org/3", "https://b.example.org/"};
    struct place *p = *state;
    size_t busy = 0;
    for (size_t i = 0; i < WA_COUNT(urls); i++) {
        char body[128];
        (void)snprintf(body, sizeof body, "{\"url\":\"%s\",\"kinds\":\"package\"}", urls[i]);
        assert_int_equal(ask(p, "POST", "/api/v1/webhooks", body), 200);
    }
    happen(p, WA_EVENT_PACKAGE, "one");
    wa_store_hooks(p->b.store);
    wa_store_hooks(p->b.store);
    for (size_t i = 0; i < WA_HOOKS_AT_ONCE; i++)
        busy += p->b.store->hooking[i] != NULL;
    assert_int_equal(busy, 4);
    for (int i = 0; i < 8; i++)
        turn(p);
    assert_int_equal(p->b.hooked, 5);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM webhook_queue", "0");
}

/* Much is sent in parts, in order. */
static void test_many(void **state)
{
    struct place *p = *state;
    char name[16];
    for (int i = 0; i < 250; i++) { /* more than one second tells of */
        (void)snprintf(name, sizeof name, "n%d", i);
        happen(p, i % 2 != 0 ? WA_EVENT_HOST : WA_EVENT_PACKAGE, name);
    }
    turn(p);
    assert_true(p->b.hooked >= 2 && p->b.hooked <= 3);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM webhook_queue", "0");
}

static void test_tried_again(void **state)
{
    struct place *p = *state;
    p->b.hook_answer = "{\"status\":500}";
    happen(p, WA_EVENT_HOST, "one");
    turn(p);
    happen(p, WA_EVENT_HOST, "two");
    turn(p); /* not before its time */
    assert_int_equal(p->b.hooked, 1);
    BENCH_IS(&p->b, "SELECT tries FROM webhooks", "1");
    bench_exec(&p->b, "UPDATE webhooks SET due = 0");
    p->b.hook_answer = "{\"message\":\"no address of it may be connected to\"}";
    turn(p);
    assert_int_equal(p->b.hooked, 2);
    BENCH_IS(&p->b, "SELECT last_result FROM webhooks", "no address of it may be connected to");
    bench_exec(&p->b, "UPDATE webhooks SET due = 4000000000"); /* the clock was years ahead */
    p->b.hook_answer = NULL;
    turn(p);
    assert_int_equal(p->b.hooked, 3); /* both in one */
    assert_non_null(strstr(wa_buf_str(&p->b.hook_asked), "\"name\":\"one\""));
    assert_non_null(strstr(wa_buf_str(&p->b.hook_asked), "\"name\":\"two\""));
    BENCH_IS(&p->b, "SELECT failed_since FROM webhooks", "0");
}

static void test_given_up(void **state)
{
    struct place *p = *state;
    char path[64];
    p->b.hook_answer = "{\"status\":500}";
    happen(p, WA_EVENT_HOST, "one");
    turn(p);
    bench_exec(&p->b, "UPDATE webhooks SET due = 0, failed_since = 1");
    turn(p);
    BENCH_IS(&p->b, "SELECT is_disabled FROM webhooks", "1");
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM webhook_queue", "0");
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM journal WHERE entry LIKE '%webhook.disabled%'", "1");
    happen(p, WA_EVENT_HOST, "two");
    turn(p);
    assert_int_equal(p->b.hooked, 2);
    p->b.hook_answer = NULL;
    (void)snprintf(path, sizeof path, "/api/v1/webhooks/%s/test", p->id);
    assert_int_equal(ask(p, "POST", path, ""), 200);
    turn(p);
    assert_int_equal(p->b.hooked, 3);
    assert_non_null(strstr(wa_buf_str(&p->b.hook_asked), "\"what\":\"test\""));
    BENCH_IS(&p->b, "SELECT is_disabled FROM webhooks", "0");
    assert_int_equal(ask(p, "POST", path, ""), 200); /* is on already */
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM journal WHERE entry LIKE '%webhook.enabled%'", "1");
    assert_int_equal(ask(p, "POST", "/api/v1/webhooks/none/test", ""), 404);
}

/* What waits is bounded, and told when it was too much; a new run goes on with it. */
static void test_full(void **state)
{
    struct place *p = *state;
    p->b.hook_answer = "{\"status\":500}";
    happen(p, WA_EVENT_HOST, "first");
    turn(p);
    bench_exec(&p->b, "UPDATE webhooks SET due = due + 1000");
    for (int i = 0; i + 1 < WA_HOOK_QUEUE_MAX; i++) {
        struct wa_stmt *q;
        struct wa_err err = WA_ERR_INIT;
        WA_ASSERT_OK(wa_db_prepare(
            p->b.store->db, "INSERT INTO webhook_queue (hook, number, event) VALUES (?, ?, '{}')",
            &q, &err));
        wa_bind_s(q, 0, p->id);
        wa_bind_i64(q, 1, i + 1);
        WA_ASSERT_OK(wa_run(q, &err));
    }
    happen(p, WA_EVENT_HOST, "too much");
    turn(p);
    BENCH_IS(&p->b, "SELECT missed FROM webhooks", "1");
    p->b.hook_answer = NULL;
    bench_exec(&p->b, "UPDATE webhooks SET due = 0");
    turn(p);
    assert_int_equal(p->b.hooked, 1 + WA_HOOK_QUEUE_MAX / 100);
    BENCH_IS(&p->b, "SELECT missed FROM webhooks", "0");
}

static void test_who_and_where(void **state)
{
    static const char *const wrong[] = {"{\"url\":\"http://example.org/\"}",
                                        "{\"url\":\"ftp://example.org/\"}",
                                        "{\"url\":\"https://a:b@example.org/\"}",
                                        "{\"url\":\"https://example.org/\",\"kinds\":\"all\"}",
                                        "{\"url\":\"https://example.org/\",\"secret\":\"x\"}",
                                        "{}",
                                        ""};
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    char path[64];
    for (size_t i = 0; i < WA_COUNT(wrong); i++)
        if (ask(p, "POST", "/api/v1/webhooks", wrong[i]) != 400)
            fail_msg("%s: %s", wrong[i], wa_buf_str(&p->out));
    assert_int_equal(ask(p, "POST", "/api/v1/webhooks", "{\"url\":\"http://127.0.0.1:8000/\"}"),
                     200);
    for (unsigned i = 2; i < WA_HOOKS_MAX; i++)
        assert_int_equal(ask(p, "POST", "/api/v1/webhooks", "{\"url\":\"https://example.org/\"}"),
                         200);
    assert_int_equal(ask(p, "POST", "/api/v1/webhooks", "{\"url\":\"https://example.org/\"}"), 413);
    (void)snprintf(path, sizeof path, "/api/v1/webhooks/%s", p->id);
    assert_int_equal(ask(p, "DELETE", path, ""), 200);
    assert_int_equal(ask(p, "DELETE", path, ""), 404);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM journal WHERE entry LIKE '%webhook.removed%'", "1");
    WA_ASSERT_OK(wa_store_set_role(p->b.store->db, "admin", "developer", &err));
    assert_int_equal(ask(p, "GET", "/api/v1/webhooks", ""), 403);
    assert_int_equal(ask(p, "POST", "/api/v1/webhooks", "{\"url\":\"https://example.org/\"}"), 403);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where),
        cmocka_unit_test_setup_teardown(test_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tried_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_and_where, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
