/* foreign_sqlite.c - a foreign statement on SQLite: a connection of its own, read only, for one
 * run.
 *
 * Each view is two: one with the name that people write, over one whose name is random and new for
 * each run. The authorizer lets tables be read only from inside the second kind: a statement that
 * calls one of its own parts like a view can't know that name. For an author who does not see all
 * machines the inner views are fenced, so that no condition of his is looked at for a row that is
 * not his (an error would tell of it).
 */
#include "base/mem.h"
#include "os/clock.h"
#include "os/rand.h"
#include "sql/foreign.h"

#include <sqlite3.h>

#define HEAP_MAX (256ll << 20) /* bytes: sorting */
/* Looking for one text in another is a single step, and takes as long as both are long, multiplied:
 * texts are so short, and the clock is looked at so often, that no row of such steps lasts. */
#define VALUE_MAX (1 << 18) /* bytes of one text */
#define TICKS 50            /* steps of SQLite's machine between two looks at the clock */

struct run {
    const struct wa_foreign *f;
    sqlite3 *db;
    char inner[24]; /* what names of this run begin with */
    uint64_t until_ms;
    bool is_late;
    char refused[128]; /* what the authorizer did not allow */
};

static enum wa_code fail(const struct run *r, int rc, struct wa_err *err)
{
    if (r->is_late)
        return wa_fail(err, WA_E_LIMIT, "the report takes longer than %lld s",
                       (long long)(r->f->max_ms / 1000));
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return wa_fail(err, WA_E_LIMIT, "the report needs more memory than a report may have");
    case SQLITE_TOOBIG:
        return wa_fail(err, WA_E_LIMIT, "the report makes too long a text");
    case SQLITE_AUTH:
        return wa_fail(err, WA_E_USAGE, "the report may not read or call %s",
                       r->refused[0] != '\0' ? r->refused : "that");
    case SQLITE_BUSY:
        return wa_fail(err, WA_E_BUSY, "the database is busy: try again");
    case SQLITE_ERROR:
        return wa_fail(err, WA_E_USAGE, "the report: %.200s", sqlite3_errmsg(r->db));
    default:
        return wa_fail(err, WA_E_IO, "the report: %.200s", sqlite3_errstr(rc));
    }
}

static enum wa_code exec(const struct run *r, const char *sql, struct wa_err *err)
{
    int rc = sqlite3_exec(r->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? WA_OK : fail(r, rc, err);
}

static enum wa_code open_db(struct run *r, struct wa_err *err)
{
    static const int limits[][2] = {{SQLITE_LIMIT_LENGTH, VALUE_MAX},
                                    {SQLITE_LIMIT_SQL_LENGTH, 64 << 10},
                                    {SQLITE_LIMIT_COLUMN, 200},
                                    {SQLITE_LIMIT_EXPR_DEPTH, 200},
                                    {SQLITE_LIMIT_COMPOUND_SELECT, 20},
                                    {SQLITE_LIMIT_VDBE_OP, 100000},
                                    {SQLITE_LIMIT_FUNCTION_ARG, 16},
                                    {SQLITE_LIMIT_ATTACHED, 0},
                                    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256},
                                    {SQLITE_LIMIT_VARIABLE_NUMBER, 1},
                                    {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
                                    {SQLITE_LIMIT_WORKER_THREADS, 0}};
    static const int options[][2] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},
                                     {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                     {SQLITE_DBCONFIG_DQS_DML, 0},
                                     {SQLITE_DBCONFIG_DQS_DDL, 0},
                                     {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
                                     {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}};
    (void)sqlite3_hard_heap_limit64(HEAP_MAX);
    int rc = sqlite3_open_v2(r->f->url + sizeof("sqlite:") - 1, &r->db,
                             SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                             NULL);
    if (rc != SQLITE_OK)
        return wa_fail(err, WA_E_IO, "cannot open the database to read it: %s", sqlite3_errstr(rc));
    for (size_t i = 0; i < WA_COUNT(limits); i++)
        (void)sqlite3_limit(r->db, limits[i][0], limits[i][1]);
    for (size_t i = 0; i < WA_COUNT(options); i++)
        if (sqlite3_db_config(r->db, options[i][0], options[i][1], NULL) != SQLITE_OK)
            return wa_fail(err, WA_E_INTERNAL, "this SQLite can't be set to be careful");
    (void)sqlite3_extended_result_codes(r->db, 1);
    (void)sqlite3_busy_timeout(r->db, 2000);
    return exec(r, "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA cell_size_check=ON", err);
}

/* --- views --- */

static enum wa_code add_scope(const struct run *r, const char *scope, struct wa_err *err)
{
    char sql[160];
    sqlite3_stmt *s = NULL;
    struct wa_sv rest = wa_sv(scope), one;
    int64_t number = 0;
    (void)snprintf(sql, sizeof sql, "CREATE TEMP TABLE %s_scope (host INTEGER PRIMARY KEY)",
                   r->inner);
    if (exec(r, sql, err) != WA_OK)
        return err->code;
    (void)snprintf(sql, sizeof sql, "INSERT OR IGNORE INTO temp.%s_scope VALUES (?)", r->inner);
    int rc = sqlite3_prepare_v2(r->db, sql, -1, &s, NULL);
    while (rc == SQLITE_OK && wa_sv_split(&rest, ',', &one)) {
        if (!wa_sv_i64(one, &number))
            continue;
        (void)sqlite3_bind_int64(s, 1, number);
        rc = sqlite3_step(s) == SQLITE_DONE ? sqlite3_reset(s) : sqlite3_reset(s) | SQLITE_ERROR;
    }
    (void)sqlite3_finalize(s);
    return rc == SQLITE_OK ? WA_OK : fail(r, rc, err);
}

static enum wa_code add_view(const struct run *r, const struct wa_foreign_view *v, bool is_cut,
                             struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf sql;
    wa_buf_init(&sql, 64u << 10);
    wa_buf_addf(&sql, "CREATE TEMP VIEW %s_%s AS ", r->inner, v->name);
    wa_foreign_add_select(v, "main.", &sql);
    if (is_cut) /* a LIMIT is a fence: nothing of the outer statement is moved into this one */
        wa_buf_addf(&sql, " WHERE %s IN (SELECT host FROM temp.%s_scope) LIMIT -1", v->number,
                    r->inner);
    wa_buf_addf(&sql, "; CREATE TEMP VIEW %s AS SELECT * FROM temp.%s_%s", v->name, r->inner,
                v->name);
    return wa_buf_check(&sql, err) == WA_OK ? exec(r, wa_buf_str(&sql), err) : err->code;
}

static enum wa_code set_up(struct run *r, const char *scope, struct wa_err *err)
{
    char random[17];
    if (wa_rand_hex(random, 8, err) != WA_OK)
        return err->code;
    (void)snprintf(r->inner, sizeof r->inner, "wa_%s", random);
    if (open_db(r, err) != WA_OK ||
        exec(r, "BEGIN", err) != WA_OK || /* one state of the database throughout */
        (scope != NULL && add_scope(r, scope, err) != WA_OK))
        return err->code;
    for (size_t i = 0; i < r->f->view_count; i++)
        if (add_view(r, &r->f->views[i], scope != NULL, err) != WA_OK)
            return err->code;
    return WA_OK;
}

/* --- what it may do --- */

static bool is_inner(const struct run *r, const char *name)
{
    return name != NULL && strncmp(name, r->inner, strlen(r->inner)) == 0;
}

static bool is_view(const struct run *r, const char *name)
{
    for (size_t i = 0; name != NULL && i < r->f->view_count; i++)
        if (strcmp(name, r->f->views[i].name) == 0)
            return true;
    return false;
}

/* SQLite tells neither database nor view where a view's rows alone are counted. */
static bool may_read(const struct run *r, const char *table, const char *db, const char *view)
{
    bool is_temp = db == NULL || strcmp(db, "temp") == 0;
    if (is_inner(r, view))
        return true; /* our own text */
    return is_temp && (is_view(r, table) || is_inner(r, table));
}

static int judge(void *user, int action, const char *a, const char *b, const char *db,
                 const char *view)
{
    struct run *r = user;
    bool is_allowed = action == SQLITE_SELECT ||
                      (action == SQLITE_READ && may_read(r, a, db, view)) ||
                      (action == SQLITE_FUNCTION &&
                       (is_inner(r, view) || (b != NULL && wa_foreign_is_function(wa_sv(b)))));
    if (is_allowed)
        return SQLITE_OK;
    const char *what = action == SQLITE_FUNCTION ? b : action == SQLITE_READ ? a : NULL;
    if (what != NULL)
        (void)snprintf(r->refused, sizeof r->refused, "'%.100s'", what);
    return SQLITE_DENY;
}

static int look_at_clock(void *user)
{
    struct run *r = user;
    r->is_late |= wa_clock_mono_ms() >= r->until_ms;
    return r->is_late ? 1 : 0;
}

/* --- the rows --- */

static void tell_columns(sqlite3_stmt *s, size_t n, const struct wa_foreign_sink *sink)
{
    const char *names[WA_FOREIGN_COLUMNS_MAX];
    for (size_t i = 0; i < n; i++) {
        const char *name = sqlite3_column_name(s, (int)i);
        names[i] = name != NULL ? name : "";
    }
    sink->columns(sink->user, names, n);
}

static bool tell_row(sqlite3_stmt *s, size_t n, const struct wa_foreign_sink *sink, size_t *left)
{
    struct wa_foreign_cell cells[WA_FOREIGN_COLUMNS_MAX];
    for (size_t i = 0; i < n; i++) {
        int type = sqlite3_column_type(s, (int)i);
        const void *p = type == SQLITE_BLOB ? NULL : (const void *)sqlite3_column_text(s, (int)i);
        size_t bytes = p == NULL ? 0 : (size_t)sqlite3_column_bytes(s, (int)i);
        cells[i] = (struct wa_foreign_cell){
            .text = wa_sv_n(p, bytes), .is_null = p == NULL, .is_number = type == SQLITE_INTEGER};
        if (bytes > *left)
            return false;
        *left -= bytes;
    }
    return sink->row(sink->user, cells, n);
}

static enum wa_code fetch(struct run *r, sqlite3_stmt *s, const struct wa_foreign_sink *sink,
                          bool *ret_is_cut, struct wa_err *err)
{
    size_t n = (size_t)sqlite3_column_count(s), rows = 0, left = r->f->max_bytes;
    int rc = SQLITE_ROW;
    *ret_is_cut = false;
    if (n > WA_FOREIGN_COLUMNS_MAX)
        return wa_fail(err, WA_E_LIMIT, "a report of more than %u columns", WA_FOREIGN_COLUMNS_MAX);
    tell_columns(s, n, sink);
    while (!*ret_is_cut && (rc = sqlite3_step(s)) == SQLITE_ROW)
        *ret_is_cut = rows++ == r->f->max_rows || !tell_row(s, n, sink, &left);
    return *ret_is_cut || rc == SQLITE_DONE ? WA_OK : fail(r, rc, err);
}

static enum wa_code run(struct run *r, const char *sql, const struct wa_foreign_sink *sink,
                        bool *ret_is_cut, struct wa_err *err)
{
    sqlite3_stmt *s = NULL;
    const char *tail = NULL;
    r->until_ms = wa_clock_mono_ms() + (uint64_t)r->f->max_ms;
    (void)sqlite3_set_authorizer(r->db, judge, r);
    sqlite3_progress_handler(r->db, TICKS, look_at_clock, r);
    int rc = sqlite3_prepare_v2(r->db, sql, -1, &s, &tail);
    enum wa_code code = rc == SQLITE_OK ? WA_OK : fail(r, rc, err);
    if (code == WA_OK &&
        (s == NULL || wa_sv_trim(wa_sv(tail)).n > 0 || sqlite3_stmt_readonly(s) == 0))
        code = wa_fail(err, WA_E_USAGE, "a report is one SELECT");
    if (code == WA_OK)
        code = fetch(r, s, sink, ret_is_cut, err);
    (void)sqlite3_finalize(s);
    return code;
}

enum wa_code wa_foreign_run_sqlite(const struct wa_foreign *f, const char *scope, const char *sql,
                                   const struct wa_foreign_sink *sink, bool *ret_is_cut,
                                   struct wa_err *err)
{
    struct run r = {.f = f};
    enum wa_code code = set_up(&r, scope, err);
    if (code == WA_OK)
        code = run(&r, sql, sink, ret_is_cut, err);
    (void)sqlite3_close(r.db);
    return code;
}
