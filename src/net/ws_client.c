/* ws_client.c - one outgoing WebSocket: look up, connect, (proxy,) TLS, upgrade, talk. One attempt;
 * the owner tries again. */
#include "net/ws_client.h"

#include "base/mem.h"
#include "codec/base64.h"
#include "net/http.h"
#include "net/ws.h"
#include "os/fs.h"
#include "os/proc.h"
#include "os/rand.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_MS 15000u
#define TICK_MS 5000u
#define READ_PIECE 16384u

enum step { LOOKUP, CONNECT, PROXY, HANDSHAKE, UPGRADE, OPEN, ENDED };

struct wa_ws_client {
    struct wa_loop *loop;
    struct wa_url url, via; /* via: the proxy, when there is one */
    bool has_proxy;
    struct wa_tls_ctx *ctx;
    struct wa_ws_client_events ev;
    void *user;
    enum step step;
    struct addrinfo *found, *next;
    int fd;
    struct wa_io *io;
    struct wa_timer *timer;
    uint64_t deadline_ms, heard_ms, pinged_ms;
    struct wa_tls *tls;
    struct wa_http_parser *parser;
    struct wa_ws *ws;
    struct wa_buf out;
    char accept[29];
    bool lookup_runs, freed, upgraded;
    unsigned busy;
};

/* What the pool thread works on: its own copy, so that the client may be freed meanwhile. */
struct lookup {
    struct wa_ws_client *client; /* NULL when it was freed */
    char host[256], port[8];
    struct addrinfo *found;
};

static void really_free(struct wa_ws_client *c)
{
    wa_io_free(c->io);
    wa_timer_free(c->timer);
    wa_tls_free(c->tls);
    wa_fd_close(&c->fd);
    wa_http_parser_free(c->parser);
    wa_ws_free(c->ws);
    wa_buf_fini(&c->out);
    if (c->found != NULL)
        freeaddrinfo(c->found);
    wa_free(c);
}

void wa_ws_client_free(struct wa_ws_client *c)
{
    if (c == NULL)
        return;
    c->freed = true;
    c->step = ENDED;
    if (c->busy == 0 && !c->lookup_runs)
        really_free(c);
}

static void leave(struct wa_ws_client *c)
{
    if (--c->busy == 0 && c->freed && !c->lookup_runs)
        really_free(c);
}

static void end(struct wa_ws_client *c, enum wa_code code, const struct wa_err *err)
{
    if (c->step == ENDED)
        return;
    c->step = ENDED;
    wa_io_free(c->io);
    c->io = NULL;
    wa_timer_stop(c->timer);
    if (c->tls != NULL)
        wa_tls_close(c->tls);
    c->ev.on_end(c->user, code, err);
}

static void end_err(struct wa_ws_client *c, struct wa_err *err, const char *doing)
{
    (void)wa_wrap(err, "%s '%s'", doing, c->url.host);
    end(c, err->code, err);
}

/* --- frames --- */

static void on_text(void *user, struct wa_sv text)
{
    struct wa_ws_client *c = user;
    if (c->step == OPEN)
        c->ev.on_text(c->user, text);
}

static void on_close(void *user, int status)
{
    struct wa_ws_client *c = user;
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = status == 1000 || status == 1001  ? WA_E_UNREACHABLE
                        : status >= 4400 && status < 4500 ? WA_E_REFUSED
                                                          : WA_E_UNREACHABLE;
    (void)wa_fail(&err, code, "'%s' closed the connection (status %d)", c->url.host, status);
    end(c, code, &err);
}

static void flush(struct wa_ws_client *c)
{
    struct wa_err err = WA_ERR_INIT;
    int events = WA_IO_READ;
    if (c->ws != NULL && c->step == OPEN && wa_ws_drain(c->ws, &c->out, &err) != WA_OK) {
        end_err(c, &err, "talking to");
        return;
    }
    while (c->out.n > 0) {
        size_t n = 0;
        enum wa_tls_want want = WA_TLS_DONE;
        enum wa_code code;
        if (c->tls != NULL) {
            code = wa_tls_write(c->tls, c->out.p, c->out.n, &n, &want, &err);
        } else {
            ssize_t put = send(c->fd, c->out.p, c->out.n, MSG_NOSIGNAL);
            code = put >= 0          ? WA_OK
                   : errno == EAGAIN ? WA_OK
                                     : wa_fail_errno(&err, errno, "cannot write");
            want = put < 0 ? WA_TLS_WANT_WRITE : WA_TLS_DONE;
            n = put < 0 ? 0 : (size_t)put;
        }
        if (code != WA_OK) {
            end_err(c, &err, "talking to");
            return;
        }
        if (want != WA_TLS_DONE) {
            events |= want == WA_TLS_WANT_WRITE ? WA_IO_WRITE : 0;
            break;
        }
        wa_buf_consume(&c->out, n);
    }
    if (wa_io_set(c->io, events, &err) != WA_OK)
        end_err(c, &err, "talking to");
}

/* --- upgrade --- */

static enum wa_code on_head(void *user, const struct wa_http_head *h, struct wa_err *err)
{
    struct wa_ws_client *c = user;
    if (c->step == PROXY)
        return h->status == 200
                   ? WA_OK
                   : wa_fail(err, WA_E_UNREACHABLE, "the proxy answered %d", h->status);
    if (h->status != 101)
        return wa_fail(err, h->status == 401 || h->status == 403 ? WA_E_REFUSED : WA_E_UNREACHABLE,
                       "the server answered %d instead of a WebSocket", h->status);
    if (!wa_sv_ieqs(wa_http_get(h, "upgrade"), "websocket") ||
        !wa_sv_eqs(wa_http_get(h, "sec-websocket-accept"), c->accept))
        return wa_fail(err, WA_E_INVALID, "the server's answer is not a WebSocket's");
    c->upgraded = true;
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

static enum wa_code send_upgrade(struct wa_ws_client *c, struct wa_err *err)
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
    wa_buf_addf(&c->out,
                "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUpgrade: websocket\r\nConnection: "
                "Upgrade\r\nSec-WebSocket-Key: %s\r\n"
                "Sec-WebSocket-Version: 13\r\nUser-Agent: wapt/" WA_VERSION "\r\n\r\n",
                c->url.path, c->url.host, (unsigned)c->url.port, wa_buf_str(&key));
    return wa_buf_check(&c->out, err);
}

static void got_bytes(struct wa_ws_client *c, const char *p, size_t n)
{
    struct wa_err err = WA_ERR_INIT;
    size_t used = 0;
    c->heard_ms = wa_loop_now_ms(c->loop);
    if (c->step == UPGRADE) {
        if (wa_http_parse(c->parser, p, n, &used, &err) != WA_OK) {
            end_err(c, &err, "opening a WebSocket to");
            return;
        }
        if (!c->upgraded)
            return;
        wa_http_parser_free(c->parser);
        c->parser = NULL;
        c->step = OPEN;
        c->deadline_ms = 0;
        c->ev.on_open(c->user);
        p += used;
        n -= used;
    }
    if (c->step == OPEN && n > 0 && wa_ws_feed(c->ws, p, n, &err) != WA_OK)
        end_err(c, &err, "talking to");
}

/* --- steps --- */

static void try_next(struct wa_ws_client *c);
static void on_event(void *user, int events);

static enum wa_code start_tls(struct wa_ws_client *c, struct wa_err *err)
{
    if (wa_tls_new(c->ctx, c->fd, false, &c->tls, err) != WA_OK)
        return err->code;
    c->step = HANDSHAKE;
    return WA_OK;
}

static void step_handshake(struct wa_ws_client *c)
{
    static const struct wa_http_events events = {on_head, on_body, on_done};
    struct wa_err err = WA_ERR_INIT;
    enum wa_tls_want want = WA_TLS_DONE;
    if (wa_tls_handshake(c->tls, &want, &err) != WA_OK) {
        end_err(c, &err, "connecting to");
        return;
    }
    if (want != WA_TLS_DONE) {
        if (wa_io_set(c->io, want == WA_TLS_WANT_WRITE ? WA_IO_WRITE : WA_IO_READ, &err) != WA_OK)
            end_err(c, &err, "connecting to");
        return;
    }
    c->step = UPGRADE;
    if (wa_http_parser_new(false, &events, c, &c->parser, &err) != WA_OK ||
        send_upgrade(c, &err) != WA_OK)
        end_err(c, &err, "connecting to");
    else
        flush(c);
}

/* The proxy's answer, byte by byte: what follows its head is TLS already. */
static void step_proxy(struct wa_ws_client *c)
{
    struct wa_err err = WA_ERR_INIT;
    for (;;) {
        char byte;
        ssize_t got = read(c->fd, &byte, 1);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            (void)wa_fail(&err, WA_E_UNREACHABLE, "the proxy closed the connection");
            end_err(c, &err, "connecting to");
            return;
        }
        wa_buf_addc(&c->out, byte); /* out is empty here: it keeps the head */
        if (c->out.n > 4096) {
            (void)wa_fail(&err, WA_E_LIMIT, "the proxy's answer is too long");
            end_err(c, &err, "connecting to");
            return;
        }
        if (!wa_sv_ends(wa_buf_sv(&c->out), "\r\n\r\n"))
            continue;
        bool ok = wa_sv_starts(wa_buf_sv(&c->out), "HTTP/1.1 200") ||
                  wa_sv_starts(wa_buf_sv(&c->out), "HTTP/1.0 200");
        wa_buf_clear(&c->out);
        if (!ok)
            (void)wa_fail(&err, WA_E_UNREACHABLE, "the proxy refused the connection");
        if (!ok || start_tls(c, &err) != WA_OK)
            end_err(c, &err, "connecting to");
        else
            step_handshake(c);
        return;
    }
}

static void step_connected(struct wa_ws_client *c)
{
    struct wa_err err = WA_ERR_INIT;
    int failed = 0;
    socklen_t n = sizeof failed;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &failed, &n) != 0 || failed != 0) {
        errno = failed;
        try_next(c);
        return;
    }
    if (!c->has_proxy) {
        if (start_tls(c, &err) != WA_OK)
            end_err(c, &err, "connecting to");
        else
            step_handshake(c);
        return;
    }
    c->step = PROXY;
    wa_buf_addf(&c->out, "CONNECT %s:%u HTTP/1.1\r\nHost: %s:%u\r\n\r\n", c->url.host,
                (unsigned)c->url.port, c->url.host, (unsigned)c->url.port);
    flush(c);
}

static void step_read(struct wa_ws_client *c)
{
    char piece[READ_PIECE];
    struct wa_err err = WA_ERR_INIT;
    while (c->step == UPGRADE || c->step == OPEN) {
        size_t n = 0;
        enum wa_tls_want want = WA_TLS_DONE;
        if (wa_tls_read(c->tls, piece, sizeof piece, &n, &want, &err) != WA_OK) {
            end_err(c, &err, "talking to");
            return;
        }
        if (want != WA_TLS_DONE)
            break;
        if (n == 0) {
            (void)wa_fail(&err, WA_E_UNREACHABLE, "the server closed the connection");
            end_err(c, &err, "talking to");
            return;
        }
        got_bytes(c, piece, n);
    }
    if (c->step == UPGRADE || c->step == OPEN)
        flush(c);
}

static void on_event(void *user, int events)
{
    struct wa_ws_client *c = user;
    c->busy++;
    switch (c->step) {
    case CONNECT:
        step_connected(c);
        break;
    case PROXY:
        if (c->out.n > 0 && (events & WA_IO_WRITE) != 0)
            flush(c);
        else
            step_proxy(c);
        break;
    case HANDSHAKE:
        step_handshake(c);
        break;
    case UPGRADE:
    case OPEN:
        step_read(c);
        break;
    case LOOKUP:
    case ENDED:
        break;
    }
    leave(c);
}

/* Connects to the next address of the list. */
static void try_next(struct wa_ws_client *c)
{
    struct wa_err err = WA_ERR_INIT;
    int last = errno;
    wa_io_free(c->io);
    c->io = NULL;
    wa_fd_close(&c->fd);
    while (c->next != NULL) {
        struct addrinfo *a = c->next;
        c->next = a->ai_next;
        c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (c->fd < 0)
            continue;
        if (connect(c->fd, a->ai_addr, a->ai_addrlen) == 0 || errno == EINPROGRESS) {
            c->step = CONNECT;
            if (wa_io_new(c->loop, c->fd, on_event, c, &c->io, &err) != WA_OK ||
                wa_io_set(c->io, WA_IO_WRITE, &err) != WA_OK)
                end_err(c, &err, "connecting to");
            return;
        }
        last = errno;
        wa_fd_close(&c->fd);
    }
    (void)wa_fail_errno(&err, last == 0 ? ECONNREFUSED : last, "cannot reach port %u",
                        (unsigned)c->url.port);
    end_err(c, &err, "connecting to");
}

static enum wa_code look_up(void *user, struct wa_err *err)
{
    struct lookup *l = user;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    int rc = getaddrinfo(l->host, l->port, &hints, &l->found);
    if (rc != 0) { /* a machine without any address but loopback's: ask again without the filter */
        const struct addrinfo any = {.ai_socktype = SOCK_STREAM};
        rc = getaddrinfo(l->host, l->port, &any, &l->found);
    }
    return rc == 0 ? WA_OK
                   : wa_fail(err, WA_E_UNREACHABLE, "the name '%s' can't be resolved: %s", l->host,
                             gai_strerror(rc));
}

static void looked_up(void *user, enum wa_code code, const struct wa_err *err)
{
    struct lookup *l = user;
    struct wa_ws_client *c = l->client;
    c->lookup_runs = false;
    c->busy++;
    if (c->freed || c->step == ENDED) {
        if (l->found != NULL)
            freeaddrinfo(l->found);
    } else if (code != WA_OK) {
        end(c, code, err);
    } else {
        c->found = c->next = l->found;
        errno = 0;
        try_next(c);
    }
    wa_free(l);
    leave(c);
}

static void tick(void *user)
{
    struct wa_ws_client *c = user;
    struct wa_err err = WA_ERR_INIT;
    uint64_t now = wa_loop_now_ms(c->loop);
    c->busy++;
    if (c->deadline_ms != 0 && now > c->deadline_ms) {
        (void)wa_fail(&err, WA_E_TIMEOUT, "'%s' did not answer in time", c->url.host);
        end(c, err.code, &err);
    } else if (c->step == OPEN && now - c->heard_ms > WA_WS_PONG_TIMEOUT_MS) {
        (void)wa_fail(&err, WA_E_TIMEOUT, "'%s' is silent", c->url.host);
        end(c, err.code, &err);
    } else if (c->step == OPEN && now - c->pinged_ms > WA_WS_PING_MS) {
        c->pinged_ms = now;
        if (wa_ws_queue_ping(c->ws, &err) == WA_OK)
            flush(c);
    }
    leave(c);
}

static enum wa_code start(struct wa_ws_client *c, size_t max, const char *proxy, struct wa_err *err)
{
    static const struct wa_ws_cb cb = {on_text, on_close, NULL};
    if (proxy != NULL && proxy[0] != '\0') {
        if (wa_url_parse(wa_sv(proxy), &c->via, err) != WA_OK)
            return wa_wrap(err, "the proxy's address");
        c->has_proxy = true;
    }
    if (wa_ws_new(false, max, &cb, c, &c->ws, err) != WA_OK ||
        wa_timer_new(c->loop, tick, c, &c->timer, err) != WA_OK)
        return err->code;
    struct lookup *l = wa_calloc(1, sizeof *l);
    if (l == NULL)
        return wa_nomem(err);
    const struct wa_url *to = c->has_proxy ? &c->via : &c->url;
    l->client = c;
    (void)snprintf(l->host, sizeof l->host, "%s", to->host);
    (void)snprintf(l->port, sizeof l->port, "%u", (unsigned)to->port);
    if (wa_loop_work(c->loop, look_up, looked_up, l, err) != WA_OK) {
        wa_free(l);
        return err->code;
    }
    c->lookup_runs = true;
    c->deadline_ms = wa_loop_now_ms(c->loop) + CONNECT_MS;
    wa_timer_start(c->timer, TICK_MS, TICK_MS);
    return WA_OK;
}

enum wa_code wa_ws_client_new(struct wa_loop *loop, const struct wa_url *url, const char *proxy,
                              struct wa_tls_ctx *ctx, size_t max,
                              const struct wa_ws_client_events *events, void *user,
                              struct wa_ws_client **ret, struct wa_err *err)
{
    if (!url->is_https)
        return wa_fail(err, WA_E_CONFIG, "'%s': the push channel needs https", url->host);
    struct wa_ws_client *c = wa_calloc(1, sizeof *c);
    if (c == NULL)
        return wa_nomem(err);
    *c = (struct wa_ws_client){
        .loop = loop, .url = *url, .ctx = ctx, .ev = *events, .user = user, .fd = -1};
    wa_buf_init(&c->out, 8u << 20);
    if (start(c, max, proxy, err) != WA_OK) {
        really_free(c);
        return err->code;
    }
    *ret = c;
    return WA_OK;
}

enum wa_code wa_ws_client_send(struct wa_ws_client *c, struct wa_sv text, struct wa_err *err)
{
    if (c->step != OPEN)
        return wa_fail(err, WA_E_UNREACHABLE, "the push channel is not open");
    if (wa_ws_queue_text(c->ws, text, err) != WA_OK)
        return err->code;
    if (c->busy == 0) {
        c->busy++;
        flush(c);
        leave(c);
    }
    return WA_OK;
}

enum wa_code wa_ws_client_channel_binding(struct wa_ws_client *c, uint8_t out[32],
                                          struct wa_err *err)
{
    if (c->tls == NULL)
        return wa_fail(err, WA_E_UNREACHABLE, "the push channel is not open");
    return wa_tls_channel_binding(c->tls, out, err);
}
