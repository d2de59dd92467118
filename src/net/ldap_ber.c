/* ldap_ber.c - the encoding of LDAP's messages: elements of a tag, a length and a value.
 *
 * Only what RFC 4511 (5.1) allows: definite lengths and tags of one byte. No length is believed
 * before that many bytes are there. What we write has lengths of four bytes always, which is
 * allowed, so that an element can be closed without being moved.
 */
#include "net/ldap_priv.h"

#define HEAD 6u /* bytes: of what wa_ber_begin() writes */

/* *ret_head 0: more bytes are needed to say. */
static bool read_head(struct wa_sv s, size_t *ret_head, size_t *ret_value)
{
    const unsigned char *p = (const unsigned char *)s.p;
    *ret_head = *ret_value = 0;
    if (s.n > 0 && (p[0] & 0x1fu) == 0x1fu)
        return false; /* a tag of several bytes */
    if (s.n < 2)
        return true;
    if (p[1] < 0x80) {
        *ret_head = 2;
        *ret_value = p[1];
        return true;
    }
    size_t count = p[1] & 0x7fu, value = 0;
    if (count == 0 || count > 4)
        return false;
    if (s.n < 2 + count)
        return true;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | p[2 + i];
    *ret_head = 2 + count;
    *ret_value = value;
    return true;
}

bool wa_ber_length(struct wa_sv begun, size_t *ret)
{
    size_t head, value;
    if (!read_head(begun, &head, &value) || value > SIZE_MAX - head)
        return false;
    *ret = head == 0 ? 0 : head + value;
    return true;
}

bool wa_ber_take(struct wa_sv *rest, unsigned *ret_tag, struct wa_sv *ret_value)
{
    size_t head, value;
    if (!read_head(*rest, &head, &value) || head == 0 || value > rest->n - head)
        return false;
    *ret_tag = (unsigned char)rest->p[0];
    *ret_value = wa_sv_sub(*rest, head, value);
    *rest = wa_sv_sub(*rest, head + value, rest->n);
    return true;
}

bool wa_ber_take_as(struct wa_sv *rest, unsigned tag, struct wa_sv *ret_value)
{
    struct wa_sv after = *rest, value;
    unsigned found;
    if (!wa_ber_take(&after, &found, &value) || found != tag)
        return false;
    *rest = after;
    *ret_value = value;
    return true;
}

bool wa_ber_i32(struct wa_sv value, int32_t *ret)
{
    if (value.n == 0 || value.n > 4)
        return false;
    uint32_t v = (value.p[0] & 0x80) != 0 ? UINT32_MAX : 0;
    for (size_t i = 0; i < value.n; i++)
        v = v << 8 | (unsigned char)value.p[i];
    *ret = (int32_t)v;
    return true;
}

size_t wa_ber_begin(struct wa_buf *b, unsigned tag)
{
    const char head[HEAD] = {(char)tag, (char)0x84, 0, 0, 0, 0};
    wa_buf_add(b, head, sizeof head);
    return b->n;
}

void wa_ber_end(struct wa_buf *b, size_t begun)
{
    if (b->failed != WA_OK)
        return;
    size_t n = b->n - begun;
    for (size_t i = 0; i < 4; i++)
        b->p[begun - 1 - i] = (char)(n >> (8 * i) & 0xff);
}

void wa_ber_octets(struct wa_buf *b, unsigned tag, struct wa_sv value)
{
    size_t at = wa_ber_begin(b, tag);
    wa_buf_addsv(b, value);
    wa_ber_end(b, at);
}

void wa_ber_int(struct wa_buf *b, unsigned tag, int32_t value)
{
    uint32_t v = (uint32_t)value;
    const char bytes[] = {(char)(v >> 24), (char)(v >> 16 & 0xff), (char)(v >> 8 & 0xff),
                          (char)(v & 0xff)};
    size_t skip = 0; /* X.690, 8.3.2: the first nine bits are not all the same */
    while (skip < 3 && (uint32_t)(value >> (8 * (3 - skip) - 1)) == (value < 0 ? UINT32_MAX : 0))
        skip++;
    wa_ber_octets(b, tag, wa_sv_n(bytes + skip, sizeof bytes - skip));
}
