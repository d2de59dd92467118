/* pending.c - what an upgrade would do at present, kept for those who look at it: wapt-get and the
 * server, the cache, and the schedule, for packages that are forced on a day. */
#include "agent/journal.h"
#include "agent/scene.h"
#include "agent/scheduler.h"

#include "base/date.h"
#include "os/clock.h"

/* forced_install_on: a day or a moment in local time. */
static bool forced_on(const struct wa_control *c, int64_t *ret)
{
    struct wa_sv text = wa_sv(wa_control_get(c, WA_A_FORCED_INSTALL_ON));
    char day[WA_DATE_MAX];
    if (text.n == 10) { /* without a time: as the day begins */
        (void)snprintf(day, sizeof day, "%.10sT00:00:00", text.p);
        text = wa_sv(day);
    }
    return text.n > 0 && wa_date_parse_isolocal(text, ret);
}

struct pending {
    struct wa_buf text;   /* JSON: wapt-get list-upgrade (docs/json.md) */
    struct wa_buf files;  /* kept in the cache for it */
    struct wa_buf forced; /* lines of the scheduler */
    int64_t first_forced;
};

static void pending_fini(struct pending *p)
{
    wa_buf_fini(&p->text);
    wa_buf_fini(&p->files);
    wa_buf_fini(&p->forced);
}

static void add_arrival(struct pending *p, const struct wa_control *c, struct wa_sv requirement)
{
    int64_t at = 0;
    wa_buf_addf(&p->files, "%s\n", wa_control_get(c, WA_A_FILENAME));
    if (!forced_on(c, &at))
        return;
    wa_buf_addf(&p->forced, "%lld %.*s\n", (long long)at, WA_SV_ARG(requirement));
    if (p->first_forced == 0 || at < p->first_forced)
        p->first_forced = at;
}

/* Of each upgrade, in the same order; of what is only removed "". */
static void write_priorities(struct wa_jw *w, const struct wa_plan *plan)
{
    wa_jw_key(w, "priorities");
    wa_jw_arr(w);
    for (size_t i = 0; i < plan->n; i++)
        if (plan->items[i].kind != WA_STEP_KEEP)
            wa_jw_s(w, plan->items[i].to != NULL ? wa_control_get(plan->items[i].to, WA_A_PRIORITY)
                                                 : "");
    wa_jw_end(w);
}

static enum wa_code write_plan(struct wa_db *db, struct pending *p, const struct wa_plan *plan,
                               struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, &p->text);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "date", wa_clock_now());
    wa_jw_key(&w, "upgrades");
    wa_jw_arr(&w);
    for (size_t i = 0; i < plan->n; i++) {
        const struct wa_step *step = &plan->items[i];
        WA_AUTO_BUF struct wa_buf name;
        wa_buf_init(&name, 1024);
        if (step->kind == WA_STEP_KEEP)
            continue;
        wa_entry_requirement(step->to != NULL ? step->to : &step->from->control, &name);
        if (wa_buf_check(&name, err) != WA_OK)
            return err->code;
        wa_jw_sv(&w, wa_buf_sv(&name));
        if (step->to != NULL)
            add_arrival(p, step->to, wa_buf_sv(&name));
    }
    wa_jw_end(&w);
    write_priorities(&w, plan);
    wa_jw_kv(&w, "problems", plan->problems != NULL ? plan->problems : "");
    wa_jw_key(&w, "failed");
    enum wa_code code = wa_attempts_write(db, &w, err);
    wa_jw_end(&w);
    return code;
}

static enum wa_code write_params(struct wa_db *db, const struct pending *p,
                                 const struct wa_scene *s, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf policies;
    wa_buf_init(&policies, WA_POLICIES_BYTES_MAX);
    wa_buf_addf(&policies, "[%s]", wa_buf_str(&s->policies));
    const struct wa_sv holds = wa_sv_sub(wa_buf_sv(&s->holds), s->package_holds, s->holds.n);
    const struct {
        const char *name;
        struct wa_sv value;
    } params[] = {{"pending_files", wa_buf_sv(&p->files)},
                  {WA_PARAM_FORCED, wa_buf_sv(&p->forced)},
                  {WA_PARAM_WINDOWS, wa_buf_sv(&s->windows)},
                  {WA_PARAM_FREEZES, wa_buf_sv(&s->freezes)},
                  {WA_PARAM_HOLDS, holds},
                  {WA_PARAM_POLICIES, wa_buf_sv(&policies)},
                  {"last_update_status", wa_buf_sv(&p->text)}};
    if (wa_buf_check(&policies, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(params); i++)
        if (wa_param_set(db, params[i].name, params[i].value, err) != WA_OK)
            return err->code;
    return WA_OK;
}

/* All of it, or as it was. */
static enum wa_code save(struct wa_db *db, const struct pending *p, const struct wa_scene *s,
                         struct wa_err *err)
{
    if (wa_buf_check(&p->text, err) != WA_OK || wa_buf_check(&p->files, err) != WA_OK ||
        wa_buf_check(&p->forced, err) != WA_OK || wa_db_begin(db, err) != WA_OK)
        return err->code;
    enum wa_code code = write_params(db, p, s, err);
    if (code == WA_OK)
        code = wa_db_commit(db, err);
    if (code != WA_OK)
        wa_db_rollback(db);
    return code;
}

enum wa_code wa_pending_remember(struct wa_manager *m, bool *ret_arrivals, struct wa_err *err)
{
    WA_AUTO_SCENE struct wa_scene scene;
    WA_AUTO_PLAN struct wa_plan plan;
    struct pending p = {.first_forced = 0};
    wa_plan_init(&plan);
    if (wa_scene_load(m, &scene, err) != WA_OK || wa_scene_upgrade(&scene, &plan, err) != WA_OK)
        return err->code;
    wa_buf_init(&p.text, 1u << 20);
    wa_buf_init(&p.files, WA_PENDING_BYTES_MAX);
    wa_buf_init(&p.forced, WA_PENDING_BYTES_MAX);
    enum wa_code code = write_plan(m->tdb, &p, &plan, err);
    if (code == WA_OK)
        code = save(m->tdb, &p, &scene, err);
    if (code == WA_OK) {
        wa_schedule_forced(m, p.first_forced);
        *ret_arrivals = p.files.n > 0;
    }
    pending_fini(&p);
    return code;
}
