/* store_rollouts.h - roll-outs in the server's database. Their machines are rows of actions: batch
 * is the statement's identifier, id is "<identifier>/<uuid>", state "waiting" until released. */
#ifndef WA_SERVER_STORE_ROLLOUTS_H
#define WA_SERVER_STORE_ROLLOUTS_H

#include "server/rollout.h"
#include "sql/db.h"

struct wa_rollout_row {
    char id[33], name[129], kind[16], owner[WA_NAME_MAX + 1], signer[65];
    char state[12]; /* running, paused, halted (by itself), stopped, ended */
    char reason[256];
    char *order, *plan; /* JSON; owned */
    int64_t ring;       /* the last one that is open */
    int64_t ring_since, forgiven, not_before, not_after, created, updated;
    bool is_open; /* it is running, and within its windows: what is queued may be sent */
};
void wa_rollout_row_fini(struct wa_rollout_row *r);
#define WA_AUTO_ROLLOUT_ROW WA_CLEANUP(wa_rollout_row_fini)

/* WA_E_EXISTS when there is one of that identifier. */
WA_CHECK enum wa_code wa_rollouts_add(struct wa_db *db, const struct wa_rollout_row *r,
                                      struct wa_err *err);
/* ret: to be finished. WA_E_NOT_FOUND. */
WA_CHECK enum wa_code wa_rollouts_get(struct wa_db *db, const char *id, struct wa_rollout_row *ret,
                                      struct wa_err *err);
/* Writes what changes: state, reason, ring, ring_since, forgiven, is_open. */
WA_CHECK enum wa_code wa_rollouts_set(struct wa_db *db, const struct wa_rollout_row *r,
                                      struct wa_err *err);
/* Identifiers, newest first; live: of those that are not stopped or ended. *ret_count: at most
 * max. */
WA_CHECK enum wa_code wa_rollouts_list(struct wa_db *db, bool live, char (*ids)[33], size_t max,
                                       size_t *ret_count, struct wa_err *err);

/* A machine that is in the roll-out, in that ring. */
WA_CHECK enum wa_code wa_rollouts_add_host(struct wa_db *db, const struct wa_rollout_row *r,
                                           const char *uuid, size_t ring, struct wa_err *err);
/* Each registered machine that is not in the roll-out; names: what it is in. Borrowed for the
 * call, in which the database must be left alone. */
typedef enum wa_code (*wa_rollout_host_fn)(void *user, struct wa_sv uuid, struct wa_sv names,
                                           struct wa_err *err);
WA_CHECK enum wa_code wa_rollouts_outside(struct wa_db *db, const char *id, wa_rollout_host_fn fn,
                                          void *user, struct wa_err *err);
/* How many machines of which ring are in which state. */
typedef void (*wa_rollout_count_fn)(void *user, int64_t ring, struct wa_sv state, int64_t n);
WA_CHECK enum wa_code wa_rollouts_count(struct wa_db *db, const char *id, wa_rollout_count_fn fn,
                                        void *user, struct wa_err *err);
/* What waits in rings up to this one may go out; *ret_count of them. */
WA_CHECK enum wa_code wa_rollouts_release(struct wa_db *db, const char *id, int64_t ring,
                                          int64_t *ret_count, struct wa_err *err);
/* What has not been sent is cancelled. */
WA_CHECK enum wa_code wa_rollouts_drop(struct wa_db *db, const char *id, struct wa_err *err);

#endif
