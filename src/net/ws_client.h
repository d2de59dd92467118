/* ws_client.h - one outgoing TLS WebSocket in a loop: resolve, (proxy CONNECT,) connect, verify, upgrade, talk.
 *
 * Name look-up goes to the loop's pool. One attempt: reconnecting with back-off is the owner's business.
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
    /* Once, whether it was open or never opened; free the client in it or later. */
    void (*on_end)(void *user, enum wa_code code, const struct wa_err *err);
};
/* url: https. proxy: "http://host:port" or NULL. max: bytes of one message. ctx must outlive the client. */
WA_CHECK enum wa_code wa_ws_client_new(struct wa_loop *loop, const struct wa_url *url, const char *proxy,
                                       struct wa_tls_ctx *ctx, size_t max, const struct wa_ws_client_events *events,
                                       void *user, struct wa_ws_client **ret, struct wa_err *err);
void wa_ws_client_free(struct wa_ws_client *c);
WA_CHECK enum wa_code wa_ws_client_send(struct wa_ws_client *c, struct wa_sv text, struct wa_err *err);
WA_CHECK enum wa_code wa_ws_client_channel_binding(struct wa_ws_client *c, uint8_t out[32], struct wa_err *err);

#endif
