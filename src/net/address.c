/* address.c - addresses as 16 bytes, and the networks that are nobody's business from outside. */
#include "net/address.h"

#include <string.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool parse_v4(struct wa_sv text, uint8_t out[4])
{
    struct wa_sv part;
    size_t n = 0;
    while (wa_sv_split(&text, '.', &part)) {
        uint64_t v = 0;
        if (n == 4 || part.n == 0 || part.n > 3 || (part.n > 1 && part.p[0] == '0') ||
            !wa_sv_u64(part, &v) || v > 255)
            return false;
        out[n++] = (uint8_t)v;
    }
    return n == 4;
}

static int hex_of(char c)
{
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

static bool parse_group(struct wa_sv text, uint8_t out[2])
{
    unsigned v = 0;
    if (text.n == 0 || text.n > 4)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (hex_of(text.p[i]) < 0)
            return false;
        v = v << 4 | (unsigned)hex_of(text.p[i]);
    }
    out[0] = (uint8_t)(v >> 8);
    out[1] = (uint8_t)v;
    return true;
}

/* Groups between ':', the last perhaps IPv4; "" has none. */
static bool parse_groups(struct wa_sv text, uint8_t out[16], size_t *ret_n)
{
    struct wa_sv part;
    size_t n = 0;
    while (text.n > 0 && wa_sv_split(&text, ':', &part)) {
        bool is_last = text.p == NULL;
        if (is_last && n <= 12 && parse_v4(part, out + n)) {
            n += 4;
        } else {
            if (n > 14 || !parse_group(part, out + n))
                return false;
            n += 2;
        }
        if (!is_last && text.n == 0)
            return false; /* ends in ':' */
    }
    *ret_n = n;
    return true;
}

bool wa_address_parse(struct wa_sv text, uint8_t ret[16])
{
    uint8_t left[16] = {0}, right[16] = {0};
    size_t at = 0, n = 0, m = 0;
    memcpy(ret, mapped, sizeof mapped);
    if (parse_v4(text, ret + 12))
        return true;
    while (at + 1 < text.n && (text.p[at] != ':' || text.p[at + 1] != ':'))
        at++;
    bool is_short = at + 1 < text.n;
    if (!parse_groups(is_short ? wa_sv_sub(text, 0, at) : text, left, &n) ||
        (is_short && !parse_groups(wa_sv_sub(text, at + 2, text.n), right, &m)) ||
        (is_short ? n + m > 14 : n != 16))
        return false;
    memset(ret, 0, 16);
    memcpy(ret, left, n);
    memcpy(ret + 16 - m, right, m);
    return true;
}

/* --- networks --- */

static bool has_prefix(const uint8_t a[16], const uint8_t b[16], unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) & (0xff << (8 - rest)) & 0xff) == 0;
}

static bool read_network(struct wa_sv text, uint8_t ret[16], unsigned *ret_bits)
{
    struct wa_sv rest = text, address;
    uint64_t bits = 0;
    (void)wa_sv_split(&rest, '/', &address);
    if (!wa_address_parse(address, ret))
        return false;
    bool is_v4 =
        memcmp(ret, mapped, sizeof mapped) == 0 && memchr(address.p, ':', address.n) == NULL;
    *ret_bits = 128;
    if (rest.p == NULL)
        return true;
    if (!wa_sv_u64(rest, &bits) || bits > (is_v4 ? 32u : 128u))
        return false;
    *ret_bits = (unsigned)bits + (is_v4 ? 96u : 0u);
    return true;
}

bool wa_address_is_in(const uint8_t a[16], struct wa_sv networks)
{
    struct wa_sv one;
    while (networks.n > 0 && wa_sv_split(&networks, ',', &one)) {
        uint8_t net[16];
        unsigned bits = 0;
        if (read_network(wa_sv_trim(one), net, &bits) && has_prefix(a, net, bits))
            return true;
    }
    return false;
}

bool wa_network_v4_parse(struct wa_sv text, uint8_t ret[4], unsigned *ret_bits)
{
    uint8_t net[16];
    unsigned bits = 0;
    if (text.n == 0 || memchr(text.p, ':', text.n) != NULL || !read_network(text, net, &bits))
        return false;
    memcpy(ret, net + 12, 4);
    *ret_bits = bits - 96u;
    return true;
}

enum wa_code wa_networks_check(struct wa_sv networks, struct wa_err *err)
{
    struct wa_sv one;
    while (networks.n > 0 && wa_sv_split(&networks, ',', &one)) {
        uint8_t net[16];
        unsigned bits = 0;
        if (!read_network(wa_sv_trim(one), net, &bits))
            return wa_fail(err, WA_E_USAGE, "'%.*s' is no network like 10.0.0.0/8", WA_SV_ARG(one));
    }
    return WA_OK;
}

bool wa_address_is_loopback(const uint8_t a[16])
{
    return wa_address_is_in(a, WA_SV("127.0.0.0/8,::1"));
}

static bool is_public_v4(const uint8_t v4[4])
{
    uint8_t a[16];
    memcpy(a, mapped, sizeof mapped);
    memcpy(a + 12, v4, 4);
    return !wa_address_is_in(
        a, WA_SV("0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,169.254.0.0/16,172.16.0.0/12,"
                 "192.0.0.0/24,192.0.2.0/24,192.88.99.0/24,192.168.0.0/16,198.18.0.0/15,"
                 "198.51.100.0/24,203.0.113.0/24,224.0.0.0/4,240.0.0.0/4"));
}

bool wa_address_is_public(const uint8_t a[16])
{
    if (memcmp(a, mapped, sizeof mapped) == 0)
        return is_public_v4(a + 12);
    if (wa_address_is_in(a, WA_SV("64:ff9b::/96"))) /* through a translator */
        return is_public_v4(a + 12);
    if (wa_address_is_in(a, WA_SV("2002::/16"))) /* 6to4 */
        return is_public_v4(a + 2);
    return wa_address_is_in(a, WA_SV("2000::/3")) &&
           !wa_address_is_in(a, WA_SV("2001::/23,2001:db8::/32,3fff::/20"));
}
