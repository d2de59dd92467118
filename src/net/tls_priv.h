/* tls_priv.h - between tls.c (connections), tls_trust.c (the policy) and tls_bio.c (the socket). */
#ifndef WA_NET_TLS_PRIV_H
#define WA_NET_TLS_PRIV_H

#include "net/tls.h"

#include <openssl/ssl.h>

struct wa_tls_ctx {
    SSL_CTX *ssl;
    BIO_METHOD *method; /* of the sockets */
    struct wa_certs pinned;
    X509_STORE *store; /* authorities */
    bool has_authorities;
    X509 *seen; /* by the last verification; NULL: none yet */
    char fingerprint[65];
    char host[256];
    char reason[WA_ERR_TEXT_MAX / 2];
    /* a client's own */
    struct wa_cert *own;
    struct wa_key *own_key;
    /* a server's */
    X509_NAME *authority; /* of machines */
    bool lets_people;
    wa_tls_revoked_fn is_revoked;
    void *revoked_user;
};

/* What OpenSSL has to say about its last failure, behind "cannot <what>". */
enum wa_code wa_tls_fail(struct wa_err *err, enum wa_code code, const char *what);

/* Copies the policy into the context. */
WA_CHECK enum wa_code wa_tls_take_trust(struct wa_tls_ctx *c, const struct wa_tls_trust *trust,
                                        struct wa_err *err);
/* Makes the policy of c the only judge of peers' certificates in ssl; c must outlive it. */
WA_CHECK enum wa_code wa_tls_install(struct wa_tls_ctx *c, SSL_CTX *ssl, struct wa_err *err);

/* Reads and writes a socket without ever raising SIGPIPE. NULL when memory ran out. */
BIO_METHOD *wa_tls_socket_method(void);
/* The descriptor stays the caller's. NULL when memory ran out. */
BIO *wa_tls_socket(BIO_METHOD *method, int fd);
const struct wa_tls_ctx *wa_tls_ctx_of(const struct wa_tls *t);
/* The peer's certificate, the connection's; NULL: it showed none. */
X509 *wa_tls_peer_native(const struct wa_tls *t);
/* SHA-256 of the certificate in lower-case hex; "" when memory ran out. */
void wa_tls_digest(const X509 *x, char out[65]);

#endif
