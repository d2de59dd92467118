/* URLs taken apart strictly, percent-encoding both ways. */
#include "support.h"

#include "codec/url.h"

static void takes_apart_what_is_plain(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *text;
        bool is_https;
        const char *host;
        uint16_t port;
        const char *path, *query;
    } cases[] = {
        {"https://srv.example/wapt/Packages", true, "srv.example", 443, "/wapt/Packages", ""},
        {"http://srv:8080", false, "srv", 8080, "/", ""},
        {"HTTPS://SRV/", true, "SRV", 443, "/", ""},
        {"http://192.0.2.1:80/a%20b?x=1&y=/?", false, "192.0.2.1", 80, "/a%20b", "x=1&y=/?"},
        {"https://[2001:db8::1]:8443/x", true, "2001:db8::1", 8443, "/x", ""},
        {"https://[::1]", true, "::1", 443, "/", ""},
        {"http://a_b.c-d/~u/;v=1,2(3)'!$*+:@", false, "a_b.c-d", 80, "/~u/;v=1,2(3)'!$*+:@", ""},
        {"http://srv?q", false, "srv", 80, "/", "q"},
    };

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_url url;
        struct wa_err err = WA_ERR_INIT;
        check_ok(wa_url_parse(wa_sv(cases[i].text), &url, &err), &err, cases[i].text);
        assert_int_equal(url.is_https, cases[i].is_https);
        assert_string_equal(url.host, cases[i].host);
        assert_int_equal(url.port, cases[i].port);
        assert_string_equal(url.path, cases[i].path);
        assert_string_equal(url.query, cases[i].query);
    }
}

static void refuses_what_readers_disagree_about(void **state)
{
    WA_UNUSED(state);
    static const char *const cases[] = {"",
                                        "srv",
                                        "ftp://srv/",
                                        "file:///etc/passwd",
                                        "https:/srv",
                                        "https:///x",
                                        "https://",
                                        "http://user@srv/",
                                        "http://user:secret@srv/",
                                        "http://srv@evil/",
                                        "http://srv/#x",
                                        "http://srv#@evil/",
                                        "http://srv:0/",
                                        "http://srv:65536/",
                                        "http://srv:/",
                                        "http://srv:8x/",
                                        "http://srv:+80/",
                                        "http://srv:080000/",
                                        "http://srv /",
                                        "http://srv/a b",
                                        "http://srv/a\tb",
                                        "http://srv/a\nb",
                                        "http://srv/a\\b",
                                        "http://srv\\x/",
                                        "http://srv/\xc3\xa9",
                                        "http://srv/%",
                                        "http://srv/%4",
                                        "http://srv/%zz",
                                        "http://srv/%00",
                                        "http://[::1",
                                        "http://[::1]x/",
                                        "http://[]/",
                                        "http://[zz]/",
                                        "http://[1]/",
                                        "http://::1/",
                                        "http://-srv/",
                                        "http://.srv/",
                                        "http://s%72v/",
                                        "http://srv/<x>",
                                        "http://srv/?a=\"",
                                        "http://srv/\x7f"};

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_url url;
        struct wa_err err = WA_ERR_INIT;
        memset(&url, 7, sizeof(url));
        if (wa_url_parse(wa_sv(cases[i]), &url, &err) != WA_E_INVALID)
            fail_msg("'%s' was taken", cases[i]);
        assert_int_equal(url.host[0], 7);
        assert_null(strstr(err.text, "secret"));
    }
}

static void caps_lengths(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *before;
        size_t longest;
    } cases[] = {{"http://", 255}, {"http://srv/", 1022}, {"http://srv/?", 1023}};

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        for (size_t more = 0; more < 2; more++) {
            char text[1200];
            struct wa_url url;
            struct wa_err err = WA_ERR_INIT;
            size_t n = strlen(cases[i].before);
            memset(text, 'a', sizeof(text));
            memcpy(text, cases[i].before, n);
            n += cases[i].longest + more;
            assert_int_equal(wa_url_parse(wa_sv_n(text, n), &url, &err),
                             more == 0 ? WA_OK : WA_E_INVALID);
        }
    }
}

static void percent_encoding_goes_both_ways(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf text, back;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&text, 1000);
    wa_buf_init(&back, 1000);
    wa_url_encode(WA_SV("aZ09-._~ /?&=+%\xc3\xa9\x01"), &text);
    assert_string_equal(wa_buf_str(&text), "aZ09-._~%20%2F%3F%26%3D%2B%25%C3%A9%01");
    check_ok(wa_url_decode(wa_buf_sv(&text), true, &back, &err), &err, "decode");
    assert_string_equal(wa_buf_str(&back), "aZ09-._~ /?&=+%\xc3\xa9\x01");
}

static void decodes_plus_in_queries_only(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *text;
        bool is_query;
        const char *want; /* NULL: refused */
    } cases[] = {{"a+b", true, "a b"}, {"a+b", false, "a+b"}, {"%2b%2B", true, "++"},
                 {"%00", true, NULL},  {"a%", true, NULL},    {"%4", true, NULL},
                 {"%g0", false, NULL}, {"%-1", false, NULL},  {"", false, ""}};

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf out;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&out, 100);
        wa_buf_adds(&out, "<");
        enum wa_code code = wa_url_decode(wa_sv(cases[i].text), cases[i].is_query, &out, &err);
        assert_int_equal(code, cases[i].want ? WA_OK : WA_E_INVALID);
        assert_int_equal(out.n, 1 + strlen(cases[i].want ? cases[i].want : ""));
        if (cases[i].want)
            assert_memory_equal(out.p + 1, cases[i].want, out.n - 1);
    }
}

static void finds_a_query_parameter(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *query, *key, *want;
    } cases[] = {{"a=1&b=2", "b", "2"},     {"a=1&b=2", "c", NULL}, {"ab=1&a=2", "a", "2"},
                 {"a=x+y%26", "a", "x y&"}, {"a", "a", ""},         {"a=1&a=2", "a", "1"},
                 {"a=%zz", "a", NULL},      {"", "a", NULL},        {"a==", "a", "="}};

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf out;
        wa_buf_init(&out, 100);
        bool found = wa_url_query_get(wa_sv(cases[i].query), cases[i].key, &out);
        assert_int_equal(found, cases[i].want != NULL);
        if (found)
            assert_string_equal(wa_buf_str(&out), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_apart_what_is_plain),
                                       cmocka_unit_test(refuses_what_readers_disagree_about),
                                       cmocka_unit_test(caps_lengths),
                                       cmocka_unit_test(percent_encoding_goes_both_ways),
                                       cmocka_unit_test(decodes_plus_in_queries_only),
                                       cmocka_unit_test(finds_a_query_parameter)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
