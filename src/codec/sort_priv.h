/* sort_priv.h - sorting of indexes, for data that others chose. */
#ifndef WA_CODEC_SORT_PRIV_H
#define WA_CODEC_SORT_PRIV_H

#include <stddef.h>
#include <stdint.h>

/* Below, equal to or above 0, as item a comes before, with or after item b. */
typedef int (*wa_index_cmp_fn)(const void *items, uint32_t a, uint32_t b);

/* Fills order with 0 to n-1 and sorts it ascending. */
void wa_index_sort(uint32_t *order, size_t n, wa_index_cmp_fn cmp, const void *items);

#endif
