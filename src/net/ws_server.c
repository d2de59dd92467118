/* ws_server.c - the server's WebSockets: small once idle, pinged, cut when silent or not reading.
 *
 * An idle one holds no buffer: the HTTP parser went with the upgrade, the output is freed when
 * empty.
 */
#include "net/http_server_priv.h"

#include "base/mem.h"

#include <unistd.h>

#define READ_PIECE 16384u

static void end(struct wa_ws_conn *c, int status, const char *reason)
{
    if (c->dead)
        return;
    c->dead = true;
    c->busy++;
    c->ev.on_close(c->user, c, status, reason);
    if (--c->busy == 0)
        wa_ws_conn_free(c);
}

void wa_ws_conn_free(struct wa_ws_conn *c)
{
    if (c->prev != NULL)
        c->prev->next = c->next;
    else if (c->server->first_ws == c)
        c->server->first_ws = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    if (c->io != NULL)
        c->server->count--;
    wa_io_free(c->io);
    if (c->tls != NULL)
        wa_tls_close(c->tls);
    wa_tls_free(c->tls);
    wa_fd_close(&c->fd);
    wa_ws_free(c->ws);
    wa_buf_fini(&c->out);
    wa_free(c);
}

static void leave(struct wa_ws_conn *c)
{
    if (--c->busy == 0 && c->dead)
        wa_ws_conn_free(c);
}

static void on_text(void *user, struct wa_sv text)
{
    struct wa_ws_conn *c = user;
    if (!c->dead && !c->closing)
        c->ev.on_message(c->user, c, text);
}

static void on_close(void *user, int status)
{
    struct wa_ws_conn *c = user;
    c->closing = true;
    c->close_status = status;
}

static void on_pong(void *user)
{
    WA_UNUSED(user); /* any byte counts as a sign of life */
}

/* Writes queued frames. False when the connection has ended. */
static bool flush(struct wa_ws_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    int events = WA_IO_READ;
    if (wa_ws_drain(c->ws, &c->out, &err) != WA_OK) {
        end(c, 1011, err.text);
        return false;
    }
    while (c->out.n > 0) {
        size_t n = 0;
        enum wa_tls_want want = WA_TLS_DONE;
        if (wa_conn_write(c->fd, c->tls, c->out.p, c->out.n, &n, &want, &err) != WA_OK) {
            end(c, 1006, err.text);
            return false;
        }
        if (want != WA_TLS_DONE) {
            events |= want == WA_TLS_WANT_WRITE ? WA_IO_WRITE : 0;
            break;
        }
        wa_buf_consume(&c->out, n);
    }
    if (c->out.n == 0)
        wa_buf_fini(&c->out);
    if (c->closing && c->out.n == 0) {
        end(c, c->close_status, "closed");
        return false;
    }
    if (wa_io_set(c->io, events, &err) != WA_OK) {
        end(c, 1011, err.text);
        return false;
    }
    return true;
}

static void feed(struct wa_ws_conn *c, const void *p, size_t n)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_ws_feed(c->ws, p, n, &err) == WA_OK)
        return;
    c->closing = true;
    c->close_status = 1002;
}

static void read_frames(struct wa_ws_conn *c)
{
    char piece[READ_PIECE];
    struct wa_err err = WA_ERR_INIT;
    while (!c->dead && !c->closing) {
        size_t n = 0;
        enum wa_tls_want want = WA_TLS_DONE;
        if (wa_conn_read(c->fd, c->tls, piece, sizeof piece, &n, &want, &err) != WA_OK ||
            (want == WA_TLS_DONE && n == 0)) {
            end(c, 1006, err.code == WA_OK ? "the other side went away" : err.text);
            return;
        }
        if (want != WA_TLS_DONE)
            return;
        c->heard_ms = wa_loop_now_ms(c->server->loop);
        feed(c, piece, n);
    }
}

static void on_event(void *user, int events)
{
    struct wa_ws_conn *c = user;
    c->busy++;
    if ((events & WA_IO_READ) != 0)
        read_frames(c);
    if (!c->dead)
        (void)flush(c);
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
    c->next = s->first_ws;
    if (s->first_ws != NULL)
        s->first_ws->prev = c;
    s->first_ws = c;
    c->heard_ms = c->pinged_ms = wa_loop_now_ms(s->loop);
    memcpy(c->peer, from->peer, sizeof c->peer);
    c->busy++;
    /* The 101 answer stands before the first frame; frames were queued already, perhaps, in wslay.
     */
    wa_buf_addsv(&c->out, wa_buf_sv(&from->out));
    if (wa_io_new(s->loop, c->fd, on_event, c, &c->io, &err) != WA_OK) {
        end(c, 1011, err.text);
    } else {
        s->count++;
        if (from->pending.n > 0)
            feed(c, from->pending.p, from->pending.n);
        if (!c->dead && flush(c))
            read_frames(c); /* TLS may hold bytes that poll does not show */
        if (!c->dead)
            (void)flush(c);
    }
    leave(c);
}

void wa_ws_conn_sweep(struct wa_http_server *s, uint64_t now)
{
    for (struct wa_ws_conn *c = s->first_ws, *next; c != NULL; c = next) {
        struct wa_err err = WA_ERR_INIT;
        next = c->next;
        if (now - c->heard_ms > WA_WS_PONG_TIMEOUT_MS) {
            end(c, 1006, "silent for too long");
        } else if (now - c->pinged_ms > WA_WS_PING_MS) {
            c->pinged_ms = now;
            if (wa_ws_queue_ping(c->ws, &err) == WA_OK)
                (void)flush(c);
        }
    }
}

/* --- for the application --- */

enum wa_code wa_http_accept_ws(struct wa_http_conn *c, size_t max,
                               const struct wa_ws_events *events, void *user,
                               struct wa_ws_conn **ret, struct wa_err *err)
{
    static const struct wa_ws_cb cb = {on_text, on_close, on_pong};
    char accept[29];
    if (!c->head->is_upgrade || !wa_sv_eqs(wa_http_get(c->head, "sec-websocket-version"), "13") ||
        !wa_ws_accept_key(wa_http_get(c->head, "sec-websocket-key"), accept))
        return wa_fail(err, WA_E_INVALID, "not a WebSocket handshake of version 13");
    if (wa_http_get(c->head, "origin").p != NULL)
        return wa_fail(err, WA_E_DENIED, "this WebSocket is not for web pages");
    struct wa_ws_conn *ws = wa_calloc(1, sizeof *ws);
    if (ws == NULL)
        return wa_nomem(err);
    ws->server = c->server;
    ws->fd = -1;
    ws->ev = *events;
    ws->user = user;
    wa_buf_init(&ws->out, 8u << 20);
    if (wa_ws_new(true, max, &cb, ws, &ws->ws, err) != WA_OK) {
        wa_free(ws);
        return err->code;
    }
    wa_buf_addf(&c->out,
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

const char *wa_ws_peer(const struct wa_ws_conn *c)
{
    return c->peer;
}

enum wa_code wa_ws_channel_binding(struct wa_ws_conn *c, uint8_t out[32], struct wa_err *err)
{
    if (c->tls == NULL)
        return wa_fail(err, WA_E_INTERNAL, "no TLS");
    return wa_tls_channel_binding(c->tls, out, err);
}

enum wa_code wa_ws_send(struct wa_ws_conn *c, struct wa_sv text, struct wa_err *err)
{
    if (c->dead || c->closing)
        return wa_fail(err, WA_E_NOT_FOUND, "the WebSocket is closed");
    if (c->out.n > 4u << 20)
        return wa_fail(err, WA_E_LIMIT, "the WebSocket's peer does not read");
    if (wa_ws_queue_text(c->ws, text, err) != WA_OK)
        return err->code;
    if (c->busy == 0 && c->io != NULL) {
        c->busy++;
        (void)flush(c);
        leave(c);
    }
    return WA_OK;
}

void wa_ws_close(struct wa_ws_conn *c, int status, const char *reason)
{
    struct wa_err err = WA_ERR_INIT;
    if (c->dead || c->closing)
        return;
    if (wa_ws_queue_close(c->ws, status, reason, &err) != WA_OK)
        wa_err_clear(&err);
    c->closing = true;
    c->close_status = status;
    if (c->busy == 0 && c->io != NULL) {
        c->busy++;
        (void)flush(c);
        leave(c);
    }
}
