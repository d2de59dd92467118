/* Digests as hex: exact lengths, lower case where it counts. */
#include "support.h"

#include "codec/hex.h"

static void writes_lower_case(void **state)
{
    WA_UNUSED(state);
    char out[9];

    wa_hex_encode("\x00\x7f\xab\xff", 4, out);
    assert_string_equal(out, "007fabff");
    wa_hex_encode("", 0, out);
    assert_string_equal(out, "");
}

static void reads_either_case_and_exactly_n_bytes(void **state)
{
    WA_UNUSED(state);
    static const struct {
        const char *text;
        size_t n;
        bool ok;
    } cases[] = {{"007fabFF", 4, true},  {"", 0, true},           {"007fab", 4, false},
                 {"007fabf", 4, false},  {"007fabff0", 4, false}, {"007fabff00", 4, false},
                 {"007fabfg", 4, false}, {"0x7fabff", 4, false},  {" 07fabff", 4, false}};

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        uint8_t out[5] = {9, 9, 9, 9, 9};
        assert_int_equal(wa_hex_decode(wa_sv(cases[i].text), out, cases[i].n), cases[i].ok);
        assert_int_equal(out[4], 9);
        if (!cases[i].ok)
            assert_int_equal(out[0], 9);
        else if (cases[i].n == 4)
            assert_memory_equal(out, "\x00\x7f\xab\xff", 4);
    }
}

static void knows_a_digest(void **state)
{
    WA_UNUSED(state);

    assert_true(wa_hex_is(WA_SV("0123456789abcdef"), 16));
    assert_false(wa_hex_is(WA_SV("0123456789abcdeF"), 16));
    assert_false(wa_hex_is(WA_SV("0123456789abcde"), 16));
    assert_false(wa_hex_is(WA_SV("0123456789abcdeg"), 16));
}

static void reads_a_fingerprint_as_people_copy_it(void **state)
{
    WA_UNUSED(state);
    static const char plain[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {plain, true},
        {"00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF", true},
        {"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
         "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF",
         true},
        {"00112233 44556677 8899aabb ccddeeff 00112233 44556677 8899aabb ccddeeff", true},
        {"", false},
        {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeef", false},
        {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0", false},
        {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeefg", false},
        {"00-11", false},
    };
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        char out[65] = "as it was";
        assert_int_equal(wa_hex_fingerprint(wa_sv(cases[i].text), out), cases[i].ok);
        assert_string_equal(out, cases[i].ok ? plain : "as it was");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(writes_lower_case),
                                       cmocka_unit_test(reads_either_case_and_exactly_n_bytes),
                                       cmocka_unit_test(knows_a_digest),
                                       cmocka_unit_test(reads_a_fingerprint_as_people_copy_it)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
