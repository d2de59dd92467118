/* crl.c - revocation lists (formats.md 4.4), and their check.
 *
 * A list counts only when the issuer it names has signed it. Whatever any of its lists names is
 * revoked; when the newest whole one is out of date its certificates are refused, for it may hide a
 * revocation (WAPT does so too). Where no list is known, nothing is revoked by one: the signed list
 * of what is published carries revocations to agents.
 */
#include "crypto/crl.h"

#include "base/vec.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "crypto/crl_priv.h"
#include "crypto/digest.h"
#include "crypto/key_priv.h"
#include "crypto/ossl_priv.h"
#include "crypto/trust_priv.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

void wa_crls_cut(struct wa_crls *list, size_t n)
{
    while (list->n > n) {
        list->n--;
        X509_CRL_free(list->items[list->n].crl);
        wa_cert_free(list->items[list->n].signer);
    }
}

void wa_crls_fini(struct wa_crls *list)
{
    wa_crls_cut(list, 0);
    WA_VEC_FREE(list);
}

static enum wa_code add_der(const void *der, size_t n, struct wa_crls *into, struct wa_err *err)
{
    const unsigned char *p = der;

    if (into->n >= WA_CRLS_MAX)
        return wa_fail(err, WA_E_LIMIT, "cannot use more than %u revocation lists", WA_CRLS_MAX);
    X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)n);
    if (crl == NULL || p != (const unsigned char *)der + n) {
        X509_CRL_free(crl);
        return wa_ossl_fail(err, WA_E_INVALID, "cannot read a revocation list");
    }
    struct wa_crl *slot = WA_VEC_PUSH(into);
    if (slot == NULL) {
        X509_CRL_free(crl);
        return wa_nomem(err);
    }
    slot->crl = crl;
    return WA_OK;
}

enum wa_code wa_crls_read(struct wa_sv text, bool is_maybe_der, struct wa_crls *into,
                          struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf der;
    struct wa_sv rest = text, base64;

    wa_buf_init(&der, WA_CRL_BYTES_MAX);
    if (is_maybe_der && text.n > 0 &&
        text.p[0] == 0x30) /* SEQUENCE; a PEM could begin so, but none of ours does */
        return add_der(text.p, text.n, into, err);
    while (wa_pem_next(&rest, "X509 CRL", &base64)) {
        wa_buf_clear(&der);
        if (wa_base64_decode(base64, &der, err) != WA_OK)
            return wa_wrap(err, "cannot read a revocation list");
        if (add_der(wa_buf_str(&der), der.n, into, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* Did issuer sign this list, and may it? All usages are allowed when the extension is absent. */
static enum wa_code is_signed_by(X509_CRL *crl, const struct wa_cert *issuer, bool *ret,
                                 struct wa_err *err)
{
    *ret = false;
    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer->x)) != 0 ||
        issuer->key->weakness != NULL || (X509_get_key_usage(issuer->x) & X509v3_KU_CRL_SIGN) == 0)
        return WA_OK;
    *ret = X509_CRL_verify(crl, issuer->key->pkey) == 1;
    if (!*ret && wa_ossl_ran_out())
        return wa_nomem(err);
    ERR_clear_error();
    return WA_OK;
}

enum wa_code wa_crls_settle(struct wa_crls *list, const struct wa_certs *anchors,
                            struct wa_err *err)
{
    for (size_t i = 0; i < list->n; i++) {
        struct wa_crl *crl = &list->items[i];
        for (size_t k = 0; k < anchors->n && crl->signer == NULL; k++) {
            bool is_it = false;
            if (is_signed_by(crl->crl, anchors->items[k], &is_it, err) != WA_OK)
                return err->code;
            if (is_it)
                crl->signer = wa_cert_ref(anchors->items[k]);
        }
    }
    return WA_OK;
}

/* --- from an index --- */

enum wa_code wa_crl_put_der(X509_CRL *crl, struct wa_buf *out, struct wa_err *err)
{
    unsigned char *der = NULL;
    int n = i2d_X509_CRL(crl, &der);

    if (n <= 0)
        return wa_ossl_fail(err, WA_E_INVALID, "cannot write a revocation list");
    wa_buf_add(out, der, (size_t)n);
    OPENSSL_free(der);
    return wa_buf_check(out, err);
}

static enum wa_code name_authority(X509_CRL *crl, char out[65], struct wa_err *err)
{
    AUTHORITY_KEYID *aki = X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);
    const ASN1_OCTET_STRING *id = aki == NULL ? NULL : aki->keyid;
    const unsigned char *name = NULL;
    size_t n = 0;
    enum wa_code code = WA_OK;

    if (id != NULL && ASN1_STRING_length(id) > 0 && ASN1_STRING_length(id) <= 32)
        wa_hex_encode(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id), out);
    else if (X509_NAME_get0_der(X509_CRL_get_issuer(crl), &name, &n) == 1)
        code = wa_sha256_hex(name, n, out, err);
    else
        code = wa_ossl_fail(err, WA_E_INVALID, "cannot read the issuer of a revocation list");
    AUTHORITY_KEYID_free(aki);
    ERR_clear_error();
    return code;
}

enum wa_code wa_crl_describe(X509_CRL *crl, struct wa_crl_info *ret, struct wa_err *err)
{
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);

    ret->next_update = 0;
    if (!wa_asn1_time(X509_CRL_get0_lastUpdate(crl), &ret->this_update) ||
        (next != NULL && !wa_asn1_time(next, &ret->next_update)))
        return wa_ossl_fail(err, WA_E_INVALID, "cannot read the dates of a revocation list");
    return name_authority(crl, ret->authority, err);
}

enum wa_code wa_crl_read(struct wa_sv text, struct wa_buf *out, struct wa_crl_info *ret,
                         struct wa_err *err)
{
    struct wa_crls list = {0};
    struct wa_crl_info info;
    enum wa_code code = wa_crls_read(text, true, &list, err);

    if (code == WA_OK && list.n == 0)
        code = wa_fail(err, WA_E_INVALID, "there is no revocation list in it");
    if (code == WA_OK)
        code = wa_crl_describe(list.items[0].crl, &info, err);
    if (code == WA_OK)
        code = wa_crl_put_der(list.items[0].crl, out, err);
    if (code == WA_OK)
        *ret = info;
    wa_crls_fini(&list);
    return code;
}

static bool has(const struct wa_crls *list, X509_CRL *crl)
{
    for (size_t i = 0; i < list->n; i++)
        if (X509_CRL_match(list->items[i].crl, crl) == 0)
            return true;
    return false;
}

enum wa_code wa_trust_add_crl(struct wa_trust *t, struct wa_sv text, const struct wa_certs *helpers,
                              bool *ret_used, struct wa_err *err)
{
    struct wa_crls list = {0};
    bool is_used = false;
    enum wa_code code = wa_crls_read(text, true, &list, err);

    if (code == WA_OK)
        code = wa_crls_settle(&list, &t->anchors, err);
    if (code == WA_OK && helpers != NULL)
        code = wa_crls_settle(&list, helpers, err);
    for (size_t i = 0; code == WA_OK && i < list.n; i++) {
        struct wa_crl *from = &list.items[i];
        if (from->signer == NULL || t->crls.n >= WA_CRLS_MAX || has(&t->crls, from->crl))
            continue;
        struct wa_crl *slot = WA_VEC_PUSH(&t->crls);
        if (slot == NULL) {
            code = wa_nomem(err);
        } else {
            *slot = *from;
            *from = (struct wa_crl){NULL, NULL};
            is_used = true;
        }
    }
    wa_crls_fini(&list);
    if (code == WA_OK)
        *ret_used = is_used;
    return code;
}

enum wa_code wa_trust_crl(const struct wa_trust *t, size_t i, struct wa_buf *out, bool *ret_there,
                          struct wa_err *err)
{
    if (i < t->crls.n && wa_crl_put_der(t->crls.items[i].crl, out, err) != WA_OK)
        return err->code;
    *ret_there = i < t->crls.n;
    return WA_OK;
}

/* --- the check --- */

/* Two certificates of one authority have one name and one key. */
static bool is_same_authority(const struct wa_cert *a, const struct wa_cert *b)
{
    return wa_key_equal_public(a->key, b->key) &&
           X509_NAME_cmp(X509_get_subject_name(a->x), X509_get_subject_name(b->x)) == 0;
}

/* A list with a critical extension holds a part of what is revoked, or the changes since another
 * one (RFC 5280, 5.2): what it names is revoked, but it stands for no whole list. */
bool wa_crl_is_whole(X509_CRL *crl)
{
    return X509_CRL_get_ext_by_critical(crl, 1, -1) < 0;
}

static bool is_newer(X509_CRL *a, X509_CRL *b)
{
    int days = 0, seconds = 0;

    return b == NULL || (ASN1_TIME_diff(&days, &seconds, X509_CRL_get0_lastUpdate(b),
                                        X509_CRL_get0_lastUpdate(a)) == 1 &&
                         (days > 0 || seconds > 0));
}

enum wa_code wa_crls_check(const struct wa_crls *list, const struct wa_cert *c,
                           const struct wa_cert *issuer, int64_t at, struct wa_err *err)
{
    X509_CRL *newest = NULL;
    time_t now = (time_t)at;

    for (size_t i = 0; i < list->n; i++) {
        const struct wa_crl *crl = &list->items[i];
        X509_REVOKED *entry = NULL;
        bool is_its = crl->signer != NULL && is_same_authority(crl->signer, issuer);
        if (!is_its && crl->signer == NULL && is_signed_by(crl->crl, issuer, &is_its, err) != WA_OK)
            return err->code;
        if (!is_its)
            continue;
        if (X509_CRL_get0_by_cert(crl->crl, &entry, c->x) == 1)
            return wa_fail(err, WA_E_REFUSED, "certificate '%s' was revoked by '%s'", c->cn,
                           issuer->cn);
        if (wa_crl_is_whole(crl->crl) && is_newer(crl->crl, newest))
            newest = crl->crl;
    }
    const ASN1_TIME *next = newest == NULL ? NULL : X509_CRL_get0_nextUpdate(newest);
    bool is_stale = newest != NULL && (next == NULL || X509_cmp_time(next, &now) <= 0);
    ERR_clear_error();
    if (!is_stale)
        return WA_OK;
    return wa_fail(err, WA_E_REFUSED,
                   "the revocation list of '%s' is out of date: put a new one in its place",
                   issuer->cn);
}
