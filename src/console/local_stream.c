/* local_stream.c - the server's live events, handed on to a page: one thread for each, since it
 * waits for the server all the time.
 *
 * The thread touches nothing but its own struct under the lock; pieces come to the page in the
 * loop. A page that does not read, or that has gone, ends its stream.
 */
#include "base/mem.h"
#include "console/local_priv.h"
#include "os/clock.h"
#include "os/thread.h"

#define SILENCE_MS 40000u /* the server says something every 15 seconds */
#define WAITING_MAX (4u << 20)

struct wa_local_stream {
    struct wa_local_exchange exchange;
    struct wa_local *local;
    struct wa_local_stream *next;
    struct wa_local_link *link;
    struct wa_client *client;
    struct wa_stop *stop; /* the exchange's too */
    struct wa_thread *thread;
    struct wa_buf path;
    char event[24];
    bool has_begun; /* the page has its status */
    /* Both threads', under the lock. */
    struct wa_lock *lock;
    struct wa_buf pieces;
    bool is_posted, is_over;
    uint64_t heard_ms;
    struct wa_err err;
};

struct stream_sink {
    struct wa_sink base;
    struct wa_local_stream *stream;
};

static void flush(void *user);

/* Has the loop look, once for all that has come; without memory for that it looks by itself. */
static void post(struct wa_local_stream *s)
{
    struct wa_err ignored = WA_ERR_INIT;
    if (!s->is_posted && wa_loop_post(s->local->loop, flush, s, &ignored) == WA_OK)
        s->is_posted = true;
}

static enum wa_code judge(void *user, const struct wa_http_result *r, struct wa_err *err)
{
    WA_UNUSED(user);
    if (r->status == 200 && wa_sv_starts(wa_sv(r->content_type), "text/event-stream"))
        return WA_OK;
    return r->status == 401
               ? wa_fail(err, WA_E_AUTH, "the session at the server has ended: log in again")
               : wa_fail(err, WA_E_UNREACHABLE, "the server answers with status %d", r->status);
}

static enum wa_code take(struct wa_sink *base, const void *p, size_t n, struct wa_err *err)
{
    struct wa_local_stream *s = ((struct stream_sink *)base)->stream;
    wa_lock_take(s->lock);
    wa_buf_add(&s->pieces, p, n);
    enum wa_code code = wa_buf_check(&s->pieces, err);
    s->heard_ms = wa_clock_mono_ms();
    post(s);
    wa_lock_give(s->lock);
    return code;
}

static bool goes_on(void *user, uint64_t done, uint64_t total)
{
    struct wa_local_stream *s = user;
    WA_UNUSED(done);
    WA_UNUSED(total);
    wa_lock_take(s->lock);
    bool is_silent = wa_clock_mono_ms() - s->heard_ms > SILENCE_MS;
    wa_lock_give(s->lock);
    return !is_silent;
}

static void run(void *user)
{
    struct wa_local_stream *s = user;
    struct stream_sink sink = {{take, NULL}, s};
    struct wa_err err = WA_ERR_INIT;
    struct wa_http_result result;
    const struct wa_client_pass pass = {.method = "GET",
                                        .path = wa_buf_str(&s->path),
                                        .last_event = wa_sv(s->event),
                                        .max = UINT64_MAX,
                                        .is_stream = true,
                                        .on_answer = judge,
                                        .goes_on = goes_on,
                                        .user = s};
    (void)!wa_client_pass(s->client, &pass, &sink.base, &result, &err);
    wa_lock_take(s->lock);
    s->is_over = true;
    s->err = err;
    post(s);
    wa_lock_give(s->lock);
}

static void stream_parts_free(struct wa_local_stream *s)
{
    wa_client_close(s->client);
    wa_stop_free(s->stop);
    wa_lock_free(s->lock);
    wa_free(s);
}

static void stream_free(struct wa_local_stream *s)
{
    struct wa_local *l = s->local;
    struct wa_local_stream **at = &l->streams;
    while (*at != NULL && *at != s)
        at = &(*at)->next;
    if (*at == s) {
        *at = s->next;
        l->stream_count--;
    }
    if (s->thread != NULL)
        wa_thread_join(s->thread);
    wa_local_link_release(l, s->link);
    wa_buf_fini(&s->path);
    wa_buf_fini_secret(&s->pieces);
    stream_parts_free(s);
}

static void begin(struct wa_local_stream *s)
{
    if (s->has_begun || s->exchange.conn == NULL)
        return;
    s->has_begun = true;
    wa_http_answer_stream(s->exchange.conn, "text/event-stream", NULL);
}

/* The page's last word, when the server's stream is over. */
static void conclude(struct wa_local_stream *s, const struct wa_err *err)
{
    struct wa_http_conn *c = s->exchange.conn;
    s->exchange.conn = NULL;
    if (err->code == WA_E_AUTH)
        wa_local_server_lost(s->local, s->link);
    else if (c != NULL && s->link == s->local->server.link)
        wa_local_server_doubt(s->local); /* it does not end by itself */
    if (c == NULL)
        return;
    wa_http_set_user(c, NULL);
    if (s->has_begun)
        wa_http_stream_end(c, err->code == WA_OK);
    else if (err->code != WA_OK)
        wa_local_answer_err(c, err);
    else
        wa_http_answer(c, 503, NULL, WA_SV(""), NULL);
}

static void flush(void *user)
{
    struct wa_local_stream *s = user;
    struct wa_err err = WA_ERR_INIT;
    struct wa_buf pieces;
    wa_lock_take(s->lock);
    pieces = s->pieces;
    wa_buf_init(&s->pieces, WAITING_MAX);
    s->is_posted = false;
    bool is_over = s->is_over;
    struct wa_err why = s->err;
    wa_lock_give(s->lock);
    if (pieces.n > 0) {
        begin(s);
        if (s->link == s->local->server.link)
            wa_local_server_heard(s->local);
    }
    if (s->exchange.conn != NULL && pieces.n > 0 &&
        wa_http_stream_send(s->exchange.conn, wa_buf_sv(&pieces), &err) != WA_OK &&
        s->exchange.conn != NULL) {
        struct wa_http_conn *c = s->exchange.conn;
        s->exchange.conn = NULL;
        wa_http_set_user(c, NULL);
        wa_http_stream_end(c, false); /* it reads too slowly: it comes again, and catches up */
    }
    wa_buf_fini_secret(&pieces);
    if (s->exchange.conn == NULL)
        wa_stop_pull(s->stop);
    if (is_over) {
        conclude(s, &why);
        stream_free(s);
    }
}

static void copy_event(const struct wa_http_head *head, char out[24])
{
    struct wa_sv id = wa_http_get(head, "last-event-id");
    uint64_t n;
    if (id.n <= 20 && wa_sv_u64(id, &n))
        (void)snprintf(out, 24, "%.*s", WA_SV_ARG(id));
}

static struct wa_local_stream *stream_new(const struct wa_local *l, struct wa_err *err)
{
    struct wa_local_stream *s = NULL;
    if (l->server.link == NULL)
        (void)wa_fail(err, WA_E_AUTH, "nobody is logged in at the server");
    else if (l->stream_count >= WA_LOCAL_STREAMS)
        (void)wa_fail(err, WA_E_BUSY, "too many pages are open");
    else if ((s = wa_calloc(1, sizeof *s)) == NULL)
        (void)wa_nomem(err);
    else if (wa_lock_new(&s->lock, err) == WA_OK && wa_stop_new(&s->stop, err) == WA_OK &&
             wa_client_lend(l->server.link->client, s->stop, &s->client, err) == WA_OK)
        return s;
    if (s != NULL)
        stream_parts_free(s);
    return NULL;
}

void wa_local_stream(struct wa_local *l, struct wa_http_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_stream *s = stream_new(l, &err);
    if (s == NULL) {
        wa_local_answer_err(c, &err);
        return;
    }
    s->local = l;
    s->link = l->server.link;
    s->link->refs++;
    s->heard_ms = wa_clock_mono_ms();
    wa_buf_init(&s->path, 16u << 10);
    wa_buf_init(&s->pieces, WAITING_MAX);
    wa_local_relay_path(wa_http_conn_head(c), &s->path);
    copy_event(wa_http_conn_head(c), s->event);
    s->next = l->streams;
    l->streams = s;
    l->stream_count++;
    s->exchange = (struct wa_local_exchange){c, s->stop};
    wa_http_set_user(c, s);
    if (wa_buf_check(&s->path, &err) != WA_OK ||
        wa_thread_start(run, s, &s->thread, &err) != WA_OK) {
        conclude(s, &err);
        stream_free(s);
    }
}

void wa_local_streams_end(struct wa_local *l)
{
    for (struct wa_local_stream *s = l->streams; s != NULL; s = s->next)
        wa_stop_pull(s->stop);
}

void wa_local_streams_sweep(struct wa_local *l)
{
    for (struct wa_local_stream *s = l->streams, *next; s != NULL; s = next) {
        next = s->next;
        wa_lock_take(s->lock);
        bool is_forgotten = !s->is_posted && (s->is_over || s->pieces.n > 0);
        wa_lock_give(s->lock);
        if (is_forgotten)
            flush(s);
    }
}
