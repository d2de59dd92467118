/* root_words.h - a root document on the command line: a signer's rights as options, and all of it
 * as it is shown. For wapt-repo and waptconsole. */
#ifndef WA_CMD_ROOT_WORDS_H
#define WA_CMD_ROOT_WORDS_H

#include "cmd/get.h"
#include "repo/root_edit.h"

#define WA_REPO_SIGNER_OPTIONS                                                                     \
    {"sections", 0, "LIST"}, {"prefixes", 0, "LIST"}, {"code", 0, NULL}, {"publish", 0, NULL},     \
        {"actions", 0, "LIST"}, {"groups", 0, "LIST"},                                             \
    {                                                                                              \
        "units", 0, "LIST"                                                                         \
    }
/* Adds the signer with the rights that these options say, or describes him anew. */
WA_CHECK enum wa_code wa_repo_put_signer(const struct wa_cli *cli, struct wa_cert *c,
                                         struct wa_root *r, struct wa_err *err);
/* The options administrator (adds), threshold, published-days, timestamp-hours (set), and
 * timestamp-key: those given take the place of those that were there. */
WA_CHECK enum wa_code wa_repo_add_administrators(const struct wa_cli *cli, struct wa_root *r,
                                                 struct wa_err *err);
WA_CHECK enum wa_code wa_repo_put_limits(const struct wa_cli *cli, struct wa_root *r,
                                         struct wa_err *err);
WA_CHECK enum wa_code wa_repo_put_timestamp_keys(const struct wa_cli *cli, struct wa_root *r,
                                                 struct wa_err *err);
/* Shows a root, and what changes against old (may be NULL); with --json one object. */
WA_CHECK enum wa_code wa_repo_show_root(struct wa_cli *cli, const struct wa_root *r,
                                        const struct wa_root *old, struct wa_err *err);
/* A certificate's file, the first in it. */
WA_CHECK enum wa_code wa_repo_cert(const char *path, struct wa_cert **ret, struct wa_err *err);

#endif
