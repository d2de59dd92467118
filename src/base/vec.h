/* vec.h - a growable array of one type, as macros over { T *items; size_t n, cap; }.
 *
 *     struct names { WA_VEC(char *); } v = {0};
 *     char **slot = WA_VEC_PUSH(&v);        NULL when out of memory, else a zeroed item
 *     WA_VEC_FREE(&v);                      frees the array, not what the items own
 */
#ifndef WA_BASE_VEC_H
#define WA_BASE_VEC_H

#include <stdbool.h>

#include "base/mem.h"

#define WA_VEC(T)                                                                                  \
    T *items;                                                                                      \
    size_t n;                                                                                      \
    size_t cap

/* Returns false when out of memory; then nothing has changed. */
bool wa_vec_grow_(void **items, size_t n, size_t *cap, size_t item_size);

#define WA_VEC_PUSH(v)                                                                             \
    (wa_vec_grow_((void **)(void *)&(v)->items, (v)->n, &(v)->cap, sizeof((v)->items[0]))          \
         ? &(v)->items[(v)->n++]                                                                   \
         : NULL)
#define WA_VEC_FREE(v)                                                                             \
    do {                                                                                           \
        wa_free((v)->items);                                                                       \
        (v)->items = NULL;                                                                         \
        (v)->n = (v)->cap = 0;                                                                     \
    } while (0)

#endif
