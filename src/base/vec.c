/* vec.c - growth of the typed arrays of vec.h. */
#include "base/vec.h"

#include <stdint.h>

bool wa_vec_grow_(void **items, size_t n, size_t *cap, size_t item_size)
{
    if (n == *cap) {
        size_t more = *cap < 8 ? 8 : *cap + *cap / 2;
        if (more < *cap)
            return false;
        void *p = wa_realloc(*items, more, item_size);
        if (p == NULL)
            return false;
        *items = p;
        *cap = more;
    }
    memset((uint8_t *)*items + n * item_size, 0, item_size);
    return true;
}
