/* sign.c - signatures over whole messages: RSA PKCS#1 v1.5 and ECDSA P-256, both with SHA-256.
 *
 * The kind of the key decides the scheme; nothing in a message or signature does. An RSA signature
 * has exactly the modulus' length. An ECDSA signature must be the one DER form of its numbers, but
 * (r, n-s) verifies as well as (r, s): so a signature is never an identifier.
 */
#include "base/mem.h"
#include "base/text.h"
#include "crypto/key_priv.h"
#include "crypto/ossl_priv.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

/* May this key be used for content signatures at all? P-384 is for certificates alone. */
static enum wa_code check_usable(const struct wa_key *key, struct wa_err *err)
{
    if (key->weakness != NULL)
        return wa_fail(err, WA_E_REFUSED, "cannot use the key: it is %s", key->weakness);
    if (key->kind == WA_KEY_EC && key->bits != 256)
        return wa_fail(
            err, WA_E_REFUSED,
            "cannot use the key: signatures are made with RSA or P-256 keys, not with P-%u",
            key->bits);
    return WA_OK;
}

static const unsigned char *bytes_of(struct wa_sv v)
{
    return (const unsigned char *)(v.n > 0 ? v.p : "");
}

static enum wa_code sign(const struct wa_key *key, const char *digest, struct wa_sv message,
                         struct wa_buf *ret_signature, struct wa_err *err)
{
    WA_OSSL(EVP_MD_CTX) ctx = NULL;
    unsigned char signature[WA_RSA_BITS_MAX / 8];
    size_t n = sizeof(signature);

    if (check_usable(key, err) != WA_OK)
        return err->code;
    if (!key->is_private)
        return wa_fail(err, WA_E_INTERNAL, "cannot sign with a public key");
    ctx = EVP_MD_CTX_new();
    if (ctx == NULL)
        return wa_ossl_fail(err, WA_E_NOMEM, "cannot sign");
    if (EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, key->pkey, NULL) != 1 ||
        EVP_DigestSign(ctx, signature, &n, bytes_of(message), message.n) != 1) {
        if (key->lost != NULL)
            atomic_store(key->lost, true);
        return wa_ossl_fail(err, WA_E_FAILED,
                            key->owner == NULL
                                ? "cannot sign"
                                : wa_text("the token cannot sign; is it still there"));
    }
    ERR_clear_error();
    wa_buf_add(ret_signature, signature, n);
    return wa_buf_check(ret_signature, err);
}

enum wa_code wa_sign(const struct wa_key *key, struct wa_sv message, struct wa_buf *ret_signature,
                     struct wa_err *err)
{
    return sign(key, "SHA256", message, ret_signature, err);
}

enum wa_code wa_sign_sha1(const struct wa_key *key, struct wa_sv message,
                          struct wa_buf *ret_signature, struct wa_err *err)
{
    if (key->kind != WA_KEY_RSA)
        return wa_fail(err, WA_E_REFUSED, "only RSA keys sign over SHA-1");
    return sign(key, "SHA1", message, ret_signature, err);
}

/* By parts: OpenSSL's one call for all of it looks everything up anew each time, a tenth of what
 * checking a short message takes. An RSA signature says which digest it is of. */
static enum wa_code check(const struct wa_key *key, const EVP_MD *md, struct wa_sv message,
                          struct wa_sv signature, struct wa_err *err)
{
    WA_OSSL(EVP_PKEY_CTX) own = NULL;
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t n = 0;

    if (check_usable(key, err) != WA_OK)
        return err->code;
    if (key->kind == WA_KEY_RSA && signature.n != (key->bits + 7) / 8)
        return wa_fail(err, WA_E_REFUSED,
                       "the signature does not hold: it has %zu bytes instead of %u", signature.n,
                       (key->bits + 7) / 8);
    if (key->checks == NULL)
        own = EVP_PKEY_CTX_new(key->pkey, NULL);
    EVP_PKEY_CTX *ctx = key->checks != NULL ? key->checks : own;
    if (ctx == NULL || EVP_PKEY_verify_init(ctx) != 1 ||
        (key->kind == WA_KEY_RSA && EVP_PKEY_CTX_set_signature_md(ctx, md) != 1) ||
        EVP_Q_digest(NULL, EVP_MD_get0_name(md), NULL, bytes_of(message), message.n, digest, &n) !=
            1)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot check a signature");
    if (EVP_PKEY_verify(ctx, bytes_of(signature), signature.n, digest, n) != 1)
        return wa_ossl_fail(err, WA_E_REFUSED, "the signature does not hold");
    ERR_clear_error();
    return WA_OK;
}

enum wa_code wa_signature_check(const struct wa_key *key, struct wa_sv message,
                                struct wa_sv signature, struct wa_err *err)
{
    return check(key, EVP_sha256(), message, signature, err);
}

enum wa_code wa_signature_check_sha1(const struct wa_key *key, struct wa_sv message,
                                     struct wa_sv signature, struct wa_err *err)
{
    if (key->kind != WA_KEY_RSA)
        return wa_fail(err, WA_E_REFUSED, "only RSA keys sign over SHA-1");
    return check(key, EVP_sha1(), message, signature, err);
}
