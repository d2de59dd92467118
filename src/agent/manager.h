/* manager.h - the manager's process. */
#ifndef WA_AGENT_MANAGER_H
#define WA_AGENT_MANAGER_H

#include "agent/manager_priv.h"

struct wa_manager_options {
    const char *config_file, *libdir;
    bool once;
    const char *launcher; /* socket of a launcher in a unit of its own; NULL: it is descriptor 3 */
};
/* The manager's process. Returns the exit status. */
int wa_role_manager(const struct wa_manager_options *options);

#endif
