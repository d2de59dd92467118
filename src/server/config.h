/* config.h - waptserver.ini and the server's folders. */
#ifndef WA_SERVER_CONFIG_H
#define WA_SERVER_CONFIG_H

#include "codec/conf.h"
#include "crypto/cert.h"
#include "crypto/seal.h"
#include "os/fs.h"

struct wa_server_config {
    char file[WA_PATH_MAX];
    char dir[WA_PATH_MAX]; /* of the file: private/, db/, repo/ lie in it */
    char *bind, *server_uuid, *trusted_signers, *user;
    char *report_database;       /* the same by the role of reports; PostgreSQL's alone */
    char *database;              /* address; "": SQLite in db/ */
    char *log_file;              /* "": the log goes to standard error */
    char *syslog;                /* its local socket; "": syslog is told nothing */
    int64_t log_size, log_files; /* MiB of each; older ones that are kept */
    char *node;                  /* this server's name among those of the database */
    char *ldap_servers, *ldap_base, *ldap_verify; /* servers "": no directory */
    char *webhook_networks, *webhook_verify;
    bool webhook_http;
    char *http_proxy, *no_proxy;    /* of what is sent: net/http_line.h; "": none */
    char *wol_ports, *wol_networks; /* wake.h */
    char *metrics_addresses;        /* who reads metrics without a login */
    bool is_ldaps;
    char *host_packages; /* "certificate" or "open" */
    char
        *proxy_from; /* networks whose proxies say first whose a connection is (PROXY, version 2) */
    char *proxies, *accel; /* addresses; path below which the proxy has repo/ */
    int64_t upload_max, upload_person, upload_all, upload_keep; /* MiB */
    int64_t upload_days;
    char *ldap_account,
        *ldap_password;        /* who asks about others, file of its password; "": nobody */
    int64_t directory_check;   /* s between two looks at the people of the directory */
    char *ldap_roles;          /* csv of login_directory.h; "": the directory's don't log in */
    bool certificate_login;    /* people by TLS certificates */
    char *certificate_issuers; /* folder of authorities; "": registered ones alone */
    char *certificate_name;    /* cn, email, upn */
    char *oidc_issuer, *oidc_client, *oidc_secret, *oidc_scope, *oidc_user_claim,
        *oidc_groups_claim, *oidc_roles, *oidc_redirect, *oidc_prompt,
        *oidc_verify;                            /* oidc.h; issuer "": no provider */
    bool oidc_offline;                           /* offline_access is asked for */
    int64_t directory_session, directory_tokens; /* s */
    char *second_factor;                         /* optional, superadmin, all */
    int64_t session_idle, session_max;           /* s */
    int64_t port, fronts, max_connections, max_per_address;
    char *registration; /* csv of the credentials that let a new machine in */
    char *kerberos_keytab, *kerberos_realms, *kerberos_group, *kerberos_names_prove;
    char *kerberos_unit;      /* DN; "": wherever in the directory */
    bool kerberos_login;      /* people, too */
    int64_t client_cert_days; /* that a machine's TLS certificate lasts */
};
WA_CHECK enum wa_code wa_server_config_load(const char *file, struct wa_server_config *ret,
                                            struct wa_err *err);
/* The same for what the supervisor has started, which has looked at the addresses: taking one apart
 * leaves pieces of it in memory (libpq's). */
WA_CHECK enum wa_code wa_server_config_read(const char *file, struct wa_server_config *ret,
                                            struct wa_err *err);
/* Whether one of these options of a configuration holds a password: then not everybody may read it.
 */
bool wa_server_config_is_secret(const char *database, const char *report_database,
                                const char *http_proxy);
void wa_server_config_free(struct wa_server_config *c);
/* Wipes what may hold a password, for a process that has no use for it. Of an address of a database
 * its kind is left. */
void wa_server_config_forget_databases(struct wa_server_config *c);
void wa_server_config_forget_proxy(struct wa_server_config *c);
/* Path below dir. out: WA_PATH_MAX. */
WA_CHECK enum wa_code wa_server_path(const struct wa_server_config *c, const char *name, char *out,
                                     struct wa_err *err);

#define WA_CRL_FILE                                                                                \
    "db/authority.crl" /* the revoked machines' certificates, for nginx and HAProxy */

/* Whether new machines are let in by "token", "login" or "kerberos". */
bool wa_server_lets_in(const struct wa_server_config *c, const char *credential);

/* --- tls_files.c --- */
/* The server's certificate chain and its key, which belong together and are in date; WA_E_CONFIG
 * otherwise, with what to do. */
WA_CHECK enum wa_code wa_server_tls(const struct wa_server_config *c, struct wa_certs *chain,
                                    struct wa_key **ret_key, struct wa_err *err);

/* --- setup.c --- */
struct wa_setup {
    const char *dir;   /* made when missing */
    const char *names; /* csv: names and addresses that the certificate carries */
    const char *bind;
    int64_t port;
    const char *database;           /* address of a PostgreSQL; "": SQLite */
    const char *node;               /* NULL: the host's name */
    const char *tls_cert, *tls_key; /* both or none: then one is made */
    const char *trusted; /* directory of package signers' certificates; NULL: <dir>/trusted, made */
    struct wa_sv admin_password;
    bool force;
};
/* fingerprint: of the TLS certificate. config: path of the file written. */
WA_CHECK enum wa_code wa_server_setup(const struct wa_setup *s, char fingerprint[65],
                                      char config[WA_PATH_MAX], struct wa_err *err);

/* The server's folders below dir, with their owners and rights. */
WA_CHECK enum wa_code wa_server_make_dirs(const char *dir_path, struct wa_err *err);
/* The key that stamps the repository's time, when it is not there yet. */
WA_CHECK enum wa_code wa_server_timestamp_key(const char *dir, struct wa_err *err);

/* private/proxy.secret, by which proxies are believed, and the line that nginx includes to say it,
 * private/proxy.conf; when there are proxies, and no secret yet. */
WA_CHECK enum wa_code wa_server_proxy_secret(const struct wa_server_config *c, struct wa_err *err);
/* --- seal_key.c: in private/ --- */
#define WA_PEOPLE_KEY "people.key" /* of auth: second factors */
#define WA_OIDC_KEY "oidc.key"     /* of oidc: what sessions are renewed by */
/* When it is not there yet. */
WA_CHECK enum wa_code wa_server_make_seal_key(const char *dir, const char *name,
                                              struct wa_err *err);
/* WA_E_CONFIG: it is none, or others than its owner can read it. */
WA_CHECK enum wa_code wa_server_read_seal_key(const struct wa_server_config *c, const char *name,
                                              uint8_t key[WA_SEAL_KEY], struct wa_err *err);

/* --- tokens.c: enrolment tokens. Called by root, they give up all but the database first. --- */
#define WA_TOKEN_ID 12u /* hex digits of its SHA-256 by which a token is named */
/* Makes one; text: WA_TOKEN_MAX. */
WA_CHECK enum wa_code wa_server_enrol_token(const struct wa_server_config *c, int64_t uses,
                                            int64_t seconds, char *text, char id[WA_TOKEN_ID + 1],
                                            struct wa_err *err);
/* fn is called for each, the used up and expired ones too. */
typedef void (*wa_token_fn)(void *user, const char *id, int64_t expires, int64_t uses);
WA_CHECK enum wa_code wa_server_list_tokens(const struct wa_server_config *c, wa_token_fn fn,
                                            void *user, struct wa_err *err);
/* WA_E_NOT_FOUND when there is none of that name. */
WA_CHECK enum wa_code wa_server_revoke_token(const struct wa_server_config *c, const char *id,
                                             struct wa_err *err);

/* --- supervisor.c --- */
/* Held while a server runs in the directory. WA_E_BUSY: one does. */
WA_CHECK enum wa_code wa_server_lock(const char *dir_path, int *ret_fd, struct wa_err *err);
WA_CHECK enum wa_code wa_server_run(const struct wa_server_config *c, struct wa_err *err);
/* First thing in main(): true when argv names a role; then it has run and *ret_status is for main()
 * to return. */
bool wa_server_dispatch(int argc, char **argv, int *ret_status);

#endif
