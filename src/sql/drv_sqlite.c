/* drv_sqlite.c - SQLite: write-ahead log, full durability, nothing of a foreign database file
 * trusted. */
#include "base/mem.h"
#include "sql/drv.h"

#include <sqlite3.h>
#include <sys/stat.h>

#define PREFIX "sqlite:"
#define BUSY_MS 5000

static sqlite3_stmt *native(struct wa_drv_stmt *s)
{
    return (sqlite3_stmt *)(void *)s;
}

static enum wa_code code_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return WA_E_NOMEM;
    case SQLITE_FULL:
        return WA_E_NO_SPACE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return WA_E_BUSY;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return WA_E_DENIED;
    case SQLITE_CANTOPEN:
        return WA_E_IO;
    case SQLITE_CONSTRAINT:
        if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
            rc == SQLITE_CONSTRAINT_ROWID)
            return WA_E_EXISTS;
        return WA_E_CONFLICT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return WA_E_INVALID;
    default:
        return WA_E_IO;
    }
}

static enum wa_code fail(sqlite3 *db, int rc, const char *what, struct wa_err *err)
{
    enum wa_code code = code_of(rc);
    return wa_fail(err, code, "database: cannot %s: %s", what,
                   db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

static enum wa_code exec(void *conn, const char *sql, struct wa_err *err)
{
    int rc = sqlite3_exec(conn, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? WA_OK
                           : fail(conn, sqlite3_extended_errcode(conn), "run a statement", err);
}

static enum wa_code set_up(sqlite3 *db, struct wa_err *err)
{
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, BUSY_MS);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    return exec(db,
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA "
                "secure_delete=ON;"
                "PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864",
                err);
}

static enum wa_code open_db(const char *url, void **ret_conn, struct wa_err *err)
{
    const char *path = url + sizeof PREFIX - 1;
    sqlite3 *db = NULL;
    mode_t old = umask(0077); /* new files are for their owner only */
    int rc = sqlite3_open_v2(path, &db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                 SQLITE_OPEN_NOFOLLOW,
                             NULL);
    enum wa_code code = rc == SQLITE_OK ? set_up(db, err) : fail(db, rc, "open it", err);
    (void)umask(old);
    if (code != WA_OK) {
        (void)sqlite3_close_v2(db);
        return wa_wrap(err, "'%s'", path);
    }
    *ret_conn = db;
    return WA_OK;
}

static void close_db(void *conn)
{
    (void)sqlite3_close_v2(conn);
}

static enum wa_code prepare(void *conn, const char *sql, struct wa_drv_stmt **ret,
                            struct wa_err *err)
{
    sqlite3_stmt *s = NULL;
    const char *tail = NULL;
    int rc = sqlite3_prepare_v3(conn, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, &tail);
    if (rc != SQLITE_OK)
        return fail(conn, rc, "prepare a statement", err);
    if (s == NULL || tail[0] != '\0') {
        (void)sqlite3_finalize(s);
        return wa_fail(err, WA_E_INTERNAL, "database: not exactly one statement");
    }
    *ret = (struct wa_drv_stmt *)(void *)s;
    return WA_OK;
}

static void finalize(struct wa_drv_stmt *s)
{
    (void)sqlite3_finalize(native(s));
}

static bool bind_text(struct wa_drv_stmt *s, int i, struct wa_sv v)
{
    return sqlite3_bind_text64(native(s), i + 1, v.p == NULL ? "" : v.p, v.n, SQLITE_TRANSIENT,
                               SQLITE_UTF8) == SQLITE_OK;
}

static bool bind_blob(struct wa_drv_stmt *s, int i, struct wa_sv v)
{
    return sqlite3_bind_blob64(native(s), i + 1, v.p == NULL ? "" : v.p, v.n, SQLITE_TRANSIENT) ==
           SQLITE_OK;
}

static bool bind_i64(struct wa_drv_stmt *s, int i, int64_t v)
{
    return sqlite3_bind_int64(native(s), i + 1, v) == SQLITE_OK;
}

static bool bind_null(struct wa_drv_stmt *s, int i)
{
    return sqlite3_bind_null(native(s), i + 1) == SQLITE_OK;
}

static enum wa_code step(void *conn, struct wa_drv_stmt *s, bool *ret_row, struct wa_err *err)
{
    int rc = sqlite3_step(native(s));
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return fail(conn, sqlite3_extended_errcode(conn), "run a statement", err);
    *ret_row = rc == SQLITE_ROW;
    return WA_OK;
}

static void reset(struct wa_drv_stmt *s)
{
    (void)sqlite3_reset(native(s));
    (void)sqlite3_clear_bindings(native(s));
}

static int64_t col_i64(struct wa_drv_stmt *s, int col)
{
    return sqlite3_column_int64(native(s), col);
}

static struct wa_sv col_sv(struct wa_drv_stmt *s, int col)
{
    const void *p = sqlite3_column_blob(native(s), col);
    int n = sqlite3_column_bytes(native(s), col);
    return wa_sv_n(p, p == NULL ? 0 : (size_t)n);
}

static bool col_is_null(struct wa_drv_stmt *s, int col)
{
    return sqlite3_column_type(native(s), col) == SQLITE_NULL;
}

static int64_t changes(void *conn)
{
    return sqlite3_changes64(conn);
}

const struct wa_drv wa_drv_sqlite = {
    .prefix = PREFIX,
    .open = open_db,
    .close = close_db,
    .exec = exec,
    .prepare = prepare,
    .finalize = finalize,
    .bind_text = bind_text,
    .bind_blob = bind_blob,
    .bind_i64 = bind_i64,
    .bind_null = bind_null,
    .step = step,
    .reset = reset,
    .col_i64 = col_i64,
    .col_sv = col_sv,
    .col_is_null = col_is_null,
    .changes = changes,
    .begin = "BEGIN IMMEDIATE",
};
