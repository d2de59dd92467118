/* What a proxy says in front of a connection: which is taken, how much of it is read, and what is
 * none. Each header is also cut at every byte. */
#include "support.h"

#include "net/proxy.h"

#define SIGNATURE "\x0d\x0a\x0d\x0a\x00\x0d\x0aQUIT\x0a"
#define V4 "\x0a\x01\x02\x03\x7f\x00\x00\x01\xd4\x31\x01\xbb"
#define V6                                                                                         \
    "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05"                             \
    "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x06\xd4\x31\x01\xbb"

static const struct {
    const char *name, *bytes;
    size_t n;
    const char *peer; /* NULL: refused */
} cases[] = {
#define CASE(name, bytes, peer)                                                                    \
    {                                                                                              \
        name, bytes, sizeof(bytes) - 1, peer                                                       \
    }
    CASE("IPv4", SIGNATURE "\x21\x11\x00\x0c" V4, "10.1.2.3"),
    CASE("IPv6", SIGNATURE "\x21\x21\x00\x24" V6, "2001:db8::5"),
    CASE("and more behind it",
         SIGNATURE "\x21\x11\x00\x12" V4 "\x04\x00\x03"
                   "abc",
         "10.1.2.3"),
    CASE("a health check", SIGNATURE "\x20\x00\x00\x00", "proxy"),
    CASE("a health check with addresses", SIGNATURE "\x20\x11\x00\x0c" V4, "proxy"),
    CASE("an unknown client", SIGNATURE "\x21\x00\x00\x02zz", "proxy"),
    CASE("version 1", "PROXY TCP4 10.1.2.3 10.1.2.4 1 2\r\n", NULL),
    CASE("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03zzzzzzzzzz", NULL),
    CASE("another version", SIGNATURE "\x31\x11\x00\x0c" V4, NULL),
    CASE("another command", SIGNATURE "\x22\x11\x00\x0c" V4, NULL),
    CASE("UDP", SIGNATURE "\x21\x12\x00\x0c" V4, NULL),
    CASE("a local socket", SIGNATURE "\x21\x31\x00\x0c" V4, NULL),
    CASE("addresses that are short",
         SIGNATURE "\x21\x11\x00\x0b\x0a\x01\x02\x03\x7f\x00\x00\x01\xd4\x31\x01", NULL),
    CASE("IPv6 that is short", SIGNATURE "\x21\x21\x00\x0c" V4, NULL),
    CASE("more that is cut", SIGNATURE "\x21\x11\x00\x0f" V4 "\x04\x00\x03", NULL),
    CASE("more without a length", SIGNATURE "\x21\x11\x00\x0e" V4 "\x04\x00", NULL),
    CASE("too long", SIGNATURE "\x21\x11\x04\x00" V4, NULL),
};

static void reads(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_err err = WA_ERR_INIT;
        char peer[WA_ADDRESS_TEXT_MAX] = "proxy";
        enum wa_code code = wa_proxy_read(cases[i].bytes, cases[i].n, peer, &err);
        if ((code == WA_OK) != (cases[i].peer != NULL))
            fail_msg("%s: %s", cases[i].name, err.text);
        assert_string_equal(peer, cases[i].peer != NULL ? cases[i].peer : "proxy");
    }
}

/* Byte by byte: never is more asked for than the header has. */
static void asks_for_no_more(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        for (size_t n = 0; cases[i].peer != NULL && n <= cases[i].n; n++) {
            struct wa_err err = WA_ERR_INIT;
            char peer[WA_ADDRESS_TEXT_MAX];
            size_t missing = 99;
            assert_int_equal(wa_proxy_missing(cases[i].bytes, n, &missing, &err), WA_OK);
            assert_true(n + missing <= cases[i].n && (missing == 0) == (n == cases[i].n));
            if (n < cases[i].n)
                assert_int_equal(wa_proxy_read(cases[i].bytes, n, peer, &err), WA_E_INVALID);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads), cmocka_unit_test(asks_for_no_more)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
