/* http_server.h - an HTTP/1.1 and WebSocket server over TLS in one loop: connections, time-outs,
 * back-pressure, files.
 *
 * The application gets complete heads, streams or collects bodies, and answers once, at once or
 * later. Slow heads, slow bodies and idle connections are cut; a full house answers 503, a very
 * full one lets nobody in. Security headers are added to every answer.
 */
#ifndef WA_NET_HTTP_SERVER_H
#define WA_NET_HTTP_SERVER_H

#include "net/http.h"
#include "net/tls.h"
#include "net/ws.h"
#include "os/fs.h"
#include "os/loop.h"

struct wa_http_server;
struct wa_http_conn; /* one request's exchange, until answered; then must not be touched */

struct wa_http_server_events {
    /* Decide what to do with the request: set the body cap with wa_http_accept_body() or
     * _stream_body(), answer at once, or, when head->is_upgrade, wa_http_accept_ws(). Without any
     * of these the body must be empty. */
    void (*on_request)(void *user, struct wa_http_conn *c, const struct wa_http_head *head);
    /* The whole body (empty when none), after on_request, unless answered or streamed. */
    void (*on_body)(void *user, struct wa_http_conn *c, struct wa_sv body);
    /* The exchange is over without your answer: the client went away, or its body was refused (too
     * long, malformed, your sink failed). Forget c. May be NULL. */
    void (*on_gone)(void *user, struct wa_http_conn *c);
    /* A stream's pieces are all out. May be NULL. */
    void (*on_drained)(void *user, struct wa_http_conn *c);
};
struct wa_http_server_config {
    size_t max_connections;
    size_t max_handshakes;  /* at the same time; the others wait in order */
    size_t max_per_address; /* connections of one address that are no WebSocket; 0: no limit */
    /* Networks (net/address.h) of proxies that say in front of each connection whose it is
     * (net/proxy.h): from there nothing else is taken. NULL or "": none. Must outlive the server.
     */
    const char *proxies;
    /* ms; 0: what base/limits.h says. */
    uint32_t head_timeout_ms;  /* for a whole head, and before the first one */
    uint32_t idle_timeout_ms;  /* between requests */
    uint32_t stall_timeout_ms; /* without progress of a body or an answer; 1,000 bytes a second over
                                  all are needed too */
    uint32_t ws_ping_ms, ws_silence_ms;
    uint32_t sweep_ms; /* how often all these are looked at */
    /* "Name: value\r\n" lines of every answer; must outlive the server. NULL: those of an API,
     * nothing of which is a page. */
    const char *security_headers;
    /* Whether to let in who has just connected, before a byte is read; false: it is closed. user:
     * the events'. NULL: everybody. */
    bool (*lets_in)(void *user, int fd);
    /* Whether somebody who comes from this address need not wait behind all others for the TLS
     * handshake. NULL: nobody. */
    bool (*is_preferred)(void *user, const char *peer);
};

/* listen_fds: at most 16, bound, listening, non-blocking; taken over on success. tls must outlive
 * the server. NULL: plain HTTP, for loopback alone: nobody listens in on what stays within the
 * machine, and no authority certifies 127.0.0.1, so that a certificate would teach people to wave
 * warnings through. Who is at the other end is then lets_in's business. */
WA_CHECK enum wa_code wa_http_server_new(struct wa_loop *loop, const int *listen_fds, size_t count,
                                         struct wa_tls_ctx *tls,
                                         const struct wa_http_server_config *config,
                                         const struct wa_http_server_events *events, void *user,
                                         struct wa_http_server **ret, struct wa_err *err);
/* Lets nobody in any more, closes what is idle and the WebSockets (status 1001), finishes what
 * runs. Then stopped is called, once, from the loop; it may free the server. */
void wa_http_server_stop(struct wa_http_server *s, void (*stopped)(void *user), void *user);
#define WA_HTTP_CLASSES 12u
#define WA_HTTP_STATUSES 6u
struct wa_http_counts { /* since the server began */
    uint64_t accepted, turned_away, handshakes, resumed, handshakes_failed; /* resumed: of the
                                                                           handshakes */
    uint64_t received_bytes, sent_bytes; /* of requests and answers, without TLS and WebSockets */
    uint64_t answers[WA_HTTP_CLASSES][WA_HTTP_STATUSES]; /* by wa_http_set_class(), and the first
                                                            digit of the status */
};
const struct wa_http_counts *wa_http_server_counts(const struct wa_http_server *s);
/* Connections now, WebSockets included. */
size_t wa_http_server_count(const struct wa_http_server *s);
size_t wa_http_server_websockets(const struct wa_http_server *s);
/* At once; on_gone and on_close are called for what is open. Not from a callback of the server, but
 * stopped. */
void wa_http_server_free(struct wa_http_server *s);
WA_AUTO_DEFINE(wa_http_server, wa_http_server_free)

/* Among which answers this request's is counted, below WA_HTTP_CLASSES; 0 when nothing is said. */
void wa_http_set_class(struct wa_http_conn *c, unsigned class);
/* "Name: value\r\n" lines of whatever answers this request; they outlive it. */
void wa_http_set_headers(struct wa_http_conn *c, const char *lines);
void wa_http_set_user(struct wa_http_conn *c, void *data);
void *wa_http_user(const struct wa_http_conn *c);
const char *wa_http_peer(const struct wa_http_conn *c); /* address as text */
/* Whom its certificate names, as wa_tls_peer(). */
WA_CHECK enum wa_code wa_http_client(const struct wa_http_conn *c, struct wa_tls_peer *ret,
                                     struct wa_err *err);
/* That certificate; *ret NULL without one. */
WA_CHECK enum wa_code wa_http_client_cert(const struct wa_http_conn *c, struct wa_cert **ret,
                                          struct wa_err *err);
const struct wa_http_head *wa_http_conn_head(const struct wa_http_conn *c);
/* From on_request: the body waits, unread but for what came with the head, until one of the next
 * two or an answer. For what has to be asked first whether the body is wanted at all. */
void wa_http_hold_body(struct wa_http_conn *c);
/* Collect the body up to max bytes (413 beyond). */
void wa_http_accept_body(struct wa_http_conn *c, size_t max);
/* Hand the body on as it comes, up to max bytes; a failing sink answers with its error. on_body
 * then gets "" at the end. */
void wa_http_stream_body(struct wa_http_conn *c, uint64_t max, struct wa_sink *sink);

/* Exactly one of these ends the exchange. content_type NULL: none. extra: "Name: value\r\n" lines
 * or NULL. */
void wa_http_answer(struct wa_http_conn *c, int status, const char *content_type, struct wa_sv body,
                    const char *extra);
/* 200 without a body, for a proxy that has it: caches may keep it as said. */
void wa_http_answer_cached(struct wa_http_conn *c, const char *content_type, const char *cache,
                           const char *extra);
/* {"error":{"code":"...","message":"..."}} */
void wa_http_err_body(const struct wa_err *err, struct wa_buf *out);
/* The same as an answer, with the status of wa_code_http(). */
void wa_http_answer_err(struct wa_http_conn *c, const struct wa_err *err);
/* A regular file, with Content-Length, ETag (from digest when given, else inode-mtime-size),
 * Last-Modified, conditional requests, one range, HEAD. cache: of Cache-Control, NULL: "no-cache".
 * Takes over fd. */
void wa_http_answer_file(struct wa_http_conn *c, int fd, const char *content_type, const char *etag,
                         const char *cache);

/* An answer of status 200 in pieces, whose end nobody knows yet. The client says nothing more
 * meanwhile: what it sends ends the connection. Whenever it ends but by wa_http_stream_end(),
 * on_gone is called, perhaps within one of these. */
void wa_http_answer_stream(struct wa_http_conn *c, const char *content_type, const char *extra);
/* The next piece, of any size when nothing waits. WA_E_LIMIT when the client does not read
 * (WA_HTTP_STREAM_WAITING_MAX), WA_E_NOT_FOUND when the stream has ended. */
WA_CHECK enum wa_code wa_http_stream_send(struct wa_http_conn *c, struct wa_sv piece,
                                          struct wa_err *err);
/* is_whole false: the connection is cut, so that the client can tell. */
void wa_http_stream_end(struct wa_http_conn *c, bool is_whole);

/* --- WebSocket side --- */
struct wa_ws_conn;
struct wa_ws_events {
    void (*on_message)(void *user, struct wa_ws_conn *c,
                       struct wa_sv text); /* whole text messages; binary is refused */
    void (*on_close)(void *user, struct wa_ws_conn *c, int status,
                     const char *reason); /* once; c ends with it */
};
/* Answers 101; the exchange is over, *ret lives until on_close. max: bytes of one message, may be
 * raised later. Refuses handshakes that carry an Origin (WA_E_DENIED: those come from web pages) or
 * are malformed (WA_E_INVALID): then answer the error. */
WA_CHECK enum wa_code wa_http_accept_ws(struct wa_http_conn *c, size_t max,
                                        const struct wa_ws_events *events, void *user,
                                        struct wa_ws_conn **ret, struct wa_err *err);
void wa_ws_set_user(struct wa_ws_conn *c, void *user);
void wa_ws_set_max(struct wa_ws_conn *c, size_t max);
const char *wa_ws_peer(const struct wa_ws_conn *c);
/* Whom its certificate names, as wa_tls_peer(). */
WA_CHECK enum wa_code wa_ws_client(const struct wa_ws_conn *c, struct wa_tls_peer *ret,
                                   struct wa_err *err);
WA_CHECK enum wa_code wa_ws_channel_binding(struct wa_ws_conn *c, uint8_t out[32],
                                            struct wa_err *err);
/* Queues one text message and writes what can be written; calls nobody back. WA_E_LIMIT when the
 * peer does not read (4 MiB waiting), WA_E_NOT_FOUND when it is closed or closing. */
WA_CHECK enum wa_code wa_ws_send(struct wa_ws_conn *c, struct wa_sv text, struct wa_err *err);
/* No message comes any more; on_close follows from the loop, when the peer has answered or five
 * seconds are over. */
void wa_ws_close(struct wa_ws_conn *c, int status, const char *reason);

#endif
