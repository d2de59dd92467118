/* con_certificate.c - waptconsole revoke-certificate and forget-host: what the server has of a
 * machine goes, its TLS certificate or all of it.
 */
#include "cmd/con.h"
#include "proto/hostid.h"

/* what: below the machine's own place; "": all. */
static enum wa_code delete_of_host(struct wa_cli *cli, const char *what, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char path[WA_NAME_MAX + 64];
    wa_arena_init(&arena, 1u << 20);
    (void)snprintf(path, sizeof path, "/api/v1/hosts/%s%s", cli->args[0], what);
    if (wa_con_connect(cli, &c, err) != WA_OK ||
        wa_client_call(c, "DELETE", path, WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "uuid", cli->args[0]);
    wa_jw_end(&cli->jw);
    return WA_OK;
}

static enum wa_code check_uuid(const struct wa_cli *cli, struct wa_err *err)
{
    return wa_hostid_is_valid(wa_sv(cli->args[0]))
               ? WA_OK
               : wa_fail(err, WA_E_USAGE, "'%s' is not the uuid of a host", cli->args[0]);
}

static enum wa_code revoke(struct wa_cli *cli, struct wa_err *err)
{
    if (check_uuid(cli, err) != WA_OK || delete_of_host(cli, "/certificate", err) != WA_OK)
        return err->code;
    wa_cli_out(cli, "the certificate of %s is revoked; the machine gets another one\n",
               cli->args[0]);
    return WA_OK;
}

static enum wa_code forget(struct wa_cli *cli, struct wa_err *err)
{
    if (check_uuid(cli, err) != WA_OK)
        return err->code;
    if (!wa_cli_has(cli, "yes") && cli->json)
        return wa_fail(err, WA_E_USAGE, "--json shows nothing to confirm: give --yes with it");
    if (!wa_cli_has(cli, "yes") &&
        wa_cli_confirm("Shall the server forget this machine and all that it knows of it?", "--yes",
                       err) != WA_OK)
        return err->code;
    if (delete_of_host(cli, "", err) != WA_OK)
        return err->code;
    wa_cli_out(cli, "%s is forgotten; it may register again\n", cli->args[0]);
    return WA_OK;
}

static const struct wa_cli_option options[] = {WA_CON_SERVER_OPTIONS};
static const struct wa_cli_option forget_options[] = {
    WA_CON_SERVER_OPTIONS,
    {"yes", 'y', NULL},
};

const struct wa_cli_command wa_con_revoke_certificate = {
    "revoke-certificate", options, WA_COUNT(options), 1, 1, revoke};
const struct wa_cli_command wa_con_forget_host = {
    "forget-host", forget_options, WA_COUNT(forget_options), 1, 1, forget};
