/* broadcast.c - a datagram to everybody near: to the broadcast address of each network that this
 * machine is in, as the kernel tells it. Never to an address that somebody else has named.
 */
#include "os/fs.h"
#include "os/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Made from address and mask: not every network was given a broadcast address of its own. */
static bool find_all(const struct ifaddrs *i, uint16_t port, struct sockaddr_in *ret)
{
    const unsigned wanted = IFF_UP | IFF_BROADCAST;
    if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET || i->ifa_netmask == NULL ||
        (i->ifa_flags & wanted) != wanted || (i->ifa_flags & IFF_LOOPBACK) != 0)
        return false;
    uint32_t others =
        ~ntohl(((const struct sockaddr_in *)(const void *)i->ifa_netmask)->sin_addr.s_addr);
    *ret = *(const struct sockaddr_in *)(const void *)i->ifa_addr;
    ret->sin_port = htons(port);
    ret->sin_addr.s_addr |= htonl(others);
    return others > 1; /* else there is nobody but the other end */
}

enum wa_code wa_socket_broadcast(uint16_t port, struct wa_sv data, size_t *ret_networks,
                                 struct wa_err *err)
{
    struct ifaddrs *all = NULL;
    size_t n = 0;
    int one = 1;
    WA_AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof one) != 0)
        return wa_fail_errno(err, errno, "cannot broadcast");
    if (getifaddrs(&all) != 0)
        return wa_fail_errno(err, errno, "cannot list the networks of this machine");
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        struct sockaddr_in to;
        if (!find_all(i, port, &to))
            continue;
        n += sendto(fd, data.p, data.n, MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof to) >= 0;
    }
    freeifaddrs(all);
    *ret_networks = n;
    return WA_OK;
}
