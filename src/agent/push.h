/* push.h - the push channel, and the orders that come by it. */
#ifndef WA_AGENT_PUSH_H
#define WA_AGENT_PUSH_H

#include "agent/manager_priv.h"

/* --- push.c --- */
WA_CHECK enum wa_code wa_push_start(struct wa_manager *m, struct wa_err *err);
void wa_push_stop(struct wa_manager *m);
/* Connects anew if the server, or how it is reached and trusted, is another one now. */
void wa_push_reloaded(struct wa_manager *m);
bool wa_push_is_up(const struct wa_manager *m); /* the network process runs */
/* Tells the server that nothing has changed since it last said what it has, by the sum of these
 * digests. False: it can't be told so now. From the tasks' thread. */
bool wa_push_same(struct wa_manager *m, const char sum[65]);
/* Each turn of the manager's clock: what has changed in the queue, while somebody looks at it. */
void wa_push_turn(struct wa_manager *m);
/* Tells the server, if it is there, that the order is being carried out. From any thread. */
void wa_push_begun(struct wa_manager *m, const char *action_id);

/* --- push_orders.c, of the loop's thread --- */
/* An order of the server's over the connection that our nonce is of: queued, or refused, which is
 * owed to the server then. False: refused, or to come again after an update. ret_id: its
 * identifier; "" where it has none to be believed, or is to come again. */
bool wa_order_take(struct wa_manager *m, const char *nonce, const struct wa_json *message,
                   struct wa_arena *arena, char ret_id[33]);
/* That update has ended: orders that wait for what it found come by a new connection. From the
 * tasks' thread. */
void wa_order_updated(struct wa_manager *m, int64_t task);

#endif
