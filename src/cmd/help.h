/* help.h - what the manual pages say of a program, for --help and the completions: generated from
 * man/ by tools/help.py. */
#ifndef WA_CMD_HELP_H
#define WA_CMD_HELP_H

#include "base/attr.h"

#include <stddef.h>

struct wa_help_row {
    const char *command; /* "": of the program */
    const char *option;  /* "--force"; "": of the command itself */
    const char *args;    /* what the synopsis calls its arguments */
    const char *text;    /* one sentence, without its full stop */
    const char *more;    /* the whole paragraph; of a command only */
};

struct wa_help {
    const char *language; /* "en", which comes first and is whole; NULL: no more */
    const struct wa_help_row *rows;
    size_t count;
};

/* Of the program that links it. */
extern const struct wa_help wa_help_of_program[];

#endif
