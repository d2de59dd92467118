/* front_push.c - the agents' WebSockets on a front: challenge, greeting, orders, acknowledgements.
 *
 * Who greets is judged by the store. Whoever has not greeted in time is sent away, and one address
 * keeps only so many WebSockets waiting: nobody holds a place here without having said who it is.
 */
#include "codec/hex.h"
#include "codec/json.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/push.h"
#include "proto/queue.h"
#include "server/front_priv.h"

static void ws_message(void *user, struct wa_ws_conn *c, struct wa_sv text);
static void ws_close(void *user, struct wa_ws_conn *c, int status, const char *reason);

/* Those of an address that have not said yet who they are. */
static size_t ungreeted(const struct wa_front *f, const char *peer)
{
    size_t n = 0;
    for (const struct wa_exchange *x = f->exchanges; x != NULL; x = x->next)
        n += x->ws != NULL && !x->has_greeted && strcmp(x->peer, peer) == 0;
    return n;
}

void wa_front_push(struct wa_front *f, struct wa_http_conn *c, const struct wa_tls_peer *client)
{
    static const struct wa_ws_events events = {ws_message, ws_close};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 1024);
    if (ungreeted(f, wa_http_peer(c)) >= WA_FRONT_UNGREETED_MAX) {
        (void)wa_fail(&err, WA_E_BUSY, "too many of your connections have not greeted yet");
        wa_front_answer_err(f, c, &err);
        return;
    }
    struct wa_exchange *x = wa_front_exchange(f, NULL);
    if (x != NULL) {
        (void)snprintf(x->peer, sizeof x->peer, "%s", wa_http_peer(c));
        x->client = *client;
    }
    if (x == NULL || wa_rand_hex(x->nonce, 32, &err) != WA_OK ||
        wa_http_accept_ws(c, WA_WS_HELLO_MAX, &events, x, &x->ws, &err) != WA_OK) {
        if (x != NULL)
            wa_front_exchange_free(x);
        if (err.code == WA_OK)
            (void)wa_nomem(&err);
        wa_front_answer_err(f, c, &err);
        return;
    }
    wa_push_challenge_write(x->nonce, wa_clock_now(), &text);
    if (wa_ws_send(x->ws, wa_buf_sv(&text), &err) != WA_OK)
        wa_log_err(&f->child.log, WA_LOG_WARNING, "push.challenge", &err);
}

static enum wa_code ask_hello(struct wa_exchange *x, struct wa_sv hello, struct wa_err *err)
{
    uint8_t raw[32];
    char channel[65];
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 128u << 10);
    if (wa_ws_channel_binding(x->ws, raw, err) != WA_OK)
        return err->code;
    wa_hex_encode(raw, sizeof raw, channel);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "conn", x->id);
    wa_jw_kv(&w, "nonce", x->nonce);
    wa_jw_kv(&w, "channel", channel);
    wa_jw_kv(&w, "machine", x->client.name);
    wa_jw_kvsv(&w, "text", hello);
    wa_jw_end(&w);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    return wa_chan_post(x->front->store, WA_S_HELLO, x->id, wa_buf_sv(&text), -1, err);
}

static enum wa_code pass_ack(struct wa_exchange *x, const struct wa_json *j, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    char id[33];
    bool has_begun = false;
    struct wa_jw w;
    wa_buf_init(&text, 256);
    if (wa_push_ack_read(j, id, &has_begun, err) != WA_OK)
        return err->code;
    /* Each costs the store a write. What begins may have come by an earlier connection. */
    if (has_begun && x->may_begin == 0)
        return WA_OK;
    if (!has_begun && x->unacknowledged == 0)
        return wa_fail(err, WA_E_INVALID, "an agent acknowledged what was not sent");
    if (has_begun) {
        x->may_begin--;
    } else {
        x->unacknowledged--;
        x->may_begin++;
    }
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "conn", x->id);
    wa_jw_kv(&w, "id", id);
    if (has_begun)
        wa_jw_kvb(&w, "begun", true);
    wa_jw_end(&w);
    return wa_chan_post(x->front->store, WA_S_ACK, 0, wa_buf_sv(&text), -1, err);
}

#define SAME_MINUTE_MS 60000u
#define SAME_A_MINUTE 120u

void wa_front_tell_seen(struct wa_front *f)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv ids = wa_sv_n((const char *)f->seen, f->seen_count * sizeof f->seen[0]);
    if (f->seen_count > 0 && wa_chan_post(f->store, WA_S_SEEN, 0, ids, -1, &err) != WA_OK)
        wa_log_err(&f->child.log, WA_LOG_ERROR, "store.lost", &err);
    f->seen_count = 0;
    f->seen_round++;
}

static void note_seen(struct wa_exchange *x)
{
    struct wa_front *f = x->front;
    if (x->seen_round == f->seen_round)
        return;
    x->seen_round = f->seen_round;
    f->seen[f->seen_count++] = x->id;
    if (f->seen_count == WA_FRONT_SEEN_MAX)
        wa_front_tell_seen(f);
}

static enum wa_code say_known(struct wa_exchange *x, bool is_known, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 64);
    wa_push_known_write(is_known, &text);
    return wa_ws_send(x->ws, wa_buf_sv(&text), err);
}

/* One question at a time, and so many a minute: nobody keeps the server busy with them. What the
 * store has answered on this connection holds until it says otherwise, and is answered here. */
static enum wa_code pass_same(struct wa_exchange *x, const struct wa_json *j, struct wa_err *err)
{
    char sum[65];
    uint64_t now = wa_loop_now_ms(x->front->loop);
    if (wa_push_same_read(j, sum, err) != WA_OK)
        return err->code;
    if (now - x->same_since_ms > SAME_MINUTE_MS) {
        x->same_since_ms = now;
        x->same_count = 0;
    }
    if (x->is_same_asked || x->same_count++ >= SAME_A_MINUTE)
        return wa_fail(err, WA_E_LIMIT, "an agent says too often that nothing has changed");
    if (x->is_known && strcmp(sum, x->known) == 0) {
        note_seen(x);
        return say_known(x, true, err);
    }
    x->is_same_asked = true;
    x->is_known = false;
    memcpy(x->known, sum, sizeof x->known);
    return wa_chan_post(x->front->store, WA_S_SAME, x->id, wa_sv_n(sum, 64), -1, err);
}

void wa_front_watch(struct wa_exchange *x)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 64);
    x->may_tell = WA_QUEUE_TOLD_MAX;
    wa_queue_watch_write(WA_QUEUE_WATCH_S, &text);
    if (wa_ws_send(x->ws, wa_buf_sv(&text), &err) != WA_OK)
        wa_ws_close(x->ws, 1011, "failed");
}

void wa_front_known(struct wa_exchange *x, struct wa_sv answer)
{
    struct wa_err err = WA_ERR_INIT;
    x->is_same_asked = false;
    x->is_known = wa_sv_eqs(answer, "1");
    if (say_known(x, !wa_sv_eqs(answer, "0"), &err) != WA_OK)
        wa_ws_close(x->ws, 1011, "failed");
}

/* So many as the machine was asked for, each of so many bytes: the store reads them. */
static enum wa_code pass_queue(struct wa_exchange *x, struct wa_sv message, struct wa_err *err)
{
    if (x->may_tell == 0)
        return wa_fail(err, WA_E_LIMIT, "an agent tells its queue unasked, or too often");
    x->may_tell--;
    return wa_chan_post(x->front->store, WA_S_QUEUE, x->id, message, -1, err);
}

static enum wa_code pass_on(struct wa_exchange *x, struct wa_sv message, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    enum wa_push_type type;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, WA_QUEUE_MEMORY_MAX);
    if (message.n > WA_QUEUE_BYTES_MAX) /* the largest of them */
        return wa_fail(err, WA_E_LIMIT, "an agent says more than %u bytes at once",
                       WA_QUEUE_BYTES_MAX);
    if (wa_push_parse(message, &arena, &type, &j, err) != WA_OK)
        return err->code;
    if (type == WA_PUSH_ACK)
        return pass_ack(x, j, err);
    if (type == WA_PUSH_QUEUE)
        return pass_queue(x, message, err);
    return type == WA_PUSH_SAME
               ? pass_same(x, j, err)
               : wa_fail(err, WA_E_INVALID, "an agent said what only its server says");
}

static void ws_message(void *user, struct wa_ws_conn *c, struct wa_sv text)
{
    struct wa_exchange *x = user;
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code;
    if (x->has_greeted) {
        code = pass_on(x, text, &err);
    } else if (x->nonce[0] == '\0') {
        code = wa_fail(&err, WA_E_INVALID, "a second greeting");
    } else {
        code = ask_hello(x, text, &err);
        x->nonce[0] = '\0'; /* good for one answer */
    }
    if (code == WA_OK)
        return;
    wa_log(&x->front->child.log, WA_LOG_WARNING, "push.bad_message", WA_LF_S("peer", x->peer),
           WA_LF_S("why", err.text));
    wa_ws_close(c, WA_PUSH_CLOSE_REFUSED, "refused");
}

static void ws_close(void *user, struct wa_ws_conn *c, int status, const char *reason)
{
    struct wa_exchange *x = user;
    struct wa_err err = WA_ERR_INIT;
    char text[48];
    WA_UNUSED(c);
    wa_log(&x->front->child.log, WA_LOG_INFO, "push.closed", WA_LF_S("peer", x->peer),
           WA_LF_I("status", status), WA_LF_S("reason", reason));
    (void)snprintf(text, sizeof text, "{\"conn\":%u}", (unsigned)x->id);
    if (wa_chan_post(x->front->store, WA_S_GONE, 0, wa_sv(text), -1, &err) != WA_OK)
        wa_log_err(&x->front->child.log, WA_LOG_ERROR, "store.lost", &err);
    wa_front_exchange_free(x);
}

void wa_front_greeted(struct wa_exchange *x, int status)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 256);
    if (status != 200) {
        wa_ws_close(x->ws, status == 401 ? WA_PUSH_CLOSE_REGISTER : WA_PUSH_CLOSE_REFUSED,
                    status == 401 ? "register again" : "refused");
        return;
    }
    wa_front_exchange_greeted(x);
    wa_push_welcome_write(&text);
    if (wa_ws_send(x->ws, wa_buf_sv(&text), &err) != WA_OK)
        wa_ws_close(x->ws, 1011, "failed");
}

void wa_front_order(struct wa_exchange *x, struct wa_sv text)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_ws_send(x->ws, text, &err) == WA_OK) {
        x->unacknowledged++;
        return;
    }
    wa_log(&x->front->child.log, WA_LOG_WARNING, "order.not_sent", WA_LF_S("peer", x->peer),
           WA_LF_S("why", err.text));
    wa_ws_close(x->ws, 1011, "failed"); /* the store sends it again on the next connection */
}

void wa_front_push_sweep(struct wa_front *f)
{
    uint64_t now = wa_loop_now_ms(f->loop);
    for (struct wa_exchange *x = f->exchanges; x != NULL; x = x->next)
        if (x->ws != NULL && !x->has_greeted && now - x->since_ms > WA_FRONT_GREETING_MS)
            wa_ws_close(x->ws, WA_PUSH_CLOSE_REFUSED, "no greeting came");
}
