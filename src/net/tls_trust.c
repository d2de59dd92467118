/* tls_trust.c - the one policy by which a server is trusted (security target F1B).
 *
 * It is our own verification callback: nothing that OpenSSL or libcurl would accept by default
 * passes unless the policy says so, and an empty policy accepts nothing. Every refusal says which
 * certificate it was, why, and what to do.
 */
#include "net/tls_priv.h"

#include "base/date.h"
#include "base/text.h"
#include "codec/hex.h"
#include "os/clock.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <time.h>

#define AUTH_LEVEL 2 /* OpenSSL's: 112 bits, so no RSA below 2048 and no SHA-1 in a chain */
#define WHY_MAX (WA_ERR_TEXT_MAX / 4)
#define NAMES_MAX 160

void wa_tls_digest(const X509 *x, char out[65])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    out[0] = '\0';
    if (X509_digest(x, EVP_sha256(), raw, &n) == 1 && n == 32)
        wa_hex_encode(raw, n, out);
}

static const char *date_text(const ASN1_TIME *t, char out[WA_DATE_MAX])
{
    struct tm tm;
    if (ASN1_TIME_to_tm(t, &tm) == 1)
        wa_date_rfc3339(wa_date_from_civil(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                                           tm.tm_min, tm.tm_sec),
                        out);
    else
        (void)snprintf(out, WA_DATE_MAX, wa_text("an unreadable date"));
    return out;
}

static bool dates_hold(const X509 *x, char why[WHY_MAX])
{
    char date[WA_DATE_MAX];
    time_t now = (time_t)wa_clock_now();
    const ASN1_TIME *from = X509_get0_notBefore(x), *to = X509_get0_notAfter(x);
    /* 0 means unreadable. */
    if (X509_cmp_time(from, &now) >= 0)
        (void)snprintf(why, WHY_MAX,
                       wa_text("it is valid only from %s on: check this machine's clock"),
                       date_text(from, date));
    else if (X509_cmp_time(to, &now) <= 0)
        (void)snprintf(
            why, WHY_MAX,
            wa_text("it expired on %s: renew it on the server, or set this machine's clock right"),
            date_text(to, date));
    else
        return true;
    return false;
}

static bool is_pinned(const struct wa_tls_ctx *c, const char *digest)
{
    if (digest[0] == '\0')
        return false;
    if (c->fingerprint[0] != '\0' && strcmp(digest, c->fingerprint) == 0)
        return true;
    for (size_t i = 0; i < c->pinned.n; i++)
        if (strcmp(wa_cert_fingerprint(c->pinned.items[i]), digest) == 0)
            return true;
    return false;
}

/* --- names --- */

static bool is_address(const char *host)
{
    ASN1_OCTET_STRING *ip = a2i_IPADDRESS(host);
    bool is = ip != NULL;
    ASN1_OCTET_STRING_free(ip);
    ERR_clear_error();
    return is;
}

/* The names a certificate carries, for a person. */
static void list_names(X509 *x, char out[NAMES_MAX])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    size_t at = 0;
    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && at < NAMES_MAX; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
        if (g->type != GEN_DNS)
            continue;
        int n = snprintf(out + at, NAMES_MAX - at, "%s'%.64s'", at > 0 ? ", " : "",
                         (const char *)ASN1_STRING_get0_data(g->d.dNSName));
        at += n > 0 ? (size_t)n : 0;
    }
    GENERAL_NAMES_free(names);
    if (at == 0)
        (void)snprintf(out, NAMES_MAX, wa_text("no host name"));
}

static bool host_matches(const struct wa_tls_ctx *c, X509 *x, char why[WHY_MAX])
{
    const unsigned flags =
        X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    char names[NAMES_MAX];
    bool is_name = c->host[0] != '\0' && c->host[0] != '.'; /* ".a": all that is below "a" */
    if (is_name && (is_address(c->host) ? X509_check_ip_asc(x, c->host, 0) == 1
                                        : X509_check_host(x, c->host, 0, flags, NULL) == 1))
        return true;
    ERR_clear_error();
    list_names(x, names);
    (void)snprintf(
        why, WHY_MAX,
        wa_text("it is for %s, not for '%.100s': use a name it carries, or have one issued for "
                "this name"),
        names, c->host);
    return false;
}

/* --- authorities --- */

/* The dates of the certificate itself have been looked at. */
static void explain_chain(X509_STORE_CTX *s, char why[WHY_MAX])
{
    char date[WA_DATE_MAX];
    const X509 *at = X509_STORE_CTX_get_current_cert(s);
    int error = X509_STORE_CTX_get_error(s);
    switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        (void)snprintf(
            why, WHY_MAX,
            wa_text("its authority is unknown here: add the authority's certificate, or compare "
                    "the fingerprint with the server's own and pin it"));
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        (void)snprintf(
            why, WHY_MAX,
            wa_text("its authority's certificate is not valid now (until %s): renew it, or set "
                    "this machine's clock right"),
            at != NULL ? date_text(X509_get0_notAfter(at), date) : "?");
        break;
    default:
        (void)snprintf(why, WHY_MAX, wa_text("%s: have a proper one issued"),
                       X509_verify_cert_error_string(error));
    }
}

/* A path to one of the policy's authorities, for a TLS server. */
static bool chain_holds(const struct wa_tls_ctx *c, X509 *leaf, STACK_OF(X509) * helpers,
                        char why[WHY_MAX])
{
    X509_STORE_CTX *s = X509_STORE_CTX_new();
    bool ok = s != NULL && X509_STORE_CTX_init(s, c->store, leaf, helpers) == 1 &&
              X509_STORE_CTX_set_default(s, "ssl_server") == 1;
    if (!ok)
        (void)snprintf(why, WHY_MAX, "memory ran out");
    if (ok) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(s);
        (void)X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
        X509_VERIFY_PARAM_set_time(param, (time_t)wa_clock_now());
        X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
        ok = X509_verify_cert(s) == 1;
        if (!ok)
            explain_chain(s, why);
    }
    X509_STORE_CTX_free(s);
    ERR_clear_error();
    return ok;
}

/* --- the judgement --- */

static bool judge(struct wa_tls_ctx *c, X509 *leaf, STACK_OF(X509) * helpers)
{
    char digest[65], why[WHY_MAX];
    bool ok = false;
    X509_free(c->seen);
    c->seen = X509_up_ref(leaf) == 1 ? leaf : NULL;
    (void)snprintf(why, sizeof why, "%s",
                   wa_text("it is not the expected one, and no authority is trusted here: "
                           "compare the fingerprint with the server's own and pin it"));
    wa_tls_digest(leaf, digest);
    if (is_pinned(c, digest))
        ok = dates_hold(leaf, why);
    else if (c->has_authorities)
        ok = dates_hold(leaf, why) && chain_holds(c, leaf, helpers, why) &&
             host_matches(c, leaf, why);
    c->reason[0] = '\0';
    if (!ok)
        (void)snprintf(c->reason, sizeof c->reason,
                       wa_text("the server's certificate (SHA-256 %s) is not trusted: %s"), digest,
                       why);
    return ok;
}

enum wa_code wa_tls_ctx_seen(const struct wa_tls_ctx *ctx, struct wa_cert **ret, struct wa_err *err)
{
    unsigned char *der = NULL;
    int n = ctx->seen == NULL ? 0 : i2d_X509(ctx->seen, &der);
    if (n <= 0)
        return wa_fail(err, WA_E_NOT_FOUND, "no certificate was shown");
    enum wa_code code = wa_cert_from_der(der, (size_t)n, ret, err);
    OPENSSL_free(der);
    return code;
}

static int verify_callback(X509_STORE_CTX *s, void *arg)
{
    struct wa_tls_ctx *c = arg;
    X509 *leaf = X509_STORE_CTX_get0_cert(s);
    bool ok = leaf != NULL && judge(c, leaf, X509_STORE_CTX_get0_untrusted(s));
    /* libcurl asks for this result once more. */
    X509_STORE_CTX_set_error(s, ok ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
    return ok ? 1 : 0;
}

enum wa_code wa_tls_install(struct wa_tls_ctx *c, SSL_CTX *ssl, struct wa_err *err)
{
    if (SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) != 1)
        return wa_tls_fail(err, WA_E_INTERNAL, "set the version of TLS");
    (void)SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ssl, verify_callback, c);
    c->reason[0] = '\0';
    if (c->own != NULL && (SSL_CTX_use_certificate(ssl, wa_cert_native(c->own)) != 1 ||
                           SSL_CTX_use_PrivateKey(ssl, wa_key_native(c->own_key)) != 1))
        return wa_tls_fail(err, WA_E_CONFIG, "use this machine's certificate");
    return WA_OK;
}

enum wa_code wa_tls_apply(struct wa_tls_ctx *ctx, void *ssl_ctx, struct wa_err *err)
{
    return wa_tls_install(ctx, ssl_ctx, err);
}

const char *wa_tls_ctx_reason(const struct wa_tls_ctx *ctx)
{
    return ctx->reason;
}

/* --- taking the policy over --- */

static bool is_fingerprint(const char *s)
{
    return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

/* Read at once, for a process may give up its files later: OpenSSL's own default is on Debian a
 * directory that it reads while it verifies. */
static enum wa_code add_system_authorities(X509_STORE *store, struct wa_err *err)
{
    static const char *const bundles[] = {
        "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Alpine */
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Red Hat and kin */
        "/var/lib/ca-certificates/ca-bundle.pem",            /* SUSE */
    };
    for (size_t i = 0; i < WA_COUNT(bundles); i++) {
        if (X509_STORE_load_file(store, bundles[i]) == 1)
            return WA_OK;
        ERR_clear_error();
    }
    if (X509_STORE_set_default_paths(store) != 1)
        return wa_tls_fail(err, WA_E_CONFIG, "read the system's authorities");
    return WA_OK;
}

/* Who we are, to a server that asks. */
static enum wa_code take_identity(struct wa_tls_ctx *c, const struct wa_tls_trust *trust,
                                  struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    struct wa_sv pem = trust->identity;
    if (trust->own != NULL) {
        c->own = wa_cert_ref(trust->own);
        c->own_key = wa_key_ref(trust->own_key);
    }
    if (pem.n == 0)
        return WA_OK;
    if (wa_certs_read_pem(pem, 1, &certs, err) != WA_OK ||
        wa_key_read_pem(pem, "this machine's TLS key", NULL, NULL, &c->own_key, err) != WA_OK)
        return wa_wrap(err, "the certificate of this machine");
    if (!wa_cert_matches_key(certs.items[0], c->own_key))
        return wa_fail(err, WA_E_CONFIG, "this machine's certificate is not its TLS key's");
    c->own = wa_cert_ref(certs.items[0]);
    return WA_OK;
}

enum wa_code wa_tls_take_trust(struct wa_tls_ctx *c, const struct wa_tls_trust *trust,
                               struct wa_err *err)
{
    if (trust->fingerprint[0] != '\0' && !is_fingerprint(trust->fingerprint))
        return wa_fail(err, WA_E_CONFIG,
                       "the server's fingerprint '%.64s' is not one: it has 64 digits, 0-9 and a-f",
                       trust->fingerprint);
    (void)snprintf(c->fingerprint, sizeof c->fingerprint, "%s", trust->fingerprint);
    (void)snprintf(c->host, sizeof c->host, "%s", trust->host);
    c->store = X509_STORE_new();
    if (c->store == NULL)
        return wa_nomem(err);
    if (take_identity(c, trust, err) != WA_OK)
        return err->code;
    if (trust->pem.n > 0 && wa_certs_read_pem(trust->pem, WA_ANCHORS_MAX, &c->pinned, err) != WA_OK)
        return wa_wrap(err, "the certificates by which the server is trusted");
    for (size_t i = 0; i < c->pinned.n; i++) {
        if (!wa_cert_is_ca(c->pinned.items[i]))
            continue;
        if (X509_STORE_add_cert(c->store, wa_cert_native(c->pinned.items[i])) != 1)
            return wa_tls_fail(err, WA_E_NOMEM, "trust an authority");
        c->has_authorities = true;
    }
    if (!trust->system_cas)
        return WA_OK;
    c->has_authorities = true;
    return add_system_authorities(c->store, err);
}
