/* icons.h - icons of packages, for who shows them. */
#ifndef WA_AGENT_ICONS_H
#define WA_AGENT_ICONS_H

#include "agent/manager_priv.h"

/* Array of what there is of the icons of those packages, base64; what is missing is fetched later.
 * The loop's thread. */
WA_CHECK enum wa_code wa_icons_write(struct wa_manager *m, const struct wa_local_request *r,
                                     struct wa_jw *w, struct wa_err *err);
/* The task thread's, when nothing else is to be done: fetches one. False: none is wanted. */
bool wa_icons_fetch(struct wa_manager *m);

#endif
