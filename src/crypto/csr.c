/* csr.c - a request for a certificate, made and read; a revocation list, made.
 *
 * Reading takes the key and the common name out and leaves everything else behind: whoever issues
 * composes the certificate from what it grants (cert_issue.c).
 */
#include "crypto/csr.h"

#include "base/utf8.h"
#include "crypto/cert_priv.h"
#include "crypto/key_priv.h"
#include "crypto/ossl_priv.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

WA_OSSL_AUTO(X509_REQ, X509_REQ_free)
WA_OSSL_AUTO(X509_CRL, X509_CRL_free)
WA_OSSL_AUTO(X509_REVOKED, X509_REVOKED_free)
WA_OSSL_AUTO(ASN1_TIME, ASN1_TIME_free)
WA_OSSL_AUTO(ASN1_INTEGER, ASN1_INTEGER_free)

#define ASKS_MAX 32 /* extensions, and purposes, of a request that are told */

/* --- requests --- */

static enum wa_code fail(struct wa_err *err)
{
    return wa_ossl_fail(err, WA_E_FAILED, "cannot make a request for a certificate");
}

enum wa_code wa_csr_make(const char *cn, const struct wa_key *key, struct wa_buf *pem,
                         struct wa_err *err)
{
    WA_OSSL(X509_REQ) r = X509_REQ_new();
    WA_OSSL(BIO) bio = BIO_new(BIO_s_mem());

    if (!key->is_private)
        return wa_fail(err, WA_E_INTERNAL, "cannot sign a request with a public key");
    if (r == NULL || bio == NULL ||
        X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(r), NID_commonName, MBSTRING_UTF8,
                                   (const unsigned char *)cn, -1, -1, 0) != 1 ||
        X509_REQ_set_pubkey(r, key->pkey) != 1 || X509_REQ_sign(r, key->pkey, EVP_sha256()) <= 0 ||
        PEM_write_bio_X509_REQ(bio, r) != 1)
        return fail(err);
    return wa_ossl_drain(bio, pem, err);
}

static enum wa_code take_cn(const X509_REQ *r, char out[WA_CN_SIZE], struct wa_err *err)
{
    const X509_NAME *name = X509_REQ_get_subject_name(r);
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    unsigned char *text = NULL;

    if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
        return wa_fail(err, WA_E_INVALID, "it has not one common name");
    int n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (n < 0)
        return wa_ossl_fail(err, WA_E_INVALID, "its common name can't be read");
    bool is_text = n < WA_CN_SIZE && memchr(text, '\0', (size_t)n) == NULL &&
                   wa_utf8_valid(wa_sv_n(text, (size_t)n));
    if (is_text) {
        memcpy(out, text, (size_t)n);
        out[n] = '\0';
    }
    OPENSSL_free(text);
    return is_text ? WA_OK : wa_fail(err, WA_E_INVALID, "its common name is not text");
}

static enum wa_code take_key(X509_REQ *r, struct wa_key **ret, struct wa_err *err)
{
    EVP_PKEY *pkey = X509_REQ_get_pubkey(r);

    if (pkey == NULL)
        return wa_ossl_fail(err, WA_E_INVALID, "its key can't be read");
    bool is_signed = X509_REQ_verify(r, pkey) == 1;
    if (!is_signed && wa_ossl_ran_out()) {
        EVP_PKEY_free(pkey);
        return wa_nomem(err);
    }
    ERR_clear_error();
    if (!is_signed) {
        EVP_PKEY_free(pkey);
        return wa_fail(err, WA_E_REFUSED, "its own key has not signed it");
    }
    return wa_key_adopt_strong(pkey, false, "the key", ret, err);
}

/* --- what it says besides --- */

static void add_ask(struct wa_csr_said *s, const char *text)
{
    size_t n = strlen(s->asks);
    (void)snprintf(s->asks + n, sizeof s->asks - n, "%s%s", n > 0 ? ", " : "", text);
}

static void add_purposes(struct wa_csr_said *s, X509_EXTENSION *ext)
{
    EXTENDED_KEY_USAGE *list = X509V3_EXT_d2i(ext);
    for (int i = 0; i < sk_ASN1_OBJECT_num(list) && i < ASKS_MAX; i++) {
        char text[128];
        (void)OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(list, i), 0);
        add_ask(s, text);
    }
    sk_ASN1_OBJECT_pop_free(list, ASN1_OBJECT_free);
}

static void add_extension(struct wa_csr_said *s, X509_EXTENSION *ext)
{
    const ASN1_OBJECT *object = X509_EXTENSION_get_object(ext);
    char text[128];
    if (OBJ_obj2nid(object) == NID_ext_key_usage) {
        add_purposes(s, ext);
        return;
    }
    if (OBJ_obj2nid(object) == NID_basic_constraints) {
        BASIC_CONSTRAINTS *bc = X509V3_EXT_d2i(ext);
        if (bc != NULL && bc->ca != 0)
            add_ask(s, "CA");
        BASIC_CONSTRAINTS_free(bc);
        return;
    }
    (void)OBJ_obj2txt(text, sizeof text, object, 0);
    add_ask(s, text);
}

static enum wa_code describe(X509_REQ *r, struct wa_csr_said *ret, struct wa_err *err)
{
    STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(r);
    *ret = (struct wa_csr_said){.subject = ""};
    for (int i = 0; i < sk_X509_EXTENSION_num(list) && i < ASKS_MAX; i++)
        add_extension(ret, sk_X509_EXTENSION_value(list, i));
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    bool ran_out = wa_ossl_ran_out();
    ERR_clear_error(); /* of what can't be read */
    if (ran_out)
        return wa_nomem(err);
    return wa_cert_take_name(X509_REQ_get_subject_name(r), ret->subject, sizeof ret->subject, err);
}

static enum wa_code read_request(struct wa_sv pem, struct wa_key **ret_key, char cn[WA_CN_SIZE],
                                 struct wa_csr_said *said, struct wa_err *err)
{
    WA_OSSL(BIO) bio = NULL;
    WA_OSSL(X509_REQ) r = NULL;

    if (pem.n == 0 || pem.n > WA_CSR_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "it has not 1 to %u bytes", WA_CSR_BYTES_MAX);
    bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    if (bio == NULL)
        return wa_nomem(err);
    r = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    if (r == NULL)
        return wa_ossl_fail(err, WA_E_INVALID, "no BEGIN CERTIFICATE REQUEST can be read in it");
    if (take_cn(r, cn, err) != WA_OK || take_key(r, ret_key, err) != WA_OK)
        return err->code;
    return said == NULL || describe(r, said, err) == WA_OK ? WA_OK : err->code;
}

enum wa_code wa_csr_read_said(struct wa_sv pem, struct wa_key **ret_key, char ret_cn[WA_CN_SIZE],
                              struct wa_csr_said *ret, struct wa_err *err)
{
    char cn[WA_CN_SIZE] = "";
    struct wa_key *key = NULL;

    if (read_request(pem, &key, cn, ret, err) != WA_OK) {
        wa_key_free(key);
        return wa_wrap(err, "cannot use the request for a certificate");
    }
    memcpy(ret_cn, cn, sizeof cn);
    *ret_key = key;
    return WA_OK;
}

enum wa_code wa_csr_read(struct wa_sv pem, struct wa_key **ret_key, char ret_cn[WA_CN_SIZE],
                         struct wa_err *err)
{
    return wa_csr_read_said(pem, ret_key, ret_cn, NULL, err);
}

/* --- lists --- */

static bool add_entry(X509_CRL *crl, const struct wa_revoked *e)
{
    WA_OSSL(X509_REVOKED) r = X509_REVOKED_new();
    WA_OSSL(ASN1_TIME) at = ASN1_TIME_set(NULL, (time_t)e->at);
    WA_OSSL(BIGNUM) bn = NULL;
    WA_OSSL(ASN1_INTEGER) serial = NULL;

    if (r == NULL || at == NULL || BN_hex2bn(&bn, e->serial) == 0)
        return false;
    serial = BN_to_ASN1_INTEGER(bn, NULL);
    if (serial == NULL || X509_REVOKED_set_serialNumber(r, serial) != 1 ||
        X509_REVOKED_set_revocationDate(r, at) != 1 || X509_CRL_add0_revoked(crl, r) != 1)
        return false;
    r = NULL; /* the list's now */
    return true;
}

static bool add_extensions(X509_CRL *crl, const struct wa_cert *issuer, int64_t number)
{
    WA_OSSL(ASN1_INTEGER) n = ASN1_INTEGER_new();
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(issuer->x);
    AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();
    bool is_ok = n != NULL && aki != NULL && ASN1_INTEGER_set_int64(n, number) == 1 &&
                 X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0) == 1;

    if (is_ok && ski != NULL) {
        aki->keyid = ASN1_OCTET_STRING_dup(ski);
        is_ok = aki->keyid != NULL &&
                X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, aki, 0, 0) == 1;
    }
    AUTHORITY_KEYID_free(aki);
    return is_ok;
}

enum wa_code wa_crl_issue(const struct wa_revoked *entries, size_t count, int64_t number,
                          int64_t this_update, int64_t next_update, const struct wa_cert *issuer,
                          const struct wa_key *issuer_key, struct wa_buf *pem, struct wa_err *err)
{
    WA_OSSL(X509_CRL) crl = X509_CRL_new();
    WA_OSSL(BIO) bio = BIO_new(BIO_s_mem());
    WA_OSSL(ASN1_TIME) from = ASN1_TIME_set(NULL, (time_t)this_update);
    WA_OSSL(ASN1_TIME) to = ASN1_TIME_set(NULL, (time_t)next_update);
    bool is_ok = crl != NULL && bio != NULL && from != NULL && to != NULL &&
                 X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
                 X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x)) == 1 &&
                 X509_CRL_set1_lastUpdate(crl, from) == 1 && X509_CRL_set1_nextUpdate(crl, to) == 1;

    for (size_t i = 0; is_ok && i < count; i++)
        is_ok = add_entry(crl, &entries[i]);
    is_ok = is_ok && add_extensions(crl, issuer, number) && X509_CRL_sort(crl) == 1 &&
            X509_CRL_sign(crl, issuer_key->pkey, EVP_sha256()) > 0 &&
            PEM_write_bio_X509_CRL(bio, crl) == 1;
    return is_ok ? wa_ossl_drain(bio, pem, err)
                 : wa_ossl_fail(err, WA_E_FAILED, "cannot make a revocation list");
}
