/* con_open.c - waptconsole open: the local program behind the pages, with this person's
 * configuration, until it is left alone.
 *
 * The link holds a ticket that works once. It is written to the terminal or to a file that only
 * this person can read, never onto a command line, where other users could see it.
 */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/con.h"
#include "console/local.h"
#include "os/fs.h"
#include "os/path.h"
#include "os/proc.h"

#define CONFIRM_ABOVE 20
#define STDERR_FD 2

static const struct wa_cli_option options[] = {
    {"server", 0, "URL"},
    {"user", 'U', "NAME"},
    {"server-fingerprint", 0, "SHA256"},
    {"verify-cert", 0, "FILE"},
    {"certificate", 'k', "FILE"},
    {"private-key", 0, "FILE"},
    {"pkcs11-module", 0, "FILE"},
    {"keys-dir", 0, "DIR"},
    {"link-file", 0, "FILE"},
    {"trusted", 't', "DIR"},
    {"no-browser", 0, NULL},
    {"idle", 0, "PERIOD"},
    {"confirm-above", 0, "COUNT"},
};

struct settings {
    struct wa_con_server server;
    char *certificate, *key, *keys_dir, *trusted;
    int64_t idle_s, above;
    struct wa_con_repositories others;
};

static enum wa_code option_or_conf(const struct wa_cli *cli, const char *option, const char *key,
                                   char **ret, struct wa_err *err)
{
    const char *given = wa_cli_get(cli, option, NULL);
    return given != NULL ? wa_sv_dup(wa_sv(given), ret, err) : wa_get_conf(cli, key, ret, err);
}

static enum wa_code read_numbers(const struct wa_cli *cli, struct settings *s, struct wa_err *err)
{
    WA_AUTO_STR char *idle = NULL;
    WA_AUTO_STR char *above = NULL;
    s->idle_s = 1800;
    s->above = CONFIRM_ABOVE;
    if (option_or_conf(cli, "idle", "console_idle", &idle, err) != WA_OK ||
        option_or_conf(cli, "confirm-above", "console_confirm_above", &above, err) != WA_OK)
        return err->code;
    if (idle != NULL && (!wa_date_parse_period(wa_sv(idle), 'm', &s->idle_s) || s->idle_s < 1))
        return wa_fail(err, WA_E_USAGE, "--idle takes a period like 30m or 2h");
    if (above != NULL && (!wa_sv_i64(wa_sv(above), &s->above) || s->above < 0))
        return wa_fail(err, WA_E_USAGE, "--confirm-above takes a number of machines");
    return WA_OK;
}

static enum wa_code read_settings(const struct wa_cli *cli, struct settings *s, struct wa_err *err)
{
    if (wa_con_server_read(cli, &s->server, err) != WA_OK ||
        option_or_conf(cli, "certificate", "personal_certificate_path", &s->certificate, err) !=
            WA_OK ||
        option_or_conf(cli, "private-key", "personal_private_key", &s->key, err) != WA_OK ||
        option_or_conf(cli, "keys-dir", "keys_dir", &s->keys_dir, err) != WA_OK ||
        option_or_conf(cli, "trusted", "public_certs_dir", &s->trusted, err) != WA_OK ||
        wa_con_repositories_read(cli, &s->others, err) != WA_OK)
        return err->code;
    return read_numbers(cli, s, err);
}

static enum wa_code on_link(void *user, const char *link, struct wa_err *err)
{
    const struct wa_cli *cli = user;
    const char *file = wa_cli_get(cli, "link-file", NULL);
    if (file != NULL)
        return wa_path_replace(file, wa_sv(link), 0600, err);
    if (printf("%s\n", link) < 0 || fflush(stdout) != 0)
        return wa_fail(err, WA_E_IO, "cannot write to standard output");
    return WA_OK;
}

static void settings_fini(struct settings *s)
{
    wa_con_server_fini(&s->server);
    wa_free(s->certificate);
    wa_free(s->key);
    wa_free(s->keys_dir);
    wa_free(s->trusted);
    wa_con_repositories_fini(&s->others);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct settings s = {.idle_s = 0};
    struct wa_err no_home = WA_ERR_INIT;
    char prefs[WA_PATH_MAX];
    struct wa_log log;
    wa_log_init(&log, STDERR_FD, WA_LOG_INFO, "waptconsole");
    wa_proc_ignore_broken_pipes();
    if (wa_path_of_config("pages", prefs, &no_home) != WA_OK)
        prefs[0] = '\0';
    if (read_settings(cli, &s, err) == WA_OK) {
        const struct wa_local_options o = {.server = s.server.server,
                                           .trust = &s.server.trust,
                                           .user = s.server.user,
                                           .certificate = s.certificate,
                                           .key = s.key,
                                           .keys_dir = s.keys_dir,
                                           .trusted = s.trusted,
                                           .repositories = s.others.items,
                                           .repository_count = s.others.n,
                                           .module = wa_cli_get(cli, "pkcs11-module", NULL),
                                           .language = wa_text_language_name(),
                                           .prefs_dir = prefs[0] != '\0' ? prefs : NULL,
                                           .idle_s = s.idle_s,
                                           .confirm_above = (size_t)s.above,
                                           .log = &log,
                                           .on_link = on_link,
                                           .user_data = cli};
        (void)!wa_local_run(&o, err);
    }
    settings_fini(&s);
    wa_jw_null(&cli->jw);
    return err->code;
}

const struct wa_cli_command wa_con_open = {"open", options, WA_COUNT(options), 0, 0, run};
