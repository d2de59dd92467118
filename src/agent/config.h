/* config.h - the agent's configuration, wapt-get.ini in its base directory (formats.md 9.1; options
 * of ours are marked in the table). */
#ifndef WA_AGENT_CONFIG_H
#define WA_AGENT_CONFIG_H

#include "codec/conf.h"
#include "net/tls.h"

/* A repository: what its own section says, else [global]. Strings are never NULL. */
struct wa_agent_repo {
    char name[64]; /* its section; also a file name */
    char *url;     /* "": there is none */
    char *mirrors; /* csv of addresses with the same content */
    char *verify_cert, *http_proxy, *public_certs_dir, *maturities, *blacklist, *whitelist;
    char *bandwidth;
    bool use_proxy;
    int64_t timeout_s;
    uint64_t rate_max_bytes_s; /* of bandwidth; 0: as fast as it goes */
};

struct wa_agent_config {
    char base[WA_PATH_MAX];
    char file[WA_PATH_MAX];
    /* [global] */
    char *repo_url, *wapt_server, *verify_cert, *server_fingerprint, *public_certs_dir;
    char *maturities, *locales, *blacklist, *whitelist, *held, *http_proxy, *uuid, *log_level,
        *language;
    char *local_socket, *helper_user, *admin_groups;
    /* who answers for local users: see auth_ask.c */
    char *auth_type, *ldap_servers, *ldap_base, *ldap_verify, *ldap_admin_groups;
    bool is_ldaps;
    char *repositories, *mirrors, *bandwidth;
    char *host_profiles, *host_unit_dn, *host_site; /* see place.c */
    bool inventory_environment, inventory_keys;
    bool use_kerberos;
    bool use_fqdn_as_uuid, use_ad_groups, use_proxy_for_repo, use_proxy_for_server;
    bool admin_filter, uninstall_allowed; /* self-service */
    int64_t cache_max_mib;
    int64_t update_period_s, upgrade_period_s, audit_period_s, auth_grace_s, hook_timeout_s,
        session_setup_timeout_s, timeout_s, user_stop_s, upgrade_timeout_s;
    char *hook_timeouts; /* csv of "PATTERN PERIOD" */
    /* the administrator's commands around install(): see snapshot.c */
    char *install_snapshot, *install_undo;
    int64_t install_snapshot_timeout_s;
    bool install_snapshot_required;
    /* the schedule */
    char *windows, *freezes;  /* csv (pkg/windows.h) */
    char *upgrade_priorities; /* csv; empty: all */
    int64_t catch_up_s, spread_s;
    bool download_ahead, upgrade_on_battery;
    /* waptexit */
    int64_t exit_countdown_s, shutdown_timeout_s;
    bool may_refuse_upgrade, exit_is_off, exit_spares_running;
    /* what may be ordered from afar (power.c), and how long those who are at work are warned */
    bool may_reboot, may_shut_down;
    int64_t power_warning_s;
    /* [actions] */
    char *action_signers;
    /* The repositories with an address: what comes first wins where two offer the same package. */
    struct wa_agent_repo *repos;
    size_t repo_count;
    struct wa_agent_repo host_repo; /* [wapt-host]: of this machine's own package */
};

/* file: absolute path of wapt-get.ini, whose directory is the base directory. A missing file is
 * WA_E_CONFIG with what to do. Relative paths of options are below the base directory. */
WA_CHECK enum wa_code wa_agent_config_load(const char *file, wa_conf_warn_fn warn, void *user,
                                           struct wa_agent_config *ret, struct wa_err *err);
void wa_agent_config_free(struct wa_agent_config *c);
/* What the configuration would be with these options of [global] set; values[i] NULL: left alone.
 */
WA_CHECK enum wa_code wa_agent_config_with(const struct wa_agent_config *c, const char *const *keys,
                                           const char *const *values, size_t count,
                                           struct wa_agent_config *ret, struct wa_err *err);
/* Sets options of [global] in the file, the rest of it kept; values[i] NULL: left alone. Atomic. */
WA_CHECK enum wa_code wa_agent_config_write(const struct wa_agent_config *c,
                                            const char *const *keys, const char *const *values,
                                            size_t count, struct wa_err *err);
/* Whether an address is the server's own. */
bool wa_agent_is_on_server(const struct wa_agent_config *c, const char *url);
/* How whoever answers at url is trusted (F1B). repo NULL: the server. pem: buffer that the trust's
 * text lives in. */
WA_CHECK enum wa_code wa_agent_trust(const struct wa_agent_config *c,
                                     const struct wa_agent_repo *repo, const char *url,
                                     struct wa_buf *pem, struct wa_tls_trust *ret,
                                     struct wa_err *err);
/* Seconds that a script of this package may run. */
int64_t wa_agent_hook_timeout(const struct wa_agent_config *c, const char *package);
/* How the directory of ldap_auth_server is trusted (F1B): by verify_cert_ldap. */
WA_CHECK enum wa_code wa_agent_directory_trust(const struct wa_agent_config *c, struct wa_buf *pem,
                                               struct wa_tls_trust *ret, struct wa_err *err);
/* NULL: no repository of that name is configured. "wapt-host" is one. */
const struct wa_agent_repo *wa_agent_repo_find(const struct wa_agent_config *c, const char *name);
/* Its i-th address without '/' at the end: 0 its own, then the mirrors. False: no more. */
bool wa_agent_repo_address(const struct wa_agent_repo *r, size_t i, struct wa_sv *ret);
/* "http://[user:password@]host:port"; NULL: none. */
const char *wa_agent_repo_proxy(const struct wa_agent_repo *r);
const char *wa_agent_server_proxy(const struct wa_agent_config *c);

#endif
