/* ws_feed.c - frames mean the same in one piece and in many; and where we find nothing wrong, an
 * independent implementation (wslay) reads the same messages.
 *
 * The first byte says which end we are, and how long the pieces are.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wslay/wslay.h>

#include "base/utf8.h"
#include "net/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESSAGE_MAX 2000u

struct heard {
    struct wa_buf text; /* messages, each behind its length */
    int close_status;
    enum wa_code code;
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void add_message(struct heard *x, const void *p, size_t n)
{
    wa_buf_addf(&x->text, "%zu:", n);
    wa_buf_add(&x->text, p, n);
}

static void on_text(void *user, struct wa_sv text)
{
    must(text.n <= MESSAGE_MAX && wa_utf8_valid(text));
    add_message(user, text.p, text.n);
}

static void on_close(void *user, int status)
{
    struct heard *x = user;
    must(x->close_status == 0 && status >= 1000 && status < 5000);
    x->close_status = status;
}

static void ours(bool is_server, const uint8_t *data, size_t size, size_t piece, struct heard *x)
{
    static const struct wa_ws_cb cb = {on_text, on_close, NULL};
    WA_AUTO(wa_ws) struct wa_ws *ws = NULL;
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&out, 16u << 20);
    if (wa_ws_new(is_server, MESSAGE_MAX, &cb, x, &ws, &err) != WA_OK)
        return;
    for (size_t at = 0; at < size && x->code == WA_OK; at += piece)
        x->code = wa_ws_feed(ws, data + at, piece < size - at ? piece : size - at, &err);
    must(x->code == WA_OK || x->code == WA_E_INVALID || x->code == WA_E_LIMIT);
    must((wa_ws_sent_status(ws) != 0) == (x->code != WA_OK || x->close_status != 0));
    must(wa_ws_is_closed(ws) == (x->close_status != 0));
    must(wa_ws_drain(ws, &out, &err) == WA_OK && wa_ws_queued(ws) == 0);
}

/* --- the other implementation --- */

struct other {
    const uint8_t *p;
    size_t n;
    struct heard *heard;
};

static ssize_t other_recv(wslay_event_context_ptr ctx, uint8_t *p, size_t n, int flags, void *user)
{
    struct other *o = user;
    size_t take = n < o->n ? n : o->n;
    WA_UNUSED(flags);
    if (take == 0) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(p, o->p, take);
    o->p += take;
    o->n -= take;
    return (ssize_t)take;
}

static void other_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *m,
                          void *user)
{
    struct other *o = user;
    WA_UNUSED(ctx);
    if (m->opcode == WSLAY_TEXT_FRAME)
        add_message(o->heard, m->msg, m->msg_length);
    else if (m->opcode == WSLAY_CONNECTION_CLOSE)
        o->heard->close_status = m->status_code == 0 ? 1005 : m->status_code;
}

/* False when it found something wrong. */
static bool theirs(bool is_server, const uint8_t *data, size_t size, struct heard *x)
{
    static const struct wslay_event_callbacks callbacks = {.recv_callback = other_recv,
                                                           .on_msg_recv_callback = other_message};
    struct other o = {data, size, x};
    wslay_event_context_ptr ctx = NULL;
    must((is_server ? wslay_event_context_server_init(&ctx, &callbacks, &o)
                    : wslay_event_context_client_init(&ctx, &callbacks, &o)) == 0);
    wslay_event_config_set_max_recv_msg_length(ctx, MESSAGE_MAX);
    bool is_fine = wslay_event_recv(ctx) == 0 &&
                   (wslay_event_want_read(ctx) == 1 || wslay_event_get_close_received(ctx) == 1);
    wslay_event_context_free(ctx);
    return is_fine;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heard whole = {.code = WA_OK}, pieces = {.code = WA_OK}, other = {.code = WA_OK};
    if (size < 2)
        return 0;
    bool is_server = (data[0] & 1) != 0;
    wa_buf_init(&whole.text, 16u << 20);
    wa_buf_init(&pieces.text, 16u << 20);
    wa_buf_init(&other.text, 16u << 20);
    ours(is_server, data + 1, size - 1, size, &whole);
    ours(is_server, data + 1, size - 1, 1u + data[0] / 2u, &pieces);
    must(wa_sv_eq(wa_buf_sv(&whole.text), wa_buf_sv(&pieces.text)));
    must(whole.close_status == pieces.close_status && whole.code == pieces.code);
    if (whole.code == WA_OK) {
        /* It may refuse what is not whole yet, a head or a text, where we wait for the rest. */
        bool is_fine = theirs(is_server, data + 1, size - 1, &other);
        must(wa_sv_eq(wa_buf_sv(&whole.text), wa_buf_sv(&other.text)));
        must(!is_fine || whole.close_status == other.close_status);
    }
    wa_buf_fini(&whole.text);
    wa_buf_fini(&pieces.text);
    wa_buf_fini(&other.text);
    return 0;
}
