/* revocation lists beside the trusted certificates (formats.md 4.4), by stores that hold both. */
#include "support.h"

#include <openssl/pem.h>

static const struct {
    const char *store, *chain, *says; /* NULL: accepted */
} cases[] = {
    {"made/store-listed.crt", "made/not-revoked.crt", NULL},
    {"made/store-listed.crt", "made/revoked.crt", "'Revoked' was revoked by 'Listed'"},
    /* out of date: an old list may hide a revocation */
    {"made/store-listed-stale.crt", "made/not-revoked.crt",
     "the revocation list of 'Listed' is out of date"},
    /* a newer one makes it good again, but nothing is forgotten */
    {"made/store-listed-stale-and-new.crt", "made/not-revoked.crt", NULL},
    {"made/store-listed-stale-and-new.crt", "made/revoked.crt", "was revoked"},
    /* trusted by itself and revoked: revoked */
    {"made/store-listed-pinned.crt", "made/revoked.crt", "was revoked"},
    /* signed by another of that name: not its list */
    {"made/store-listed-forged.crt", "made/not-revoked.crt", NULL},
    /* an authority in between */
    {"made/store-listed.crt", "made/of-listed-inter.crt", NULL},
    {"made/store-inter-listed.crt", "made/of-listed-inter.crt",
     "'Listed inter' was revoked by 'Listed'"},
    {"made/store-inter-lists.crt", "made/of-listed-inter.crt",
     "the revocation list of 'Listed inter' is out of date"},
};

static void put(const char *dir, const char *name, struct wa_sv bytes)
{
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX + 64];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    WA_ASSERT_OK(wa_path_replace(path, bytes, 0644, &err));
}

static void stores_with_lists(void **state)
{
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO(wa_trust) struct wa_trust *t = NULL;
        WA_AUTO_CERTS struct wa_certs chain = {0};
        WA_AUTO_BUF struct wa_buf text;
        struct wa_trust_result r;
        struct wa_err err = WA_ERR_INIT;
        read_trust_file(cases[i].store, &text);
        put(*state, "store.crt", wa_buf_sv(&text));
        read_chain(cases[i].chain, &chain);
        WA_ASSERT_OK(wa_trust_new(&t, &err));
        WA_ASSERT_OK(wa_trust_add_dir(t, *state, &err));
        enum wa_code code = wa_trust_check(t, &chain, vectors_date(), &r, &err);
        if (code != (cases[i].says == NULL ? WA_OK : WA_E_REFUSED) ||
            (cases[i].says != NULL && strstr(err.text, cases[i].says) == NULL))
            fail_msg("%s by %s: %s '%s'", cases[i].chain, cases[i].store, wa_code_name(code),
                     err.text);
        assert_queue_empty(cases[i].store);
    }
}

/* The list of store-listed.crt in a file of its own, as PEM and as DER. */
static void lists_in_their_own_files(void **state)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    read_trust_file("made/store-listed.crt", &text);
    read_chain("made/revoked.crt", &chain);
    char *list = strstr(text.p, "-----BEGIN X509 CRL");
    assert_non_null(list);
    BIO *bio = BIO_new_mem_buf(list, -1);
    X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
    unsigned char *der = NULL;
    int n = i2d_X509_CRL(crl, &der);
    assert_true(n > 0);
    put(*state, "ca.crt", wa_sv_n(text.p, (size_t)(list - text.p)));

    for (int form = 0; form < 2; form++) {
        WA_AUTO(wa_trust) struct wa_trust *t = NULL;
        struct wa_trust_result r;
        struct wa_err err = WA_ERR_INIT;
        put(*state, "ca.crl", form == 0 ? wa_sv(list) : wa_sv_n(der, (size_t)n));
        WA_ASSERT_OK(wa_trust_new(&t, &err));
        WA_ASSERT_OK(wa_trust_add_dir(t, *state, &err));
        assert_int_equal(wa_trust_count(t), 1);
        WA_ASSERT_CODE(wa_trust_check(t, &chain, vectors_date(), &r, &err), WA_E_REFUSED);
    }
    X509_CRL_free(crl);
    BIO_free(bio);
    OPENSSL_free(der);
}

/* A list that can't be read may hide a revocation: the store is refused whole, and stays as it was.
 */
static void lists_that_can_t_be_read(void **state)
{
    static const struct wa_sv bad[] = {
        {"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", 52},
        {"-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n", 50},
        {"0\x82\x01\x01", 4},
    };
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    struct wa_err err = WA_ERR_INIT;
    read_trust_file("made/store-listed.crt", &text);
    put(*state, "ca.crt", wa_buf_sv(&text));
    WA_ASSERT_OK(wa_trust_new(&t, &err));

    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        put(*state, "bad.crl", bad[i]);
        assert_int_equal(wa_trust_add_dir(t, *state, &err), WA_E_INVALID);
        assert_non_null(strstr(err.text, "bad.crl"));
        wa_err_clear(&err);
        assert_int_equal(wa_trust_count(t), 0);
        assert_queue_empty("refusing a list");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stores_with_lists, wa_test_tmpdir_setup,
                                        wa_test_tmpdir_teardown),
        cmocka_unit_test_setup_teardown(lists_in_their_own_files, wa_test_tmpdir_setup,
                                        wa_test_tmpdir_teardown),
        cmocka_unit_test_setup_teardown(lists_that_can_t_be_read, wa_test_tmpdir_setup,
                                        wa_test_tmpdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
