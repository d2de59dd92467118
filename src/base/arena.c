/* arena.c - blocks that grow with use; each allocation is aligned for any type.
 *
 * Nothing is freed before the arena is. The cap counts what was asked for, rounded up to the
 * alignment, not the rest of a block that a larger request left unused.
 */
#include "base/arena.h"

#include "base/mem.h"

#include <stdalign.h>

struct wa_arena_block {
    struct wa_arena_block *next;
    size_t used, cap;
    alignas(max_align_t) unsigned char bytes[];
};

#define FIRST_BLOCK 4096u
#define LARGEST_BLOCK (1u << 20)

void wa_arena_init(struct wa_arena *a, size_t max_bytes)
{
    *a = (struct wa_arena){.max_bytes = max_bytes};
}

void wa_arena_fini(struct wa_arena *a)
{
    while (a->head != NULL) {
        struct wa_arena_block *next = a->head->next;
        wa_free(a->head);
        a->head = next;
    }
    a->used_bytes = 0;
}

void wa_arena_fini_secret(struct wa_arena *a)
{
    for (struct wa_arena_block *b = a->head; b != NULL; b = b->next)
        wa_wipe(b->bytes, b->used);
    wa_arena_fini(a);
}

static struct wa_arena_block *add_block(struct wa_arena *a, size_t need)
{
    size_t cap = a->head == NULL ? FIRST_BLOCK : a->head->cap * 2;
    if (cap > LARGEST_BLOCK)
        cap = LARGEST_BLOCK;
    if (cap < need)
        cap = need;
    struct wa_arena_block *b = wa_realloc(NULL, sizeof *b + cap, 1);
    if (b == NULL)
        return NULL;
    *b = (struct wa_arena_block){.next = a->head, .cap = cap};
    a->head = b;
    return b;
}

void *wa_arena_alloc(struct wa_arena *a, size_t count, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size != 0 && count > (PTRDIFF_MAX - align) / size)
        return NULL;
    size_t n = (count * size + align - 1) / align * align;
    if (n == 0)
        n = align;
    if (n > a->max_bytes || a->used_bytes > a->max_bytes - n)
        return NULL;
    struct wa_arena_block *b = a->head;
    if (b == NULL || n > b->cap - b->used) {
        b = add_block(a, n);
        if (b == NULL)
            return NULL;
    }
    void *p = b->bytes + b->used;
    b->used += n;
    a->used_bytes += n;
    memset(p, 0, n);
    return p;
}

char *wa_arena_strdup(struct wa_arena *a, struct wa_sv s)
{
    if (s.n == SIZE_MAX)
        return NULL;
    char *copy = wa_arena_alloc(a, s.n + 1, 1);
    if (copy != NULL && s.n > 0)
        memcpy(copy, s.p, s.n);
    return copy;
}
