/* db.c - the agent's database: schema, parameters, packages. Tasks are db_tasks.c's, and as they
 * are shown db_queue.c's; orders and what is owed db_orders.c's. */
#include "agent/db.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "os/rand.h"

static const struct wa_migration migrations[] = {
    {1,
     "CREATE TABLE params (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
     "CREATE TABLE available (id INTEGER PRIMARY KEY, repo TEXT NOT NULL, control TEXT NOT NULL);"
     "CREATE TABLE installed (package TEXT PRIMARY KEY, control TEXT NOT NULL, status TEXT NOT "
     "NULL, install_date INTEGER NOT NULL,"
     " output TEXT NOT NULL, params TEXT NOT NULL, explicit INTEGER NOT NULL, audit_status TEXT "
     "NOT NULL DEFAULT '',"
     " audit_on INTEGER NOT NULL DEFAULT 0, audit_output TEXT NOT NULL DEFAULT '', next_audit "
     "INTEGER NOT NULL DEFAULT 0);"
     "CREATE TABLE running (package TEXT PRIMARY KEY, control TEXT NOT NULL, hook TEXT NOT NULL);"
     "CREATE TABLE tasks (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, args TEXT NOT "
     "NULL, created_by TEXT NOT NULL,"
     " action_id TEXT NOT NULL, priority INTEGER NOT NULL, not_before INTEGER NOT NULL, state TEXT "
     "NOT NULL, code TEXT NOT NULL DEFAULT '',"
     " message TEXT NOT NULL DEFAULT '', created INTEGER NOT NULL, started INTEGER NOT NULL "
     "DEFAULT 0, finished INTEGER NOT NULL DEFAULT 0);"
     "CREATE INDEX tasks_state ON tasks (state, priority, id);"
     "CREATE TABLE actions (id TEXT PRIMARY KEY, not_after INTEGER NOT NULL) WITHOUT ROWID;"
     "CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, action_id TEXT NOT NULL, state "
     "TEXT NOT NULL, code TEXT NOT NULL,"
     " message TEXT NOT NULL, packages TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, next_try "
     "INTEGER NOT NULL DEFAULT 0);"
     "CREATE TABLE session (uid INTEGER NOT NULL, package TEXT NOT NULL, version TEXT NOT NULL, "
     "status TEXT NOT NULL,"
     " PRIMARY KEY (uid, package)) WITHOUT ROWID;"},
    {2, "ALTER TABLE available ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE installed ADD COLUMN repo TEXT NOT NULL DEFAULT '';"},
    {3, "ALTER TABLE tasks ADD COLUMN log TEXT NOT NULL DEFAULT '';"},
    {4, "ALTER TABLE installed ADD COLUMN uninstall_key TEXT NOT NULL DEFAULT '[]';"},
    {5, "ALTER TABLE running ADD COLUMN step TEXT NOT NULL DEFAULT 'script';"
        "ALTER TABLE running ADD COLUMN repo TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE running ADD COLUMN params TEXT NOT NULL DEFAULT '{}';"
        "ALTER TABLE running ADD COLUMN explicit INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE running ADD COLUMN snapshot TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE running ADD COLUMN began INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE running ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE tasks ADD COLUMN done TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE tasks ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0;"
        "CREATE TABLE attempts (package TEXT PRIMARY KEY, version TEXT NOT NULL, failures INTEGER "
        "NOT NULL, last_try INTEGER NOT NULL, next_try INTEGER NOT NULL, why TEXT NOT NULL) "
        "WITHOUT ROWID;"},
    {6, "ALTER TABLE running ADD COLUMN output TEXT NOT NULL DEFAULT '';"},
    {7, "ALTER TABLE actions ADD COLUMN is_cancelled INTEGER NOT NULL DEFAULT 0;"},
    /* NULL: it has left nothing out. */
    {8, "ALTER TABLE tasks ADD COLUMN waits_for TEXT;"
        "UPDATE tasks SET waits_for = substr(message, 9), message = '' WHERE state <> 'done' AND "
        "substr(message, 1, 8) = 'in use: ';"},
    {9, "ALTER TABLE tasks ADD COLUMN mark TEXT NOT NULL DEFAULT '';"
        "UPDATE tasks SET mark = lower(hex(randomblob(16)));"},
    {10, "ALTER TABLE tasks ADD COLUMN language TEXT NOT NULL DEFAULT '';"},
    {11, "ALTER TABLE tasks ADD COLUMN is_put_off INTEGER NOT NULL DEFAULT 0;"
         "UPDATE tasks SET is_put_off = 1 WHERE state <> 'done' AND message = 'put off';"},
};

int wa_agent_db_version(void)
{
    return (int)WA_COUNT(migrations);
}

enum wa_code wa_agent_db_open(const char *base, struct wa_db **ret, struct wa_err *err)
{
    char url[WA_PATH_MAX + 64];
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    (void)snprintf(url, sizeof url, "sqlite:%s/db/waptagent.sqlite", base);
    /* secure_delete: a task's arguments may hold a password until it is done. */
    if (wa_db_open_sqlite(url, &db, err) != WA_OK ||
        wa_db_exec(db, "PRAGMA secure_delete = ON", err) != WA_OK ||
        wa_db_migrate(db, migrations, WA_COUNT(migrations), err) != WA_OK)
        return wa_wrap(err, "opening the agent's database");
    *ret = WA_TAKE(db);
    return WA_OK;
}

/* --- parameters --- */

enum wa_code wa_param_get(struct wa_db *db, const char *name, struct wa_buf *out,
                          struct wa_err *err)
{
    return wa_db_text(db, "SELECT value FROM params WHERE name = ?", wa_sv(name), out, err);
}

enum wa_code wa_param_i64(struct wa_db *db, const char *name, int64_t *ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    int64_t v = 0;
    wa_buf_init(&text, 64);
    if (wa_param_get(db, name, &text, err) != WA_OK)
        return err->code;
    *ret = wa_sv_i64(wa_buf_sv(&text), &v) ? v : 0;
    return WA_OK;
}

enum wa_code wa_param_set(struct wa_db *db, const char *name, struct wa_sv value,
                          struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO params (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE "
                      "SET value = excluded.value",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    wa_bind_sv(s, 1, value);
    return wa_run(s, err);
}

enum wa_code wa_param_set_i64(struct wa_db *db, const char *name, int64_t value, struct wa_err *err)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    return wa_param_set(db, name, wa_sv(text), err);
}

enum wa_code wa_param_next_seq(struct wa_db *db, int64_t *ret, struct wa_err *err)
{
    int64_t seq = 0;
    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (wa_param_i64(db, "seq", &seq, err) != WA_OK ||
        wa_param_set_i64(db, "seq", seq + 1, err) != WA_OK || wa_db_commit(db, err) != WA_OK) {
        wa_db_rollback(db);
        return err->code;
    }
    *ret = seq + 1;
    return WA_OK;
}

enum wa_code wa_agent_db_disown(struct wa_db *db, struct wa_err *err)
{
    static const char *const statements[] = {
        "DELETE FROM outbox",
        ("UPDATE tasks SET state = 'done', code = 'cancelled', message = 'ordered for another "
         "machine', finished = CAST(strftime('%s', 'now') AS INTEGER), args = '' WHERE "
         "action_id <> '' AND state <> 'done'"),
        ("DELETE FROM params WHERE name IN ('uuid', 'hardware', 'enrolled_at', 'relay_key', "
         "'server_uuid', 'status_hashes', 'place_dn', 'place_groups', 'twin_doubts', "
         "'tls_certificate')")};
    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(statements); i++)
        if (wa_db_exec(db, statements[i], err) != WA_OK) {
            wa_db_rollback(db);
            return err->code;
        }
    if (wa_db_commit(db, err) != WA_OK)
        wa_db_rollback(db);
    return err->code;
}

/* --- available --- */

static enum wa_code insert_available(struct wa_db *db, const char *repo, int64_t rank,
                                     const struct wa_control *c, struct wa_err *err)
{
    struct wa_stmt *s;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 2 * WA_CONTROL_BYTES_MAX);
    if (wa_control_write(c, true, &text, err) != WA_OK ||
        wa_db_prepare(db, "INSERT INTO available (repo, control, rank) VALUES (?, ?, ?)", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, repo);
    wa_bind_sv(s, 1, wa_buf_sv(&text));
    wa_bind_i64(s, 2, rank);
    return wa_run(s, err);
}

enum wa_code wa_available_replace(struct wa_db *db, const char *repo, int64_t rank,
                                  const struct wa_control *items, size_t count, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_db_prepare(db, "DELETE FROM available WHERE repo = ?", &s, err);
    if (code == WA_OK) {
        wa_bind_s(s, 0, repo);
        code = wa_run(s, err);
    }
    for (size_t i = 0; code == WA_OK && i < count; i++)
        code = insert_available(db, repo, rank, &items[i], err);
    if (code == WA_OK)
        code = wa_db_commit(db, err);
    if (code != WA_OK)
        wa_db_rollback(db);
    return code;
}

/* The names of repositories with entries, that the caller frees. */
static enum wa_code repos_of(struct wa_db *db, struct wa_available *a, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT DISTINCT repo FROM available", &s, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_step(s, &row, err);
    while (code == WA_OK && row) {
        char *repo = NULL;
        if (!wa_vec_grow_((void **)(void *)&a->repos, a->repos_n, &a->repos_cap,
                          sizeof a->repos[0]))
            code = wa_nomem(err);
        else
            code = wa_sv_dup(wa_col_sv(s, 0), &repo, err);
        if (code != WA_OK)
            break;
        a->repos[a->repos_n++] = repo;
        code = wa_step(s, &row, err);
    }
    wa_reset(s);
    return code;
}

enum wa_code wa_available_prune(struct wa_db *db, bool (*keep)(const void *user, const char *repo),
                                const void *user, struct wa_err *err)
{
    WA_AUTO_AVAILABLE struct wa_available a = {.n = 0};
    if (repos_of(db, &a, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < a.repos_n; i++)
        if (!keep(user, a.repos[i]) &&
            wa_available_replace(db, a.repos[i], 0, NULL, 0, err) != WA_OK)
            return err->code;
    return WA_OK;
}

void wa_available_fini(struct wa_available *a)
{
    for (size_t i = 0; i < a->n; i++)
        wa_control_fini(&a->items[i]);
    for (size_t i = 0; i < a->repos_n; i++)
        wa_free(a->repos[i]);
    wa_free(a->items);
    wa_free(a->repos);
    *a = (struct wa_available){.n = 0};
}

/* What makes two entries one and the same package (wa_entry_same). */
static enum wa_code key_of(const struct wa_control *c, struct wa_buf *key, struct wa_err *err)
{
    static const enum wa_attr attrs[] = {WA_A_PACKAGE, WA_A_VERSION, WA_A_ARCHITECTURE, WA_A_LOCALE,
                                         WA_A_MATURITY};
    key->n = 0;
    for (size_t i = 0; i < WA_COUNT(attrs); i++) {
        wa_buf_adds(key, wa_control_get(c, attrs[i]));
        wa_buf_addc(key, '\0');
    }
    return wa_buf_check(key, err);
}

/* From the repository that comes first, of equal packages only its own. What one repository offers
 * twice stays twice. */
static enum wa_code take_available(struct wa_stmt *s, struct wa_map *seen, struct wa_buf *key,
                                   struct wa_available *a, struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control c;
    char *repo = NULL;
    wa_control_init(&c);
    if (wa_control_parse(wa_col_sv(s, 1), &c, err) != WA_OK || key_of(&c, key, err) != WA_OK)
        return err->code;
    const char *first = wa_map_get(seen, wa_buf_sv(key));
    if (first != NULL && !wa_sv_eqs(wa_col_sv(s, 0), first))
        return WA_OK;
    bool grown =
        wa_vec_grow_((void **)(void *)&a->items, a->n, &a->cap, sizeof a->items[0]) &&
        wa_vec_grow_((void **)(void *)&a->repos, a->repos_n, &a->repos_cap, sizeof a->repos[0]);
    if (!grown || wa_sv_dup(wa_col_sv(s, 0), &repo, err) != WA_OK)
        return grown ? err->code : wa_nomem(err);
    a->items[a->n++] = c;
    a->repos[a->repos_n++] = repo;
    wa_control_init(&c);
    return first != NULL ? WA_OK : wa_map_put(seen, wa_buf_sv(key), repo, NULL, err);
}

/* only: of this repository; "": of all. */
static enum wa_code read_available(struct wa_db *db, const char *only, struct wa_map *seen,
                                   struct wa_available *a, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    WA_AUTO_BUF struct wa_buf key;
    wa_buf_init(&key, 2 * WA_CONTROL_BYTES_MAX);
    if (wa_db_prepare(
            db, "SELECT repo, control FROM available WHERE ? = '' OR repo = ? ORDER BY rank, id",
            &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, only);
    wa_bind_s(s, 1, only);
    enum wa_code code;
    for (code = wa_step(s, &row, err); code == WA_OK && row;
         code = code == WA_OK ? wa_step(s, &row, err) : code)
        code = take_available(s, seen, &key, a, err);
    if (code != WA_OK)
        wa_reset(s);
    return code;
}

static enum wa_code load_available(struct wa_db *db, const char *only, struct wa_available *ret,
                                   struct wa_err *err)
{
    struct wa_available a = {.n = 0};
    WA_AUTO_MAP struct wa_map seen = {.n = 0};
    if (wa_rand_map(&seen, err) != WA_OK)
        return err->code;
    if (read_available(db, only, &seen, &a, err) != WA_OK) {
        wa_available_fini(&a);
        return err->code;
    }
    *ret = a;
    return WA_OK;
}

enum wa_code wa_available_load(struct wa_db *db, struct wa_available *ret, struct wa_err *err)
{
    return load_available(db, "", ret, err);
}

enum wa_code wa_available_load_repo(struct wa_db *db, const char *repo, struct wa_available *ret,
                                    struct wa_err *err)
{
    return load_available(db, repo, ret, err);
}

enum wa_code wa_available_forget(struct wa_db *db, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM available", &s, err) != WA_OK)
        return err->code;
    return wa_run(s, err);
}

/* --- installed --- */

void wa_installed_list_fini(struct wa_installed_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        wa_control_fini(&l->items[i].base.control);
        wa_free(l->items[i].output);
        wa_free(l->items[i].params);
        wa_free(l->items[i].audit_status);
        wa_free(l->items[i].audit_output);
        wa_free(l->items[i].repo);
        wa_free(l->items[i].uninstall_key);
    }
    WA_VEC_FREE(l);
}

static enum wa_code take_installed(struct wa_stmt *s, struct wa_installed_list *l,
                                   struct wa_err *err)
{
    struct wa_installed_row *r = WA_VEC_PUSH(l);
    if (r == NULL)
        return wa_nomem(err);
    struct wa_sv status = wa_col_sv(s, 1);
    if (wa_control_parse(wa_col_sv(s, 0), &r->base.control, err) != WA_OK ||
        wa_sv_dup(wa_col_sv(s, 3), &r->output, err) != WA_OK ||
        wa_sv_dup(wa_col_sv(s, 4), &r->params, err) != WA_OK ||
        wa_sv_dup(wa_col_sv(s, 6), &r->audit_status, err) != WA_OK ||
        wa_sv_dup(wa_col_sv(s, 8), &r->audit_output, err) != WA_OK ||
        wa_sv_dup(wa_col_sv(s, 10), &r->repo, err) != WA_OK ||
        wa_sv_dup(wa_col_sv(s, 11), &r->uninstall_key, err) != WA_OK)
        return err->code;
    (void)snprintf(r->base.status, sizeof r->base.status, "%.*s", WA_SV_ARG(status));
    r->install_date = wa_col_i64(s, 2);
    r->base.is_explicit = wa_col_i64(s, 5) != 0;
    r->audit_on = wa_col_i64(s, 7);
    r->next_audit = wa_col_i64(s, 9);
    return WA_OK;
}

enum wa_code wa_installed_load(struct wa_db *db, const char *only, struct wa_installed_list *ret,
                               struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    struct wa_installed_list l = {NULL, 0, 0};
    if (wa_db_prepare(db,
                      "SELECT control, status, install_date, output, params, explicit, "
                      "audit_status, audit_on, audit_output, next_audit, repo, uninstall_key"
                      " FROM installed WHERE ?1 IS NULL OR package = ?1 ORDER BY package",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, only);
    enum wa_code code;
    for (code = wa_step(s, &row, err); code == WA_OK && row;
         code = code == WA_OK ? wa_step(s, &row, err) : code)
        code = take_installed(s, &l, err);
    if (code != WA_OK) {
        wa_reset(s);
        wa_installed_list_fini(&l);
        return code;
    }
    *ret = l;
    return WA_OK;
}

enum wa_code wa_installed_put(struct wa_db *db, const struct wa_control *c, const char *repo,
                              const char *status, int64_t date, struct wa_sv output,
                              struct wa_sv params, bool is_explicit, struct wa_err *err)
{
    struct wa_stmt *s;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 2 * WA_CONTROL_BYTES_MAX);
    if (wa_control_write(c, true, &text, err) != WA_OK ||
        wa_db_prepare(
            db,
            "INSERT INTO installed (package, control, status, install_date, output, "
            "params, explicit, repo) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (package) DO UPDATE SET control = excluded.control, status = "
            "excluded.status,"
            " install_date = excluded.install_date, output = excluded.output, params = "
            "excluded.params, "
            "repo = CASE excluded.repo WHEN '' THEN repo ELSE excluded.repo END,"
            " explicit = MAX(explicit, excluded.explicit), next_audit = 0, uninstall_key = "
            "excluded.uninstall_key",
            &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, wa_control_get(c, WA_A_PACKAGE));
    wa_bind_sv(s, 1, wa_buf_sv(&text));
    wa_bind_s(s, 2, status);
    wa_bind_i64(s, 3, date);
    wa_bind_sv(s, 4, output);
    wa_bind_sv(s, 5, params);
    wa_bind_i64(s, 6, is_explicit ? 1 : 0);
    wa_bind_s(s, 7, repo);
    return wa_run(s, err);
}

enum wa_code wa_installed_set_status(struct wa_db *db, const char *package, const char *status,
                                     struct wa_sv output, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE installed SET status = ?, output = ? WHERE package = ?", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, status);
    wa_bind_sv(s, 1, output);
    wa_bind_s(s, 2, package);
    return wa_run(s, err);
}

enum wa_code wa_installed_set_failed(struct wa_db *db, const char *package, struct wa_sv output,
                                     struct wa_sv params, bool is_explicit, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE installed SET status = 'ERROR', output = ?, params = ?, explicit = "
                      "MAX(explicit, ?) WHERE package = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, output);
    wa_bind_sv(s, 1, params);
    wa_bind_i64(s, 2, is_explicit ? 1 : 0);
    wa_bind_s(s, 3, package);
    return wa_run(s, err);
}

enum wa_code wa_installed_set_audit(struct wa_db *db, const char *package, const char *status,
                                    struct wa_sv output, int64_t at, int64_t next,
                                    struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "UPDATE installed SET audit_status = ?, audit_output = ?, audit_on = ?, "
                      "next_audit = ? WHERE package = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, status);
    wa_bind_sv(s, 1, output);
    wa_bind_i64(s, 2, at);
    wa_bind_i64(s, 3, next);
    wa_bind_s(s, 4, package);
    return wa_run(s, err);
}

enum wa_code wa_installed_set_control(struct wa_db *db, const struct wa_control *c,
                                      const char *repo, struct wa_err *err)
{
    struct wa_stmt *s;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 2 * WA_CONTROL_BYTES_MAX);
    if (wa_control_write(c, true, &text, err) != WA_OK ||
        wa_db_prepare(db, "UPDATE installed SET control = ?, repo = ? WHERE package = ?", &s,
                      err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, wa_buf_sv(&text));
    wa_bind_s(s, 1, repo);
    wa_bind_s(s, 2, wa_control_get(c, WA_A_PACKAGE));
    return wa_run(s, err);
}

enum wa_code wa_installed_set_uninstall_key(struct wa_db *db, const char *package,
                                            struct wa_sv keys, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE installed SET uninstall_key = ? WHERE package = ?", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_sv(s, 0, keys);
    wa_bind_s(s, 1, package);
    return wa_run(s, err);
}

static enum wa_code run_for(struct wa_db *db, const char *sql, const char *package,
                            struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, sql, &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, package);
    return wa_run(s, err);
}

enum wa_code wa_installed_set_explicit(struct wa_db *db, const char *package, struct wa_err *err)
{
    return run_for(db, "UPDATE installed SET explicit = 1 WHERE package = ?", package, err);
}

enum wa_code wa_installed_delete(struct wa_db *db, const char *package, struct wa_err *err)
{
    if (run_for(db, "DELETE FROM session WHERE package = ?", package, err) != WA_OK)
        return err->code;
    return run_for(db, "DELETE FROM installed WHERE package = ?", package, err);
}

/* --- sessions --- */

enum wa_code wa_session_get(struct wa_db *db, uint32_t uid, const char *package,
                            const char *version, bool *ret_done, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(
            db,
            "SELECT 1 FROM session WHERE uid = ? AND package = ? AND version = ? AND status = 'OK'",
            &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, uid);
    wa_bind_s(s, 1, package);
    wa_bind_s(s, 2, version);
    if (wa_step(s, ret_done, err) != WA_OK)
        return err->code;
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_session_set(struct wa_db *db, uint32_t uid, const char *package,
                            const char *version, const char *status, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(
            db,
            "INSERT OR REPLACE INTO session (uid, package, version, status) VALUES (?, ?, ?, ?)",
            &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, uid);
    wa_bind_s(s, 1, package);
    wa_bind_s(s, 2, version);
    wa_bind_s(s, 3, status);
    return wa_run(s, err);
}
