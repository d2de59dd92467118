/* keytab.c - reads a keytab strictly: every length stays inside its entry, an entry inside the
 * file. Deleted entries (of negative length) are passed over. */
#include "codec/keytab.h"

static bool take(struct wa_sv *s, size_t n, struct wa_sv *ret)
{
    if (n > s->n)
        return false;
    *ret = wa_sv_sub(*s, 0, n);
    *s = wa_sv_sub(*s, n, s->n);
    return true;
}

static bool number(struct wa_sv *s, size_t bytes, uint32_t *ret)
{
    struct wa_sv b;
    uint32_t v = 0;
    if (!take(s, bytes, &b))
        return false;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | (uint8_t)b.p[i];
    *ret = v;
    return true;
}

static bool counted(struct wa_sv *s, struct wa_sv *ret)
{
    uint32_t n = 0;
    return number(s, 2, &n) && take(s, n, ret);
}

static bool is_text(struct wa_sv s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] < 0x20 || (uint8_t)s.p[i] == 0x7f)
            return false;
    return s.n > 0;
}

static bool read_entry(struct wa_sv s, struct wa_keytab_entry *e)
{
    uint32_t count = 0, type = 0, wide = 0;
    *e = (struct wa_keytab_entry){.part_count = 0};
    if (!number(&s, 2, &count) || count == 0 || count > WA_KEYTAB_PARTS ||
        !counted(&s, &e->realm) || !is_text(e->realm))
        return false;
    for (; e->part_count < count; e->part_count++)
        if (!counted(&s, &e->parts[e->part_count]) || !is_text(e->parts[e->part_count]))
            return false;
    if (!number(&s, 4, &e->name_type) || !number(&s, 4, &e->timestamp) ||
        !number(&s, 1, &e->version) || !number(&s, 2, &type) || !counted(&s, &e->key))
        return false;
    e->enctype = (uint16_t)type;
    if (s.n >= 4 && number(&s, 4, &wide) && wide != 0)
        e->version = wide; /* beyond 255 */
    return true;
}

enum wa_code wa_keytab_open(struct wa_keytab *k, struct wa_sv text, struct wa_err *err)
{
    if (text.n < 2 || text.p[0] != 5 || text.p[1] != 2)
        return wa_fail(err, WA_E_INVALID, "this is no keytab of version 5.2");
    k->rest = wa_sv_sub(text, 2, text.n);
    return WA_OK;
}

enum wa_code wa_keytab_next(struct wa_keytab *k, struct wa_keytab_entry *ret, bool *ret_more,
                            struct wa_err *err)
{
    uint32_t size = 0;
    struct wa_sv entry;
    while (k->rest.n > 0) {
        bool is_whole = number(&k->rest, 4, &size);
        bool is_hole = size > INT32_MAX;
        if (is_hole)
            size = 0u - size;
        if (!is_whole || size == 0 || !take(&k->rest, size, &entry))
            return wa_fail(err, WA_E_INVALID,
                           "the keytab is cut off, or an entry's length is wrong");
        if (is_hole)
            continue;
        if (!read_entry(entry, ret))
            return wa_fail(err, WA_E_INVALID, "an entry of the keytab is not well formed");
        *ret_more = true;
        return WA_OK;
    }
    *ret_more = false;
    return WA_OK;
}

bool wa_keytab_is_aes(uint16_t enctype)
{
    return enctype >= 17 && enctype <= 20;
}
