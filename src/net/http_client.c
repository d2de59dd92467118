/* http_client.c - one exchange with libcurl. Which server is trusted is net/tls's policy alone. */
#include "net/http_client.h"

#include "base/mem.h"
#include "codec/url.h"

#include <curl/curl.h>

struct exchange {
    const struct wa_http_call *call;
    struct wa_tls_ctx *tls;
    struct wa_sink *sink;
    struct wa_http_result *result;
    struct wa_err *err; /* what a callback found wrong */
    uint64_t body_at;
    CURL *curl;
};

static CURLcode on_ssl_ctx(CURL *curl, void *ssl_ctx, void *user)
{
    struct exchange *x = user;
    WA_UNUSED(curl);
    return wa_tls_apply(x->tls, ssl_ctx, x->err) == WA_OK ? CURLE_OK : CURLE_ABORTED_BY_CALLBACK;
}

static size_t on_body(char *p, size_t size, size_t count, void *user)
{
    struct exchange *x = user;
    size_t n = size * count;
    long status = 0;
    (void)curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
    if (x->result->bytes == 0)
        x->result->resumed = status == 206 && x->call->resume_from > 0;
    if (n > x->call->max_bytes || x->result->bytes > x->call->max_bytes - n) {
        (void)wa_fail(x->err, WA_E_LIMIT, "the answer is larger than %llu bytes",
                      (unsigned long long)x->call->max_bytes);
        return 0;
    }
    x->result->bytes += n;
    if (x->sink != NULL && x->sink->write(x->sink, p, n, x->err) != WA_OK)
        return 0;
    return n;
}

static void take_header(struct wa_sv line, const char *name, char *out, size_t size)
{
    size_t n = strlen(name);
    if (line.n <= n || line.p[n] != ':' || !wa_sv_ieqs(wa_sv_n(line.p, n), name))
        return;
    struct wa_sv value = wa_sv_trim(wa_sv_sub(line, n + 1, line.n));
    if (value.n < size)
        (void)snprintf(out, size, "%.*s", (int)value.n, value.p);
}

static size_t on_header(char *p, size_t size, size_t count, void *user)
{
    struct exchange *x = user;
    struct wa_sv line = wa_sv_n(p, size * count);
    take_header(line, "etag", x->result->etag, sizeof x->result->etag);
    take_header(line, "last-modified", x->result->last_modified, sizeof x->result->last_modified);
    take_header(line, "content-type", x->result->content_type, sizeof x->result->content_type);
    take_header(line, "date", x->result->date, sizeof x->result->date);
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

static int on_progress(void *user, curl_off_t dl_total, curl_off_t dl_now, curl_off_t ul_total,
                       curl_off_t ul_now)
{
    struct exchange *x = user;
    bool up = x->call->body != NULL && ul_now < ul_total;
    uint64_t done = (uint64_t)(up ? ul_now : dl_now), total = (uint64_t)(up ? ul_total : dl_total);
    if (x->call->progress == NULL || x->call->progress(x->call->progress_user, done, total))
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
    if (call->low_speed_bytes_s != 0) {
        (void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)call->low_speed_bytes_s);
        (void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 60L);
    }
    if (call->max_bytes < (uint64_t)INT64_MAX)
        (void)curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->max_bytes);
}

static void set_policy(CURL *c, struct exchange *x)
{
    const struct wa_http_call *call = x->call;
    (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, call->allow_http ? "https,http" : "https");
    (void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(c, CURLOPT_PROXY,
                           call->proxy != NULL ? call->proxy
                                               : ""); /* "": not even the environment's */
    (void)curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    /* Our callback decides, names included: VERIFYHOST would refuse pinned certificates for other
     * names. */
    (void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    (void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
    (void)curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
    (void)curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    (void)curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
    (void)curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, x);
    if (call->user != NULL && call->password != NULL) {
        (void)curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        (void)curl_easy_setopt(c, CURLOPT_USERNAME, call->user);
        (void)curl_easy_setopt(c, CURLOPT_PASSWORD, call->password);
    }
}

static void set_exchange(CURL *c, struct exchange *x)
{
    const struct wa_http_call *call = x->call;
    (void)curl_easy_setopt(c, CURLOPT_URL, call->url);
    (void)curl_easy_setopt(c, CURLOPT_USERAGENT, "wapt/" WA_VERSION);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
    (void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
    (void)curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl_easy_setopt(c, CURLOPT_XFERINFODATA, x);
    (void)curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    if (call->resume_from > 0)
        (void)curl_easy_setopt(c, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)call->resume_from);
    if (call->body != NULL) {
        (void)curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
        (void)curl_easy_setopt(c, CURLOPT_READFUNCTION, on_upload);
        (void)curl_easy_setopt(c, CURLOPT_READDATA, x);
        (void)curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->body->size);
    }
    if (strcmp(call->method, "HEAD") == 0)
        (void)curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    else if (strcmp(call->method, "GET") != 0 || call->body != NULL)
        (void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, call->method);
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

static enum wa_code judge(CURLcode rc, struct exchange *x, const char *detail, struct wa_err *err)
{
    if (err->code != WA_OK) /* a callback said why */
        return wa_wrap(err, "'%s'", x->call->url);
    const char *why = detail[0] != '\0' ? detail : curl_easy_strerror(rc);
    switch (rc) {
    case CURLE_OK:
        return WA_OK;
    case CURLE_OPERATION_TIMEDOUT:
        return wa_fail(err, WA_E_TIMEOUT, "'%s': %s", x->call->url, why);
    case CURLE_FILESIZE_EXCEEDED:
        return wa_fail(err, WA_E_LIMIT, "'%s': the answer is larger than %llu bytes", x->call->url,
                       (unsigned long long)x->call->max_bytes);
    case CURLE_OUT_OF_MEMORY:
        return wa_nomem(err);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
        if (wa_tls_ctx_reason(x->tls)[0] != '\0')
            return wa_fail(err, WA_E_REFUSED, "'%s': %s", x->call->url, wa_tls_ctx_reason(x->tls));
        return wa_fail(err, WA_E_UNREACHABLE, "'%s': %s", x->call->url, why);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return wa_fail(err, WA_E_CONFIG, "'%s' is not an address that may be used here: %s",
                       x->call->url, why);
    default:
        return wa_fail(err, WA_E_UNREACHABLE, "'%s': %s", x->call->url, why);
    }
}

static enum wa_code perform(struct exchange *x, struct wa_err *err)
{
    char detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    CURL *c = curl_easy_init();
    if (c == NULL)
        return wa_nomem(err);
    x->curl = c;
    (void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, detail);
    set_policy(c, x);
    set_limits(c, x->call);
    set_exchange(c, x);
    enum wa_code code = set_headers(c, x->call, &headers, err);
    if (code == WA_OK) {
        CURLcode rc = curl_easy_perform(c);
        long status = 0;
        (void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
        x->result->status = (int)status;
        /* A range that is not there any more: an answer like any other. */
        if (rc == CURLE_HTTP_RANGE_ERROR && status != 0 && err->code == WA_OK)
            rc = CURLE_OK;
        code = judge(rc, x, detail, err);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(c);
    return code;
}

enum wa_code wa_http_perform(const struct wa_http_call *call, const struct wa_tls_trust *trust,
                             struct wa_sink *body, struct wa_http_result *ret, struct wa_err *err)
{
    WA_AUTO(wa_tls_ctx) struct wa_tls_ctx *tls = NULL;
    struct wa_http_result result = {.status = 0};
    struct wa_url url;
    struct wa_tls_trust policy = *trust;
    if (wa_url_parse(wa_sv(call->url), &url, err) != WA_OK)
        return err->code;
    if (!url.is_https && (!call->allow_http || call->password != NULL))
        return wa_fail(err, WA_E_CONFIG,
                       "'%s' is not https: nothing confidential or unsigned goes over it",
                       call->url);
    if (policy.host[0] == '\0')
        (void)snprintf(policy.host, sizeof policy.host, "%s", url.host);
    if (wa_tls_client_ctx(&policy, &tls, err) != WA_OK)
        return err->code;
    struct exchange x = {.call = call, .tls = tls, .sink = body, .result = &result, .err = err};
    if (perform(&x, err) != WA_OK)
        return err->code;
    *ret = result;
    return WA_OK;
}
