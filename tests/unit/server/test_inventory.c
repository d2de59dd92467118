/* test_inventory.c - reports as rows: packages and what became of them, software, key facts; what a
 * rogue machine can't do with them. */
#include "bench.h"

#include "os/clock.h"
#include "server/inventory.h"
#include "server/store_hosts.h"

struct place {
    struct bench b;
    struct machine m, other;
    char token[65];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    bench_new(&p->b);
    bench_token(&p->b, "t", INT64_MAX, 10);
    machine_new(&p->m, "machine");
    machine_new(&p->other, "other");
    assert_int_equal(machine_register(&p->b, &p->m, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(machine_register(&p->b, &p->other, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(bench_login(&p->b, "10.0.0.1", "admin", BENCH_PASSWORD, p->token), 200);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    machine_free(&p->m);
    machine_free(&p->other);
    bench_free(&p->b);
    free(p);
    return 0;
}

/* A report of m with that section. */
static int say(struct place *p, struct machine *m, const char *section, const char *json)
{
    struct wa_buf body;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 8u << 20);
    wa_buf_addf(&text,
                "{\"purpose\":\"wapt-status\",\"uuid\":\"%s\",\"seq\":%lld,\"time\":%lld,\"%s\":",
                m->uuid, (long long)++m->seq, (long long)wa_clock_now(), section);
    wa_buf_adds(&text, json);
    wa_buf_adds(&text, "}");
    machine_seal(m, wa_buf_sv(&text), &body);
    int status = bench_ask(&p->b, "POST", "/agent/v1/report", "", "", wa_buf_sv(&body), NULL);
    wa_buf_fini(&body);
    return status;
}

#define PACKAGES(p, m, json) assert_int_equal(say((p), (m), "installed_packages", (json)), 200)
#define SOFTWARE(p, m, json) assert_int_equal(say((p), (m), "installed_softwares", (json)), 200)
/* What the history of "machine" says, oldest first: event package version was status; */
static void check_history(struct place *p, const char *expected)
{
    struct wa_stmt *s;
    struct wa_err err = WA_ERR_INIT;
    bool row = true;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 1u << 20);
    assert_int_equal(wa_db_prepare(p->b.store->db,
                                   "SELECT event || ' ' || package || ' ' || version || ' ' || was "
                                   "|| ' ' || status FROM package_history WHERE host = 1 ORDER BY "
                                   "seq",
                                   &s, &err),
                     WA_OK);
    while (wa_step(s, &row, &err) == WA_OK && row) {
        wa_buf_adds(&text, text.n > 0 ? ";" : "");
        wa_buf_addsv(&text, wa_col_sv(s, 0));
    }
    assert_string_equal(wa_buf_str(&text), expected);
}

static void test_packages_and_history(void **state)
{
    struct place *p = *state;
    static const char first[] =
        "[{\"package\":\"a\",\"version\":\"1-0\",\"install_status\":\"OK\",\"install_date\":5,"
        "\"explicit\":true},{\"package\":\"b\",\"version\":\"2-0\",\"install_status\":\"ERROR\"}]";
    PACKAGES(p, &p->m, first);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM package_states WHERE host = 1", "2");
    BENCH_IS(&p->b, "SELECT installed_at FROM package_states WHERE package = 'a'", "5");
    check_history(p, "installed a 1-0  OK;failed b 2-0  ERROR");
    PACKAGES(p, &p->m, first); /* what comes twice says nothing new */
    check_history(p, "installed a 1-0  OK;failed b 2-0  ERROR");
    PACKAGES(p, &p->m,
             "[{\"package\":\"a\",\"version\":\"1-1\",\"install_status\":\"OK\","
             "\"last_audit_status\":\"WARNING\"}]");
    check_history(p,
                  "installed a 1-0  OK;failed b 2-0  ERROR;upgraded a 1-1 1-0 OK;audited a 1-1 1-0 "
                  "WARNING;removed b  2-0 ");
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM package_history WHERE host = 2", "0");
}

static void test_the_history_is_shown(void **state)
{
    struct place *p = *state;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 1u << 20);
    PACKAGES(p, &p->m, "[{\"package\":\"a\",\"version\":\"1\",\"install_status\":\"OK\"}]");
    PACKAGES(p, &p->m, "[]");
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts/machine/history", "limit=1", p->token,
                               WA_SV(""), &out),
                     200);
    assert_non_null(strstr(wa_buf_str(&out), "\"event\":\"removed\",\"package\":\"a\",\"version\":"
                                             "\"\",\"was\":\"1\""));
    assert_null(strstr(wa_buf_str(&out), "installed"));
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts/machine/history", "after=2&package=a",
                               p->token, WA_SV(""), &out),
                     200);
    assert_non_null(strstr(wa_buf_str(&out), "installed"));
    assert_null(strstr(wa_buf_str(&out), "removed"));
    assert_int_equal(
        bench_ask(&p->b, "GET", "/api/v1/hosts/none/history", "", p->token, WA_SV(""), NULL), 404);
    assert_int_equal(
        bench_ask(&p->b, "GET", "/api/v1/hosts/machine/history", "", "", WA_SV(""), NULL), 401);
}

static void test_software_is_kept_once(void **state)
{
    struct place *p = *state;
    static const char both[] = "[{\"name\":\"Firefox\",\"version\":\"115.2\",\"publisher\":\"M\"},"
                               "{\"name\":\"Firefox\",\"version\":\"115.2\",\"publisher\":\"M\"},"
                               "{\"name\":\"vim\",\"version\":\"9\",\"system_component\":1},"
                               "{\"name\":\"\",\"version\":\"9\"}]";
    SOFTWARE(p, &p->m, both);
    SOFTWARE(p, &p->other, both);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM software_titles", "2");
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM host_software", "4");
    SOFTWARE(p, &p->m, "[{\"name\":\"vim\",\"version\":\"9\",\"system_component\":1}]");
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM software_titles", "2");
    SOFTWARE(p, &p->other, "[]"); /* nobody has it any more */
    BENCH_IS(&p->b, "SELECT name FROM software_titles", "vim");
    assert_int_equal(
        bench_ask(&p->b, "DELETE", "/api/v1/hosts/machine", "", p->token, WA_SV(""), NULL), 200);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM host_software", "0");
    struct wa_err err = WA_ERR_INIT;
    assert_int_equal(wa_inventory_forget(p->b.store->db, 0, &err), WA_OK);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM software_titles", "0");
}

static void test_facts(void **state)
{
    struct place *p = *state;
    assert_int_equal(say(p, &p->m, "host_info",
                         "{\"computer_name\":\"pc\",\"system_manufacturer\":\"Dell\\u0000 "
                         "\\u001b[31m\",\"mac\":[\"aa:bb\",7,\"cc:dd\"],\"cpu_name\":{\"x\":1},"
                         "\"computer_ad_dn\":\"CN=pc,OU=Paris\"}"),
                     200);
    assert_int_equal(say(p, &p->m, "dmi",
                         "{\"System_Information\":{\"Serial_Number\":\"S1\"},"
                         "\"Chassis_Information\":[]}"),
                     200);
    assert_int_equal(say(p, &p->m, "host_metrics", "{\"physical_memory\":1024}"), 200);
    BENCH_IS(&p->b, "SELECT manufacturer FROM host_facts", "Dell   [31m");
    BENCH_IS(&p->b, "SELECT macs FROM host_facts", "aa:bb 7 cc:dd");
    BENCH_IS(&p->b, "SELECT cpu || dn || serial || memory FROM host_facts", "CN=pc,OU=ParisS11024");
    assert_int_equal(say(p, &p->m, "host_info", "{\"computer_name\":\"pc\"}"), 200);
    BENCH_IS(&p->b, "SELECT manufacturer || serial FROM host_facts", "S1");
}

static void hosts_are(struct place *p, const char *query, const char *expected)
{
    struct wa_buf out;
    wa_buf_init(&out, 1u << 20);
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts", query, p->token, WA_SV(""), &out),
                     200);
    assert_string_equal(wa_buf_str(&out), expected);
    wa_buf_fini(&out);
}

static void hosts_refuse(struct place *p, const char *query)
{
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts", query, p->token, WA_SV(""), NULL),
                     400);
}

/* What a machine goes by, as rows, in lists, and again after a start. */
static void test_what_machines_go_by(void **state)
{
    static const char all[] =
        "{\"total\":1,\"hosts\":[{\"uuid\":\"machine\",\"windows\":\"mon 01:00-02:00,tue "
        "01:00-02:00\",\"waits_for\":\"window\",\"errors\":1,\"upgrades\":2,\"root_version\":3,"
        "\"window_begin\":4000000000,\"window_end\":4000003600,\"frozen_until\":0,\"held\":["
        "\"tis-a\",\"tis-b\"],\"orderers\":[\"aa\"]}]}";
    static const char fields[] =
        "fields=windows,waits_for,errors,upgrades,root_version,window_begin,"
        "window_end,frozen_until,held,orderers&window=later";
    static const char *const found[] = {"held=tis-*",
                                        "orderer=aa",
                                        "no_orderer=bb&errors=%3E0",
                                        "upgrades=2",
                                        "waits_for=window",
                                        "upgrades=%3C=2&errors=1",
                                        "root=older",
                                        "window=later",
                                        "sort=-window_begin&errors=%3E=1",
                                        "orderer=bb,aa",
                                        "sort=errors&held=tis-b"};
    static const char *const none[] = {"held=tis",
                                       "orderer=a",
                                       "errors=2",
                                       "waits_for=power",
                                       "root=none&errors=1",
                                       "window=any",
                                       "no_orderer=aa&errors=1"};
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    assert_int_equal(
        say(p, &p->m, "policy",
            "{\"windows\":[{\"by\":\"grp-x\",\"text\":\"mon 01:00-02:00\"},{\"text\":"
            "\"tue 01:00-02:00\"},7],\"holds\":[{\"what\":\"tis-a(>=2)\"},{\"what\":"
            "\"tis-b\"},{\"what\":\"no, name\"},{\"what\":{}}],\"orderers\":[\"aa\",{}],"
            "\"waits_for\":\"window\",\"window_begin\":4000000000,\"window_end\":"
            "4000003600,\"frozen_until\":-5,\"utc_offset\":999999999,"
            "\"root_version\":3}"),
        200);
    PACKAGES(p, &p->m,
             "[{\"package\":\"a\",\"install_status\":\"ERROR\"},{\"package\":\"b\","
             "\"install_status\":\"OK\"}]");
    assert_int_equal(say(p, &p->m, "last_update_status", "{\"upgrades\":[\"c(=1)\",\"d(=2)\"]}"),
                     200);
    hosts_are(p, fields, all);
    for (size_t i = 0; i < WA_COUNT(found); i++) {
        char query[128];
        (void)snprintf(query, sizeof query, "fields=uuid&%s", found[i]);
        hosts_are(p, query, "{\"total\":1,\"hosts\":[{\"uuid\":\"machine\"}]}");
    }
    for (size_t i = 0; i < WA_COUNT(none); i++)
        hosts_are(p, none[i], "{\"total\":0,\"hosts\":[]}");
    hosts_refuse(p, "errors=many");
    hosts_refuse(p, "errors=%3C%3C2");
    hosts_refuse(p, "window=soon");
    hosts_refuse(p, "root=3");
    hosts_refuse(p, "orderer=aa&no_orderer=bb");
    hosts_refuse(p, "fields=uuid,password");
    wa_fleet_remove(p->b.store->fleet, WA_SV("machine")); /* as after a start */
    WA_ASSERT_OK(wa_store_load_fleet(p->b.store->db, p->b.store->fleet, &err));
    hosts_are(p, fields, all);
}

/* More of what machines say, and how they came in, as columns; sorted by; and after a start. */
static void test_more_columns(void **state)
{
    static const char fields[] = "fields=macs,last_user,dn,unit,repositories,registration";
    static const char all[] = "{\"total\":2,\"hosts\":[{\"uuid\":\"machine\",\"unit\":\"OU=Paris\","
                              "\"macs\":\"aa:bb cc:dd\","
                              "\"last_user\":\"<b>anna\",\"dn\":\"CN=pc,OU=Paris\","
                              "\"repositories\":\"https://a;https://b\","
                              "\"registration\":\"token\"},{\"uuid\":\"other\",\"unit\":\"\","
                              "\"macs\":\"\",\"last_user\":\"\","
                              "\"dn\":\"\",\"repositories\":\"\",\"registration\":\"token\"}]}";
    static const char *const sorts[] = {"macs", "last_user", "dn", "repositories"};
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    char query[256];
    assert_int_equal(say(p, &p->m, "host_info",
                         "{\"mac\":[\"aa:bb\",\"cc:dd\"],\"computer_ad_dn\":\"CN=pc,OU=Paris\","
                         "\"repositories\":\"https://a;https://b\"}"),
                     200);
    assert_int_equal(say(p, &p->m, "host_metrics", "{\"last_logged_on_user\":\"<b>anna\"}"), 200);
    for (int start = 0; start < 2; start++) {
        for (size_t i = 0; i < WA_COUNT(sorts); i++) {
            (void)snprintf(query, sizeof query, "%s&sort=-%s", fields, sorts[i]);
            hosts_are(p, query, all);
        }
        wa_fleet_remove(p->b.store->fleet, WA_SV("machine"));
        wa_fleet_remove(p->b.store->fleet, WA_SV("other"));
        WA_ASSERT_OK(wa_store_load_fleet(p->b.store->db, p->b.store->fleet, &err));
    }
}

/* The same filters the other way round: the other machine has said nothing. */
static void test_filters_the_other_way_round(void **state)
{
    static const struct {
        const char *query, *expected;
    } cases[] = {
        {"held=x&not=held", "both"},
        {"held=tis-*&not=held", "other"},
        {"orderer=bb&not=orderer", "both"},
        {"orderer=aa&not=orderer", "other"},
        {"errors=2&upgrades=3&not=errors,upgrades", "both"},
        {"errors=1&not=errors", "other"},
        {"errors=1&upgrades=2&not=upgrades", "none"},
        {"root=none&not=root", "machine"},
        {"root=older&not=root", "other"},
        {"window=now&waits_for=power&not=window,waits_for", "both"},
        {"window=later&not=window", "other"},
        {"waits_for=window&not=waits_for", "other"},
        {"status=NONE&audit=NONE&os=x&not=status,audit,os", "both"},
        {"status=ERROR,OK&not=status&window=later", "none"},
        {"status=ERROR,TO-UPGRADE&not=status&window=later", "machine"},
        {"search=nobody&not=search", "both"},
        {"search=machine&not=search", "other"},
    };
    static const char *const refused[] = {"not=errors",
                                          "errors=1&not=errors,reachable",
                                          "reachable=1&not=reachable",
                                          "no_orderer=aa&not=orderer",
                                          "not=software",
                                          "package=a&not=software",
                                          "not=search"};
    struct place *p = *state;
    assert_int_equal(say(p, &p->m, "policy",
                         "{\"windows\":[{\"text\":\"mon 01:00-02:00\"}],\"holds\":[{\"what\":"
                         "\"tis-a\"}],\"orderers\":[\"aa\"],\"waits_for\":\"window\","
                         "\"window_begin\":4000000000,\"window_end\":4000003600,"
                         "\"root_version\":3}"),
                     200);
    PACKAGES(p, &p->m, "[{\"package\":\"a\",\"install_status\":\"ERROR\"}]");
    assert_int_equal(say(p, &p->m, "last_update_status", "{\"upgrades\":[\"c(=1)\",\"d(=2)\"]}"),
                     200);
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 200);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        bool is_both = strcmp(cases[i].expected, "both") == 0;
        char query[128], expected[128];
        (void)snprintf(query, sizeof query, "fields=uuid&%s", cases[i].query);
        (void)snprintf(expected, sizeof expected, "{\"total\":1,\"hosts\":[{\"uuid\":\"%s\"}]}",
                       cases[i].expected);
        hosts_are(p, query,
                  strcmp(cases[i].expected, "none") == 0 ? "{\"total\":0,\"hosts\":[]}"
                  : is_both
                      ? "{\"total\":2,\"hosts\":[{\"uuid\":\"machine\"},{\"uuid\":\"other\"}]}"
                      : expected);
    }
    for (size_t i = 0; i < WA_COUNT(refused); i++)
        hosts_refuse(p, refused[i]);
    assert_int_equal(
        bench_ask(&p->b, "GET", "/api/v1/host-facets", "not=software", p->token, WA_SV(""), NULL),
        400);
}

/* More rows than a machine may have, and longer ones; the report is taken, its rows are cut. */
/* Its share of the server's time is given back to it, however busy this machine is. */
static void rested(struct place *p)
{
    wa_fleet_remove(p->b.store->fleet, wa_sv(p->m.uuid));
}

static void test_a_rogue_machine_fills_nothing(void **state)
{
    struct place *p = *state;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 8u << 20);
    wa_buf_addc(&text, '[');
    for (unsigned i = 0; i < WA_PACKAGE_ROWS_MAX + 50; i++)
        wa_buf_addf(&text, "%s{\"package\":\"%0300u\",\"version\":\"'); DROP TABLE hosts; --\"}",
                    i > 0 ? "," : "", i);
    wa_buf_addc(&text, ']');
    PACKAGES(p, &p->m, wa_buf_str(&text)); /* the names are cut to the same */
    rested(p);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM package_states", "1");
    wa_buf_clear(&text);
    wa_buf_addc(&text, '[');
    for (unsigned i = 0; i < WA_PACKAGE_ROWS_MAX + 50; i++)
        wa_buf_addf(&text, "%s{\"package\":\"p%u\",\"version\":\"1\"}", i > 0 ? "," : "", i);
    wa_buf_addc(&text, ']');
    PACKAGES(p, &p->m, wa_buf_str(&text));
    rested(p);
    PACKAGES(p, &p->m, "[]");
    rested(p);
    PACKAGES(p, &p->m, wa_buf_str(&text));
    rested(p);
    char most[16];
    (void)snprintf(most, sizeof most, "%u", WA_PACKAGE_ROWS_MAX);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM package_states", most);
    (void)snprintf(most, sizeof most, "%u", WA_HISTORY_ROWS_MAX);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM package_history", most);
    struct wa_err err = WA_ERR_INIT;
    assert_int_equal(
        wa_inventory_forget(p->b.store->db, wa_clock_now() + WA_HISTORY_AGE_S + 5, &err), WA_OK);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM package_history", "0");
    PACKAGES(p, &p->m, "[]");
}

/* One that reports other software each time, as much as it may, is told to wait; the others are
 * not. */
static void test_a_rogue_machine_takes_no_time(void **state)
{
    struct place *p = *state;
    int status = 200, reports = 0;
    for (; status == 200 && reports < 1000; reports++) {
        WA_AUTO_BUF struct wa_buf json;
        wa_buf_init(&json, 8u << 20);
        for (unsigned i = 0; i < WA_SOFTWARE_ROWS_MAX; i++)
            wa_buf_addf(&json, "%s{\"name\":\"software %u of report %d\"}", i > 0 ? "," : "[", i,
                        reports);
        wa_buf_adds(&json, "]");
        status = say(p, &p->m, "installed_softwares", wa_buf_str(&json));
    }
    assert_int_equal(status, 429);
    assert_true(reports > 1);
    assert_int_equal(machine_status(&p->b, &p->m, "OK"), 429);
    assert_int_equal(machine_status(&p->b, &p->other, "OK"), 200);
}

/* Names that are none are looked at as well, and no more of them than of others. */
static void test_a_rogue_policy_is_not_read_for_ever(void **state)
{
    struct place *p = *state;
    for (size_t i = 0; i < 2; i++) {
        WA_AUTO_BUF struct wa_buf json;
        unsigned before = i == 0 ? WA_FLEET_SAID_MAX - 1 : 20 * WA_FLEET_SAID_MAX;
        wa_buf_init(&json, 1u << 20);
        wa_buf_adds(&json, "{\"holds\":[");
        for (unsigned k = 0; k < before; k++)
            wa_buf_adds(&json, "{\"what\":\"no, name\"},");
        wa_buf_adds(&json, "{\"what\":\"tis-a\"}],\"orderers\":[");
        for (unsigned k = 0; k < before; k++)
            wa_buf_adds(&json, "\"no, name\",");
        wa_buf_adds(&json, "\"aa\"]}");
        assert_int_equal(say(p, &p->m, "policy", wa_buf_str(&json)), 200);
        static const char *const queries[] = {"fields=uuid&held=tis-a", "fields=uuid&orderer=aa"};
        for (size_t k = 0; k < WA_COUNT(queries); k++)
            hosts_are(p, queries[k],
                      i == 0 ? "{\"total\":1,\"hosts\":[{\"uuid\":\"machine\"}]}"
                             : "{\"total\":0,\"hosts\":[]}");
    }
}

static void test_version_keys(void **state)
{
    static const char *const rising[] = {"",      "0.9",        "1.0",  "1.0.1",
                                         "1.2-9", "1.2-10",     "1.10", "2",
                                         "10",    "10.0.0.0.1", "24.4", "99999999999999999999"};
    char before[WA_VERSION_KEY], key[WA_VERSION_KEY];
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rising); i++) {
        wa_inventory_version_key(wa_sv(rising[i]), key);
        assert_int_equal(strlen(key), WA_VERSION_KEY - 1);
        if (i > 0 && strcmp(before, key) >= 0)
            fail_msg("'%s' is not before '%s'", rising[i - 1], rising[i]);
        memcpy(before, key, sizeof key);
    }
}

struct torture {
    struct wa_db *db;
    int64_t host;
    const struct wa_json *packages, *software, *policy;
};

/* What is shown of what the machine goes by, too. */
static enum wa_code take_policy(const struct torture *t, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_fleet_change c = WA_FLEET_UNCHANGED;
    wa_arena_init(&arena, 1u << 20);
    return wa_inventory_take(t->db, t->host, WA_SEC_POLICY, t->policy, 1, err) == WA_OK
               ? wa_inventory_show(WA_SEC_POLICY, t->policy, &arena, &c, err)
               : err->code;
}

static enum wa_code take_both(void *arg, struct wa_err *err)
{
    struct torture *t = arg;
    struct wa_err begin = WA_ERR_INIT;
    wa_torture_pause();
    assert_int_equal(wa_db_begin(t->db, &begin), WA_OK);
    wa_torture_resume();
    enum wa_code code =
        wa_inventory_take(t->db, t->host, WA_SEC_INSTALLED_PACKAGES, t->packages, 1, err);
    if (code == WA_OK)
        code = wa_inventory_take(t->db, t->host, WA_SEC_INSTALLED_SOFTWARES, t->software, 1, err);
    if (code == WA_OK)
        code = take_policy(t, err);
    wa_torture_pause();
    wa_db_rollback(t->db);
    wa_torture_resume();
    return code;
}

/* Memory that runs out is told, and nothing is lost of it. */
static void test_torture(void **state)
{
    struct place *p = *state;
    struct torture t = {.db = p->b.store->db};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_ARENA struct wa_arena arena;
    wa_arena_init(&arena, 1u << 20);
    PACKAGES(p, &p->m, "[{\"package\":\"a\",\"version\":\"1\"}]");
    SOFTWARE(p, &p->m, "[{\"name\":\"n\",\"version\":\"1\"}]");
    assert_int_equal(wa_json_parse(WA_SV("[{\"package\":\"b\",\"version\":\"2\"}]"), 0, &arena,
                                   &t.packages, &err),
                     WA_OK);
    assert_int_equal(
        wa_json_parse(WA_SV("[{\"name\":\"m\",\"version\":\"1\"}]"), 0, &arena, &t.software, &err),
        WA_OK);
    assert_int_equal(
        wa_json_parse(WA_SV("{\"windows\":[{\"text\":\"mon 01:00-02:00\"}],\"holds\":[{\"what\":"
                            "\"a\"},{\"what\":\"b\"}],\"orderers\":[\"aa\"]}"),
                      0, &arena, &t.policy, &err),
        WA_OK);
    wa_torture_pause();
    assert_int_equal(wa_store_number(t.db, WA_SV("machine"), &t.host, &err), WA_OK);
    assert_int_equal(take_both(&t, &err), WA_OK); /* its statements stay prepared */
    (void)wa_torture(take_both, &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_packages_and_history, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_history_is_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_software_is_kept_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_facts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_machines_go_by, setup, teardown),
        cmocka_unit_test_setup_teardown(test_more_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_filters_the_other_way_round, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_rogue_machine_fills_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_rogue_machine_takes_no_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_rogue_policy_is_not_read_for_ever, setup, teardown),
        cmocka_unit_test(test_version_keys),
        cmocka_unit_test_setup_teardown(test_torture, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
