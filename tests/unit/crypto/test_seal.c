/* Secrets at rest open with their key for their owner only; one-time passwords are RFC 6238's. */
#include "testlib.h"

#include "crypto/seal.h"
#include "crypto/totp.h"
#include "torture.h"

static const uint8_t key[WA_SEAL_KEY] = {1, 2, 3}, other[WA_SEAL_KEY] = {1, 2, 4};

static void test_seal(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf sealed;
    WA_AUTO_BUF struct wa_buf again;
    WA_AUTO_BUF struct wa_buf out;
    WA_UNUSED(state);
    wa_buf_init(&sealed, WA_SEALED_MAX);
    wa_buf_init(&again, WA_SEALED_MAX);
    wa_buf_init(&out, 512);
    WA_ASSERT_OK(wa_seal(key, WA_SV("anna"), WA_SV("secret"), &sealed, &err));
    WA_ASSERT_OK(wa_seal(key, WA_SV("anna"), WA_SV("secret"), &again, &err));
    assert_string_not_equal(wa_buf_str(&sealed), wa_buf_str(&again));
    WA_ASSERT_OK(wa_unseal(key, WA_SV("anna"), wa_buf_sv(&sealed), &out, &err));
    assert_string_equal(wa_buf_str(&out), "secret");
    WA_ASSERT_CODE(wa_unseal(other, WA_SV("anna"), wa_buf_sv(&sealed), &out, &err), WA_E_REFUSED);
    WA_ASSERT_CODE(wa_unseal(key, WA_SV("otto"), wa_buf_sv(&sealed), &out, &err), WA_E_REFUSED);
    for (size_t i = 0; i < sealed.n; i++) { /* each character counts */
        char was = sealed.p[i];
        sealed.p[i] = was == 'A' ? 'Q' : 'A';
        WA_ASSERT_CODE(wa_unseal(key, WA_SV("anna"), wa_buf_sv(&sealed), &out, &err), WA_E_REFUSED);
        WA_ASSERT_CODE(
            wa_unseal(key, WA_SV("anna"), wa_sv_sub(wa_buf_sv(&sealed), 0, i), &out, &err),
            WA_E_REFUSED);
        sealed.p[i] = was;
    }
    assert_string_equal(wa_buf_str(&out), "secret"); /* nothing was added by what was refused */
}

static void test_totp(void **state)
{
    const struct wa_sv secret = WA_SV("12345678901234567890");
    static const struct {
        int64_t at;
        const char *code;
    } cases[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
                 {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_err err = WA_ERR_INIT;
        char code[WA_TOTP_DIGITS + 1];
        int64_t step = cases[i].at / WA_TOTP_STEP_S, found = 0;
        WA_ASSERT_OK(wa_totp_code(secret, step, code, &err));
        assert_string_equal(code, cases[i].code);
        for (int64_t off = -3; off <= 3; off++) {
            WA_ASSERT_OK(
                wa_totp_check(secret, wa_sv(code), (step + off) * WA_TOTP_STEP_S, 0, &found, &err));
            assert_int_equal(found, off >= -1 && off <= 1 ? step : 0);
        }
        /* Once: neither the same nor an older one again. */
        WA_ASSERT_OK(wa_totp_check(secret, wa_sv(code), cases[i].at, step, &found, &err));
        assert_int_equal(found, 0);
        WA_ASSERT_OK(wa_totp_check(secret, wa_sv(code), cases[i].at, step - 1, &found, &err));
        assert_int_equal(found, step);
        WA_ASSERT_OK(wa_totp_check(secret, WA_SV(""), cases[i].at, 0, &found, &err));
        assert_int_equal(found, 0);
        WA_ASSERT_OK(
            wa_totp_check(secret, wa_sv_sub(wa_sv(code), 0, 5), cases[i].at, 0, &found, &err));
        assert_int_equal(found, 0);
    }
}

static enum wa_code seals(void *arg, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf sealed;
    WA_AUTO_BUF_SECRET struct wa_buf out;
    WA_UNUSED(arg);
    wa_buf_init(&sealed, WA_SEALED_MAX);
    wa_buf_init(&out, 512);
    if (wa_seal(key, WA_SV("anna"), WA_SV("secret"), &sealed, err) == WA_OK &&
        wa_unseal(key, WA_SV("anna"), wa_buf_sv(&sealed), &out, err) == WA_OK)
        assert_string_equal(wa_buf_str(&out), "secret");
    return err->code;
}

static void test_torture(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(seals, NULL) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_seal), cmocka_unit_test(test_totp),
                                       cmocka_unit_test(test_torture)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
