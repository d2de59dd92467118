/* The HTTP server's patience: late answers, slow clients, a full house, stopping. The server's
 * clock is the test's: it stands still while something is to be answered, however busy the machine
 * is. */
#include "app.h"

#include <sys/resource.h>
#include <unistd.h>

static uint64_t clock_ms = 1000000;

uint64_t __wrap_wa_loop_now_ms(struct wa_loop *loop);

uint64_t __wrap_wa_loop_now_ms(struct wa_loop *loop)
{
    WA_UNUSED(loop);
    return clock_ms;
}

static const struct wa_http_server_config plenty = {.max_connections = 100, .max_handshakes = 100};

/* --- late answers --- */

static void test_late_answer(void **state)
{
    struct app a;
    struct raw_client r;
    WA_UNUSED(state);
    app_new(&a, &plenty);
    raw_start(&r, a.loop, a.port, WA_SV(GET("/late", "") GET("/hello", "")));
    run_until(a.loop, &a.has_request);
    run_a_little(a.loop);
    assert_int_equal(a.requests, 1); /* one at a time */
    assert_int_equal(r.in.n, 0);
    assert_non_null(a.waiting);
    struct wa_http_conn *c = a.waiting;
    a.waiting = NULL;
    wa_http_answer(c, 200, NULL, WA_SV("late\n"), NULL);
    run_until(a.loop, &r.is_over);
    assert_int_equal(a.requests, 2);
    assert_non_null(strstr(wa_buf_str(&r.in), "\r\n\r\nlate\nHTTP/1.1 200 OK\r\n"));
    raw_end(&r);

    /* The server goes before the answer: the application is told. */
    a.has_request = false;
    raw_start(&r, a.loop, a.port, WA_SV(GET("/late", "")));
    run_until(a.loop, &a.has_request);
    run_a_little(a.loop);
    app_free(&a);
    assert_int_equal(a.gone, 1);
    assert_null(a.waiting);
    wa_fd_close(&r.fd);
    r.io = NULL; /* went with the loop */
    raw_end(&r);
}

/* --- who is cut --- */

static void test_slow_clients(void **state)
{
    static const struct {
        const char *name, *bytes, *more; /* more: sent again and again */
        bool answered;
    } cases[] = {
        {"says nothing", "", NULL, false},
        {"a head in drops", "GET /hello HTTP/1.1\r\nHost: a\r\nX: ", "y", false},
        {"half a head", "GET /hello HTTP/1.1\r\n", NULL, false},
        {"half a body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", NULL,
         false},
        {"a body in drops", "POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\nabc",
         "d", false},
        {"stays without asking", GET("/hello", ""), NULL, true},
        {"a second head in drops", GET("/hello", "") "GET /", "y", true},
    };
    const struct wa_http_server_config hasty = {.max_connections = 10,
                                                .max_handshakes = 10,
                                                .head_timeout_ms = 300,
                                                .idle_timeout_ms = 300,
                                                .stall_timeout_ms = 300,
                                                .sweep_ms = 10};
    WA_UNUSED(state);
    struct app a;
    app_new(&a, &hasty);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct raw_client r;
        raw_start(&r, a.loop, a.port, wa_sv(cases[i].bytes));
        r.half_closes = false;
        while (!r.is_over) { /* ends by the server's hand alone */
            must(wa_loop_turn(a.loop, 5, &err));
            clock_ms += cases[i].answered && r.in.n == 0 ? 0 : 10;
            if (cases[i].more != NULL && !r.is_over && r.out.n == 0)
                raw_more(&r, wa_sv(cases[i].more));
        }
        if (wa_sv_starts(wa_buf_sv(&r.in), "HTTP/1.1 200 ") != cases[i].answered)
            fail_msg("'%s': '%s'", cases[i].name, wa_buf_str(&r.in));
        raw_end(&r);
    }
    app_free(&a);
}

/* Asks for much and does not read it. */
static void test_slow_reader(void **state)
{
    const struct wa_http_server_config hasty = {
        .max_connections = 10, .max_handshakes = 10, .stall_timeout_ms = 40, .sweep_ms = 10};
    struct app a;
    struct raw_client r;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    app_new(&a, &hasty);
    raw_start(&r, a.loop, a.port, WA_SV(GET("/big", "")));
    r.half_closes = false;
    raw_read(&r, false);
    run_until(a.loop, &a.has_request);
    while (wa_http_server_count(a.server) > 0) {
        must(wa_loop_turn(a.loop, 5, &err));
        clock_ms += 10;
    }
    raw_read(&r, true);
    run_until(a.loop, &r.is_over);
    assert_true(r.in.n > 0 && r.in.n < BIG_BYTES);
    raw_end(&r);
    app_free(&a);
}

/* --- a full house --- */

static void test_full_house(void **state)
{
    const struct wa_http_server_config small = {
        .max_connections = 2, .max_handshakes = 10, .sweep_ms = 10};
    struct app a;
    struct raw_client in[2], r;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    app_new(&a, &small);
    for (int i = 0; i < 2; i++) {
        raw_start(&in[i], a.loop, a.port, WA_SV(GET("/hello", "")));
        in[i].half_closes = false;
        while (in[i].in.n == 0)
            must(wa_loop_turn(a.loop, 100, &err));
    }
    raw_start(&r, a.loop, a.port, WA_SV(GET("/hello", "")));
    run_until(a.loop, &r.is_over);
    assert_true(wa_sv_starts(wa_buf_sv(&r.in), "HTTP/1.1 503 "));
    assert_non_null(strstr(wa_buf_str(&r.in), "Retry-After: "));
    raw_end(&r);
    raw_end(&in[0]);
    while (wa_http_server_count(a.server) > 1)
        must(wa_loop_turn(a.loop, 100, &err));
    raw_start(&r, a.loop, a.port, WA_SV(GET("/hello", "")));
    run_until(a.loop, &r.is_over);
    assert_true(wa_sv_starts(wa_buf_sv(&r.in), "HTTP/1.1 200 "));
    raw_end(&r);
    raw_end(&in[1]);
    app_free(&a);
}

/* Descriptors have run out: who knocks waits, and is served once there are some again. */
static void test_no_descriptors(void **state)
{
    const struct wa_http_server_config quick = {
        .max_connections = 10, .max_handshakes = 10, .sweep_ms = 10};
    struct app a;
    struct raw_client r;
    struct rlimit before, none;
    WA_UNUSED(state);
    app_new(&a, &quick);
    raw_start(&r, a.loop, a.port, WA_SV(GET("/hello", "")));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)r.fd; /* all below are in use, or the next one is none of ours */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int filler[64];
    size_t fillers = 0;
    while (fillers < WA_COUNT(filler) && (filler[fillers] = dup(a.file)) >= 0)
        fillers++;
    run_a_little(a.loop);
    assert_int_equal(a.requests, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    while (fillers > 0)
        (void)close(filler[--fillers]);
    run_until(a.loop, &r.is_over);
    assert_true(wa_sv_starts(wa_buf_sv(&r.in), "HTTP/1.1 200 "));
    raw_end(&r);
    app_free(&a);
}

static bool prefers;

static bool is_preferred(void *user, const char *peer)
{
    WA_UNUSED(user);
    assert_string_equal(peer, "127.0.0.1");
    return prefers;
}

/* Unfinished handshakes are counted; the next visitor waits for one of them to end. */
static void test_handshakes(void **state)
{
    const struct wa_http_server_config narrow = {
        .max_connections = 10, .max_handshakes = 2, .is_preferred = is_preferred};
    struct app a = {.file = -1, .big = -1};
    struct identity id;
    struct wa_tls_ctx *tls = NULL;
    struct raw_client r[4];
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    identity_new(&id, IDENTITY_SERVER, "srv", NULL, NULL);
    must(wa_tls_server_ctx(&id.chain, id.key, &tls, &err));
    int fd = listen_loopback(&a.port);
    must(wa_loop_new(&a.loop, &err));
    must(wa_http_server_new(a.loop, &fd, 1, tls, &narrow, &app_events, &a, &a.server, &err));
    for (int i = 0; i < 3; i++) {
        raw_start(&r[i], a.loop, a.port, i == 2 ? WA_SV("this is not TLS") : WA_SV(""));
        r[i].half_closes = false;
        run_a_little(a.loop);
    }
    assert_int_equal(wa_http_server_count(a.server), 3);
    assert_false(r[2].is_over);
    prefers = true; /* who comes now goes before those who wait, in a place of its own */
    raw_start(&r[3], a.loop, a.port, WA_SV("this is not TLS either"));
    r[3].half_closes = false;
    run_until(a.loop, &r[3].is_over);
    prefers = false;
    run_a_little(a.loop);
    assert_false(r[2].is_over);
    raw_end(&r[0]);
    run_until(a.loop, &r[2].is_over); /* its turn, and thrown out */
    raw_end(&r[1]);
    raw_end(&r[2]);
    raw_end(&r[3]);
    wa_http_server_free(a.server);
    wa_loop_free(a.loop);
    wa_tls_ctx_free(tls);
    identity_free(&id);
}

/* --- stopping --- */

static void on_stopped(void *user)
{
    struct app *a = user;
    a->is_stopped = true;
    wa_http_server_free(a->server);
    a->server = NULL;
}

static void test_stop(void **state)
{
    struct app a;
    struct raw_client idle, busy;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    app_new(&a, &plenty);
    raw_start(&idle, a.loop, a.port, WA_SV(GET("/hello", "")));
    idle.half_closes = false;
    while (idle.in.n == 0)
        must(wa_loop_turn(a.loop, 100, &err));
    a.has_request = false;
    raw_start(&busy, a.loop, a.port, WA_SV(GET("/late", "")));
    busy.half_closes = false;
    run_until(a.loop, &a.has_request);
    wa_http_server_stop(a.server, on_stopped, &a);
    run_until(a.loop, &idle.is_over);
    run_a_little(a.loop);
    assert_false(a.is_stopped || busy.is_over);
    wa_http_answer(a.waiting, 200, NULL, WA_SV("done\n"), NULL);
    run_until(a.loop, &busy.is_over);
    assert_string_equal(body_of(&busy), "done\n");
    raw_end(&busy);
    raw_end(&idle);
    run_until(a.loop, &a.is_stopped);
    assert_int_equal(a.gone, 0);
    app_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late_answer),    cmocka_unit_test(test_slow_clients),
        cmocka_unit_test(test_slow_reader),    cmocka_unit_test(test_full_house),
        cmocka_unit_test(test_no_descriptors), cmocka_unit_test(test_handshakes),
        cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
