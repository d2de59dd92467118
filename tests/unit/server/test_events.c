/* Live events: the ring, and who is told what of it. */
#include "bench.h"

#include "os/clock.h"

/* --- the ring --- */

static void add(struct wa_events *e, enum wa_event_kind kind, const char *name, int64_t now)
{
    struct wa_event v = {.kind = kind, .what = "state"};
    (void)snprintf(v.name, sizeof v.name, "%s", name);
    wa_events_add(e, &v, now);
}

/* All names after id, the number of the last in *id. */
static void read_all(const struct wa_events *e, uint64_t *id, struct wa_buf *out)
{
    const struct wa_event *v;
    wa_buf_clear(out);
    while ((v = wa_events_next(e, *id)) != NULL) {
        assert_true(v->id > *id);
        *id = v->id;
        wa_buf_addf(out, "%s ", v->name[0] != '\0' ? v->name : v->what);
    }
}

static void test_ring(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_events) struct wa_events *e = NULL;
    WA_AUTO_BUF struct wa_buf said;
    char name[32];
    int64_t now = 1000;
    WA_UNUSED(state);
    wa_buf_init(&said, 1u << 20);
    WA_ASSERT_OK(wa_events_new(now, 7, &e, &err));
    uint64_t first = wa_events_last(e), at = first;
    assert_null(wa_events_next(e, at));
    assert_true(wa_events_has_after(e, first));
    assert_false(wa_events_has_after(e, first - 1)); /* of another run */
    assert_false(wa_events_has_after(e, first + 1)); /* of a clock that was ahead */
    add(e, WA_EVENT_HOST, "a", now);
    add(e, WA_EVENT_ACTION, "b", now);
    read_all(e, &at, &said);
    assert_string_equal(wa_buf_str(&said), "a b ");
    /* Full: the oldest go. */
    for (size_t i = 0; i < WA_EVENTS_KEPT; i++) {
        (void)snprintf(name, sizeof name, "%zu", i);
        add(e, WA_EVENT_HOST, name, now += i % WA_EVENTS_A_SECOND == 0);
    }
    assert_false(wa_events_has_after(e, at - 1));
    assert_true(wa_events_has_after(e, at));
    assert_string_equal(wa_events_next(e, at)->name, "0");
    assert_string_equal(wa_events_next(e, first)->name, "0"); /* as far as there is */
    /* A later run's numbers are greater. */
    WA_AUTO(wa_events) struct wa_events *later = NULL;
    WA_ASSERT_OK(wa_events_new(now, 7, &later, &err));
    assert_true(wa_events_last(later) > wa_events_last(e));
}

/* 100,000 in a second are told as some, and one that says that there are many. */
static void test_storm(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_events) struct wa_events *e = NULL;
    WA_AUTO_BUF struct wa_buf said;
    WA_UNUSED(state);
    wa_buf_init(&said, 1u << 20);
    WA_ASSERT_OK(wa_events_new(1000, 7, &e, &err));
    uint64_t at = wa_events_last(e);
    for (int i = 0; i < 100000; i++)
        add(e, WA_EVENT_HOST, "h", 1000);
    add(e, WA_EVENT_PACKAGE, "p", 1000);
    assert_int_equal(wa_events_last(e) - at, WA_EVENTS_A_SECOND + 1); /* packages have their own */
    assert_false(wa_events_tick(e, 1000));
    at = wa_events_last(e);
    assert_true(wa_events_tick(e, 1001));
    read_all(e, &at, &said);
    assert_string_equal(wa_buf_str(&said), "many ");
    assert_false(wa_events_tick(e, 1002));
}

static void test_texts(void **state)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_event v = {.id = 7,
                         .at = 9,
                         .kind = WA_EVENT_HOST,
                         .what = "status",
                         .uuid = "u\n\nevent: x",
                         .state = "\"</script>"};
    struct wa_err err = WA_ERR_INIT;
    unsigned kinds = 0;
    WA_UNUSED(state);
    wa_buf_init(&out, 4096);
    wa_event_stream(&v, &out);
    assert_string_equal(wa_buf_str(&out),
                        "id: 7\nevent: host\ndata: {\"id\":7,\"at\":9,\"kind\":\"host\",\"what\":"
                        "\"status\",\"uuid\":\"u\\n\\nevent: x\",\"state\":\"\\\"</script>\"}\n\n");
    WA_ASSERT_OK(wa_event_kinds_read(WA_SV("host,person"), &kinds, &err));
    assert_int_equal(kinds, 1u << WA_EVENT_HOST | 1u << WA_EVENT_PERSON);
    WA_ASSERT_OK(wa_event_kinds_read(WA_SV(""), &kinds, &err));
    assert_int_equal(kinds, (1u << WA_EVENT_KINDS) - 1);
    assert_int_equal(wa_event_kinds_read(WA_SV("host,"), &kinds, &err), WA_E_USAGE);
}

/* --- who is told --- */

struct place {
    struct bench b;
    struct machine m;
    char token[65];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    bench_new(&p->b);
    bench_token(&p->b, "t", wa_clock_now() + 3600, 9);
    machine_new(&p->m, "machine");
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, p->token), 200);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    machine_free(&p->m);
    bench_free(&p->b);
    free(p);
    return 0;
}

static int watch(struct place *p, const char *query)
{
    int status = 0;
    status = bench_ask(&p->b, "GET", "/api/v1/events", query, p->token, WA_SV(""), NULL);
    return status;
}

/* What has come since the last time, as "kind what," for each event. */
static const char *heard(struct place *p, char *out, size_t size)
{
    struct wa_sv rest, line;
    size_t n = 0;
    int status = 0;
    wa_store_tell_watchers(p->b.store);
    (void)bench_serve(&p->b, 0, &status, NULL);
    rest = wa_buf_sv(&p->b.stream);
    out[0] = '\0';
    while (wa_sv_split(&rest, '\n', &line)) {
        const char *what = wa_sv_starts(line, "data: ") ? strstr(line.p, "\"what\":\"") : NULL;
        if (wa_sv_starts(line, "event: "))
            n += (size_t)snprintf(out + n, size - n, "%.*s ", (int)line.n - 7, line.p + 7);
        if (what != NULL)
            n += (size_t)snprintf(out + n, size - n, "%.*s,", (int)strcspn(what + 8, "\""),
                                  what + 8);
    }
    wa_buf_clear(&p->b.stream);
    return out;
}

static void test_a_machines_life(void **state)
{
    struct place *p = *state;
    char text[1024];
    char ids[1][33];
    struct person signer;
    WA_AUTO_BUF struct wa_buf order;
    const char *const uuids[] = {"machine"};
    assert_int_equal(watch(p, ""), 200);
    assert_true(p->b.stream_open);
    assert_string_equal(heard(p, text, sizeof text), "");
    assert_int_equal(machine_register(&p->b, &p->m, WA_CRED_TOKEN, "t"), 200);
    assert_string_equal(heard(p, text, sizeof text), "host registered,");
    assert_int_equal(machine_greet(&p->b, &p->m, 1000), 200);
    assert_int_equal(machine_status(&p->b, &p->m, "ERROR"), 200);
    assert_int_equal(machine_status(&p->b, &p->m, "ERROR"), 200);
    assert_string_equal(heard(p, text, sizeof text), "host connected,host status,host inventory,");
    person_new(&p->b, &signer, true);
    person_order(&signer, uuids, 1, ids, &order);
    assert_int_equal(
        bench_ask(&p->b, "POST", "/api/v1/actions", "", p->token, wa_buf_sv(&order), NULL), 200);
    assert_int_equal(machine_result(&p->b, &p->m, ids[0], "done", "ok", ""), 200);
    assert_string_equal(heard(p, text, sizeof text), "action ordered,action state,");
    bench_send(&p->b, WA_S_GONE, 0, WA_SV("{\"conn\":1000}"));
    assert_int_equal(
        bench_ask(&p->b, "DELETE", "/api/v1/packages/a.wapt", "", p->token, WA_SV(""), NULL), 200);
    assert_string_equal(heard(p, text, sizeof text), "host disconnected,package deleted,");
    assert_int_equal(
        bench_ask(&p->b, "DELETE", "/api/v1/hosts/machine", "", p->token, WA_SV(""), NULL), 200);
    assert_string_equal(heard(p, text, sizeof text), "host forgotten,");
    person_free(&signer);
}

static void test_filter_and_resumption(void **state)
{
    struct place *p = *state;
    char text[1024], query[64];
    uint64_t before = wa_events_last(p->b.store->events);
    assert_int_equal(machine_register(&p->b, &p->m, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(watch(p, "kinds=package"), 200);
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 200);
    assert_string_equal(heard(p, text, sizeof text), "");
    wa_store_watcher_gone(p->b.store, 0, p->b.stream_id);
    (void)snprintf(query, sizeof query, "after=%llu", (unsigned long long)before);
    assert_int_equal(watch(p, query), 200);
    assert_string_equal(heard(p, text, sizeof text), "host registered,host status,");
    wa_store_watcher_gone(p->b.store, 0, p->b.stream_id);
    assert_int_equal(p->b.store->watcher_count, 0);
    assert_int_equal(watch(p, "after=5"), 200); /* long ago */
    assert_string_equal(heard(p, text, sizeof text), "reload reload,");
    assert_int_equal(watch(p, "kinds=hosts"), 400);
    assert_int_equal(watch(p, "after=x"), 400);
    assert_int_equal(watch(p, "since=1"), 400);
}

static void test_rights(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    char text[1024];
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/events", "", "", WA_SV(""), NULL), 401);
    WA_ASSERT_OK(wa_store_set_role(p->b.store->db, "admin", "readonly", &err));
    assert_int_equal(watch(p, "kinds=person"), 403);
    assert_int_equal(watch(p, ""), 200);
    wa_store_event(p->b.store, WA_EVENT_PERSON, "changed", WA_SV(""), WA_SV("x"), WA_SV(""));
    wa_store_event(p->b.store, WA_EVENT_HOST, "status", WA_SV("h"), WA_SV(""), WA_SV("OK"));
    assert_string_equal(heard(p, text, sizeof text), "host status,");
    WA_ASSERT_OK(wa_store_set_role(p->b.store->db, "admin", "emperor", &err)); /* no right at all */
    wa_store_event(p->b.store, WA_EVENT_HOST, "status", WA_SV("h"), WA_SV(""), WA_SV("OK"));
    assert_string_equal(heard(p, text, sizeof text), "");
    WA_ASSERT_OK(wa_store_disable(p->b.store->db, "admin", true, &err));
    assert_string_equal(heard(p, text, sizeof text), "end end,");
    assert_false(p->b.stream_open);
    assert_int_equal(p->b.store->watcher_count, 0);
}

/* What is about a machine reaches only those who see the machine, as the fleet is by then. */
static void test_perimeter(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    char text[1024], admin[65];
    int status = 0;
    assert_int_equal(machine_register(&p->b, &p->m, WA_CRED_TOKEN, "t"), 200);
    WA_ASSERT_OK(wa_store_set_user(p->b.store->db, "limited", "H", "superadmin", &err));
    memcpy(admin, p->token, sizeof admin);
    WA_ASSERT_OK(
        wa_store_set_perimeter(p->b.store->db, "limited", "{\"groups\":[\"sales\"]}", &err));
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "limited", BENCH_PASSWORD, p->token), 200);
    assert_int_equal(watch(p, ""), 200);
    assert_int_equal(machine_greet(&p->b, &p->m, 1000), 200);
    wa_store_event(p->b.store, WA_EVENT_PACKAGE, "published", WA_SV(""), WA_SV("x"), WA_SV(""));
    assert_string_equal(heard(p, text, sizeof text), "package published,");
    /* Of others' orders and roll-outs: that there is something, not which and how it is. */
    wa_store_event(p->b.store, WA_EVENT_ACTION, "ordered", WA_SV(""), WA_SV("whose"), WA_SV("s"));
    wa_store_event(p->b.store, WA_EVENT_ROLLOUT, "progress", WA_SV(""), WA_SV("whose"), WA_SV("s"));
    wa_store_tell_watchers(p->b.store);
    (void)bench_serve(&p->b, 0, &status, NULL);
    assert_false(wa_sv_has(wa_buf_sv(&p->b.stream), WA_SV("whose")));
    assert_false(wa_sv_has(wa_buf_sv(&p->b.stream), WA_SV("state")));
    assert_string_equal(heard(p, text, sizeof text), "action many,rollout many,");
    p->b.scan_answer = "{\"code\":\"ok\",\"message\":\"\",\"file\":\"a.wapt\",\"text\":\"sales\"}";
    assert_int_equal(bench_publish(&p->b, admin, "machine", NULL), 200);
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 200);
    assert_string_equal(heard(p, text, sizeof text), "package published,host status,");
}

static void test_room(void **state)
{
    struct place *p = *state;
    char text[1024];
    for (size_t i = 0; i < WA_WATCHERS_PERSON_MAX; i++)
        assert_int_equal(watch(p, ""), 200);
    assert_int_equal(watch(p, ""), 429);
    /* The front says which one has gone, and only of its own. */
    wa_store_watcher_gone(p->b.store, 1, p->b.stream_id);
    assert_int_equal(watch(p, ""), 429);
    (void)snprintf(text, sizeof text, "{\"conn\":%u}", (unsigned)p->b.stream_id);
    bench_send(&p->b, WA_S_GONE, 0, wa_sv(text));
    assert_int_equal(watch(p, ""), 200);
    /* Whoever is told much is told it in parts. */
    for (int i = 0; i < 3; i++)
        wa_store_event(p->b.store, WA_EVENT_HOST, "status", WA_SV("h"), WA_SV(""), WA_SV("OK"));
    (void)heard(p, text, sizeof text);
    assert_non_null(strstr(text, "host status,host status,host status,"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring),
        cmocka_unit_test(test_storm),
        cmocka_unit_test(test_texts),
        cmocka_unit_test_setup_teardown(test_a_machines_life, setup, teardown),
        cmocka_unit_test_setup_teardown(test_filter_and_resumption, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rights, setup, teardown),
        cmocka_unit_test_setup_teardown(test_perimeter, setup, teardown),
        cmocka_unit_test_setup_teardown(test_room, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
