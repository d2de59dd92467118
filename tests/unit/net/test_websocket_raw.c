/* The server's WebSockets, told raw bytes: handshakes, frames that break the protocol, peers that
 * are silent, do not read, or vanish. */
#include "hub.h"

#define WS_GET(headers)                                                                            \
    "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" headers "\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"
#define SWITCHED                                                                                   \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
#define M0 "\x00\x00\x00\x00"

static const struct {
    const char *name, *bytes;
    size_t n;
    const char *answer; /* all of it when it begins with the switch, else its beginning */
    size_t answer_n;
    int closed; /* status that the application hears; 0: it had none */
} raws[] = {
#define RAW(name, bytes, answer, closed)                                                           \
    {                                                                                              \
        name, bytes, sizeof(bytes) - 1, answer, sizeof(answer) - 1, closed                         \
    }
    RAW("frames right behind the head",
        WS_GET(KEY V13) "\x81\x82" M0 "hi"
                        "\x88\x82" M0 "\x03\xe8",
        SWITCHED "\x81\x02hi"
                 "\x88\x02\x03\xe8",
        1000),
    RAW("gone without a word", WS_GET(KEY V13) "\x81\x82" M0 "hi", SWITCHED "\x81\x02hi", 1006),
    RAW("ping", WS_GET(KEY V13) "\x89\x81" M0 "p", SWITCHED "\x8a\x01p", 1006),
    RAW("an unmasked frame", WS_GET(KEY V13) "\x81\x02hi",
        SWITCHED "\x88\x13\x03\xea"
                 "an unmasked frame",
        1002),
    RAW("binary",
        WS_GET(KEY V13) "\x82\x81" M0 "x"
                        "\x81\x82" M0 "hi",
        SWITCHED "\x88\x12\x03\xeb"
                 "a binary message",
        1003),
    RAW("bad UTF-8", WS_GET(KEY V13) "\x81\x82" M0 "\xc3(",
        SWITCHED "\x88\x1a\x03\xef"
                 "a text that is not UTF-8",
        1007),
    RAW("too long", WS_GET(KEY V13) "\x81\xff\x00\x00\x00\x00\x00\x01\x86\xa1" M0,
        SWITCHED "\x88\x14\x03\xf1"
                 "too long a message",
        1009),
    RAW("from a web page", WS_GET(KEY V13 "Origin: https://a\r\n"), "HTTP/1.1 403 ", 0),
    RAW("from a web page without a name", WS_GET(KEY V13 "Origin: null\r\n"), "HTTP/1.1 403 ", 0),
    RAW("another version", WS_GET(KEY "Sec-WebSocket-Version: 8\r\n"), "HTTP/1.1 400 ", 0),
    RAW("no key", WS_GET(V13), "HTTP/1.1 400 ", 0),
    RAW("a short key", WS_GET(V13 "Sec-WebSocket-Key: YQ==\r\n"), "HTTP/1.1 400 ", 0),
    RAW("no upgrade", "GET /ws HTTP/1.1\r\nHost: a\r\n" KEY V13 "\r\n", "HTTP/1.1 400 ", 0),
};

static void test_raw(void **state)
{
    WA_UNUSED(state);
    struct hub h;
    hub_new(&h, false);
    for (size_t i = 0; i < WA_COUNT(raws); i++) {
        for (size_t piece = 0; piece < 3; piece++) {
            struct raw_client r;
            h.has_closed = false;
            raw_start(&r, h.loop, h.port, wa_sv_n(raws[i].bytes, raws[i].n));
            r.piece = piece;
            run_until(h.loop, &r.is_over);
            bool is_whole = wa_sv_starts(wa_sv(raws[i].answer), "HTTP/1.1 101 ");
            if (r.in.n < raws[i].answer_n ||
                memcmp(r.in.p, raws[i].answer, raws[i].answer_n) != 0 ||
                (is_whole && r.in.n != raws[i].answer_n))
                fail_msg("'%s': '%s'", raws[i].name, wa_buf_str(&r.in));
            raw_end(&r);
            if (raws[i].closed != 0)
                run_until(h.loop, &h.has_closed);
            if (raws[i].closed != 0 ? h.closed_status != raws[i].closed : h.has_closed)
                fail_msg("'%s': closed with %d", raws[i].name, h.closed_status);
        }
    }
    hub_free(&h);
}

/* --- patience --- */

/* The server's clock, wrapped at link time: milliseconds ahead. */
static uint64_t ms_ahead;
uint64_t __real_wa_loop_now_ms(struct wa_loop *loop);
uint64_t __wrap_wa_loop_now_ms(struct wa_loop *loop);

uint64_t __wrap_wa_loop_now_ms(struct wa_loop *loop)
{
    return __real_wa_loop_now_ms(loop) + ms_ahead;
}

static void test_silence(void **state)
{
    const struct wa_http_server_config hasty = {.max_connections = 10,
                                                .max_handshakes = 10,
                                                .ws_ping_ms = 10,
                                                .ws_silence_ms = 3600000,
                                                .sweep_ms = 5};
    struct hub h;
    struct raw_client r;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    hub_new_with(&h, false, &hasty);
    raw_start(&r, h.loop, h.port, WA_SV(WS_GET(KEY V13)));
    r.half_closes = false;
    while (strstr(wa_buf_str(&r.in), "\r\n\r\n\x89") == NULL) /* pinged */
        must(wa_loop_turn(h.loop, 100, &err));
    assert_false(r.is_over);
    ms_ahead += 3600000;
    run_until(h.loop, &r.is_over); /* and cut for not answering */
    ms_ahead = 0;
    assert_int_equal(h.closed_status, 1006);
    raw_end(&r);
    hub_free(&h);
}

/* A peer that does not read: sending to it says so, and hurts nobody. */
static void test_peer_does_not_read(void **state)
{
    struct hub h;
    struct raw_client r;
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = WA_OK;
    WA_UNUSED(state);
    hub_new(&h, false);
    raw_start(&r, h.loop, h.port, WA_SV(WS_GET(KEY V13)));
    r.half_closes = false;
    run_until(h.loop, &h.has_conn);
    run_a_little(h.loop);
    raw_read(&r, false);
    char *large = test_malloc(1u << 20);
    memset(large, 'x', 1u << 20);
    size_t sent = 0;
    for (; code == WA_OK && sent < 64; sent++)
        code = wa_ws_send(h.conn, wa_sv_n(large, 1u << 20), &err);
    assert_int_equal(code, WA_E_LIMIT);
    assert_true(sent > 4);
    raw_read(&r, true); /* what was taken comes whole */
    while (r.in.n < (sent - 1) * ((1u << 20) + 10) + strlen(SWITCHED))
        must(wa_loop_turn(h.loop, 100, &err));
    wa_ws_close(h.conn, 1000, "enough");
    wa_ws_close(h.conn, 1001, "twice");
    struct wa_err late = WA_ERR_INIT;
    assert_int_equal(wa_ws_send(h.conn, WA_SV("late"), &late), WA_E_NOT_FOUND);
    assert_false(h.has_closed); /* from the loop alone */
    raw_more(&r, wa_sv_n("\x88\x82" M0 "\x03\xe8", 8));
    run_until(h.loop, &h.has_closed);
    assert_int_equal(h.closed_status, 1000);
    test_free(large);
    raw_end(&r);
    hub_free(&h);
}

/* The peer has vanished: sending to it calls nobody back; the loop does. */
static void test_peer_vanishes(void **state)
{
    struct hub h;
    struct raw_client r;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    hub_new(&h, false);
    raw_start(&r, h.loop, h.port, WA_SV(WS_GET(KEY V13)));
    r.half_closes = false;
    run_until(h.loop, &h.has_conn);
    run_a_little(h.loop);
    raw_end(&r);
    for (int i = 0; i < 10; i++) {
        if (wa_ws_send(h.conn, WA_SV("anybody there?"), &err) != WA_OK)
            wa_err_clear(&err);
        assert_false(h.has_closed);
    }
    run_until(h.loop, &h.has_closed);
    assert_int_equal(h.closed_status, 1006);
    hub_free(&h);
}

/* Accepted outside the request's callbacks; the second time the server goes before it begins. */
static void test_accepted_later(void **state)
{
    static const char request[] =
        "GET /later HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY V13
        "\r\n\x81\x82" M0 "hi";
    struct hub h;
    WA_UNUSED(state);
    for (int goes = 0; goes < 2; goes++) {
        struct raw_client r;
        struct wa_err err = WA_ERR_INIT;
        hub_new(&h, false);
        raw_start(&r, h.loop, h.port, wa_sv_n(request, sizeof request - 1));
        r.half_closes = false;
        while (h.later == NULL)
            must(wa_loop_turn(h.loop, 100, &err));
        run_a_little(h.loop);
        must(wa_http_accept_ws(h.later, SERVER_MAX, &hub_ws_events, &h, &h.conn, &err));
        h.open++;
        assert_int_equal(wa_http_accept_ws(h.later, 1, &hub_ws_events, &h, &h.conn, &err),
                         WA_E_CONFLICT);
        assert_int_equal(h.messages, 0); /* from the loop alone */
        uint8_t binding[32];
        struct wa_err none = WA_ERR_INIT;
        assert_true(wa_ws_channel_binding(h.conn, binding, &none) != WA_OK); /* no TLS here */
        if (goes == 0) {
            while (h.messages == 0 || !wa_sv_ends(wa_buf_sv(&r.in), "\x81\x02hi"))
                must(wa_loop_turn(h.loop, 100, &err));
            assert_true(wa_sv_starts(wa_buf_sv(&r.in), "HTTP/1.1 101 "));
            wa_ws_set_max(h.conn, 1); /* holds from the next frame on */
            raw_more(&r, wa_sv_n("\x81\x82" M0 "hi", 8));
            run_until(h.loop, &r.is_over);
            assert_true(wa_sv_ends(wa_buf_sv(&r.in), "too long a message"));
        }
        raw_end(&r);
        hub_free(&h);
        assert_int_equal(h.closed_status, goes == 0 ? 1009 : 1006);
    }
}

static void on_stopped(void *user)
{
    bool *is_stopped = user;
    *is_stopped = true;
}

/* Asked before the server stops, let in after: it is told, and holds nothing up. */
static void test_too_late(void **state)
{
    static const char request[] = WS_GET(KEY V13);
    struct hub h;
    struct raw_client r;
    bool is_stopped = false;
    WA_UNUSED(state);
    hub_new(&h, false);
    raw_start(&r, h.loop, h.port, wa_sv_n(request, 30));
    r.half_closes = false;
    run_a_little(h.loop);
    wa_http_server_stop(h.server, on_stopped, &is_stopped);
    raw_more(&r, wa_sv_n(request + 30, sizeof request - 1 - 30));
    raw_more(&r, wa_sv_n("\x88\x82" M0 "\x03\xe9", 8)); /* its answer to the close frame */
    run_until(h.loop, &r.is_over);
    assert_true(wa_sv_starts(wa_buf_sv(&r.in), SWITCHED "\x88"));
    assert_true(wa_sv_ends(wa_buf_sv(&r.in), "the server is going away"));
    run_until(h.loop, &is_stopped);
    assert_int_equal(h.closed_status, 1001);
    raw_end(&r);
    hub_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raw),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_peer_does_not_read),
        cmocka_unit_test(test_peer_vanishes),
        cmocka_unit_test(test_accepted_later),
        cmocka_unit_test(test_too_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
