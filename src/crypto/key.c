/* key.c - keys: made, read from PEM, written to PEM. Weak and absurd keys are refused at the door.
 */
#include "crypto/key.h"

#include "base/mem.h"
#include "crypto/ossl_priv.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#define PBKDF2_ROUNDS 600000
#define PEM_MAX (64u << 10)

struct wa_key {
    EVP_PKEY *pkey;
    enum wa_key_kind kind;
    bool is_private;
};

void wa_key_free(struct wa_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey);
    wa_free(key);
}

/* Public exponents of 1 or even, or beyond 64 bits, are attacks or mistakes. */
static bool exponent_is_sane(EVP_PKEY *pkey)
{
    BIGNUM *e = NULL;
    bool sane = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) &&
                !BN_is_one(e) && BN_num_bits(e) <= 64;
    BN_free(e);
    return sane;
}

static enum wa_code check_rsa(EVP_PKEY *pkey, const char *what, struct wa_err *err)
{
    int bits = EVP_PKEY_get_bits(pkey);
    if (bits < WA_RSA_BITS_MIN)
        return wa_fail(err, WA_E_REFUSED, "%s: an RSA key of %d bits is too weak (at least %d)",
                       what, bits, WA_RSA_BITS_MIN);
    if (bits > WA_RSA_BITS_MAX)
        return wa_fail(err, WA_E_LIMIT, "%s: an RSA key of %d bits is too large (at most %d)", what,
                       bits, WA_RSA_BITS_MAX);
    if (!exponent_is_sane(pkey))
        return wa_fail(err, WA_E_REFUSED, "%s: an RSA key with an unsound public exponent", what);
    return WA_OK;
}

static enum wa_code check_ec(EVP_PKEY *pkey, const char *what, struct wa_err *err)
{
    char name[64] = "";
    size_t n = 0;
    if (EVP_PKEY_get_group_name(pkey, name, sizeof name, &n) != 1 ||
        (strcmp(name, "prime256v1") != 0 && strcmp(name, "secp384r1") != 0)) {
        ERR_clear_error();
        return wa_fail(err, WA_E_REFUSED,
                       "%s: an elliptic-curve key that is neither P-256 nor P-384", what);
    }
    return WA_OK;
}

enum wa_code wa_key_wrap(EVP_PKEY *pkey, bool is_private, const char *what, struct wa_key **ret,
                         struct wa_err *err)
{
    WA_OSSL(EVP_PKEY) owned = pkey;
    enum wa_key_kind kind;
    enum wa_code code;
    if (EVP_PKEY_is_a(pkey, "RSA")) {
        kind = WA_KEY_RSA;
        code = check_rsa(pkey, what, err);
    } else if (EVP_PKEY_is_a(pkey, "EC")) {
        kind = WA_KEY_EC;
        code = check_ec(pkey, what, err);
    } else {
        return wa_fail(err, WA_E_REFUSED, "%s: neither an RSA nor an elliptic-curve key", what);
    }
    if (code != WA_OK)
        return code;
    struct wa_key *key = wa_calloc(1, sizeof *key);
    if (key == NULL)
        return wa_nomem(err);
    *key = (struct wa_key){owned, kind, is_private};
    owned = NULL;
    *ret = key;
    return WA_OK;
}

enum wa_code wa_key_new_rsa(unsigned bits, struct wa_key **ret, struct wa_err *err)
{
    if (bits < WA_RSA_BITS_MIN || bits > WA_RSA_BITS_MAX)
        return wa_fail(err, WA_E_USAGE, "an RSA key has %d to %d bits", WA_RSA_BITS_MIN,
                       WA_RSA_BITS_MAX);
    EVP_PKEY *pkey = EVP_RSA_gen(bits);
    if (pkey == NULL)
        return wa_fail_ossl(err, WA_E_INTERNAL, "make an RSA key");
    return wa_key_wrap(pkey, true, "new key", ret, err);
}

enum wa_code wa_key_new_p256(struct wa_key **ret, struct wa_err *err)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    if (pkey == NULL)
        return wa_fail_ossl(err, WA_E_INTERNAL, "make an elliptic-curve key");
    return wa_key_wrap(pkey, true, "new key", ret, err);
}

/* --- PEM --- */

struct asking {
    wa_passphrase_fn ask;
    void *user;
    const char *what;
    struct wa_err *err;
    bool asked;
};

static int passphrase(char *buf, int size, int rwflag, void *user)
{
    struct asking *a = user;
    WA_AUTO_BUF_SECRET struct wa_buf text;
    WA_UNUSED(rwflag);
    wa_buf_init(&text, 1024);
    if (a->ask == NULL) {
        (void)wa_fail(a->err, WA_E_AUTH,
                      "the private key '%s' is encrypted and no password was given", a->what);
        return -1;
    }
    a->asked = true;
    if (a->ask(a->user, a->what, &text, a->err) != WA_OK || wa_buf_check(&text, a->err) != WA_OK)
        return -1;
    if (text.n > (size_t)size)
        return -1;
    if (text.n > 0)
        memcpy(buf, text.p, text.n);
    return (int)text.n;
}

enum wa_code wa_key_read_pem(struct wa_sv pem, const char *what, wa_passphrase_fn ask, void *user,
                             struct wa_key **ret, struct wa_err *err)
{
    struct asking a = {ask, user, what, err, false};
    if (pem.n > PEM_MAX)
        return wa_fail(err, WA_E_LIMIT, "'%s' is larger than %u bytes", what, PEM_MAX);
    WA_OSSL(BIO) bio = BIO_new_mem_buf(pem.n == 0 ? "" : pem.p, (int)pem.n);
    if (bio == NULL)
        return wa_nomem(err);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, passphrase, &a);
    if (pkey == NULL) {
        if (err->code != WA_OK) { /* from the one who was asked */
            ERR_clear_error();
            return err->code;
        }
        if (a.asked) {
            ERR_clear_error();
            return wa_fail(err, WA_E_AUTH,
                           "cannot open the private key '%s': the password is wrong", what);
        }
        (void)wa_fail_ossl(err, WA_E_INVALID, "read a private key");
        return wa_wrap(err, "'%s'", what);
    }
    return wa_key_wrap(pkey, true, what, ret, err);
}

/* PKCS#8 under PBES2, since PEM_write_bio_PKCS8PrivateKey has no say in the rounds. */
static enum wa_code encrypt_pem(EVP_PKEY *pkey, struct wa_sv pass, BIO *bio, struct wa_err *err)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    if (info == NULL)
        return wa_fail_ossl(err, WA_E_INTERNAL, "encode a private key");
    unsigned char salt[16];
    X509_ALGOR *alg = NULL;
    if (RAND_bytes(salt, sizeof salt) == 1)
        alg = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PBKDF2_ROUNDS, salt, sizeof salt, NULL,
                                NID_hmacWithSHA256);
    X509_SIG *sealed = alg == NULL ? NULL : PKCS8_set0_pbe(pass.p, (int)pass.n, info, alg);
    PKCS8_PRIV_KEY_INFO_free(info);
    if (sealed == NULL) {
        X509_ALGOR_free(alg);
        return wa_fail_ossl(err, WA_E_INTERNAL, "encrypt a private key");
    }
    int ok = PEM_write_bio_PKCS8(bio, sealed);
    X509_SIG_free(sealed);
    return ok == 1 ? WA_OK : wa_fail_ossl(err, WA_E_INTERNAL, "write a private key");
}

/* Moves what a memory BIO holds to out, and wipes it there. */
static enum wa_code drain(BIO *bio, struct wa_buf *out, struct wa_err *err)
{
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);
    if (n > 0) {
        wa_buf_add(out, p, (size_t)n);
        wa_wipe(p, (size_t)n);
    }
    return wa_buf_check(out, err);
}

enum wa_code wa_key_write_pem(const struct wa_key *key, struct wa_sv pass, struct wa_buf *out,
                              struct wa_err *err)
{
    WA_OSSL(BIO) bio = BIO_new(BIO_s_secmem());
    if (bio == NULL)
        return wa_nomem(err);
    if (!key->is_private)
        return wa_fail(err, WA_E_USAGE, "a public key can't be written as a private one");
    if (pass.n > 0) {
        if (encrypt_pem(key->pkey, pass, bio, err) != WA_OK)
            return err->code;
    } else if (PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1) {
        return wa_fail_ossl(err, WA_E_INTERNAL, "write a private key");
    }
    return drain(bio, out, err);
}

enum wa_code wa_key_write_public_pem(const struct wa_key *key, struct wa_buf *out,
                                     struct wa_err *err)
{
    WA_OSSL(BIO) bio = BIO_new(BIO_s_mem());
    if (bio == NULL)
        return wa_nomem(err);
    if (PEM_write_bio_PUBKEY(bio, key->pkey) != 1)
        return wa_fail_ossl(err, WA_E_INTERNAL, "write a public key");
    return drain(bio, out, err);
}

enum wa_code wa_key_read_public_pem(struct wa_sv pem, struct wa_key **ret, struct wa_err *err)
{
    if (pem.n > PEM_MAX)
        return wa_fail(err, WA_E_LIMIT, "a public key of more than %u bytes", PEM_MAX);
    WA_OSSL(BIO) bio = BIO_new_mem_buf(pem.n == 0 ? "" : pem.p, (int)pem.n);
    if (bio == NULL)
        return wa_nomem(err);
    EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    if (pkey == NULL)
        return wa_fail_ossl(err, WA_E_INVALID, "read a public key");
    return wa_key_wrap(pkey, false, "public key", ret, err);
}

enum wa_key_kind wa_key_kind(const struct wa_key *key)
{
    return key->kind;
}

unsigned wa_key_bits(const struct wa_key *key)
{
    return (unsigned)EVP_PKEY_get_bits(key->pkey);
}

bool wa_key_is_private(const struct wa_key *key)
{
    return key->is_private;
}

bool wa_key_equal_public(const struct wa_key *a, const struct wa_key *b)
{
    bool equal = EVP_PKEY_eq(a->pkey, b->pkey) == 1;
    ERR_clear_error();
    return equal;
}

void *wa_key_native(const struct wa_key *key)
{
    return key->pkey;
}

/* --- signatures --- */

enum wa_code wa_sign(const struct wa_key *key, struct wa_sv message, struct wa_buf *ret_signature,
                     struct wa_err *err)
{
    WA_OSSL(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
    size_t n = 0;
    if (ctx == NULL)
        return wa_nomem(err);
    if (!key->is_private)
        return wa_fail(err, WA_E_USAGE, "a public key can't sign");
    /* RSA's default padding under EVP is PKCS#1 v1.5, which the formats ask for. */
    if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) != 1 ||
        EVP_DigestSign(ctx, NULL, &n, (const unsigned char *)message.p, message.n) != 1)
        return wa_fail_ossl(err, WA_E_INTERNAL, "sign");
    unsigned char *p = wa_buf_reserve(ret_signature, n);
    if (p == NULL)
        return wa_buf_check(ret_signature, err);
    if (EVP_DigestSign(ctx, p, &n, (const unsigned char *)message.p, message.n) != 1)
        return wa_fail_ossl(err, WA_E_INTERNAL, "sign");
    wa_buf_advance(ret_signature, n);
    return WA_OK;
}

enum wa_code wa_signature_check(const struct wa_key *key, struct wa_sv message,
                                struct wa_sv signature, struct wa_err *err)
{
    WA_OSSL(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
    if (ctx == NULL)
        return wa_nomem(err);
    if (key->kind == WA_KEY_RSA && signature.n != (size_t)EVP_PKEY_get_size(key->pkey))
        return wa_fail(err, WA_E_REFUSED, "the signature has not the length of the key");
    if (EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) != 1)
        return wa_fail_ossl(err, WA_E_INTERNAL, "check a signature");
    int rc = EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
                              (const unsigned char *)message.p, message.n);
    ERR_clear_error();
    if (rc != 1)
        return wa_fail(err, WA_E_REFUSED, "the signature does not hold");
    return WA_OK;
}
