/* con_login_certificate.c - waptconsole login-certificate: the certificates by which one logs in
 * oneself. One is added by showing it to the server, with the password; its key stays here.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/hex.h"

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
    const char *cert = cli->args[1];
    const struct wa_con_pair pair = {cert, wa_cli_get(cli, "key", cert),
                                     wa_cli_get(cli, "key-passwd", NULL), "--key-passwd"};
    if (wa_con_pair_read(&pair, &certs, &key, err) != WA_OK ||
        wa_con_connect(cli, &c, err) != WA_OK || send(cli, c, certs.items[0], key, err) != WA_OK)
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
