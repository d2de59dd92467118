/* local_ops.c - what is done for a local client once it may: most becomes a task, reading is
 * answered at once, and stopping is F1E's: free for all, for a while.
 */
#include "agent/hook.h"
#include "agent/local_priv.h"
#include "agent/localapi.h"
#include "agent/reload.h"
#include "agent/tasks.h"
#include "agent/work.h"

#include "base/text.h"
#include "os/clock.h"

bool wa_op_reads(enum wa_local_op op)
{
    switch (op) {
    case WA_OP_STATUS:
    case WA_OP_LIST:
    case WA_OP_SEARCH:
    case WA_OP_SHOW:
    case WA_OP_LIST_UPGRADE:
    case WA_OP_TASKS:
    case WA_OP_CHECK_UPGRADES:
    case WA_OP_CHECK:
    case WA_OP_CATALOGUE:
    case WA_OP_ICONS:
    case WA_OP_EVENTS:
    case WA_OP_SHOW_LOG:
    case WA_OP_SHOW_TASK:
        return true;
    default:
        return false;
    }
}

bool wa_op_shows_rights(enum wa_local_op op)
{
    return op == WA_OP_LIST || op == WA_OP_SEARCH || op == WA_OP_CATALOGUE;
}

static bool is_at_once(enum wa_local_op op)
{
    return op == WA_OP_CANCEL || op == WA_OP_CANCEL_ALL || op == WA_OP_RESTART ||
           op == WA_OP_STOP || op == WA_OP_START || op == WA_OP_LOCK;
}

/* --- installing what is the machine's anyway --- */

/* {"upgrades": ["name(=version)", ...]} */
static bool is_pending(const struct wa_json *upgrades, struct wa_sv name)
{
    for (size_t i = 0; i < wa_json_count(upgrades); i++) {
        struct wa_sv rest = wa_json_sv(wa_json_at(upgrades, i)), package;
        if (wa_sv_split(&rest, '(', &package) && package.n == name.n &&
            memcmp(package.p, name.p, name.n) == 0)
            return true;
    }
    return false;
}

static enum wa_code load_pending(struct wa_client *c, struct wa_arena *arena,
                                 const struct wa_json **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_json *j = NULL;
    wa_buf_init(&text, 1u << 20);
    if (wa_param_get(c->local->m->db, "last_update_status", &text, err) != WA_OK ||
        (text.n > 0 && wa_json_parse(wa_buf_sv(&text), 0, arena, &j, err) != WA_OK))
        return err->code;
    *ret = wa_json_get(j, "upgrades");
    return WA_OK;
}

static bool is_installed(const struct wa_installed_list *l, struct wa_sv name)
{
    for (size_t i = 0; i < l->n; i++)
        if (wa_sv_eqs(name, wa_control_get(&l->items[i].base.control, WA_A_PACKAGE)))
            return true;
    return false;
}

bool wa_op_is_upgrade(struct wa_client *c)
{
    const struct wa_local_request *r = &c->request;
    WA_AUTO_INSTALLED struct wa_installed_list l = {NULL, 0, 0};
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *upgrades = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 16u << 20);
    if (r->op != WA_OP_INSTALL || r->force || r->params.n > 0 || r->package_count == 0 ||
        wa_installed_load(c->local->m->db, NULL, &l, &err) != WA_OK ||
        load_pending(c, &arena, &upgrades, &err) != WA_OK)
        return false;
    for (size_t i = 0; i < r->package_count; i++)
        if (!is_installed(&l, r->packages[i]) && !is_pending(upgrades, r->packages[i]))
            return false;
    return true;
}

/* --- stopping --- */

static void cancel(struct wa_client *c)
{
    struct wa_manager *m = c->local->m;
    struct wa_err err = WA_ERR_INIT;
    bool all = c->request.op == WA_OP_CANCEL_ALL, waiting = false;
    if (wa_task_cancel(m->db, all ? 0 : c->request.task_id, &waiting, &err) != WA_OK) {
        (void)wa_client_finish(c, err.code, err.text, WA_SV(""));
        return;
    }
    if (waiting && !all)
        wa_local_cancelled(m, c->request.task_id, "cancelled");
    wa_lock_take(m->lock);
    bool meant = m->running_task != 0 &&
                 (all || c->request.task_id == 0 || c->request.task_id == m->running_task);
    bool running = meant && (m->is_stoppable || c->peer.uid == 0);
    if (running)
        wa_cancel_set(m->cancel);
    wa_lock_give(m->lock);
    if (waiting || running)
        (void)wa_client_finish(c, WA_OK, "cancelled", WA_SV(""));
    else if (meant)
        (void)wa_client_finish(
            c, WA_E_DENIED,
            "an administrator ordered it, and it was put off before or can't be put off",
            WA_SV(""));
    else
        (void)wa_client_finish(c, WA_E_NOT_FOUND, "no such task waits or runs", WA_SV(""));
}

static void refuse_for_now(struct wa_client *c, const char *text)
{
    wa_rights_log(c, false, "not again so soon");
    (void)wa_client_finish(c, WA_E_BUSY, text, WA_SV(""));
}

/* Users can't keep the service from its work by restarting it again and again. */
static enum wa_code may_restart(struct wa_manager *m, int64_t *ret_wait_s, struct wa_err *err)
{
    int64_t last = 0, now = wa_clock_now();
    if (wa_param_i64(m->db, "user_restart_at", &last, err) != WA_OK)
        return err->code;
    *ret_wait_s =
        last <= now && now - last < WA_LOCAL_RESTART_S ? last + WA_LOCAL_RESTART_S - now : 0;
    return *ret_wait_s > 0 ? WA_OK : wa_param_set_i64(m->db, "user_restart_at", now, err);
}

static void restart(struct wa_client *c)
{
    struct wa_manager *m = c->local->m;
    struct wa_err err = WA_ERR_INIT;
    int64_t wait_s = 0;
    char text[256];
    if (c->peer.uid != 0 && may_restart(m, &wait_s, &err) != WA_OK) {
        (void)wa_client_finish(c, err.code, err.text, WA_SV(""));
        return;
    }
    if (wait_s > 0) {
        (void)snprintf(text, sizeof text,
                       wa_text("the service was restarted not long ago: try again in %lld seconds"),
                       (long long)wait_s);
        refuse_for_now(c, text);
        return;
    }
    (void)wa_client_finish(c, WA_OK, "restarting", WA_SV(""));
    m->restarting = true;
    wa_loop_stop(m->loop);
}

/* No task begins for user_stop_period, then all goes on; what runs ends after its step. What was
 * ordered and already put off once isn't cut again. Then the service works at least as long before
 * a user can stop it again. */
static void stop(struct wa_client *c)
{
    struct wa_local *l = c->local;
    struct wa_manager *m = l->m;
    uint64_t now = wa_clock_mono_ms(), period = (uint64_t)m->config.user_stop_s * 1000;
    char text[256];
    if (period == 0) {
        wa_rights_log(c, false, "user_stop_period is 0");
        (void)wa_client_finish(c, WA_E_DENIED,
                               "the configuration forbids it (user_stop_period is 0)", WA_SV(""));
        return;
    }
    if (c->peer.uid != 0 && now < l->stop_again_ms) {
        (void)snprintf(text, sizeof text,
                       wa_text("the service was stopped not long ago: try again in %llu seconds"),
                       (unsigned long long)((l->stop_again_ms - now) / 1000 + 1));
        refuse_for_now(c, text);
        return;
    }
    wa_lock_take(m->lock);
    m->stopped_until_ms = now + period;
    if (m->running_task != 0 && (m->is_stoppable || c->peer.uid == 0))
        wa_cancel_set(m->cancel);
    wa_lock_give(m->lock);
    l->stop_again_ms = now + 2 * period;
    wa_local_state(m, true);
    (void)snprintf(text, sizeof text,
                   wa_text("stopped for %lld seconds, or until 'wapt-get start'"),
                   (long long)m->config.user_stop_s);
    (void)wa_client_finish(c, WA_OK, text, WA_SV(""));
}

static void start(struct wa_client *c)
{
    struct wa_manager *m = c->local->m;
    wa_lock_take(m->lock);
    bool was_stopped = m->stopped_until_ms != 0;
    m->stopped_until_ms = 0;
    wa_lock_signal(m->lock);
    wa_lock_give(m->lock);
    if (was_stopped)
        wa_local_state(m, false);
    (void)wa_client_finish(
        c, WA_OK, was_stopped ? wa_text("started") : wa_text("the service works"), WA_SV(""));
}

static void do_at_once(struct wa_client *c)
{
    switch (c->request.op) {
    case WA_OP_RESTART:
        restart(c);
        break;
    case WA_OP_STOP:
        stop(c);
        break;
    case WA_OP_START:
        start(c);
        break;
    case WA_OP_LOCK:
        wa_proofs_drop(&c->local->proofs, c->peer.uid);
        (void)wa_client_finish(c, WA_OK, "the password is asked for again", WA_SV(""));
        break;
    default:
        cancel(c);
        break;
    }
}

/* --- tasks and answers --- */

/* Each login asks for it, of hundreds of users perhaps, and mostly there is nothing: such a task
 * would only push others out of the history. */
static bool is_set_up(const struct wa_client *c)
{
    struct wa_err ignored = WA_ERR_INIT; /* then the task tells */
    struct wa_manager *m = c->local->m;
    bool is_needed = true;
    return c->request.op == WA_OP_SESSION_SETUP && c->peer.uid != 0 &&
           wa_session_is_needed(m, m->db, c->peer.uid, &c->request, &is_needed, &ignored) ==
               WA_OK &&
           !is_needed;
}

static void queue(struct wa_client *c)
{
    struct wa_err err = WA_ERR_INIT;
    if (is_set_up(c)) {
        (void)wa_client_finish(c, WA_OK, wa_text("nothing to set up"), WA_SV("[]"));
        return;
    }
    const char *kind = wa_local_op_name(c->request.op);
    char by[300];
    (void)snprintf(by, sizeof by, "uid %u (%s)", (unsigned)c->peer.uid, c->peer.user);
    if (wa_manager_queue(c->local->m, kind, &c->request, by, "", 0, &c->task, &err) != WA_OK) {
        (void)wa_client_finish(c, err.code, err.text, WA_SV(""));
        return;
    }
    wa_client_stage(c, WA_STAGE_FOLLOWING);
    const struct wa_local_answer a = {.event = WA_EV_TASK,
                                      .id = c->task,
                                      .text = WA_SV("queued"),
                                      .kind = wa_sv(kind),
                                      .by = wa_sv(by)};
    (void)wa_client_answer(c, &a, WA_SV(""));
}

static void answer(struct wa_client *c)
{
    WA_AUTO_BUF struct wa_buf data;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&data, WA_JSON_BYTES_MAX);
    if (wa_local_data(c->local->m, &c->request, &c->caller, &data, &err) != WA_OK)
        (void)wa_client_finish(c, err.code, err.text, WA_SV(""));
    else
        (void)wa_client_finish(c, WA_OK, "", wa_buf_sv(&data));
}

/* What can't be taken over is said at once, not when the task that runs is over. */
static enum wa_code check_reload(struct wa_manager *m, struct wa_err *err)
{
    struct wa_agent_config c;
    if (m->once)
        return wa_fail(err, WA_E_UNREACHABLE,
                       "the service does not run: there is nobody to reload");
    if (wa_reload_check(m, &c, err) == WA_OK)
        wa_agent_config_free(&c);
    else
        wa_log_err(&m->log, WA_LOG_ERROR, "config.refused", err);
    return err->code;
}

static bool takes_packages(enum wa_local_op op)
{
    return wa_op_reads(op) || op == WA_OP_AUDIT || op == WA_OP_DOWNLOAD || op == WA_OP_INSTALL ||
           op == WA_OP_REMOVE || op == WA_OP_UNINSTALL || op == WA_OP_FORGET ||
           op == WA_OP_SESSION_SETUP || op == WA_OP_GENERATE_UUID;
}

/* What an operation does not take stays behind: a token with an update would be kept in the place
 * of the one that somebody's registration waits with, a package named with an upgrade would count
 * as asked for. */
static void keep_own(struct wa_local_request *r)
{
    const struct wa_sv none = {NULL, 0};
    r->text = none;
    if (r->op != WA_OP_INSTALL)
        r->params = none;
    if (r->op != WA_OP_REGISTER)
        r->token = r->server_url = r->repo_url = r->server_user = r->server_password = none;
    if (r->op != WA_OP_UPGRADE)
        r->priorities = none;
    if (!takes_packages(r->op))
        r->package_count = 0;
}

void wa_client_carry_out(struct wa_client *c)
{
    struct wa_local_request *r = &c->request;
    const struct wa_json *ignored = NULL;
    struct wa_err err = WA_ERR_INIT;
    keep_own(r);
    if ((r->params.n > 0 && wa_params_check(r->params, &c->arena, &ignored, &err) != WA_OK) ||
        (r->op == WA_OP_RELOAD && check_reload(c->local->m, &err) != WA_OK))
        (void)wa_client_finish(c, err.code, err.text, WA_SV(""));
    else if (r->op == WA_OP_EVENTS)
        wa_stream_begin(c);
    else if (is_at_once(r->op))
        do_at_once(c);
    else if (wa_op_reads(r->op))
        answer(c);
    else
        queue(c);
}
