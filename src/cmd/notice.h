/* notice.h - telling those who are at work on this machine, from root. */
#ifndef WA_CMD_NOTICE_H
#define WA_CMD_NOTICE_H

#include "base/sv.h"

/* Runs a program of the system by its path; what it says goes to standard error. *ret_is_good: it
 * ended with 0. WA_E_TIMEOUT: it was killed. */
WA_CHECK enum wa_code wa_notice_run(const char *const *argv, int timeout_ms, bool *ret_is_good,
                                    struct wa_err *err);
/* Shows text on all terminals, and makes run/NAME of the configuration's base directory anew, which
 * units of users' own systemd watch. Terminals that can't be told are no failure. */
WA_CHECK enum wa_code wa_notice_all(const char *config_file, const char *name, const char *text,
                                    struct wa_err *err);

#endif
