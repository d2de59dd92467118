/* pac.h - what a ticket of Active Directory says of an account: its PAC's logon information
 * (MS-PAC 2.5, KERB_VALIDATION_INFO). GSSAPI has checked its signature. */
#ifndef WA_SERVER_PAC_H
#define WA_SERVER_PAC_H

#include "base/sv.h"

#define WA_SID_SIZE 192u /* bytes with the NUL: S-1-, an authority, 15 parts */

struct wa_pac {
    char account[257];     /* sAMAccountName, "PC001$" */
    char sid[WA_SID_SIZE]; /* of the account */
    uint32_t flags;        /* UserAccountControl, in the form of MS-SAMR 2.2.1.12 */
    bool in_group;         /* in the one that was asked for */
};
#define WA_PAC_DISABLED 0x1u
#define WA_PAC_PERSON 0x10u
#define WA_PAC_TRUST 0x40u /* another domain's */
#define WA_PAC_WORKSTATION 0x80u
#define WA_PAC_CONTROLLER 0x100u

/* group: SID of a group that is looked for among all that the PAC names; "": none. WA_E_INVALID for
 * what is not well formed, WA_E_LIMIT. */
WA_CHECK enum wa_code wa_pac_read(struct wa_sv logon_info, const char *group, struct wa_pac *ret,
                                  struct wa_err *err);

#endif
