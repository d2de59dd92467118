/* snapshot.c - the administrator's own commands around install(): one that takes a snapshot before
 * it, one that puts the machine back to it when install() fails or was interrupted.
 *
 * Both come from the machine's own configuration, never from a package or a server; they run as a
 * script does, by the launcher, with a time-out, killed as a tree. What a package says of itself
 * reaches them in their environment only. What the first one prints last names the snapshot:
 * letters, digits and a few signs, or it is refused.
 */
#include "agent/hook.h"
#include "agent/install_priv.h"
#include "agent/journal.h"
#include "agent/kept.h"
#include "agent/tasks.h"

#include "base/text.h"

#define UNDO_TRIES_MAX 3 /* starts: an undoing that ends the machine is not begun for ever */

bool wa_snapshot_is_on(const struct wa_manager *m)
{
    return m->config.install_snapshot[0] != '\0';
}

struct talk {
    struct wa_task_run *run; /* NULL: nobody follows */
    struct wa_buf *output;
};

static void on_output(void *user, struct wa_sv bytes)
{
    const struct talk *t = user;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, bytes.n);
    wa_hook_text(&text, bytes);
    if (t->run != NULL)
        wa_task_output(t->run, wa_buf_sv(&text));
    if (t->output->n + text.n < WA_SCRIPT_OUTPUT_MAX)
        wa_buf_addsv(t->output, wa_buf_sv(&text));
}

static void write_request(const struct wa_manager *m, enum wa_hook which,
                          const struct wa_control *c, int64_t task, const char *snapshot,
                          struct wa_buf *out)
{
    char number[24];
    struct wa_jw w;
    (void)snprintf(number, sizeof number, "%lld", (long long)task);
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "hook", wa_hook_name(which));
    wa_jw_kv(&w, "command",
             which == WA_HOOK_UNDO ? m->config.install_undo : m->config.install_snapshot);
    wa_jw_key(&w, "environment");
    wa_jw_obj(&w);
    wa_jw_kv(&w, "WAPT_PACKAGE", wa_control_get(c, WA_A_PACKAGE));
    wa_jw_kv(&w, "WAPT_VERSION", wa_control_get(c, WA_A_VERSION));
    wa_jw_kv(&w, "WAPT_TASK", number);
    wa_jw_kv(&w, "WAPT_SNAPSHOT", snapshot);
    wa_jw_end(&w);
    wa_jw_end(&w);
}

static bool is_identifier(struct wa_sv s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_sign = c != '\0' && strchr("._:/@+-", c) != NULL;
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            !is_sign)
            return false;
    }
    return s.n > 0 && s.n <= WA_SNAPSHOT_ID_MAX && s.p[0] != '-';
}

static enum wa_code judge(enum wa_hook which, const struct wa_run_result *ran, struct wa_sv json,
                          char *ret_id, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err ignored = WA_ERR_INIT;
    wa_arena_init(&arena, 4u << 20);
    if (ran->timed_out)
        return wa_fail(err, WA_E_TIMEOUT, "it took too long (install_snapshot_timeout)");
    if (!ran->has_result || wa_json_parse(json, 0, &arena, &j, &ignored) != WA_OK)
        return wa_fail(err, WA_E_FAILED, "it was ended (%s %d)",
                       ran->exit.kind == WA_EXIT_SIGNAL ? "signal" : "status", ran->exit.value);
    struct wa_sv error = wa_json_sv(wa_json_get(j, "error")),
                 id = wa_json_sv(wa_json_get(j, "returned"));
    if (!wa_sv_eqs(wa_json_sv(wa_json_get(j, "status")), "OK"))
        return wa_fail(err, WA_E_FAILED, "%.*s", (int)(error.n < 300 ? error.n : 300), error.p);
    if (which == WA_HOOK_UNDO)
        return WA_OK;
    if (!is_identifier(id))
        return wa_fail(err, WA_E_FAILED,
                       "the last line that it printed names no snapshot (at most %u letters, "
                       "digits and . _ : / @ + -)",
                       WA_SNAPSHOT_ID_MAX);
    (void)snprintf(ret_id, WA_SNAPSHOT_ID_MAX + 1, "%.*s", WA_SV_ARG(id));
    return WA_OK;
}

/* cancel NULL: it is not to be cancelled. */
static enum wa_code run_command(struct wa_manager *m, struct wa_task_run *run, enum wa_hook which,
                                const struct wa_control *c, const char *snapshot,
                                struct wa_buf *output, char *ret_id, struct wa_cancel *cancel,
                                struct wa_err *err)
{
    char stage_id[WA_STAGE_ID + 1];
    WA_AUTO_DIR struct wa_dir stage = WA_DIR_INIT;
    WA_AUTO_BUF struct wa_buf request;
    WA_AUTO_BUF struct wa_buf result;
    struct wa_run_result ran;
    struct talk talk = {run, output};
    wa_buf_init(&request, 64u << 10);
    wa_buf_init(&result, WA_JSON_BYTES_MAX);
    write_request(m, which, c, run != NULL ? run->task->id : 0, snapshot, &request);
    if (wa_buf_check(&request, err) != WA_OK || wa_stage_new(m, stage_id, &stage, err) != WA_OK)
        return err->code;
    const struct wa_run what = {.stage = stage_id,
                                .hook = which,
                                .request = wa_buf_sv(&request),
                                .timeout_s = (uint32_t)m->config.install_snapshot_timeout_s};
    if (wa_helper_run(m->launcher, &what, on_output, &talk, cancel, &result, &ran, err) == WA_OK)
        (void)judge(which, &ran, wa_buf_sv(&result), ret_id, err);
    wa_stage_remove(m, stage_id);
    return err->code == WA_OK
               ? WA_OK
               : wa_wrap(err, which == WA_HOOK_UNDO ? "undoing it failed (install_undo)"
                                                    : "no snapshot was taken (install_snapshot)");
}

enum wa_code wa_snapshot_take(struct wa_task_run *run, const struct wa_control *c,
                              struct wa_buf *output, char *ret_id, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    ret_id[0] = '\0';
    if (run_command(run->m, run, WA_HOOK_SNAPSHOT, c, "", output, ret_id, run->m->cancel, &why) ==
        WA_OK)
        return WA_OK;
    wa_log_err(&run->m->log, WA_LOG_ERROR, "snapshot.failed", &why);
    ret_id[0] = '\0';
    if (run->m->config.install_snapshot_required || why.code == WA_E_CANCELLED) {
        *err = why;
        return err->code;
    }
    wa_task_say(run, "%s: %s; it goes on without\n", wa_control_get(c, WA_A_PACKAGE), why.text);
    wa_buf_addf(output, wa_text("%s; went on without\n"), why.text);
    return WA_OK;
}

void wa_snapshot_undo(struct wa_manager *m, struct wa_task_run *run, const struct wa_control *c,
                      const char *snapshot, struct wa_buf *output)
{
    struct wa_err why = WA_ERR_INIT;
    const char *package = wa_control_get(c, WA_A_PACKAGE);
    if (m->config.install_undo[0] == '\0')
        (void)wa_fail(&why, WA_E_CONFIG, "undoing it failed: install_undo is not set any more");
    else
        (void)run_command(m, run, WA_HOOK_UNDO, c, snapshot, output, NULL, NULL, &why);
    if (why.code == WA_OK)
        wa_buf_addf(output, wa_text("undone: the machine was put back to snapshot %s\n"), snapshot);
    else
        wa_buf_addf(output, wa_text("%s; the snapshot is %s\n"), why.text, snapshot);
    wa_log(&m->log, why.code == WA_OK ? WA_LOG_WARNING : WA_LOG_ERROR, "package.undone",
           WA_LF_S("package", package), WA_LF_S("snapshot", snapshot),
           WA_LF_S("code", wa_code_name(why.code)), WA_LF_S("why", why.text));
    if (run != NULL)
        wa_task_say(run, "%s: %s\n", package,
                    why.code == WA_OK ? wa_text("its installation was undone") : why.text);
}

/* --- what an interruption left --- */

static enum wa_code end_owed(struct wa_manager *m, const struct wa_journal_owed *o,
                             struct wa_sv more, struct wa_err *err)
{
    const char *package = wa_control_get(&o->control, WA_A_PACKAGE);
    WA_AUTO_INSTALLED struct wa_installed_list there = {NULL, 0, 0};
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 2 * WA_SCRIPT_OUTPUT_MAX);
    if (wa_db_begin(m->tdb, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_installed_load(m->tdb, package, &there, err);
    if (code == WA_OK && there.n > 0) {
        wa_buf_adds(&text, there.items[0].output);
        wa_buf_addsv(&text, more);
        code = wa_buf_check(&text, err);
        if (code == WA_OK)
            code = wa_installed_set_status(m->tdb, package, "ERROR", wa_buf_sv(&text), err);
    }
    if (code == WA_OK)
        code = wa_journal_end(m->tdb, package, err);
    if (code == WA_OK)
        code = wa_db_commit(m->tdb, err);
    if (code != WA_OK)
        wa_db_rollback(m->tdb);
    return code;
}

void wa_snapshot_settle(struct wa_manager *m)
{
    struct wa_err err = WA_ERR_INIT;
    bool found = true;
    while (err.code == WA_OK && found) {
        struct wa_journal_owed o;
        WA_AUTO_BUF struct wa_buf output;
        wa_buf_init(&output, WA_SCRIPT_OUTPUT_MAX);
        if (wa_journal_next_owed(m->tdb, &o, &found, &err) != WA_OK || !found)
            break;
        if (o.tries <= UNDO_TRIES_MAX)
            wa_snapshot_undo(m, NULL, &o.control, o.snapshot, &output);
        else
            wa_buf_addf(&output,
                        wa_text("not undone: install_undo was interrupted %d times; the snapshot "
                                "is %s\n"),
                        UNDO_TRIES_MAX, o.snapshot);
        (void)end_owed(m, &o, wa_buf_sv(&output), &err);
        wa_journal_owed_fini(&o);
    }
    if (err.code != WA_OK)
        wa_log_err(&m->log, WA_LOG_ERROR, "database.failed", &err);
}
