/* base64.h - RFC 4648 base64, in WAPT's two dresses (formats.md 0.3), and base64url for our own
 * tokens. */
#ifndef WA_CODEC_BASE64_H
#define WA_CODEC_BASE64_H

#include "base/buf.h"

void wa_base64_encode(const void *p, size_t n, struct wa_buf *out); /* padded, no newline ("b64") */
void wa_base64_encode_mime(const void *p, size_t n,
                           struct wa_buf *out); /* newline each 76 and at the end ("b64mime") */
void wa_base64url_encode(const void *p, size_t n, struct wa_buf *out); /* unpadded */
void wa_base32_encode(const void *p, size_t n, struct wa_buf *out);    /* unpadded, A-Z 2-7 */
/* Standard alphabet; CR, LF, tab and blank are skipped, anything else foreign, bad padding or
 * non-zero left-over bits are WA_E_INVALID (WAPT ignores foreign characters; we don't: one
 * signature, one text). */
WA_CHECK enum wa_code wa_base64_decode(struct wa_sv text, struct wa_buf *out, struct wa_err *err);
WA_CHECK enum wa_code wa_base64url_decode(struct wa_sv text, struct wa_buf *out,
                                          struct wa_err *err);

#endif
