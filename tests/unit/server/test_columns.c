/* test_columns.c - any field of the inventory as a column: which paths there are, what is said
 * there, by whom it is seen, and as a table.
 */
#include "bench.h"

#include "base/utf8.h"
#include "server/columns.h"
#include "server/store_hosts.h"

static const char said_a[] =
    "\"host_info\":{\"computer_name\":\"a\",\"cpu_name\":\"Ryzen\",\"gateways\":[\"10.0.0.1\","
    "\"10.0.0.2\"],\"platform\":\"Linux\",\"linux64\":true,\"x.y,z%\":\"odd\",\"nothing\":null,"
    "\"networking\":[{\"iface\":\"eth0\",\"addr\":[{\"addr\":\"10.0.0.7\"}]},"
    "{\"iface\":\"eth1\"}]},"
    "\"dmi\":{\"Memory_Device\":[{\"Size\":8},{\"Size\":16}],\"BIOS_Information\":{\"Vendor\":"
    "\"AMI\"}}";
static const char said_b[] =
    "\"host_info\":{\"computer_name\":\"b\",\"cpu_name\":\"=cmd()\\u0007\\n<b>\",\"gateways\":{"
    "\"0\":\"x\"},\"platform\":\"Linux\"},\"dmi\":{\"Memory_Device\":{\"Size\":32}}";
static const char said_c[] =
    "\"host_info\":{\"computer_name\":\"c\",\"cpu_name\":{\"cpu_name\":[]},\"platform\":"
    "\"Windows\"},\"dmi\":{}";
static const char *const said[] = {said_a, said_b, said_c}; /* "c" has nothing odd */

static int setup(void **state)
{
    return trio_setup(state, said);
}

static void test_what_is_there(void **state)
{
    static const struct {
        const char *query, *expected;
    } cases[] = {
        {"columns=host_info.cpu_name", "a[Ryzen]b[=cmd()  <b>]c[]"},
        {"columns=host_info.gateways", "a[10.0.0.1, 10.0.0.2]b[]c[]"},
        {"columns=host_info.gateways.1", "a[10.0.0.2]b[]c[]"},
        {"columns=host_info.gateways.2", "a[]b[]c[]"},
        {"columns=host_info.gateways.0", "a[10.0.0.1]b[x]c[]"},
        {"columns=host_info.linux64,host_info.nothing", "a[true][]b[][]c[][]"},
        {"columns=host_info.networking.iface", "a[eth0, eth1]b[]c[]"},
        {"columns=host_info.networking.addr.addr", "a[10.0.0.7]b[]c[]"},
        {"columns=host_info.networking.1.iface", "a[eth1]b[]c[]"},
        {"columns=host_info.networking", "a[]b[]c[]"},
        {"columns=host_info.x%252Ey%252Cz%2525", "a[odd]b[]c[]"},
        {"columns=dmi.Memory_Device.Size,host_info.platform,dmi.BIOS_Information.Vendor",
         "a[8, 16][Linux][AMI]b[32][Linux][]c[][Windows][]"},
        {"columns=dmi.Memory_Device.Size&hardware=linux&sort=-name", "b[32]a[8, 16]"},
        {"columns=dmi.Memory_Device.Size&limit=1&offset=1", "b[32]"},
        {"columns=dmi.Memory_Device.Size&limit=0", ""},
        {"columns=wapt_status.x", "a[]b[]c[]"},
    };
    struct trio *p = *state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf out;
        WA_AUTO_BUF struct wa_buf got;
        WA_AUTO_ARENA struct wa_arena arena;
        const struct wa_json *j = NULL;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&out, 1u << 20);
        wa_buf_init(&got, 1u << 20);
        wa_arena_init(&arena, 4u << 20);
        assert_int_equal(
            bench_ask(&p->b, "GET", "/api/v1/hosts", cases[i].query, p->admin, WA_SV(""), &out),
            200);
        WA_ASSERT_OK(wa_json_parse(wa_buf_sv(&out), 0, &arena, &j, &err));
        const struct wa_json *hosts = wa_json_get(j, "hosts");
        for (size_t k = 0; k < wa_json_count(hosts); k++) {
            const struct wa_json *values = wa_json_get(wa_json_at(hosts, k), "values");
            wa_buf_addsv(&got, wa_json_sv(wa_json_get(wa_json_at(hosts, k), "uuid")));
            for (size_t n = 0; n < wa_json_count(values); n++)
                wa_buf_addf(&got, "[%.*s]", WA_SV_ARG(wa_json_sv(wa_json_at(values, n))));
        }
        if (strcmp(wa_buf_str(&got), cases[i].expected) != 0)
            fail_msg("%s: '%s'", cases[i].query, wa_buf_str(&got));
    }
}

/* Somebody with a perimeter gets the values of what they see, and of nothing else. */
static void test_who_sees_it(void **state)
{
    static const char *const queries[] = {"columns=host_info.cpu_name,host_info.platform",
                                          "columns=host_info.cpu_name&hardware=linux"};
    struct trio *p = *state;
    for (size_t i = 0; i < WA_COUNT(queries); i++) {
        WA_AUTO_BUF struct wa_buf out;
        wa_buf_init(&out, 1u << 20);
        assert_int_equal(
            bench_ask(&p->b, "GET", "/api/v1/hosts", queries[i], p->limited, WA_SV(""), &out), 200);
        assert_true(wa_sv_starts(wa_buf_sv(&out), "{\"total\":1,\"hosts\":[{\"uuid\":\"b\""));
        assert_null(strstr(wa_buf_str(&out), "Ryzen"));
        assert_non_null(strstr(wa_buf_str(&out), "=cmd()"));
    }
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts", queries[0], "", WA_SV(""), NULL),
                     401);
}

/* What one machine says costs a page of a thousand others little. */
static void test_a_rogue_machine_says_too_much(void **state)
{
    struct trio *p = *state;
    WA_AUTO_BUF struct wa_buf out;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&out, 1u << 20);
    wa_buf_init(&text, 16u << 20);
    wa_buf_adds(&text, "{\"cpu_name\":\"Rogue\",\"x\":[");
    for (size_t i = 0; i < WA_COLUMNS_SECTION_MAX / 8; i++)
        wa_buf_adds(&text, "{\"\":[]},");
    wa_buf_adds(&text, "0]}");
    WA_ASSERT_OK(
        wa_store_set_section(p->b.store->db, WA_SV("c"), "host_info", wa_buf_sv(&text), "", &err));
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts", "columns=host_info.cpu_name",
                               p->admin, WA_SV(""), &out),
                     200);
    assert_non_null(strstr(wa_buf_str(&out), "Ryzen"));
    assert_null(strstr(wa_buf_str(&out), "Rogue"));
}

/* A page of many is asked for in parts, and who asks for little meanwhile is answered first. */
static void test_others_in_between(void **state)
{
    struct trio *p = *state;
    struct wa_fleet *fleet = p->b.store->fleet;
    struct wa_err err = WA_ERR_INIT;
    int status = 0;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 1u << 20);
    for (int i = 0; i < 400; i++) {
        char uuid[16];
        const struct wa_fleet_change c = {.name = wa_sv(uuid), .registered_at = 1, .last_seen = 1};
        (void)snprintf(uuid, sizeof uuid, "x%d", i);
        WA_ASSERT_OK(wa_fleet_put(fleet, wa_sv(uuid), &c, &err));
    }
    p->b.is_silent = true;
    uint32_t large =
                 bench_pass(&p->b, "10.0.0.1", "GET", "/api/v1/hosts",
                            "columns=host_info.cpu_name&sort=name&limit=1000", p->admin, WA_SV("")),
             small = bench_pass(&p->b, "10.0.0.1", "GET", "/api/v1/software", "limit=1", p->admin,
                                WA_SV(""));
    p->b.is_silent = false;
    p->b.order_of[0] = p->b.order_of[1] = 0;
    assert_true(bench_serve(&p->b, large, &status, &out));
    assert_int_equal(status, 200);
    assert_int_equal(p->b.order_of[0], small);
    assert_int_equal(p->b.order_of[1], large);
    assert_non_null(strstr(wa_buf_str(&out), "\"total\":403"));
    assert_non_null(strstr(wa_buf_str(&out), "\"values\":[\"Ryzen\"]"));
    for (int i = 0; i < 400; i++) {
        char uuid[16];
        (void)snprintf(uuid, sizeof uuid, "x%d", i);
        wa_fleet_remove(fleet, wa_sv(uuid));
    }
}

static void test_table(void **state)
{
    struct trio *p = *state;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 1u << 20);
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts",
                               "format=csv&columns=host_info.cpu_name,dmi.Memory_Device.Size",
                               p->admin, WA_SV(""), &out),
                     200);
    const char *text = wa_buf_str(&out);
    assert_non_null(strstr(text, "\"registration\",\"host_info.cpu_name\",\"dmi.Memory_Device."
                                 "Size\"\r\n"));
    assert_non_null(strstr(text, ",\"Ryzen\",\"8, 16\"\r\n"));
    assert_non_null(strstr(text, ",\"'=cmd()  <b>\",\"32\"\r\n")); /* runs in no spreadsheet */
    assert_int_equal(
        bench_ask(&p->b, "GET", "/api/v1/hosts", "format=csv", p->admin, WA_SV(""), &out), 200);
    assert_non_null(strstr(wa_buf_str(&out), "\"registration\"\r\n"));
}

static void test_what_is_no_path(void **state)
{
    static const char *const queries[] = {
        "columns=host_info",
        "columns=.cpu_name",
        "columns=host_info.",
        "columns=host_info..x",
        "columns=installed_softwares.name",
        "columns=installed_packages.version",
        "columns=hosts.certificate",
        "columns=host_info.%2500",
        "columns=host_info.%250a",
        "columns=host_info.%25",
        "columns=host_info.%25ff",
        "columns=host_info.x%27%20OR%201=1",
        "columns=host_info.cpu_name&sort=host_info.cpu_name",
        "columns=host_info.cpu_name&limit=1001",
        "columns=host_info.a,host_info.a,host_info.a,host_info.a,host_info.a,host_info.a,host_info."
        "a,host_info.a,host_info.a,host_info.a,host_info.a,host_info.a,host_info.a,host_info.a,"
        "host_info.a,host_info.a,host_info.a"};
    struct trio *p = *state;
    char longer[WA_COLUMN_PATH_MAX + 32] = "columns=host_info.";
    memset(longer + strlen(longer), 'x', WA_COLUMN_PATH_MAX - 9);
    for (size_t i = 0; i < WA_COUNT(queries); i++) {
        int expected = i == 11 ? 200 : 400; /* a name, if a strange one */
        if (bench_ask(&p->b, "GET", "/api/v1/hosts", queries[i], p->admin, WA_SV(""), NULL) !=
            expected)
            fail_msg("%s", queries[i]);
    }
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts", longer, p->admin, WA_SV(""), NULL),
                     400);
}

/* What a machine says is cut, between characters. */
static void test_what_is_much(void **state)
{
    struct wa_columns c;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf out;
    const struct wa_json *j = NULL;
    WA_UNUSED(state);
    wa_arena_init(&arena, 16u << 20);
    wa_buf_init(&text, 1u << 20);
    wa_buf_init(&out, WA_COLUMN_VALUE_MAX + 2);
    wa_buf_adds(&text, "{\"x\":[");
    for (int i = 0; i < 1000; i++)
        wa_buf_addf(&text, "%s\"%.*s\xc3\xa9\"", i > 0 ? "," : "", i % 7, "abcdefg");
    wa_buf_adds(&text, "]}");
    WA_ASSERT_OK(wa_json_parse(wa_buf_sv(&text), 0, &arena, &j, &err));
    WA_ASSERT_OK(wa_columns_read(WA_SV("host_info.x"), &c, &err));
    assert_int_equal(c.n, 1);
    wa_column_value(&c.items[0], j, &out);
    WA_ASSERT_OK(wa_buf_check(&out, &err));
    assert_true(out.n > WA_COLUMN_VALUE_MAX - 16 && out.n <= WA_COLUMN_VALUE_MAX);
    assert_true(wa_utf8_valid(wa_buf_sv(&out)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_there), cmocka_unit_test(test_who_sees_it),
        cmocka_unit_test(test_what_is_there), cmocka_unit_test(test_a_rogue_machine_says_too_much),
        cmocka_unit_test(test_table),         cmocka_unit_test(test_what_is_no_path),
        cmocka_unit_test(test_what_is_much),  cmocka_unit_test(test_others_in_between),
    };
    return cmocka_run_group_tests(tests, setup, trio_teardown);
}
