/* local.c - the local program: its life, and the way of a request to its call.
 *
 * Nothing is answered before the gate has judged: the peer's user when it connects, then host,
 * origin and token. A body is taken only after that, and no larger than the call wants.
 */
#include "base/mem.h"
#include "console/assets.h"
#include "console/local_priv.h"
#include "os/clock.h"
#include "os/listen.h"
#include "os/priv.h"
#include "os/proc.h"
#include "os/socket.h"

#define TICK_MS 1000u

static const char security_headers[] =
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src "
    "'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
    "X-Frame-Options: DENY\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n";

/* --- the calls --- */

struct route {
    enum wa_http_method method;
    const char *path;
    bool is_open; /* without the token: the ticket is the proof */
    size_t body_max;
    void (*call)(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body);
};

static void call_session(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF_SECRET struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    struct wa_jw w;
    const struct wa_json *j = NULL;
    struct wa_sv ticket = WA_SV("");
    const struct wa_json_field fields[] = {{"ticket", WA_WANT_SV, true, 64, &ticket}};
    wa_arena_init(&arena, 64u << 10);
    wa_buf_init(&out, 1024);
    if (wa_json_parse(body, 0, &arena, &j, &err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "the request", &err) != WA_OK ||
        wa_local_gate_redeem(&l->gate, ticket, wa_loop_now_ms(l->loop), &err) != WA_OK) {
        wa_http_answer_err(c, &err);
        return;
    }
    l->active_ms = wa_loop_now_ms(l->loop);
    wa_jw_init(&w, &out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "token", l->gate.token);
    wa_jw_end(&w);
    wa_local_answer_json(c, &out);
}

static const struct route routes[] = {
    {WA_HTTP_POST, "/local/session", true, WA_LOCAL_SMALL_MAX, call_session},
    {WA_HTTP_GET, "/local/state", false, 0, wa_local_server_state},
    {WA_HTTP_GET, "/local/prefs", false, 0, wa_local_prefs_read},
    {WA_HTTP_PUT, "/local/prefs", false, WA_LOCAL_PREFS_MAX, wa_local_prefs_write},
    {WA_HTTP_POST, "/local/login", false, WA_LOCAL_SMALL_MAX, wa_local_server_login},
    {WA_HTTP_POST, "/local/logout", false, WA_LOCAL_SMALL_MAX, wa_local_server_logout},
    {WA_HTTP_GET, "/local/pin", false, 0, wa_local_pin_show},
    {WA_HTTP_POST, "/local/pin", false, WA_LOCAL_SMALL_MAX, wa_local_pin_set},
    {WA_HTTP_POST, "/local/keys/unlock", false, WA_LOCAL_SMALL_MAX, wa_local_keys_unlock},
    {WA_HTTP_POST, "/local/keys/lock", false, WA_LOCAL_SMALL_MAX, wa_local_keys_lock},
    {WA_HTTP_POST, "/local/prepare", false, WA_LOCAL_BODY_MAX, wa_local_prepare},
    {WA_HTTP_POST, "/local/commit", false, WA_LOCAL_SMALL_MAX, wa_local_commit},
};

static const struct route *find_route(const struct wa_http_head *head)
{
    for (size_t i = 0; i < WA_COUNT(routes); i++)
        if (head->method == routes[i].method && wa_sv_eqs(head->path, routes[i].path))
            return &routes[i];
    return NULL;
}

static bool is_call(struct wa_sv path)
{
    return wa_sv_starts(path, "/local/") || wa_sv_starts(path, "/api/") ||
           wa_sv_eqs(path, "/local") || wa_sv_eqs(path, "/api");
}

static bool is_discard(const struct wa_http_head *head, struct wa_sv *ret_id)
{
    static const char prefix[] = "/local/prepare/";
    if (head->method != WA_HTTP_DELETE || !wa_sv_starts(head->path, prefix))
        return false;
    *ret_id = wa_sv_sub(head->path, sizeof prefix - 1, head->path.n);
    return true;
}

static bool is_stream(const struct wa_http_head *head)
{
    return head->method == WA_HTTP_GET && wa_sv_eqs(head->path, "/api/v1/events");
}

/* How much of a body the call takes; WA_E_NOT_FOUND: there is no such call. */
static enum wa_code judge_call(const struct wa_local *l, const struct wa_http_head *head,
                               size_t *ret_max, struct wa_err *err)
{
    const struct route *r = find_route(head);
    struct wa_sv id;
    if (wa_local_gate_call(&l->gate, head, r == NULL || !r->is_open, err) != WA_OK)
        return err->code;
    if (wa_sv_starts(head->path, "/local") && head->query.n > 0)
        return wa_fail(err, WA_E_INVALID, "this call takes no words in its address");
    *ret_max = r != NULL ? r->body_max : WA_LOCAL_BODY_MAX;
    return r != NULL || is_discard(head, &id) || wa_local_relay_takes(head->path)
               ? WA_OK
               : wa_fail(err, WA_E_NOT_FOUND, "there is no such call");
}

static void on_request(void *user, struct wa_http_conn *c, const struct wa_http_head *head)
{
    struct wa_local *l = user;
    struct wa_err err = WA_ERR_INIT;
    size_t max = 0;
    if (is_call(head->path)) {
        if (judge_call(l, head, &max, &err) == WA_OK) {
            wa_http_accept_body(c, max);
            return;
        }
    } else if (wa_local_gate_file(&l->gate, head, &err) == WA_OK) {
        const struct wa_asset *a = wa_asset_find(head->path);
        if (a != NULL) {
            wa_asset_answer(a, c);
            return;
        }
        (void)wa_fail(&err, WA_E_NOT_FOUND, "there is no such file");
    }
    wa_http_answer_err(c, &err);
}

static void on_body(void *user, struct wa_http_conn *c, struct wa_sv body)
{
    struct wa_local *l = user;
    const struct wa_http_head *head = wa_http_conn_head(c);
    const struct route *r = find_route(head);
    struct wa_sv id;
    if (r == NULL || !r->is_open)
        l->active_ms = wa_loop_now_ms(l->loop);
    if (r != NULL)
        r->call(l, c, body);
    else if (is_discard(head, &id))
        wa_local_discard(l, c, id);
    else if (is_stream(head))
        wa_local_stream(l, c);
    else
        wa_local_relay(l, c, body);
}

static void on_gone(void *user, struct wa_http_conn *c)
{
    struct wa_local_exchange *x = wa_http_user(c);
    WA_UNUSED(user);
    if (x != NULL)
        x->conn = NULL;
}

static bool lets_in(void *user, int fd)
{
    const struct wa_local *l = user;
    struct wa_err err = WA_ERR_INIT;
    uint32_t uid = 0;
    if (wa_socket_peer_uid(fd, &uid, &err) == WA_OK && uid == wa_proc_own_uid())
        return true;
    wa_log(l->o->log, WA_LOG_WARNING, "console.stranger", WA_LF_I("uid", (int64_t)uid));
    return false;
}

/* --- life --- */

static void stopped(void *user)
{
    struct wa_local *l = user;
    wa_loop_stop(l->loop);
}

void wa_local_end(struct wa_local *l)
{
    if (l->is_ending)
        return;
    l->is_ending = true;
    wa_local_confirm_end(l, NULL);
    wa_local_streams_end(l);
    wa_http_server_stop(l->http, stopped, l);
}

static void on_stop(void *user, int signum)
{
    WA_UNUSED(signum);
    wa_local_end(user);
}

static void tick(void *user)
{
    struct wa_local *l = user;
    wa_local_keys_sweep(l, false);
    wa_local_prepared_sweep(l, false);
    wa_local_confirm_sweep(l);
    if (l->stream_count > 0 || l->job_count > 0)
        l->active_ms = wa_loop_now_ms(l->loop);
    if (wa_loop_now_ms(l->loop) - l->active_ms > (uint64_t)l->o->idle_s * 1000) {
        wa_log(l->o->log, WA_LOG_INFO, "console.idle", WA_LF_I("seconds", l->o->idle_s));
        wa_local_end(l);
    }
}

enum wa_code wa_local_link_new(struct wa_local *l, char *out, struct wa_err *err)
{
    char ticket[WA_LOCAL_SECRET_SIZE];
    if (wa_local_gate_ticket(&l->gate, wa_loop_now_ms(l->loop), ticket, err) != WA_OK)
        return err->code;
    (void)snprintf(out, WA_LOCAL_LINK_SIZE, "%s/#ticket=%s", l->gate.origin, ticket);
    wa_wipe(ticket, sizeof ticket);
    return WA_OK;
}

static enum wa_code listen(struct wa_local *l, struct wa_err *err)
{
    static const struct wa_http_server_events events = {
        .on_request = on_request, .on_body = on_body, .on_gone = on_gone};
    static const struct wa_http_server_config config = {.max_connections = WA_LOCAL_CONNECTIONS,
                                                        .max_handshakes = 1,
                                                        .security_headers = security_headers,
                                                        .lets_in = lets_in};
    WA_AUTO_FD int fd = -1;
    uint16_t port = 0;
    if (wa_listen_alone("127.0.0.1", &fd, &port, err) != WA_OK ||
        wa_local_gate_init(&l->gate, port, err) != WA_OK ||
        wa_http_server_new(l->loop, &fd, 1, NULL, &config, &events, l, &l->http, err) != WA_OK)
        return err->code;
    fd = -1; /* the server's now */
    l->active_ms = wa_loop_now_ms(l->loop);
    if (wa_timer_new(l->loop, tick, l, &l->clock, err) != WA_OK ||
        wa_loop_on_stop(l->loop, on_stop, l, err) != WA_OK)
        return err->code;
    wa_timer_start(l->clock, TICK_MS, TICK_MS);
    return WA_OK;
}

/* No program can be started from here on, no file written but where that is needed, and no other
 * process of this person can look into this one. */
static enum wa_code confine(const struct wa_local *l, struct wa_err *err)
{
    const struct wa_priv p = {.name = "waptconsole/local",
                              .allow = WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | WA_PRIV_NET |
                                       WA_PRIV_LOCAL | WA_PRIV_THREADS | WA_PRIV_TERM,
                              .read_paths = l->o->read_paths,
                              .write_paths = l->o->write_paths,
                              .no_core = true};
    char line[WA_PRIV_LINE_MAX];
    if (wa_priv_drop(&p, line, err) != WA_OK)
        return err->code;
    wa_log(l->o->log, WA_LOG_INFO, "console.started", WA_LF_S("confined", line));
    return WA_OK;
}

/* *ret_runs false: another program of this person's serves. */
static enum wa_code begin(struct wa_local *l, bool *ret_runs, struct wa_err *err)
{
    char link[WA_LOCAL_LINK_SIZE] = "";
    *ret_runs = false;
    if (wa_loop_new(&l->loop, err) != WA_OK || wa_local_door_open(l, link, err) != WA_OK)
        return err->code;
    *ret_runs = link[0] == '\0';
    if (!*ret_runs || (wa_local_keys_find(l, err) == WA_OK && listen(l, err) == WA_OK &&
                       wa_local_link_new(l, link, err) == WA_OK))
        (void)!l->o->on_link(l->o->user_data, link, err);
    wa_wipe(link, sizeof link);
    return err->code == WA_OK && *ret_runs ? confine(l, err) : err->code;
}

/* What is in threads still comes back to the loop. */
static void finish(struct wa_local *l)
{
    struct wa_err err = WA_ERR_INIT;
    l->is_ending = true;
    wa_local_confirm_end(l, NULL);
    wa_local_streams_end(l);
    wa_local_door_close(l);
    wa_http_server_free(l->http);
    while (l->loop != NULL && (l->job_count > 0 || l->stream_count > 0))
        if (wa_loop_turn(l->loop, -1, &err) != WA_OK)
            break;
    wa_local_prepared_sweep(l, true);
    wa_local_keys_fini(l);
    struct wa_local_link *link = l->server.link;
    l->server.link = NULL;
    wa_local_link_release(l, link);
    wa_loop_free(l->loop);
    wa_local_gate_fini(&l->gate);
    wa_free(l);
}

enum wa_code wa_local_run(const struct wa_local_options *o, struct wa_err *err)
{
    struct wa_local *l = wa_calloc(1, sizeof *l);
    if (l == NULL)
        return wa_nomem(err);
    l->o = o;
    l->server.trust = *o->trust;
    bool runs = false;
    if (begin(l, &runs, err) == WA_OK && runs && wa_loop_run(l->loop, err) == WA_OK)
        wa_log_event(o->log, WA_LOG_INFO, "console.ended", NULL, 0);
    finish(l);
    return err->code;
}
