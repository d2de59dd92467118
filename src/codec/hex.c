/* hex.c - bytes to lower-case hex digits and back.
 *
 * Reading is strict about length: a digest with a digit too many or too few is no digest. Does not
 * run in constant time: nothing secret is written as hex.
 */
#include "codec/hex.h"

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

void wa_hex_encode(const void *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = p;

    for (size_t i = 0; i < n; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

bool wa_hex_decode(struct wa_sv text, void *out, size_t n)
{
    uint8_t *bytes = out;

    if (text.n / 2 != n || text.n % 2 != 0)
        return false;
    /* Looked at whole before the first byte is written, so that a refusal changes nothing. */
    for (size_t i = 0; i < text.n; i++) {
        if (digit_value(text.p[i]) < 0)
            return false;
    }
    for (size_t i = 0; i < n; i++) {
        int high = digit_value(text.p[2 * i]), low = digit_value(text.p[2 * i + 1]);
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool wa_hex_is(struct wa_sv text, size_t count)
{
    if (text.n != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        char c = text.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

bool wa_hex_fingerprint(struct wa_sv text, char out[65])
{
    char digits[64];
    uint8_t bytes[32];
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ':' || text.p[i] == ' ')
            continue;
        if (n == sizeof digits)
            return false;
        digits[n++] = text.p[i];
    }
    if (!wa_hex_decode(wa_sv_n(digits, n), bytes, sizeof bytes))
        return false;
    wa_hex_encode(bytes, sizeof bytes, out);
    return true;
}
