/* test_pkcs12.c - a key with its certificates as one file: ours, those of others, and hostile ones.
 */
#include "support.h"
#include "torture.h"

#include "crypto/pkcs12.h"

#include <openssl/pkcs12.h>

static const char password[] = "pässwort 8";

static enum wa_code give(void *user, const char *what, struct wa_buf *out, struct wa_err *err)
{
    WA_UNUSED(what);
    wa_buf_adds(out, user);
    return wa_buf_check(out, err);
}

/* An authority, one below it, and somebody below that. */
static struct {
    struct wa_key *root_key, *mid_key, *key;
    struct wa_cert *root, *mid, *cert;
    struct wa_certs chain;
} given;

static int make_given(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    given.root_key = new_p256();
    given.mid_key = new_p256();
    given.key = new_p256();
    given.root = issue((struct wa_cert_request){.cn = "Root", .is_ca = true, .path_length = -1},
                       given.root_key, NULL, NULL);
    given.mid = issue((struct wa_cert_request){.cn = "Middle", .is_ca = true, .path_length = -1},
                      given.mid_key, given.root, given.root_key);
    given.cert = issue((struct wa_cert_request){.cn = "Éva", .client_auth = true}, given.key,
                       given.mid, given.mid_key);
    WA_ASSERT_OK(wa_certs_add(&given.chain, given.cert, &err));
    WA_ASSERT_OK(wa_certs_add(&given.chain, given.mid, &err));
    WA_ASSERT_OK(wa_certs_add(&given.chain, given.root, &err));
    return 0;
}

static int drop_given(void **state)
{
    WA_UNUSED(state);
    wa_certs_fini(&given.chain);
    wa_cert_free(given.cert);
    wa_cert_free(given.mid);
    wa_cert_free(given.root);
    wa_key_free(given.key);
    wa_key_free(given.mid_key);
    wa_key_free(given.root_key);
    return 0;
}

static enum wa_code read_with(struct wa_sv der, const char *typed, struct wa_key **key,
                              struct wa_certs *chain, struct wa_err *err)
{
    union {
        const char *from;
        void *to;
    } word = {typed};
    enum wa_code code = wa_pkcs12_read(der, "file", give, word.to, key, chain, err);
    assert_queue_empty("wa_pkcs12_read");
    return code;
}

static void refuses(struct wa_sv der, const char *typed, enum wa_code code, const char *says)
{
    struct wa_key *key = NULL;
    struct wa_certs chain = {0};
    struct wa_err err = WA_ERR_INIT;
    if (read_with(der, typed, &key, &chain, &err) != code || strstr(err.text, says) == NULL)
        fail_msg("%s: '%s' (%s)", says, err.text, wa_code_name(err.code));
    assert_null(key);
    assert_int_equal(chain.n, 0);
}

static void what_is_written_is_read(void **state)
{
    struct wa_buf der;
    struct wa_err err = WA_ERR_INIT;
    struct wa_key *key = NULL;
    struct wa_certs chain = {0};
    WA_UNUSED(state);
    wa_buf_init(&der, WA_PKCS12_BYTES_MAX);
    WA_ASSERT_OK(wa_pkcs12_write(given.key, &given.chain, wa_sv(password), &der, &err));
    assert_queue_empty("wa_pkcs12_write");
    WA_ASSERT_OK(read_with(wa_buf_sv(&der), password, &key, &chain, &err));
    assert_true(wa_key_is_private(key) && wa_key_equal_public(key, given.key));
    assert_int_equal(chain.n, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(wa_cert_equal(chain.items[i], given.chain.items[i]));
    wa_key_free(key);
    wa_certs_fini(&chain);
    refuses(wa_buf_sv(&der), "another one", WA_E_AUTH, "wrong password");
    refuses(wa_buf_sv(&der), "", WA_E_AUTH, "wrong password");
    refuses(wa_sv_n(der.p, der.n - 1), password, WA_E_INVALID, "no PKCS#12");
    wa_buf_add(&der, "x", 1);
    refuses(wa_buf_sv(&der), password, WA_E_INVALID, "no PKCS#12");
    wa_buf_fini(&der);
    assert_int_equal(wa_pkcs12_write(given.key, &given.chain, WA_SV(""), &der, &err),
                     WA_E_INTERNAL);
}

/* One of OpenSSL's own, of what there is and how it is encrypted. */
struct recipe {
    const struct wa_key *key;
    const struct wa_cert *cert, *more[3];
    int key_nid, cert_nid;  /* -1: not encrypted; 0: AES */
    int rounds, mac_rounds; /* mac_rounds -1: no checksum */
    const char *word;
};

static void cook(const struct recipe *r, struct wa_buf *out)
{
    unsigned char *der = NULL;
    STACK_OF(X509) *more = sk_X509_new_null();
    for (size_t i = 0; i < WA_COUNT(r->more) && r->more[i] != NULL; i++)
        sk_X509_push(more, wa_cert_native(r->more[i]));
    PKCS12 *p12 = PKCS12_create(r->word, "friend", r->key != NULL ? wa_key_native(r->key) : NULL,
                                r->cert != NULL ? wa_cert_native(r->cert) : NULL, more,
                                r->key_nid != 0 ? r->key_nid : NID_aes_256_cbc,
                                r->cert_nid != 0 ? r->cert_nid : NID_aes_256_cbc, r->rounds,
                                r->mac_rounds, 0);
    int n = i2d_PKCS12(p12, &der);
    assert_true(n > 0);
    wa_buf_init(out, WA_PKCS12_BYTES_MAX);
    wa_buf_add(out, der, (size_t)n);
    OPENSSL_free(der);
    PKCS12_free(p12);
    sk_X509_free(more);
    ERR_clear_error();
}

static void the_chain_is_put_in_order(void **state)
{
    const struct wa_cert *stranger =
        issue((struct wa_cert_request){.cn = "Stranger"}, given.root_key, NULL, NULL);
    const struct recipe mixed = {
        given.key, given.cert, {stranger, given.root, given.mid}, -1, -1, 1, 1, "word"};
    struct wa_buf der;
    struct wa_err err = WA_ERR_INIT;
    struct wa_key *key = NULL;
    struct wa_certs chain = {0};
    WA_UNUSED(state);
    cook(&mixed, &der);
    WA_ASSERT_OK(read_with(wa_buf_sv(&der), "word", &key, &chain, &err));
    assert_int_equal(chain.n, 3);
    assert_true(wa_cert_equal(chain.items[1], given.mid));
    assert_true(wa_cert_equal(chain.items[2], given.root));
    wa_key_free(key);
    wa_certs_fini(&chain);
    wa_buf_fini(&der);
    union {
        const struct wa_cert *from;
        struct wa_cert *to;
    } owned = {stranger};
    wa_cert_free(owned.to);
}

static void what_others_write(void **state)
{
    const int des3 = NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
    const struct recipe good[] = {
        {given.key, given.cert, {NULL}, 0, 0, 2048, 2048, "word"},
        {given.key, given.cert, {NULL}, des3, des3, 2048, 1, "word"},
        {given.key, given.cert, {NULL}, 0, -1, 1, 1, ""},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(good); i++) {
        struct wa_buf der;
        struct wa_err err = WA_ERR_INIT;
        struct wa_key *key = NULL;
        struct wa_certs chain = {0};
        cook(&good[i], &der);
        if (read_with(wa_buf_sv(&der), good[i].word, &key, &chain, &err) != WA_OK)
            fail_msg("%zu: %s", i, err.text);
        assert_true(wa_key_equal_public(key, given.key) && chain.n == 1);
        wa_key_free(key);
        wa_certs_fini(&chain);
        wa_buf_fini(&der);
    }
}

static void what_is_hostile_or_weak_is_refused(void **state)
{
    static const struct {
        const char *says;
        enum wa_code code;
    } why[] = {{"no private key", WA_E_REFUSED},
               {"belongs to its private key", WA_E_REFUSED},
               {"no checksum", WA_E_REFUSED},
               {"hashed more than", WA_E_REFUSED},
               {"hashed more than", WA_E_REFUSED}};
    const struct recipe bad[] = {
        {NULL, given.cert, {NULL}, 0, 0, 1, 1, "word"},
        {given.key, NULL, {given.root}, 0, 0, 1, 1, "word"},
        {given.key, given.cert, {NULL}, 0, 0, 1, -1, "word"},
        {given.key, given.cert, {NULL}, -1, -1, 1, WA_KEY_ROUNDS_MAX + 1, "word"},
        /* each of them bearable, and not together */
        {given.key, given.cert, {NULL}, 0, 0, WA_KEY_ROUNDS_MAX / 2, 1, "word"},
    };
    struct wa_buf der;
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        cook(&bad[i], &der);
        refuses(wa_buf_sv(&der), "word", why[i].code, why[i].says);
        wa_buf_fini(&der);
    }
    wa_buf_init(&der, WA_PKCS12_BYTES_MAX + 1);
    while (der.n <= WA_PKCS12_BYTES_MAX)
        wa_buf_adds(&der, "0");
    refuses(wa_buf_sv(&der), "word", WA_E_LIMIT, "more than");
    wa_buf_fini(&der);
    refuses(WA_SV(""), "word", WA_E_INVALID, "no PKCS#12");
    /* RC2, of which OpenSSL has a tool's: a seed of the fuzz target's */
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&der, WA_PKCS12_BYTES_MAX);
    WA_ASSERT_OK(wa_path_read(WA_SEEDS "/rc2", WA_PKCS12_BYTES_MAX, &der, &err));
    refuses(wa_buf_sv(&der), "passphrase", WA_E_REFUSED, "RC2");
    wa_buf_fini(&der);
}

/* A bag too many, and a second key: with no checksum of OpenSSL's making in between. */
static void too_much_in_it(void **state)
{
    WA_UNUSED(state);
    for (int keys = 2; keys <= (int)WA_PKCS12_BAGS_MAX + 1; keys += (int)WA_PKCS12_BAGS_MAX - 1) {
        STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
        STACK_OF(PKCS7) *parts = NULL;
        struct wa_buf der;
        unsigned char *bytes = NULL;
        for (int i = 0; i < keys; i++)
            if (keys == 2)
                PKCS12_add_key(&bags, wa_key_native(given.key), 0, 1, -1, NULL);
            else
                PKCS12_add_cert(&bags, wa_cert_native(given.cert));
        PKCS12_add_safe(&parts, bags, -1, 1, NULL);
        PKCS12 *p12 = PKCS12_add_safes(parts, 0);
        PKCS12_set_mac(p12, "word", -1, NULL, 0, 1, NULL);
        int n = i2d_PKCS12(p12, &bytes);
        assert_true(n > 0);
        wa_buf_init(&der, WA_PKCS12_BYTES_MAX);
        wa_buf_add(&der, bytes, (size_t)n);
        refuses(wa_buf_sv(&der), "word", keys == 2 ? WA_E_REFUSED : WA_E_LIMIT, "more than");
        wa_buf_fini(&der);
        OPENSSL_free(bytes);
        PKCS12_free(p12);
        sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
        sk_PKCS7_pop_free(parts, PKCS7_free);
        ERR_clear_error();
    }
}

static enum wa_code read_once(void *arg, struct wa_err *err)
{
    const struct wa_buf *der = arg;
    struct wa_key *key = NULL;
    struct wa_certs chain = {0};
    enum wa_code code = read_with(wa_buf_sv(der), "word", &key, &chain, err);
    wa_key_free(key);
    wa_certs_fini(&chain);
    return code;
}

static enum wa_code write_once(void *arg, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    WA_UNUSED(arg);
    wa_buf_init(&out, WA_PKCS12_BYTES_MAX);
    return wa_pkcs12_write(given.key, &given.chain, WA_SV("password"), &out, err);
}

static void memory_runs_out(void **state)
{
    const struct recipe r = {given.key, given.cert, {given.mid, given.root}, 0, 0, 1, 1, "word"};
    struct wa_buf der;
    WA_UNUSED(state);
    cook(&r, &der);
    print_message("read: %zu, write: %zu\n", wa_torture(read_once, &der),
                  wa_torture(write_once, NULL));
    wa_buf_fini(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_chain_is_put_in_order),
        cmocka_unit_test(what_others_write),
        cmocka_unit_test(what_is_hostile_or_weak_is_refused),
        cmocka_unit_test(too_much_in_it),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, make_given, drop_given);
}
