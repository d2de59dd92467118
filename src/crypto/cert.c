/* cert.c - certificates: reading, describing, lists. What a certificate may do is decided in
 * trust.c. */
#include "crypto/cert.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "codec/hex.h"
#include "crypto/digest.h"
#include "crypto/ossl_priv.h"
#include "os/fs.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct wa_cert {
    unsigned refs;
    X509 *x;
    struct wa_key *key;
    char fingerprint[65];
    char cn[256];
    char subject[512], issuer[512];
    int64_t not_before, not_after;
    bool is_ca, is_self_issued, may_sign_code;
};

struct wa_cert *wa_cert_ref(struct wa_cert *c)
{
    c->refs++;
    return c;
}

void wa_cert_free(struct wa_cert *c)
{
    if (c == NULL || --c->refs > 0)
        return;
    wa_key_free(c->key);
    X509_free(c->x);
    wa_free(c);
}

/* --- description --- */

static void take_cn(X509 *x, char *out, size_t size)
{
    const X509_NAME *name = X509_get_subject_name(x);
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    unsigned char *text = NULL;
    out[0] = '\0';
    if (at < 0)
        return;
    int n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (n > 0 && memchr(text, 0, (size_t)n) == NULL) {
        size_t cut = (size_t)n < size ? (size_t)n : wa_utf8_cut((const char *)text, size - 1);
        memcpy(out, text, cut);
        out[cut] = '\0';
    }
    OPENSSL_free(text);
}

static void take_name(const X509_NAME *name, char *out, size_t size)
{
    WA_OSSL(BIO) bio = BIO_new(BIO_s_mem());
    char *p = NULL;
    out[0] = '\0';
    if (bio == NULL ||
        X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) <
            0)
        return;
    long n = BIO_get_mem_data(bio, &p);
    if (n <= 0)
        return;
    size_t cut = (size_t)n < size ? (size_t)n : wa_utf8_cut(p, size - 1);
    memcpy(out, p, cut);
    out[cut] = '\0';
}

static bool take_time(const ASN1_TIME *t, int64_t *ret)
{
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool ok = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, t) == 1;
    ASN1_TIME_free(epoch);
    if (ok)
        *ret = (int64_t)days * 86400 + seconds;
    return ok;
}

/* The extended usages, exactly: anyExtendedKeyUsage is not codeSigning. */
static bool has_code_signing(X509 *x)
{
    EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
    bool found = false;
    for (int i = 0; eku != NULL && i < sk_ASN1_OBJECT_num(eku); i++)
        found = found || OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, i)) == NID_code_sign;
    sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
    return found;
}

static bool basic_ca(X509 *x)
{
    BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(x, NID_basic_constraints, NULL, NULL);
    bool ca = bc != NULL && bc->ca != 0;
    BASIC_CONSTRAINTS_free(bc);
    return ca;
}

static enum wa_code describe(struct wa_cert *c, struct wa_err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (X509_digest(c->x, EVP_sha256(), digest, &n) != 1 || n != WA_SHA256_SIZE)
        return wa_fail_ossl(err, WA_E_INVALID, "digest a certificate");
    wa_hex_encode(digest, n, c->fingerprint);
    take_cn(c->x, c->cn, sizeof c->cn);
    take_name(X509_get_subject_name(c->x), c->subject, sizeof c->subject);
    take_name(X509_get_issuer_name(c->x), c->issuer, sizeof c->issuer);
    if (!take_time(X509_get0_notBefore(c->x), &c->not_before) ||
        !take_time(X509_get0_notAfter(c->x), &c->not_after))
        return wa_fail_ossl(err, WA_E_INVALID, "read the dates of a certificate");
    c->is_ca = basic_ca(c->x);
    c->may_sign_code = has_code_signing(c->x);
    c->is_self_issued = X509_NAME_cmp(X509_get_subject_name(c->x), X509_get_issuer_name(c->x)) == 0;
    EVP_PKEY *pkey = X509_get_pubkey(c->x);
    if (pkey == NULL)
        return wa_fail_ossl(err, WA_E_INVALID, "read the key of a certificate");
    enum wa_code code =
        wa_key_wrap(pkey, false, c->cn[0] != '\0' ? c->cn : "a certificate", &c->key, err);
    ERR_clear_error();
    return code;
}

enum wa_code wa_cert_wrap(X509 *x, struct wa_cert **ret, struct wa_err *err)
{
    WA_AUTO(wa_cert) struct wa_cert *c = wa_calloc(1, sizeof *c);
    if (c == NULL) {
        X509_free(x);
        return wa_nomem(err);
    }
    c->refs = 1;
    c->x = x;
    if (describe(c, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(c);
    return WA_OK;
}

enum wa_code wa_cert_from_der(const void *der, size_t n, struct wa_cert **ret, struct wa_err *err)
{
    const unsigned char *p = der;
    if (n > WA_CERTFILE_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "a certificate of more than %u bytes",
                       WA_CERTFILE_BYTES_MAX);
    X509 *x = d2i_X509(NULL, &p, (long)n);
    if (x == NULL)
        return wa_fail_ossl(err, WA_E_INVALID, "read a certificate");
    if (p != (const unsigned char *)der + n) {
        X509_free(x);
        return wa_fail(err, WA_E_INVALID, "bytes after a certificate");
    }
    return wa_cert_wrap(x, ret, err);
}

/* --- lists --- */

void wa_certs_fini(struct wa_certs *list)
{
    for (size_t i = 0; i < list->n; i++)
        wa_cert_free(list->items[i]);
    WA_VEC_FREE(list);
}

enum wa_code wa_certs_add(struct wa_certs *list, struct wa_cert *c, struct wa_err *err)
{
    for (size_t i = 0; i < list->n; i++)
        if (wa_cert_equal(list->items[i], c))
            return WA_OK;
    struct wa_cert **slot = WA_VEC_PUSH(list);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = wa_cert_ref(c);
    return WA_OK;
}

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

/* Next block between exact lines BEGIN and END, as formats.md 1.8 reads it. False at the end of the
 * text. */
static bool next_block(struct wa_sv *rest, struct wa_sv *ret)
{
    struct wa_sv line;
    const char *start = NULL;
    while (wa_sv_split(rest, '\n', &line)) {
        struct wa_sv text = wa_sv_trim(line);
        if (wa_sv_eqs(text, BEGIN))
            start = line.p;
        else if (start != NULL && wa_sv_eqs(text, END)) {
            *ret = wa_sv_n(start, (size_t)(line.p + line.n - start));
            return true;
        }
    }
    return false;
}

static enum wa_code read_block(struct wa_sv block, struct wa_certs *into, struct wa_err *err)
{
    WA_OSSL(BIO) bio = BIO_new_mem_buf(block.p, (int)block.n);
    WA_AUTO(wa_cert) struct wa_cert *c = NULL;
    if (bio == NULL)
        return wa_nomem(err);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (x == NULL)
        return wa_fail_ossl(err, WA_E_INVALID, "read a certificate");
    if (wa_cert_wrap(x, &c, err) != WA_OK)
        return err->code;
    return wa_certs_add(into, c, err);
}

enum wa_code wa_certs_read_pem(struct wa_sv pem, size_t max, struct wa_certs *into,
                               struct wa_err *err)
{
    struct wa_sv rest = pem, block;
    size_t seen = 0;
    if (pem.n > WA_CERTFILE_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "certificates of more than %u bytes",
                       WA_CERTFILE_BYTES_MAX);
    while (next_block(&rest, &block)) {
        if (++seen > max)
            return wa_fail(err, WA_E_LIMIT, "more than %zu certificates", max);
        if (read_block(block, into, err) != WA_OK)
            return err->code;
    }
    if (seen == 0)
        return wa_fail(err, WA_E_INVALID, "there is no certificate in it");
    return WA_OK;
}

struct dir_reader {
    const char *path, *suffix;
    struct wa_certs *into;
};

static enum wa_code read_dir_entry(void *user, const char *name, const struct wa_stat *st,
                                   struct wa_err *err)
{
    struct dir_reader *r = user;
    char path[WA_PATH_MAX];
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_CERTFILE_BYTES_MAX);
    if (st->is_dir || !wa_sv_ends(wa_sv(name), r->suffix) || name[0] == '.')
        return WA_OK;
    (void)snprintf(path, sizeof path, "%s/%s", r->path, name);
    if (wa_path_read(path, WA_CERTFILE_BYTES_MAX, &text, err) != WA_OK)
        return err->code;
    size_t at = 0;
    /* A .pem may hold a private key only: no certificate there is no fault. */
    struct wa_sv rest = wa_buf_sv(&text), block;
    if (!next_block(&rest, &block) && !wa_sv_chr(wa_buf_sv(&text), '\0', &at))
        return WA_OK;
    if (wa_certs_read_pem(wa_buf_sv(&text), WA_ANCHORS_MAX, r->into, err) != WA_OK)
        return wa_wrap(err, "certificate file '%s'", path);
    if (r->into->n > WA_ANCHORS_MAX)
        return wa_fail(err, WA_E_LIMIT, "more than %u certificates in '%s'", WA_ANCHORS_MAX,
                       r->path);
    return WA_OK;
}

enum wa_code wa_certs_read_dir(const char *path, struct wa_certs *into, struct wa_err *err)
{
    static const char *const suffixes[] = {".crt", ".pem"};
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    if (wa_dir_open(path, &dir, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(suffixes); i++) {
        struct dir_reader r = {path, suffixes[i], into};
        if (wa_dir_list(&dir, read_dir_entry, &r, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_cert_write_pem(const struct wa_cert *c, struct wa_buf *out, struct wa_err *err)
{
    WA_OSSL(BIO) bio = BIO_new(BIO_s_mem());
    char *p = NULL;
    if (bio == NULL)
        return wa_nomem(err);
    if (PEM_write_bio_X509(bio, c->x) != 1)
        return wa_fail_ossl(err, WA_E_INTERNAL, "write a certificate");
    long n = BIO_get_mem_data(bio, &p);
    wa_buf_add(out, p, (size_t)n);
    return wa_buf_check(out, err);
}

enum wa_code wa_certs_write_pem(const struct wa_certs *list, struct wa_buf *out, struct wa_err *err)
{
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            wa_buf_addc(out, '\n');
        if (wa_cert_write_pem(list->items[i], out, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* --- questions --- */

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
