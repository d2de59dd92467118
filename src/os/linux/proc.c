/* proc.c - starting children with exactly what they need, and seeing them end.
 *
 * Between fork and exec only async-signal-safe calls are made; what can fail there is reported
 * through a pipe that exec closes, so that "started" means the program really runs.
 */
#include "os/proc.h"

#include "base/mem.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/linux/tree_priv.h"
#include "os/rand.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FDS_MAX 128u /* of a child: the store of a server with 64 fronts has the most */
#define GROUPS_MAX 256
#define ENV_MAX 256u /* variables of a child in a tree without a cgroup */

static const char *const bare_env[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL};

/* Everything the child needs, prepared before fork. */
struct plan {
    const struct wa_spawn *what;
    const char *path;
    const char *const *envp;
    const char *marked_env[ENV_MAX + 2];
    char mark[WA_TREE_MARK];
    int fds[FDS_MAX];
    size_t fd_count;
    int procs_fd;  /* cgroup to enter; -1 */
    int report_fd; /* errno and step of what failed */
    gid_t groups[GROUPS_MAX];
    int group_count;
    pid_t parent;
};

struct report {
    int errnum;
    char step[32];
};

static void give_up(const struct plan *p, const char *step)
{
    struct report r = {.errnum = errno};
    for (size_t i = 0; step[i] != '\0' && i < sizeof r.step - 1; i++)
        r.step[i] = step[i];
    (void)!write(p->report_fd, &r, sizeof r);
    _exit(127);
}

static void set_limit(const struct plan *p, __rlimit_resource_t what, uint64_t value)
{
    struct rlimit l = {(rlim_t)value, (rlim_t)value};
    if (value != 0 && setrlimit(what, &l) != 0)
        give_up(p, "set a limit");
}

/* Puts fds[i] at i. First all out of the way, then each to its place, so that none is overwritten
 * too early. */
static void place_fds(struct plan *p)
{
    p->report_fd = fcntl(p->report_fd, F_DUPFD, (int)FDS_MAX);
    for (size_t i = 0; i < p->fd_count; i++) {
        if (p->fds[i] < 0)
            continue;
        p->fds[i] = fcntl(p->fds[i], F_DUPFD, (int)FDS_MAX);
        if (p->fds[i] < 0)
            give_up(p, "place descriptors");
    }
    for (size_t i = 0; i < p->fd_count; i++) {
        if (p->fds[i] >= 0) {
            if (dup2(p->fds[i], (int)i) < 0)
                give_up(p, "place descriptors");
        } else if (i <= 2) {
            int null = open("/dev/null", O_RDWR);
            if (null < 0 || (null != (int)i && dup2(null, (int)i) < 0))
                give_up(p, "open /dev/null");
        } else {
            (void)close((int)i); /* else what we have there would pass */
        }
    }
    /* Everything else goes at exec, the report's pipe too. */
    if (syscall(SYS_close_range, (unsigned)p->fd_count, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */) != 0) {
        for (int fd = (int)p->fd_count; fd < 65536; fd++)
            (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
}

static void set_identity(const struct plan *p)
{
    const struct wa_spawn *w = p->what;
    if (!w->set_ids)
        return;
    if (setgroups((size_t)p->group_count, p->groups) != 0 && geteuid() == 0)
        give_up(p, "set groups");
    if (setresgid(w->gid, w->gid, w->gid) != 0 || setresuid(w->uid, w->uid, w->uid) != 0)
        give_up(p, "change identity");
}

static void reset_signals(void)
{
    sigset_t none;
    for (int s = 1; s < NSIG; s++)
        (void)signal(s, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child(struct plan *p)
{
    const struct wa_spawn *w = p->what;
    union { /* exec's prototype is older than const */
        const char *const *from;
        char *const *to;
    } argv = {w->argv}, envp = {p->envp};
    reset_signals();
    (void)setsid();
    if (p->procs_fd >= 0 && write(p->procs_fd, "0", 1) != 1)
        give_up(p, "enter its process tree");
    if (p->envp == p->marked_env) /* orphans of the tree stay below it */
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (chdir(w->cwd != NULL ? w->cwd : "/") != 0)
        give_up(p, "change directory");
    place_fds(p);
    /* Opened before the change of identity: the account that runs it need not be able to walk to
     * it. */
    int program = open(p->path, O_PATH | O_CLOEXEC);
    if (program < 0)
        give_up(p, "find the program");
    set_limit(p, RLIMIT_AS, w->limit_memory_bytes);
    set_limit(p, RLIMIT_FSIZE, w->limit_file_bytes);
    set_limit(p, RLIMIT_NOFILE, w->limit_files);
    set_identity(p);
    if (w->die_with_parent) { /* after the change of identity, which clears it */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != p->parent)
            _exit(127);
    }
    (void)umask(022);
    (void)execve(p->path, argv.to, envp.to); /* first, because it gives the process its name */
    if (errno == EACCES)
        (void)execveat(program, "", argv.to, envp.to, AT_EMPTY_PATH);
    give_up(p, "run the program");
}

static enum wa_code prepare(const struct wa_spawn *w, struct plan *p, struct wa_err *err)
{
    /* "/proc/self/exe" is this very program even after an upgrade has replaced its file. */
    *p = (struct plan){.what = w,
                       .path = w->path != NULL ? w->path : "/proc/self/exe",
                       .envp = w->envp != NULL ? w->envp : bare_env,
                       .procs_fd = -1,
                       .report_fd = -1,
                       .parent = getpid()};
    if (w->tree != NULL && !wa_tree_is_name(w->tree))
        return wa_fail(err, WA_E_USAGE, "'%s' can't be the name of a process tree", w->tree);
    if (w->fd_count > FDS_MAX)
        return wa_fail(err, WA_E_USAGE, "too many descriptors for a child");
    p->fd_count = w->fd_count < 3 ? 3 : w->fd_count;
    for (size_t i = 0; i < p->fd_count; i++)
        p->fds[i] = i < w->fd_count ? w->fds[i] : -1;
    if (w->set_ids && w->user != NULL) {
        p->group_count = GROUPS_MAX;
        if (getgrouplist(w->user, w->gid, p->groups, &p->group_count) < 0)
            return wa_fail(err, WA_E_LIMIT, "account '%s' is in more than %d groups", w->user,
                           GROUPS_MAX);
    }
    return WA_OK;
}

/* Marks the environment of a child whose tree can't be a cgroup. */
static enum wa_code mark_env(struct plan *p, struct wa_err *err)
{
    size_t n = 0;
    (void)snprintf(p->mark, sizeof p->mark, "%s=", WA_TREE_MARK_ENV);
    if (wa_rand_hex(p->mark + strlen(p->mark), 16, err) != WA_OK)
        return err->code;
    while (p->envp[n] != NULL && n < ENV_MAX) {
        p->marked_env[n + 1] = p->envp[n];
        n++;
    }
    if (p->envp[n] != NULL)
        return wa_fail(err, WA_E_LIMIT, "more than %u environment variables for a child", ENV_MAX);
    p->marked_env[0] = p->mark;
    p->marked_env[n + 1] = NULL;
    p->envp = p->marked_env;
    return WA_OK;
}

/* Reads the child's report; nothing means that exec succeeded. */
static enum wa_code await_exec(int fd, const char *path, struct wa_err *err)
{
    struct report r = {0};
    ssize_t n;
    do
        n = read(fd, &r, sizeof r);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return WA_OK;
    if (n != (ssize_t)sizeof r)
        return wa_fail(err, WA_E_IO, "cannot tell whether '%s' started", path);
    r.step[sizeof r.step - 1] = '\0';
    return wa_fail_errno(err, r.errnum, "cannot start '%s': cannot %s", path, wa_text(r.step));
}

static enum wa_code start(struct plan *p, struct wa_proc *ret, struct wa_err *err)
{
    int report[2];
    sigset_t all, old;
    if (wa_pipe(report, err) != WA_OK)
        return err->code;
    p->report_fd = report[1];
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &old); /* no handler of ours may run in the child */
    pid_t pid = fork();
    if (pid == 0)
        child(p);
    (void)sigprocmask(SIG_SETMASK, &old, NULL);
    wa_fd_close(&report[1]);
    if (pid < 0) {
        wa_fd_close(&report[0]);
        return wa_fail_errno(err, errno, "cannot start '%s'", p->path);
    }
    enum wa_code code = await_exec(report[0], p->path, err);
    wa_fd_close(&report[0]);
    if (code != WA_OK) {
        (void)waitpid(pid, NULL, 0);
        return code;
    }
    ret->pid = pid;
    ret->pidfd = (int)syscall(SYS_pidfd_open, pid, 0u);
    if (ret->pidfd >= 0)
        (void)fcntl(ret->pidfd, F_SETFD, FD_CLOEXEC);
    return WA_OK;
}

enum wa_code wa_proc_spawn(const struct wa_spawn *what, struct wa_proc *ret, struct wa_err *err)
{
    struct plan p;
    struct wa_proc proc = {.pid = 0, .pidfd = -1};
    if (prepare(what, &p, err) != WA_OK)
        return err->code;
    if (what->tree != NULL && !wa_tree_make(what->tree, proc.tree, sizeof proc.tree, &p.procs_fd) &&
        mark_env(&p, err) != WA_OK)
        return err->code;
    enum wa_code code = start(&p, &proc, err);
    wa_fd_close(&p.procs_fd);
    if (code != WA_OK) {
        struct wa_err ignored = WA_ERR_INIT;
        if (proc.tree[0] != '\0' && wa_tree_kill(proc.tree, &ignored) != WA_OK)
            return wa_wrap(err, "a child's tree is left over (%s)", ignored.text);
        return code;
    }
    if (what->tree != NULL && proc.tree[0] == '\0')
        (void)snprintf(proc.tree, sizeof proc.tree, "pg:%d:%s", proc.pid, p.mark);
    *ret = proc;
    return WA_OK;
}

enum wa_code wa_proc_wait(struct wa_proc *p, int timeout_ms, struct wa_exit *ret,
                          struct wa_err *err)
{
    uint64_t until = wa_clock_mono_ms() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);
    if (p->pid <= 1)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no child to wait for");
    for (;;) {
        int status;
        pid_t got = waitpid(p->pid, &status, timeout_ms < 0 ? 0 : WNOHANG);
        if (got == p->pid) {
            wa_fd_close(&p->pidfd);
            p->pid = 0; /* the number may be another's from now on */
            bool by_signal = WIFSIGNALED(status);
            *ret = (struct wa_exit){by_signal ? WA_EXIT_SIGNAL : WA_EXIT_STATUS,
                                    by_signal ? WTERMSIG(status) : WEXITSTATUS(status)};
            return WA_OK;
        }
        if (got < 0 && errno != EINTR)
            return wa_fail_errno(err, errno, "cannot wait for a child");
        uint64_t now = wa_clock_mono_ms();
        if (got == 0 && now >= until)
            return wa_fail(err, WA_E_AGAIN, "the child still runs");
        if (got != 0)
            continue;
        struct pollfd f = {p->pidfd, POLLIN, 0};
        int left = (int)(until - now);
        (void)poll(&f, 1, p->pidfd >= 0 ? left : (left < 10 ? left : 10));
    }
}

void wa_proc_kill(const struct wa_proc *p, enum wa_proc_end how)
{
    const int signum = how == WA_PROC_ASK ? SIGTERM : how == WA_PROC_RELOAD ? SIGHUP : SIGKILL;
    if (p->pid <= 1)
        return;
    /* Where there is a pidfd the number is not asked: it may be another's by now. */
    if (p->pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, p->pidfd, signum, NULL, 0u);
    else
        (void)kill(p->pid, signum);
}

void wa_proc_reap_others(bool (*is_known)(const void *user, int pid), const void *user)
{
    siginfo_t info = {0};
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
        if (is_known(user, info.si_pid) || waitpid(info.si_pid, NULL, WNOHANG) <= 0)
            return; /* its own turn comes: it ended after the caller looked, and SIGCHLD with it */
        info.si_pid = 0;
    }
}

int wa_proc_own_pid(void)
{
    return getpid();
}

void wa_proc_ignore_broken_pipes(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
}

void wa_proc_keep_private(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

enum wa_code wa_proc_be_subreaper(struct wa_err *err)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        return wa_fail_errno(err, errno, "cannot adopt orphaned processes");
    return WA_OK;
}

enum wa_code wa_socketpair(int ret_fds[2], struct wa_err *err)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_fds) != 0)
        return wa_fail_errno(err, errno, "cannot make a socket pair");
    return WA_OK;
}

enum wa_code wa_pipe(int ret_fds[2], struct wa_err *err)
{
    if (pipe2(ret_fds, O_CLOEXEC) != 0)
        return wa_fail_errno(err, errno, "cannot make a pipe");
    return WA_OK;
}

enum wa_code wa_fd_set_nonblocking(int fd, bool on, struct wa_err *err)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) != 0)
        return wa_fail_errno(err, errno, "cannot change a descriptor");
    return WA_OK;
}

enum wa_code wa_proc_self_path(char *out, struct wa_err *err)
{
    static const char gone[] = " (deleted)"; /* the kernel's word for a file that was replaced */
    ssize_t n = readlink("/proc/self/exe", out, WA_PATH_MAX - 1);
    if (n < 0)
        return wa_fail_errno(err, errno, "cannot find the running program");
    out[n] = '\0';
    if (wa_sv_ends(wa_sv(out), gone) && access(out, F_OK) != 0)
        out[(size_t)n - (sizeof gone - 1)] = '\0';
    return WA_OK;
}

enum wa_code wa_proc_sibling_path(const char *name, char *out, struct wa_err *err)
{
    if (wa_proc_self_path(out, err) != WA_OK)
        return err->code;
    char *slash = strrchr(out, '/');
    size_t room = WA_PATH_MAX - (size_t)(slash - out) - 1;
    if (strlen(name) >= room)
        return wa_fail(err, WA_E_LIMIT, "the path of '%s' is too long", name);
    memcpy(slash + 1, name, strlen(name) + 1);
    return WA_OK;
}
