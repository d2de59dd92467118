/* local_priv.h - between the files of the local interface: its clients and their way from the
 * connection to the answer. All of it is the loop thread's but for what a question says.
 */
#ifndef WA_AGENT_LOCAL_PRIV_H
#define WA_AGENT_LOCAL_PRIV_H

#include "agent/local_proof.h"
#include "agent/selfservice.h"

enum wa_stage {
    WA_STAGE_READING,   /* a request is to come */
    WA_STAGE_ASKING,    /* a question about its user is under way or waits for its turn */
    WA_STAGE_PASSWORD,  /* a password is to come */
    WA_STAGE_FOLLOWING, /* its task's events go to it */
    WA_STAGE_STREAMING, /* all events do */
    WA_STAGE_CLOSING    /* the last line is on its way */
};

/* What a thread of the pool has to find out, since looking accounts up can take long. */
enum wa_ask {
    WA_ASK_NOTHING,
    WA_ASK_NAME,    /* which account is it */
    WA_ASK_GROUPS,  /* in which groups is it */
    WA_ASK_PASSWORD /* the same, and whether the password is right */
};

struct wa_question; /* local_ask.c; lives on when its client leaves */

struct wa_client {
    struct wa_client *prev, *next;
    struct wa_local *local;
    int fd;
    struct wa_io *io;
    struct wa_peer peer;
    struct wa_session session;
    bool has_session;
    enum wa_stage stage;
    uint64_t since_ms; /* when the stage began, or something was last taken */
    struct wa_buf in, out;
    size_t missed; /* events that were left out */
    struct wa_arena arena;
    struct wa_local_request request;
    struct wa_caller caller; /* once the groups are known */
    bool sees_scripts;       /* what scripts say goes to it */
    int64_t task;
    unsigned tries;
    enum wa_ask ask; /* waits for its turn while question is NULL */
    struct wa_question *question;
    struct wa_buf password;
};

struct wa_local {
    struct wa_manager *m;
    int fd;
    struct wa_io *io;
    struct wa_timer *timer;
    struct wa_client *first; /* newest first */
    size_t count;
    uint32_t own_uid;              /* of our network, fetch, unpack and inventory processes */
    struct wa_question *questions; /* under way */
    size_t question_count;
    struct wa_proofs proofs;
    struct {
        uint32_t uid;
        uint64_t until_ms;
        char name[256];
    } names[WA_LOCAL_NAMES]; /* of accounts that were looked up */
    uint64_t stop_again_ms;  /* before, no user may stop the service again */
};

/* --- localapi.c --- */
/* Ends the connection and frees it. */
void wa_client_drop(struct wa_client *c);
void wa_client_named(struct wa_client *c); /* its account's name is known, or that it has none */
void wa_client_stage(struct wa_client *c, enum wa_stage stage);

/* --- local_conn.c: lines in and out; false: the client is gone, and freed --- */
void wa_client_event(void *client, int events); /* readiness */
bool wa_client_flush(struct wa_client *c);
bool wa_client_answer(struct wa_client *c, const struct wa_local_answer *a, struct wa_sv data);
bool wa_client_finish(struct wa_client *c, enum wa_code code, const char *text, struct wa_sv data);
/* The last line of all, ready made. */
bool wa_client_last(struct wa_client *c, struct wa_sv line);
/* An event, left out when too much waits already. */
bool wa_client_tell(struct wa_client *c, struct wa_sv line);
/* What has waited too long. */
void wa_client_turn(struct wa_client *c, uint64_t now_ms);

/* --- local_ask.c --- */
/* Queues a question; the answer goes to wa_rights_answered(). */
void wa_ask(struct wa_client *c, enum wa_ask ask);
void wa_ask_forget(struct wa_client *c); /* the client leaves */
void wa_ask_end(struct wa_local *l); /* all have left, and what is under way has nobody to tell */
struct wa_ask_answer {
    enum wa_code code;
    const char *why; /* of a failure */
    const char *user;
    bool is_admin, password_ok;
    const bool *in;              /* NULL: not asked */
    struct wa_self_rules *rules; /* may be taken over, then emptied */
};

/* --- local_rights.c --- */
void wa_rights_begin(struct wa_client *c);    /* a request is read */
void wa_rights_password(struct wa_client *c); /* c->password has come */
void wa_rights_answered(struct wa_client *c, enum wa_ask ask, const struct wa_ask_answer *a);
void wa_rights_log(const struct wa_client *c, bool granted, const char *why);

/* --- local_ops.c --- */
bool wa_op_reads(enum wa_local_op op); /* changes nothing, and is answered at once */
bool wa_op_shows_rights(enum wa_local_op op);
/* What is granted is done, or queued. */
void wa_client_carry_out(struct wa_client *c);
/* Installing what is installed or assigned already: an upgrade, which is free for all (B-07). */
bool wa_op_is_upgrade(struct wa_client *c);

/* --- local_stream.c --- */
void wa_stream_begin(struct wa_client *c);

/* --- localdata.c, local_catalogue.c --- */
WA_CHECK enum wa_code wa_local_data(struct wa_manager *m, const struct wa_local_request *r,
                                    const struct wa_caller *caller, struct wa_buf *data,
                                    struct wa_err *err);
bool wa_local_matches(const struct wa_control *c, const struct wa_local_request *r);
WA_CHECK enum wa_code wa_local_catalogue(struct wa_manager *m, const struct wa_local_request *r,
                                         const struct wa_caller *caller, struct wa_jw *w,
                                         struct wa_err *err);

#endif
