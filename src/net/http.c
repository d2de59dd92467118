/* http.c - llhttp made strict. What two parsers could read differently is refused before or after
 * llhttp sees it: a proxy in front of us must never see other requests than we do.
 *
 * One message at a time: the parser stops behind each, so that the next head is looked at from its
 * first byte. Views given to the owner stay valid until the next message begins: after the head,
 * nothing is added to the text they point into.
 */
#include "net/http.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "codec/url.h"

#include <llhttp.h>

struct span {
    size_t at, n;
};

struct wa_http_parser {
    llhttp_t ll;
    struct wa_http_events ev;
    void *user;
    bool of_requests;
    struct wa_buf text; /* url and headers, one after another */
    struct wa_buf path;
    struct span url, names[WA_HTTP_HEADERS_MAX], values[WA_HTTP_HEADERS_MAX];
    size_t count;
    bool is_chunked, in_name, in_head, in_first_line, scanned, done, upgraded, no_body;
    size_t head_bytes;
    unsigned char last[2]; /* of the head, for the scan of line ends; [1] is the latest */
    struct wa_http_head head;
    struct wa_err err;
};

/* --- what llhttp tells --- */

static int stop(struct wa_http_parser *p, enum wa_code code, const char *why)
{
    if (p->err.code == WA_OK)
        (void)wa_fail(&p->err, code, "%s", why);
    return HPE_USER;
}

static int no_memory(struct wa_http_parser *p)
{
    (void)wa_nomem(&p->err);
    return HPE_USER;
}

static int keep(struct wa_http_parser *p, const char *at, size_t n)
{
    wa_buf_add(&p->text, at, n);
    if (p->text.failed == WA_E_NOMEM)
        return no_memory(p);
    return p->text.failed == WA_OK ? 0 : stop(p, WA_E_LIMIT, "a head that is too large");
}

static int on_begin(llhttp_t *ll)
{
    struct wa_http_parser *p = ll->data;
    wa_buf_clear(&p->text);
    wa_buf_clear(&p->path);
    p->url = (struct span){0, 0};
    p->count = 0;
    p->in_name = p->is_chunked = false;
    p->head = (struct wa_http_head){.status = 0};
    return 0;
}

static int on_url(llhttp_t *ll, const char *at, size_t n)
{
    struct wa_http_parser *p = ll->data;
    p->url.n += n;
    return keep(p, at, n);
}

static int on_field(llhttp_t *ll, const char *at, size_t n)
{
    struct wa_http_parser *p = ll->data;
    if (!p->in_head) /* behind a chunked body: would be taken for headers by some */
        return stop(p, WA_E_INVALID, "trailer fields are not taken");
    if (!p->in_name) {
        if (p->count == WA_HTTP_HEADERS_MAX)
            return stop(p, WA_E_LIMIT, "too many headers");
        p->names[p->count] = (struct span){p->text.n, 0};
        p->values[p->count] = (struct span){0, 0};
        p->count++;
        p->in_name = true;
    }
    p->names[p->count - 1].n += n;
    return keep(p, at, n);
}

/* Said for every header, be its value empty: no name can grow into the next one. */
static int on_field_complete(llhttp_t *ll)
{
    struct wa_http_parser *p = ll->data;
    if (!p->in_head)
        return stop(p, WA_E_INVALID, "trailer fields are not taken");
    if (!p->in_name)
        return stop(p, WA_E_INVALID, "a header without a name");
    p->in_name = false;
    p->values[p->count - 1] = (struct span){p->text.n, 0};
    return 0;
}

static int on_chunk_extension(llhttp_t *ll, const char *at, size_t n)
{
    WA_UNUSED(at);
    WA_UNUSED(n);
    return stop(ll->data, WA_E_INVALID, "chunk extensions are not taken");
}

static int on_value(llhttp_t *ll, const char *at, size_t n)
{
    struct wa_http_parser *p = ll->data;
    if (p->count == 0 || p->in_name)
        return stop(p, WA_E_INVALID, "a header without a name");
    p->values[p->count - 1].n += n;
    return keep(p, at, n);
}

static struct wa_sv view(const struct wa_http_parser *p, struct span s)
{
    return s.n == 0 ? WA_SV("") : wa_sv_n(p->text.p + s.at, s.n);
}

/* --- judging a head --- */

static const char *check_lengths(struct wa_http_parser *p)
{
    size_t lengths = 0, codings = 0;
    for (size_t i = 0; i < p->count; i++) {
        struct wa_sv name = view(p, p->names[i]), value = wa_sv_trim(view(p, p->values[i]));
        if (wa_sv_ieqs(name, "content-length")) {
            if (++lengths > 1 || !wa_sv_u64(value, &p->head.length))
                return "more than one Content-Length, or one that is no number";
            p->head.has_length = true;
        } else if (wa_sv_ieqs(name, "transfer-encoding")) {
            if (++codings > 1 || !wa_sv_ieqs(value, "chunked"))
                return "a Transfer-Encoding that is not chunked";
        }
    }
    if (codings > 0 && p->ll.http_minor == 0)
        return "a Transfer-Encoding in HTTP/1.0";
    p->is_chunked = codings > 0;
    return lengths > 0 && codings > 0 ? "Transfer-Encoding together with Content-Length" : NULL;
}

/* Exactly one (RFC 9112, 3.2). */
static const char *check_host(const struct wa_http_parser *p)
{
    size_t hosts = 0;
    for (size_t i = 0; i < p->count; i++)
        hosts += wa_sv_ieqs(view(p, p->names[i]), "host") ? 1 : 0;
    return hosts == 1 || (hosts == 0 && p->ll.http_minor == 0) ? NULL : "no Host, or more than one";
}

/* A control character in a value: llhttp lets none through today; it is cheap not to rely on it. */
static const char *check_values(const struct wa_http_parser *p)
{
    for (size_t i = 0; i < p->text.n; i++) {
        unsigned char c = (unsigned char)p->text.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return "a control character";
    }
    return NULL;
}

/* Visible ASCII; no fragment, nor what a browser or a file system would take for a slash. */
static bool is_plain_url(struct wa_sv url)
{
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= 0x20 || url.p[i] >= 0x7f || url.p[i] == '#' || url.p[i] == '\\')
            return false;
    return true;
}

/* "/a/b%20c?q" -> decoded path and raw query. Nothing that a file system or a route could read
 * otherwise. */
static const char *check_target(struct wa_http_parser *p)
{
    struct wa_sv url = view(p, p->url), rest, part;
    struct wa_err err = WA_ERR_INIT;
    size_t mark = url.n;
    if (url.n == 0 || url.p[0] != '/' || !is_plain_url(url))
        return "a target that is not a path";
    if (wa_sv_chr(url, '?', &mark))
        p->head.query = wa_sv_sub(url, mark + 1, url.n);
    if (wa_url_decode(wa_sv_n(url.p, mark), false, &p->path, &err) != WA_OK ||
        wa_buf_check(&p->path, &err) != WA_OK) {
        if (err.code == WA_E_NOMEM)
            p->err = err;
        return "a path that is not well encoded";
    }
    p->head.path = wa_buf_sv(&p->path);
    if (!wa_utf8_valid(p->head.path))
        return "a path that is not UTF-8";
    rest = wa_sv_sub(p->head.path, 1, p->head.path.n);
    while (wa_sv_split(&rest, '/', &part)) {
        bool last_empty = part.n == 0 && rest.p == NULL;
        if ((part.n == 0 && !last_empty) || wa_sv_eqs(part, ".") || wa_sv_eqs(part, ".."))
            return "a path with an empty or dotted part";
        for (size_t i = 0; i < part.n; i++)
            if ((unsigned char)part.p[i] < 0x20 || part.p[i] == 0x7f || part.p[i] == '\\')
                return "a path with strange characters";
    }
    return NULL;
}

static const char *check_method(struct wa_http_parser *p)
{
    switch (llhttp_get_method(&p->ll)) {
    case HTTP_GET:
        p->head.method = WA_HTTP_GET;
        return NULL;
    case HTTP_HEAD:
        p->head.method = WA_HTTP_HEAD;
        return NULL;
    case HTTP_POST:
        p->head.method = WA_HTTP_POST;
        return NULL;
    case HTTP_PUT:
        p->head.method = WA_HTTP_PUT;
        return NULL;
    case HTTP_DELETE:
        p->head.method = WA_HTTP_DELETE;
        return NULL;
    default:
        return "a method that is not served";
    }
}

static const char *check_request(struct wa_http_parser *p)
{
    const char *fault = check_method(p);
    if (p->ll.http_major != 1 || p->ll.http_minor > 1)
        fault = "a version that is not HTTP/1.0 or 1.1";
    if (fault == NULL)
        fault = check_host(p);
    if (fault == NULL)
        fault = check_target(p);
    if (fault != NULL || p->ll.upgrade == 0)
        return fault;
    if (p->is_chunked || p->head.length > 0)
        return "an upgrade with a body";
    p->head.is_upgrade =
        p->head.method == WA_HTTP_GET && wa_sv_ieqs(wa_http_get(&p->head, "upgrade"), "websocket");
    return p->head.is_upgrade ? NULL : "an upgrade to something else than a WebSocket";
}

/* The client's side. Interim answers and "No Content" have no content, and may not say that they
 * have (RFC 9110, 8.6; RFC 9112, 6.1): two readers would not agree where the next answer begins. */
static const char *check_answer(struct wa_http_parser *p)
{
    int status = p->head.status;
    bool is_empty = (status >= 100 && status < 200) || status == 204;
    p->head.is_upgrade = status == 101;
    if (status < 100 || status > 999)
        return "a status that is none";
    return is_empty && (p->is_chunked || p->head.length > 0) ? "a body where there can be none"
                                                             : NULL;
}

static int on_headers(llhttp_t *ll)
{
    struct wa_http_parser *p = ll->data;
    p->in_head = false;
    p->head.status = p->of_requests ? 0 : llhttp_get_status_code(ll);
    bool is_skipped = !p->of_requests && (p->no_body || p->head.status == 304);
    if (is_skipped)
        ll->flags |= F_SKIPBODY;
    const char *fault = p->scanned ? check_values(p) : "a head without an end";
    if (fault == NULL)
        fault = check_lengths(p);
    for (size_t i = 0; i < p->count; i++)
        p->head.headers[i] =
            (struct wa_http_header){view(p, p->names[i]), wa_sv_trim(view(p, p->values[i]))};
    p->head.header_count = p->count;
    p->head.is_http10 = ll->http_minor == 0;
    p->head.keep_alive = llhttp_should_keep_alive(ll) == 1 && ll->http_minor > 0;
    p->head.has_body = !is_skipped && (p->is_chunked || p->head.length > 0 ||
                                       (!p->of_requests && llhttp_message_needs_eof(ll)));
    if (fault == NULL)
        fault = p->of_requests ? check_request(p) : check_answer(p);
    if (fault != NULL)
        return stop(p, WA_E_INVALID, fault);
    if (p->ev.on_head(p->user, &p->head, &p->err) != WA_OK)
        return HPE_USER;
    if (is_skipped)
        p->is_chunked = false; /* no last chunk will end it */
    p->upgraded = p->head.is_upgrade;
    return p->upgraded ? 2 : is_skipped ? 1 : 0;
}

static int on_body(llhttp_t *ll, const char *at, size_t n)
{
    struct wa_http_parser *p = ll->data;
    return p->ev.on_body(p->user, at, n, &p->err) == WA_OK ? 0 : HPE_USER;
}

/* The owner hears of it only when the message's last bytes have been looked at. */
static int on_complete(llhttp_t *ll)
{
    struct wa_http_parser *p = ll->data;
    p->done = true;
    return p->upgraded ? 0 : HPE_PAUSED;
}

enum wa_code wa_http_parser_new(bool of_requests, const struct wa_http_events *events, void *user,
                                struct wa_http_parser **ret, struct wa_err *err)
{
    static const llhttp_settings_t settings = {
        .on_message_begin = on_begin,
        .on_url = on_url,
        .on_header_field = on_field,
        .on_header_field_complete = on_field_complete,
        .on_header_value = on_value,
        .on_chunk_extension_name = on_chunk_extension,
        .on_headers_complete = on_headers,
        .on_body = on_body,
        .on_message_complete = on_complete,
    };
    struct wa_http_parser *p = wa_calloc(1, sizeof *p);
    if (p == NULL)
        return wa_nomem(err);
    llhttp_init(&p->ll, of_requests ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
    p->ll.data = p;
    p->ev = *events;
    p->user = user;
    p->of_requests = of_requests;
    p->in_head = p->in_first_line = true;
    wa_buf_init(&p->text, WA_HTTP_HEAD_MAX);
    wa_buf_init(&p->path, WA_HTTP_HEAD_MAX);
    *ret = p;
    return WA_OK;
}

void wa_http_parser_free(struct wa_http_parser *p)
{
    if (p == NULL)
        return;
    wa_buf_fini_secret(&p->text); /* credentials */
    wa_buf_fini(&p->path);
    wa_free(p);
}

/* What llhttp lets pass between two bytes of a head: line ends other than CR LF, continuation
 * lines, lines without a name, more than one space in the first line, NUL, anything before the
 * first line. */
static bool is_strange(const struct wa_http_parser *p, unsigned char before, unsigned char c)
{
    if (c == '\0' || (c == '\n') != (before == '\r'))
        return true;
    if (p->head_bytes == 0)
        return c == '\r' || c == ' ' || c == '\t';
    if (before == '\n')
        return c == ' ' || c == '\t' || c == ':';
    return p->in_first_line && before == ' ' && (c == ' ' || c == '\r');
}

/* Looks at what belongs to the head, its blank line included. */
static enum wa_code scan_head(struct wa_http_parser *p, const unsigned char *b, size_t n,
                              struct wa_err *err)
{
    for (size_t i = 0; i < n && !p->scanned; i++) {
        unsigned char before = p->last[1];
        if (is_strange(p, before, b[i]))
            return wa_fail(err, WA_E_INVALID, "a head with strange line ends, blanks or a NUL");
        if (++p->head_bytes > WA_HTTP_HEAD_MAX)
            return wa_fail(err, WA_E_LIMIT, "a head of more than %u bytes", WA_HTTP_HEAD_MAX);
        p->scanned = p->last[0] == '\n' && before == '\r';
        p->in_first_line = p->in_first_line && b[i] != '\n';
        p->last[0] = before;
        p->last[1] = b[i];
    }
    return WA_OK;
}

/* llhttp takes a bare LF behind the last chunk. */
static enum wa_code check_end(const struct wa_http_parser *p, const char *b, size_t n,
                              struct wa_err *err)
{
    char before = n > 1 ? b[n - 2] : (char)p->last[1];
    if (p->is_chunked && (n == 0 || b[n - 1] != '\n' || before != '\r'))
        return wa_fail(err, WA_E_INVALID, "a body with a strange end");
    return WA_OK;
}

static enum wa_code execute(struct wa_http_parser *p, const char *b, size_t n, size_t *ret_used,
                            struct wa_err *err)
{
    llhttp_errno_t rc = llhttp_execute(&p->ll, b, n);
    if (rc == HPE_OK) {
        p->last[1] = (unsigned char)b[n - 1];
        *ret_used = n;
        return WA_OK;
    }
    if (p->done && (rc == HPE_PAUSED || rc == HPE_PAUSED_UPGRADE)) {
        *ret_used = (size_t)(llhttp_get_error_pos(&p->ll) - b);
        if (check_end(p, b, *ret_used, err) != WA_OK)
            return err->code;
        return p->ev.on_done(p->user, err);
    }
    if (p->err.code != WA_OK) {
        *err = p->err;
        return err->code;
    }
    const char *reason = llhttp_get_error_reason(&p->ll);
    return wa_fail(err, WA_E_INVALID, "not HTTP: %s", reason != NULL ? reason : "?");
}

enum wa_code wa_http_parse(struct wa_http_parser *p, const void *bytes, size_t n, size_t *ret_used,
                           struct wa_err *err)
{
    *ret_used = 0;
    if (p->err.code != WA_OK) { /* once lost, never found again */
        *err = p->err;
        return err->code;
    }
    if (p->done || n == 0)
        return WA_OK;
    if ((p->in_head && scan_head(p, bytes, n, err) != WA_OK) ||
        execute(p, bytes, n, ret_used, err) != WA_OK) {
        p->err = *err;
        return err->code;
    }
    return WA_OK;
}

enum wa_code wa_http_parse_end(struct wa_http_parser *p, struct wa_err *err)
{
    if (p->err.code == WA_OK && (p->done || (p->in_head && p->head_bytes == 0)))
        return WA_OK;
    /* The body of an answer without a length ends here. */
    if (p->err.code == WA_OK && (llhttp_finish(&p->ll) == HPE_OK || p->done) && p->done)
        return p->ev.on_done(p->user, err);
    return wa_fail(err, WA_E_INVALID, "the connection ended in the middle of a message");
}

void wa_http_resume(struct wa_http_parser *p)
{
    if (llhttp_get_errno(&p->ll) == HPE_PAUSED)
        llhttp_resume(&p->ll);
    p->done = p->upgraded = false;
    p->in_head = p->in_first_line = true;
    p->scanned = false;
    p->head_bytes = 0;
    p->last[0] = p->last[1] = 0;
}

void wa_http_expect_no_body(struct wa_http_parser *p)
{
    p->no_body = true;
}
