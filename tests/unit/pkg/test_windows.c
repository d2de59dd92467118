/* Maintenance windows: what people write, and where a moment lies. */
#include "support.h"

#include "pkg/windows.h"

static int64_t at(const char *iso)
{
    int64_t s = 0;
    if (iso[0] != '\0')
        assert_true(wa_date_parse_iso(wa_sv(iso), &s));
    return s;
}

/* 2026-11-26 is a Thursday. */
static void test_where_a_moment_lies(void **state)
{
    static const struct {
        const char *windows, *now, *end, *next; /* "": none */
    } cases[] = {
        {"", "2026-11-26T10:00:00", "", ""},
        {"12:00-13:00", "2026-11-26T11:59:59", "", "2026-11-26T12:00:00"},
        {"12:00-13:00", "2026-11-26T12:00:00", "2026-11-26T13:00:00", "2026-11-26T12:00:00"},
        {"12:00-13:00", "2026-11-26T12:59:59", "2026-11-26T13:00:00", "2026-11-26T12:59:59"},
        {"12:00-13:00", "2026-11-26T13:00:00", "", "2026-11-27T12:00:00"},
        {"mon-fri 22:00-05:00", "2026-11-26T23:00:00", "2026-11-27T05:00:00",
         "2026-11-26T23:00:00"},
        {"mon-fri 22:00-05:00", "2026-11-28T04:00:00", "2026-11-28T05:00:00",
         "2026-11-28T04:00:00"},
        {"mon-fri 22:00-05:00", "2026-11-28T22:30:00", "", "2026-11-30T22:00:00"},
        {"Thu 10:00-11:00", "2026-11-26T12:00:00", "", "2026-12-03T10:00:00"},
        {"fri-mon 10:00-11:00", "2026-11-29T10:30:00", "2026-11-29T11:00:00",
         "2026-11-29T10:30:00"},
        {"fri-mon 10:00-11:00", "2026-11-26T10:30:00", "", "2026-11-27T10:00:00"},
        /* What touches is one; all week has no end but counts a week. */
        {"22:00-24:00, 00:00-06:00", "2026-11-26T23:00:00", "2026-11-27T06:00:00",
         "2026-11-26T23:00:00"},
        {"00:00-24:00", "2026-11-26T10:00:00", "2026-12-04T00:00:00", "2026-11-26T10:00:00"},
        {"10:00-10:00", "2026-11-26T09:00:00", "2026-12-03T10:00:00", "2026-11-26T09:00:00"},
        /* A date. */
        {"2026-12-24 18:00-02:00", "2026-12-25T01:00:00", "2026-12-25T02:00:00",
         "2026-12-25T01:00:00"},
        {"2026-12-24 18:00-02:00", "2026-11-26T10:00:00", "", "2026-12-24T18:00:00"},
        {"2026-12-24 18:00-02:00", "2026-12-25T10:00:00", "", ""},
        {"sun 10:00-11:00,2026-11-26 12:00-13:00", "2026-11-26T10:00:00", "",
         "2026-11-26T12:00:00"},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_windows w;
        struct wa_err err = WA_ERR_INIT;
        check_ok(wa_windows_parse(wa_sv(cases[i].windows), &w, &err), &err, cases[i].windows);
        if (wa_windows_end(&w, at(cases[i].now)) != at(cases[i].end) ||
            wa_windows_next(&w, at(cases[i].now)) != at(cases[i].next))
            fail_msg("case %zu: '%s' at %s", i, cases[i].windows, cases[i].now);
    }
}

static void test_what_is_none(void **state)
{
    static const char *const bad[] = {"night",
                                      "22:00",
                                      "22-05",
                                      "22:00-5:00",
                                      "25:00-26:00",
                                      "24:00-05:00",
                                      "22:60-05:00",
                                      "mon",
                                      "mon-",
                                      "-mon 10:00-11:00",
                                      "mo 22:00-05:00",
                                      "mon-fry 1:00-2:00",
                                      "2026-13-01 10:00-11:00",
                                      "2026-2-01 10:00-11:00",
                                      "10:00-11:00 mon",
                                      "10:00-11:00-12:00",
                                      "22:00-05:00;sat 10:00-11:00",
                                      "+2:00-05:00"};
    static char many[8 * 12 * (WA_WINDOWS_MAX + 1)];
    struct wa_windows w = {.n = 7};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        struct wa_err err = WA_ERR_INIT;
        if (wa_windows_parse(wa_sv(bad[i]), &w, &err) != WA_E_INVALID)
            fail_msg("'%s' was taken", bad[i]);
    }
    assert_int_equal(w.n, 7); /* written on success only */
    for (size_t i = 0, n = 0; i <= WA_WINDOWS_MAX; i++)
        n += (size_t)snprintf(many + n, sizeof many - n, "10:00-11:00,");
    struct wa_err err = WA_ERR_INIT;
    assert_int_equal(wa_windows_parse(wa_sv(many), &w, &err), WA_E_LIMIT);
}

static void test_freezes(void **state)
{
    static const struct {
        const char *freezes, *now, *end; /* "": none */
    } cases[] = {
        {"", "2026-12-24T10:00:00", ""},
        {"2026-12-20 until 2027-01-03", "2026-12-19T23:59:59", ""},
        {"2026-12-20 until 2027-01-03", "2026-12-20T00:00:00", "2027-01-04T00:00:00"},
        {"2026-12-20 until 2027-01-03", "2027-01-03T23:59:59", "2027-01-04T00:00:00"},
        {"2026-12-20 until 2027-01-03", "2027-01-04T00:00:00", ""},
        {"2027-05-01", "2027-05-01T12:00:00", "2027-05-02T00:00:00"},
        {"2027-05-01", "2027-05-02T00:00:00", ""},
        /* What touches is one, in whatever order. */
        {"2027-01-05, 2027-01-03 until 2027-01-04, 2027-01-01 until 2027-01-02",
         "2027-01-01T00:00:00", "2027-01-06T00:00:00"},
        {"2027-01-01 until 2027-01-02, 2027-01-04", "2027-01-01T00:00:00", "2027-01-03T00:00:00"},
    };
    static const char *const bad[] = {"always",
                                      "2026-12-20 -",
                                      "2026-12-20 until",
                                      "2026-12-20 until ",
                                      "until 2026-12-20",
                                      "2027-01-03 until 2026-12-20",
                                      "2026-12-20until 2027-01-03",
                                      "2026-12-20 until 2027-01-03 until 2027-02-01",
                                      "2026-12-20T10:00:00",
                                      "2026-13-20"};
    static char many[12 * (WA_FREEZES_MAX + 1)];
    struct wa_freezes f = {.n = 7};
    struct wa_err err = WA_ERR_INIT;
    size_t n = 0;
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        struct wa_err why = WA_ERR_INIT;
        if (wa_freezes_parse(wa_sv(bad[i]), &f, &why) != WA_E_INVALID)
            fail_msg("'%s' was taken", bad[i]);
    }
    for (size_t i = 0; i <= WA_FREEZES_MAX; i++)
        n += (size_t)snprintf(many + n, sizeof many - n, "2026-12-20,");
    assert_int_equal(wa_freezes_parse(wa_sv(many), &f, &err), WA_E_LIMIT);
    assert_int_equal(f.n, 7);
    wa_err_clear(&err);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        check_ok(wa_freezes_parse(wa_sv(cases[i].freezes), &f, &err), &err, cases[i].freezes);
        if (wa_freezes_end(&f, at(cases[i].now)) != at(cases[i].end))
            fail_msg("case %zu: '%s' at %s", i, cases[i].freezes, cases[i].now);
    }
}

static void test_spans(void **state)
{
    static const struct {
        const char *windows, *now, *begin, *end; /* begin "": none; end "": without end */
    } cases[] = {
        /* 2026-11-26 is a Thursday */
        {"thu 22:00-05:00", "2026-11-26T10:00:30", "2026-11-26T22:00:00", "2026-11-27T05:00:00"},
        {"thu 22:00-05:00", "2026-11-27T04:59:59", "2026-11-26T22:00:00", "2026-11-27T05:00:00"},
        {"thu 22:00-05:00", "2026-11-27T05:00:00", "2026-12-03T22:00:00", "2026-12-04T05:00:00"},
        /* What follows without a gap is one. */
        {"thu 22:00-05:00,fri 05:00-06:00", "2026-11-26T21:00:00", "2026-11-26T22:00:00",
         "2026-11-27T06:00:00"},
        {"10:00-12:00,11:00-13:00", "2026-11-26T11:30:00", "2026-11-26T10:00:00",
         "2026-11-26T13:00:00"},
        {"2026-11-26 10:00-11:00", "2026-11-26T11:00:00", "", ""},
        {"2026-11-26 10:00-11:00", "2026-11-26T09:00:00", "2026-11-26T10:00:00",
         "2026-11-26T11:00:00"},
        {"00:00-24:00", "2026-11-26T11:30:00", "2026-11-26T00:00:00", ""},
        {"", "2026-11-26T11:30:00", "", ""},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_windows w;
        struct wa_err err = WA_ERR_INIT;
        int64_t begin = 0, end = 0;
        check_ok(wa_windows_parse(wa_sv(cases[i].windows), &w, &err), &err, cases[i].windows);
        bool found = wa_windows_span(&w, at(cases[i].now), &begin, &end);
        bool is_wanted = cases[i].begin[0] != '\0';
        int64_t wanted_end = cases[i].end[0] != '\0' ? at(cases[i].end) : INT64_MAX;
        if (found != is_wanted || (found && (begin != at(cases[i].begin) || end != wanted_end)))
            fail_msg("case %zu: '%s' at %s: %lld until %lld", i, cases[i].windows, cases[i].now,
                     (long long)begin, (long long)end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_a_moment_lies),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_freezes),
        cmocka_unit_test(test_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
