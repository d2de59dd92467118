/* http_post.c - see http_post.h. */
#include "net/http_post.h"

#include "base/mem.h"
#include "net/address.h"
#include "net/http_exchange.h"
#include "os/clock.h"

/* *ret: the proxy, or NULL. */
static enum wa_code choose_way(const struct wa_http_post *what, const struct wa_url *url,
                               const char **ret, struct wa_err *err)
{
    uint8_t address[16];
    *ret = NULL;
    if (what->proxy == NULL || what->proxy[0] == '\0' ||
        !wa_proxy_leads_to(url, wa_sv(what->bypass != NULL ? what->bypass : "")))
        return WA_OK;
    if (what->may_connect != NULL && wa_address_parse(wa_sv(url->host), address) &&
        !what->may_connect(what->user, url->host))
        return wa_fail(err, WA_E_REFUSED,
                       "'%s' may not be connected to: it is private "
                       "(webhook_networks)",
                       url->host);
    *ret = what->proxy;
    return WA_OK;
}

/* Whatever the proxy answers instead of making a way is no word of who was to be asked. */
static enum wa_code reach(const struct wa_line_to *to, struct wa_patience *p, struct wa_line **ret,
                          struct wa_err *err)
{
    WA_AUTO(wa_line) struct wa_line *l = NULL;
    enum wa_code code = wa_line_begin(to, p, &l, err);
    if (code != WA_OK && to->proxy != NULL && code != WA_E_TIMEOUT && code != WA_E_NOMEM)
        err->code = WA_E_UNREACHABLE;
    if (code != WA_OK || (to->url->is_https && wa_line_secure(l, to, p, err) != WA_OK))
        return err->code;
    *ret = WA_TAKE(l);
    return WA_OK;
}

enum wa_code wa_http_post(const struct wa_http_post *what, const struct wa_tls_trust *trust,
                          int *ret_status, struct wa_err *err)
{
    WA_AUTO(wa_line) struct wa_line *line = NULL;
    WA_AUTO_BUF struct wa_buf path;
    struct wa_url url;
    struct wa_tls_trust whom = *trust;
    struct wa_patience patience;
    struct wa_mem_source body;
    struct wa_buf_sink sink;
    struct wa_http_result result;
    struct wa_http_outcome outcome;
    wa_buf_init(&path, sizeof url.path + sizeof url.query);
    whom.host[0] = '\0';
    if (wa_url_parse(wa_sv(what->url), &url, err) != WA_OK)
        return err->code;
    if (!url.is_https && !what->allow_http)
        return wa_fail(err, WA_E_CONFIG, "'%s' is not https",
                       url.host); /* its path may be a secret */
    wa_buf_addf(&path, "%s%s%s", url.path, url.query[0] != '\0' ? "?" : "", url.query);
    wa_mem_source_init(&body, what->body.p, what->body.n);
    wa_buf_sink_init(&sink, what->answer);
    const char *proxy = NULL;
    if (choose_way(what, &url, &proxy, err) != WA_OK)
        return err->code;
    const struct wa_line_to to = {.proxy = proxy,
                                  .url = &url,
                                  .trust = &whom,
                                  .may_connect = what->may_connect,
                                  .user = what->user};
    const struct wa_http_request q = {
        .method = what->method != NULL ? what->method : "POST",
        .path = wa_buf_str(&path),
        .headers = what->headers,
        .body = what->body.n > 0 ? &body.base : NULL,
        .wants_status = what->answer == NULL,
        .closes = true,
        .max_bytes = what->answer != NULL ? what->answer->max : 0,
    };
    if (wa_buf_check(&path, err) != WA_OK ||
        wa_patience_begin(&patience, wa_clock_mono_ms() + what->timeout_ms, NULL, err) != WA_OK ||
        reach(&to, &patience, &line, err) != WA_OK ||
        wa_http_exchange(line, &url, &q, &patience, what->answer != NULL ? &sink.base : NULL,
                         &result, &outcome, err) != WA_OK)
        return err->code == WA_E_TIMEOUT ? wa_wrap(err, "'%s'", url.host) : err->code;
    *ret_status = result.status;
    return WA_OK;
}
