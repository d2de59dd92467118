/* arena.h - many small allocations freed at once, with a cap on their sum.
 *
 * For parsed documents whose parts live and die together. Not for secrets.
 */
#ifndef WA_BASE_ARENA_H
#define WA_BASE_ARENA_H

#include "base/sv.h"

struct wa_arena_block;

struct wa_arena {
    struct wa_arena_block *head;
    size_t used_bytes;
    size_t max_bytes;
};

void wa_arena_init(struct wa_arena *a, size_t max_bytes);
void wa_arena_fini(struct wa_arena *a);
void wa_arena_fini_secret(struct wa_arena *a); /* wipes first */
#define WA_AUTO_ARENA WA_CLEANUP(wa_arena_fini)
/* Zeroed, aligned for any type; NULL when out of memory or beyond the cap. Lives as long as the
 * arena. */
WA_CHECK void *wa_arena_alloc(struct wa_arena *a, size_t count, size_t size);
WA_CHECK char *wa_arena_strdup(struct wa_arena *a, struct wa_sv s);

#endif
