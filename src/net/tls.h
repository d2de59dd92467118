/* tls.h - TLS 1.2 and 1.3 over a non-blocking descriptor, and the one policy by which we trust a
 * server.
 *
 * The only file of the project besides tls.c that knows OpenSSL's SSL. libcurl gets the same policy
 * through wa_tls_apply().
 */
#ifndef WA_NET_TLS_H
#define WA_NET_TLS_H

#include "crypto/cert.h"

/* --- whom a client trusts (security target F1B) --- */
struct wa_tls_trust {
    /* PEM: certificates that are accepted as the server itself (pinned) or as an authority. May be
     * empty. */
    struct wa_sv pem;
    /* Lower-case hex SHA-256 of the server's own certificate given in advance by a person; "" when
     * none. */
    char fingerprint[65];
    bool system_cas; /* the operating system's authorities too */
    char host[256];  /* name or address that the certificate must carry, unless it is pinned or
                        fingerprinted */
    /* PEM: our own certificate, then its key, shown to a server that asks for one; empty: none. */
    struct wa_sv identity;
    /* The same by reference, where the key is none that could be written: a token's. NULL: none. */
    struct wa_cert *own;
    struct wa_key *own_key;
};
/* Accepted: the leaf equals a pinned certificate or has the fingerprint, and its dates hold; or a
 * chain to an authority of pem or the system, dates, serverAuth, and the host name. All three
 * empty: nothing is accepted. */

struct wa_tls_ctx;
/* trust is copied. */
WA_CHECK enum wa_code wa_tls_client_ctx(const struct wa_tls_trust *trust, struct wa_tls_ctx **ret,
                                        struct wa_err *err);
/* chain: server's first. Session tickets: one. */
WA_CHECK enum wa_code wa_tls_server_ctx(const struct wa_certs *chain, const struct wa_key *key,
                                        struct wa_tls_ctx **ret, struct wa_err *err);
/* Clients of this server context may show a certificate (F1A). One that the authority has not
 * issued for TLS clients, that is out of date or that is_revoked() names ends the handshake; none
 * is fine. A resumed session brings the certificate of the first: ask wa_tls_peer() and judge
 * again. Before the first connection; user must outlive ctx. */
typedef bool (*wa_tls_revoked_fn)(void *user, const char *serial);
WA_CHECK enum wa_code wa_tls_ask_clients(struct wa_tls_ctx *ctx, const struct wa_cert *authority,
                                         wa_tls_revoked_fn is_revoked, void *user,
                                         struct wa_err *err);
/* After it: clients may show other certificates too, of which nothing is judged but that they have
 * the key: those of people. What names the authority as its issuer is a machine's all the same, and
 * judged as above. */
void wa_tls_let_people(struct wa_tls_ctx *ctx);
/* The same judgement of a certificate (PEM) that a client has proved to somebody we believe: a
 * proxy. WA_E_DENIED with the reason. */
struct wa_tls_peer;
WA_CHECK enum wa_code wa_tls_check_client(const struct wa_tls_ctx *ctx, struct wa_sv pem,
                                          struct wa_tls_peer *ret, struct wa_err *err);
void wa_tls_ctx_free(struct wa_tls_ctx *ctx);
WA_AUTO_DEFINE(wa_tls_ctx, wa_tls_ctx_free)
/* For net/http_client: installs the policy of a client context in libcurl's SSL_CTX. ctx must
 * outlive the transfer. */
WA_CHECK enum wa_code wa_tls_apply(struct wa_tls_ctx *ctx, void *ssl_ctx, struct wa_err *err);
/* Why the last verification under ctx failed, for a person: "the server's certificate (SHA-256
 * ab12...) is not trusted: ...". "" when it did not fail. */
const char *wa_tls_ctx_reason(const struct wa_tls_ctx *ctx);

/* The certificate that the last verification under ctx looked at, trusted or not. WA_E_NOT_FOUND:
 * there was none yet. */
WA_CHECK enum wa_code wa_tls_ctx_seen(const struct wa_tls_ctx *ctx, struct wa_cert **ret,
                                      struct wa_err *err);

struct wa_url;
struct wa_stop;
/* The certificate that the server at this https URL shows, trusted or not. proxy: as in struct
 * wa_line_to (net/http_line.h). Blocks, until stop is pulled (WA_E_CANCELLED); stop may be NULL.
 * ret_url: the URL, taken apart. */
WA_CHECK enum wa_code wa_tls_look(const char *server, const char *proxy, struct wa_stop *stop,
                                  struct wa_url *ret_url, struct wa_cert **ret, struct wa_err *err);

/* --- one connection; the descriptor stays the caller's --- */
struct wa_tls;
enum wa_tls_want { WA_TLS_DONE, WA_TLS_WANT_READ, WA_TLS_WANT_WRITE };

WA_CHECK enum wa_code wa_tls_new(struct wa_tls_ctx *ctx, int fd, bool is_server,
                                 struct wa_tls **ret, struct wa_err *err);
void wa_tls_free(struct wa_tls *t);
WA_AUTO_DEFINE(wa_tls, wa_tls_free)
/* WA_OK with *ret_want DONE, or what to wait for. WA_E_REFUSED for an untrusted certificate, naming
 * it; a client that showed one has its alert then, if the connection stays until it has read it. */
WA_CHECK enum wa_code wa_tls_handshake(struct wa_tls *t, enum wa_tls_want *ret_want,
                                       struct wa_err *err);
/* *ret_n 0 with DONE: the peer closed. WA_E_DENIED: it refuses the certificate that we showed. */
WA_CHECK enum wa_code wa_tls_read(struct wa_tls *t, void *p, size_t n, size_t *ret_n,
                                  enum wa_tls_want *ret_want, struct wa_err *err);
WA_CHECK enum wa_code wa_tls_write(struct wa_tls *t, const void *p, size_t n, size_t *ret_n,
                                   enum wa_tls_want *ret_want, struct wa_err *err);
/* close_notify, best effort. */
void wa_tls_close(struct wa_tls *t);
/* After the handshake: whether it went on with an earlier session. */
bool wa_tls_is_resumed(const struct wa_tls *t);
/* Bytes already decrypted and waiting: read again before polling. */
bool wa_tls_has_pending(const struct wa_tls *t);
/* RFC 9266 tls-exporter channel binding, the same on both ends and on no other connection. After
 * the handshake. */
WA_CHECK enum wa_code wa_tls_channel_binding(struct wa_tls *t, uint8_t out[32], struct wa_err *err);
/* Fingerprint of the peer's certificate, "" when it sent none. */
WA_CHECK enum wa_code wa_tls_peer_fingerprint(struct wa_tls *t, char out[65], struct wa_err *err);
/* Whom a client's certificate names; all "" when it showed none. After the handshake. */
struct wa_tls_peer {
    char name[65]; /* its common name */
    char serial[WA_CERT_SERIAL_SIZE];
    char person[65]; /* of a certificate that is no machine's: its SHA-256, and nothing above */
};
WA_CHECK enum wa_code wa_tls_peer(const struct wa_tls *t, struct wa_tls_peer *ret,
                                  struct wa_err *err);
/* That certificate itself; *ret NULL without one. */
WA_CHECK enum wa_code wa_tls_peer_cert(const struct wa_tls *t, struct wa_cert **ret,
                                       struct wa_err *err);

#endif
