/* reader.h - the process that has installers and scripts read by other people's programs for the
 * local program, which itself can start nothing and parses none of a stranger's bytes.
 *
 * It is started before the local program gives up its power, and knows a closed list of programs,
 * each of which is confined (cmd/get_tool.c): no network, that file and no other of this person's,
 * a folder of its own. It hands on what they print, unread: as hostile as the file. When it is
 * killed another takes its place (cmd/con_reader.c); who was waiting for it is told so.
 */
#ifndef WA_CONSOLE_READER_H
#define WA_CONSOLE_READER_H

#include "net/stop.h"
#include "os/chan.h"

enum {
    WA_READER_ASK = 1, /* with the file; the payload: wa_installer_kind_name(), or one of those
                        * below; reasons are in the frame's language. The same id once more: the
                        * same question, of which one counts */
    WA_READER_TOLD,    /* the payload: what the programs printed */
    WA_READER_FAILED,  /* the payload: wa_code_name(), a blank, and why */
    WA_READER_BEGUN,   /* what was taken before will not be answered */
    WA_READER_TAKEN    /* the question is being looked at */
};
#define WA_READER_LINT "lint" /* of setup.py, for wa_lint_take() */
#define WA_READER_ICON "icon" /* a file's picture as a PNG that can be an icon, or nothing */
/* What it is asked, and what it answers. */
extern const struct wa_chan_rule wa_reader_asked[], wa_reader_told[];

struct wa_reader;
/* Takes over fd, the channel to it. */
WA_CHECK enum wa_code wa_reader_new(int fd, struct wa_reader **ret, struct wa_err *err);
void wa_reader_free(struct wa_reader *r);
WA_AUTO_DEFINE(wa_reader, wa_reader_free)
/* Blocking, from any thread; one question at a time, others wait. fd stays the caller's; what is
 * printed is appended to out. r NULL: there is none, WA_E_NOT_FOUND. WA_E_INVALID: the file can't
 * be read; WA_E_NOT_FOUND names what must be installed; WA_E_FAILED: the process was killed, and
 * whether another try makes sense; WA_E_CANCELLED: the stop (may be NULL) was pulled; WA_E_TIMEOUT,
 * WA_E_LIMIT. */
WA_CHECK enum wa_code wa_reader_ask(struct wa_reader *r, const char *what, int fd,
                                    struct wa_stop *stop, struct wa_buf *out, struct wa_err *err);

#endif
