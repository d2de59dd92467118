/* Listening sockets: several share one port, each connection goes to one of them, and nobody else
 * gets in between. */
#include "support.h"

#include "os/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

static uint16_t port_of(int fd)
{
    struct sockaddr_in6 addr; /* the port is where an IPv4 address has it, too */
    socklen_t n = sizeof addr;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &n), 0);
    return ntohs(addr.sin6_port);
}

static int call(const char *address, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
    assert_true(is_v4 || inet_pton(AF_INET6, address, &v6.sin6_addr) == 1);
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    const void *to = is_v4 ? (const void *)&v4 : (const void *)&v6;
    assert_int_equal(connect(fd, to, is_v4 ? sizeof v4 : sizeof v6), 0);
    return fd;
}

static void take(const struct pollfd *listeners, size_t n, int counts[])
{
    struct pollfd p[2];
    memcpy(p, listeners, n * sizeof *p);
    assert_true(poll(p, (nfds_t)n, HANG_S * 1000) > 0);
    for (size_t i = 0; i < n; i++) {
        if (p[i].revents == 0)
            continue;
        int fd = accept4(p[i].fd, NULL, NULL, SOCK_CLOEXEC);
        assert_true(fd >= 0);
        wa_fd_close(&fd);
        counts[i]++;
        return;
    }
}

static void listen_and_call(const char *address)
{
    struct wa_err err = WA_ERR_INIT;
    int fds[2], counts[2] = {0};
    assert_ok(wa_listen_tcp(address, 0, &fds[0], &err));
    uint16_t port = port_of(fds[0]);
    assert_true(port > 0);
    assert_ok(wa_listen_tcp(address, port, &fds[1], &err)); /* shared */
    const struct pollfd both[] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
        assert_true((fcntl(fds[i], F_GETFL) & O_NONBLOCK) != 0);
        assert_int_equal(port_of(fds[i]), port);
    }
    for (int i = 0; i < 64; i++) {
        int fd = call(address, port);
        take(both, 2, counts);
        wa_fd_close(&fd);
    }
    assert_int_equal(counts[0] + counts[1], 64);
    assert_true(counts[0] > 0 && counts[1] > 0); /* one in 2^63 falls the other way */
    wa_fd_close(&fds[0]);
    wa_fd_close(&fds[1]);
}

static void test_connections_are_spread(void **state)
{
    WA_UNUSED(state);
    listen_and_call("127.0.0.1");
    if (access("/proc/net/if_inet6", F_OK) == 0)
        listen_and_call("::1");
}

/* Our own programs share; asking whether a port is free sees them all the same. */
static void test_a_port_of_our_own_is_not_free(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    int fd;
    WA_UNUSED(state);
    assert_ok(wa_listen_tcp("127.0.0.1", 0, &fd, &err));
    uint16_t port = port_of(fd);
    assert_code(wa_listen_check("127.0.0.1", port, &err), WA_E_BUSY);
    wa_fd_close(&fd);
    assert_ok(wa_listen_check("127.0.0.1", port, &err));
}

/* A port that another program listens on is an error that says which, not a share of its callers.
 */
static void test_a_port_of_another_is_refused(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct sockaddr_in addr = {.sin_family = AF_INET};
    int fd = -1, other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    WA_UNUSED(state);
    assert_true(other >= 0);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(other, (const struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(other, 1), 0);
    int before = open_fds();
    assert_code(wa_listen_tcp("127.0.0.1", port_of(other), &fd, &err), WA_E_BUSY);
    assert_code(wa_listen_check("127.0.0.1", port_of(other), &err), WA_E_BUSY);
    assert_int_equal(fd, -1);
    assert_int_equal(open_fds(), before);
    wa_fd_close(&other);
}

static void test_only_addresses_are_taken(void **state)
{
    static const char *const wrong[] = {"",      "localhost", "127.0.0.1:80", "[::1]",
                                        "1.2.3", "256.0.0.1", "::g",          " 127.0.0.1"};
    int fd = -1;
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(wrong); i++) {
        struct wa_err err = WA_ERR_INIT;
        assert_code(wa_listen_tcp(wrong[i], 0, &fd, &err), WA_E_CONFIG);
    }
    assert_int_equal(fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connections_are_spread),
        cmocka_unit_test(test_a_port_of_our_own_is_not_free),
        cmocka_unit_test(test_a_port_of_another_is_refused),
        cmocka_unit_test(test_only_addresses_are_taken),
    };
    return cmocka_run_group_tests_name("os/listen", tests, NULL, NULL);
}
