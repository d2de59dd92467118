/* root_wish.c - the next root of a repository, as a person wants it; and his signature. */
#include "console/root_wish.h"

#define DAYS_MAX 3650

/* --- a wish --- */

static struct wa_cert *known_cert(const struct wa_root *r, struct wa_sv fingerprint)
{
    for (size_t i = 0; r != NULL && i < r->administrators.n; i++)
        if (wa_sv_eqs(fingerprint, wa_cert_fingerprint(r->administrators.items[i])))
            return r->administrators.items[i];
    for (size_t i = 0; r != NULL && i < r->signer_count; i++)
        if (wa_sv_eqs(fingerprint, wa_cert_fingerprint(r->signers[i].cert)))
            return r->signers[i].cert;
    return NULL;
}

static enum wa_code read_cert(const struct wa_root *in_force, struct wa_sv text,
                              struct wa_cert **ret, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    struct wa_cert *known = known_cert(in_force, text);
    if (known == NULL && wa_certs_read_pem(text, WA_CHAIN_MAX, &certs, err) != WA_OK)
        return wa_wrap(err, "a certificate of the wish");
    *ret = wa_cert_ref(known != NULL ? known : certs.items[0]);
    return WA_OK;
}

static enum wa_code put_administrators(const struct wa_root *in_force, const struct wa_json *list,
                                       struct wa_root *r, struct wa_err *err)
{
    wa_certs_fini(&r->administrators);
    for (size_t i = 0; i < wa_json_count(list); i++) {
        WA_AUTO(wa_cert) struct wa_cert *c = NULL;
        if (read_cert(in_force, wa_json_sv(wa_json_at(list, i)), &c, err) != WA_OK ||
            wa_certs_add(&r->administrators, c, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code put_signer(const struct wa_root *in_force, const struct wa_json *j,
                               struct wa_root *r, struct wa_err *err)
{
    WA_AUTO(wa_cert) struct wa_cert *c = NULL;
    struct wa_root_signer s = {.cert = NULL};
    struct wa_sv text = WA_SV("");
    const struct wa_json *lists[5] = {NULL};
    const struct wa_json **kept[5] = {&s.sections, &s.prefixes, &s.actions, &s.groups, &s.units};
    const struct wa_json_field fields[] = {
        {"certificate", WA_WANT_SV, true, WA_CERTFILE_BYTES_MAX, &text},
        {"sections", WA_WANT_ARRAY, true, WA_ROOT_LIST_MAX, &lists[0]},
        {"prefixes", WA_WANT_ARRAY, true, WA_ROOT_LIST_MAX, &lists[1]},
        {"actions", WA_WANT_ARRAY, true, WA_ROOT_LIST_MAX, &lists[2]},
        {"groups", WA_WANT_ARRAY, true, WA_ROOT_LIST_MAX, &lists[3]},
        {"units", WA_WANT_ARRAY, true, WA_ROOT_LIST_MAX, &lists[4]},
        {"code", WA_WANT_BOOL, true, 0, &s.may_sign_code},
        {"publish", WA_WANT_BOOL, true, 0, &s.may_publish}};
    if (wa_json_read(j, fields, WA_COUNT(fields), "a signer", err) != WA_OK ||
        read_cert(in_force, text, &c, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(lists); i++)
        if (wa_root_keep_list(r, lists[i], kept[i], err) != WA_OK)
            return err->code;
    s.cert = c;
    return wa_root_put_signer(r, &s, err);
}

static enum wa_code put_key(const struct wa_root *in_force, struct wa_sv text, struct wa_root *r,
                            struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    char id[65];
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    for (size_t i = 0; in_force != NULL && i < in_force->timestamp_key_count; i++) {
        if (wa_signed_key_id(in_force->timestamp_keys[i], id, err) != WA_OK)
            return err->code;
        if (wa_sv_eqs(text, id))
            return wa_key_write_public_pem(in_force->timestamp_keys[i], &pem, err) == WA_OK
                       ? wa_root_add_timestamp_key(r, wa_buf_sv(&pem), err)
                       : err->code;
    }
    return wa_root_add_timestamp_key(r, text, err);
}

static enum wa_code put_keys(const struct wa_root *in_force, const struct wa_json *list,
                             struct wa_root *r, struct wa_err *err)
{
    if (list == NULL)
        return WA_OK;
    wa_root_clear_timestamp_keys(r);
    for (size_t i = 0; i < wa_json_count(list); i++)
        if (put_key(in_force, wa_json_sv(wa_json_at(list, i)), r, err) != WA_OK)
            return wa_wrap(err, "timestamp key %zu", i + 1);
    return WA_OK;
}

static enum wa_code fill(const struct wa_root *in_force, const struct wa_json *wish, int64_t now,
                         struct wa_root *r, struct wa_err *err)
{
    const struct wa_json *administrators = NULL, *signers = NULL, *keys = NULL;
    int64_t days = 0;
    const struct wa_json_field fields[] = {
        {"days", WA_WANT_I64, true, 0, &days},
        {"threshold", WA_WANT_I64, true, 0, &r->threshold},
        {"published_days", WA_WANT_I64, true, 0, &r->published_days},
        {"timestamp_hours", WA_WANT_I64, true, 0, &r->timestamp_hours},
        {"administrators", WA_WANT_ARRAY, true, WA_ROOT_ADMINISTRATORS_MAX, &administrators},
        {"signers", WA_WANT_ARRAY, true, WA_ROOT_SIGNERS_MAX, &signers},
        {"timestamp_keys", WA_WANT_ARRAY, false, WA_ROOT_TIMESTAMP_KEYS_MAX, &keys}};
    if (wa_json_read(wish, fields, WA_COUNT(fields), "the wish", err) != WA_OK)
        return err->code;
    if (days < 1 || days > DAYS_MAX)
        return wa_fail(err, WA_E_INVALID, "a root is good for 1 to %d days", DAYS_MAX);
    r->issued = now;
    r->expires = now + days * 86400;
    wa_root_clear_signers(r);
    if (put_administrators(in_force, administrators, r, err) != WA_OK ||
        put_keys(in_force, keys, r, err) != WA_OK)
        return err->code;
    if (r->timestamp_key_count == 0)
        return wa_fail(err, WA_E_INVALID, "a root names a timestamp key, one at least");
    for (size_t i = 0; i < wa_json_count(signers); i++)
        if (put_signer(in_force, wa_json_at(signers, i), r, err) != WA_OK)
            return wa_wrap(err, "signer %zu", i + 1);
    return WA_OK;
}

enum wa_code wa_root_of_wish(const struct wa_root *in_force, const struct wa_json *wish,
                             int64_t now, struct wa_root **ret, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *draft = NULL;
    WA_AUTO_BUF struct wa_buf json;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if ((in_force != NULL ? wa_root_next(in_force, &draft, err) : wa_root_begin(&draft, err)) !=
            WA_OK ||
        fill(in_force, wish, now, draft, err) != WA_OK)
        return err->code;
    return wa_root_unsigned(draft, &json, ret, err);
}

/* --- signing --- */

static enum wa_code check_follows(const struct wa_root *in_force, const struct wa_root *root,
                                  struct wa_err *err)
{
    if (in_force == NULL)
        return root->version == 1
                   ? WA_OK
                   : wa_fail(err, WA_E_REFUSED,
                             "it is version %lld, and no root of this repository is known here: "
                             "only version 1 can be the first",
                             (long long)root->version);
    if (strcmp(root->repository, in_force->repository) != 0)
        return wa_fail(err, WA_E_REFUSED, "it is of another repository");
    if (root->version != in_force->version + 1)
        return wa_fail(err, WA_E_REFUSED,
                       "it is version %lld, and %lld is in force: only %lld can follow",
                       (long long)root->version, (long long)in_force->version,
                       (long long)in_force->version + 1);
    return WA_OK;
}

enum wa_code wa_root_check_signable(const struct wa_root *in_force, const struct wa_root *root,
                                    const char *signer, struct wa_err *err)
{
    size_t n = 0;
    /* Who is shown to have signed has. */
    if (check_follows(in_force, root, err) != WA_OK ||
        (in_force != NULL && wa_root_count(root, in_force, &n, err) != WA_OK) ||
        wa_root_count(root, root, &n, err) != WA_OK)
        return err->code;
    if (!wa_root_has_administrator(root, signer) && !wa_root_has_administrator(in_force, signer))
        return wa_fail(err, WA_E_REFUSED,
                       "this key's owner is no administrator of this repository: his signature "
                       "would count for nothing");
    return WA_OK;
}

enum wa_code wa_root_sign(const struct wa_root *in_force, const struct wa_root *root,
                          const struct wa_signer *signer, struct wa_buf *json,
                          struct wa_err *ret_missing, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *again = NULL;
    const char *me = wa_cert_fingerprint(signer->chain->items[0]);
    if (wa_root_check_signable(in_force, root, me, err) != WA_OK ||
        wa_signed_add(root->document.text, &root->document, me, signer->key, json, err) != WA_OK ||
        wa_root_read(wa_buf_sv(json), &again, err) != WA_OK)
        return err->code;
    (void)!wa_root_check_after(in_force, again, ret_missing);
    return WA_OK;
}
