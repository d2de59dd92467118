/* pwhash.h - password hashes: argon2id written; read too those that WAPT 1.8's server had:
 * passlib's pbkdf2-sha256 and -sha512, sha512-crypt ("$6$") and bcrypt. */
#ifndef WA_CRYPTO_PWHASH_H
#define WA_CRYPTO_PWHASH_H

#include "base/buf.h"

#define WA_PWHASH_MAX 256 /* bytes with NUL */
/* argon2id, 19 MiB, 2 passes, 1 lane (OWASP), random salt, PHC string format. */
WA_CHECK enum wa_code wa_pwhash_make(struct wa_sv password, char out[WA_PWHASH_MAX],
                                     struct wa_err *err);
/* Whether a password can be checked against the hash, without doing it. WA_E_INVALID, with the
 * reason but never the hash: it is not well formed, asks for an absurd effort, or is of a kind that
 * is unknown or too weak to be kept. */
WA_CHECK enum wa_code wa_pwhash_judge(const char *hash, struct wa_err *err);
/* Not of the kind that wa_pwhash_make() makes: to be replaced as soon as the password is known. */
bool wa_pwhash_is_foreign(const char *hash);
/* WA_OK, WA_E_AUTH when it does not match, WA_E_INVALID as wa_pwhash_judge() says. Constant time in
 * the password, but for its length. */
WA_CHECK enum wa_code wa_pwhash_check(struct wa_sv password, const char *hash, struct wa_err *err);

/* --- pwhash_crypt.c: what crypt(3) makes --- */
bool wa_pwhash_is_crypt(struct wa_sv hash); /* of a kind that is read here */
WA_CHECK enum wa_code wa_pwhash_judge_crypt(struct wa_sv hash, struct wa_err *err);
/* hash: one that was judged. */
WA_CHECK enum wa_code wa_pwhash_check_crypt(struct wa_sv password, const char *hash,
                                            struct wa_err *err);

#endif
