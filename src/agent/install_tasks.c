/* install_tasks.c - plans carried out: install, download, upgrade, remove, forget. One package's
 * failure stops what depends on it, no more. */
#include "agent/hook.h"
#include "agent/in_use.h"
#include "agent/install_priv.h"
#include "agent/journal.h"
#include "agent/selfservice.h"
#include "agent/work.h"

#include "base/date.h"
#include "base/vec.h"
#include "codec/csv.h"
#include "os/clock.h"

/* NULL: it is not set up any more. */
static const struct wa_agent_repo *repo_of(const struct wa_manager *m, const struct wa_scene *s,
                                           const struct wa_control *c)
{
    return wa_agent_repo_find(&m->config, s->available.repos[c - s->available.items]);
}

static const struct wa_installed_row *row_of(const struct wa_scene *s, const struct wa_installed *i)
{
    return &s->installed.items[i - s->bare];
}

struct names {
    WA_VEC(const char *);
};

/* f: packages that failed; what needs them is not tried. */
static bool needs_failed(const struct names *f, const struct wa_control *c)
{
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_DEPENDS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &err) != WA_OK)
            continue;
        for (size_t i = 0; i < f->n; i++)
            if (strcmp(f->items[i], r.package) == 0)
                return true;
    }
    return false;
}

/* By a person or an order: what the schedule names was wanted for another reason. */
static bool was_asked_for(const struct wa_task_run *run, const char *package)
{
    if (wa_task_is_scheduled(run->task) || run->request.as_upgrade)
        return false;
    for (size_t i = 0; i < run->request.package_count; i++) {
        struct wa_request r;
        struct wa_err err = WA_ERR_INIT;
        if (wa_request_parse(run->request.packages[i], &r, &err) == WA_OK &&
            strcmp(r.package, package) == 0)
            return true;
    }
    return false;
}

/* What it was given before, and what it is given now, which counts more; "": nothing. */
static enum wa_code merge_params(const char *former, struct wa_sv given, struct wa_buf *out,
                                 struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *old = NULL, *new = NULL;
    struct wa_jw w;
    wa_arena_init(&arena, 16 * WA_LOCAL_REQUEST_MAX);
    if (given.n == 0 || former == NULL || former[0] == '\0') {
        wa_buf_adds(out, given.n == 0 && former != NULL ? former : "");
        wa_buf_addsv(out, given);
        return wa_buf_check(out, err);
    }
    if (wa_params_check(wa_sv(former), &arena, &old, err) != WA_OK ||
        wa_params_check(given, &arena, &new, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    for (size_t i = 0; i < wa_json_count(old); i++) {
        struct wa_sv key = wa_json_key_at(old, i);
        bool is_given = false;
        for (size_t k = 0; k < wa_json_count(new); k++)
            is_given = is_given || wa_sv_eq(wa_json_key_at(new, k), key);
        if (is_given)
            continue;
        wa_jw_keysv(&w, key);
        wa_jw_json(&w, wa_json_at(old, i));
    }
    for (size_t k = 0; k < wa_json_count(new); k++) {
        wa_jw_keysv(&w, wa_json_key_at(new, k));
        wa_jw_json(&w, wa_json_at(new, k));
    }
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

/* What is nobody's fault but the package's, or the machine's with it. */
static void note_failure(struct wa_task_run *run, const struct wa_control *c,
                         const struct wa_err *why)
{
    struct wa_err err = WA_ERR_INIT;
    if (why->code == WA_E_CANCELLED || why->code == WA_E_UNREACHABLE || run->is_postponed ||
        run->is_lost)
        return;
    if (wa_attempt_failed(run->m->tdb, wa_control_get(c, WA_A_PACKAGE),
                          wa_control_get(c, WA_A_VERSION), why->text, false, wa_clock_now(),
                          &err) != WA_OK)
        wa_log_err(&run->m->log, WA_LOG_ERROR, "database.failed", &err);
}

static enum wa_code install_step(struct wa_task_run *run, const struct wa_scene *s,
                                 const struct wa_step *step, bool asked, bool *ret_counts,
                                 struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf params;
    wa_buf_init(&params, WA_JSON_BYTES_MAX);
    const struct wa_sv given = asked ? run->request.params : WA_SV("");
    if (merge_params(step->from != NULL ? row_of(s, step->from)->params : NULL, given, &params,
                     err) != WA_OK)
        return err->code;
    const struct wa_install in = {.to = step->to,
                                  .from = step->from,
                                  .repo = repo_of(run->m, s, step->to),
                                  .params = params.n > 0 ? wa_buf_str(&params) : NULL,
                                  .is_explicit = asked,
                                  .force = run->request.force};
    if (wa_install_one(run, &in, ret_counts, err) != WA_OK)
        note_failure(run, step->to, err);
    return err->code;
}

static enum wa_code remember(struct names *f, const char *package, struct wa_err *err)
{
    const char **slot = WA_VEC_PUSH(f);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = package;
    return WA_OK;
}

static enum wa_code do_step(struct wa_task_run *run, const struct wa_scene *s,
                            const struct wa_step *step, struct names *f, struct wa_err *err)
{
    bool counts = true;
    struct wa_manager *m = run->m;
    if (wa_task_may_go_on(run, err) != WA_OK)
        return err->code;
    if (step->kind == WA_STEP_REMOVE)
        return wa_remove_one(run, row_of(s, step->from), err);
    const char *package =
        wa_control_get(step->to != NULL ? step->to : &step->from->control, WA_A_PACKAGE);
    bool asked = was_asked_for(run, package);
    if (step->kind == WA_STEP_KEEP)
        return asked ? wa_installed_set_explicit(m->tdb, package, err) : WA_OK;
    if (needs_failed(f, step->to)) {
        (void)wa_fail(err, WA_E_FAILED,
                      "not installed, since a package it needs failed, or has a status of its own");
        note_failure(run, step->to, err);
        return err->code;
    }
    if (install_step(run, s, step, asked, &counts, err) == WA_OK && !counts)
        return remember(f, package, err);
    return err->code;
}

static const char *verb(enum wa_step_kind kind)
{
    static const char *const verbs[] = {"installing", "upgrading", "removing", "keeping"};
    return verbs[kind];
}

/* What can't be planned. Where something was put off, only what was in the way before, too, is a
 * failure: the rest waits with it. */
static void tell_problems(struct wa_task_run *run, const struct wa_plan *plan, const char *before)
{
    struct wa_sv rest = wa_sv(plan->problems), line;
    while (plan->problems[0] != '\0' && wa_sv_split(&rest, '\n', &line)) {
        struct wa_err why = WA_ERR_INIT;
        (void)wa_fail(&why, WA_E_NOT_FOUND, "%.*s", WA_SV_ARG(line));
        if (before == NULL || strstr(before, why.text) != NULL)
            wa_task_package(run, NULL, "MISSING", &why);
        else
            wa_task_say(run, "%s\n", why.text);
    }
}

static enum wa_code carry_out(struct wa_task_run *run, const struct wa_scene *s,
                              const struct wa_plan *plan, struct wa_err *err)
{
    struct names f = {NULL, 0, 0};
    struct wa_in_use_late late = {.items = NULL};
    enum wa_code code = WA_OK;
    run->plan = plan;
    for (size_t i = 0; code == WA_OK && i < plan->n; i++) {
        run->plan_at = i;
        wa_task_step(run);
        const struct wa_step *step = &plan->items[i];
        const struct wa_control *c = step->to != NULL ? step->to : &step->from->control;
        struct wa_err why = WA_ERR_INIT;
        bool is_late = false;
        code = wa_in_use_began(run, step, &late, &is_late, err);
        if (code != WA_OK || is_late)
            continue;
        if (step->kind != WA_STEP_KEEP)
            wa_task_say(run, "%s %s(=%s): %s\n", verb(step->kind), wa_control_get(c, WA_A_PACKAGE),
                        wa_control_get(c, WA_A_VERSION), step->why);
        if (do_step(run, s, step, &f, &why) == WA_OK) {
            wa_task_package(run, c,
                            step->kind == WA_STEP_REMOVE ? "REMOVED"
                            : step->kind == WA_STEP_KEEP ? "KEPT"
                                                         : "OK",
                            NULL);
            continue;
        }
        if (run->is_postponed) { /* neither begun nor failed */
            *err = why;
            code = why.code;
            break;
        }
        code = remember(&f, wa_control_get(c, WA_A_PACKAGE), err);
        wa_task_package(run, c, "ERROR", &why);
        if (why.code == WA_E_CANCELLED || why.code == WA_E_NO_SPACE) {
            *err = why;
            code = why.code;
        }
    }
    run->plan = NULL;
    WA_VEC_FREE(&late);
    WA_VEC_FREE(&f);
    return code;
}

/* Before an interruption the task has done what was asked of this package. */
static bool is_done_before(const struct wa_task_run *run, struct wa_sv text)
{
    struct wa_request r;
    struct wa_err ignored = WA_ERR_INIT;
    return run->task->done[0] != '\0' && wa_request_parse(text, &r, &ignored) == WA_OK &&
           wa_task_has_done(run->task, wa_sv(r.package));
}

/* Until when the machine leaves this version alone, as it failed before; 0: it may be tried. Who
 * asks for it, or orders it, gets it tried. */
static int64_t waits_until(const struct wa_task_run *run, const struct wa_control *c)
{
    struct wa_err err = WA_ERR_INIT;
    int64_t next = 0;
    if (!wa_task_is_scheduled(run->task))
        return 0;
    if (wa_attempt_next(run->m->tdb, wa_control_get(c, WA_A_PACKAGE),
                        wa_control_get(c, WA_A_VERSION), wa_clock_now(), &next, &err) != WA_OK)
        wa_log_err(&run->m->log, WA_LOG_ERROR, "database.failed", &err);
    return next;
}

static void tell_wait(struct wa_task_run *run, const struct wa_control *c, int64_t next)
{
    char when[WA_DATE_MAX];
    wa_date_isolocal(next, 0, when);
    wa_task_say(run, "%s(=%s) failed before: it is tried again after %s\n",
                wa_control_get(c, WA_A_PACKAGE), wa_control_get(c, WA_A_VERSION), when);
    wa_task_put_off_package(run, c, NULL);
}

/* The requirement texts of the task, NUL-terminated, in an arena, but for those done before. */
static enum wa_code requests(const struct wa_task_run *run, struct wa_arena *arena,
                             const char **out, size_t *ret_count, struct wa_err *err)
{
    *ret_count = 0;
    for (size_t i = 0; i < run->request.package_count; i++) {
        if (is_done_before(run, run->request.packages[i]))
            continue;
        out[*ret_count] = wa_arena_strdup(arena, run->request.packages[i]);
        if (out[(*ret_count)++] == NULL)
            return wa_nomem(err);
    }
    return WA_OK;
}

/* force: what is asked for is in the plan also when it is installed. */
static enum wa_code plan_install(struct wa_task_run *run, struct wa_scene *s, bool force,
                                 struct wa_plan *plan, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const char *texts[WA_COUNT(run->request.packages)];
    size_t count = 0;
    wa_arena_init(&arena, 1u << 20);
    if (wa_scene_load(run->m, s, err) != WA_OK ||
        requests(run, &arena, texts, &count, err) != WA_OK)
        return err->code;
    bool spares = run->request.only_if_not_running && run->request.op == WA_OP_INSTALL;
    if ((spares ? wa_in_use_plan(run, s, texts, count, plan, err)
                : wa_plan_install(&s->in, texts, count, force, plan, err)) != WA_OK)
        return err->code;
    tell_problems(run, plan, NULL);
    return WA_OK;
}

enum wa_code wa_task_install(struct wa_task_run *run, struct wa_err *err)
{
    WA_AUTO_SCENE struct wa_scene s;
    WA_AUTO_PLAN struct wa_plan plan;
    wa_plan_init(&plan);
    if (plan_install(run, &s, run->request.force, &plan, err) != WA_OK ||
        wa_self_check_plan(run, &plan, err) != WA_OK)
        return err->code;
    return carry_out(run, &s, &plan, err);
}

/* ahead: for an upgrade that will judge what it finds in the cache; else it is judged now. */
static enum wa_code download_step(struct wa_task_run *run, const struct wa_scene *s,
                                  const struct wa_control *c, bool ahead, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    size_t at = 0;
    const struct wa_agent_repo *repo = repo_of(run->m, s, c);
    return ahead ? wa_download_open(run, c, repo, &at, &fd, err)
                 : wa_download_one(run, c, repo, run->request.force, err);
}

static enum wa_code download_all(struct wa_task_run *run, const struct wa_scene *s,
                                 const struct wa_plan *plan, bool ahead, struct wa_err *err)
{
    run->plan = plan; /* all of it stays needed: that is what is downloaded for */
    for (size_t i = 0; i < plan->n; i++) {
        struct wa_err why = WA_ERR_INIT;
        const struct wa_control *c = plan->items[i].to;
        if (wa_task_may_go_on(run, err) != WA_OK)
            return err->code;
        if (c == NULL || (!ahead && plan->items[i].kind == WA_STEP_KEEP))
            continue;
        bool is_there = download_step(run, s, c, ahead, &why) == WA_OK;
        if (is_there && !ahead)
            wa_task_say(run, "%s(=%s): downloaded as '%s'\n", wa_control_get(c, WA_A_PACKAGE),
                        wa_control_get(c, WA_A_VERSION), wa_control_get(c, WA_A_FILENAME));
        wa_task_package(run, c, "DOWNLOADED", is_there ? NULL : &why);
    }
    return WA_OK;
}

enum wa_code wa_task_download(struct wa_task_run *run, struct wa_err *err)
{
    WA_AUTO_SCENE struct wa_scene s;
    WA_AUTO_PLAN struct wa_plan plan;
    wa_plan_init(&plan);
    if (plan_install(run, &s, true, &plan, err) != WA_OK)
        return err->code;
    return download_all(run, &s, &plan, false, err);
}

/* Holds what is in use, and what failed before and is not to be tried yet. *ret_held: something
 * was. */
static enum wa_code hold_what_waits(struct wa_task_run *run, struct wa_scene *s,
                                    const struct wa_plan *plan, bool *ret_held, struct wa_err *err)
{
    *ret_held = false;
    for (size_t i = 0; i < plan->n; i++) {
        const struct wa_step *step = &plan->items[i];
        const struct wa_control *c = step->to != NULL ? step->to : &step->from->control;
        char program[WA_PROGRAM_MAX];
        int64_t next = step->to != NULL ? waits_until(run, step->to) : 0;
        bool in_use = run->request.only_if_not_running && wa_in_use_step(step, program);
        if (!in_use && next == 0)
            continue;
        *ret_held = true;
        if (in_use) {
            wa_task_say(run, "%s is put off, since '%s' runs\n", wa_control_get(c, WA_A_PACKAGE),
                        program);
            wa_task_put_off_package(run, c, program);
        } else {
            tell_wait(run, c, next);
        }
        if (wa_scene_hold(s, wa_control_get(c, WA_A_PACKAGE), err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* Whether the upgrade is for what the step brings. */
static bool is_for(const struct wa_task_run *run, const struct wa_step *step)
{
    return step->kind != WA_STEP_KEEP && step->to != NULL &&
           wa_csv_has(run->request.priorities, wa_sv(wa_control_get(step->to, WA_A_PRIORITY)));
}

static enum wa_code want(struct names *wanted, const struct wa_control *c, struct wa_arena *arena,
                         struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 1024);
    wa_entry_requirement(c, &text);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    const char *copy = wa_arena_strdup(arena, wa_buf_sv(&text)),
               **slot = copy != NULL ? WA_VEC_PUSH(wanted) : NULL;
    if (slot == NULL)
        return wa_nomem(err);
    *slot = copy;
    return WA_OK;
}

/* Of the upgrade's plan what has one of the priorities, with all that it needs, and no more: as if
 * somebody had asked for these packages in these versions. */
static enum wa_code plan_of_priorities(const struct wa_task_run *run, const struct wa_scene *s,
                                       struct wa_plan *plan, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct names wanted = {NULL, 0, 0};
    enum wa_code code = WA_OK;
    wa_arena_init(&arena, WA_SCENE_BYTES_MAX);
    for (size_t i = 0; code == WA_OK && i < plan->n; i++)
        if (is_for(run, &plan->items[i]))
            code = want(&wanted, plan->items[i].to, &arena, err);
    wa_plan_fini(plan);
    wa_plan_init(plan);
    if (code == WA_OK) /* also of none: an empty plan */
        code = wa_plan_install(&s->in, wanted.items, wanted.n, false, plan, err);
    WA_VEC_FREE(&wanted);
    return code;
}

#define PLANS_MAX 16u /* each holds at least one package more than the one before */

/* The plan with nothing in it that is in use, when that is asked for: what waits is held, and the
 * rest planned without it. before: the problems of the plan without that, empty when it is the
 * same. */
static enum wa_code plan_upgrade(struct wa_task_run *run, struct wa_scene *s, struct wa_plan *plan,
                                 struct wa_buf *before, struct wa_err *err)
{
    bool held = true;
    for (unsigned i = 0; held && i < PLANS_MAX; i++) {
        if (i == 1)
            wa_buf_addf(before, "%s\n", plan->problems);
        wa_plan_fini(plan);
        wa_plan_init(plan);
        held = false;
        if (wa_scene_upgrade(s, plan, err) != WA_OK ||
            (run->request.priorities.n > 0 && plan_of_priorities(run, s, plan, err) != WA_OK) ||
            hold_what_waits(run, s, plan, &held, err) != WA_OK)
            return err->code;
    }
    return held ? wa_fail(err, WA_E_BUSY,
                          "too much of what would be upgraded is in use, or failed before")
                : wa_buf_check(before, err);
}

enum wa_code wa_task_upgrade(struct wa_task_run *run, bool download_only, struct wa_err *err)
{
    WA_AUTO_SCENE struct wa_scene s;
    WA_AUTO_PLAN struct wa_plan plan;
    WA_AUTO_BUF struct wa_buf before;
    wa_plan_init(&plan);
    wa_buf_init(&before, WA_PLAN_PROBLEMS_BYTES_MAX + 2);
    if (wa_scene_load(run->m, &s, err) != WA_OK ||
        plan_upgrade(run, &s, &plan, &before, err) != WA_OK)
        return err->code;
    if (download_only)
        return download_all(run, &s, &plan, true, err);
    tell_problems(run, &plan, before.n > 0 ? wa_buf_str(&before) : NULL);
    return carry_out(run, &s, &plan, err);
}

enum wa_code wa_task_remove(struct wa_task_run *run, struct wa_err *err)
{
    WA_AUTO_SCENE struct wa_scene s;
    WA_AUTO_PLAN struct wa_plan plan;
    WA_AUTO_ARENA struct wa_arena arena;
    const char *texts[WA_COUNT(run->request.packages)];
    size_t count = 0;
    wa_plan_init(&plan);
    wa_arena_init(&arena, 1u << 20);
    if (wa_scene_load(run->m, &s, err) != WA_OK ||
        requests(run, &arena, texts, &count, err) != WA_OK ||
        (run->request.only_if_not_running
             ? wa_in_use_plan(run, &s, texts, count, &plan, err)
             : wa_plan_remove(&s.in, texts, count, &plan, err)) != WA_OK ||
        wa_self_check_plan(run, &plan, err) != WA_OK)
        return err->code;
    tell_problems(run, &plan, NULL);
    return carry_out(run, &s, &plan, err);
}

enum wa_code wa_task_forget(struct wa_task_run *run, struct wa_err *err)
{
    WA_AUTO_SCENE struct wa_scene s;
    if (wa_scene_load(run->m, &s, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < run->request.package_count; i++) {
        struct wa_err why = WA_ERR_INIT;
        const struct wa_control *c = NULL;
        if (is_done_before(run, run->request.packages[i]))
            continue;
        for (size_t k = 0; k < s.in.installed_count; k++)
            if (wa_sv_eqs(run->request.packages[i],
                          wa_control_get(&s.in.installed[k].control, WA_A_PACKAGE)))
                c = &s.in.installed[k].control;
        if (c == NULL)
            (void)wa_fail(&why, WA_E_NOT_FOUND, "'%.*s' is not installed",
                          WA_SV_ARG(run->request.packages[i]));
        else if (wa_install_forget(run, c, "FORGOTTEN", &why) == WA_OK)
            wa_err_clear(&why);
        wa_task_package(run, c, "FORGOTTEN", why.code == WA_OK ? NULL : &why);
    }
    return WA_OK;
}
