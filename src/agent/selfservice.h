/* selfservice.h - what a caller of the local interface may install and remove: as an administrator,
 * or by the rules of the self-service packages that are installed here.
 */
#ifndef WA_AGENT_SELFSERVICE_H
#define WA_AGENT_SELFSERVICE_H

#include "agent/tasks.h"
#include "pkg/plan.h"
#include "pkg/selfservice.h"

/* The task thread's: verifies the installed self-service packages again, and keeps the sum of their
 * rules. One that does not hold any more counts for nothing and is logged. */
WA_CHECK enum wa_code wa_self_remember(struct wa_manager *m, struct wa_err *err);
/* What was kept. r: initialised. */
WA_CHECK enum wa_code wa_self_load(struct wa_db *db, struct wa_self_rules *r, struct wa_err *err);

/* Somebody who asks, once their groups are known. */
struct wa_caller {
    bool is_admin;               /* root, a member of waptselfservice, or a local administrator */
    bool in[WA_SELF_GROUPS_MAX]; /* groups of the rules */
    struct wa_self_rules rules;
};
/* Whether the rules let them install it, and remove it where removing is allowed. */
bool wa_caller_may(const struct wa_caller *c, const char *package, const char *section);

/* Of a limited request: what the plan does beyond what the person may ask for is an error.
 * WA_E_DENIED. */
WA_CHECK enum wa_code wa_self_check_plan(const struct wa_task_run *run, const struct wa_plan *plan,
                                         struct wa_err *err);

#endif
