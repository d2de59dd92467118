/* front_stream.c - answers in pieces: live events as the store tells them, lists page by page.
 *
 * The store decides what is in them. Nothing piles up here: the next page is asked for when the
 * last one is out, and a client that does not read its events is cut off, and the store told.
 * Sending may find the client gone, which ends the exchange: it is looked up again after each.
 */
#include "base/mem.h"
#include "server/front_priv.h"

#define BEAT WA_SV(":\n\n") /* says nothing, but that somebody is there */

static const struct {
    const char *name, *content_type, *extra;
} types[] = {
    {"events", "text/event-stream", "X-Accel-Buffering: no\r\n"},
    {"csv", "text/csv; charset=utf-8; header=present",
     "Content-Disposition: attachment; filename=\"list.csv\"\r\n"},
    {"metrics", "text/plain; version=0.0.4; charset=utf-8", NULL},
};

const char *wa_front_content_type(struct wa_sv type, const char **ret_extra)
{
    *ret_extra = NULL;
    for (size_t i = 0; i < WA_COUNT(types); i++) {
        if (!wa_sv_eqs(type, types[i].name))
            continue;
        *ret_extra = types[i].extra;
        return types[i].content_type;
    }
    return "application/json";
}

/* The store need not go on. */
static void tell_gone(const struct wa_exchange *x)
{
    struct wa_err err = WA_ERR_INIT;
    char text[48];
    (void)snprintf(text, sizeof text, "{\"conn\":%u}", (unsigned)x->id);
    if (x->is_open && wa_chan_post(x->front->store, WA_S_GONE, 0, wa_sv(text), -1, &err) != WA_OK)
        wa_log_err(&x->front->child.log, WA_LOG_ERROR, "store.lost", &err);
}

/* is_whole false: the client sees that it did not get all. */
static void end(struct wa_exchange *x, bool is_whole)
{
    struct wa_http_conn *c = x->http;
    wa_http_set_user(c, NULL);
    wa_front_exchange_free(x);
    wa_http_stream_end(c, is_whole);
}

static void cut(struct wa_exchange *x)
{
    tell_gone(x);
    end(x, false);
}

/* NULL: the client has gone. */
static struct wa_exchange *begin(struct wa_exchange *x, struct wa_sv type)
{
    struct wa_front *f = x->front;
    uint32_t id = x->id;
    const char *extra = NULL;
    const char *content_type = wa_front_content_type(type, &extra);
    x->is_stream = true;
    f->stream_count++;
    wa_http_answer_stream(x->http, content_type, extra);
    return wa_front_find(f, id);
}

static struct wa_exchange *send(struct wa_exchange *x, struct wa_sv piece)
{
    struct wa_front *f = x->front;
    struct wa_err err = WA_ERR_INIT;
    uint32_t id = x->id;
    x->since_ms = wa_loop_now_ms(f->loop);
    enum wa_code code = wa_http_stream_send(x->http, piece, &err);
    x = wa_front_find(f, id);
    if (code == WA_OK || x == NULL)
        return x;
    wa_log(&f->child.log, WA_LOG_WARNING, "stream.cut", WA_LF_S("peer", x->peer),
           WA_LF_S("why", err.text));
    cut(x);
    return NULL;
}

void wa_front_piece(struct wa_exchange *x, const struct wa_front_answer *a, struct wa_sv piece)
{
    struct wa_err err = WA_ERR_INIT;
    x->is_open = a->is_open;
    if (x->is_stream && a->status != 200) { /* too late to say why */
        cut(x);
        return;
    }
    if (!x->is_stream)
        x = begin(x, a->type);
    if (x == NULL)
        return;
    if (a->next.n > 0 && wa_sv_dup(a->next, &x->more, &err) != WA_OK) {
        cut(x);
        return;
    }
    x = send(x, a->is_open && piece.n == 0 ? BEAT : piece);
    if (x != NULL && !a->is_open && a->next.n == 0)
        end(x, true);
}

void wa_front_drained(void *user, struct wa_http_conn *c)
{
    struct wa_exchange *x = wa_http_user(c);
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(user);
    if (x == NULL || x->more == NULL)
        return;
    char *query = x->more;
    x->more = NULL;
    enum wa_code code = wa_front_ask(x, wa_sv(query), false, WA_SV(""), &err);
    wa_free(query);
    if (code == WA_OK)
        return;
    wa_log_err(&x->front->child.log, WA_LOG_ERROR, "store.lost", &err);
    cut(x);
}

void wa_front_stream_gone(struct wa_exchange *x)
{
    tell_gone(x);
    wa_front_exchange_free(x);
}

void wa_front_stream_sweep(struct wa_front *f)
{
    uint64_t now = wa_loop_now_ms(f->loop);
    if (f->stream_count == 0)
        return;
    for (struct wa_exchange *x = f->exchanges, *next; x != NULL; x = next) {
        next = x->next;
        if (x->is_open && now - x->since_ms > WA_WATCHER_BEAT_MS)
            (void)send(x, BEAT);
    }
}
