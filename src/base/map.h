/* map.h - a hash map from byte strings to pointers, seeded against collision attacks.
 *
 * Keys are copied; values are borrowed. Insertion order is kept for iteration.
 */
#ifndef WA_BASE_MAP_H
#define WA_BASE_MAP_H

#include "base/sv.h"

struct wa_map_item {
    char *key;
    size_t key_n;
    uint64_t hash;
    void *value;
};

struct wa_map {
    struct wa_map_item *items;
    size_t n, cap;
    uint32_t *slots;
    size_t slot_count;
    uint64_t seed;
};

/* seed: 0 only for keys of our own. Where keys come from outside: wa_rand_map() of os/rand.h. */
void wa_map_init(struct wa_map *m, uint64_t seed);
void wa_map_fini(struct wa_map *m);
#define WA_AUTO_MAP WA_CLEANUP(wa_map_fini)
/* NULL when absent. */
void *wa_map_get(const struct wa_map *m, struct wa_sv key);
/* Inserts or replaces; *ret_old is the former value or NULL (may be NULL itself). value must not be
 * NULL. */
WA_CHECK enum wa_code wa_map_put(struct wa_map *m, struct wa_sv key, void *value, void **ret_old,
                                 struct wa_err *err);
/* Removes and returns the value; NULL when absent. The last item takes its place in the order. */
void *wa_map_take(struct wa_map *m, struct wa_sv key);

#endif
