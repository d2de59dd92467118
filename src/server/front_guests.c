/* front_guests.c - from where people who are logged in come, so that they need not stand behind a
 * whole fleet that comes back at once.
 *
 * The store says who is a person. It gives nothing but a place further ahead, and an address is
 * forgotten after a while.
 */
#include "server/front_priv.h"

#define GUEST_MS (60u * 60 * 1000) /* ms: remembered after the last request */

/* The place of that address, else the one that was not heard of for the longest time. */
static struct wa_front_guest *find(struct wa_front *f, const char *peer)
{
    struct wa_front_guest *oldest = &f->guests[0];
    for (size_t i = 0; i < WA_COUNT(f->guests); i++) {
        if (strcmp(f->guests[i].peer, peer) == 0)
            return &f->guests[i];
        if (f->guests[i].until_ms < oldest->until_ms)
            oldest = &f->guests[i];
    }
    return oldest;
}

void wa_front_guest(struct wa_front *f, const char *peer)
{
    struct wa_front_guest *g = find(f, peer);
    (void)snprintf(g->peer, sizeof g->peer, "%s", peer);
    g->until_ms = wa_loop_now_ms(f->loop) + GUEST_MS;
}

bool wa_front_is_guest(void *user, const char *peer)
{
    struct wa_front *f = user;
    const struct wa_front_guest *g = find(f, peer);
    return peer[0] != '\0' && strcmp(g->peer, peer) == 0 && wa_loop_now_ms(f->loop) < g->until_ms;
}
