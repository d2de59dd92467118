/* Dates: the calendar of 400 years, each written form, what is read and what is not, and the
 * periods of the configuration. */
#include "testlib.h"

#include "base/date.h"

static void test_calendar(void **state)
{
    WA_UNUSED(state);
    static const struct {
        int c[6];
        int64_t seconds;
    } rows[] = {
        {{1970, 1, 1, 0, 0, 0}, 0},
        {{1969, 12, 31, 23, 59, 59}, -1},
        {{2000, 2, 29, 12, 0, 0}, 951825600},
        {{2026, 11, 24, 10, 0, 0}, 1795514400},
        {{2038, 1, 19, 3, 14, 8}, 2147483648},
        {{1900, 3, 1, 0, 0, 0}, -2203891200},
        {{1, 1, 1, 0, 0, 0}, -62135596800},
        {{9999, 12, 31, 23, 59, 59}, 253402300799},
    };
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        const int *c = rows[i].c;
        int back[6];
        assert_int_equal(wa_date_from_civil(c[0], c[1], c[2], c[3], c[4], c[5]), rows[i].seconds);
        wa_date_to_civil(rows[i].seconds, back);
        assert_memory_equal(back, c, sizeof back);
    }
}

/* Every day of 400 years, which is when the calendar repeats, counted by the rule for leap years.
 */
static void test_every_day(void **state)
{
    WA_UNUSED(state);
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t at = wa_date_from_civil(1801, 1, 1, 0, 0, 0);
    for (int y = 1801; y <= 2200; y++) {
        bool is_leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        for (int m = 1; m <= 12; m++) {
            int length = lengths[m - 1] + (m == 2 && is_leap ? 1 : 0);
            for (int d = 1; d <= length; d++, at += 86400) {
                int c[6];
                wa_date_to_civil(at + 86399, c);
                assert_true(wa_date_from_civil(y, m, d, 0, 0, 0) == at);
                assert_true(c[0] == y && c[1] == m && c[2] == d);
                assert_true(c[3] == 23 && c[4] == 59 && c[5] == 59);
            }
        }
    }
}

static void test_written(void **state)
{
    WA_UNUSED(state);
    char out[WA_DATE_MAX];
    wa_date_http(784111777, out);
    assert_string_equal(out, "Sun, 06 Nov 1994 08:49:37 GMT"); /* the example of RFC 9110 */
    wa_date_http(-1, out);
    assert_string_equal(out, "Wed, 31 Dec 1969 23:59:59 GMT");
    wa_date_http(951782400, out);
    assert_string_equal(out, "Tue, 29 Feb 2000 00:00:00 GMT");
    wa_date_rfc3339(1795514400, out);
    assert_string_equal(out, "2026-11-24T10:00:00Z");
    wa_date_isoutc(1795514400, 0, out);
    assert_string_equal(out, "2026-11-24T10:00:00"); /* no fraction when it is 0 */
    wa_date_isoutc(1795514400, 5, out);
    assert_string_equal(out, "2026-11-24T10:00:00.000005");
    wa_date_isoutc(1795514400, 999999, out);
    assert_string_equal(out, "2026-11-24T10:00:00.999999");
}

/* A number from a message may be anything. */
static void test_beyond(void **state)
{
    WA_UNUSED(state);
    static const int64_t early[] = {INT64_MIN, INT64_MIN + 86399, -62135596801};
    static const int64_t late[] = {INT64_MAX, 253402300800};
    char out[WA_DATE_MAX];
    for (size_t i = 0; i < WA_COUNT(early); i++) {
        wa_date_rfc3339(early[i], out);
        assert_string_equal(out, "0001-01-01T00:00:00Z");
        wa_date_http(early[i], out);
        assert_string_equal(out, "Mon, 01 Jan 0001 00:00:00 GMT");
    }
    for (size_t i = 0; i < WA_COUNT(late); i++) {
        wa_date_isoutc(late[i], UINT32_MAX, out);
        assert_string_equal(out, "9999-12-31T23:59:59.967295");
        wa_date_http(late[i], out);
        assert_string_equal(out, "Fri, 31 Dec 9999 23:59:59 GMT");
        wa_date_isolocal(late[i], 0, out);
        assert_int_equal(strlen(out), 19);
    }
}

static void test_parse(void **state)
{
    WA_UNUSED(state);
    static const struct {
        struct wa_sv text;
        bool is_iso, is_rfc3339;
    } rows[] = {
        {WA_SV_INIT("2026-11-24T10:00:00"), true, false},
        {WA_SV_INIT("2026-11-24T10:00:00.123456"), true, false},
        {WA_SV_INIT("2026-11-24T10:00:00."), true, false},
        {WA_SV_INIT("2026-11-24T10:00:00.whatever"), true, false}, /* all after the point is cut */
        {WA_SV_INIT("2026-11-24T10:00:00.5Z"), true, true},
        {WA_SV_INIT("2026-11-24T10:00:00Z"), false, true},
        {WA_SV_INIT("2026-11-24T10:00:00.Z"), true, false},
        {WA_SV_INIT("2026-11-24T10:00:00.5ZZ"), true, false},
        {WA_SV_INIT("2026-11-24T10:00:00+01:00"), false, false},
        {WA_SV_INIT("2026-11-24T10:00:00z"), false, false},
        {WA_SV_INIT("2026-11-24 10:00:00"), false, false},
        {WA_SV_INIT("2026-11-24T10:00"), false, false},
        {WA_SV_INIT("2026-11-24"), false, false},
        {WA_SV_INIT(""), false, false},
        {WA_SV_INIT(" 2026-11-24T10:00:00"), false, false},
        {WA_SV_INIT("2026-11-24T10:00:00 "), false, false},
        {WA_SV_INIT("26-11-24T10:00:00"), false, false},
        {WA_SV_INIT("02026-11-24T10:00:00"), false, false},
        {WA_SV_INIT("+026-11-24T10:00:00"), false, false},
        {WA_SV_INIT("2026-1--24T10:00:00"), false, false},
        {WA_SV_INIT("2026-13-24T10:00:00"), false, false},
        {WA_SV_INIT("2026-00-24T10:00:00"), false, false},
        {WA_SV_INIT("2026-11-00T10:00:00"), false, false},
        {WA_SV_INIT("2026-11-31T10:00:00"), false, false},
        {WA_SV_INIT("2026-02-29T10:00:00"), false, false},
        {WA_SV_INIT("1900-02-29T10:00:00"), false, false},
        {WA_SV_INIT("0000-01-01T00:00:00"), false, false},
        {WA_SV_INIT("2026-11-24T24:00:00"), false, false},
        {WA_SV_INIT("2026-11-24T10:60:00"), false, false},
        {WA_SV_INIT("2026-11-24T23:59:60"), false, false},
        {WA_SV_INIT("2026-11-24T10:00:60"), false, false},
        {WA_SV_INIT("2026-11-24T10:00:0\0"), false, false},
    };
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        int64_t at = 7;
        assert_int_equal(wa_date_parse_iso(rows[i].text, &at), rows[i].is_iso);
        assert_int_equal(at, rows[i].is_iso ? 1795514400 : 7);
        at = 7;
        assert_int_equal(wa_date_parse_rfc3339(rows[i].text, &at), rows[i].is_rfc3339);
        assert_int_equal(at, rows[i].is_rfc3339 ? 1795514400 : 7);
    }
    int64_t at = 0;
    assert_true(wa_date_parse_iso(WA_SV("2000-02-29T00:00:00"), &at));
    assert_int_equal(at, 951782400);
    assert_true(wa_date_parse_rfc3339(WA_SV("0001-01-01T00:00:00Z"), &at));
    assert_int_equal(at, -62135596800);
}

static void test_period(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *text;
        char unit;
        int64_t seconds; /* -1: not a period */
    } rows[] = {
        {"120", 'm', 7200},
        {"1.5h", 'm', 5400},
        {"1w", 'm', 604800},
        {"1", 'd', 86400},
        {"0", 'm', 0},
        {"90s", 'm', 90},
        {"2m", 'd', 120},
        {"3d", 'm', 259200},
        {"2h", 'd', 7200},
        {"0.5", 'm', 30},
        {"0.001h", 's', 4},
        {"0.999999999m", 's', 60},
        {" 5 m ", 's', 300},
        {"100000000w", 's', 60480000000000},
        {"120", 's', 120},
        {"120", 'h', 432000},
        /* capitals are not units, as with WAPT */
        {"1H", 'm', -1},
        {"1D", 'm', -1},
        {"", 'm', -1},
        {" ", 'm', -1},
        {"h", 'm', -1},
        {"-1h", 'm', -1},
        {"+1h", 'm', -1},
        {"1y", 'm', -1},
        {"1.h", 'm', -1},
        {".5h", 'm', -1},
        {".", 'm', -1},
        {"1.2.3h", 'm', -1},
        {"1,5h", 'm', -1},
        {"1e3", 'm', -1},
        {"0x10", 'm', -1},
        {"1hh", 'm', -1},
        {"1h30m", 'm', -1},
        {"nan", 'm', -1},
        {"inf", 'm', -1},
        {"100000001", 's', -1},
        {"99999999999999999999", 's', -1},
        {"1.0000000001", 's', -1},
        /* a default that is no unit */
        {"1", 'x', -1},
        {"1", '\0', -1},
    };
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        int64_t seconds = -1;
        bool is_read = wa_date_parse_period(wa_sv(rows[i].text), rows[i].unit, &seconds);
        if (is_read != (rows[i].seconds >= 0) || seconds != rows[i].seconds)
            fail_msg("'%s': %d, %lld", rows[i].text, is_read, (long long)seconds);
    }
    int64_t seconds = 0;
    assert_false(wa_date_parse_period(wa_sv(NULL), 'm', &seconds));
    assert_false(wa_date_parse_period(WA_SV("1\0h"), 'm', &seconds));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calendar), cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_written),  cmocka_unit_test(test_beyond),
        cmocka_unit_test(test_parse),    cmocka_unit_test(test_period),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
