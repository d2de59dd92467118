/* ossl_priv.h - between the files of crypto: errors of OpenSSL, and what lies behind keys and
 * certificates. */
#ifndef WA_CRYPTO_OSSL_PRIV_H
#define WA_CRYPTO_OSSL_PRIV_H

#include "crypto/cert.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

/* "cannot <what>: <OpenSSL's reason>"; empties its queue. Returns the code. */
enum wa_code wa_fail_ossl(struct wa_err *err, enum wa_code code, const char *what);

/* Takes over pkey, also on failure. */
WA_CHECK enum wa_code wa_key_wrap(EVP_PKEY *pkey, bool is_private, const char *what,
                                  struct wa_key **ret, struct wa_err *err);
/* Takes over x, also on failure. */
WA_CHECK enum wa_code wa_cert_wrap(X509 *x, struct wa_cert **ret, struct wa_err *err);

#define WA_OSSL_AUTO(type, fn)                                                                     \
    static inline void wa_auto_##type(type **p)                                                    \
    {                                                                                              \
        fn(*p);                                                                                    \
        *p = NULL;                                                                                 \
    }
WA_OSSL_AUTO(EVP_PKEY, EVP_PKEY_free)
WA_OSSL_AUTO(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
WA_OSSL_AUTO(EVP_MD_CTX, EVP_MD_CTX_free)
WA_OSSL_AUTO(X509, X509_free)
WA_OSSL_AUTO(BIO, BIO_free_all)
#define WA_OSSL(type) WA_CLEANUP(wa_auto_##type) type *

#endif
