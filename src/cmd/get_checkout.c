/* get_checkout.c - wapt-get sources: the sources that a package's control names, from their
 * repository of git or Subversion.
 *
 * The control is the word of whoever made the package: it must be a good package here, or the
 * caller's own folder, and the address one that such a program only downloads from. What is checked
 * out is not executed.
 */
#include "cmd/get_sources.h"
#include "os/clock.h"
#include "os/path.h"
#include "os/proc.h"

static const struct wa_cli_option options[] = {
    {"trusted", 't', "DIR"},
};

static enum wa_code read_control(struct wa_cli *cli, struct wa_control *c, struct wa_err *err)
{
    WA_AUTO(wa_get_package) struct wa_get_package *p = NULL;
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    wa_verdict_init(&v);
    if (wa_get_package_open(cli->args[0], &p, err) != WA_OK ||
        wa_get_control(cli->args[0], c, err) != WA_OK)
        return err->code;
    if (wa_get_package_dir(p) != NULL)
        return WA_OK;
    return wa_get_anchors(cli, &anchors, err) == WA_OK
               ? wa_verify_package(wa_get_package_members(p), anchors, wa_clock_now(), NULL, NULL,
                                   &v, err)
               : err->code;
}

/* Its talk is no result, and it asks nobody anything. */
static enum wa_code check_out(const char *program, const char *command, const char *url,
                              const char *folder, struct wa_err *err)
{
    char here[WA_PATH_MAX];
    const char *const argv[] = {program, command, "--", url, folder, NULL};
    const int fds[] = {-1, 2, 2};
    struct wa_proc proc;
    struct wa_exit gone;
    if (wa_path_real(".", here, err) != WA_OK)
        return err->code;
    const struct wa_spawn s = {.path = program,
                               .argv = argv,
                               .cwd = here,
                               .fds = fds,
                               .fd_count = WA_COUNT(fds),
                               .die_with_parent = true};
    if (wa_proc_spawn(&s, &proc, err) != WA_OK || wa_proc_wait(&proc, -1, &gone, err) != WA_OK)
        return err->code;
    return gone.kind == WA_EXIT_STATUS && gone.value == 0
               ? WA_OK
               : wa_fail(err, WA_E_FAILED, "'%s' ended with status %d", program, gone.value);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control c;
    wa_control_init(&c);
    if (read_control(cli, &c, err) != WA_OK)
        return wa_wrap(err, "'%s'", cli->args[0]);
    const char *url = wa_control_get(&c, WA_A_SOURCES);
    const char *folder = cli->arg_count > 1 ? cli->args[1] : wa_control_get(&c, WA_A_PACKAGE);
    if (url[0] == '\0')
        return wa_fail(err, WA_E_NOT_FOUND, "'%s' does not tell where its sources are",
                       cli->args[0]);
    bool is_git = wa_sv_ends(wa_sv(url), ".git");
    if (!wa_sv_starts(wa_sv(url), "https://"))
        return wa_fail(err, WA_E_REFUSED, "the sources are at '%.200s', which is not https", url);
    const char *program = is_git ? "/usr/bin/git" : "/usr/bin/svn";
    if (check_out(program, is_git ? "clone" : "checkout", url, folder, err) != WA_OK)
        return wa_wrap(err, "'%.200s'", url);
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "folder", folder);
    wa_jw_kv(&cli->jw, "sources", url);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "%s\n", folder);
    return WA_OK;
}

const struct wa_cli_command wa_get_sources_command = {"sources", options, WA_COUNT(options),
                                                      1,         2,       run};
