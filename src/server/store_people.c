/* store_people.c - statements about people and their sessions. Values are bound, always. */
#include "server/store_people.h"

enum wa_code wa_store_set_user(struct wa_db *db, const char *name, const char *hash,
                               const char *role, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO users (name, hash, role) VALUES (?1, ?2, ?3) ON CONFLICT (name) "
                      "DO UPDATE SET hash = excluded.hash, role = excluded.role",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    wa_bind_s(s, 1, hash);
    wa_bind_s(s, 2, role);
    return wa_run(s, err);
}

/* Columns of read_person(). */
#define PERSON "u.name, u.role, u.is_disabled, CASE WHEN u.perimeter = '' THEN 0 ELSE 1 END"

static void read_person(struct wa_stmt *s, struct wa_person *ret)
{
    (void)snprintf(ret->name, sizeof ret->name, "%.*s", WA_SV_ARG(wa_col_sv(s, 0)));
    (void)snprintf(ret->role, sizeof ret->role, "%.*s", WA_SV_ARG(wa_col_sv(s, 1)));
    ret->is_disabled = wa_col_i64(s, 2) != 0;
    ret->is_limited = wa_col_i64(s, 3) != 0;
}

enum wa_code wa_store_person(struct wa_db *db, struct wa_sv name, struct wa_person *ret,
                             bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "SELECT " PERSON " FROM users u WHERE u.name = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, name);
    if (wa_step(s, ret_found, err) != WA_OK)
        return err->code;
    if (*ret_found)
        read_person(s, ret);
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_store_people(struct wa_db *db, wa_person_fn fn, void *user, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db, "SELECT " PERSON " FROM users u ORDER BY u.name", &s, err) != WA_OK)
        return err->code;
    while (wa_step(s, &row, err) == WA_OK && row) {
        struct wa_person p;
        read_person(s, &p);
        fn(user, &p);
    }
    return err->code;
}

/* One change of one person, whose sessions end where it takes something away. */
static enum wa_code change_person(struct wa_db *db, const char *sql, const char *value,
                                  const char *name, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, sql, &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    if (value != NULL)
        wa_bind_s(s, 1, value);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    return wa_db_changes(db) == 1 ? WA_OK
                                  : wa_fail(err, WA_E_NOT_FOUND, "there is no user '%s'", name);
}

enum wa_code wa_store_set_role(struct wa_db *db, const char *name, const char *role,
                               struct wa_err *err)
{
    return change_person(db, "UPDATE users SET role = ?2 WHERE name = ?1", role, name, err);
}

enum wa_code wa_store_set_password(struct wa_db *db, const char *name, const char *hash,
                                   struct wa_err *err)
{
    return change_person(db, "UPDATE users SET hash = ?2 WHERE name = ?1", hash, name, err);
}

enum wa_code wa_store_set_perimeter(struct wa_db *db, const char *name, const char *json,
                                    struct wa_err *err)
{
    return change_person(db, "UPDATE users SET perimeter = ?2 WHERE name = ?1", json, name, err);
}

enum wa_code wa_store_perimeter(struct wa_db *db, const char *name, struct wa_buf *json,
                                struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT perimeter FROM users WHERE name = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (row)
        wa_buf_addsv(json, wa_col_sv(s, 0));
    wa_reset(s);
    return wa_buf_check(json, err);
}

enum wa_code wa_store_disable(struct wa_db *db, const char *name, bool is_disabled,
                              struct wa_err *err)
{
    return change_person(db,
                         is_disabled ? "UPDATE users SET is_disabled = 1 WHERE name = ?1"
                                     : "UPDATE users SET is_disabled = 0 WHERE name = ?1",
                         NULL, name, err);
}

enum wa_code wa_store_delete_user(struct wa_db *db, const char *name, struct wa_err *err)
{
    return change_person(db, "DELETE FROM users WHERE name = ?1", NULL, name, err);
}

enum wa_code wa_store_end_sessions(struct wa_db *db, const char *name, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM sessions WHERE \"user\" = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    return wa_run(s, err);
}

enum wa_code wa_store_user_hash(struct wa_db *db, struct wa_sv name, struct wa_buf *hash,
                                struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT hash FROM users WHERE name = ? AND is_disabled = 0", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_sv(s, 0, name);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (row)
        wa_buf_addsv(hash, wa_col_sv(s, 0));
    wa_reset(s);
    return wa_buf_check(hash, err);
}

/* --- sessions --- */

enum wa_code wa_store_add_session(struct wa_db *db, const char *sha256, struct wa_sv user,
                                  int64_t expires, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "INSERT INTO sessions (sha256, \"user\", expires) VALUES (?, ?, ?)", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    wa_bind_sv(s, 1, user);
    wa_bind_i64(s, 2, expires);
    return wa_run(s, err);
}

enum wa_code wa_store_session(struct wa_db *db, const char *sha256, int64_t now,
                              struct wa_person *ret, bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "SELECT " PERSON " FROM sessions s JOIN users u ON u.name = s.\"user\" AND "
                      "u.is_disabled = 0 WHERE s.sha256 = ? AND s.expires > ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    wa_bind_i64(s, 1, now);
    if (wa_step(s, ret_found, err) != WA_OK)
        return err->code;
    if (*ret_found)
        read_person(s, ret);
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_store_end_session(struct wa_db *db, const char *sha256, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM sessions WHERE sha256 = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    return wa_run(s, err);
}
