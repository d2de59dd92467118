/* tell.c - orders for those who are at work here: a message, and the proposal to install what is
 * pending.
 *
 * Nothing of root's reaches into a session. A file that root alone writes is watched by each user's
 * own systemd (packaging/), terminals are written to by a program of the system's that reads that
 * file: a text is never an argument, where it could name another one.
 */
#include "agent/helper_priv.h"
#include "agent/tasks.h"
#include "base/text.h"
#include "os/accounts.h"
#include "proto/action.h"

bool wa_is_anybody_there(void)
{
    WA_AUTO_BUF struct wa_buf names;
    struct wa_err ignored = WA_ERR_INIT;
    wa_buf_init(&names, 64u << 10);
    return wa_sessions_list(&names, &ignored) != WA_OK || names.n > 0;
}

enum wa_code wa_notice_leave(struct wa_manager *m, const struct wa_notice *n, struct wa_err *err)
{
    struct wa_err untold = WA_ERR_INIT;
    struct wa_relpath path;
    if (wa_relpath_parse(wa_sv(n->name), &path, err) == WA_OK)
        (void)!wa_file_replace(&m->base, &path, n->text, 0644, err);
    bool is_old = err->code != WA_OK && n->what == WA_POWER_SHOW_MESSAGE; /* what the file says */
    if (!is_old && wa_power_start(m, n->what, n->minutes, &untold) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "notice.not_told", &untold);
    return err->code == WA_OK ? WA_OK : wa_wrap(err, "telling those who are at work");
}

static void conclude(struct wa_task_run *run, const char *text)
{
    (void)snprintf(run->summary, sizeof run->summary, "%s", wa_text(text));
}

static enum wa_code tell(struct wa_task_run *run, const struct wa_notice *n, struct wa_err *err)
{
    if (wa_is_anybody_there())
        return wa_notice_leave(run->m, n, err);
    conclude(run, WA_TEXT("nobody is at work here"));
    return WA_OK;
}

enum wa_code wa_task_message(struct wa_task_run *run, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_ACTION_TEXT_MAX + 1);
    wa_buf_addsv(&text, run->request.text);
    wa_buf_addc(&text, '\n');
    if (wa_action_check_text(run->request.text, err) != WA_OK || wa_buf_check(&text, err) != WA_OK)
        return err->code;
    return tell(run,
                &(struct wa_notice){WA_NOTICE_MESSAGE, wa_buf_sv(&text), WA_POWER_SHOW_MESSAGE, 0},
                err);
}

enum wa_code wa_task_propose(struct wa_task_run *run, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_json *last = NULL;
    wa_arena_init(&arena, 16u << 20);
    wa_buf_init(&text, 1u << 20);
    if (wa_param_get(run->m->tdb, "last_update_status", &text, err) != WA_OK ||
        (text.n > 0 && wa_json_parse(wa_buf_sv(&text), 0, &arena, &last, err) != WA_OK))
        return err->code;
    if (wa_json_count(wa_json_get(last, "upgrades")) > 0)
        return tell(
            run, &(struct wa_notice){"run/upgrade-proposed", WA_SV(""), WA_POWER_PROPOSE, 0}, err);
    conclude(run, WA_TEXT("nothing to upgrade"));
    return WA_OK;
}
