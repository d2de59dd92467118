/* ws_connect.c - the way of an outgoing WebSocket: look up, connect, (proxy,) TLS, upgrade.
 *
 * Every address of the name is tried in turn, each with a share of the time. Nothing is sent that
 * is worth anything before the server's certificate was accepted.
 */
#include "net/ws_client_priv.h"

#include "base/mem.h"
#include "codec/base64.h"
#include "os/fs.h"
#include "os/rand.h"

#include <errno.h>

/* What the pool's thread works on: nothing of the client, which may be freed meanwhile. */
struct lookup {
    struct wa_ws_client *client;
    char host[256];
    uint16_t port;
    struct wa_addresses *found;
};

/* "host:port", with the brackets that an IPv6 address needs. */
static void add_authority(struct wa_buf *out, const struct wa_url *url)
{
    bool is_v6 = strchr(url->host, ':') != NULL;
    wa_buf_addf(out, "%s%s%s:%u", is_v6 ? "[" : "", url->host, is_v6 ? "]" : "",
                (unsigned)url->port);
}

/* --- addresses --- */

static enum wa_code look_up(void *user, struct wa_err *err)
{
    struct lookup *l = user;
    return wa_addresses_find(l->host, l->port, &l->found, err);
}

static bool has_next(const struct wa_ws_client *c)
{
    return c->next < wa_addresses_count(c->found);
}

static enum wa_code connect_to(struct wa_ws_client *c, size_t i, struct wa_err *err)
{
    c->fd = wa_socket_connect(c->found, i);
    if (c->fd < 0) {
        c->last_errno = errno;
        return WA_OK;
    }
    c->step = WA_WS_CONNECT;
    c->address_deadline_ms = has_next(c) ? wa_loop_now_ms(c->loop) + WA_WS_ADDRESS_TIMEOUT_MS : 0;
    if (wa_io_new(c->loop, c->fd, wa_ws_client_event, c, &c->io, err) != WA_OK)
        return err->code;
    return wa_io_set(c->io, WA_IO_WRITE, err);
}

void wa_ws_connect_next(struct wa_ws_client *c)
{
    struct wa_err err = WA_ERR_INIT;
    wa_io_free(c->io);
    c->io = NULL;
    wa_fd_close(&c->fd);
    while (c->fd < 0 && has_next(c)) {
        if (connect_to(c, c->next++, &err) != WA_OK) {
            wa_ws_client_end(c, &err, "connecting to");
            return;
        }
    }
    if (c->fd >= 0)
        return;
    (void)wa_fail_errno(&err, c->last_errno != 0 ? c->last_errno : ETIMEDOUT,
                        c->has_proxy ? "cannot reach its proxy at port %u" : "cannot reach port %u",
                        (unsigned)(c->has_proxy ? c->via.port : c->url.port));
    wa_ws_client_end(c, &err, "connecting to");
}

static void looked_up(void *user, enum wa_code code, const struct wa_err *err)
{
    struct lookup *l = user;
    struct wa_ws_client *c = l->client;
    struct wa_err why = *err;
    wa_ws_client_enter(c);
    c->lookup_runs = false;
    if (c->is_freed || c->step == WA_WS_ENDED) {
        wa_addresses_free(l->found);
    } else if (code != WA_OK) {
        wa_ws_client_end(c, &why, "connecting to");
    } else {
        c->found = l->found;
        c->next = 0;
        wa_ws_connect_next(c);
    }
    wa_free(l);
    wa_ws_client_leave(c);
}

enum wa_code wa_ws_connect_start(struct wa_ws_client *c, struct wa_err *err)
{
    struct lookup *l = wa_calloc(1, sizeof *l);
    const struct wa_url *to = c->has_proxy ? &c->via : &c->url;
    if (l == NULL)
        return wa_nomem(err);
    l->client = c;
    (void)snprintf(l->host, sizeof l->host, "%s", to->host);
    l->port = to->port;
    if (wa_loop_work(c->loop, look_up, looked_up, l, err) != WA_OK) {
        wa_free(l);
        return err->code;
    }
    c->step = WA_WS_LOOKUP;
    c->lookup_runs = true;
    c->deadline_ms = wa_loop_now_ms(c->loop) + WA_WS_CONNECT_TIMEOUT_MS;
    return WA_OK;
}

/* --- the server's answer --- */

static bool has_token(struct wa_sv list, const char *token)
{
    struct wa_sv part;
    while (wa_sv_split(&list, ',', &part))
        if (wa_sv_ieqs(wa_sv_trim(part), token))
            return true;
    return false;
}

static enum wa_code on_head(void *user, const struct wa_http_head *h, struct wa_err *err)
{
    struct wa_ws_client *c = user;
    if (h->status != 101)
        return wa_fail(err, h->status == 401 || h->status == 403 ? WA_E_REFUSED : WA_E_UNREACHABLE,
                       "the server answered %d instead of a WebSocket", h->status);
    if (!wa_sv_ieqs(wa_http_get(h, "upgrade"), "websocket") ||
        !has_token(wa_http_get(h, "connection"), "upgrade") ||
        !wa_sv_eqs(wa_http_get(h, "sec-websocket-accept"), c->accept) ||
        wa_http_get(h, "sec-websocket-extensions").p != NULL ||
        wa_http_get(h, "sec-websocket-protocol").p != NULL)
        return wa_fail(err, WA_E_INVALID, "the server's answer is not the WebSocket asked for");
    c->is_upgraded = true;
    return WA_OK;
}

static enum wa_code on_body(void *user, const void *p, size_t n, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(p);
    WA_UNUSED(n);
    return wa_fail(err, WA_E_INVALID, "an answer with a body");
}

static enum wa_code on_done(void *user, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(err);
    return WA_OK;
}

enum wa_code wa_ws_connect_answer(struct wa_ws_client *c, const void *p, size_t n, size_t *ret_used,
                                  struct wa_err *err)
{
    if (wa_http_parse(c->parser, p, n, ret_used, err) != WA_OK)
        return err->code;
    if (c->is_upgraded) {
        wa_http_parser_free(c->parser);
        c->parser = NULL;
    }
    return WA_OK;
}

static enum wa_code ask_upgrade(struct wa_ws_client *c, struct wa_err *err)
{
    uint8_t raw[16];
    WA_AUTO_BUF struct wa_buf key;
    wa_buf_init(&key, 32);
    if (wa_rand_bytes(raw, sizeof raw, err) != WA_OK)
        return err->code;
    wa_base64_encode(raw, sizeof raw, &key);
    if (wa_buf_check(&key, err) != WA_OK)
        return err->code;
    if (!wa_ws_accept_key(wa_buf_sv(&key), c->accept))
        return wa_nomem(err);
    wa_buf_addf(&c->out, "GET %s%s%s HTTP/1.1\r\nHost: ", c->url.path,
                c->url.query[0] != '\0' ? "?" : "", c->url.query);
    add_authority(&c->out, &c->url);
    wa_buf_addf(&c->out,
                "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
                "Sec-WebSocket-Version: 13\r\nUser-Agent: wapt/" WA_VERSION "\r\n\r\n",
                wa_buf_str(&key));
    return wa_buf_check(&c->out, err);
}

/* --- steps --- */

static void step_handshake(struct wa_ws_client *c)
{
    static const struct wa_http_events events = {on_head, on_body, on_done};
    struct wa_err err = WA_ERR_INIT;
    enum wa_tls_want want = WA_TLS_DONE;
    enum wa_code code = wa_tls_handshake(c->tls, &want, &err);
    if (code == WA_OK && want != WA_TLS_DONE) {
        code = wa_io_set(c->io, want == WA_TLS_WANT_WRITE ? WA_IO_WRITE : WA_IO_READ, &err);
    } else if (code == WA_OK) {
        c->step = WA_WS_UPGRADE;
        code = wa_http_parser_new(false, &events, c, &c->parser, &err);
        if (code == WA_OK)
            code = ask_upgrade(c, &err);
        if (code == WA_OK)
            code = wa_ws_client_flush(c, &err);
    }
    if (code != WA_OK)
        wa_ws_client_end(c, &err, "connecting to");
}

static void start_tls(struct wa_ws_client *c)
{
    struct wa_err err = WA_ERR_INIT;
    c->step = WA_WS_HANDSHAKE;
    if (wa_tls_new(c->ctx, c->fd, false, &c->tls, &err) != WA_OK)
        wa_ws_client_end(c, &err, "connecting to");
    else
        step_handshake(c);
}

static void step_connected(struct wa_ws_client *c)
{
    struct wa_err err = WA_ERR_INIT;
    int failed = wa_socket_outcome(c->fd);
    if (failed != 0) {
        c->last_errno = failed;
        wa_ws_connect_next(c);
        return;
    }
    c->address_deadline_ms = 0;
    if (!c->has_proxy) {
        start_tls(c);
        return;
    }
    c->step = WA_WS_PROXY;
    wa_buf_adds(&c->out, "CONNECT ");
    add_authority(&c->out, &c->url);
    wa_buf_adds(&c->out, " HTTP/1.1\r\nHost: ");
    add_authority(&c->out, &c->url);
    wa_buf_adds(&c->out, "\r\n\r\n");
    if (wa_buf_check(&c->out, &err) != WA_OK || wa_ws_client_flush(c, &err) != WA_OK)
        wa_ws_client_end(c, &err, "asking the proxy for");
}

/* "HTTP/1.1 407 ...": the status, 0 when it is no such thing. */
static int status_of(struct wa_sv answer)
{
    uint64_t status = 0;
    if (!wa_sv_starts(answer, "HTTP/1.") || answer.n < 12 || answer.p[8] != ' ' ||
        !wa_sv_u64(wa_sv_sub(answer, 9, 3), &status))
        return 0;
    return (int)status;
}

/* One byte of the proxy's answer. True when it is whole. */
static bool take_proxy_byte(struct wa_ws_client *c, char byte, struct wa_err *err)
{
    wa_buf_addc(&c->out, byte); /* out is empty of anything else */
    if (c->out.n > WA_PROXY_ANSWER_MAX)
        (void)wa_fail(err, WA_E_LIMIT, "the proxy's answer is too long");
    else if (wa_buf_check(&c->out, err) == WA_OK && wa_sv_ends(wa_buf_sv(&c->out), "\r\n\r\n")) {
        int status = status_of(wa_buf_sv(&c->out));
        if (status == 200)
            return true;
        (void)wa_fail(err, WA_E_UNREACHABLE, "the proxy refused with status %d", status);
    }
    return false;
}

/* Byte by byte: what follows the answer's head is TLS already. */
static void step_proxy(struct wa_ws_client *c)
{
    struct wa_err err = WA_ERR_INIT;
    if (c->out_at < c->out.n) { /* our question is not out yet */
        if (wa_ws_client_flush(c, &err) != WA_OK)
            wa_ws_client_end(c, &err, "asking the proxy for");
        return;
    }
    for (bool is_whole = false; !is_whole && err.code == WA_OK;) {
        char byte;
        ptrdiff_t got = wa_socket_read(c->fd, &byte, 1);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0)
            (void)wa_fail(&err, WA_E_UNREACHABLE, "the proxy closed the connection");
        else
            is_whole = take_proxy_byte(c, byte, &err);
    }
    wa_buf_fini(&c->out);
    if (err.code != WA_OK)
        wa_ws_client_end(c, &err, "asking the proxy for");
    else
        start_tls(c);
}

void wa_ws_connect_step(struct wa_ws_client *c)
{
    switch (c->step) {
    case WA_WS_CONNECT:
        step_connected(c);
        break;
    case WA_WS_PROXY:
        step_proxy(c);
        break;
    case WA_WS_HANDSHAKE:
        step_handshake(c);
        break;
    case WA_WS_LOOKUP:
    case WA_WS_UPGRADE:
    case WA_WS_OPEN:
    case WA_WS_ENDED:
        break;
    }
}
