/* base64.c - RFC 4648 base64 and base64url.
 *
 * One text for one value: padding must be exact and the bits left over in the last digit zero, so
 * that a signature can't be written in two ways. Whoever reads base64 of secrets wipes the buffer
 * itself.
 */
#include "codec/base64.h"

#include "base/mem.h"
#include "base/text.h"

static const char std_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Digits of 1 to 3 bytes into out; returns their count, 2 to 4. */
static size_t encode_group(const uint8_t *p, size_t n, const char *digits, char out[4])
{
    uint32_t v = (uint32_t)p[0] << 16;

    if (n > 1)
        v |= (uint32_t)p[1] << 8;
    if (n > 2)
        v |= (uint32_t)p[2];
    for (size_t i = 0; i < 4; i++)
        out[i] = digits[v >> (18 - 6 * i) & 63];
    return n + 1;
}

static void encode(const uint8_t *p, size_t n, const char *digits, bool padded, size_t line,
                   struct wa_buf *out)
{
    size_t column = 0;

    for (size_t i = 0; i < n; i += 3) {
        char group[4];
        size_t k = encode_group(p + i, n - i > 3 ? 3 : n - i, digits, group);
        while (padded && k < 4)
            group[k++] = '=';
        wa_buf_add(out, group, k);
        column += 4;
        if (line > 0 && (column == line || n - i <= 3)) {
            wa_buf_addc(out, '\n');
            column = 0;
        }
    }
}

void wa_base64_encode(const void *p, size_t n, struct wa_buf *out)
{
    encode(p, n, std_digits, true, 0, out);
}

void wa_base64_encode_mime(const void *p, size_t n, struct wa_buf *out)
{
    encode(p, n, std_digits, true, 76, out);
}

void wa_base64url_encode(const void *p, size_t n, struct wa_buf *out)
{
    encode(p, n, url_digits, false, 0, out);
}

static int digit_value(char c, bool is_url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (is_url ? '-' : '+'))
        return 62;
    if (c == (is_url ? '_' : '/'))
        return 63;
    return -1;
}

static bool is_skipped(char c)
{
    return c == '\r' || c == '\n' || c == '\t' || c == ' ';
}

/* The bytes of the last, short group of count digits held in v; false when it can't be one. */
static bool decode_tail(uint32_t v, size_t count, struct wa_buf *out)
{
    if (count == 0)
        return true;
    if (count == 2 && (v & 15) == 0) {
        wa_buf_addc(out, (char)(v >> 4 & 255));
        return true;
    }
    if (count == 3 && (v & 3) == 0) {
        wa_buf_addc(out, (char)(v >> 10 & 255));
        wa_buf_addc(out, (char)(v >> 2 & 255));
        return true;
    }
    return false;
}

/* NULL, or what is wrong. */
static const char *decode(struct wa_sv text, bool is_url, struct wa_buf *out)
{
    uint32_t v = 0;
    size_t count = 0, padding = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!is_url && is_skipped(c))
            continue;
        if (!is_url && c == '=') {
            padding++;
            continue;
        }
        int digit = digit_value(c, is_url);
        if (digit < 0)
            return wa_text("a character that is not base64");
        if (padding > 0)
            return wa_text("text after the padding");
        v = v << 6 | (uint32_t)digit;
        if (++count < 4)
            continue;
        const char bytes[3] = {(char)(v >> 16 & 255), (char)(v >> 8 & 255), (char)(v & 255)};
        wa_buf_add(out, bytes, sizeof(bytes));
        v = 0;
        count = 0;
    }
    if (!is_url && padding != (count == 0 ? 0 : 4 - count))
        return wa_text("wrong padding");
    return decode_tail(v, count, out) ? NULL : wa_text("an impossible end");
}

static enum wa_code decode_or_undo(struct wa_sv text, bool is_url, struct wa_buf *out,
                                   struct wa_err *err)
{
    size_t start = out->n;
    const char *wrong = decode(text, is_url, out);

    if (!wrong && wa_buf_check(out, err) == WA_OK)
        return WA_OK;
    /* What was appended may be half a secret. */
    if (out->p && out->n > start) {
        wa_wipe(out->p + start, out->n - start);
        out->n = start;
        out->p[start] = '\0';
    }
    if (wrong)
        return wa_fail(err, WA_E_INVALID, "cannot read base64: %s", wrong);
    return err->code;
}

enum wa_code wa_base64_decode(struct wa_sv text, struct wa_buf *out, struct wa_err *err)
{
    return decode_or_undo(text, false, out, err);
}

enum wa_code wa_base64url_decode(struct wa_sv text, struct wa_buf *out, struct wa_err *err)
{
    return decode_or_undo(text, true, out, err);
}

void wa_base32_encode(const void *p, size_t n, struct wa_buf *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const uint8_t *bytes = p;
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < n; i++) {
        bits = (bits << 8 | bytes[i]) & 0xfff;
        for (count += 8; count >= 5; count -= 5)
            wa_buf_addc(out, alphabet[bits >> (count - 5) & 0x1f]);
    }
    if (count > 0)
        wa_buf_addc(out, alphabet[bits << (5 - count) & 0x1f]);
}
