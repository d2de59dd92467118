/* store_batches.h - what was ordered together: who, what, for how many. A batch may come in parts,
 * each signed by itself. */
#ifndef WA_SERVER_STORE_BATCHES_H
#define WA_SERVER_STORE_BATCHES_H

#include "base/buf.h"
#include "sql/db.h"

#define WA_BATCH_WHAT_MAX 255u /* bytes */

struct wa_batch {
    char id[33], user[WA_NAME_MAX + 1], kind[16], signer[65];
    char what[WA_BATCH_WHAT_MAX + 1]; /* packages, with blanks between */
    int64_t count, created;           /* orders; s since 1970 */
};
/* Inside the caller's transaction. */
WA_CHECK enum wa_code wa_batches_add(struct wa_db *db, const struct wa_batch *b,
                                     struct wa_err *err);
/* More of a batch that is there: the same person's, of the same kind and signer, begun not long
 * ago, with room for them; else WA_E_CONFLICT, WA_E_NOT_FOUND or WA_E_LIMIT. */
WA_CHECK enum wa_code wa_batches_extend(struct wa_db *db, const struct wa_batch *more,
                                        struct wa_err *err);
/* The newest first, from behind that one on; after: created -1 for the first page. */
WA_CHECK enum wa_code wa_batches_list(struct wa_db *db, const struct wa_batch *after, size_t limit,
                                      struct wa_batch *ret, size_t *ret_count, struct wa_err *err);
/* Tells the state that people see of each order, or of so many of them where is_summed. */
typedef void (*wa_batch_state_fn)(void *user, struct wa_sv state, struct wa_sv uuid, int64_t n);
WA_CHECK enum wa_code wa_batches_states(struct wa_db *db, const char *id, bool is_summed,
                                        int64_t now, wa_batch_state_fn fn, void *user,
                                        struct wa_err *err);

#endif
