/* repo_state.h - a state that is to be published (repo_state.c). */
#ifndef WA_CMD_REPO_STATE_H
#define WA_CMD_REPO_STATE_H

#include "cmd/get.h"
#include "repo/publish.h"

/* What a command over files shows: user of wa_repo_tell(), which writes into an open list. */
struct wa_repo_told {
    struct wa_cli *cli;
    size_t counts[4];
    bool is_verify; /* only what is refused */
};
void wa_repo_tell(void *user, enum wa_publish_change change, struct wa_sv file,
                  const struct wa_err *why);

struct wa_repo_job {
    struct wa_dir dir; /* has Packages, and the packages that are new */
    struct wa_root *root;
    struct wa_published *last, *next;
    const struct wa_published *known; /* last, when the root vouches for it */
    struct wa_publish_options o;
    const char *revoked[64];
    char fingerprints[64][65];
    int64_t last_mtime;
    struct wa_buf text;                 /* of next, to be signed */
    const struct wa_get_signer *signer; /* by whom, borrowed; NULL: as the command line says */
};
void wa_repo_job_init(struct wa_repo_job *j);
void wa_repo_job_fini(struct wa_repo_job *j);
#define WA_REPO_PUBLISH_OPTIONS                                                                    \
    {"days", 0, "DAYS"}, {"revoke", 0, "SHA256"},                                                  \
    {                                                                                              \
        "yes", 'y', NULL                                                                           \
    }
/* Of the command line; root is there. */
WA_CHECK enum wa_code wa_repo_job_options(const struct wa_cli *cli, struct wa_repo_job *j,
                                          struct wa_err *err);
/* Whether last is believed, and the next version. */
WA_CHECK enum wa_code wa_repo_job_known(const struct wa_cli *cli, struct wa_repo_job *j,
                                        struct wa_err *err);
/* Makes the list and shows what a machine would think of it, as "files" into an open object.
 * WA_E_REFUSED when it would refuse something. */
WA_CHECK enum wa_code wa_repo_job_prepare(struct wa_cli *cli, struct wa_repo_job *j,
                                          struct wa_err *err);
WA_CHECK enum wa_code wa_repo_job_confirm(const struct wa_cli *cli, struct wa_err *err);
/* The signed list, checked as a machine would. */
WA_CHECK enum wa_code wa_repo_job_sign(const struct wa_cli *cli, struct wa_repo_job *j,
                                       struct wa_buf *json, struct wa_err *err);

#endif
