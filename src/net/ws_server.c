/* ws_server.c - the server's WebSockets: small once idle, pinged, cut when silent or not reading.
 *
 * An idle one holds no buffer: the HTTP parser went with the upgrade, the output is freed when
 * empty. The application is called back from the loop alone, never out of its own wa_ws_send() or
 * wa_ws_close(): it may send to all its connections without one of them vanishing meanwhile.
 */
#include "net/http_server_priv.h"

#include "base/mem.h"

void wa_ws_conn_free(struct wa_ws_conn *c)
{
    struct wa_http_server *s = c->server;
    wa_ws_due_leave(c);
    if (c->is_counted) {
        s->ws_count--;
        s->count--;
    }
    wa_io_free(c->io);
    wa_tls_free(c->tls);
    wa_fd_close(&c->fd);
    wa_ws_free(c->ws);
    wa_buf_fini(&c->out.bytes);
    wa_free(c);
    wa_http_server_has_room(s);
}

static void free_if_unused(struct wa_ws_conn *c)
{
    if (c->busy > 0)
        return;
    if (c->server->busy > 0)
        wa_ws_due_enter(c, &c->server->dead_ws);
    else
        wa_ws_conn_free(c);
}

void wa_ws_conn_end(struct wa_ws_conn *c, int status, const char *reason)
{
    if (c->dead)
        return;
    c->dead = true;
    wa_ws_due_leave(c);
    c->busy++;
    c->ev.on_close(c->user, c, c->closing ? c->close_status : status, reason);
    c->busy--;
    wa_io_free(c->io);
    c->io = NULL;
    if (c->tls != NULL)
        wa_tls_close(c->tls);
    free_if_unused(c);
}

static void leave(struct wa_ws_conn *c)
{
    if (--c->busy == 0 && c->dead)
        free_if_unused(c);
}

/* From now on nothing reaches the application but on_close, with this status. */
static void start_closing(struct wa_ws_conn *c, int status)
{
    if (c->closing)
        return;
    c->closing = true;
    c->close_status = status;
    c->deadline_ms = wa_loop_now_ms(c->server->loop) + WA_LINGER_MS;
    if (c->is_counted)
        wa_ws_due_put(c);
}

static void on_text(void *user, struct wa_sv text)
{
    struct wa_ws_conn *c = user;
    if (!c->dead && !c->closing)
        c->ev.on_message(c->user, c, text);
}

static void on_close(void *user, int status)
{
    start_closing(user, status);
}

/* Writes what is queued, as far as the socket takes it, and watches for the rest. */
static enum wa_code flush(struct wa_ws_conn *c, struct wa_err *err)
{
    bool wakes = c->read_waits_write || c->yields; /* at once, where it could be written to */
    int events = (c->is_deaf ? 0 : WA_IO_READ) | (wakes ? WA_IO_WRITE : 0);
    while (c->out.bytes.n > 0 || wa_ws_queued(c->ws) > 0) {
        size_t n = 0;
        enum wa_tls_want want = WA_TLS_DONE;
        if ((c->out.bytes.n == 0 && wa_ws_drain(c->ws, &c->out.bytes, err) != WA_OK) ||
            wa_outbox_write(&c->out, c->fd, c->tls, &n, &want, err) != WA_OK)
            return err->code;
        if (want == WA_TLS_DONE)
            continue;
        events |= want == WA_TLS_WANT_WRITE ? WA_IO_WRITE : 0;
        break;
    }
    return wa_io_set(c->io, events, err);
}

/* As above, from within the application's call: a failure shows in the loop's next turn. */
static void flush_later(struct wa_ws_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    if (c->busy > 0 || c->io == NULL || c->broken || flush(c, &err) == WA_OK)
        return;
    c->broken = true;
    wa_err_clear(&err);
    if (wa_io_set(c->io, WA_IO_READ | WA_IO_WRITE, &err) != WA_OK)
        wa_err_clear(&err); /* then the clock finds it silent */
}

static void feed(struct wa_ws_conn *c, const void *p, size_t n)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_ws_feed(c->ws, p, n, &err) == WA_OK)
        return;
    int said = wa_ws_sent_status(c->ws);
    start_closing(c, said != 0 ? said : 1011);
    c->is_deaf = true;
}

/* The peer sends no more. It may have closed only its side: it gets what was queued for it. */
static void read_the_end(struct wa_ws_conn *c, struct wa_err *err)
{
    struct wa_err ignored = WA_ERR_INIT;
    if (err->code == WA_OK && flush(c, &ignored) != WA_OK)
        wa_err_clear(&ignored);
    wa_ws_conn_end(c, 1006, err->code == WA_OK ? "the other side went away" : err->text);
}

/* False when the connection has ended. */
static bool read_frames(struct wa_ws_conn *c)
{
    char piece[WA_READ_PIECE];
    struct wa_err err = WA_ERR_INIT;
    for (unsigned round = 0; !c->dead && !c->is_deaf; round++) {
        size_t n = 0;
        enum wa_tls_want want = WA_TLS_DONE;
        c->yields = round >= WA_ROUNDS_MAX; /* what TLS holds no descriptor tells */
        if (c->yields)
            return true;
        enum wa_code code = wa_conn_read(c->fd, c->tls, piece, sizeof piece, &n, &want, &err);
        if (code != WA_OK || (want == WA_TLS_DONE && n == 0)) {
            read_the_end(c, &err);
            return false;
        }
        c->read_waits_write = want == WA_TLS_WANT_WRITE;
        if (want != WA_TLS_DONE)
            return true;
        c->heard_ms = wa_loop_now_ms(c->server->loop);
        feed(c, piece, n);
        if (wa_conn_is_drained(c->tls, n))
            break;
    }
    return !c->dead;
}

/* All is said to a peer that broke the protocol: it may read our last words until it closes. */
static void shut(struct wa_ws_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    wa_conn_shut(c->fd, &c->tls);
    c->is_shut = true;
    if (wa_io_set(c->io, WA_IO_READ, &err) != WA_OK)
        wa_ws_conn_end(c, c->close_status, err.text);
}

/* Everything that can be done now. */
static void work(struct wa_ws_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    if (c->broken) {
        wa_ws_conn_end(c, 1006, "the other side went away");
        return;
    }
    if (c->is_shut) {
        if (!wa_conn_discard(c->fd))
            wa_ws_conn_end(c, c->close_status, "the other side broke the protocol");
        return;
    }
    if (!read_frames(c))
        return;
    if (flush(c, &err) != WA_OK) {
        wa_ws_conn_end(c, 1006, err.text);
        return;
    }
    if (!c->closing || c->out.bytes.n > 0)
        return;
    if (wa_ws_is_closed(c->ws))
        wa_ws_conn_end(c, c->close_status, "closed");
    else if (c->is_deaf)
        shut(c);
}

static void on_event(void *user, int events)
{
    struct wa_ws_conn *c = user;
    WA_UNUSED(events);
    c->busy++;
    work(c);
    leave(c);
}

void wa_ws_conn_start(struct wa_ws_conn *c, struct wa_http_conn *from)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_http_server *s = from->server;
    c->fd = from->fd;
    c->tls = from->tls;
    from->fd = -1;
    from->tls = NULL;
    c->is_counted = true;
    s->ws_count++;
    s->count++;
    c->heard_ms = wa_loop_now_ms(s->loop);
    wa_ws_due_put(c);
    c->out = from->out; /* the 101 answer, before any frame */
    from->out = (struct wa_outbox){.at = 0};
    c->out.bytes.max = WA_WS_OUT_MAX;
    c->busy++;
    if (c->out.bytes.failed != WA_OK ||
        wa_io_new(s->loop, c->fd, on_event, c, &c->io, &err) != WA_OK) {
        wa_ws_conn_end(c, 1011, "memory ran out");
    } else {
        if (s->is_stopping) /* it came in before that, and asked after it */
            wa_ws_close(c, 1001, "the server is going away");
        if (from->pending.n > 0)
            feed(c, from->pending.p, from->pending.n);
        work(c); /* reads too: TLS may hold bytes that no poll shows */
    }
    leave(c);
}

void wa_ws_conn_check_time(struct wa_ws_conn *c, uint64_t now)
{
    struct wa_err err = WA_ERR_INIT;
    const struct wa_http_server_config *config = &c->server->config;
    if (c->closing && now > c->deadline_ms) {
        wa_ws_conn_end(c, c->close_status, "closed");
        return;
    }
    if (now - c->heard_ms > config->ws_silence_ms) {
        wa_ws_conn_end(c, 1006, "silent for too long");
        return;
    }
    if (!c->closing && now - c->pinged_ms > config->ws_ping_ms &&
        now - c->heard_ms > config->ws_ping_ms) {
        c->pinged_ms = now;
        if (wa_ws_queue_ping(c->ws, &err) == WA_OK)
            flush_later(c);
    }
    wa_ws_due_put(c);
}

/* --- for the application --- */

static enum wa_code ws_conn_new(struct wa_http_conn *c, size_t max,
                                const struct wa_ws_events *events, void *user,
                                struct wa_ws_conn **ret, struct wa_err *err)
{
    static const struct wa_ws_cb cb = {on_text, on_close, NULL}; /* any byte is a sign of life */
    struct wa_ws_conn *ws = wa_calloc(1, sizeof *ws);
    if (ws == NULL)
        return wa_nomem(err);
    ws->server = c->server;
    ws->fd = -1;
    ws->ev = *events;
    ws->user = user;
    wa_buf_init(&ws->out.bytes, WA_WS_OUT_MAX);
    memcpy(ws->peer, c->peer, sizeof ws->peer);
    if (wa_ws_new(true, max, &cb, ws, &ws->ws, err) != WA_OK) {
        wa_free(ws);
        return err->code;
    }
    *ret = ws;
    return WA_OK;
}

enum wa_code wa_http_accept_ws(struct wa_http_conn *c, size_t max,
                               const struct wa_ws_events *events, void *user,
                               struct wa_ws_conn **ret, struct wa_err *err)
{
    char accept[29];
    struct wa_ws_conn *ws = NULL;
    if (c->answered || c->dead)
        return wa_fail(err, WA_E_CONFLICT, "the request has been answered already");
    if (!c->head->is_upgrade || !wa_sv_eqs(wa_http_get(c->head, "sec-websocket-version"), "13") ||
        !wa_ws_accept_key(wa_http_get(c->head, "sec-websocket-key"), accept))
        return wa_fail(err, WA_E_INVALID, "not a WebSocket handshake of version 13");
    if (wa_http_get(c->head, "origin").p != NULL)
        return wa_fail(err, WA_E_DENIED, "this WebSocket is not for web pages");
    if (ws_conn_new(c, max, events, user, &ws, err) != WA_OK)
        return err->code;
    /* Outside the request's own callbacks, the loop hands over: never inside this call. */
    if (c->busy == 0 && wa_io_set(c->io, WA_IO_READ | WA_IO_WRITE, err) != WA_OK) {
        wa_ws_conn_free(ws);
        return err->code;
    }
    wa_buf_addf(&c->out.bytes,
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                "Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                accept);
    c->upgraded = ws;
    c->answered = true;
    *ret = ws;
    return WA_OK;
}

void wa_ws_set_user(struct wa_ws_conn *c, void *user)
{
    c->user = user;
}

void wa_ws_set_max(struct wa_ws_conn *c, size_t max)
{
    wa_ws_set_max_message(c->ws, max);
}

enum wa_code wa_ws_client(const struct wa_ws_conn *c, struct wa_tls_peer *ret, struct wa_err *err)
{
    *ret = (struct wa_tls_peer){.name = ""};
    return c->tls == NULL ? WA_OK : wa_tls_peer(c->tls, ret, err);
}

const char *wa_ws_peer(const struct wa_ws_conn *c)
{
    return c->peer;
}

enum wa_code wa_ws_channel_binding(struct wa_ws_conn *c, uint8_t out[32], struct wa_err *err)
{
    if (c->tls == NULL)
        return wa_fail(err, WA_E_CONFLICT, "the WebSocket has no TLS connection to be bound to");
    return wa_tls_channel_binding(c->tls, out, err);
}

enum wa_code wa_ws_send(struct wa_ws_conn *c, struct wa_sv text, struct wa_err *err)
{
    if (c->dead || c->closing || c->broken)
        return wa_fail(err, WA_E_NOT_FOUND, "the WebSocket is closed");
    if (c->out.bytes.n - c->out.at + wa_ws_queued(c->ws) > WA_WS_WAITING_MAX)
        return wa_fail(err, WA_E_LIMIT, "the WebSocket's peer does not read");
    if (wa_ws_queue_text(c->ws, text, err) != WA_OK)
        return err->code;
    flush_later(c);
    return WA_OK;
}

void wa_ws_close(struct wa_ws_conn *c, int status, const char *reason)
{
    struct wa_err err = WA_ERR_INIT;
    if (c->dead || c->closing)
        return;
    if (wa_ws_queue_close(c->ws, status, reason, &err) != WA_OK)
        wa_err_clear(&err);
    start_closing(c, status);
    flush_later(c);
}
