/* events.h - what has just changed, for those who watch: the last changes in a ring, by numbers
 * that only grow, also over a restart.
 *
 * It is no record (that is the journal) and no queue: whoever comes too late is told to read the
 * lists again. A storm - all machines come back at once - becomes one event a second that says so,
 * beyond WA_EVENTS_A_SECOND of a kind.
 */
#ifndef WA_SERVER_EVENTS_H
#define WA_SERVER_EVENTS_H

#include "base/buf.h"

enum wa_event_kind {
    WA_EVENT_HOST,    /* registered, connected, disconnected, inventory, status, audit, left,
                         forgotten */
    WA_EVENT_ACTION,  /* its state */
    WA_EVENT_PACKAGE, /* published, deleted */
    WA_EVENT_ROLLOUT, /* created, changed (state, ring), progress (more machines are through) */
    WA_EVENT_PERSON,  /* a user, a token, a session that was ended */
    WA_EVENT_JOURNAL, /* its head: "node:seq:digest" */
    WA_EVENT_QUEUE,   /* told: a machine that is looked at, of its queue; not for webhooks */
    WA_EVENT_KINDS
};
/* "host"... as in the answers. */
const char *wa_event_kind_name(enum wa_event_kind k);
/* The enum wa_right that it takes to see events of the kind. */
unsigned wa_event_right(enum wa_event_kind k);
/* Names with commas between them as bits, 1 << kind; "": all. WA_E_USAGE for another name. */
WA_CHECK enum wa_code wa_event_kinds_read(struct wa_sv text, unsigned *ret, struct wa_err *err);

struct wa_event {
    uint64_t id;
    int64_t at; /* s since 1970 */
    enum wa_event_kind kind;
    const char *what;                 /* a literal: "registered"; "many": read the lists again */
    char uuid[WA_UUID_MAX + 1];       /* the machine that it is about; "": about none */
    char name[WA_EVENT_NAME_MAX + 1]; /* of the action, package, roll-out, person */
    char state[32];                   /* the new one, where it has some */
    bool is_foreign;                  /* another server of the database tells of it */
};

struct wa_events;
/* salt: anything, so that servers started together count differently. */
WA_CHECK enum wa_code wa_events_new(int64_t now, uint32_t salt, struct wa_events **ret,
                                    struct wa_err *err);
void wa_events_free(struct wa_events *e);
WA_AUTO_DEFINE(wa_events, wa_events_free)
/* Longer texts are cut. id and at are given here, now in s since 1970. */
void wa_events_add(struct wa_events *e, const struct wa_event *what, int64_t now);
/* Tells of what a second that is over has left out; true when there was something. */
bool wa_events_tick(struct wa_events *e, int64_t now);
/* The newest number; what comes next is greater. */
uint64_t wa_events_last(const struct wa_events *e);
/* Whether all that followed id is still there. */
bool wa_events_has_after(const struct wa_events *e, uint64_t id);
/* The first one after id; NULL when there is none. Borrowed until the next is added. */
const struct wa_event *wa_events_next(const struct wa_events *e, uint64_t id);

/* {"id","at","kind","what", and those of "uuid","name","state" that it has} */
void wa_event_json(const struct wa_event *v, struct wa_buf *out);
/* The same as a message of text/event-stream. */
void wa_event_stream(const struct wa_event *v, struct wa_buf *out);

#endif
