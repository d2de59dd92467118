/* repo.h - the subcommands of wapt-repo, one file a subject, and what several of them need. */
#ifndef WA_CMD_REPO_H
#define WA_CMD_REPO_H

#include "cmd/root_words.h"
#include "repo/publish.h"

extern const struct wa_cli_command wa_repo_root_init;
extern const struct wa_cli_command wa_repo_root_set;
extern const struct wa_cli_command wa_repo_root_add_signer;
extern const struct wa_cli_command wa_repo_root_revoke;
extern const struct wa_cli_command wa_repo_root_sign;
extern const struct wa_cli_command wa_repo_root_show;
extern const struct wa_cli_command wa_repo_publish;
extern const struct wa_cli_command wa_repo_verify;
extern const struct wa_cli_command wa_repo_timestamp;
extern const struct wa_cli_command wa_repo_timestamp_key;

/* The root that people are signing at the moment, beside the one in force. */
#define WA_REPO_DRAFT "root.draft.json"

/* A root as it is being changed. */
struct wa_repo_draft {
    struct wa_dir dir;
    struct wa_root *root;     /* the draft */
    struct wa_root *in_force; /* NULL: there is none yet */
    bool is_new;              /* no draft was there */
};
void wa_repo_draft_fini(struct wa_repo_draft *d);
#define WA_AUTO_REPO_DRAFT WA_CLEANUP(wa_repo_draft_fini)
/* The draft of the directory; where there is none, a copy of the root in force with the next
 * version when may_make, else WA_E_NOT_FOUND. */
WA_CHECK enum wa_code wa_repo_draft_open(const char *path, bool may_make, struct wa_repo_draft *ret,
                                         struct wa_err *err);
/* Writes the draft anew, without signatures: what people had signed was another text. */
WA_CHECK enum wa_code wa_repo_draft_save(struct wa_cli *cli, struct wa_repo_draft *d,
                                         struct wa_err *err);

#endif
