/* The server itself wakes machines: by real packets, to where its configuration says and nowhere
 * else, whatever machines report; for whom it may, and not too often. */
#include "bench.h"
#include "torture.h"

#include "base/mem.h"
#include "codec/json.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/socket.h"
#include "server/answers.h"
#include "server/wake.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define CARD(mac, address)                                                                         \
    "{\"computer_name\":\"pc\",\"networking\":[{\"mac\":\"" mac                                    \
    "\",\"addr\":[{\"addr\":\"" address "\",\"netmask\":\"255.0.0.0\"}]}]}"
#define MAC1 "00:16:3e:00:00:01"
#define MAC2 "00:16:3e:00:00:02"

struct place {
    struct bench b;
    struct machine near, far;
    char admin[65];
    int heard; /* what is sent to all of 127.0.0.0/8 comes here, as in any network */
    struct wa_buf out;
};

static int listen_to_all(uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(inet_pton(AF_INET, "127.255.255.255", &a.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static void configure(char **option, const char *text)
{
    struct wa_err err = WA_ERR_INIT;
    wa_free(*option);
    WA_ASSERT_OK(wa_sv_dup(wa_sv(text), option, &err));
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    char port[16];
    uint16_t n = 0;
    bench_new(&p->b);
    wa_buf_init(&p->out, 1u << 20);
    bench_token(&p->b, "t", wa_clock_now() + 3600, 99);
    machine_new(&p->near, "near");
    machine_new(&p->far, "far");
    p->b.facts = CARD(MAC1, "127.0.0.5");
    assert_int_equal(machine_register(&p->b, &p->near, WA_CRED_TOKEN, "t"), 200);
    p->b.facts = CARD(MAC2, "198.51.100.7");
    assert_int_equal(machine_register(&p->b, &p->far, WA_CRED_TOKEN, "t"), 200);
    p->heard = listen_to_all(&n);
    (void)snprintf(port, sizeof port, "%u", n);
    configure(&p->b.store->child.config.wol_ports, port);
    configure(&p->b.store->child.config.wol_networks, "127.0.0.0/8");
    assert_int_equal(bench_login(&p->b, "10.0.0.9", "admin", BENCH_PASSWORD, p->admin), 200);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    wa_fd_close(&p->heard);
    wa_buf_fini(&p->out);
    machine_free(&p->near);
    machine_free(&p->far);
    bench_free(&p->b);
    free(p);
    return 0;
}

static int wake(struct place *p, const char *body)
{
    return bench_ask(&p->b, "POST", "/api/v1/wake", "", p->admin, wa_sv(body), &p->out);
}

/* Whether a packet is there, for the card that ends with that number; a datagram within this
 * machine is there when it was sent. */
static bool hears(struct place *p, uint8_t last)
{
    uint8_t got[200];
    ssize_t n = recv(p->heard, got, sizeof got, MSG_DONTWAIT);
    const uint8_t mac[6] = {0x00, 0x16, 0x3e, 0, 0, last};
    if (n < 0)
        return false;
    assert_int_equal(n, 102);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(got[i], 0xff);
    for (size_t i = 6; i < 102; i += 6)
        assert_memory_equal(got + i, mac, 6);
    return true;
}

static bool says(const struct place *p, const char *text)
{
    return strstr(wa_buf_str(&p->out), text) != NULL;
}

static void test_wakes(void **state)
{
    struct place *p = *state;
    assert_int_equal(bench_ask(&p->b, "GET", "/api/v1/wake", "", p->admin, WA_SV(""), &p->out),
                     200);
    assert_true(says(p, "\"127.0.0.0/8\"") && !says(p, "hosts"));
    assert_int_equal(wake(p, "{\"hosts\":[\"near\"]}"), 200);
    assert_true(
        says(p, "\"hosts\":[{\"uuid\":\"near\",\"cards\":1,\"networks\":[\"127.0.0.0/8\"]}]"));
    assert_true(hears(p, 1));
    assert_false(hears(p, 1)); /* once */
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM journal WHERE entry LIKE '%hosts.woken%near%'", "1");
    /* One that is elsewhere, by its own word: no network of ours is told. */
    assert_int_equal(wake(p, "{\"hosts\":[\"far\",\"near\"]}"), 200);
    assert_true(says(p, "{\"uuid\":\"far\",\"cards\":1,\"networks\":[]}"));
    assert_true(hears(p, 1) && !hears(p, 1));
}

/* Each of what a machine may say of itself: how many cards and networks come of it. */
static void test_machines_lie(void **state)
{
    static const struct {
        const char *facts;
        const char *cards, *networks;
    } cases[] = {
        {"{\"networking\":[]}", "\"cards\":0", "\"networks\":[]"},
        {"{\"networking\":{\"mac\":1}}", "\"cards\":0", "\"networks\":[]"},
        {CARD("01:00:5e:00:00:01", "127.0.0.5"), "\"cards\":0", "\"networks\":[]"},
        {CARD("ff:ff:ff:ff:ff:ff", "127.0.0.5"), "\"cards\":0", "\"networks\":[]"},
        {CARD(MAC2, "127.0.0.0/8"), "\"cards\":1", "\"networks\":[]"},
        {CARD(MAC2, "8.8.8.255"), "\"cards\":1", "\"networks\":[]"},
        {CARD(MAC2, "255.255.255.255"), "\"cards\":1", "\"networks\":[]"},
        {CARD(MAC2, "::ffff:127.0.0.1"), "\"cards\":1", "\"networks\":[]"},
        {CARD(MAC2, "\\n127.0.0.1"), "\"cards\":1", "\"networks\":[]"},
    };
    struct place *p = *state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct machine m;
        machine_new(&m, "liar");
        m.seq = (int64_t)i;
        bench_exec(&p->b, "DELETE FROM sections WHERE uuid = 'liar'");
        bench_exec(&p->b, "DELETE FROM hosts WHERE uuid = 'liar'");
        wa_fleet_remove(p->b.store->fleet, WA_SV("liar"));
        p->b.facts = cases[i].facts;
        assert_int_equal(machine_register(&p->b, &m, WA_CRED_TOKEN, "t"), 200);
        assert_int_equal(wake(p, "{\"hosts\":[\"liar\"]}"), 200);
        if (!says(p, cases[i].cards) || !says(p, cases[i].networks) || hears(p, 2))
            fail_msg("%s: %s", cases[i].facts, wa_buf_str(&p->out));
        machine_free(&m);
    }
}

/* A thousand cards at a thousand addresses: some are taken, the rest is left out. */
static void test_too_many_cards(void **state)
{
    struct place *p = *state;
    struct machine m;
    WA_AUTO_BUF struct wa_buf facts;
    wa_buf_init(&facts, 1u << 20);
    wa_buf_adds(&facts, "{\"networking\":[");
    for (unsigned i = 0; i < 1000; i++)
        wa_buf_addf(&facts,
                    "%s{\"mac\":\"00:16:3e:00:%02x:%02x\",\"addr\":[{\"addr\":\"127.0.%u.%u\"}]}",
                    i > 0 ? "," : "", i / 256, i % 256, i / 250, i % 250);
    wa_buf_adds(&facts, "]}");
    machine_new(&m, "many");
    p->b.facts = wa_buf_str(&facts);
    assert_int_equal(machine_register(&p->b, &m, WA_CRED_TOKEN, "t"), 200);
    assert_int_equal(wake(p, "{\"hosts\":[\"many\"]}"), 200);
    assert_true(says(p, "\"cards\":8,\"networks\":[\"127.0.0.0/8\"]"));
    for (uint8_t i = 0; i < 8; i++)
        assert_true(hears(p, i));
    assert_false(hears(p, 8));
    machine_free(&m);
}

static void test_who_may(void **state)
{
    static const struct {
        const char *role, *perimeter, *body;
        int status;
    } cases[] = {
        {"readonly", "", "{\"hosts\":[\"near\"]}", 403},
        {"helpdesk", "{\"groups\":[\"sales\"]}", "{\"hosts\":[\"near\"]}", 404},
        {"helpdesk", "{\"groups\":[\"sales\"]}", "{\"hosts\":[\"far\",\"near\"]}", 404},
        {"helpdesk", "{\"groups\":[\"sales\"]}", "{\"hosts\":[\"far\"]}", 200},
        {"superadmin", "", "{\"hosts\":[\"near\",\"nobody\"]}", 404},
        {"superadmin", "", "{\"hosts\":[\"../near\"]}", 400},
        {"superadmin", "", "{\"hosts\":[]}", 400},
        {"superadmin", "", "{\"hosts\":[1]}", 404},
        {"superadmin", "", "{}", 400},
        {"superadmin", "", "{\"hosts\":[\"near\"],\"addresses\":[\"10.0.0.1\"]}", 400},
    };
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_store_set_user(p->b.store->db, "u", "H", "superadmin", &err));
    WA_ASSERT_OK(
        wa_fleet_set_tags(p->b.store->fleet, WA_SV("far"), WA_FLEET_IN, WA_SV("sales"), &err));
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        char session[65];
        WA_ASSERT_OK(wa_store_set_role(p->b.store->db, "u", cases[i].role, &err));
        WA_ASSERT_OK(wa_store_set_perimeter(p->b.store->db, "u", cases[i].perimeter, &err));
        assert_int_equal(bench_login(&p->b, "10.0.0.9", "u", BENCH_PASSWORD, session), 200);
        int got =
            bench_ask(&p->b, "POST", "/api/v1/wake", "", session, wa_sv(cases[i].body), &p->out);
        if (got != cases[i].status || hears(p, 1))
            fail_msg("%s as %s: %d %s", cases[i].body, cases[i].role, got, wa_buf_str(&p->out));
    }
    configure(&p->b.store->child.config.wol_ports, "");
    assert_int_equal(wake(p, "{\"hosts\":[\"near\"]}"), 403);
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM journal WHERE entry LIKE '%hosts.woken%'", "1");
}

static void test_flood(void **state)
{
    struct place *p = *state;
    WA_AUTO_BUF struct wa_buf body;
    wa_buf_init(&body, 65536);
    wa_buf_adds(&body, "{\"hosts\":[\"far\"");
    for (size_t i = 1; i < WA_WAKE_HOSTS_MAX; i++)
        wa_buf_adds(&body, ",\"far\"");
    wa_buf_adds(&body, "]}");
    for (size_t i = 0; i < WA_WAKE_MINUTE_MAX / WA_WAKE_HOSTS_MAX; i++)
        assert_int_equal(wake(p, wa_buf_str(&body)), 200);
    assert_int_equal(wake(p, "{\"hosts\":[\"near\"]}"), 429);
    assert_false(hears(p, 1));
    BENCH_IS(&p->b, "SELECT COUNT(*) FROM journal WHERE entry LIKE '%hosts.woken%'", "10");
    body.n -= 2;
    wa_buf_adds(&body, ",\"far\"]}");
    assert_int_equal(wake(p, wa_buf_str(&body)), 413);
}

static void test_rate(void **state)
{
    static struct wa_wake_rate r;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_wake_take(&r, "anna", WA_WAKE_MINUTE_MAX, 1000, &err));
    WA_ASSERT_OK(wa_wake_take(&r, "bernd", WA_WAKE_MINUTE_MAX, 1001, &err));
    WA_ASSERT_CODE(wa_wake_take(&r, "anna", 1, 1059, &err), WA_E_BUSY);
    wa_err_clear(&err);
    WA_ASSERT_OK(wa_wake_take(&r, "anna", 1, 1060, &err));
    WA_ASSERT_CODE(wa_wake_take(&r, "bernd", 1, 1060, &err), WA_E_BUSY);
    wa_err_clear(&err);
    WA_ASSERT_OK(wa_wake_take(&r, "bernd", 1, 900, &err)); /* the clock was set back */
}

static void test_configuration(void **state)
{
    static const struct {
        const char *ports, *networks;
        size_t port_count, count; /* both 0: it is refused */
    } cases[] = {
        {"7,9", "", 2, 0},
        {"1, 65535,", "10.0.0.0/8, 192.168.7.5/30", 2, 2},
        {"0", "", 0, 0},
        {"65536", "", 0, 0},
        {"9x", "", 0, 0},
        {"-9", "", 0, 0},
        {"1,2,3,4,5", "", 0, 0},
        {"9", "10.0.0.0/7", 0, 0},
        {"9", "0.0.0.0/0", 0, 0},
        {"9", "10.0.0.0/31", 0, 0},
        {"9", "10.0.0.1", 0, 0},
        {"9", "fd00::/16", 0, 0},
        {"9", "::ffff:10.0.0.0/104", 0, 0},
        {"9", "lan", 0, 0},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_wake_where where;
        struct wa_err err = WA_ERR_INIT;
        if (cases[i].port_count == 0) {
            WA_ASSERT_CODE(wa_wake_where_read(cases[i].ports, cases[i].networks, &where, &err),
                           WA_E_CONFIG);
            continue;
        }
        WA_ASSERT_OK(wa_wake_where_read(cases[i].ports, cases[i].networks, &where, &err));
        assert_int_equal(where.port_count, cases[i].port_count);
        assert_int_equal(where.count, cases[i].count);
    }
}

/* The store was taken over: it chooses no address, and floods nobody. */
static void test_the_store_asks(void **state)
{
    static const char *const refused[] = {
        "",
        "{}",
        "{\"hosts\":1}",
        "{\"hosts\":[1]}",
        "{\"hosts\":[{\"macs\":[\"" MAC1 "\"]}]}",
        "{\"hosts\":[{\"macs\":[\"01:00:5e:00:00:01\"],\"addresses\":[]}]}",
        "{\"hosts\":[{\"macs\":[\"" MAC1 "\"],\"addresses\":[\"127.0.0.0/8\"]}]}",
        "{\"hosts\":[{\"macs\":[\"" MAC1 "\"],\"addresses\":[],\"to\":\"8.8.8.8\"}]}",
        "{\"hosts\":[],\"networks\":[\"8.8.8.0/24\"]}",
    };
    struct place *p = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_wake_where where;
    WA_AUTO_BUF struct wa_buf many;
    const struct wa_server_config *c = &p->b.store->child.config;
    WA_ASSERT_OK(wa_wake_where_read(c->wol_ports, c->wol_networks, &where, &err));
    for (size_t i = 0; i < WA_COUNT(refused); i++) {
        wa_buf_clear(&p->out);
        WA_ASSERT_OK(wa_wake_answer(&where, wa_sv(refused[i]), &p->out, &err));
        if (!says(p, "\"code\":\"invalid\"") || hears(p, 1))
            fail_msg("%s: %s", refused[i], wa_buf_str(&p->out));
    }
    /* All that may be asked at once, of all networks that may be configured: too much. */
    for (where.count = 0; where.count < WA_WAKE_NETWORKS_MAX; where.count++)
        where.networks[where.count] = (struct wa_wake_network){{127, (uint8_t)where.count, 0, 0},
                                                               (unsigned)(8 + where.count % 20)};
    for (where.port_count = 0; where.port_count < WA_WAKE_PORTS_MAX; where.port_count++)
        where.ports[where.port_count] = where.ports[0];
    wa_buf_init(&many, 1u << 20);
    for (size_t i = 0; i < WA_WAKE_HOSTS_MAX; i++) {
        wa_buf_adds(&many, i == 0 ? "{\"hosts\":[" : ",");
        for (size_t k = 0; k < WA_WAKE_CARDS_MAX; k++)
            wa_buf_adds(&many, k == 0 ? "{\"macs\":[\"" MAC1 "\"" : ",\"" MAC1 "\"");
        for (size_t k = 0; k < WA_WAKE_ADDRESSES_MAX; k++)
            wa_buf_addf(&many, "%s\"127.%u.0.1\"", k == 0 ? "],\"addresses\":[" : ",", (unsigned)k);
        wa_buf_adds(&many, "]}");
    }
    wa_buf_adds(&many, "]}");
    wa_buf_clear(&p->out);
    WA_ASSERT_OK(wa_wake_answer(&where, wa_buf_sv(&many), &p->out, &err));
    assert_true(says(p, "\"code\":\"limit\"") && !hears(p, 1));
}

/* The process that sends was taken over: its answer is one, or none. */
static void test_it_answers_nonsense(void **state)
{
    static const char *const answers[] = {"",
                                          "[]",
                                          "{\"hosts\":1}",
                                          "{\"code\":\"ok\"}",
                                          "{\"code\":\"limit\",\"message\":\"m\"}",
                                          "{\"hosts\":[{\"cards\":\"x\"},{},{},{}]}"};
    struct place *p = *state;
    for (size_t i = 0; i < WA_COUNT(answers); i++) {
        p->b.wake_answer = answers[i];
        (void)wake(p, "{\"hosts\":[\"near\"]}");
        assert_true(p->out.n > 0);
    }
}

static enum wa_code wakes(void *arg, struct wa_err *err)
{
    void *state = NULL;
    char noted[16];
    WA_UNUSED(arg);
    wa_torture_pause();
    assert_int_equal(setup(&state), 0);
    struct place *p = state;
    p->b.is_tortured = true;
    int status = wake(p, "{\"hosts\":[\"near\"]}");
    p->b.is_tortured = false;
    bool is_heard = hears(p, 1);
    bench_query(&p->b, "SELECT COUNT(*) FROM journal WHERE entry LIKE '%hosts.woken%'", noted,
                sizeof noted);
    assert_true(!is_heard || noted[0] == '1');
    assert_true(is_heard || status != 200);
    assert_int_equal(teardown(&state), 0);
    wa_torture_resume();
    return status == 200 ? WA_OK : wa_nomem(err);
}

static void test_without_memory(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(wakes, NULL) > 10);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_wakes),
                                       TEST(test_machines_lie),
                                       TEST(test_too_many_cards),
                                       TEST(test_who_may),
                                       TEST(test_flood),
                                       cmocka_unit_test(test_rate),
                                       cmocka_unit_test(test_configuration),
                                       TEST(test_the_store_asks),
                                       TEST(test_it_answers_nonsense),
                                       cmocka_unit_test(test_without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
