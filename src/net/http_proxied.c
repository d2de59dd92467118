/* http_proxied.c - whose connection it is, when a proxy brings it: the header of the PROXY protocol
 * is read before anything else, and not a byte beyond it. Then the client is counted as if it had
 * come by itself.
 */
#include "net/http_server_priv.h"
#include "net/proxy.h"

#include <errno.h>

bool wa_http_proxy_take(struct wa_http_conn *c, struct wa_err *err)
{
    char peer[WA_ADDRESS_TEXT_MAX];
    size_t missing = 0;
    while (wa_proxy_missing(c->pending.p, c->pending.n, &missing, err) == WA_OK && missing > 0) {
        uint8_t piece[256];
        ptrdiff_t n = wa_socket_read(c->fd, piece, missing < sizeof piece ? missing : sizeof piece);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n <= 0) {
            (void)wa_fail(err, WA_E_IO, "the proxy went away");
            return false;
        }
        wa_buf_add(&c->pending, piece, (size_t)n);
        if (wa_buf_check(&c->pending, err) != WA_OK)
            return false;
    }
    (void)snprintf(peer, sizeof peer, "%s", c->peer);
    if (err->code != WA_OK || wa_proxy_read(c->pending.p, c->pending.n, peer, err) != WA_OK)
        return false;
    wa_buf_fini(&c->pending);
    wa_buf_init(&c->pending, WA_READ_PIECE);
    if (wa_http_server_has_too_many(c->server, peer)) {
        c->server->counts.turned_away++;
        (void)wa_fail(err, WA_E_BUSY, "too many connections of '%s'", peer);
        return false;
    }
    (void)snprintf(c->peer, sizeof c->peer, "%s", peer);
    c->server->by_address[c->address]--;
    c->address = wa_http_address(peer);
    c->server->by_address[c->address]++;
    return true;
}
