/* Each allocation of OpenSSL fails in turn: what must be refused is never accepted for want of
 * memory, and nothing crashes.
 *
 * OpenSSL reports some of these failures as others, so any error will do; what it leaks is its
 * affair.
 */
#include "ossl_memory.h"
#include "support.h"

#include "crypto/crl.h"

#include <openssl/x509.h>

/* OpenSSL is not instrumented, and what becomes of its failures in our code is much the same: with
 * the sanitizers, which take four times as long, each eighth will do. Without them none is left
 * out. */
#ifdef __SANITIZE_ADDRESS__
#define EACH 8
#else
#define EACH 1
#endif

/* Runs fn with the first, the second... allocation failing, until none does. fn must give WA_OK or,
 * if it failed, an error; when is_refused, never WA_OK: then every third allocation will do, for
 * the many cases share most of theirs. */
static size_t fail_some(enum wa_code (*fn)(const void *arg, struct wa_err *err), const void *arg,
                        bool is_refused, long stride)
{
    static long first;

    for (long n = first++ % stride;; n += stride) {
        struct wa_err err = WA_ERR_INIT;
        has_failed = false;
        countdown = n;
        enum wa_code code = fn(arg, &err);
        countdown = -1;
        if (code != err.code || (is_refused && code == WA_OK))
            fail_msg("allocation %ld: %s, '%s'", n, wa_code_name(code), err.text);
        if (ERR_peek_error() != 0)
            fail_msg("allocation %ld left an error in the queue", n);
        if (has_failed)
            continue;
        assert_int_equal(code == WA_OK, !is_refused);
        return (size_t)n;
    }
}

static size_t fail_each(enum wa_code (*fn)(const void *arg, struct wa_err *err), const void *arg,
                        bool is_refused)
{
    return fail_some(fn, arg, is_refused, is_refused ? 3 * EACH : EACH);
}

struct sides {
    const struct wa_trust *trust;
    struct wa_sv chain;
    bool needs_code;
};

/* Reads the chain afresh each time: OpenSSL keeps what it computed about a certificate with it. */
static enum wa_code check_trust(const void *arg, struct wa_err *err)
{
    const struct sides *s = arg;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    struct wa_trust_result r;

    if (wa_certs_read_pem(s->chain, 16, &chain, err) != WA_OK ||
        wa_trust_check(s->trust, &chain, vectors_date(), &r, err) != WA_OK)
        return err->code;
    if (s->needs_code && !r.may_sign_code)
        return wa_fail(err, WA_E_REFUSED, "not for code");
    return WA_OK;
}

static struct wa_trust *make_trust(const char *store)
{
    struct wa_trust *t = NULL;
    struct wa_err err = WA_ERR_INIT;
    char name[256], path[WA_PATH_MAX];

    WA_ASSERT_OK(wa_trust_new(&t, &err));
    if (strstr(store, ".crt") == NULL) {
        (void)snprintf(name, sizeof name, "vectors/trust/%s", store);
        wa_test_data_path(name, path);
        WA_ASSERT_OK(wa_trust_add_dir(t, path, &err));
    } else {
        WA_AUTO_CERTS struct wa_certs list = {0};
        read_chain(store, &list);
        WA_ASSERT_OK(wa_trust_add(t, list.items[0], &err));
    }
    return t;
}

static void trust_fails_closed(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *store, *chain;
        bool needs_code, is_refused;
    } cases[] = {
        {"ca_only", "chains/base-intermediate.crt", false, false},
        {"with_crl", "chains/093-revoked.crt", false, true},
        {"ca_only", "chains/082-spoofed-ca-aki.crt", false, true},
        {"ca_only", "chains/086-inter-no-keycertsign.crt", false, true},
        {"ca_only", "chains/091-expired-intermediate.crt", false, true},
        {"ca_only", "chains/096-weak-rsa1024.crt", false, true},
        {"ca_only", "chains/097-weak-sha1-cert.crt", false, true},
        {"made/store-constrained.crt", "made/constrained-inside.crt", true, false},
        {"made/store-constrained.crt", "made/constrained-outside.crt", false, true},
        {"made/store-constrained.crt", "made/constrained-other-org.crt", false, true},
        {"made/store-deployer.crt", "made/code-by-deployer.crt", true, true},
        {"made/store-short.crt", "made/short-too-long.crt", false, true},
        {"made/store-root.crt", "made/critical-unknown.crt", false, true},
        {"made/store-root.crt", "made/signer-key-agreement.crt", false, true},
        {"made/store-any.crt", "made/any-by-any.crt", true, true},
    };

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO(wa_trust) struct wa_trust *t = make_trust(cases[i].store);
        WA_AUTO_BUF struct wa_buf pem;
        read_trust_file(cases[i].chain, &pem);
        const struct sides sides = {t, wa_buf_sv(&pem), cases[i].needs_code};
        print_message("%s: %zu allocations\n", cases[i].chain,
                      fail_each(check_trust, &sides, cases[i].is_refused));
    }
}

/* A store that is read while memory runs out: no anchor more, no revocation list less. */
static enum wa_code load_and_check(const void *arg, struct wa_err *err)
{
    const struct wa_certs *chain = arg;
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    struct wa_trust_result r;
    char path[WA_PATH_MAX];

    wa_test_data_path("vectors/trust/with_crl", path);
    if (wa_trust_new(&t, err) != WA_OK || wa_trust_add_dir(t, path, err) != WA_OK)
        return err->code;
    return wa_trust_check(t, chain, vectors_date(), &r, err);
}

static void stores_fail_closed(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_CERTS struct wa_certs chain = {0};
    read_chain("chains/093-revoked.crt", &chain);
    (void)fail_each(load_and_check, &chain, true);
}

static enum wa_code check_signature(const void *arg, struct wa_err *err)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_BUF struct wa_buf pem, sig;

    read_trust_file("keys/rsa2048-public.pem", &pem);
    read_trust_file("keys/signatures/known-rsa.sig", &sig);
    if (wa_key_read_public_pem(wa_buf_sv(&pem), &key, err) != WA_OK)
        return err->code;
    return wa_signature_check(key, wa_sv(arg), wa_buf_sv(&sig), err);
}

/* Pinned below one of two namesakes, with lists at hand and somebody else revoked: asks for twins
 * of signatures and for both authorities. Then, which lists to keep. */
static enum wa_code check_pinned(const void *arg, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    WA_AUTO_BUF struct wa_buf lists, der;
    WA_AUTO_CERTS struct wa_certs anchors = {0};
    struct wa_trust_result r;
    struct wa_crl_info info;
    bool is_used = false, is_there = false;
    const struct wa_certs *chain = arg;
    static const char unrelated[] =
        "0000000000000000000000000000000000000000000000000000000000000000";

    wa_buf_init(&der, 100000);
    read_trust_file("made/store-points.crt", &lists);
    if (wa_trust_new(&t, err) != WA_OK || wa_trust_revoke(t, unrelated, err) != WA_OK)
        return err->code;
    static const char *const stores[] = {"made/store-namesakes-other-order.crt",
                                         "made/store-points.crt"};
    for (size_t i = 0; i < WA_COUNT(stores); i++) {
        WA_AUTO_BUF struct wa_buf pem;
        read_trust_file(stores[i], &pem);
        if (wa_certs_read_pem(wa_buf_sv(&pem), 8, &anchors, err) != WA_OK)
            return err->code;
    }
    for (size_t i = 0; i < anchors.n; i++)
        if (wa_trust_add(t, anchors.items[i], err) != WA_OK)
            return err->code;
    if (wa_trust_add_crl(t, wa_sv_n(lists.p, lists.n - 1), NULL, &is_used, err) != WA_OK ||
        wa_trust_check(t, chain, vectors_date(), &r, err) != WA_OK ||
        wa_trust_add(t, chain->items[0], err) != WA_OK ||
        wa_trust_check(t, chain, vectors_date(), &r, err) != WA_OK)
        return err->code;
    return wa_trust_crl_to_keep(t, 0, NULL, vectors_date(), &der, &info, &is_used, &is_there, err);
}

static void pinned_signers_fail_closed(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_CERTS struct wa_certs chain = {0};
    read_chain("made/of-first.crt", &chain);
    (void)fail_some(check_pinned, &chain, false, 5); /* most are those of the cases above */
}

static void signatures_fail_closed(void **state)
{
    WA_UNUSED(state);
    (void)fail_each(check_signature, "a known message", false);
    (void)fail_each(check_signature, "another message", true);
}

static enum wa_code read_weak(const void *arg, struct wa_err *err)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_BUF struct wa_buf pem;

    read_trust_file(arg, &pem);
    return strstr(arg, "public") != NULL
               ? wa_key_read_public_pem(wa_buf_sv(&pem), &key, err)
               : wa_key_read_pem(wa_buf_sv(&pem), arg, NULL, NULL, &key, err);
}

static void keys_fail_closed(void **state)
{
    WA_UNUSED(state);
    (void)fail_each(read_weak, "keys/p256-pkcs8.pem", false);
    (void)fail_each(read_weak, "keys/rsa2048-traditional.pem", false);
    (void)fail_each(read_weak, "keys/rsa1024.pem", true);
    (void)fail_each(read_weak, "keys/p256-explicit.pem", true);
    (void)fail_each(read_weak, "keys/secp256k1.pem", true);
    (void)fail_each(read_weak, "keys/public-e1.pem", true);
    (void)fail_each(read_weak, "keys/public-n-even.pem", true);
}

static enum wa_code make_certificate(const void *arg, struct wa_err *err)
{
    static const char *const names[] = {"host.example.test", "10.0.0.1", NULL};
    const struct wa_cert_request what = {.cn = "x",
                                         .organization = "y",
                                         .code_signing = true,
                                         .server_auth = true,
                                         .dns_names = names,
                                         .days = 1};
    WA_AUTO(wa_cert) struct wa_cert *c = NULL;

    if (wa_cert_issue(&what, arg, NULL, NULL, &c, err) != WA_OK)
        return err->code;
    /* made in spite of a failure: then whole */
    assert_true(wa_cert_may_sign_code(c));
    assert_int_equal(X509_get_ext_count(wa_cert_native(c)), 6);
    return WA_OK;
}

static void certificates_are_made_whole(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_key) struct wa_key *key = new_p256();
    (void)fail_each(make_certificate, key, false);
}

/* Maps whose keys come from outside need a seed. */
static void without_randomness_nothing_is_trusted(void **state)
{
    struct wa_trust *t = NULL;
    struct wa_err err = WA_ERR_INIT;

    WA_UNUSED(state);
    for (long n = 0; n < 3; n++) {
        random_countdown = n;
        assert_int_not_equal(wa_trust_new(&t, &err), WA_OK);
        assert_null(t);
        wa_err_clear(&err);
    }
    random_countdown = -1;
}

int main(void)
{
    if (!ossl_memory_take())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trust_fails_closed),
        cmocka_unit_test(stores_fail_closed),
        cmocka_unit_test(pinned_signers_fail_closed),
        cmocka_unit_test(signatures_fail_closed),
        cmocka_unit_test(keys_fail_closed),
        cmocka_unit_test(certificates_are_made_whole),
        cmocka_unit_test(without_randomness_nothing_is_trusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
