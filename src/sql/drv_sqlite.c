/* drv_sqlite.c - SQLite: write-ahead log, full durability, nothing of a foreign database file
 * trusted.
 *
 * What is committed is on the disk (synchronous=FULL), and a kill at any moment leaves the last
 * commit. The file is made before SQLite opens it, so that its mode, which the log's files take
 * over, never depends on the umask.
 */
#include "base/mem.h"
#include "os/error.h"
#include "os/fs.h"
#include "os/path.h"
#include "sql/drv.h"

#include <sqlite3.h>

#define PREFIX "sqlite:"
#define TO_READ "?mode=ro"
#define BUSY_MS 5000

struct wa_drv_stmt {
    sqlite3 *db;
    sqlite3_stmt *s;
};

static enum wa_code io_code(sqlite3 *db, int rc)
{
    int errnum = db != NULL ? sqlite3_system_errno(db) : 0;

    if (rc == SQLITE_IOERR_NOMEM)
        return WA_E_NOMEM;
    return wa_system_code(errnum);
}

static enum wa_code code_of(sqlite3 *db, int rc)
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
    case SQLITE_CONSTRAINT:
        return rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
                       rc == SQLITE_CONSTRAINT_ROWID
                   ? WA_E_EXISTS
                   : WA_E_CONFLICT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH:
        return WA_E_INVALID;
    case SQLITE_TOOBIG:
        return WA_E_LIMIT;
    case SQLITE_INTERRUPT:
        return WA_E_CANCELLED;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return WA_E_INTERNAL; /* of the statement, which is a literal of ours */
    default:
        return io_code(db, rc);
    }
}

static enum wa_code fail(sqlite3 *db, int rc, const char *what, struct wa_err *err)
{
    enum wa_code code = code_of(db, rc);

    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    if (code == WA_E_NO_SPACE)
        return wa_fail(err, code, "database: cannot %s: no space left on the disk", what);
    return wa_fail(err, code, "database: cannot %s: %s", what,
                   db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

static enum wa_code exec(void *conn, const char *sql, struct wa_err *err)
{
    int rc = sqlite3_exec(conn, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? WA_OK
                           : fail(conn, sqlite3_extended_errcode(conn), "run a statement", err);
}

/* --- opening --- */

/* One try. SQLite does without the write-ahead log in silence where it can't have one. */
static enum wa_code ask_wal(sqlite3 *db, struct wa_err *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA journal_mode=WAL", -1, &s, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    const char *mode = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
    enum wa_code code = WA_OK;
    if (rc != SQLITE_ROW)
        code = fail(db, sqlite3_extended_errcode(db), "switch to the write-ahead log", err);
    else if (mode == NULL || strcmp(mode, "wal") != 0)
        code =
            wa_fail(err, WA_E_CONFIG,
                    "database: its file system can't do a write-ahead log; put it on a local disk");
    (void)sqlite3_finalize(s);
    return code;
}

/* SQLite's busy time-out leaves this statement out, and another program may be opening the new
 * database too. */
static enum wa_code want_wal(sqlite3 *db, struct wa_err *err)
{
    enum { PAUSE_MS = 10 };

    for (int waited = 0; ask_wal(db, err) == WA_E_BUSY && waited < BUSY_MS; waited += PAUSE_MS) {
        (void)sqlite3_sleep(PAUSE_MS);
        wa_err_clear(err);
    }
    return err->code;
}

static enum wa_code set_up(sqlite3 *db, bool is_to_read, struct wa_err *err)
{
    static const struct {
        int option, value;
    } options[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},
                   {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                   {SQLITE_DBCONFIG_DQS_DML, 0},
                   {SQLITE_DBCONFIG_DQS_DDL, 0},
                   {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0}};

    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, BUSY_MS);
    for (size_t i = 0; i < WA_COUNT(options); i++)
        if (sqlite3_db_config(db, options[i].option, options[i].value, NULL) != SQLITE_OK)
            return wa_fail(err, WA_E_INTERNAL,
                           "database: this SQLite can't be set to be careful (option %d)",
                           options[i].option);
    (void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, WA_SQL_VALUE_BYTES_MAX);
    if (is_to_read)
        return exec(db, "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0",
                    err);
    if (want_wal(db, err) != WA_OK)
        return err->code;
    return exec(db,
                "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=FAST; "
                "PRAGMA cell_size_check=ON;"
                "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA journal_size_limit=67108864",
                err);
}

/* Makes the file unless it exists or is only to be read, and says by which path without links in
 * its directory it is opened. */
static enum wa_code make_file(const char *path, bool is_to_read, char out[WA_PATH_MAX],
                              struct wa_err *err)
{
    const char *last = wa_path_last(path);
    char where[WA_PATH_MAX], real[WA_PATH_MAX];
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name;

    if (wa_path_dir(path, (size_t)(last - path), where, err) != WA_OK ||
        wa_relpath_parse(wa_sv(last), &name, err) != WA_OK ||
        wa_dir_open(where, &dir, err) != WA_OK)
        return err->code;
    if (!is_to_read && wa_file_create(&dir, &name, 0600, &fd, err) == WA_E_EXISTS)
        wa_err_clear(err);
    if (err->code != WA_OK || wa_path_real(where, real, err) != WA_OK)
        return err->code;
    size_t n = strlen(real);
    const char *between = wa_path_is_separator(real[n - 1]) ? "" : "/";
    if (snprintf(out, WA_PATH_MAX, "%s%s%s", real, between, name.p) >= (int)WA_PATH_MAX)
        return wa_fail(err, WA_E_LIMIT, "the path is too long");
    return WA_OK;
}

static enum wa_code open_db(const char *url, void **ret_conn, struct wa_err *err)
{
    const bool is_to_read = wa_sv_ends(wa_sv(url), TO_READ);
    char path[WA_PATH_MAX], real[WA_PATH_MAX];
    sqlite3 *db = NULL;

    (void)snprintf(path, sizeof path, "%s", url + sizeof(PREFIX) - 1);
    if (is_to_read)
        path[strlen(path) - (sizeof(TO_READ) - 1)] = '\0';
    if (make_file(path, is_to_read, real, err) != WA_OK)
        return wa_wrap(err, "database '%s'", path);
    int rc = sqlite3_open_v2(real, &db,
                             (is_to_read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                                 SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
                             NULL);
    enum wa_code code =
        rc == SQLITE_OK ? set_up(db, is_to_read, err) : fail(db, rc, "open it", err);
    if (code != WA_OK) {
        (void)sqlite3_close(db);
        return code == WA_E_NOMEM ? code : wa_wrap(err, "'%s'", path);
    }
    *ret_conn = db;
    return WA_OK;
}

static void close_db(void *conn)
{
    (void)sqlite3_close(conn); /* every statement has been finalized */
}

/* --- statements --- */

static enum wa_code prepare(void *conn, const char *sql, struct wa_drv_stmt **ret,
                            struct wa_err *err)
{
    const char *tail = NULL;
    struct wa_drv_stmt *s = wa_calloc(1, sizeof(*s));

    if (s == NULL)
        return wa_nomem(err);
    s->db = conn;
    enum wa_code code = WA_OK;
    int rc = sqlite3_prepare_v3(conn, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->s, &tail);
    if (rc != SQLITE_OK)
        code = fail(conn, rc, "prepare a statement", err);
    else if (s->s == NULL || tail[0] != '\0')
        code = wa_fail(err, WA_E_INTERNAL, "database: not exactly one statement to prepare");
    if (code != WA_OK) {
        (void)sqlite3_finalize(s->s);
        wa_free(s);
        return code;
    }
    *ret = s;
    return WA_OK;
}

static void finalize(struct wa_drv_stmt *s)
{
    (void)sqlite3_finalize(s->s);
    wa_free(s);
}

static enum wa_code bound(struct wa_drv_stmt *s, int rc, struct wa_err *err)
{
    return rc == SQLITE_OK ? WA_OK : fail(s->db, rc, "bind a value", err);
}

static enum wa_code bind_text(struct wa_drv_stmt *s, int i, struct wa_sv v, struct wa_err *err)
{
    return bound(
        s, sqlite3_bind_text64(s->s, i + 1, v.n > 0 ? v.p : "", v.n, SQLITE_TRANSIENT, SQLITE_UTF8),
        err);
}

static enum wa_code bind_blob(struct wa_drv_stmt *s, int i, struct wa_sv v, struct wa_err *err)
{
    return bound(s, sqlite3_bind_blob64(s->s, i + 1, v.n > 0 ? v.p : "", v.n, SQLITE_TRANSIENT),
                 err);
}

static enum wa_code bind_i64(struct wa_drv_stmt *s, int i, int64_t v, struct wa_err *err)
{
    return bound(s, sqlite3_bind_int64(s->s, i + 1, v), err);
}

static enum wa_code bind_null(struct wa_drv_stmt *s, int i, struct wa_err *err)
{
    return bound(s, sqlite3_bind_null(s->s, i + 1), err);
}

static enum wa_code step(struct wa_drv_stmt *s, bool *ret_row, struct wa_err *err)
{
    int rc = sqlite3_step(s->s);

    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return fail(s->db, sqlite3_extended_errcode(s->db), "run a statement", err);
    *ret_row = rc == SQLITE_ROW;
    return WA_OK;
}

static void reset(struct wa_drv_stmt *s)
{
    (void)sqlite3_reset(s->s);
    (void)sqlite3_clear_bindings(s->s);
}

static int64_t col_i64(struct wa_drv_stmt *s, int col)
{
    return sqlite3_column_int64(s->s, col);
}

/* Text and blobs alike: their bytes as they are stored. */
static struct wa_sv col_sv(struct wa_drv_stmt *s, int col)
{
    const void *p = sqlite3_column_blob(s->s, col);
    int n = sqlite3_column_bytes(s->s, col);

    return wa_sv_n(p, p == NULL ? 0 : (size_t)n);
}

static bool col_is_null(struct wa_drv_stmt *s, int col)
{
    return sqlite3_column_type(s->s, col) == SQLITE_NULL;
}

static int64_t changes(void *conn)
{
    return sqlite3_changes64(conn);
}

static enum wa_drv_tx transaction(void *conn)
{
    return sqlite3_get_autocommit(conn) != 0 ? WA_TX_NONE : WA_TX_OPEN;
}

static bool is_lost(void *conn)
{
    WA_UNUSED(conn);
    return false; /* it is a file */
}

const struct wa_drv wa_drv_sqlite = {
    .name = "sqlite",
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
    .transaction = transaction,
    .is_lost = is_lost,
    .begin = "BEGIN IMMEDIATE",
};

enum wa_code wa_db_open_sqlite(const char *url, struct wa_db **ret, struct wa_err *err)
{
    if (!wa_sv_starts(wa_sv(url), wa_drv_sqlite.prefix))
        return wa_fail(err, WA_E_CONFIG,
                       "cannot open the database: its address does not begin with 'sqlite:'");
    return wa_drv_connect(&wa_drv_sqlite, url, ret, err);
}
