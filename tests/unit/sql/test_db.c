/* db: the interface, the same on every driver. With $WA_TEST_PG_URL on that PostgreSQL, else on
 * SQLite. */
#include "support.h"

#include <sys/wait.h>
#include <unistd.h>

static const char schema[] =
    "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, n BIGINT, b BYTEA)";

static void put(struct wa_db *db, int64_t id, const char *name)
{
    struct wa_stmt *s = must_prepare(db, "INSERT INTO t (id, name) VALUES (?, ?)");
    struct wa_err err = WA_ERR_INIT;

    wa_bind_i64(s, 0, id);
    wa_bind_s(s, 1, name);
    WA_ASSERT_OK(wa_run(s, &err));
}

static void values_come_back(void **state)
{
    WA_AUTO(wa_db) struct wa_db *db = fresh(*state);
    struct wa_err err = WA_ERR_INIT;
    bool has_row = false;
    static const char bytes[] = {0, 1, 2, (char)0xff, '\'', '\\', 'x', 0};
    must_exec(db, schema);

    struct wa_stmt *s = must_prepare(db, "INSERT INTO t (id, name, n, b) VALUES (?, ?, ?, ?)");
    wa_bind_i64(s, 0, 1);
    wa_bind_sv(s, 1, WA_SV("\xc3\xa9t\xc3\xa9 '\"; DROP TABLE t; -- ?"));
    wa_bind_i64(s, 2, INT64_MIN);
    wa_bind_blob(s, 3, wa_sv_n(bytes, sizeof bytes));
    WA_ASSERT_OK(wa_run(s, &err));
    assert_int_equal(wa_db_changes(db), 1);
    wa_bind_i64(s, 0, 2); /* what is not bound is NULL, not the former value */
    wa_bind_s(s, 1, NULL);
    wa_bind_null(s, 2);
    WA_ASSERT_OK(wa_run(s, &err));
    wa_bind_i64(s, 0, 3);
    wa_bind_sv(s, 1, (struct wa_sv){NULL, 0}); /* empty is not NULL */
    wa_bind_i64(s, 2, INT64_MAX);
    wa_bind_blob(s, 3, (struct wa_sv){NULL, 0});
    WA_ASSERT_OK(wa_run(s, &err));

    s = must_prepare(db, "SELECT name, n, b FROM t ORDER BY id");
    WA_ASSERT_OK(wa_step(s, &has_row, &err));
    assert_true(has_row);
    WA_ASSERT_SV(wa_col_sv(s, 0), "\xc3\xa9t\xc3\xa9 '\"; DROP TABLE t; -- ?");
    assert_true(wa_col_i64(s, 1) == INT64_MIN);
    struct wa_sv b = wa_col_sv(s, 2);
    assert_int_equal(b.n, sizeof bytes);
    assert_memory_equal(b.p, bytes, sizeof bytes);
    WA_ASSERT_OK(wa_step(s, &has_row, &err));
    for (int i = 0; i < 3; i++) {
        assert_true(wa_col_is_null(s, i));
        assert_int_equal(wa_col_sv(s, i).n, 0);
        assert_int_equal(wa_col_i64(s, i), 0);
    }
    WA_ASSERT_OK(wa_step(s, &has_row, &err));
    assert_false(wa_col_is_null(s, 0));
    assert_false(wa_col_is_null(s, 2));
    assert_int_equal(wa_col_sv(s, 0).n, 0);
    assert_true(wa_col_i64(s, 1) == INT64_MAX);
    WA_ASSERT_OK(wa_step(s, &has_row, &err));
    assert_false(has_row);
    WA_ASSERT_OK(wa_step(s, &has_row, &err)); /* it begins anew by itself */
    assert_true(has_row);
}

static void blobs_as_values_to_compare(void **state)
{
    WA_AUTO(wa_db) struct wa_db *db = fresh(*state);
    struct wa_err err = WA_ERR_INIT;
    bool has_row = false;
    must_exec(db, schema);

    struct wa_stmt *s = must_prepare(db, "INSERT INTO t (id, b) VALUES (?, ?)");
    wa_bind_i64(s, 0, 7);
    wa_bind_blob(s, 1, WA_SV("a\0b"));
    WA_ASSERT_OK(wa_run(s, &err));
    s = must_prepare(db, "SELECT id FROM t WHERE b = ?");
    wa_bind_blob(s, 0, WA_SV("a\0b"));
    WA_ASSERT_OK(wa_step(s, &has_row, &err));
    assert_true(has_row);
    assert_int_equal(wa_col_i64(s, 0), 7);
    wa_reset(s);
    wa_bind_blob(s, 0, WA_SV("a\0c"));
    WA_ASSERT_OK(wa_step(s, &has_row, &err));
    assert_false(has_row);
}

static void conflicts_have_names(void **state)
{
    WA_AUTO(wa_db) struct wa_db *db = fresh(*state);
    struct wa_err err = WA_ERR_INIT;
    must_exec(db, schema);
    must_exec(db, "CREATE TABLE u (t INTEGER NOT NULL REFERENCES t (id), n INTEGER CHECK (n > 0))");
    put(db, 1, "one");

    static const struct {
        const char *sql;
        enum wa_code code;
    } cases[] = {
        {"INSERT INTO t (id) VALUES (1)", WA_E_EXISTS},
        {"INSERT INTO t (id, name) VALUES (2, 'one')", WA_E_EXISTS},
        {"INSERT INTO u (t) VALUES (5)", WA_E_CONFLICT},
        {"INSERT INTO u (t, n) VALUES (1, -1)", WA_E_CONFLICT},
        {"INSERT INTO u (t) VALUES (NULL)", WA_E_CONFLICT},
        {"DELETE FROM t WHERE id = 1", WA_OK},
    };
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_stmt *s = must_prepare(db, cases[i].sql);
        WA_ASSERT_CODE(wa_run(s, &err), cases[i].code);
    }
    struct wa_stmt *s = NULL;
    WA_ASSERT_CODE(wa_db_prepare(db, "SELECT nothing FROM nowhere", &s, &err), WA_E_INTERNAL);
    WA_ASSERT_CODE(wa_db_prepare(db, "SELECT 1; SELECT 2", &s, &err), WA_E_INTERNAL);
    WA_ASSERT_CODE(wa_db_exec(db, "NO SUCH STATEMENT", &err), WA_E_INTERNAL);
    assert_null(s);
}

static void bindings_stick_in_failure(void **state)
{
    WA_AUTO(wa_db) struct wa_db *db = fresh(*state);
    struct wa_err err = WA_ERR_INIT;
    must_exec(db, schema);

    struct wa_stmt *s = must_prepare(db, "INSERT INTO t (id, name) VALUES (?, ?)");
    wa_bind_i64(s, 0, 1);
    wa_bind_i64(s, 2, 1); /* there are two values: 0 and 1 */
    wa_bind_s(s, 1, "one");
    WA_ASSERT_CODE(wa_run(s, &err), WA_E_INTERNAL);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM t"), 0);
    wa_bind_i64(s, 0, 1); /* and then it is forgotten */
    WA_ASSERT_OK(wa_run(s, &err));
    assert_int_equal(number(db, "SELECT COUNT(*) FROM t WHERE name IS NULL"), 1);
}

static void statements_are_kept(void **state)
{
    WA_AUTO(wa_db) struct wa_db *db = fresh(*state);
    struct wa_err err = WA_ERR_INIT;
    bool has_row = false;
    must_exec(db, schema);
    for (int i = 0; i < 3; i++)
        put(db, i, NULL);

    struct wa_stmt *s = must_prepare(db, "SELECT id FROM t ORDER BY id");
    WA_ASSERT_OK(wa_step(s, &has_row, &err));
    assert_ptr_equal(must_prepare(db, "SELECT id FROM t ORDER BY id"), s);
    WA_ASSERT_OK(wa_step(s, &has_row, &err));
    assert_int_equal(wa_col_i64(s, 0), 0); /* begun anew */
    /* another one inside the loop, which writes what the loop reads */
    int64_t seen = 0;
    for (WA_ASSERT_OK(wa_step(s, &has_row, &err)); has_row; seen++) {
        struct wa_stmt *u = must_prepare(db, "UPDATE t SET n = ? WHERE id = ?");
        wa_bind_i64(u, 0, 5);
        wa_bind_i64(u, 1, wa_col_i64(s, 0));
        WA_ASSERT_OK(wa_run(u, &err));
        WA_ASSERT_OK(wa_step(s, &has_row, &err));
    }
    assert_int_equal(seen, 2);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM t WHERE n = 5"), 2);
}

static void transactions(void **state)
{
    WA_AUTO(wa_db) struct wa_db *db = fresh(*state);
    struct wa_err err = WA_ERR_INIT;
    must_exec(db, schema);

    WA_ASSERT_OK(wa_db_begin(db, &err));
    put(db, 1, "one");
    wa_db_rollback(db);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM t"), 0);
    WA_ASSERT_OK(wa_db_begin(db, &err));
    put(db, 1, "one");
    WA_ASSERT_CODE(wa_db_begin(db, &err), WA_E_INTERNAL); /* no nesting, and the first goes on */
    WA_ASSERT_OK(wa_db_commit(db, &err));
    wa_db_rollback(db); /* too late, and no matter */
    wa_db_rollback(db);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM t"), 1);
    WA_ASSERT_CODE(wa_db_commit(db, &err), WA_E_CONFLICT);
}

/* Parts of a group fail alone, and are seen by others only when the group has ended. */
static void groups(void **state)
{
    char url[WA_PATH_MAX + 64];
    make_url(*state, url);
    WA_AUTO(wa_db) struct wa_db *db = open_url(url), *other = open_url(url);
    struct wa_err err = WA_ERR_INIT;
    must_exec(db, schema);

    wa_db_group_begin(db);
    assert_false(wa_db_group_is_open(db));
    WA_ASSERT_OK(wa_db_group_end(db, &err)); /* nothing was done */
    wa_db_group_begin(db);
    WA_ASSERT_OK(wa_db_begin(db, &err));
    assert_true(wa_db_group_is_open(db));
    put(db, 1, "one");
    WA_ASSERT_CODE(wa_db_begin(db, &err), WA_E_INTERNAL); /* parts do not nest */
    WA_ASSERT_OK(wa_db_commit(db, &err));
    WA_ASSERT_CODE(wa_db_commit(db, &err), WA_E_CONFLICT);
    WA_ASSERT_OK(wa_db_begin(db, &err));
    put(db, 2, "two");
    wa_db_rollback(db);
    WA_ASSERT_OK(wa_db_begin(db, &err));
    struct wa_stmt *s = must_prepare(db, "INSERT INTO t (id, name) VALUES (3, 'one')");
    WA_ASSERT_CODE(wa_run(s, &err), WA_E_EXISTS); /* a part that a statement has failed */
    wa_db_rollback(db);
    WA_ASSERT_OK(wa_db_begin(db, &err));
    put(db, 4, "four");
    WA_ASSERT_OK(wa_db_commit(db, &err));
    assert_int_equal(number(other, "SELECT COUNT(*) FROM t"), 0);
    WA_ASSERT_OK(wa_db_group_end(db, &err));
    assert_int_equal(number(other, "SELECT COUNT(*) FROM t"), 2);
    wa_db_group_begin(db);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM t"), 2);
    assert_false(wa_db_group_is_open(db)); /* reading opens nothing */
    put(db, 5, "five");                    /* a statement by itself is part of it, too */
    assert_int_equal(number(other, "SELECT COUNT(*) FROM t"), 2);
    WA_ASSERT_OK(wa_db_group_end(db, &err));
    WA_ASSERT_OK(wa_db_begin(db, &err)); /* and as before */
    put(db, 6, "six");
    WA_ASSERT_OK(wa_db_commit(db, &err));
    assert_int_equal(number(other, "SELECT COUNT(*) FROM t"), 4);
}

/* A group that is lost as a whole says so at each later part, and at its end. */
static void groups_that_are_lost(void **state)
{
    WA_AUTO(wa_db) struct wa_db *db = fresh(*state);
    struct wa_err err = WA_ERR_INIT;
    must_exec(db, schema);

    wa_db_group_begin(db);
    WA_ASSERT_OK(wa_db_begin(db, &err));
    put(db, 1, "one");
    WA_ASSERT_OK(wa_db_commit(db, &err));
    must_exec(db, "ROLLBACK"); /* as a full disk or no memory does */
    WA_ASSERT_CODE(wa_db_begin(db, &err), WA_E_UNREACHABLE);
    WA_ASSERT_CODE(wa_db_group_end(db, &err), WA_E_UNREACHABLE);
    wa_db_group_begin(db);
    WA_ASSERT_OK(wa_db_begin(db, &err));
    put(db, 1, "one");
    WA_ASSERT_CODE(wa_db_group_end(db, &err), WA_E_INTERNAL); /* in the middle of a part */
    assert_int_equal(number(db, "SELECT COUNT(*) FROM t"), 0);
    WA_ASSERT_OK(wa_db_begin(db, &err));
    put(db, 1, "one");
    WA_ASSERT_OK(wa_db_commit(db, &err));
}

/* Who has begun has the write lock: another waits, and gives up after the time-out. */
static void writers_take_turns(void **state)
{
    char url[WA_PATH_MAX + 64];
    make_url(*state, url);
    WA_AUTO(wa_db) struct wa_db *a = open_url(url), *b = open_url(url);
    struct wa_err err = WA_ERR_INIT;
    must_exec(a, schema);
    must_exec(b, strcmp(wa_db_driver(b), "sqlite") == 0 ? "PRAGMA busy_timeout = 50"
                                                        : "SET lock_timeout = '50ms'");

    WA_ASSERT_OK(wa_db_begin(a, &err));
    put(a, 1, "one");
    WA_ASSERT_CODE(wa_db_begin(b, &err), WA_E_BUSY);
    assert_int_equal(number(b, "SELECT COUNT(*) FROM t"), 0); /* reading goes on meanwhile */
    WA_ASSERT_OK(wa_db_commit(a, &err));
    WA_ASSERT_OK(wa_db_begin(b, &err));
    assert_int_equal(number(b, "SELECT COUNT(*) FROM t"), 1);
    WA_ASSERT_OK(wa_db_commit(b, &err));
}

/* SQLite alone: who only looks sees all that is written meanwhile, writes nothing and makes
 * nothing.
 */
static void readers_write_nothing(void **state)
{
    char path[WA_PATH_MAX], url[WA_PATH_MAX + 64], to_read[WA_PATH_MAX + 64];
    struct wa_err err = WA_ERR_INIT;
    struct wa_db *reader = NULL;
    (void)snprintf(path, sizeof path, "%s/read.sqlite", (const char *)*state);
    (void)snprintf(url, sizeof url, "sqlite:%s", path);
    (void)snprintf(to_read, sizeof to_read, "sqlite:%s?mode=ro", path);
    assert_int_not_equal(wa_db_open(to_read, &reader, &err), WA_OK);
    wa_err_clear(&err);
    assert_int_not_equal(access(path, F_OK), 0);
    WA_AUTO(wa_db) struct wa_db *writer = open_url(url);
    must_exec(writer, schema);
    WA_ASSERT_OK(wa_db_open(to_read, &reader, &err));
    for (int64_t i = 1; i < 300; i++) { /* over many turns of the log */
        put(writer, i, i % 2 == 0 ? "even" : "odd");
        assert_int_equal(number(reader, "SELECT COUNT(*) FROM t"), 1);
        if (i % 100 == 0)
            must_exec(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
        must_exec(writer, "DELETE FROM t");
        assert_int_equal(number(reader, "SELECT COUNT(*) FROM t"), 0);
    }
    assert_int_not_equal(wa_db_exec(reader, "INSERT INTO t (id) VALUES (9)", &err), WA_OK);
    wa_err_clear(&err);
    wa_db_close(reader);
    assert_int_equal(number(writer, "SELECT COUNT(*) FROM t"), 0);
}

static const struct wa_migration steps[] = {
    {1, "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)"},
    {2, "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = 2"},
    {3, "CREATE TABLE c (z INTEGER)"},
};

static void migrations(void **state)
{
    WA_AUTO(wa_db) struct wa_db *db = fresh(*state);
    struct wa_err err = WA_ERR_INIT;
    const struct wa_migration broken[] = {
        steps[0], steps[1], {3, "CREATE TABLE d (z INTEGER); NONSENSE"}};
    static const struct wa_migration gap[] = {{1, "SELECT 1"}, {3, "SELECT 1"}};

    WA_ASSERT_OK(wa_db_migrate(db, steps, 1, &err));
    WA_ASSERT_OK(wa_db_migrate(db, steps, 1, &err));
    assert_int_equal(number(db, "SELECT COUNT(*) FROM a"), 1);
    assert_int_equal(wa_db_migrate(db, broken, 3, &err),
                     WA_E_INTERNAL); /* the second step stays, the third leaves nothing */
    assert_non_null(strstr(err.text, "to version 3"));
    wa_err_clear(&err);
    assert_int_equal(number(db, "SELECT MAX(version) FROM schema_version"), 2);
    assert_int_equal(number(db, "SELECT y FROM a"), 2);
    WA_ASSERT_CODE(wa_db_exec(db, "SELECT * FROM d", &err), WA_E_INTERNAL);
    WA_ASSERT_OK(wa_db_migrate(db, steps, 3, &err));
    assert_int_equal(number(db, "SELECT COUNT(*) FROM c"), 0);
    assert_int_equal(wa_db_migrate(db, steps, 2, &err), WA_E_CONFIG);
    assert_non_null(strstr(err.text, "newer than this program knows"));
    wa_err_clear(&err);
    WA_ASSERT_CODE(wa_db_migrate(db, gap, 2, &err), WA_E_INTERNAL);
}

/* Several programs start at once: each step is done once, and all of them go on. */
static void programs_migrate_once(void **state)
{
    enum { ROUNDS = 5, PROGRAMS = 4 };

    for (int round = 0; round < ROUNDS; round++) {
        char url[WA_PATH_MAX + 64], dir[WA_PATH_MAX];
        pid_t child[PROGRAMS];
        wa_test_tmpdir(dir);
        make_url(dir, url);
        for (int i = 0; i < PROGRAMS; i++) {
            child[i] = fork();
            if (child[i] == 0) {
                struct wa_db *db = NULL;
                struct wa_err err = WA_ERR_INIT;
                if (wa_db_open(url, &db, &err) != WA_OK ||
                    wa_db_migrate(db, steps, 3, &err) != WA_OK) {
                    (void)fprintf(stderr, "%s\n", err.text);
                    _exit(1);
                }
                wa_db_close(db);
                _exit(0);
            }
            assert_true(child[i] > 0);
        }
        for (int i = 0; i < PROGRAMS; i++) {
            int status = -1;
            assert_int_equal(waitpid(child[i], &status, 0), child[i]);
            assert_int_equal(status, 0);
        }
        WA_AUTO(wa_db) struct wa_db *db = open_url(url);
        assert_int_equal(number(db, "SELECT COUNT(*) FROM schema_version"), 3);
        assert_int_equal(number(db, "SELECT COUNT(*) FROM a"), 1);
        wa_test_tmpdir_remove(dir);
    }
    WA_UNUSED(state);
}

/* A connection that is lost says so, is rolled back, and stays lost. */
static void a_server_that_goes_away(void **state)
{
    WA_AUTO(wa_db) struct wa_db *db = fresh(*state);
    struct wa_err err = WA_ERR_INIT;
    must_exec(db, schema);

    WA_ASSERT_OK(wa_db_begin(db, &err));
    put(db, 1, "one");
    WA_ASSERT_CODE(wa_db_exec(db, "SELECT pg_terminate_backend(pg_backend_pid())", &err),
                   WA_E_UNREACHABLE);
    WA_ASSERT_CODE(wa_db_commit(db, &err), WA_E_CONFLICT);
    struct wa_stmt *s = must_prepare(db, "INSERT INTO t (id, name) VALUES (?, ?)");
    wa_bind_i64(s, 0, 2);
    WA_ASSERT_CODE(wa_run(s, &err), WA_E_UNREACHABLE);
    WA_AUTO(wa_db) struct wa_db *again = open_url(getenv("WA_TEST_PG_URL"));
    assert_int_equal(number(again, "SELECT COUNT(*) FROM t"), 0);
}

static void addresses(void **state)
{
    WA_UNUSED(state);
    struct wa_db *db = NULL;
    struct wa_err err = WA_ERR_INIT;
    static const char *const bad[] = {"",       "mysql://x", "/var/lib/x.db",
                                      "sqlite", "postgres",  "postgresql:/secret@x"};

    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        assert_int_equal(wa_db_open(bad[i], &db, &err), WA_E_CONFIG);
        assert_null(strstr(err.text, "secret"));
        wa_err_clear(&err);
    }
    assert_int_equal(wa_db_open("postgresql://u:secret@[broken/x", &db, &err), WA_E_CONFIG);
    assert_null(strstr(err.text, "secret"));
    wa_err_clear(&err);
    WA_ASSERT_CODE(wa_db_open("postgresql://u:secret@127.0.0.1:1/x?sslmode=disable", &db, &err),
                   WA_E_UNREACHABLE);
    assert_null(db);
    wa_db_close(NULL);
}

/* A connection that the database has closed is lost until it is opened anew. */
static void comes_back(void **state)
{
    WA_AUTO(wa_db) struct wa_db *db = fresh(*state);
    struct wa_err err = WA_ERR_INIT;
    struct wa_stmt *s = NULL;
    bool is_file = strcmp(wa_db_driver(db), "sqlite") == 0;
    must_exec(db, "CREATE TABLE kept (n BIGINT)");
    must_exec(db, "INSERT INTO kept VALUES (7)");
    assert_int_equal(number(db, "SELECT n FROM kept"), 7);
    assert_false(wa_db_is_lost(db));
    if (!is_file) {
        WA_ASSERT_OK(wa_db_begin(db, &err));
        assert_int_equal(wa_db_exec(db, "SELECT pg_terminate_backend(pg_backend_pid())", &err),
                         WA_E_UNREACHABLE);
        wa_err_clear(&err);
        assert_true(wa_db_is_lost(db));
        assert_int_equal(wa_db_prepare(db, "SELECT n + 1 FROM kept", &s, &err), WA_E_UNREACHABLE);
        wa_err_clear(&err);
        wa_db_rollback(db);
    }
    WA_ASSERT_OK(wa_db_reconnect(db, &err));
    assert_false(wa_db_is_lost(db));
    assert_int_equal(number(db, "SELECT n FROM kept"), 7);
    must_exec(db, "INSERT INTO kept VALUES (8)");
}

static void secret_addresses(void **state)
{
    static const struct {
        const char *url;
        bool is_secret;
    } cases[] = {{"sqlite:/x", false},
                 {"postgresql://u@h/d", false},
                 {"postgresql://u:p@h/d", true},
                 {"postgresql://u@h/d?password=p", true},
                 {"postgresql://u@h/d?passfile=/p", false},
                 {"postgresql://u@h/d?pasword=p", true}, /* mistyped */
                 {"mysql://u:p@h/d", false}};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        assert_int_equal(wa_db_url_is_secret(cases[i].url), cases[i].is_secret);
}

static void an_address_names_files(void **state)
{
    struct wa_db_files f;
    WA_UNUSED(state);
    wa_db_url_files("postgresql://u@h/d?passfile=/a/pass&sslrootcert=/b%20c&sslkey=relative", &f);
    assert_int_equal(f.n, 2);
    assert_string_equal(f.paths[0], "/a/pass");
    assert_string_equal(f.paths[1], "/b c");
    wa_db_url_files("postgresql://h/d", &f);
    assert_int_equal(f.n, 0);
    wa_db_url_files("postgresql://[broken", &f);
    assert_int_equal(f.n, 0);
    wa_db_url_files("sqlite:/x", &f);
    assert_int_equal(f.n, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, wa_test_tmpdir_setup, wa_test_tmpdir_teardown)
    const struct CMUnitTest tests[] = {
        TEST(values_come_back),
        TEST(blobs_as_values_to_compare),
        TEST(conflicts_have_names),
        TEST(bindings_stick_in_failure),
        TEST(statements_are_kept),
        TEST(transactions),
        TEST(groups),
        TEST(groups_that_are_lost),
        TEST(writers_take_turns),
        TEST(readers_write_nothing),
        TEST(migrations),
        TEST(programs_migrate_once),
        TEST(comes_back),
        cmocka_unit_test(secret_addresses),
        cmocka_unit_test(an_address_names_files),
        TEST(addresses),
    };
    const struct CMUnitTest of_a_server[] = {TEST(a_server_that_goes_away)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (getenv("WA_TEST_PG_URL") != NULL)
        failed += cmocka_run_group_tests(of_a_server, NULL, NULL);
    return failed;
}
