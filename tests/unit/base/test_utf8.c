/* UTF-8: every scalar value there and back, every kind of bad sequence, cuts between characters. */
#include "testlib.h"

#include "base/utf8.h"

static void test_every_scalar(void **state)
{
    WA_UNUSED(state);
    char out[4];
    for (uint32_t cp = 0; cp <= 0x110000; cp++) {
        size_t n = wa_utf8_encode(cp, out);
        bool is_scalar = cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
        size_t expected = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
        assert_true(n == (is_scalar ? expected : 0));
        if (!is_scalar)
            continue;
        size_t at = 0;
        uint32_t back = UINT32_MAX;
        bool is_read = wa_utf8_next(wa_sv_n(out, n), &at, &back);
        assert_true(is_read && at == n && back == cp);
        /* One byte less is no character, but the end of the text may not be read past. */
        at = 0;
        assert_false(wa_utf8_next(wa_sv_n(out, n - 1), &at, &back));
        assert_true(wa_utf8_cut(out, n) == n && wa_utf8_cut(out, n - 1) == 0);
    }
    assert_int_equal(wa_utf8_encode(UINT32_MAX, out), 0);
}

/* All sequences of up to three bytes, against a reading of the definition: decode loosely, encode
 * again, compare. */
static size_t loose(const uint8_t *p, size_t n)
{
    static const uint8_t marks[] = {0x00, 0xc0, 0xe0, 0xf0}, masks[] = {0x80, 0xe0, 0xf0, 0xf8};
    for (size_t len = 1; len <= n && len <= 4; len++) {
        if ((p[0] & masks[len - 1]) != marks[len - 1])
            continue;
        uint32_t cp = (uint32_t)(p[0] & ~masks[len - 1]) & 0xff;
        for (size_t i = 1; i < len; i++) {
            if ((p[i] & 0xc0) != 0x80)
                return 0;
            cp = cp << 6 | (p[i] & 0x3f);
        }
        char out[4];
        return wa_utf8_encode(cp, out) == len && memcmp(out, p, len) == 0 ? len : 0;
    }
    return 0;
}

static void test_every_three_bytes(void **state)
{
    WA_UNUSED(state);
    for (uint32_t v = 0; v <= 0xffffff; v++) {
        const uint8_t p[3] = {(uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
        if (p[0] < 0x80 && v % 251 != 0)
            continue; /* plain ASCII in front says little */
        size_t at = 0;
        uint32_t cp;
        bool is_read = wa_utf8_next(wa_sv_n(p, 3), &at, &cp);
        size_t expected = loose(p, 3);
        if (is_read != (expected > 0) || at != expected)
            fail_msg("%02x %02x %02x: %zu bytes taken, expected %zu", p[0], p[1], p[2], at,
                     expected);
    }
}

static void test_bad(void **state)
{
    WA_UNUSED(state);
    static const char *const bad[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc0\xaf",
        "\xc1\xbf",
        "\xc3",
        "\xc3(",
        "\xe0\x80\xaf",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xe2(\xa1",
        "\xe2\x82(",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x80\x80\xaf",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x9f\x98",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
    };
    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        char text[16], out[4];
        assert_false(wa_utf8_valid(wa_sv(bad[i])));
        (void)snprintf(text, sizeof text, "ab%sc", bad[i]);
        assert_false(wa_utf8_valid(wa_sv(text)));
        size_t at = 2;
        uint32_t cp = 7;
        assert_false(wa_utf8_next(wa_sv(text), &at, &cp));
        assert_int_equal(at, 2); /* stays where it is wrong */
        assert_int_equal(cp, 7);
        /* Byte by byte where it is bad, and what follows is found again. */
        struct wa_sv s = wa_sv(text);
        at = 0;
        for (size_t before = 0; wa_utf8_step(s, &at, &cp); before = at) {
            bool is_bad = (unsigned char)text[before] >= 0x80;
            assert_int_equal(at, before + 1);
            assert_int_equal(cp, (is_bad ? WA_UTF8_BAD : 0) + (unsigned char)text[before]);
            assert_int_equal(wa_utf8_is_shown(cp), !is_bad);
            assert_int_equal(wa_utf8_encode(cp, out), is_bad ? 0 : 1);
        }
        assert_int_equal(at, s.n);
    }
    assert_true(wa_utf8_valid(wa_sv(NULL)));
    assert_true(wa_utf8_valid(WA_SV("a\0b"))); /* NUL is a character */
}

static void test_step(void **state)
{
    WA_UNUSED(state);
    static const uint32_t expected[] = {
        0,   WA_UTF8_BAD + 0xe2, WA_UTF8_BAD + 0x82, 0xe9, 0x20ac, 0x1f600,
        'z', WA_UTF8_BAD + 0xf0, WA_UTF8_BAD + 0x9f};
    /* Cut off in the middle and at the end; what stands between is whole. */
    struct wa_sv s = WA_SV("\0\xe2\x82\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z\xf0\x9f");
    size_t at = 0, n = 0;
    uint32_t cp = 7;
    for (; wa_utf8_step(s, &at, &cp); n++)
        assert_true(n < WA_COUNT(expected) && cp == expected[n]);
    assert_int_equal(n, WA_COUNT(expected));
    assert_int_equal(at, s.n);
    cp = 7;
    assert_false(wa_utf8_step(s, &at, &cp) || wa_utf8_step(wa_sv(NULL), &(size_t){0}, &cp));
    assert_int_equal(cp, 7);
}

static void test_cut(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *text;
        size_t n, cut;
    } rows[] = {
        {"abc", 0, 0},
        {"abc", 2, 2},
        {"a\xc3\xa9", 2, 1},
        {"a\xc3\xa9", 3, 3},
        {"\xe2\x82\xac", 1, 0},
        {"\xe2\x82\xac", 2, 0},
        {"\xe2\x82\xac", 3, 3},
        {"\xf0\x9f\x98\x80", 3, 0},
        {"x\xf0\x9f\x98\x80y", 4, 1},
        {"x\xf0\x9f\x98\x80y", 5, 5},
        {"x\xf0\x9f\x98\x80y", 6, 6},
        {"\x80\x80\x80\x80\x80\x80", 6, 6}, /* no sequence at all: nothing is cut in two */
    };
    for (size_t i = 0; i < WA_COUNT(rows); i++)
        assert_int_equal(wa_utf8_cut(rows[i].text, rows[i].n), rows[i].cut);
}

static void test_shown(void **state)
{
    WA_UNUSED(state);
    static const uint32_t hidden[] = {
        0,      0x0a,   0x1b,   0x1f,   0x7f,   0x85,   0x9b,   0x9f,   0x61c,   0x200b,  0x200f,
        0x2028, 0x2029, 0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0xfeff, 0xe0001, 0xe0041, 0xe007f};
    static const uint32_t shown[] = {' ',    '~',    0xa0,   0xe9,   0x61b,   0x2010,  0x2027,
                                     0x20ac, 0x2070, 0x4e2d, 0xfffd, 0x1f600, 0x10ffff};
    for (size_t i = 0; i < WA_COUNT(hidden); i++)
        assert_false(wa_utf8_is_shown(hidden[i]));
    for (size_t i = 0; i < WA_COUNT(shown); i++)
        assert_true(wa_utf8_is_shown(shown[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_scalar), cmocka_unit_test(test_every_three_bytes),
        cmocka_unit_test(test_bad),          cmocka_unit_test(test_cut),
        cmocka_unit_test(test_shown),        cmocka_unit_test(test_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
