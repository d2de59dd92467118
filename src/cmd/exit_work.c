/* exit_work.c - waptexit and the service: questions, the countdown, and the upgrade with its end.
 *
 * Nothing here waits without end: a service that says nothing for half a minute is asked whether it
 * is there, and given up when it isn't; at shutdown the task is cancelled when the time is over,
 * which ends its scripts with all that they have started, and the service records it so. */
#include "base/text.h"
#include "cmd/exit.h"
#include "os/clock.h"
#include "os/pipe.h"
#include "os/service.h"

#define SILENCE_MS 30000u      /* of the service, until it is looked after */
#define CONNECT_MS 5000u       /* for a service that is just being started again */
#define END_MS 30000u          /* until a cancelled task has ended */
#define STOPPED_MAX_MS 300000u /* a countdown that was stopped goes on then, at shutdown */
#define TURN_MS 250
#define LIFE_MS                                                                                    \
    10000u /* between two signs of life for systemd; a third of what each is good for              \
            */
#define MORE_TIME "EXTEND_TIMEOUT_USEC=60000000"

static uint64_t later(uint64_t ms)
{
    uint64_t now = wa_clock_mono_ms();
    return ms < UINT64_MAX - now ? now + ms : UINT64_MAX;
}

/* --- questions --- */

static enum wa_code connect_to(struct wa_leave *l, struct wa_call *c, struct wa_err *err)
{
    uint64_t until = later(CONNECT_MS);
    for (;;) {
        struct wa_err why = WA_ERR_INIT;
        if (wa_call_open(c, l->config, false, &why) == WA_OK)
            return WA_OK;
        if (why.code != WA_E_UNREACHABLE || wa_clock_mono_ms() >= until) {
            *err = why;
            return err->code;
        }
        wa_clock_sleep_ms(TURN_MS);
    }
}

/* Until something can be read from either, or a moment has passed. keys: may be -1. */
static enum wa_code wait_for(int fd, int keys, bool *ret_fd, bool *ret_keys, struct wa_err *err)
{
    struct wa_pipe_wait list[] = {{fd, false, false}, {keys, false, false}};
    size_t ignored;
    if (wa_pipe_wait(list, WA_COUNT(list), TURN_MS, &ignored, err) != WA_OK)
        return err->code;
    *ret_fd = list[0].is_ready;
    *ret_keys = list[1].is_ready;
    return WA_OK;
}

static enum wa_code answer(struct wa_call *c, struct wa_arena *arena, const struct wa_json **ret,
                           struct wa_err *err)
{
    uint64_t until = later(SILENCE_MS);
    struct wa_sv line;
    bool is_ready = false, ignored;
    while (!wa_call_next(c, &line)) {
        if (wa_clock_mono_ms() >= until)
            return wa_fail(err, WA_E_UNREACHABLE,
                           "the service does not answer: look at its log, or restart it");
        if (wait_for(c->fd, -1, &is_ready, &ignored, err) != WA_OK ||
            (is_ready && wa_call_read(c, err) != WA_OK))
            return err->code;
    }
    struct wa_local_answer a;
    if (wa_local_answer_read(line, arena, &a, err) != WA_OK)
        return err->code;
    if (a.event != WA_EV_RESULT)
        return wa_fail(err, WA_E_DENIED, "the service asks for more than waptexit may have");
    if (a.code != WA_OK)
        return wa_fail(err, a.code, "%.*s", WA_SV_ARG(a.text));
    *ret = a.data;
    return WA_OK;
}

enum wa_code wa_leave_ask(struct wa_leave *l, enum wa_local_op op, int64_t task,
                          struct wa_arena *arena, const struct wa_json **ret, struct wa_err *err)
{
    const struct wa_local_request r = {.op = op, .task_id = task};
    WA_AUTO_CALL struct wa_call c;
    wa_call_init(&c);
    return connect_to(l, &c, err) == WA_OK && wa_call_ask(&c, &r, err) == WA_OK
               ? answer(&c, arena, ret, err)
               : err->code;
}

static void cancel(struct wa_leave *l, int64_t task)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *ignored = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 1u << 20);
    if (wa_leave_ask(l, WA_OP_CANCEL, task, &arena, &ignored, &err) != WA_OK &&
        err.code != WA_E_NOT_FOUND) /* it has just ended */
        wa_leave_tell(l, "task %lld can't be ended: %s", (long long)task, err.text);
}

/* --- the countdown --- */

/* That systemd, which ends what it takes for hanging, sees that somebody is at work. */
static void show_life(const struct wa_leave *l, uint64_t *next_ms)
{
    uint64_t now = wa_clock_mono_ms();
    if (!l->is_shutdown || now < *next_ms)
        return;
    wa_service_notify(MORE_TIME);
    *next_ms = now + LIFE_MS;
}

static void show_countdown(struct wa_leave *l, const struct wa_countdown *c, uint64_t now)
{
    const char *refuse = c->may_refuse ? wa_text("  [n] not now") : "";
    if (c->is_stopped)
        wa_leave_line(l, "The countdown is stopped.  [u] upgrade now%s  [d] details", refuse);
    else
        wa_leave_line(
            l, "The upgrade begins in %llu s.  [u] now%s  [s] stop the countdown  [d] details",
            (unsigned long long)wa_countdown_left_s(c, now), refuse);
}

enum wa_choice wa_leave_choose(struct wa_leave *l, const struct wa_json *names)
{
    struct wa_countdown c;
    enum wa_choice choice = l->term == NULL ? WA_CHOICE_UPGRADE : WA_CHOICE_NONE;
    uint64_t life = 0;
    wa_countdown_start(&c, wa_clock_mono_ms(), l->wait_ms,
                       l->is_shutdown ? STOPPED_MAX_MS : UINT64_MAX, l->may_refuse);
    while (choice == WA_CHOICE_NONE) {
        struct wa_err err = WA_ERR_INIT;
        bool ignored, has_key = false, all = c.shows_all;
        uint64_t now = wa_clock_mono_ms();
        char key;
        show_countdown(l, &c, now);
        show_life(l, &life);
        choice = wa_countdown_turn(&c, now);
        if (choice != WA_CHOICE_NONE)
            break;
        if (wait_for(-1, wa_term_fd(l->term), &ignored, &has_key, &err) != WA_OK)
            return WA_CHOICE_UPGRADE; /* nobody can be asked */
        if (!has_key)
            continue;
        if (!wa_term_key(l->term, &key)) { /* it has gone */
            wa_clock_sleep_ms(TURN_MS);
            continue;
        }
        choice = wa_countdown_key(&c, now, key);
        if (c.shows_all && !all)
            wa_leave_list(l, names, true);
    }
    wa_leave_line(l, "%s", "");
    return choice;
}

/* --- the upgrade --- */

struct work {
    struct wa_leave *l;
    struct wa_call call;
    int64_t task;      /* 0: not known yet */
    uint64_t heard_ms; /* when the service was last heard */
    uint64_t life_ms;  /* when systemd hears the next time */
    uint64_t end_ms;   /* when it is given up after all; UINT64_MAX: not yet cancelled */
    bool shows_all;    /* details */
    bool is_cancelled; /* by the person, or by the time */
    bool has_left, is_done;
    enum wa_code code; /* of the result */
};

static void stop(struct work *w)
{
    if (w->is_cancelled)
        return;
    w->is_cancelled = true;
    w->end_ms = later(END_MS);
    if (w->task != 0)
        cancel(w->l, w->task);
}

static bool has_failed(const struct wa_json *package)
{
    return wa_sv_eqs(wa_json_sv(wa_json_get(package, "status")), "ERROR");
}

/* How many are done, and which failed; why is told to some only. */
static void tell_packages(struct wa_leave *l, const struct wa_json *packages)
{
    size_t good = 0, bad = 0;
    for (size_t i = 0; i < wa_json_count(packages); i++) {
        const struct wa_json *p = wa_json_at(packages, i);
        struct wa_sv status = wa_json_sv(wa_json_get(p, "status"));
        bool is_left = wa_sv_eqs(status, "KEPT") || wa_sv_eqs(status, "POSTPONED");
        bad += has_failed(p) ? 1 : 0;
        good += has_failed(p) || is_left ? 0 : 1;
    }
    if (bad > 0)
        wa_leave_tell(l, "%zu done, %zu failed:", good, bad);
    else
        wa_leave_tell(l, "%zu done.", good);
    for (size_t i = 0; bad > 0 && i < wa_json_count(packages); i++) {
        const struct wa_json *p = wa_json_at(packages, i);
        struct wa_sv name = wa_json_sv(wa_json_get(p, "package")),
                     why = wa_json_sv(wa_json_get(p, "message"));
        if (has_failed(p) && (name.n > 0 || why.n > 0))
            wa_leave_tell(l, "    %.*s%s%.*s", WA_SV_ARG(name), name.n > 0 && why.n > 0 ? ": " : "",
                          WA_SV_ARG(why));
    }
}

static enum wa_code take_line(struct work *w, struct wa_sv line, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_local_answer a;
    wa_arena_init(&arena, 64u << 20);
    if (wa_local_answer_read(line, &arena, &a, err) != WA_OK)
        return err->code;
    switch (a.event) {
    case WA_EV_AUTH:
        return wa_fail(err, WA_E_DENIED, "the service asks for more than waptexit may have");
    case WA_EV_TASK:
        w->task = a.id;
        break;
    case WA_EV_SERVICE:
    case WA_EV_UPGRADES:
    case WA_EV_MISSED: /* for those who watch */
        break;
    case WA_EV_PROGRESS:
        if (!w->shows_all && a.total > 0 && a.done >= 0 && a.done <= a.total)
            wa_leave_line(w->l, "%lld %% of this step",
                          (long long)((double)a.done * 100.0 / (double)a.total));
        break;
    case WA_EV_OUTPUT:
        wa_leave_output(w->l, a.text, w->shows_all);
        break;
    case WA_EV_RESULT:
        w->is_done = true;
        w->code = a.code;
        tell_packages(w->l, a.data);
        if (w->l->cli->json)
            wa_jw_json(&w->l->cli->jw, a.data);
        return a.code == WA_OK ? WA_OK : wa_fail(err, a.code, "%.*s", WA_SV_ARG(a.text));
    }
    return WA_OK;
}

static void take_key(struct work *w)
{
    char key = 0;
    if (!wa_term_key(w->l->term, &key)) {
        wa_clock_sleep_ms(TURN_MS); /* it has gone: its end is not read again and again */
        return;
    }
    if (key == 'd' || key == 'D') {
        w->shows_all = !w->shows_all;
        wa_leave_tell(w->l, w->shows_all ? WA_TEXT("All that is said is shown.")
                                         : WA_TEXT("The last line is shown."));
    } else if ((key == 'c' || key == 'C') && w->l->may_refuse) {
        wa_leave_tell(w->l, "It is being ended.");
        stop(w);
    } else if (key == 3 && !w->l->is_shutdown) {
        w->has_left = true;
    }
}

/* A service that is at work may have nothing to say for long. */
static enum wa_code look_after(struct work *w, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *ignored = NULL;
    wa_arena_init(&arena, 16u << 20);
    if (wa_clock_mono_ms() - w->heard_ms < SILENCE_MS)
        return WA_OK;
    if (wa_leave_ask(w->l, WA_OP_STATUS, 0, &arena, &ignored, err) != WA_OK)
        return err->code;
    w->heard_ms = wa_clock_mono_ms();
    return WA_OK;
}

/* One turn: the time, the person, the service. */
static enum wa_code turn(struct work *w, struct wa_err *err)
{
    struct wa_leave *l = w->l;
    bool has_line = false, has_key = false;
    struct wa_sv line;
    show_life(l, &w->life_ms);
    if (wa_clock_mono_ms() >= l->deadline_ms && !w->is_cancelled) {
        wa_leave_tell(l, "The time for the upgrade is over: what is at work is ended.");
        stop(w);
        if (l->others != 0)
            cancel(l, l->others);
    }
    if (wa_clock_mono_ms() >= w->end_ms)
        return wa_fail(err, WA_E_TIMEOUT, "what was cancelled does not end");
    if (wait_for(w->call.fd, l->term != NULL ? wa_term_fd(l->term) : -1, &has_line, &has_key,
                 err) != WA_OK)
        return err->code;
    if (has_key)
        take_key(w);
    if (!has_line)
        return look_after(w, err);
    w->heard_ms = wa_clock_mono_ms();
    if (wa_call_read(&w->call, err) != WA_OK)
        return err->code;
    while (!w->is_done && wa_call_next(&w->call, &line))
        if (take_line(w, line, err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_leave_upgrade(struct wa_leave *l, struct wa_err *err)
{
    const struct wa_local_request r = {.op = WA_OP_UPGRADE,
                                       .only_if_not_running = l->spares_running,
                                       .priorities = wa_sv(l->priorities)};
    struct work w = {.l = l, .heard_ms = wa_clock_mono_ms(), .end_ms = UINT64_MAX};
    wa_call_init(&w.call);
    enum wa_code code = connect_to(l, &w.call, err);
    if (code == WA_OK)
        code = wa_call_ask(&w.call, &r, err);
    if (code == WA_OK) {
        wa_leave_tell(l, "Upgrading. Please leave the machine on.");
        wa_leave_line(l,
                      l->may_refuse ? WA_TEXT("[d] details  [c] cancel") : WA_TEXT("[d] details"));
    }
    while (code == WA_OK && !w.is_done && !w.has_left)
        code = turn(&w, err);
    wa_call_fini(&w.call);
    wa_leave_line(l, "%s", "");
    if (w.has_left)
        return wa_fail(err, WA_E_CANCELLED, "left: the service goes on with the upgrade");
    if (w.is_cancelled && wa_clock_mono_ms() >= l->deadline_ms && code != WA_OK) {
        wa_err_clear(err);
        return wa_fail(err, WA_E_TIMEOUT,
                       "the time was over before the upgrade was done: what is left stays pending");
    }
    return code;
}
