/* db.c - the interface over drivers: cached statements, sticky bindings.
 *
 * There is no function that takes a value as SQL text: what comes from outside can only be bound.
 * Transactions are in group.c, migrations in migrate.c.
 */
#include "sql/db.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "sql/db_priv.h"

struct wa_stmt {
    struct wa_db *db;
    struct wa_drv_stmt *s;
    bool is_write;
    struct wa_err bind_err; /* of the first binding that failed */
};

static void free_url(struct wa_db *db)
{
    if (db->url != NULL)
        wa_wipe(db->url, strlen(db->url)); /* may hold a password */
    wa_free(db->url);
}

enum wa_code wa_drv_connect(const struct wa_drv *drv, const char *url, struct wa_db **ret,
                            struct wa_err *err)
{
    struct wa_db *db = wa_calloc(1, sizeof(*db));
    if (db == NULL)
        return wa_nomem(err);
    db->drv = drv;
    wa_map_init(&db->statements, 0); /* keys are our own literals */
    if (wa_sv_dup(wa_sv(url), &db->url, err) != WA_OK || drv->open(url, &db->conn, err) != WA_OK) {
        free_url(db);
        wa_free(db);
        return err->code;
    }
    *ret = db;
    return WA_OK;
}

static void free_statements(struct wa_db *db)
{
    for (size_t i = 0; i < db->statements.n; i++) {
        struct wa_stmt *s = db->statements.items[i].value;
        db->drv->finalize(s->s);
        wa_free(s);
    }
    wa_map_fini(&db->statements);
    wa_map_init(&db->statements, 0);
}

void wa_db_close(struct wa_db *db)
{
    if (db == NULL)
        return;
    free_statements(db);
    db->drv->close(db->conn);
    free_url(db);
    wa_free(db);
}

bool wa_db_is_lost(const struct wa_db *db)
{
    return db->drv->is_lost(db->conn);
}

enum wa_code wa_db_reconnect(struct wa_db *db, struct wa_err *err)
{
    void *conn = NULL;
    if (db->drv->open(db->url, &conn, err) != WA_OK)
        return err->code;
    free_statements(db);
    db->drv->close(db->conn);
    db->conn = conn;
    db->is_grouping = db->in_group = db->in_part = false; /* gone with the connection */
    return WA_OK;
}

const char *wa_db_driver(const struct wa_db *db)
{
    return db->drv->name;
}

/* --- statements --- */

enum wa_code wa_db_prepare(struct wa_db *db, const char *sql, struct wa_stmt **ret,
                           struct wa_err *err)
{
    struct wa_stmt *s = wa_map_get(&db->statements, wa_sv(sql));

    if (s != NULL) {
        wa_reset(s);
        *ret = s;
        return WA_OK;
    }
    s = wa_calloc(1, sizeof(*s));
    if (s == NULL)
        return wa_nomem(err);
    s->db = db;
    s->is_write = !wa_sv_starts(wa_sv(sql), "SELECT");
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
    if (s->bind_err.code == WA_OK)
        (void)s->db->drv->bind_text(s->s, i, v, &s->bind_err);
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
    if (s->bind_err.code == WA_OK)
        (void)s->db->drv->bind_i64(s->s, i, v, &s->bind_err);
}

void wa_bind_blob(struct wa_stmt *s, int i, struct wa_sv v)
{
    if (s->bind_err.code == WA_OK)
        (void)s->db->drv->bind_blob(s->s, i, v, &s->bind_err);
}

void wa_bind_null(struct wa_stmt *s, int i)
{
    if (s->bind_err.code == WA_OK)
        (void)s->db->drv->bind_null(s->s, i, &s->bind_err);
}

enum wa_code wa_step(struct wa_stmt *s, bool *ret_row, struct wa_err *err)
{
    bool has_row = false;
    enum wa_code code = s->bind_err.code;

    if (code != WA_OK)
        *err = s->bind_err;
    else if (s->is_write)
        code = wa_group_join(s->db, err);
    if (code == WA_OK)
        code = s->db->drv->step(s->s, &has_row, err);
    s->db->counts.errors += code != WA_OK;
    if (code != WA_OK || !has_row)
        wa_reset(s);
    if (code == WA_OK)
        *ret_row = has_row;
    return code;
}

enum wa_code wa_run(struct wa_stmt *s, struct wa_err *err)
{
    bool has_row = true;

    while (has_row)
        if (wa_step(s, &has_row, err) != WA_OK)
            return err->code;
    return WA_OK;
}

void wa_reset(struct wa_stmt *s)
{
    wa_err_clear(&s->bind_err);
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

void wa_col_text(struct wa_stmt *s, int col, char *out, size_t size)
{
    struct wa_sv text = wa_col_sv(s, col);
    size_t n = text.n < size ? text.n : wa_utf8_cut(text.p, size - 1);
    (void)snprintf(out, size, "%.*s", (int)n, n > 0 ? text.p : "");
}

bool wa_col_is_null(struct wa_stmt *s, int col)
{
    return s->db->drv->col_is_null(s->s, col);
}

enum wa_code wa_db_text(struct wa_db *db, const char *sql, struct wa_sv key, struct wa_buf *out,
                        struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, sql, &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, key);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (row)
        wa_buf_addsv(out, wa_col_sv(s, 0));
    wa_reset(s);
    return wa_buf_check(out, err);
}

int64_t wa_db_changes(struct wa_db *db)
{
    return db->drv->changes(db->conn);
}

enum wa_code wa_db_exec(struct wa_db *db, const char *sql, struct wa_err *err)
{
    enum wa_code code = db->drv->exec(db->conn, sql, err);
    db->counts.errors += code != WA_OK;
    return code;
}

const struct wa_db_counts *wa_db_counts(const struct wa_db *db)
{
    return &db->counts;
}

/* --- waking others --- */

enum wa_code wa_db_listen(struct wa_db *db, struct wa_err *err)
{
    return db->drv->listen == NULL ? WA_OK : wa_db_exec(db, db->drv->listen, err);
}

enum wa_code wa_db_announce(struct wa_db *db, struct wa_err *err)
{
    return db->drv->announce == NULL ? WA_OK : wa_db_exec(db, db->drv->announce, err);
}

int wa_db_wake_fd(const struct wa_db *db)
{
    return db->drv->wake_fd == NULL ? -1 : db->drv->wake_fd(db->conn);
}

bool wa_db_was_woken(struct wa_db *db)
{
    return db->drv->was_woken != NULL && db->drv->was_woken(db->conn);
}
