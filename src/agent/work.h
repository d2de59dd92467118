/* work.h - the bodies of the tasks, in the task thread. */
#ifndef WA_AGENT_WORK_H
#define WA_AGENT_WORK_H

#include "agent/manager_priv.h"

WA_CHECK enum wa_code wa_task_update(struct wa_task_run *run, struct wa_err *err);
WA_CHECK enum wa_code wa_task_install(struct wa_task_run *run, struct wa_err *err);
/* What installing would need here, what is asked for also when it is installed: into the cache. */
WA_CHECK enum wa_code wa_task_download(struct wa_task_run *run, struct wa_err *err);
WA_CHECK enum wa_code wa_task_upgrade(struct wa_task_run *run, bool download_only,
                                      struct wa_err *err);
WA_CHECK enum wa_code wa_task_remove(struct wa_task_run *run, struct wa_err *err);
WA_CHECK enum wa_code wa_task_forget(struct wa_task_run *run, struct wa_err *err);
WA_CHECK enum wa_code wa_task_audit(struct wa_task_run *run, struct wa_err *err);
/* Runs uninstall() of packages, which stay as they are for the agent: for those who try a script.
 */
WA_CHECK enum wa_code wa_task_uninstall(struct wa_task_run *run, struct wa_err *err);
WA_CHECK enum wa_code wa_task_session(struct wa_task_run *run, struct wa_err *err);
/* Whether such a request of this account's would run anything; in either thread, with its database.
 */
WA_CHECK enum wa_code wa_session_is_needed(struct wa_manager *m, struct wa_db *db, uint32_t uid,
                                           const struct wa_local_request *r, bool *ret,
                                           struct wa_err *err);
WA_CHECK enum wa_code wa_task_clean(struct wa_task_run *run, struct wa_err *err);
/* Seconds between a package's audits; 0: only when asked for. */
int64_t wa_audit_period(const struct wa_manager *m, const struct wa_control *c);
/* Only what sets a time of its own, or has one from the configuration, is ever due. */
bool wa_audit_is_due(const struct wa_manager *m, const struct wa_installed_row *row, int64_t now);

#endif
