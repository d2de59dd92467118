/* repo_trust.h - whose word counts on this machine, by the root of its repository
 * (docs/formats/repository-metadata.md). Without an accepted root: WAPT's classic trust. */
#ifndef WA_AGENT_REPO_TRUST_H
#define WA_AGENT_REPO_TRUST_H

#include "agent/tasks.h"
#include "repo/follow.h"

struct wa_repo_trust {
    struct wa_root *root;            /* NULL: classic trust */
    struct wa_published *published;  /* NULL: none that the root vouches for */
    int64_t generation;              /* of the rows, when they were loaded */
    struct wa_buf json, list, stamp; /* the documents: root, list, timestamp; empty: none */
};
void wa_repo_trust_fini(struct wa_repo_trust *t);
#define WA_AUTO_REPO_TRUST WA_CLEANUP(wa_repo_trust_fini)

/* What is known, after taking root.json of the base directory into account. Each thread with its
 * own database connection. An accepted root that can't be used is an error, never classic trust. */
WA_CHECK enum wa_code wa_repo_trust_load(struct wa_manager *m, struct wa_db *db,
                                         struct wa_repo_trust *ret, struct wa_err *err);
/* The same for the loop's thread, which is asked often: the rows are read again only after they
 * have changed, root.json each time. Borrowed until the next call; the manager frees it at its end.
 */
WA_CHECK enum wa_code wa_repo_trust_loop(struct wa_manager *m, const struct wa_repo_trust **ret,
                                         struct wa_err *err);
void wa_repo_trust_end(struct wa_manager *m);
/* A root that follows the known one; keeps_list false: the list that is known is forgotten. */
WA_CHECK enum wa_code wa_repo_trust_save_root(struct wa_db *db, struct wa_sv json, bool keeps_list,
                                              struct wa_err *err);
/* A list and the timestamp over it; list "": the known one stays. */
WA_CHECK enum wa_code wa_repo_trust_save_state(struct wa_db *db, struct wa_sv list,
                                               struct wa_sv stamp, struct wa_err *err);
/* What is wrong with the repository, for status; "": nothing. */
WA_CHECK enum wa_code wa_repo_trust_save_problem(struct wa_db *db, const char *text,
                                                 struct wa_err *err);

/* The rest is for a root, but for those that say WA_OK without one. */

/* Adds its signers to the anchors, less what is revoked. */
WA_CHECK enum wa_code wa_repo_trust_anchors(const struct wa_repo_trust *t, struct wa_trust *into,
                                            struct wa_err *err);
/* May this signer stand for such a package? WA_OK without a root. */
WA_CHECK enum wa_code wa_repo_trust_package(const struct wa_repo_trust *t,
                                            const struct wa_trust_result *who,
                                            const struct wa_control *c, bool has_code,
                                            struct wa_err *err);
/* May anything be installed by what is known? WA_OK without a root. */
WA_CHECK enum wa_code wa_repo_trust_fresh(const struct wa_repo_trust *t, int64_t now,
                                          struct wa_err *err);
/* Is this the published file of that name? WA_OK without a root. */
WA_CHECK enum wa_code wa_repo_trust_file(const struct wa_repo_trust *t, const char *file, int fd,
                                         struct wa_err *err);
/* Is it exactly this file? */
WA_CHECK enum wa_code wa_repo_trust_is(const struct wa_published_file *f, const char *what, int fd,
                                       struct wa_err *err);
/* Removes the entries of a judged index that the root does not let their signer sign, or that are
 * not published, telling discard; adds them to *discarded. WA_OK without a root. */
WA_CHECK enum wa_code wa_repo_trust_index(const struct wa_repo_trust *t,
                                          const struct wa_trust *anchors, struct wa_index *ix,
                                          wa_index_discard_fn discard, void *user,
                                          size_t *discarded, struct wa_err *err);
/* The machine's own package is in no list: under a root it is at least refused when it is older
 * than the one accepted last, whatever was offered between. It is written down. WA_OK without a
 * root. */
WA_CHECK enum wa_code wa_repo_trust_host(struct wa_db *db, const struct wa_repo_trust *t,
                                         const struct wa_control *c, struct wa_err *err);
#define WA_MEMBERSHIPS_MAX 256u
/* The names of the groups, units and profiles that the machine's own signed host package asks for,
 * as it was verified when it came; what the list of what is published revokes does not count. */
struct wa_membership {
    char names[WA_MEMBERSHIPS_MAX][WA_NAME_MAX + 1];
    const char *list[WA_MEMBERSHIPS_MAX + 1]; /* ended by NULL */
    size_t n;
};
/* With and without a root. *ret: wa_free() it. */
WA_CHECK enum wa_code wa_repo_trust_names(struct wa_manager *m, struct wa_db *db,
                                          const struct wa_repo_trust *t, struct wa_membership **ret,
                                          struct wa_err *err);
/* May it order this here? Membership comes from the machine's signed host package; *ret_outside:
 * set where that alone speaks against it. */
WA_CHECK enum wa_code wa_repo_trust_order(struct wa_manager *m, struct wa_db *db,
                                          const struct wa_repo_trust *t,
                                          const struct wa_trust_result *who, const char *action,
                                          bool *ret_outside, struct wa_err *err);
/* Members of an object: trust ("root" or "classic"), versions, ends, and what is wrong. */
WA_CHECK enum wa_code wa_repo_trust_status(struct wa_manager *m, struct wa_jw *w,
                                           struct wa_err *err);

/* --- repo_walk.c --- */
/* Follows the repository's documents from what t says to what is true now at this address; what is
 * accepted is kept even when a later step fails. t is loaded anew. */
WA_CHECK enum wa_code wa_repo_walk(struct wa_task_run *run, const struct wa_agent_repo *repo,
                                   struct wa_sv address, struct wa_repo_trust *t,
                                   struct wa_err *err);

#endif
