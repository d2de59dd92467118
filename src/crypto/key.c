/* key.c - keys in memory, and what makes one acceptable.
 *
 * A key that came from outside is looked at once, here: kind, size, exponent, curve. One that fails
 * stays usable as a thing to name (a certificate with a weak key can be listed) but every signature
 * by it is refused.
 */
#include "crypto/key.h"

#include "base/mem.h"
#include "base/text.h"
#include "crypto/key_priv.h"
#include "crypto/ossl_priv.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

/* e = 1 makes every message its own signature, a small one forgives careless checkers nothing (FIPS
 * 186-5, 5.4: above 2^16); an even e or n is no RSA at all. A long e makes each check slow. */
static const char *rsa_weakness(EVP_PKEY *pkey, unsigned bits)
{
    WA_OSSL(BIGNUM) n = NULL;
    WA_OSSL(BIGNUM) e = NULL;

    if (bits < WA_RSA_BITS_MIN)
        return wa_text("an RSA key of less than 2048 bits");
    if (bits > WA_RSA_BITS_MAX)
        return wa_text("an RSA key of more than 16384 bits");
    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
        EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
        return wa_text("an RSA key without its numbers");
    if (!BN_is_odd(n) || !BN_is_odd(e) || BN_num_bits(e) > 64)
        return wa_text("an RSA key with an impossible modulus or exponent");
    if (BN_num_bits(e) < 17)
        return wa_text("an RSA key with a public exponent below 65537");
    return NULL;
}

static const char *ec_weakness(EVP_PKEY *pkey)
{
    char group[32] = "";
    size_t n = 0;
    int is_explicit = 0;

    if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), &n) != 1 ||
        (strcmp(group, "prime256v1") != 0 && strcmp(group, "secp384r1") != 0))
        return wa_text("an elliptic-curve key that is neither P-256 nor P-384");
    if (EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                               &is_explicit) != 1 ||
        is_explicit != 0)
        return wa_text("an elliptic-curve key that spells its own curve");
    return NULL;
}

static void describe(struct wa_key *key)
{
    key->weakness = wa_text("a key that can't be read");
    if (key->pkey == NULL)
        return;
    int bits = EVP_PKEY_get_bits(key->pkey);
    key->bits = bits > 0 ? (unsigned)bits : 0;
    if (EVP_PKEY_is_a(key->pkey, "RSA")) {
        key->kind = WA_KEY_RSA;
        key->weakness = rsa_weakness(key->pkey, key->bits);
    } else if (EVP_PKEY_is_a(key->pkey, "EC")) {
        key->kind = WA_KEY_EC;
        key->weakness = ec_weakness(key->pkey);
    } else {
        key->weakness = wa_text("a key that is neither RSA nor elliptic-curve");
    }
}

enum wa_code wa_key_adopt(EVP_PKEY *pkey, bool is_private, struct wa_key **ret, struct wa_err *err)
{
    struct wa_key *key = wa_calloc(1, sizeof(*key));

    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return wa_nomem(err);
    }
    key->pkey = pkey;
    key->is_private = is_private;
    describe(key);
    ERR_clear_error();
    *ret = key;
    return WA_OK;
}

enum wa_code wa_key_adopt_strong(EVP_PKEY *pkey, bool is_private, const char *what,
                                 struct wa_key **ret, struct wa_err *err)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;

    if (wa_key_adopt(pkey, is_private, &key, err) != WA_OK)
        return err->code;
    if (key->weakness != NULL)
        return wa_fail(err, WA_E_REFUSED, "cannot use %s: it is %s", what, key->weakness);
    *ret = WA_TAKE(key);
    return WA_OK;
}

enum wa_code wa_key_new_rsa(unsigned bits, struct wa_key **ret, struct wa_err *err)
{
    if (bits < WA_RSA_BITS_MIN || bits > WA_RSA_BITS_MAX)
        return wa_fail(err, WA_E_USAGE, "cannot make an RSA key of %u bits: %d to %d are possible",
                       bits, WA_RSA_BITS_MIN, WA_RSA_BITS_MAX);
    EVP_PKEY *pkey = EVP_RSA_gen(bits);
    if (pkey == NULL)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot make an RSA key");
    return wa_key_adopt_strong(pkey, true, "the new key", ret, err);
}

enum wa_code wa_key_new_p256(struct wa_key **ret, struct wa_err *err)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");

    if (pkey == NULL)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot make a P-256 key");
    return wa_key_adopt_strong(pkey, true, "the new key", ret, err);
}

/* OpenSSL takes numbers in the machine's own order. */
static BIGNUM *number_of(struct wa_sv bytes)
{
    return bytes.n > WA_RSA_BITS_MAX / 8
               ? NULL
               : BN_bin2bn((const unsigned char *)bytes.p, (int)bytes.n, NULL);
}

enum wa_code wa_key_of_rsa(struct wa_sv n, struct wa_sv e, struct wa_key **ret, struct wa_err *err)
{
    unsigned char modulus[WA_RSA_BITS_MAX / 8], exponent[8];
    WA_OSSL(BIGNUM) bn = number_of(n);
    WA_OSSL(BIGNUM) be = number_of(e);
    EVP_PKEY *pkey = NULL;
    if (bn == NULL || be == NULL || BN_num_bytes(be) > (int)sizeof exponent)
        return wa_ossl_fail(err, WA_E_REFUSED, "cannot use numbers of an RSA key");
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus, (size_t)BN_num_bytes(bn)),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent, (size_t)BN_num_bytes(be)),
        OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    bool is_made = ctx != NULL && BN_num_bytes(bn) > 0 && BN_num_bytes(be) > 0 &&
                   BN_bn2nativepad(bn, modulus, BN_num_bytes(bn)) > 0 &&
                   BN_bn2nativepad(be, exponent, BN_num_bytes(be)) > 0 &&
                   EVP_PKEY_fromdata_init(ctx) == 1 &&
                   EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1;
    EVP_PKEY_CTX_free(ctx);
    return is_made ? wa_key_adopt_strong(pkey, false, "an RSA key", ret, err)
                   : wa_ossl_fail(err, WA_E_REFUSED, "cannot use an RSA key");
}

/* --- points --- */

bool wa_key_point(const struct wa_key *key, uint8_t out[WA_KEY_POINT_BYTES])
{
    unsigned char *point = NULL;

    if (key->weakness != NULL || key->kind != WA_KEY_EC || key->bits != 256)
        return false;
    size_t n = EVP_PKEY_get1_encoded_public_key(key->pkey, &point);
    bool is_point = n == WA_KEY_POINT_BYTES && point[0] == POINT_CONVERSION_UNCOMPRESSED;
    if (is_point)
        memcpy(out, point, n);
    OPENSSL_free(point);
    ERR_clear_error();
    return is_point;
}

/* The curve, from a key that is thrown away, and its point for a beginning. */
enum wa_code wa_key_new_of_points(struct wa_key **ret, struct wa_err *err)
{
    EVP_PKEY *some = EVP_EC_gen("P-256"), *pkey = EVP_PKEY_new();
    unsigned char *point = NULL;

    size_t n = some == NULL ? 0 : EVP_PKEY_get1_encoded_public_key(some, &point);
    bool is_made = n > 0 && pkey != NULL && EVP_PKEY_copy_parameters(pkey, some) == 1 &&
                   EVP_PKEY_set1_encoded_public_key(pkey, point, n) == 1;
    OPENSSL_free(point);
    EVP_PKEY_free(some);
    if (!is_made) {
        EVP_PKEY_free(pkey);
        return wa_ossl_fail(err, WA_E_NOMEM, "cannot make a P-256 key");
    }
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    if (wa_key_adopt_strong(pkey, false, "the new key", &key, err) != WA_OK)
        return err->code;
    key->checks = EVP_PKEY_CTX_new(key->pkey, NULL);
    if (key->checks == NULL)
        return wa_ossl_fail(err, WA_E_NOMEM, "cannot make a P-256 key");
    *ret = WA_TAKE(key);
    return WA_OK;
}

enum wa_code wa_key_set_point(struct wa_key *key, const uint8_t point[WA_KEY_POINT_BYTES],
                              struct wa_err *err)
{
    if (point[0] != POINT_CONVERSION_UNCOMPRESSED ||
        EVP_PKEY_set1_encoded_public_key(key->pkey, point, WA_KEY_POINT_BYTES) != 1)
        return wa_ossl_fail(err, WA_E_INVALID, "cannot read a point of P-256");
    ERR_clear_error();
    return WA_OK;
}

struct wa_key *wa_key_ref(struct wa_key *key)
{
    atomic_fetch_add(&key->more, 1);
    return key;
}

void wa_key_free(struct wa_key *key)
{
    if (key == NULL || atomic_fetch_sub(&key->more, 1) > 0)
        return;
    EVP_PKEY_CTX_free(key->checks);
    EVP_PKEY_free(key->pkey); /* wipes the private numbers */
    if (key->owner != NULL)
        key->drop_owner(key->owner);
    wa_free(key);
}

bool wa_key_is_lost(const struct wa_key *key)
{
    return key->lost != NULL && atomic_load(key->lost);
}

enum wa_key_kind wa_key_kind(const struct wa_key *key)
{
    return key->kind;
}

unsigned wa_key_bits(const struct wa_key *key)
{
    return key->bits;
}

bool wa_key_is_private(const struct wa_key *key)
{
    return key->is_private;
}

bool wa_key_equal_public(const struct wa_key *a, const struct wa_key *b)
{
    if (a->pkey == NULL || b->pkey == NULL)
        return false;
    bool is_equal = EVP_PKEY_eq(a->pkey, b->pkey) == 1;
    ERR_clear_error();
    return is_equal;
}

void *wa_key_native(const struct wa_key *key)
{
    return key->pkey;
}
