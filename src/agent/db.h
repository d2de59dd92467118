/* db.h - the agent's own database, db/waptagent.sqlite: what is known, installed, queued and owed
 * to the server.
 *
 * Each thread has a connection of its own. Everything that must hold together is one transaction: a
 * kill at any moment leaves the old state or the new one.
 */
#ifndef WA_AGENT_DB_H
#define WA_AGENT_DB_H

#include "pkg/plan.h"
#include "sql/db.h"

/* Of an open database: the newest that is known here. */
int wa_agent_db_version(void);
WA_CHECK enum wa_code wa_agent_db_open(const char *base, struct wa_db **ret, struct wa_err *err);

/* --- parameters --- */
/* Appends the value; nothing when absent. */
WA_CHECK enum wa_code wa_param_get(struct wa_db *db, const char *name, struct wa_buf *out,
                                   struct wa_err *err);
WA_CHECK enum wa_code wa_param_i64(struct wa_db *db, const char *name, int64_t *ret,
                                   struct wa_err *err); /* 0 when absent */
WA_CHECK enum wa_code wa_param_set(struct wa_db *db, const char *name, struct wa_sv value,
                                   struct wa_err *err);
WA_CHECK enum wa_code wa_param_set_i64(struct wa_db *db, const char *name, int64_t value,
                                       struct wa_err *err);
/* Next sequence number of statements to the server: durable before it is used, never the same
 * twice. */
WA_CHECK enum wa_code wa_param_next_seq(struct wa_db *db, int64_t *ret, struct wa_err *err);

/* Forgets who this machine was to a server: identity, enrolment, what was owed to it and ordered by
 * it. Packages stay. */
WA_CHECK enum wa_code wa_agent_db_disown(struct wa_db *db, struct wa_err *err);

/* --- available packages --- */
/* Replaces all entries of a repository. rank: of two repositories with the same package (name,
 * version, architecture, locale, maturity) the one of the lower rank counts. */
#define WA_RANK_HOST (-1)
WA_CHECK enum wa_code wa_available_replace(struct wa_db *db, const char *repo, int64_t rank,
                                           const struct wa_control *items, size_t count,
                                           struct wa_err *err);
/* Forgets the entries of repositories that keep refuses. */
WA_CHECK enum wa_code wa_available_prune(struct wa_db *db,
                                         bool (*keep)(const void *user, const char *repo),
                                         const void *user, struct wa_err *err);
struct wa_available {
    struct wa_control *items;
    char **repos; /* of each */
    size_t n, cap, repos_n, repos_cap;
};
void wa_available_fini(struct wa_available *a);
#define WA_AUTO_AVAILABLE WA_CLEANUP(wa_available_fini)
WA_CHECK enum wa_code wa_available_load(struct wa_db *db, struct wa_available *ret,
                                        struct wa_err *err);
/* The entries of one repository. */
WA_CHECK enum wa_code wa_available_load_repo(struct wa_db *db, const char *repo,
                                             struct wa_available *ret, struct wa_err *err);
/* Forgets all entries of all repositories. */
WA_CHECK enum wa_code wa_available_forget(struct wa_db *db, struct wa_err *err);

/* --- installed packages --- */
struct wa_installed_row {
    struct wa_installed base; /* control, status, is_explicit */
    int64_t install_date, audit_on, next_audit;
    char *output, *params, *audit_status, *audit_output; /* never NULL */
    char *repo;          /* the repository that it came from; "": not known */
    char *uninstall_key; /* JSON list: Windows' keys of the software that it installed */
};
struct wa_installed_list {
    struct wa_installed_row *items;
    size_t n, cap;
};
void wa_installed_list_fini(struct wa_installed_list *l);
#define WA_AUTO_INSTALLED WA_CLEANUP(wa_installed_list_fini)
/* only: a package name, NULL: all. */
WA_CHECK enum wa_code wa_installed_load(struct wa_db *db, const char *only,
                                        struct wa_installed_list *ret, struct wa_err *err);
/* Inserts or replaces the row of that package, without uninstall keys. repo "": not known; what was
 * known stays. */
WA_CHECK enum wa_code wa_installed_put(struct wa_db *db, const struct wa_control *c,
                                       const char *repo, const char *status, int64_t date,
                                       struct wa_sv output, struct wa_sv params, bool is_explicit,
                                       struct wa_err *err);
WA_CHECK enum wa_code wa_installed_set_status(struct wa_db *db, const char *package,
                                              const char *status, struct wa_sv output,
                                              struct wa_err *err);
/* A new version, or the same again, failed: the row's own version stays; params: what it was given,
 * for the next attempt. */
WA_CHECK enum wa_code wa_installed_set_failed(struct wa_db *db, const char *package,
                                              struct wa_sv output, struct wa_sv params,
                                              bool is_explicit, struct wa_err *err);
WA_CHECK enum wa_code wa_installed_set_audit(struct wa_db *db, const char *package,
                                             const char *status, struct wa_sv output, int64_t at,
                                             int64_t next, struct wa_err *err);
/* The attributes alone, of the same package and version. */
WA_CHECK enum wa_code wa_installed_set_control(struct wa_db *db, const struct wa_control *c,
                                               const char *repo, struct wa_err *err);
WA_CHECK enum wa_code wa_installed_set_uninstall_key(struct wa_db *db, const char *package,
                                                     struct wa_sv keys, struct wa_err *err);
WA_CHECK enum wa_code wa_installed_set_explicit(struct wa_db *db, const char *package,
                                                struct wa_err *err);
WA_CHECK enum wa_code wa_installed_delete(struct wa_db *db, const char *package,
                                          struct wa_err *err);
/* --- tasks --- */
struct wa_task {
    int64_t id;
    char kind[32]; /* a wa_local_op_name() */
    char *args;    /* JSON: {"packages":[...],"force":bool,...} */
    char created_by[300];
    char action_id[33]; /* "" when not ordered */
    bool is_put_off;    /* by a local user, once */
    bool is_in_use;     /* it has left something out, and came back to it */
    char *done;         /* lines of what it did before an interruption: see wa_task_next_done() */
    const struct wa_language *language; /* of who asked for it; NULL: ours */
};
/* By the machine itself, at its time. */
bool wa_task_is_scheduled(const struct wa_task *t);
/* By an administrator's roll-out. */
bool wa_task_is_of_rollout(const struct wa_task *t);
/* Ordered, scheduled, or wished for by a script: an interruption leaves it in the queue. */
bool wa_task_is_resumed(const struct wa_task *t);
void wa_task_fini(struct wa_task *t);
/* It is told of in the language that this thread speaks. An equal task that waits already, in
 * whichever, is returned instead. WA_E_BUSY when too many wait that nobody
 * ordered, in all or of this user. */
WA_CHECK enum wa_code wa_task_add(struct wa_db *db, const char *kind, struct wa_sv args,
                                  const char *created_by, const char *action_id, int64_t not_before,
                                  int64_t *ret_id, struct wa_err *err);
/* The next one that may start, marked running. *ret_found false: none. One that was put off waits
 * a day at most (user_stop_period), whatever the clock was set to meanwhile. */
WA_CHECK enum wa_code wa_task_take(struct wa_db *db, struct wa_task *ret, bool *ret_found,
                                   struct wa_err *err);
WA_CHECK enum wa_code wa_task_finish(struct wa_db *db, int64_t id, enum wa_code code,
                                     struct wa_sv message, struct wa_sv log, struct wa_err *err);
/* One that was cut goes back as it was. */
WA_CHECK enum wa_code wa_task_requeue(struct wa_db *db, int64_t id, struct wa_err *err);
/* What the task has done to a package, in the transaction in which it counts as done: a task that
 * is taken up again does not do it twice. */
WA_CHECK enum wa_code wa_task_note(struct wa_db *db, int64_t id, const struct wa_control *c,
                                   const char *status, struct wa_err *err);
struct wa_task_done {
    struct wa_sv package, version, status;
};
/* Takes the next line out of *rest; false at the end. */
bool wa_task_next_done(struct wa_sv *rest, struct wa_task_done *ret);
bool wa_task_has_done(const struct wa_task *t, struct wa_sv package);
/* Puts a running one back; it starts again when not_before has come, and is not put off again. */
WA_CHECK enum wa_code wa_task_put_off(struct wa_db *db, int64_t id, int64_t not_before,
                                      struct wa_err *err);
/* Puts a running one back until not_before, or until one of the programs (csv) has ended. */
WA_CHECK enum wa_code wa_task_wait(struct wa_db *db, int64_t id, int64_t not_before,
                                   const char *programs, struct wa_err *err);
/* One that waits for programs waits no longer. */
WA_CHECK enum wa_code wa_task_begin_again(struct wa_db *db, int64_t id, struct wa_err *err);
/* Cancels one that waits; *ret_done false when it does not wait. id 0: all that wait and were not
 * ordered. */
WA_CHECK enum wa_code wa_task_cancel(struct wa_db *db, int64_t id, bool *ret_done,
                                     struct wa_err *err);
struct wa_task_progress {
    int64_t id, percent; /* of the task that runs; id 0: none does */
};
/* JSON array of the last 60, newest first. with_scripts false: without messages that can have the
 * words of scripts in them, which may be secrets. */
WA_CHECK enum wa_code wa_task_list(struct wa_db *db, const struct wa_task_progress *running,
                                   bool with_scripts, struct wa_buf *json, struct wa_err *err);
/* JSON object of one, with what it told. WA_E_NOT_FOUND. */
WA_CHECK enum wa_code wa_task_show(struct wa_db *db, int64_t id,
                                   const struct wa_task_progress *running, struct wa_buf *json,
                                   struct wa_err *err);

/* The message for the server that somebody looks at (proto/queue.h). is_stopped: by a user, for a
 * while. */
WA_CHECK enum wa_code wa_task_tell(struct wa_db *db, const struct wa_task_progress *running,
                                   bool is_stopped, struct wa_buf *message, struct wa_err *err);

/* --- orders, each once --- */
/* WA_E_EXISTS for an identifier seen before. Forgets those past their not_after. */
WA_CHECK enum wa_code wa_action_record(struct wa_db *db, const char *id, int64_t not_after,
                                       int64_t now, struct wa_err *err);

/* Until when it may be begun; 0 when it is not known any more. */
WA_CHECK enum wa_code wa_action_not_after(struct wa_db *db, const char *id, int64_t *ret,
                                          struct wa_err *err);

/* Drops what waits for that order, which is then owed to the server as cancelled, or the task of no
 * order that is marked so. One that has not come yet is refused until not_after, should it come. In
 * the caller's transaction. */
struct wa_action_cancelled {
    int64_t running; /* the task that carries it out now; 0: none */
    int64_t dropped; /* the task of no order; 0: none */
};
WA_CHECK enum wa_code wa_action_cancel(struct wa_db *db, const char *id, int64_t not_after,
                                       struct wa_action_cancelled *ret, struct wa_err *err);
/* Whether it was cancelled before it came. */
WA_CHECK enum wa_code wa_action_is_cancelled(struct wa_db *db, const char *id, bool *ret,
                                             struct wa_err *err);

/* --- what is owed to the server --- */
WA_CHECK enum wa_code wa_outbox_add(struct wa_db *db, const char *action_id, const char *state,
                                    const char *code, struct wa_sv message,
                                    struct wa_sv packages_json, struct wa_err *err);
/* Takes back what has not been sent yet of that action and state. */
WA_CHECK enum wa_code wa_outbox_drop(struct wa_db *db, const char *action_id, const char *state,
                                     struct wa_err *err);
/* Whether a refusal of that action may be added (or that it was cancelled): it does not wait there
 * already, and fewer than max others do. */
WA_CHECK enum wa_code wa_outbox_has_room(struct wa_db *db, const char *action_id, int64_t max,
                                         bool *ret, struct wa_err *err);
struct wa_outbox_item {
    int64_t id, tries;
    char action_id[33], state[16], code[32];
    char *message, *packages;
};
void wa_outbox_item_fini(struct wa_outbox_item *i);
/* The first whose time has come; one that waits longer than that was put off before the clock was
 * set back. */
#define WA_OUTBOX_PAUSE_MAX_S 3600
WA_CHECK enum wa_code wa_outbox_next(struct wa_db *db, int64_t now, struct wa_outbox_item *ret,
                                     bool *ret_found, struct wa_err *err);
WA_CHECK enum wa_code wa_outbox_done(struct wa_db *db, int64_t id, struct wa_err *err);
WA_CHECK enum wa_code wa_outbox_later(struct wa_db *db, int64_t id, int64_t next_try,
                                      struct wa_err *err);
/* All of it is due now. */
WA_CHECK enum wa_code wa_outbox_hurry(struct wa_db *db, struct wa_err *err);

/* --- sessions --- */
WA_CHECK enum wa_code wa_session_get(struct wa_db *db, uint32_t uid, const char *package,
                                     const char *version, bool *ret_done, struct wa_err *err);
WA_CHECK enum wa_code wa_session_set(struct wa_db *db, uint32_t uid, const char *package,
                                     const char *version, const char *status, struct wa_err *err);

#endif
