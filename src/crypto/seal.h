/* seal.h - small secrets at rest: AES-256-GCM under a key of the server's own. */
#ifndef WA_CRYPTO_SEAL_H
#define WA_CRYPTO_SEAL_H

#include "base/buf.h"

#define WA_SEAL_KEY 32u          /* bytes */
#define WA_SEAL_SECRET_MAX 4608u /* bytes: a refresh token, and whose it is */
#define WA_SEALED_MAX 512u       /* bytes of the text, with NUL, for secrets of up to 256 */

/* Appends a text without blanks. about: whose secret it is; it opens for nobody else. */
WA_CHECK enum wa_code wa_seal(const uint8_t key[WA_SEAL_KEY], struct wa_sv about,
                              struct wa_sv secret, struct wa_buf *out, struct wa_err *err);
/* WA_E_REFUSED when it was sealed with another key, for somebody else, or was changed. out should
 * be a secret buffer. */
WA_CHECK enum wa_code wa_unseal(const uint8_t key[WA_SEAL_KEY], struct wa_sv about,
                                struct wa_sv text, struct wa_buf *out, struct wa_err *err);

#endif
