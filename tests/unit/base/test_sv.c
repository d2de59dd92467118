/* String views: comparing, cutting, numbers, and views of nothing. */
#include "torture.h"

#include "base/mem.h"

static void test_compare(void **state)
{
    WA_UNUSED(state);
    static const struct {
        struct wa_sv a, b;
        int order; /* sign of a against b */
    } rows[] = {
        {WA_SV_INIT("a"), WA_SV_INIT("a"), 0},    {WA_SV_INIT("a"), WA_SV_INIT("b"), -1},
        {WA_SV_INIT("ab"), WA_SV_INIT("a"), 1},   {WA_SV_INIT(""), WA_SV_INIT("a"), -1},
        {WA_SV_INIT("a\0b"), WA_SV_INIT("a"), 1}, {WA_SV_INIT("a\0b"), WA_SV_INIT("a\0c"), -1},
        {WA_SV_INIT("\x80"), WA_SV_INIT("a"), 1}, /* bytes, not chars */
        {{NULL, 0}, WA_SV_INIT(""), 0},           {{NULL, 0}, {NULL, 0}, 0},
        {WA_SV_INIT("A"), WA_SV_INIT("a"), -1},
    };
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        int c = wa_sv_cmp(rows[i].a, rows[i].b), back = wa_sv_cmp(rows[i].b, rows[i].a);
        assert_int_equal((c > 0) - (c < 0), rows[i].order);
        assert_int_equal((back > 0) - (back < 0), -rows[i].order);
        assert_int_equal(wa_sv_eq(rows[i].a, rows[i].b), rows[i].order == 0);
    }
    assert_true(wa_sv_eqs(WA_SV("abc"), "abc"));
    assert_false(wa_sv_eqs(WA_SV("abc\0"), "abc"));
    assert_true(wa_sv_eqs(wa_sv(NULL), ""));
    assert_true(wa_sv_ieqs(WA_SV("AbC-1"), "aBc-1"));
    assert_false(wa_sv_ieqs(WA_SV("AbC"), "abcd"));
    assert_false(wa_sv_ieqs(WA_SV("@["), "`{")); /* 0x20 apart, and no letters */
    assert_false(wa_sv_ieqs(WA_SV("\xc9"), "\xe9"));
    assert_true(wa_sv_starts(WA_SV("abc"), "ab") && wa_sv_starts(WA_SV("abc"), ""));
    assert_false(wa_sv_starts(WA_SV("a"), "ab"));
    assert_true(wa_sv_ends(WA_SV("abc"), "bc") && wa_sv_ends(wa_sv(NULL), ""));
    assert_false(wa_sv_ends(WA_SV("c"), "bc"));
}

static void test_cut(void **state)
{
    WA_UNUSED(state);
    size_t at = 99;
    assert_true(wa_sv_chr(WA_SV("a=b=c"), '=', &at));
    assert_int_equal(at, 1);
    at = 99;
    assert_false(wa_sv_chr(WA_SV("abc"), '=', &at));
    assert_false(wa_sv_chr(wa_sv(NULL), '=', &at));
    assert_int_equal(at, 99);
    WA_ASSERT_SV(wa_sv_sub(WA_SV("abcdef"), 2, 3), "cde");
    WA_ASSERT_SV(wa_sv_sub(WA_SV("abcdef"), 2, SIZE_MAX), "cdef");
    WA_ASSERT_SV(wa_sv_sub(WA_SV("abcdef"), 6, 1), "");
    WA_ASSERT_SV(wa_sv_sub(WA_SV("abcdef"), SIZE_MAX, SIZE_MAX), "");
    WA_ASSERT_SV(wa_sv_trim(WA_SV(" \t\r\n\v\f a b \n")), "a b");
    WA_ASSERT_SV(wa_sv_trim(WA_SV(" \n")), "");
    WA_ASSERT_SV(wa_sv_trim(WA_SV("\xc2\xa0x")), "\xc2\xa0x"); /* ASCII white space only */
    WA_ASSERT_SV(wa_sv_trim(wa_sv(NULL)), "");
}

static void test_split(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *text;
        const char *parts[5];
    } rows[] = {
        {"a,,b", {"a", "", "b"}}, {"a", {"a"}},      {"", {""}},
        {",", {"", ""}},          {"a,", {"a", ""}}, {NULL, {NULL}},
    };
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        struct wa_sv rest = wa_sv(rows[i].text), part = WA_SV("untouched");
        size_t n = 0;
        while (wa_sv_split(&rest, ',', &part)) {
            assert_non_null(rows[i].parts[n]);
            WA_ASSERT_SV(part, rows[i].parts[n++]);
        }
        assert_null(rows[i].parts[n]);
        assert_false(wa_sv_split(&rest, ',', &part));
    }
}

static void test_numbers(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *text;
        bool is_u64, is_i64;
        uint64_t u;
        int64_t i;
    } rows[] = {
        {"0", true, true, 0, 0},
        {"007", true, true, 7, 7},
        {"9223372036854775807", true, true, INT64_MAX, INT64_MAX},
        {"9223372036854775808", true, false, 9223372036854775808u, 0},
        {"18446744073709551615", true, false, UINT64_MAX, 0},
        {"18446744073709551616", false, false, 0, 0},
        {"18446744073709551620", false, false, 0, 0},
        {"99999999999999999999", false, false, 0, 0},
        {"-9223372036854775808", false, true, 0, INT64_MIN},
        {"-9223372036854775809", false, false, 0, 0},
        {"-1", false, true, 0, -1},
        {"-0", false, true, 0, 0},
        {"", false, false, 0, 0},
        {"-", false, false, 0, 0},
        {"--1", false, false, 0, 0},
        {"+1", false, false, 0, 0},
        {" 1", false, false, 0, 0},
        {"1 ", false, false, 0, 0},
        {"1x", false, false, 0, 0},
        {"0x1", false, false, 0, 0},
        {"1.0", false, false, 0, 0},
        {"\xd9\xa1", false, false, 0, 0}, /* a digit, in Arabic */
    };
    for (size_t k = 0; k < WA_COUNT(rows); k++) {
        uint64_t u = 42;
        int64_t i = 42;
        assert_int_equal(wa_sv_u64(wa_sv(rows[k].text), &u), rows[k].is_u64);
        assert_int_equal(u, rows[k].is_u64 ? rows[k].u : 42);
        assert_int_equal(wa_sv_i64(wa_sv(rows[k].text), &i), rows[k].is_i64);
        assert_int_equal(i, rows[k].is_i64 ? rows[k].i : 42);
    }
}

static void test_dup(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;
    char *s = NULL;
    WA_ASSERT_CODE(wa_sv_dup(WA_SV("a\0b"), &s, &err), WA_E_INVALID);
    WA_ASSERT_CODE(wa_sv_dup(WA_SV("\0"), &s, &err), WA_E_INVALID);
    assert_null(s);
    WA_ASSERT_OK(wa_sv_dup(wa_sv_n("abcdef", 3), &s, &err));
    assert_string_equal(s, "abc");
    wa_free(s);
    WA_ASSERT_OK(wa_sv_dup(wa_sv(NULL), &s, &err));
    assert_string_equal(s, "");
    wa_free(s);
}

static enum wa_code dup(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    char *const untouched = (char[]){"untouched"};
    char *s = untouched;
    enum wa_code code = wa_sv_dup(WA_SV("text"), &s, err);
    if (code != WA_OK) {
        assert_ptr_equal(s, untouched);
        return code;
    }
    wa_free(s);
    return WA_OK;
}

static void test_torture(void **state)
{
    WA_UNUSED(state);
    assert_int_equal(wa_torture(dup, NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare), cmocka_unit_test(test_cut), cmocka_unit_test(test_split),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_dup), cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
