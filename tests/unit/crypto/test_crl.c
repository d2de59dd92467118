/* revocation lists beside the trusted certificates (formats.md 4.4), by stores that hold both. */
#include "support.h"

#include <openssl/pem.h>

#include "crypto/crl.h"

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

/* --- lists for later --- */

static void open_store(const char *dir, const char *file, struct wa_trust **ret)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    read_trust_file(file, &text);
    put(dir, "store.crt", wa_sv_n(text.p, text.n));
    WA_ASSERT_OK(wa_trust_new(ret, &err));
    WA_ASSERT_OK(wa_trust_add_dir(*ret, dir, &err));
}

/* A list that came once revokes in the next store as well. */
static void kept_lists_count(void **state)
{
    WA_AUTO(wa_trust) struct wa_trust *first = NULL;
    WA_AUTO(wa_trust) struct wa_trust *later = NULL;
    WA_AUTO_BUF struct wa_buf der, anchor;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    char kept[WA_PATH_MAX];
    struct wa_crl_info info;
    struct wa_trust_result r;
    struct wa_err err = WA_ERR_INIT;
    bool is_worth = false, is_there = false;
    wa_buf_init(&der, 100000);
    open_store(*state, "made/store-listed.crt", &first);
    WA_ASSERT_OK(wa_trust_crl_to_keep(first, 0, NULL, vectors_date(), &der, &info, &is_worth,
                                      &is_there, &err));
    assert_true(is_worth && is_there);
    assert_int_equal(info.this_update, wa_date_from_civil(2026, 1, 1, 0, 0, 0));
    assert_int_equal(info.next_update, wa_date_from_civil(2120, 1, 1, 0, 0, 0));
    WA_ASSERT_OK(wa_trust_crl_to_keep(first, 1, NULL, vectors_date(), &der, &info, &is_worth,
                                      &is_there, &err));
    assert_false(is_worth || is_there);

    const int64_t late = wa_date_from_civil(2200, 1, 1, 0, 0, 0); /* its authority has expired */
    WA_ASSERT_OK(
        wa_trust_crl_to_keep(first, 0, NULL, late, &der, &info, &is_worth, &is_there, &err));
    assert_true(is_there && !is_worth);

    read_trust_file("made/store-listed.crt", &anchor);
    anchor.n = (size_t)(strstr(anchor.p, "-----BEGIN X509 CRL") - anchor.p);
    put(*state, "store.crt", wa_buf_sv(&anchor));
    read_chain("made/revoked.crt", &chain);
    WA_ASSERT_OK(wa_trust_new(&later, &err));
    WA_ASSERT_OK(wa_trust_add_dir(later, *state, &err));
    WA_ASSERT_OK(wa_trust_check(later, &chain, vectors_date(), &r, &err));
    (void)snprintf(kept, sizeof kept, "%s/none", (const char *)*state);
    WA_ASSERT_OK(wa_trust_add_kept(later, kept, &err)); /* nothing was kept yet */
    put(*state, "kept.crl", wa_buf_sv(&der));
    WA_ASSERT_OK(wa_trust_add_kept(later, *state, &err));
    WA_ASSERT_CODE(wa_trust_check(later, &chain, vectors_date(), &r, &err), WA_E_REFUSED);
    put(*state, "kept.crl", WA_SV("0no list"));
    WA_ASSERT_CODE(wa_trust_add_kept(later, *state, &err), WA_E_INVALID);
}

/* A part of a list is not kept, since it would stand for no whole one; nor one of a stranger, who
 * could fill the disk; one of an authority below an anchor is. */
static void not_every_list_is_kept(void **state)
{
    static const struct {
        const char *store, *list, *helpers;
        bool is_kept[2];
    } lists[] = {{"made/store-points.crt", NULL, NULL, {true, false}},
                 {"made/store-root.crt", "with_crl/ca_with_crl.crt", "ca_only/ca.crt", {false}},
                 {"made/store-listed-forged.crt",
                  "made/store-inter-lists.crt",
                  "made/of-listed-inter.crt",
                  {false, true}}};
    for (size_t i = 0; i < WA_COUNT(lists); i++) {
        WA_AUTO(wa_trust) struct wa_trust *t = NULL;
        WA_AUTO_CERTS struct wa_certs helpers = {0};
        WA_AUTO_BUF struct wa_buf text;
        struct wa_err err = WA_ERR_INIT;
        bool is_used = true, is_worth = false, is_there = true;
        wa_buf_init(&text, 100000);
        open_store(*state, lists[i].store, &t);
        if (lists[i].list != NULL) {
            read_chain(lists[i].helpers, &helpers);
            read_trust_file(lists[i].list, &text);
            WA_ASSERT_OK(wa_trust_add_crl(t, wa_sv_n(text.p, text.n), &helpers, &is_used, &err));
        }
        assert_true(is_used);
        for (size_t k = 0; is_there; k++) {
            WA_AUTO_BUF struct wa_buf der;
            struct wa_crl_info info;
            wa_buf_init(&der, 100000);
            WA_ASSERT_OK(wa_trust_crl_to_keep(t, k, &helpers, vectors_date(), &der, &info,
                                              &is_worth, &is_there, &err));
            if (is_there && is_worth != lists[i].is_kept[k])
                fail_msg("list %zu of %s: %d", k, lists[i].store, is_worth);
            assert_int_equal(der.n > 0, is_worth);
        }
        assert_queue_empty("asking what to keep");
    }
}

/* Only http and https, of whole lists, by the authority itself; each once. */
static void where_lists_are(void **state)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    WA_AUTO_BUF struct wa_buf urls;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&urls, 100000);
    open_store(*state, "made/store-points.crt", &t);
    WA_ASSERT_OK(wa_trust_crl_urls(t, &urls, &err));
    assert_string_equal(wa_buf_str(&urls), "http://pki.example.test/root.crl\n"
                                           "https://pki.example.test:8443/root.crl?whole=1\n");
    assert_queue_empty("reading distribution points");
}

/* A signer that is trusted itself, below one of two authorities of one name: a list of somebody is
 * at hand, so both are asked; the other one's signature does not hold, which is no revocation. */
static void namesakes_of_an_authority_revoke_nothing(void **state)
{
    static const char *const parts[] = {"made/store-namesakes.crt", "made/of-first.crt",
                                        "made/store-points.crt"};
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    struct wa_trust_result r;
    struct wa_err err = WA_ERR_INIT;
    for (size_t i = 0; i < WA_COUNT(parts); i++) {
        WA_AUTO_BUF struct wa_buf text;
        char name[16];
        read_trust_file(parts[i], &text);
        (void)snprintf(name, sizeof name, "%zu.crt", i);
        put(*state, name, wa_sv_n(text.p, text.n));
    }
    read_chain("made/of-first.crt", &chain);
    WA_ASSERT_OK(wa_trust_new(&t, &err));
    WA_ASSERT_OK(wa_trust_add_dir(t, *state, &err));
    WA_ASSERT_OK(wa_trust_check(t, &chain, vectors_date(), &r, &err));
    assert_true(r.is_pinned);
    assert_queue_empty("asking namesakes");
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
        cmocka_unit_test_setup_teardown(kept_lists_count, wa_test_tmpdir_setup,
                                        wa_test_tmpdir_teardown),
        cmocka_unit_test_setup_teardown(not_every_list_is_kept, wa_test_tmpdir_setup,
                                        wa_test_tmpdir_teardown),
        cmocka_unit_test_setup_teardown(namesakes_of_an_authority_revoke_nothing,
                                        wa_test_tmpdir_setup, wa_test_tmpdir_teardown),
        cmocka_unit_test_setup_teardown(where_lists_are, wa_test_tmpdir_setup,
                                        wa_test_tmpdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
