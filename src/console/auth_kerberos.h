/* auth_kerberos.h - a ticket of this person's for the server's service, as a SPNEGO token. */
#ifndef WA_CONSOLE_AUTH_KERBEROS_H
#define WA_CONSOLE_AUTH_KERBEROS_H

#include "base/buf.h"

/* With the tickets that this person has (kinit, or the login at the workstation). host: the
 * server's name. binding: what the token is good for, and nothing else. token is appended, raw. May
 * take as long as the directory does not answer. WA_E_AUTH: there is no ticket, or it has expired;
 * WA_E_UNREACHABLE: none for the server could be had. */
WA_CHECK enum wa_code wa_person_ticket(const char *host, struct wa_sv binding, struct wa_buf *token,
                                       struct wa_err *err);

#endif
