/* store_group.c - what fronts say within a few milliseconds is made durable by one commit.
 *
 * The disk is waited for once for all of them. Nothing is answered, and no other process is asked
 * anything, before what it stands on is durable: answers are held until the commit, and turned into
 * errors when it fails. Answers that no write came before leave at once.
 */
#include "base/mem.h"
#include "net/http_server.h"
#include "server/store_hosts.h"
#include "server/store_priv.h"

#define GATHER_MS 2
#define HELD_MAX 512u /* answers */

struct wa_store_held {
    struct wa_store_held *next;
    int front, status;
    uint16_t type;
    uint32_t id;
    char *text; /* of the message */
    size_t n;
};

static void post(struct wa_store *s, int front, uint16_t type, uint32_t id, struct wa_sv text)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_chan_post(s->fronts[front], type, id, text, -1, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "answer.lost", &err);
}

void wa_store_gather(struct wa_store *s)
{
    if (s->flusher == NULL || s->is_gathering)
        return;
    s->is_gathering = true;
    s->group_no++;
    wa_db_group_begin(s->db);
    wa_timer_start(s->flusher, GATHER_MS, 0);
}

static bool hold(struct wa_store *s, int front, uint16_t type, uint32_t id, int status,
                 struct wa_buf *text)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_store_held *h = wa_calloc(1, sizeof *h);
    if (h == NULL || wa_buf_steal(text, &h->text, &h->n, &err) != WA_OK) {
        wa_free(h);
        return false;
    }
    h->front = front;
    h->type = type;
    h->id = id;
    h->status = status;
    *s->held_last = h;
    s->held_last = &h->next;
    s->held_count++;
    return true;
}

void wa_store_reply_front(struct wa_store *s, int front, uint32_t id, int status,
                          struct wa_buf *text)
{
    struct wa_err err = WA_ERR_INIT;
    if (s->is_gathering && wa_db_group_is_open(s->db)) {
        if (hold(s, front, WA_S_ANSWER, id, status, text)) {
            if (s->held_count >= HELD_MAX)
                (void)wa_store_flush(s, &err);
            return;
        }
        if (wa_store_flush(s, &err) != WA_OK) {
            wa_buf_clear(text);
            wa_buf_adds(text, "{\"status\":503}\n");
        }
    }
    post(s, front, WA_S_ANSWER, id, wa_buf_sv(text));
}

void wa_store_reply_known(struct wa_store *s, struct wa_store_conn *c, bool is_known)
{
    WA_AUTO_BUF struct wa_buf text;
    bool is_written = c->group_no == s->group_no && wa_db_group_is_open(s->db);
    wa_buf_init(&text, 1);
    wa_buf_addc(&text, '2'); /* its front may be told before that that it has changed again */
    if (is_known && is_written && hold(s, c->front, WA_S_KNOWN, c->id, 200, &text))
        return;
    is_known &= !is_written;
    c->is_told = is_known;
    post(s, c->front, WA_S_KNOWN, c->id, is_known ? WA_SV("1") : WA_SV("0"));
}

/* What was told as done is not. */
static void refuse_held(struct wa_store *s, const struct wa_store_held *h, const struct wa_err *why)
{
    struct wa_err shown = *why;
    WA_AUTO_BUF struct wa_buf body;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&body, 8192);
    wa_buf_init(&text, 16384);
    if (h->type == WA_S_KNOWN) {
        post(s, h->front, h->type, h->id, WA_SV("0"));
        return;
    }
    wa_server_hide(&shown);
    wa_http_err_body(&shown, &body);
    wa_buf_addf(&text, "{\"status\":%d}\n", wa_code_http(shown.code));
    wa_buf_addsv(&text, wa_buf_sv(&body));
    post(s, h->front, h->type, h->id, wa_buf_sv(&text));
}

enum wa_code wa_store_flush(struct wa_store *s, struct wa_err *err)
{
    if (!s->is_gathering)
        return WA_OK;
    struct wa_store_held *h = s->held;
    enum wa_code code = wa_db_group_end(s->db, err);
    s->is_gathering = false;
    s->held = NULL;
    s->held_last = &s->held;
    s->held_count = 0;
    wa_timer_stop(s->flusher);
    if (code != WA_OK) {
        wa_log_err(&s->child.log, WA_LOG_ERROR, "database.failed", err);
        s->is_stale = s->owes_requeue = s->owes_dispatch = true;
        for (size_t i = 0; i < s->conns_by_uuid.n; i++)
            wa_store_conn_changed(s, s->conns_by_uuid.items[i].value);
    }
    while (h != NULL) {
        struct wa_store_held *next = h->next;
        if (code != WA_OK && h->status < 400)
            refuse_held(s, h, err);
        else
            post(s, h->front, h->type, h->id, wa_sv_n(h->text, h->n));
        wa_free(h->text);
        wa_free(h);
        h = next;
    }
    return code;
}

static void on_flush(void *user)
{
    struct wa_err err = WA_ERR_INIT;
    (void)wa_store_flush(user, &err); /* everybody concerned has been told */
}

enum wa_code wa_store_group_start(struct wa_store *s, struct wa_err *err)
{
    s->held_last = &s->held;
    return wa_timer_new(s->loop, on_flush, s, &s->flusher, err);
}

/* The lists show what was undone: they are made anew. */
enum wa_code wa_store_refresh(struct wa_store *s, struct wa_err *err)
{
    struct wa_fleet *f = NULL;
    if (!s->is_stale)
        return WA_OK;
    if (wa_fleet_new(&f, err) != WA_OK)
        return err->code;
    if (wa_store_load_fleet(s->db, f, err) != WA_OK) {
        wa_fleet_free(f);
        return err->code;
    }
    for (size_t i = 0; i < s->conns_by_uuid.n; i++) {
        struct wa_store_conn *c = s->conns_by_uuid.items[i].value;
        wa_store_conn_changed(s, c);
        const struct wa_fleet_host *h = wa_fleet_get(s->fleet, wa_sv(c->uuid));
        if (h != NULL)
            wa_fleet_set_reachable(f, wa_sv(c->uuid), true, h->last_seen);
    }
    wa_fleet_free(s->fleet);
    s->fleet = f;
    s->is_stale = false;
    return WA_OK;
}
