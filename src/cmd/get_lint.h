/* get_lint.h - mistakes in source directories, for the commands that build. */
#ifndef WA_CMD_GET_LINT_H
#define WA_CMD_GET_LINT_H

#include "base/vec.h"
#include "cmd/cli.h"
#include "pkg/lint.h"

#define WA_GET_LINT_OPTIONS                                                                        \
    {                                                                                              \
        "ignore", 0, "LIST"                                                                        \
    }

/* The words of an option that takes lists and may be given more than once; NULL at the end. */
struct wa_get_words {
    WA_VEC(char *);
};
void wa_get_words_fini(struct wa_get_words *w);
#define WA_AUTO_GET_WORDS WA_CLEANUP(wa_get_words_fini)
WA_CHECK enum wa_code wa_get_words(const struct wa_cli *cli, const char *option,
                                   struct wa_get_words *ret, struct wa_err *err);

/* All rules, setup.py's included. WA_E_NOT_FOUND when there is no such directory. */
WA_CHECK enum wa_code wa_get_lint_dir(const char *path, const struct wa_build_options *o,
                                      struct wa_findings *f, struct wa_err *err);
/* "findings": [...] of the object that has been begun. */
void wa_get_lint_json(struct wa_cli *cli, const struct wa_findings *f);
/* Warnings and errors as remarks, for a command whose result is another. */
void wa_get_lint_say(const struct wa_cli *cli, const char *path, const struct wa_findings *f);

#endif
