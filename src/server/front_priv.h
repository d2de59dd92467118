/* front_priv.h - between the files of a front: what a request asks for, exchanges under way, the
 * push channel. */
#ifndef WA_SERVER_FRONT_PRIV_H
#define WA_SERVER_FRONT_PRIV_H

#include "base/map.h"
#include "net/http_server.h"
#include "server/guests.h"
#include "server/metrics.h"
#include "server/role_common.h"

/* --- front_route.c --- */
enum wa_front_kind {
    WA_FRONT_PING,     /* and /healthz */
    WA_FRONT_FILE,     /* of the repository */
    WA_FRONT_HOST,     /* a machine's own package */
    WA_FRONT_ASK_HOST, /* a proxy asks whether its client may have one */
    WA_FRONT_PUSH,     /* the agents' WebSocket */
    WA_FRONT_OPEN,     /* what proves itself by its body: agents' statements, logins; and what the
                          store answers to anybody, or judges itself */
    WA_FRONT_API,      /* only with a session */
    WA_FRONT_UPLOAD,   /* the same, and the body goes into a file */
    WA_FRONT_PAGE,     /* somebody's browser */
};
struct wa_front_route {
    enum wa_front_kind kind;
    uint64_t body_max;   /* bytes */
    struct wa_sv file;   /* FILE: path below the repository */
    struct wa_sv bearer; /* the session's token, "" when none was given */
};
/* What a request asks for. WA_E_NOT_FOUND, WA_E_USAGE (an upload without a length), WA_E_AUTH (no
 * token at all), WA_E_DENIED; *ret_allow is set when it is the method that is wrong: then the
 * answer is 405. */
WA_CHECK enum wa_code wa_front_route(const struct wa_http_head *h, struct wa_front_route *ret,
                                     const char **ret_allow, struct wa_err *err);

/* --- front_exchange.c --- */
struct wa_front;
/* A request that waits for the store, or a WebSocket. */
struct wa_exchange {
    struct wa_exchange *prev, *next;
    struct wa_front *front;
    uint32_t id;
    uint32_t seen_round; /* of the front, when its machine last said that nothing has changed */
    struct wa_http_conn *http; /* NULL when the client left */
    struct wa_ws_conn *ws;     /* a WebSocket's greeting, or the WebSocket itself */
    bool has_greeted;
    bool is_same_asked;      /* whether its machine is as known */
    bool is_known;           /* it is, by this sum: the store has said so, and nothing else since */
    uint32_t same_count;     /* of its questions so, */
    uint64_t same_since_ms;  /* since then */
    uint32_t unacknowledged; /* orders that went out and wait for their acknowledgement */
    uint32_t may_begin;      /* orders acknowledged, and not told to have begun */
    uint32_t may_tell;       /* pictures of its machine's queue that were asked for */
    union {
        char nonce[65]; /* until it greets */
        char known[65]; /* then: the sum of its machine's state that it said last */
    };
    char peer[48];
    struct wa_tls_peer client; /* whom its certificate names; all "" without one */
    uint64_t since_ms;
    enum wa_front_kind kind;
    uint64_t body_max;
    struct wa_buf body; /* collected */
    struct wa_front_collect {
        struct wa_sink base;
        struct wa_exchange *exchange;
    } collect;
    struct wa_fd_sink file; /* an upload */
    int fd;
    char part[96];
    bool is_stream, is_open; /* answered in pieces; the store says more when there is more */
    char *more;              /* query of the next page, owned; NULL: none */
    bool is_resumable;       /* what came of it stays when it breaks off */
    bool is_asking;          /* whether the caller may at all; the body waits */
};

struct wa_front {
    struct wa_server_child child;
    struct wa_loop *loop;
    struct wa_chan *store;
    struct wa_http_server *server;
    struct wa_timer *clock;
    struct wa_dir repo;
    char repo_path[WA_PATH_MAX];
    struct wa_exchange *exchanges; /* but those of greeted */
    struct wa_exchange *greeted;   /* WebSockets that have said who they are: most of all */
    struct wa_map by_id;           /* all, by their id */
    uint64_t body_bytes;           /* of all bodies being collected */
    uint32_t next_id;
    struct wa_tls_ctx *tls;
    char proxy_secret[65]; /* "": no proxy is believed */
    struct wa_map revoked; /* serial numbers of machines' certificates */
    bool knows_revoked;    /* the store has told them */
    size_t stream_count;
    uint32_t seen_round; /* since the store was told last */
    size_t seen_count;
    uint32_t seen[WA_FRONT_SEEN_MAX];           /* connections: it is to be told of these */
    int64_t certificate_until, authority_until; /* s since 1970; 0: there is none */
    struct wa_guests guests;                    /* of all fronts; by the loop's clock */
};
/* NULL: memory ran out. */
struct wa_exchange *wa_front_exchange(struct wa_front *f, struct wa_http_conn *c);
void wa_front_exchange_free(struct wa_exchange *x);
/* It has said who it is. */
void wa_front_exchange_greeted(struct wa_exchange *x);
/* The error to the client; what is wrong with the server itself goes to the log only. */
void wa_front_answer_err(struct wa_front *f, struct wa_http_conn *c, const struct wa_err *err);
/* Ends the exchange with the error. */
void wa_front_fail(struct wa_exchange *x, const struct wa_err *err);
/* What was collected of its body. */
void wa_front_drop_body(struct wa_exchange *x);
/* NULL: it has ended. */
struct wa_exchange *wa_front_find(const struct wa_front *f, uint32_t id);

/* --- front_body.c --- */
/* Passes the exchange's request on to the store, with that query. */
WA_CHECK enum wa_code wa_front_ask(struct wa_exchange *x, struct wa_sv query, bool is_question,
                                   struct wa_sv body, struct wa_err *err);
/* Whether the caller may at all; until then its body waits. */
void wa_front_ask_right(struct wa_exchange *x);
/* Lets the body come. said: the store's word on where to, JSON. */
void wa_front_take_body(struct wa_exchange *x, struct wa_sv said);
/* on_body of the HTTP server. */
void wa_front_on_body(void *user, struct wa_http_conn *c, struct wa_sv body);

/* --- front_clients.c --- */
/* Has tls ask clients for certificates of the server's authority. Reads files. */
WA_CHECK enum wa_code wa_front_ask_clients(struct wa_front *f, struct wa_tls_ctx *tls,
                                           struct wa_err *err);
/* The machine that the connection's certificate names; "" when it showed none. WA_E_DENIED: it was
 * revoked; WA_E_BUSY: not known yet whether it was. */
WA_CHECK enum wa_code wa_front_machine(struct wa_front *f, const struct wa_http_conn *c,
                                       struct wa_tls_peer *ret, struct wa_err *err);
/* The certificate by which a person is known (client.person), as PEM. */
WA_CHECK enum wa_code wa_front_person_pem(const struct wa_front *f, const struct wa_http_conn *c,
                                          struct wa_buf *out, struct wa_err *err);
/* All revoked ones, a line each. WebSockets under one of them are closed. */
void wa_front_take_revoked(struct wa_front *f, struct wa_sv lines);

/* --- front_proxy.c --- */
/* The secret, if there are proxies to believe. Reads a file. */
WA_CHECK enum wa_code wa_front_read_proxy(struct wa_front *f, struct wa_err *err);
/* Whether the request comes from a proxy that is believed. */
bool wa_front_is_proxied(const struct wa_front *f, const struct wa_http_conn *c);
/* The client's address: the connection's, or what such a proxy says, then in out. */
const char *wa_front_peer(const struct wa_front *f, const struct wa_http_conn *c, char out[48]);
/* The certificate that such a proxy says its client has proved; nothing without. */
WA_CHECK enum wa_code wa_front_proxied_pem(const struct wa_front *f, const struct wa_http_conn *c,
                                           struct wa_buf *out, struct wa_err *err);
/* The machine that such a proxy's client has shown to be; *ret is left alone when none. */
WA_CHECK enum wa_code wa_front_proxied_client(const struct wa_front *f,
                                              const struct wa_http_conn *c, struct wa_tls_peer *ret,
                                              struct wa_err *err);

/* --- front_files.c --- */
/* Answers with a file of the repository, whoever asks. */
void wa_front_file(struct wa_front *f, struct wa_http_conn *c, struct wa_sv path);
/* The same for a machine's own package, which goes to that machine alone. */
void wa_front_host_package(struct wa_front *f, struct wa_http_conn *c,
                           const struct wa_tls_peer *client, struct wa_sv path);
/* For nginx's auth_request: 204 or 403. */
void wa_front_may_have(struct wa_front *f, struct wa_http_conn *c,
                       const struct wa_tls_peer *client);

/* --- front_page.c --- */
/* Whether it is what a browser asks for that was pointed at the server. */
bool wa_front_wants_page(const struct wa_http_head *h);
void wa_front_page(struct wa_http_conn *c);

/* --- front_stream.c --- */
struct wa_front_answer { /* the head of what the store answers; borrowed */
    int64_t status;
    struct wa_sv type, next; /* what the body is, "" for JSON; query of the next page */
    bool is_open;            /* more pieces come when there are some */
};
/* The type as a client understands it; *ret_extra: header lines, or NULL. */
const char *wa_front_content_type(struct wa_sv type, const char **ret_extra);
/* A piece of an answer that is one of several. x may end by it. */
void wa_front_piece(struct wa_exchange *x, const struct wa_front_answer *a, struct wa_sv piece);
/* on_drained of the HTTP server. */
void wa_front_drained(void *user, struct wa_http_conn *c);
/* The client has left: ends the exchange. */
void wa_front_stream_gone(struct wa_exchange *x);
/* Signs of life on streams where nothing happens. */
void wa_front_stream_sweep(struct wa_front *f);

/* --- front_push.c --- */
/* The order to the agent. */
void wa_front_order(struct wa_exchange *x, struct wa_sv text);
/* What the store answers to a machine that says it is as known. */
void wa_front_known(struct wa_exchange *x, struct wa_sv answer);
/* Somebody looks at its machine's queue. */
void wa_front_watch(struct wa_exchange *x);
/* Which machines were answered without asking it, to the store. */
void wa_front_tell_seen(struct wa_front *f);
/* client: whom its certificate names. */
void wa_front_push(struct wa_front *f, struct wa_http_conn *c, const struct wa_tls_peer *client);
/* The store's verdict on a greeting. */
void wa_front_greeted(struct wa_exchange *x, int status);
/* Ends WebSockets that have not greeted in time. */
void wa_front_push_sweep(struct wa_front *f);

/* --- front_room.c --- */
/* Connections at most; the limit of open files is raised for it. Before power is given up. */
size_t wa_front_room(const struct wa_server_config *c);

#endif
