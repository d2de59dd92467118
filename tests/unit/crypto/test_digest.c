/* digests: published values, many messages by one digest, sources and sinks that fail. */
#include "support.h"

#include "codec/hex.h"
#include "crypto/digest.h"

static const struct {
    enum wa_digest_kind kind;
    const char *message, *hex;
} published[] = {
    {WA_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {WA_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {WA_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {WA_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {WA_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
};

static void published_values(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;

    for (size_t i = 0; i < WA_COUNT(published); i++) {
        WA_AUTO(wa_digest) struct wa_digest *d = NULL;
        struct wa_mem_source source;
        const char *m = published[i].message;
        char hex[WA_DIGEST_HEX_MAX];
        WA_ASSERT_OK(wa_digest_new(published[i].kind, &d, &err));
        for (int round = 0; round < 3; round++) { /* one digest, one message after the other */
            for (size_t k = 0; k < strlen(m); k++)
                WA_ASSERT_OK(wa_digest_add(d, m + k, 1, &err));
            WA_ASSERT_OK(wa_digest_hex(d, hex, &err));
            assert_string_equal(hex, published[i].hex);
        }
        wa_mem_source_init(&source, m, strlen(m));
        WA_ASSERT_OK(wa_digest_source(published[i].kind, &source.base, hex, &err));
        assert_string_equal(hex, published[i].hex);
        if (published[i].kind != WA_SHA256)
            continue;
        WA_ASSERT_OK(wa_sha256_hex(m, strlen(m), hex, &err));
        assert_string_equal(hex, published[i].hex);
    }
    assert_queue_empty("digesting");
}

static void nothing_is_a_message_too(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;
    char hex[WA_SHA256_HEX];

    WA_ASSERT_OK(wa_sha256_hex(NULL, 0, hex, &err));
    assert_string_equal(hex, published[0].hex);
}

/* RFC 4231, cases 1, 2, 6 (a key longer than a block), and an empty key and message. */
static void hmac_of_the_rfc(void **state)
{
    WA_UNUSED(state);
    static char long_key[131];
    static char b[20];
    struct wa_err err = WA_ERR_INIT;
    memset(long_key, 0xaa, sizeof long_key);
    memset(b, 0x0b, sizeof b);
    const struct {
        struct wa_sv key, message;
        const char *hex;
    } cases[] = {
        {wa_sv_n(b, sizeof b), WA_SV("Hi There"),
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {WA_SV("Jefe"), WA_SV("what do ya want for nothing?"),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {wa_sv_n(long_key, sizeof long_key),
         WA_SV("Test Using Larger Than Block-Size Key - Hash Key First"),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {{NULL, 0}, {NULL, 0}, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        uint8_t mac[WA_SHA256_SIZE];
        char hex[WA_SHA256_HEX];
        WA_ASSERT_OK(wa_hmac_sha256(cases[i].key, cases[i].message, mac, &err));
        wa_hex_encode(mac, sizeof mac, hex);
        assert_string_equal(hex, cases[i].hex);
    }
}

static void sources_are_read_whole_or_fail(void **state)
{
    WA_UNUSED(state);
    enum { SIZE = 200000 };
    WA_AUTO_STR char *bytes = wa_calloc(SIZE, 1);
    struct wa_failing_source source;
    struct wa_err err = WA_ERR_INIT;
    char whole[WA_DIGEST_HEX_MAX], hex[WA_DIGEST_HEX_MAX] = "untouched";

    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    WA_ASSERT_OK(wa_sha256_hex(bytes, SIZE, whole, &err));
    wa_failing_source_init(&source, bytes, SIZE, SIZE);
    WA_ASSERT_OK(wa_digest_source(WA_SHA256, &source.base, hex, &err));
    assert_string_equal(hex, whole);
    (void)snprintf(hex, sizeof hex, "untouched");
    wa_failing_source_init(&source, bytes, SIZE, SIZE - 1);
    WA_ASSERT_CODE(wa_digest_source(WA_SHA256, &source.base, hex, &err), WA_E_IO);
    assert_string_equal(hex, "untouched");
}

static void sinks_hand_on_what_they_digest(void **state)
{
    WA_UNUSED(state);
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    WA_AUTO_BUF struct wa_buf seen;
    struct wa_digest_sink sink;
    struct wa_buf_sink next;
    struct wa_failing_sink failing;
    struct wa_err err = WA_ERR_INIT;
    char hex[WA_DIGEST_HEX_MAX];

    wa_buf_init(&seen, 100);
    wa_buf_sink_init(&next, &seen);
    WA_ASSERT_OK(wa_digest_new(WA_SHA256, &d, &err));
    wa_digest_sink_init(&sink, d, &next.base);
    WA_ASSERT_OK(sink.base.write(&sink.base, "a", 1, &err));
    WA_ASSERT_OK(sink.base.write(&sink.base, "bc", 2, &err));
    WA_ASSERT_OK(wa_digest_hex(d, hex, &err));
    assert_string_equal(hex, published[1].hex);
    assert_int_equal(sink.bytes, 3);
    assert_string_equal(wa_buf_str(&seen), "abc");

    wa_digest_sink_init(&sink, d, NULL);
    WA_ASSERT_OK(sink.base.write(&sink.base, "abc", 3, &err));
    WA_ASSERT_OK(wa_digest_hex(d, hex, &err));
    assert_string_equal(hex, published[1].hex);

    wa_failing_sink_init(&failing, 2);
    wa_digest_sink_init(&sink, d, &failing.base);
    WA_ASSERT_CODE(sink.base.write(&sink.base, "abc", 3, &err), WA_E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values),
        cmocka_unit_test(nothing_is_a_message_too),
        cmocka_unit_test(hmac_of_the_rfc),
        cmocka_unit_test(sources_are_read_whole_or_fail),
        cmocka_unit_test(sinks_hand_on_what_they_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
