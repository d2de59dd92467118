/* Which machines are meant, and their list as CSV: what machines say of themselves is harmless, and
 * proves nothing. */
#include "torture.h"

#include "base/mem.h"
#include "codec/json.h"
#include "console/wake.h"

#define U1 "00000000-0000-4000-8000-000000000001"
#define U2 "00000000-0000-4000-8000-000000000002"
#define U3 "00000000-0000-4000-8000-000000000003"

static const char list_text[] =
    "[{\"uuid\":\"" U1 "\",\"name\":\"pc-1\",\"fqdn\":\"pc-1.example\",\"os\":\"Debian 12\","
    "\"status\":\"OK\",\"reachable\":true,\"last_seen\":2000},"
    "{\"uuid\":\"" U2 "\",\"name\":\"PC-2\",\"fqdn\":\"pc-2.example\",\"os\":\"Debian 11\","
    "\"status\":\"ERROR\",\"reachable\":false,\"last_seen\":1000},"
    "{\"uuid\":\"" U3 "\",\"name\":\"pc-1\",\"fqdn\":\"" U1 "\",\"os\":\"other\","
    "\"status\":\"OK\",\"reachable\":true,\"last_seen\":0}]";

static const struct wa_json *parse(const char *text, struct wa_arena *arena)
{
    struct wa_err err = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    WA_ASSERT_OK(wa_json_parse(wa_sv(text), 0, arena, &j, &err));
    return j;
}

static enum wa_code listed(const char *text, struct wa_arena *arena, struct wa_host_list *l,
                           struct wa_err *err)
{
    return wa_host_list_add(l, parse(text, arena), err);
}

static void chooses_by_uuid_name_and_pattern(void **state)
{
    static const struct {
        const char *words;
        enum wa_code code;
        const char *uuids[4];
    } cases[] = {
        {U2, WA_OK, {U2}},
        {"pc-2", WA_OK, {U2}},         /* capital letters or not */
        {"PC-2.EXAMPLE", WA_OK, {U2}}, /* full name */
        {U1, WA_OK, {U1}},             /* though another calls itself so: a uuid is certain */
        {"pc-1", WA_E_CONFLICT, {0}},  /* two say that they are it */
        {"pc-1.example", WA_OK, {U1}},
        {"pc-*", WA_OK, {U1, U2, U3}},
        {"*.example, " U2 "," U2, WA_OK, {U1, U2}}, /* each once */
        {"pc-9", WA_E_NOT_FOUND, {0}},
        {"srv-*", WA_E_NOT_FOUND, {0}},
        {U2 ",pc-9", WA_E_NOT_FOUND, {0}}, /* all or none */
        {" , ", WA_E_USAGE, {0}},
    };
    WA_AUTO_ARENA struct wa_arena arena;
    wa_arena_init(&arena, 1u << 20);
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(listed(list_text, &arena, &list, &err));
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_TARGETS struct wa_targets t = {0};
        size_t n = 0;
        WA_ASSERT_CODE(wa_targets_choose(&list, wa_sv(cases[i].words), 3, &t, &err), cases[i].code);
        for (; cases[i].uuids[n] != NULL; n++)
            assert_string_equal(t.items[n].uuid, cases[i].uuids[n]);
        assert_int_equal(t.count, n);
        wa_err_clear(&err);
    }
}

static void refuses_a_list_that_lies(void **state)
{
    static const struct {
        const char *list;
        enum wa_code code;
    } cases[] = {
        {"[{\"uuid\":\"" U1 "\",\"name\":\"a\"},{\"uuid\":\"" U1 "\",\"name\":\"a\"}]",
         WA_E_INVALID},
        {"[{\"uuid\":\"../../x\",\"name\":\"a\"}]", WA_E_INVALID},
        {"[{\"uuid\":5,\"name\":\"a\"}]", WA_E_INVALID},
        {"[{\"name\":\"a\"}]", WA_E_INVALID},
        {"[1,null,\"a\",[]]", WA_E_INVALID},
        {"{}", WA_E_INVALID},
        {"[{\"uuid\":\"" U2 "\",\"name\":\"a\"},{\"uuid\":\"" U1 "\",\"name\":\"b\"}]",
         WA_E_INVALID},
        {"[]", WA_E_NOT_FOUND},
        {"[{\"uuid\":\"" U1 "\",\"name\":\"a1\"},{\"uuid\":\"" U2 "\",\"name\":\"a2\"},"
         "{\"uuid\":\"" U3 "\",\"name\":\"a3\"}]",
         WA_E_LIMIT},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        WA_AUTO_TARGETS struct wa_targets t = {0};
        struct wa_err err = WA_ERR_INIT;
        wa_arena_init(&arena, 1u << 20);
        WA_AUTO_HOST_LIST struct wa_host_list list = {0};
        enum wa_code code = listed(cases[i].list, &arena, &list, &err);
        if (code == WA_OK)
            code = wa_targets_choose(&list, WA_SV("a*"), 2, &t, &err);
        assert_int_equal(code, cases[i].code);
        assert_null(t.items);
    }
}

static void finds_again(void **state)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_TARGETS struct wa_targets t = {0};
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    wa_arena_init(&arena, 1u << 20);
    assert_null(wa_targets_find(&t, WA_SV(U1)));
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    WA_ASSERT_OK(listed(list_text, &arena, &list, &err));
    WA_ASSERT_OK(wa_targets_choose(&list, WA_SV("*"), 10, &t, &err));
    wa_targets_sort(&t);
    assert_string_equal(wa_targets_find(&t, WA_SV(U3))->uuid, U3);
    assert_false(wa_targets_find(&t, WA_SV(U2))->is_reachable);
    assert_null(wa_targets_find(&t, WA_SV("")));
    assert_null(wa_targets_find(&t, WA_SV(U1 U1 U1 U1 U1 U1 U1 U1)));
}

#define CARD(mac, addr, mask)                                                                      \
    "{\"networking\":[{\"iface\":\"e\",\"mac\":\"" mac "\",\"addr\":[{\"addr\":\"" addr            \
    "\",\"netmask\":\"" mask "\"}]}]}"

/* Connected machines of the same network, and nothing that a machine could make up. */
static void finds_who_wakes(void **state)
{
    static const char hosts[] =
        "[{\"uuid\":\"a\",\"name\":\"a\",\"reachable\":false,\"ips\":\"10.0.0.1\"},"
        "{\"uuid\":\"b\",\"name\":\"b\",\"reachable\":true,\"ips\":\"fe80::1, 10.0.0.2\"},"
        "{\"uuid\":\"c\",\"name\":\"c\",\"reachable\":true,\"ips\":\"10.0.0.3,10.9.0.3\"},"
        "{\"uuid\":\"d\",\"name\":\"d\",\"reachable\":true,\"ips\":\"text\"}]";
    static const struct {
        const char *who, *host_info;
        enum wa_code code;
        size_t relays, macs; /* of the last relay */
    } cases[] = {
        {"a", CARD("00:16:3e:00:00:01", "10.0.0.1", "255.255.255.0"), WA_OK, 1, 1},
        {"a", CARD("00:16:3e:00:00:01", "10.0.0.1", "255.255.255.0"), WA_OK, 1, 1}, /* once */
        {"x", CARD("00:16:3e:00:00:02", "10.0.0.77", "255.255.255.0"), WA_OK, 1, 2},
        {"x", CARD("00:16:3e:00:00:03", "10.9.0.77", "255.255.0.0"), WA_OK, 2, 1},
        {"b", CARD("00:16:3e:00:00:04", "10.0.0.2", "255.255.255.0"), WA_OK, 2, 2}, /* not itself */
        {"x", CARD("00:16:3e:00:00:05", "10.1.0.2", "255.255.255.0"), WA_E_NOT_FOUND, 2, 2},
        {"x", CARD("00:16:3e:00:00:05", "10.1.0.2", "0.0.0.0"), WA_E_NOT_FOUND, 2, 2},
        {"x", CARD("00:16:3e:00:00:05", "10.1.0.2", "mask"), WA_E_NOT_FOUND, 2, 2},
        {"x", CARD("01:00:5e:00:00:05", "10.0.0.9", "255.255.255.0"), WA_E_NOT_FOUND, 2, 2},
        {"x", CARD("00:00:00:00:00:00", "10.0.0.9", "255.255.255.0"), WA_E_NOT_FOUND, 2, 2},
        {"x", CARD("00:16:3E:00:00:05", "10.0.0.9", "255.255.255.0"), WA_E_NOT_FOUND, 2, 2},
        {"x", CARD("00-16-3e-00-00-05", "10.0.0.9", "255.255.255.0"), WA_E_NOT_FOUND, 2, 2},
        {"x", "{\"networking\":[1,{\"mac\":5},{\"mac\":\"00:16:3e:00:00:05\",\"addr\":{}}]}",
         WA_E_NOT_FOUND, 2, 2},
        {"x", "[]", WA_E_NOT_FOUND, 2, 2},
    };
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    struct wa_wake_plan plan = {.count = 0};
    WA_UNUSED(state);
    wa_arena_init(&arena, 1u << 20);
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    WA_ASSERT_OK(listed(hosts, &arena, &list, &err));
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_target who = {.name = "it"};
        (void)snprintf(who.uuid, sizeof who.uuid, "%s", cases[i].who);
        WA_ASSERT_CODE(
            wa_wake_add(&plan, &list, &who, parse(cases[i].host_info, &arena), &arena, &err),
            cases[i].code);
        wa_err_clear(&err);
        assert_int_equal(plan.count, cases[i].relays);
        assert_int_equal(plan.relays[plan.count - 1].count, cases[i].macs);
    }
    assert_string_equal(plan.relays[0].by.uuid, "b");
    assert_string_equal(plan.relays[1].by.uuid, "c");
    assert_string_equal(plan.relays[1].macs[1], "00:16:3e:00:00:04");
}

/* What the server reaches it wakes itself, whether somebody else is near or not. */
static void the_server_wakes(void **state)
{
    static const struct {
        const char *host_info;
        enum wa_code code;
        size_t direct, relays;
    } cases[] = {
        {CARD("00:16:3e:00:00:01", "10.0.0.1", "255.255.255.0"), WA_OK, 1, 1},
        {CARD("00:16:3e:00:00:01", "10.7.0.1", "255.255.255.0"), WA_OK, 1, 0},
        {CARD("00:16:3e:00:00:01", "10.7.0.1", "mask"), WA_OK, 1, 0},
        {CARD("00:16:3e:00:00:01", "10.8.0.1", "255.255.0.0"), WA_E_NOT_FOUND, 0, 0},
        {CARD("01:00:5e:00:00:01", "10.7.0.1", "255.255.255.0"), WA_E_NOT_FOUND, 0, 0},
        {CARD("00:16:3e:00:00:01", "10.7.0.1.", "255.255.255.0"), WA_E_NOT_FOUND, 0, 0},
    };
    static struct wa_wake_direct direct[WA_WAKE_TARGETS_MAX];
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    wa_arena_init(&arena, 1u << 20);
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    WA_ASSERT_OK(listed("[{\"uuid\":\"b\",\"name\":\"b\",\"reachable\":true,\"ips\":\"10.0.0.2\"}]",
                        &arena, &list, &err));
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_wake_plan plan = {.reached = "10.0.0.0/24, 10.7.0.0/16", .direct = direct};
        const struct wa_target who = {.uuid = "x", .name = "it"};
        WA_ASSERT_CODE(
            wa_wake_add(&plan, &list, &who, parse(cases[i].host_info, &arena), &arena, &err),
            cases[i].code);
        wa_err_clear(&err);
        assert_int_equal(plan.direct_count, cases[i].direct);
        assert_int_equal(plan.count, cases[i].relays);
    }
    assert_string_equal(direct[0].who.uuid, "x");
}

static void filters(void **state)
{
    static const char *const patterns[] = {"srv-*", "*.EXAMPLE"};
    static const struct {
        struct wa_host_filter f;
        bool want[3];
    } cases[] = {
        {{0}, {true, true, true}},
        {{.patterns = patterns, .pattern_count = 2}, {true, true, false}},
        {{.status = "error"}, {false, true, false}},
        {{.os = "debian*"}, {true, true, false}},
        {{.status = "error", .is_not_status = true}, {true, false, true}},
        {{.os = "debian*", .is_not_os = true}, {false, false, true}},
        {{.is_connected = true}, {true, false, true}},
        {{.is_disconnected = true}, {false, true, false}},
        {{.seen_before = 1500}, {false, true, true}},
        {{.os = "*11", .is_connected = true}, {false, false, false}},
    };
    WA_AUTO_ARENA struct wa_arena arena;
    WA_UNUSED(state);
    wa_arena_init(&arena, 1u << 20);
    const struct wa_json *list = parse(list_text, &arena);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(wa_host_matches(wa_json_at(list, k), &cases[i].f), cases[i].want[k]);
    assert_false(wa_host_matches(NULL, &cases[2].f));
}

static enum wa_code choose_once(void *arg, struct wa_err *err)
{
    WA_AUTO_TARGETS struct wa_targets t = {0};
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    enum wa_code code = wa_host_list_add(&list, arg, err);
    if (code == WA_OK)
        code = wa_targets_choose(&list, WA_SV("pc-*," U2), 10, &t, err);
    assert_int_equal(t.count, code == WA_OK ? 3 : 0);
    return code;
}

static void survives_without_memory(void **state)
{
    WA_AUTO_ARENA struct wa_arena arena;
    union {
        const struct wa_json *from;
        void *to;
    } page;
    WA_UNUSED(state);
    wa_arena_init(&arena, 1u << 20);
    page.from = parse(list_text, &arena);
    assert_true(wa_torture(choose_once, page.to) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_by_uuid_name_and_pattern),
        cmocka_unit_test(refuses_a_list_that_lies),
        cmocka_unit_test(finds_again),
        cmocka_unit_test(finds_who_wakes),
        cmocka_unit_test(the_server_wakes),
        cmocka_unit_test(filters),

        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
