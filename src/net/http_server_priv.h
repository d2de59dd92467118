/* http_server_priv.h - between http_server.c (listening, time), http_conn.c (connections),
 * http_answer.c (answers) and ws_server.c (WebSockets).
 *
 * Who may free: a connection that has ended is freed when none of its own callbacks run (its busy)
 * and nobody walks the server's lists (the server's busy).
 */
#ifndef WA_NET_HTTP_SERVER_PRIV_H
#define WA_NET_HTTP_SERVER_PRIV_H

#include "net/http_server.h"

#define WA_READ_PIECE 16384u /* bytes: one TLS record */
#define WA_ROUNDS_MAX 16u    /* pieces read or written before others get their turn */

#define WA_HTTP_ADDRESSES 4096u
#define WA_WS_TICKS 1024u

enum wa_conn_state {
    WA_CONN_PROXY, /* it comes from a proxy, which has not said yet whose it is */
    WA_CONN_HANDSHAKE,
    WA_CONN_HTTP,
    WA_CONN_LINGER /* all is said: what still comes is thrown away until the peer has closed */
};

/* Bytes to be written, in order; freed once all are out. */
struct wa_outbox {
    struct wa_buf bytes;
    size_t at; /* written already */
};

struct wa_http_conn {
    struct wa_http_conn *prev, *next;
    struct wa_http_server *server;
    int fd;
    struct wa_io *io;
    struct wa_tls *tls;
    struct wa_http_parser *parser;
    enum wa_conn_state state;
    char peer[48];
    unsigned address;      /* its place in the server's by_address */
    uint64_t deadline_ms;  /* by then something must have happened; 0: no limit */
    struct wa_buf pending; /* read, but belongs to the next request */
    struct wa_outbox out;
    /* the exchange */
    const struct wa_http_head *head; /* NULL between exchanges */
    struct wa_buf body;
    size_t body_max;
    struct wa_sink *body_sink;
    uint64_t body_stream_max;
    uint64_t moved_bytes, moving_since_ms; /* of the body, then of the answer: its rate */
    void *user;
    unsigned class;      /* for the counts */
    const char *headers; /* more lines of the answer; NULL: none */
    int file_fd;         /* being sent; -1 */
    uint64_t file_at, file_left;
    struct wa_ws_conn *upgraded; /* to be handed over to */
    unsigned busy;
    struct wa_http_conn *wait_prev, *wait_next; /* of those that wait to begin their handshake */
    bool is_waiting, is_preferred;
    bool dead;
    bool is_extra; /* beyond max_connections: told so, and closed */
    bool head_begun, is_told, takes_body, message_done, answered, keep_alive;
    bool is_stream, is_last; /* the answer comes in pieces; its last one is queued */
    bool is_held;            /* the body waits for the application; what came already is in held */
    struct wa_buf held;
    bool read_waits_write, write_waits_read; /* TLS wants the other direction */
    bool yields;                             /* has more to do, after the others */
    bool is_drained;     /* what had come is read: the descriptor tells when there is more */
    bool wakes_for_less; /* it is watched for what is not wanted now, since it seldom comes */
};

struct wa_listener {
    int fd;
    struct wa_io *io;
    struct wa_http_server *server;
};

struct wa_http_server {
    struct wa_loop *loop;
    struct wa_tls_ctx *tls;
    struct wa_http_server_config config;
    struct wa_http_server_events ev;
    void *user;
    struct wa_listener listeners[16];
    size_t listener_count;
    struct wa_http_conn *first;
    struct wa_ws_conn *due[WA_WS_TICKS]; /* by the tick at which they are looked at */
    uint64_t tick, tick_ms;              /* the next one; its length */
    struct wa_ws_conn *dead_ws;          /* to be freed */
    size_t ws_count;
    size_t count, handshakes; /* handshakes: that have begun */
    struct wa_http_conn *first_waiting, *last_waiting;
    size_t waiting;
    uint32_t by_address[WA_HTTP_ADDRESSES]; /* connections: at least those of an address */
    uint64_t turn_ms; /* of the loop's turn in which so many steps of handshakes were made */
    unsigned turn_steps;
    struct wa_http_counts counts;
    struct wa_timer *sweep;
    unsigned slice, slices; /* ticks since all requests were looked at, and of such a round */
    unsigned busy;          /* lists being walked */
    bool has_dead, is_accepting, is_out_of_files, is_stopping;
    void (*stopped)(void *user);
    void *stopped_user;
};

struct wa_ws_conn {
    struct wa_ws_conn *next, **at; /* of its list; at: what points to it, NULL: it is in none */
    struct wa_http_server *server;
    int fd;
    struct wa_io *io;
    struct wa_tls *tls;
    struct wa_ws *ws;
    struct wa_outbox out;
    struct wa_ws_events ev;
    void *user;
    char peer[48];
    uint64_t heard_ms, pinged_ms, deadline_ms; /* deadline_ms: of a closing one */
    int close_status;
    unsigned busy;
    bool dead, is_counted, closing, broken;
    bool is_deaf; /* the peer broke the protocol: nothing is read any more */
    bool is_shut; /* ... and our last words are out */
    bool read_waits_write;
    bool yields; /* has more to read, after the others */
};

/* Where by_address counts the address. */
unsigned wa_http_address(const char *peer);
/* --- http_proxied.c --- */
/* Takes what the proxy says of the connection. False: it is not whole yet, or err says why it is to
 * be ended. */
bool wa_http_proxy_take(struct wa_http_conn *c, struct wa_err *err);

/* --- http_handshake.c --- */
/* Of a new connection: at once, or when it is its turn. On failure it is to be freed. */
WA_CHECK enum wa_code wa_http_handshake_begin(struct wa_http_conn *c, struct wa_err *err);
/* The connection is freed before it has made its handshake. */
void wa_http_handshake_leave(struct wa_http_conn *c);
/* Lets those begin whose turn it is. */
void wa_http_handshake_next(struct wa_http_server *s);
/* False: not in this turn of the loop; its descriptor stays ready. */
bool wa_http_handshake_may_step(const struct wa_http_conn *c);

/* --- bytes, through TLS or plainly --- */
/* *ret_n 0 with DONE: the end. */
WA_CHECK enum wa_code wa_conn_read(int fd, struct wa_tls *tls, void *p, size_t n, size_t *ret_n,
                                   enum wa_tls_want *ret_want, struct wa_err *err);
/* Whether that read took all there was, n bytes of a piece: if not, the descriptor says so. */
bool wa_conn_is_drained(const struct wa_tls *tls, size_t n);
/* Writes what the socket takes; *ret_want tells why not all of it. */
WA_CHECK enum wa_code wa_outbox_write(struct wa_outbox *out, int fd, struct wa_tls *tls,
                                      size_t *ret_n, enum wa_tls_want *ret_want,
                                      struct wa_err *err);
/* Says goodbye, so that the peer can read all before it; *tls is freed. */
void wa_conn_shut(int fd, struct wa_tls **tls);
/* Throws away what has come. False when the peer has closed. */
bool wa_conn_discard(int fd);

/* --- http_conn.c --- */
WA_CHECK enum wa_code wa_http_conn_new(struct wa_http_server *s, int fd, const char *peer,
                                       bool is_proxy, struct wa_err *err); /* takes over fd */
/* Ends the connection, now or when its callbacks have returned; the application forgets it. */
void wa_http_conn_end(struct wa_http_conn *c);
void wa_http_conn_free(struct wa_http_conn *c);
/* After an answer was queued outside the connection's own callbacks. */
void wa_http_conn_continue(struct wa_http_conn *c);
/* The answer must make progress from now on. */
void wa_http_conn_answering(struct wa_http_conn *c);
/* The application has decided on a body that was held. */
void wa_http_conn_release(struct wa_http_conn *c);
/* Between requests. */
bool wa_http_conn_is_idle(const struct wa_http_conn *c);

/* --- ws_server.c --- */
/* Takes descriptor, TLS and left-over bytes over; c is emptied. */
void wa_ws_conn_start(struct wa_ws_conn *ws, struct wa_http_conn *c);
/* on_close, with the status by which it is closing, if it is. */
void wa_ws_conn_end(struct wa_ws_conn *ws, int status, const char *reason);
void wa_ws_conn_free(struct wa_ws_conn *ws);
/* Of one that has not ended: pings it, ends it or neither; and puts it where it is due next. */
void wa_ws_conn_check_time(struct wa_ws_conn *ws, uint64_t now);

/* --- ws_due.c --- */
/* Looked at next when its time has come, by what is known of it now. */
void wa_ws_due_put(struct wa_ws_conn *ws);
/* Into a list, out of the one in which it is. */
void wa_ws_due_enter(struct wa_ws_conn *ws, struct wa_ws_conn **list);
void wa_ws_due_leave(struct wa_ws_conn *ws);
void wa_ws_due_sweep(struct wa_http_server *s, uint64_t now_ms);

/* --- http_server.c --- */
/* Around a walk through the lists: what ends meanwhile is freed after it. */
void wa_http_server_enter(struct wa_http_server *s);
void wa_http_server_leave(struct wa_http_server *s);
/* A connection or a handshake has ended: others may come in. */
void wa_http_server_has_room(struct wa_http_server *s);
/* Whether the address has as many connections as one may have. */
bool wa_http_server_has_too_many(const struct wa_http_server *s, const char *peer);

#endif
