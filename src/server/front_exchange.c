/* front_exchange.c - the requests that a front has under way, and the WebSockets: by number, for
 * the store names them so; what of their bodies has come; how they end.
 */
#include "base/mem.h"
#include "server/front_priv.h"

static struct wa_sv key_of(const uint32_t *id)
{
    return wa_sv_n((const char *)(const void *)id, sizeof *id);
}

/* Numbers begin anew some day, when connections that have the first ones are still open. */
static uint32_t next_id(struct wa_front *f)
{
    do
        f->next_id++;
    while (f->next_id == 0 || wa_front_find(f, f->next_id) != NULL);
    return f->next_id;
}

/* Bodies are collected in memory, all together up to a cap, of which one address gets a part. */
static enum wa_code collect(struct wa_sink *sink, const void *p, size_t n, struct wa_err *err)
{
    struct wa_exchange *x = ((struct wa_front_collect *)(void *)sink)->exchange;
    struct wa_front *f = x->front;
    size_t theirs = n;
    if (f->body_bytes + n > WA_FRONT_BODIES_MAX / 4)
        for (const struct wa_exchange *o = f->exchanges; o != NULL; o = o->next)
            theirs += strcmp(o->peer, x->peer) == 0 ? o->body.n : 0;
    if (f->body_bytes + n > WA_FRONT_BODIES_MAX || theirs > WA_FRONT_BODIES_MAX / 4)
        return wa_fail(err, WA_E_BUSY, "too much is being sent at the same time: try again later");
    wa_buf_add(&x->body, p, n);
    if (wa_buf_check(&x->body, err) != WA_OK)
        return err->code;
    f->body_bytes += n;
    return WA_OK;
}

struct wa_exchange *wa_front_exchange(struct wa_front *f, struct wa_http_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_exchange *x = wa_calloc(1, sizeof *x);
    if (x == NULL)
        return NULL;
    *x = (struct wa_exchange){.next = f->exchanges,
                              .front = f,
                              .id = next_id(f),
                              .http = c,
                              .fd = -1,
                              .since_ms = wa_loop_now_ms(f->loop)};
    if (wa_map_put(&f->by_id, key_of(&x->id), x, NULL, &err) != WA_OK) {
        wa_free(x);
        return NULL;
    }
    x->collect.base.write = collect;
    x->collect.exchange = x;
    if (x->next != NULL)
        x->next->prev = x;
    f->exchanges = x;
    if (c != NULL) {
        wa_http_set_user(c, x);
        char address[48];
        (void)snprintf(x->peer, sizeof x->peer, "%s", wa_front_peer(f, c, address));
    }
    return x;
}

static void remove_part(struct wa_exchange *x)
{
    struct wa_err ignored = WA_ERR_INIT;
    struct wa_relpath path;
    wa_fd_close(&x->fd);
    if (wa_relpath_parse(wa_sv(x->part), &path, &ignored) == WA_OK &&
        wa_tree_remove(&x->front->repo, &path, &ignored) != WA_OK)
        wa_log_err(&x->front->child.log, WA_LOG_WARNING, "upload.left", &ignored);
}

void wa_front_drop_body(struct wa_exchange *x)
{
    x->front->body_bytes -= x->body.n;
    wa_buf_fini_secret(&x->body);
}

static void unlink_exchange(struct wa_exchange *x)
{
    struct wa_exchange **first = x->has_greeted ? &x->front->greeted : &x->front->exchanges;
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        *first = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
}

void wa_front_exchange_greeted(struct wa_exchange *x)
{
    unlink_exchange(x);
    x->has_greeted = true;
    x->prev = NULL;
    x->next = x->front->greeted;
    if (x->next != NULL)
        x->next->prev = x;
    x->front->greeted = x;
}

void wa_front_exchange_free(struct wa_exchange *x)
{
    unlink_exchange(x);
    (void)wa_map_take(&x->front->by_id, key_of(&x->id));
    if (x->fd >= 0 && !x->is_resumable)
        remove_part(x);
    wa_fd_close(&x->fd);
    wa_front_drop_body(x);
    x->front->stream_count -= x->is_stream ? 1 : 0;
    wa_free(x->more);
    wa_free(x);
}

struct wa_exchange *wa_front_find(const struct wa_front *f, uint32_t id)
{
    return wa_map_get(&f->by_id, key_of(&id));
}

void wa_front_answer_err(struct wa_front *f, struct wa_http_conn *c, const struct wa_err *err)
{
    struct wa_err shown = *err;
    if (wa_code_http(err->code) >= 500) {
        wa_log(&f->child.log, WA_LOG_ERROR, "request.failed", WA_LF_S("peer", wa_http_peer(c)),
               WA_LF_S("why", err->text));
        wa_server_hide(&shown);
    }
    wa_http_answer_err(c, &shown);
}

void wa_front_fail(struct wa_exchange *x, const struct wa_err *err)
{
    struct wa_front *f = x->front;
    struct wa_http_conn *c = x->http;
    wa_http_set_user(c, NULL);
    wa_front_exchange_free(x);
    wa_front_answer_err(f, c, err);
}
