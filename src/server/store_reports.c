/* store_reports.c - saved reports, and whose machines a run shows. Values are bound, always. */
#include "server/report.h"
#include "sql/db.h"

#define SCOPE_LEFT_S 600 /* older ones are of a server that has ended */

enum wa_code wa_store_reports(struct wa_db *db, const char *name, wa_report_fn fn, void *user,
                              size_t *ret_count, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    size_t count = 0;
    if (wa_db_prepare(db,
                      "SELECT name, about, query, author, changed_at FROM reports WHERE ?1 = '' OR "
                      "name = ?1 ORDER BY name",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name != NULL ? name : "");
    while (wa_step(s, &row, err) == WA_OK && row) {
        const struct wa_report r = {.name = wa_col_sv(s, 0),
                                    .about = wa_col_sv(s, 1),
                                    .query = wa_col_sv(s, 2),
                                    .author = wa_col_sv(s, 3),
                                    .changed_at = wa_col_i64(s, 4)};
        fn(user, &r);
        count++;
    }
    *ret_count = count;
    return err->code;
}

static enum wa_code check_room(struct wa_db *db, struct wa_sv name, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT COUNT(*) FROM reports WHERE name <> ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, name);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    int64_t count = row ? wa_col_i64(s, 0) : 0;
    wa_reset(s);
    return count < WA_REPORTS_MAX
               ? WA_OK
               : wa_fail(err, WA_E_LIMIT, "there are %d reports: delete some", WA_REPORTS_MAX);
}

enum wa_code wa_store_put_report(struct wa_db *db, const struct wa_report *r, struct wa_err *err)
{
    struct wa_stmt *s;
    if (check_room(db, r->name, err) != WA_OK ||
        wa_db_prepare(db,
                      "INSERT INTO reports (name, about, query, author, changed_at) VALUES (?1, "
                      "?2, ?3, ?4, ?5) ON CONFLICT (name) DO UPDATE SET about = excluded.about, "
                      "query = excluded.query, author = excluded.author, changed_at = "
                      "excluded.changed_at",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, r->name);
    wa_bind_sv(s, 1, r->about);
    wa_bind_sv(s, 2, r->query);
    wa_bind_sv(s, 3, r->author);
    wa_bind_i64(s, 4, r->changed_at);
    return wa_run(s, err);
}

enum wa_code wa_store_delete_report(struct wa_db *db, const char *name, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM reports WHERE name = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    return wa_db_changes(db) == 1 ? WA_OK
                                  : wa_fail(err, WA_E_NOT_FOUND, "there is no report '%s'", name);
}

enum wa_code wa_store_add_scope(struct wa_db *db, const char *name, struct wa_sv hosts, int64_t now,
                                struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "INSERT INTO report_scopes (name, hosts, at) VALUES (?, ?, ?)", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    wa_bind_sv(s, 1, hosts);
    wa_bind_i64(s, 2, now);
    return wa_run(s, err);
}

enum wa_code wa_store_end_scope(struct wa_db *db, const char *name, int64_t now, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM report_scopes WHERE name = ? OR at < ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    wa_bind_i64(s, 1, now - SCOPE_LEFT_S);
    return wa_run(s, err);
}
