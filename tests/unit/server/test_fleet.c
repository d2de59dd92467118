/* The machines in memory: what lists find, in which order, and what changes. */
#include "torture.h"

#include "base/mem.h"
#include "server/fleet.h"

static const struct {
    const char *uuid, *name, *os, *status;
    int64_t seen;
} machines[] = {
    {"u-3", "Alpha", "Debian 12", "OK", 300},
    {"u-1", "beta", "Debian 11", "ERROR", 100},
    {"u-2", "\xc3\x89mile", "Windows", "OK", 200}, /* Emile with an acute accent */
    {"u-4", "beta", "Debian 12", "", 300},
};

static struct wa_fleet *fleet(void)
{
    struct wa_fleet *f = NULL;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_fleet_new(&f, &err));
    for (size_t i = 0; i < WA_COUNT(machines); i++) {
        const struct wa_fleet_change c = {.name = wa_sv(machines[i].name),
                                          .fqdn = WA_SV("x.example"),
                                          .os = wa_sv(machines[i].os),
                                          .status = wa_sv(machines[i].status),
                                          .registered_at = 1,
                                          .last_seen = machines[i].seen};
        WA_ASSERT_OK(wa_fleet_put(f, wa_sv(machines[i].uuid), &c, &err));
    }
    return f;
}

/* The digits of the uuids found, in their order. */
static void find(struct wa_fleet *f, const struct wa_fleet_query *q, char out[16], size_t *total)
{
    const struct wa_fleet_host *page[8];
    size_t n = 0;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_fleet_find(f, q, page, &n, total, &err));
    for (size_t i = 0; i < n; i++)
        out[i] = page[i]->uuid[2];
    out[n] = '\0';
}

#define ANY .limit = 8

static void finds_and_sorts(void **state)
{
    static const struct {
        struct wa_fleet_query q;
        const char *found;
        size_t total;
    } cases[] = {
        {{ANY, .key = WA_FLEET_NAME}, "3142", 4}, /* capital or not; equal ones by uuid */
        {{ANY, .key = WA_FLEET_NAME, .is_descending = true}, "2413", 4},
        {{ANY, .key = WA_FLEET_UUID}, "1234", 4},
        {{ANY, .key = WA_FLEET_LAST_SEEN, .is_descending = true}, "4321", 4},
        {{ANY, .key = WA_FLEET_OS}, "1342", 4},
        {{ANY, .key = WA_FLEET_STATUS}, "4123", 4},
        {{ANY, .key = WA_FLEET_UUID, .offset = 1}, "234", 4},
        {{ANY, .key = WA_FLEET_UUID, .offset = 9}, "", 4},
        {{ANY, .key = WA_FLEET_UUID, .after = "u-2"}, "34", 2},
        {{ANY, .key = WA_FLEET_UUID, .text = "BETA"}, "14", 2},
        {{ANY, .key = WA_FLEET_UUID, .text = " debian  12 "}, "34", 2},
        {{ANY, .key = WA_FLEET_UUID, .text = "beta 12"}, "4", 1},
        {{ANY, .key = WA_FLEET_UUID, .text = "\xc3\xa9mi"}, "2", 1}, /* with a small e */
        {{ANY, .key = WA_FLEET_UUID, .text = "betau-1"}, "", 0},     /* not across two texts */
        {{ANY, .key = WA_FLEET_UUID, .text = "u-"}, "1234", 4},
        {{ANY, .key = WA_FLEET_UUID, .status = "OK"}, "23", 2},
        {{ANY, .key = WA_FLEET_UUID, .status = "O"}, "", 0},
        {{ANY, .key = WA_FLEET_UUID, .seen_before = 300}, "12", 2},
        {{ANY, .key = WA_FLEET_UUID, .is_reachable = true}, "", 0},
        {{ANY, .key = WA_FLEET_UUID, .is_unreachable = true}, "1234", 4},
    };
    WA_AUTO(wa_fleet) struct wa_fleet *f = fleet();
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        char found[16];
        size_t total = 0;
        find(f, &cases[i].q, found, &total);
        if (strcmp(found, cases[i].found) != 0 || total != cases[i].total)
            fail_msg("case %zu: %s, %zu", i, found, total);
    }
    const struct wa_fleet_query two = {ANY, .key = WA_FLEET_UUID};
    struct wa_fleet_query page = two;
    char found[16];
    size_t total = 0;
    page.limit = 2;
    page.offset = 1;
    find(f, &page, found, &total);
    assert_string_equal(found, "23");
    assert_int_equal(total, 4);
}

static void changes(void **state)
{
    WA_AUTO(wa_fleet) struct wa_fleet *f = fleet();
    const struct wa_fleet_query by_name = {ANY, .key = WA_FLEET_NAME};
    struct wa_fleet_query here = {ANY, .key = WA_FLEET_UUID};
    struct wa_fleet_change c = WA_FLEET_UNCHANGED;
    struct wa_err err = WA_ERR_INIT;
    char found[16], longer[600];
    size_t total = 0;
    WA_UNUSED(state);
    find(f, &by_name, found, &total);
    c.name = WA_SV("aaa");
    WA_ASSERT_OK(wa_fleet_put(f, WA_SV("u-2"), &c, &err));
    find(f, &by_name, found, &total);
    assert_string_equal(found, "2314");
    assert_string_equal(wa_fleet_get(f, WA_SV("u-2"))->os, "Windows"); /* left alone */
    assert_int_equal(wa_fleet_get(f, WA_SV("u-2"))->last_seen, 200);
    wa_fleet_set_reachable(f, WA_SV("u-4"), true, 900);
    wa_fleet_set_reachable(f, WA_SV("none"), true, 900);
    here.is_reachable = true;
    find(f, &here, found, &total);
    assert_string_equal(found, "4");
    assert_int_equal(wa_fleet_get(f, WA_SV("u-4"))->last_seen, 900);
    wa_fleet_remove(f, WA_SV("u-3"));
    wa_fleet_remove(f, WA_SV("u-3"));
    assert_null(wa_fleet_get(f, WA_SV("u-3")));
    find(f, &by_name, found, &total);
    assert_string_equal(found, "214");
    assert_int_equal(wa_fleet_count(f), 3);
    memset(longer, 'x', sizeof longer); /* cut, and between two letters */
    memcpy(longer + 254, "\xc3\xa9", 2);
    c.name = wa_sv_n(longer, sizeof longer);
    WA_ASSERT_OK(wa_fleet_put(f, WA_SV("u-2"), &c, &err));
    assert_int_equal(strlen(wa_fleet_get(f, WA_SV("u-2"))->name), 254);
}

static void refuses_long_searches(void **state)
{
    WA_AUTO(wa_fleet) struct wa_fleet *f = fleet();
    struct wa_fleet_query q = {ANY, .key = WA_FLEET_UUID};
    const struct wa_fleet_host *page[8];
    char text[300];
    size_t n = 0, total = 0;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    q.text = text;
    WA_ASSERT_CODE(wa_fleet_find(f, &q, page, &n, &total, &err), WA_E_USAGE);
    wa_err_clear(&err);
    q.text = "a b c d e f g h i j k l m n o p q";
    WA_ASSERT_CODE(wa_fleet_find(f, &q, page, &n, &total, &err), WA_E_USAGE);
}

static void names_of_keys(void **state)
{
    enum wa_fleet_key key = WA_FLEET_KEYS;
    bool is_descending = true;
    WA_UNUSED(state);
    assert_true(wa_fleet_key_find(WA_SV("name"), &key, &is_descending));
    assert_true(key == WA_FLEET_NAME && !is_descending);
    assert_true(wa_fleet_key_find(WA_SV("-last_seen"), &key, &is_descending));
    assert_true(key == WA_FLEET_LAST_SEEN && is_descending);
    assert_false(wa_fleet_key_find(WA_SV(""), &key, &is_descending));
    assert_false(wa_fleet_key_find(WA_SV("--name"), &key, &is_descending));
    assert_false(wa_fleet_key_find(WA_SV("certificate"), &key, &is_descending));
}

/* Many: through each growth, and in order still. */
static void grows(void **state)
{
    struct wa_fleet *f = NULL;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_fleet_query last = {.key = WA_FLEET_UUID, .is_descending = true, .limit = 1};
    const struct wa_fleet_host *page[1];
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_fleet_new(&f, &err));
    for (int i = 0; i < 5000; i++) {
        char uuid[16];
        size_t n = 0, total = 0;
        const struct wa_fleet_change c = {.name = wa_sv(uuid), .last_seen = i};
        (void)snprintf(uuid, sizeof uuid, "%06d", i);
        WA_ASSERT_OK(wa_fleet_put(f, wa_sv(uuid), &c, &err));
        if (i % 97 != 0)
            continue;
        WA_ASSERT_OK(wa_fleet_find(f, &last, page, &n, &total, &err));
        assert_string_equal(page[0]->uuid, uuid);
        assert_int_equal(total, (size_t)i + 1);
    }
    wa_fleet_free(f);
}

static enum wa_code put_once(void *arg, struct wa_err *err)
{
    WA_AUTO(wa_fleet) struct wa_fleet *f = NULL;
    const struct wa_fleet_change first = {.name = WA_SV("a"), .last_seen = 1};
    const struct wa_fleet_change second = {.name = WA_SV("b"), .last_seen = 2};
    WA_UNUSED(arg);
    if (wa_fleet_new(&f, err) != WA_OK || wa_fleet_put(f, WA_SV("u"), &first, err) != WA_OK)
        return err->code;
    if (wa_fleet_put(f, WA_SV("u"), &second, err) != WA_OK)
        assert_string_equal(wa_fleet_get(f, WA_SV("u"))->name, "a");
    return err->code;
}

static void survives_without_memory(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(put_once, NULL) >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_and_sorts),
        cmocka_unit_test(changes),
        cmocka_unit_test(refuses_long_searches),
        cmocka_unit_test(names_of_keys),
        cmocka_unit_test(grows),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
