/* guests.c - a few addresses, the most recent ones. Pure: whose they are, the store says. */
#include "server/guests.h"

#include <stdio.h>

bool wa_guests_has(const struct wa_guests *g, const char *peer, int64_t now_s)
{
    for (size_t i = 0; i < WA_COUNT(g->items); i++)
        if (peer[0] != '\0' && strcmp(g->items[i].peer, peer) == 0)
            return now_s < g->items[i].until_s;
    return false;
}

void wa_guests_add(struct wa_guests *g, struct wa_sv peer, int64_t until_s)
{
    struct wa_guest *place = &g->items[0];
    for (size_t i = 0; i < WA_COUNT(g->items); i++) {
        if (wa_sv_eqs(peer, g->items[i].peer)) {
            place = &g->items[i];
            break;
        }
        if (g->items[i].until_s < place->until_s)
            place = &g->items[i];
    }
    (void)snprintf(place->peer, sizeof place->peer, "%.*s", WA_SV_ARG(peer));
    place->until_s = until_s;
}
