/* digest_priv.h - digests as bytes, and many short ones in a row. Only between files of crypto/. */
#ifndef WA_CRYPTO_DIGEST_PRIV_H
#define WA_CRYPTO_DIGEST_PRIV_H

#include "crypto/digest.h"

#include <openssl/evp.h>

/* As wa_digest_hex(), as bytes; *ret_n of at most EVP_MAX_MD_SIZE. */
WA_CHECK enum wa_code wa_digest_end(struct wa_digest *d, uint8_t out[EVP_MAX_MD_SIZE],
                                    size_t *ret_n, struct wa_err *err);

#endif
