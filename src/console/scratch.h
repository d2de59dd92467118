/* scratch.h - a private folder for as long as something is put together. What a killed program has
 * left of the same kind goes with the next one that is made.
 */
#ifndef WA_CONSOLE_SCRATCH_H
#define WA_CONSOLE_SCRATCH_H

#include "os/fs.h"

struct wa_scratch { /* all 0: none */
    char path[WA_PATH_MAX];
    struct wa_dir dir; /* open while path is there: what holds it */
};
/* kind: the first part of its name. */
WA_CHECK enum wa_code wa_scratch_open(struct wa_scratch *s, const char *kind, struct wa_err *err);
/* Removes it with all that is in it; one that is none is left alone. */
void wa_scratch_close(struct wa_scratch *s);
#define WA_AUTO_SCRATCH WA_CLEANUP(wa_scratch_close)

#endif
