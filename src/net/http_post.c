/* http_post.c - see http_post.h. Every step waits until the deadline of the whole, none longer. */
#include "net/http_post.h"

#include "base/mem.h"
#include "codec/url.h"
#include "net/http.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/pipe.h"
#include "os/socket.h"

#include <errno.h>

#define PIECE 4096u
#define ANSWER_MAX (64u << 10) /* bytes of heads until the one that counts */

struct post {
    const struct wa_http_post *what;
    struct wa_url url;
    struct wa_tls_ctx *ctx;
    struct wa_tls *tls;
    int fd;
    uint64_t deadline_ms;
    int status; /* 0: not known yet */
    bool is_whole;
};

/* --- waiting, bytes --- */

static enum wa_code wait_for(const struct post *p, bool to_write, struct wa_err *err)
{
    for (;;) {
        struct wa_pipe_wait w = {.fd = p->fd, .to_write = to_write};
        uint64_t now = wa_clock_mono_ms();
        size_t ready = 0;
        if (now >= p->deadline_ms)
            return wa_fail(err, WA_E_TIMEOUT, "'%s' does not answer in time", p->url.host);
        if (wa_pipe_wait(&w, 1, (int)(p->deadline_ms - now), &ready, err) != WA_OK)
            return err->code;
        if (ready > 0)
            return WA_OK;
    }
}

static enum wa_code write_all(struct post *p, struct wa_sv rest, struct wa_err *err)
{
    while (rest.n > 0) {
        enum wa_tls_want want = WA_TLS_DONE;
        size_t n = 0;
        if (p->tls != NULL) {
            if (wa_tls_write(p->tls, rest.p, rest.n, &n, &want, err) != WA_OK)
                return err->code;
        } else {
            ptrdiff_t put = wa_socket_write(p->fd, rest.p, rest.n);
            if (put < 0 && errno != EAGAIN)
                return wa_fail_errno(err, errno, "cannot write");
            want = put < 0 ? WA_TLS_WANT_WRITE : WA_TLS_DONE;
            n = put < 0 ? 0 : (size_t)put;
        }
        if (want != WA_TLS_DONE && wait_for(p, want == WA_TLS_WANT_WRITE, err) != WA_OK)
            return err->code;
        rest = wa_sv_sub(rest, n, rest.n);
    }
    return WA_OK;
}

/* *ret_n 0: the other side has closed. */
static enum wa_code read_some(struct post *p, char piece[PIECE], size_t *ret_n, struct wa_err *err)
{
    for (;;) {
        enum wa_tls_want want = WA_TLS_DONE;
        if (p->tls != NULL) {
            if (wa_tls_read(p->tls, piece, PIECE, ret_n, &want, err) != WA_OK)
                return err->code;
        } else {
            ptrdiff_t got = wa_socket_read(p->fd, piece, PIECE);
            if (got < 0 && errno != EAGAIN)
                return wa_fail_errno(err, errno, "cannot read");
            want = got < 0 ? WA_TLS_WANT_READ : WA_TLS_DONE;
            *ret_n = got < 0 ? 0 : (size_t)got;
        }
        if (want == WA_TLS_DONE)
            return WA_OK;
        if (wait_for(p, want == WA_TLS_WANT_WRITE, err) != WA_OK)
            return err->code;
    }
}

/* --- connecting --- */

static enum wa_code connect_one(struct post *p, const struct wa_addresses *a, size_t i,
                                struct wa_err *err)
{
    wa_fd_close(&p->fd);
    p->fd = wa_socket_connect(a, i);
    if (p->fd < 0)
        return wa_fail_errno(err, errno, "cannot reach '%s'", p->url.host);
    if (wait_for(p, true, err) != WA_OK)
        return err->code;
    int failed = wa_socket_outcome(p->fd);
    return failed == 0 ? WA_OK : wa_fail_errno(err, failed, "cannot reach '%s'", p->url.host);
}

static enum wa_code reach(struct post *p, struct wa_err *err)
{
    WA_AUTO(wa_addresses) struct wa_addresses *a = NULL;
    if (wa_addresses_find(p->url.host, p->url.port, &a, err) != WA_OK)
        return err->code;
    uint64_t until = wa_clock_mono_ms() + p->what->timeout_ms;
    enum wa_code code = wa_fail(
        err, WA_E_REFUSED,
        "no address of '%s' may be connected to: all are private (webhook_networks)", p->url.host);
    for (size_t i = 0; i < wa_addresses_count(a) && code != WA_OK; i++) {
        char text[WA_ADDRESS_TEXT_MAX];
        wa_addresses_text(a, i, text);
        if (p->what->may_connect != NULL && !p->what->may_connect(p->what->user, text))
            continue;
        wa_err_clear(err);
        p->deadline_ms = wa_clock_mono_ms() + p->what->timeout_ms / 2; /* some for the next one */
        p->deadline_ms = p->deadline_ms < until ? p->deadline_ms : until;
        code = connect_one(p, a, i, err);
    }
    p->deadline_ms = until;
    return code;
}

static enum wa_code agree(struct post *p, const struct wa_tls_trust *trust, struct wa_err *err)
{
    struct wa_tls_trust whom = *trust;
    enum wa_tls_want want = WA_TLS_WANT_WRITE;
    (void)snprintf(whom.host, sizeof whom.host, "%s", p->url.host);
    if (wa_tls_client_ctx(&whom, &p->ctx, err) != WA_OK ||
        wa_tls_new(p->ctx, p->fd, false, &p->tls, err) != WA_OK)
        return err->code;
    while (want != WA_TLS_DONE)
        if (wa_tls_handshake(p->tls, &want, err) != WA_OK ||
            (want != WA_TLS_DONE && wait_for(p, want == WA_TLS_WANT_WRITE, err) != WA_OK))
            return err->code;
    return WA_OK;
}

/* --- the exchange --- */

static enum wa_code on_head(void *user, const struct wa_http_head *head, struct wa_err *err)
{
    struct post *p = user;
    WA_UNUSED(err);
    if (head->status >= 200)
        p->status = head->status;
    return WA_OK;
}

static enum wa_code on_body(void *user, const void *bytes, size_t n, struct wa_err *err)
{
    struct post *p = user;
    if (p->what->answer == NULL)
        return WA_OK;
    wa_buf_add(p->what->answer, bytes, n);
    return wa_buf_check(p->what->answer, err);
}

static enum wa_code on_done(void *user, struct wa_err *err)
{
    struct post *p = user;
    WA_UNUSED(err);
    p->is_whole = p->status != 0; /* else it was a 1xx */
    return WA_OK;
}

/* All that is wanted has come. */
static bool has_all(const struct post *p)
{
    return p->what->answer == NULL ? p->status != 0 : p->is_whole;
}

static enum wa_code read_answer(struct post *p, struct wa_err *err)
{
    static const struct wa_http_events events = {on_head, on_body, on_done};
    WA_AUTO(wa_http_parser) struct wa_http_parser *parser = NULL;
    char piece[PIECE];
    size_t all = 0, max = ANSWER_MAX + (p->what->answer != NULL ? p->what->answer->max : 0);
    if (wa_http_parser_new(false, &events, p, &parser, err) != WA_OK)
        return err->code;
    while (!has_all(p)) {
        size_t n = 0, used = 0;
        if (read_some(p, piece, &n, err) != WA_OK)
            return err->code;
        all += n;
        if (n == 0 && p->status != 0)
            return wa_http_parse_end(parser, err);
        if (n == 0 || all > max)
            return wa_fail(err, WA_E_INVALID, "'%s' closed without an answer", p->url.host);
        for (size_t at = 0; at < n && !has_all(p); at += used) {
            if (wa_http_parse(parser, piece + at, n - at, &used, err) != WA_OK)
                return err->code;
            wa_http_resume(parser);
        }
    }
    return WA_OK;
}

static enum wa_code send_request(struct post *p, struct wa_err *err)
{
    const struct wa_http_post *what = p->what;
    bool is_v6 = strchr(p->url.host, ':') != NULL;
    WA_AUTO_BUF struct wa_buf head;
    wa_buf_init(&head, 64u << 10);
    wa_buf_addf(&head, "%s %s%s%s HTTP/1.1\r\nHost: %s%s%s",
                what->method != NULL ? what->method : "POST", p->url.path,
                p->url.query[0] != '\0' ? "?" : "", p->url.query, is_v6 ? "[" : "", p->url.host,
                is_v6 ? "]" : "");
    if (p->url.port != (p->url.is_https ? 443 : 80))
        wa_buf_addf(&head, ":%u", (unsigned)p->url.port);
    wa_buf_addf(&head,
                "\r\nUser-Agent: wapt/" WA_VERSION "\r\nConnection: close\r\nContent-Length: "
                "%zu\r\n%s\r\n",
                what->body.n, what->headers);
    if (wa_buf_check(&head, err) != WA_OK || write_all(p, wa_buf_sv(&head), err) != WA_OK)
        return err->code;
    return write_all(p, what->body, err);
}

static void post_fini(struct post *p)
{
    wa_tls_free(p->tls);
    wa_tls_ctx_free(p->ctx);
    wa_fd_close(&p->fd);
}

enum wa_code wa_http_post(const struct wa_http_post *what, const struct wa_tls_trust *trust,
                          int *ret_status, struct wa_err *err)
{
    struct post p = {.what = what, .fd = -1};
    enum wa_code code = wa_url_parse(wa_sv(what->url), &p.url, err);
    if (code == WA_OK && !p.url.is_https && !what->allow_http)
        code = wa_fail(err, WA_E_CONFIG, "'%s' is not https", what->url);
    if (code == WA_OK)
        code = reach(&p, err);
    if (code == WA_OK && p.url.is_https)
        code = agree(&p, trust, err);
    if (code == WA_OK)
        code = send_request(&p, err);
    if (code == WA_OK)
        code = read_answer(&p, err);
    if (code == WA_OK)
        *ret_status = p.status;
    post_fini(&p);
    return code;
}
