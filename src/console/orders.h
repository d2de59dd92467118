/* orders.h - actions composed and signed on the administrator's side, and what became of them. */
#ifndef WA_CONSOLE_ORDERS_H
#define WA_CONSOLE_ORDERS_H

#include "console/client.h"
#include "pkg/build.h"
#include "proto/action.h"

struct wa_target {
    char uuid[WA_UUID_MAX + 1];
    char name[256];
};
/* hosts: answer of GET /api/v1/hosts. text: a uuid, a name or a full name. WA_E_NOT_FOUND,
 * WA_E_CONFLICT when several have that name. */
WA_CHECK enum wa_code wa_target_find(const struct wa_json *hosts, struct wa_sv text,
                                     struct wa_target *ret, struct wa_err *err);

struct wa_order_plan {
    enum wa_action_kind kind;
    const struct wa_target *targets;
    size_t target_count;
    const char *const *packages;
    size_t package_count;
    int64_t valid_s;
    bool force;
};
/* Signs one action a machine, all under one signature. out: body of POST /api/v1/actions. */
WA_CHECK enum wa_code wa_orders_sign(const struct wa_order_plan *plan,
                                     const struct wa_signer *signer, struct wa_buf *out,
                                     struct wa_err *err);
/* Outcome of a batch as the server tells it: actions is the array of GET /api/v1/actions.
 * *ret_waiting: how many are not final. The code is WA_OK when all are done well, WA_E_PARTIAL when
 * some are, else the first failure's. */
enum wa_code wa_orders_outcome(const struct wa_json *actions, size_t *ret_waiting);

#endif
