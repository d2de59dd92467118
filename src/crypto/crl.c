/* crl.c - revocation lists that stand beside the trusted certificates.
 *
 * A list counts only when the issuer it names signed it. One that is past its next update makes its
 * issuer's certificates unusable: an old list would hide a revocation. No list known: nothing is
 * revoked by it.
 */
#include "crypto/crl_priv.h"

#include "base/vec.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#define CRLS_MAX 256u

void wa_crls_fini(struct wa_crls *list)
{
    for (size_t i = 0; i < list->n; i++)
        X509_CRL_free(list->items[i]);
    WA_VEC_FREE(list);
}

enum wa_code wa_crls_read_pem(struct wa_sv pem, struct wa_crls *into, struct wa_err *err)
{
    WA_OSSL(BIO) bio = BIO_new_mem_buf(pem.n == 0 ? "" : pem.p, (int)pem.n);
    if (bio == NULL)
        return wa_nomem(err);
    for (;;) {
        X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
        if (crl == NULL) {
            bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            ERR_clear_error();
            return at_end ? WA_OK : wa_fail(err, WA_E_INVALID, "a revocation list can't be read");
        }
        X509_CRL **slot = into->n < CRLS_MAX ? WA_VEC_PUSH(into) : NULL;
        if (slot == NULL) {
            X509_CRL_free(crl);
            return into->n < CRLS_MAX
                       ? wa_nomem(err)
                       : wa_fail(err, WA_E_LIMIT, "more than %u revocation lists", CRLS_MAX);
        }
        *slot = crl;
    }
}

static enum wa_code check_list(X509_CRL *crl, const struct wa_cert *c, const struct wa_cert *issuer,
                               int64_t at, struct wa_err *err)
{
    time_t now = (time_t)at;
    X509_REVOKED *entry = NULL;
    int rc = X509_CRL_verify(crl, wa_key_native(wa_cert_key(issuer)));
    ERR_clear_error();
    if (rc != 1)
        return WA_OK; /* not this issuer's: anybody can write a name */
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
    if (next == NULL || X509_cmp_time(next, &now) < 0)
        return wa_fail(err, WA_E_REFUSED, "the revocation list of '%s' is out of date: renew it",
                       wa_cert_cn(issuer));
    if (X509_CRL_get0_by_cert(crl, &entry, wa_cert_native(c)) == 1)
        return wa_fail(err, WA_E_REFUSED, "certificate '%s' was revoked by '%s'", wa_cert_cn(c),
                       wa_cert_cn(issuer));
    return WA_OK;
}

enum wa_code wa_crls_check(const struct wa_crls *list, const struct wa_cert *c,
                           const struct wa_cert *issuer, int64_t at, struct wa_err *err)
{
    for (size_t i = 0; i < list->n; i++) {
        const X509_NAME *name = X509_CRL_get_issuer(list->items[i]);
        if (X509_NAME_cmp(name, X509_get_subject_name(wa_cert_native(issuer))) == 0 &&
            check_list(list->items[i], c, issuer, at, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}
