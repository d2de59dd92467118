/* pg_text: question marks that are placeholders and those that are not; blobs as text. */
#include "support.h"

#include "sql/pg_text.h"

static const struct {
    const char *sql, *want; /* NULL: refused */
    int count;
} texts[] = {
    {"SELECT 1", "SELECT 1", 0},
    {"SELECT ? + ?", "SELECT $1 + $2", 2},
    {"SELECT '?', ?", "SELECT '?', $1", 1},
    {"SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1", 1},
    {"SELECT '\\', ?", "SELECT '\\', $1", 1}, /* a backslash is a character */
    {"SELECT \"a?b\", ?", "SELECT \"a?b\", $1", 1},
    {"SELECT ? -- why?\n, ?", "SELECT $1 -- why?\n, $2", 2},
    {"SELECT ? -- why?", "SELECT $1 -- why?", 1},
    {"SELECT /* ? /* ? */ ' */ ?", "SELECT /* ? /* ? */ ' */ $1", 1},
    {"(?,?,?)", "($1,$2,$3)", 3},
    {"", "", 0},
    {"SELECT '", NULL, 0},
    {"SELECT \"x", NULL, 0},
    {"SELECT /* x", NULL, 0},
    {"SELECT /* /* */ x", NULL, 0},
    {"SELECT $$?$$", NULL, 0},
    {"SELECT $1", NULL, 0},
    {"SELECT E'\\'?'", NULL, 0},
    {"SELECT U&'?'", NULL, 0},
    {"SELECT ?2 + ?1 + ?2", "SELECT $2 + $1 + $2", 2},
    {"SELECT ?12", "SELECT $12", 12},
    {"SELECT ?1, ?", NULL, 0},
    {"SELECT ?, ?2", NULL, 0},
    {"SELECT ?0", NULL, 0},
    {"SELECT ?1x", NULL, 0},
    {"SELECT ?x", NULL, 0},
    {"SELECT ?1001", NULL, 0},
    {"SELECT ?99999999999999999999", NULL, 0},
};

static void placeholders(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(texts); i++) {
        WA_AUTO_BUF struct wa_buf out;
        struct wa_err err = WA_ERR_INIT;
        int count = -1;
        wa_buf_init(&out, 1000);
        enum wa_code code = wa_pg_placeholders(texts[i].sql, &out, &count, &err);
        if (texts[i].want == NULL) {
            if (code != WA_E_INTERNAL)
                fail_msg("'%s' is taken as '%s'", texts[i].sql, wa_buf_str(&out));
            continue;
        }
        if (code != WA_OK || count != texts[i].count)
            fail_msg("'%s': %d, %s", texts[i].sql, count, err.text);
        assert_string_equal(wa_buf_str(&out), texts[i].want);
    }
}

static void too_many(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf sql, out, small;
    struct wa_err err = WA_ERR_INIT;
    int count = 0;

    wa_buf_init(&sql, 10000);
    wa_buf_init(&out, 10000);
    wa_buf_init(&small, 4);
    for (int i = 0; i < 1001; i++)
        wa_buf_adds(&sql, "?,");
    WA_ASSERT_CODE(wa_pg_placeholders(wa_buf_str(&sql), &out, &count, &err), WA_E_INTERNAL);
    WA_ASSERT_CODE(wa_pg_placeholders("SELECT ?", &small, &count, &err), WA_E_LIMIT);
}

static void blobs(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *text;
        int n;
        const char *bytes;
    } cases[] = {{"\\x", 0, ""},    {"\\x00ff41", 3, "\x00\xff\x41"},
                 {"\\x0", -1, ""},  {"\\x0g", -1, ""},
                 {"\\xAB", -1, ""}, {"x00", -1, ""},
                 {"", -1, ""},      {"\\y00", -1, ""}};

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%s", cases[i].text);
        int n = wa_pg_bytea(text, (int)strlen(text));
        assert_int_equal(n, cases[i].n);
        if (n > 0)
            assert_memory_equal(text, cases[i].bytes, (size_t)n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placeholders),
        cmocka_unit_test(too_many),
        cmocka_unit_test(blobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
