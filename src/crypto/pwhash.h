/* pwhash.h - password hashes: argon2id written, WAPT's pbkdf2-sha256 (passlib) read too. */
#ifndef WA_CRYPTO_PWHASH_H
#define WA_CRYPTO_PWHASH_H

#include "base/buf.h"

#define WA_PWHASH_MAX 256 /* bytes with NUL */
/* argon2id, 19 MiB, 2 passes, 1 lane (OWASP), random salt, PHC string format. */
WA_CHECK enum wa_code wa_pwhash_make(struct wa_sv password, char out[WA_PWHASH_MAX],
                                     struct wa_err *err);
/* WA_OK, WA_E_AUTH when it does not match, WA_E_INVALID for a hash of unknown form or absurd cost.
 * Constant time in the password. */
WA_CHECK enum wa_code wa_pwhash_check(struct wa_sv password, const char *hash, struct wa_err *err);

#endif
