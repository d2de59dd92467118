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

void wa_notice_leave(struct wa_task_run *run, const char *name, struct wa_sv text,
                     enum wa_power what, uint32_t minutes)
{
    struct wa_manager *m = run->m;
    struct wa_err err = WA_ERR_INIT, too = WA_ERR_INIT;
    struct wa_relpath path;
    if (wa_relpath_parse(wa_sv(name), &path, &err) != WA_OK ||
        wa_file_replace(&m->base, &path, text, 0644, &err) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "notice.not_told", &err);
    if (wa_power_start(m, what, minutes, &too) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "notice.not_told", &too);
}

static void conclude(struct wa_task_run *run, const char *text)
{
    (void)snprintf(run->summary, sizeof run->summary, "%s", wa_text(text));
}

static void tell(struct wa_task_run *run, const char *name, struct wa_sv text, enum wa_power what)
{
    if (wa_is_anybody_there())
        wa_notice_leave(run, name, text, what, 0);
    else
        conclude(run, WA_TEXT("nobody is at work here"));
}

enum wa_code wa_task_message(struct wa_task_run *run, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_ACTION_TEXT_MAX + 1);
    wa_buf_addsv(&text, run->request.text);
    wa_buf_addc(&text, '\n');
    if (wa_action_check_text(run->request.text, err) != WA_OK || wa_buf_check(&text, err) != WA_OK)
        return err->code;
    tell(run, WA_NOTICE_MESSAGE, wa_buf_sv(&text), WA_POWER_SHOW_MESSAGE);
    return WA_OK;
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
    if (wa_json_count(wa_json_get(last, "upgrades")) == 0)
        conclude(run, WA_TEXT("nothing to upgrade"));
    else
        tell(run, "run/upgrade-proposed", WA_SV(""), WA_POWER_PROPOSE);
    return WA_OK;
}
