/* tls.c - OpenSSL on the socket itself, and the one policy by which a server is trusted.
 *
 * The policy is our own verification callback: nothing that OpenSSL or libcurl would accept by
 * default passes unless the policy says so, and an empty policy accepts nothing.
 */
#include "net/tls.h"

#include "base/mem.h"
#include "codec/hex.h"
#include "os/clock.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct wa_tls_ctx {
    SSL_CTX *ssl;
    struct wa_certs pinned;
    X509_STORE *store; /* authorities */
    bool has_authorities;
    char fingerprint[65];
    char host[256];
    char reason[WA_ERR_TEXT_MAX / 2];
};

struct wa_tls {
    SSL *ssl;
    struct wa_tls_ctx *ctx;
};

static enum wa_code fail_ssl(struct wa_err *err, enum wa_code code, const char *what)
{
    unsigned long e = ERR_peek_last_error();
    const char *reason = e == 0 ? NULL : ERR_reason_error_string(e);
    ERR_clear_error();
    return wa_fail(err, code, "cannot %s%s%s", what, reason == NULL ? "" : ": ",
                   reason == NULL ? "" : reason);
}

/* --- the policy --- */

static void hex_digest(X509 *x, char out[65])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    out[0] = '\0';
    if (X509_digest(x, EVP_sha256(), raw, &n) == 1 && n == 32)
        wa_hex_encode(raw, n, out);
}

static bool dates_hold(X509 *x, const char **ret_why)
{
    time_t now = (time_t)wa_clock_now();
    if (X509_cmp_time(X509_get0_notBefore(x), &now) > 0)
        *ret_why = "it is not valid yet (check this machine's clock)";
    else if (X509_cmp_time(X509_get0_notAfter(x), &now) < 0)
        *ret_why = "it has expired (renew it on the server, and check this machine's clock)";
    else
        return true;
    return false;
}

static bool is_pinned(const struct wa_tls_ctx *c, const char *digest)
{
    if (c->fingerprint[0] != '\0' && strcmp(digest, c->fingerprint) == 0)
        return true;
    for (size_t i = 0; i < c->pinned.n; i++)
        if (strcmp(wa_cert_fingerprint(c->pinned.items[i]), digest) == 0)
            return true;
    return false;
}

static bool host_matches(const struct wa_tls_ctx *c, X509 *x)
{
    const unsigned flags =
        X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    if (c->host[0] == '\0')
        return false;
    return X509_check_host(x, c->host, 0, flags, NULL) == 1 ||
           X509_check_ip_asc(x, c->host, flags) == 1;
}

/* A path to one of the policy's authorities, for a TLS server. */
static bool chain_holds(const struct wa_tls_ctx *c, X509 *leaf, STACK_OF(X509) * helpers,
                        const char **ret_why)
{
    X509_STORE_CTX *s = X509_STORE_CTX_new();
    bool ok = s != NULL && X509_STORE_CTX_init(s, c->store, leaf, helpers) == 1 &&
              X509_STORE_CTX_set_default(s, "ssl_server") == 1;
    if (ok)
        X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(s), X509_V_FLAG_PARTIAL_CHAIN);
    ok = ok && X509_verify_cert(s) == 1;
    if (!ok)
        *ret_why = s == NULL ? "memory ran out"
                             : X509_verify_cert_error_string(X509_STORE_CTX_get_error(s));
    X509_STORE_CTX_free(s);
    ERR_clear_error();
    return ok;
}

static bool judge(struct wa_tls_ctx *c, X509 *leaf, STACK_OF(X509) * helpers)
{
    char digest[65];
    const char *why = "it is none of the pinned ones, and no authority is trusted";
    bool ok = false;
    hex_digest(leaf, digest);
    if (is_pinned(c, digest))
        ok = dates_hold(leaf, &why);
    else if (c->has_authorities && chain_holds(c, leaf, helpers, &why)) {
        ok = host_matches(c, leaf);
        why = "it is for another name than the one asked for";
    }
    c->reason[0] = '\0';
    if (!ok)
        (void)snprintf(c->reason, sizeof c->reason,
                       "the server's certificate (SHA-256 %s) is not trusted: %s; compare the "
                       "fingerprint with the server's own and pin it "
                       "if it is the right one",
                       digest, why);
    return ok;
}

static int verify_callback(X509_STORE_CTX *s, void *arg)
{
    struct wa_tls_ctx *c = arg;
    X509 *leaf = X509_STORE_CTX_get0_cert(s);
    bool ok = leaf != NULL && judge(c, leaf, X509_STORE_CTX_get0_untrusted(s));
    X509_STORE_CTX_set_error(s, ok ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
    return ok ? 1 : 0;
}

const char *wa_tls_ctx_reason(const struct wa_tls_ctx *ctx)
{
    return ctx->reason;
}

static enum wa_code install(struct wa_tls_ctx *c, SSL_CTX *ssl, struct wa_err *err)
{
    if (SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) != 1)
        return fail_ssl(err, WA_E_INTERNAL, "set the version of TLS");
    (void)SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ssl, verify_callback, c);
    return WA_OK;
}

enum wa_code wa_tls_apply(struct wa_tls_ctx *ctx, void *ssl_ctx, struct wa_err *err)
{
    return install(ctx, ssl_ctx, err);
}

/* --- contexts --- */

static enum wa_code take_trust(struct wa_tls_ctx *c, const struct wa_tls_trust *trust,
                               struct wa_err *err)
{
    (void)snprintf(c->fingerprint, sizeof c->fingerprint, "%s", trust->fingerprint);
    (void)snprintf(c->host, sizeof c->host, "%s", trust->host);
    c->store = X509_STORE_new();
    if (c->store == NULL)
        return wa_nomem(err);
    if (trust->pem.n > 0 && wa_certs_read_pem(trust->pem, WA_ANCHORS_MAX, &c->pinned, err) != WA_OK)
        return wa_wrap(err, "the certificates by which the server is trusted");
    for (size_t i = 0; i < c->pinned.n; i++)
        if (wa_cert_is_ca(c->pinned.items[i])) {
            if (X509_STORE_add_cert(c->store, wa_cert_native(c->pinned.items[i])) != 1)
                return fail_ssl(err, WA_E_INTERNAL, "trust an authority");
            c->has_authorities = true;
        }
    if (trust->system_cas) {
        if (X509_STORE_set_default_paths(c->store) != 1)
            return fail_ssl(err, WA_E_CONFIG, "read the system's authorities");
        c->has_authorities = true;
    }
    return WA_OK;
}

static enum wa_code ctx_new(const SSL_METHOD *method, struct wa_tls_ctx **ret, struct wa_err *err)
{
    WA_AUTO(wa_tls_ctx) struct wa_tls_ctx *c = wa_calloc(1, sizeof *c);
    if (c == NULL)
        return wa_nomem(err);
    c->ssl = SSL_CTX_new(method);
    if (c->ssl == NULL)
        return fail_ssl(err, WA_E_INTERNAL, "start TLS");
    (void)SSL_CTX_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    *ret = WA_TAKE(c);
    return WA_OK;
}

enum wa_code wa_tls_client_ctx(const struct wa_tls_trust *trust, struct wa_tls_ctx **ret,
                               struct wa_err *err)
{
    WA_AUTO(wa_tls_ctx) struct wa_tls_ctx *c = NULL;
    if (ctx_new(TLS_client_method(), &c, err) != WA_OK || take_trust(c, trust, err) != WA_OK ||
        install(c, c->ssl, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(c);
    return WA_OK;
}

enum wa_code wa_tls_server_ctx(const struct wa_certs *chain, const struct wa_key *key,
                               struct wa_tls_ctx **ret, struct wa_err *err)
{
    WA_AUTO(wa_tls_ctx) struct wa_tls_ctx *c = NULL;
    if (ctx_new(TLS_server_method(), &c, err) != WA_OK)
        return err->code;
    if (chain->n == 0 || !wa_cert_matches_key(chain->items[0], key))
        return wa_fail(err, WA_E_CONFIG, "the TLS certificate does not belong to its private key");
    if (SSL_CTX_set_min_proto_version(c->ssl, TLS1_2_VERSION) != 1 ||
        SSL_CTX_use_certificate(c->ssl, wa_cert_native(chain->items[0])) != 1 ||
        SSL_CTX_use_PrivateKey(c->ssl, wa_key_native(key)) != 1)
        return fail_ssl(err, WA_E_CONFIG, "use the TLS certificate");
    for (size_t i = 1; i < chain->n; i++)
        if (SSL_CTX_add1_chain_cert(c->ssl, wa_cert_native(chain->items[i])) != 1)
            return fail_ssl(err, WA_E_CONFIG, "use the TLS certificate's chain");
    (void)SSL_CTX_set_options(c->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                          SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_num_tickets(c->ssl, 1);
    (void)SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
    *ret = WA_TAKE(c);
    return WA_OK;
}

void wa_tls_ctx_free(struct wa_tls_ctx *ctx)
{
    if (ctx == NULL)
        return;
    SSL_CTX_free(ctx->ssl);
    X509_STORE_free(ctx->store);
    wa_certs_fini(&ctx->pinned);
    wa_free(ctx);
}

/* --- connections --- */

enum wa_code wa_tls_new(struct wa_tls_ctx *ctx, int fd, bool is_server, struct wa_tls **ret,
                        struct wa_err *err)
{
    WA_AUTO(wa_tls) struct wa_tls *t = wa_calloc(1, sizeof *t);
    if (t == NULL)
        return wa_nomem(err);
    t->ctx = ctx;
    t->ssl = SSL_new(ctx->ssl);
    if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1)
        return fail_ssl(err, WA_E_INTERNAL, "start a TLS connection");
    if (is_server) {
        SSL_set_accept_state(t->ssl);
    } else {
        SSL_set_connect_state(t->ssl);
        ASN1_OCTET_STRING *ip = ctx->host[0] == '\0' ? NULL : a2i_IPADDRESS(ctx->host);
        bool is_address = ctx->host[0] == '\0' || ip != NULL;
        ASN1_OCTET_STRING_free(ip);
        ERR_clear_error();
        if (!is_address && SSL_set_tlsext_host_name(t->ssl, ctx->host) != 1)
            return fail_ssl(err, WA_E_INTERNAL, "name the TLS server");
    }
    *ret = WA_TAKE(t);
    return WA_OK;
}

void wa_tls_free(struct wa_tls *t)
{
    if (t == NULL)
        return;
    SSL_free(t->ssl);
    wa_free(t);
}

/* What OpenSSL's answer means. n: bytes done, 0 at the end of the stream. */
static enum wa_code outcome(struct wa_tls *t, int rc, const char *what, enum wa_tls_want *ret_want,
                            bool *ret_closed, struct wa_err *err)
{
    int saved = errno;
    switch (SSL_get_error(t->ssl, rc)) {
    case SSL_ERROR_NONE:
        *ret_want = WA_TLS_DONE;
        return WA_OK;
    case SSL_ERROR_WANT_READ:
        *ret_want = WA_TLS_WANT_READ;
        return WA_OK;
    case SSL_ERROR_WANT_WRITE:
        *ret_want = WA_TLS_WANT_WRITE;
        return WA_OK;
    case SSL_ERROR_ZERO_RETURN:
        *ret_want = WA_TLS_DONE;
        *ret_closed = true;
        return WA_OK;
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        if (saved == 0)
            return wa_fail(err, WA_E_UNREACHABLE, "%s: the connection was cut", what);
        return wa_fail_errno(err, saved, "%s", what);
    default:
        if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            ERR_clear_error();
            return wa_fail(err, WA_E_UNREACHABLE, "%s: the connection was cut", what);
        }
        return fail_ssl(err, WA_E_UNREACHABLE, what);
    }
}

enum wa_code wa_tls_handshake(struct wa_tls *t, enum wa_tls_want *ret_want, struct wa_err *err)
{
    bool closed = false;
    ERR_clear_error();
    errno = 0;
    t->ctx->reason[0] = '\0';
    int rc = SSL_do_handshake(t->ssl);
    enum wa_code code = outcome(t, rc, "agree on TLS", ret_want, &closed, err);
    if (code != WA_OK && t->ctx->reason[0] != '\0')
        return wa_fail(err, WA_E_REFUSED, "%s", t->ctx->reason);
    return code;
}

enum wa_code wa_tls_read(struct wa_tls *t, void *p, size_t n, size_t *ret_n,
                         enum wa_tls_want *ret_want, struct wa_err *err)
{
    size_t got = 0;
    bool closed = false;
    ERR_clear_error();
    errno = 0;
    int rc = SSL_read_ex(t->ssl, p, n, &got);
    if (outcome(t, rc, "read from the other side", ret_want, &closed, err) != WA_OK)
        return err->code;
    *ret_n = closed ? 0 : got;
    return WA_OK;
}

enum wa_code wa_tls_write(struct wa_tls *t, const void *p, size_t n, size_t *ret_n,
                          enum wa_tls_want *ret_want, struct wa_err *err)
{
    size_t put = 0;
    bool closed = false;
    ERR_clear_error();
    errno = 0;
    int rc = SSL_write_ex(t->ssl, p, n, &put);
    if (outcome(t, rc, "write to the other side", ret_want, &closed, err) != WA_OK)
        return err->code;
    if (closed)
        return wa_fail(err, WA_E_UNREACHABLE, "the other side has closed the connection");
    *ret_n = put;
    return WA_OK;
}

void wa_tls_close(struct wa_tls *t)
{
    ERR_clear_error();
    (void)SSL_shutdown(t->ssl);
    ERR_clear_error();
}

bool wa_tls_has_pending(const struct wa_tls *t)
{
    return SSL_has_pending(t->ssl) == 1;
}

enum wa_code wa_tls_channel_binding(struct wa_tls *t, uint8_t out[32], struct wa_err *err)
{
    static const char label[] = "EXPORTER-Channel-Binding";
    /* Before TLS 1.3 the exporter is unique only with the extended master secret (RFC 9266, 3). */
    if (SSL_version(t->ssl) < TLS1_3_VERSION && SSL_get_extms_support(t->ssl) != 1)
        return wa_fail(err, WA_E_REFUSED,
                       "this TLS connection can't be told from another one: TLS 1.3 is needed");
    if (SSL_export_keying_material(t->ssl, out, 32, label, sizeof label - 1,
                                   (const unsigned char *)"", 0, 1) != 1)
        return fail_ssl(err, WA_E_INTERNAL, "bind to the TLS connection");
    return WA_OK;
}

enum wa_code wa_tls_peer_fingerprint(struct wa_tls *t, char out[65], struct wa_err *err)
{
    X509 *x = SSL_get0_peer_certificate(t->ssl);
    WA_UNUSED(err);
    out[0] = '\0';
    if (x != NULL)
        hex_digest(x, out);
    return WA_OK;
}
