/* config_gone.c - options of WAPT 1.8's wapt-get.ini (formats.md 9.1) that have no effect here, and
 * why: an old file is read as it is, and nobody has to guess what still counts.
 *
 * An option that is in the agent's own table too is that one: this list is for the others.
 */
#include "agent/config_priv.h"

#define GONE(key, why)                                                                             \
    {                                                                                              \
        "global", key, WA_CONF_GONE, 0, NULL, 0, 0, 0, why                                         \
    }

static const struct wa_conf_option gone[] = {
    GONE("dnsdomain", "the name of the machine says it"),
    GONE("wapt_server_timeout", "timeout counts for the server too"),
    GONE("client_certificate", "the machine's own key proves it"),
    GONE("client_private_key", "the machine's own key proves it"),
    GONE("use_http_proxy_for_templates", "there are no templates to download"),
    GONE("check_certificates_validity", "certificates are always checked"),
    GONE("default_maturity", "packages are made by wapt-get, with its own configuration"),
    GONE("use_hostpackages", "the machine's own package is always asked for"),
    GONE("fake_hostname", "it was for tests"),
    GONE("dbpath", "the database is in db/ of the base directory: move waptdb.sqlite there before "
                   "the first start, or all packages are installed again"),
    GONE("dbdir", "the database is in db/ of the base directory"),
    GONE("private_dir", "the machine's key is in private/ of the base directory: move it there "
                        "before the first start, or the server sees another machine"),
    GONE("persistent_root_dir", "it is private/persistent in the base directory"),
    GONE("token_lifetime", "auth_grace says how long a proven password holds"),
    GONE("use_repo_rules", "set repo_url and mirrors"),
    GONE("log_to_windows_events", "the log goes to the system's journal"),
    GONE("waptservice_port", "no port is open on this machine; local tools use a socket"),
    GONE("waptservice_sslport", "no port is open on this machine"),
    GONE("waptservice_user", "local tools prove who they are by the system's accounts"),
    GONE("waptservice_password", "local tools prove who they are by the system's accounts; take it "
                                 "out, a digest of a password is in it"),
    GONE("wapt_user", "local tools prove who they are by the system's accounts"),
    GONE("wapt_password", "local tools prove who they are by the system's accounts; take it out, a "
                          "digest of a password is in it"),
    GONE("waptservice_poll_timeout", "nothing polls"),
    GONE("waptservice_timeout", "local tools wait for events"),
    GONE("reconfig_on_network_change", "connections are made again by themselves"),
    GONE("allow_user_service_restart",
         "everybody may; user_stop_period says how long a stop lasts"),
    GONE("notify_user", "there is no tray icon"),
    GONE("hidden_wapttray_actions", "there is no tray icon"),
    GONE("secret_key", "there is no local web service; take it out"),
    GONE("wol_port", "network cards are woken at any port: see waptconsole action wake"),
    GONE("signature_clockskew", "the bounds are fixed: see [actions] signers"),
    GONE("websockets_verify_cert", "verify_cert counts for it too, and it is always checked"),
    GONE("websockets_ping", "the times are fixed"),
    GONE("websockets_retry_delay", "the times are fixed"),
    GONE("websockets_check_config_interval", "the times are fixed"),
    GONE("websockets_hurry_interval", "the times are fixed"),
    GONE("hiberboot_enabled", "it was a policy of Windows"),
    GONE("max_gpo_script_wait", "it was a policy of Windows"),
    GONE("install_wua_updates", "Windows updates are not managed"),
    GONE("send_usage_report", "nothing is sent to anybody else"),
    GONE("personal_certificate_path", "packages are made with the packager's own waptconsole.ini"),
    GONE("private_key", "packages are made with the packager's own waptconsole.ini"),
    GONE("sign_digests", "packages are made with the packager's own waptconsole.ini"),
    GONE("default_sources_root", "packages are made with the packager's own waptconsole.ini"),
    GONE("default_sources_root_host", "packages are made with the packager's own waptconsole.ini"),
    GONE("default_sources_url", "packages are made with the packager's own waptconsole.ini"),
    GONE("default_package_prefix", "packages are made with the packager's own waptconsole.ini"),
    GONE("default_sources_suffix", "packages are made with the packager's own waptconsole.ini"),
    GONE("templates_repo_url", "it was obsolete in WAPT 1.8 already"),
    GONE("upload_cmd", "wapt-get upload-package uploads"),
    GONE("upload_cmd_host", "wapt-get upload-package uploads"),
    GONE("after_upload", "wapt-get upload-package uploads"),
    GONE("editor_for_packages", "packages are made with the packager's own waptconsole.ini"),
    GONE("waptupgrade_task_maxruntime", "hook_timeout bounds each script"),
    GONE("waptupdate_task_maxruntime", "timeout bounds each download"),
};

size_t wa_config_with_gone(const struct wa_conf_option *own, size_t count,
                           struct wa_conf_option all[WA_CONFIG_OPTIONS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < count && n < WA_CONFIG_OPTIONS_MAX; i++)
        all[n++] = own[i];
    for (size_t i = 0; i < WA_COUNT(gone) && n < WA_CONFIG_OPTIONS_MAX; i++) {
        bool is_own = false;
        for (size_t k = 0; k < count; k++)
            is_own = is_own || strcmp(own[k].key, gone[i].key) == 0;
        if (!is_own)
            all[n++] = gone[i];
    }
    return n;
}

static bool has_word(const struct wa_ini *ini, const char *key, const char *const *words)
{
    const char *value = wa_ini_get(ini, "global", key);
    for (; value != NULL && *words != NULL; words++)
        if (wa_sv_ieqs(wa_sv(value), *words))
            return true;
    return false;
}

void wa_config_warn_gone(const struct wa_ini *ini, const char *file, wa_conf_warn_fn warn,
                         void *user)
{
    static const struct {
        const char *section, *why;
    } sections[] = {{"repo-sync", "this machine is no repository for others"},
                    {"waptwua", "Windows updates are not managed"}};
    static const char *const empty[] = {"", NULL};
    static const char *const no[] = {"0", "no", "false", "off", NULL};
    char text[WA_PATH_MAX + 300];
    if (warn == NULL)
        return;
    for (size_t i = 0; i < WA_COUNT(sections); i++) {
        if (!wa_ini_has_section(ini, sections[i].section))
            continue;
        (void)snprintf(text, sizeof text, "%s: section [%s] has no effect: %s", file,
                       sections[i].section, sections[i].why);
        warn(user, text);
    }
    if (has_word(ini, "wapt_server", empty)) {
        (void)snprintf(text, sizeof text,
                       "%s, line %zu: wapt_server is empty: the server is not looked for in the "
                       "DNS, as WAPT did; write its address, or take the line out",
                       file, wa_ini_line(ini, "global", "wapt_server"));
        warn(user, text);
    }
    if (has_word(ini, "verify_cert", no)) {
        (void)snprintf(text, sizeof text,
                       "%s, line %zu: verify_cert does not switch verification off: the server's "
                       "certificate must be in ssl/server, or named here, or by server_fingerprint",
                       file, wa_ini_line(ini, "global", "verify_cert"));
        warn(user, text);
    }
    if (has_word(ini, "verify_cert_ldap", no)) {
        (void)snprintf(text, sizeof text,
                       "%s, line %zu: verify_cert_ldap does not switch verification off: passwords "
                       "go to a directory whose certificate is known, name the file of its "
                       "authority here",
                       file, wa_ini_line(ini, "global", "verify_cert_ldap"));
        warn(user, text);
    }
}
