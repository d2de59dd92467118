/* reload.c - a changed configuration taken over by the service that runs: read and checked whole
 * first, so that a wrong one changes nothing.
 *
 * A reload is a task like others, so no task ever has two configurations. The loop exchanges the
 * two while the task thread waits. What the process has been confined to can't change any more:
 * what would need that is refused with the way out. Texts of the former one stay for a while, for
 * questions to auth that are under way in other threads.
 */
#include "agent/reload.h"
#include "agent/folders.h"
#include "agent/push.h"
#include "agent/scheduler.h"
#include "agent/tasks.h"
#include "os/clock.h"
#include "os/service.h"

#define WAIT_MS 200
#define RETIRED_MS 600000u /* longer than any question lasts */

struct wa_retired {
    struct wa_retired *next;
    struct wa_agent_config config;
    uint64_t at_ms; /* of the clock that never goes back */
};

static void on_warning(void *user, const char *text)
{
    struct wa_manager *m = user;
    wa_log(&m->log, WA_LOG_WARNING, "config.unknown", WA_LF_S("what", text));
}

static enum wa_code check_fixed(const struct wa_manager *m, const struct wa_agent_config *c,
                                struct wa_err *err)
{
    static const char again[] = "a service that runs can't change it: 'wapt-get restart'";
    if (strcmp(c->local_socket, m->config.local_socket) != 0)
        return wa_fail(err, WA_E_CONFLICT, "local_socket: %s", again);
    if (strcmp(c->helper_user, m->config.helper_user) != 0)
        return wa_fail(err, WA_E_CONFLICT, "helper_user: %s", again);
    if (strcmp(c->uuid, m->config.uuid) != 0 || c->use_fqdn_as_uuid != m->config.use_fqdn_as_uuid)
        return wa_fail(err, WA_E_CONFLICT, "uuid, use_fqdn_as_uuid: %s", again);
    return WA_OK;
}

enum wa_code wa_reload_check(struct wa_manager *m, struct wa_agent_config *ret, struct wa_err *err)
{
    struct wa_agent_config c;
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_tls_trust trust;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_agent_config_load(m->config.file, on_warning, m, &c, err) != WA_OK)
        return err->code;
    if (check_fixed(m, &c, err) == WA_OK && wa_folders_check_config(&c, err) == WA_OK &&
        wa_agent_trust(&c, NULL, c.wapt_server, &pem, &trust, err) == WA_OK) {
        *ret = c;
        return WA_OK;
    }
    wa_agent_config_free(&c);
    return wa_wrap(err, "the configuration is not taken over");
}

static void retire(struct wa_manager *m, struct wa_retired *r)
{
    uint64_t now = wa_clock_mono_ms();
    r->at_ms = now;
    r->next = m->retired;
    m->retired = r;
    for (struct wa_retired **at = &m->retired; *at != NULL;) {
        struct wa_retired *old = *at;
        if (now - old->at_ms <= RETIRED_MS) {
            at = &old->next;
            continue;
        }
        *at = old->next;
        wa_agent_config_free(&old->config);
        wa_free(old);
    }
}

void wa_reload_end(struct wa_manager *m)
{
    for (struct wa_retired *r = m->retired, *next; r != NULL; r = next) {
        next = r->next;
        wa_agent_config_free(&r->config);
        wa_free(r);
    }
    m->retired = NULL;
}

/* In the loop's thread, while the task thread waits. */
static void exchange(void *user)
{
    struct wa_manager *m = user;
    struct wa_err err = WA_ERR_INIT;
    enum wa_log_level level = WA_LOG_INFO;
    char reloading[80];
    wa_lock_take(m->lock);
    struct wa_retired *r = m->reload_next;
    m->reload_next = NULL;
    if (r != NULL) {
        const struct wa_agent_config was = m->config;
        m->config = r->config;
        r->config = was;
    }
    wa_lock_give(m->lock);
    if (r == NULL)
        return; /* the service ends */
    (void)snprintf(reloading, sizeof reloading, "RELOADING=1\nMONOTONIC_USEC=%llu",
                   (unsigned long long)wa_clock_mono_ms() * 1000);
    wa_service_notify(reloading);
    retire(m, r);
    if (wa_log_level_parse(m->config.log_level, &level))
        m->log.level = level;
    if (wa_schedule_start(m, wa_clock_now(), &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_ERROR, "database.failed", &err);
    wa_push_reloaded(m);
    wa_log(&m->log, WA_LOG_INFO, "config.reloaded", WA_LF_S("file", m->config.file));
    wa_service_notify("READY=1");
    wa_lock_take(m->lock);
    m->reload_done = true;
    wa_lock_signal(m->lock);
    wa_lock_give(m->lock);
}

/* Until the loop has done it; it may end instead. */
static enum wa_code wait_exchange(struct wa_manager *m, struct wa_err *err)
{
    wa_lock_take(m->lock);
    while (!m->reload_done && !m->stopping)
        (void)wa_lock_wait(m->lock, WAIT_MS);
    bool is_done = m->reload_done;
    struct wa_retired *left = m->reload_next;
    m->reload_next = NULL;
    wa_lock_give(m->lock);
    if (left != NULL) {
        wa_agent_config_free(&left->config);
        wa_free(left);
    }
    return is_done ? WA_OK : wa_fail(err, WA_E_CANCELLED, "the service is being stopped");
}

enum wa_code wa_reload_task(struct wa_task_run *run, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    struct wa_retired *next = wa_calloc(1, sizeof *next);
    if (next == NULL)
        return wa_nomem(err);
    if (wa_reload_check(m, &next->config, err) != WA_OK) {
        wa_free(next);
        wa_log_err(&m->log, WA_LOG_ERROR, "config.refused", err);
        return err->code;
    }
    wa_lock_take(m->lock);
    m->reload_next = next;
    m->reload_done = false;
    wa_lock_give(m->lock);
    if (wa_loop_post(m->loop, exchange, m, err) != WA_OK) {
        wa_lock_take(m->lock);
        m->reload_next = NULL;
        wa_lock_give(m->lock);
        wa_agent_config_free(&next->config);
        wa_free(next);
        return err->code;
    }
    return wait_exchange(m, err);
}

void wa_reload_on_signal(void *user, int signum)
{
    struct wa_manager *m = user;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_local_request r = {.op = WA_OP_RELOAD};
    int64_t id = 0;
    WA_UNUSED(signum);
    if (wa_manager_queue(m, wa_local_op_name(r.op), &r, "signal", "", 0, &id, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_ERROR, "config.refused", &err);
}
