/* waptservice.c - main() of the agent's service: the launcher, and by hidden arguments its
 * children. */
#include "agent/upgrade.h"
#include "cmd/agent_main.h"
#include "cmd/cli.h"
#include "cmd/help.h"

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    char config[WA_PATH_MAX];
    return wa_cli_config(cli, "/opt/wapt/wapt-get.ini", config, err) == WA_OK
               ? wa_agent_serve(config, wa_cli_get(cli, "libdir", wa_libdir()), err)
               : err->code;
}

static enum wa_code manager(struct wa_cli *cli, struct wa_err *err)
{
    char config[WA_PATH_MAX];
    const char *socket = wa_cli_get(cli, "launcher", NULL);
    if (socket == NULL)
        return wa_fail(err, WA_E_USAGE, "--launcher is needed: the socket of wapt-launcher.socket");
    return wa_cli_config(cli, "/opt/wapt/wapt-get.ini", config, err) == WA_OK
               ? wa_agent_manage(config, wa_cli_get(cli, "libdir", wa_libdir()), socket, err)
               : err->code;
}

static enum wa_code launcher(struct wa_cli *cli, struct wa_err *err)
{
    char config[WA_PATH_MAX];
    return wa_cli_config(cli, "/opt/wapt/wapt-get.ini", config, err) == WA_OK
               ? wa_agent_launch(config, wa_cli_get(cli, "libdir", wa_libdir()), err)
               : err->code;
}

/* Started by wapt-upgrade.service, or by the launcher, from the copy below private/. */
static enum wa_code upgrade(struct wa_cli *cli, struct wa_err *err)
{
    int64_t launcher = 0;
    const char *base = wa_cli_get(cli, "base", "/opt/wapt");
    if (wa_cli_int(cli, "launcher", 0, INT32_MAX, &launcher, err) != WA_OK)
        return err->code;
    if (wa_cli_has(cli, "detach"))
        return wa_upgrade_detach(base, (int)launcher, err);
    const struct wa_upgrade_options o = {
        .base = base, .unit = wa_cli_get(cli, "unit", NULL), .launcher = (int)launcher};
    return wa_upgrade_drive(&o, err);
}

int main(int argc, char **argv)
{
    static const struct wa_cli_option options[] = {
        {"config", 'c', "FILE"},
        {"libdir", 0, "DIR"},
        {"launcher", 0, "SOCKET"},
    };
    static const struct wa_cli_command cmd_run = {"run", options, WA_COUNT(options) - 1, 0, 0, run};
    static const struct wa_cli_command cmd_manager = {"manager", options, WA_COUNT(options),
                                                      0,         0,       manager};
    static const struct wa_cli_command cmd_launcher = {"launcher", options, WA_COUNT(options) - 1,
                                                       0,          0,       launcher};
    static const struct wa_cli_option upgrade_options[] = {
        {"base", 0, "DIR"},
        {"unit", 0, "UNIT"},
        {"launcher", 0, "PID"},
        {"detach", 0, NULL},
    };
    static const struct wa_cli_command cmd_upgrade = {
        "upgrade", upgrade_options, WA_COUNT(upgrade_options), 0, 0, upgrade};
    static const struct wa_cli_command *const commands[] = {&cmd_launcher, &cmd_manager, &cmd_run,
                                                            &cmd_upgrade, NULL};
    static const struct wa_cli_program program = {
        .help = wa_help_of_program, .name = "waptservice", .section = 8, .commands = commands};
    int status = 0;
    if (wa_agent_dispatch(argc, argv, &status))
        return status;
    return wa_cli_main(&program, argc, argv);
}
