/* import_settings.c - what a WAPT 1.8 server's waptserver.ini sets (formats.md 9.2) and what there
 * is here in its place: nobody has to find out later what no longer counts.
 *
 * Nothing is written into this server's configuration. Values are not told: some are secrets.
 */
#include "base/text.h"
#include "server/import.h"

#define KERBEROS                                                                                   \
    WA_TEXT("'registration = kerberos' says it here, with a keytab (docs/registration.md)")
#define OPEN WA_TEXT("no machine comes in without a proof: 'waptserver enrol-token', or Kerberos")
#define OWN_KEY WA_TEXT("a machine proves itself by its own key, in all it says")
#define AUTHORITY                                                                                  \
    WA_TEXT("this server has an authority of its own, of which machines get certificates")
#define DATABASE WA_TEXT("'waptserver setup --database' says which database this server has")
#define LISTEN WA_TEXT("'bind' and 'port' say where this server listens")
#define NO_TUNING WA_TEXT("nothing is to be tuned here")
#define SESSION WA_TEXT("'session_idle' and 'session_max' say how long a session lasts")
#define SAME WA_TEXT("an option of this server too: write it into its waptserver.ini")
#define ROLES WA_TEXT("'ldap_login_roles' says who of the directory may do what (docs/people.md)")
#define MIRROR                                                                                     \
    WA_TEXT("'waptconsole mirror', run where the copy is to be, keeps one (docs/deployment.md)")
#define LOG WA_TEXT("the log has all of its events always; 'log_file' says where it goes")
#define WINDOWS WA_TEXT("Windows updates are not managed")
#define OWN WA_TEXT("this server has made its own")

static const struct {
    const char *key, *why; /* NULL: it is taken */
} rows[] = {
    {"wapt_user", NULL},
    {"wapt_password", NULL},
    {"htpasswd_path", NULL},
    {"trusted_signers_certificates_folder", NULL},
    {"encrypt_host_packages",
     WA_TEXT(
         "WAPT 1.8 never read it; here a machine's own package goes to that machine alone, over "
         "TLS ('host_packages = certificate', as it comes)")},
    {"remote_repo_support", MIRROR},
    {"remote_repo_websockets", MIRROR},
    {"remote_repo_diff", MIRROR},
    {"use_kerberos", KERBEROS},
    {"allow_unauthenticated_registration", OPEN},
    {"allow_unauthenticated_connect", OWN_KEY},
    {"allow_unsigned_status_data", OWN_KEY},
    {"use_ssl_client_auth", OWN_KEY},
    {"clients_signing_key", AUTHORITY},
    {"clients_signing_certificate", AUTHORITY},
    {"clients_signing_crl", AUTHORITY},
    {"clients_signing_crl_url", AUTHORITY},
    {"clients_signing_crl_days", AUTHORITY},
    {"client_certificate_lifetime",
     WA_TEXT("'client_certificate_days' says it here, and machines renew theirs by themselves")},
    {"db_host", DATABASE},
    {"db_port", DATABASE},
    {"db_name", DATABASE},
    {"db_user", DATABASE},
    {"db_password", DATABASE},
    {"db_max_connections", NO_TUNING},
    {"db_stale_timeout", NO_TUNING},
    {"db_connect_timeout", NO_TUNING},
    {"max_clients", NO_TUNING},
    {"clients_read_timeout", NO_TUNING},
    {"client_tasks_timeout", NO_TUNING},
    {"wapt_folder", WA_TEXT("'waptconsole upload' or 'waptconsole import --from FOLDER' brings its "
                            "packages, as somebody who may publish them")},
    {"waptwua_folder", WINDOWS},
    {"server_uuid", OWN},
    {"secret_key", OWN},
    {"waptserver_port", LISTEN},
    {"wapt_bind_interface", LISTEN},
    {"waptservice_port", WA_TEXT("agents have no port open")},
    {"nginx_http", LISTEN},
    {"nginx_https", LISTEN},
    {"application_root", WA_TEXT("nothing stands before this server's paths")},
    {"token_lifetime", SESSION},
    {"min_password_length", WA_TEXT("a password has ten characters at least")},
    {"wol_port", SAME},
    {"ldap_auth_server", SAME},
    {"ldap_auth_base_dn", SAME},
    {"ldap_auth_ssl_enabled", SAME},
    {"verify_cert_ldap", SAME},
    {"wapt_admin_group", ROLES},
    {"wapt_admin_group_dn", ROLES},
    {"auto_create_ldap_users", ROLES},
    {"dc_auth_enabled", ROLES},
    {"dc_ssl_enabled", WA_TEXT("a directory is asked over verified TLS alone")},
    {"trusted_users_certificates_folder",
     WA_TEXT("'certificate_login' says who logs in by a certificate (docs/people.md)")},
    {"known_certificates_folder", WA_TEXT("the repository's index brings them")},
    {"signature_clockskew", WA_TEXT("the bounds are fixed")},
    {"http_proxy", SAME},
    {"wapt_huey_db", WA_TEXT("what this server has to do is in its database")},
    {"enable_store", WA_TEXT("'waptconsole import' brings packages of other repositories")},
    {"loglevel", LOG},
};

static bool is_off(const char *value)
{
    static const char *const words[] = {"", "0", "no", "false", "off", "none"};
    for (size_t i = 0; i < WA_COUNT(words); i++)
        if (wa_sv_ieqs(wa_sv(value), words[i]))
            return true;
    return false;
}

static void judge(struct wa_importing *g, const char *key)
{
    struct wa_import_count *count = &g->im->counts[WA_IM_SETTINGS];
    const char *why = WA_TEXT("WAPT 1.8's server has no such option");
    count->found++;
    if (wa_sv_starts(wa_sv(key), "loglevel_"))
        why = LOG;
    for (size_t i = 0; i < WA_COUNT(rows); i++)
        if (wa_sv_ieqs(wa_sv(key), rows[i].key))
            why = rows[i].why;
    if (why == NULL)
        count->taken++;
    else
        wa_import_leave(g, WA_IM_SETTINGS, key, why);
}

void wa_import_settings(struct wa_importing *g, const struct wa_ini *ini)
{
    const char *key, *value;
    for (size_t i = 0; wa_ini_key_at(ini, "options", i, &key, &value); i++)
        if (!is_off(value))
            judge(g, key);
}
