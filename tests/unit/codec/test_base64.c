/* base64: the vectors of RFC 4648, WAPT's two forms, and one text for one value. */
#include "support.h"

#include "codec/base64.h"

static const struct {
    const char *bytes, *text;
} rfc4648[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"foobar", "Zm9vYmFy"}};

static void follows_the_rfc(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(rfc4648); i++) {
        WA_AUTO_BUF struct wa_buf text, back;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&text, 100);
        wa_buf_init(&back, 100);
        wa_base64_encode(rfc4648[i].bytes, strlen(rfc4648[i].bytes), &text);
        assert_string_equal(wa_buf_str(&text), rfc4648[i].text);
        check_ok(wa_base64_decode(wa_buf_sv(&text), &back, &err), &err, rfc4648[i].text);
        assert_string_equal(wa_buf_str(&back), rfc4648[i].bytes);
    }
}

static void breaks_lines_as_python_does(void **state)
{
    WA_UNUSED(state);
    uint8_t bytes[200];
    static const size_t lengths[] = {0, 1, 56, 57, 58, 114, 200};

    memset(bytes, 0xa5, sizeof(bytes));
    for (size_t i = 0; i < WA_COUNT(lengths); i++) {
        WA_AUTO_BUF struct wa_buf text, back;
        struct wa_err err = WA_ERR_INIT;
        size_t digits = (lengths[i] + 2) / 3 * 4, lines = (digits + 75) / 76;
        wa_buf_init(&text, 1000);
        wa_buf_init(&back, 1000);
        wa_base64_encode_mime(bytes, lengths[i], &text);
        assert_int_equal(text.n, digits + lines);
        for (size_t k = 76; k < text.n; k += 77)
            assert_int_equal(text.p[k], '\n');
        if (text.n > 0)
            assert_int_equal(text.p[text.n - 1], '\n');
        check_ok(wa_base64_decode(wa_buf_sv(&text), &back, &err), &err, "mime");
        assert_int_equal(back.n, lengths[i]);
        assert_memory_equal(back.p ? back.p : "", bytes, back.n);
    }
}

static void urls_have_their_own_alphabet(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf text, back;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&text, 100);
    wa_buf_init(&back, 100);
    wa_base64url_encode("\xff\xfe\xfb\xf0", 4, &text);
    assert_string_equal(wa_buf_str(&text), "__778A");
    check_ok(wa_base64url_decode(wa_buf_sv(&text), &back, &err), &err, "url");
    assert_int_equal(back.n, 4);
    assert_memory_equal(back.p, "\xff\xfe\xfb\xf0", 4);
}

static void refuses_a_second_text_for_the_same_bytes(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *text;
        bool is_url, ok;
    } cases[] = {{"Zg==", false, true},
                 {" Z\tg\r\n=\n=", false, true},
                 {"Zg=", false, false},
                 {"Zg", false, false},
                 {"Zg===", false, false},
                 {"Zh==", false, false},
                 {"Zm9=", false, false},
                 {"Z", false, false},
                 {"Z===", false, false},
                 {"====", false, false},
                 {"Zg==Zg==", false, false},
                 {"Zm9v====", false, false},
                 {"Zm-v", false, false},
                 {"Zm9v.", false, false},
                 {"Zm9v\xc3\xa9", false, false},
                 {"Zg", true, true},
                 {"Zg==", true, false},
                 {"Zh", true, false},
                 {"Z", true, false},
                 {"Zm9v\n", true, false},
                 {"Zm+v", true, false}};

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf out;
        struct wa_err err = WA_ERR_INIT;
        enum wa_code code;
        wa_buf_init(&out, 100);
        wa_buf_adds(&out, "before");
        code = cases[i].is_url ? wa_base64url_decode(wa_sv(cases[i].text), &out, &err)
                               : wa_base64_decode(wa_sv(cases[i].text), &out, &err);
        if ((code == WA_OK) != cases[i].ok)
            fail_msg("'%s': %s", cases[i].text, err.text);
        if (!cases[i].ok) {
            assert_int_equal(code, WA_E_INVALID);
            assert_int_equal(out.n, strlen("before"));
        }
    }
}

static void keeps_to_the_buffers_cap(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&out, 5);
    assert_int_equal(wa_base64_decode(WA_SV("Zm9vYmFy"), &out, &err), WA_E_LIMIT);
}

static void base32_follows_the_rfc(void **state)
{
    static const char *const texts[] = {"",        "MY",       "MZXQ",      "MZXW6",
                                        "MZXW6YQ", "MZXW6YTB", "MZXW6YTBOI"};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(texts); i++) {
        WA_AUTO_BUF struct wa_buf out;
        wa_buf_init(&out, 64);
        wa_base32_encode("foobar", i, &out);
        assert_string_equal(wa_buf_str(&out), texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(follows_the_rfc),
                                       cmocka_unit_test(base32_follows_the_rfc),
                                       cmocka_unit_test(breaks_lines_as_python_does),
                                       cmocka_unit_test(urls_have_their_own_alphabet),
                                       cmocka_unit_test(refuses_a_second_text_for_the_same_bytes),
                                       cmocka_unit_test(keeps_to_the_buffers_cap)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
