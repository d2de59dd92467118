/* con_open.c - waptconsole open: the local program behind the pages, with this person's
 * configuration, until it is left alone.
 */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/browser.h"
#include "cmd/con.h"
#include "codec/ini.h"
#include "console/local.h"
#include "console/reader.h"
#include "crypto/token.h"
#include "os/fs.h"
#include "os/path.h"
#include "os/priv.h"
#include "os/proc.h"

#include <stdlib.h>

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
    {"pinentry", 0, "PROGRAM"},
};

#define PATHS_MAX 128

struct settings {
    struct wa_cli *cli;
    struct wa_con_server server;
    char *certificate, *key, *keys_dir, *trusted, *pinentry, *login, *prefix, *maturity;
    int prompter_fd;
    struct wa_con_reader reader_process;
    struct wa_reader *reader;
    int64_t idle_s, above;
    struct wa_con_repositories others;
    char run_dir[WA_PATH_MAX], config_dir[WA_PATH_MAX], home[WA_PATH_MAX];
    char beside[WA_PATH_MAX]; /* the certificate, where its key is sought */
    char module[WA_PATH_MAX]; /* where the library of the token is, and what it loads itself */
    const char *reads[PATHS_MAX], *writes[8];
    size_t read_count;
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

/* Where wapt-get create-keycert leaves keys. */
static enum wa_code usual_keys_dir(char **ret, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    return wa_path_of_config("private", path, err) == WA_OK ? wa_sv_dup(wa_sv(path), ret, err)
                                                            : err->code;
}

static enum wa_code read_settings(const struct wa_cli *cli, struct settings *s, struct wa_err *err)
{
    if (wa_con_server_read(cli, &s->server, err) != WA_OK ||
        option_or_conf(cli, "certificate", "personal_certificate_path", &s->certificate, err) !=
            WA_OK ||
        option_or_conf(cli, "private-key", "personal_private_key", &s->key, err) != WA_OK ||
        option_or_conf(cli, "keys-dir", "keys_dir", &s->keys_dir, err) != WA_OK ||
        (s->keys_dir == NULL && usual_keys_dir(&s->keys_dir, err) != WA_OK) ||
        option_or_conf(cli, "trusted", "public_certs_dir", &s->trusted, err) != WA_OK ||
        option_or_conf(cli, "pinentry", "pinentry", &s->pinentry, err) != WA_OK ||
        wa_con_login_way(cli, &s->login, err) != WA_OK ||
        wa_get_conf(cli, "default_package_prefix", &s->prefix, err) != WA_OK ||
        wa_get_conf(cli, "default_maturity", &s->maturity, err) != WA_OK ||
        wa_con_repositories_read(cli, &s->others, err) != WA_OK)
        return err->code;
    return read_numbers(cli, s, err);
}

static enum wa_code on_link(void *user, const char *link, struct wa_err *err)
{
    const struct settings *s = user;
    return wa_browser_show(s->cli, s->run_dir, link, err);
}

/* --- the server's certificate --- */

/* What is there; nothing, where a person has begun without one. */
static enum wa_code read_config(const char *path, bool may_be_missing, struct wa_buf *text,
                                struct wa_err *err)
{
    if (wa_path_read(path, WA_INI_BYTES_MAX, text, err) != WA_E_NOT_FOUND || !may_be_missing)
        return err->code;
    wa_err_clear(err);
    return WA_OK;
}

/* Under [global], if this server's address stands there, or none yet: then it is remembered, too.
 * Where another does, it counts for this run. */
static enum wa_code on_pin(void *user, const char *sha256, struct wa_err *err)
{
    const struct settings *s = user;
    WA_AUTO_STR char *server = NULL;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    char path[WA_PATH_MAX];
    wa_buf_init(&text, WA_INI_BYTES_MAX);
    if (wa_get_conf(s->cli, "wapt_server", &server, err) != WA_OK)
        return err->code;
    if (server != NULL && strcmp(server, s->server.server) != 0)
        return WA_OK;
    const char *given = wa_cli_get(s->cli, "config", NULL);
    if ((given == NULL ? wa_path_of_config("waptconsole.ini", path, err)
                       : wa_path_real(given, path, err)) != WA_OK ||
        read_config(path, given == NULL, &text, err) != WA_OK ||
        wa_ini_parse(wa_buf_sv(&text), path, &ini, err) != WA_OK ||
        wa_ini_set(ini, "global", "wapt_server", s->server.server, err) != WA_OK ||
        wa_ini_set(ini, "global", "server_fingerprint", sha256, err) != WA_OK)
        return err->code;
    wa_buf_clear(&text);
    wa_ini_write(ini, &text);
    return wa_buf_check(&text, err) == WA_OK ? wa_path_replace(path, wa_buf_sv(&text), 0600, err)
                                             : err->code;
}

static void on_stuck(void *user)
{
    WA_UNUSED(user);
    _Exit(0); /* as it was asked to; exit() would wait for the threads */
}

/* --- what it may open --- */

static enum wa_code find_module(struct settings *s, struct wa_err *err)
{
    struct wa_token_uri uri;
    char path[WA_PATH_MAX];
    struct wa_err missing = WA_ERR_INIT;
    const char *module = wa_cli_get(s->cli, "pkcs11-module", NULL);
    if (s->key == NULL || !wa_token_is_uri(s->key))
        return WA_OK;
    if (wa_token_uri_parse(s->key, &uri, err) != WA_OK)
        return err->code;
    if (uri.module_path[0] != '\0')
        module = uri.module_path;
    if (module == NULL || wa_path_real(module, path, &missing) != WA_OK)
        return WA_OK; /* told when the key is opened */
    return wa_path_dir(path, (size_t)(wa_path_last(path) - path), s->module, err);
}

/* Where new keys go: it must be there before nothing else may be made. One on a stick may not be.
 */
static void make_keys_dir(const struct settings *s, struct wa_log *log)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_err why = WA_ERR_INIT;
    if (wa_dir_make(s->keys_dir, 0700, &dir, &why) != WA_OK)
        wa_log_err(log, WA_LOG_WARNING, "console.keys_dir", &why);
}

static enum wa_code find_places(struct settings *s, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir config = WA_DIR_INIT;
    if (wa_browser_run_dir(s->run_dir, err) != WA_OK ||
        wa_path_of_config("", s->config_dir, err) != WA_OK ||
        wa_dir_make(s->config_dir, 0700, &config, err) != WA_OK || find_module(s, err) != WA_OK)
        return err->code;
    if (s->certificate != NULL &&
        wa_path_dir(s->certificate, (size_t)(wa_path_last(s->certificate) - s->certificate),
                    s->beside, err) != WA_OK)
        return err->code;
    return wa_path_of_home("", s->home, err);
}

static void add_path(struct settings *s, const char *path)
{
    if (path != NULL && s->read_count + 1 < PATHS_MAX)
        s->reads[s->read_count++] = path;
}

static void list_paths(struct settings *s)
{
    const char *const more[] = {"/proc",
                                "/dev",
                                "/etc",
                                "/usr",
                                "/run",
                                "/var/lib",
                                s->home,
                                s->keys_dir,
                                s->trusted,
                                s->certificate,
                                s->key,
                                s->beside[0] != '\0' ? s->beside : NULL,
                                s->module[0] != '\0' ? s->module : NULL,
                                wa_cli_get(s->cli, "config", NULL)};
    const char *temp = getenv("TMPDIR");
    const char *const writes[] = {s->run_dir, s->config_dir, temp != NULL ? temp : "/tmp",
                                  "/dev/tty", s->keys_dir};
    const char *const *net = wa_priv_net_paths();
    for (size_t i = 0; net[i] != NULL; i++)
        add_path(s, net[i]);
    for (size_t i = 0; i < WA_COUNT(more); i++)
        add_path(s, more[i]);
    for (size_t i = 0; i < s->others.n; i++) {
        add_path(s, s->others.items[i].trusted);
        if (wa_path_is_absolute(s->others.items[i].url))
            add_path(s, s->others.items[i].url);
    }
    for (size_t i = 0; i < WA_COUNT(writes); i++)
        s->writes[i] = writes[i];
}

static void settings_fini(struct settings *s)
{
    wa_con_server_fini(&s->server);
    wa_free(s->certificate);
    wa_free(s->key);
    wa_free(s->keys_dir);
    wa_free(s->trusted);
    wa_free(s->pinentry);
    wa_free(s->login);
    wa_free(s->prefix);
    wa_free(s->maturity);
    wa_reader_free(s->reader);
    wa_con_reader_end(&s->reader_process);
    wa_con_repositories_fini(&s->others);
}

static enum wa_code start_reader(struct settings *s, struct wa_err *err)
{
    if (wa_con_reader_start(&s->reader_process, err) != WA_OK)
        return err->code;
    int fd = s->reader_process.fd;
    s->reader_process.fd = -1;
    return wa_reader_new(fd, &s->reader, err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct settings s = {.cli = cli, .reader_process = {.fd = -1}};
    struct wa_err no_home = WA_ERR_INIT;
    char prefs[WA_PATH_MAX];
    struct wa_log log;
    wa_log_init(&log, STDERR_FD, WA_LOG_INFO, "waptconsole");
    wa_proc_ignore_broken_pipes();
    if (wa_path_of_config("pages", prefs, &no_home) != WA_OK)
        prefs[0] = '\0';
    if (read_settings(cli, &s, err) == WA_OK && find_places(&s, err) == WA_OK &&
        start_reader(&s, err) == WA_OK &&
        wa_con_prompter_start(s.pinentry, &s.prompter_fd, err) == WA_OK) {
        make_keys_dir(&s, &log);
        list_paths(&s);
        const struct wa_local_options o = {.server = s.server.server,
                                           .trust = &s.server.trust,
                                           .proxy = s.server.proxy,
                                           .user = s.server.user,
                                           .login = s.login,
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
                                           .run_dir = s.run_dir,
                                           .read_paths = s.reads,
                                           .write_paths = s.writes,
                                           .files_dir = s.reader_process.files.path,
                                           .prefix = s.prefix != NULL ? s.prefix : "tis",
                                           .maturity = s.maturity,
                                           .reader = s.reader,
                                           .prompter_fd = s.prompter_fd,
                                           .term = getenv("TERM"),
                                           .log = &log,
                                           .on_link = on_link,
                                           .on_pin = on_pin,
                                           .on_stuck = on_stuck,
                                           .user_data = &s};
        (void)!wa_local_run(&o, err);
    }
    settings_fini(&s);
    wa_jw_null(&cli->jw);
    return err->code;
}

const struct wa_cli_command wa_con_open = {"open", options, WA_COUNT(options), 0, 0, run};
