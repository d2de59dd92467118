/* publishing.h - the list of a server's repository, signed here after looking at it as a machine
 * would: every package that is new or changed is fetched and verified whole.
 *
 * Blocking; one thread. Nothing is told but through the caller's functions.
 */
#ifndef WA_CONSOLE_PUBLISHING_H
#define WA_CONSOLE_PUBLISHING_H

#include "console/root_known.h"
#include "os/fs.h"
#include "repo/publish_job.h"

struct wa_publishing {
    struct wa_publish_job job; /* o.now, days and revoked: the caller's, before it begins */
    struct wa_err unknown;     /* why nothing was taken over from the last list */
    struct wa_scratch temp;
};
void wa_publishing_init(struct wa_publishing *p);
void wa_publishing_fini(struct wa_publishing *p);
/* Finds the root (job.root): what the caller asks for depends on it. known: as of wa_known_open().
 */
WA_CHECK enum wa_code wa_publishing_find_root(struct wa_publishing *p, const struct wa_dir *known,
                                              struct wa_client *c, struct wa_sv given,
                                              struct wa_err *err);
/* Fetches the server's proposal with what is new in it. fetching (may be NULL) is told of each
 * file. WA_E_REFUSED: the server rolls the list back. */
WA_CHECK enum wa_code wa_publishing_fetch(struct wa_publishing *p, const struct wa_dir *known,
                                          struct wa_client *c,
                                          void (*fetching)(void *user, struct wa_sv file),
                                          void *user, struct wa_err *err);
/* After wa_publish_job_prepare(): signs, sends, remembers. */
WA_CHECK enum wa_code wa_publishing_commit(struct wa_publishing *p, const struct wa_dir *known,
                                           struct wa_client *c, const struct wa_cert *signer,
                                           const struct wa_key *key, struct wa_err *err);

#endif
