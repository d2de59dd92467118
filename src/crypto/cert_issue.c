/* cert_issue.c - making certificates. Extensions are those asked for here, never copied from a
 * request. */
#include "crypto/cert.h"

#include "crypto/ossl_priv.h"
#include "os/clock.h"

#include <openssl/bn.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define BACKDATE_S 300 /* clocks of machines that disagree a little */

static bool add_name(X509_NAME *name, int nid, const char *text)
{
    return text == NULL || X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                                      (const unsigned char *)text, -1, -1, 0) == 1;
}

static enum wa_code set_subject(X509 *x, const struct wa_cert_request *w, struct wa_err *err)
{
    X509_NAME *name = X509_get_subject_name(x);
    if (w->cn == NULL || w->cn[0] == '\0')
        return wa_fail(err, WA_E_USAGE, "a certificate needs a common name");
    if (!add_name(name, NID_countryName, w->country) ||
        !add_name(name, NID_localityName, w->locality) ||
        !add_name(name, NID_organizationName, w->organization) ||
        !add_name(name, NID_commonName, w->cn) ||
        !add_name(name, NID_pkcs9_emailAddress, w->email) ||
        !add_name(name, NID_organizationalUnitName, w->org_unit))
        return wa_fail_ossl(err, WA_E_USAGE,
                            "put the names into a certificate (a country has two letters)");
    return WA_OK;
}

static enum wa_code set_serial(X509 *x, struct wa_err *err)
{
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return wa_fail_ossl(err, WA_E_INTERNAL, "make a serial number");
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, full length */
    BIGNUM *bn = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool ok = bn != NULL && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) != NULL;
    BN_free(bn);
    return ok ? WA_OK : wa_fail_ossl(err, WA_E_INTERNAL, "make a serial number");
}

static enum wa_code add_ext(X509 *x, X509V3_CTX *ctx, int nid, const char *value,
                            struct wa_err *err)
{
    X509_EXTENSION *ext = X509V3_EXT_nconf_nid(NULL, ctx, nid, value);
    bool ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok ? WA_OK : wa_fail_ossl(err, WA_E_USAGE, "put an extension into a certificate");
}

static enum wa_code add_usages(X509 *x, X509V3_CTX *ctx, const struct wa_cert_request *w,
                               struct wa_err *err)
{
    char basic[64], eku[128];
    const char *usage =
        w->is_ca ? "critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment,"
                   "keyCertSign,cRLSign"
                 : "critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment";
    if (w->is_ca && w->path_length >= 0)
        (void)snprintf(basic, sizeof basic, "critical,CA:TRUE,pathlen:%d", w->path_length);
    else
        (void)snprintf(basic, sizeof basic, "critical,CA:%s", w->is_ca ? "TRUE" : "FALSE");
    (void)snprintf(eku, sizeof eku, "%s%s%s", w->code_signing ? ",codeSigning" : "",
                   w->client_auth ? ",clientAuth" : "", w->server_auth ? ",serverAuth" : "");
    if (add_ext(x, ctx, NID_basic_constraints, basic, err) != WA_OK ||
        add_ext(x, ctx, NID_key_usage, usage, err) != WA_OK)
        return err->code;
    if (eku[0] == '\0')
        return WA_OK;
    char critical[160];
    (void)snprintf(critical, sizeof critical, "critical%s", eku);
    return add_ext(x, ctx, NID_ext_key_usage, critical, err);
}

/* The names are put in by their types, not by OpenSSL's configuration syntax, in which a comma
 * would begin another name. */
static enum wa_code add_alt_names(X509 *x, const char *const *names, struct wa_err *err)
{
    GENERAL_NAMES *list = GENERAL_NAMES_new();
    enum wa_code code = list == NULL ? wa_nomem(err) : WA_OK;
    for (size_t i = 0; code == WA_OK && names[i] != NULL; i++) {
        GENERAL_NAME *g = GENERAL_NAME_new();
        ASN1_OCTET_STRING *ip = a2i_IPADDRESS(names[i]);
        ASN1_IA5STRING *dns = ip == NULL ? ASN1_IA5STRING_new() : NULL;
        if (g == NULL || (ip == NULL && (dns == NULL || ASN1_STRING_set(dns, names[i], -1) != 1)) ||
            sk_GENERAL_NAME_push(list, g) <= 0) {
            GENERAL_NAME_free(g);
            ASN1_OCTET_STRING_free(ip);
            ASN1_IA5STRING_free(dns);
            code = wa_nomem(err);
            break;
        }
        if (ip != NULL)
            GENERAL_NAME_set0_value(g, GEN_IPADD, ip);
        else
            GENERAL_NAME_set0_value(g, GEN_DNS, dns);
    }
    if (code == WA_OK &&
        X509_add1_ext_i2d(x, NID_subject_alt_name, list, 0, X509V3_ADD_DEFAULT) != 1)
        code = wa_fail_ossl(err, WA_E_INTERNAL, "put names into a certificate");
    GENERAL_NAMES_free(list);
    return code;
}

static enum wa_code check_issuer(const struct wa_cert_request *w, const struct wa_cert *issuer,
                                 const struct wa_key *key, struct wa_err *err)
{
    if (w->days == 0 || w->days > 36525)
        return wa_fail(err, WA_E_USAGE, "a certificate lasts 1 to 36525 days");
    if (issuer == NULL)
        return WA_OK;
    if (!wa_cert_is_ca(issuer))
        return wa_fail(err, WA_E_USAGE, "'%s' is not an authority: it may not issue certificates",
                       wa_cert_cn(issuer));
    if (!wa_cert_matches_key(issuer, key))
        return wa_fail(err, WA_E_USAGE,
                       "the authority's private key does not belong to its certificate '%s'",
                       wa_cert_cn(issuer));
    return WA_OK;
}

static enum wa_code fill(X509 *x, const struct wa_cert_request *w, const struct wa_key *subject_key,
                         X509 *issuer, struct wa_err *err)
{
    time_t now = (time_t)wa_clock_now();
    if (set_subject(x, w, err) != WA_OK || set_serial(x, err) != WA_OK)
        return err->code;
    if (X509_set_version(x, X509_VERSION_3) != 1 ||
        X509_set_issuer_name(x, X509_get_subject_name(issuer)) != 1 ||
        X509_set_pubkey(x, wa_key_native(subject_key)) != 1 ||
        X509_time_adj_ex(X509_getm_notBefore(x), 0, -BACKDATE_S, &now) == NULL ||
        X509_time_adj_ex(X509_getm_notAfter(x), (int)w->days, 0, &now) == NULL)
        return wa_fail_ossl(err, WA_E_INTERNAL, "fill in a certificate");
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    if (add_usages(x, &ctx, w, err) != WA_OK ||
        add_ext(x, &ctx, NID_subject_key_identifier, "hash", err) != WA_OK ||
        add_ext(x, &ctx, NID_authority_key_identifier, "keyid:always", err) != WA_OK)
        return err->code;
    return w->dns_names == NULL || w->dns_names[0] == NULL ? WA_OK
                                                           : add_alt_names(x, w->dns_names, err);
}

enum wa_code wa_cert_issue(const struct wa_cert_request *what, const struct wa_key *subject_key,
                           const struct wa_cert *issuer, const struct wa_key *issuer_key,
                           struct wa_cert **ret, struct wa_err *err)
{
    if (check_issuer(what, issuer, issuer_key, err) != WA_OK)
        return err->code;
    WA_OSSL(X509) x = X509_new();
    if (x == NULL)
        return wa_nomem(err);
    const struct wa_key *signing = issuer == NULL ? subject_key : issuer_key;
    if (fill(x, what, subject_key, issuer == NULL ? x : wa_cert_native(issuer), err) != WA_OK)
        return err->code;
    if (X509_sign(x, wa_key_native(signing), EVP_sha256()) <= 0)
        return wa_fail_ossl(err, WA_E_INTERNAL, "sign a certificate");
    X509 *done = x;
    x = NULL;
    return wa_cert_wrap(done, ret, err);
}
