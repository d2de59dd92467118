/* hooks.h - webhooks: where else events go, by POST, signed.
 *
 *   Wapt-Webhook-Id: identifier of the webhook, '-', number of the first event
 *   Wapt-Webhook-Time: seconds since 1970
 *   Wapt-Webhook-Signature: v1=HMAC-SHA-256(secret, id "." time "." body), lower-case hex
 *   {"webhook","server","sent","missed","events":[...]}
 *
 * Each event arrives at least once, in order; what waits is kept in the database. One server of
 * several sends. Whoever does not answer with 2xx is tried again, later and later, and switched off
 * after WA_HOOK_GIVE_UP_S.
 */
#ifndef WA_SERVER_HOOKS_H
#define WA_SERVER_HOOKS_H

#include "server/config.h"
#include "sql/db.h"

#define WA_HOOK_ID 17u     /* bytes with NUL */
#define WA_HOOK_SECRET 65u /* bytes with NUL: 32 random ones in hex */

struct wa_hook { /* texts of a row are borrowed for the call */
    char id[WA_HOOK_ID];
    struct wa_sv url, kinds, by, last_result;
    int64_t created, failed_since, last_at, missed, waiting; /* failed_since 0: it works */
    bool is_disabled;
};
typedef enum wa_code (*wa_hook_fn)(void *user, const struct wa_hook *h, struct wa_err *err);

/* {"id","url","kinds","created","by","disabled","failed_since","last_at","last_result","missed",
 * "waiting"}: all but the secret. */
struct wa_jw;
void wa_hook_json(const struct wa_hook *h, struct wa_jw *w);
/* Where it goes, for a journal that is kept and passed on: without its path and query, which are
 * all that proves the sender to many receivers. */
#define WA_HOOK_WHERE 300u /* bytes with the NUL */
void wa_hook_where(struct wa_sv url, char out[WA_HOOK_WHERE]);
/* WA_E_USAGE: the URL is none that webhooks may have under this configuration. */
WA_CHECK enum wa_code wa_hook_check_url(const struct wa_server_config *c, const char *url,
                                        struct wa_err *err);
/* In the caller's transaction: a new one, with its entry in the journal. secret: told this once.
 * kinds: as wa_event_kinds_read() takes them. WA_E_USAGE, WA_E_LIMIT. */
WA_CHECK enum wa_code wa_hook_add(struct wa_db *db, const struct wa_server_config *c,
                                  struct wa_sv url, struct wa_sv kinds, struct wa_sv by,
                                  const char *peer, char id[WA_HOOK_ID],
                                  char secret[WA_HOOK_SECRET], struct wa_err *err);
/* The same for the end of one, and all that waits for it. WA_E_NOT_FOUND. */
WA_CHECK enum wa_code wa_hook_remove(struct wa_db *db, const struct wa_server_config *c,
                                     const char *id, struct wa_sv by, const char *peer,
                                     struct wa_err *err);
/* Queues an event "test"; one that was switched off is on again. WA_E_NOT_FOUND. */
WA_CHECK enum wa_code wa_hook_test(struct wa_db *db, const struct wa_server_config *c,
                                   const char *id, struct wa_sv by, const char *peer,
                                   struct wa_err *err);
/* All, by their age. */
WA_CHECK enum wa_code wa_hooks_list(struct wa_db *db, wa_hook_fn fn, void *user,
                                    struct wa_err *err);

/* --- beside the running server, on the command line: give up all but the database first --- */
WA_CHECK enum wa_code wa_server_hook_add(const struct wa_server_config *c, const char *url,
                                         const char *kinds, char id[WA_HOOK_ID],
                                         char secret[WA_HOOK_SECRET], struct wa_err *err);
WA_CHECK enum wa_code wa_server_hook_remove(const struct wa_server_config *c, const char *id,
                                            struct wa_err *err);
/* Queues the test, and waits until the server has tried: what came of it. WA_E_TIMEOUT: no server
 * runs, or it has much to send. result: 256 bytes. */
WA_CHECK enum wa_code wa_server_hook_test(const struct wa_server_config *c, const char *id,
                                          char result[256], struct wa_err *err);
WA_CHECK enum wa_code wa_server_hooks_list(const struct wa_server_config *c, wa_hook_fn fn,
                                           void *user, struct wa_err *err);

#endif
