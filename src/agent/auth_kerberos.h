/* auth_kerberos.h - this machine's ticket for the server's service, as a SPNEGO token. */
#ifndef WA_AGENT_AUTH_KERBEROS_H
#define WA_AGENT_AUTH_KERBEROS_H

#include "base/buf.h"

/* keytab: text of the machine's own. host: the server's name. binding: what the token is good for,
 * and nothing else. token is appended, raw. May take as long as the directory does not answer.
 * WA_E_CONFIG: the keytab has no machine's AES key; WA_E_UNREACHABLE: no ticket could be had. */
WA_CHECK enum wa_code wa_ticket_make(struct wa_sv keytab, const char *host, struct wa_sv binding,
                                     struct wa_buf *token, struct wa_err *err);

#endif
