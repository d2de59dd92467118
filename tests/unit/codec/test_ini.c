/* INI files: read as RawConfigParser does, changed one key at a time, written back as they were. */
#include "support.h"

#include "codec/ini.h"

static struct wa_ini *parse(const char *text)
{
    struct wa_ini *ini = NULL;
    struct wa_err err = WA_ERR_INIT;

    check_ok(wa_ini_parse(wa_sv(text), "test.ini", &ini, &err), &err, text);
    return ini;
}

static const struct {
    const char *text, *section, *key, *want; /* want NULL: absent */
} reads[] = {
    {"[a]\nk=v", "a", "k", "v"},
    {"[a]\nk = v \n", "a", "K", "v"},
    {"[a]\nKey: v=w\n", "a", "key", "v=w"},
    {"[a]\nk=a:b\n", "a", "k", "a:b"},
    {"[a]\r\nk=v\r\n", "a", "k", "v"},
    {"\xef\xbb\xbf[a]\nk=v\n", "a", "k", "v"},
    {"[a]\nk=v\n", "A", "k", NULL},
    {"[a]\nk=v\n", "b", "k", NULL},
    {"[a]\nk=v\n", "a", "l", NULL},
    {"[a]\nk=\n", "a", "k", ""},
    {"[a]\nk=\"\"\n", "a", "k", ""},
    {"[a]\nk=\"x\"\n", "a", "k", "\"x\""},
    {"[a]\nk=v ; remark\n", "a", "k", "v"},
    {"[a]\nk=v;w\n", "a", "k", "v;w"},
    {"[a]\nk=v;w ; x\n", "a", "k", "v;w ; x"},
    {"[a]\nk=v # w\n", "a", "k", "v # w"},
    {"[a]\nk= ;v\n", "a", "k", ";v"},
    {"[a]\nk=1\nk=2\n", "a", "k", "2"},
    {"[a]\nk=1\n[b]\n[a]\nl=2\n", "a", "l", "2"},
    {"[a]\n;k=v\n#k=w\nrem k=x\nREM\n", "a", "k", NULL},
    {"[a]\nremark=x\n", "a", "remark", "x"},
    {"[a]\nk=1\n 2\n\t3 \n", "a", "k", "1\n2\n3"},
    {"[a]\nk=1\n\n;x\n 2\n", "a", "k", "1\n2"},
    {"[a]\nk=1\n ;2\n", "a", "k", "1\n;2"},
    {"[a]\nk=\n 2\n", "a", "k", "\n2"},
    {"[a] trailing\nk=v\n", "a", "k", "v"},
    {"[ a ]\nk=v\n", " a ", "k", "v"},
    {"[a]\ntwo words = v\n", "a", "two words", "v"},
    {"[a]\nk=100%(x)s\n", "a", "k", "100%(x)s"},
    {"[DEFAULT]\nk=d\n[a]\n", "a", "k", "d"},
    {"[DEFAULT]\nk=d\n[a]\nk=v\n", "a", "k", "v"},
    {"[DEFAULT]\nk=d\n", "a", "k", NULL},
    {"[a]\nk=caf\xe9\n", "a", "k", "caf\xe9"},
};

static void reads_as_rawconfigparser(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(reads); i++) {
        WA_AUTO(wa_ini) struct wa_ini *ini = parse(reads[i].text);
        const char *got = wa_ini_get(ini, reads[i].section, reads[i].key);
        if ((got == NULL) != (reads[i].want == NULL) || (got && strcmp(got, reads[i].want) != 0))
            fail_msg("'%s' gives '%s', not '%s'", reads[i].text, got ? got : "(absent)",
                     reads[i].want ? reads[i].want : "(absent)");
    }
}

static void refuses_with_file_and_line(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *text, *why;
    } cases[] = {{"k=v\n", "'test.ini', line 1: expected a [section]"},
                 {" \n; x\n k=v\n", "line 3: expected a [section]"},
                 {"[a]\nk\n", "line 2: expected"},
                 {"[a]\n=v\n", "line 2: expected"},
                 {"[a]\n:v\n", "line 2: expected"},
                 {"[a]\n k=v\n", "line 2: expected"},
                 {"[a]\nk=v\n[]\n", "line 3: expected"},
                 {"[a\n", "line 1: expected"}};

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_ini *ini = NULL;
        struct wa_err err = WA_ERR_INIT;
        assert_int_equal(wa_ini_parse(wa_sv(cases[i].text), "test.ini", &ini, &err), WA_E_INVALID);
        if (!strstr(err.text, cases[i].why))
            fail_msg("'%s': '%s'", cases[i].text, err.text);
        assert_null(ini);
    }
}

static void caps_sizes(void **state)
{
    WA_UNUSED(state);
    static char text[WA_INI_BYTES_MAX + 2];
    struct wa_ini *ini = NULL;
    struct wa_err err = WA_ERR_INIT;

    assert_int_equal(wa_ini_parse(WA_SV("[a]\nk=\0\n"), "x", &ini, &err), WA_E_INVALID);
    memset(text, '\n', WA_INI_BYTES_MAX + 1);
    assert_int_equal(wa_ini_parse(wa_sv_n(text, WA_INI_BYTES_MAX + 1), "x", &ini, &err),
                     WA_E_LIMIT);
    memset(text + 4, 'x', WA_INI_LINE_MAX + 1);
    memcpy(text, "[a]\n", 4);
    assert_int_equal(wa_ini_parse(wa_sv_n(text, WA_INI_LINE_MAX + 5), "x", &ini, &err), WA_E_LIMIT);
    /* a value in many lines */
    for (size_t i = 4; i < 200000; i += 4)
        memcpy(text + i, i == 4 ? "k=x\n" : " yy\n", 4);
    assert_int_equal(wa_ini_parse(wa_sv_n(text, 200000), "x", &ini, &err), WA_E_LIMIT);
}

static void lists_in_order(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_ini)
    struct wa_ini *ini = parse("[b]\nz=1\nY=2\n[DEFAULT]\nd=1\n[a]\n[b]\nz=3\nx=4\n");
    const char *section = NULL, *key = NULL, *value = NULL;

    assert_true(wa_ini_section_at(ini, 0, &section));
    assert_string_equal(section, "b");
    assert_true(wa_ini_section_at(ini, 1, &section));
    assert_string_equal(section, "a");
    assert_false(wa_ini_section_at(ini, 2, &section));
    assert_true(wa_ini_key_at(ini, "b", 0, &key, &value));
    assert_string_equal(key, "y");
    assert_true(wa_ini_key_at(ini, "b", 1, &key, &value));
    assert_string_equal(key, "z");
    assert_string_equal(value, "3");
    assert_true(wa_ini_key_at(ini, "b", 2, &key, &value));
    assert_string_equal(value, "4");
    assert_false(wa_ini_key_at(ini, "b", 3, &key, &value));
    assert_int_equal(wa_ini_line(ini, "b", "z"), 8);
    assert_int_equal(wa_ini_line(ini, "b", "none"), 0);
    assert_int_equal(wa_ini_line(ini, "a", "d"), 5);
    assert_true(wa_ini_has_section(ini, "a"));
    assert_false(wa_ini_has_section(ini, "c"));
}

static const char *const same[] = {"",
                                   "\n",
                                   "\n\n",
                                   "[a]",
                                   "[a]\n",
                                   "; only a remark",
                                   "[a]\r\nk=v\r\n\r\n",
                                   "[a]\nk=v",
                                   " \n[a]\n\nk: 1\n\n 2"};

static void unchanged_files_stay_the_same(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(same); i++) {
        WA_AUTO(wa_ini) struct wa_ini *ini = parse(same[i]);
        WA_AUTO_BUF struct wa_buf out;
        wa_buf_init(&out, 1000);
        wa_ini_write(ini, &out);
        assert_string_equal(wa_buf_str(&out), same[i]);
    }
}

static const struct {
    const char *text, *section, *key, *value, *want;
} sets[] = {
    {"", "a", "k", "v", "[a]\nk = v\n"},
    {"[a]\n", "a", "Key", "v", "[a]\nKey = v\n"},
    {"[a]\nk=v\n", "a", "k", "w", "[a]\nk=w\n"},
    {"[a]\nK :  v  ; why\n", "a", "k", "w x", "[a]\nK :  w x  ; why\n"},
    {"[a]\nk=\n", "a", "k", "w", "[a]\nk= w\n"},
    {"[a]\nk = v\n", "a", "k", "", "[a]\nk = \n"},
    {"[a]\nk=1\n 2\n;x\n 3\n\n;y\nl=4\n", "a", "k", "5", "[a]\nk=5\n\n;y\nl=4\n"},
    {"[a]\nk=1\nk=2\n", "a", "k", "3", "[a]\nk=1\nk=3\n"},
    {"[a]\nk=1\n\n; b's\n[b]\nk=2\n", "a", "l", "3", "[a]\nk=1\nl = 3\n\n; b's\n[b]\nk=2\n"},
    {"[a]\nk=1\n[b]\n[a]\nl=2\n;end\n", "a", "m", "3", "[a]\nk=1\n[b]\n[a]\nl=2\nm = 3\n;end\n"},
    {"[a]\nk=1\n", "c", "k", "3", "[a]\nk=1\n\n[c]\nk = 3\n"},
    {"[a]\r\nk=1\r\n", "c", "k", "3", "[a]\r\nk=1\r\n\r\n[c]\r\nk = 3\r\n"},
    {"[a]\r\nk=1\r\n", "a", "k", "3", "[a]\r\nk=3\r\n"},
    {"[a]\nk=1", "a", "l", "2", "[a]\nk=1\nl = 2"},
    {"[a]\nk=1\nl=2\nK=3\n 4\n", "a", "k", NULL, "[a]\nl=2\n"},
    {"[a]\nk=1\n", "b", "k", NULL, "[a]\nk=1\n"},
    {"[a]\nk=1\n", "a", "l", NULL, "[a]\nk=1\n"},
    {"[DEFAULT]\nk=1\n[a]\n", "a", "k", "2", "[DEFAULT]\nk=1\n[a]\nk = 2\n"},
};

static void changes_one_key_only(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(sets); i++) {
        WA_AUTO(wa_ini) struct wa_ini *ini = parse(sets[i].text);
        WA_AUTO(wa_ini) struct wa_ini *again = NULL;
        WA_AUTO_BUF struct wa_buf out;
        struct wa_err err = WA_ERR_INIT;
        const char *got;
        wa_buf_init(&out, 1000);
        check_ok(wa_ini_set(ini, sets[i].section, sets[i].key, sets[i].value, &err), &err,
                 sets[i].text);
        wa_ini_write(ini, &out);
        assert_string_equal(wa_buf_str(&out), sets[i].want);
        /* in memory as in the file */
        again = parse(wa_buf_str(&out));
        for (int k = 0; k < 2; k++) {
            got = wa_ini_get(k == 0 ? ini : again, sets[i].section, sets[i].key);
            if (sets[i].value)
                assert_string_equal(got, sets[i].value);
            else
                assert_null(got);
        }
    }
}

static void refuses_what_would_not_read_back(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *section, *key, *value;
    } cases[] = {{"a", "k", "x\ny"},  {"a", "k", "x\r"},  {"a", "k", " x"},  {"a", "k", "x "},
                 {"a", "k", "x ; y"}, {"a", "k", "\"\""}, {"a", "", "x"},    {"a", "k=l", "x"},
                 {"a", "k:l", "x"},   {"a", "#k", "x"},   {"a", ";k", "x"},  {"a", " k", "x"},
                 {"a", "k ", "x"},    {"a", "[k", "x"},   {"a", "[k]", "x"}, {"a", "rem k", "x"},
                 {"a", "k\nl", "x"},  {"a]", "k", "x"},   {"", "k", "x"},    {"a\n[b", "k", "x"}};

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO(wa_ini) struct wa_ini *ini = parse("[a]\nk=1\n");
        WA_AUTO_BUF struct wa_buf out;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&out, 1000);
        enum wa_code code = wa_ini_set(ini, cases[i].section, cases[i].key, cases[i].value, &err);
        wa_ini_write(ini, &out);
        /* "[k" is odd but no section: it has no ']' */
        if (strcmp(cases[i].key, "[k") == 0) {
            assert_int_equal(code, WA_OK);
            continue;
        }
        if (code != WA_E_INVALID)
            fail_msg("[%s] %s = %s", cases[i].section, cases[i].key, cases[i].value);
        assert_string_equal(wa_buf_str(&out), "[a]\nk=1\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_as_rawconfigparser),
                                       cmocka_unit_test(refuses_with_file_and_line),
                                       cmocka_unit_test(caps_sizes),
                                       cmocka_unit_test(lists_in_order),
                                       cmocka_unit_test(unchanged_files_stay_the_same),
                                       cmocka_unit_test(changes_one_key_only),
                                       cmocka_unit_test(refuses_what_would_not_read_back)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
