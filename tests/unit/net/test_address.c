/* Which addresses a server that is sent somewhere may be led to. */
#include "support.h"

#include "net/address.h"
#include "net/http_line.h"

static const struct {
    const char *text;
    bool is_address, is_public;
} cases[] = {
    {"8.8.8.8", true, true},
    {"127.0.0.1", true, false},
    {"10.1.2.3", true, false},
    {"172.15.0.1", true, true},
    {"172.16.0.1", true, false},
    {"172.31.255.255", true, false},
    {"172.32.0.1", true, true},
    {"192.168.0.1", true, false},
    {"169.254.169.254", true, false}, /* what clouds tell their machines' secrets at */
    {"100.64.0.1", true, false},
    {"0.0.0.0", true, false},
    {"255.255.255.255", true, false},
    {"224.0.0.1", true, false},
    {"2606:4700::1111", true, true},
    {"::1", true, false},
    {"::", true, false},
    {"::ffff:127.0.0.1", true, false},
    {"::ffff:8.8.8.8", true, true},
    {"::7f00:1", true, false},
    {"64:ff9b::10.0.0.1", true, false},
    {"64:ff9b::8.8.8.8", true, true},
    {"2002:7f00:1::", true, false}, /* 6to4 of 127.0.0.1 */
    {"2002:808:808::1", true, true},
    {"2001::1", true, false}, /* Teredo */
    {"2001:db8::1", true, false},
    {"fe80::1", true, false},
    {"fd00::1", true, false},
    {"ff02::1", true, false},
    {"1:2:3:4:5:6:7:8", true, false},
    {"1.2.3", false, false},
    {"1.2.3.4.5", false, false},
    {"01.2.3.4", false, false},
    {"256.1.1.1", false, false},
    {"1:2:3:4:5:6:7", false, false},
    {"1:2:3:4:5:6:7:8:9", false, false},
    {"1::2::3", false, false},
    {"12345::", false, false},
    {"1:", false, false},
    {":1", false, false},
    {"fe80::1%eth0", false, false},
    {"g::1", false, false},
    {"", false, false},
    {"localhost", false, false},
    {"1:2:3:4:5:6:7:1.2.3.4", false, false},
};

static void test_addresses(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        uint8_t a[16];
        bool is_address = wa_address_parse(wa_sv(cases[i].text), a);
        if (is_address != cases[i].is_address ||
            (is_address && wa_address_is_public(a) != cases[i].is_public))
            fail_msg("'%s'", cases[i].text);
    }
}

static void test_networks(void **state)
{
    static const struct {
        const char *address, *networks;
        bool is_in;
    } in[] = {
        {"10.1.2.3", "10.0.0.0/8", true},
        {"11.1.2.3", "10.0.0.0/8", false},
        {"10.1.2.3", "192.168.0.0/16, 10.1.2.3", true},
        {"10.1.2.4", "10.1.2.3", false},
        {"10.1.2.131", "10.1.2.128/25", true},
        {"10.1.2.127", "10.1.2.128/25", false},
        {"fd00::5", "fd00::/8", true},
        {"fe00::5", "fd00::/8", false},
        {"1.2.3.4", "0.0.0.0/0", true},
        {"fd00::1", "0.0.0.0/0", false},
        {"10.1.2.3", "", false},
        {"10.1.2.3", "nonsense,10.0.0.0/99", false},
    };
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(in); i++) {
        uint8_t a[16];
        assert_true(wa_address_parse(wa_sv(in[i].address), a));
        if (wa_address_is_in(a, wa_sv(in[i].networks)) != in[i].is_in)
            fail_msg("'%s' in '%s'", in[i].address, in[i].networks);
    }
    must(wa_networks_check(WA_SV("10.0.0.0/8, fd00::/8,192.0.2.7"), &err));
    assert_int_equal(wa_networks_check(WA_SV("10.0.0.0/33"), &err), WA_E_USAGE);
    wa_err_clear(&err);
    assert_int_equal(wa_networks_check(WA_SV("10.0.0.0/8,example.org"), &err), WA_E_USAGE);
}

/* What a proxy is asked for, and what never. */
static void test_bypass(void **state)
{
    static const char list[] =
        "inside.example.org, .other.example,*.third.example,10.0.0.0/8,fd00::/8";
    static const struct {
        const char *url;
        bool through;
    } urls[] = {
        {"https://login.example.org/realms", true},
        {"https://inside.example.org", false},
        {"https://INSIDE.example.ORG:8443/", false},
        {"https://a.b.inside.example.org./", false},
        {"https://notinside.example.org", true},
        {"https://inside.example.org.evil.example", true},
        {"https://other.example", false},
        {"https://x.other.example", false},
        {"https://third.example", false},
        {"https://10.1.2.3", false},
        {"https://11.1.2.3", true},
        {"https://[fd00::1]:8443", false},
        {"https://[2606:4700::1111]", true},
        {"http://login.example.org", false},
        {"https://intranet", false},
        {"https://intranet.", false},
        {"https://localhost", false},
        {"https://a.localhost.", false},
        {"https://127.1", false}, /* 127.0.0.1, say resolvers */
        {"https://0x7f000001", false},
        {"https://2130706433", false},
        {"https://127.0.0.0x1", false},
        {"https://010.1.2.3", false},
    };
    static const char *const wrong[] = {
        "*", "a b", "https://x.example", "10.0.0.0/33", "x.example:8080", ","};
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    must(wa_proxy_bypass_check(wa_sv(list), &err));
    must(wa_proxy_bypass_check(WA_SV(""), &err));
    for (size_t i = 0; i < WA_COUNT(urls); i++) {
        struct wa_url url;
        must(wa_url_parse(wa_sv(urls[i].url), &url, &err));
        if (wa_proxy_leads_to(&url, wa_sv(list)) != urls[i].through)
            fail_msg("'%s'", urls[i].url);
    }
    for (size_t i = 0; i < WA_COUNT(wrong); i++) {
        if (wa_proxy_bypass_check(wa_sv(wrong[i]), &err) != WA_E_CONFIG)
            fail_msg("'%s'", wrong[i]);
        wa_err_clear(&err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_addresses),
                                       cmocka_unit_test(test_networks),
                                       cmocka_unit_test(test_bypass)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
