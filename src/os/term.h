/* term.h - the terminal that a person sits at: whether there is one, its width, one line from it.
 */
#ifndef WA_OS_TERM_H
#define WA_OS_TERM_H

#include "base/buf.h"

/* Whether standard output, or standard error, is shown on one. */
bool wa_term_is_out(void);
bool wa_term_is_err(void);
/* Path of the terminal on which standard error, or standard output, is shown; "" without one, or
 * where it is longer than size. */
void wa_term_name(char *out, size_t size);
/* Places of a line of standard output; 0: no terminal, or one that does not say. */
size_t wa_term_width(void);
/* Shows prompt on the controlling terminal, whatever standard input and output are, and appends the
 * line that is typed, without its end. echo: it is seen; without, ^C is held back until the
 * terminal shows again what is typed. WA_E_AUTH without a terminal or when the person gives up. */
WA_CHECK enum wa_code wa_term_ask(const char *prompt, bool echo, struct wa_buf *out,
                                  struct wa_err *err);

/* A terminal whose keys come as they are pressed, unseen, ^C among them. */
struct wa_term;
/* path NULL: the controlling one. WA_E_NOT_FOUND: it is none, or there is none. */
WA_CHECK enum wa_code wa_term_open(const char *path, struct wa_term **ret, struct wa_err *err);
/* It is again as it was. NULL is fine. */
void wa_term_close(struct wa_term *t);
int wa_term_fd(const struct wa_term *t); /* readable when a key was pressed */
/* False: no key was pressed, or the terminal has gone. */
bool wa_term_key(struct wa_term *t, char *ret);
/* What it does not take within a moment is lost: nobody waits for a terminal that stands still. */
void wa_term_put(struct wa_term *t, struct wa_sv text);
/* Places of its lines; 80 where it does not say. */
size_t wa_term_columns(const struct wa_term *t);

#endif
