/* oidc.h - the console's side of a login by OpenID Connect, as RFC 8252 has it for native programs:
 * the person's browser goes to the provider, and comes back to a port of this machine. */
#ifndef WA_CONSOLE_OIDC_H
#define WA_CONSOLE_OIDC_H

#include "console/client.h"

#define WA_OIDC_PATIENCE_MS 300000u /* ms: for a person at the provider */

/* Shows the person where to go, and does not wait. */
typedef enum wa_code (*wa_oidc_show_fn)(void *user, const char *url, struct wa_err *err);
/* Blocks until the browser comes back, at most WA_OIDC_PATIENCE_MS. c: a client without a session.
 * The server's answer, as to any login, in arena. WA_E_AUTH, WA_E_TIMEOUT; what the provider said
 * instead of a code. */
WA_CHECK enum wa_code wa_oidc_login(struct wa_client *c, wa_oidc_show_fn show, void *user,
                                    struct wa_arena *arena, const struct wa_json **ret,
                                    struct wa_err *err);

#endif
