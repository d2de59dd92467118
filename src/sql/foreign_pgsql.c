/* foreign_pgsql.c - a foreign statement on PostgreSQL: by a role that has rights on the views
 * alone, on a connection of its own for one run, in a transaction that reads.
 *
 * Whose machines the views show stands in a table that the role can neither read nor write, under a
 * random name that the session is given. The views are barriers: no condition of the author's is
 * looked at for a row that is not his. The statement comes through a cursor, so that only so many
 * rows ever leave the database, and no statement but a SELECT can be one.
 */
#include "base/mem.h"
#include "os/clock.h"
#include "sql/db.h"
#include "sql/foreign.h"

#include <libpq-fe.h>

#define PIECE "500"

struct run {
    const struct wa_foreign *f;
    PGconn *pg;
};

static enum wa_code fail(const struct run *r, const PGresult *res, struct wa_err *err)
{
    const char *state = res == NULL ? NULL : PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *text = res == NULL ? NULL : PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    if (state == NULL)
        return wa_fail(err, WA_E_UNREACHABLE, "the report: the database is away");
    if (strcmp(state, "57014") == 0)
        return wa_fail(err, WA_E_LIMIT, "the report takes longer than %lld s",
                       (long long)(r->f->max_ms / 1000));
    if (strncmp(state, "53", 2) == 0 || strncmp(state, "54", 2) == 0)
        return wa_fail(err, WA_E_LIMIT, "the report needs more than a report may have");
    return wa_fail(err, WA_E_USAGE, "the report: %.200s", text != NULL ? text : state);
}

/* One command, whatever the text. *ret: owned, NULL to forget it. */
static enum wa_code ask(const struct run *r, const char *sql, const char *value, PGresult **ret,
                        struct wa_err *err)
{
    const char *const values[] = {value};
    PGresult *res = PQexecParams(r->pg, sql, value == NULL ? 0 : 1, NULL, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(res);
    enum wa_code code =
        status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? WA_OK : fail(r, res, err);
    if (code != WA_OK || ret == NULL)
        PQclear(res);
    else
        *ret = res;
    return code;
}

static void say_nothing(void *user, const char *message)
{
    WA_UNUSED(user);
    WA_UNUSED(message);
}

static enum wa_code open_db(struct run *r, const char *scope, struct wa_err *err)
{
    const char *const keys[] = {"connect_timeout", "dbname", "client_encoding", NULL};
    const char *const values[] = {"10", r->f->url, "UTF8", NULL};
    char limit[64];
    (void)snprintf(limit, sizeof limit, "SET statement_timeout = %lld", (long long)r->f->max_ms);
    r->pg = PQconnectdbParams(keys, values, 1);
    if (r->pg == NULL)
        return wa_nomem(err);
    if (PQstatus(r->pg) != CONNECTION_OK)
        return wa_fail(err, WA_E_UNREACHABLE,
                       "cannot connect to the database for reports (report_database): %.*s",
                       (int)strcspn(PQerrorMessage(r->pg), "\n"), PQerrorMessage(r->pg));
    (void)PQsetNoticeProcessor(r->pg, say_nothing, NULL);
    return ask(r, "SET search_path = " WA_FOREIGN_SCHEMA, NULL, NULL, err) == WA_OK &&
                   ask(r, limit, NULL, NULL, err) == WA_OK &&
                   ask(r, "SET lock_timeout = '2s'", NULL, NULL, err) == WA_OK &&
                   ask(r, "SET standard_conforming_strings = on", NULL, NULL, err) == WA_OK &&
                   ask(r, "SELECT set_config('wapt.scope', $1, false)", scope, NULL, err) == WA_OK
               ? ask(r, "BEGIN READ ONLY", NULL, NULL, err)
               : err->code;
}

/* --- who may ask --- */

/* Those of other versions are the same views, for other servers over this database. */
#define SCHEMAS "'^wapt_reports_[0-9]{1,6}$'"

/* A role that owns or may do more than it is for would be a wall less. */
static enum wa_code check_role(const struct run *r, struct wa_err *err)
{
    PGresult *res = NULL;
    if (ask(r,
            "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = current_user AND (rolsuper OR "
            "rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls) UNION ALL SELECT 1 "
            "FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles u ON u.oid = m.member "
            "WHERE u.rolname = current_user UNION ALL SELECT 1 FROM pg_catalog.pg_class c JOIN "
            "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT IN "
            "('pg_catalog', 'information_schema') AND n.nspname !~ " SCHEMAS
            " AND n.nspname NOT LIKE 'pg_toast%' AND c.relkind IN ('r', 'v', 'm', 'p', 'f') AND "
            "pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE') LIMIT 1",
            NULL, &res, err) != WA_OK)
        return err->code;
    int rows = PQntuples(res);
    PQclear(res);
    return rows == 0 ? WA_OK
                     : wa_fail(err, WA_E_CONFIG,
                               "the role of report_database may do more than read the reports' "
                               "views: docs/reports.md says how it is made");
}

/* --- rows --- */

static bool is_number(Oid type)
{
    return type == 20 || type == 21 || type == 23; /* int8, int2, int4 */
}

static bool tell_row(const PGresult *res, int row, const struct wa_foreign_sink *sink, size_t *left)
{
    struct wa_foreign_cell cells[WA_FOREIGN_COLUMNS_MAX];
    size_t n = (size_t)PQnfields(res);
    for (size_t i = 0; i < n; i++) {
        size_t bytes = (size_t)PQgetlength(res, row, (int)i);
        cells[i] = (struct wa_foreign_cell){.text = wa_sv_n(PQgetvalue(res, row, (int)i), bytes),
                                            .is_null = PQgetisnull(res, row, (int)i) != 0,
                                            .is_number = is_number(PQftype(res, (int)i))};
        if (bytes > *left)
            return false;
        *left -= bytes;
    }
    return sink->row(sink->user, cells, n);
}

static enum wa_code tell_columns(const PGresult *res, const struct wa_foreign_sink *sink,
                                 struct wa_err *err)
{
    const char *names[WA_FOREIGN_COLUMNS_MAX];
    size_t n = (size_t)PQnfields(res);
    if (n == 0)
        return wa_fail(err, WA_E_USAGE, "a report without columns");
    if (n > WA_FOREIGN_COLUMNS_MAX)
        return wa_fail(err, WA_E_LIMIT, "a report of more than %u columns", WA_FOREIGN_COLUMNS_MAX);
    for (size_t i = 0; i < n; i++)
        names[i] = PQfname(res, (int)i);
    sink->columns(sink->user, names, n);
    return WA_OK;
}

static enum wa_code fetch(const struct run *r, const struct wa_foreign_sink *sink, bool *ret_is_cut,
                          struct wa_err *err)
{
    size_t rows = 0, left = r->f->max_bytes;
    bool is_first = true, is_cut = false;
    uint64_t until_ms = wa_clock_mono_ms() + (uint64_t)r->f->max_ms;
    for (int count = 1; count > 0 && !is_cut;) {
        if (wa_clock_mono_ms() > until_ms)
            return wa_fail(err, WA_E_LIMIT, "the report takes longer than %lld s",
                           (long long)(r->f->max_ms / 1000));
        PGresult *res = NULL;
        if (ask(r, "FETCH FORWARD " PIECE " FROM wa_report", NULL, &res, err) != WA_OK ||
            (is_first && tell_columns(res, sink, err) != WA_OK)) {
            PQclear(res);
            return err->code;
        }
        is_first = false;
        count = PQntuples(res);
        for (int i = 0; i < count && !is_cut; i++)
            is_cut = rows++ == r->f->max_rows || !tell_row(res, i, sink, &left);
        PQclear(res);
    }
    *ret_is_cut = is_cut;
    return WA_OK;
}

enum wa_code wa_foreign_run_pgsql(const struct wa_foreign *f, const char *scope, const char *sql,
                                  const struct wa_foreign_sink *sink, bool *ret_is_cut,
                                  struct wa_err *err)
{
    struct run r = {.f = f};
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_FOREIGN_TEXT_MAX + 256);
    wa_buf_adds(&text, "DECLARE wa_report NO SCROLL CURSOR FOR ");
    wa_buf_adds(&text, sql);
    enum wa_code code = wa_buf_check(&text, err);
    if (code == WA_OK)
        code = open_db(&r, scope, err);
    if (code == WA_OK)
        code = check_role(&r, err);
    if (code == WA_OK)
        code = ask(&r, wa_buf_str(&text), NULL, NULL, err);
    if (code == WA_OK)
        code = fetch(&r, sink, ret_is_cut, err);
    PQfinish(r.pg);
    return code;
}

/* --- the views --- */

static enum wa_code has_row(struct wa_db *db, const char *sql, const char *value, bool *ret,
                            struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, sql, &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, value);
    if (wa_step(s, ret, err) != WA_OK)
        return err->code;
    if (*ret)
        wa_reset(s);
    return WA_OK;
}

static enum wa_code make_view(struct wa_db *db, const struct wa_foreign_view *v, struct wa_err *err)
{
    bool is_there = false;
    WA_AUTO_BUF struct wa_buf sql;
    wa_buf_init(&sql, 64u << 10);
    if (has_row(db,
                "SELECT 1 FROM pg_catalog.pg_views WHERE schemaname = '" WA_FOREIGN_SCHEMA
                "' AND viewname = ?",
                v->name, &is_there, err) != WA_OK ||
        is_there)
        return err->code;
    wa_buf_addf(&sql, "CREATE VIEW " WA_FOREIGN_SCHEMA ".%s WITH (security_barrier) AS ", v->name);
    wa_foreign_add_select(v, "", &sql);
    wa_buf_addf(&sql,
                " WHERE (SELECT hosts = '*' FROM report_scopes WHERE name = "
                "current_setting('wapt.scope', true)) OR %s IN (SELECT "
                "unnest(string_to_array(NULLIF(hosts, '*'), ',')::bigint[]) FROM report_scopes "
                "WHERE name = current_setting('wapt.scope', true))",
                v->number);
    return wa_buf_check(&sql, err) == WA_OK ? wa_db_exec(db, wa_buf_str(&sql), err) : err->code;
}

static enum wa_code publish(struct wa_db *db, const struct wa_foreign_view *views, size_t count,
                            bool *ret_has_role, struct wa_err *err)
{
    if (has_row(db, "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = ?", WA_FOREIGN_ROLE,
                ret_has_role, err) != WA_OK ||
        !*ret_has_role ||
        wa_db_exec(db, "CREATE SCHEMA IF NOT EXISTS " WA_FOREIGN_SCHEMA, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < count; i++)
        if (make_view(db, &views[i], err) != WA_OK)
            return err->code;
    return wa_db_exec(db,
                      "GRANT USAGE ON SCHEMA " WA_FOREIGN_SCHEMA " TO " WA_FOREIGN_ROLE
                      "; GRANT SELECT ON ALL TABLES IN SCHEMA " WA_FOREIGN_SCHEMA
                      " TO " WA_FOREIGN_ROLE,
                      err);
}

enum wa_code wa_foreign_publish(struct wa_db *db, const struct wa_foreign_view *views, size_t count,
                                bool *ret_has_role, struct wa_err *err)
{
    *ret_has_role = false;
    if (strcmp(wa_db_driver(db), "postgresql") != 0)
        return WA_OK;
    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (publish(db, views, count, ret_has_role, err) != WA_OK || wa_db_commit(db, err) != WA_OK)
        wa_db_rollback(db);
    return err->code;
}

/* --- the views of former versions --- */

/* How the first schema that is left is dropped; "" for none. */
#define DROPS                                                                                      \
    "SELECT COALESCE((SELECT 'DROP VIEW ' || string_agg(format('%I.%I', v.schemaname, "            \
    "v.viewname), ', ') || '; ' FROM pg_catalog.pg_views v WHERE v.schemaname = n.nspname AND "    \
    "v.viewowner = current_user), '') || format('DROP SCHEMA %I', n.nspname) FROM "                \
    "pg_catalog.pg_namespace n WHERE n.nspname ~ " SCHEMAS                                         \
    " AND substr(n.nspname::text, 14)::integer < substr('" WA_FOREIGN_SCHEMA                       \
    "', 14)::integer AND pg_catalog.pg_has_role(n.nspowner, 'USAGE') ORDER BY n.nspname LIMIT 1"

static enum wa_code find_former(struct wa_db *db, struct wa_buf *ret_sql, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    wa_buf_clear(ret_sql);
    if (wa_db_prepare(db, DROPS, &s, err) != WA_OK || wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (row) {
        wa_buf_addsv(ret_sql, wa_col_sv(s, 0));
        wa_reset(s);
    }
    return wa_buf_check(ret_sql, err);
}

enum wa_code wa_foreign_drop_former(struct wa_db *db, size_t *ret_count, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf sql;
    *ret_count = 0;
    wa_buf_init(&sql, 64u << 10);
    if (strcmp(wa_db_driver(db), "postgresql") != 0)
        return WA_OK;
    /* Who reads them now is not waited for long: there is a next start. */
    if (wa_db_exec(db, "SET LOCAL lock_timeout = '5s'", err) != WA_OK ||
        find_former(db, &sql, err) != WA_OK)
        return err->code;
    for (; sql.n > 0; (*ret_count)++)
        if (wa_db_exec(db, wa_buf_str(&sql), err) != WA_OK || find_former(db, &sql, err) != WA_OK)
            return err->code;
    return WA_OK;
}
