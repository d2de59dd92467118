/* socket.c - TCP by BSD sockets, which libuv does not show as plainly: OpenSSL works on the
 * descriptor itself.
 *
 * Interrupted calls are repeated here; every other outcome is the caller's to judge.
 */
#include "os/socket.h"

#include "base/mem.h"
#include "os/common/socket_of.h"
#include "os/fs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

struct wa_addresses {
    struct addrinfo *list;
    size_t count;
};

static void name_peer(const struct sockaddr_storage *a, char out[WA_ADDRESS_TEXT_MAX])
{
    const void *address = NULL;
    out[0] = '\0';
    if (a->ss_family == AF_INET)
        address = &((const struct sockaddr_in *)(const void *)a)->sin_addr;
    else if (a->ss_family == AF_INET6)
        address = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
    if (address != NULL && inet_ntop(a->ss_family, address, out, WA_ADDRESS_TEXT_MAX) == NULL)
        out[0] = '\0';
}

void wa_socket_address_text(const void *address, size_t n, char out[WA_ADDRESS_TEXT_MAX])
{
    if (inet_ntop(n == 4 ? AF_INET : AF_INET6, address, out, WA_ADDRESS_TEXT_MAX) == NULL)
        out[0] = '\0';
}

int wa_socket_accept(int listen_fd, char peer[WA_ADDRESS_TEXT_MAX])
{
    struct sockaddr_storage addr;
    int fd, one = 1;
    do {
        socklen_t n = sizeof addr;
        addr = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
        fd = accept4(listen_fd, (struct sockaddr *)&addr, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* not for local sockets */
    name_peer(&addr, peer);
    return fd;
}

ptrdiff_t wa_socket_read(int fd, void *p, size_t n)
{
    ssize_t got;
    do
        got = recv(fd, p, n, 0);
    while (got < 0 && errno == EINTR);
    return got;
}

ptrdiff_t wa_socket_write(int fd, const void *p, size_t n)
{
    ssize_t put;
    do
        put = send(fd, p, n, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    return put;
}

void wa_socket_shut(int fd)
{
    (void)shutdown(fd, SHUT_WR);
}

/* --- connecting --- */

enum wa_code wa_addresses_find(const char *host, uint16_t port, struct wa_addresses **ret,
                               struct wa_err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    const struct addrinfo any = {.ai_socktype = SOCK_STREAM};
    struct wa_addresses *a = wa_calloc(1, sizeof *a);
    char service[8];
    if (a == NULL)
        return wa_nomem(err);
    (void)snprintf(service, sizeof service, "%u", (unsigned)port);
    int rc = getaddrinfo(host, service, &hints, &a->list);
    if (rc != 0) /* a machine without any address but loopback's: without the filter */
        rc = getaddrinfo(host, service, &any, &a->list);
    if (rc != 0) {
        wa_free(a);
        return rc == EAI_MEMORY
                   ? wa_nomem(err)
                   : wa_fail(err, WA_E_UNREACHABLE, "the name '%s' can't be resolved: %s", host,
                             gai_strerror(rc));
    }
    for (const struct addrinfo *at = a->list; at != NULL; at = at->ai_next)
        a->count++;
    *ret = a;
    return WA_OK;
}

void wa_addresses_free(struct wa_addresses *a)
{
    if (a == NULL)
        return;
    freeaddrinfo(a->list);
    wa_free(a);
}

size_t wa_addresses_count(const struct wa_addresses *a)
{
    return a == NULL ? 0 : a->count;
}

void wa_addresses_text(const struct wa_addresses *a, size_t i, char out[WA_ADDRESS_TEXT_MAX])
{
    const struct addrinfo *at = a->list;
    while (i-- > 0)
        at = at->ai_next;
    out[0] = '\0';
    if (getnameinfo(at->ai_addr, at->ai_addrlen, out, WA_ADDRESS_TEXT_MAX, NULL, 0,
                    NI_NUMERICHOST) != 0)
        out[0] = '\0';
}

int wa_socket_connect(const struct wa_addresses *a, size_t i)
{
    const struct addrinfo *at = a->list;
    while (i-- > 0)
        at = at->ai_next;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0 && errno != EINPROGRESS)
        wa_fd_close(&fd);
    return fd;
}

int wa_socket_outcome(int fd)
{
    int failed = 0;
    socklen_t n = sizeof failed;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n) != 0 ? errno : failed;
}

uv_os_sock_t wa_socket_of(int fd)
{
    return fd;
}
