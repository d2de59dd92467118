/* host_plan.h - what an upgrade would do on a machine, and why, found out in the console: from what
 * the machine said last, the server's index and the machine's own package, as it is or as it would
 * be after a change.
 */
#ifndef WA_CONSOLE_HOST_PLAN_H
#define WA_CONSOLE_HOST_PLAN_H

#include "console/assign.h"
#include "pkg/plan.h"

struct wa_host_plan;
/* anchors: whose packages the machine takes; learns the index's revocation lists. wish: what would
 * change in what it is assigned; may be NULL. WA_E_NOT_FOUND for a machine that the server does not
 * know, or that has not told yet what it is. Blocking. */
WA_CHECK enum wa_code wa_host_plan_new(struct wa_client *c, const struct wa_target *host,
                                       struct wa_trust *anchors, const struct wa_assign_wish *wish,
                                       struct wa_host_plan **ret, struct wa_err *err);
void wa_host_plan_free(struct wa_host_plan *p);
WA_AUTO_DEFINE(wa_host_plan, wa_host_plan_free)
/* Borrowed. */
const struct wa_plan *wa_host_plan_get(const struct wa_host_plan *p);
const struct wa_assign_diff *wa_host_plan_diff(const struct wa_host_plan *p);

#endif
