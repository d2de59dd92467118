/* The bytes that WAPT signs: every vector in both forms, floats against the machine's own shortest
 * form. */
#include "support.h"

#include <locale.h>

#include "codec/json.h"

typedef enum wa_code (*write_fn)(const struct wa_json *j, struct wa_buf *out, struct wa_err *err);

static void check_form(struct wa_sv text, bool is_wrapped, write_fn write, struct wa_sv want)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf out, whole;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;

    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&out, 1u << 20);
    wa_buf_init(&whole, 1u << 20);
    wa_buf_adds(&whole, is_wrapped ? "[" : "");
    wa_buf_addsv(&whole, text);
    wa_buf_adds(&whole, is_wrapped ? "]" : "");
    check_ok(wa_json_parse(wa_buf_sv(&whole), WA_JSON_LONE_SURROGATES, &arena, &j, &err), &err,
             wa_buf_str(&whole));
    check_ok(write(j, &out, &err), &err, "write");
    if (!wa_sv_eq(wa_buf_sv(&out), want))
        fail_msg("'%.*s' gives '%.*s', not '%.*s'", WA_SV_ARG(text), WA_SV_ARG(wa_buf_sv(&out)),
                 WA_SV_ARG(want));
}

static const struct {
    const char *text, *want;
} numbers[] = {
    {"0", "0"},
    {"-0", "0"},
    {"0.0", "0.0"},
    {"-0.0", "-0.0"},
    {"-0e9", "-0.0"},
    {"1E2", "100.0"},
    {"1e22", "1e+22"},
    {"1e23", "1e+23"},
    {"9007199254740993.0", "9007199254740992.0"},
    {"9999999999999998.0", "9999999999999998.0"},
    {"99999999999999999.0", "1e+17"},
    {"123e-2", "1.23"},
    {"0.1e1", "1.0"},
    {"100.0e-2", "1.0"},
    {"3.14159265358979323846264338327950288", "3.141592653589793"},
    {"1.7976931348623157e308", "1.7976931348623157e+308"},
    {"1.7976931348623159e308", "Infinity"},
    {"-1e309", "-Infinity"},
    {"2.2250738585072014e-308", "2.2250738585072014e-308"},
    {"2.4703282292062327e-324", "0.0"},
    {"2.4703282292062328e-324", "5e-324"},
    {"1e-999999999999999999999999", "0.0"},
    {"1e999999999999999999999999", "Infinity"},
    {"0e999999999999999999999999", "0.0"},
    {"-12345678901234567890123456789", "-12345678901234567890123456789"},
};

static void numbers_come_as_python_writes_them(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(numbers); i++)
        check_form(wa_sv(numbers[i].text), false, wa_json_write_canonical, wa_sv(numbers[i].want));
}

/* Half-way between 1 and the next double, and a hair above it: decided by the 1,000th digit. */
static void the_last_digit_decides(void **state)
{
    WA_UNUSED(state);
    char text[1100];
    static const char half[] = "1.00000000000000011102230246251565404236316680908203125";

    check_form(wa_sv(half), false, wa_json_write_canonical, WA_SV("1.0"));
    memset(text, '0', sizeof(text));
    memcpy(text, half, sizeof(half) - 1);
    text[sizeof(text) - 2] = '1';
    text[sizeof(text) - 1] = '\0';
    check_form(wa_sv(text), false, wa_json_write_canonical, WA_SV("1.0000000000000002"));
}

/* Each float reads back as itself, and from no shorter text. */
static void floats_are_short_and_exact(void **state)
{
    WA_UNUSED(state);
    uint64_t bits = 0x9e3779b97f4a7c15u;

    for (int i = 0; i < 20000; i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        WA_AUTO_BUF struct wa_buf out;
        const struct wa_json *j = NULL;
        struct wa_err err = WA_ERR_INIT;
        char text[40], shorter[40];
        double v, back;
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        memcpy(&v, &bits, sizeof(v));
        if (!(v > 0 && v < 1e308))
            continue;
        (void)snprintf(text, sizeof(text), "%.17e", v);
        wa_arena_init(&arena, 1000);
        wa_buf_init(&out, 1000);
        check_ok(wa_json_parse(wa_sv(text), 0, &arena, &j, &err), &err, text);
        check_ok(wa_json_write_canonical(j, &out, &err), &err, text);
        back = strtod(wa_buf_str(&out), NULL);
        assert_memory_equal(&back, &v, sizeof(v));
        size_t digits = 0;
        for (size_t k = 0; k < out.n && out.p[k] != 'e'; k++)
            digits += out.p[k] >= '0' && out.p[k] <= '9' ? 1 : 0;
        assert_true(digits <= 17 + 5);
        if (digits > 1 && (v < 1e-4 || v >= 1e16)) {
            (void)snprintf(shorter, sizeof(shorter), "%.*e", (int)digits - 2, v);
            assert_true(strtod(shorter, NULL) != v);
        }
    }
}

static void the_locale_changes_nothing(void **state)
{
    WA_UNUSED(state);
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL && setlocale(LC_NUMERIC, "German") == NULL)
        fail_msg("%s", "there is no German locale, which meson.build makes");
    assert_string_equal(localeconv()->decimal_point, ",");
    check_form(WA_SV("[1.5,1.25e-9]"), false, wa_json_write_canonical, WA_SV("[1.5,1.25e-09]"));
    (void)setlocale(LC_NUMERIC, "C");
}

static void legacy_objects_are_capped(void **state)
{
    WA_UNUSED(state);

    for (int n = 1024; n <= 1025; n++) {
        WA_AUTO_ARENA struct wa_arena arena;
        WA_AUTO_BUF struct wa_buf text, out;
        const struct wa_json *j = NULL;
        struct wa_err err = WA_ERR_INIT;
        wa_arena_init(&arena, 1u << 20);
        wa_buf_init(&text, 1u << 20);
        wa_buf_init(&out, 1u << 20);
        for (int i = 0; i < n; i++)
            wa_buf_addf(&text, "%c\"k%d\":%d", i == 0 ? '{' : ',', i, i);
        wa_buf_addc(&text, '}');
        check_ok(wa_json_parse(wa_buf_sv(&text), 0, &arena, &j, &err), &err, "parse");
        assert_int_equal(wa_json_write_legacy(j, &out, &err), n == 1024 ? WA_OK : WA_E_LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_as_python_writes_them),
        cmocka_unit_test(the_last_digit_decides),
        cmocka_unit_test(floats_are_short_and_exact),
        cmocka_unit_test(the_locale_changes_nothing),
        cmocka_unit_test(legacy_objects_are_capped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
