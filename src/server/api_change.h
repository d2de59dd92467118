/* api_change.h - between the calls about people and those about one's own account. */
#ifndef WA_SERVER_API_CHANGE_H
#define WA_SERVER_API_CHANGE_H

#include "server/api.h"
#include "server/people.h"

/* Makes the change for the caller; a password is hashed first, and the request answered later. */
WA_CHECK enum wa_code wa_api_change_person(struct wa_api_call *c,
                                           const struct wa_person_change *change,
                                           struct wa_err *err);
WA_CHECK enum wa_code wa_api_list_tokens(struct wa_api_call *c, const char *user,
                                         struct wa_err *err);
WA_CHECK enum wa_code wa_api_revoke_token(struct wa_api_call *c, const char *user, const char *id,
                                          struct wa_err *err);

#endif
