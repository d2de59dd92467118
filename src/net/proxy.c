/* proxy.c - headers of the PROXY protocol, read strictly: version 2, TCP over IPv4 or IPv6, and
 * what may follow the addresses well formed and passed over.
 */
#include "net/proxy.h"

#define FIXED 16u /* bytes before the addresses */

static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                      0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

static size_t two(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

enum wa_code wa_proxy_missing(const void *p, size_t n, size_t *ret_missing, struct wa_err *err)
{
    const uint8_t *b = p;
    if (n > 0 && memcmp(b, signature, n < sizeof signature ? n : sizeof signature) != 0)
        return wa_fail(err, WA_E_INVALID, "the proxy does not speak the PROXY protocol, version 2");
    if (n < FIXED) {
        *ret_missing = FIXED - n;
        return WA_OK;
    }
    size_t whole = FIXED + two(b + 14);
    if (whole > WA_PROXY_BYTES_MAX || n > whole)
        return wa_fail(err, WA_E_INVALID, "a PROXY header of more than %u bytes",
                       WA_PROXY_BYTES_MAX);
    *ret_missing = whole - n;
    return WA_OK;
}

/* Type, length of two bytes, value, until the end. */
static bool is_well_formed(const uint8_t *p, size_t n)
{
    while (n >= 3) {
        size_t length = two(p + 1);
        if (length > n - 3)
            return false;
        p += 3 + length;
        n -= 3 + length;
    }
    return n == 0;
}

enum wa_code wa_proxy_read(const void *p, size_t n, char peer[WA_ADDRESS_TEXT_MAX],
                           struct wa_err *err)
{
    const uint8_t *b = p;
    size_t missing = 1;
    if (wa_proxy_missing(p, n, &missing, err) != WA_OK)
        return err->code;
    if (missing > 0)
        return wa_fail(err, WA_E_INVALID, "a PROXY header that is cut");
    bool is_local = b[12] == 0x20, is_unknown = b[13] == 0x00;
    size_t address = b[13] == 0x11 ? 4 : b[13] == 0x21 ? 16 : 0;
    size_t addresses = address > 0 ? 2 * address + 4 : 0; /* both, and both ports */
    if ((b[12] != 0x21 && !is_local) || (address == 0 && !is_unknown) || n - FIXED < addresses)
        return wa_fail(err, WA_E_INVALID, "a PROXY header of another kind than TCP");
    if (!is_unknown && !is_well_formed(b + FIXED + addresses, n - FIXED - addresses))
        return wa_fail(err, WA_E_INVALID, "a PROXY header that is malformed");
    if (!is_local && address > 0)
        wa_socket_address_text(b + FIXED, address, peer);
    return WA_OK;
}
