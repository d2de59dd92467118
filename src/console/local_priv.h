/* local_priv.h - between the files of the local program (local_*.c, kind_*.c).
 *
 * One thread, the loop's, owns all of it. What blocks is a job: it runs in a thread of the pool
 * with what was given to it, and comes back to the loop.
 */
#ifndef WA_CONSOLE_LOCAL_PRIV_H
#define WA_CONSOLE_LOCAL_PRIV_H

#include "console/client.h"
#include "console/local.h"
#include "console/local_kind.h"
#include "net/local_door.h"
#include "net/local_site.h"
#include "net/stop.h"
#include "os/fs.h"

struct wa_local;

/* The session at the server, for as long as somebody uses it. */
struct wa_local_link {
    struct wa_client *client;
    unsigned refs;
};

struct wa_local_job {
    struct wa_local_exchange exchange;
    struct wa_local *local;
    struct wa_local_job *next;
    struct wa_stop *stop;       /* of all that it asks others */
    struct wa_local_link *link; /* held; NULL: none is needed */
    struct wa_client *client;   /* the link's session, under the stop */
    uint64_t began_ms;
    bool is_own; /* the program's: no page is there because of it */
    /* In the pool. */
    enum wa_code (*work)(struct wa_local_job *job, struct wa_err *err);
    /* In the loop; may be NULL. What it leaves of the exchange is answered: job->out, or err. */
    void (*done)(struct wa_local_job *job, struct wa_err *err);
    void (*fini)(struct wa_local_job *job); /* of own; may be NULL */
    struct wa_buf in, out;                  /* secret */
    struct wa_tls_trust trust;              /* a copy */
    int status;                             /* of the answer; 0: 200 */
    char type[128];                         /* "": JSON */
    void *own;
};

enum wa_local_server_state {
    WA_LOCAL_UNKNOWN, /* not asked yet */
    WA_LOCAL_UNREACHABLE,
    WA_LOCAL_PIN, /* its certificate is not trusted */
    WA_LOCAL_LOGIN,
    WA_LOCAL_CONNECTED
};
/* How one can log in there, beside a password. */
struct wa_local_ways {
    bool is_known, oidc, certificate, kerberos;
};
struct wa_local_who { /* logged in */
    char user[256], role[64], rights[256];
    bool has_factor, lacks_factor; /* lacks: and so may do nothing but set one up */
    char journal[WA_ERR_TEXT_MAX]; /* a warning: it is not what was seen here before; "": it is */
};
struct wa_local_server {
    enum wa_local_server_state state;
    struct wa_tls_trust trust;
    struct wa_local_link *link; /* CONNECTED */
    struct wa_local_who who;
    struct wa_local_ways ways;
    char message[WA_ERR_TEXT_MAX];
    const char *message_language; /* in which it is worded: wa_text_language_name() */
    /* local_watch.c's */
    uint64_t told_ms, next_ms, wait_ms; /* its last word or silence; when it is asked again */
    unsigned silences;                  /* in a row */
    bool is_asked;
};

struct wa_local_key {
    char id[17];
    struct wa_certs chain;
    char *place; /* of the key: a path, or a token's URI */
    bool is_token, can_sign_code;
    struct wa_key *key; /* unlocked; NULL: locked */
    int64_t until;      /* s */
    uint64_t until_ms;  /* the same by a clock that nobody sets back */
    unsigned users;     /* jobs that sign with it */
    bool is_opening, locks_after;
};

struct wa_chan;
struct wa_pinentry;
struct wa_local_stream;
struct wa_local_file;
struct wa_local_confirm;
struct wa_local_oidc;

/* Questions by a pinentry. */
struct wa_local_prompt {
    struct wa_chan *chan; /* to the prompter; NULL: there is none */
    struct wa_local_job *asker;
    int fd; /* the asker's, until it takes it */
    char terminal[64];
};

/* A certificate that a person is asked to trust. */
struct wa_local_pin {
    char sha256[65]; /* "": none */
    bool is_asking;
    struct wa_err why; /* how it ended */
};

#define WA_LOCAL_UNASKED_MIN 60u /* minutes over which machines add up */
struct wa_local {
    const struct wa_local_options *o;
    struct wa_loop *loop;
    struct wa_local_site *site;
    struct wa_local_server server;
    struct wa_local_key keys[WA_LOCAL_KEYS];
    size_t key_count;
    struct wa_local_prepared *prepared[WA_LOCAL_PREPARED];
    struct { /* machines that were signed for without a question, by the minute */
        uint64_t minute;
        size_t count;
    } unasked[WA_LOCAL_UNASKED_MIN];
    struct wa_local_confirm *confirm; /* one at a time */
    struct wa_local_door *door;
    struct wa_local_pin pin;
    struct wa_local_oidc *oidc; /* a login that waits for the browser; NULL: none */
    struct wa_local_prompt prompt;
    struct wa_local_stream *streams;
    struct wa_local_file *files[WA_LOCAL_FILES];
    struct wa_dir files_folder; /* once a file has come */
    struct wa_local_job *jobs;
    size_t stream_count;
    uint64_t called_ms;      /* the last call of a page */
    bool is_ending, is_over; /* is_over: not even the session's end is waited for */
};

/* --- local.c --- */
/* A request that has passed the gate; user: struct wa_local. */
WA_CHECK enum wa_code wa_local_judge(void *user, const struct wa_http_head *head, size_t *ret_max,
                                     struct wa_err *err);
void wa_local_call(void *user, struct wa_http_conn *c, struct wa_sv body);

/* --- local_files.c --- */
/* PUT /local/files: whether that is it; its body begins; it is all there. */
bool wa_local_files_takes(const struct wa_http_head *head);
void wa_local_files_begin(struct wa_local *l, struct wa_http_conn *c);
void wa_local_files_end(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
void wa_local_files_remove(struct wa_local *l, struct wa_http_conn *c, struct wa_sv id);
/* What broke off and what is too old goes. */
void wa_local_files_sweep(struct wa_local *l);
void wa_local_files_fini(struct wa_local *l);
bool wa_local_files_are_coming(const struct wa_local *l);

/* --- local_make.c --- */
void wa_local_make(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);

/* --- local_pin.c --- */
void wa_local_pin_show(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
void wa_local_pin_set(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);

/* --- local_job.c --- */
/* conn may be NULL: nobody waits. NULL: memory ran out, and conn was told. */
struct wa_local_job *wa_local_job_new(struct wa_local *l, struct wa_http_conn *conn);
/* Takes the session along. WA_E_AUTH told as "login": there is none. */
WA_CHECK enum wa_code wa_local_job_use_server(struct wa_local_job *job, struct wa_err *err);
void wa_local_job_start(struct wa_local_job *job); /* takes it over */
/* What waits for the server gives up. WAITING: for pages that are there; ALL: all else too, but
 * what says goodbye for the program; REST: that too. */
enum wa_local_which { WA_LOCAL_WAITING, WA_LOCAL_ALL, WA_LOCAL_REST };
void wa_local_jobs_stop(struct wa_local *l, enum wa_local_which which);
/* Ends one that was not started, with this error. */
void wa_local_job_refuse(struct wa_local_job *job, const struct wa_err *err);
void wa_local_answer_err(struct wa_http_conn *c, const struct wa_err *err);
/* There is no session at the server: a code of its own, since "auth" is the page's token. */
void wa_local_answer_login(struct wa_http_conn *c, const char *message);

/* --- local_server.c --- */
void wa_local_server_write(struct wa_local *l, struct wa_jw *w);
/* In the pool: who the session is, and whether the journal is what was seen here before. */
WA_CHECK enum wa_code wa_local_server_who(const struct wa_local_job *job, struct wa_client *c,
                                          struct wa_local_who *ret, struct wa_err *err);
/* Somebody is logged in: takes the link over, in place of the one before. */
void wa_local_server_entered(struct wa_local *l, struct wa_local_link *link,
                             const struct wa_local_who *who);
/* How a login failed, of the server's. */
void wa_local_server_refused(struct wa_local *l, const struct wa_err *err);
void wa_local_server_logout(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
/* The session has ended: the server says so. */
void wa_local_server_lost(struct wa_local *l, const struct wa_local_link *link);
void wa_local_link_release(struct wa_local *l, struct wa_local_link *link);

/* --- local_watch.c --- */
/* In the pool: whether the server answers, and is trusted by the job's trust. ways: how one logs in
 * there, asked too; NULL: not. */
WA_CHECK enum wa_code wa_local_server_ask(const struct wa_local_job *job,
                                          struct wa_local_ways *ways, struct wa_err *err);
/* GET /local/state: what is known, and was true seconds ago. */
void wa_local_server_state(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
/* The server has said something. */
void wa_local_server_heard(struct wa_local *l);
/* It has not, where it should: it is asked at once whether it is there. */
void wa_local_server_doubt(struct wa_local *l);
/* Once a second. */
void wa_local_server_watch(struct wa_local *l);

/* --- local_login.c --- */
void wa_local_login(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
/* A link without a client, referred to once; NULL: memory ran out. */
struct wa_local_link *wa_local_link_new(void);

/* --- local_oidc.c --- */
/* Begins a login at the provider, in place of one that waits; the page is told where to go. */
void wa_local_oidc_start(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
/* How it stands. */
void wa_local_oidc_ask(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
void wa_local_oidc_sweep(struct wa_local *l);
void wa_local_oidc_stop(struct wa_local *l);

/* --- local_journal.c --- */
void wa_local_journal(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);

/* --- local_state.c --- */
void wa_local_state_answer(struct wa_local *l, struct wa_http_conn *c);

/* --- local_relay.c, local_stream.c --- */
bool wa_local_relay_takes(enum wa_http_method method, struct wa_sv path);
/* "/api/v1/hosts?limit=1", as it was asked for. */
void wa_local_relay_path(const struct wa_http_head *head, struct wa_buf *out);
void wa_local_relay(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
void wa_local_stream(struct wa_local *l, struct wa_http_conn *c);
/* All are to end, and do at once. */
void wa_local_streams_end(struct wa_local *l);
/* Once a second: what the loop was not told of, because memory had run out. */
void wa_local_streams_sweep(struct wa_local *l);

/* --- local_keys.c --- */
WA_CHECK enum wa_code wa_local_keys_find(struct wa_local *l, struct wa_err *err);
void wa_local_keys_fini(struct wa_local *l);
void wa_local_keys_write(struct wa_local *l, struct wa_jw *w);
void wa_local_keys_unlock(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
void wa_local_keys_lock(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
/* Locks what is past its time; all: everything. */
void wa_local_keys_sweep(struct wa_local *l, bool all);
/* The key of that id, else the first that is unlocked, else the first. NULL: there is none. */
struct wa_local_key *wa_local_key_find(struct wa_local *l, struct wa_sv id);
bool wa_local_key_is_open(const struct wa_local_key *k);
void wa_local_key_release(struct wa_local_key *k);

/* --- local_certificates.c --- */
void wa_local_certificates(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
void wa_local_keys_new(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);

/* --- local_key_password.c --- */
void wa_local_keys_password(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);

/* --- local_root.c --- */
void wa_local_root_show(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
void wa_local_root_send(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
void wa_local_revocation(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);

/* --- local_prepare.c --- */
void wa_local_prepare(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
void wa_local_commit(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
void wa_local_discard(struct wa_local *l, struct wa_http_conn *c, struct wa_sv id);
void wa_local_prepared_sweep(struct wa_local *l, bool all);

/* --- local_prompt.c --- */
WA_CHECK enum wa_code wa_local_prompt_open(struct wa_local *l, struct wa_err *err);
void wa_local_prompt_close(struct wa_local *l);
bool wa_local_prompt_is_there(const struct wa_local *l);
/* For a job that is to ask: in the loop, before it starts, and when it is done; without the first
 * the second does nothing. One that did not work is asked no more. WA_E_BUSY: somebody else asks.
 */
WA_CHECK enum wa_code wa_local_prompt_begin(struct wa_local_job *job, struct wa_err *err);
void wa_local_prompt_end(struct wa_local_job *job, const struct wa_err *how);
/* In the pool, once: ask() with what to ask by. WA_E_UNREACHABLE: it can't be asked that way. */
WA_CHECK enum wa_code wa_local_prompt_use(struct wa_local_job *job,
                                          enum wa_code (*ask)(struct wa_local_job *job,
                                                              struct wa_pinentry *p,
                                                              struct wa_err *err),
                                          struct wa_err *err);

/* --- local_confirm.c --- */
/* Asks outside the page. told: once, in the loop, with WA_OK, WA_E_CANCELLED (no, or no answer) or
 * another reason. WA_E_BUSY: another question waits for its answer; WA_E_DENIED: there is nowhere
 * to ask. text: what is shown, lines ended by \n; copied. */
WA_CHECK enum wa_code wa_local_confirm(struct wa_local *l, struct wa_sv text,
                                       void (*told)(void *user, const struct wa_err *err),
                                       void *user, struct wa_err *err);
/* "terminal", "pinentry", "none" */
const char *wa_local_confirm_method(const struct wa_local *l);
/* The answer to a page whose request waits for it, with status 202. */
#define WA_LOCAL_WAITING 96u /* bytes with the NUL */
void wa_local_confirm_waiting(const struct wa_local *l, char out[WA_LOCAL_WAITING]);
void wa_local_confirm_sweep(struct wa_local *l);
/* Nobody waits any more: told is not called. user: whose question it was; NULL: anybody's. */
void wa_local_confirm_end(struct wa_local *l, const void *user);

#endif
