/* What WAPT left behind, taken over: rows of each of its versions, what is odd in them, what is
 * hostile, and that a failure at any moment leaves nothing half done. Needs root: WAPT's files must
 * be root's. */
#include "testlib.h"
#include "torture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/hook.h"
#include "agent/kept.h"
#include "agent/moving.h"

#define SETUP "def install():\n    pass\ndef uninstall():\n    return 1\n"

/* --- texts and lists --- */

static void test_texts(void **state)
{
    static const struct {
        const char *in, *text, *line;
    } cases[] = {
        {"", "", ""},
        {"plain", "plain", "plain"},
        {"d\xc3\xa9j\xc3\xa0", "d\xc3\xa9j\xc3\xa0", "d\xc3\xa9j\xc3\xa0"},
        {"d\xe9j\xe0 vu", "d\xc3\xa9j\xc3\xa0 vu", "d\xc3\xa9j\xc3\xa0 vu"},
        {" a\r\nb\x1b[1m\xc2\xa0 ", " a\r\nb\x1b[1m\xc2\xa0 ", "a  b [1m"},
        {"\xe2\x80\xae\xff", "\xe2\x80\xae\xc3\xbf", "\xc3\xbf"},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_buf WA_AUTO_BUF text;
        struct wa_buf WA_AUTO_BUF line;
        wa_buf_init(&text, 100);
        wa_buf_init(&line, 100);
        wa_old_text(wa_sv(cases[i].in), 100, &text);
        wa_old_line(wa_sv(cases[i].in), 100, &line);
        assert_string_equal(wa_buf_str(&text), cases[i].text);
        assert_string_equal(wa_buf_str(&line), cases[i].line);
    }
    struct wa_buf WA_AUTO_BUF cut;
    wa_buf_init(&cut, 8);
    wa_old_text(wa_sv("abc\0\xe9\xe9\xe9\xe9"), 8, &cut);
    assert_true(cut.n <= 8 && cut.failed == WA_OK);
}

static void test_keys(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", "[]"},
        {"[]", "[]"},
        {"[\"k1\", \"k\\\"2\"]", "[\"k1\",\"k\\\"2\"]"},
        {"['a', u'b', u\"c'd\"]", "[\"a\",\"b\",\"c'd\"]"},
        {"[u'\\xe9\\u20ac\\\\n']", "[\"\xc3\xa9\xe2\x82\xac\\\\n\"]"},
        {"['a',]", "[\"a\"]"},
        {"'a'", "[\"a\"]"},
        {" {8A69D345-D564-463C-AFF1-A69D9E530F96} ",
         "[\"{8A69D345-D564-463C-AFF1-A69D9E530F96}\"]"},
        {"['a'", "[\"['a'\"]"},
        {"['a' 'b']", "[\"['a' 'b']\"]"},
        {"[__import__('os')]", "[\"[__import__('os')]\"]"},
        {"[1, \"a\", null]", "[\"a\"]"},
        {"['\\ud800']", "[\"['\\\\ud800']\"]"},
        {"7-Zip\xe9", "[\"7-Zip\xc3\xa9\"]"},
        {"u", "[\"u\"]"},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_buf WA_AUTO_BUF out;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&out, 1000);
        WA_ASSERT_OK(wa_old_keys(wa_sv(cases[i].in), &out, &err));
        assert_string_equal(wa_buf_str(&out), cases[i].out);
    }
}

/* --- a machine --- */

struct place {
    char dir[WA_PATH_MAX];
    struct wa_manager m;
};

static void full(const struct place *p, const char *name, char out[2 * WA_PATH_MAX])
{
    (void)snprintf(out, 2 * WA_PATH_MAX, "%s/%s", p->dir, name);
}

static int setup(void **state)
{
    static const char *const dirs[] = {"db", "private", "private/tmp", "private/packages"};
    struct place *p = calloc(1, sizeof *p);
    struct wa_err err = WA_ERR_INIT;
    assert_int_equal(setenv("TZ", "Europe/Paris", 1), 0);
    wa_test_tmpdir(p->dir);
    for (size_t i = 0; i < WA_COUNT(dirs); i++) {
        char path[2 * WA_PATH_MAX];
        full(p, dirs[i], path);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    (void)snprintf(p->m.config.base, sizeof p->m.config.base, "%s", p->dir);
    wa_log_init(&p->m.log, 2, WA_LOG_ERROR, "test");
    WA_ASSERT_OK(wa_dir_open(p->dir, &p->m.base, &err));
    WA_ASSERT_OK(wa_agent_db_open(p->dir, &p->m.db, &err));
    WA_ASSERT_OK(wa_db_exec(p->m.db, "PRAGMA synchronous = OFF", &err));
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    wa_db_close(p->m.db);
    wa_dir_close(&p->m.base);
    wa_test_tmpdir_remove(p->dir);
    free(p);
    return 0;
}

/* WAPT's database of a structure, empty; more: statements. */
static struct wa_db *old_db(const struct place *p, const char *version, const char *more)
{
    char path[2 * WA_PATH_MAX + 16], name[80];
    struct wa_db *db = NULL;
    struct wa_buf WA_AUTO_BUF schema;
    struct wa_err err = WA_ERR_INIT;
    (void)snprintf(path, sizeof path, "sqlite:%s/db/waptdb.sqlite", p->dir);
    (void)snprintf(name, sizeof name, "vectors/moving/%s.sql", version);
    wa_test_read(name, &schema);
    WA_ASSERT_OK(wa_db_open_sqlite(path, &db, &err));
    WA_ASSERT_OK(wa_db_exec(db, "PRAGMA synchronous = OFF", &err));
    WA_ASSERT_OK(wa_db_exec(db, wa_buf_str(&schema), &err));
    WA_ASSERT_OK(wa_db_exec(db, more, &err));
    return db;
}

static const struct wa_installed_row *row(const struct wa_installed_list *l, const char *package)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(wa_control_get(&l->items[i].base.control, WA_A_PACKAGE), package) == 0)
            return &l->items[i];
    return NULL;
}

static void test_whole_machine(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_installed_list WA_AUTO_INSTALLED l = {NULL, 0, 0};
    struct wa_buf WA_AUTO_BUF text;
    char path[2 * WA_PATH_MAX];
    wa_db_close(old_db(p, "20200415",
                       "INSERT INTO wapt_package (package_uuid, package, version, architecture, "
                       "description, "
                       "signer, signer_fingerprint, repo, keywords) VALUES "
                       "('aaaaaaaa-0000-4000-8000-"
                       "000000000001', 'tis-7zip', '19.0-3', 'all', 'Archiver', 'Deployer', 'ab', "
                       "'wapt', "
                       "'LGPL');"
                       "INSERT INTO wapt_localstatus (package_uuid, package, version, explicit_by, "
                       "architecture, "
                       "section, maturity, install_date, install_status, install_output, "
                       "install_params, "
                       "uninstall_key, setuppy, depends, last_audit_on, last_audit_status, "
                       "last_audit_output, "
                       "next_audit_on, impacted_process, audit_schedule) VALUES "
                       "('aaaaaaaa-0000-4000-8000-"
                       "000000000001', 'tis-7zip', '19.0-3', 'admin', 'all', 'base', 'PROD', "
                       "'2020-07-01T14:00:00.123456', 'OK', 'done' || char(10), '{\"key\": "
                       "\"S3cret\"}', "
                       "'[\"7-Zip\"]', '" SETUP
                       "', 'tis-vcredist', '2020-01-15T08:00:00', 'WARNING', 'hm', "
                       "'2020-01-16T08:00:00', '7zFM', '1d');"
                       "INSERT INTO wapt_localstatus (package_uuid, package, version, "
                       "architecture, "
                       "install_status, install_params) VALUES "
                       "('bbbbbbbb-0000-4000-8000-000000000001', 'tis-old', '1-1', 'all', "
                       "'UPGRADING', '{}'),"
                       "('bbbbbbbb-0000-4000-8000-000000000002', 'tis-old', '2-1', 'all', "
                       "'RUNNING', '{}'),"
                       "('bbbbbbbb-0000-4000-8000-000000000003', 'tis-begun', '3-1', 'all', "
                       "'INIT', NULL),"
                       "('aaaaaaaa-0000-4000-8000-000000000001', 'tis-twin', '1-1', 'all', 'OK', "
                       "'(dp0')," /* pickled
                                   */
                       "('../../etc', 'tis-way', '1-1', 'all', 'OK', 'null'),"
                       "('x', '../evil', '1-1', 'all', 'OK', '{}'),"
                       "('y', 'tis-noversion', 'one', 'all', 'OK', '{}'),"
                       "('z', NULL, NULL, NULL, NULL, NULL),"
                       "('w', X'80', 3.5, 7, X'00ff', 12);"
                       "INSERT INTO wapt_params (name, value, ptype) VALUES ('uuid', 'ABCD-1', "
                       "'str'), "
                       "('tis-7zip.colour', 'blue', 'str'), ('count', '3', 'int'), ('bad', '{', "
                       "'json'), "
                       "('last_update_status', '{}', 'json'), ('last-https://x', '1', 'str'), "
                       "('list', '[1, \"a\"]', 'json');"));
    full(p, "private/ABCD-1.pem", path);
    FILE *f = fopen(path, "we");
    assert_true(f != NULL && fclose(f) == 0);
    WA_ASSERT_OK(wa_moving_import(&p->m, &err));
    WA_ASSERT_OK(wa_installed_load(p->m.db, NULL, &l, &err));
    assert_int_equal(l.n, 6);
    const struct wa_installed_row *r = row(&l, "tis-7zip");
    assert_non_null(r);
    assert_string_equal(r->base.status, "OK");
    assert_true(r->base.is_explicit);
    assert_int_equal(r->install_date, 1593604800); /* 12:00 UTC */
    assert_int_equal(r->audit_on, 1579071600);
    assert_int_equal(r->next_audit, 1579158000);
    assert_string_equal(r->output, "done\n");
    assert_string_equal(r->params, "{\"key\":\"S3cret\"}");
    assert_string_equal(r->uninstall_key, "[\"7-Zip\"]");
    assert_string_equal(r->audit_status, "WARNING");
    assert_string_equal(r->audit_output, "hm");
    assert_string_equal(r->repo, "wapt");
    static const struct {
        enum wa_attr attr;
        const char *value;
    } attrs[] = {{WA_A_VERSION, "19.0-3"},
                 {WA_A_DESCRIPTION, "Archiver"},
                 {WA_A_DEPENDS, "tis-vcredist"},
                 {WA_A_AUDIT_SCHEDULE, "1d"},
                 {WA_A_IMPACTED_PROCESS, "7zFM"},
                 {WA_A_SIGNER, "Deployer"},
                 {WA_A_KEYWORDS, ""},
                 {WA_A_SIGNATURE, ""},
                 {WA_A_MATURITY, "PROD"}};
    for (size_t i = 0; i < WA_COUNT(attrs); i++)
        assert_string_equal(wa_control_get(&r->base.control, attrs[i].attr), attrs[i].value);
    wa_buf_init(&text, 1000);
    full(p, "private/packages/aaaaaaaa-0000-4000-8000-000000000001/setup.py", path);
    WA_ASSERT_OK(wa_path_read(path, 1000, &text, &err));
    assert_string_equal(wa_buf_str(&text), SETUP);
    /* The version that was there before counts, as one that failed. */
    r = row(&l, "tis-old");
    assert_string_equal(wa_control_get(&r->base.control, WA_A_VERSION), "1-1");
    assert_string_equal(r->base.status, "ERROR");
    assert_string_equal(row(&l, "tis-begun")->base.status, "ERROR");
    /* Identifiers that are another's, or none, are replaced: each package has a folder of its own.
     */
    assert_string_not_equal(wa_control_get(&row(&l, "tis-twin")->base.control, WA_A_PACKAGE_UUID),
                            "aaaaaaaa-0000-4000-8000-000000000001");
    assert_string_equal(row(&l, "tis-twin")->params, "{}");
    assert_null(strstr(wa_control_get(&row(&l, "tis-way")->base.control, WA_A_PACKAGE_UUID), "."));
    assert_false(wa_kept_is_whole(&p->m, &row(&l, "tis-7zip")->base.control));
    assert_true(wa_kept_has_hook(&p->m, &row(&l, "tis-7zip")->base.control, WA_HOOK_UNINSTALL));
    wa_buf_clear(&text);
    WA_ASSERT_OK(wa_param_get(p->m.db, "uuid", &text, &err));
    assert_string_equal(wa_buf_str(&text), "ABCD-1");
    wa_buf_clear(&text);
    WA_ASSERT_OK(wa_param_get(p->m.db, WA_PARAM_SCRIPTS, &text, &err));
    assert_string_equal(wa_buf_str(&text),
                        "{\"count\":3,\"list\":[1,\"a\"],\"tis-7zip.colour\":\"blue\"}");
    full(p, "private/tmp/moving", path);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_older_structures(void **state)
{
    static const char rows[] =
        "INSERT INTO wapt_localstatus (package, version, architecture, install_status, "
        "install_date, uninstall_key, setuppy, explicit_by) VALUES ('tis-a', '1-1', 'x86', 'OK', "
        "'2018-03-03T10:00:00', '[''k'']', 'x', ''), ('tis-b', '1', NULL, 'UNKNOWN', 'whenever', "
        "'k', NULL, NULL);";
    static const char *const versions[] = {"20180303", "20190606"};
    struct place *p = *state;
    for (size_t i = 0; i < WA_COUNT(versions); i++) {
        struct wa_installed_list WA_AUTO_INSTALLED l = {NULL, 0, 0};
        struct wa_err err = WA_ERR_INIT;
        char path[2 * WA_PATH_MAX];
        wa_db_close(old_db(p, versions[i], rows));
        WA_ASSERT_OK(wa_moving_import(&p->m, &err));
        WA_ASSERT_OK(wa_installed_load(p->m.db, NULL, &l, &err));
        assert_int_equal(l.n, 2);
        assert_string_equal(row(&l, "tis-a")->uninstall_key, "[\"k\"]");
        assert_int_equal(strlen(wa_control_get(&row(&l, "tis-a")->base.control, WA_A_PACKAGE_UUID)),
                         36);
        assert_false(row(&l, "tis-a")->base.is_explicit);
        assert_string_equal(row(&l, "tis-b")->base.status, "UNKNOWN");
        assert_int_equal(row(&l, "tis-b")->install_date, 0);
        WA_ASSERT_OK(wa_db_exec(p->m.db, "DELETE FROM installed; DELETE FROM params", &err));
        full(p, "db/waptdb.sqlite", path);
        assert_int_equal(unlink(path), 0);
    }
}

/* Once; what this agent knows itself counts more; and nothing of WAPT's changes. */
static void test_once(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_installed_list WA_AUTO_INSTALLED l = {NULL, 0, 0};
    struct wa_control WA_AUTO_CONTROL c;
    char path[2 * WA_PATH_MAX];
    struct stat before, after;
    WA_ASSERT_OK(wa_moving_import(&p->m, &err)); /* there is nothing yet */
    wa_control_init(&c);
    WA_ASSERT_OK(wa_control_parse(WA_SV("package: tis-a\nversion: 5-1\n"), &c, &err));
    WA_ASSERT_OK(wa_installed_put(p->m.db, &c, "", "OK", 1, WA_SV(""), WA_SV("{}"), true, &err));
    wa_db_close(old_db(p, "20200415",
                       "INSERT INTO wapt_localstatus (package, version, install_status) VALUES "
                       "('tis-a', '1-1', 'OK'), ('tis-b', '1-1', 'OK')"));
    full(p, "db/waptdb.sqlite", path);
    assert_int_equal(stat(path, &before), 0);
    WA_ASSERT_OK(wa_moving_import(&p->m, &err));
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec && before.st_ino == after.st_ino);
    WA_ASSERT_OK(wa_installed_load(p->m.db, NULL, &l, &err));
    assert_int_equal(l.n, 2);
    assert_string_equal(wa_control_get(&row(&l, "tis-a")->base.control, WA_A_VERSION), "5-1");
    WA_ASSERT_OK(wa_installed_delete(p->m.db, "tis-b", &err));
    WA_ASSERT_OK(wa_moving_import(&p->m, &err));
    wa_installed_list_fini(&l);
    WA_ASSERT_OK(wa_installed_load(p->m.db, NULL, &l, &err));
    assert_int_equal(l.n, 1);
}

/* --- what is wrong --- */

static void write_file(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
}

static void refused(struct place *p, enum wa_code code, const char *says)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_installed_list WA_AUTO_INSTALLED l = {NULL, 0, 0};
    char path[2 * WA_PATH_MAX];
    assert_int_equal(wa_moving_import(&p->m, &err), code);
    if (strstr(err.text, says) == NULL)
        fail_msg("'%s' does not say '%s'", err.text, says);
    wa_err_clear(&err);
    WA_ASSERT_OK(wa_installed_load(p->m.db, NULL, &l, &err));
    assert_int_equal(l.n, 0);
    full(p, "private/tmp/moving", path);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_refusals(void **state)
{
    static const char *const schemas[] = {
        "DROP TABLE wapt_localstatus;",
        "DROP TABLE wapt_localstatus; CREATE VIEW wapt_localstatus AS SELECT 'a' AS package, '1' "
        "AS "
        "version;",
        "ALTER TABLE wapt_params RENAME TO p; CREATE VIEW wapt_params AS SELECT name, value FROM "
        "p;",
        "DROP TABLE wapt_package; CREATE TABLE wapt_package (package TEXT PRIMARY KEY) WITHOUT "
        "ROWID;",
    };
    struct place *p = *state;
    char path[2 * WA_PATH_MAX];
    full(p, "db/waptdb.sqlite", path);
    for (size_t i = 0; i < WA_COUNT(schemas); i++) {
        wa_db_close(old_db(p, "20200415", schemas[i]));
        refused(p, WA_E_INVALID, "no database of WAPT's agent");
        assert_int_equal(unlink(path), 0);
    }
    write_file(path, "", 0);
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_moving_import(&p->m, &err)); /* WAPT was never used */
    write_file(path, "MZ this is something else, and long enough to be looked at", 58);
    refused(p, WA_E_INVALID, "not a database");
    assert_int_equal(unlink(path), 0);

    wa_db_close(old_db(p, "20200415",
                       "INSERT INTO wapt_localstatus (package, version, install_status) VALUES "
                       "('tis-a', '1-1', 'OK')"));
    assert_int_equal(chmod(path, 0666), 0);
    refused(p, WA_E_DENIED, "can be written by others than root");
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chown(path, 1, 0), 0);
    refused(p, WA_E_DENIED, "can be written by others than root");
    assert_int_equal(chown(path, 0, 0), 0);
    char other[2 * WA_PATH_MAX];
    full(p, "db/elsewhere", other);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    struct wa_err link = WA_ERR_INIT;
    assert_int_not_equal(wa_moving_import(&p->m, &link), WA_OK);
}

/* A machine's database, damaged at many places: read or refused, and never half taken. */
static void test_damaged(void **state)
{
    struct place *p = *state;
    char path[2 * WA_PATH_MAX];
    struct wa_buf WA_AUTO_BUF bytes;
    struct wa_err err = WA_ERR_INIT;
    size_t read = 0;
    full(p, "db/waptdb.sqlite", path);
    wa_db_close(old_db(
        p, "20200415",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) INSERT INTO "
        "wapt_localstatus (package_uuid, package, version, install_status, setuppy, "
        "install_output) "
        "SELECT printf('11111111-2222-4333-8444-%012d', i), 'tis-' || i, '1-' || i, 'OK', iif(i < "
        "4, 'x', ''), "
        "hex(zeroblob(i * 40)) FROM n"));
    wa_buf_init(&bytes, 4u << 20);
    WA_ASSERT_OK(wa_path_read(path, 4u << 20, &bytes, &err));
    for (size_t at = 0; at < bytes.n; at += bytes.n / 97) {
        struct wa_installed_list WA_AUTO_INSTALLED l = {NULL, 0, 0};
        struct wa_err why = WA_ERR_INIT;
        char was[64];
        size_t n = bytes.n - at < sizeof was ? bytes.n - at : sizeof was;
        memcpy(was, bytes.p + at, n);
        memset(bytes.p + at, (int)(at % 251), n);
        write_file(path, bytes.p, at % 5 == 0 && at > 0 ? at : bytes.n);
        memcpy(bytes.p + at, was, n);
        enum wa_code code = wa_moving_import(&p->m, &why);
        WA_ASSERT_OK(wa_installed_load(p->m.db, NULL, &l, &err));
        assert_true(code == WA_OK || l.n == 0);
        read += code == WA_OK ? 1 : 0;
        WA_ASSERT_OK(wa_db_exec(p->m.db, "DELETE FROM installed; DELETE FROM params", &err));
    }
    assert_true(read > 0 && read < 97);
}

/* The journal of a transaction that was cut counts: what it had changed is undone. */
static void test_cut_transaction(void **state)
{
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_installed_list WA_AUTO_INSTALLED l = {NULL, 0, 0};
    struct wa_db *db =
        old_db(p, "20200415",
               "INSERT INTO wapt_localstatus (package, version, install_status) VALUES ('tis-a', "
               "'1-1', 'OK')");
    /* Committed, but only in the log beside: the writer is still there, or was killed. */
    WA_ASSERT_OK(wa_moving_import(&p->m, &err));
    wa_db_close(db);
    WA_ASSERT_OK(wa_installed_load(p->m.db, NULL, &l, &err));
    assert_int_equal(l.n, 1);
}

/* --- memory runs out --- */

static enum wa_code run(void *arg, struct wa_err *err)
{
    struct place *p = arg;
    struct wa_installed_list l = {NULL, 0, 0};
    struct wa_err later = WA_ERR_INIT;
    int64_t done = 0;
    wa_torture_pause();
    assert_int_equal(wa_db_exec(p->m.db, "DELETE FROM installed; DELETE FROM params", &later),
                     WA_OK);
    wa_db_close(p->m.db);
    p->m.db = NULL;
    wa_torture_resume();
    enum wa_code code = wa_agent_db_open(p->dir, &p->m.db, err);
    if (code == WA_OK)
        code = wa_moving_import(&p->m, err);
    wa_db_close(p->m.db);
    wa_torture_pause();
    assert_int_equal(wa_agent_db_open(p->dir, &p->m.db, &later), WA_OK);
    assert_int_equal(wa_db_exec(p->m.db, "PRAGMA synchronous = OFF", &later), WA_OK);
    assert_int_equal(wa_installed_load(p->m.db, NULL, &l, &later), WA_OK);
    assert_int_equal(wa_param_i64(p->m.db, "moved_from_wapt", &done, &later), WA_OK);
    assert_true(code != WA_OK || done == 1);
    assert_int_equal(l.n, done); /* whole, or not at all */
    wa_installed_list_fini(&l);
    wa_torture_resume();
    return code;
}

static void test_torture(void **state)
{
    struct place *p = *state;
    wa_db_close(
        old_db(p, "20200415",
               "INSERT INTO wapt_localstatus (package, version, install_status, setuppy, "
               "uninstall_key, install_params) VALUES ('tis-a', '1-1', 'OK', 'x', '[''a'']', "
               "'{\"a\":1}');"
               "INSERT INTO wapt_params (name, value, ptype) VALUES ('uuid', 'A', 'str'), "
               "('mine', '1', 'int')"));
    (void)wa_torture(run, p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_keys),
        cmocka_unit_test_setup_teardown(test_whole_machine, setup, teardown),
        cmocka_unit_test_setup_teardown(test_older_structures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_transaction, setup, teardown),
        cmocka_unit_test_setup_teardown(test_torture, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
