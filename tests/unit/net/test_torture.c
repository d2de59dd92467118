/* Each allocation fails in turn: who asks hears that memory ran out, nothing leaks, and a server
 * goes on serving others. */
#include "support.h"
#include "torture.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_server.h"
#include "net/ws_client.h"
#include "os/fs.h"

/* --- messages and frames --- */

static enum wa_code nothing_head(void *user, const struct wa_http_head *h, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(h);
    WA_UNUSED(err);
    return WA_OK;
}

static enum wa_code nothing_body(void *user, const void *p, size_t n, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(p);
    WA_UNUSED(n);
    WA_UNUSED(err);
    return WA_OK;
}

static enum wa_code nothing_done(void *user, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(err);
    return WA_OK;
}

static enum wa_code parse_step(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    static const struct wa_http_events events = {nothing_head, nothing_body, nothing_done};
    static const char request[] =
        "POST /a%20long%20enough%20path/so%20that%20the%20buffers%20grow%20more%20than%20once/"
        "so%20that%20the%20buffers%20grow%20more%20than%20once/"
        "so%20that%20the%20buffers%20grow%20more%20than%20once/"
        "so%20that%20the%20buffers%20grow%20more%20than%20once/"
        "so%20that%20the%20buffers%20grow%20more%20than%20once/"
        "so%20that%20the%20buffers%20grow%20more%20than%20once/"
        "so%20that%20the%20buffers%20grow%20more%20than%20once/"
        "so%20that%20the%20buffers%20grow%20more%20than%20once?query HTTP/1.1\r\nHost: a\r\n"
        "Content-Length: 2\r\nX-Header: a value that is long enough to make them grow "
        "again\r\n\r\nab";
    WA_AUTO(wa_http_parser) struct wa_http_parser *p = NULL;
    size_t used = 0;
    if (wa_http_parser_new(true, &events, NULL, &p, err) != WA_OK)
        return err->code;
    return wa_http_parse(p, request, sizeof request - 1, &used, err);
}

static void nothing_text(void *user, struct wa_sv text)
{
    WA_UNUSED(user);
    WA_UNUSED(text);
}

static enum wa_code frames_step(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    static const struct wa_ws_cb cb = {nothing_text, NULL, NULL};
    static const char text[900] = "text";
    WA_AUTO(wa_ws) struct wa_ws *client = NULL;
    WA_AUTO(wa_ws) struct wa_ws *server = NULL;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 65536);
    wa_buf_adds(&out, "the answer before");
    if (wa_buf_check(&out, err) != WA_OK ||
        wa_ws_new(false, 1000, &cb, NULL, &client, err) != WA_OK ||
        wa_ws_new(true, 1000, &cb, NULL, &server, err) != WA_OK ||
        wa_ws_queue_text(client, WA_SV("hello"), err) != WA_OK ||
        wa_ws_queue_text(client, wa_sv_n(text, sizeof text), err) != WA_OK ||
        wa_ws_queue_ping(client, err) != WA_OK ||
        wa_ws_queue_close(client, 1000, "bye", err) != WA_OK ||
        wa_ws_drain(client, &out, err) != WA_OK)
        return err->code;
    assert_int_equal(wa_ws_queued(client), 0);
    return wa_ws_feed(server, out.p + 17, out.n - 17, err);
}

static void test_messages(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(parse_step, NULL) > 4);
    assert_true(wa_torture(frames_step, NULL) > 8);
}

/* --- TLS --- */

static struct identity id;
static struct wa_tls_trust trust;
static struct wa_tls_ctx *server_ctx, *client_ctx;

static int setup(void **state)
{
    static const char *const names[] = {"127.0.0.1", NULL};
    WA_UNUSED(state);
    identity_new(&id, IDENTITY_SERVER, "srv", names, NULL);
    struct wa_err err = WA_ERR_INIT;
    trust = (struct wa_tls_trust){.pem = wa_buf_sv(&id.pem), .host = "127.0.0.1"};
    must(wa_tls_server_ctx(&id.chain, id.key, &server_ctx, &err));
    must(wa_tls_client_ctx(&trust, &client_ctx, &err));
    return 0;
}

static int teardown(void **state)
{
    WA_UNUSED(state);
    wa_tls_ctx_free(server_ctx);
    wa_tls_ctx_free(client_ctx);
    identity_free(&id);
    return 0;
}

static enum wa_code tls_step(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    WA_AUTO(wa_tls_ctx) struct wa_tls_ctx *client = NULL;
    WA_AUTO(wa_tls_ctx) struct wa_tls_ctx *server = NULL;
    WA_AUTO(wa_tls) struct wa_tls *c = NULL;
    WA_AUTO(wa_tls) struct wa_tls *s = NULL;
    if (wa_tls_client_ctx(&trust, &client, err) != WA_OK ||
        wa_tls_server_ctx(&id.chain, id.key, &server, err) != WA_OK ||
        wa_tls_new(client, 0, false, &c, err) != WA_OK)
        return err->code;
    return wa_tls_new(server, 0, true, &s, err);
}

static void test_tls(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(tls_step, NULL) > 4);
}

/* --- a server --- */

struct place {
    struct wa_loop *loop;
    struct wa_http_server *server;
    uint16_t port;
    size_t sockets, asked; /* open, and still to be answered */
};

static void on_message(void *user, struct wa_ws_conn *c, struct wa_sv text)
{
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(user);
    if (wa_ws_send(c, text, &err) != WA_OK)
        wa_ws_close(c, 1011, "no memory");
}

static void on_close(void *user, struct wa_ws_conn *c, int status, const char *reason)
{
    struct place *p = user;
    WA_UNUSED(c);
    WA_UNUSED(status);
    WA_UNUSED(reason);
    p->sockets--;
}

static void on_request(void *user, struct wa_http_conn *c, const struct wa_http_head *head)
{
    static const struct wa_ws_events events = {on_message, on_close};
    struct place *p = user;
    struct wa_ws_conn *ws = NULL;
    struct wa_err err = WA_ERR_INIT;
    if (head->is_upgrade) {
        if (wa_http_accept_ws(c, 1000, &events, p, &ws, &err) == WA_OK)
            p->sockets++;
        else
            wa_http_answer_err(c, &err);
    } else {
        p->asked++;
        wa_http_accept_body(c, 1000);
    }
}

static void on_body(void *user, struct wa_http_conn *c, struct wa_sv body)
{
    struct place *p = user;
    p->asked--;
    wa_http_answer(c, 200, "text/plain", body, NULL);
}

static void on_gone(void *user, struct wa_http_conn *c)
{
    struct place *p = user;
    WA_UNUSED(c);
    p->asked--;
}

static enum wa_code open_place(struct place *p, struct wa_tls_ctx *tls, struct wa_err *err)
{
    static const struct wa_http_server_events events = {on_request, on_body, on_gone, NULL};
    static const struct wa_http_server_config config = {
        .max_connections = 10, .max_handshakes = 10, .sweep_ms = 2};
    int fd = listen_loopback(&p->port);
    if (wa_loop_new(&p->loop, err) == WA_OK &&
        wa_http_server_new(p->loop, &fd, 1, tls, &config, &events, p, &p->server, err) == WA_OK)
        return WA_OK;
    wa_fd_close(&fd); /* not taken over */
    wa_loop_free(p->loop);
    return err->code;
}

static void close_place(struct place *p)
{
    wa_http_server_free(p->server);
    assert_int_equal(p->sockets, 0);
    wa_loop_free(p->loop);
}

static void must_turn(struct place *p)
{
    struct wa_err err = WA_ERR_INIT;
    must(wa_loop_turn(p->loop, 5, &err));
}

/* Sends a request, and gives what comes until the end of the connection. No allocation here. */
static size_t exchange(struct place *p, const char *request, size_t n, char *out, size_t size)
{
    int fd = connect_loopback(p->port);
    size_t got = 0;
    assert_int_equal(send(fd, request, n, MSG_NOSIGNAL), n);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    for (;;) {
        ssize_t more = read(fd, out + got, size - 1 - got);
        if (more == 0 || (more < 0 && errno != EAGAIN))
            break;
        got += more > 0 ? (size_t)more : 0;
        must_turn(p);
    }
    out[got] = '\0';
    wa_fd_close(&fd);
    return got;
}

struct request {
    const char *name, *bytes;
    size_t n;
    const char *answer; /* how it ends when all goes well */
};

static const struct request requests[] = {
#define REQUEST(name, bytes, answer)                                                               \
    {                                                                                              \
        name, bytes, sizeof(bytes) - 1, answer                                                     \
    }
    REQUEST("two bodies",
            "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
            "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nworld",
            "\r\n\r\nworld"),
    REQUEST("a WebSocket",
            "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            "\x81\x85\0\0\0\0hello",
            "\r\n\r\n\x81\x05hello"),
    REQUEST("nonsense", "POST /a\r\n\r\n", "\"}}"),
};

/* A true answer or an honest end; and with memory, the next one finds all well. */
static enum wa_code server_step(void *arg, struct wa_err *err)
{
    const struct request *r = arg;
    struct place p = {.asked = 0};
    char out[4096];
    if (open_place(&p, NULL, err) != WA_OK)
        return err->code;
    size_t got = exchange(&p, r->bytes, r->n, out, sizeof out);
    if (got > 0 && !wa_sv_starts(wa_sv(out), "HTTP/1.1 "))
        fail_msg("'%s': '%s'", r->name, out);
    while (wa_http_server_count(p.server) > 0)
        must_turn(&p);
    assert_int_equal(p.sockets, 0); /* each was told its end */
    assert_int_equal(p.asked, 0);
    wa_torture_pause();
    (void)exchange(&p, r->bytes, r->n, out, sizeof out);
    if (!wa_sv_ends(wa_sv(out), r->answer))
        fail_msg("'%s', again: '%s'", r->name, out);
    wa_torture_resume();
    close_place(&p);
    return WA_OK;
}

static void test_server(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(requests); i++) {
        struct request r = requests[i];
        assert_true(wa_torture(server_step, &r) > 8);
    }
}

/* --- a client, and its server --- */

struct visitor {
    struct wa_ws_client *client;
    bool is_over, has_text;
};

static void visitor_text(void *user, struct wa_sv text)
{
    struct visitor *v = user;
    assert_true(wa_sv_eqs(text, "hello"));
    v->has_text = v->is_over = true;
}

static void visitor_end(void *user, enum wa_code code, const struct wa_err *err)
{
    struct visitor *v = user;
    assert_true(code != WA_OK && code == err->code);
    v->is_over = true;
}

static void visitor_open(void *user)
{
    struct visitor *v = user;
    struct wa_err err = WA_ERR_INIT;
    if (wa_ws_client_send(v->client, WA_SV("hello"), &err) != WA_OK) {
        assert_int_equal(err.code, WA_E_NOMEM);
        v->is_over = true;
    }
}

static enum wa_code client_step(void *arg, struct wa_err *err)
{
    static const struct wa_ws_client_events events = {visitor_open, visitor_text, visitor_end};
    struct place p = {.asked = 0};
    struct visitor v = {.is_over = false};
    struct wa_url url;
    char text[64];
    WA_UNUSED(arg);
    if (open_place(&p, server_ctx, err) != WA_OK)
        return err->code;
    (void)snprintf(text, sizeof text, "https://127.0.0.1:%u/ws", (unsigned)p.port);
    if (wa_url_parse(wa_sv(text), &url, err) != WA_OK)
        fail_msg("%s", err->text);
    if (wa_ws_client_new(p.loop, &url, NULL, client_ctx, 1000, &events, &v, &v.client, err) ==
        WA_OK)
        run_until(p.loop, &v.is_over);
    wa_ws_client_free(v.client);
    close_place(&p);
    return err->code;
}

static void test_client(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(client_step, NULL) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_server),
        cmocka_unit_test(test_client),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
