/* issuing: what a certificate of ours says, who may issue, and requests that make no sense. */
#include "support.h"

#include <openssl/x509v3.h>

#include "os/clock.h"

/* nid's extension as openssl prints it, with ", critical" when it is; "" when absent. */
static void ext_text(const struct wa_cert *c, int nid, struct wa_buf *out)
{
    X509 *x = wa_cert_native(c);
    int at = X509_get_ext_by_NID(x, nid, -1);
    char *p = NULL;

    wa_buf_clear(out);
    if (at < 0)
        return;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(X509V3_EXT_print(bio, X509_get_ext(x, at), 0, 0), 1);
    long n = BIO_get_mem_data(bio, &p);
    wa_buf_add(out, p, (size_t)n);
    if (X509_EXTENSION_get_critical(X509_get_ext(x, at)) != 0)
        wa_buf_adds(out, ", critical");
    BIO_free(bio);
}

static const char *const some_names[] = {"host.example.test", "10.1.2.3", "2001:db8::1", NULL};

static const struct {
    struct wa_cert_request what;
    bool is_rsa;
    const char *basic, *usage, *purposes, *names;
} forms[] = {
    {{.cn = "signer", .is_ca = true, .path_length = -1, .code_signing = true, .client_auth = true},
     true,
     "CA:TRUE, critical",
     "Digital Signature, Non Repudiation, Data Encipherment, Certificate Sign, CRL Sign, critical",
     "Code Signing, TLS Web Client Authentication, critical",
     ""},
    {{.cn = "authority", .is_ca = true, .path_length = 0},
     false,
     "CA:TRUE, pathlen:0, critical",
     "Digital Signature, Non Repudiation, Certificate Sign, CRL Sign, critical",
     "",
     ""},
    {{.cn = "server", .path_length = -1, .server_auth = true, .dns_names = some_names},
     true,
     "CA:FALSE, critical",
     "Digital Signature, Non Repudiation, Key Encipherment, Data Encipherment, critical",
     "TLS Web Server Authentication, critical",
     "DNS:host.example.test, IP Address:10.1.2.3, IP Address:2001:DB8:0:0:0:0:0:1"},
};

static void what_it_says(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_key) struct wa_key *rsa = NULL, *ec = new_p256();
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&text, 1000);
    WA_ASSERT_OK(wa_key_new_rsa(2048, &rsa, &err));

    for (size_t i = 0; i < WA_COUNT(forms); i++) {
        const struct wa_key *key = forms[i].is_rsa ? rsa : ec;
        WA_AUTO(wa_cert) struct wa_cert *c = issue(forms[i].what, key, NULL, NULL);
        const int nids[] = {NID_basic_constraints, NID_key_usage, NID_ext_key_usage,
                            NID_subject_alt_name};
        const char *want[] = {forms[i].basic, forms[i].usage, forms[i].purposes, forms[i].names};
        for (size_t k = 0; k < WA_COUNT(nids); k++) {
            ext_text(c, nids[k], &text);
            WA_ASSERT_SV(wa_buf_sv(&text), want[k]);
        }
        X509 *x = wa_cert_native(c);
        assert_int_equal(X509_get_version(x), X509_VERSION_3);
        assert_int_equal(X509_get_signature_nid(x),
                         forms[i].is_rsa ? NID_sha256WithRSAEncryption : NID_ecdsa_with_SHA256);
        assert_int_equal(
            ASN1_OCTET_STRING_cmp(X509_get0_subject_key_id(x), X509_get0_authority_key_id(x)), 0);
        assert_int_equal(ASN1_STRING_length(X509_get0_serialNumber(x)), 16);
        assert_int_equal(X509_verify(x, wa_key_native(key)), 1);
        assert_true(wa_cert_matches_key(c, key));
        assert_true(wa_cert_is_self_issued(c));
        assert_queue_empty("issuing");
    }
}

static void names_and_dates(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_key) struct wa_key *key = new_p256();
    const struct wa_cert_request what = {.cn = "\xc3\x89ric, O=Evil\n",
                                         .organization = "Soci\xc3\xa9t\xc3\xa9",
                                         .org_unit = "IT",
                                         .country = "FR",
                                         .locality = "Paris",
                                         .email = "e@example.test",
                                         .days = 36525};
    int64_t before = wa_clock_now();
    WA_AUTO(wa_cert)
    struct wa_cert *c = issue(what, key, NULL, NULL), *other = issue(what, key, NULL, NULL);
    int64_t after = wa_clock_now();

    assert_string_equal(wa_cert_cn(c), what.cn);
    assert_string_equal(wa_cert_subject(c),
                        "OU=IT,emailAddress=e@example.test,CN=\xc3\x89ric\\, O=Evil\\0A,"
                        "O=Soci\xc3\xa9t\xc3\xa9,L=Paris,C=FR");
    assert_in_range(wa_cert_not_before(c), before - 300, after - 300);
    assert_in_range(wa_cert_not_after(c), before + 36525LL * 86400, after + 36525LL * 86400);
    assert_string_not_equal(wa_cert_fingerprint(c),
                            wa_cert_fingerprint(other)); /* another serial number */
}

static void by_an_authority(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_key) struct wa_key *ca_key = new_p256(), *key = new_p256();
    WA_AUTO(wa_cert)
    struct wa_cert *ca = issue(
        (struct wa_cert_request){.cn = "CA", .is_ca = true, .path_length = 0}, ca_key, NULL, NULL);
    WA_AUTO(wa_cert)
    struct wa_cert *leaf =
        issue((struct wa_cert_request){.cn = "leaf", .client_auth = true}, key, ca, ca_key);
    X509 *x = wa_cert_native(leaf), *issuer = wa_cert_native(ca);

    assert_string_equal(wa_cert_issuer(leaf), "CN=CA");
    assert_false(wa_cert_is_self_issued(leaf));
    assert_int_equal(X509_verify(x, wa_key_native(ca_key)), 1);
    assert_int_equal(
        ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(x), X509_get0_subject_key_id(issuer)), 0);
    assert_int_equal(X509_check_issued(issuer, x), X509_V_OK);
}

static void what_nobody_would_accept(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_key) struct wa_key *ca_key = new_p256(), *key = new_p256();
    WA_AUTO(wa_cert)
    struct wa_cert *ca = issue(
        (struct wa_cert_request){.cn = "CA", .is_ca = true, .path_length = 0}, ca_key, NULL, NULL);
    WA_AUTO(wa_cert)
    struct wa_cert *leaf = issue((struct wa_cert_request){.cn = "leaf"}, key, ca, ca_key);
    static const char *const bad_names[][2] = {
        {"a b", NULL}, {"", NULL}, {"DNS:x,DNS:y", NULL}, {"x*.test", NULL}};
    static const char cn65[] = "0123456789012345678901234567890123456789012345678901234567890123x";
    const struct {
        struct wa_cert_request what;
        const struct wa_cert *issuer;
        const struct wa_key *issuer_key;
    } cases[] = {
        {{.cn = "x", .days = 0}, NULL, NULL},
        {{.cn = "x", .days = 36526}, NULL, NULL},
        {{.days = 1}, NULL, NULL},
        {{.cn = "", .days = 1}, NULL, NULL},
        {{.cn = cn65, .days = 1}, NULL, NULL},
        {{.cn = "x", .country = "FRA", .days = 1}, NULL, NULL},
        {{.cn = "\xff\xfe", .days = 1}, NULL, NULL},
        {{.cn = "x", .dns_names = bad_names[0], .days = 1}, NULL, NULL},
        {{.cn = "x", .dns_names = bad_names[1], .days = 1}, NULL, NULL},
        {{.cn = "x", .dns_names = bad_names[2], .days = 1}, NULL, NULL},
        {{.cn = "x", .dns_names = bad_names[3], .days = 1}, NULL, NULL},
        {{.cn = "x", .days = 1}, leaf, key},                                    /* no authority */
        {{.cn = "x", .days = 1}, ca, key},                                      /* not its key */
        {{.cn = "x", .is_ca = true, .path_length = -1, .days = 1}, ca, ca_key}, /* none below it */
    };

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_cert *c = NULL;
        struct wa_err err = WA_ERR_INIT;
        enum wa_code code =
            wa_cert_issue(&cases[i].what, key, cases[i].issuer, cases[i].issuer_key, &c, &err);
        if (code != WA_E_USAGE || c != NULL)
            fail_msg("case %zu: %s: %s", i, wa_code_name(code), err.text);
        assert_queue_empty("refusing to issue");
    }
}

static void expired_authorities_issue_nothing(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_CERTS struct wa_certs list = {0};
    struct wa_cert *c = NULL;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_cert_request what = {.cn = "x", .days = 1};

    read_chain("expired/expired_ca.crt", &list);
    /* its private key is nowhere: the public one matches the certificate, and signing is not
     * reached */
    WA_ASSERT_CODE(wa_cert_issue(&what, wa_cert_key(list.items[0]), list.items[0],
                                 wa_cert_key(list.items[0]), &c, &err),
                   WA_E_USAGE);
    WA_ASSERT_CODE(wa_cert_issue(&what, wa_cert_key(list.items[0]), NULL, NULL, &c, &err),
                   WA_E_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_says),
        cmocka_unit_test(names_and_dates),
        cmocka_unit_test(by_an_authority),
        cmocka_unit_test(what_nobody_would_accept),
        cmocka_unit_test(expired_authorities_issue_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
