/* wapt_scanpackages.c - main() of wapt-scanpackages: builds the index of a repository. */
#include "cmd/cli.h"
#include "os/clock.h"
#include "repo/publish.h"
#include "repo/scan.h"

static const struct wa_cli_option options[] = {
    {"force", 'f', NULL, "Read every package anew"},
    {"trusted", 't', "DIR", "Leave out what no certificate of DIR vouches for"},
};

struct notes {
    struct wa_cli *cli;
};

static void note(void *user, const char *file, const struct wa_err *why)
{
    struct wa_cli *cli = ((struct notes *)user)->cli;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "file", file);
    wa_jw_kv(&cli->jw, "code", wa_code_name(why->code));
    wa_jw_kv(&cli->jw, "error", why->text);
    wa_jw_end(&cli->jw);
    if (!cli->json)
        wa_cli_say(cli, "'%s' is left out: %s", file, why->text);
}

/* Machines that know the repository's root take nothing of the new index before somebody signs. */
static enum wa_code propose(struct wa_cli *cli, bool *ret_made, struct wa_err *err)
{
    if (wa_publish_leave_proposal(cli->args[0], wa_clock_now(), ret_made, err) != WA_OK)
        return err->code;
    if (*ret_made)
        wa_cli_say(cli,
                   "not published yet: an unsigned proposal is left (%s); sign it with "
                   "'wapt-repo publish'",
                   WA_PROPOSAL_NAME);
    return WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    struct wa_scan_result r = {0, 0, 0, 0};
    struct notes notes = {cli};
    const char *trusted = wa_cli_get(cli, "trusted", NULL);
    if (trusted != NULL &&
        (wa_trust_new(&anchors, err) != WA_OK || wa_trust_add_dir(anchors, trusted, err) != WA_OK))
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_key(&cli->jw, "left_out");
    wa_jw_arr(&cli->jw);
    enum wa_code code =
        wa_repo_scan(cli->args[0], wa_cli_has(cli, "force"), anchors, note, &notes, &r, err);
    wa_jw_end(&cli->jw);
    bool is_proposed = false;
    if (code == WA_OK)
        code = propose(cli, &is_proposed, err);
    wa_jw_kvb(&cli->jw, "proposal", is_proposed);
    wa_jw_kvi(&cli->jw, "kept", (int64_t)r.kept);
    wa_jw_kvi(&cli->jw, "added", (int64_t)r.added);
    wa_jw_kvi(&cli->jw, "removed", (int64_t)r.removed);
    wa_jw_kvi(&cli->jw, "bad", (int64_t)r.bad);
    wa_jw_end(&cli->jw);
    if (code != WA_OK)
        return code;
    wa_cli_out(cli, "%zu packages: %zu as before, %zu new or changed; %zu gone, %zu left out\n",
               r.kept + r.added, r.kept, r.added, r.removed, r.bad);
    return r.bad == 0
               ? WA_OK
               : wa_fail(err, WA_E_PARTIAL, "%zu packages were left out of the index", r.bad);
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
