/* config_priv.h - between config.c ([global]) and config_repo.c (the repositories' sections). */
#ifndef WA_AGENT_CONFIG_PRIV_H
#define WA_AGENT_CONFIG_PRIV_H

#include "agent/config.h"

/* --- config.c --- */
/* Replaces a relative path by one below the base directory. */
WA_CHECK enum wa_code wa_config_anchor_path(const char *base, char **path, struct wa_err *err);
/* verify_cert: a file, not a word like "1" or "no". */
bool wa_config_is_path(const char *verify_cert);
void wa_config_trim_slash(char *url);
/* An address from the server's when it was left empty. */
WA_CHECK enum wa_code wa_config_default_url(const char *server, const char *suffix, char **url,
                                            struct wa_err *err);

/* --- config_gone.c --- */
#define WA_CONFIG_OPTIONS_MAX 256u
/* The agent's own options, and those of WAPT's that are gone. Returns how many. */
size_t wa_config_with_gone(const struct wa_conf_option *own, size_t count,
                           struct wa_conf_option all[WA_CONFIG_OPTIONS_MAX]);
/* The same for whole sections, and for values that meant something else. */
void wa_config_warn_gone(const struct wa_ini *ini, const char *file, wa_conf_warn_fn warn,
                         void *user);

/* --- config_repo.c --- */
/* The repositories that [global] names, from their sections. c is freed by the caller also on
 * failure. */
WA_CHECK enum wa_code wa_config_repos_load(const struct wa_ini *ini, wa_conf_warn_fn warn,
                                           void *user, struct wa_agent_config *c,
                                           struct wa_err *err);
void wa_config_repos_free(struct wa_agent_config *c);

#endif
