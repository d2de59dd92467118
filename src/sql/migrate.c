/* migrate.c - bringing a database's schema up to what the program needs.
 *
 * Whether a step is still needed is asked under the write lock that it is done under, so two
 * programs that start at once do each step once.
 */
#include "sql/db.h"

static enum wa_code read_version(struct wa_db *db, int64_t *ret, struct wa_err *err)
{
    struct wa_stmt *s = NULL;
    bool has_row = false;

    if (wa_db_prepare(db, "SELECT MAX(version) FROM schema_version", &s, err) != WA_OK ||
        wa_step(s, &has_row, err) != WA_OK)
        return err->code;
    *ret = has_row ? wa_col_i64(s, 0) : 0; /* NULL, read as 0, of no rows */
    if (has_row)
        wa_reset(s);
    return WA_OK;
}

/* In a transaction: does the step unless it is done already. */
static enum wa_code do_step(struct wa_db *db, const struct wa_migration *m, struct wa_err *err)
{
    struct wa_stmt *s = NULL;
    int64_t have = 0;

    if (read_version(db, &have, err) != WA_OK)
        return err->code;
    if (have >= m->version)
        return WA_OK;
    if (wa_db_exec(db, m->sql, err) != WA_OK ||
        wa_db_prepare(db, "INSERT INTO schema_version (version) VALUES (?)", &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, m->version);
    return wa_run(s, err);
}

static enum wa_code apply(struct wa_db *db, const struct wa_migration *m, struct wa_err *err)
{
    if (wa_db_begin(db, err) != WA_OK)
        return wa_wrap(err, "bringing the database to version %d", m->version);
    if (do_step(db, m, err) == WA_OK && wa_db_commit(db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(db);
    return wa_wrap(err, "bringing the database to version %d", m->version);
}

/* Also under the lock: PostgreSQL's IF NOT EXISTS looks and makes in two moments. */
static enum wa_code make_table(struct wa_db *db, struct wa_err *err)
{
    static const char sql[] =
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY)";

    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (wa_db_exec(db, sql, err) != WA_OK || wa_db_commit(db, err) != WA_OK)
        wa_db_rollback(db);
    return err->code;
}

enum wa_code wa_db_migrate(struct wa_db *db, const struct wa_migration *steps, size_t count,
                           struct wa_err *err)
{
    int64_t have = 0;

    for (size_t i = 0; i < count; i++)
        if (steps[i].version != (int)i + 1)
            return wa_fail(err, WA_E_INTERNAL, "migrations are not numbered 1, 2, 3...");
    if (make_table(db, err) != WA_OK || read_version(db, &have, err) != WA_OK)
        return wa_wrap(err, "reading the database's version");
    if (have > (int64_t)count)
        return wa_fail(err, WA_E_CONFIG,
                       "the database is of version %lld, newer than this program knows (%zu): "
                       "install the newer program",
                       (long long)have, count);
    for (size_t i = 0; i < count; i++)
        if (steps[i].version > have && apply(db, &steps[i], err) != WA_OK)
            return err->code;
    return WA_OK;
}
