/* wapt_get.c - main() of wapt-get: the table of its subcommands. Each lives in a get_*.c of its
 * own.
 */
#include "cmd/get.h"

static const struct wa_cli_command *const commands[] = {
    &wa_get_build_package, &wa_get_create_keycert, &wa_get_show,
    &wa_get_sign_package,  &wa_get_verify,         NULL,
};

static const struct wa_cli_option options[] = {
    {"config", 'c', "FILE", "Configuration file"},
};

int main(int argc, char **argv)
{
    static const struct wa_cli_program program = {"wapt-get",
                                                  "Install, make and check software packages",
                                                  commands, options, WA_COUNT(options)};
    return wa_cli_main(&program, argc, argv);
}
