/* store_actions.c - statements about orders. Values are bound, always. */
#include "server/store_actions.h"

enum wa_code wa_store_add_action(struct wa_db *db, const char *id, const char *batch,
                                 const char *uuid, const char *kind, struct wa_sv order,
                                 int64_t not_before, int64_t not_after, const char *signer,
                                 int64_t now, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO actions (id, batch, uuid, kind, orders, not_before, not_after, "
                      "signer, state, created, updated)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'queued', ?9, ?9)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    wa_bind_s(s, 1, batch);
    wa_bind_s(s, 2, uuid);
    wa_bind_s(s, 3, kind);
    wa_bind_sv(s, 4, order);
    wa_bind_i64(s, 5, not_before);
    wa_bind_i64(s, 6, not_after);
    wa_bind_s(s, 7, signer);
    wa_bind_i64(s, 8, now);
    return wa_run(s, err);
}

enum wa_code wa_store_action_state(struct wa_db *db, const char *id, struct wa_sv uuid,
                                   struct wa_sv state, struct wa_sv code, struct wa_sv message,
                                   struct wa_sv packages, int64_t now, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE actions SET state = ?, code = ?, message = ?, packages = ?, updated "
                      "= ? WHERE id = ? AND uuid = ?"
                      " AND state NOT IN ('done', 'failed', 'refused', 'cancelled')",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, state);
    wa_bind_sv(s, 1, code);
    wa_bind_sv(s, 2, message);
    wa_bind_sv(s, 3, packages);
    wa_bind_i64(s, 4, now);
    wa_bind_s(s, 5, id);
    wa_bind_sv(s, 6, uuid);
    return wa_run(s, err);
}
