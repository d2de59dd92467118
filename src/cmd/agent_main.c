/* agent_main.c - starts of the agent's processes, for the two programs that can be its launcher.
 *
 * The service and one command without it differ in nothing but how long they last: the same
 * launcher, manager and checks. Whoever comes second to a base directory is refused by the
 * launcher's lock; a command then waits for the service that holds it.
 */
#include "cmd/agent_main.h"

#include "agent/manager.h"
#include "agent/role_priv.h"
#include "agent/upgrade.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/local.h"
#include "os/priv.h"
#include "os/proc.h"
#include "os/service.h"

#define MANAGER_ARG "role:manager" /* then: configuration, libdir, "once" or "service" */
#define ONCE_ARG "role:once"       /* then: configuration, libdir */
#define ANSWER_MS 20000            /* a manager that does not answer by then is given up */
#define PAUSE_MS 20

struct wa_agent_once {
    struct wa_proc proc;
};

static void to_stderr(void *user, const char *text)
{
    WA_UNUSED(user);
    (void)fprintf(stderr, "warning: %s\n", text);
}

static void untold(void *user, const char *text)
{
    WA_UNUSED(user);
    WA_UNUSED(text);
}

static enum wa_code read_paths(const char *file, const char *libdir, bool once,
                               void (*warn)(void *user, const char *text),
                               struct wa_agent_paths *ret, struct wa_err *err)
{
    struct wa_agent_config config;
    if (wa_agent_config_load(file, warn, NULL, &config, err) != WA_OK)
        return err->code;
    if (config.language[0] != '\0' || !once)
        wa_text_language(config.language);
    (void)snprintf(ret->base, sizeof ret->base, "%s", config.base);
    (void)snprintf(ret->libdir, sizeof ret->libdir, "%s", libdir);
    (void)snprintf(ret->user, sizeof ret->user, "%s", config.helper_user);
    wa_agent_config_free(&config);
    return WA_OK;
}

static enum wa_code launch(const char *file, const char *libdir, bool once, int *ret_status,
                           struct wa_err *err)
{
    struct wa_agent_paths paths = {.base = ""};
    char self[WA_PATH_MAX];
    /* A configuration that can't be read is told here, once, instead of at each start of the
     * manager. */
    if (read_paths(file, libdir, once, to_stderr, &paths, err) != WA_OK ||
        wa_proc_self_path(self, err) != WA_OK)
        return err->code;
    const char *const args[] = {self, MANAGER_ARG, file, libdir, once ? "once" : "service", NULL};
    return wa_role_launcher(&paths, args, once, ret_status, err);
}

static enum wa_code meet_upgrade(const char *config_file, struct wa_err *err)
{
    char base[WA_PATH_MAX];
    (void)snprintf(base, sizeof base, "%.*s", (int)(strrchr(config_file, '/') - config_file),
                   config_file);
    return wa_upgrade_meet(base, err);
}

enum wa_code wa_agent_serve(const char *config_file, const char *libdir, struct wa_err *err)
{
    int status = 0;
    if (!wa_priv_is_root())
        return wa_fail(err, WA_E_DENIED, "the service must be started as root");
    if (meet_upgrade(config_file, err) != WA_OK ||
        launch(config_file, libdir, false, &status, err) != WA_OK)
        return err->code;
    return status == 0 ? WA_OK
                       : wa_fail(err, WA_E_FAILED, "the manager ended with status %d", status);
}

enum wa_code wa_agent_manage(const char *config_file, const char *libdir,
                             const char *launcher_socket, struct wa_err *err)
{
    const struct wa_manager_options o = {
        .config_file = config_file, .libdir = libdir, .launcher = launcher_socket};
    int status = wa_role_manager(&o);
    return status == 0 ? WA_OK
                       : wa_fail(err, WA_E_FAILED, "the manager ended with status %d", status);
}

enum wa_code wa_agent_launch(const char *config_file, const char *libdir, struct wa_err *err)
{
    struct wa_agent_paths paths = {.base = ""};
    int fd = -1;
    if (wa_service_connection(&fd, err) != WA_OK ||
        read_paths(config_file, libdir, false, untold, &paths, err) !=
            WA_OK) /* the manager has told */
        return err->code;
    return wa_role_launcher_of(&paths, fd, err);
}

bool wa_agent_dispatch(int argc, char **argv, int *ret_status)
{
    struct wa_err err = WA_ERR_INIT;
    wa_text_from_environment(); /* the launcher wrote it */
    if (wa_role_dispatch(argc, argv, ret_status))
        return true;
    if (argc == 5 && strcmp(argv[1], MANAGER_ARG) == 0) {
        const struct wa_manager_options o = {argv[2], argv[3], strcmp(argv[4], "once") == 0, NULL};
        *ret_status = wa_role_manager(&o);
        return true;
    }
    if (argc != 4 || strcmp(argv[1], ONCE_ARG) != 0)
        return false;
    if (launch(argv[2], argv[3], true, ret_status, &err) != WA_OK) {
        *ret_status = wa_code_exit(err.code);
        if (err.code != WA_E_BUSY) /* whoever started us waits for who is there already */
            (void)fprintf(stderr, "wapt-get: %s\n", err.text);
    }
    return true;
}

/* --- one command --- */

enum wa_code wa_agent_once_start(const char *config_file, const char *level,
                                 struct wa_agent_once **ret, struct wa_err *err)
{
    char self[WA_PATH_MAX], libdir_env[WA_PATH_MAX + 16], language_env[32], log_env[32];
    struct wa_agent_once *o;
    const char *libdir = wa_libdir();
    if (wa_proc_self_path(self, err) != WA_OK)
        return err->code;
    (void)snprintf(libdir_env, sizeof libdir_env, "WAPT_LIBDIR=%s", libdir);
    (void)snprintf(language_env, sizeof language_env, "LANGUAGE=%s", wa_text_language_name());
    (void)snprintf(log_env, sizeof log_env, WA_ROLE_LOG_ENV "=%s",
                   level == NULL ? "warning" : level);
    const char *const argv[] = {self, ONCE_ARG, config_file, libdir, NULL};
    const char *const envp[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                "LANG=C.UTF-8",
                                libdir_env,
                                language_env,
                                log_env,
                                NULL};
    const int fds[] = {-1, 2, 2}; /* its talk is no result */
    const struct wa_spawn s = {.argv = argv, .envp = envp, .fds = fds, .fd_count = WA_COUNT(fds)};
    o = wa_calloc(1, sizeof *o);
    if (o == NULL)
        return wa_nomem(err);
    if (wa_proc_spawn(&s, &o->proc, err) != WA_OK) {
        wa_free(o);
        return wa_wrap(err, "starting the agent for this command");
    }
    *ret = o;
    return WA_OK;
}

enum wa_code wa_agent_once_connect(struct wa_agent_once *o, const char *socket_path, int *ret_fd,
                                   struct wa_err *err)
{
    uint64_t until = wa_clock_mono_ms() + ANSWER_MS;
    bool is_gone = false; /* it came second: the service is about to answer */
    while (wa_clock_mono_ms() < until) {
        struct wa_err why = WA_ERR_INIT;
        struct wa_exit gone;
        if (wa_local_connect(socket_path, ret_fd, &why) == WA_OK)
            return WA_OK;
        if (why.code != WA_E_UNREACHABLE) {
            *err = why;
            return err->code;
        }
        wa_err_clear(&why);
        if (is_gone)
            wa_clock_sleep_ms(PAUSE_MS);
        else if (wa_proc_wait(&o->proc, PAUSE_MS, &gone, &why) == WA_OK) {
            is_gone = true;
            o->proc.pid = 0;
            if (gone.kind == WA_EXIT_SIGNAL || gone.value != wa_code_exit(WA_E_BUSY))
                return wa_fail(err, WA_E_FAILED,
                               "the agent could not be started for this command, as said above");
        }
    }
    return wa_fail(err, WA_E_UNREACHABLE,
                   "nobody answers at '%s', though %s: see its log, and try again", socket_path,
                   is_gone
                       ? wa_text("a service or another command of root's holds the base directory")
                       : wa_text("the agent was started for this command"));
}

void wa_agent_once_end(struct wa_agent_once *o)
{
    struct wa_exit gone;
    struct wa_err err = WA_ERR_INIT;
    if (o == NULL)
        return;
    if (o->proc.pid > 0 && wa_proc_wait(&o->proc, -1, &gone, &err) != WA_OK)
        (void)fprintf(stderr, "wapt-get: %s\n", err.text);
    wa_free(o);
}
