/* seal.c - AES-256-GCM with a random nonce: base64url of nonce, ciphertext and tag.
 *
 * One key seals far fewer than 2^32 secrets, so random nonces of 96 bits do not meet.
 */
#include "crypto/seal.h"

#include "base/mem.h"
#include "codec/base64.h"
#include "crypto/ossl_priv.h"
#include "os/rand.h"

#define NONCE 12u
#define TAG 16u

WA_OSSL_AUTO(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

enum wa_code wa_seal(const uint8_t key[WA_SEAL_KEY], struct wa_sv about, struct wa_sv secret,
                     struct wa_buf *out, struct wa_err *err)
{
    uint8_t bytes[NONCE + WA_SEAL_SECRET_MAX + TAG];
    int n = 0;
    if (secret.n == 0 || secret.n > WA_SEAL_SECRET_MAX || about.n == 0 || about.n > WA_NAME_MAX)
        return wa_fail(err, WA_E_LIMIT, "cannot seal a secret of %zu bytes", secret.n);
    if (wa_rand_bytes(bytes, NONCE, err) != WA_OK)
        return err->code;
    WA_OSSL(EVP_CIPHER_CTX) ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL || EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, bytes) != 1 ||
        EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)about.p, (int)about.n) != 1 ||
        EVP_EncryptUpdate(ctx, bytes + NONCE, &n, (const unsigned char *)secret.p, (int)secret.n) !=
            1 ||
        EVP_EncryptFinal_ex(ctx, bytes + NONCE + n, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, (int)TAG, bytes + NONCE + secret.n) != 1)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot seal a secret");
    wa_base64url_encode(bytes, NONCE + secret.n + TAG, out);
    return wa_buf_check(out, err);
}

enum wa_code wa_unseal(const uint8_t key[WA_SEAL_KEY], struct wa_sv about, struct wa_sv text,
                       struct wa_buf *out, struct wa_err *err)
{
    uint8_t secret[WA_SEAL_SECRET_MAX + 16];
    WA_AUTO_BUF struct wa_buf bytes;
    int n = 0, rest = 0;
    wa_buf_init(&bytes, NONCE + WA_SEAL_SECRET_MAX + TAG + 3);
    if (wa_base64url_decode(text, &bytes, err) == WA_E_NOMEM)
        return err->code;
    if (err->code != WA_OK || about.n > WA_NAME_MAX || bytes.n <= NONCE + TAG ||
        bytes.n > NONCE + WA_SEAL_SECRET_MAX + TAG) {
        wa_err_clear(err);
        return wa_fail(err, WA_E_REFUSED, "a sealed secret that is not well formed");
    }
    size_t size = bytes.n - NONCE - TAG;
    const unsigned char *p = (const unsigned char *)bytes.p;
    WA_OSSL(EVP_CIPHER_CTX) ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL || EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, p) != 1 ||
        EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)about.p, (int)about.n) != 1 ||
        EVP_DecryptUpdate(ctx, secret, &n, p + NONCE, (int)size) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, (int)TAG, bytes.p + NONCE + size) != 1)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot open a sealed secret");
    bool is_right = EVP_DecryptFinal_ex(ctx, secret + n, &rest) == 1;
    if (is_right)
        wa_buf_add(out, secret, size);
    wa_wipe(secret, sizeof secret);
    if (!is_right)
        return wa_ossl_fail(err, WA_E_REFUSED, "a sealed secret that is not of this key");
    return wa_buf_check(out, err);
}
