/* http_answer.c - what the application says to a request: whether it takes a body, and the answer.
 *
 * Nothing is sent here: answers are queued, and the connection told to go on. Every answer carries
 * its length and the security headers.
 */
#include "net/http_server_priv.h"

#include "base/date.h"
#include "codec/json.h"
#include "os/clock.h"

void wa_http_set_class(struct wa_http_conn *c, unsigned class)
{
    c->class = class < WA_HTTP_CLASSES ? class : 0;
}

void wa_http_set_headers(struct wa_http_conn *c, const char *lines)
{
    c->headers = lines;
}

void wa_http_set_user(struct wa_http_conn *c, void *data)
{
    c->user = data;
}

void *wa_http_user(const struct wa_http_conn *c)
{
    return c->user;
}

enum wa_code wa_http_client(const struct wa_http_conn *c, struct wa_tls_peer *ret,
                            struct wa_err *err)
{
    *ret = (struct wa_tls_peer){.name = ""};
    return c->tls == NULL ? WA_OK : wa_tls_peer(c->tls, ret, err);
}

enum wa_code wa_http_client_cert(const struct wa_http_conn *c, struct wa_cert **ret,
                                 struct wa_err *err)
{
    *ret = NULL;
    return c->tls == NULL ? WA_OK : wa_tls_peer_cert(c->tls, ret, err);
}

const char *wa_http_peer(const struct wa_http_conn *c)
{
    return c->peer;
}

const struct wa_http_head *wa_http_conn_head(const struct wa_http_conn *c)
{
    return c->head;
}

void wa_http_hold_body(struct wa_http_conn *c)
{
    c->is_held = true;
    wa_buf_init(&c->held, WA_READ_PIECE);
}

void wa_http_accept_body(struct wa_http_conn *c, size_t max)
{
    c->takes_body = true;
    c->body_max = max;
    wa_buf_fini_secret(&c->body);
    wa_buf_init(&c->body, max);
    wa_http_conn_release(c);
}

void wa_http_stream_body(struct wa_http_conn *c, uint64_t max, struct wa_sink *sink)
{
    c->body_sink = sink;
    c->body_stream_max = max;
    wa_http_conn_release(c);
}

/* Nothing that we answer needs more, a page of words neither: a browser shall load, run, frame and
 * guess nothing. */
static const char strict[] =
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Strict-Transport-Security: max-age=31536000\r\n";

#define HEAD_ROOM 768u /* bytes of most answers' heads */

/* Status line and headers up to the blank line's place. */
static void begin(struct wa_http_conn *c, int status, const char *content_type, const char *cache)
{
    char date[WA_DATE_MAX];
    c->server->counts.answers[c->class][(unsigned)status / 100 % WA_HTTP_STATUSES]++;
    bool body_comes = c->head->has_body && !c->message_done;
    c->keep_alive = c->keep_alive && !body_comes && !c->head->is_upgrade;
    wa_date_http(wa_clock_now(), date);
    const char *security = c->server->config.security_headers;
    const char *const rest[] = {content_type != NULL ? "Content-Type: " : "",
                                content_type != NULL ? content_type : "",
                                content_type != NULL ? "\r\n" : "",
                                "Cache-Control: ",
                                cache,
                                "\r\n",
                                security != NULL ? security : strict,
                                c->headers != NULL ? c->headers : "",
                                c->keep_alive ? "" : "Connection: close\r\n"};
    (void)wa_buf_reserve(&c->out.bytes, HEAD_ROOM); /* what fails shows when it is written */
    wa_buf_addf(&c->out.bytes, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status,
                wa_http_status_text(status), date);
    for (size_t i = 0; i < WA_COUNT(rest); i++) /* printf copies a character at a time */
        wa_buf_adds(&c->out.bytes, rest[i]);
}

void wa_http_answer(struct wa_http_conn *c, int status, const char *content_type, struct wa_sv body,
                    const char *extra)
{
    if (c->answered || c->dead)
        return;
    begin(c, status, content_type, "no-store");
    if (extra != NULL)
        wa_buf_adds(&c->out.bytes, extra);
    if (status != 204 && status != 304)
        wa_buf_addf(&c->out.bytes, "Content-Length: %zu\r\n", body.n);
    wa_buf_adds(&c->out.bytes, "\r\n");
    if (c->head->method != WA_HTTP_HEAD && status != 204 && status != 304)
        wa_buf_addsv(&c->out.bytes, body);
    wa_http_conn_answering(c);
    wa_http_conn_continue(c);
}

void wa_http_answer_stream(struct wa_http_conn *c, const char *content_type, const char *extra)
{
    if (c->answered || c->dead)
        return;
    c->keep_alive = false;
    begin(c, 200, content_type, "no-store");
    if (extra != NULL)
        wa_buf_adds(&c->out.bytes, extra);
    wa_buf_adds(&c->out.bytes, c->head->is_http10 ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
    wa_http_conn_answering(c);
    c->is_stream = true;
    wa_http_conn_continue(c);
}

enum wa_code wa_http_stream_send(struct wa_http_conn *c, struct wa_sv piece, struct wa_err *err)
{
    struct wa_buf *out = &c->out.bytes;
    if (c->dead || !c->is_stream || c->is_last)
        return wa_fail(err, WA_E_NOT_FOUND, "the stream has ended");
    if (piece.n == 0)
        return WA_OK; /* an empty chunk would be the end */
    if (out->n > 0 && out->n + piece.n > WA_HTTP_STREAM_WAITING_MAX)
        return wa_fail(err, WA_E_LIMIT, "the client does not read");
    if (out->n == 0)
        wa_http_conn_answering(c);
    if (!c->head->is_http10)
        wa_buf_addf(out, "%zx\r\n", piece.n);
    wa_buf_addsv(out, piece);
    if (!c->head->is_http10)
        wa_buf_adds(out, "\r\n");
    if (wa_buf_check(out, err) != WA_OK)
        return err->code;
    wa_http_conn_continue(c);
    return WA_OK;
}

void wa_http_stream_end(struct wa_http_conn *c, bool is_whole)
{
    if (c->dead || !c->is_stream || c->is_last)
        return;
    c->is_last = true;
    c->is_told = false;
    if (!is_whole) {
        wa_http_conn_end(c);
        return;
    }
    if (!c->head->is_http10)
        wa_buf_adds(&c->out.bytes, "0\r\n\r\n");
    wa_http_conn_answering(c);
    wa_http_conn_continue(c);
}

void wa_http_answer_cached(struct wa_http_conn *c, const char *content_type, const char *cache,
                           const char *extra)
{
    if (c->answered || c->dead)
        return;
    begin(c, 200, content_type, cache);
    wa_buf_addf(&c->out.bytes, "%sContent-Length: 0\r\n\r\n", extra);
    wa_http_conn_answering(c);
    wa_http_conn_continue(c);
}

void wa_http_err_body(const struct wa_err *err, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "error");
    wa_jw_obj(&w);
    wa_jw_kv(&w, "code", wa_code_name(err->code));
    wa_jw_kv(&w, "message", err->text);
    wa_jw_end(&w);
    wa_jw_end(&w);
}

void wa_http_answer_err(struct wa_http_conn *c, const struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf body;
    wa_buf_init(&body, 8192);
    wa_http_err_body(err, &body);
    wa_http_answer(c, wa_code_http(err->code), "application/json", wa_buf_sv(&body),
                   err->code == WA_E_AUTH ? "WWW-Authenticate: Bearer\r\n" : NULL);
}

/* If-None-Match: a list of tags, or *. Weak and strong tags match alike here. */
static bool tag_matches(struct wa_sv list, const char *etag)
{
    struct wa_sv part;
    while (wa_sv_split(&list, ',', &part)) {
        struct wa_sv tag = wa_sv_trim(part);
        if (wa_sv_starts(tag, "W/"))
            tag = wa_sv_sub(tag, 2, tag.n);
        if (wa_sv_eqs(tag, "*") || wa_sv_eqs(tag, etag))
            return true;
    }
    return false;
}

/* A range is honoured when no condition speaks against it. */
static bool range_holds(const struct wa_http_head *head, const char *etag, const char *modified)
{
    struct wa_sv condition = wa_http_get(head, "if-range");
    return condition.n == 0 || wa_sv_eqs(condition, etag) || wa_sv_eqs(condition, modified);
}

/* The client has it already. Dates are compared as texts: we sent the one it sends back. */
static bool is_fresh(const struct wa_http_head *head, const char *etag, const char *modified)
{
    struct wa_sv tags = wa_http_get(head, "if-none-match");
    if (head->method != WA_HTTP_GET && head->method != WA_HTTP_HEAD)
        return false;
    return tags.p != NULL ? tag_matches(tags, etag)
                          : wa_sv_eqs(wa_http_get(head, "if-modified-since"), modified);
}

struct piece {
    uint64_t size, first, count; /* bytes; first and count of what is sent */
    int status;
};

static struct piece choose(const struct wa_http_head *head, uint64_t size, const char *etag,
                           const char *modified)
{
    struct piece p = {size, 0, size, 200};
    bool bad = false;
    if (is_fresh(head, etag, modified))
        p.status = 304;
    else if (head->method == WA_HTTP_GET && range_holds(head, etag, modified) &&
             wa_http_range(wa_http_get(head, "range"), size, &p.first, &p.count, &bad))
        p.status = 206;
    else if (bad)
        p.status = 416;
    return p;
}

static void add_range(struct wa_buf *out, const struct piece *p)
{
    if (p->status == 206)
        wa_buf_addf(out, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)p->first,
                    (unsigned long long)(p->first + p->count - 1), (unsigned long long)p->size);
    if (p->status == 416)
        wa_buf_addf(out, "Content-Range: bytes */%llu\r\n", (unsigned long long)p->size);
    if (p->status != 304)
        wa_buf_addf(out, "Content-Length: %llu\r\n",
                    p->status == 416 ? 0ull : (unsigned long long)p->count);
}

void wa_http_answer_file(struct wa_http_conn *c, int fd, const char *content_type, const char *etag,
                         const char *cache)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_stat st;
    char tag[160], modified[WA_DATE_MAX];
    if (c->answered || c->dead) {
        wa_fd_close(&fd);
        return;
    }
    if (wa_fd_stat(fd, &st, &err) == WA_OK && !st.is_file)
        (void)wa_fail(&err, WA_E_NOT_FOUND, "not a file");
    if (err.code != WA_OK) {
        wa_fd_close(&fd);
        wa_http_answer_err(c, &err);
        return;
    }
    if (etag != NULL)
        (void)snprintf(tag, sizeof tag, "\"%.120s\"", etag);
    else
        (void)snprintf(tag, sizeof tag, "\"%llx-%llx-%x-%llx\"", (unsigned long long)st.inode,
                       (unsigned long long)st.mtime, (unsigned)st.mtime_ns,
                       (unsigned long long)st.size);
    wa_date_http(st.mtime, modified);
    struct piece p = choose(c->head, st.size, tag, modified);
    begin(c, p.status, p.status == 200 || p.status == 206 ? content_type : NULL,
          cache != NULL ? cache : "no-cache");
    wa_buf_addf(&c->out.bytes, "ETag: %s\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n", tag,
                modified);
    add_range(&c->out.bytes, &p);
    wa_buf_adds(&c->out.bytes, "\r\n");
    if ((p.status == 200 || p.status == 206) && c->head->method != WA_HTTP_HEAD) {
        c->file_fd = fd;
        c->file_at = p.first;
        c->file_left = p.count;
    } else {
        wa_fd_close(&fd);
    }
    wa_http_conn_answering(c);
    wa_http_conn_continue(c);
}
