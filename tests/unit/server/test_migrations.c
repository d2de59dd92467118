/* A database of the first version, with something in it of each later one, brought up step by step:
 * nothing is lost on the way, and at its end the server works with it. On both databases. */
#include "testlib.h"

#include <sys/stat.h>

#include "base/mem.h"
#include "server/fleet.h"
#include "server/journal.h"
#include "server/store_db.h"

#define ACTION "INSERT INTO actions (id, batch, uuid, kind, orders, not_before, not_after, signer, "
#define STATE "state, created, updated) VALUES "

/* What a server of that version had written. */
static const struct {
    int64_t version;
    const char *sql;
} written[] = {
    {1,
     "INSERT INTO hosts VALUES ('m1', 'PEM1', 5, 'token', 7, 9, 1, 'pc', 'pc.x', 'Debian', 'OK'), "
     "('m2', 'PEM2', 6, 'login', 8, 3, 0, 'x', 'x.x', 'Windows', 'ERROR');"
     "INSERT INTO sections VALUES ('m1', 'host_info', '{}'), ('m1', 'installed_packages', '[]'), "
     "('m2', 'host_info', '{}');"
     "INSERT INTO tokens VALUES ('t', 99, 2);"
     "INSERT INTO users VALUES ('admin', 'H'), ('anna', 'H');"
     "INSERT INTO sessions VALUES ('s', 'admin', 3700);" ACTION STATE
     "('a1', 'b1', 'm1', 'install', '{}', 1, 99, 'S', 'sent', 1, 1), ('a2', 'b1', 'm2', 'install', "
     "'{}', 1, 99, 'S', 'queued', 2, 2), ('a3', 'b2', 'm1', 'update', '{}', 1, 99, 'S', 'done', 3, "
     "3)"},
    {2, "UPDATE sections SET digest = 'D'"},
    {3, "UPDATE users SET role = 'helpdesk' WHERE name = 'anna'"},
    {5, "INSERT INTO host_facts (host, model) VALUES (1, 'Latitude');"
        "INSERT INTO software_titles VALUES (1, 'Firefox 128', '128', 'Mozilla', 0, 'K');"
        "INSERT INTO host_software VALUES (1, 1);"
        "INSERT INTO package_states VALUES (1, 'tis-x', '1', 'K', 'OK', '', '', 4, 0, 1);"
        "INSERT INTO package_history VALUES (1, 1, 4, 'installed', 'tis-x', '1', '', 'OK');"
        "UPDATE sections SET digest = 'D'"},
    {6, "UPDATE users SET perimeter = '{\"groups\":[\"sales\"]}' WHERE name = 'anna';"
        "INSERT INTO memberships VALUES ('m1', 'sales')"},
    {7, "INSERT INTO changes VALUES (1, 5, 'n', 'host', 'm1', '')"},
    {8,
     "INSERT INTO certificates (serial, uuid, key, certificate, issued, not_after) VALUES ('01', "
     "'m1', 'K', 'C', 5, 99)"},
    {9, "INSERT INTO uploads VALUES ('u', 'anna', 'x.wapt', '', 'D', 5, 'open', '', '', 1, 1)"},
    {10, "INSERT INTO reports VALUES ('r', '', 'SELECT uuid FROM hosts', 'anna', 1);"
         "INSERT INTO software_rules VALUES (1, 'Firefox%', 'Firefox')"},
    {11, "INSERT INTO api_tokens VALUES ('k', 'anna', 'n', 'view', '', 1, 99, 0);"
         "INSERT INTO recovery_codes VALUES ('anna', 'D');"
         "INSERT INTO user_certificates VALUES ('C', 'anna')"},
    {13,
     "INSERT INTO rollouts (id, name, kind, owner, signer, orders, plan, state, ring_since, "
     "not_before, not_after, created, updated) VALUES ('ro', 'n', 'install', 'anna', 'S', '{}', "
     "'{}', 'running', 1, 1, 99, 1, 1);" ACTION STATE
     "('ro', 'ro', 'm1', 'install', '', 1, 99, 'S', 'queued', 4, 4)"},
    {14, "INSERT INTO webhooks (id, url, kinds, secret, created, created_by) VALUES ('w', "
         "'https://x', '', 'S', 1, 'anna');"
         "INSERT INTO webhook_queue VALUES ('w', 1, '{}')"},
    {15, "INSERT INTO host_accounts VALUES ('m1', 'S-1-5')"},
    {17, "INSERT INTO used_proofs VALUES ('p', 99)"},
    {18, "INSERT INTO views VALUES ('anna', 'v', '{}', 1)"},
    {19, "UPDATE host_facts SET errors = 3"},
    {24, "UPDATE sessions SET sealed = 'S', due = 5; INSERT INTO ended_grants VALUES ('g', 'anna', "
         "'S')"},
    {25, "INSERT INTO package_due VALUES (1, 'tis-y', '2', 'K')"},
    {28, "INSERT INTO queues VALUES ('m1', 5, '{}')"},
};

/* And what must be found at the end. */
static const struct {
    const char *sql;
    int64_t number;
} kept[] = {
    {"SELECT COUNT(*) FROM hosts WHERE number IS NOT NULL", 2},
    {"SELECT last_seen FROM presence WHERE uuid = 'm2'", 8},
    {"SELECT COUNT(*) FROM sections", 3},
    {"SELECT COUNT(*) FROM sections WHERE section = 'installed_packages' AND content = '[]'", 1},
    {"SELECT COUNT(*) FROM sections WHERE digest = ''", 3}, /* they are asked for anew */
    {"SELECT uses FROM tokens", 2},
    {"SELECT COUNT(*) FROM users WHERE role = 'superadmin' AND perimeter = ''", 1},
    {"SELECT COUNT(*) FROM users WHERE role = 'helpdesk' AND perimeter <> ''", 1},
    {"SELECT created FROM sessions WHERE \"user\" = 'admin'", 100},
    {"SELECT COUNT(*) FROM actions WHERE state = 'queued'", 3}, /* what was sent waits again */
    {"SELECT COUNT(*) FROM actions WHERE state = 'done'", 1},
    {"SELECT orders FROM batches WHERE id = 'b1'", 2},
    {"SELECT COUNT(*) FROM batches", 2}, /* a roll-out is none */
    {"SELECT errors FROM host_facts WHERE model = 'Latitude'", 3},
    {"SELECT COUNT(*) FROM software_titles WHERE normal_name = name", 1},
    {"SELECT COUNT(*) FROM host_software", 1},
    {"SELECT COUNT(*) FROM package_states", 1},
    {"SELECT COUNT(*) FROM package_history", 1},
    {"SELECT COUNT(*) FROM package_due", 1},
    {"SELECT COUNT(*) FROM memberships", 1},
    {"SELECT COUNT(*) FROM queues WHERE content = '{}'", 1},
    {"SELECT COUNT(*) FROM certificates WHERE revoked = 0", 1},
    {"SELECT COUNT(*) FROM uploads", 1},
    {"SELECT COUNT(*) FROM reports", 1},
    {"SELECT COUNT(*) FROM software_rules", 1},
    {"SELECT COUNT(*) FROM api_tokens", 1},
    {"SELECT COUNT(*) FROM recovery_codes", 1},
    {"SELECT COUNT(*) FROM user_certificates", 1},
    {"SELECT COUNT(*) FROM rollouts WHERE state = 'running'", 1},
    {"SELECT COUNT(*) FROM webhook_queue", 1},
    {"SELECT COUNT(*) FROM host_accounts", 1},
    {"SELECT COUNT(*) FROM used_proofs", 1},
    {"SELECT COUNT(*) FROM views", 1},
    {"SELECT COUNT(*) FROM sessions WHERE sealed = 'S' AND due = 5", 1},
    {"SELECT COUNT(*) FROM ended_grants", 1},
};

static const char *database(void)
{
    const char *url = getenv("WA_TEST_PG_URL");
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    if (url == NULL)
        return "";
    WA_ASSERT_OK(wa_db_open(url, &db, &err));
    WA_ASSERT_OK(wa_db_exec(db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public", &err));
    return url;
}

static int64_t number(struct wa_db *db, const char *sql)
{
    struct wa_stmt *s = NULL;
    struct wa_err err = WA_ERR_INIT;
    bool row = false;
    WA_ASSERT_OK(wa_db_prepare(db, sql, &s, &err));
    WA_ASSERT_OK(wa_step(s, &row, &err));
    if (!row)
        return -1;
    int64_t n = wa_col_i64(s, 0);
    wa_reset(s);
    return n;
}

static void write_version(struct wa_db *db, int64_t version)
{
    struct wa_err err = WA_ERR_INIT;
    const struct wa_journal_act act = {.act = "login", .user = WA_SV("admin"), .peer = "p"};
    for (size_t i = 0; i < WA_COUNT(written); i++)
        if (written[i].version == version && wa_db_exec(db, written[i].sql, &err) != WA_OK)
            fail_msg("version %lld: %s", (long long)version, err.text);
    if (version >= 4)
        WA_ASSERT_OK(wa_server_journal_add(db, "n", &act, &err));
}

/* Each version is one that a server had, and a newer program finds. */
static void test_every_version(void **state)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    const char *url = database();
    uint64_t entries = 0;
    WA_AUTO(wa_fleet) struct wa_fleet *fleet = NULL;
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    (void)snprintf(path, sizeof path, "%s/db", (const char *)*state);
    assert_int_equal(mkdir(path, 0700), 0);
    for (int64_t v = 1; v <= wa_store_version(); v++) {
        WA_ASSERT_OK(wa_store_open_as_it_is(*state, url, &db, &err));
        if (wa_store_migrate(db, v, &err) != WA_OK)
            fail_msg("%s", err.text);
        write_version(db, v);
        wa_db_close(db);
        db = NULL;
    }
    WA_ASSERT_OK(wa_store_open(*state, url, &db, &err));
    for (size_t i = 0; i < WA_COUNT(kept); i++) {
        int64_t n = number(db, kept[i].sql);
        if (n != kept[i].number)
            fail_msg("%s: %lld", kept[i].sql, (long long)n);
    }
    WA_ASSERT_OK(wa_server_journal_verify(db, "n", NULL, &entries, &err));
    assert_int_equal(entries, wa_store_version() - 3);
    WA_ASSERT_OK(wa_fleet_new(&fleet, &err));
    WA_ASSERT_OK(wa_store_load_fleet(db, fleet, &err));
    assert_string_equal(wa_fleet_get(fleet, WA_SV("m1"))->name, "pc");
    assert_int_equal(wa_fleet_get(fleet, WA_SV("m1"))->errors, 3);
    /* And what hangs on a machine goes with it. */
    WA_ASSERT_OK(wa_store_delete_host(db, "m1", &err));
    assert_int_equal(number(db, "SELECT COUNT(*) FROM package_states"), 0);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM host_accounts"), 0);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM hosts"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        test_every_version, wa_test_tmpdir_setup, wa_test_tmpdir_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
