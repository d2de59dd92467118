/* accounts.h - the accounts and groups that are this machine's own, and who is at it. Not those of
 * a directory: nobody lists ten thousand of them for one machine. */
#ifndef WA_OS_ACCOUNTS_H
#define WA_OS_ACCOUNTS_H

#include "base/buf.h"

/* A name; of a group its members too, as a csv list, of a variable its value. */
typedef enum wa_code (*wa_account_fn)(void *user, struct wa_sv name, struct wa_sv members,
                                      struct wa_err *err);
/* Of persons: uid 1000 to 59999, and root. */
WA_CHECK enum wa_code wa_accounts_list(wa_account_fn fn, void *user, struct wa_err *err);
/* Those that have members. */
WA_CHECK enum wa_code wa_groups_list(wa_account_fn fn, void *user, struct wa_err *err);

/* Appends the names of who is logged in, each once, sorted, as a csv list. */
WA_CHECK enum wa_code wa_sessions_list(struct wa_buf *out, struct wa_err *err);
/* Who logged in last; "" when that is not recorded. */
#define WA_LOGIN_NAME 33 /* with NUL: what utmp(5) has room for */
WA_CHECK enum wa_code wa_sessions_last(char ret[WA_LOGIN_NAME], struct wa_err *err);

/* The variables that every session of this machine gets (environment(5) of PAM), and those of this
 * process. */
WA_CHECK enum wa_code wa_environment_list(wa_account_fn fn, void *user, struct wa_err *err);

#endif
