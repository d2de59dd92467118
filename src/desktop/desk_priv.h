/* desk_priv.h - between the files of the self-service's local program.
 *
 * One thread, the loop's, owns all of it. What may wait for the agent is done in a thread of the
 * pool, with what was given to it, and comes back to the loop.
 */
#ifndef WA_DESKTOP_DESK_PRIV_H
#define WA_DESKTOP_DESK_PRIV_H

#include "desktop/desk.h"
#include "net/local_door.h"
#include "net/local_site.h"
#include "proto/local.h"

#include <stdatomic.h>

struct wa_desk_page; /* desk_events.c: a page that listens */

struct wa_desk {
    const struct wa_desk_options *o;
    struct wa_loop *loop;
    struct wa_local_site *site;
    struct wa_local_door *door;
    size_t busy; /* threads that are at work */
    atomic_bool ends;
    /* --- desk_events.c --- */
    struct wa_desk_page *pages;
    size_t page_count;
    int fd; /* the agent's events; -1: not connected */
    struct wa_io *io;
    struct wa_buf line; /* what has come of the next one */
    bool is_connecting;
    uint64_t told_ms; /* when the pages last heard anything */
};

/* --- desk_agent.c: in a thread of the pool --- */
struct wa_desk_answer {
    struct wa_buf data; /* JSON of the result, or {"task":N} of what was queued; empty: none */
    bool needs_password;
};
/* Connects to the agent, and sends this line. WA_E_UNREACHABLE. */
WA_CHECK enum wa_code wa_desk_send(const struct wa_desk *d, struct wa_sv line, int *ret_fd,
                                   struct wa_err *err);
/* One request, and what the agent says to it: its refusals are errors here, as it words them. */
WA_CHECK enum wa_code wa_desk_talk(const struct wa_desk *d, struct wa_sv line,
                                   struct wa_desk_answer *ret, struct wa_err *err);

/* --- desk_calls.c --- */
WA_CHECK enum wa_code wa_desk_judge(void *desk, const struct wa_http_head *head, size_t *ret_max,
                                    struct wa_err *err);
void wa_desk_call(void *desk, struct wa_http_conn *c, struct wa_sv body);

/* --- desk_events.c --- */
void wa_desk_listen(struct wa_desk *d, struct wa_http_conn *c, struct wa_sv body);
void wa_desk_events_turn(struct wa_desk *d);
/* No page hears any more. */
void wa_desk_events_end(struct wa_desk *d);

#endif
