/* db_orders.c - orders seen, each once, and what is owed to the server. */
#include "agent/db.h"

#include "base/mem.h"
#include "os/clock.h"

/* --- orders --- */

enum wa_code wa_action_record(struct wa_db *db, const char *id, int64_t not_after, int64_t now,
                              struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM actions WHERE not_after < ?", &s, err) != WA_OK)
        return err->code;
    /* An hour longer, in case the clock is set back. */
    wa_bind_i64(s, 0, now - 3600);
    if (wa_run(s, err) != WA_OK ||
        wa_db_prepare(db, "INSERT INTO actions (id, not_after) VALUES (?, ?)", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    wa_bind_i64(s, 1, not_after);
    return wa_run(s, err);
}

enum wa_code wa_action_not_after(struct wa_db *db, const char *id, int64_t *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT not_after FROM actions WHERE id = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    *ret = row ? wa_col_i64(s, 0) : 0; /* forgotten means long past */
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_action_is_cancelled(struct wa_db *db, const char *id, bool *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "SELECT 1 FROM actions WHERE id = ? AND is_cancelled = 1", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    if (wa_step(s, ret, err) == WA_OK)
        wa_reset(s);
    return err->code;
}

/* --- outbox --- */

enum wa_code wa_outbox_add(struct wa_db *db, const char *action_id, const char *state,
                           const char *code, struct wa_sv message, struct wa_sv packages_json,
                           struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(
            db,
            "INSERT INTO outbox (action_id, state, code, message, packages) VALUES (?, ?, ?, ?, ?)",
            &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, action_id);
    wa_bind_s(s, 1, state);
    wa_bind_s(s, 2, code);
    wa_bind_sv(s, 3, message);
    wa_bind_sv(s, 4, packages_json);
    return wa_run(s, err);
}

enum wa_code wa_outbox_drop(struct wa_db *db, const char *action_id, const char *state,
                            struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM outbox WHERE action_id = ? AND state = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, action_id);
    wa_bind_s(s, 1, state);
    return wa_run(s, err);
}

enum wa_code wa_outbox_has_room(struct wa_db *db, const char *action_id, int64_t max, bool *ret,
                                struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db,
                      "SELECT count(*), coalesce(sum(action_id = ?), 0) FROM outbox WHERE state "
                      "IN ('refused', 'cancelled')",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, action_id);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    *ret = row && wa_col_i64(s, 0) < max && wa_col_i64(s, 1) == 0;
    wa_reset(s);
    return WA_OK;
}

void wa_outbox_item_fini(struct wa_outbox_item *i)
{
    wa_free(i->message);
    wa_free(i->packages);
    *i = (struct wa_outbox_item){.id = 0};
}

enum wa_code wa_outbox_next(struct wa_db *db, int64_t now, struct wa_outbox_item *ret,
                            bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    struct wa_outbox_item i = {.id = 0};
    if (wa_db_prepare(db,
                      "SELECT id, tries, action_id, state, code, message, packages FROM outbox "
                      "WHERE next_try <= ?1 OR next_try > ?1 + ?2 ORDER BY id LIMIT 1",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, now);
    wa_bind_i64(s, 1, WA_OUTBOX_PAUSE_MAX_S);
    if (wa_step(s, ret_found, err) != WA_OK || !*ret_found)
        return err->code;
    i.id = wa_col_i64(s, 0);
    i.tries = wa_col_i64(s, 1);
    wa_col_text(s, 2, i.action_id, sizeof i.action_id);
    wa_col_text(s, 3, i.state, sizeof i.state);
    wa_col_text(s, 4, i.code, sizeof i.code);
    if (wa_sv_dup(wa_col_sv(s, 5), &i.message, err) != WA_OK ||
        wa_sv_dup(wa_col_sv(s, 6), &i.packages, err) != WA_OK) {
        wa_outbox_item_fini(&i);
        wa_reset(s);
        return err->code;
    }
    wa_reset(s);
    *ret = i;
    return WA_OK;
}

enum wa_code wa_outbox_done(struct wa_db *db, int64_t id, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM outbox WHERE id = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, id);
    return wa_run(s, err);
}

enum wa_code wa_outbox_later(struct wa_db *db, int64_t id, int64_t next_try, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE outbox SET tries = tries + 1, next_try = ? WHERE id = ?", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, next_try);
    wa_bind_i64(s, 1, id);
    return wa_run(s, err);
}

enum wa_code wa_outbox_hurry(struct wa_db *db, struct wa_err *err)
{
    return wa_db_exec(db, "UPDATE outbox SET next_try = 0 WHERE next_try <> 0", err);
}
