/* auth_question.h - the question of the manager to the processes that check passwords, as they read
 * it, and the form of their answer (WA_M_AUTH_ASK, WA_M_AUTH_ANSWER). */
#ifndef WA_AGENT_AUTH_QUESTION_H
#define WA_AGENT_AUTH_QUESTION_H

#include "codec/json.h"
#include "net/ldap.h"

struct wa_auth_question {
    char user[WA_PAM_USER_MAX + 1];
    char password[WA_PAM_PASSWORD_MAX + 1];
    bool has_password;
    char groups[WA_AUTH_GROUPS_MAX][WA_PAM_USER_MAX + 1];
    size_t group_count;
    /* which directory is asked; has_directory false: this machine's own accounts */
    bool has_directory, is_ldaps;
    char servers[1024], base[1024];
    struct wa_tls_trust trust; /* its text lives in the arena */
};
/* WA_E_INVALID, WA_E_LIMIT. */
WA_CHECK enum wa_code wa_auth_question_read(struct wa_sv text, struct wa_arena *arena,
                                            struct wa_auth_question *ret, struct wa_err *err);
/* in: for each group of q whether the user is in it. */
void wa_auth_answer_write(const struct wa_auth_question *q, bool is_right, const bool *in,
                          const char *reason, struct wa_buf *out);

#endif
