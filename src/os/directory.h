/* directory.h - what a directory (Active Directory by way of SSSD or winbind) says of this
 * machine's own account, through the system's name service. May block for as long as the directory
 * is away.
 */
#ifndef WA_OS_DIRECTORY_H
#define WA_OS_DIRECTORY_H

#include "base/sv.h"

#define WA_DIRECTORY_DN 2048 /* bytes with NUL */
typedef enum wa_code (*wa_group_fn)(void *user, const char *name, struct wa_err *err);

/* Calls fn for each group of the account, nested ones included, without the domain's name, and puts
 * its distinguished name into ret_dn, "" where the name service does not tell it (it is SSSD's to
 * tell). workgroup: before which winbind knows the account; "": none. *ret_is_known false: nobody
 * has such an account, or who has can't be asked now. */
WA_CHECK enum wa_code wa_directory_ask(const char *account, const char *workgroup,
                                       char ret_dn[WA_DIRECTORY_DN], wa_group_fn fn, void *user,
                                       bool *ret_is_known, struct wa_err *err);
#endif
