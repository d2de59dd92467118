/* socket.c - TCP by Winsock, with the errors of os/socket.h in errno. */
#include "os/win32/win.h"

#include <ws2tcpip.h>

#include <errno.h>

#include "base/mem.h"
#include "os/common/socket_of.h"
#include "os/fs.h"
#include "os/listen.h"
#include "os/proc.h"
#include "os/socket.h"

struct wa_addresses {
    struct addrinfo *list;
    size_t count;
};

static BOOL CALLBACK start_winsock(PINIT_ONCE once, PVOID arg, PVOID *ret)
{
    WSADATA data;
    WA_UNUSED(once);
    WA_UNUSED(arg);
    WA_UNUSED(ret);
    return WSAStartup(MAKEWORD(2, 2), &data) == 0;
}

/* The library of the system counts its starts; one a process is enough, and it ends with it. */
static bool is_started(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    return InitOnceExecuteOnce(&once, start_winsock, NULL, NULL);
}

uv_os_sock_t wa_socket_of(int fd)
{
    return wa_win_socket(fd);
}

static ptrdiff_t failed(void)
{
    errno = wa_win_errno((DWORD)WSAGetLastError());
    return -1;
}

/* Non-blocking, not inherited, marked. -1 with errno. */
static int take(SOCKET s)
{
    u_long one = 1;
    if (s == INVALID_SOCKET)
        return (int)failed();
    if (s >= WA_WIN_SOCKET_MARK || ioctlsocket(s, (long)FIONBIO, &one) != 0) {
        (void)closesocket(s);
        errno = EMFILE;
        return -1;
    }
    (void)SetHandleInformation((HANDLE)s, HANDLE_FLAG_INHERIT, 0);
    return (int)s | WA_WIN_SOCKET_MARK;
}

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
    struct sockaddr_storage addr = {.ss_family = AF_UNSPEC};
    int n = sizeof addr;
    DWORD one = 1;
    SOCKET s = accept(wa_win_socket(listen_fd), (struct sockaddr *)&addr, &n);
    int fd = take(s);
    if (fd < 0)
        return -1;
    (void)setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (const char *)&one, sizeof one);
    name_peer(&addr, peer);
    return fd;
}

ptrdiff_t wa_socket_read(int fd, void *p, size_t n)
{
    int got = recv(wa_win_socket(fd), p, n > INT_MAX ? INT_MAX : (int)n, 0);
    return got < 0 ? failed() : got;
}

ptrdiff_t wa_socket_write(int fd, const void *p, size_t n)
{
    int put = send(wa_win_socket(fd), p, n > INT_MAX ? INT_MAX : (int)n, 0);
    return put < 0 ? failed() : put;
}

void wa_socket_shut(int fd)
{
    (void)shutdown(wa_win_socket(fd), SD_SEND);
}

/* --- connecting --- */

enum wa_code wa_addresses_find(const char *host, uint16_t port, struct wa_addresses **ret,
                               struct wa_err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    const struct addrinfo any = {.ai_socktype = SOCK_STREAM};
    char service[8];
    if (!is_started())
        return wa_fail(err, WA_E_IO, "the network of this system can't be used");
    struct wa_addresses *a = wa_calloc(1, sizeof *a);
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
                   : wa_fail(err, WA_E_UNREACHABLE,
                             "the name '%s' can't be resolved: error %d of Windows", host, rc);
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
    if (getnameinfo(at->ai_addr, (socklen_t)at->ai_addrlen, out, WA_ADDRESS_TEXT_MAX, NULL, 0,
                    NI_NUMERICHOST) != 0)
        out[0] = '\0';
}

int wa_socket_connect(const struct wa_addresses *a, size_t i)
{
    const struct addrinfo *at = a->list;
    while (i-- > 0)
        at = at->ai_next;
    SOCKET s = WSASocketW(at->ai_family, SOCK_STREAM, 0, NULL, 0,
                          WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    int fd = take(s);
    if (fd >= 0 && connect(s, at->ai_addr, (int)at->ai_addrlen) != 0 &&
        WSAGetLastError() != WSAEWOULDBLOCK) {
        (void)failed();
        wa_fd_close(&fd);
    }
    return fd;
}

int wa_socket_outcome(int fd)
{
    int error = 0, n = sizeof error;
    if (getsockopt(wa_win_socket(fd), SOL_SOCKET, SO_ERROR, (char *)&error, &n) != 0)
        error = WSAGetLastError();
    return error == 0 ? 0 : wa_win_errno((DWORD)error);
}

/* --- listening --- */

static int parse(const char *address, uint16_t port, struct sockaddr_storage *ret)
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

/* No two programs share a port here: SO_EXCLUSIVEADDRUSE also keeps others from taking it over. */
enum wa_code wa_listen_tcp(const char *address, uint16_t port, int *ret_fd, struct wa_err *err)
{
    struct sockaddr_storage addr;
    DWORD one = 1;
    if (!is_started())
        return wa_fail(err, WA_E_IO, "the network of this system can't be used");
    int n = parse(address, port, &addr);
    if (n == 0)
        return wa_fail(err, WA_E_CONFIG, "'%s' is not an IP address to listen on", address);
    SOCKET s = WSASocketW(addr.ss_family, SOCK_STREAM, 0, NULL, 0,
                          WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    WA_AUTO_FD int fd = take(s);
    if (fd < 0)
        return wa_fail_errno(err, errno, "cannot make a socket");
    if (setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&one, sizeof one) != 0 ||
        bind(s, (const struct sockaddr *)&addr, n) != 0 || listen(s, SOMAXCONN) != 0)
        return wa_win_fail(err, (DWORD)WSAGetLastError(), "cannot listen on %s port %u", address,
                           (unsigned)port);
    *ret_fd = fd;
    fd = -1;
    return WA_OK;
}

enum wa_code wa_listen_check(const char *address, uint16_t port, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    return wa_listen_tcp(address, port, &fd, err);
}

/* --- a pair --- */

/* The connection that waits is the other end of ours, not one that somebody else was quick to make.
 */
static bool is_from(SOCKET accepted, SOCKET ours)
{
    struct sockaddr_in there, here;
    int n = sizeof there, m = sizeof here;
    return getpeername(accepted, (struct sockaddr *)&there, &n) == 0 &&
           getsockname(ours, (struct sockaddr *)&here, &m) == 0 &&
           there.sin_port == here.sin_port && there.sin_addr.s_addr == here.sin_addr.s_addr;
}

enum wa_code wa_socketpair(int ret_fds[2], struct wa_err *err)
{
    WA_AUTO_FD int listening = -1;
    WA_AUTO_FD int ours = -1;
    WA_AUTO_FD int other = -1;
    struct sockaddr_in at;
    int n = sizeof at;
    u_long no = 0;
    char peer[WA_ADDRESS_TEXT_MAX];
    if (wa_listen_tcp("127.0.0.1", 0, &listening, err) != WA_OK)
        return err->code;
    if (getsockname(wa_win_socket(listening), (struct sockaddr *)&at, &n) == 0)
        ours = take(WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0,
                               WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
    if (ours < 0 || ioctlsocket(wa_win_socket(ours), (long)FIONBIO, &no) != 0 ||
        ioctlsocket(wa_win_socket(listening), (long)FIONBIO, &no) != 0 ||
        connect(wa_win_socket(ours), (const struct sockaddr *)&at, n) != 0)
        return wa_win_fail(err, (DWORD)WSAGetLastError(), "cannot make a pair of sockets");
    other = wa_socket_accept(listening, peer);
    if (other < 0 || !is_from(wa_win_socket(other), wa_win_socket(ours)) ||
        ioctlsocket(wa_win_socket(other), (long)FIONBIO, &no) != 0)
        return wa_fail(err, WA_E_IO, "cannot make a pair of sockets");
    ret_fds[0] = ours;
    ret_fds[1] = other;
    ours = other = -1;
    return WA_OK;
}

enum wa_code wa_fd_set_nonblocking(int fd, bool on, struct wa_err *err)
{
    u_long value = on ? 1 : 0;
    if (ioctlsocket(wa_win_socket(fd), (long)FIONBIO, &value) != 0)
        return wa_win_fail(err, (DWORD)WSAGetLastError(), "cannot set how a socket waits");
    return WA_OK;
}
