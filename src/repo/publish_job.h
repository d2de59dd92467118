/* publish_job.h - a state that is to be published: described, judged as a machine would, shown, and
 * signed. For wapt-repo, which works on the repository itself, and for the console, which fetches
 * what is needed.
 */
#ifndef WA_REPO_PUBLISH_JOB_H
#define WA_REPO_PUBLISH_JOB_H

#include "repo/publish.h"

#define WA_PUBLISH_REVOKED_MAX 64u /* certificates that one list adds */

struct wa_publish_job {
    struct wa_dir dir; /* has Packages, and the packages that are new */
    struct wa_root *root;
    struct wa_published *last, *next;
    const struct wa_published *known; /* last, when the root vouches for it */
    struct wa_publish_options o;
    const char *revoked[WA_PUBLISH_REVOKED_MAX];
    char fingerprints[WA_PUBLISH_REVOKED_MAX][65];
    int64_t last_mtime;
    struct wa_buf text; /* of next, to be signed */
};
void wa_publish_job_init(struct wa_publish_job *j);
void wa_publish_job_fini(struct wa_publish_job *j);
/* Revokes a certificate, too. WA_E_USAGE: it is no fingerprint, or there are too many. */
WA_CHECK enum wa_code wa_publish_job_revoke(struct wa_publish_job *j, struct wa_sv fingerprint,
                                            struct wa_err *err);
/* With root and last there: whether last is believed, the times, and the next version. ret_why: why
 * nothing is taken over from the last list; WA_OK when something is, or there was none. */
WA_CHECK enum wa_code wa_publish_job_begin(struct wa_publish_job *j, struct wa_err *ret_why,
                                           struct wa_err *err);
/* Makes the list and judges it; note is told of each file. WA_E_REFUSED when a machine would refuse
 * something of it. */
WA_CHECK enum wa_code wa_publish_job_prepare(struct wa_publish_job *j, wa_publish_note_fn note,
                                             void *user, struct wa_err *err);
/* The signed list, checked as a machine would. */
WA_CHECK enum wa_code wa_publish_job_sign(struct wa_publish_job *j, const struct wa_cert *signer,
                                          const struct wa_key *key, struct wa_buf *json,
                                          struct wa_err *err);

#endif
