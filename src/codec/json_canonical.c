/* json_canonical.c - the two serialisations that WAPT signs (formats.md 0.4): CJSON with sorted
 * keys, and the form before 1.8 whose keys come in the order of a Python 2 dict.
 *
 * Signatures depend on each byte, so this is data about CPython 2.7 on 64 bits (a wide build:
 * strings are code points), not a choice of ours. It writes what it is given; who may sign it is
 * decided elsewhere.
 */
#include "codec/json.h"

#include "base/mem.h"
#include "codec/json_priv.h"

struct style {
    bool legacy;
    const char *comma, *colon;
};

static enum wa_code put_value(const struct wa_json *j, const struct style *style,
                              struct wa_buf *out, struct wa_err *err);

static enum wa_code put_array(const struct wa_json *j, const struct style *style,
                              struct wa_buf *out, struct wa_err *err)
{
    wa_buf_addc(out, '[');
    for (size_t i = 0; i < j->n; i++) {
        if (i > 0)
            wa_buf_adds(out, style->comma);
        enum wa_code code = put_value(&j->u.items[i], style, out, err);
        if (code != WA_OK)
            return code;
    }
    wa_buf_addc(out, ']');
    return WA_OK;
}

static enum wa_code put_object(const struct wa_json *j, const uint32_t *order,
                               const struct style *style, struct wa_buf *out, struct wa_err *err)
{
    wa_buf_addc(out, '{');
    for (size_t i = 0; i < j->n; i++) {
        const struct wa_json_member *m = &j->u.members->list[order[i]];
        if (i > 0)
            wa_buf_adds(out, style->comma);
        wa_json_put_string(out, wa_json_member_key(m), true);
        wa_buf_adds(out, style->colon);
        enum wa_code code = put_value(&m->value, style, out, err);
        if (code != WA_OK)
            return code;
    }
    wa_buf_addc(out, '}');
    return WA_OK;
}

/* hash(unicode) of CPython 2.7 on 64 bits, over code points. */
static uint64_t python2_hash(struct wa_sv s)
{
    uint64_t x = 0, length = 0;
    uint32_t cp = 0;

    for (size_t at = 0; at < s.n; length++) {
        if (!wa_json_next_cp(s, &at, &cp))
            cp = 0xfffd; /* not reached: the parser lets no other bytes in */
        if (length == 0)
            x = (uint64_t)cp << 7;
        x = 1000003u * x ^ cp;
    }
    if (length == 0)
        return 0;
    x ^= length;
    return x == UINT64_MAX ? UINT64_MAX - 1 : x;
}

#define SLOT_FREE UINT32_MAX

/* Keys are known to differ, so that no comparison is needed: the first free slot is its place. */
static void dict_insert(uint32_t *slots, size_t size, const uint64_t *hashes, uint32_t key)
{
    uint64_t mask = size - 1, i = hashes[key] & mask, perturb = hashes[key];

    while (slots[i & mask] != SLOT_FREE) {
        i = 5 * i + perturb + 1;
        perturb >>= 5;
    }
    slots[i & mask] = key;
}

static void dict_clear(uint32_t *slots, size_t size)
{
    for (size_t i = 0; i < size; i++)
        slots[i] = SLOT_FREE;
}

/* Fills order with the indexes of the n keys as the dict would list them. slots and spare: room for
 * the largest table, that is 8 times n + 8. */
static void dict_order(const uint64_t *hashes, uint32_t n, uint32_t *slots, uint32_t *spare,
                       uint32_t *order)
{
    size_t size = 8, used = 0;

    dict_clear(slots, size);
    for (uint32_t key = 0; key < n; key++) {
        dict_insert(slots, size, hashes, key);
        used++;
        if (3 * used < 2 * size)
            continue;
        size_t old_size = size;
        uint32_t *old = slots;
        for (size = 8; size <= 4 * used;)
            size *= 2;
        slots = spare;
        spare = old;
        dict_clear(slots, size);
        for (size_t i = 0; i < old_size; i++) {
            if (old[i] != SLOT_FREE)
                dict_insert(slots, size, hashes, old[i]);
        }
    }
    for (size_t i = 0; i < size; i++) {
        if (slots[i] != SLOT_FREE)
            *order++ = slots[i];
    }
}

static enum wa_code put_legacy_object(const struct wa_json *j, const struct style *style,
                                      struct wa_buf *out, struct wa_err *err)
{
    size_t n = j->n, table = 8 * (n + 1);
    enum wa_code code = WA_E_NOMEM;
    uint64_t *hashes;
    uint32_t *order;

    if (n > WA_JSON_LEGACY_MEMBERS_MAX)
        return wa_fail(err, WA_E_LIMIT,
                       "cannot write legacy JSON: an object of more than %u members",
                       WA_JSON_LEGACY_MEMBERS_MAX);
    hashes = wa_calloc(n + 1, sizeof(*hashes));
    order = wa_calloc(n + 2 * table, sizeof(*order));
    if (hashes && order) {
        for (size_t i = 0; i < n; i++)
            hashes[i] = python2_hash(wa_json_key_at(j, i));
        dict_order(hashes, (uint32_t)n, order + n, order + n + table, order);
        code = put_object(j, order, style, out, err);
    } else {
        code = wa_nomem(err);
    }
    wa_free(hashes);
    wa_free(order);
    return code;
}

static enum wa_code put_value(const struct wa_json *j, const struct style *style,
                              struct wa_buf *out, struct wa_err *err)
{
    switch (wa_json_type(j)) {
    case WA_JSON_NULL:
        wa_buf_adds(out, "null");
        break;
    case WA_JSON_BOOL:
        wa_buf_adds(out, j->is_true ? "true" : "false");
        break;
    case WA_JSON_NUMBER:
        wa_json_put_number(out, wa_json_sv(j));
        break;
    case WA_JSON_STRING:
        wa_json_put_string(out, wa_json_sv(j), true);
        break;
    case WA_JSON_ARRAY:
        return put_array(j, style, out, err);
    case WA_JSON_OBJECT:
        if (style->legacy)
            return put_legacy_object(j, style, out, err);
        return put_object(j, j->u.members->order, style, out, err);
    }
    return WA_OK;
}

enum wa_code wa_json_write_canonical(const struct wa_json *j, struct wa_buf *out,
                                     struct wa_err *err)
{
    static const struct style style = {false, ",", ":"};
    enum wa_code code = put_value(j, &style, out, err);

    return code == WA_OK ? wa_buf_check(out, err) : code;
}

enum wa_code wa_json_write_legacy(const struct wa_json *j, struct wa_buf *out, struct wa_err *err)
{
    static const struct style style = {true, ", ", ": "};
    enum wa_code code = put_value(j, &style, out, err);

    return code == WA_OK ? wa_buf_check(out, err) : code;
}
