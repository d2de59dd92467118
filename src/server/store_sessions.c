/* store_sessions.c - statements about sessions and API tokens. Values are bound, always.
 *
 * Whoever is asked for is found together with the person as he is now: a session or token never
 * has more than that person has at this moment.
 */
#include "server/store_sessions.h"

#include "codec/hex.h"

/* One that names user, or something of his, by one or two texts. */
static enum wa_code run(struct wa_db *db, const char *sql, const char *a, const char *b,
                        struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, sql, &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, a);
    if (b != NULL)
        wa_bind_s(s, 1, b);
    return wa_run(s, err);
}

static enum wa_code run_at(struct wa_db *db, const char *sql, const char *sha256, int64_t at,
                           struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, sql, &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    wa_bind_i64(s, 1, at);
    return wa_run(s, err);
}

static enum wa_code drop(struct wa_db *db, const char *sql, const char *user, const char *id,
                         const char *what, struct wa_err *err)
{
    if (!wa_hex_is(wa_sv(id), WA_ACCESS_ID))
        return wa_fail(err, WA_E_NOT_FOUND, "there is no %s '%s'", what, id);
    if (run(db, sql, user, id, err) != WA_OK)
        return err->code;
    return wa_db_changes(db) > 0 ? WA_OK
                                 : wa_fail(err, WA_E_NOT_FOUND, "there is no %s '%s'", what, id);
}

/* --- sessions --- */

/* One that was begun by a clock that was ahead would end too late by as much: it ends when that is
 * set right. Servers of one database may differ a little. */
#define AHEAD_S 300

enum wa_code wa_store_add_session(struct wa_db *db, const struct wa_person_session *n,
                                  const char *sealed, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO sessions (sha256, \"user\", method, peer, created, used, "
                      "expires, certificate, due, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, n->sha256);
    wa_bind_s(s, 1, n->user);
    wa_bind_s(s, 2, n->method);
    wa_bind_s(s, 3, n->peer);
    wa_bind_i64(s, 4, n->created);
    wa_bind_i64(s, 5, n->used);
    wa_bind_i64(s, 6, n->expires);
    wa_bind_s(s, 7, n->certificate);
    wa_bind_i64(s, 8, n->due);
    wa_bind_s(s, 9, sealed);
    return wa_run(s, err);
}

#define SESSION                                                                                    \
    "s.sha256, s.\"user\", s.method, s.peer, s.created, s.used, s.expires, s.certificate, s.due"
#define SESSION_COLUMN_COUNT 9

static void read_session(struct wa_stmt *s, int col, struct wa_person_session *ret)
{
    wa_col_text(s, col, ret->sha256, sizeof ret->sha256);
    wa_col_text(s, col + 1, ret->user, sizeof ret->user);
    wa_col_text(s, col + 2, ret->method, sizeof ret->method);
    wa_col_text(s, col + 3, ret->peer, sizeof ret->peer);
    ret->created = wa_col_i64(s, col + 4);
    ret->used = wa_col_i64(s, col + 5);
    ret->expires = wa_col_i64(s, col + 6);
    wa_col_text(s, col + 7, ret->certificate, sizeof ret->certificate);
    ret->due = wa_col_i64(s, col + 8);
}

static enum wa_code count_sessions(struct wa_db *db, const char *user, int64_t *ret,
                                   struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT COUNT(*) FROM sessions WHERE \"user\" = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, user);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    *ret = row ? wa_col_i64(s, 0) : 0;
    if (row)
        wa_reset(s);
    return WA_OK;
}

/* There may be any number of them, of a program that had no limit. */
enum wa_code wa_store_sessions_to_end(struct wa_db *db, const char *user, int64_t now, int64_t idle,
                                      wa_session_fn fn, void *data, struct wa_err *err)
{
    struct wa_stmt *s;
    int64_t count = 0;
    bool row = true;
    if (count_sessions(db, user, &count, err) != WA_OK || count < WA_SESSIONS_MAX)
        return err->code;
    if (wa_db_prepare(db,
                      "SELECT " SESSION " FROM sessions s WHERE s.\"user\" = ? ORDER BY CASE WHEN "
                      "s.expires <= ? OR s.used <= ? OR s.created > ? THEN 0 ELSE 1 END, COUNT(*) "
                      "OVER (PARTITION BY s.peer) DESC, CASE WHEN s.used > s.created THEN 1 ELSE 0 "
                      "END, s.used, s.sha256 LIMIT ?",
                      &s, err) != WA_OK)
        return err->code;
    count -= WA_SESSIONS_MAX - 1;
    wa_bind_s(s, 0, user);
    wa_bind_i64(s, 1, now);
    wa_bind_i64(s, 2, now - idle);
    wa_bind_i64(s, 3, now + AHEAD_S);
    wa_bind_i64(s, 4, count < WA_SESSIONS_MAX ? count : WA_SESSIONS_MAX);
    while (wa_step(s, &row, err) == WA_OK && row) {
        struct wa_person_session one;
        read_session(s, 0, &one);
        fn(data, &one);
    }
    return err->code;
}

enum wa_code wa_store_session(struct wa_db *db, const char *sha256, int64_t now, int64_t idle,
                              struct wa_person *ret, struct wa_person_session *ret_session,
                              bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "SELECT " WA_PERSON_COLUMNS ", " SESSION
                      " FROM sessions s JOIN users u ON u.name = s.\"user\" AND u.is_disabled = 0 "
                      "WHERE s.sha256 = ? AND s.expires > ? AND s.used > ? AND s.created <= ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    wa_bind_i64(s, 1, now);
    wa_bind_i64(s, 2, now - idle);
    wa_bind_i64(s, 3, now + AHEAD_S);
    if (wa_step(s, ret_found, err) != WA_OK || !*ret_found)
        return err->code;
    wa_store_read_person(s, ret);
    read_session(s, WA_PERSON_COLUMN_COUNT, ret_session);
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_store_session_used(struct wa_db *db, const char *sha256, int64_t now,
                                   struct wa_err *err)
{
    return run_at(db, "UPDATE sessions SET used = ?2 WHERE sha256 = ?1", sha256, now, err);
}

/* Sessions end by this alone: the provider is told of what was kept of it. */
#define GONE(which)                                                                                \
    "INSERT INTO ended_grants (session, \"user\", sealed) SELECT sha256, \"user\", sealed FROM "   \
    "sessions WHERE sealed <> '' AND (" which ") ON CONFLICT DO NOTHING",                          \
        "DELETE FROM sessions WHERE " which
static const char *const gone_one[] = {GONE("sha256 = ?")};
static const char *const gone_named[] = {GONE("\"user\" = ? AND substr(sha256, 1, 12) = ?")};
static const char *const gone_but_one[] = {GONE("\"user\" = ? AND sha256 <> ?")};
static const char *const gone_over[] = {GONE("expires <= ? OR used <= ?")};

static enum wa_code end(struct wa_db *db, const char *const sql[2], const char *a, const char *b,
                        struct wa_err *err)
{
    return run(db, sql[0], a, b, err) == WA_OK ? run(db, sql[1], a, b, err) : err->code;
}

enum wa_code wa_store_end_session(struct wa_db *db, const char *sha256, struct wa_err *err)
{
    return end(db, gone_one, sha256, NULL, err);
}

enum wa_code wa_store_end_session_of(struct wa_db *db, const char *user, const char *id,
                                     struct wa_err *err)
{
    if (wa_hex_is(wa_sv(id), WA_ACCESS_ID) && run(db, gone_named[0], user, id, err) != WA_OK)
        return err->code;
    return drop(db, gone_named[1], user, id, "session", err);
}

enum wa_code wa_store_end_sessions(struct wa_db *db, const char *user, const char *except,
                                   struct wa_err *err)
{
    return end(db, gone_but_one, user, except, err);
}

/* --- sessions for which a provider is asked again --- */

enum wa_code wa_store_due_session(struct wa_db *db, int64_t now, int64_t idle,
                                  struct wa_person_session *ret, struct wa_buf *sealed,
                                  bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(
            db,
            "SELECT " SESSION ", s.sealed FROM sessions s JOIN users u ON u.name = "
            "s.\"user\" AND u.is_disabled = 0 WHERE s.due > 0 AND s.due <= ? AND s.sealed "
            "<> '' AND s.expires > ? AND s.used > ? ORDER BY s.due, s.sha256 LIMIT 1",
            &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, now);
    wa_bind_i64(s, 1, now);
    wa_bind_i64(s, 2, now - idle);
    if (wa_step(s, ret_found, err) != WA_OK || !*ret_found)
        return err->code;
    read_session(s, 0, ret);
    wa_buf_addsv(sealed, wa_col_sv(s, SESSION_COLUMN_COUNT));
    wa_reset(s);
    return wa_buf_check(sealed, err);
}

enum wa_code wa_store_has_session(struct wa_db *db, const char *sha256, bool *ret_found,
                                  struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "SELECT 1 FROM sessions WHERE sha256 = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    if (wa_step(s, ret_found, err) == WA_OK && *ret_found)
        wa_reset(s);
    return err->code;
}

enum wa_code wa_store_renew_session(struct wa_db *db, const struct wa_person_session *n,
                                    const char *sealed, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE sessions SET sealed = ?, due = ?, expires = ? WHERE sha256 = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, sealed);
    wa_bind_i64(s, 1, n->due);
    wa_bind_i64(s, 2, n->expires);
    wa_bind_s(s, 3, n->sha256);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    return wa_db_changes(db) == 1 || sealed[0] == '\0'
               ? WA_OK
               : wa_store_end_grant(db, n->sha256, n->user, sealed, err);
}

enum wa_code wa_store_put_session_off(struct wa_db *db, struct wa_person_session *n, int64_t due,
                                      bool *ret_taken, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE sessions SET due = ? WHERE sha256 = ? AND due = ?", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_i64(s, 0, due);
    wa_bind_s(s, 1, n->sha256);
    wa_bind_i64(s, 2, n->due);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    *ret_taken = wa_db_changes(db) == 1;
    n->due = due;
    return WA_OK;
}

enum wa_code wa_store_end_grant(struct wa_db *db, const char *session, const char *user,
                                const char *sealed, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO ended_grants (session, \"user\", sealed) VALUES (?, ?, ?) ON "
                      "CONFLICT (session) DO UPDATE SET sealed = excluded.sealed",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, session);
    wa_bind_s(s, 1, user);
    wa_bind_s(s, 2, sealed);
    return wa_run(s, err);
}

enum wa_code wa_store_next_grant(struct wa_db *db, char session[65], char *user,
                                 struct wa_buf *sealed, bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "SELECT session, \"user\", sealed FROM ended_grants ORDER BY session LIMIT 1",
                      &s, err) != WA_OK ||
        wa_step(s, ret_found, err) != WA_OK || !*ret_found)
        return err->code;
    wa_col_text(s, 0, session, 65);
    wa_col_text(s, 1, user, WA_NAME_MAX + 1);
    wa_buf_addsv(sealed, wa_col_sv(s, 2));
    wa_reset(s);
    if (wa_buf_check(sealed, err) != WA_OK ||
        run(db, "DELETE FROM ended_grants WHERE session = ?", session, NULL, err) != WA_OK)
        return err->code;
    *ret_found = wa_db_changes(db) == 1; /* else another server has it */
    return WA_OK;
}

enum wa_code wa_store_sessions(struct wa_db *db, const char *user, int64_t now, wa_session_fn fn,
                               void *data, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db,
                      "SELECT " SESSION " FROM sessions s WHERE s.\"user\" = ? AND s.expires > ? "
                      "ORDER BY s.created, s.sha256",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, user);
    wa_bind_i64(s, 1, now);
    while (wa_step(s, &row, err) == WA_OK && row) {
        struct wa_person_session one;
        read_session(s, 0, &one);
        fn(data, &one);
    }
    return err->code;
}

/* --- API tokens --- */

enum wa_code wa_store_add_api_token(struct wa_db *db, const struct wa_api_token *t,
                                    const char *perimeter, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO api_tokens (sha256, \"user\", name, rights, perimeter, created, "
                      "expires, used) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, t->sha256);
    wa_bind_s(s, 1, t->user);
    wa_bind_s(s, 2, t->name);
    wa_bind_s(s, 3, t->rights);
    wa_bind_s(s, 4, perimeter);
    wa_bind_i64(s, 5, t->created);
    wa_bind_i64(s, 6, t->expires);
    return wa_run(s, err);
}

#define TOKEN "t.sha256, t.\"user\", t.name, t.rights, t.created, t.expires, t.used, t.perimeter"

static void read_token(struct wa_stmt *s, int col, struct wa_api_token *ret)
{
    wa_col_text(s, col, ret->sha256, sizeof ret->sha256);
    wa_col_text(s, col + 1, ret->user, sizeof ret->user);
    wa_col_text(s, col + 2, ret->name, sizeof ret->name);
    wa_col_text(s, col + 3, ret->rights, sizeof ret->rights);
    ret->created = wa_col_i64(s, col + 4);
    ret->expires = wa_col_i64(s, col + 5);
    ret->used = wa_col_i64(s, col + 6);
    ret->is_limited = wa_col_sv(s, col + 7).n > 0;
}

enum wa_code wa_store_api_token(struct wa_db *db, const char *sha256, int64_t now,
                                struct wa_person *ret, struct wa_api_token *ret_token,
                                struct wa_buf *perimeter, bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "SELECT " WA_PERSON_COLUMNS ", " TOKEN
                      " FROM api_tokens t JOIN users u ON u.name = t.\"user\" AND u.is_disabled = "
                      "0 WHERE t.sha256 = ? AND t.expires > ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    wa_bind_i64(s, 1, now);
    if (wa_step(s, ret_found, err) != WA_OK || !*ret_found)
        return err->code;
    wa_store_read_person(s, ret);
    read_token(s, WA_PERSON_COLUMN_COUNT, ret_token);
    wa_buf_addsv(perimeter, wa_col_sv(s, WA_PERSON_COLUMN_COUNT + 7));
    wa_reset(s);
    return wa_buf_check(perimeter, err);
}

enum wa_code wa_store_api_token_used(struct wa_db *db, const char *sha256, int64_t now,
                                     struct wa_err *err)
{
    return run_at(db, "UPDATE api_tokens SET used = ?2 WHERE sha256 = ?1", sha256, now, err);
}

enum wa_code wa_store_api_tokens(struct wa_db *db, const char *user, wa_api_token_fn fn, void *data,
                                 struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db,
                      "SELECT " TOKEN
                      " FROM api_tokens t WHERE t.\"user\" = ? ORDER BY t.created, t.sha256",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, user);
    while (wa_step(s, &row, err) == WA_OK && row) {
        struct wa_api_token one;
        read_token(s, 0, &one);
        fn(data, &one);
    }
    return err->code;
}

enum wa_code wa_store_drop_api_token(struct wa_db *db, const char *user, const char *id,
                                     struct wa_err *err)
{
    return drop(db, "DELETE FROM api_tokens WHERE \"user\" = ? AND substr(sha256, 1, 12) = ?", user,
                id, "token", err);
}

/* --- those who go --- */

enum wa_code wa_store_drop_access(struct wa_db *db, const char *user, struct wa_err *err)
{
    static const char *const sql[] = {"DELETE FROM api_tokens WHERE \"user\" = ?",
                                      "DELETE FROM recovery_codes WHERE \"user\" = ?",
                                      "DELETE FROM user_certificates WHERE \"user\" = ?",
                                      "DELETE FROM views WHERE \"user\" = ?"};
    for (size_t i = 0; i < WA_COUNT(sql); i++)
        if (run(db, sql[i], user, NULL, err) != WA_OK)
            return err->code;
    return wa_store_end_sessions(db, user, "", err);
}

#define TOKEN_KEPT_S (30 * 86400) /* so that a list still shows it */

enum wa_code wa_store_clean_access(struct wa_db *db, int64_t now, int64_t idle, struct wa_err *err)
{
    struct wa_stmt *s;
    for (size_t i = 0; i < WA_COUNT(gone_over); i++) {
        if (wa_db_prepare(db, gone_over[i], &s, err) != WA_OK)
            return err->code;
        wa_bind_i64(s, 0, now);
        wa_bind_i64(s, 1, now - idle);
        if (wa_run(s, err) != WA_OK)
            return err->code;
    }
    if (wa_db_prepare(db, "DELETE FROM api_tokens WHERE expires <= ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, now - TOKEN_KEPT_S);
    if (wa_run(s, err) != WA_OK ||
        wa_db_prepare(db, "DELETE FROM used_proofs WHERE until <= ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, now);
    return wa_run(s, err);
}

/* --- proofs that count once --- */

enum wa_code wa_store_use_proof(struct wa_db *db, const char *id, int64_t until, bool *ret_taken,
                                struct wa_err *err)
{
    if (run_at(db, "INSERT INTO used_proofs (id, until) VALUES (?1, ?2) ON CONFLICT DO NOTHING", id,
               until, err) != WA_OK)
        return err->code;
    *ret_taken = wa_db_changes(db) == 1;
    return WA_OK;
}
