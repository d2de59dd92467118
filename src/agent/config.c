/* config.c - wapt-get.ini: what a machine's own administrator set. Nothing here is ever taken from
 * the server. */
#include "agent/config_priv.h"

#include <stddef.h>

#include "base/date.h"
#include "base/mem.h"
#include "codec/csv.h"
#include "codec/hex.h"
#include "os/fs.h"
#include "pkg/plan.h"
#include "pkg/windows.h"

#define OPT(member) offsetof(struct wa_agent_config, member)

static const struct wa_conf_option options[] = {
    {"global", "repo_url", WA_CONF_STR, OPT(repo_url), "", 0, 0, 0,
     "Main repository; empty: /wapt on wapt_server"},
    {"global", "mirrors", WA_CONF_CSV, OPT(mirrors), "", 0, 0, 0,
     "Other addresses of the main repository, tried in this order"},
    {"global", "repositories", WA_CONF_CSV, OPT(repositories), "", 0, 0, 0,
     "Sections of further repositories; of equal packages the main one's wins, then the last's"},
    {"global", "wapt_server", WA_CONF_STR, OPT(wapt_server), "", 0, 0, 0,
     "https address of the server; empty: none"},
    {"global", "verify_cert", WA_CONF_STR, OPT(verify_cert), "1", 0, 0, 0,
     "1: the system's authorities; else a file of pinned certificates or authorities"},
    {"global", "server_fingerprint", WA_CONF_STR, OPT(server_fingerprint), "", 0, 0, 0,
     "SHA-256 of the server's own certificate, given in advance"},
    {"global", "public_certs_dir", WA_CONF_STR, OPT(public_certs_dir), "ssl", 0, 0, 0,
     "Certificates of the package signers"},
    {"global", "maturities", WA_CONF_CSV, OPT(maturities), "PROD", 0, 0, 0,
     "Maturities of packages that are taken"},
    {"global", "locales", WA_CONF_CSV, OPT(locales), "", 0, 0, 0,
     "Languages, in order of preference; empty: the system's"},
    {"global", "packages_blacklist", WA_CONF_CSV, OPT(blacklist), "", 0, 0, 0,
     "Patterns of packages that are never taken"},
    {"global", "packages_whitelist", WA_CONF_CSV, OPT(whitelist), "", 0, 0, 0,
     "Patterns of the only packages that are taken"},
    {"global", "packages_held", WA_CONF_CSV, OPT(held), "", 0, 0, 0,
     "Packages left as they are, 'name', or versions never taken, 'name(>=2)'; each may end: "
     "'name until 2026-12-31'"},
    {"global", "http_proxy", WA_CONF_STR, OPT(http_proxy), "", 0, 0, 0,
     "Proxy: http://[user:password@]host:port"},
    {"global", "use_http_proxy_for_repo", WA_CONF_BOOL, OPT(use_proxy_for_repo), "0", 0, 0, 0,
     "Repositories are reached through the proxy"},
    {"global", "use_http_proxy_for_server", WA_CONF_BOOL, OPT(use_proxy_for_server), "0", 0, 0, 0,
     "The server is reached through the proxy"},
    {"global", "limit_bandwidth", WA_CONF_STR, OPT(bandwidth), "", 0, 0, 0,
     "Megabytes a second that downloads may take, as 0.5; empty: no limit"},
    {"global", "cache_size", WA_CONF_INT, OPT(cache_max_mib), "10240", 1, 67108864, 0,
     "Megabytes that downloaded packages may take on the disk"},
    {"global", "uuid", WA_CONF_STR, OPT(uuid), "", 0, 0, 0,
     "Identity of the machine; empty: its system UUID, else a random one"},
    {"global", "use_fqdn_as_uuid", WA_CONF_BOOL, OPT(use_fqdn_as_uuid), "0", 0, 0, 0,
     "The full host name is the identity"},
    {"global", "use_kerberos", WA_CONF_BOOL, OPT(use_kerberos), "0", 0, 0, 0,
     "The machine registers by itself, by its account in the domain"},
    {"global", "inventory_environment", WA_CONF_BOOL, OPT(inventory_environment), "0", 0, 0, 0,
     "The inventory has the environment variables too"},
    {"global", "inventory_product_keys", WA_CONF_BOOL, OPT(inventory_keys), "0", 0, 0, 0,
     "The inventory has what may hold product keys too: the vendors' texts of the firmware, the "
     "parameters of packages"},
    {"global", "host_profiles", WA_CONF_CSV, OPT(host_profiles), "", 0, 0, 0,
     "Profile packages of this machine"},
    {"global", "use_ad_groups", WA_CONF_BOOL, OPT(use_ad_groups), "0", 0, 0, 0,
     "Groups of the machine's account in the directory are profiles of it"},
    {"global", "host_organizational_unit_dn", WA_CONF_STR, OPT(host_unit_dn), "", 0, 0, 0,
     "Organisational unit of this machine; empty: the directory's, where it is joined to one"},
    {"global", "host_ad_site", WA_CONF_STR, OPT(host_site), "", 0, 0, 0, "Site of this machine"},
    {"global", "language", WA_CONF_STR, OPT(language), "", 0, 0, 0,
     "Language of what the service tells persons who ask for none; empty: English"},
    {"global", "loglevel", WA_CONF_STR, OPT(log_level), "info", 0, 0, 0,
     "debug, info, warning or error"},
    {"global", "local_socket", WA_CONF_STR, OPT(local_socket), "run/waptservice.sock", 0, 0, 0,
     "Socket of the local tools"},
    {"global", "helper_user", WA_CONF_STR, OPT(helper_user), "wapt-agent", 0, 0, 0,
     "Account of the unprivileged processes"},
    {"global", "admin_groups", WA_CONF_CSV, OPT(admin_groups), "sudo,wheel", 0, 0, 0,
     "Groups of local administrators, beside waptselfservice"},
    {"global", "waptservice_admin_filter", WA_CONF_BOOL, OPT(admin_filter), "0", 0, 0, 0,
     "Local administrators may do no more than others: what self-service packages say"},
    {"global", "uninstall_allowed", WA_CONF_BOOL, OPT(uninstall_allowed), "1", 0, 0, 0,
     "What users may install by self-service packages they may also remove"},
    {"global", "service_auth_type", WA_CONF_STR, OPT(auth_type), "system", 0, 0, 0,
     "Who answers for local users' passwords and groups: system, waptagent-ldap, waptserver-ldap"},
    {"global", "ldap_auth_server", WA_CONF_CSV, OPT(ldap_servers), "", 0, 0, 0,
     "waptagent-ldap: servers of the directory, tried in this order"},
    {"global", "ldap_auth_base_dn", WA_CONF_STR, OPT(ldap_base), "", 0, 0, 0,
     "waptagent-ldap: where people are, as DC=ad,DC=example,DC=com"},
    {"global", "ldap_auth_ssl_enabled", WA_CONF_BOOL, OPT(is_ldaps), "0", 0, 0, 0,
     "waptagent-ldap: ldaps, port 636; else StartTLS, port 389: never without TLS"},
    {"global", "verify_cert_ldap", WA_CONF_STR, OPT(ldap_verify), "1", 0, 0, 0,
     "waptagent-ldap: 1: the system's authorities; else a file of the directory's"},
    {"global", "ldap_admin_groups", WA_CONF_CSV, OPT(ldap_admin_groups), "Domain Admins", 0, 0, 0,
     "Groups of the directory that are administrators here, where service_auth_type is not system"},
    {"global", "waptupdate_task_period", WA_CONF_PERIOD, OPT(update_period_s), "120m", 0, 31536000,
     'm', "Time between updates; 0: never"},
    {"global", "waptupgrade_task_period", WA_CONF_PERIOD, OPT(upgrade_period_s), "0", 0, 31536000,
     'm', "Time between upgrades; 0: never"},
    {"global", "waptaudit_task_period", WA_CONF_PERIOD, OPT(audit_period_s), "0", 0, 31536000, 'm',
     "Time between audits of packages that set none; 0: never"},
    {"global", "download_after_update_with_waptupdate_task_period", WA_CONF_BOOL,
     OPT(download_ahead), "1", 0, 0, 0,
     "What a scheduled update has found is downloaded, ahead of the upgrade"},
    {"global", "maintenance_windows", WA_CONF_CSV, OPT(windows), "", 0, 0, 0,
     "When scheduled upgrades may run, as 'mon-fri 22:00-05:00, sun 00:00-24:00'; empty: as the "
     "machine's own packages say, else at any time"},
    {"global", "maintenance_catch_up", WA_CONF_PERIOD, OPT(catch_up_s), "0", 0, 31536000, 'd',
     "An upgrade that has waited so long for a window is done outside of one; 0: never"},
    {"global", "freeze_periods", WA_CONF_CSV, OPT(freezes), "", 0, 0, 0,
     "Days in which nothing is upgraded, as '2026-12-20 until 2027-01-03, 2027-05-01', beside "
     "those "
     "of the machine's own packages"},
    {"global", "upgrade_priorities", WA_CONF_CSV, OPT(upgrade_priorities), "", 0, 0, 0,
     "Priorities of the packages that scheduled upgrades and those at shutdown are for, with what "
     "they need; empty: all"},
    {"global", "allow_cancel_upgrade", WA_CONF_BOOL, OPT(may_refuse_upgrade), "1", 0, 0, 0,
     "A person may refuse the upgrade that waptexit is about to begin"},
    {"global", "waptexit_countdown", WA_CONF_PERIOD, OPT(exit_countdown_s), "10", 0, 3600, 's',
     "How long waptexit waits for a person before it begins"},
    {"global", "waptexit_disable_upgrade", WA_CONF_BOOL, OPT(exit_is_off), "0", 0, 0, 0,
     "waptexit upgrades nothing"},
    {"global", "upgrade_only_if_not_process_running", WA_CONF_BOOL, OPT(exit_spares_running), "0",
     0, 0, 0, "waptexit leaves out packages whose programs run"},
    {"global", "pre_shutdown_timeout", WA_CONF_PERIOD, OPT(shutdown_timeout_s), "20m", 1, 86400,
     'm', "How long an upgrade may hold up a shutdown"},
    {"global", "allow_remote_reboot", WA_CONF_BOOL, OPT(may_reboot), "0", 0, 0, 0,
     "An administrator's order may restart this machine"},
    {"global", "allow_remote_shutdown", WA_CONF_BOOL, OPT(may_shut_down), "0", 0, 0, 0,
     "An administrator's order may switch this machine off"},
    {"global", "remote_power_warning", WA_CONF_PERIOD, OPT(power_warning_s), "5m", 0, 86400, 'm',
     "How long before that those who are at work are warned; nobody there: not at all"},
    {"global", "task_spread", WA_CONF_PERIOD, OPT(spread_s), "10m", 0, 86400, 'm',
     "Scheduled updates and upgrades begin up to so much later, at random"},
    {"global", "upgrade_on_battery", WA_CONF_BOOL, OPT(upgrade_on_battery), "0", 0, 0, 0,
     "Scheduled upgrades also run without mains power"},
    {"global", "auth_grace", WA_CONF_PERIOD, OPT(auth_grace_s), "5m", 0, 3600, 'm',
     "How long a proven password holds"},
    {"global", "user_stop_period", WA_CONF_PERIOD, OPT(user_stop_s), "30m", 0, 86400, 'm',
     "How long a user may put off what an administrator ordered; 0: not at all"},
    {"global", "timeout", WA_CONF_PERIOD, OPT(timeout_s), "60", 1, 600, 's',
     "Longest silence of a repository or the server"},
    {"global", "agent_upgrade_timeout", WA_CONF_PERIOD, OPT(upgrade_timeout_s), "3m", 20, 3600, 's',
     "How long a new version of the agent may take to prove that it works, else the old one comes "
     "back"},
    {"global", "hook_timeout", WA_CONF_PERIOD, OPT(hook_timeout_s), "60m", 1, 604800, 'm',
     "Longest run of a package's script"},
    {"global", "hook_timeouts", WA_CONF_CSV, OPT(hook_timeouts), "", 0, 0, 0,
     "The same for some packages, by pattern, as 'big-suite 3h, tis-office* 2h'; the first that "
     "fits "
     "counts"},
    {"global", "session_setup_timeout", WA_CONF_PERIOD, OPT(session_setup_timeout_s), "10m", 1,
     86400, 'm',
     "Longest run of session_setup(), which its user can hold up; hook_timeout counts "
     "if it is shorter"},
    {"global", "install_snapshot", WA_CONF_STR, OPT(install_snapshot), "", 0, 0, 0,
     "Command that takes a snapshot before a package's install() and prints its name; empty: none"},
    {"global", "install_undo", WA_CONF_STR, OPT(install_undo), "", 0, 0, 0,
     "Command that puts the machine back to WAPT_SNAPSHOT when install() failed or was "
     "interrupted"},
    {"global", "install_snapshot_timeout", WA_CONF_PERIOD, OPT(install_snapshot_timeout_s), "10m",
     1, 86400, 'm', "Longest run of either of these commands"},
    {"global", "install_snapshot_required", WA_CONF_BOOL, OPT(install_snapshot_required), "1", 0, 0,
     0, "Without a snapshot nothing is installed; 0: it is installed all the same"},
    {"actions", "signers", WA_CONF_CSV, OPT(action_signers), "", 0, 0, 0,
     "Fingerprints of the certificates that may order actions; empty: nobody"},
};

void wa_agent_config_free(struct wa_agent_config *c)
{
    wa_config_repos_free(c);
    wa_conf_free(options, WA_COUNT(options), c);
}

enum wa_code wa_config_anchor_path(const char *base, char **path, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    size_t n = 0;
    char *made = NULL;
    wa_buf_init(&text, WA_PATH_MAX - 1);
    if ((*path)[0] == '/' || (*path)[0] == '\0')
        return WA_OK;
    wa_buf_addf(&text, "%s/%s", base, *path);
    if (wa_buf_steal(&text, &made, &n, err) != WA_OK)
        return err->code;
    wa_free(*path);
    *path = made;
    return WA_OK;
}

enum wa_code wa_config_default_url(const char *server, const char *suffix, char **url,
                                   struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    size_t n = 0;
    char *made = NULL;
    wa_buf_init(&text, 1024);
    if ((*url)[0] != '\0' || server[0] == '\0')
        return WA_OK;
    wa_buf_addf(&text, "%s%s", server, suffix);
    if (wa_buf_steal(&text, &made, &n, err) != WA_OK)
        return err->code;
    wa_free(*url);
    *url = made;
    return WA_OK;
}

#define SIGNERS_MAX 256u /* people who may order on one machine */

/* Fingerprints as people copy them, in the form in which they are compared. One that is none stops
 * the start: an order from its owner would be refused later, and nobody would know why. */
static enum wa_code settle_fingerprints(const char *key, size_t max, char **list,
                                        struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_sv rest = wa_sv(*list), item;
    char *made = NULL, fingerprint[65];
    size_t n = 0, count = 0;
    wa_buf_init(&text, WA_INI_BYTES_MAX);
    while (wa_csv_next(&rest, &item)) {
        if (++count > max)
            return wa_fail(err, WA_E_CONFIG, "%s: more than %zu fingerprints", key, max);
        if (!wa_hex_fingerprint(item, fingerprint))
            return wa_fail(
                err, WA_E_CONFIG,
                "%s: '%.*s' is no SHA-256 fingerprint of a certificate (64 digits, as "
                "'wapt-get create-keycert' and 'openssl x509 -fingerprint -sha256' show it)",
                key, WA_SV_ARG(item));
        wa_buf_addf(&text, "%s%s", text.n > 0 ? "," : "", fingerprint);
    }
    if (wa_buf_steal(&text, &made, &n, err) != WA_OK)
        return err->code;
    wa_free(*list);
    *list = made;
    return WA_OK;
}

bool wa_config_is_path(const char *verify_cert)
{
    static const char *const words[] = {"", "0", "1", "true", "false", "yes", "no", "on", "off"};
    for (size_t i = 0; i < WA_COUNT(words); i++)
        if (wa_sv_ieqs(wa_sv(verify_cert), words[i]))
            return false;
    return true;
}

void wa_config_trim_slash(char *url)
{
    for (size_t n = strlen(url); n > 0 && url[n - 1] == '/'; n--)
        url[n - 1] = '\0';
}

static enum wa_code check_windows(const char *text, struct wa_err *err)
{
    struct wa_windows ignored;
    if (strlen(text) >= WA_WINDOWS_BYTES_MAX)
        return wa_fail(err, WA_E_CONFIG, "maintenance_windows: the text is too long");
    return wa_windows_parse(wa_sv(text), &ignored, err) == WA_OK
               ? WA_OK
               : wa_fail(err, WA_E_CONFIG, "maintenance_windows: %s", err->text);
}

static enum wa_code check_freezes(const char *text, struct wa_err *err)
{
    struct wa_freezes ignored;
    if (strlen(text) >= WA_WINDOWS_BYTES_MAX)
        return wa_fail(err, WA_E_CONFIG, "freeze_periods: the text is too long");
    return wa_freezes_parse(wa_sv(text), &ignored, err) == WA_OK
               ? WA_OK
               : wa_fail(err, WA_E_CONFIG, "freeze_periods: %s", err->text);
}

/* "tis-office* 2h" */
static bool read_hook_timeout(struct wa_sv item, struct wa_sv *ret_pattern, int64_t *ret_s)
{
    return wa_sv_split(&item, ' ', ret_pattern) && ret_pattern->n > 0 &&
           wa_date_parse_period(wa_sv_trim(item), 'm', ret_s) && *ret_s > 0 && *ret_s <= 604800;
}

int64_t wa_agent_hook_timeout(const struct wa_agent_config *c, const char *package)
{
    struct wa_sv rest = wa_sv(c->hook_timeouts), item, pattern;
    int64_t seconds = 0;
    while (wa_csv_next(&rest, &item))
        if (read_hook_timeout(item, &pattern, &seconds) && wa_fnmatch(pattern, wa_sv(package)))
            return seconds;
    return c->hook_timeout_s;
}

static enum wa_code check_hook_timeouts(const char *text, struct wa_err *err)
{
    struct wa_sv rest = wa_sv(text), item, pattern;
    int64_t seconds = 0;
    while (wa_csv_next(&rest, &item))
        if (!read_hook_timeout(item, &pattern, &seconds))
            return wa_fail(err, WA_E_CONFIG,
                           "hook_timeouts: '%.*s' is not a package and a time of at most a week, "
                           "like 'tis-office* 2h'",
                           WA_SV_ARG(item));
    return WA_OK;
}

static enum wa_code check_snapshot(const struct wa_agent_config *c, struct wa_err *err)
{
    const char *both[] = {c->install_snapshot, c->install_undo};
    for (size_t i = 0; i < WA_COUNT(both); i++)
        if (both[i][0] != '\0' && (both[i][0] != '/' || strlen(both[i]) > WA_PATH_MAX))
            return wa_fail(err, WA_E_CONFIG,
                           "install_snapshot, install_undo: '%.100s' does not begin with the "
                           "absolute path of a program",
                           both[i]);
    return (both[0][0] == '\0') == (both[1][0] == '\0')
               ? WA_OK
               : wa_fail(err, WA_E_CONFIG,
                         "install_snapshot and install_undo: one without the other is of no use");
}

/* A word that nobody knows would be a door that nobody meant. */
static enum wa_code settle_auth(struct wa_agent_config *c, struct wa_err *err)
{
    bool is_ldap = strcmp(c->auth_type, "waptagent-ldap") == 0;
    if (!is_ldap && strcmp(c->auth_type, "system") != 0 &&
        strcmp(c->auth_type, "waptserver-ldap") != 0)
        return wa_fail(err, WA_E_CONFIG,
                       "service_auth_type: '%s' is none of system, waptagent-ldap, waptserver-ldap",
                       c->auth_type);
    if (is_ldap && (c->ldap_servers[0] == '\0' || c->ldap_base[0] == '\0'))
        return wa_fail(err, WA_E_CONFIG,
                       "service_auth_type = waptagent-ldap needs ldap_auth_server and "
                       "ldap_auth_base_dn");
    return wa_config_is_path(c->ldap_verify) ? wa_config_anchor_path(c->base, &c->ldap_verify, err)
                                             : WA_OK;
}

static enum wa_code settle(struct wa_agent_config *c, struct wa_err *err)
{
    wa_config_trim_slash(c->wapt_server);
    wa_config_trim_slash(c->repo_url);
    if (settle_fingerprints("[actions] signers", SIGNERS_MAX, &c->action_signers, err) != WA_OK ||
        settle_fingerprints("server_fingerprint", 1, &c->server_fingerprint, err) != WA_OK ||
        wa_plan_hold_check(c->held, err) != WA_OK || check_windows(c->windows, err) != WA_OK ||
        check_freezes(c->freezes, err) != WA_OK ||
        check_hook_timeouts(c->hook_timeouts, err) != WA_OK || check_snapshot(c, err) != WA_OK ||
        wa_config_anchor_path(c->base, &c->public_certs_dir, err) != WA_OK ||
        wa_config_anchor_path(c->base, &c->local_socket, err) != WA_OK ||
        settle_auth(c, err) != WA_OK ||
        (wa_config_is_path(c->verify_cert) &&
         wa_config_anchor_path(c->base, &c->verify_cert, err) != WA_OK) ||
        wa_config_default_url(c->wapt_server, "/wapt", &c->repo_url, err) != WA_OK)
        return err->code;
    return WA_OK;
}

static enum wa_code read_text(const char *file, struct wa_buf *text, struct wa_err *err)
{
    if (wa_path_read(file, WA_INI_BYTES_MAX, text, err) == WA_OK)
        return WA_OK;
    if (err->code != WA_E_NOT_FOUND)
        return wa_wrap(err, "reading the configuration");
    return wa_fail(err, WA_E_CONFIG,
                   "there is no configuration '%s': write one with a [global] section, or give "
                   "another with --config",
                   file);
}

#define SECTIONS_MAX 128u

/* Sections whose options are looked at elsewhere: the repositories', and what WAPT has beside. */
static void foreign_sections(const struct wa_ini *ini, const char *ret[SECTIONS_MAX + 1])
{
    const char *section, *repositories = wa_ini_get(ini, "global", "repositories");
    struct wa_sv known = WA_SV("repo-sync,waptwua,wapt,wapt-host");
    size_t n = 0;
    for (size_t i = 0; n < SECTIONS_MAX && wa_ini_section_at(ini, i, &section); i++)
        if (wa_csv_has(known, wa_sv(section)) ||
            (repositories != NULL && wa_csv_has(wa_sv(repositories), wa_sv(section))))
            ret[n++] = section;
    ret[n] = NULL;
}

/* What people set and then wonder about. */
static void warn_unused(const struct wa_agent_config *c, wa_conf_warn_fn warn, void *user)
{
    char text[WA_PATH_MAX + 200];
    bool is_used = c->use_proxy_for_server || c->host_repo.use_proxy;
    for (size_t i = 0; i < c->repo_count; i++)
        is_used = is_used || c->repos[i].use_proxy;
    if (is_used || c->http_proxy[0] == '\0' || warn == NULL)
        return;
    (void)snprintf(text, sizeof text,
                   "%s: nothing goes through http_proxy: neither use_http_proxy_for_repo nor "
                   "use_http_proxy_for_server is set",
                   c->file);
    warn(user, text);
}

static enum wa_code load(struct wa_ini *ini, const char *file, wa_conf_warn_fn warn, void *user,
                         struct wa_agent_config *ret, struct wa_err *err)
{
    const char *others[SECTIONS_MAX + 1];
    struct wa_conf_option all[WA_CONFIG_OPTIONS_MAX];
    size_t count = wa_config_with_gone(options, WA_COUNT(options), all);
    struct wa_agent_config c = {.base = ""};
    (void)snprintf(c.file, sizeof c.file, "%s", file);
    (void)snprintf(c.base, sizeof c.base, "%.*s", (int)(strrchr(file, '/') - file), file);
    if (!wa_ini_has_section(ini, "global"))
        return wa_fail(err, WA_E_CONFIG, "'%s' has no [global] section", file);
    foreign_sections(ini, others);
    if (wa_conf_load(ini, file, all, count, others, &c, warn, user, err) != WA_OK ||
        settle(&c, err) != WA_OK || wa_config_repos_load(ini, warn, user, &c, err) != WA_OK) {
        wa_agent_config_free(&c);
        return err->code;
    }
    warn_unused(&c, warn, user);
    wa_config_warn_gone(ini, file, warn, user);
    *ret = c;
    return WA_OK;
}

enum wa_code wa_agent_config_load(const char *file, wa_conf_warn_fn warn, void *user,
                                  struct wa_agent_config *ret, struct wa_err *err)
{
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_INI_BYTES_MAX);
    if (file[0] != '/' || strrchr(file, '/') == file || strlen(file) >= sizeof ret->file)
        return wa_fail(err, WA_E_USAGE, "'%s' is not an absolute path below a directory", file);
    if (read_text(file, &text, err) != WA_OK ||
        wa_ini_parse(wa_buf_sv(&text), file, &ini, err) != WA_OK)
        return err->code;
    return load(ini, file, warn, user, ret, err);
}

/* The file with these options of [global] set. */
static enum wa_code with_values(const struct wa_agent_config *c, const char *const *keys,
                                const char *const *values, size_t count, struct wa_ini **ret,
                                struct wa_err *err)
{
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_INI_BYTES_MAX);
    if (read_text(c->file, &text, err) != WA_OK ||
        wa_ini_parse(wa_buf_sv(&text), c->file, &ini, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < count; i++)
        if (values[i] != NULL && wa_ini_set(ini, "global", keys[i], values[i], err) != WA_OK)
            return err->code;
    *ret = WA_TAKE(ini);
    return WA_OK;
}

static void no_warning(void *user, const char *text)
{
    WA_UNUSED(user);
    WA_UNUSED(text);
}

enum wa_code wa_agent_config_with(const struct wa_agent_config *c, const char *const *keys,
                                  const char *const *values, size_t count,
                                  struct wa_agent_config *ret, struct wa_err *err)
{
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    if (with_values(c, keys, values, count, &ini, err) != WA_OK)
        return err->code;
    return load(ini, c->file, no_warning, NULL, ret, err);
}

enum wa_code wa_agent_config_write(const struct wa_agent_config *c, const char *const *keys,
                                   const char *const *values, size_t count, struct wa_err *err)
{
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, WA_INI_BYTES_MAX);
    if (with_values(c, keys, values, count, &ini, err) != WA_OK)
        return err->code;
    wa_ini_write(ini, &out);
    if (wa_buf_check(&out, err) != WA_OK)
        return err->code;
    return wa_path_replace(c->file, wa_buf_sv(&out), 0644, err);
}

bool wa_agent_is_on_server(const struct wa_agent_config *c, const char *url)
{
    size_t n = strlen(c->wapt_server);
    return n > 0 && strncmp(url, c->wapt_server, n) == 0 && (url[n] == '/' || url[n] == '\0');
}

/* No setting makes verification silently off (F1B): "0" means no more than "not the system's
 * authorities". */
static bool is_yes(const char *verify_cert)
{
    static const char *const words[] = {"1", "true", "yes", "on"};
    for (size_t i = 0; i < WA_COUNT(words); i++)
        if (wa_sv_ieqs(wa_sv(verify_cert), words[i]))
            return true;
    return false;
}

enum wa_code wa_agent_directory_trust(const struct wa_agent_config *c, struct wa_buf *pem,
                                      struct wa_tls_trust *ret, struct wa_err *err)
{
    struct wa_tls_trust t = {.system_cas = is_yes(c->ldap_verify)};
    if (wa_config_is_path(c->ldap_verify) &&
        wa_path_read(c->ldap_verify, WA_CERTFILE_BYTES_MAX, pem, err) != WA_OK)
        return wa_wrap(err, "reading the directory's certificates (verify_cert_ldap)");
    t.pem = wa_buf_sv(pem);
    *ret = t;
    return WA_OK;
}

enum wa_code wa_agent_trust(const struct wa_agent_config *c, const struct wa_agent_repo *repo,
                            const char *url, struct wa_buf *pem, struct wa_tls_trust *ret,
                            struct wa_err *err)
{
    const char *verify_cert = repo != NULL ? repo->verify_cert : c->verify_cert;
    struct wa_tls_trust t = {.host = ""};
    char pins[WA_PATH_MAX + 16];
    WA_AUTO_CERTS struct wa_certs certs = {0};
    struct wa_err ignored = WA_ERR_INIT;
    /* The fingerprint is the server's alone: a repository elsewhere goes by verify_cert. */
    if (wa_agent_is_on_server(c, url))
        (void)snprintf(t.fingerprint, sizeof t.fingerprint, "%s", c->server_fingerprint);
    if (wa_config_is_path(verify_cert)) {
        if (wa_path_read(verify_cert, WA_CERTFILE_BYTES_MAX, pem, err) != WA_OK)
            return wa_wrap(err, "reading the pinned server certificate (verify_cert)");
    } else if (t.fingerprint[0] == '\0') {
        t.system_cas = is_yes(verify_cert);
    }
    (void)snprintf(pins, sizeof pins, "%s/ssl/server", c->base);
    if (wa_certs_read_dir(pins, &certs, &ignored) == WA_OK && certs.n > 0) {
        wa_buf_addc(pem, '\n');
        if (wa_certs_write_pem(&certs, pem, err) != WA_OK)
            return err->code;
    }
    t.pem = wa_buf_sv(pem);
    *ret = t;
    return WA_OK;
}
