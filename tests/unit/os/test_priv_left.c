/* Giving up power: what is left is what the line says, and where something is missing - a part of
 * the kernel, the right to change - either the rest holds or nothing runs.
 */
#include "confine.h"

#include "os/proc.h"
#include "os/thread.h"

#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

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
    if (!has_accounts())
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
                              SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP, 0));
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
                               .set_ids = true,
                               .uid = NOBODY,
                               .gid = NOBODY,
                               .read_paths = paths},
                      .fn = ordinary_work};
    WA_UNUSED(state);
    if (!has_accounts() || landlock_version() < 1)
        skip();
    char text[256];
    (void)snprintf(text, sizeof text,
                   "waptservice/x: uid 65534, no capabilities, no new privileges, "
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
    uid_t uid = NOBODY;
    if (geteuid() == 0 && become(&uid) != 0)
        return 43;
    assert_int_not_equal(wa_priv_drop(&s->priv, s->line, &err), WA_OK);
    return 42;
}

static void test_who_is_not_root_becomes_nobody_else(void **state)
{
    struct scene s = {.priv = {.name = "x", .set_ids = true, .uid = 12345, .gid = 12345}};
    WA_UNUSED(state);
    int status = in_child(become_someone_else, &s);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 43)
        skip(); /* there is nobody to be */
    assert_int_equal(WEXITSTATUS(status), 42);
}

#define T(f) cmocka_unit_test_setup_teardown(f, room_setup, room_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_nothing_is_left_of_root),
        T(test_the_line_says_what_is_left),
        T(test_a_kernel_without_landlock),
        T(test_the_line_says_that_landlock_is_missing),
        T(test_without_seccomp_nothing_runs),
        T(test_other_threads_forbid_it),
        T(test_who_is_not_root_becomes_nobody_else),
    };
    return cmocka_run_group_tests_name("os/priv_left", tests, NULL, NULL);
}
