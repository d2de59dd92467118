/* socket.h - TCP connections: taking them in, making them, moving bytes. All descriptors are
 * non-blocking and close-on-exec; nothing here blocks but the look-up of a name, and nothing raises
 * SIGPIPE.
 */
#ifndef WA_OS_SOCKET_H
#define WA_OS_SOCKET_H

#include "base/err.h"
#include "base/sv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WA_ADDRESS_TEXT_MAX 48 /* bytes with NUL: an IPv6 address that holds an IPv4 one */

/* A waiting connection of a listening socket (TCP or local). -1 with errno: EAGAIN when nobody
 * waits, EMFILE, ENFILE, ENOMEM or ENOBUFS when there is no room. peer: the other side's address as
 * text, "" for a local socket. */
int wa_socket_accept(int listen_fd, char peer[WA_ADDRESS_TEXT_MAX]);

/* An address of 4 or 16 bytes as text, the same way. */
void wa_socket_address_text(const void *address, size_t n, char out[WA_ADDRESS_TEXT_MAX]);
/* Bytes moved; 0 at the end of the stream (reading); -1 with errno, EAGAIN when it would have to
 * wait. */
ptrdiff_t wa_socket_read(int fd, void *p, size_t n);
ptrdiff_t wa_socket_write(int fd, const void *p, size_t n);
/* We send no more: the other side sees the end, and we may still read. */
void wa_socket_shut(int fd);

/* Whose process is at the other end of a connection over IPv4 within this machine, as the kernel's
 * table of sockets says. WA_E_DENIED where it does not name one that is open at both ends. Linux.
 */
WA_CHECK enum wa_code wa_socket_peer_uid(int fd, uint32_t *ret, struct wa_err *err);

/* --- connecting --- */
struct wa_addresses;
/* Blocks, for half a minute where the name service is dead: never in an event loop. */
WA_CHECK enum wa_code wa_addresses_find(const char *host, uint16_t port, struct wa_addresses **ret,
                                        struct wa_err *err);
void wa_addresses_free(struct wa_addresses *a);
WA_AUTO_DEFINE(wa_addresses, wa_addresses_free)
size_t wa_addresses_count(const struct wa_addresses *a); /* 0 for NULL */
/* The i-th as text, without its port. */
void wa_addresses_text(const struct wa_addresses *a, size_t i, char out[WA_ADDRESS_TEXT_MAX]);
/* Begins connecting to the i-th; wait until it is writable, then ask how it ended. -1 with errno.
 */
int wa_socket_connect(const struct wa_addresses *a, size_t i);
/* 0 when it is connected, else why not, as errno. */
int wa_socket_outcome(int fd);

/* --- telling everybody near --- */
/* An IPv4 network that this machine is in, and that knows broadcasts. */
#define WA_LANS_MAX 64u
struct wa_lan {
    uint8_t address[4]; /* this machine's in it */
    unsigned bits;      /* of its mask */
};
/* At most WA_LANS_MAX of them: what is more is left out. */
WA_CHECK enum wa_code wa_lans_find(struct wa_lan ret[WA_LANS_MAX], size_t *ret_n,
                                   struct wa_err *err);
/* The address of all who are in the network of that address. bits: 1 to 31. */
void wa_lan_everybody(const uint8_t address[4], unsigned bits, uint8_t ret[4]);
/* A socket for datagrams of IPv4 that may go to everybody; sending waits until there is room. from:
 * one of this machine's addresses, whose network 255.255.255.255 then is; NULL: whichever leads
 * there. */
WA_CHECK enum wa_code wa_datagram_open(const uint8_t from[4], int *ret_fd, struct wa_err *err);
/* Whether it was taken. */
bool wa_datagram_send(int fd, const uint8_t to[4], uint16_t port, struct wa_sv data);
/* Sends the datagram to each IPv4 network that this machine is in. ret_networks: how many took it.
 */
WA_CHECK enum wa_code wa_socket_broadcast(uint16_t port, struct wa_sv data, size_t *ret_networks,
                                          struct wa_err *err);

#endif
