/* Connections: made and taken in without waiting, cut without a signal, named by the kernel. */
#include "support.h"

#include "os/listen.h"
#include "os/local.h"
#include "os/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

static uint16_t port_of(int fd)
{
    struct sockaddr_in addr;
    socklen_t n = sizeof addr;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &n), 0);
    return ntohs(addr.sin_port);
}

static void await(int fd, short events)
{
    struct pollfd p = {fd, events, 0};
    assert_int_equal(poll(&p, 1, HANG_S * 1000), 1);
}

static int connect_to(const char *host, uint16_t port)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_addresses) struct wa_addresses *a = NULL;
    assert_ok(wa_addresses_find(host, port, &a, &err));
    assert_true(wa_addresses_count(a) >= 1);
    return wa_socket_connect(a, wa_addresses_count(a) - 1);
}

static void test_both_ways(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    char peer[WA_ADDRESS_TEXT_MAX] = "?", text[8];
    int listener;
    WA_UNUSED(state);
    assert_ok(wa_listen_tcp("127.0.0.1", 0, &listener, &err));
    assert_int_equal(wa_socket_accept(listener, peer), -1);
    assert_int_equal(errno, EAGAIN);
    int out = connect_to("127.0.0.1", port_of(listener));
    assert_true(out >= 0);
    await(listener, POLLIN);
    int in = wa_socket_accept(listener, peer);
    assert_true(in >= 0);
    assert_string_equal(peer, "127.0.0.1");
    await(out, POLLOUT);
    assert_int_equal(wa_socket_outcome(out), 0);
    for (int i = 0; i < 2; i++) {
        int fd = i == 0 ? in : out;
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    }
    assert_int_equal(wa_socket_read(in, text, sizeof text), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(wa_socket_write(out, "hello", 5), 5);
    await(in, POLLIN);
    assert_int_equal(wa_socket_read(in, text, sizeof text), 5);
    assert_memory_equal(text, "hello", 5);
    wa_socket_shut(out); /* says no more, still listens */
    await(in, POLLIN);
    assert_int_equal(wa_socket_read(in, text, sizeof text), 0);
    assert_int_equal(wa_socket_write(in, "bye", 3), 3);
    await(out, POLLIN);
    assert_int_equal(wa_socket_read(out, text, sizeof text), 3);
    wa_fd_close(&out);
    wa_fd_close(&in);
    wa_fd_close(&listener);
}

/* The default action of SIGPIPE would end this process. */
static int write_to_nobody(void *arg)
{
    int fds[2];
    WA_UNUSED(arg);
    (void)signal(SIGPIPE, SIG_DFL);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return 1;
    wa_fd_close(&fds[1]);
    return wa_socket_write(fds[0], "x", 1) == -1 && errno == EPIPE ? 42 : 2;
}

static void test_a_peer_that_has_gone_is_an_error(void **state)
{
    WA_UNUSED(state);
    int status = in_child(write_to_nobody, NULL);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

static void test_nobody_listens(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_addresses *a = NULL;
    int listener;
    WA_UNUSED(state);
    assert_ok(wa_listen_tcp("127.0.0.1", 0, &listener, &err));
    uint16_t port = port_of(listener);
    wa_fd_close(&listener);
    int fd = connect_to("127.0.0.1", port);
    if (fd >= 0) {
        await(fd, POLLOUT);
        assert_int_equal(wa_socket_outcome(fd), ECONNREFUSED);
        wa_fd_close(&fd);
    } else {
        assert_int_equal(errno, ECONNREFUSED);
    }
    assert_code(wa_addresses_find("no such name", 1, &a, &err), WA_E_UNREACHABLE);
    assert_int_equal(wa_addresses_count(a), 0);
    wa_addresses_free(a);
}

static void test_a_local_peer_has_no_address(void **state)
{
    struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX + 16], peer[WA_ADDRESS_TEXT_MAX] = "?";
    int listener, out;
    (void)snprintf(path, sizeof path, "%s/socket", r->path);
    assert_ok(wa_local_listen(path, 0600, &listener, &err));
    assert_ok(wa_local_connect(path, &out, &err));
    int in = wa_socket_accept(listener, peer);
    assert_true(in >= 0);
    assert_string_equal(peer, "");
    wa_fd_close(&in);
    wa_fd_close(&out);
    wa_fd_close(&listener);
    wa_local_remove(path);
    assert_code(wa_local_connect(path, &out, &err), WA_E_UNREACHABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_a_peer_that_has_gone_is_an_error),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test_setup_teardown(test_a_local_peer_has_no_address, room_setup,
                                        room_teardown),
    };
    return cmocka_run_group_tests_name("os/socket", tests, NULL, NULL);
}
