/* pkcs12.c - see pkcs12.h.
 *
 * PKCS12_parse() would hash the password as often as the file says, for each of its parts: here the
 * parts are gone through one by one, and what each costs is looked at before it is opened. The
 * checksum is verified before that, so only whoever knows the password comes any further.
 */
#include "crypto/pkcs12.h"

#include "base/mem.h"
#include "crypto/key_priv.h"
#include "crypto/ossl_priv.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

/* Of each of its three hashings: Windows and .NET take no more than these together. */
#define ROUNDS_WRITTEN 100000

WA_OSSL_AUTO(PKCS12, PKCS12_free)

static void free_parts(STACK_OF(PKCS7) * *parts)
{
    sk_PKCS7_pop_free(*parts, PKCS7_free);
}

static void free_bags(STACK_OF(PKCS12_SAFEBAG) * *bags)
{
    sk_PKCS12_SAFEBAG_pop_free(*bags, PKCS12_SAFEBAG_free);
}

struct reading {
    struct wa_buf password; /* secret */
    const char *secret;     /* the same; NULL: none, which is not the empty one */
    int64_t rounds;         /* that are left */
    size_t bags;
    struct wa_key *key;
    struct wa_certs certs; /* as they stand in it */
};

static enum wa_code spend(struct reading *r, int64_t rounds, struct wa_err *err)
{
    if (rounds < 0)
        return wa_fail(err, WA_E_REFUSED,
                       "a part of it is encrypted in a way that is not known, or too weak (RC2, "
                       "DES): have it made anew with AES, or convert it with 'openssl pkcs12 "
                       "-legacy'");
    if (rounds < 1 || rounds > r->rounds)
        return wa_fail(err, WA_E_REFUSED, "its password would be hashed more than %d times",
                       WA_KEY_ROUNDS_MAX);
    r->rounds -= rounds;
    return WA_OK;
}

/* --- the checksum --- */

static enum wa_code check_mac_costs(const PKCS12 *p12, struct reading *r, struct wa_err *err)
{
    const ASN1_INTEGER *iterations = NULL;
    const X509_ALGOR *alg = NULL;
    const ASN1_OBJECT *digest = NULL;
    int64_t rounds = 1;
    PKCS12_get0_mac(NULL, &alg, NULL, &iterations, p12);
    if (alg == NULL)
        return wa_fail(err, WA_E_REFUSED, "it has no checksum by which its password is known");
    X509_ALGOR_get0(&digest, NULL, NULL, alg);
    switch (OBJ_obj2nid(digest)) {
    case NID_sha1:
    case NID_sha224:
    case NID_sha256:
    case NID_sha384:
    case NID_sha512:
        break;
    default:
        return wa_fail(err, WA_E_REFUSED, "its checksum is of a kind that is not known");
    }
    if (iterations != NULL && ASN1_INTEGER_get_int64(&rounds, iterations) != 1)
        rounds = INT64_MAX;
    return spend(r, rounds < 0 ? INT64_MAX : rounds, err);
}

static enum wa_code check_password(PKCS12 *p12, struct reading *r, struct wa_err *err)
{
    r->secret = wa_buf_str(&r->password);
    if (PKCS12_verify_mac(p12, r->secret, (int)r->password.n) == 1)
        return WA_OK;
    if (r->password.n == 0 && PKCS12_verify_mac(p12, NULL, 0) == 1) {
        r->secret = NULL;
        return WA_OK;
    }
    return wa_ossl_fail(err, WA_E_AUTH, "wrong password");
}

/* --- what is in it --- */

static enum wa_code take_key(struct reading *r, const PKCS8_PRIV_KEY_INFO *p8, struct wa_err *err)
{
    if (r->key != NULL)
        return wa_fail(err, WA_E_REFUSED, "it has more than one private key");
    EVP_PKEY *pkey = p8 == NULL ? NULL : EVP_PKCS82PKEY(p8);
    if (pkey == NULL)
        return wa_ossl_fail(err, WA_E_INVALID, "its private key can't be read");
    return wa_key_adopt_strong(pkey, true, "its private key", &r->key, err);
}

static enum wa_code take_shrouded(struct reading *r, const PKCS12_SAFEBAG *bag, struct wa_err *err)
{
    const X509_ALGOR *alg = NULL;
    const X509_SIG *sig = PKCS12_SAFEBAG_get0_pkcs8(bag);
    if (sig == NULL)
        return wa_ossl_fail(err, WA_E_INVALID, "its private key can't be read");
    X509_SIG_get0(sig, &alg, NULL);
    if (spend(r, wa_key_count_rounds(alg), err) != WA_OK)
        return err->code;
    WA_OSSL(PKCS8_PRIV_KEY_INFO)
    p8 = PKCS12_decrypt_skey(bag, r->secret, (int)r->password.n);
    return take_key(r, p8, err);
}

static enum wa_code take_cert(struct reading *r, const PKCS12_SAFEBAG *bag, struct wa_err *err)
{
    WA_OSSL(X509) x = NULL;
    WA_AUTO(wa_cert) struct wa_cert *c = NULL;
    unsigned char *der = NULL;
    if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate)
        return WA_OK;
    x = PKCS12_SAFEBAG_get1_cert(bag);
    int n = x == NULL ? -1 : i2d_X509(x, &der);
    if (n < 0)
        return wa_ossl_fail(err, WA_E_INVALID, "one of its certificates can't be read");
    enum wa_code code = wa_cert_from_der(der, (size_t)n, &c, err);
    OPENSSL_free(der);
    return code == WA_OK ? wa_certs_add(&r->certs, c, err) : code;
}

static enum wa_code take_bag(struct reading *r, const PKCS12_SAFEBAG *bag, struct wa_err *err)
{
    if (++r->bags > WA_PKCS12_BAGS_MAX)
        return wa_fail(err, WA_E_LIMIT, "it has more than %u keys and certificates",
                       WA_PKCS12_BAGS_MAX);
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
    case NID_keyBag:
        return take_key(r, PKCS12_SAFEBAG_get0_p8inf(bag), err);
    case NID_pkcs8ShroudedKeyBag:
        return take_shrouded(r, bag, err);
    case NID_certBag:
        return take_cert(r, bag, err);
    default: /* revocation lists, other secrets */
        return WA_OK;
    }
}

static enum wa_code take_part(struct reading *r, PKCS7 *part, struct wa_err *err)
{
    WA_CLEANUP(free_bags) STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    enum wa_code code = WA_OK;
    switch (OBJ_obj2nid(part->type)) {
    case NID_pkcs7_data:
        bags = PKCS12_unpack_p7data(part);
        break;
    case NID_pkcs7_encrypted:
        if (part->d.encrypted == NULL || part->d.encrypted->enc_data == NULL)
            return wa_fail(err, WA_E_INVALID, "a part of it can't be read");
        if (spend(r, wa_key_count_rounds(part->d.encrypted->enc_data->algorithm), err) != WA_OK)
            return err->code;
        bags = PKCS12_unpack_p7encdata(part, r->secret, (int)r->password.n);
        break;
    default:
        return wa_fail(err, WA_E_REFUSED, "a part of it is encrypted for somebody's certificate");
    }
    if (bags == NULL)
        return wa_ossl_fail(err, WA_E_INVALID, "a part of it can't be read");
    for (int i = 0; code == WA_OK && i < sk_PKCS12_SAFEBAG_num(bags); i++)
        code = take_bag(r, sk_PKCS12_SAFEBAG_value(bags, i), err);
    return code;
}

static enum wa_code take_parts(struct reading *r, const PKCS12 *p12, struct wa_err *err)
{
    WA_CLEANUP(free_parts) STACK_OF(PKCS7) *parts = PKCS12_unpack_authsafes(p12);
    enum wa_code code = WA_OK;
    if (parts == NULL)
        return wa_ossl_fail(err, WA_E_INVALID, "its content can't be read");
    for (int i = 0; code == WA_OK && i < sk_PKCS7_num(parts); i++)
        code = take_part(r, sk_PKCS7_value(parts, i), err);
    return code;
}

/* --- whose key it is --- */

static bool issued(const struct wa_cert *by, const struct wa_cert *c)
{
    return X509_check_issued(wa_cert_native(by), wa_cert_native(c)) == X509_V_OK;
}

/* The key's own, then each one's issuer. */
static enum wa_code sort(const struct reading *r, struct wa_certs *ret, struct wa_err *err)
{
    const struct wa_cert *last = NULL;
    for (size_t i = 0; i < r->certs.n && ret->n == 0; i++)
        if (wa_cert_matches_key(r->certs.items[i], r->key) &&
            wa_certs_add(ret, r->certs.items[i], err) != WA_OK)
            return err->code;
    if (ret->n == 0)
        return wa_fail(err, WA_E_REFUSED, "no certificate in it belongs to its private key");
    while (ret->n < WA_CHAIN_MAX && last != ret->items[ret->n - 1]) {
        last = ret->items[ret->n - 1];
        for (size_t i = 0; i < r->certs.n && !wa_cert_is_self_issued(last); i++)
            if (issued(r->certs.items[i], last)) {
                if (wa_certs_add(ret, r->certs.items[i], err) != WA_OK) /* each once: no ring */
                    return err->code;
                break;
            }
    }
    return WA_OK;
}

static enum wa_code read_all(struct wa_sv der, const char *what, wa_passphrase_fn ask, void *user,
                             struct reading *r, struct wa_err *err)
{
    const unsigned char *p = (const unsigned char *)der.p;
    if (der.n > WA_PKCS12_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "it has more than %u bytes", WA_PKCS12_BYTES_MAX);
    WA_OSSL(PKCS12) p12 = der.n == 0 ? NULL : d2i_PKCS12(NULL, &p, (long)der.n);
    if (p12 == NULL || (size_t)(p - (const unsigned char *)der.p) != der.n)
        return wa_ossl_fail(err, WA_E_INVALID, "it is no PKCS#12 file");
    if (check_mac_costs(p12, r, err) != WA_OK || ask(user, what, &r->password, err) != WA_OK ||
        wa_buf_check(&r->password, err) != WA_OK || check_password(p12, r, err) != WA_OK ||
        take_parts(r, p12, err) != WA_OK)
        return err->code;
    return r->key != NULL ? WA_OK : wa_fail(err, WA_E_REFUSED, "no private key is in it");
}

enum wa_code wa_pkcs12_read(struct wa_sv der, const char *what, wa_passphrase_fn ask, void *user,
                            struct wa_key **ret_key, struct wa_certs *ret_chain, struct wa_err *err)
{
    struct reading r = {.rounds = WA_KEY_ROUNDS_MAX};
    WA_AUTO_CERTS struct wa_certs chain = {0};
    wa_buf_init(&r.password, WA_PASSPHRASE_MAX);
    enum wa_code code = read_all(der, what, ask, user, &r, err);
    if (code == WA_OK)
        code = sort(&r, &chain, err);
    if (code == WA_OK) {
        *ret_key = r.key;
        *ret_chain = chain;
        r.key = NULL;
        chain = (struct wa_certs){0};
    }
    wa_key_free(r.key);
    wa_certs_fini(&r.certs);
    wa_buf_fini_secret(&r.password);
    ERR_clear_error();
    return code == WA_OK ? WA_OK : wa_wrap(err, "reading '%s'", what);
}

/* --- writing --- */

static void free_stack(STACK_OF(X509) * *stack)
{
    sk_X509_free(*stack); /* they are borrowed */
}

static PKCS12 *make(const struct wa_key *key, const struct wa_certs *chain, const char *password)
{
    WA_CLEANUP(free_stack) STACK_OF(X509) *more = sk_X509_new_null();
    bool is_whole = more != NULL;
    for (size_t i = 1; is_whole && i < chain->n; i++)
        is_whole = sk_X509_push(more, wa_cert_native(chain->items[i])) > 0;
    return is_whole ? PKCS12_create(password, wa_cert_cn(chain->items[0]), wa_key_native(key),
                                    wa_cert_native(chain->items[0]), more, NID_aes_256_cbc,
                                    NID_aes_256_cbc, ROUNDS_WRITTEN, -1, 0)
                    : NULL;
}

enum wa_code wa_pkcs12_write(const struct wa_key *key, const struct wa_certs *chain,
                             struct wa_sv password, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf text;
    WA_OSSL(BIO) bio = NULL;
    WA_OSSL(PKCS12) p12 = NULL;
    wa_buf_init(&text, WA_PASSPHRASE_MAX);
    if (key->owner != NULL)
        return wa_fail(err, WA_E_REFUSED, "cannot write a private key that stays on its token");
    if (!key->is_private || chain->n == 0 || password.n == 0)
        return wa_fail(err, WA_E_INTERNAL, "a key, its certificate or a password is missing");
    wa_buf_addsv(&text, password);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    if (strlen(wa_buf_str(&text)) != text.n)
        return wa_fail(err, WA_E_INVALID, "a password has no zero byte");
    bio = BIO_new(BIO_s_mem());
    p12 = make(key, chain, wa_buf_str(&text));
    if (bio == NULL || p12 == NULL ||
        PKCS12_set_mac(p12, wa_buf_str(&text), (int)text.n, NULL, 0, ROUNDS_WRITTEN,
                       EVP_sha256()) != 1 ||
        i2d_PKCS12_bio(bio, p12) != 1)
        return wa_ossl_fail(err, WA_E_FAILED, "cannot write the key and its certificates");
    ERR_clear_error();
    return wa_ossl_drain(bio, out, err);
}
