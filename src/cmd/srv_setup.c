/* srv_setup.c - waptserver setup: what a server needs before it can run. */
#include "cmd/srv.h"
#include "server/backup.h"

/* One more server over the database of another, whose secrets the archive brings. */
static enum wa_code join(struct wa_cli *cli, const char *file, struct wa_err *err)
{
    static const char *const others[] = {"name", "tls-cert", "tls-key", "trusted",
                                         "admin-password-file"};
    for (size_t i = 0; i < WA_COUNT(others); i++)
        if (wa_cli_has(cli, others[i]))
            return wa_fail(err, WA_E_USAGE, "--%s is the other server's: it comes with --join",
                           others[i]);
    struct wa_restore r = {.file = file,
                           .dir = wa_cli_get(cli, "dir", WA_SRV_DIR),
                           .database = wa_cli_get(cli, "database", NULL),
                           .node = wa_cli_get(cli, "node", NULL),
                           .bind = wa_cli_get(cli, "bind", NULL),
                           .port = wa_cli_get(cli, "port", NULL),
                           .is_joining = true,
                           .force = wa_cli_has(cli, "force")};
    return wa_srv_restore_from(cli, &r, err);
}

static enum wa_code setup(struct wa_cli *cli, struct wa_err *err)
{
    char fingerprint[65], config[WA_PATH_MAX];
    int64_t port = 443;
    WA_AUTO_BUF_SECRET struct wa_buf password;
    wa_buf_init(&password, 1024);
    const char *file = wa_cli_get(cli, "admin-password-file", NULL);
    const char *cert = wa_cli_get(cli, "tls-cert", NULL), *key = wa_cli_get(cli, "tls-key", NULL);
    const char *archive = wa_cli_get(cli, "join", NULL);
    if (archive != NULL)
        return join(cli, archive, err);
    if ((cert == NULL) != (key == NULL))
        return wa_fail(err, WA_E_USAGE, "--tls-cert and --tls-key go together");
    if (wa_cli_int(cli, "port", 1, 65535, &port, err) != WA_OK ||
        (file != NULL ? wa_cli_read_secret(file, &password, err)
                      : wa_cli_ask_secret("Password of the administrator 'admin': ", true,
                                          "--admin-password-file", &password, err)) != WA_OK)
        return err->code;
    const struct wa_setup s = {.dir = wa_cli_get(cli, "dir", WA_SRV_DIR),
                               .names = wa_cli_get(cli, "name", "localhost"),
                               .bind = wa_cli_get(cli, "bind", "0.0.0.0"),
                               .port = port,
                               .database = wa_cli_get(cli, "database", ""),
                               .node = wa_cli_get(cli, "node", NULL),
                               .tls_cert = cert,
                               .tls_key = key,
                               .trusted = wa_cli_get(cli, "trusted", NULL),
                               .admin_password = wa_buf_sv(&password),
                               .force = wa_cli_has(cli, "force")};
    if (wa_server_setup(&s, fingerprint, config, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "config", config);
    wa_jw_kv(&cli->jw, "fingerprint", fingerprint);
    wa_jw_end(&cli->jw);
    wa_cli_pair(cli, wa_text("configuration"), config);
    wa_cli_pair(cli, wa_text("certificate SHA-256"), fingerprint);
    wa_cli_out(cli,
               "\nNext: put the certificates of your package signers into '%s',\nthen start it "
               "with: waptserver run --config %s\n",
               s.trusted != NULL ? s.trusted : wa_text("trusted/ beside the configuration"),
               config);
    return WA_OK;
}

static const struct wa_cli_option setup_options[] = {
    {"dir", 0, "DIR"},      {"name", 0, "NAMES"},   {"bind", 0, "ADDRESS"},
    {"port", 0, "PORT"},    {"database", 0, "URL"}, {"tls-cert", 0, "FILE"},
    {"tls-key", 0, "FILE"}, {"trusted", 0, "DIR"},  {"admin-password-file", 0, "FILE"},
    {"join", 0, "FILE"},    {"node", 0, "NODE"},    {"force", 'f', NULL},
};

const struct wa_cli_command wa_srv_setup = {"setup", setup_options, WA_COUNT(setup_options), 0,
                                            0,       setup};
