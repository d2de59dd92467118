/* store_actions.h - orders in the server's database. */
#ifndef WA_SERVER_STORE_ACTIONS_H
#define WA_SERVER_STORE_ACTIONS_H

#include "base/sv.h"
#include "sql/db.h"

WA_CHECK enum wa_code wa_store_add_action(struct wa_db *db, const char *id, const char *batch,
                                          const char *uuid, const char *kind, struct wa_sv order,
                                          int64_t not_before, int64_t not_after, const char *signer,
                                          int64_t now, struct wa_err *err);
/* From one state to the next; nothing where it is in another. node: by which server it was sent. */
WA_CHECK enum wa_code wa_store_action_step(struct wa_db *db, struct wa_sv id, const char *uuid,
                                           const char *from, const char *to, const char *node,
                                           struct wa_err *err);
struct wa_store_action {
    char kind[16], state[16];
};
WA_CHECK enum wa_code wa_store_action(struct wa_db *db, struct wa_sv id, const char *uuid,
                                      struct wa_store_action *ret, bool *ret_found,
                                      struct wa_err *err);
/* One that has not been sent is not any more. *ret_dropped: it was one. */
WA_CHECK enum wa_code wa_store_drop_action(struct wa_db *db, struct wa_sv id, const char *uuid,
                                           bool *ret_dropped, struct wa_err *err);
/* What the machine says of it; nothing where it is further already. *ret_stepped: it has another
 * state now. */
WA_CHECK enum wa_code wa_store_action_state(struct wa_db *db, const char *id, struct wa_sv uuid,
                                            struct wa_sv state, struct wa_sv code,
                                            struct wa_sv message, struct wa_sv packages,
                                            int64_t now, bool *ret_stepped, struct wa_err *err);
/* Orders, batches and roll-outs whose time was over before then go, limit rows of each at most.
 * *ret_more: there are more orders. */
WA_CHECK enum wa_code wa_store_forget_actions(struct wa_db *db, int64_t before, int64_t limit,
                                              bool *ret_more, struct wa_err *err);

#endif
