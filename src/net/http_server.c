/* http_server.c - connections of the server: accepting, TLS, reading requests, time-outs. Answers
 * are http_answer.c's.
 *
 * One exchange at a time on a connection; while the application thinks, nothing more is read. A
 * connection is freed only outside its own callbacks (busy), so the application may answer from
 * anywhere.
 */
#include "net/http_server_priv.h"

#include "base/mem.h"
#include "os/proc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_PIECE 16384u
#define SWEEP_MS 1000u
#define BODY_STALL_MS 30000u
#define WRITE_STALL_MS 60000u
#define ACCEPT_ROUND 64

static void conn_event(void *user, int events);

enum wa_code wa_conn_read(int fd, struct wa_tls *tls, void *p, size_t n, size_t *ret_n,
                          enum wa_tls_want *ret_want, struct wa_err *err)
{
    if (tls != NULL)
        return wa_tls_read(tls, p, n, ret_n, ret_want, err);
    ssize_t got = read(fd, p, n);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        *ret_want = WA_TLS_WANT_READ;
        return WA_OK;
    }
    if (got < 0)
        return wa_fail_errno(err, errno, "cannot read");
    *ret_want = WA_TLS_DONE;
    *ret_n = (size_t)got;
    return WA_OK;
}

enum wa_code wa_conn_write(int fd, struct wa_tls *tls, const void *p, size_t n, size_t *ret_n,
                           enum wa_tls_want *ret_want, struct wa_err *err)
{
    if (tls != NULL)
        return wa_tls_write(tls, p, n, ret_n, ret_want, err);
    ssize_t put = send(fd, p, n, MSG_NOSIGNAL);
    if (put < 0 && (errno == EAGAIN || errno == EINTR)) {
        *ret_want = WA_TLS_WANT_WRITE;
        return WA_OK;
    }
    if (put < 0)
        return wa_fail_errno(err, errno, "cannot write");
    *ret_want = WA_TLS_DONE;
    *ret_n = (size_t)put;
    return WA_OK;
}

/* --- life and death --- */

static uint64_t now_ms(const struct wa_http_conn *c)
{
    return wa_loop_now_ms(c->server->loop);
}

static void conn_free(struct wa_http_conn *c)
{
    struct wa_http_server *s = c->server;
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        s->first = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    s->count--;
    if (c->state == WA_CONN_HANDSHAKE)
        s->handshakes--;
    wa_io_free(c->io);
    wa_tls_free(c->tls);
    wa_fd_close(&c->fd);
    wa_fd_close(&c->file_fd);
    wa_http_parser_free(c->parser);
    wa_buf_fini_secret(&c->pending);
    wa_buf_fini_secret(&c->body);
    wa_buf_fini(&c->out);
    wa_free(c);
}

/* Ends the connection, now or when its callbacks have returned. The application forgets an exchange
 * it has not answered. */
static void conn_end(struct wa_http_conn *c)
{
    if (c->dead)
        return;
    c->dead = true;
    if (c->head != NULL && !c->answered && c->server->ev.on_gone != NULL) {
        c->busy++;
        c->server->ev.on_gone(c->server->user, c);
        c->busy--;
    }
    if (c->tls != NULL && c->state != WA_CONN_HANDSHAKE)
        wa_tls_close(c->tls);
    if (c->busy == 0)
        conn_free(c);
}

static void leave(struct wa_http_conn *c)
{
    if (--c->busy == 0 && c->dead)
        conn_free(c);
}

/* --- requests --- */

static enum wa_code on_head(void *user, const struct wa_http_head *head, struct wa_err *err)
{
    struct wa_http_conn *c = user;
    struct wa_sv expect = wa_http_get(head, "expect");
    WA_UNUSED(err);
    c->head = head;
    c->keep_alive = head->keep_alive;
    c->message_done = c->delivered = c->answered = c->takes_body = false;
    c->body_sink = NULL;
    c->body_bytes = 0;
    c->user = NULL;
    wa_buf_clear(&c->body);
    c->deadline_ms = now_ms(c) + BODY_STALL_MS;
    c->server->ev.on_request(c->server->user, c, head);
    if (!c->answered && c->upgraded == NULL && wa_sv_ieqs(expect, "100-continue"))
        wa_buf_adds(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
    return WA_OK;
}

static enum wa_code on_body(void *user, const void *p, size_t n, struct wa_err *err)
{
    struct wa_http_conn *c = user;
    if (c->answered)
        return WA_OK; /* refused already: the rest is read past, and the connection closed after */
    c->deadline_ms = now_ms(c) + BODY_STALL_MS;
    c->body_bytes += n;
    struct wa_err why = WA_ERR_INIT;
    if (c->body_sink != NULL && c->body_bytes <= c->body_stream_max) {
        if (c->body_sink->write(c->body_sink, p, n, &why) == WA_OK)
            return WA_OK;
    } else if (c->takes_body && c->body_bytes <= c->body_max) {
        wa_buf_add(&c->body, p, n);
        if (wa_buf_check(&c->body, &why) == WA_OK)
            return WA_OK;
    } else {
        (void)wa_fail(&why, WA_E_LIMIT, "the request's body is larger than allowed here");
    }
    WA_UNUSED(err);
    c->keep_alive = false;
    wa_http_answer_err(c, &why);
    return WA_OK;
}

static enum wa_code on_done(void *user, struct wa_err *err)
{
    struct wa_http_conn *c = user;
    WA_UNUSED(err);
    c->message_done = true;
    c->deadline_ms = 0; /* the application takes the time it needs */
    if (c->answered || c->upgraded != NULL || c->delivered)
        return WA_OK;
    c->delivered = true;
    c->server->ev.on_body(c->server->user, c,
                          c->body_sink != NULL ? WA_SV("") : wa_buf_sv(&c->body));
    return WA_OK;
}

static enum wa_code parse_pending(struct wa_http_conn *c, struct wa_err *err)
{
    size_t used = 0;
    while (c->pending.n > 0 && !c->message_done && !c->dead && c->upgraded == NULL) {
        if (wa_http_parse(c->parser, c->pending.p, c->pending.n, &used, err) != WA_OK)
            return err->code;
        wa_buf_consume(&c->pending, used);
        if (used == 0)
            break;
    }
    return WA_OK;
}

/* A request that can't be understood: an answer where possible, then the end. */
static void refuse(struct wa_http_conn *c, const struct wa_err *err)
{
    c->keep_alive = false;
    c->message_done = true;
    if (c->head != NULL && c->answered)
        return;
    static const struct wa_http_head none = {.status = 0};
    if (c->head == NULL)
        c->head = &none;
    wa_http_answer_err(c, err);
}

/* Reads until a request is whole. False when the connection has ended. */
static bool read_requests(struct wa_http_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    while (!c->message_done && c->upgraded == NULL && !c->dead) {
        if (parse_pending(c, &err) != WA_OK) {
            refuse(c, &err);
            return true;
        }
        if (c->message_done || c->upgraded != NULL || c->dead)
            break;
        size_t n = 0;
        enum wa_tls_want want = WA_TLS_DONE;
        char *p = wa_buf_reserve(&c->pending, READ_PIECE);
        if (p == NULL || wa_conn_read(c->fd, c->tls, p, READ_PIECE, &n, &want, &err) != WA_OK ||
            (want == WA_TLS_DONE && n == 0)) {
            conn_end(c);
            return false;
        }
        c->read_waits_write = want == WA_TLS_WANT_WRITE;
        if (want != WA_TLS_DONE)
            return true;
        if (c->head == NULL && c->pending.n == 0)
            c->deadline_ms =
                now_ms(c) + WA_HTTP_HEAD_TIMEOUT_MS; /* a request begins: its head must come soon */
        wa_buf_advance(&c->pending, n);
    }
    return !c->dead;
}

/* --- writing --- */

/* Refills the output from the file being sent. */
static bool refill(struct wa_http_conn *c)
{
    if (c->out.n > 0 || c->file_fd < 0 || c->file_left == 0)
        return true;
    size_t want = c->file_left < 65536 ? (size_t)c->file_left : 65536;
    char *p = wa_buf_reserve(&c->out, want);
    ssize_t got = p == NULL ? -1 : pread(c->file_fd, p, want, (off_t)c->file_at);
    if (got <= 0)
        return false; /* shorter than promised: only the end of the connection can tell */
    wa_buf_advance(&c->out, (size_t)got);
    c->file_at += (uint64_t)got;
    c->file_left -= (uint64_t)got;
    return true;
}

/* Writes what there is. False when the connection has ended. */
static bool write_out(struct wa_http_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    for (;;) {
        if (!refill(c) || c->out.failed != WA_OK) {
            conn_end(c);
            return false;
        }
        if (c->out.n == 0)
            return true;
        size_t n = 0;
        enum wa_tls_want want = WA_TLS_DONE;
        if (wa_conn_write(c->fd, c->tls, c->out.p, c->out.n, &n, &want, &err) != WA_OK) {
            conn_end(c);
            return false;
        }
        c->write_waits_read = want == WA_TLS_WANT_READ;
        if (want != WA_TLS_DONE)
            return true;
        c->deadline_ms = now_ms(c) + WRITE_STALL_MS;
        wa_buf_consume(&c->out, n);
    }
}

/* The answer is out: the next request, or the end. */
static bool finish_exchange(struct wa_http_conn *c)
{
    if (!c->answered || c->out.n > 0 || (c->file_fd >= 0 && c->file_left > 0))
        return false;
    wa_fd_close(&c->file_fd);
    if (!c->keep_alive || !c->message_done) {
        conn_end(c);
        return false;
    }
    c->head = NULL;
    c->answered = c->message_done = c->delivered = false;
    c->deadline_ms = now_ms(c) + WA_HTTP_IDLE_TIMEOUT_MS;
    wa_buf_fini_secret(&c->body);
    wa_buf_fini(&c->out);
    wa_http_resume(c->parser);
    return true;
}

static void hand_over(struct wa_http_conn *c)
{
    struct wa_ws_conn *ws = c->upgraded;
    wa_io_free(c->io);
    c->io = NULL;
    c->head = NULL;
    wa_ws_conn_start(ws, c);
    c->dead = true; /* emptied: descriptor and TLS went over */
}

static void watch(struct wa_http_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    bool reads = !c->message_done && !c->read_waits_write;
    bool writes = (c->out.n > 0 && !c->write_waits_read) || c->read_waits_write;
    int events = (reads || c->write_waits_read ? WA_IO_READ : 0) | (writes ? WA_IO_WRITE : 0);
    if (wa_io_set(c->io, events, &err) != WA_OK)
        conn_end(c);
}

/* Everything that can be done now: read, answer, write, next. */
static void work(struct wa_http_conn *c)
{
    bool again = true;
    c->busy++;
    while (again && !c->dead) {
        again = false;
        if (!read_requests(c))
            break;
        if (c->upgraded != NULL) {
            hand_over(c);
            break;
        }
        if (write_out(c))
            again = finish_exchange(c);
    }
    if (!c->dead)
        watch(c);
    leave(c);
}

void wa_conn_continue(struct wa_http_conn *c)
{
    if (c->busy == 0)
        work(c);
}

static void handshake(struct wa_http_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    enum wa_tls_want want = WA_TLS_DONE;
    c->busy++;
    if (wa_tls_handshake(c->tls, &want, &err) != WA_OK ||
        (want != WA_TLS_DONE &&
         wa_io_set(c->io, want == WA_TLS_WANT_WRITE ? WA_IO_WRITE : WA_IO_READ, &err) != WA_OK)) {
        conn_end(c);
    } else if (want == WA_TLS_DONE) {
        c->state = WA_CONN_HTTP;
        c->server->handshakes--;
        c->deadline_ms = now_ms(c) + WA_HTTP_HEAD_TIMEOUT_MS;
        work(c);
    }
    leave(c);
}

static void conn_event(void *user, int events)
{
    struct wa_http_conn *c = user;
    WA_UNUSED(events);
    if (c->state == WA_CONN_HANDSHAKE)
        handshake(c);
    else
        work(c);
}

/* --- accepting --- */

static void name_peer(const struct sockaddr_storage *a, char *out, size_t size)
{
    out[0] = '\0';
    if (a->ss_family == AF_INET)
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, out,
                        (socklen_t)size);
    else if (a->ss_family == AF_INET6)
        (void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, out,
                        (socklen_t)size);
}

static enum wa_code conn_new(struct wa_http_server *s, int fd, const struct sockaddr_storage *addr,
                             struct wa_err *err)
{
    static const struct wa_http_events events = {on_head, on_body, on_done};
    struct wa_http_conn *c = wa_calloc(1, sizeof *c);
    if (c == NULL) {
        wa_fd_close(&fd);
        return wa_nomem(err);
    }
    c->server = s;
    c->fd = fd;
    c->file_fd = -1;
    c->next = s->first;
    if (s->first != NULL)
        s->first->prev = c;
    s->first = c;
    s->count++;
    c->state = s->tls != NULL ? WA_CONN_HANDSHAKE : WA_CONN_HTTP;
    s->handshakes += s->tls != NULL ? 1 : 0;
    wa_buf_init(&c->pending, WA_HTTP_HEAD_MAX + 2 * READ_PIECE);
    wa_buf_init(&c->body, 0);
    wa_buf_init(&c->out, 64u << 20);
    name_peer(addr, c->peer, sizeof c->peer);
    c->deadline_ms = now_ms(c) + WA_TLS_HANDSHAKE_TIMEOUT_MS;
    if ((s->tls != NULL && wa_tls_new(s->tls, fd, true, &c->tls, err) != WA_OK) ||
        wa_http_parser_new(true, &events, c, &c->parser, err) != WA_OK ||
        wa_io_new(s->loop, fd, conn_event, c, &c->io, err) != WA_OK ||
        wa_io_set(c->io, WA_IO_READ, err) != WA_OK) {
        conn_free(c);
        return err->code;
    }
    return WA_OK;
}

static void set_accepting(struct wa_http_server *s, bool on)
{
    struct wa_err err = WA_ERR_INIT;
    for (size_t i = 0; i < s->listener_count; i++)
        if (wa_io_set(s->listeners[i].io, on ? WA_IO_READ : 0, &err) != WA_OK)
            wa_err_clear(&err); /* tried again by the next sweep */
    s->accepting = on;
}

static bool has_room(const struct wa_http_server *s)
{
    return s->count < s->config.max_connections && s->handshakes < s->config.max_handshakes;
}

static void on_listen(void *user, int events)
{
    struct wa_http_server *s = user;
    WA_UNUSED(events);
    for (size_t i = 0; i < s->listener_count; i++) {
        for (int round = 0; round < ACCEPT_ROUND; round++) {
            struct sockaddr_storage addr = {.ss_family = 0};
            socklen_t n = sizeof addr;
            struct wa_err err = WA_ERR_INIT;
            int one = 1;
            if (!has_room(s)) {
                set_accepting(s, false);
                return;
            }
            int fd = accept4(s->listeners[i].fd, (struct sockaddr *)&addr, &n,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
                set_accepting(s, false); /* the sweep tries again */
                return;
            }
            if (fd < 0)
                break;
            (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            if (conn_new(s, fd, &addr, &err) != WA_OK)
                return;
        }
    }
}

static void sweep(void *user)
{
    struct wa_http_server *s = user;
    uint64_t now = wa_loop_now_ms(s->loop);
    for (struct wa_http_conn *c = s->first, *next; c != NULL; c = next) {
        next = c->next;
        if (c->deadline_ms != 0 && now > c->deadline_ms)
            conn_end(c);
    }
    wa_ws_conn_sweep(s, now);
    if (!s->accepting && has_room(s))
        set_accepting(s, true);
}

enum wa_code wa_http_server_new(struct wa_loop *loop, const int *listen_fds, size_t count,
                                struct wa_tls_ctx *tls, const struct wa_http_server_config *config,
                                const struct wa_http_server_events *events, void *user,
                                struct wa_http_server **ret, struct wa_err *err)
{
    WA_AUTO(wa_http_server) struct wa_http_server *s = wa_calloc(1, sizeof *s);
    if (s == NULL)
        return wa_nomem(err);
    *s = (struct wa_http_server){.loop = loop,
                                 .tls = tls,
                                 .config = *config,
                                 .ev = *events,
                                 .user = user,
                                 .accepting = true};
    if (count > WA_COUNT(s->listeners))
        return wa_fail(err, WA_E_USAGE, "more than %zu listening sockets", WA_COUNT(s->listeners));
    for (size_t i = 0; i < count; i++) {
        s->listeners[i].fd = listen_fds[i];
        s->listener_count++;
        if (wa_io_new(loop, listen_fds[i], on_listen, s, &s->listeners[i].io, err) != WA_OK ||
            wa_io_set(s->listeners[i].io, WA_IO_READ, err) != WA_OK)
            return err->code;
    }
    if (wa_timer_new(loop, sweep, s, &s->sweep, err) != WA_OK)
        return err->code;
    wa_timer_start(s->sweep, SWEEP_MS, SWEEP_MS);
    *ret = WA_TAKE(s);
    return WA_OK;
}

void wa_http_server_free(struct wa_http_server *s)
{
    if (s == NULL)
        return;
    while (s->first != NULL)
        conn_free(s->first);
    while (s->first_ws != NULL)
        wa_ws_conn_free(s->first_ws);
    for (size_t i = 0; i < s->listener_count; i++) {
        wa_io_free(s->listeners[i].io);
        wa_fd_close(&s->listeners[i].fd);
    }
    wa_timer_free(s->sweep);
    wa_free(s);
}
