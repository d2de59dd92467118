/* oidc_grant.h - what is kept of a refresh token: sealed, for the oidc process alone. */
#ifndef WA_SERVER_OIDC_GRANT_H
#define WA_SERVER_OIDC_GRANT_H

#include "crypto/seal.h"
#include "server/oidc.h"

/* Whose it is, as the store says. */
struct wa_oidc_holder {
    const char *session; /* its SHA-256, in hex */
    const char *user;
};
struct wa_oidc_grant {
    struct wa_sv token;
    char nonce[WA_OIDC_HASH];              /* of the login that it came with */
    char subject[WA_OIDC_SUBJECT_MAX + 1]; /* whose it is at the provider */
};
/* Appends a text without blanks that opens for this session of this person, and for this provider
 * and client, only. */
WA_CHECK enum wa_code wa_oidc_grant_seal(const uint8_t key[WA_SEAL_KEY],
                                         const struct wa_oidc_settings *s,
                                         const struct wa_oidc_holder *h,
                                         const struct wa_oidc_grant *g, struct wa_buf *out,
                                         struct wa_err *err);
/* WA_E_REFUSED: it was sealed for another, or with another key. clear: a secret buffer, which
 * ret->token borrows. */
WA_CHECK enum wa_code wa_oidc_grant_open(const uint8_t key[WA_SEAL_KEY],
                                         const struct wa_oidc_settings *s,
                                         const struct wa_oidc_holder *h, struct wa_sv sealed,
                                         struct wa_buf *clear, struct wa_oidc_grant *ret,
                                         struct wa_err *err);

#endif
