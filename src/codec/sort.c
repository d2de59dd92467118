/* sort.c - heap sort over indexes.
 *
 * Keys of objects and names of members come from strangers: no input may make sorting slow, and it
 * needs no memory that could run out (qsort() of the C library may do either). Not stable: keys
 * that compare equal are refused by the callers anyway.
 */
#include "codec/sort_priv.h"

#include <stdbool.h>

static void swap(uint32_t *a, uint32_t *b)
{
    uint32_t t = *a;

    *a = *b;
    *b = t;
}

static void sift_down(uint32_t *order, size_t root, size_t n, wa_index_cmp_fn cmp,
                      const void *items)
{
    while (2 * root + 1 < n) {
        size_t child = 2 * root + 1;
        if (child + 1 < n && cmp(items, order[child], order[child + 1]) < 0)
            child++;
        if (cmp(items, order[root], order[child]) >= 0)
            return;
        swap(&order[root], &order[child]);
        root = child;
    }
}

void wa_index_sort(uint32_t *order, size_t n, wa_index_cmp_fn cmp, const void *items)
{
    bool is_sorted = true;

    for (size_t i = 0; i < n; i++) {
        order[i] = (uint32_t)i;
        if (i > 0 && cmp(items, (uint32_t)i - 1, (uint32_t)i) > 0)
            is_sorted = false;
    }
    if (is_sorted)
        return;
    for (size_t i = n / 2; i-- > 0;)
        sift_down(order, i, n, cmp, items);
    for (size_t end = n; end-- > 1;) {
        swap(&order[0], &order[end]);
        sift_down(order, 0, end, cmp, items);
    }
}
