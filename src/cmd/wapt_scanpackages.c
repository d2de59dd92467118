/* wapt_scanpackages.c - main() of wapt-scanpackages: builds the index of a repository. */
#include "cmd/scan.h"

static const struct wa_cli_option options[] = {
    {"force", 'f', NULL, "Read every package anew"},
    {"trusted", 't', "DIR", "Leave out what no certificate of DIR vouches for"},
};

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    const char *trusted = wa_cli_get(cli, "trusted", NULL);
    if (trusted != NULL &&
        (wa_trust_new(&anchors, err) != WA_OK || wa_trust_add_dir(anchors, trusted, err) != WA_OK))
        return err->code;
    wa_jw_obj(&cli->jw);
    enum wa_code code = wa_cmd_scan(cli, cli->args[0], wa_cli_has(cli, "force"), anchors, err);
    wa_jw_end(&cli->jw);
    return code;
}

/* Of WAPT's program of this name. */
static const struct wa_cli_alias aliases[] = {
    {"-r", NULL, "files keep their names; 'wapt-get build-package' gives the usual ones"},
    {"-l", NULL, "what is left out is always told, with the reason"},
    {"--loglevel", NULL, "what is left out is always told, with the reason"},
    {"-p", NULL, "no revocation list is fetched; publish a new one as a file"},
    {"--proxy", NULL, "no revocation list is fetched; publish a new one as a file"},
    {"-b", NULL, "the server reads the index by itself"},
    {"--update-db", NULL, "the server reads the index by itself"},
};

int main(int argc, char **argv)
{
    static const struct wa_cli_command scan = {
        NULL,
        "DIR",
        "Build the index 'Packages' of a repository from the packages in it",
        options,
        WA_COUNT(options),
        1,
        1,
        run};
    static const struct wa_cli_command *const commands[] = {&scan, NULL};
    static const struct wa_cli_program program = {.name = "wapt-scanpackages",
                                                  .section = 1,
                                                  .summary = "Build the index of a repository",
                                                  .commands = commands,
                                                  .aliases = aliases,
                                                  .alias_count = WA_COUNT(aliases)};
    return wa_cli_main(&program, argc, argv);
}
