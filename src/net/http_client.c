/* http_client.c - one exchange with libcurl. Which server is trusted is net/tls's policy alone.
 *
 * Every option that safety rests on is checked to have been taken: a libcurl with another TLS
 * library must fail here, not verify by its own rules. The environment (proxies, .netrc) has no
 * say. Redirects are followed here, not by libcurl: each hop is an exchange under the trust for its
 * own host.
 */
#include "net/http_client_priv.h"

#include "base/mem.h"
#include "codec/url.h"
#include "os/thread.h"

static CURLcode on_ssl_ctx(CURL *curl, void *ssl_ctx, void *user)
{
    struct wa_client_exchange *x = user;
    WA_UNUSED(curl);
    if (wa_tls_apply(x->tls, ssl_ctx, x->err) != WA_OK)
        return CURLE_ABORTED_BY_CALLBACK;
    x->has_policy = true;
    return CURLE_OK;
}

/* --- setting up --- */

static void set_limits(CURL *c, const struct wa_http_call *call)
{
    (void)curl_easy_setopt(
        c, CURLOPT_CONNECTTIMEOUT_MS,
        (long)(call->connect_timeout_ms != 0 ? call->connect_timeout_ms : 15000));
    (void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
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

static enum wa_code set_policy(CURL *c, struct wa_client_exchange *x, struct wa_err *err)
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

static enum wa_code set_request(CURL *c, struct wa_client_exchange *x, struct wa_err *err)
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
        (void)curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->body->size);
    }
    if (rc == CURLE_OK && strcmp(call->method, "HEAD") == 0)
        rc = curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    else if (rc == CURLE_OK && (strcmp(call->method, "GET") != 0 || call->body != NULL))
        rc = curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, call->method);
    return set(rc, err, "what to ask for") ? WA_OK : err->code;
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

static enum wa_code judge(CURLcode rc, struct wa_client_exchange *x, const char *detail,
                          struct wa_err *err)
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
static enum wa_code take_redirect(struct wa_client_exchange *x, struct wa_err *err)
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

static enum wa_code perform(void *user, struct wa_err *err)
{
    struct wa_client_exchange *x = user;
    char detail[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    CURL *c = curl_easy_init();
    if (c == NULL)
        return wa_nomem(err);
    x->curl = c;
    (void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, detail);
    set_limits(c, x->call);
    (void)curl_easy_setopt(c, CURLOPT_USERAGENT, "wapt/" WA_VERSION);
    wa_client_answer_take(x);
    enum wa_code code = set_policy(c, x, err);
    if (code == WA_OK)
        code = set_request(c, x, err);
    if (code == WA_OK)
        code = set_headers(c, x->call, &headers, err);
    if (code == WA_OK) {
        code = judge(curl_easy_perform(c), x, detail, err);
        if (code == WA_OK && wa_client_answer_check(x) != WA_OK) /* one without a body, too */
            code = wa_wrap(err, "'%s'", x->url);
        if (code == WA_OK && wa_client_answer_redirects(x))
            code = take_redirect(x, err);
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
static enum wa_code hop(struct wa_client_exchange *x, const struct wa_url *url,
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
    x->has_policy = x->has_head = false;
    x->body_at = 0;
    wa_pace_begin(&x->pace, x->call->rate_min_bytes_s, x->call->rate_max_bytes_s,
                  x->call->rate_window_s);
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
    struct wa_client_exchange x = {
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
