/* key_priv.h - a key behind its handle. Only between files of crypto/. */
#ifndef WA_CRYPTO_KEY_PRIV_H
#define WA_CRYPTO_KEY_PRIV_H

#include "crypto/key.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdatomic.h>

struct wa_key {
    atomic_uint more;     /* owners beside the first */
    EVP_PKEY *pkey;       /* NULL: a certificate's key that can't be read */
    EVP_PKEY_CTX *checks; /* of a key of points: kept, and begun anew for each signature */
    enum wa_key_kind kind;
    unsigned bits;
    bool is_private;
    const char *weakness; /* literal: why it is never used; NULL when it may be */
    void *owner;          /* what holds a token's key; ended after pkey. NULL: nothing */
    void (*drop_owner)(void *owner);
    atomic_bool *lost; /* in the owner: it could not sign; NULL: no token's */
};

/* A key around pkey, which it takes whether it succeeds or not (NULL: an unreadable one); a weak
 * one is made too, and says so. */
WA_CHECK enum wa_code wa_key_adopt(EVP_PKEY *pkey, bool is_private, struct wa_key **ret,
                                   struct wa_err *err);
/* As above, but WA_E_REFUSED when it is weak. what: for messages. */
WA_CHECK enum wa_code wa_key_adopt_strong(EVP_PKEY *pkey, bool is_private, const char *what,
                                          struct wa_key **ret, struct wa_err *err);

/* What hashing the passphrase of something encrypted costs, in rounds of PBKDF2, by what stands
 * beside it; -1: it is encrypted in a way that is not known, or too weak. */
int64_t wa_key_count_rounds(const X509_ALGOR *alg);

#endif
