/* hostid.c - which texts may name a machine. Nothing that could be a path, a pattern or markup
 * passes. */
#include "proto/hostid.h"

#include "codec/hex.h"

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool wa_hostid_is_valid(struct wa_sv s)
{
    if (s.n == 0 || s.n > WA_UUID_MAX || s.p[0] == '.' || s.p[0] == '-')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_plain(s.p[i]))
            return false;
    return true;
}

enum wa_code wa_hostid_copy(struct wa_sv s, char *out, struct wa_err *err)
{
    if (!wa_hostid_is_valid(s))
        return wa_fail(err, WA_E_INVALID, "'%.*s' is not the uuid of a machine", WA_SV_ARG(s));
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return WA_OK;
}

bool wa_mac_parse(struct wa_sv s, uint8_t ret[WA_MAC_SIZE])
{
    uint8_t mac[WA_MAC_SIZE];
    unsigned any = 0;
    if (s.n != 3 * WA_MAC_SIZE - 1)
        return false;
    for (size_t i = 0; i < WA_MAC_SIZE; i++) {
        struct wa_sv pair = wa_sv_sub(s, 3 * i, 2);
        if ((i + 1 < WA_MAC_SIZE && s.p[3 * i + 2] != ':') || !wa_hex_is(pair, 2) ||
            !wa_hex_decode(pair, &mac[i], 1))
            return false;
        any |= mac[i];
    }
    if (any == 0 || (mac[0] & 1u) != 0)
        return false;
    memcpy(ret, mac, sizeof mac);
    return true;
}

void wa_mac_magic(const uint8_t mac[WA_MAC_SIZE], char ret[WA_MAGIC_SIZE])
{
    memset(ret, 0xff, WA_MAC_SIZE);
    for (size_t at = WA_MAC_SIZE; at < WA_MAGIC_SIZE; at += WA_MAC_SIZE)
        memcpy(ret + at, mac, WA_MAC_SIZE);
}
