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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(writes_lower_case),
                                       cmocka_unit_test(reads_either_case_and_exactly_n_bytes),
                                       cmocka_unit_test(knows_a_digest)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
