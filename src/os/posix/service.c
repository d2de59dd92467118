/* service.c - the sd_notify protocol: one datagram to the socket that the service manager named;
 * and LISTEN_FDS.
 *
 * The environment is believed: who sets it has started us. It names no file that is written to, and
 * who the peer of a connection is, is asked of the kernel. */
#include "os/service.h"

#include "base/attr.h"
#include "os/fs.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void wa_service_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof addr.sun_path)
        return;
    size_t n = strlen(path);
    memcpy(addr.sun_path, path, n);
    if (path[0] == '@')
        addr.sun_path[0] = '\0'; /* abstract name */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&addr, len);
    (void)close(fd);
}

uint64_t wa_service_watchdog_ms(void)
{
    const char *given = getenv("WATCHDOG_USEC");
    uint64_t usec = 0;
    return given != NULL && wa_sv_u64(wa_sv(given), &usec) ? usec / 2000 : 0;
}

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

enum wa_code wa_service_connection(int *ret_fd, struct wa_err *err)
{
    const char *for_pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    uint64_t pid = 0;
    if (for_pid == NULL || !wa_sv_u64(wa_sv(for_pid), &pid) || pid != (uint64_t)getpid() ||
        count == NULL || strcmp(count, "1") != 0 || fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC) != 0)
        return wa_fail(err, WA_E_USAGE, "started by hand: a socket unit starts this");
    *ret_fd = FIRST_FD;
    return WA_OK;
}
