/* http_server.c - listening, letting in, and the clock that cuts who is too slow.
 *
 * Connections have no timers of their own: one sweep goes over all requests, and over those
 * WebSockets whose time has come. Letting in pauses while the house is full, too many wait for a
 * handshake, or descriptors have run out; the kernel's queue holds the others. A few beyond the
 * house's size are let in to be told.
 */
#include "net/http_server_priv.h"

#include "base/mem.h"
#include "net/address.h"

#include "os/socket.h"

#include <errno.h>

#define SWEEP_MS 1000u
#define TICK_MS 50u /* whoever asks waits for the pings of one */
#define ACCEPT_ROUNDS 64u

void wa_http_server_enter(struct wa_http_server *s)
{
    s->busy++;
}

void wa_http_server_leave(struct wa_http_server *s)
{
    if (--s->busy > 0)
        return;
    for (struct wa_http_conn *c = s->has_dead ? s->first : NULL, *next; c != NULL; c = next) {
        next = c->next;
        if (c->dead && c->busy == 0)
            wa_http_conn_free(c);
    }
    s->has_dead = false;
    while (s->dead_ws != NULL)
        wa_ws_conn_free(s->dead_ws);
}

/* --- letting in --- */

static void set_accepting(struct wa_http_server *s, bool on)
{
    struct wa_err err = WA_ERR_INIT;
    for (size_t i = 0; i < s->listener_count; i++)
        if (wa_io_set(s->listeners[i].io, on ? WA_IO_READ : 0, &err) != WA_OK)
            wa_err_clear(&err); /* tried again by the next sweep */
    s->is_accepting = on;
}

static bool has_room(const struct wa_http_server *s)
{
    return s->count < s->config.max_connections + WA_HTTP_REFUSED_MAX &&
           s->waiting < WA_TLS_WAITING_MAX;
}

void wa_http_server_has_room(struct wa_http_server *s)
{
    wa_http_handshake_next(s);
    if (!s->is_accepting && !s->is_out_of_files && !s->is_stopping && has_room(s))
        set_accepting(s, true);
}

unsigned wa_http_address(const char *peer)
{
    uint32_t mixed = 2166136261u;
    for (const char *p = peer; *p != '\0'; p++)
        mixed = (mixed ^ (unsigned char)*p) * 16777619u;
    return (mixed ^ mixed >> 16) % WA_HTTP_ADDRESSES;
}

/* WebSockets are not counted: whoever keeps one has said who it is. All are looked at only where
 * there may be too many. */
bool wa_http_server_has_too_many(const struct wa_http_server *s, const char *peer)
{
    size_t n = 0;
    if (s->config.max_per_address == 0 || peer[0] == '\0' ||
        s->by_address[wa_http_address(peer)] < s->config.max_per_address)
        return false;
    for (const struct wa_http_conn *c = s->first; c != NULL; c = c->next)
        n += strcmp(c->peer, peer) == 0;
    return n >= s->config.max_per_address;
}

static bool is_proxy(const struct wa_http_server *s, const char *peer)
{
    uint8_t a[16];
    return s->config.proxies != NULL && s->config.proxies[0] != '\0' &&
           wa_address_parse(wa_sv(peer), a) && wa_address_is_in(a, wa_sv(s->config.proxies));
}

static void let_in(struct wa_http_server *s, int fd, const char *peer)
{
    struct wa_err err = WA_ERR_INIT;
    bool proxy = is_proxy(s, peer); /* its clients are counted, once they are known */
    s->counts.accepted++;
    if ((!proxy && wa_http_server_has_too_many(s, peer)) ||
        (s->config.lets_in != NULL && !s->config.lets_in(s->user, fd))) {
        s->counts.turned_away++;
        wa_fd_close(&fd);
    } else if (wa_http_conn_new(s, fd, peer, proxy, &err) != WA_OK)
        s->is_out_of_files = true; /* or memory: time to breathe until the next sweep */
}

static void on_listen(void *user, int events)
{
    const struct wa_listener *l = user;
    struct wa_http_server *s = l->server;
    WA_UNUSED(events);
    for (unsigned round = 0; round < ACCEPT_ROUNDS; round++) {
        char peer[WA_ADDRESS_TEXT_MAX];
        if (!has_room(s) || s->is_out_of_files) {
            set_accepting(s, false);
            return;
        }
        int fd = wa_socket_accept(l->fd, peer);
        if (fd >= 0)
            let_in(s, fd, peer);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            s->is_out_of_files = true;
        else
            return;
    }
}

/* --- time --- */

static void sweep_requests(struct wa_http_server *s, uint64_t now)
{
    for (struct wa_http_conn *c = s->first; c != NULL; c = c->next)
        if (c->deadline_ms != 0 && now > c->deadline_ms)
            wa_http_conn_end(c);
    s->is_out_of_files = false;
}

static void sweep(void *user)
{
    struct wa_http_server *s = user;
    uint64_t now = wa_loop_now_ms(s->loop);
    wa_http_server_enter(s);
    if (s->slice == 0)
        sweep_requests(s, now);
    s->slice = (s->slice + 1) % s->slices;
    wa_ws_due_sweep(s, now);
    wa_http_server_leave(s);
    wa_http_server_has_room(s);
    if (s->stopped != NULL && s->count == 0) {
        void (*stopped)(void *) = s->stopped;
        s->stopped = NULL;
        wa_timer_stop(s->sweep);
        stopped(s->stopped_user); /* may free the server */
    }
}

/* --- life --- */

static void set_defaults(struct wa_http_server_config *c)
{
    c->head_timeout_ms = c->head_timeout_ms > 0 ? c->head_timeout_ms : WA_HTTP_HEAD_TIMEOUT_MS;
    c->idle_timeout_ms = c->idle_timeout_ms > 0 ? c->idle_timeout_ms : WA_HTTP_IDLE_TIMEOUT_MS;
    c->stall_timeout_ms = c->stall_timeout_ms > 0 ? c->stall_timeout_ms : WA_HTTP_STALL_TIMEOUT_MS;
    c->ws_ping_ms = c->ws_ping_ms > 0 ? c->ws_ping_ms : WA_WS_PING_MS;
    c->ws_silence_ms = c->ws_silence_ms > 0 ? c->ws_silence_ms : WA_WS_PONG_TIMEOUT_MS;
    c->sweep_ms = c->sweep_ms > 0 ? c->sweep_ms : SWEEP_MS;
}

static enum wa_code listen_on(struct wa_http_server *s, const int *fds, size_t count,
                              struct wa_err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct wa_listener *l = &s->listeners[i];
        *l = (struct wa_listener){.fd = fds[i], .server = s};
        if (wa_io_new(s->loop, fds[i], on_listen, l, &l->io, err) != WA_OK ||
            wa_io_set(l->io, WA_IO_READ, err) != WA_OK)
            return wa_wrap(err, "listening");
    }
    return WA_OK;
}

enum wa_code wa_http_server_new(struct wa_loop *loop, const int *listen_fds, size_t count,
                                struct wa_tls_ctx *tls, const struct wa_http_server_config *config,
                                const struct wa_http_server_events *events, void *user,
                                struct wa_http_server **ret, struct wa_err *err)
{
    struct wa_http_server *s = wa_calloc(1, sizeof *s);
    if (s == NULL)
        return wa_nomem(err);
    *s = (struct wa_http_server){
        .loop = loop, .tls = tls, .config = *config, .ev = *events, .user = user};
    s->is_accepting = true;
    set_defaults(&s->config);
    if (count > WA_COUNT(s->listeners))
        (void)wa_fail(err, WA_E_USAGE, "more than %zu listening sockets", WA_COUNT(s->listeners));
    else if (listen_on(s, listen_fds, count, err) == WA_OK &&
             wa_timer_new(loop, sweep, s, &s->sweep, err) == WA_OK) {
        s->listener_count = count;
        s->tick_ms = s->config.sweep_ms < TICK_MS ? s->config.sweep_ms : TICK_MS;
        s->tick = wa_loop_now_ms(loop) / s->tick_ms + 1;
        s->slices = (unsigned)(s->config.sweep_ms / s->tick_ms);
        wa_timer_start(s->sweep, s->tick_ms, s->tick_ms);
        *ret = s;
        return WA_OK;
    }
    for (size_t i = 0; i < WA_COUNT(s->listeners); i++)
        wa_io_free(s->listeners[i].io); /* the descriptors stay the caller's */
    wa_free(s);
    return err->code;
}

static void stop_listening(struct wa_http_server *s)
{
    for (size_t i = 0; i < s->listener_count; i++) {
        wa_io_free(s->listeners[i].io);
        wa_fd_close(&s->listeners[i].fd);
    }
    s->listener_count = 0;
}

void wa_http_server_stop(struct wa_http_server *s, void (*stopped)(void *user), void *user)
{
    if (s->is_stopping)
        return;
    s->is_stopping = true;
    s->stopped = stopped;
    s->stopped_user = user;
    stop_listening(s);
    wa_http_server_enter(s);
    for (struct wa_http_conn *c = s->first; c != NULL; c = c->next)
        if (c->state == WA_CONN_HANDSHAKE || wa_http_conn_is_idle(c) || c->is_stream)
            wa_http_conn_end(c);
    for (size_t i = 0; i < WA_WS_TICKS; i++)
        for (struct wa_ws_conn *c = s->due[i], *next; c != NULL; c = next) {
            next = c->next; /* closing, it moves to another tick */
            wa_ws_close(c, 1001, "the server is going away");
        }
    wa_http_server_leave(s);
    s->slice = 0;
    s->slices = 1;
}

void wa_http_server_free(struct wa_http_server *s)
{
    if (s == NULL)
        return;
    s->is_stopping = true;
    stop_listening(s);
    wa_http_server_enter(s);
    for (struct wa_http_conn *c = s->first; c != NULL; c = c->next)
        wa_http_conn_end(c);
    for (bool any = true; any;) { /* one that is told may close another, which moves */
        any = false;
        for (size_t i = 0; i < WA_WS_TICKS; i++)
            for (; s->due[i] != NULL; any = true)
                wa_ws_conn_end(s->due[i], 1001, "the server is going away");
    }
    wa_http_server_leave(s);
    wa_timer_free(s->sweep);
    wa_free(s);
}

const struct wa_http_counts *wa_http_server_counts(const struct wa_http_server *s)
{
    return &s->counts;
}

size_t wa_http_server_count(const struct wa_http_server *s)
{
    return s->count;
}

size_t wa_http_server_websockets(const struct wa_http_server *s)
{
    return s->ws_count;
}
