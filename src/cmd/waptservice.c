/* waptservice.c - main() of the agent's service: the launcher, and by hidden arguments its
 * children. */
#include <unistd.h>

#include "agent/manager_priv.h"
#include "cmd/cli.h"
#include "os/priv.h"

#define MANAGER_ARG "role:manager" /* then: configuration, libdir, "once" or "service" */

static bool is_manager(int argc, char **argv)
{
    return argc == 5 && strcmp(argv[1], MANAGER_ARG) == 0;
}

static void to_stderr(void *user, const char *text)
{
    WA_UNUSED(user);
    (void)fprintf(stderr, "waptservice: warning: %s\n", text);
}

/* Where wapt_runner.py and setuphelpers lie: beside an installed program, else where the build put
 * them. */
static const char *default_libdir(void)
{
    const char *given = getenv("WAPT_LIBDIR");
    return given != NULL && given[0] == '/' && wa_priv_is_root() ? given : WA_LIBDIR;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_agent_config config;
    struct wa_agent_paths paths = {.base = ""};
    const char *file = wa_cli_get(cli, "config", "/opt/wapt/wapt-get.ini");
    const char *libdir = wa_cli_get(cli, "libdir", default_libdir());
    char self[WA_PATH_MAX];
    int status = 0;
    if (!wa_priv_is_root())
        return wa_fail(err, WA_E_DENIED, "the service must be started as root");
    /* A configuration that can't be read is told here, once, instead of at each start of the
     * manager. */
    if (wa_agent_config_load(file, to_stderr, NULL, &config, err) != WA_OK ||
        wa_proc_self_path(self, err) != WA_OK)
        return err->code;
    (void)snprintf(paths.base, sizeof paths.base, "%s", config.base);
    (void)snprintf(paths.libdir, sizeof paths.libdir, "%s", libdir);
    (void)snprintf(paths.user, sizeof paths.user, "%s", config.helper_user);
    wa_agent_config_free(&config);
    const char *const args[] = {self, MANAGER_ARG, file, libdir, "service", NULL};
    if (wa_role_launcher(&paths, args, false, &status, err) != WA_OK)
        return err->code;
    return status == 0 ? WA_OK
                       : wa_fail(err, WA_E_FAILED, "the manager ended with status %d", status);
}

int main(int argc, char **argv)
{
    static const struct wa_cli_option options[] = {
        {"config", 'c', "FILE",
         "Configuration (else /opt/wapt/wapt-get.ini); its directory is the base directory"},
        {"libdir", 0, "DIR", "Directory of wapt_runner.py and setuphelpers"},
    };
    static const struct wa_cli_command cmd_run = {
        "run", "", "Run the service in the foreground", options, WA_COUNT(options), 0, 0, run};
    static const struct wa_cli_command *const commands[] = {&cmd_run, NULL};
    static const struct wa_cli_program program = {
        "waptservice", "The agent that installs software on this machine", commands, NULL, 0};
    int status = 0;
    if (wa_role_dispatch(argc, argv, &status))
        return status;
    if (is_manager(argc, argv)) {
        const struct wa_manager_options o = {argv[2], argv[3], strcmp(argv[4], "once") == 0};
        return wa_role_manager(&o);
    }
    return wa_cli_main(&program, argc, argv);
}
