/* root_edit.c - what a draft of a root says, changed. */
#include "repo/root_edit.h"

#include "base/mem.h"
#include "codec/csv.h"
#include "os/rand.h"

enum wa_code wa_root_unsigned(const struct wa_root *r, struct wa_buf *json, struct wa_root **ret,
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_ROOT_BYTES_MAX);
    if (wa_root_write(r, &text, err) != WA_OK ||
        wa_signed_none(wa_buf_sv(&text), json, err) != WA_OK)
        return err->code;
    return wa_root_read(wa_buf_sv(json), ret, err);
}

enum wa_code wa_root_begin(struct wa_root **ret, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    if (wa_root_new(&r, err) != WA_OK || wa_rand_hex(r->repository, 16, err) != WA_OK)
        return err->code;
    r->version = 1;
    r->threshold = 1;
    r->published_days = 30;
    r->timestamp_hours = 24;
    *ret = WA_TAKE(r);
    return WA_OK;
}

enum wa_code wa_root_next(const struct wa_root *r, struct wa_root **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (wa_root_unsigned(r, &json, ret, err) == WA_OK)
        (*ret)->version++;
    return err->code;
}

/* --- lists --- */

enum wa_code wa_root_keep_list(struct wa_root *r, const struct wa_json *list,
                               const struct wa_json **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 64u << 10);
    wa_json_write(list, &text);
    return wa_buf_check(&text, err) == WA_OK
               ? wa_json_parse(wa_buf_sv(&text), 0, &r->arena, ret, err)
               : err->code;
}

enum wa_code wa_root_keep_names(struct wa_root *r, struct wa_sv names, const struct wa_json **ret,
                                struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_sv item;
    struct wa_jw w;
    wa_buf_init(&text, 64u << 10);
    wa_jw_init(&w, &text);
    wa_jw_arr(&w);
    while (wa_csv_next(&names, &item))
        wa_jw_sv(&w, item);
    wa_jw_end(&w);
    return wa_buf_check(&text, err) == WA_OK
               ? wa_json_parse(wa_buf_sv(&text), 0, &r->arena, ret, err)
               : err->code;
}

/* --- who --- */

enum wa_code wa_root_put_signer(struct wa_root *r, const struct wa_root_signer *s,
                                struct wa_err *err)
{
    size_t at = 0;
    while (at < r->signer_count && !wa_cert_equal(r->signers[at].cert, s->cert))
        at++;
    if (at == WA_ROOT_SIGNERS_MAX)
        return wa_fail(err, WA_E_LIMIT, "at most %u signers", WA_ROOT_SIGNERS_MAX);
    if (s->may_sign_code && !wa_cert_may_sign_code(s->cert) && !wa_cert_is_ca(s->cert))
        return wa_fail(err, WA_E_USAGE,
                       "'%s' can't sign code: its certificate lacks the usage codeSigning",
                       wa_cert_cn(s->cert));
    struct wa_cert *was = at < r->signer_count ? r->signers[at].cert : NULL;
    r->signers[at] = *s;
    r->signers[at].cert = wa_cert_ref(s->cert);
    r->signer_count += was == NULL;
    wa_cert_free(was);
    return WA_OK;
}

static bool remove_signer(struct wa_root *r, const char *fingerprint)
{
    for (size_t i = 0; i < r->signer_count; i++) {
        if (strcmp(wa_cert_fingerprint(r->signers[i].cert), fingerprint) != 0)
            continue;
        wa_cert_free(r->signers[i].cert);
        r->signer_count--;
        memmove(&r->signers[i], &r->signers[i + 1], (r->signer_count - i) * sizeof r->signers[0]);
        r->signers[r->signer_count] = (struct wa_root_signer){.cert = NULL};
        return true;
    }
    return false;
}

static bool remove_administrator(struct wa_root *r, const char *fingerprint)
{
    struct wa_certs *list = &r->administrators;
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(wa_cert_fingerprint(list->items[i]), fingerprint) != 0)
            continue;
        wa_cert_free(list->items[i]);
        list->n--;
        memmove(&list->items[i], &list->items[i + 1], (list->n - i) * sizeof list->items[0]);
        return true;
    }
    return false;
}

bool wa_root_remove(struct wa_root *r, const char *fingerprint)
{
    bool was_signer = remove_signer(r, fingerprint);
    return remove_administrator(r, fingerprint) || was_signer;
}

void wa_root_clear_signers(struct wa_root *r)
{
    while (r->signer_count > 0) {
        r->signer_count--;
        wa_cert_free(r->signers[r->signer_count].cert);
        r->signers[r->signer_count] = (struct wa_root_signer){.cert = NULL};
    }
}

void wa_root_clear_timestamp_keys(struct wa_root *r)
{
    while (r->timestamp_key_count > 0)
        wa_key_free(r->timestamp_keys[--r->timestamp_key_count]);
}

enum wa_code wa_root_add_timestamp_key(struct wa_root *r, struct wa_sv pem, struct wa_err *err)
{
    if (r->timestamp_key_count == WA_ROOT_TIMESTAMP_KEYS_MAX)
        return wa_fail(err, WA_E_USAGE, "at most %u timestamp keys", WA_ROOT_TIMESTAMP_KEYS_MAX);
    if (wa_key_read_public_pem(pem, &r->timestamp_keys[r->timestamp_key_count], err) != WA_OK)
        return err->code;
    r->timestamp_key_count++;
    return WA_OK;
}
