/* remove.c - taking one package away: its uninstall(), then its row and what is kept of it. An
 * interrupted uninstall() leaves it there as ERROR; the removal goes on at the next start.
 */
#include "agent/hook.h"
#include "agent/install_priv.h"
#include "agent/journal.h"
#include "agent/kept.h"
#include "agent/tasks.h"
#include "base/text.h"

static void record_failure(struct wa_manager *m, const char *package, struct wa_sv output)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_installed_set_status(m->tdb, package, "ERROR", output, &err) != WA_OK ||
        wa_journal_end(m->tdb, package, &err) != WA_OK) {
        m->is_unsettled = true;
        wa_log_err(&m->log, WA_LOG_ERROR, "database.failed", &err);
    }
}

static enum wa_code run_uninstall(struct wa_task_run *run, const struct wa_installed_row *row,
                                  struct wa_err *err)
{
    char id[WA_STAGE_ID + 1];
    struct wa_hook_result r;
    WA_AUTO_INSTALLED struct wa_installed_list fresh = {NULL, 0, 0};
    if (wa_install_complete(run, &row, &fresh, err) != WA_OK ||
        wa_kept_stage(run->m, row, WA_HOOK_UNINSTALL, id, err) != WA_OK)
        return err->code;
    const struct wa_control *c = &row->base.control;
    wa_hook_result_init(&r);
    const struct wa_hook_run what = {.hook = WA_HOOK_UNINSTALL,
                                     .control = c,
                                     .stage = id,
                                     .force = run->request.force,
                                     .params = row->params};
    const struct wa_journal_entry entry = {.control = c,
                                           .hook = "uninstall",
                                           .repo = row->repo,
                                           .params = wa_sv(row->params),
                                           .is_explicit = row->base.is_explicit,
                                           .step = WA_JOURNAL_SCRIPT};
    enum wa_code code = wa_journal_begin(run->m->tdb, &entry, err);
    if (code == WA_OK && wa_hook_run(run, &what, &r, err) != WA_OK) {
        code = err->code;
        (void)wa_install_is_lost(run);
    }
    if (code == WA_OK && strcmp(r.status, "ERROR") == 0)
        code = wa_fail(err, r.code, "%s",
                       r.error[0] != '\0' ? r.error : wa_text("its uninstall() failed"));
    if (code != WA_OK && !run->is_lost)
        record_failure(run->m, wa_control_get(c, WA_A_PACKAGE), wa_buf_sv(&r.output));
    wa_hook_result_fini(&r);
    wa_stage_remove(run->m, id);
    return code;
}

enum wa_code wa_install_forget(struct wa_task_run *run, const struct wa_control *c,
                               const char *status, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    const char *package = wa_control_get(c, WA_A_PACKAGE);
    if (wa_db_begin(m->tdb, err) != WA_OK)
        return err->code;
    if (wa_installed_delete(m->tdb, package, err) != WA_OK ||
        wa_attempt_forget(m->tdb, package, err) != WA_OK ||
        wa_journal_end(m->tdb, package, err) != WA_OK ||
        wa_task_note(m->tdb, run->task->id, c, status, err) != WA_OK ||
        wa_db_commit(m->tdb, err) != WA_OK) {
        wa_db_rollback(m->tdb);
        m->is_unsettled = true;
        return err->code;
    }
    wa_kept_remove(m, c);
    return WA_OK;
}

enum wa_code wa_remove_one(struct wa_task_run *run, const struct wa_installed_row *row,
                           struct wa_err *err)
{
    const struct wa_control *c = &row->base.control;
    struct wa_err why = WA_ERR_INIT;
    if (wa_kept_has_hook(run->m, c, WA_HOOK_UNINSTALL) && run_uninstall(run, row, &why) != WA_OK) {
        if (!run->request.force) {
            *err = why;
            return err->code;
        }
        wa_task_say(run, "%s: %s; removed all the same, as forced\n",
                    wa_control_get(c, WA_A_PACKAGE), why.text);
    }
    return wa_install_forget(run, c, "REMOVED", err);
}
