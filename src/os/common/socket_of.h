/* socket_of.h - what libuv watches, for the descriptor of a socket. */
#ifndef WA_OS_COMMON_SOCKET_OF_H
#define WA_OS_COMMON_SOCKET_OF_H

#include <uv.h>

uv_os_sock_t wa_socket_of(int fd);

#endif
