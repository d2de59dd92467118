/* Comma lists as WAPT splits them, and patterns as Python matches them. */
#include "support.h"

#include "codec/csv.h"
#include "codec/csv_write.h"
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

/* What machines may say of themselves, and what a file has of it. */
static const struct {
    const char *text, *cell;
} cells[] = {
    {"", "\"\""},
    {"pc-1.example.org", "\"pc-1.example.org\""},
    {"a \"b\" c", "\"a \"\"b\"\" c\""},
    {"\xc3\xa9t\xc3\xa9", "\"\xc3\xa9t\xc3\xa9\""},
    {"=1+1", "\"'=1+1\""},
    {"+49", "\"'+49\""},
    {"-1", "\"'-1\""},
    {"@SUM(A1)", "\"'@SUM(A1)\""},
    {"=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""},
    {"=HYPERLINK(\"http://x\";\"y\")", "\"'=HYPERLINK(\"\"http://x\"\";\"\"y\"\")\""},
    {"  =1", "\"  '=1\""},
    {"\"=1", "\"\"\"'=1\""},
    {"'=1", "\"''=1\""},
    {"\t=1", "\" '=1\""},
    {"\r=1", "\" '=1\""},
    {"a\r\n=1", "\"a  =1\""},    /* no line begins there any more */
    {"a;=1", "\"a;'=1\""},       /* where ';' separates */
    {"a,\"-1", "\"a,\"\"'-1\""}, /* where the quotes went wrong */
    {"a|@x", "\"a|'@x\""},
    {"a; b", "\"a; b\""},
    {"a=b-c", "\"a=b-c\""},
    {"\xef\xbc\x9d"
     "1",
     "\"'\xef\xbc\x9d"
     "1\""}, /* fullwidth = */
    {"\xef\xbc\xa0"
     "1",
     "\"'\xef\xbc\xa0"
     "1\""}, /* fullwidth @ */
    {"\xe2\x88\x92"
     "1",
     "\"'\xe2\x88\x92"
     "1\""},                                   /* minus sign */
    {"\xe3\x80\x80+1", "\"\xe3\x80\x80'+1\""}, /* ideographic space */
    {"\xe2\x80\x8b=1", "\" '=1\""},            /* zero-width space */
    {"\xef\xbb\xbf=1", "\" '=1\""},            /* byte order mark */
    {"\xe2\x80\xae=1", "\" '=1\""},            /* right to left from here */
    {"\xff=1", "\"\xef\xbf\xbd=1\""},          /* no UTF-8 */
    {"a\x1b[2Jb", "\"a [2Jb\""},
};

static void no_cell_is_executed(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        WA_AUTO_BUF struct wa_buf out;
        struct wa_csv w;
        wa_buf_init(&out, 4096);
        wa_csv_init(&w, &out);
        wa_csv_text(&w, wa_sv(cells[i].text));
        if (strcmp(wa_buf_str(&out), cells[i].cell) != 0)
            fail_msg("'%s': %s instead of %s", cells[i].text, wa_buf_str(&out), cells[i].cell);
    }
}

static void writes_rows(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf out;
    struct wa_csv w;
    wa_buf_init(&out, 4096);
    wa_csv_init(&w, &out);
    wa_csv_text(&w, WA_SV("name"));
    wa_csv_text(&w, WA_SV("count"));
    wa_csv_end(&w);
    wa_csv_text(&w, WA_SV("a"));
    wa_csv_plain(&w, WA_SV("-7"));
    wa_csv_end(&w);
    assert_string_equal(wa_buf_str(&out), "\"name\",\"count\"\r\n\"a\",-7\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skips_what_is_empty), cmocka_unit_test(matches_as_python_does),
        cmocka_unit_test(many_stars_are_no_work), cmocka_unit_test(no_cell_is_executed),
        cmocka_unit_test(writes_rows)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
