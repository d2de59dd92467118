/* local_site.c - see local_site.h: its life, and the way of a request to its call.
 *
 * Nothing is answered before the gate has judged: the peer's user when it connects, then host,
 * origin and token. A body is taken only after that, and no larger than the call wants.
 *
 * Nor does a page believe who answers: the port may be another user's when this program has ended.
 * What has passed the gate is answered with a proof that only the page and this program know, and a
 * page sends nothing but questions before it has just seen that.
 */
#include "net/local_site.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/json.h"
#include "net/http_wish.h"
#include "os/listen.h"
#include "os/proc.h"
#include "os/rand.h"
#include "os/socket.h"

#define TICK_MS 1000u
#define END_MS 300u /* for what is still being answered */

static const char security_headers[] =
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src "
    "'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
    "X-Frame-Options: DENY\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n";

#define PROOF "Wapt-Proof: %s\r\n"
#define PROOF_SIZE (WA_LOCAL_SECRET_SIZE + 32)

struct wa_local_site {
    struct wa_local_site_options o;
    struct wa_http_server *http;
    struct wa_timer *clock;
    struct wa_local_gate gate;
    char proof[PROOF_SIZE]; /* a header line */
    uint64_t active_ms;     /* the last call of a page */
    bool is_ending;
};

void wa_local_answer_json(struct wa_http_conn *c, struct wa_buf *out)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_buf_check(out, &err) != WA_OK)
        wa_http_answer_err(c, &err);
    else
        wa_http_answer(c, 200, "application/json", wa_buf_sv(out), NULL);
}

/* --- requests --- */

/* The one call without the token: the ticket is the proof, and its other half ours. */
static bool is_session(const struct wa_http_head *head)
{
    return head->method == WA_HTTP_POST && wa_sv_eqs(head->path, "/local/session");
}

/* A page asks whether it is still this program. */
static bool is_greeting(const struct wa_http_head *head)
{
    return head->method == WA_HTTP_GET && wa_sv_eqs(head->path, "/local/session");
}

static void call_session(struct wa_local_site *s, struct wa_http_conn *c, struct wa_sv body)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF_SECRET struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    struct wa_jw w;
    const struct wa_json *j = NULL;
    struct wa_sv ticket = WA_SV("");
    char answer[WA_LOCAL_SECRET_SIZE], line[PROOF_SIZE];
    const struct wa_json_field fields[] = {{"ticket", WA_WANT_SV, true, 64, &ticket}};
    wa_arena_init(&arena, 64u << 10);
    wa_buf_init(&out, 1024);
    if (wa_json_parse(body, 0, &arena, &j, &err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "the request", &err) != WA_OK ||
        wa_local_gate_redeem(&s->gate, ticket, wa_loop_now_ms(s->o.loop), answer, &err) != WA_OK) {
        wa_http_answer_err(c, &err);
        return;
    }
    (void)snprintf(line, sizeof line, PROOF, answer);
    wa_http_set_headers(c, line);
    s->active_ms = wa_loop_now_ms(s->o.loop);
    wa_jw_init(&w, &out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "token", s->gate.token);
    wa_jw_kv(&w, "proof", s->gate.proof);
    wa_jw_end(&w);
    wa_local_answer_json(c, &out);
    wa_wipe(answer, sizeof answer);
    wa_wipe(line, sizeof line);
}

static bool is_call(struct wa_sv path)
{
    return wa_sv_starts(path, "/local/") || wa_sv_starts(path, "/api/") ||
           wa_sv_eqs(path, "/local") || wa_sv_eqs(path, "/api");
}

static enum wa_code judge_call(const struct wa_local_site *s, struct wa_http_conn *c,
                               const struct wa_http_head *head, size_t *ret_max, struct wa_err *err)
{
    if (wa_local_gate_call(&s->gate, head, !is_session(head), err) != WA_OK)
        return err->code;
    if (!is_session(head))
        wa_http_set_headers(c, s->proof);
    if (wa_sv_starts(head->path, "/local") && head->query.n > 0)
        return wa_fail(err, WA_E_INVALID, "this call takes no words in its address");
    *ret_max = WA_LOCAL_SMALL_MAX;
    return is_session(head) || is_greeting(head) ? WA_OK
                                                 : s->o.judge(s->o.user, head, ret_max, err);
}

/* A body that is not collected; an empty one is none. */
static bool is_bytes(const struct wa_local_site *s, const struct wa_http_head *head)
{
    return s->o.takes_bytes != NULL && s->o.takes_bytes(s->o.user, head);
}

/* In the language that is asked for; where that is none of ours, in the one so far. Returns that.
 */
static const struct wa_language *speak(const struct wa_http_head *head)
{
    const struct wa_language *wanted = wa_http_language(head), *was = wa_text_spoken();
    return wa_text_speak(wanted != NULL ? wanted : was);
}

static void judge(const struct wa_local_site *s, struct wa_http_conn *c,
                  const struct wa_http_head *head)
{
    struct wa_err err = WA_ERR_INIT;
    size_t max = 0;
    if (is_bytes(s, head)) {
        if (wa_local_gate_bytes(&s->gate, head, &err) == WA_OK) {
            wa_http_set_headers(c, s->proof);
            s->o.begin_bytes(s->o.user, c);
            return;
        }
    } else if (is_call(head->path)) {
        if (judge_call(s, c, head, &max, &err) == WA_OK) {
            wa_http_accept_body(c, max);
            return;
        }
    } else if (wa_local_gate_file(&s->gate, head, &err) == WA_OK) {
        const struct wa_asset *a = wa_asset_find(s->o.pages, head->path);
        if (a != NULL) {
            wa_asset_answer(a, c);
            return;
        }
        (void)wa_fail(&err, WA_E_NOT_FOUND, "there is no such file");
    }
    wa_http_answer_err(c, &err);
}

static void on_request(void *user, struct wa_http_conn *c, const struct wa_http_head *head)
{
    const struct wa_language *was = speak(head);
    judge(user, c, head);
    (void)wa_text_speak(was);
}

/* What the loop does of itself is in the language of the last call: its page is who reads it. */
static void on_body(void *user, struct wa_http_conn *c, struct wa_sv body)
{
    struct wa_local_site *s = user;
    const struct wa_language *was = speak(wa_http_conn_head(c));
    if (is_session(wa_http_conn_head(c))) {
        call_session(s, c, body);
        (void)wa_text_speak(was);
        return;
    }
    s->active_ms = wa_loop_now_ms(s->o.loop);
    if (is_greeting(wa_http_conn_head(c)))
        wa_http_answer(c, 204, NULL, WA_SV(""), NULL);
    else
        s->o.call(s->o.user, c, body);
}

static void on_gone(void *user, struct wa_http_conn *c)
{
    struct wa_local_exchange *x = wa_http_user(c);
    WA_UNUSED(user);
    if (x == NULL)
        return;
    x->conn = NULL;
    if (x->stop != NULL)
        wa_stop_pull(x->stop);
}

static bool lets_in(void *user, int fd)
{
    const struct wa_local_site *s = user;
    struct wa_err err = WA_ERR_INIT;
    uint32_t uid = 0;
    if (wa_socket_peer_uid(fd, &uid, &err) == WA_OK && uid == wa_proc_own_uid())
        return true;
    wa_log(s->o.log, WA_LOG_WARNING, "site.stranger", WA_LF_I("uid", (int64_t)uid));
    return false;
}

/* --- life --- */

static void stopped(void *user)
{
    const struct wa_local_site *s = user;
    wa_loop_stop(s->o.loop);
}

void wa_local_site_end(struct wa_local_site *s)
{
    if (s == NULL || s->is_ending)
        return;
    s->is_ending = true;
    s->o.ending(s->o.user);
    wa_http_server_stop(s->http, stopped, s);
    wa_timer_start(s->clock, END_MS, 0);
}

static void tick(void *user)
{
    struct wa_local_site *s = user;
    if (s->is_ending) { /* somebody does not read his answer */
        stopped(s);
        return;
    }
    if (s->o.tick(s->o.user))
        s->active_ms = wa_loop_now_ms(s->o.loop);
    if (wa_loop_now_ms(s->o.loop) - s->active_ms > (uint64_t)s->o.idle_s * 1000) {
        wa_log(s->o.log, WA_LOG_INFO, "site.idle", WA_LF_I("seconds", s->o.idle_s));
        wa_local_site_end(s);
    }
}

enum wa_code wa_local_site_link(struct wa_local_site *s, char *out, struct wa_err *err)
{
    struct wa_local_ticket t;
    uint64_t now = wa_loop_now_ms(s->o.loop);
    if (wa_local_gate_ticket(&s->gate, now, &t, err) != WA_OK)
        return err->code;
    (void)snprintf(out, WA_LOCAL_LINK_SIZE, "%s/#answer=%s&ticket=%s", s->gate.origin, t.answer,
                   t.secret);
    wa_wipe(&t, sizeof t);
    s->active_ms = now; /* somebody comes: not now the end */
    return WA_OK;
}

#define ADDRESS_SIZE 16u

/* One of the 16 million of loopback, another with each start. What a browser keeps for an address -
 * a service worker, a cached page, a tab - may be of another user's who had the same port before,
 * and he could leave no other port free. */
static enum wa_code draw_address(char out[ADDRESS_SIZE], struct wa_err *err)
{
    uint8_t b[3];
    if (wa_rand_bytes(b, sizeof b, err) != WA_OK)
        return err->code;
    (void)snprintf(out, ADDRESS_SIZE, "127.%d.%d.%d", 1 + b[0] % 254, b[1], 1 + b[2] % 254);
    return WA_OK;
}

static enum wa_code listen(struct wa_local_site *s, struct wa_err *err)
{
    static const struct wa_http_server_events events = {
        .on_request = on_request, .on_body = on_body, .on_gone = on_gone};
    static const struct wa_http_server_config config = {.max_connections = WA_LOCAL_CONNECTIONS,
                                                        .max_handshakes = 1,
                                                        .security_headers = security_headers,
                                                        .lets_in = lets_in};
    WA_AUTO_FD int fd = -1;
    uint16_t port = 0;
    char address[ADDRESS_SIZE];
    if (draw_address(address, err) != WA_OK || wa_listen_alone(address, &fd, &port, err) != WA_OK ||
        wa_local_gate_init(&s->gate, address, port, err) != WA_OK ||
        wa_http_server_new(s->o.loop, &fd, 1, NULL, &config, &events, s, &s->http, err) != WA_OK)
        return err->code;
    fd = -1; /* the server's now */
    (void)snprintf(s->proof, sizeof s->proof, PROOF, s->gate.proof);
    s->active_ms = wa_loop_now_ms(s->o.loop);
    if (wa_timer_new(s->o.loop, tick, s, &s->clock, err) != WA_OK)
        return err->code;
    wa_timer_start(s->clock, TICK_MS, TICK_MS);
    return WA_OK;
}

enum wa_code wa_local_site_new(const struct wa_local_site_options *o, struct wa_local_site **ret,
                               struct wa_err *err)
{
    struct wa_local_site *s = wa_calloc(1, sizeof *s);
    if (s == NULL)
        return wa_nomem(err);
    s->o = *o;
    if (listen(s, err) == WA_OK)
        *ret = s;
    else
        wa_local_site_free(s);
    return err->code;
}

void wa_local_site_free(struct wa_local_site *s)
{
    if (s == NULL)
        return;
    if (s->clock != NULL)
        wa_timer_free(s->clock);
    wa_http_server_free(s->http);
    wa_local_gate_fini(&s->gate);
    wa_wipe(s->proof, sizeof s->proof);
    wa_free(s);
}
