/* con_login_certificate.c - waptconsole login-certificate: the certificates by which one logs in
 * oneself. One is added by showing it to the server, with the password; its key stays here.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/hex.h"
#include "os/fs.h"

#define CERTIFICATES "/api/v1/account/certificates"

static enum wa_code list(struct wa_cli *cli, struct wa_err *err)
{
    static const struct wa_con_column columns[] = {
        {WA_TEXT("certificate"), "sha256", false, false}};
    static const struct wa_con_list certificates = {CERTIFICATES, "certificates", columns,
                                                    WA_COUNT(columns)};
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    return wa_con_connect(cli, &c, err) == WA_OK ? wa_con_show(cli, c, &certificates, err)
                                                 : err->code;
}

struct asks {
    const struct wa_cli *cli;
};

static enum wa_code ask_key_password(void *user, const char *what, struct wa_buf *out,
                                     struct wa_err *err)
{
    const struct asks *a = user;
    char prompt[WA_PATH_MAX + 64];
    const char *file = wa_cli_get(a->cli, "key-passwd", NULL);
    if (file != NULL)
        return wa_cli_read_secret(file, out, err);
    (void)snprintf(prompt, sizeof prompt, wa_text("Password of %s: "), what);
    wa_cli_tame(prompt);
    return wa_cli_ask_secret(prompt, false, "--key-passwd", out, err);
}

static enum wa_code read_pair(const struct wa_cli *cli, struct wa_certs *certs, struct wa_key **key,
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_BUF_SECRET struct wa_buf text;
    const char *cert = cli->args[1], *key_file = wa_cli_get(cli, "key", cert);
    struct asks asks = {cli};
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&text, WA_CERTFILE_BYTES_MAX);
    if (wa_path_read(cert, WA_CERTFILE_BYTES_MAX, &pem, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, certs, err) != WA_OK ||
        wa_path_read(key_file, WA_CERTFILE_BYTES_MAX, &text, err) != WA_OK ||
        wa_key_read_pem(wa_buf_sv(&text), key_file, ask_key_password, &asks, key, err) != WA_OK)
        return err->code;
    return wa_cert_matches_key(certs->items[0], *key)
               ? WA_OK
               : wa_fail(err, WA_E_USAGE, "'%s' is not the key of the certificate '%s'", key_file,
                         cert);
}

/* Twice where a code is wanted: the password was right. */
static enum wa_code send(const struct wa_cli *cli, struct wa_client *c, struct wa_cert *cert,
                         struct wa_key *key, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf password;
    WA_AUTO_BUF_SECRET struct wa_buf code;
    bool needs_code = false;
    wa_buf_init(&password, 1024);
    wa_buf_init(&code, 256);
    if (wa_con_own_password(cli, &password, err) != WA_OK ||
        wa_client_add_certificate(c, cert, key, wa_buf_sv(&password), WA_SV(""), &needs_code,
                                  err) != WA_OK ||
        !needs_code || wa_con_own_code(cli, &code, err) != WA_OK ||
        wa_client_add_certificate(c, cert, key, wa_buf_sv(&password), wa_sv_trim(wa_buf_sv(&code)),
                                  &needs_code, err) != WA_OK)
        return err->code;
    return needs_code ? wa_fail(err, WA_E_DENIED, "the code of the second factor is needed")
                      : WA_OK;
}

static enum wa_code add(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    if (read_pair(cli, &certs, &key, err) != WA_OK || wa_con_connect(cli, &c, err) != WA_OK ||
        send(cli, c, certs.items[0], key, err) != WA_OK)
        return err->code;
    const char *sha256 = wa_cert_fingerprint(certs.items[0]);
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "sha256", sha256);
    wa_jw_end(&cli->jw);
    wa_cli_say(cli, "you log in by the certificate %s from now on", sha256);
    return WA_OK;
}

static enum wa_code remove_one(struct wa_cli *cli, struct wa_err *err)
{
    char sha256[65];
    const struct wa_con_one one = {"DELETE", CERTIFICATES, sha256, ""};
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    if (!wa_hex_fingerprint(wa_sv(cli->args[1]), sha256))
        return wa_fail(err, WA_E_USAGE,
                       "'%.100s' is no SHA-256 fingerprint of a certificate (64 digits)",
                       cli->args[1]);
    if (wa_con_connect(cli, &c, err) != WA_OK || wa_con_change(cli, c, &one, err) != WA_OK)
        return err->code;
    wa_cli_say(cli, "nobody logs in by the certificate %s any more", sha256);
    return WA_OK;
}

static enum wa_code login_certificate(struct wa_cli *cli, struct wa_err *err)
{
    const char *word = cli->arg_count > 0 ? cli->args[0] : "list";
    if (strcmp(word, "list") == 0 && cli->arg_count <= 1)
        return list(cli, err);
    if (strcmp(word, "add") == 0 && cli->arg_count == 2)
        return add(cli, err);
    if (strcmp(word, "remove") == 0 && cli->arg_count == 2)
        return remove_one(cli, err);
    return wa_fail(err, WA_E_USAGE,
                   "after login-certificate comes 'list', 'add' and a file, or 'remove' and a "
                   "SHA-256");
}

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS, {"key", 0, "FILE"}, {"key-passwd", 0, "FILE"}};
const struct wa_cli_command wa_con_login_certificate = {
    "login-certificate", options, WA_COUNT(options), 0, 2, login_certificate};
