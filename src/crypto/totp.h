/* totp.h - one-time passwords by time, RFC 6238: HMAC-SHA-1, 30 seconds, six digits, as every
 * authenticator has them. */
#ifndef WA_CRYPTO_TOTP_H
#define WA_CRYPTO_TOTP_H

#include "base/sv.h"

#define WA_TOTP_SECRET 20u /* bytes */
#define WA_TOTP_STEP_S 30
#define WA_TOTP_DIGITS 6u

/* The code of a step: seconds since 1970 / 30. */
WA_CHECK enum wa_code wa_totp_code(struct wa_sv secret, int64_t step, char out[WA_TOTP_DIGITS + 1],
                                   struct wa_err *err);
/* *ret_step: the step whose code it is, now or one before or after, for clocks that differ; 0 when
 * it is none of them, or not after the step of the last code that was taken: a code counts once. */
WA_CHECK enum wa_code wa_totp_check(struct wa_sv secret, struct wa_sv code, int64_t now,
                                    int64_t last_step, int64_t *ret_step, struct wa_err *err);

#endif
