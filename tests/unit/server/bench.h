/* bench.h - a store without processes: its front, signer, auth and scan are played by the test, in
 * one thread. */
#ifndef WA_TEST_SERVER_BENCH_H
#define WA_TEST_SERVER_BENCH_H

#include "crypto/cert.h"
#include "proto/action.h"
#include "proto/report.h"
#include "server/store_priv.h"
#include "torture.h"

#define BENCH_PASSWORD "the right password" /* of the user "admin" */

struct bench {
    char dir[WA_PATH_MAX]; /* of the server, and removed with it */
    const char *url;       /* of its PostgreSQL; "": SQLite */
    struct wa_store *store;
    struct wa_chan *front, *helpers[WA_SR_COUNT]; /* the other ends */
    struct wa_key *relay;                         /* the authority's too */
    struct wa_cert *authority;
    struct wa_buf revoked; /* what the front was told last */
    char shown[65];        /* whom the TLS certificate names that comes with requests; "": nobody */
    const char *person, *pem; /* SHA-256 and text of the one that is a person's; NULL: none */
    uint32_t id;              /* of the last request */
    /* what the front was told besides answers */
    size_t orders, closed, guests;
    struct wa_buf order; /* the last one */
    uint32_t order_to, closed_last, known_to;
    bool is_known, may_remember; /* what known_to was told of its unchanged state */
    size_t watched;              /* machines that are to tell their queue */
    uint32_t watched_last;
    size_t changed;                          /* states that the front may answer for no more */
    const char *scan_answer, *signer_answer; /* NULL: an honest one */
    char scan_asked[512];
    const char *directory_answer; /* NULL: nobody is known */
    char directory_asked[512];
    const char *kerberos_answer; /* what it says of any ticket */
    char kerberos_asked[1024];
    const char *oidc_answer; /* what it says of anything */
    char oidc_asked[1024];
    const char *wake_answer;  /* NULL: an honest one */
    const char *facts;        /* of machines that register; NULL: {"computer_name":"pc"} */
    const char *hook_answer;  /* NULL: taken */
    struct wa_buf hook_asked; /* the last request of a webhook */
    int hooked;               /* how many */
    struct wa_buf stream;     /* what came of a stream of events */
    uint32_t stream_id;
    bool stream_open;
    char next[1024];      /* of the last answer: the query of the next page */
    bool is_silent;       /* the others answer nothing */
    uint32_t order_of[2]; /* of answers: the two last ones, the newer one behind */
    bool is_tortured;     /* memory may run out in the store, and only there: all else is paused */
};
void bench_new(struct bench *b);
/* A second server over the other's database; to be freed before it. */
void bench_new_beside(struct bench *b, struct bench *other, const char *node);
void bench_free(struct bench *b);
/* A message of the front, unanswered yet. */
void bench_send(struct bench *b, uint16_t type, uint32_t id, struct wa_sv payload);
/* The next process of a role, after wa_store_bereave(). */
void bench_revive(struct bench *b, enum wa_server_role role);
/* Lets the others answer; true when the front has got its answer to id, whose body is appended to
 * out. */
bool bench_serve(struct bench *b, uint32_t id, int *ret_status, struct wa_buf *out);
/* Passes a request on and does not wait; its id. */
uint32_t bench_pass(struct bench *b, const char *peer, const char *method, const char *path,
                    const char *query, const char *bearer, struct wa_sv body);
/* A request as a front passes it on; the status of its answer, its body in out (emptied first; may
 * be NULL). */
int bench_ask(struct bench *b, const char *method, const char *path, const char *query,
              const char *bearer, struct wa_sv body, struct wa_buf *out);
/* The same from another address. */
int bench_ask_from(struct bench *b, const char *peer, const char *method, const char *path,
                   const char *query, const char *bearer, struct wa_sv body, struct wa_buf *out);
/* A package comes, and scan says what scan_answer is: the status of the last answer, its body in
 * out (may be NULL). host NULL: it is for all machines. */
int bench_publish(struct bench *b, const char *bearer, const char *host, struct wa_buf *out);
int bench_login(struct bench *b, const char *peer, const char *user, const char *password,
                char token[65]);
/* First column of the first row, "" when there is none. sql: a literal. */
void bench_query(struct bench *b, const char *sql, char *out, size_t size);
/* Whether the database refuses to change an action's state. */
void bench_forbid(struct bench *b, bool is_forbidden);
/* Whether lists show the machine as connected. */
bool bench_is_here(const struct bench *b, const char *uuid);
void bench_exec(struct bench *b, const char *sql);
#define BENCH_IS(b, sql, expected)                                                                 \
    do {                                                                                           \
        char got_[256];                                                                            \
        bench_query((b), (sql), got_, sizeof got_);                                                \
        assert_string_equal(got_, (expected));                                                     \
    } while (0)

struct machine {
    char uuid[65];
    struct wa_key *key;
    struct wa_buf cert;   /* PEM */
    struct wa_buf csr;    /* PEM: what it asks a TLS certificate for; empty: for none */
    struct wa_buf answer; /* to its last statement */
    int64_t seq;
};
void machine_new(struct machine *m, const char *uuid);
void machine_free(struct machine *m);
/* The same machine, with an answer of its own, which is to be finished: for one run of several. */
struct machine machine_again(const struct machine *m);
/* The envelope of any text, by the machine's key; out is initialised here. */
void machine_seal(const struct machine *m, struct wa_sv text, struct wa_buf *out);
/* cred: what proves it; token or "user password". The status. */
int machine_register(struct bench *b, struct machine *m, enum wa_cred_kind cred,
                     const char *secret);
/* Makes a token in the database. */
void bench_token(struct bench *b, const char *token, int64_t expires, int64_t uses);
/* {"host_status":status} of the next sequence number. */
int machine_status(struct bench *b, struct machine *m, const char *status);
int machine_result(struct bench *b, struct machine *m, const char *id, const char *state,
                   const char *code, const char *message);
/* Greets on connection conn; the status of the answer. */
int machine_greet(struct bench *b, struct machine *m, uint32_t conn);

/* Somebody whose orders are passed on; certificate in trusted/. */
struct person {
    struct wa_key *key;
    struct wa_certs chain;
};
void person_new(struct bench *b, struct person *p, bool trusted);
void person_free(struct person *p);
/* The body of POST /api/v1/actions: an update of each machine; ids[i] gets the identifier. out is
 * initialised here. */
void person_order(const struct person *p, const char *const *uuids, size_t count, char (*ids)[33],
                  struct wa_buf *out);
/* The same of another kind. */
void person_orders(const struct person *p, enum wa_action_kind kind, const char *const *uuids,
                   size_t count, char (*ids)[33], struct wa_buf *out);
/* The same of this package, or of what a cancel names; NULL: of none. */
void person_signs(const struct person *p, enum wa_action_kind kind, const char *const *uuids,
                  size_t count, const char *const *item, char (*ids)[33], struct wa_buf *out);

/* A bench with two machines that are registered by a token: "machine" and "other". */
struct pair {
    struct bench b;
    struct machine m, other;
};
int pair_setup(void **state);
int pair_teardown(void **state);

/* A bench with three machines, "a", "b" and "c"; tokens of somebody who sees all of them, and of
 * somebody who sees "b". */
struct trio {
    struct bench b;
    struct machine m[3];
    char admin[65], limited[65];
};
/* sections: members of what each one says first, as JSON text. */
int trio_setup(void **state, const char *const sections[3]);
int trio_teardown(void **state);
/* What one of them says next. */
void trio_say(struct trio *t, size_t i, const char *sections);

#endif
