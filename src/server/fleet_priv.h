/* fleet_priv.h - between fleet.c and fleet_find.c: a machine, and the orders of them all. */
#ifndef WA_SERVER_FLEET_PRIV_H
#define WA_SERVER_FLEET_PRIV_H

#include "base/map.h"
#include "server/fleet.h"

#define WA_FLEET_TEXT_MAX 255u /* bytes */

struct host {           /* what a walk over all looks at first stands together */
    const char *search; /* folded, the texts that are searched */
    uint32_t search_n;
    uint32_t stale;  /* 1 << key: of this order it may be in the wrong place */
    uint32_t *names; /* numbers of what it is in */
    size_t name_count;
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
    struct wa_map names; /* each has its number + 1 as value; none is ever taken out */
    struct wa_fleet_order order[WA_FLEET_KEYS];
    uint32_t stale; /* 1 << key: some machine is */
};

bool wa_fleet_is_in(const struct host *h, const struct wa_fleet_view *v);
/* Room for one more in each order; then it is added, once the map has it. */
WA_CHECK enum wa_code wa_fleet_orders_grow(struct wa_fleet *f, struct wa_err *err);
void wa_fleet_orders_add(struct wa_fleet *f, struct host *h);
/* The map has it no more. */
void wa_fleet_orders_remove(struct wa_fleet *f, const struct host *h);

#endif
