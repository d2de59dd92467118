/* http_post.c - see http_post.h. */
#include "net/http_post.h"

#include "net/http_exchange.h"
#include "os/clock.h"

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
    const struct wa_line_to to = {
        .url = &url, .trust = &whom, .may_connect = what->may_connect, .user = what->user};
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
        wa_line_open(&to, &patience, &line, err) != WA_OK ||
        wa_http_exchange(line, &url, &q, &patience, what->answer != NULL ? &sink.base : NULL,
                         &result, &outcome, err) != WA_OK)
        return err->code == WA_E_TIMEOUT ? wa_wrap(err, "'%s'", url.host) : err->code;
    *ret_status = result.status;
    return WA_OK;
}
