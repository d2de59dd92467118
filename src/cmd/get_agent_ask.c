/* get_agent_ask.c - commands that ask the agent and show its answer in their own way: show-params,
 * upgradedb; and register, which may pin the server's certificate first.
 */
#include "cmd/get.h"
#include "cmd/get_agent.h"

enum wa_code wa_get_register_run(struct wa_cli *cli, struct wa_err *err)
{
    if (wa_cli_has(cli, "pin-server-cert")) {
        if (wa_get_pin(cli, true, err) != WA_OK)
            return err->code;
        wa_buf_clear(&cli->result); /* the result is that of registering */
        wa_jw_init(&cli->jw, &cli->result);
    }
    return wa_get_agent_run(cli, err);
}

static enum wa_code show_params(struct wa_cli *cli, const char *package, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, WA_JSON_BYTES_MAX);
    if (wa_get_agent_ask(cli, WA_OP_SHOW_LOG, package, &arena, &j, err) != WA_OK)
        return err->code;
    struct wa_sv params = wa_json_sv(wa_json_get(j, "install_params"));
    const struct wa_json *read = NULL;
    if (params.n == 0)
        params = WA_SV("{}");
    if (wa_json_parse(params, 0, &arena, &read, err) != WA_OK)
        return wa_wrap(err, "'%s'", package);
    wa_jw_key(&cli->jw, package);
    wa_jw_json(&cli->jw, read);
    wa_cli_out(cli, "%s : %.*s\n", package, WA_SV_ARG(params));
    return WA_OK;
}

enum wa_code wa_get_show_params_run(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_get_tally tally = {0, 0, WA_OK};
    wa_jw_obj(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++) {
        struct wa_err why = WA_ERR_INIT;
        if (show_params(cli, cli->args[i], &why) == WA_E_NOMEM)
            return wa_nomem(err);
        wa_get_count(cli, &tally, &why);
    }
    wa_jw_end(&cli->jw);
    return wa_get_outcome(&tally, "could not be shown", err);
}

enum wa_code wa_get_upgradedb_run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    int64_t version = 0;
    wa_arena_init(&arena, WA_JSON_BYTES_MAX);
    if (wa_get_agent_ask(cli, WA_OP_STATUS, NULL, &arena, &j, err) != WA_OK)
        return err->code;
    (void)wa_json_i64(wa_json_get(j, "database_version"), &version);
    wa_jw_obj(&cli->jw);
    wa_jw_kvi(&cli->jw, "database_version", version);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "the database is of version %lld, which is the newest that is known here\n",
               (long long)version);
    return WA_OK;
}
