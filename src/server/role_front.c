/* role_front.c - a front: TLS, HTTP, WebSockets, the repository's files. It decides nothing: what
 * needs a decision goes to the store.
 *
 * It holds no key but TLS's and can read nothing but the repository; uploads are written to
 * incoming/, and appear only when the scan process has verified them.
 */
#include "base/text.h"
#include "codec/json.h"
#include "net/address.h"
#include "net/http_wish.h"
#include "os/drives.h"
#include "os/rand.h"
#include "server/front_priv.h"

#define STORE_FD 3
#define LISTEN_FD 4
#define HANDSHAKES 256
#define SWEEP_MS 2000
#define GUEST_S 3600 /* s: somebody who was logged in may come back before the machines */

static void ping(struct wa_front *f, struct wa_http_conn *c)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw w;
    if (wa_sv_eqs(wa_http_conn_head(c)->path, "/healthz")) {
        wa_http_answer(c, 200, "text/plain; charset=utf-8", WA_SV("ok\n"), NULL);
        return;
    }
    wa_buf_init(&text, 1024);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "version", WA_VERSION);
    wa_jw_kv(&w, "server_uuid", f->child.config.server_uuid);
    wa_jw_end(&w);
    wa_http_answer(c, 200, "application/json", wa_buf_sv(&text), NULL);
}

/* --- from the store --- */

static void read_answer(struct wa_sv head, struct wa_arena *arena, struct wa_front_answer *ret)
{
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    *ret = (struct wa_front_answer){.status = 500};
    if (wa_json_parse(head, 0, arena, &j, &err) != WA_OK)
        return;
    (void)wa_json_i64(wa_json_get(j, "status"), &ret->status);
    ret->is_open = wa_json_bool(wa_json_get(j, "open"));
    ret->type = wa_json_sv(wa_json_get(j, "type"));
    ret->next = wa_json_sv(wa_json_get(j, "next"));
}

static void answer(struct wa_exchange *x, const struct wa_front_answer *a, struct wa_sv body)
{
    struct wa_http_conn *c = x->http;
    const char *extra = NULL;
    const char *type = wa_front_content_type(a->type, &extra);
    wa_http_set_user(c, NULL);
    struct wa_front *f = x->front;
    wa_front_exchange_free(x);
    if (a->status == 200 && wa_sv_eqs(a->type, "file")) {
        wa_front_file(f, c, body);
        return;
    }
    wa_http_answer(c, (int)a->status, type, body,
                   a->status == 401   ? "WWW-Authenticate: Bearer\r\n"
                   : a->status == 429 ? "Retry-After: 60\r\n"
                                      : extra);
}

static void on_answer(struct wa_front *f, const struct wa_chan_msg *msg)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_sv head = {NULL, 0}, rest = msg->payload;
    struct wa_front_answer a;
    struct wa_exchange *x = wa_front_find(f, msg->id);
    wa_arena_init(&arena, 16384);
    if (x == NULL)
        return;
    (void)wa_sv_split(&rest, '\n', &head);
    read_answer(head, &arena, &a);
    if (x->ws != NULL) {
        wa_front_greeted(x, (int)a.status);
    } else if (x->is_asking && a.status == 200) {
        const struct wa_language *was = wa_text_speak(wa_http_language(wa_http_conn_head(x->http)));
        x->is_asking = false;
        wa_front_take_body(x, rest);
        (void)wa_text_speak(was);
    } else if (x->is_stream || a.is_open || a.next.n > 0) {
        wa_front_piece(x, &a, rest);
    } else {
        answer(x, &a, rest);
    }
}

static int64_t now_s(const struct wa_front *f)
{
    return (int64_t)(wa_loop_now_ms(f->loop) / 1000);
}

/* An address is the one that connects: a proxy's is nobody's. */
static bool is_guest(void *user, const char *peer)
{
    const struct wa_front *f = user;
    return wa_guests_has(&f->guests, peer, now_s(f));
}

static void on_store(void *user, const struct wa_chan_msg *msg)
{
    struct wa_front *f = user;
    if (msg->type == WA_S_ANSWER) {
        on_answer(f, msg);
        return;
    }
    if (msg->type == WA_S_GUEST) {
        wa_guests_add(&f->guests, msg->payload, now_s(f) + GUEST_S);
        return;
    }
    if (msg->type == WA_S_REVOKED) {
        wa_front_take_revoked(f, msg->payload);
        return;
    }
    struct wa_exchange *x = wa_front_find(f, msg->id);
    if (x == NULL || x->ws == NULL)
        return;
    if (msg->type == WA_S_CLOSE)
        wa_ws_close(x->ws, 1000, "closed");
    else if (msg->type == WA_S_KNOWN)
        wa_front_known(x, msg->payload);
    else if (msg->type == WA_S_CHANGED)
        x->is_known = false;
    else if (msg->type == WA_S_WATCH)
        wa_front_watch(x);
    else
        wa_front_order(x, msg->payload);
}

static void on_store_end(void *user, enum wa_code code, const struct wa_err *err)
{
    struct wa_front *f = user;
    if (code != WA_OK)
        wa_log_err(&f->child.log, WA_LOG_ERROR, "store.lost", err);
    wa_loop_stop(f->loop);
}

/* --- routes --- */

static void refuse(struct wa_front *f, struct wa_http_conn *c, const char *allow,
                   const struct wa_err *err)
{
    char line[64];
    if (allow == NULL) {
        wa_front_answer_err(f, c, err);
        return;
    }
    (void)snprintf(line, sizeof line, "Allow: %s\r\n", allow);
    wa_http_answer(c, 405, NULL, WA_SV(""), line);
}

/* What is asked for, by whom; false: it was refused. */
static bool route(struct wa_front *f, struct wa_http_conn *c, struct wa_front_route *r,
                  struct wa_tls_peer *client)
{
    struct wa_err err = WA_ERR_INIT;
    const char *allow = NULL;
    if (wa_front_machine(f, c, client, &err) == WA_OK &&
        wa_front_route(wa_http_conn_head(c), r, &allow, &err) == WA_OK) {
        wa_http_set_class(c, (unsigned)r->kind + 1);
        return true;
    }
    refuse(f, c, allow, &err);
    return false;
}

static void request(struct wa_front *f, struct wa_http_conn *c, const struct wa_http_head *h)
{
    struct wa_front_route r;
    struct wa_err err = WA_ERR_INIT;
    struct wa_exchange *x = NULL;
    struct wa_tls_peer client;
    if (!route(f, c, &r, &client))
        return;
    if (r.kind == WA_FRONT_PUSH)
        wa_front_push(f, c, &client);
    else if (r.kind == WA_FRONT_PING)
        ping(f, c);
    else if (r.kind == WA_FRONT_PAGE)
        wa_front_page(c);
    else if (r.kind == WA_FRONT_FILE)
        wa_front_file(f, c, r.file);
    else if (r.kind == WA_FRONT_HOST)
        wa_front_host_package(f, c, &client, r.file);
    else if (r.kind == WA_FRONT_ASK_HOST)
        wa_front_may_have(f, c, &client);
    else if ((x = wa_front_exchange(f, c)) == NULL) {
        (void)wa_nomem(&err);
        wa_front_answer_err(f, c, &err);
    }
    if (x == NULL)
        return;
    x->client = client;
    x->kind = r.kind;
    x->body_max = r.body_max;
    if (r.kind == WA_FRONT_UPLOAD || (r.kind == WA_FRONT_API && h->has_body))
        wa_front_ask_right(x);
    else
        wa_front_take_body(x, WA_SV("{}"));
}

static void on_request(void *user, struct wa_http_conn *c, const struct wa_http_head *h)
{
    const struct wa_language *was = wa_text_speak(wa_http_language(h));
    request(user, c, h);
    (void)wa_text_speak(was);
}

static void on_gone(void *user, struct wa_http_conn *c)
{
    struct wa_exchange *x = wa_http_user(c);
    WA_UNUSED(user);
    if (x != NULL)
        wa_front_stream_gone(x); /* an answer that comes yet finds nobody */
}

static void tell_counts(struct wa_front *f)
{
    struct wa_err err = WA_ERR_INIT;
    uint64_t addresses = 0;
    struct wa_front_counts n = {.http = *wa_http_server_counts(f->server),
                                .connections = wa_http_server_count(f->server),
                                .websockets = wa_http_server_websockets(f->server),
                                .streams = f->stream_count,
                                .certificate_until = f->certificate_until,
                                .authority_until = f->authority_until};
    wa_memory_own(&n.resident_bytes, &addresses);
    if (wa_chan_post(f->store, WA_S_COUNTS, 0, wa_sv_n((const char *)&n, sizeof n), -1, &err) !=
        WA_OK)
        wa_log_err(&f->child.log, WA_LOG_ERROR, "store.lost", &err);
}

static void on_clock(void *user)
{
    tell_counts(user);
    wa_front_tell_seen(user);
    wa_front_push_sweep(user);
    wa_front_stream_sweep(user);
}

/* --- start --- */

static enum wa_code read_tls(struct wa_front *f, struct wa_tls_ctx **ret, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs chain = {NULL, 0, 0};
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    if (wa_server_tls(&f->child.config, &chain, &key, err) != WA_OK)
        return err->code;
    f->certificate_until = wa_cert_not_after(chain.items[0]);
    return wa_tls_server_ctx(&chain, key, ret, err);
}

static enum wa_code run(struct wa_front *f, const char *config_file, struct wa_err *err)
{
    static const struct wa_http_server_events events = {on_request, wa_front_on_body, on_gone,
                                                        wa_front_drained};
    char incoming[WA_PATH_MAX];
    const int listener = LISTEN_FD;
    WA_AUTO(wa_tls_ctx) struct wa_tls_ctx *tls = NULL;
    if (wa_server_child_init(&f->child, WA_SR_FRONT, config_file, err) != WA_OK ||
        read_tls(f, &tls, err) != WA_OK || wa_front_ask_clients(f, tls, err) != WA_OK ||
        wa_front_read_proxy(f, err) != WA_OK ||
        wa_networks_check(wa_sv(f->child.config.proxy_from), err) != WA_OK ||
        wa_server_path(&f->child.config, "repo", f->repo_path, err) != WA_OK ||
        wa_server_path(&f->child.config, "repo/incoming", incoming, err) != WA_OK ||
        wa_dir_open(f->repo_path, &f->repo, err) != WA_OK || wa_rand_map(&f->by_id, err) != WA_OK ||
        wa_loop_new(&f->loop, err) != WA_OK)
        return err->code;
    size_t most = wa_front_room(&f->child.config);
    const char *const reads[] = {f->repo_path, NULL};
    const char *const writes[] = {incoming, NULL};
    if (wa_server_child_confine(&f->child, WA_SR_FRONT,
                                WA_PRIV_NET | WA_PRIV_FDS | WA_PRIV_FS_READ | WA_PRIV_FS_WRITE,
                                reads, writes, err) != WA_OK ||
        wa_chan_new(STORE_FD, wa_server_rules(WA_SR_STORE, WA_SR_FRONT), &f->store, err) != WA_OK ||
        wa_chan_attach(f->store, f->loop, on_store, on_store_end, f, err) != WA_OK)
        return err->code;
    const struct wa_http_server_config config = {.max_connections = most,
                                                 .max_handshakes = HANDSHAKES,
                                                 .max_per_address =
                                                     (size_t)f->child.config.max_per_address,
                                                 .is_preferred = is_guest,
                                                 .proxies = f->child.config.proxy_from};
    if (wa_timer_new(f->loop, on_clock, f, &f->clock, err) != WA_OK ||
        wa_http_server_new(f->loop, &listener, 1, tls, &config, &events, f, &f->server, err) !=
            WA_OK)
        return err->code;
    wa_timer_start(f->clock, SWEEP_MS, SWEEP_MS);
    wa_server_child_ready();
    return wa_loop_run(f->loop, err);
}

int wa_server_front(const char *config_file)
{
    struct wa_front f = {.repo = WA_DIR_INIT, .seen_round = 1};
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = run(&f, config_file, &err);
    return wa_server_child_end(&f.child, code, &err);
}
