/* Giving up power: each profile is entered in a child, as root and as an ordinary account, and then
 * tries what it may and what it may not.
 *
 * Every attempt is harmless where it is not stopped: bad addresses, empty lists, signal 0.
 */
#include "support.h"

#include "os/priv.h"
#include "os/proc.h"
#include "os/thread.h"

#include <grp.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define NOT_CONFINED 250 /* exit statuses of children that did not get as far */
#define TOLD 251

/* --- attempts: 0, or errno --- */

static char inside[WA_PATH_MAX + 16], outside[WA_PATH_MAX + 16], fresh[WA_PATH_MAX + 16];
static int passed_pair[2];

static int try_open(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    return fd < 0 ? errno : close(fd);
}

static int read_inside(void)
{
    return try_open(inside, O_RDONLY);
}

static int read_outside(void)
{
    return try_open(outside, O_RDONLY);
}

static int write_inside(void)
{
    return try_open(inside, O_WRONLY);
}

static int create_inside(void)
{
    return try_open(fresh, O_RDWR | O_CREAT | O_EXCL);
}

static int write_outside(void)
{
    return try_open(outside, O_WRONLY | O_APPEND);
}

static int truncate_outside(void)
{
    return truncate(outside, 4) != 0 ? errno : 0;
}

static int remove_outside(void)
{
    return unlink(outside) != 0 ? errno : 0;
}

static int remove_inside(void)
{
    return unlink(inside) != 0 ? errno : 0;
}

static int try_socket(int family, int type, int protocol)
{
    int fd = socket(family, type, protocol);
    return fd < 0 ? errno : close(fd);
}

static int tcp(void)
{
    return try_socket(AF_INET6, SOCK_STREAM, 0);
}

static int local(void)
{
    return try_socket(AF_UNIX, SOCK_STREAM, 0);
}

static int route(void)
{
    return try_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static int audit(void)
{
    return try_socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);
}

static int packet(void)
{
    return try_socket(AF_PACKET, SOCK_DGRAM, 0);
}

static int send_message(void)
{
    return send(passed_pair[0], "x", 1, MSG_NOSIGNAL) != 1 ? errno : 0;
}

static void nothing(void *user)
{
    WA_UNUSED(user);
}

static int thread(void)
{
    struct wa_thread *t;
    struct wa_err err = WA_ERR_INIT;
    if (wa_thread_start(nothing, NULL, &t, &err) != WA_OK)
        return EPERM;
    wa_thread_join(t);
    return 0;
}

static int fork_one(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0 ? errno : waitpid(pid, NULL, 0) == pid ? 0 : errno;
}

static int new_namespace(void)
{
    long pid = syscall(SYS_clone, (unsigned long)CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    return pid < 0 ? errno : 0;
}

static int exec_true(void)
{
    static char name[] = "true";
    static char *const argv[] = {name, NULL}, *const none[] = {NULL};
    (void)execve("/bin/true", argv, none);
    return errno;
}

static int writable_code(void)
{
    void *p =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? errno : 0;
}

static int data_to_code(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? ENOMEM : mprotect(p, 4096, PROT_READ | PROT_EXEC) != 0 ? errno : 0;
}

static int signal_parent(void)
{
    return kill(getppid(), 0) != 0 ? errno : 0;
}

static int signal_parents_thread(void)
{
    return syscall(SYS_tgkill, getppid(), getppid(), 0) != 0 ? errno : 0;
}

static int change_group(void)
{
    return setgid(getgid()) != 0 ? errno : 0;
}

static int set_a_limit(void)
{
    static const struct rlimit l = {64, 64};
    return setrlimit(RLIMIT_NOFILE, &l) != 0 ? errno : 0;
}

/* What every process of ours does. */
static int ordinary_work(void)
{
    struct stat st;
    int fds[2];
    char *p = malloc(1u << 20);
    if (p == NULL || pipe2(fds, O_CLOEXEC) != 0 || write(fds[1], "x", 1) != 1 ||
        read(fds[0], p, 1) != 1 || fstat(fds[0], &st) != 0 || fcntl(fds[0], F_GETFL) < 0)
        return errno;
    free(p);
    return raise(0) != 0 ? errno : 0;
}

static const struct attempt {
    int (*fn)(void);
    const char *name;
} attempts[] = {
    {ordinary_work, "ordinary work"},
    {read_inside, "read inside"},
    {read_outside, "read outside"},
    {write_inside, "write inside"},
    {create_inside, "create inside"},
    {write_outside, "write outside"},
    {truncate_outside, "truncate outside"},
    {remove_outside, "remove outside"},
    {remove_inside, "remove inside"},
    {tcp, "TCP socket"},
    {local, "Unix socket"},
    {route, "netlink socket for routes"},
    {audit, "netlink socket for audit"},
    {packet, "packet socket"},
    {send_message, "message to another process"},
    {thread, "thread"},
    {fork_one, "fork"},
    {new_namespace, "namespace"},
    {exec_true, "exec"},
    {writable_code, "writable code"},
    {data_to_code, "data made code"},
    {signal_parent, "signal to the parent"},
    {signal_parents_thread, "signal to the parent's thread"},
    {change_group, "change of group"},
    {set_a_limit, "setting a limit"},
};

/* --- profiles, and what comes of each attempt: + works, - is refused, x kills; a digit: refused
 * from that version of landlock on --- */

enum { IO = 0, PATHS_NONE = 0, PATHS_ROOM = 1, PATHS_SYSTEM = 2 };

static const struct profile {
    const char *name;
    unsigned allow;
    int paths;
    const char *expected;
} profiles[] = {
    /*                                                  rd  wr           sockets  msg  spawn  code
     */
    {"io", IO, PATHS_NONE, /*                        */ "+ -- ----- - ----- - --- x -- -- --"},
    {"fds", WA_PRIV_FDS, PATHS_NONE, /*              */ "+ -- ----- - ----- + --- x -- -- --"},
    {"read", WA_PRIV_FS_READ, PATHS_ROOM, /*         */ "+ +- ----- - ----- - --- x -- -- --"},
    {"write", WA_PRIV_FS_READ | WA_PRIV_FS_WRITE, PATHS_ROOM,
     /*                                              */ "+ +- ++-3- + ----- - --- x -- -- --"},
    {"threads", WA_PRIV_THREADS, PATHS_NONE, /*      */ "+ -- ----- - ----- - +-- x -- -- --"},
    {"net", WA_PRIV_NET | WA_PRIV_THREADS | WA_PRIV_FS_READ, PATHS_ROOM,
     /*                                              */ "+ +- ----- - +++-- + +-- x -- -- --"},
    {"local", WA_PRIV_LOCAL, PATHS_NONE, /*          */ "+ -- ----- - -++-- + --- x -- -- --"},
    {"spawn", WA_PRIV_SPAWN | WA_PRIV_FS_READ, PATHS_SYSTEM,
     /*                                              */ "+ -- ----- - ----- - ++- + ++ 66 --"},
    {"all but spawn",
     WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_NET | WA_PRIV_LOCAL | WA_PRIV_FDS |
         WA_PRIV_THREADS | WA_PRIV_IDS,
     PATHS_ROOM, /*                                  */ "+ +- ++-3- + ++++- + +-- x -- -- +-"},
};

static struct wa_priv profile_of(const struct profile *p, bool is_nobody, const char *const *room)
{
    static const char *const programs[] = {"/bin", "/usr", "/lib", "/lib64", "/etc/ld.so.cache",
                                           NULL};
    const char *const *paths = p->paths == PATHS_ROOM     ? room
                               : p->paths == PATHS_SYSTEM ? programs
                                                          : NULL;
    return (struct wa_priv){.name = p->name,
                            .allow = p->allow,
                            .set_ids = is_nobody,
                            .uid = NOBODY,
                            .gid = NOBODY,
                            .read_paths = paths,
                            .write_paths = p->paths == PATHS_ROOM ? room : NULL,
                            .no_core = true};
}

static long landlock_version(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
}

struct scene {
    struct wa_priv priv;
    int (*fn)(void);
    char line[WA_PRIV_LINE_MAX];
};

static int attempt_confined(void *arg)
{
    struct scene *s = arg;
    struct wa_err err = WA_ERR_INIT;
    if (wa_priv_drop(&s->priv, s->line, &err) != WA_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return NOT_CONFINED;
    }
    return s->fn();
}

/* '+', '-' or 'x'; anything else is told. */
static char outcome(int status, char *told, size_t size)
{
    (void)snprintf(told, size, "status %#x", (unsigned)status);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? 'x' : '!';
    if (WEXITSTATUS(status) == 0)
        return '+';
    (void)snprintf(told, size, "%s", strerror(WEXITSTATUS(status)));
    return WEXITSTATUS(status) == EPERM || WEXITSTATUS(status) == EACCES ? '-' : '!';
}

/* Files that every account may use, so that only the confinement stands in the way. */
static void furnish(struct room *r)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath in = rel("in"), out = rel("out");
    (void)snprintf(inside, sizeof inside, "%s/in/file", r->path);
    (void)snprintf(fresh, sizeof fresh, "%s/in/fresh", r->path);
    (void)snprintf(outside, sizeof outside, "%s/out/file", r->path);
    assert_ok(wa_dir_make_sub(&r->dir, &in, 0777, &err));
    assert_ok(wa_dir_make_sub(&r->dir, &out, 0777, &err));
    put_file(r, "in/file", "text");
    put_file(r, "out/file", "text");
    assert_int_equal(chmod(r->path, 0755), 0);
    assert_int_equal(fchmodat(r->dir.fd, "in", 0777, 0), 0);
    assert_int_equal(fchmodat(r->dir.fd, "out", 0777, 0), 0);
    assert_int_equal(chmod(inside, 0666), 0);
    assert_int_equal(chmod(outside, 0666), 0);
    (void)unlink(fresh);
}

static void enter_profile(struct room *r, const struct profile *p, bool is_nobody)
{
    char dir[WA_PATH_MAX + 16];
    (void)snprintf(dir, sizeof dir, "%s/in", r->path);
    const char *const room[] = {dir, "/nonexistent", NULL};
    const char *expected = p->expected;
    for (size_t i = 0; i < WA_COUNT(attempts); i++, expected++) {
        char told[64];
        struct scene s = {.priv = profile_of(p, is_nobody, room), .fn = attempts[i].fn};
        furnish(r);
        while (*expected == ' ')
            expected++;
        char got = outcome(in_child(attempt_confined, &s), told, sizeof told);
        bool is_digit = *expected >= '0' && *expected <= '9';
        bool is_due = !is_digit || landlock_version() >= *expected - '0';
        if (is_due && got != (is_digit ? '-' : *expected))
            fail_msg("%s, %s: %s: %c instead of %c (%s)", p->name, is_nobody ? "nobody" : "root",
                     attempts[i].name, got, *expected, told);
    }
    assert_int_equal(*expected, '\0');
}

static void test_profiles(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    if (landlock_version() < 1) /* "outside" needs it */
        skip();
    assert_ok(wa_socketpair(passed_pair, &err));
    for (size_t i = 0; i < WA_COUNT(profiles); i++) {
        enter_profile(*state, &profiles[i], false);
        if (geteuid() == 0)
            enter_profile(*state, &profiles[i], true);
    }
    wa_fd_close(&passed_pair[0]);
    wa_fd_close(&passed_pair[1]);
}

/* --- what only an attacker calls --- */

#define BAD 1 /* an address that is none */

static const struct call {
    const char *name;
    long number, a, b, c, d;
} deadly[] = {
    {"ptrace", SYS_ptrace, PTRACE_TRACEME, 0, 0, 0},
    {"process_vm_readv", SYS_process_vm_readv, 0, 0, 0, 0},
    {"process_vm_writev", SYS_process_vm_writev, 0, 0, 0, 0},
    {"pidfd_getfd", SYS_pidfd_getfd, -1, -1, 0, 0},
    {"kcmp", SYS_kcmp, 0, 0, 99, 0},
    {"mount", SYS_mount, BAD, BAD, BAD, 0},
    {"umount2", SYS_umount2, BAD, 0, 0, 0},
    {"fsopen", SYS_fsopen, BAD, 0, 0, 0},
    {"open_tree", SYS_open_tree, -1, BAD, 0, 0},
    {"move_mount", SYS_move_mount, -1, BAD, -1, BAD},
    {"pivot_root", SYS_pivot_root, BAD, BAD, 0, 0},
    {"chroot", SYS_chroot, BAD, 0, 0, 0},
    {"unshare", SYS_unshare, 0, 0, 0, 0},
    {"setns", SYS_setns, -1, 0, 0, 0},
    {"open_by_handle_at", SYS_open_by_handle_at, -1, BAD, 0, 0},
    {"mknodat", SYS_mknodat, -1, BAD, 0, 0},
    {"bpf", SYS_bpf, -1, BAD, 0, 0},
    {"perf_event_open", SYS_perf_event_open, BAD, 0, 0, -1},
    {"userfaultfd", SYS_userfaultfd, -1, 0, 0, 0},
    {"keyctl", SYS_keyctl, -1, 0, 0, 0},
    {"add_key", SYS_add_key, BAD, BAD, 0, 0},
    {"request_key", SYS_request_key, BAD, BAD, 0, 0},
    {"init_module", SYS_init_module, BAD, 0, BAD, 0},
    {"finit_module", SYS_finit_module, -1, BAD, 0, 0},
    {"delete_module", SYS_delete_module, BAD, 0, 0, 0},
    {"kexec_load", SYS_kexec_load, 0, 99, BAD, 0},
    {"personality", SYS_personality, 0xffffffff, 0, 0, 0},
    {"syslog", SYS_syslog, 99, 0, 0, 0},
    {"reboot", SYS_reboot, 0, 0, 0, 0},
    {"swapon", SYS_swapon, BAD, 0, 0, 0},
    {"acct", SYS_acct, BAD, 0, 0, 0},
    {"sethostname", SYS_sethostname, BAD, -1, 0, 0},
    {"settimeofday", SYS_settimeofday, BAD, BAD, 0, 0},
    {"clock_settime", SYS_clock_settime, 99, BAD, 0, 0},
#if defined(__x86_64__)
    {"iopl", SYS_iopl, 0, 0, 0, 0},
    {"getpid of the x32 architecture", 0x40000000L | SYS_getpid, 0, 0, 0, 0},
#endif
};

static const struct call *the_call;

static int make_the_call(void)
{
    return syscall(the_call->number, the_call->a, the_call->b, the_call->c, the_call->d) < 0 ? errno
                                                                                             : 0;
}

static void test_hostile_calls_kill(void **state)
{
    const struct profile *all = &profiles[WA_COUNT(profiles) - 1];
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(deadly); i++) {
        char told[64];
        struct scene s = {.priv = profile_of(all, false, NULL), .fn = make_the_call};
        the_call = &deadly[i];
        if (outcome(in_child(attempt_confined, &s), told, sizeof told) != 'x')
            fail_msg("%s: %s", the_call->name, told);
    }
}

static int make_many_calls(void)
{
    static const long numbers[] = {SYS_io_uring_setup, SYS_openat2,     SYS_clone3,
                                   SYS_memfd_create,   SYS_setpriority, 9999};
    for (size_t i = 0; i < WA_COUNT(numbers); i++)
        if (syscall(numbers[i], BAD, BAD, 0, 0) >= 0 || (errno != EPERM && errno != ENOSYS))
            return 1 + (int)i;
    return 0;
}

/* Libraries probe for newer calls: they get an answer and take the older ones. */
static void test_unknown_calls_are_refused_alive(void **state)
{
    struct scene s = {.priv = {.name = "x", .allow = WA_PRIV_FS_READ}, .fn = make_many_calls};
    WA_UNUSED(state);
    int status = in_child(attempt_confined, &s);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- what is left --- */

static char status_text[8192];

static int has_line(const char *key, const char *value)
{
    char line[256];
    (void)snprintf(line, sizeof line, "\n%s:\t%s\n", key, value);
    if (strstr(status_text, line) != NULL)
        return 1;
    (void)fprintf(stderr, "not in /proc/self/status: %s", line);
    return 0;
}

static int read_status(void)
{
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, status_text, sizeof status_text - 1);
    return n > 0 ? 0 : errno;
}

#define NO_CAPS "0000000000000000"

static int is_stripped(void)
{
    struct rlimit files, core;
    if (read_status() != 0 || getrlimit(RLIMIT_NOFILE, &files) != 0 ||
        getrlimit(RLIMIT_CORE, &core) != 0)
        return 1;
    return has_line("Uid", "65534\t65534\t65534\t65534") &&
                   has_line("Gid", "65534\t65534\t65534\t65534") && has_line("Groups", " ") &&
                   has_line("CapInh", NO_CAPS) && has_line("CapPrm", NO_CAPS) &&
                   has_line("CapEff", NO_CAPS) && has_line("CapBnd", NO_CAPS) &&
                   has_line("CapAmb", NO_CAPS) && has_line("NoNewPrivs", "1") &&
                   has_line("Seccomp", "2") && files.rlim_max == 64 && core.rlim_max == 0 &&
                   prctl(PR_GET_DUMPABLE) == 0
               ? 0
               : 2;
}

static int keeps_work_on_files(void)
{
    const char *caps = "000000000000000b"; /* CHOWN, DAC_OVERRIDE, FOWNER */
    return read_status() == 0 && has_line("Uid", "0\t0\t0\t0") && has_line("CapPrm", caps) &&
                   has_line("CapEff", caps) && has_line("CapBnd", caps) &&
                   has_line("NoNewPrivs", "1") && has_line("Seccomp", "2")
               ? 0
               : 2;
}

static void test_nothing_is_left_of_root(void **state)
{
    static const char *const proc[] = {"/proc", NULL};
    struct scene s = {.priv = {.name = "x",
                               .allow = WA_PRIV_FS_READ,
                               .set_ids = true,
                               .uid = NOBODY,
                               .gid = NOBODY,
                               .read_paths = proc,
                               .limit_files = 64,
                               .no_core = true},
                      .fn = is_stripped};
    WA_UNUSED(state);
    if (geteuid() != 0)
        skip();
    const gid_t groups[] = {1, 2};
    assert_int_equal(setgroups(2, groups), 0);
    int status = in_child(attempt_confined, &s);
    assert_int_equal(setgroups(0, NULL), 0);
    assert_int_equal(status, 0);
    s.priv.set_ids = false;
    s.priv.allow |= WA_PRIV_FS_WRITE;
    s.fn = keeps_work_on_files;
    assert_int_equal(in_child(attempt_confined, &s), 0);
}

/* --- the line, and refusals to go on --- */

static const char *line_start;

static int check_line(void *arg)
{
    struct scene *s = arg;
    int rc = attempt_confined(arg);
    if (rc == NOT_CONFINED || strncmp(s->line, line_start, strlen(line_start)) == 0)
        return rc;
    (void)fprintf(stderr, "%s\n", s->line);
    return TOLD;
}

/* Makes system calls fail as on a kernel that has not got them. */
static bool take_away(const int *calls, size_t n, bool prctl_too)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    int rc = ctx == NULL ? -1 : 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), calls[i], 0);
    if (rc == 0 && prctl_too)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
                              SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP));
    if (rc == 0)
        rc = seccomp_load(ctx);
    seccomp_release(ctx);
    return rc == 0;
}

static int without_landlock(void *arg)
{
    static const int calls[] = {SCMP_SYS(landlock_create_ruleset)};
    return take_away(calls, WA_COUNT(calls), false) ? check_line(arg) : TOLD;
}

static void test_the_line_says_what_is_left(void **state)
{
    static const char *const paths[] = {"/usr", "/nonexistent", NULL};
    struct scene s = {.priv = {.name = "waptservice/x",
                               .allow = WA_PRIV_FS_READ | WA_PRIV_THREADS,
                               .set_ids = geteuid() == 0,
                               .uid = NOBODY,
                               .gid = NOBODY,
                               .read_paths = paths},
                      .fn = ordinary_work};
    WA_UNUSED(state);
    if (geteuid() != 0 || landlock_version() < 1)
        skip();
    char text[256];
    (void)snprintf(text, sizeof text,
                   "waptservice/x: uid 65534, 0 capabilities, no new privileges, "
                   "seccomp(io,fs-read,threads), landlock abi %ld (read 1, write 0)",
                   landlock_version());
    line_start = text;
    assert_int_equal(in_child(check_line, &s), 0);
}

static void test_a_kernel_without_landlock(void **state)
{
    static const struct {
        unsigned allow;
        int (*fn)(void);
        char expected;
    } cases[] = {
        {WA_PRIV_FS_READ, ordinary_work, '+'}, {WA_PRIV_FS_READ, read_outside, '+'},
        {WA_PRIV_FS_READ, write_inside, '-'},  {WA_PRIV_FS_READ, create_inside, '-'},
        {WA_PRIV_FS_READ, remove_inside, '-'}, {WA_PRIV_FDS, read_outside, '-'},
        {WA_PRIV_FDS, write_outside, '-'},
    };
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        char told[64];
        struct scene s = {.priv = {.name = "x", .allow = cases[i].allow}, .fn = cases[i].fn};
        furnish(*state);
        line_start = "x: ";
        char got = outcome(in_child(without_landlock, &s), told, sizeof told);
        if (got != cases[i].expected)
            fail_msg("case %zu: %s", i, told);
    }
}

static int says_landlock_none(void *arg)
{
    struct scene *s = arg;
    int rc = without_landlock(arg);
    return rc != 0 ? rc : strstr(s->line, "landlock none") != NULL ? 0 : TOLD;
}

static void test_the_line_says_that_landlock_is_missing(void **state)
{
    struct scene s = {.priv = {.name = "x"}, .fn = ordinary_work};
    WA_UNUSED(state);
    line_start = "x: ";
    assert_int_equal(in_child(says_landlock_none, &s), 0);
}

static int without_seccomp(void *arg)
{
    static const int calls[] = {SCMP_SYS(seccomp)};
    struct scene *s = arg;
    struct wa_err err = WA_ERR_INIT;
    if (!take_away(calls, WA_COUNT(calls), true))
        return TOLD;
    enum wa_code code = wa_priv_drop(&s->priv, s->line, &err);
    return code != WA_OK && strstr(err.text, "seccomp") != NULL && s->line[0] == '\0' ? 42 : 1;
}

static void test_without_seccomp_nothing_runs(void **state)
{
    struct scene s = {.priv = {.name = "x"}, .fn = ordinary_work};
    WA_UNUSED(state);
    int status = in_child(without_seccomp, &s);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

static void wait_on_pipe(void *user)
{
    char c;
    (void)!read(*(int *)user, &c, 1);
}

static int with_a_thread(void *arg)
{
    struct scene *s = arg;
    struct wa_err err = WA_ERR_INIT;
    struct wa_thread *t;
    int fds[2];
    assert_ok(wa_pipe(fds, &err));
    assert_ok(wa_thread_start(wait_on_pipe, &fds[0], &t, &err));
    assert_code(wa_priv_drop(&s->priv, s->line, &err), WA_E_INTERNAL);
    wa_fd_close(&fds[1]);
    wa_thread_join(t);
    return 42;
}

/* Confinement is a thread's own: one that was started before would stay free. */
static void test_other_threads_forbid_it(void **state)
{
    struct scene s = {.priv = {.name = "x"}};
    WA_UNUSED(state);
    int status = in_child(with_a_thread, &s);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

static int become_someone_else(void *arg)
{
    struct scene *s = arg;
    struct wa_err err = WA_ERR_INIT;
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
                           setresuid(NOBODY, NOBODY, NOBODY) != 0))
        return 1;
    assert_int_not_equal(wa_priv_drop(&s->priv, s->line, &err), WA_OK);
    return 42;
}

static void test_who_is_not_root_becomes_nobody_else(void **state)
{
    struct scene s = {.priv = {.name = "x", .set_ids = true, .uid = 12345, .gid = 12345}};
    WA_UNUSED(state);
    int status = in_child(become_someone_else, &s);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

#define T(f) cmocka_unit_test_setup_teardown(f, room_setup, room_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_profiles),
        T(test_hostile_calls_kill),
        T(test_unknown_calls_are_refused_alive),
        T(test_nothing_is_left_of_root),
        T(test_the_line_says_what_is_left),
        T(test_a_kernel_without_landlock),
        T(test_the_line_says_that_landlock_is_missing),
        T(test_without_seccomp_nothing_runs),
        T(test_other_threads_forbid_it),
        T(test_who_is_not_root_becomes_nobody_else),
    };
    return cmocka_run_group_tests_name("os/priv", tests, NULL, NULL);
}
