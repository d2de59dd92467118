/* test_search.c - machines found by what they have, and how many have what; by somebody who sees
 * all of them, and by somebody who sees one. */
#include "bench.h"

#include "base/mem.h"
#include "server/api_search.h"

static const char said_a[] =
    "\"host_info\":{\"computer_name\":\"a\",\"system_manufacturer\":\"Dell Inc.\","
    "\"system_productname\":\"Latitude 5430\",\"mac\":[\"00:11:22:33:44:55\"],\"platform\":"
    "\"Linux\"},\"installed_softwares\":[{\"name\":\"Firefox ESR\",\"version\":\"115.9.1\","
    "\"publisher\":\"Mozilla\"},{\"name\":\"vim\",\"version\":\"9.0\"}],\"installed_packages\":[{"
    "\"package\":\"tis-firefox\",\"version\":\"115.9-2\",\"install_status\":\"OK\"}],"
    "\"last_update_status\":{\"upgrades\":[\"tis-firefox(=115.10-1)\",\"tis-vim(=9)\"]}";
static const char said_b[] =
    "\"host_info\":{\"computer_name\":\"b\",\"system_manufacturer\":\"HP\","
    "\"system_productname\":\"100%_of\",\"platform\":\"Linux\"},\"installed_softwares\":[{"
    "\"name\":\"firefox ESR\",\"version\":\"128.2\",\"publisher\":\"Mozilla\"},{\"name\":\"vim\","
    "\"version\":\"9.0\"}],\"installed_packages\":[{\"package\":\"tis-firefox\",\"version\":"
    "\"115.10-1\",\"install_status\":\"ERROR\"},{\"package\":\"tis-vim\",\"version\":\"9\","
    "\"install_status\":\"OK\",\"last_audit_status\":\"WARNING\"}],\"last_update_status\":{"
    "\"upgrades\":[\"tis-vim(=9)\"]}";
static const char said_c[] =
    "\"host_info\":{\"computer_name\":\"c\",\"system_manufacturer\":\"LENOVO\",\"platform\":"
    "\"Windows\"},\"installed_softwares\":[{\"name\":\"50%_x\",\"version\":\"1\"}],"
    "\"installed_packages\":[],\"last_update_status\":{\"upgrades\":[\"tis-vim(=10)\",\"(\",\"x\","
    "\"tis-vim(=11)\",\"y(=\"]}";
static const char *const said[] = {said_a, said_b, said_c};

static int setup(void **state)
{
    return trio_setup(state, said);
}

/* The uuids of a list's answer, one after the other. */
static void uuids_of(struct wa_sv text, char out[64])
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    size_t n = 0;
    wa_arena_init(&arena, 1u << 20);
    WA_ASSERT_OK(wa_json_parse(text, 0, &arena, &j, &err));
    const struct wa_json *hosts = wa_json_get(j, "hosts");
    for (size_t i = 0; i < wa_json_count(hosts); i++)
        out[n++] = wa_json_sv(wa_json_get(wa_json_at(hosts, i), "uuid")).p[0];
    out[n] = '\0';
}

static void test_hosts(void **state)
{
    static const struct {
        const char *query, *all, *limited;
    } cases[] = {
        {"", "abc", "b"},
        {"software=FIREFOX", "ab", "b"},
        {"software=firefox&software_version=%3E%3D115%2C%3C116", "a", ""},
        {"software=firefox&software_version=%3E115.9.1", "b", "b"},
        {"software=firefox&software_version=%3C%3D115.9.1", "a", ""},
        {"software=firefox&software_version=128.2", "b", "b"},
        {"software=*esr", "ab", "b"},
        {"software=esr*", "", ""},
        {"software=50%25_", "c", ""},
        {"software=%25", "c", ""},
        {"software=_", "c", ""},
        {"software=%27%20OR%201=1%20--", "", ""},
        {"software=%5C", "", ""},
        {"software=vim&package=tis-vim", "b", "b"},
        {"package=tis-firefox", "ab", "b"},
        {"package=tis_firefox", "", ""},
        {"package=firefox", "", ""},
        {"package=*firefox", "ab", "b"},
        {"package=tis-firefox&package_version=%3C115.10", "a", ""},
        {"package=tis-firefox&package_status=ERROR", "b", "b"},
        {"package_status=OK", "ab", "b"},
        {"package_audit=WARNING", "b", "b"},
        {"package_status=MISSING", "ac", ""},
        {"package=tis-vim&package_status=MISSING", "ac", ""},
        {"package=tis-vim&package_status=MISSING&package_version=10", "c", ""},
        {"package=tis-firefox&package_status=TO-UPGRADE", "a", ""},
        {"package=tis-*&package_status=TO-CHANGE", "b", "b"},
        {"hardware=latitude", "a", ""},
        {"hardware=model:latitude", "a", ""},
        {"hardware=manufacturer:latitude", "", ""},
        {"hardware=00:11:22", "a", ""},
        {"hardware=model:100%25_", "b", "b"},
        {"hardware=linux&software=firefox&sort=-name", "ba", "b"},
        {"hardware=linux&limit=1", "a", "b"},
        {"software=firefox&not=software", "c", ""},
        {"package=tis-vim&not=package", "ac", ""},
        {"package=tis-firefox&package_status=ERROR&not=package", "ac", ""},
        {"package_status=ERROR&not=package", "ac", ""},
        {"hardware=linux&package=tis-vim&not=package", "a", ""},
        {"software=vim&hardware=linux&not=software,hardware", "c", ""},
        {"software=vim&hardware=model:latitude&not=hardware", "b", "b"},
        {"hardware=latitude&search=c&not=hardware,search", "b", "b"},
        {"search=a&not=search", "bc", "b"},
        {"group=sales&not=group", "ac", ""},
    };
    struct trio *p = *state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf out;
        char got[64];
        wa_buf_init(&out, 1u << 20);
        for (int k = 0; k < 2; k++) {
            assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts", cases[i].query,
                                       k == 0 ? p->admin : p->limited, WA_SV(""), &out),
                             200);
            uuids_of(wa_buf_sv(&out), got);
            if (strcmp(got, k == 0 ? cases[i].all : cases[i].limited) != 0)
                fail_msg("%s (%d): '%s'", cases[i].query, k, got);
        }
    }
}

static void test_what_is_no_question(void **state)
{
    static const char *const queries[] = {"software=x&software_version=~1", "software_version=1",
                                          "package_version=1", "software=x&software_version=%3E",
                                          "package=x&package_version=1%2C%2C2"};
    struct trio *p = *state;
    for (size_t i = 0; i < WA_COUNT(queries); i++)
        assert_int_equal(
            bench_ask(&p->b, "GET", "/api/v1/hosts", queries[i], p->admin, WA_SV(""), NULL), 400);
}

static void check(struct trio *p, const char *path, const char *query, const char *token,
                  const char *expected)
{
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 1u << 20);
    assert_int_equal(bench_ask(&p->b, "GET", path, query, token, WA_SV(""), &out), 200);
    assert_string_equal(wa_buf_str(&out), expected);
}

static void test_counts(void **state)
{
    struct trio *p = *state;
    check(p, "/api/v1/software", "search=vim", p->admin,
          "{\"software\":[{\"name\":\"vim\",\"version\":\"9.0\",\"publisher\":\"\",\"machines\":2}"
          "]}");
    check(p, "/api/v1/software", "search=vim", p->limited,
          "{\"software\":[{\"name\":\"vim\",\"version\":\"9.0\",\"publisher\":\"\",\"machines\":1}"
          "]}");
    check(p, "/api/v1/software", "offset=2&limit=1&search=*", p->limited, "{\"software\":[]}");
    check(p, "/api/v1/software", "search=115", p->limited, "{\"software\":[]}");
    check(p, "/api/v1/package-states", "package=tis-firefox", p->admin,
          "{\"packages\":[{\"package\":\"tis-firefox\",\"version\":\"115.9-2\",\"status\":\"OK\","
          "\"machines\":1},{\"package\":\"tis-firefox\",\"version\":\"115.10-1\",\"status\":"
          "\"ERROR\",\"machines\":1}]}");
    check(
        p, "/api/v1/package-states", "offset=1&limit=1", p->admin,
        "{\"packages\":[{\"package\":\"tis-firefox\",\"version\":\"115.10-1\",\"status\":"
        "\"ERROR\",\"machines\":1}],\"next\":"
        "\"CjAwMDAwMDAxMTUwMDAwMDAwMDEwMDAwMDAwMDAwMTAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMAp0aXMt"
        "ZmlyZWZveAoxMTUuMTAtMQpFUlJPUg\"}");
    check(
        p, "/api/v1/package-states", "limit=1", p->limited,
        "{\"packages\":[{\"package\":\"tis-firefox\",\"version\":\"115.10-1\",\"status\":"
        "\"ERROR\",\"machines\":1}],\"next\":"
        "\"CjAwMDAwMDAxMTUwMDAwMDAwMDEwMDAwMDAwMDAwMTAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMAp0aXMt"
        "ZmlyZWZveAoxMTUuMTAtMQpFUlJPUg\"}");
    assert_int_equal(
        bench_ask(&p->b, "GET", "/api/v1/hosts/a/history", "", p->limited, WA_SV(""), NULL), 404);
}

/* "package version status machines" of each, one a line, page by page of that size. */
static void estate_of(struct trio *p, const char *token, const char *query, const char *body,
                      int limit, char *got, size_t size)
{
    static const char *const keys[] = {"package", "version", "status"};
    char after[1024] = "", asked[2048];
    size_t n = 0;
    do {
        WA_AUTO_BUF struct wa_buf out;
        WA_AUTO_ARENA struct wa_arena arena;
        struct wa_err err = WA_ERR_INIT;
        const struct wa_json *j = NULL;
        int64_t machines = 0;
        wa_buf_init(&out, 1u << 20);
        wa_arena_init(&arena, 1u << 20);
        (void)snprintf(asked, sizeof asked, "%s&limit=%d%s%s", query, limit,
                       after[0] != '\0' ? "&after=" : "", after);
        assert_int_equal(bench_ask(&p->b, body[0] != '\0' ? "POST" : "GET", "/api/v1/estate", asked,
                                   token, wa_sv(body), &out),
                         200);
        WA_ASSERT_OK(wa_json_parse(wa_buf_sv(&out), 0, &arena, &j, &err));
        const struct wa_json *rows = wa_json_get(j, "estate");
        assert_true(wa_json_count(rows) <= (size_t)limit);
        for (size_t i = 0; i < wa_json_count(rows); i++) {
            const struct wa_json *row = wa_json_at(rows, i);
            for (size_t k = 0; k < WA_COUNT(keys); k++)
                n += (size_t)snprintf(got + n, size - n, "%.*s ",
                                      WA_SV_ARG(wa_json_sv(wa_json_get(row, keys[k]))));
            assert_true(wa_json_i64(wa_json_get(row, "machines"), &machines));
            n += (size_t)snprintf(got + n, size - n, "%lld\n", (long long)machines);
            assert_true(n < size);
        }
        (void)snprintf(after, sizeof after, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(j, "next"))));
    } while (after[0] != '\0');
    got[n] = '\0';
}

#define VIM_B "tis-vim 9 OK 1\ntis-vim 9 TO-CHANGE 1\n"
#define FIREFOX_B "tis-firefox 115.10-1 ERROR 1\n"

static void test_estate(void **state)
{
    static const char all[] = "tis-firefox 115.9-2 OK 1\n" FIREFOX_B
                              "tis-firefox 115.10-1 TO-UPGRADE 1\ntis-vim 9 MISSING 1\n" VIM_B
                              "tis-vim 10 MISSING 1\nx  MISSING 1\ny  MISSING 1\n";
    static const struct {
        const char *query, *body, *all, *limited;
    } cases[] = {
        {"name=tis*", "", NULL, FIREFOX_B VIM_B},
        {"state=MISSING", "",
         "tis-vim 9 MISSING 1\ntis-vim 10 MISSING 1\nx  MISSING 1\ny  MISSING 1\n", ""},
        {"name=fire&state=ERROR", "", FIREFOX_B, FIREFOX_B},
        {"search=a", "",
         "tis-firefox 115.9-2 OK 1\ntis-firefox 115.10-1 TO-UPGRADE 1\ntis-vim 9 MISSING 1\n", ""},
        {"group=sales", "", FIREFOX_B VIM_B, FIREFOX_B VIM_B},
        {"software=firefox&name=vim", "", "tis-vim 9 MISSING 1\n" VIM_B, VIM_B},
        {"package=tis-firefox&package_status=OK&not=package&name=vim", "",
         VIM_B "tis-vim 10 MISSING 1\n", VIM_B},
        {"search=a&not=search&name=vim", "", VIM_B "tis-vim 10 MISSING 1\n", VIM_B},
        {"package=tis-firefox&package_status=OK&name=vim", "", "tis-vim 9 MISSING 1\n", ""},
        {"hardware=manufacturer:hp", "{\"hosts\":[\"a\",\"b\"]}", FIREFOX_B VIM_B, FIREFOX_B VIM_B},
        {"name=vim", "{\"hosts\":[\"a\",\"b\",\"nobody\"]}", "tis-vim 9 MISSING 1\n" VIM_B, VIM_B},
        {"", "{\"hosts\":[]}", "", ""},
        {"", "{\"hosts\":[\"a\",\"c\"]}", NULL, ""},
        {"name=%27%20OR%201=1%20--", "", "", ""},
    };
    struct trio *p = *state;
    char got[4096];
    for (int limit = 1; limit <= 100; limit += 3) {
        estate_of(p, p->admin, "", "", limit, got, sizeof got);
        assert_string_equal(got, all);
    }
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        for (int k = 0; k < 2; k++) {
            const char *expected = k == 0 ? cases[i].all : cases[i].limited;
            estate_of(p, k == 0 ? p->admin : p->limited, cases[i].query, cases[i].body, 2, got,
                      sizeof got);
            if (expected != NULL && strcmp(got, expected) != 0)
                fail_msg("%s %s (%d): '%s'", cases[i].query, cases[i].body, k, got);
        }
}

static void test_estate_follows(void **state)
{
    struct trio *p = *state;
    char got[4096];
    trio_say(p, 0, "\"last_update_status\":{\"upgrades\":[\"tis-vim(=10)\"]}");
    estate_of(p, p->admin, "search=a", "", 100, got, sizeof got);
    assert_string_equal(got, "tis-firefox 115.9-2 OK 1\ntis-vim 10 MISSING 1\n");
    assert_int_equal(bench_ask(&p->b, "DELETE", "/api/v1/hosts/a", "", p->admin, WA_SV(""), NULL),
                     200);
    estate_of(p, p->admin, "name=vim", "", 100, got, sizeof got);
    assert_string_equal(got, VIM_B "tis-vim 10 MISSING 1\n");
}

/* The database knows machines already that this server's lists do not: another server has just
 * taken them in. Who sees all machines that are listed sees none of these. */
static void test_estate_of_the_unlisted(void **state)
{
    struct trio *p = *state;
    char got[4096];
    wa_fleet_remove(p->b.store->fleet, WA_SV("a"));
    wa_fleet_remove(p->b.store->fleet, WA_SV("c"));
    estate_of(p, p->limited, "", "", 100, got, sizeof got);
    assert_string_equal(got, FIREFOX_B VIM_B);
    wa_fleet_remove(p->b.store->fleet, WA_SV("b"));
    estate_of(p, p->limited, "", "", 100, got, sizeof got);
    assert_string_equal(got, "");
    estate_of(p, p->admin, "", "{\"hosts\":[]}", 100, got, sizeof got);
    assert_string_equal(got, "");
}

static void test_what_is_no_estate(void **state)
{
    static const char *const bodies[] = {"", "[]", "{}", "{\"hosts\":\"a\"}",
                                         "{\"hosts\":[],\"x\":1}"};
    struct trio *p = *state;
    for (size_t i = 0; i < WA_COUNT(bodies); i++)
        assert_int_equal(
            bench_ask(&p->b, "POST", "/api/v1/estate", "", p->admin, wa_sv(bodies[i]), NULL), 400);
    assert_int_equal(
        bench_ask(&p->b, "GET", "/api/v1/estate", "package_version=1", p->admin, WA_SV(""), NULL),
        400);
}

static void refuse(const char *text)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_HOSTSET struct wa_hostset none = {NULL, 0, 0};
    WA_ASSERT_CODE(wa_hostset_read(wa_sv(text), &none, &err), WA_E_INVALID);
}

static void test_hostsets(void **state)
{
    static const char *const bad[] = {"0", "-1", "1,", "a", "16777217", ",1", "1 ,2"};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf out;
    WA_UNUSED(state);
    wa_buf_init(&out, 4096);
    WA_AUTO_HOSTSET struct wa_hostset s = {NULL, 0, 0}, other = {NULL, 0, 0};
    WA_ASSERT_OK(wa_hostset_read(WA_SV("5000,1,64,7,7"), &s, &err));
    WA_ASSERT_OK(wa_hostset_read(WA_SV("7,64,9"), &other, &err));
    assert_int_equal(s.count, 4);
    wa_hostset_write(&s, &out);
    assert_string_equal(wa_buf_str(&out), "1,7,64,5000");
    wa_hostset_cut(&s, &other);
    assert_int_equal(s.count, 2);
    assert_true(wa_hostset_has(&s, 64) && !wa_hostset_has(&s, 9) && !wa_hostset_has(&s, 99999));
    wa_hostset_fini(&other);
    for (size_t i = 0; i < WA_COUNT(bad); i++)
        refuse(bad[i]);
}

static enum wa_code ask(void *arg, struct wa_err *err)
{
    struct trio *p = arg;
    WA_AUTO_BUF struct wa_buf question, answer;
    struct wa_search_hosts q = WA_SEARCH_HOSTS;
    wa_buf_init(&question, 65536);
    wa_buf_init(&answer, 65536);
    q.software = "%firefox%";
    q.hardware = "%a%";
    wa_search_write_hosts(&q, &question);
    if (wa_buf_check(&question, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_search_answer(p->b.store->db, wa_buf_sv(&question), &answer, err);
    return code == WA_OK && strstr(wa_buf_str(&answer), "nomem") != NULL ? wa_nomem(err) : code;
}

/* Who asks for much waits for it, and the others do not. */
static void test_share(void **state)
{
    static const char *const what[][2] = {
        {"/api/v1/software", ""},
        {"/api/v1/hosts", "hardware=linux"},
        {"/api/v1/hosts", "columns=host_info.platform"},
        {"/api/v1/hosts", "hardware=linux&columns=host_info.platform"},
        {"/api/v1/estate", ""},
        {"/api/v1/estate", "hardware=linux"}};
    struct trio *p = *state;
    uint32_t last = 0;
    int status = 0;
    p->b.is_silent = true;
    for (unsigned i = 0; i < WA_SEARCHES_EACH; i++)
        last = bench_pass(&p->b, "10.0.0.1", "GET", what[i % WA_COUNT(what)][0],
                          what[i % WA_COUNT(what)][1], p->limited, WA_SV(""));
    for (size_t i = 0; i < WA_COUNT(what); i++)
        assert_int_equal(
            bench_ask(&p->b, "GET", what[i][0], what[i][1], p->limited, WA_SV(""), NULL), 429);
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts", "", p->limited, WA_SV(""), NULL),
                     200); /* no search */
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/software", "", p->admin, WA_SV(""), NULL),
                     0); /* waits */
    p->b.is_silent = false;
    assert_true(bench_serve(&p->b, last, &status, NULL));
    assert_int_equal(status, 200);
    assert_null(p->b.store->searches);
    for (size_t i = 0; i < WA_COUNT(what); i++)
        assert_int_equal(
            bench_ask(&p->b, "GET", what[i][0], what[i][1], p->limited, WA_SV(""), NULL), 200);
}

static void nothing(struct wa_store *s, void *user, struct wa_sv payload)
{
    WA_UNUSED(s);
    WA_UNUSED(user);
    WA_UNUSED(payload);
}

/* A request that asks again waits once. */
static void test_asks_again(void **state)
{
    struct trio *p = *state;
    struct wa_store *s = p->b.store;
    struct wa_err err = WA_ERR_INIT;
    struct wa_store_request r = {.store = s, .caller = "admin"};
    WA_AUTO_BUF struct wa_buf question;
    wa_buf_init(&question, 65536);
    wa_search_write_hosts(&(struct wa_search_hosts)WA_SEARCH_HOSTS, &question);
    p->b.is_silent = true;
    for (unsigned i = 0; i < 2 * WA_SEARCHES_EACH; i++)
        WA_ASSERT_OK(wa_api_search_ask(&r, &question, nothing, NULL, &err));
    assert_ptr_equal(s->searches, &r);
    assert_null(r.next_search);
    s->searches = NULL;     /* it is not the store's to free */
    p->b.is_silent = false; /* all are answered, the last one last */
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/software", "", p->admin, WA_SV(""), NULL),
                     200);
}

static void test_torture(void **state)
{
    struct trio *p = *state;
    struct wa_err err = WA_ERR_INIT;
    wa_torture_pause();
    WA_ASSERT_OK(ask(p, &err)); /* its statements stay prepared */
    (void)wa_torture(ask, p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hosts, setup, trio_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_question, setup, trio_teardown),
        cmocka_unit_test_setup_teardown(test_counts, setup, trio_teardown),
        cmocka_unit_test_setup_teardown(test_estate, setup, trio_teardown),
        cmocka_unit_test_setup_teardown(test_estate_follows, setup, trio_teardown),
        cmocka_unit_test_setup_teardown(test_estate_of_the_unlisted, setup, trio_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_estate, setup, trio_teardown),
        cmocka_unit_test(test_hostsets),
        cmocka_unit_test_setup_teardown(test_share, setup, trio_teardown),
        cmocka_unit_test_setup_teardown(test_asks_again, setup, trio_teardown),
        cmocka_unit_test_setup_teardown(test_torture, setup, trio_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
