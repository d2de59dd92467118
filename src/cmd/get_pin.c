/* get_pin.c - wapt-get get-server-certificate and enable-check-certificate: the certificate by
 * which this machine knows its server, taken from the server itself and compared by a person.
 *
 * What a server shows proves nothing: nothing is kept before somebody has said that its SHA-256 is
 * the one that 'waptserver setup' showed, or gave that SHA-256 beforehand. Nothing is sent but the
 * beginning of TLS.
 */
#include "agent/config.h"
#include "base/date.h"
#include "cmd/get.h"
#include "cmd/get_agent.h"
#include "codec/hex.h"
#include "codec/url.h"
#include "net/tls.h"
#include "os/fs.h"

static const struct wa_cli_option options[] = {
    {"server", 0, "URL"},
    {"server-fingerprint", 0, "SHA256"},
    {"yes", 'y', NULL},
};

static void no_warning(void *user, const char *text)
{
    WA_UNUSED(user);
    WA_UNUSED(text);
}

/* --- the comparison --- */

static void show(struct wa_cli *cli, const char *server, const struct wa_cert *c)
{
    char until[WA_DATE_MAX];
    wa_date_rfc3339(wa_cert_not_after(c), until);
    wa_jw_kv(&cli->jw, "server", server);
    wa_jw_kv(&cli->jw, "name", wa_cert_cn(c));
    wa_jw_kv(&cli->jw, "issuer", wa_cert_issuer(c));
    wa_jw_kv(&cli->jw, "not_after", until);
    wa_jw_kv(&cli->jw, "fingerprint", wa_cert_fingerprint(c));
    wa_cli_pair(cli, wa_text("server"), server);
    wa_cli_pair(cli, wa_text("name"), wa_cert_cn(c));
    wa_cli_pair(cli, wa_text("issuer"), wa_cert_issuer(c));
    wa_cli_pair(cli, wa_text("expires"), until);
    wa_cli_pair(cli, "SHA-256", wa_cert_fingerprint(c));
}

static enum wa_code compare(const struct wa_cli *cli, const struct wa_cert *c, struct wa_err *err)
{
    const char *given = wa_cli_get(cli, "server-fingerprint", NULL);
    char wanted[65];
    if (given == NULL) {
        if (wa_cli_has(cli, "yes"))
            return WA_OK;
        if (cli->json)
            return wa_fail(err, WA_E_USAGE, "--json shows nothing to confirm: give --yes with it");
        return wa_cli_confirm("Did 'waptserver setup' show this very SHA-256?", "--yes", err);
    }
    if (!wa_hex_fingerprint(wa_sv(given), wanted))
        return wa_fail(err, WA_E_USAGE,
                       "'%.100s' is no SHA-256 fingerprint of a certificate (64 digits)", given);
    return strcmp(wanted, wa_cert_fingerprint(c)) == 0
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED,
                         "the server shows another certificate than the one with this SHA-256: "
                         "somebody stands in between, or it has a new one");
}

/* --- keeping it --- */

static enum wa_code keep(const struct wa_agent_config *config, const struct wa_url *url,
                         const struct wa_cert *c, char file[WA_PATH_MAX], struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_BUF struct wa_buf name;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath relpath;
    char folder[WA_PATH_MAX + 16];
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&name, WA_NAME_MAX);
    wa_sanitize_filename(wa_sv(url->host), &name);
    wa_buf_adds(&name, ".crt");
    (void)snprintf(folder, sizeof folder, "%s/ssl/server", config->base);
    if (wa_buf_check(&name, err) != WA_OK || wa_cert_write_pem(c, &pem, err) != WA_OK ||
        wa_relpath_parse(wa_buf_sv(&name), &relpath, err) != WA_OK ||
        wa_dir_make(folder, 0755, &dir, err) != WA_OK ||
        wa_file_replace(&dir, &relpath, wa_buf_sv(&pem), 0644, err) != WA_OK)
        return wa_wrap(err, "keeping the server's certificate");
    int n = snprintf(file, WA_PATH_MAX, "%s/%s", folder, relpath.p);
    return n < (int)WA_PATH_MAX ? WA_OK
                                : wa_fail(err, WA_E_LIMIT, "the path '%s' is too long", folder);
}

static enum wa_code pin(struct wa_cli *cli, const struct wa_agent_config *config, bool only_this,
                        struct wa_err *err)
{
    WA_AUTO(wa_cert) struct wa_cert *c = NULL;
    struct wa_url url;
    char file[WA_PATH_MAX];
    static const char *const keys[] = {"verify_cert"};
    const char *const values[] = {file};
    const char *server = wa_cli_get(cli, "server", config->wapt_server);
    if (server[0] == '\0')
        return wa_fail(err, WA_E_CONFIG,
                       "no server is set: put wapt_server into '%s', or give --server",
                       config->file);
    if (wa_tls_look(server, NULL, NULL, &url, &c, err) != WA_OK)
        return err->code;
    show(cli, server, c);
    if (compare(cli, c, err) != WA_OK || keep(config, &url, c, file, err) != WA_OK ||
        (only_this && wa_agent_config_write(config, keys, values, 1, err) != WA_OK))
        return err->code;
    wa_jw_kv(&cli->jw, "file", file);
    wa_cli_pair(cli, wa_text("kept in"), file);
    return WA_OK;
}

enum wa_code wa_get_pin(struct wa_cli *cli, bool only_this, struct wa_err *err)
{
    struct wa_agent_config config;
    char file[WA_PATH_MAX];
    if (wa_get_agent_config(cli, file, err) != WA_OK ||
        wa_agent_config_load(file, no_warning, NULL, &config, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    enum wa_code code = pin(cli, &config, only_this, err);
    wa_jw_end(&cli->jw);
    wa_agent_config_free(&config);
    return code;
}

static enum wa_code get(struct wa_cli *cli, struct wa_err *err)
{
    return wa_get_pin(cli, false, err);
}

static enum wa_code enable(struct wa_cli *cli, struct wa_err *err)
{
    return wa_get_pin(cli, true, err);
}

const struct wa_cli_command wa_get_get_server_certificate = {
    "get-server-certificate", options, WA_COUNT(options), 0, 0, get};
const struct wa_cli_command wa_get_enable_check_certificate = {
    "enable-check-certificate", options, WA_COUNT(options), 0, 0, enable};
