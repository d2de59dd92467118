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
        {{ANY, .key = WA_FLEET_UUID, .after_value = "", .after_uuid = "u-2"}, "34", 4},
        {{ANY, .key = WA_FLEET_UUID, .text = "BETA"}, "14", 2},
        {{ANY, .key = WA_FLEET_UUID, .text = " debian  12 "}, "34", 2},
        {{ANY, .key = WA_FLEET_UUID, .text = "beta 12"}, "4", 1},
        {{ANY, .key = WA_FLEET_UUID, .text = "\xc3\xa9mi"}, "2", 1}, /* with a small e */
        {{ANY, .key = WA_FLEET_UUID, .text = "betau-1"}, "", 0},     /* not across two texts */
        {{ANY, .key = WA_FLEET_UUID, .text = "u-"}, "1234", 4},
        {{ANY, .key = WA_FLEET_UUID, .is[WA_FLEET_STATUS] = "OK"}, "23", 2},
        {{ANY, .key = WA_FLEET_UUID, .is[WA_FLEET_STATUS] = "O"}, "", 0},
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

/* Whoever is passed over without being read is never one that was meant. */
static void every_piece_is_found(void **state)
{
    static const char text[] = "PC-0042.Site7.\xc3\x89"
                               "cole.example.org";
    static const char *const others[] = {"OK", "ERROR", "WARNING", "TO-UPGRADE", "", "QUITE NEW"};
    WA_AUTO(wa_fleet) struct wa_fleet *f = fleet();
    struct wa_err err = WA_ERR_INIT;
    char piece[64], found[16], many[64];
    size_t total = 0;
    const struct wa_fleet_change c = {
        .name = WA_SV("mixed"), .fqdn = wa_sv(text), .registered_at = 1};
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_fleet_put(f, WA_SV("u-9"), &c, &err));
    for (size_t at = 0; at < sizeof text - 1; at++)
        for (size_t n = 1; at + n < sizeof text && text[at] != '\x89'; n++) {
            const struct wa_fleet_query q = {ANY, .key = WA_FLEET_UUID, .text = piece};
            (void)snprintf(piece, sizeof piece, "%.*s", (int)n, text + at);
            find(f, &q, found, &total);
            assert_non_null(strchr(found, '9'));
        }
    for (size_t i = 0; i < WA_COUNT(others); i++) { /* as it is now, not as it was */
        struct wa_fleet_change now = WA_FLEET_UNCHANGED;
        now.status = now.audit = wa_sv(others[i]);
        WA_ASSERT_OK(wa_fleet_put(f, WA_SV("u-9"), &now, &err));
        for (size_t k = 0; k < WA_COUNT(others); k++) {
            struct wa_fleet_query q = {ANY, .key = WA_FLEET_UUID, .text = "site7 école"};
            q.is[WA_FLEET_STATUS] = others[k];
            q.is[WA_FLEET_AUDIT] = many;
            (void)snprintf(many, sizeof many, "NONE,%s,OTHER", others[k]);
            find(f, &q, found, &total);
            assert_string_equal(found, i == k ? "9" : "");
        }
    }
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

static void pages(void **state)
{
    static const enum wa_fleet_key keys[] = {WA_FLEET_NAME, WA_FLEET_UUID, WA_FLEET_STATUS,
                                             WA_FLEET_LAST_SEEN, WA_FLEET_REACHABLE};
    WA_AUTO(wa_fleet) struct wa_fleet *f = fleet();
    WA_UNUSED(state);
    for (size_t k = 0; k < 2 * WA_COUNT(keys); k++) {
        struct wa_fleet_query all = {ANY, .key = keys[k / 2], .is_descending = k % 2 == 1};
        struct wa_fleet_query one = all;
        char whole[16], found[16], walked[16] = "", number[24], value[64], uuid[64];
        size_t total = 0;
        find(f, &all, whole, &total);
        one.limit = 1;
        for (int i = 0; i < 5; i++) {
            const struct wa_fleet_host *h;
            find(f, &one, found, &total);
            assert_int_equal(total, 4);
            (void)snprintf(walked + i, sizeof walked - (size_t)i, "%s", found);
            if (found[0] == '\0')
                break;
            (void)snprintf(uuid, sizeof uuid, "u-%s", found);
            h = wa_fleet_get(f, wa_sv(uuid));
            (void)snprintf(value, sizeof value, "%s", wa_fleet_value(h, all.key, number));
            one.after_value = value;
            one.after_uuid = uuid;
        }
        assert_string_equal(walked, whole);
    }
    struct wa_fleet_query gone = {ANY, .key = WA_FLEET_NAME, .after_value = "azure",
                                  .after_uuid = "u-9"};
    char found[16];
    size_t total = 0;
    find(f, &gone, found, &total);
    assert_string_equal(found, "142"); /* from where it would have been */
    gone.is_descending = true;
    find(f, &gone, found, &total);
    assert_string_equal(found, "3");
}

struct counted {
    char text[256];
};

static void add_count(void *user, struct wa_sv value, size_t n)
{
    struct counted *c = user;
    size_t used = strlen(c->text);
    (void)snprintf(c->text + used, sizeof c->text - used, "%.*s=%zu;", WA_SV_ARG(value), n);
}

static void counts_and_filters(void **state)
{
    WA_AUTO(wa_fleet) struct wa_fleet *f = fleet();
    struct wa_fleet_view group = {NULL, 0};
    struct wa_fleet_change unit = WA_FLEET_UNCHANGED;
    struct wa_err err = WA_ERR_INIT;
    struct wa_fleet_query q = {ANY, .key = WA_FLEET_UUID};
    struct counted c = {""};
    char found[16];
    size_t total = 0;
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_fleet_count_by(f, &q, WA_FLEET_STATUS, add_count, &c, &err));
    assert_string_equal(c.text, "OK=2;ERROR=1;=1;");
    WA_ASSERT_OK(wa_fleet_set_tags(f, WA_SV("u-1"), WA_FLEET_IN, WA_SV("sales,paris"), &err));
    WA_ASSERT_OK(wa_fleet_set_tags(f, WA_SV("u-2"), WA_FLEET_IN, WA_SV("sales"), &err));
    c.text[0] = '\0';
    WA_ASSERT_OK(wa_fleet_count_by(f, &q, WA_FLEET_KEYS + WA_FLEET_IN, add_count, &c, &err));
    assert_string_equal(c.text, "sales=2;paris=1;");
    WA_ASSERT_OK(wa_fleet_view_like(f, WA_FLEET_IN, WA_SV("none,par*"), &group, &err));
    q.has[WA_FLEET_IN] = &group;
    find(f, &q, found, &total);
    assert_string_equal(found, "1");
    q.has[WA_FLEET_IN] = NULL;
    wa_fleet_view_fini(&group);
    unit.unit = WA_SV("OU=Paris,DC=example");
    WA_ASSERT_OK(wa_fleet_put(f, WA_SV("u-3"), &unit, &err));
    unit.unit = WA_SV("OU=notParis,DC=example");
    WA_ASSERT_OK(wa_fleet_put(f, WA_SV("u-4"), &unit, &err));
    q.is[WA_FLEET_UNIT] = "ou=paris,dc=example";
    find(f, &q, found, &total);
    assert_string_equal(found, "3");
    q.is[WA_FLEET_UNIT] = "DC=example";
    find(f, &q, found, &total);
    assert_string_equal(found, "34");
    q.is[WA_FLEET_UNIT] = "=DC=example";
    find(f, &q, found, &total);
    assert_string_equal(found, "");
    q.is[WA_FLEET_UNIT] = "=ou=paris,dc=example";
    find(f, &q, found, &total);
    assert_string_equal(found, "3");
    q.is[WA_FLEET_UNIT] = "=";
    find(f, &q, found, &total);
    assert_string_equal(found, "12");
    q.is[WA_FLEET_UNIT] = NULL;
    q.is[WA_FLEET_STATUS] = "ERROR,OK";
    find(f, &q, found, &total);
    assert_string_equal(found, "123");
    q.seen_after = 200;
    find(f, &q, found, &total);
    assert_string_equal(found, "23");
}

/* --- when machines may change, what they hold, whom they trust, what is wrong --- */

#define NOON 1764158400 /* 2025-11-26, a Wednesday, 12:00 UTC */
#define HOUR 3600

static void put_schedule(struct wa_fleet *f, const char *uuid, const char *windows, int64_t begin,
                         int64_t end, int64_t frozen_until, int64_t utc_offset)
{
    const struct wa_fleet_schedule schedule = {begin, end, frozen_until, utc_offset, 0};
    struct wa_fleet_change c = WA_FLEET_UNCHANGED;
    struct wa_err err = WA_ERR_INIT;
    c.windows = wa_sv(windows);
    c.schedule = &schedule;
    WA_ASSERT_OK(wa_fleet_put(f, wa_sv(uuid), &c, &err));
}

/* Who is in which window at that time: "now:1 day: ..." by the digits of their uuids. */
static void check_windows(struct wa_fleet *f, int64_t now, const char *expected)
{
    char text[128] = "", found[16];
    size_t n = 0, total = 0;
    for (int w = WA_WINDOW_NOW; w < WA_WINDOWS; w++) {
        const struct wa_fleet_query q = {ANY, .key = WA_FLEET_UUID,
                                         .window = (enum wa_fleet_window)w, .now = now};
        find(f, &q, found, &total);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s:%s ",
                              wa_fleet_window_name((enum wa_fleet_window)w), found);
    }
    assert_string_equal(text, expected);
}

static void windows_go_on(void **state)
{
    WA_AUTO(wa_fleet) struct wa_fleet *f = fleet();
    const struct wa_fleet_query by_begin = {ANY, .key = WA_FLEET_WINDOW};
    const struct wa_fleet_query by_freeze = {ANY, .key = WA_FLEET_FROZEN, .is_descending = true};
    struct wa_fleet_query q = {ANY, .key = WA_FLEET_UUID, .now = NOON};
    struct counted c = {""};
    struct wa_err err = WA_ERR_INIT;
    enum wa_fleet_window window;
    char found[16];
    size_t total = 0;
    WA_UNUSED(state);
    check_windows(f, NOON, "now: day: later: any: frozen: none:1234 ");
    /* Two hours ahead of UTC: 13:00-15:00 there is 11:00-13:00. */
    put_schedule(f, "u-1", "13:00-15:00", NOON - HOUR, NOON + HOUR, 0, 2 * HOUR);
    put_schedule(f, "u-2", "sun 01:00-02:00", NOON + 85 * HOUR, NOON + 86 * HOUR, 0, 0);
    put_schedule(f, "u-3", "", 0, INT64_MAX, 0, 0);
    put_schedule(f, "u-4", "13:00-15:00", NOON + HOUR, NOON + 3 * HOUR, NOON + 2 * HOUR, 0);
    check_windows(f, NOON, "now:1 day: later:2 any:3 frozen:4 none: ");
    find(f, &by_begin, found, &total);
    assert_string_equal(found, "3142");
    find(f, &by_freeze, found, &total);
    assert_string_equal(found, "4321");
    WA_ASSERT_OK(wa_fleet_count_by(f, &q, WA_FLEET_BY_WINDOW, add_count, &c, &err));
    assert_non_null(strstr(c.text, "now=1;"));
    /* The window of the first is over, and the freeze of the last. */
    check_windows(f, NOON + 2 * HOUR, "now:4 day: later:2 any:3 frozen: none:1 ");
    wa_fleet_roll(f, NOON + 2 * HOUR);
    check_windows(f, NOON + 2 * HOUR, "now:4 day:1 later:2 any:3 frozen: none: ");
    assert_int_equal(wa_fleet_get(f, WA_SV("u-1"))->schedule.window_begin, NOON + 23 * HOUR);
    find(f, &by_begin, found, &total);
    assert_string_equal(found, "3412");
    /* What can't be read has no next one; what never comes again either. */
    put_schedule(f, "u-1", "hostile", 1, 2, 0, 0);
    put_schedule(f, "u-2", "2025-11-26 01:00-02:00", 1, 2, 0, 0);
    wa_fleet_roll(f, NOON);
    check_windows(f, NOON, "now: day: later: any:3 frozen:4 none:12 ");
    assert_true(wa_fleet_window_find(WA_SV("frozen"), &window) && window == WA_WINDOW_FROZEN);
    assert_false(wa_fleet_window_find(WA_SV("else"), &window));
}

static void what_machines_say_they_have(void **state)
{
    WA_AUTO(wa_fleet) struct wa_fleet *f = fleet();
    WA_AUTO_BUF struct wa_buf many;
    struct wa_fleet_view view = {NULL, 0};
    struct wa_fleet_query q = {ANY, .key = WA_FLEET_UUID};
    struct wa_err err = WA_ERR_INIT;
    char found[16];
    size_t total = 0;
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_fleet_set_tags(f, WA_SV("u-1"), WA_FLEET_ORDERERS, WA_SV("aa,bb"), &err));
    WA_ASSERT_OK(wa_fleet_set_tags(f, WA_SV("u-2"), WA_FLEET_ORDERERS, WA_SV("bb"), &err));
    WA_ASSERT_OK(wa_fleet_set_tags(f, WA_SV("u-2"), WA_FLEET_HELD, WA_SV("aa"), &err));
    WA_ASSERT_OK(wa_fleet_view_like(f, WA_FLEET_ORDERERS, WA_SV("aa"), &view, &err));
    q.has[WA_FLEET_ORDERERS] = &view;
    find(f, &q, found, &total);
    assert_string_equal(found, "1");
    q.is_without[WA_FLEET_ORDERERS] = true; /* those that have said nothing, too */
    find(f, &q, found, &total);
    assert_string_equal(found, "234");
    wa_fleet_view_fini(&view);
    /* A machine that makes names up fills its own share, and no other's. */
    wa_buf_init(&many, 1u << 20);
    for (int round = 0; round < 3; round++) {
        wa_buf_clear(&many);
        for (int i = 0; i < 200; i++)
            wa_buf_addf(&many, "made-up-%d-%d,", round, i);
        WA_ASSERT_OK(wa_fleet_set_tags(f, WA_SV("u-3"), WA_FLEET_HELD, wa_buf_sv(&many), &err));
    }
    assert_int_equal(wa_fleet_name_count(f, WA_FLEET_HELD), 1 + WA_FLEET_SAID_MAX);
    WA_ASSERT_OK(wa_fleet_set_tags(f, WA_SV("u-3"), WA_FLEET_HELD, WA_SV("new,aa"), &err));
    WA_ASSERT_OK(wa_fleet_set_tags(f, WA_SV("u-4"), WA_FLEET_HELD, WA_SV("other"), &err));
    WA_ASSERT_OK(wa_fleet_view_like(f, WA_FLEET_HELD, WA_SV("new,oth*,aa"), &view, &err));
    q = (struct wa_fleet_query){ANY, .key = WA_FLEET_UUID, .has[WA_FLEET_HELD] = &view};
    find(f, &q, found, &total);
    assert_string_equal(found, "234");
    wa_fleet_view_fini(&view);
}

static void numbers_are_compared(void **state)
{
    WA_AUTO(wa_fleet) struct wa_fleet *f = fleet();
    struct wa_fleet_query q = {ANY, .key = WA_FLEET_ERRORS, .is_descending = true};
    struct wa_fleet_change c = WA_FLEET_UNCHANGED;
    struct wa_err err = WA_ERR_INIT;
    char found[16];
    size_t total = 0;
    WA_UNUSED(state);
    c.errors = 9;
    WA_ASSERT_OK(wa_fleet_put(f, WA_SV("u-2"), &c, &err));
    c.errors = 10; /* more than 9, not less as a text */
    c.upgrades = 1;
    WA_ASSERT_OK(wa_fleet_put(f, WA_SV("u-1"), &c, &err));
    find(f, &q, found, &total);
    assert_string_equal(found, "1243");
    q.ranges[WA_FLEET_ERRORS] = (struct wa_fleet_range){1, INT64_MAX, true, false};
    find(f, &q, found, &total);
    assert_string_equal(found, "12");
    q.ranges[WA_FLEET_UPGRADES] = (struct wa_fleet_range){0, 0, true, false};
    find(f, &q, found, &total);
    assert_string_equal(found, "2");
    assert_int_equal(total, 1);
}

/* Whatever changes, an order that was kept is the one that would be made anew. */
static void orders_are_kept(void **state)
{
    WA_AUTO(wa_fleet) struct wa_fleet *f = NULL;
    struct wa_err err = WA_ERR_INIT;
    static const struct wa_fleet_host *page[300];
    const struct wa_fleet_query by[] = {{.key = WA_FLEET_NAME, .limit = 300},
                                        {.key = WA_FLEET_LAST_SEEN, .limit = 300}};
    unsigned seed = 1;
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_fleet_new(&f, &err));
    for (int i = 0; i < 2000; i++) {
        char uuid[16], name[16];
        seed = seed * 1103515245u + 12345u;
        (void)snprintf(uuid, sizeof uuid, "%03u", seed >> 16 & 255u);
        (void)snprintf(name, sizeof name, "%u", seed >> 8 & 15u);
        const struct wa_fleet_change c = {
            .name = wa_sv(name), .last_seen = seed >> 4 & 31u, .number = -1, .registered_at = -1};
        if (seed % 5 == 0)
            wa_fleet_remove(f, wa_sv(uuid));
        else
            WA_ASSERT_OK(wa_fleet_put(f, wa_sv(uuid), &c, &err));
        if (seed % 3 == 0)
            continue;
        const struct wa_fleet_query *q = &by[i % 2];
        size_t n = 0, total = 0;
        WA_ASSERT_OK(wa_fleet_find(f, q, page, &n, &total, &err));
        assert_int_equal(n, wa_fleet_count(f));
        for (size_t k = 1; k < n; k++) {
            int way = q->key == WA_FLEET_NAME ? strcmp(page[k - 1]->name, page[k]->name)
                                              : (int)(page[k - 1]->last_seen - page[k]->last_seen);
            assert_true(way < 0 || (way == 0 && strcmp(page[k - 1]->uuid, page[k]->uuid) < 0));
        }
    }
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
    const struct wa_fleet_query q = {.key = WA_FLEET_NAME, .limit = 1};
    const struct wa_fleet_host *page[1];
    struct counted c = {""};
    size_t n = 0, total = 0;
    return err->code == WA_OK && wa_fleet_find(f, &q, page, &n, &total, err) == WA_OK &&
                   wa_fleet_put(f, WA_SV("v"), &first, err) == WA_OK &&
                   wa_fleet_find(f, &q, page, &n, &total, err) == WA_OK
               ? wa_fleet_count_by(f, &q, WA_FLEET_NAME, add_count, &c, err)
               : err->code;
}

static void survives_without_memory(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(put_once, NULL) >= 8);
}

/* What a machine takes of the store's time at once, and bit by bit; the others notice nothing. */
static void takes_its_share(void **state)
{
    WA_AUTO(wa_fleet) struct wa_fleet *f = fleet();
    const struct wa_sv rogue = WA_SV("u-1"), other = WA_SV("u-2");
    WA_UNUSED(state);
    wa_fleet_took(f, rogue, WA_REPORT_BURST_MS - 1, 100000);
    assert_true(wa_fleet_may_report(f, rogue, 100000));
    wa_fleet_took(f, rogue, 500, 100000);
    assert_false(wa_fleet_may_report(f, rogue, 100000));
    assert_false(wa_fleet_may_report(f, rogue, 124000));
    assert_true(wa_fleet_may_report(f, rogue, 125000)); /* 499 ms at 20 a second */
    wa_fleet_took(f, rogue, 20, 125000);
    assert_false(wa_fleet_may_report(f, rogue, 125000));
    assert_true(wa_fleet_may_report(f, rogue, 126001));
    assert_true(wa_fleet_may_report(f, other, 100000));
    wa_fleet_took(f, WA_SV("nobody"), 100000, 1);
    assert_true(wa_fleet_may_report(f, WA_SV("nobody"), 1));
    wa_fleet_took(f, other, UINT64_MAX / 2, 1); /* the server stood still: not for long */
    assert_false(wa_fleet_may_report(f, other, 800000));
    assert_true(wa_fleet_may_report(f, other, 1000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_and_sorts),
        cmocka_unit_test(changes),
        cmocka_unit_test(every_piece_is_found),
        cmocka_unit_test(refuses_long_searches),
        cmocka_unit_test(names_of_keys),
        cmocka_unit_test(pages),
        cmocka_unit_test(counts_and_filters),
        cmocka_unit_test(windows_go_on),
        cmocka_unit_test(what_machines_say_they_have),
        cmocka_unit_test(numbers_are_compared),
        cmocka_unit_test(orders_are_kept),
        cmocka_unit_test(grows),
        cmocka_unit_test(takes_its_share),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
