/* wapt_get.c - main() of wapt-get: the table of its subcommands. Each lives in a get_*.c of its
 * own.
 */
#include "cmd/agent_main.h"
#include "cmd/get.h"

static const struct wa_cli_command *const commands[] = {
    &wa_get_audit,
    &wa_get_build_package,
    &wa_get_build_upload,
    &wa_get_cancel,
    &wa_get_cancel_all,
    &wa_get_clean,
    &wa_get_create_keycert,
    &wa_get_download_upgrade,
    &wa_get_duplicate,
    &wa_get_edit,
    &wa_get_forget,
    &wa_get_install,
    &wa_get_inventory,
    &wa_get_list,
    &wa_get_list_upgrade,
    &wa_get_make_group_template,
    &wa_get_make_host_template,
    &wa_get_make_template,
    &wa_get_register,
    &wa_get_remove,
    &wa_get_restart,
    &wa_get_search,
    &wa_get_session_setup,
    &wa_get_show,
    &wa_get_show_log,
    &wa_get_sign_package,
    &wa_get_status,
    &wa_get_tasks,
    &wa_get_update,
    &wa_get_update_package_sources,
    &wa_get_update_status,
    &wa_get_upgrade,
    &wa_get_upload_package,
    &wa_get_verify,
    NULL,
};

static const struct wa_cli_option options[] = {
    {"config", 'c', "FILE", "Configuration file"},
};

#define BY_ROOT "root's command does the work itself where waptservice does not run"
#define NOT_HERE "it is not part of this program yet"
/* What WAPT's users type (its wapt-get and wapt-get.exe). */
static const struct wa_cli_alias aliases[] = {
    {"showlog", "show-log", NULL},
    {"cleanup", "clean", NULL},
    {"sign-packages", "sign-package", NULL},
    {"check-upgrades", "list-upgrade", NULL},
    {"--wapt-server-url", "--server", NULL},
    {"--wapt-repo-url", "--repository", NULL},
    {"--wapt-server-user", "--server-user", NULL},
    {"--CommonName", "--common-name", NULL},
    {"--BaseDir", "--base-dir", NULL},
    {"--Organization", "--organization", NULL},
    {"--OrgUnit", "--org-unit", NULL},
    {"--Country", "--country", NULL},
    {"--Locality", "--locality", NULL},
    {"--Email", "--email", NULL},
    {"--CodeSigning", "--code-signing", NULL},
    {"--CA", "--ca", NULL},
    {"--ClientAuth", "--client-auth", NULL},
    {"--CACertFilename", "--ca-cert", NULL},
    {"--CAKeyFilename", "--ca-key", NULL},
    {"--NoPrivateKeyPassword", "--no-private-key-passwd", NULL},
    {"--Force", "--force", NULL},
    /* what create-keycert called its authority's password before */
    {"--ca-key-passwd-file", "--ca-key-passwd", NULL},
    {"uninstall", NULL, "'wapt-get remove PACKAGE' runs the package's uninstall() too"},
    {"download", NULL, "'wapt-get download-upgrade' fetches what an upgrade will need"},
    {"show-params", NULL, "'wapt-get show-log PACKAGE' shows the parameters"},
    {"scan-packages", NULL, "use 'wapt-scanpackages DIR'"},
    {"update-packages", NULL, "use 'wapt-scanpackages DIR'"},
    {"edit-host", NULL,
     "'waptconsole host-package UUID --depends PACKAGE,...', or 'wapt-get make-host-template'"},
    {"sources", NULL, NOT_HERE},
    {"unregister", NULL, NOT_HERE},
    {"upgradedb", NULL, "the service brings its database up to date when it starts"},
    {"setlocalpassword", NULL, "local users are known by the system, and by their own password"},
    {"reset-uuid", NULL, NOT_HERE},
    {"generate-uuid", NULL, NOT_HERE},
    {"get-server-certificate", NULL,
     "take the server's private/tls.crt and name it in verify_cert of wapt-get.ini"},
    {"enable-check-certificate", NULL, "the server's certificate is always checked"},
    {"add-upgrade-shutdown", NULL, NOT_HERE},
    {"remove-upgrade-shutdown", NULL, NOT_HERE},
    {"list-registry", NULL, "'wapt-get inventory' lists the installed software"},
    {"check-valid-codesigning-cert", NULL, "'wapt-get build-package' says so before it packs"},
    {"waptupgrade", NULL, NOT_HERE},
    {"-D", NULL, BY_ROOT},
    {"--direct", NULL, BY_ROOT},
    {"-S", NULL, "the service is always asked first"},
    {"--service", NULL, "the service is always asked first"},
    {"-d", NULL, "'wapt-get list-upgrade' shows what an upgrade would do"},
    {"--dry-run", NULL, "'wapt-get list-upgrade' shows what an upgrade would do"},
    {"-u", NULL, "run 'wapt-get update' first"},
    {"--update-packages", NULL, "run 'wapt-get update' first"},
    {"-r", NULL, "set repo_url in wapt-get.ini"},
    {"-l", NULL, "the service's log has it all"},
    {"--loglevel", NULL, "the service's log has it all"},
    {"-y", NULL, "no window is opened"},
    {"--hide", NULL, "no window is opened"},
    {"-e", NULL, "all output is UTF-8"},
    {"--encoding", NULL, "all output is UTF-8"},
    {"-U", NULL, "the system says who is asking"},
    {"-g", NULL, "the system says who is asking"},
    {"--usergroups", NULL, "the system says who is asking"},
    {"--pin-server-cert", NULL,
     "take the server's private/tls.crt and name it in verify_cert of wapt-get.ini"},
    {"--wapt-server-passwd", NULL,
     "others could see it: give --server-password-file, or type it when asked"},
    {"--PrivateKeyPassword", NULL,
     "others could see it: give --private-key-passwd FILE, or type it when asked"},
    {"--CAKeyPassword", NULL,
     "others could see it: give --ca-key-passwd FILE, or type it when asked"},
    {"--SetAsDefaultPersonalCert", NULL,
     "set personal_certificate_path in ~/.config/wapt/waptconsole.ini"},
    {"--EnrollNewCert", NULL, "copy the .crt file to /opt/wapt/ssl"},
};

int main(int argc, char **argv)
{
    static const struct wa_cli_program program = {.name = "wapt-get",
                                                  .section = 1,
                                                  .summary =
                                                      "Install, make and check software packages",
                                                  .commands = commands,
                                                  .options = options,
                                                  .option_count = WA_COUNT(options),
                                                  .aliases = aliases,
                                                  .alias_count = WA_COUNT(aliases)};
    int status = 0;
    if (wa_agent_dispatch(argc, argv, &status))
        return status;
    return wa_cli_main(&program, argc, argv);
}
