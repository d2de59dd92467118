/* map.c - open addressing over an array of items in insertion order.
 *
 * The hash is SipHash-1-3 (Aumasson and Bernstein, 2012) under a key spread from the seed: with a
 * random seed nobody can choose keys that collide. With seed 0 the key is zero, which is fit for
 * keys of our own only. A probe sequence is never interrupted: removal closes the gap.
 */
#include "base/map.h"

#include "base/mem.h"

#define EMPTY UINT32_MAX

void wa_map_init(struct wa_map *m, uint64_t seed)
{
    *m = (struct wa_map){.seed = seed};
}

void wa_map_fini(struct wa_map *m)
{
    for (size_t i = 0; i < m->n; i++)
        wa_free(m->items[i].key);
    wa_free(m->items);
    wa_free(m->slots);
    wa_map_init(m, m->seed);
}

/* Spreads the seed into the second half of the key; 0 stays 0. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ x >> 33;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32) + v[3];
    v[2] += v[1];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

static uint64_t hash(const struct wa_map *m, struct wa_sv key)
{
    const uint64_t k0 = m->seed, k1 = mix(m->seed);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL,
                     k0 ^ 0x6c7967656e657261ULL, k1 ^ 0x7465646279746573ULL};
    size_t at = 0;
    uint64_t word = 0;
    for (; key.n - at >= sizeof word; at += sizeof word) {
        memcpy(&word, key.p + at, sizeof word);
        sip_word(v, word);
    }
    word = 0;
    for (size_t i = at; i < key.n; i++)
        word |= (uint64_t)(unsigned char)key.p[i] << (i - at) * 8;
    sip_word(v, word | (uint64_t)key.n << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Slot of key, or the empty slot where it would go. slot_count is a power of two and never full. */
static size_t find(const struct wa_map *m, struct wa_sv key, uint64_t h)
{
    size_t at = (size_t)h & (m->slot_count - 1);
    while (m->slots[at] != EMPTY) {
        const struct wa_map_item *it = &m->items[m->slots[at]];
        if (it->hash == h && wa_sv_eq(wa_sv_n(it->key, it->key_n), key))
            break;
        at = (at + 1) & (m->slot_count - 1);
    }
    return at;
}

static void fill_slots(const struct wa_map *m, uint32_t *slots, size_t count)
{
    for (size_t i = 0; i < count; i++)
        slots[i] = EMPTY;
    for (size_t i = 0; i < m->n; i++) {
        size_t at = (size_t)m->items[i].hash & (count - 1);
        while (slots[at] != EMPTY)
            at = (at + 1) & (count - 1);
        slots[at] = (uint32_t)i;
    }
}

/* Room for one item more, in both arrays. */
static bool grow(struct wa_map *m)
{
    if (m->n >= EMPTY / 4)
        return false;
    if (m->n == m->cap) {
        size_t cap = m->cap == 0 ? 8 : m->cap * 2;
        struct wa_map_item *items = wa_realloc(m->items, cap, sizeof *items);
        if (items == NULL)
            return false;
        m->items = items;
        m->cap = cap;
    }
    if ((m->n + 1) * 3 <= m->slot_count * 2)
        return true;
    size_t count = m->slot_count == 0 ? 16 : m->slot_count * 2;
    uint32_t *slots = wa_realloc(NULL, count, sizeof *slots);
    if (slots == NULL)
        return false;
    fill_slots(m, slots, count);
    wa_free(m->slots);
    m->slots = slots;
    m->slot_count = count;
    return true;
}

void *wa_map_get(const struct wa_map *m, struct wa_sv key)
{
    if (m->slot_count == 0)
        return NULL;
    size_t at = find(m, key, hash(m, key));
    return m->slots[at] == EMPTY ? NULL : m->items[m->slots[at]].value;
}

enum wa_code wa_map_put(struct wa_map *m, struct wa_sv key, void *value, void **ret_old,
                        struct wa_err *err)
{
    uint64_t h = hash(m, key);
    if (!grow(m))
        return wa_nomem(err);
    size_t at = find(m, key, h);
    if (m->slots[at] != EMPTY) {
        struct wa_map_item *it = &m->items[m->slots[at]];
        if (ret_old != NULL)
            *ret_old = it->value;
        it->value = value;
        return WA_OK;
    }
    char *copy = wa_strndup(key.p, key.n);
    if (copy == NULL)
        return wa_nomem(err);
    m->items[m->n] = (struct wa_map_item){copy, key.n, h, value};
    m->slots[at] = (uint32_t)m->n++;
    if (ret_old != NULL)
        *ret_old = NULL;
    return WA_OK;
}

/* Closes the gap at slot `at`, so that no probe sequence is interrupted. */
static void close_gap(struct wa_map *m, size_t at)
{
    size_t mask = m->slot_count - 1;
    size_t next = at;
    for (;;) {
        next = (next + 1) & mask;
        if (m->slots[next] == EMPTY)
            break;
        size_t home = (size_t)m->items[m->slots[next]].hash & mask;
        if (((next - home) & mask) < ((next - at) & mask))
            continue;
        m->slots[at] = m->slots[next];
        at = next;
    }
    m->slots[at] = EMPTY;
}

void *wa_map_take(struct wa_map *m, struct wa_sv key)
{
    if (m->slot_count == 0)
        return NULL;
    size_t at = find(m, key, hash(m, key));
    if (m->slots[at] == EMPTY)
        return NULL;
    uint32_t index = m->slots[at];
    void *value = m->items[index].value;
    wa_free(m->items[index].key);
    close_gap(m, at);
    if (index != --m->n) {
        /* The slot that points at the last item. */
        size_t moved = (size_t)m->items[m->n].hash & (m->slot_count - 1);
        while (m->slots[moved] != m->n)
            moved = (moved + 1) & (m->slot_count - 1);
        m->items[index] = m->items[m->n];
        m->slots[moved] = index;
    }
    return value;
}
