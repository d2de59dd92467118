/* con_prompter.c - the process beside waptconsole open that starts a pinentry for it (a role of the
 * same program), and which one that is.
 */
#include "cmd/browser.h"
#include "cmd/con.h"
#include "console/prompter.h"
#include "os/fs.h"
#include "os/path.h"
#include "os/proc.h"
#include "os/term.h"

#define FOUND "/usr/bin/pinentry"
#define ROLE "role:prompter"
#define CHANNEL_FD 3

bool wa_con_is_prompter(int argc, char **argv)
{
    return argc == 3 && strcmp(argv[1], ROLE) == 0;
}

int wa_con_prompter_main(char **argv)
{
    struct wa_desktop desktop;
    wa_desktop_environment(&desktop);
    wa_prompter_run(CHANNEL_FD, argv[2], desktop.envp);
    return 0;
}

/* NULL: none is wanted. */
static const char *choose(const char *wish)
{
    if (wish != NULL)
        return strcmp(wish, "none") == 0 ? NULL : wish;
    return wa_desktop_is_there() && !wa_term_is_err() && !wa_term_is_out() ? FOUND : NULL;
}

enum wa_code wa_con_prompter_start(const char *wish, int *ret_fd, struct wa_err *err)
{
    struct wa_desktop desktop;
    struct wa_stat st;
    struct wa_proc p;
    int pair[2];
    const char *program = choose(wish);
    *ret_fd = -1;
    if (program == NULL)
        return WA_OK;
    if (!wa_path_is_absolute(program))
        return wa_fail(err, WA_E_USAGE, "pinentry takes the path of a program, or none");
    if (wa_path_stat(program, &st, err) != WA_OK) {
        if (wish != NULL)
            return wa_wrap(err, "the pinentry that asks for passwords (pinentry = none: the page)");
        wa_err_clear(err);
        return WA_OK;
    }
    if (wa_socketpair(pair, err) != WA_OK)
        return err->code;
    const char *const argv[] = {"waptconsole", ROLE, program, NULL};
    const int fds[] = {-1, -1, -1, pair[1]};
    wa_desktop_environment(&desktop);
    const struct wa_spawn what = {.argv = argv,
                                  .envp = desktop.envp,
                                  .fds = fds,
                                  .fd_count = WA_COUNT(fds),
                                  .die_with_parent = true};
    enum wa_code code = wa_proc_spawn(&what, &p, err);
    wa_fd_close(&pair[1]);
    if (code == WA_OK)
        *ret_fd = pair[0];
    else
        wa_fd_close(&pair[0]);
    return code;
}
