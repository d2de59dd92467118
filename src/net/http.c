/* http.c - llhttp made strict. What two parsers could read differently is refused before or after
 * llhttp sees it.
 *
 * One message at a time: the parser stops behind each, so that the next head is looked at from its
 * first byte.
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
    bool in_value, in_head, scanned, done, upgraded;
    size_t head_bytes;
    unsigned char last[2]; /* of the head, for the scan of line ends */
    struct wa_http_head head;
    struct wa_err err;
};

const char *wa_http_method_name(enum wa_http_method m)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    return names[m];
}

const char *wa_http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {{200, "OK"},
                 {201, "Created"},
                 {202, "Accepted"},
                 {204, "No Content"},
                 {206, "Partial Content"},
                 {304, "Not Modified"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {409, "Conflict"},
                 {411, "Length Required"},
                 {413, "Content Too Large"},
                 {416, "Range Not Satisfiable"},
                 {429, "Too Many Requests"},
                 {500, "Internal Server Error"},
                 {503, "Service Unavailable"},
                 {504, "Gateway Timeout"},
                 {507, "Insufficient Storage"}};
    for (size_t i = 0; i < WA_COUNT(texts); i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "Status";
}

struct wa_sv wa_http_get(const struct wa_http_head *h, const char *name)
{
    for (size_t i = 0; i < h->header_count; i++)
        if (wa_sv_ieqs(h->headers[i].name, name))
            return h->headers[i].value;
    return (struct wa_sv){NULL, 0};
}

/* --- what llhttp tells --- */

static int stop(struct wa_http_parser *p, enum wa_code code, const char *why)
{
    if (p->err.code == WA_OK)
        (void)wa_fail(&p->err, code, "%s", why);
    return HPE_USER;
}

static int keep(struct wa_http_parser *p, const char *at, size_t n)
{
    wa_buf_add(&p->text, at, n);
    return p->text.failed == WA_OK ? 0 : stop(p, p->text.failed, "a head that is too large");
}

static int on_begin(llhttp_t *ll)
{
    struct wa_http_parser *p = ll->data;
    wa_buf_clear(&p->text);
    wa_buf_clear(&p->path);
    p->url = (struct span){0, 0};
    p->count = 0;
    p->in_value = true;
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
    if (p->in_value) {
        if (p->count == WA_HTTP_HEADERS_MAX)
            return stop(p, WA_E_LIMIT, "too many headers");
        p->names[p->count] = (struct span){p->text.n, 0};
        p->values[p->count] = (struct span){0, 0};
        p->count++;
        p->in_value = false;
    }
    p->names[p->count - 1].n += n;
    return keep(p, at, n);
}

static int on_value(llhttp_t *ll, const char *at, size_t n)
{
    struct wa_http_parser *p = ll->data;
    if (p->count == 0)
        return stop(p, WA_E_INVALID, "a header without a name");
    if (!p->in_value)
        p->values[p->count - 1] = (struct span){p->text.n, 0};
    p->in_value = true;
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
    return lengths > 0 && codings > 0 ? "Transfer-Encoding together with Content-Length" : NULL;
}

/* "/a/b%20c?q" -> decoded path and raw query. Nothing that a file system or a route could read
 * otherwise. */
static const char *check_target(struct wa_http_parser *p)
{
    struct wa_sv url = view(p, p->url), rest, part;
    struct wa_err err = WA_ERR_INIT;
    size_t mark = url.n;
    if (url.n == 0 || url.p[0] != '/')
        return "a target that is not a path";
    if (wa_sv_chr(url, '?', &mark))
        p->head.query = wa_sv_sub(url, mark + 1, url.n);
    if (wa_url_decode(wa_sv_n(url.p, mark), false, &p->path, &err) != WA_OK ||
        p->path.failed != WA_OK)
        return "a path that is not well encoded";
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
        fault = check_target(p);
    if (fault != NULL || p->ll.upgrade == 0)
        return fault;
    p->head.is_upgrade =
        p->head.method == WA_HTTP_GET && wa_sv_ieqs(wa_http_get(&p->head, "upgrade"), "websocket");
    return p->head.is_upgrade ? NULL : "an upgrade to something else than a WebSocket";
}

static int on_headers(llhttp_t *ll)
{
    struct wa_http_parser *p = ll->data;
    p->in_head = false;
    const char *fault = check_lengths(p);
    for (size_t i = 0; i < p->count; i++)
        p->head.headers[i] =
            (struct wa_http_header){view(p, p->names[i]), wa_sv_trim(view(p, p->values[i]))};
    p->head.header_count = p->count;
    p->head.keep_alive = llhttp_should_keep_alive(ll) == 1;
    if (fault == NULL && p->of_requests)
        fault = check_request(p);
    p->head.status = p->of_requests ? 0 : llhttp_get_status_code(ll);
    p->head.is_upgrade = p->of_requests ? p->head.is_upgrade : p->head.status == 101;
    if (fault != NULL)
        return stop(p, WA_E_INVALID, fault);
    if (p->ev.on_head(p->user, &p->head, &p->err) != WA_OK)
        return HPE_USER;
    p->upgraded = p->head.is_upgrade;
    return p->upgraded ? 2 : 0;
}

static int on_body(llhttp_t *ll, const char *at, size_t n)
{
    struct wa_http_parser *p = ll->data;
    return p->ev.on_body(p->user, at, n, &p->err) == WA_OK ? 0 : HPE_USER;
}

static int on_complete(llhttp_t *ll)
{
    struct wa_http_parser *p = ll->data;
    if (p->ev.on_done(p->user, &p->err) != WA_OK)
        return HPE_USER;
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
        .on_header_value = on_value,
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
    p->in_head = true;
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

/* Line ends of the head: CR LF only, no continuation lines, no NUL. Looks at what belongs to the
 * head, up to its blank line. */
static enum wa_code scan_head(struct wa_http_parser *p, const unsigned char *b, size_t n,
                              struct wa_err *err)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char before = p->last[1], c = b[i];
        if (c == '\0' || (c == '\n') != (before == '\r') ||
            (before == '\n' && (c == ' ' || c == '\t')))
            return wa_fail(err, WA_E_INVALID, "a head with strange line ends or a NUL");
        if (++p->head_bytes > WA_HTTP_HEAD_MAX)
            return wa_fail(err, WA_E_LIMIT, "a head of more than %u bytes", WA_HTTP_HEAD_MAX);
        bool blank =
            c == '\r' && before == '\n'; /* the blank line begins: what follows may be body */
        p->last[0] = p->last[1];
        p->last[1] = c;
        if (blank) {
            p->scanned = true;
            return WA_OK;
        }
    }
    return WA_OK;
}

enum wa_code wa_http_parse(struct wa_http_parser *p, const void *bytes, size_t n, size_t *ret_used,
                           struct wa_err *err)
{
    *ret_used = 0;
    if (p->done || n == 0)
        return WA_OK;
    if (p->in_head && !p->scanned && scan_head(p, bytes, n, err) != WA_OK)
        return err->code;
    llhttp_errno_t rc = llhttp_execute(&p->ll, bytes, n);
    if (rc == HPE_OK) {
        *ret_used = n;
        return WA_OK;
    }
    if (rc == HPE_PAUSED || rc == HPE_PAUSED_UPGRADE) {
        *ret_used = (size_t)(llhttp_get_error_pos(&p->ll) - (const char *)bytes);
        return WA_OK;
    }
    if (p->err.code != WA_OK) {
        *err = p->err;
        return err->code;
    }
    return wa_fail(err, WA_E_INVALID, "not HTTP: %s",
                   llhttp_get_error_reason(&p->ll) != NULL ? llhttp_get_error_reason(&p->ll) : "?");
}

enum wa_code wa_http_parse_end(struct wa_http_parser *p, struct wa_err *err)
{
    if (p->done || (p->in_head && p->head_bytes == 0))
        return WA_OK;
    if (llhttp_finish(&p->ll) != HPE_OK)
        return wa_fail(err, WA_E_INVALID, "the connection ended in the middle of a message");
    return WA_OK;
}

void wa_http_pause(struct wa_http_parser *p)
{
    p->done = true;
}

void wa_http_resume(struct wa_http_parser *p)
{
    if (llhttp_get_errno(&p->ll) == HPE_PAUSED)
        llhttp_resume(&p->ll);
    p->done = p->upgraded = false;
    p->in_head = true;
    p->scanned = false;
    p->head_bytes = 0;
    p->last[0] = p->last[1] = 0;
}

/* --- ranges --- */

bool wa_http_range(struct wa_sv value, uint64_t size, uint64_t *ret_first, uint64_t *ret_count,
                   bool *ret_unsatisfiable)
{
    uint64_t first = 0, last = 0;
    size_t dash;
    *ret_unsatisfiable = false;
    if (!wa_sv_starts(value, "bytes="))
        return false;
    struct wa_sv spec = wa_sv_sub(value, 6, value.n);
    if (!wa_sv_chr(spec, '-', &dash))
        return false;
    struct wa_sv low = wa_sv_sub(spec, 0, dash), high = wa_sv_sub(spec, dash + 1, spec.n);
    if (low.n == 0) { /* the last so many bytes */
        if (!wa_sv_u64(high, &last))
            return false;
        *ret_unsatisfiable = last == 0 || size == 0;
        first = last >= size ? 0 : size - last;
        last = size == 0 ? 0 : size - 1;
    } else {
        if (!wa_sv_u64(low, &first) || (high.n > 0 && (!wa_sv_u64(high, &last) || last < first)))
            return false;
        *ret_unsatisfiable = first >= size;
        if (high.n == 0 || last >= size)
            last = size == 0 ? 0 : size - 1;
    }
    if (*ret_unsatisfiable)
        return false;
    *ret_first = first;
    *ret_count = last - first + 1;
    return true;
}
