/* Local time, in zones as POSIX writes them. */
#include "testlib.h"

#include "base/date.h"

static void test_local(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *zone;
        int64_t seconds;
        const char *text;
    } rows[] = {
        {"UTC0", 1795514400, "2026-11-24T10:00:00.000001"},
        {"XXX-5:30", 1795514400, "2026-11-24T15:30:00.000001"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1795514400, "2026-11-24T11:00:00.000001"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1782000000, "2026-06-21T02:00:00.000001"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1774746000, "2026-03-29T03:00:00.000001"}, /* put on */
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1774745999, "2026-03-29T01:59:59.000001"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1792893600, "2026-10-25T03:00:00.000001"}, /* put back */
    };
    char out[WA_DATE_MAX];
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        assert_int_equal(setenv("TZ", rows[i].zone, 1), 0);
        tzset();
        wa_date_isolocal(rows[i].seconds, 1, out);
        assert_string_equal(out, rows[i].text);
        int64_t back = 0;
        assert_true(wa_date_parse_isolocal(wa_sv(out), &back));
        assert_int_equal(back, rows[i].seconds);
        wa_date_isoutc(1795514400, 0, out);
        assert_string_equal(out, "2026-11-24T10:00:00");
    }
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_local)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
