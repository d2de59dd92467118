/* push.c - the push channel: the network process, our hello, what the server says. Its orders are
 * judged in push_orders.c.
 *
 * The queue is told while somebody at the server looks at it, and then looked through once a
 * second: a fleet that upgrades in one hour says nothing of it, however often queues change, and
 * what nobody looks at costs nothing.
 *
 * The network process is a pipe that could have been taken over: everything it says is checked, and
 * the hello it gets is good for its TLS connection and this minute only.
 */
#include "proto/push.h"
#include "agent/identity.h"
#include "agent/push.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/queue.h"

#define BACKOFF_FIRST_MS 1000u
#define BACKOFF_MAX_MS 300000u
#define TELL_MS 900u /* the least between two pictures of the queue: one turn of the clock */
#define REFUSALS_A_MINUTE 1000u /* beyond, orders are not even looked at */
#define NEWS_A_MINUTE                                                                              \
    600u /* challenges and states: ten times those of the fastest reconnecting                     \
          */

struct wa_push {
    struct wa_manager *m;
    struct wa_chan *chan;
    char nonce[65]; /* ours, of this connection; "" when there is none */
    int64_t minute; /* of the clock, to which refusals belong */
    unsigned refusals, news;
    char settings[WA_SHA256_HEX];          /* of the server and the way to it, as configured last */
    uint64_t watched_until_ms, told_at_ms; /* somebody looks at the queue; and when it was told */
    char told[WA_SHA256_HEX];              /* what was; "": nothing yet to who looks now */
};

static void fail_log(struct wa_push *p, const char *event, const struct wa_err *err)
{
    wa_log_err(&p->m->log, WA_LOG_WARNING, event, err);
}

static void send_text(struct wa_push *p, struct wa_sv text)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_chan_post(p->chan, WA_M_NET_SEND, 0, text, -1, &err) != WA_OK)
        fail_log(p, "push.not_sent", &err);
}

/* --- hello --- */

static void on_challenge(struct wa_push *p, struct wa_sv payload)
{
    struct wa_net_challenge c;
    struct wa_hello h = {.time = wa_clock_now()};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 64u << 10);
    p->nonce[0] = '\0';
    p->watched_until_ms = 0; /* who looks asks again on this connection */
    if (wa_net_challenge_read(payload, &c, &err) != WA_OK ||
        wa_param_i64(p->m->db, "seq", &h.seq, &err) != WA_OK ||
        wa_rand_hex(h.agent_nonce, 32, &err) != WA_OK) {
        fail_log(p, "push.bad_challenge", &err);
        return;
    }
    memcpy(h.nonce, c.nonce, sizeof h.nonce);
    memcpy(h.channel, c.channel, sizeof h.channel);
    int64_t off = c.time > h.time ? c.time - h.time : h.time - c.time;
    p->m->contact.has_clock = true;
    p->m->contact.clock_off_s = c.time - h.time;
    if (off > WA_ACTION_SKEW_S)
        wa_log(&p->m->log, WA_LOG_WARNING, "clock.differs", WA_LF_I("seconds", off),
               WA_LF_I("server", c.time), WA_LF_I("here", h.time));
    wa_lock_take(p->m->lock);
    memcpy(h.uuid, p->m->uuid, sizeof h.uuid);
    enum wa_code code = p->m->key != NULL
                            ? wa_push_hello_write(&h, p->m->key, &text, &err)
                            : wa_fail(&err, WA_E_CONFIG, "this machine has another identity now");
    wa_lock_give(p->m->lock);
    if (code != WA_OK) {
        fail_log(p, "push.no_hello", &err);
        return;
    }
    memcpy(p->nonce, h.agent_nonce, sizeof p->nonce);
    send_text(p, wa_buf_sv(&text));
}

/* --- orders --- */

/* Whoever sends nonsense all the time costs us no more than so much work and log. What is passed
 * over stays unacknowledged: the server has it still. */
static void count_anew(struct wa_push *p)
{
    int64_t minute = wa_clock_now() / 60;
    if (minute == p->minute)
        return;
    p->minute = minute;
    p->refusals = p->news = 0;
}

static bool is_flooded(struct wa_push *p)
{
    count_anew(p);
    if (p->refusals == REFUSALS_A_MINUTE) {
        p->refusals++; /* told once */
        wa_log(&p->m->log, WA_LOG_ERROR, "push.flooded", WA_LF_I("refused", p->refusals));
    }
    return p->refusals > REFUSALS_A_MINUTE;
}

struct same {
    struct wa_manager *m;
    char sum[65];
};

static void tell_same(void *user)
{
    struct same *x = user;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 256);
    if (x->m->push != NULL && x->m->push->nonce[0] != '\0') {
        wa_push_same_write(x->sum, &text);
        send_text(x->m->push, wa_buf_sv(&text));
    }
    wa_free(x);
}

bool wa_push_same(struct wa_manager *m, const char sum[65])
{
    struct wa_err err = WA_ERR_INIT;
    wa_lock_take(m->lock);
    bool may = m->server_hears;
    m->same_asked |= may;
    wa_lock_give(m->lock);
    struct same *x = may ? wa_calloc(1, sizeof *x) : NULL;
    if (x == NULL)
        return false;
    x->m = m;
    memcpy(x->sum, sum, sizeof x->sum);
    if (wa_loop_post(m->loop, tell_same, x, &err) == WA_OK)
        return true;
    wa_free(x);
    return false;
}

/* Only as an answer: a server can't make us report all the time. */
static void on_known(struct wa_push *p, const struct wa_json *message)
{
    bool is_known = true;
    struct wa_err err = WA_ERR_INIT;
    if (wa_push_known_read(message, &is_known, &err) != WA_OK) {
        fail_log(p, "push.bad_message", &err);
        return;
    }
    wa_lock_take(p->m->lock);
    p->m->same_denied = p->m->same_asked && !is_known;
    p->m->same_asked = false;
    wa_lock_signal(p->m->lock);
    wa_lock_give(p->m->lock);
}

/* --- the queue, for who looks at it --- */

static enum wa_code tell_queue(struct wa_push *p, struct wa_err *err)
{
    struct wa_manager *m = p->m;
    char digest[WA_SHA256_HEX];
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_QUEUE_BYTES_MAX);
    wa_lock_take(m->lock);
    const struct wa_task_progress running = {m->running_task, m->running_percent};
    bool is_stopped = m->stopped_until_ms > wa_clock_mono_ms();
    wa_lock_give(m->lock);
    if (wa_task_tell(m->db, &running, is_stopped, &text, err) != WA_OK ||
        wa_sha256_hex(text.p, text.n, digest, err) != WA_OK)
        return err->code;
    if (strcmp(digest, p->told) == 0)
        return WA_OK;
    memcpy(p->told, digest, sizeof p->told);
    send_text(p, wa_buf_sv(&text));
    return WA_OK;
}

void wa_push_turn(struct wa_manager *m)
{
    struct wa_push *p = m->push;
    struct wa_err err = WA_ERR_INIT;
    uint64_t now = wa_loop_now_ms(m->loop);
    if (p == NULL || p->nonce[0] == '\0' || now >= p->watched_until_ms ||
        now - p->told_at_ms < TELL_MS)
        return;
    p->told_at_ms = now;
    if (tell_queue(p, &err) != WA_OK)
        fail_log(p, "push.queue_not_told", &err);
}

static void on_watch(struct wa_push *p, const struct wa_json *message)
{
    struct wa_err err = WA_ERR_INIT;
    int64_t seconds = 0;
    if (wa_queue_watch_read(message, &seconds, &err) != WA_OK) {
        fail_log(p, "push.bad_message", &err);
        return;
    }
    p->watched_until_ms = wa_loop_now_ms(p->m->loop) + (uint64_t)seconds * 1000u;
    p->told[0] = '\0';
    wa_push_turn(p->m);
}

static void on_text(struct wa_push *p, struct wa_sv text)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    enum wa_push_type type;
    const struct wa_json *message = NULL;
    WA_AUTO_BUF struct wa_buf ack;
    char id[33];
    wa_buf_init(&ack, 256);
    wa_arena_init(&arena, 8 * WA_WS_MESSAGE_MAX);
    enum wa_code code = wa_push_parse(text, &arena, &type, &message, &err);
    if (code == WA_OK && type == WA_PUSH_SAME) {
        on_known(p, message);
        return;
    }
    if (code == WA_OK && type == WA_PUSH_WATCH) {
        on_watch(p, message);
        return;
    }
    if (code != WA_OK || type != WA_PUSH_ORDER) {
        if (err.code != WA_OK)
            fail_log(p, "push.bad_message", &err);
        return;
    }
    if (is_flooded(p))
        return;
    if (!wa_order_take(p->m, p->nonce, message, &arena, id))
        p->refusals++;
    if (id[0] != '\0') {
        wa_push_ack_write(id, false, &ack);
        send_text(p, wa_buf_sv(&ack));
    }
}

struct begun {
    struct wa_manager *m;
    char id[33];
};

static void tell_begun(void *user)
{
    struct begun *b = user;
    WA_AUTO_BUF struct wa_buf ack;
    wa_buf_init(&ack, 256);
    if (b->m->push != NULL && b->m->push->nonce[0] != '\0') {
        wa_push_ack_write(b->id, true, &ack);
        send_text(b->m->push, wa_buf_sv(&ack));
    }
    wa_free(b);
}

void wa_push_begun(struct wa_manager *m, const char *action_id)
{
    struct wa_err err = WA_ERR_INIT;
    struct begun *b = wa_calloc(1, sizeof *b);
    if (b == NULL)
        return; /* it is only shown */
    b->m = m;
    (void)snprintf(b->id, sizeof b->id, "%s", action_id);
    if (wa_loop_post(m->loop, tell_begun, b, &err) != WA_OK)
        wa_free(b);
}

/* --- the network process --- */

static void note_contact(struct wa_push *p, bool is_connected, const char *why)
{
    struct wa_contact *c = &p->m->contact;
    if (c->is_connected != is_connected || c->since == 0)
        c->since = wa_clock_now();
    c->is_connected = is_connected;
    wa_lock_take(p->m->lock);
    p->m->server_hears = is_connected;
    wa_lock_give(p->m->lock);
    (void)snprintf(c->why, sizeof c->why, "%s", why);
}

static void on_state(struct wa_push *p, struct wa_sv payload)
{
    static const char *const names[] = {"connecting", "open", "welcome", "closed"};
    struct wa_net_state s;
    struct wa_err err = WA_ERR_INIT;
    if (wa_net_state_read(payload, &s, &err) != WA_OK) {
        fail_log(p, "push.bad_state", &err);
        return;
    }
    if (s.state == WA_NET_CLOSED)
        p->nonce[0] = '\0';
    note_contact(p, s.state == WA_NET_WELCOME, s.reason);
    if (s.state == WA_NET_CLOSED && s.status == WA_NET_IDENTITY_REFUSED)
        wa_tls_identity_doubt(p->m);
    if (s.state == WA_NET_WELCOME) {
        wa_lock_take(p->m->lock);
        p->m->server_is_back = true;
        wa_lock_signal(p->m->lock);
        wa_lock_give(p->m->lock);
    }
    wa_log(&p->m->log, s.state == WA_NET_CLOSED ? WA_LOG_WARNING : WA_LOG_INFO, "push.state",
           WA_LF_S("state", names[s.state]), WA_LF_I("status", s.status),
           WA_LF_S("reason", s.reason));
}

/* A network process that was taken over: each of its challenges costs a signature, each state a
 * line of the log. What is beyond is not looked at. */
static bool is_chatter(struct wa_push *p)
{
    count_anew(p);
    if (p->news > NEWS_A_MINUTE)
        return true;
    if (p->news++ < NEWS_A_MINUTE)
        return false;
    wa_log(&p->m->log, WA_LOG_ERROR, "push.flooded", WA_LF_I("news", NEWS_A_MINUTE));
    return true;
}

static void on_msg(void *user, const struct wa_chan_msg *msg)
{
    struct wa_push *p = user;
    if (msg->type != WA_M_NET_TEXT && is_chatter(p))
        return;
    switch (msg->type) {
    case WA_M_NET_CHALLENGE:
        on_challenge(p, msg->payload);
        break;
    case WA_M_NET_TEXT:
        on_text(p, msg->payload);
        break;
    case WA_M_NET_STATE:
        on_state(p, msg->payload);
        break;
    default:
        break;
    }
}

static void on_end(void *user, enum wa_code code, const struct wa_err *err)
{
    struct wa_push *p = user;
    if (code != WA_OK)
        fail_log(p, "push.network_ended", err);
    wa_chan_free(p->chan);
    p->chan = NULL; /* the manager's clock starts the next one */
    note_contact(p, false, "the network process ended");
    p->nonce[0] = '\0';
}

/* All that a connection depends on, as a digest. */
static enum wa_code settings_of(const struct wa_manager *m, char ret[WA_SHA256_HEX],
                                struct wa_err *err)
{
    const struct wa_agent_config *c = &m->config;
    const char *proxy = wa_agent_server_proxy(c);
    struct wa_tls_trust trust;
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&text, 2 * WA_CERTFILE_BYTES_MAX);
    if (wa_agent_trust(c, NULL, c->wapt_server, &pem, &trust, err) != WA_OK)
        return err->code;
    wa_buf_addf(&text, "%s\n%s\n%s\n%d\n%.*s", c->wapt_server, proxy != NULL ? proxy : "",
                trust.fingerprint, trust.system_cas ? 1 : 0, WA_SV_ARG(trust.pem));
    return wa_buf_check(&text, err) == WA_OK ? wa_sha256_hex(text.p, text.n, ret, err) : err->code;
}

void wa_push_reloaded(struct wa_manager *m)
{
    char now[WA_SHA256_HEX];
    struct wa_err err = WA_ERR_INIT;
    if (!wa_push_is_up(m))
        return;
    if (settings_of(m, now, &err) == WA_OK && strcmp(now, m->push->settings) == 0)
        return;
    wa_lock_take(m->lock);
    m->registered = true; /* the next turn of the clock connects anew */
    wa_lock_give(m->lock);
}

static enum wa_code connect_push(struct wa_push *p, struct wa_err *err)
{
    struct wa_manager *m = p->m;
    char url[2048];
    struct wa_tls_trust trust;
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_BUF_SECRET struct wa_buf own;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&own, WA_TLS_IDENTITY_MAX);
    wa_lock_take(m->lock);
    (void)snprintf(url, sizeof url, "%s/agent/v1/push", m->config.wapt_server);
    enum wa_code code = wa_agent_trust(&m->config, NULL, url, &pem, &trust, err);
    wa_lock_give(m->lock);
    if (code != WA_OK || wa_tls_identity_copy(m, url, &own, &trust.identity, err) != WA_OK)
        return err->code;
    if (settings_of(m, p->settings, err) != WA_OK)
        return err->code;
    const struct wa_net_config config = {.url = url,
                                         .proxy = wa_agent_server_proxy(&m->config),
                                         .trust = &trust,
                                         .backoff_first_ms = BACKOFF_FIRST_MS,
                                         .backoff_max_ms = BACKOFF_MAX_MS};
    return wa_net_configure(p->chan, &config, err);
}

enum wa_code wa_push_start(struct wa_manager *m, struct wa_err *err)
{
    if (m->push == NULL) {
        m->push = wa_calloc(1, sizeof *m->push);
        if (m->push == NULL)
            return wa_nomem(err);
        m->push->m = m;
    }
    struct wa_push *p = m->push;
    if (p->chan == NULL && (wa_helper_network(m->launcher, &p->chan, err) != WA_OK ||
                            wa_chan_attach(p->chan, m->loop, on_msg, on_end, p, err) != WA_OK))
        return wa_wrap(err, "starting the network process");
    return connect_push(p, err);
}

void wa_push_stop(struct wa_manager *m)
{
    if (m->push == NULL)
        return;
    note_contact(m->push, false, "switched off");
    wa_chan_free(m->push->chan);
    wa_free(m->push);
    m->push = NULL;
}

bool wa_push_is_up(const struct wa_manager *m)
{
    return m->push != NULL && m->push->chan != NULL;
}
