/* ws_client_priv.h - between ws_client.c (life, talking) and ws_connect.c (the way there). */
#ifndef WA_NET_WS_CLIENT_PRIV_H
#define WA_NET_WS_CLIENT_PRIV_H

#include "net/http.h"
#include "net/ws.h"
#include "net/ws_client.h"
#include "os/socket.h"

enum wa_ws_step {
    WA_WS_LOOKUP,
    WA_WS_CONNECT,
    WA_WS_PROXY, /* waiting for its answer to CONNECT */
    WA_WS_HANDSHAKE,
    WA_WS_UPGRADE, /* waiting for the answer 101 */
    WA_WS_OPEN,
    WA_WS_ENDED
};

struct wa_ws_client {
    struct wa_loop *loop;
    struct wa_url url, via; /* via: the proxy, when there is one */
    bool has_proxy;
    struct wa_tls_ctx *ctx;
    struct wa_ws_client_events ev;
    void *user;
    enum wa_ws_step step;
    struct wa_addresses *found;
    size_t next; /* the address to be tried next */
    int fd;
    struct wa_io *io;
    struct wa_timer *timer;
    uint64_t deadline_ms;         /* for the whole way */
    uint64_t address_deadline_ms; /* for one address of several */
    uint64_t heard_ms, pinged_ms;
    struct wa_tls *tls;
    struct wa_http_parser *parser;
    struct wa_ws *ws;
    struct wa_buf out; /* bytes to be written; the proxy's answer while that comes */
    size_t out_at;
    char accept[29];
    int last_errno; /* of the addresses tried */
    int close_status;
    struct wa_err late; /* ended from within the owner's call: told in the loop's next turn */
    bool lookup_runs, is_freed, is_upgraded, read_waits_write;
    unsigned busy;
};

/* --- ws_connect.c --- */
/* Starts the way: name, address, proxy, TLS, upgrade. */
WA_CHECK enum wa_code wa_ws_connect_start(struct wa_ws_client *c, struct wa_err *err);
/* The descriptor is ready in one of the steps before OPEN. */
void wa_ws_connect_step(struct wa_ws_client *c);
/* The present address took too long, and there are others. */
void wa_ws_connect_next(struct wa_ws_client *c);
/* Bytes from the server while waiting for its answer; *ret_used of them belong to it. */
WA_CHECK enum wa_code wa_ws_connect_answer(struct wa_ws_client *c, const void *p, size_t n,
                                           size_t *ret_used, struct wa_err *err);

/* --- ws_client.c --- */
/* Around everything that may call the owner. */
void wa_ws_client_enter(struct wa_ws_client *c);
void wa_ws_client_leave(struct wa_ws_client *c);
void wa_ws_client_end(struct wa_ws_client *c, struct wa_err *err, const char *doing);
/* Writes what there is, and watches for the rest and for the answer. */
WA_CHECK enum wa_code wa_ws_client_flush(struct wa_ws_client *c, struct wa_err *err);
void wa_ws_client_event(void *user, int events);

#endif
