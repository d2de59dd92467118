/* login.h - a machine asks its server whether a local user's password is right: POST
 * /agent/v1/login, for service_auth_type = waptserver-ldap.
 *
 * A statement signed with the machine's own key, as those of proto/report.h, but without a sequence
 * number: repeating it tells nobody more than its answer, and needs the password that is in it.
 * It travels over verified TLS only. Answer: {"accepted":true,"groups":["waptselfservice"]}, the
 * groups among those asked for; with accepted false there are none.
 */
#ifndef WA_PROTO_LOGIN_H
#define WA_PROTO_LOGIN_H

#include "proto/envelope.h"

#define WA_PURPOSE_LOGIN "wapt-login"

struct wa_login_msg {
    struct wa_sv uuid;
    int64_t time;
    struct wa_sv user, password;
    const char *const *groups; /* NULL-terminated, at most WA_AUTH_GROUPS_MAX */
};
WA_CHECK enum wa_code wa_login_write(const struct wa_login_msg *m, struct wa_buf *text,
                                     struct wa_err *err);
/* The groups are pointers into arena. WA_E_INVALID, also for an empty name or password. */
WA_CHECK enum wa_code wa_login_read(const struct wa_json *statement, struct wa_arena *arena,
                                    struct wa_login_msg *ret, struct wa_err *err);

struct wa_login_answer {
    bool is_right;
    bool in_group[WA_AUTH_GROUPS_MAX]; /* for groups[i] of the question */
};
void wa_login_answer_write(const struct wa_login_answer *a, const char *const *groups,
                           struct wa_buf *out);
/* WA_E_REFUSED when it names a group that was not asked for, or one beside "accepted":false. */
WA_CHECK enum wa_code wa_login_answer_read(const struct wa_json *j, const char *const *groups,
                                           struct wa_login_answer *ret, struct wa_err *err);

/* --- a person's own login by a Kerberos ticket: POST /api/v1/session/kerberos --- */
#define WA_LOGIN_BINDING_SIZE 80u /* bytes with NUL */
/* What the ticket is bound to (GSSAPI's channel bindings, application data): that it is a login
 * here, and the server's TLS certificate as its client sees it. fingerprint: its SHA-256, 64
 * digits. */
void wa_login_binding(const char *fingerprint, char out[WA_LOGIN_BINDING_SIZE]);

#endif
