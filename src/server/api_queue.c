/* api_queue.c - machines' own queues, for who looks at one: asked for, taken, shown.
 *
 * A machine tells its queue for a minute after it was asked, and is asked while somebody looks. So
 * a fleet's work costs the server nothing that nobody looks at, and what is kept of a machine is
 * one row: the last picture, and when it came. Nothing is decided by it.
 *
 * Where the machine is connected to another server of the database, that one is told to ask; the
 * picture is the table's, and all are told that there is a new one.
 */
#include "os/clock.h"
#include "proto/push.h"
#include "proto/queue.h"
#include "server/api.h"

#define ASK_MS 5000u /* the least between two questions to a machine */

/* --- asking --- */

/* Whether it was not asked just now. */
static bool is_due(struct wa_store *s, const char *uuid)
{
    uint64_t now = wa_clock_mono_ms();
    for (size_t i = 0; i < WA_QUEUE_ASKS; i++)
        if (strcmp(s->asks[i].uuid, uuid) == 0 && now - s->asks[i].at_ms < ASK_MS)
            return false;
    struct wa_queue_ask *a = &s->asks[s->asks_next++ % WA_QUEUE_ASKS];
    (void)snprintf(a->uuid, sizeof a->uuid, "%.*s", (int)WA_UUID_MAX, uuid);
    a->at_ms = now;
    return true;
}

void wa_queue_ask(struct wa_store *s, const char *uuid)
{
    struct wa_err err = WA_ERR_INIT;
    const struct wa_store_conn *c = wa_store_conn_of(s, uuid);
    if (c != NULL &&
        wa_chan_post(s->fronts[c->front], WA_S_WATCH, c->id, WA_SV(""), -1, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "front.lost", &err);
}

static void ask(struct wa_store *s, const char *uuid)
{
    const struct wa_fleet_host *h = wa_fleet_get(s->fleet, wa_sv(uuid));
    if (h == NULL || !h->is_reachable || !is_due(s, uuid))
        return;
    if (wa_store_conn_of(s, uuid) != NULL)
        wa_queue_ask(s, uuid);
    else
        wa_node_tell_now(s, WA_NODE_WATCH, wa_sv(uuid));
}

/* --- taking --- */

static enum wa_code keep(struct wa_store *s, const char *uuid, struct wa_sv queue,
                         struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_db_prepare(s->db,
                      "INSERT INTO queues (uuid, at, content) SELECT uuid, ?2, ?3 FROM hosts WHERE "
                      "uuid = ?1 ON CONFLICT (uuid) DO UPDATE SET at = excluded.at, content = "
                      "excluded.content",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, uuid);
    wa_bind_i64(q, 1, wa_clock_now());
    wa_bind_sv(q, 2, queue);
    return wa_run(q, err) == WA_OK ? wa_node_tell(s, WA_NODE_QUEUE, wa_sv(uuid), err) : err->code;
}

static enum wa_code keep_now(struct wa_store *s, const char *uuid, struct wa_sv queue,
                             struct wa_err *err)
{
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (keep(s, uuid, queue, err) != WA_OK || wa_db_commit(s->db, err) != WA_OK)
        wa_db_rollback(s->db);
    return err->code;
}

void wa_queue_take(struct wa_store *s, int front, uint32_t id, struct wa_sv text)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf queue;
    WA_AUTO_ARENA struct wa_arena arena;
    enum wa_push_type type = WA_PUSH_QUEUE;
    const struct wa_json *j = NULL;
    const struct wa_store_conn *c = wa_store_conn_at(s, front, id);
    wa_buf_init(&queue, 2 * WA_QUEUE_BYTES_MAX);
    wa_arena_init(&arena, WA_QUEUE_MEMORY_MAX);
    if (c == NULL)
        return;
    enum wa_code code = wa_push_parse(text, &arena, &type, &j, &err);
    if (code == WA_OK && type != WA_PUSH_QUEUE)
        code = wa_fail(&err, WA_E_INVALID, "something else than a queue");
    if (code == WA_OK && wa_queue_copy(j, &queue, &err) == WA_OK &&
        keep_now(s, c->uuid, wa_buf_sv(&queue), &err) == WA_OK) {
        wa_store_event(s, WA_EVENT_QUEUE, "told", wa_sv(c->uuid), WA_SV(""), WA_SV(""));
        return;
    }
    wa_log(&s->child.log, WA_LOG_WARNING, "queue.refused", WA_LF_S("uuid", c->uuid),
           WA_LF_S("why", err.text));
}

/* --- shown --- */

static enum wa_code write_queue(struct wa_api_call *c, struct wa_jw *w, struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = false;
    if (wa_db_prepare(c->store->db, "SELECT at, content FROM queues WHERE uuid = ?", &q, err) !=
        WA_OK)
        return err->code;
    wa_bind_s(q, 0, c->args[0]);
    if (wa_step(q, &row, err) != WA_OK)
        return err->code;
    wa_jw_kvi(w, "at", row ? wa_col_i64(q, 0) : 0);
    wa_jw_key(w, "queue");
    wa_jw_raw(w, row ? wa_col_sv(q, 1) : WA_SV("null"));
    if (row)
        wa_reset(q);
    return WA_OK;
}

static enum wa_code call_queue(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_jw w;
    int64_t is_watched = 0;
    if (wa_api_number(c, "watch", 0, 1, &is_watched, err) != WA_OK ||
        wa_api_need_host(c, c->args[0], err) != WA_OK)
        return err->code;
    const struct wa_fleet_host *h = wa_fleet_get(c->store->fleet, wa_sv(c->args[0]));
    if (h == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no host '%s'", c->args[0]);
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "now", wa_clock_now());
    wa_jw_kvb(&w, "reachable", h->is_reachable);
    if (write_queue(c, &w, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    if (is_watched != 0)
        ask(c->store, c->args[0]);
    return wa_buf_check(c->out, err);
}

static const struct wa_api_param params[] = {
    {"watch", "1: the machine is asked to tell, for a minute, what changes there", true},
    {NULL, NULL, false}};
static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/hosts/{uuid}/queue", WA_MAY_VIEW, false, call_queue,
     "What a machine does, what waits there and what it did lately, as it last told while somebody "
     "looked",
     params, NULL, "Queue"},
};
const struct wa_api_resource wa_api_queue_calls = {routes, WA_COUNT(routes)};
