/* JSON: what is taken, what is refused and where, reading by table, writing; jansson as a second
 * opinion. */
#include "support.h"

#include <jansson.h>

#include "codec/json.h"

/* Parses, or gives the error's code. */
static enum wa_code parse(const char *text, unsigned flags, struct wa_arena *arena,
                          const struct wa_json **ret, struct wa_err *err)
{
    wa_arena_init(arena, 1u << 20);
    return wa_json_parse(wa_sv(text), flags, arena, ret, err);
}

static const struct {
    const char *text, *compact;
} good[] = {
    {"null", "null"},
    {" \t\r\n[ true , false , null ] ", "[true,false,null]"},
    {"{ }", "{}"},
    {"[ ]", "[]"},
    {"{\"b\":1,\"a\":{\"c\":[]},\"\":0}", "{\"b\":1,\"a\":{\"c\":[]},\"\":0}"},
    {"[0,-0,-1,10,1.50,1e5,1E+05,-2.5e-3]", "[0,-0,-1,10,1.50,1e5,1E+05,-2.5e-3]"},
    {"123456789012345678901234567890", "123456789012345678901234567890"},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\u0000\"",
     "\"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\\u0000\""},
    {"\"\xc3\xa9\x7f\"", "\"\xc3\xa9\x7f\""},
    {"\"\"", "\"\""},
};

static void takes_and_writes_back(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(good); i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        WA_AUTO_BUF struct wa_buf out;
        const struct wa_json *j = NULL;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&out, 1000);
        check_ok(parse(good[i].text, 0, &arena, &j, &err), &err, good[i].text);
        wa_json_write(j, &out);
        assert_string_equal(wa_buf_str(&out), good[i].compact);
    }
}

static const struct {
    const char *text, *why;
} bad[] = {
    {"", "line 1, column 1: it ends too early"},
    {"   ", "ends too early"},
    {"nul", "expected a value"},
    {"nulll", "text after the end"},
    {"True", "expected a value"},
    {"NaN", "expected a value"},
    {"Infinity", "expected a value"},
    {"-Infinity", "expected a digit"},
    {"'a'", "expected a value"},
    {"\xef\xbb\xbf{}", "expected a value"},
    {"{} {}", "line 1, column 4: text after the end"},
    {"[1,]", "expected a value"},
    {"[,1]", "expected a value"},
    {"[1 2]", "line 1, column 4: expected ',' or ']'"},
    {"[1", "ends too early"},
    {"[1}", "expected ',' or ']'"},
    {"{\"a\":1,}", "expected a key"},
    {"{a:1}", "expected a key"},
    {"{\"a\" 1}", "expected ':'"},
    {"{\"a\":1 \"b\":2}", "expected ',' or '}'"},
    {"{\"a\":}", "expected a value"},
    {"{\"a\":1", "ends too early"},
    {"[1]//", "text after the end"},
    {"01", "text after the end"},
    {"-", "ends too early"},
    {"+1", "expected a value"},
    {".5", "expected a value"},
    {"1.", "ends too early"},
    {"[1.]", "after the point"},
    {"[1e]", "exponent"},
    {"[1e+]", "exponent"},
    {"0x10", "text after the end"},
    {"\"a", "ends too early"},
    {"\"a\\", "ends too early"},
    {"\"\\x\"", "no such escape"},
    {"\"\\u12g4\"", "four hex digits"},
    {"\"\\u12\"", "four hex digits"},
    {"\"\\ud83d\"", "surrogate"},
    {"\"\\ude00\"", "surrogate"},
    {"\"\\ud83d\\u0041\"", "surrogate"},
    {"\"\\ud83d\\ud83d\"", "surrogate"},
    {"\"\\ud83d\\u12\"", "surrogate"},
    {"\"\\ud83d\\u12g4\"", "four hex digits"},
    {"\"\n\"", "control character"},
    {"\"\x01\"", "control character"},
    {"\"\xff\"", "not UTF-8"},
    {"\"\xed\xa0\x80\"", "not UTF-8"},
    {"\"\xc0\x80\"", "not UTF-8"},
    {"{\"a\":1,\"a\":2}", "twice"},
    {"{\"a\":1,\"b\":2,\"\\u0061\":3}", "twice"},
    {"[{\"\":1,\"\":2}]", "twice"},
    {"[\n  \xc3\xa9\n]", "line 2, column 3"},
    {"[\"\xc3\xa9\xc3\xa9\" x]", "line 1, column 7"},
};

static void refuses_and_says_where(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        const struct wa_json *j = NULL;
        struct wa_err err = WA_ERR_INIT;
        enum wa_code code = parse(bad[i].text, 0, &arena, &j, &err);
        if (code != WA_E_INVALID || !strstr(err.text, bad[i].why))
            fail_msg("'%s': %s '%s', wanted '%s'", bad[i].text, wa_code_name(code), err.text,
                     bad[i].why);
        assert_null(j);
    }
}

static void a_nul_does_not_end_the_text(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;

    wa_arena_init(&arena, 1000);
    assert_int_equal(wa_json_parse(WA_SV("1\0"), 0, &arena, &j, &err), WA_E_INVALID);
}

static void finds_a_duplicate_among_many(void **state)
{
    WA_UNUSED(state);

    for (int duplicate = 0; duplicate < 2; duplicate++) {
        WA_AUTO_ARENA struct wa_arena arena;
        WA_AUTO_BUF struct wa_buf text;
        const struct wa_json *j = NULL;
        struct wa_err err = WA_ERR_INIT;
        wa_arena_init(&arena, 64u << 20);
        wa_buf_init(&text, 1u << 20);
        wa_buf_adds(&text, "{\"k77\":0");
        for (int i = 0; i < 20000; i++)
            wa_buf_addf(&text, ",\"k%d%s\":%d", i * 7919 % 20000, i == 0 || duplicate ? "" : "x",
                        i);
        wa_buf_adds(&text, "}");
        enum wa_code code = wa_json_parse(wa_buf_sv(&text), 0, &arena, &j, &err);
        assert_int_equal(code, duplicate ? WA_E_INVALID : WA_OK);
        if (!duplicate) {
            int64_t value = 0;
            assert_true(wa_json_i64(wa_json_get(j, "k7919x"), &value));
            assert_int_equal(value, 1);
            assert_null(wa_json_get(j, "k7919"));
        }
    }
}

static void caps_depth_and_memory(void **state)
{
    WA_UNUSED(state);
    char text[2 * WA_JSON_DEPTH_MAX + 3];

    for (size_t depth = WA_JSON_DEPTH_MAX; depth <= WA_JSON_DEPTH_MAX + 1; depth++) {
        WA_AUTO_ARENA struct wa_arena arena;
        const struct wa_json *j = NULL;
        struct wa_err err = WA_ERR_INIT;
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        assert_int_equal(parse(text, 0, &arena, &j, &err),
                         depth > WA_JSON_DEPTH_MAX ? WA_E_LIMIT : WA_OK);
    }
    for (size_t max = 0; max < 400; max += 16) {
        WA_AUTO_ARENA struct wa_arena arena;
        const struct wa_json *j = NULL;
        struct wa_err err = WA_ERR_INIT;
        wa_arena_init(&arena, max);
        assert_int_equal(wa_json_parse(WA_SV("[1,2,3,{\"a\":[4,5,6,7,8,9,10,11,12,13,14,15]}]"), 0,
                                       &arena, &j, &err),
                         WA_E_LIMIT);
    }
}

static void is_absent_without_a_fuss(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    int64_t v = 7;

    check_ok(parse("{\"a\":[1,\"x\",1.0],\"t\":true}", 0, &arena, &j, &err), &err, "parse");
    assert_int_equal(wa_json_type(NULL), WA_JSON_NULL);
    assert_false(wa_json_is(NULL, WA_JSON_NULL));
    assert_null(wa_json_get(NULL, "a"));
    assert_null(wa_json_get(j, "b"));
    assert_null(wa_json_get(wa_json_get(j, "a"), "a"));
    assert_null(wa_json_at(wa_json_get(j, "a"), 3));
    assert_int_equal(wa_json_count(wa_json_get(j, "t")), 0);
    check_sv(wa_json_key_at(j, 1), "t");
    assert_int_equal(wa_json_key_at(j, 2).n, 0);
    check_sv(wa_json_sv(wa_json_at(wa_json_get(j, "a"), 2)), "1.0");
    assert_false(wa_json_i64(wa_json_at(wa_json_get(j, "a"), 2), &v));
    assert_false(wa_json_i64(wa_json_at(wa_json_get(j, "a"), 1), &v));
    assert_int_equal(v, 7);
    assert_true(wa_json_bool(wa_json_get(j, "t")));
    assert_false(wa_json_bool(wa_json_get(j, "a")));
}

static void integers_fit_or_are_refused(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *text;
        bool ok;
        int64_t want;
    } cases[] = {{"0", true, 0},
                 {"-0", true, 0},
                 {"9223372036854775807", true, INT64_MAX},
                 {"9223372036854775808", false, 0},
                 {"-9223372036854775808", true, INT64_MIN},
                 {"-9223372036854775809", false, 0},
                 {"18446744073709551617", false, 0},
                 {"1e3", false, 0},
                 {"1.0", false, 0}};

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        const struct wa_json *j = NULL;
        struct wa_err err = WA_ERR_INIT;
        int64_t v = 0;
        check_ok(parse(cases[i].text, 0, &arena, &j, &err), &err, cases[i].text);
        assert_int_equal(wa_json_i64(j, &v), cases[i].ok);
        assert_true(v == cases[i].want);
    }
}

struct message {
    struct wa_sv name;
    int64_t count;
    bool on;
    const struct wa_json *list, *object, *any;
};

static enum wa_code read_message(const char *text, bool lax, struct message *m, struct wa_err *err)
{
    struct wa_arena arena;
    const struct wa_json *j = NULL;
    const struct wa_json_field fields[] = {{"name", WA_WANT_SV, true, 4, &m->name},
                                           {"count", WA_WANT_I64, false, 0, &m->count},
                                           {"on", WA_WANT_BOOL, false, 0, &m->on},
                                           {"list", WA_WANT_ARRAY, false, 2, &m->list},
                                           {"object", WA_WANT_OBJECT, false, 0, &m->object},
                                           {"any", WA_WANT_ANY, false, 0, &m->any}};
    enum wa_code code = parse(text, 0, &arena, &j, err);

    if (code == WA_OK)
        code = lax ? wa_json_read_lax(j, fields, WA_COUNT(fields), "a message", err)
                   : wa_json_read(j, fields, WA_COUNT(fields), "a message", err);
    if (code == WA_OK)
        assert_memory_equal(m->name.p, "n", m->name.n > 0 ? 1 : 0);
    wa_arena_fini(&arena);
    return code;
}

static void reads_a_struct_by_its_table(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *text;
        enum wa_code strict, lax;
        const char *why;
    } cases[] = {
        {"{\"name\":\"n\"}", WA_OK, WA_OK, ""},
        {"{\"name\":\"nnnn\",\"count\":5,\"on\":true,\"list\":[1,2],\"object\":{},\"any\":null}",
         WA_OK, WA_OK, ""},
        {"{\"name\":\"n\",\"more\":1}", WA_E_INVALID, WA_OK, "unknown member 'more'"},
        {"{\"count\":1}", WA_E_INVALID, WA_E_INVALID, "member 'name' is missing"},
        {"{\"name\":null}", WA_E_INVALID, WA_E_INVALID, "member 'name' is not a string"},
        {"{\"name\":1}", WA_E_INVALID, WA_E_INVALID, "'name' is not a string"},
        {"{\"name\":\"nnnnn\"}", WA_E_LIMIT, WA_E_LIMIT, "longer than 4 bytes"},
        {"{\"name\":\"n\",\"count\":\"5\"}", WA_E_INVALID, WA_E_INVALID,
         "'count' is not an integer"},
        {"{\"name\":\"n\",\"count\":1.0}", WA_E_INVALID, WA_E_INVALID, "'count' is not an integer"},
        {"{\"name\":\"n\",\"on\":1}", WA_E_INVALID, WA_E_INVALID, "'on' is not true or false"},
        {"{\"name\":\"n\",\"list\":{}}", WA_E_INVALID, WA_E_INVALID, "'list' is not an array"},
        {"{\"name\":\"n\",\"list\":[1,2,3]}", WA_E_LIMIT, WA_E_LIMIT, "more than 2 items"},
        {"{\"name\":\"n\",\"object\":[]}", WA_E_INVALID, WA_E_INVALID, "'object' is not an object"},
        {"[]", WA_E_INVALID, WA_E_INVALID, "not an object"},
    };

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        for (int lax = 0; lax < 2; lax++) {
            struct message m = {.count = -1};
            struct wa_err err = WA_ERR_INIT;
            enum wa_code want = lax ? cases[i].lax : cases[i].strict;
            if (read_message(cases[i].text, lax, &m, &err) != want)
                fail_msg("%s: '%s'", cases[i].text, err.text);
            if (want != WA_OK) {
                assert_non_null(strstr(err.text, cases[i].why));
                assert_int_equal(m.count, -1);
                assert_null(m.name.p);
            }
        }
    }
}

static void writes_for_people(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf out;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&out, 1000);
    check_ok(parse("{\"a\":[1,{\"b\":[]}],\"c\":{}}", 0, &arena, &j, &err), &err, "parse");
    wa_json_write_pretty(j, &out);
    assert_string_equal(wa_buf_str(&out),
                        "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n"
                        "  \"c\": {}\n}\n");
}

static void builds_a_document(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf out;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct wa_jw w;

    wa_buf_init(&out, 1000);
    check_ok(parse("[1.50]", 0, &arena, &j, &err), &err, "parse");
    wa_jw_init(&w, &out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "s", "a\"\n\x01\xc3\xa9");
    wa_jw_kv(&w, "none", NULL);
    wa_jw_kvsv(&w, "bad", WA_SV("x\xff\xedy"));
    wa_jw_kvi(&w, "min", INT64_MIN);
    wa_jw_kvb(&w, "yes", true);
    wa_jw_key(&w, "list");
    wa_jw_arr(&w);
    wa_jw_i64(&w, 1);
    wa_jw_arr(&w);
    wa_jw_end(&w);
    wa_jw_obj(&w);
    wa_jw_end(&w);
    wa_jw_bool(&w, false);
    wa_jw_null(&w);
    wa_jw_s(&w, "t");
    wa_jw_json(&w, j);
    wa_jw_raw(&w, WA_SV("{\"raw\":0}"));
    wa_jw_end(&w);
    wa_jw_keysv(&w, WA_SV("k\0k"));
    wa_jw_sv(&w, WA_SV(""));
    wa_jw_end(&w);
    assert_string_equal(
        wa_buf_str(&out),
        "{\"s\":\"a\\\"\\n\\u0001\xc3\xa9\",\"none\":null,\"bad\":\"x\xef\xbf\xbd\xef\xbf\xbdy\","
        "\"min\":-9223372036854775808,\"yes\":true,\"list\":[1,[],{},false,null,\"t\",[1.50],"
        "{\"raw\":0}],\"k\\u0000k\":\"\"}");
    assert_int_equal(w.depth, 0);
}

static void a_document_nobody_could_read_is_not_built(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    struct wa_jw w;

    wa_buf_init(&out, 1000);
    wa_jw_init(&w, &out);
    for (unsigned i = 0; i < WA_JSON_DEPTH_MAX + 1; i++)
        wa_jw_arr(&w);
    assert_int_equal(wa_buf_check(&out, &err), WA_E_LIMIT);
}

static void lone_surrogates_only_when_asked(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *text, *compact;
    } cases[] = {{"\"\\ud83d\"", "\"\\ud83d\""},
                 {"\"\\ude00\\ud83d\"", "\"\\ude00\\ud83d\""},
                 {"\"\\ud83d\\ud83d\\ude00\"", "\"\\ud83d\xf0\x9f\x98\x80\""},
                 {"{\"\\ud83d\":1,\"\\ud83e\":2}", "{\"\\ud83d\":1,\"\\ud83e\":2}"}};

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        WA_AUTO_BUF struct wa_buf out;
        const struct wa_json *j = NULL;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&out, 1000);
        check_ok(parse(cases[i].text, WA_JSON_LONE_SURROGATES, &arena, &j, &err), &err,
                 cases[i].text);
        wa_json_write(j, &out);
        assert_string_equal(wa_buf_str(&out), cases[i].compact);
    }
}

/* jansson refuses what we refuse, but for what it is known to be lenient or stricter about, and
 * reads the same values. */
static void jansson_agrees(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(good) + WA_COUNT(bad); i++) {
        bool is_good = i < WA_COUNT(good);
        const char *text = is_good ? good[i].text : bad[i - WA_COUNT(good)].text;
        json_t *theirs, *ours;
        /* beyond int64: refused there, text here */
        if (is_good && strlen(text) == 30)
            continue;
        theirs = json_loadb(text, strlen(text),
                            JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
        if ((theirs != NULL) != is_good)
            fail_msg("jansson %s '%s'", theirs ? "takes" : "refuses", text);
        if (!is_good)
            continue;
        ours = json_loadb(good[i].compact, strlen(good[i].compact),
                          JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(ours);
        assert_true(json_equal(theirs, ours));
        json_decref(theirs);
        json_decref(ours);
    }
}

static void an_answer_says_an_error_or_none(void **state)
{
    static const struct {
        const char *text, *message;
        enum wa_code code;
    } rows[] = {
        {"{\"found\":1}", "", WA_OK},
        {"{\"code\":\"ok\",\"message\":\"\",\"found\":1}", "", WA_OK},
        {"{\"code\":\"busy\",\"message\":\"later %s\"}", "later %s", WA_E_BUSY},
        {"{\"code\":\"busy\"}", "", WA_E_BUSY},
        {"{\"code\":\"no such\",\"message\":\"m\"}", "m", WA_E_INTERNAL},
        {"{\"code\":\"busy\\u0000\",\"message\":\"m\"}", "m", WA_E_INTERNAL},
        {"{\"code\":{},\"message\":\"m\"}", "m", WA_E_INTERNAL},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        struct wa_err err = WA_ERR_INIT;
        const struct wa_json *j = NULL;
        wa_arena_init(&arena, 64u << 10);
        assert_int_equal(wa_json_answer(wa_sv(rows[i].text), &arena, &j, &err), rows[i].code);
        assert_string_equal(err.text, rows[i].message);
        assert_non_null(j);
    }
    struct wa_err told = WA_ERR_INIT, err = WA_ERR_INIT;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_json *j = NULL;
    struct wa_jw w;
    (void)wa_fail(&told, WA_E_DENIED, "a \"quoted\" reason");
    wa_arena_init(&arena, 64u << 10);
    wa_buf_init(&text, 4096);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_err(&w, &told);
    wa_jw_end(&w);
    assert_int_equal(wa_json_answer(wa_buf_sv(&text), &arena, &j, &err), WA_E_DENIED);
    assert_string_equal(err.text, told.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_and_writes_back),
        cmocka_unit_test(refuses_and_says_where),
        cmocka_unit_test(a_nul_does_not_end_the_text),
        cmocka_unit_test(finds_a_duplicate_among_many),
        cmocka_unit_test(caps_depth_and_memory),
        cmocka_unit_test(is_absent_without_a_fuss),
        cmocka_unit_test(integers_fit_or_are_refused),
        cmocka_unit_test(reads_a_struct_by_its_table),
        cmocka_unit_test(writes_for_people),
        cmocka_unit_test(builds_a_document),
        cmocka_unit_test(a_document_nobody_could_read_is_not_built),
        cmocka_unit_test(lone_surrogates_only_when_asked),
        cmocka_unit_test(an_answer_says_an_error_or_none),
        cmocka_unit_test(jansson_agrees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
