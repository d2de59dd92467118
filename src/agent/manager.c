/* manager.c - the manager's process: start, confinement, the
 * clock, the end. */
#include "agent/manager.h"
#include "agent/auth_ask.h"
#include "agent/folders.h"
#include "agent/health.h"
#include "agent/identity.h"
#include "agent/journal.h"
#include "agent/kept.h"
#include "agent/localapi.h"
#include "agent/moving.h"
#include "agent/push.h"
#include "agent/reload.h"
#include "agent/repo_trust.h"
#include "agent/scheduler.h"
#include "agent/tasks.h"
#include "agent/upgrade_hand.h"
#include "base/text.h"

#include "os/clock.h"
#include "os/local.h"
#include "os/priv.h"
#include "os/service.h"

#define CHANNEL_FD 3
#define CLOCK_MS 1000
#define ONCE_WAIT_S 30    /* for the command that it was started for */
#define RESTART_STATUS 75 /* anything but 0: the launcher, or the unit, starts the next manager */
#define LOCK_PAUSE_MS 50u
#define LOCK_TELL_TRIES 600u /* looks, half a minute: then it is told again */

/* One manager a base directory: two would run scripts at the same time. The launchers have a lock
 * of their own; this one is for a manager that outlives its launcher by a moment, or that has a
 * unit of its own: then it waits, as its launcher does. */
static enum wa_code lock_base(struct wa_manager *m, bool waits, struct wa_err *err)
{
    struct wa_relpath name;
    if (wa_relpath_parse(WA_SV("db/lock"), &name, err) != WA_OK)
        return err->code;
    for (unsigned tries = 0; wa_dir_lock(&m->base, &name, &m->lock_fd, err) == WA_E_BUSY && waits;
         tries++) {
        wa_err_clear(err);
        if (tries % LOCK_TELL_TRIES == 0) {
            wa_service_notify("EXTEND_TIMEOUT_USEC=60000000");
            wa_log(&m->log, WA_LOG_INFO, "manager.waits",
                   WA_LF_S("for", "a command of root's that works without the service"));
        }
        wa_clock_sleep_ms(LOCK_PAUSE_MS);
    }
    return err->code == WA_E_BUSY
               ? wa_fail(err, WA_E_BUSY, "another waptservice works in this base directory already")
               : err->code;
}

/* What an interruption left: stages and half downloads. */
static enum wa_code clear_leftovers(struct wa_manager *m, struct wa_err *err)
{
    static const char *const names[] = {"private/stage", "private/tmp"};
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        struct wa_relpath path;
        if (wa_relpath_parse(wa_sv(names[i]), &path, err) != WA_OK ||
            wa_tree_remove(&m->base, &path, err) != WA_OK ||
            wa_dir_make_sub(&m->base, &path, 0700, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* --- confinement --- */

static enum wa_code confine(struct wa_manager *m, struct wa_err *err)
{
    /* The last two wherever the administrator put them: absolute, or below the base directory. */
    const char *const reads[] = {m->libdir,
                                 "/etc",
                                 "/usr",
                                 "/lib",
                                 "/lib64",
                                 "/proc",
                                 "/sys",
                                 "/run",
                                 "/var/lib/dpkg",
                                 "/dev",
                                 m->config.public_certs_dir,
                                 m->config.verify_cert[0] == '/' ? m->config.verify_cert : NULL,
                                 NULL};
    const char *const writes[] = {m->config.base, NULL};
    const struct wa_priv p = {.name = "waptservice/manager",
                              .allow = WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_LOCAL |
                                       WA_PRIV_FDS | WA_PRIV_THREADS,
                              .read_paths = reads,
                              .write_paths = writes,
                              .no_core = true};
    if (wa_priv_drop(&p, m->confined, err) != WA_OK)
        return err->code;
    wa_log(&m->log, WA_LOG_INFO, "process.confined", WA_LF_S("left", m->confined));
    return WA_OK;
}

/* --- the clock --- */

static void keep_push(struct wa_manager *m)
{
    int64_t enrolled = 0;
    struct wa_err err = WA_ERR_INIT, ignored = WA_ERR_INIT;
    /* Read first: one that is being kept is seen as such afterwards. */
    bool is_enrolled =
        wa_param_i64(m->db, "enrolled_at", &enrolled, &ignored) == WA_OK && enrolled != 0;
    wa_lock_take(m->lock);
    bool fresh = m->registered, known = m->key != NULL;
    bool is_one = m->twin_doubts == 0; /* a copy hears no orders */
    is_enrolled = is_enrolled && !m->is_enrolling;
    wa_lock_give(m->lock);
    if (!known || !is_one || m->config.wapt_server[0] == '\0') {
        if (wa_push_is_up(m))
            wa_push_stop(m);
        return;
    }
    if (!is_enrolled || (!fresh && wa_push_is_up(m)))
        return;
    wa_lock_take(m->lock);
    m->registered = false; /* what registers from here on is the next turn's */
    wa_lock_give(m->lock);
    if (wa_push_start(m, &err) == WA_OK)
        return;
    wa_log_err(&m->log, WA_LOG_ERROR, "push.not_started", &err);
    wa_lock_take(m->lock);
    m->registered = true;
    wa_lock_give(m->lock);
}

/* Without the service: the end, when the command has gone and nothing runs for it. */
static void end_once(struct wa_manager *m, int64_t now)
{
    m->has_served = m->has_served || !wa_local_is_idle(m);
    wa_lock_take(m->lock);
    bool works = m->is_at_work;
    wa_lock_give(m->lock);
    if (wa_local_is_idle(m) && !works && (m->has_served || now > m->once_until))
        wa_loop_stop(m->loop);
}

/* That the loop turns is what is watched; a task may take its hour. */
static void tell_life(struct wa_manager *m)
{
    uint64_t now = wa_loop_now_ms(m->loop);
    if (m->watchdog_ms == 0 || now < m->watchdog_at_ms)
        return;
    wa_service_notify("WATCHDOG=1");
    m->watchdog_at_ms = now + m->watchdog_ms;
}

/* One that was refused does not end us: its end is seen here. */
static void notice_upgrade(struct wa_manager *m)
{
    struct wa_err err = WA_ERR_INIT;
    wa_lock_take(m->lock);
    bool is_awaited = m->upgrade_handed;
    wa_lock_give(m->lock);
    if (is_awaited && wa_upgrade_notice(m, m->db, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "upgrade.unknown", &err);
}

static void on_clock(void *user)
{
    struct wa_manager *m = user;
    int64_t now = wa_clock_now();
    tell_life(m);
    if (m->once) {
        end_once(m, now);
        return;
    }
    if (!wa_launcher_is_there(m->launcher)) { /* one in a unit of its own takes nobody with it */
        wa_log(&m->log, WA_LOG_ERROR, "launcher.gone", WA_LF_S("next", "a new start"));
        m->restarting = true;
        wa_loop_stop(m->loop);
        return;
    }
    keep_push(m);
    wa_push_turn(m);
    notice_upgrade(m);
    wa_schedule_turn(m, now);
}

static void on_stop(void *user, int signum)
{
    struct wa_manager *m = user;
    wa_log(&m->log, WA_LOG_INFO, "manager.stopping", WA_LF_I("signal", signum));
    wa_service_notify("STOPPING=1");
    m->restarting = false;
    wa_loop_stop(m->loop);
}

/* --- life --- */

static void on_warning(void *user, const char *text)
{
    struct wa_manager *m = user;
    if (!m->once) /* for one command the launcher has said so already */
        wa_log(&m->log, WA_LOG_WARNING, "config.unknown", WA_LF_S("what", text));
}

static enum wa_code open_state(struct wa_manager *m, struct wa_err *err)
{
    size_t interrupted = 0;
    if (wa_agent_db_open(m->config.base, &m->db, err) != WA_OK ||
        wa_agent_db_open(m->config.base, &m->tdb, err) != WA_OK ||
        wa_agent_db_recover(m->db, &interrupted, err) != WA_OK ||
        clear_leftovers(m, err) != WA_OK || wa_moving_import(m, err) != WA_OK ||
        wa_kept_sweep(m, m->db, err) != WA_OK || wa_upgrade_notice(m, m->db, err) != WA_OK ||
        (!m->once && wa_schedule_start(m, wa_clock_now(), err) != WA_OK) ||
        wa_identity_load(m, m->db, err) != WA_OK)
        return err->code;
    if (interrupted > 0)
        wa_log(&m->log, WA_LOG_WARNING, "packages.interrupted",
               WA_LF_I("count", (int64_t)interrupted));
    return WA_OK;
}

/* What is not good is in the log, with what to do, before anybody asks. */
static void on_health(void *user, const char *what, enum wa_health h, const char *text,
                      const char *remedy)
{
    struct wa_manager *m = user;
    if (h >= WA_HEALTH_WARNING)
        wa_log(&m->log, WA_LOG_WARNING, "health", WA_LF_S("of", what),
               WA_LF_S("is", wa_health_name(h)), WA_LF_S("since", text), WA_LF_S("do", remedy));
}

static void tell_health(struct wa_manager *m)
{
    const struct wa_health_report r = {.fn = on_health, .user = m};
    if (m->once)
        return;
    wa_health_machine(&m->config, m->libdir, &r);
    wa_health_manager(m, &r);
}

static enum wa_code start(struct wa_manager *m, const struct wa_manager_options *o,
                          struct wa_err *err)
{
    enum wa_log_level level = WA_LOG_INFO;
    int channel = CHANNEL_FD;
    (void)snprintf(m->libdir, sizeof m->libdir, "%s", o->libdir);
    if (wa_agent_config_load(o->config_file, on_warning, m, &m->config, err) != WA_OK)
        return err->code;
    if (m->config.language[0] != '\0' || !m->once)
        wa_text_language(m->config.language);
    if (!m->once && wa_log_level_parse(m->config.log_level, &level))
        m->log.level = level;
    if (wa_folders_check(m, err) != WA_OK ||
        (o->launcher != NULL && wa_local_connect(o->launcher, &channel, err) != WA_OK) ||
        lock_base(m, o->launcher != NULL, err) != WA_OK ||
        wa_host_facts_read(&m->facts, err) != WA_OK || wa_loop_new(&m->loop, err) != WA_OK ||
        wa_lock_new(&m->lock, err) != WA_OK || wa_cancel_new(&m->cancel, err) != WA_OK ||
        confine(m, err) != WA_OK || wa_launcher_open(channel, &m->launcher, err) != WA_OK ||
        open_state(m, err) != WA_OK || wa_local_start(m, err) != WA_OK ||
        wa_loop_on_stop(m->loop, on_stop, m, err) != WA_OK ||
        wa_loop_on_reload(m->loop, wa_reload_on_signal, m, err) != WA_OK ||
        wa_timer_new(m->loop, on_clock, m, &m->clock, err) != WA_OK)
        return err->code;
    m->once_until = wa_clock_now() + ONCE_WAIT_S;
    m->watchdog_ms = wa_service_watchdog_ms();
    wa_timer_start(m->clock, 100, m->once ? 100 : CLOCK_MS);
    m->status_retry_at = m->once ? 0 : wa_clock_now();
    m->is_at_work = true; /* until the task thread has looked */
    return wa_thread_start(wa_task_thread, m, &m->thread, err);
}

static void stop(struct wa_manager *m)
{
    if (m->lock != NULL) {
        wa_lock_take(m->lock);
        m->stopping = true;
        wa_lock_signal(m->lock);
        wa_lock_give(m->lock);
    }
    /* The step that runs is finished, not cut (F1E); the launcher's own limit ends what does not.
     */
    wa_thread_join(m->thread);
    wa_push_stop(m);
    wa_local_stop(m);
    wa_repo_trust_end(m);
    wa_timer_free(m->clock);
    wa_loop_free(m->loop);
    wa_db_close(m->db);
    wa_db_close(m->tdb);
    wa_launcher_free(m->launcher);
    wa_auth_forget(m);
    wa_key_free(m->key);
    wa_key_free(m->tls_next);
    wa_buf_fini_secret(&m->tls.pem);
    wa_buf_fini_secret(&m->secret);
    wa_cancel_free(m->cancel);
    wa_lock_free(m->lock);
    wa_fd_close(&m->lock_fd);
    wa_dir_close(&m->base);
    wa_reload_end(m);
    wa_agent_config_free(&m->config);
}

int wa_role_manager(const struct wa_manager_options *options)
{
    static const struct wa_manager empty = {.base = WA_DIR_INIT, .lock_fd = -1};
    struct wa_manager *m = wa_calloc(1, sizeof *m);
    struct wa_err err = WA_ERR_INIT;
    if (m == NULL)
        return wa_code_exit(WA_E_NOMEM);
    *m = empty;
    m->once = options->once;
    wa_log_init(&m->log, 2, m->once ? WA_LOG_WARNING : WA_LOG_INFO, "waptservice/manager");
    enum wa_code code = start(m, options, &err);
    int status = 0;
    if (code == WA_OK) {
        wa_service_notify("READY=1");
        wa_log(&m->log, WA_LOG_INFO, "manager.started", WA_LF_S("version", WA_VERSION),
               WA_LF_S("uuid", m->uuid));
        tell_health(m);
        code = wa_loop_run(m->loop, &err);
    }
    if (code != WA_OK) {
        wa_log_err(&m->log, WA_LOG_ERROR, "manager.failed", &err);
        status = wa_code_exit(code); /* the launcher tries again, ever more seldom */
    } else if (m->restarting) {
        status = RESTART_STATUS;
    }
    stop(m);
    wa_free(m);
    return status;
}
