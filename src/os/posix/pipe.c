/* pipe.c - read(), write() and poll() for what is not a network connection. */
#include "os/pipe.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define WAITED_MAX 16u

ptrdiff_t wa_pipe_read(int fd, void *p, size_t n)
{
    ssize_t got;
    do
        got = read(fd, p, n);
    while (got < 0 && errno == EINTR);
    return got;
}

ptrdiff_t wa_pipe_write(int fd, const void *p, size_t n)
{
    ssize_t put;
    do
        put = write(fd, p, n);
    while (put < 0 && errno == EINTR);
    return put;
}

enum wa_code wa_pipe_wait(struct wa_pipe_wait *list, size_t count, int timeout_ms,
                          size_t *ret_count, struct wa_err *err)
{
    struct pollfd p[WAITED_MAX];
    if (count > WAITED_MAX)
        return wa_fail(err, WA_E_USAGE, "more than %u descriptors to wait for", WAITED_MAX);
    for (size_t i = 0; i < count; i++)
        p[i] = (struct pollfd){list[i].fd, list[i].to_write ? POLLOUT : POLLIN, 0};
    int n = poll(p, (nfds_t)count, timeout_ms);
    if (n < 0 && errno != EINTR)
        return wa_fail_errno(err, errno, "cannot wait for another process");
    for (size_t i = 0; i < count; i++)
        list[i].is_ready = n > 0 && p[i].revents != 0;
    *ret_count = n > 0 ? (size_t)n : 0;
    return WA_OK;
}
