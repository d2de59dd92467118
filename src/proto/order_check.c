/* order_check.c - may this machine carry out this order? All of F3A but "once only".
 *
 * The countersignature is judged first: without it nothing shows that the order belongs to this
 * connection and minute. Then the administrator's own signature, and whether that administrator may
 * order here: being trusted for packages is not enough.
 */
#include "base/text.h"
#include "codec/hex.h"
#include "crypto/digest.h"

#include "proto/action_priv.h"
#include "proto/rollout.h"

struct relay {
    struct wa_sv leaf_text;
    struct wa_tree_digest leaf;
    uint64_t index;
    struct wa_tree_proof proof;
    struct wa_envelope batch;
    struct wa_tree_statement root;
};

static enum wa_code read_relay(const struct wa_json *j, struct wa_arena *arena, struct relay *r,
                               struct wa_err *err)
{
    const struct wa_json *proof = NULL, *batch = NULL;
    int64_t index = -1;
    const struct wa_json_field fields[] = {
        {"leaf", WA_WANT_SV, true, 1024, &r->leaf_text},
        {"index", WA_WANT_I64, true, 0, &index},
        {"proof", WA_WANT_ARRAY, true, WA_TREE_DEPTH_MAX, &proof},
        {"batch", WA_WANT_OBJECT, true, 0, &batch},
    };
    if (wa_json_read(j, fields, WA_COUNT(fields), "a countersignature", err) != WA_OK ||
        wa_proof_read(proof, &r->proof, err) != WA_OK ||
        wa_envelope_open(batch, WA_PURPOSE_RELAY_BATCH, arena, &r->batch, err) != WA_OK ||
        wa_tree_statement_read(r->batch.statement, NULL, NULL, &r->root, err) != WA_OK)
        return err->code;
    if (index < 0)
        return wa_fail(err, WA_E_INVALID, "a countersignature without index");
    r->index = (uint64_t)index;
    return WA_OK;
}

static enum wa_code check_minute(int64_t at, int64_t now, struct wa_err *err)
{
    int64_t off = at < 0 ? INT64_MAX : at > now ? at - now : now - at;
    if (off > WA_ACTION_SKEW_S)
        return wa_fail(err, WA_E_REFUSED,
                       "the countersignature is %lld s away from this machine's clock (allowed: "
                       "%d): expired, or a clock is wrong",
                       (long long)off, WA_ACTION_SKEW_S);
    return WA_OK;
}

/* The leaf is for this machine, connection, action and minute. */
static enum wa_code check_leaf(const struct relay *r, struct wa_sv action_text,
                               const struct wa_order_policy *p, struct wa_arena *arena,
                               struct wa_err *err)
{
    struct wa_sv purpose = {0}, uuid = {0}, nonce = {0}, sha256 = {0};
    int64_t time = 0;
    char digest[WA_SHA256_HEX];
    const struct wa_json *j = NULL;
    const struct wa_json_field fields[] = {
        {"purpose", WA_WANT_SV, true, 32, &purpose},
        {"uuid", WA_WANT_SV, true, WA_UUID_MAX, &uuid},
        {"nonce", WA_WANT_SV, true, 64, &nonce},
        {"action_sha256", WA_WANT_SV, true, 64, &sha256},
        {"time", WA_WANT_I64, true, 0, &time},
    };
    if (wa_json_parse(r->leaf_text, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a countersignature", err) != WA_OK ||
        wa_sha256_hex(action_text.p, action_text.n, digest, err) != WA_OK)
        return err->code;
    if (!wa_sv_eqs(purpose, WA_PURPOSE_RELAY))
        return wa_fail(err, WA_E_REFUSED, "the countersignature is for another purpose");
    if (!wa_sv_eqs(uuid, p->uuid))
        return wa_fail(err, WA_E_REFUSED, "the countersignature is for another machine");
    if (!wa_sv_eqs(nonce, p->nonce))
        return wa_fail(err, WA_E_REFUSED,
                       "the countersignature is for another connection (replayed)");
    if (!wa_sv_eqs(sha256, digest))
        return wa_fail(err, WA_E_REFUSED, "the countersignature is for another action");
    return check_minute(time, p->now, err);
}

static enum wa_code check_relay(const struct wa_json *message, struct wa_sv action_text,
                                const struct wa_order_policy *p, struct wa_arena *arena,
                                struct wa_err *err)
{
    struct relay r = {0};
    if (p->relay_key == NULL)
        return wa_fail(err, WA_E_REFUSED, "this machine knows no countersigner: register it first");
    if (read_relay(wa_json_get(message, "relay"), arena, &r, err) != WA_OK)
        return err->code;
    if (wa_envelope_check(&r.batch, p->relay_key, err) != WA_OK)
        return wa_wrap(err, "the server's countersignature");
    if (wa_tree_leaf(r.leaf_text, &r.leaf, err) != WA_OK ||
        wa_tree_check(&r.leaf, r.index, r.root.count, &r.proof, &r.root.root, err) != WA_OK)
        return wa_wrap(err, "the server's countersignature");
    if (check_minute(r.root.time, p->now, err) != WA_OK)
        return err->code;
    return check_leaf(&r, action_text, p, arena, err);
}

/* *ret_outside: it is the machine's groups alone that speak against him. */
static enum wa_code check_signer(const struct wa_order *o, const struct wa_order_policy *p,
                                 bool *ret_outside, struct wa_err *err)
{
    struct wa_trust_result trust;
    if (p->may_order == NULL && !wa_trust_may_order(p->anchors, o->signer))
        return wa_fail(err, WA_E_REFUSED,
                       "the certificate '%s' (%s) may not give orders here: it is not listed in "
                       "[actions] signers",
                       wa_cert_cn(o->chain.items[0]), o->signer);
    if (wa_trust_check(p->anchors, &o->chain, p->now, &trust, err) != WA_OK)
        return wa_wrap(err, "the signer of the order");
    if (p->may_order == NULL)
        return WA_OK;
    if (o->rollout.supersedes[0] != '\0' &&
        p->may_order(p->user, &trust, WA_ACT_CANCEL, ret_outside, err) != WA_OK)
        return wa_wrap(err, "taking the place of another roll-out");
    return p->may_order(p->user, &trust, o->action.kind, ret_outside, err);
}

/* *ret_outside: likewise, against a rule. */
static enum wa_code check_machine(const struct wa_order *o, const struct wa_order_policy *p,
                                  bool *ret_outside, struct wa_err *err)
{
    const char *const *names = NULL;
    if (!o->is_rollout)
        return strcmp(o->action.uuid, p->uuid) == 0
                   ? WA_OK
                   : wa_fail(err, WA_E_REFUSED, "the action is for another machine (%s)",
                             o->action.uuid);
    if (o->rollout.members_of != NULL && p->names != NULL &&
        p->names(p->user, &names, err) != WA_OK)
        return err->code;
    if (wa_rollout_covers(&o->rollout, p->uuid, names))
        return WA_OK;
    *ret_outside = o->rollout.members_of != NULL;
    return wa_fail(err, WA_E_REFUSED, "the roll-out is not for this machine: %s",
                   o->rollout.machines != NULL
                       ? wa_text("it is not in its list")
                       : wa_text("its own host package has it in none of the groups named"));
}

static enum wa_code check_times(const struct wa_order *o, const struct wa_order_policy *p,
                                struct wa_err *err)
{
    const struct wa_action *a = &o->action;
    bool is_rule = o->is_rollout && o->rollout.members_of != NULL;
    if (a->issued_at < p->enrolled_at && !is_rule)
        return wa_fail(err, WA_E_REFUSED, "the action was issued before this machine's enrolment");
    if (a->issued_at > p->now + WA_ACTION_SKEW_S)
        return wa_fail(err, WA_E_REFUSED, "the action was issued in the future: a clock is wrong");
    if (p->now < a->not_before - WA_ACTION_SKEW_S)
        return wa_fail(err, WA_E_REFUSED, "the action may not start yet");
    if (p->now > a->not_after)
        return wa_fail(err, WA_E_REFUSED, "the action has expired");
    return WA_OK;
}

/* But for the groups that the machine knows itself to be in, it is for it, and now. */
static bool is_ours(const struct wa_order *o, const struct wa_order_policy *p)
{
    struct wa_err why = WA_ERR_INIT;
    bool by_rule = false;
    if (check_machine(o, p, &by_rule, &why) != WA_OK && !by_rule)
        return false;
    wa_err_clear(&why);
    return check_times(o, p, &why) == WA_OK;
}

enum wa_code wa_order_check(const struct wa_json *push_message,
                            const struct wa_order_policy *policy, struct wa_arena *arena,
                            struct wa_order *ret, struct wa_err *err)
{
    struct wa_order o = {0};
    bool is_outside = false;
    if (wa_order_read(wa_json_get(push_message, "order"), arena, &o, err) != WA_OK)
        return err->code;
    if (check_relay(push_message, o.action_text, policy, arena, err) != WA_OK ||
        wa_order_check_signature(&o, err) != WA_OK ||
        check_signer(&o, policy, &is_outside, err) != WA_OK ||
        check_machine(&o, policy, &is_outside, err) != WA_OK ||
        check_times(&o, policy, err) != WA_OK)
        goto refused;
    *ret = o;
    return WA_OK;
refused:
    if (is_outside && policy->ret_outside != NULL)
        *policy->ret_outside = is_ours(&o, policy);
    wa_order_fini(&o);
    return err->code;
}
