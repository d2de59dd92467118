/* orders.h - actions composed and signed on the administrator's side, and what became of them. */
#ifndef WA_CONSOLE_ORDERS_H
#define WA_CONSOLE_ORDERS_H

#include "console/hosts.h"
#include "pkg/build.h"
#include "proto/action.h"

#define WA_ORDERS_AT_ONCE                                                                          \
    1000u /* machines under one signature: a body of a size that the server takes */

struct wa_order_plan {
    enum wa_action_kind kind;
    const struct wa_target *targets;
    size_t target_count;
    const char *const *packages;
    size_t package_count;
    char (*cancels)[33];  /* of a cancel: one identifier for each target; else NULL */
    int64_t now, valid_s; /* seconds: issued, and how long it may still be done */
    int64_t not_before;   /* seconds; 0: at once. valid_s counts from there */
    bool force;
    bool only_if_not_running; /* of what spares: leaves out what is in use */
    const char *text;         /* of a message, a describe; else NULL */
};
/* The texts of a plan, one action a machine: what will be signed, as it stands. */
struct wa_order_texts {
    struct wa_buf *items; /* owned */
    size_t count;
    int64_t issued_at, not_after; /* of all of them */
};
void wa_order_texts_fini(struct wa_order_texts *t);
#define WA_AUTO_ORDER_TEXTS WA_CLEANUP(wa_order_texts_fini)
WA_CHECK enum wa_code wa_orders_write(const struct wa_order_plan *plan, struct wa_order_texts *ret,
                                      struct wa_err *err);
/* Signs count texts from the from-th on, all under one signature. out: body of POST
 * /api/v1/actions. WA_E_REFUSED for a certificate of the chain that is not valid from when they
 * were issued until they end: no machine would obey it. */
WA_CHECK enum wa_code wa_orders_seal(const struct wa_order_texts *t, size_t from, size_t count,
                                     const struct wa_signer *signer, struct wa_buf *out,
                                     struct wa_err *err);
/* Seals all of them and sends them to the server, so many under one signature as it takes at once:
 * one batch there. w: an open object, gets "batch" and "count". The error says how far it came. */
WA_CHECK enum wa_code wa_orders_send(const struct wa_order_texts *t, const struct wa_signer *signer,
                                     struct wa_client *client, struct wa_jw *w, struct wa_err *err);
/* Writing and sealing in one. */
WA_CHECK enum wa_code wa_orders_sign(const struct wa_order_plan *plan,
                                     const struct wa_signer *signer, struct wa_buf *out,
                                     struct wa_err *err);
/* Posts what was sealed. batch: "" before the first, then the one that its orders are of; those
 * that follow become more of it. */
WA_CHECK enum wa_code wa_orders_post(struct wa_client *client, struct wa_sv sealed, char batch[33],
                                     struct wa_err *err);
/* Gives each order of what is meant ("batch", "id", "host") to fn, page by page. *ret_count: how
 * many; may be NULL. */
typedef enum wa_code (*wa_orders_fn)(void *user, const struct wa_json *action, struct wa_err *err);
WA_CHECK enum wa_code wa_orders_each(struct wa_client *client, const char *which, const char *what,
                                     wa_orders_fn fn, void *user, size_t *ret_count,
                                     struct wa_err *err);

/* How many are where; start from zeros, count each order. */
struct wa_orders_tally {
    size_t done, failed;
    size_t queued;      /* not passed on yet: the machine is not connected */
    size_t sent;        /* passed on, no result yet */
    size_t running;     /* of these: at work on it */
    enum wa_code first; /* of the first that failed */
};
/* action: one of GET /api/v1/actions. */
void wa_orders_count(const struct wa_json *action, struct wa_orders_tally *t);
bool wa_order_is_final(struct wa_sv state);
/* WA_OK when all are done; WA_E_PARTIAL when only some are; else the first failure's code; else
 * WA_E_TIMEOUT when some had it, WA_E_UNREACHABLE when none was connected to get it. */
enum wa_code wa_orders_outcome(const struct wa_orders_tally *t);

#endif
