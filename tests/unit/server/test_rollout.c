/* How roll-outs go forward: their plans, whom a ring has, when they go on and when they stop. */
#include "testlib.h"

#include "proto/rollout.h"
#include "server/rollout.h"
#include "torture.h"

static enum wa_code read_plan(const char *text, struct wa_arena *arena, struct wa_rollout_plan *p)
{
    struct wa_err err = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    if (wa_json_parse(wa_sv(text), 0, arena, &j, &err) != WA_OK)
        return err.code;
    enum wa_code code = wa_rollout_plan_read(j, p, &err);
    assert_true(code == WA_OK || err.text[0] != '\0');
    return code;
}

#define ALL "{\"name\":\"all\",\"percent\":100}"

static void test_plans(void **state)
{
    static const char *const good[] = {
        "{\"rings\":[" ALL "]}",
        "{\"rings\":[{\"name\":\"p\",\"machines\":[\"m\"]},{\"name\":\"q\",\"percent\":5}," ALL
        "],\"promote\":\"hand\",\"windows\":\"mon-fri 20:00-06:00\"}",
    };
    static const char *const bad[] = {
        "{}",
        "{\"rings\":[]}",
        "{\"rings\":[{\"name\":\"p\",\"percent\":99}]}",
        "{\"rings\":[{\"name\":\"\",\"percent\":100}]}",
        "{\"rings\":[{\"name\":\"p\",\"percent\":0}]}",
        "{\"rings\":[{\"name\":\"p\",\"percent\":101}]}",
        "{\"rings\":[{\"name\":\"p\",\"percent\":-1}," ALL "]}",
        "{\"rings\":[{\"name\":\"p\",\"percent\":5,\"machines\":[]}," ALL "]}",
        "{\"rings\":[{\"name\":\"p\",\"machines\":[1]}," ALL "]}",
        "{\"rings\":[{\"name\":\"p\",\"members_of\":[1]}," ALL "]}",
        "{\"rings\":[{\"name\":\"p\",\"percent\":10},{\"name\":\"q\",\"percent\":10}," ALL "]}",
        "{\"rings\":[" ALL "," ALL "]}",
        "{\"rings\":[" ALL "],\"promote\":\"soon\"}",
        "{\"rings\":[" ALL "],\"success_percent\":0}",
        "{\"rings\":[" ALL "],\"success_percent\":101}",
        "{\"rings\":[" ALL "],\"error_percent\":0}",
        "{\"rings\":[" ALL "],\"error_count\":0}",
        "{\"rings\":[" ALL "],\"min_count\":0}",
        "{\"rings\":[" ALL "],\"min_time_s\":-1}",
        "{\"rings\":[" ALL "],\"windows\":\"always\"}",
        "{\"rings\":[" ALL "],\"speed\":1}",
    };
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_rollout_plan p;
    (void)state;
    wa_arena_init(&arena, 1u << 20);
    for (size_t i = 0; i < WA_COUNT(good); i++)
        assert_int_equal(read_plan(good[i], &arena, &p), WA_OK);
    assert_true(p.by_hand);
    assert_int_equal(p.windows.n, 1);
    for (size_t i = 0; i < WA_COUNT(bad); i++)
        assert_int_not_equal(read_plan(bad[i], &arena, &p), WA_OK);
}

/* The same machine is always at the same place, whoever else is there; each roll-out has others
 * first, and a percentage is about that many. */
static void test_places(void **state)
{
    static const char one[] = "11111111111111111111111111111111";
    static const char two[] = "22222222222222222222222222222222";
    struct wa_err err = WA_ERR_INIT;
    size_t first = 0, both = 0;
    (void)state;
    for (int i = 0; i < 4000; i++) {
        char uuid[32];
        int64_t a = -1, b = -1, again = -1;
        (void)snprintf(uuid, sizeof uuid, "machine-%d", i);
        assert_int_equal(wa_rollout_place(one, uuid, &a, &err), WA_OK);
        assert_int_equal(wa_rollout_place(one, uuid, &again, &err), WA_OK);
        assert_int_equal(wa_rollout_place(two, uuid, &b, &err), WA_OK);
        assert_true(a >= 0 && a < 100 && a == again);
        first += a < 10;
        both += a < 10 && b < 10;
    }
    assert_true(first > 300 && first < 500);
    assert_true(both < 100);
    int64_t place = -1; /* it never changes: a later version asks the same machines */
    assert_int_equal(wa_rollout_place(one, "machine-0", &place, &err), WA_OK);
    assert_int_equal(place, 72);
}

static void test_rings(void **state)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_rollout_plan p;
    (void)state;
    wa_arena_init(&arena, 1u << 20);
    assert_int_equal(read_plan("{\"rings\":[{\"name\":\"p\",\"machines\":[\"m1\"]},{\"name\":\"g\","
                               "\"members_of\":[\"grp-a\"]},{\"name\":\"q\",\"percent\":10}," ALL
                               "]}",
                               &arena, &p),
                     WA_OK);
    assert_int_equal(wa_rollout_ring(&p, "m1", WA_SV("grp-a"), 0), 0);
    assert_int_equal(wa_rollout_ring(&p, "m2", WA_SV("grp-b,grp-a"), 0), 1);
    assert_int_equal(wa_rollout_ring(&p, "m2", WA_SV("grp-ab"), 9), 2);
    assert_int_equal(wa_rollout_ring(&p, "m2", WA_SV(""), 10), 3);
    assert_int_equal(wa_rollout_ring(&p, "m2", WA_SV(""), 99), 3);
}

static void test_verdicts(void **state)
{
    static const struct {
        struct wa_ring_counts first, second;
        size_t ring;
        int64_t open_s, forgiven;
        enum wa_rollout_verdict expected;
    } cases[] = {
        /* min_count 5, success 90, min_time 100, errors: 2 and 20 percent */
        {{10, 5, 0}, {90, 0, 0}, 0, 100, 0, WA_ROLLOUT_GOES_ON},
        {{10, 5, 0}, {90, 0, 0}, 0, 99, 0, WA_ROLLOUT_STAYS},
        {{10, 4, 0}, {90, 0, 0}, 0, 100, 0, WA_ROLLOUT_STAYS},
        {{3, 3, 0}, {97, 0, 0}, 0, 100, 0, WA_ROLLOUT_GOES_ON}, /* fewer than asked for: all */
        {{3, 2, 0}, {97, 0, 0}, 0, 100, 0, WA_ROLLOUT_STAYS},
        {{0, 0, 0}, {99, 0, 0}, 0, 100, 0, WA_ROLLOUT_STAYS}, /* an empty ring proves nothing */
        {{10, 9, 1}, {90, 0, 0}, 0, 100, 0, WA_ROLLOUT_GOES_ON},
        {{20, 8, 1}, {90, 0, 0}, 0, 100, 0, WA_ROLLOUT_STAYS},
        {{10, 8, 2}, {90, 0, 0}, 0, 0, 0, WA_ROLLOUT_HALTS}, /* at the threshold, at once */
        {{10, 9, 2}, {90, 0, 0}, 0, 100, 0, WA_ROLLOUT_STAYS},
        {{10, 0, 1}, {90, 0, 0}, 0, 100, 0, WA_ROLLOUT_STAYS}, /* one failure is not two */
        {{10, 0, 2}, {90, 0, 0}, 0, 100, 2, WA_ROLLOUT_STAYS}, /* forgiven; still no success */
        {{10, 8, 3}, {90, 0, 0}, 0, 100, 2, WA_ROLLOUT_STAYS},
        {{10, 8, 4}, {90, 0, 0}, 0, 100, 2, WA_ROLLOUT_HALTS},
        {{10, 8, 1}, {90, 0, 1}, 1, 100, 0, WA_ROLLOUT_HALTS},   /* over all rings that are open */
        {{10, 0, 0}, {90, 0, 2}, 0, 100, 0, WA_ROLLOUT_STAYS},   /* not of one that is not */
        {{10, 10, 0}, {90, 90, 0}, 1, 100, 0, WA_ROLLOUT_STAYS}, /* the last has none after it */
    };
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_rollout_plan p, by_hand;
    (void)state;
    wa_arena_init(&arena, 1u << 20);
#define PLAN                                                                                       \
    "{\"rings\":[{\"name\":\"p\",\"percent\":10}," ALL "],\"success_percent\":90,\"min_count\":5," \
    "\"min_time_s\":100,\"error_percent\":20,\"error_count\":2"
    assert_int_equal(read_plan(PLAN "}", &arena, &p), WA_OK);
    assert_int_equal(read_plan(PLAN ",\"promote\":\"hand\"}", &arena, &by_hand), WA_OK);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        const struct wa_ring_counts counts[] = {cases[i].first, cases[i].second};
        enum wa_rollout_verdict got =
            wa_rollout_judge(&p, counts, cases[i].ring, cases[i].open_s, cases[i].forgiven);
        if (got != cases[i].expected)
            fail_msg("case %zu: %d", i, (int)got);
        got = wa_rollout_judge(&by_hand, counts, cases[i].ring, cases[i].open_s, cases[i].forgiven);
        assert_int_equal(got, cases[i].expected == WA_ROLLOUT_GOES_ON ? WA_ROLLOUT_STAYS
                                                                      : cases[i].expected);
    }
}

/* A plan read, a statement written and read again, while memory runs out. */
static enum wa_code round_trip(void *arg, struct wa_err *err)
{
    static const char *const packages[] = {"tis-x"};
    static const char *const groups[] = {"grp-a", "grp-b"};
    const struct wa_rollout_lists lists = {
        .packages = packages, .package_count = 1, .members_of = groups, .member_count = 2};
    const struct wa_rollout r = {.id = "11111111111111111111111111111111",
                                 .kind = WA_ACT_INSTALL,
                                 .only_if_not_running = true,
                                 .issued_at = 1000,
                                 .not_before = 1000,
                                 .not_after = 2000};
    static const char signer[] = "abababababababababababababababababababababababababababababababab";
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_json *j = NULL;
    struct wa_rollout_plan p;
    struct wa_rollout back;
    struct wa_sv by;
    (void)arg;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&text, 1u << 20);
    if (wa_json_parse(WA_SV("{\"rings\":[" ALL "]}"), 0, &arena, &j, err) != WA_OK ||
        wa_rollout_plan_read(j, &p, err) != WA_OK ||
        wa_rollout_write(&r, &lists, signer, &text, err) != WA_OK ||
        wa_json_parse(wa_buf_sv(&text), 0, &arena, &j, err) != WA_OK ||
        wa_rollout_read(j, &back, &by, err) != WA_OK)
        return err->code;
    const char *const in_b[] = {"grp-c", "grp-b", NULL};
    assert_string_equal(back.id, r.id);
    assert_true(back.only_if_not_running && !back.force);
    assert_true(wa_sv_eqs(by, signer));
    assert_true(wa_rollout_covers(&back, "any", in_b));
    assert_false(wa_rollout_covers(&back, "grp-b", NULL));
    return WA_OK;
}

static void test_torture(void **state)
{
    (void)state;
    assert_true(wa_torture(round_trip, NULL) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans),   cmocka_unit_test(test_places),
        cmocka_unit_test(test_rings),   cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
