/* local_stream.c - what happens, told to whom it concerns, as it happens.
 *
 * Whoever asked for a task follows it; who asked for events has the states and the progress of all,
 * never what they say: scripts that run as root may print secrets. What scripts say goes to root
 * and to administrators who have proven their password, about the tasks they follow.
 */
#include "agent/local_priv.h"
#include "agent/localapi.h"

struct news {
    struct wa_manager *m;
    int64_t task;
    enum wa_local_news what;
    size_t n;
    char line[];
};

static bool concerns(const struct wa_client *c, const struct news *e)
{
    bool follows = c->stage == WA_STAGE_FOLLOWING && c->task == e->task;
    switch (e->what) {
    case WA_NEWS_GENERAL:
        return c->stage == WA_STAGE_STREAMING;
    case WA_NEWS_PROGRESS:
        return follows || c->stage == WA_STAGE_STREAMING;
    case WA_NEWS_TALK:
    case WA_NEWS_RESULT:
        return follows;
    case WA_NEWS_SCRIPT:
    case WA_NEWS_SCRIPT_RESULT:
        return follows && c->sees_scripts;
    }
    return false;
}

static void deliver(void *user)
{
    struct news *e = user;
    for (struct wa_client *c = e->m->local != NULL ? e->m->local->first : NULL, *next; c != NULL;
         c = next) {
        next = c->next;
        if (!concerns(c, e))
            continue;
        if (e->what == WA_NEWS_RESULT || e->what == WA_NEWS_SCRIPT_RESULT)
            (void)wa_client_last(c, wa_sv_n(e->line, e->n));
        else
            (void)wa_client_tell(c, wa_sv_n(e->line, e->n));
    }
    wa_free(e);
}

static void post(struct wa_manager *m, int64_t task, enum wa_local_news what, struct wa_sv line)
{
    struct wa_err err = WA_ERR_INIT;
    struct news *e = wa_calloc(1, sizeof *e + line.n);
    if (e == NULL)
        return; /* the outcome is in the database all the same */
    *e = (struct news){.m = m, .task = task, .what = what, .n = line.n};
    memcpy(e->line, line.p, line.n);
    if (wa_loop_post(m->loop, deliver, e, &err) != WA_OK)
        wa_free(e);
}

void wa_local_answer_tell(struct wa_manager *m, int64_t task, enum wa_local_news what,
                          const struct wa_local_answer *a, struct wa_sv data)
{
    WA_AUTO_BUF struct wa_buf line;
    wa_buf_init(&line, WA_JSON_BYTES_MAX);
    wa_local_answer_write(a, data, &line);
    if (line.failed == WA_OK)
        post(m, task, what, wa_buf_sv(&line));
}

void wa_local_cancelled(struct wa_manager *m, int64_t task, const char *why)
{
    const struct wa_local_answer a = {
        .event = WA_EV_RESULT, .code = WA_E_CANCELLED, .text = wa_sv(why)};
    wa_local_answer_tell(m, task, WA_NEWS_RESULT, &a, WA_SV(""));
}

void wa_local_state(struct wa_manager *m, bool is_stopped)
{
    const struct wa_local_answer a = {.event = WA_EV_SERVICE,
                                      .text = is_stopped ? WA_SV("stopped") : WA_SV("working")};
    wa_local_answer_tell(m, 0, WA_NEWS_GENERAL, &a, WA_SV(""));
}

void wa_local_states(struct wa_sv packages, struct wa_buf *out)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *all = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct wa_jw w;
    wa_arena_init(&arena, 8 * WA_JSON_BYTES_MAX);
    if (wa_json_parse(packages, 0, &arena, &all, &err) != WA_OK)
        return; /* then nothing is told of them */
    wa_jw_init(&w, out);
    wa_jw_arr(&w);
    for (size_t i = 0; i < wa_json_count(all); i++) {
        const struct wa_json *one = wa_json_at(all, i);
        wa_jw_obj(&w);
        for (size_t k = 0; k < wa_json_count(one); k++) {
            if (wa_sv_eqs(wa_json_key_at(one, k), "message"))
                continue;
            wa_jw_keysv(&w, wa_json_key_at(one, k));
            wa_jw_json(&w, wa_json_at(one, k));
        }
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
}

/* --- upgrades --- */

static int64_t count_upgrades(struct wa_db *db)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&text, 1u << 20);
    wa_arena_init(&arena, 16u << 20);
    if (wa_param_get(db, "last_update_status", &text, &err) != WA_OK || text.n == 0 ||
        wa_json_parse(wa_buf_sv(&text), 0, &arena, &j, &err) != WA_OK)
        return 0;
    return (int64_t)wa_json_count(wa_json_get(j, "upgrades"));
}

void wa_local_upgrades(struct wa_manager *m)
{
    const struct wa_local_answer a = {.event = WA_EV_UPGRADES, .count = count_upgrades(m->tdb)};
    wa_local_answer_tell(m, 0, WA_NEWS_GENERAL, &a, WA_SV(""));
}

/* How things stand, then what changes. */
void wa_stream_begin(struct wa_client *c)
{
    struct wa_manager *m = c->local->m;
    wa_lock_take(m->lock);
    bool is_stopped = m->stopped_until_ms != 0;
    int64_t task = m->running_task;
    wa_lock_give(m->lock);
    const struct wa_local_answer all[] = {
        {.event = WA_EV_SERVICE, .text = is_stopped ? WA_SV("stopped") : WA_SV("working")},
        {.event = WA_EV_UPGRADES, .count = count_upgrades(m->db)},
        {.event = WA_EV_TASK, .id = task, .text = WA_SV("running")}};
    wa_client_stage(c, WA_STAGE_STREAMING);
    for (size_t i = 0; i < WA_COUNT(all) - (task == 0 ? 1 : 0); i++)
        if (!wa_client_answer(c, &all[i], WA_SV("")))
            return;
}
