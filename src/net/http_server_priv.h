/* http_server_priv.h - between http_server.c (connections), http_answer.c (answers) and ws_server.c
 * (WebSockets). */
#ifndef WA_NET_HTTP_SERVER_PRIV_H
#define WA_NET_HTTP_SERVER_PRIV_H

#include "net/http_server.h"

enum wa_conn_state { WA_CONN_HANDSHAKE, WA_CONN_HTTP, WA_CONN_CLOSING };

struct wa_http_conn {
    struct wa_http_conn *prev, *next;
    struct wa_http_server *server;
    int fd;
    struct wa_io *io;
    struct wa_tls *tls;
    enum wa_conn_state state;
    char peer[64];
    uint64_t deadline_ms; /* by then something must have happened; 0: no limit */
    struct wa_http_parser *parser;
    struct wa_buf pending; /* read, not parsed yet */
    struct wa_buf out;
    /* the exchange */
    const struct wa_http_head *head; /* NULL between exchanges */
    struct wa_buf body;
    size_t body_max;
    bool takes_body, message_done, delivered, answered, keep_alive;
    struct wa_sink *body_sink;
    uint64_t body_stream_max, body_bytes;
    void *user;
    int file_fd; /* being sent; -1 */
    uint64_t file_at, file_left;
    /* handing over to a WebSocket */
    struct wa_ws_conn *upgraded;
    unsigned busy; /* callbacks running: free later */
    bool dead;
    bool read_waits_write, write_waits_read; /* TLS wants the other direction */
};

struct wa_http_server {
    struct wa_loop *loop;
    struct wa_tls_ctx *tls;
    struct wa_http_server_config config;
    struct wa_http_server_events ev;
    void *user;
    struct {
        int fd;
        struct wa_io *io;
        struct wa_http_server *server;
    } listeners[16];
    size_t listener_count;
    struct wa_http_conn *first;
    struct wa_ws_conn *first_ws;
    size_t count, handshakes;
    struct wa_timer *sweep;
    bool accepting;
};

struct wa_ws_conn {
    struct wa_ws_conn *prev, *next;
    struct wa_http_server *server;
    int fd;
    struct wa_io *io;
    struct wa_tls *tls;
    struct wa_ws *ws;
    struct wa_buf out;
    struct wa_ws_events ev;
    void *user;
    char peer[64];
    uint64_t heard_ms, pinged_ms;
    unsigned busy;
    bool dead, closing;
    int close_status;
};

/* Reads and writes through TLS, or plainly in tests. *ret_n 0 with DONE: the end. */
WA_CHECK enum wa_code wa_conn_read(int fd, struct wa_tls *tls, void *p, size_t n, size_t *ret_n,
                                   enum wa_tls_want *ret_want, struct wa_err *err);
WA_CHECK enum wa_code wa_conn_write(int fd, struct wa_tls *tls, const void *p, size_t n,
                                    size_t *ret_n, enum wa_tls_want *ret_want, struct wa_err *err);
/* After an answer was queued outside the connection's own callbacks. */
void wa_conn_continue(struct wa_http_conn *c);
/* Takes descriptor, TLS and left-over bytes over; c is emptied. */
void wa_ws_conn_start(struct wa_ws_conn *ws, struct wa_http_conn *c);
void wa_ws_conn_free(struct wa_ws_conn *ws);
void wa_ws_conn_sweep(struct wa_http_server *s, uint64_t now);

#endif
