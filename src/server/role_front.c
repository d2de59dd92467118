/* role_front.c - a front: TLS, HTTP, WebSockets, the repository's files. It decides nothing: what
 * needs a decision goes to the store.
 *
 * It holds no key but TLS's and can read nothing but the repository; uploads are written to
 * incoming/, and appear only when the scan process has verified them.
 */
#include <unistd.h>

#include "base/mem.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "net/http_server.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/push.h"
#include "server/role_common.h"

#define STORE_FD 3
#define LISTEN_FD 4
#define REPORT_MAX (12u << 20)
#define API_MAX (15u << 20)
#define HANDSHAKES 256

struct front;

/* A request that waits for the store, or a WebSocket. */
struct exchange {
    struct exchange *next;
    struct front *front;
    uint32_t id;
    struct wa_http_conn *http; /* NULL when the client left */
    struct wa_ws_conn *ws;     /* a WebSocket's greeting, or the WebSocket itself */
    bool greeted;
    char nonce[65];
    /* an upload */
    struct wa_fd_sink file;
    int fd;
    char part[96];
    bool asked; /* the store was asked whether the caller may upload */
};

struct front {
    struct wa_server_child child;
    struct wa_loop *loop;
    struct wa_chan *store;
    struct wa_http_server *server;
    struct wa_dir repo;
    struct exchange *exchanges;
    uint32_t next_id;
};

/* --- exchanges --- */

static struct exchange *exchange_new(struct front *f, struct wa_http_conn *c)
{
    struct exchange *x = wa_calloc(1, sizeof *x);
    if (x == NULL)
        return NULL;
    *x = (struct exchange){
        .next = f->exchanges, .front = f, .id = ++f->next_id, .http = c, .fd = -1};
    f->exchanges = x;
    if (c != NULL)
        wa_http_set_user(c, x);
    return x;
}

static void exchange_free(struct exchange *x)
{
    struct front *f = x->front;
    struct wa_err ignored = WA_ERR_INIT;
    for (struct exchange **at = &f->exchanges; *at != NULL; at = &(*at)->next)
        if (*at == x) {
            *at = x->next;
            break;
        }
    if (x->fd >= 0) {
        struct wa_relpath path;
        wa_fd_close(&x->fd);
        if (wa_relpath_parse(wa_sv(x->part), &path, &ignored) == WA_OK &&
            wa_tree_remove(&f->repo, &path, &ignored) != WA_OK)
            wa_log_err(&f->child.log, WA_LOG_WARNING, "upload.left", &ignored);
    }
    wa_free(x);
}

static struct exchange *exchange_find(struct front *f, uint32_t id)
{
    struct exchange *x = f->exchanges;
    while (x != NULL && x->id != id)
        x = x->next;
    return x;
}

static void answer_err(struct wa_http_conn *c, enum wa_code code, const char *text)
{
    struct wa_err err = WA_ERR_INIT;
    (void)wa_fail(&err, code, "%s", text);
    wa_http_answer_err(c, &err);
}

/* --- to the store --- */

static struct wa_sv bearer_of(const struct wa_http_head *h)
{
    struct wa_sv v = wa_http_get(h, "authorization");
    return wa_sv_starts(v, "Bearer ") ? wa_sv_trim(wa_sv_sub(v, 7, v.n)) : WA_SV("");
}

static enum wa_code ask_store(struct exchange *x, const char *method, struct wa_sv path,
                              struct wa_sv body, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf text;
    const struct wa_http_head *h = wa_http_conn_head(x->http);
    struct wa_jw w;
    wa_buf_init(&text, WA_SERVER_BODY_MAX + 65536);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "method", method);
    wa_jw_kvsv(&w, "path", path);
    wa_jw_kvsv(&w, "query", h->query);
    wa_jw_kvsv(&w, "bearer", bearer_of(h));
    wa_jw_kv(&w, "peer", wa_http_peer(x->http));
    wa_jw_end(&w);
    wa_buf_addc(&text, '\n');
    wa_buf_addsv(&text, body);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    return wa_chan_post(x->front->store, WA_S_REQUEST, x->id, wa_buf_sv(&text), -1, err);
}

static void forward(struct wa_http_conn *c, struct wa_sv body)
{
    struct exchange *x = wa_http_user(c);
    struct wa_err err = WA_ERR_INIT;
    const struct wa_http_head *h = wa_http_conn_head(c);
    if (ask_store(x, wa_http_method_name(h->method), h->path, body, &err) == WA_OK)
        return;
    wa_http_set_user(c, NULL);
    exchange_free(x);
    wa_http_answer_err(c, &err);
}

/* --- files --- */

static void serve_file(struct front *f, struct wa_http_conn *c, struct wa_sv path)
{
    struct wa_relpath name;
    struct wa_err err = WA_ERR_INIT;
    int fd = -1;
    const struct wa_http_head *h = wa_http_conn_head(c);
    if (h->method != WA_HTTP_GET && h->method != WA_HTTP_HEAD) {
        wa_http_answer(c, 405, NULL, WA_SV(""), "Allow: GET, HEAD\r\n");
        return;
    }
    if (wa_sv_eqs(path, "wapt-host/Packages") || wa_sv_eqs(path, "wapt-host/")) {
        answer_err(c, WA_E_DENIED, "host packages are not listed");
        return;
    }
    if (wa_relpath_parse(path, &name, &err) != WA_OK || strstr(name.p, "/.") != NULL ||
        wa_file_open(&f->repo, &name, &fd, &err) != WA_OK) {
        answer_err(c, WA_E_NOT_FOUND, "there is no such file");
        return;
    }
    wa_http_answer_file(c, fd, wa_sv_ends(path, ".png") ? "image/png" : "application/octet-stream",
                        NULL);
}

static void ping(struct front *f, struct wa_http_conn *c)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw w;
    wa_buf_init(&text, 1024);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "version", WA_VERSION);
    wa_jw_kv(&w, "server_uuid", f->child.config.server_uuid);
    wa_jw_end(&w);
    wa_http_answer(c, 200, "application/json", wa_buf_sv(&text), NULL);
}

/* --- uploads: first the right, then the bytes, then the verdict --- */

static void start_upload(struct front *f, struct exchange *x)
{
    char hex[33];
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_http_head *h = wa_http_conn_head(x->http);
    if (!h->has_length) {
        answer_err(x->http, WA_E_USAGE, "an upload needs its length");
        return;
    }
    if (wa_rand_hex(hex, 16, &err) == WA_OK) {
        (void)snprintf(x->part, sizeof x->part, "incoming/%s.part", hex);
        if (wa_relpath_parse(wa_sv(x->part), &path, &err) == WA_OK &&
            wa_file_create(&f->repo, &path, 0644, &x->fd, &err) == WA_OK) {
            wa_fd_sink_init(&x->file, x->fd);
            wa_http_stream_body(x->http, WA_PACKAGE_BYTES_MAX, &x->file.base);
            return;
        }
    }
    wa_http_answer_err(x->http, &err);
}

static void finish_upload(struct exchange *x)
{
    struct wa_err err = WA_ERR_INIT;
    const struct wa_http_head *h = wa_http_conn_head(x->http);
    if (wa_fd_sync(x->fd, &err) == WA_OK &&
        ask_store(x, "PUT", h->path, wa_sv(x->part), &err) == WA_OK)
        return;
    wa_http_answer_err(x->http, &err);
}

/* --- the push channel --- */

static void ws_message(void *user, struct wa_ws_conn *c, struct wa_sv text);
static void ws_close(void *user, struct wa_ws_conn *c, int status, const char *reason);

static void start_push(struct front *f, struct wa_http_conn *c)
{
    static const struct wa_ws_events events = {ws_message, ws_close};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    struct exchange *x = exchange_new(f, NULL);
    wa_buf_init(&text, 1024);
    if (x == NULL || wa_rand_hex(x->nonce, 32, &err) != WA_OK ||
        wa_http_accept_ws(c, WA_WS_HELLO_MAX, &events, x, &x->ws, &err) != WA_OK) {
        if (x != NULL)
            exchange_free(x);
        answer_err(c, err.code == WA_OK ? WA_E_NOMEM : err.code, err.text);
        return;
    }
    wa_push_challenge_write(x->nonce, wa_clock_now(), &text);
    if (wa_ws_send(x->ws, wa_buf_sv(&text), &err) != WA_OK)
        wa_log_err(&f->child.log, WA_LOG_WARNING, "push.challenge", &err);
}

static enum wa_code ask_hello(struct exchange *x, struct wa_sv hello, struct wa_err *err)
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
    wa_jw_kvsv(&w, "text", hello);
    wa_jw_end(&w);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    return wa_chan_post(x->front->store, WA_S_HELLO, x->id, wa_buf_sv(&text), -1, err);
}

static enum wa_code pass_ack(struct exchange *x, struct wa_sv message, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    enum wa_push_type type;
    const struct wa_json *j = NULL;
    char id[33];
    struct wa_jw w;
    wa_arena_init(&arena, 64u << 10);
    wa_buf_init(&text, 256);
    if (wa_push_parse(message, &arena, &type, &j, err) != WA_OK)
        return err->code;
    if (type != WA_PUSH_ACK || wa_push_ack_read(j, id, err) != WA_OK)
        return wa_fail(err, WA_E_INVALID, "an agent said something else than an acknowledgement");
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "conn", x->id);
    wa_jw_kv(&w, "id", id);
    wa_jw_end(&w);
    return wa_chan_post(x->front->store, WA_S_ACK, 0, wa_buf_sv(&text), -1, err);
}

static void ws_message(void *user, struct wa_ws_conn *c, struct wa_sv text)
{
    struct exchange *x = user;
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code;
    if (x->greeted) {
        code = pass_ack(x, text, &err);
    } else if (x->nonce[0] == '\0') {
        code = wa_fail(&err, WA_E_INVALID, "a second greeting");
    } else {
        code = ask_hello(x, text, &err);
        x->nonce[0] = '\0'; /* good for one answer */
    }
    if (code == WA_OK)
        return;
    wa_log_err(&x->front->child.log, WA_LOG_WARNING, "push.bad_message", &err);
    wa_ws_close(c, WA_PUSH_CLOSE_REFUSED, "refused");
}

static void ws_close(void *user, struct wa_ws_conn *c, int status, const char *reason)
{
    struct exchange *x = user;
    struct wa_err err = WA_ERR_INIT;
    char text[48];
    WA_UNUSED(c);
    wa_log(&x->front->child.log, WA_LOG_INFO, "push.closed", WA_LF_I("status", status),
           WA_LF_S("reason", reason));
    (void)snprintf(text, sizeof text, "{\"conn\":%u}", (unsigned)x->id);
    if (wa_chan_post(x->front->store, WA_S_GONE, 0, wa_sv(text), -1, &err) != WA_OK)
        wa_log_err(&x->front->child.log, WA_LOG_ERROR, "store.lost", &err);
    exchange_free(x);
}

/* --- from the store --- */

static void greeted(struct exchange *x, int status)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 256);
    if (status != 200) {
        wa_ws_close(x->ws, status == 401 ? WA_PUSH_CLOSE_REGISTER : WA_PUSH_CLOSE_REFUSED,
                    status == 401 ? "register again" : "refused");
        return;
    }
    x->greeted = true;
    wa_push_welcome_write(&text);
    if (wa_ws_send(x->ws, wa_buf_sv(&text), &err) != WA_OK)
        wa_ws_close(x->ws, 1011, "failed");
}

static void on_answer(struct front *f, const struct wa_chan_msg *msg)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_sv head = {NULL, 0}, rest = msg->payload;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    int64_t status = 500;
    struct exchange *x = exchange_find(f, msg->id);
    wa_arena_init(&arena, 4096);
    if (x == NULL)
        return;
    if (wa_sv_split(&rest, '\n', &head) && wa_json_parse(head, 0, &arena, &j, &err) == WA_OK)
        (void)wa_json_i64(wa_json_get(j, "status"), &status);
    if (x->ws != NULL) {
        greeted(x, (int)status);
        return;
    }
    struct wa_http_conn *c = x->http;
    if (c != NULL && x->asked && status == 200) { /* may upload: now the bytes */
        x->asked = false;
        finish_upload(x);
        return;
    }
    if (c != NULL)
        wa_http_set_user(c, NULL);
    x->http = NULL;
    exchange_free(x);
    if (c != NULL)
        wa_http_answer(c, (int)status, "application/json", rest,
                       status == 401 ? "WWW-Authenticate: Bearer\r\n" : NULL);
}

static void on_store(void *user, const struct wa_chan_msg *msg)
{
    struct front *f = user;
    struct wa_err err = WA_ERR_INIT;
    if (msg->type == WA_S_ANSWER) {
        on_answer(f, msg);
        return;
    }
    struct exchange *x = exchange_find(f, msg->id);
    if (x == NULL || x->ws == NULL)
        return;
    if (msg->type == WA_S_CLOSE)
        wa_ws_close(x->ws, 1000, "closed");
    else if (wa_ws_send(x->ws, msg->payload, &err) != WA_OK)
        wa_ws_close(x->ws, 1011, "failed");
}

static void on_store_end(void *user, enum wa_code code, const struct wa_err *err)
{
    struct front *f = user;
    if (code != WA_OK)
        wa_log_err(&f->child.log, WA_LOG_ERROR, "store.lost", err);
    wa_loop_stop(f->loop);
}

/* --- routes --- */

static void on_request(void *user, struct wa_http_conn *c, const struct wa_http_head *h)
{
    struct front *f = user;
    if (h->is_upgrade) {
        if (wa_sv_eqs(h->path, "/agent/v1/push"))
            start_push(f, c);
        else
            answer_err(c, WA_E_NOT_FOUND, "no WebSocket there");
        return;
    }
    if (wa_sv_eqs(h->path, "/ping")) {
        ping(f, c);
        return;
    }
    if (wa_sv_starts(h->path, "/wapt/") || wa_sv_starts(h->path, "/wapt-host/")) {
        serve_file(f, c, wa_sv_sub(h->path, 1, h->path.n));
        return;
    }
    bool agent = h->method == WA_HTTP_POST && (wa_sv_eqs(h->path, "/agent/v1/register") ||
                                               wa_sv_eqs(h->path, "/agent/v1/report"));
    if (!agent && !wa_sv_starts(h->path, "/api/v1/")) {
        answer_err(c, WA_E_NOT_FOUND, "there is nothing here");
        return;
    }
    struct exchange *x = exchange_new(f, c);
    if (x == NULL) {
        answer_err(c, WA_E_NOMEM, "memory ran out");
    } else if (h->method == WA_HTTP_PUT) {
        start_upload(f, x);
    } else {
        wa_http_accept_body(c, agent ? REPORT_MAX : API_MAX);
    }
}

static void on_body(void *user, struct wa_http_conn *c, struct wa_sv body)
{
    struct exchange *x = wa_http_user(c);
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(user);
    if (x == NULL) {
        answer_err(c, WA_E_INTERNAL, "a request that nobody has");
    } else if (x->fd < 0) {
        forward(c, body);
    } else {
        x->asked = true; /* first whether the caller may at all */
        if (ask_store(x, "GET", WA_SV("/api/v1/session"), WA_SV(""), &err) != WA_OK)
            wa_http_answer_err(c, &err);
    }
}

static void on_gone(void *user, struct wa_http_conn *c)
{
    struct exchange *x = wa_http_user(c);
    WA_UNUSED(user);
    if (x != NULL)
        exchange_free(x); /* an answer that comes yet finds nobody */
}

/* --- start --- */

static enum wa_code read_tls(struct front *f, struct wa_tls_ctx **ret, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    WA_AUTO_BUF struct wa_buf cert;
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    WA_AUTO_CERTS struct wa_certs chain = {NULL, 0, 0};
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    wa_buf_init(&cert, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&pem, 64u << 10);
    if (wa_server_path(&f->child.config, "private/tls.crt", path, err) != WA_OK ||
        wa_path_read(path, WA_CERTFILE_BYTES_MAX, &cert, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&cert), WA_CHAIN_MAX, &chain, err) != WA_OK ||
        wa_server_path(&f->child.config, "private/tls.pem", path, err) != WA_OK ||
        wa_path_read(path, 64u << 10, &pem, err) != WA_OK ||
        wa_key_read_pem(wa_buf_sv(&pem), path, NULL, NULL, &key, err) != WA_OK)
        return wa_wrap(err, "the TLS certificate");
    return wa_tls_server_ctx(&chain, key, ret, err);
}

static enum wa_code run(struct front *f, const char *config_file, struct wa_err *err)
{
    static const struct wa_http_server_events events = {on_request, on_body, on_gone};
    char repo[WA_PATH_MAX], incoming[WA_PATH_MAX];
    const int listener = LISTEN_FD;
    WA_AUTO(wa_tls_ctx) struct wa_tls_ctx *tls = NULL;
    if (wa_server_child_init(&f->child, WA_SR_FRONT, config_file, err) != WA_OK ||
        read_tls(f, &tls, err) != WA_OK ||
        wa_server_path(&f->child.config, "repo", repo, err) != WA_OK ||
        wa_server_path(&f->child.config, "repo/incoming", incoming, err) != WA_OK ||
        wa_dir_open(repo, &f->repo, err) != WA_OK || wa_loop_new(&f->loop, err) != WA_OK)
        return err->code;
    const char *const reads[] = {repo, NULL};
    const char *const writes[] = {incoming, NULL};
    if (wa_server_child_confine(&f->child, WA_SR_FRONT,
                                WA_PRIV_NET | WA_PRIV_FDS | WA_PRIV_FS_READ | WA_PRIV_FS_WRITE,
                                reads, writes, true, err) != WA_OK ||
        wa_chan_new(STORE_FD, wa_server_rules(WA_SR_STORE, WA_SR_FRONT), &f->store, err) != WA_OK ||
        wa_chan_attach(f->store, f->loop, on_store, on_store_end, f, err) != WA_OK)
        return err->code;
    const struct wa_http_server_config config = {
        .max_connections = (size_t)f->child.config.max_connections, .max_handshakes = HANDSHAKES};
    if (wa_http_server_new(f->loop, &listener, 1, tls, &config, &events, f, &f->server, err) !=
        WA_OK)
        return err->code;
    return wa_loop_run(f->loop, err);
}

int wa_server_front(const char *config_file)
{
    struct front f = {.repo = WA_DIR_INIT};
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = run(&f, config_file, &err);
    return wa_server_child_end(&f.child, code, &err);
}
