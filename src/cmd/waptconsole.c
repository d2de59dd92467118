/* waptconsole.c - main() of the console: the table of its subcommands. Each lives in a con_*.c of
 * its own; without one the pages are opened. The keys stay on this side.
 */
#include "cmd/con.h"
#include "cmd/get_tool.h"
#include "cmd/help.h"

static const struct wa_cli_alias aliases[] = {
    {"upload-package", "upload", NULL},
    {"edit-host", "host-package", NULL},
    {"update", NULL, WA_TEXT("'waptconsole action update --hosts HOST,...'")},
    {"upgrade", NULL, WA_TEXT("'waptconsole action upgrade --hosts HOST,...'")},
    {"install", NULL, WA_TEXT("'waptconsole action install PACKAGE --hosts HOST,...'")},
    {"remove", NULL, WA_TEXT("'waptconsole action remove PACKAGE --hosts HOST,...'")},
    {"forget", NULL, WA_TEXT("'waptconsole action forget PACKAGE --hosts HOST,...'")},
    {"--wapt-server-url", "--server", NULL},
    {"--wapt-server-user", "--user", NULL},
    {"--wapt-server-passwd", NULL,
     WA_TEXT("others could see it: give --password-file, or type it when asked")},
};

int main(int argc, char **argv)
{
    static const struct wa_cli_command *const commands[] = {&wa_con_action,
                                                            &wa_con_assign,
                                                            &wa_con_cancel,
                                                            &wa_con_delete_package,
                                                            &wa_con_download,
                                                            &wa_con_forget_host,
                                                            &wa_con_host_package,
                                                            &wa_con_host,
                                                            &wa_con_hosts,
                                                            &wa_con_estate,
                                                            &wa_con_import,
                                                            &wa_con_journal,
                                                            &wa_con_key_export,
                                                            &wa_con_key_import,
                                                            &wa_con_key_password,
                                                            &wa_con_keys,
                                                            &wa_con_kit,
                                                            &wa_con_login_certificate,
                                                            &wa_con_mirror,
                                                            &wa_con_orders,
                                                            &wa_con_overview,
                                                            &wa_con_packages,
                                                            &wa_con_password,
                                                            &wa_con_plan,
                                                            &wa_con_policy,
                                                            &wa_con_promote,
                                                            &wa_con_publish,
                                                            &wa_con_report,
                                                            &wa_con_resign,
                                                            &wa_con_revoke,
                                                            &wa_con_revoke_certificate,
                                                            &wa_con_rollout,
                                                            &wa_con_root,
                                                            &wa_con_sessions,
                                                            &wa_con_sign_request,
                                                            &wa_con_signers,
                                                            &wa_con_software_names,
                                                            &wa_con_upload,
                                                            &wa_con_user,
                                                            &wa_con_token,
                                                            &wa_con_second_factor,
                                                            &wa_con_webhook,
                                                            &wa_con_tool,
                                                            &wa_con_open,
                                                            NULL};
    static const struct wa_cli_option options[] = {{"config", 'c', "FILE"}};
    static const struct wa_cli_program program = {.help = wa_help_of_program,
                                                  .name = "waptconsole",
                                                  .section = 1,
                                                  .fallback = "open",
                                                  .commands = commands,
                                                  .options = options,
                                                  .option_count = WA_COUNT(options),
                                                  .aliases = aliases,
                                                  .alias_count = WA_COUNT(aliases)};
    if (wa_get_is_tool(argc, argv))
        return wa_get_tool_main(argv);
    if (wa_con_is_prompter(argc, argv))
        return wa_con_prompter_main(argv);
    if (wa_con_is_reader(argc, argv))
        return wa_con_reader_main(argv);
    return wa_cli_main(&program, argc, argv);
}
