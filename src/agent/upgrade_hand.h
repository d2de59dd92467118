/* upgrade_hand.h - the agent's own replacement. */
#ifndef WA_AGENT_UPGRADE_HAND_H
#define WA_AGENT_UPGRADE_HAND_H

#include "agent/manager_priv.h"

#define WA_UPGRADE_RIGHT "upgrade-agent" /* among the root's actions */
/* Puts a Debian package, the file of that name in the verified package, where the upgrade finds
 * it. WA_E_REFUSED: its signer may not, or it failed here before. */
WA_CHECK enum wa_code wa_upgrade_hand(struct wa_task_run *run, struct wa_members *members,
                                      const struct wa_verdict *v, const char *name,
                                      struct wa_err *err);
/* Starts what was handed. It ends this service soon. */
WA_CHECK enum wa_code wa_upgrade_begin(struct wa_manager *m, struct wa_err *err);
/* Tells, once, what became of the last one. */
WA_CHECK enum wa_code wa_upgrade_notice(struct wa_manager *m, struct wa_db *db, struct wa_err *err);

#endif
