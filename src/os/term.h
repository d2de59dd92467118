/* term.h - the person at the terminal. */
#ifndef WA_OS_TERM_H
#define WA_OS_TERM_H

#include "base/buf.h"

/* Asks on the process's terminal, never on standard input, and does not show what is typed. Appends the line without its
 * end to out, whose cap holds. WA_E_AUTH without a terminal or when the person gave up (^C, ^D): the terminal is then as
 * it was before. */
WA_CHECK enum wa_code wa_term_ask_secret(const char *prompt, struct wa_buf *out, struct wa_err *err);
/* Whether standard error is shown to a person: then progress may overwrite its line. */
bool wa_term_is_shown(void);

#endif
