/* patience.h - how long an exchange that blocks waits for the other side, and what ends it sooner.
 *
 * One for each exchange, of the thread that waits.
 */
#ifndef WA_NET_PATIENCE_H
#define WA_NET_PATIENCE_H

#include "net/stop.h"
#include "os/pipe.h"
#include "os/socket.h"

struct wa_patience {
    uint64_t until_ms;    /* by wa_clock_mono_ms(); 0: no end */
    struct wa_stop *stop; /* must outlive it; NULL: none */
    /* Asked at least once a second while it waits; failing ends it. May be NULL. */
    enum wa_code (*goes_on)(void *user, struct wa_err *err);
    void *user;
    struct wa_stop_waker waker; /* patience.c's, as all below */
    int wake[2];
};
/* Without a stop nothing of it has to be ended. */
WA_CHECK enum wa_code wa_patience_begin(struct wa_patience *p, uint64_t until_ms,
                                        struct wa_stop *stop, struct wa_err *err);
void wa_patience_end(struct wa_patience *p);

#define WA_PATIENCE_WAITS 8u /* descriptors at once */
/* list may be NULL for none. Until one is ready, or max_ms has passed (negative: no such limit):
 * *ret_count is 0 then. WA_E_TIMEOUT, WA_E_CANCELLED, and what goes_on() says. */
WA_CHECK enum wa_code wa_patience_wait(struct wa_patience *p, struct wa_pipe_wait *list,
                                       size_t count, int max_ms, size_t *ret_count,
                                       struct wa_err *err);
/* The addresses of a name. With a stop the look-up can be left, and then ends by itself; without
 * one it blocks, as wa_addresses_find(). */
WA_CHECK enum wa_code wa_patience_look_up(struct wa_patience *p, const char *host, uint16_t port,
                                          struct wa_addresses **ret, struct wa_err *err);

#endif
