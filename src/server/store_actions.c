/* store_actions.c - statements about orders. Values are bound, always. */
#include "server/store_actions.h"

#include "os/clock.h"

/* States after which the order's text is needed no more, five kilobytes of each. */
#define OVER "'done', 'failed', 'refused', 'cancelled'"

/* The machine's row of an order; a roll-out's begins with the statement's identifier. */
#define IT(id, uuid) "id IN (" id ", CAST(" id " AS TEXT) || '/' || " uuid ") AND uuid = " uuid

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

/* One row by its key: SQLite keeps a journal for each statement that may change several. */
static enum wa_code step_row(struct wa_db *db, const char *sql, struct wa_sv id, const char *uuid,
                             const char *from, const char *to, const char *node, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, sql, &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, to);
    wa_bind_i64(s, 1, wa_clock_now());
    wa_bind_s(s, 2, node);
    wa_bind_sv(s, 3, id);
    wa_bind_s(s, 4, uuid);
    wa_bind_s(s, 5, from);
    return wa_run(s, err);
}

#define STEP(id)                                                                                   \
    "UPDATE actions SET state = ?1, updated = ?2, node = ?3 WHERE id = " id                        \
    " AND uuid = ?5 AND state = ?6"

enum wa_code wa_store_action_step(struct wa_db *db, struct wa_sv id, const char *uuid,
                                  const char *from, const char *to, const char *node,
                                  struct wa_err *err)
{
    if (step_row(db, STEP("?4"), id, uuid, from, to, node, err) != WA_OK || wa_db_changes(db) > 0)
        return err->code;
    return step_row(db, STEP("CAST(?4 AS TEXT) || '/' || ?5"), id, uuid, from, to, node, err);
}

enum wa_code wa_store_action(struct wa_db *db, struct wa_sv id, const char *uuid,
                             struct wa_store_action *ret, bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "SELECT kind, state FROM actions WHERE " IT("?1", "?2"), &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_sv(s, 0, id);
    wa_bind_s(s, 1, uuid);
    if (wa_step(s, ret_found, err) != WA_OK || !*ret_found)
        return err->code;
    wa_col_text(s, 0, ret->kind, sizeof ret->kind);
    wa_col_text(s, 1, ret->state, sizeof ret->state);
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_store_drop_action(struct wa_db *db, struct wa_sv id, const char *uuid,
                                  bool *ret_dropped, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE actions SET state = 'cancelled', code = 'cancelled', message = "
                      "'cancelled before it was sent', orders = '', updated = ?1 WHERE " IT(
                          "?2", "?3") " AND state IN ('queued', 'waiting')",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, wa_clock_now());
    wa_bind_sv(s, 1, id);
    wa_bind_s(s, 2, uuid);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    *ret_dropped = wa_db_changes(db) > 0;
    return WA_OK;
}

/* What a machine says later of an order counts, as far as it is further: a refusal - of one copy,
 * which came over a former connection, by a clock that was wrong - is followed by what the machine
 * did with another copy, and never follows that. So each order takes few steps, whatever a machine
 * says. */
static int64_t rank_of(struct wa_sv state)
{
    static const char *const early[] = {"", "running", "refused", "postponed"};
    for (size_t i = 1; i < WA_COUNT(early); i++)
        if (wa_sv_eqs(state, early[i]))
            return (int64_t)i;
    return WA_COUNT(early);
}
#define RANK                                                                                       \
    "CASE state WHEN 'running' THEN 1 WHEN 'refused' THEN 2 WHEN 'postponed' THEN 3 WHEN 'done' "  \
    "THEN 4 WHEN 'failed' THEN 4 WHEN 'cancelled' THEN 4 ELSE 0 END"

/* What still waits there, of one that came back to it; no step further. */
static enum wa_code still_postponed(struct wa_db *db, const char *id, struct wa_sv uuid,
                                    struct wa_sv message, struct wa_sv packages, int64_t now,
                                    struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE actions SET message = ?1, packages = ?2, updated = ?3 WHERE " IT(
                          "?4", "?5") " AND state = 'postponed'",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, message);
    wa_bind_sv(s, 1, packages);
    wa_bind_i64(s, 2, now);
    wa_bind_s(s, 3, id);
    wa_bind_sv(s, 4, uuid);
    return wa_run(s, err);
}

enum wa_code wa_store_action_state(struct wa_db *db, const char *id, struct wa_sv uuid,
                                   struct wa_sv state, struct wa_sv code, struct wa_sv message,
                                   struct wa_sv packages, int64_t now, bool *ret_stepped,
                                   struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(
            db,
            "UPDATE actions SET state = ?1, code = ?2, message = ?3, packages = ?4, updated = ?5, "
            "orders = CASE WHEN ?1 IN (" OVER
            ") THEN '' ELSE orders END WHERE " IT("?6", "?7") " AND " RANK " < ?8",
            &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, state);
    wa_bind_sv(s, 1, code);
    wa_bind_sv(s, 2, message);
    wa_bind_sv(s, 3, packages);
    wa_bind_i64(s, 4, now);
    wa_bind_s(s, 5, id);
    wa_bind_sv(s, 6, uuid);
    wa_bind_i64(s, 7, rank_of(state));
    if (wa_run(s, err) != WA_OK)
        return err->code;
    *ret_stepped = wa_db_changes(db) == 1;
    return !*ret_stepped && wa_sv_eqs(state, "postponed")
               ? still_postponed(db, id, uuid, message, packages, now, err)
               : WA_OK;
}

/* --- those that are long over --- */

static enum wa_code run_before(struct wa_db *db, const char *sql, int64_t before, int64_t limit,
                               struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, sql, &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, before);
    wa_bind_i64(s, 1, limit);
    return wa_run(s, err);
}

enum wa_code wa_store_forget_actions(struct wa_db *db, int64_t before, int64_t limit,
                                     bool *ret_more, struct wa_err *err)
{
    static const char *const empty[] = {
        "DELETE FROM batches WHERE id IN (SELECT b.id FROM batches b WHERE b.created < ?1 AND NOT "
        "EXISTS (SELECT 1 FROM actions a WHERE a.batch = b.id) LIMIT ?2)",
        "DELETE FROM rollouts WHERE id IN (SELECT r.id FROM rollouts r WHERE r.not_after < ?1 AND "
        "r.state IN ('stopped', 'ended') AND NOT EXISTS (SELECT 1 FROM actions a WHERE a.batch = "
        "r.id) LIMIT ?2)"};
    if (run_before(db,
                   "DELETE FROM actions WHERE id IN (SELECT id FROM actions WHERE not_after < ?1 "
                   "ORDER BY not_after LIMIT ?2)",
                   before, limit, err) != WA_OK)
        return err->code;
    *ret_more = wa_db_changes(db) >= limit;
    for (size_t i = 0; !*ret_more && i < WA_COUNT(empty); i++)
        if (run_before(db, empty[i], before, limit, err) != WA_OK)
            return err->code;
    return WA_OK;
}
