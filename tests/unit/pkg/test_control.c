/* Control files as WAPT reads and writes them, where two readers can't differ; file names. */
#include "support.h"

static void refuses_what_is_ambiguous(void **state)
{
    static const struct {
        const char *text, *because;
    } cases[] = {
        {"", "no package"},
        {"\npackage: a", "after a blank line"},
        {"\xef\xbb\xbfpackage: a", "byte order mark"},
        {"package: \xff", "UTF-8"},
        {"package: \xc0\x80", "UTF-8"},
        {" x", "continues nothing"},
        {"package: a\nversion: 1\nversion: 2", "sets 'version' again"},
        {"package: a\nVERSION: 1\nversion : 1", "sets 'version' again"},
        {"package: a\nnonsense", "has no ':'"},
        {"package: a\n\nversion: 1", "after a blank line"},
        {"package: a\n \t \nversion: 1", "after a blank line"},
        {"version: 1", "no package"},
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_control c;
        struct wa_err err = WA_ERR_INIT;
        assert_int_equal(wa_control_parse(wa_sv(cases[i].text), &c, &err), WA_E_INVALID);
        if (strstr(err.text, cases[i].because) == NULL)
            fail_msg("'%s': got '%s', wanted '%s'", cases[i].text, err.text, cases[i].because);
    }
}

static void skips_what_it_does_not_know(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_CONTROL struct wa_control c;
    (void)state;
    check_ok(wa_control_parse(WA_SV("package: a\nx-new: 1\n more\nx-new: 2\nversion: 3\n\n \n"), &c,
                              &err),
             &err, "parse");
    assert_string_equal(wa_control_get(&c, WA_A_VERSION), "3");
    assert_string_equal(wa_control_get(&c, WA_A_ARCHITECTURE), "all");
    assert_string_equal(wa_control_get(&c, WA_A_SECTION), "base");
    assert_string_equal(wa_control_get(&c, WA_A_PRIORITY), "optional");
    assert_null(c.v[WA_A_SECTION]);
}

static void caps_the_size(void **state)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_control c;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    wa_buf_init(&text, 1u << 20);
    wa_buf_adds(&text, "package: a\ndescription: ");
    while (text.n <= WA_CONTROL_BYTES_MAX)
        wa_buf_addc(&text, 'x');
    assert_int_equal(wa_control_parse(wa_buf_sv(&text), &c, &err), WA_E_LIMIT);
}

/* --- writing --- */

static void base_control(struct wa_control *c)
{
    static const struct {
        enum wa_attr a;
        const char *value;
    } set[] = {{WA_A_PACKAGE, "p"},
               {WA_A_VERSION, "1"},
               {WA_A_ARCHITECTURE, "all"},
               {WA_A_SECTION, "base"},
               {WA_A_PRIORITY, "optional"}};
    struct wa_err err = WA_ERR_INIT;
    wa_control_init(c);
    for (size_t i = 0; i < WA_COUNT(set); i++)
        check_ok(wa_control_set(c, set[i].a, wa_sv(set[i].value), &err), &err, "set");
}

static void writes_index_attributes_only_when_asked(void **state)
{
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_BUF struct wa_buf plain;
    WA_AUTO_BUF struct wa_buf index;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    wa_buf_init(&plain, 1u << 20);
    wa_buf_init(&index, 1u << 20);
    base_control(&c);
    check_ok(wa_control_set(&c, WA_A_FILENAME, WA_SV("p_1.wapt"), &err), &err, "set");
    check_ok(wa_control_write(&c, false, &plain, &err), &err, "write");
    check_ok(wa_control_write(&c, true, &index, &err), &err, "write");
    assert_null(strstr(wa_buf_str(&plain), "p_1.wapt"));
    assert_true(wa_sv_ends(wa_buf_sv(&index), "\nfilename          : p_1.wapt"));
    assert_null(strstr(wa_buf_str(&index), "\nmd5sum"));
    assert_null(strstr(wa_buf_str(&plain), "\nsignature         :"));
    assert_non_null(strstr(wa_buf_str(&index), "\nsignature         : \n")); /* so does WAPT */
}

/* The order against a text, as somebody types it; more in vercmp.json of the vectors. */
static void compares_with_what_was_typed(void **state)
{
    static const struct {
        const char *version, *text;
        int order;
    } cases[] = {{"1.2.3-4", "1.2", 0},      {"1.2.3-4", "1.2-4", 1}, {"1.2", "1.2.0", 0},
                 {"1.2.3-4", "1.2.3-5", -1}, {"1.10-1", "1.9", 1},    {"1.2.3.4", "1", 0},
                 {"1.2.0.0-1", "1.2-1", 0},  {"1.2rc1", "1.2", 1},    {"2-rc2", "2-rc10", -1}};
    WA_AUTO_CONTROL struct wa_control c;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    wa_control_init(&c);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        check_ok(wa_control_set(&c, WA_A_VERSION, wa_sv(cases[i].version), &err), &err, "set");
        int got = wa_entry_cmp_version(&c, wa_sv(cases[i].text));
        assert_int_equal((got > 0) - (got < 0), cases[i].order);
    }
}

/* --- names --- */

static void names_packages_after_units(void **state)
{
    WA_AUTO_BUF struct wa_buf out;
    (void)state;
    wa_buf_init(&out, 4 * WA_NAME_MAX);
    wa_package_name_from(WA_SV("OU=\xc3\x89\xc3\xa0 x,DC=b (c)"), &out);
    assert_string_equal(wa_buf_str(&out), "OU=\xc3\x89\xc3\xa0~x_DC=b~c");
}

static void names_the_place_to_edit_in(void **state)
{
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    wa_buf_init(&out, WA_NAME_MAX);
    base_control(&c);
    check_ok(wa_control_set(&c, WA_A_LOCALE, WA_SV("fr,en"), &err), &err, "set");
    check_ok(wa_control_set(&c, WA_A_MATURITY, WA_SV("DEV"), &err), &err, "set");
    wa_control_edit_name(&c, &out);
    assert_string_equal(wa_buf_str(&out), "p_DEV_fr-en-wapt");
    out.max = 3; /* and does not fit */
    wa_buf_clear(&out);
    wa_control_edit_name(&c, &out);
    assert_int_equal(out.failed, WA_E_LIMIT);
}

/* --- signed bytes --- */

/* The example of the format's description, to the byte. */
static void signs_the_documented_bytes(void **state)
{
    static const char control[] =
        "package           : tis-demo\nversion           : 1.0-1\narchitecture      : all\n"
        "section           : base\npriority          : optional\n"
        "description       : Un test \xc3\xa9\n deuxi\xc3\xa8me ligne\nmaturity          : PROD\n"
        "locale            : fr,en\ninstalled_size    : 1234\nsigned_attributes : "
        "installed_size,description,package,sources,signer,unknown";
    static const char want[] = "{\"description\":\"Un test \\u00e9\\ndeuxi\\u00e8me ligne\","
                               "\"installed_size\":1234,\"package\":\"tis-demo\",\"signer\":null,"
                               "\"sources\":\"\",\"unknown\":null}";
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    wa_buf_init(&out, 1u << 20);
    check_ok(wa_control_parse(wa_sv(control), &c, &err), &err, "parse");
    check_ok(wa_control_signed_bytes(&c, false, &out, &err), &err, "bytes");
    assert_string_equal(wa_buf_str(&out), want);
    check_ok(wa_control_set(&c, WA_A_SIGNED_ATTRIBUTES, WA_SV("package,version,package"), &err),
             &err, "set");
    assert_int_equal(wa_control_signed_bytes(&c, false, &out, &err), WA_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_ambiguous),
        cmocka_unit_test(skips_what_it_does_not_know),
        cmocka_unit_test(caps_the_size),
        cmocka_unit_test(writes_index_attributes_only_when_asked),
        cmocka_unit_test(names_packages_after_units),
        cmocka_unit_test(names_the_place_to_edit_in),
        cmocka_unit_test(compares_with_what_was_typed),
        cmocka_unit_test(signs_the_documented_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
