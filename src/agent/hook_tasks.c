/* hook_tasks.c - audits of what is installed, the settings of a user's session, and uninstall() by
 * itself. None of them changes which packages are installed. */
#include "agent/backoff.h"
#include "agent/hook.h"
#include "agent/install_priv.h"
#include "agent/kept.h"
#include "agent/tasks.h"
#include "agent/work.h"
#include "base/date.h"
#include "base/text.h"
#include "os/clock.h"

static bool is_wanted(const struct wa_local_request *r, const char *package)
{
    for (size_t i = 0; i < r->package_count; i++)
        if (wa_sv_eqs(r->packages[i], package) || wa_sv_eqs(r->packages[i], "ALL"))
            return true;
    return r->package_count == 0;
}

/* Runs one hook of the kept script. */
static enum wa_code run_kept(struct wa_task_run *run, const struct wa_installed_row *row,
                             enum wa_hook hook, uint32_t uid, const char *user,
                             struct wa_hook_result *r, struct wa_err *err)
{
    char id[WA_STAGE_ID + 1];
    WA_AUTO_INSTALLED struct wa_installed_list fresh = {NULL, 0, 0};
    if (wa_install_complete(run, &row, &fresh, err) != WA_OK ||
        wa_kept_stage(run->m, row, hook, id, err) != WA_OK)
        return err->code;
    const struct wa_hook_run what = {.hook = hook,
                                     .control = &row->base.control,
                                     .stage = id,
                                     .uid = uid,
                                     .user = user,
                                     .force = run->request.force,
                                     .params = row->params};
    enum wa_code code = wa_hook_run(run, &what, r, err);
    wa_stage_remove(run->m, id);
    return code;
}

/* --- audit --- */

int64_t wa_audit_period(const struct wa_manager *m, const struct wa_control *c)
{
    int64_t period = 0;
    const char *schedule = wa_control_get(c, WA_A_AUDIT_SCHEDULE);
    if (schedule[0] != '\0' && wa_date_parse_period(wa_sv(schedule), 'm', &period))
        return period < 60 ? 60 : period;
    return m->config.audit_period_s;
}

bool wa_audit_is_due(const struct wa_manager *m, const struct wa_installed_row *row, int64_t now)
{
    int64_t period = wa_audit_period(m, &row->base.control);
    return period > 0 && !wa_is_to_come(row->next_audit, now, period);
}

static enum wa_code audit_one(struct wa_task_run *run, const struct wa_installed_row *row,
                              struct wa_err *err)
{
    struct wa_manager *m = run->m;
    const struct wa_control *c = &row->base.control;
    int64_t now = wa_clock_now(), period = wa_audit_period(m, c);
    struct wa_err why = WA_ERR_INIT;
    struct wa_hook_result r;
    wa_hook_result_init(&r);
    if (!wa_kept_has_hook(m, c, WA_HOOK_AUDIT)) {
        (void)snprintf(r.status, sizeof r.status, "OK");
    } else if (run_kept(run, row, WA_HOOK_AUDIT, 0, NULL, &r, &why) != WA_OK) {
        wa_buf_addf(&r.output, "%s\n", why.text);
        /* Nothing is known to be wrong with what can't be looked at. */
        (void)snprintf(r.status, sizeof r.status, wa_kept_is_whole(m, c) ? "ERROR" : "UNKNOWN");
    }
    wa_task_say(run, "%s -> %s\n", wa_control_get(c, WA_A_PACKAGE), r.status);
    bool good = strcmp(r.status, "OK") == 0 || strcmp(r.status, "WARNING") == 0 ||
                strcmp(r.status, "UNKNOWN") == 0;
    if (!good && why.code == WA_OK)
        (void)wa_fail(&why, r.code, "%s",
                      r.error[0] != '\0' ? r.error : wa_text("the audit found an error"));
    enum wa_code code =
        wa_installed_set_audit(m->tdb, wa_control_get(c, WA_A_PACKAGE), r.status,
                               wa_buf_sv(&r.output), now, period > 0 ? now + period : 0, err);
    wa_task_package(run, c, r.status, why.code == WA_OK ? NULL : &why);
    wa_hook_result_fini(&r);
    return code;
}

enum wa_code wa_task_audit(struct wa_task_run *run, struct wa_err *err)
{
    WA_AUTO_INSTALLED struct wa_installed_list list = {NULL, 0, 0};
    bool scheduled = wa_task_is_scheduled(run->task);
    int64_t now = wa_clock_now();
    if (wa_installed_load(run->m->tdb, NULL, &list, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < list.n; i++) {
        const struct wa_installed_row *row = &list.items[i];
        if (!is_wanted(&run->request, wa_control_get(&row->base.control, WA_A_PACKAGE)) ||
            (scheduled && !wa_audit_is_due(run->m, row, now)))
            continue;
        if (wa_task_may_go_on(run, err) != WA_OK || audit_one(run, row, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* --- uninstall() by itself --- */

static enum wa_code uninstall_one(struct wa_task_run *run, const struct wa_installed_row *row,
                                  struct wa_err *err)
{
    const struct wa_control *c = &row->base.control;
    struct wa_hook_result r;
    if (!wa_kept_has_hook(run->m, c, WA_HOOK_UNINSTALL)) {
        wa_task_say(run, "%s has no uninstall()\n", wa_control_get(c, WA_A_PACKAGE));
        wa_task_package(run, c, "KEPT", NULL);
        return WA_OK;
    }
    wa_hook_result_init(&r);
    if (run_kept(run, row, WA_HOOK_UNINSTALL, 0, NULL, &r, err) == WA_OK &&
        strcmp(r.status, "ERROR") == 0)
        (void)wa_fail(err, r.code, "%s",
                      r.error[0] != '\0' ? r.error : wa_text("its uninstall() failed"));
    if (err->code == WA_OK)
        wa_task_package(run, c, r.status, NULL);
    wa_hook_result_fini(&r);
    return err->code;
}

enum wa_code wa_task_uninstall(struct wa_task_run *run, struct wa_err *err)
{
    WA_AUTO_INSTALLED struct wa_installed_list list = {NULL, 0, 0};
    if (wa_installed_load(run->m->tdb, NULL, &list, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < run->request.package_count; i++) {
        struct wa_err why = WA_ERR_INIT;
        const struct wa_installed_row *row = NULL;
        for (size_t k = 0; k < list.n; k++)
            if (wa_sv_eqs(run->request.packages[i],
                          wa_control_get(&list.items[k].base.control, WA_A_PACKAGE)))
                row = &list.items[k];
        if (wa_task_may_go_on(run, err) != WA_OK)
            return err->code;
        if (row == NULL)
            (void)wa_fail(&why, WA_E_NOT_FOUND, "'%.*s' is not installed",
                          WA_SV_ARG(run->request.packages[i]));
        if (row == NULL || uninstall_one(run, row, &why) != WA_OK)
            wa_task_package(run, row != NULL ? &row->base.control : NULL, "ERROR", &why);
    }
    return WA_OK;
}

/* --- session --- */

/* The caller, as the local interface wrote it: "uid 1000 (alice)". */
static bool caller(const struct wa_task *t, uint32_t *ret_uid, char *ret_user, size_t size)
{
    struct wa_sv text = wa_sv(t->created_by), part;
    uint64_t uid;
    if (!wa_sv_starts(text, "uid "))
        return false;
    struct wa_sv rest = wa_sv_sub(text, 4, text.n);
    if (!wa_sv_split(&rest, ' ', &part) || !wa_sv_u64(part, &uid) || uid > UINT32_MAX ||
        !wa_sv_starts(rest, "(") || !wa_sv_ends(rest, ")"))
        return false;
    *ret_uid = (uint32_t)uid;
    (void)snprintf(ret_user, size, "%.*s", (int)(rest.n - 2), rest.p + 1);
    return true;
}

static enum wa_code session_one(struct wa_task_run *run, const struct wa_installed_row *row,
                                uint32_t uid, const char *user, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    const struct wa_control *c = &row->base.control;
    const char *package = wa_control_get(c, WA_A_PACKAGE),
               *version = wa_control_get(c, WA_A_VERSION);
    struct wa_hook_result r;
    struct wa_err why = WA_ERR_INIT;
    bool done = false;
    if (!wa_kept_has_hook(m, c, WA_HOOK_SESSION_SETUP))
        return WA_OK;
    if (wa_session_get(m->tdb, uid, package, version, &done, err) != WA_OK ||
        (done && !run->request.force))
        return err->code;
    wa_task_say(run, "configuring %s for %s\n", package, user);
    wa_hook_result_init(&r);
    if (run_kept(run, row, WA_HOOK_SESSION_SETUP, uid, user, &r, &why) == WA_OK &&
        strcmp(r.status, "ERROR") == 0)
        (void)wa_fail(&why, r.code, "%s",
                      r.error[0] != '\0' ? r.error : wa_text("its session_setup() failed"));
    enum wa_code code =
        wa_session_set(m->tdb, uid, package, version, why.code == WA_OK ? r.status : "ERROR", err);
    wa_task_package(run, c, why.code == WA_OK ? r.status : "ERROR",
                    why.code == WA_OK ? NULL : &why);
    wa_hook_result_fini(&r);
    return code;
}

enum wa_code wa_task_session(struct wa_task_run *run, struct wa_err *err)
{
    WA_AUTO_INSTALLED struct wa_installed_list list = {NULL, 0, 0};
    uint32_t uid = 0;
    char user[256];
    if (!caller(run->task, &uid, user, sizeof user) || uid == 0)
        return wa_fail(err, WA_E_DENIED, "session-setup is for ordinary users' own sessions");
    if (wa_installed_load(run->m->tdb, NULL, &list, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < list.n; i++)
        if (is_wanted(&run->request, wa_control_get(&list.items[i].base.control, WA_A_PACKAGE)) &&
            (wa_task_may_go_on(run, err) != WA_OK ||
             session_one(run, &list.items[i], uid, user, err) != WA_OK))
            return err->code;
    return WA_OK;
}

enum wa_code wa_session_is_needed(struct wa_manager *m, struct wa_db *db, uint32_t uid,
                                  const struct wa_local_request *r, bool *ret, struct wa_err *err)
{
    WA_AUTO_INSTALLED struct wa_installed_list list = {NULL, 0, 0};
    bool is_needed = false;
    if (wa_installed_load(db, NULL, &list, err) != WA_OK)
        return err->code;
    for (size_t i = 0; !is_needed && i < list.n; i++) {
        const struct wa_control *c = &list.items[i].base.control;
        bool is_done = false;
        if (!is_wanted(r, wa_control_get(c, WA_A_PACKAGE)))
            continue;
        if (!r->force && wa_session_get(db, uid, wa_control_get(c, WA_A_PACKAGE),
                                        wa_control_get(c, WA_A_VERSION), &is_done, err) != WA_OK)
            return err->code;
        is_needed = !is_done && wa_kept_has_hook(m, c, WA_HOOK_SESSION_SETUP);
    }
    *ret = is_needed;
    return WA_OK;
}
