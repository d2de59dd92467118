/* launcher_spawn.c - exactly what each child of the launcher is given: program, arguments,
 * environment, descriptors, identity, current directory. Nothing in it comes from the manager but
 * what wa_launch_check() let pass.
 *
 * Runs as root and unconfined: short on purpose. The staged folder is reached by walking from the
 * base directory without following a link, each step checked on its descriptor, and entered by that
 * descriptor: what was checked is what python runs in.
 */
#include "agent/launcher_priv.h"
#include "agent/upgrade.h"
#include "base/text.h"
#include "codec/hex.h"
#include "os/fs.h"
#include "os/local.h"

#define FIRST_USER 1000u /* below are the system's accounts (login.defs) */
#define NOBODY 65534u
#define TIMEOUT_MAX_S 604800u /* s: a week */
#define MINUTES_MAX 1440u     /* of a warning: a day */
#define PATH_ENV "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define LANG_ENV "LANG=C.UTF-8"
#define ENV_TEXT_MAX 512 /* bytes of "HOME=..." */

bool wa_helper_account(const char *user, uint32_t *ret_uid, uint32_t *ret_gid)
{
    struct wa_err why = WA_ERR_INIT;
    if (wa_user_ids(user, ret_uid, ret_gid, &why) == WA_OK && *ret_uid != 0 && *ret_gid != 0) {
        return true;
    }
    *ret_uid = *ret_gid = NOBODY;
    return false;
}

enum wa_code wa_launch_init(struct wa_launch *launch, const struct wa_agent_paths *paths,
                            bool is_once, const struct wa_log *log, struct wa_err *err)
{
    const char *given = getenv(WA_ROLE_LOG_ENV); /* root's command says it */
    launch->paths = paths;
    launch->is_once = is_once;
    (void)snprintf(launch->log_env, sizeof launch->log_env, WA_ROLE_LOG_ENV "=%s",
                   is_once && given != NULL ? given
                   : is_once                ? "warning"
                                            : "info");
    (void)snprintf(launch->language_env, sizeof launch->language_env, "LANGUAGE=%s",
                   wa_text_language_name());
    if (!wa_helper_account(paths->user, &launch->uid, &launch->gid)) {
        wa_log(log, WA_LOG_WARNING, "launcher.account", WA_LF_S("missing", paths->user),
               WA_LF_I("instead_uid", NOBODY));
    }
    enum wa_code code = wa_proc_self_path(launch->self, err);
    if (code == WA_OK)
        code = wa_proc_sibling_path("wapt-fetch", launch->fetch, err);
    return code != WA_OK ? code : wa_proc_sibling_path("wapt-kerberos", launch->kerberos, err);
}

enum wa_code wa_launch_check(struct wa_sv payload, struct wa_start *ret, struct wa_err *err)
{
    static const char no_stage[WA_STAGE_ID + 1] = "";
    struct wa_start s;
    if (payload.n != sizeof s) {
        return wa_fail(err, WA_E_REFUSED, "a start of the wrong size");
    }
    memcpy(&s, payload.p, sizeof s);
    bool is_good = s.timeout_s <= TIMEOUT_MAX_S;
    bool is_power = s.role == WA_ROLE_POWER;
    is_good = is_good && (is_power ? s.power < WA_POWER_COUNT && s.minutes <= MINUTES_MAX &&
                                         (s.power <= WA_POWER_WARN_SHUTDOWN || s.minutes == 0)
                                   : s.power == 0 && s.minutes == 0);
    switch (s.role) {
    case WA_ROLE_POWER:
    case WA_ROLE_WAKE:
    case WA_ROLE_DESCRIBE:
    case WA_ROLE_NETWORK:
    case WA_ROLE_FETCH:
    case WA_ROLE_UNPACK:
    case WA_ROLE_AUTH:
    case WA_ROLE_INVENTORY:
    case WA_ROLE_UPGRADE:
    case WA_ROLE_DIRECTORY:
    case WA_ROLE_KERBEROS:
        is_good =
            is_good && s.hook == 0 && s.uid == 0 && memcmp(s.stage, no_stage, sizeof no_stage) == 0;
        break;
    case WA_ROLE_RUNNER:
        is_good = is_good && s.hook < WA_HOOK_COUNT && s.timeout_s > 0 &&
                  s.stage[WA_STAGE_ID] == '\0' &&
                  wa_hex_is(wa_sv_n(s.stage, WA_STAGE_ID), WA_STAGE_ID);
        if (s.hook == WA_HOOK_SESSION_SETUP) {
            is_good = is_good && s.uid >= FIRST_USER && s.uid != NOBODY && s.uid <= INT32_MAX;
        } else {
            is_good = is_good && s.uid == 0;
        }
        break;
    default:
        is_good = false;
        break;
    }
    if (!is_good) {
        return wa_fail(err, WA_E_REFUSED, "a start that does not follow its form");
    }
    *ret = s;
    return WA_OK;
}

static enum wa_code check_directory(const struct wa_dir *d, const char *name, struct wa_err *err)
{
    struct wa_stat st;
    enum wa_code code = wa_fd_stat(d->fd, &st, err);
    if (code == WA_OK && (!st.is_dir || st.uid != 0 || (st.mode & 022) != 0)) {
        code =
            wa_fail(err, WA_E_REFUSED,
                    "'%s' is not a directory that root alone can write; repair its rights", name);
    }
    return code;
}

enum wa_code wa_launch_enter_stage(const char *base, const char *stage, struct wa_err *err)
{
    const char *const steps[] = {"private", "stage", stage};
    struct wa_dir WA_AUTO_DIR at = WA_DIR_INIT;
    enum wa_code code = wa_dir_open(base, &at, err);
    if (code == WA_OK) {
        code = check_directory(&at, base, err);
    }
    for (size_t i = 0; code == WA_OK && i < WA_COUNT(steps); i++) {
        struct wa_dir next = WA_DIR_INIT;
        struct wa_relpath step;
        code = wa_relpath_parse(wa_sv(steps[i]), &step, err);
        if (code == WA_OK) {
            code = wa_dir_open_sub(&at, &step, &next, err);
        }
        if (code == WA_OK) {
            wa_dir_close(&at);
            at = next;
            code = check_directory(&at, steps[i], err);
        }
    }
    return code == WA_OK ? wa_dir_enter(&at, err) : code;
}

static enum wa_code leave_stage(struct wa_err *err)
{
    struct wa_dir WA_AUTO_DIR root = WA_DIR_INIT;
    enum wa_code code = wa_dir_open("/", &root, err);
    return code == WA_OK ? wa_dir_enter(&root, err) : code;
}

static void close_all(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        wa_fd_close(&fds[i]);
    }
}

/* Starts it with pair[1] as one of its descriptors; *ret_fd is our end. Takes over both. */
static enum wa_code spawn_at(int pair[2], const struct wa_spawn *s, struct wa_proc *ret,
                             int *ret_fd, struct wa_err *err)
{
    enum wa_code code = wa_proc_spawn(s, ret, err);
    wa_fd_close(&pair[1]);
    if (code == WA_OK)
        *ret_fd = pair[0];
    else
        wa_fd_close(&pair[0]);
    return code;
}

/* Network, fetch, unpack, auth, inventory, directory, kerberos, wake, describe: descriptor 3 is the
 * channel; errors go where ours go. */
static enum wa_code spawn_talker(const struct wa_launch *launch, enum wa_role role,
                                 const char *tree, struct wa_proc *ret, int *ret_fd,
                                 struct wa_err *err)
{
    char arg[32];
    int pair[2];
    (void)snprintf(arg, sizeof arg, WA_ROLE_ARG "%s", wa_role_name(role));
    bool is_fetch = role == WA_ROLE_FETCH, is_auth = role == WA_ROLE_AUTH,
         is_kerberos = role == WA_ROLE_KERBEROS;
    const char *program = is_fetch ? launch->fetch : is_kerberos ? launch->kerberos : launch->self;
    const char *const argv[] = {program, is_fetch || is_kerberos ? NULL : arg, NULL};
    const char *const envp[] = {PATH_ENV, LANG_ENV, launch->log_env, launch->language_env, NULL};
    if (wa_socketpair(pair, err) != WA_OK)
        return err->code;
    const int fds[] = {-1, -1, 2, pair[1]};
    const struct wa_spawn s = {
        .path = program,
        .argv = argv,
        .envp = envp,
        .fds = fds,
        .fd_count = WA_COUNT(fds),
        .set_ids = !is_auth && role != WA_ROLE_DESCRIBE,
        .uid = launch->uid,
        .gid = launch->gid,
        .die_with_parent = true,
        .tree = is_auth || role == WA_ROLE_INVENTORY ? tree : NULL, /* the others can't fork */
    };
    return spawn_at(pair, &s, ret, ret_fd, err);
}

/* A program that speaks no language of ours: its channel only ends. */
static enum wa_code spawn_program(const char *const *argv, struct wa_proc *ret, int *ret_fd,
                                  struct wa_err *err)
{
    static const char *const envp[] = {PATH_ENV, LANG_ENV, NULL};
    int pair[2];
    if (wa_socketpair(pair, err) != WA_OK)
        return err->code;
    const int fds[] = {-1, 2, 2, pair[1]};
    const struct wa_spawn s = {
        .path = argv[0], .argv = argv, .envp = envp, .fds = fds, .fd_count = WA_COUNT(fds)};
    return spawn_at(pair, &s, ret, ret_fd, err);
}

/* The upgrade of the agent outlives us: what is started here only starts it, in a unit of its own
 * or as nobody's child, and ends. The program was put there by the manager, as the scripts of
 * packages are; only root can have. */
static enum wa_code spawn_upgrade(const struct wa_launch *launch, struct wa_proc *ret, int *ret_fd,
                                  struct wa_err *err)
{
    char program[2 * WA_PATH_MAX], pid[24];
    (void)snprintf(program, sizeof program, "%s/" WA_UP_PROGRAM, launch->paths->base);
    (void)snprintf(pid, sizeof pid, "%d", wa_proc_own_pid());
    const char *const unit[] = {"/bin/systemctl", "start", "--no-block", WA_UPGRADE_UNIT, NULL};
    const char *const alone[] = {program,      "upgrade", "--base",   launch->paths->base,
                                 "--launcher", pid,       "--detach", NULL};
    if (launch->is_once)
        return wa_fail(err, WA_E_REFUSED, "a command does not replace the agent");
    return spawn_program(launch->is_unit ? unit : alone, ret, ret_fd, err);
}

/* What is told, and done, to the machine as a whole: one of six lines, of which the manager says
 * which, and in how many minutes. */
static enum wa_code spawn_power(const struct wa_launch *launch, const struct wa_start *what,
                                struct wa_proc *ret, int *ret_fd, struct wa_err *err)
{
    char text[512], message[2 * WA_PATH_MAX];
    bool is_reboot = what->power == WA_POWER_WARN_REBOOT || what->power == WA_POWER_REBOOT;
    const char *const say[] = {"/usr/bin/wall",
                               what->power == WA_POWER_SHOW_MESSAGE ? message : text, NULL};
    const char *const act[] = {"/usr/bin/systemctl", "--no-block",
                               is_reboot ? "reboot" : "poweroff", NULL};
    if (launch->is_once)
        return wa_fail(err, WA_E_REFUSED, "a command does not restart the machine");
    (void)snprintf(message, sizeof message, "%s/" WA_NOTICE_MESSAGE, launch->paths->base);
    (void)snprintf(
        text, sizeof text,
        what->power == WA_POWER_PROPOSE
            ? wa_text("Software is waiting to be installed: type 'waptexit' when it suits you.")
        : is_reboot ? wa_text("This machine will be restarted in %u minutes, as its administrator "
                              "has ordered: please save your work.")
                    : wa_text("This machine will be switched off in %u minutes, as its "
                              "administrator has ordered: please save your work."),
        (unsigned)what->minutes);
    return spawn_program(what->power < WA_POWER_REBOOT ? say : act, ret, ret_fd, err);
}

struct session {
    char home[ENV_TEXT_MAX], user[ENV_TEXT_MAX], logname[ENV_TEXT_MAX];
    char name[256];
    uint32_t gid;
};

static enum wa_code find_session(uint32_t uid, struct session *s, struct wa_err *err)
{
    struct wa_account account;
    struct wa_err why = WA_ERR_INIT;
    if (uid == 0) {
        memset(s, 0, sizeof *s);
        (void)snprintf(s->home, sizeof s->home, "HOME=/root");
        (void)snprintf(s->user, sizeof s->user, "USER=root");
        (void)snprintf(s->logname, sizeof s->logname, "LOGNAME=root");
        return WA_OK;
    }
    if (wa_user_by_uid(uid, &account, &why) != WA_OK) {
        return wa_fail(err, WA_E_REFUSED, "the session's user: %s", why.text);
    }
    int n = snprintf(s->home, sizeof s->home, "HOME=%s", account.home);
    if (n < 0 || (size_t)n >= sizeof s->home) {
        return wa_fail(err, WA_E_REFUSED, "the account of user %u is too long", uid);
    }
    (void)snprintf(s->name, sizeof s->name, "%s", account.name);
    (void)snprintf(s->user, sizeof s->user, "USER=%s", s->name);
    (void)snprintf(s->logname, sizeof s->logname, "LOGNAME=%s", s->name);
    s->gid = account.gid;
    return WA_OK;
}

/* python3 on the staged folder, which is the current directory. child_fds: request, result, output.
 */
static enum wa_code spawn_python(const struct wa_launch *launch, const struct wa_start *what,
                                 const char *tree, const int child_fds[3], struct wa_proc *ret,
                                 struct wa_err *err)
{
    char runner[WA_PATH_MAX];
    struct session who;
    int n = snprintf(runner, sizeof runner, "%s/wapt_runner.py", launch->paths->libdir);
    if (n < 0 || (size_t)n >= sizeof runner) {
        return wa_fail(err, WA_E_CONFIG, "the path of wapt_runner.py is too long");
    }
    enum wa_code code = find_session(what->uid, &who, err);
    if (code != WA_OK) {
        return code;
    }
    const char *const argv[] = {"/usr/bin/python3", "-I", "-B", runner, NULL};
    const char *const envp[] = {PATH_ENV, LANG_ENV, "DEBIAN_FRONTEND=noninteractive",
                                who.home, who.user, who.logname,
                                NULL};
    const int fds[] = {-1, child_fds[2], child_fds[2], child_fds[0], child_fds[1]};
    const struct wa_spawn s = {
        .path = argv[0],
        .argv = argv,
        .envp = envp,
        .cwd = ".",
        .fds = fds,
        .fd_count = WA_COUNT(fds),
        .set_ids = what->uid != 0,
        .uid = what->uid,
        .gid = who.gid,
        .user = what->uid != 0 ? who.name : NULL,
        .die_with_parent = true,
        .tree = tree,
    };
    return wa_proc_spawn(&s, ret, err);
}

static enum wa_code spawn_runner(const struct wa_launch *launch, const struct wa_start *what,
                                 const char *tree, struct wa_proc *ret, int ret_fds[WA_LAUNCH_FDS],
                                 struct wa_err *err)
{
    int request[2] = {-1, -1}, result[2] = {-1, -1}, output[2] = {-1, -1};
    enum wa_code code = wa_pipe(request, err);
    if (code == WA_OK) {
        code = wa_pipe(result, err);
    }
    if (code == WA_OK) {
        code = wa_pipe(output, err);
    }
    if (code == WA_OK) {
        code = wa_launch_enter_stage(launch->paths->base, what->stage, err);
    }
    if (code == WA_OK) {
        const int child[] = {request[0], result[1], output[1]};
        code = spawn_python(launch, what, tree, child, ret, err);
    }
    struct wa_err why = WA_ERR_INIT;
    if (leave_stage(&why) != WA_OK && code == WA_OK) {
        code = wa_fail(err, why.code, "cannot leave the staged package's folder: %s", why.text);
    }
    if (code == WA_OK) {
        ret_fds[0] = request[1];
        ret_fds[1] = result[0];
        ret_fds[2] = output[0];
        request[1] = result[0] = output[0] = -1;
    }
    close_all(request, 2);
    close_all(result, 2);
    close_all(output, 2);
    return code;
}

enum wa_code wa_launch_child(const struct wa_launch *launch, const struct wa_start *what,
                             const char *tree, struct wa_proc *ret, int ret_fds[WA_LAUNCH_FDS],
                             struct wa_err *err)
{
    int fds[WA_LAUNCH_FDS] = {-1, -1, -1};
    enum wa_code code;
    if (what->role == WA_ROLE_RUNNER)
        code = spawn_runner(launch, what, tree, ret, fds, err);
    else if (what->role == WA_ROLE_UPGRADE)
        code = spawn_upgrade(launch, ret, &fds[0], err);
    else if (what->role == WA_ROLE_POWER)
        code = spawn_power(launch, what, ret, &fds[0], err);
    else
        code = spawn_talker(launch, (enum wa_role)what->role, tree, ret, &fds[0], err);
    if (code == WA_OK) {
        memcpy(ret_fds, fds, sizeof fds);
    }
    return code;
}

enum wa_code wa_launch_manager(const struct wa_launch *launch, const char *const *args,
                               struct wa_proc *ret, int *ret_fd, struct wa_err *err)
{
    static const char *const passed[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "TERM",
                                         "COLUMNS",       "NO_COLOR",      "TZ"};
    char texts[WA_COUNT(passed)][ENV_TEXT_MAX];
    const char *envp[WA_COUNT(passed) + 5] = {PATH_ENV, LANG_ENV, launch->log_env,
                                              launch->language_env};
    size_t n = 4;
    int pair[2];
    for (size_t i = 0; i < WA_COUNT(passed); i++) {
        const char *value = getenv(passed[i]);
        if (value != NULL && strlen(value) < ENV_TEXT_MAX - 32) {
            (void)snprintf(texts[i], sizeof texts[i], "%s=%s", passed[i], value);
            envp[n++] = texts[i];
        }
    }
    if (wa_socketpair(pair, err) != WA_OK)
        return err->code;
    const int fds[] = {launch->is_once ? 0 : -1, 1, 2, pair[1]};
    const struct wa_spawn s = {
        .path = launch->self,
        .argv = args,
        .envp = envp,
        .fds = fds,
        .fd_count = WA_COUNT(fds),
        .die_with_parent = true,
    };
    return spawn_at(pair, &s, ret, ret_fd, err);
}
