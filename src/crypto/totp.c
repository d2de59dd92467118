/* totp.c - RFC 6238 over RFC 4226. SHA-1 is sound as an HMAC, and all that authenticators agree on.
 */
#include "crypto/totp.h"

#include "base/mem.h"
#include "crypto/ossl_priv.h"

#define SHA1_SIZE 20u

enum wa_code wa_totp_code(struct wa_sv secret, int64_t step, char out[WA_TOTP_DIGITS + 1],
                          struct wa_err *err)
{
    uint8_t counter[8], mac[EVP_MAX_MD_SIZE];
    size_t n = 0;
    for (int i = 0; i < 8; i++)
        counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
    if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA1", NULL, secret.p, secret.n, counter, sizeof counter,
                  mac, sizeof mac, &n) == NULL ||
        n != SHA1_SIZE)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot compute a one-time password");
    const uint8_t *at = mac + (mac[SHA1_SIZE - 1] & 0x0f);
    uint32_t number = (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 |
                      (uint32_t)at[2] << 8 | (uint32_t)at[3];
    for (size_t i = WA_TOTP_DIGITS; i-- > 0; number /= 10)
        out[i] = (char)('0' + number % 10);
    out[WA_TOTP_DIGITS] = '\0';
    wa_wipe(mac, sizeof mac);
    return WA_OK;
}

enum wa_code wa_totp_check(struct wa_sv secret, struct wa_sv code, int64_t now, int64_t last_step,
                           int64_t *ret_step, struct wa_err *err)
{
    int64_t found = 0;
    *ret_step = 0;
    if (code.n != WA_TOTP_DIGITS)
        return WA_OK;
    for (int64_t step = now / WA_TOTP_STEP_S - 1; step <= now / WA_TOTP_STEP_S + 1; step++) {
        char right[WA_TOTP_DIGITS + 1];
        if (wa_totp_code(secret, step, right, err) != WA_OK)
            return err->code;
        if (wa_ct_equal(right, code.p, WA_TOTP_DIGITS) && step > last_step)
            found = step;
        wa_wipe(right, sizeof right);
    }
    *ret_step = found;
    return WA_OK;
}
