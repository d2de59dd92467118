/* config.h - the agent's configuration, wapt-get.ini in its base directory (formats.md 9.1; options
 * of ours are marked in the table). */
#ifndef WA_AGENT_CONFIG_H
#define WA_AGENT_CONFIG_H

#include "codec/conf.h"
#include "net/tls.h"

struct wa_agent_config {
    char base[WA_PATH_MAX];
    char file[WA_PATH_MAX];
    /* [global] */
    char *repo_url, *wapt_server, *verify_cert, *server_fingerprint, *public_certs_dir;
    char *maturities, *locales, *blacklist, *whitelist, *held, *http_proxy, *uuid, *log_level;
    char *local_socket, *helper_user, *admin_groups;
    bool use_fqdn_as_uuid;
    int64_t update_period_s, upgrade_period_s, audit_period_s, auth_grace_s, hook_timeout_s,
        timeout_s, user_stop_s;
    /* [actions] */
    char *action_signers;
    /* [wapt-host] */
    char *host_repo_url;
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
/* How whoever answers at url is trusted (F1B). pem: buffer that the trust's text lives in. */
WA_CHECK enum wa_code wa_agent_trust(const struct wa_agent_config *c, const char *url,
                                     struct wa_buf *pem, struct wa_tls_trust *ret,
                                     struct wa_err *err);
/* The table, for the manual. */
const struct wa_conf_option *wa_agent_config_options(size_t *ret_count);

#endif
