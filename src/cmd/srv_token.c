/* srv_token.c - waptserver enrol-token: tokens with which machines register. */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/srv.h"
#include "proto/token.h"

static enum wa_code make_token(struct wa_cli *cli, const struct wa_server_config *c, int64_t uses,
                               int64_t seconds, struct wa_err *err)
{
    char token[WA_TOKEN_MAX], id[WA_TOKEN_ID + 1];
    if (wa_server_enrol_token(c, uses, seconds, token, id, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "token", token);
    wa_jw_kv(&cli->jw, "id", id);
    wa_jw_kvi(&cli->jw, "uses", uses);
    wa_jw_kvi(&cli->jw, "seconds", seconds);
    wa_jw_end(&cli->jw);
    wa_cli_say(cli, "token %s, good for %lld machines", id, (long long)uses);
    wa_cli_out(cli, "%s\n", token);
    wa_wipe(token, sizeof token);
    return WA_OK;
}

static void show_token(void *user, const char *id, int64_t expires, int64_t uses)
{
    struct wa_cli *cli = user;
    char date[WA_DATE_MAX];
    wa_date_rfc3339(expires, date);
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "id", id);
    wa_jw_kvi(&cli->jw, "expires", expires);
    wa_jw_kvi(&cli->jw, "uses", uses);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "%-14s %-22s %lld\n", id, date, (long long)uses);
}

static enum wa_code list_tokens(struct wa_cli *cli, const struct wa_server_config *c,
                                struct wa_err *err)
{
    wa_cli_out(cli, "%-14s %-22s %s\n", wa_text("token"), wa_text("expires"), wa_text("uses left"));
    wa_jw_arr(&cli->jw);
    enum wa_code code = wa_server_list_tokens(c, show_token, cli, err);
    wa_jw_end(&cli->jw);
    return code;
}

static enum wa_code enrol_token(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_server_config c;
    int64_t uses = 1, seconds = 0;
    const char *valid = wa_cli_get(cli, "valid", "24h"),
               *verb = cli->arg_count > 0 ? cli->args[0] : "";
    bool list = strcmp(verb, "list") == 0 && cli->arg_count == 1,
         revoke = strcmp(verb, "revoke") == 0 && cli->arg_count == 2;
    if (cli->arg_count > 0 && !list && !revoke)
        return wa_fail(err, WA_E_USAGE,
                       "after enrol-token comes nothing, 'list', or 'revoke' and a token's name");
    if (!wa_date_parse_period(wa_sv(valid), 'h', &seconds) || seconds <= 0 || seconds > 366 * 86400)
        return wa_fail(err, WA_E_USAGE, "'%s' is not a period up to a year, like 30m, 24h or 7d",
                       valid);
    if (wa_cli_int(cli, "uses", 1, 1000000, &uses, err) != WA_OK ||
        wa_srv_config(cli, &c, err) != WA_OK)
        return err->code;
    enum wa_code code = list     ? list_tokens(cli, &c, err)
                        : revoke ? wa_server_revoke_token(&c, cli->args[1], err)
                                 : make_token(cli, &c, uses, seconds, err);
    if (code == WA_OK && revoke) {
        wa_jw_null(&cli->jw);
        wa_cli_say(cli, "token %s is revoked: machines it has let in stay", cli->args[1]);
    }
    wa_server_config_free(&c);
    return code;
}

static const struct wa_cli_option token_options[] = {
    WA_SRV_CONFIG_OPTION, {"uses", 0, "N"}, {"valid", 0, "PERIOD"}};

const struct wa_cli_command wa_srv_token = {
    "enrol-token", token_options, WA_COUNT(token_options), 0, 2, enrol_token};
