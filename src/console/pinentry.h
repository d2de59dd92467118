/* pinentry.h - a question to a person by a pinentry, the program that GnuPG asks by: a window of
 * the desktop's, or a terminal's screen, that no page reaches. Its protocol is libassuan's. Blocks.
 */
#ifndef WA_CONSOLE_PINENTRY_H
#define WA_CONSOLE_PINENTRY_H

#include "base/buf.h"

struct wa_pinentry;
/* Speaks to the one that is at the other end of fd, which is taken over. terminal, kind: where one
 * without windows asks ("/dev/pts/1", "xterm"); NULL: nowhere. WA_E_UNREACHABLE: none is there. */
WA_CHECK enum wa_code wa_pinentry_open(int fd, const char *terminal, const char *kind,
                                       struct wa_pinentry **ret, struct wa_err *err);
void wa_pinentry_close(struct wa_pinentry *p);
WA_AUTO_DEFINE(wa_pinentry, wa_pinentry_close)

struct wa_pinentry_question {
    struct wa_sv text;  /* lines; what is too long for a window is shown in several */
    const char *prompt; /* beside where is typed */
    const char *error;  /* why it is asked again; NULL: it is not */
};
#define WA_PINENTRY_PATIENCE_S 120
/* What was typed is added to out. WA_E_CANCELLED: no, or no answer; WA_E_LIMIT: the text is longer
 * than anybody reads in windows; WA_E_UNREACHABLE: it has gone. */
WA_CHECK enum wa_code wa_pinentry_ask(struct wa_pinentry *p, const struct wa_pinentry_question *q,
                                      struct wa_buf *out, struct wa_err *err);

#endif
