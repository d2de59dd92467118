/* store_priv.h - between the files of the store: its state, pending questions to other processes,
 * answers to fronts. */
#ifndef WA_SERVER_STORE_PRIV_H
#define WA_SERVER_STORE_PRIV_H

#include "base/map.h"
#include "codec/json.h"
#include "proto/envelope.h"
#include "server/events.h"
#include "server/guests.h"
#include "server/journal.h"
#include "server/metrics.h"
#include "server/node.h"
#include "server/role_common.h"
#include "server/store_db.h"
#include "server/throttle.h"
#include "server/wake.h"

#define WA_STORE_FRONTS 64

struct wa_store;
struct wa_api_route;
struct wa_scanning;
struct wa_senders;
struct wa_store_checks;
struct wa_store_conn { /* an agent's WebSocket, somewhere on a front */
    int front;
    uint32_t id;
    char uuid[65];
    char nonce[65];              /* the agent's, for this connection */
    char known[65];              /* sum of its sections' digests; "": to be read */
    bool was_sent;               /* an order: it may not have been acknowledged */
    bool is_told;                /* its front answers itself that it is as known */
    uint64_t group_no;           /* the group in which its state was last written */
    int64_t seen_at, written_at; /* it said that nothing has changed; and that is in the database */
};

struct wa_queue_ask { /* a machine that was asked for its queue */
    char uuid[WA_UUID_MAX + 1];
    uint64_t at_ms;
};

struct wa_store {
    struct wa_server_child child;
    struct wa_loop *loop;
    struct wa_db *db;
    struct wa_fleet *fleet;
    struct wa_node node;
    size_t unnoted; /* acts by the API that left no entry in the journal: none, if we are right */
    struct wa_journal_links links; /* heads of other chains that are in ours */
    struct wa_chan *supervisor;
    struct wa_chan *helpers[WA_SR_COUNT]; /* by role; NULL: it has ended, the next one comes */
    struct wa_chan *fronts[WA_STORE_FRONTS];
    size_t front_count;
    struct wa_map conns_by_uuid, conns_by_id; /* one a machine; by front and id */
    struct wa_store_question *questions;
    struct wa_store_request *searches; /* that wait for one */
    struct wa_scanning *scannings;     /* those of them that are requests to scan */
    uint32_t next_id;
    char *relay_public, *timestamp_public;        /* PEM */
    char trusted[WA_PATH_MAX], root[WA_PATH_MAX]; /* root: the repository's, if it has one */
    char issuers[WA_PATH_MAX];                    /* of people's certificates */
    struct wa_timer *clock;
    int64_t cleaned_at, swept_at;
    int64_t told_at, told_seq;        /* when the log was told the journal's head, and which */
    int64_t watched_seq;              /* the head that watchers were told */
    bool is_noted;                    /* an entry was written since */
    size_t seen_cursor;               /* of the connections whose word is to be written */
    int64_t seen_round;               /* begun then */
    struct wa_senders *senders;       /* keys of machines that have spoken */
    struct wa_key *sender;            /* set to one after another */
    struct wa_digest *digest;         /* of certificates' texts; made when it is needed */
    struct wa_store_checks *checking; /* threads that read reports; NULL: none */
    struct wa_timer *flusher;         /* NULL: each transaction is committed by itself */
    bool is_gathering, is_stale;
    uint64_t group_no; /* of what is gathered, or was last */
    struct wa_store_held *held, **held_last;
    size_t held_count;
    bool owes_requeue;         /* an order that was not sent could not be given back to the queue */
    bool owes_dispatch;        /* an order waits whose time had come before */
    bool has_more;             /* more could go at once than one signature takes */
    uint64_t rollouts_next_ms; /* when roll-outs are looked at again */
    struct wa_rollout_told {   /* how far those that go on had come when that was told last */
        char id[33];
        uint64_t sum;
    } rollouts_told[WA_ROLLOUTS_LIVE_MAX];
    size_t rollouts_next;
    int64_t due_until;                 /* orders due before are sent, or wait for their machine */
    size_t reports;                    /* waiting or running: so many of report_runs */
    struct wa_report_run *report_runs; /* api_reports.c */
    size_t checks;                     /* passwords being checked */
    bool is_stamping;                  /* the repository's timestamp is on its way */
    bool stamp_again;                  /* and something has changed meanwhile */
    bool stamp_failed;                 /* the last round */
    uint64_t stamped_ms;
    struct wa_guests guests; /* whom the fronts were told of late */
    struct wa_throttle throttle;
    struct wa_throttle codes;   /* of second factors, by person */
    struct wa_throttle persons; /* machines' questions about people, by machine and by person */
    struct wa_throttle moves;   /* of accounts that became another machine; in minutes */
    size_t asked;               /* of the directory, not answered yet */
    char checked[WA_NAME_MAX +
                 1];    /* last person of the directory looked at in this round; "": none */
    int64_t checked_at; /* when the round began */
    bool is_checking;
    bool is_renewing;          /* the provider is asked again about a session */
    int64_t renew_at;          /* not before, after it did not answer */
    size_t oidc_asked;         /* of the provider, likewise */
    size_t tickets;            /* being looked at */
    struct wa_wake_rate woken; /* machines, by whom */
    struct wa_queue_ask asks[WA_QUEUE_ASKS];
    size_t asks_next;
    int64_t revoked_looked_at; /* whether their list must be renewed */
    int64_t crl_at;            /* when their list was last renewed; 0: not yet, or in vain */
    struct wa_events *events;
    struct wa_watcher *watchers;
    size_t watcher_count;
    struct wa_timer *flush; /* of what they are told */
    bool is_flushing;
    uint64_t hooked; /* the last event that was looked at for webhooks */
    struct wa_hook_sending *hooking[WA_HOOKS_AT_ONCE]; /* requests on their way; NULL: room */
    struct wa_store_request *ready_asked; /* who wait for the signer's word that it is there */
    struct wa_store_counts *counts;
};

/* A request of a front, kept until it is answered. */
struct wa_store_request {
    struct wa_store *store;
    struct wa_store_request *next; /* of those who wait for the same answer */
    int front;
    uint32_t id;
    char method[8], path[1024], peer[64], bearer[160];
    char last_event[24];                /* Last-Event-ID; "": none */
    const struct wa_language *language; /* that its answer is asked for in; NULL: ours */
    char *query;                        /* owned */
    struct wa_buf body;
    char machine[WA_UUID_MAX +
                 1];      /* whom its TLS certificate names, as the front says; "": nobody */
    char person[65];      /* SHA-256 of the TLS certificate that is no machine's; "": none */
    char *pem;            /* it itself, where a login by it is asked for; owned */
    struct wa_api_table { /* of a request that is answered as a table */
        const struct wa_api_route *route; /* NULL: it is not */
        bool is_first;                    /* with the columns' names */
        bool goes_on; /* until the list's end: the front asks for the next page */
    } table;
    struct {
        const struct wa_api_route *route; /* NULL: it is no act, or was looked at */
        int64_t before;                   /* the journal's newest entry; below 0: not known */
        char whom[256];                   /* what it is about, as the path says */
    } act;
    const struct wa_api_route *whole; /* a list of which a page is cut; NULL: the answer is as it is
                                       */
    char caller[WA_NAME_MAX + 1];     /* the person who asks, once he is known */
    bool is_search;                   /* it waits for the search process, and is in the list */
    struct wa_store_request *next_search;
    bool is_question; /* only whether this may be asked: its body has not come */
};
void wa_store_request_free(struct wa_store_request *r);
/* Answer and free the request. */
void wa_store_answer(struct wa_store_request *r, int status, struct wa_sv body);
/* Of status 200 and this type, one that fronts know; NULL: JSON. */
void wa_store_answer_as(struct wa_store_request *r, const char *type, struct wa_sv body);
void wa_store_answer_err(struct wa_store_request *r, const struct wa_err *err);

/* An entry of the journal, in the caller's transaction. */
WA_CHECK enum wa_code wa_store_note(struct wa_store *s, const struct wa_journal_act *a,
                                    struct wa_err *err);

/* Asks another process; fn gets its answer, or {"over":...,"code":"busy","message":...} when that
 * ended first. WA_E_BUSY: it has ended, and is being started again. */
typedef void (*wa_store_reply_fn)(struct wa_store *s, void *user, struct wa_sv payload);
WA_CHECK enum wa_code wa_store_ask(struct wa_store *s, enum wa_server_role whom,
                                   struct wa_sv payload, wa_store_reply_fn fn, void *user,
                                   struct wa_err *err);

/* Whether the process ended over this very question, or before it had seen it. They look at one
 * after the other; an attempt at which one ended stays counted, whatever it was: it may be what
 * ended it. */
bool wa_store_ended_over(struct wa_sv payload);
bool wa_store_ended_before(struct wa_sv payload);
/* The next of s->questions; NULL after the last. */
const struct wa_store_question *wa_store_next_question(const struct wa_store_question *q);
/* A reply of whom. */
void wa_store_reply(struct wa_store *s, enum wa_server_role whom, const struct wa_chan_msg *msg);
/* It has ended: what it was asked is answered with an error. */
void wa_store_bereave(struct wa_store *s, enum wa_server_role whom);
/* --- store_auth.c: each is WA_E_BUSY when too many are asked already --- */
/* What each of these fn gets is auth's answer, or that it ended first: then WA_E_BUSY, with a text
 * for who waits for it. */
WA_CHECK enum wa_code wa_store_checked(struct wa_sv payload, struct wa_err *err);
/* Asks auth about a password: fn gets "ok" or "no". */
WA_CHECK enum wa_code wa_store_ask_password(struct wa_store *s, struct wa_sv user,
                                            struct wa_sv password, wa_store_reply_fn fn, void *data,
                                            struct wa_err *err);

/* fn gets the password's hash, "no" for a password that can't be. */
WA_CHECK enum wa_code wa_store_ask_hash(struct wa_store *s, struct wa_sv password,
                                        wa_store_reply_fn fn, void *data, struct wa_err *err);
/* A new second factor: fn gets its sealed secret, a newline, and the secret in base32. */
WA_CHECK enum wa_code wa_store_ask_factor(struct wa_store *s, const char *user,
                                          wa_store_reply_fn fn, void *data, struct wa_err *err);
/* Whether the code is one of the user's second factor (of the one that waits for it): fn gets its
 * step, or "no". */
WA_CHECK enum wa_code wa_store_ask_code(struct wa_store *s, const char *user, bool is_waiting,
                                        struct wa_sv code, wa_store_reply_fn fn, void *data,
                                        struct wa_err *err);

struct wa_directory_who {
    struct wa_sv user;
    const char *sid; /* that the account must have; NULL: any */
};
/* Asks the directory, as wa_ldap_login() does (password NULL: whether that account is still what it
 * was): fn gets WA_S_WHO_IS. WA_E_BUSY when too many are
 * asked already; WA_E_DENIED where no directory is configured. */
WA_CHECK enum wa_code wa_store_ask_directory(struct wa_store *s, const struct wa_directory_who *who,
                                             struct wa_sv password, const char *const *groups,
                                             wa_store_reply_fn fn, void *data, struct wa_err *err);

/* --- store_group.c --- */
/* Begins to make what follows durable together; see the file. */
WA_CHECK enum wa_code wa_store_group_start(struct wa_store *s, struct wa_err *err);
/* Something came that may write. */
void wa_store_gather(struct wa_store *s);
/* Makes durable what was gathered, and answers it. Before anything leaves that stands on it. */
enum wa_code wa_store_flush(struct wa_store *s, struct wa_err *err);
/* An answer, at once or after the commit; takes text. */
void wa_store_reply_front(struct wa_store *s, int front, uint32_t id, int status,
                          struct wa_buf *text);
/* Whether the connection's machine is as known: what is not durable yet waits likewise. */
void wa_store_reply_known(struct wa_store *s, struct wa_store_conn *c, bool is_known);
/* Where a commit has failed: what is in memory follows the database again. */
WA_CHECK enum wa_code wa_store_refresh(struct wa_store *s, struct wa_err *err);
struct wa_store_conn *wa_store_conn_at(const struct wa_store *s, int front, uint32_t id);
/* --- store_same.c --- */
/* The connection's machine says that it is as known: by this sum. */
void wa_store_same(struct wa_store *s, int front, uint32_t id, struct wa_sv sum);
/* The digests of what is kept of the machine. */
struct wa_section_digests;
WA_CHECK enum wa_code wa_store_known(struct wa_db *db, struct wa_sv uuid,
                                     struct wa_section_digests *have, struct wa_err *err);
/* Its front says so, of machines that it has answered itself. */
void wa_store_seen(struct wa_store *s, int front, struct wa_sv ids);
/* What was reported is another state now. */
void wa_store_changed(struct wa_store *s, struct wa_sv uuid);
/* What is kept of the connection's machine is another state. */
void wa_store_conn_changed(struct wa_store *s, struct wa_store_conn *c);
/* When they said so, to the database, from time to time. */
void wa_store_write_seen(struct wa_store *s, int64_t now);
/* --- store_senders.c --- */
/* That the machine is registered and its key signed e. checked: by this certificate's key that is
 * known already; NULL: by none. *ret: what is known of the machine. */
struct wa_sender;
struct wa_host_row;
WA_CHECK enum wa_code wa_store_check_signed(struct wa_store *s, const struct wa_envelope *e,
                                            struct wa_sv uuid, const struct wa_sender *checked,
                                            struct wa_host_row *ret, struct wa_err *err);
/* --- store_front.c --- */
/* Somebody who is logged in comes from this address: all fronts may let them come first. */
void wa_store_guest(struct wa_store *s, const char *peer);
/* Whatever a front says. */
void wa_store_front(struct wa_store *s, int front, const struct wa_chan_msg *msg);
/* The machine's connection; NULL when it has none. */
struct wa_store_conn *wa_store_conn_of(const struct wa_store *s, const char *uuid);
/* Takes c over, in place of the machine's former connection; on failure it stays the caller's. */
WA_CHECK enum wa_code wa_store_connect(struct wa_store *s, struct wa_store_conn *c,
                                       struct wa_err *err);
/* Frees all connections, without a word. */
void wa_store_forget(struct wa_store *s);
/* Ends what the machine has open, and has what was sent and not acknowledged wait again. */
void wa_store_disconnect(struct wa_store *s, const char *uuid);
/* Makes good what the database refused to take when somebody left. */
WA_CHECK enum wa_code wa_store_mend(struct wa_store *s, struct wa_err *err);
/* Orders sent and not acknowledged wait again; uuid "": of all. */
WA_CHECK enum wa_code wa_store_requeue(struct wa_store *s, const char *uuid, struct wa_err *err);
/* What has expired goes, from time to time. */
void wa_store_clean(struct wa_store *s, int64_t now);

/* --- store_register.c --- */
void wa_store_register(struct wa_store_request *r);
/* --- store_check.c --- */
void wa_store_report(struct wa_store_request *r);
/* --- store_agent.c --- */
/* Whether the machine is enrolled, signed the statement with its key, and its clock is right.
 * machine: whom the TLS certificate names that was shown with it, nobody else; "": none was. */
WA_CHECK enum wa_code wa_store_check_sender(struct wa_store *s, const struct wa_envelope *e,
                                            const char *machine, struct wa_sv uuid, int64_t at,
                                            struct wa_err *err);
/* Answers what a machine said with why, and frees the request. Somebody who has proved nothing
 * (WA_E_AUTH) hears the same whether the machine is there or not: else anybody who reaches the
 * server could ask which machines are. The caller's log has the reason. */
void wa_store_refuse_sender(struct wa_store_request *r, const struct wa_err *why);
WA_CHECK enum wa_code wa_store_check_shown(const char *machine, struct wa_sv uuid,
                                           struct wa_err *err);
/* WA_E_CONFLICT when the machine's clock is far off. */
WA_CHECK enum wa_code wa_store_check_time(int64_t at, struct wa_err *err);
/* WA_E_BUSY: the machine has taken its part of the store's time (wa_fleet_took()). */
WA_CHECK enum wa_code wa_store_check_share(const struct wa_store *s, struct wa_sv uuid,
                                           uint64_t now_ms, struct wa_err *err);
/* Columns for lists, from host_info. */
void wa_store_read_info(const struct wa_json *info, struct wa_fleet_change *c);
/* What the database has taken is shown in lists. */
void wa_store_show(struct wa_store *s, struct wa_sv uuid, const struct wa_fleet_change *c);
/* In which perimeters the machine is, anew. */
void wa_store_show_perimeter(struct wa_store *s, struct wa_sv uuid);
/* --- store_rollout_step.c --- */
/* All that are alive go forward, where this server leads and it is time. */
void wa_store_rollouts(struct wa_store *s);
/* One of them, now. */
void wa_store_rollout_step(struct wa_store *s, const char *id);
/* Machines on which it failed, of all rings; 0 with err set. */
int64_t wa_rollout_failures(struct wa_db *db, const char *id, struct wa_err *err);
/* --- store_login.c --- */
/* A machine asks whether a person's password is right. */
void wa_store_login(struct wa_store_request *r);
void wa_store_hello(struct wa_store *s, int front, uint32_t id, struct wa_sv payload);
/* --- login_check.c --- */
/* Looks at those again for whom the directory vouches, from time to time, where this server leads.
 */
void wa_store_check_people(struct wa_store *s);
/* --- login_renew.c --- */
/* Asks the provider again about sessions whose turn it is, and gives back what is needed no more,
 * where this server leads. */
void wa_store_renew_sessions(struct wa_store *s);
/* --- store_hooks.c --- */
/* Queues what is new for webhooks, and sends what is due, where this server leads. */
void wa_store_hooks(struct wa_store *s);
/* --- store_events.c --- */
/* Something has changed, and the database has taken it: those who may see it are told. uuid: the
 * machine that it is about, "" when it is about none; perimeters cut by it. what: a literal, in
 * one word ("registered"); name: of the action, package, roll-out or person; state: the new one.
 * Texts may be whatever a machine says. Costs a copy, whoever watches. */
void wa_store_event(struct wa_store *s, enum wa_event_kind kind, const char *what,
                    struct wa_sv uuid, struct wa_sv name, struct wa_sv state);
/* The same of what another server of the database has changed, which tells webhooks of it. */
void wa_store_event_elsewhere(struct wa_store *s, enum wa_event_kind kind, const char *what,
                              struct wa_sv uuid, struct wa_sv name, struct wa_sv state);
WA_CHECK enum wa_code wa_store_events_open(struct wa_store *s, struct wa_err *err);
void wa_store_events_close(struct wa_store *s);
/* All who watch are told what is new for them; whose session has ended is sent away. */
void wa_store_tell_watchers(struct wa_store *s);
void wa_store_watcher_gone(struct wa_store *s, int front, uint32_t id);
/* --- api_queue.c --- */
/* The machine tells its queue for a while, if it is connected here. */
void wa_queue_ask(struct wa_store *s, const char *uuid);
/* What the connection's machine says of its queue, as it says it. */
void wa_queue_take(struct wa_store *s, int front, uint32_t id, struct wa_sv text);
/* --- api.c --- */
void wa_store_api(struct wa_store_request *r);
/* --- api_uploads.c --- */
/* Uploads that nobody has gone on with for days go, from time to time. */
void wa_store_sweep_uploads(struct wa_store *s, int64_t now);
/* --- store_stamp.c --- */
/* Renews the repository's timestamp when it is time to; now: looks at once. */
void wa_store_stamp(struct wa_store *s, bool now);
/* --- store_dispatch.c --- */
/* Each sends what may go now to machines that are connected, countersigned, under one signature:
 * what waits for the machine, what was ordered together, what has come due since the last time
 * (and what could not be sent before). */
void wa_store_dispatch_host(struct wa_store *s, const char *uuid);
void wa_store_dispatch_batch(struct wa_store *s, const char *batch);
void wa_store_dispatch_due(struct wa_store *s);

#endif
