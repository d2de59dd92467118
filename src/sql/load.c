/* load.c - rows back into a database from the lines of dump.c. Whatever the lines say, only tables
 * and columns that the schema has are written, and values are bound.
 */
#include "base/mem.h"
#include "codec/json.h"
#include "sql/dump.h"
#include "sql/dump_priv.h"

struct wa_db_load {
    struct wa_db *db;
    struct wa_dump_tables tables;
    const struct wa_dump_table *table;   /* of the rows that come; NULL: none yet */
    size_t columns[WA_DUMP_COLUMNS_MAX]; /* of the row's values */
    size_t column_count;
    struct wa_buf sql;
    struct wa_stmt *stmt;
    struct wa_buf texts[WA_DUMP_COLUMNS_MAX]; /* that come in parts */
    int64_t parts[WA_DUMP_COLUMNS_MAX];       /* how many are still to come */
    bool is_waiting;                          /* for parts of the row that was read */
    uint64_t rows;
    bool has_ended;
};

enum wa_code wa_db_load_new(struct wa_db *db, struct wa_db_load **ret, struct wa_err *err)
{
    struct wa_db_load *l = wa_calloc(1, sizeof *l);
    if (l == NULL)
        return wa_nomem(err);
    l->db = db;
    wa_buf_init(&l->sql, 32u << 10);
    for (size_t i = 0; i < WA_DUMP_COLUMNS_MAX; i++)
        wa_buf_init(&l->texts[i], WA_SQL_VALUE_BYTES_MAX);
    if (wa_dump_tables_read(db, &l->tables, err) != WA_OK) {
        wa_db_load_free(l);
        return err->code;
    }
    *ret = l;
    return WA_OK;
}

void wa_db_load_free(struct wa_db_load *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < WA_DUMP_COLUMNS_MAX; i++)
        wa_buf_fini(&l->texts[i]);
    wa_buf_fini(&l->sql);
    WA_VEC_FREE(&l->tables);
    wa_free(l);
}

/* --- which table --- */

static const struct wa_dump_table *table_of(const struct wa_db_load *l, struct wa_sv name)
{
    for (size_t i = 0; i < l->tables.n; i++)
        if (wa_sv_eqs(name, l->tables.items[i].name))
            return &l->tables.items[i];
    return NULL;
}

static bool column_of(const struct wa_dump_table *t, struct wa_sv name, size_t *ret)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (wa_sv_eqs(name, t->columns[i].name)) {
            *ret = i;
            return true;
        }
    return false;
}

static enum wa_code begin_table(struct wa_db_load *l, const struct wa_json *j, struct wa_err *err)
{
    struct wa_sv name = wa_json_sv(wa_json_get(j, "table"));
    const struct wa_json *columns = wa_json_get(j, "columns");
    l->table = table_of(l, name);
    l->column_count = wa_json_count(columns);
    if (l->table == NULL || l->column_count == 0 || l->column_count > l->table->column_count)
        return wa_fail(err, WA_E_INVALID, "the schema has no table '%.*s' of %zu columns",
                       WA_SV_ARG(name), l->column_count);
    wa_buf_clear(&l->sql);
    wa_buf_addf(&l->sql, "INSERT INTO \"%s\" (", l->table->name);
    for (size_t i = 0; i < l->column_count; i++) {
        struct wa_sv column = wa_json_sv(wa_json_at(columns, i));
        if (!column_of(l->table, column, &l->columns[i]))
            return wa_fail(err, WA_E_INVALID, "table '%s' has no column '%.*s'", l->table->name,
                           WA_SV_ARG(column));
        wa_buf_addf(&l->sql, "%s\"%s\"", i > 0 ? ", " : "", l->table->columns[l->columns[i]].name);
    }
    wa_buf_adds(&l->sql, ") VALUES (");
    for (size_t i = 0; i < l->column_count; i++)
        wa_buf_adds(&l->sql, i > 0 ? ", ?" : "?");
    wa_buf_adds(&l->sql, ")");
    return wa_buf_check(&l->sql, err);
}

/* --- rows --- */

static enum wa_code bad_row(const struct wa_db_load *l, struct wa_err *err)
{
    return wa_fail(err, WA_E_INVALID, "row %llu is none of table '%s'",
                   (unsigned long long)(l->rows + 1), l->table == NULL ? "" : l->table->name);
}

static enum wa_code bind(struct wa_db_load *l, size_t i, const struct wa_json *v,
                         struct wa_err *err)
{
    int64_t number = 0;
    l->parts[i] = 0;
    if (wa_json_type(v) == WA_JSON_NULL) {
        wa_bind_null(l->stmt, (int)i);
    } else if (l->table->columns[l->columns[i]].is_number) {
        if (!wa_json_i64(v, &number))
            return bad_row(l, err);
        wa_bind_i64(l->stmt, (int)i, number);
    } else if (wa_json_is(v, WA_JSON_STRING)) {
        wa_bind_sv(l->stmt, (int)i, wa_json_sv(v));
    } else {
        if (!wa_json_i64(wa_json_get(v, "parts"), &l->parts[i]) || l->parts[i] < 1)
            return bad_row(l, err);
        wa_buf_clear(&l->texts[i]);
        l->is_waiting = true;
    }
    return WA_OK;
}

static enum wa_code insert(struct wa_db_load *l, struct wa_err *err)
{
    l->rows++;
    return wa_run(l->stmt, err) == WA_OK ? WA_OK : wa_wrap(err, "table '%s'", l->table->name);
}

static enum wa_code take_row(struct wa_db_load *l, const struct wa_json *j, struct wa_err *err)
{
    if (l->table == NULL || wa_json_count(j) != l->column_count)
        return bad_row(l, err);
    if (wa_db_prepare(l->db, wa_buf_str(&l->sql), &l->stmt, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < l->column_count; i++)
        if (bind(l, i, wa_json_at(j, i), err) != WA_OK)
            return err->code;
    return l->is_waiting ? WA_OK : insert(l, err);
}

static enum wa_code take_part(struct wa_db_load *l, const struct wa_json *j, struct wa_err *err)
{
    size_t i = 0;
    while (i < l->column_count && l->parts[i] == 0)
        i++;
    if (!wa_json_is(j, WA_JSON_STRING) || i == l->column_count)
        return bad_row(l, err);
    wa_buf_addsv(&l->texts[i], wa_json_sv(j));
    if (wa_buf_check(&l->texts[i], err) != WA_OK)
        return err->code;
    if (--l->parts[i] == 0)
        wa_bind_sv(l->stmt, (int)i, wa_buf_sv(&l->texts[i]));
    for (; i < l->column_count; i++)
        if (l->parts[i] > 0)
            return WA_OK;
    l->is_waiting = false;
    return insert(l, err);
}

static enum wa_code take_end(struct wa_db_load *l, const struct wa_json *j, struct wa_err *err)
{
    int64_t rows = -1;
    if (!wa_json_i64(wa_json_get(j, "rows"), &rows) || rows < 0 || (uint64_t)rows != l->rows)
        return wa_fail(err, WA_E_INVALID, "the dump has %llu rows, and says otherwise",
                       (unsigned long long)l->rows);
    l->has_ended = true;
    return WA_OK;
}

enum wa_code wa_db_load_line(struct wa_db_load *l, struct wa_sv line, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 4u * WA_DUMP_LINE_MAX);
    if (l->has_ended)
        return wa_fail(err, WA_E_INVALID, "the dump goes on behind its end");
    if (wa_json_parse(line, 0, &arena, &j, err) != WA_OK)
        return err->code;
    if (l->is_waiting)
        return take_part(l, j, err);
    if (wa_json_is(j, WA_JSON_ARRAY))
        return take_row(l, j, err);
    return wa_json_get(j, "table") != NULL ? begin_table(l, j, err) : take_end(l, j, err);
}

enum wa_code wa_db_load_end(const struct wa_db_load *l, uint64_t *ret_rows, struct wa_err *err)
{
    if (!l->has_ended)
        return wa_fail(err, WA_E_INVALID, "the dump was cut off");
    *ret_rows = l->rows;
    return WA_OK;
}
