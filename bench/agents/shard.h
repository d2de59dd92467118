/* shard.h - the simulated machines of one process: main.c reads what to do and says how it went,
 * speech.c makes and reads their messages (src/proto), work.c does it with all of them. */
#ifndef WA_BENCH_AGENTS_SHARD_H
#define WA_BENCH_AGENTS_SHARD_H

#include "crypto/key.h"
#include "link.h"

#define LINKS_MAX 256u

struct shard;
struct machine {
    struct shard *shard;
    char uuid[16];
    struct wa_key *key, *tls_key; /* tls_key: what the server's certificate for it is about */
    struct link_place place;      /* of its WebSocket, with that certificate */
    int64_t seq;
    struct link *push;
    bool is_welcome, is_starting;
    char nonce[65]; /* ours, of this connection */
    unsigned failures;
    uint64_t not_before_ms; /* of its next attempt to connect */
    char last_order[33];
    char sum[65];    /* of what the server says it has; "" before the first report */
    char former[65]; /* of what it had before that */
    bool is_asking_same;
};

/* A connection that carries the statements of one machine after another. */
struct carrier {
    struct shard *shard;
    struct link *link;
    struct machine *machine; /* whose statement is under way */
    bool is_ready;
};

enum job { JOB_NONE, JOB_REGISTER, JOB_STATUS, JOB_CONNECT, JOB_ORDERS, JOB_SAME, JOB_FORMER };

struct shard {
    struct link_place place;
    struct wa_timer *clock;
    struct wa_io *commands;
    char line[256];
    size_t line_n;
    char token[256];
    struct wa_tls_trust trust;
    bool has_certificates; /* its machines take those that the server gives, and show them */
    struct machine *machines;
    size_t count, first;
    struct carrier carriers[LINKS_MAX];
    size_t carrier_count;
    /* the job */
    enum job job;
    size_t wanted, started, done, failed, at_once;
    size_t next; /* machine that says that nothing has changed */
    uint64_t since_ms;
    size_t starting;             /* connections on their way to the welcome */
    size_t welcome;              /* machines that are connected */
    size_t orders, twice, wrong; /* that came, all told; and states that the server did not know */
    size_t watched;              /* questions for a machine's queue */
    size_t lost;                 /* connections that ended by themselves */
    uint64_t slowest_ms;         /* from a machine's first attempt to its welcome */
    char why[256];               /* the last failure */
};

/* --- speech.c --- */
enum wa_code speech_register(struct machine *m, struct wa_buf *body, struct wa_err *err);
/* The server's answer: the certificate is shown from now on. */
enum wa_code speech_register_answer(struct machine *m, struct wa_sv body, struct wa_err *err);
enum wa_code speech_status(struct machine *m, struct wa_buf *body, struct wa_err *err);
/* The server's answer to a report. */
enum wa_code speech_status_answer(struct machine *m, struct wa_sv body, struct wa_err *err);
/* What to answer on the WebSocket, if anything; *ret_order: it was an order. */
enum wa_code speech_hear(struct machine *m, struct wa_sv text, struct wa_buf *answer,
                         bool *ret_order, struct wa_err *err);

/* --- work.c --- */
enum wa_code work_begin(struct shard *s, enum job job, size_t wanted, size_t at_once,
                        struct wa_err *err);
/* Ends all WebSockets at once; each machine then waits as an agent does before it connects again.
 */
void work_drop(struct shard *s);
/* The first machine tells its queue so often, bytes of it for nothing. */
void work_queue(struct shard *s, size_t times, size_t bytes);
void work_clock(void *user);

/* --- main.c --- */
void shard_done(struct shard *s);

#endif
