/* group.c - transactions, and several of them made durable by one commit.
 *
 * In a group each transaction is a savepoint of one that stays open until the group ends: what
 * fails alone is undone alone, and the disk is waited for once. What is in an open group is not
 * durable: whoever opened it keeps the answers back until it has ended.
 */
#include "sql/db_priv.h"

static bool is_open(const struct wa_db *db)
{
    return db->drv->transaction(db->conn) == WA_TX_OPEN;
}

static void rollback_real(struct wa_db *db)
{
    struct wa_err ignored = WA_ERR_INIT;
    if (db->drv->transaction(db->conn) == WA_TX_NONE)
        return;
    if (wa_db_exec(db, "ROLLBACK", &ignored) != WA_OK)
        wa_err_clear(&ignored); /* then the connection is lost, and all is undone */
}

static enum wa_code begin_real(struct wa_db *db, struct wa_err *err)
{
    if (db->drv->transaction(db->conn) != WA_TX_NONE)
        return wa_fail(err, WA_E_INTERNAL,
                       "database: cannot begin a transaction: one is open already");
    if (wa_db_exec(db, db->drv->begin, err) != WA_OK)
        rollback_real(db); /* it may be half begun, waiting for its lock */
    return err->code;
}

enum wa_code wa_group_join(struct wa_db *db, struct wa_err *err)
{
    if (!db->is_grouping || db->in_part)
        return WA_OK;
    if (!db->in_group && begin_real(db, err) != WA_OK)
        return err->code;
    db->in_group = true;
    return is_open(db) ? WA_OK
                       : wa_fail(err, WA_E_UNREACHABLE,
                                 "database: what is being written with this has failed: try again");
}

/* --- transactions --- */

/* Each part begins and ends: what that takes is not read as SQL again each time. */
static enum wa_code run_kept(struct wa_db *db, const char *sql, struct wa_err *err)
{
    struct wa_stmt *s;
    return wa_db_prepare(db, sql, &s, err) == WA_OK ? wa_run(s, err) : err->code;
}

enum wa_code wa_db_begin(struct wa_db *db, struct wa_err *err)
{
    db->counts.transactions++;
    if (!db->is_grouping)
        return begin_real(db, err);
    if (db->in_part)
        return wa_fail(err, WA_E_INTERNAL,
                       "database: cannot begin a transaction: one is open already");
    if (wa_group_join(db, err) == WA_OK && run_kept(db, "SAVEPOINT part", err) == WA_OK)
        db->in_part = true;
    return err->code;
}

/* A failed statement may have rolled back alone: then committing says so, for what came before is
 * lost. */
enum wa_code wa_db_commit(struct wa_db *db, struct wa_err *err)
{
    if (!is_open(db) || (db->is_grouping && !db->in_part)) {
        wa_db_rollback(db);
        return wa_fail(err, WA_E_CONFLICT,
                       "database: cannot commit: no transaction is open, or it has failed before");
    }
    if (!db->is_grouping)
        return wa_db_exec(db, "COMMIT", err);
    if (run_kept(db, "RELEASE SAVEPOINT part", err) == WA_OK)
        db->in_part = false;
    return err->code;
}

void wa_db_rollback(struct wa_db *db)
{
    struct wa_err ignored = WA_ERR_INIT;
    if (!db->is_grouping) {
        rollback_real(db);
        return;
    }
    if (!db->in_part)
        return;
    db->in_part = false;
    if (db->drv->transaction(db->conn) == WA_TX_NONE)
        return; /* all of the group is undone: its end says so */
    if (wa_db_exec(db, "ROLLBACK TO SAVEPOINT part", &ignored) != WA_OK ||
        wa_db_exec(db, "RELEASE SAVEPOINT part", &ignored) != WA_OK)
        rollback_real(db);
}

/* --- the group --- */

void wa_db_group_begin(struct wa_db *db)
{
    db->is_grouping = true;
}

bool wa_db_group_is_open(const struct wa_db *db)
{
    return db->in_group;
}

enum wa_code wa_db_group_end(struct wa_db *db, struct wa_err *err)
{
    bool had_any = db->in_group, is_half = db->in_part;
    db->is_grouping = db->in_group = db->in_part = false;
    if (!had_any)
        return WA_OK;
    if (is_half)
        (void)wa_fail(err, WA_E_INTERNAL, "database: a group ends within a transaction");
    else if (!is_open(db))
        (void)wa_fail(err, WA_E_UNREACHABLE,
                      "database: what was written together with this has failed: try again");
    else if (wa_db_exec(db, "COMMIT", err) == WA_OK)
        return WA_OK;
    rollback_real(db);
    return err->code;
}
