/* push_orders.c - an order that came over the push channel (F3A): judged here, and carried out
 * once.
 *
 * Recorded, queued and owed for in one transaction. What is refused is told to the server, where it
 * has an identifier to be believed; never of one that was taken before.
 */
#include "agent/identity.h"
#include "agent/inventory.h"
#include "agent/localapi.h"
#include "agent/push.h"
#include "agent/repo_trust.h"
#include "agent/tasks.h"
#include "codec/hex.h"
#include "os/clock.h"
#include "proto/action.h"
#include "proto/rollout.h"

#define REFUSALS_MAX 256 /* that wait to be reported */
#define LOOK_AGAIN_S                                                                               \
    60 /* between two looks at the repositories, for what is refused for the groups that we are in \
        */

struct papers {
    struct wa_manager *m;
    const struct wa_repo_trust *trust; /* the manager's */
    struct wa_trust *anchors;
    struct wa_key *relay;
    struct wa_membership *membership; /* NULL: not asked for yet */
    struct wa_order_policy policy;
    char uuid[WA_UUID_MAX + 1];
};

static void papers_fini(struct papers *p)
{
    wa_trust_free(p->anchors);
    wa_key_free(p->relay);
    wa_free(p->membership);
}
#define AUTO_PAPERS WA_CLEANUP(papers_fini)

/* Being trusted for packages is not enough: the root says who may order what. */
static enum wa_code may_order(void *user, const struct wa_trust_result *signer,
                              enum wa_action_kind kind, bool *ret_outside, struct wa_err *err)
{
    const struct papers *p = user;
    return wa_repo_trust_order(p->m, p->m->db, p->trust, signer, wa_action_kind_name(kind),
                               ret_outside, err);
}

/* For a roll-out's rule: from the host package, never from the server. */
static enum wa_code own_names(void *user, const char *const **ret, struct wa_err *err)
{
    struct papers *p = user;
    if (p->membership == NULL &&
        wa_repo_trust_names(p->m, p->m->db, p->trust, &p->membership, err) != WA_OK)
        return err->code;
    *ret = p->membership->list;
    return WA_OK;
}

static enum wa_code load_policy(struct wa_manager *m, const char *nonce, struct papers *ret,
                                bool *ret_outside, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    int64_t enrolled = 0;
    wa_buf_init(&pem, 64u << 10);
    ret->m = m;
    wa_identity_uuid(m, ret->uuid);
    if (wa_repo_trust_loop(m, &ret->trust, err) != WA_OK ||
        wa_manager_anchors(m, NULL, ret->trust, &ret->anchors, err) != WA_OK ||
        wa_param_get(m->db, "relay_key", &pem, err) != WA_OK ||
        wa_param_i64(m->db, "enrolled_at", &enrolled, err) != WA_OK)
        return err->code;
    if (pem.n == 0 || enrolled == 0)
        return wa_fail(err, WA_E_REFUSED, "this machine is not enrolled");
    if (wa_key_read_public_pem(wa_buf_sv(&pem), &ret->relay, err) != WA_OK)
        return err->code;
    ret->policy = (struct wa_order_policy){.anchors = ret->anchors,
                                           .may_order = ret->trust->root != NULL ? may_order : NULL,
                                           .names = own_names,
                                           .ret_outside = ret_outside,
                                           .user = ret,
                                           .relay_key = ret->relay,
                                           .uuid = ret->uuid,
                                           .nonce = nonce,
                                           .now = wa_clock_now(),
                                           .enrolled_at = enrolled};
    return WA_OK;
}

static enum wa_code to_request(const struct wa_manager *m, const struct wa_action *a,
                               struct wa_local_request *ret, struct wa_err *err)
{
    *ret = (struct wa_local_request){
        .force = a->force, .only_if_not_running = a->only_if_not_running, .text = a->text};
    if (!wa_local_op_find(wa_sv(wa_action_kind_name(a->kind)), &ret->op))
        return wa_fail(err, WA_E_INTERNAL, "an action without its operation");
    const struct wa_json *items = a->kind == WA_ACT_WAKE ? a->macs : a->packages;
    if (wa_json_count(items) > WA_COUNT(ret->packages))
        return wa_fail(err, WA_E_LIMIT, "an order names more than %zu packages",
                       WA_COUNT(ret->packages));
    for (size_t i = 0; i < wa_json_count(items); i++)
        ret->packages[ret->package_count++] = wa_json_sv(wa_json_at(items, i));
    return wa_power_may(m, ret->op, err);
}

/* Each identifier once. */
static enum wa_code record(struct wa_manager *m, const struct wa_action *a, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    bool is_cancelled = false;
    if (wa_action_record(m->db, a->id, a->not_after, wa_clock_now(), &why) != WA_E_EXISTS) {
        *err = why;
        return err->code;
    }
    if (wa_action_is_cancelled(m->db, a->id, &is_cancelled, err) != WA_OK)
        return err->code;
    return is_cancelled
               ? wa_fail(err, WA_E_CANCELLED, "the order was cancelled before it came")
               : wa_fail(err, WA_E_EXISTS, "the order was carried out or queued before (replayed)");
}

/* What waits of it ends, and what runs ends before its next step: never within one. */
static enum wa_code cancel_one(struct wa_manager *m, const char *id, int64_t not_after,
                               struct wa_err *err)
{
    struct wa_action_cancelled was = {.running = 0};
    if (wa_action_cancel(m->db, id, not_after, &was, err) != WA_OK)
        return err->code;
    if (was.dropped != 0)
        wa_local_cancelled(m, was.dropped, "cancelled by order");
    if (was.running == 0)
        return WA_OK;
    wa_lock_take(m->lock);
    m->recalled_task = was.running;
    wa_lock_give(m->lock);
    return WA_OK;
}

static enum wa_code cancel(struct wa_manager *m, const struct wa_action *a, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(a->cancels); i++) {
        char id[33];
        (void)snprintf(id, sizeof id, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_at(a->cancels, i))));
        if (cancel_one(m, id, a->not_after, err) != WA_OK)
            return err->code;
    }
    return wa_outbox_add(m->db, a->id, "done", wa_code_name(WA_OK), WA_SV("cancelled"), WA_SV(""),
                         err);
}

static enum wa_code carry_out(struct wa_manager *m, const struct wa_action *a, const char *by,
                              int64_t *ret_task, struct wa_err *err)
{
    struct wa_local_request r;
    if (a->kind == WA_ACT_CANCEL)
        return cancel(m, a, err);
    return to_request(m, a, &r, err) == WA_OK
               ? wa_manager_queue(m, wa_local_op_name(r.op), &r, by, a->id, a->not_before, ret_task,
                                  err)
               : err->code;
}

/* Recorded and queued in one transaction: after a kill it is neither lost nor done twice. */
static enum wa_code accept_order(struct wa_manager *m, const struct wa_order *o, struct wa_err *err)
{
    char by[300];
    int64_t task = 0;
    (void)snprintf(by, sizeof by, "%s of %.64s (%.200s)", o->is_rollout ? "roll-out" : "order",
                   o->signer, wa_cert_cn(o->chain.items[0]));
    if (wa_db_begin(m->db, err) != WA_OK)
        return err->code;
    if (record(m, &o->action, err) != WA_OK ||
        wa_outbox_drop(m->db, o->action.id, "refused", err) != WA_OK || /* of another copy */
        (o->rollout.supersedes[0] != '\0' &&
         cancel_one(m, o->rollout.supersedes, o->action.not_after, err) != WA_OK) ||
        carry_out(m, &o->action, by, &task, err) != WA_OK || wa_db_commit(m->db, err) != WA_OK) {
        wa_db_rollback(m->db);
        return err->code;
    }
    wa_lock_take(m->lock);
    wa_lock_signal(m->lock);
    wa_lock_give(m->lock);
    wa_log(&m->log, WA_LOG_INFO, "action.accepted", WA_LF_S("id", o->action.id),
           WA_LF_S("action", wa_action_kind_name(o->action.kind)), WA_LF_S("by", by),
           WA_LF_I("task", task));
    return WA_OK;
}

/* The identifier of an order that was refused, for the report, also when it says more than this
 * agent knows; "" when it has none to be believed. */
static void id_of(const struct wa_json *message, struct wa_arena *arena, char out[33])
{
    const struct wa_json *j = NULL;
    struct wa_envelope e = {0};
    struct wa_err ignored = WA_ERR_INIT, too = WA_ERR_INIT;
    const struct wa_json *order = wa_json_get(message, "order");
    out[0] = '\0';
    struct wa_sv text = wa_json_sv(wa_json_get(order, "action"));
    if (text.n > WA_ACTION_BYTES_MAX || wa_json_parse(text, 0, arena, &j, &ignored) != WA_OK)
        j = wa_envelope_open(wa_json_get(order, "rollout"), WA_PURPOSE_ROLLOUT, arena, &e, &too) ==
                    WA_OK
                ? e.statement
                : NULL;
    struct wa_sv id = wa_json_sv(wa_json_get(j, "id"));
    if (wa_hex_is(id, 32))
        (void)snprintf(out, 33, "%.*s", WA_SV_ARG(id));
}

/* Whether the server is to be told. Not of an identifier that was taken before: its own result
 * stands, whatever is sent under it now; but of one that was cancelled before it came. Not twice of
 * the same, and only of so many at a time: who sends us orders can't fill our disk. */
static enum wa_code owes_refusal(struct wa_manager *m, const char *id, enum wa_code why, bool *ret,
                                 struct wa_err *err)
{
    int64_t known = 0;
    *ret = false;
    if (id[0] == '\0')
        return WA_OK;
    if (wa_action_not_after(m->db, id, &known, err) != WA_OK)
        return err->code;
    return known != 0 && why != WA_E_CANCELLED
               ? WA_OK
               : wa_outbox_has_room(m->db, id, REFUSALS_MAX, ret, err);
}

static void refuse(struct wa_manager *m, const char *id, const struct wa_err *why)
{
    struct wa_err err = WA_ERR_INIT;
    bool owed = false;
    enum wa_code code = owes_refusal(m, id, why->code, &owed, &err);
    wa_log(&m->log, WA_LOG_WARNING, "action.refused", WA_LF_S("id", id),
           WA_LF_S("code", wa_code_name(why->code)), WA_LF_S("why", why->text),
           WA_LF_S("reported", owed ? "yes" : "no"));
    if (code == WA_OK && owed)
        code = wa_outbox_add(m->db, id, why->code == WA_E_CANCELLED ? "cancelled" : "refused",
                             wa_code_name(why->code), wa_sv(why->text), WA_SV(""), &err);
    if (code != WA_OK) {
        wa_log_err(&m->log, WA_LOG_WARNING, "database.failed", &err);
    } else if (owed) { /* sent by the tasks' thread */
        wa_lock_take(m->lock);
        wa_lock_signal(m->lock);
        wa_lock_give(m->lock);
    }
}

/* The server may know of a group before the machine does, whose own package came a moment ago: what
 * is refused for that alone - a roll-out's rule, a signer whom the root lists for groups or units -
 * stays unacknowledged, the repositories are looked at, and the next connection brings it again.
 * Once for each identifier that was not taken before, and once in a while: who has many old
 * statements can't keep us at that. */
static bool looks_first(struct wa_manager *m, const char *id)
{
    struct wa_outside *o = &m->outside;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_local_request r = {.op = WA_OP_UPDATE};
    int64_t task = 0, known = 0, now = wa_clock_now();
    if (wa_action_not_after(m->db, id, &known, &err) != WA_OK || known != 0)
        return false;
    wa_lock_take(m->lock);
    bool is_awaited = m->names_task != 0;
    wa_lock_give(m->lock);
    for (size_t i = 0; i < WA_COUNT(o->ids); i++)
        if (strcmp(o->ids[i], id) == 0)
            return is_awaited;
    if (!is_awaited && o->at != 0 && now >= o->at && now < o->at + LOOK_AGAIN_S)
        return false;
    if (!is_awaited &&
        wa_manager_queue(m, wa_local_op_name(r.op), &r, "order", "", 0, &task, &err) != WA_OK) {
        wa_log_err(&m->log, WA_LOG_WARNING, "update.not_queued", &err);
        return false;
    }
    memcpy(o->ids[o->next++ % WA_COUNT(o->ids)], id, sizeof o->ids[0]);
    if (is_awaited)
        return true;
    o->at = now;
    wa_lock_take(m->lock);
    m->names_task = m->updated_task >= task ? 0 : task;
    m->registered |= m->names_task == 0; /* it has ended by now */
    wa_lock_give(m->lock);
    return true;
}

void wa_order_updated(struct wa_manager *m, int64_t task)
{
    wa_lock_take(m->lock);
    m->updated_task = task;
    m->registered |= m->names_task != 0 && m->names_task <= task;
    m->names_task = m->names_task <= task ? 0 : m->names_task;
    wa_lock_give(m->lock);
}

bool wa_order_take(struct wa_manager *m, const char *nonce, const struct wa_json *message,
                   struct wa_arena *arena, char ret_id[33])
{
    AUTO_PAPERS struct papers papers = {.anchors = NULL};
    bool is_outside = false;
    struct wa_order o = {.index = 0};
    struct wa_err err = WA_ERR_INIT;
    if (nonce[0] == '\0')
        (void)wa_fail(&err, WA_E_REFUSED, "an order before the greeting");
    else if (load_policy(m, nonce, &papers, &is_outside, &err) == WA_OK &&
             wa_order_check(message, &papers.policy, arena, &o, &err) == WA_OK)
        (void)accept_order(m, &o, &err);
    id_of(message, arena, ret_id);
    if (is_outside && ret_id[0] != '\0' && looks_first(m, ret_id)) {
        wa_log(&m->log, WA_LOG_INFO, "action.looks_first", WA_LF_S("id", ret_id));
        ret_id[0] = '\0'; /* not acknowledged */
        return false;
    }
    if (err.code != WA_OK)
        refuse(m, ret_id, &err);
    wa_order_fini(&o);
    return err.code == WA_OK;
}
