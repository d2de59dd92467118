/* cert_issue.c - making certificates, in the form that WAPT's own have (formats.md 4.5, 4.6).
 *
 * Every extension is composed here from typed fields, never copied from a request and never written
 * in OpenSSL's configuration syntax, in which a comma would begin another name.
 */
#include "base/mem.h"
#include "crypto/cert_priv.h"
#include "crypto/key_priv.h"
#include "crypto/ossl_priv.h"
#include "os/clock.h"
#include "os/rand.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define BACKDATE_S 300  /* clocks of machines differ a little */
#define DAYS_MAX 36525u /* a hundred years */
#define DNS_NAME_MAX 253u
#define ALT_NAMES_MAX 1000u

static enum wa_code fail(struct wa_err *err)
{
    return wa_ossl_fail(err, WA_E_FAILED, "cannot make a certificate");
}

static bool add_name(X509_NAME *name, int nid, const char *text)
{
    return text == NULL || X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                                      (const unsigned char *)text, -1, -1, 0) == 1;
}

/* In WAPT's order. OpenSSL checks the lengths of X.520. */
static enum wa_code set_subject(X509 *x, const struct wa_cert_request *w, struct wa_err *err)
{
    X509_NAME *name = X509_get_subject_name(x);

    if (!add_name(name, NID_countryName, w->country) ||
        !add_name(name, NID_localityName, w->locality) ||
        !add_name(name, NID_organizationName, w->organization) ||
        !add_name(name, NID_commonName, w->cn) ||
        !add_name(name, NID_pkcs9_emailAddress, w->email) ||
        !add_name(name, NID_organizationalUnitName, w->org_unit))
        return wa_ossl_fail(err, WA_E_USAGE,
                            "cannot put these names into a certificate (a country has two letters, "
                            "the others at most 64)");
    return WA_OK;
}

static enum wa_code set_serial(X509 *x, struct wa_err *err)
{
    unsigned char bytes[16];

    if (wa_rand_bytes(bytes, sizeof(bytes), err) != WA_OK)
        return err->code;
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, and of full length */
    WA_OSSL(BIGNUM) bn = BN_bin2bn(bytes, sizeof(bytes), NULL);
    if (bn == NULL || BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) == NULL)
        return fail(err);
    return WA_OK;
}

/* --- extensions --- */

static bool add_ext(X509 *x, int nid, void *value, bool is_critical)
{
    return value != NULL && X509_add1_ext_i2d(x, nid, value, is_critical, X509V3_ADD_DEFAULT) == 1;
}

static bool add_basic(X509 *x, const struct wa_cert_request *w)
{
    BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();
    bool is_ok = bc != NULL;

    if (is_ok)
        bc->ca = w->is_ca ? 0xff : 0;
    if (is_ok && w->is_ca && w->path_length >= 0) {
        bc->pathlen = ASN1_INTEGER_new();
        is_ok = bc->pathlen != NULL && ASN1_INTEGER_set(bc->pathlen, w->path_length) == 1;
    }
    is_ok = is_ok && add_ext(x, NID_basic_constraints, bc, true);
    BASIC_CONSTRAINTS_free(bc);
    return is_ok;
}

/* Bits of RFC 5280, 4.2.1.3. Encipherment means something for RSA keys alone. */
static bool add_key_usage(X509 *x, const struct wa_cert_request *w, const struct wa_key *key)
{
    enum {
        DIGITAL_SIGNATURE = 0,
        NON_REPUDIATION = 1,
        KEY_ENCIPHERMENT = 2,
        DATA_ENCIPHERMENT = 3,
        CERT_SIGN = 5,
        CRL_SIGN = 6
    };
    const bool is_rsa = key->kind == WA_KEY_RSA;
    ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    bool is_ok = bits != NULL && ASN1_BIT_STRING_set_bit(bits, DIGITAL_SIGNATURE, 1) == 1 &&
                 ASN1_BIT_STRING_set_bit(bits, NON_REPUDIATION, 1) == 1 &&
                 ASN1_BIT_STRING_set_bit(bits, KEY_ENCIPHERMENT, is_rsa && w->server_auth) == 1 &&
                 ASN1_BIT_STRING_set_bit(bits, DATA_ENCIPHERMENT, is_rsa) == 1 &&
                 ASN1_BIT_STRING_set_bit(bits, CERT_SIGN, w->is_ca) == 1 &&
                 ASN1_BIT_STRING_set_bit(bits, CRL_SIGN, w->is_ca) == 1 &&
                 add_ext(x, NID_key_usage, bits, true);

    ASN1_BIT_STRING_free(bits);
    return is_ok;
}

static bool add_purposes(X509 *x, const struct wa_cert_request *w)
{
    const struct {
        bool is_wanted;
        int nid;
    } purposes[] = {{w->code_signing, NID_code_sign},
                    {w->client_auth, NID_client_auth},
                    {w->server_auth, NID_server_auth}};
    EXTENDED_KEY_USAGE *list = sk_ASN1_OBJECT_new_null();
    bool is_ok = list != NULL;

    for (size_t i = 0; is_ok && i < WA_COUNT(purposes); i++)
        if (purposes[i].is_wanted)
            is_ok =
                sk_ASN1_OBJECT_push(list, OBJ_nid2obj(purposes[i].nid)) > 0; /* static objects */
    if (is_ok && sk_ASN1_OBJECT_num(list) > 0)
        is_ok = add_ext(x, NID_ext_key_usage, list, true);
    sk_ASN1_OBJECT_free(list);
    return is_ok;
}

/* SHA-1 of the key's bits (RFC 5280, 4.2.1.2): an identifier, not a protection. */
static bool add_subject_key_id(X509 *x)
{
    unsigned char id[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    ASN1_OCTET_STRING *ski = ASN1_OCTET_STRING_new();
    bool is_ok = ski != NULL && X509_pubkey_digest(x, EVP_sha1(), id, &n) == 1 &&
                 ASN1_OCTET_STRING_set(ski, id, (int)n) == 1 &&
                 add_ext(x, NID_subject_key_identifier, ski, false);

    ASN1_OCTET_STRING_free(ski);
    return is_ok;
}

/* That of the issuer; left out when the issuer has none. Read from the extension itself: OpenSSL's
 * own cache can't be asked about a certificate that is not signed yet. */
static bool add_authority_key_id(X509 *x, X509 *issuer)
{
    int critical = -1; /* stays so when it is absent */
    ASN1_OCTET_STRING *ski = X509_get_ext_d2i(issuer, NID_subject_key_identifier, &critical, NULL);
    AUTHORITY_KEYID *aki = ski == NULL ? NULL : AUTHORITY_KEYID_new();

    if (ski == NULL)
        return critical == -1;
    if (aki == NULL) {
        ASN1_OCTET_STRING_free(ski);
        return false;
    }
    aki->keyid = ski;
    bool is_ok = add_ext(x, NID_authority_key_identifier, aki, false);
    AUTHORITY_KEYID_free(aki);
    return is_ok;
}

static bool is_dns_name(struct wa_sv s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '.' || c == '_' || (c == '*' && i == 0)))
            return false;
    }
    return s.n > 0 && s.n <= DNS_NAME_MAX;
}

static enum wa_code add_alt_name(GENERAL_NAMES *list, const char *text, struct wa_err *err)
{
    ASN1_OCTET_STRING *value = a2i_IPADDRESS(text);
    const int type = value != NULL ? GEN_IPADD : GEN_DNS;

    ERR_clear_error(); /* of the attempt */
    if (value == NULL && !is_dns_name(wa_sv(text)))
        return wa_fail(
            err, WA_E_USAGE,
            "cannot put '%s' into a certificate: it is neither a host name nor an address", text);
    if (value == NULL) {
        value = ASN1_IA5STRING_new();
        if (value == NULL || ASN1_STRING_set(value, text, -1) != 1) {
            ASN1_STRING_free(value);
            return fail(err);
        }
    }
    GENERAL_NAME *name = GENERAL_NAME_new();
    if (name == NULL) {
        ASN1_STRING_free(value);
        return fail(err);
    }
    GENERAL_NAME_set0_value(name, type, value);
    if (sk_GENERAL_NAME_push(list, name) > 0)
        return WA_OK;
    GENERAL_NAME_free(name);
    return fail(err);
}

static enum wa_code add_alt_names(X509 *x, const char *const *names, struct wa_err *err)
{
    GENERAL_NAMES *list = GENERAL_NAMES_new();
    enum wa_code code = list == NULL ? fail(err) : WA_OK;

    for (size_t i = 0; code == WA_OK && names[i] != NULL; i++)
        code = i < ALT_NAMES_MAX
                   ? add_alt_name(list, names[i], err)
                   : wa_fail(err, WA_E_LIMIT, "cannot put more than %u names into a certificate",
                             ALT_NAMES_MAX);
    if (code == WA_OK && !add_ext(x, NID_subject_alt_name, list, false))
        code = fail(err);
    GENERAL_NAMES_free(list);
    return code;
}

/* --- the whole --- */

static enum wa_code check_request(const struct wa_cert_request *w, const struct wa_key *subject_key,
                                  struct wa_err *err)
{
    if (w->cn == NULL || w->cn[0] == '\0')
        return wa_fail(err, WA_E_USAGE, "cannot make a certificate without a common name");
    if (w->days == 0 || w->days > DAYS_MAX)
        return wa_fail(err, WA_E_USAGE, "cannot make a certificate for %u days: it lasts 1 to %u",
                       w->days, DAYS_MAX);
    if (subject_key->weakness != NULL)
        return wa_fail(err, WA_E_REFUSED, "cannot certify %s", subject_key->weakness);
    return WA_OK;
}

/* A certificate that no check would accept must not be made. */
static enum wa_code check_issuer(const struct wa_cert_request *w, const struct wa_cert *issuer,
                                 const struct wa_key *key, struct wa_err *err)
{
    long pathlen = X509_get_pathlen(issuer->x);

    if (!issuer->is_ca || (X509_get_key_usage(issuer->x) & X509v3_KU_KEY_CERT_SIGN) == 0)
        return wa_fail(err, WA_E_USAGE, "cannot issue by '%s': it is no authority", issuer->cn);
    if (w->is_ca && pathlen == 0)
        return wa_fail(err, WA_E_USAGE,
                       "cannot issue by '%s': it may not have authorities below it", issuer->cn);
    if (!wa_cert_matches_key(issuer, key))
        return wa_fail(err, WA_E_USAGE,
                       "cannot issue by '%s': the private key is not that of the certificate",
                       issuer->cn);
    if (issuer->not_after <= wa_clock_now())
        return wa_fail(err, WA_E_USAGE, "cannot issue by '%s': it has expired", issuer->cn);
    return WA_OK;
}

/* It may outlive its issuer: whoever checks a path looks at each certificate's dates. */
static bool set_dates(X509 *x, unsigned days)
{
    const int64_t now = wa_clock_now();

    return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(now - BACKDATE_S)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(now + (int64_t)days * 86400)) != NULL;
}

static enum wa_code fill(X509 *x, const struct wa_cert_request *w, const struct wa_key *subject_key,
                         const struct wa_cert *issuer, struct wa_err *err)
{
    X509 *issuer_x = issuer == NULL ? x : issuer->x;

    if (set_subject(x, w, err) != WA_OK || set_serial(x, err) != WA_OK)
        return err->code;
    if (X509_set_version(x, X509_VERSION_3) != 1 ||
        X509_set_issuer_name(x, X509_get_subject_name(issuer_x)) != 1 ||
        X509_set_pubkey(x, subject_key->pkey) != 1 || !set_dates(x, w->days) || !add_basic(x, w) ||
        !add_purposes(x, w) || !add_subject_key_id(x))
        return fail(err);
    if (w->dns_names != NULL && w->dns_names[0] != NULL &&
        add_alt_names(x, w->dns_names, err) != WA_OK)
        return err->code;
    if (!add_key_usage(x, w, subject_key))
        return fail(err);
    return WA_OK;
}

/* What was filled in is only certain once it is read as others will read it. */
static enum wa_code read_again(X509 *x, struct wa_cert **ret, struct wa_err *err)
{
    unsigned char *der = NULL;
    int n = i2d_X509(x, &der);

    if (n <= 0)
        return fail(err);
    ERR_clear_error();
    enum wa_code code = wa_cert_from_der(der, (size_t)n, ret, err);
    OPENSSL_free(der);
    return code;
}

enum wa_code wa_cert_issue(const struct wa_cert_request *what, const struct wa_key *subject_key,
                           const struct wa_cert *issuer, const struct wa_key *issuer_key,
                           struct wa_cert **ret, struct wa_err *err)
{
    const struct wa_key *signing = issuer == NULL ? subject_key : issuer_key;

    if (check_request(what, subject_key, err) != WA_OK)
        return err->code;
    if (issuer != NULL && check_issuer(what, issuer, issuer_key, err) != WA_OK)
        return err->code;
    if (!signing->is_private)
        return wa_fail(err, WA_E_INTERNAL, "cannot sign a certificate with a public key");
    WA_OSSL(X509) x = X509_new();
    if (x == NULL)
        return fail(err);
    if (fill(x, what, subject_key, issuer, err) != WA_OK)
        return err->code;
    if (!add_authority_key_id(x, issuer == NULL ? x : issuer->x) ||
        X509_sign(x, signing->pkey, EVP_sha256()) <= 0)
        return fail(err);
    return read_again(x, ret, err);
}
