/* foreign.h - a statement that somebody wrote who is not us: one SELECT over views, read only, cut
 * to what its author may see, and bounded in time, rows and bytes.
 *
 * Three walls, each enough by itself for what it guards. The text: one statement of a small
 * language, no function that is not named here. The database: SQLite's authorizer lets it read the
 * views and nothing else; PostgreSQL has a role of its own that has rights on the views alone. The
 * process: the caller runs it where there is nothing else to gain.
 */
#ifndef WA_SQL_FOREIGN_H
#define WA_SQL_FOREIGN_H

#include "base/buf.h"

/* The rows of select whose number (an expression of it) is one of the author's machines. */
struct wa_foreign_view {
    const char *name;
    const char *select; /* without WHERE; '@' before each table's name */
    const char *number;
};

struct wa_foreign {
    const char *url; /* "sqlite:FILE", or a PostgreSQL's with the role that reads the views */
    const struct wa_foreign_view *views;
    size_t view_count;
    int64_t max_ms;
    size_t max_rows, max_bytes; /* of cells; beyond, the rest is left out */
};

struct wa_foreign_cell {
    struct wa_sv text;
    bool is_null, is_number;
};
struct wa_foreign_sink { /* false from row: no more, please */
    void (*columns)(void *user, const char *const *names, size_t count);
    bool (*row)(void *user, const struct wa_foreign_cell *cells, size_t count);
    void *user;
};

#define WA_FOREIGN_TEXT_MAX 16384u /* bytes of a statement */
#define WA_FOREIGN_COLUMNS_MAX 100u

/* Whether the text may be run at all; WA_E_USAGE says what is not allowed. */
WA_CHECK enum wa_code wa_foreign_check(const char *sql, struct wa_err *err);
/* The functions that a statement may call, as a list for people. */
const char *wa_foreign_functions(void);

/* Checks and runs it. scope: SQLite: the machines' numbers, "1,5"; PostgreSQL: the name under which
 * they stand in report_scopes. NULL: all (SQLite alone). *ret_is_cut: rows were left out.
 * WA_E_USAGE with the database's words for a statement that is none; WA_E_LIMIT when it takes too
 * long or too much. */
WA_CHECK enum wa_code wa_foreign_run(const struct wa_foreign *f, const char *scope, const char *sql,
                                     const struct wa_foreign_sink *sink, bool *ret_is_cut,
                                     struct wa_err *err);

/* --- between files of sql/ --- */
WA_CHECK enum wa_code wa_foreign_run_sqlite(const struct wa_foreign *f, const char *scope,
                                            const char *sql, const struct wa_foreign_sink *sink,
                                            bool *ret_is_cut, struct wa_err *err);
WA_CHECK enum wa_code wa_foreign_run_pgsql(const struct wa_foreign *f, const char *scope,
                                           const char *sql, const struct wa_foreign_sink *sink,
                                           bool *ret_is_cut, struct wa_err *err);
/* The view's select, with the schema in place of '@'. */
void wa_foreign_add_select(const struct wa_foreign_view *v, const char *schema, struct wa_buf *out);
bool wa_foreign_is_function(struct wa_sv name);

/* --- PostgreSQL: made by who owns the tables --- */
#define WA_FOREIGN_SCHEMA "wapt_reports_3" /* counts up when views change */
#define WA_FOREIGN_ROLE "wapt_report"
struct wa_db;
/* Makes the views that are not there yet and lets the role read them, if there is such a role:
 * *ret_has_role. Nothing for SQLite. */
WA_CHECK enum wa_code wa_foreign_publish(struct wa_db *db, const struct wa_foreign_view *views,
                                         size_t count, bool *ret_has_role, struct wa_err *err);
/* Drops the views that former versions of this program have made, in the caller's transaction;
 * *ret_count: how many schemas. Only what is ours: somebody's own view upon one of them makes it
 * fail. Nothing for SQLite. */
WA_CHECK enum wa_code wa_foreign_drop_former(struct wa_db *db, size_t *ret_count,
                                             struct wa_err *err);

#endif
