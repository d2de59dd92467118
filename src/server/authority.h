/* authority.h - the server's own authority: it issues the certificates by which machines show
 * themselves on TLS (security target F1A), and the list of those that were revoked.
 *
 * Its key is the signer's alone; fronts and store know its certificate. Servers of one database
 * share both files.
 */
#ifndef WA_SERVER_AUTHORITY_H
#define WA_SERVER_AUTHORITY_H

#include "codec/json.h"
#include "server/config.h"

struct wa_authority {
    struct wa_cert *cert;
    struct wa_key *key; /* the signer's; NULL elsewhere */
};
void wa_authority_fini(struct wa_authority *a);

/* Makes private/authority.pem and .crt when they are not there yet. */
WA_CHECK enum wa_code wa_authority_make(const char *dir, struct wa_err *err);
/* with_key: for the signer. WA_E_CONFIG with what to do when they can't be used. */
WA_CHECK enum wa_code wa_authority_read(const struct wa_server_config *c, bool with_key,
                                        struct wa_authority *ret, struct wa_err *err);

/* --- the signer: what it composes; anything malformed is refused --- */
/* {"certify":{"uuid","key","days"}}: a certificate of that name for that public key, for TLS
 * clients and nothing else, for at most WA_CLIENT_CERT_DAYS_MAX. Answers {"certificate"}. */
WA_CHECK enum wa_code wa_authority_certify(const struct wa_authority *a, const struct wa_json *what,
                                           struct wa_buf *answer, struct wa_err *err);
/* {"revoked":[{"serial","at"}...]}: the list as of now, for WA_CRL_DAYS. Answers {"crl"}. */
WA_CHECK enum wa_code wa_authority_revoke(const struct wa_authority *a, const struct wa_json *list,
                                          struct wa_buf *answer, struct wa_err *err);

#endif
