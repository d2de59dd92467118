/* role_front.c - a front: TLS, HTTP, WebSockets, the repository's files. It decides nothing: what
 * needs a decision goes to the store.
 *
 * It holds no key but TLS's and can read nothing but the repository; uploads are written to
 * incoming/, and appear only when the scan process has verified them.
 */
#include "base/mem.h"
#include "codec/json.h"
#include "net/address.h"
#include "os/drives.h"
#include "os/rand.h"
#include "server/front_priv.h"

#define STORE_FD 3
#define LISTEN_FD 4
#define HANDSHAKES 256
#define SWEEP_MS 2000
#define GUEST_S 3600 /* s: somebody who was logged in may come back before the machines */

/* --- exchanges --- */

static enum wa_code collect(struct wa_sink *sink, const void *p, size_t n, struct wa_err *err);

static struct wa_sv key_of(const uint32_t *id)
{
    return wa_sv_n((const char *)(const void *)id, sizeof *id);
}

/* Numbers begin anew some day, when connections that have the first ones are still open. */
static uint32_t next_id(struct wa_front *f)
{
    do
        f->next_id++;
    while (f->next_id == 0 || wa_front_find(f, f->next_id) != NULL);
    return f->next_id;
}

struct wa_exchange *wa_front_exchange(struct wa_front *f, struct wa_http_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_exchange *x = wa_calloc(1, sizeof *x);
    if (x == NULL)
        return NULL;
    *x = (struct wa_exchange){.next = f->exchanges,
                              .front = f,
                              .id = next_id(f),
                              .http = c,
                              .fd = -1,
                              .since_ms = wa_loop_now_ms(f->loop)};
    if (wa_map_put(&f->by_id, key_of(&x->id), x, NULL, &err) != WA_OK) {
        wa_free(x);
        return NULL;
    }
    x->collect.base.write = collect;
    x->collect.exchange = x;
    if (x->next != NULL)
        x->next->prev = x;
    f->exchanges = x;
    if (c != NULL) {
        wa_http_set_user(c, x);
        char address[48];
        (void)snprintf(x->peer, sizeof x->peer, "%s", wa_front_peer(f, c, address));
    }
    return x;
}

static void remove_part(struct wa_exchange *x)
{
    struct wa_err ignored = WA_ERR_INIT;
    struct wa_relpath path;
    wa_fd_close(&x->fd);
    if (wa_relpath_parse(wa_sv(x->part), &path, &ignored) == WA_OK &&
        wa_tree_remove(&x->front->repo, &path, &ignored) != WA_OK)
        wa_log_err(&x->front->child.log, WA_LOG_WARNING, "upload.left", &ignored);
}

static void drop_body(struct wa_exchange *x)
{
    x->front->body_bytes -= x->body.n;
    wa_buf_fini_secret(&x->body);
}

static void unlink_exchange(struct wa_exchange *x)
{
    struct wa_exchange **first = x->has_greeted ? &x->front->greeted : &x->front->exchanges;
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        *first = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
}

void wa_front_exchange_greeted(struct wa_exchange *x)
{
    unlink_exchange(x);
    x->has_greeted = true;
    x->prev = NULL;
    x->next = x->front->greeted;
    if (x->next != NULL)
        x->next->prev = x;
    x->front->greeted = x;
}

void wa_front_exchange_free(struct wa_exchange *x)
{
    unlink_exchange(x);
    (void)wa_map_take(&x->front->by_id, key_of(&x->id));
    if (x->fd >= 0 && !x->is_resumable)
        remove_part(x);
    wa_fd_close(&x->fd);
    drop_body(x);
    x->front->stream_count -= x->is_stream ? 1 : 0;
    wa_free(x->more);
    wa_free(x);
}

struct wa_exchange *wa_front_find(const struct wa_front *f, uint32_t id)
{
    return wa_map_get(&f->by_id, key_of(&id));
}

void wa_front_answer_err(struct wa_front *f, struct wa_http_conn *c, const struct wa_err *err)
{
    struct wa_err shown = *err;
    if (wa_code_http(err->code) >= 500) {
        wa_log(&f->child.log, WA_LOG_ERROR, "request.failed", WA_LF_S("peer", wa_http_peer(c)),
               WA_LF_S("why", err->text));
        wa_server_hide(&shown);
    }
    wa_http_answer_err(c, &shown);
}

/* Ends the exchange with the error. */
static void fail(struct wa_exchange *x, const struct wa_err *err)
{
    struct wa_front *f = x->front;
    struct wa_http_conn *c = x->http;
    wa_http_set_user(c, NULL);
    wa_front_exchange_free(x);
    wa_front_answer_err(f, c, err);
}

/* Bodies are collected in memory, all together up to a cap, of which one address gets a part. */
static enum wa_code collect(struct wa_sink *sink, const void *p, size_t n, struct wa_err *err)
{
    struct wa_exchange *x = ((struct wa_front_collect *)(void *)sink)->exchange;
    struct wa_front *f = x->front;
    size_t theirs = n;
    if (f->body_bytes + n > WA_FRONT_BODIES_MAX / 4)
        for (const struct wa_exchange *o = f->exchanges; o != NULL; o = o->next)
            theirs += strcmp(o->peer, x->peer) == 0 ? o->body.n : 0;
    if (f->body_bytes + n > WA_FRONT_BODIES_MAX || theirs > WA_FRONT_BODIES_MAX / 4)
        return wa_fail(err, WA_E_BUSY, "too much is being sent at the same time: try again later");
    wa_buf_add(&x->body, p, n);
    if (wa_buf_check(&x->body, err) != WA_OK)
        return err->code;
    f->body_bytes += n;
    return WA_OK;
}

/* --- to the store --- */

enum wa_code wa_front_ask(struct wa_exchange *x, struct wa_sv query, bool is_question,
                          struct wa_sv body, struct wa_err *err)
{
    struct wa_front_route route = {.kind = WA_FRONT_PING};
    const char *allow = NULL;
    WA_AUTO_BUF_SECRET struct wa_buf text;
    WA_AUTO_BUF struct wa_buf pem;
    const struct wa_http_head *h = wa_http_conn_head(x->http);
    struct wa_sv last = wa_http_get(h, "last-event-id");
    struct wa_jw w;
    wa_buf_init(&text, WA_SERVER_BODY_MAX + 65536);
    wa_buf_init(&pem, WA_HTTP_HEAD_MAX);
    if (wa_front_route(h, &route, &allow, err) != WA_OK ||
        (x->client.person[0] != '\0' && wa_sv_eqs(h->path, WA_CERTIFICATE_LOGIN) &&
         wa_front_person_pem(x->front, x->http, &pem, err) != WA_OK))
        return err->code;
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "method", wa_http_method_name(h->method));
    wa_jw_kvsv(&w, "path", h->path);
    wa_jw_kvsv(&w, "query", query);
    wa_jw_kvsv(&w, "bearer", route.bearer);
    wa_jw_kv(&w, "peer", x->peer);
    wa_jw_kv(&w, "machine", x->client.name);
    if (x->client.person[0] != '\0')
        wa_jw_kv(&w, "person", x->client.person);
    if (pem.n > 0)
        wa_jw_kvsv(&w, "pem", wa_buf_sv(&pem));
    if (last.n > 0)
        wa_jw_kvsv(&w, "last_event", wa_sv_sub(last, 0, 23));
    wa_jw_kvb(&w, "question", is_question);
    wa_jw_end(&w);
    wa_buf_addc(&text, '\n');
    wa_buf_addsv(&text, body);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    return wa_chan_post(x->front->store, WA_S_REQUEST, x->id, wa_buf_sv(&text), -1, err);
}

static enum wa_code ask_store(struct wa_exchange *x, bool is_question, struct wa_sv body,
                              struct wa_err *err)
{
    return wa_front_ask(x, wa_http_conn_head(x->http)->query, is_question, body, err);
}

static void forward(struct wa_exchange *x)
{
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = ask_store(x, false, wa_buf_sv(&x->body), &err);
    drop_body(x);
    if (code != WA_OK)
        fail(x, &err);
}

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

/* --- bodies: first the right, then the bytes, then the verdict --- */

static enum wa_code open_part(struct wa_exchange *x, struct wa_err *err)
{
    char hex[33];
    struct wa_relpath path;
    if (wa_rand_hex(hex, 16, err) != WA_OK)
        return err->code;
    (void)snprintf(x->part, sizeof x->part, "incoming/%s.part", hex);
    if (wa_relpath_parse(wa_sv(x->part), &path, err) != WA_OK ||
        wa_file_create(&x->front->repo, &path, 0644, &x->fd, err) != WA_OK)
        return wa_wrap(err, "beginning an upload");
    wa_fd_sink_init(&x->file, x->fd);
    return WA_OK;
}

/* What is needed on this disk by others stays free. */
static enum wa_code check_room(const struct wa_exchange *x, struct wa_err *err)
{
    const struct wa_http_head *h = wa_http_conn_head(x->http);
    uint64_t free_bytes = 0, keep = (uint64_t)x->front->child.config.upload_keep << 20;
    if (wa_path_free_bytes(x->front->repo_path, &free_bytes, err) != WA_OK)
        return err->code;
    return free_bytes >= keep && h->length <= free_bytes - keep
               ? WA_OK
               : wa_fail(err, WA_E_NO_SPACE, "the server's disk is full");
}

/* The file that the store has named, if it is as long as the client thinks. Only one request at a
 * time writes to it, and none once the scan process looks at it. */
static enum wa_code continue_part(struct wa_exchange *x, const struct wa_json *j,
                                  struct wa_err *err)
{
    struct wa_relpath path;
    struct wa_stat st;
    struct wa_sv part = {NULL, 0};
    int64_t offset = 0, size = 0;
    const struct wa_json_field fields[] = {{"part", WA_WANT_SV, true, sizeof x->part - 1, &part},
                                           {"offset", WA_WANT_I64, true, 0, &offset},
                                           {"size", WA_WANT_I64, true, 0, &size}};
    if (wa_json_read(j, fields, WA_COUNT(fields), "where an upload goes on", err) != WA_OK ||
        wa_relpath_parse(part, &path, err) != WA_OK ||
        wa_file_continue_alone(&x->front->repo, &path, &x->fd, err) != WA_OK)
        return err->code == WA_E_NOT_FOUND
                   ? wa_fail(err, WA_E_CONFLICT, "the upload has not begun here: ask for its state")
                   : err->code;
    x->is_resumable = true;
    (void)snprintf(x->part, sizeof x->part, "%.95s", path.p);
    if (wa_fd_stat(x->fd, &st, err) != WA_OK)
        return err->code;
    if ((int64_t)st.size != offset || offset > size)
        return wa_fail(err, WA_E_CONFLICT, "the upload goes on at %llu, not at %lld",
                       (unsigned long long)st.size, (long long)offset);
    x->body_max = (uint64_t)(size - offset);
    wa_fd_sink_init(&x->file, x->fd);
    return WA_OK;
}

/* Who asks may: let the body come. said: the store's word on where to. */
static void take_upload(struct wa_exchange *x, struct wa_sv said)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 16384);
    enum wa_code code = wa_json_parse(said, 0, &arena, &j, &err);
    if (code == WA_OK)
        code = wa_json_count(j) > 0 ? continue_part(x, j, &err) : open_part(x, &err);
    if (code == WA_OK)
        code = check_room(x, &err);
    if (code == WA_OK)
        wa_http_stream_body(x->http, x->body_max, &x->file.base);
    else
        fail(x, &err);
}

static void take_body(struct wa_exchange *x, struct wa_sv said)
{
    wa_buf_init(&x->body, WA_FRONT_API_MAX);
    if (x->kind == WA_FRONT_UPLOAD)
        take_upload(x, said);
    else
        wa_http_stream_body(x->http, x->body_max, &x->collect.base);
}

static void ask_right(struct wa_exchange *x)
{
    struct wa_err err = WA_ERR_INIT;
    x->is_asking = true;
    wa_http_hold_body(x->http);
    if (ask_store(x, true, WA_SV(""), &err) != WA_OK)
        fail(x, &err);
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
        x->is_asking = false;
        take_body(x, rest);
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

static void on_request(void *user, struct wa_http_conn *c, const struct wa_http_head *h)
{
    struct wa_front *f = user;
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
        ask_right(x);
    else
        take_body(x, WA_SV("{}"));
}

static void on_body(void *user, struct wa_http_conn *c, struct wa_sv body)
{
    struct wa_exchange *x = wa_http_user(c);
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(user);
    WA_UNUSED(body);
    if (x == NULL) {
        (void)wa_fail(&err, WA_E_INTERNAL, "a request that nobody has");
        wa_http_answer_err(c, &err);
        return;
    }
    if (x->is_resumable)
        wa_fd_close(&x->fd); /* the scan process may want it now */
    if (x->kind != WA_FRONT_UPLOAD)
        forward(x);
    else if (ask_store(x, false, wa_sv(x->part), &err) != WA_OK)
        fail(x, &err);
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
                                .streams = f->stream_count,
                                .certificate_until = f->certificate_until,
                                .authority_until = f->authority_until};
    for (const struct wa_exchange *x = f->exchanges; x != NULL; x = x->next)
        n.websockets += x->ws != NULL ? 1 : 0;
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
    static const struct wa_http_server_events events = {on_request, on_body, on_gone,
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
