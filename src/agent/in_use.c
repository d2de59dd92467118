/* in_use.c - what is in use is left out of installs and removals; a roll-out comes back to it.
 *
 * A request is left out as a whole, with all that it would bring or take: half of it is nothing
 * that anybody asked for. A roll-out that left something out is neither done nor failed: its task
 * waits until one of the programs has ended, and is tried a last time shortly before its signed
 * end. Who keeps a program running keeps the package out until then, and no longer than an order
 * without the flag takes to come.
 */
#include "agent/in_use.h"

#include "codec/csv.h"
#include "os/clock.h"

#define LOOK_MS 10000u /* between two looks at what runs */
#define IN_VAIN_MS                                                                                 \
    60000u /* after a try that brought nothing: programs that come and go all the time */
#define REST_FACTOR                                                                                \
    20u               /* a look at very many processes is followed by so many times its own time */
#define LAST_TRY_S 60 /* before its end */

/* --- left out --- */

bool wa_in_use_step(const struct wa_step *step, char ret_program[WA_PROGRAM_MAX])
{
    const struct wa_control *both[] = {step->to, step->from != NULL ? &step->from->control : NULL};
    for (size_t i = 0; i < WA_COUNT(both); i++)
        if (step->kind != WA_STEP_KEEP && both[i] != NULL &&
            wa_moment_runs(wa_sv(wa_control_get(both[i], WA_A_IMPACTED_PROCESS)), ret_program))
            return true;
    return false;
}

static bool disturbs(const struct wa_plan *plan, char ret_program[WA_PROGRAM_MAX])
{
    for (size_t i = 0; i < plan->n; i++)
        if (wa_in_use_step(&plan->items[i], ret_program))
            return true;
    return false;
}

static enum wa_code make(const struct wa_task_run *run, const struct wa_scene *s,
                         const char *const *texts, size_t count, struct wa_plan *plan,
                         struct wa_err *err)
{
    wa_plan_fini(plan);
    wa_plan_init(plan);
    return run->request.op == WA_OP_REMOVE
               ? wa_plan_remove(&s->in, texts, count, plan, err)
               : wa_plan_install(&s->in, texts, count, run->request.force, plan, err);
}

static const struct wa_control *control_of(const struct wa_step *step)
{
    return step->to != NULL ? step->to : &step->from->control;
}

/* plan: of this request alone, or of more; it has a step at least. */
static void put_off(struct wa_task_run *run, const char *text, const struct wa_plan *plan,
                    const char *program)
{
    struct wa_request r = {.package = ""};
    struct wa_err ignored = WA_ERR_INIT;
    const struct wa_control *c = control_of(&plan->items[plan->n - 1]);
    if (wa_request_parse(wa_sv(text), &r, &ignored) == WA_OK)
        for (size_t i = 0; i < plan->n; i++)
            if (strcmp(wa_control_get(control_of(&plan->items[i]), WA_A_PACKAGE), r.package) == 0)
                c = control_of(&plan->items[i]);
    wa_task_say(run, "%s is put off, since '%s' runs\n", wa_control_get(c, WA_A_PACKAGE), program);
    wa_task_put_off_package(run, c, program);
}

/* Those whose own plan disturbs nothing come first; *ret_kept: so many. */
static enum wa_code leave_out(struct wa_task_run *run, const struct wa_scene *s, const char **texts,
                              size_t count, size_t *ret_kept, struct wa_err *err)
{
    *ret_kept = 0;
    for (size_t i = 0; i < count; i++) {
        WA_AUTO_PLAN struct wa_plan plan;
        char program[WA_PROGRAM_MAX];
        wa_plan_init(&plan);
        if (make(run, s, &texts[i], 1, &plan, err) != WA_OK)
            return err->code;
        if (disturbs(&plan, program))
            put_off(run, texts[i], &plan, program);
        else
            texts[(*ret_kept)++] = texts[i];
    }
    return WA_OK;
}

enum wa_code wa_in_use_plan(struct wa_task_run *run, const struct wa_scene *s, const char **texts,
                            size_t count, struct wa_plan *plan, struct wa_err *err)
{
    char program[WA_PROGRAM_MAX];
    for (;;) { /* each round leaves out one at least, or is the last */
        size_t kept = 0;
        if (leave_out(run, s, texts, count, &kept, err) != WA_OK ||
            make(run, s, texts, kept, plan, err) != WA_OK)
            return err->code;
        if (!disturbs(plan, program))
            return WA_OK;
        if (kept < count) { /* begun meanwhile */
            count = kept;
            continue;
        }
        for (size_t i = 0; i < kept; i++) /* only together */
            put_off(run, texts[i], plan, program);
        return make(run, s, texts, 0, plan, err);
    }
}

static bool names(const struct wa_control *c, enum wa_attr list, const struct wa_control *other)
{
    struct wa_sv rest = wa_sv(wa_control_get(c, list)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err ignored = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &ignored) == WA_OK &&
            strcmp(r.package, wa_control_get(other, WA_A_PACKAGE)) == 0)
            return true;
    }
    return false;
}

static bool belongs_to(const struct wa_control *c, const struct wa_control *late)
{
    return names(c, WA_A_DEPENDS, late) || names(late, WA_A_DEPENDS, c) ||
           names(c, WA_A_CONFLICTS, late) || names(late, WA_A_CONFLICTS, c);
}

enum wa_code wa_in_use_began(struct wa_task_run *run, const struct wa_step *step,
                             struct wa_in_use_late *late, bool *ret, struct wa_err *err)
{
    const struct wa_control *c = control_of(step);
    char program[WA_PROGRAM_MAX] = "";
    *ret = false;
    if (!run->request.only_if_not_running || step->kind == WA_STEP_KEEP)
        return WA_OK;
    *ret = wa_in_use_step(step, program);
    for (size_t i = 0; !*ret && i < late->n; i++)
        *ret = belongs_to(c, late->items[i]);
    if (!*ret)
        return WA_OK;
    const struct wa_control **slot = WA_VEC_PUSH(late);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = c;
    if (program[0] != '\0')
        wa_task_say(run, "%s is put off, since '%s' runs\n", wa_control_get(c, WA_A_PACKAGE),
                    program);
    else
        wa_task_say(run, "%s is put off with what it belongs to\n",
                    wa_control_get(c, WA_A_PACKAGE));
    wa_task_put_off_package(run, c, program[0] != '\0' ? program : NULL);
    return WA_OK;
}

/* --- come back to --- */

bool wa_in_use_waits(const struct wa_task_run *run, enum wa_code code)
{
    if (!run->request.only_if_not_running || run->is_over || !wa_task_is_of_rollout(run->task))
        return false;
    if (code == WA_OK || code == WA_E_BUSY)
        return run->postponed > 0;
    /* A machine that has left the network since has failed at nothing. */
    return run->task->is_in_use && code != WA_E_CANCELLED && run->first == WA_E_UNREACHABLE;
}

enum wa_code wa_in_use_wait(struct wa_task_run *run, const char *message, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    const struct wa_task *t = run->task;
    int64_t not_after = 0, now = wa_clock_now();
    if (wa_action_not_after(m->tdb, t->action_id, &not_after, err) != WA_OK)
        return err->code;
    int64_t last = not_after - LAST_TRY_S;
    bool is_last = now >= last, is_news = !t->is_in_use || run->done > run->done_before;
    enum wa_code code = is_last ? wa_task_finish(m->tdb, t->id, WA_E_BUSY, wa_sv(message),
                                                 wa_buf_sv(&run->log), err)
                                : wa_task_wait(m->tdb, t->id, last, run->waits_for, err);
    m->in_use_look_ms = wa_clock_mono_ms() + (is_news ? LOOK_MS : IN_VAIN_MS);
    if (code != WA_OK || (!is_news && !is_last))
        return code;
    return wa_outbox_drop(m->tdb, t->action_id, "postponed", err) == WA_OK
               ? wa_outbox_add(m->tdb, t->action_id, "postponed", wa_code_name(WA_E_BUSY),
                               wa_sv(message), wa_buf_sv(&run->packages), err)
               : err->code;
}

/* Whether one of them has ended; of none, too. */
static bool is_free(struct wa_sv programs)
{
    struct wa_sv item;
    char ignored[WA_PROGRAM_MAX];
    bool has_any = false;
    while (wa_csv_next(&programs, &item)) {
        if (!wa_moment_runs(item, ignored))
            return true;
        has_any = true;
    }
    return !has_any;
}

static enum wa_code next_waiting(struct wa_db *db, int64_t after, int64_t *ret_id, bool *ret_free,
                                 struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    *ret_id = 0;
    if (wa_db_prepare(db,
                      "SELECT id, waits_for FROM tasks WHERE state = 'queued' AND waits_for IS NOT "
                      "NULL AND not_before > ?1 AND id > ?2 ORDER BY id LIMIT 1",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, wa_clock_now());
    wa_bind_i64(s, 1, after);
    if (wa_step(s, &row, err) != WA_OK || !row)
        return err->code;
    *ret_id = wa_col_i64(s, 0);
    *ret_free = is_free(wa_col_sv(s, 1));
    wa_reset(s);
    return WA_OK;
}

void wa_in_use_look(struct wa_manager *m)
{
    struct wa_err err = WA_ERR_INIT;
    int64_t id = 0;
    bool found_free = false;
    uint64_t began = wa_clock_mono_ms();
    if (began < m->in_use_look_ms)
        return;
    enum wa_code code = next_waiting(m->tdb, 0, &id, &found_free, &err);
    while (code == WA_OK && id != 0) {
        if (found_free)
            code = wa_task_begin_again(m->tdb, id, &err);
        if (code == WA_OK)
            code = next_waiting(m->tdb, id, &id, &found_free, &err);
    }
    if (code != WA_OK)
        wa_log_err(&m->log, WA_LOG_ERROR, "database.failed", &err);
    uint64_t end = wa_clock_mono_ms(), rest = REST_FACTOR * (end - began);
    m->in_use_look_ms = end + (rest > LOOK_MS ? rest : LOOK_MS);
}
