/* auth_pam.h - one password, asked of PAM. The only file that knows PAM is auth_pam.c. */
#ifndef WA_AGENT_AUTH_PAM_H
#define WA_AGENT_AUTH_PAM_H

#include "base/sv.h"

/* The PAM service that is asked; NULL: there is none. */
const char *wa_pam_service(void);

#define WA_PAM_REASON_MAX 128 /* bytes with NUL */

/* Whether password is user's and the account may be used now. *ret_ok false with a reason for the
 * log (never for the caller, who learns yes or no) when PAM says no. An empty password is refused
 * before PAM is asked. Blocks: PAM waits about two seconds after a wrong one. Service: the first of
 * "wapt", "sudo", "login" that /etc/pam.d or /usr/lib/pam.d has; WA_E_CONFIG when there is none
 * (PAM would fall back to "other"). Errors: WA_E_NOMEM, WA_E_FAILED. */
WA_CHECK enum wa_code wa_pam_check(const char *user, const char *password, bool *ret_ok,
                                   char ret_reason[WA_PAM_REASON_MAX], struct wa_err *err);

#endif
