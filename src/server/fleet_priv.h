/* fleet_priv.h - between fleet.c and fleet_find.c: a machine, and the orders of them all. */
#ifndef WA_SERVER_FLEET_PRIV_H
#define WA_SERVER_FLEET_PRIV_H

#include "base/limits.h"
#include "base/map.h"
#include "server/fleet.h"

#define WA_FLEET_TEXT_MAX 255u /* bytes */

/* Which three bytes may follow one another in a text: one that lacks those of a word has not got
 * the word, and need not be read. A bit for each, several to a bit. */
struct wa_fleet_grams {
    uint64_t bits[4];
};
void wa_fleet_grams_add(struct wa_fleet_grams *g, const char *p, size_t n);
static inline bool wa_fleet_grams_have(const struct wa_fleet_grams *g,
                                       const struct wa_fleet_grams *all)
{
    uint64_t lacking = 0;
    for (size_t i = 0; i < WA_COUNT(g->bits); i++)
        lacking |= all->bits[i] & ~g->bits[i];
    return lacking == 0;
}
/* A number that texts share at random: other marks, other texts. */
uint8_t wa_fleet_mark(struct wa_sv text);

struct host {           /* what a walk over all looks at first stands together */
    const char *search; /* folded, the texts that are searched */
    uint32_t search_n;
    uint32_t stale;              /* 1 << key: of this order it may be in the wrong place */
    struct wa_fleet_grams grams; /* of search */
    uint8_t marks[2];            /* of status and audit */
    struct {
        uint32_t *items; /* numbers of names */
        size_t n;
    } tags[WA_FLEET_TAGS];
    uint32_t said;              /* names that nobody had said before */
    uint32_t took_ms;           /* of the store's time, */
    uint64_t took_until_ms;     /* by then */
    struct wa_fleet_host shown; /* orders are of these */
    char *memory;               /* of all its texts */
};

static inline struct host *wa_fleet_full(const struct wa_fleet_host *h)
{
    return (struct host *)((uintptr_t)h - offsetof(struct host, shown));
}

struct wa_fleet_order {
    const struct wa_fleet_host **items; /* NULL: nobody has asked for it yet */
    size_t room;
};

struct wa_fleet {
    struct wa_map by_uuid;
    struct wa_map names[WA_FLEET_TAGS]; /* each has its number + 1 as value; none is taken out */
    struct wa_fleet_order order[WA_FLEET_KEYS];
    uint32_t stale; /* 1 << key: some machine is */
};

bool wa_fleet_has(const struct host *h, enum wa_fleet_tag tag, const struct wa_fleet_view *v);
/* Of this order the machine may be in the wrong place. */
static inline void wa_fleet_stale(struct wa_fleet *f, struct host *h, enum wa_fleet_key key)
{
    h->stale |= 1u << key;
    f->stale |= 1u << key;
}
/* Room for one more in each order; then it is added, once the map has it. */
WA_CHECK enum wa_code wa_fleet_orders_grow(struct wa_fleet *f, struct wa_err *err);
void wa_fleet_orders_add(struct wa_fleet *f, struct host *h);
/* The map has it no more. */
void wa_fleet_orders_remove(struct wa_fleet *f, const struct host *h);

#endif
