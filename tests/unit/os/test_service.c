/* What we say to systemd, and what we believe of it. */
#include "support.h"

#include "os/service.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

static void test_notify(void **state)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char dir[] = "/tmp/wapt-notify-XXXXXX", text[64] = "";
    WA_UNUSED(state);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s/socket", dir);
    WA_AUTO_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);

    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    wa_service_notify("READY=1"); /* nobody asked */
    assert_int_equal(setenv("NOTIFY_SOCKET", "relative", 1), 0);
    wa_service_notify("READY=1");
    assert_int_equal(recv(fd, text, sizeof text, MSG_DONTWAIT), -1);

    assert_int_equal(setenv("NOTIFY_SOCKET", at.sun_path, 1), 0);
    wa_service_notify("WATCHDOG=1");
    assert_int_equal(recv(fd, text, sizeof text, MSG_DONTWAIT), strlen("WATCHDOG=1"));
    assert_memory_equal(text, "WATCHDOG=1", strlen("WATCHDOG=1"));

    assert_int_equal(unlink(at.sun_path) | rmdir(dir), 0);
    wa_service_notify("READY=1"); /* it has gone */
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
}

static void test_watchdog(void **state)
{
    WA_UNUSED(state);
    assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
    assert_int_equal(wa_service_watchdog_ms(), 0);
    assert_int_equal(setenv("WATCHDOG_USEC", "120000000", 1), 0);
    assert_int_equal(wa_service_watchdog_ms(), 60000);
    assert_int_equal(setenv("WATCHDOG_USEC", "12s", 1), 0);
    assert_int_equal(wa_service_watchdog_ms(), 0);
    assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
}

/* Another process's descriptors, several of them, or none: not ours. */
static void test_connection(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    char pid[16], other[16];
    int fd = -1, pair[2];
    WA_UNUSED(state);
    (void)snprintf(pid, sizeof pid, "%d", (int)getpid());
    (void)snprintf(other, sizeof other, "%d", (int)getppid());
    const char *const cases[][2] = {{NULL, NULL}, {pid, NULL},   {NULL, "1"}, {other, "1"},
                                    {pid, "2"},   {"word", "1"}, {pid, "0"}};
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        const char *const names[] = {"LISTEN_PID", "LISTEN_FDS"};
        for (size_t k = 0; k < 2; k++)
            assert_int_equal(
                cases[i][k] == NULL ? unsetenv(names[k]) : setenv(names[k], cases[i][k], 1), 0);
        assert_int_equal(wa_service_connection(&fd, &err), WA_E_USAGE);
        assert_int_equal(fd, -1);
        wa_err_clear(&err);
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_true(dup2(pair[0], 3) == 3);
    assert_int_equal(setenv("LISTEN_PID", pid, 1) | setenv("LISTEN_FDS", "1", 1), 0);
    assert_ok(wa_service_connection(&fd, &err));
    assert_int_equal(fd, 3);
    assert_int_equal(fcntl(3, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(unsetenv("LISTEN_PID") | unsetenv("LISTEN_FDS"), 0);
}

/* The group's whole path is compared, and only where systemd writes it. */
static void test_unit(void **state)
{
    static const struct {
        const char *cgroups;
        bool is_it;
    } cases[] = {
        {"0::/system.slice/a.service\n", true},
        {"12:pids:/x\n1:name=systemd:/system.slice/a.service\n0::/\n", true},
        {"0::/system.slice/a.service", true},
        {"0::/system.slice/a.service/payload\n", false},
        {"0::/user.slice/user-0.slice/user@0.service/app.slice/a.service\n", false},
        {"0::/machine.slice/b.service/system.slice/a.service\n", false},
        {"0::/../system.slice/a.service\n", false},
        {"0::/system.slice/xa.service\n", false},
        {"5:pids:/system.slice/a.service\n0::/user.slice\n", false},
        {"0::/system.slice/b.service\n:/system.slice/a.service\n", false},
        {"/system.slice/a.service\n", false},
        {"", false},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        assert_int_equal(wa_service_says_unit(wa_sv(cases[i].cgroups), "a.service"),
                         cases[i].is_it);
    assert_false(wa_service_is_unit((int)getpid(), "no-such-unit-here.service"));
    assert_false(wa_service_is_unit(0x7ffffffe, "no-such-unit-here.service"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notify),
        cmocka_unit_test(test_watchdog),
        cmocka_unit_test(test_connection),
        cmocka_unit_test(test_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
