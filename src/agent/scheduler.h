/* scheduler.h - what the machine does by itself, and when. */
#ifndef WA_AGENT_SCHEDULER_H
#define WA_AGENT_SCHEDULER_H

#include "agent/manager_priv.h"

/* --- scheduler.c --- */
#define WA_SCHEDULER "scheduler"           /* created_by of its tasks */
#define WA_PARAM_WINDOWS "package_windows" /* maintenance windows of the machine's own packages */
#define WA_PARAM_FREEZES "package_freezes"
#define WA_PARAM_HOLDS "package_holds"       /* what packages hold; csv */
#define WA_PARAM_POLICIES "package_policies" /* JSON: by, windows, freezes, holds of each */
#define WA_PARAM_FORCED "pending_forced"     /* lines: when, what */
WA_CHECK enum wa_code wa_schedule_start(struct wa_manager *m, int64_t now, struct wa_err *err);
/* Queues what is due; at each turn of the loop's clock. */
void wa_schedule_turn(struct wa_manager *m, int64_t now);
/* Members of a JSON object. */
WA_CHECK enum wa_code wa_schedule_status(struct wa_manager *m, struct wa_jw *w, struct wa_err *err);
/* The task thread's: what holds now and next, as members of the section "policy". */
WA_CHECK enum wa_code wa_schedule_policy(struct wa_manager *m, struct wa_jw *w, struct wa_err *err);
/* What the clock on the wall shows, as seconds since 1970. */
int64_t wa_schedule_local(int64_t seconds);
/* The task thread's: whether the task may begin now, and until when a scheduled upgrade may go on.
 * WA_E_CANCELLED: what is scheduled is put off; WA_E_REFUSED: an upgrade in a freeze. */
WA_CHECK enum wa_code wa_schedule_begin(struct wa_task_run *run, struct wa_err *err);
/* The task thread's: a task has ended so. A scheduled upgrade that was put off is due again, one
 * that failed after a while that grows with each failure in a row. */
void wa_schedule_ended(const struct wa_task_run *run, enum wa_code code);
/* The task thread's: when the first pending package is forced; 0: none is. */
void wa_schedule_forced(struct wa_manager *m, int64_t at);

/* --- pending.c, of the task thread --- */
/* Plans an upgrade and keeps what it would do. *ret_arrivals: something would be installed. */
WA_CHECK enum wa_code wa_pending_remember(struct wa_manager *m, bool *ret_arrivals,
                                          struct wa_err *err);

#endif
