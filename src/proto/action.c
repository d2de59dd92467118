/* action.c - the form of actions, batches and orders, and their signatures as such.
 *
 * Whether an order may run is decided in order_check.c. Everything read here comes from the
 * network: form first, then digests.
 */
#include "proto/action.h"

#include "base/text.h"
#include "base/utf8.h"
#include "codec/hex.h"
#include "proto/hostid.h"
#include "proto/rollout.h"

#include "proto/action_priv.h"

static const struct {
    const char *name;
    enum wa_action_takes takes;
} kinds[WA_ACT_COUNT] = {
    [WA_ACT_UPDATE] = {WA_TEXT("update"), WA_TAKES_NONE},
    [WA_ACT_UPGRADE] = {WA_TEXT("upgrade"), WA_TAKES_NONE},
    [WA_ACT_INSTALL] = {WA_TEXT("install"), WA_TAKES_SOME},
    [WA_ACT_REMOVE] = {WA_TEXT("remove"), WA_TAKES_SOME},
    [WA_ACT_FORGET] = {WA_TEXT("forget"), WA_TAKES_SOME},
    [WA_ACT_UPDATE_STATUS] = {WA_TEXT("update-status"), WA_TAKES_NONE},
    [WA_ACT_AUDIT] = {WA_TEXT("audit"), WA_TAKES_ANY},
    [WA_ACT_CANCEL] = {WA_TEXT("cancel"), WA_TAKES_NONE},
    [WA_ACT_REBOOT] = {WA_TEXT("reboot"), WA_TAKES_NONE},
    [WA_ACT_SHUTDOWN] = {WA_TEXT("shutdown"), WA_TAKES_NONE},
    [WA_ACT_WAKE] = {WA_TEXT("wake"), WA_TAKES_NONE},
    [WA_ACT_MESSAGE] = {WA_TEXT("message"), WA_TAKES_NONE},
    [WA_ACT_PROPOSE_UPGRADE] = {WA_TEXT("propose-upgrade"), WA_TAKES_NONE},
    [WA_ACT_RESTART_AGENT] = {WA_TEXT("restart-agent"), WA_TAKES_NONE},
    [WA_ACT_DESCRIBE] = {WA_TEXT("describe"), WA_TAKES_NONE},
};

const char *wa_action_kind_name(enum wa_action_kind k)
{
    return k < WA_ACT_COUNT ? kinds[k].name : "";
}

bool wa_action_kind_find(struct wa_sv name, enum wa_action_kind *ret)
{
    for (size_t i = 0; i < WA_ACT_COUNT; i++) {
        if (!wa_sv_eqs(name, kinds[i].name))
            continue;
        *ret = (enum wa_action_kind)i;
        return true;
    }
    return false;
}

enum wa_action_takes wa_action_kind_takes(enum wa_action_kind k)
{
    return k < WA_ACT_COUNT ? kinds[k].takes : WA_TAKES_NONE;
}

bool wa_action_kind_spares(enum wa_action_kind k)
{
    return k == WA_ACT_UPGRADE || k == WA_ACT_INSTALL || k == WA_ACT_REMOVE;
}

enum wa_code wa_action_check_spares(enum wa_action_kind kind, bool only_if_not_running,
                                    struct wa_err *err)
{
    return !only_if_not_running || wa_action_kind_spares(kind)
               ? WA_OK
               : wa_fail(err, WA_E_INVALID, "action '%s' can't leave out what is in use",
                         wa_action_kind_name(kind));
}

enum wa_code wa_action_check_counts(enum wa_action_kind kind, const struct wa_action_counts *n,
                                    struct wa_err *err)
{
    enum wa_action_takes takes = wa_action_kind_takes(kind);
    if (takes != WA_TAKES_ANY && (takes == WA_TAKES_SOME) != (n->packages > 0))
        return wa_fail(err, WA_E_INVALID, "action '%s' %s packages", wa_action_kind_name(kind),
                       n->packages > 0 ? "takes no" : "needs");
    if ((kind == WA_ACT_CANCEL) != (n->cancels > 0) || n->cancels > WA_ACTION_CANCELS_MAX)
        return wa_fail(err, WA_E_INVALID, "action '%s' names %zu others to cancel",
                       wa_action_kind_name(kind), n->cancels);
    if ((kind == WA_ACT_WAKE) != (n->macs > 0) || n->macs > WA_ACTION_MACS_MAX)
        return wa_fail(err, WA_E_INVALID, "action '%s' names %zu machines to wake",
                       wa_action_kind_name(kind), n->macs);
    if (kind != WA_ACT_DESCRIBE && (kind == WA_ACT_MESSAGE) != (n->text > 0))
        return wa_fail(err, WA_E_INVALID,
                       n->text > 0 ? "action '%s' takes no text"
                                   : wa_text("action '%s' needs a text"),
                       wa_action_kind_name(kind));
    return WA_OK;
}

enum wa_code wa_action_check_text(struct wa_sv text, struct wa_err *err)
{
    size_t at = 0;
    uint32_t cp = 0;
    if (text.n == 0 || text.n > WA_ACTION_TEXT_MAX)
        return wa_fail(err, WA_E_INVALID, "a text of %zu bytes: from 1 to %u are shown", text.n,
                       WA_ACTION_TEXT_MAX);
    while (at < text.n)
        if (!wa_utf8_next(text, &at, &cp) || (cp != '\n' && !wa_utf8_is_shown(cp)))
            return wa_fail(err, WA_E_INVALID,
                           "byte %zu of the text belongs to no character that can be seen", at + 1);
    return WA_OK;
}

bool wa_description_is_good(struct wa_sv text)
{
    uint32_t cp = 0;
    for (size_t at = 0; at < text.n;)
        if (!wa_utf8_next(text, &at, &cp) || !wa_utf8_is_shown(cp))
            return false;
    return text.n <= WA_DESCRIPTION_MAX;
}

static enum wa_code check_text(const struct wa_action *a, struct wa_err *err)
{
    if (a->kind != WA_ACT_DESCRIBE)
        return a->text.n > 0 ? wa_action_check_text(a->text, err) : WA_OK;
    return wa_description_is_good(a->text)
               ? WA_OK
               : wa_fail(err, WA_E_INVALID,
                         "a description is one line of at most %u bytes, of characters that can be "
                         "seen",
                         WA_DESCRIPTION_MAX);
}

/* What holds for every action, written or read. */
static enum wa_code check_action(const struct wa_action *a, const struct wa_action_counts *n,
                                 struct wa_err *err)
{
    uint32_t age_max = a->kind == WA_ACT_CANCEL ? WA_ROLLOUT_AGE_MAX_S : WA_ACTION_AGE_MAX_S;
    if (!wa_hex_is(wa_sv(a->id), 32))
        return wa_fail(err, WA_E_INVALID, "an action's identifier is not 32 hex digits");
    if (!wa_hostid_is_valid(wa_sv(a->uuid)))
        return wa_fail(err, WA_E_INVALID, "an action without the uuid of a machine");
    if (wa_action_check_counts(a->kind, n, err) != WA_OK ||
        wa_action_check_spares(a->kind, a->only_if_not_running, err) != WA_OK)
        return err->code;
    if (a->issued_at < 0 || a->not_before < a->issued_at || a->not_after <= a->not_before ||
        a->not_after - a->issued_at > (int64_t)age_max)
        return wa_fail(err, WA_E_INVALID,
                       "an action's times are out of order or more than %u days apart",
                       (unsigned)(age_max / 86400u));
    return WA_OK;
}

enum wa_code wa_action_write(const struct wa_action *a, const char *const *items, size_t item_count,
                             struct wa_buf *text, struct wa_err *err)
{
    bool is_cancel = a->kind == WA_ACT_CANCEL, is_wake = a->kind == WA_ACT_WAKE;
    const struct wa_action_counts n = {.packages = is_cancel || is_wake ? 0 : item_count,
                                       .cancels = is_cancel ? item_count : 0,
                                       .macs = is_wake ? item_count : 0,
                                       .text = a->text.n};
    if (check_action(a, &n, err) != WA_OK || check_text(a, err) != WA_OK)
        return err->code;
    struct wa_jw w;
    wa_jw_init(&w, text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "purpose", "wapt-action");
    wa_jw_kv(&w, "id", a->id);
    wa_jw_kv(&w, "action", wa_action_kind_name(a->kind));
    wa_jw_kv(&w, "uuid", a->uuid);
    wa_jw_kvi(&w, "issued_at", a->issued_at);
    wa_jw_kvi(&w, "not_before", a->not_before);
    wa_jw_kvi(&w, "not_after", a->not_after);
    wa_jw_kvb(&w, "force", a->force);
    if (a->only_if_not_running) /* only then: who does not know it obeys what says nothing of it */
        wa_jw_kvb(&w, "only_if_not_running", true);
    if (item_count > 0) {
        wa_jw_key(&w, is_cancel ? "cancels" : is_wake ? "macs" : "packages");
        wa_jw_arr(&w);
        for (size_t i = 0; i < item_count; i++)
            wa_jw_s(&w, items[i]);
        wa_jw_end(&w);
    }
    if (a->text.n > 0 || a->kind == WA_ACT_DESCRIBE)
        wa_jw_kvsv(&w, "text", a->text);
    wa_jw_end(&w);
    if (text->n > WA_ACTION_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "an action of more than %u bytes", WA_ACTION_BYTES_MAX);
    return wa_buf_check(text, err);
}

enum wa_code wa_action_check_packages(const struct wa_json *packages, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(packages); i++) {
        const struct wa_json *item = wa_json_at(packages, i);
        struct wa_sv text = wa_json_sv(item);
        if (!wa_json_is(item, WA_JSON_STRING) || text.n == 0 || text.n > 2 * WA_NAME_MAX ||
            memchr(text.p, 0, text.n) != NULL)
            return wa_fail(err, WA_E_INVALID,
                           "item %zu of an action's packages is not a requirement", i + 1);
    }
    return WA_OK;
}

static enum wa_code check_cancels(const struct wa_json *cancels, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(cancels); i++)
        if (!wa_hex_is(wa_json_sv(wa_json_at(cancels, i)), 32))
            return wa_fail(err, WA_E_INVALID,
                           "item %zu of what an action cancels is not an identifier", i + 1);
    return WA_OK;
}

static enum wa_code check_macs(const struct wa_json *macs, struct wa_err *err)
{
    uint8_t ignored[WA_MAC_SIZE];
    for (size_t i = 0; i < wa_json_count(macs); i++)
        if (!wa_mac_parse(wa_json_sv(wa_json_at(macs, i)), ignored))
            return wa_fail(err, WA_E_INVALID,
                           "item %zu of whom an action wakes is not a card's MAC address", i + 1);
    return WA_OK;
}

enum wa_code wa_action_read(struct wa_sv text, struct wa_arena *arena, struct wa_action *ret,
                            struct wa_err *err)
{
    struct wa_action a = {0};
    struct wa_sv purpose = {0}, id = {0}, kind = {0}, uuid = {0};
    const struct wa_json *j = NULL;
    const struct wa_json_field fields[] = {
        {"purpose", WA_WANT_SV, true, 32, &purpose},
        {"id", WA_WANT_SV, true, 32, &id},
        {"action", WA_WANT_SV, true, 32, &kind},
        {"uuid", WA_WANT_SV, true, WA_UUID_MAX, &uuid},
        {"issued_at", WA_WANT_I64, true, 0, &a.issued_at},
        {"not_before", WA_WANT_I64, true, 0, &a.not_before},
        {"not_after", WA_WANT_I64, true, 0, &a.not_after},
        {"force", WA_WANT_BOOL, true, 0, &a.force},
        {"packages", WA_WANT_ARRAY, false, WA_ACTION_PACKAGES_MAX, &a.packages},
        {"cancels", WA_WANT_ARRAY, false, WA_ACTION_CANCELS_MAX, &a.cancels},
        {"macs", WA_WANT_ARRAY, false, WA_ACTION_MACS_MAX, &a.macs},
        {"only_if_not_running", WA_WANT_BOOL, false, 0, &a.only_if_not_running},
        {"text", WA_WANT_SV, false, WA_ACTION_TEXT_MAX, &a.text},
    };
    if (text.n > WA_ACTION_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "an action of more than %u bytes", WA_ACTION_BYTES_MAX);
    if (wa_json_parse(text, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "an action", err) != WA_OK)
        return err->code;
    if (!wa_sv_eqs(purpose, "wapt-action"))
        return wa_fail(err, WA_E_REFUSED,
                       "a statement for another purpose stands where an action should");
    if (!wa_action_kind_find(kind, &a.kind))
        return wa_fail(err, WA_E_INVALID, "unknown action '%.*s'", WA_SV_ARG(kind));
    if (!wa_hex_is(id, 32) || wa_hostid_copy(uuid, a.uuid, err) != WA_OK)
        return wa_fail(err, WA_E_INVALID, "an action without identifier or machine");
    memcpy(a.id, id.p, 32);
    const struct wa_action_counts n = {.packages = wa_json_count(a.packages),
                                       .cancels = wa_json_count(a.cancels),
                                       .macs = wa_json_count(a.macs),
                                       .text = a.text.n};
    if (a.kind == WA_ACT_DESCRIBE && wa_json_get(j, "text") == NULL)
        return wa_fail(err, WA_E_INVALID, "action 'describe' needs a text, if an empty one");
    if (check_action(&a, &n, err) != WA_OK || check_text(&a, err) != WA_OK ||
        wa_action_check_packages(a.packages, err) != WA_OK ||
        check_cancels(a.cancels, err) != WA_OK || check_macs(a.macs, err) != WA_OK)
        return err->code;
    *ret = a;
    return WA_OK;
}

/* --- digests as hex in JSON --- */

enum wa_code wa_proof_read(const struct wa_json *array, struct wa_tree_proof *ret,
                           struct wa_err *err)
{
    size_t n = wa_json_count(array);
    if (n > WA_TREE_DEPTH_MAX)
        return wa_fail(err, WA_E_LIMIT, "a proof of more than %u digests", WA_TREE_DEPTH_MAX);
    ret->n = n;
    for (size_t i = 0; i < n; i++) {
        struct wa_sv hex = wa_json_sv(wa_json_at(array, i));
        if (!wa_hex_is(hex, 64) || !wa_hex_decode(hex, ret->path[i].b, WA_SHA256_SIZE))
            return wa_fail(err, WA_E_INVALID, "a proof holds something that is not a digest");
    }
    return WA_OK;
}

void wa_proof_write(struct wa_jw *w, const struct wa_tree_proof *proof)
{
    char hex[WA_SHA256_HEX];
    wa_jw_arr(w);
    for (size_t i = 0; i < proof->n; i++) {
        wa_hex_encode(proof->path[i].b, WA_SHA256_SIZE, hex);
        wa_jw_s(w, hex);
    }
    wa_jw_end(w);
}

enum wa_code wa_tree_statement_read(const struct wa_json *statement, const char *signer_key,
                                    struct wa_sv *ret_signer, struct wa_tree_statement *ret,
                                    struct wa_err *err)
{
    struct wa_sv purpose = {0}, root = {0};
    int64_t count = 0;
    const struct wa_json_field fields[] = {
        {"purpose", WA_WANT_SV, true, 32, &purpose},
        {"root", WA_WANT_SV, true, 64, &root},
        {"count", WA_WANT_I64, true, 0, &count},
        {signer_key != NULL ? "issued_at" : "time", WA_WANT_I64, true, 0, &ret->time},
        {signer_key, WA_WANT_SV, true, 64, ret_signer},
    };
    size_t field_count = WA_COUNT(fields) - (signer_key == NULL ? 1 : 0);
    if (wa_json_read(statement, fields, field_count, "a signed batch", err) != WA_OK)
        return err->code;
    if (!wa_hex_is(root, 64) || !wa_hex_decode(root, ret->root.b, WA_SHA256_SIZE) || count < 1 ||
        count > (int64_t)WA_TREE_LEAVES_MAX)
        return wa_fail(err, WA_E_INVALID, "a signed batch without root or count");
    ret->count = (uint64_t)count;
    return WA_OK;
}

/* --- an order, taken apart --- */

void wa_order_fini(struct wa_order *o)
{
    wa_certs_fini(&o->chain);
    *o = (struct wa_order){0};
}

void wa_order_shared_fini(struct wa_order_shared *s)
{
    wa_certs_fini(&s->chain);
    *s = (struct wa_order_shared){.chains = s->chains};
}

/* Into *ret, by way of what was read last: the same bytes are the same certificates. */
static enum wa_code read_chain(struct wa_sv pem, struct wa_order_shared *shared,
                               struct wa_certs *ret, struct wa_err *err)
{
    if (shared == NULL)
        return wa_certs_read_pem(pem, WA_CHAIN_MAX, ret, err);
    if (shared->chain.n == 0 || !wa_sv_eq(pem, shared->pem)) {
        wa_order_shared_fini(shared);
        if (wa_certs_read_pem(pem, WA_CHAIN_MAX, &shared->chain, err) != WA_OK)
            return err->code;
        shared->pem = pem;
        shared->chains++;
    }
    for (size_t i = 0; i < shared->chain.n; i++)
        if (wa_certs_add(ret, shared->chain.items[i], err) != WA_OK)
            return err->code;
    return WA_OK;
}

static enum wa_code read_order(const struct wa_json *order, struct wa_arena *arena,
                               struct wa_order_shared *shared, struct wa_order *o,
                               struct wa_err *err)
{
    const struct wa_json *proof = NULL, *batch = NULL;
    struct wa_sv chain = {0}, signer = {0};
    int64_t index = -1;
    struct wa_tree_statement t = {0};
    const struct wa_json_field fields[] = {
        {"action", WA_WANT_SV, true, WA_ACTION_BYTES_MAX, &o->action_text},
        {"index", WA_WANT_I64, true, 0, &index},
        {"proof", WA_WANT_ARRAY, true, WA_TREE_DEPTH_MAX, &proof},
        {"batch", WA_WANT_OBJECT, true, 0, &batch},
        {"chain", WA_WANT_SV, true, WA_CERTFILE_BYTES_MAX, &chain},
    };
    if (wa_json_read(order, fields, WA_COUNT(fields), "an order", err) != WA_OK ||
        wa_action_read(o->action_text, arena, &o->action, err) != WA_OK ||
        wa_proof_read(proof, &o->proof, err) != WA_OK ||
        wa_envelope_open(batch, WA_PURPOSE_BATCH, arena, &o->batch, err) != WA_OK ||
        wa_tree_statement_read(o->batch.statement, "signer", &signer, &t, err) != WA_OK ||
        read_chain(chain, shared, &o->chain, err) != WA_OK)
        return err->code;
    if (index < 0 || !wa_hex_is(signer, 64))
        return wa_fail(err, WA_E_INVALID, "an order without index or signer");
    o->index = (uint64_t)index;
    o->count = t.count;
    o->root = t.root;
    memcpy(o->signer, signer.p, 64);
    o->signer[64] = '\0';
    return WA_OK;
}

/* The action of a statement, as if it were this machine's alone. */
static void take_rollout(struct wa_order *o)
{
    const struct wa_rollout *r = &o->rollout;
    o->is_rollout = true;
    o->action_text = o->batch.text;
    o->action = (struct wa_action){.kind = r->kind,
                                   .issued_at = r->issued_at,
                                   .not_before = r->not_before,
                                   .not_after = r->not_after,
                                   .packages = r->packages,
                                   .force = r->force,
                                   .only_if_not_running = r->only_if_not_running};
    memcpy(o->action.id, r->id, sizeof o->action.id);
}

static enum wa_code read_rollout(const struct wa_json *order, struct wa_arena *arena,
                                 struct wa_order_shared *shared, struct wa_order *o,
                                 struct wa_err *err)
{
    const struct wa_json *statement = NULL;
    struct wa_sv chain = {0}, signer = {0};
    const struct wa_json_field fields[] = {
        {"rollout", WA_WANT_OBJECT, true, 0, &statement},
        {"chain", WA_WANT_SV, true, WA_CERTFILE_BYTES_MAX, &chain},
    };
    if (wa_json_read(order, fields, WA_COUNT(fields), "a roll-out's order", err) != WA_OK ||
        wa_envelope_open(statement, WA_PURPOSE_ROLLOUT, arena, &o->batch, err) != WA_OK)
        return err->code;
    if (o->batch.text.n > WA_ACTION_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "a roll-out's statement of more than %u bytes",
                       WA_ACTION_BYTES_MAX);
    if (wa_rollout_read(o->batch.statement, &o->rollout, &signer, err) != WA_OK ||
        read_chain(chain, shared, &o->chain, err) != WA_OK)
        return err->code;
    memcpy(o->signer, signer.p, 64);
    o->signer[64] = '\0';
    take_rollout(o);
    return WA_OK;
}

enum wa_code wa_order_read_shared(const struct wa_json *order, struct wa_arena *arena,
                                  struct wa_order_shared *shared, struct wa_order *ret,
                                  struct wa_err *err)
{
    struct wa_order o = {0};
    bool is_rollout = wa_json_get(order, "rollout") != NULL;
    if ((is_rollout ? read_rollout : read_order)(order, arena, shared, &o, err) != WA_OK) {
        wa_order_fini(&o);
        return err->code;
    }
    *ret = o;
    return WA_OK;
}

enum wa_code wa_order_read(const struct wa_json *order, struct wa_arena *arena,
                           struct wa_order *ret, struct wa_err *err)
{
    return wa_order_read_shared(order, arena, NULL, ret, err);
}

/* The signature over the root, unless these very bytes were checked last, by this chain. */
static enum wa_code check_root(const struct wa_order *o, struct wa_order_shared *shared,
                               struct wa_err *err)
{
    const struct wa_cert *signer = o->chain.items[0];
    bool is_known = shared != NULL && shared->chain.n > 0 && shared->chain.items[0] == signer &&
                    shared->checked.n > 0 && wa_sv_eq(shared->checked, o->batch.text) &&
                    wa_sv_eq(shared->signature, o->batch.signature);
    if (is_known)
        return WA_OK;
    if (wa_envelope_check(&o->batch, wa_cert_key(signer), err) != WA_OK)
        return wa_wrap(err, "order signed by '%s'", wa_cert_cn(signer));
    if (shared != NULL && shared->chain.n > 0 && shared->chain.items[0] == signer) {
        shared->checked = o->batch.text;
        shared->signature = o->batch.signature;
    }
    return WA_OK;
}

enum wa_code wa_order_check_shared(const struct wa_order *o, struct wa_order_shared *shared,
                                   struct wa_err *err)
{
    struct wa_tree_digest leaf;
    const struct wa_cert *signer = o->chain.items[0];
    if (strcmp(wa_cert_fingerprint(signer), o->signer) != 0)
        return wa_fail(err, WA_E_REFUSED,
                       "the order names signer %s but carries the certificate %s", o->signer,
                       wa_cert_fingerprint(signer));
    if (check_root(o, shared, err) != WA_OK)
        return err->code;
    if (o->is_rollout)
        return WA_OK; /* the signature is over the statement itself */
    if (wa_tree_leaf(o->action_text, &leaf, err) != WA_OK ||
        wa_tree_check(&leaf, o->index, o->count, &o->proof, &o->root, err) != WA_OK)
        return wa_wrap(err, "the action is not part of what '%s' signed", wa_cert_cn(signer));
    return WA_OK;
}

enum wa_code wa_order_check_signature(const struct wa_order *o, struct wa_err *err)
{
    return wa_order_check_shared(o, NULL, err);
}
