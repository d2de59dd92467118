/* link.c - a connection of the simulator: socket, TLS, then HTTP answers or WebSocket frames.
 *
 * net/ws_client.c does the same for one agent, with a name look-up, a proxy and a timer each; a
 * shard has twenty thousand and needs an address to come from for each.
 */
#include "link.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/http.h"
#include "net/ws.h"
#include "os/fs.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
#define ANSWER_MAX (1u << 20)
#define MESSAGE_MAX (1u << 20)

enum step { CONNECTING, HANDSHAKE, HTTP, UPGRADING, WEBSOCKET };

struct link {
    const struct link_place *place;
    struct link_events ev;
    void *user;
    enum step step;
    int fd, status;
    struct wa_io *io;
    struct wa_tls *tls;
    struct wa_http_parser *parser;
    struct wa_ws *ws;
    struct wa_buf out, body;
    size_t out_at;
    unsigned busy;
    bool is_freed, is_whole, reads_wait;
};

static void release(struct link *l)
{
    wa_io_free(l->io);
    wa_tls_free(l->tls);
    wa_http_parser_free(l->parser);
    wa_ws_free(l->ws);
    wa_buf_fini(&l->out);
    wa_buf_fini(&l->body);
    wa_fd_close(&l->fd);
    wa_free(l);
}

void link_free(struct link *l)
{
    if (l == NULL)
        return;
    l->is_freed = true;
    if (l->busy == 0)
        release(l);
}

static void leave(struct link *l)
{
    if (--l->busy == 0 && l->is_freed)
        release(l);
}

static void end(struct link *l, const char *why)
{
    if (l->is_freed)
        return;
    l->is_freed = true;
    l->ev.on_end(l->user, why);
}

/* Writes what there is, and watches for what is next. */
static void flush(struct link *l)
{
    struct wa_err err = WA_ERR_INIT;
    enum wa_tls_want want = WA_TLS_DONE;
    while (!l->is_freed) {
        if (l->out.n == 0 && l->ws != NULL && wa_ws_drain(l->ws, &l->out, &err) != WA_OK)
            break;
        if (l->out_at == l->out.n || want != WA_TLS_DONE)
            break;
        size_t n = 0;
        if (wa_tls_write(l->tls, l->out.p + l->out_at, l->out.n - l->out_at, &n, &want, &err) !=
            WA_OK)
            break;
        if (want == WA_TLS_DONE)
            l->out_at += n;
        if (l->out_at == l->out.n) {
            wa_buf_fini(&l->out);
            l->out_at = 0;
        }
    }
    if (l->is_freed)
        return;
    int events = WA_IO_READ | (want == WA_TLS_WANT_WRITE ? WA_IO_WRITE : 0);
    if (err.code != WA_OK || wa_io_set(l->io, events, &err) != WA_OK)
        end(l, err.text);
}

/* --- answers --- */

static enum wa_code on_head(void *user, const struct wa_http_head *head, struct wa_err *err)
{
    struct link *l = user;
    WA_UNUSED(err);
    l->status = head->status;
    return WA_OK;
}

static enum wa_code on_body(void *user, const void *p, size_t n, struct wa_err *err)
{
    struct link *l = user;
    wa_buf_add(&l->body, p, n);
    return wa_buf_check(&l->body, err);
}

static enum wa_code on_done(void *user, struct wa_err *err)
{
    struct link *l = user;
    WA_UNUSED(err);
    l->is_whole = true;
    return WA_OK;
}

static void ws_text(void *user, struct wa_sv text)
{
    struct link *l = user;
    if (!l->is_freed)
        l->ev.on_text(l->user, text);
}

static void ws_close(void *user, int status)
{
    char why[48];
    (void)snprintf(why, sizeof why, "closed with %d", status);
    end(user, why);
}

static enum wa_code begin_ws(struct link *l, struct wa_err *err)
{
    static const struct wa_ws_cb cb = {ws_text, ws_close, NULL};
    if (l->status != 101)
        return wa_fail(err, WA_E_REFUSED, "answered %d instead of a WebSocket", l->status);
    wa_http_parser_free(l->parser);
    l->parser = NULL;
    l->step = WEBSOCKET;
    return wa_ws_new(false, MESSAGE_MAX, &cb, l, &l->ws, err);
}

static void take_answer(struct link *l)
{
    struct wa_buf body = l->body;
    wa_buf_init(&l->body, ANSWER_MAX);
    l->is_whole = false;
    wa_http_resume(l->parser);
    l->ev.on_answer(l->user, l->status, wa_buf_sv(&body));
    wa_buf_fini(&body);
}

static enum wa_code take(struct link *l, const char *p, size_t n, struct wa_err *err)
{
    size_t used = 0;
    if (l->step != WEBSOCKET) {
        if (wa_http_parse(l->parser, p, n, &used, err) != WA_OK)
            return err->code;
        if (l->step == UPGRADING && l->status != 0 && begin_ws(l, err) != WA_OK)
            return err->code;
    }
    if (l->step == WEBSOCKET)
        return used < n ? wa_ws_feed(l->ws, p + used, n - used, err) : WA_OK;
    if (l->is_whole)
        take_answer(l);
    return WA_OK;
}

static void read_all(struct link *l)
{
    char piece[16384];
    struct wa_err err = WA_ERR_INIT;
    while (!l->is_freed) {
        size_t n = 0;
        enum wa_tls_want want = WA_TLS_DONE;
        if (wa_tls_read(l->tls, piece, sizeof piece, &n, &want, &err) != WA_OK ||
            (want == WA_TLS_DONE && n == 0)) {
            end(l, err.code != WA_OK ? err.text : "the server closed");
            return;
        }
        if (want != WA_TLS_DONE)
            break;
        if (take(l, piece, n, &err) != WA_OK)
            end(l, err.text);
    }
    if (!l->is_freed)
        flush(l);
}

/* --- the way --- */

static void handshake(struct link *l)
{
    static const struct wa_http_events events = {on_head, on_body, on_done};
    struct wa_err err = WA_ERR_INIT;
    enum wa_tls_want want = WA_TLS_DONE;
    if (wa_tls_handshake(l->tls, &want, &err) != WA_OK ||
        (want != WA_TLS_DONE &&
         wa_io_set(l->io, want == WA_TLS_WANT_WRITE ? WA_IO_WRITE : WA_IO_READ, &err) != WA_OK) ||
        (want == WA_TLS_DONE && wa_http_parser_new(false, &events, l, &l->parser, &err) != WA_OK)) {
        end(l, err.text);
    } else if (want == WA_TLS_DONE) {
        l->step = HTTP;
        l->ev.on_ready(l->user);
        if (!l->is_freed)
            flush(l);
    }
}

static void connected(struct link *l)
{
    struct wa_err err = WA_ERR_INIT;
    int failed = 0;
    socklen_t n = sizeof failed;
    if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &failed, &n) != 0 || failed != 0) {
        end(l, "the connection was refused");
        return;
    }
    l->step = HANDSHAKE;
    if (wa_tls_new(l->place->tls, l->fd, false, &l->tls, &err) != WA_OK)
        end(l, err.text);
    else
        handshake(l);
}

static void on_event(void *user, int events)
{
    struct link *l = user;
    WA_UNUSED(events);
    l->busy++;
    if (l->step == CONNECTING)
        connected(l);
    else if (l->step == HANDSHAKE)
        handshake(l);
    else
        read_all(l);
    leave(l);
}

static int open_socket(const struct link_place *place, uint32_t source)
{
    const int on = 1;
    const struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(place->port),
                                   .sin_addr.s_addr = htonl(place->address)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)&from, sizeof from) != 0 ||
        (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS))
        wa_fd_close(&fd);
    return fd;
}

struct link *link_new(const struct link_place *place, uint32_t source,
                      const struct link_events *events, void *user)
{
    struct wa_err err = WA_ERR_INIT;
    struct link *l = wa_calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    *l = (struct link){.place = place, .ev = *events, .user = user};
    wa_buf_init(&l->out, ANSWER_MAX);
    wa_buf_init(&l->body, ANSWER_MAX);
    l->fd = open_socket(place, source);
    if (l->fd < 0 || wa_io_new(place->loop, l->fd, on_event, l, &l->io, &err) != WA_OK ||
        wa_io_set(l->io, WA_IO_WRITE, &err) != WA_OK) {
        release(l);
        return NULL;
    }
    return l;
}

/* --- saying --- */

static void out_done(struct link *l)
{
    struct wa_err err = WA_ERR_INIT;
    l->busy++;
    if (wa_buf_check(&l->out, &err) != WA_OK)
        end(l, err.text);
    else if (l->busy == 1) /* else who called us does it */
        flush(l);
    leave(l);
}

void link_post(struct link *l, const char *path, struct wa_sv body)
{
    wa_buf_addf(&l->out,
                "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                "application/json\r\nContent-Length: %zu\r\n\r\n",
                path, body.n);
    wa_buf_addsv(&l->out, body);
    out_done(l);
}

void link_upgrade(struct link *l)
{
    l->step = UPGRADING;
    l->status = 0;
    wa_buf_adds(&l->out, "GET /agent/v1/push HTTP/1.1\r\nHost: localhost\r\nUpgrade: "
                         "websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
                         "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    out_done(l);
}

void link_send(struct link *l, struct wa_sv text)
{
    struct wa_err err = WA_ERR_INIT;
    l->busy++;
    if (wa_ws_queue_text(l->ws, text, &err) != WA_OK)
        end(l, err.text);
    else if (l->busy == 1)
        flush(l);
    leave(l);
}

enum wa_code link_binding(struct link *l, uint8_t out[32], struct wa_err *err)
{
    return wa_tls_channel_binding(l->tls, out, err);
}
