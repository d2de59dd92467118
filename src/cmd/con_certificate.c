/* con_certificate.c - waptconsole revoke-certificate: a machine's TLS certificate is no longer
 * good.
 */
#include "cmd/con.h"
#include "proto/hostid.h"

static enum wa_code revoke(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char path[WA_NAME_MAX + 64];
    wa_arena_init(&arena, 1u << 20);
    if (!wa_hostid_is_valid(wa_sv(cli->args[0])))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the uuid of a host", cli->args[0]);
    (void)snprintf(path, sizeof path, "/api/v1/hosts/%s/certificate", cli->args[0]);
    if (wa_con_connect(cli, &c, err) != WA_OK ||
        wa_client_call(c, "DELETE", path, WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "uuid", cli->args[0]);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "the certificate of %s is revoked; the machine gets another one\n",
               cli->args[0]);
    return WA_OK;
}

static const struct wa_cli_option options[] = {WA_CON_SERVER_OPTIONS};

const struct wa_cli_command wa_con_revoke_certificate = {
    "revoke-certificate", options, WA_COUNT(options), 1, 1, revoke};
