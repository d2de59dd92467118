/* WebSockets from end to end: our client and our server over TLS in one loop. */
#include "hub.h"

#include <sys/socket.h>
#include <unistd.h>

#include "net/ws_client.h"
#include "os/fs.h"

struct visitor {
    struct wa_ws_client *client;
    struct wa_buf texts; /* each followed by '|' */
    struct wa_err end;
    bool is_open, is_over, has_text;
    char free_at; /* 'o'pen, 't'ext, 'e'nd: frees itself in that callback */
};

static void maybe_free(struct visitor *v, char at)
{
    if (v->free_at != at)
        return;
    wa_ws_client_free(v->client);
    v->client = NULL;
}

static void on_open(void *user)
{
    struct visitor *v = user;
    v->is_open = true;
    maybe_free(v, 'o');
}

static void on_text(void *user, struct wa_sv text)
{
    struct visitor *v = user;
    if (text.n < 100)
        wa_buf_addsv(&v->texts, text);
    else
        wa_buf_addf(&v->texts, "%zu bytes", text.n);
    wa_buf_addc(&v->texts, '|');
    v->has_text = true;
    maybe_free(v, 't');
}

static void on_end(void *user, enum wa_code code, const struct wa_err *err)
{
    struct visitor *v = user;
    assert_false(v->is_over);
    assert_int_equal(code, err->code);
    v->end = *err;
    v->is_over = true;
    maybe_free(v, 'e');
}

static struct wa_tls_ctx *trust_in(const struct hub *h, const char *host)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_tls_ctx *ctx = NULL;
    struct wa_tls_trust trust = {.pem = wa_buf_sv(&h->id.pem)};
    (void)snprintf(trust.host, sizeof trust.host, "%s", host);
    must(wa_tls_client_ctx(&trust, &ctx, &err));
    return ctx;
}

static void visit(struct visitor *v, struct hub *h, struct wa_tls_ctx *ctx, const char *host,
                  uint16_t port, const char *path, const char *proxy)
{
    static const struct wa_ws_client_events events = {on_open, on_text, on_end};
    struct wa_err err = WA_ERR_INIT;
    struct wa_url url;
    char text[512];
    *v = (struct visitor){.end = WA_ERR_INIT};
    wa_buf_init(&v->texts, 1u << 20);
    (void)snprintf(text, sizeof text, "https://%s:%u%s", host, (unsigned)port, path);
    must(wa_url_parse(wa_sv(text), &url, &err));
    must(
        wa_ws_client_new(h->loop, &url, proxy, ctx, SERVER_MAX * 10, &events, v, &v->client, &err));
}

static void leave(struct visitor *v)
{
    wa_ws_client_free(v->client);
    wa_buf_fini(&v->texts);
}

static void say(struct visitor *v, const char *text)
{
    struct wa_err err = WA_ERR_INIT;
    v->has_text = false;
    must(wa_ws_client_send(v->client, wa_sv(text), &err));
}

/* --- talking --- */

static void test_talk(void **state)
{
    struct hub h;
    struct visitor v;
    struct wa_err err = WA_ERR_INIT;
    uint8_t ours[32], theirs[32];
    WA_UNUSED(state);
    hub_new(&h, true);
    struct wa_tls_ctx *ctx = trust_in(&h, "127.0.0.1");
    visit(&v, &h, ctx, "127.0.0.1", h.port, "/ws?a=b", NULL);
    assert_int_equal(wa_ws_client_send(v.client, WA_SV("early"), &err), WA_E_UNREACHABLE);
    run_until(h.loop, &v.is_open);
    assert_string_equal(wa_ws_peer(h.conn), "127.0.0.1");
    say(&v, "hello");
    say(&v, "caf\xc3\xa9");
    say(&v, "");
    while (v.texts.n < 13)
        run_until(h.loop, &v.has_text), v.has_text = false;
    assert_string_equal(wa_buf_str(&v.texts), "hello|caf\xc3\xa9||");
    must(wa_ws_client_channel_binding(v.client, ours, &err));
    must(wa_ws_channel_binding(h.conn, theirs, &err));
    assert_memory_equal(ours, theirs, 32);

    char *large = test_malloc(SERVER_MAX); /* both ways, more than the socket takes at once */
    memset(large, 'x', SERVER_MAX);
    wa_buf_clear(&v.texts);
    for (int i = 0; i < 50; i++)
        must(wa_ws_client_send(v.client, wa_sv_n(large, SERVER_MAX), &err));
    while (v.texts.n < 50 * strlen("100000 bytes|"))
        must(wa_loop_turn(h.loop, 100, &err));
    test_free(large);
    assert_int_equal(wa_ws_client_close_status(v.client), 0);
    leave(&v);
    run_until(h.loop, &h.has_closed);
    assert_int_equal(h.closed_status, 1001);
    wa_tls_ctx_free(ctx);
    hub_free(&h);
}

/* Who says much at once lets others have their turn, though TLS has it all already. */
static void test_turns(void **state)
{
    enum { MESSAGES = 200, ROUNDS = 16 };
    struct hub h;
    struct visitor v;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    hub_new(&h, true);
    struct wa_tls_ctx *ctx = trust_in(&h, "127.0.0.1");
    visit(&v, &h, ctx, "127.0.0.1", h.port, "/ws", NULL);
    run_until(h.loop, &v.is_open);
    for (size_t i = 0; i < MESSAGES; i++)
        say(&v, "x"); /* a record each */
    while (h.messages < MESSAGES) {
        size_t before = h.messages;
        must(wa_loop_turn(h.loop, 100, &err));
        assert_true(h.messages - before <= ROUNDS);
    }
    leave(&v);
    wa_tls_ctx_free(ctx);
    hub_free(&h);
}

/* Several at once; each leaves when it likes. */
static void test_many(void **state)
{
    static const size_t order[] = {2, 0, 4, 1, 3};
    struct hub h;
    struct visitor v[WA_COUNT(order)];
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    hub_new(&h, true);
    struct wa_tls_ctx *ctx = trust_in(&h, "127.0.0.1");
    for (size_t i = 0; i < WA_COUNT(v); i++)
        visit(&v[i], &h, ctx, "127.0.0.1", h.port, "/ws", NULL);
    for (size_t i = 0; i < WA_COUNT(v); i++)
        run_until(h.loop, &v[i].is_open);
    for (size_t i = 0; i < WA_COUNT(v); i++) {
        leave(&v[order[i]]);
        while (h.open > WA_COUNT(v) - 1 - i)
            must(wa_loop_turn(h.loop, 100, &err));
        for (size_t k = i + 1; k < WA_COUNT(v); k++) {
            say(&v[order[k]], "still here");
            run_until(h.loop, &v[order[k]].has_text);
        }
    }
    wa_tls_ctx_free(ctx);
    hub_free(&h);
}

/* The server has vanished: sending to it calls nobody back; the loop does. */
static void test_server_vanishes(void **state)
{
    struct hub h;
    struct visitor v;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    hub_new(&h, true);
    struct wa_tls_ctx *ctx = trust_in(&h, "127.0.0.1");
    visit(&v, &h, ctx, "127.0.0.1", h.port, "/ws", NULL);
    run_until(h.loop, &v.is_open);
    wa_http_server_free(h.server);
    h.server = NULL;
    for (int i = 0; i < 10; i++) {
        if (wa_ws_client_send(v.client, WA_SV("anybody there?"), &err) != WA_OK)
            wa_err_clear(&err);
        assert_false(v.is_over);
    }
    run_until(h.loop, &v.is_over);
    assert_int_equal(v.end.code, WA_E_UNREACHABLE);
    leave(&v);
    wa_tls_ctx_free(ctx);
    hub_free(&h);
}

/* Who ends it, how, and what each side hears. */
static void test_ends(void **state)
{
    static const struct {
        const char *says;
        enum wa_code code;
        const char *text;
        int client_status, server_status;
    } cases[] = {
        {"close 4401", WA_E_REFUSED, "(status 4401)", 4401, 4401},
        {"close 1000", WA_E_UNREACHABLE, "(status 1000)", 1000, 1000},
        {"large", WA_E_LIMIT, "too long a message", 0, 1009},
    };
    WA_UNUSED(state);
    struct hub h;
    hub_new(&h, true);
    struct wa_tls_ctx *ctx = trust_in(&h, "127.0.0.1");
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct visitor v;
        h.has_closed = false;
        visit(&v, &h, ctx, "127.0.0.1", h.port, "/ws", NULL);
        run_until(h.loop, &v.is_open);
        say(&v, cases[i].says);
        run_until(h.loop, &v.is_over);
        run_until(h.loop, &h.has_closed);
        assert_int_equal(v.end.code, cases[i].code);
        if (!wa_sv_ends(wa_sv(v.end.text), cases[i].text))
            fail_msg("'%s': %s", cases[i].says, v.end.text);
        assert_non_null(strstr(v.end.text, "'127.0.0.1'"));
        assert_int_equal(wa_ws_client_close_status(v.client), cases[i].client_status);
        assert_int_equal(h.closed_status, cases[i].server_status);
        struct wa_err err = WA_ERR_INIT;
        assert_int_equal(wa_ws_client_send(v.client, WA_SV("late"), &err), WA_E_UNREACHABLE);
        leave(&v);
    }
    /* Too much for the server: it says so, and the client reads it. */
    struct visitor v;
    struct wa_err err = WA_ERR_INIT;
    h.has_closed = false;
    visit(&v, &h, ctx, "127.0.0.1", h.port, "/ws", NULL);
    run_until(h.loop, &v.is_open);
    char *large = test_calloc(1, SERVER_MAX + 1);
    memset(large, 'x', SERVER_MAX + 1);
    must(wa_ws_client_send(v.client, wa_sv_n(large, SERVER_MAX + 1), &err));
    must(wa_ws_client_send(v.client, wa_sv_n(large, SERVER_MAX), &err));
    test_free(large);
    run_until(h.loop, &v.is_over);
    run_until(h.loop, &h.has_closed);
    assert_true(wa_sv_ends(wa_sv(v.end.text), "(status 1009)"));
    assert_int_equal(h.closed_status, 1009);
    assert_int_equal(h.messages, WA_COUNT(cases));
    leave(&v);
    wa_tls_ctx_free(ctx);
    hub_free(&h);
}

/* --- not getting in --- */

static void test_refusals(void **state)
{
    struct hub h, plain;
    uint16_t nobody = 0;
    WA_UNUSED(state);
    hub_new(&h, true);
    hub_new(&plain, false);
    int fd = dead_loopback(&nobody);
    struct wa_tls_ctx *right = trust_in(&h, "127.0.0.1"), *wrong = trust_in(&plain, "127.0.0.1");
    const struct {
        struct wa_tls_ctx *ctx;
        uint16_t port;
        const char *path;
        enum wa_code code;
        const char *text;
    } cases[] = {
        {wrong, h.port, "/ws", WA_E_REFUSED, wa_cert_fingerprint(h.id.chain.items[0])},
        {right, nobody, "/ws", WA_E_UNREACHABLE, "cannot reach port"},
        {right, plain.port, "/ws", WA_E_UNREACHABLE, "TLS"},
        {right, h.port, "/denied", WA_E_REFUSED, "answered 403"},
        {right, h.port, "/other", WA_E_UNREACHABLE, "answered 404"},
    };
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct visitor v;
        struct wa_err err = WA_ERR_INIT;
        visit(&v, &h, cases[i].ctx, "127.0.0.1", cases[i].port, cases[i].path, NULL);
        while (!v.is_over) { /* two loops */
            must(wa_loop_turn(h.loop, 5, &err));
            must(wa_loop_turn(plain.loop, 0, &err));
        }
        if (v.end.code != cases[i].code || strstr(v.end.text, cases[i].text) == NULL)
            fail_msg("%zu: %s '%s'", i, wa_code_name(v.end.code), v.end.text);
        assert_false(v.is_open);
        leave(&v);
    }
    assert_int_equal(h.messages, 0);
    wa_fd_close(&fd);
    wa_tls_ctx_free(right);
    wa_tls_ctx_free(wrong);
    hub_free(&h);
    hub_free(&plain);
}

static void test_bad_arguments(void **state)
{
    static const struct wa_ws_client_events events = {on_open, on_text, on_end};
    struct hub h;
    struct wa_ws_client *client = NULL;
    struct wa_url url;
    WA_UNUSED(state);
    hub_new(&h, true);
    struct wa_tls_ctx *ctx = trust_in(&h, "127.0.0.1");
    struct wa_err err = WA_ERR_INIT;
    must(wa_url_parse(WA_SV("http://127.0.0.1/ws"), &url, &err));
    assert_int_equal(wa_ws_client_new(h.loop, &url, NULL, ctx, 100, &events, NULL, &client, &err),
                     WA_E_CONFIG);
    static const char *const proxies[] = {"https://127.0.0.1:1", "127.0.0.1:1",
                                          "http://u:p@127.0.0.1:1"};
    for (size_t i = 0; i < WA_COUNT(proxies); i++) {
        struct wa_err why = WA_ERR_INIT;
        must(wa_url_parse(WA_SV("https://127.0.0.1/ws"), &url, &err));
        assert_true(wa_ws_client_new(h.loop, &url, proxies[i], ctx, 100, &events, NULL, &client,
                                     &why) != WA_OK);
        assert_non_null(strstr(why.text, "proxy"));
    }
    assert_null(client);
    wa_tls_ctx_free(ctx);
    hub_free(&h);
}

/* "localhost" has several addresses on many machines; the server has one of them. */
static void test_several_addresses(void **state)
{
    struct hub h;
    struct visitor v;
    WA_UNUSED(state);
    hub_new(&h, true);
    struct wa_tls_ctx *ctx = trust_in(&h, "localhost");
    visit(&v, &h, ctx, "localhost", h.port, "/ws", NULL);
    run_until(h.loop, &v.is_open);
    leave(&v);
    wa_tls_ctx_free(ctx);
    hub_free(&h);
}

/* Freed by its owner in each callback, and before anything has happened. */
static void test_freed_anywhere(void **state)
{
    static const char places[] = "ote-";
    WA_UNUSED(state);
    struct hub h;
    hub_new(&h, true);
    struct wa_tls_ctx *ctx = trust_in(&h, "127.0.0.1");
    for (const char *at = places; *at != '\0'; at++) {
        struct visitor v;
        visit(&v, &h, ctx, "127.0.0.1", h.port, "/ws", NULL);
        v.free_at = *at;
        if (*at == '-') { /* while the name is looked up */
            wa_ws_client_free(v.client);
            v.client = NULL;
            run_a_little(h.loop);
            assert_false(v.is_open || v.is_over);
        } else {
            run_until(h.loop, &v.is_open);
            if (v.client != NULL)
                say(&v, *at == 't' ? "x" : "close 4401");
            run_until(h.loop, *at == 'o' ? &v.is_open : *at == 't' ? &v.has_text : &v.is_over);
            assert_null(v.client);
        }
        leave(&v);
    }
    wa_tls_ctx_free(ctx);
    hub_free(&h);
}

/* --- through a proxy --- */

struct proxy {
    struct wa_loop *loop;
    int listen_fd, fds[2]; /* client, server */
    struct wa_io *listen_io, *ios[2];
    struct wa_buf asked;
    const char *answer;
    uint16_t to;
};

static void pump(struct proxy *p, int from)
{
    char piece[4096];
    ssize_t got = read(p->fds[from], piece, sizeof piece);
    if (got > 0) { /* loopback, and little: all is taken at once */
        assert_int_equal(send(p->fds[1 - from], piece, (size_t)got, MSG_NOSIGNAL), got);
        return;
    }
    wa_io_free(p->ios[from]);
    p->ios[from] = NULL;
    (void)shutdown(p->fds[1 - from], SHUT_WR);
}

static void on_proxy_server(void *user, int events)
{
    WA_UNUSED(events);
    pump(user, 1);
}

static void on_proxy_client(void *user, int events)
{
    struct proxy *p = user;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(events);
    if (p->fds[1] >= 0) {
        pump(p, 0);
        return;
    }
    char byte;
    while (read(p->fds[0], &byte, 1) == 1) {
        wa_buf_addc(&p->asked, byte);
        if (!wa_sv_ends(wa_buf_sv(&p->asked), "\r\n\r\n"))
            continue;
        p->fds[1] = connect_loopback(p->to);
        must(wa_io_new(p->loop, p->fds[1], on_proxy_server, p, &p->ios[1], &err));
        must(wa_io_set(p->ios[1], WA_IO_READ, &err));
        assert_int_equal(send(p->fds[0], p->answer, strlen(p->answer), MSG_NOSIGNAL),
                         strlen(p->answer));
        return;
    }
}

static void on_proxy_visit(void *user, int events)
{
    struct proxy *p = user;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(events);
    p->fds[0] = accept4(p->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(p->fds[0] >= 0);
    must(wa_io_new(p->loop, p->fds[0], on_proxy_client, p, &p->ios[0], &err));
    must(wa_io_set(p->ios[0], WA_IO_READ, &err));
}

static void proxy_free(struct proxy *p)
{
    wa_io_free(p->listen_io);
    wa_fd_close(&p->listen_fd);
    for (int i = 0; i < 2; i++) {
        wa_io_free(p->ios[i]);
        wa_fd_close(&p->fds[i]);
    }
    wa_buf_fini(&p->asked);
}

static void test_proxy(void **state)
{
    static const struct {
        const char *answer;
        enum wa_code code;
        const char *text;
    } cases[] = {
        {"HTTP/1.1 200 Connection established\r\n\r\n", WA_OK, NULL},
        {"HTTP/1.0 200 OK\r\nVia: x\r\n\r\n", WA_OK, NULL},
        {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", WA_E_UNREACHABLE, "status 407"},
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n", WA_E_UNREACHABLE, "status 0"},
    };
    WA_UNUSED(state);
    struct hub h;
    hub_new(&h, true);
    struct wa_tls_ctx *ctx = trust_in(&h, "127.0.0.1");
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct proxy p = {.loop = h.loop, .fds = {-1, -1}, .answer = cases[i].answer, .to = h.port};
        struct visitor v;
        struct wa_err err = WA_ERR_INIT;
        uint16_t port = 0;
        char address[64], asked[256];
        wa_buf_init(&p.asked, 4096);
        p.listen_fd = listen_loopback(&port);
        must(wa_io_new(h.loop, p.listen_fd, on_proxy_visit, &p, &p.listen_io, &err));
        must(wa_io_set(p.listen_io, WA_IO_READ, &err));
        (void)snprintf(address, sizeof address, "http://127.0.0.1:%u", (unsigned)port);
        visit(&v, &h, ctx, "127.0.0.1", h.port, "/ws", address);
        run_until(h.loop, cases[i].code == WA_OK ? &v.is_open : &v.is_over);
        (void)snprintf(asked, sizeof asked,
                       "CONNECT 127.0.0.1:%u HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n",
                       (unsigned)h.port, (unsigned)h.port);
        assert_string_equal(wa_buf_str(&p.asked), asked);
        if (cases[i].code == WA_OK) {
            say(&v, "through");
            run_until(h.loop, &v.has_text);
            assert_string_equal(wa_buf_str(&v.texts), "through|");
        } else {
            assert_int_equal(v.end.code, cases[i].code);
            assert_non_null(strstr(v.end.text, cases[i].text));
        }
        leave(&v);
        proxy_free(&p);
    }
    wa_tls_ctx_free(ctx);
    hub_free(&h);
}

/* --- patience --- */

/* The loop's clock, wrapped at link time: milliseconds ahead. */
static uint64_t ms_ahead;
uint64_t __real_wa_loop_now_ms(struct wa_loop *loop);
uint64_t __wrap_wa_loop_now_ms(struct wa_loop *loop);

uint64_t __wrap_wa_loop_now_ms(struct wa_loop *loop)
{
    return __real_wa_loop_now_ms(loop) + ms_ahead;
}

/* Somebody takes the connection and never says a word. */
static void test_no_answer(void **state)
{
    struct hub h;
    struct visitor v;
    uint16_t port = 0;
    WA_UNUSED(state);
    hub_new(&h, true);
    struct wa_tls_ctx *ctx = trust_in(&h, "127.0.0.1");
    int fd = listen_loopback(&port);
    visit(&v, &h, ctx, "127.0.0.1", port, "/ws", NULL);
    run_a_little(h.loop);
    assert_false(v.is_over);
    ms_ahead = 16000;
    run_until(h.loop, &v.is_over);
    ms_ahead = 0;
    assert_int_equal(v.end.code, WA_E_TIMEOUT);
    assert_non_null(strstr(v.end.text, "did not answer in time"));
    leave(&v);
    wa_fd_close(&fd);
    wa_tls_ctx_free(ctx);
    hub_free(&h);
}

/* Real time, so that the client's clock ticks; and turns, so that what it says is heard. */
static void run_a_second(struct wa_loop *loop)
{
    struct wa_err err = WA_ERR_INIT;
    uint64_t until = __real_wa_loop_now_ms(loop) + 1200;
    for (int i = 0; i < 15 || __real_wa_loop_now_ms(loop) < until; i++)
        must(wa_loop_turn(loop, 100, &err));
}

/* The client's pings alone keep a quiet connection alive, on both sides; real silence ends it. */
static void test_quiet(void **state)
{
    const struct wa_http_server_config taciturn = {
        .max_connections = 10, .max_handshakes = 10, .ws_ping_ms = 3600000, .sweep_ms = 5};
    struct hub h;
    struct visitor v;
    WA_UNUSED(state);
    hub_new_with(&h, true, &taciturn);
    struct wa_tls_ctx *ctx = trust_in(&h, "127.0.0.1");
    visit(&v, &h, ctx, "127.0.0.1", h.port, "/ws", NULL);
    run_until(h.loop, &v.is_open);
    for (int i = 0; i < 4; i++) {
        ms_ahead += WA_WS_PING_MS + 1000;
        run_a_second(h.loop);
    }
    assert_true(ms_ahead > WA_WS_PONG_TIMEOUT_MS);
    assert_false(v.is_over || h.has_closed);
    ms_ahead += WA_WS_PONG_TIMEOUT_MS + 2000;
    run_until(h.loop, &v.is_over);
    assert_true(v.end.code == WA_E_TIMEOUT ||
                v.end.code == WA_E_UNREACHABLE); /* who sees it first */
    leave(&v);
    ms_ahead = 0;
    wa_tls_ctx_free(ctx);
    hub_free(&h);
}

/* --- stopping --- */

static void on_stopped(void *user)
{
    bool *is_stopped = user;
    *is_stopped = true;
}

static void test_stop(void **state)
{
    struct hub h;
    struct visitor v;
    bool is_stopped = false;
    WA_UNUSED(state);
    hub_new(&h, true);
    struct wa_tls_ctx *ctx = trust_in(&h, "127.0.0.1");
    visit(&v, &h, ctx, "127.0.0.1", h.port, "/ws", NULL);
    run_until(h.loop, &v.is_open);
    wa_http_server_stop(h.server, on_stopped, &is_stopped);
    run_until(h.loop, &v.is_over);
    assert_int_equal(wa_ws_client_close_status(v.client), 1001);
    run_until(h.loop, &is_stopped);
    assert_int_equal(h.closed_status, 1001);
    leave(&v);
    wa_tls_ctx_free(ctx);
    hub_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_talk),           cmocka_unit_test(test_turns),
        cmocka_unit_test(test_many),           cmocka_unit_test(test_server_vanishes),
        cmocka_unit_test(test_ends),           cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_bad_arguments),  cmocka_unit_test(test_several_addresses),
        cmocka_unit_test(test_freed_anywhere), cmocka_unit_test(test_proxy),
        cmocka_unit_test(test_no_answer),      cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
