/* ws.h - WebSocket framing (RFC 6455): handshake keys, and one endpoint fed with bytes.
 *
 * Text messages only, UTF-8 checked, capped; pings are answered inside. No extensions. A ping every
 * WA_WS_PING_MS, and silence beyond WA_WS_PONG_TIMEOUT_MS are the owner's timers.
 */
#ifndef WA_NET_WS_H
#define WA_NET_WS_H

#include "base/buf.h"

/* Sec-WebSocket-Accept of a Sec-WebSocket-Key; false for a key that is not 16 bytes of base64, or
 * without memory. out has room for 29. */
bool wa_ws_accept_key(struct wa_sv key, char out[29]);

struct wa_ws;
struct wa_ws_cb {
    void (*on_text)(void *user, struct wa_sv text);
    void (*on_close)(void *user, int status); /* the peer's close frame came */
    void (*on_pong)(void *user);
};
WA_CHECK enum wa_code wa_ws_new(bool is_server, size_t max_message, const struct wa_ws_cb *cb,
                                void *user, struct wa_ws **ret, struct wa_err *err);
void wa_ws_free(struct wa_ws *ws);
WA_AUTO_DEFINE(wa_ws, wa_ws_free)
void wa_ws_set_max_message(struct wa_ws *ws, size_t max);
/* Bytes from the peer; callbacks fire inside and may queue, but not free ws. WA_E_INVALID,
 * WA_E_LIMIT or WA_E_NOMEM: a close frame that says why is queued; send it, then close. After the
 * peer's close frame nothing more is read. */
WA_CHECK enum wa_code wa_ws_feed(struct wa_ws *ws, const void *p, size_t n, struct wa_err *err);
/* WA_E_LIMIT while more than 4 MiB are queued, WA_E_NOT_FOUND after a close frame. Failing queues
 * nothing. */
WA_CHECK enum wa_code wa_ws_queue_text(struct wa_ws *ws, struct wa_sv text, struct wa_err *err);
WA_CHECK enum wa_code wa_ws_queue_ping(struct wa_ws *ws, struct wa_err *err);
/* status 0: none. A second one is ignored. */
WA_CHECK enum wa_code wa_ws_queue_close(struct wa_ws *ws, int status, const char *reason,
                                        struct wa_err *err);
/* Moves queued frames, as bytes, to the end of out (as much as its cap allows). */
WA_CHECK enum wa_code wa_ws_drain(struct wa_ws *ws, struct wa_buf *out, struct wa_err *err);
size_t wa_ws_queued(const struct wa_ws *ws); /* bytes that wa_ws_drain() would move */
int wa_ws_sent_status(
    const struct wa_ws *ws); /* of our close frame, 1005 when it has none; 0 while there is none */
bool wa_ws_is_closed(const struct wa_ws *ws); /* close frames went both ways */

#endif
