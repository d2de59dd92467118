/* api_events.c - what has changed, live: a stream that the caller keeps open. */
#include "os/clock.h"
#include "server/api.h"

static enum wa_code watch(struct wa_api_call *c, struct wa_err *err)
{
    char names[128];
    unsigned kinds = 0, wanted = 0;
    int64_t after = (int64_t)wa_events_last(c->store->events);
    if (wa_api_text(c, "kinds", names, sizeof names, err) != WA_OK ||
        wa_event_kinds_read(wa_sv(names), &wanted, err) != WA_OK ||
        wa_api_number(c, "after", 0, INT64_MAX, &after, err) != WA_OK)
        return err->code;
    for (unsigned k = 0; k < WA_EVENT_KINDS; k++) {
        unsigned right = wa_event_right((enum wa_event_kind)k);
        bool is_named = names[0] != '\0' && (wanted & 1u << k) != 0;
        if (is_named && wa_api_need(c, right, "watching these events", err) != WA_OK)
            return err->code;
        kinds |= wanted & 1u << k;
    }
    /* A browser's own resumption goes before what the address said at first. */
    if (c->request->last_event[0] != '\0' &&
        (!wa_sv_i64(wa_sv(c->request->last_event), &after) || after < 0))
        return wa_fail(err, WA_E_USAGE, "Last-Event-ID is no event's number");
    return wa_store_watch(c, kinds, (uint64_t)after, err);
}

static const struct wa_api_param watch_params[] = {
    {"kinds",
     "Only these, with commas between them: host, action, package, rollout, "
     "person, journal, queue",
     false},
    {"after", "What followed this event too, as far as it is kept (or the header Last-Event-ID)",
     true},
    {NULL, NULL, false}};

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/events", 0, false, watch, "What changes from now on, as it happens",
     watch_params, NULL, "Events"},
};
const struct wa_api_resource wa_api_events_calls = {routes, WA_COUNT(routes)};
