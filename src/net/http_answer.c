/* http_answer.c - what the application says to a request: answers, files, bodies. */
#include "net/http_server_priv.h"

#include "base/date.h"
#include "codec/json.h"
#include "os/clock.h"

void wa_http_set_user(struct wa_http_conn *c, void *data)
{
    c->user = data;
}

void *wa_http_user(const struct wa_http_conn *c)
{
    return c->user;
}

const char *wa_http_peer(const struct wa_http_conn *c)
{
    return c->peer;
}

const struct wa_http_head *wa_http_conn_head(const struct wa_http_conn *c)
{
    return c->head;
}

void wa_http_accept_body(struct wa_http_conn *c, size_t max)
{
    c->takes_body = true;
    c->body_max = max;
    wa_buf_fini_secret(&c->body);
    wa_buf_init(&c->body, max);
}

void wa_http_stream_body(struct wa_http_conn *c, uint64_t max, struct wa_sink *sink)
{
    c->body_sink = sink;
    c->body_stream_max = max;
}

/* Status line and headers up to the blank line's place. */
static void begin(struct wa_http_conn *c, int status, const char *content_type, const char *cache)
{
    char date[WA_DATE_MAX];
    wa_date_http(wa_clock_now(), date);
    if (!c->message_done && c->head != NULL && (c->head->has_length ? c->head->length > 0 : true) &&
        !c->message_done)
        c->keep_alive =
            c->keep_alive && c->head->method == WA_HTTP_GET; /* a body may still be on its way */
    wa_buf_addf(&c->out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, wa_http_status_text(status),
                date);
    if (content_type != NULL)
        wa_buf_addf(&c->out, "Content-Type: %s\r\n", content_type);
    wa_buf_addf(&c->out, "Cache-Control: %s\r\nX-Content-Type-Options: nosniff\r\n%s", cache,
                c->keep_alive ? "" : "Connection: close\r\n");
}

void wa_http_answer(struct wa_http_conn *c, int status, const char *content_type, struct wa_sv body,
                    const char *extra)
{
    if (c->answered || c->dead)
        return;
    begin(c, status, content_type, "no-store");
    if (extra != NULL)
        wa_buf_adds(&c->out, extra);
    wa_buf_addf(&c->out, "Content-Length: %zu\r\n\r\n", body.n);
    if (c->head == NULL || c->head->method != WA_HTTP_HEAD)
        wa_buf_addsv(&c->out, body);
    c->answered = true;
    wa_conn_continue(c);
}

void wa_http_answer_err(struct wa_http_conn *c, const struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf body;
    struct wa_jw w;
    wa_buf_init(&body, 8192);
    wa_jw_init(&w, &body);
    wa_jw_obj(&w);
    wa_jw_key(&w, "error");
    wa_jw_obj(&w);
    wa_jw_kv(&w, "code", wa_code_name(err->code));
    wa_jw_kv(&w, "message", err->text);
    wa_jw_end(&w);
    wa_jw_end(&w);
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

void wa_http_answer_file(struct wa_http_conn *c, int fd, const char *content_type, const char *etag)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_stat st;
    char tag[160], modified[WA_DATE_MAX];
    uint64_t first = 0, count;
    bool bad_range = false;
    if (c->answered || c->dead || wa_fd_stat(fd, &st, &err) != WA_OK) {
        wa_fd_close(&fd);
        if (err.code != WA_OK)
            wa_http_answer_err(c, &err);
        return;
    }
    (void)snprintf(tag, sizeof tag, etag != NULL ? "\"%.120s\"" : "\"%s%llx-%llx-%x-%llx\"",
                   etag != NULL ? etag : "", (unsigned long long)st.inode,
                   (unsigned long long)st.mtime, (unsigned)st.mtime_ns,
                   (unsigned long long)st.size);
    wa_date_http(st.mtime, modified);
    bool fresh = tag_matches(wa_http_get(c->head, "if-none-match"), tag);
    bool partial =
        !fresh && range_holds(c->head, tag, modified) &&
        wa_http_range(wa_http_get(c->head, "range"), st.size, &first, &count, &bad_range);
    int status = fresh ? 304 : bad_range ? 416 : partial ? 206 : 200;
    if (!partial) {
        first = 0;
        count = st.size;
    }
    begin(c, status, status == 304 ? NULL : content_type, "no-cache");
    wa_buf_addf(&c->out, "ETag: %s\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n", tag,
                modified);
    if (partial)
        wa_buf_addf(&c->out, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)first,
                    (unsigned long long)(first + count - 1), (unsigned long long)st.size);
    if (bad_range)
        wa_buf_addf(&c->out, "Content-Range: bytes */%llu\r\n", (unsigned long long)st.size);
    bool has_body = (status == 200 || status == 206) && c->head->method != WA_HTTP_HEAD;
    if (status != 304)
        wa_buf_addf(&c->out, "Content-Length: %llu\r\n",
                    status == 416 ? 0ull : (unsigned long long)count);
    wa_buf_adds(&c->out, "\r\n");
    if (has_body) {
        c->file_fd = fd;
        c->file_at = first;
        c->file_left = count;
    } else {
        wa_fd_close(&fd);
    }
    c->answered = true;
    wa_conn_continue(c);
}
