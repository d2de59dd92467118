/* api_rollouts.c - roll-outs: taken with the administrator's statement, shown, promoted, paused,
 * resumed, stopped.
 *
 * The server passes on what its own rights and the caller's perimeter allow; what a machine runs it
 * judges itself by the statement. Stopping holds here at once; what is on machines already takes a
 * signed cancel (api_actions.c).
 */
#include "base/mem.h"
#include "codec/hex.h"
#include "os/clock.h"
#include "proto/rollout.h"
#include "server/api_page.h"
#include "server/orderers.h"
#include "server/perimeter.h"
#include "server/store_rollouts.h"

#define LIST_MAX 10000u /* the newest ones: those before are in the journal */

static enum wa_code check_groups(struct wa_sv perimeter, const struct wa_rollout *r,
                                 struct wa_err *err)
{
    WA_AUTO_PERIMETER struct wa_perimeter p;
    wa_perimeter_init(&p);
    if (wa_perimeter_read(&p, perimeter, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_json_count(r->members_of); i++) {
        struct wa_sv name = wa_json_sv(wa_json_at(r->members_of, i));
        if (!wa_perimeter_names(&p, name))
            return wa_fail(err, WA_E_DENIED, "'%.*s' is outside your perimeter", WA_SV_ARG(name));
    }
    return WA_OK;
}

/* Somebody with a perimeter orders within it: machines that are seen, groups that it names; with a
 * token's beside the person's, within both. */
static enum wa_code check_perimeter(const struct wa_api_call *c, const struct wa_rollout *r,
                                    struct wa_err *err)
{
    struct wa_sv rest = wa_buf_sv(&c->who.perimeter), one;
    if (!c->who.is_limited)
        return WA_OK;
    for (size_t i = 0; i < wa_json_count(r->machines); i++) {
        struct wa_sv uuid = wa_json_sv(wa_json_at(r->machines, i));
        if (!wa_fleet_sees(c->store->fleet, &c->who.view, uuid))
            return wa_fail(err, WA_E_NOT_FOUND, "there is no host '%.*s'", WA_SV_ARG(uuid));
    }
    while (wa_sv_split(&rest, '\n', &one))
        if (check_groups(one, r, err) != WA_OK)
            return err->code;
    return WA_OK;
}

static enum wa_code check_order(const struct wa_api_call *c, const struct wa_order *o,
                                struct wa_err *err)
{
    WA_AUTO_ORDERERS struct wa_orderers orderers = {.root = NULL};
    struct wa_orderer who;
    struct wa_db *db = c->store->db;
    if (!o->is_rollout)
        return wa_fail(err, WA_E_INVALID, "the statement is no roll-out's");
    if (wa_api_need(c, wa_right_to_order(o->action.kind), wa_action_kind_name(o->action.kind),
                    err) != WA_OK ||
        wa_order_check_signature(o, err) != WA_OK ||
        wa_orderers_load(c->store, &orderers, err) != WA_OK ||
        wa_orderers_find(&orderers, &o->chain, &who, err) != WA_OK ||
        wa_orderer_check(&who, db, o->action.kind, NULL, err) != WA_OK ||
        check_perimeter(c, &o->rollout, err) != WA_OK) /* before a word of a machine's groups */
        return err->code;
    if (o->rollout.supersedes[0] != '\0' &&
        wa_orderer_check(&who, db, WA_ACT_CANCEL, NULL, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_json_count(o->rollout.machines); i++) {
        char uuid[WA_UUID_MAX + 1];
        (void)snprintf(uuid, sizeof uuid, "%.*s",
                       WA_SV_ARG(wa_json_sv(wa_json_at(o->rollout.machines, i))));
        if (wa_orderer_check(&who, db, o->action.kind, uuid, err) != WA_OK)
            return wa_wrap(err, "machine '%s'", uuid);
    }
    if (o->action.not_after <= wa_clock_now())
        return wa_fail(err, WA_E_USAGE, "the statement has expired");
    return WA_OK;
}

static enum wa_code note(const struct wa_api_call *c, const char *act,
                         const struct wa_rollout_row *r, struct wa_err *err)
{
    char ring[24];
    (void)snprintf(ring, sizeof ring, "%lld", (long long)r->ring);
    const struct wa_journal_act a = {.act = act,
                                     .user = wa_sv(c->who.user),
                                     .peer = c->request->peer,
                                     .what = {{"id", wa_sv(r->id)},
                                              {"name", wa_sv(r->name)},
                                              {"action", wa_sv(r->kind)},
                                              {"ring", wa_sv(ring)},
                                              {"signer", wa_sv(r->signer)}}};
    return wa_store_note(c->store, &a, err);
}

/* --- what may be touched --- */

/* The roll-out, if the caller may do this to it. One outside the perimeter is not there. A list
 * comes here for each: certificates were read when the statement came, and are not read again. */
static enum wa_code find(const struct wa_api_call *c, bool to_change, struct wa_arena *arena,
                         struct wa_rollout_row *row, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    struct wa_rollout stated;
    struct wa_err why = WA_ERR_INIT;
    *row = (struct wa_rollout_row){.ring = 0};
    if (!wa_hex_is(wa_sv(c->args[0]), 32))
        return wa_fail(err, WA_E_NOT_FOUND, "there is no roll-out '%s'", c->args[0]);
    if (wa_rollouts_get(c->store->db, c->args[0], row, err) != WA_OK ||
        (!to_change && !c->who.is_limited) || /* sees all of them: nothing is to be read */
        wa_json_parse(wa_sv(row->order), 0, arena, &j, err) != WA_OK ||
        wa_rollout_open(j, arena, &stated, err) != WA_OK)
        return err->code;
    if (check_perimeter(c, &stated, &why) != WA_OK)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no roll-out '%s'", c->args[0]);
    return to_change ? wa_api_need(c, wa_right_to_order(stated.kind), row->kind, err) : WA_OK;
}

/* --- shown --- */

static void write_members(struct wa_jw *w, const struct wa_rollout_row *r)
{
    wa_jw_kv(w, "id", r->id);
    wa_jw_kv(w, "name", r->name);
    wa_jw_kv(w, "action", r->kind);
    wa_jw_kv(w, "state", r->state);
    wa_jw_kv(w, "reason", r->reason);
    wa_jw_kv(w, "owner", r->owner);
    wa_jw_kv(w, "signer", r->signer);
    wa_jw_kvi(w, "ring", r->ring);
    wa_jw_kvb(w, "open", r->is_open);
    wa_jw_kvi(w, "not_before", r->not_before);
    wa_jw_kvi(w, "not_after", r->not_after);
    wa_jw_kvi(w, "created", r->created);
    wa_jw_kvi(w, "updated", r->updated);
}

struct counting {
    struct wa_jw *w;
    int64_t ring; /* of the object that is open; -1: none is */
};

static void write_count(void *user, int64_t ring, struct wa_sv state, int64_t n)
{
    struct counting *k = user;
    if (k->ring != ring) {
        if (k->ring >= 0) {
            wa_jw_end(k->w);
            wa_jw_end(k->w);
        }
        wa_jw_obj(k->w);
        wa_jw_kvi(k->w, "ring", ring);
        wa_jw_key(k->w, "states");
        wa_jw_obj(k->w);
        k->ring = ring;
    }
    wa_jw_keysv(k->w, state);
    wa_jw_i64(k->w, n);
}

static enum wa_code write_counts(const struct wa_api_call *c, const struct wa_rollout_row *r,
                                 struct wa_jw *w, struct wa_err *err)
{
    struct counting k = {w, -1};
    wa_jw_key(w, "counts");
    wa_jw_arr(w);
    if (wa_rollouts_count(c->store->db, r->id, write_count, &k, err) != WA_OK)
        return err->code;
    if (k.ring >= 0) {
        wa_jw_end(w);
        wa_jw_end(w);
    }
    wa_jw_end(w);
    return WA_OK;
}

static enum wa_code show(const struct wa_api_call *c, const struct wa_rollout_row *r,
                         struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    write_members(&w, r);
    wa_jw_key(&w, "plan");
    wa_jw_raw(&w, wa_sv(r->plan));
    wa_jw_key(&w, "order");
    wa_jw_raw(&w, wa_sv(r->order));
    if (write_counts(c, r, &w, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    return wa_buf_check(c->out, err);
}

static enum wa_code call_show(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_ROLLOUT_ROW struct wa_rollout_row r = {.ring = 0};
    wa_arena_init(&arena, 16u << 20);
    return find(c, false, &arena, &r, err) == WA_OK ? show(c, &r, err) : err->code;
}

static enum wa_code write_list(struct wa_api_call *c, char (*ids)[33], size_t n, struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "rollouts");
    wa_jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        WA_AUTO_ROLLOUT_ROW struct wa_rollout_row r = {.ring = 0};
        struct wa_err why = WA_ERR_INIT;
        wa_arena_init(&arena, 16u << 20);
        (void)snprintf(c->args[0], sizeof c->args[0], "%s", ids[i]);
        enum wa_code code = find(c, false, &arena, &r, &why);
        if (code == WA_E_NOT_FOUND)
            continue;
        if (code != WA_OK) {
            *err = why;
            return code;
        }
        wa_jw_obj(&w);
        write_members(&w, &r);
        bool is_live = strcmp(r.state, "stopped") != 0 && strcmp(r.state, "ended") != 0;
        if (is_live && write_counts(c, &r, &w, err) != WA_OK) /* there may be many of the others */
            return err->code;
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    wa_jw_end(&w);
    return wa_buf_check(c->out, err);
}

static enum wa_code call_list(struct wa_api_call *c, struct wa_err *err)
{
    size_t n = 0;
    char(*ids)[33] = wa_calloc(LIST_MAX, sizeof *ids);
    if (ids == NULL)
        return wa_nomem(err);
    if (wa_rollouts_list(c->store->db, false, ids, LIST_MAX, &n, err) == WA_OK)
        (void)write_list(c, ids, n, err);
    wa_free(ids);
    return err->code;
}

/* --- begun --- */

static enum wa_code read_body(const struct wa_api_call *c, struct wa_arena *arena,
                              struct wa_order *o, struct wa_rollout_row *r, struct wa_err *err)
{
    const struct wa_json *j = NULL, *order = NULL, *plan = NULL;
    struct wa_sv name = {NULL, 0};
    struct wa_rollout_plan ignored;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf plan_text;
    size_t n = 0;
    const struct wa_json_field fields[] = {{"name", WA_WANT_SV, true, 128, &name},
                                           {"order", WA_WANT_OBJECT, true, 0, &order},
                                           {"plan", WA_WANT_OBJECT, true, 0, &plan}};
    wa_buf_init(&text, 1u << 20);
    wa_buf_init(&plan_text, WA_ROLLOUT_PLAN_MAX);
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a roll-out", err) != WA_OK ||
        wa_rollout_plan_read(plan, &ignored, err) != WA_OK ||
        wa_order_read(order, arena, o, err) != WA_OK)
        return err->code;
    wa_json_write(order, &text);
    wa_json_write(plan, &plan_text);
    if (wa_buf_steal(&text, &r->order, &n, err) != WA_OK ||
        wa_buf_steal(&plan_text, &r->plan, &n, err) != WA_OK)
        return err->code;
    memcpy(r->id, o->action.id, sizeof r->id);
    memcpy(r->signer, o->signer, sizeof r->signer);
    (void)snprintf(r->name, sizeof r->name, "%.*s", WA_SV_ARG(name));
    (void)snprintf(r->owner, sizeof r->owner, "%s", c->who.user);
    (void)snprintf(r->kind, sizeof r->kind, "%s", wa_action_kind_name(o->action.kind));
    (void)snprintf(r->state, sizeof r->state, "running");
    r->not_before = o->action.not_before;
    r->not_after = o->action.not_after;
    r->created = wa_clock_now();
    return WA_OK;
}

static enum wa_code stop(const struct wa_api_call *c, struct wa_rollout_row *r, const char *reason,
                         struct wa_err *err)
{
    (void)snprintf(r->state, sizeof r->state, "stopped");
    (void)snprintf(r->reason, sizeof r->reason, "%s", reason);
    r->is_open = false;
    return wa_rollouts_drop(c->store->db, r->id, err);
}

/* The former one ends here at once; machines that have it hear of it from the statement. */
static enum wa_code supersede(struct wa_api_call *c, const char *id, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_ROLLOUT_ROW struct wa_rollout_row old = {.ring = 0};
    wa_arena_init(&arena, 16u << 20);
    (void)snprintf(c->args[0], sizeof c->args[0], "%s", id);
    if (find(c, true, &arena, &old, err) != WA_OK || stop(c, &old, "superseded", err) != WA_OK ||
        wa_rollouts_set(c->store->db, &old, err) != WA_OK)
        return wa_wrap(err, "the roll-out whose place it takes");
    return note(c, "rollout.stopped", &old, err);
}

static enum wa_code begin(struct wa_api_call *c, const struct wa_order *o,
                          const struct wa_rollout_row *r, struct wa_err *err)
{
    struct wa_db *db = c->store->db;
    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    if ((o->rollout.supersedes[0] == '\0' || supersede(c, o->rollout.supersedes, err) == WA_OK) &&
        wa_rollouts_add(db, r, err) == WA_OK && note(c, "rollout.created", r, err) == WA_OK &&
        wa_db_commit(db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(db);
    return err->code;
}

static void changed(const struct wa_api_call *c, const struct wa_rollout_row *r, const char *what)
{
    wa_log(&c->store->child.log, WA_LOG_INFO, "rollout.state", WA_LF_S("user", c->who.user),
           WA_LF_S("peer", c->request->peer), WA_LF_S("id", r->id), WA_LF_S("state", r->state),
           WA_LF_I("ring", r->ring));
    wa_store_event(c->store, WA_EVENT_ROLLOUT, what, WA_SV(""), wa_sv(r->id), wa_sv(r->state));
    if (wa_node_leads(c->store))
        wa_store_rollout_step(c->store, r->id);
}

static enum wa_code call_create(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_ROLLOUT_ROW struct wa_rollout_row r = {.ring = 0};
    struct wa_order o = {.index = 0};
    struct wa_jw w;
    wa_arena_init(&arena, 16u << 20);
    if (read_body(c, &arena, &o, &r, err) == WA_OK && check_order(c, &o, err) == WA_OK)
        (void)begin(c, &o, &r, err);
    wa_order_fini(&o);
    if (err->code != WA_OK)
        return err->code;
    changed(c, &r, "created");
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "id", r.id);
    wa_jw_kv(&w, "state", r.state);
    wa_jw_end(&w);
    return wa_buf_check(c->out, err);
}

/* --- changed --- */

static enum wa_code refuse(const struct wa_rollout_row *r, const char *what, struct wa_err *err)
{
    return wa_fail(err, WA_E_CONFLICT, "the roll-out '%s' is %s: %s is not possible", r->name,
                   r->state, what);
}

static bool is(const struct wa_rollout_row *r, const char *state)
{
    return strcmp(r->state, state) == 0;
}

static enum wa_code promote(struct wa_api_call *c, struct wa_rollout_row *r, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_rollout_plan plan;
    WA_UNUSED(c);
    wa_arena_init(&arena, 16u << 20);
    if (wa_json_parse(wa_sv(r->plan), 0, &arena, &j, err) != WA_OK ||
        wa_rollout_plan_read(j, &plan, err) != WA_OK)
        return err->code;
    if (!is(r, "running") || r->ring + 1 >= (int64_t)plan.ring_count)
        return is(r, "running")
                   ? wa_fail(err, WA_E_CONFLICT, "all rings of the roll-out are open already")
                   : refuse(r, "promoting", err);
    r->ring++;
    r->ring_since = wa_clock_now();
    return WA_OK;
}

static enum wa_code pause(struct wa_api_call *c, struct wa_rollout_row *r, struct wa_err *err)
{
    if (!is(r, "running"))
        return refuse(r, "pausing", err);
    (void)snprintf(r->state, sizeof r->state, "paused");
    (void)snprintf(r->reason, sizeof r->reason, "by %.200s", c->who.user);
    r->is_open = false;
    return WA_OK;
}

/* What failed so far is known to whoever resumes: only what fails from now on counts. */
static enum wa_code resume(struct wa_api_call *c, struct wa_rollout_row *r, struct wa_err *err)
{
    if (!is(r, "paused") && !is(r, "halted"))
        return refuse(r, "resuming", err);
    if (is(r, "halted"))
        r->forgiven = wa_rollout_failures(c->store->db, r->id, err);
    (void)snprintf(r->state, sizeof r->state, "running");
    r->reason[0] = '\0';
    return err->code;
}

static enum wa_code stop_by_hand(struct wa_api_call *c, struct wa_rollout_row *r,
                                 struct wa_err *err)
{
    char reason[224];
    if (is(r, "stopped") || is(r, "ended"))
        return refuse(r, "stopping", err);
    (void)snprintf(reason, sizeof reason, "by %.200s", c->who.user);
    return stop(c, r, reason, err);
}

typedef enum wa_code (*change_fn)(struct wa_api_call *c, struct wa_rollout_row *r,
                                  struct wa_err *err);

/* Read, changed, written and noted under one lock, so that no step comes between. */
static enum wa_code change(struct wa_api_call *c, const char *act, change_fn fn, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_ROLLOUT_ROW struct wa_rollout_row r = {.ring = 0};
    struct wa_db *db = c->store->db;
    wa_arena_init(&arena, 16u << 20);
    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (find(c, true, &arena, &r, err) != WA_OK || fn(c, &r, err) != WA_OK ||
        wa_rollouts_set(db, &r, err) != WA_OK || note(c, act, &r, err) != WA_OK ||
        wa_db_commit(db, err) != WA_OK) {
        wa_db_rollback(db);
        return err->code;
    }
    changed(c, &r, "changed");
    wa_rollout_row_fini(&r);
    return wa_rollouts_get(db, c->args[0], &r, err) == WA_OK ? show(c, &r, err) : err->code;
}

static enum wa_code call_promote(struct wa_api_call *c, struct wa_err *err)
{
    return change(c, "rollout.promoted", promote, err);
}

static enum wa_code call_pause(struct wa_api_call *c, struct wa_err *err)
{
    return change(c, "rollout.paused", pause, err);
}

static enum wa_code call_resume(struct wa_api_call *c, struct wa_err *err)
{
    return change(c, "rollout.resumed", resume, err);
}

static enum wa_code call_stop(struct wa_api_call *c, struct wa_err *err)
{
    return change(c, "rollout.stopped", stop_by_hand, err);
}

/* --- the calls --- */

static const struct wa_api_route routes[] = {
    {"POST", "/api/v1/rollouts", WA_MAY_ORDER_CARE, false, call_create,
     "Begin a roll-out by its signed statement", NULL, "NewRollout", "RolloutId"},
    {"GET", "/api/v1/rollouts", WA_MAY_VIEW, false, call_list, "Roll-outs", wa_api_whole_params,
     NULL, "Rollouts"},
    {"GET", "/api/v1/rollouts/{id}", WA_MAY_VIEW, false, call_show,
     "A roll-out, with its counts by ring; its machines are the batch of its identifier", NULL,
     NULL, "Rollout"},
    {"POST", "/api/v1/rollouts/{id}/promote", WA_MAY_ORDER_CARE, false, call_promote,
     "Open the next ring", NULL, NULL, "Rollout"},
    {"POST", "/api/v1/rollouts/{id}/pause", WA_MAY_ORDER_CARE, false, call_pause,
     "Release nothing more until it is resumed", NULL, NULL, "Rollout"},
    {"POST", "/api/v1/rollouts/{id}/resume", WA_MAY_ORDER_CARE, false, call_resume,
     "Go on; what failed before counts no more", NULL, NULL, "Rollout"},
    {"POST", "/api/v1/rollouts/{id}/stop", WA_MAY_ORDER_CARE, false, call_stop,
     "End it: what was not sent is cancelled", NULL, NULL, "Rollout"},
};
const struct wa_api_resource wa_api_rollouts_calls = {routes, WA_COUNT(routes)};
