/* hex.h - bytes as lower-case hex (upper case is read too only where said). */
#ifndef WA_CODEC_HEX_H
#define WA_CODEC_HEX_H

#include "base/buf.h"

/* out has room for 2n+1; NUL-terminated. */
void wa_hex_encode(const void *p, size_t n, char *out);
/* Exactly n bytes from 2n digits, either case; false otherwise. */
bool wa_hex_decode(struct wa_sv text, void *out, size_t n);
/* Lower-case digits only, exactly count of them. */
bool wa_hex_is(struct wa_sv text, size_t count);
/* A SHA-256 as people copy it: 64 digits of either case, with or without ':' or blanks between.
 * out: lower case. False otherwise. */
bool wa_hex_fingerprint(struct wa_sv text, char out[65]);

#endif
