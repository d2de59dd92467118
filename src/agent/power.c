/* power.c - orders about the machine as a whole: restart it, switch it off, wake its neighbours.
 *
 * They are tasks like all others: what runs is ended first, and nothing else begins while those who
 * are at work are warned. The machine obeys only where its own configuration says so. An order is
 * carried out once: the boot in which it began is written down before, and another boot means that
 * it was done.
 */
#include "agent/helper_priv.h"
#include "agent/install_priv.h"
#include "agent/tasks.h"
#include "os/clock.h"
#include "proto/hostid.h"

#define PARAM_BEGUN "power_begun" /* "<order> <boot>" */
#define PROGRAM_S 15u /* s: systemctl only asks; wall skips terminals that stand still */
#define PAUSE_MS 500

enum wa_code wa_power_may(const struct wa_manager *m, enum wa_local_op op, struct wa_err *err)
{
    bool is_reboot = op == WA_OP_REBOOT;
    if ((!is_reboot && op != WA_OP_SHUTDOWN) ||
        (is_reboot ? m->config.may_reboot : m->config.may_shut_down))
        return WA_OK;
    return wa_fail(err, WA_E_REFUSED,
                   "this machine's configuration does not let that be ordered: set '%s = 1' in its "
                   "wapt-get.ini",
                   is_reboot ? "allow_remote_reboot" : "allow_remote_shutdown");
}

enum wa_code wa_power_start(struct wa_manager *m, enum wa_power what, uint32_t minutes,
                            struct wa_err *err)
{
    const struct wa_start s = {
        .role = WA_ROLE_POWER, .power = what, .minutes = minutes, .timeout_s = PROGRAM_S};
    struct wa_helper *h = NULL;
    bool has_ended = false;
    if (wa_helper_start(m->launcher, &s, &h, err) == WA_OK &&
        wa_helper_wait(m->launcher, h, (int)PROGRAM_S * 1000, &has_ended, err) == WA_OK &&
        (!has_ended || h->ended.is_signal || h->ended.value != 0))
        (void)wa_fail(err, WA_E_FAILED,
                      "the system's program for it failed: the journal of waptservice says why");
    wa_helper_end(m->launcher, h);
    return err->code;
}

/* Whether the order began in an earlier life of the machine; else it is written down now. */
static enum wa_code begin(struct wa_task_run *run, bool *ret_is_done, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf known;
    char boot[WA_BOOT_ID], text[sizeof run->task->action_id + WA_BOOT_ID];
    struct wa_sv order, of;
    wa_buf_init(&known, 256);
    if (wa_host_boot_id(boot, err) != WA_OK ||
        wa_param_get(run->m->tdb, PARAM_BEGUN, &known, err) != WA_OK)
        return err->code;
    of = wa_buf_sv(&known);
    *ret_is_done = wa_sv_split(&of, ' ', &order) && wa_sv_eqs(order, run->task->action_id) &&
                   !wa_sv_eqs(of, boot);
    if (*ret_is_done)
        return WA_OK;
    (void)snprintf(text, sizeof text, "%s %s", run->task->action_id, boot);
    return wa_param_set(run->m->tdb, PARAM_BEGUN, wa_sv(text), err);
}

/* Who can't be told is no reason to leave the machine on. */
static void warn(struct wa_task_run *run, bool is_reboot, int64_t period_s)
{
    struct wa_err untold = WA_ERR_INIT;
    char text[64];
    uint32_t minutes = (uint32_t)((period_s + 59) / 60);
    wa_task_say(run, "those who are at work are warned: %u minutes\n", (unsigned)minutes);
    (void)snprintf(text, sizeof text, "%s %lld\n", is_reboot ? "reboot" : "shutdown",
                   (long long)(wa_clock_now() + period_s));
    const struct wa_notice n = {"run/leave-ordered", wa_sv(text),
                                is_reboot ? WA_POWER_WARN_REBOOT : WA_POWER_WARN_SHUTDOWN, minutes};
    if (wa_notice_leave(run->m, &n, &untold) != WA_OK)
        wa_log_err(&run->m->log, WA_LOG_WARNING, "notice.not_told", &untold);
}

static enum wa_code wait(struct wa_task_run *run, int64_t period_s, struct wa_err *err)
{
    uint64_t from = wa_clock_mono_ms(), period_ms = (uint64_t)period_s * 1000, gone = 0;
    for (; gone < period_ms; gone = wa_clock_mono_ms() - from) {
        if (wa_task_may_go_on(run, err) != WA_OK)
            return err->code;
        wa_task_progress(run, gone, period_ms);
        uint64_t left = period_ms - gone;
        wa_lock_take(run->m->lock);
        (void)wa_lock_wait(run->m->lock, left < PAUSE_MS ? (int)left : PAUSE_MS);
        wa_lock_give(run->m->lock);
    }
    return wa_task_may_go_on(run, err);
}

enum wa_code wa_task_power(struct wa_task_run *run, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    bool is_reboot = run->request.op == WA_OP_REBOOT, is_done = false;
    if (wa_power_may(m, run->request.op, err) != WA_OK || begin(run, &is_done, err) != WA_OK)
        return err->code;
    if (is_done) {
        wa_task_say(run, "the machine was started again since: nothing is left to do\n");
        return WA_OK;
    }
    if (m->config.power_warning_s > 0 && wa_is_anybody_there()) {
        warn(run, is_reboot, m->config.power_warning_s);
        if (wait(run, m->config.power_warning_s, err) != WA_OK)
            return err->code;
    }
    wa_log(&m->log, WA_LOG_WARNING, is_reboot ? "power.reboot" : "power.shutdown",
           WA_LF_S("by", run->task->created_by));
    if (wa_power_start(m, is_reboot ? WA_POWER_REBOOT : WA_POWER_SHUTDOWN, 0, err) != WA_OK)
        (void)wa_install_is_lost(run); /* the machine may be going down already */
    return err->code;
}

enum wa_code wa_task_wake(struct wa_task_run *run, struct wa_err *err)
{
    struct wa_wake w = {.count = 0};
    for (size_t i = 0; i < run->request.package_count; i++)
        if (w.count == WA_WAKE_MAX || !wa_mac_parse(run->request.packages[i], w.macs[w.count++]))
            return wa_fail(err, WA_E_INVALID, "an order to wake what is no network card");
    if (w.count == 0)
        return wa_fail(err, WA_E_INVALID, "an order to wake nobody");
    if (wa_helper_wake(run->m->launcher, &w, run->m->cancel, err) != WA_OK)
        return err->code;
    run->done += w.count;
    return WA_OK;
}
