/* tasks.c - the thread that works the queue off, and what a task tells while it runs.
 *
 * A task's outcome is stored with its result for the server in one transaction, before anybody is
 * told.
 */
#include "agent/tasks.h"
#include "agent/hook.h"
#include "agent/icons.h"
#include "agent/identity.h"
#include "agent/in_use.h"
#include "agent/journal.h"
#include "agent/kept.h"
#include "agent/localapi.h"
#include "agent/place.h"
#include "agent/push.h"
#include "agent/reload.h"
#include "agent/report.h"
#include "agent/scheduler.h"
#include "agent/selfservice.h"
#include "agent/work.h"
#include "base/text.h"
#include "codec/csv.h"
#include "os/clock.h"

#include <stdarg.h>

#define IDLE_MS 1000

/* --- telling --- */

static void tell(struct wa_task_run *run, enum wa_local_news what, const struct wa_local_answer *a)
{
    wa_local_answer_tell(run->m, run->task->id, what, a, WA_SV(""));
}

/* Kept for the history: the end, since what failed is told last. */
static void keep(struct wa_buf *log, struct wa_sv text)
{
    if (text.n > WA_TASK_LOG_MAX / 2)
        text = wa_sv_sub(text, text.n - WA_TASK_LOG_MAX / 2, text.n);
    if (log->n + text.n > WA_TASK_LOG_MAX)
        wa_buf_consume(log, log->n - WA_TASK_LOG_MAX / 2);
    while (log->n > 0 && ((unsigned char)log->p[0] & 0xc0u) == 0x80u) /* half a character */
        wa_buf_consume(log, 1);
    wa_buf_addsv(log, text);
}

static void say(struct wa_task_run *run, enum wa_local_news what, struct wa_sv text)
{
    keep(&run->log, text);
    const struct wa_local_answer a = {.event = WA_EV_OUTPUT, .text = text};
    tell(run, what, &a);
}

/* Of a script; what runs as its user is that user's to see. */
void wa_task_output(struct wa_task_run *run, struct wa_sv text)
{
    say(run, run->request.op == WA_OP_SESSION_SETUP ? WA_NEWS_TALK : WA_NEWS_SCRIPT, text);
}

/* Of the whole: steps that are done, and the part of the one at work. False: no percent more. */
static bool note_progress(struct wa_task_run *run, uint64_t done, uint64_t total,
                          int64_t *ret_percent)
{
    uint64_t steps = run->plan != NULL ? run->plan->n : 1;
    uint64_t part = total > 0 && done <= total && done < UINT64_MAX / 100 ? done * 100 / total : 0;
    *ret_percent = (int64_t)((run->plan_at * 100 + part) / (steps > 0 ? steps : 1));
    wa_lock_take(run->m->lock);
    run->m->running_percent = *ret_percent;
    wa_lock_give(run->m->lock);
    bool is_news = total == 0 || part != run->told_part || done >= total;
    run->told_part = part;
    return is_news;
}

void wa_task_progress(void *user, uint64_t done, uint64_t total)
{
    struct wa_task_run *run = user;
    int64_t percent = 0;
    if (!note_progress(run, done, total, &percent))
        return;
    const struct wa_local_answer a = {.event = WA_EV_PROGRESS,
                                      .id = run->task->id,
                                      .done = (int64_t)done,
                                      .total = (int64_t)total,
                                      .percent = percent,
                                      .text = wa_sv(run->task->kind)};
    tell(run, WA_NEWS_PROGRESS, &a);
}

void wa_task_step(struct wa_task_run *run)
{
    wa_task_progress(run, 0, 0);
}

void wa_task_say(struct wa_task_run *run, const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, wa_text(fmt), args);
    va_end(args);
    say(run, WA_NEWS_TALK, wa_sv(text));
}

static void write_package(struct wa_task_run *run, struct wa_sv name, struct wa_sv version,
                          struct wa_sv status, const char *key, const char *text)
{
    wa_jw_obj(&run->packages_jw);
    wa_jw_kvsv(&run->packages_jw, "package", name);
    wa_jw_kvsv(&run->packages_jw, "version", version);
    wa_jw_kvsv(&run->packages_jw, "status", status);
    if (text != NULL)
        wa_jw_kv(&run->packages_jw, key, text);
    wa_jw_end(&run->packages_jw);
}

/* What it did before it was interrupted belongs to its result. */
static void recall(struct wa_task_run *run)
{
    struct wa_sv rest = wa_sv(run->task->done);
    struct wa_task_done d;
    for (; wa_task_next_done(&rest, &d); run->done++)
        write_package(run, d.package, d.version, d.status, NULL, NULL);
    run->done_before = run->done;
}

/* A failure whose text can have the words of a script that ran as root in it. */
static bool is_of_script(const struct wa_task_run *run, enum wa_code code)
{
    return run->request.op != WA_OP_SESSION_SETUP && run->request.op != WA_OP_UPDATE &&
           (code == WA_E_FAILED || code == WA_E_PARTIAL || code == WA_E_TIMEOUT);
}

static void tell_failure(struct wa_task_run *run, const char *name, const struct wa_err *err)
{
    char text[sizeof err->text + WA_NAME_MAX + 8];
    (void)snprintf(text, sizeof text, "%s%s%s\n", name, name[0] != '\0' ? ": " : "", err->text);
    say(run, is_of_script(run, err->code) ? WA_NEWS_SCRIPT : WA_NEWS_TALK, wa_sv(text));
}

void wa_task_package(struct wa_task_run *run, const struct wa_control *c, const char *status,
                     const struct wa_err *err)
{
    const char *name = c != NULL ? wa_control_get(c, WA_A_PACKAGE) : "";
    const char *version = c != NULL ? wa_control_get(c, WA_A_VERSION) : "";
    write_package(run, wa_sv(name), wa_sv(version), wa_sv(err == NULL ? status : "ERROR"),
                  "message", err != NULL ? err->text : NULL);
    if (err == NULL) {
        run->done += strcmp(status, "KEPT") == 0 ? 0 : 1;
        return;
    }
    run->failed++;
    if (run->first == WA_OK) {
        run->first = err->code;
        (void)snprintf(run->summary, sizeof run->summary, "%s%s%s", name,
                       name[0] != '\0' ? ": " : "", err->text);
    }
    tell_failure(run, name, err);
    wa_log(&run->m->log, WA_LOG_ERROR, "package.failed", WA_LF_S("package", name),
           WA_LF_S("version", version), WA_LF_S("why", err->text));
}

void wa_task_put_off_package(struct wa_task_run *run, const struct wa_control *c,
                             const char *program)
{
    write_package(run, wa_sv(wa_control_get(c, WA_A_PACKAGE)),
                  wa_sv(wa_control_get(c, WA_A_VERSION)), WA_SV("POSTPONED"), "program", program);
    run->postponed++;
    size_t n = strlen(run->waits_for), room = sizeof run->waits_for - n;
    if (program != NULL && !wa_csv_has(wa_sv(run->waits_for), wa_sv(program)) &&
        strlen(program) + 1 < room)
        (void)snprintf(run->waits_for + n, room, "%s%s", n > 0 ? "," : "", program);
}

enum wa_code wa_task_may_go_on(struct wa_task_run *run, struct wa_err *err)
{
    wa_lock_take(run->m->lock);
    bool stopping = run->m->stopping;
    run->is_recalled |= run->m->recalled_task == run->task->id;
    wa_lock_give(run->m->lock);
    if (run->is_recalled)
        return wa_fail(err, WA_E_CANCELLED, "cancelled by order");
    if (wa_cancel_is_set(run->m->cancel))
        return wa_fail(err, WA_E_CANCELLED, "cancelled");
    if (!stopping && run->until > 0 && wa_clock_now() >= run->until) {
        run->is_postponed = true;
        return wa_fail(err, WA_E_CANCELLED,
                       "the maintenance window is over: what is left waits for the next one");
    }
    if (!stopping)
        return WA_OK;
    run->is_cut = true;
    return wa_fail(err, WA_E_CANCELLED, "the service is being stopped: what was left is not done");
}

/* --- doing --- */

static enum wa_code dispatch(struct wa_task_run *run, struct wa_err *err)
{
    switch (run->request.op) {
    case WA_OP_UPDATE:
        wa_place_refresh(run->m);
        return wa_task_update(run, err);
    case WA_OP_UPGRADE:
        /* An upgrade begins with a look at the repositories; when they can't be reached, what is
         * known is carried out. */
        if (run->task->action_id[0] != '\0' || run->request.force) {
            struct wa_err why = WA_ERR_INIT;
            if (wa_task_update(run, &why) != WA_OK)
                wa_task_package(run, NULL, "ERROR", &why);
        }
        return wa_task_upgrade(run, false, err);
    case WA_OP_DOWNLOAD_UPGRADE:
        return wa_task_upgrade(run, true, err);
    case WA_OP_DOWNLOAD:
        return wa_task_download(run, err);
    case WA_OP_INSTALL:
        return wa_task_install(run, err);
    case WA_OP_REMOVE:
        return wa_task_remove(run, err);
    case WA_OP_UNINSTALL:
        return wa_task_uninstall(run, err);
    case WA_OP_FORGET:
        return wa_task_forget(run, err);
    case WA_OP_AUDIT:
        return wa_task_audit(run, err);
    case WA_OP_SESSION_SETUP:
        return wa_task_session(run, err);
    case WA_OP_CLEAN:
        return wa_task_clean(run, err);
    case WA_OP_REGISTER:
        return wa_report_register(run, err);
    case WA_OP_UNREGISTER:
        return wa_report_unregister(run, err);
    case WA_OP_UPDATE_STATUS:
        return wa_report_status(run->m, true, err);
    case WA_OP_GENERATE_UUID:
    case WA_OP_RESET_UUID:
        return wa_identity_task(run, err);
    case WA_OP_RELOAD:
        return wa_reload_task(run, err);
    case WA_OP_INVENTORY:
        return wa_status_show(run->m, &run->data, err);
    case WA_OP_REBOOT:
    case WA_OP_SHUTDOWN:
        return wa_task_power(run, err);
    case WA_OP_DESCRIBE:
        return wa_helper_describe(run->m->launcher, run->request.text, run->m->cancel, err);
    case WA_OP_WAKE:
        return wa_task_wake(run, err);
    case WA_OP_MESSAGE:
        return wa_task_message(run, err);
    case WA_OP_PROPOSE_UPGRADE:
        return wa_task_propose(run, err);
    case WA_OP_RESTART_AGENT:
        run->restarts = true;
        return WA_OK;
    default:
        return wa_fail(err, WA_E_INTERNAL, "a task of kind '%s'", run->task->kind);
    }
}

/* The task's own failure, or that of its packages. */
static enum wa_code outcome(const struct wa_task_run *run, enum wa_code code, struct wa_err *err)
{
    if (code != WA_OK)
        return code;
    if (run->failed == 0)
        return WA_OK;
    return wa_fail(err, run->done > 0 ? WA_E_PARTIAL : run->first, "%s", run->summary);
}

static enum wa_code store_outcome(struct wa_task_run *run, enum wa_code code, const char *message,
                                  struct wa_err *err)
{
    struct wa_manager *m = run->m;
    const struct wa_task *t = run->task;
    if (wa_in_use_waits(run, code))
        return wa_in_use_wait(run, message, err);
    if (wa_task_finish(m->tdb, t->id, code, wa_sv(message), wa_buf_sv(&run->log), err) != WA_OK ||
        t->action_id[0] == '\0' || run->is_over) /* that it waits is told, and stands */
        return err->code;
    return wa_outbox_add(m->tdb, t->action_id,
                         code == WA_OK            ? "done"
                         : code == WA_E_CANCELLED ? "cancelled"
                                                  : "failed",
                         wa_code_name(code), wa_sv(message), wa_buf_sv(&run->packages), err);
}

/* What an administrator ordered, a user can put off for a while, no more (F1E). */
static bool is_put_off(const struct wa_task_run *run, enum wa_code code)
{
    return code == WA_E_CANCELLED && run->task->action_id[0] != '\0' && !run->is_cut &&
           !run->is_recalled;
}

static enum wa_code store(struct wa_task_run *run, enum wa_code code, const char *message,
                          struct wa_err *err)
{
    struct wa_manager *m = run->m;
    if (run->is_lost)
        return WA_OK; /* still "running" */
    if (run->is_cut && wa_task_is_resumed(run->task))
        return wa_task_requeue(m->tdb, run->task->id, err); /* the next start takes it up */
    if (is_put_off(run, code))
        return wa_task_put_off(m->tdb, run->task->id, wa_clock_now() + m->config.user_stop_s, err);
    if (wa_db_begin(m->tdb, err) != WA_OK)
        return err->code;
    enum wa_code stored = store_outcome(run, code, message, err);
    if (stored == WA_OK)
        stored = wa_db_commit(m->tdb, err);
    if (stored != WA_OK)
        wa_db_rollback(m->tdb);
    return stored;
}

/* Those whom scripts' words are not for learn which package failed, and who can see why. */
static void tell_result(struct wa_task_run *run, enum wa_code code, const char *message)
{
    struct wa_sv data = run->data.n > 0 ? wa_buf_sv(&run->data) : wa_buf_sv(&run->packages);
    const struct wa_local_answer a = {.event = WA_EV_RESULT, .code = code, .text = wa_sv(message)};
    if (is_of_script(run, code)) {
        WA_AUTO_BUF struct wa_buf states;
        char plain[128];
        wa_buf_init(&states, WA_JSON_BYTES_MAX);
        wa_local_states(wa_buf_sv(&run->packages), &states);
        (void)snprintf(plain, sizeof plain,
                       wa_text("it failed: an administrator sees why ('wapt-get show-task %lld')"),
                       (long long)run->task->id);
        const struct wa_local_answer b = {
            .event = WA_EV_RESULT, .code = code, .text = wa_sv(plain)};
        wa_local_answer_tell(run->m, run->task->id, WA_NEWS_SCRIPT_RESULT, &a, data);
        wa_local_answer_tell(run->m, run->task->id, WA_NEWS_RESULT, &b, wa_buf_sv(&states));
    } else {
        wa_local_answer_tell(run->m, run->task->id, WA_NEWS_RESULT, &a, data);
    }
}

static void finish(struct wa_task_run *run, enum wa_code code, struct wa_err *err)
{
    struct wa_err stored = WA_ERR_INIT;
    char message[1100];
    if (code == WA_OK && run->postponed > 0)
        (void)snprintf(message, sizeof message, wa_text("%zu done, %zu put off"), run->done,
                       run->postponed);
    else if (code == WA_OK && run->summary[0] != '\0')
        (void)snprintf(message, sizeof message, "%.1000s", run->summary);
    else if (code == WA_OK)
        (void)snprintf(message, sizeof message, run->done > 0 ? wa_text("%zu done") : "done",
                       run->done);
    else
        (void)snprintf(message, sizeof message, "%s", err->text);
    if (store(run, code, message, &stored) != WA_OK) {
        run->m->is_unsettled = true;
        wa_log_err(&run->m->log, WA_LOG_ERROR, "database.failed", &stored);
    }
    wa_log(&run->m->log, code == WA_OK ? WA_LOG_INFO : WA_LOG_WARNING, "task.done",
           WA_LF_I("task", run->task->id), WA_LF_S("kind", run->task->kind),
           WA_LF_S("by", run->task->created_by), WA_LF_S("code", wa_code_name(code)),
           WA_LF_S("message", message));
    const struct wa_local_answer done = {.event = WA_EV_TASK,
                                         .id = run->task->id,
                                         .text = WA_SV("done"),
                                         .kind = wa_sv(run->task->kind),
                                         .by = wa_sv(run->task->created_by),
                                         .is_done = true,
                                         .code = code};
    tell(run, WA_NEWS_GENERAL, &done);
    tell_result(run, code, message);
}

/* An order is begun within its time, or not at all. */
static enum wa_code check_time(struct wa_task_run *run, struct wa_err *err)
{
    const struct wa_task *t = run->task;
    int64_t not_after = 0;
    if (t->action_id[0] == '\0' || t->is_put_off)
        return WA_OK;
    if (wa_action_not_after(run->m->tdb, t->action_id, &not_after, err) != WA_OK)
        return err->code;
    if (wa_clock_now() <= not_after)
        return WA_OK;
    run->is_over = t->is_in_use;
    return t->is_in_use
               ? wa_fail(err, WA_E_BUSY, "what was left out was in use until its time was over")
               : wa_fail(err, WA_E_REFUSED,
                         "its time was over before this machine could begin with it");
}

/* A registration's token and password stay in memory: the queue is a file, where only IN_MEMORY
 * says that there was one. The newest is kept; after a restart there is none, and whoever asked
 * asks again. */
#define IN_MEMORY "-"

static void keep_secret(struct wa_manager *m, struct wa_local_request *r)
{
    struct wa_sv *secret = r->token.n > 0 ? &r->token : &r->server_password;
    if (secret->n == 0)
        return;
    wa_lock_take(m->lock);
    wa_buf_fini_secret(&m->secret);
    wa_buf_init(&m->secret, WA_LOCAL_REQUEST_MAX);
    wa_buf_addsv(&m->secret, *secret);
    wa_lock_give(m->lock);
    r->server_password = r->token.n > 0 ? (struct wa_sv){NULL, 0} : r->server_password;
    *secret = WA_SV(IN_MEMORY);
}

/* secret: what the request then points to. */
static enum wa_code take_secret(struct wa_manager *m, struct wa_local_request *r,
                                struct wa_buf *secret, struct wa_err *err)
{
    struct wa_sv *wanted = r->token.n > 0 ? &r->token : &r->server_password;
    if (!wa_sv_eqs(*wanted, IN_MEMORY))
        return WA_OK;
    wa_lock_take(m->lock);
    *secret = m->secret;
    m->secret = (struct wa_buf){0};
    wa_lock_give(m->lock);
    *wanted = wa_buf_sv(secret);
    return secret->n > 0 ? WA_OK
                         : wa_fail(err, WA_E_CANCELLED,
                                   "the agent was started again meanwhile and has kept no password "
                                   "or token: register once more");
}

/* In the loop's thread. */
static void start_again(void *user)
{
    struct wa_manager *m = user;
    m->restarting = true;
    wa_loop_stop(m->loop);
}

/* By order, which is done and told by then; it waits for no other task. */
static void restart(struct wa_manager *m)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_loop_post(m->loop, start_again, m, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_ERROR, "restart.failed", &err);
}

/* Whoever asked for it is told in his language what becomes of it; the server, and who looks at
 * what is pending, in ours. */
static void run_task(struct wa_manager *m, const struct wa_task *t)
{
    struct wa_task_run run = {.m = m, .task = t};
    WA_AUTO_BUF_SECRET struct wa_buf secret = {0};
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&run.packages, WA_JSON_BYTES_MAX);
    wa_buf_init(&run.data, WA_JSON_BYTES_MAX);
    wa_buf_init(&run.log, WA_TASK_LOG_MAX);
    wa_jw_init(&run.packages_jw, &run.packages);
    wa_jw_arr(&run.packages_jw);
    recall(&run);
    const struct wa_local_answer started = {.event = WA_EV_TASK,
                                            .id = t->id,
                                            .text = WA_SV("running"),
                                            .kind = wa_sv(t->kind),
                                            .by = wa_sv(t->created_by)};
    tell(&run, WA_NEWS_PROGRESS, &started);
    if (t->action_id[0] != '\0')
        wa_push_begun(m, t->action_id);
    wa_log(&m->log, WA_LOG_INFO, "task.started", WA_LF_I("task", t->id), WA_LF_S("kind", t->kind),
           WA_LF_S("by", t->created_by));
    (void)wa_text_speak(t->language);
    enum wa_code code = wa_local_request_read(wa_sv(t->args), &arena, &run.request, &err);
    if (code == WA_OK && take_secret(m, &run.request, &secret, &err) == WA_OK &&
        check_time(&run, &err) == WA_OK && wa_schedule_begin(&run, &err) == WA_OK)
        (void)dispatch(&run, &err);
    code = err.code;
    wa_jw_end(&run.packages_jw);
    code = outcome(&run, code, &err);
    wa_cancel_reset(m->cancel); /* what follows tells of it, and is not what was cancelled */
    (void)wa_text_speak(NULL);
    wa_task_follow_up(&run);
    if (t->action_id[0] != '\0')
        wa_task_report(&run); /* the server sees the new state before the result */
    (void)wa_text_speak(t->language);
    finish(&run, code, &err);
    (void)wa_text_speak(NULL);
    wa_schedule_ended(&run, code);
    if (run.request.op == WA_OP_UPDATE)
        wa_order_updated(m, t->id);
    if (t->action_id[0] == '\0')
        wa_task_report(&run);
    wa_buf_fini(&run.packages);
    wa_buf_fini(&run.data);
    wa_buf_fini(&run.log);
    if (t->action_id[0] != '\0')
        wa_report_outbox(m); /* before other tasks that wait */
    if (run.restarts && code == WA_OK)
        restart(m);
}

/* What could not be recorded (a full disk) is settled as after a kill: a package whose script ran
 * counts as interrupted, so that nothing takes it for absent. */
static void settle(struct wa_manager *m)
{
    struct wa_err err = WA_ERR_INIT;
    size_t interrupted = 0;
    if (!m->is_unsettled || wa_agent_db_recover(m->tdb, &interrupted, &err) != WA_OK)
        return; /* there is still no room */
    m->is_unsettled = false;
    if (wa_kept_sweep(m, m->tdb, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "package.left", &err);
    wa_log(&m->log, WA_LOG_WARNING, "packages.interrupted", WA_LF_I("count", (int64_t)interrupted));
    wa_snapshot_settle(m);
}

/* By a user, for a while (F1E). */
static bool is_stopped(struct wa_manager *m)
{
    wa_lock_take(m->lock);
    bool was = m->stopped_until_ms != 0, is = m->stopped_until_ms > wa_clock_mono_ms();
    if (!is)
        m->stopped_until_ms = 0;
    wa_lock_give(m->lock);
    if (was && !is)
        wa_local_state(m, false);
    return is;
}

static bool take(struct wa_manager *m, struct wa_task *t)
{
    if (!wa_launcher_is_there(m->launcher))
        return false; /* this manager ends; the next one takes it */
    settle(m);
    if (is_stopped(m))
        return false;
    wa_in_use_look(m);
    struct wa_err err = WA_ERR_INIT;
    bool found = false;
    if (wa_task_take(m->tdb, t, &found, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_ERROR, "database.failed", &err);
    return found;
}

void wa_task_thread(void *user)
{
    struct wa_manager *m = user;
    struct wa_err err = WA_ERR_INIT;
    wa_snapshot_settle(m);
    if (wa_self_remember(m, &err) != WA_OK) /* who is trusted may have changed */
        wa_log_err(&m->log, WA_LOG_ERROR, "selfservice.failed", &err);
    wa_lock_take(m->lock);
    while (!m->stopping) {
        struct wa_task t = {.id = 0};
        wa_lock_give(m->lock);
        if (take(m, &t)) {
            wa_lock_take(m->lock);
            wa_cancel_reset(m->cancel); /* one that came late was for the task before */
            m->running_task = t.id;
            m->is_at_work = true;
            m->running_percent = 0;
            m->is_stoppable =
                t.action_id[0] == '\0' || (m->config.user_stop_s > 0 && !t.is_put_off);
            wa_lock_give(m->lock);
            run_task(m, &t);
            wa_task_fini(&t);
            wa_lock_take(m->lock);
            m->running_task = 0;
            continue;
        }
        wa_tell_server(m);
        bool goes_on = wa_icons_fetch(m);
        wa_lock_take(m->lock);
        if (goes_on)
            continue;
        m->is_at_work = false;
        if (!m->stopping)
            (void)wa_lock_wait(m->lock, IDLE_MS);
    }
    wa_lock_give(m->lock);
}

enum wa_code wa_manager_queue(struct wa_manager *m, const char *kind,
                              const struct wa_local_request *args, const char *by,
                              const char *action_id, int64_t not_before, int64_t *ret_id,
                              struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf text;
    struct wa_local_request clean = *args;
    wa_buf_init(&text, WA_LOCAL_REQUEST_MAX);
    clean.password = (struct wa_sv){NULL, 0}; /* proven already; never stored */
    clean.language = NULL; /* the queue has it beside: it makes no other task of an equal one */
    keep_secret(m, &clean);
    if (wa_local_request_write(&clean, &text, err) != WA_OK ||
        wa_task_add(m->db, kind, wa_buf_sv(&text), by, action_id, not_before, ret_id, err) != WA_OK)
        return err->code;
    wa_lock_take(m->lock);
    wa_lock_signal(m->lock);
    wa_lock_give(m->lock);
    const struct wa_local_answer queued = {.event = WA_EV_TASK,
                                           .id = *ret_id,
                                           .text = WA_SV("queued"),
                                           .kind = wa_sv(kind),
                                           .by = wa_sv(by)};
    wa_local_answer_tell(m, *ret_id, WA_NEWS_GENERAL, &queued, WA_SV(""));
    return WA_OK;
}
