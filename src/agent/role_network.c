/* role_network.c - the process that holds the agent's one connection to the server: TLS, WebSocket,
 * reconnecting.
 *
 * It has no key and no file of ours: the manager tells it where to connect and whom to trust, and
 * signs the hello. Of what the server says it reads only the type, to answer a challenge with the
 * connection's binding and to know that it was let in; everything else goes to the manager whole.
 * Its worst: to lose, delay or repeat messages whose signatures the manager checks.
 */
#include "agent/backoff.h"
#include "agent/helpers.h"
#include "agent/role_priv.h"
#include "agent/trust_json.h"
#include "codec/hex.h"
#include "net/ws_client.h"
#include "proto/push.h"

#define WELCOME_TIMEOUT_MS                                                                         \
    60000u /* ms from the start of an attempt until the server lets us in                          \
            */
#define ARENA_MAX (8u * WA_WS_MESSAGE_MAX) /* bytes: a message as a tree of nodes */
#define MEMORY_MAX                                                                                 \
    (2ull << 30) /* bytes of address space: libc reserves 128 MiB for each look-up thread */

struct net {
    struct wa_role_child child;
    struct wa_loop *loop;
    struct wa_timer *retry; /* begins the next attempt */
    struct wa_timer *reap;  /* frees the client outside its own callbacks */
    struct wa_timer *guard; /* no welcome in time */
    /* as configured */
    struct wa_url url;
    char proxy[512];
    struct wa_tls_ctx *ctx;
    int64_t backoff_first_ms, backoff_max_ms;
    /* the present attempt */
    struct wa_ws_client *client;
    bool is_open, is_challenged, is_over;
    uint32_t failures; /* since the last welcome */
    /* why the process ends, when not in good order */
    enum wa_code end_code;
    struct wa_err end_err;
};

static void give_up(struct net *n, enum wa_code code, const struct wa_err *err)
{
    n->end_code = code;
    n->end_err = *err;
    wa_loop_stop(n->loop);
}

/* Without the manager there is nothing to live for. */
static void post(struct net *n, uint16_t type, struct wa_sv payload)
{
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = wa_chan_post(n->child.chan, type, 0, payload, -1, &err);
    if (code != WA_OK) {
        give_up(n, code, &err);
    }
}

static void post_state(struct net *n, const char *state, const char *reason, int status)
{
    struct wa_buf WA_AUTO_BUF out;
    struct wa_jw w;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&out, WA_ROLE_NOTE_MAX);
    wa_jw_init(&w, &out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "state", state);
    wa_jw_kv(&w, "reason", reason);
    wa_jw_kvi(&w, "status", status);
    wa_jw_end(&w);
    if (wa_buf_check(&out, &err) != WA_OK) {
        give_up(n, err.code, &err);
        return;
    }
    post(n, WA_M_NET_STATE, wa_buf_sv(&out));
}

/* The attempt is over. The client is freed later: we may be inside one of its callbacks. */
static void attempt_over(struct net *n, const char *reason, int status)
{
    if (n->is_over) {
        return;
    }
    n->is_over = true;
    n->is_open = false;
    post_state(n, "closed", reason, status);
    wa_timer_stop(n->guard);
    wa_timer_start(n->reap, 0, 0);
    wa_timer_start(
        n->retry,
        wa_backoff((uint64_t)n->backoff_first_ms, (uint64_t)n->backoff_max_ms, n->failures), 0);
    n->failures += n->failures < UINT32_MAX;
}

static void on_reap(void *user)
{
    struct net *n = user;
    wa_ws_client_free(n->client);
    n->client = NULL;
}

static void on_guard(void *user)
{
    attempt_over(user, "the server did not let us in within a minute", 0);
}

static enum wa_code answer_challenge(struct net *n, const struct wa_json *m, struct wa_err *err)
{
    char nonce[65], channel[65];
    uint8_t binding[32];
    int64_t server_time = 0;
    if (n->is_challenged) { /* each costs the manager a signature */
        return wa_fail(err, WA_E_REFUSED, "the server sent a second challenge");
    }
    enum wa_code code = wa_push_challenge_read(m, nonce, &server_time, err);
    if (code == WA_OK) {
        code = wa_ws_client_channel_binding(n->client, binding, err);
    }
    if (code != WA_OK) {
        return code;
    }
    struct wa_buf WA_AUTO_BUF out;
    struct wa_jw w;
    wa_hex_encode(binding, sizeof binding, channel);
    wa_buf_init(&out, WA_ROLE_NOTE_MAX);
    wa_jw_init(&w, &out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "nonce", nonce);
    wa_jw_kvi(&w, "time", server_time);
    wa_jw_kv(&w, "channel", channel);
    wa_jw_end(&w);
    code = wa_buf_check(&out, err);
    if (code == WA_OK) {
        n->is_challenged = true;
        post(n, WA_M_NET_CHALLENGE, wa_buf_sv(&out));
    }
    return code;
}

static enum wa_code take_text(struct net *n, struct wa_sv text, struct wa_err *err)
{
    struct wa_arena WA_AUTO_ARENA arena;
    enum wa_push_type type = WA_PUSH_ACK;
    const struct wa_json *m = NULL;
    wa_arena_init(&arena, ARENA_MAX);
    enum wa_code code = wa_push_parse(text, &arena, &type, &m, err);
    if (code != WA_OK) {
        return code;
    }
    switch (type) {
    case WA_PUSH_CHALLENGE:
        return answer_challenge(n, m, err);
    case WA_PUSH_WELCOME:
        n->failures = 0;
        wa_timer_stop(n->guard);
        post_state(n, "welcome", "", 0);
        return WA_OK;
    case WA_PUSH_ORDER:
    case WA_PUSH_SAME:
    case WA_PUSH_WATCH:
        post(n, WA_M_NET_TEXT, text);
        return WA_OK;
    case WA_PUSH_OTHER: /* a newer server's, which does without us */
        return WA_OK;
    case WA_PUSH_HELLO:
    case WA_PUSH_ACK:
    case WA_PUSH_QUEUE:
        break;
    }
    return wa_fail(err, WA_E_REFUSED, "the server sent a message that only agents send");
}

static void on_open(void *user)
{
    struct net *n = user;
    n->is_open = true;
    post_state(n, "open", "", 0);
}

static void on_text(void *user, struct wa_sv text)
{
    struct net *n = user;
    struct wa_err err = WA_ERR_INIT;
    if (!n->is_over && take_text(n, text, &err) != WA_OK) {
        attempt_over(n, err.text, 0);
    }
}

/* The WebSocket's close status, which the client tells in the text of its error alone. Only the two
 * that the manager acts upon; 0 for any other end. */
static int close_status(const struct wa_err *err)
{
    static const int known[] = {WA_PUSH_CLOSE_REGISTER, WA_PUSH_CLOSE_REFUSED};
    if (err->code == WA_E_DENIED)
        return WA_NET_IDENTITY_REFUSED;
    for (size_t i = 0; err->code == WA_E_REFUSED && i < WA_COUNT(known); i++) {
        char end[32];
        (void)snprintf(end, sizeof end, "(status %d)", known[i]);
        if (wa_sv_ends(wa_sv(err->text), end)) {
            return known[i];
        }
    }
    return 0;
}

static void on_end(void *user, enum wa_code code, const struct wa_err *err)
{
    struct net *n = user;
    attempt_over(n, code == WA_OK ? "the server closed the connection" : err->text,
                 close_status(err));
}

static void on_retry(void *user)
{
    static const struct wa_ws_client_events events = {on_open, on_text, on_end};
    struct net *n = user;
    struct wa_err err = WA_ERR_INIT;
    wa_timer_stop(n->retry);
    wa_timer_stop(n->reap);
    on_reap(n);
    n->is_open = n->is_challenged = n->is_over = false;
    post_state(n, "connecting", "", 0);
    wa_timer_start(n->guard, WELCOME_TIMEOUT_MS, 0);
    if (wa_ws_client_new(n->loop, &n->url, n->proxy[0] != '\0' ? n->proxy : NULL, n->ctx,
                         WA_WS_MESSAGE_MAX, &events, n, &n->client, &err) != WA_OK) {
        attempt_over(n, err.text, 0);
    }
}

/* All or nothing: a configuration that does not read leaves the one before. */
static enum wa_code take_config(struct net *n, struct wa_sv text, struct wa_err *err)
{
    struct wa_arena WA_AUTO_ARENA arena;
    wa_arena_init(&arena, 8 * WA_ROLE_JSON_MAX);
    const struct wa_json *j = NULL, *trust_json = NULL;
    struct wa_sv url_text = {0}, proxy = {0};
    int64_t first = 0, max = 0;
    const struct wa_json_field fields[] = {
        {"url", WA_WANT_SV, true, 2048, &url_text},
        {"proxy", WA_WANT_SV, true, sizeof n->proxy - 1, &proxy},
        {"trust", WA_WANT_OBJECT, true, 0, &trust_json},
        {"backoff_first_ms", WA_WANT_I64, true, 0, &first},
        {"backoff_max_ms", WA_WANT_I64, true, 0, &max},
    };
    struct wa_tls_trust trust;
    struct wa_url url;
    char proxy_text[sizeof n->proxy];
    struct wa_tls_ctx *ctx = NULL;
    enum wa_code code = wa_json_parse(text, 0, &arena, &j, err);
    if (code == WA_OK) {
        code = wa_json_read(j, fields, WA_COUNT(fields), "the network's configuration", err);
    }
    if (code == WA_OK) {
        code = wa_trust_read(trust_json, &trust, err);
    }
    if (code == WA_OK) {
        code = wa_url_parse(url_text, &url, err);
    }
    if (code == WA_OK && (!url.is_https || first < 1 || max < first || max > INT32_MAX ||
                          !wa_role_copy(proxy, proxy_text, sizeof proxy_text))) {
        code = wa_fail(err, WA_E_CONFIG,
                       "the network's configuration is not one: it needs an https "
                       "address, and delays from 1 ms on");
    }
    if (code == WA_OK) {
        code = wa_tls_client_ctx(&trust, &ctx, err);
    }
    if (code != WA_OK) {
        return code;
    }
    on_reap(n); /* its context goes */
    wa_tls_ctx_free(n->ctx);
    n->ctx = ctx;
    n->url = url;
    memcpy(n->proxy, proxy_text, sizeof n->proxy);
    n->backoff_first_ms = first;
    n->backoff_max_ms = max;
    n->failures = 0;
    return WA_OK;
}

static void on_message(void *user, const struct wa_chan_msg *msg)
{
    struct net *n = user;
    struct wa_err err = WA_ERR_INIT;
    if (msg->type == WA_M_NET_CONFIG) {
        if (take_config(n, msg->payload, &err) == WA_OK) {
            on_retry(n);
        } else {
            wa_log_err(&n->child.log, WA_LOG_ERROR, "network.config", &err);
            post_state(n, "closed", err.text, 0);
        }
        return;
    }
    if (n->client == NULL || !n->is_open || n->is_over) {
        return; /* the connection it was meant for is gone; the manager was told */
    }
    if (wa_ws_client_send(n->client, msg->payload, &err) != WA_OK) {
        attempt_over(n, err.text, 0);
    }
}

static void on_channel_end(void *user, enum wa_code code, const struct wa_err *err)
{
    give_up(user, code, err);
}

static enum wa_code run(struct net *n, struct wa_err *err)
{
    enum wa_code code = wa_timer_new(n->loop, on_retry, n, &n->retry, err);
    if (code == WA_OK) {
        code = wa_timer_new(n->loop, on_reap, n, &n->reap, err);
    }
    if (code == WA_OK) {
        code = wa_timer_new(n->loop, on_guard, n, &n->guard, err);
    }
    if (code == WA_OK) {
        code = wa_chan_attach(n->child.chan, n->loop, on_message, on_channel_end, n, err);
    }
    if (code == WA_OK) {
        code = wa_loop_run(n->loop, err);
    }
    if (code == WA_OK && n->end_code != WA_OK) {
        *err = n->end_err;
        code = n->end_code;
    }
    return code;
}

int wa_role_network(void)
{
    struct wa_err err = WA_ERR_INIT;
    struct net n = {0};
    struct wa_priv priv = {
        .allow = WA_PRIV_NET | WA_PRIV_THREADS | WA_PRIV_FS_READ,
        .read_paths = wa_priv_net_paths(),
        .limit_memory_bytes = wa_role_memory_limit(MEMORY_MAX),
        .limit_files = 64,
    };
    enum wa_code code = wa_role_child_begin(&n.child, WA_ROLE_NETWORK, &priv, &err);
    if (code == WA_OK) {
        code = wa_loop_new(&n.loop, &err);
    }
    if (code == WA_OK) {
        code = run(&n, &err);
    }
    wa_ws_client_free(n.client);
    wa_tls_ctx_free(n.ctx);
    int status = wa_role_child_end(&n.child, code, &err);
    wa_loop_free(n.loop);
    return status;
}
