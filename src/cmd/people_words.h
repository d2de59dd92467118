/* people_words.h - what the commands about people have in common: a perimeter by options,
 * and in words. */
#ifndef WA_CMD_PEOPLE_WORDS_H
#define WA_CMD_PEOPLE_WORDS_H

#include "cmd/cli.h"

#define WA_PERIMETER_OPTIONS                                                                       \
    {"group", 0, "NAME"}, {"profile", 0, "NAME"}, {"unit", 0, "DN"},                               \
    {                                                                                              \
        "all-machines", 0, NULL                                                                    \
    }
/* Appends the perimeter that they name, as JSON; nothing when none does, or --all-machines.
 * WA_E_USAGE for both together, and for neither where is_required. */
WA_CHECK enum wa_code wa_people_perimeter(const struct wa_cli *cli, bool is_required,
                                          struct wa_buf *out, struct wa_err *err);
/* Appends in a person's words what such JSON says; "": all machines. */
WA_CHECK enum wa_code wa_people_perimeter_words(struct wa_sv perimeter, struct wa_buf *out,
                                                struct wa_err *err);

#endif
