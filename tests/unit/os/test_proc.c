/* Child processes: they get what was named and nothing else, their end is told truly, and a tree is
 * killed whole.
 *
 * The children are this very program, called with a word that says what to do.
 */
#include "support.h"

#include "os/clock.h"
#include "os/proc.h"

#include <grp.h>
#include <poll.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define OUT 3 /* descriptor of the answers */

/* --- what children do --- */

static void say(const char *fmt, ...) WA_FORMAT(1, 2);
static void say(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vdprintf(OUT, fmt, args);
    va_end(args);
}

static int say_fds(void)
{
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            say("%d ", fd);
    return 0;
}

/* The first byte of each descriptor above the answers'. */
static int say_contents(void)
{
    for (int fd = OUT + 1; fd < 16; fd++) {
        char c = '?';
        say("%c", read(fd, &c, 1) == 1 ? c : '-');
    }
    return 0;
}

static int say_state(void)
{
    extern char **environ;
    sigset_t blocked;
    struct sigaction usr1;
    char cwd[256];
    (void)sigprocmask(SIG_BLOCK, NULL, &blocked);
    (void)sigaction(SIGUSR1, NULL, &usr1);
    say("cwd=%s leader=%d ", getcwd(cwd, sizeof cwd), getsid(0) == getpid());
    say("blocked=%d ignored=%d ", sigismember(&blocked, SIGUSR1), usr1.sa_handler == SIG_IGN);
    for (char **e = environ; *e != NULL; e++)
        say("%s;", *e);
    return 0;
}

static int say_ids(void)
{
    say("%d %d %d", (int)getuid(), (int)getgid(), getgroups(0, NULL));
    return 0;
}

static int say_limits(void)
{
    static const __rlimit_resource_t which[] = {RLIMIT_AS, RLIMIT_FSIZE, RLIMIT_NOFILE};
    for (size_t i = 0; i < WA_COUNT(which); i++) {
        struct rlimit l;
        (void)getrlimit(which[i], &l);
        say("%llu ", (unsigned long long)l.rlim_max);
    }
    return 0;
}

static WA_NORETURN int sleep_for_ever(void)
{
    (void)alarm(HANG_S); /* not inherited by fork: a test that failed leaves nothing behind */
    say(".");
    for (;;)
        (void)pause();
}

/* A daemon as they are made: two forks and a session of its own. wiped: without our environment. */
static int make_daemon(bool then_sleeps, bool wiped)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void)setsid();
        if (fork() != 0)
            _exit(0);
        static char name[] = "daemon", what[] = "sleep";
        static char *const argv[] = {name, what, NULL};
        static char *const none[] = {NULL};
        (void)signal(SIGTERM, SIG_IGN);
        if (wiped)
            (void)execve("/proc/self/exe", argv, none);
        return sleep_for_ever();
    }
    (void)waitpid(pid, NULL, 0);
    return then_sleeps ? sleep_for_ever() : 0;
}

/* A chain of processes that grows while it is being killed. */
static int fork_on(void)
{
    for (int i = 0; i < 500; i++) {
        if (fork() != 0)
            return sleep_for_ever();
        (void)setsid();
        (void)poll(NULL, 0, 1);
    }
    return sleep_for_ever();
}

static int refuse_own_tree(const char *name);

static int do_as_told(const char *what)
{
    if (strcmp(what, "exit") == 0)
        return 7;
    if (strcmp(what, "signal") == 0)
        return raise(SIGTERM);
    if (strcmp(what, "fds") == 0)
        return say_fds();
    if (strcmp(what, "contents") == 0)
        return say_contents();
    if (strcmp(what, "state") == 0)
        return say_state();
    if (strcmp(what, "ids") == 0)
        return say_ids();
    if (strcmp(what, "limits") == 0)
        return say_limits();
    if (strcmp(what, "sleep") == 0)
        return sleep_for_ever();
    if (strcmp(what, "daemon") == 0)
        return make_daemon(false, false);
    if (strcmp(what, "daemon-and-sleep") == 0)
        return make_daemon(true, false);
    if (strcmp(what, "wiped-daemon-and-sleep") == 0)
        return make_daemon(true, true);
    if (strcmp(what, "fork") == 0)
        return fork_on();
    if (strncmp(what, "own:", 4) == 0)
        return refuse_own_tree(what + 4);
    return 99;
}

/* --- the stage --- */

struct run {
    int out[2]; /* [0] ours: ends when the last process of the child's has */
    struct wa_proc proc;
};

static void start_with(struct run *r, struct wa_spawn s, const char *what)
{
    struct wa_err err = WA_ERR_INIT;
    const char *const argv[] = {"child", what, NULL};
    const int fds[] = {-1, -1, 2, -1};
    int given[WA_COUNT(fds)];
    assert_ok(wa_pipe(r->out, &err));
    memcpy(given, fds, sizeof fds);
    given[OUT] = r->out[1];
    s.argv = argv;
    if (s.fds == NULL) {
        s.fds = given;
        s.fd_count = WA_COUNT(given);
    }
    assert_ok(wa_proc_spawn(&s, &r->proc, &err));
    assert_true(r->proc.pid > 1);
    wa_fd_close(&r->out[1]);
}

/* What it says until the last process that holds the pipe has ended. */
static const char *hear(struct run *r, char *out, size_t size)
{
    size_t n = 0;
    for (;;) {
        ssize_t got = read(r->out[0], out + n, size - 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        assert_true(got >= 0);
        if (got == 0 || n + (size_t)got == size - 1)
            break;
        n += (size_t)got;
    }
    out[n] = '\0';
    wa_fd_close(&r->out[0]);
    return out;
}

static void hear_dots(struct run *r, int count)
{
    for (int i = 0; i < count; i++) {
        char c;
        assert_int_equal(read(r->out[0], &c, 1), 1);
    }
}

static struct wa_exit end_of(struct run *r)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_exit e;
    assert_ok(wa_proc_wait(&r->proc, -1, &e, &err));
    assert_int_equal(r->proc.pidfd, -1);
    assert_int_equal(r->proc.pid, 0);
    return e;
}

static const char *say_of(const char *what, struct wa_spawn s, char *out, size_t size)
{
    struct run r;
    start_with(&r, s, what);
    (void)hear(&r, out, size);
    struct wa_exit e = end_of(&r);
    assert_int_equal(e.kind, WA_EXIT_STATUS);
    assert_int_equal(e.value, 0);
    return out;
}

static void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* --- tests --- */

static void test_the_end_is_told_truly(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct run r;
    struct wa_exit e;
    WA_UNUSED(state);
    start_with(&r, (struct wa_spawn){0}, "exit");
    e = end_of(&r);
    assert_int_equal(e.kind, WA_EXIT_STATUS);
    assert_int_equal(e.value, 7);
    wa_fd_close(&r.out[0]);

    start_with(&r, (struct wa_spawn){0}, "signal");
    e = end_of(&r);
    assert_int_equal(e.kind, WA_EXIT_SIGNAL);
    assert_int_equal(e.value, SIGTERM);
    wa_fd_close(&r.out[0]);

    start_with(&r, (struct wa_spawn){0}, "sleep");
    hear_dots(&r, 1);
    assert_code(wa_proc_wait(&r.proc, 0, &e, &err), WA_E_AGAIN);
    assert_code(wa_proc_wait(&r.proc, 5, &e, &err), WA_E_AGAIN);
    wa_proc_kill(&r.proc, SIGKILL);
    e = end_of(&r);
    assert_int_equal(e.kind, WA_EXIT_SIGNAL);
    assert_int_equal(e.value, SIGKILL);
    wa_fd_close(&r.out[0]);
    wa_proc_kill(&r.proc, SIGKILL); /* hits nobody: not even its own process group */
    assert_code(wa_proc_wait(&r.proc, 0, &e, &err), WA_E_NOT_FOUND);
    assert_no_children();
}

static void test_a_program_that_is_not_there(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    const char *const argv[] = {"x", NULL};
    int before = open_fds();
    struct wa_proc p = {.pid = -5};
    WA_UNUSED(state);
    const struct wa_spawn none = {.path = "/nonexistent/program", .argv = argv};
    assert_code(wa_proc_spawn(&none, &p, &err), WA_E_NOT_FOUND);
    const struct wa_spawn no_cwd = {.argv = argv, .cwd = "/nonexistent"};
    assert_code(wa_proc_spawn(&no_cwd, &p, &err), WA_E_NOT_FOUND);
    const struct wa_spawn no_program = {.path = "/etc/passwd", .argv = argv, .tree = "wa-test-x"};
    assert_code(wa_proc_spawn(&no_program, &p, &err), WA_E_DENIED);
    const struct wa_spawn bad_tree = {.argv = argv, .tree = "../x"};
    assert_code(wa_proc_spawn(&bad_tree, &p, &err), WA_E_USAGE);
    assert_int_equal(p.pid, -5);
    assert_int_equal(open_fds(), before);
    assert_no_children();
}

static void test_descriptors_are_exactly_those_given(void **state)
{
    char out[4096];
    int stray[40];
    WA_UNUSED(state);
    /* Without close-on-exec: what would leak from a careless parent. */
    for (size_t i = 0; i < WA_COUNT(stray); i++)
        stray[i] = open("/dev/null", O_RDONLY);
    assert_string_equal(say_of("fds", (struct wa_spawn){0}, out, sizeof out), "0 1 2 3 ");
    for (size_t i = 0; i < WA_COUNT(stray); i++)
        wa_fd_close(&stray[i]);
}

/* Each permutation of the numbers that the parent has, with holes; what is -1 above 2 is closed. */
static void test_descriptors_are_placed_without_clobbering(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    int files[8];
    WA_UNUSED(state);
    for (int i = 0; i < 8; i++) { /* file i holds the letter 'a' + i */
        int fds[2];
        char c = (char)('a' + i);
        assert_ok(wa_pipe(fds, &err));
        assert_int_equal(write(fds[1], &c, 1), 1);
        wa_fd_close(&fds[1]);
        files[i] = fds[0]; /* 3.. : within the range that is being filled */
    }
    const char *const argv[] = {"child", "contents", NULL};
    struct run r;
    char out[64];
    assert_ok(wa_pipe(r.out, &err));
    const int given[] = {-1,       -1, 2,  r.out[1], files[5], files[4],
                         files[3], -1, -1, files[0], files[7], files[1]};
    const struct wa_spawn s = {.argv = argv, .fds = given, .fd_count = WA_COUNT(given)};
    assert_ok(wa_proc_spawn(&s, &r.proc, &err));
    wa_fd_close(&r.out[1]);
    assert_string_equal(hear(&r, out, sizeof out), "fed--ahb----");
    (void)end_of(&r);
    for (int i = 0; i < 8; i++)
        wa_fd_close(&files[i]);
}

static void test_the_state_is_clean(void **state)
{
    static const char *const env[] = {"A=1", "B=two", NULL};
    char out[4096];
    sigset_t usr1;
    WA_UNUSED(state);
    (void)sigemptyset(&usr1);
    (void)sigaddset(&usr1, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &usr1, NULL);
    (void)signal(SIGUSR1, SIG_IGN);
    assert_string_equal(
        say_of("state", (struct wa_spawn){.envp = env, .cwd = "/usr"}, out, sizeof out),
        "cwd=/usr leader=1 blocked=0 ignored=0 A=1;B=two;");
    assert_string_equal(say_of("state", (struct wa_spawn){0}, out, sizeof out),
                        "cwd=/ leader=1 blocked=0 ignored=0 "
                        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin;"
                        "LANG=C.UTF-8;");
    (void)signal(SIGUSR1, SIG_DFL);
    (void)sigprocmask(SIG_UNBLOCK, &usr1, NULL);
}

static void test_identity_and_limits(void **state)
{
    char out[256];
    WA_UNUSED(state);
    struct wa_spawn s = {.limit_file_bytes = 12345, .limit_files = 99};
    (void)say_of("limits", s, out, sizeof out);
    assert_non_null(strstr(out, " 12345 99 "));
    if (geteuid() != 0)
        skip();
    s = (struct wa_spawn){.set_ids = true, .uid = NOBODY, .gid = NOBODY};
    assert_string_equal(say_of("ids", s, out, sizeof out), "65534 65534 0");
    s.user = "nobody"; /* with its groups from the system: its own at least */
    assert_string_equal(say_of("ids", s, out, sizeof out), "65534 65534 1");
}

static int spawn_and_be_killed(void *arg)
{
    struct run r = {.out = {-1, ((const int *)arg)[1]}};
    struct wa_err err = WA_ERR_INIT;
    const char *const argv[] = {"child", "sleep", NULL};
    const int fds[] = {-1, -1, 2, r.out[1]};
    const struct wa_spawn s = {
        .argv = argv, .fds = fds, .fd_count = WA_COUNT(fds), .die_with_parent = true};
    if (wa_proc_spawn(&s, &r.proc, &err) != WA_OK)
        return 1;
    return raise(SIGKILL);
}

static void test_a_child_dies_with_its_parent(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    char out[16];
    struct run r;
    WA_UNUSED(state);
    assert_ok(wa_pipe(r.out, &err));
    int status = in_child(spawn_and_be_killed, r.out);
    assert_true(WIFSIGNALED(status));
    wa_fd_close(&r.out[1]);
    (void)hear(&r, out, sizeof out); /* ends: nobody holds the other end any more */
}

/* --- trees --- */

static void kill_tree(struct run *r)
{
    struct wa_err err = WA_ERR_INIT;
    char out[8192];
    assert_true(r->proc.tree[0] != '\0');
    assert_ok(wa_tree_kill(r->proc.tree, &err));
    (void)hear(r, out, sizeof out); /* the end: no process of the tree holds the pipe */
    assert_ok(wa_tree_kill(r->proc.tree, &err)); /* nothing left is fine */
}

static void reap_all(void)
{
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

static void kill_whole_trees(void)
{
    static const struct {
        const char *what;
        int sleepers;
        bool is_dead_before; /* the first process ends by itself */
    } cases[] = {
        {"sleep", 1, false},
        {"daemon", 1, true},
        {"daemon-and-sleep", 2, false},
        {"wiped-daemon-and-sleep", 2, false},
        {"fork", 3, false},
    };
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct run r;
        char name[64];
        (void)snprintf(name, sizeof name, "wa-test-%d-%zu", (int)getpid(), i);
        start_with(&r, (struct wa_spawn){.tree = name}, cases[i].what);
        hear_dots(&r, cases[i].sleepers);
        if (cases[i].is_dead_before)
            assert_int_equal(end_of(&r).value, 0);
        kill_tree(&r);
        if (strncmp(r.proc.tree, "cg:", 3) == 0)
            assert_int_equal(access(r.proc.tree + 3, F_OK), -1);
        if (!cases[i].is_dead_before)
            assert_int_equal(end_of(&r).value, SIGKILL);
        reap_all();
    }
}

static void test_a_tree_is_killed_whole(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    assert_ok(wa_proc_be_subreaper(&err));
    kill_whole_trees();
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

/* An account that may make no cgroup. */
static int kill_trees_as_nobody(void *arg)
{
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(arg);
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
                           setresuid(NOBODY, NOBODY, NOBODY) != 0))
        return 1;
    assert_ok(wa_proc_be_subreaper(&err));
    struct run r;
    start_with(&r, (struct wa_spawn){.tree = "wa-test-nobody"}, "sleep");
    bool is_marked = strncmp(r.proc.tree, "pg:", 3) == 0;
    hear_dots(&r, 1);
    kill_tree(&r);
    reap_all();
    if (!is_marked)
        return 43; /* a machine that delegates a cgroup to whoever this is */
    kill_whole_trees();
    return 42;
}

static void test_a_tree_without_a_cgroup_is_killed_whole(void **state)
{
    WA_UNUSED(state);
    int status = in_child(kill_trees_as_nobody, NULL);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 43)
        skip();
    assert_int_equal(WEXITSTATUS(status), 42);
}

/* A process that merely has the number that a dead leader had is not of its tree. */
static void test_a_number_alone_kills_nobody(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_exit e;
    struct run r;
    char handle[128];
    WA_UNUSED(state);
    pid_t pid = fork(); /* no session of its own, no mark */
    if (pid == 0) {
        (void)alarm(HANG_S);
        for (;;)
            (void)pause();
    }
    (void)snprintf(handle, sizeof handle, "pg:%d:WAPT_TREE=%032d", (int)pid, 1);
    assert_ok(wa_tree_kill(handle, &err));
    assert_int_equal(kill(pid, 0), 0);
    r.proc = (struct wa_proc){.pid = pid, .pidfd = -1};
    assert_code(wa_proc_wait(&r.proc, 0, &e, &err), WA_E_AGAIN);
    wa_proc_kill(&r.proc, SIGTERM);
    assert_int_equal(end_of(&r).value, SIGTERM);
}

/* Where a guard is missing the kernel ends this child before anything is killed, written or
 * removed: the cgroups are the machine's. */
static bool become_harmless(void)
{
    static const int calls[] = {SCMP_SYS(kill), SCMP_SYS(pidfd_send_signal), SCMP_SYS(rmdir),
                                SCMP_SYS(unlinkat), SCMP_SYS(mkdir)};
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    int rc = ctx == NULL ? -ENOMEM : 0;
    for (size_t i = 0; rc == 0 && i < WA_COUNT(calls); i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, calls[i], 0);
    if (rc == 0)
        rc = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(openat), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, O_WRONLY));
    if (rc == 0)
        rc = seccomp_load(ctx);
    seccomp_release(ctx);
    return rc == 0;
}

static int refuse_handles(void *arg)
{
    static const char *const handles[] = {
        "",
        "x",
        "cg:",
        "cg:/",
        "cg:/tmp",
        "cg:/sys/fs/cgroup",
        "cg:/sys/fs/cgroup/",
        "cg:/sys/fs/cgroup/.",
        "cg:/sys/fs/cgroup/freezer",
        "cg:/sys/fs/cgroup/unified/",
        "cg:/sys/fs/cgroup/system.slice",
        "cg:/sys/fs/cgroup/system.slice/ssh.service",
        "cg:/sys/fs/cgroup/wa-tree.",
        "cg:/sys/fs/cgroup/wa-tree./",
        "cg:/sys/fs/cgroup/wa-tree.A",
        "cg:/sys/fs/cgroup/wa-tree.x/",
        "cg:/sys/fs/cgroup/wa-tree.x/..",
        "cg:/sys/fs/cgroup/../cgroup/wa-tree.x",
        "cg:/sys/fs/cgroup//wa-tree.x",
        "cg:/tmp/wa-tree.x",
        "cg:wa-tree.x",
        "pg:",
        "pg:2",
        "pg:12:",
        "pg:1:abc",
        "pg:-1:WAPT_TREE=00000000000000000000000000000000",
        "pg:0:WAPT_TREE=00000000000000000000000000000000",
        "pg:1:WAPT_TREE=00000000000000000000000000000000",
        "pg:12:PATH=/usr/local/sbin:/usr/local/bin:/usr/s",
        "pg:12:WAPT_TREE=0000000000000000000000000000000g",
        "pg:4294967298:WAPT_TREE=00000000000000000000000000000000",
    };
    WA_UNUSED(arg);
    if (!become_harmless())
        return 1;
    for (size_t i = 0; i < WA_COUNT(handles); i++) {
        struct wa_err err = WA_ERR_INIT;
        if (wa_tree_kill(handles[i], &err) != WA_E_USAGE)
            fail_msg("'%s': %s", handles[i], err.text);
    }
    return 42;
}

static void test_only_trees_of_our_making_are_killed(void **state)
{
    WA_UNUSED(state);
    int status = in_child(refuse_handles, NULL);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

/* A child asks to kill the tree that it is in: it would be the machine's own if the name were. */
static int refuse_own_tree(const char *name)
{
    struct wa_err err = WA_ERR_INIT;
    char handle[256];
    (void)snprintf(handle, sizeof handle, "cg:/sys/fs/cgroup/freezer/wa-tree.%s", name);
    if (!become_harmless())
        return 1;
    return wa_tree_kill(handle, &err) == WA_E_USAGE ? 0 : 2;
}

static void test_nobody_kills_the_tree_it_is_in(void **state)
{
    struct run r;
    char name[64], what[80], out[16];
    WA_UNUSED(state);
    (void)snprintf(name, sizeof name, "wa-test-%d-own", (int)getpid());
    (void)snprintf(what, sizeof what, "own:%s", name);
    start_with(&r, (struct wa_spawn){.tree = name}, what);
    struct wa_exit e = end_of(&r);
    (void)hear(&r, out, sizeof out);
    bool is_cgroup = strncmp(r.proc.tree, "cg:", 3) == 0;
    struct wa_err err = WA_ERR_INIT;
    assert_ok(wa_tree_kill(r.proc.tree, &err));
    if (!is_cgroup)
        skip();
    assert_int_equal(e.kind, WA_EXIT_STATUS);
    assert_int_equal(e.value, 0);
}

static void test_paths_of_programs(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    char self[WA_PATH_MAX], sibling[WA_PATH_MAX];
    WA_UNUSED(state);
    assert_ok(wa_proc_self_path(self, &err));
    assert_int_equal(self[0], '/');
    assert_int_equal(access(self, X_OK), 0);
    assert_ok(wa_proc_sibling_path("other", sibling, &err));
    assert_int_equal(strncmp(self, sibling, (size_t)(strrchr(self, '/') - self) + 1), 0);
    assert_string_equal(strrchr(sibling, '/'), "/other");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        (void)alarm(HANG_S);
        return do_as_told(argv[1]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_end_is_told_truly),
        cmocka_unit_test(test_a_program_that_is_not_there),
        cmocka_unit_test(test_descriptors_are_exactly_those_given),
        cmocka_unit_test(test_descriptors_are_placed_without_clobbering),
        cmocka_unit_test(test_the_state_is_clean),
        cmocka_unit_test(test_identity_and_limits),
        cmocka_unit_test(test_a_child_dies_with_its_parent),
        cmocka_unit_test(test_a_tree_is_killed_whole),
        cmocka_unit_test(test_a_tree_without_a_cgroup_is_killed_whole),
        cmocka_unit_test(test_a_number_alone_kills_nobody),
        cmocka_unit_test(test_only_trees_of_our_making_are_killed),
        cmocka_unit_test(test_nobody_kills_the_tree_it_is_in),
        cmocka_unit_test(test_paths_of_programs),
    };
    return cmocka_run_group_tests_name("os/proc", tests, NULL, NULL);
}
