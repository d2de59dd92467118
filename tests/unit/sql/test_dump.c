/* dump: all rows of a database as lines, and back. With $WA_TEST_PG_URL on that PostgreSQL, else on
 * SQLite. */
#include "support.h"
#include "torture.h"

#include "sql/dump.h"

/* "child" comes before "parent", to which it refers. */
static const char schema[] =
    "CREATE TABLE parent (id BIGINT PRIMARY KEY, name TEXT);"
    "CREATE TABLE child (id TEXT PRIMARY KEY, of BIGINT NOT NULL REFERENCES parent (id), \"user\" "
    "TEXT NOT NULL, n BIGINT)";

static void dump(struct wa_db *db, struct wa_buf *out)
{
    struct wa_buf_sink sink;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_sink_init(&sink, out);
    WA_ASSERT_OK(wa_db_dump(db, &sink.base, &err));
    WA_ASSERT_OK(wa_buf_check(out, &err));
}

static enum wa_code load_lines(struct wa_db *db, struct wa_sv text, uint64_t *ret_rows,
                               struct wa_err *err)
{
    WA_AUTO(wa_db_load) struct wa_db_load *l = NULL;
    struct wa_sv line;
    if (wa_db_load_new(db, &l, err) != WA_OK)
        return err->code;
    while (wa_sv_split(&text, '\n', &line) && line.n > 0)
        if (wa_db_load_line(l, line, err) != WA_OK)
            return err->code;
    return wa_db_load_end(l, ret_rows, err);
}

/* Another database: the next file, or the schema that takes the place of the former. */
static struct wa_db *another(const char *dir, char url[WA_PATH_MAX + 64])
{
    struct wa_db *db;
    struct wa_err err = WA_ERR_INIT;
    if (getenv("WA_TEST_PG_URL") != NULL)
        (void)snprintf(url, WA_PATH_MAX + 64, "%s", getenv("WA_TEST_PG_URL"));
    else
        (void)snprintf(url, WA_PATH_MAX + 64, "sqlite:%s/other.db", dir);
    db = open_url(url);
    WA_ASSERT_OK(wa_db_replace_begin(db, &err));
    must_exec(db, schema);
    return db;
}

static void fill(struct wa_db *db, size_t large)
{
    struct wa_err err = WA_ERR_INIT;
    char *text = malloc(2 * large + 1);
    struct wa_stmt *s;
    assert_non_null(text);
    must_exec(db, "INSERT INTO parent (id, name) VALUES (-9223372036854775807, NULL), (7, ''), (8, "
                  "'\"quoted\", \\ and ''more''')");
    for (size_t i = 0; i < large; i++)
        memcpy(text + 2 * i, "\xc3\xa9", 2); /* a part must not end within a letter */
    text[0] = text[1] = '{';
    s = must_prepare(db, "INSERT INTO child (id, of, \"user\", n) VALUES (?, 7, ?, NULL)");
    wa_bind_s(s, 0, "large");
    wa_bind_sv(s, 1, wa_sv_n(text, 2 * large));
    WA_ASSERT_OK(wa_run(s, &err));
    for (int i = 0; i < 120; i++) { /* more than one piece of a cursor */
        char id[16];
        (void)snprintf(id, sizeof id, "c%d", i);
        wa_bind_s(s, 0, id);
        wa_bind_s(s, 1, "line\nbreak\ttab \x01");
        WA_ASSERT_OK(wa_run(s, &err));
    }
    free(text);
}

static void comes_back(void **state)
{
    char url[WA_PATH_MAX + 64];
    WA_AUTO(wa_db) struct wa_db *db = fresh(*state);
    struct wa_buf first, again;
    struct wa_err err = WA_ERR_INIT;
    uint64_t rows = 0;
    wa_buf_init(&first, 64u << 20);
    wa_buf_init(&again, 64u << 20);
    must_exec(db, schema);
    fill(db, (3u << 19) + 1);
    dump(db, &first);
    assert_non_null(strstr(wa_buf_str(&first), "{\"parts\":4}"));

    struct wa_db *other = another(*state, url);
    WA_ASSERT_OK(wa_db_begin(other, &err));
    WA_ASSERT_OK(load_lines(other, wa_buf_sv(&first), &rows, &err));
    assert_int_equal(rows, 124);
    WA_ASSERT_OK(wa_db_commit(other, &err));
    WA_ASSERT_OK(wa_db_replace_finish(other, &err));
    wa_db_close(other);
    other = open_url(url);
    dump(other, &again);
    wa_db_close(other);
    assert_int_equal(first.n, again.n);
    assert_memory_equal(first.p, again.p, first.n);
    wa_buf_fini(&first);
    wa_buf_fini(&again);
}

struct writing {
    struct wa_sink base;
    struct wa_db *db;
    struct wa_buf *out;
    bool has_written;
};

static enum wa_code write_meanwhile(struct wa_sink *s, const void *p, size_t n, struct wa_err *err)
{
    struct writing *w = (struct writing *)(void *)s;
    if (!w->has_written)
        must_exec(w->db, "INSERT INTO parent (id, name) VALUES (2, 'two');"
                         "INSERT INTO child (id, of, \"user\") VALUES ('c', 2, 'u')");
    w->has_written = true;
    wa_buf_add(w->out, p, n);
    return wa_buf_check(w->out, err);
}

/* What others write while it is read is not in it, nor is anybody kept waiting. */
static void of_one_moment(void **state)
{
    char url[WA_PATH_MAX + 64];
    struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    make_url(*state, url);
    WA_AUTO(wa_db) struct wa_db *db = open_url(url);
    WA_AUTO(wa_db) struct wa_db *writer = open_url(url);
    struct writing w = {{write_meanwhile, NULL}, writer, &out, false};
    wa_buf_init(&out, 1u << 20);
    must_exec(db, schema);
    must_exec(db, "INSERT INTO parent (id, name) VALUES (1, 'one')");
    WA_ASSERT_OK(wa_db_dump(db, &w.base, &err));
    assert_non_null(strstr(wa_buf_str(&out), "one"));
    assert_null(strstr(wa_buf_str(&out), "two"));
    assert_null(strstr(wa_buf_str(&out), "\"c\""));
    assert_int_equal(number(db, "SELECT count(*) FROM parent"), 2); /* nothing is held open */
    wa_buf_fini(&out);
}

static void what_is_no_dump_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "[1,2]\n",
        "{\"rows\":0}\n{\"rows\":0}\n",
        "{\"rows\":1}\n",
        "{\"table\":\"none\",\"columns\":[\"id\"]}\n",
        "{\"table\":\"parent\",\"columns\":[]}\n",
        "{\"table\":\"parent\",\"columns\":[\"id) VALUES (1); DROP TABLE child; --\"]}\n",
        "{\"table\":\"parent\",\"columns\":[\"id\",\"name\"]}\n[1]\n",
        "{\"table\":\"parent\",\"columns\":[\"id\",\"name\"]}\n[\"x\",\"y\"]\n",
        "{\"table\":\"parent\",\"columns\":[\"id\",\"name\"]}\n[1,[\"y\"]]\n",
        "{\"table\":\"parent\",\"columns\":[\"id\",\"name\"]}\n[1,{\"parts\":0}]\n",
        "{\"table\":\"parent\",\"columns\":[\"id\",\"name\"]}\n[1,{\"parts\":1}]\n{\"rows\":1}\n",
        "{\"table\":\"parent\",\"columns\":[\"id\",\"name\"]}\n[1,\"y\"]\n{\"rows\":2}\n",
        "{\"table\":\"schema_version\",\"columns\":[\"version\"]}\n[9]\n{\"rows\":1}\n",
    };
    WA_AUTO(wa_db) struct wa_db *db = fresh(*state);
    must_exec(db, schema);
    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        struct wa_err err = WA_ERR_INIT;
        uint64_t rows = 0;
        WA_ASSERT_OK(wa_db_begin(db, &err));
        if (load_lines(db, wa_sv(bad[i]), &rows, &err) != WA_E_INVALID)
            fail_msg("taken, or otherwise refused: %s (%s)", bad[i], err.text);
        wa_db_rollback(db);
    }
    assert_int_equal(number(db, "SELECT count(*) FROM parent"), 0);
}

static enum wa_code both_ways(void *arg, struct wa_err *err)
{
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    WA_AUTO_BUF struct wa_buf out;
    struct wa_buf_sink sink;
    uint64_t rows = 0;
    wa_buf_init(&out, 1u << 20);
    wa_buf_sink_init(&sink, &out);
    if (wa_db_open(arg, &db, err) != WA_OK || wa_db_dump(db, &sink.base, err) != WA_OK ||
        wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (wa_db_exec(db, "DELETE FROM child; DELETE FROM parent", err) == WA_OK)
        (void)load_lines(db, wa_buf_sv(&out), &rows, err);
    wa_db_rollback(db);
    return err->code;
}

static void memory_runs_out(void **state)
{
    char url[WA_PATH_MAX + 64];
    make_url(*state, url);
    WA_AUTO(wa_db) struct wa_db *db = open_url(url);
    must_exec(db, schema);
    must_exec(db, "INSERT INTO parent (id, name) VALUES (1, 'one')");
    must_exec(db, "INSERT INTO child (id, of, \"user\", n) VALUES ('c', 1, 'u', 5)");
    assert_true(wa_torture(both_ways, url) > 5);
    assert_int_equal(number(db, "SELECT count(*) FROM child"), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, wa_test_tmpdir_setup, wa_test_tmpdir_teardown)
    const struct CMUnitTest tests[] = {TEST(comes_back), TEST(of_one_moment),
                                       TEST(what_is_no_dump_is_refused), TEST(memory_runs_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
