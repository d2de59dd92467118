/* repo_state.h - publishing by a command: its options, what it shows, its question. The work is
 * that of repo/publish_job.h. */
#ifndef WA_CMD_REPO_STATE_H
#define WA_CMD_REPO_STATE_H

#include "cmd/get.h"
#include "repo/publish_job.h"

/* What a command over files shows: user of wa_repo_tell(), which writes into an open list. */
struct wa_repo_told {
    struct wa_cli *cli;
    size_t counts[4];
    bool is_verify; /* only what is refused */
};
void wa_repo_tell(void *user, enum wa_publish_change change, struct wa_sv file,
                  const struct wa_err *why);

#define WA_REPO_PUBLISH_OPTIONS                                                                    \
    {"days", 0, "DAYS"}, {"revoke", 0, "SHA256"},                                                  \
    {                                                                                              \
        "yes", 'y', NULL                                                                           \
    }
/* Of the command line; root is there. */
WA_CHECK enum wa_code wa_repo_job_options(const struct wa_cli *cli, struct wa_publish_job *j,
                                          struct wa_err *err);
/* Says why nothing is taken over from the last list, if so. */
void wa_repo_job_say_unknown(const struct wa_cli *cli, const struct wa_err *why);
/* The totals of what was told. */
void wa_repo_job_say_counts(const struct wa_repo_told *t, const struct wa_publish_job *j);
WA_CHECK enum wa_code wa_repo_job_confirm(const struct wa_cli *cli, struct wa_err *err);

#endif
