/* proxy.h - the PROXY protocol, version 2: what a proxy that passes TCP on says first of the
 * connection, before TLS. (https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt)
 *
 * Read from those alone who are configured to say it: from them it must come, and what comes of
 * others is no TLS.
 */
#ifndef WA_NET_PROXY_H
#define WA_NET_PROXY_H

#include "base/err.h"
#include "os/socket.h"

/* How many bytes are still to come, of a header of which these are there; 0: it is whole. Never
 * more than the header: what follows it belongs to TLS. WA_E_INVALID: this is none. */
WA_CHECK enum wa_code wa_proxy_missing(const void *p, size_t n, size_t *ret_missing,
                                       struct wa_err *err);
/* A whole one. peer: the client's address, as wa_socket_accept() writes it; left alone when the
 * proxy speaks for itself (its health checks) or knows none. */
WA_CHECK enum wa_code wa_proxy_read(const void *p, size_t n, char peer[WA_ADDRESS_TEXT_MAX],
                                    struct wa_err *err);

#endif
