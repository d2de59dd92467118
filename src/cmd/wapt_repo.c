/* wapt_repo.c - main() of wapt-repo: the table of its subcommands. Each lives in a repo_*.c. It
 * works on a directory and asks no server, so that it can run where the keys are.
 */
#include "cmd/help.h"
#include "cmd/repo.h"

int main(int argc, char **argv)
{
    static const struct wa_cli_command *const commands[] = {&wa_repo_publish,
                                                            &wa_repo_root_add_signer,
                                                            &wa_repo_root_init,
                                                            &wa_repo_root_revoke,
                                                            &wa_repo_root_set,
                                                            &wa_repo_root_show,
                                                            &wa_repo_root_sign,
                                                            &wa_repo_timestamp,
                                                            &wa_repo_timestamp_key,
                                                            &wa_repo_verify,
                                                            NULL};
    static const struct wa_cli_option options[] = {{"config", 'c', "FILE"}};
    static const struct wa_cli_program program = {.help = wa_help_of_program,
                                                  .name = "wapt-repo",
                                                  .section = 1,
                                                  .commands = commands,
                                                  .family = "root",
                                                  .options = options,
                                                  .option_count = WA_COUNT(options)};
    return wa_cli_main(&program, argc, argv);
}
