/* Lists as tables: columns, pages, and nothing in them that runs. */
#include "bench.h"

#include "os/clock.h"
#include "server/api_list.h"

struct place {
    struct bench b;
    char token[65];
    struct wa_buf out;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    bench_new(&p->b);
    wa_buf_init(&p->out, 4u << 20);
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, p->token), 200);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    wa_buf_fini(&p->out);
    bench_free(&p->b);
    free(p);
    return 0;
}

static int ask(struct place *p, const char *path, const char *query)
{
    return bench_ask(&p->b, "GET", path, query, p->token, WA_SV(""), &p->out);
}

static void add_host(struct place *p, const char *uuid, const char *name)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_fleet_change c = WA_FLEET_UNCHANGED;
    c.name = wa_sv(name);
    c.registered_at = c.last_seen = 1000;
    WA_ASSERT_OK(wa_fleet_put(p->b.store->fleet, wa_sv(uuid), &c, &err));
}

#define COLUMNS                                                                                    \
    "\"uuid\",\"name\",\"fqdn\",\"os\",\"status\",\"audit\",\"description\",\"ips\",\"users\","    \
    "\"manufacturer\",\"model\",\"serial\",\"agent\",\"domain\",\"site\",\"unit\",\"reachable\","  \
    "\"last_seen\",\"registered_at\",\"groups\",\"errors\",\"upgrades\",\"windows\","              \
    "\"waits_for\",\"window_begin\",\"window_end\",\"frozen_until\",\"held\",\"root_version\","    \
    "\"orderers\",\"macs\",\"last_user\",\"dn\",\"repositories\",\"registration\"\r\n"
#define TEN "\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\""
#define ROW(uuid, name)                                                                            \
    "\"" uuid "\"," name ",\"\",\"\",\"\"," TEN ",\"\",false,1000,1000,\"[]\",0,0,\"\",\"\",0,0,"  \
    "0,\"[]\",0,\"[]\",\"\",\"\",\"\",\"\",\"\"\r\n"

static void test_hosts(void **state)
{
    struct place *p = *state;
    assert_int_equal(ask(p, "/api/v1/hosts", "format=csv"), 200);
    assert_string_equal(wa_buf_str(&p->out), COLUMNS);
    add_host(p, "b", "=cmd|' /C calc'!A0");
    add_host(p, "a", "pc\r\n\"x\"");
    assert_int_equal(ask(p, "/api/v1/hosts", "format=csv"), 200);
    assert_string_equal(wa_buf_str(&p->out),
                        COLUMNS ROW("b", "\"'=cmd|' /C calc'!A0\"") ROW("a", "\"pc  \"\"x\"\"\""));
    assert_string_equal(p->b.next, "");
    assert_int_equal(ask(p, "/api/v1/hosts", "format=json&limit=1"), 200);
    assert_true(wa_sv_starts(wa_buf_sv(&p->out), "{\"total\":2,"));
    assert_int_equal(ask(p, "/api/v1/hosts", "format=xls"), 400);
    assert_int_equal(ask(p, "/api/v1/hosts", "format=csv&x=1"), 400);
    assert_int_equal(ask(p, "/api/v1/hosts", "format=%zz"), 400);
    assert_int_equal(ask(p, "/api/v1/session", "format=csv"), 400);
    assert_int_equal(ask(p, "/api/v1/journal", "format=csv"), 200);
    assert_true(wa_sv_starts(wa_buf_sv(&p->out), "\"seq\",\"at\",\"digest\",\"entry\"\r\n"));
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/hosts", "format=csv", "", WA_SV(""), NULL),
                     401);
}

/* Every machine once, whatever the pages; the list's own filters hold on each. */
static void test_pages(void **state)
{
    static const char *const queries[] = {"format=csv", "format=csv&sort=-name",
                                          "search=pc&format=csv&sort=uuid"};
    struct place *p = *state;
    char uuid[32];
    for (int i = 0; i < 2500; i++) {
        (void)snprintf(uuid, sizeof uuid, "m%04d", i);
        add_host(p, uuid, "pc");
    }
    for (size_t k = 0; k < WA_COUNT(queries); k++) {
        char query[1024];
        int rows = 0, pages = 0;
        bool seen[2500] = {false};
        (void)snprintf(query, sizeof query, "%s", queries[k]);
        for (; query[0] != '\0'; pages++) {
            struct wa_sv rest, line;
            assert_int_equal(ask(p, "/api/v1/hosts", query), 200);
            rest = wa_buf_sv(&p->out);
            for (bool is_head = pages == 0; wa_sv_split(&rest, '\n', &line) && line.n > 0;
                 is_head = false) {
                int n = -1;
                if (is_head)
                    continue;
                assert_int_equal(sscanf(line.p, "\"m%d\"", &n), 1);
                assert_false(seen[n]);
                seen[n] = true;
                rows++;
            }
            (void)snprintf(query, sizeof query, "%s", p->b.next);
        }
        assert_int_equal(rows, 2500);
        assert_int_equal(pages, 3);
    }
    assert_int_equal(ask(p, "/api/v1/hosts", "format=csv&limit=1000"), 200);
    assert_string_equal(p->b.next, ""); /* so many, and no more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hosts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
