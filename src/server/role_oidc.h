/* role_oidc.h - what the oidc process answers the store, for tests without the process. */
#ifndef WA_SERVER_ROLE_OIDC_H
#define WA_SERVER_ROLE_OIDC_H

#include "crypto/seal.h"
#include "net/tls.h"
#include "server/config.h"
#include "server/oidc.h"

struct wa_oidc_role;
/* s and trust must outlive it. An issuer of "": it knows no provider. key: copied; what is kept of
 * refresh tokens is sealed with it. */
WA_CHECK enum wa_code wa_oidc_role_new(const struct wa_oidc_settings *s, struct wa_tls_trust *trust,
                                       const uint8_t key[WA_SEAL_KEY], struct wa_oidc_role **ret,
                                       struct wa_err *err);
void wa_oidc_role_free(struct wa_oidc_role *r);
WA_AUTO_DEFINE(wa_oidc_role, wa_oidc_role_free)
/* All but the secret; borrowed. */
void wa_oidc_settings_of(const struct wa_server_config *c, struct wa_oidc_settings *ret);
/* user: struct wa_oidc_role *. Appends WA_S_OIDC_IS: a refusal is an answer too. */
WA_CHECK enum wa_code wa_oidc_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                                     struct wa_err *err);

#endif
