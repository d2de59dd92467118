/* guests.h - from where people who are logged in come, so that they need not stand behind a whole
 * fleet that comes back at once.
 *
 * It gives nothing but a place further ahead, and is forgotten after a while.
 */
#ifndef WA_SERVER_GUESTS_H
#define WA_SERVER_GUESTS_H

#include "base/sv.h"

struct wa_guests {
    struct wa_guest {
        char peer[64];
        int64_t until_s;
    } items[64];
};
bool wa_guests_has(const struct wa_guests *g, const char *peer, int64_t now_s);
/* In the place of its last mention, else of the one that would be forgotten first. */
void wa_guests_add(struct wa_guests *g, struct wa_sv peer, int64_t until_s);

#endif
