/* get_agent_absent.c - where the agent does not run yet, nor any other program for us: the commands
 * that need it say so, and no start of the program is one of the agent's processes.
 */
#include "cmd/agent_main.h"
#include "cmd/get.h"
#include "cmd/get_plan.h"
#include "cmd/get_sources.h"
#include "cmd/get_tool.h"

bool wa_agent_dispatch(int argc, char **argv, int *ret_status)
{
    WA_UNUSED(argc);
    WA_UNUSED(argv);
    WA_UNUSED(ret_status);
    return false;
}

const char *wa_libdir(void)
{
    return "";
}

enum wa_code wa_get_agent_run(struct wa_cli *cli, struct wa_err *err)
{
    return wa_fail(
        err, WA_E_FAILED,
        "'%s' is the agent's work, and the agent does not run on this system yet; it does on Linux",
        cli->command->name);
}

bool wa_get_is_tool(int argc, char **argv)
{
    WA_UNUSED(argc);
    WA_UNUSED(argv);
    return false;
}

int wa_get_tool_main(char **argv)
{
    WA_UNUSED(argv);
    return 1;
}

enum wa_code wa_get_tool_icon(int fd, const char *libdir, struct wa_buf *out, struct wa_err *err)
{
    WA_UNUSED(fd);
    WA_UNUSED(libdir);
    WA_UNUSED(out);
    return wa_fail(err, WA_E_FAILED, "pictures are not read on this system yet; they are on Linux");
}

enum wa_code wa_get_tool_lint(int fd, const char *libdir, const char *option, struct wa_buf *out,
                              int *ret_status, struct wa_err *err)
{
    WA_UNUSED(fd);
    WA_UNUSED(libdir);
    WA_UNUSED(option);
    WA_UNUSED(out);
    WA_UNUSED(ret_status);
    return wa_fail(err, WA_E_NOT_FOUND, "Python is not started on this system yet; it is on Linux");
}

enum wa_code wa_get_tool_read(int fd, const char *libdir, struct wa_installer *inst,
                              struct wa_err *err)
{
    WA_UNUSED(fd);
    WA_UNUSED(libdir);
    WA_UNUSED(inst);
    return wa_fail(err, WA_E_FAILED,
                   "installers are not looked into on this system yet; it does on Linux");
}

enum wa_code wa_get_sources_fetch(const struct wa_cli *cli, const char *name,
                                  struct wa_get_sources *s, struct wa_control *ret,
                                  struct wa_err *err)
{
    WA_UNUSED(cli);
    WA_UNUSED(s);
    WA_UNUSED(ret);
    return wa_fail(err, WA_E_NOT_FOUND,
                   "there is no file or folder '%s', and packages are not fetched on this system "
                   "yet; they are on Linux",
                   name);
}

static enum wa_code absent(struct wa_cli *cli, struct wa_err *err)
{
    return wa_fail(err, WA_E_FAILED,
                   "'%s' starts other programs, which wapt-get does not do on this system yet; it "
                   "does on Linux",
                   cli->command->name);
}

#define ABSENT(var, name)                                                                          \
    const struct wa_cli_command wa_get_##var = {name, NULL, 0, 0, SIZE_MAX, absent};
ABSENT(add_upgrade_shutdown, "add-upgrade-shutdown")
ABSENT(remove_upgrade_shutdown, "remove-upgrade-shutdown")
ABSENT(propose_upgrade, "propose-upgrade")
ABSENT(check, "check")
ABSENT(edit, "edit")
ABSENT(enrol, "enrol")
ABSENT(update_package_sources, "update-package-sources")
ABSENT(upload_package, "upload-package")
ABSENT(build_upload, "build-upload")

ABSENT(get_server_certificate, "get-server-certificate")
ABSENT(enable_check_certificate, "enable-check-certificate")
ABSENT(sources_command, "sources")

enum wa_code wa_get_register_run(struct wa_cli *cli, struct wa_err *err)
{
    return wa_get_agent_run(cli, err);
}

enum wa_code wa_get_show_params_run(struct wa_cli *cli, struct wa_err *err)
{
    return wa_get_agent_run(cli, err);
}

enum wa_code wa_get_upgradedb_run(struct wa_cli *cli, struct wa_err *err)
{
    return wa_get_agent_run(cli, err);
}

const wa_get_live_fn wa_get_plan_live = NULL; /* plans are made from files */
