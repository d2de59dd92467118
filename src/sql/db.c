/* db.c - the interface over drivers: cached statements, sticky bindings, transactions, migrations.
 *
 * There is no function that takes a value as SQL text: what comes from outside can only be bound.
 */
#include "sql/db.h"

#include "base/map.h"
#include "base/mem.h"
#include "sql/drv.h"

struct wa_stmt {
    struct wa_db *db;
    struct wa_drv_stmt *s;
    bool failed; /* a binding ran out of memory */
};

struct wa_db {
    const struct wa_drv *drv;
    void *conn;
    struct wa_map statements; /* text -> struct wa_stmt */
};

static const struct wa_drv *const drivers[] = {&wa_drv_sqlite};

enum wa_code wa_db_open(const char *url, struct wa_db **ret, struct wa_err *err)
{
    const struct wa_drv *drv = NULL;
    for (size_t i = 0; i < WA_COUNT(drivers); i++)
        if (wa_sv_starts(wa_sv(url), drivers[i]->prefix))
            drv = drivers[i];
    if (drv == NULL)
        return wa_fail(err, WA_E_CONFIG, "no driver for database '%.40s': use sqlite:/path/to/file",
                       url);
    struct wa_db *db = wa_calloc(1, sizeof *db);
    if (db == NULL)
        return wa_nomem(err);
    db->drv = drv;
    wa_map_init(&db->statements, 0);
    if (drv->open(url, &db->conn, err) != WA_OK) {
        wa_free(db);
        return err->code;
    }
    *ret = db;
    return WA_OK;
}

void wa_db_close(struct wa_db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < db->statements.n; i++) {
        struct wa_stmt *s = db->statements.items[i].value;
        db->drv->finalize(s->s);
        wa_free(s);
    }
    wa_map_fini(&db->statements);
    db->drv->close(db->conn);
    wa_free(db);
}

enum wa_code wa_db_prepare(struct wa_db *db, const char *sql, struct wa_stmt **ret,
                           struct wa_err *err)
{
    struct wa_stmt *s = wa_map_get(&db->statements, wa_sv(sql));
    if (s != NULL) {
        wa_reset(s);
        *ret = s;
        return WA_OK;
    }
    s = wa_calloc(1, sizeof *s);
    if (s == NULL)
        return wa_nomem(err);
    s->db = db;
    if (db->drv->prepare(db->conn, sql, &s->s, err) != WA_OK) {
        wa_free(s);
        return err->code;
    }
    if (wa_map_put(&db->statements, wa_sv(sql), s, NULL, err) != WA_OK) {
        db->drv->finalize(s->s);
        wa_free(s);
        return err->code;
    }
    *ret = s;
    return WA_OK;
}

void wa_bind_sv(struct wa_stmt *s, int i, struct wa_sv v)
{
    s->failed = !s->db->drv->bind_text(s->s, i, v) || s->failed;
}

void wa_bind_s(struct wa_stmt *s, int i, const char *v)
{
    if (v == NULL)
        wa_bind_null(s, i);
    else
        wa_bind_sv(s, i, wa_sv(v));
}

void wa_bind_i64(struct wa_stmt *s, int i, int64_t v)
{
    s->failed = !s->db->drv->bind_i64(s->s, i, v) || s->failed;
}

void wa_bind_blob(struct wa_stmt *s, int i, struct wa_sv v)
{
    s->failed = !s->db->drv->bind_blob(s->s, i, v) || s->failed;
}

void wa_bind_null(struct wa_stmt *s, int i)
{
    s->failed = !s->db->drv->bind_null(s->s, i) || s->failed;
}

enum wa_code wa_step(struct wa_stmt *s, bool *ret_row, struct wa_err *err)
{
    bool row = false;
    if (s->failed) {
        wa_reset(s);
        return wa_nomem(err);
    }
    enum wa_code code = s->db->drv->step(s->db->conn, s->s, &row, err);
    if (code != WA_OK || !row)
        wa_reset(s);
    if (code == WA_OK)
        *ret_row = row;
    return code;
}

enum wa_code wa_run(struct wa_stmt *s, struct wa_err *err)
{
    bool row = true;
    while (row)
        if (wa_step(s, &row, err) != WA_OK)
            return err->code;
    return WA_OK;
}

void wa_reset(struct wa_stmt *s)
{
    s->failed = false;
    s->db->drv->reset(s->s);
}

int64_t wa_col_i64(struct wa_stmt *s, int col)
{
    return s->db->drv->col_i64(s->s, col);
}

struct wa_sv wa_col_sv(struct wa_stmt *s, int col)
{
    return s->db->drv->col_sv(s->s, col);
}

bool wa_col_is_null(struct wa_stmt *s, int col)
{
    return s->db->drv->col_is_null(s->s, col);
}

int64_t wa_db_changes(struct wa_db *db)
{
    return db->drv->changes(db->conn);
}

enum wa_code wa_db_exec(struct wa_db *db, const char *sql, struct wa_err *err)
{
    return db->drv->exec(db->conn, sql, err);
}

enum wa_code wa_db_begin(struct wa_db *db, struct wa_err *err)
{
    return wa_db_exec(db, db->drv->begin, err);
}

enum wa_code wa_db_commit(struct wa_db *db, struct wa_err *err)
{
    return wa_db_exec(db, "COMMIT", err);
}

void wa_db_rollback(struct wa_db *db)
{
    struct wa_err ignored = WA_ERR_INIT;
    if (wa_db_exec(db, "ROLLBACK", &ignored) != WA_OK)
        wa_err_clear(&ignored); /* no transaction was open: nothing to undo */
}

/* --- migrations --- */

static enum wa_code schema_version(struct wa_db *db, int64_t *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_exec(db, "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)",
                   err) != WA_OK ||
        wa_db_prepare(db, "SELECT MAX(version) FROM schema_version", &s, err) != WA_OK ||
        wa_step(s, &row, err) != WA_OK)
        return err->code;
    *ret = row ? wa_col_i64(s, 0) : 0;
    wa_reset(s);
    return WA_OK;
}

static enum wa_code apply(struct wa_db *db, const struct wa_migration *m, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (wa_db_exec(db, m->sql, err) != WA_OK ||
        wa_db_prepare(db, "INSERT INTO schema_version (version) VALUES (?)", &s, err) != WA_OK)
        goto undo;
    wa_bind_i64(s, 0, m->version);
    if (wa_run(s, err) != WA_OK || wa_db_commit(db, err) != WA_OK)
        goto undo;
    return WA_OK;
undo:
    wa_db_rollback(db);
    return wa_wrap(err, "bringing the database to version %d", m->version);
}

enum wa_code wa_db_migrate(struct wa_db *db, const struct wa_migration *steps, size_t count,
                           struct wa_err *err)
{
    int64_t have = 0;
    if (schema_version(db, &have, err) != WA_OK)
        return wa_wrap(err, "reading the database's version");
    if (count > 0 && have > steps[count - 1].version)
        return wa_fail(err, WA_E_CONFIG,
                       "the database is of version %lld, newer than this program knows (%d): "
                       "install the newer program",
                       (long long)have, steps[count - 1].version);
    for (size_t i = 0; i < count; i++)
        if (steps[i].version > have && apply(db, &steps[i], err) != WA_OK)
            return err->code;
    return WA_OK;
}
