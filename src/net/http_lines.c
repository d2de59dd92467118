/* http_lines.c - see http_lines.h. The latest that was used is the next to be: the others age. */
#include "net/http_lines.h"

#include "base/mem.h"
#include "os/clock.h"
#include "os/thread.h"

#define PATH_BYTES (32u << 10) /* of a request, with its query */

struct wa_http_lines {
    char *base; /* as it was given, without a slash at its end */
    struct wa_url url;
    struct wa_tls_trust trust;
    char *pem, *identity; /* of the trust */
    char *proxy;          /* a secret; NULL: none */
    struct wa_lock *lock;
    struct wa_line *kept; /* under the lock, the latest first */
};

enum wa_code wa_http_lines_new(const char *base, const struct wa_tls_trust *trust,
                               const char *proxy, struct wa_http_lines **ret, struct wa_err *err)
{
    WA_AUTO(wa_http_lines) struct wa_http_lines *l = wa_calloc(1, sizeof *l);
    if (l == NULL)
        return wa_nomem(err);
    if (wa_url_parse(wa_sv(base), &l->url, err) != WA_OK)
        return err->code;
    if (!l->url.is_https)
        return wa_fail(err, WA_E_CONFIG,
                       "'%s' is not https: nothing confidential or unsigned goes over it", base);
    l->trust = *trust;
    l->trust.pem = l->trust.identity = (struct wa_sv){NULL, 0};
    if (trust->own != NULL) {
        (void)wa_cert_ref(trust->own);
        (void)wa_key_ref(trust->own_key);
    }
    struct wa_sv bare = wa_sv(base);
    while (bare.n > 0 && bare.p[bare.n - 1] == '/')
        bare.n--;
    if (wa_sv_dup(bare, &l->base, err) != WA_OK || wa_sv_dup(trust->pem, &l->pem, err) != WA_OK ||
        wa_sv_dup(trust->identity, &l->identity, err) != WA_OK ||
        (proxy != NULL && wa_sv_dup(wa_sv(proxy), &l->proxy, err) != WA_OK) ||
        wa_lock_new(&l->lock, err) != WA_OK)
        return err->code;
    l->trust.pem = wa_sv(l->pem);
    l->trust.identity = wa_sv(l->identity);
    *ret = WA_TAKE(l);
    return WA_OK;
}

enum wa_code wa_http_lines_as(const struct wa_http_lines *l, struct wa_cert *own,
                              struct wa_key *own_key, struct wa_http_lines **ret,
                              struct wa_err *err)
{
    struct wa_tls_trust trust = l->trust;
    trust.identity = (struct wa_sv){NULL, 0};
    trust.own = own;
    trust.own_key = own_key;
    return wa_http_lines_new(l->base, &trust, l->proxy, ret, err);
}

static void close_all(struct wa_line *lines)
{
    while (lines != NULL) {
        struct wa_line *next = lines->next;
        wa_line_close(lines);
        lines = next;
    }
}

void wa_http_lines_free(struct wa_http_lines *l)
{
    if (l == NULL)
        return;
    close_all(l->kept);
    wa_lock_free(l->lock);
    if (l->trust.own != NULL) {
        wa_cert_free(l->trust.own);
        wa_key_free(l->trust.own_key);
    }
    wa_free(l->base);
    wa_free(l->pem);
    wa_free_secret(l->identity);
    wa_free_secret(l->proxy);
    wa_free(l);
}

/* --- keeping --- */

static bool is_fresh(const struct wa_line *line, uint64_t now_ms, uint64_t idle_ms)
{
    return now_ms - line->used_ms < idle_ms && now_ms - line->since_ms < WA_LINE_AGE_MS;
}

/* Takes those out that are too old, or more than max of the latest: for the caller to close. */
static struct wa_line *cull(struct wa_http_lines *l, size_t max)
{
    uint64_t now = wa_clock_mono_ms();
    struct wa_line *gone = NULL, **at = &l->kept;
    size_t count = 0;
    while (*at != NULL) {
        struct wa_line *line = *at;
        if (count < max && is_fresh(line, now, WA_LINE_IDLE_MS)) {
            count++;
            at = &line->next;
            continue;
        }
        *at = line->next;
        line->next = gone;
        gone = line;
    }
    return gone;
}

void wa_http_lines_sweep(struct wa_http_lines *l)
{
    wa_lock_take(l->lock);
    struct wa_line *gone = cull(l, WA_LINES_KEPT_MAX);
    wa_lock_give(l->lock);
    close_all(gone);
}

/* One that can be used, or NULL. */
static struct wa_line *take(struct wa_http_lines *l, uint64_t idle_ms)
{
    for (;;) {
        wa_lock_take(l->lock);
        struct wa_line *gone = cull(l, WA_LINES_KEPT_MAX), *line = l->kept;
        if (line != NULL && !is_fresh(line, wa_clock_mono_ms(), idle_ms))
            line = NULL; /* the others have been idle for longer */
        if (line != NULL)
            l->kept = line->next;
        wa_lock_give(l->lock);
        close_all(gone);
        if (line == NULL || wa_line_is_quiet(line))
            return line;
        wa_line_close(line);
    }
}

static void give(struct wa_http_lines *l, struct wa_line *line)
{
    line->used_ms = wa_clock_mono_ms();
    wa_lock_take(l->lock);
    line->next = l->kept;
    l->kept = line;
    struct wa_line *gone = cull(l, WA_LINES_KEPT_MAX);
    wa_lock_give(l->lock);
    close_all(gone);
}

/* --- asking --- */

struct question {
    struct wa_http_lines *lines;
    const struct wa_http_request *request;
    struct wa_patience patience;
    uint64_t until_ms; /* of all of it; 0: no end */
    struct wa_sink *sink;
    struct wa_http_result *result;
};

/* Over this connection, which it takes. ret_is_lost: it was closed before anybody answered, and the
 * request may be sent again. */
static enum wa_code ask_over(struct question *q, struct wa_line *line, bool is_order,
                             bool *ret_is_lost, struct wa_err *err)
{
    struct wa_http_outcome o;
    q->patience.until_ms = q->until_ms;
    enum wa_code code = wa_http_exchange(line, &q->lines->url, q->request, &q->patience, q->sink,
                                         q->result, &o, err);
    bool is_dead = code == WA_E_UNREACHABLE && line->is_cut && !o.was_heard;
    *ret_is_lost = is_dead && (!is_order || !o.was_sent);
    if (o.is_clean)
        give(q->lines, line);
    else
        wa_line_close(line);
    if (is_dead && is_order && o.was_sent)
        return wa_wrap(err, "it is not known whether the server has carried it out");
    return code;
}

static enum wa_code connect_to(struct question *q, struct wa_line **ret, struct wa_err *err)
{
    const struct wa_line_to to = {
        .url = &q->lines->url, .trust = &q->lines->trust, .proxy = q->lines->proxy};
    uint64_t until = wa_clock_mono_ms() + WA_LINE_CONNECT_MS;
    q->patience.until_ms = q->until_ms != 0 && q->until_ms < until ? q->until_ms : until;
    return wa_line_open(&to, &q->patience, ret, err);
}

static enum wa_code ask(struct question *q, struct wa_err *err)
{
    const char *method = q->request->method;
    bool is_order =
        strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 && !q->request->may_repeat;
    bool is_lost = false;
    struct wa_line *line = take(q->lines, is_order ? WA_LINE_ORDER_MS : WA_LINE_IDLE_MS);
    if (line != NULL) {
        enum wa_code code = ask_over(q, line, is_order, &is_lost, err);
        if (!is_lost)
            return code;
        wa_err_clear(err);
    }
    return connect_to(q, &line, err) == WA_OK ? ask_over(q, line, is_order, &is_lost, err)
                                              : err->code;
}

/* Nothing that would end the line, or be no part of the path. */
static bool is_path(const char *s)
{
    bool is = s[0] == '/';
    for (; is && *s != '\0'; s++)
        is = (unsigned char)*s > 0x20 && *s != 0x7f && *s != '#';
    return is;
}

enum wa_code wa_http_lines_ask(struct wa_http_lines *l, const struct wa_http_request *q,
                               struct wa_sink *sink, struct wa_http_result *ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf path;
    struct wa_http_request request = *q;
    struct question all = {.lines = l, .request = &request, .sink = sink, .result = ret};
    size_t n = strlen(l->url.path);
    while (n > 0 && l->url.path[n - 1] == '/')
        n--;
    wa_buf_init(&path, PATH_BYTES);
    wa_buf_addf(&path, "%.*s%s", (int)n, l->url.path, q->path);
    if (wa_buf_check(&path, err) != WA_OK)
        return err->code;
    if (!is_path(wa_buf_str(&path)))
        return wa_fail(err, WA_E_CONFIG, "'%s%s' is not an address that may be used here", l->base,
                       q->path);
    request.path = wa_buf_str(&path);
    all.until_ms = q->timeout_ms != 0 ? wa_clock_mono_ms() + q->timeout_ms : 0;
    if (wa_patience_begin(&all.patience, all.until_ms, q->stop, err) != WA_OK)
        return err->code;
    enum wa_code code = ask(&all, err);
    wa_patience_end(&all.patience);
    return code == WA_OK ? WA_OK : wa_wrap(err, "'%s%s'", l->base, q->path);
}
