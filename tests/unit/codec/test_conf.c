/* Options: defaults, the file over them, errors that name file, line and what is allowed. */
#include "support.h"

#include "codec/conf.h"

struct options {
    char *url, *proxy, *maturities;
    bool verify;
    int64_t port, period;
};

static const struct wa_conf_option table[] = {
    {"global", "repo_url", WA_CONF_STR, offsetof(struct options, url), "https://srv/wapt", 0, 0, 0,
     "Repository."},
    {"global", "http_proxy", WA_CONF_STR, offsetof(struct options, proxy), NULL, 0, 0, 0, "Proxy."},
    {"global", "maturities", WA_CONF_CSV, offsetof(struct options, maturities), "PROD", 0, 0, 0,
     "Maturities."},
    {"global", "verify_cert", WA_CONF_BOOL, offsetof(struct options, verify), "1", 0, 0, 0,
     "Check."},
    {"service", "port", WA_CONF_INT, offsetof(struct options, port), "8088", 0, 65535, 0, "Port."},
    {"service", "period", WA_CONF_PERIOD, offsetof(struct options, period), "120", 0, 7 * 86400,
     'm', "Period."},
    {"global", "old_port", WA_CONF_GONE, 0, NULL, 0, 0, 0, "no port is open."},
};

static void collect(void *user, const char *text)
{
    struct wa_buf *b = user;

    wa_buf_adds(b, text);
    wa_buf_addc(b, '\n');
}

static enum wa_code load(const char *text, struct options *o, struct wa_buf *warnings,
                         struct wa_err *err)
{
    static const char *const ignored[] = {"theirs", NULL};
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;

    if (text)
        check_ok(wa_ini_parse(wa_sv(text), "wapt-get.ini", &ini, err), err, text);
    *o = (struct options){0};
    return wa_conf_load(ini, "wapt-get.ini", table, WA_COUNT(table), ignored, o, collect, warnings,
                        err);
}

static void defaults_without_a_file(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf warnings;
    struct options o;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&warnings, 1000);
    check_ok(load(NULL, &o, &warnings, &err), &err, "defaults");
    assert_string_equal(o.url, "https://srv/wapt");
    assert_null(o.proxy);
    assert_string_equal(o.maturities, "PROD");
    assert_true(o.verify);
    assert_int_equal(o.port, 8088);
    assert_int_equal(o.period, 7200);
    assert_int_equal(warnings.n, 0);
    wa_conf_free(table, WA_COUNT(table), &o);
    assert_null(o.url);
}

static void the_file_wins(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf warnings;
    struct options o;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&warnings, 1000);
    check_ok(load("[global]\nREPO_URL = http://x\nhttp_proxy=\nmaturities = DEV , ,PROD,\n"
                  "verify_cert=Off\n[service]\nport=0\nperiod=1.5h\n",
                  &o, &warnings, &err),
             &err, "file");
    assert_string_equal(o.url, "http://x");
    assert_string_equal(o.proxy, "");
    assert_string_equal(o.maturities, "DEV,PROD");
    assert_false(o.verify);
    assert_int_equal(o.port, 0);
    assert_int_equal(o.period, 5400);
    assert_int_equal(warnings.n, 0);
    wa_conf_free(table, WA_COUNT(table), &o);
}

static void warns_about_what_it_does_not_know(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf warnings;
    struct options o;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&warnings, 1000);
    check_ok(load("[global]\n\nrepo_urll=x\n[theirs]\na=1\n[other]\nPort=1\n[global]\nold_port="
                  "8088\nold_ports=1\nxyz=2\n[theirs too]\nmaturity=DEV\n[global]\nmaturity=DEV\n",
                  &o, &warnings, &err),
             &err, "file");
    assert_string_equal(
        wa_buf_str(&warnings),
        "wapt-get.ini, line 3: unknown option 'repo_urll' in [global]; is 'repo_url' in [global] "
        "meant?\n"
        "wapt-get.ini, line 9: option 'old_port' in [global] has no effect: no port is open.\n"
        "wapt-get.ini, line 10: unknown option 'old_ports' in [global]\n"
        "wapt-get.ini, line 11: unknown option 'xyz' in [global]\n"
        "wapt-get.ini, line 15: unknown option 'maturity' in [global]; is 'maturities' in "
        "[global] meant?\n"
        "wapt-get.ini, line 7: unknown option 'port' in [other]; is 'port' in [service] meant?\n"
        "wapt-get.ini, line 13: unknown option 'maturity' in [theirs too]\n");
    wa_conf_free(table, WA_COUNT(table), &o);
}

static void refuses_wrong_values(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"[global]\nverify_cert=maybe\n",
         "'wapt-get.ini', line 2: 'verify_cert' in [global] is 'maybe', it must be 1, 0"},
        {"[global]\nverify_cert=\n", "'verify_cert' in [global] is ''"},
        {"[service]\n\nport=65536\n",
         "line 3: 'port' in [service] is '65536', it must be an integer from 0 to 65535"},
        {"[service]\nport=-1\n", "'port'"},
        {"[service]\nport=80x\n", "'port'"},
        {"[service]\nport=+80\n", "'port'"},
        {"[service]\nport=--80\n", "'port'"},
        {"[service]\nport=99999999999999999999\n", "'port'"},
        {"[service]\nperiod=2x\n",
         "'period' in [service] is '2x', it must be a number with s, m, h, d or w (alone: m)"},
        {"[service]\nperiod=8d\n", "'period'"},
    };

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf warnings;
        struct options o;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&warnings, 1000);
        if (load(cases[i].text, &o, &warnings, &err) != WA_E_CONFIG ||
            !strstr(err.text, cases[i].why))
            fail_msg("'%s': '%s'", cases[i].text, err.text);
        wa_conf_free(table, WA_COUNT(table), &o);
    }
}

static void an_empty_number_switches_off(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf warnings;
    struct options o;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&warnings, 1000);
    check_ok(load("[service]\nport=\nperiod=\n", &o, &warnings, &err), &err, "empty");
    assert_int_equal(o.port, 0);
    assert_int_equal(o.period, 0);
    wa_conf_free(table, WA_COUNT(table), &o);
}

static void a_default_out_of_range_is_our_mistake(void **state)
{
    WA_UNUSED(state);
    static const struct wa_conf_option wrong[] = {
        {"a", "k", WA_CONF_INT, 0, "5", 6, 7, 0, "Wrong."}};
    int64_t value = 0;
    struct wa_err err = WA_ERR_INIT;

    assert_int_equal(wa_conf_load(NULL, "x", wrong, 1, NULL, &value, NULL, NULL, &err),
                     WA_E_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(defaults_without_a_file),
                                       cmocka_unit_test(the_file_wins),
                                       cmocka_unit_test(warns_about_what_it_does_not_know),
                                       cmocka_unit_test(refuses_wrong_values),
                                       cmocka_unit_test(an_empty_number_switches_off),
                                       cmocka_unit_test(a_default_out_of_range_is_our_mistake)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
