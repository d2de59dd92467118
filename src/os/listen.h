/* listen.h - a listening TCP socket, shared by several processes where the kernel spreads connections (SO_REUSEPORT). */
#ifndef WA_OS_LISTEN_H
#define WA_OS_LISTEN_H

#include "base/err.h"

#include <stdint.h>

/* address: IPv4 or IPv6 text. Non-blocking, close-on-exec. */
WA_CHECK enum wa_code wa_listen_tcp(const char *address, uint16_t port, int *ret_fd, struct wa_err *err);

#endif
