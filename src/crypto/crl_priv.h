/* crl_priv.h - revocation lists. Only between files of crypto/. */
#ifndef WA_CRYPTO_CRL_PRIV_H
#define WA_CRYPTO_CRL_PRIV_H

#include "crypto/cert_priv.h"

struct wa_crl_info;

struct wa_crl {
    X509_CRL *crl;
    struct wa_cert *signer; /* the anchor known to have signed it; NULL: not known yet */
};
struct wa_crls {
    struct wa_crl *items;
    size_t n, cap;
};
void wa_crls_fini(struct wa_crls *list);
/* Drops what was added after the first n. */
void wa_crls_cut(struct wa_crls *list, size_t n);
/* Every "X509 CRL" block of a text; or, when it has no PEM at all, the DER of one list if
 * is_maybe_der. */
WA_CHECK enum wa_code wa_crls_read(struct wa_sv text, bool is_maybe_der, struct wa_crls *into,
                                   struct wa_err *err);
/* Finds once which anchor signed each list, so that a check does not have to. */
WA_CHECK enum wa_code wa_crls_settle(struct wa_crls *list, const struct wa_certs *anchors,
                                     struct wa_err *err);
/* Whether it names all that its authority has revoked, not a part. */
bool wa_crl_is_whole(X509_CRL *crl);
/* Its dates and its authority's name in files. */
WA_CHECK enum wa_code wa_crl_describe(X509_CRL *crl, struct wa_crl_info *ret, struct wa_err *err);
WA_CHECK enum wa_code wa_crl_put_der(X509_CRL *crl, struct wa_buf *out, struct wa_err *err);
/* WA_E_REFUSED when a list signed by issuer names c, or when the newest such list is out of date.
 */
WA_CHECK enum wa_code wa_crls_check(const struct wa_crls *list, const struct wa_cert *c,
                                    const struct wa_cert *issuer, int64_t at, struct wa_err *err);

#endif
