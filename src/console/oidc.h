/* oidc.h - the console's side of a login by OpenID Connect, as RFC 8252 has it for native programs:
 * the person's browser goes to the provider, and comes back to a port of this machine. */
#ifndef WA_CONSOLE_OIDC_H
#define WA_CONSOLE_OIDC_H

#include "console/client.h"

#define WA_OIDC_PATIENCE_MS 300000u /* ms: for a person at the provider */

#define WA_OIDC_NOBODY "nobody came back from the provider in time"

struct wa_oidc; /* one login */
/* c: a client without a session. Listens on this machine, and has the server say where the person's
 * browser goes. */
WA_CHECK enum wa_code wa_oidc_begin(struct wa_client *c, struct wa_oidc **ret, struct wa_err *err);
/* "https://...", printable. */
const char *wa_oidc_url(const struct wa_oidc *l);
/* Readable when somebody has come. Not blocking; l's own. */
int wa_oidc_fd(const struct wa_oidc *l);
/* Answers one who has come: blocks for some seconds at most, less when the stop (NULL: none) is
 * pulled. True: it was the browser, and wa_oidc_end() is next. */
bool wa_oidc_hear(struct wa_oidc *l, struct wa_stop *stop);
/* c has a session then. WA_E_AUTH; what the provider said instead of a code. */
WA_CHECK enum wa_code wa_oidc_end(struct wa_oidc *l, struct wa_client *c, struct wa_err *err);
void wa_oidc_free(struct wa_oidc *l);
WA_AUTO_DEFINE(wa_oidc, wa_oidc_free)

/* Shows the person where to go, and does not wait. */
typedef enum wa_code (*wa_oidc_show_fn)(void *user, const char *url, struct wa_err *err);
/* All of it: blocks until the browser comes back, at most WA_OIDC_PATIENCE_MS. WA_E_TIMEOUT. */
WA_CHECK enum wa_code wa_oidc_login(struct wa_client *c, wa_oidc_show_fn show, void *user,
                                    struct wa_err *err);

#endif
