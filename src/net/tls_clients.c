/* tls_clients.c - certificates that clients of a server show (security target F1A): issued by the
 * server's own authority for TLS clients, in date, not revoked - or none at all.
 *
 * A bad certificate ends the handshake instead of being overlooked: who shows one means to be
 * somebody. Only a name comes out of here; what it may do is decided elsewhere.
 *
 * Where people may show theirs, whose certificate it is follows from the issuer that it names: the
 * authority's name is the machines', and passes only with the authority's signature. All others
 * have shown that they hold a key, and no more.
 */
#include "net/tls_priv.h"

#include "base/text.h"
#include "codec/hex.h"
#include "os/clock.h"

#include <openssl/x509v3.h>
#include <time.h>

static void serial_of(const X509 *x, char out[WA_CERT_SERIAL_SIZE])
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
    int n = ASN1_STRING_length(serial);
    out[0] = '\0';
    if (n > 0 && n <= (WA_CERT_SERIAL_SIZE - 1) / 2)
        wa_hex_encode(ASN1_STRING_get0_data(serial), (size_t)n, out);
}

static int refuse(struct wa_tls_ctx *c, X509_STORE_CTX *s, int error)
{
    X509_STORE_CTX_set_error(s, error); /* becomes the alert that the client gets */
    (void)snprintf(c->reason, sizeof c->reason, wa_text("the client's certificate is refused: %s"),
                   X509_verify_cert_error_string(error));
    return 0;
}

static bool is_persons(const struct wa_tls_ctx *c, const X509 *x)
{
    return c->lets_people && X509_NAME_cmp(X509_get_issuer_name(x), c->authority) != 0;
}

static int verify_client(X509_STORE_CTX *s, void *arg)
{
    struct wa_tls_ctx *c = arg;
    X509 *leaf = X509_STORE_CTX_get0_cert(s);
    if (is_persons(c, leaf)) {
        X509_STORE_CTX_set_error(s, X509_V_ERR_APPLICATION_VERIFICATION); /* whoever asks again */
        return 1;
    }
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(s);
    char serial[WA_CERT_SERIAL_SIZE];
    X509_VERIFY_PARAM_set_time(param, (time_t)wa_clock_now());
    X509_VERIFY_PARAM_set_auth_level(param, 2);
    X509_VERIFY_PARAM_set_depth(param, 0); /* issued by the authority itself */
    if (X509_verify_cert(s) != 1)          /* OpenSSL has set the purpose: a TLS client */
        return refuse(c, s, X509_STORE_CTX_get_error(s));
    uint32_t flags = X509_get_extension_flags(leaf);
    if ((flags & EXFLAG_CA) != 0 || (flags & EXFLAG_XKUSAGE) == 0) /* the authority is no client */
        return refuse(c, s, X509_V_ERR_INVALID_PURPOSE);
    serial_of(leaf, serial);
    if (serial[0] == '\0' || c->is_revoked(c->revoked_user, serial))
        return refuse(c, s, X509_V_ERR_CERT_REVOKED);
    return 1;
}

enum wa_code wa_tls_ask_clients(struct wa_tls_ctx *ctx, const struct wa_cert *authority,
                                wa_tls_revoked_fn is_revoked, void *user, struct wa_err *err)
{
    X509_STORE *store = X509_STORE_new();
    if (store == NULL)
        return wa_nomem(err);
    SSL_CTX_set_cert_store(ctx->ssl, store); /* takes it */
    if (X509_STORE_add_cert(store, wa_cert_native(authority)) != 1 ||
        SSL_CTX_add_client_CA(ctx->ssl, wa_cert_native(authority)) != 1)
        return wa_tls_fail(err, WA_E_NOMEM, "ask clients for certificates");
    X509_NAME_free(ctx->authority);
    ctx->authority = X509_NAME_dup(X509_get_subject_name(wa_cert_native(authority)));
    if (ctx->authority == NULL)
        return wa_nomem(err);
    ctx->is_revoked = is_revoked;
    ctx->revoked_user = user;
    SSL_CTX_set_verify(ctx->ssl, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx->ssl, verify_client, ctx);
    return WA_OK;
}

void wa_tls_let_people(struct wa_tls_ctx *ctx)
{
    ctx->lets_people = true;
    SSL_CTX_set_client_CA_list(ctx->ssl, NULL); /* whatever they have */
}

static enum wa_code name_of(const struct wa_tls_ctx *c, const struct wa_cert *cert,
                            struct wa_tls_peer *ret, struct wa_err *err)
{
    if (is_persons(c, wa_cert_native(cert))) {
        (void)snprintf(ret->person, sizeof ret->person, "%s", wa_cert_fingerprint(cert));
        return WA_OK;
    }
    if (strlen(wa_cert_cn(cert)) >= sizeof ret->name)
        return wa_fail(err, WA_E_INVALID, "the client's certificate names nobody we know");
    (void)snprintf(ret->name, sizeof ret->name, "%s", wa_cert_cn(cert));
    (void)snprintf(ret->serial, sizeof ret->serial, "%s", wa_cert_serial(cert));
    return WA_OK;
}

enum wa_code wa_tls_check_client(const struct wa_tls_ctx *ctx, struct wa_sv pem,
                                 struct wa_tls_peer *ret, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    if (wa_certs_read_pem(pem, 1, &certs, err) != WA_OK)
        return err->code;
    X509_STORE_CTX *s = X509_STORE_CTX_new();
    if (s == NULL)
        return wa_nomem(err);
    bool is_ready = X509_STORE_CTX_init(s, SSL_CTX_get_cert_store(ctx->ssl),
                                        wa_cert_native(certs.items[0]), NULL) == 1 &&
                    X509_STORE_CTX_set_default(s, "ssl_client") == 1;
    bool is_good = is_ready && verify_client(s, (void *)(uintptr_t)ctx) == 1;
    const char *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(s));
    X509_STORE_CTX_free(s);
    if (!is_ready)
        return wa_tls_fail(err, WA_E_NOMEM, "judge a client's certificate");
    return is_good ? name_of(ctx, certs.items[0], ret, err) : wa_fail(err, WA_E_DENIED, "%s", why);
}

enum wa_code wa_tls_peer_cert(const struct wa_tls *t, struct wa_cert **ret, struct wa_err *err)
{
    X509 *x = wa_tls_peer_native(t);
    unsigned char *der = NULL;
    *ret = NULL;
    if (x == NULL)
        return WA_OK;
    int n = i2d_X509(x, &der);
    if (n <= 0)
        return wa_tls_fail(err, WA_E_NOMEM, "read the client's certificate");
    enum wa_code code = wa_cert_from_der(der, (size_t)n, ret, err);
    OPENSSL_free(der);
    return code;
}

enum wa_code wa_tls_peer(const struct wa_tls *t, struct wa_tls_peer *ret, struct wa_err *err)
{
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    *ret = (struct wa_tls_peer){.name = ""};
    if (wa_tls_peer_cert(t, &cert, err) != WA_OK || cert == NULL)
        return err->code;
    return name_of(wa_tls_ctx_of(t), cert, ret, err);
}
