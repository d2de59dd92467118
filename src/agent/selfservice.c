/* selfservice.c - the rules of self-service packages, from verified bytes to what a plan may do.
 *
 * The task thread reads them where the packages are kept, verified anew each time, and keeps their
 * sum in the database, which is root's alone; who judges by them reads it there. A rule lets people
 * ask for a package, nothing more: that it is signed and offered is checked as ever.
 */
#include "agent/selfservice.h"
#include "agent/kept.h"
#include "agent/tasks.h"

#include "pkg/version.h"

#define PARAM_RULES "selfservice_rules"

/* --- from the packages --- */

static void add_rules(struct wa_manager *m, const struct wa_installed_row *row,
                      struct wa_self_rules *rules)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&text, WA_SELF_BYTES_MAX);
    if (wa_kept_read(m, row, WA_SELF_FILE, WA_SELF_BYTES_MAX, &text, &why) != WA_OK ||
        wa_self_rules_add(rules, wa_buf_sv(&text), &why) != WA_OK)
        wa_log(&m->log, WA_LOG_WARNING, "selfservice.ignored",
               WA_LF_S("package", wa_control_get(&row->base.control, WA_A_PACKAGE)),
               WA_LF_S("why", why.text));
}

/* Nothing is written when nothing has changed. */
static enum wa_code keep(struct wa_db *db, struct wa_sv text, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf was;
    wa_buf_init(&was, 2 * WA_SELF_MEMORY_MAX);
    if (wa_param_get(db, PARAM_RULES, &was, err) != WA_OK)
        return err->code;
    return was.n == text.n && memcmp(wa_buf_str(&was), text.p, text.n) == 0
               ? WA_OK
               : wa_param_set(db, PARAM_RULES, text, err);
}

enum wa_code wa_self_remember(struct wa_manager *m, struct wa_err *err)
{
    WA_AUTO_INSTALLED struct wa_installed_list list = {NULL, 0, 0};
    WA_AUTO_SELF_RULES struct wa_self_rules rules;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw w;
    wa_buf_init(&text, 2 * WA_SELF_MEMORY_MAX);
    if (wa_self_rules_init(&rules, err) != WA_OK ||
        wa_installed_load(m->tdb, NULL, &list, err) != WA_OK)
        return wa_wrap(err, "the rules of self-service packages");
    for (size_t i = 0; i < list.n; i++) {
        const struct wa_installed *p = &list.items[i].base;
        if (strcmp(wa_control_get(&p->control, WA_A_SECTION), WA_SELF_SECTION) == 0 &&
            strcmp(p->status, "OK") == 0)
            add_rules(m, &list.items[i], &rules);
    }
    wa_jw_init(&w, &text);
    wa_self_rules_write(&rules, &w);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    bool is_too_long = text.n > WA_SELF_BYTES_MAX;
    if (is_too_long)
        wa_log(&m->log, WA_LOG_ERROR, "selfservice.ignored",
               WA_LF_S("why", "all rules together are too long: none counts"));
    return keep(m->tdb, is_too_long ? WA_SV("") : wa_buf_sv(&text), err);
}

enum wa_code wa_self_load(struct wa_db *db, struct wa_self_rules *r, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 2 * WA_SELF_MEMORY_MAX);
    if (wa_param_get(db, PARAM_RULES, &text, err) != WA_OK)
        return err->code;
    return text.n == 0 ? WA_OK : wa_self_rules_add(r, wa_buf_sv(&text), err);
}

/* --- judging --- */

bool wa_caller_may(const struct wa_caller *c, const char *package, const char *section)
{
    return c->is_admin ||
           (wa_self_is_offered(section) && wa_self_rules_allow(&c->rules, c->in, wa_sv(package)));
}

static bool is_named(const struct wa_task_run *run, const char *package)
{
    for (size_t i = 0; i < run->request.package_count; i++)
        if (wa_sv_eqs(run->request.packages[i], package))
            return true;
    return false;
}

static enum wa_code check_step(const struct wa_task_run *run, const struct wa_step *step,
                               struct wa_err *err)
{
    const struct wa_control *to = step->to;
    const struct wa_control *from = step->from != NULL ? &step->from->control : NULL;
    const char *name = wa_control_get(to != NULL ? to : from, WA_A_PACKAGE);
    if (step->kind == WA_STEP_KEEP)
        return WA_OK;
    if (step->kind == WA_STEP_REMOVE)
        return run->request.op == WA_OP_REMOVE && is_named(run, name)
                   ? WA_OK
                   : wa_fail(err, WA_E_DENIED,
                             "'%s' would be removed with it: ask an administrator", name);
    if (to != NULL && from != NULL && wa_entry_cmp(to, from) < 0)
        return wa_fail(err, WA_E_DENIED,
                       "'%s' would go back to an older version: ask an administrator", name);
    if (from == NULL && is_named(run, name) &&
        !wa_self_is_offered(wa_control_get(to, WA_A_SECTION)))
        return wa_fail(err, WA_E_DENIED, "'%s' is not for users to install", name);
    return WA_OK;
}

enum wa_code wa_self_check_plan(const struct wa_task_run *run, const struct wa_plan *plan,
                                struct wa_err *err)
{
    for (size_t i = 0; run->request.limited && i < plan->n; i++)
        if (check_step(run, &plan->items[i], err) != WA_OK) {
            wa_log(&run->m->log, WA_LOG_WARNING, "local.denied",
                   WA_LF_S("operation", run->task->kind), WA_LF_S("by", run->task->created_by),
                   WA_LF_S("why", err->text));
            return err->code;
        }
    return WA_OK;
}
