/* login.h - the way in for people: whoever has proved who he is gets a session. */
#ifndef WA_SERVER_LOGIN_H
#define WA_SERVER_LOGIN_H

#include "crypto/digest.h"
#include "server/login_directory.h"
#include "server/oidc.h"
#include "server/store_priv.h"
#include "server/store_sessions.h"

#define WA_LOGIN_CODE_MAX 32u /* bytes of a code, or of a recovery code as people type it */

struct wa_api_call;
/* POST /api/v1/session. */
WA_CHECK enum wa_code wa_login_call(struct wa_api_call *c, struct wa_err *err);

/* Answers r with a new session of the person, who has just proved who he is by method: "password",
 * "directory", "certificate", "kerberos", "oidc". Nobody but these functions makes sessions.
 * Somebody who is not there or disabled is refused like a wrong password. r is answered and freed.
 */
void wa_login_grant(struct wa_store_request *r, const char *user, const char *method);
/* The same for a session that is good only with the certificate that the request came with.
 * is_registered: that is known here; else its authority may revoke it any time, and the session is
 * as short as those of the directory's people. */
void wa_login_grant_bound(struct wa_store_request *r, const char *user, bool is_registered);
/* The same by "oidc", with that token; sealed: by what the provider is asked again, which the oidc
 * process made for this session and person, "": by nothing. */
void wa_login_grant_renewed(struct wa_store_request *r, const char *user, const char *token,
                            const char *sealed);
/* Another vouches for the person, who was asked just now: until when that is good. is_renewed: he
 * is asked again after directory_session, and has as long again to answer, but never longer than
 * session_max after the beginning; else it is good for directory_session. */
void wa_login_judged(const struct wa_store *s, struct wa_person_session *n, bool is_renewed,
                     int64_t now);
/* The first factor was right, an attempt of the request's address and the user's: asks for the
 * second one, if he has one (code: "" when none was given), and grants. */
void wa_login_proved(struct wa_store_request *r, const char *user, const char *method,
                     const char *code);
/* Refuses: "user or password is wrong", whatever it was; why: for the log. */
void wa_login_deny(struct wa_store_request *r, const char *user, const char *why);
/* Refuses with err, which goes to the log too. */
void wa_login_refuse(struct wa_store_request *r, const char *user, const struct wa_err *err);

/* --- login_foreign.c: people for whom another vouches --- */
struct wa_role_map;
struct wa_voucher {
    const char *user, *origin; /* "directory", "oidc" */
    const char *subject;       /* who it is for good, whatever the name; "": the name is all */
    const char *once;          /* proves it a single time, for ten minutes; NULL: nothing like it */
};
/* He is a person here from now on, as the entry of the map says. WA_E_DENIED for one that is none,
 * WA_E_CONFLICT when somebody else has that name. */
WA_CHECK enum wa_code wa_login_take_in(struct wa_store *s, const struct wa_voucher *v,
                                       const struct wa_role_map *map, size_t entry,
                                       struct wa_err *err);
/* --- login_certificate.c --- */
/* POST /api/v1/session/certificate. */
WA_CHECK enum wa_code wa_login_certificate_call(struct wa_api_call *c, struct wa_err *err);
/* Whether the certificate that the request's connection shows is one by which a person could log
 * in, once it is registered. WA_E_USAGE, with the reason; WA_E_DENIED: nobody does so here. */
WA_CHECK enum wa_code wa_login_certificate_check(const struct wa_store_request *r,
                                                 struct wa_err *err);
/* --- login_kerberos.c --- */
/* POST /api/v1/session/kerberos. */
WA_CHECK enum wa_code wa_login_kerberos_call(struct wa_api_call *c, struct wa_err *err);
/* --- login_oidc.c --- */
struct wa_oidc_says {
    char name[WA_NAME_MAX + 1], subject[WA_OIDC_SUBJECT_MAX + 1], nonce[WA_OIDC_HASH];
    char sealed[WA_OIDC_SEALED_MAX + 1]; /* by what the provider is asked again; "": by nothing */
    size_t entry; /* of the map: the first whose group the person is in; n: in none */
};
WA_CHECK enum wa_code wa_oidc_read_person(const struct wa_role_map *map, const struct wa_json *j,
                                          struct wa_oidc_says *ret, struct wa_err *err);
/* POST /api/v1/session/oidc/start and /api/v1/session/oidc. */
WA_CHECK enum wa_code wa_login_oidc_begin(struct wa_api_call *c, struct wa_err *err);
WA_CHECK enum wa_code wa_login_oidc_call(struct wa_api_call *c, struct wa_err *err);

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
