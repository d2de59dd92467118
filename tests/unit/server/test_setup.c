/* Setting a server up: what is made, with which rights, and that a second time destroys nothing. */
#include "testlib.h"

#include <sys/stat.h>
#include <unistd.h>

#include "server/config.h"
#include "server/store_db.h"

static enum wa_code set_up(const char *dir, const char *password, bool force, struct wa_err *err)
{
    char fingerprint[65], config[WA_PATH_MAX];
    const struct wa_setup s = {.dir = dir,
                               .database = "",
                               .names = "localhost,127.0.0.1",
                               .bind = "127.0.0.1",
                               .port = 8443,
                               .admin_password = wa_sv(password),
                               .force = force};
    enum wa_code code = wa_server_setup(&s, fingerprint, config, err);
    if (code == WA_OK)
        assert_int_equal(strlen(fingerprint), 64);
    return code;
}

static void path_in(const char *dir, const char *name, char out[WA_PATH_MAX])
{
    (void)snprintf(out, WA_PATH_MAX, "%.3000s/%s", dir, name);
}

static void test_rights(void **state)
{
    static const struct {
        const char *name;
        mode_t mode;
    } made[] = {{"private", 0700},         {"db", 0700},
                {"private/tls.pem", 0600}, {"private/relay.pem", 0600},
                {"repo/incoming", 0700},   {"trusted", 0755},
                {"repo/wapt", 0755},       {"waptserver.ini", 0644}};
    const char *dir = *state;
    char path[WA_PATH_MAX], server[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    struct stat st;
    path_in(dir, "server", server);
    WA_ASSERT_OK(set_up(server, "long enough it is", false, &err));
    for (size_t i = 0; i < WA_COUNT(made); i++) {
        path_in(server, made[i].name, path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, made[i].mode);
    }
    /* The database is of the process that uses it, and nobody else's. */
    path_in(server, "db/waptserver.sqlite", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
    assert_true(geteuid() != 0 || st.st_uid != 0);
}

static void read_all(const char *dir, struct wa_buf *out)
{
    static const char *const names[] = {"private/tls.pem", "private/tls.crt", "private/relay.pem",
                                        "waptserver.ini"};
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(out, 1u << 20);
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        char path[WA_PATH_MAX];
        path_in(dir, names[i], path);
        if (wa_path_read(path, 1u << 20, out, &err) != WA_OK)
            wa_err_clear(&err);
    }
}

static void test_again(void **state)
{
    static const char *const left[] = {"waptserver.ini", "private/tls.pem", "private/relay.pem"};
    char server[WA_PATH_MAX], path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    path_in(*state, "server", server);
    WA_ASSERT_OK(set_up(server, "long enough it is", false, &err));
    /* Parts of a server are kept like a whole one. */
    for (size_t i = 0; i <= WA_COUNT(left); i++) {
        struct wa_buf before, after;
        read_all(server, &before);
        WA_ASSERT_CODE(set_up(server, "another password", false, &err), WA_E_EXISTS);
        read_all(server, &after);
        assert_true(wa_sv_eq(wa_buf_sv(&before), wa_buf_sv(&after)));
        wa_buf_fini(&before);
        wa_buf_fini(&after);
        if (i < WA_COUNT(left)) {
            path_in(server, left[i], path);
            assert_int_equal(unlink(path), 0);
        }
    }
    WA_ASSERT_OK(set_up(server, "another password", true, &err));
}

static void test_bad_input(void **state)
{
    char server[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    struct stat st;
    path_in(*state, "server", server);
    WA_ASSERT_CODE(set_up("relative", "long enough it is", false, &err), WA_E_USAGE);
    WA_ASSERT_CODE(set_up(server, "short", false, &err), WA_E_USAGE);
    assert_int_not_equal(stat(server, &st), 0); /* nothing begun */
}

static void load(const char *dir, struct wa_server_config *c)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    path_in(dir, "waptserver.ini", path);
    WA_ASSERT_OK(wa_server_config_load(path, c, &err));
}

static void test_tls_files(void **state)
{
    char server[WA_PATH_MAX], other[WA_PATH_MAX], from[WA_PATH_MAX], to[WA_PATH_MAX];
    struct wa_server_config c;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_CERTS struct wa_certs chain = {NULL, 0, 0};
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    path_in(*state, "server", server);
    path_in(*state, "other", other);
    WA_ASSERT_OK(set_up(server, "long enough it is", false, &err));
    WA_ASSERT_OK(set_up(other, "long enough it is", false, &err));
    load(server, &c);
    WA_ASSERT_OK(wa_server_tls(&c, &chain, &key, &err));
    wa_key_free(key);
    key = NULL;
    path_in(other, "private/tls.pem", from);
    path_in(server, "private/tls.pem", to);
    assert_int_equal(rename(from, to), 0); /* another's key */
    WA_ASSERT_CODE(wa_server_tls(&c, &chain, &key, &err), WA_E_CONFIG);
    WA_ASSERT_OK(wa_path_replace(to, WA_SV("nonsense"), 0600, &err));
    WA_ASSERT_CODE(wa_server_tls(&c, &chain, &key, &err), WA_E_CONFIG);
    assert_int_equal(unlink(to), 0);
    WA_ASSERT_CODE(wa_server_tls(&c, &chain, &key, &err), WA_E_CONFIG);
    path_in(server, "private/tls.crt", to);
    WA_ASSERT_OK(wa_path_replace(to, WA_SV(""), 0600, &err));
    WA_ASSERT_CODE(wa_server_tls(&c, &chain, &key, &err), WA_E_CONFIG);
    assert_null(key);
    wa_server_config_free(&c);
}

static void test_configuration(void **state)
{
    static const char *const wrong[] = {"[options]\nport = 0\n", "[options]\nport = x\n",
                                        "[options]\nfronts = 65\n", "[options\n"};
    char path[WA_PATH_MAX];
    struct wa_server_config c;
    struct wa_err err = WA_ERR_INIT;
    path_in(*state, "waptserver.ini", path);
    WA_ASSERT_CODE(wa_server_config_load(path, &c, &err), WA_E_CONFIG);
    WA_ASSERT_CODE(wa_server_config_load("waptserver.ini", &c, &err), WA_E_USAGE);
    for (size_t i = 0; i < WA_COUNT(wrong); i++) {
        WA_ASSERT_OK(wa_path_replace(path, wa_sv(wrong[i]), 0644, &err));
        enum wa_code code = wa_server_config_load(path, &c, &err);
        assert_true(code == WA_E_CONFIG || code == WA_E_INVALID);
        wa_err_clear(&err);
    }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, wa_test_tmpdir_setup, wa_test_tmpdir_teardown)

/* The database of a server before roles and the journal: all of it is there afterwards, and its
 * people may what they could. */
static void test_older_database(void **state)
{
    static const char old[] =
        "CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY);"
        "INSERT INTO schema_version VALUES (1), (2);"
        "CREATE TABLE hosts (uuid TEXT PRIMARY KEY, certificate TEXT NOT NULL, registered_at "
        "INTEGER "
        "NOT NULL, registered_by TEXT NOT NULL, last_seen INTEGER NOT NULL, last_seq INTEGER NOT "
        "NULL, reachable INTEGER NOT NULL DEFAULT 0, name TEXT NOT NULL DEFAULT '', fqdn TEXT NOT "
        "NULL DEFAULT '', os TEXT NOT NULL DEFAULT '', status TEXT NOT NULL DEFAULT '');"
        "CREATE TABLE sections (uuid TEXT NOT NULL REFERENCES hosts (uuid) ON DELETE CASCADE, "
        "section TEXT NOT NULL, content TEXT NOT NULL, digest TEXT NOT NULL DEFAULT '', PRIMARY "
        "KEY "
        "(uuid, section)) WITHOUT ROWID;"
        "CREATE TABLE tokens (sha256 TEXT PRIMARY KEY, expires INTEGER NOT NULL, uses INTEGER NOT "
        "NULL) WITHOUT ROWID;"
        "CREATE TABLE users (name TEXT PRIMARY KEY, hash TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE sessions (sha256 TEXT PRIMARY KEY, user TEXT NOT NULL, expires INTEGER NOT "
        "NULL) WITHOUT ROWID;"
        "CREATE TABLE actions (id TEXT PRIMARY KEY, batch TEXT NOT NULL, uuid TEXT NOT NULL, kind "
        "TEXT NOT NULL, orders TEXT NOT NULL, not_before INTEGER NOT NULL, not_after INTEGER NOT "
        "NULL, signer TEXT NOT NULL, state TEXT NOT NULL, code TEXT NOT NULL DEFAULT '', message "
        "TEXT NOT NULL DEFAULT '', packages TEXT NOT NULL DEFAULT '', created INTEGER NOT NULL, "
        "updated INTEGER NOT NULL);"
        "CREATE INDEX actions_batch ON actions (batch);"
        "CREATE INDEX actions_waiting ON actions (uuid, state);"
        "INSERT INTO hosts VALUES ('m', 'PEM', 5, 'token', 7, 9, 1, 'pc', 'pc.x', 'Debian', 'OK');"
        "INSERT INTO sections VALUES ('m', 'host_info', '{}', '');"
        "INSERT INTO users VALUES ('admin', 'H');"
        "INSERT INTO sessions VALUES ('s', 'admin', 3700)";
    char path[WA_PATH_MAX], url[WA_PATH_MAX + 64];
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    WA_AUTO(wa_fleet) struct wa_fleet *fleet = NULL;
    WA_AUTO_BUF struct wa_buf certificate;
    struct wa_person p;
    struct wa_person_session session;
    struct wa_err err = WA_ERR_INIT;
    struct wa_host_row row;
    bool found = false;
    wa_buf_init(&certificate, 100);
    path_in(*state, "db", path);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(url, sizeof url, "sqlite:%s/waptserver.sqlite", path);
    WA_ASSERT_OK(wa_db_open(url, &db, &err));
    WA_ASSERT_OK(wa_db_exec(db, old, &err));
    wa_db_close(db);
    db = NULL;
    WA_ASSERT_OK(wa_store_open(*state, "", &db, &err));
    WA_ASSERT_OK(wa_store_host(db, WA_SV("m"), &certificate, &row, &err));
    assert_true(row.is_there && row.last_seq == 9 && row.number > 0 &&
                wa_sv_eqs(wa_buf_sv(&certificate), "PEM"));
    WA_ASSERT_OK(wa_store_session(db, "s", 1, 3600, &p, &session, &found, &err));
    assert_true(found);
    assert_string_equal(p.role, "superadmin");
    WA_ASSERT_OK(wa_fleet_new(&fleet, &err));
    WA_ASSERT_OK(wa_store_load_fleet(db, fleet, &err));
    assert_int_equal(wa_fleet_get(fleet, WA_SV("m"))->last_seen, 7);
    assert_string_equal(wa_fleet_get(fleet, WA_SV("m"))->name, "pc");
    WA_ASSERT_OK(wa_store_delete_host(db, "m", &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_rights),        TEST(test_again),
                                       TEST(test_bad_input),     TEST(test_tls_files),
                                       TEST(test_configuration), TEST(test_older_database)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
