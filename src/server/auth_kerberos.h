/* auth_kerberos.h - whose ticket a SPNEGO token is: the acceptor's side, with AES keys alone and a
 * replay cache that is never off. */
#ifndef WA_SERVER_AUTH_KERBEROS_H
#define WA_SERVER_AUTH_KERBEROS_H

#include "base/buf.h"

struct wa_kerberos;
/* keytab: its text; of the keys in it the AES ones of HTTP/... count. replays: path of the replay
 * cache, which is made. Sets environment variables: before other threads, once a process.
 * WA_E_CONFIG when there is no such key. */
WA_CHECK enum wa_code wa_kerberos_new(struct wa_sv keytab, const char *replays,
                                      struct wa_kerberos **ret, struct wa_err *err);
void wa_kerberos_free(struct wa_kerberos *k);
WA_AUTO_DEFINE(wa_kerberos, wa_kerberos_free)
/* Whether a realm is one of the keytab's. */
bool wa_kerberos_knows_realm(const struct wa_kerberos *k, struct wa_sv realm);

struct wa_ticket {
    char principal[512]; /* "PC001$@AD.EXAMPLE.ORG" */
    struct wa_buf pac;   /* logon information that the service's key vouches for; empty: none */
};
/* token: raw bytes. binding: what the client has bound it to. WA_E_AUTH with the reason: replayed,
 * expired, for another service, bound to something else or to nothing, an encryption other than
 * AES. ret->pac is to be initialised. */
WA_CHECK enum wa_code wa_kerberos_accept(struct wa_kerberos *k, struct wa_sv token,
                                         struct wa_sv binding, struct wa_ticket *ret,
                                         struct wa_err *err);

#endif
