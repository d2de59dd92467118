/* Pipes, the terminal, and children that nobody waits for. */
#include "child.h"

#include "os/local.h"
#include "os/pipe.h"
#include "os/term.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

static void test_several_are_waited_for(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    int first[2], second[2];
    char text[8];
    size_t n = 9;
    WA_UNUSED(state);
    assert_ok(wa_pipe(first, &err));
    assert_ok(wa_pipe(second, &err));
    struct wa_pipe_wait w[] = {{.fd = first[0]}, {.fd = second[0]}, {.fd = -1}};
    assert_ok(wa_pipe_wait(w, 3, 0, &n, &err));
    assert_int_equal(n, 0);
    assert_int_equal(wa_pipe_write(second[1], "ab", 2), 2);
    assert_ok(wa_pipe_wait(w, 3, HANG_S * 1000, &n, &err));
    assert_int_equal(n, 1);
    assert_true(!w[0].is_ready && w[1].is_ready && !w[2].is_ready);
    assert_int_equal(wa_pipe_read(second[0], text, sizeof text), 2);
    wa_fd_close(&first[1]); /* the end is something to be read, too */
    assert_ok(wa_pipe_wait(w, 1, HANG_S * 1000, &n, &err));
    assert_true(w[0].is_ready);
    assert_int_equal(wa_pipe_read(first[0], text, sizeof text), 0);
    w[0] = (struct wa_pipe_wait){.fd = second[1], .to_write = true};
    assert_ok(wa_pipe_wait(w, 1, HANG_S * 1000, &n, &err));
    assert_true(w[0].is_ready);
    assert_ok(wa_fd_set_nonblocking(second[0], true, &err));
    assert_int_equal(wa_pipe_read(second[0], text, sizeof text), -1);
    assert_int_equal(errno, EAGAIN);
    assert_code(wa_pipe_wait(w, 17, 0, &n, &err), WA_E_USAGE);
    wa_fd_close(&first[0]);
    wa_fd_close(&second[0]);
    wa_fd_close(&second[1]);
}

/* --- the terminal --- */

static int ask(void *arg)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF_SECRET struct wa_buf out;
    int tty = -1;
    wa_buf_init(&out, 4096);
    if (arg != NULL) {
        (void)setsid();
        tty = open(arg, O_RDWR); /* becomes ours */
        if (tty < 0 || ioctl(tty, TIOCSCTTY, 0) != 0)
            return 1;
    } else {
        (void)setsid();
    }
    enum wa_code code = wa_term_ask("Password: ", false, &out, &err);
    if (tty >= 0) {
        struct termios t;
        if (tcgetattr(tty, &t) != 0 || (t.c_lflag & ECHO) == 0)
            return 2; /* left mute */
    }
    if (code != WA_OK)
        return code == WA_E_AUTH ? 3 : 4;
    return strcmp(wa_buf_str(&out), "s\xc3\xa9same") == 0 ? 42 : 5;
}

/* What the person types once the question is there; the asking child's status. */
static int ask_and_type(const char *typed)
{
    char seen[256] = "", name[64];
    size_t n = 0;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    assert_int_equal(ptsname_r(master, name, sizeof name), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)alarm(HANG_S);
        _exit(ask(name));
    }
    while (strstr(seen, "Password: ") == NULL) {
        struct pollfd p = {master, POLLIN, 0};
        assert_true(poll(&p, 1, HANG_S * 1000) == 1);
        ssize_t got = read(master, seen + n, sizeof seen - 1 - n);
        if (got < 0) /* not opened yet */
            continue;
        n += (size_t)got;
        seen[n] = '\0';
    }
    assert_int_equal(wa_pipe_write(master, typed, strlen(typed)), strlen(typed));
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    ssize_t got = read(master, seen + n, sizeof seen - 1 - n);
    seen[n + (size_t)(got > 0 ? got : 0)] = '\0';
    assert_null(strstr(seen, "same")); /* not echoed */
    wa_fd_close(&master);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_a_secret_is_asked_for(void **state)
{
    char typed[2048];
    WA_UNUSED(state);
    assert_int_equal(ask_and_type("s\xc3\xa9same\n"), 42);
    assert_int_equal(ask_and_type("other\n"), 5);
    assert_int_equal(ask_and_type("s\x03\n"), 3); /* ^C: given up, the terminal not mute */
    assert_int_equal(ask_and_type("\x04"), 3);    /* ^D */
    memset(typed, 'x', 1500);                     /* too long: refused, not cut */
    memcpy(typed + 1500, "\n", 2);
    assert_int_equal(ask_and_type(typed), 4);
}

static void test_no_terminal_is_said(void **state)
{
    WA_UNUSED(state);
    int status = in_child(ask, NULL);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
}

/* --- children --- */

static bool is_known(const void *user, int pid)
{
    return *(const int *)user == pid;
}

static void test_only_strangers_are_reaped(void **state)
{
    WA_UNUSED(state);
    siginfo_t info;
    pid_t stranger = fork();
    if (stranger == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)stranger, &info, WEXITED | WNOWAIT), 0);
    int none = 0;
    wa_proc_reap_others(is_known, &none);
    assert_int_equal(waitpid(stranger, NULL, WNOHANG), -1);
    pid_t known = fork();
    if (known == 0)
        _exit(7);
    assert_int_equal(waitid(P_PID, (id_t)known, &info, WEXITED | WNOWAIT), 0);
    wa_proc_reap_others(is_known, &known);
    int status = 0;
    assert_int_equal(waitpid(known, &status, WNOHANG), known);
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_int_equal(wa_proc_own_pid(), getpid());
}

static void test_accounts_by_number(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_account a;
    WA_UNUSED(state);
    assert_ok(wa_user_by_uid(0, &a, &err));
    assert_string_equal(a.name, "root");
    assert_int_equal(a.gid, 0);
    assert_int_equal(a.home[0], '/');
    assert_code(wa_user_by_uid(64999, &a, &err), WA_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_several_are_waited_for),
        cmocka_unit_test(test_a_secret_is_asked_for),
        cmocka_unit_test(test_no_terminal_is_said),
        cmocka_unit_test(test_only_strangers_are_reaped),
        cmocka_unit_test(test_accounts_by_number),
    };
    return cmocka_run_group_tests_name("os/pipe", tests, NULL, NULL);
}
