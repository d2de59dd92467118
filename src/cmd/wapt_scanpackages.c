/* wapt_scanpackages.c - main() of wapt-scanpackages: builds the index of a repository. */
#include "cmd/help.h"
#include "cmd/scan.h"

static const struct wa_cli_option options[] = {
    {"force", 'f', NULL},       {"trusted", 't', "DIR"}, {"canonical-filenames", 'r', NULL},
    {"loglevel", 'l', "LEVEL"}, {"proxy", 'p', "URL"},   {"update-db", 'b', NULL},
};

/* WAPT's levels: of the outer ones two each mean the same here. */
static enum wa_code read_level(const struct wa_cli *cli, enum wa_cmd_scan_tell *ret,
                               struct wa_err *err)
{
    static const struct {
        const char *name;
        enum wa_cmd_scan_tell tell;
    } levels[] = {{"critical", WA_TELL_NOTHING},
                  {"error", WA_TELL_NOTHING},
                  {"warning", WA_TELL_LEFT_OUT},
                  {"info", WA_TELL_CHANGES},
                  {"debug", WA_TELL_CHANGES}};
    const char *level = wa_cli_get(cli, "loglevel", "warning");
    for (size_t i = 0; i < WA_COUNT(levels); i++) {
        if (!wa_sv_ieqs(wa_sv(level), levels[i].name))
            continue;
        *ret = levels[i].tell;
        return WA_OK;
    }
    return wa_fail(err, WA_E_USAGE,
                   "'%s' is no level: error, warning and info are, and WAPT's critical and debug",
                   level);
}

static void tell_name(void *user, const char *file, const char *usual, const struct wa_err *why)
{
    if (why->code == WA_OK)
        wa_cli_say(user, "'%s' is now '%s'", file, usual);
    else
        wa_cli_say(user, "'%s' keeps its name: %s", file, why->text);
}

static enum wa_code name_and_scan(struct wa_cli *cli, const struct wa_cmd_scan_options *o,
                                  struct wa_err *err)
{
    size_t renamed = 0;
    if (wa_cli_has(cli, "canonical-filenames") &&
        wa_repo_rename(cli->args[0], tell_name, cli, &renamed, err) != WA_OK)
        return err->code;
    wa_jw_kvi(&cli->jw, "renamed", (int64_t)renamed);
    return wa_cmd_scan(cli, cli->args[0], o, err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    struct wa_cmd_scan_options o = {.force = wa_cli_has(cli, "force")};
    const char *trusted = wa_cli_get(cli, "trusted", NULL);
    if (read_level(cli, &o.tell, err) != WA_OK ||
        (trusted != NULL && (wa_trust_new(&anchors, err) != WA_OK ||
                             wa_trust_add_dir(anchors, trusted, err) != WA_OK)))
        return err->code;
    if (wa_cli_has(cli, "proxy"))
        wa_cli_say(cli, "no proxy is needed: revocation lists are taken from beside the trusted "
                        "certificates, none is fetched");
    o.anchors = anchors;
    wa_jw_obj(&cli->jw);
    enum wa_code code = name_and_scan(cli, &o, err);
    wa_jw_end(&cli->jw);
    return code;
}

int main(int argc, char **argv)
{
    static const struct wa_cli_command scan = {NULL, options, WA_COUNT(options), 1, 1, run};
    static const struct wa_cli_command *const commands[] = {&scan, NULL};
    static const struct wa_cli_program program = {.help = wa_help_of_program,
                                                  .name = "wapt-scanpackages",
                                                  .section = 1,
                                                  .commands = commands};
    return wa_cli_main(&program, argc, argv);
}
