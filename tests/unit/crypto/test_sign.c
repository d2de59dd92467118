/* signatures: those of openssl's own command line, ours, and every way to write one differently. */
#include "support.h"

#include "crypto/key.h"

static const struct wa_sv message = {"a known message", 15};

static struct wa_key *key_of(const char *file)
{
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_key *key = NULL;
    struct wa_err err = WA_ERR_INIT;

    read_trust_file(file, &pem);
    if (strstr(file, "public") != NULL)
        WA_ASSERT_OK(wa_key_read_public_pem(wa_buf_sv(&pem), &key, &err));
    else
        WA_ASSERT_OK(wa_key_read_pem(wa_buf_sv(&pem), file, NULL, NULL, &key, &err));
    return key;
}

static const struct {
    const char *key, *signature;
    enum wa_code code;
} known[] = {
    {"keys/rsa2048-pkcs8.pem", "known-rsa.sig", WA_OK},
    {"keys/rsa2048-public.pem", "known-rsa.sig", WA_OK},
    {"keys/p256-pkcs8.pem", "known-p256.sig", WA_OK},
    {"keys/rsa2048-public.pem", "known-rsa-sha1.sig", WA_E_REFUSED},
    {"keys/rsa2048-public.pem", "known-rsa-pss.sig", WA_E_REFUSED},
    {"keys/rsa2048-public.pem", "known-p256.sig", WA_E_REFUSED},
    {"keys/p256-pkcs8.pem", "known-rsa.sig", WA_E_REFUSED},
    {"keys/p384.pem", "known-p256.sig", WA_E_REFUSED},
};

static void of_another_program(void **state)
{
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(known); i++) {
        WA_AUTO(wa_key) struct wa_key *key = key_of(known[i].key);
        WA_AUTO_BUF struct wa_buf sig;
        struct wa_err err = WA_ERR_INIT;
        char path[128];
        (void)snprintf(path, sizeof path, "keys/signatures/%s", known[i].signature);
        read_trust_file(path, &sig);
        WA_ASSERT_CODE(wa_signature_check(key, message, wa_buf_sv(&sig), &err), known[i].code);
        assert_queue_empty(known[i].signature);
    }
}

/* Beside a better one, as WAPT writes them: no other digest, and no other kind of key. */
static void over_sha1(void **state)
{
    static const struct {
        const char *key, *signature;
        enum wa_code code;
    } sha1[] = {{"keys/rsa2048-public.pem", "known-rsa-sha1.sig", WA_OK},
                {"keys/rsa2048-public.pem", "known-rsa.sig", WA_E_REFUSED},
                {"keys/p256-pkcs8.pem", "known-p256.sig", WA_E_REFUSED}};
    WA_UNUSED(state);

    for (size_t i = 0; i < WA_COUNT(sha1); i++) {
        WA_AUTO(wa_key) struct wa_key *key = key_of(sha1[i].key);
        WA_AUTO_BUF struct wa_buf sig;
        struct wa_err err = WA_ERR_INIT;
        char path[128];
        (void)snprintf(path, sizeof path, "keys/signatures/%s", sha1[i].signature);
        read_trust_file(path, &sig);
        WA_ASSERT_CODE(wa_signature_check_sha1(key, message, wa_buf_sv(&sig), &err), sha1[i].code);
        assert_queue_empty(sha1[i].signature);
    }
}

/* No byte of message or signature may change, none be added or taken away. */
static void try_changes(const struct wa_key *key, struct wa_sv signature)
{
    WA_AUTO_BUF struct wa_buf bad;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&bad, 1000);

    for (size_t i = 0; i<signature.n; i += signature.n> 100 ? 13 : 1) {
        wa_buf_clear(&bad);
        wa_buf_addsv(&bad, signature);
        bad.p[i] = (char)(bad.p[i] ^ 0x10);
        WA_ASSERT_CODE(wa_signature_check(key, message, wa_buf_sv(&bad), &err), WA_E_REFUSED);
    }
    for (size_t n = 0; n < signature.n; n += 7)
        WA_ASSERT_CODE(wa_signature_check(key, message, wa_sv_sub(signature, 0, n), &err),
                       WA_E_REFUSED);
    for (int front = 0; front < 2; front++) {
        wa_buf_clear(&bad);
        if (front == 1)
            wa_buf_addc(&bad, '\0');
        wa_buf_addsv(&bad, signature);
        if (front == 0)
            wa_buf_addc(&bad, '\0');
        WA_ASSERT_CODE(wa_signature_check(key, message, wa_buf_sv(&bad), &err), WA_E_REFUSED);
    }
    WA_ASSERT_CODE(wa_signature_check(key, WA_SV("a known messagE"), signature, &err),
                   WA_E_REFUSED);
    WA_ASSERT_CODE(wa_signature_check(key, WA_SV(""), signature, &err), WA_E_REFUSED);
    WA_ASSERT_CODE(wa_signature_check(key, message, (struct wa_sv){NULL, 0}, &err), WA_E_REFUSED);
    assert_queue_empty("refusing");
}

static void ours_and_all_that_differ(void **state)
{
    WA_UNUSED(state);
    static const char *const keys[] = {"keys/rsa2048-pkcs8.pem", "keys/p256-pkcs8.pem"};

    for (size_t i = 0; i < WA_COUNT(keys); i++) {
        WA_AUTO(wa_key) struct wa_key *key = key_of(keys[i]), *other = new_p256();
        WA_AUTO_BUF struct wa_buf sig, empty_sig;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&sig, 1000);
        wa_buf_init(&empty_sig, 1000);
        WA_ASSERT_OK(wa_sign(key, message, &sig, &err));
        WA_ASSERT_OK(wa_signature_check(key, message, wa_buf_sv(&sig), &err));
        WA_ASSERT_CODE(wa_signature_check(other, message, wa_buf_sv(&sig), &err), WA_E_REFUSED);
        try_changes(key, wa_buf_sv(&sig));
        WA_ASSERT_OK(wa_sign(key, (struct wa_sv){NULL, 0}, &empty_sig, &err));
        WA_ASSERT_OK(wa_signature_check(key, WA_SV(""), wa_buf_sv(&empty_sig), &err));
        assert_queue_empty(keys[i]);
    }
}

/* An ECDSA signature in BER instead of DER is another text of the same numbers. */
static void one_form_of_ecdsa(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_key) struct wa_key *key = key_of("keys/p256-pkcs8.pem");
    WA_AUTO_BUF struct wa_buf sig, ber;
    struct wa_err err = WA_ERR_INIT;

    read_trust_file("keys/signatures/known-p256.sig", &sig);
    wa_buf_init(&ber, 1000);
    wa_buf_add(&ber, "\x30\x81", 2); /* a length below 128 in the long form */
    wa_buf_add(&ber, sig.p + 1, sig.n - 1);
    WA_ASSERT_CODE(wa_signature_check(key, message, wa_buf_sv(&ber), &err), WA_E_REFUSED);
}

static void who_may_sign(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_key)
    struct wa_key *p384 = key_of("keys/p384.pem"), *half = key_of("keys/rsa2048-public.pem");
    WA_AUTO_BUF struct wa_buf sig, small;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&sig, 1000);
    wa_buf_init(&small, 10);

    WA_ASSERT_CODE(wa_sign(p384, message, &sig, &err), WA_E_REFUSED);
    WA_ASSERT_CODE(wa_sign(half, message, &sig, &err), WA_E_INTERNAL);
    assert_int_equal(sig.n, 0);
    WA_AUTO(wa_key) struct wa_key *key = new_p256();
    WA_ASSERT_CODE(wa_sign(key, message, &small, &err), WA_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_another_program),
        cmocka_unit_test(over_sha1),
        cmocka_unit_test(ours_and_all_that_differ),
        cmocka_unit_test(one_form_of_ecdsa),
        cmocka_unit_test(who_may_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
