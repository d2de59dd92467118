/* auth_ask.h - whether a password is somebody's, and in which groups he is. */
#ifndef WA_AGENT_AUTH_ASK_H
#define WA_AGENT_AUTH_ASK_H

#include "agent/manager_priv.h"

/* Whether the password is the user's, and in which groups the user is, as service_auth_type says.
 * From a thread of the pool: may take WA_AUTH_TIMEOUT_MS and more. password: p NULL asks for the
 * groups alone. groups: as wa_helper_auth(). */
WA_CHECK enum wa_code wa_auth_ask(struct wa_manager *m, const char *user, struct wa_sv password,
                                  const char *const *groups, struct wa_auth_answer *ret,
                                  struct wa_err *err);
/* Whether a directory tells the groups, which it does with the password only. Without one,
 * wa_auth_ask() then answers what was told of the user in the time of auth_grace before, else "in
 * none". */
bool wa_auth_needs_password(const struct wa_agent_config *c);
/* At the end of all. */
void wa_auth_forget(struct wa_manager *m);
/* Whether that is anything. */
bool wa_auth_is_known(struct wa_manager *m, const char *user);
/* csv: the groups of administrators, of this machine or of the directory. */
const char *wa_auth_admin_groups(const struct wa_agent_config *c);

#endif
