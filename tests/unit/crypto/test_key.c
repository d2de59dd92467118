/* keys: every form that OpenSSL and WAPT's console write, asking for a passphrase, and what is too
 * weak or too absurd. */
#include "support.h"

#include "crypto/key.h"

#include <openssl/pem.h>

#define PASSPHRASE "p\xc3\xa4ssword 1"

/* Who is asked, and how often. */
struct person {
    const char *answer; /* NULL: gives up */
    int asked;
};

static enum wa_code answer(void *user, const char *what, struct wa_buf *out, struct wa_err *err)
{
    struct person *p = user;

    assert_non_null(what);
    p->asked++;
    if (p->answer == NULL)
        return wa_fail(err, WA_E_AUTH, "no passphrase from this person");
    wa_buf_adds(out, p->answer);
    return WA_OK;
}

static enum wa_code read_key(const char *file, struct person *p, struct wa_key **ret,
                             struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    char path[128];

    (void)snprintf(path, sizeof path, "keys/%s", file);
    read_trust_file(path, &pem);
    return wa_key_read_pem(wa_buf_sv(&pem), file, p == NULL ? NULL : answer, p, ret, err);
}

static const struct {
    const char *file;
    enum wa_code code;
    int asked;
    enum wa_key_kind kind;
    unsigned bits;
    const char *says; /* part of the error */
} files[] = {
    {"rsa2048-pkcs8.pem", WA_OK, 0, WA_KEY_RSA, 2048, NULL},
    {"rsa2048-traditional.pem", WA_OK, 0, WA_KEY_RSA, 2048, NULL},
    {"with-certificate.pem", WA_OK, 0, WA_KEY_RSA, 2048, NULL},
    {"rsa2048-traditional-aes.pem", WA_OK, 1, WA_KEY_RSA, 2048, NULL},
    {"rsa2048-pbes2.pem", WA_OK, 1, WA_KEY_RSA, 2048, NULL},
    {"rsa2048-pbes2-sha1.pem", WA_OK, 1, WA_KEY_RSA, 2048, NULL},
    {"p256-pkcs8.pem", WA_OK, 0, WA_KEY_EC, 256, NULL},
    {"p256-traditional.pem", WA_OK, 0, WA_KEY_EC, 256, NULL},
    {"p384.pem", WA_OK, 0, WA_KEY_EC, 384, NULL},
    {"rsa2048-pbes2-absurd.pem", WA_E_REFUSED, 0, 0, 0, "more than 10000000 times"},
    {"rsa2048-pbes1.pem", WA_OK, 1, WA_KEY_RSA, 2048, NULL},
    {"rsa2048-scrypt.pem", WA_OK, 1, WA_KEY_RSA, 2048, NULL},
    {"rsa2048-scrypt-absurd.pem", WA_E_REFUSED, 0, 0, 0, "more than 10000000 times"},
    {"rsa2048-pbes1-absurd.pem", WA_E_REFUSED, 0, 0, 0, "more than 10000000 times"},
    {"rsa2048-des.pem", WA_E_REFUSED, 0, 0, 0, "convert it"},
    {"rsa1024.pem", WA_E_REFUSED, 0, 0, 0, "less than 2048 bits"},
    {"secp256k1.pem", WA_E_REFUSED, 0, 0, 0, "neither P-256 nor P-384"},
    {"p256-explicit.pem", WA_E_REFUSED, 0, 0, 0, "spells its own curve"},
    {"ed25519.pem", WA_E_REFUSED, 0, 0, 0, "neither RSA nor elliptic-curve"},
    {"rsapss.pem", WA_E_REFUSED, 0, 0, 0, "neither RSA nor elliptic-curve"},
    {"rsa2048-public.pem", WA_E_INVALID, 0, 0, 0, "rsa2048-public.pem"},
};

static void every_form(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(files); i++) {
        WA_AUTO(wa_key) struct wa_key *key = NULL;
        struct person knows = {.answer = PASSPHRASE};
        struct wa_err err = WA_ERR_INIT;
        enum wa_code code = read_key(files[i].file, &knows, &key, &err);
        if (code != files[i].code || knows.asked != files[i].asked ||
            (files[i].says != NULL && strstr(err.text, files[i].says) == NULL))
            fail_msg("%s: %s, asked %d times, '%s'", files[i].file, wa_code_name(code), knows.asked,
                     err.text);
        assert_queue_empty(files[i].file);
        if (code != WA_OK)
            continue;
        assert_int_equal(wa_key_kind(key), files[i].kind);
        assert_int_equal(wa_key_bits(key), files[i].bits);
        assert_true(wa_key_is_private(key));
    }
}

static void who_does_not_know_the_passphrase(void **state)
{
    WA_UNUSED(state);
    static const char *const encrypted[] = {"rsa2048-traditional-aes.pem", "rsa2048-pbes2.pem"};

    for (size_t i = 0; i < WA_COUNT(encrypted); i++) {
        WA_AUTO(wa_key) struct wa_key *key = NULL;
        static char long_text[1100];
        memset(long_text, 'x', sizeof long_text - 1);
        struct person wrong = {.answer = "wrong"}, silent = {.answer = NULL},
                      empty = {.answer = ""}, talker = {.answer = long_text};
        struct wa_err err = WA_ERR_INIT;
        assert_int_equal(read_key(encrypted[i], &wrong, &key, &err), WA_E_AUTH);
        assert_int_equal(wrong.asked, 1);
        assert_non_null(strstr(err.text, "wrong passphrase"));
        wa_err_clear(&err);
        assert_int_equal(read_key(encrypted[i], &silent, &key, &err), WA_E_AUTH);
        assert_non_null(strstr(err.text, "no passphrase from this person"));
        wa_err_clear(&err);
        WA_ASSERT_CODE(read_key(encrypted[i], &empty, &key, &err), WA_E_AUTH);
        WA_ASSERT_CODE(read_key(encrypted[i], &talker, &key, &err), WA_E_LIMIT);
        assert_int_equal(read_key(encrypted[i], NULL, &key, &err), WA_E_AUTH);
        assert_non_null(strstr(err.text, "nobody can be asked"));
        assert_null(key);
        assert_queue_empty(encrypted[i]);
    }
}

static void what_is_written_is_read_again(void **state)
{
    WA_UNUSED(state);
    static const char *const sources[] = {"rsa2048-pkcs8.pem", "p256-pkcs8.pem"};
    static const char *const passphrases[] = {"", PASSPHRASE};

    for (size_t i = 0; i < WA_COUNT(sources); i++)
        for (size_t k = 0; k < WA_COUNT(passphrases); k++) {
            WA_AUTO(wa_key) struct wa_key *key = NULL, *again = NULL;
            WA_AUTO_BUF_SECRET struct wa_buf pem;
            struct person knows = {.answer = passphrases[k]};
            struct wa_err err = WA_ERR_INIT;
            wa_buf_init(&pem, 10000);
            WA_ASSERT_OK(read_key(sources[i], NULL, &key, &err));
            WA_ASSERT_OK(wa_key_write_pem(key, wa_sv(passphrases[k]), &pem, &err));
            assert_true(
                wa_sv_starts(wa_buf_sv(&pem), k == 0 ? "-----BEGIN PRIVATE KEY-----\n"
                                                     : "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
            WA_ASSERT_OK(wa_key_read_pem(wa_buf_sv(&pem), "again", answer, &knows, &again, &err));
            assert_int_equal(knows.asked, k);
            assert_true(wa_key_equal_public(key, again));
            assert_true(wa_key_is_private(again));
            assert_queue_empty("writing");
        }
}

static bool holds(const unsigned char *p, long n, const void *part, size_t size)
{
    for (size_t at = 0; at + size <= (size_t)n; at++)
        if (memcmp(p + at, part, size) == 0)
            return true;
    return false;
}

/* PBES2 { PBKDF2 { 600000, hmacWithSHA256 }, aes-256-cbc }, as the encrypted PEM says itself. */
static void encryption_is_as_promised(void **state)
{
    WA_UNUSED(state);
    static const unsigned char rounds[] = {0x02, 0x03, 0x09, 0x27, 0xc0};
    static const unsigned char prf[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09};
    static const unsigned char cipher[] = {0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                           0x65, 0x03, 0x04, 0x01, 0x2a};
    WA_AUTO(wa_key) struct wa_key *key = new_p256();
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&pem, 10000);

    WA_ASSERT_OK(wa_key_write_pem(key, WA_SV("secret"), &pem, &err));
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    char *label = NULL, *head = NULL;
    unsigned char *der = NULL;
    long n = 0;
    assert_int_equal(PEM_read_bio(bio, &label, &head, &der, &n), 1);
    assert_true(holds(der, n, rounds, sizeof rounds));
    assert_true(holds(der, n, prf, sizeof prf));
    assert_true(holds(der, n, cipher, sizeof cipher));
    OPENSSL_free(label);
    OPENSSL_free(head);
    OPENSSL_free(der);
    BIO_free(bio);
}

static const struct {
    const char *file;
    enum wa_code code;
    const char *says;
} publics[] = {
    {"rsa2048-public.pem", WA_OK, ""},
    {"public-e3.pem", WA_E_REFUSED, "exponent below 65537"},
    {"public-e1.pem", WA_E_REFUSED, "exponent below 65537"},
    {"public-e2.pem", WA_E_REFUSED, "impossible modulus or exponent"},
    {"public-e-long.pem", WA_E_REFUSED, "impossible modulus or exponent"},
    {"public-n-even.pem", WA_E_REFUSED, "impossible modulus or exponent"},
    {"public-1024.pem", WA_E_REFUSED, "less than 2048 bits"},
    {"public-20000.pem", WA_E_REFUSED, "more than 16384 bits"},
    {"rsa2048-pkcs8.pem", WA_E_INVALID, "cannot read a public key"},
};

static void public_keys(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(publics); i++) {
        WA_AUTO(wa_key) struct wa_key *key = NULL;
        WA_AUTO_BUF struct wa_buf pem, out;
        struct wa_err err = WA_ERR_INIT;
        char path[128];
        (void)snprintf(path, sizeof path, "keys/%s", publics[i].file);
        read_trust_file(path, &pem);
        wa_buf_init(&out, 10000);
        enum wa_code code = wa_key_read_public_pem(wa_buf_sv(&pem), &key, &err);
        if (code != publics[i].code || strstr(err.text, publics[i].says) == NULL)
            fail_msg("%s: %s: %s", publics[i].file, wa_code_name(code), err.text);
        assert_queue_empty(publics[i].file);
        if (code != WA_OK)
            continue;
        wa_err_clear(&err);
        assert_false(wa_key_is_private(key));
        WA_ASSERT_OK(wa_key_write_public_pem(key, &out, &err));
        WA_ASSERT_SV(wa_buf_sv(&out), wa_buf_str(&pem));
        WA_ASSERT_CODE(wa_key_write_pem(key, WA_SV(""), &out, &err), WA_E_INTERNAL);
    }
}

static void halves_of_one_key(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_key) struct wa_key *private_half = NULL, *public_half = NULL, *other = new_p256();
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_err err = WA_ERR_INIT;

    WA_ASSERT_OK(read_key("rsa2048-pkcs8.pem", NULL, &private_half, &err));
    read_trust_file("keys/rsa2048-public.pem", &pem);
    WA_ASSERT_OK(wa_key_read_public_pem(wa_buf_sv(&pem), &public_half, &err));
    assert_true(wa_key_equal_public(private_half, public_half));
    assert_false(wa_key_equal_public(private_half, other));
    assert_queue_empty("comparing keys of two kinds");
}

static void new_keys(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_key) struct wa_key *rsa = NULL, *ec = new_p256(), *ec2 = new_p256(), *none = NULL;
    struct wa_err err = WA_ERR_INIT;

    WA_ASSERT_OK(wa_key_new_rsa(2048, &rsa, &err));
    assert_int_equal(wa_key_bits(rsa), 2048);
    assert_false(wa_key_equal_public(ec, ec2));
    WA_ASSERT_CODE(wa_key_new_rsa(1024, &none, &err), WA_E_USAGE);
    WA_ASSERT_CODE(wa_key_new_rsa(20000, &none, &err), WA_E_USAGE);
    assert_null(none);
}

static void text_without_a_key(void **state)
{
    WA_UNUSED(state);
    static const char *const texts[] = {
        "",
        "no key",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\n!!!!\n-----END RSA PRIVATE KEY-----\n",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n"};
    WA_AUTO_STR char *large = wa_calloc(1, 1u << 20);

    for (size_t i = 0; i < WA_COUNT(texts); i++) {
        WA_AUTO(wa_key) struct wa_key *key = NULL;
        struct wa_err err = WA_ERR_INIT;
        WA_ASSERT_CODE(wa_key_read_pem(wa_sv(texts[i]), "nothing", NULL, NULL, &key, &err),
                       WA_E_INVALID);
        WA_ASSERT_CODE(wa_key_read_public_pem(wa_sv(texts[i]), &key, &err), WA_E_INVALID);
        assert_queue_empty("refusing");
        assert_null(key);
    }
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_CODE(wa_key_read_pem(wa_sv_n(large, 1u << 20), "large", NULL, NULL, &key, &err),
                   WA_E_LIMIT);
    WA_ASSERT_CODE(wa_key_read_public_pem(wa_sv_n(large, 1u << 20), &key, &err), WA_E_LIMIT);
}

/* One key stands for many signers in turn, and for none of those before. */
static void points(void **state)
{
    WA_AUTO(wa_key) struct wa_key *a = NULL;
    WA_AUTO(wa_key) struct wa_key *b = NULL;
    WA_AUTO(wa_key) struct wa_key *rsa = NULL;
    WA_AUTO(wa_key) struct wa_key *one = NULL;
    WA_AUTO_BUF struct wa_buf of_a;
    WA_AUTO_BUF struct wa_buf of_b;
    uint8_t point_a[WA_KEY_POINT_BYTES], point_b[WA_KEY_POINT_BYTES];
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    wa_buf_init(&of_a, 1024);
    wa_buf_init(&of_b, 1024);
    WA_ASSERT_OK(wa_key_new_p256(&a, &err));
    WA_ASSERT_OK(wa_key_new_p256(&b, &err));
    WA_ASSERT_OK(wa_key_new_rsa(2048, &rsa, &err));
    WA_ASSERT_OK(wa_key_new_of_points(&one, &err));
    assert_true(wa_key_point(a, point_a) && wa_key_point(b, point_b));
    assert_false(wa_key_point(rsa, point_a));
    WA_ASSERT_OK(wa_sign(a, WA_SV("text"), &of_a, &err));
    WA_ASSERT_OK(wa_sign(b, WA_SV("text"), &of_b, &err));
    WA_ASSERT_CODE(wa_signature_check(one, WA_SV("text"), wa_buf_sv(&of_a), &err), WA_E_REFUSED);
    for (int i = 0; i < 3; i++) {
        WA_ASSERT_OK(wa_key_set_point(one, point_a, &err));
        assert_true(wa_key_equal_public(one, a));
        WA_ASSERT_OK(wa_signature_check(one, WA_SV("text"), wa_buf_sv(&of_a), &err));
        WA_ASSERT_CODE(wa_signature_check(one, WA_SV("text"), wa_buf_sv(&of_b), &err),
                       WA_E_REFUSED);
        WA_ASSERT_OK(wa_key_set_point(one, point_b, &err));
        WA_ASSERT_OK(wa_signature_check(one, WA_SV("text"), wa_buf_sv(&of_b), &err));
        WA_ASSERT_CODE(wa_signature_check(one, WA_SV("text"), wa_buf_sv(&of_a), &err),
                       WA_E_REFUSED);
    }
    point_a[40] ^= 1; /* not on the curve: nobody's, until it is set to another */
    WA_ASSERT_CODE(wa_key_set_point(one, point_a, &err), WA_E_INVALID);
    WA_ASSERT_CODE(wa_signature_check(one, WA_SV("text"), wa_buf_sv(&of_a), &err), WA_E_REFUSED);
    WA_ASSERT_OK(wa_key_set_point(one, point_b, &err));
    WA_ASSERT_OK(wa_signature_check(one, WA_SV("text"), wa_buf_sv(&of_b), &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form),
        cmocka_unit_test(who_does_not_know_the_passphrase),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(encryption_is_as_promised),
        cmocka_unit_test(public_keys),
        cmocka_unit_test(halves_of_one_key),
        cmocka_unit_test(new_keys),
        cmocka_unit_test(points),
        cmocka_unit_test(text_without_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
