/* Control files as WAPT reads and writes them, where two readers can't differ; file names. */
#include "support.h"

/* What WAPT takes and we refuse, by the bytes: everything in which two readers could differ. */
static bool is_refused_by_us(struct wa_sv input)
{
    size_t at;
    return wa_sv_chr(input, '\0', &at);
}

/* A control must name a package; the vectors mostly don't, so one is put in front. */
static enum wa_code parse_with_package(struct wa_sv input, struct wa_control *c, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 1u << 20);
    if (!wa_sv_starts(input, "package"))
        wa_buf_adds(&text, "package: p\n");
    wa_buf_addsv(&text, input);
    return wa_control_parse(wa_buf_sv(&text), c, err);
}

static void check_parsed(const struct wa_json *dict, const struct wa_control *c)
{
    for (size_t i = 0; i < wa_json_count(dict); i++) {
        enum wa_attr a;
        struct wa_sv want = wa_json_sv(wa_json_at(dict, i));
        if (!wa_attr_find(wa_json_key_at(dict, i), &a))
            continue;
        struct wa_sv got = wa_sv(wa_control_get(c, a));
        if (!wa_sv_eq(got, want))
            fail_msg("%s: got '%.*s', wanted '%.*s'", wa_attr_name(a), WA_SV_ARG(got),
                     WA_SV_ARG(want));
    }
}

static void parse_all(const char *file)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = read_cases(file, &arena);
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *one = wa_json_at(list, i);
        WA_AUTO_BUF struct wa_buf input;
        WA_AUTO_CONTROL struct wa_control c;
        struct wa_err err = WA_ERR_INIT;
        wa_control_init(&c);
        wa_buf_init(&input, 1u << 20);
        check_ok(wa_base64_decode(text_at(one, "input_b64"), &input, &err), &err, "base64");
        if (wa_sv_starts(wa_buf_sv(&input), "\n"))
            continue; /* an empty control, in refuses_what_is_ambiguous */
        enum wa_code code = parse_with_package(wa_buf_sv(&input), &c, &err);
        if (wa_json_get(one, "error") != NULL || is_refused_by_us(wa_buf_sv(&input))) {
            assert_int_equal(code, WA_E_INVALID);
            continue;
        }
        check_ok(code, &err, wa_buf_str(&input));
        check_parsed(wa_json_get(one, "dict"), &c);
    }
}

static void parses_as_wapt_does(void **state)
{
    (void)state;
    parse_all("pkg/control_parse.json");
    parse_all("made/control_parse.json");
}

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

/* WAPT escapes a value badly when it would not come back as it is; then we write nothing. Otherwise
 * the text must be WAPT's, and be read back as it was. */
static void writes_as_wapt_does(void **state)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = read_cases("pkg/control_write.json", &arena);
    size_t written = 0, refused = 0;
    (void)state;
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *one = wa_json_at(list, i);
        WA_AUTO_BUF struct wa_buf want;
        WA_AUTO_BUF struct wa_buf got;
        WA_AUTO_CONTROL struct wa_control c;
        struct wa_control back;
        struct wa_err err = WA_ERR_INIT;
        enum wa_attr a;
        wa_buf_init(&want, 1u << 20);
        wa_buf_init(&got, 1u << 20);
        base_control(&c);
        assert_true(wa_attr_find(text_at(one, "attribute"), &a));
        const struct wa_json *value = wa_json_get(one, "value");
        if (wa_json_is(value, WA_JSON_NUMBER) && wa_sv_eqs(wa_json_sv(value), "0"))
            continue; /* a number that counts as nothing there; our values are texts */
        const char *text = csv_of(value, &arena);
        if (wa_json_is(value, WA_JSON_NUMBER))
            text = string_at(one, "value", &arena);
        check_ok(wa_control_set(&c, a, wa_sv(text), &err), &err, "set");
        check_ok(wa_base64_decode(text_at(one, "control_b64"), &want, &err), &err, "base64");
        enum wa_code code = wa_control_write(&c, false, &got, &err);
        struct wa_err why = WA_ERR_INIT;
        bool survives = wa_control_parse(wa_buf_sv(&want), &back, &why) == WA_OK;
        if (survives) {
            survives = strcmp(wa_control_get(&back, a), wa_control_get(&c, a)) == 0;
            wa_control_fini(&back);
        }
        if (!survives) {
            assert_int_equal(code, WA_E_INVALID);
            assert_int_equal(got.n, 0);
            refused++;
            continue;
        }
        check_ok(code, &err, "write");
        assert_string_equal(wa_buf_str(&got), wa_buf_str(&want));
        written++;
    }
    assert_true(written >= 8 && refused >= 8); /* neither side is empty */
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
    assert_null(strstr(wa_buf_str(&index), "\nsignature         :"));
}

/* --- names --- */

static void name_all(const char *file)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = read_cases(file, &arena);
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *one = wa_json_at(list, i);
        WA_AUTO_CONTROL struct wa_control c;
        struct wa_err err = WA_ERR_INIT;
        char got[2 * WA_NAME_MAX + 1];
        base_control(&c);
        check_ok(wa_control_set(&c, WA_A_VERSION, WA_SV("1.2-3"), &err), &err, "set");
        check_ok(wa_control_set(&c, WA_A_PACKAGE, text_at(one, "package"), &err), &err, "set");
        set_attributes(&c, wa_json_get(one, "attributes"));
        bool md5 = wa_json_bool(wa_json_get(one, "with_md5sum"));
        if (wa_json_is(wa_json_get(one, "filename"), WA_JSON_OBJECT)) { /* an exception there */
            assert_int_equal(wa_control_filename(&c, NULL, got, &err), WA_E_INVALID);
            continue;
        }
        check_ok(
            wa_control_filename(&c, md5 ? "0123456789abcdef0123456789abcdef" : NULL, got, &err),
            &err, "filename");
        if (!wa_sv_eqs(text_at(one, "filename"), got))
            fail_msg("case %zu: got '%s', wanted '%.*s'", i, got,
                     WA_SV_ARG(text_at(one, "filename")));
    }
}

static void names_files_as_wapt_does(void **state)
{
    (void)state;
    name_all("pkg/filenames.json");
    name_all("made/filenames.json");
}

static void sanitizes_as_wapt_does(void **state)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = read_cases("pkg/sanitize.json", &arena);
    (void)state;
    for (size_t i = 0; i < wa_json_count(list); i++) {
        WA_AUTO_BUF struct wa_buf out;
        wa_buf_init(&out, 4096);
        wa_sanitize_filename(text_at(wa_json_at(list, i), "name"), &out);
        assert_true(wa_sv_eq(wa_buf_sv(&out), text_at(wa_json_at(list, i), "result")));
    }
}

static void names_packages_after_units(void **state)
{
    WA_AUTO_BUF struct wa_buf out;
    (void)state;
    wa_buf_init(&out, 4 * WA_NAME_MAX);
    wa_package_name_from(WA_SV("OU=\xc3\x89\xc3\xa0 x,DC=b (c)"), &out);
    assert_string_equal(wa_buf_str(&out), "OU=\xc3\x89\xc3\xa0~x_DC=b~c");
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
        cmocka_unit_test(parses_as_wapt_does),
        cmocka_unit_test(refuses_what_is_ambiguous),
        cmocka_unit_test(skips_what_it_does_not_know),
        cmocka_unit_test(caps_the_size),
        cmocka_unit_test(writes_as_wapt_does),
        cmocka_unit_test(writes_index_attributes_only_when_asked),
        cmocka_unit_test(names_files_as_wapt_does),
        cmocka_unit_test(sanitizes_as_wapt_does),
        cmocka_unit_test(names_packages_after_units),
        cmocka_unit_test(signs_the_documented_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
