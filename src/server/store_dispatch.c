/* store_dispatch.c - orders to machines that are connected: countersigned for the connection and
 * the minute, sent, followed.
 *
 * One signature for all that go out together. An order that is sent and never acknowledged waits
 * again when the connection is lost.
 */
#include "base/mem.h"
#include "base/vec.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "proto/action.h"
#include "proto/push.h"
#include "server/store_priv.h"

#define AT_ONCE 2000u /* orders under one signature */

struct going {
    char id[33 + WA_UUID_MAX + 1], uuid[65], nonce[65]; /* id: of the row */
    char sha256[WA_SHA256_HEX];                         /* of the action's text */
    char *order;                                        /* JSON */
};
struct batch {
    WA_VEC(struct going);
};

static void batch_free(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        wa_free(b->items[i].order);
    WA_VEC_FREE(b);
    wa_free(b);
}

static enum wa_code take_going(struct wa_stmt *q, const struct wa_store_conn *c, struct batch *b,
                               struct wa_err *err)
{
    struct going *g = WA_VEC_PUSH(b);
    if (g == NULL)
        return wa_nomem(err);
    wa_col_text(q, 0, g->id, sizeof g->id);
    memcpy(g->uuid, c->uuid, sizeof g->uuid);
    memcpy(g->nonce, c->nonce, sizeof g->nonce);
    return wa_sv_dup(wa_col_sv(q, 2), &g->order, err);
}

/* The orders of the statement that may go now, to machines that are here. What is too much for one
 * signature goes after it. */
static enum wa_code collect(struct wa_store *s, struct wa_stmt *q, struct batch *b,
                            struct wa_err *err)
{
    bool row = false;
    enum wa_code code;
    wa_bind_i64(q, 0, wa_clock_now());
    for (code = wa_step(q, &row, err); code == WA_OK && row;
         code = code == WA_OK ? wa_step(q, &row, err) : code) {
        char to[65];
        wa_col_text(q, 1, to, sizeof to);
        struct wa_store_conn *c = wa_store_conn_of(s, to);
        if (c == NULL)
            continue;
        if (b->n == AT_ONCE) {
            s->owes_dispatch = s->has_more = true;
            break;
        }
        c->was_sent = true;
        code = take_going(q, c, b, err);
    }
    if (code != WA_OK || row)
        wa_reset(q);
    return code;
}

static enum wa_code digest_action(const char *order, char out[WA_SHA256_HEX], struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 4u << 20);
    if (wa_json_parse(wa_sv(order), 0, &arena, &j, err) != WA_OK)
        return err->code;
    const struct wa_json *rollout = wa_json_get(j, "rollout");
    struct wa_sv text =
        wa_json_sv(rollout != NULL ? wa_json_get(rollout, "signed") : wa_json_get(j, "action"));
    return wa_sha256_hex(text.p, text.n, out, err);
}

static void log_failure(const struct wa_store *s, const char *event, const struct wa_err *err)
{
    wa_log_err(&s->child.log, WA_LOG_ERROR, event, err);
}

/* Back in the queue: what was to be sent, and was not. What fails here is made good at the next
 * turn. */
static void give_back_one(struct wa_store *s, const struct going *g)
{
    struct wa_err err = WA_ERR_INIT;
    s->owes_dispatch = true;
    if (wa_store_action_step(s->db, wa_sv(g->id), g->uuid, "sent", "queued", "", &err) == WA_OK)
        return;
    s->owes_requeue = true;
    log_failure(s, "database.failed", &err);
}

static void give_back(struct wa_store *s, const struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        give_back_one(s, &b->items[i]);
}

/* Marks all as sent, in one transaction. An order that can't be read any more fails alone. */
static enum wa_code mark_sent(struct wa_store *s, struct batch *b, struct wa_err *err)
{
    size_t kept = 0;
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < b->n; i++) {
        struct going *g = &b->items[i];
        struct wa_err why = WA_ERR_INIT;
        bool is_good = digest_action(g->order, g->sha256, &why) == WA_OK;
        if (!is_good && why.code != WA_E_NOMEM)
            log_failure(s, "order.unreadable", &why);
        if ((is_good || why.code != WA_E_NOMEM) &&
            wa_store_action_step(s->db, wa_sv(g->id), g->uuid, "queued",
                                 is_good ? "sent" : "failed", is_good ? s->child.config.node : "",
                                 err) != WA_OK)
            break;
        is_good &= wa_db_changes(s->db) == 1; /* else another server was faster */
        if (is_good && kept != i) {
            b->items[kept] = *g;
            g->order = NULL; /* moved */
        } else if (!is_good) {
            wa_free(g->order);
            g->order = NULL;
        }
        kept += is_good;
    }
    if (err->code == WA_OK) {
        b->n = kept;
        if (wa_db_commit(s->db, err) == WA_OK)
            return WA_OK;
    }
    wa_db_rollback(s->db);
    return err->code;
}

static enum wa_code write_question(const struct batch *b, struct wa_buf *out, struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_arr(&w);
    for (size_t i = 0; i < b->n; i++) {
        wa_jw_obj(&w);
        wa_jw_kv(&w, "uuid", b->items[i].uuid);
        wa_jw_kv(&w, "nonce", b->items[i].nonce);
        wa_jw_kv(&w, "sha256", b->items[i].sha256);
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

static void send_order(struct wa_store *s, const struct going *g, struct wa_sv relay)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf message;
    const struct wa_store_conn *c = wa_store_conn_of(s, g->uuid);
    wa_buf_init(&message, WA_WS_MESSAGE_MAX);
    enum wa_code code = WA_OK;
    if (c == NULL || strcmp(c->nonce, g->nonce) != 0)
        code = wa_fail(&err, WA_E_UNREACHABLE, "the connection is another one by now");
    wa_push_order_write(wa_sv(g->order), relay, &message);
    if (code == WA_OK)
        code = wa_buf_check(&message, &err);
    if (code == WA_OK)
        code = wa_chan_post(s->fronts[c->front], WA_S_ORDER, c->id, wa_buf_sv(&message), -1, &err);
    if (code == WA_OK)
        return;
    wa_log_err(&s->child.log, WA_LOG_WARNING, "order.not_sent", &err);
    give_back_one(s, g);
}

/* The signer's lines go on as they are: machines check them. That they are as many as the orders,
 * and none is something else, tells a signer that has failed. */
static bool is_for(const struct batch *b, struct wa_sv lines)
{
    struct wa_sv line;
    size_t n = 0;
    while (lines.n > 0 && wa_sv_split(&lines, '\n', &line))
        n += wa_sv_starts(line, WA_RELAY_BEGINS) && wa_sv_ends(line, "}") ? 1 : b->n + 1;
    return n == b->n;
}

static void on_signed(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct batch *b = user;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv relay;
    if (!is_for(b, payload)) {
        (void)wa_fail(&err, WA_E_INTERNAL, "other countersignatures than of these orders");
        log_failure(s, "signer.failed", &err);
        give_back(s, b);
    } else {
        for (size_t i = 0; i < b->n && wa_sv_split(&payload, '\n', &relay); i++)
            send_order(s, &b->items[i], relay);
        if (s->has_more)
            wa_store_dispatch_due(s);
    }
    batch_free(b);
}

/* What was collected: signed together, and sent. Takes b. */
static enum wa_code send_batch(struct wa_store *s, struct batch *b, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf question;
    wa_buf_init(&question, WA_SERVER_BODY_MAX);
    enum wa_code code = err->code;
    if (code == WA_OK && b->n > 0)
        code = mark_sent(s, b, err);
    if (code == WA_OK && b->n > 0) {
        if (write_question(b, &question, err) == WA_OK &&
            wa_store_ask(s, WA_SR_SIGNER, wa_buf_sv(&question), on_signed, b, err) == WA_OK)
            return WA_OK;
        give_back(s, b);
    }
    batch_free(b);
    return err->code;
}

static enum wa_code send_all(struct wa_store *s, struct wa_stmt *q, struct wa_err *err)
{
    struct batch *b = wa_calloc(1, sizeof *b);
    if (b == NULL)
        return wa_nomem(err);
    (void)collect(s, q, b, err);
    return send_batch(s, b, err);
}

/* A roll-out's rows have no order of their own, and go out only while it is open. '+': found by no
 * index of times, by which SQLite would read all that is queued for each machine. */
#define WAITING                                                                                    \
    "SELECT a.id, a.uuid, COALESCE(r.orders, a.orders) FROM actions a LEFT JOIN rollouts r ON "    \
    "a.orders = '' AND r.id = a.batch WHERE a.state = 'queued' AND +a.not_before <= ?1 AND "       \
    "+a.not_after >= ?1 AND (a.orders <> '' OR r.is_open = 1) AND "

static void finish(struct wa_store *s, enum wa_code code, const struct wa_err *err)
{
    if (code == WA_OK)
        return;
    s->owes_dispatch = true;
    log_failure(s, "dispatch.failed", err);
}

static void dispatch_one(struct wa_store *s, const char *sql, const char *which)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_stmt *q = NULL;
    enum wa_code code = wa_store_mend(s, &err);
    if (code == WA_OK)
        code = wa_db_prepare(s->db, sql, &q, &err);
    if (code == WA_OK) {
        wa_bind_s(q, 1, which);
        code = send_all(s, q, &err);
    }
    finish(s, code, &err);
}

/* A cancel goes before what it cancels, which is then refused. */
void wa_store_dispatch_host(struct wa_store *s, const char *uuid)
{
    dispatch_one(s, WAITING "a.uuid = ?2 ORDER BY a.kind <> 'cancel', a.created", uuid);
}

/* Machines that are here and have something of this batch waiting. */
struct waiting {
    WA_VEC(const struct wa_store_conn *);
};

/* Reads nothing but an index: most machines of a large batch may be off, and each part of it that
 * comes is followed by this. */
static enum wa_code find_waiting(struct wa_store *s, const char *batch, struct waiting *ret,
                                 struct wa_err *err)
{
    struct wa_stmt *q = NULL;
    bool row = false;
    if (wa_db_prepare(s->db,
                      "SELECT uuid FROM actions WHERE batch = ?1 AND state = 'queued' AND "
                      "not_after >= ?2",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, batch);
    wa_bind_i64(q, 1, wa_clock_now());
    while (wa_step(q, &row, err) == WA_OK && row) {
        char uuid[65];
        wa_col_text(q, 0, uuid, sizeof uuid);
        const struct wa_store_conn *c = wa_store_conn_of(s, uuid);
        if (c == NULL)
            continue;
        const struct wa_store_conn **slot = WA_VEC_PUSH(ret);
        if (slot == NULL) {
            wa_reset(q);
            return wa_nomem(err);
        }
        *slot = c;
    }
    return err->code;
}

static enum wa_code collect_batch(struct wa_store *s, const char *batch, struct batch *b,
                                  struct wa_err *err)
{
    struct waiting here = {.items = NULL};
    struct wa_stmt *q = NULL;
    if (find_waiting(s, batch, &here, err) == WA_OK &&
        wa_db_prepare(s->db, WAITING "a.batch = ?2 AND a.uuid = ?3 ORDER BY a.created", &q, err) ==
            WA_OK)
        for (size_t i = 0; i < here.n && err->code == WA_OK; i++) {
            if (b->n == AT_ONCE && s->has_more)
                break; /* the rest goes after it */
            wa_bind_s(q, 1, batch);
            wa_bind_s(q, 2, here.items[i]->uuid);
            (void)collect(s, q, b, err);
        }
    WA_VEC_FREE(&here);
    return err->code;
}

void wa_store_dispatch_batch(struct wa_store *s, const char *batch)
{
    struct wa_err err = WA_ERR_INIT;
    struct batch *b = wa_calloc(1, sizeof *b);
    enum wa_code code = b == NULL ? wa_nomem(&err) : wa_store_mend(s, &err);
    if (code == WA_OK)
        (void)collect_batch(s, batch, b, &err);
    if (b != NULL)
        code = send_batch(s, b, &err);
    finish(s, code, &err);
}

void wa_store_dispatch_due(struct wa_store *s)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_stmt *q = NULL;
    int64_t now = wa_clock_now();
    bool is_set_back = now < s->due_until; /* the clock: what is due is looked at anew */
    int64_t since = s->owes_dispatch || is_set_back ? -1 : s->due_until;
    enum wa_code code = wa_store_mend(s, &err);
    if (code == WA_OK)
        code = wa_db_prepare(s->db, WAITING "a.not_before > ?2 ORDER BY a.created", &q, &err);
    if (code == WA_OK) {
        s->owes_dispatch = s->has_more = false;
        s->due_until = now;
        wa_bind_i64(q, 1, since);
        code = send_all(s, q, &err);
    }
    finish(s, code, &err);
}
