/* store_people.c - statements about people. Values are bound, always. */
#include "server/store_sessions.h"

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

void wa_store_read_person(struct wa_stmt *s, struct wa_person *ret)
{
    wa_col_text(s, 0, ret->name, sizeof ret->name);
    wa_col_text(s, 1, ret->role, sizeof ret->role);
    wa_col_text(s, 2, ret->origin, sizeof ret->origin);
    ret->is_disabled = wa_col_i64(s, 3) != 0;
    ret->is_limited = wa_col_i64(s, 4) != 0;
    ret->has_factor = wa_col_i64(s, 5) != 0;
    ret->needs_factor = wa_col_i64(s, 6) != 0;
    ret->last_login = wa_col_i64(s, 7);
    ret->has_password = wa_col_i64(s, 8) != 0;
}

enum wa_code wa_store_set_foreign(struct wa_db *db, const char *name, const char *origin,
                                  const char *subject, const char *role, const char *perimeter,
                                  struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO users (name, hash, role, origin, perimeter, subject) VALUES "
                      "(?1, '', ?3, ?2, ?4, ?5) ON CONFLICT (name) DO UPDATE SET role = "
                      "excluded.role, perimeter = excluded.perimeter WHERE users.origin = "
                      "excluded.origin AND users.subject = excluded.subject",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    wa_bind_s(s, 1, origin);
    wa_bind_s(s, 2, role);
    wa_bind_s(s, 3, perimeter);
    wa_bind_s(s, 4, subject);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    return wa_db_changes(db) == 1
               ? WA_OK
               : wa_fail(err, WA_E_CONFLICT,
                         "another user is called '%s' already: a superadmin can remove "
                         "that one",
                         name);
}

enum wa_code wa_store_next_foreign(struct wa_db *db, const char *origin, const char *after,
                                   char out[WA_NAME_MAX + 1], struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    out[0] = '\0';
    if (wa_db_prepare(db,
                      "SELECT u.name FROM users u WHERE u.origin = ? AND u.name > ? AND "
                      "u.last_login > 0 AND (EXISTS (SELECT 1 FROM sessions s WHERE s.\"user\" = "
                      "u.name) OR EXISTS (SELECT 1 FROM api_tokens t WHERE t.\"user\" = u.name)) "
                      "ORDER BY u.name LIMIT 1",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, origin);
    wa_bind_s(s, 1, after);
    if (wa_step(s, &row, err) != WA_OK || !row)
        return err->code;
    wa_col_text(s, 0, out, WA_NAME_MAX + 1);
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_store_person(struct wa_db *db, struct wa_sv name, struct wa_person *ret,
                             bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "SELECT " WA_PERSON_COLUMNS " FROM users u WHERE u.name = ?", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_sv(s, 0, name);
    if (wa_step(s, ret_found, err) != WA_OK)
        return err->code;
    if (*ret_found)
        wa_store_read_person(s, ret);
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_store_people(struct wa_db *db, wa_person_fn fn, void *user, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db, "SELECT " WA_PERSON_COLUMNS " FROM users u ORDER BY u.name", &s, err) !=
        WA_OK)
        return err->code;
    while (wa_step(s, &row, err) == WA_OK && row) {
        struct wa_person p;
        wa_store_read_person(s, &p);
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

enum wa_code wa_store_replace_hash(struct wa_db *db, const char *name, const char *old,
                                   const char *hash, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE users SET hash = ?3 WHERE name = ?1 AND hash = ?2", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    wa_bind_s(s, 1, old);
    wa_bind_s(s, 2, hash);
    return wa_run(s, err);
}

enum wa_code wa_store_set_perimeter(struct wa_db *db, const char *name, const char *json,
                                    struct wa_err *err)
{
    return change_person(db, "UPDATE users SET perimeter = ?2 WHERE name = ?1", json, name, err);
}

enum wa_code wa_store_perimeter(struct wa_db *db, const char *name, struct wa_buf *json,
                                struct wa_err *err)
{
    return wa_db_text(db, "SELECT perimeter FROM users WHERE name = ?", wa_sv(name), json, err);
}

enum wa_code wa_store_disable(struct wa_db *db, const char *name, bool is_disabled,
                              struct wa_err *err)
{
    return change_person(db,
                         is_disabled ? "UPDATE users SET is_disabled = 1 WHERE name = ?1"
                                     : "UPDATE users SET is_disabled = 0 WHERE name = ?1",
                         NULL, name, err);
}

enum wa_code wa_store_pause_tokens(struct wa_db *db, const char *name, struct wa_err *err)
{
    return change_person(db, "UPDATE users SET last_login = 0 WHERE name = ?1", NULL, name, err);
}

enum wa_code wa_store_resume_tokens(struct wa_db *db, const char *name, int64_t login,
                                    struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE users SET last_login = ?2 WHERE name = ?1 AND last_login = 0", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    wa_bind_i64(s, 1, login);
    return wa_run(s, err);
}

enum wa_code wa_store_disown(struct wa_db *db, const char *name, struct wa_err *err)
{
    return wa_store_pause_tokens(db, name, err) == WA_OK ? wa_store_end_sessions(db, name, "", err)
                                                         : err->code;
}

enum wa_code wa_store_delete_user(struct wa_db *db, const char *name, struct wa_err *err)
{
    return change_person(db, "DELETE FROM users WHERE name = ?1", NULL, name, err);
}

enum wa_code wa_store_logged_in(struct wa_db *db, const char *name, int64_t now, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE users SET last_login = ?2 WHERE name = ?1", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    wa_bind_i64(s, 1, now);
    return wa_run(s, err);
}

enum wa_code wa_store_user_hash(struct wa_db *db, struct wa_sv name, struct wa_buf *hash,
                                struct wa_err *err)
{
    return wa_db_text(
        db, "SELECT hash FROM users WHERE name = ? AND is_disabled = 0 AND origin = 'local'", name,
        hash, err);
}

/* --- second factors --- */

enum wa_code wa_store_need_factor(struct wa_db *db, const char *name, bool is_needed,
                                  struct wa_err *err)
{
    return change_person(db,
                         is_needed ? "UPDATE users SET needs_totp = 1 WHERE name = ?1"
                                   : "UPDATE users SET needs_totp = 0 WHERE name = ?1",
                         NULL, name, err);
}

enum wa_code wa_store_factor(struct wa_db *db, const char *name, bool is_waiting,
                             struct wa_buf *sealed, int64_t *ret_step, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT totp, totp_new, totp_step FROM users WHERE name = ?", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (row) {
        wa_buf_addsv(sealed, wa_col_sv(s, is_waiting ? 1 : 0));
        *ret_step = wa_col_i64(s, 2);
    }
    wa_reset(s);
    return wa_buf_check(sealed, err);
}

enum wa_code wa_store_offer_factor(struct wa_db *db, const char *name, const char *sealed,
                                   struct wa_err *err)
{
    return change_person(db, "UPDATE users SET totp_new = ?2 WHERE name = ?1", sealed, name, err);
}

enum wa_code wa_store_confirm_factor(struct wa_db *db, const char *name, int64_t step,
                                     struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE users SET totp = totp_new, totp_new = '', totp_step = ?2 WHERE name "
                      "= ?1 AND totp_new <> ''",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    wa_bind_i64(s, 1, step);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    return wa_db_changes(db) == 1 ? WA_OK : wa_fail(err, WA_E_CONFLICT, "no second factor waits");
}

enum wa_code wa_store_drop_factor(struct wa_db *db, const char *name, struct wa_err *err)
{
    struct wa_stmt *s;
    if (change_person(db, "UPDATE users SET totp = '', totp_new = '' WHERE name = ?1", NULL, name,
                      err) != WA_OK ||
        wa_db_prepare(db, "DELETE FROM recovery_codes WHERE \"user\" = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    return wa_run(s, err);
}

enum wa_code wa_store_take_step(struct wa_db *db, const char *name, int64_t step, bool *ret_taken,
                                struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE users SET totp_step = ?2 WHERE name = ?1 AND totp_step < ?2", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    wa_bind_i64(s, 1, step);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    *ret_taken = wa_db_changes(db) == 1;
    return WA_OK;
}

/* A statement about a person's digest: of a recovery code, of a certificate. */
static enum wa_code run_digest(struct wa_db *db, const char *sql, const char *name,
                               const char *sha256, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, sql, &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    wa_bind_s(s, 1, sha256);
    return wa_run(s, err);
}

enum wa_code wa_store_add_recovery(struct wa_db *db, const char *name, const char *sha256,
                                   struct wa_err *err)
{
    return run_digest(db, "INSERT INTO recovery_codes (\"user\", sha256) VALUES (?, ?)", name,
                      sha256, err);
}

enum wa_code wa_store_take_recovery(struct wa_db *db, const char *name, const char *sha256,
                                    bool *ret_taken, struct wa_err *err)
{
    if (run_digest(db, "DELETE FROM recovery_codes WHERE \"user\" = ? AND sha256 = ?", name, sha256,
                   err) != WA_OK)
        return err->code;
    *ret_taken = wa_db_changes(db) == 1;
    return WA_OK;
}

/* --- certificates --- */

enum wa_code wa_store_add_certificate(struct wa_db *db, const char *name, const char *sha256,
                                      struct wa_err *err)
{
    if (run_digest(db,
                   "INSERT INTO user_certificates (\"user\", sha256) VALUES (?, ?) ON CONFLICT DO "
                   "NOTHING",
                   name, sha256, err) != WA_OK)
        return err->code;
    return wa_db_changes(db) == 1
               ? WA_OK
               : wa_fail(err, WA_E_EXISTS, "this certificate is registered already");
}

enum wa_code wa_store_drop_certificate(struct wa_db *db, const char *name, const char *sha256,
                                       struct wa_err *err)
{
    if (run_digest(db, "DELETE FROM user_certificates WHERE \"user\" = ? AND sha256 = ?", name,
                   sha256, err) != WA_OK)
        return err->code;
    return wa_db_changes(db) == 1
               ? WA_OK
               : wa_fail(err, WA_E_NOT_FOUND, "'%s' has no such certificate", name);
}

enum wa_code wa_store_certificates(struct wa_db *db, const char *name, wa_certificate_fn fn,
                                   void *user, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT sha256 FROM user_certificates WHERE \"user\" = ? ORDER BY sha256",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    while (wa_step(s, &row, err) == WA_OK && row)
        fn(user, wa_col_sv(s, 0));
    return err->code;
}

enum wa_code wa_store_certificate(struct wa_db *db, const char *sha256, struct wa_person *ret,
                                  bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "SELECT " WA_PERSON_COLUMNS
                      " FROM user_certificates c JOIN users u ON u.name = c.\"user\" AND "
                      "u.is_disabled = 0 WHERE c.sha256 = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    if (wa_step(s, ret_found, err) != WA_OK)
        return err->code;
    if (*ret_found)
        wa_store_read_person(s, ret);
    wa_reset(s);
    return WA_OK;
}
