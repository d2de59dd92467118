/* config.c - the server's configuration file and where its folders are. */
#include "server/config.h"

#include "base/mem.h"
#include "codec/csv.h"
#include "net/http_line.h"
#include "os/host.h"
#include "server/log_file.h"
#include "server/node.h"
#include "sql/db.h"

#include <stddef.h>

#define OPT(member) offsetof(struct wa_server_config, member)

static const struct wa_conf_option options[] = {
    {"options", "bind", WA_CONF_STR, OPT(bind), "0.0.0.0", 0, 0, 0, "Address to listen on"},
    {"options", "port", WA_CONF_INT, OPT(port), "443", 1, 65535, 0, "Port to listen on"},
    {"options", "server_uuid", WA_CONF_STR, OPT(server_uuid), "", 0, 0, 0,
     "Identity of this server, made by setup"},
    {"options", "trusted_signers", WA_CONF_STR, OPT(trusted_signers), "trusted", 0, 0, 0,
     "Directory of the certificates whose packages and orders are accepted"},
    {"options", "user", WA_CONF_STR, OPT(user), "wapt", 0, 0, 0,
     "Account of the processes that face the network"},
    {"options", "database", WA_CONF_STR, OPT(database), "", 0, 0, 0,
     "Address of a PostgreSQL, postgresql://...; else a SQLite file of the server's own"},
    {"options", "report_database", WA_CONF_STR, OPT(report_database), "", 0, 0, 0,
     "The same PostgreSQL for reports, by the role wapt_report; empty: no reports"},
    {"options", "node", WA_CONF_STR, OPT(node), "", 0, 0, 0,
     "Name of this server among those that share the database; empty: the host's"},
    {"options", "fronts", WA_CONF_INT, OPT(fronts), "2", 1, 64, 0,
     "Number of processes that face the network"},
    {"options", "log_file", WA_CONF_STR, OPT(log_file), "", 0, 0, 0,
     "File of the log; empty: it goes to standard error, which the service manager keeps"},
    {"options", "syslog", WA_CONF_STR, OPT(syslog), "", 0, 0, 0,
     "Socket of the machine's syslog, as /dev/log: it is told too what matters for security, and "
     "the journal's head (RFC 5424)"},
    {"options", "log_size", WA_CONF_INT, OPT(log_size), "16", 1, 4096, 0,
     "MiB after which the log file is renamed to .1, and begun anew"},
    {"options", "log_files", WA_CONF_INT, OPT(log_files), "5", 0, WA_LOG_FILES_MAX, 0,
     "Older log files that are kept"},
    {"options", "max_connections", WA_CONF_INT, OPT(max_connections), "0", 0, 1000000, 0,
     "Connections of one such process; 0: as many as open files and half of the memory allow"},
    {"options", "max_connections_per_address", WA_CONF_INT, OPT(max_per_address), "256", 4, 1000000,
     0, "Of these, those of one address that are no agent's permanent one"},
    {"options", "registration", WA_CONF_CSV, OPT(registration), "token, login", 0, 0, 0,
     "What lets new machines in: token, login, kerberos"},
    {"options", "kerberos_keytab", WA_CONF_STR, OPT(kerberos_keytab), "private/http.keytab", 0, 0,
     0, "Keys of the service HTTP/NAME, for registration = kerberos and kerberos_login"},
    {"options", "kerberos_realms", WA_CONF_CSV, OPT(kerberos_realms), "", 0, 0, 0,
     "Realms whose machines count beside those of the keytab"},
    {"options", "kerberos_group", WA_CONF_STR, OPT(kerberos_group), "", 0, 0, 0,
     "SID of the group that a machine must be in; empty: any machine"},
    {"options", "kerberos_unit", WA_CONF_STR, OPT(kerberos_unit), "", 0, 0, 0,
     "Organisational unit, as OU=Machines,DC=ad,DC=example,DC=com: only machines whose accounts "
     "stand in it register by Kerberos; empty: all. Needs ldap_check_account"},
    {"options", "kerberos_realms_where_names_prove_machines", WA_CONF_CSV,
     OPT(kerberos_names_prove), "", 0, 0, 0,
     "Realms without Active Directory, where whoever may be called NAME$ or host/NAME is a "
     "machine"},
    {"options", "client_certificate_days", WA_CONF_INT, OPT(client_cert_days), "90", 1,
     WA_CLIENT_CERT_DAYS_MAX, 0, "Days that the TLS certificate of a machine lasts"},
    {"options", "host_packages", WA_CONF_STR, OPT(host_packages), "certificate", 0, 0, 0,
     "certificate: a machine's own package goes to the machine whose certificate it shows; open: "
     "to "
     "whoever knows its name, as WAPT 1.8's agents need it"},
    {"options", "proxy_protocol_from", WA_CONF_CSV, OPT(proxy_from), "", 0, 0, 0,
     "Addresses and networks of proxies that pass TCP on and say first whose the connection is "
     "(PROXY protocol, version 2): it is needed from there, and taken from nobody else"},
    {"options", "proxy_addresses", WA_CONF_CSV, OPT(proxies), "", 0, 0, 0,
     "Addresses of proxies that are believed, with the secret, what they say of their clients"},
    {"options", "accel_redirect", WA_CONF_STR, OPT(accel), "", 0, 0, 0,
     "Path below which such a proxy serves the repository itself; empty: the server sends files"},
    {"options", "upload_max_mib", WA_CONF_INT, OPT(upload_max), "65536", 1, 65536, 0,
     "Largest package that is taken, in MiB"},
    {"options", "upload_person_mib", WA_CONF_INT, OPT(upload_person), "131072", 1, 1 << 30, 0,
     "All unfinished uploads of one person together, in MiB"},
    {"options", "upload_all_mib", WA_CONF_INT, OPT(upload_all), "524288", 1, 1 << 30, 0,
     "All unfinished uploads together, in MiB"},
    {"options", "upload_keep_free_mib", WA_CONF_INT, OPT(upload_keep), "1024", 1, 1 << 30, 0,
     "What uploads leave free on the disk, in MiB"},
    {"options", "upload_days", WA_CONF_INT, OPT(upload_days), "7", 1, 365, 0,
     "Days after which an upload that nobody went on with is removed"},
    {"options", "webhook_networks", WA_CONF_CSV, OPT(webhook_networks), "", 0, 0, 0,
     "Private networks that webhooks may lead to, like 10.0.0.0/8; empty: none"},
    {"options", "webhook_http", WA_CONF_BOOL, OPT(webhook_http), "0", 0, 0, 0,
     "1: webhooks may be http to other machines too"},
    {"options", "verify_cert_webhooks", WA_CONF_STR, OPT(webhook_verify), "1", 0, 0, 0,
     "1: the system's authorities; else a file"},
    {"options", "http_proxy", WA_CONF_STR, OPT(http_proxy), "", 0, 0, 0,
     "Proxy of webhooks and of the OpenID Connect provider, as http://USER:PASSWORD@HOST:PORT; "
     "empty: none"},
    {"options", "no_proxy", WA_CONF_CSV, OPT(no_proxy), "", 0, 0, 0,
     "What does not go through it: names, with all below them, addresses and networks"},
    {"options", "wol_port", WA_CONF_CSV, OPT(wol_ports), "7,9", 0, 0, 0,
     "UDP ports of the packets by which the server itself wakes machines; empty: it wakes none"},
    {"options", "wol_networks", WA_CONF_CSV, OPT(wol_networks), "", 0, 0, 0,
     "Networks, like 10.1.2.0/24, to whose broadcast addresses it sends them, beside those that it "
     "is in itself"},
    {"options", "metrics_addresses", WA_CONF_CSV, OPT(metrics_addresses), "", 0, 0, 0,
     "Addresses that may read /metrics without a token; empty: none"},
    {"options", "session_idle", WA_CONF_PERIOD, OPT(session_idle), "1h", 60, 30 * 86400, 'm',
     "A person's session that is not used ends after it"},
    {"options", "session_max", WA_CONF_PERIOD, OPT(session_max), "12h", 60, 30 * 86400, 'm',
     "And any after this"},
    {"options", "second_factor", WA_CONF_STR, OPT(second_factor), "optional", 0, 0, 0,
     "Who must have one besides a password: optional, superadmin, all"},
    {"options", "ldap_auth_server", WA_CONF_CSV, OPT(ldap_servers), "", 0, 0, 0,
     "Servers of the directory that knows people, tried in this order; empty: none"},
    {"options", "ldap_login_roles", WA_CONF_CSV, OPT(ldap_roles), "", 0, 0, 0,
     "Who of the directory uses this server, as GROUP:ROLE or GROUP:ROLE:unit=NAME+group=NAME; the "
     "first that fits counts; empty: nobody"},
    {"options", "directory_session", WA_CONF_PERIOD, OPT(directory_session), "1h", 60, 30 * 86400,
     'm',
     "After it somebody whom the directory knows must log in again, and a provider of OpenID "
     "Connect is asked again"},
    {"options", "directory_tokens", WA_CONF_PERIOD, OPT(directory_tokens), "7d", 60, 366 * 86400,
     'd', "So long after the last login an API token of such a person still works"},
    {"options", "kerberos_login", WA_CONF_BOOL, OPT(kerberos_login), "0", 0, 0, 0,
     "People of Active Directory log in by a Kerberos ticket, too. Needs kerberos_keytab, "
     "ldap_login_roles and ldap_check_account"},
    {"options", "certificate_login", WA_CONF_BOOL, OPT(certificate_login), "0", 0, 0, 0,
     "1: people log in by a TLS certificate that is registered for them"},
    {"options", "certificate_login_authorities", WA_CONF_STR, OPT(certificate_issuers), "", 0, 0, 0,
     "Folder of authorities, with their revocation lists, whose certificates people log in by too; "
     "empty: none"},
    {"options", "certificate_login_name", WA_CONF_STR, OPT(certificate_name), "cn", 0, 0, 0,
     "What of such a certificate is the person's name here: cn, email or upn"},
    {"options", "oidc_issuer", WA_CONF_STR, OPT(oidc_issuer), "", 0, 0, 0,
     "https address of the OpenID Connect provider that knows people, as it writes it itself; "
     "empty: none"},
    {"options", "oidc_client_id", WA_CONF_STR, OPT(oidc_client), "", 0, 0, 0,
     "What this server is called at the provider"},
    {"options", "oidc_client_secret_file", WA_CONF_STR, OPT(oidc_secret), "", 0, 0, 0,
     "File of the secret that goes with it; empty: the provider knows it as a public client"},
    {"options", "oidc_login_roles", WA_CONF_CSV, OPT(oidc_roles), "", 0, 0, 0,
     "Who of the provider's people uses this server, as ldap_login_roles says it; its groups are "
     "those of oidc_groups_claim"},
    {"options", "oidc_scope", WA_CONF_STR, OPT(oidc_scope), "openid profile", 0, 0, 0,
     "What is asked of the provider, with blanks between"},
    {"options", "oidc_offline_access", WA_CONF_BOOL, OPT(oidc_offline), "1", 0, 0, 0,
     "1: offline_access too, where the provider knows it, so that it can be asked again about "
     "those "
     "who are logged in"},
    {"options", "oidc_prompt", WA_CONF_STR, OPT(oidc_prompt), "", 0, 0, 0,
     "What the provider is to ask of the person: consent, where it knows offline_access with that "
     "alone; login; select_account; empty: what it thinks is right"},
    {"options", "oidc_user_claim", WA_CONF_STR, OPT(oidc_user_claim), "preferred_username", 0, 0, 0,
     "What of the provider's token is the person's name here"},
    {"options", "oidc_groups_claim", WA_CONF_STR, OPT(oidc_groups_claim), "groups", 0, 0, 0,
     "And what are the person's groups"},
    {"options", "oidc_redirect", WA_CONF_STR, OPT(oidc_redirect), "127.0.0.1", 0, 0, 0,
     "How consoles name their own machine to the provider: 127.0.0.1, [::1] or localhost"},
    {"options", "verify_cert_oidc", WA_CONF_STR, OPT(oidc_verify), "1", 0, 0, 0,
     "1: the system's authorities; else a file of the provider's"},
    {"options", "ldap_check_account", WA_CONF_STR, OPT(ldap_account), "", 0, 0, 0,
     "Account that may read in the directory, NAME@DOMAIN or its DN: with it, those who are "
     "logged in are looked at again, and kerberos_unit can be asked for; empty: neither"},
    {"options", "ldap_check_password_file", WA_CONF_STR, OPT(ldap_password), "private/ldap.pw", 0,
     0, 0, "File of its password"},
    {"options", "directory_check", WA_CONF_PERIOD, OPT(directory_check), "5m", 1, 86400, 'm',
     "How often they are"},
    {"options", "ldap_auth_base_dn", WA_CONF_STR, OPT(ldap_base), "", 0, 0, 0,
     "Where people are in it, as DC=ad,DC=example,DC=com"},
    {"options", "ldap_auth_ssl_enabled", WA_CONF_BOOL, OPT(is_ldaps), "1", 0, 0, 0,
     "ldaps, port 636; else StartTLS, port 389: never without TLS"},
    {"options", "verify_cert_ldap", WA_CONF_STR, OPT(ldap_verify), "1", 0, 0, 0,
     "1: the system's authorities; else a file of the directory's"},
};

bool wa_server_config_is_secret(const char *database, const char *report_database,
                                const char *http_proxy)
{
    return (database[0] != '\0' && wa_db_url_is_secret(database)) ||
           (report_database[0] != '\0' && wa_db_url_is_secret(report_database)) ||
           strchr(http_proxy, '@') != NULL;
}

/* B4: who can read the file would have the database, or use the proxy. */
static enum wa_code check_secret(const struct wa_server_config *c, struct wa_err *err)
{
    struct wa_stat st;
    if (!wa_server_config_is_secret(c->database, c->report_database, c->http_proxy))
        return WA_OK;
    if (wa_path_stat(c->file, &st, err) != WA_OK || (st.mode & 07) == 0)
        return err->code;
    if (!wa_server_config_is_secret(c->database, c->report_database, ""))
        return wa_fail(err, WA_E_CONFIG,
                       "'%s' holds the proxy's password, and everybody can read it: take the "
                       "file's rights away (chmod o= '%s')",
                       c->file, c->file);
    return wa_fail(err, WA_E_CONFIG,
                   "'%s' holds the database's password, and everybody can read it: put the "
                   "password into a file of its own (passfile=FILE in the address), or take "
                   "the file's rights away (chmod o= '%s')",
                   c->file, c->file);
}

static enum wa_code check_proxy(const struct wa_server_config *c, struct wa_err *err)
{
    if (c->http_proxy[0] == '\0')
        return WA_OK;
    if (wa_proxy_check(c->http_proxy, err) == WA_OK &&
        wa_proxy_bypass_check(wa_sv(c->no_proxy), err) != WA_OK)
        (void)!wa_wrap(err, "no_proxy");
    return err->code == WA_OK ? WA_OK : wa_wrap(err, "'%s'", c->file);
}

/* The host's name where several servers may be; a server with a database of its own is known by its
 * identity, which outlives the host's name. */
static enum wa_code name_node(struct wa_server_config *c, struct wa_err *err)
{
    char host[WA_NAME_MAX + 1];
    if (c->node[0] == '\0') {
        wa_free(c->node);
        c->node = NULL;
        wa_host_name(host, sizeof host);
        if (wa_sv_dup(wa_sv(c->database[0] != '\0' ? host : c->server_uuid), &c->node, err) !=
            WA_OK)
            return err->code;
    }
    size_t n = strlen(c->node);
    return n > 0 && n <= WA_NODE_NAME_MAX &&
                   strspn(c->node,
                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == n
               ? WA_OK
               : wa_fail(err, WA_E_CONFIG,
                         "'%.100s' can't be a server's name: 1 to %u letters, digits, '.', '-' or "
                         "'_' (node in '%s')",
                         c->node, WA_NODE_NAME_MAX, c->file);
}

static enum wa_code check_files(const struct wa_server_config *c, struct wa_err *err)
{
    if (strcmp(c->host_packages, "certificate") != 0 && strcmp(c->host_packages, "open") != 0)
        return wa_fail(err, WA_E_CONFIG,
                       "'%s': host_packages takes 'certificate' or 'open', not '%s'", c->file,
                       c->host_packages);
    if (c->accel[0] != '\0' && (c->accel[0] != '/' || c->accel[strlen(c->accel) - 1] != '/'))
        return wa_fail(err, WA_E_CONFIG,
                       "'%s': accel_redirect takes a path like '/wapt-files/', not '%s'", c->file,
                       c->accel);
    return WA_OK;
}

/* A word that is none would leave a door closed, or open, that somebody meant otherwise. */
static enum wa_code check_registration(const struct wa_server_config *c, struct wa_err *err)
{
    static const char *const known[] = {"token", "login", "kerberos"};
    struct wa_sv rest = wa_sv(c->registration), item;
    size_t count = 0;
    for (; wa_csv_next(&rest, &item); count++) {
        size_t i = 0;
        while (i < WA_COUNT(known) && !wa_sv_eqs(item, known[i]))
            i++;
        if (i == WA_COUNT(known))
            return wa_fail(err, WA_E_CONFIG,
                           "'%s': registration takes token, login and kerberos, not '%.*s'",
                           c->file, WA_SV_ARG(item));
    }
    if (c->kerberos_unit[0] != '\0' && (c->ldap_servers[0] == '\0' || c->ldap_account[0] == '\0'))
        return wa_fail(err, WA_E_CONFIG,
                       "'%s': kerberos_unit is asked of the directory: it needs ldap_auth_server "
                       "and ldap_check_account",
                       c->file);
    return count > 0 ? WA_OK
                     : wa_fail(err, WA_E_CONFIG, "'%s': registration names nothing", c->file);
}

enum wa_code wa_server_config_read(const char *file, struct wa_server_config *ret,
                                   struct wa_err *err)
{
    struct wa_server_config c = {.port = 0};
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    WA_AUTO_BUF_SECRET struct wa_buf text;
    const char *slash = strrchr(file, '/');
    wa_buf_init(&text, WA_INI_BYTES_MAX);
    if (file[0] != '/' || slash == file || strlen(file) >= sizeof c.file)
        return wa_fail(err, WA_E_USAGE, "'%s' is not an absolute path below a directory", file);
    (void)snprintf(c.file, sizeof c.file, "%s", file);
    (void)snprintf(c.dir, sizeof c.dir, "%.*s", (int)(slash - file), file);
    if (wa_path_read(file, WA_INI_BYTES_MAX, &text, err) != WA_OK) {
        if (err->code == WA_E_NOT_FOUND)
            return wa_fail(err, WA_E_CONFIG,
                           "there is no configuration '%s': make one with 'waptserver setup'",
                           file);
        return err->code;
    }
    if (wa_ini_parse(wa_buf_sv(&text), file, &ini, err) != WA_OK ||
        wa_conf_load(ini, file, options, WA_COUNT(options), NULL, &c, NULL, NULL, err) != WA_OK) {
        wa_server_config_free(&c); /* what was read before */
        return err->code;
    }
    if (check_files(&c, err) != WA_OK || check_registration(&c, err) != WA_OK ||
        name_node(&c, err) != WA_OK) {
        wa_server_config_free(&c);
        return err->code;
    }
    *ret = c;
    return WA_OK;
}

enum wa_code wa_server_config_load(const char *file, struct wa_server_config *ret,
                                   struct wa_err *err)
{
    struct wa_server_config c;
    if (wa_server_config_read(file, &c, err) != WA_OK)
        return err->code;
    if (check_secret(&c, err) != WA_OK || check_proxy(&c, err) != WA_OK) {
        wa_server_config_free(&c);
        return err->code;
    }
    *ret = c;
    return WA_OK;
}

bool wa_server_lets_in(const struct wa_server_config *c, const char *credential)
{
    struct wa_sv rest = wa_sv(c->registration), item;
    while (wa_csv_next(&rest, &item))
        if (wa_sv_eqs(item, credential))
            return true;
    return false;
}

static void forget_address(char *url)
{
    size_t kind = url != NULL ? strcspn(url, ":") : 0;
    if (url != NULL && url[kind] != '\0')
        wa_wipe(url + kind + 1, strlen(url + kind + 1));
}

void wa_server_config_forget_databases(struct wa_server_config *c)
{
    forget_address(c->database);
    forget_address(c->report_database);
}

void wa_server_config_forget_proxy(struct wa_server_config *c)
{
    if (c->http_proxy != NULL)
        wa_wipe(c->http_proxy, strlen(c->http_proxy));
}

void wa_server_config_free(struct wa_server_config *c)
{
    wa_server_config_forget_databases(c);
    wa_server_config_forget_proxy(c);
    wa_conf_free(options, WA_COUNT(options), c);
}

enum wa_code wa_server_path(const struct wa_server_config *c, const char *name, char *out,
                            struct wa_err *err)
{
    int n = name[0] == '/' ? snprintf(out, WA_PATH_MAX, "%s", name)
                           : snprintf(out, WA_PATH_MAX, "%s/%s", c->dir, name);
    return n > 0 && (size_t)n < WA_PATH_MAX
               ? WA_OK
               : wa_fail(err, WA_E_LIMIT, "the path of '%s' is too long", name);
}
