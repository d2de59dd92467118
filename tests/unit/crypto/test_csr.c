/* Requests for certificates, as a machine makes them and as an attacker does; revocation lists. */
#include "support.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/crl.h"
#include "crypto/csr.h"

static void what_counts_of_a_request(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_key) struct wa_key *key = new_p256(), *read = NULL;
    WA_AUTO_BUF struct wa_buf pem;
    char cn[WA_CN_SIZE];
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&pem, 10000);
    WA_ASSERT_OK(wa_csr_make("machine-1", key, &pem, &err));
    WA_ASSERT_OK(wa_csr_read(wa_buf_sv(&pem), &read, cn, &err));
    assert_string_equal(cn, "machine-1");
    assert_true(wa_key_equal_public(key, read));
    assert_false(wa_key_is_private(read));
    assert_queue_empty("reading a request");
}

/* A request of an attacker's, by OpenSSL alone; out is initialised here. */
static void forge(EVP_PKEY *shown, EVP_PKEY *signer, const char *const *cns, bool asks_for_ca,
                  struct wa_buf *out)
{
    X509_REQ *r = X509_REQ_new();
    BIO *bio = BIO_new(BIO_s_mem());
    char *p = NULL;
    for (size_t i = 0; cns[i] != NULL; i++)
        assert_int_equal(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(r), "CN",
                                                    MBSTRING_UTF8, (const unsigned char *)cns[i],
                                                    -1, -1, 0),
                         1);
    assert_int_equal(X509_REQ_set_pubkey(r, shown), 1);
    if (asks_for_ca) {
        STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
        sk_X509_EXTENSION_push(
            list, X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE"));
        sk_X509_EXTENSION_push(
            list, X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "serverAuth,codeSigning"));
        assert_int_equal(X509_REQ_add_extensions(r, list), 1);
        sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    }
    assert_true(X509_REQ_sign(r, signer, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509_REQ(bio, r), 1);
    long n = BIO_get_mem_data(bio, &p);
    wa_buf_init(out, 20000);
    wa_buf_add(out, p, (size_t)n);
    BIO_free(bio);
    X509_REQ_free(r);
}

static void attacks(void **state)
{
    static const char *const one[] = {"machine-1", NULL}, *const two[] = {"a", "b", NULL},
                             *const none[] = {NULL};
    WA_UNUSED(state);
    WA_AUTO(wa_key) struct wa_key *a = new_p256(), *b = new_p256();
    EVP_PKEY *weak = EVP_RSA_gen(1024);
    EVP_PKEY *ours = wa_key_native(a), *theirs = wa_key_native(b);
    const struct {
        EVP_PKEY *shown, *signer;
        const char *const *cns;
        bool asks_for_ca;
        enum wa_code code;
    } cases[] = {
        {ours, ours, one, true, WA_OK}, /* what it asks for is told, and nothing more */
        {ours, theirs, one, false, WA_E_REFUSED}, {weak, weak, one, false, WA_E_REFUSED},
        {ours, ours, two, false, WA_E_INVALID},   {ours, ours, none, false, WA_E_INVALID},
    };
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO(wa_key) struct wa_key *read = NULL;
        WA_AUTO_BUF struct wa_buf pem;
        char cn[WA_CN_SIZE];
        struct wa_err err = WA_ERR_INIT;
        forge(cases[i].shown, cases[i].signer, cases[i].cns, cases[i].asks_for_ca, &pem);
        struct wa_csr_said said = {.asks = "none"};
        assert_int_equal(wa_csr_read_said(wa_buf_sv(&pem), &read, cn, &said, &err), cases[i].code);
        assert_true((read != NULL) == (cases[i].code == WA_OK));
        assert_string_equal(said.asks, cases[i].asks_for_ca
                                           ? "CA, TLS Web Server Authentication, Code Signing"
                                           : "none");
        assert_true(!cases[i].asks_for_ca || strcmp(said.subject, "CN=machine-1") == 0);
        assert_queue_empty("refusing a request");
    }
    EVP_PKEY_free(weak);
}

static void a_list_of_ours(void **state)
{
    static const struct wa_cert_request
        authority = {.cn = "authority", .is_ca = true, .path_length = 0, .days = 100},
        client = {.cn = "m", .path_length = -1, .client_auth = true, .days = 10};
    WA_UNUSED(state);
    WA_AUTO(wa_key) struct wa_key *ca_key = new_p256(), *key = new_p256();
    WA_AUTO(wa_cert)
    struct wa_cert *ca = issue(authority, ca_key, NULL, NULL),
                   *gone = issue(client, key, ca, ca_key), *good = issue(client, key, ca, ca_key);
    const struct wa_revoked entries[] = {{wa_cert_serial(gone), wa_cert_not_before(gone) + 400}};
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&pem, 10000);
    assert_int_equal(strlen(wa_cert_serial(gone)), 32);
    WA_ASSERT_OK(wa_crl_issue(entries, 1, 7, wa_cert_not_before(gone), wa_cert_not_after(gone), ca,
                              ca_key, &pem, &err));
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
    X509_REVOKED *found = NULL;
    assert_int_equal(X509_CRL_verify(crl, wa_key_native(ca_key)), 1);
    assert_int_equal(X509_CRL_get0_by_cert(crl, &found, wa_cert_native(gone)), 1);
    assert_int_equal(X509_CRL_get0_by_cert(crl, &found, wa_cert_native(good)), 0);
    X509_CRL_free(crl);
    BIO_free(bio);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_counts_of_a_request),
        cmocka_unit_test(attacks),
        cmocka_unit_test(a_list_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
