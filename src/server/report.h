/* report.h - saved reports: SQL of people over views of what the server knows (docs/reports.md). */
#ifndef WA_SERVER_REPORT_H
#define WA_SERVER_REPORT_H

#include "sql/foreign.h"

/* The views, the same for both databases. */
const struct wa_foreign_view *wa_report_views(size_t *ret_count);

#define WA_REPORT_SECONDS 10      /* that a report may take */
#define WA_REPORT_ROWS 1000       /* of an answer, when nothing is said */
#define WA_REPORT_ROWS_MAX 100000 /* and at most */

/* The process's side. Appends {"columns":[...],"rows":[[...]],"is_cut":flag}; what could not be
 * answered is {"code","message"}. user: struct wa_foreign *. request: {sql, scope (absent: all),
 * rows}. */
WA_CHECK enum wa_code wa_report_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                                       struct wa_err *err);

/* --- in the database --- */
struct wa_report { /* borrowed: while it is told */
    struct wa_sv name, about, query, author;
    int64_t changed_at;
};
typedef void (*wa_report_fn)(void *user, const struct wa_report *r);
struct wa_db;
/* All, by name; name: only that one, NULL for all. *ret_count: how many there were. */
WA_CHECK enum wa_code wa_store_reports(struct wa_db *db, const char *name, wa_report_fn fn,
                                       void *user, size_t *ret_count, struct wa_err *err);
/* WA_E_LIMIT beyond WA_REPORTS_MAX of them. */
#define WA_REPORTS_MAX 1000
WA_CHECK enum wa_code wa_store_put_report(struct wa_db *db, const struct wa_report *r,
                                          struct wa_err *err);
/* WA_E_NOT_FOUND. */
WA_CHECK enum wa_code wa_store_delete_report(struct wa_db *db, const char *name,
                                             struct wa_err *err);
/* PostgreSQL: whose machines a run shows, until it is forgotten. hosts: "*" for all. */
WA_CHECK enum wa_code wa_store_add_scope(struct wa_db *db, const char *name, struct wa_sv hosts,
                                         int64_t now, struct wa_err *err);
/* That one, and those that a server left that has ended. */
WA_CHECK enum wa_code wa_store_end_scope(struct wa_db *db, const char *name, int64_t now,
                                         struct wa_err *err);

/* What an answer as a table begins with, in place of JSON's "{". */
#define WA_REPORT_CSV "csv\n"

#endif
