/* Giving up power: each profile is entered in a child, as root and as an ordinary account, and then
 * tries what it may and what it may not.
 *
 * What is left then is in test_priv_left.c.
 */
#include "confine.h"

#include "os/proc.h"
#include "os/thread.h"

#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* --- attempts: 0, or errno --- */

static int passed_pair[2];

static int truncate_outside(void)
{
    return truncate(outside, 4) != 0 ? errno : 0;
}

static int remove_outside(void)
{
    return unlink(outside) != 0 ? errno : 0;
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

static int datagram(void)
{
    return try_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
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

static int own_signals(void)
{
    return fcntl(passed_pair[0], F_SETOWN, getppid()) != 0 ? errno : 0;
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
    {datagram, "datagram socket"},
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
    {own_signals, "signals by fcntl"},
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
    {"io", IO, PATHS_NONE, /*                        */ "+ -- ----- - ------ - --- x -- -- ---"},
    {"fds", WA_PRIV_FDS, PATHS_NONE, /*              */ "+ -- ----- - ------ + --- x -- -- ---"},
    {"read", WA_PRIV_FS_READ, PATHS_ROOM, /*         */ "+ +- ----- - ------ - --- x -- -- ---"},
    {"write", WA_PRIV_FS_READ | WA_PRIV_FS_WRITE, PATHS_ROOM,
     /*                                              */ "+ +- ++-3- + ------ - --- x -- -- ---"},
    {"threads", WA_PRIV_THREADS, PATHS_NONE, /*      */ "+ -- ----- - ------ - +-- x -- -- ---"},
    {"net", WA_PRIV_NET | WA_PRIV_THREADS | WA_PRIV_FS_READ, PATHS_ROOM,
     /*                                              */ "+ +- ----- - ++++-- + +-- x -- -- ---"},
    {"local", WA_PRIV_LOCAL, PATHS_NONE, /*          */ "+ -- ----- - --++-- + --- x -- -- ---"},
    {"datagram", WA_PRIV_DATAGRAM, PATHS_NONE, /*    */ "+ -- ----- - -+-+-- + --- x -- -- ---"},
    {"spawn", WA_PRIV_SPAWN | WA_PRIV_FS_READ, PATHS_SYSTEM,
     /*                                              */ "+ -- ----- - ------ - ++- + ++ 66 ---"},
    {"limits", WA_PRIV_LIMITS, PATHS_NONE, /*        */ "+ -- ----- - ------ - --- x -- -- -+-"},
    {"all but spawn",
     WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_NET | WA_PRIV_LOCAL | WA_PRIV_FDS |
         WA_PRIV_THREADS | WA_PRIV_IDS,
     PATHS_ROOM, /*                                  */ "+ +- ++-3- + +++++- + +-- x -- -- +--"},
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
        if (has_accounts())
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

#define T(f) cmocka_unit_test_setup_teardown(f, room_setup, room_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_profiles),
        T(test_hostile_calls_kill),
        T(test_unknown_calls_are_refused_alive),
    };
    return cmocka_run_group_tests_name("os/priv", tests, NULL, NULL);
}
