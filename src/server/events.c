/* events.c - the ring of the last changes, and how they are written.
 *
 * Memory is bounded and taken at the start: nothing that machines do makes it grow, or fails. A
 * number names one event for ever: the first one of a run is made from the time.
 */
#include "server/events.h"

#include "base/mem.h"
#include "codec/json.h"
#include "server/rights.h"

struct wa_events {
    uint64_t last; /* the newest's number */
    size_t count;  /* how many of the ring are filled */
    int64_t second;
    unsigned told[WA_EVENT_KINDS]; /* in this second */
    bool owes[WA_EVENT_KINDS];     /* more than that */
    struct wa_event ring[WA_EVENTS_KEPT];
};

static const struct {
    const char *name;
    unsigned right;
} kinds[WA_EVENT_KINDS] = {
    [WA_EVENT_HOST] = {"host", WA_MAY_VIEW},       [WA_EVENT_ACTION] = {"action", WA_MAY_VIEW},
    [WA_EVENT_PACKAGE] = {"package", WA_MAY_VIEW}, [WA_EVENT_ROLLOUT] = {"rollout", WA_MAY_VIEW},
    [WA_EVENT_PERSON] = {"person", WA_MAY_PEOPLE}, [WA_EVENT_JOURNAL] = {"journal", WA_MAY_VIEW},
    [WA_EVENT_QUEUE] = {"queue", WA_MAY_VIEW}};

const char *wa_event_kind_name(enum wa_event_kind k)
{
    return kinds[k].name;
}

unsigned wa_event_right(enum wa_event_kind k)
{
    return kinds[k].right;
}

enum wa_code wa_event_kinds_read(struct wa_sv text, unsigned *ret, struct wa_err *err)
{
    struct wa_sv one;
    unsigned found = 0;
    bool is_all = text.n == 0;
    while (!is_all && wa_sv_split(&text, ',', &one)) {
        unsigned bit = 0;
        for (unsigned k = 0; k < WA_EVENT_KINDS; k++)
            bit |= wa_sv_eqs(one, kinds[k].name) ? 1u << k : 0;
        if (bit == 0)
            return wa_fail(err, WA_E_USAGE,
                           "there are no events '%.*s', only host, action, package, rollout, "
                           "person, journal and queue",
                           WA_SV_ARG(one));
        found |= bit;
    }
    *ret = is_all ? (1u << WA_EVENT_KINDS) - 1 : found;
    return WA_OK;
}

/* --- the ring --- */

enum wa_code wa_events_new(int64_t now, uint32_t salt, struct wa_events **ret, struct wa_err *err)
{
    struct wa_events *e = wa_calloc(1, sizeof *e);
    if (e == NULL)
        return wa_nomem(err);
    e->last = (uint64_t)now * WA_EVENT_IDS_A_SECOND + salt % (WA_EVENT_IDS_A_SECOND / 2);
    e->second = now;
    *ret = e;
    return WA_OK;
}

void wa_events_free(struct wa_events *e)
{
    wa_free(e);
}

static void put(struct wa_events *e, const struct wa_event *what, int64_t now)
{
    struct wa_event *v = &e->ring[++e->last % WA_EVENTS_KEPT];
    *v = *what;
    v->id = e->last;
    v->at = now;
    e->count += e->count < WA_EVENTS_KEPT ? 1 : 0;
}

bool wa_events_tick(struct wa_events *e, int64_t now)
{
    bool has_owed = false;
    if (now == e->second)
        return false;
    e->second = now;
    memset(e->told, 0, sizeof e->told);
    for (unsigned k = 0; k < WA_EVENT_KINDS; k++) {
        if (!e->owes[k])
            continue;
        const struct wa_event many = {.kind = (enum wa_event_kind)k, .what = "many"};
        put(e, &many, now);
        e->owes[k] = false;
        has_owed = true;
    }
    return has_owed;
}

void wa_events_add(struct wa_events *e, const struct wa_event *what, int64_t now)
{
    (void)wa_events_tick(e, now);
    if (e->told[what->kind] == WA_EVENTS_A_SECOND) {
        e->owes[what->kind] = true;
        return;
    }
    e->told[what->kind]++;
    put(e, what, now);
}

uint64_t wa_events_last(const struct wa_events *e)
{
    return e->last;
}

bool wa_events_has_after(const struct wa_events *e, uint64_t id)
{
    return id <= e->last && e->last - id <= e->count;
}

const struct wa_event *wa_events_next(const struct wa_events *e, uint64_t id)
{
    if (id >= e->last)
        return NULL;
    if (!wa_events_has_after(e, id))
        id = e->last - e->count;
    return e->count > 0 ? &e->ring[(id + 1) % WA_EVENTS_KEPT] : NULL;
}

/* --- texts --- */

void wa_event_json(const struct wa_event *v, struct wa_buf *out)
{
    struct wa_jw w;
    const struct {
        const char *key, *text;
    } texts[] = {{"uuid", v->uuid}, {"name", v->name}, {"state", v->state}};
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "id", (int64_t)v->id);
    wa_jw_kvi(&w, "at", v->at);
    wa_jw_kv(&w, "kind", kinds[v->kind].name);
    wa_jw_kv(&w, "what", v->what);
    for (size_t i = 0; i < WA_COUNT(texts); i++)
        if (texts[i].text[0] != '\0')
            wa_jw_kv(&w, texts[i].key, texts[i].text);
    wa_jw_end(&w);
}

/* JSON has no line ends of its own, so that a text can't end its message. */
void wa_event_stream(const struct wa_event *v, struct wa_buf *out)
{
    wa_buf_addf(out, "id: %llu\nevent: %s\ndata: ", (unsigned long long)v->id, kinds[v->kind].name);
    wa_event_json(v, out);
    wa_buf_adds(out, "\n\n");
}
