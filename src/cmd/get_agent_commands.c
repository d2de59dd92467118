/* get_agent_commands.c - the subcommands of wapt-get that the service carries out, as every system
 * knows them; get_agent.c talks to the service, get_agent_absent.c stands for it where there is
 * none.
 */
#include "cmd/get.h"

/* Of each of them. */
#define SHARED_OPTIONS                                                                             \
    {"password-file", 0, "FILE"}, {"force", 'f', NULL}, {"direct", 'D', NULL},                     \
        {"service", 'S', NULL},                                                                    \
    {                                                                                              \
        "maxttl", 't', "MINUTES"                                                                   \
    }
#define UPDATE_OPTION                                                                              \
    {                                                                                              \
        "update-packages", 'u', NULL                                                               \
    }
#define DRY_OPTION                                                                                 \
    {                                                                                              \
        "dry-run", 'd', NULL                                                                       \
    }

static const struct wa_cli_option plain_options[] = {SHARED_OPTIONS};
static const struct wa_cli_option fresh_options[] = {SHARED_OPTIONS, UPDATE_OPTION};
static const struct wa_cli_option remove_options[] = {
    SHARED_OPTIONS, DRY_OPTION, {"only-if-not-process-running", 0, NULL}};
static const struct wa_cli_option install_options[] = {SHARED_OPTIONS,
                                                       UPDATE_OPTION,
                                                       DRY_OPTION,
                                                       {"params", 'p', "JSON"},
                                                       {"only-if-not-process-running", 0, NULL}};
static const struct wa_cli_option search_options[] = {SHARED_OPTIONS,
                                                      UPDATE_OPTION,
                                                      {"sections", 's', "LIST"},
                                                      {"newest-only", 'n', NULL},
                                                      {"locales", 0, "LIST"},
                                                      {"maturity", 0, "LIST"}};
static const struct wa_cli_option upgrade_options[] = {SHARED_OPTIONS,
                                                       UPDATE_OPTION,
                                                       DRY_OPTION,
                                                       {"only-if-not-process-running", 0, NULL},
                                                       {"priorities", 0, "LIST"}};
static const struct wa_cli_option catalogue_options[] = {
    SHARED_OPTIONS,        {"filter", 0, "NAME"},      {"category", 0, "NAME"},
    {"page", 0, "NUMBER"}, {"page-size", 0, "NUMBER"}, {"sort", 0, "NAME"},
};
static const struct wa_cli_option register_options[] = {
    SHARED_OPTIONS,           {"pin-server-cert", 0, NULL}, {"server-fingerprint", 0, "SHA256"},
    {"yes", 'y', NULL},       {"token-file", 0, "FILE"},    {"server", 0, "URL"},
    {"repository", 0, "URL"}, {"server-user", 0, "NAME"},   {"server-password-file", 0, "FILE"},
};

#define COMMAND(var, name, options, low, high)                                                     \
    const struct wa_cli_command wa_get_##var = {name, options, WA_COUNT(options),                  \
                                                low,  high,    wa_get_agent_run};
const struct wa_cli_command wa_get_register = {
    "register", register_options, WA_COUNT(register_options), 0, 0, wa_get_register_run};
const struct wa_cli_command wa_get_show_params = {
    "show-params", plain_options, WA_COUNT(plain_options), 1, 64, wa_get_show_params_run};
const struct wa_cli_command wa_get_upgradedb = {
    "upgradedb", plain_options, WA_COUNT(plain_options), 0, 0, wa_get_upgradedb_run};
COMMAND(check_upgrades, "check-upgrades", plain_options, 0, 0)
COMMAND(update, "update", plain_options, 0, 0)
COMMAND(upgrade, "upgrade", upgrade_options, 0, 0)
COMMAND(download, "download", fresh_options, 1, 64)
COMMAND(download_upgrade, "download-upgrade", fresh_options, 0, 0)
COMMAND(install, "install", install_options, 1, 64)
COMMAND(remove, "remove", remove_options, 1, 64)
COMMAND(uninstall, "uninstall", plain_options, 1, 64)
COMMAND(forget, "forget", plain_options, 1, 64)
COMMAND(list, "list", plain_options, 0, 64)
COMMAND(search, "search", search_options, 0, 64)
COMMAND(list_upgrade, "list-upgrade", fresh_options, 0, 0)
COMMAND(audit, "audit", plain_options, 0, 64)
COMMAND(session_setup, "session-setup", plain_options, 0, 64)
COMMAND(update_status, "update-status", plain_options, 0, 0)
COMMAND(generate_uuid, "generate-uuid", plain_options, 0, 1)
COMMAND(reset_uuid, "reset-uuid", plain_options, 0, 0)
COMMAND(unregister, "unregister", plain_options, 0, 0)
COMMAND(inventory, "inventory", plain_options, 0, 0)
COMMAND(show_task, "show-task", plain_options, 1, 1)
COMMAND(show_log, "show-log", plain_options, 1, 1)
COMMAND(tasks, "tasks", plain_options, 0, 0)
COMMAND(cancel, "cancel", plain_options, 0, 1)
COMMAND(cancel_all, "cancel-all", plain_options, 0, 0)
COMMAND(clean, "clean", plain_options, 0, 0)
COMMAND(status, "status", plain_options, 0, 0)
COMMAND(reload, "reload", plain_options, 0, 0)
COMMAND(catalogue, "catalogue", catalogue_options, 0, 64)
COMMAND(events, "events", plain_options, 0, 0)
COMMAND(lock, "lock", plain_options, 0, 0)
COMMAND(stop, "stop", plain_options, 0, 0)
COMMAND(start, "start", plain_options, 0, 0)
COMMAND(restart, "restart", plain_options, 0, 0)
