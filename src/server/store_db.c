/* store_db.c - schema and statements of the server's database. Values are bound, always. */
#include "server/store_db.h"

/* For SQLite and PostgreSQL alike: whole numbers are BIGINT, "user" is quoted. */
static const struct wa_migration migrations[] = {
    {1,
     "CREATE TABLE hosts (uuid TEXT PRIMARY KEY, certificate TEXT NOT NULL, registered_at BIGINT "
     "NOT NULL, registered_by TEXT NOT NULL, last_seen BIGINT NOT NULL, last_seq BIGINT NOT NULL, "
     "reachable BIGINT NOT NULL DEFAULT 0, name TEXT NOT NULL DEFAULT '', fqdn TEXT NOT NULL "
     "DEFAULT '', os TEXT NOT NULL DEFAULT '', status TEXT NOT NULL DEFAULT '');"
     "CREATE TABLE sections (uuid TEXT NOT NULL REFERENCES hosts (uuid) ON DELETE CASCADE, section "
     "TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (uuid, section));"
     "CREATE TABLE tokens (sha256 TEXT PRIMARY KEY, expires BIGINT NOT NULL, uses BIGINT NOT NULL);"
     "CREATE TABLE users (name TEXT PRIMARY KEY, hash TEXT NOT NULL);"
     "CREATE TABLE sessions (sha256 TEXT PRIMARY KEY, \"user\" TEXT NOT NULL, expires BIGINT NOT "
     "NULL);"
     "CREATE TABLE actions (id TEXT PRIMARY KEY, batch TEXT NOT NULL, uuid TEXT NOT NULL, kind "
     "TEXT "
     "NOT NULL, orders TEXT NOT NULL, not_before BIGINT NOT NULL, not_after BIGINT NOT NULL, "
     "signer "
     "TEXT NOT NULL, state TEXT NOT NULL, code TEXT NOT NULL DEFAULT '', message TEXT NOT NULL "
     "DEFAULT '', packages TEXT NOT NULL DEFAULT '', created BIGINT NOT NULL, updated BIGINT NOT "
     "NULL);"
     "CREATE INDEX actions_batch ON actions (batch);"
     "CREATE INDEX actions_waiting ON actions (uuid, state)"},
    {2, "ALTER TABLE sections ADD COLUMN digest TEXT NOT NULL DEFAULT ''"},
    /* What changes with each report stands apart from what is large; who is connected is not
     * written at all. */
    {3, "CREATE TABLE presence (uuid TEXT PRIMARY KEY REFERENCES hosts (uuid) ON DELETE CASCADE, "
        "last_seen BIGINT NOT NULL, last_seq BIGINT NOT NULL);"
        "INSERT INTO presence SELECT uuid, last_seen, last_seq FROM hosts;"
        "ALTER TABLE hosts DROP COLUMN last_seen;"
        "ALTER TABLE hosts DROP COLUMN last_seq;"
        "ALTER TABLE hosts DROP COLUMN reachable;"
        "ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'superadmin';"
        "ALTER TABLE users ADD COLUMN is_disabled BIGINT NOT NULL DEFAULT 0;"
        "CREATE INDEX actions_due ON actions (state, not_before)"},
    {4, "CREATE TABLE journal (node TEXT NOT NULL, seq BIGINT NOT NULL, at BIGINT NOT NULL, digest "
        "TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (node, seq))"},
};

enum wa_code wa_store_open(const char *dir, const char *database, struct wa_db **ret,
                           struct wa_err *err)
{
    char url[WA_PATH_MAX + 64];
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    (void)snprintf(url, sizeof url, "sqlite:%s/db/waptserver.sqlite", dir);
    if (wa_db_open(database[0] != '\0' ? database : url, &db, err) != WA_OK ||
        wa_db_migrate(db, migrations, WA_COUNT(migrations), err) != WA_OK)
        return wa_wrap(err, "opening the server's database");
    *ret = db;
    db = NULL;
    return WA_OK;
}

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

static void read_person(struct wa_stmt *s, struct wa_person *ret)
{
    (void)snprintf(ret->name, sizeof ret->name, "%.*s", WA_SV_ARG(wa_col_sv(s, 0)));
    (void)snprintf(ret->role, sizeof ret->role, "%.*s", WA_SV_ARG(wa_col_sv(s, 1)));
    ret->is_disabled = wa_col_i64(s, 2) != 0;
}

enum wa_code wa_store_person(struct wa_db *db, struct wa_sv name, struct wa_person *ret,
                             bool *ret_found, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "SELECT name, role, is_disabled FROM users WHERE name = ?", &s, err) !=
        WA_OK)
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
    if (wa_db_prepare(db, "SELECT name, role, is_disabled FROM users ORDER BY name", &s, err) !=
        WA_OK)
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
    if (wa_db_prepare(db,
                      "SELECT h.certificate, p.last_seq FROM hosts h JOIN presence p ON p.uuid = "
                      "h.uuid WHERE h.uuid = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    if (wa_step(s, ret_found, err) != WA_OK || !*ret_found)
        return err->code;
    wa_buf_addsv(certificate, wa_col_sv(s, 0));
    *ret_seq = wa_col_i64(s, 1);
    wa_reset(s);
    return wa_buf_check(certificate, err);
}

static enum wa_code put_presence(struct wa_db *db, struct wa_sv uuid, int64_t seq, int64_t now,
                                 struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO presence (uuid, last_seen, last_seq) VALUES (?1, ?2, ?3) ON "
                      "CONFLICT (uuid) DO UPDATE SET last_seen = excluded.last_seen, last_seq = "
                      "excluded.last_seq",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    wa_bind_i64(s, 1, now);
    wa_bind_i64(s, 2, seq);
    return wa_run(s, err);
}

enum wa_code wa_store_put_host(struct wa_db *db, struct wa_sv uuid, struct wa_sv certificate,
                               const char *by, int64_t seq, int64_t now, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO hosts (uuid, certificate, registered_at, registered_by) VALUES "
                      "(?1, ?2, ?3, ?4) ON CONFLICT (uuid) DO UPDATE SET certificate = "
                      "excluded.certificate, registered_at = excluded.registered_at, registered_by "
                      "= excluded.registered_by",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    wa_bind_sv(s, 1, certificate);
    wa_bind_i64(s, 2, now);
    wa_bind_s(s, 3, by);
    return wa_run(s, err) == WA_OK ? put_presence(db, uuid, seq, now, err) : err->code;
}

enum wa_code wa_store_delete_host(struct wa_db *db, const char *uuid, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM hosts WHERE uuid = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, uuid);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    return wa_db_changes(db) == 1 ? WA_OK
                                  : wa_fail(err, WA_E_NOT_FOUND, "there is no host '%s'", uuid);
}

enum wa_code wa_store_load_fleet(struct wa_db *db, struct wa_fleet *f, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db,
                      "SELECT h.uuid, h.name, h.fqdn, h.os, h.status, h.registered_at, p.last_seen "
                      "FROM hosts h JOIN presence p ON p.uuid = h.uuid",
                      &s, err) != WA_OK)
        return err->code;
    while (wa_step(s, &row, err) == WA_OK && row) {
        const struct wa_fleet_change c = {.name = wa_col_sv(s, 1),
                                          .fqdn = wa_col_sv(s, 2),
                                          .os = wa_col_sv(s, 3),
                                          .status = wa_col_sv(s, 4),
                                          .registered_at = wa_col_i64(s, 5),
                                          .last_seen = wa_col_i64(s, 6)};
        if (wa_fleet_put(f, wa_col_sv(s, 0), &c, err) != WA_OK) {
            wa_reset(s);
            break;
        }
    }
    return err->code;
}

enum wa_code wa_store_take_seq(struct wa_db *db, struct wa_sv uuid, int64_t seq, int64_t now,
                               struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(
            db,
            "UPDATE presence SET last_seq = ?1, last_seen = ?2 WHERE uuid = ?3 AND last_seq < ?1",
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

enum wa_code wa_store_set_columns(struct wa_db *db, struct wa_sv uuid,
                                  const struct wa_fleet_change *c, struct wa_err *err)
{
    const struct wa_sv texts[] = {c->name, c->fqdn, c->os, c->status};
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE hosts SET name = COALESCE(?2, name), fqdn = COALESCE(?3, fqdn), os = "
                      "COALESCE(?4, os), status = COALESCE(?5, status) WHERE uuid = ?1",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, uuid);
    for (int i = 0; i < (int)WA_COUNT(texts); i++)
        if (texts[i].p == NULL)
            wa_bind_null(s, i + 1);
        else
            wa_bind_sv(s, i + 1, wa_sv_sub(texts[i], 0, wa_fleet_cut(texts[i])));
    return wa_run(s, err);
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
                      "SELECT u.name, u.role, u.is_disabled FROM sessions s JOIN users u ON u.name "
                      "= s.\"user\" AND u.is_disabled = 0 WHERE s.sha256 = ? AND s.expires > ?",
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
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'queued', ?9, ?9)",
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
