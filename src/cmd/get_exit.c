/* get_exit.c - wapt-get add-upgrade-shutdown, remove-upgrade-shutdown and propose-upgrade: when
 * waptexit is started.
 *
 * The first two are systemd's word for a unit of ours; the third is notice.c's work. */
#include "base/text.h"
#include "cmd/get.h"
#include "cmd/get_agent.h"
#include "cmd/notice.h"
#include "os/priv.h"

#define UNIT "waptexit.service"
#define SYSTEMCTL_MS 90000 /* to enable or disable one unit takes a moment */

static enum wa_code check_root(const struct wa_cli *cli, struct wa_err *err)
{
    return wa_priv_is_root() ? WA_OK
                             : wa_fail(err, WA_E_DENIED, "'%s' needs root", cli->command->name);
}

static enum wa_code change_unit(const struct wa_cli *cli, const char *verb, struct wa_err *err)
{
    const char *const argv[] = {"/usr/bin/systemctl", verb, "--now", UNIT, NULL};
    bool is_good = false;
    if (check_root(cli, err) != WA_OK || wa_notice_run(argv, SYSTEMCTL_MS, &is_good, err) != WA_OK)
        return err->code;
    return is_good
               ? WA_OK
               : wa_fail(err, WA_E_FAILED, "systemd could not %s %s, as said above", verb, UNIT);
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

static enum wa_code propose(struct wa_cli *cli, struct wa_err *err)
{
    char file[WA_PATH_MAX];
    if (check_root(cli, err) != WA_OK || wa_get_agent_config(cli, file, err) != WA_OK ||
        wa_notice_all(
            file, "upgrade-proposed",
            wa_text("Software is waiting to be installed: type 'waptexit' when it suits you."),
            err) != WA_OK)
        return err->code;
    wa_cli_out(cli, "proposed to those who are at work here\n");
    return WA_OK;
}

#define COMMAND(var, name, fn) const struct wa_cli_command wa_get_##var = {name, NULL, 0, 0, 0, fn};
COMMAND(add_upgrade_shutdown, "add-upgrade-shutdown", add)
COMMAND(remove_upgrade_shutdown, "remove-upgrade-shutdown", take_away)
COMMAND(propose_upgrade, "propose-upgrade", propose)
