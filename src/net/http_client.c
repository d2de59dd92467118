/* http_client.c - one exchange with libcurl. Which server is trusted is net/tls's policy alone.
 *
 * Every option that safety rests on is checked to have been taken: a libcurl with another TLS
 * library must fail here, not verify by its own rules. The environment (proxies, .netrc) has no
 * say. Redirects are followed here, not by libcurl: each hop is an exchange under the trust for its
 * own host.
 */
#include "net/http_client.h"

#include "base/mem.h"
#include "codec/url.h"
#include "os/clock.h"
#include "os/thread.h"

#include <curl/curl.h>

struct exchange {
    const struct wa_http_call *call;
    const char *url; /* of this hop */
    bool shows_identity;
    struct wa_tls_ctx *tls;
    struct wa_sink *sink;
    struct wa_http_result *result;
    struct wa_err *err; /* what a callback found wrong */
    uint64_t body_at;
    bool is_https, has_policy; /* has_policy: it was installed in this very connection */
    bool has_range;            /* the answer says where its body begins */
    uint64_t range_first;
    bool has_head;                 /* to its end: libcurl takes one that is cut off for an answer */
    size_t head_bytes;             /* of all hops */
    uint64_t window_ms, window_at; /* beginning of the window and the bytes that were there then */
    bool may_redirect;             /* this hop is not the last that is allowed */
    char *next;                    /* where a redirect leads; owned */
    CURL *curl;
};

static CURLcode on_ssl_ctx(CURL *curl, void *ssl_ctx, void *user)
{
    struct exchange *x = user;
    WA_UNUSED(curl);
    if (wa_tls_apply(x->tls, ssl_ctx, x->err) != WA_OK)
        return CURLE_ABORTED_BY_CALLBACK;
    x->has_policy = true;
    return CURLE_OK;
}

static long status_of(const struct exchange *x)
{
    long status = 0;
    (void)curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static bool is_redirect(const struct exchange *x)
{
    long status = status_of(x);
    return x->call->redirects_max > 0 &&
           (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

/* Its body is nobody's: a redirect's, or one that would come behind bytes it does not belong to. */
static bool is_dropped(const struct exchange *x)
{
    return is_redirect(x) || (x->call->resume_from > 0 && status_of(x) != 206);
}

/* Before the first byte of a body is believed. */
static enum wa_code check_answer(struct exchange *x)
{
    long status = status_of(x);
    x->result->status = (int)status;
    if (x->is_https && !x->has_policy)
        return wa_fail(x->err, WA_E_INTERNAL, "the server's certificate was not checked");
    if (is_redirect(x))
        return WA_OK;
    if ((status == 200 || status == 416) && x->call->resume_from > 0)
        return wa_fail(x->err, WA_E_CONFLICT, "the server does not send the rest of the file");
    if (status != 206)
        return WA_OK;
    if (x->call->resume_from == 0 || !x->has_range || x->range_first != x->call->resume_from)
        return wa_fail(x->err, WA_E_INVALID, "the answer is another part than the one asked for");
    x->result->resumed = true;
    return WA_OK;
}

static size_t on_body(char *p, size_t size, size_t count, void *user)
{
    struct exchange *x = user;
    size_t n = size * count;
    if (x->result->bytes == 0 &&
        (check_answer(x) != WA_OK ||
         (x->call->on_answer != NULL &&
          x->call->on_answer(x->call->progress_user, x->result, x->err) != WA_OK)))
        return 0;
    if (n > x->call->max_bytes || x->result->bytes > x->call->max_bytes - n) {
        (void)wa_fail(x->err, WA_E_LIMIT, "the answer is larger than %llu bytes",
                      (unsigned long long)x->call->max_bytes);
        return 0;
    }
    x->result->bytes += n;
    if (x->sink != NULL && !is_dropped(x) && x->sink->write(x->sink, p, n, x->err) != WA_OK)
        return 0;
    return n;
}

static bool is_header(struct wa_sv line, const char *name, struct wa_sv *ret_value)
{
    size_t n = strlen(name);
    if (line.n <= n || line.p[n] != ':' || !wa_sv_ieqs(wa_sv_n(line.p, n), name))
        return false;
    *ret_value = wa_sv_trim(wa_sv_sub(line, n + 1, line.n));
    return true;
}

/* Too long a value is left out: a part of a tag is no tag. */
static void take_header(struct wa_sv line, const char *name, char *out, size_t size)
{
    struct wa_sv value;
    if (!is_header(line, name, &value))
        return;
    out[0] = '\0';
    if (value.n >= size)
        return;
    for (size_t i = 0; i < value.n; i++) /* goes into files and messages */
        if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
            return;
    (void)snprintf(out, size, "%.*s", (int)value.n, value.p);
}

/* "bytes 100-199/1000" */
static void take_range(struct exchange *x, struct wa_sv line)
{
    struct wa_sv value, first;
    if (!is_header(line, "content-range", &value))
        return;
    x->has_range = wa_sv_starts(value, "bytes ");
    value = wa_sv_sub(value, 6, value.n);
    x->has_range =
        x->has_range && wa_sv_split(&value, '-', &first) && wa_sv_u64(first, &x->range_first);
}

static size_t on_header(char *p, size_t size, size_t count, void *user)
{
    struct exchange *x = user;
    struct wa_http_result *r = x->result;
    struct wa_sv line = wa_sv_n(p, size * count);
    x->head_bytes += line.n;
    if (x->head_bytes > WA_HTTP_ANSWER_HEAD_MAX) {
        (void)wa_fail(x->err, WA_E_LIMIT, "the answer's header lines are longer than %u bytes",
                      WA_HTTP_ANSWER_HEAD_MAX);
        return 0;
    }
    if (r->bytes == 0 &&
        wa_sv_starts(line, "HTTP/")) { /* another answer's: what an interim one said is void */
        *r = (struct wa_http_result){.status = 0};
        x->has_range = x->has_head = false;
    }
    x->has_head = x->has_head || wa_sv_trim(line).n == 0;
    take_header(line, "etag", r->etag, sizeof r->etag);
    take_header(line, "last-modified", r->last_modified, sizeof r->last_modified);
    take_header(line, "content-type", r->content_type, sizeof r->content_type);
    take_header(line, "date", r->date, sizeof r->date);
    take_range(x, line);
    return size * count;
}

static size_t on_upload(char *p, size_t size, size_t count, void *user)
{
    struct exchange *x = user;
    struct wa_source *body = x->call->body;
    uint64_t left = body->size - x->body_at;
    size_t n = size * count < left ? size * count : (size_t)left;
    if (body->read_at(body, x->body_at, p, n, x->err) != WA_OK)
        return CURL_READFUNC_ABORT;
    x->body_at += n;
    return n;
}

/* The average over a window, not libcurl's over its last seconds: one burst a minute does not make
 * up for silence. */
static bool is_too_slow(struct exchange *x, uint64_t bytes)
{
    const struct wa_http_call *call = x->call;
    uint64_t now = wa_clock_mono_ms(), spent = now - x->window_ms, rate = call->rate_min_bytes_s;
    if (rate == 0 || spent < 1000ull * call->rate_window_s)
        return false;
    if (call->rate_max_bytes_s != 0 && call->rate_max_bytes_s / 2 < rate)
        rate = call->rate_max_bytes_s / 2;
    bool is_slow = (bytes - x->window_at) * 1000 < rate * spent;
    if (is_slow)
        (void)wa_fail(x->err, WA_E_TIMEOUT,
                      "slower than %llu bytes a second: %llu bytes came in %llu seconds",
                      (unsigned long long)rate, (unsigned long long)(bytes - x->window_at),
                      (unsigned long long)(spent / 1000));
    x->window_ms = now;
    x->window_at = bytes;
    return is_slow;
}

static int on_progress(void *user, curl_off_t dl_total, curl_off_t dl_now, curl_off_t ul_total,
                       curl_off_t ul_now)
{
    struct exchange *x = user;
    bool up = x->call->body != NULL && ul_now < ul_total;
    uint64_t done = (uint64_t)(up ? ul_now : dl_now), total = (uint64_t)(up ? ul_total : dl_total);
    uint64_t before = up ? 0 : x->call->resume_from; /* what the caller has counts as done */
    if (is_too_slow(x, (uint64_t)dl_now + (uint64_t)ul_now))
        return 1;
    if (x->call->progress == NULL ||
        x->call->progress(x->call->progress_user, before + done, total > 0 ? before + total : 0))
        return 0;
    (void)wa_fail(x->err, WA_E_CANCELLED, "the transfer was cancelled");
    return 1;
}

/* --- setting up --- */

static void set_limits(CURL *c, const struct wa_http_call *call)
{
    (void)curl_easy_setopt(
        c, CURLOPT_CONNECTTIMEOUT_MS,
        (long)(call->connect_timeout_ms != 0 ? call->connect_timeout_ms : 15000));
    (void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    if (call->stop != NULL) /* not waiting for a name either */
        (void)curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
    if (call->rate_max_bytes_s != 0)
        (void)curl_easy_setopt(c, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)call->rate_max_bytes_s);
    if (call->max_bytes < (uint64_t)INT64_MAX)
        (void)curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->max_bytes);
}

static bool set(CURLcode rc, struct wa_err *err, const char *what)
{
    if (rc != CURLE_OK && err->code == WA_OK)
        (void)wa_fail(err, rc == CURLE_OUT_OF_MEMORY ? WA_E_NOMEM : WA_E_INTERNAL,
                      "this libcurl can't be told %s: %s", what, curl_easy_strerror(rc));
    return rc == CURLE_OK;
}

static enum wa_code set_policy(CURL *c, struct exchange *x, struct wa_err *err)
{
    const struct wa_http_call *call = x->call;
    const char *protocols = call->allow_http ? "https,http" : "https";
    /* Our callback decides, names included: VERIFYHOST would refuse pinned certificates for other
     * names. */
    if (!set(curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx), err, "whom to trust") ||
        !set(curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, x), err, "whom to trust") ||
        !set(curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L), err, "to verify") ||
        !set(curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L), err, "who verifies names") ||
        !set(curl_easy_setopt(c, CURLOPT_CAINFO, NULL), err, "whom to trust") ||
        !set(curl_easy_setopt(c, CURLOPT_CAPATH, NULL), err, "whom to trust") ||
        !set(curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, protocols), err, "which protocols") ||
        !set(curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L), err, "not to follow") ||
        /* "": not even the environment's */
        !set(curl_easy_setopt(c, CURLOPT_PROXY, call->proxy != NULL ? call->proxy : ""), err,
             "which proxy") ||
        !set(curl_easy_setopt(c, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC), err, "which proxy") ||
        !set(curl_easy_setopt(c, CURLOPT_NOPROXY, ""), err, "which proxy"))
        return err->code;
    (void)curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (call->user == NULL || call->password == NULL)
        return WA_OK;
    if (!set(curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC), err, "who we are") ||
        !set(curl_easy_setopt(c, CURLOPT_USERNAME, call->user), err, "who we are") ||
        !set(curl_easy_setopt(c, CURLOPT_PASSWORD, call->password), err, "who we are"))
        return err->code;
    return WA_OK;
}

static enum wa_code set_request(CURL *c, struct exchange *x, struct wa_err *err)
{
    const struct wa_http_call *call = x->call;
    char range[32];
    CURLcode rc = curl_easy_setopt(c, CURLOPT_URL, x->url);
    /* Not RESUME_FROM: with that, curl calls a whole answer an error instead of handing it on. */
    (void)snprintf(range, sizeof range, "%llu-", (unsigned long long)call->resume_from);
    if (rc == CURLE_OK && call->resume_from > 0)
        rc = curl_easy_setopt(c, CURLOPT_RANGE, range);
    if (rc == CURLE_OK && call->body != NULL) {
        (void)curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
        (void)curl_easy_setopt(c, CURLOPT_READFUNCTION, on_upload);
        (void)curl_easy_setopt(c, CURLOPT_READDATA, x);
        (void)curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->body->size);
    }
    if (rc == CURLE_OK && strcmp(call->method, "HEAD") == 0)
        rc = curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    else if (rc == CURLE_OK && (strcmp(call->method, "GET") != 0 || call->body != NULL))
        rc = curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, call->method);
    return set(rc, err, "what to ask for") ? WA_OK : err->code;
}

static void set_callbacks(CURL *c, struct exchange *x)
{
    (void)curl_easy_setopt(c, CURLOPT_USERAGENT, "wapt/" WA_VERSION);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
    (void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
    (void)curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl_easy_setopt(c, CURLOPT_XFERINFODATA, x);
    (void)curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
}

static enum wa_code set_headers(CURL *c, const struct wa_http_call *call, struct curl_slist **ret,
                                struct wa_err *err)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* no extra round trip */
    for (size_t i = 0; list != NULL && call->headers != NULL && call->headers[i] != NULL; i++) {
        struct curl_slist *more = curl_slist_append(list, call->headers[i]);
        if (more == NULL)
            curl_slist_free_all(list);
        list = more;
    }
    if (list == NULL)
        return wa_nomem(err);
    *ret = list;
    (void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
    return WA_OK;
}

/* --- outcome --- */

static enum wa_code note_certificate(const struct exchange *x, struct wa_err *err)
{
    struct wa_cert *seen = NULL;
    if (wa_tls_ctx_seen(x->tls, &seen, err) != WA_OK)
        return err->code;
    (void)snprintf(x->result->certificate, sizeof x->result->certificate, "%s",
                   wa_cert_fingerprint(seen));
    wa_cert_free(seen);
    return WA_OK;
}

/* libcurl tells TLS alerts as OpenSSL's text alone. */
static bool refuses_us(const char *detail)
{
    static const char *const alerts[] = {
        "alert certificate revoked", "alert certificate expired",     "alert certificate unknown",
        "alert bad certificate",     "alert unsupported certificate", "alert unknown ca"};
    for (size_t i = 0; i < WA_COUNT(alerts); i++)
        if (strstr(detail, alerts[i]) != NULL)
            return true;
    return false;
}

static enum wa_code judge(CURLcode rc, struct exchange *x, const char *detail, struct wa_err *err)
{
    if (err->code != WA_OK) /* a callback said why */
        return wa_wrap(err, "'%s'", x->url);
    const char *why = detail[0] != '\0' ? detail : curl_easy_strerror(rc);
    if (x->shows_identity && refuses_us(detail))
        return wa_fail(err, WA_E_DENIED, "'%s': the server refuses this machine's certificate",
                       x->url);
    switch (rc) {
    case CURLE_OK:
        return x->has_head ? WA_OK
                           : wa_fail(err, WA_E_UNREACHABLE,
                                     "'%s': the answer was cut off in its header lines", x->url);
    case CURLE_OPERATION_TIMEDOUT:
        return wa_fail(err, WA_E_TIMEOUT, "'%s': %s", x->url, why);
    case CURLE_FILESIZE_EXCEEDED:
        return wa_fail(err, WA_E_LIMIT, "'%s': the answer is larger than %llu bytes", x->url,
                       (unsigned long long)x->call->max_bytes);
    case CURLE_OUT_OF_MEMORY:
        return wa_nomem(err);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
        if (wa_tls_ctx_reason(x->tls)[0] != '\0')
            return wa_fail(err, WA_E_REFUSED, "'%s': %s", x->url, wa_tls_ctx_reason(x->tls));
        return wa_fail(err, WA_E_UNREACHABLE, "'%s': %s", x->url, why);
    case CURLE_URL_MALFORMAT:
        return wa_fail(err, WA_E_CONFIG, "'%s' is not an address that may be used here: %s", x->url,
                       why);
    default:
        return wa_fail(err, WA_E_UNREACHABLE, "'%s': %s", x->url, why);
    }
}

/* Where it leads, as libcurl makes it an absolute address. */
static enum wa_code take_redirect(struct exchange *x, struct wa_err *err)
{
    const char *to = NULL;
    (void)curl_easy_getinfo(x->curl, CURLINFO_REDIRECT_URL, &to);
    if (to == NULL || to[0] == '\0')
        return wa_fail(err, WA_E_INVALID, "'%s' redirects to nowhere", x->url);
    if (!x->may_redirect)
        return wa_fail(err, WA_E_LIMIT, "'%s': more than %u redirects", x->url,
                       x->call->redirects_max);
    x->next = wa_strdup(to);
    return x->next != NULL ? WA_OK : wa_nomem(err);
}

static void wake(void *user)
{
    (void)curl_multi_wakeup(user);
}

/* What curl_easy_perform() does, but that a stop wakes it up. */
static CURLcode drive(struct exchange *x, CURLM *m)
{
    int left = 1, waiting = 0;
    CURLMcode rc = CURLM_OK;
    while (rc == CURLM_OK && left > 0) {
        if (wa_stop_is_pulled(x->call->stop)) {
            (void)wa_fail(x->err, WA_E_CANCELLED, "the transfer was cancelled");
            return CURLE_ABORTED_BY_CALLBACK;
        }
        rc = curl_multi_perform(m, &left);
        if (rc == CURLM_OK && left > 0)
            rc = curl_multi_poll(m, NULL, 0, 1000, NULL);
    }
    const CURLMsg *told = rc == CURLM_OK ? curl_multi_info_read(m, &waiting) : NULL;
    if (rc != CURLM_OK)
        return rc == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
    return told != NULL ? told->data.result : CURLE_FAILED_INIT;
}

static CURLcode transfer(struct exchange *x, CURL *c)
{
    CURLM *m = curl_multi_init();
    struct wa_stop_waker waker = {.wake = wake, .user = m};
    if (m == NULL)
        return CURLE_OUT_OF_MEMORY;
    if (x->call->stop != NULL)
        (void)!wa_stop_add(x->call->stop, &waker); /* if it is pulled already, drive() sees that */
    CURLcode rc = curl_multi_add_handle(m, c) == CURLM_OK ? drive(x, m) : CURLE_OUT_OF_MEMORY;
    if (x->call->stop != NULL)
        wa_stop_remove(x->call->stop, &waker);
    (void)curl_multi_remove_handle(m, c);
    (void)curl_multi_cleanup(m);
    return rc;
}

static enum wa_code perform(void *user, struct wa_err *err)
{
    struct exchange *x = user;
    char detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    CURL *c = curl_easy_init();
    if (c == NULL)
        return wa_nomem(err);
    x->curl = c;
    (void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, detail);
    set_limits(c, x->call);
    set_callbacks(c, x);
    enum wa_code code = set_policy(c, x, err);
    if (code == WA_OK)
        code = set_request(c, x, err);
    if (code == WA_OK)
        code = set_headers(c, x->call, &headers, err);
    if (code == WA_OK) {
        CURLcode rc = transfer(x, c);
        long status = 0;
        (void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
        code = judge(rc, x, detail, err);
        if (code == WA_OK && check_answer(x) != WA_OK) /* an answer without a body, too */
            code = wa_wrap(err, "'%s'", x->url);
        if (code == WA_OK && is_redirect(x))
            code = take_redirect(x, err);
        x->result->status = (int)status;
        if (code == WA_OK && x->is_https)
            code = note_certificate(x, err);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(c);
    return code;
}

/* A proxy may carry "user:password@", which no message shows. */
static enum wa_code check_proxy(const char *text, struct wa_err *err)
{
    struct wa_url url;
    struct wa_sv proxy = wa_sv(text), rest = wa_sv(text);
    size_t at = 0, after = 0;
    char bare[1024];
    if (wa_sv_starts(proxy, "http://") && wa_sv_chr(wa_sv_sub(proxy, 7, proxy.n), '@', &at)) {
        rest = wa_sv_sub(proxy, 7 + at + 1, proxy.n);
        if (wa_sv_chr(rest, '@', &after) || at >= WA_PROXY_LOGIN_MAX)
            return wa_fail(err, WA_E_CONFIG,
                           "the proxy's login must be written user:password, with '@' as %%40");
        (void)snprintf(bare, sizeof bare, "http://%.*s", WA_SV_ARG(rest));
        rest = wa_sv(bare);
    }
    if (wa_url_parse(rest, &url, err) != WA_OK)
        return wa_wrap(err, "the proxy's address");
    if (url.is_https) /* its certificate would be judged by the server's policy */
        return wa_fail(err, WA_E_CONFIG, "the proxy must be given as http://host:port");
    return WA_OK;
}

static enum wa_code check_call(const struct wa_http_call *call, struct wa_url *ret_url,
                               struct wa_err *err)
{
    if (wa_url_parse(wa_sv(call->url), ret_url, err) != WA_OK)
        return err->code;
    if (!ret_url->is_https && (!call->allow_http || call->password != NULL))
        return wa_fail(err, WA_E_CONFIG,
                       "'%s' is not https: nothing confidential or unsigned goes over it",
                       call->url);
    if (call->redirects_max > 0 &&
        (strcmp(call->method, "GET") != 0 || call->body != NULL || call->user != NULL))
        return wa_fail(err, WA_E_INTERNAL, "only a plain GET may be redirected");
    return call->proxy == NULL || call->proxy[0] == '\0' ? WA_OK : check_proxy(call->proxy, err);
}

/* Never from https to http; from http to another host only by https. */
static enum wa_code check_hop(const struct wa_url *from, const char *to, struct wa_url *ret,
                              struct wa_err *err)
{
    if (wa_url_parse(wa_sv(to), ret, err) != WA_OK)
        return wa_wrap(err, "the server redirects to another address");
    if (ret->is_https || (!from->is_https && strcmp(from->host, ret->host) == 0))
        return WA_OK;
    return wa_fail(err, WA_E_REFUSED, "the server redirects to '%s', which is not https", to);
}

static bool is_same_server(const struct wa_url *a, const struct wa_url *b)
{
    return a->is_https == b->is_https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* One exchange with the server of url. */
static enum wa_code hop(struct exchange *x, const struct wa_url *url,
                        const struct wa_tls_trust *policy, struct wa_err *err)
{
    WA_AUTO(wa_tls_ctx) struct wa_tls_ctx *tls = NULL;
    struct wa_tls_trust own = *policy;
    if (own.host[0] == '\0')
        (void)snprintf(own.host, sizeof own.host, "%s", url->host);
    if (wa_tls_client_ctx(&own, &tls, err) != WA_OK)
        return err->code;
    x->tls = tls;
    x->is_https = url->is_https;
    x->shows_identity = own.identity.n > 0 || own.own != NULL;
    x->has_policy = x->has_range = x->has_head = false;
    x->window_ms = wa_clock_mono_ms();
    x->window_at = x->body_at = 0;
    *x->result = (struct wa_http_result){.status = 0};
    return wa_thread_without_sigpipe(perform, x, err);
}

enum wa_code wa_http_perform(const struct wa_http_call *call, const struct wa_tls_trust *trust,
                             struct wa_sink *body, struct wa_http_result *ret, struct wa_err *err)
{
    struct wa_http_result result = {.status = 0};
    struct wa_url url, next;
    struct wa_tls_trust policy = *trust;
    WA_AUTO_STR char *at = NULL;
    struct exchange x = {
        .call = call, .url = call->url, .sink = body, .result = &result, .err = err};
    if (check_call(call, &url, err) != WA_OK)
        return err->code;
    for (uint32_t hops = 0;; hops++) {
        x.may_redirect = hops < call->redirects_max;
        if (hop(&x, &url, &policy, err) != WA_OK)
            return err->code;
        if (x.next == NULL)
            break;
        wa_free(at);
        x.url = at = x.next;
        x.next = NULL;
        if (check_hop(&url, at, &next, err) != WA_OK)
            return err->code;
        if (!is_same_server(&url,
                            &next)) { /* what was known of the first says nothing of this one */
            policy.host[0] = policy.fingerprint[0] = '\0';
            policy.identity = WA_SV(""); /* nor need it know who we are */
            policy.own = NULL;
        }
        url = next;
    }
    *ret = result;
    return WA_OK;
}
