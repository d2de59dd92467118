/* login.h - the way in for people: whoever has proved who he is gets a session. */
#ifndef WA_SERVER_LOGIN_H
#define WA_SERVER_LOGIN_H

#include "crypto/digest.h"
#include "server/store_priv.h"

struct wa_api_call;
/* POST /api/v1/session. */
WA_CHECK enum wa_code wa_login_call(struct wa_api_call *c, struct wa_err *err);

/* Answers r with a new session of the person, who has just proved who he is by method: "password",
 * "directory", "certificate", "kerberos", "oidc". Nobody but these functions makes sessions.
 * Somebody who is not there or disabled is refused like a wrong password. r is answered and freed.
 */
void wa_login_grant(struct wa_store_request *r, const char *user, const char *method);
/* Refuses: "user or password is wrong", whatever it was; why: for the log. */
void wa_login_deny(struct wa_store_request *r, const char *user, const char *why);

/* Whether the person must have a second factor, and has none yet: then a session is good for
 * nothing but setting it up. Only where a password was what he proved himself by. */
bool wa_login_lacks_factor(const struct wa_store *s, const struct wa_person *p, const char *method);
/* A code of the person's second factor is about to be looked at, and counts as wrong until
 * wa_throttle_good() takes it back: few, with growing pauses. WA_E_BUSY when it must wait. */
WA_CHECK enum wa_code wa_login_begin_code(struct wa_store *s, const char *user, struct wa_err *err);
/* What is kept of a recovery code: people type it with blanks and dashes, in upper or lower case.
 */
WA_CHECK enum wa_code wa_login_recovery(const char *user, struct wa_sv code,
                                        char digest[WA_SHA256_HEX], struct wa_err *err);

#endif
