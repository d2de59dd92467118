/* auth_spnego.h - a Kerberos ticket for a server's service, as a SPNEGO token (RFC 4178). */
#ifndef WA_NET_AUTH_SPNEGO_H
#define WA_NET_AUTH_SPNEGO_H

#include "base/buf.h"

struct wa_spnego {
    const char *host;           /* the server's name: its principal is HTTP/HOST */
    struct wa_sv binding;       /* what the token is good for, and nothing else */
    const char *principal;      /* whose ticket; NULL: of whoever has tickets here */
    const char *keys, *tickets; /* names of his keytab and of where tickets go; NULL: as usual */
    enum wa_code without;       /* what fails when he has no ticket at all, */
    const char *no_ticket;      /* as a text, marked */
    const char
        *no_service_ticket; /* what fails, WA_E_UNREACHABLE, when there is none for the server */
};
/* token is appended, raw. May take as long as the directory does not answer. WA_E_CONFIG: a name
 * that is none. */
WA_CHECK enum wa_code wa_spnego_token(const struct wa_spnego *q, struct wa_buf *token,
                                      struct wa_err *err);

#endif
