/* token.h - enrolment tokens as text: "wapt1-<server certificate SHA-256, 64 hex>-<32 random bytes,
 * base64url>".
 *
 * The fingerprint lets a new machine check its server before anything is pinned. The server keeps
 * only the SHA-256 of the whole text.
 */
#ifndef WA_PROTO_TOKEN_H
#define WA_PROTO_TOKEN_H

#include "base/buf.h"

struct wa_token {
    char text[WA_TOKEN_MAX];
    char server_fingerprint[65];
};
#define WA_TOKEN_SECRET 32 /* bytes */
/* secret: fresh random bytes; the caller wipes them and the token. */
WA_CHECK enum wa_code wa_token_make(const char *server_fingerprint,
                                    const uint8_t secret[WA_TOKEN_SECRET], struct wa_token *ret,
                                    struct wa_err *err);
WA_CHECK enum wa_code wa_token_parse(struct wa_sv text, struct wa_token *ret, struct wa_err *err);

#endif
