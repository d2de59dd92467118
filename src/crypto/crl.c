/* crl.c - revocation lists that lie beside the trusted certificates (formats.md 4.4).
 *
 * A list counts only when the issuer it names has signed it. Whatever any of its lists names is
 * revoked; when the newest is out of date its certificates are refused, for it may hide a
 * revocation (WAPT does so too). Where no list is known, nothing is revoked by one: the signed list
 * of what is published carries revocations to agents.
 */
#include "crypto/crl_priv.h"

#include "base/vec.h"
#include "codec/base64.h"
#include "crypto/key_priv.h"
#include "crypto/ossl_priv.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define CRLS_MAX 256u             /* lists of one trust store */
#define CRL_BYTES_MAX (16u << 20) /* bytes: about 400,000 revoked certificates */

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

    if (into->n >= CRLS_MAX)
        return wa_fail(err, WA_E_LIMIT, "cannot use more than %u revocation lists", CRLS_MAX);
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

    wa_buf_init(&der, CRL_BYTES_MAX);
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

/* Two certificates of one authority have one name and one key. */
static bool is_same_authority(const struct wa_cert *a, const struct wa_cert *b)
{
    return wa_key_equal_public(a->key, b->key) &&
           X509_NAME_cmp(X509_get_subject_name(a->x), X509_get_subject_name(b->x)) == 0;
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
        if (is_newer(crl->crl, newest))
            newest = crl->crl;
    }
    if (newest == NULL)
        return WA_OK;
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(newest);
    if (next == NULL || X509_cmp_time(next, &now) <= 0)
        return wa_fail(err, WA_E_REFUSED,
                       "the revocation list of '%s' is out of date: put a new one in its place",
                       issuer->cn);
    ERR_clear_error();
    return WA_OK;
}
