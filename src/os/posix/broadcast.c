/* broadcast.c - datagrams to everybody near: which networks this machine is in, as the kernel tells
 * it, and what goes to all who are in one.
 */
#include "os/fs.h"
#include "os/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

static uint32_t v4_of(const struct sockaddr *a)
{
    return ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr);
}

static unsigned bits_of(uint32_t mask)
{
    unsigned n = 0;
    for (; n < 32 && (mask & 0x80000000u >> n) != 0; n++)
        ;
    return n;
}

static bool read_lan(const struct ifaddrs *i, struct wa_lan *ret)
{
    const unsigned wanted = IFF_UP | IFF_BROADCAST;
    if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET || i->ifa_netmask == NULL ||
        (i->ifa_flags & wanted) != wanted || (i->ifa_flags & IFF_LOOPBACK) != 0)
        return false;
    uint32_t address = htonl(v4_of(i->ifa_addr));
    memcpy(ret->address, &address, sizeof ret->address);
    ret->bits = bits_of(v4_of(i->ifa_netmask));
    return ret->bits > 0 && ret->bits < 31; /* else there is nobody but the other end */
}

enum wa_code wa_lans_find(struct wa_lan ret[WA_LANS_MAX], size_t *ret_n, struct wa_err *err)
{
    struct ifaddrs *all = NULL;
    size_t n = 0;
    if (getifaddrs(&all) != 0)
        return wa_fail_errno(err, errno, "cannot list the networks of this machine");
    for (const struct ifaddrs *i = all; i != NULL && n < WA_LANS_MAX; i = i->ifa_next)
        n += read_lan(i, &ret[n]);
    freeifaddrs(all);
    *ret_n = n;
    return WA_OK;
}

/* Made from address and mask: not every network was given a broadcast address of its own. */
void wa_lan_everybody(const uint8_t address[4], unsigned bits, uint8_t ret[4])
{
    uint32_t a;
    memcpy(&a, address, sizeof a);
    a |= htonl(0xffffffffu >> bits);
    memcpy(ret, &a, sizeof a);
}

enum wa_code wa_datagram_open(const uint8_t from[4], int *ret_fd, struct wa_err *err)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    int one = 1;
    WA_AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof one) != 0)
        return wa_fail_errno(err, errno, "cannot broadcast");
    if (from != NULL) {
        memcpy(&own.sin_addr, from, 4);
        if (bind(fd, (const struct sockaddr *)&own, sizeof own) != 0)
            return wa_fail_errno(err, errno, "cannot send by an address of this machine");
    }
    *ret_fd = fd;
    fd = -1;
    return WA_OK;
}

bool wa_datagram_send(int fd, const uint8_t to[4], uint16_t port, struct wa_sv data)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&a.sin_addr, to, 4);
    return sendto(fd, data.p, data.n, MSG_NOSIGNAL, (const struct sockaddr *)&a, sizeof a) >= 0;
}

enum wa_code wa_socket_broadcast(uint16_t port, struct wa_sv data, size_t *ret_networks,
                                 struct wa_err *err)
{
    struct wa_lan lans[WA_LANS_MAX];
    size_t count = 0, n = 0;
    WA_AUTO_FD int fd = -1;
    if (wa_datagram_open(NULL, &fd, err) != WA_OK || wa_lans_find(lans, &count, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < count; i++) {
        uint8_t to[4];
        wa_lan_everybody(lans[i].address, lans[i].bits, to);
        n += wa_datagram_send(fd, to, port, data);
    }
    *ret_networks = n;
    return WA_OK;
}
