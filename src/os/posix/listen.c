/* listen.c - listening sockets made by hand: libuv knows no SO_REUSEPORT. */
#include "os/listen.h"

#include "os/fs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

static socklen_t parse(const char *address, uint16_t port, struct sockaddr_storage *ret)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)ret;
    *ret = (struct sockaddr_storage){.ss_family = AF_INET};
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_port = htons(port);
        return sizeof *v4;
    }
    ret->ss_family = AF_INET6;
    if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_port = htons(port);
        return sizeof *v6;
    }
    return 0;
}

static enum wa_code open_listening(const char *address, uint16_t port, bool is_shared, int *ret_fd,
                                   struct wa_err *err)
{
    struct sockaddr_storage addr;
    int one = 1;
    socklen_t n = parse(address, port, &addr);
    if (n == 0)
        return wa_fail(err, WA_E_CONFIG, "'%s' is not an IP address to listen on", address);
    WA_AUTO_FD int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot make a socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        (is_shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0) ||
        bind(fd, (const struct sockaddr *)&addr, n) != 0 || listen(fd, 4096) != 0) {
        if (errno == EADDRINUSE)
            return wa_fail(err, WA_E_BUSY, "port %u of %s is in use by another program",
                           (unsigned)port, address);
        return wa_fail_errno(err, errno, "cannot listen on %s port %u", address, (unsigned)port);
    }
    *ret_fd = fd;
    fd = -1;
    return WA_OK;
}

enum wa_code wa_listen_tcp(const char *address, uint16_t port, int *ret_fd, struct wa_err *err)
{
    return open_listening(address, port, true, ret_fd, err);
}

enum wa_code wa_listen_alone(const char *address, int *ret_fd, uint16_t *ret_port,
                             struct wa_err *err)
{
    struct sockaddr_storage addr;
    socklen_t n = sizeof addr;
    WA_AUTO_FD int fd = -1;
    if (open_listening(address, 0, false, &fd, err) != WA_OK)
        return err->code;
    if (getsockname(fd, (struct sockaddr *)&addr, &n) != 0)
        return wa_fail_errno(err, errno, "cannot tell the port");
    *ret_port = ntohs(addr.ss_family == AF_INET
                          ? ((const struct sockaddr_in *)(const void *)&addr)->sin_port
                          : ((const struct sockaddr_in6 *)(const void *)&addr)->sin6_port);
    *ret_fd = fd;
    fd = -1;
    return WA_OK;
}

enum wa_code wa_listen_check(const char *address, uint16_t port, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    return open_listening(address, port, false, &fd, err);
}
