/* trust_rules.c - what a certificate must be to stand on a path (RFC 5280, 6.1, without policies).
 *
 * Each rule looks at one certificate, or at one and its issuer, and says why not in words. None
 * searches; trust.c does.
 */
#include "base/date.h"
#include "crypto/key_priv.h"
#include "crypto/ossl_priv.h"
#include "crypto/trust_priv.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

static enum wa_code check_dates(const struct wa_cert *c, int64_t at, struct wa_err *err)
{
    char date[WA_DATE_MAX];

    if (at < c->not_before) {
        wa_date_rfc3339(c->not_before, date);
        return wa_fail(err, WA_E_REFUSED,
                       "certificate '%s' is not valid before %s: check this machine's clock", c->cn,
                       date);
    }
    if (at > c->not_after) {
        wa_date_rfc3339(c->not_after, date);
        return wa_fail(err, WA_E_REFUSED, "certificate '%s' expired on %s", c->cn, date);
    }
    return WA_OK;
}

/* MD5 and SHA-1 can be made to collide, so whoever had one certificate signed could have another.
 */
static enum wa_code check_digest(const struct wa_cert *c, struct wa_err *err)
{
    int md = NID_undef;
    bool is_known = X509_get_signature_info(c->x, &md, NULL, NULL, NULL) == 1;

    ERR_clear_error();
    if (!is_known || md == NID_undef)
        return wa_fail(err, WA_E_REFUSED,
                       "certificate '%s' is signed in a way that is not known here", c->cn);
    if (md != NID_sha256 && md != NID_sha384 && md != NID_sha512)
        return wa_fail(err, WA_E_REFUSED, "certificate '%s' is signed with the weak digest %s",
                       c->cn, OBJ_nid2sn(md));
    return WA_OK;
}

/* RFC 5280, 4.2: what is critical must be understood. Policies are not, so they may not be
 * critical. */
static enum wa_code check_critical(const struct wa_cert *c, struct wa_err *err)
{
    static const int understood[] = {NID_basic_constraints, NID_key_usage, NID_ext_key_usage,
                                     NID_subject_alt_name, NID_name_constraints};

    for (int i = 0; i < X509_get_ext_count(c->x); i++) {
        X509_EXTENSION *ext = X509_get_ext(c->x, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(ext));
        bool is_understood = false;
        for (size_t k = 0; k < WA_COUNT(understood); k++)
            is_understood = is_understood || nid == understood[k];
        if (X509_EXTENSION_get_critical(ext) != 0 && !is_understood)
            return wa_fail(err, WA_E_REFUSED,
                           "certificate '%s' has a critical extension that is not understood",
                           c->cn);
        if (X509_get_ext_by_OBJ(c->x, X509_EXTENSION_get_object(ext), i) >= 0)
            return wa_fail(err, WA_E_REFUSED, "certificate '%s' has an extension twice", c->cn);
    }
    return WA_OK;
}

enum wa_code wa_rule_any(const struct wa_trust *t, const struct wa_cert *c, int64_t at,
                         struct wa_err *err)
{
    if (wa_map_get(&t->revoked, wa_sv(c->fingerprint)) != NULL)
        return wa_fail(err, WA_E_REFUSED, "certificate '%s' (%s) is revoked", c->cn,
                       c->fingerprint);
    if (check_dates(c, at, err) != WA_OK)
        return err->code;
    if (!c->is_sound)
        return wa_fail(err, WA_E_REFUSED, "certificate '%s' has extensions that can't be read",
                       c->cn);
    if (c->key->weakness != NULL)
        return wa_fail(err, WA_E_REFUSED, "certificate '%s' is for %s", c->cn, c->key->weakness);
    if (check_digest(c, err) != WA_OK)
        return err->code;
    return check_critical(c, err);
}

/* RFC 5280, 4.2.1.12: named purposes are the only ones. WAPT's tools name codeSigning, clientAuth
 * or both; the certificate of a TLS server, whose key lies where it answers strangers, signs
 * nothing. */
static bool is_for_signers(const struct wa_cert *c)
{
    uint32_t eku = X509_get_extended_key_usage(c->x); /* all bits when absent */

    if ((eku & (XKU_CODE_SIGN | XKU_ANYEKU)) != 0)
        return true;
    return (eku & XKU_SSL_CLIENT) != 0 && (eku & XKU_SSL_SERVER) == 0;
}

enum wa_code wa_rule_signer(const struct wa_cert *c, struct wa_err *err)
{
    uint32_t usage = X509_get_key_usage(c->x); /* all bits when the extension is absent */

    if ((usage & (X509v3_KU_DIGITAL_SIGNATURE | X509v3_KU_NON_REPUDIATION)) == 0)
        return wa_fail(err, WA_E_REFUSED,
                       "certificate '%s' is not for signing (its key usage says so)", c->cn);
    if (!is_for_signers(c))
        return wa_fail(err, WA_E_REFUSED,
                       "certificate '%s' is for other purposes (its extended key usage says so)",
                       c->cn);
    return WA_OK;
}

enum wa_code wa_rule_issuer(const struct wa_cert *c, size_t below, struct wa_err *err)
{
    long pathlen = X509_get_pathlen(c->x); /* -1: no limit */

    if (!c->is_ca)
        return wa_fail(err, WA_E_REFUSED, "'%s' issued a certificate and is no authority", c->cn);
    if ((X509_get_key_usage(c->x) & X509v3_KU_KEY_CERT_SIGN) == 0)
        return wa_fail(err, WA_E_REFUSED, "'%s' may not sign certificates (its key usage says so)",
                       c->cn);
    if (pathlen >= 0 && below > (size_t)pathlen)
        return wa_fail(err, WA_E_REFUSED,
                       "'%s' allows at most %ld authorities below it, and there are %zu", c->cn,
                       pathlen, below);
    return WA_OK;
}

enum wa_code wa_rule_revoked(const struct wa_trust *t, const struct wa_cert *child,
                             const struct wa_cert *issuer, int64_t at, struct wa_err *err)
{
    char twin[65] = "";

    if (t->revoked.n > 0 && wa_cert_twin(child, issuer->key, twin, err) != WA_OK)
        return err->code;
    if (twin[0] != '\0' && wa_map_get(&t->revoked, wa_sv(twin)) != NULL)
        return wa_fail(err, WA_E_REFUSED,
                       "certificate '%s' is revoked as %s: this is the same one, signed again",
                       child->cn, twin);
    return wa_crls_check(&t->crls, child, issuer, at, err);
}

static enum wa_code check_below(const struct wa_cert *const *path, size_t n,
                                const struct wa_cert *authority, NAME_CONSTRAINTS *nc,
                                struct wa_err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && path[i]->is_self_issued)
            continue; /* RFC 5280, 6.1.3 (b) */
        int rc = NAME_CONSTRAINTS_check(path[i]->x, nc);
        ERR_clear_error();
        if (rc != X509_V_OK)
            return wa_fail(err, WA_E_REFUSED, "'%s' may not certify the name of '%s'",
                           authority->cn, path[i]->cn);
    }
    return WA_OK;
}

enum wa_code wa_rule_names(const struct wa_cert *const *path, size_t n, struct wa_err *err)
{
    for (size_t i = 1; i < n; i++) {
        int is_critical = -1;
        NAME_CONSTRAINTS *nc =
            X509_get_ext_d2i(path[i]->x, NID_name_constraints, &is_critical, NULL);
        if (nc == NULL && is_critical != -1)
            return wa_ossl_fail(err, WA_E_REFUSED, "the name constraints of '%s' can't be read",
                                path[i]->cn);
        enum wa_code code = nc == NULL ? WA_OK : check_below(path, i, path[i], nc, err);
        NAME_CONSTRAINTS_free(nc);
        if (code != WA_OK)
            return code;
    }
    return WA_OK;
}
