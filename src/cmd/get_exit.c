/* get_exit.c - wapt-get add-upgrade-shutdown, remove-upgrade-shutdown and propose-upgrade: when
 * waptexit is started.
 *
 * The first two are systemd's word for one unit of ours. A proposal is a file that root alone
 * writes, which each user's own systemd watches: nothing of root's reaches into a session, and a
 * user who doesn't want it masks the unit. */
#include "agent/config.h"
#include "base/date.h"
#include "cmd/get.h"
#include "cmd/get_agent.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/priv.h"
#include "os/proc.h"

#define UNIT "waptexit.service"
#define SYSTEMCTL_MS 90000 /* to enable or disable one unit takes a moment */
#define WALL_MS 10000      /* for terminals that stand still */

static enum wa_code check_root(const struct wa_cli *cli, struct wa_err *err)
{
    return wa_priv_is_root() ? WA_OK
                             : wa_fail(err, WA_E_DENIED, "'%s' needs root", cli->command->name);
}

/* A program of the system; what it says goes to stderr. *ret_is_good: it ended with 0. */
static enum wa_code run_tool(const char *const *argv, int timeout_ms, bool *ret_is_good,
                             struct wa_err *err)
{
    const int fds[] = {-1, 2, 2};
    const struct wa_spawn s = {.path = argv[0],
                               .argv = argv,
                               .fds = fds,
                               .fd_count = WA_COUNT(fds),
                               .die_with_parent = true};
    struct wa_proc p;
    struct wa_exit end;
    if (wa_proc_spawn(&s, &p, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_proc_wait(&p, timeout_ms, &end, err);
    if (code == WA_E_AGAIN) {
        struct wa_err ignored = WA_ERR_INIT;
        wa_proc_kill(&p, WA_PROC_KILL);
        (void)!wa_proc_wait(&p, -1, &end, &ignored);
        wa_err_clear(err);
        return wa_fail(err, WA_E_TIMEOUT, "'%s' takes too long", argv[0]);
    }
    if (code == WA_OK)
        *ret_is_good = end.kind == WA_EXIT_STATUS && end.value == 0;
    return code;
}

static enum wa_code change_unit(const struct wa_cli *cli, const char *verb, struct wa_err *err)
{
    const char *const argv[] = {"/usr/bin/systemctl", verb, "--now", UNIT, NULL};
    bool is_good = false;
    if (check_root(cli, err) != WA_OK || run_tool(argv, SYSTEMCTL_MS, &is_good, err) != WA_OK)
        return err->code;
    return is_good
               ? WA_OK
               : wa_fail(err, WA_E_FAILED, "systemd could not %s " UNIT ", as said above", verb);
}

static enum wa_code add(struct wa_cli *cli, struct wa_err *err)
{
    if (change_unit(cli, "enable", err) != WA_OK)
        return err->code;
    wa_cli_out(cli, "what is pending will be installed at each shutdown\n");
    return WA_OK;
}

static enum wa_code take_away(struct wa_cli *cli, struct wa_err *err)
{
    if (change_unit(cli, "disable", err) != WA_OK)
        return err->code;
    wa_cli_out(cli, "nothing will be installed at a shutdown\n");
    return WA_OK;
}

/* --- a proposal --- */

static void no_warning(void *user, const char *text)
{
    WA_UNUSED(user);
    WA_UNUSED(text);
}

static enum wa_code write_proposal(const char *base, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath run, name;
    char date[WA_DATE_MAX];
    wa_date_isoutc(wa_clock_now(), 0, date);
    if (wa_dir_open(base, &dir, err) != WA_OK ||
        wa_relpath_parse(WA_SV("run"), &run, err) != WA_OK ||
        wa_relpath_parse(WA_SV("run/upgrade-proposed"), &name, err) != WA_OK ||
        wa_dir_make_sub(&dir, &run, 0755, err) != WA_OK)
        return err->code;
    return wa_file_replace(&dir, &name, wa_sv(date), 0644, err);
}

static enum wa_code propose(struct wa_cli *cli, struct wa_err *err)
{
    static const char *const wall[] = {
        "/usr/bin/wall", "Software is waiting to be installed: type 'waptexit' when it suits you.",
        NULL};
    struct wa_agent_config c;
    struct wa_err untold = WA_ERR_INIT;
    char file[WA_PATH_MAX];
    bool ignored;
    if (check_root(cli, err) != WA_OK || wa_get_agent_config(cli, file, err) != WA_OK ||
        wa_agent_config_load(file, no_warning, NULL, &c, err) != WA_OK)
        return err->code;
    enum wa_code code = write_proposal(c.base, err);
    wa_agent_config_free(&c);
    if (code != WA_OK)
        return wa_wrap(err, "proposing an upgrade");
    if (run_tool(wall, WALL_MS, &ignored, &untold) != WA_OK) /* sessions have it all the same */
        wa_cli_say(cli, "users of terminals could not be told: %s", untold.text);
    wa_cli_out(cli, "proposed to those who are at work here\n");
    return WA_OK;
}

#define COMMAND(var, name, summary, fn)                                                            \
    const struct wa_cli_command wa_get_##var = {name, "", summary, NULL, 0, 0, 0, fn};
COMMAND(add_upgrade_shutdown, "add-upgrade-shutdown", "Install what is pending at each shutdown",
        add)
COMMAND(remove_upgrade_shutdown, "remove-upgrade-shutdown", "Install nothing at shutdowns",
        take_away)
COMMAND(propose_upgrade, "propose-upgrade", "Offer the upgrade to those who are at work here",
        propose)
