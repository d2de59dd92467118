/* work.c - one job at a time with all machines of the shard: registering, reporting, connecting,
 * waiting for orders.
 *
 * Who could not connect waits as an agent does (agent/backoff.c) and comes again.
 */
#include "shard.h"

#include "agent/backoff.h"
#include "agent/manager_priv.h"
#include "base/mem.h"
#include "proto/push.h"

#define BACKOFF_FIRST_MS 1000u /* as agent/push.c */
#define BACKOFF_MAX_MS 300000u

static uint64_t now_ms(const struct shard *s)
{
    return wa_loop_now_ms(s->place.loop);
}

/* 127.1.0.1 and on: each machine has an address of its own. */
static uint32_t source_of(const struct machine *m)
{
    return 0x7f010001u + (uint32_t)(m->shard->first + (size_t)(m - m->shard->machines));
}

static void count(struct shard *s, bool ok, const char *why)
{
    s->done += ok ? 1 : 0;
    s->failed += ok ? 0 : 1;
    if (!ok)
        (void)snprintf(s->why, sizeof s->why, "%s", why);
    if (s->job != JOB_NONE && s->done + s->failed >= s->wanted)
        shard_done(s);
}

/* --- statements --- */

static void carry(struct carrier *c)
{
    struct shard *s = c->shard;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf body;
    wa_buf_init(&body, 1u << 20);
    if (s->started >= s->wanted || (s->job != JOB_REGISTER && s->job != JOB_STATUS))
        return;
    struct machine *m = &s->machines[s->started++ % s->count];
    enum wa_code code =
        s->job == JOB_REGISTER ? speech_register(m, &body, &err) : speech_status(m, &body, &err);
    if (code != WA_OK) {
        count(s, false, err.text);
        return;
    }
    c->machine = m;
    link_post(c->link, s->job == JOB_REGISTER ? "/agent/v1/register" : "/agent/v1/report",
              wa_buf_sv(&body));
}

static void on_carrier_ready(void *user)
{
    struct carrier *c = user;
    c->is_ready = true;
    carry(c);
}

static void on_answer(void *user, int status, struct wa_sv body)
{
    struct carrier *c = user;
    char why[200];
    (void)snprintf(why, sizeof why, "%s: %d %.*s", c->machine->uuid, status,
                   (int)(body.n < 120 ? body.n : 120), body.p);
    struct wa_err err = WA_ERR_INIT;
    if (status == 200 && c->shard->job == JOB_STATUS)
        (void)speech_status_answer(c->machine, body, &err);
    if (status == 200 && c->shard->job == JOB_REGISTER && c->shard->has_certificates)
        (void)speech_register_answer(c->machine, body, &err);
    if (err.code != WA_OK)
        (void)snprintf(why, sizeof why, "%.190s", err.text);
    c->machine = NULL;
    count(c->shard, status == 200 && err.code == WA_OK, why);
    carry(c);
}

static void on_carrier_end(void *user, const char *why)
{
    struct carrier *c = user;
    bool had_work = c->machine != NULL;
    c->link = NULL;
    c->machine = NULL;
    c->is_ready = false;
    if (had_work)
        count(c->shard, false, why);
}

/* Those that there are none of yet, or not any more: their server may have died. */
static void start_carriers(struct shard *s)
{
    static const struct link_events events = {on_carrier_ready, on_answer, NULL, on_carrier_end};
    for (size_t i = 0; i < s->carrier_count; i++) {
        struct carrier *c = &s->carriers[i];
        c->shard = s;
        if (c->link == NULL)
            c->link = link_new(&s->place, source_of(&s->machines[i % s->count]), &events, c);
        else if (c->is_ready && c->machine == NULL)
            carry(c);
    }
}

/* --- the push channel --- */

static void on_push_ready(void *user)
{
    struct machine *m = user;
    link_upgrade(m->push);
}

static void greeted(struct machine *m)
{
    struct shard *s = m->shard;
    s->starting--;
    s->welcome++;
    m->is_starting = false;
    m->failures = 0;
    if (now_ms(s) - s->since_ms > s->slowest_ms)
        s->slowest_ms = now_ms(s) - s->since_ms;
    if (s->job == JOB_CONNECT)
        count(s, true, "");
}

static bool says_same(const struct shard *s)
{
    return s->job == JOB_SAME || s->job == JOB_FORMER;
}

/* The next machine that has nothing under way. */
static void say_same(struct shard *s)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 256);
    for (size_t tries = 0; says_same(s) && s->started < s->wanted && tries < s->count; tries++) {
        struct machine *m = &s->machines[s->next++ % s->count];
        if (!m->is_welcome || m->is_asking_same)
            continue;
        m->is_asking_same = true;
        s->started++;
        wa_push_same_write(s->job == JOB_SAME ? m->sum : m->former, &text);
        link_send(m->push, wa_buf_sv(&text));
        return;
    }
}

static void on_push_text(void *user, struct wa_sv text)
{
    struct machine *m = user;
    struct shard *s = m->shard;
    struct wa_err err = WA_ERR_INIT;
    bool is_order = false, was_asking = m->is_asking_same;
    WA_AUTO_BUF struct wa_buf answer;
    wa_buf_init(&answer, 65536);
    if (speech_hear(m, text, &answer, &is_order, &err) != WA_OK ||
        wa_buf_check(&answer, &err) != WA_OK) {
        s->wrong++;
        (void)snprintf(s->why, sizeof s->why, "%s", err.text);
        return;
    }
    if (was_asking && !m->is_asking_same && says_same(s)) {
        count(s, true, "");
        say_same(s);
    }
    if (answer.n > 0)
        link_send(m->push, wa_buf_sv(&answer));
    else if (m->is_starting && m->is_welcome)
        greeted(m);
    if (!is_order)
        return;
    s->orders++;
    if (s->job == JOB_ORDERS)
        count(s, true, "");
}

static void on_push_end(void *user, const char *why)
{
    struct machine *m = user;
    struct shard *s = m->shard;
    m->push = NULL;
    (void)snprintf(s->why, sizeof s->why, "%s", why);
    s->lost++;
    if (m->is_starting)
        s->starting--;
    else
        s->welcome--;
    m->is_starting = m->is_welcome = m->is_asking_same = false;
    m->not_before_ms = now_ms(s) + wa_backoff(BACKOFF_FIRST_MS, BACKOFF_MAX_MS, m->failures++);
}

static void connect_one(struct machine *m)
{
    static const struct link_events events = {on_push_ready, NULL, on_push_text, on_push_end};
    struct shard *s = m->shard;
    m->push = link_new(s->has_certificates ? &m->place : &s->place, source_of(m), &events, m);
    if (m->push == NULL) { /* no descriptor: that is our own limit */
        m->not_before_ms = now_ms(s) + BACKOFF_FIRST_MS;
        (void)snprintf(s->why, sizeof s->why, "no descriptor");
        return;
    }
    m->is_starting = true;
    s->starting++;
}

/* Those that are not connected and whose time has come, as far as at_once allows. */
void work_clock(void *user)
{
    struct shard *s = user;
    uint64_t now = now_ms(s);
    if ((s->job == JOB_STATUS || s->job == JOB_REGISTER) && s->started < s->wanted)
        start_carriers(s);
    if (s->job != JOB_CONNECT || s->welcome + s->starting == s->count)
        return;
    for (size_t i = 0; i < s->count && s->starting < s->at_once; i++) {
        struct machine *m = &s->machines[i];
        if (m->push == NULL && now >= m->not_before_ms)
            connect_one(m);
    }
}

void work_drop(struct shard *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct machine *m = &s->machines[i];
        link_free(m->push);
        m->push = NULL;
        m->is_welcome = m->is_starting = false;
        m->failures = 0;
        m->not_before_ms = now_ms(s) + wa_backoff(BACKOFF_FIRST_MS, BACKOFF_MAX_MS, 0);
    }
    s->welcome = s->starting = 0;
}

void work_queue(struct shard *s, size_t times, size_t bytes)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, bytes + 256);
    wa_buf_adds(&text,
                "{\"type\":\"queue\",\"stopped\":false,\"left_out\":7,\"tasks\":[],\"pad\":\"");
    for (size_t i = 0; i < bytes; i++)
        wa_buf_addc(&text, 'x');
    wa_buf_adds(&text, "\"}");
    for (size_t i = 0; i < times && s->machines[0].push != NULL; i++)
        link_send(s->machines[0].push, wa_buf_sv(&text));
}

/* --- jobs --- */

enum wa_code work_begin(struct shard *s, enum job job, size_t wanted, size_t at_once,
                        struct wa_err *err)
{
    if (s->job != JOB_NONE)
        return wa_fail(err, WA_E_BUSY, "another job runs");
    s->job = job;
    s->started = s->done = s->failed = 0;
    s->slowest_ms = 0;
    s->at_once = at_once;
    s->carrier_count = at_once < LINKS_MAX ? at_once : LINKS_MAX;
    s->since_ms = now_ms(s);
    s->wanted = job == JOB_CONNECT ? s->count - s->welcome : wanted;
    if (job == JOB_ORDERS) /* those that came before this was asked */
        s->done = s->orders < wanted ? s->orders : wanted;
    if (s->done >= s->wanted)
        shard_done(s);
    else if (says_same(s))
        for (size_t k = 0; k < at_once; k++)
            say_same(s);
    else
        work_clock(s);
    return WA_OK;
}
