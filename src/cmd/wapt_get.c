/* wapt_get.c - main() of wapt-get: the table of its subcommands. Each lives in a get_*.c of its
 * own.
 */
#include "cmd/agent_main.h"
#include "cmd/get.h"

static const struct wa_cli_command *const commands[] = {
    &wa_get_audit,
    &wa_get_build_package,
    &wa_get_cancel,
    &wa_get_cancel_all,
    &wa_get_clean,
    &wa_get_create_keycert,
    &wa_get_download_upgrade,
    &wa_get_forget,
    &wa_get_install,
    &wa_get_inventory,
    &wa_get_list,
    &wa_get_list_upgrade,
    &wa_get_register,
    &wa_get_remove,
    &wa_get_restart,
    &wa_get_search,
    &wa_get_session_setup,
    &wa_get_show,
    &wa_get_show_log,
    &wa_get_sign_package,
    &wa_get_status,
    &wa_get_tasks,
    &wa_get_update,
    &wa_get_update_status,
    &wa_get_upgrade,
    &wa_get_verify,
    NULL,
};

static const struct wa_cli_option options[] = {
    {"config", 'c', "FILE", "Configuration file"},
};

int main(int argc, char **argv)
{
    static const struct wa_cli_program program = {"wapt-get",
                                                  "Install, make and check software packages",
                                                  commands, options, WA_COUNT(options)};
    int status = 0;
    if (wa_agent_dispatch(argc, argv, &status))
        return status;
    return wa_cli_main(&program, argc, argv);
}
