/* Comma lists as WAPT splits them, and patterns as Python matches them. */
#include "support.h"

#include "codec/csv.h"
#include "codec/json.h"

static void skips_what_is_empty(void **state)
{
    WA_UNUSED(state);
    struct wa_sv rest = WA_SV(", ,\t,a,, b c ,"), item;

    assert_true(wa_csv_next(&rest, &item));
    check_sv(item, "a");
    assert_true(wa_csv_next(&rest, &item));
    check_sv(item, "b c");
    assert_false(wa_csv_next(&rest, &item));
    assert_true(wa_csv_has(WA_SV("x, y"), WA_SV("y")));
    assert_false(wa_csv_has(WA_SV("x, yy"), WA_SV("y")));
    assert_false(wa_csv_has(WA_SV(""), WA_SV("")));
}

/* Each checked with fnmatch.fnmatchcase() of Python. */
static const struct {
    const char *pattern, *text;
    bool matches;
} patterns[] = {
    {"tis-*", "tis-firefox", true},
    {"tis-*", "tis-", true},
    {"tis-*", "xtis-a", false},
    {"*", "", true},
    {"", "", true},
    {"", "a", false},
    {"?", "", false},
    {"?", "\xc3\xa9", true},
    {"??", "\xc3\xa9", false},
    {"a?c", "abc", true},
    {"*a*b*c", "xaxbxc", true},
    {"*a*b*c", "xaxbx", false},
    {"*.exe", "a/b.exe", true},
    {"a\nb*", "a\nbc\nd", true},
    {"[abc]", "b", true},
    {"[a-c]x", "bx", true},
    {"[a-c]x", "dx", false},
    {"[!a-c]x", "dx", true},
    {"[!a-c]x", "ax", false},
    {"[]]", "]", true},
    {"[!]]", "]", false},
    {"[!]]", "a", true},
    {"[a-]", "-", true},
    {"[", "[", true},
    {"[a", "[a", true},
    {"[!", "[!", true},
    {"[]", "[]", true},
    {"[^a]", "^", true},
    {"[\xc3\xa0-\xc3\xbc]", "\xc3\xa9", true},
    {"a\\*b", "a\\xb", true},
    {"a.c", "abc", false},
    {"TIS-*", "tis-a", false},
    {"**a**", "bab", true},
    {"\xff*",
     "\xff"
     "a",
     true},
    {"?", "\xff", true},
};

static void matches_as_python_does(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(patterns); i++) {
        if (wa_fnmatch(wa_sv(patterns[i].pattern), wa_sv(patterns[i].text)) != patterns[i].matches)
            fail_msg("pattern '%s', text '%s'", patterns[i].pattern, patterns[i].text);
    }
}

/* A backtracking matcher would need more steps here than there are atoms. */
static void many_stars_are_no_work(void **state)
{
    WA_UNUSED(state);
    char text[20001], pattern[201];

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i < 100; i++)
        memcpy(pattern + 2 * i, "a*", 2);
    pattern[200] = '\0';
    pattern[199] = 'b';
    assert_false(wa_fnmatch(wa_sv(pattern), wa_sv(text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(skips_what_is_empty),
                                       cmocka_unit_test(matches_as_python_does),
                                       cmocka_unit_test(many_stars_are_no_work)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
