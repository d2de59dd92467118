/* kind_rollout.c - the statement of a roll-out: what may happen, on which machines or members of
 * which groups, from when until when.
 *
 * Only the statement is signed, and shown as it reads. The plan of the rings goes to the server as
 * the page has it: it protects against mistakes, and the server may open a ring when it likes.
 */
#include "console/local_kind.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/rollout.h"

#define PACKAGES_MAX 256u
#define NAME_BYTES 128u
#define VALID_S (14 * 86400)

struct rollout {
    struct wa_buf text; /* the statement: the very bytes */
    struct wa_buf plan; /* JSON, not signed */
    const char *name;
};

struct wish {
    struct wa_sv kind, name;
    const struct wa_json *hosts, *members, *packages, *plan;
    struct wa_rollout r;
    int64_t valid_s;
};

static enum wa_code read_wish(const struct wa_json *request, struct wish *k, struct wa_err *err)
{
    struct wa_sv what, key;
    const struct wa_json_field fields[] = {
        {"what", WA_WANT_SV, true, 64, &what},
        {"key", WA_WANT_SV, false, 16, &key},
        {"name", WA_WANT_SV, true, NAME_BYTES, &k->name},
        {"kind", WA_WANT_SV, true, 32, &k->kind},
        {"hosts", WA_WANT_ARRAY, false, WA_ROLLOUT_MACHINES_MAX, &k->hosts},
        {"members_of", WA_WANT_ARRAY, false, WA_ROLLOUT_NAMES_MAX, &k->members},
        {"packages", WA_WANT_ARRAY, false, PACKAGES_MAX, &k->packages},
        {"force", WA_WANT_BOOL, false, 0, &k->r.force},
        {"only_if_not_running", WA_WANT_BOOL, false, 0, &k->r.only_if_not_running},
        {"plan", WA_WANT_OBJECT, true, 0, &k->plan},
        {"valid_s", WA_WANT_I64, false, 0, &k->valid_s},
        {"not_before", WA_WANT_I64, false, 0, &k->r.not_before}};
    k->valid_s = VALID_S;
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    if (!wa_action_kind_find(k->kind, &k->r.kind) || k->r.kind == WA_ACT_CANCEL ||
        k->r.kind == WA_ACT_WAKE || k->r.kind == WA_ACT_DESCRIBE)
        return wa_fail(err, WA_E_INVALID, "there is no roll-out of '%.*s'", WA_SV_ARG(k->kind));
    if ((wa_json_count(k->hosts) > 0) == (wa_json_count(k->members) > 0))
        return wa_fail(err, WA_E_INVALID,
                       "a roll-out is for machines, or for the members of groups");
    if (k->valid_s < 1 || k->valid_s > WA_ROLLOUT_AGE_MAX_S)
        return wa_fail(err, WA_E_INVALID, "valid_s is above 0 and at most %u",
                       WA_ROLLOUT_AGE_MAX_S);
    return WA_OK;
}

static enum wa_code take_texts(const struct wa_json *list, struct wa_arena *arena,
                               const char *const **ret, size_t *ret_count, struct wa_err *err)
{
    size_t n = wa_json_count(list);
    const char **texts = wa_arena_alloc(arena, n + 1, sizeof *texts);
    if (texts == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < n; i++) {
        texts[i] = wa_arena_strdup(arena, wa_json_sv(wa_json_at(list, i)));
        if (texts[i] == NULL)
            return wa_nomem(err);
    }
    *ret = texts;
    *ret_count = n;
    return WA_OK;
}

static enum wa_code compose(struct wa_local_prepared *p, struct wish *k, struct wa_buf *text,
                            struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_rollout_lists lists = {NULL, NULL, NULL, 0, 0, 0};
    wa_arena_init(&arena, 64u << 20);
    k->r.issued_at = wa_clock_now();
    if (k->r.not_before < k->r.issued_at)
        k->r.not_before = k->r.issued_at;
    k->r.not_after = k->r.not_before + k->valid_s;
    if (take_texts(k->packages, &arena, &lists.packages, &lists.package_count, err) != WA_OK ||
        take_texts(k->hosts, &arena, &lists.machines, &lists.machine_count, err) != WA_OK ||
        take_texts(k->members, &arena, &lists.members_of, &lists.member_count, err) != WA_OK ||
        wa_rand_hex(k->r.id, 16, err) != WA_OK)
        return err->code;
    return wa_rollout_write(&k->r, &lists, p->signer, text, err);
}

/* --- what the statement says --- */

static void show(struct wa_local_prepared *p, const struct wa_rollout *r)
{
    char count[32];
    (void)snprintf(count, sizeof count, "%zu", p->targets.count);
    wa_buf_addf(&p->title, wa_text("roll-out: %s"), wa_text(wa_action_kind_name(r->kind)));
    for (size_t i = 0; i < wa_json_count(r->packages) && i < 5; i++)
        wa_buf_addf(&p->title, " %.*s", WA_SV_ARG(wa_json_sv(wa_json_at(r->packages, i))));
    if (wa_json_count(r->packages) > 5)
        wa_buf_adds(&p->title, " ...");
    wa_local_say(p, wa_text("Action"), wa_sv(wa_text(wa_action_kind_name(r->kind))));
    for (size_t i = 0; i < wa_json_count(r->packages); i++)
        wa_local_say(p, wa_text("Package"), wa_json_sv(wa_json_at(r->packages, i)));
    for (size_t i = 0; i < wa_json_count(r->members_of); i++)
        wa_local_say(p, wa_text("Members of"), wa_json_sv(wa_json_at(r->members_of, i)));
    if (r->machines != NULL)
        wa_local_say(p, wa_text("Machines"), wa_sv(count));
    if (r->force)
        wa_local_say(p, wa_text("Force"), wa_sv(wa_text("yes")));
    if (r->only_if_not_running)
        wa_local_say(
            p, wa_text("Left out"),
            wa_sv(wa_text("packages whose programs run; each machine comes back to them")));
    wa_local_say_time(p, wa_text("Not before"), r->not_before);
    wa_local_say_time(p, wa_text("Not after"), r->not_after);
}

/* The statement, read again: its machines are the ones of the list, its groups are shown. */
static enum wa_code show_text(struct wa_local_prepared *p, struct wa_sv text, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_rollout r;
    struct wa_sv signer;
    wa_arena_init(&arena, 64u << 20);
    if (wa_json_parse(text, 0, &arena, &j, err) != WA_OK ||
        wa_rollout_read(j, &r, &signer, err) != WA_OK)
        return err->code;
    bool is_same = wa_sv_eqs(signer, p->signer) && wa_json_count(r.machines) == p->targets.count;
    for (size_t i = 0; is_same && i < p->targets.count; i++)
        is_same = wa_targets_find(&p->targets, wa_json_sv(wa_json_at(r.machines, i))) != NULL;
    if (!is_same)
        return wa_fail(err, WA_E_INTERNAL, "the statement is not what was asked for");
    p->needs_gesture = wa_json_count(r.members_of) > 0; /* nobody can say how many these will be */
    show(p, &r);
    return WA_OK;
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    struct wish k = {.valid_s = 0};
    struct wa_jw w;
    struct rollout *o = wa_arena_alloc(&p->arena, 1, sizeof *o);
    if (o == NULL)
        return wa_nomem(err);
    *o = (struct rollout){.name = NULL};
    wa_buf_init(&o->text, 2 * WA_ACTION_BYTES_MAX);
    wa_buf_init(&o->plan, WA_ROLLOUT_PLAN_MAX);
    p->own = o;
    if (read_wish(request, &k, err) != WA_OK ||
        (wa_json_count(k.hosts) > 0 &&
         wa_local_targets(client, k.hosts, &p->targets, err) != WA_OK))
        return err->code;
    o->name = wa_arena_strdup(&p->arena, k.name);
    if (o->name == NULL)
        return wa_nomem(err);
    wa_jw_init(&w, &o->plan);
    wa_jw_json(&w, k.plan);
    wa_targets_sort(&p->targets);
    if (wa_buf_check(&o->plan, err) != WA_OK || compose(p, &k, &o->text, err) != WA_OK)
        return err->code;
    return show_text(p, wa_buf_sv(&o->text), err);
}

static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    const struct rollout *o = p->own;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf order;
    WA_AUTO_BUF struct wa_buf body;
    const struct wa_json *j = NULL;
    struct wa_jw all;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&order, 1u << 20);
    wa_buf_init(&body, 4u << 20);
    if (wa_rollout_order_write(wa_buf_sv(&o->text), signer->key, signer->chain, &order, err) !=
        WA_OK)
        return err->code;
    wa_jw_init(&all, &body);
    wa_jw_obj(&all);
    wa_jw_kv(&all, "name", o->name);
    wa_jw_key(&all, "order");
    wa_jw_raw(&all, wa_buf_sv(&order));
    wa_jw_key(&all, "plan");
    wa_jw_raw(&all, wa_buf_sv(&o->plan));
    wa_jw_end(&all);
    if (wa_buf_check(&body, err) != WA_OK ||
        wa_client_call(client, "POST", "/api/v1/rollouts", wa_buf_sv(&body), &arena, &j, err) !=
            WA_OK)
        return err->code;
    wa_jw_kvsv(w, "id", wa_json_sv(wa_json_get(j, "id")));
    return WA_OK;
}

static void discard(struct wa_local_prepared *p)
{
    struct rollout *o = p->own;
    if (o == NULL)
        return;
    wa_buf_fini(&o->text);
    wa_buf_fini(&o->plan);
}

const struct wa_local_kind wa_local_kind_rollout = {.what = "rollout",
                                                    .prepare = prepare,
                                                    .commit = commit,
                                                    .discard = discard,
                                                    .gesture = WA_LOCAL_GESTURE_ABOVE};
