/* accounts_priv.h - the readers behind accounts.h and drives.h, for their tests. All pure. */
#ifndef WA_OS_LINUX_ACCOUNTS_PRIV_H
#define WA_OS_LINUX_ACCOUNTS_PRIV_H

#include "os/accounts.h"
#include "os/drives.h"

WA_CHECK enum wa_code wa_passwd_each(struct wa_sv text, wa_account_fn fn, void *user,
                                     struct wa_err *err);
WA_CHECK enum wa_code wa_group_each(struct wa_sv text, wa_account_fn fn, void *user,
                                    struct wa_err *err);

WA_CHECK enum wa_code wa_environment_each(struct wa_sv text, wa_account_fn fn, void *user,
                                          struct wa_err *err);

/* Appends the users of the sessions in a file of utmp(5), each once, sorted, as a csv list. */
void wa_utmp_users(struct wa_sv bytes, struct wa_buf *out);
/* The name of a user who is logged in, out of a file of systemd-logind(8) in /run/systemd/users; ""
 * for one who only has services. */
void wa_logind_user(struct wa_sv text, char ret[WA_LOGIN_NAME]);
/* The user of the last session that began, by the end of a file like it. */
void wa_utmp_last(struct wa_sv bytes, char ret[WA_LOGIN_NAME]);
#define WA_UTMP_RECORD 384 /* bytes */

struct wa_mount {
    char point[WA_PATH_MAX], device[256], type[64];
};
/* The next local disk of /proc/self/mounts out of *text; false at the end. */
bool wa_mounts_next(struct wa_sv *text, struct wa_mount *ret);
void wa_meminfo(struct wa_sv text, struct wa_memory *ret);
void wa_boot_time(struct wa_sv text, struct wa_memory *ret); /* of /proc/stat */

#endif
