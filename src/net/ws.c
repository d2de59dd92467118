/* ws.c - WebSocket framing by wslay, fed with bytes and drained as bytes; no socket here. */
#include "net/ws.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "crypto/digest.h"
#include "os/rand.h"

#include <wslay/wslay.h>

#define QUEUE_MAX (4u << 20) /* bytes waiting for a peer that does not read */

struct wa_ws {
    wslay_event_context_ptr ctx;
    struct wa_ws_cb cb;
    void *user;
    const uint8_t *in; /* bytes of the current feed */
    size_t in_n;
    struct wa_buf *out; /* of the current drain */
    bool bad_type;
};

bool wa_ws_accept_key(struct wa_sv key, char out[29])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t digest[20];
    char text[64], hex[WA_DIGEST_HEX_MAX];
    struct wa_mem_source source;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf raw;
    WA_AUTO_BUF struct wa_buf b64;
    wa_buf_init(&raw, 64);
    wa_buf_init(&b64, 28);
    if (key.n != 24 || wa_base64_decode(key, &raw, &err) != WA_OK || raw.n != 16)
        return false;
    memcpy(text, key.p, 24);
    memcpy(text + 24, guid, sizeof guid - 1);
    wa_mem_source_init(&source, text, 24 + sizeof guid - 1);
    /* SHA-1 is what RFC 6455 says here; it protects nothing. */
    if (wa_digest_source(WA_SHA1, &source.base, hex, &err) != WA_OK ||
        !wa_hex_decode(wa_sv(hex), digest, sizeof digest))
        return false;
    wa_base64_encode(digest, sizeof digest, &b64);
    if (b64.failed != WA_OK || b64.n != 28)
        return false;
    memcpy(out, wa_buf_str(&b64), 29);
    return true;
}

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *p, size_t n, int flags, void *user)
{
    struct wa_ws *ws = user;
    WA_UNUSED(flags);
    if (ws->in_n == 0) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    size_t take = n < ws->in_n ? n : ws->in_n;
    memcpy(p, ws->in, take);
    ws->in += take;
    ws->in_n -= take;
    return (ssize_t)take;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *p, size_t n, int flags,
                       void *user)
{
    struct wa_ws *ws = user;
    WA_UNUSED(flags);
    wa_buf_add(ws->out, p, n);
    if (ws->out->failed != WA_OK) {
        wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)n;
}

static int on_mask(wslay_event_context_ptr ctx, uint8_t *p, size_t n, void *user)
{
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(user);
    if (wa_rand_bytes(p, n, &err) == WA_OK)
        return 0;
    wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static void on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg,
                       void *user)
{
    struct wa_ws *ws = user;
    if (arg->opcode == WSLAY_TEXT_FRAME) {
        ws->cb.on_text(ws->user, wa_sv_n(arg->msg, arg->msg_length));
    } else if (arg->opcode == WSLAY_BINARY_FRAME) {
        ws->bad_type = true;
        (void)wslay_event_queue_close(ctx, WSLAY_CODE_UNSUPPORTED_DATA, NULL, 0);
    } else if (arg->opcode == WSLAY_CONNECTION_CLOSE && ws->cb.on_close != NULL) {
        ws->cb.on_close(ws->user, arg->status_code);
    } else if (arg->opcode == WSLAY_PONG && ws->cb.on_pong != NULL) {
        ws->cb.on_pong(ws->user);
    }
}

enum wa_code wa_ws_new(bool is_server, size_t max_message, const struct wa_ws_cb *cb, void *user,
                       struct wa_ws **ret, struct wa_err *err)
{
    static const struct wslay_event_callbacks callbacks = {.recv_callback = on_recv,
                                                           .send_callback = on_send,
                                                           .genmask_callback = on_mask,
                                                           .on_msg_recv_callback = on_message};
    struct wa_ws *ws = wa_calloc(1, sizeof *ws);
    if (ws == NULL)
        return wa_nomem(err);
    ws->cb = *cb;
    ws->user = user;
    int rc = is_server ? wslay_event_context_server_init(&ws->ctx, &callbacks, ws)
                       : wslay_event_context_client_init(&ws->ctx, &callbacks, ws);
    if (rc != 0) {
        wa_free(ws);
        return wa_nomem(err);
    }
    wslay_event_config_set_max_recv_msg_length(ws->ctx, max_message);
    *ret = ws;
    return WA_OK;
}

void wa_ws_free(struct wa_ws *ws)
{
    if (ws == NULL)
        return;
    wslay_event_context_free(ws->ctx);
    wa_free(ws);
}

void wa_ws_set_max_message(struct wa_ws *ws, size_t max)
{
    wslay_event_config_set_max_recv_msg_length(ws->ctx, max);
}

enum wa_code wa_ws_feed(struct wa_ws *ws, const void *p, size_t n, struct wa_err *err)
{
    ws->in = p;
    ws->in_n = n;
    int rc = wslay_event_recv(ws->ctx);
    ws->in = NULL;
    ws->in_n = 0;
    if (rc == WSLAY_ERR_NOMEM)
        return wa_nomem(err);
    if (rc != 0)
        return wa_fail(err, WA_E_INVALID, "the WebSocket's peer broke the protocol");
    if (ws->bad_type)
        return wa_fail(err, WA_E_INVALID, "the WebSocket's peer sent a binary message");
    /* wslay answers protocol faults with a close frame of its own and reads no further. */
    if (wslay_event_get_close_sent(ws->ctx) == 0 && wslay_event_want_read(ws->ctx) == 0 &&
        wslay_event_get_close_received(ws->ctx) == 0)
        return wa_fail(err, WA_E_INVALID,
                       "the WebSocket's peer broke the protocol or sent too long a message");
    return WA_OK;
}

static enum wa_code queued(int rc, struct wa_err *err)
{
    if (rc == 0)
        return WA_OK;
    return rc == WSLAY_ERR_NOMEM ? wa_nomem(err)
                                 : wa_fail(err, WA_E_NOT_FOUND, "the WebSocket is closing");
}

enum wa_code wa_ws_queue_text(struct wa_ws *ws, struct wa_sv text, struct wa_err *err)
{
    const struct wslay_event_msg m = {WSLAY_TEXT_FRAME, (const uint8_t *)text.p, text.n};
    if (wslay_event_get_queued_msg_length(ws->ctx) + text.n > QUEUE_MAX)
        return wa_fail(err, WA_E_LIMIT, "the WebSocket's peer does not read");
    return queued(wslay_event_queue_msg(ws->ctx, &m), err);
}

enum wa_code wa_ws_queue_ping(struct wa_ws *ws, struct wa_err *err)
{
    const struct wslay_event_msg m = {WSLAY_PING, NULL, 0};
    return queued(wslay_event_queue_msg(ws->ctx, &m), err);
}

enum wa_code wa_ws_queue_close(struct wa_ws *ws, int status, const char *reason, struct wa_err *err)
{
    size_t n = reason == NULL ? 0 : strlen(reason);
    if (n > 120)
        n = wa_utf8_cut(reason, 120);
    if (wslay_event_get_close_sent(ws->ctx) == 1)
        return WA_OK;
    return queued(wslay_event_queue_close(ws->ctx, (uint16_t)status, (const uint8_t *)reason, n),
                  err);
}

enum wa_code wa_ws_drain(struct wa_ws *ws, struct wa_buf *out, struct wa_err *err)
{
    ws->out = out;
    int rc = wslay_event_want_write(ws->ctx) == 1 ? wslay_event_send(ws->ctx) : 0;
    ws->out = NULL;
    if (rc == 0)
        return WA_OK;
    return rc == WSLAY_ERR_NOMEM ? wa_nomem(err)
                                 : wa_fail(err, WA_E_LIMIT, "the WebSocket's peer does not read");
}

bool wa_ws_is_closed(const struct wa_ws *ws)
{
    return wslay_event_get_close_received(ws->ctx) == 1 && wslay_event_get_close_sent(ws->ctx) == 1;
}
