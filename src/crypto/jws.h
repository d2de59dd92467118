/* jws.h - JSON Web Signatures in compact form and sets of JSON Web Keys (RFC 7515, 7517, 7518), as
 * providers of OpenID Connect make them: RS256 and ES256, nothing else. "none", secrets shared by
 * both sides (HS*), other digests, "crit" and a key sent along are refused. */
#ifndef WA_CRYPTO_JWS_H
#define WA_CRYPTO_JWS_H

#include "codec/json.h"
#include "crypto/key.h"

struct wa_jws {
    enum wa_key_kind kind;        /* RSA: RS256; EC: ES256 */
    struct wa_sv kid;             /* "": it names no key */
    const struct wa_json *claims; /* an object; not believed before wa_jws_check() */
    struct wa_sv input;           /* what is signed: in the caller's text */
    struct wa_sv signature;
};
/* text: must outlive *ret, as must arena. WA_E_REFUSED for what is never accepted, WA_E_INVALID for
 * what is no such text. */
WA_CHECK enum wa_code wa_jws_parse(struct wa_sv text, struct wa_arena *arena, struct wa_jws *ret,
                                   struct wa_err *err);
/* Whether a key of the set {"keys":[...]} made the signature; the key's own words about its use
 * count. WA_E_NOT_FOUND: the set has no such key - it may have changed; WA_E_REFUSED: the signature
 * does not hold, or the key is weak. */
WA_CHECK enum wa_code wa_jws_check(const struct wa_jws *j, const struct wa_json *set,
                                   struct wa_err *err);

#endif
