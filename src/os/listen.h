/* listen.h - a listening TCP socket, shared by several processes where the kernel spreads
 * connections (SO_REUSEPORT). */
#ifndef WA_OS_LISTEN_H
#define WA_OS_LISTEN_H

#include "base/err.h"

#include <stdint.h>

/* address: IPv4 or IPv6 text. Non-blocking, close-on-exec. */
WA_CHECK enum wa_code wa_listen_tcp(const char *address, uint16_t port, int *ret_fd,
                                    struct wa_err *err);
/* The same for one process alone, on a free port that is told. */
WA_CHECK enum wa_code wa_listen_alone(const char *address, int *ret_fd, uint16_t *ret_port,
                                      struct wa_err *err);
/* Whether the port is free: WA_E_BUSY while anybody listens there, one of our own programs too. */
WA_CHECK enum wa_code wa_listen_check(const char *address, uint16_t port, struct wa_err *err);

#endif
