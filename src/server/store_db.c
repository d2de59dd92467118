/* store_db.c - schema and statements of the server's database. Values are bound, always. */
#include "server/store_db.h"

static const struct wa_migration migrations[] = {
    {1, "CREATE TABLE hosts (uuid TEXT PRIMARY KEY, certificate TEXT NOT NULL, registered_at "
        "INTEGER NOT NULL, registered_by TEXT NOT NULL,"
        " last_seen INTEGER NOT NULL, last_seq INTEGER NOT NULL, reachable INTEGER NOT NULL "
        "DEFAULT 0, name TEXT NOT NULL DEFAULT '',"
        " fqdn TEXT NOT NULL DEFAULT '', os TEXT NOT NULL DEFAULT '', status TEXT NOT NULL DEFAULT "
        "'');"
        "CREATE TABLE sections (uuid TEXT NOT NULL REFERENCES hosts (uuid) ON DELETE CASCADE, "
        "section TEXT NOT NULL, content TEXT NOT NULL,"
        " PRIMARY KEY (uuid, section)) WITHOUT ROWID;"
        "CREATE TABLE tokens (sha256 TEXT PRIMARY KEY, expires INTEGER NOT NULL, uses INTEGER NOT "
        "NULL) WITHOUT ROWID;"
        "CREATE TABLE users (name TEXT PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE sessions (sha256 TEXT PRIMARY KEY, user TEXT NOT NULL, expires INTEGER NOT "
        "NULL) WITHOUT ROWID;"
        "CREATE TABLE actions (id TEXT PRIMARY KEY, batch TEXT NOT NULL, uuid TEXT NOT NULL, kind "
        "TEXT NOT NULL, orders TEXT NOT NULL,"
        " not_before INTEGER NOT NULL, not_after INTEGER NOT NULL, signer TEXT NOT NULL, state "
        "TEXT NOT NULL, code TEXT NOT NULL DEFAULT '',"
        " message TEXT NOT NULL DEFAULT '', packages TEXT NOT NULL DEFAULT '', created INTEGER NOT "
        "NULL, updated INTEGER NOT NULL);"
        "CREATE INDEX actions_batch ON actions (batch);"
        "CREATE INDEX actions_waiting ON actions (uuid, state)"},
    {2, "ALTER TABLE sections ADD COLUMN digest TEXT NOT NULL DEFAULT ''"},
};

enum wa_code wa_store_open(const char *dir, struct wa_db **ret, struct wa_err *err)
{
    char url[WA_PATH_MAX + 64];
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    (void)snprintf(url, sizeof url, "sqlite:%s/db/waptserver.sqlite", dir);
    if (wa_db_open(url, &db, err) != WA_OK ||
        wa_db_migrate(db, migrations, WA_COUNT(migrations), err) != WA_OK)
        return wa_wrap(err, "opening the server's database");
    *ret = db;
    db = NULL;
    return WA_OK;
}

enum wa_code wa_store_set_user(struct wa_db *db, const char *name, const char *hash,
                               struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO users (name, hash) VALUES (?, ?) ON CONFLICT (name) DO UPDATE "
                      "SET hash = excluded.hash",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    wa_bind_s(s, 1, hash);
    return wa_run(s, err);
}

enum wa_code wa_store_user_hash(struct wa_db *db, struct wa_sv name, struct wa_buf *hash,
                                struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT hash FROM users WHERE name = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, name);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (row)
        wa_buf_addsv(hash, wa_col_sv(s, 0));
    wa_reset(s);
    return wa_buf_check(hash, err);
}

enum wa_code wa_store_add_token(struct wa_db *db, const char *sha256, int64_t expires, int64_t uses,
                                struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "INSERT INTO tokens (sha256, expires, uses) VALUES (?, ?, ?)", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    wa_bind_i64(s, 1, expires);
    wa_bind_i64(s, 2, uses);
    return wa_run(s, err);
}

enum wa_code wa_store_use_token(struct wa_db *db, const char *sha256, int64_t now,
                                struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT expires, uses FROM tokens WHERE sha256 = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    int64_t expires = row ? wa_col_i64(s, 0) : 0, uses = row ? wa_col_i64(s, 1) : 0;
    wa_reset(s);
    if (!row)
        return wa_fail(err, WA_E_AUTH, "the enrolment token is unknown here");
    if (expires <= now)
        return wa_fail(
            err, WA_E_AUTH,
            "the enrolment token has expired: make a new one with 'waptserver enrol-token'");
    if (uses <= 0)
        return wa_fail(err, WA_E_AUTH, "the enrolment token was used as often as it may be");
    if (wa_db_prepare(db, "UPDATE tokens SET uses = uses - 1 WHERE sha256 = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    return wa_run(s, err);
}

/* --- hosts --- */

enum wa_code wa_store_host(struct wa_db *db, struct wa_sv uuid, struct wa_buf *certificate,
                           int64_t *ret_seq, bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "SELECT certificate, last_seq FROM hosts WHERE uuid = ?", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    if (wa_step(s, ret_found, err) != WA_OK || !*ret_found)
        return err->code;
    wa_buf_addsv(certificate, wa_col_sv(s, 0));
    *ret_seq = wa_col_i64(s, 1);
    wa_reset(s);
    return wa_buf_check(certificate, err);
}

enum wa_code wa_store_put_host(struct wa_db *db, struct wa_sv uuid, struct wa_sv certificate,
                               const char *by, int64_t seq, int64_t now, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO hosts (uuid, certificate, registered_at, registered_by, "
                      "last_seen, last_seq) VALUES (?1, ?2, ?3, ?4, ?3, ?5)"
                      " ON CONFLICT (uuid) DO UPDATE SET certificate = excluded.certificate, "
                      "registered_at = excluded.registered_at,"
                      " registered_by = excluded.registered_by, last_seen = excluded.last_seen, "
                      "last_seq = excluded.last_seq",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    wa_bind_sv(s, 1, certificate);
    wa_bind_i64(s, 2, now);
    wa_bind_s(s, 3, by);
    wa_bind_i64(s, 4, seq);
    return wa_run(s, err);
}

enum wa_code wa_store_take_seq(struct wa_db *db, struct wa_sv uuid, int64_t seq, int64_t now,
                               struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(
            db, "UPDATE hosts SET last_seq = ?1, last_seen = ?2 WHERE uuid = ?3 AND last_seq < ?1",
            &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, seq);
    wa_bind_i64(s, 1, now);
    wa_bind_sv(s, 2, uuid);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    return wa_db_changes(db) == 1
               ? WA_OK
               : wa_fail(err, WA_E_EXISTS,
                         "a report of this number came before: sent twice, or from a copy of the "
                         "machine");
}

enum wa_code wa_store_set_section(struct wa_db *db, struct wa_sv uuid, const char *section,
                                  struct wa_sv json, const char *digest, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO sections (uuid, section, content, digest) VALUES (?, ?, ?, ?)"
                      " ON CONFLICT (uuid, section) DO UPDATE SET content = excluded.content, "
                      "digest = excluded.digest",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    wa_bind_s(s, 1, section);
    wa_bind_sv(s, 2, json);
    wa_bind_s(s, 3, digest);
    return wa_run(s, err);
}

enum wa_code wa_store_digests(struct wa_db *db, struct wa_sv uuid,
                              void (*fn)(void *user, struct wa_sv section, struct wa_sv digest),
                              void *user, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db, "SELECT section, digest FROM sections WHERE uuid = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    while (row) {
        if (wa_step(s, &row, err) != WA_OK)
            return err->code;
        if (row)
            fn(user, wa_col_sv(s, 0), wa_col_sv(s, 1));
    }
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_store_set_reachable(struct wa_db *db, struct wa_sv uuid, bool reachable,
                                    int64_t now, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE hosts SET reachable = ?, last_seen = ? WHERE uuid = ?", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, reachable ? 1 : 0);
    wa_bind_i64(s, 1, now);
    wa_bind_sv(s, 2, uuid);
    return wa_run(s, err);
}

/* --- sessions --- */

enum wa_code wa_store_add_session(struct wa_db *db, const char *sha256, struct wa_sv user,
                                  int64_t expires, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "INSERT INTO sessions (sha256, user, expires) VALUES (?, ?, ?)", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    wa_bind_sv(s, 1, user);
    wa_bind_i64(s, 2, expires);
    return wa_run(s, err);
}

enum wa_code wa_store_session(struct wa_db *db, const char *sha256, int64_t now,
                              char ret_user[WA_NAME_MAX + 1], bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "SELECT user FROM sessions WHERE sha256 = ? AND expires > ?", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_s(s, 0, sha256);
    wa_bind_i64(s, 1, now);
    if (wa_step(s, ret_found, err) != WA_OK)
        return err->code;
    if (*ret_found)
        (void)snprintf(ret_user, WA_NAME_MAX + 1, "%.*s", WA_SV_ARG(wa_col_sv(s, 0)));
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

/* --- actions --- */

enum wa_code wa_store_add_action(struct wa_db *db, const char *id, const char *batch,
                                 const char *uuid, const char *kind, struct wa_sv order,
                                 int64_t not_before, int64_t not_after, const char *signer,
                                 int64_t now, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO actions (id, batch, uuid, kind, orders, not_before, not_after, "
                      "signer, state, created, updated)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?9, ?9)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    wa_bind_s(s, 1, batch);
    wa_bind_s(s, 2, uuid);
    wa_bind_s(s, 3, kind);
    wa_bind_sv(s, 4, order);
    wa_bind_i64(s, 5, not_before);
    wa_bind_i64(s, 6, not_after);
    wa_bind_s(s, 7, signer);
    wa_bind_i64(s, 8, now);
    return wa_run(s, err);
}

enum wa_code wa_store_action_state(struct wa_db *db, const char *id, struct wa_sv uuid,
                                   struct wa_sv state, struct wa_sv code, struct wa_sv message,
                                   struct wa_sv packages, int64_t now, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE actions SET state = ?, code = ?, message = ?, packages = ?, updated "
                      "= ? WHERE id = ? AND uuid = ?"
                      " AND state NOT IN ('done', 'failed', 'refused', 'cancelled')",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, state);
    wa_bind_sv(s, 1, code);
    wa_bind_sv(s, 2, message);
    wa_bind_sv(s, 3, packages);
    wa_bind_i64(s, 4, now);
    wa_bind_s(s, 5, id);
    wa_bind_sv(s, 6, uuid);
    return wa_run(s, err);
}
