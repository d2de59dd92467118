/* SQLite: how it is set, a full disk, damaged files. */
#include "support.h"

#include "os/fs.h"

static void make_path(char out[WA_PATH_MAX + 64], const char *dir, const char *name)
{
    (void)snprintf(out, WA_PATH_MAX + 64, "%s/%s", dir, name);
}

static struct wa_db *open_in(const char *dir, const char *name)
{
    char url[WA_PATH_MAX + 64];
    (void)snprintf(url, sizeof url, "sqlite:%s/%s", dir, name);
    return open_url(url);
}

static enum wa_code try_open(const char *dir, const char *name, struct wa_err *err)
{
    char url[WA_PATH_MAX + 64];
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    (void)snprintf(url, sizeof url, "sqlite:%s/%s", dir, name);
    return wa_db_open(url, &db, err);
}

static void how_it_is_set(void **state)
{
    WA_AUTO(wa_db) struct wa_db *db = open_in(*state, "x.db");
    struct wa_err err = WA_ERR_INIT;
    bool has_row = false;

    assert_string_equal(wa_db_driver(db), "sqlite");
    struct wa_stmt *s = must_prepare(db, "PRAGMA journal_mode");
    WA_ASSERT_OK(wa_step(s, &has_row, &err));
    WA_ASSERT_SV(wa_col_sv(s, 0), "wal");
    wa_reset(s);
    assert_int_equal(number(db, "PRAGMA synchronous"), 2); /* FULL */
    assert_int_equal(number(db, "PRAGMA foreign_keys"), 1);
    assert_int_equal(number(db, "PRAGMA trusted_schema"), 0);
    assert_int_equal(number(db, "PRAGMA busy_timeout"), 5000);
    /* no way out of this file, nor into its schema */
    WA_ASSERT_CODE(wa_db_exec(db, "ATTACH DATABASE ':memory:' AS other", &err), WA_E_INTERNAL);
    WA_ASSERT_CODE(wa_db_exec(db, "SELECT load_extension('x')", &err), WA_E_INTERNAL);
    must_exec(db, "PRAGMA writable_schema = ON");
    WA_ASSERT_CODE(wa_db_exec(db, "DELETE FROM sqlite_schema", &err), WA_E_INTERNAL);
    /* a string is not a column that does not exist, nor the reverse */
    WA_ASSERT_CODE(wa_db_exec(db, "SELECT \"no such column\"", &err), WA_E_INTERNAL);
}

static void a_full_disk(void **state)
{
    WA_AUTO(wa_db) struct wa_db *db = open_in(*state, "x.db");
    struct wa_err err = WA_ERR_INIT;
    static char text[100000];
    memset(text, 'x', sizeof text - 1);
    must_exec(db, "CREATE TABLE t (x); INSERT INTO t VALUES (1); PRAGMA max_page_count = 10");

    WA_ASSERT_OK(wa_db_begin(db, &err));
    must_exec(db, "INSERT INTO t VALUES (2)");
    struct wa_stmt *s = must_prepare(db, "INSERT INTO t VALUES (?)");
    wa_bind_s(s, 0, text);
    WA_ASSERT_CODE(wa_run(s, &err), WA_E_NO_SPACE);
    wa_db_rollback(db);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM t"), 1);
    must_exec(db, "PRAGMA max_page_count = 1000");
    wa_bind_s(s, 0, text);
    WA_ASSERT_OK(wa_run(s, &err)); /* it goes on when there is room again */
}

static void large_values_have_a_bound(void **state)
{
    WA_AUTO(wa_db) struct wa_db *db = open_in(*state, "x.db");
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_STR char *text = wa_calloc(1, (64u << 20) + 1);
    must_exec(db, "CREATE TABLE t (x)");

    struct wa_stmt *s = must_prepare(db, "INSERT INTO t VALUES (?)");
    wa_bind_blob(s, 0, wa_sv_n(text, (64u << 20) + 1));
    WA_ASSERT_CODE(wa_run(s, &err), WA_E_LIMIT);
}

static void what_is_no_database(void **state)
{
    const char *dir = *state;
    char path[WA_PATH_MAX + 64];
    struct wa_err err = WA_ERR_INIT;
    static char noise[8192];

    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 31 + 7);
    make_path(path, dir, "noise.db");
    WA_ASSERT_OK(wa_path_replace(path, wa_sv_n(noise, sizeof noise), 0600, &err));
    assert_int_equal(try_open(dir, "noise.db", &err), WA_E_INVALID);
    assert_non_null(strstr(err.text, "noise.db"));
    wa_err_clear(&err);
    /* an empty file is a new database */
    make_path(path, dir, "empty.db");
    WA_ASSERT_OK(wa_path_replace(path, WA_SV(""), 0600, &err));
    WA_ASSERT_OK(try_open(dir, "empty.db", &err));
}

/* Pages overwritten anywhere: an error or an answer, nothing worse. */
static void damaged_pages(void **state)
{
    const char *dir = *state;
    char path[WA_PATH_MAX + 64], url[WA_PATH_MAX + 80];
    WA_AUTO_BUF struct wa_buf whole;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&whole, 1u << 20);
    {
        WA_AUTO(wa_db) struct wa_db *db = open_in(dir, "x.db");
        must_exec(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT); CREATE INDEX i ON t (x)");
        for (int i = 0; i < 500; i++)
            must_exec(db, "INSERT INTO t (x) VALUES (hex(randomblob(20)))");
    }
    make_path(path, dir, "x.db");
    (void)snprintf(url, sizeof url, "sqlite:%s", path);
    WA_ASSERT_OK(wa_path_read(path, 1u << 20, &whole, &err));
    size_t failed = 0;
    for (size_t at = 100; at < whole.n; at += 1024) {
        char *p = whole.p + at, kept[64];
        memcpy(kept, p, sizeof kept);
        memset(p, 0xff, sizeof kept);
        WA_ASSERT_OK(wa_path_replace(path, wa_buf_sv(&whole), 0600, &err));
        memcpy(p, kept, sizeof kept);
        struct wa_db *db = NULL;
        struct wa_stmt *s = NULL;
        enum wa_code code = wa_db_open(url, &db, &err);
        if (code == WA_OK)
            code = wa_db_prepare(db, "SELECT x FROM t ORDER BY x", &s, &err);
        if (code == WA_OK)
            code = wa_run(s, &err);
        failed += code == WA_OK ? 0 : 1;
        /* a length beyond all reason is "out of memory" or "too big" */
        if (code != WA_OK && code != WA_E_INVALID && code != WA_E_INTERNAL && code != WA_E_NOMEM &&
            code != WA_E_LIMIT)
            fail_msg("damage at %zu: %s: %s", at, wa_code_name(code), err.text);
        wa_err_clear(&err);
        wa_db_close(db);
    }
    assert_true(failed > 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, wa_test_tmpdir_setup, wa_test_tmpdir_teardown)
    const struct CMUnitTest tests[] = {
        TEST(how_it_is_set),       TEST(a_full_disk),   TEST(large_values_have_a_bound),
        TEST(what_is_no_database), TEST(damaged_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
