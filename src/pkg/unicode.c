/* unicode.c - character properties as Python 2.7 sees them (formats.md 1.2, 1.4). */
#include "pkg/unicode.h"

#include "base/utf8.h"

bool wa_unicode_isspace(uint32_t cp)
{
    return (cp >= 0x09 && cp <= 0x0d) || (cp >= 0x1c && cp <= 0x20) || cp == 0x85 || cp == 0xa0 ||
           cp == 0x1680 || cp == 0x180e || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 ||
           cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

bool wa_unicode_is_line_end(uint32_t cp)
{
    return (cp >= 0x0a && cp <= 0x0d) || (cp >= 0x1c && cp <= 0x1e) || cp == 0x85 || cp == 0x2028 ||
           cp == 0x2029;
}

bool wa_unicode_isalnum(uint32_t cp)
{
    if (cp < 0x80)
        return (cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z');
    if (cp < 0xc0)
        return cp == 0xaa || cp == 0xb2 || cp == 0xb3 || cp == 0xb5 || cp == 0xb9 || cp == 0xba ||
               (cp >= 0xbc && cp <= 0xbe);
    if (cp == 0xd7 || cp == 0xf7)
        return false;
    /* Combining marks, general punctuation to symbols, CJK punctuation, private use, specials. */
    if ((cp >= 0x300 && cp <= 0x36f) || (cp >= 0x2000 && cp <= 0x2bff) ||
        (cp >= 0x3000 && cp <= 0x3004) || (cp >= 0x3008 && cp <= 0x3020) ||
        (cp >= 0xd800 && cp <= 0xf8ff) || (cp >= 0xfe00 && cp <= 0xfe6f) || cp >= 0xfff0)
        return false;
    return !wa_unicode_isspace(cp);
}

/* The character that ends at byte n of s. */
static size_t last_start(struct wa_sv s)
{
    size_t at = s.n - 1;
    while (at > 0 && s.n - at < 4 && ((unsigned char)s.p[at] & 0xc0) == 0x80)
        at--;
    return at;
}

/* Visible ASCII, as nearly every end of a value is: nothing to decode. */
static bool is_plain(char c)
{
    return c > 0x20 && c < 0x7f;
}

struct wa_sv wa_unicode_strip(struct wa_sv s)
{
    uint32_t cp;
    while (s.n > 0 && !is_plain(s.p[0])) {
        size_t at = 0;
        if (s.p[0] == ' ') { /* padding */
            s = wa_sv_n(s.p + 1, s.n - 1);
            continue;
        }
        if (!wa_utf8_next(s, &at, &cp) || !wa_unicode_isspace(cp))
            break;
        s = wa_sv_n(s.p + at, s.n - at);
    }
    while (s.n > 0 && !is_plain(s.p[s.n - 1])) {
        if (s.p[s.n - 1] == ' ') {
            s.n--;
            continue;
        }
        size_t start = last_start(s), at = start;
        if (!wa_utf8_next(s, &at, &cp) || at != s.n || !wa_unicode_isspace(cp))
            break;
        s.n = start;
    }
    return s;
}

/* Bytes that begin no line end: all ASCII but 0x0a to 0x0d and 0x1c to 0x1e, and the bytes of
 * letters beyond; U+0085 begins with 0xc2, U+2028 and U+2029 with 0xe2. */
static bool ends_no_line(unsigned char b)
{
    return b > 0x1e && b != 0xc2 && b != 0xe2;
}

bool wa_unicode_next_line(struct wa_sv *rest, struct wa_sv *ret_line)
{
    if (rest->n == 0)
        return false;
    for (size_t from = 0; from < rest->n;) {
        size_t at = from;
        uint32_t cp = 0;
        if (ends_no_line((unsigned char)rest->p[from])) {
            from++;
            continue;
        }
        (void)wa_utf8_step(*rest, &at, &cp);
        if (!wa_unicode_is_line_end(cp)) {
            from = at;
            continue;
        }
        *ret_line = wa_sv_n(rest->p, from);
        if (cp == '\r' && at < rest->n && rest->p[at] == '\n')
            at++;
        *rest = wa_sv_n(rest->p + at, rest->n - at);
        return true;
    }
    *ret_line = *rest;
    *rest = wa_sv_n(NULL, 0);
    return true;
}
