/* Process trees: killed whole, with cgroups and without, and nothing but them. */
#include "child.h"

#include <poll.h>
#include <seccomp.h>
#include <sys/prctl.h>

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
    uid_t uid = NOBODY;
    if (geteuid() == 0 && become(&uid) != 0)
        return 43;
    assert_ok(wa_proc_be_subreaper(&err));
    struct run r;
    start_with(&r, (struct wa_spawn){.tree = "wa-test-nobody"}, "sleep");
    bool is_marked = strncmp(r.proc.tree, "pg:", 3) == 0;
    hear_dots(&r, 1);
    kill_tree(&r);
    reap_all();
    if (!is_marked)
        return 43; /* this machine delegates a cgroup to whoever that is */
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
    wa_proc_kill(&r.proc, WA_PROC_ASK);
    assert_int_equal(end_of(&r).value, SIGTERM);
}

/* Two trees of one name, as two services on one machine may ask for: neither is in the other's. */
static void test_one_name_makes_two_trees(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_exit e;
    struct run first, second;
    WA_UNUSED(state);
    start_with(&first, (struct wa_spawn){.tree = "wa-test-twice"}, "sleep");
    start_with(&second, (struct wa_spawn){.tree = "wa-test-twice"}, "sleep");
    hear_dots(&first, 1);
    hear_dots(&second, 1);
    assert_string_not_equal(first.proc.tree, second.proc.tree);
    kill_tree(&first);
    assert_int_equal(end_of(&first).value, SIGKILL);
    assert_code(wa_proc_wait(&second.proc, 200, &e, &err), WA_E_AGAIN);
    kill_tree(&second);
    assert_int_equal(end_of(&second).value, SIGKILL);
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
    char handle[256], own[64];
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 1u << 16);
    assert_ok(wa_path_read("/proc/self/cgroup", 1u << 16, &text, &err));
    (void)snprintf(own, sizeof own, "/wa-tree.%s-", name);
    const char *at = strstr(wa_buf_str(&text), own);
    if (at == NULL)
        return 0; /* no cgroup could be made: the caller sees that too */
    (void)snprintf(handle, sizeof handle, "cg:/sys/fs/cgroup/freezer%.*s", (int)strcspn(at, "\n"),
                   at);
    if (!become_harmless())
        return 1;
    return wa_tree_kill(handle, &err) == WA_E_USAGE ? 0 : 2;
}

static int do_as_told(const char *what)
{
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

int main(int argc, char **argv)
{
    if (argc > 1) {
        (void)alarm(HANG_S);
        return do_as_told(argv[1]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tree_is_killed_whole),
        cmocka_unit_test(test_a_tree_without_a_cgroup_is_killed_whole),
        cmocka_unit_test(test_a_number_alone_kills_nobody),
        cmocka_unit_test(test_one_name_makes_two_trees),
        cmocka_unit_test(test_only_trees_of_our_making_are_killed),
        cmocka_unit_test(test_nobody_kills_the_tree_it_is_in),
    };
    return cmocka_run_group_tests_name("os/tree", tests, NULL, NULL);
}
