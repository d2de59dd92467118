/* rollout.c - the form of roll-outs' statements: written, read, and whom they are for.
 *
 * Everything read here comes from the network. A statement is for listed machines or for members of
 * groups, never for both and never for nobody; who signed it is judged in order_check.c.
 */
#include "proto/rollout.h"

#include "codec/hex.h"
#include "proto/hostid.h"

#include "proto/action_priv.h"

static enum wa_code check(const struct wa_rollout *r, size_t packages, size_t machines,
                          size_t members, struct wa_err *err)
{
    if (!wa_hex_is(wa_sv(r->id), 32) ||
        (r->supersedes[0] != '\0' && !wa_hex_is(wa_sv(r->supersedes), 32)))
        return wa_fail(err, WA_E_INVALID, "a roll-out's identifier is not 32 hex digits");
    const struct wa_action_counts counts = {.packages = packages};
    if (r->kind == WA_ACT_CANCEL)
        return wa_fail(err, WA_E_INVALID, "a roll-out can't cancel");
    if (wa_action_check_counts(r->kind, &counts, err) != WA_OK || /* nor wake anybody */
        wa_action_check_spares(r->kind, r->only_if_not_running, err) != WA_OK)
        return err->code;
    if ((machines > 0) == (members > 0))
        return wa_fail(err, WA_E_INVALID,
                       "a roll-out is for machines that it lists or for members of groups");
    if (machines > WA_ROLLOUT_MACHINES_MAX || members > WA_ROLLOUT_NAMES_MAX)
        return wa_fail(err, WA_E_LIMIT,
                       "a roll-out lists more than %u machines or %u groups: more are a group",
                       WA_ROLLOUT_MACHINES_MAX, WA_ROLLOUT_NAMES_MAX);
    if (r->issued_at < 0 || r->not_before < r->issued_at || r->not_after <= r->not_before ||
        r->not_after - r->issued_at > (int64_t)WA_ROLLOUT_AGE_MAX_S)
        return wa_fail(err, WA_E_INVALID,
                       "a roll-out's times are out of order or more than %u days apart",
                       (unsigned)(WA_ROLLOUT_AGE_MAX_S / 86400u));
    return WA_OK;
}

static void write_list(struct wa_jw *w, const char *key, const char *const *items, size_t n)
{
    if (n == 0)
        return;
    wa_jw_key(w, key);
    wa_jw_arr(w);
    for (size_t i = 0; i < n; i++)
        wa_jw_s(w, items[i]);
    wa_jw_end(w);
}

enum wa_code wa_rollout_write(const struct wa_rollout *r, const struct wa_rollout_lists *lists,
                              const char *signer, struct wa_buf *text, struct wa_err *err)
{
    struct wa_jw w;
    if (check(r, lists->package_count, lists->machine_count, lists->member_count, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "purpose", WA_PURPOSE_ROLLOUT);
    wa_jw_kv(&w, "id", r->id);
    wa_jw_kv(&w, "action", wa_action_kind_name(r->kind));
    write_list(&w, "packages", lists->packages, lists->package_count);
    wa_jw_kvb(&w, "force", r->force);
    if (r->only_if_not_running) /* as of an action */
        wa_jw_kvb(&w, "only_if_not_running", true);
    write_list(&w, "machines", lists->machines, lists->machine_count);
    write_list(&w, "members_of", lists->members_of, lists->member_count);
    wa_jw_kvi(&w, "issued_at", r->issued_at);
    wa_jw_kvi(&w, "not_before", r->not_before);
    wa_jw_kvi(&w, "not_after", r->not_after);
    if (r->supersedes[0] != '\0')
        wa_jw_kv(&w, "supersedes", r->supersedes);
    wa_jw_kv(&w, "signer", signer);
    wa_jw_end(&w);
    if (text->n > WA_ACTION_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "a roll-out's statement of more than %u bytes",
                       WA_ACTION_BYTES_MAX);
    return wa_buf_check(text, err);
}

static enum wa_code check_names(const struct wa_json *list, size_t max, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(list); i++) {
        struct wa_sv name = wa_json_sv(wa_json_at(list, i));
        if (name.n == 0 || name.n > max || memchr(name.p, 0, name.n) != NULL)
            return wa_fail(err, WA_E_INVALID, "item %zu of whom a roll-out is for is no name",
                           i + 1);
    }
    return WA_OK;
}

static enum wa_code copy_id(struct wa_sv id, char ret[33], struct wa_err *err)
{
    if (!wa_hex_is(id, 32))
        return wa_fail(err, WA_E_INVALID, "a roll-out's identifier is not 32 hex digits");
    memcpy(ret, id.p, 32);
    ret[32] = '\0';
    return WA_OK;
}

enum wa_code wa_rollout_read(const struct wa_json *statement, struct wa_rollout *ret,
                             struct wa_sv *ret_signer, struct wa_err *err)
{
    struct wa_rollout r = {.kind = WA_ACT_UPDATE};
    struct wa_sv purpose = {0}, id = {0}, kind = {0}, signer = {0}, supersedes = {0};
    const struct wa_json_field fields[] = {
        {"purpose", WA_WANT_SV, true, 32, &purpose},
        {"id", WA_WANT_SV, true, 32, &id},
        {"action", WA_WANT_SV, true, 32, &kind},
        {"packages", WA_WANT_ARRAY, false, WA_ACTION_PACKAGES_MAX, &r.packages},
        {"force", WA_WANT_BOOL, true, 0, &r.force},
        {"only_if_not_running", WA_WANT_BOOL, false, 0, &r.only_if_not_running},
        {"machines", WA_WANT_ARRAY, false, WA_ROLLOUT_MACHINES_MAX, &r.machines},
        {"members_of", WA_WANT_ARRAY, false, WA_ROLLOUT_NAMES_MAX, &r.members_of},
        {"issued_at", WA_WANT_I64, true, 0, &r.issued_at},
        {"not_before", WA_WANT_I64, true, 0, &r.not_before},
        {"not_after", WA_WANT_I64, true, 0, &r.not_after},
        {"supersedes", WA_WANT_SV, false, 32, &supersedes},
        {"signer", WA_WANT_SV, true, 64, &signer},
    };
    if (wa_json_read(statement, fields, WA_COUNT(fields), "a roll-out", err) != WA_OK ||
        copy_id(id, r.id, err) != WA_OK ||
        (supersedes.n > 0 && copy_id(supersedes, r.supersedes, err) != WA_OK))
        return err->code;
    if (!wa_sv_eqs(purpose, WA_PURPOSE_ROLLOUT) || !wa_hex_is(signer, 64))
        return wa_fail(err, WA_E_INVALID, "a roll-out without purpose or signer");
    if (!wa_action_kind_find(kind, &r.kind))
        return wa_fail(err, WA_E_INVALID, "unknown action '%.*s'", WA_SV_ARG(kind));
    if (check(&r, wa_json_count(r.packages), wa_json_count(r.machines), wa_json_count(r.members_of),
              err) != WA_OK ||
        wa_action_check_packages(r.packages, err) != WA_OK ||
        check_names(r.machines, WA_UUID_MAX, err) != WA_OK ||
        check_names(r.members_of, WA_NAME_MAX, err) != WA_OK)
        return err->code;
    *ret = r;
    *ret_signer = signer;
    return WA_OK;
}

enum wa_code wa_rollout_open(const struct wa_json *order, struct wa_arena *arena,
                             struct wa_rollout *ret, struct wa_err *err)
{
    struct wa_envelope e;
    struct wa_sv ignored;
    if (wa_envelope_open(wa_json_get(order, "rollout"), WA_PURPOSE_ROLLOUT, arena, &e, err) !=
        WA_OK)
        return err->code;
    return wa_rollout_read(e.statement, ret, &ignored, err);
}

enum wa_code wa_rollout_order_write(struct wa_sv text, const struct wa_key *key,
                                    const struct wa_certs *chain, struct wa_buf *out,
                                    struct wa_err *err)
{
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf envelope;
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&envelope, 4 * WA_ACTION_BYTES_MAX);
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (chain->n == 0 || !wa_cert_matches_key(chain->items[0], key))
        return wa_fail(err, WA_E_USAGE, "the certificate does not belong to the private key");
    if (wa_envelope_seal(text, key, &envelope, err) != WA_OK ||
        wa_certs_write_pem(chain, &pem, err) != WA_OK || wa_buf_check(&envelope, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "rollout");
    wa_jw_raw(&w, wa_buf_sv(&envelope));
    wa_jw_kvsv(&w, "chain", wa_buf_sv(&pem));
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

static bool lists(const struct wa_json *list, const char *name)
{
    for (size_t i = 0; i < wa_json_count(list); i++)
        if (wa_sv_eqs(wa_json_sv(wa_json_at(list, i)), name))
            return true;
    return false;
}

bool wa_rollout_covers(const struct wa_rollout *r, const char *uuid, const char *const *names)
{
    if (r->machines != NULL)
        return lists(r->machines, uuid);
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        if (lists(r->members_of, names[i]))
            return true;
    return false;
}
