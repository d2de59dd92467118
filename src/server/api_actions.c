/* api_actions.c - orders that the console has signed: taken, followed.
 *
 * The server passes on what its own rights allow and signers it knows have signed; the machines
 * judge for themselves again.
 */
#include "base/mem.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/action.h"
#include "server/api.h"
#include "server/orderers.h"

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

/* The order is whole, and its signer one of those whose orders are passed on. The machines judge
 * for themselves again. */
static enum wa_code take_order(const struct wa_api_call *c, const struct wa_json *j,
                               const struct wa_orderers *orderers, const char *batch,
                               struct wa_arena *arena, struct wa_jw *w, struct wa_buf *lines,
                               struct wa_buf *missing, struct wa_err *err)
{
    struct wa_store *s = c->store;
    struct wa_order o;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf pem;
    int64_t seq = 0;
    bool known = false;
    wa_buf_init(&text, 512u << 10);
    wa_buf_init(&pem, 64u << 10);
    if (wa_order_read(j, arena, &o, err) != WA_OK)
        return err->code;
    enum wa_code code =
        wa_api_need(c, wa_right_to_order(o.action.kind), wa_action_kind_name(o.action.kind), err);
    if (code == WA_OK)
        code = wa_order_check_signature(&o, err);
    if (code == WA_OK)
        code = wa_orderers_check(orderers, s->db, &o.chain, o.action.kind, o.action.uuid, err);
    if (code == WA_OK)
        code = wa_store_host(s->db, wa_sv(o.action.uuid), &pem, &seq, &known, err);
    if (code == WA_OK &&
        (!known || !wa_fleet_sees(s->fleet, wa_api_view(c), wa_sv(o.action.uuid)))) {
        add_missing(missing, o.action.uuid);
        wa_order_fini(&o);
        return WA_OK;
    }
    wa_json_write(j, &text);
    if (code == WA_OK)
        code = wa_buf_check(&text, err);
    if (code == WA_OK)
        code = wa_store_add_action(s->db, o.action.id, batch, o.action.uuid,
                                   wa_action_kind_name(o.action.kind), wa_buf_sv(&text),
                                   o.action.not_before, o.action.not_after, o.signer,
                                   wa_clock_now(), err);
    if (code == WA_OK)
        code = drop_cancelled(c, &o.action, err);
    if (code == WA_OK) {
        wa_buf_addf(lines, "%s %s %s\n", o.action.id, wa_action_kind_name(o.action.kind),
                    o.action.uuid);
        wa_jw_obj(w);
        wa_jw_kv(w, "id", o.action.id);
        wa_jw_kv(w, "uuid", o.action.uuid);
        wa_jw_kv(w, "state", "queued");
        wa_jw_end(w);
    }
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

static enum wa_code call_order(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store *s = c->store;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_ORDERERS struct wa_orderers orderers = {.root = NULL};
    const struct wa_json *j = NULL, *orders = NULL;
    char batch[33];
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf lines;
    WA_AUTO_BUF struct wa_buf missing;
    const struct wa_json_field fields[] = {{"orders", WA_WANT_ARRAY, true, ORDERS_MAX, &orders}};
    wa_buf_init(&lines, ORDERS_MAX * 128u);
    wa_buf_init(&missing, 4096);
    wa_arena_init(&arena, 512u << 20);
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, 1, "orders", err) != WA_OK ||
        wa_orderers_load(s, &orderers, err) != WA_OK || wa_rand_hex(batch, 16, err) != WA_OK ||
        wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "batch", batch);
    wa_jw_key(&w, "actions");
    wa_jw_arr(&w);
    enum wa_code code = WA_OK;
    for (size_t i = 0; code == WA_OK && i < wa_json_count(orders); i++)
        code = take_order(c, wa_json_at(orders, i), &orderers, batch, &arena, &w, &lines, &missing,
                          err);
    if (code == WA_OK && missing.n > 0)
        code = wa_fail(err, WA_E_NOT_FOUND, "there is no host %s", wa_buf_str(&missing));
    wa_jw_end(&w);
    wa_jw_end(&w);
    if (code == WA_OK)
        code = wa_buf_check(c->out, err);
    if (code == WA_OK)
        code = note_orders(c, batch, wa_json_count(orders), &lines, err);
    if (code == WA_OK)
        code = wa_node_tell(s, WA_NODE_ORDERS, wa_sv(batch), err);
    if (code == WA_OK)
        code = wa_db_commit(s->db, err);
    log_orders(c, batch, wa_json_count(orders), err);
    if (code != WA_OK) {
        wa_db_rollback(s->db);
        return code;
    }
    wa_store_event(s, WA_EVENT_ACTION, "ordered", WA_SV(""), wa_sv(batch), WA_SV("queued"));
    wa_store_dispatch_batch(s, batch);
    return WA_OK;
}

/* What is to be listed, by the caller's query. */
struct question {
    char which[33], state[16];
    bool is_batch; /* which is one; else an action */
    int64_t offset, limit;
};

static enum wa_code read_question(const struct wa_api_call *c, struct question *q,
                                  struct wa_err *err)
{
    char id[33];
    *q = (struct question){.limit = PAGE_MAX};
    if (wa_api_text(c, "batch", q->which, sizeof q->which, err) != WA_OK ||
        wa_api_text(c, "id", id, sizeof id, err) != WA_OK ||
        wa_api_text(c, "state", q->state, sizeof q->state, err) != WA_OK ||
        wa_api_number(c, "offset", 0, INT32_MAX, &q->offset, err) != WA_OK ||
        wa_api_number(c, "limit", 0, PAGE_MAX, &q->limit, err) != WA_OK)
        return err->code;
    if ((q->which[0] != '\0') == (id[0] != '\0'))
        return wa_fail(err, WA_E_USAGE, "which batch, or which action?");
    q->is_batch = q->which[0] != '\0';
    if (!q->is_batch)
        memcpy(q->which, id, sizeof id);
    return WA_OK;
}

/* The actions meant, with the state that people see. */
#define MEANT(which)                                                                               \
    "(SELECT SUBSTR(a.id, 1, 32) AS id, a.uuid, h.name, CASE WHEN a.state IN ('waiting', "         \
    "'queued', 'sent') AND a.not_after < ?2 THEN 'expired' ELSE a.state END AS shown, a.code, "    \
    "a.message, a.packages, a.kind, a.not_after, a.updated, a.ring FROM actions a LEFT JOIN "      \
    "hosts h ON h.uuid = a.uuid WHERE a." which " = ?1) AS meant"

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
static enum wa_code write_counts(const struct wa_api_call *c, const struct question *q,
                                 struct wa_jw *w, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    char state[16] = "";
    int64_t n = 0;
    if (prepare(c,
                c->who.is_limited ? (q->is_batch ? SEEN("batch") : SEEN("id"))
                                  : (q->is_batch ? COUNTED("batch") : COUNTED("id")),
                q, &s, err) != WA_OK)
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
        (void)snprintf(state, sizeof state, "%.*s", WA_SV_ARG(wa_col_sv(s, 0)));
        n += wa_col_i64(s, 1);
    }
    if (n > 0)
        wa_jw_kvi(w, state, n);
    wa_jw_end(w);
    return code;
}

static void write_action(struct wa_jw *w, struct wa_stmt *s)
{
    static const char *const keys[] = {"id", "uuid", "name", "state", "code", "message", "kind"};
    wa_jw_obj(w);
    for (int i = 0; i < (int)WA_COUNT(keys); i++)
        wa_jw_kvsv(w, keys[i], wa_col_sv(s, i));
    wa_jw_kvi(w, "not_after", wa_col_i64(s, 7));
    wa_jw_kvi(w, "updated", wa_col_i64(s, 8));
    wa_jw_kvi(w, "ring", wa_col_i64(s, 10));
    wa_jw_key(w, "packages");
    wa_jw_raw(w, wa_col_sv(s, 9).n > 0 ? wa_col_sv(s, 9) : WA_SV("[]"));
    wa_jw_end(w);
}

#define PAGE(which)                                                                                \
    "SELECT id, uuid, name, shown, code, message, kind, not_after, updated, packages, ring "       \
    "FROM " MEANT(which) " WHERE (?3 = '' OR shown = ?3) ORDER BY uuid, id LIMIT ?4 OFFSET ?5"

/* A page. What somebody does not see is passed over here, not counted by the database. */
static enum wa_code write_actions(const struct wa_api_call *c, const struct question *q,
                                  struct wa_jw *w, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false, is_cut = c->who.is_limited;
    int64_t skip = is_cut ? q->offset : 0, left = q->limit;
    if (prepare(c, q->is_batch ? PAGE("batch") : PAGE("id"), q, &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 2, q->state);
    wa_bind_i64(s, 3, is_cut ? INT64_MAX : q->limit);
    wa_bind_i64(s, 4, is_cut ? 0 : q->offset);
    wa_jw_key(w, "actions");
    wa_jw_arr(w);
    enum wa_code code = wa_step(s, &row, err);
    for (; code == WA_OK && row && left > 0; code = wa_step(s, &row, err)) {
        if (!sees(c, wa_col_sv(s, 1)) || skip-- > 0)
            continue;
        write_action(w, s);
        left--;
    }
    if (row)
        wa_reset(s);
    wa_jw_end(w);
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
    if (write_counts(c, &q, &w, err) != WA_OK || write_actions(c, &q, &w, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    return wa_buf_check(c->out, err);
}

/* --- the calls --- */

static const struct wa_api_param action_params[] = {
    {"batch", "Identifier of what was ordered together", false},
    {"id", "Identifier of one", false},
    {"state", "Only those in this state", false},
    {"offset", "So many are left out first", true},
    {"limit", "At most so many, 10,000 if not said; 0: the counts alone", true},
    {NULL, NULL, false}};

static const struct wa_api_route routes[] = {
    {"POST", "/api/v1/actions", WA_MAY_ORDER_CARE, false, call_order,
     "Relay signed orders to machines", NULL, "Orders", "Batch"},
    {"GET", "/api/v1/actions", WA_MAY_VIEW, false, call_actions, "What became of orders",
     action_params, NULL, "Batch"},
};
const struct wa_api_resource wa_api_actions_calls = {routes, WA_COUNT(routes)};
