/* Each allocation fails in turn - ours, SQLite's - and the function says so, leaks nothing and
 * changes nothing. */
#include "support.h"
#include "torture.h"

#include <sqlite3.h>

static const struct wa_migration steps[] = {{1, "CREATE TABLE t (x TEXT, b BYTEA)"},
                                            {2, "CREATE INDEX i ON t (x)"}};

struct run {
    char url[WA_PATH_MAX + 64];
};

static enum wa_code insert(struct wa_db *db, struct wa_err *err)
{
    struct wa_stmt *s = NULL;

    if (wa_db_prepare(db, "INSERT INTO t (x, b) VALUES (?, ?)", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, "some text that is not short enough to be kept anywhere else");
    wa_bind_blob(s, 1, WA_SV("\0\1\2"));
    return wa_run(s, err);
}

static enum wa_code read_back(struct wa_db *db, struct wa_err *err)
{
    struct wa_stmt *s = NULL;
    bool has_row = false;

    if (wa_db_prepare(db, "SELECT x, b FROM t ORDER BY x LIMIT 3", &s, err) != WA_OK)
        return err->code;
    while (wa_step(s, &has_row, err) == WA_OK && has_row)
        assert_int_equal(wa_col_sv(s, 1).n, 3);
    return err->code;
}

/* Opens, migrates, inserts two rows in a transaction, reads. */
static enum wa_code use(void *arg, struct wa_err *err)
{
    const struct run *r = arg;
    WA_AUTO(wa_db) struct wa_db *db = NULL;

    if (wa_db_open(r->url, &db, err) != WA_OK || wa_db_migrate(db, steps, 2, err) != WA_OK ||
        wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (insert(db, err) != WA_OK || insert(db, err) != WA_OK || read_back(db, err) != WA_OK) {
        wa_db_rollback(db);
        return err->code;
    }
    return wa_db_commit(db, err);
}

static void our_allocations(void **state)
{
    struct run r;
    make_url(*state, r.url);
    print_message("%zu allocations\n", wa_torture(use, &r));
}

/* --- SQLite's own --- */

static sqlite3_mem_methods real;
static long countdown = -1;
static bool has_failed;

static bool must_fail(void)
{
    if (countdown < 0 || countdown-- > 0)
        return false;
    countdown = -1;
    has_failed = true;
    return true;
}

static void *failing_malloc(int n)
{
    return must_fail() ? NULL : real.xMalloc(n);
}

static void *failing_realloc(void *p, int n)
{
    return must_fail() ? NULL : real.xRealloc(p, n);
}

static int64_t count_rows(const char *url)
{
    WA_AUTO(wa_db) struct wa_db *db = open_url(url);
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_db_migrate(db, steps, 2, &err));
    return number(db, "SELECT COUNT(*) FROM t");
}

static void sqlite_allocations(void **state)
{
    struct run r;
    int64_t rows = 0;
    make_url(*state, r.url);

    for (long n = 0;; n++) {
        struct wa_err err = WA_ERR_INIT;
        has_failed = false;
        countdown = n;
        enum wa_code code = use(&r, &err);
        countdown = -1;
        if (code != err.code || (code != WA_OK && code != WA_E_NOMEM))
            fail_msg("allocation %ld: %s: %s", n, wa_code_name(code), err.text);
        int64_t now = count_rows(r.url);
        if (now != rows + (code == WA_OK ? 2 : 0))
            fail_msg("allocation %ld: %s, and %lld rows after %lld", n, wa_code_name(code),
                     (long long)now, (long long)rows);
        rows = now;
        if (!has_failed) {
            assert_int_equal(code, WA_OK);
            print_message("%ld allocations of SQLite\n", n);
            return;
        }
    }
}

int main(void)
{
    sqlite3_mem_methods failing;
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) != SQLITE_OK)
        return 1;
    failing = real;
    failing.xMalloc = failing_malloc;
    failing.xRealloc = failing_realloc;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK)
        return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        our_allocations, wa_test_tmpdir_setup, wa_test_tmpdir_teardown)};
    const struct CMUnitTest of_sqlite[] = {cmocka_unit_test_setup_teardown(
        sqlite_allocations, wa_test_tmpdir_setup, wa_test_tmpdir_teardown)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (getenv("WA_TEST_PG_URL") == NULL)
        failed += cmocka_run_group_tests(of_sqlite, NULL, NULL);
    return failed;
}
