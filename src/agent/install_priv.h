/* install_priv.h - between install.c (one package) and install_tasks.c (plans of several). */
#ifndef WA_AGENT_INSTALL_PRIV_H
#define WA_AGENT_INSTALL_PRIV_H

#include "agent/tasks.h"
#include "codec/url.h"

struct wa_install {
    const struct wa_control *to; /* from the index: already judged, judged again from the file */
    const struct wa_installed *from;  /* NULL: first installation */
    const struct wa_agent_repo *repo; /* whose index listed it */
    const char *params;               /* JSON object for the script; NULL: none */
    bool is_explicit, force;
};
/* *ret_counts: whether, once it has come, its status is one that others may need. */
WA_CHECK enum wa_code wa_install_one(struct wa_task_run *run, const struct wa_install *in,
                                     bool *ret_counts, struct wa_err *err);
/* Into the cache, and judged there as wa_install_one() judges it: nothing else happens. again: what
 * lies there already does not count. */
WA_CHECK enum wa_code wa_download_one(struct wa_task_run *run, const struct wa_control *c,
                                      const struct wa_agent_repo *repo, bool again,
                                      struct wa_err *err);
/* Asked when a script's run has failed: true when nobody knows what it did, since the launcher is
 * gone. Then nothing is recorded; the next start makes of it what it makes of a kill. */
bool wa_install_is_lost(struct wa_task_run *run);
WA_CHECK enum wa_code wa_remove_one(struct wa_task_run *run, const struct wa_installed_row *row,
                                    struct wa_err *err);
/* Before a script that is kept runs: of a package that WAPT had installed it is fetched and
 * verified with the very package, when that is still offered; install() does not run. *row: then a
 * row of fresh, which the caller ends. WA_E_REFUSED and others: it can't be verified; what to do is
 * said.
 */
WA_CHECK enum wa_code wa_install_complete(struct wa_task_run *run,
                                          const struct wa_installed_row **row,
                                          struct wa_installed_list *fresh, struct wa_err *err);
/* The row and what is kept, without running anything. status: what the task says of it. */
WA_CHECK enum wa_code wa_install_forget(struct wa_task_run *run, const struct wa_control *c,
                                        const char *status, struct wa_err *err);

/* --- snapshot.c --- */
bool wa_snapshot_is_on(const struct wa_manager *m);
/* Runs install_snapshot. ret_id "": it failed, and the configuration says to go on. output gets
 * what it printed. */
WA_CHECK enum wa_code wa_snapshot_take(struct wa_task_run *run, const struct wa_control *c,
                                       struct wa_buf *output, char *ret_id, struct wa_err *err);
/* Runs install_undo; what came of it is in output. run NULL: nobody follows. */
void wa_snapshot_undo(struct wa_manager *m, struct wa_task_run *run, const struct wa_control *c,
                      const char *snapshot, struct wa_buf *output);

/* --- space.c --- */
/* WA_E_NO_SPACE when less than so many bytes, and a little for the agent itself, are free where the
 * agent's files are. what: for the message. */
WA_CHECK enum wa_code wa_space_check(const struct wa_manager *m, uint64_t bytes, const char *what,
                                     struct wa_err *err);
/* The same for the machine's own file system, and what the package says it will take there. */
WA_CHECK enum wa_code wa_space_check_installed(const struct wa_manager *m,
                                               const struct wa_control *c, struct wa_err *err);

/* --- download.c --- */
/* The package's file in the cache, open, of the size that the index gives; downloaded when it is
 * not there, from the *at-th of the repository's addresses or one after it. *at becomes the one
 * to try next, should the file turn out to be spoilt. Not verified. */
WA_CHECK enum wa_code wa_download_open(struct wa_task_run *run, const struct wa_control *c,
                                       const struct wa_agent_repo *repo, size_t *at, int *ret_fd,
                                       struct wa_err *err);
/* Takes it out of the cache. */
void wa_download_drop(struct wa_manager *m, const struct wa_control *c);

/* --- cache.c --- */
/* Room for a file of this name and size, within cache_size: the oldest that nobody needs go.
 * WA_E_LIMIT when what is needed leaves none. */
WA_CHECK enum wa_code wa_cache_make_room(struct wa_task_run *run, const char *file, uint64_t bytes,
                                         struct wa_err *err);

#endif
