/* store_actions.h - orders in the server's database. */
#ifndef WA_SERVER_STORE_ACTIONS_H
#define WA_SERVER_STORE_ACTIONS_H

#include "sql/db.h"

WA_CHECK enum wa_code wa_store_add_action(struct wa_db *db, const char *id, const char *batch,
                                          const char *uuid, const char *kind, struct wa_sv order,
                                          int64_t not_before, int64_t not_after, const char *signer,
                                          int64_t now, struct wa_err *err);
WA_CHECK enum wa_code wa_store_action_state(struct wa_db *db, const char *id, struct wa_sv uuid,
                                            struct wa_sv state, struct wa_sv code,
                                            struct wa_sv message, struct wa_sv packages,
                                            int64_t now, struct wa_err *err);

#endif
