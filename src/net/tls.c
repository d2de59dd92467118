/* tls.c - OpenSSL on the socket itself: contexts, connections, what a connection can be bound to.
 *
 * Nothing here decides whom to trust: that is tls_trust.c. No call blocks; what to wait for is the
 * caller's business.
 */
#include "net/tls_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

struct wa_tls {
    SSL *ssl;
    struct wa_tls_ctx *ctx;
};

enum wa_code wa_tls_fail(struct wa_err *err, enum wa_code code, const char *what)
{
    unsigned long e = ERR_peek_last_error();
    const char *reason = e == 0 ? NULL : ERR_reason_error_string(e);
    bool is_memory = e != 0 && ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE;
    ERR_clear_error();
    if (is_memory)
        return wa_nomem(err);
    return wa_fail(err, code, "cannot %s%s%s", wa_text(what), reason == NULL ? "" : ": ",
                   reason == NULL ? "" : reason);
}

/* --- contexts --- */

static enum wa_code ctx_new(const SSL_METHOD *method, struct wa_tls_ctx **ret, struct wa_err *err)
{
    WA_AUTO(wa_tls_ctx) struct wa_tls_ctx *c = wa_calloc(1, sizeof *c);
    if (c == NULL)
        return wa_nomem(err);
    c->method = wa_tls_socket_method();
    c->ssl = SSL_CTX_new(method);
    if (c->method == NULL || c->ssl == NULL)
        return wa_tls_fail(err, WA_E_NOMEM, "start TLS");
    (void)SSL_CTX_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(c->ssl, 1); /* a record's head and the rest of it by one call */
    *ret = WA_TAKE(c);
    return WA_OK;
}

enum wa_code wa_tls_client_ctx(const struct wa_tls_trust *trust, struct wa_tls_ctx **ret,
                               struct wa_err *err)
{
    WA_AUTO(wa_tls_ctx) struct wa_tls_ctx *c = NULL;
    if (ctx_new(TLS_client_method(), &c, err) != WA_OK ||
        wa_tls_take_trust(c, trust, err) != WA_OK || wa_tls_install(c, c->ssl, err) != WA_OK)
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
        SSL_CTX_set_cipher_list(c->ssl, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 || /* of TLS 1.2 */
        SSL_CTX_use_certificate(c->ssl, wa_cert_native(chain->items[0])) != 1 ||
        SSL_CTX_use_PrivateKey(c->ssl, wa_key_native(key)) != 1)
        return wa_tls_fail(err, WA_E_CONFIG, "use the TLS certificate");
    for (size_t i = 1; i < chain->n; i++)
        if (SSL_CTX_add1_chain_cert(c->ssl, wa_cert_native(chain->items[i])) != 1)
            return wa_tls_fail(err, WA_E_CONFIG, "use the TLS certificate's chain");
    (void)SSL_CTX_set_options(c->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                          SSL_OP_CIPHER_SERVER_PREFERENCE);
    /* One ticket, which takes a client's certificate along: without a context of its own, a session
     * with one could not be resumed at all. */
    static const unsigned char context[] = "wapt";
    (void)SSL_CTX_set_num_tickets(c->ssl, 1);
    (void)SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_session_id_context(c->ssl, context, sizeof context - 1);
    *ret = WA_TAKE(c);
    return WA_OK;
}

void wa_tls_ctx_free(struct wa_tls_ctx *ctx)
{
    if (ctx == NULL)
        return;
    SSL_CTX_free(ctx->ssl);
    BIO_meth_free(ctx->method);
    X509_STORE_free(ctx->store);
    X509_free(ctx->seen);
    X509_NAME_free(ctx->authority);
    wa_certs_fini(&ctx->pinned);
    wa_cert_free(ctx->own);
    wa_key_free(ctx->own_key);
    wa_free(ctx);
}

/* --- connections --- */

/* Server name indication: for names, not for addresses (RFC 6066, 3). */
static enum wa_code name_server(struct wa_tls *t, struct wa_err *err)
{
    char *host = t->ctx->host;
    ASN1_OCTET_STRING *ip = host[0] == '\0' ? NULL : a2i_IPADDRESS(host);
    bool is_name = host[0] != '\0' && ip == NULL;
    ASN1_OCTET_STRING_free(ip);
    ERR_clear_error();
    if (is_name && SSL_set_tlsext_host_name(t->ssl, host) != 1)
        return wa_tls_fail(err, WA_E_NOMEM, "name the TLS server");
    return WA_OK;
}

enum wa_code wa_tls_new(struct wa_tls_ctx *ctx, int fd, bool is_server, struct wa_tls **ret,
                        struct wa_err *err)
{
    WA_AUTO(wa_tls) struct wa_tls *t = wa_calloc(1, sizeof *t);
    if (t == NULL)
        return wa_nomem(err);
    t->ctx = ctx;
    t->ssl = SSL_new(ctx->ssl);
    BIO *socket = t->ssl == NULL ? NULL : wa_tls_socket(ctx->method, fd);
    if (socket == NULL)
        return wa_tls_fail(err, WA_E_NOMEM, "start a TLS connection");
    SSL_set_bio(t->ssl, socket, socket);
    if (is_server) {
        SSL_set_accept_state(t->ssl);
    } else {
        SSL_set_connect_state(t->ssl);
        if (name_server(t, err) != WA_OK)
            return err->code;
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

/* Alerts about a certificate that we showed. */
static bool refuses_us(int reason)
{
    static const int alerts[] = {
        SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,     SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
        SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,     SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
        SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, SSL_R_TLSV1_ALERT_UNKNOWN_CA};
    for (size_t i = 0; i < WA_COUNT(alerts); i++)
        if (reason == alerts[i])
            return true;
    return false;
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
        if (saved == 0 || saved == EPIPE || saved == ECONNRESET)
            return wa_fail(err, WA_E_UNREACHABLE, "%s: the connection was cut", what);
        return wa_fail_errno(err, saved, "%s", what);
    default:
        if (refuses_us(ERR_GET_REASON(ERR_peek_last_error()))) {
            ERR_clear_error();
            return wa_fail(err, WA_E_DENIED, "the other side refuses our certificate");
        }
        if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            ERR_clear_error();
            return wa_fail(err, WA_E_UNREACHABLE, "%s: the connection was cut", what);
        }
        return wa_tls_fail(err, WA_E_UNREACHABLE, what);
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

bool wa_tls_is_resumed(const struct wa_tls *t)
{
    return SSL_session_reused(t->ssl) == 1;
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
        return wa_tls_fail(err, WA_E_INTERNAL, "bind to the TLS connection");
    return WA_OK;
}

const struct wa_tls_ctx *wa_tls_ctx_of(const struct wa_tls *t)
{
    return t->ctx;
}

X509 *wa_tls_peer_native(const struct wa_tls *t)
{
    return SSL_get0_peer_certificate(t->ssl);
}

enum wa_code wa_tls_peer_fingerprint(struct wa_tls *t, char out[65], struct wa_err *err)
{
    X509 *x = SSL_get0_peer_certificate(t->ssl);
    WA_UNUSED(err);
    out[0] = '\0';
    if (x != NULL)
        wa_tls_digest(x, out);
    return WA_OK;
}
