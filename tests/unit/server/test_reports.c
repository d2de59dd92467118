/* test_reports.c - reports: saved, run, cut to whom one sees; and what they can't be made to do, on
 * both databases. */
#include "bench.h"

#include <stdio.h>

#include "base/mem.h"
#include "os/clock.h"
#include "server/report.h"

struct place {
    struct bench b;
    struct machine m[3]; /* "a", "b" and "c" */
    char admin[65], limited[65], reader[65];
    struct wa_buf out;
};

/* The reports' role of a PostgreSQL, as docs/reports.md makes it. */
static void make_role(struct place *p)
{
    const char *url = getenv("WA_TEST_PG_URL"), *end;
    char text[512];
    struct wa_err err = WA_ERR_INIT;
    size_t count = 0;
    bool has_role = false, is_there = false;
    struct wa_stmt *s;
    const struct wa_foreign_view *views = wa_report_views(&count);
    if (url == NULL) {
        WA_ASSERT_OK(wa_foreign_publish(p->b.store->db, views, count, &has_role, &err));
        assert_false(has_role);
        return;
    }
    WA_ASSERT_OK(wa_db_prepare(p->b.store->db,
                               "SELECT 1 FROM pg_roles WHERE rolname = 'wapt_report'", &s, &err));
    WA_ASSERT_OK(wa_step(s, &is_there, &err));
    wa_reset(s);
    if (!is_there)
        bench_exec(&p->b, "CREATE ROLE wapt_report LOGIN");
    bench_exec(&p->b, "DROP SCHEMA IF EXISTS " WA_FOREIGN_SCHEMA " CASCADE");
    for (int i = 0; i < 2; i++) /* the second time they are there */
        WA_ASSERT_OK(wa_foreign_publish(p->b.store->db, views, count, &has_role, &err));
    assert_true(has_role);
    end = strstr(url, "user=postgres");
    assert_non_null(end);
    (void)snprintf(text, sizeof text, "%.*suser=wapt_report", (int)(end - url), url);
    wa_free(p->b.store->child.config.report_database);
    p->b.store->child.config.report_database = NULL;
    WA_ASSERT_OK(wa_sv_dup(wa_sv(text), &p->b.store->child.config.report_database, &err));
}

static void say(struct place *p, struct machine *m)
{
    struct wa_buf body;
    char text[1024];
    (void)snprintf(
        text, sizeof text,
        "{\"purpose\":\"wapt-status\",\"uuid\":\"%s\",\"seq\":%lld,\"time\":%lld,\"host_info\":{"
        "\"computer_name\":\"pc-%s\",\"system_manufacturer\":\"Dell\"},\"installed_softwares\":[{"
        "\"name\":\"Firefox (x64 %s)\",\"version\":\"1.10\"}],\"installed_packages\":[{"
        "\"package\":\"tis-a\",\"version\":\"1\",\"install_status\":\"OK\",\"last_audit_status\":"
        "\"WARNING\"}]}",
        m->uuid, (long long)++m->seq, (long long)wa_clock_now(), m->uuid, m->uuid);
    machine_seal(m, wa_sv(text), &body);
    assert_int_equal(bench_ask(&p->b, "POST", "/agent/v1/report", "", "", wa_buf_sv(&body), NULL),
                     200);
    wa_buf_fini(&body);
}

static int setup(void **state)
{
    static const char *const uuids[] = {"a", "b", "c"};
    struct place *p = calloc(1, sizeof *p);
    struct wa_err err = WA_ERR_INIT;
    assert_non_null(p);
    wa_buf_init(&p->out, 4u << 20);
    bench_new(&p->b);
    make_role(p);
    bench_token(&p->b, "t", INT64_MAX, 10);
    for (size_t i = 0; i < 3; i++) {
        machine_new(&p->m[i], uuids[i]);
        assert_int_equal(machine_register(&p->b, &p->m[i], WA_CRED_TOKEN, "t"), 200);
        say(p, &p->m[i]);
    }
    assert_int_equal(bench_login(&p->b, "10.0.0.1", "admin", BENCH_PASSWORD, p->admin), 200);
    WA_ASSERT_OK(wa_store_set_user(p->b.store->db, "limited", "H", "deployer", &err));
    WA_ASSERT_OK(wa_store_set_user(p->b.store->db, "reader", "H", "readonly", &err));
    WA_ASSERT_OK(
        wa_store_set_perimeter(p->b.store->db, "limited", "{\"groups\":[\"sales\"]}", &err));
    WA_ASSERT_OK(wa_store_set_names(p->b.store->db, WA_SV("b"), WA_SV("sales"), &err));
    WA_ASSERT_OK(wa_store_show_names(p->b.store->db, WA_SV("b"), p->b.store->fleet, &err));
    assert_int_equal(bench_login(&p->b, "10.0.0.1", "limited", BENCH_PASSWORD, p->limited), 200);
    assert_int_equal(bench_login(&p->b, "10.0.0.1", "reader", BENCH_PASSWORD, p->reader), 200);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    for (size_t i = 0; i < 3; i++)
        machine_free(&p->m[i]);
    bench_free(&p->b);
    wa_buf_fini(&p->out);
    free(p);
    return 0;
}

static int try_query(struct place *p, const char *token, const char *sql, const char *params)
{
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf body;
    wa_buf_init(&body, 1u << 20);
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "query", sql);
    wa_jw_end(&w);
    return bench_ask(&p->b, "POST", "/api/v1/report-rows", params, token, wa_buf_sv(&body),
                     &p->out);
}

static void test_what_people_ask(void **state)
{
    static const struct {
        const char *sql, *all, *limited; /* the rows */
    } cases[] = {
        {"SELECT uuid, name FROM hosts ORDER BY uuid",
         "[[\"a\",\"pc-a\"],[\"b\",\"pc-b\"],[\"c\",\"pc-c\"]]", "[[\"b\",\"pc-b\"]]"},
        {"SELECT count(*) AS n FROM hosts", "[[3]]", "[[1]]"},
        {"select manufacturer, COUNT(*) n FROM hosts GROUP BY manufacturer HAVING count(*) > 0",
         "[[\"Dell\",3]]", "[[\"Dell\",1]]"},
        {"WITH x AS (SELECT host, package FROM packages) SELECT host FROM x WHERE package IN "
         "('tis-a') ORDER BY 1 LIMIT 1",
         "[[\"pc-a\"]]", "[[\"pc-b\"]]"},
        {"SELECT h.name FROM hosts h WHERE EXISTS (SELECT 1 FROM audits a WHERE a.uuid = h.uuid "
         "AND a.audit = 'WARNING') ORDER BY h.name DESC",
         "[[\"pc-c\"],[\"pc-b\"],[\"pc-a\"]]", "[[\"pc-b\"]]"},
        {"SELECT DISTINCT version, 'it''s (a; -- \"quote\")' AS q FROM software",
         "[[\"1.10\",\"it's (a; -- \\\"quote\\\")\"]]",
         "[[\"1.10\",\"it's (a; -- \\\"quote\\\")\"]]"},
        {"SELECT event, lower(package) FROM history WHERE event <> 'audited' AND host LIKE 'pc-%' "
         "ORDER BY uuid LIMIT 1",
         "[[\"installed\",\"tis-a\"]]", "[[\"installed\",\"tis-a\"]]"},
        {"SELECT COUNT(*) FROM actions", "[[0]]", "[[0]]"},
        {"SELECT COUNT(*) FROM packages", "[[3]]", "[[1]]"},
        {"SELECT COUNT(*) FROM software", "[[3]]", "[[1]]"},
        {"SELECT COUNT(*) FROM audits", "[[3]]", "[[1]]"},
        {"SELECT COUNT(*) FROM history", "[[6]]", "[[2]]"},
        {"SELECT 1 AS one FROM hosts, hosts b", "[[1],[1],[1],[1],[1],[1],[1],[1],[1]]", "[[1]]"},
        {"SELECT 1 AS one WHERE EXISTS (SELECT 1 FROM audits)", "[[1]]", "[[1]]"},
        {"SELECT COUNT(*) FROM (SELECT 1 FROM hosts UNION ALL SELECT 2 FROM software) x", "[[6]]",
         "[[2]]"},
        {"SELECT CASE WHEN 1 = 1 THEN NULL ELSE 'x' END AS c", "[[null]]", "[[null]]"},
        {"SELECT name, ROW_NUMBER() OVER (ORDER BY name) FROM hosts ORDER BY name LIMIT 1",
         "[[\"pc-a\",1]]", "[[\"pc-b\",1]]"},
        {"WITH hosts AS (SELECT name FROM packages, (SELECT 'x' AS name) y LIMIT 1) SELECT name "
         "FROM hosts",
         "[[\"x\"]]", "[[\"x\"]]"},
    };
    struct place *p = *state;
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        for (int k = 0; k < 2; k++) {
            char expected[512];
            int status = try_query(p, k == 0 ? p->admin : p->limited, cases[i].sql, "");
            (void)snprintf(expected, sizeof expected, "\"rows\":%s,\"is_cut\":false}",
                           k == 0 ? cases[i].all : cases[i].limited);
            if (status != 200 || strstr(wa_buf_str(&p->out), expected) == NULL)
                fail_msg("%s: %d %s", cases[i].sql, status, wa_buf_str(&p->out));
        }
}

/* Views that another version has made, for another server over this database: they are no reason to
 * refuse the role, and go when nobody can need them. */
static void test_views_of_other_versions(void **state)
{
    struct place *p = *state;
    struct wa_db *db = p->b.store->db;
    struct wa_err err = WA_ERR_INIT;
    size_t count = 0;
    bool is_one = false;
    if (getenv("WA_TEST_PG_URL") == NULL) {
        WA_ASSERT_OK(wa_foreign_drop_former(db, &count, &err));
        assert_int_equal(count, 0);
        return;
    }
    static const char *const others[] = {"wapt_reports_1", "wapt_reports_2", "wapt_reports_99999",
                                         "wapt_reports_old"};
    for (size_t i = 0; i < WA_COUNT(others); i++) {
        char sql[512];
        (void)snprintf(sql, sizeof sql,
                       "DROP SCHEMA IF EXISTS %s CASCADE; CREATE SCHEMA %s; CREATE VIEW %s.hosts "
                       "AS SELECT uuid FROM hosts; CREATE VIEW %s.\"of it\" AS SELECT * FROM "
                       "%s.hosts",
                       others[i], others[i], others[i], others[i], others[i]);
        WA_ASSERT_OK(wa_db_exec(db, sql, &err));
    }
    bench_exec(&p->b, "GRANT USAGE ON SCHEMA wapt_reports_2 TO wapt_report; GRANT SELECT ON ALL "
                      "TABLES IN SCHEMA wapt_reports_2 TO wapt_report");
    assert_int_equal(try_query(p, p->admin, "SELECT uuid FROM hosts", ""), 200);
    /* One of another version has not stopped. */
    bench_exec(&p->b, "INSERT INTO nodes (name, boot, beat, leads, started, version) VALUES "
                      "('old', 'b', 1, 0, 1, '0.0.1')");
    WA_ASSERT_OK(wa_node_is_one_version(p->b.store, &is_one, &err));
    assert_false(is_one);
    bench_exec(&p->b, "DELETE FROM nodes WHERE name = 'old'");
    WA_ASSERT_OK(wa_node_is_one_version(p->b.store, &is_one, &err));
    assert_true(is_one);
    /* Somebody's own view needs one: all stay. */
    bench_exec(&p->b, "CREATE VIEW somebodys AS SELECT * FROM wapt_reports_2.hosts");
    WA_ASSERT_OK(wa_db_begin(db, &err));
    assert_true(wa_foreign_drop_former(db, &count, &err) != WA_OK);
    wa_err_clear(&err);
    wa_db_rollback(db);
    BENCH_IS(&p->b,
             "SELECT count(*) FROM pg_namespace WHERE nspname IN ('wapt_reports_1', "
             "'wapt_reports_2')",
             "2");
    bench_exec(&p->b, "DROP VIEW somebodys");
    WA_ASSERT_OK(wa_db_begin(db, &err));
    WA_ASSERT_OK(wa_foreign_drop_former(db, &count, &err));
    WA_ASSERT_OK(wa_db_commit(db, &err));
    assert_int_equal(count, 2);
    BENCH_IS(&p->b,
             "SELECT string_agg(nspname, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname "
             "LIKE 'wapt_reports%'",
             WA_FOREIGN_SCHEMA ",wapt_reports_99999,wapt_reports_old");
    assert_int_equal(try_query(p, p->admin, "SELECT uuid FROM hosts", ""), 200);
    bench_exec(&p->b,
               "DROP SCHEMA wapt_reports_99999 CASCADE; DROP SCHEMA wapt_reports_old CASCADE");
}

static void test_hostile(void **state)
{
    struct place *p = *state;
    char line[1024];
    size_t count = 0;
    FILE *f = fopen(HOSTILE_REPORTS, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        char *sql = strstr(line, " | ");
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || sql == NULL)
            continue;
        for (int k = 0; k < 2; k++) {
            int status = try_query(p, k == 0 ? p->admin : p->limited, sql + 3, "");
            if (status != 400 && status != 413)
                fail_msg("%s: %d %s", line, status, wa_buf_str(&p->out));
        }
        count++;
    }
    (void)fclose(f);
    assert_true(count > 100);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM hosts", "3");
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM report_scopes", "0");
}

/* What must never be saved or run is refused by the text alone. What follows passes it, so that the
 * databases' own walls show: they are asked without it. */
static bool take_row(void *user, const struct wa_foreign_cell *cells, size_t count)
{
    WA_UNUSED(cells);
    WA_UNUSED(count);
    *(size_t *)user += 1;
    return true;
}

static void take_columns(void *user, const char *const *names, size_t count)
{
    WA_UNUSED(user);
    WA_UNUSED(names);
    WA_UNUSED(count);
}

static void test_the_database_refuses_by_itself(void **state)
{
    static const char *const texts[] = {
        "SELECT hash FROM users",
        "WITH hosts AS (SELECT * FROM users) SELECT * FROM hosts",
        "WITH packages AS (SELECT hash FROM users) SELECT hash FROM packages",
        "SELECT certificate FROM main.hosts",
        "SELECT certificate FROM public.hosts",
        "SELECT count(*) FROM main.hosts",
        "SELECT count(*) FROM public.hosts",
        "SELECT count(*) FROM users",
        "SELECT count(*) FROM main.actions, hosts",
        "SELECT * FROM report_scopes",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM pg_shadow",
        "SELECT * FROM pragma_table_list",
        "SELECT * FROM pragma_table_info('users')",
        "SELECT load_extension('x')",
        "SELECT * FROM json_each('[1]')",
        "SELECT pg_read_file('/etc/passwd')",
        "INSERT INTO hosts (uuid) VALUES ('x')",
        "INSERT INTO temp.hosts (uuid) VALUES ('x')",
        "DELETE FROM users",
        "WITH d AS (DELETE FROM public.hosts RETURNING uuid) SELECT * FROM d",
        "ATTACH '/tmp/x' AS x",
        "PRAGMA query_only = 0",
        "CREATE TEMP VIEW v AS SELECT 1",
        "SELECT 1; SELECT 2",
        "VACUUM INTO '/tmp/stolen'",
        "COPY public.hosts TO '/tmp/x'",
    };
    struct place *p = *state;
    struct wa_foreign f = {.max_ms = 1000, .max_rows = 10, .max_bytes = 1000};
    char url[WA_STORE_URL];
    bool is_sqlite = strcmp(wa_db_driver(p->b.store->db), "sqlite") == 0;
    struct wa_err err = WA_ERR_INIT;
    f.views = wa_report_views(&f.view_count);
    f.url = url;
    wa_store_url(p->b.dir, is_sqlite ? "" : p->b.store->child.config.report_database, url);
    WA_ASSERT_OK(wa_store_add_scope(p->b.store->db, "all", WA_SV("*"), 0, &err));
    for (size_t i = 0; i < WA_COUNT(texts); i++) {
        wa_err_clear(&err);
        size_t rows = 0;
        bool is_cut = false;
        const struct wa_foreign_sink sink = {take_columns, take_row, &rows};
        enum wa_code code = is_sqlite
                                ? wa_foreign_run_sqlite(&f, NULL, texts[i], &sink, &is_cut, &err)
                                : wa_foreign_run_pgsql(&f, "all", texts[i], &sink, &is_cut, &err);
        if (code == WA_OK || rows > 0)
            fail_msg("%s: %zu rows", texts[i], rows);
    }
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM hosts", "3");
}

/* With the sanitizers what is SQLite's own work, which they do not watch, is left to the others. */
#ifdef __SANITIZE_ADDRESS__
#define IS_WATCHED true
#else
#define IS_WATCHED false
#endif

/* Looking for half of a long text in all of it, and not finding it, as often as there are columns.
 */
static void slow_steps(struct place *p)
{
    WA_AUTO_BUF struct wa_buf sql;
    char many[251], thousand[1001];
    wa_buf_init(&sql, WA_FOREIGN_TEXT_MAX);
    memset(many, 'a', sizeof many - 1);
    memset(thousand, 'a', sizeof thousand - 1);
    many[sizeof many - 1] = thousand[sizeof thousand - 1] = '\0';
    wa_buf_addf(&sql,
                "WITH v AS (SELECT replace('%s', 'a', '%s') AS x, replace('%s', 'a', '%.125s') "
                "AS y) SELECT 1",
                thousand, many, thousand, many);
    for (int i = 0; i < 98; i++)
        wa_buf_addf(&sql, ", instr(x, y || '%d')", i);
    wa_buf_adds(&sql, " FROM v");
    assert_int_equal(try_query(p, p->admin, wa_buf_str(&sql), ""), 413);
    assert_non_null(strstr(wa_buf_str(&p->out), "takes longer than"));
}

static void test_limits(void **state)
{
    static const char endless[] =
        "SELECT count(*) FROM software a, software b, software c, software d, software e, software "
        "f, software g, software h, software i, software j, software k, software l, software m, "
        "software n, software o, software p, software q, software r WHERE a.name || r.name = 'x'";
    static const char wide[] =
        "WITH a AS (SELECT 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' AS t), b AS (SELECT t || t || t || t "
        "|| t || t || t || t AS t FROM a), c AS (SELECT t || t || t || t || t || t || t || t AS t "
        "FROM b), d AS (SELECT t || t || t || t || t || t || t || t AS t FROM c), e AS (SELECT t "
        "|| t || t || t || t || t || t || t AS t FROM d) SELECT t || t || t || t || t || t || t || "
        "t || t || t FROM e";
    struct place *p = *state;
    assert_int_equal(try_query(p, p->admin, endless, ""), 413);
    assert_non_null(strstr(wa_buf_str(&p->out), "takes longer than"));
    if (p->b.url[0] == '\0' && !IS_WATCHED) /* few steps, each as long as one can be */
        slow_steps(p);
    int status = try_query(p, p->admin, wide, "");
    if (status == 200)
        assert_non_null(strstr(wa_buf_str(&p->out), "\"rows\":[],\"is_cut\":true"));
    else
        assert_int_equal(status, 413);
    assert_int_equal(try_query(p, p->admin, "SELECT uuid FROM hosts ORDER BY uuid", "limit=2"),
                     200);
    assert_non_null(strstr(wa_buf_str(&p->out), "\"rows\":[[\"a\"],[\"b\"]],\"is_cut\":true"));
    /* What failed has left nothing behind. */
    assert_int_equal(try_query(p, p->admin, "SELECT count(*) FROM hosts", ""), 200);
    assert_int_equal(p->b.store->reports, 0);
}

/* A condition that fails tells whoever wrote it that it was looked at: never for other machines. */
static void test_errors_tell_nothing_of_others(void **state)
{
    struct place *p = *state;
    assert_int_equal(try_query(p, p->limited,
                               "SELECT name FROM hosts WHERE CASE WHEN name = 'pc-c' THEN "
                               "abs(-9223372036854775804 - length(name)) ELSE 1 END = 1",
                               ""),
                     200);
    assert_non_null(strstr(wa_buf_str(&p->out), "[[\"pc-b\"]]"));
    assert_int_not_equal(try_query(p, p->admin,
                                   "SELECT name FROM hosts WHERE CASE WHEN name = 'pc-c' THEN "
                                   "abs(-9223372036854775804 - length(name)) ELSE 1 END = 1",
                                   ""),
                         200);
}

static int call(struct place *p, const char *method, const char *path, const char *token,
                const char *body)
{
    return bench_ask(&p->b, method, path, "", token, wa_sv(body), &p->out);
}

static void test_saved(void **state)
{
    struct place *p = *state;
    static const char body[] =
        "{\"query\":\"SELECT name FROM hosts ORDER BY 1\",\"about\":\"all\"}";
    assert_int_equal(call(p, "PUT", "/api/v1/reports/machines", p->reader, body), 403);
    assert_int_equal(call(p, "PUT", "/api/v1/reports/machines", p->admin, body), 200);
    assert_int_equal(
        call(p, "PUT", "/api/v1/reports/bad", p->admin, "{\"query\":\"DROP TABLE x\"}"), 400);
    assert_int_equal(call(p, "PUT", "/api/v1/reports/bad", p->admin,
                          "{\"query\":\"SELECT 1\",\"x\":"
                          "1}"),
                     400);
    assert_int_equal(call(p, "GET", "/api/v1/reports", p->reader, ""), 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "\"name\":\"machines\",\"about\":\"all\""));
    assert_int_equal(call(p, "GET", "/api/v1/reports/machines/rows", p->reader, ""), 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "[[\"pc-a\"],[\"pc-b\"],[\"pc-c\"]]"));
    assert_int_equal(call(p, "GET", "/api/v1/reports/machines/rows", p->limited, ""), 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "[[\"pc-b\"]]"));
    assert_int_equal(call(p, "GET", "/api/v1/reports/none/rows", p->reader, ""), 404);
    assert_int_equal(call(p, "GET", "/api/v1/reports/machines/rows", "", ""), 401);
    assert_int_equal(call(p, "POST", "/api/v1/report-rows", p->reader, body), 403);
    assert_int_equal(call(p, "DELETE", "/api/v1/reports/machines", p->reader, ""), 403);
    /* With a perimeter one changes one's own alone: others run it over all machines. */
    assert_int_equal(call(p, "PUT", "/api/v1/reports/machines", p->limited, body), 403);
    assert_int_equal(call(p, "DELETE", "/api/v1/reports/machines", p->limited, ""), 403);
    assert_int_equal(call(p, "DELETE", "/api/v1/reports/none", p->limited, ""), 404);
    assert_int_equal(call(p, "PUT", "/api/v1/reports/own", p->limited, body), 200);
    assert_int_equal(call(p, "PUT", "/api/v1/reports/own", p->limited, body), 200);
    assert_int_equal(call(p, "DELETE", "/api/v1/reports/own", p->limited, ""), 200);
    assert_int_equal(call(p, "DELETE", "/api/v1/reports/machines", p->admin, ""), 200);
    assert_int_equal(call(p, "DELETE", "/api/v1/reports/machines", p->admin, ""), 404);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM journal WHERE entry LIKE '%report.%'", "5");
}

/* A report that is not answered yet. */
static uint32_t begin(struct place *p, const char *token)
{
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 4096);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "method", "GET");
    wa_jw_kv(&w, "path", "/api/v1/reports/names/rows");
    wa_jw_kv(&w, "query", "");
    wa_jw_kv(&w, "bearer", token);
    wa_jw_kv(&w, "peer", "10.0.0.1");
    wa_jw_kv(&w, "machine", "");
    wa_jw_end(&w);
    wa_buf_addc(&text, '\n');
    bench_send(&p->b, WA_S_REQUEST, ++p->b.id, wa_buf_sv(&text));
    return p->b.id;
}

/* Nobody's reports keep the others waiting. */
static void test_shares(void **state)
{
    struct place *p = *state;
    int status = 0;
    uint32_t id = 0;
    assert_int_equal(call(p, "PUT", "/api/v1/reports/names", p->admin,
                          "{\"query\":\"SELECT name FROM hosts ORDER BY name\"}"),
                     200);
    for (size_t i = 0; i < 3; i++)
        id = begin(p, p->reader);
    wa_buf_clear(&p->out);
    assert_true(bench_serve(&p->b, id, &status, &p->out));
    assert_int_equal(status, 429);
    assert_non_null(strstr(wa_buf_str(&p->out), "2 reports of 'reader' are running already"));
    for (size_t i = 0; i < 4; i++)
        id = begin(p, i < 3 ? p->reader : p->limited);
    assert_true(bench_serve(&p->b, id, &status, NULL));
    assert_int_equal(status, 200);
    assert_int_equal(p->b.store->reports, 0);
    assert_null(p->b.store->report_runs);
}

static void test_as_a_table(void **state)
{
    struct place *p = *state;
    assert_int_equal(try_query(p, p->admin,
                               "SELECT '=cmd|x' AS \"=name\", 12 AS n, NULL AS none FROM hosts "
                               "WHERE uuid = 'a'",
                               "format=csv"),
                     200);
    assert_string_equal(wa_buf_str(&p->out), "\"'=name\",\"n\",\"none\"\r\n\"'=cmd|x\",12,\r\n");
    assert_int_equal(try_query(p, p->admin, "SELECT 1", "format=xml"), 400);
    assert_int_equal(try_query(p, p->limited, "SELECT name FROM hosts", "format=csv"), 200);
    assert_string_equal(wa_buf_str(&p->out), "\"name\"\r\n\"pc-b\"\r\n");
}

static void test_names_of_software(void **state)
{
    struct place *p = *state;
    static const char names[] = "{\"names\":[{\"pattern\":\"FIREFOX (*\",\"name\":\"Firefox\"},{"
                                "\"pattern\":\"100%_\",\"name\":\"Sure\"}]}";
    static const char sql[] =
        "SELECT normal_name, count(*) AS n FROM software GROUP BY normal_name";
    assert_int_equal(call(p, "PUT", "/api/v1/software-names", p->reader, names), 403);
    assert_int_equal(call(p, "PUT", "/api/v1/software-names", p->limited, names), 403);
    assert_int_equal(call(p, "PUT", "/api/v1/software-names", p->admin, "{\"names\":[{}]}"), 400);
    assert_int_equal(call(p, "PUT", "/api/v1/software-names", p->admin, names), 200);
    assert_int_equal(call(p, "GET", "/api/v1/software-names", p->reader, ""), 200);
    assert_string_equal(wa_buf_str(&p->out), names);
    assert_int_equal(try_query(p, p->admin, sql, ""), 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "[[\"Firefox\",3]]"));
    machine_free(&p->m[0]); /* what comes later is named too */
    machine_new(&p->m[0], "new");
    assert_int_equal(machine_register(&p->b, &p->m[0], WA_CRED_TOKEN, "t"), 200);
    say(p, &p->m[0]);
    assert_int_equal(try_query(p, p->admin, sql, ""), 200);
    assert_non_null(strstr(wa_buf_str(&p->out), "[[\"Firefox\",4]]"));
    assert_int_equal(call(p, "PUT", "/api/v1/software-names", p->admin, "{\"names\":[]}"), 200);
    assert_int_equal(try_query(p, p->admin, sql, ""), 200);
    assert_null(strstr(wa_buf_str(&p->out), "[\"Firefox\","));
}

/* Which pattern is which title's: "Firefox (x64 a)", one of three. */
static void test_patterns_of_names(void **state)
{
    static const struct {
        const char *pattern;
        int count;
    } cases[] = {{"*", 3},
                 {"firefox*", 3},
                 {"Firefox", 0},
                 {"*(x64 ?)", 3},
                 {"FIREFOX (X64 ?)", 3},
                 {"*firefox (x64 a)*", 1},
                 {"?irefox*x64*", 3},
                 {"??irefox*", 0},
                 {"*x*x*a)", 1},
                 {"*a)a)", 0},
                 {"Firefox (x64 %)", 0},
                 {"Firefox (x64 _)", 0},
                 {"*??????????????????", 0},
                 {"*?(*", 3},
                 {"* (x64 \\\\a)", 0}};
    struct place *p = *state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        char body[256], expected[64];
        (void)snprintf(body, sizeof body, "{\"names\":[{\"pattern\":\"%s\",\"name\":\"It\"}]}",
                       cases[i].pattern);
        (void)snprintf(expected, sizeof expected, "[[%d]]", cases[i].count);
        assert_int_equal(call(p, "PUT", "/api/v1/software-names", p->admin, body), 200);
        assert_int_equal(
            try_query(p, p->admin, "SELECT count(*) FROM software WHERE normal_name = 'It'", ""),
            200);
        if (strstr(wa_buf_str(&p->out), expected) == NULL)
            fail_msg("%s: %s", cases[i].pattern, wa_buf_str(&p->out));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_people_ask, setup, teardown),
        cmocka_unit_test_setup_teardown(test_views_of_other_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_database_refuses_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors_tell_nothing_of_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_saved, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shares, setup, teardown),
        cmocka_unit_test_setup_teardown(test_as_a_table, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_of_software, setup, teardown),
        cmocka_unit_test_setup_teardown(test_patterns_of_names, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
