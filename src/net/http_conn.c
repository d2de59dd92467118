/* http_conn.c - one connection of the server: TLS, requests in, answers out.
 *
 * One exchange at a time: while the application thinks, nothing more is read. Every state has a
 * deadline but that one. Pieces go straight from the socket into the parser, so that an idle
 * connection holds no buffer. What happens when to whom is work().
 */
#include "net/http_server_priv.h"

#include "base/mem.h"

#define FILE_PIECE 65536u

/* --- life and death --- */

static uint64_t now_ms(const struct wa_http_conn *c)
{
    return wa_loop_now_ms(c->server->loop);
}

void wa_http_conn_free(struct wa_http_conn *c)
{
    struct wa_http_server *s = c->server;
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        s->first = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    s->count--;
    s->by_address[c->address]--;
    if (c->state == WA_CONN_HANDSHAKE)
        wa_http_handshake_leave(c);
    wa_io_free(c->io);
    wa_tls_free(c->tls);
    wa_fd_close(&c->fd);
    wa_fd_close(&c->file_fd);
    wa_http_parser_free(c->parser);
    wa_buf_fini_secret(&c->pending);
    wa_buf_fini_secret(&c->body);
    wa_buf_fini_secret(&c->held);
    wa_buf_fini(&c->out.bytes);
    wa_free(c);
    wa_http_server_has_room(s);
}

static void free_if_unused(struct wa_http_conn *c)
{
    if (c->busy > 0)
        return;
    if (c->server->busy > 0)
        c->server->has_dead = true;
    else
        wa_http_conn_free(c);
}

/* The exchange is over without the application's answer. */
static void tell_gone(struct wa_http_conn *c)
{
    if (!c->is_told || (c->answered && !c->is_stream))
        return;
    c->is_told = false;
    c->busy++;
    if (c->server->ev.on_gone != NULL)
        c->server->ev.on_gone(c->server->user, c);
    c->busy--;
}

void wa_http_conn_end(struct wa_http_conn *c)
{
    if (c->dead)
        return;
    c->dead = true;
    tell_gone(c);
    if (c->upgraded != NULL) {
        wa_ws_conn_end(c->upgraded, 1006, "the connection ended before the WebSocket began");
        c->upgraded = NULL;
    }
    if (c->tls != NULL && c->state == WA_CONN_HTTP)
        wa_tls_close(c->tls);
    free_if_unused(c);
}

static void leave(struct wa_http_conn *c)
{
    if (--c->busy == 0 && c->dead)
        free_if_unused(c);
}

bool wa_http_conn_is_idle(const struct wa_http_conn *c)
{
    return c->state == WA_CONN_HTTP && c->head == NULL && !c->head_begun && c->out.bytes.n == 0;
}

/* --- requests --- */

/* More bytes moved: the next must come soon, and all of them not too slowly. */
static void moved(struct wa_http_conn *c, size_t n)
{
    uint64_t stall = c->server->config.stall_timeout_ms, now = now_ms(c);
    c->moved_bytes += n;
    uint64_t by_rate = c->moving_since_ms + stall + c->moved_bytes / WA_RATE_BYTES_MS;
    c->deadline_ms = now + stall < by_rate ? now + stall : by_rate;
}

static void start_moving(struct wa_http_conn *c)
{
    c->moving_since_ms = now_ms(c);
    c->moved_bytes = 0;
    moved(c, 0);
}

void wa_http_conn_answering(struct wa_http_conn *c)
{
    c->is_held = false;
    c->answered = true;
    start_moving(c);
}

/* Our own answer in the application's place. */
static void refuse_rest(struct wa_http_conn *c, const struct wa_err *why)
{
    tell_gone(c);
    c->keep_alive = false;
    wa_http_answer_err(c, why);
}

/* How much body the application wants. */
static uint64_t body_limit(const struct wa_http_conn *c)
{
    return c->body_sink != NULL ? c->body_stream_max : c->takes_body ? c->body_max : 0;
}

static enum wa_code fail_body(const struct wa_http_conn *c, struct wa_err *err)
{
    return wa_fail(err, WA_E_LIMIT, "the request's body is larger than the %llu bytes allowed here",
                   (unsigned long long)body_limit(c));
}

/* Refuses a body that says itself that it is too long; lets the others come. */
static void begin_body(struct wa_http_conn *c)
{
    struct wa_err why = WA_ERR_INIT;
    if (c->head->has_length && c->head->length > body_limit(c)) { /* no need to let it all come */
        (void)fail_body(c, &why);
        refuse_rest(c, &why);
    } else if (!c->message_done && wa_sv_ieqs(wa_http_get(c->head, "expect"), "100-continue")) {
        wa_buf_adds(&c->out.bytes, "HTTP/1.1 100 Continue\r\n\r\n");
    }
}

static enum wa_code on_head(void *user, const struct wa_http_head *head, struct wa_err *err)
{
    struct wa_http_conn *c = user;
    WA_UNUSED(err);
    c->head = head;
    c->head_begun = false;
    c->keep_alive = head->keep_alive && !c->server->is_stopping;
    c->message_done = c->answered = c->takes_body = c->is_held = false;
    c->body_sink = NULL;
    c->user = NULL;
    c->class = 0;
    c->headers = NULL;
    start_moving(c);
    if (c->is_extra) {
        c->keep_alive = false;
        wa_http_answer(c, 503, "text/plain; charset=utf-8",
                       WA_SV("too many connections: try again later\n"), "Retry-After: 30\r\n");
        return WA_OK;
    }
    c->is_told = true;
    c->server->ev.on_request(c->server->user, c, head);
    if (c->is_held)
        c->deadline_ms = 0; /* the application takes the time it needs */
    if (c->answered || c->upgraded != NULL || !head->has_body || c->is_held)
        return WA_OK;
    begin_body(c);
    return WA_OK;
}

/* A piece of the body to where the application wants it. */
static void take_body(struct wa_http_conn *c, const void *p, size_t n)
{
    struct wa_err why = WA_ERR_INIT;
    moved(c, n);
    if (c->moved_bytes > body_limit(c))
        (void)fail_body(c, &why);
    else if (c->body_sink != NULL) {
        if (c->body_sink->write(c->body_sink, p, n, &why) != WA_OK && why.code == WA_OK)
            (void)wa_fail(&why, WA_E_FAILED, "the request's body could not be stored");
    } else {
        wa_buf_add(&c->body, p, n);
        if (wa_buf_check(&c->body, &why) != WA_OK)
            (void)wa_wrap(&why, "the request's body");
    }
    if (why.code != WA_OK)
        refuse_rest(c, &why);
}

static enum wa_code on_body(void *user, const void *p, size_t n, struct wa_err *err)
{
    struct wa_http_conn *c = user;
    struct wa_err why = WA_ERR_INIT;
    WA_UNUSED(err);
    if (c->answered)
        return WA_OK; /* not wanted any more; the connection ends after the answer */
    if (!c->is_held) {
        take_body(c, p, n);
        return WA_OK;
    }
    wa_buf_add(&c->held, p, n);
    if (wa_buf_check(&c->held, &why) != WA_OK)
        refuse_rest(c, &why);
    return WA_OK;
}

static void end_body(struct wa_http_conn *c)
{
    c->deadline_ms = 0; /* the application takes the time it needs */
    c->server->ev.on_body(c->server->user, c,
                          c->body_sink != NULL || c->body.p == NULL ? WA_SV("")
                                                                    : wa_buf_sv(&c->body));
}

static enum wa_code on_done(void *user, struct wa_err *err)
{
    struct wa_http_conn *c = user;
    WA_UNUSED(err);
    c->message_done = true;
    if (!c->answered && c->upgraded == NULL && !c->is_held)
        end_body(c);
    return WA_OK;
}

void wa_http_conn_release(struct wa_http_conn *c)
{
    if (!c->is_held || c->answered)
        return;
    struct wa_buf held = c->held;
    wa_buf_init(&c->held, WA_READ_PIECE);
    c->is_held = false;
    c->busy++;
    start_moving(c);
    if (c->head->has_body)
        begin_body(c);
    if (!c->answered && held.n > 0)
        take_body(c, held.p, held.n);
    wa_buf_fini_secret(&held);
    if (!c->answered && c->message_done)
        end_body(c);
    bool is_dead = c->dead;
    leave(c); /* frees a dead one */
    if (!is_dead)
        wa_http_conn_continue(c);
}

/* A request that can't be understood: an answer where none was given, then the end. */
static void refuse(struct wa_http_conn *c, const struct wa_err *err)
{
    static const struct wa_http_head none = {.status = 0};
    c->message_done = true;
    c->head_begun = false;
    wa_buf_fini_secret(&c->pending);
    if (c->head == NULL)
        c->head = &none;
    if (c->answered)
        c->keep_alive = false;
    else
        refuse_rest(c, err);
}

/* Parses what was read last, and keeps what belongs to the next request. */
static void take(struct wa_http_conn *c, const char *p, size_t n)
{
    struct wa_err err = WA_ERR_INIT;
    size_t used = 0;
    if (c->head == NULL && !c->head_begun) {
        c->head_begun = true; /* its end must come soon, however often a byte comes */
        c->deadline_ms = now_ms(c) + c->server->config.head_timeout_ms;
    }
    if (wa_http_parse(c->parser, p, n, &used, &err) == WA_OK) {
        wa_buf_add(&c->pending, p + used, n - used);
        if (wa_buf_check(&c->pending, &err) == WA_OK)
            return;
    }
    refuse(c, &err);
}

static bool wants_more(const struct wa_http_conn *c)
{
    return !c->message_done && !c->is_held && c->upgraded == NULL && !c->dead;
}

/* Reads until a request is whole. False when the connection has ended. */
static bool read_requests(struct wa_http_conn *c)
{
    char piece[WA_READ_PIECE];
    struct wa_err err = WA_ERR_INIT;
    for (unsigned round = 0; wants_more(c) && (!c->is_drained || c->pending.n > 0); round++) {
        size_t n = 0;
        enum wa_tls_want want = WA_TLS_DONE;
        if (c->pending.n > 0) {
            struct wa_buf whole = c->pending;
            wa_buf_init(&c->pending, WA_READ_PIECE);
            take(c, whole.p, whole.n);
            wa_buf_fini_secret(&whole);
            continue;
        }
        if (round >= WA_ROUNDS_MAX) {
            c->yields = true;
            return true;
        }
        enum wa_code code = wa_conn_read(c->fd, c->tls, piece, sizeof piece, &n, &want, &err);
        if (code == WA_OK && want == WA_TLS_DONE && n == 0 && c->answered) {
            c->keep_alive = false; /* it sends no more, but may still read our refusal */
            c->message_done = true;
            return true;
        }
        if (code != WA_OK || (want == WA_TLS_DONE && n == 0)) {
            wa_http_conn_end(c);
            return false;
        }
        c->read_waits_write = want == WA_TLS_WANT_WRITE;
        c->is_drained = want != WA_TLS_DONE || wa_conn_is_drained(c->tls, n);
        if (want != WA_TLS_DONE)
            return true;
        c->server->counts.received_bytes += n;
        take(c, piece, n);
    }
    return !c->dead;
}

/* --- writing --- */

/* Refills the output from the file being sent. */
static bool refill(struct wa_http_conn *c)
{
    if (c->out.bytes.n > 0 || c->file_fd < 0 || c->file_left == 0)
        return true;
    size_t want = c->file_left < FILE_PIECE ? (size_t)c->file_left : FILE_PIECE;
    char *p = wa_buf_reserve(&c->out.bytes, want);
    struct wa_err err = WA_ERR_INIT;
    if (p == NULL || wa_fd_read_at(c->file_fd, c->file_at, p, want, &err) != WA_OK)
        return false; /* shorter than promised: only the end of the connection can tell */
    wa_buf_advance(&c->out.bytes, want);
    c->file_at += want;
    c->file_left -= want;
    return true;
}

/* Writes what there is. False when the connection has ended. */
static bool write_out(struct wa_http_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    for (unsigned round = 0; round < WA_ROUNDS_MAX; round++) {
        size_t n = 0;
        enum wa_tls_want want = WA_TLS_DONE;
        if (c->out.bytes.failed != WA_OK || !refill(c) ||
            wa_outbox_write(&c->out, c->fd, c->tls, &n, &want, &err) != WA_OK) {
            wa_http_conn_end(c);
            return false;
        }
        c->server->counts.sent_bytes += n;
        if (n > 0 && c->answered)
            moved(c, n);
        c->write_waits_read = want == WA_TLS_WANT_READ;
        if (want != WA_TLS_DONE || c->file_fd < 0 || c->file_left == 0)
            return true;
    }
    c->yields = true;
    return true;
}

/* Whoever gets a stream says nothing more: whatever comes is its end. False: it has come. */
static bool still_listens(struct wa_http_conn *c)
{
    char byte;
    size_t n = 0;
    struct wa_err err = WA_ERR_INIT;
    enum wa_tls_want want = WA_TLS_DONE;
    if (!c->is_stream || c->is_last || !c->message_done)
        return true;
    if (wa_conn_read(c->fd, c->tls, &byte, 1, &n, &want, &err) != WA_OK || want == WA_TLS_DONE) {
        wa_http_conn_end(c);
        return false;
    }
    c->read_waits_write = want == WA_TLS_WANT_WRITE;
    return true;
}

/* True when there is a next piece. */
static bool continue_stream(struct wa_http_conn *c)
{
    if (!c->is_stream || c->is_last || c->out.bytes.n > 0)
        return false;
    c->deadline_ms = 0; /* it is the application's turn */
    if (c->server->ev.on_drained != NULL)
        c->server->ev.on_drained(c->server->user, c);
    return c->out.bytes.n > 0 && !c->dead;
}

/* Our last words are out. The peer may still be sending: closing now would take them from it. */
static void linger(struct wa_http_conn *c)
{
    c->state = WA_CONN_LINGER;
    c->deadline_ms = now_ms(c) + WA_LINGER_MS;
    wa_conn_shut(c->fd, &c->tls);
    wa_buf_fini_secret(&c->pending);
}

/* True when the answer is out and the next request may be read. */
static bool finish_exchange(struct wa_http_conn *c)
{
    if (!c->answered || c->out.bytes.n > 0 || (c->file_fd >= 0 && c->file_left > 0) ||
        (c->is_stream && !c->is_last))
        return false;
    wa_fd_close(&c->file_fd);
    wa_buf_fini_secret(&c->body);
    wa_buf_fini_secret(&c->held);
    c->is_told = false;
    if (!c->keep_alive || !c->message_done || c->server->is_stopping) {
        linger(c);
        return false;
    }
    c->head = NULL;
    c->answered = c->message_done = false;
    c->deadline_ms = now_ms(c) + c->server->config.idle_timeout_ms;
    wa_http_resume(c->parser);
    return true;
}

static void hand_over(struct wa_http_conn *c)
{
    struct wa_ws_conn *ws = c->upgraded;
    wa_io_free(c->io);
    c->io = NULL;
    c->upgraded = NULL;
    c->answered = true;
    wa_ws_conn_start(ws, c);
    wa_http_conn_end(c); /* emptied: descriptor and TLS went over */
}

static void watch(struct wa_http_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    bool listens = c->is_stream && !c->is_last && c->state == WA_CONN_HTTP;
    bool reads = (!c->message_done || listens) && !c->is_held && !c->read_waits_write;
    bool writes = c->out.bytes.n > 0 && !c->write_waits_read;
    int events = 0;
    if (reads || c->write_waits_read || c->state == WA_CONN_LINGER)
        events |= WA_IO_READ;
    if (writes || c->read_waits_write || c->yields)
        events |= WA_IO_WRITE;
    /* Most answers are there before the client says more: it is told to be quiet when it does. */
    bool may_stay = events == 0 && !c->wakes_for_less;
    c->wakes_for_less = events == 0;
    if (may_stay)
        return;
    if (wa_io_set(c->io, events, &err) != WA_OK)
        wa_http_conn_end(c);
}

/* Everything that can be done now: read, answer, write, next. */
static void work(struct wa_http_conn *c)
{
    bool again = c->state == WA_CONN_HTTP;
    c->busy++;
    c->yields = false;
    if (c->state == WA_CONN_LINGER && !wa_conn_discard(c->fd))
        wa_http_conn_end(c);
    for (unsigned round = 0; again && !c->dead; round++) {
        again = false;
        if (!read_requests(c) || !still_listens(c))
            break;
        if (c->upgraded != NULL) {
            hand_over(c);
            break;
        }
        if (write_out(c))
            again = continue_stream(c) || finish_exchange(c);
        if (again && round >= WA_ROUNDS_MAX) { /* a long pipeline */
            c->yields = true;
            break;
        }
    }
    if (!c->dead)
        watch(c);
    leave(c);
}

void wa_http_conn_continue(struct wa_http_conn *c)
{
    if (c->busy == 0)
        work(c);
}

static void handshake(struct wa_http_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    enum wa_tls_want want = WA_TLS_DONE;
    c->busy++;
    enum wa_code code = wa_tls_handshake(c->tls, &want, &err);
    if (code == WA_E_REFUSED) { /* its certificate: it is told so */
        c->server->handshakes--;
        c->server->counts.handshakes_failed++;
        linger(c);
        work(c);
        wa_http_server_has_room(c->server);
    } else if (code != WA_OK ||
               (want != WA_TLS_DONE &&
                wa_io_set(c->io, want == WA_TLS_WANT_WRITE ? WA_IO_WRITE : WA_IO_READ, &err) !=
                    WA_OK)) {
        wa_http_conn_end(c);
    } else if (want == WA_TLS_DONE) {
        c->state = WA_CONN_HTTP;
        c->server->handshakes--;
        c->server->counts.handshakes++;
        c->server->counts.resumed += wa_tls_is_resumed(c->tls) ? 1 : 0;
        c->deadline_ms = now_ms(c) + c->server->config.head_timeout_ms;
        c->is_drained = !wa_tls_has_pending(c->tls);
        work(c);
        wa_http_server_has_room(c->server);
    }
    leave(c);
}

static void proxied(struct wa_http_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    c->busy++;
    bool is_told = wa_http_proxy_take(c, &err);
    if (is_told && c->server->tls == NULL) {
        c->state = WA_CONN_HTTP;
        work(c);
    } else if (is_told &&
               (wa_io_set(c->io, 0, &err) != WA_OK || wa_http_handshake_begin(c, &err) != WA_OK)) {
        wa_http_conn_end(c);
    } else if (!is_told && err.code != WA_OK) {
        wa_http_conn_end(c);
    }
    leave(c);
}

static void on_event(void *user, int events)
{
    struct wa_http_conn *c = user;
    WA_UNUSED(events);
    c->is_drained = false;
    if (c->state == WA_CONN_PROXY)
        proxied(c);
    else if (c->state != WA_CONN_HANDSHAKE)
        work(c);
    else if (wa_http_handshake_may_step(c))
        handshake(c);
}

enum wa_code wa_http_conn_new(struct wa_http_server *s, int fd, const char *peer, bool is_proxy,
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
    c->is_extra = s->count >= s->config.max_connections;
    s->count++;
    c->state = is_proxy ? WA_CONN_PROXY : WA_CONN_HTTP;
    wa_buf_init(&c->pending, WA_READ_PIECE);
    wa_buf_init(&c->out.bytes, WA_HTTP_ANSWER_MAX);
    (void)snprintf(c->peer, sizeof c->peer, "%s", peer);
    c->address = wa_http_address(peer);
    s->by_address[c->address]++;
    c->deadline_ms = now_ms(c) + s->config.head_timeout_ms;
    enum wa_code code = wa_http_parser_new(true, &events, c, &c->parser, err);
    if (code == WA_OK)
        code = wa_io_new(s->loop, fd, on_event, c, &c->io, err);
    if (code == WA_OK && (s->tls == NULL || is_proxy))
        code = wa_io_set(c->io, WA_IO_READ, err);
    else if (code == WA_OK)
        code = wa_http_handshake_begin(c, err);
    if (code != WA_OK)
        wa_http_conn_free(c);
    return code;
}
