/* localapi.h - local clients. */
#ifndef WA_AGENT_LOCALAPI_H
#define WA_AGENT_LOCALAPI_H

#include "agent/manager_priv.h"

/* --- localapi.c --- */
WA_CHECK enum wa_code wa_local_start(struct wa_manager *m, struct wa_err *err);
void wa_local_stop(struct wa_manager *m);
bool wa_local_is_idle(const struct wa_manager *m); /* nobody is connected */
/* --- local_stream.c; from any thread --- */
enum wa_local_news {
    WA_NEWS_GENERAL,       /* for who streams */
    WA_NEWS_PROGRESS,      /* of a task: for these, and who follows it */
    WA_NEWS_TALK,          /* what we say about it: for who follows it */
    WA_NEWS_SCRIPT,        /* what a script says that runs as root: for administrators of these */
    WA_NEWS_SCRIPT_RESULT, /* the last line for these; to be told before the next */
    WA_NEWS_RESULT         /* the last line for who follows it */
};
/* Whoever waits for a task that was dropped from the queue learns it. */
void wa_local_cancelled(struct wa_manager *m, int64_t task, const char *why);
/* The packages of a result without messages. */
void wa_local_states(struct wa_sv packages, struct wa_buf *out);
void wa_local_answer_tell(struct wa_manager *m, int64_t task, enum wa_local_news what,
                          const struct wa_local_answer *a, struct wa_sv data);
void wa_local_state(struct wa_manager *m, bool is_stopped);
void wa_local_upgrades(struct wa_manager *m); /* the task thread's: they may have changed */

#endif
