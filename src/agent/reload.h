/* reload.h - another configuration, without a restart. */
#ifndef WA_AGENT_RELOAD_H
#define WA_AGENT_RELOAD_H

#include "agent/manager_priv.h"

/* The configuration as it is on disk, if this service could take it over. ret: to be freed. */
WA_CHECK enum wa_code wa_reload_check(struct wa_manager *m, struct wa_agent_config *ret,
                                      struct wa_err *err);
WA_CHECK enum wa_code wa_reload_task(struct wa_task_run *run, struct wa_err *err);
void wa_reload_on_signal(void *m, int signum); /* queues it */
void wa_reload_end(struct wa_manager *m);

#endif
