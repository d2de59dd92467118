/* http_tunnel.c - opening a line: to the server itself, or through an HTTP proxy that is asked for
 * a tunnel to it (CONNECT, RFC 9110 9.3.6). The proxy sees the server's name and port, and bytes of
 * TLS; what it answers is judged as any answer is.
 */
#include "base/mem.h"
#include "base/text.h"
#include "codec/base64.h"
#include "net/http_exchange.h"

#define SCHEME "http://"
#define USER_BYTES 1024u

struct proxy {
    struct wa_url url;
    struct wa_buf headers; /* secret: a password may be in it */
};

/* "user:password", each percent-encoded, as the one header that it becomes. */
static enum wa_code add_user(struct wa_sv who, struct wa_buf *headers, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf plain;
    struct wa_sv user = who, password = WA_SV("");
    size_t at = 0;
    wa_buf_init(&plain, USER_BYTES);
    if (wa_sv_chr(who, ':', &at)) {
        user = wa_sv_sub(who, 0, at);
        password = wa_sv_sub(who, at + 1, who.n);
    }
    if (wa_url_decode(user, false, &plain, err) != WA_OK)
        return err->code;
    wa_buf_addc(&plain, ':');
    if (wa_url_decode(password, false, &plain, err) != WA_OK || wa_buf_check(&plain, err) != WA_OK)
        return err->code;
    wa_buf_adds(headers, "Proxy-Authorization: Basic ");
    wa_base64_encode(plain.p, plain.n, headers);
    wa_buf_adds(headers, "\r\n");
    return wa_buf_check(headers, err);
}

/* No message repeats the text: a password may be in it. */
static enum wa_code read_proxy(const char *text, struct proxy *ret, struct wa_err *err)
{
    char bare[512];
    struct wa_sv rest = wa_sv(text);
    if (!wa_sv_starts(rest, SCHEME))
        return wa_fail(err, WA_E_CONFIG, "http_proxy must begin with http://");
    rest = wa_sv_sub(rest, sizeof SCHEME - 1, rest.n);
    size_t user = rest.n; /* bytes before the last '@': a password may have one */
    while (user > 0 && rest.p[user - 1] != '@')
        user--;
    if (user > 0 && add_user(wa_sv_sub(rest, 0, user - 1), &ret->headers, err) != WA_OK)
        return wa_wrap(err, "the user of http_proxy");
    rest = wa_sv_sub(rest, user, rest.n);
    (void)snprintf(bare, sizeof bare, SCHEME "%.*s", WA_SV_ARG(wa_sv_sub(rest, 0, 400)));
    return wa_url_parse(wa_sv(bare), &ret->url, err) == WA_OK ? WA_OK : wa_wrap(err, "http_proxy");
}

enum wa_code wa_proxy_check(const char *proxy, struct wa_err *err)
{
    struct proxy via = {.url = {.host = ""}};
    wa_buf_init(&via.headers, 2 * USER_BYTES);
    (void)!read_proxy(proxy, &via, err);
    wa_buf_fini_secret(&via.headers);
    return err->code;
}

/* --- the tunnel --- */

static enum wa_code refused(const struct proxy *via, const struct wa_url *to, int status,
                            struct wa_err *err)
{
    const char *advice = status == 407 || status == 401 /* tinyproxy */
                             ? wa_text(": it wants another user and password (http_proxy = "
                                       "http://USER:PASSWORD@HOST:PORT)")
                             : "";
    return wa_fail(
        err, WA_E_DENIED, "the proxy '%s:%u' makes no way to '%s:%u', it answered with status %d%s",
        via->url.host, (unsigned)via->url.port, to->host, (unsigned)to->port, status, advice);
}

static enum wa_code ask_for_tunnel(struct wa_line *l, const struct proxy *via,
                                   const struct wa_url *to, struct wa_patience *p,
                                   struct wa_err *err)
{
    char place[sizeof to->host + 16];
    struct wa_http_result result;
    struct wa_http_outcome outcome;
    bool is_v6 = strchr(to->host, ':') != NULL;
    (void)snprintf(place, sizeof place, "%s%s%s:%u", is_v6 ? "[" : "", to->host, is_v6 ? "]" : "",
                   (unsigned)to->port);
    const struct wa_http_request q = {.method = "CONNECT",
                                      .path = place,
                                      .headers = wa_buf_str(&via->headers),
                                      .wants_status = true};
    if (wa_http_exchange(l, to, &q, p, NULL, &result, &outcome, err) != WA_OK)
        return wa_wrap(err, "the proxy '%s:%u'", via->url.host, (unsigned)via->url.port);
    return result.status >= 200 && result.status < 300 ? WA_OK
                                                       : refused(via, to, result.status, err);
}

static enum wa_code begin_through(const struct wa_line_to *to, struct proxy *via,
                                  struct wa_patience *p, struct wa_line **ret, struct wa_err *err)
{
    WA_AUTO(wa_line) struct wa_line *l = NULL;
    const struct wa_line_to first = {.url = &via->url};
    if (read_proxy(to->proxy, via, err) != WA_OK)
        return err->code;
    if (wa_line_reach(&first, p, &l, err) != WA_OK)
        return wa_wrap(err, "the proxy of http_proxy");
    if (ask_for_tunnel(l, via, to->url, p, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(l);
    return WA_OK;
}

enum wa_code wa_line_begin(const struct wa_line_to *to, struct wa_patience *p, struct wa_line **ret,
                           struct wa_err *err)
{
    struct proxy via = {.url = {.host = ""}};
    if (to->proxy == NULL)
        return wa_line_reach(to, p, ret, err);
    wa_buf_init(&via.headers, 2 * USER_BYTES);
    (void)!begin_through(to, &via, p, ret, err);
    wa_buf_fini_secret(&via.headers);
    return err->code;
}

enum wa_code wa_line_open(const struct wa_line_to *to, struct wa_patience *p, struct wa_line **ret,
                          struct wa_err *err)
{
    WA_AUTO(wa_line) struct wa_line *l = NULL;
    if (wa_line_begin(to, p, &l, err) != WA_OK ||
        (to->url->is_https && wa_line_secure(l, to, p, err) != WA_OK))
        return err->code;
    *ret = WA_TAKE(l);
    return WA_OK;
}
