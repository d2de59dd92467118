/* wapt-get.ini as the agent reads it: what people write in it, and what is refused at the start. */
#include "testlib.h"

#include <stdio.h>

#include "agent/config.h"
#include "agent/manager_priv.h"
#include "base/mem.h"

#define PLAIN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define COLONS                                                                                     \
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"                                             \
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"

static void collect(void *user, const char *text)
{
    const char *from = strstr(text, "wapt-get.ini");
    if (user == NULL)
        return;
    wa_buf_adds(user, from != NULL ? from : text);
    wa_buf_addc(user, '\n');
}

static enum wa_code load_telling(const char *text, struct wa_buf *warnings,
                                 struct wa_agent_config *ret, struct wa_err *err)
{
    char dir[WA_PATH_MAX], file[WA_PATH_MAX + 16];
    wa_test_tmpdir(dir);
    (void)snprintf(file, sizeof file, "%s/wapt-get.ini", dir);
    FILE *f = fopen(file, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
    enum wa_code code = wa_agent_config_load(file, collect, warnings, ret, err);
    wa_test_tmpdir_remove(dir);
    return code;
}

static enum wa_code load(const char *text, struct wa_agent_config *ret, struct wa_err *err)
{
    return load_telling(text, NULL, ret, err);
}

/* What the installer of 1.8 and its console wrote, in the encodings of the time. */
static void test_file_of_wapt_1_8(void **state)
{
    static const char text[] =
        "[global]\r\nwaptupdate_task_period=120\r\nwaptservice_port=8088\r\ndbpath=\r\n"
        "loglevel=warning\r\nuse_hostpackages=1\r\nuse_kerberos=0\r\n"
        "repo_url=https://srvwapt.mydomain.lan/wapt\r\n"
        "wapt_server=https://srvwapt.mydomain.lan\r\nverify_cert=ssl\\server\\srvwapt.crt\r\n"
        "check_certificates_validity=True\r\nmaturities=PROD\r\ntimeout=10.0\r\n"
        "waptservice_password=0a1b\r\n; pay\xe9 en espaces\r\nhttp_proxy=\r\n"
        "Use_FQDN_As_UUID=False\r\nmaturity=PROD\r\n[waptwua]\r\nenabled=0\r\n"
        "[wapt-host]\r\nverify_cert=0\r\nclient_certificate=\r\nrepo_urls=x\r\n";
    struct wa_agent_config c;
    struct wa_buf WA_AUTO_BUF told;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    wa_buf_init(&told, 1u << 16);
    WA_ASSERT_OK(load_telling(text, &told, &c, &err));
    assert_string_equal(c.repo_url, "https://srvwapt.mydomain.lan/wapt");
    assert_int_equal(c.update_period_s, 7200);
    assert_int_equal(c.timeout_s, 10);
    assert_string_equal(
        wa_buf_str(&told),
        "wapt-get.ini, line 3: option 'waptservice_port' in [global] has no effect: no port is "
        "open on this machine; local tools use a socket\n"
        "wapt-get.ini, line 4: option 'dbpath' in [global] has no effect: the database is in db/ "
        "of the base directory: move waptdb.sqlite there before the first start, or all packages "
        "are installed again\n"
        "wapt-get.ini, line 6: option 'use_hostpackages' in [global] has no effect: the machine's "
        "own package is always asked for\n"
        "wapt-get.ini, line 11: option 'check_certificates_validity' in [global] has no effect: "
        "certificates are always checked\n"
        "wapt-get.ini, line 14: option 'waptservice_password' in [global] has no effect: local "
        "tools prove who they are by the system's accounts; take it out, a digest of a password "
        "is in it\n"
        "wapt-get.ini, line 18: unknown option 'maturity' in [global]; is 'maturities' in "
        "[global] meant?\n"
        "wapt-get.ini, line 23: option 'client_certificate' in [wapt-host] has no effect: "
        "repositories ask for none\n"
        "wapt-get.ini, line 24: unknown option 'repo_urls' in [wapt-host]; is 'repo_url' in "
        "[wapt-host] meant?\n"
        "wapt-get.ini: section [waptwua] has no effect: Windows updates are not managed\n");
    wa_agent_config_free(&c);
}

static void test_values_of_wapt_1_8(void **state)
{
    struct wa_agent_config c;
    struct wa_buf WA_AUTO_BUF told;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    wa_buf_init(&told, 1u << 16);
    WA_ASSERT_OK(load_telling("[global]\nwapt_server=\nverify_cert=False\n", &told, &c, &err));
    assert_non_null(strstr(wa_buf_str(&told), "line 2: wapt_server is empty"));
    assert_non_null(strstr(wa_buf_str(&told), "line 3: verify_cert does not switch"));
    wa_agent_config_free(&c);
    wa_buf_clear(&told);
    WA_ASSERT_OK(load_telling("[global]\nverify_cert=1\n", &told, &c, &err));
    assert_int_equal(told.n, 0);
    wa_agent_config_free(&c);
}

static void test_fingerprints(void **state)
{
    static const struct {
        const char *text, *signers, *server; /* signers NULL: refused */
    } cases[] = {
        {"[global]\n", "", ""},
        {"[global]\n[actions]\nsigners = " PLAIN "\n", PLAIN, ""},
        {"[global]\n[actions]\nsigners = " COLONS ", " PLAIN "\n", PLAIN "," PLAIN, ""},
        {"[global]\nserver_fingerprint = " COLONS "\n", "", PLAIN},
        {"[global]\n[actions]\nsigners = Deployer\n", NULL, NULL},
        {"[global]\n[actions]\nsigners = " PLAIN ", 12ab\n", NULL, NULL},
        {"[global]\nserver_fingerprint = " PLAIN ", " PLAIN "\n", NULL, NULL},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_agent_config c;
        struct wa_err err = WA_ERR_INIT;
        if (cases[i].signers == NULL) {
            WA_ASSERT_CODE(load(cases[i].text, &c, &err), WA_E_CONFIG);
            continue;
        }
        WA_ASSERT_OK(load(cases[i].text, &c, &err));
        assert_string_equal(c.action_signers, cases[i].signers);
        assert_string_equal(c.server_fingerprint, cases[i].server);
        wa_agent_config_free(&c);
    }
}

static void test_addresses_follow_the_server(void **state)
{
    struct wa_agent_config c;
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    WA_ASSERT_OK(load("[global]\nwapt_server = https://wapt.example.org/\n", &c, &err));
    assert_string_equal(c.wapt_server, "https://wapt.example.org");
    assert_string_equal(c.repo_url, "https://wapt.example.org/wapt");
    assert_string_equal(c.host_repo.url, "https://wapt.example.org/wapt-host");
    assert_true(wa_sv_starts(wa_sv(c.local_socket), "/"));
    wa_agent_config_free(&c);
}

static void test_repositories(void **state)
{
    static const char text[] =
        "[global]\nrepo_url = http://a.example/wapt/\nmirrors = http://m1/wapt/ , http://m2/wapt\n"
        "repositories = one, two,wapt, ../x, three, two\ntimeout = 9\nhttp_proxy = http://p:1\n"
        "maturities = DEV\n[one]\nrepo_url = http://one\nuse_http_proxy_for_repo = yes\n"
        "limit_bandwidth = 0.5\n[two]\nrepo_url = http://two\ntimeout = 5\nmaturities = PROD\n"
        "public_certs_dir = ssl-two\n[three]\n";
    struct wa_agent_config c;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv address;
    WA_UNUSED(state);
    WA_ASSERT_OK(load(text, &c, &err));
    assert_int_equal(c.repo_count, 3); /* three has no address, ../x is no name */
    assert_string_equal(c.repos[0].name, "wapt");
    assert_string_equal(c.repos[1].name, "two");
    assert_string_equal(c.repos[2].name, "one");
    assert_true(wa_agent_repo_address(&c.repos[0], 2, &address));
    assert_true(wa_sv_eqs(address, "http://m2/wapt"));
    assert_false(wa_agent_repo_address(&c.repos[0], 3, &address));
    assert_false(wa_agent_repo_address(&c.repos[1], 1, &address)); /* mirrors are the main one's */
    assert_int_equal(c.repos[1].timeout_s, 5);
    assert_int_equal(c.repos[2].timeout_s, 9);
    assert_string_equal(c.repos[1].maturities, "PROD");
    assert_string_equal(c.repos[2].maturities, "DEV");
    assert_true(wa_sv_ends(wa_sv(c.repos[1].public_certs_dir), "/ssl-two"));
    assert_true(wa_sv_ends(wa_sv(c.repos[2].public_certs_dir), "/ssl"));
    assert_int_equal(c.repos[2].rate_max_bytes_s, 512 * 1024);
    assert_string_equal(wa_agent_repo_proxy(&c.repos[2]), "http://p:1");
    assert_null(wa_agent_repo_proxy(&c.repos[0]));
    assert_null(wa_agent_server_proxy(&c));
    assert_ptr_equal(wa_agent_repo_find(&c, "two"), &c.repos[1]);
    assert_ptr_equal(wa_agent_repo_find(&c, "wapt-host"), &c.host_repo);
    assert_null(wa_agent_repo_find(&c, ""));
    wa_agent_config_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_of_wapt_1_8), cmocka_unit_test(test_values_of_wapt_1_8),
        cmocka_unit_test(test_fingerprints),     cmocka_unit_test(test_addresses_follow_the_server),
        cmocka_unit_test(test_repositories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
