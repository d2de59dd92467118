/* http_exchange.c - see http_exchange.h. Sending and hearing go on at the same time: a server that
 * has heard enough says so before a large body is through.
 */
#include "net/http_exchange.h"

#include "net/pace.h"
#include "os/clock.h"

#define PIECE 16384u
#define HEAD_MAX (48u << 10)

struct exchange {
    struct wa_line *line;
    const struct wa_http_request *q;
    struct wa_sink *sink;
    struct wa_http_result *result;
    struct wa_http_outcome *outcome;
    struct wa_http_parser *parser;
    struct wa_pace pace;
    struct wa_buf out; /* what is being sent: the head, then pieces of the body */
    size_t out_at;
    uint64_t body_at, sent, heard;             /* bytes; sent and heard: with the heads */
    uint64_t length;                           /* of the answer's body, 0: it does not say */
    uint64_t free_us;                          /* when the next piece may come */
    bool is_sent, is_between, is_whole, keeps; /* is_between: behind an interim answer */
    bool is_ours;                              /* the failure is not the server's */
    unsigned interims;
};

/* --- the request --- */

static bool may_have_body(const char *method)
{
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 &&
           strcmp(method, "CONNECT") != 0;
}

static enum wa_code write_head(struct exchange *x, const struct wa_url *url, struct wa_err *err)
{
    const struct wa_http_request *q = x->q;
    bool is_v6 = strchr(url->host, ':') != NULL;
    wa_buf_addf(&x->out, "%s %s HTTP/1.1\r\nHost: %s%s%s", q->method, q->path, is_v6 ? "[" : "",
                url->host, is_v6 ? "]" : "");
    if (url->port != (url->is_https ? 443 : 80))
        wa_buf_addf(&x->out, ":%u", (unsigned)url->port);
    wa_buf_adds(&x->out, "\r\nUser-Agent: wapt/" WA_VERSION "\r\n");
    if (q->closes)
        wa_buf_adds(&x->out, "Connection: close\r\n");
    if (q->body != NULL || may_have_body(q->method))
        wa_buf_addf(&x->out, "Content-Length: %llu\r\n",
                    (unsigned long long)(q->body != NULL ? q->body->size : 0));
    if (q->resume_from > 0)
        wa_buf_addf(&x->out, "Range: bytes=%llu-\r\n", (unsigned long long)q->resume_from);
    wa_buf_addf(&x->out, "%s\r\n", q->headers != NULL ? q->headers : "");
    return wa_buf_check(&x->out, err);
}

/* The next piece of the body, when the one before is through. */
static enum wa_code fill(struct exchange *x, struct wa_err *err)
{
    struct wa_source *body = x->q->body;
    uint64_t left = body != NULL ? body->size - x->body_at : 0;
    size_t n = left < PIECE ? (size_t)left : PIECE;
    wa_buf_clear(&x->out);
    x->out_at = 0;
    x->is_sent = n == 0;
    if (n == 0)
        return WA_OK;
    void *at = wa_buf_reserve(&x->out, n);
    if (at == NULL)
        return wa_buf_check(&x->out, err);
    if (body->read_at(body, x->body_at, at, n, err) != WA_OK) {
        x->is_ours = true;
        return err->code;
    }
    wa_buf_advance(&x->out, n);
    x->body_at += n;
    return WA_OK;
}

/* A server that closes while it is told something may have said why before. */
static enum wa_code say(struct exchange *x, enum wa_tls_want *ret_want, struct wa_err *err)
{
    size_t n = 0;
    *ret_want = WA_TLS_DONE;
    if (x->out_at == x->out.n && fill(x, err) != WA_OK)
        return err->code;
    if (x->is_sent)
        return WA_OK;
    enum wa_code code =
        wa_line_write(x->line, x->out.p + x->out_at, x->out.n - x->out_at, &n, ret_want, err);
    if (code == WA_E_UNREACHABLE) {
        wa_err_clear(err);
        x->is_sent = true;
        *ret_want = WA_TLS_DONE;
        return WA_OK;
    }
    x->out_at += n;
    x->sent += n;
    x->outcome->was_sent = x->sent > 0;
    return code;
}

static bool was_sent(const struct exchange *x)
{
    return x->out_at == x->out.n && x->body_at == (x->q->body != NULL ? x->q->body->size : 0);
}

/* --- the answer --- */

static enum wa_code too_large(struct exchange *x, struct wa_err *err)
{
    return wa_fail(err, WA_E_LIMIT, "the answer is larger than %llu bytes",
                   (unsigned long long)x->q->max_bytes);
}

static enum wa_code on_head(void *user, const struct wa_http_head *head, struct wa_err *err)
{
    struct exchange *x = user;
    if (head->is_upgrade)
        return wa_fail(err, WA_E_INVALID, "a change of protocols that nobody asked for");
    if (head->status < 200)
        return ++x->interims > WA_HTTP_INTERIM_MAX
                   ? wa_fail(err, WA_E_LIMIT, "more than %u interim answers", WA_HTTP_INTERIM_MAX)
                   : WA_OK;
    x->result->status = head->status;
    for (size_t i = 0; i < head->header_count; i++)
        wa_http_result_take(x->result, head->headers[i].name, head->headers[i].value);
    x->keeps = head->keep_alive;
    x->length = head->has_body ? head->length : 0;
    x->is_whole = x->q->wants_status;
    if (wa_http_result_check(x->result, x->q->resume_from, err) != WA_OK) {
        x->is_ours = true;
        return err->code;
    }
    return x->length > x->q->max_bytes && !x->is_whole ? too_large(x, err) : WA_OK;
}

static enum wa_code on_body(void *user, const void *p, size_t n, struct wa_err *err)
{
    struct exchange *x = user;
    struct wa_http_result *r = x->result;
    if (x->q->wants_status)
        return WA_OK;
    x->is_ours = true; /* whatever fails here */
    if (r->bytes == 0 && x->q->on_answer != NULL && x->q->on_answer(x->q->user, r, err) != WA_OK)
        return err->code;
    if (n > x->q->max_bytes || r->bytes > x->q->max_bytes - n)
        return too_large(x, err);
    r->bytes += n;
    bool is_wanted = x->q->resume_from == 0 || r->resumed;
    if (x->sink != NULL && is_wanted && x->sink->write(x->sink, p, n, err) != WA_OK)
        return err->code;
    x->is_ours = false;
    return WA_OK;
}

static enum wa_code on_done(void *user, struct wa_err *err)
{
    struct exchange *x = user;
    WA_UNUSED(err);
    x->is_whole = x->result->status != 0;
    x->is_between = !x->is_whole;
    return WA_OK;
}

/* The server has closed. */
static enum wa_code end(struct exchange *x, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    x->keeps = false;
    if (x->heard == 0)
        return wa_fail(err, WA_E_UNREACHABLE, "the server closed without an answer");
    if (wa_http_parse_end(x->parser, &why) == WA_OK && x->is_whole)
        return WA_OK;
    return x->result->status == 0
               ? wa_fail(err, WA_E_UNREACHABLE, "the answer was cut off in its header lines")
               : wa_fail(err, WA_E_UNREACHABLE, "the answer was cut off");
}

static enum wa_code read_on(struct exchange *x, const char *piece, size_t n, struct wa_err *err)
{
    size_t at = 0, used = 0;
    for (; at < n && !x->is_whole; at += used) {
        if (wa_http_parse(x->parser, piece + at, n - at, &used, err) != WA_OK) {
            if (err->code != WA_E_INVALID || x->is_ours)
                return err->code;
            struct wa_err why = *err;
            wa_err_clear(err);
            return wa_fail(err, WA_E_UNREACHABLE, "the answer is not to be used: %s", why.text);
        }
        if (x->is_between)
            wa_http_resume(x->parser);
        x->is_between = false;
    }
    x->keeps = x->keeps && at == n; /* whose would the rest be? */
    return WA_OK;
}

static enum wa_code hear(struct exchange *x, enum wa_tls_want *ret_want, struct wa_err *err)
{
    char piece[PIECE];
    size_t n = 0;
    if (wa_line_read(x->line, piece, sizeof piece, &n, ret_want, err) != WA_OK) {
        if (err->code != WA_E_DENIED)
            return err->code;
        wa_err_clear(err);
        return wa_fail(err, WA_E_DENIED, "the server refuses this machine's certificate");
    }
    if (*ret_want != WA_TLS_DONE)
        return WA_OK;
    if (n == 0)
        return end(x, err);
    x->heard += n;
    x->outcome->was_heard = true;
    return read_on(x, piece, n, err);
}

/* --- both --- */

static enum wa_code goes_on(void *user, struct wa_err *err)
{
    struct exchange *x = user;
    if (wa_pace_check(&x->pace, x->sent + x->heard, err) != WA_OK)
        return err->code;
    if (x->q->progress == NULL)
        return WA_OK;
    bool is_up = x->q->body != NULL && !x->is_sent;
    uint64_t done = x->q->resume_from + x->result->bytes;
    uint64_t all = x->length > 0 ? x->q->resume_from + x->length : 0;
    if (is_up) {
        done = x->body_at - (x->out.n - x->out_at);
        all = x->q->body->size;
    }
    return x->q->progress(x->q->user, done, all)
               ? WA_OK
               : wa_fail(err, WA_E_CANCELLED, "the transfer was cancelled");
}

/* in, out: what reading and writing wait for; DONE: that moved, or has nothing to do. */
static enum wa_code wait_for(struct exchange *x, struct wa_patience *p, enum wa_tls_want in,
                             enum wa_tls_want out, struct wa_err *err)
{
    struct wa_pipe_wait list[] = {
        {.fd = x->line->fd, .to_write = in == WA_TLS_WANT_WRITE},
        {.fd = out == WA_TLS_DONE ? -1 : x->line->fd, .to_write = out == WA_TLS_WANT_WRITE}};
    size_t ready = 0;
    return wa_patience_wait(p, list, WA_COUNT(list), -1, &ready, err);
}

/* Until the piece that came before has had its time. */
static enum wa_code hold_back(struct exchange *x, struct wa_patience *p, uint64_t heard,
                              struct wa_err *err)
{
    uint64_t rate = x->q->rate_max_bytes_s, now_us = wa_clock_mono_ms() * 1000;
    size_t ready = 0;
    if (rate == 0 || heard == 0 || x->is_whole)
        return WA_OK;
    x->free_us = (x->free_us > now_us ? x->free_us : now_us) + heard * 1000000 / rate;
    return x->free_us - now_us < 1000
               ? WA_OK
               : wa_patience_wait(p, NULL, 0, (int)((x->free_us - now_us) / 1000), &ready, err);
}

static enum wa_code converse(struct exchange *x, struct wa_patience *p, struct wa_err *err)
{
    while (!x->is_whole) {
        enum wa_tls_want in = WA_TLS_DONE, out = WA_TLS_DONE;
        uint64_t before = x->heard;
        if (!x->is_sent && say(x, &out, err) != WA_OK)
            return err->code;
        if (hear(x, &in, err) != WA_OK || (p->goes_on != NULL && goes_on(x, err) != WA_OK))
            return err->code;
        bool has_moved = in == WA_TLS_DONE || (!x->is_sent && out == WA_TLS_DONE);
        if (has_moved && wa_stop_is_pulled(p->stop))
            return wa_fail(err, WA_E_CANCELLED, "it was cancelled");
        if (hold_back(x, p, x->heard - before, err) != WA_OK ||
            (!has_moved && wait_for(x, p, in, out, err) != WA_OK))
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_http_exchange(struct wa_line *line, const struct wa_url *url,
                              const struct wa_http_request *q, struct wa_patience *p,
                              struct wa_sink *sink, struct wa_http_result *ret,
                              struct wa_http_outcome *ret_outcome, struct wa_err *err)
{
    static const struct wa_http_events events = {on_head, on_body, on_done};
    WA_AUTO(wa_http_parser) struct wa_http_parser *parser = NULL;
    struct exchange x = {.line = line, .q = q, .sink = sink, .result = ret, .outcome = ret_outcome};
    *ret = (struct wa_http_result){.status = 0};
    *ret_outcome = (struct wa_http_outcome){.is_clean = false};
    (void)snprintf(ret->certificate, sizeof ret->certificate, "%s", line->certificate);
    if (wa_http_parser_new(false, &events, &x, &parser, err) != WA_OK)
        return err->code;
    x.parser = parser;
    if (strcmp(q->method, "HEAD") == 0 || strcmp(q->method, "CONNECT") == 0)
        wa_http_expect_no_body(parser);
    wa_pace_begin(&x.pace, q->rate_min_bytes_s, q->rate_max_bytes_s, q->rate_window_s);
    p->goes_on = q->progress != NULL || q->rate_min_bytes_s != 0 ? goes_on : NULL;
    p->user = &x;
    wa_buf_init(&x.out, HEAD_MAX);
    enum wa_code code = write_head(&x, url, err);
    if (code == WA_OK)
        code = converse(&x, p, err);
    p->goes_on = NULL;
    ret_outcome->is_clean = code == WA_OK && x.keeps && was_sent(&x) && !q->closes &&
                            !q->wants_status && !line->is_cut && wa_line_is_quiet(line);
    wa_buf_fini_secret(&x.out);
    return code;
}
