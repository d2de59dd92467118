/* cancels.h - what a cancel takes back: actions that have not ended, or one task that nobody
 * ordered; one identifier for each target, and until when it must be good. */
#ifndef WA_CONSOLE_CANCELS_H
#define WA_CONSOLE_CANCELS_H

#include "console/orders.h"

struct wa_cancels {
    struct wa_targets *targets; /* borrowed; empty at first */
    char (*ids)[33];            /* of each target; owned */
    size_t cap;
    int64_t until; /* the last of their not_after */
};
void wa_cancels_fini(struct wa_cancels *c);
/* A wa_orders_fn, cancels: a struct wa_cancels. Adds the action unless it has ended. WA_E_INVALID
 * for one that can't be read, and above WA_ACTION_HOSTS_MAX. */
WA_CHECK enum wa_code wa_cancels_add(void *cancels, const struct wa_json *action,
                                     struct wa_err *err);
/* The task of that name (32 digits) of the one machine that targets has. The server knows nothing
 * of it but what the machine says, and no other task is ever called so. */
WA_CHECK enum wa_code wa_cancels_task(struct wa_cancels *c, const char *id, struct wa_err *err);
/* Of at most max targets from the from-th on; it borrows from c. */
struct wa_order_plan wa_cancels_plan(const struct wa_cancels *c, size_t from, size_t max);

#endif
