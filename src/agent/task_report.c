/* task_report.c - what a task leaves to be done and to be told: the plan of what is pending, and
 * the machine's state at the server.
 *
 * All of it is the task thread's, between two tasks. What can't be told now is told later.
 */
#include "agent/backoff.h"
#include "agent/localapi.h"
#include "agent/report.h"
#include "agent/scheduler.h"
#include "agent/selfservice.h"
#include "agent/tasks.h"
#include "os/clock.h"

#define STATUS_RETRY_FIRST_S 30
#define STATUS_RETRY_MAX_S 3600
#define HURRY_S 5 /* the least between two welcomes that count: the network process says when */

/* What changes with nearly every task is reported without being asked. */
static bool changes_status(enum wa_local_op op)
{
    return op == WA_OP_UPDATE || op == WA_OP_UPGRADE || op == WA_OP_INSTALL || op == WA_OP_REMOVE ||
           op == WA_OP_UNINSTALL || op == WA_OP_FORGET || op == WA_OP_AUDIT ||
           op == WA_OP_REGISTER || op == WA_OP_DESCRIBE;
}

/* What a scheduled update has found is fetched ahead, so that an upgrade is short. */
static enum wa_code fetch_ahead(const struct wa_task_run *run, struct wa_err *err)
{
    const struct wa_local_request r = {.op = WA_OP_DOWNLOAD_UPGRADE};
    WA_AUTO_BUF struct wa_buf text;
    int64_t id = 0;
    wa_buf_init(&text, WA_LOCAL_REQUEST_MAX);
    return wa_local_request_write(&r, &text, err) == WA_OK
               ? wa_task_add(run->m->tdb, wa_local_op_name(r.op), wa_buf_sv(&text), WA_SCHEDULER,
                             "", 0, &id, err)
               : err->code;
}

void wa_task_follow_up(struct wa_task_run *run)
{
    struct wa_err err = WA_ERR_INIT;
    bool has_arrivals = false;
    if (!changes_status(run->request.op))
        return;
    if (wa_pending_remember(run->m, &has_arrivals, &err) == WA_OK && has_arrivals &&
        run->request.op == WA_OP_UPDATE && wa_task_is_scheduled(run->task) &&
        run->m->config.download_ahead)
        (void)fetch_ahead(run, &err);
    if (err.code != WA_OK || wa_self_remember(run->m, &err) != WA_OK)
        wa_log_err(&run->m->log, WA_LOG_ERROR, "pending.failed", &err);
    wa_local_upgrades(run->m);
}

/* Sends the status; what can't be sent now is tried again later. */
static void report_now(struct wa_manager *m)
{
    struct wa_err err = WA_ERR_INIT;
    m->status_retry_at = 0;
    if (m->key == NULL || m->config.wapt_server[0] == '\0')
        return;
    enum wa_code code = wa_report_status(m, false, &err);
    if (code == WA_OK) {
        m->status_tries = 0;
        return;
    }
    m->status_retry_at =
        wa_clock_now() +
        (int64_t)wa_backoff(STATUS_RETRY_FIRST_S, STATUS_RETRY_MAX_S, m->status_tries++);
    wa_log_err(&m->log, WA_LOG_WARNING, "status.not_sent", &err);
}

void wa_task_report(struct wa_task_run *run)
{
    if (changes_status(run->request.op))
        report_now(run->m);
}

/* The server has lost, or got in another way, what we thought it had: all is reported. */
static void take_denial(struct wa_manager *m, int64_t now)
{
    struct wa_err err = WA_ERR_INIT;
    wa_lock_take(m->lock);
    bool is_denied = m->same_denied;
    m->same_denied = false;
    wa_lock_give(m->lock);
    if (!is_denied)
        return;
    if (wa_param_set(m->tdb, "status_hashes", WA_SV(""), &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_ERROR, "database.failed", &err);
    else if (m->status_retry_at == 0)
        m->status_retry_at = now;
}

/* What the server is owed: at its time, or as soon as it is there again. */
void wa_tell_server(struct wa_manager *m)
{
    struct wa_err err = WA_ERR_INIT;
    wa_lock_take(m->lock);
    bool is_back = m->server_is_back;
    m->server_is_back = false;
    wa_lock_give(m->lock);
    int64_t now = wa_clock_now();
    take_denial(m, now);
    if (is_back && (now >= m->hurried_at + HURRY_S || now < m->hurried_at)) {
        m->hurried_at = now;
        m->outbox_after = 0;
        m->in_use_look_ms = 0; /* what could not be fetched can be, now */
        m->status_retry_at = m->status_retry_at != 0 ? now : 0;
        if (wa_outbox_hurry(m->tdb, &err) != WA_OK)
            wa_log_err(&m->log, WA_LOG_ERROR, "database.failed", &err);
    }
    wa_report_renew(m);
    wa_report_outbox(m);
    if (m->status_retry_at != 0 &&
        !wa_is_to_come(m->status_retry_at, wa_clock_now(), STATUS_RETRY_MAX_S))
        report_now(m);
}
