/* crl_priv.h - between trust.c and crl.c. */
#ifndef WA_CRYPTO_CRL_PRIV_H
#define WA_CRYPTO_CRL_PRIV_H

#include "crypto/ossl_priv.h"

struct wa_crls {
    X509_CRL **items;
    size_t n, cap;
};
void wa_crls_fini(struct wa_crls *list);
/* Every "BEGIN X509 CRL" block. */
WA_CHECK enum wa_code wa_crls_read_pem(struct wa_sv pem, struct wa_crls *into, struct wa_err *err);
/* WA_E_REFUSED when c is revoked by a list that issuer signed, or when such a list is out of date.
 */
WA_CHECK enum wa_code wa_crls_check(const struct wa_crls *list, const struct wa_cert *c,
                                    const struct wa_cert *issuer, int64_t at, struct wa_err *err);

#endif
