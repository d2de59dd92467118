/* store_events.c - who watches, and what they are told of what has changed.
 *
 * Watchers read the ring of events at their own pace; a front that can't pass on drops its client.
 * Each time before one is told anything, it is asked anew who they are and what they may see:
 * whoever's session, rights or perimeter have changed sees no more than they may now.
 */
#include "base/mem.h"
#include "base/utf8.h"
#include "os/clock.h"
#include "os/rand.h"
#include "server/api.h"

#define FLUSH_MS 250u /* what happens close together goes together */

struct wa_watcher {
    struct wa_watcher *next;
    int front;
    uint32_t id; /* of the front's exchange */
    unsigned kinds;
    uint64_t seen; /* the last event that was looked at for them */
    char user[WA_NAME_MAX + 1];
    char bearer[160], peer[64];
};

static void watcher_free(struct wa_watcher *w)
{
    wa_wipe(w->bearer, sizeof w->bearer);
    wa_free(w);
}

/* --- what has changed --- */

static void start_flush(struct wa_store *s)
{
    if (s->watchers == NULL || s->flush == NULL || s->is_flushing)
        return;
    s->is_flushing = true;
    wa_timer_start(s->flush, FLUSH_MS, 0);
}

static void copy(char *out, size_t size, struct wa_sv text)
{
    size_t n = wa_utf8_cut(text.p, text.n < size ? text.n : size - 1);
    if (n > 0)
        memcpy(out, text.p, n);
    out[n] = '\0';
}

static void add(struct wa_store *s, struct wa_event v, struct wa_sv uuid, struct wa_sv name,
                struct wa_sv state)
{
    if (s->events == NULL)
        return;
    copy(v.uuid, sizeof v.uuid, uuid);
    copy(v.name, sizeof v.name, name);
    copy(v.state, sizeof v.state, state);
    wa_events_add(s->events, &v, wa_clock_now());
    start_flush(s);
}

void wa_store_event(struct wa_store *s, enum wa_event_kind kind, const char *what,
                    struct wa_sv uuid, struct wa_sv name, struct wa_sv state)
{
    const struct wa_event v = {.kind = kind, .what = what};
    add(s, v, uuid, name, state);
}

void wa_store_event_elsewhere(struct wa_store *s, enum wa_event_kind kind, const char *what,
                              struct wa_sv uuid, struct wa_sv name, struct wa_sv state)
{
    const struct wa_event v = {.kind = kind, .what = what, .is_foreign = true};
    add(s, v, uuid, name, state);
}

/* --- to those who watch --- */

/* False: the front is gone or does not take it. */
static bool send(struct wa_store *s, const struct wa_watcher *w, bool is_open, struct wa_sv text)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf message;
    wa_buf_init(&message, WA_EVENTS_BYTES_MAX + 65536);
    wa_buf_addf(&message, "{\"status\":200,\"type\":\"events\",\"open\":%s}\n",
                is_open ? "true" : "false");
    wa_buf_addsv(&message, text);
    if (wa_buf_check(&message, &err) == WA_OK &&
        wa_chan_post(s->fronts[w->front], WA_S_ANSWER, w->id, wa_buf_sv(&message), -1, &err) ==
            WA_OK)
        return true;
    wa_log_err(&s->child.log, WA_LOG_ERROR, "answer.lost", &err);
    return false;
}

static bool may_see(const struct wa_api_call *c, const struct wa_watcher *w,
                    const struct wa_event *v)
{
    unsigned right = wa_event_right(v->kind);
    return (w->kinds & 1u << v->kind) != 0 && (c->who.rights & right) == right &&
           (v->uuid[0] == '\0' || !c->who.is_limited ||
            wa_fleet_sees(c->store->fleet, &c->who.view, wa_sv(v->uuid)));
}

/* What is about no single machine, but about some: somebody with a perimeter is told that there is
 * something new, and lists say what of it is his. */
static bool is_of_some(const struct wa_event *v)
{
    return (v->kind == WA_EVENT_ACTION || v->kind == WA_EVENT_ROLLOUT) && v->uuid[0] == '\0';
}

static void write_event(const struct wa_api_call *c, const struct wa_event *v, struct wa_buf *out)
{
    const struct wa_event many = {.id = v->id, .at = v->at, .kind = v->kind, .what = "many"};
    wa_event_stream(c->who.is_limited && is_of_some(v) ? &many : v, out);
}

static void write_news(struct wa_api_call *c, struct wa_watcher *w, struct wa_buf *out)
{
    const struct wa_events *e = c->store->events;
    const struct wa_event *v;
    if (!wa_events_has_after(e, w->seen)) {
        w->seen = wa_events_last(e);
        wa_buf_addf(out, "id: %llu\nevent: reload\ndata: {\"what\":\"reload\"}\n\n",
                    (unsigned long long)w->seen);
    }
    while (out->n < WA_EVENTS_BYTES_MAX - 4096 && (v = wa_events_next(e, w->seen)) != NULL) {
        if (may_see(c, w, v))
            write_event(c, v, out);
        w->seen = v->id;
    }
}

/* Whoever the watcher is now. WA_E_AUTH: nobody any more. */
static enum wa_code tell(struct wa_store *s, struct wa_watcher *w, struct wa_buf *out,
                         struct wa_err *err)
{
    struct wa_store_request r = {.store = s};
    struct wa_api_call c = {.store = s, .request = &r, .out = out, .is_watching = true};
    memcpy(r.bearer, w->bearer, sizeof r.bearer);
    memcpy(r.peer, w->peer, sizeof r.peer);
    wa_api_who_init(&c.who);
    if (wa_api_find_caller(&c, err) == WA_OK)
        write_news(&c, w, out);
    wa_api_who_fini(&c.who);
    wa_wipe(r.bearer, sizeof r.bearer);
    return err->code == WA_OK ? wa_buf_check(out, err) : err->code;
}

/* False: the watcher is to go. A database that is away ends no session. */
static bool serve(struct wa_store *s, struct wa_watcher *w, bool is_first)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, WA_EVENTS_BYTES_MAX);
    enum wa_code code = tell(s, w, &out, &err);
    if (code == WA_OK)
        return (out.n == 0 && !is_first) || send(s, w, true, wa_buf_sv(&out));
    if (code != WA_E_AUTH)
        return true;
    (void)send(s, w, false, WA_SV("event: end\ndata: {\"what\":\"end\"}\n\n"));
    return false;
}

static void remove_watcher(struct wa_store *s, struct wa_watcher **at)
{
    struct wa_watcher *w = *at;
    *at = w->next;
    watcher_free(w);
    s->watcher_count--;
}

void wa_store_tell_watchers(struct wa_store *s)
{
    bool is_behind = false;
    if (s->events == NULL)
        return;
    (void)wa_events_tick(s->events, wa_clock_now());
    for (struct wa_watcher **at = &s->watchers; *at != NULL;) {
        if (!serve(s, *at, false)) {
            remove_watcher(s, at);
            continue;
        }
        is_behind = is_behind || (*at)->seen != wa_events_last(s->events);
        at = &(*at)->next;
    }
    if (is_behind)
        start_flush(s);
}

static void on_flush(void *user)
{
    struct wa_store *s = user;
    s->is_flushing = false;
    wa_store_tell_watchers(s);
}

enum wa_code wa_store_events_open(struct wa_store *s, struct wa_err *err)
{
    uint32_t salt = 0;
    if (wa_rand_bytes(&salt, sizeof salt, err) != WA_OK ||
        wa_events_new(wa_clock_now(), salt, &s->events, err) != WA_OK)
        return err->code;
    s->hooked = wa_events_last(s->events);
    return wa_timer_new(s->loop, on_flush, s, &s->flush, err);
}

void wa_store_events_close(struct wa_store *s)
{
    while (s->watchers != NULL)
        remove_watcher(s, &s->watchers);
    wa_timer_free(s->flush);
    s->flush = NULL;
    wa_events_free(s->events);
    s->events = NULL;
}

/* --- who watches --- */

void wa_store_watcher_gone(struct wa_store *s, int front, uint32_t id)
{
    for (struct wa_watcher **at = &s->watchers; *at != NULL; at = &(*at)->next) {
        if ((*at)->front != front || (*at)->id != id)
            continue;
        remove_watcher(s, at);
        return;
    }
}

static enum wa_code check_room(const struct wa_store *s, const char *user, struct wa_err *err)
{
    size_t theirs = 0;
    for (const struct wa_watcher *w = s->watchers; w != NULL; w = w->next)
        theirs += strcmp(w->user, user) == 0;
    if (theirs >= WA_WATCHERS_PERSON_MAX)
        return wa_fail(err, WA_E_BUSY, "'%s' watches %zu times already: close one", user, theirs);
    if (s->watcher_count >= WA_WATCHERS_MAX)
        return wa_fail(err, WA_E_BUSY, "too many are watching: try again later");
    return WA_OK;
}

enum wa_code wa_store_watch(struct wa_api_call *c, unsigned kinds, uint64_t seen,
                            struct wa_err *err)
{
    struct wa_store *s = c->store;
    struct wa_store_request *r = c->request;
    if (check_room(s, c->who.user, err) != WA_OK)
        return err->code;
    struct wa_watcher *w = wa_calloc(1, sizeof *w);
    if (w == NULL)
        return wa_nomem(err);
    *w = (struct wa_watcher){
        .next = s->watchers, .front = r->front, .id = r->id, .kinds = kinds, .seen = seen};
    memcpy(w->user, c->who.user, sizeof w->user);
    memcpy(w->bearer, r->bearer, sizeof w->bearer);
    memcpy(w->peer, r->peer, sizeof w->peer);
    s->watchers = w;
    s->watcher_count++;
    if (!serve(s, w, true))
        remove_watcher(s, &s->watchers);
    c->is_later = true;
    wa_store_request_free(r);
    return WA_OK;
}
