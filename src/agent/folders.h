/* folders.h - the agent's own folders. */
#ifndef WA_AGENT_FOLDERS_H
#define WA_AGENT_FOLDERS_H

#include "agent/manager_priv.h"

/* Checks and mends the agent's folders, and opens the base directory. WA_E_DENIED: others than root
 * could change the agent, or whom it trusts. */
WA_CHECK enum wa_code wa_folders_check(struct wa_manager *m, struct wa_err *err);
/* Of another configuration, without mending: its own file, and whom it trusts. */
WA_CHECK enum wa_code wa_folders_check_config(const struct wa_agent_config *c, struct wa_err *err);

#endif
