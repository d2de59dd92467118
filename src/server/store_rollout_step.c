/* store_rollout_step.c - roll-outs go forward: machines that a statement is for are taken in, rings
 * opened and released, thresholds looked at. By the leading server alone.
 *
 * All of it stands in the database, one step in one transaction: a kill at any moment leaves the
 * step before or after. A row of actions is released once, by its state; what is sent and not
 * acknowledged goes out again like any order, and the machine carries a statement out once.
 */
#include "base/date.h"
#include "base/mem.h"
#include "base/vec.h"
#include "os/clock.h"
#include "proto/rollout.h"
#include "server/store_priv.h"
#include "server/store_rollouts.h"

#define TAKEN_IN 2000u  /* machines of one step */
#define REST_FACTOR 20u /* a step is followed by so many times its own time without one */
#define STEP_LEAST_MS 1000u

struct newcomer {
    char uuid[WA_UUID_MAX + 1];
    size_t ring;
};

struct step {
    struct wa_store *store;
    struct wa_rollout_row row;
    struct wa_arena arena;
    struct wa_order order;
    struct wa_rollout_plan plan;
    struct wa_ring_counts counts[WA_ROLLOUT_RINGS_MAX];
    struct {
        WA_VEC(struct newcomer);
    } newcomers;
    int64_t released, postponed; /* the latter: machines where something is in use */
    bool has_changed;
};

static void step_fini(struct step *st)
{
    wa_rollout_row_fini(&st->row);
    wa_order_fini(&st->order);
    WA_VEC_FREE(&st->newcomers);
    wa_arena_fini(&st->arena);
}

static enum wa_code load(struct step *st, const char *id, struct wa_err *err)
{
    const struct wa_json *order = NULL, *plan = NULL;
    if (wa_rollouts_get(st->store->db, id, &st->row, err) != WA_OK ||
        wa_json_parse(wa_sv(st->row.order), 0, &st->arena, &order, err) != WA_OK ||
        wa_json_parse(wa_sv(st->row.plan), 0, &st->arena, &plan, err) != WA_OK ||
        wa_rollout_plan_read(plan, &st->plan, err) != WA_OK)
        return err->code;
    return wa_order_read(order, &st->arena, &st->order, err);
}

/* --- whom it is for --- */

static bool lists_machine(const struct wa_json *list, struct wa_sv uuid)
{
    for (size_t i = 0; i < wa_json_count(list); i++)
        if (wa_sv_eq(wa_json_sv(wa_json_at(list, i)), uuid))
            return true;
    return false;
}

static enum wa_code look_at_host(void *user, struct wa_sv uuid, struct wa_sv names,
                                 struct wa_err *err)
{
    struct step *st = user;
    const struct wa_rollout *r = &st->order.rollout;
    int64_t place = 0;
    if (st->newcomers.n == TAKEN_IN || uuid.n > WA_UUID_MAX ||
        !(r->machines != NULL ? lists_machine(r->machines, uuid)
                              : wa_rollout_lists(r->members_of, names)))
        return WA_OK;
    struct newcomer *n = WA_VEC_PUSH(&st->newcomers);
    if (n == NULL)
        return wa_nomem(err);
    (void)snprintf(n->uuid, sizeof n->uuid, "%.*s", WA_SV_ARG(uuid));
    if (wa_rollout_place(st->row.id, n->uuid, &place, err) != WA_OK)
        return err->code;
    n->ring = wa_rollout_ring(&st->plan, n->uuid, names, place);
    return WA_OK;
}

static enum wa_code take_in(struct step *st, struct wa_err *err)
{
    struct wa_db *db = st->store->db;
    if (wa_rollouts_outside(db, st->row.id, look_at_host, st, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < st->newcomers.n; i++)
        if (wa_rollouts_add_host(db, &st->row, st->newcomers.items[i].uuid,
                                 st->newcomers.items[i].ring, err) != WA_OK)
            return err->code;
    return WA_OK;
}

/* --- how it goes on --- */

static void add_count(void *user, int64_t ring, struct wa_sv state, int64_t n)
{
    struct step *st = user;
    if (ring < 0 || ring >= (int64_t)st->plan.ring_count)
        return;
    struct wa_ring_counts *c = &st->counts[ring];
    c->total += n;
    if (wa_sv_eqs(state, "done"))
        c->done += n;
    if (wa_sv_eqs(state, "postponed"))
        st->postponed += n;
    if (wa_sv_eqs(state, "failed") || wa_sv_eqs(state, "refused"))
        c->failed += n;
}

static int64_t failures(const struct step *st)
{
    int64_t n = 0;
    for (size_t i = 0; i < st->plan.ring_count; i++)
        n += st->counts[i].failed;
    return n;
}

int64_t wa_rollout_failures(struct wa_db *db, const char *id, struct wa_err *err)
{
    struct step st = {.plan = {.ring_count = WA_ROLLOUT_RINGS_MAX}};
    return wa_rollouts_count(db, id, add_count, &st, err) == WA_OK ? failures(&st) : 0;
}

static bool is_window(const struct wa_rollout_plan *p, int64_t now)
{
    char text[WA_DATE_MAX];
    int64_t local = now;
    if (p->windows.n == 0)
        return true;
    wa_date_isolocal(now, 0, text);
    (void)wa_date_parse_iso(wa_sv(text), &local);
    return wa_windows_end(&p->windows, local) != 0;
}

static enum wa_code note(struct step *st, const char *act, struct wa_err *err)
{
    char ring[24];
    (void)snprintf(ring, sizeof ring, "%lld", (long long)st->row.ring);
    const struct wa_journal_act a = {.act = act,
                                     .user = WA_SV(""),
                                     .peer = "",
                                     .what = {{"id", wa_sv(st->row.id)},
                                              {"ring", wa_sv(ring)},
                                              {"reason", wa_sv(st->row.reason)}}};
    st->has_changed = true;
    return wa_store_note(st->store, &a, err);
}

static void set_state(struct wa_rollout_row *r, const char *state, const char *reason)
{
    (void)snprintf(r->state, sizeof r->state, "%s", state);
    (void)snprintf(r->reason, sizeof r->reason, "%s", reason);
}

static enum wa_code judge(struct step *st, int64_t now, struct wa_err *err)
{
    struct wa_rollout_row *r = &st->row;
    char reason[128];
    int64_t since = r->ring_since > r->not_before ? r->ring_since : r->not_before;
    if (strcmp(r->state, "running") != 0 || now < r->not_before)
        return WA_OK;
    switch (wa_rollout_judge(&st->plan, st->counts, (size_t)r->ring, now - since, r->forgiven)) {
    case WA_ROLLOUT_STAYS:
        return WA_OK;
    case WA_ROLLOUT_GOES_ON:
        r->ring++;
        r->ring_since = now;
        return note(st, "rollout.promoted", err);
    case WA_ROLLOUT_HALTS:
        break;
    }
    (void)snprintf(reason, sizeof reason, "%lld machines failed", (long long)failures(st));
    set_state(r, "halted", reason);
    return note(st, "rollout.halted", err);
}

static enum wa_code go_on(struct step *st, int64_t now, struct wa_err *err)
{
    struct wa_rollout_row *r = &st->row;
    bool was_open = r->is_open;
    int64_t forgave = r->forgiven;
    if (now > r->not_after) {
        set_state(r, "ended", "its time is over");
        r->is_open = false;
        if (note(st, "rollout.ended", err) != WA_OK)
            return err->code;
        return wa_rollouts_set(st->store->db, r, err);
    }
    if (take_in(st, err) != WA_OK ||
        wa_rollouts_count(st->store->db, r->id, add_count, st, err) != WA_OK)
        return err->code;
    if (r->forgiven > failures(st)) /* one that refused has done it since: no other's is forgiven */
        r->forgiven = failures(st);
    if (judge(st, now, err) != WA_OK)
        return err->code;
    bool is_running = strcmp(r->state, "running") == 0;
    r->is_open = is_running && is_window(&st->plan, now);
    if (is_running &&
        wa_rollouts_release(st->store->db, r->id, r->ring, &st->released, err) != WA_OK)
        return err->code;
    if (r->is_open && !was_open)
        st->released++; /* what waited for its window */
    if (!st->has_changed && r->is_open == was_open && r->forgiven == forgave)
        return WA_OK;
    return wa_rollouts_set(st->store->db, r, err);
}

static enum wa_code in_transaction(struct step *st, const char *id, struct wa_err *err)
{
    struct wa_store *s = st->store;
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (wa_node_check_lead(s, err) != WA_OK || load(st, id, err) != WA_OK ||
        go_on(st, wa_clock_now(), err) != WA_OK ||
        (st->released > 0 && wa_node_tell(s, WA_NODE_ORDERS, wa_sv(id), err) != WA_OK) ||
        wa_db_commit(s->db, err) != WA_OK)
        wa_db_rollback(s->db);
    return err->code;
}

/* Whether more machines are through, or have come, than when it was asked last. */
static bool has_moved(struct wa_store *s, const struct step *st)
{
    struct wa_rollout_told *told = NULL;
    uint64_t sum = 11 * (uint64_t)st->postponed;
    for (size_t i = 0; i < st->plan.ring_count; i++) {
        const struct wa_ring_counts *c = &st->counts[i];
        sum = sum * 1000003u + (uint64_t)(c->total + 3 * c->done + 7 * c->failed);
    }
    for (size_t i = 0; told == NULL && i < WA_COUNT(s->rollouts_told); i++)
        if (strcmp(s->rollouts_told[i].id, st->row.id) == 0)
            told = &s->rollouts_told[i];
    if (told == NULL) { /* the place of another: at worst that one is told once more */
        told = &s->rollouts_told[s->rollouts_next++ % WA_COUNT(s->rollouts_told)];
        memcpy(told->id, st->row.id, sizeof told->id);
        told->sum = sum;
        return false;
    }
    bool is_other = told->sum != sum;
    told->sum = sum;
    return is_other;
}

static void tell_watchers(struct wa_store *s, const struct step *st)
{
    bool is_changed = st->has_changed || st->released > 0 || st->newcomers.n > 0;
    if (has_moved(s, st) || is_changed)
        wa_store_event(s, WA_EVENT_ROLLOUT, is_changed ? "changed" : "progress", WA_SV(""),
                       wa_sv(st->row.id), wa_sv(st->row.state));
}

void wa_store_rollout_step(struct wa_store *s, const char *id)
{
    struct wa_err err = WA_ERR_INIT;
    struct step *st = wa_calloc(1, sizeof *st);
    if (st == NULL)
        return; /* at the next turn */
    st->store = s;
    wa_arena_init(&st->arena, 16u << 20);
    if (in_transaction(st, id, &err) != WA_OK) {
        wa_log_err(&s->child.log, WA_LOG_ERROR, "rollout.failed", &err);
    } else {
        if (st->has_changed)
            wa_log(&s->child.log, WA_LOG_INFO, "rollout.state", WA_LF_S("id", st->row.id),
                   WA_LF_S("state", st->row.state), WA_LF_I("ring", st->row.ring),
                   WA_LF_S("reason", st->row.reason));
        tell_watchers(s, st);
        if (st->released > 0)
            wa_store_dispatch_batch(s, id);
    }
    step_fini(st);
    wa_free(st);
}

void wa_store_rollouts(struct wa_store *s)
{
    struct wa_err err = WA_ERR_INIT;
    uint64_t began = wa_clock_mono_ms();
    size_t n = 0;
    if (!wa_node_leads(s) || began < s->rollouts_next_ms)
        return;
    char(*ids)[33] = wa_calloc(WA_ROLLOUTS_LIVE_MAX, sizeof *ids);
    if (ids == NULL)
        return;
    if (wa_rollouts_list(s->db, true, ids, WA_ROLLOUTS_LIVE_MAX, &n, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "rollout.failed", &err);
    for (size_t i = 0; i < n; i++)
        wa_store_rollout_step(s, ids[i]);
    wa_free(ids);
    uint64_t end = wa_clock_mono_ms(), rest = REST_FACTOR * (end - began);
    s->rollouts_next_ms = end + (rest > STEP_LEAST_MS ? rest : STEP_LEAST_MS);
}
