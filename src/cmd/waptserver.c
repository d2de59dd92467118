/* waptserver.c - main() of the server; its subcommands are in srv_*.c. */
#include "cmd/help.h"
#include "cmd/srv.h"

enum wa_code wa_srv_config(const struct wa_cli *cli, struct wa_server_config *ret,
                           struct wa_err *err)
{
    char path[WA_PATH_MAX];
    return wa_cli_config(cli, WA_SRV_CONFIG, path, err) == WA_OK
               ? wa_server_config_load(path, ret, err)
               : err->code;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_server_config c;
    wa_text_language(NULL); /* what it does of itself has one language */
    if (wa_srv_config(cli, &c, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_cli_int(cli, "fronts", 1, 64, &c.fronts, err);
    if (code == WA_OK)
        code = wa_server_run(&c, err);
    wa_server_config_free(&c);
    wa_jw_null(&cli->jw);
    return code;
}

static const struct wa_cli_option run_options[] = {WA_SRV_CONFIG_OPTION, {"fronts", 0, "N"}};

const struct wa_cli_command wa_srv_run = {"run", run_options, WA_COUNT(run_options), 0, 0, run};

int main(int argc, char **argv)
{
    static const struct wa_cli_command *const commands[] = {&wa_srv_setup,
                                                            &wa_srv_run,
                                                            &wa_srv_token,
                                                            &wa_srv_user,
                                                            &wa_srv_journal,
                                                            &wa_srv_import,
                                                            &wa_srv_backup,
                                                            &wa_srv_check,
                                                            &wa_srv_restore,
                                                            &wa_srv_webhook,
                                                            NULL};
    static const struct wa_cli_program program = {
        .help = wa_help_of_program, .name = "waptserver", .section = 8, .commands = commands};
    int status = 0;
    if (wa_server_dispatch(argc, argv, &status))
        return status;
    return wa_cli_main(&program, argc, argv);
}
