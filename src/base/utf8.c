/* utf8.c - UTF-8 by the table of RFC 3629, section 4: no overlong forms, no surrogates, nothing
 * above U+10FFFF. What decodes here encodes back to the same bytes. */
#include "base/utf8.h"

/* Length of the sequence that begins with c and the range of its second byte; 0 when c begins none.
 */
static size_t sequence(unsigned char c, unsigned char *ret_low, unsigned char *ret_high)
{
    *ret_low = 0x80;
    *ret_high = 0xbf;
    if (c < 0x80)
        return 1;
    if (c >= 0xc2 && c <= 0xdf)
        return 2;
    if (c >= 0xe0 && c <= 0xef) {
        if (c == 0xe0)
            *ret_low = 0xa0;
        if (c == 0xed)
            *ret_high = 0x9f;
        return 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        if (c == 0xf0)
            *ret_low = 0x90;
        if (c == 0xf4)
            *ret_high = 0x8f;
        return 4;
    }
    return 0;
}

bool wa_utf8_next(struct wa_sv s, size_t *at, uint32_t *ret_cp)
{
    static const uint32_t first_mask[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    if (*at >= s.n)
        return false;
    const unsigned char *p = (const unsigned char *)s.p + *at;
    unsigned char low, high;
    size_t n = sequence(p[0], &low, &high);
    if (n == 0 || n > s.n - *at)
        return false;
    uint32_t cp = p[0] & first_mask[n];
    for (size_t i = 1; i < n; i++) {
        if (p[i] < (i == 1 ? low : 0x80) || p[i] > (i == 1 ? high : 0xbf))
            return false;
        cp = cp << 6 | (p[i] & 0x3fu);
    }
    *at += n;
    *ret_cp = cp;
    return true;
}

bool wa_utf8_step(struct wa_sv s, size_t *at, uint32_t *ret_cp)
{
    if (*at >= s.n)
        return false;
    if (!wa_utf8_next(s, at, ret_cp))
        *ret_cp = WA_UTF8_BAD + (unsigned char)s.p[(*at)++];
    return true;
}

/* Eight bytes at a time, since most texts are ASCII. */
static size_t skip_ascii(struct wa_sv s, size_t at)
{
    uint64_t eight;
    for (; s.n - at >= sizeof eight; at += sizeof eight) {
        memcpy(&eight, s.p + at, sizeof eight);
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    return at;
}

bool wa_utf8_valid(struct wa_sv s)
{
    size_t at = skip_ascii(s, 0);
    uint32_t cp;
    while (wa_utf8_next(s, &at, &cp))
        at = skip_ascii(s, at);
    return at == s.n;
}

bool wa_utf8_is_shown(uint32_t cp)
{
    if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp >= WA_UTF8_BAD)
        return false;
    return !(cp >= 0x200b && cp <= 0x200f) && !(cp >= 0x2028 && cp <= 0x202e) &&
           !(cp >= 0x2060 && cp <= 0x206f) && cp != 0x061c && cp != 0xfeff &&
           !(cp >= 0xe0000 && cp <= 0xe007f);
}

size_t wa_utf8_encode(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        if (cp >= 0xd800 && cp <= 0xdfff)
            return 0;
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    if (cp > 0x10ffff)
        return 0;
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}

size_t wa_utf8_cut(const char *s, size_t n)
{
    /* Back to the last byte that begins a sequence, at most three steps; drop it when it is
     * incomplete. */
    size_t start = n;
    for (size_t back = 1; back <= 4 && back <= n; back++) {
        unsigned char c = (unsigned char)s[n - back];
        if ((c & 0xc0) == 0x80)
            continue;
        unsigned char low, high;
        size_t need = sequence(c, &low, &high);
        if (need > back)
            start = n - back;
        break;
    }
    return start;
}
