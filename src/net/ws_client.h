/* ws_client.h - one outgoing TLS WebSocket in a loop: resolve, (proxy CONNECT,) connect, verify,
 * upgrade, talk.
 *
 * Name look-up goes to the loop's pool. One attempt: reconnecting with back-off is the owner's
 * business.
 */
#ifndef WA_NET_WS_CLIENT_H
#define WA_NET_WS_CLIENT_H

#include "codec/url.h"
#include "net/tls.h"
#include "os/loop.h"

struct wa_ws_client;
struct wa_ws_client_events {
    void (*on_open)(void *user);
    void (*on_text)(void *user, struct wa_sv text);
    /* Once, from the loop, whether it was open or never opened; free the client in it or later.
     * WA_E_REFUSED: the certificate, HTTP 401 or 403, or a close status from 4400 to 4499, which
     * the text then ends with: "(status 4401)". */
    void (*on_end)(void *user, enum wa_code code, const struct wa_err *err);
};
/* url: https. proxy: "http://host:port" or NULL. max: bytes of one message. ctx must outlive the
 * client. */
WA_CHECK enum wa_code wa_ws_client_new(struct wa_loop *loop, const struct wa_url *url,
                                       const char *proxy, struct wa_tls_ctx *ctx, size_t max,
                                       const struct wa_ws_client_events *events, void *user,
                                       struct wa_ws_client **ret, struct wa_err *err);
/* An open one says goodbye (status 1001). Before its loop and its ctx are freed; from any callback.
 */
void wa_ws_client_free(struct wa_ws_client *c);
/* Queues one message and writes what can be written; calls nobody back. WA_E_LIMIT when the server
 * does not read. */
WA_CHECK enum wa_code wa_ws_client_send(struct wa_ws_client *c, struct wa_sv text,
                                        struct wa_err *err);
WA_CHECK enum wa_code wa_ws_client_channel_binding(struct wa_ws_client *c, uint8_t out[32],
                                                   struct wa_err *err);
/* Status of the server's close frame, 1005 when it had none; 0 when none came. */
int wa_ws_client_close_status(const struct wa_ws_client *c);

#endif
