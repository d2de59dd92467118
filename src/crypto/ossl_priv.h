/* ossl_priv.h - OpenSSL's errors as ours, and its objects freed by themselves. Only between files
 * of crypto/. */
#ifndef WA_CRYPTO_OSSL_PRIV_H
#define WA_CRYPTO_OSSL_PRIV_H

#include "base/buf.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

/* Sets code and "<what>: <OpenSSL's first reason>", empties the queue and returns the code; memory
 * that ran out is WA_E_NOMEM whatever the code. */
enum wa_code wa_ossl_fail(struct wa_err *err, enum wa_code code, const char *fmt, ...)
    WA_FORMAT(3, 4);

/* Does the queue say that memory ran out? Empties it. */
bool wa_ossl_ran_out(void);

/* Appends what a memory BIO holds. */
WA_CHECK enum wa_code wa_ossl_drain(BIO *bio, struct wa_buf *out, struct wa_err *err);

/* WA_OSSL(BIO) bio = ...; freed at the end of its scope. */
#define WA_OSSL_AUTO(type, fn)                                                                     \
    static inline void wa_auto_##type(type **p)                                                    \
    {                                                                                              \
        fn(*p);                                                                                    \
        *p = NULL;                                                                                 \
    }
WA_OSSL_AUTO(BIO, BIO_free)
WA_OSSL_AUTO(BIGNUM, BN_clear_free)
WA_OSSL_AUTO(EVP_MD_CTX, EVP_MD_CTX_free)
WA_OSSL_AUTO(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
WA_OSSL_AUTO(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
WA_OSSL_AUTO(X509, X509_free)
WA_OSSL_AUTO(X509_SIG, X509_SIG_free)
#define WA_OSSL(type) WA_CLEANUP(wa_auto_##type) type *

#endif
