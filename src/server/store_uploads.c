/* store_uploads.c - statements about uploads. Values are bound, always. */
#include "server/store_uploads.h"

#include <stdio.h>

#define COLUMNS "id, \"user\", name, host, sha256, size, state, code, message, created, touched"

enum wa_code wa_store_add_upload(struct wa_db *db, const struct wa_upload *u, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO uploads (" COLUMNS
                      ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '', '', ?8, ?8)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, u->id);
    wa_bind_s(s, 1, u->user);
    wa_bind_s(s, 2, u->name);
    wa_bind_s(s, 3, u->host);
    wa_bind_s(s, 4, u->sha256);
    wa_bind_i64(s, 5, u->size);
    wa_bind_s(s, 6, u->state);
    wa_bind_i64(s, 7, u->created);
    return wa_run(s, err);
}

static void read_row(struct wa_stmt *s, struct wa_upload *u)
{
    *u = (struct wa_upload){
        .size = wa_col_i64(s, 5), .created = wa_col_i64(s, 9), .touched = wa_col_i64(s, 10)};
    wa_col_text(s, 0, u->id, sizeof u->id);
    wa_col_text(s, 1, u->user, sizeof u->user);
    wa_col_text(s, 2, u->name, sizeof u->name);
    wa_col_text(s, 3, u->host, sizeof u->host);
    wa_col_text(s, 4, u->sha256, sizeof u->sha256);
    wa_col_text(s, 6, u->state, sizeof u->state);
    wa_col_text(s, 7, u->code, sizeof u->code);
    wa_col_text(s, 8, u->message, sizeof u->message);
}

static enum wa_code first(struct wa_stmt *s, struct wa_upload *ret, bool *ret_found,
                          struct wa_err *err)
{
    bool row = false;
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (row) {
        read_row(s, ret);
        wa_reset(s);
    }
    *ret_found = row;
    return WA_OK;
}

enum wa_code wa_store_upload(struct wa_db *db, struct wa_sv id, struct wa_upload *ret,
                             bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "SELECT " COLUMNS " FROM uploads WHERE id = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, id);
    return first(s, ret, ret_found, err);
}

enum wa_code wa_store_same_upload(struct wa_db *db, const struct wa_upload *like,
                                  struct wa_upload *ret, bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "SELECT " COLUMNS " FROM uploads WHERE \"user\" = ? AND name = ? AND host = "
                      "? AND sha256 = ? AND size = ? AND state = 'open'",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, like->user);
    wa_bind_s(s, 1, like->name);
    wa_bind_s(s, 2, like->host);
    wa_bind_s(s, 3, like->sha256);
    wa_bind_i64(s, 4, like->size);
    return first(s, ret, ret_found, err);
}

enum wa_code wa_store_uploads(struct wa_db *db, const char *user, wa_upload_fn fn, void *data,
                              struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db,
                      "SELECT " COLUMNS
                      " FROM uploads WHERE \"user\" = ? ORDER BY created DESC, id LIMIT 1000",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, user);
    while (wa_step(s, &row, err) == WA_OK && row) {
        struct wa_upload u;
        read_row(s, &u);
        fn(data, &u);
    }
    return err->code;
}

enum wa_code wa_store_upload_sums(struct wa_db *db, const char *user, struct wa_upload_sums *ret,
                                  struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(
            db,
            "SELECT CAST(COALESCE(SUM(CASE WHEN \"user\" = ?1 THEN 1 ELSE 0 END), 0) AS "
            "BIGINT), CAST(COALESCE(SUM(CASE WHEN \"user\" = ?1 THEN size ELSE 0 END), 0) "
            "AS BIGINT), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM uploads WHERE state = 'open'",
            &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, user);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (row) {
        *ret = (struct wa_upload_sums){wa_col_i64(s, 0), wa_col_i64(s, 1), wa_col_i64(s, 2)};
        wa_reset(s);
    }
    return WA_OK;
}

enum wa_code wa_store_set_upload(struct wa_db *db, const struct wa_upload *u, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE uploads SET state = ?, code = ?, message = ?, touched = ? WHERE id = "
                      "?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, u->state);
    wa_bind_s(s, 1, u->code);
    wa_bind_s(s, 2, u->message);
    wa_bind_i64(s, 3, u->touched);
    wa_bind_s(s, 4, u->id);
    return wa_run(s, err);
}

enum wa_code wa_store_delete_upload(struct wa_db *db, const char *id, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM uploads WHERE id = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    return wa_run(s, err);
}
