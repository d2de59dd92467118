/* waptselfservice.c - main() of the self-service: the catalogue of this machine in the browser of
 * whoever works at it. What they may is the agent's to decide; this program only asks it, as them.
 */
#include "agent/config.h"
#include "base/date.h"
#include "cmd/browser.h"
#include "cmd/help.h"
#include "codec/png.h"
#include "codec/url.h"
#include "desktop/desk.h"
#include "os/fs.h"
#include "os/local.h"
#include "os/path.h"
#include "os/priv.h"
#include "os/proc.h"

#define CONFIG "/opt/wapt/wapt-get.ini"
#define LOGO "templates/waptself-logo.png" /* below the base directory, as with WAPT */
#define IDLE_S 600
#define STDERR_FD 2

static const struct wa_cli_option options[] = {
    {"config", 'c', "FILE"},       {"list-upgrade", 0, NULL}, {"list-install", 0, NULL},
    {"list-non-install", 0, NULL}, {"search", 's', "TEXT"},   {"no-browser", 0, NULL},
    {"link-file", 0, "FILE"},      {"idle", 0, "PERIOD"},
};

struct settings {
    struct wa_cli *cli;
    char socket[WA_PATH_MAX], prefs[WA_PATH_MAX], run_dir[WA_PATH_MAX];
    struct wa_account who;
    struct wa_buf logo;
    int64_t idle_s;
};

static void no_warning(void *user, const char *text)
{
    WA_UNUSED(user);
    WA_UNUSED(text);
}

/* The administrator's, if there is one: a picture, or nothing. */
static void read_logo(struct settings *s, const char *base)
{
    char path[WA_PATH_MAX];
    struct wa_err absent = WA_ERR_INIT;
    wa_buf_init(&s->logo, WA_ICON_BYTES_MAX);
    if (snprintf(path, sizeof path, "%s/%s", base, LOGO) >= (int)sizeof path ||
        wa_path_read(path, WA_ICON_BYTES_MAX, &s->logo, &absent) != WA_OK ||
        !wa_png_is_icon(wa_buf_sv(&s->logo)))
        wa_buf_clear(&s->logo);
}

static enum wa_code read_settings(struct settings *s, struct wa_err *err)
{
    char config[WA_PATH_MAX];
    struct wa_agent_config c;
    const char *idle = wa_cli_get(s->cli, "idle", NULL);
    s->idle_s = IDLE_S;
    if (idle != NULL && (!wa_date_parse_period(wa_sv(idle), 'm', &s->idle_s) || s->idle_s < 1))
        return wa_fail(err, WA_E_USAGE, "--idle takes a period like 30m or 2h");
    if (wa_cli_config(s->cli, CONFIG, config, err) != WA_OK ||
        wa_agent_config_load(config, no_warning, NULL, &c, err) != WA_OK)
        return err->code;
    int n = snprintf(s->socket, sizeof s->socket, "%s", c.local_socket);
    read_logo(s, c.base);
    wa_agent_config_free(&c);
    return n < (int)sizeof s->socket
               ? WA_OK
               : wa_fail(err, WA_E_CONFIG, "local_socket: the path is too long");
}

static enum wa_code find_places(struct settings *s, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    if (wa_user_by_uid(wa_proc_own_uid(), &s->who, err) != WA_OK ||
        wa_path_of_config("selfservice", s->prefs, err) != WA_OK ||
        wa_dir_make(s->prefs, 0700, &dir, err) != WA_OK)
        return err->code;
    return wa_browser_run_dir(s->run_dir, err);
}

/* The page opens on this, beside the ticket. */
static void add_view(const struct wa_cli *cli, struct wa_buf *link)
{
    static const char *const lists[][2] = {{"list-upgrade", "upgradable"},
                                           {"list-install", "installed"},
                                           {"list-non-install", "not-installed"}};
    for (size_t i = 0; i < WA_COUNT(lists); i++)
        if (wa_cli_has(cli, lists[i][0]))
            wa_buf_addf(link, "&list=%s", lists[i][1]);
    if (wa_cli_has(cli, "search")) {
        wa_buf_adds(link, "&search=");
        wa_url_encode(wa_sv(wa_cli_get(cli, "search", "")), link);
    }
}

static enum wa_code on_link(void *user, const char *link, struct wa_err *err)
{
    const struct settings *s = user;
    WA_AUTO_BUF_SECRET struct wa_buf whole;
    wa_buf_init(&whole, 2048);
    wa_buf_adds(&whole, link);
    add_view(s->cli, &whole);
    return wa_buf_check(&whole, err) == WA_OK
               ? wa_browser_show(s->cli, s->run_dir, wa_buf_str(&whole), err)
               : err->code;
}

static enum wa_code serve(struct settings *s, struct wa_err *err)
{
    const char *const reads[] = {"/proc", NULL};
    const char *const writes[] = {s->prefs, s->run_dir, NULL};
    struct wa_log log;
    wa_log_init(&log, STDERR_FD, WA_LOG_INFO, "waptselfservice");
    const struct wa_desk_options o = {.socket = s->socket,
                                      .user = s->who.name,
                                      .language = wa_text_language_name(),
                                      .logo = wa_buf_sv(&s->logo),
                                      .prefs_dir = s->prefs,
                                      .idle_s = s->idle_s,
                                      .run_dir = s->run_dir,
                                      .read_paths = reads,
                                      .write_paths = writes,
                                      .log = &log,
                                      .on_link = on_link,
                                      .user_data = s};
    return wa_desk_run(&o, err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct settings s = {.cli = cli};
    wa_proc_ignore_broken_pipes();
    wa_proc_own_session();
    if (wa_priv_is_root())
        return wa_fail(err, WA_E_DENIED,
                       "this is for the people who work here: root has 'wapt-get catalogue'");
    if (read_settings(&s, err) == WA_OK && find_places(&s, err) == WA_OK)
        (void)!serve(&s, err);
    wa_buf_fini(&s.logo);
    wa_jw_null(&cli->jw);
    return err->code;
}

int main(int argc, char **argv)
{
    static const struct wa_cli_command only = {NULL, options, WA_COUNT(options), 0, 0, run};
    static const struct wa_cli_command *const commands[] = {&only, NULL};
    static const struct wa_cli_program program = {
        .help = wa_help_of_program, .name = "waptselfservice", .section = 1, .commands = commands};
    return wa_cli_main(&program, argc, argv);
}
