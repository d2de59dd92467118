/* ws_client.c - one outgoing WebSocket: its life, and talking once it is open. One attempt; the
 * owner tries again.
 *
 * The owner is called back from the loop alone, never out of its own wa_ws_client_send(), and
 * nothing follows on_end. The way there is ws_connect.c's.
 */
#include "net/ws_client_priv.h"

#include "base/mem.h"
#include "os/fs.h"

#include <errno.h>

#define TICK_MS 1000u
#define READ_PIECE 16384u
#define ROUNDS_MAX 16u /* pieces read before others get their turn */

/* --- life and death --- */

/* Everything but the struct itself, which a look-up in the pool may still point to. */
static void drop_parts(struct wa_ws_client *c)
{
    wa_io_free(c->io);
    c->io = NULL;
    wa_timer_free(c->timer);
    c->timer = NULL;
    wa_tls_free(c->tls);
    c->tls = NULL;
    wa_fd_close(&c->fd);
    wa_http_parser_free(c->parser);
    c->parser = NULL;
    wa_ws_free(c->ws);
    c->ws = NULL;
    wa_buf_fini(&c->out);
    wa_addresses_free(c->found);
    c->found = NULL;
}

static void free_if_unused(struct wa_ws_client *c)
{
    if (!c->is_freed || c->busy > 0)
        return;
    drop_parts(c);
    if (!c->lookup_runs)
        wa_free(c);
}

/* The last words, as far as the socket takes them. */
static void say_goodbye(struct wa_ws_client *c)
{
    struct wa_err err = WA_ERR_INIT;
    if (c->step == WA_WS_OPEN && c->tls != NULL && c->io != NULL &&
        wa_ws_client_flush(c, &err) != WA_OK)
        wa_err_clear(&err);
    if (c->tls != NULL)
        wa_tls_close(c->tls);
}

void wa_ws_client_free(struct wa_ws_client *c)
{
    struct wa_err err = WA_ERR_INIT;
    if (c == NULL || c->is_freed)
        return;
    if (c->step == WA_WS_OPEN && wa_ws_queue_close(c->ws, 1001, NULL, &err) == WA_OK)
        say_goodbye(c);
    c->is_freed = true;
    c->step = WA_WS_ENDED;
    free_if_unused(c);
}

void wa_ws_client_enter(struct wa_ws_client *c)
{
    c->busy++;
}

void wa_ws_client_leave(struct wa_ws_client *c)
{
    c->busy--;
    free_if_unused(c);
}

void wa_ws_client_end(struct wa_ws_client *c, struct wa_err *err, const char *doing)
{
    if (c->step == WA_WS_ENDED)
        return;
    (void)wa_wrap(err, "%s '%s'", doing, c->url.host);
    say_goodbye(c);
    c->step = WA_WS_ENDED;
    wa_io_free(c->io);
    c->io = NULL;
    wa_timer_stop(c->timer);
    wa_fd_close(&c->fd);
    c->ev.on_end(c->user, err->code, err);
}

/* --- frames --- */

static void on_text(void *user, struct wa_sv text)
{
    struct wa_ws_client *c = user;
    if (c->step == WA_WS_OPEN && c->close_status == 0)
        c->ev.on_text(c->user, text);
}

static void on_close(void *user, int status)
{
    struct wa_ws_client *c = user;
    c->close_status = status;
}

static enum wa_code write_some(struct wa_ws_client *c, size_t *ret_n, enum wa_tls_want *ret_want,
                               struct wa_err *err)
{
    const char *p = c->out.p + c->out_at;
    size_t left = c->out.n - c->out_at;
    if (c->tls != NULL)
        return wa_tls_write(c->tls, p, left, ret_n, ret_want, err);
    ptrdiff_t put = wa_socket_write(c->fd, p, left);
    if (put < 0 && errno != EAGAIN)
        return wa_fail_errno(err, errno, "cannot write");
    *ret_want = put < 0 ? WA_TLS_WANT_WRITE : WA_TLS_DONE;
    *ret_n = put < 0 ? 0 : (size_t)put;
    return WA_OK;
}

enum wa_code wa_ws_client_flush(struct wa_ws_client *c, struct wa_err *err)
{
    int events = WA_IO_READ | (c->read_waits_write ? WA_IO_WRITE : 0);
    while (c->out_at < c->out.n || (c->step == WA_WS_OPEN && wa_ws_queued(c->ws) > 0)) {
        size_t n = 0;
        enum wa_tls_want want = WA_TLS_DONE;
        if ((c->out.n == 0 && wa_ws_drain(c->ws, &c->out, err) != WA_OK) ||
            write_some(c, &n, &want, err) != WA_OK)
            return err->code;
        c->out_at += n;
        if (c->out_at == c->out.n) {
            wa_buf_fini(&c->out);
            c->out_at = 0;
        }
        if (want == WA_TLS_DONE)
            continue;
        events |= want == WA_TLS_WANT_WRITE ? WA_IO_WRITE : 0;
        break;
    }
    return wa_io_set(c->io, events, err);
}

/* --- the loop --- */

/* The peer's close frame came. Codes 4400 to 4499 say no, as HTTP's 400 to 499 do. */
static void end_closed(struct wa_ws_client *c)
{
    struct wa_err err = WA_ERR_INIT;
    bool is_refusal = c->close_status >= 4400 && c->close_status < 4500;
    (void)wa_fail(&err, is_refusal ? WA_E_REFUSED : WA_E_UNREACHABLE,
                  "it closed the connection (status %d)", c->close_status);
    wa_ws_client_end(c, &err, "talking to");
}

static enum wa_code take(struct wa_ws_client *c, const char *p, size_t n, struct wa_err *err)
{
    size_t used = 0;
    c->heard_ms = wa_loop_now_ms(c->loop);
    if (c->step == WA_WS_UPGRADE) {
        if (wa_ws_connect_answer(c, p, n, &used, err) != WA_OK)
            return err->code;
        if (!c->is_upgraded)
            return WA_OK;
        c->step = WA_WS_OPEN;
        c->deadline_ms = 0;
        c->pinged_ms = c->heard_ms;
        c->ev.on_open(c->user);
    }
    return c->step == WA_WS_OPEN && used < n ? wa_ws_feed(c->ws, p + used, n - used, err) : WA_OK;
}

static bool is_talking(const struct wa_ws_client *c)
{
    return (c->step == WA_WS_UPGRADE || c->step == WA_WS_OPEN) && c->close_status == 0;
}

static enum wa_code read_all(struct wa_ws_client *c, struct wa_err *err)
{
    char piece[READ_PIECE];
    for (unsigned round = 0; is_talking(c); round++) {
        size_t n = 0;
        enum wa_tls_want want = WA_TLS_DONE;
        if (round >= ROUNDS_MAX && !wa_tls_has_pending(c->tls))
            return WA_OK;
        if (wa_tls_read(c->tls, piece, sizeof piece, &n, &want, err) != WA_OK)
            return err->code;
        c->read_waits_write = want == WA_TLS_WANT_WRITE;
        if (want != WA_TLS_DONE)
            return WA_OK;
        if (n == 0)
            return wa_fail(err, WA_E_UNREACHABLE, "it closed the connection");
        if (take(c, piece, n, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static void talk(struct wa_ws_client *c)
{
    struct wa_err err = WA_ERR_INIT;
    if (read_all(c, &err) != WA_OK ||
        (c->step != WA_WS_ENDED && wa_ws_client_flush(c, &err) != WA_OK))
        wa_ws_client_end(c, &err, "talking to");
    else if (c->close_status != 0)
        end_closed(c);
}

void wa_ws_client_event(void *user, int events)
{
    struct wa_ws_client *c = user;
    WA_UNUSED(events);
    wa_ws_client_enter(c);
    wa_ws_connect_step(c);
    if (c->step == WA_WS_UPGRADE || c->step == WA_WS_OPEN)
        talk(c);
    wa_ws_client_leave(c);
}

static void tick(void *user)
{
    struct wa_ws_client *c = user;
    struct wa_err err = c->late;
    uint64_t now = wa_loop_now_ms(c->loop);
    wa_ws_client_enter(c);
    if (err.code != WA_OK) {
        wa_ws_client_end(c, &err, "talking to");
    } else if (c->deadline_ms != 0 && now > c->deadline_ms) {
        (void)wa_fail(&err, WA_E_TIMEOUT, "it did not answer in time");
        wa_ws_client_end(c, &err, "connecting to");
    } else if (c->step == WA_WS_CONNECT && c->address_deadline_ms != 0 &&
               now > c->address_deadline_ms) {
        c->last_errno = ETIMEDOUT;
        wa_ws_connect_next(c);
    } else if (c->step == WA_WS_OPEN && now - c->heard_ms > WA_WS_PONG_TIMEOUT_MS) {
        (void)wa_fail(&err, WA_E_TIMEOUT, "it is silent");
        wa_ws_client_end(c, &err, "talking to");
    } else if (c->step == WA_WS_OPEN && now - c->pinged_ms > WA_WS_PING_MS) {
        c->pinged_ms = now;
        if ((wa_ws_queued(c->ws) == 0 && wa_ws_queue_ping(c->ws, &err) != WA_OK) ||
            wa_ws_client_flush(c, &err) != WA_OK)
            wa_ws_client_end(c, &err, "talking to");
    }
    wa_ws_client_leave(c);
}

/* --- for the owner --- */

static enum wa_code start(struct wa_ws_client *c, size_t max, const char *proxy, struct wa_err *err)
{
    static const struct wa_ws_cb cb = {on_text, on_close, NULL}; /* any byte is a sign of life */
    if (proxy != NULL && proxy[0] != '\0') {
        if (wa_url_parse(wa_sv(proxy), &c->via, err) != WA_OK)
            return wa_wrap(err, "the proxy's address");
        if (c->via.is_https)
            return wa_fail(err, WA_E_CONFIG, "the proxy '%s' must be given as http://host:port",
                           proxy);
        c->has_proxy = true;
    }
    if (wa_ws_new(false, max, &cb, c, &c->ws, err) != WA_OK ||
        wa_timer_new(c->loop, tick, c, &c->timer, err) != WA_OK ||
        wa_ws_connect_start(c, err) != WA_OK)
        return err->code;
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
    wa_buf_init(&c->out, WA_WS_OUT_MAX);
    if (start(c, max, proxy, err) != WA_OK) {
        drop_parts(c);
        wa_free(c);
        return err->code;
    }
    *ret = c;
    return WA_OK;
}

enum wa_code wa_ws_client_send(struct wa_ws_client *c, struct wa_sv text, struct wa_err *err)
{
    if (c->step != WA_WS_OPEN || c->close_status != 0 || c->late.code != WA_OK)
        return wa_fail(err, WA_E_UNREACHABLE, "the push channel is not open");
    if (wa_ws_queue_text(c->ws, text, err) != WA_OK)
        return err->code;
    if (c->busy == 0 && wa_ws_client_flush(c, &c->late) != WA_OK)
        wa_timer_start(c->timer, 0, TICK_MS); /* the owner hears of it from the loop */
    return WA_OK;
}

enum wa_code wa_ws_client_channel_binding(struct wa_ws_client *c, uint8_t out[32],
                                          struct wa_err *err)
{
    if (c->tls == NULL || c->step != WA_WS_OPEN)
        return wa_fail(err, WA_E_UNREACHABLE, "the push channel is not open");
    return wa_tls_channel_binding(c->tls, out, err);
}

int wa_ws_client_close_status(const struct wa_ws_client *c)
{
    return c->close_status;
}
