/* dump.c - reading all tables, at one moment. Names of tables and columns come from the database's
 * own catalogue, which migrations made; they are checked all the same before they become SQL.
 */
#include "sql/dump.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "sql/dump_priv.h"

#define PART_MAX (1u << 20) /* bytes of a text in one line */
#define ROWS_AT_ONCE "50"

bool wa_dump_is_name(struct wa_sv name)
{
    bool is_good = name.n > 0 && name.n <= WA_DUMP_NAME_MAX;
    for (size_t i = 0; is_good && i < name.n; i++)
        is_good = (name.p[i] >= 'a' && name.p[i] <= 'z') || name.p[i] == '_' ||
                  (name.p[i] >= '0' && name.p[i] <= '9');
    return is_good;
}

static enum wa_code take_table(struct wa_sv name, struct wa_dump_tables *ret, struct wa_err *err)
{
    if (wa_sv_eqs(name, "schema_version"))
        return WA_OK;
    if (!wa_dump_is_name(name))
        return wa_fail(err, WA_E_INVALID, "the database has a table '%.*s', not of ours",
                       WA_SV_ARG(name));
    struct wa_dump_table *t = WA_VEC_PUSH(ret);
    if (t == NULL)
        return wa_nomem(err);
    *t = (struct wa_dump_table){.column_count = 0};
    (void)snprintf(t->name, sizeof t->name, "%.*s", WA_SV_ARG(name));
    return WA_OK;
}

static enum wa_code read_tables(struct wa_db *db, struct wa_dump_tables *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db, wa_dump_catalogue(db)->tables, &s, err) != WA_OK)
        return err->code;
    while (wa_step(s, &row, err) == WA_OK && row)
        if (take_table(wa_col_sv(s, 0), ret, err) != WA_OK) {
            wa_reset(s);
            break;
        }
    return err->code;
}

static enum wa_code read_columns(struct wa_db *db, struct wa_dump_table *t, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db, wa_dump_catalogue(db)->columns, &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, t->name);
    while (wa_step(s, &row, err) == WA_OK && row) {
        struct wa_sv name = wa_col_sv(s, 0), type = wa_col_sv(s, 1);
        bool is_number = wa_sv_ieqs(type, "bigint") || wa_sv_ieqs(type, "integer");
        if (!wa_dump_is_name(name) || (!is_number && !wa_sv_ieqs(type, "text")) ||
            t->column_count == WA_DUMP_COLUMNS_MAX) {
            (void)wa_fail(err, WA_E_INTERNAL, "column '%.*s' of '%s' can't be dumped: '%.*s'",
                          WA_SV_ARG(name), t->name, WA_SV_ARG(type));
            wa_reset(s);
            break;
        }
        struct wa_dump_column *c = &t->columns[t->column_count++];
        c->is_number = is_number;
        (void)snprintf(c->name, sizeof c->name, "%.*s", WA_SV_ARG(name));
    }
    return err->code;
}

static size_t place_of(const struct wa_dump_tables *tables, struct wa_sv name)
{
    size_t i = 0;
    while (i < tables->n && !wa_sv_eqs(name, tables->items[i].name))
        i++;
    return i;
}

/* A table that refers to one behind it changes places with it. *ret_moved: look again. */
static enum wa_code sort_one(struct wa_db *db, struct wa_dump_tables *tables, size_t i,
                             bool *ret_moved, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    size_t last = i;
    if (wa_db_prepare(db, wa_dump_catalogue(db)->references, &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, tables->items[i].name);
    while (wa_step(s, &row, err) == WA_OK && row) {
        size_t at = place_of(tables, wa_col_sv(s, 0));
        last = at < tables->n && at > last ? at : last;
    }
    if (err->code == WA_OK && last != i) {
        const struct wa_dump_table swap = tables->items[i];
        tables->items[i] = tables->items[last];
        tables->items[last] = swap;
        *ret_moved = true;
    }
    return err->code;
}

enum wa_code wa_dump_tables_read(struct wa_db *db, struct wa_dump_tables *ret, struct wa_err *err)
{
    bool has_moved = true;
    if (read_tables(db, ret, err) != WA_OK)
        return err->code;
    for (size_t round = 0; has_moved; round++) {
        has_moved = false;
        if (round > ret->n * ret->n)
            return wa_fail(err, WA_E_INTERNAL, "the database's tables refer to one another");
        for (size_t i = 0; i < ret->n; i++)
            if (sort_one(db, ret, i, &has_moved, err) != WA_OK)
                return err->code;
    }
    for (size_t i = 0; i < ret->n; i++)
        if (read_columns(db, &ret->items[i], err) != WA_OK)
            return err->code;
    return WA_OK;
}

/* --- writing --- */

struct dump {
    struct wa_db *db;
    struct wa_sink *out;
    struct wa_buf line, parts;
    uint64_t rows;
};

static enum wa_code flush(struct dump *d, struct wa_buf *b, struct wa_err *err)
{
    if (wa_buf_check(b, err) != WA_OK || (b->n > 0 && d->out->write(d->out, b->p, b->n, err)))
        return err->code;
    wa_buf_clear(b);
    return WA_OK;
}

static void write_text(struct dump *d, struct wa_jw *w, struct wa_sv text)
{
    struct wa_jw part;
    int64_t count = 0;
    if (text.n <= PART_MAX) {
        wa_jw_sv(w, text);
        return;
    }
    while (text.n > 0) {
        size_t n = text.n <= PART_MAX ? text.n : wa_utf8_cut(text.p, PART_MAX);
        wa_jw_init(&part, &d->parts);
        wa_jw_sv(&part, wa_sv_sub(text, 0, n));
        wa_buf_addc(&d->parts, '\n');
        text = wa_sv_sub(text, n, text.n);
        count++;
    }
    wa_jw_obj(w);
    wa_jw_kvi(w, "parts", count);
    wa_jw_end(w);
}

static enum wa_code write_row(struct dump *d, const struct wa_dump_table *t, struct wa_stmt *s,
                              struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, &d->line);
    wa_jw_arr(&w);
    for (size_t i = 0; i < t->column_count; i++)
        if (wa_col_is_null(s, (int)i))
            wa_jw_null(&w);
        else if (t->columns[i].is_number)
            wa_jw_i64(&w, wa_col_i64(s, (int)i));
        else
            write_text(d, &w, wa_col_sv(s, (int)i));
    wa_jw_end(&w);
    wa_buf_addc(&d->line, '\n');
    d->rows++;
    return flush(d, &d->line, err) == WA_OK ? flush(d, &d->parts, err) : err->code;
}

static enum wa_code write_head(struct dump *d, const struct wa_dump_table *t, struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, &d->line);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "table", t->name);
    wa_jw_key(&w, "columns");
    wa_jw_arr(&w);
    for (size_t i = 0; i < t->column_count; i++)
        wa_jw_s(&w, t->columns[i].name);
    wa_jw_end(&w);
    wa_jw_end(&w);
    wa_buf_addc(&d->line, '\n');
    return flush(d, &d->line, err);
}

/* Rows until the statement has no more; how many. */
static enum wa_code write_rows(struct dump *d, const struct wa_dump_table *t, const char *sql,
                               uint64_t *ret_count, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    uint64_t before = d->rows;
    if (wa_db_prepare(d->db, sql, &s, err) != WA_OK)
        return err->code;
    while (wa_step(s, &row, err) == WA_OK && row)
        if (write_row(d, t, s, err) != WA_OK) {
            wa_reset(s);
            break;
        }
    *ret_count = d->rows - before;
    return err->code;
}

static enum wa_code dump_table(struct dump *d, const struct wa_dump_table *t, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf select;
    WA_AUTO_BUF struct wa_buf sql;
    bool has_cursors = wa_dump_catalogue(d->db)->has_cursors;
    uint64_t count = 0;
    wa_buf_init(&select, 16u << 10);
    wa_buf_init(&sql, 16u << 10);
    wa_buf_adds(&select, "SELECT ");
    for (size_t i = 0; i < t->column_count; i++)
        wa_buf_addf(&select, "%s\"%s\"", i > 0 ? ", " : "", t->columns[i].name);
    wa_buf_addf(&select, " FROM \"%s\"", t->name);
    if (wa_buf_check(&select, err) != WA_OK || write_head(d, t, err) != WA_OK)
        return err->code;
    if (!has_cursors)
        return write_rows(d, t, wa_buf_str(&select), &count, err);
    /* All rows at once would have to be in memory: this driver's library knows no other way. */
    wa_buf_addf(&sql, "DECLARE dump_%s NO SCROLL CURSOR FOR %s", t->name, wa_buf_str(&select));
    if (wa_buf_check(&sql, err) != WA_OK || wa_db_exec(d->db, wa_buf_str(&sql), err) != WA_OK)
        return err->code;
    wa_buf_clear(&sql);
    wa_buf_addf(&sql, "FETCH FORWARD " ROWS_AT_ONCE " FROM dump_%s", t->name);
    do {
        if (wa_buf_check(&sql, err) != WA_OK ||
            write_rows(d, t, wa_buf_str(&sql), &count, err) != WA_OK)
            return err->code;
    } while (count > 0);
    return WA_OK;
}

static enum wa_code dump_all(struct dump *d, struct wa_dump_tables *tables, struct wa_err *err)
{
    struct wa_jw w;
    if (wa_dump_tables_read(d->db, tables, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < tables->n; i++)
        if (dump_table(d, &tables->items[i], err) != WA_OK)
            return wa_wrap(err, "table '%s'", tables->items[i].name);
    wa_jw_init(&w, &d->line);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "rows", (int64_t)d->rows);
    wa_jw_end(&w);
    wa_buf_addc(&d->line, '\n');
    return flush(d, &d->line, err);
}

enum wa_code wa_db_dump(struct wa_db *db, struct wa_sink *out, struct wa_err *err)
{
    struct wa_dump_tables tables = {0};
    struct dump d = {.db = db, .out = out};
    wa_buf_init(&d.line, WA_DUMP_LINE_MAX);
    wa_buf_init(&d.parts, 8u * WA_SQL_VALUE_BYTES_MAX);
    if (wa_db_exec(db, wa_dump_catalogue(db)->snapshot, err) == WA_OK) {
        (void)dump_all(&d, &tables, err);
        wa_db_rollback(db); /* there was nothing to write */
    }
    wa_buf_fini(&d.line);
    wa_buf_fini(&d.parts);
    WA_VEC_FREE(&tables);
    return err->code;
}
