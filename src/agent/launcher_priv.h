/* launcher_priv.h - how the launcher starts a child. Between role_launcher.c and launcher_spawn.c
 * only. */
#ifndef WA_AGENT_LAUNCHER_PRIV_H
#define WA_AGENT_LAUNCHER_PRIV_H

#include "agent/helpers.h"
#include "agent/role_priv.h"

#define WA_LAUNCH_FDS 3

/* What every start needs, found once when the launcher begins. */
struct wa_launch {
    const struct wa_agent_paths *paths;
    bool is_once;
    bool is_unit;      /* a unit of systemd's, as its manager is */
    uint32_t uid, gid; /* of network, fetch, unpack; never 0 */
    char self[WA_PATH_MAX];
    char fetch[WA_PATH_MAX];
    char kerberos[WA_PATH_MAX];
    char log_env[32];      /* "WAPT_LOG=info" */
    char language_env[32]; /* "LANGUAGE=fr" */
};

/* Finds the programs and the account; paths must outlive launch. An account that does not exist is
 * replaced by nobody's numbers, which log gets to know. */
WA_CHECK enum wa_code wa_launch_init(struct wa_launch *launch, const struct wa_agent_paths *paths,
                                     bool is_once, const struct wa_log *log, struct wa_err *err);

/* Whether the manager's message asks for something that exists: a known role, fields that belong to
 * it and no others, an identifier of 32 lower-case hex digits, an ordinary user. WA_E_REFUSED.
 * Looks at bytes only. */
WA_CHECK enum wa_code wa_launch_check(struct wa_sv payload, struct wa_start *ret,
                                      struct wa_err *err);

/* base/private/stage/<id> as the current directory of this process, after each directory from base
 * on was found to be one that only root can write. */
WA_CHECK enum wa_code wa_launch_enter_stage(const char *base, const char *stage,
                                            struct wa_err *err);

/* Starts the child; tree names its process tree. ret_fds: our ends, in the order they go to the
 * manager, -1 for none. */
WA_CHECK enum wa_code wa_launch_child(const struct wa_launch *launch, const struct wa_start *what,
                                      const char *tree, struct wa_proc *ret,
                                      int ret_fds[WA_LAUNCH_FDS], struct wa_err *err);
/* Starts the manager; *ret_fd: our end of its channel. */
WA_CHECK enum wa_code wa_launch_manager(const struct wa_launch *launch, const char *const *args,
                                        struct wa_proc *ret, int *ret_fd, struct wa_err *err);

#endif
