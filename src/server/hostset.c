/* hostset.c - sets of machines as bits: a hundred thousand are 12 KiB. */
#include "server/hostset.h"

#include "base/mem.h"

void wa_hostset_fini(struct wa_hostset *s)
{
    wa_free(s->bits);
    *s = (struct wa_hostset){NULL, 0, 0};
}

static enum wa_code grow(struct wa_hostset *s, size_t number, struct wa_err *err)
{
    size_t room = s->room == 0 ? 1024 : s->room;
    while (room <= number)
        room *= 2;
    if (room == s->room)
        return WA_OK;
    uint8_t *bits = wa_calloc(room / 8, 1);
    if (bits == NULL)
        return wa_nomem(err);
    if (s->room > 0)
        memcpy(bits, s->bits, s->room / 8);
    wa_free(s->bits);
    s->bits = bits;
    s->room = room;
    return WA_OK;
}

bool wa_hostset_has(const struct wa_hostset *s, int64_t number)
{
    return number > 0 && (uint64_t)number < s->room &&
           (s->bits[number / 8] & (1u << (number % 8))) != 0;
}

enum wa_code wa_hostset_add(struct wa_hostset *s, int64_t number, struct wa_err *err)
{
    if (number < 1 || number > WA_HOSTSET_MAX)
        return wa_fail(err, WA_E_INVALID, "%lld is no machine's number", (long long)number);
    if (grow(s, (size_t)number, err) != WA_OK)
        return err->code;
    if (!wa_hostset_has(s, number))
        s->count++;
    s->bits[number / 8] = (uint8_t)(s->bits[number / 8] | (1u << (number % 8)));
    return WA_OK;
}

/* Leaves of it what the other one has, with its bits turned by the mask. */
static void cut(struct wa_hostset *s, const struct wa_hostset *other, unsigned mask)
{
    s->count = 0;
    for (size_t i = 0; i < s->room / 8; i++) {
        unsigned has = i < other->room / 8 ? other->bits[i] : 0u;
        s->bits[i] = (uint8_t)(s->bits[i] & (has ^ mask));
        for (unsigned b = s->bits[i]; b != 0; b &= b - 1)
            s->count++;
    }
}

void wa_hostset_cut(struct wa_hostset *s, const struct wa_hostset *other)
{
    cut(s, other, 0);
}

void wa_hostset_take_out(struct wa_hostset *s, const struct wa_hostset *other)
{
    cut(s, other, 0xff);
}

void wa_hostset_write(const struct wa_hostset *s, struct wa_buf *out)
{
    bool is_first = true;
    for (size_t i = 0; i < s->room; i++) {
        if (s->bits[i / 8] == 0) {
            i |= 7;
            continue;
        }
        if (!wa_hostset_has(s, (int64_t)i))
            continue;
        wa_buf_addf(out, is_first ? "%zu" : ",%zu", i);
        is_first = false;
    }
}

enum wa_code wa_hostset_read(struct wa_sv text, struct wa_hostset *s, struct wa_err *err)
{
    struct wa_sv rest = text, one;
    int64_t number = 0;
    if (text.n == 0)
        return WA_OK;
    while (wa_sv_split(&rest, ',', &one)) {
        if (!wa_sv_i64(one, &number))
            return wa_fail(err, WA_E_INVALID, "a set of machines that is none");
        if (wa_hostset_add(s, number, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}
