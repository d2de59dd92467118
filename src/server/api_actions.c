/* api_actions.c - orders that the console has signed: taken, followed.
 *
 * The server passes on what its own rights allow and signers it knows have signed; the machines
 * judge for themselves again.
 */
#include "base/mem.h"
#include "base/utf8.h"
#include "codec/hex.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/action.h"
#include "server/api.h"
#include "server/api_page.h"
#include "server/orderers.h"
#include "server/store_batches.h"

#define ORDERS_MAX 10000u
#define PAGE_MAX 10000
#define ORDERS_SHOWN 8192u /* bytes of them in the journal */

#define MISSING_SHOWN 400u /* bytes */

/* A machine that the caller does not see is as missing as one that is not there. */
static void add_missing(struct wa_buf *missing, const char *uuid)
{
    if (missing->n > MISSING_SHOWN)
        return;
    wa_buf_addf(missing, "%s'%s'", missing->n > 0 ? ", " : "", uuid);
    if (missing->n > MISSING_SHOWN)
        wa_buf_adds(missing, "...");
}

/* A cancel takes the right to order what it cancels, which is dropped at once where it was not sent
 * yet. The machine gets the cancel in any case: what the server says of an order proves nothing. */
static enum wa_code drop_cancelled(const struct wa_api_call *c, const struct wa_action *a,
                                   struct wa_err *err)
{
    struct wa_db *db = c->store->db;
    for (size_t i = 0; i < wa_json_count(a->cancels); i++) {
        struct wa_sv id = wa_json_sv(wa_json_at(a->cancels, i));
        struct wa_store_action of = {"", ""};
        enum wa_action_kind kind = WA_ACT_INSTALL; /* of one that is not known here */
        bool found = false;
        if (wa_store_action(db, id, a->uuid, &of, &found, err) != WA_OK)
            return err->code;
        if (found)
            (void)wa_action_kind_find(wa_sv(of.kind), &kind);
        if (wa_api_need(c, wa_right_to_order(kind), wa_action_kind_name(a->kind), err) != WA_OK ||
            wa_store_drop_action(db, id, a->uuid, &found, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* Orders that come together. */
struct taking {
    const struct wa_api_call *call;
    struct wa_arena arena;
    struct wa_orderers orderers;
    struct wa_order_shared shared;
    struct wa_orderer who; /* signed what was read last, */
    size_t who_of;         /* if it is of this chain of shared's */
    struct wa_batch batch;
    bool is_more; /* of a batch that is there */
    struct wa_jw w;
    struct wa_buf lines, missing;
};

static void taking_init(struct taking *t, const struct wa_api_call *c)
{
    *t = (struct taking){.call = c, .batch = {.created = wa_clock_now()}};
    (void)snprintf(t->batch.user, sizeof t->batch.user, "%s", c->who.user);
    wa_arena_init(&t->arena, 512u << 20);
    wa_buf_init(&t->lines, ORDERS_MAX * 128u);
    wa_buf_init(&t->missing, 4096);
}

static void taking_fini(struct taking *t)
{
    wa_order_shared_fini(&t->shared);
    wa_orderers_fini(&t->orderers);
    wa_buf_fini(&t->lines);
    wa_buf_fini(&t->missing);
    wa_arena_fini(&t->arena);
}

/* The order is whole, and its signer one of those whose orders are passed on. uuid: the machine;
 * NULL where its groups are not the caller's to learn. */
static enum wa_code judge_order(struct taking *t, const struct wa_order *o, const char *uuid,
                                struct wa_err *err)
{
    const struct wa_api_call *c = t->call;
    if (wa_api_need(c, wa_right_to_order(o->action.kind), wa_action_kind_name(o->action.kind),
                    err) != WA_OK ||
        wa_order_check_shared(o, &t->shared, err) != WA_OK)
        return err->code;
    if (t->who_of != t->shared.chains &&
        wa_orderers_find(&t->orderers, &o->chain, &t->who, err) != WA_OK)
        return err->code;
    t->who_of = t->shared.chains;
    return wa_orderer_check(&t->who, c->store->db, o->action.kind, uuid, err);
}

static enum wa_code keep_order(struct taking *t, const struct wa_json *j, const struct wa_order *o,
                               struct wa_err *err)
{
    const struct wa_action *a = &o->action;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 512u << 10);
    wa_json_write(j, &text);
    if (wa_buf_check(&text, err) != WA_OK ||
        wa_store_add_action(t->call->store->db, a->id, t->batch.id, a->uuid,
                            wa_action_kind_name(a->kind), wa_buf_sv(&text), a->not_before,
                            a->not_after, o->signer, wa_clock_now(), err) != WA_OK ||
        drop_cancelled(t->call, a, err) != WA_OK)
        return err->code;
    wa_buf_addf(&t->lines, "%s %s %s\n", a->id, wa_action_kind_name(a->kind), a->uuid);
    wa_jw_obj(&t->w);
    wa_jw_kv(&t->w, "id", a->id);
    wa_jw_kv(&t->w, "uuid", a->uuid);
    wa_jw_kv(&t->w, "state", "queued");
    wa_jw_end(&t->w);
    return WA_OK;
}

/* What a batch is told to be: of its first order. */
static void describe(struct wa_batch *b, const struct wa_order *o)
{
    const struct wa_json *packages = o->action.packages;
    size_t n = 0;
    if (b->kind[0] != '\0')
        return;
    (void)snprintf(b->kind, sizeof b->kind, "%s", wa_action_kind_name(o->action.kind));
    (void)snprintf(b->signer, sizeof b->signer, "%s", o->signer);
    for (size_t i = 0; i < wa_json_count(packages) && n < sizeof b->what; i++) {
        struct wa_sv one = wa_json_sv(wa_json_at(packages, i));
        int more =
            snprintf(b->what + n, sizeof b->what - n, "%s%.*s", i > 0 ? " " : "", WA_SV_ARG(one));
        n += more > 0 ? (size_t)more : 0;
    }
    if (o->action.text.n > 0)
        (void)snprintf(b->what, sizeof b->what, "%.*s", WA_SV_ARG(o->action.text));
    b->what[wa_utf8_cut(b->what, strlen(b->what))] = '\0';
}

/* The machines judge for themselves again. */
static enum wa_code take_order(struct taking *t, const struct wa_json *j, struct wa_err *err)
{
    struct wa_store *s = t->call->store;
    struct wa_order o;
    bool known = false;
    if (wa_order_read_shared(j, &t->arena, &t->shared, &o, err) != WA_OK)
        return err->code;
    bool is_seen = wa_fleet_sees(s->fleet, wa_api_view(t->call), wa_sv(o.action.uuid));
    enum wa_code code = judge_order(t, &o, is_seen ? o.action.uuid : NULL, err);
    describe(&t->batch, &o);
    if (code == WA_OK)
        code = wa_store_has_host(s->db, wa_sv(o.action.uuid), &known, err);
    if (code == WA_OK && (!known || !is_seen))
        add_missing(&t->missing, o.action.uuid);
    else if (code == WA_OK)
        code = keep_order(t, j, &o, err);
    wa_order_fini(&o);
    return code;
}

static void log_orders(const struct wa_api_call *c, const char *batch, size_t count,
                       const struct wa_err *err)
{
    wa_log(&c->store->child.log, err->code == WA_OK ? WA_LOG_INFO : WA_LOG_WARNING,
           err->code == WA_OK ? "orders.taken" : "orders.refused", WA_LF_S("user", c->who.user),
           WA_LF_S("peer", c->request->peer), WA_LF_S("batch", batch), WA_LF_I("count", count),
           WA_LF_S("why", err->text));
}

/* lines: identifier, kind and machine of each; the journal keeps them where they are few, and their
 * digest in any case. */
static enum wa_code note_orders(const struct wa_api_call *c, const char *batch, size_t count,
                                const struct wa_buf *lines, struct wa_err *err)
{
    char number[24], digest[WA_SHA256_HEX];
    if (wa_buf_check(lines, err) != WA_OK ||
        wa_sha256_hex(lines->p, lines->n, digest, err) != WA_OK)
        return err->code;
    (void)snprintf(number, sizeof number, "%zu", count);
    const struct wa_journal_act act = {
        .act = "orders.taken",
        .user = wa_sv(c->who.user),
        .peer = c->request->peer,
        .what = {{"batch", wa_sv(batch)},
                 {"count", wa_sv(number)},
                 {"sha256", wa_sv(digest)},
                 {"orders", lines->n <= ORDERS_SHOWN ? wa_buf_sv(lines) : WA_SV("")}}};
    return wa_store_note(c->store, &act, err);
}

static enum wa_code take_orders(struct taking *t, const struct wa_json *orders, struct wa_err *err)
{
    const struct wa_api_call *c = t->call;
    wa_jw_init(&t->w, c->out);
    wa_jw_obj(&t->w);
    wa_jw_kv(&t->w, "batch", t->batch.id);
    wa_jw_key(&t->w, "actions");
    wa_jw_arr(&t->w);
    for (size_t i = 0; i < wa_json_count(orders); i++)
        if (take_order(t, wa_json_at(orders, i), err) != WA_OK)
            return err->code;
    wa_jw_end(&t->w);
    wa_jw_end(&t->w);
    if (t->missing.n > 0)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no host %s", wa_buf_str(&t->missing));
    t->batch.count = (int64_t)wa_json_count(orders);
    if (wa_buf_check(c->out, err) != WA_OK ||
        (t->is_more ? wa_batches_extend(c->store->db, &t->batch, err)
                    : wa_batches_add(c->store->db, &t->batch, err)) != WA_OK ||
        note_orders(c, t->batch.id, wa_json_count(orders), &t->lines, err) != WA_OK)
        return err->code;
    return wa_node_tell(c->store, WA_NODE_ORDERS, wa_sv(t->batch.id), err);
}

/* of: the batch whose orders these are as well; "": a new one. */
static enum wa_code name_batch(struct taking *t, struct wa_sv of, struct wa_err *err)
{
    t->is_more = of.n > 0;
    if (!t->is_more)
        return wa_rand_hex(t->batch.id, 16, err);
    if (!wa_hex_is(of, 32))
        return wa_fail(err, WA_E_USAGE, "'batch' takes the 32 digits of one");
    memcpy(t->batch.id, of.p, 32);
    return WA_OK;
}

/* All of them, or none. */
static enum wa_code call_order(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store *s = c->store;
    struct taking t;
    const struct wa_json *j = NULL, *orders = NULL;
    struct wa_sv of = WA_SV("");
    const struct wa_json_field fields[] = {{"orders", WA_WANT_ARRAY, true, ORDERS_MAX, &orders},
                                           {"batch", WA_WANT_SV, false, 32, &of}};
    taking_init(&t, c);
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &t.arena, &j, err) == WA_OK &&
        wa_json_read(j, fields, WA_COUNT(fields), "orders", err) == WA_OK &&
        wa_orderers_load(s, &t.orderers, err) == WA_OK && name_batch(&t, of, err) == WA_OK &&
        wa_db_begin(s->db, err) == WA_OK) {
        enum wa_code code = take_orders(&t, orders, err);
        if (code == WA_OK)
            code = wa_db_commit(s->db, err);
        log_orders(c, t.batch.id, wa_json_count(orders), err);
        if (code != WA_OK)
            wa_db_rollback(s->db);
    }
    taking_fini(&t);
    if (err->code != WA_OK)
        return err->code;
    wa_store_event(s, WA_EVENT_ACTION, "ordered", WA_SV(""), wa_sv(t.batch.id), WA_SV("queued"));
    wa_store_dispatch_batch(s, t.batch.id);
    return WA_OK;
}

/* What is to be listed, by the caller's query. */
enum meant { BATCH, ACTION, HOST };
struct question {
    enum meant meant;
    char which[WA_UUID_MAX + 1], state[16];
    struct wa_api_page page;
    int64_t total;
};

static enum wa_code read_question(const struct wa_api_call *c, struct question *q,
                                  struct wa_err *err)
{
    static const char *const names[] = {[BATCH] = "batch", [ACTION] = "id", [HOST] = "host"};
    size_t said = 0;
    *q = (struct question){.meant = BATCH};
    if (wa_api_text(c, "state", q->state, sizeof q->state, err) != WA_OK ||
        wa_api_page_read(c, PAGE_MAX, PAGE_MAX, &q->page, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        char text[WA_UUID_MAX + 1];
        if (wa_api_text(c, names[i], text, sizeof text, err) != WA_OK)
            return err->code;
        if (text[0] == '\0')
            continue;
        said++;
        q->meant = (enum meant)i;
        memcpy(q->which, text, sizeof text);
    }
    if (said != 1)
        return wa_fail(err, WA_E_USAGE, "which batch, which action, or which host's?");
    return q->meant == HOST ? wa_api_need_host(c, q->which, err) : WA_OK;
}

/* The actions meant, with the state that people see. */
#define MEANT(which)                                                                               \
    "(SELECT SUBSTR(a.id, 1, 32) AS id, a.uuid, h.name, CASE WHEN a.state IN ('waiting', "         \
    "'queued', 'sent', 'postponed') AND a.not_after < ?2 THEN 'expired' ELSE a.state END AS "      \
    "shown, a.code, "                                                                              \
    "a.message, a.packages, a.kind, a.not_after, a.updated, a.ring, a.created, a.batch FROM "      \
    "actions a LEFT JOIN hosts h ON h.uuid = a.uuid WHERE a." which " = ?1) AS meant"

static enum wa_code prepare(const struct wa_api_call *c, const char *sql, const struct question *q,
                            struct wa_stmt **ret, struct wa_err *err)
{
    if (wa_db_prepare(c->store->db, sql, ret, err) != WA_OK)
        return err->code;
    wa_bind_s(*ret, 0, q->which);
    wa_bind_i64(*ret, 1, wa_clock_now());
    return WA_OK;
}

static bool sees(const struct wa_api_call *c, struct wa_sv uuid)
{
    return !c->who.is_limited || wa_fleet_sees(c->store->fleet, &c->who.view, uuid);
}

#define SEEN(which) "SELECT shown, 1, uuid FROM " MEANT(which) " ORDER BY shown"
#define COUNTED(which)                                                                             \
    "SELECT shown, COUNT(*), '' FROM " MEANT(which) " GROUP BY shown ORDER BY shown"

/* How many are in which state, of all that are meant and seen. Rows come sorted by state. */
static enum wa_code write_counts(const struct wa_api_call *c, struct question *q, struct wa_jw *w,
                                 struct wa_err *err)
{
    static const char *const sql[][2] = {[BATCH] = {COUNTED("batch"), SEEN("batch")},
                                         [ACTION] = {COUNTED("id"), SEEN("id")},
                                         [HOST] = {COUNTED("uuid"), SEEN("uuid")}};
    struct wa_stmt *s;
    bool row = false;
    char state[16] = "";
    int64_t n = 0;
    if (prepare(c, sql[q->meant][c->who.is_limited ? 1 : 0], q, &s, err) != WA_OK)
        return err->code;
    wa_jw_key(w, "counts");
    wa_jw_obj(w);
    enum wa_code code = wa_step(s, &row, err);
    for (; code == WA_OK && row; code = wa_step(s, &row, err)) {
        if (!sees(c, wa_col_sv(s, 2)))
            continue;
        if (n > 0 && !wa_sv_eqs(wa_col_sv(s, 0), state)) {
            wa_jw_kvi(w, state, n);
            n = 0;
        }
        wa_col_text(s, 0, state, sizeof state);
        n += wa_col_i64(s, 1);
        if (q->state[0] == '\0' || strcmp(q->state, state) == 0)
            q->total += wa_col_i64(s, 1);
    }
    if (n > 0)
        wa_jw_kvi(w, state, n);
    wa_jw_end(w);
    return code;
}

static void write_action(struct wa_jw *w, struct wa_stmt *s)
{
    static const char *const keys[] = {"id", "uuid", "name", "state", "code", "message", "kind"};
    static const int last = (int)WA_COUNT(keys); /* and behind it: numbers */
    wa_jw_obj(w);
    for (int i = 0; i < last; i++)
        wa_jw_kvsv(w, keys[i], wa_col_sv(s, i));
    wa_jw_kvi(w, "not_after", wa_col_i64(s, last));
    wa_jw_kvi(w, "updated", wa_col_i64(s, last + 1));
    wa_jw_kvi(w, "ring", wa_col_i64(s, last + 3));
    wa_jw_kvi(w, "created", wa_col_i64(s, last + 4));
    wa_jw_kvsv(w, "batch", wa_col_sv(s, last + 5));
    wa_jw_key(w, "packages");
    wa_jw_raw(w, wa_col_sv(s, last + 2).n > 0 ? wa_col_sv(s, last + 2) : WA_SV("[]"));
    wa_jw_end(w);
}

/* Of a machine the newest first. */
#define ROWS(which)                                                                                \
    "SELECT id, uuid, name, shown, code, message, kind, not_after, updated, packages, ring, "      \
    "created, batch FROM " MEANT(which) " WHERE (?3 = '' OR shown = ?3) AND (?4 = 0 OR "
#define BY_MACHINE "uuid > ?5 OR (uuid = ?5 AND id > ?6)) ORDER BY uuid, id LIMIT ?7"
#define BY_TIME                                                                                    \
    "created < ?5 OR (created = ?5 AND id < ?6)) ORDER BY created DESC, id DESC LIMIT ?7"

static void write_next(const struct question *q, struct wa_stmt *s, char value[WA_PAGE_TEXT],
                       char id[33])
{
    if (q->meant == HOST)
        (void)snprintf(value, WA_PAGE_TEXT, "%lld", (long long)wa_col_i64(s, 11));
    else
        wa_col_text(s, 1, value, WA_PAGE_TEXT);
    wa_col_text(s, 0, id, 33);
}

static enum wa_code ask_rows(const struct wa_api_call *c, const struct question *q,
                             struct wa_stmt **ret, struct wa_err *err)
{
    static const char *const sql[] = {[BATCH] = ROWS("batch") BY_MACHINE,
                                      [ACTION] = ROWS("id") BY_MACHINE,
                                      [HOST] = ROWS("uuid") BY_TIME};
    int64_t created = 0;
    if (q->page.has_after && q->meant == HOST && !wa_sv_i64(wa_sv(q->page.value), &created))
        return wa_fail(err, WA_E_USAGE, "'after' is not the 'next' of a page of this list");
    if (prepare(c, sql[q->meant], q, ret, err) != WA_OK)
        return err->code;
    wa_bind_s(*ret, 2, q->state);
    wa_bind_i64(*ret, 3, q->page.has_after ? 1 : 0);
    if (q->meant == HOST)
        wa_bind_i64(*ret, 4, created);
    else
        wa_bind_s(*ret, 4, q->page.value);
    wa_bind_s(*ret, 5, q->page.id);
    wa_bind_i64(*ret, 6, c->who.is_limited ? INT64_MAX : q->page.limit + 1);
    return WA_OK;
}

/* A page. What somebody does not see is passed over here, not left out by the database. */
static enum wa_code write_actions(const struct wa_api_call *c, const struct question *q,
                                  struct wa_jw *w, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false, has_more = false;
    int64_t left = q->page.limit;
    char value[WA_PAGE_TEXT] = "", id[33] = "";
    if (ask_rows(c, q, &s, err) != WA_OK)
        return err->code;
    wa_jw_key(w, "actions");
    wa_jw_arr(w);
    enum wa_code code = wa_step(s, &row, err);
    for (; code == WA_OK && row && !has_more; code = has_more ? code : wa_step(s, &row, err)) {
        if (!sees(c, wa_col_sv(s, 1)))
            continue;
        has_more = left-- == 0;
        if (has_more)
            continue;
        write_action(w, s);
        write_next(q, s, value, id);
    }
    if (row)
        wa_reset(s);
    wa_jw_end(w);
    if (has_more && id[0] != '\0')
        wa_api_page_next(w, &q->page, value, id);
    return code;
}

static enum wa_code call_actions(struct wa_api_call *c, struct wa_err *err)
{
    struct question q;
    struct wa_jw w;
    if (read_question(c, &q, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    if (write_counts(c, &q, &w, err) != WA_OK)
        return err->code;
    wa_jw_kvi(&w, "total", q.total);
    if (write_actions(c, &q, &w, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    return wa_buf_check(c->out, err);
}

/* --- the calls --- */

static const struct wa_api_param action_params[] = {
    {"batch", "Identifier of what was ordered together", false},
    {"id", "Identifier of one", false},
    {"host", "Instead: a machine's, the newest first", false},
    {"state", "Only those in this state", false},
    WA_API_PAGE_PARAMS,
    {NULL, NULL, false}};

static const struct wa_api_route routes[] = {
    {"POST", "/api/v1/actions", WA_MAY_ORDER_CARE, false, call_order,
     "Relay signed orders to machines", NULL, "Orders", "Batch"},
    {"GET", "/api/v1/actions", WA_MAY_VIEW, false, call_actions, "What became of orders",
     action_params, NULL, "Batch"},
};
const struct wa_api_resource wa_api_actions_calls = {routes, WA_COUNT(routes)};
