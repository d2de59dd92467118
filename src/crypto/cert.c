/* cert.c - one certificate: its bytes read strictly, described once.
 *
 * Only the one DER form of a certificate is read, so that its fingerprint names it. What can't be
 * shown truthfully (a NUL in a common name) makes it unreadable; a weak key or broken extensions do
 * not: such a certificate can be listed, and trust.c and sign.c refuse it. Immutable afterwards, so
 * threads may share it.
 */
#include "crypto/cert.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "codec/hex.h"
#include "crypto/cert_priv.h"
#include "crypto/digest.h"
#include "crypto/key_priv.h"
#include "crypto/ossl_priv.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

struct wa_cert *wa_cert_ref(struct wa_cert *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void wa_cert_free(struct wa_cert *c)
{
    if (c == NULL || atomic_fetch_sub(&c->refs, 1) > 1)
        return;
    wa_key_free(c->key);
    X509_free(c->x);
    wa_free(c);
}

/* --- description --- */

static void take_text(const char *p, size_t n, char *out, size_t size)
{
    size_t cut = n < size ? n : wa_utf8_cut(p, size - 1);

    memcpy(out, p, cut);
    out[cut] = '\0';
}

/* The last common name, as WAPT shows it. */
static enum wa_code take_cn(struct wa_cert *c, struct wa_err *err)
{
    const X509_NAME *name = X509_get_subject_name(c->x);
    int at = -1;

    for (int i = X509_NAME_get_index_by_NID(name, NID_commonName, -1); i >= 0;
         i = X509_NAME_get_index_by_NID(name, NID_commonName, i))
        at = i;
    if (at < 0)
        return WA_OK;
    unsigned char *text = NULL;
    int n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (n < 0)
        return wa_ossl_fail(err, WA_E_INVALID, "its common name can't be read");
    bool is_text = memchr(text, '\0', (size_t)n) == NULL && wa_utf8_valid(wa_sv_n(text, (size_t)n));
    if (is_text)
        take_text((const char *)text, (size_t)n, c->cn, sizeof(c->cn));
    OPENSSL_free(text);
    return is_text ? WA_OK : wa_fail(err, WA_E_INVALID, "its common name is not text");
}

enum wa_code wa_cert_take_name(const X509_NAME *name, char *out, size_t size, struct wa_err *err)
{
    WA_OSSL(BIO) bio = BIO_new(BIO_s_mem());
    const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    char *p = NULL;

    if (bio == NULL)
        return wa_ossl_fail(err, WA_E_NOMEM, "its names can't be read");
    if (X509_NAME_print_ex(bio, name, 0, flags) < 0)
        return wa_ossl_fail(err, WA_E_INVALID, "its names can't be read");
    long n = BIO_get_mem_data(bio, &p);
    if (n > 0)
        take_text(p, (size_t)n, out, size);
    return WA_OK;
}

bool wa_asn1_time(const ASN1_TIME *t, int64_t *ret)
{
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool is_ok = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, t) == 1;

    ASN1_TIME_free(epoch);
    if (is_ok)
        *ret = (int64_t)days * 86400 + seconds;
    return is_ok;
}

/* What its extensions allow. OpenSSL computes these flags once and keeps them. */
static void take_usage(struct wa_cert *c)
{
    uint32_t flags = X509_get_extension_flags(c->x);
    uint32_t eku = X509_get_extended_key_usage(c->x); /* all bits when absent */

    c->is_self_issued = X509_NAME_cmp(X509_get_subject_name(c->x), X509_get_issuer_name(c->x)) == 0;
    c->is_sound = (flags & EXFLAG_INVALID) == 0;
    if (!c->is_sound)
        return;
    c->is_ca = (flags & EXFLAG_BCONS) != 0 && (flags & EXFLAG_CA) != 0;
    c->may_sign_code = (flags & EXFLAG_XKUSAGE) != 0 && (eku & XKU_CODE_SIGN) != 0;
    c->may_issue_code = (flags & EXFLAG_XKUSAGE) == 0 || (eku & (XKU_CODE_SIGN | XKU_ANYEKU)) != 0;
}

/* OpenSSL says of extensions that it had no memory for that they are broken, and keeps to it. Those
 * that are broken are so in a copy, too. */
static bool is_broken_again(X509 *x)
{
    WA_OSSL(X509) copy = X509_dup(x);

    return copy != NULL && (X509_get_extension_flags(copy) & EXFLAG_INVALID) != 0;
}

static enum wa_code take_key(struct wa_cert *c, struct wa_err *err)
{
    EVP_PKEY *pkey = X509_get_pubkey(c->x);

    if (pkey == NULL && wa_ossl_ran_out())
        return wa_nomem(err);
    return wa_key_adopt(pkey, false, &c->key, err);
}

static void take_serial(struct wa_cert *c)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(c->x);
    int n = ASN1_STRING_length(serial);

    if (n > 0 && n <= (WA_CERT_SERIAL_SIZE - 1) / 2 && ASN1_STRING_type(serial) == V_ASN1_INTEGER)
        wa_hex_encode(ASN1_STRING_get0_data(serial), (size_t)n, c->serial);
}

static enum wa_code describe(struct wa_cert *c, struct wa_err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (X509_digest(c->x, EVP_sha256(), digest, &n) != 1 || n != WA_SHA256_SIZE)
        return wa_ossl_fail(err, WA_E_INVALID, "it can't be digested");
    wa_hex_encode(digest, n, c->fingerprint);
    if (!wa_asn1_time(X509_get0_notBefore(c->x), &c->not_before) ||
        !wa_asn1_time(X509_get0_notAfter(c->x), &c->not_after))
        return wa_ossl_fail(err, WA_E_INVALID, "its dates can't be read");
    take_serial(c);
    take_usage(c);
    if (!c->is_sound && !is_broken_again(c->x))
        return wa_ossl_fail(err, WA_E_NOMEM, "its extensions can't be read");
    if (take_cn(c, err) != WA_OK || take_key(c, err) != WA_OK ||
        wa_cert_take_name(X509_get_subject_name(c->x), c->subject, sizeof(c->subject), err) !=
            WA_OK ||
        wa_cert_take_name(X509_get_issuer_name(c->x), c->issuer, sizeof(c->issuer), err) != WA_OK)
        return err->code;
    return WA_OK;
}

enum wa_code wa_cert_adopt(X509 *x, struct wa_cert **ret, struct wa_err *err)
{
    WA_AUTO(wa_cert) struct wa_cert *c = wa_calloc(1, sizeof(*c));

    if (c == NULL) {
        X509_free(x);
        return wa_nomem(err);
    }
    atomic_init(&c->refs, 1);
    c->x = x;
    enum wa_code code = describe(c, err);
    ERR_clear_error(); /* reading broken extensions leaves some, too */
    if (code != WA_OK)
        return wa_wrap(err, "cannot read a certificate");
    *ret = WA_TAKE(c);
    return WA_OK;
}

static bool is_canonical(X509 *x, const void *der, size_t n)
{
    unsigned char *again = NULL;
    int again_n = i2d_X509(x, &again);
    bool is_same = again_n >= 0 && (size_t)again_n == n && memcmp(again, der, n) == 0;

    OPENSSL_free(again);
    return is_same;
}

enum wa_code wa_cert_from_der(const void *der, size_t n, struct wa_cert **ret, struct wa_err *err)
{
    const unsigned char *p = der;

    if (n > WA_CERTFILE_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "cannot read a certificate of more than %u bytes",
                       WA_CERTFILE_BYTES_MAX);
    X509 *x = d2i_X509(NULL, &p, (long)n);
    if (x == NULL)
        return wa_ossl_fail(err, WA_E_INVALID, "cannot read a certificate");
    if (!is_canonical(x, der, n)) {
        X509_free(x);
        return wa_ossl_fail(err, WA_E_INVALID,
                            "cannot read a certificate: its bytes are not in DER");
    }
    return wa_cert_adopt(x, ret, err);
}

/* --- the other form of an ECDSA signature --- */

/* (r, n-s) for (r, s), in DER; NULL when memory ran out. */
static unsigned char *twin_signature(const ASN1_BIT_STRING *sig, const struct wa_key *key,
                                     int *ret_n)
{
    const unsigned char *p = ASN1_STRING_get0_data(sig);
    EC_GROUP *group =
        EC_GROUP_new_by_curve_name(key->bits == 256 ? NID_X9_62_prime256v1 : NID_secp384r1);
    ECDSA_SIG *es = d2i_ECDSA_SIG(NULL, &p, ASN1_STRING_length(sig));
    BIGNUM *r = es == NULL ? NULL : BN_dup(ECDSA_SIG_get0_r(es));
    BIGNUM *s = BN_new();
    unsigned char *out = NULL;

    *ret_n = -1;
    if (group != NULL && r != NULL && s != NULL &&
        BN_sub(s, EC_GROUP_get0_order(group), ECDSA_SIG_get0_s(es)) == 1 &&
        ECDSA_SIG_set0(es, r, s) == 1) {
        r = s = NULL;
        *ret_n = i2d_ECDSA_SIG(es, &out);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(es);
    EC_GROUP_free(group);
    return out;
}

static void add_header(struct wa_buf *out, int tag, bool is_constructed, size_t n)
{
    unsigned char head[16], *p = head;

    ASN1_put_object(&p, is_constructed, (int)n, tag, V_ASN1_UNIVERSAL);
    wa_buf_add(out, head, (size_t)(p - head));
}

/* The certificate der with twin in the place of sig, which is the last thing in it. */
static void put_twin(const unsigned char *der, long der_n, const ASN1_BIT_STRING *sig,
                     const unsigned char *twin, size_t twin_n, struct wa_buf *out)
{
    WA_AUTO_BUF struct wa_buf tail;
    const unsigned char *content = der;
    long content_n = 0;
    int tag = 0, class = 0;

    wa_buf_init(&tail, 1024);
    add_header(&tail, V_ASN1_BIT_STRING, false, twin_n + 1);
    wa_buf_addc(&tail, '\0'); /* no unused bits */
    wa_buf_add(&tail, twin, twin_n);
    if (tail.failed != WA_OK)
        out->failed = tail.failed;
    (void)ASN1_get_object(&content, &content_n, &tag, &class, der_n);
    size_t kept = (size_t)content_n - (size_t)i2d_ASN1_BIT_STRING(sig, NULL);
    add_header(out, V_ASN1_SEQUENCE, true, kept + tail.n);
    wa_buf_add(out, content, kept);
    wa_buf_addsv(out, wa_buf_sv(&tail));
}

enum wa_code wa_cert_twin(const struct wa_cert *c, const struct wa_key *issuer_key, char out[65],
                          struct wa_err *err)
{
    const ASN1_BIT_STRING *sig = NULL;
    WA_AUTO_BUF struct wa_buf whole;
    unsigned char *der = NULL;
    int twin_n = -1;

    wa_buf_init(&whole, WA_CERTFILE_BYTES_MAX + 64);
    out[0] = '\0';
    if (issuer_key->kind != WA_KEY_EC || issuer_key->weakness != NULL)
        return WA_OK;
    X509_get0_signature(&sig, NULL, c->x);
    int der_n = i2d_X509(c->x, &der);
    unsigned char *twin = twin_signature(sig, issuer_key, &twin_n);
    if (der_n > 0 && twin_n > 0)
        put_twin(der, der_n, sig, twin, (size_t)twin_n, &whole);
    OPENSSL_free(twin);
    OPENSSL_free(der);
    if (der_n <= 0 || twin_n <= 0)
        return wa_ossl_fail(err, WA_E_INVALID, "cannot read the signature of '%s'", c->cn);
    if (wa_buf_check(&whole, err) != WA_OK)
        return err->code;
    return wa_sha256_hex(whole.p, whole.n, out, err);
}

/* --- questions --- */
const char *wa_cert_serial(const struct wa_cert *c)
{
    return c->serial;
}

const char *wa_cert_fingerprint(const struct wa_cert *c)
{
    return c->fingerprint;
}

const char *wa_cert_cn(const struct wa_cert *c)
{
    return c->cn;
}

const char *wa_cert_subject(const struct wa_cert *c)
{
    return c->subject;
}

const char *wa_cert_issuer(const struct wa_cert *c)
{
    return c->issuer;
}

int64_t wa_cert_not_before(const struct wa_cert *c)
{
    return c->not_before;
}

int64_t wa_cert_not_after(const struct wa_cert *c)
{
    return c->not_after;
}

bool wa_cert_is_ca(const struct wa_cert *c)
{
    return c->is_ca;
}

bool wa_cert_is_self_issued(const struct wa_cert *c)
{
    return c->is_self_issued;
}

bool wa_cert_may_sign_code(const struct wa_cert *c)
{
    return c->may_sign_code;
}

bool wa_cert_equal(const struct wa_cert *a, const struct wa_cert *b)
{
    return strcmp(a->fingerprint, b->fingerprint) == 0;
}

const struct wa_key *wa_cert_key(const struct wa_cert *c)
{
    return c->key;
}

bool wa_cert_matches_key(const struct wa_cert *c, const struct wa_key *key)
{
    return wa_key_equal_public(c->key, key);
}

void *wa_cert_native(const struct wa_cert *c)
{
    return c->x;
}
