/* get_agent_commands.c - the subcommands of wapt-get that the service carries out, as every system
 * knows them; get_agent.c talks to the service, get_agent_absent.c stands for it where there is
 * none.
 */
#include "cmd/get.h"

/* Of each of them. */
#define SHARED_OPTIONS                                                                             \
    {"password-file", 0, "FILE", ""}, {"force", 'f', NULL, ""}, {"direct", 'D', NULL, ""},         \
        {"service", 'S', NULL, ""},                                                                \
    {                                                                                              \
        "maxttl", 't', "MINUTES", ""                                                               \
    }
#define UPDATE_OPTION                                                                              \
    {                                                                                              \
        "update-packages", 'u', NULL, ""                                                           \
    }
#define DRY_OPTION                                                                                 \
    {                                                                                              \
        "dry-run", 'd', NULL, ""                                                                   \
    }

static const struct wa_cli_option plain_options[] = {SHARED_OPTIONS};
static const struct wa_cli_option fresh_options[] = {SHARED_OPTIONS, UPDATE_OPTION};
static const struct wa_cli_option remove_options[] = {SHARED_OPTIONS, DRY_OPTION};
static const struct wa_cli_option install_options[] = {
    SHARED_OPTIONS, UPDATE_OPTION, DRY_OPTION, {"params", 'p', "JSON", ""}};
static const struct wa_cli_option search_options[] = {SHARED_OPTIONS,
                                                      UPDATE_OPTION,
                                                      {"sections", 's', "LIST", ""},
                                                      {"newest-only", 'n', NULL, ""},
                                                      {"locales", 0, "LIST", ""},
                                                      {"maturity", 0, "LIST", ""}};
static const struct wa_cli_option upgrade_options[] = {
    SHARED_OPTIONS,
    UPDATE_OPTION,
    DRY_OPTION,
    {"only-if-not-process-running", 0, NULL, "Put off packages whose programs run"},
    {"priorities", 0, "LIST", "Only packages of these priorities, with what they need"}};
static const struct wa_cli_option catalogue_options[] = {
    SHARED_OPTIONS,
    {"filter", 0, "NAME", "all, installed, not-installed or upgradable"},
    {"category", 0, "NAME", "Only packages of this category"},
    {"page", 0, "NUMBER", "Which page, from 0"},
    {"page-size", 0, "NUMBER", "How many packages a page has (else 50)"},
};
static const struct wa_cli_option register_options[] = {
    SHARED_OPTIONS,
    {"pin-server-cert", 0, NULL, ""},
    {"server-fingerprint", 0, "SHA256", ""},
    {"yes", 'y', NULL, ""},
    {"token-file", 0, "FILE", "File with an enrolment token, made by 'waptserver enrol-token'"},
    {"server", 0, "URL", "https address of the server, kept in the configuration"},
    {"repository", 0, "URL", "Address of the main repository, kept in the configuration"},
    {"server-user", 0, "NAME", "Administrator on the server, instead of a token"},
    {"server-password-file", 0, "FILE", "File with that administrator's password (else asked)"},
};

#define COMMAND(var, name, args, summary, options, low, high)                                      \
    const struct wa_cli_command wa_get_##var = {                                                   \
        name, args, summary, options, WA_COUNT(options), low, high, wa_get_agent_run};
const struct wa_cli_command wa_get_register = {
    "register", "", "", register_options, WA_COUNT(register_options), 0, 0, wa_get_register_run};
const struct wa_cli_command wa_get_show_params = {
    "show-params",         "PACKAGE...", "", plain_options, WA_COUNT(plain_options), 1, 64,
    wa_get_show_params_run};
const struct wa_cli_command wa_get_upgradedb = {
    "upgradedb", "", "", plain_options, WA_COUNT(plain_options), 0, 0, wa_get_upgradedb_run};
COMMAND(check_upgrades, "check-upgrades", "", "", plain_options, 0, 0)
COMMAND(update, "update", "", "Refresh the list of available packages", plain_options, 0, 0)
COMMAND(upgrade, "upgrade", "", "Install what is assigned, and newer versions of what is installed",
        upgrade_options, 0, 0)
COMMAND(download, "download", "PACKAGE...", "Download packages with what they need, and no more",
        fresh_options, 1, 64)
COMMAND(download_upgrade, "download-upgrade", "", "Download what an upgrade would install",
        fresh_options, 0, 0)
COMMAND(install, "install", "PACKAGE...", "Install packages with what they need", install_options,
        1, 64)
COMMAND(remove, "remove", "PACKAGE...", "Remove packages, and what needs them", remove_options, 1,
        64)
COMMAND(forget, "forget", "PACKAGE...", "Forget packages without running anything", plain_options,
        1, 64)
COMMAND(list, "list", "[WORD...]", "List installed packages", plain_options, 0, 64)
COMMAND(search, "search", "[WORD...]", "Search the available packages", search_options, 0, 64)
COMMAND(list_upgrade, "list-upgrade", "", "List what an upgrade would do", fresh_options, 0, 0)
COMMAND(audit, "audit", "[PACKAGE...]", "Run the audits of installed packages", plain_options, 0,
        64)
COMMAND(session_setup, "session-setup", "[PACKAGE|ALL]...", "Set your own session up",
        plain_options, 0, 64)
COMMAND(update_status, "update-status", "", "Send this machine's status to the server",
        plain_options, 0, 0)
COMMAND(generate_uuid, "generate-uuid", "[UUID]",
        "Give this machine another identity: a random one, or the one named", plain_options, 0, 1)
COMMAND(reset_uuid, "reset-uuid", "", "Give this machine the identity of its firmware",
        plain_options, 0, 0)
COMMAND(inventory, "inventory", "", "Show what is known about this machine", plain_options, 0, 0)
COMMAND(show_task, "show-task", "TASK", "Show a task and what it told", plain_options, 1, 1)
COMMAND(show_log, "show-log", "PACKAGE", "Show the output of a package's scripts", plain_options, 1,
        1)
COMMAND(tasks, "tasks", "", "List the service's tasks", plain_options, 0, 0)
COMMAND(cancel, "cancel", "[TASK]", "Cancel a task", plain_options, 0, 1)
COMMAND(cancel_all, "cancel-all", "", "Cancel all tasks", plain_options, 0, 0)
COMMAND(clean, "clean", "", "Delete downloaded packages", plain_options, 0, 0)
COMMAND(status, "status", "", "Show the service's state", plain_options, 0, 0)
COMMAND(reload, "reload", "", "Have the service take over its changed configuration", plain_options,
        0, 0)
COMMAND(catalogue, "catalogue", "[WORD...]", "Show what you may install yourself",
        catalogue_options, 0, 64)
COMMAND(events, "events", "", "Tell what happens as it happens, as lines of JSON", plain_options, 0,
        0)
COMMAND(lock, "lock", "", "Have your password asked for again", plain_options, 0, 0)
COMMAND(stop, "stop", "", "Stop the service for a while", plain_options, 0, 0)
COMMAND(start, "start", "", "Start the service again before that while is over", plain_options, 0,
        0)
COMMAND(restart, "restart", "", "Restart the service", plain_options, 0, 0)
