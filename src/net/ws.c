/* ws.c - WebSocket framing (RFC 6455), fed with bytes and drained as bytes; no socket here.
 *
 * Our own, because wslay's context holds 9 KiB of buffers for its whole life and an idle connection
 * may cost 16 KiB in all. Idle, this holds no buffer: a message grows as its bytes come, never by
 * the length a frame claims, and goes with the callback. What is queued are finished frames.
 */
#include "net/ws.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "crypto/digest.h"
#include "os/rand.h"

#define CONTROL_MAX 125u   /* bytes of a control frame */
#define CONTROL_ROOM 4096u /* bytes for pings and a close frame behind a full queue */

enum opcode { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

struct wa_ws {
    struct wa_ws_cb cb;
    void *user;
    size_t max_message;
    struct wa_buf message; /* text so far, all fragments */
    struct wa_buf queue;   /* frames to be sent */
    uint64_t left;         /* bytes of the current frame still to come */
    uint32_t mask_at;
    enum wa_code failed; /* nothing is read any more */
    uint8_t head[14], head_n;
    uint8_t mask[4];
    uint8_t control[CONTROL_MAX], control_n;
    uint8_t opcode;
    uint16_t sent_status; /* of our close frame */
    bool is_server, is_final, in_frame, in_message, close_sent, close_received;
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
    memcpy(out, b64.p, 29);
    return true;
}

/* --- sending --- */

static enum wa_code queue_frame(struct wa_ws *ws, enum opcode opcode, struct wa_sv payload,
                                struct wa_err *err)
{
    uint8_t head[14] = {(uint8_t)(0x80 | opcode)}, mask[4] = {0};
    size_t n = 2, before = ws->queue.n;
    if (payload.n < 126) {
        head[1] = (uint8_t)payload.n;
    } else {
        size_t digits = payload.n < 65536 ? 2 : 8;
        head[1] = digits == 2 ? 126 : 127;
        for (size_t i = 0; i < digits; i++)
            head[n++] = (uint8_t)((uint64_t)payload.n >> (8 * (digits - 1 - i)));
    }
    if (!ws->is_server) {
        if (wa_rand_bytes(mask, sizeof mask, err) != WA_OK)
            return err->code;
        head[1] |= 0x80;
        memcpy(head + n, mask, sizeof mask);
        n += sizeof mask;
    }
    char *p = wa_buf_reserve(&ws->queue, n + payload.n);
    if (p == NULL) { /* as if never asked: frames queued before stay whole */
        enum wa_code code = ws->queue.failed;
        ws->queue.failed = WA_OK;
        ws->queue.n = before;
        return code == WA_E_NOMEM ? wa_nomem(err)
                                  : wa_fail(err, WA_E_LIMIT, "the WebSocket's peer does not read");
    }
    memcpy(p, head, n);
    if (payload.n > 0)
        memcpy(p + n, payload.p, payload.n);
    for (size_t i = 0; !ws->is_server && i < payload.n; i++)
        p[n + i] = (char)((uint8_t)p[n + i] ^ mask[i % 4]);
    wa_buf_advance(&ws->queue, n + payload.n);
    return WA_OK;
}

enum wa_code wa_ws_queue_text(struct wa_ws *ws, struct wa_sv text, struct wa_err *err)
{
    if (ws->close_sent)
        return wa_fail(err, WA_E_NOT_FOUND, "the WebSocket is closing");
    if (ws->queue.n > WA_WS_QUEUE_MAX)
        return wa_fail(err, WA_E_LIMIT, "the WebSocket's peer does not read");
    return queue_frame(ws, TEXT, text, err);
}

enum wa_code wa_ws_queue_ping(struct wa_ws *ws, struct wa_err *err)
{
    if (ws->close_sent)
        return wa_fail(err, WA_E_NOT_FOUND, "the WebSocket is closing");
    return queue_frame(ws, PING, WA_SV(""), err);
}

enum wa_code wa_ws_queue_close(struct wa_ws *ws, int status, const char *reason, struct wa_err *err)
{
    char payload[CONTROL_MAX];
    size_t n = 0;
    if (ws->close_sent)
        return WA_OK;
    if (status > 0) {
        payload[0] = (char)(uint8_t)(status >> 8);
        payload[1] = (char)(uint8_t)status;
        n = reason == NULL ? 0 : strlen(reason);
        if (n > CONTROL_MAX - 2)
            n = wa_utf8_cut(reason, CONTROL_MAX - 2);
        if (n > 0)
            memcpy(payload + 2, reason, n);
        n += 2;
    }
    if (queue_frame(ws, CLOSE, wa_sv_n(payload, n), err) != WA_OK)
        return err->code;
    ws->close_sent = true;
    ws->sent_status = (uint16_t)(status > 0 ? status : 1005);
    return WA_OK;
}

enum wa_code wa_ws_drain(struct wa_ws *ws, struct wa_buf *out, struct wa_err *err)
{
    if (ws->queue.n == 0)
        return WA_OK;
    if (out->p == NULL && out->failed == WA_OK && ws->queue.n <= out->max) {
        size_t max = out->max; /* the whole queue changes hands */
        *out = ws->queue;
        out->max = max;
        wa_buf_init(&ws->queue, ws->queue.max);
        return WA_OK;
    }
    size_t room = out->max > out->n ? out->max - out->n : 0;
    size_t n = ws->queue.n < room ? ws->queue.n : room;
    wa_buf_add(out, ws->queue.p, n);
    if (wa_buf_check(out, err) != WA_OK)
        return err->code;
    wa_buf_consume(&ws->queue, n);
    if (ws->queue.n == 0)
        wa_buf_fini(&ws->queue);
    return WA_OK;
}

size_t wa_ws_queued(const struct wa_ws *ws)
{
    return ws->queue.n;
}

int wa_ws_sent_status(const struct wa_ws *ws)
{
    return ws->sent_status;
}

/* --- receiving --- */

static void close_quietly(struct wa_ws *ws, int status, const char *why)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_ws_queue_close(ws, status, why, &err) != WA_OK)
        wa_err_clear(&err); /* no memory: then without a word */
}

/* Says why in a close frame, and reads no further. */
static enum wa_code refuse(struct wa_ws *ws, int status, enum wa_code code, const char *why,
                           struct wa_err *err)
{
    ws->failed = code;
    wa_buf_fini(&ws->message);
    close_quietly(ws, status, why);
    return wa_fail(err, code, "the WebSocket's peer sent %s", why);
}

static enum wa_code check_kind(struct wa_ws *ws, struct wa_err *err)
{
    switch (ws->opcode) {
    case CONTINUATION:
        return ws->in_message ? WA_OK
                              : refuse(ws, 1002, WA_E_INVALID, "a continuation of nothing", err);
    case TEXT:
        return ws->in_message ? refuse(ws, 1002, WA_E_INVALID, "a message inside another one", err)
                              : WA_OK;
    case BINARY:
        return refuse(ws, 1003, WA_E_INVALID, "a binary message", err);
    case CLOSE:
    case PING:
    case PONG:
        if (!ws->is_final || ws->left > CONTROL_MAX)
            return refuse(ws, 1002, WA_E_INVALID, "a control frame that is too long or in pieces",
                          err);
        return WA_OK;
    default:
        return refuse(ws, 1002, WA_E_INVALID, "a frame of an unknown kind", err);
    }
}

/* Bytes of the whole head, as far as known. */
static size_t head_size(const struct wa_ws *ws)
{
    if (ws->head_n < 2)
        return 2;
    size_t length = ws->head[1] & 0x7f;
    return 2u + (length == 126 ? 2u : length == 127 ? 8u : 0u) + ((ws->head[1] & 0x80) ? 4u : 0u);
}

/* The head is whole: judges it and starts the frame. */
static enum wa_code begin_frame(struct wa_ws *ws, struct wa_err *err)
{
    size_t digits = (ws->head[1] & 0x7f) == 126 ? 2 : (ws->head[1] & 0x7f) == 127 ? 8 : 0;
    bool is_masked = (ws->head[1] & 0x80) != 0;
    ws->is_final = (ws->head[0] & 0x80) != 0;
    ws->opcode = ws->head[0] & 0x0f;
    ws->left = digits == 0 ? ws->head[1] & 0x7f : 0;
    for (size_t i = 0; i < digits; i++)
        ws->left = ws->left << 8 | ws->head[2 + i];
    if ((ws->head[0] & 0x70) != 0)
        return refuse(ws, 1002, WA_E_INVALID, "a frame with reserved bits", err);
    if (is_masked != ws->is_server)
        return refuse(ws, 1002, WA_E_INVALID, is_masked ? "a masked frame" : "an unmasked frame",
                      err);
    if ((digits == 2 && ws->left < 126) || (digits == 8 && (ws->left < 65536 || ws->left >> 63)))
        return refuse(ws, 1002, WA_E_INVALID, "a length that is not the shortest form", err);
    if (check_kind(ws, err) != WA_OK)
        return err->code;
    if (ws->opcode <= TEXT &&
        (ws->message.n > ws->max_message || ws->left > ws->max_message - ws->message.n))
        return refuse(ws, 1009, WA_E_LIMIT, "too long a message", err);
    if (is_masked)
        memcpy(ws->mask, ws->head + 2 + digits, 4);
    ws->in_frame = true;
    ws->in_message = ws->in_message || ws->opcode == TEXT;
    ws->head_n = ws->control_n = 0;
    ws->mask_at = 0;
    return WA_OK;
}

static enum wa_code take_payload(struct wa_ws *ws, const uint8_t *p, size_t n, struct wa_err *err)
{
    uint8_t *to = ws->control + ws->control_n;
    if (ws->opcode >= CLOSE) {
        ws->control_n = (uint8_t)(ws->control_n + n);
    } else {
        ws->message.max = ws->max_message;
        to = wa_buf_reserve(&ws->message, n);
        if (to == NULL) {
            close_quietly(ws, 1011, "memory ran out");
            return wa_nomem(err);
        }
    }
    memcpy(to, p, n);
    for (size_t i = 0; ws->is_server && i < n; i++)
        to[i] ^= ws->mask[(ws->mask_at + i) % 4];
    ws->mask_at = (uint32_t)((ws->mask_at + n) % 4);
    if (ws->opcode < CLOSE)
        wa_buf_advance(&ws->message, n);
    ws->left -= n;
    return WA_OK;
}

static bool may_be_sent(int status)
{
    return (status >= 1000 && status <= 1003) || (status >= 1007 && status <= 1014) ||
           (status >= 3000 && status <= 4999);
}

static enum wa_code end_close(struct wa_ws *ws, struct wa_err *err)
{
    int status = ws->control_n < 2 ? 1005 : ws->control[0] << 8 | ws->control[1];
    if (ws->control_n == 1 || (ws->control_n >= 2 && !may_be_sent(status)))
        return refuse(ws, 1002, WA_E_INVALID, "a close frame without a proper status", err);
    if (ws->control_n > 2 && !wa_utf8_valid(wa_sv_n(ws->control + 2, (size_t)ws->control_n - 2)))
        return refuse(ws, 1007, WA_E_INVALID, "a text that is not UTF-8", err);
    ws->close_received = true;
    wa_buf_fini(&ws->message);
    close_quietly(ws, ws->control_n < 2 ? 0 : status, NULL);
    if (ws->cb.on_close != NULL)
        ws->cb.on_close(ws->user, status);
    return WA_OK;
}

static enum wa_code end_text(struct wa_ws *ws, struct wa_err *err)
{
    struct wa_buf text = ws->message;
    if (!ws->is_final)
        return WA_OK;
    if (!wa_utf8_valid(wa_buf_sv(&text)))
        return refuse(ws, 1007, WA_E_INVALID, "a text that is not UTF-8", err);
    wa_buf_init(&ws->message, ws->max_message);
    ws->in_message = false;
    if (!ws->close_sent)
        ws->cb.on_text(ws->user, text.p == NULL ? WA_SV("") : wa_buf_sv(&text));
    wa_buf_fini(&text);
    return WA_OK;
}

/* The frame is whole. */
static enum wa_code end_frame(struct wa_ws *ws, struct wa_err *err)
{
    ws->in_frame = false;
    if (ws->opcode == CLOSE)
        return end_close(ws, err);
    if (ws->opcode == PONG && ws->cb.on_pong != NULL)
        ws->cb.on_pong(ws->user);
    if (ws->opcode == PING && !ws->close_sent && ws->queue.n < WA_WS_PONG_QUEUE_MAX &&
        queue_frame(ws, PONG, wa_sv_n(ws->control, ws->control_n), err) != WA_OK)
        return err->code;
    return ws->opcode < CLOSE ? end_text(ws, err) : WA_OK;
}

/* Takes one head's or one frame's bytes; how many goes to *ret_used. */
static enum wa_code step(struct wa_ws *ws, const uint8_t *p, size_t n, size_t *ret_used,
                         struct wa_err *err)
{
    size_t take = 0;
    if (!ws->in_frame) {
        ws->head[ws->head_n++] = *p;
        *ret_used = 1;
        if (ws->head_n < head_size(ws))
            return WA_OK;
        if (begin_frame(ws, err) != WA_OK)
            return err->code;
    } else {
        take = ws->left < n ? (size_t)ws->left : n;
        *ret_used = take;
        if (take_payload(ws, p, take, err) != WA_OK)
            return err->code;
    }
    return ws->left == 0 ? end_frame(ws, err) : WA_OK;
}

enum wa_code wa_ws_feed(struct wa_ws *ws, const void *p, size_t n, struct wa_err *err)
{
    const uint8_t *at = p;
    while (n > 0 && !ws->close_received) {
        size_t used = 0;
        if (ws->failed != WA_OK)
            return wa_fail(err, ws->failed, "the WebSocket's peer broke the protocol");
        if (step(ws, at, n, &used, err) != WA_OK) {
            ws->failed = err->code;
            return err->code;
        }
        at += used;
        n -= used;
    }
    return WA_OK;
}

/* --- life --- */

enum wa_code wa_ws_new(bool is_server, size_t max_message, const struct wa_ws_cb *cb, void *user,
                       struct wa_ws **ret, struct wa_err *err)
{
    struct wa_ws *ws = wa_calloc(1, sizeof *ws);
    if (ws == NULL)
        return wa_nomem(err);
    ws->cb = *cb;
    ws->user = user;
    ws->is_server = is_server;
    ws->max_message = max_message;
    wa_buf_init(&ws->message, max_message);
    wa_buf_init(&ws->queue, 2 * WA_WS_QUEUE_MAX + CONTROL_ROOM);
    *ret = ws;
    return WA_OK;
}

void wa_ws_free(struct wa_ws *ws)
{
    if (ws == NULL)
        return;
    wa_buf_fini(&ws->message);
    wa_buf_fini(&ws->queue);
    wa_free(ws);
}

void wa_ws_set_max_message(struct wa_ws *ws, size_t max)
{
    ws->max_message = max;
}

bool wa_ws_is_closed(const struct wa_ws *ws)
{
    return ws->close_received && ws->close_sent;
}
