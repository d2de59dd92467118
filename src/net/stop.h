/* stop.h - how exchanges that block in other threads are ended at once.
 *
 * Whoever may want to end them makes one and hands it to each exchange; one pull ends all that run
 * and all that would begin. From any thread.
 */
#ifndef WA_NET_STOP_H
#define WA_NET_STOP_H

#include "base/sv.h"

struct wa_stop;
WA_CHECK enum wa_code wa_stop_new(struct wa_stop **ret, struct wa_err *err);
void wa_stop_free(struct wa_stop *s);      /* nothing uses it any more */
void wa_stop_pull(struct wa_stop *s);      /* for good */
bool wa_stop_is_pulled(struct wa_stop *s); /* NULL: never */

/* For what blocks: wake(user) is called from the thread that pulls, under a lock, so that it must
 * return at once. */
struct wa_stop_waker {
    void (*wake)(void *user);
    void *user;
    struct wa_stop_waker *next; /* stop.c's */
};
/* w lives until it is removed. False: it was pulled before, and w was not taken. */
bool wa_stop_add(struct wa_stop *s, struct wa_stop_waker *w);
void wa_stop_remove(struct wa_stop *s, struct wa_stop_waker *w);

#endif
