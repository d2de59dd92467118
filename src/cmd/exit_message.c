/* exit_message.c - waptexit --message and --notice: shows on this user's desktop what an
 * administrator has sent to those who are at work here, or what is about to happen to the machine.
 *
 * It runs as the user, started by the user's own systemd. notify-send makes characters of
 * backslashes, and desktops make markup of what it sends: neither finds any here. */
#include "agent/config.h"
#include "base/text.h"
#include "cmd/exit.h"
#include "os/fs.h"
#include "os/proc.h"
#include "proto/action.h"

#define NOTICE "run/message" /* what the agent writes (src/agent/roles.h) */

static void no_warning(void *user, const char *text)
{
    WA_UNUSED(user);
    WA_UNUSED(text);
}

static enum wa_code read_message(const char *config, struct wa_buf *out, struct wa_err *err)
{
    struct wa_agent_config c;
    char path[WA_PATH_MAX];
    if (wa_agent_config_load(config, no_warning, NULL, &c, err) != WA_OK)
        return err->code;
    bool fits = snprintf(path, sizeof path, "%s/" NOTICE, c.base) < (int)sizeof path;
    wa_agent_config_free(&c);
    if (!fits)
        return wa_fail(err, WA_E_CONFIG, "the path of the base directory is too long");
    return wa_path_read(path, WA_ACTION_TEXT_MAX + 1, out, err);
}

/* As the text stands, whatever is in it. */
static void escape(struct wa_sv text, struct wa_buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '&':
            wa_buf_adds(out, "&amp;");
            break;
        case '<':
            wa_buf_adds(out, "&lt;");
            break;
        case '>':
            wa_buf_adds(out, "&gt;");
            break;
        case '\\':
            wa_buf_adds(out, "\\\\");
            break;
        default:
            wa_buf_addc(out, text.p[i]);
        }
    }
}

static enum wa_code show(const char *title, const char *body, struct wa_err *err)
{
    const char *const argv[] = {
        "/usr/bin/notify-send", "--urgency=critical", "--app-name=WAPT", "--", title, body, NULL};
    return wa_proc_become(argv[0], argv, err);
}

enum wa_code wa_leave_notice(const char *kind, struct wa_err *err)
{
    static const char *const notices[][2] = {
        {"leaving", WA_TEXT("In a few minutes this machine is restarted or switched off, as its "
                            "administrator has ordered: please save your work.")},
        {"shutdown", WA_TEXT("This machine is being shut down. First what is pending is installed: "
                             "please leave it on.")}};
    for (size_t i = 0; i < WA_COUNT(notices); i++)
        if (strcmp(kind, notices[i][0]) == 0)
            return show("WAPT", wa_text(notices[i][1]), err);
    return wa_fail(err, WA_E_USAGE, "'%s' is neither leaving nor shutdown", kind);
}

enum wa_code wa_leave_message(const char *config, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf read;
    WA_AUTO_BUF struct wa_buf body;
    wa_buf_init(&read, WA_ACTION_TEXT_MAX + 2);
    wa_buf_init(&body, 6 * WA_ACTION_TEXT_MAX);
    if (read_message(config, &read, err) != WA_OK)
        return err->code;
    struct wa_sv text = wa_sv_trim(wa_buf_sv(&read));
    if (wa_action_check_text(text, err) != WA_OK)
        return err->code;
    escape(text, &body);
    return wa_buf_check(&body, err) == WA_OK
               ? show(wa_text("A message of this machine's administrator"), wa_buf_str(&body), err)
               : err->code;
}
