/* Child processes: they get what was named and nothing else, and their end is told truly. */
#include "child.h"

#include <sys/resource.h>

/* --- what children do --- */

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
    return 99;
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
    wa_proc_kill(&r.proc, WA_PROC_KILL);
    e = end_of(&r);
    assert_int_equal(e.kind, WA_EXIT_SIGNAL);
    assert_int_equal(e.value, SIGKILL);
    wa_fd_close(&r.out[0]);
    wa_proc_kill(&r.proc, WA_PROC_KILL); /* hits nobody: not even its own process group */
    assert_code(wa_proc_wait(&r.proc, 0, &e, &err), WA_E_NOT_FOUND);
    assert_no_children();
}

/* The child was reaped behind our back, and its number now belongs to another process. */
static void test_a_number_of_another_is_not_killed(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct run gone, other;
    struct wa_exit e;
    WA_UNUSED(state);
    start_with(&gone, (struct wa_spawn){.cwd = NULL}, "exit");
    start_with(&other, (struct wa_spawn){.cwd = NULL}, "sleep");
    hear_dots(&other, 1);
    assert_true(gone.proc.pidfd >= 0);
    assert_int_equal(waitpid(gone.proc.pid, NULL, 0), gone.proc.pid);
    gone.proc.pid = other.proc.pid;
    wa_proc_kill(&gone.proc, WA_PROC_KILL);
    assert_code(wa_proc_wait(&other.proc, 200, &e, &err), WA_E_AGAIN);
    wa_proc_kill(&other.proc, WA_PROC_KILL);
    assert_int_equal(end_of(&other).value, SIGKILL);
    wa_fd_close(&gone.proc.pidfd);
    wa_fd_close(&gone.out[0]);
    wa_fd_close(&other.out[0]);
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
    if (!has_accounts())
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
        cmocka_unit_test(test_a_number_of_another_is_not_killed),
        cmocka_unit_test(test_a_program_that_is_not_there),
        cmocka_unit_test(test_descriptors_are_exactly_those_given),
        cmocka_unit_test(test_descriptors_are_placed_without_clobbering),
        cmocka_unit_test(test_the_state_is_clean),
        cmocka_unit_test(test_identity_and_limits),
        cmocka_unit_test(test_a_child_dies_with_its_parent),
        cmocka_unit_test(test_paths_of_programs),
    };
    return cmocka_run_group_tests_name("os/proc", tests, NULL, NULL);
}
