/* key_pem.c - keys as PEM text.
 *
 * Reads the first private key of the text in the forms that OpenSSL and WAPT's console write: PBES2
 * with PBKDF2 or scrypt, PKCS#12's triple DES, the traditional "DEK-Info"; and only with a bearable
 * number of rounds, so that a key file can't hang whoever reads it. DES and RC2 are refused. The
 * passphrase is asked for once, and wiped.
 */
#include "base/mem.h"
#include "crypto/key_priv.h"
#include "crypto/ossl_priv.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#define ROUNDS_WRITTEN 600000   /* PBKDF2 with HMAC-SHA-256 (OWASP, 2023) */
#define PEM_OUT_MAX (64u << 10) /* bytes: RSA-16384 takes 13 KiB */

struct asker {
    wa_passphrase_fn ask;
    void *user;
    const char *what;
    struct wa_buf passphrase;
    struct wa_err err; /* the callback's */
    bool asked;
};

/* The passphrase into a->passphrase, once; false when there is none. */
static bool ask_once(struct asker *a)
{
    if (a->asked)
        return a->err.code == WA_OK;
    a->asked = true;
    if (a->ask == NULL) {
        wa_fail(&a->err, WA_E_AUTH, "it is encrypted and nobody can be asked for its passphrase");
        return false;
    }
    enum wa_code code = a->ask(a->user, a->what, &a->passphrase, &a->err);
    if (code == WA_OK)
        code = wa_buf_check(&a->passphrase, &a->err);
    a->err.code = code;
    return code == WA_OK;
}

static int on_passphrase(char *buf, int size, int is_writing, void *user)
{
    struct asker *a = user;

    WA_UNUSED(is_writing);
    if (!ask_once(a) || size < 0 || a->passphrase.n > (size_t)size)
        return -1;
    if (a->passphrase.n > 0)
        memcpy(buf, a->passphrase.p, a->passphrase.n);
    return (int)a->passphrase.n;
}

/* What hashing the passphrase costs, by the parameters that stand beside the key; -1: not known. */
static int64_t count_rounds(const X509_ALGOR *alg)
{
    int64_t rounds = -1;
    PBKDF2PARAM *kdf = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), alg->parameter);

    if (kdf != NULL && ASN1_INTEGER_get_int64(&rounds, kdf->iter) != 1)
        rounds = INT64_MAX;
    PBKDF2PARAM_free(kdf);
    return rounds;
}

/* In rounds too: as many as take about as long. One of scrypt mixes 128 bytes twice. */
static int64_t count_scrypt(const X509_ALGOR *alg)
{
    int64_t n = 0, r = 0, p = 0, cost = -1;
    SCRYPT_PARAMS *kdf = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), alg->parameter);

    if (kdf != NULL) {
        bool is_small = ASN1_INTEGER_get_int64(&n, kdf->costParameter) == 1 &&
                        ASN1_INTEGER_get_int64(&r, kdf->blockSize) == 1 &&
                        ASN1_INTEGER_get_int64(&p, kdf->parallelizationParameter) == 1 && n > 0 &&
                        r > 0 && p > 0 && n <= INT32_MAX && r <= 1024 && p <= 1024;
        cost = is_small ? n * r * p : INT64_MAX;
    }
    SCRYPT_PARAMS_free(kdf);
    return cost;
}

static int64_t count_pbes1(const X509_ALGOR *alg)
{
    int64_t rounds = -1;
    PBEPARAM *pbe = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), alg->parameter);

    if (pbe != NULL && ASN1_INTEGER_get_int64(&rounds, pbe->iter) != 1)
        rounds = INT64_MAX;
    PBEPARAM_free(pbe);
    return rounds;
}

static int64_t count_pbes2(const X509_ALGOR *alg)
{
    int64_t cost = -1;
    PBE2PARAM *pbe2 = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), alg->parameter);
    int kdf = pbe2 == NULL ? NID_undef : OBJ_obj2nid(pbe2->keyfunc->algorithm);

    if (kdf == NID_id_pbkdf2)
        cost = count_rounds(pbe2->keyfunc);
    else if (kdf == NID_id_scrypt)
        cost = count_scrypt(pbe2->keyfunc);
    PBE2PARAM_free(pbe2);
    return cost;
}

int64_t wa_key_count_rounds(const X509_ALGOR *alg)
{
    switch (OBJ_obj2nid(alg->algorithm)) {
    case NID_pbes2:
        return count_pbes2(alg);
    case NID_pbe_WithSHA1And3_Key_TripleDES_CBC:
    case NID_pbe_WithSHA1And2_Key_TripleDES_CBC:
        return count_pbes1(alg);
    default:
        return -1;
    }
}

static enum wa_code check_rounds(const X509_ALGOR *alg, struct wa_err *err)
{
    int64_t cost = wa_key_count_rounds(alg);

    if (cost < 0)
        return wa_ossl_fail(err, WA_E_REFUSED,
                            "it is encrypted in a way that is not known, or too weak; convert it "
                            "with 'openssl pkcs8 -topk8'");
    if (cost < 1 || cost > WA_KEY_ROUNDS_MAX)
        return wa_ossl_fail(err, WA_E_REFUSED, "its passphrase would be hashed more than %d times",
                            WA_KEY_ROUNDS_MAX);
    return WA_OK;
}

/* "ENCRYPTED PRIVATE KEY": PKCS#8. */
static enum wa_code decrypt_pkcs8(const unsigned char *der, long n, struct asker *a, EVP_PKEY **ret,
                                  struct wa_err *err)
{
    const unsigned char *p = der;
    const X509_ALGOR *alg = NULL;
    WA_OSSL(X509_SIG) sig = d2i_X509_SIG(NULL, &p, n);
    WA_OSSL(PKCS8_PRIV_KEY_INFO) p8 = NULL;

    if (sig == NULL)
        return wa_ossl_fail(err, WA_E_INVALID, "its encryption can't be read");
    X509_SIG_get0(sig, &alg, NULL);
    if (check_rounds(alg, err) != WA_OK)
        return err->code;
    if (!ask_once(a))
        return wa_fail(err, a->err.code, "%s", a->err.text);
    p8 = PKCS8_decrypt(sig, wa_buf_str(&a->passphrase), (int)a->passphrase.n);
    if (p8 == NULL)
        return wa_ossl_fail(err, WA_E_AUTH, "wrong passphrase");
    *ret = EVP_PKCS82PKEY(p8);
    if (*ret == NULL)
        return wa_ossl_fail(err, WA_E_INVALID, "what was encrypted is no key");
    return WA_OK;
}

static enum wa_code decode(const char *label, const unsigned char *der, long n, struct asker *a,
                           EVP_PKEY **ret, struct wa_err *err)
{
    const unsigned char *p = der;

    if (strcmp(label, PEM_STRING_PKCS8) == 0)
        return decrypt_pkcs8(der, n, a, ret, err);
    if (strcmp(label, PEM_STRING_RSA) == 0)
        *ret = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &p, n);
    else if (strcmp(label, PEM_STRING_ECPRIVATEKEY) == 0)
        *ret = d2i_PrivateKey(EVP_PKEY_EC, NULL, &p, n);
    else if (strcmp(label, PEM_STRING_PKCS8INF) == 0)
        *ret = d2i_AutoPrivateKey(NULL, &p, n);
    else
        return wa_fail(err, WA_E_REFUSED, "it is neither an RSA nor an elliptic-curve key");
    if (*ret == NULL && a->asked)
        return wa_ossl_fail(err, WA_E_AUTH, "wrong passphrase");
    if (*ret == NULL)
        return wa_ossl_fail(err, WA_E_INVALID, "its bytes don't make a key");
    return WA_OK;
}

static enum wa_code read_private(struct wa_sv pem, struct asker *a, EVP_PKEY **ret,
                                 struct wa_err *err)
{
    WA_OSSL(BIO) bio = BIO_new_mem_buf(pem.n > 0 ? pem.p : "", (int)pem.n);
    unsigned char *der = NULL;
    char *label = NULL;
    long n = 0;

    if (bio == NULL)
        return wa_ossl_fail(err, WA_E_NOMEM, "cannot read it");
    if (PEM_bytes_read_bio(&der, &n, &label, PEM_STRING_EVP_PKEY, bio, on_passphrase, a) != 1) {
        if (a->err.code != WA_OK) {
            ERR_clear_error();
            return wa_fail(err, a->err.code, "%s", a->err.text);
        }
        if (a->asked)
            return wa_ossl_fail(err, WA_E_AUTH, "wrong passphrase");
        return wa_ossl_fail(err, WA_E_INVALID, "no private key is in it");
    }
    enum wa_code code = decode(label, der, n, a, ret, err);
    OPENSSL_clear_free(der, (size_t)n);
    OPENSSL_free(label);
    ERR_clear_error();
    return code;
}

enum wa_code wa_key_read_pem(struct wa_sv pem, const char *what, wa_passphrase_fn ask, void *user,
                             struct wa_key **ret, struct wa_err *err)
{
    struct asker a = {.ask = ask, .user = user, .what = what, .err = WA_ERR_INIT};
    EVP_PKEY *pkey = NULL;

    if (pem.n > PEM_OUT_MAX * 4)
        return wa_fail(err, WA_E_LIMIT, "cannot read the key '%s': more than %u bytes", what,
                       PEM_OUT_MAX * 4);
    wa_buf_init(&a.passphrase, WA_PASSPHRASE_MAX);
    enum wa_code code = read_private(pem, &a, &pkey, err);
    wa_buf_fini_secret(&a.passphrase);
    if (code != WA_OK)
        return wa_wrap(err, "cannot read the key '%s'", what);
    return wa_key_adopt_strong(pkey, true, what, ret, err);
}

/* PKCS#8 into bio. */
static bool write_private(BIO *bio, PKCS8_PRIV_KEY_INFO *p8, struct wa_sv passphrase)
{
    if (passphrase.n == 0)
        return PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, p8) == 1;
    WA_OSSL(X509_SIG)
    sig = PKCS8_encrypt(NID_hmacWithSHA256, EVP_aes_256_cbc(), passphrase.p, (int)passphrase.n,
                        NULL, 0, ROUNDS_WRITTEN, p8);
    return sig != NULL && PEM_write_bio_PKCS8(bio, sig) == 1;
}

enum wa_code wa_key_write_pem(const struct wa_key *key, struct wa_sv passphrase, struct wa_buf *out,
                              struct wa_err *err)
{
    WA_OSSL(BIO) bio = NULL;
    WA_OSSL(PKCS8_PRIV_KEY_INFO) p8 = NULL;

    if (!key->is_private)
        return wa_fail(err, WA_E_INTERNAL,
                       "cannot write a private key: only its public half is here");
    if (key->owner != NULL)
        return wa_fail(err, WA_E_REFUSED, "cannot write a private key that stays on its token");
    if (passphrase.n > WA_PASSPHRASE_MAX)
        return wa_fail(err, WA_E_LIMIT, "cannot use a passphrase of more than %d bytes",
                       WA_PASSPHRASE_MAX);
    bio = BIO_new(BIO_s_mem()); /* wipes its memory when it grows and when it is freed */
    p8 = EVP_PKEY2PKCS8(key->pkey);
    if (bio == NULL || p8 == NULL || !write_private(bio, p8, passphrase))
        return wa_ossl_fail(err, WA_E_FAILED, "cannot write the private key");
    ERR_clear_error();
    return wa_ossl_drain(bio, out, err);
}

enum wa_code wa_key_write_public_pem(const struct wa_key *key, struct wa_buf *out,
                                     struct wa_err *err)
{
    WA_OSSL(BIO) bio = BIO_new(BIO_s_mem());

    if (bio == NULL || key->pkey == NULL || PEM_write_bio_PUBKEY(bio, key->pkey) != 1)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot write the public key");
    ERR_clear_error();
    return wa_ossl_drain(bio, out, err);
}

enum wa_code wa_key_read_public_pem(struct wa_sv pem, struct wa_key **ret, struct wa_err *err)
{
    unsigned char *der = NULL;
    char *label = NULL;
    long n = 0;

    if (pem.n > PEM_OUT_MAX)
        return wa_fail(err, WA_E_LIMIT, "cannot read a public key of more than %u bytes",
                       PEM_OUT_MAX);
    WA_OSSL(BIO) bio = BIO_new_mem_buf(pem.n > 0 ? pem.p : "", (int)pem.n);
    if (bio == NULL)
        return wa_ossl_fail(err, WA_E_NOMEM, "cannot read it");
    if (PEM_bytes_read_bio(&der, &n, &label, PEM_STRING_PUBLIC, bio, NULL, NULL) != 1)
        return wa_ossl_fail(err, WA_E_INVALID, "cannot read a public key");
    const unsigned char *p = der;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, n);
    bool is_whole = pkey != NULL && p == der + n;
    OPENSSL_free(der);
    OPENSSL_free(label);
    if (!is_whole) {
        EVP_PKEY_free(pkey);
        return wa_ossl_fail(err, WA_E_INVALID, "cannot read a public key");
    }
    ERR_clear_error();
    return wa_key_adopt_strong(pkey, false, "the public key", ret, err);
}
