/* WebSocket frames: both ends with each other and with wslay, and what breaks the protocol. */
#include "support.h"

#include <wslay/wslay.h>

#include "net/ws.h"

/* One of our ends and what it said. */
struct end {
    struct wa_ws *ws;
    struct wa_buf texts; /* each followed by '|' */
    size_t text_count, pong_count;
    int close_status; /* 0: none came */
};

static void on_text(void *user, struct wa_sv text)
{
    struct end *e = user;
    e->text_count++;
    if (text.n < 200) {
        wa_buf_addsv(&e->texts, text);
        wa_buf_addc(&e->texts, '|');
    } else {
        wa_buf_addf(&e->texts, "%zu bytes|", text.n);
    }
}

static void on_close(void *user, int status)
{
    struct end *e = user;
    assert_int_equal(e->close_status, 0);
    e->close_status = status;
}

static void on_pong(void *user)
{
    struct end *e = user;
    e->pong_count++;
}

static void end_new(struct end *e, bool is_server, size_t max)
{
    static const struct wa_ws_cb cb = {on_text, on_close, on_pong};
    struct wa_err err = WA_ERR_INIT;
    *e = (struct end){.text_count = 0};
    wa_buf_init(&e->texts, 65536);
    must(wa_ws_new(is_server, max, &cb, e, &e->ws, &err));
}

static void end_free(struct end *e)
{
    wa_ws_free(e->ws);
    wa_buf_fini(&e->texts);
}

/* Moves what one end has queued to the other, in pieces. */
static enum wa_code move(struct end *from, struct end *to, size_t piece)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf b;
    enum wa_code code = WA_OK;
    wa_buf_init(&b, 32u << 20);
    must(wa_ws_drain(from->ws, &b, &err));
    assert_int_equal(wa_ws_queued(from->ws), 0);
    for (size_t at = 0; at < b.n && code == WA_OK; at += piece)
        code = wa_ws_feed(to->ws, b.p + at, piece < b.n - at ? piece : b.n - at, &err);
    return code;
}

static void test_accept_key(void **state)
{
    char out[29];
    WA_UNUSED(state);
    assert_true(wa_ws_accept_key(WA_SV("dGhlIHNhbXBsZSBub25jZQ=="), out)); /* RFC 6455, 1.3 */
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    static const char *const wrong[] = {"",
                                        "dGhlIHNhbXBsZSBub25jZQ=",
                                        "dGhlIHNhbXBsZSBub25jZQ===",
                                        "dGhlIHNhbXBsZSBub25jZTE=",
                                        "dGhlIHNhbXBsZSBub2 jZQ==",
                                        "????????????????????????",
                                        "dGhlIHNhbXBsZSBub25jZR=="};
    for (size_t i = 0; i < WA_COUNT(wrong); i++)
        assert_false(wa_ws_accept_key(wa_sv(wrong[i]), out));
    assert_false(wa_ws_accept_key(wa_sv_n(NULL, 0), out));
}

/* --- our two ends --- */

static void test_both_ends(void **state)
{
    static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, 300000};
    static const size_t pieces[] = {1, 7, 1000000};
    WA_UNUSED(state);
    for (int server_sends = 0; server_sends < 2; server_sends++) {
        for (size_t p = 0; p < WA_COUNT(pieces); p++) {
            struct end a, b;
            struct wa_err err = WA_ERR_INIT;
            end_new(&a, server_sends == 1, 1u << 20);
            end_new(&b, server_sends == 0, 1u << 20);
            for (size_t i = 0; i < WA_COUNT(sizes); i++) {
                char *text = test_malloc(sizes[i] + 1);
                memset(text, 'x', sizes[i]);
                must(wa_ws_queue_text(a.ws, wa_sv_n(text, sizes[i]), &err));
                test_free(text);
            }
            must(wa_ws_queue_ping(a.ws, &err));
            assert_int_equal(move(&a, &b, pieces[p]), WA_OK);
            assert_int_equal(b.text_count, WA_COUNT(sizes));
            assert_non_null(strstr(wa_buf_str(&b.texts), "|65535 bytes|65536 bytes|300000 bytes|"));
            assert_int_equal(move(&b, &a, pieces[p]), WA_OK);
            assert_int_equal(a.pong_count, 1);
            must(wa_ws_queue_close(a.ws, 4401, "not known", &err));
            assert_int_equal(wa_ws_queue_text(a.ws, WA_SV("late"), &err), WA_E_NOT_FOUND);
            assert_int_equal(move(&a, &b, pieces[p]), WA_OK);
            assert_int_equal(b.close_status, 4401);
            assert_false(wa_ws_is_closed(a.ws));
            assert_int_equal(move(&b, &a, pieces[p]), WA_OK);
            assert_int_equal(a.close_status, 4401);
            assert_true(wa_ws_is_closed(a.ws) && wa_ws_is_closed(b.ws));
            /* Nothing is read behind a close frame. */
            struct wa_err after = WA_ERR_INIT;
            assert_int_equal(wa_ws_feed(b.ws, "\xff\xff", 2, &after), WA_OK);
            end_free(&a);
            end_free(&b);
        }
    }
}

/* --- frames by hand: what a client sends, mask 0 --- */

#define M0 "\x00\x00\x00\x00" /* masks with zeros */

static const struct {
    const char *name, *bytes;
    size_t n;
    const char *texts;
    int close_came; /* the peer's close frame, as told to the owner */
    enum wa_code code;
    int close_queued; /* status of the close frame that we answer with; 0: none */
} server_cases[] = {
#define FRAMES(name, bytes, ...)                                                                   \
    {                                                                                              \
        name, bytes, sizeof(bytes) - 1, __VA_ARGS__                                                \
    }
    FRAMES("text", "\x81\x82" M0 "hi", "hi|", 0, WA_OK, 0),
    FRAMES("masked text", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "Hello|", 0, WA_OK, 0),
    FRAMES("empty text", "\x81\x80" M0, "|", 0, WA_OK, 0),
    FRAMES("three fragments",
           "\x01\x81" M0 "a"
           "\x00\x81" M0 "b"
           "\x80\x81" M0 "c",
           "abc|", 0, WA_OK, 0),
    FRAMES("empty fragments", "\x01\x80" M0 "\x00\x80" M0 "\x80\x80" M0, "|", 0, WA_OK, 0),
    FRAMES("a ping between fragments",
           "\x01\x81" M0 "a"
           "\x89\x80" M0 "\x80\x81" M0 "b",
           "ab|", 0, WA_OK, 0),
    FRAMES("a character between fragments",
           "\x01\x81" M0 "\xc3"
           "\x80\x81" M0 "\xa9",
           "\xc3\xa9|", 0, WA_OK, 0),
    FRAMES("16-bit length",
           "\x81\xfe\x00\x7e" M0 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|",
           0, WA_OK, 0),
    FRAMES("pong unasked", "\x8a\x81" M0 "x", "", 0, WA_OK, 0),
    FRAMES("close", "\x88\x82" M0 "\x03\xe8", "", 1000, WA_OK, 1000),
    FRAMES("close with a reason", "\x88\x84" M0 "\x0f\xa0no", "", 4000, WA_OK, 4000),
    FRAMES("close without a status", "\x88\x80" M0, "", 1005, WA_OK, 1005),
    FRAMES("close, then text",
           "\x88\x82" M0 "\x03\xe8"
           "\x81\x82" M0 "hi",
           "", 1000, WA_OK, 1000),

    FRAMES("unmasked", "\x81\x02hi", "", 0, WA_E_INVALID, 1002),
    FRAMES("reserved bit 1", "\xc1\x82" M0 "hi", "", 0, WA_E_INVALID, 1002),
    FRAMES("reserved bit 3", "\x91\x82" M0 "hi", "", 0, WA_E_INVALID, 1002),
    FRAMES("unknown kind", "\x83\x80" M0, "", 0, WA_E_INVALID, 1002),
    FRAMES("unknown control kind", "\x8b\x80" M0, "", 0, WA_E_INVALID, 1002),
    FRAMES("binary", "\x82\x81" M0 "x", "", 0, WA_E_INVALID, 1003),
    FRAMES("binary in pieces", "\x02\x81" M0 "x", "", 0, WA_E_INVALID, 1003),
    FRAMES("continuation of nothing", "\x80\x81" M0 "x", "", 0, WA_E_INVALID, 1002),
    FRAMES("continuation after the end",
           "\x81\x81" M0 "a"
           "\x80\x81" M0 "b",
           "a|", 0, WA_E_INVALID, 1002),
    FRAMES("text inside a text",
           "\x01\x81" M0 "a"
           "\x81\x81" M0 "b",
           "", 0, WA_E_INVALID, 1002),
    FRAMES("ping in pieces", "\x09\x80" M0, "", 0, WA_E_INVALID, 1002),
    FRAMES("long ping", "\x89\xfe\x00\x7e" M0, "", 0, WA_E_INVALID, 1002),
    FRAMES("long form of a short length", "\x81\xfe\x00\x7d" M0, "", 0, WA_E_INVALID, 1002),
    FRAMES("longest form of a short length", "\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff" M0, "", 0,
           WA_E_INVALID, 1002),
    FRAMES("length with the top bit", "\x81\xff\x80\x00\x00\x00\x00\x01\x00\x00" M0, "", 0,
           WA_E_INVALID, 1002),
    FRAMES("too long", "\x81\xfe\x03\xe9" M0, "", 0, WA_E_LIMIT, 1009),
    FRAMES("far too long", "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff" M0, "", 0, WA_E_LIMIT, 1009),
    FRAMES("too long together",
           "\x01\x81" M0 "a"
           "\x80\xfe\x03\xe8" M0,
           "", 0, WA_E_LIMIT, 1009),
    FRAMES("bad UTF-8", "\x81\x82" M0 "\xc3(", "", 0, WA_E_INVALID, 1007),
    FRAMES("cut UTF-8", "\x81\x81" M0 "\xc3", "", 0, WA_E_INVALID, 1007),
    FRAMES("surrogate", "\x81\x83" M0 "\xed\xa0\x80", "", 0, WA_E_INVALID, 1007),
    FRAMES("close with one byte", "\x88\x81" M0 "\x03", "", 0, WA_E_INVALID, 1002),
    FRAMES("close with status 999", "\x88\x82" M0 "\x03\xe7", "", 0, WA_E_INVALID, 1002),
    FRAMES("close with status 1005", "\x88\x82" M0 "\x03\xed", "", 0, WA_E_INVALID, 1002),
    FRAMES("close with status 1006", "\x88\x82" M0 "\x03\xee", "", 0, WA_E_INVALID, 1002),
    FRAMES("close with status 5000", "\x88\x82" M0 "\x13\x88", "", 0, WA_E_INVALID, 1002),
    FRAMES("close with a bad reason", "\x88\x83" M0 "\x03\xe8\xff", "", 0, WA_E_INVALID, 1007),
};

/* Status of the close frame among our answers; 1005 when it has none, 0 when there is none. */
static int queued_close(struct end *e)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf b;
    int status = 0;
    wa_buf_init(&b, 65536);
    must(wa_ws_drain(e->ws, &b, &err));
    for (size_t at = 0; at + 2 <= b.n;) {
        const uint8_t *p = (const uint8_t *)b.p + at;
        assert_true((p[1] & 0x80) == 0 && p[1] < 126); /* a server's, and short */
        if (p[0] == 0x88)
            status = p[1] < 2 ? 1005 : p[2] << 8 | p[3];
        at += 2u + p[1];
    }
    return status;
}

static void test_server_cases(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(server_cases); i++) {
        for (size_t piece = 1; piece < 200; piece += 199 / 2) {
            struct end e;
            struct wa_err err = WA_ERR_INIT;
            enum wa_code code = WA_OK;
            size_t n = server_cases[i].n;
            end_new(&e, true, 1000);
            for (size_t at = 0; at < n && code == WA_OK; at += piece)
                code = wa_ws_feed(e.ws, server_cases[i].bytes + at, piece < n - at ? piece : n - at,
                                  &err);
            int queued = queued_close(&e);
            if (code != server_cases[i].code || queued != server_cases[i].close_queued ||
                e.close_status != server_cases[i].close_came ||
                strcmp(wa_buf_str(&e.texts), server_cases[i].texts) != 0)
                fail_msg("'%s': %s '%s', close %d came, %d queued", server_cases[i].name,
                         wa_code_name(code), wa_buf_str(&e.texts), e.close_status, queued);
            if (code != WA_OK) { /* and for good */
                struct wa_err again = WA_ERR_INIT;
                assert_int_equal(wa_ws_feed(e.ws, "\x81\x80" M0, 6, &again), code);
            }
            end_free(&e);
        }
    }
}

static void test_client_refuses_masks(void **state)
{
    struct end e;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    end_new(&e, false, 1000);
    must(wa_ws_feed(e.ws, "\x81\x02hi", 4, &err));
    assert_string_equal(wa_buf_str(&e.texts), "hi|");
    assert_int_equal(wa_ws_feed(e.ws, "\x81\x82" M0 "hi", 8, &err), WA_E_INVALID);
    end_free(&e);
}

/* A raised limit holds from the next frame on; what was queued is not lost by what was refused. */
static void test_limits(void **state)
{
    struct end a, b;
    struct wa_err err = WA_ERR_INIT;
    char text[2000];
    WA_UNUSED(state);
    memset(text, 'y', sizeof text);
    end_new(&a, false, 1000);
    end_new(&b, true, 1000);
    wa_ws_set_max_message(b.ws, sizeof text);
    must(wa_ws_queue_text(a.ws, wa_sv_n(text, sizeof text), &err));
    assert_int_equal(move(&a, &b, 100), WA_OK);
    assert_string_equal(wa_buf_str(&b.texts), "2000 bytes|");
    end_free(&a);
    end_free(&b);

    end_new(&a, false, 1000); /* a peer that does not read */
    end_new(&b, true, 8u << 20);
    size_t queued = 0, mib = 1u << 20;
    char *large = test_calloc(1, mib);
    memset(large, 'z', mib);
    while (wa_ws_queue_text(a.ws, wa_sv_n(large, mib), &err) == WA_OK)
        queued++;
    assert_int_equal(err.code, WA_E_LIMIT);
    assert_true(queued >= 4 && queued <= 5);
    struct wa_err close_err = WA_ERR_INIT;
    assert_int_equal(wa_ws_queue_close(a.ws, 1001, "enough", &close_err), WA_OK);
    assert_int_equal(move(&a, &b, 65536), WA_OK);
    assert_int_equal(b.text_count, queued);
    assert_int_equal(b.close_status, 1001);
    test_free(large);
    end_free(&a);
    end_free(&b);
}

/* Draining takes what there is room for, and loses nothing. */
static void test_drain_in_parts(void **state)
{
    struct end a, b;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    end_new(&a, true, 1000);
    end_new(&b, false, 1000);
    must(wa_ws_queue_text(a.ws, WA_SV("0123456789"), &err));
    must(wa_ws_queue_text(a.ws, WA_SV("abcdefghij"), &err));
    while (wa_ws_queued(a.ws) > 0) {
        WA_AUTO_BUF struct wa_buf part;
        wa_buf_init(&part, 5);
        must(wa_ws_drain(a.ws, &part, &err));
        assert_true(part.n > 0 && part.n <= 5);
        must(wa_ws_feed(b.ws, part.p, part.n, &err));
    }
    assert_string_equal(wa_buf_str(&b.texts), "0123456789|abcdefghij|");
    end_free(&a);
    end_free(&b);
}

/* --- against an independent implementation --- */

struct other {
    wslay_event_context_ptr ctx;
    struct wa_buf in, out, texts;
    size_t at;
};

static ssize_t other_recv(wslay_event_context_ptr ctx, uint8_t *p, size_t n, int flags, void *user)
{
    struct other *o = user;
    WA_UNUSED(flags);
    size_t take = n < o->in.n - o->at ? n : o->in.n - o->at;
    if (take == 0) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(p, o->in.p + o->at, take);
    o->at += take;
    return (ssize_t)take;
}

static ssize_t other_send(wslay_event_context_ptr ctx, const uint8_t *p, size_t n, int flags,
                          void *user)
{
    struct other *o = user;
    WA_UNUSED(ctx);
    WA_UNUSED(flags);
    wa_buf_add(&o->out, p, n);
    return (ssize_t)n;
}

static int other_mask(wslay_event_context_ptr ctx, uint8_t *p, size_t n, void *user)
{
    WA_UNUSED(ctx);
    WA_UNUSED(user);
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(0x5a + i);
    return 0;
}

static void other_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *m,
                          void *user)
{
    struct other *o = user;
    WA_UNUSED(ctx);
    if (m->opcode == WSLAY_TEXT_FRAME)
        wa_buf_addf(&o->texts, "%zu:%.20s|", m->msg_length,
                    m->msg_length > 0 ? (const char *)m->msg : "");
    else
        wa_buf_addf(&o->texts, "kind %d|", m->opcode);
}

static void test_against_wslay(void **state)
{
    static const struct wslay_event_callbacks callbacks = {.recv_callback = other_recv,
                                                           .send_callback = other_send,
                                                           .genmask_callback = other_mask,
                                                           .on_msg_recv_callback = other_message};
    static const char sample[] = "caf\xc3\xa9 0123456789 caf\xc3\xa9 0123456789";
    WA_UNUSED(state);
    for (int we_serve = 0; we_serve < 2; we_serve++) {
        struct other o = {.at = 0};
        struct end e;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&o.in, 1u << 20);
        wa_buf_init(&o.out, 1u << 20);
        wa_buf_init(&o.texts, 1u << 20);
        end_new(&e, we_serve == 1, 1u << 20);
        assert_int_equal(we_serve == 1 ? wslay_event_context_client_init(&o.ctx, &callbacks, &o)
                                       : wslay_event_context_server_init(&o.ctx, &callbacks, &o),
                         0);
        char *large = test_malloc(70000);
        memset(large, 'w', 70000);
        must(wa_ws_queue_text(e.ws, WA_SV(""), &err));
        must(wa_ws_queue_text(e.ws, wa_sv(sample), &err));
        must(wa_ws_queue_text(e.ws, wa_sv_n(large, 200), &err));
        must(wa_ws_queue_text(e.ws, wa_sv_n(large, 70000), &err));
        must(wa_ws_queue_ping(e.ws, &err));
        must(wa_ws_drain(e.ws, &o.in, &err));
        assert_int_equal(wslay_event_recv(o.ctx), 0);
        assert_string_equal(wa_buf_str(&o.texts),
                            "0:|33:caf\xc3\xa9 0123456789 caf|200:wwwwwwwwwwwwwwwwwwww|"
                            "70000:wwwwwwwwwwwwwwwwwwww|kind 9|");
        const struct wslay_event_msg back[] = {
            {WSLAY_TEXT_FRAME, (const uint8_t *)sample, sizeof sample - 1},
            {WSLAY_TEXT_FRAME, (const uint8_t *)large, 70000},
            {WSLAY_PING, (const uint8_t *)"p", 1},
        };
        for (size_t i = 0; i < WA_COUNT(back); i++)
            assert_int_equal(wslay_event_queue_msg(o.ctx, &back[i]), 0);
        assert_int_equal(wslay_event_send(o.ctx), 0); /* a close frame would overtake them */
        assert_int_equal(wslay_event_queue_close(o.ctx, 4001, (const uint8_t *)"bye", 3), 0);
        assert_int_equal(wslay_event_send(o.ctx), 0);
        must(wa_ws_feed(e.ws, o.out.p, o.out.n, &err));
        assert_int_equal(e.pong_count, 1); /* to our ping */
        assert_int_equal(e.close_status, 4001);
        char expected[128];
        (void)snprintf(expected, sizeof expected, "%s|70000 bytes|", sample);
        assert_string_equal(wa_buf_str(&e.texts), expected);
        must(wa_ws_drain(e.ws, &o.in, &err));
        assert_int_equal(wslay_event_recv(o.ctx), 0);
        assert_non_null(strstr(wa_buf_str(&o.texts), "|kind 9|kind 10|kind 8|"));
        assert_int_equal(wslay_event_get_status_code_received(o.ctx), 4001);
        test_free(large);
        wslay_event_context_free(o.ctx);
        end_free(&e);
        wa_buf_fini(&o.in);
        wa_buf_fini(&o.out);
        wa_buf_fini(&o.texts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept_key),    cmocka_unit_test(test_both_ends),
        cmocka_unit_test(test_server_cases),  cmocka_unit_test(test_client_refuses_masks),
        cmocka_unit_test(test_limits),        cmocka_unit_test(test_drain_in_parts),
        cmocka_unit_test(test_against_wslay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
